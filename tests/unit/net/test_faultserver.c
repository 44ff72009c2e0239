/* The proxy mode of tests/support/faultserver.py, which integration tests put in front of real servers. */
#include "server.h"

static const char rules[] = "[{\"path\":\"^/"
			    "echo.status\",\"count\":1,\"skip\":1,\"action\":\"status\",\"status\":418,"
			    "\"headers\":{\"Link\":\"l\"},\"body\":\"tea\"},"
			    "{\"path\":\"^/echo.truncate\",\"action\":\"truncate\",\"bytes\":5},"
			    "{\"path\":\"^/echo.reset\",\"method\":\"POST\",\"action\":\"reset\"},"
			    "{\"path\":\"^/echo.drop\",\"action\":\"drop\",\"forward\":true},"
			    "{\"path\":\"^/echo.delay\",\"action\":\"delay\",\"ms\":300},"
			    "{\"path\":\"^/echo.replace\",\"action\":\"replace\",\"body\":\"other\"}]";

static struct server *upstream, *proxy;

static int start(void **state)
{
	char url[64];
	(void)state;
	upstream = server_start(false, NULL, NULL);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d", upstream->port);
	proxy = server_start(false, rules, url);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	server_stop(proxy);
	server_stop(upstream);
	return 0;
}

#define FIXTURE(f)                                                                                           \
	struct fixture f FIXTURE_CLEANUP;                                                                    \
	(void)state;                                                                                         \
	fixture_init(&f, proxy, upstream)

static void what_no_rule_matches_is_forwarded_unchanged(void **state)
{
	FIXTURE(f);
	char body[256];
	struct mf_http_request req = {
	    .method = "PUT", .url = at(&f, "/echo?x=1"), .body = mf_bytes_of(MF_STR("abc"))};
	assert_int_equal(status_of(&f, &req, body), 200);
	assert_non_null(strstr(body, "\"method\": \"PUT\", \"path\": \"/echo?x=1\", \"length\": 3"));
	assert_int_equal(logged(upstream, "\"body\": \"abc\""), 1);
	assert_int_equal(get(&f, at(&f, "/status/404"), NULL), 404);
}

static void a_status_rule_counts_and_skips(void **state)
{
	FIXTURE(f);
	char body[256];
	assert_int_equal(get(&f, at(&f, "/echo?status"), NULL), 200);
	assert_int_equal(get(&f, f.url, body), 418);
	assert_string_equal(body, "tea");
	assert_int_equal(get(&f, f.url, NULL), 200);
	assert_int_equal(logged(upstream, "?status"), 2);
}

static void faults_reach_the_client(void **state)
{
	FIXTURE(f);
	char body[256];
	assert_int_equal(get_error(&f, at(&f, "/echo?truncate")).code, MF_E_UNAVAILABLE);
	struct mf_http_request req = {.method = "POST", .url = at(&f, "/echo?reset")};
	assert_int_equal(error_of(&f, &req).code, MF_E_UNAVAILABLE);
	assert_int_equal(logged(upstream, "?reset"), 0);
	req.url = at(&f, "/echo?drop");
	assert_int_equal(error_of(&f, &req).code, MF_E_UNAVAILABLE);
	assert_int_equal(logged(upstream, "?drop"), 1);
	int64_t begin = mf_monotonic_ms();
	assert_int_equal(get(&f, at(&f, "/echo?delay"), NULL), 200);
	assert_true(mf_monotonic_ms() - begin >= 300);
	assert_int_equal(get(&f, at(&f, "/echo?replace"), body), 200);
	assert_string_equal(body, "other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_no_rule_matches_is_forwarded_unchanged),
	    cmocka_unit_test(a_status_rule_counts_and_skips),
	    cmocka_unit_test(faults_reach_the_client),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
