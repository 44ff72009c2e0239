#include "net/internal.h"
#include "server.h"

struct place {
	char dir[64];
	struct mf_env env;
	struct mf_credential_config cfg;
};

static int place_make(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	char path[4096];
	const char *before = getenv("PATH");
	if (!p)
		return -1;
	(void)snprintf(p->dir, sizeof p->dir, "/tmp/mf-cred-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	mf_env_init(&p->env);
	p->cfg.docker_config_dir = p->dir;
	/* the present test's directory comes before those of earlier ones, which are gone */
	(void)snprintf(path, sizeof path, "%s:%s", p->dir, before ? before : "/usr/bin:/bin");
	*state = p;
	return setenv("PATH", path, 1);
}

static int place_drop(void **state)
{
	struct place *p = *state;
	remove_dir(p->dir);
	free(p);
	return 0;
}

static void config(struct place *p, const char *text)
{
	put_file(p->dir, "config.json", text, 0600);
}

static void helper(struct place *p, const char *name, const char *script)
{
	char file[96], text[1024];
	(void)snprintf(file, sizeof file, "docker-credential-%s", name);
	(void)snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
	put_file(p->dir, file, text, 0700);
}

/* NULL user: none are found */
static void expect(struct place *p, const char *host, const char *user, const char *password)
{
	struct mf_credential c MF_CREDENTIAL_CLEANUP = {0};
	struct mf_err err = MF_ERR_INIT;
	if (mf_credential_find(&c, &p->cfg, host, &p->env, &err))
		fail_msg("%s: %s", host, err.msg);
	if (!user) {
		assert_null(c.user);
		return;
	}
	assert_non_null(c.user);
	assert_string_equal(c.user, user);
	assert_true(mf_str_eqz(mf_str_of(mf_secret_bytes(&c.password)), password));
	assert_true(c.source[0]);
}

static struct mf_err expect_error(struct place *p, const char *host)
{
	struct mf_credential c MF_CREDENTIAL_CLEANUP = {0};
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_credential_find(&c, &p->cfg, host, &p->env, &err), -1);
	assert_null(c.user);
	assert_non_null(strstr(err.msg, "config.json"));
	return err;
}

static void given_credentials_come_first(void **state)
{
	struct place *p = *state;
	struct mf_secret password MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_err err = MF_ERR_INIT;
	config(p, "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}}}");
	assert_int_equal(mf_secret_copy(&password, mf_bytes_of(MF_STR("pw")), &err), 0);
	p->cfg.user = "given";
	p->cfg.password = &password;
	p->cfg.given_source = "-u";
	expect(p, "h", "given", "pw");
}

static void a_missing_file_or_host_gives_nothing(void **state)
{
	struct place *p = *state;
	expect(p, "h", NULL, NULL);
	config(p, "{}");
	expect(p, "h", NULL, NULL);
	config(p, "{\"auths\":{\"other\":{\"auth\":\"YTpi\"},\"h:5000\":{\"auth\":\"YTpi\"},\"h\":{}}}");
	expect(p, "h", NULL, NULL);
	p->cfg.docker_config_dir = NULL;
	expect(p, "h", NULL, NULL);
}

static void auths_hold_base64_of_user_and_password(void **state)
{
	struct place *p = *state;
	/* b:x:y, and a:b padded with NUL */
	config(p, "{\"HttpHeaders\":{\"a\":1},\"auths\":{\"one\":{\"auth\":\"Yjp4Onk=\"},\"two\":{\"auth\":"
		  "\"YTpiAAA=\",\"email\":\"\"},"
		  "\"three\":{\"auth\":\"\"},\"four\":{\"auth\":\"YTo=\"}}}");
	expect(p, "one", "b", "x:y");
	expect(p, "two", "a", "b");
	expect(p, "three", NULL, NULL);
	expect(p, "four", "a", "");
}

static void keys_may_be_urls_and_an_exact_one_wins(void **state)
{
	struct place *p = *state;
	config(p, "{\"auths\":{\"https://h:1/v2/\":{\"auth\":\"YTpi\"},\"h:1\":{\"auth\":\"Yzpk\"},\"http://"
		  "g\":{\"auth\":\"ZTpm\"}}}");
	expect(p, "h:1", "c", "d");
	expect(p, "g", "e", "f");
	expect(p, "h", NULL, NULL);
}

static void docker_hub_has_its_old_name(void **state)
{
	struct place *p = *state;
	config(p, "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"YTpi\"}}}");
	expect(p, "docker.io", "a", "b");
	expect(p, "registry-1.docker.io", "a", "b");
	expect(p, "docker.io.evil.example", NULL, NULL);
	config(p, "{\"auths\":{\"docker.io\":{\"auth\":\"YTpi\"}}}");
	expect(p, "index.docker.io", "a", "b");
}

