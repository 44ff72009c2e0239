#include "base/text.h"

#include <setjmp.h>

#include <cmocka.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static void utf8_gives_the_code_point_of_each_length(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t n;
		uint32_t code;
	} rows[] = {
	    {"\x7f", 1, 0x7f},
	    {"\xc2\x80", 2, 0x80},
	    {"\xdf\xbf", 2, 0x7ff},
	    {"\xe0\xa0\x80", 3, 0x800},
	    {"\xed\x9f\xbf", 3, 0xd7ff},
	    {"\xee\x80\x80", 3, 0xe000},
	    {"\xef\xbf\xbf", 3, 0xffff},
	    {"\xf0\x90\x80\x80", 4, 0x10000},
	    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		uint32_t code = 0;
		const char *end = rows[i].text + strlen(rows[i].text);
		assert_int_equal(mf_utf8_next(rows[i].text, end, &code), rows[i].n);
		assert_int_equal(code, rows[i].code);
		if (rows[i].n > 1) /* cut short */
			assert_int_equal(mf_utf8_next(rows[i].text, end - 1, &code), 0);
	}
}

static void utf8_refuses_what_is_not_well_formed(void **state)
{
	(void)state;
	static const char *const rows[] = {
	    "\x80",             /* a continuation alone */
	    "\xc0\xaf",         /* overlong '/' */
	    "\xc1\xbf",         /* overlong */
	    "\xe0\x9f\xbf",     /* overlong */
	    "\xf0\x8f\xbf\xbf", /* overlong */
	    "\xed\xa0\x80",     /* surrogate */
	    "\xed\xbf\xbf",     /* surrogate */
	    "\xf4\x90\x80\x80", /* beyond U+10FFFF */
	    "\xf5\x80\x80\x80",
	    "\xff",
	    "\xc2 ",
	    "\xe2\x82 ",
	    "\xf0\x90\x80 ",
	    "\xc3\xc3",
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		uint32_t code = 7;
		assert_int_equal(mf_utf8_next(rows[i], rows[i] + strlen(rows[i]), &code), 0);
		assert_int_equal(code, 7);
	}
	uint32_t code = 7;
	assert_int_equal(mf_utf8_next("a", "a", &code), 0);
}

static void unsafe_is_what_acts_reorders_or_cannot_be_seen(void **state)
{
	(void)state;
	static const uint32_t unsafe[] = {
	    0,      7,      '\n',    0x1b,    0x1f,    0x7f,    0x80,    0x9b,    0x9f,   0xad,   0x34f,
	    0x61c,  0x115f, 0x1160,  0x17b4,  0x180e,  0x200b,  0x200d,  0x200e,  0x200f, 0x2028, 0x2029,
	    0x202a, 0x202e, 0x2060,  0x2066,  0x2069,  0x206f,  0x2800,  0x3164,  0xfe0f, 0xfeff, 0xffa0,
	    0xfff9, 0xffff, 0x1fffe, 0xe0000, 0xe0041, 0xe007f, 0xe01ef, 0x10ffff};
	static const uint32_t safe[] = {' ',     '~',     0xa0,    0xac,    0xae,    0xe9,   0x627,
					0x2010,  0x2027,  0x202f,  0x20ac,  0x4e00,  0xfe10, 0xfffd,
					0x10000, 0x1f600, 0xdfffd, 0xe1000, 0x10fffd};
	for (size_t i = 0; i < ROWS(unsafe); i++)
		assert_true(mf_text_unsafe(unsafe[i]));
	for (size_t i = 0; i < ROWS(safe); i++)
		assert_false(mf_text_unsafe(safe[i]));
}

static char *written;
static size_t length;

static FILE *begin(void)
{
	FILE *f = open_memstream(&written, &length);
	assert_non_null(f);
	return f;
}

static void end(FILE *f, const char *expected)
{
	assert_int_equal(fclose(f), 0);
	assert_string_equal(written, expected);
	free(written);
}

static void text_is_written_in_its_safe_form(void **state)
{
	(void)state;
	FILE *f = begin();
	mf_text_put(f, MF_STR("a\x1b[31m \xc3\xa9 \xe2\x80\xae \xf3\xa0\x81\x81 \xff \0."));
	end(f, "a\\u{1b}[31m \xc3\xa9 \\u{202e} \\u{e0041} \\xff \\u{0}.");
}

static void text_is_no_command_to_a_runner(void **state)
{
	(void)state;
	FILE *f = begin();
	mf_text_put(f, MF_STR("a ##[set-output name=x]y ##vso[a]###[b]##teamcity[c"));
	end(f, "a \\u{23}#[set-output name=x]y \\u{23}#vso[a]#\\u{23}#[b]\\u{23}#teamcity[c");
	f = begin();
	mf_text_put(f, MF_STR("## a #[b] ##a1[ ##"));
	end(f, "## a #[b] ##a1[ ##");
}

static void printf_makes_strings_safe_and_keeps_the_format(void **state)
{
	(void)state;
	FILE *f = begin();
	mf_text_printf(f, "%s\n\t%.*s|%c%%\x1b", "\n", 3,
		       "ab\x1b"
		       "cd",
		       'x');
	end(f, "\\u{a}\n\tab\\u{1b}|x%\x1b");
}

static void printf_writes_numbers_of_every_size(void **state)
{
	(void)state;
	FILE *f = begin();
	mf_text_printf(f, "%d %u %x %zu %lld %llu", -1, 2u, 255u, (size_t)4, -5LL, UINT64_MAX + 0ULL);
	end(f, "-1 2 ff 4 -5 18446744073709551615");
}

static void printf_pads_by_code_points_of_what_is_written(void **state)
{
	(void)state;
	FILE *f = begin();
	mf_text_printf(f, "%-4s|%-*s|%-2s|%-7s|", "\xc3\xa9", 3, "a", "abc", "\x1b");
	end(f, "\xc3\xa9   |a  |abc|\\u{1b} |");
}

static void vprintf_in(FILE *f, mf_text_form *form, const char *fmt, ...) MF_PRINTF(3, 4);

static void vprintf_in(FILE *f, mf_text_form *form, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	mf_text_vprintf(f, form, fmt, ap);
	va_end(ap);
}

static void printf_in(mf_text_form *form, const char *text, const char *wanted)
{
	FILE *f = begin();
	vprintf_in(f, form, "<%s>", text);
	end(f, wanted);
}

static void other_forms_leave_no_markup(void **state)
{
	(void)state;
	printf_in(mf_text_xml, "a&b<c>\"d'\x1b\xc3\xa9", "<a&amp;b&lt;c&gt;&quot;d&#39;\\u{1b}\xc3\xa9>");
	printf_in(mf_text_markdown, "a|b`*_[](x) <i>\n\xc3\xa9",
		  "<a\\|b\\`\\*\\_\\[\\]\\(x\\) \\<i\\>\\\\u\\{a\\}\xc3\xa9>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utf8_gives_the_code_point_of_each_length),
	    cmocka_unit_test(utf8_refuses_what_is_not_well_formed),
	    cmocka_unit_test(unsafe_is_what_acts_reorders_or_cannot_be_seen),
	    cmocka_unit_test(text_is_written_in_its_safe_form),
	    cmocka_unit_test(text_is_no_command_to_a_runner),
	    cmocka_unit_test(printf_makes_strings_safe_and_keeps_the_format),
	    cmocka_unit_test(printf_writes_numbers_of_every_size),
	    cmocka_unit_test(printf_pads_by_code_points_of_what_is_written),
	    cmocka_unit_test(other_forms_leave_no_markup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
