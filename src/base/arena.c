#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>

struct mf_arena_chunk {
	struct mf_arena_chunk *next;
	alignas(max_align_t) unsigned char bytes[];
};

#define CHUNK ((size_t)4096)

void mf_arena_clear(struct mf_arena *a)
{
	while (a->chunks) {
		struct mf_arena_chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
	*a = (struct mf_arena)MF_ARENA_INIT;
}

static void *allocate(struct mf_arena *a, size_t n, size_t size)
{
	const size_t align = alignof(max_align_t);
	if (size && n > (SIZE_MAX / 2) / size)
		return NULL;
	size_t want = (n * size + align - 1) / align * align;
	if (!want)
		want = align;
	if (!a->chunks || a->cap - a->used < want) {
		size_t cap = want > CHUNK ? want : CHUNK;
		struct mf_arena_chunk *c = calloc(1, sizeof *c + cap);
		if (!c)
			return NULL;
		c->next = a->chunks;
		a->chunks = c;
		a->used = 0;
		a->cap = cap;
	}
	void *p = a->chunks->bytes + a->used;
	a->used += want;
	return p;
}

static char *copy(struct mf_arena *a, struct mf_str s)
{
	char *z = allocate(a, s.n + 1, 1);
	if (z && s.n)
		memcpy(z, s.p, s.n);
	return z;
}

static char *format(struct mf_arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static char *format(struct mf_arena *a, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	char *z = n < 0 ? NULL : allocate(a, (size_t)n + 1, 1);
	if (z)
		(void)vsnprintf(z, (size_t)n + 1, fmt, ap);
	return z;
}

/* Returns p. If p is NULL, fails with MF_E_NOMEM. */
static void *found(void *p, struct mf_err *err)
{
	if (!p)
		(void)mf_fail_nomem(err);
	return p;
}

static void *noted(struct mf_arena *a, void *p)
{
	a->failed |= !p;
	return p;
}

void *mf_arena_alloc(struct mf_arena *a, size_t n, size_t size, struct mf_err *err)
{
	return found(allocate(a, n, size), err);
}

void *mf_arena_more(struct mf_arena *a, void *v, size_t n, size_t size, struct mf_err *err)
{
	if (n & (n - 1))
		return v;
	void *more = mf_arena_alloc(a, n ? 2 * n : 1, size, err);
	if (more && n)
		memcpy(more, v, n * size);
	return more;
}

char *mf_arena_dup(struct mf_arena *a, struct mf_str s, struct mf_err *err)
{
	return found(copy(a, s), err);
}

char *mf_arena_printf(struct mf_arena *a, struct mf_err *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *z = format(a, fmt, ap);
	va_end(ap);
	return found(z, err);
}

const char *mf_arena_text(struct mf_arena *a, const char *z)
{
	return z ? noted(a, copy(a, mf_str_c(z))) : NULL;
}

const char *mf_arena_text_of(struct mf_arena *a, struct mf_str s)
{
	return noted(a, copy(a, s));
}

const char *mf_arena_format(struct mf_arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *z = format(a, fmt, ap);
	va_end(ap);
	return noted(a, z);
}

void *mf_arena_list(struct mf_arena *a, const void *array, size_t n, size_t size)
{
	const void **list = noted(a, allocate(a, n, sizeof *list));
	for (size_t i = 0; list && i < n; i++)
		list[i] = (const char *)array + i * size;
	return list;
}

int mf_arena_check(const struct mf_arena *a, struct mf_err *err)
{
	return a->failed ? mf_fail_nomem(err) : 0;
}
