#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/internal.h"

static struct mf_challenge parsed(const char *text)
{
	struct mf_challenge c;
	mf_challenge_parse(&c, mf_str_c(text));
	return c;
}

static void a_bearer_challenge_gives_realm_service_and_scope(void **state)
{
	struct mf_challenge c =
	    parsed("Bearer realm=\"https://auth.example/token\",service=\"registry.example\","
		   "scope=\"repository:acme/app:pull,push\",error=\"insufficient_scope\"");
	(void)state;
	assert_int_equal(c.scheme, MF_SCHEME_BEARER);
	assert_string_equal(c.realm, "https://auth.example/token");
	assert_string_equal(c.service, "registry.example");
	assert_string_equal(c.scope, "repository:acme/app:pull,push");
	assert_string_equal(c.error, "insufficient_scope");
}

static void bearer_is_preferred_wherever_it_stands(void **state)
{
	static const char *const rows[] = {
	    "Basic realm=\"x\", Bearer realm=\"https://a/\"",
	    "Bearer realm=\"https://a/\", Basic realm=\"x\"",
	    "Negotiate, Basic realm=x, bearer realm=\"https://a/\"",
	    "Negotiate YIIabc==, BEARER REALM=\"https://a/\"",
	    "Digest qop=\"auth, auth-int\", nonce=\"n,\\\"m\", stale=false, Bearer realm=\"https://a/\"",
	    " , Bearer realm = \"https://a/\" , ,Basic",
	    "Bearer realm=\"https://a/\", Bearer realm=\"https://b/\"",
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_challenge c = parsed(rows[i]);
		assert_int_equal(c.scheme, MF_SCHEME_BEARER);
		assert_string_equal(c.realm, "https://a/");
	}
}

static void basic_and_unknown_schemes_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(parsed("Basic realm=\"a\"").scheme, MF_SCHEME_BASIC);
	assert_int_equal(parsed("basic").scheme, MF_SCHEME_BASIC);
	assert_int_equal(parsed("Negotiate").scheme, MF_SCHEME_NONE);
	assert_int_equal(parsed("BasicX realm=\"a\"").scheme, MF_SCHEME_NONE);
	assert_int_equal(parsed("").scheme, MF_SCHEME_NONE);
}

static void quoted_pairs_are_resolved(void **state)
{
	(void)state;
	assert_string_equal(parsed("Bearer realm=\"http://a\\\"b\\\\c\"").realm, "http://a\"b\\c");
}

/* What servers write by hand, and other clients read. */
static void odd_parts_do_not_hide_what_is_meant(void **state)
{
	static const struct {
		const char *text;
		enum mf_scheme scheme;
		const char *realm, *service, *scope;
	} rows[] = {
	    {"Bearer realm=http://h:1/token,service=svc", MF_SCHEME_BEARER, "http://h:1/token", "svc", ""},
	    {"Bearer realm=\" http://h \" , service = svc ,", MF_SCHEME_BEARER, "http://h", "svc", ""},
	    {"Bearer realm=\"http://h\" service=\"svc\"", MF_SCHEME_BEARER, "http://h", "svc", ""},
	    {"Bearer realm=\"http://h\"x,service=svc", MF_SCHEME_BEARER, "http://h", "svc", ""},
	    {"Bearer realm=\"http://h\",realm=\"http://g\"", MF_SCHEME_BEARER, "http://h", "", ""},
	    {"Bearer realm=\"\",realm=\"http://g\"", MF_SCHEME_BEARER, "http://g", "", ""},
	    {"Bearer realm=http://h,scope=\"a\",scope=\"b\"", MF_SCHEME_BEARER, "http://h", "", "a b"},
	    {"Bearer realm=http://h,service=", MF_SCHEME_BEARER, "http://h", "", ""},
	    {"Bearer\trealm=\"http://h\"", MF_SCHEME_BEARER, "http://h", "", ""},
	    {"Bearer realm=\"http://h\", @;, ()", MF_SCHEME_BEARER, "http://h", "", ""},
	    {"Bearer realm=\"http://h\"\nBasic realm=\"unended", MF_SCHEME_BEARER, "http://h", "", ""},
	    {"Bearer realm=\"unended\nBearer realm=\"http://h\"", MF_SCHEME_BEARER, "http://h", "", ""},
	    {"Bearer, Bearer realm=\"http://h\"", MF_SCHEME_BEARER, "http://h", "", ""},
	    {"Bearer realm=\"/token\", Basic realm=x", MF_SCHEME_BASIC, "x", "", ""},
	    {"Bearer realm=\"http://a\tb\", Basic realm=x", MF_SCHEME_BASIC, "x", "", ""},
	    {"Basic realm=Registry Realm", MF_SCHEME_BASIC, "Registry", "", ""},
	    {"Basic realm=My Bearer Realm, charset=UTF-8", MF_SCHEME_BASIC, "My", "", ""},
	    {"Basic realm=/", MF_SCHEME_BASIC, "/", "", ""},
	    {"Basic realm=", MF_SCHEME_BASIC, "", "", ""},
	    {"Basic realm=\"unended", MF_SCHEME_BASIC, "", "", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_challenge c = parsed(rows[i].text);
		if (c.scheme != rows[i].scheme)
			fail_msg("%s: scheme %d", rows[i].text, (int)c.scheme);
		assert_string_equal(c.realm, rows[i].realm);
		assert_string_equal(c.service, rows[i].service);
		assert_string_equal(c.scope, rows[i].scope);
	}
}

static void what_cannot_be_answered_is_no_challenge(void **state)
{
	static const char *const rows[] = {
	    "Bearer",
	    "Bearer realm=\"\"",
	    "Bearer realm=\"https://a/",
	    "Bearer realm=\"https://a/\\",
	    "Bearer realm=",
	    "Bearer realm=\"a\"",
	    "Bearer realm=\"https://a\tb\"",
	    "Bearer realm=\"https://a\x7f\"",
	    "BearerX realm=\"https://a\"",
	    "=",
	    "\"Bearer\" realm=\"https://a\"",
	    "Bearer @",
	    "realm=\"https://a\"",
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (parsed(rows[i]).scheme != MF_SCHEME_NONE)
			fail_msg("accepted: %s", rows[i]);
	struct mf_challenge c;
	mf_challenge_parse(&c, (struct mf_str){"Bearer realm=\"https://a\0b\"", 26});
	assert_int_equal(c.scheme, MF_SCHEME_NONE);
}

static void overlong_parameters_make_a_challenge_useless(void **state)
{
	static char text[MF_MAX_HEADER_VALUE + 64];
	(void)state;
	for (size_t n = 1022; n <= 1023; n++) {
		(void)snprintf(text, sizeof text, "Bearer realm=\"http://%0*d\"", (int)n - 7, 7);
		assert_int_equal(parsed(text).scheme, n == 1022 ? MF_SCHEME_BEARER : MF_SCHEME_NONE);
	}
	(void)snprintf(text, sizeof text, "Basic realm=\"x\"%*s", (int)MF_MAX_HEADER_VALUE, "");
	assert_int_equal(parsed(text).scheme, MF_SCHEME_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_bearer_challenge_gives_realm_service_and_scope),
	    cmocka_unit_test(bearer_is_preferred_wherever_it_stands),
	    cmocka_unit_test(basic_and_unknown_schemes_are_told_apart),
	    cmocka_unit_test(quoted_pairs_are_resolved),
	    cmocka_unit_test(odd_parts_do_not_hide_what_is_meant),
	    cmocka_unit_test(what_cannot_be_answered_is_no_challenge),
	    cmocka_unit_test(overlong_parameters_make_a_challenge_useless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
