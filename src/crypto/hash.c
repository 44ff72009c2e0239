#include "crypto/hash.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>

#include "base/count.h"
#include "crypto/internal.h"
#include "crypto/secret.h"

/* Written by pthread_once only, then constant. Never freed, because other threads may hash until the
 * process ends. */
static pthread_once_t md_once = PTHREAD_ONCE_INIT;
static EVP_MD *md256, *md384, *md512;

static void md_fetch(void)
{
	MF_OSSL_QUIET;

	md256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	md384 = EVP_MD_fetch(NULL, "SHA384", NULL);
	md512 = EVP_MD_fetch(NULL, "SHA512", NULL);
}

/* NULL when OpenSSL has no such digest. Callers then fail; they never continue without a digest. */
const EVP_MD *mf_md_sha256(void)
{
	pthread_once(&md_once, md_fetch);
	return md256;
}

const EVP_MD *mf_md_sha384(void)
{
	pthread_once(&md_once, md_fetch);
	return md384;
}

static const EVP_MD *md_sha512(void)
{
	pthread_once(&md_once, md_fetch);
	return md512;
}

static int digest_once(const EVP_MD *md, struct mf_bytes data, uint8_t *out, struct mf_err *err)
{
	MF_OSSL_QUIET;

	if (!md)
		return mf_fail(err, MF_E_INTERNAL, 0, "compute a digest");
	mf_counts()->hashed += data.n;
	/* With a known digest, the only possible cause is lack of memory. */
	if (EVP_Digest(data.n ? data.p : (const uint8_t *)"", data.n, out, NULL, md, NULL) != 1)
		return mf_fail_nomem(err);
	return 0;
}

int mf_sha256(struct mf_bytes data, struct mf_digest *out, struct mf_err *err)
{
	return digest_once(mf_md_sha256(), data, out->b, err);
}

int mf_sha512(struct mf_bytes data, uint8_t out[64], struct mf_err *err)
{
	return digest_once(md_sha512(), data, out, err);
}

int mf_hmac_sha256(struct mf_bytes key, struct mf_bytes data, uint8_t out[32], struct mf_err *err)
{
	crypto_auth_hmacsha256_state state;
	if (mf_crypto_ready(err) < 0)
		return -1;
	mf_counts()->hashed += data.n;
	bool ok = crypto_auth_hmacsha256_init(&state, key.p, key.n) == 0 &&
		  crypto_auth_hmacsha256_update(&state, data.p, data.n) == 0 &&
		  crypto_auth_hmacsha256_final(&state, out) == 0;
	mf_wipe(&state, sizeof state);
	return ok ? 0 : mf_fail(err, MF_E_INTERNAL, 0, "compute an HMAC");
}

int mf_mac(struct mf_bytes key, const struct mf_bytes *pieces, size_t n, uint8_t out[MF_MAC],
	   struct mf_err *err)
{
	crypto_generichash_blake2b_state state;
	if (mf_crypto_ready(err) < 0)
		return -1;
	assert(key.n == MF_MAC);
	bool ok = crypto_generichash_blake2b_init(&state, key.p, key.n, MF_MAC) == 0;
	for (size_t i = 0; ok && i < n; i++) {
		mf_counts()->hashed += pieces[i].n;
		ok = crypto_generichash_blake2b_update(&state, pieces[i].p, pieces[i].n) == 0;
	}
	ok = ok && crypto_generichash_blake2b_final(&state, out, MF_MAC) == 0;
	mf_wipe(&state, sizeof state);
	return ok ? 0 : mf_fail(err, MF_E_INTERNAL, 0, "compute a MAC");
}

bool mf_mac_eq(const uint8_t *a, const uint8_t *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

struct mf_hash {
	EVP_MD_CTX *ctx;
	bool ended;
};

static struct mf_hash *hash_new(const EVP_MD *md, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_hash *h MF_HASH_CLEANUP = mf_calloc(1, sizeof *h);
	struct mf_hash *made;

	if (!h || !(h->ctx = EVP_MD_CTX_new())) {
		mf_fail_nomem(err);
		return NULL;
	}
	if (!md || EVP_DigestInit_ex(h->ctx, md, NULL) != 1) {
		mf_fail(err, MF_E_INTERNAL, 0, "start a digest");
		return NULL;
	}
	made = h;
	h = NULL;
	return made;
}

struct mf_hash *mf_hash_new(struct mf_err *err)
{
	return hash_new(mf_md_sha256(), err);
}

struct mf_hash *mf_hash_new_sha512(struct mf_err *err)
{
	return hash_new(md_sha512(), err);
}

int mf_hash_add(struct mf_hash *h, const void *p, size_t n, struct mf_err *err)
{
	MF_OSSL_QUIET;

	assert(!h->ended);
	mf_counts()->hashed += n;
	if (n && EVP_DigestUpdate(h->ctx, p, n) != 1)
		return mf_fail(err, MF_E_INTERNAL, 0, "compute a digest");
	return 0;
}

static int hash_end(struct mf_hash *h, uint8_t *out, int size, struct mf_err *err)
{
	MF_OSSL_QUIET;

	assert(!h->ended && EVP_MD_CTX_get_size(h->ctx) == size);
	h->ended = true;
	if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		return mf_fail(err, MF_E_INTERNAL, 0, "finish a digest");
	return 0;
}

int mf_hash_end(struct mf_hash *h, struct mf_digest *out, struct mf_err *err)
{
	return hash_end(h, out->b, sizeof out->b, err);
}

int mf_hash_end_sha512(struct mf_hash *h, uint8_t out[64], struct mf_err *err)
{
	return hash_end(h, out, 64, err);
}

void mf_hash_free(struct mf_hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}
