#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "net/auth.h"

static struct mf_challenge parsed(const char *text)
{
	struct mf_challenge c;
	struct mf_err err = MF_ERR_INIT;
	if (mf_challenge_parse(&c, mf_str_c(text), &err))
		fail_msg("%s: %s", text, err.msg);
	return c;
}

static void refused(const char *text, size_t n)
{
	struct mf_challenge c;
	struct mf_err err = MF_ERR_INIT;
	if (!mf_challenge_parse(&c, (struct mf_str){text, n}, &err))
		fail_msg("accepted: %.*s", (int)n, text);
	assert_int_equal(err.code, MF_E_FORMAT);
}

static void a_bearer_challenge_gives_realm_service_and_scope(void **state)
{
	struct mf_challenge c =
	    parsed("Bearer realm=\"https://auth.example/token\",service=\"registry.example\","
		   "scope=\"repository:acme/app:pull,push\",error=\"insufficient_scope\"");
	(void)state;
	assert_true(c.bearer);
	assert_false(c.basic);
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
		assert_true(c.bearer);
		assert_false(c.basic);
		assert_string_equal(c.realm, "https://a/");
	}
}

static void basic_and_unknown_schemes_are_told_apart(void **state)
{
	(void)state;
	assert_true(parsed("Basic realm=\"a\"").basic);
	assert_true(parsed("basic").basic);
	assert_false(parsed("Negotiate").basic);
	assert_false(parsed("BasicX realm=\"a\"").basic);
	assert_false(parsed("").bearer);
}

static void quoted_pairs_are_resolved(void **state)
{
	(void)state;
	assert_string_equal(parsed("Bearer realm=\"a\\\"b\\\\c\"").realm, "a\"b\\c");
}

static void malformed_challenges_are_refused(void **state)
{
	static const char *const rows[] = {
	    "Bearer",
	    "Bearer realm=\"\"",
	    "Bearer realm=\"https://a/",
	    "Bearer realm=\"https://a/\\",
	    "Bearer realm=",
	    "Bearer realm=\"a\" service=\"b\"",
	    "Bearer realm=\"a\"x",
	    "Bearer realm=\"a\", realm=\"b\"",
	    "Bearer realm=\"a\tb\"",
	    "Bearer realm=\"a\x7f\"",
	    "Bearer\trealm=\"a\"",
	    "=",
	    "\"Bearer\" realm=\"a\"",
	    "Bearer @",
	    "Basic realm=\"a\", (",
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		refused(rows[i], strlen(rows[i]));
	refused("Bearer realm=\"a\0b\"", 18);
}

static void overlong_parameters_are_refused(void **state)
{
	static char text[MF_MAX_HEADER_VALUE + 64];
	(void)state;
	for (size_t n = 1023; n <= 1024; n++) {
		int len = snprintf(text, sizeof text, "Bearer realm=\"%0*d\"", (int)n, 7);
		if (n == 1023)
			assert_int_equal(strlen(parsed(text).realm), n);
		else
			refused(text, (size_t)len);
	}
	int len = snprintf(text, sizeof text, "Basic realm=\"x\"%*s", (int)MF_MAX_HEADER_VALUE, "");
	refused(text, (size_t)len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_bearer_challenge_gives_realm_service_and_scope),
	    cmocka_unit_test(bearer_is_preferred_wherever_it_stands),
	    cmocka_unit_test(basic_and_unknown_schemes_are_told_apart),
	    cmocka_unit_test(quoted_pairs_are_resolved),
	    cmocka_unit_test(malformed_challenges_are_refused),
	    cmocka_unit_test(overlong_parameters_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
