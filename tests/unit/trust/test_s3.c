/* Names of buckets and objects, and the errors of object stores. What is sent and what comes of it is tested
 * on a real store (tests/integration/61-s3.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trust/bucket.h"

static struct mf_err err;
static const struct mf_trust_config cfg;

static void urls_name_a_bucket_and_a_prefix(void **state)
{
	static const struct {
		const char *rest, *bucket, *prefix, *where;
	} rows[] = {
	    {"records", "records", "localhost%3A5000/app/", "tuf+s3://records/localhost%3A5000/app"},
	    {"records/", "records", "localhost%3A5000/app/", "tuf+s3://records/localhost%3A5000/app"},
	    {"a.b-c_D/x/y z%2F", NULL, NULL, NULL},
	    {"a.b-c_D/x/y@%2F/", "a.b-c_D", "x/y@%2F/localhost%3A5000/app/",
	     "tuf+s3://a.b-c_D/x/y@%2F/localhost%3A5000/app"},
	    {"", NULL, NULL, NULL},
	    {"ab", NULL, NULL, NULL},
	    {".bc", NULL, NULL, NULL},
	    {"/prefix", NULL, NULL, NULL},
	    {"user:hush@bucket", NULL, NULL, NULL},
	    {"bucket//x", NULL, NULL, NULL},
	    {"bucket/x/../y", NULL, NULL, NULL},
	    {"bucket/./y", NULL, NULL, NULL},
	    {"bucket/x?hush=1", NULL, NULL, NULL},
	    {"bucket/x#hush", NULL, NULL, NULL},
	    {"bucket/a\nb", NULL, NULL, NULL},
	    {"bucket:443/x", NULL, NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_bucket b MF_CLEANUP(mf_bucket_clear) = {.cfg = NULL};
		char *where MF_FREE = NULL;
		int rc = mf_bucket_init(&b, rows[i].rest, "localhost:5000/app", &cfg, &where, &err);
		if (rows[i].bucket) {
			assert_int_equal(rc, 0);
			assert_string_equal(b.name, rows[i].bucket);
			assert_string_equal(b.prefix, rows[i].prefix);
			assert_string_equal(where, rows[i].where);
			continue;
		}
		if (rc == 0)
			fail_msg("%s", rows[i].rest);
		assert_int_equal(err.code, MF_E_USAGE);
		assert_null(strstr(err.msg, "hush"));
		mf_err_clear(&err);
	}
}

static void a_key_that_is_too_long_is_refused(void **state)
{
	char rest[1200] = "bucket/";
	struct mf_bucket b MF_CLEANUP(mf_bucket_clear) = {.cfg = NULL};
	char *where MF_FREE = NULL;
	(void)state;
	memset(rest + 7, 'x', 1100);
	assert_int_equal(mf_bucket_init(&b, rest, "app", &cfg, &where, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	mf_err_clear(&err);
}

static void the_first_element_of_an_error_counts_and_is_cut(void **state)
{
	static const struct {
		const char *body, *code;
	} rows[] = {
	    {"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Code>Other</Code></Error>", "NoSuchKey"},
	    {"<Error><Code></Code></Error>", ""},
	    {"<Code>cut", "cut"},
	    {"<Code", ""},
	    {"<CodeX>no</CodeX>", ""},
	    {"", ""},
	    {"<Code>a\x1b[1m\nb</Code>", "a?[1m?b"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_http_response res = {.body = MF_BUF_INIT(4096)};
		char code[256];
		assert_int_equal(mf_buf_addz(&res.body, rows[i].body, &err), 0);
		mf_s3_error_field(&res, "Code", code);
		assert_string_equal(code, rows[i].code);
		mf_buf_clear(&res.body);
	}
	struct mf_http_response res = {.body = MF_BUF_INIT(4096)};
	char code[256];
	mf_s3_error_field(&res, "Code", code);
	assert_string_equal(code, "");
	assert_int_equal(mf_buf_addz(&res.body, "<Code>", &err), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(mf_buf_addc(&res.body, 'x', &err), 0);
	mf_s3_error_field(&res, "Code", code);
	assert_int_equal(strlen(code), 255);
	mf_buf_clear(&res.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls_name_a_bucket_and_a_prefix),
	    cmocka_unit_test(a_key_that_is_too_long_is_refused),
	    cmocka_unit_test(the_first_element_of_an_error_counts_and_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
