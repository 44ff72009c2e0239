#include "crypto/key.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <sodium.h>

#include "base/limits.h"
#include "crypto/hash.h"
#include "crypto/internal.h"

/* An RSA key of 8192 bits takes about 1 KiB. */
#define MAX_SPKI_BYTES ((size_t)4096)

struct mf_pubkey {
	size_t refs;
	enum mf_key_type type;
	unsigned bits;
	struct mf_digest fingerprint;
	EVP_PKEY *evp;   /* NULL for ed25519 */
	uint8_t raw[32]; /* ed25519 only */
	size_t spki_n;
	uint8_t spki[];
};

/* AlgorithmIdentifier id-Ed25519 and the BIT STRING's start: RFC 8410, "Subject Public Key Fields". */
static const uint8_t ed25519_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
#define ED25519_SPKI (sizeof ed25519_head + 32)

/* AlgorithmIdentifier id-ecPublicKey with the named curve prime256v1, and the start of the BIT STRING,
 * including the octet that marks an uncompressed point: RFC 5480, "Subject Public Key Info". */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
				    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
				    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
#define P256_SPKI (sizeof p256_head + 64)

struct mf_pubkey *mf_pubkey_ref(struct mf_pubkey *k)
{
	k->refs++;
	return k;
}

void mf_pubkey_unref(struct mf_pubkey *k)
{
	if (!k || --k->refs)
		return;
	EVP_PKEY_free(k->evp);
	free(k);
}

enum mf_key_type mf_pubkey_type(const struct mf_pubkey *k)
{
	return k->type;
}

const char *mf_key_type_name(enum mf_key_type t)
{
	switch (t) {
	case MF_KEY_ED25519:
		return "ed25519";
	case MF_KEY_ECDSA:
		return "ecdsa";
	case MF_KEY_RSA:
		return "rsa";
	}
	return "unknown";
}

struct mf_bytes mf_pubkey_spki(const struct mf_pubkey *k)
{
	return (struct mf_bytes){k->spki, k->spki_n};
}

struct mf_bytes mf_pubkey_ed25519(const struct mf_pubkey *k)
{
	assert(k->type == MF_KEY_ED25519);
	return (struct mf_bytes){k->raw, sizeof k->raw};
}

struct mf_digest mf_pubkey_fingerprint(const struct mf_pubkey *k)
{
	return k->fingerprint;
}

void mf_pubkey_hex(char out[65], const struct mf_pubkey *k)
{
	mf_digest_hex(out, &k->fingerprint);
}

bool mf_pubkey_eq(const struct mf_pubkey *a, const struct mf_pubkey *b)
{
	return a && b && mf_digest_eq(&a->fingerprint, &b->fingerprint);
}

unsigned mf_pubkey_bits(const struct mf_pubkey *k)
{
	return k->bits;
}

EVP_PKEY *mf_pubkey_evp(const struct mf_pubkey *k)
{
	return k->evp;
}

/* Takes ownership of evp in every case. */
static struct mf_pubkey *pubkey_make(enum mf_key_type type, unsigned bits, struct mf_bytes spki,
				     EVP_PKEY *evp, struct mf_err *err)
{
	struct mf_pubkey *k = mf_calloc(1, sizeof *k + spki.n);

	if (!k) {
		EVP_PKEY_free(evp);
		mf_fail_nomem(err);
		return NULL;
	}
	k->refs = 1;
	k->type = type;
	k->bits = bits;
	k->evp = evp;
	memcpy(k->spki, spki.p, spki.n);
	k->spki_n = spki.n;
	if (mf_sha256(spki, &k->fingerprint, err) < 0) {
		mf_pubkey_unref(k);
		return NULL;
	}
	return k;
}

static struct mf_pubkey *fail_format(struct mf_err *err, const char *why)
{
	mf_ossl_fail(err, MF_E_FORMAT, why);
	return NULL;
}

