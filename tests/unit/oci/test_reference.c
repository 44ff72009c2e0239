#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "oci/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA "sha256:" HEX

static void assert_same(const char *a, const char *b)
{
	assert_string_equal(a ? a : "(none)", b ? b : "(none)");
}

struct good {
	const char *text, *registry, *repository, *dir, *tag;
	bool digest;
};

static const struct good good[] = {
    {"alpine", "docker.io", "library/alpine", NULL, "latest", false},
    {"alpine:3.18", "docker.io", "library/alpine", NULL, "3.18", false},
    {"docker.io/alpine", "docker.io", "library/alpine", NULL, "latest", false},
    {"index.docker.io/a/b", "docker.io", "a/b", NULL, "latest", false},
    {"org/img", "docker.io", "org/img", NULL, "latest", false},
    {"docker://org/img:1", "docker.io", "org/img", NULL, "1", false},
    {"localhost/img", "localhost", "img", NULL, "latest", false},
    {"localhost:5000/img", "localhost:5000", "img", NULL, "latest", false},
    {"localhost:5000", "docker.io", "library/localhost", NULL, "5000", false},
    {"r.io", "docker.io", "library/r.io", NULL, "latest", false},
    {"docker://oci:5000/img", "oci:5000", "img", NULL, "latest", false},
    {"[::1]:5000/img:v1", "[::1]:5000", "img", NULL, "v1", false},
    {"127.0.0.1:1/a", "127.0.0.1:1", "a", NULL, "latest", false},
    {"Reg-1.example.com/a/b/c:T", "Reg-1.example.com", "a/b/c", NULL, "T", false},
    {"r.io/a--b__c.d_e", "r.io", "a--b__c.d_e", NULL, "latest", false},
    {"r.io/img@" SHA, "r.io", "img", NULL, NULL, true},
    {"r.io:65535/img:v1@" SHA, "r.io:65535", "img", NULL, "v1", true},
    {"oci:dir", NULL, NULL, "dir", NULL, false},
    {"oci:/a/b c:latest", NULL, NULL, "/a/b c", "latest", false},
    {"oci:dir:v1@" SHA, NULL, NULL, "dir", "v1", true},
    {"oci:dir@" SHA, NULL, NULL, "dir", NULL, true},
    {"oci:a:b/c", NULL, NULL, "a:b/c", NULL, false},
    {"oci:a:b:c", NULL, NULL, "a:b", "c", false},
    {"oci:a:", NULL, NULL, "a:", NULL, false},
    {"oci:me@home/x:1", NULL, NULL, "me@home/x", "1", false},
    {"oci:x@v1:tag", NULL, NULL, "x@v1", "tag", false},
};

static void reference_parses_what_the_grammar_allows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct good *g = &good[i];
		struct mf_err err = MF_ERR_INIT;
		struct mf_ref r MF_REF_CLEANUP = {0};
		assert_int_equal(mf_ref_parse(&r, mf_str_c(g->text), &err), 0);
		assert_same(r.registry, g->registry);
		assert_same(r.repository, g->repository);
		assert_same(r.dir, g->dir);
		assert_same(r.tag, g->tag);
		assert_int_equal(r.has_digest, g->digest);
		assert_int_equal(r.transport, g->dir ? MF_TRANSPORT_LAYOUT : MF_TRANSPORT_REGISTRY);
	}
}

static const char *const bad[] = {
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    "A",
    "org/Img",
    "r.io/",
    ".",
    "./a",
    "../a",
    "a:",
    "a:/b",
    "a:b:c",
    "a@",
    "a:-x",
    "a:.x",
    "a/b:t/",
    "-a",
    "a-",
    "a_",
    "a.",
    "a___b",
    "a..b",
    "a._b",
    "a b",
    "a\n",
    "r.io:/a",
    "r.io:0/a",
    "r.io:65536/a",
    "r.io:123456/a",
    "r.io:5x/a",
    "-r.io/a",
    "r-.io/a",
    "r..io/a",
    "r_x.io/a",
    "[::1/a",
    "[]:5/a",
    "[::g]:1/a",
    "[::1]x/a",
    "[::1]",
    "https://r.io/a",
    "docker://",
    "docker://docker://a",
    "a@sha256:",
    "a@" SHA "0",
    "a@sha256:"
    "ABCDEF89abcdef0123456789abcdef0123456789abcdef0123456789abcdef01",
    "a@sha512:" HEX HEX,
    "a@md5:0123456789abcdef0123456789abcdef",
    "a@" SHA "@" SHA,
    "a@" SHA ":tag",
    HEX,
    "oci:",
    "oci::tag",
    "oci:@" SHA,
    "oci:dir@sha512:" HEX HEX,
    "oci:dir@sha256:abc",
    "oci:dir@md5:0123456789abcdef0123456789abcdef",
    "a\x80",
};

