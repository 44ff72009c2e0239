#include "crypto/key.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <sodium.h>

#include "base/count.h"
#include "crypto/hash.h"
#include "crypto/internal.h"

/* For messages above this size, OpenSSL's faster SHA-512 outweighs its slower curve arithmetic. */
#define ED25519_BIG ((size_t)65536)
#define PSS_SALT 32
#define MAX_SIGNATURE ((size_t)2048) /* twice the size of an RSA-8192 signature */

struct mf_digest_any {
	uint8_t b[64];
	size_t n;
};

/* Decides, in this one place, which keys a scheme is for: a signature never verifies under a key of
 * another type. */
static bool scheme_fits(const struct mf_pubkey *k, enum mf_sig_scheme scheme)
{
	switch (scheme) {
	case MF_SIG_ED25519:
		return mf_pubkey_type(k) == MF_KEY_ED25519;
	case MF_SIG_ECDSA_RAW_SHA256:
	case MF_SIG_ECDSA_DER_SHA256:
		return mf_pubkey_type(k) == MF_KEY_ECDSA;
	case MF_SIG_ECDSA_DER_SHA384:
		return mf_pubkey_type(k) == MF_KEY_ECDSA && mf_pubkey_bits(k) == 384;
	case MF_SIG_RSA_PSS_SHA256:
	case MF_SIG_RSA_PSS_SHA256_ANY_SALT:
	case MF_SIG_RSA_PKCS1_SHA256:
		return mf_pubkey_type(k) == MF_KEY_RSA;
	}
	return false;
}

static const EVP_MD *scheme_md(enum mf_sig_scheme scheme)
{
	return scheme == MF_SIG_ECDSA_DER_SHA384 ? mf_md_sha384() : mf_md_sha256();
}

static int digest(enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_digest_any *out,
		  struct mf_err *err)
{
	const EVP_MD *md = scheme_md(scheme);
	unsigned n = 0;

	if (!md)
		return mf_fail(err, MF_E_INTERNAL, 0, "compute a digest");
	if (EVP_Digest(msg.n ? msg.p : (const uint8_t *)"", msg.n, out->b, &n, md, NULL) != 1)
		return mf_fail_nomem(err);
	out->n = n;
	return 0;
}

static int fail_sig(struct mf_err *err)
{
	return mf_ossl_fail(err, MF_E_SIGNATURE, "signature does not verify");
}

/* Sets padding and MGF1 digest, for signing and verifying alike. */
static bool rsa_setup(EVP_PKEY_CTX *ctx, enum mf_sig_scheme scheme)
{
	int salt = scheme == MF_SIG_RSA_PSS_SHA256_ANY_SALT ? RSA_PSS_SALTLEN_AUTO : PSS_SALT;

	if (EVP_PKEY_CTX_get_operation(ctx) == EVP_PKEY_OP_SIGN)
		salt = PSS_SALT;
	if (scheme == MF_SIG_RSA_PKCS1_SHA256)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mf_md_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) == 1;
}

static bool ctx_setup(EVP_PKEY_CTX *ctx, const struct mf_pubkey *k, enum mf_sig_scheme scheme)
{
	if (mf_pubkey_type(k) == MF_KEY_RSA && !rsa_setup(ctx, scheme))
		return false;
	return EVP_PKEY_CTX_set_signature_md(ctx, scheme_md(scheme)) == 1;
}

/* Converts r||s to DER. Both numbers must have exactly the curve's width: another length would be a second
 * encoding of the same signature. */
static int raw_to_der(unsigned bits, struct mf_bytes raw, struct mf_ossl_mem *der, struct mf_err *err)
{
	size_t width = (bits + 7) / 8;
	ECDSA_SIG *sig;
	BIGNUM *r, *s;
	int n = -1;

	if (raw.n != 2 * width)
		return mf_fail(err, MF_E_SIGNATURE, 0, "ECDSA signature has %zu bytes, expected %zu", raw.n,
			       2 * width);
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(raw.p, (int)width, NULL);
	s = BN_bin2bn(raw.p + width, (int)width, NULL);
	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		n = i2d_ECDSA_SIG(sig, &der->p);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	if (n <= 0)
		return mf_fail_nomem(err);
	der->n = (size_t)n;
	return 0;
}

static int der_to_raw(unsigned bits, struct mf_bytes der, struct mf_buf *out, struct mf_err *err)
{
	int width = (int)((bits + 7) / 8);
	uint8_t raw[2 * 66]; /* P-521 */
	const unsigned char *p = der.p;
	ECDSA_SIG *sig = der.n <= MAX_SIGNATURE ? d2i_ECDSA_SIG(NULL, &p, (long)der.n) : NULL;
	bool ok = sig && p == der.p + der.n && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, width) == width &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + width, width) == width;

	ECDSA_SIG_free(sig);
	if (!ok)
		return mf_ossl_fail(err, MF_E_SIGNATURE,
				    "expected an ECDSA signature in DER, got something else");
	return mf_buf_add(out, raw, 2 * (size_t)width, err);
}