static void an_identity_token_has_the_user_token(void **state)
{
	struct place *p = *state;
	config(p, "{\"auths\":{\"h\":{\"auth\":\"YTpi\",\"identitytoken\":\"T\"}}}");
	expect(p, "h", "<token>", "T");
}

static void broken_files_are_auth_errors_naming_the_file(void **state)
{
	static const char *const rows[] = {
	    "",
	    "{",
	    "[]",
	    "{\"auths\":[]}",
	    "{\"auths\":{\"h\":\"x\"}}",
	    "{\"auths\":{\"h\":{\"auth\":5}}}",
	    "{\"auths\":{\"h\":{\"auth\":\"%%\"}}}",
	    "{\"auths\":{\"h\":{\"auth\":\"YWI=\"}}}",     /* no colon */
	    "{\"auths\":{\"h\":{\"auth\":\"OmI=\"}}}",     /* no user */
	    "{\"auths\":{\"h\":{\"auth\":\"YTpiCmM=\"}}}", /* line break */
	    "{\"auths\":{\"h\":{},\"h\":{}}}",
	    "{\"credsStore\":1}",
	    "{\"credHelpers\":{\"h\":\"../evil\"}}",
	    "{\"credHelpers\":{\"h\":\"a b\"}}",
	    "{\"credsStore\":\"x;y\"}",
	};
	struct place *p = *state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		config(p, rows[i]);
		assert_int_equal(expect_error(p, "h").code, MF_E_AUTH);
	}
}

static void errors_do_not_quote_secrets(void **state)
{
	struct place *p = *state;
	config(p, "{\"auths\":{\"h\":{\"auth\":\"U0VDUkVU\"}}}");
	assert_null(strstr(expect_error(p, "h").msg, "U0VDUkVU"));
	helper(p, "t", "echo '{\"Username\":\"u\",\"Secret\":\"SECRET'");
	config(p, "{\"credsStore\":\"t\"}");
	assert_null(strstr(expect_error(p, "h").msg, "SECRET"));
}

static void a_helper_is_asked_for_the_host(void **state)
{
	struct place *p = *state;
	helper(p, "t",
	       "read host; [ \"$1\" = get ] && echo "
	       "'{\"ServerURL\":\"'$host'\",\"Username\":\"u-'$host'\",\"Secret\":\"s\"}'");
	config(p, "{\"credHelpers\":{\"h:5000\":\"t\"},\"auths\":{\"h:5000\":{}}}");
	expect(p, "h:5000", "u-h:5000", "s");
	expect(p, "other", NULL, NULL);
	config(p, "{\"credsStore\":\"t\"}");
	expect(p, "docker.io", "u-https://index.docker.io/v1/", "s");
}

static void per_host_helpers_come_before_the_store_and_auths(void **state)
{
	struct place *p = *state;
	helper(p, "one", "echo '{\"Username\":\"one\",\"Secret\":\"s\"}'");
	helper(p, "two", "echo '{\"Username\":\"two\",\"Secret\":\"s\"}'");
	config(
	    p,
	    "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}},\"credsStore\":\"two\",\"credHelpers\":{\"h\":\"one\"}}");
	expect(p, "h", "one", "s");
	expect(p, "g", "two", "s");
	p->cfg.no_helpers = true;
	expect(p, "h", "a", "b");
	expect(p, "g", NULL, NULL);
}

static void a_helper_without_credentials_leaves_it_to_auths(void **state)
{
	struct place *p = *state;
	helper(p, "t", "echo 'credentials not found in native keychain'; exit 1");
	config(p, "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}},\"credsStore\":\"t\"}");
	expect(p, "h", "a", "b");
	expect(p, "g", NULL, NULL);
}

