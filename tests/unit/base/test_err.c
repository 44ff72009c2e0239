#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static const struct {
	enum mf_code code;
	int exit;
	const char *name;
} table[] = {
    {MF_OK, 0, "ok"},
    {MF_E_INTERNAL, 1, "internal"},
    {MF_E_NOMEM, 1, "out_of_memory"},
    {MF_E_IO, 1, "io"},
    {MF_E_CANCELLED, 1, "cancelled"},
    {MF_E_USAGE, 2, "usage"},
    {MF_E_AMBIGUOUS, 2, "ambiguous"},
    {MF_E_NOT_FOUND, 3, "not_found"},
    {MF_E_UNAVAILABLE, 4, "unavailable"},
    {MF_E_REFUSED, 4, "unavailable"},
    {MF_E_AUTH, 5, "not_authorised"},
    {MF_E_FORMAT, 6, "format"},
    {MF_E_SIGNATURE, 6, "signature"},
    {MF_E_DIGEST, 6, "digest"},
    {MF_E_EXPIRED, 7, "expired"},
    {MF_E_ROLLBACK, 8, "rollback"},
    {MF_E_GONE, 8, "gone"},
    {MF_E_POLICY, 9, "policy"},
    {MF_E_WITHDRAWN, 9, "withdrawn"},
    {MF_E_RECORD_EXPIRED, 9, "record_expired"},
    {MF_E_PIN, 10, "pin"},
    {MF_E_KEY, 11, "key"},
    {MF_E_THRESHOLD, 11, "key"},
    {MF_E_CONFLICT, 12, "conflict"},
    {MF_E_CONTENT_GONE, 13, "content_gone"},
    {MF_E_EXPIRING, 14, "expiring"},
};

static void every_code_has_its_frozen_exit_status_and_name(void **state)
{
	(void)state;
	assert_int_equal(ROWS(table), MF_E_EXPIRING + 1);
	for (size_t i = 0; i < ROWS(table); i++) {
		assert_int_equal(table[i].code, i);
		assert_int_equal(mf_code_exit(table[i].code), table[i].exit);
		assert_string_equal(mf_code_name(table[i].code), table[i].name);
	}
}

static void unknown_code_is_an_internal_error(void **state)
{
	(void)state;
	assert_int_equal(mf_code_exit((enum mf_code)(MF_E_EXPIRING + 1)), 1);
	assert_string_equal(mf_code_name((enum mf_code)(MF_E_EXPIRING + 1)), "internal");
}

static void exit_statuses_have_one_order_of_gravity(void **state)
{
	(void)state;
	static const int order[] = {10, 6, 8, 7, 9, 13, 3, 5, 4, 11, 12, 2, 1, 14, 0};
	for (size_t a = 0; a < ROWS(order); a++)
		for (size_t b = 0; b < ROWS(order); b++)
			assert_int_equal(mf_exit_graver(order[a], order[b]), a < b);
}

static void fail_returns_minus_one_and_keeps_code_message_and_errno(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_fail(&err, MF_E_IO, ENOENT, "open '%s'", "/x"), -1);
	assert_int_equal(err.code, MF_E_IO);
	assert_int_equal(err.sys, ENOENT);
	assert_string_equal(err.msg, "open '/x': No such file or directory");
	assert_string_equal(err.endpoint, "");
	assert_string_equal(err.hint, "");
}

static void fail_without_errno_adds_nothing_to_the_message(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_fail(&err, MF_E_USAGE, 0, "no type given"), -1);
	assert_int_equal(err.sys, 0);
	assert_string_equal(err.msg, "no type given");
}

static void fail_cuts_long_messages(void **state)
{
	(void)state;
	char text[3000];
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = 0;
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_fail(&err, MF_E_IO, EIO, "%s", text), -1);
	assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
	assert_int_equal(mf_wrap(&err, "%s", text), -1);
	assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
}

