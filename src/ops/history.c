/* history: events from the versions of the roles' files. */
#include <assert.h>

#include "ops/ops.h"

#include "policy/history.h"
#include "trust/history.h"

#define DEFAULT_LIMIT 100

/* The events of one role, while they are collected: [first, first + n) of all. */
struct role_log {
	size_t first, n, at;
	bool relevant; /* it speaks for the type, or did */
};

struct collector {
	struct mf_image *im;
	const struct manifesto_history_options *o;
	const struct mf_subject *subject;
	const char *image; /* repository@sha256:... */
	struct mf_arena *a;
	struct manifesto_history_event *v;
	size_t n, cap;
	struct role_log *logs;
	size_t nlogs, logs_cap;
	/* of the role that is being read */
	const char *role;
	struct mf_pasts before;
	int64_t compared; /* the version that `before` is of; 0: none yet */
	size_t ninvalid;
};

static void collector_clear(struct collector *c)
{
	mf_pasts_clear(&c->before);
	free(c->v);
	free(c->logs);
}
#define COLLECTOR_CLEANUP MF_CLEANUP(collector_clear)

/* ---- events */

static struct manifesto_history_event *add_event(struct collector *c, const struct mf_version *v,
						 const char *name, struct mf_err *err)
{
	if (c->n >= MF_MAX_HISTORY_EVENTS) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "more than %d events", MF_MAX_HISTORY_EVENTS);
		mf_err_set_hint(err, "ask for one type, or for fewer versions with --limit");
		return NULL;
	}
	if (mf_grow((void **)&c->v, &c->cap, c->n, sizeof *c->v, err) < 0)
		return NULL;
	struct manifesto_history_event *e = &c->v[c->n++];
	*e = (struct manifesto_history_event){
	    .event = name, .role = c->role, .first_version = v->first, .version = v->last, .seen = v->seen};
	c->logs[c->nlogs - 1].n++;
	return e;
}

/* Of versions, not of records. */
static int add_gap(struct collector *c, const struct mf_version *v, const char *why, struct mf_err *err)
{
	static const char *const names[] = {[MF_VERSION_NOT_KEPT] = "not-kept",
					    [MF_VERSION_NOT_READ] = "not-read",
					    [MF_VERSION_INVALID] = "invalid",
					    [MF_VERSION_UNPROVEN] = "unproven"};
	struct manifesto_history_event *e =
	    add_event(c, v, names[v->state == MF_VERSION_VERIFIED ? MF_VERSION_INVALID : v->state], err);
	if (!e)
		return -1;
	c->ninvalid += v->state == MF_VERSION_INVALID || v->state == MF_VERSION_VERIFIED;
	e->message = mf_arena_text(c->a, why);
	return mf_arena_check(c->a, err);
}

/* Only what is left of a record once its file is gone. */
static struct manifesto_record report_past(struct collector *c, const struct mf_past *p)
{
	assert(p);
	return (struct manifesto_record){
	    .image = c->image,
	    .subject = mf_report_digest(c->a, &c->subject->digest),
	    .platform = c->subject->platform[0] ? mf_arena_text(c->a, c->subject->platform) : NULL,
	    .type = mf_arena_text(c->a, p->type),
	    .role = c->role,
	    .digest = mf_report_digest(c->a, &p->blob),
	    .length = p->length};
}

static int report_added(struct collector *c, const struct mf_past *before, const struct mf_past *after,
			struct manifesto_history_event *e, struct mf_err *err)
{
	assert(after);
	const struct mf_entry *entry = &after->entry;
	struct mf_pubkey **v MF_FREE = mf_calloc(entry->nkeys, sizeof(struct mf_pubkey *));
	size_t n = 0;
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < entry->nkeys; i++) {
		if (!entry->signed_by[i])
			continue;
		struct mf_digest fp = mf_pubkey_fingerprint(entry->keys[i]);
		if (!mf_past_signed_by(before, &fp))
			v[n++] = entry->keys[i];
	}
	return mf_report_keys(c->im->m, v, n, c->a, &e->added, &e->nadded, err);
}

static struct manifesto_history_event *add_record_event(struct collector *c, const struct mf_version *v,
							enum mf_event what, struct manifesto_record **record,
							struct mf_err *err)
{
	*record = mf_arena_alloc(c->a, 1, sizeof **record, err);
	struct manifesto_history_event *e = *record ? add_event(c, v, mf_event_name(what), err) : NULL;
	if (!e)
		return NULL;
	c->logs[c->nlogs - 1].relevant = true;
	e->delegator = mf_arena_text(c->a, v->delegator);
	e->delegator_version = v->delegator_version;
	e->record = *record;
	return e;
}

