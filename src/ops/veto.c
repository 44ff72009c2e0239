/* veto: a role states that a type, or all types, must not be accepted for an image, which counts for policies
 * that list the role under `veto`; or the role lifts that. */
#include "base/encode.h"
#include "crypto/hash.h"
#include "ops/write.h"

struct veto {
	struct mf_write w;
	struct mf_tuf_edit *edits;
	size_t nedits;
};

static struct veto *veto_of(struct mf_write *w)
{
	return (struct veto *)w;
}

static struct mf_str type_of(const struct veto *v)
{
	return mf_str_c(v->w.o->type ? v->w.o->type : MF_VETO_ALL);
}

/* ---- the role */

/* Counts the delegations, loaded or not, of which this machine holds a key; *one is the last of them. */
static size_t find_ours(const struct veto *v, const struct mf_tuf_role **one)
{
	const struct mf_tuf_set *set = mf_trust_set(v->w.im->trust);
	size_t n = 0;
	for (size_t i = 0; i < set->nroles; i++)
		for (size_t k = 0; k < set->roles[i]->file->nroles; k++) {
			const struct mf_tuf_role *role = &set->roles[i]->file->roles[k];
			if (!mf_publish_held(v->w.im->trust, role) ||
			    (n && strcmp((*one)->name, role->name) == 0))
				continue;
			*one = role;
			n++;
		}
	return n;
}

static int choose_role(struct veto *v, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(v->w.im->trust);
	const struct mf_tuf_role *role = &set->root->roles[MF_TUF_TARGETS];
	const struct mf_tuf_loaded *by;
	const struct mf_key_info *key;
	struct mf_esc e;
	if (v->w.o->role && mf_policy_role_by_name(set, v->w.o->role, &role, &by) != MF_NAMES_ONE) {
		(void)mf_fail(err, MF_E_USAGE, 0, "there is no role '%s' in this repository",
			      mf_esc(&e, mf_str_c(v->w.o->role)));
		mf_err_set_hint(err, "'manifesto role list' shows the roles");
		return -1;
	}
	if (!v->w.o->role && find_ours(v, &role) > 1) {
		(void)mf_fail(err, MF_E_AMBIGUOUS, 0,
			      "this machine has keys of several roles, '%s' among them", role->name);
		mf_err_set_hint(err, "choose one with --role");
		return -1;
	}
	v->w.role = mf_str_dup(mf_str_c(role->name));
	return v->w.role ? mf_role_signer(v->w.im, role, v->w.o->key, &v->w.signer, &key, err)
			 : mf_fail_nomem(err);
}

/* The loaded role. If it has not published anything yet: what it would be, without a file. */
static struct mf_tuf_loaded as_loaded(const struct veto *v, struct mf_trust *t)
{
	const struct mf_tuf_set *set = mf_trust_set(t);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(set, v->w.role);
	if (l)
		return *l;
	return (struct mf_tuf_loaded){
	    .role = v->w.role, .delegation = mf_trust_role(t, v->w.role), .parent = set->roles[0]};
}

/* ---- one veto */

/* If the trust repository keeps content, stores it as a target file, so that TUF clients find it. */
static int store_content(struct veto *v, struct mf_str name, const struct mf_buf *content, struct mf_err *err)
{
	struct mf_spool *spool MF_SPOOL_CLEANUP = NULL;
	struct mf_digest digest;
	uint64_t length;
	if (!mf_trust_keeps_targets(v->w.im->trust))
		return 0;
	spool = mf_spool_new(content->n, err);
	if (!spool || mf_spool_add(spool, content->p, content->n, err) < 0 ||
	    mf_spool_end(spool, &digest, &length, err) < 0)
		return -1;
	return mf_content_put_target(v->w.im, name, spool, &digest, err);
}

