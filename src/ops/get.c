/* get: verifies everything before it hands out the first byte of the content. */
#include <assert.h>

#include "base/encode.h"
#include "ops/ops.h"
#include "policy/history.h"
#include "trust/history.h"

/* Trust metadata is verified before the image is resolved: an attack must not be reported as an absence. */
static int load_and_resolve(struct mf_image *im, const struct manifesto_get_options *o,
			    struct mf_subjects *subjects, struct mf_err *err)
{
	char prefix[MF_MAX_TYPE + 1];
	struct mf_image_hint hint;
	size_t n = strlen(o->type);
	if (mf_record_type_check(mf_str_c(o->type), err) < 0)
		return -1;
	memcpy(prefix, o->type, n);
	prefix[n] = '/';
	if (mf_image_connect(im, err) < 0 || mf_image_begin(im, err) < 0)
		return -1;
	const struct mf_load how = {.prefix = (struct mf_str){prefix, n + 1},
				    .subjects = mf_image_load_hint(im, &hint),
				    .by_subject = !o->version};
	if (mf_trust_load(im->trust, &how, err) < 0) {
		mf_image_hint_copy(im, NULL, err);
		return -1;
	}
	return mf_image_subjects(im, (struct mf_subject_choice){.platform = o->platform}, subjects, err) < 0
		   ? -1
		   : mf_image_load_shards(im, subjects, err);
}

/* If the image of a platform has no such record but its index has one, a hint says so: platforms do not
 * inherit records. */
static int select_record(struct mf_image *im, const struct manifesto_get_options *o,
			 const struct mf_subject *s, struct mf_entry *out, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(im->trust);
	struct mf_str type = mf_str_c(o->type);
	if (mf_policy_select(set, type, &s->digest, o->role, out, err) == 0) {
		mf_env_log(&im->m->env, MF_LOG_DEBUG, "record '%s': that of role '%s', %s", o->type,
			   out->role->role,
			   o->role ? "as --role says" : "on whose content all roles of the type agree");
		return 0;
	}
	if (err->code == MF_E_NOT_FOUND && o->platform) {
		struct mf_err ignored = MF_ERR_INIT;
		struct mf_entry index MF_ENTRY_CLEANUP = {0};
		if (mf_policy_select(set, type, &im->digest, o->role, &index, &ignored) == 0)
			mf_err_set_hint(err, "the index has a '%s' record; platforms do not inherit it",
					o->type);
	}
	if (!err->hint[0])
		mf_image_hint_copy(im, &s->digest, err);
	if (err->code == MF_E_NOT_FOUND) /* an earlier hint stays: only the first one is kept */
		mf_err_set_hint(
		    err,
		    "run 'manifesto list %s' to see its records; the tag may have moved to another digest",
		    o->image);
	return -1;
}

/* ---- a record as an older version of its role's file has it. It is for people who look back; no decision
 * depends on it */

struct old_record {
	struct mf_image *im;
	const struct manifesto_get_options *o;
	const struct mf_subject *subject;
	const struct mf_tuf_loaded *role; /* the role or the shard of the subject, in its newest version */
	struct manifesto_get_result *out;
	struct manifesto_record *record; /* of out */
	struct mf_tuf_target_info info;
	struct mf_digest described; /* the record's description */
	bool found;
};

/* ---- the role */

static int refuse_several(const struct mf_tuf_role *const *roles, size_t n, struct mf_str type,
			  struct mf_err *err)
{
	struct mf_buf list MF_BUF_CLEANUP = MF_BUF_INIT(16384);
	struct mf_esc e;
	for (size_t i = 0; i < n; i++)
		if (mf_buf_printf(&list, err, "%s%s", i ? ", " : "", mf_esc(&e, mf_str_c(roles[i]->name))) <
		    0)
			return -1;
	(void)mf_fail(err, MF_E_AMBIGUOUS, 0, "several roles may sign '%.*s', each with its own versions: %s",
		      MF_STR_ARG(type), mf_buf_str(&list).p);
	mf_err_set_hint(err, "choose one with --role");
	return -1;
}

static int choose_role(struct old_record *w, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	const struct mf_tuf_role *roles[MF_MAX_DELEGATIONS_LOOKUP];
	struct mf_str type = mf_str_c(w->o->type);
	struct mf_esc e;
	const char *name = w->o->role;
	if (!name) {
		size_t n = mf_policy_roles(set, type, roles, MF_MAX_DELEGATIONS_LOOKUP);
		if (n > 1)
			return refuse_several(roles, n, type, err);
		name = roles[0]->name;
	}
	if (mf_history_role(set, name, &w->role, err) < 0)
		return -1;
	return w->role ? 0
		       : mf_fail(err, MF_E_NOT_FOUND, 0, "nothing was ever published by role '%s'",
				 mf_esc(&e, mf_str_c(name)));
}

