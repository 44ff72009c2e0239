/* Names of buckets and objects, and the errors of object stores. What is sent and what comes of it is tested
 * on a real store (tests/integration/61-s3.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../net/server.h"

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

/* ---- lists */

#define PAGE(truncated, contents)                                                                            \
	"<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>" truncated                                   \
	"</IsTruncated><EncodingType>url</EncodingType>" contents "</ListBucketResult>"
#define OBJECT(key, size, time)                                                                              \
	"<Contents><Key>" key "</Key><LastModified>" time "</LastModified><ETag>x</ETag><Size>" size         \
	"</Size></Contents>"
#define NOON "2026-11-29T12:00:00.000Z"

static void a_page_lists_what_lies_below_the_prefix(void **state)
{
	struct mf_listing l MF_LISTING_CLEANUP = MF_LISTING_INIT;
	struct mf_buf last MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	(void)state;
	struct mf_str page = mf_str_c(PAGE("true", OBJECT("a/b%253A1/1.root.json", "17", NOON)
						       OBJECT("elsewhere/1.root.json", "1", NOON)
							   OBJECT("a/b%253A1/targets%2Fx/y", "0", NOON)));
	assert_int_equal(mf_s3_list_parse(page, MF_STR("a/b%3A1/"), &l, &last, &err), MF_FOUND);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].name, "1.root.json");
	assert_int_equal(l.v[0].size, 17);
	assert_int_equal(l.v[0].changed, 1795953600);
	assert_string_equal(l.v[1].name, "targets/x/y");
	assert_string_equal(mf_buf_str(&last).p, "a/b%3A1/targets/x/y");
	assert_int_equal(mf_s3_list_parse(mf_str_c(PAGE("false", "")), MF_STR(""), &l, &last, &err),
			 MF_ABSENT);
	assert_int_equal(l.n, 2);
	mf_listing_sort(&l);
	assert_non_null(mf_listing_find(&l, "targets/x/y"));
	assert_null(mf_listing_find(&l, "targets/x"));
}

static void keys_that_are_not_encoded_are_read_as_xml(void **state)
{
	struct mf_listing l MF_LISTING_CLEANUP = MF_LISTING_INIT;
	struct mf_buf last MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	(void)state;
	struct mf_str page = mf_str_c("<L><IsTruncated>false</IsTruncated>" OBJECT(
	    "p&amp;&lt;&#39;/a%253A.json", "1", NOON) "<EncodingType></EncodingType></L>");
	assert_int_equal(mf_s3_list_parse(page, MF_STR("p&<'/"), &l, &last, &err), MF_ABSENT);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].name, "a%253A.json");
}

static void a_page_that_cannot_be_read_is_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "<html>login</html>",
	    "<IsTruncated>false</IsTruncated>" OBJECT("a&nbsp;", "1", NOON),
	    "<IsTruncated>false</IsTruncated>" OBJECT("a&am", "1", NOON),
	    PAGE("false", OBJECT("a%", "1", NOON)),
	    PAGE("false", OBJECT("a%00b", "1", NOON)),
	    PAGE("false", OBJECT("a", "-1", NOON)),
	    PAGE("false", OBJECT("a", "", NOON)),
	    PAGE("false", OBJECT("a", "99999999999999999999", NOON)),
	    PAGE("false", OBJECT("a", "1", "yesterday")),
	    PAGE("false", "<Contents><Key>a</Key><Size>1</Size></Contents>"),
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_listing l MF_LISTING_CLEANUP = MF_LISTING_INIT;
		struct mf_buf last MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		if (mf_s3_list_parse(mf_str_c(rows[i]), MF_STR(""), &l, &last, &err) != MF_FAILED)
			fail_msg("%s", rows[i]);
		assert_int_equal(err.code, MF_E_REFUSED);
		mf_err_clear(&err);
	}
}

/* ---- publishing */

/* Its ETag would let an older state take the place of what somebody else has published since. */
static void what_was_built_on_another_timestamp_is_not_sent(void **state)
{
	static const char rules[] =
	    "[{\"method\":\"GET\",\"path\":\"/timestamp.json\",\"action\":\"status\","
	    "\"status\":200,\"headers\":{\"ETag\":\"\\\"e\\\"\"},\"body\":\"newer\"}]";
	struct mf_secret secret = MF_SECRET_INIT;
	struct mf_aws_config aws = {.key_id = "AKID", .secret = &secret, .region = "us-east-1"};
	struct fixture f FIXTURE_CLEANUP = {.s = NULL};
	struct server *s = server_start(false, rules, NULL);
	struct mf_err why = MF_ERR_INIT;
	(void)state;
	fixture_init(&f, s, NULL);
	assert_int_equal(mf_secret_copy(&secret, mf_bytes_of(MF_STR("hush")), &why), 0);
	char endpoint[64];
	(void)snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d", s->port);
	aws.endpoint = endpoint;
	const struct mf_trust_config to = {.home = s->dir, .http = f.h, .aws = &aws, .env = &f.env};
	struct mf_repo *r = mf_repo_s3.open(&mf_repo_s3, "records/x", "localhost:5000/app", &to, &why);
	assert_non_null(r);
	const struct mf_publish_file stamp = {"timestamp", 2, mf_bytes_of(MF_STR("mine"))};
	const struct mf_bytes base = mf_bytes_of(MF_STR("older"));
	assert_int_equal(mf_repo_s3.publish(r, &stamp, 1, &base, &why), -1);
	assert_int_equal(why.code, MF_E_CONFLICT);
	assert_int_equal(logged(s, "\"GET\""), 1);
	assert_int_equal(logged(s, "\"PUT\""), 0);
	mf_repo_s3.close(r);
	mf_secret_clear(&secret);
	server_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls_name_a_bucket_and_a_prefix),
	    cmocka_unit_test(a_key_that_is_too_long_is_refused),
	    cmocka_unit_test(the_first_element_of_an_error_counts_and_is_cut),
	    cmocka_unit_test(a_page_lists_what_lies_below_the_prefix),
	    cmocka_unit_test(keys_that_are_not_encoded_are_read_as_xml),
	    cmocka_unit_test(a_page_that_cannot_be_read_is_refused),
	    cmocka_unit_test(what_was_built_on_another_timestamp_is_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
