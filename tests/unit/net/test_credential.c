#include "net/internal.h"
#include "server.h"

struct place {
	char dir[64];
	struct mf_env env;
	struct mf_credential_config cfg;
	char file[96];
	const char *files[2];
	char log[1024]; /* warnings */
};

static void keep_warning(void *arg, enum mf_log_level level, const char *line)
{
	struct place *p = arg;
	if (level == MF_LOG_WARNING)
		(void)snprintf(p->log, sizeof p->log, "%s", line);
}

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
	p->env.log = keep_warning;
	p->env.level = MF_LOG_WARNING;
	p->env.log_arg = p;
	(void)snprintf(p->file, sizeof p->file, "%s/config.json", p->dir);
	p->files[0] = p->file;
	p->cfg.files = p->files;
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

static void expect_kind(struct place *p, const char *host, const char *repository,
			enum mf_credential_kind kind, const char *user, const char *secret)
{
	struct mf_credential c MF_CREDENTIAL_CLEANUP = {.kind = MF_CREDENTIAL_NONE};
	struct mf_err err = MF_ERR_INIT;
	if (mf_credential_find(&c, &p->cfg, host, mf_str_c(repository), &p->env, &err) < 0)
		fail_msg("%s: %s", host, err.msg);
	assert_int_equal(c.kind, kind);
	if (kind == MF_CREDENTIAL_NONE)
		return;
	if (kind == MF_CREDENTIAL_PASSWORD)
		assert_string_equal(c.user, user);
	assert_true(mf_str_eqz(mf_str_of(mf_secret_bytes(&c.secret)), secret));
	assert_true(c.source[0]);
}

static void expect_of(struct place *p, const char *host, const char *repository, const char *user,
		      const char *password)
{
	expect_kind(p, host, repository, user ? MF_CREDENTIAL_PASSWORD : MF_CREDENTIAL_NONE, user, password);
}

/* NULL user: none are found */
static void expect(struct place *p, const char *host, const char *user, const char *password)
{
	expect_of(p, host, "", user, password);
}

static struct mf_err expect_error(struct place *p, const char *host)
{
	struct mf_credential c MF_CREDENTIAL_CLEANUP = {.kind = MF_CREDENTIAL_NONE};
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_credential_find(&c, &p->cfg, host, MF_STR(""), &p->env, &err), -1);
	assert_int_equal(c.kind, MF_CREDENTIAL_NONE);
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
	p->cfg.files = NULL;
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

static void tokens_come_before_the_password(void **state)
{
	struct place *p = *state;
	config(p, "{\"auths\":{\"h\":{\"auth\":\"YTpi\",\"identitytoken\":\"T\"}}}");
	expect_kind(p, "h", "", MF_CREDENTIAL_IDENTITY_TOKEN, NULL, "T");
	config(p,
	       "{\"auths\":{\"h\":{\"auth\":\"YTpi\",\"identitytoken\":\"T\",\"registrytoken\":\"R\\n\"}}}");
	expect_kind(p, "h", "", MF_CREDENTIAL_REGISTRY_TOKEN, NULL, "R");
	helper(p, "t", "echo '{\"Username\":\"<token>\",\"Secret\":\"H\"}'");
	config(p, "{\"credsStore\":\"t\"}");
	expect_kind(p, "h", "", MF_CREDENTIAL_IDENTITY_TOKEN, NULL, "H");
}

static void user_and_password_may_be_members_of_their_own(void **state)
{
	struct place *p = *state;
	config(p, "{\"auths\":{\"h\":{\"username\":\"u\",\"password\":\"p:q\"}}}");
	expect(p, "h", "u", "p:q");
	config(p, "{\"auths\":{\"h\":{\"auth\":\"YTpi\",\"username\":\"u\",\"password\":\"p\"}}}");
	expect(p, "h", "a", "b");
}

