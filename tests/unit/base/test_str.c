#include "base/str.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static void equality_compares_length_and_bytes(void **state)
{
	(void)state;
	assert_true(mf_str_eq(MF_STR("ab"), MF_STR("ab")));
	assert_true(mf_str_eq((struct mf_str){NULL, 0}, MF_STR("")));
	assert_true(mf_str_eq(MF_STR("a\0b"), MF_STR("a\0b")));
	assert_false(mf_str_eq(MF_STR("a\0b"), MF_STR("a\0c")));
	assert_false(mf_str_eq(MF_STR("a\0b"), MF_STR("a")));
	assert_false(mf_str_eq(MF_STR("ab"), MF_STR("aB")));
	assert_true(mf_str_eqz(MF_STR("ab"), "ab"));
	assert_false(mf_str_eqz(MF_STR("ab\0"), "ab"));
	assert_true(mf_str_eqz(MF_STR(""), NULL));
}

static void prefix_and_suffix_may_be_empty_or_everything(void **state)
{
	(void)state;
	static const struct {
		const char *s, *part;
		bool starts, ends;
	} rows[] = {
	    {"sha256:ab", "sha256:", true, false},
	    {"sha256:ab", "ab", false, true},
	    {"ab", "ab", true, true},
	    {"ab", "", true, true},
	    {"", "", true, true},
	    {"", "a", false, false},
	    {"ab", "abc", false, false},
	    {"aba", "a", true, true},
	    {"Ab", "a", false, false},
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(mf_str_starts(mf_str_c(rows[i].s), mf_str_c(rows[i].part)), rows[i].starts);
		assert_int_equal(mf_str_ends(mf_str_c(rows[i].s), mf_str_c(rows[i].part)), rows[i].ends);
	}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void order_is_by_unsigned_bytes_then_length(void **state)
{
	(void)state;
	static const struct mf_str sorted[] = {
	    {"", 0},   {"\0", 1}, {"A", 1},    {"a", 1},    {"a\0", 2},
	    {"aa", 2}, {"b", 1},  {"\x7f", 1}, {"\x80", 1}, {"\xff", 1},
	};
	for (size_t a = 0; a < ROWS(sorted); a++)
		for (size_t b = 0; b < ROWS(sorted); b++)
			assert_int_equal(sign(mf_str_cmp(sorted[a], sorted[b])), a < b ? -1 : a > b);
}

static void dup_copies_and_terminates(void **state)
{
	(void)state;
	char *copy = mf_str_dup((struct mf_str){"abcdef", 3});
	assert_non_null(copy);
	assert_string_equal(copy, "abc");
	free(copy);
	copy = mf_str_dup((struct mf_str){NULL, 0});
	assert_non_null(copy);
	assert_string_equal(copy, "");
	free(copy);
}

static void esc_makes_untrusted_bytes_printable(void **state)
{
	(void)state;
	static const struct {
		struct mf_str in;
		const char *out;
	} rows[] = {
	    {{"", 0}, ""},
	    {{"plain text~", 11}, "plain text~"},
	    {{"a'b", 3}, "a\\x27b"},
	    {{"a\\b", 3}, "a\\x5cb"},
	    {{"\"", 1}, "\""},
	    {{"\n\r\t\0\x1b[31m", 9}, "\\x0a\\x0d\\x09\\x00\\x1b[31m"},
	    {{"\x7f\x80\xff", 3}, "\\x7f\\x80\\xff"},
	    {{"\xc3\xa9", 2}, "\\xc3\\xa9"},
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct mf_esc e;
		const char *text = mf_esc(&e, rows[i].in);
		assert_ptr_equal(text, e.text);
		assert_string_equal(text, rows[i].out);
	}
}

/* Every length around the cut, plain and escaped: always terminated, "..." only when cut. */
static void esc_cuts_long_input_inside_its_buffer(void **state)
{
	(void)state;
	char in[600];
	for (int c = 0; c < 2; c++) {
		size_t width = c ? 4 : 1;
		memset(in, c ? '\n' : 'x', sizeof in);
		for (size_t n = 0; n <= sizeof in; n++) {
			struct mf_esc e;
			memset(&e, 0x55, sizeof e);
			size_t len = strlen(mf_esc(&e, (struct mf_str){in, n}));
			assert_true(len < sizeof e.text);
			bool cut = len >= 3 && strcmp(e.text + len - 3, "...") == 0;
			assert_int_equal(cut, n * width > sizeof e.text - 4);
			assert_int_equal(len, cut ? sizeof e.text - 1 : n * width);
		}
	}
}

static void buf_grows_and_stays_terminated(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100000);
	assert_string_equal(mf_buf_str(&b).p, "");
	for (int i = 0; i < 5000; i++) {
		assert_int_equal(mf_buf_add(&b, "abc", 3, &err), 0);
		assert_int_equal(b.p[b.n], 0);
	}
	assert_int_equal(b.n, 15000);
	assert_int_equal(mf_buf_str(&b).n, 15000);
	assert_memory_equal(mf_buf_bytes(&b).p + 14997, "abc", 4);
}