/* Verifies with OpenSSL, as strictly as libsodium: both refuse S >= L and compare R octet for octet, and
 * the constructor of the key has refused small order and non-canonical encodings. One difference is left:
 * libsodium refuses R = identity, which has small order, so it is refused here. */
static int ed25519_verify_big(const struct mf_pubkey *k, struct mf_bytes msg, struct mf_bytes sig,
			      struct mf_err *err)
{
	static const uint8_t identity[32] = {1};
	EVP_MD_CTX *ctx MF_EVP_MD_CTX_CLEANUP = EVP_MD_CTX_new();
	EVP_PKEY *key MF_EVP_PKEY_CLEANUP =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, mf_pubkey_ed25519(k).p, 32);

	if (memcmp(sig.p, identity, 32) == 0)
		return fail_sig(err);
	if (!ctx || !key || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1)
		return mf_fail(err, MF_E_INTERNAL, 0, "prepare to verify a signature");
	return EVP_DigestVerify(ctx, sig.p, sig.n, msg.p, msg.n) == 1 ? 0 : fail_sig(err);
}

static int ed25519_verify(const struct mf_pubkey *k, struct mf_bytes msg, struct mf_bytes sig,
			  struct mf_err *err)
{
	if (sig.n != crypto_sign_BYTES)
		return mf_fail(err, MF_E_SIGNATURE, 0, "ed25519 signature has %zu bytes, expected 64", sig.n);
	if (msg.n > ED25519_BIG)
		return ed25519_verify_big(k, msg, sig, err);
	if (crypto_sign_verify_detached(sig.p, msg.n ? msg.p : (const uint8_t *)"", msg.n,
					mf_pubkey_ed25519(k).p) != 0)
		return mf_fail(err, MF_E_SIGNATURE, 0, "signature does not verify");
	return 0;
}

static int evp_verify(const struct mf_pubkey *k, enum mf_sig_scheme scheme, const struct mf_digest_any *d,
		      struct mf_bytes sig, struct mf_err *err)
{
	EVP_PKEY_CTX *ctx MF_EVP_PKEY_CTX_CLEANUP = EVP_PKEY_CTX_new(mf_pubkey_evp(k), NULL);

	if (!ctx || EVP_PKEY_verify_init(ctx) != 1 || !ctx_setup(ctx, k, scheme))
		return mf_fail(err, MF_E_INTERNAL, 0, "prepare to verify a signature");
	/* The result is negative for malformed signatures and 0 for wrong ones: only 1 is success. */
	return EVP_PKEY_verify(ctx, sig.p, sig.n, d->b, d->n) == 1 ? 0 : fail_sig(err);
}

static int verify(const struct mf_pubkey *k, enum mf_sig_scheme scheme, struct mf_bytes msg,
		  struct mf_bytes sig, struct mf_err *err)
{
	struct mf_ossl_mem der MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	struct mf_digest_any d;

	if (!scheme_fits(k, scheme))
		return mf_fail(err, MF_E_SIGNATURE, 0, "the signature scheme does not match the %s key",
			       mf_key_type_name(mf_pubkey_type(k)));
	if (sig.n == 0)
		return mf_fail(err, MF_E_SIGNATURE, 0, "empty signature");
	if (scheme == MF_SIG_ED25519)
		return ed25519_verify(k, msg, sig, err);
	if (scheme == MF_SIG_ECDSA_RAW_SHA256) {
		if (raw_to_der(mf_pubkey_bits(k), sig, &der, err) < 0)
			return -1;
		sig = (struct mf_bytes){der.p, der.n};
	}
	if (digest(scheme, msg, &d, err) < 0)
		return -1;
	return evp_verify(k, scheme, &d, sig, err);
}

int mf_sig_verify(const struct mf_pubkey *k, enum mf_sig_scheme scheme, struct mf_bytes msg,
		  struct mf_bytes sig, struct mf_err *err)
{
	MF_OSSL_QUIET;
	mf_counts()->hashed += msg.n;
	int rc = verify(k, scheme, msg, sig, err);
	return rc == 0 || !mf_ossl_try_again(err) ? rc : verify(k, scheme, msg, sig, err);
}

static int ed25519_sign(const struct mf_secret *seed, struct mf_bytes msg, struct mf_buf *out,
			struct mf_err *err)
{
	struct mf_secret sk MF_SECRET_CLEANUP = MF_SECRET_INIT;
	uint8_t pk[crypto_sign_PUBLICKEYBYTES], sig[crypto_sign_BYTES];

	if (mf_secret_alloc(&sk, crypto_sign_SECRETKEYBYTES, err) < 0)
		return -1;
	if (crypto_sign_seed_keypair(pk, sk.p, seed->p) != 0 ||
	    crypto_sign_detached(sig, NULL, msg.n ? msg.p : (const uint8_t *)"", msg.n, sk.p) != 0)
		return mf_fail(err, MF_E_INTERNAL, 0, "make an ed25519 signature");
	return mf_buf_add(out, sig, sizeof sig, err);
}

