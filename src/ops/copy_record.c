/* Promoted records: checks whether the destination may take one, and makes its description. */
#include "ops/copy.h"

static enum mf_change refuse_other_content(const struct mf_write_item *it, const char *role,
					   struct mf_err *err)
{
	(void)mf_fail(err, MF_E_CONFLICT, 0, "role '%s' has another '%s' record for '%s'", role, it->type,
		      it->im->text);
	mf_err_set_hint(err, "read it with 'manifesto get'; --force replaces it");
	return MF_CHANGE_REFUSED;
}

/* Refuses if another role of the destination has other content for the type: readers would get neither
 * record. Also refuses a withdrawal, which --force does not lift. */
static enum mf_change check_other_roles(struct mf_write *w, const struct mf_write_item *it,
					struct mf_err *err)
{
	size_t at = 0;
	for (;;) {
		struct mf_entry e MF_ENTRY_CLEANUP = {0};
		enum mf_found found = mf_write_next_other(w, it, &at, &e, err);
		if (found == MF_ABSENT)
			return MF_CHANGE_ALWAYS;
		if (found == MF_FAILED)
			return MF_CHANGE_REFUSED;
		if (e.state == MF_STATE_WITHDRAWN) {
			(void)mf_write_refuse_withdrawn(w, &e, err);
			return MF_CHANGE_REFUSED;
		}
		if (!w->o->force && e.state == MF_STATE_CURRENT &&
		    !mf_digest_eq(&e.info.sha256, &it->content->digest))
			return refuse_other_content(it, e.role->role, err);
	}
}

/* ---- the signers of originals, with their repositories */

static bool has_original(const struct mf_entry *e, const char *repository, const struct mf_pubkey *key)
{
	for (size_t i = 0; i < e->originals.n; i++)
		for (size_t k = 0; k < e->originals.v[i].nkeys; k++)
			if (strcmp(e->originals.v[i].repository, repository) == 0 &&
			    mf_pubkey_eq(e->originals.v[i].keys[k], key))
				return true;
	return false;
}

/* Does the entry already list every signer of the records that are promoted now? */
static bool has_signers(const struct mf_entry *e, const struct mf_copy_plan *p)
{
	const char *source = mf_trust_gun(p->pair->from.trust);
	for (size_t i = 0; i < p->from.n; i++)
		for (size_t k = 0; k < p->from.v[i].nkeys; k++)
			if (p->from.v[i].signed_by[k] && !has_original(e, source, p->from.v[i].keys[k]))
				return false;
	return true;
}

static bool will_have(const struct mf_copy_plan *p, const char *repository, const struct mf_pubkey *key)
{
	bool source = strcmp(mf_trust_gun(p->pair->from.trust), repository) == 0;
	for (size_t i = 0; i < p->from.n; i++) {
		const struct mf_entry *e = &p->from.v[i];
		if (has_original(e, repository, key))
			return true;
		for (size_t k = 0; source && k < e->nkeys; k++)
			if (e->signed_by[k] && mf_pubkey_eq(e->keys[k], key))
				return true;
	}
	return false;
}

/* An original with a signature that the new record would not keep; NULL: there is none. */
static const struct mf_original *find_lost(const struct mf_entry *e, const struct mf_copy_plan *p)
{
	for (size_t i = 0; i < e->originals.n; i++)
		for (size_t k = 0; k < e->originals.v[i].nkeys; k++)
			if (!will_have(p, e->originals.v[i].repository, e->originals.v[i].keys[k]))
				return &e->originals.v[i];
	return NULL;
}

/* ---- the record at the destination */

/* Are the descriptions equal, apart from the members that each repository sets itself? */
static enum mf_found same_description(json_t *a, json_t *b, struct mf_err *err)
{
	static const char *const own[] = {"sigs", "artifact", "promotedFrom"};
	json_t *x MF_JSON_CLEANUP = mf_json_copy(a, err),
		  *y MF_JSON_CLEANUP = x ? mf_json_copy(b, err) : NULL;
	if (!x || !y)
		return MF_FAILED;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		(void)json_object_del(x, own[i]);
		(void)json_object_del(y, own[i]);
	}
	return json_equal(x, y) ? MF_FOUND : MF_ABSENT;
}

/* Counts the signatures of others on a record that would be replaced. */
static size_t count_others(const struct mf_write *w, const struct mf_entry *e)
{
	size_t n = 0;
	for (size_t i = 0; i < e->nkeys; i++)
		n += e->signed_by[i] && !mf_write_is_ours(w, e->keys[i]);
	return n;
}

