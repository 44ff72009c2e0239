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

/* Loading OpenSSL's digests takes longer than libsodium needs for so many octets. */
#define SHORT ((size_t)8 << 10)

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
	if (data.n > SHORT)
		return digest_once(mf_md_sha256(), data, out->b, err);
	mf_counts()->hashed += data.n;
	(void)crypto_hash_sha256(out->b, data.p, data.n);
	return 0;
}

int mf_sha512(struct mf_bytes data, uint8_t out[64], struct mf_err *err)
{
	if (data.n > SHORT)
		return digest_once(md_sha512(), data, out, err);
	mf_counts()->hashed += data.n;
	(void)crypto_hash_sha512(out, data.p, data.n);
	return 0;
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

enum kind { SHA_256, SHA_512 };

struct mf_hash {
	enum kind kind;
	bool ended;
	EVP_MD_CTX *ctx; /* NULL: all octets are in `first` */
	size_t n;
	uint8_t first[SHORT];
};

static struct mf_hash *hash_new(enum kind kind, struct mf_err *err)
{
	struct mf_hash *h = malloc(sizeof *h);
	if (!h) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	h->kind = kind;
	h->ended = false;
	h->ctx = NULL;
	h->n = 0;
	return h;
}

struct mf_hash *mf_hash_new(struct mf_err *err)
{
	return hash_new(SHA_256, err);
}

struct mf_hash *mf_hash_new_sha512(struct mf_err *err)
{
	return hash_new(SHA_512, err);
}

static int update(struct mf_hash *h, const void *p, size_t n, struct mf_err *err)
{
	MF_OSSL_QUIET;

	if (n && EVP_DigestUpdate(h->ctx, p, n) != 1)
		return mf_fail(err, MF_E_INTERNAL, 0, "compute a digest");
	return 0;
}

/* There are more than SHORT octets: OpenSSL hashes them. */
static int begin_long(struct mf_hash *h, struct mf_err *err)
{
	MF_OSSL_QUIET;
	const EVP_MD *md = h->kind == SHA_512 ? md_sha512() : mf_md_sha256();

	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx)
		return mf_fail_nomem(err);
	if (!md || EVP_DigestInit_ex(h->ctx, md, NULL) != 1)
		return mf_fail(err, MF_E_INTERNAL, 0, "start a digest");
	return update(h, h->first, h->n, err);
}

int mf_hash_add(struct mf_hash *h, const void *p, size_t n, struct mf_err *err)
{
	assert(!h->ended);
	mf_counts()->hashed += n;
	if (!h->ctx && n <= SHORT - h->n) {
		if (n)
			memcpy(h->first + h->n, p, n);
		h->n += n;
		return 0;
	}
	if (!h->ctx && begin_long(h, err) < 0)
		return -1;
	return update(h, p, n, err);
}

static int hash_end(struct mf_hash *h, uint8_t *out, enum kind kind, struct mf_err *err)
{
	MF_OSSL_QUIET;

	assert(!h->ended && h->kind == kind);
	h->ended = true;
	if (!h->ctx)
		(void)(kind == SHA_512 ? crypto_hash_sha512(out, h->first, h->n)
				       : crypto_hash_sha256(out, h->first, h->n));
	else if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		return mf_fail(err, MF_E_INTERNAL, 0, "finish a digest");
	return 0;
}

int mf_hash_end(struct mf_hash *h, struct mf_digest *out, struct mf_err *err)
{
	return hash_end(h, out->b, SHA_256, err);
}

int mf_hash_end_sha512(struct mf_hash *h, uint8_t out[64], struct mf_err *err)
{
	return hash_end(h, out, SHA_512, err);
}

void mf_hash_free(struct mf_hash *h)
{
	if (!h)
		return;
	mf_wipe(h->first, h->n); /* it may be a secret */
	EVP_MD_CTX_free(h->ctx);
	free(h);
}