/* Makes the entry of a veto. Its content is the description in the entry, so readers need no further file. */
static int make_entry(struct veto *v, struct mf_str name, const struct mf_digest *subject, struct mf_str *out,
		      struct mf_err *err)
{
	const struct mf_record_fields f = {.created = v->w.created,
					   .media_type = MF_MT_VETO,
					   .author = v->w.o->author,
					   .reason = v->w.o->reason,
					   .veto_type = type_of(v).p,
					   .veto_subject = subject};
	struct mf_buf content MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES),
			      entry MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2);
	json_t *tree MF_JSON_CLEANUP = mf_record_make(&f, err);
	struct mf_record_binding b = {.repository = mf_trust_gun(v->w.im->trust), .name = name};
	if (!tree || mf_json_dump_canonical(tree, &content, err) < 0 ||
	    mf_sha256(mf_buf_bytes(&content), &b.sha256, err) < 0)
		return -1;
	b.length = content.n;
	if (mf_write_sign(&v->w.signer, &b, tree, err) < 0 ||
	    mf_write_entry(mf_trust_dialect(v->w.im->trust), &b, tree, &entry, err) < 0 ||
	    store_content(v, name, &content, err) < 0)
		return -1;
	char *copy = mf_arena_dup(v->w.a, mf_buf_str(&entry), err);
	*out = (struct mf_str){copy, entry.n};
	return copy ? 0 : -1;
}

/* ---- the change of the role's file */

static int add_edit(struct veto *v, struct mf_str name, struct mf_str entry, struct mf_err *err)
{
	char *copy = mf_arena_dup(v->w.a, name, err);
	if (!copy)
		return -1;
	v->edits[v->nedits++] = (struct mf_tuf_edit){{copy, name.n}, entry};
	return 0;
}

/* Finds the role's veto on exactly this type. A veto lies under a type that the role has authority over: the
 * one with index `own`. `name` is set to the veto's name, also when there is none (MF_ABSENT). */
static enum mf_found find(struct veto *v, struct mf_trust *t, const struct mf_tuf_loaded *l, size_t own,
			  const struct mf_digest *subject, struct mf_buf *name, struct mf_entry *out,
			  struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(t);
	mf_buf_reset(name);
	if (mf_veto_name(name, mf_policy_own_type(set, l, own), type_of(v), subject, err) < 0)
		return MF_FAILED;
	ptrdiff_t at = l->file ? mf_tuf_target_find(l->file, mf_buf_str(name)) : -1;
	return at < 0 ? MF_ABSENT : mf_veto_read(set, mf_tuf_set_find(set, l->role), (size_t)at, out, err);
}

static int report_found(struct veto *v, const struct mf_entry *e, struct mf_write_item *it,
			struct mf_err *err)
{
	it->reported = true;
	return mf_write_report_entry(&v->w, it, e, err);
}

static int stop_subject(struct veto *v, struct mf_trust *t, const struct mf_tuf_loaded *l,
			struct mf_write_item *it, struct mf_err *err)
{
	const struct mf_digest *subject = &it->subject.digest;
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	struct mf_entry now MF_ENTRY_CLEANUP = {0};
	struct mf_str entry;
	enum mf_found found = find(v, t, l, 0, subject, &name, &now, err);
	if (found == MF_FAILED)
		return -1;
	it->unchanged = found == MF_FOUND && mf_write_same_reason(&v->w, &now.record);
	if (it->unchanged)
		return report_found(v, &now, it, err);
	if (!mf_tuf_loaded_covers(mf_trust_dialect(t), l, mf_buf_str(&name)))
		return mf_fail(err, MF_E_USAGE, 0,
			       "role '%s' has no path for a type of its own, in which a veto could lie",
			       l->role);
	if (make_entry(v, mf_buf_str(&name), subject, &entry, err) < 0)
		return -1;
	return add_edit(v, mf_buf_str(&name), entry, err);
}

static int lift_subject(struct veto *v, struct mf_trust *t, const struct mf_tuf_loaded *l,
			struct mf_write_item *it, struct mf_err *err)
{
	it->unchanged = true;
	for (size_t own = 0; mf_policy_own_type(mf_trust_set(t), l, own).n; own++) {
		struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(1024);
		struct mf_entry now MF_ENTRY_CLEANUP = {0};
		enum mf_found found = find(v, t, l, own, &it->subject.digest, &name, &now, err);
		if (found == MF_FAILED)
			return -1;
		if (found == MF_ABSENT)
			continue;
		it->unchanged = false;
		if (report_found(v, &now, it, err) < 0 ||
		    add_edit(v, mf_buf_str(&name), (struct mf_str){NULL, 0}, err) < 0)
			return -1;
	}
	return 0;
}

