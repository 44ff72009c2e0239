#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/internal.h"

static void only_https_and_loopback_http_are_allowed(void **state)
{
	static const struct {
		const char *url;
		bool strict, plain;
	} rows[] = {
	    {"https://registry.example/v2/", true, true},
	    {"HTTPS://registry.example/v2/", true, true},
	    {"http://localhost:5000/v2/", true, true},
	    {"http://LOCALHOST/", true, true},
	    {"http://127.0.0.1:5000/", true, true},
	    {"http://127.255.3.4/", true, true},
	    {"http://[::1]:5000/", true, true},
	    {"http://registry.example/", false, true},
	    {"http://127.0.0.1.evil.example/", false, true},
	    {"http://localhost.evil.example/", false, true},
	    {"http://128.0.0.1/", false, true},
	    {"http://[::2]/", false, true},
	    {"http://evil.example#@127.0.0.1/", false, true},
	    {"http://127.0.0.1@evil.example/", false, false},
	    {"https://user:pw@registry.example/", false, false},
	    {"ftp://127.0.0.1/", false, false},
	    {"file:///etc/passwd", false, false},
	    {"registry.example/v2/", false, false},
	    {"", false, false},
	};
	const struct mf_http strict = {0}, plain = {.plain_http = true};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (mf_http_url_allowed(&strict, rows[i].url) != rows[i].strict ||
		    mf_http_url_allowed(&plain, rows[i].url) != rows[i].plain)
			fail_msg("%s", rows[i].url);
}

static void redaction_drops_user_information_and_query_values(void **state)
{
	static const struct {
		const char *url, *shown;
	} rows[] = {
	    {"https://h/p?sig=SECRET&x=1&SECRET#f", "https://h/p?sig=***&x=***&***"},
	    {"https://u:SECRET@h:1/p@q", "https://h:1/p@q"},
	    {"https://u:SEC@RET@h/p?a", "https://h/p?***"},
	    {"u:SECRET@h/p", "h/p"},
	    {"https://h/\n\x1b[1m", "https://h/??[1m"},
	    {"https://h/p?", "https://h/p?"},
	};
	char out[128], tiny[8];
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mf_net_url_redact(out, sizeof out, rows[i].url);
		assert_string_equal(out, rows[i].shown);
	}
	mf_net_url_redact(tiny, sizeof tiny, "https://h/p");
	assert_string_equal(tiny, "https:/");
}

static void references_resolve_against_the_request(void **state)
{
	static const struct {
		const char *ref, *want;
	} rows[] = {
	    {"/v2/x?y=1#frag", "https://h:5/v2/x?y=1"},
	    {"z", "https://h:5/a/z"},
	    {"//other/z", "https://other/z"},
	    {"https://o/%2F", "https://o/%2F"},
	    {"?a=b", "https://h:5/a/b?a=b"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *url MF_FREE = NULL;
		struct mf_err err = MF_ERR_INIT;
		assert_int_equal(mf_net_url_resolve(&url, "https://h:5/a/b?q=1", rows[i].ref, &err), 0);
		assert_string_equal(url, rows[i].want);
	}
	char *none = NULL;
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_net_url_resolve(&none, "https://h/", "https://a b\n/", &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_null(none);
}

static void origins_name_scheme_host_and_port(void **state)
{
	char out[MF_NET_ORIGIN];
	(void)state;
	assert_true(mf_net_url_origin(out, "HTTPS://Reg.Example/x"));
	assert_string_equal(out, "https://reg.example:443");
	assert_true(mf_net_url_origin(out, "http://[::1]:80/"));
	assert_string_equal(out, "http://[::1]:80");
	assert_false(mf_net_url_origin(out, "ftp://h/"));
	assert_false(mf_net_url_origin(out, "h/x"));
}

static void retry_after_takes_seconds_and_dates(void **state)
{
	(void)state;
	assert_int_equal(mf_net_retry_after_ms("", 0), -1);
	assert_int_equal(mf_net_retry_after_ms("7", 0), 7000);
	assert_int_equal(mf_net_retry_after_ms("0", 0), 0);
	assert_int_equal(mf_net_retry_after_ms("99999999999999999999", 0), INT64_MAX);
	assert_int_equal(mf_net_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", 784111767), 10000);
	assert_int_equal(mf_net_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", 784111778), 0);
	assert_int_equal(mf_net_retry_after_ms("soon", 0), -1);
	assert_int_equal(mf_net_retry_after_ms("-5", 0), -1);
}

static void no_proxy_knows_ports_and_wildcards(void **state)
{
	static const struct {
		const char *list, *url, *want;
	} rows[] = {
	    {"a.example,b.example", "https://x.example/", "a.example,b.example"},
	    {" *.example.com ,  other", "https://x.example/", ".example.com,other"},
	    {"*", "https://x.example/", "*"},
	    {"x.example:5000", "https://x.example:5000/v2/", "*"},
	    {"x.example:443", "https://x.example/v2/", "*"},
	    {"x.example:80", "https://x.example/v2/", ""},
	    {"example:5000", "http://x.example:5000/v2/", "*"},
	    {"*.example:5000,y", "http://x.example:5000/v2/", "*"},
	    {"y,ample:5000", "http://x.example:5000/v2/", "y"},
	    {"::1,10.0.0.0/8", "http://x.example/", "::1,10.0.0.0/8"},
	    {"[::1]:5000", "http://[::1]:5000/", "*"},
	    {"[::1]:5000", "http://[::1]:5001/", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[MF_NET_NO_PROXY];
		assert_int_equal(setenv("no_proxy", rows[i].list, 1), 0);
		assert_true(mf_net_no_proxy(out, rows[i].url));
		assert_string_equal(out, rows[i].want);
	}
	char out[MF_NET_NO_PROXY];
	(void)unsetenv("no_proxy");
	assert_int_equal(setenv("NO_PROXY", "x.example:5000", 1), 0);
	assert_true(mf_net_no_proxy(out, "http://x.example:5000/"));
	assert_string_equal(out, "*");
	(void)unsetenv("NO_PROXY");
	assert_false(mf_net_no_proxy(out, "http://x.example:5000/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_https_and_loopback_http_are_allowed),
	    cmocka_unit_test(redaction_drops_user_information_and_query_values),
	    cmocka_unit_test(references_resolve_against_the_request),
	    cmocka_unit_test(origins_name_scheme_host_and_port),
	    cmocka_unit_test(retry_after_takes_seconds_and_dates),
	    cmocka_unit_test(no_proxy_knows_ports_and_wildcards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
