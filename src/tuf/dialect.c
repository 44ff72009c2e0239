/* The two dialects: everything in which Notary v1 and TUF 1.0 differ. */
#include <ctype.h>

#include "base/encode.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/pem.h"
#include "crypto/x509.h"
#include "tuf/internal.h"

int mf_tuf_hash_decode(const struct mf_dialect *d, struct mf_str text, uint8_t *out, size_t n,
		       struct mf_err *err)
{
	if (!d->hex)
		return mf_b64_decode_exact(out, n, text, err);
	if (mf_hex_decode(out, n, text) < 0)
		return mf_fail(err, MF_E_FORMAT, 0, "not %zu lower-case hexadecimal digits", 2 * n);
	return 0;
}

/* Members that both dialects read from a KEY object. */
struct key_parts {
	struct mf_buf type, scheme, public;
};
#define KEY_PARTS_INIT                                                                                       \
	{                                                                                                    \
		MF_BUF_INIT(64), MF_BUF_INIT(64), MF_BUF_INIT(65536)                                         \
	}

static void key_parts_clear(struct key_parts *k)
{
	mf_buf_clear(&k->type);
	mf_buf_clear(&k->scheme);
	mf_buf_clear(&k->public);
}

static int key_text(struct mf_json_reader *r, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_string s;
	return mf_json_string(r, &s, err) < 0 ? -1 : mf_json_string_decode(s, out, err);
}

static int read_keyval(struct mf_json_reader *r, struct key_parts *k, struct mf_err *err)
{
	struct mf_json_string name;
	int more;
	if (mf_json_object(r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(r, &name, err)) > 0)
		if (mf_json_string_eq(name, "public") ? key_text(r, &k->public, err) < 0
						      : mf_json_skip(r, NULL, err) < 0)
			return -1;
	return more;
}

