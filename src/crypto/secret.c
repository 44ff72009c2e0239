#include "crypto/secret.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>

#include "crypto/internal.h"

/* Whether libsodium is ready. Written by pthread_once only. */
static pthread_once_t sodium_once = PTHREAD_ONCE_INIT;
static bool sodium_ok;

static void sodium_start(void)
{
	sodium_ok = sodium_init() >= 0;
}

/* More memory than any single operation of OpenSSL needs. */
#define MEMORY_WANTED ((size_t)1 << 20)

bool mf_ossl_memory_is_left(void)
{
	void *volatile p = malloc(MEMORY_WANTED); /* volatile keeps the compiler from removing both calls */
	free(p);
	return p != NULL;
}

int mf_ossl_fail(struct mf_err *err, enum mf_code code, const char *why)
{
	return mf_ossl_memory_is_left() ? mf_fail(err, code, 0, "%s", why) : mf_fail_nomem(err);
}

bool mf_ossl_try_again(struct mf_err *err)
{
	if (err->code != MF_E_FORMAT && err->code != MF_E_SIGNATURE && err->code != MF_E_PIN &&
	    err->code != MF_E_KEY && err->code != MF_E_EXPIRED)
		return false;
	mf_err_clear(err);
	if (mf_ossl_memory_is_left())
		return true;
	(void)mf_fail_nomem(err);
	return false;
}

int mf_crypto_ready(struct mf_err *err)
{
	if (pthread_once(&sodium_once, sodium_start) != 0 || !sodium_ok)
		return mf_fail(err, MF_E_INTERNAL, 0, "initialise libsodium");
	return 0;
}

int mf_secret_alloc(struct mf_secret *s, size_t n, struct mf_err *err)
{
	uint8_t *p;

	assert(!s->p && n >= 1);
	if (mf_crypto_ready(err) < 0)
		return -1;
	/* Each allocation takes whole pages between guard pages. When the limit of locked memory is
	 * reached, libsodium continues with unlocked pages; NULL means that no pages were available. */
	p = sodium_malloc(n);
	if (!p)
		return mf_fail(err, MF_E_NOMEM, errno, "allocate %zu bytes of guarded memory", n);
	sodium_memzero(p, n);
	s->p = p;
	s->n = n;
	return 0;
}

int mf_secret_copy(struct mf_secret *s, struct mf_bytes from, struct mf_err *err)
{
	if (mf_secret_alloc(s, from.n, err) < 0)
		return -1;
	memcpy(s->p, from.p, from.n);
	return 0;
}

void mf_secret_clear(struct mf_secret *s)
{
	sodium_free(s->p); /* wipes; NULL is fine */
	s->p = NULL;
	s->n = 0;
}

void mf_wipe(void *p, size_t n)
{
	if (n)
		sodium_memzero(p, n);
}

void mf_random(void *p, size_t n)
{
	pthread_once(&sodium_once, sodium_start);
	randombytes_buf(p, n);
}

uint32_t mf_random_below(uint32_t bound)
{
	pthread_once(&sodium_once, sodium_start);
	return randombytes_uniform(bound);
}
