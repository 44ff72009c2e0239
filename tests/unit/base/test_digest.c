#include "base/digest.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void digest_parse_and_format_agree(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	char text[MF_DIGEST_TEXT], hex[65];
	assert_int_equal(mf_digest_parse(&d, MF_STR("sha256:" HEX), &err), 0);
	assert_memory_equal(d.b, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
	mf_digest_format(text, &d);
	assert_string_equal(text, "sha256:" HEX);
	mf_digest_hex(hex, &d);
	assert_string_equal(hex, HEX);
}

static void refused(struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	memset(&d, 0x55, sizeof d);
	assert_int_equal(mf_digest_parse(&d, text, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	for (size_t i = 0; i < sizeof d.b; i++)
		assert_int_equal(d.b[i], 0x55);
}

static void digest_parse_rejects_uppercase_hex(void **state)
{
	(void)state;
	char text[] = "sha256:" HEX;
	for (size_t i = 7; i < sizeof text - 1; i++) {
		char c = text[i];
		if (c < 'a')
			continue;
		text[i] = (char)(c - 'a' + 'A');
		refused(mf_str_c(text));
		text[i] = c;
	}
}

static void digest_parse_rejects_other_algorithms_and_lengths(void **state)
{
	(void)state;
	const struct mf_str bad[] = {
	    MF_STR(""),
	    MF_STR("sha256"),
	    MF_STR("sha256:"),
	    MF_STR(HEX),
	    MF_STR("sha256-" HEX),
	    MF_STR("sha256:" HEX "0"),
	    MF_STR("sha256:" HEX "00"),
	    MF_STR("sha256:" HEX "\n"),
	    MF_STR("sha256:" HEX "\0"),
	    MF_STR("sha256:" HEX " "),
	    MF_STR(" sha256:" HEX),
	    MF_STR("SHA256:" HEX),
	    MF_STR("sha512:" HEX HEX),
	    MF_STR("sha512:" HEX),
	    MF_STR("sha384:" HEX),
	    MF_STR("sha256::" HEX),
	    MF_STR("sha256:sha256:" HEX),
	    MF_STR("sha256+b64:" HEX),
	    MF_STR("sha256:g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
	    MF_STR("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"),
	    MF_STR("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\0"),
	    MF_STR("sha256:../../../../../../../../../../../../../../../../../../../../../etc"),
	};
	for (size_t i = 0; i < ROWS(bad); i++)
		refused(bad[i]);
}

static void digest_parse_names_what_it_refuses_in_printable_form(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	assert_int_equal(mf_digest_parse(&d, MF_STR("md5:\x1b[2J"), &err), -1);
	assert_non_null(strstr(err.msg, "'md5:\\x1b[2J'"));
}

static void digests_are_equal_in_every_octet(void **state)
{
	(void)state;
	struct mf_digest a, b;
	memset(&a, 7, sizeof a);
	b = a;
	assert_true(mf_digest_eq(&a, &b));
	for (size_t i = 0; i < sizeof a.b; i++) {
		b.b[i] ^= 0x80;
		assert_false(mf_digest_eq(&a, &b));
		b.b[i] ^= 0x80;
	}
}

static void fingerprints_are_read_as_people_write_them(void **state)
{
	(void)state;
	static const struct {
		const char *text, *digits; /* NULL: refused */
	} rows[] = {
	    {"0123abcd", "0123abcd"},
	    {"0123ABCD", "0123abcd"},
	    {"01:23:AB:cd", "0123abcd"},
	    {"0123 abcd", "0123abcd"},
	    {"sha256:0123abcd", "0123abcd"},
	    {"SHA256:01:23", "0123"},
	    {"", NULL},
	    {"sha256:", NULL},
	    {"sha512:0123", NULL},
	    {":0123", NULL},
	    {"0123:", NULL},
	    {"01::23", NULL},
	    {"01: 23", NULL},
	    {"01-23", NULL},
	    {"0123g", NULL},
	    {"alice", NULL},
	    {"01\n23", NULL},
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		char out[65];
		assert_int_equal(mf_fingerprint_digits(out, rows[i].text), rows[i].digits != NULL);
		if (rows[i].digits)
			assert_string_equal(out, rows[i].digits);
	}
	struct mf_digest d, expected;
	struct mf_err err = MF_ERR_INIT;
	const char *colons =
	    "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:"
	    "78:52:B8:55";
	assert_int_equal(
	    mf_digest_parse(&expected,
			    MF_STR("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852"
				   "b855"),
			    &err),
	    0);
	assert_true(mf_fingerprint_parse(&d, colons));
	assert_true(mf_digest_eq(&d, &expected));
	assert_false(mf_fingerprint_parse(&d, colons + 3));
	char longer[128];
	(void)snprintf(longer, sizeof longer, "%s:00", colons);
	assert_false(mf_fingerprint_parse(&d, longer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digest_parse_and_format_agree),
	    cmocka_unit_test(fingerprints_are_read_as_people_write_them),
	    cmocka_unit_test(digest_parse_rejects_uppercase_hex),
	    cmocka_unit_test(digest_parse_rejects_other_algorithms_and_lengths),
	    cmocka_unit_test(digest_parse_names_what_it_refuses_in_printable_form),
	    cmocka_unit_test(digests_are_equal_in_every_octet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
