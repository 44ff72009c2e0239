/* Borrowed slices, the growable buffer, and small text helpers. */
#ifndef MF_BASE_STR_H
#define MF_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Borrowed text; not NUL-terminated. */
struct mf_str {
	const char *p;
	size_t n;
};
/* Borrowed octets. */
struct mf_bytes {
	const uint8_t *p;
	size_t n;
};

#define MF_STR(lit) ((struct mf_str){(lit), sizeof lit - 1})
/* For printf("%.*s"). The length becomes an int, so callers pass text of untrusted size through mf_esc. */
#define MF_STR_ARG(s) (int)(s).n, (s).p

static inline struct mf_str mf_str_c(const char *z)
{
	return (struct mf_str){z, z ? strlen(z) : 0};
}
static inline struct mf_bytes mf_bytes_of(struct mf_str s)
{
	return (struct mf_bytes){(const uint8_t *)s.p, s.n};
}
static inline struct mf_str mf_str_of(struct mf_bytes b)
{
	return (struct mf_str){(const char *)b.p, b.n};
}
bool mf_str_eq(struct mf_str a, struct mf_str b);
bool mf_str_eqz(struct mf_str a, const char *z);
bool mf_str_starts(struct mf_str s, struct mf_str prefix);
bool mf_str_ends(struct mf_str s, struct mf_str suffix);
/* Compares like memcmp; if one is a prefix of the other, the shorter comes first. */
int mf_str_cmp(struct mf_str a, struct mf_str b);
/* Skips the byte order mark that some editors write at the start of a text. */
struct mf_str mf_str_skip_bom(struct mf_str s);
/* A copy that ends with NUL, NULL when out of memory. The caller frees it. */
char *mf_str_dup(struct mf_str s);

/* The printable form of untrusted bytes, for messages: control characters, non-ASCII and quotes become
 * \xNN, and after `max` input bytes "..." follows. Returns a pointer into `out`. */
struct mf_esc {
	char text[260];
};
const char *mf_esc(struct mf_esc *out, struct mf_str s);

/* Growable bytes with a mandatory maximum; a NUL always follows the n bytes. */
struct mf_buf {
	char *p;
	size_t n;
	size_t cap;
	size_t max;
};
#define MF_BUF_INIT(maximum)                                                                                 \
	{                                                                                                    \
		NULL, 0, 0, (maximum)                                                                        \
	}
void mf_buf_init(struct mf_buf *b, size_t max);
void mf_buf_clear(struct mf_buf *b); /* frees; may be used again */
void mf_buf_reset(struct mf_buf *b); /* keeps the memory */
/* Fail with MF_E_NOMEM, or with MF_E_FORMAT when the maximum would be exceeded; nothing is added then. */
int mf_buf_add(struct mf_buf *b, const void *p, size_t n, struct mf_err *err) MF_NODISCARD;
int mf_buf_add_str(struct mf_buf *b, struct mf_str s, struct mf_err *err) MF_NODISCARD;
int mf_buf_addz(struct mf_buf *b, const char *z, struct mf_err *err) MF_NODISCARD;
int mf_buf_addc(struct mf_buf *b, char c, struct mf_err *err) MF_NODISCARD;
int mf_buf_printf(struct mf_buf *b, struct mf_err *err, const char *fmt, ...) MF_PRINTF(3, 4) MF_NODISCARD;
int mf_buf_vprintf(struct mf_buf *b, struct mf_err *err, const char *fmt, va_list ap)
    MF_PRINTF(3, 0) MF_NODISCARD;
/* Allocates room for n more bytes (and the NUL); b->n does not change. */
int mf_buf_reserve(struct mf_buf *b, size_t n, struct mf_err *err) MF_NODISCARD;
static inline struct mf_str mf_buf_str(const struct mf_buf *b)
{
	return (struct mf_str){b->p ? b->p : "", b->n};
}
static inline struct mf_bytes mf_buf_bytes(const struct mf_buf *b)
{
	return (struct mf_bytes){(const uint8_t *)(b->p ? b->p : ""), b->n};
}
/* Removes all but the first n bytes. */
static inline void mf_buf_cut(struct mf_buf *b, size_t n)
{
	b->n = n;
	if (b->p)
		b->p[n] = 0;
}
/* Gives the memory to the caller, who frees it; the buffer is empty afterwards. NULL only when out of
 * memory. */
char *mf_buf_take(struct mf_buf *b);

/* calloc with an overflow check; n == 0 gives one element. */
void *mf_calloc(size_t n, size_t size);
/* Grows *array (elements of `size`) so that index `n` fits; doubles *cap. */
int mf_grow(void **array, size_t *cap, size_t n, size_t size, struct mf_err *err) MF_NODISCARD;

/* char *p MF_FREE = ...; struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(max); */
static inline void mf_free_cleanup(void *p)
{
	free(*(void **)p);
}
#define MF_FREE MF_CLEANUP(mf_free_cleanup)
#define MF_BUF_CLEANUP MF_CLEANUP(mf_buf_clear)

#endif
