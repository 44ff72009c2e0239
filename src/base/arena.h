/* Memory that is freed as a whole: parsed documents and results. */
#ifndef MF_BASE_ARENA_H
#define MF_BASE_ARENA_H

#include "base/str.h"

struct mf_arena {
	struct mf_arena_chunk *chunks;
	size_t used, cap; /* of the newest chunk */
	bool failed;      /* memory ran out in a call without an error of its own */
};
#define MF_ARENA_INIT                                                                                        \
	{                                                                                                    \
		NULL, 0, 0, false                                                                            \
	}
#define MF_ARENA_CLEANUP MF_CLEANUP(mf_arena_clear)

void mf_arena_clear(struct mf_arena *a);
/* Allocates n * size zeroed octets, aligned for any type; NULL with MF_E_NOMEM. */
void *mf_arena_alloc(struct mf_arena *a, size_t n, size_t size, struct mf_err *err) MF_NODISCARD;
/* Makes room for one more element in the array v of n elements. Returns v, or when n is a power of two a
 * copy of twice the size; so the array must have grown by this function only, from n = 0. NULL with
 * MF_E_NOMEM. */
void *mf_arena_more(struct mf_arena *a, void *v, size_t n, size_t size, struct mf_err *err) MF_NODISCARD;
/* Make copies that end with NUL. */
char *mf_arena_dup(struct mf_arena *a, struct mf_str s, struct mf_err *err) MF_NODISCARD;
char *mf_arena_printf(struct mf_arena *a, struct mf_err *err, const char *fmt, ...)
    MF_PRINTF(3, 4) MF_NODISCARD;

/* For results with many members: a failure gives NULL and is recorded in the arena, so that the caller
 * checks once, with mf_arena_check. */
const char *mf_arena_text(struct mf_arena *a, const char *z); /* NULL for NULL */
const char *mf_arena_text_of(struct mf_arena *a, struct mf_str s);
const char *mf_arena_format(struct mf_arena *a, const char *fmt, ...) MF_PRINTF(2, 3);
/* Makes the list of pointers to the n elements of an array; `size`: octets of an element. */
void *mf_arena_list(struct mf_arena *a, const void *array, size_t n, size_t size);
int mf_arena_check(const struct mf_arena *a, struct mf_err *err) MF_NODISCARD;

#endif
