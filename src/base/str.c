#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

bool mf_str_eq(struct mf_str a, struct mf_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool mf_str_eqz(struct mf_str a, const char *z)
{
	return mf_str_eq(a, mf_str_c(z));
}

bool mf_str_starts(struct mf_str s, struct mf_str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool mf_str_ends(struct mf_str s, struct mf_str suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

int mf_str_cmp(struct mf_str a, struct mf_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	if (c)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

struct mf_str mf_str_skip_bom(struct mf_str s)
{
	struct mf_str bom = MF_STR("\xef\xbb\xbf");
	return mf_str_starts(s, bom) ? (struct mf_str){s.p + bom.n, s.n - bom.n} : s;
}

char *mf_str_dup(struct mf_str s)
{
	char *z = malloc(s.n + 1);
	if (!z)
		return NULL;
	if (s.n)
		memcpy(z, s.p, s.n);
	z[s.n] = 0;
	return z;
}

const char *mf_esc(struct mf_esc *out, struct mf_str s)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '\'' && c != '\\';
		if (at + (plain ? 1u : 4u) > sizeof out->text - 4) {
			memcpy(out->text + at, "...", 3);
			at += 3;
			break;
		}
		if (plain) {
			out->text[at++] = (char)c;
			continue;
		}
		out->text[at++] = '\\';
		out->text[at++] = 'x';
		out->text[at++] = hex[c >> 4];
		out->text[at++] = hex[c & 15];
	}
	out->text[at] = 0;
	return out->text;
}

void mf_buf_init(struct mf_buf *b, size_t max)
{
	*b = (struct mf_buf)MF_BUF_INIT(max);
}

void mf_buf_clear(struct mf_buf *b)
{
	free(b->p);
	b->p = NULL;
	b->n = b->cap = 0;
}

void mf_buf_reset(struct mf_buf *b)
{
	b->n = 0;
	if (b->p)
		b->p[0] = 0;
}

int mf_buf_reserve(struct mf_buf *b, size_t n, struct mf_err *err)
{
	assert(b->max > 0);
	if (n > b->max || b->n > b->max - n)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %zu bytes", b->max);
	size_t want = b->n + n + 1;
	if (want <= b->cap)
		return 0;
	size_t cap = b->cap ? b->cap : 64;
	while (cap < want)
		cap = cap > SIZE_MAX / 2 ? want : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	char *p = realloc(b->p, cap);
	if (!p)
		return mf_fail_nomem(err);
	if (!b->p)
		p[0] = 0;
	b->p = p;
	b->cap = cap;
	return 0;
}

int mf_buf_add(struct mf_buf *b, const void *p, size_t n, struct mf_err *err)
{
	if (mf_buf_reserve(b, n, err) < 0)
		return -1;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
	return 0;
}

int mf_buf_add_str(struct mf_buf *b, struct mf_str s, struct mf_err *err)
{
	return mf_buf_add(b, s.p, s.n, err);
}

int mf_buf_addz(struct mf_buf *b, const char *z, struct mf_err *err)
{
	return mf_buf_add(b, z, strlen(z), err);
}

int mf_buf_addc(struct mf_buf *b, char c, struct mf_err *err)
{
	return mf_buf_add(b, &c, 1, err);
}

int mf_buf_vprintf(struct mf_buf *b, struct mf_err *err, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return mf_fail(err, MF_E_INTERNAL, errno, "format text");
	if (mf_buf_reserve(b, (size_t)n, err) < 0)
		return -1;
	(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
	return 0;
}

int mf_buf_printf(struct mf_buf *b, struct mf_err *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int rc = mf_buf_vprintf(b, err, fmt, ap);
	va_end(ap);
	return rc;
}

char *mf_buf_take(struct mf_buf *b)
{
	char *p = b->p ? b->p : calloc(1, 1);
	b->p = NULL;
	b->n = b->cap = 0;
	return p;
}

void *mf_calloc(size_t n, size_t size)
{
	return calloc(n ? n : 1, size);
}

int mf_grow(void **array, size_t *cap, size_t n, size_t size, struct mf_err *err)
{
	if (n < *cap)
		return 0;
	size_t want = *cap ? *cap : 8;
	while (want <= n) {
		if (want > SIZE_MAX / 2 / size)
			return mf_fail_nomem(err);
		want *= 2;
	}
	void *p = realloc(*array, want * size);
	if (!p)
		return mf_fail_nomem(err);
	*array = p;
	*cap = want;
	return 0;
}