static int check_newest(const struct old_record *w, struct mf_err *err)
{
	if (w->o->version <= w->role->file->version)
		return 0;
	return mf_fail(err, MF_E_NOT_FOUND, 0, "there is no version %lld of '%s': the newest is %lld",
		       (long long)w->o->version, w->role->role, (long long)w->role->file->version);
}

/* ---- the version */

static int take_record(struct old_record *w, const struct mf_version *v, const struct mf_pasts *found,
		       struct mf_err *err)
{
	struct mf_esc e;
	const struct mf_past *p = mf_pasts_record(found);
	if (!p || !p->authorised)
		return mf_fail(err, MF_E_NOT_FOUND, 0,
			       p ? "in version %lld role '%s' was not authorised for '%s'"
				 : "version %lld of '%s' has no such '%s' record",
			       (long long)v->last, v->role, w->o->type);
	if (p->withdrawn)
		return mf_fail(err, MF_E_WITHDRAWN, 0, "in version %lld of '%s' '%s' is withdrawn%s%s",
			       (long long)v->last, v->role, w->o->type, p->entry.record.reason ? ": " : "",
			       p->entry.record.reason ? mf_esc(&e, mf_str_c(p->entry.record.reason)) : "");
	w->info = p->entry.info;
	w->info.custom = (struct mf_str){0}; /* it points into a file that is freed */
	w->described = p->described;
	w->found = true;
	return mf_report_record(w->im, &p->entry, w->subject->platform, mf_result_arena(w->out), w->record,
				err);
}

static int on_version(void *arg, const struct mf_version *v, struct mf_err *err)
{
	struct old_record *w = arg;
	struct mf_pasts found MF_PASTS_CLEANUP = {0};
	bool ours = strcmp(v->file, mf_tuf_loaded_name(w->role)) == 0 && v->last == w->o->version;
	if (!ours) { /* a version of a delegator that does not verify: another one may do */
		if (v->why)
			mf_env_log(&w->im->m->env, MF_LOG_WARNING, "version %lld of '%s' does not verify: %s",
				   (long long)v->last, v->role, v->why);
		return 0;
	}
	if (v->state == MF_VERSION_NOT_KEPT)
		return mf_fail(err, MF_E_NOT_FOUND, 0,
			       "the trust repository does not keep version %lld of '%s'", (long long)v->last,
			       v->role);
	if (v->state != MF_VERSION_VERIFIED)
		return mf_fail(err, MF_E_SIGNATURE, 0, "version %lld of '%s' does not verify: %s",
			       (long long)v->last, v->role, v->why ? v->why : "");
	if (mf_pasts_read(v->set, v->loaded, mf_str_c(w->o->type), &w->subject->digest, w->o->role, &found,
			  err) < 0)
		return mf_wrap(err, "version %lld of '%s'", (long long)v->last, v->role);
	return take_record(w, v, &found, err);
}

/* ---- comparison with the current record */

/* Sets *what to a text that says what happened to the record since. NULL: it is the current record. */
static int find_fate(const struct old_record *w, const char **what, struct mf_err *why, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	struct mf_pasts now MF_PASTS_CLEANUP = {0};
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	struct mf_str type = mf_str_c(w->o->type);
	char digest[MF_DIGEST_TEXT];
	*what = NULL;
	if (mf_policy_select(set, type, &w->subject->digest, w->o->role, &e, why) < 0) {
		if (why->code == MF_E_NOT_FOUND)
			*what = "it was removed since";
		if (why->code == MF_E_WITHDRAWN || why->code == MF_E_RECORD_EXPIRED ||
		    why->code == MF_E_AMBIGUOUS)
			*what = why->msg;
		if (!*what)
			*err = *why;
		return *what ? 0 : -1;
	}
	if (mf_pasts_read(set, w->role, type, &w->subject->digest, w->o->role, &now, err) < 0)
		return -1;
	const struct mf_past *p = mf_pasts_record(&now);
	if (p && p->authorised && mf_digest_eq(&p->described, &w->described))
		return 0;
	mf_digest_format(digest, &e.info.sha256);
	*what = mf_arena_format(mf_result_arena(w->out), "it was replaced since, by %s", digest);
	return mf_arena_check(mf_result_arena(w->out), err);
}

