/* veto: a role stops a type, or all types, of an image for those whose policy calls it `veto`; or lifts that.
 */
#include "base/encode.h"
#include "crypto/hash.h"
#include "ops/write.h"

struct veto {
	struct manifesto *m;
	const struct manifesto_change_options *o; /* reinstate: lift */
	struct manifesto_change_result *out;
	struct mf_arena *a;
	const char *type; /* or MF_VETO_ALL */
	struct mf_image im;
	struct mf_subjects subjects;
	char *role;
	struct mf_signer signer;
	int64_t created;
	struct manifesto_change_item *items; /* by subject */
	struct manifesto_record *records;    /* of the items; without a type: nothing to report */
	struct mf_tuf_edit *edits;
	size_t nedits;
	struct mf_proposal proposal;
};

static void veto_clear(struct veto *v)
{
	mf_proposal_clear(&v->proposal);
	mf_subjects_clear(&v->subjects);
	mf_image_close(&v->im);
	free(v->role);
}

/* ---- the role */

/* The delegations, loaded or not, whose key we hold: *one is the last of them. */
static size_t find_ours(const struct veto *v, const struct mf_tuf_role **one)
{
	const struct mf_tuf_set *set = mf_trust_set(v->im.trust);
	size_t n = 0;
	for (size_t i = 0; i < set->nroles; i++)
		for (size_t k = 0; k < set->roles[i]->file->nroles; k++) {
			const struct mf_tuf_role *role = &set->roles[i]->file->roles[k];
			if (!mf_publish_held(v->im.trust, role) ||
			    (n && strcmp((*one)->name, role->name) == 0))
				continue;
			*one = role;
			n++;
		}
	return n;
}

static int choose_role(struct veto *v, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(v->im.trust);
	const struct mf_tuf_role *role = &set->root->roles[MF_TUF_TARGETS];
	const struct mf_tuf_loaded *by;
	const struct mf_key_info *key;
	struct mf_esc e;
	if (v->o->role && mf_policy_role_by_name(set, v->o->role, &role, &by) != 1) {
		(void)mf_fail(err, MF_E_USAGE, 0, "there is no role '%s' in this repository",
			      mf_esc(&e, mf_str_c(v->o->role)));
		mf_err_set_hint(err, "'manifesto role list' shows the roles");
		return -1;
	}
	if (!v->o->role && find_ours(v, &role) > 1) {
		(void)mf_fail(err, MF_E_AMBIGUOUS, 0, "we hold keys of several roles, '%s' among them",
			      role->name);
		mf_err_set_hint(err, "choose one with --role");
		return -1;
	}
	v->role = mf_str_dup(mf_str_c(role->name));
	return v->role ? mf_role_signer(&v->im, role, v->o->key, &v->signer, &key, err) : mf_fail_nomem(err);
}

/* The role as it is loaded; before it has published anything, as it would be. */
static struct mf_tuf_loaded as_loaded(const struct veto *v, struct mf_trust *t)
{
	const struct mf_tuf_set *set = mf_trust_set(t);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(set, v->role);
	if (l)
		return *l;
	return (struct mf_tuf_loaded){
	    .role = v->role, .delegation = mf_trust_role(t, v->role), .parent = set->roles[0]};
}

/* ---- one veto */

/* In a directory TUF clients find the content as a file. */
static int store_content(struct veto *v, struct mf_str name, const struct mf_buf *content, struct mf_err *err)
{
	struct mf_spool *spool MF_SPOOL_CLEANUP = NULL;
	struct mf_digest digest;
	uint64_t length;
	if (!mf_trust_keeps_targets(v->im.trust))
		return 0;
	spool = mf_spool_new(content->n, err);
	if (!spool || mf_spool_add(spool, content->p, content->n, err) < 0 ||
	    mf_spool_end(spool, &digest, &length, err) < 0)
		return -1;
	return mf_content_put_target(&v->im, name, spool, &digest, err);
}

/* The content is the description itself: whoever has the entry has it. */
static int make_entry(struct veto *v, struct mf_str name, const struct mf_digest *subject, struct mf_str *out,
		      struct mf_err *err)
{
	const struct mf_record_fields f = {.created = v->created,
					   .media_type = MF_MT_VETO,
					   .author = v->o->author,
					   .reason = v->o->reason,
					   .veto_type = v->type,
					   .veto_subject = subject};
	struct mf_buf content MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES),
			      entry MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2);
	json_t *tree MF_JSON_CLEANUP = mf_record_make(&f, err);
	struct mf_record_binding b = {.repository = mf_trust_gun(v->im.trust), .name = name};
	if (!tree || mf_json_dump_canonical(tree, &content, err) < 0 ||
	    mf_sha256(mf_buf_bytes(&content), &b.sha256, err) < 0)
		return -1;
	b.length = content.n;
	if (mf_write_sign(&v->signer, &b, tree, err) < 0 ||
	    mf_write_entry(mf_trust_dialect(v->im.trust), &b, tree, &entry, err) < 0 ||
	    store_content(v, name, &content, err) < 0)
		return -1;
	char *copy = mf_arena_dup(v->a, mf_buf_str(&entry), err);
	*out = (struct mf_str){copy, entry.n};
	return copy ? 0 : -1;
}

