#include "record/promoted.h"

#include "base/encode.h"
#include "base/limits.h"

#define MEMBER "promotedFrom"

static void original_clear(struct mf_original *o)
{
	for (size_t i = 0; i < o->nkeys; i++)
		mf_pubkey_unref(o->keys[i]);
	free(o->keys);
	free(o->repository);
	free(o->dialect);
	free(o->role);
	mf_record_clear(&o->record);
	*o = (struct mf_original){0};
}

void mf_originals_clear(struct mf_originals *o)
{
	for (size_t i = 0; i < o->n; i++)
		original_clear(&o->v[i]);
	free(o->v);
	*o = (struct mf_originals){0};
}

/* ---- reading */

static int get_text(const json_t *o, const char *name, size_t max, char **out, struct mf_err *err)
{
	const char *text = NULL;
	if (mf_json_get_str(o, name, MF_JSON_REQUIRED, &text, err) < 0)
		return -1;
	char *decoded MF_FREE = mf_record_text_decode(text);
	if (!decoded)
		return mf_fail_nomem(err);
	if (!*decoded || strlen(decoded) > max)
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' has %zu bytes: expected from 1 to %zu", name,
			       strlen(decoded), max);
	*out = decoded;
	decoded = NULL;
	return 0;
}

/* An original must have the name and the content of the record: its signatures are for these only. */
static int check_binding(const json_t *o, const struct mf_record_binding *b, struct mf_err *err)
{
	const char *name = NULL, *hex = NULL;
	json_t *hashes = NULL;
	int64_t length;
	struct mf_digest sha256;
	struct mf_esc e;
	if (mf_json_get_str(o, "name", MF_JSON_REQUIRED, &name, err) < 0 ||
	    mf_json_get_int(o, "length", MF_JSON_REQUIRED, 0, MF_MAX_VERSION, &length, err) < 0 ||
	    mf_json_get_obj(o, "hashes", MF_JSON_REQUIRED, &hashes, err) < 0 ||
	    mf_json_get_str(hashes, "sha256", MF_JSON_REQUIRED, &hex, err) < 0)
		return -1;
	if (!mf_str_eqz(b->name, name))
		return mf_fail(err, MF_E_FORMAT, 0, "it is of a record with another name, '%s'",
			       mf_esc(&e, mf_str_c(name)));
	if (mf_hex_decode(sha256.b, 32, mf_str_c(hex)) < 0 || !mf_digest_eq(&sha256, &b->sha256) ||
	    (uint64_t)length != b->length)
		return mf_fail(err, MF_E_FORMAT, 0, "it is of a record with another content");
	return 0;
}

static int read_description(struct mf_original *out, const json_t *o, struct mf_err *err)
{
	json_t *custom = NULL;
	if (mf_json_get_obj(o, "custom", MF_JSON_REQUIRED, &custom, err) < 0)
		return -1;
	if (json_object_get(custom, "sigs"))
		return mf_fail(err, MF_E_FORMAT, 0, "its 'custom' has signatures of its own");
	if (mf_record_from_tree(&out->record, custom, o, err) < 0)
		return -1;
	/* A withdrawal cannot be promoted, and must not count as an approval. */
	return out->record.withdrawn ? mf_fail(err, MF_E_FORMAT, 0, "it is of a withdrawn record") : 0;
}

static struct mf_pubkey *read_key(const json_t *j, struct mf_err *err)
{
	struct mf_buf der MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_str text = {json_string_value(j), json_string_length(j)};
	if (!text.p) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "a key is not a string");
		return NULL;
	}
	return mf_b64_decode(&der, text, err) < 0 ? NULL : mf_pubkey_from_spki(mf_buf_bytes(&der), err);
}

static int read_keys(struct mf_original *out, const json_t *o, struct mf_err *err)
{
	json_t *keys = NULL;
	if (mf_json_get_arr(o, "keys", MF_JSON_REQUIRED, &keys, err) < 0)
		return -1;
	size_t n = json_array_size(keys);
	if (!n || n != out->record.nsigs || n > MF_MAX_SIGNATURES)
		return mf_fail(err, MF_E_FORMAT, 0,
			       "%zu keys and %zu signatures: expected one of each for a "
			       "signer, and at least one",
			       n, out->record.nsigs);
	out->keys = mf_calloc(n, sizeof(struct mf_pubkey *));
	if (!out->keys)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct mf_pubkey *k MF_PUBKEY_CLEANUP = read_key(json_array_get(keys, i), err);
		if (!k)
			return mf_wrap(err, "key %zu", i + 1);
		for (size_t j = 0; j < i; j++)
			if (mf_pubkey_eq(k, out->keys[j]))
				return mf_fail(err, MF_E_FORMAT, 0, "a key occurs twice");
		out->keys[out->nkeys++] = k;
		k = NULL;
	}
	return 0;
}

