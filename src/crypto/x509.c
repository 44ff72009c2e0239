#include "crypto/x509.h"

#include <time.h>

#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "base/count.h"
#include "base/limits.h"
#include "crypto/internal.h"
#include "crypto/pem.h"

/* Enough for a leaf and a private CA hierarchy. Each certificate costs a parse and, in a chain, a
 * signature check. */
#define MAX_CERTS 16
#define MAX_PEM_BYTES MF_MAX_ROOT_BYTES
#define MAX_CA_FILE_BYTES MF_MAX_CONFIG_BYTES
#define MAX_CA_FILE_CERTS 256
#define DAY_S 86400
#define VALID_YEARS 10

struct cert {
	X509 *x;
	uint8_t *der; /* the octets as read: re-encoding could change the key ID */
	size_t der_n;
	bool is_ca;
};

struct bundle {
	struct cert *c;
	size_t n, cap;
};
#define BUNDLE_INIT                                                                                          \
	{                                                                                                    \
		NULL, 0, 0                                                                                   \
	}
#define BUNDLE_CLEANUP MF_CLEANUP(bundle_clear)

static void bundle_clear(struct bundle *b)
{
	for (size_t i = 0; i < b->n; i++) {
		X509_free(b->c[i].x);
		free(b->c[i].der);
	}
	free(b->c);
}

void mf_root_cert_clear(struct mf_root_cert *c)
{
	mf_pubkey_unref(c->leaf);
	free(c->pem);
	*c = (struct mf_root_cert){NULL, NULL, 0, 0};
}

/* Without basic constraints the certificate is not a CA (RFC 5280 section 4.2.1.9). An extension that
 * occurs twice or is damaged is an error. */
static int read_is_ca(const X509 *x, bool *is_ca, struct mf_err *err)
{
	int crit = 0;
	BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(x, NID_basic_constraints, &crit, NULL);

	if (!bc && crit != -1)
		return mf_ossl_fail(err, MF_E_FORMAT, "certificate with damaged basic constraints");
	*is_ca = bc && bc->ca;
	BASIC_CONSTRAINTS_free(bc);
	return 0;
}

static int bundle_add(struct bundle *b, const struct mf_pem_block *block, struct mf_err *err)
{
	const unsigned char *p = block->der;
	struct cert *c;

	if (strcmp(block->label, "CERTIFICATE") != 0)
		return mf_fail(err, MF_E_FORMAT, 0, "expected a PEM certificate, got another PEM block");
	if (mf_grow((void **)&b->c, &b->cap, b->n, sizeof *b->c, err) < 0)
		return -1;
	c = &b->c[b->n];
	*c = (struct cert){NULL, NULL, block->der_n, false};
	b->n++;
	c->x = d2i_X509(NULL, &p, (long)block->der_n);
	mf_counts()->certificates++;
	if (!c->x || p != block->der + block->der_n)
		return mf_ossl_fail(err, MF_E_FORMAT, "damaged certificate");
	c->der = mf_calloc(block->der_n, 1);
	if (!c->der)
		return mf_fail_nomem(err);
	memcpy(c->der, block->der, block->der_n);
	return read_is_ca(c->x, &c->is_ca, err);
}

void mf_root_certs_prepare(void)
{
	/* SubjectPublicKeyInfo of an Ed25519 key (RFC 8410). */
	static const uint8_t any[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21};
	MF_OSSL_QUIET;
	const unsigned char *p = any;

	EVP_PKEY_free(d2i_PUBKEY(NULL, &p, (long)sizeof any));
}

static int bundle_read(struct bundle *b, struct mf_str pem, size_t max_bytes, size_t max_certs,
		       struct mf_err *err)
{
	struct mf_pem_reader *r MF_PEM_READER_CLEANUP = mf_pem_reader_new(pem, max_bytes, err);