static void the_longest_path_that_holds_the_repository_wins(void **state)
{
	struct place *p = *state;
	config(p, "{\"auths\":{\"h/acme/app\":{\"auth\":\"YTox\"},\"h\":{\"auth\":\"YToy\"},\"h/acme\":{"
		  "\"auth\":\"YToz\"},\"docker.io/acme\":{\"auth\":\"YTo0\"},\"https://h/v2/"
		  "\":{\"auth\":\"YTo1\"}}}");
	expect_of(p, "h", "acme/app", "a", "1");
	expect_of(p, "h", "acme/app/sub", "a", "1");
	expect_of(p, "h", "acme/application", "a", "3");
	expect_of(p, "h", "acme", "a", "3");
	expect_of(p, "h", "acmecorp/app", "a", "2");
	expect_of(p, "h", "", "a", "2");
	expect_of(p, "index.docker.io", "acme/app", "a", "4");
	expect_of(p, "docker.io", "other/app", NULL, NULL);
	helper(p, "t", "echo '{\"Username\":\"helper\",\"Secret\":\"s\"}'");
	config(p,
	       "{\"credsStore\":\"t\",\"auths\":{\"h\":{\"auth\":\"YToy\"},\"h/acme\":{\"auth\":\"YToz\"}}}");
	expect_of(p, "h", "acme/app", "a", "3");
	expect_of(p, "h", "other", "helper", "s");
}

static void null_and_empty_members_are_nothing(void **state)
{
	static const char *const rows[] = {
	    "",
	    " \n",
	    "\xef\xbb\xbf{}",
	    "null",
	    "{\"auths\":null,\"credHelpers\":null,\"credsStore\":null}",
	    "{\"auths\":{\"h\":null}}",
	    "{\"auths\":{\"h\":{\"auth\":null,\"identitytoken\":\"\",\"username\":null}}}",
	    "{\"auths\":{\"h\":{}},\"credsStore\":\"\",\"credHelpers\":{\"h\":\"\"}}",
	};
	struct place *p = *state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		config(p, rows[i]);
		expect(p, "h", NULL, NULL);
	}
}

static void line_ends_are_not_part_of_a_password(void **state)
{
	struct place *p = *state;
	/* wrapped base64; "a:b\n" */
	config(p, "{\"auths\":{\"one\":{\"auth\":\"YT\\npi\\r\\n\"},\"two\":{\"auth\":\"YTpiCg==\"},"
		  "\"three\":{\"username\":\"a\",\"password\":\"b\\r\\n\"}}}\n\n");
	expect(p, "one", "a", "b");
	expect(p, "two", "a", "b");
	expect(p, "three", "a", "b");
}

static void files_are_searched_in_order(void **state)
{
	struct place *p = *state;
	char second[96];
	const char *files[] = {p->file, second, NULL};
	(void)snprintf(second, sizeof second, "%s/auth.json", p->dir);
	p->cfg.files = files;
	put_file(p->dir, "auth.json", "{\"auths\":{\"h\":{\"auth\":\"YTpi\"},\"g\":{\"auth\":\"Yzpk\"}}}",
		 0600);
	expect(p, "h", "a", "b");
	config(p, "{\"auths\":{\"h\":{\"auth\":\"ZTpm\"}}}");
	expect(p, "h", "e", "f");
	expect(p, "g", "c", "d");
}

