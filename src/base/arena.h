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
/* n * size zeroed octets, aligned for any type; NULL with MF_E_NOMEM. */
void *mf_arena_alloc(struct mf_arena *a, size_t n, size_t size, struct mf_err *err) MF_NODISCARD;
/* The array v of n elements, with room for one more: itself, or a copy of twice the size whenever n is a
 * power of two; so it may grow in no other way. NULL with MF_E_NOMEM. */
void *mf_arena_more(struct mf_arena *a, void *v, size_t n, size_t size, struct mf_err *err) MF_NODISCARD;
/* NUL-terminated copies. */
char *mf_arena_dup(struct mf_arena *a, struct mf_str s, struct mf_err *err) MF_NODISCARD;
char *mf_arena_printf(struct mf_arena *a, struct mf_err *err, const char *fmt, ...)
    MF_PRINTF(3, 4) MF_NODISCARD;

/* For results of many members: a failure stays in the arena, gives NULL, and is checked once. */
const char *mf_arena_text(struct mf_arena *a, const char *z); /* NULL for NULL */
const char *mf_arena_text_of(struct mf_arena *a, struct mf_str s);
const char *mf_arena_format(struct mf_arena *a, const char *fmt, ...) MF_PRINTF(2, 3);
/* The list of pointers to the n elements of `size` octets of an array. */
void *mf_arena_list(struct mf_arena *a, const void *array, size_t n, size_t size);
int mf_arena_check(const struct mf_arena *a, struct mf_err *err) MF_NODISCARD;

#endif