	if (!r)
		return -1;
	for (;;) {
		struct mf_pem_block block MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
		int got = mf_pem_next(r, &block, err);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		if (b->n == max_certs)
			return mf_fail(err, MF_E_FORMAT, 0, "more than %zu certificates", max_certs);
		if (bundle_add(b, &block, err) < 0)
			return -1;
	}
	if (b->n == 0)
		return mf_fail(err, MF_E_FORMAT, 0, "no PEM certificate");
	return 0;
}

static int time_of(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return -1;
	*out = (int64_t)timegm(&tm);
	return 0;
}

/* An allow list, which excludes SHA-1 and everything older or unknown. */
static bool strong_signature(X509 *x)
{
	int md = NID_undef, pk = NID_undef;

	if (X509_get_signature_info(x, &md, &pk, NULL, NULL) != 1)
		return false;
	return md == NID_sha256 || md == NID_sha384 || md == NID_sha512 || pk == NID_ED25519;
}

static bool strong_key(X509 *x)
{
	const EVP_PKEY *k = X509_get0_pubkey(x);

	return k && (EVP_PKEY_get_base_id(k) != EVP_PKEY_RSA || EVP_PKEY_get_bits(k) >= 2048);
}

/* Returns the last common name, as Go does. Only string types whose octets are valid as UTF-8 without
 * conversion are accepted. */
static struct mf_str common_name(const X509 *x)
{
	X509_NAME *name = X509_get_subject_name(x);
	const ASN1_STRING *s = NULL;
	int type;

	for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0;)
		s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	type = s ? ASN1_STRING_type(s) : -1;
	if (type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING && type != V_ASN1_IA5STRING)
		return MF_STR("");
	return (struct mf_str){(const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)};
}

static bool cn_fits(struct mf_str cn, struct mf_str gun)
{
	if (cn.n == 0 || cn.p[cn.n - 1] != '*')
		return cn.n && mf_str_eq(cn, gun);
	while (cn.n && cn.p[cn.n - 1] == '*')
		cn.n--;
	return mf_str_starts(gun, cn);
}

/* Checks that the first certificate, the leaf, is the only one that is not a CA. */
static int check_shape(const struct bundle *b, struct mf_err *err)
{
	if (b->c[0].is_ca)
		return mf_fail(err, MF_E_FORMAT, 0,
			       "expected a root certificate first, got a CA certificate");
	for (size_t i = 1; i < b->n; i++) {
		if (!b->c[i].is_ca)
			return mf_fail(err, MF_E_FORMAT, 0, "more than one certificate that is not a CA");
	}
	return 0;
}

static struct mf_pubkey *leaf_key(X509 *x, struct mf_err *err)
{
	struct mf_ossl_mem spki MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	struct mf_pubkey *k;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki.p);

	if (n <= 0) {
		mf_ossl_fail(err, MF_E_FORMAT, "certificate without a public key");
		return NULL;
	}
	spki.n = (size_t)n;
	k = mf_pubkey_from_spki((struct mf_bytes){spki.p, spki.n}, err);
	if (k && mf_pubkey_type(k) == MF_KEY_ED25519) {
		mf_pubkey_unref(k);
		mf_fail(err, MF_E_FORMAT, 0, "an ed25519 key cannot be a root key");
		return NULL;
	}
	return k;
}

/* ---- the key of a root */

/* What Notary's rules ("Root keys") need to know of one certificate, in memory of our own. A parsed
 * certificate of OpenSSL is not kept: if OpenSSL lacks memory once, it marks the certificate as invalid
 * for good, and later checks would fail. */
struct facts {
	uint8_t *der; /* the octets as read: re-encoding could change the key ID */
	size_t der_n;
	int64_t from, to;
	const char *unfit; /* why the certificate can never be used; NULL: it can */
};

struct mf_root_certs {
	size_t refs;
	struct mf_pubkey *leaf;
	char *cn; /* common name of the leaf */
	size_t cn_n;
	bool fit; /* none of the certificates is unfit */
	size_t n;
	struct facts v[]; /* the first is the leaf */
};

