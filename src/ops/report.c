/* Verified objects as the structs of the public interface. */
#include <stdio.h>

#include "base/encode.h"
#include "ops/ops.h"

char *mf_report_hex(const struct mf_digest *d, struct mf_arena *a, struct mf_err *err)
{
	char hex[65];
	mf_digest_hex(hex, d);
	return mf_arena_dup(a, mf_str_c(hex), err);
}

static int report_signer(struct manifesto *m, const struct mf_pubkey *k, struct mf_arena *a,
			 struct manifesto_signer *out, struct mf_err *err)
{
	struct mf_digest fp = mf_pubkey_fingerprint(k);
	const struct mf_key_info *info = mf_keystore_find_fp(m->keys, &fp);
	out->fingerprint = mf_report_hex(&fp, a, err);
	out->key_type = mf_key_type_name(mf_pubkey_type(k));
	out->name = info ? mf_arena_dup(a, mf_str_c(info->name), err) : NULL;
	return out->fingerprint && (!info || out->name) ? 0 : -1;
}

int mf_report_keys(struct manifesto *m, struct mf_pubkey *const *keys, size_t n, struct mf_arena *a,
		   const struct manifesto_signer **out, size_t *nout, struct mf_err *err)
{
	struct manifesto_signer *v = mf_arena_alloc(a, n, sizeof *v, err);
	if (!v)
		return -1;
	*nout = 0;
	for (size_t i = 0; i < n; i++)
		if (keys[i] && report_signer(m, keys[i], a, &v[(*nout)++], err) < 0)
			return -1;
	*out = v;
	return 0;
}

int mf_report_role_keys(struct manifesto *m, const struct mf_tuf_role *role, struct mf_arena *a,
			const struct manifesto_signer **out, size_t *nout, struct mf_err *err)
{
	struct mf_pubkey **keys MF_FREE = mf_calloc(role->nkeys, sizeof(struct mf_pubkey *));
	if (!keys)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < role->nkeys; i++)
		keys[i] = role->keys[i]->pub;
	return mf_report_keys(m, keys, role->nkeys, a, out, nout, err);
}

static int report_signers(struct manifesto *m, const struct mf_entry *e, struct mf_arena *a,
			  struct manifesto_record *out, struct mf_err *err)
{
	struct mf_pubkey **v MF_FREE = mf_calloc(e->nkeys, sizeof(struct mf_pubkey *));
	size_t n = 0;
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < e->nkeys; i++)
		if (e->signed_by[i])
			v[n++] = e->keys[i];
	return mf_report_keys(m, v, n, a, &out->signers, &out->nsigners, err);
}

static char *decode(const char *text, struct mf_arena *a, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES);
	struct mf_err ignored = MF_ERR_INIT;
	/* What follows a NUL would not be shown. */
	if (mf_pct_decode(&b, mf_str_c(text), &ignored) < 0 || memchr(mf_buf_str(&b).p, 0, b.n))
		return mf_arena_dup(a, mf_str_c(text), err);
	return mf_arena_dup(a, mf_buf_str(&b), err);
}

static int report_annotations(const struct mf_record *r, struct mf_arena *a, struct manifesto_record *out,
			      struct mf_err *err)
{
	json_t *list = json_object_get(r->tree, "annotations"), *value;
	const char *key;
	size_t n = 0;
	const char **v = mf_arena_alloc(a, json_object_size(list), sizeof(char *), err);
	if (!v)
		return -1;
	json_object_foreach(list, key, value)
	{
		char *k = decode(key, a, err),
		     *text = k && json_is_string(value) ? decode(json_string_value(value), a, err) : k;
		if (!text)
			return -1;
		v[n] = mf_arena_printf(a, err, "%s=%s", k, json_is_string(value) ? text : "");
		if (!v[n++])
			return -1;
	}
	out->annotations = v;
	out->nannotations = n;
	return 0;
}

static int report_withdrew(const struct mf_record *r, struct mf_arena *a, struct manifesto_record *out,
			   struct mf_err *err)
{
	const char **v = mf_arena_alloc(a, json_array_size(r->withdrew), sizeof(char *), err);
	json_t *item;
	size_t i;
	if (!v)
		return -1;
	json_array_foreach(r->withdrew, i, item)
	{
		struct mf_err ignored = MF_ERR_INIT;
		struct mf_digest d;
		/* What is no digest is not shown: it withdraws all the same. */
		if (!json_is_string(item) ||
		    mf_digest_parse(&d, mf_str_c(json_string_value(item)), &ignored) < 0)
			continue;
		v[out->nwithdrew] = mf_arena_dup(a, mf_str_c(json_string_value(item)), err);
		if (!v[out->nwithdrew++])
			return -1;
	}
	out->withdrew = v;
	return 0;
}

static int optional(const char *text, struct mf_arena *a, const char **out, struct mf_err *err)
{
	if (!text)
		return 0;
	*out = mf_arena_dup(a, mf_str_c(text), err);
	return *out ? 0 : -1;
}

int mf_report_record(struct mf_image *im, const struct mf_entry *e, const char *platform, struct mf_arena *a,
		     struct manifesto_record *out, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	struct manifesto_record r = {.length = e->info.length,
				     .created = e->record.created,
				     .expires = e->record.expires,
				     .state = mf_state_name(e->state),
				     .role_version = e->role->file->version,
				     .role_expires = e->role->file->expires};
	r.image = mf_image_name(im, &e->subject, a, err);
	mf_digest_format(digest, &e->subject);
	r.subject = r.image ? mf_arena_dup(a, mf_str_c(digest), err) : NULL;
	mf_digest_format(digest, &e->info.sha256);
	r.digest = r.subject ? mf_arena_dup(a, mf_str_c(digest), err) : NULL;
	r.type = r.digest ? mf_arena_dup(a, e->type, err) : NULL;
	r.role = r.type ? mf_arena_dup(a, mf_str_c(e->role->role), err) : NULL;
	if (!r.role || optional(platform && *platform ? platform : NULL, a, &r.platform, err) < 0 ||
	    optional(e->record.media_type, a, &r.media_type, err) < 0 ||
	    optional(e->record.author, a, &r.author, err) < 0 ||
	    optional(e->record.reason, a, &r.reason, err) < 0 || report_signers(im->m, e, a, &r, err) < 0 ||
	    report_annotations(&e->record, a, &r, err) < 0 || report_withdrew(&e->record, a, &r, err) < 0)
		return -1;
	*out = r;
	return 0;
}
