/* Memory that is freed as a whole: parsed documents and results. */
#ifndef MF_BASE_ARENA_H
#define MF_BASE_ARENA_H

#include "base/str.h"

struct mf_arena {
	struct mf_arena_chunk *chunks;
	size_t used, cap; /* of the newest chunk */
};
#define MF_ARENA_INIT                                                                                        \
	{                                                                                                    \
		NULL, 0, 0                                                                                   \
	}
#define MF_ARENA_CLEANUP MF_CLEANUP(mf_arena_clear)

void mf_arena_clear(struct mf_arena *a);
/* n * size zeroed octets, aligned for any type; NULL with MF_E_NOMEM. */
void *mf_arena_alloc(struct mf_arena *a, size_t n, size_t size, struct mf_err *err) MF_NODISCARD;
/* NUL-terminated copies. */
char *mf_arena_dup(struct mf_arena *a, struct mf_str s, struct mf_err *err) MF_NODISCARD;
char *mf_arena_printf(struct mf_arena *a, struct mf_err *err, const char *fmt, ...)
    MF_PRINTF(3, 4) MF_NODISCARD;

#endif
