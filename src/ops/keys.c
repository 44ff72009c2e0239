/* key generate, list, show, import, export. */
#include "base/encode.h"
#include "crypto/hash.h"
#include "keys/notary_pem.h"
#include "ops/ops.h"

static int report_key(const struct mf_key_info *k, struct mf_arena *a, struct manifesto_key *out,
		      struct mf_err *err)
{
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
	if (mf_pubkey_to_pem(k->pub, &pem, err) < 0)
		return -1;
	*out = (struct manifesto_key){.type = mf_key_type_name(k->type), .encrypted = k->encrypted};
	out->name = mf_arena_dup(a, mf_str_c(k->name), err);
	out->path = out->name ? mf_arena_dup(a, mf_str_c(k->path), err) : NULL;
	out->fingerprint = out->path ? mf_report_hex(&fp, a, err) : NULL;
	out->public_pem = out->fingerprint ? mf_arena_dup(a, mf_buf_str(&pem), err) : NULL;
	return out->public_pem ? 0 : -1;
}

static int report(const struct mf_key_info *const *keys, size_t n, struct manifesto_key_result *out,
		  struct mf_err *err)
{
	struct manifesto_key_result r = {.size = sizeof r, .arena = mf_op_arena(err)};
	struct manifesto_key *v = r.arena ? mf_arena_alloc(&r.arena->a, n, sizeof *v, err) : NULL;
	int rc = v ? 0 : -1;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = report_key(keys[i], &r.arena->a, &v[i], err);
	if (rc < 0) {
		mf_op_arena_free(r.arena);
		return -1;
	}
	r.keys = v;
	r.nkeys = n;
	*out = r;
	return 0;
}

static int done(int rc, struct manifesto_error *error, const struct mf_err *err)
{
	return rc < 0 ? mf_op_fail(error, err) : 0;
}

static int key_type(const char *type, enum mf_key_type *out, struct mf_err *err)
{
	struct mf_esc e;
	if (!type || strcmp(type, "ed25519") == 0)
		*out = MF_KEY_ED25519;
	else if (strcmp(type, "ecdsa") == 0)
		*out = MF_KEY_ECDSA;
	else
		return mf_fail(err, MF_E_USAGE, 0, "key type '%s' is neither ed25519 nor ecdsa",
			       mf_esc(&e, mf_str_c(type)));
	return 0;
}

int mf_op_check_key_name(const char *name, struct mf_err *err)
{
	struct mf_esc e;
	if (mf_key_name_valid(name))
		return 0;
	return mf_fail(
	    err, MF_E_USAGE, 0,
	    "invalid key name '%s': letters, digits, '.', '_', '-', at most 64, a letter or digit first",
	    mf_esc(&e, mf_str_c(name)));
}

int manifesto_key_generate(struct manifesto *m, const char *name, const char *type,
			   struct manifesto_key_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	enum mf_key_type t = MF_KEY_ED25519;
	const struct mf_key_info *k;
	mf_op_begin(m, error);
	int rc = mf_op_check_key_name(name, &err) < 0 || key_type(type, &t, &err) < 0 ||
			 mf_keystore_generate(m->keys, name, t, &k, &err) < 0 || report(&k, 1, out, &err) < 0
		     ? -1
		     : 0;
	return done(rc, error, &err);
}

int manifesto_key_list(struct manifesto *m, struct manifesto_key_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	const struct mf_key_info *all;
	size_t n;
	mf_op_begin(m, error);
	if (mf_keystore_list(m->keys, &all, &n, &err) < 0)
		return mf_op_fail(error, &err);
	const struct mf_key_info **v MF_FREE = mf_calloc(n, sizeof(struct mf_key_info *));
	for (size_t i = 0; v && i < n; i++)
		v[i] = &all[i];
	return done(v ? report(v, n, out, &err) : mf_fail_nomem(&err), error, &err);
}