/* Every signature must verify: a promoter keeps no others. There are as many signatures as keys and one of
 * each key, so that none is of an unlisted key. */
static int check_signatures(const struct mf_original *o, const struct mf_record_binding *b,
			    struct mf_err *err)
{
	bool *valid MF_FREE = mf_calloc(o->nkeys, sizeof *valid);
	struct mf_record_binding there = *b;
	struct mf_esc e;
	char hex[65];
	there.repository = o->repository;
	if (!valid)
		return mf_fail_nomem(err);
	if (mf_record_signers(&o->record, &there, o->keys, o->nkeys, valid, err) < 0)
		return -1;
	for (size_t i = 0; i < o->nkeys; i++) {
		mf_pubkey_hex(hex, o->keys[i]);
		if (!valid[i])
			return mf_fail(err, MF_E_SIGNATURE, 0,
				       "the signature of key %.16s for '%s' does not verify", hex,
				       mf_esc(&e, mf_str_c(o->repository)));
	}
	return 0;
}

static int read_original(const json_t *o, const struct mf_record_binding *b, struct mf_original *out,
			 struct mf_err *err)
{
	if (get_text(o, "repository", MF_MAX_GUN, &out->repository, err) < 0 ||
	    get_text(o, "dialect", MF_MAX_GUN, &out->dialect, err) < 0 ||
	    get_text(o, "role", MF_MAX_ROLE_NAME, &out->role, err) < 0 ||
	    mf_json_get_int(o, "version", MF_JSON_REQUIRED, 1, MF_MAX_VERSION, &out->version, err) < 0 ||
	    check_binding(o, b, err) < 0 || read_description(out, o, err) < 0 || read_keys(out, o, err) < 0)
		return -1;
	return check_signatures(out, b, err);
}

static int read_all(const json_t *tree, const struct mf_record_binding *b, size_t depth,
		    struct mf_originals *all, struct mf_err *err)
{
	json_t *list = NULL, *item;
	size_t i;
	if (mf_json_get_arr(tree, MEMBER, MF_JSON_OPTIONAL, &list, err) < 0)
		return -1;
	if (!list)
		return 0;
	if (depth > MF_MAX_PROMOTIONS)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d promotions", MF_MAX_PROMOTIONS);
	if (!json_array_size(list))
		return mf_fail(err, MF_E_FORMAT, 0, "there is no entry");
	json_array_foreach(list, i, item)
	{
		if (all->n == MF_MAX_ORIGINALS)
			return mf_fail(err, MF_E_FORMAT, 0, "more than %d entries", MF_MAX_ORIGINALS);
		if (mf_grow((void **)&all->v, &all->cap, all->n, sizeof *all->v, err) < 0)
			return -1;
		struct mf_original *o = &all->v[all->n++];
		*o = (struct mf_original){.depth = depth};
		if (read_original(item, b, o, err) < 0)
			return mf_wrap(err, "entry %zu", i + 1);
		/* This may move all->v: `o` is not used afterwards. */
		if (read_all(json_object_get(item, "custom"), b, depth + 1, all, err) < 0)
			return -1;
	}
	return 0;
}

int mf_originals_read(const struct mf_record *r, const struct mf_record_binding *b, struct mf_originals *out,
		      struct mf_err *err)
{
	struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
	*out = (struct mf_originals){0};
	if (r->tree && read_all(r->tree, b, 1, &all, err) < 0)
		return mf_wrap(err, "'" MEMBER "'");
	*out = all;
	all = (struct mf_originals){0};
	return 0;
}

/* ---- making */

static int set(json_t *o, const char *name, json_t *value, struct mf_err *err)
{
	if (!value)
		return err->code ? -1 : mf_fail_nomem(err);
	return json_object_set_new(o, name, value) < 0 ? mf_fail_nomem(err) : 0;
}

