/* Secret bytes: guarded memory from libsodium, wiped when freed, kept out of core dumps. */
#ifndef MF_CRYPTO_SECRET_H
#define MF_CRYPTO_SECRET_H

#include "base/str.h"

struct mf_secret {
	uint8_t *p;
	size_t n;
};
#define MF_SECRET_INIT                                                                                       \
	{                                                                                                    \
		NULL, 0                                                                                      \
	}
#define MF_SECRET_CLEANUP MF_CLEANUP(mf_secret_clear)

/* Allocates n zero octets (n >= 1). *s must be empty. */
int mf_secret_alloc(struct mf_secret *s, size_t n, struct mf_err *err) MF_NODISCARD;
int mf_secret_copy(struct mf_secret *s, struct mf_bytes from, struct mf_err *err) MF_NODISCARD;
void mf_secret_clear(struct mf_secret *s);
static inline struct mf_bytes mf_secret_bytes(const struct mf_secret *s)
{
	return (struct mf_bytes){s->p, s->n};
}
void mf_wipe(void *p, size_t n);
/* n random octets from the operating system. */
void mf_random(void *p, size_t n);
/* A random number below `bound`, for jitter. */
uint32_t mf_random_below(uint32_t bound);

#endif