struct mf_root_certs *mf_root_certs_ref(struct mf_root_certs *c)
{
	c->refs++;
	return c;
}

void mf_root_certs_unref(struct mf_root_certs *c)
{
	if (!c || --c->refs)
		return;
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i].der);
	mf_pubkey_unref(c->leaf);
	free(c->cn);
	free(c);
}

struct mf_pubkey *mf_root_certs_leaf(const struct mf_root_certs *c)
{
	return c->leaf;
}

void mf_root_certs_validity(const struct mf_root_certs *c, int64_t *not_before, int64_t *not_after)
{
	*not_before = c->v[0].from;
	*not_after = c->v[0].to;
}

static const char *unfit(X509 *x, struct facts *f)
{
	if (time_of(X509_get0_notBefore(x), &f->from) || time_of(X509_get0_notAfter(x), &f->to) ||
	    f->from > f->to)
		return "certificate with an unusable time of validity";
	if (!strong_signature(x))
		return "certificate with a weak or unknown signature algorithm";
	return strong_key(x) ? NULL : "certificate with an unusable key";
}

static int keep_common_name(struct mf_root_certs *c, const X509 *leaf, struct mf_err *err)
{
	struct mf_str cn = common_name(leaf);
	c->cn = mf_calloc(cn.n + 1, 1);
	if (!c->cn)
		return mf_fail_nomem(err);
	memcpy(c->cn, cn.p, cn.n);
	c->cn_n = cn.n;
	return 0;
}

static struct mf_root_certs *certs_read(struct mf_str pem, struct mf_err *err)
{
	struct bundle b BUNDLE_CLEANUP = BUNDLE_INIT;
	if (bundle_read(&b, pem, MAX_PEM_BYTES, MAX_CERTS, err) < 0 || check_shape(&b, err) < 0)
		return NULL;
	struct mf_root_certs *c = mf_calloc(1, sizeof *c + b.n * sizeof c->v[0]);
	if (!c) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	c->refs = 1;
	c->fit = true;
	for (c->n = 0; c->n < b.n; c->n++) {
		struct cert *from = &b.c[c->n];
		struct facts *f = &c->v[c->n];
		f->der = from->der;
		f->der_n = from->der_n;
		from->der = NULL;
		f->unfit = unfit(from->x, f);
		c->fit = c->fit && !f->unfit;
	}
	if (!c->fit && !mf_ossl_memory_is_left())
		(void)mf_fail_nomem(err);
	else if (keep_common_name(c, b.c[0].x, err) == 0 && (c->leaf = leaf_key(b.c[0].x, err)))
		return c;
	mf_root_certs_unref(c);
	return NULL;
}

/* When OpenSSL lacks memory, it may find a valid certificate unfit. So an unfit result is accepted only
 * when a second parse gives it, too. */
struct mf_root_certs *mf_root_certs_read(struct mf_str pem, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_root_certs *c MF_ROOT_CERTS_CLEANUP = certs_read(pem, err);
	if (c ? !c->fit : mf_ossl_try_again(err))
		return certs_read(pem, err);
	return c ? mf_root_certs_ref(c) : NULL;
}

/* Checks one certificate, leaf or CA. */
static int check_facts(const struct facts *f, int64_t now, bool check_expiry, struct mf_err *err)
{
	if (f->unfit)
		return mf_fail(err, MF_E_FORMAT, 0, "%s", f->unfit);
	if (check_expiry && now < f->from - DAY_S)
		return mf_fail(err, MF_E_FORMAT, 0, "certificate is not yet valid");
	if (check_expiry && f->to < now)
		return mf_fail(err, MF_E_FORMAT, 0, "certificate has expired");
	return 0;
}

/* Writes the text with only the certificates that pass the checks: Notary drops an unfit CA and continues
 * without it. */
