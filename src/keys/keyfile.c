/* The bytes of a key file:
 *
 *   {"manifesto":"private key","v":1,"name":NAME,"type":TYPE,"public":SPKI,"fingerprint":HEX,
 *    "kdf":{"alg":"argon2id13","ops":N,"mem":OCTETS,"salt":B64},
 *    "cipher":"xchacha20-poly1305","nonce":B64,"secret":B64}
 *
 * Without a passphrase, "cipher" is "none", and "kdf" and "nonce" are absent. Everything before "secret",
 * in exactly this spelling, is the associated data: without the passphrase, nobody can change name, key
 * type or cost. */
#include "keys/keystore.h"

#include <sodium.h>

#include "base/encode.h"
#include "base/limits.h"
#include "json/json.h"

#define MAGIC "private key"
#define KDF_ALG "argon2id13"
#define CIPHER "xchacha20-poly1305"
#define NO_CIPHER "none"
#define NAME_MAX_BYTES 64
#define SALT_N crypto_pwhash_SALTBYTES
#define NONCE_N crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_N crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY_N crypto_aead_xchacha20poly1305_ietf_KEYBYTES

/* The members of a file; strings are slices of it. */
struct parsed {
	struct mf_str magic, name, type, pub, fp, cipher, nonce, secret, kdf_alg, salt;
	int64_t v, ops, mem;
	bool has_kdf;
};

/* The members before "secret". */
struct head {
	struct mf_str name, type, pub, fp;
	bool encrypted;
	struct mf_str salt, nonce;
	uint64_t ops, mem;
};

bool mf_key_name_valid(const char *name)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = strlen(name);

	return n >= 1 && n <= NAME_MAX_BYTES && strchr(first, name[0]) &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

void mf_key_info_clear(struct mf_key_info *k)
{
	free(k->name);
	free(k->path);
	mf_pubkey_unref(k->pub);
	free(k->source);
	for (size_t i = 0; k->args && k->args[i]; i++)
		free(k->args[i]);
	free(k->args);
	*k = (struct mf_key_info)MF_KEY_INFO_INIT;
}

/* ---- reading */

static int fail_file(struct mf_err *err, const char *why)
{
	return mf_fail(err, MF_E_FORMAT, 0, "key file: %s", why);
}

/* Our strings never need an escape, so none is accepted: each value has one spelling. */
static int read_text(struct mf_json_reader *r, struct mf_str *out, struct mf_err *err)
{
	struct mf_json_string s;

	if (mf_json_string(r, &s, err) < 0)
		return -1;
	if (s.escaped)
		return fail_file(err, "escaped text");
	*out = s.raw;
	return 0;
}

struct field {
	const char *name;
	struct mf_str *out;
};

/* Returns 1 when `name` is one of the fields and was read, 0 when it is not. */
static int read_field(struct mf_json_reader *r, const struct field *f, size_t n, struct mf_json_string name,
		      struct mf_err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (mf_json_string_eq(name, f[i].name))
			return read_text(r, f[i].out, err) < 0 ? -1 : 1;
	}
	return 0;
}

static int read_kdf(struct mf_json_reader *r, struct parsed *p, struct mf_err *err)
{
	const struct field texts[] = {{"alg", &p->kdf_alg}, {"salt", &p->salt}};
	struct mf_json_string name;
	enum mf_found more = mf_json_object(r, err) < 0 ? MF_FAILED : MF_FOUND;

	p->has_kdf = true;
	while (more == MF_FOUND && (more = mf_json_object_next(r, &name, err)) == MF_FOUND) {
		int got = read_field(r, texts, 2, name, err);

		if (got == 0 && mf_json_string_eq(name, "ops"))
			got =
			    mf_json_int(r, crypto_pwhash_OPSLIMIT_MIN, (int64_t)MF_MAX_KDF_OPS, &p->ops, err);
		else if (got == 0 && mf_json_string_eq(name, "mem"))
			got =
			    mf_json_int(r, crypto_pwhash_MEMLIMIT_MIN, (int64_t)MF_MAX_KDF_MEM, &p->mem, err);
		else if (got == 0)
			return fail_file(err, "unknown member in 'kdf'");
		if (got < 0)
			return mf_wrap(err, "key file, cost of the passphrase");
	}
	return more;
}

