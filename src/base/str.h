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
/* For printf("%.*s"). Cut at INT_MAX by callers that pass untrusted sizes through mf_esc. */
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
/* memcmp order, the shorter first when one is a prefix. */
int mf_str_cmp(struct mf_str a, struct mf_str b);
/* Without the byte order mark that some editors write in front of a text. */
struct mf_str mf_str_skip_bom(struct mf_str s);
/* NUL-terminated copy (malloc), NULL when out of memory. Caller frees. */
char *mf_str_dup(struct mf_str s);

/* Printable form of untrusted bytes for messages: control characters, non-ASCII and
 * quotes escaped as \xNN, cut after `max` input bytes with "...". Returns a pointer into `out`. */
struct mf_esc {
	char text[260];
};
const char *mf_esc(struct mf_esc *out, struct mf_str s);

/* Growable bytes with a mandatory maximum; always NUL-terminated behind `n`. */
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
/* All fail with MF_E_NOMEM, or MF_E_FORMAT when the maximum would be passed; nothing is added then. */
int mf_buf_add(struct mf_buf *b, const void *p, size_t n, struct mf_err *err) MF_NODISCARD;
int mf_buf_add_str(struct mf_buf *b, struct mf_str s, struct mf_err *err) MF_NODISCARD;
int mf_buf_addz(struct mf_buf *b, const char *z, struct mf_err *err) MF_NODISCARD;
int mf_buf_addc(struct mf_buf *b, char c, struct mf_err *err) MF_NODISCARD;
int mf_buf_printf(struct mf_buf *b, struct mf_err *err, const char *fmt, ...) MF_PRINTF(3, 4) MF_NODISCARD;
int mf_buf_vprintf(struct mf_buf *b, struct mf_err *err, const char *fmt, va_list ap)
    MF_PRINTF(3, 0) MF_NODISCARD;
/* Makes room for n more bytes (and the NUL); b->n is unchanged. */
int mf_buf_reserve(struct mf_buf *b, size_t n, struct mf_err *err) MF_NODISCARD;
static inline struct mf_str mf_buf_str(const struct mf_buf *b)
{
	return (struct mf_str){b->p ? b->p : "", b->n};
}
static inline struct mf_bytes mf_buf_bytes(const struct mf_buf *b)
{
	return (struct mf_bytes){(const uint8_t *)(b->p ? b->p : ""), b->n};
}
/* Takes back what was added behind the first n bytes. */
static inline void mf_buf_cut(struct mf_buf *b, size_t n)
{
	b->n = n;
	if (b->p)
		b->p[n] = 0;
}
/* Hands the memory over (caller frees); the buffer is empty afterwards. Never NULL unless out of memory. */
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