struct mf_pubkey *mf_pubkey_from_ed25519(struct mf_bytes raw32, struct mf_err *err)
{
	MF_OSSL_QUIET;
	uint8_t spki[ED25519_SPKI];
	struct mf_pubkey *k;

	if (raw32.n != 32)
		return fail_format(err, "an ed25519 public key has 32 octets");
	if (mf_crypto_ready(err) < 0)
		return NULL;
	/* The key must be canonically encoded, on the curve, and of the prime order. A key of small order
	 * would accept signatures on anything, and a second encoding of a key would count as a second key. */
	if (crypto_core_ed25519_is_valid_point(raw32.p) != 1)
		return fail_format(err, "not a usable ed25519 public key");
	memcpy(spki, ed25519_head, sizeof ed25519_head);
	memcpy(spki + sizeof ed25519_head, raw32.p, 32);
	k = pubkey_make(MF_KEY_ED25519, 256, (struct mf_bytes){spki, sizeof spki}, NULL, err);
	if (k)
		memcpy(k->raw, raw32.p, 32);
	return k;
}

/* Returns the bits of the four curves that Notary and TUF use, 0 for any other. Curves are known by name
 * only: explicit parameters could describe a weak curve. */
static unsigned curve_bits(const EVP_PKEY *evp)
{
	static const struct {
		const char *name;
		unsigned bits;
	} curves[] = {{"secp224r1", 224}, {"prime256v1", 256}, {"secp384r1", 384}, {"secp521r1", 521}};
	char name[64];

	if (EVP_PKEY_get_utf8_string_param(evp, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name, NULL) != 1)
		return 0;
	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
		if (strcmp(name, curves[i].name) == 0)
			return curves[i].bits;
	}
	return 0;
}