static int read_member(struct mf_json_reader *r, struct parsed *p, struct mf_json_string name,
		       struct mf_err *err)
{
	const struct field texts[] = {
	    {"manifesto", &p->magic}, {"name", &p->name},     {"type", &p->type},   {"public", &p->pub},
	    {"fingerprint", &p->fp},  {"cipher", &p->cipher}, {"nonce", &p->nonce}, {"secret", &p->secret},
	};
	int got = read_field(r, texts, sizeof texts / sizeof texts[0], name, err);

	if (got)
		return got < 0 ? -1 : 0;
	if (mf_json_string_eq(name, "kdf"))
		return read_kdf(r, p, err);
	if (!mf_json_string_eq(name, "v"))
		return fail_file(err, "unknown member");
	if (mf_json_int(r, 1, INT32_MAX, &p->v, err) < 0)
		return -1;
	if (p->v > 1)
		return fail_file(err, "made by a newer version of manifesto");
	return 0;
}

static bool kdf_fits_cipher(const struct parsed *p)
{
	if (mf_str_eqz(p->cipher, NO_CIPHER))
		return !p->has_kdf && !p->nonce.p;
	return mf_str_eqz(p->cipher, CIPHER) && p->has_kdf && mf_str_eqz(p->kdf_alg, KDF_ALG) && p->salt.p &&
	       p->ops && p->mem && p->nonce.p;
}

static int parse(struct parsed *p, struct mf_bytes file, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	int more;

	memset(p, 0, sizeof *p);
	mf_json_reader_init(&r, file);
	if (file.n > MF_MAX_KEYFILE_BYTES)
		return fail_file(err, "too long");
	if (mf_json_object(&r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(&r, &name, err)) == MF_FOUND) {
		if (read_member(&r, p, name, err) < 0)
			return -1;
	}
	if (more < 0 || mf_json_end(&r, err) < 0)
		return -1;
	if (!mf_str_eqz(p->magic, MAGIC) || p->v != 1)
		return fail_file(err, "not a key file of manifesto");
	if (!p->name.p || !p->type.p || !p->pub.p || !p->fp.p || !p->secret.p || !kdf_fits_cipher(p))
		return fail_file(err, "members missing, or not fitting each other");
	return 0;
}

static int type_of(struct mf_str name, enum mf_key_type *out, struct mf_err *err)
{
	for (int t = MF_KEY_ED25519; t <= MF_KEY_RSA; t++) {
		if (mf_str_eqz(name, mf_key_type_name((enum mf_key_type)t))) {
			*out = (enum mf_key_type)t;
			return 0;
		}
	}
	return fail_file(err, "unknown type of key");
}

static int fill_info(struct mf_key_info *k, const struct parsed *p, struct mf_err *err)
{
	struct mf_buf spki MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_digest fp;
	char hex[65];

	k->name = mf_str_dup(p->name);
	if (!k->name)
		return mf_fail_nomem(err);
	if (strlen(k->name) != p->name.n || !mf_key_name_valid(k->name))
		return fail_file(err, "malformed name");
	if (type_of(p->type, &k->type, err) < 0 || mf_b64_decode(&spki, p->pub, err) < 0)
		return -1;
	k->pub = mf_pubkey_from_spki(mf_buf_bytes(&spki), err);
	if (!k->pub)
		return mf_wrap(err, "key file");
	fp = mf_pubkey_fingerprint(k->pub);
	mf_digest_hex(hex, &fp);
	if (mf_pubkey_type(k->pub) != k->type || !mf_str_eqz(p->fp, hex))
		return fail_file(err, "type, public key and fingerprint do not fit each other");
	k->encrypted = p->has_kdf;
	return 0;
}

int mf_keyfile_info(struct mf_key_info *out, struct mf_bytes file, struct mf_err *err)
{
	struct mf_key_info k MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	struct parsed p;

	if (parse(&p, file, err) < 0 || fill_info(&k, &p, err) < 0)
		return -1;
	*out = k;
	k = (struct mf_key_info)MF_KEY_INFO_INIT;
	return 0;
}

/* ---- for encryption and decryption */

