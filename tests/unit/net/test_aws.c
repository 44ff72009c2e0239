/* Keys, region and endpoint of an object store: what was given, profiles, and what a credential_process
 * prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/aws.h"
#include "net/internal.h"

static struct mf_err err;
static struct mf_env env;
static char dir[64];

static void text_is(const struct mf_buf *b, const char *text)
{
	assert_string_equal(mf_buf_str(b).n ? b->p : "", text);
}

/* ---- profiles */

static const char config[] = "# a comment\n"
			     "aws_access_key_id = OUTSIDE\n"
			     "[default]\r\n"
			     "region = eu-west-1\r\n"
			     "[profile ci]\n"
			     "region=us-east-1\n"
			     "; another\n"
			     "  \n"
			     "endpoint_url =  https://s3.example \n"
			     "credential_process = aws export --profile x=y\n"
			     "s3 =\n"
			     "  addressing_style = virtual\n"
			     "  region = nested\n"
			     "sso =\n"
			     "  addressing_style = path\n"
			     "region = twice\n"
			     "[ spaces ]\n"
			     "aws_access_key_id = AKID\n"
			     "aws_secret_access_key = a+b/c==\n"
			     "aws_session_token = t";

static void a_section_gives_its_own_settings(void **state)
{
	static const struct {
		const char *section, *want[MF_AWS_KEYS];
		bool found;
	} rows[] = {
	    {"default", {"", "", "", "eu-west-1", "", "", ""}, true},
	    {"profile ci",
	     {"", "", "", "us-east-1", "https://s3.example", "aws export --profile x=y", "virtual"},
	     true},
	    {"spaces", {"AKID", "a+b/c==", "t", "", "", "", ""}, true},
	    {"ci", {"", "", "", "", "", "", ""}, false},
	    {"", {"", "", "", "", "", "", ""}, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_aws_profile p MF_CLEANUP(mf_aws_profile_clear);
		mf_aws_profile_init(&p);
		assert_int_equal(mf_aws_profile_scan(&p, mf_str_c(config), mf_str_c(rows[i].section), &err),
				 0);
		assert_int_equal(p.found, rows[i].found);
		for (size_t k = 0; k < MF_AWS_KEYS; k++)
			text_is(&p.v[k], rows[i].want[k]);
	}
}

static void a_value_without_end_and_a_nul_are_refused(void **state)
{
	static const char nul[] = "[a]\nregion = x\0y\n";
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(20000);
	struct mf_aws_profile p MF_CLEANUP(mf_aws_profile_clear);
	(void)state;
	mf_aws_profile_init(&p);
	assert_int_equal(mf_aws_profile_scan(&p, (struct mf_str){nul, sizeof nul - 1}, MF_STR("a"), &err),
			 -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	mf_err_clear(&err);
	assert_int_equal(mf_buf_addz(&text, "[a]\nregion = ", &err), 0);
	for (int i = 0; i < 9000; i++)
		assert_int_equal(mf_buf_addc(&text, 'x', &err), 0);
	assert_int_equal(mf_aws_profile_scan(&p, mf_buf_str(&text), MF_STR("a"), &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	mf_err_clear(&err);
}

/* ---- credential_process */

static void a_command_is_split_at_blanks_outside_of_quotes(void **state)
{
	static const struct {
		const char *line, *joined;
	} rows[] = {
	    {"aws  export-credentials", "aws|export-credentials|"},
	    {"\"/opt/my tools/aws\" --a=\"b c\"\td ", "/opt/my tools/aws|--a=b c|d|"},
	    {"a \"\" b", "a||b|"},
	    {"$HOME/x;y '", "$HOME/x;y|'|"},
	};
	static const char *const bad[] = {"", "  ", "a \"b", "a b c d e f g h"};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *argv[8];
		char line[128], joined[128] = "";
		(void)snprintf(line, sizeof line, "%s", rows[i].line);
		assert_int_equal(mf_aws_split_command(line, argv, 8, &err), 0);
		for (const char **a = argv; *a; a++)
			(void)snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s|", *a);
		assert_string_equal(joined, rows[i].joined);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *argv[8];
		char line[128];
		(void)snprintf(line, sizeof line, "%s", bad[i]);
		assert_int_equal(mf_aws_split_command(line, argv, 8, &err), -1);
		assert_int_equal(err.code, MF_E_USAGE);
		mf_err_clear(&err);
	}
}

static void what_a_process_prints_is_read_and_never_quoted(void **state)
{
	static const char good[] =
	    "{\"Version\":1,\"AccessKeyId\":\"id\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\","
	    "\"Expiration\":\"2026-01-02T03:04:05Z\",\"More\":{}}";
	static const char *const bad[] = {
	    "",
	    "{}",
	    "{\"AccessKeyId\":\"hush\"}",
	    "{\"SecretAccessKey\":\"hush\"}",
	    "{\"AccessKeyId\":\"hush\",\"SecretAccessKey\":\"hush\"} x",
	    "{\"AccessKeyId\":\"hush\",\"SecretAccessKey\":\"hush\",\"Expiration\":\"hush\"}"};
	int64_t expires;
	(void)state;
	struct mf_aws_profile p MF_CLEANUP(mf_aws_profile_clear);
	mf_aws_profile_init(&p);
	assert_int_equal(mf_aws_process_parse(&p, mf_bytes_of(mf_str_c(good)), &expires, &err), 0);
	text_is(&p.v[MF_AWS_KEY_ID], "id");
	text_is(&p.v[MF_AWS_SECRET], "s");
	text_is(&p.v[MF_AWS_TOKEN], "t");
	assert_true(expires == INT64_C(1767323045));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct mf_aws_profile q MF_CLEANUP(mf_aws_profile_clear);
		mf_aws_profile_init(&q);
		assert_int_equal(mf_aws_process_parse(&q, mf_bytes_of(mf_str_c(bad[i])), &expires, &err), -1);
		assert_int_equal(err.code, MF_E_AUTH);
		assert_null(strstr(err.msg, "hush"));
		mf_err_clear(&err);
	}
}

/* ---- all of it */

static char *write_file(const char *name, const char *text)
{
	char *path = NULL;
	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void given_keys_win_and_the_rest_comes_from_the_profile(void **state)
{
	char *file MF_FREE = write_file("config", config);
	struct mf_secret secret MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_aws a MF_AWS_CLEANUP = {.key_id = NULL}, b MF_AWS_CLEANUP = {.key_id = NULL};
	(void)state;
	assert_int_equal(mf_secret_copy(&secret, mf_bytes_of(mf_str_c("hush")), &err), 0);
	struct mf_aws_config cfg = {.key_id = "id", .secret = &secret, .profile = "ci", .config_file = file};
	assert_int_equal(mf_aws_resolve(&a, &cfg, &env, &err), 0);
	assert_string_equal(a.key_id, "id");
	assert_true(mf_str_eqz(mf_str_of(mf_secret_bytes(&a.secret)), "AWS4hush"));
	assert_string_equal(a.region, "us-east-1");
	assert_string_equal(a.endpoint, "https://s3.example");
	assert_int_equal(a.style, MF_AWS_VIRTUAL);
	cfg.region = "eu-north-1";
	cfg.endpoint = "http://127.0.0.1:9000/";
	assert_int_equal(mf_aws_resolve(&b, &cfg, &env, &err), 0);
	assert_string_equal(b.region, "eu-north-1");
	assert_string_equal(b.endpoint, "http://127.0.0.1:9000");
}

static void nothing_given_is_nobody(void **state)
{
	struct mf_aws a MF_AWS_CLEANUP = {.key_id = NULL};
	(void)state;
	assert_int_equal(mf_aws_resolve(&a, &(struct mf_aws_config){.key_id = NULL}, &env, &err), 0);
	assert_null(a.key_id);
	assert_null(a.region);
}

static void what_cannot_be_used_is_refused(void **state)
{
	char *file MF_FREE = write_file("config2", "[profile empty]\nregion = x\n"
						   "[profile late]\ncredential_process = /nonexistent/aws\n"
						   "[profile fails]\ncredential_process = false\n"
						   "[profile half]\naws_access_key_id = x\n");
	struct mf_secret secret MF_SECRET_CLEANUP = MF_SECRET_INIT, lines MF_SECRET_CLEANUP = MF_SECRET_INIT;
	assert_int_equal(mf_secret_copy(&secret, mf_bytes_of(mf_str_c("hush")), &err), 0);
	assert_int_equal(mf_secret_copy(&lines, mf_bytes_of(mf_str_c("hush\r\nX-Other: 1")), &err), 0);
	const struct {
		struct mf_aws_config cfg;
		enum mf_code code;
	} rows[] = {
	    {{.profile = "none", .config_file = file}, MF_E_USAGE},
	    {{.profile = "empty", .config_file = file}, MF_E_AUTH},
	    {{.profile = "late", .config_file = file}, MF_E_AUTH},
	    {{.profile = "fails", .config_file = file}, MF_E_AUTH},
	    {{.profile = "half", .config_file = file}, MF_E_AUTH},
	    {{.key_id = "id"}, MF_E_AUTH},
	    {{.secret = &secret}, MF_E_AUTH},
	    {{.key_id = "a/b", .secret = &secret}, MF_E_USAGE},
	    {{.key_id = "a\nb", .secret = &secret}, MF_E_USAGE},
	    {{.key_id = "a", .secret = &secret, .token = &lines}, MF_E_USAGE},
	    {{.region = "a/b"}, MF_E_USAGE},
	    {{.region = "a.evil.example#"}, MF_E_USAGE},
	    {{.endpoint = "https://h/path"}, MF_E_USAGE},
	    {{.endpoint = "https://u:hush@h"}, MF_E_USAGE},
	    {{.endpoint = "ftp://h"}, MF_E_USAGE},
	    {{.endpoint = "h:9000"}, MF_E_USAGE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_aws a MF_AWS_CLEANUP = {.key_id = NULL};
		if (mf_aws_resolve(&a, &rows[i].cfg, &env, &err) == 0 || err.code != rows[i].code)
			fail_msg("row %zu: %s", i, err.msg);
		assert_null(strstr(err.msg, "hush"));
		mf_err_clear(&err);
	}
}

static int set_up(void **state)
{
	(void)state;
	mf_env_init(&env);
	(void)snprintf(dir, sizeof dir, "/tmp/manifesto-aws.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	char path[128];
	(void)state;
	(void)snprintf(path, sizeof path, "%s/config", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s/config2", dir);
	(void)unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_section_gives_its_own_settings),
	    cmocka_unit_test(a_value_without_end_and_a_nul_are_refused),
	    cmocka_unit_test(a_command_is_split_at_blanks_outside_of_quotes),
	    cmocka_unit_test(what_a_process_prints_is_read_and_never_quoted),
	    cmocka_unit_test(given_keys_win_and_the_rest_comes_from_the_profile),
	    cmocka_unit_test(nothing_given_is_nobody),
	    cmocka_unit_test(what_cannot_be_used_is_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