/* Does the event write the record's description, with the time that its signer claims? */
static bool claims_time(enum mf_event what)
{
	return what == MF_EVENT_PUT || what == MF_EVENT_REPLACED || what == MF_EVENT_WITHDRAWN ||
	       what == MF_EVENT_REINSTATED || what == MF_EVENT_FOREIGN || what == MF_EVENT_PRESENT ||
	       what == MF_EVENT_VETO;
}

static int compare(struct collector *c, const struct mf_version *v, const struct mf_past *before,
		   const struct mf_past *after, struct mf_err *err)
{
	enum mf_event what = mf_event_between(before, after, c->compared || v->last == 1);
	bool gone = what == MF_EVENT_REMOVED || what == MF_EVENT_UNAUTHORISED || what == MF_EVENT_VETO_LIFTED;
	if (what == MF_EVENT_NONE)
		return 0;
	struct manifesto_record *record;
	struct manifesto_history_event *e = add_record_event(c, v, what, &record, err);
	if (!e)
		return -1;
	e->first_version = c->compared < v->last ? c->compared + 1 : v->last;
	if (mf_report_keys(c->im->m, v->signers, v->nsigners, c->a, &e->file_signers, &e->nfile_signers,
			   err) < 0)
		return -1;
	if (gone) {
		*record = report_past(c, before);
		return mf_arena_check(c->a, err);
	}
	if (mf_report_record(c->im, &after->entry, c->subject->platform, c->a, record, err) < 0)
		return -1;
	e->claimed = claims_time(what) ? record->created : 0;
	return what == MF_EVENT_SIGNED ? report_added(c, before, after, e, err) : 0;
}