static void broken_helpers_are_auth_errors_naming_helper_and_file(void **state)
{
	static const char *const rows[] = {
	    "echo 'no such keychain'; exit 1",
	    "echo '{\"Username\":\"u\",\"Secret\":\"s\"}'; exit 3",
	    "echo garbage",
	    ":",
	    "echo '{\"Username\":\"u\"}'",
	    "echo '{\"Username\":\"\",\"Secret\":\"s\"}'",
	    "echo '{\"Username\":\"a\\u0000b\",\"Secret\":\"s\"}'",
	    "echo '{\"Username\":\"u\",\"Secret\":\"s\"} x'",
	    "echo 'credentials not found in native keychain'",
	    "kill -9 $$",
	    "head -c 2000000 /dev/zero",
	};
	struct place *p = *state;
	config(p, "{\"credsStore\":\"t\"}");
	struct mf_err err = expect_error(p, "h");
	assert_int_equal(err.code, MF_E_AUTH);
	assert_non_null(strstr(err.msg, "docker-credential-t"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		helper(p, "t", rows[i]);
		err = expect_error(p, "h");
		assert_int_equal(err.code, MF_E_AUTH);
		assert_non_null(strstr(err.msg, "docker-credential-t"));
	}
}

static void a_helper_with_an_odd_name_is_not_run(void **state)
{
	struct place *p = *state;
	helper(p, "x;y", "echo '{\"Username\":\"u\",\"Secret\":\"s\"}'");
	config(p, "{\"credsStore\":\"x;y\"}");
	assert_int_equal(expect_error(p, "h").code, MF_E_AUTH);
}

static void a_helper_that_hangs_is_killed(void **state)
{
	static const char *const rows[] = {"echo $$ >\"$0.pid\"; exec sleep 60",
					   "echo $$ >\"$0.pid\"; exec >&-; exec sleep 60"};
	struct place *p = *state;
	config(p, "{\"credsStore\":\"t\"}");
	for (size_t i = 0; i < 2; i++) {
		helper(p, "t", rows[i]);
		int64_t begin = mf_monotonic_ms();
		p->env.deadline_ms = begin + 700;
		assert_int_equal(expect_error(p, "h").code, MF_E_AUTH);
		assert_true(mf_monotonic_ms() - begin < 3000);
		char *text = slurp(p->dir, "docker-credential-t.pid");
		assert_true(atoi(text) > 0);
		assert_int_equal(kill(atoi(text), 0), -1);
		assert_int_equal(errno, ESRCH);
		free(text);
	}
}

static bool always(void *arg)
{
	(void)arg;
	return true;
}

static void cancelling_ends_a_helper(void **state)
{
	struct place *p = *state;
	config(p, "{\"credsStore\":\"t\"}");
	helper(p, "t", "exec sleep 60");
	p->env.cancelled = always;
	assert_int_equal(expect_error(p, "h").code, MF_E_CANCELLED);
}

static void a_helper_that_does_not_read_raises_no_signal(void **state)
{
	struct place *p = *state;
	config(p, "{\"credsStore\":\"t\"}");
	helper(p, "t", "exec <&-; echo '{\"Username\":\"u\",\"Secret\":\"s\"}'");
	expect(p, "h", "u", "s");
}

static void token_answers_are_parsed_strictly(void **state)
{
	static const struct {
		const char *text, *token; /* NULL: refused */
		int64_t lifetime_s;
	} rows[] = {
	    {"{\"token\":\"a.b-c_d~e+/=\"}", "a.b-c_d~e+/=", 60},
	    {"{\"access_token\":\"a\",\"expires_in\":300,\"issued_at\":\"x\"}", "a", 300},
	    {"{\"token\":\"\",\"access_token\":\"b\"}", "b", 60},
	    {"{\"token\":\"a\",\"access_token\":\"b\",\"expires_in\":\"300\"}", "a", 60},
	    {"{\"token\":\"a\",\"expires_in\":99999999999}", "a", 86400},
	    {"{\"token\":\"a\",\"expires_in\":-1}", NULL, 0},
	    {"{\"token\":\"a\\r\\nX: y\"}", NULL, 0},
	    {"{\"token\":\"a b\"}", NULL, 0},
	    {"{\"token\":\"\"}", NULL, 0},
	    {"{\"token\":5}", NULL, 0},
	    {"{}", NULL, 0},
	    {"[]", NULL, 0},
	    {"{\"token\":\"a\"}x", NULL, 0},
	    {"", NULL, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_secret token MF_SECRET_CLEANUP = MF_SECRET_INIT;
		struct mf_err err = MF_ERR_INIT;
		int64_t lifetime_s = -1;
		int rc = mf_net_token_parse(mf_bytes_of(mf_str_c(rows[i].text)), &token, &lifetime_s, &err);
		if (rc != (rows[i].token ? 0 : -1))
			fail_msg("%s", rows[i].text);
		if (rc) {
			assert_int_equal(err.code, MF_E_FORMAT);
			continue;
		}
		assert_true(mf_str_eqz(mf_str_of(mf_secret_bytes(&token)), rows[i].token));
		assert_int_equal(lifetime_s, rows[i].lifetime_s);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(given_credentials_come_first),
	    TEST(a_missing_file_or_host_gives_nothing),
	    TEST(auths_hold_base64_of_user_and_password),
	    TEST(keys_may_be_urls_and_an_exact_one_wins),
	    TEST(docker_hub_has_its_old_name),
	    TEST(an_identity_token_has_the_user_token),
	    TEST(broken_files_are_auth_errors_naming_the_file),
	    TEST(errors_do_not_quote_secrets),
	    TEST(a_helper_is_asked_for_the_host),
	    TEST(per_host_helpers_come_before_the_store_and_auths),
	    TEST(a_helper_without_credentials_leaves_it_to_auths),
	    TEST(broken_helpers_are_auth_errors_naming_helper_and_file),
	    TEST(a_helper_with_an_odd_name_is_not_run),
	    TEST(a_helper_that_hangs_is_killed),
	    TEST(cancelling_ends_a_helper),
	    TEST(a_helper_that_does_not_read_raises_no_signal),
	    cmocka_unit_test(token_answers_are_parsed_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