static void wrap_puts_context_in_front_and_keeps_the_code(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_fail(&err, MF_E_FORMAT, 0, "no digest"), -1);
	assert_int_equal(mf_wrap(&err, "read '%s'", "index.json"), -1);
	assert_int_equal(mf_wrap(&err, "layout"), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_string_equal(err.msg, "layout: read 'index.json': no digest");
}

static void recode_replaces_the_code_alone(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_fail(&err, MF_E_NOT_FOUND, 0, "no root"), -1);
	assert_int_equal(mf_recode(&err, MF_E_GONE), -1);
	assert_int_equal(err.code, MF_E_GONE);
	assert_string_equal(err.msg, "no root");
}

static void out_of_memory_is_an_error_like_any_other(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_fail_nomem(&err), -1);
	assert_int_equal(err.code, MF_E_NOMEM);
	assert_string_equal(err.msg, "out of memory");
}

static void first_endpoint_and_first_hint_stay(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	mf_err_set_endpoint(&err, "https://a/");
	mf_err_set_endpoint(&err, "https://b/");
	assert_string_equal(err.endpoint, "https://a/");
	mf_err_set_hint(&err, "try %d", 1);
	mf_err_set_hint(&err, "try %d", 2);
	assert_string_equal(err.hint, "try 1");
}

static void long_endpoint_and_hint_are_cut(void **state)
{
	(void)state;
	char text[2000];
	memset(text, 'u', sizeof text - 1);
	text[sizeof text - 1] = 0;
	struct mf_err err = MF_ERR_INIT;
	mf_err_set_endpoint(&err, text);
	mf_err_set_hint(&err, "%s", text);
	assert_int_equal(strlen(err.endpoint), sizeof err.endpoint - 1);
	assert_int_equal(strlen(err.hint), sizeof err.hint - 1);
}

static void cleared_error_takes_a_new_failure(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_fail(&err, MF_E_IO, EIO, "x"), -1);
	mf_err_set_endpoint(&err, "e");
	mf_err_set_hint(&err, "h");
	mf_err_clear(&err);
	assert_int_equal(err.code, MF_OK);
	assert_int_equal(err.sys, 0);
	assert_string_equal(err.msg, "");
	assert_string_equal(err.endpoint, "");
	assert_string_equal(err.hint, "");
	assert_int_equal(mf_fail(&err, MF_E_AUTH, 0, "y"), -1);
	assert_int_equal(err.code, MF_E_AUTH);
}

/* The status of a child that fails on top of a failure, or fails with "no failure". */
static int signal_of_misuse(int how)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct mf_err err = MF_ERR_INIT;
		/* cmocka's handler would report the abort as a failed test. */
		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		if (how == 0)
			(void)mf_fail(&err, MF_E_IO, 0, "first");
		if (how <= 1)
			(void)mf_fail(&err, how == 0 ? MF_E_AUTH : MF_OK, 0, "second");
		else
			(void)mf_wrap(&err, "nothing failed");
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void second_cause_and_missing_cause_are_bugs(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++)
		assert_int_equal(signal_of_misuse(how), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_code_has_its_frozen_exit_status_and_name),
	    cmocka_unit_test(unknown_code_is_an_internal_error),
	    cmocka_unit_test(exit_statuses_have_one_order_of_gravity),
	    cmocka_unit_test(fail_returns_minus_one_and_keeps_code_message_and_errno),
	    cmocka_unit_test(fail_without_errno_adds_nothing_to_the_message),
	    cmocka_unit_test(fail_cuts_long_messages),
	    cmocka_unit_test(wrap_puts_context_in_front_and_keeps_the_code),
	    cmocka_unit_test(recode_replaces_the_code_alone),
	    cmocka_unit_test(out_of_memory_is_an_error_like_any_other),
	    cmocka_unit_test(first_endpoint_and_first_hint_stay),
	    cmocka_unit_test(long_endpoint_and_hint_are_cut),
	    cmocka_unit_test(second_cause_and_missing_cause_are_bugs),
	    cmocka_unit_test(cleared_error_takes_a_new_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
