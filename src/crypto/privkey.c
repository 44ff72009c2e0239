#include "crypto/key.h"

#include <openssl/ec.h>
#include <sodium.h>

#include "crypto/internal.h"

/* An RSA key of 8192 bits takes about 5 KiB. */
#define MAX_SECRET_BYTES ((size_t)8192)

/* The key is kept in guarded memory only; OpenSSL's unguarded form exists for the time of one operation. */
struct mf_privkey {
	struct mf_pubkey *pub;
	struct mf_secret secret;
};

void mf_privkey_free(struct mf_privkey *k)
{
	if (!k)
		return;
	mf_pubkey_unref(k->pub);
	mf_secret_clear(&k->secret);
	free(k);
}

struct mf_pubkey *mf_privkey_public(const struct mf_privkey *k)
{
	return k->pub;
}

int mf_privkey_to_secret(const struct mf_privkey *k, struct mf_secret *out, struct mf_err *err)
{
	return mf_secret_copy(out, mf_secret_bytes(&k->secret), err);
}

/* Takes ownership of pub in every case. pub NULL: its maker has failed and set err. */
static struct mf_privkey *privkey_make(struct mf_pubkey *pub, struct mf_bytes secret, struct mf_err *err)
{
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = NULL;
	struct mf_privkey *made;

	if (!pub)
		return NULL;
	k = mf_calloc(1, sizeof *k);
	if (!k) {
		mf_pubkey_unref(pub);
		mf_fail_nomem(err);
		return NULL;
	}
	k->pub = pub;
	if (mf_secret_copy(&k->secret, secret, err) < 0)
		return NULL;
	made = k;
	k = NULL;
	return made;
}

static struct mf_privkey *from_seed(struct mf_bytes seed, struct mf_err *err)
{
	struct mf_secret sk MF_SECRET_CLEANUP = MF_SECRET_INIT;
	uint8_t pk[crypto_sign_PUBLICKEYBYTES];

	if (seed.n != crypto_sign_SEEDBYTES) {
		mf_fail(err, MF_E_FORMAT, 0, "expected an ed25519 seed of 32 bytes");
		return NULL;
	}
	if (mf_secret_alloc(&sk, crypto_sign_SECRETKEYBYTES, err) < 0)
		return NULL;
	if (crypto_sign_seed_keypair(pk, sk.p, seed.p) != 0) {
		mf_fail(err, MF_E_INTERNAL, 0, "derive an ed25519 key");
		return NULL;
	}
	return privkey_make(mf_pubkey_from_ed25519((struct mf_bytes){pk, sizeof pk}, err), seed, err);
}

/* Converts PKCS #8, exactly one ECDSA or RSA key, to OpenSSL's form; NULL with MF_E_FORMAT. */
static EVP_PKEY *evp_from_pkcs8(struct mf_bytes der, struct mf_err *err)
{
	MF_OSSL_QUIET;
	const unsigned char *p = der.p;
	PKCS8_PRIV_KEY_INFO *info MF_P8_CLEANUP = NULL;
	EVP_PKEY *evp = NULL;

	if (der.n && der.n <= MAX_SECRET_BYTES)
		info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.n);
	if (info && p == der.p + der.n)
		evp = EVP_PKCS82PKEY(info);
	if (!evp)
		mf_ossl_fail(err, MF_E_FORMAT, "not a PKCS #8 private key");
	return evp;
}

EVP_PKEY *mf_privkey_evp(const struct mf_privkey *k, struct mf_err *err)
{
	EVP_PKEY *evp = evp_from_pkcs8(mf_secret_bytes(&k->secret), err);
	return evp || !mf_ossl_try_again(err) ? evp : evp_from_pkcs8(mf_secret_bytes(&k->secret), err);
}

/* Checks that the public key in an EC key file belongs to the private key. RSA keys are not checked: they
 * have no second copy of the public key, and a wrong exponent is found when the first signature is
 * verified. */
static bool pair_ok(EVP_PKEY *evp)
{
	EVP_PKEY_CTX *ctx MF_EVP_PKEY_CTX_CLEANUP = NULL;

	if (EVP_PKEY_get_id(evp) != EVP_PKEY_EC)
		return true;
	ctx = EVP_PKEY_CTX_new(evp, NULL);
	return ctx && EVP_PKEY_private_check(ctx) == 1 && EVP_PKEY_pairwise_check(ctx) == 1;
}

struct mf_privkey *mf_privkey_from_evp(EVP_PKEY *evp, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_ossl_mem der MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	struct mf_pubkey *pub MF_PUBKEY_CLEANUP = mf_pubkey_from_evp(evp, err); /* checks type and strength */
	PKCS8_PRIV_KEY_INFO *info MF_P8_CLEANUP = NULL;
	int n = -1;

	if (!pub)
		return NULL;
	if (mf_pubkey_type(pub) == MF_KEY_ED25519) {
		mf_fail(err, MF_E_FORMAT, 0, "expected an ed25519 key as its seed");
		return NULL;
	}
	if (!pair_ok(evp)) {
		mf_ossl_fail(err, MF_E_FORMAT, "private and public key do not belong together");
		return NULL;
	}
	info = EVP_PKEY2PKCS8(evp);
	if (info)
		n = i2d_PKCS8_PRIV_KEY_INFO(info, &der.p);
	if (n <= 0) {
		mf_ossl_fail(err, MF_E_FORMAT, "not a usable private key");
		return NULL;
	}
	der.n = (size_t)n;
	return privkey_make(mf_pubkey_ref(pub), (struct mf_bytes){der.p, der.n}, err);
}

static struct mf_privkey *from_pkcs8(enum mf_key_type t, struct mf_bytes secret, struct mf_err *err)
{
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = evp_from_pkcs8(secret, err);
	struct mf_privkey *k = evp ? mf_privkey_from_evp(evp, err) : NULL;
	if (!k || mf_pubkey_type(k->pub) == t)
		return k;
	(void)mf_fail(err, MF_E_FORMAT, 0, "the key has type %s, expected %s",
		      mf_key_type_name(mf_pubkey_type(k->pub)), mf_key_type_name(t));
	mf_privkey_free(k);
	return NULL;
}

struct mf_privkey *mf_privkey_from_secret(enum mf_key_type t, struct mf_bytes secret, struct mf_err *err)
{
	if (t == MF_KEY_ED25519)
		return from_seed(secret, err);
	struct mf_privkey *k = from_pkcs8(t, secret, err);
	return k || !mf_ossl_try_again(err) ? k : from_pkcs8(t, secret, err);
}

static struct mf_privkey *generate_ed25519(struct mf_err *err)
{
	struct mf_secret seed MF_SECRET_CLEANUP = MF_SECRET_INIT;

	if (mf_secret_alloc(&seed, crypto_sign_SEEDBYTES, err) < 0)
		return NULL;
	mf_random(seed.p, seed.n);
	return from_seed(mf_secret_bytes(&seed), err);
}

static struct mf_privkey *generate_p256(struct mf_err *err)
{
	MF_OSSL_QUIET;
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = EVP_EC_gen("P-256");

	if (!evp) {
		mf_fail(err, MF_E_INTERNAL, 0, "make an ECDSA key");
		return NULL;
	}
	return mf_privkey_from_evp(evp, err);
}

struct mf_privkey *mf_privkey_generate(enum mf_key_type t, struct mf_err *err)
{
	if (t == MF_KEY_ED25519)
		return generate_ed25519(err);
	if (t == MF_KEY_ECDSA)
		return generate_p256(err);
	mf_fail(err, MF_E_USAGE, 0, "cannot generate a key of type %s", mf_key_type_name(t));
	return NULL;
}