static int add_key(json_t *keys, const struct mf_pubkey *k, struct mf_err *err)
{
	struct mf_buf b64 MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	if (mf_b64_encode(&b64, mf_pubkey_spki(k), err) < 0)
		return -1;
	return json_array_append_new(keys, json_string(mf_buf_str(&b64).p)) < 0 ? mf_fail_nomem(err) : 0;
}

static const struct mf_record_sig *sig_of(const struct mf_record *r, const struct mf_pubkey *k)
{
	struct mf_digest fp = mf_pubkey_fingerprint(k);
	for (size_t i = 0; i < r->nsigs; i++)
		if (mf_digest_eq(&r->sigs[i].fingerprint, &fp))
			return &r->sigs[i];
	return NULL;
}

/* Only signatures of the source role's keys are kept: the keys of others are unknown. */
static int put_signers(json_t *o, const struct mf_origin *from, struct mf_err *err)
{
	json_t *keys = json_array();
	if (set(o, "keys", keys, err) < 0)
		return -1;
	for (size_t i = 0; i < from->nkeys; i++) {
		if (!from->signed_by[i])
			continue;
		const struct mf_record_sig *s = sig_of(from->record, from->keys[i]);
		if (s && (add_key(keys, from->keys[i], err) < 0 ||
			  mf_record_add_sig(o, &s->fingerprint, s->sig, err) < 0))
			return -1;
	}
	return 0;
}

static json_t *origin_json(const struct mf_origin *from, struct mf_err *err)
{
	char hex[65];
	json_t *o MF_JSON_CLEANUP = json_object(), *custom = mf_json_copy(from->record->tree, err);
	mf_digest_hex(hex, &from->binding.sha256);
	if (custom)
		(void)json_object_del(custom, "sigs");
	if (!o || set(o, "custom", custom, err) < 0 ||
	    set(o, "repository", mf_record_text_json("repository", mf_str_c(from->binding.repository), err),
		err) < 0 ||
	    set(o, "dialect", json_string(from->dialect), err) < 0 ||
	    set(o, "role", mf_record_text_json("role", mf_str_c(from->role), err), err) < 0 ||
	    set(o, "version", json_integer(from->version), err) < 0 ||
	    set(o, "name", json_stringn(from->binding.name.p, from->binding.name.n), err) < 0 ||
	    set(o, "length", json_integer((json_int_t)from->binding.length), err) < 0 ||
	    set(o, "hashes", json_pack("{s:s}", "sha256", hex), err) < 0 || put_signers(o, from, err) < 0) {
		if (!o)
			json_decref(custom);
		if (!err->code)
			(void)mf_fail_nomem(err);
		return NULL;
	}
	return json_incref(o);
}

static int put_origins(json_t *tree, const struct mf_origin *from, size_t n, struct mf_err *err)
{
	json_t *list = json_array();
	if (set(tree, MEMBER, list, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		json_t *o = origin_json(&from[i], err);
		if (!o)
			return -1;
		if (json_array_append_new(list, o) < 0)
			return mf_fail_nomem(err);
	}
	return 0;
}

/* Checks a promoted record as its readers do, so that nothing is published that they refuse. */
static int check_promoted(json_t *tree, const struct mf_record_binding *b, struct mf_err *err)
{
	struct mf_buf size MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES / 2);
	struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
	struct mf_record r = {.tree = tree};
	if (mf_json_dump_canonical(tree, &size, err) == 0 && mf_originals_read(&r, b, &all, err) == 0)
		return 0;
	if (err->code != MF_E_FORMAT)
		return -1;
	(void)mf_recode(err, MF_E_USAGE);
	mf_err_set_hint(err, "promote it from a repository that it was in before, or have it approved again");
	return mf_wrap(err,
		       "the record cannot be promoted once more: it may have %d promotions and %zu bytes",
		       MF_MAX_PROMOTIONS, MF_MAX_CUSTOM_BYTES / 2);
}

json_t *mf_record_promote(const struct mf_origin *from, size_t n, const struct mf_digest *artifact,
			  struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	json_t *tree MF_JSON_CLEANUP = mf_json_copy(from->record->tree, err);
	if (!tree)
		return NULL;
	(void)json_object_del(tree, "sigs");
	(void)json_object_del(tree, "artifact");
	if (artifact) {
		mf_digest_format(digest, artifact);
		if (set(tree, "artifact", json_string(digest), err) < 0)
			return NULL;
	}
	if (put_origins(tree, from, n, err) < 0 || check_promoted(tree, &from->binding, err) < 0)
		return NULL;
	return json_incref(tree);
}