/* The strings have restricted alphabets and need no escaping. */
static int write_head(struct mf_buf *out, const struct head *h, struct mf_err *err)
{
	int r = mf_buf_printf(
	    out, err,
	    "{\"manifesto\":\"" MAGIC "\",\"v\":1,\"name\":\"%.*s\",\"type\":\"%.*s\",\"public\":\"%.*s\","
	    "\"fingerprint\":\"%.*s\",",
	    MF_STR_ARG(h->name), MF_STR_ARG(h->type), MF_STR_ARG(h->pub), MF_STR_ARG(h->fp));

	if (r)
		return -1;
	if (!h->encrypted)
		return mf_buf_addz(out, "\"cipher\":\"" NO_CIPHER "\",", err);
	return mf_buf_printf(out, err,
			     "\"kdf\":{\"alg\":\"" KDF_ALG "\",\"ops\":%llu,\"mem\":%llu,\"salt\":\"%.*s\"},"
			     "\"cipher\":\"" CIPHER "\",\"nonce\":\"%.*s\",",
			     (unsigned long long)h->ops, (unsigned long long)h->mem, MF_STR_ARG(h->salt),
			     MF_STR_ARG(h->nonce));
}

static int derive(struct mf_secret *key, const struct mf_secret *passphrase, const uint8_t salt[SALT_N],
		  const struct head *h, struct mf_err *err)
{
	if (passphrase->n > MF_MAX_PASSPHRASE)
		return mf_fail(err, MF_E_KEY, 0, "the passphrase has more than %zu bytes", MF_MAX_PASSPHRASE);
	if (mf_secret_alloc(key, KEY_N, err) < 0)
		return -1;
	if (crypto_pwhash(key->p, KEY_N, (const char *)passphrase->p, passphrase->n, salt, h->ops,
			  (size_t)h->mem, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return mf_fail(err, MF_E_NOMEM, 0, "derive a key with %llu bytes of memory",
			       (unsigned long long)h->mem);
	return 0;
}

/* ---- opening */

/* Decodes base64 directly into guarded memory. */
static int b64_secret(struct mf_secret *out, struct mf_str b64, struct mf_err *err)
{
	size_t pad = 0;

	while (pad < 2 && pad < b64.n && b64.p[b64.n - 1 - pad] == '=')
		pad++;
	if (b64.n < 4 || b64.n % 4)
		return fail_file(err, "malformed secret");
	if (mf_secret_alloc(out, b64.n / 4 * 3 - pad, err) < 0)
		return -1;
	return mf_b64_decode_exact(out->p, out->n, b64, err);
}

static int fail_locked(struct mf_err *err, const struct parsed *p, const char *why)
{
	return mf_fail(err, MF_E_KEY, 0, "key '%.*s': %s", MF_STR_ARG(p->name), why);
}

static int decrypt(struct mf_secret *plain, const struct parsed *p, const struct mf_secret *passphrase,
		   struct mf_err *err)
{
	const struct head h = {p->name, p->type,  p->pub,           p->fp,           true,
			       p->salt, p->nonce, (uint64_t)p->ops, (uint64_t)p->mem};
	struct mf_buf ad MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES * 2);
	struct mf_secret box MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_secret key MF_SECRET_CLEANUP = MF_SECRET_INIT;
	uint8_t salt[SALT_N], nonce[NONCE_N];

	if (mf_b64_decode_exact(salt, SALT_N, p->salt, err) < 0 ||
	    mf_b64_decode_exact(nonce, NONCE_N, p->nonce, err) < 0 || b64_secret(&box, p->secret, err) < 0)
		return -1;
	if (box.n <= TAG_N)
		return fail_file(err, "malformed secret");
	if (!passphrase || passphrase->n == 0)
		return fail_locked(err, p, "is encrypted, and no passphrase was given");
	if (write_head(&ad, &h, err) < 0 || derive(&key, passphrase, salt, &h, err) < 0 ||
	    mf_secret_alloc(plain, box.n - TAG_N, err) < 0)
		return -1;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain->p, NULL, NULL, box.p, box.n,
						       (const uint8_t *)ad.p, ad.n, nonce, key.p) != 0)
		return fail_locked(err, p, "wrong passphrase, or the file was changed");
	return 0;
}

struct mf_privkey *mf_keyfile_decode(struct mf_bytes file, const struct mf_secret *passphrase,
				     struct mf_err *err)
{
	struct mf_key_info info MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	struct mf_secret plain MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = NULL;
	struct mf_privkey *made;
	struct mf_digest stored, own;
	struct parsed p;

	if (parse(&p, file, err) < 0 || fill_info(&info, &p, err) < 0)
		return NULL;
	if (info.encrypted ? decrypt(&plain, &p, passphrase, err) : b64_secret(&plain, p.secret, err))
		return NULL;
	key = mf_privkey_from_secret(info.type, mf_secret_bytes(&plain), err);
	if (!key)
		return NULL;
	stored = mf_pubkey_fingerprint(info.pub);
	own = mf_pubkey_fingerprint(mf_privkey_public(key));
	if (!mf_digest_eq(&stored, &own)) {
		fail_file(err, "the secret is not that of the public key");
		return NULL;
	}
	made = key;
	key = NULL;
	return made;
}