static int rebuild(const struct mf_root_certs *c, int64_t now, bool check_expiry, struct mf_buf *out,
		   struct mf_err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct facts *f = &c->v[i];
		struct mf_err ignored = MF_ERR_INIT;
		if (check_facts(f, now, check_expiry, &ignored) == 0 &&
		    mf_pem_write(out, "CERTIFICATE", "", (struct mf_bytes){f->der, f->der_n}, err) < 0)
			return -1;
	}
	return 0;
}

int mf_root_certs_check(const struct mf_root_certs *c, struct mf_str gun, int64_t now, bool check_expiry,
			struct mf_root_cert *out, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(2 * MAX_PEM_BYTES);
	struct mf_str cn = {c->cn, c->cn_n};
	struct mf_esc esc;
	if (check_facts(&c->v[0], now, check_expiry, err) < 0)
		return -1;
	if (!cn_fits(cn, gun))
		return mf_fail(err, MF_E_FORMAT, 0, "the certificate names another repository: '%s'",
			       mf_esc(&esc, cn));
	if (rebuild(c, now, check_expiry, &text, err) < 0)
		return -1;
	size_t n = text.n;
	char *pem = mf_buf_take(&text);
	if (!pem)
		return mf_fail_nomem(err);
	*out = (struct mf_root_cert){mf_pubkey_ref(c->leaf), pem, n, c->v[0].to};
	return 0;
}

int mf_root_cert_read(struct mf_root_cert *out, struct mf_str pem, struct mf_str gun, int64_t now,
		      bool check_expiry, struct mf_err *err)
{
	struct mf_root_certs *c MF_ROOT_CERTS_CLEANUP = mf_root_certs_read(pem, err);
	return c ? mf_root_certs_check(c, gun, now, check_expiry, out, err) : -1;
}

/* ---- chains to a CA */

MF_OSSL_CLEANUP_FN(X509_STORE, store_cleanup, X509_STORE_free)
MF_OSSL_CLEANUP_FN(X509_STORE_CTX, store_ctx_cleanup, X509_STORE_CTX_free)

static void stack_cleanup(STACK_OF(X509) * *s)
{
	sk_X509_free(*s); /* the bundle owns the certificates */
}

/* Trusts the given certificates and nothing else. As in Go, one that is not self-signed is an anchor, too. */
static X509_STORE *anchors(const struct bundle *ca)
{
	X509_STORE *s = X509_STORE_new();

	for (size_t i = 0; s && i < ca->n; i++) {
		if (X509_STORE_add_cert(s, ca->c[i].x) != 1) {
			X509_STORE_free(s);
			return NULL;
		}
	}
	return s;
}

static STACK_OF(X509) * intermediates(const struct bundle *b)
{
	STACK_OF(X509) *s = sk_X509_new_null();

	for (size_t i = 1; s && i < b->n; i++) {
		if (!b->c[i].is_ca)
			continue;
		if (sk_X509_push(s, b->c[i].x) <= 0) {
			sk_X509_free(s);
			return NULL;
		}
	}
	return s;
}

static int verify_chain(const struct bundle *b, const struct bundle *ca, int64_t now, struct mf_err *err)
{
	X509_STORE *store MF_CLEANUP(store_cleanup) = anchors(ca);
	STACK_OF(X509) * between MF_CLEANUP(stack_cleanup) = intermediates(b);
	X509_STORE_CTX *ctx MF_CLEANUP(store_ctx_cleanup) = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (!store || !between || !ctx || X509_STORE_CTX_init(ctx, store, b->c[0].x, between) != 1)
		return mf_fail_nomem(err);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)now);
	X509_VERIFY_PARAM_set_depth(param, MAX_CERTS);
	X509_VERIFY_PARAM_set_auth_level(param, 2); /* 112 bits: RSA 2048, no SHA-1 */
	/* No purpose is set, because Notary's leaf certificates are for code signing only. */
	if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) != 1)
		return mf_fail(err, MF_E_INTERNAL, 0, "prepare to verify a certificate");
	if (X509_verify_cert(ctx) == 1)
		return 0;
	if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_OUT_OF_MEM)
		return mf_fail_nomem(err);
	return mf_fail(err, MF_E_PIN, 0, "root certificate does not chain to the pinned CA: %s",
		       X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
}