/* ---- the intent */

static int add_edit(struct veto *v, struct mf_str name, struct mf_str entry, struct mf_err *err)
{
	char *copy = mf_arena_dup(v->a, name, err);
	if (!copy)
		return -1;
	v->edits[v->nedits++] = (struct mf_tuf_edit){{copy, name.n}, entry};
	return 0;
}

/* What the role has said of exactly this type, under one of its own. MF_ABSENT: nothing; name is then where
 * it would be said under the first. */
static enum mf_found find(struct veto *v, struct mf_trust *t, const struct mf_tuf_loaded *l, size_t own,
			  const struct mf_digest *subject, struct mf_buf *name, struct mf_entry *out,
			  struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(t);
	mf_buf_reset(name);
	if (mf_veto_name(name, mf_policy_own_type(set, l, own), mf_str_c(v->type), subject, err) < 0)
		return MF_FAILED;
	ptrdiff_t at = l->file ? mf_tuf_target_find(l->file, mf_buf_str(name)) : -1;
	return at < 0 ? MF_ABSENT : mf_veto_read(set, mf_tuf_set_find(set, l->role), (size_t)at, out, err);
}

static int report_found(struct veto *v, const struct mf_entry *e, size_t i, struct mf_err *err)
{
	return mf_report_record(&v->im, e, v->subjects.v[i].platform, v->a, &v->records[i], err);
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static int stop_subject(struct veto *v, struct mf_trust *t, const struct mf_tuf_loaded *l, size_t i,
			struct mf_err *err)
{
	const struct mf_digest *subject = &v->subjects.v[i].digest;
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	struct mf_entry now MF_ENTRY_CLEANUP = {0};
	struct mf_str entry;
	enum mf_found found = find(v, t, l, 0, subject, &name, &now, err);
	if (found == MF_FAILED)
		return -1;
	v->items[i].unchanged = found == MF_FOUND && same_text(now.record.reason, v->o->reason) &&
				(!v->o->author || same_text(now.record.author, v->o->author));
	if (v->items[i].unchanged)
		return report_found(v, &now, i, err);
	if (!mf_tuf_loaded_covers(mf_trust_dialect(t), l, mf_buf_str(&name)))
		return mf_fail(err, MF_E_USAGE, 0,
			       "role '%s' has no path for a type of its own, in which a veto could lie",
			       l->role);
	if (make_entry(v, mf_buf_str(&name), subject, &entry, err) < 0)
		return -1;
	return add_edit(v, mf_buf_str(&name), entry, err);
}

static int lift_subject(struct veto *v, struct mf_trust *t, const struct mf_tuf_loaded *l, size_t i,
			struct mf_err *err)
{
	v->items[i].unchanged = 1;
	for (size_t own = 0; mf_policy_own_type(mf_trust_set(t), l, own).n; own++) {
		struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(1024);
		struct mf_entry now MF_ENTRY_CLEANUP = {0};
		enum mf_found found = find(v, t, l, own, &v->subjects.v[i].digest, &name, &now, err);
		if (found == MF_FAILED)
			return -1;
		if (found == MF_ABSENT)
			continue;
		v->items[i].unchanged = 0;
		if (report_found(v, &now, i, err) < 0 ||
		    add_edit(v, mf_buf_str(&name), (struct mf_str){NULL, 0}, err) < 0)
			return -1;
	}
	return 0;
}

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct veto *v = arg;
	const struct mf_tuf_loaded l = as_loaded(v, t);
	size_t owns = 0;
	char digest[MF_DIGEST_TEXT];
	if (!l.delegation && strcmp(l.role, "targets") != 0)
		return mf_fail(err, MF_E_CONFLICT, 0, "role '%s' has just been removed", l.role);
	while (mf_policy_own_type(mf_trust_set(t), &l, owns).n)
		owns++;
	v->edits = mf_arena_alloc(v->a, v->subjects.n * owns, sizeof *v->edits, err);
	v->nedits = 0;
	for (size_t i = 0; v->edits && i < v->subjects.n; i++)
		if ((v->o->reinstate ? lift_subject : stop_subject)(v, t, &l, i, err) < 0)
			return MF_FAILED;
	if (!v->edits)
		return MF_FAILED;
	if (v->o->reinstate && !v->nedits) {
		mf_digest_format(digest, &v->subjects.v[0].digest);
		(void)mf_fail(err, MF_E_NOT_FOUND, 0, "role '%s' has no veto on '%s' of %s", v->role, v->type,
			      digest);
		mf_err_set_hint(err, "'manifesto list --state veto' shows the vetoes of an image");
		return MF_FAILED;
	}
	if (v->nedits)
		qsort(v->edits, v->nedits, sizeof *v->edits, mf_tuf_edit_cmp);
	*out = (struct mf_publish_change){.role = v->role, .edits = v->edits, .nedits = v->nedits};
	return v->nedits ? MF_FOUND : MF_ABSENT;
}

