/* The records that are published: new ones, and existing ones with a new signature. */
#include "crypto/hash.h"
#include "ops/write.h"

/* ---- new records */

int mf_write_artifact(struct mf_write *w, struct mf_write_item *it, bool link, struct mf_err *err)
{
	const struct mf_content *c = it->content;
	mf_buf_reset(&it->artifact);
	if ((w->im->store_ref.transport == MF_TRANSPORT_LAYOUT && !link) || !it->subject.media_type[0])
		return 0;
	struct mf_artifact_record r = {.type = mf_str_c(it->type),
				       .blob = c->digest,
				       .length = c->length,
				       .media_type = c->media_type,
				       .created = w->created,
				       .owner = mf_trust_identity(w->im->trust)};
	return mf_artifact_of(&it->subject, &r, &it->artifact, &it->artifact_digest, err);
}

int mf_write_entry(const struct mf_dialect *d, const struct mf_record_binding *b, json_t *tree,
		   struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf custom MF_BUF_CLEANUP = MF_BUF_INIT(out->max);
	if (mf_record_custom(&custom, tree, err) < 0)
		return -1;
	struct mf_tuf_target_info info = {
	    .length = b->length, .has_sha256 = true, .sha256 = b->sha256, .custom = mf_buf_str(&custom)};
	return mf_tuf_put_target(d, &info, out, err);
}

int mf_write_sign(const struct mf_signer *s, const struct mf_record_binding *b, json_t *tree,
		  struct mf_err *err)
{
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2),
			      sig MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_digest fp = mf_pubkey_fingerprint(s->pub);
	if (mf_record_payload(&payload, b, tree, err) < 0 ||
	    mf_signer_sign(s, mf_record_scheme(s->pub), mf_buf_bytes(&payload), &sig, err) < 0)
		return -1;
	return mf_record_add_sig(tree, &fp, mf_buf_bytes(&sig), err);
}

static struct mf_record_binding binding_of(const struct mf_write *w, const struct mf_write_item *it)
{
	return (struct mf_record_binding){.repository = mf_trust_gun(w->im->trust),
					  .name = mf_str_c(it->name),
					  .length = it->content->length,
					  .sha256 = it->content->digest};
}

int mf_write_own_entry(struct mf_write *w, struct mf_write_item *it, struct mf_err *err)
{
	struct mf_record_binding b = binding_of(w, it);
	mf_buf_reset(&it->entry);
	return mf_write_entry(mf_trust_dialect(w->im->trust), &b, it->tree, &it->entry, err);
}

int mf_write_new_record(struct mf_write *w, struct mf_write_item *it, const struct mf_record_fields *f,
			struct mf_err *err)
{
	struct mf_record_binding b = binding_of(w, it);
	json_decref(it->tree);
	it->tree = mf_record_make(f, err);
	if (!it->tree || mf_write_sign(&w->signer, &b, it->tree, err) < 0)
		return -1;
	return mf_write_own_entry(w, it, err);
}

/* ---- reasons */

int mf_write_need_reason(const struct mf_write_run *r, const char *what, struct mf_err *err)
{
	const char *reason = r->o.reason;
	if (reason && reason[strspn(reason, " \t\r\n")])
		return 0;
	return mf_fail(err, MF_E_USAGE, 0, "%s needs a reason", what);
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

bool mf_write_same_reason(const struct mf_write *w, const struct mf_record *r)
{
	return same_text(r->reason, w->o->reason) && (!w->o->author || same_text(r->author, w->o->author));
}

/* ---- signing an existing record */

static int payload_of(struct mf_write *w, const struct mf_write_item *it, const struct mf_entry *e,
		      json_t *tree, struct mf_buf *out, struct mf_digest *digest, struct mf_err *err)
{
	struct mf_record_binding b = {.repository = mf_trust_gun(w->im->trust),
				      .name = mf_str_c(it->name),
				      .length = e->info.length,
				      .sha256 = e->info.sha256};
	if (mf_record_payload(out, &b, tree, err) < 0)
		return -1;
	return mf_sha256(mf_buf_bytes(out), digest, err);
}

int mf_write_payload_digest(struct mf_write *w, const struct mf_write_item *it, const struct mf_entry *e,
			    struct mf_digest *out, struct mf_err *err)
{
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2);
	return payload_of(w, it, e, e->record.tree, &payload, out, err);
}

bool mf_write_is_ours(const struct mf_write *w, const struct mf_pubkey *k)
{
	struct mf_digest ours = mf_pubkey_fingerprint(w->signer.pub);
	struct mf_digest fp = k ? mf_pubkey_fingerprint(k) : (struct mf_digest){{0}};
	return k && mf_digest_eq(&fp, &ours);
}

bool mf_write_signed_by_us(const struct mf_write *w, const struct mf_entry *e)
{
	for (size_t i = 0; i < e->nkeys; i++)
		if (e->signed_by[i] && mf_write_is_ours(w, e->keys[i]))
			return true;
	return false;
}

/* A signature of a key that the role does not list (any more) would not count. */
static int check_listed(const struct mf_write *w, const struct mf_entry *e, struct mf_err *err)
{
	for (size_t i = 0; i < e->nkeys; i++)
		if (mf_write_is_ours(w, e->keys[i]))
			return 0;
	return mf_fail(err, MF_E_KEY, 0, "role '%s' no longer lists key '%s'", w->role, w->signer.name);
}

/* Loads the entry as it is in the file, with the members that other programs have added. */
static json_t *load_entry(const struct mf_write_item *it, const struct mf_entry *e, json_t **record,
			  struct mf_err *err)
{
	ptrdiff_t at = mf_tuf_target_find(e->role->file, mf_str_c(it->name));
	json_t *custom = NULL, *entry = NULL;
	if (at >= 0)
		entry = mf_json_load(mf_bytes_of(mf_tuf_target_value(e->role->file, (size_t)at)),
				     MF_MAX_CUSTOM_BYTES * 2, err);
	if (!entry)
		return NULL;
	if (mf_json_get_obj(entry, "custom", MF_JSON_REQUIRED, &custom, err) == 0 &&
	    mf_json_get_obj(custom, "manifesto", MF_JSON_REQUIRED, record, err) == 0)
		return entry;
	json_decref(entry);
	return NULL;
}

int mf_write_cosign(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
		    struct mf_err *err)
{
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2),
			      size MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES);
	struct mf_digest fp = mf_pubkey_fingerprint(w->signer.pub), digest;
	json_t *tree = NULL, *entry MF_JSON_CLEANUP = load_entry(it, now, &tree, err);
	if (!entry || check_listed(w, now, err) < 0 ||
	    payload_of(w, it, now, tree, &payload, &digest, err) < 0)
		return -1;
	if (!it->cosignature.n || !mf_digest_eq(&digest, &it->cosigned)) {
		mf_buf_reset(&it->cosignature);
		if (mf_signer_sign(&w->signer, mf_record_scheme(w->signer.pub), mf_buf_bytes(&payload),
				   &it->cosignature, err) < 0)
			return -1;
		it->cosigned = digest;
	}
	it->kept = true;
	mf_buf_reset(&it->entry);
	if (mf_record_add_sig(tree, &fp, mf_buf_bytes(&it->cosignature), err) < 0)
		return -1;
	/* Fails if readers would not accept a record of this size. */
	if (mf_json_dump_canonical(tree, &size, err) < 0)
		return mf_wrap(err, "add a signature to the record");
	return mf_json_dump_canonical(entry, &it->entry, err);
}