static void reference_refuses_everything_else_as_usage(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_ref r MF_REF_CLEANUP = {0};
		assert_int_equal(mf_ref_parse(&r, mf_str_c(bad[i]), &err), -1);
		assert_int_equal(err.code, MF_E_USAGE);
		assert_null(r.registry);
		assert_null(r.dir);
	}
}

static void reference_refuses_zero_bytes(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_ref r MF_REF_CLEANUP = {0};
	assert_int_equal(mf_ref_parse(&r, MF_STR("oci:a\0b"), &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
}

static void reference_message_quotes_the_offending_part_escaped(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_ref r MF_REF_CLEANUP = {0};
	assert_int_equal(mf_ref_parse(&r, mf_str_c("r.io/a\033[31m:v"), &err), -1);
	assert_non_null(strstr(err.msg, "repository 'a\\x1b[31m'"));
	assert_null(strchr(err.msg, '\033'));
}

static void reference_has_maximum_lengths(void **state)
{
	(void)state;
	char text[MF_MAX_REFERENCE + 10];
	const struct {
		const char *prefix;
		size_t n;
		int want;
	} rows[] = {
	    {"r.io/", MF_MAX_REPOSITORY, 0},   {"r.io/", MF_MAX_REPOSITORY + 1, -1},
	    {"r.io/x:", MF_MAX_TAG, 0},        {"r.io/x:", MF_MAX_TAG + 1, -1},
	    {"oci:", MF_MAX_REFERENCE - 4, 0}, {"oci:", MF_MAX_REFERENCE - 3, -1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_ref r MF_REF_CLEANUP = {0};
		size_t p = strlen(rows[i].prefix);
		memcpy(text, rows[i].prefix, p);
		memset(text + p, 'a', rows[i].n);
		assert_int_equal(mf_ref_parse(&r, (struct mf_str){text, p + rows[i].n}, &err), rows[i].want);
	}
}

static void repository_parses_without_tag_and_digest_only(void **state)
{
	(void)state;
	const struct {
		const char *text, *gun;
	} rows[] = {
	    {"alpine", "docker.io/library/alpine"},
	    {"localhost:5000/a/b", "localhost:5000/a/b"},
	    {"docker://r.io/x", "r.io/x"},
	    {"alpine:3", NULL},
	    {"r.io/x@" SHA, NULL},
	    {"oci:dir", NULL},
	    {"", NULL},
	    {"r.io/X", NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_ref r MF_REF_CLEANUP = {0};
		struct mf_buf gun MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		int rc = mf_ref_parse_repository(&r, mf_str_c(rows[i].text), &err);
		assert_int_equal(rc, rows[i].gun ? 0 : -1);
		if (rc) {
			assert_int_equal(err.code, MF_E_USAGE);
			continue;
		}
		assert_null(r.tag);
		assert_int_equal(mf_ref_gun(&r, &gun, &err), 0);
		assert_string_equal(gun.p, rows[i].gun);
	}
}

static void gun_of_a_layout_is_oci_and_long_names_are_refused(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_ref layout MF_REF_CLEANUP = {0}, long_name MF_REF_CLEANUP = {0};
	struct mf_buf gun MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	char text[300] = "r.io/";
	assert_int_equal(mf_ref_parse(&layout, MF_STR("oci:dir:tag"), &err), 0);
	assert_int_equal(mf_ref_gun(&layout, &gun, &err), 0);
	assert_string_equal(gun.p, "oci");
	memset(text + 5, 'a', 251);
	assert_int_equal(mf_ref_parse(&long_name, mf_str_c(text), &err), 0);
	assert_int_equal(mf_ref_gun(&long_name, &gun, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
}

static void user_names_in_references_are_refused_unseen(void **state)
{
	(void)state;
	static const char *const rows[] = {"u:SECRET@r.io/a/b", "docker://u:SECRET@r.io/a/b:1",
					   "SECRET@r.io/a", "u:SECRET@r.io:5000/a@sha256:00"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_err err = MF_ERR_INIT, again = MF_ERR_INIT;
		struct mf_ref r MF_REF_CLEANUP = {0}, q MF_REF_CLEANUP = {0};
		assert_int_equal(mf_ref_parse(&r, mf_str_c(rows[i]), &err), -1);
		assert_int_equal(err.code, MF_E_USAGE);
		assert_null(strstr(err.msg, "SECRET"));
		assert_int_equal(mf_ref_parse_repository(&q, mf_str_c(rows[i]), &again), -1);
		assert_null(strstr(again.msg, "SECRET"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(user_names_in_references_are_refused_unseen),
	    cmocka_unit_test(reference_parses_what_the_grammar_allows),
	    cmocka_unit_test(reference_refuses_everything_else_as_usage),
	    cmocka_unit_test(reference_refuses_zero_bytes),
	    cmocka_unit_test(reference_message_quotes_the_offending_part_escaped),
	    cmocka_unit_test(reference_has_maximum_lengths),
	    cmocka_unit_test(repository_parses_without_tag_and_digest_only),
	    cmocka_unit_test(gun_of_a_layout_is_oci_and_long_names_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