/* ---- the result */

static int report_stops(struct veto *v, struct mf_err *err)
{
	const struct mf_tuf_loaded l = as_loaded(v, v->im.trust);
	for (size_t i = 0; i < v->subjects.n; i++) {
		struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(1024);
		struct mf_entry now MF_ENTRY_CLEANUP = {0};
		enum mf_found found =
		    v->items[i].unchanged
			? MF_ABSENT
			: find(v, v->im.trust, &l, 0, &v->subjects.v[i].digest, &name, &now, err);
		if (found == MF_FAILED || (found == MF_FOUND && report_found(v, &now, i, err) < 0))
			return -1;
	}
	return 0;
}

static int report(struct veto *v, int64_t version, struct mf_err *err)
{
	struct manifesto_change_result *out = v->out;
	size_t n = 0, one = 0;
	if (!v->o->reinstate && !out->proposal && report_stops(v, err) < 0)
		return -1;
	for (size_t i = 0; i < v->subjects.n; i++) {
		if (!v->records[i].type)
			continue;
		v->items[n] = v->items[i];
		v->items[n++].record = &v->records[i];
	}
	const struct manifesto_signer *const *signer = NULL;
	struct mf_pubkey *key = v->signer.pub;
	if (mf_report_keys(v->m, &key, 1, v->a, &signer, &one, err) < 0)
		return -1;
	out->signer = signer[0];
	out->items = mf_arena_list(v->a, v->items, n, sizeof *v->items);
	out->nitems = n;
	out->version = version;
	out->role = mf_arena_text(v->a, v->role);
	out->published_to = mf_arena_text(v->a, mf_trust_where(v->im.trust));
	return mf_arena_check(v->a, err);
}

static int check_options(const struct manifesto_change_options *o, struct mf_err *err)
{
	bool reason = o->reason && o->reason[strspn(o->reason, " \t\r\n")];
	if (o->type && mf_record_type_check(mf_str_c(o->type), err) < 0)
		return -1;
	return o->reinstate || reason ? 0 : mf_fail(err, MF_E_USAGE, 0, "a veto needs a reason");
}

static int veto(struct veto *v, struct mf_err *err)
{
	const struct manifesto_change_options *o = v->o;
	const struct mf_publish_intent in = {.prefix = MF_STR(""),
					     .end = o->propose ? MF_PUBLISH_PROPOSE : MF_PUBLISH_SEND,
					     .proposal = o->propose ? &v->proposal : NULL,
					     .fill = fill,
					     .arg = v};
	int64_t version = 0;
	v->a = mf_result_arena(v->out);
	if (check_options(o, err) < 0 || mf_image_open(&v->im, v->m, o->image, err) < 0 ||
	    mf_propose_begin(&v->im, o->propose, &v->proposal, err) < 0 ||
	    mf_trust_check_writable(v->im.trust, err) < 0 || mf_image_begin(&v->im, err) < 0 ||
	    mf_image_subjects(
		&v->im, (struct mf_subject_choice){.platform = o->platform, .all = o->all_platforms != 0},
		&v->subjects, err) < 0)
		return -1;
	v->created = mf_env_now(&v->m->env);
	v->items = mf_arena_alloc(v->a, v->subjects.n, sizeof *v->items, err);
	v->records = v->items ? mf_arena_alloc(v->a, v->subjects.n, sizeof *v->records, err) : NULL;
	if (!v->records || mf_trust_load(v->im.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN}, err) < 0 ||
	    choose_role(v, err) < 0)
		return -1;
	enum mf_found found = mf_publish_run(v->im.trust, &in, &version, err);
	if (found == MF_FAILED)
		return -1;
	v->out->missing = v->proposal.missing;
	if (found == MF_FOUND && o->propose &&
	    mf_propose_store(&v->im, o->propose, &v->proposal, v->a, &v->out->proposal, err) < 0)
		return -1;
	return report(v, version, err);
}

int manifesto_veto(struct manifesto *m, const struct manifesto_change_options *opt,
		   const struct manifesto_change_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_change_options o;
	struct veto v MF_CLEANUP(veto_clear) = {.m = m, .o = &o};
	struct manifesto_change_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	v.out = r;
	v.type = r && o.type ? o.type : MF_VETO_ALL;
	int rc = r ? veto(&v, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}