/* Without --force, refuses to replace a record if signatures of others, or of its originals, would be lost.
 */
static enum mf_change refuse_loss(const struct mf_write *w, const struct mf_write_item *it,
				  const struct mf_entry *now, const struct mf_copy_plan *p,
				  struct mf_err *err)
{
	const char *from = p->pair->given->from;
	const struct mf_original *lost = find_lost(now, p);
	struct mf_esc e;
	if (w->o->force || (!count_others(w, now) && !lost))
		return MF_CHANGE_UNLESS_CONFLICT;
	if (lost)
		(void)mf_fail(err, MF_E_CONFLICT, 0,
			      "'%s' of '%s' is there, promoted from '%s', with signatures that '%s' lacks",
			      it->type, it->im->text, mf_esc(&e, mf_str_c(lost->repository)), from);
	else
		(void)mf_fail(err, MF_E_CONFLICT, 0,
			      "'%s' of '%s' is there with signatures of others, but not with all those that "
			      "it has at '%s'",
			      it->type, it->im->text, from);
	mf_err_set_hint(err, "--force replaces it; %s is lost then",
			lost ? "who approved there" : "what others signed here");
	return MF_CHANGE_REFUSED;
}

enum mf_change mf_copy_evaluate(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
				struct mf_err *err)
{
	const struct mf_copy_plan *p = ((struct mf_copy_write *)(void *)w)->plans[it - w->items];
	if (now && now->state == MF_STATE_WITHDRAWN) {
		(void)mf_write_refuse_withdrawn(w, now, err);
		return MF_CHANGE_REFUSED;
	}
	if (mf_write_own_entry(w, it, err) < 0 || check_other_roles(w, it, err) == MF_CHANGE_REFUSED)
		return MF_CHANGE_REFUSED;
	if (!now)
		return MF_CHANGE_UNLESS_CONFLICT;
	if (!mf_digest_eq(&now->info.sha256, &p->content.digest))
		return w->o->force ? MF_CHANGE_ALWAYS : refuse_other_content(it, w->role, err);
	enum mf_found same = now->record.tree ? same_description(now->record.tree, it->tree, err) : MF_ABSENT;
	if (same == MF_FAILED)
		return MF_CHANGE_REFUSED;
	it->unchanged = same == MF_FOUND && now->state == MF_STATE_CURRENT && has_signers(now, p);
	if (it->unchanged || now->state != MF_STATE_CURRENT)
		return MF_CHANGE_UNLESS_CONFLICT;
	return refuse_loss(w, it, now, p, err);
}

/* ---- the new record */

static int prepare_artifact(const struct mf_write *w, struct mf_write_item *it, const struct mf_copy_plan *p,
			    struct mf_err *err)
{
	if (w->im->store_ref.transport == MF_TRANSPORT_LAYOUT)
		return 0;
	const struct mf_artifact_record r = {.type = mf_str_c(it->type),
					     .blob = p->content.digest,
					     .length = p->content.length,
					     .media_type = p->content.media_type,
					     .created = p->from.v[0].record.created,
					     .owner = mf_trust_identity(w->im->trust)};
	return mf_artifact_of(&it->subject, &r, &it->artifact, &it->artifact_digest, err);
}

int mf_copy_prepare(struct mf_write *w, struct mf_write_item *it, const struct mf_copy_plan *p,
		    struct mf_err *err)
{
	struct mf_trust *source = p->pair->from.trust;
	struct mf_origin *origins MF_FREE = mf_calloc(p->from.n, sizeof *origins);
	struct mf_record_binding b = {.repository = mf_trust_gun(w->im->trust),
				      .name = mf_str_c(it->name),
				      .length = p->content.length,
				      .sha256 = p->content.digest};
	if (!origins)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < p->from.n; i++) {
		const struct mf_entry *e = &p->from.v[i];
		origins[i] = (struct mf_origin){.dialect = mf_trust_dialect(source)->name,
						.role = e->role->role,
						.version = e->role->file->version,
						.binding = b,
						.record = &e->record,
						.keys = e->keys,
						.signed_by = e->signed_by,
						.nkeys = e->nkeys};
		origins[i].binding.repository = mf_trust_gun(source);
	}
	if (prepare_artifact(w, it, p, err) < 0)
		return -1;
	it->tree = mf_record_promote(origins, p->from.n, it->artifact.n ? &it->artifact_digest : NULL, err);
	return it->tree ? mf_write_sign(&w->signer, &b, it->tree, err) : -1;
}
