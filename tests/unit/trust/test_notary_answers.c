/* What a notary-server was seen to answer: testdata/notary/server-responses.json and http/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/internal.h"
#include "store/file.h"
#include "trust/repo.h"

static struct mf_buf read_data(const char *name)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b = MF_BUF_INIT((size_t)1 << 20);
	char path[256];
	(void)snprintf(path, sizeof path, "testdata/notary/%s", name);
	if (mf_file_read(path, (size_t)1 << 20, &b, &err) < 0)
		fail_msg("%s", err.msg);
	return b;
}

static void response(struct mf_http_response *res, long status, const char *body)
{
	struct mf_err err = MF_ERR_INIT;
	*res = (struct mf_http_response){.status = status, .body = MF_BUF_INIT(65536)};
	assert_int_equal(mf_buf_addz(&res->body, body, &err), 0);
}

/* The first error's members as the file has them; "" for an accepted upload. */
static const char *member(const json_t *entry, const char *name)
{
	const json_t *first = json_array_get(json_object_get(json_object_get(entry, "body"), "errors"), 0);
	const json_t *v = strcmp(name, "Name") == 0
			      ? json_object_get(json_object_get(first, "detail"), "Name")
			      : json_object_get(first, name);
	return json_is_string(v) ? json_string_value(v) : "";
}

static void only_what_others_changed_meanwhile_is_a_lost_race(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = read_data("server-responses.json");
	json_t *all MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&text), (size_t)1 << 20, &err), *entry;
	size_t i, races = 0, first_races = 0, unlisted_roles = 0;
	(void)state;
	assert_true(json_array_size(all) > 150);
	json_array_foreach(all, i, entry)
	{
		struct mf_http_response res;
		char code[64], *body MF_FREE = json_dumps(json_object_get(entry, "body"), JSON_ENCODE_ANY);
		response(&res, (long)json_integer_value(json_object_get(entry, "status")), body);
		mf_http_error_code(&res, code);
		assert_string_equal(code, member(entry, "code"));
		bool stale = strcmp(code, "VERSION") == 0,
		     bad_root = strcmp(member(entry, "Name"), "ErrBadRoot") == 0,
		     unlisted = strstr(body, "delegation does not exist") != NULL;
		assert_int_equal(mf_notary_lost_race(&res, false), stale || unlisted);
		assert_int_equal(mf_notary_lost_race(&res, true), stale || bad_root);
		races += stale;
		first_races += bad_root;
		unlisted_roles += unlisted;
		mf_buf_clear(&res.body);
	}
	assert_int_equal(races, 5);
	assert_true(first_races > 5);
	assert_true(unlisted_roles > 0);
}

static void updating_is_a_lost_race_and_other_failures_of_the_server_are_not(void **state)
{
	static const struct {
		long status;
		const char *body;
		bool race;
	} rows[] = {
	    {500, "{\"errors\":[{\"code\":\"UPDATING\",\"message\":\"x\"}]}", true},
	    {500, "{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"x\"}]}", false},
	    {400, "{\"errors\":[{\"code\":\"UPDATING\",\"message\":\"x\"}]}", false},
	    {500, "{\"errors\":[{\"code\":\"VERSION\",\"message\":\"x\"}]}", false},
	    {409, "{\"errors\":[{\"code\":\"VERSION\",\"message\":\"x\"}]}", false},
	    {400, "VERSION", false},
	    {400, "", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_http_response res;
		response(&res, rows[i].status, rows[i].body);
		assert_int_equal(mf_notary_lost_race(&res, true), rows[i].race);
		mf_buf_clear(&res.body);
	}
}

static void challenges_of_a_notary_server_are_understood(void **state)
{
	static const struct {
		const char *file, *scope, *error;
	} rows[] = {
	    {"http/challenge-v2.txt", "registry:catalog:*", ""},
	    {"http/challenge-pull.txt", "repository:example.com/vectors/http:pull", ""},
	    {"http/challenge-push.txt", "repository:example.com/vectors/http:push,pull", ""},
	    {"http/challenge-admin.txt", "repository:example.com/vectors/http:*", ""},
	    {"http/challenge-insufficient-scope.txt", "repository:example.com/vectors/http:push,pull",
	     "insufficient_scope"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_challenge c;
		struct mf_buf text MF_BUF_CLEANUP = read_data(rows[i].file);
		const char *at = strstr(text.p, "Www-Authenticate: ");
		assert_non_null(at);
		at += strlen("Www-Authenticate: ");
		mf_challenge_parse(&c, (struct mf_str){at, strcspn(at, "\r\n")});
		assert_int_equal(c.scheme, MF_SCHEME_BEARER);
		assert_string_equal(c.realm, "http://127.0.0.1:14455/token");
		assert_string_equal(c.service, "trust-lab");
		assert_string_equal(c.scope, rows[i].scope);
		assert_string_equal(c.error, rows[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_what_others_changed_meanwhile_is_a_lost_race),
	    cmocka_unit_test(updating_is_a_lost_race_and_other_failures_of_the_server_are_not),
	    cmocka_unit_test(challenges_of_a_notary_server_are_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