static int evp_sign(const struct mf_privkey *k, enum mf_sig_scheme scheme, struct mf_bytes msg,
		    struct mf_buf *out, struct mf_err *err)
{
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = mf_privkey_evp(k, err);
	EVP_PKEY_CTX *ctx MF_EVP_PKEY_CTX_CLEANUP = NULL;
	const struct mf_pubkey *pub = mf_privkey_public(k);
	struct mf_digest_any d;
	uint8_t sig[1024]; /* RSA-8192 */
	size_t n = sizeof sig;

	if (!evp || digest(scheme, msg, &d, err) < 0)
		return -1;
	ctx = EVP_PKEY_CTX_new(evp, NULL);
	if (!ctx || EVP_PKEY_sign_init(ctx) != 1 || !ctx_setup(ctx, pub, scheme) ||
	    EVP_PKEY_sign(ctx, sig, &n, d.b, d.n) != 1)
		return mf_fail(err, MF_E_INTERNAL, 0, "make a signature");
	if (scheme != MF_SIG_ECDSA_RAW_SHA256)
		return mf_buf_add(out, sig, n, err);
	/* OpenSSL has just made this signature, so a failure is a bug and no invalid signature. */
	if (der_to_raw(mf_pubkey_bits(pub), (struct mf_bytes){sig, n}, out, err) < 0)
		return mf_err_is_ours(err) ? -1 : mf_recode(err, MF_E_INTERNAL);
	return 0;
}

int mf_privkey_sign(const struct mf_privkey *k, enum mf_sig_scheme scheme, struct mf_bytes msg,
		    struct mf_buf *sig, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_secret seed MF_SECRET_CLEANUP = MF_SECRET_INIT;
	const struct mf_pubkey *pub = mf_privkey_public(k);

	mf_counts()->hashed += msg.n;
	if (!scheme_fits(pub, scheme))
		return mf_fail(err, MF_E_USAGE, 0, "the signature scheme does not match the %s key",
			       mf_key_type_name(mf_pubkey_type(pub)));
	if (scheme != MF_SIG_ED25519)
		return evp_sign(k, scheme, msg, sig, err);
	if (mf_privkey_to_secret(k, &seed, err) < 0)
		return -1;
	return ed25519_sign(&seed, msg, sig, err);
}

/* ---- signatures made by programs and devices */

int mf_sig_from_raw(const struct mf_pubkey *k, enum mf_sig_scheme scheme, struct mf_bytes raw,
		    struct mf_buf *out, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_ossl_mem der MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	if (mf_pubkey_type(k) != MF_KEY_ECDSA || scheme == MF_SIG_ECDSA_RAW_SHA256)
		return mf_buf_add(out, raw.p, raw.n, err);
	if (raw_to_der(mf_pubkey_bits(k), raw, &der, err) < 0)
		return -1;
	return mf_buf_add(out, der.p, der.n, err);
}

int mf_sig_from_der(const struct mf_pubkey *k, enum mf_sig_scheme scheme, struct mf_bytes der,
		    struct mf_buf *out, struct mf_err *err)
{
	MF_OSSL_QUIET;
	if (scheme != MF_SIG_ECDSA_RAW_SHA256)
		return mf_buf_add(out, der.p, der.n, err);
	int rc = der_to_raw(mf_pubkey_bits(k), der, out, err);
	return rc == 0 || !mf_ossl_try_again(err) ? rc : der_to_raw(mf_pubkey_bits(k), der, out, err);
}

static int sign_with_privkey(void *arg, enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_buf *sig,
			     struct mf_err *err)
{
	return mf_privkey_sign(arg, scheme, msg, sig, err);
}

struct mf_signer mf_privkey_signer(struct mf_privkey *k, const char *name)
{
	return (struct mf_signer){mf_privkey_public(k), name, sign_with_privkey, k};
}

int mf_signer_sign(const struct mf_signer *s, enum mf_sig_scheme scheme, struct mf_bytes msg,
		   struct mf_buf *sig, struct mf_err *err)
{
	struct mf_buf made MF_BUF_CLEANUP = MF_BUF_INIT(MAX_SIGNATURE);
	if (!scheme_fits(s->pub, scheme))
		return mf_fail(err, MF_E_KEY, 0, "key '%s' has type %s, which does not fit the signature",
			       s->name, mf_key_type_name(mf_pubkey_type(s->pub)));
	if (s->sign(s->arg, scheme, msg, &made, err) < 0)
		return -1;
	if (mf_sig_verify(s->pub, scheme, msg, mf_buf_bytes(&made), err) < 0) {
		if (!mf_err_is_ours(err))
			(void)mf_recode(err, MF_E_KEY);
		return mf_wrap(err, "verify the new signature of key '%s'", s->name);
	}
	return mf_buf_add(sig, made.p, made.n, err);
}