static int read_key_parts(struct mf_str raw, struct key_parts *k, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	int more, rc;
	mf_json_reader_init(&r, mf_bytes_of(raw));
	r.any_size = true; /* the reader of the file has refused numbers that the dialect does not allow */
	if (mf_json_object(&r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(&r, &name, err)) > 0) {
		if (mf_json_string_eq(name, "keytype"))
			rc = key_text(&r, &k->type, err);
		else if (mf_json_string_eq(name, "scheme"))
			rc = key_text(&r, &k->scheme, err);
		else if (mf_json_string_eq(name, "keyval"))
			rc = read_keyval(&r, k, err);
		else
			rc = mf_json_skip(&r, NULL, err);
		if (rc < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	if (!k->type.n || !k->public.n)
		return mf_fail(err, MF_E_FORMAT, 0, "without keytype or public value");
	return 0;
}

static int hash_id(struct mf_str canonical, char id[65], struct mf_err *err)
{
	struct mf_digest d;
	if (mf_sha256(mf_bytes_of(canonical), &d, err) < 0)
		return -1;
	mf_digest_hex(id, &d);
	return 0;
}

static bool buf_is(const struct mf_buf *b, const char *z)
{
	return mf_str_eqz(mf_buf_str(b), z);
}

/* ---------------------------------------------------------------- Notary v1 */

/* The KEY object as Notary's Go programs write it; the key ID is its hash. */
static int notary_key_object(struct mf_str keytype, struct mf_str public_b64, struct mf_buf *out,
			     struct mf_err *err)
{
	if (mf_buf_addz(out, "{\"keytype\":", err) < 0 || mf_json_quote(keytype, out, err) < 0 ||
	    mf_buf_addz(out, ",\"keyval\":{\"private\":null,\"public\":", err) < 0 ||
	    mf_json_quote(public_b64, out, err) < 0)
		return -1;
	return mf_buf_addz(out, "}}", err);
}

/* The key of the first certificate; a root key may hold CA certificates behind it. */
static struct mf_pubkey *first_certificate_key(struct mf_str pem, struct mf_err *err)
{
	struct mf_pem_reader *r MF_PEM_READER_CLEANUP = mf_pem_reader_new(pem, MF_MAX_ROOT_BYTES, err);
	struct mf_pem_block block MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
	struct mf_buf first MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (!r || mf_pem_next(r, &block, err) != MF_FOUND || strcmp(block.label, "CERTIFICATE") != 0 ||
	    mf_pem_write(&first, block.label, "", (struct mf_bytes){block.der, block.der_n}, err) < 0)
		return NULL;
	return mf_pubkey_from_pem(mf_buf_str(&first), err);
}

/* The certificates are parsed once, and kept for all later checks. */
static struct mf_pubkey *certificate_key(struct mf_tuf_key *key, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	key->certs = mf_root_certs_read(key->certificate, &why);
	if (key->certs)
		return mf_pubkey_ref(mf_root_certs_leaf(key->certs));
	return mf_err_pass_ours(err, &why) < 0 ? NULL : first_certificate_key(key->certificate, err);
}

/* A public value that cannot be used makes the key unusable, but not the file malformed: Notary keeps such
 * keys. */
static int notary_public(struct mf_tuf_key *key, const struct mf_buf *type, struct mf_bytes public,
			 struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	if (buf_is(type, "ed25519"))
		key->pub = mf_pubkey_from_ed25519(public, &why);
	else if (buf_is(type, "ecdsa") || buf_is(type, "rsa"))
		key->pub = mf_pubkey_from_spki(public, &why);
	else if (key->x509)
		key->pub = certificate_key(key, &why);
	if (mf_err_pass_ours(err, &why) < 0)
		return -1;
	if (!key->pub || buf_is(type, "ed25519"))
		return 0;
	bool ecdsa = mf_pubkey_type(key->pub) == MF_KEY_ECDSA, rsa = mf_pubkey_type(key->pub) == MF_KEY_RSA;
	if (mf_str_starts(mf_buf_str(type), MF_STR("ecdsa")) ? ecdsa : rsa)
		return 0;
	mf_pubkey_unref(key->pub);
	key->pub = NULL;
	return 0;
}

static int notary_key(struct mf_tuf_key *key, struct mf_arena *arena, struct mf_err *err)
{
	struct key_parts k MF_CLEANUP(key_parts_clear) = KEY_PARTS_INIT;
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(131072), public MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	char id[65];
	if (read_key_parts(key->raw, &k, err) < 0 || mf_b64_decode(&public, mf_buf_str(&k.public), err) < 0 ||
	    notary_key_object(mf_buf_str(&k.type), mf_buf_str(&k.public), &object, err) < 0 ||
	    hash_id(mf_buf_str(&object), id, err) < 0)
		return -1;
	key->id_fits = mf_str_eqz(key->id, id);
	key->x509 = buf_is(&k.type, "ecdsa-x509") || buf_is(&k.type, "rsa-x509");
	if (key->x509) {
		char *pem = mf_arena_dup(arena, mf_buf_str(&public), err);
		if (!pem)
			return -1;
		key->certificate = (struct mf_str){pem, public.n};
	}
	return notary_public(key, &k.type, mf_buf_bytes(&public), err);
}

static bool method_is(struct mf_str method, const char *lower)
{
	size_t n = strlen(lower);
	if (method.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (tolower((unsigned char)method.p[i]) != lower[i])
			return false;
	return true;
}

/* The method is outside the signed part, so it must fit the type of the key. */
static bool notary_scheme(const struct mf_tuf_key *key, struct mf_str method, enum mf_sig_scheme *out)
{
	static const struct {
		const char *method;
		enum mf_key_type type;
		enum mf_sig_scheme scheme;
	} rows[] = {
	    {"eddsa", MF_KEY_ED25519, MF_SIG_ED25519},
	    {"ecdsa", MF_KEY_ECDSA, MF_SIG_ECDSA_RAW_SHA256},
	    {"rsapss", MF_KEY_RSA, MF_SIG_RSA_PSS_SHA256},
	    {"rsapkcs1v15", MF_KEY_RSA, MF_SIG_RSA_PKCS1_SHA256},
	};
	for (size_t i = 0; key->pub && i < sizeof rows / sizeof rows[0]; i++)
		if (mf_pubkey_type(key->pub) == rows[i].type && method_is(method, rows[i].method)) {
			*out = rows[i].scheme;
			return true;
		}
	return false;
}

static int notary_signature(struct mf_str text, struct mf_buf *out, struct mf_err *err)
{
	return mf_b64_decode(out, text, err);
}

/* Would a key with this PEM text as its certificate have the ID of `key`? */
static int has_id(const struct mf_tuf_key *key, struct mf_str type, struct mf_str pem, bool *same,
		  struct mf_err *err)
{
	struct mf_buf b64 MF_BUF_CLEANUP = MF_BUF_INIT(131072), object MF_BUF_CLEANUP = MF_BUF_INIT(262144);
	char id[65];
	if (mf_b64_encode(&b64, mf_bytes_of(pem), err) < 0 ||
	    notary_key_object(type, mf_buf_str(&b64), &object, err) < 0 ||
	    hash_id(mf_buf_str(&object), id, err) < 0)
		return -1;
	*same = mf_str_eqz(key->id, id);
	return 0;
}

/* Root keys are certificates. The key is rebuilt from the parsed certificates and must hash to the listed ID:
 * so its text holds nothing but these certificates. */
static int notary_root_key(const struct mf_tuf_key *key, struct mf_str gun, int64_t now, bool check_expiry,
			   struct mf_pubkey **out, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_root_cert cert = {0};
	bool same = false;
	if (!key->certs || !key->id_fits)
		return 0;
	if (mf_root_certs_check(key->certs, gun, now, check_expiry, &cert, &why) < 0)
		return mf_err_pass_ours(err, &why);
	struct mf_str type =
	    mf_pubkey_type(cert.leaf) == MF_KEY_RSA ? MF_STR("rsa-x509") : MF_STR("ecdsa-x509");
	int rc = has_id(key, type, (struct mf_str){cert.pem, cert.pem_n}, &same, &why);
	if (rc < 0)
		rc = mf_err_pass_ours(err, &why);
	else if (same)
		*out = mf_pubkey_ref(cert.leaf);
	mf_root_cert_clear(&cert);
	return rc;
}

/* The parent's name, "/", and one more segment of [-a-z0-9_], as Notary's server requires. */
static bool notary_delegation_name(struct mf_str parent, struct mf_str name)
{
	if (name.n > 255 || !mf_str_starts(name, parent) || name.n < parent.n + 2 || name.p[parent.n] != '/')
		return false;
	for (size_t i = parent.n + 1; i < name.n; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return true;
}

static bool notary_path_covers(struct mf_str path, struct mf_str name)
{
	return mf_str_starts(name, path);
}

static bool notary_path_touches(struct mf_str path, struct mf_str prefix)
{
	return mf_str_starts(path, prefix) || mf_str_starts(prefix, path);
}

static int notary_key_write(const struct mf_pubkey *pub, const struct mf_str *certificate, struct mf_buf *out,
			    char id[65], struct mf_err *err)
{
	struct mf_buf b64 MF_BUF_CLEANUP = MF_BUF_INIT(131072);
	struct mf_bytes public = certificate                             ? mf_bytes_of(*certificate)
				 : mf_pubkey_type(pub) == MF_KEY_ED25519 ? mf_pubkey_ed25519(pub)
									 : mf_pubkey_spki(pub);
	char type[32];
	size_t n = strlen(mf_key_type_name(mf_pubkey_type(pub)));
	memcpy(type, mf_key_type_name(mf_pubkey_type(pub)), n);
	if (certificate) {
		memcpy(type + n, "-x509", 5);
		n += 5;
	}
	size_t from = out->n;
	if (mf_b64_encode(&b64, public, err) < 0 ||
	    notary_key_object((struct mf_str){type, n}, mf_buf_str(&b64), out, err) < 0)
		return -1;
	return hash_id((struct mf_str){out->p + from, out->n - from}, id, err);
}

static enum mf_sig_scheme notary_sign_scheme(const struct mf_pubkey *pub, const char **method)
{
	switch (mf_pubkey_type(pub)) {
	case MF_KEY_ECDSA:
		*method = "ecdsa";
		return MF_SIG_ECDSA_RAW_SHA256;
	case MF_KEY_RSA:
		*method = "rsapss";
		return MF_SIG_RSA_PSS_SHA256;
	case MF_KEY_ED25519:
		break;
	}
	*method = "eddsa";
	return MF_SIG_ED25519;
}

const struct mf_dialect mf_dialect_notary = {
    .name = "notary",
    .type_names = {"Root", "Timestamp", "Snapshot", "Targets"},
    .meta_needs_sha256 = true,
    .snapshot_lists_root = true,
    .key = notary_key,
    .scheme = notary_scheme,
    .signature = notary_signature,
    .root_key = notary_root_key,
    .delegation_name = notary_delegation_name,
    .path_covers = notary_path_covers,
    .path_touches = notary_path_touches,
    .shard_mark = "/_h",
    .prefix_tail = "",
    .key_write = notary_key_write,
    .sign_scheme = notary_sign_scheme,
};

/* ---------------------------------------------------------------- TUF 1.0 */

static const struct {
	const char *keytype, *scheme;
	enum mf_key_type type;
	unsigned bits; /* of the curve that the scheme names; 0: any */
	enum mf_sig_scheme sig;
} tuf1_schemes[] = {
    {"ed25519", "ed25519", MF_KEY_ED25519, 0, MF_SIG_ED25519},
    {"ecdsa", "ecdsa-sha2-nistp256", MF_KEY_ECDSA, 256, MF_SIG_ECDSA_DER_SHA256},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", MF_KEY_ECDSA, 256, MF_SIG_ECDSA_DER_SHA256},
    {"ecdsa", "ecdsa-sha2-nistp384", MF_KEY_ECDSA, 384, MF_SIG_ECDSA_DER_SHA384},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", MF_KEY_ECDSA, 384, MF_SIG_ECDSA_DER_SHA384},
    {"rsa", "rsassa-pss-sha256", MF_KEY_RSA, 0, MF_SIG_RSA_PSS_SHA256_ANY_SALT},
};

static int tuf1_public(struct mf_tuf_key *key, const struct key_parts *k, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	uint8_t raw[32];
	for (size_t i = 0; i < sizeof tuf1_schemes / sizeof tuf1_schemes[0]; i++) {
		if (!buf_is(&k->type, tuf1_schemes[i].keytype) || !buf_is(&k->scheme, tuf1_schemes[i].scheme))
			continue;
		key->scheme = tuf1_schemes[i].sig;
		if (tuf1_schemes[i].type != MF_KEY_ED25519)
			key->pub = mf_pubkey_from_pem(mf_buf_str(&k->public), &why);
		else if (mf_hex_decode(raw, sizeof raw, mf_buf_str(&k->public)) == 0)
			key->pub = mf_pubkey_from_ed25519((struct mf_bytes){raw, sizeof raw}, &why);
		if (key->pub &&
		    (mf_pubkey_type(key->pub) != tuf1_schemes[i].type ||
		     (tuf1_schemes[i].bits && mf_pubkey_bits(key->pub) != tuf1_schemes[i].bits))) {
			mf_pubkey_unref(key->pub);
			key->pub = NULL;
		}
		return mf_err_pass_ours(err, &why);
	}
	return 0;
}

/* A key that cannot be read is no error: its signatures do not count. */
static int tuf1_key(struct mf_tuf_key *key, struct mf_arena *arena, struct mf_err *err)
{
	struct key_parts k MF_CLEANUP(key_parts_clear) = KEY_PARTS_INIT;
	struct mf_err why = MF_ERR_INIT;
	(void)arena;
	key->id_fits = true;
	if (read_key_parts(key->raw, &k, &why) < 0)
		return mf_err_pass_ours(err, &why);
	return tuf1_public(key, &k, err);
}

static bool tuf1_scheme(const struct mf_tuf_key *key, struct mf_str method, enum mf_sig_scheme *out)
{
	(void)method;
	*out = key->scheme;
	return key->pub != NULL;
}

static int tuf1_signature(struct mf_str text, struct mf_buf *out, struct mf_err *err)
{
	return mf_hex_decode_buf(out, text, err);
}

static int tuf1_root_key(const struct mf_tuf_key *key, struct mf_str gun, int64_t now, bool check_expiry,
			 struct mf_pubkey **out, struct mf_err *err)
{
	(void)err, (void)gun, (void)now, (void)check_expiry;
	*out = key->pub ? mf_pubkey_ref(key->pub) : NULL;
	return 0;
}

static bool tuf1_delegation_name(struct mf_str parent, struct mf_str name)
{
	(void)parent;
	return name.n > 0;
}

/* Reads one character. An octet that begins none counts as one; files that were parsed have no such octet. */
static uint32_t next_char(struct mf_str s, size_t *at)
{
	uint32_t c;
	size_t n = mf_utf8_next(s.p + *at, s.p + s.n, &c);
	if (!n)
		c = (unsigned char)s.p[*at];
	*at += n ? n : 1;
	return c;
}

/* Length in octets of the content of brackets, which begins at p[at], behind the '['. -1: there is no ']' in
 * this segment, and the '[' is an ordinary character. */
static ptrdiff_t bracket_length(struct mf_str p, size_t at)
{
	size_t i = at;
	if (i < p.n && p.p[i] == '!')
		i++;
	if (i < p.n && p.p[i] == ']')
		i++;
	while (i < p.n && p.p[i] != ']' && p.p[i] != '/')
		i++;
	return i < p.n && p.p[i] == ']' ? (ptrdiff_t)(i - at) : -1;
}

/* Do brackets with this content match c? They hold characters and ranges ("a-z"); "!" in front negates. */
static bool in_brackets(struct mf_str set, uint32_t c)
{
	size_t at = 0;
	bool found = false, negated = set.n && set.p[0] == '!';
	if (negated)
		at++;
	while (at < set.n) {
		uint32_t first = next_char(set, &at), last = first;
		if (at + 1 < set.n && set.p[at] == '-') {
			at++;
			last = next_char(set, &at);
		}
		found |= first <= c && c <= last;
	}
	return found != negated;
}

/* Does the element of the pattern at *i match the character at *j? Both indices move behind what was
 * compared. */
static bool match_one(struct mf_str p, size_t *i, struct mf_str s, size_t *j)
{
	char kind = p.p[*i];
	uint32_t c = next_char(s, j);
	if (kind == '?') {
		(*i)++;
		return c != '/';
	}
	ptrdiff_t n = kind == '[' ? bracket_length(p, *i + 1) : -1;
	if (n < 0)
		return next_char(p, i) == c;
	struct mf_str set = {p.p + *i + 1, (size_t)n};
	*i += (size_t)n + 2;
	return c != '/' && in_brackets(set, c);
}

/* Matches a PATHPATTERN (4.5) as fnmatch does, by characters: '*' matches any run, '?' any character, "[a-c]"
 * and "[!a-c]" one character. None of them matches '/'. */
static bool glob(struct mf_str p, struct mf_str s)
{
	size_t i = 0, j = 0, star = SIZE_MAX, from = 0;
	while (j < s.n) {
		size_t pi = i, sj = j;
		if (i < p.n && p.p[i] == '*') {
			star = i++;
			from = j;
		} else if (i < p.n && match_one(p, &pi, s, &sj)) {
			i = pi;
			j = sj;
		} else if (star != SIZE_MAX && s.p[from] != '/') {
			i = star + 1;
			(void)next_char(s, &from);
			j = from;
		} else {
			return false;
		}
	}
	while (i < p.n && p.p[i] == '*')
		i++;
	return i == p.n;
}

/* Could the pattern match something that starts with `prefix`? It is compared up to its first wildcard; from
 * there on a match is assumed, and at worst a role is read in vain. */
static bool tuf1_path_touches(struct mf_str path, struct mf_str prefix)
{
	for (size_t i = 0; i < path.n && i < prefix.n; i++) {
		if (path.p[i] == '*' || path.p[i] == '?' || path.p[i] == '[')
			return true;
		if (path.p[i] != prefix.p[i])
			return false;
	}
	return path.n >= prefix.n;
}

/* The scheme for this key; NULL: TUF 1.0 has none. */
static const char *tuf1_scheme_name(const struct mf_pubkey *pub)
{
	for (size_t i = 0; i < sizeof tuf1_schemes / sizeof tuf1_schemes[0]; i++)
		if (tuf1_schemes[i].type == mf_pubkey_type(pub) &&
		    (!tuf1_schemes[i].bits || tuf1_schemes[i].bits == mf_pubkey_bits(pub)))
			return tuf1_schemes[i].scheme;
	return NULL;
}

static int tuf1_key_write(const struct mf_pubkey *pub, const struct mf_str *certificate, struct mf_buf *out,
			  char id[65], struct mf_err *err)
{
	struct mf_buf public MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const char *scheme = tuf1_scheme_name(pub), *type = mf_key_type_name(mf_pubkey_type(pub));
	size_t from = out->n;
	char hex[65];
	(void)certificate;
	if (!scheme)
		return mf_fail(
		    err, MF_E_KEY, 0,
		    "TUF 1.0 has no signature scheme for %s keys of %u bits, only for P-256 and P-384", type,
		    mf_pubkey_bits(pub));
	if (mf_pubkey_type(pub) == MF_KEY_ED25519) {
		mf_hex_encode(hex, mf_pubkey_ed25519(pub).p, 32);
		if (mf_buf_addz(&public, hex, err) < 0)
			return -1;
	} else if (mf_pubkey_to_pem(pub, &public, err) < 0) {
		return -1;
	}
	if (mf_buf_printf(out, err, "{\"keytype\":\"%s\",\"keyval\":{\"public\":", type) < 0 ||
	    mf_json_quote(mf_buf_str(&public), out, err) < 0 ||
	    mf_buf_printf(out, err, "},\"scheme\":\"%s\"}", scheme) < 0)
		return -1;
	return hash_id((struct mf_str){out->p + from, out->n - from}, id, err);
}

static enum mf_sig_scheme tuf1_sign_scheme(const struct mf_pubkey *pub, const char **method)
{
	*method = NULL;
	switch (mf_pubkey_type(pub)) {
	case MF_KEY_ECDSA:
		return mf_pubkey_bits(pub) == 384 ? MF_SIG_ECDSA_DER_SHA384 : MF_SIG_ECDSA_DER_SHA256;
	case MF_KEY_RSA:
		return MF_SIG_RSA_PSS_SHA256;
	case MF_KEY_ED25519:
		break;
	}
	return MF_SIG_ED25519;
}

const struct mf_dialect mf_dialect_tuf1 = {
    .name = "tuf1",
    .says_role = true,
    .type_names = {"root", "timestamp", "snapshot", "targets"},
    .meta_has_suffix = true,
    .meta_needs_version = true,
    .spec_version = true,
    .hash_prefixes = true,
    .hex = true,
    .unique = true,
    .tolerant = true,
    .any_size = true,
    .key = tuf1_key,
    .scheme = tuf1_scheme,
    .signature = tuf1_signature,
    .root_key = tuf1_root_key,
    .delegation_name = tuf1_delegation_name,
    .path_covers = glob,
    .path_touches = tuf1_path_touches,
    .shard_mark = "._h",
    .prefix_tail = "*",
    .key_write = tuf1_key_write,
    .sign_scheme = tuf1_sign_scheme,
};