static int add_note(struct old_record *w, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct manifesto_get_result *out = w->out;
	int64_t newest = w->role->file->version;
	bool expired = strcmp(w->record->state, mf_state_name(MF_STATE_EXPIRED)) == 0;
	const char *what;
	char when[MF_TIME_LEN] = "";
	if (find_fate(w, &what, &why, err) < 0)
		return -1;
	bool old = what != NULL;
	out->newest_version = newest;
	if (old && !expired)
		w->record->state = why.code == MF_E_WITHDRAWN ? "withdrawn" : "old";
	if (!old && w->o->version == newest)
		return 0;
	if (expired)
		mf_time_format(when, w->record->expires);
	out->note =
	    mf_arena_format(mf_result_arena(out), "this is version %lld of '%s', %s version %lld: %s%s%s",
			    (long long)w->o->version, w->role->role, old ? "not the current" : "older than",
			    (long long)newest, what ? what : "its record is still the current one",
			    expired ? "; it expired at " : "", when);
	return mf_arena_check(mf_result_arena(out), err);
}

static int read_version(struct old_record *w, struct mf_err *err)
{
	const struct mf_history_query q = {.role = mf_tuf_loaded_name(w->role),
					   .version = w->o->version,
					   .limit = MF_MAX_HISTORY_VERSIONS,
					   .fn = on_version,
					   .arg = w};
	if (check_newest(w, err) < 0 || mf_trust_history(w->im->trust, &q, err) < 0)
		return -1;
	if (!w->found)
		return mf_fail(err, MF_E_INTERNAL, 0, "version %lld of '%s' was not read",
			       (long long)w->o->version, w->role->role);
	return add_note(w, err);
}

/* The shard that holds the subject's records now. It continues the version numbers of its role. NULL: there
 * is none. */
static const struct mf_tuf_loaded *find_shard(const struct old_record *w)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	if (mf_record_name(&name, mf_str_c(w->o->type), &w->subject->digest, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < set->nroles; i++)
		if (set->roles[i]->shard && set->roles[i]->parent == w->role &&
		    mf_tuf_loaded_covers(set->d, set->roles[i], mf_buf_str(&name)))
			return set->roles[i];
	return NULL;
}

static int find_version(struct old_record *w, struct mf_err *err)
{
	if (choose_role(w, err) < 0)
		return -1;
	const struct mf_tuf_loaded *own = w->role, *shard = find_shard(w);
	assert(own);
	if (!shard)
		return read_version(w, err);
	w->role = shard;
	if (read_version(w, err) == 0)
		return 0;
	if (err->code != MF_E_NOT_FOUND)
		return -1;
	mf_err_clear(err);
	w->role = own;
	return read_version(w, err);
}

/* ---- all of it */

/* Finds and reports the record; *info says what its content must be. */
static int find(struct mf_image *im, const struct manifesto_get_options *o, const struct mf_subject *s,
		struct manifesto_get_result *out, struct mf_tuf_target_info *info, struct mf_err *err)
{
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	struct mf_arena *a = mf_result_arena(out);
	struct manifesto_record *record = mf_arena_alloc(a, 1, sizeof *record, err);
	out->record = record;
	if (!record)
		return -1;
	if (o->version) {
		struct old_record w = {.im = im, .o = o, .subject = s, .out = out, .record = record};
		if (find_version(&w, err) < 0)
			return -1;
		*info = w.info;
		return 0;
	}
	if (select_record(im, o, s, &e, err) < 0)
		return -1;
	*info = e.info;
	return mf_report_record(im, &e, s->platform, a, record, err);
}

static int get(struct mf_image *im, const struct manifesto_get_options *o, struct manifesto_get_result *out,
	       struct mf_err *err)
{
	struct mf_subjects subjects MF_SUBJECTS_CLEANUP = {0};
	struct mf_tuf_target_info info;
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	if (o->version < 0)
		return mf_fail(err, MF_E_USAGE, 0, "the version must be at least 1");
	if (load_and_resolve(im, o, &subjects, err) < 0 || find(im, o, &subjects.v[0], out, &info, err) < 0 ||
	    mf_record_name(&name, mf_str_c(o->type), &subjects.v[0].digest, err) < 0)
		return -1;
	struct mf_spool *content MF_SPOOL_CLEANUP = NULL;
	const struct mf_content_wanted wanted = {mf_buf_str(&name), &info, o->output_path};
	if (mf_content_get(im, &wanted, &content, err) < 0)
		return -1;
	return mf_content_hand_out(content, o->output_path, o->write, o->write_arg, err);
}

int mf_op_get(struct manifesto *m, const struct manifesto_get_options *o, struct manifesto_get_result *out,
	      struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	m->no_key_names = o->no_signer_names != 0;
	int rc = mf_image_open_by(&im, m, o->image, MF_MAPS_FOLLOW, err) < 0 ? -1 : get(&im, o, out, err);
	m->no_key_names = false;
	return rc;
}

int manifesto_get(struct manifesto *m, const struct manifesto_get_options *opt,
		  const struct manifesto_get_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_get_options o;
	struct manifesto_get_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = r ? mf_op_get(m, &o, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}