/* Both are sorted by type. */
static int compare_all(struct collector *c, const struct mf_version *v, const struct mf_pasts *after,
		       struct mf_err *err)
{
	size_t i = 0, k = 0;
	while (i < c->before.n || k < after->n) {
		const struct mf_past *old = i < c->before.n ? &c->before.v[i] : NULL;
		const struct mf_past *new = k < after->n ? &after->v[k] : NULL;
		int order = !old ? 1 : !new ? -1 : mf_past_cmp(old, new);
		if (compare(c, v, order <= 0 ? old : NULL, order >= 0 ? new : NULL, err) < 0)
			return -1;
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

/* ---- versions */

static bool speaks_now(const struct collector *c, const char *role)
{
	const struct mf_tuf_set *set = mf_trust_set(c->im->trust);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(set, role);
	return l && (!c->o->type || mf_policy_authorised(set, l, mf_str_c(c->o->type), c->o->role));
}

static int begin_role(struct collector *c, const char *role, struct mf_err *err)
{
	if (mf_grow((void **)&c->logs, &c->logs_cap, c->nlogs, sizeof *c->logs, err) < 0)
		return -1;
	c->logs[c->nlogs++] =
	    (struct role_log){.first = c->n, .relevant = strcmp(role, "root") == 0 || speaks_now(c, role)};
	mf_pasts_clear(&c->before);
	c->compared = 0;
	c->role = mf_arena_dup(c->a, mf_str_c(role), err);
	return c->role ? 0 : -1;
}

static int on_verified(struct collector *c, const struct mf_version *v, struct mf_err *err)
{
	struct mf_pasts after MF_PASTS_CLEANUP = {0};
	struct mf_err why = MF_ERR_INIT;
	if (mf_pasts_read(v->set, v->loaded, mf_str_c(c->o->type), &c->subject->digest, c->o->role, &after,
			  &why) < 0) {
		/* Well signed, and not to be read: nothing of it is shown as fact. */
		if (why.code == MF_E_FORMAT)
			return add_gap(c, v, why.msg, err);
		*err = why;
		return -1;
	}
	if (!v->baseline && compare_all(c, v, &after, err) < 0)
		return -1;
	mf_pasts_forget_entries(&after);
	mf_pasts_clear(&c->before);
	c->before = after;
	after = (struct mf_pasts){0};
	c->compared = v->last;
	return 0;
}

/* The records that a role held when it was taken off the list. */
static int on_dropped(struct collector *c, const struct mf_version *v, struct mf_err *err)
{
	for (size_t i = 0; i < c->before.n; i++) {
		struct manifesto_record *record;
		if (!c->before.v[i].authorised)
			continue;
		if (!add_record_event(c, v, MF_EVENT_UNAUTHORISED, &record, err))
			return -1;
		*record = report_past(c, &c->before.v[i]);
	}
	return mf_arena_check(c->a, err);
}

static int on_version(void *arg, const struct mf_version *v, struct mf_err *err)
{
	struct collector *c = arg;
	if ((!c->role || strcmp(c->role, v->role) != 0) && begin_role(c, v->role, err) < 0)
		return -1;
	if (v->state == MF_VERSION_VERIFIED)
		return on_verified(c, v, err);
	return v->state == MF_VERSION_DROPPED ? on_dropped(c, v, err) : add_gap(c, v, v->why, err);
}

/* ---- the result */

/* What a repository lacks of a role that never spoke for the type is nobody's business. */
static bool is_shown(const struct role_log *log, const struct manifesto_history_event *e)
{
	return log->relevant || (strcmp(e->event, "not-kept") != 0 && strcmp(e->event, "not-read") != 0);
}

/* Merges the roles by the time seen; each role's events stay in the order of its versions. One without a time
 * follows the one before it at once. */
static int merge(struct collector *c, struct manifesto_history_result *out, struct mf_err *err)
{
	struct manifesto_history_event *all = mf_arena_alloc(c->a, c->n, sizeof *all, err);
	if (!all)
		return -1;
	for (;;) {
		struct role_log *best = NULL;
		for (size_t i = 0; i < c->nlogs; i++) {
			struct role_log *l = &c->logs[i];
			while (l->at < l->n && !is_shown(l, &c->v[l->first + l->at]))
				l->at++;
			if (l->at < l->n &&
			    (!best || c->v[l->first + l->at].seen < c->v[best->first + best->at].seen))
				best = l;
		}
		if (!best)
			break;
		all[out->nevents++] = c->v[best->first + best->at++];
	}
	out->events = mf_arena_list(c->a, all, out->nevents, sizeof *all);
	out->ninvalid = c->ninvalid;
	return mf_arena_check(c->a, err);
}

int mf_history_role(const struct mf_tuf_set *set, const char *asked, const struct mf_tuf_loaded **out,
		    struct mf_err *err)
{
	const struct mf_tuf_role *role;
	const struct mf_tuf_loaded *by;
	struct mf_esc e;
	int n = mf_policy_role_by_name(set, asked, &role, &by);
	*out = NULL;
	for (size_t i = 0; n == 1 && i < set->nroles && !*out; i++)
		if (mf_policy_role_matches(set, set->roles[i], asked))
			*out = set->roles[i];
	if (n == 1)
		return 0;
	if (n)
		return mf_fail(
		    err, MF_E_AMBIGUOUS, 0,
		    "role '%s' is ambiguous: several delegators define different roles of that name",
		    mf_esc(&e, mf_str_c(asked)));
	(void)mf_fail(err, MF_E_USAGE, 0, "there is no role '%s' in this repository",
		      mf_esc(&e, mf_str_c(asked)));
	mf_err_set_hint(err, "'manifesto trust show' lists the roles");
	return -1;
}

static int collect(struct mf_image *im, const struct manifesto_history_options *o,
		   const struct mf_subject *subject, struct manifesto_history_result *out, struct mf_err *err)
{
	struct collector c COLLECTOR_CLEANUP = {
	    .im = im, .o = o, .subject = subject, .image = out->image, .a = mf_result_arena(out)};
	const struct mf_tuf_loaded *asked = NULL;
	struct mf_buf prefix MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TYPE + 1);
	struct mf_history_query q = {
	    .limit = o->limit ? o->limit : DEFAULT_LIMIT, .fn = on_version, .arg = &c};
	if (o->role && mf_history_role(mf_trust_set(im->trust), o->role, &asked, err) < 0)
		return -1;
	if (o->role && !asked)
		return 0;
	if (o->type && mf_buf_printf(&prefix, err, "%s/", o->type) < 0)
		return -1;
	q.role = asked ? asked->role : NULL;
	q.prefix = mf_buf_str(&prefix);
	return mf_trust_history(im->trust, &q, err) < 0 ? -1 : merge(&c, out, err);
}

static int history(struct mf_image *im, const struct manifesto_history_options *o,
		   struct manifesto_history_result *out, struct mf_err *err)
{
	struct mf_subjects subjects MF_SUBJECTS_CLEANUP = {0};
	struct mf_buf prefix MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TYPE + 1);
	if (o->limit < 0 || o->limit > MF_MAX_HISTORY_VERSIONS)
		return mf_fail(err, MF_E_USAGE, 0, "the limit must be from 1 to %d", MF_MAX_HISTORY_VERSIONS);
	if (o->type && (mf_record_type_check(mf_str_c(o->type), err) < 0 ||
			mf_buf_printf(&prefix, err, "%s/", o->type) < 0))
		return -1;
	if (mf_image_begin(im, err) < 0)
		return -1;
	if (mf_trust_load(im->trust, &(struct mf_load){.prefix = mf_buf_str(&prefix)}, err) < 0 ||
	    mf_image_subjects(im, (struct mf_subject_choice){.platform = o->platform}, &subjects, err) < 0)
		return -1;
	out->image = mf_report_image(mf_result_arena(out), im, &subjects.v[0].digest);
	return collect(im, o, &subjects.v[0], out, err);
}

int manifesto_history(struct manifesto *m, const struct manifesto_history_options *opt,
		      const struct manifesto_history_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_history_options o;
	struct manifesto_history_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = !r || mf_image_open(&im, m, o.image, &err) < 0 ? -1 : history(&im, &o, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}
