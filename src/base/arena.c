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

void *mf_arena_alloc(struct mf_arena *a, size_t n, size_t size, struct mf_err *err)
{
	const size_t align = alignof(max_align_t);
	if (size && n > (SIZE_MAX / 2) / size) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	size_t want = (n * size + align - 1) / align * align;
	if (!want)
		want = align;
	if (!a->chunks || a->cap - a->used < want) {
		size_t cap = want > CHUNK ? want : CHUNK;
		struct mf_arena_chunk *c = calloc(1, sizeof *c + cap);
		if (!c) {
			(void)mf_fail_nomem(err);
			return NULL;
		}
		c->next = a->chunks;
		a->chunks = c;
		a->used = 0;
		a->cap = cap;
	}
	void *p = a->chunks->bytes + a->used;
	a->used += want;
	return p;
}

char *mf_arena_dup(struct mf_arena *a, struct mf_str s, struct mf_err *err)
{
	char *z = mf_arena_alloc(a, s.n + 1, 1, err);
	if (z && s.n)
		memcpy(z, s.p, s.n);
	return z;
}

char *mf_arena_printf(struct mf_arena *a, struct mf_err *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		(void)mf_fail(err, MF_E_INTERNAL, 0, "format text");
		return NULL;
	}
	char *z = mf_arena_alloc(a, (size_t)n + 1, 1, err);
	if (!z)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(z, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return z;
}