int manifesto_key_show(struct manifesto *m, const char *name, struct manifesto_key_result *out,
		       struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	const struct mf_key_info *k = mf_keystore_find(m->keys, name, &err);
	return done(k ? report(&k, 1, out, &err) : -1, error, &err);
}

/* ---- files of the notary CLI */

/* An unencrypted file needs no passphrase: it is asked for when reading says that one is missing. */
static int read_notary(struct manifesto *m, const char *name, struct mf_str text, struct mf_notary_key *out,
		       struct mf_err *err)
{
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	if (mf_notary_key_read(out, text, NULL, err) == 0)
		return 0;
	if (err->code != MF_E_KEY)
		return -1;
	mf_err_clear(err);
	if (m->passphrase.get(m->passphrase.arg, name, false, &pass, err) < 0)
		return -1;
	return mf_notary_key_read(out, text, &pass, err);
}

static int import(struct manifesto *m, const char *name, const char *path, struct manifesto_key_result *out,
		  struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_notary_key key = {0};
	const struct mf_key_info *k;
	if (mf_op_check_key_name(name, err) < 0)
		return -1;
	if (mf_file_read(path, MF_MAX_KEYFILE_BYTES, &text, err) < 0)
		return err->code == MF_E_NOT_FOUND ? mf_recode(err, MF_E_USAGE) : -1;
	int rc = read_notary(m, name, mf_buf_str(&text), &key, err) < 0 ||
			 mf_keystore_add(m->keys, name, key.key, &k, err) < 0 || report(&k, 1, out, err) < 0
		     ? -1
		     : 0;
	mf_notary_key_clear(&key);
	mf_wipe(text.p, text.n);
	return rc;
}

int manifesto_key_import(struct manifesto *m, const char *name, const char *path,
			 struct manifesto_key_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	return done(import(m, name, path, out, &err), error, &err);
}

/* The file is decoded here and not through the key store, so that its passphrase, which the new file gets
 * too, is asked for once. */
static struct mf_privkey *read_own(struct manifesto *m, const struct mf_key_info *k, struct mf_secret *pass,
				   struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	if (mf_file_read(k->path, MF_MAX_KEYFILE_BYTES, &file, err) < 0 ||
	    (k->encrypted && m->passphrase.get(m->passphrase.arg, k->name, false, pass, err) < 0))
		return NULL;
	struct mf_privkey *key = mf_keyfile_decode(mf_buf_bytes(&file), k->encrypted ? pass : NULL, err);
	mf_wipe(file.p, file.n);
	return key;
}

static int export(struct manifesto *m, const char *name, const char *role, const char *gun,
		  const char *directory, char id[65], struct mf_err *err)
{
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(65536),
			     file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	const struct mf_key_info *k = mf_keystore_find(m->keys, name, err);
	struct mf_privkey *priv MF_PRIVKEY_CLEANUP = k ? read_own(m, k, &pass, err) : NULL;
	char leaf[72];
	if (!priv || mf_dialect_notary.key_write(k->pub, NULL, &object, id, err) < 0)
		return -1;
	memcpy(leaf, id, 64);
	memcpy(leaf + 64, ".key", 5);
	char *path MF_FREE = mf_path_join(directory, leaf, NULL);
	if (!path)
		return mf_fail_nomem(err);
	int rc = mf_notary_key_write(&file, priv, role ? role : "", gun ? gun : "",
				     k->encrypted ? &pass : NULL, err) < 0 ||
			 mf_dir_make(directory, 0700, err) < 0
		     ? -1
		     : mf_file_create(path, mf_buf_bytes(&file), 0600, err);
	mf_wipe(file.p, file.n);
	return rc;
}

int manifesto_key_export(struct manifesto *m, const char *name, const char *role, const char *gun,
			 const char *directory, char id_out[65], struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	return done(export(m, name, role, gun, directory, id_out, &err), error, &err);
}

void manifesto_key_result_clear(struct manifesto_key_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_key_result){.size = sizeof *r};
}
