/* history: derives events from the differences between the versions of the roles' files. */
#include <assert.h>

#include "ops/ops.h"

#include "policy/history.h"
#include "trust/history.h"
#include "tuf/changes.h"
#include "tuf/history.h"

#define DEFAULT_LIMIT 100

/* The events of one file of a role: [first, first + n) of all. `at` is the next one to merge. */
struct role_log {
	size_t first, n, at;
	bool relevant; /* the role may hold records of the type, or had an event: its gaps are shown */
};

struct collector {
	struct mf_image *im;
	const struct manifesto_history_options *o;
	const struct mf_subject *subject; /* NULL: all images of the repository */
	const char *only;                 /* with all images: report this role only; NULL: every role */
	struct mf_arena *a;
	struct manifesto_history_event *v;
	size_t n, cap;
	struct role_log *logs;
	size_t nlogs, logs_cap;
	/* for the file that is being read */
	const char *role;
	const char *file;       /* the role's own file, or the name of a shard */
	struct mf_pasts before; /* records of the version before */
	struct mf_pasts moved;  /* records that this role moved to a shard, until that shard is read */
	struct mf_pasts own;   /* names of records that the role's own file held although a shard covers them:
				  withdrawals */
	int64_t compared;      /* the version that `before` was read from; 0: none yet */
	const void *authority; /* the keys that `before` was verified with */
	struct mf_tuf_role_copy **lists; /* the roles that the version `listed` lists */
	size_t nlists;
	int64_t listed; /* 0: none yet */
	size_t ninvalid;
};

static void lists_clear(struct collector *c)
{
	for (size_t i = 0; i < c->nlists; i++)
		mf_tuf_role_copy_free(c->lists[i]);
	free(c->lists);
	c->lists = NULL;
	c->nlists = 0;
	c->listed = 0;
}