static void broken_files_are_auth_errors_naming_the_file(void **state)
{
	static const char *const rows[] = {
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
}

static void a_helper_without_credentials_leaves_it_to_auths(void **state)
{
	struct place *p = *state;
	helper(p, "t", "echo 'credentials not found in native keychain'; exit 1");
	config(p, "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}},\"credsStore\":\"t\"}");
	expect(p, "h", "a", "b");
	expect(p, "g", NULL, NULL);
	helper(p, "t", "echo '{\"ServerURL\":\"\",\"Username\":\"\",\"Secret\":\"\"}'");
	expect(p, "h", "a", "b");
	expect(p, "g", NULL, NULL);
}

static void a_helper_that_is_missing_is_a_warning(void **state)
{
	struct place *p = *state;
	config(p, "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}},\"credsStore\":\"t\"}");
	expect(p, "h", "a", "b");
	expect(p, "g", NULL, NULL);
	assert_non_null(strstr(p->log, "docker-credential-t"));
	assert_non_null(strstr(p->log, p->file));
	put_file(p->dir, "docker-credential-t", "#!/bin/sh\n", 0600);
	p->log[0] = 0;
	expect(p, "g", NULL, NULL);
	assert_non_null(strstr(p->log, "docker-credential-t"));
}

static void a_helpers_own_words_are_in_the_error(void **state)
{
	struct place *p = *state;
	config(p, "{\"credsStore\":\"t\"}");
	helper(p, "t", "echo 'pass store is uninitialized'; echo 'more' >&2; exit 1");
	assert_non_null(strstr(expect_error(p, "h").msg, "pass store is uninitialized"));
	helper(p, "t", "printf 'no \\033[31mlogin\\nmore\\n' >&2; exit 2");
	struct mf_err err = expect_error(p, "h");
	assert_non_null(strstr(err.msg, "status 2: no "));
	assert_null(strchr(err.msg, 27));
	assert_null(strstr(err.msg, "more"));
	/* more than a pipe holds: nobody waits for anybody */
	helper(p, "t",
	       "head -c 200000 /dev/zero >&2 2>/dev/null; echo '{\"Username\":\"u\",\"Secret\":\"s\"}'");
	expect(p, "h", "u", "s");
}

static void a_helper_inherits_neither_descriptors_nor_our_secrets(void **state)
{
	struct place *p = *state;
	int fd =
	    open("/dev/null", O_RDONLY); /* not close-on-exec, as somebody else's in a host program may be */
	assert_true(fd > 2);
	assert_int_equal(setenv("MANIFESTO_PASSPHRASE", "s1", 1), 0);
	assert_int_equal(setenv("MANIFESTO_TRUST_PASSWORD", "s2", 1), 0);
	assert_int_equal(setenv("REGISTRY_PASSWORD", "s3", 1), 0);
	assert_int_equal(setenv("OF_THE_HELPER", "kept", 1), 0);
	config(p, "{\"credsStore\":\"t\"}");
	helper(p, "t",
	       "env >\"$0.env\"; ls /proc/self/fd >\"$0.fds\"; echo "
	       "'{\"Username\":\"u\",\"Secret\":\"s\"}'");
	expect(p, "h", "u", "s");
	char *env = slurp(p->dir, "docker-credential-t.env"), *fds = slurp(p->dir, "docker-credential-t.fds");
	assert_null(strstr(env, "MANIFESTO_PASS"));
	assert_null(strstr(env, "MANIFESTO_TRUST_PASS"));
	assert_null(strstr(env, "REGISTRY_PASS"));
	assert_non_null(strstr(env, "OF_THE_HELPER=kept"));
	assert_string_equal(fds, "0\n1\n2\n3\n"); /* 3: of ls itself */
	free(env);
	free(fds);
	(void)close(fd);
	(void)unsetenv("MANIFESTO_PASSPHRASE");
	(void)unsetenv("MANIFESTO_TRUST_PASSWORD");
	(void)unsetenv("REGISTRY_PASSWORD");
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
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		helper(p, "t", rows[i]);
		struct mf_err err = expect_error(p, "h");
		assert_int_equal(err.code, MF_E_AUTH);
		assert_null(strstr(err.msg, "\"Secret"));
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
	    {"{\"token\":\"a\",\"expires_in\":-1}", "a", 60},
	    {"{\"token\":\"a\",\"expires_in\":99999999999999999999}", "a", 86400},
	    {"{\"token\":\"a\",\"expires_in\":999999999999999999999999999}", "a", 60},
	    {"\xef\xbb\xbf{\"token\":\"a\"}", "a", 60},
	    {"{\"token\":\"a\",\"expires_in\":0}", "a", 0},
	    {"{\"token\":\"a\",\"expires_in\":300.9}", "a", 300},
	    {"{\"token\":\"a\",\"expires_in\":3e2}", "a", 60},
	    {"{\"token\":\"a\",\"expires_in\":null}", "a", 60},
	    {"{\"token\":\"a\",\"access_token\":null}", "a", 60},
	    {"{\"token\":null,\"access_token\":\"b\"}", "b", 60},
	    {"{\"token\":null}", NULL, 0},
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
	    TEST(tokens_come_before_the_password),
	    TEST(user_and_password_may_be_members_of_their_own),
	    TEST(the_longest_path_that_holds_the_repository_wins),
	    TEST(null_and_empty_members_are_nothing),
	    TEST(line_ends_are_not_part_of_a_password),
	    TEST(files_are_searched_in_order),
	    TEST(a_helper_that_is_missing_is_a_warning),
	    TEST(a_helpers_own_words_are_in_the_error),
	    TEST(a_helper_inherits_neither_descriptors_nor_our_secrets),
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