/* Lifting fails for an image that has no veto on any of its subjects. */
static int check_lifted(struct veto *v, const struct mf_write_image *img, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	char digest[MF_DIGEST_TEXT];
	for (size_t i = 0; i < img->subjects.n; i++)
		if (!img->items[i]->unchanged || img->items[i]->failed)
			return 0;
	mf_digest_format(digest, &img->subjects.v[0].digest);
	(void)mf_fail(&why, MF_E_NOT_FOUND, 0, "role '%s' has no veto on '%s' of %s", v->w.role, type_of(v).p,
		      digest);
	mf_err_set_hint(&why, "'manifesto list --state veto' shows the vetoes of an image");
	return mf_write_keep_failure(&img->items[0]->failed, &why, err);
}

static int edit(struct veto *v, struct mf_trust *t, const struct mf_tuf_loaded *l, struct mf_err *err)
{
	struct mf_write *w = &v->w;
	bool lifts = w->o->reinstate != 0;
	for (size_t i = 0; i < w->n; i++) {
		free(w->items[i].failed);
		w->items[i].failed = NULL;
		if ((lifts ? lift_subject : stop_subject)(v, t, l, &w->items[i], err) < 0)
			return -1;
		w->items[i].out->unchanged = w->items[i].unchanged;
	}
	for (size_t i = 0; lifts && i < w->nimages; i++)
		if (check_lifted(v, w->images[i], err) < 0)
			return -1;
	return mf_write_first_failure(w, err);
}

static enum mf_found fill(struct mf_write *w, struct mf_trust *t, struct mf_publish_change *out,
			  struct mf_err *err)
{
	struct veto *v = veto_of(w);
	const struct mf_tuf_loaded l = as_loaded(v, t);
	size_t owns = 0;
	if (!l.delegation && strcmp(l.role, "targets") != 0)
		return mf_fail(err, MF_E_CONFLICT, 0, "role '%s' has just been removed", l.role);
	while (mf_policy_own_type(mf_trust_set(t), &l, owns).n)
		owns++;
	v->edits = mf_arena_alloc(w->a, w->n * owns, sizeof *v->edits, err);
	v->nedits = 0;
	if (!v->edits || edit(v, t, &l, err) < 0)
		return MF_FAILED;
	if (v->nedits)
		qsort(v->edits, v->nedits, sizeof *v->edits, mf_tuf_edit_cmp);
	*out = (struct mf_publish_change){.role = w->role, .edits = v->edits, .nedits = v->nedits};
	return v->nedits ? MF_FOUND : MF_ABSENT;
}

/* ---- the whole */

static int check_options(struct mf_write_run *r, struct mf_err *err)
{
	return r->o.reinstate ? 0 : mf_write_need_reason(r, "a veto", err);
}

static int prepare(struct mf_write *w, struct mf_err *err)
{
	if (mf_write_items(w, err) < 0)
		return -1;
	const struct mf_load how = {.purpose = MF_LOAD_SIGN, .subjects = w->subjects.v};
	if (mf_trust_load(w->im->trust, &how, err) < 0)
		return -1;
	return choose_role(veto_of(w), err);
}

/* Reports the vetoes as they were read back after the publish. */
static int report_stops(struct veto *v, struct mf_err *err)
{
	struct mf_write *w = &v->w;
	const struct mf_tuf_loaded l = as_loaded(v, w->im->trust);
	for (size_t i = 0; i < w->n; i++) {
		struct mf_write_item *it = &w->items[i];
		struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(1024);
		struct mf_entry now MF_ENTRY_CLEANUP = {0};
		enum mf_found found =
		    it->unchanged ? MF_ABSENT
				  : find(v, w->im->trust, &l, 0, &it->subject.digest, &name, &now, err);
		if (found == MF_FAILED || (found == MF_FOUND && report_found(v, &now, it, err) < 0))
			return -1;
	}
	return 0;
}

static int commit(struct mf_write *w, struct mf_err *err)
{
	struct veto *v = veto_of(w);
	if (mf_write_publish(w, err) < 0)
		return -1;
	if (!v->nedits)
		w->version = 0;
	if (!w->o->reinstate && !w->out->proposal && report_stops(v, err) < 0)
		return -1;
	return mf_write_report(w, err);
}

int manifesto_veto(struct manifesto *m, const struct manifesto_change_options *opt,
		   const struct manifesto_change_result **out, struct manifesto_error *error)
{
	static const struct mf_write_op op = {.size = sizeof(struct veto),
					      .own_names = true,
					      .has_versions = true,
					      .begin = check_options,
					      .prepare = prepare,
					      .fill = fill,
					      .commit = commit};
	return mf_write_run(m, opt, out, error, &op);
}