static void collector_clear(struct collector *c)
{
	mf_pasts_clear(&c->before);
	mf_pasts_clear(&c->moved);
	mf_pasts_clear(&c->own);
	lists_clear(c);
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

/* Adds an event for versions that could not be read or verified. It has no record. */
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

static const char *platform_of(const struct collector *c)
{
	return c->subject && c->subject->platform[0] ? c->subject->platform : NULL;
}

/* Reports what is still known of a record after the file that held it was freed. */
static struct manifesto_record report_past(struct collector *c, const struct mf_past *p)
{
	assert(p);
	return (struct manifesto_record){.image = mf_report_image(c->a, c->im, &p->subject),
					 .subject = mf_report_digest(c->a, &p->subject),
					 .platform =
					     platform_of(c) ? mf_arena_text(c->a, platform_of(c)) : NULL,
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

/* Did the event write a new description of the record? Then the time in it, which its signer claims, is the
 * time of the event. */
static bool claims_time(enum mf_event what)
{
	return what == MF_EVENT_PUT || what == MF_EVENT_REPLACED || what == MF_EVENT_WITHDRAWN ||
	       what == MF_EVENT_REINSTATED || what == MF_EVENT_FOREIGN || what == MF_EVENT_PRESENT ||
	       what == MF_EVENT_VETO;
}

/* Does a shard that this version of the role's own file lists hold the record from now on? Such a record was
 * moved, not removed. Files of shards list none. */
static bool moves(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, const struct mf_past *p)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	struct mf_err ignored = MF_ERR_INIT;
	if (p->veto || mf_record_name(&name, mf_str_c(p->type), &p->subject, &ignored) < 0)
		return false;
	for (size_t i = 0; !l->shard && i < l->file->nroles; i++) {
		const struct mf_tuf_role *role = &l->file->roles[i];
		for (size_t k = 0; mf_tuf_is_shard(set->d, l, role) && k < role->npaths; k++)
			if (set->d->path_covers(role->paths[k], mf_buf_str(&name)))
				return true;
	}
	return false;
}

static bool is_own(const struct collector *c, const struct mf_past *p)
{
	for (size_t i = 0; i < c->own.n; i++)
		if (mf_past_cmp(&c->own.v[i], p) == 0)
			return true;
	return false;
}

/* Keeps the records that went from this version to shards, to compare the shards' first versions with; and
 * the names of the records that are in the role's own file although a shard covers them. */
static int keep_moved(struct collector *c, const struct mf_version *v, const struct mf_pasts *after,
		      struct mf_err *err)
{
	for (size_t i = 0; i < after->n; i++) {
		struct mf_past name = {.subject = after->v[i].subject};
		(void)snprintf(name.type, sizeof name.type, "%s", after->v[i].type);
		if (moves(v->set, v->loaded, &after->v[i]) && !is_own(c, &name) &&
		    mf_pasts_move(&c->own, &name, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < c->before.n; i++) {
		struct mf_past *p = &c->before.v[i];
		bool stays = after->n && bsearch(p, after->v, after->n, sizeof *p, mf_past_cmp);
		if (stays || !moves(v->set, v->loaded, p))
			continue;
		if (mf_pasts_move(&c->moved, p, err) < 0)
			return -1;
	}
	return 0;
}

/* Before the first version of a shard is read: takes as `before` the records that were moved to it, from its
 * role's own file or from a shard that was split. */
static int begin_shard(struct collector *c, const struct mf_version *v, struct mf_err *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < c->moved.n; i++) {
		struct mf_past *p = &c->moved.v[i];
		struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
		if (mf_record_name(&name, mf_str_c(p->type), &p->subject, err) < 0)
			return -1;
		if (!mf_tuf_loaded_covers(v->set->d, v->loaded, mf_buf_str(&name)))
			c->moved.v[kept++] = *p;
		else if (mf_pasts_move(&c->before, p, err) < 0)
			return -1;
	}
	c->moved.n = kept;
	if (c->before.n)
		qsort(c->before.v, c->before.n, sizeof *c->before.v, mf_past_cmp);
	c->compared = v->last > 1 ? v->last - 1 : 0;
	return 0;
}

static int compare(struct collector *c, const struct mf_version *v, const struct mf_past *before,
		   const struct mf_past *after, struct mf_err *err)
{
	enum mf_event what = mf_event_between(before, after, c->compared || v->last == 1);
	bool gone = what == MF_EVENT_REMOVED || what == MF_EVENT_UNAUTHORISED || what == MF_EVENT_VETO_LIFTED;
	if (what == MF_EVENT_NONE ||
	    (what == MF_EVENT_REMOVED &&
	     (v->loaded->shard ? is_own(c, before) : moves(v->set, v->loaded, before))))
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
	if (mf_report_record(c->im, &after->entry, platform_of(c), c->a, record, err) < 0)
		return -1;
	e->claimed = claims_time(what) ? record->created : 0;
	return what == MF_EVENT_SIGNED ? report_added(c, before, after, e, err) : 0;
}

/* Merges the two lists, which are both sorted, to pair the states of each record. */
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

/* ---- changes of what a file lists: roles, keys, paths */

struct change {
	struct collector *c;
	const struct mf_version *v;
	bool known; /* the version before was read, or this is the first version */
};

static struct manifesto_history_event *add_change(struct collector *c, const struct mf_version *v,
						  const char *name, struct mf_err *err)
{
	struct manifesto_history_event *e = add_event(c, v, name, err);
	if (!e)
		return NULL;
	c->logs[c->nlogs - 1].relevant = true;
	e->first_version = c->listed && c->listed < v->last ? c->listed + 1 : v->last;
	e->delegator = mf_arena_text(c->a, v->delegator);
	e->delegator_version = v->delegator_version;
	if (mf_report_keys(c->im->m, v->signers, v->nsigners, c->a, &e->file_signers, &e->nfile_signers,
			   err) < 0)
		return NULL;
	return e;
}

/* The event's name. What the oldest known version lists may have been added in any earlier one: it is
 * reported as present, not as added. NULL: it is not reported. */
static const char *name_of(const struct change *ch, const struct mf_tuf_change *change)
{
	bool top = !ch->v->loaded; /* a root always lists its four roles */
	bool created = strcmp(change->what, "role-created") == 0;
	if (created)
		return top ? NULL : ch->known ? change->what : "role-present";
	if (ch->known)
		return change->what;
	return strcmp(change->what, "key-added") == 0 ? "key-present" : NULL;
}

static int on_change(void *arg, const struct mf_tuf_change *change, struct mf_err *err)
{
	const struct change *ch = arg;
	struct collector *c = ch->c;
	const char *name = name_of(ch, change);
	const struct manifesto_signer *const *keys = NULL;
	size_t nkeys = 0;
	if (!name || (c->only && strcmp(c->only, change->role) != 0 && strcmp(c->only, c->role) != 0))
		return 0;
	struct manifesto_history_event *e = add_change(c, ch->v, name, err);
	if (!e || (change->key && mf_report_keys(c->im->m, &change->key, 1, c->a, &keys, &nkeys, err) < 0))
		return -1;
	e->changed_role = mf_arena_text(c->a, change->role);
	e->key = nkeys ? keys[0] : NULL;
	e->detail = change->detail.p ? mf_arena_text_of(c->a, change->detail) : NULL;
	return mf_arena_check(c->a, err);
}

static int keep_lists(struct collector *c, const struct mf_version *v, const struct mf_tuf_role *roles,
		      size_t n, struct mf_err *err)
{
	lists_clear(c);
	c->lists = mf_calloc(n, sizeof(struct mf_tuf_role_copy *));
	if (!c->lists)
		return mf_fail_nomem(err);
	for (; c->nlists < n; c->nlists++)
		if (!(c->lists[c->nlists] = mf_tuf_role_copy(&roles[c->nlists], err)))
			return -1;
	c->listed = v->last;
	return 0;
}

static bool same_lists(const struct collector *c, const struct mf_tuf_role *roles, size_t n)
{
	for (size_t i = 0; i < n && c->nlists == n; i++)
		if (strcmp(c->lists[i]->role.name, roles[i].name) != 0 ||
		    !mf_tuf_role_same(&c->lists[i]->role, &roles[i]))
			return false;
	return c->nlists == n && c->listed;
}

/* A shard is not reported as a new role: nobody created it, its role was divided. */
static bool is_shard(const struct mf_version *v, const struct mf_tuf_role *listed)
{
	return v->loaded && mf_tuf_is_shard(v->set->d, v->loaded, listed);
}

/* Most versions list the same as the one before; these are recognised without a copy. */
static int compare_lists(struct collector *c, const struct mf_version *v, const struct mf_tuf_role *roles,
			 size_t n, struct mf_err *err)
{
	struct change ch = {c, v, c->listed || v->last == 1};
	if (same_lists(c, roles, n)) {
		c->listed = v->last;
		return 0;
	}
	const struct mf_tuf_role **before MF_FREE = mf_calloc(c->nlists, sizeof *before),
					  **after MF_FREE = mf_calloc(n, sizeof *after);
	if (!before || !after)
		return mf_fail_nomem(err);
	struct mf_tuf_role_lists l = {v->set->d, before, after, 0, 0};
	for (size_t i = 0; i < c->nlists; i++)
		if (!is_shard(v, &c->lists[i]->role))
			before[l.nbefore++] = &c->lists[i]->role;
	for (size_t i = 0; i < n; i++)
		if (!is_shard(v, &roles[i]))
			after[l.nafter++] = &roles[i];
	if (!v->baseline && mf_tuf_roles_compare(&l, on_change, &ch, err) < 0)
		return -1;
	return keep_lists(c, v, roles, n, err);
}

static int on_root(struct collector *c, const struct mf_version *v, struct mf_err *err)
{
	const char *name = v->last == 1 ? "root-created" : c->listed ? "root-published" : "root-present";
	if (!c->only || strcmp(c->only, "root") == 0) {
		struct manifesto_history_event *e = add_change(c, v, name, err);
		if (!e)
			return -1;
		e->changed_role = e->role;
	}
	return compare_lists(c, v, v->set->root->roles, MF_TUF_TYPES, err);
}

/* ---- versions */

static bool speaks_now(const struct collector *c, const char *role)
{
	const struct mf_tuf_set *set = mf_trust_set(c->im->trust);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(set, role);
	if (!c->subject && c->only && strcmp(c->only, role) != 0)
		return false;
	return l && (!c->o->type || mf_policy_authorised(set, l, mf_str_c(c->o->type), c->o->role));
}

static int begin_role(struct collector *c, const struct mf_version *v, struct mf_err *err)
{
	const char *role = v->role;
	if (!c->role || strcmp(c->role, role) != 0) {
		mf_pasts_clear(&c->moved);
		mf_pasts_clear(&c->own);
	}
	if (mf_grow((void **)&c->logs, &c->logs_cap, c->nlogs, sizeof *c->logs, err) < 0)
		return -1;
	c->logs[c->nlogs++] =
	    (struct role_log){.first = c->n, .relevant = strcmp(role, "root") == 0 || speaks_now(c, role)};
	mf_pasts_clear(&c->before);
	lists_clear(c);
	c->compared = 0;
	c->authority = NULL;
	c->role = mf_arena_dup(c->a, mf_str_c(role), err);
	c->file = c->role ? mf_arena_dup(c->a, mf_str_c(v->file), err) : NULL;
	return c->file ? 0 : -1;
}

static int read_pasts(struct collector *c, const struct mf_version *v, struct mf_pasts *after,
		      struct mf_err *err)
{
	struct mf_str type = mf_str_c(c->o->type);
	bool same_keys = c->authority == v->authority;
	if (c->subject)
		return mf_pasts_read(v->set, v->loaded, type, &c->subject->digest, c->o->role, after, err);
	if (c->only && strcmp(c->only, v->role) != 0)
		return 0;
	return mf_pasts_read_repository(v->set, v->loaded, type, c->o->role, same_keys ? &c->before : NULL,
					after, err);
}

static int on_records(struct collector *c, const struct mf_version *v, struct mf_err *err)
{
	struct mf_pasts after MF_PASTS_CLEANUP = {0};
	struct mf_err why = MF_ERR_INIT;
	if (v->loaded->shard && !c->compared && begin_shard(c, v, err) < 0)
		return -1;
	if (read_pasts(c, v, &after, &why) < 0) {
		/* Its signatures verify, but an entry of it cannot be read: it is reported as invalid, and
		 * none of its entries is shown. */
		if (why.code == MF_E_FORMAT)
			return add_gap(c, v, why.msg, err);
		*err = why;
		return -1;
	}
	if (!v->baseline && compare_all(c, v, &after, err) < 0)
		return -1;
	mf_pasts_forget_entries(&after);
	if (keep_moved(c, v, &after, err) < 0)
		return -1;
	mf_pasts_clear(&c->before);
	c->before = after;
	after = (struct mf_pasts){0};
	c->compared = v->last;
	c->authority = v->authority;
	return 0;
}

static int on_verified(struct collector *c, const struct mf_version *v, struct mf_err *err)
{
	if (!v->loaded)
		return on_root(c, v, err);
	if (!c->subject && !c->o->type && !v->again && !v->loaded->shard &&
	    compare_lists(c, v, v->loaded->file->roles, v->loaded->file->nroles, err) < 0)
		return -1;
	return on_records(c, v, err);
}

/* The role is no longer listed: its records no longer count. If a shard is no longer listed, other shards
 * hold its records now. */
static int on_dropped(struct collector *c, const struct mf_version *v, struct mf_err *err)
{
	bool shard = strcmp(v->file, v->role) != 0;
	for (size_t i = 0; shard && i < c->before.n; i++)
		if (mf_pasts_move(&c->moved, &c->before.v[i], err) < 0)
			return -1;
	for (size_t i = 0; !shard && i < c->before.n; i++) {
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
	if ((!c->role || strcmp(c->role, v->role) != 0 || strcmp(c->file, v->file) != 0) &&
	    begin_role(c, v, err) < 0)
		return -1;
	/* The versions before a shard's first one were never published: a shard continues the version numbers
	 * of its role. */
	if (v->state == MF_VERSION_NOT_KEPT && v->first == 1 && strcmp(v->file, v->role) != 0)
		return 0;
	if (v->state == MF_VERSION_VERIFIED)
		return on_verified(c, v, err);
	return v->state == MF_VERSION_DROPPED ? on_dropped(c, v, err) : add_gap(c, v, v->why, err);
}

/* ---- the result */

/* Missing versions are of no interest for a role that never had authority over the type. */
static bool is_shown(const struct role_log *log, const struct manifesto_history_event *e)
{
	return log->relevant || (strcmp(e->event, "not-kept") != 0 && strcmp(e->event, "not-read") != 0);
}

/* Merges the events of all files by the time seen. Those of one file stay in the order of its versions; one
 * without a time (0) directly follows the one before it. */
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
	enum mf_named n = mf_policy_role_by_name(set, asked, &role, &by);
	*out = NULL;
	for (size_t i = 0; n == MF_NAMES_ONE && i < set->nroles && !*out; i++)
		if (mf_policy_role_matches(set, set->roles[i], asked))
			*out = set->roles[i];
	if (n == MF_NAMES_ONE)
		return 0;
	if (n == MF_NAMES_SEVERAL)
		return mf_fail(
		    err, MF_E_AMBIGUOUS, 0,
		    "role '%s' is ambiguous: several delegators define different roles of that name",
		    mf_esc(&e, mf_str_c(asked)));
	(void)mf_fail(err, MF_E_USAGE, 0, "there is no role '%s' in this repository",
		      mf_esc(&e, mf_str_c(asked)));
	mf_err_set_hint(err, "'manifesto trust show' lists the roles");
	return -1;
}

/* Finds the role that was asked for. With all images it may also be root, snapshot or timestamp. */
static int find_role(struct collector *c, const struct mf_tuf_loaded **asked, struct mf_err *err)
{
	static const char *const tops[] = {"root", "snapshot", "timestamp"};
	const char *role = c->o->role;
	for (size_t i = 0; role && !c->subject && i < sizeof tops / sizeof tops[0]; i++)
		if (strcmp(role, tops[i]) == 0) {
			c->only = tops[i];
			return 0;
		}
	if (role && mf_history_role(mf_trust_set(c->im->trust), role, asked, err) < 0)
		return -1;
	c->only = *asked ? (*asked)->role : role;
	return 0;
}

static int collect(struct mf_image *im, const struct manifesto_history_options *o,
		   const struct mf_subject *subject, struct manifesto_history_result *out, struct mf_err *err)
{
	struct collector c COLLECTOR_CLEANUP = {
	    .im = im, .o = o, .subject = subject, .a = mf_result_arena(out)};
	const struct mf_tuf_loaded *asked = NULL;
	struct mf_buf prefix MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TYPE + 1);
	struct mf_history_query q = {
	    .limit = o->limit ? o->limit : DEFAULT_LIMIT, .fn = on_version, .arg = &c};
	if (find_role(&c, &asked, err) < 0)
		return -1;
	if (subject && o->role && !asked)
		return 0;
	if (o->type && mf_buf_printf(&prefix, err, "%s/", o->type) < 0)
		return -1;
	/* With all images every role is read: changes of a role's keys and paths are in the files of its
	 * delegators. */
	q.role = subject && asked ? asked->role : NULL;
	char hex[65] = "";
	const char *const only[] = {hex, NULL};
	if (subject)
		mf_digest_hex(hex, &subject->digest);
	q.subjects = subject ? only : NULL;
	q.roots = !subject && !o->type;
	q.prefix = mf_buf_str(&prefix);
	return mf_trust_history(im->trust, &q, err) < 0 ? -1 : merge(&c, out, err);
}

/* Loads the current metadata. subjects: as in struct mf_load. */
static int load(struct mf_image *im, const struct manifesto_history_options *o, const char *const *subjects,
		struct mf_err *err)
{
	struct mf_buf prefix MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TYPE + 1);
	if (o->type && mf_buf_printf(&prefix, err, "%s/", o->type) < 0)
		return -1;
	const struct mf_load how = {.prefix = mf_buf_str(&prefix), .subjects = subjects};
	return mf_trust_load(im->trust, &how, err);
}

static int image_history(struct mf_image *im, struct manifesto *m, const struct manifesto_history_options *o,
			 struct manifesto_history_result *out, struct mf_err *err)
{
	struct mf_subjects subjects MF_SUBJECTS_CLEANUP = {0};
	struct mf_image_hint hint;
	if (mf_image_open_by(im, m, o->image, MF_MAPS_FOLLOW, err) < 0 || mf_image_begin(im, err) < 0)
		return -1;
	if (load(im, o, mf_image_load_hint(im, &hint), err) < 0) {
		mf_image_hint_copy(im, NULL, err);
		return -1;
	}
	if (mf_image_subjects(im, (struct mf_subject_choice){.platform = o->platform}, &subjects, err) < 0 ||
	    mf_image_load_shards(im, &subjects, err) < 0)
		return -1;
	out->image = mf_report_image(mf_result_arena(out), im, &subjects.v[0].digest);
	return collect(im, o, &subjects.v[0], out, err);
}

static int history(struct mf_image *im, struct manifesto *m, const struct manifesto_history_options *o,
		   struct manifesto_history_result *out, struct mf_err *err)
{
	if (o->limit < 0 || o->limit > MF_MAX_HISTORY_VERSIONS)
		return mf_fail(err, MF_E_USAGE, 0, "the limit must be from 1 to %d", MF_MAX_HISTORY_VERSIONS);
	if (o->type && mf_record_type_check(mf_str_c(o->type), err) < 0)
		return -1;
	if (!o->all)
		return image_history(im, m, o, out, err);
	if (o->platform)
		return mf_fail(err, MF_E_USAGE, 0,
			       "--platform cannot be used with all images of a repository");
	if (mf_repository_open_by(im, m, o->image, MF_MAPS_FOLLOW, err) < 0 || load(im, o, NULL, err) < 0)
		return -1;
	out->image = mf_arena_text(mf_result_arena(out), o->image);
	return collect(im, o, NULL, out, err);
}

int manifesto_history(struct manifesto *m, const struct manifesto_history_options *opt,
		      const struct manifesto_history_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_history_options o;
	struct manifesto_history_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = r ? history(&im, m, &o, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}