/* ---- making */

static int write_encrypted(struct mf_buf *out, struct head *h, const struct mf_secret *plain,
			   const struct mf_secret *passphrase, struct mf_err *err)
{
	struct mf_buf salt_b64 MF_BUF_CLEANUP = MF_BUF_INIT(64);
	struct mf_buf nonce_b64 MF_BUF_CLEANUP = MF_BUF_INIT(64);
	struct mf_secret key MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_secret box MF_SECRET_CLEANUP = MF_SECRET_INIT;
	uint8_t salt[SALT_N], nonce[NONCE_N];

	mf_random(salt, SALT_N);
	mf_random(nonce, NONCE_N);
	if (mf_b64_encode(&salt_b64, (struct mf_bytes){salt, SALT_N}, err) < 0 ||
	    mf_b64_encode(&nonce_b64, (struct mf_bytes){nonce, NONCE_N}, err) < 0)
		return -1;
	h->encrypted = true;
	h->salt = mf_buf_str(&salt_b64);
	h->nonce = mf_buf_str(&nonce_b64);
	h->ops = crypto_pwhash_OPSLIMIT_INTERACTIVE;
	h->mem = crypto_pwhash_MEMLIMIT_INTERACTIVE;
	if (write_head(out, h, err) < 0 || derive(&key, passphrase, salt, h, err) < 0 ||
	    mf_secret_alloc(&box, plain->n + TAG_N, err) < 0)
		return -1;
	crypto_aead_xchacha20poly1305_ietf_encrypt(box.p, NULL, plain->p, plain->n, (const uint8_t *)out->p,
						   out->n, NULL, nonce, key.p);
	if (mf_buf_addz(out, "\"secret\":\"", err) < 0 || mf_b64_encode(out, mf_secret_bytes(&box), err) < 0)
		return -1;
	return mf_buf_addz(out, "\"}\n", err);
}

static int write_plain(struct mf_buf *out, const struct head *h, const struct mf_secret *plain,
		       struct mf_err *err)
{
	if (write_head(out, h, err) < 0 || mf_buf_addz(out, "\"secret\":\"", err) < 0 ||
	    mf_b64_encode(out, mf_secret_bytes(plain), err) < 0)
		return -1;
	return mf_buf_addz(out, "\"}\n", err);
}

static int write_file(struct mf_buf *out, struct head *h, const struct mf_privkey *key,
		      const struct mf_secret *passphrase, struct mf_err *err)
{
	struct mf_secret plain MF_SECRET_CLEANUP = MF_SECRET_INIT;

	if (mf_privkey_to_secret(key, &plain, err) < 0)
		return -1;
	return passphrase ? write_encrypted(out, h, &plain, passphrase, err)
			  : write_plain(out, h, &plain, err);
}

int mf_keyfile_encode(struct mf_buf *out, const char *name, const struct mf_privkey *key,
		      const struct mf_secret *passphrase, struct mf_err *err)
{
	struct mf_buf pub MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	const struct mf_pubkey *k = mf_privkey_public(key);
	struct mf_digest fp = mf_pubkey_fingerprint(k);
	struct head h = {0};
	char hex[65];
	int r;

	if (!mf_key_name_valid(name))
		return mf_fail(err, MF_E_USAGE, 0, "malformed key name");
	if (passphrase && passphrase->n == 0)
		return mf_fail(err, MF_E_KEY, 0, "empty passphrase for key '%s'", name);
	mf_digest_hex(hex, &fp);
	if (mf_b64_encode(&pub, mf_pubkey_spki(k), err) < 0)
		return -1;
	h.name = mf_str_c(name);
	h.type = mf_str_c(mf_key_type_name(mf_pubkey_type(k)));
	h.pub = mf_buf_str(&pub);
	h.fp = mf_str_c(hex);
	/* The file is made in a buffer of its own, because the associated data must start where the
	 * buffer does. */
	r = mf_buf_reserve(&file, MF_MAX_KEYFILE_BYTES / 2,
			   err); /* so that growing leaves no copy of a secret behind */
	if (!r)
		r = write_file(&file, &h, key, passphrase, err);
	if (!r)
		r = mf_buf_add(out, file.p, file.n, err);
	mf_wipe(file.p, file.cap);
	return r;
}