static void buf_takes_exactly_its_maximum(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(5);
	assert_int_equal(mf_buf_add(&b, "abc", 3, &err), 0);
	assert_int_equal(mf_buf_add(&b, "de", 2, &err), 0);
	assert_string_equal(b.p, "abcde");
	assert_int_equal(mf_buf_add(&b, "", 0, &err), 0);
	assert_true(b.cap <= 6);
}

static int add_one_too_many(struct mf_buf *b, int how, struct mf_err *err)
{
	switch (how) {
	case 0:
		return mf_buf_add(b, "def", 3, err);
	case 1:
		return mf_buf_add_str(b, MF_STR("def"), err);
	case 2:
		return mf_buf_addz(b, "def", err);
	case 3:
		return mf_buf_printf(b, err, "%d", 123);
	case 4:
		return mf_buf_reserve(b, 3, err);
	case 5:
		return mf_buf_reserve(b, SIZE_MAX, err);
	default:
		return mf_buf_reserve(b, SIZE_MAX - 3, err);
	}
}

static void buf_refuses_one_byte_past_its_maximum_and_is_unchanged(void **state)
{
	(void)state;
	for (int how = 0; how <= 6; how++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(5);
		assert_int_equal(mf_buf_addz(&b, "abc", &err), 0);
		assert_int_equal(add_one_too_many(&b, how, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		assert_int_equal(b.n, 3);
		assert_string_equal(b.p, "abc");
	}
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1);
	assert_int_equal(mf_buf_addc(&b, 'a', &err), 0);
	assert_int_equal(mf_buf_addc(&b, 'b', &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

static void buf_printf_appends(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1000);
	assert_int_equal(mf_buf_printf(&b, &err, "%s=%d", "a", 1), 0);
	assert_int_equal(mf_buf_printf(&b, &err, "%c%200s", ',', "z"), 0);
	assert_int_equal(b.n, 204);
	assert_memory_equal(b.p, "a=1,   ", 7);
	assert_string_equal(b.p + 202, " z");
}

static void buf_reset_keeps_memory_and_clear_gives_it_back(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b;
	mf_buf_init(&b, 10);
	assert_int_equal(mf_buf_addz(&b, "abc", &err), 0);
	const char *p = b.p;
	mf_buf_reset(&b);
	assert_int_equal(b.n, 0);
	assert_string_equal(b.p, "");
	assert_ptr_equal(b.p, p);
	mf_buf_clear(&b);
	assert_null(b.p);
	assert_int_equal(b.max, 10);
	assert_int_equal(mf_buf_addz(&b, "again", &err), 0);
	assert_string_equal(b.p, "again");
	mf_buf_clear(&b);
	mf_buf_clear(&b);
}

static void buf_take_hands_the_memory_over(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(10);
	char *empty MF_FREE = mf_buf_take(&b);
	assert_non_null(empty);
	assert_string_equal(empty, "");
	assert_int_equal(mf_buf_addz(&b, "abc", &err), 0);
	char *p MF_FREE = mf_buf_take(&b);
	assert_string_equal(p, "abc");
	assert_null(b.p);
	assert_int_equal(b.n, 0);
}

static void calloc_checks_overflow_and_never_gives_nothing(void **state)
{
	(void)state;
	/* Volatile: the compiler would warn of a size that it can see. */
	volatile size_t huge = SIZE_MAX / 2;
	assert_null(mf_calloc(huge, 3));
	char *p = mf_calloc(0, 8);
	assert_non_null(p);
	assert_memory_equal(p, "\0\0\0\0\0\0\0", 8);
	free(p);
}

static void grow_makes_the_index_fit(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	void *array = NULL;
	size_t cap = 0;
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(mf_grow(&array, &cap, i, sizeof i, &err), 0);
		assert_true(cap > i);
		((size_t *)array)[i] = i;
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(((size_t *)array)[i], i);
	assert_int_equal(mf_grow(&array, &cap, SIZE_MAX / sizeof cap, sizeof cap, &err), -1);
	assert_int_equal(err.code, MF_E_NOMEM);
	assert_int_equal(((size_t *)array)[999], 999);
	free(array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equality_compares_length_and_bytes),
	    cmocka_unit_test(prefix_and_suffix_may_be_empty_or_everything),
	    cmocka_unit_test(order_is_by_unsigned_bytes_then_length),
	    cmocka_unit_test(dup_copies_and_terminates),
	    cmocka_unit_test(esc_makes_untrusted_bytes_printable),
	    cmocka_unit_test(esc_cuts_long_input_inside_its_buffer),
	    cmocka_unit_test(buf_grows_and_stays_terminated),
	    cmocka_unit_test(buf_takes_exactly_its_maximum),
	    cmocka_unit_test(buf_refuses_one_byte_past_its_maximum_and_is_unchanged),
	    cmocka_unit_test(buf_printf_appends),
	    cmocka_unit_test(buf_reset_keeps_memory_and_clear_gives_it_back),
	    cmocka_unit_test(buf_take_hands_the_memory_over),
	    cmocka_unit_test(calloc_checks_overflow_and_never_gives_nothing),
	    cmocka_unit_test(grow_makes_the_index_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
