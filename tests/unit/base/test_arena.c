#include "base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdio.h>

#include <cmocka.h>

static void arena_gives_zeroed_aligned_memory_of_any_size(void **state)
{
	(void)state;
	static const uint8_t zero[10000];
	struct mf_err err = MF_ERR_INIT;
	struct mf_arena a MF_ARENA_CLEANUP = MF_ARENA_INIT;
	for (size_t n = 0; n < 10000; n = n * 2 + 1) {
		uint8_t *p = mf_arena_alloc(&a, n, 1, &err);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		assert_memory_equal(p, zero, n);
		/* The next one must not see this. */
		memset(p, 0xff, n);
	}
}

static void arena_keeps_what_was_given_before(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_arena a MF_ARENA_CLEANUP = MF_ARENA_INIT;
	char *copies[2000];
	for (int i = 0; i < 2000; i++) {
		copies[i] = mf_arena_printf(&a, &err, "number %d", i);
		assert_non_null(copies[i]);
	}
	for (int i = 0; i < 2000; i++) {
		char want[32];
		(void)snprintf(want, sizeof want, "number %d", i);
		assert_string_equal(copies[i], want);
	}
}

static void arena_copies_are_terminated(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_arena a MF_ARENA_CLEANUP = MF_ARENA_INIT;
	assert_string_equal(mf_arena_dup(&a, (struct mf_str){"abcdef", 3}, &err), "abc");
	assert_string_equal(mf_arena_dup(&a, (struct mf_str){NULL, 0}, &err), "");
	char text[9000];
	memset(text, 't', sizeof text - 1);
	text[sizeof text - 1] = 0;
	assert_string_equal(mf_arena_printf(&a, &err, "%s", text), text);
}

static void arena_refuses_sizes_that_overflow(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_arena a MF_ARENA_CLEANUP = MF_ARENA_INIT;
	assert_null(mf_arena_alloc(&a, SIZE_MAX / 4, 8, &err));
	assert_int_equal(err.code, MF_E_NOMEM);
}

static void arena_is_usable_after_clear(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_arena a = MF_ARENA_INIT;
	assert_non_null(mf_arena_alloc(&a, 5000, 2, &err));
	mf_arena_clear(&a);
	assert_null(a.chunks);
	assert_non_null(mf_arena_alloc(&a, 1, 1, &err));
	mf_arena_clear(&a);
	mf_arena_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arena_gives_zeroed_aligned_memory_of_any_size),
	    cmocka_unit_test(arena_keeps_what_was_given_before),
	    cmocka_unit_test(arena_copies_are_terminated),
	    cmocka_unit_test(arena_refuses_sizes_that_overflow),
	    cmocka_unit_test(arena_is_usable_after_clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