/* With an exponent of 1 any signature would be valid; the upper bound is the one of Go. */
static bool rsa_exponent_ok(const EVP_PKEY *evp)
{
	BIGNUM *e = NULL;
	bool ok;

	if (EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return false;
	ok = BN_is_odd(e) && BN_num_bits(e) >= 2 && BN_num_bits(e) <= 31;
	BN_free(e);
	return ok;
}

static struct mf_pubkey *from_checked(EVP_PKEY *evp, struct mf_bytes spki, struct mf_err *err)
{
	enum mf_key_type type;
	unsigned bits;

	if (EVP_PKEY_get_id(evp) == EVP_PKEY_EC) {
		type = MF_KEY_ECDSA;
		bits = curve_bits(evp);
		if (!bits)
			return fail_format(err, "unsupported elliptic curve");
	} else if (EVP_PKEY_get_id(evp) == EVP_PKEY_RSA) {
		type = MF_KEY_RSA;
		bits = (unsigned)EVP_PKEY_get_bits(evp);
		if (bits < 2048 || bits > 8192)
			return fail_format(err, "an RSA key has 2048 to 8192 bits");
		if (!rsa_exponent_ok(evp))
			return fail_format(err, "unusable RSA exponent");
	} else {
		return fail_format(err, "unsupported kind of public key");
	}
	if (EVP_PKEY_up_ref(evp) != 1) {
		mf_fail_nomem(err);
		return NULL;
	}
	return pubkey_make(type, bits, spki, evp, err);
}

/* Encodes a key in the only accepted form: named curve, uncompressed point. */
static int encode_spki(EVP_PKEY *evp, struct mf_ossl_mem *out)
{
	int n;

	if (EVP_PKEY_get_id(evp) == EVP_PKEY_EC &&
	    (EVP_PKEY_set_utf8_string_param(evp, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
					    "uncompressed") != 1 ||
	     EVP_PKEY_set_utf8_string_param(evp, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_GROUP) !=
		 1))
		return -1;
	n = i2d_PUBKEY(evp, &out->p);
	if (n <= 0)
		return -1;
	out->n = (size_t)n;
	return 0;
}

/* Reads a P-256 key, the most frequent type with Notary, without OpenSSL's decoders and encoders, which
 * take half a millisecond. The caller has compared the fixed head of its only encoding; importing the
 * point checks that it is on the curve. */
static struct mf_pubkey *from_p256(struct mf_bytes der, struct mf_err *err)
{
	char group[] = "prime256v1";
	struct mf_bytes point = {der.p + sizeof p256_head - 1, 65};
	EVP_PKEY *evp = NULL;
	EVP_PKEY_CTX *ctx MF_EVP_PKEY_CTX_CLEANUP = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.p, point.n),
	    OSSL_PARAM_construct_end(),
	};

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1) {
		mf_fail_nomem(err);
		return NULL;
	}
	if (EVP_PKEY_fromdata(ctx, &evp, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return fail_format(err, "not a public key");
	return pubkey_make(MF_KEY_ECDSA, 256, der, evp, err);
}

static struct mf_pubkey *from_spki(struct mf_bytes der, struct mf_err *err)
{
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = NULL;
	struct mf_ossl_mem again MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	const unsigned char *p = der.p;

	if (der.n == ED25519_SPKI && memcmp(der.p, ed25519_head, sizeof ed25519_head) == 0)
		return mf_pubkey_from_ed25519((struct mf_bytes){der.p + sizeof ed25519_head, 32}, err);
	if (der.n == P256_SPKI && memcmp(der.p, p256_head, sizeof p256_head) == 0)
		return from_p256(der, err);
	if (der.n == 0 || der.n > MAX_SPKI_BYTES)
		return fail_format(err, "not a public key");
	evp = d2i_PUBKEY(NULL, &p, (long)der.n);
	if (!evp || p != der.p + der.n)
		return fail_format(err, "not a public key");
	/* The fingerprint names the key, so each key must have exactly one accepted encoding. Go, too,
	 * reads no other one. */
	if (encode_spki(evp, &again) || again.n != der.n || memcmp(again.p, der.p, der.n) != 0)
		return fail_format(err, "public key in an unusual encoding");
	return from_checked(evp, der, err);
}

struct mf_pubkey *mf_pubkey_from_spki(struct mf_bytes der, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_pubkey *k = from_spki(der, err);
	return k || !mf_ossl_try_again(err) ? k : from_spki(der, err);
}

/* Builds a SubjectPublicKeyInfo around the point: RFC 5480, "Subject Public Key Info". For all curves,
 * lengths take one or two octets. */
struct mf_pubkey *mf_pubkey_from_point(struct mf_bytes curve, struct mf_bytes point, struct mf_err *err)
{
	static const uint8_t id_ec[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
	uint8_t spki[256], *p = spki;
	int alg = (int)(sizeof id_ec + curve.n), bits = (int)point.n + 1;
	if (curve.n > 32 || point.n > 2 * 66 + 1)
		return fail_format(err, "not a public key of an elliptic curve");
	int body = ASN1_object_size(1, alg, V_ASN1_SEQUENCE) + ASN1_object_size(0, bits, V_ASN1_BIT_STRING);
	ASN1_put_object(&p, 1, body, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	ASN1_put_object(&p, 1, alg, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	memcpy(p, id_ec, sizeof id_ec);
	memcpy(p + sizeof id_ec, curve.p, curve.n);
	p += alg;
	ASN1_put_object(&p, 0, bits, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL);
	*p++ = 0; /* unused bits */
	memcpy(p, point.p, point.n);
	return mf_pubkey_from_spki((struct mf_bytes){spki, (size_t)(p - spki) + point.n}, err);
}

/* Encodes and decodes the public key, so that the result has no private part of `evp`. */
struct mf_pubkey *mf_pubkey_from_evp(EVP_PKEY *evp, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_ossl_mem spki MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;

	if (encode_spki(evp, &spki))
		return fail_format(err, "cannot encode the public key");
	return mf_pubkey_from_spki((struct mf_bytes){spki.p, spki.n}, err);
}