static int chains_to(struct mf_str pem, struct mf_str ca_pem, int64_t now, struct mf_err *err)
{
	struct bundle b BUNDLE_CLEANUP = BUNDLE_INIT;
	struct bundle ca BUNDLE_CLEANUP = BUNDLE_INIT;

	if (bundle_read(&b, pem, MAX_PEM_BYTES, MAX_CERTS, err) < 0) {
		mf_wrap(err, "root certificate");
		return err->code == MF_E_FORMAT ? mf_recode(err, MF_E_PIN) : -1;
	}
	if (bundle_read(&ca, ca_pem, MAX_CA_FILE_BYTES, MAX_CA_FILE_CERTS, err) < 0) {
		mf_wrap(err, "pinned CA");
		return err->code == MF_E_FORMAT ? mf_recode(err, MF_E_PIN) : -1;
	}
	return verify_chain(&b, &ca, now, err);
}

int mf_root_cert_chains_to(struct mf_str pem, struct mf_str ca_pem, int64_t now, struct mf_err *err)
{
	MF_OSSL_QUIET;
	int rc = chains_to(pem, ca_pem, now, err);
	return rc == 0 || !mf_ossl_try_again(err) ? rc : chains_to(pem, ca_pem, now, err);
}

static bool set_serial(X509 *x)
{
	uint8_t octets[16];
	BIGNUM *n;
	bool ok;

	mf_random(octets, sizeof octets);
	n = BN_bin2bn(octets, sizeof octets, NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

static bool set_times(X509 *x, int64_t now)
{
	time_t from = (time_t)now, to;
	struct tm tm;

	if (!gmtime_r(&from, &tm))
		return false;
	tm.tm_year += VALID_YEARS;
	to = timegm(&tm);
	return ASN1_TIME_set(X509_getm_notBefore(x), from) && ASN1_TIME_set(X509_getm_notAfter(x), to);
}

/* V_ASN1_UTF8STRING and not MBSTRING_UTF8: with the latter OpenSSL limits a common name to 64 characters. */
static bool set_names(X509 *x, struct mf_str gun)
{
	X509_NAME *name = X509_get_subject_name(x);

	return X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
					  (const unsigned char *)gun.p, (int)gun.n, -1, 0) == 1 &&
	       X509_set_issuer_name(x, name) == 1;
}

static bool set_extensions(X509 *x)
{
	static const struct {
		int nid;
		const char *value;
	} rows[] = {
	    {NID_key_usage, "critical,digitalSignature,keyEncipherment"},
	    {NID_ext_key_usage, "codeSigning"},
	    {NID_basic_constraints, "critical,CA:FALSE"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, rows[i].nid, rows[i].value);
		int r = e ? X509_add_ext(x, e, -1) : 0;

		X509_EXTENSION_free(e);
		if (r != 1)
			return false;
	}
	return true;
}

/* Sets the algorithm of the certificate's signature, which occurs in the certificate twice. */
static bool set_algorithm(X509_ALGOR *a, const struct mf_pubkey *key)
{
	bool rsa = mf_pubkey_type(key) == MF_KEY_RSA; /* RFC 4055: NULL parameters; RFC 5758: none */
	return a && X509_ALGOR_set0(a, OBJ_nid2obj(rsa ? NID_sha256WithRSAEncryption : NID_ecdsa_with_SHA256),
				    rsa ? V_ASN1_NULL : V_ASN1_UNDEF, NULL) == 1;
}

/* Makes the TBSCertificate, the part that is signed. OpenSSL has a setter for its algorithm only together
 * with signing, hence the cast. */
static int make_tbs(const struct mf_pubkey *key, struct mf_str gun, int64_t now, struct mf_ossl_mem *out,
		    struct mf_err *err)
{
	X509 *x MF_X509_CLEANUP = X509_new();
	if (!x || X509_set_version(x, X509_VERSION_3) != 1 || !set_serial(x) || !set_times(x, now) ||
	    !set_names(x, gun) || !set_extensions(x) || X509_set_pubkey(x, mf_pubkey_evp(key)) != 1 ||
	    !set_algorithm((X509_ALGOR *)(uintptr_t)X509_get0_tbs_sigalg(x), key))
		return mf_fail(err, MF_E_INTERNAL, 0, "make a certificate");
	int n = i2d_re_X509_tbs(x, &out->p);
	if (n <= 0)
		return mf_fail_nomem(err);
	out->n = (size_t)n;
	return 0;
}

/* Certificate ::= SEQUENCE { TBSCertificate, AlgorithmIdentifier, BIT STRING } (RFC 5280, section 4.1) */
static int put_certificate(struct mf_bytes tbs, struct mf_bytes algorithm, struct mf_bytes sig,
			   struct mf_buf *out, struct mf_err *err)
{
	int bits = ASN1_object_size(0, (int)sig.n + 1, V_ASN1_BIT_STRING);
	int body = (int)(tbs.n + algorithm.n) + bits;
	int all = ASN1_object_size(1, body, V_ASN1_SEQUENCE);
	if (mf_buf_reserve(out, (size_t)all, err) < 0)
		return -1;
	unsigned char *p = (unsigned char *)out->p;
	ASN1_put_object(&p, 1, body, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	memcpy(p, tbs.p, tbs.n);
	memcpy(p + tbs.n, algorithm.p, algorithm.n);
	p += tbs.n + algorithm.n;
	ASN1_put_object(&p, 0, (int)sig.n + 1, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL);
	*p++ = 0; /* unused bits */
	memcpy(p, sig.p, sig.n);
	out->n = (size_t)all;
	return 0;
}

int mf_root_cert_make(const struct mf_signer *signer, struct mf_str gun, int64_t now, struct mf_buf *pem,
		      struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_ossl_mem tbs MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT,
			       algorithm MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	struct mf_buf der MF_BUF_CLEANUP = MF_BUF_INIT(65536), sig MF_BUF_CLEANUP = MF_BUF_INIT(2048);
	enum mf_key_type type = mf_pubkey_type(signer->pub);

	if (gun.n == 0 || gun.n > MF_MAX_GUN)
		return mf_fail(err, MF_E_USAGE, 0, "a repository name must have 1 to %d bytes", MF_MAX_GUN);
	if (type == MF_KEY_ED25519) {
		(void)mf_fail(
		    err, MF_E_KEY, 0,
		    "key '%s' cannot be a root key of Notary: expected an ecdsa or rsa key, got ed25519",
		    signer->name);
		mf_err_set_hint(err,
				"Notary's root key has an X.509 certificate; make one with 'manifesto key "
				"generate --type ecdsa NAME'");
		return -1;
	}
	if (make_tbs(signer->pub, gun, now, &tbs, err) < 0 ||
	    mf_signer_sign(signer, type == MF_KEY_RSA ? MF_SIG_RSA_PKCS1_SHA256 : MF_SIG_ECDSA_DER_SHA256,
			   (struct mf_bytes){tbs.p, tbs.n}, &sig, err) < 0)
		return -1;
	X509_ALGOR *a = X509_ALGOR_new();
	int n = set_algorithm(a, signer->pub) ? i2d_X509_ALGOR(a, &algorithm.p) : -1;
	X509_ALGOR_free(a);
	if (n <= 0)
		return mf_fail_nomem(err);
	algorithm.n = (size_t)n;
	if (put_certificate((struct mf_bytes){tbs.p, tbs.n}, (struct mf_bytes){algorithm.p, algorithm.n},
			    mf_buf_bytes(&sig), &der, err) < 0)
		return -1;
	return mf_pem_write(pem, "CERTIFICATE", "", mf_buf_bytes(&der), err);
}
