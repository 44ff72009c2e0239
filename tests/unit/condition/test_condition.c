/* Conditions: one true, and everything else; documents that are none; what the process remembers. The
 * confinement has its test in tests/integration/68-conditions.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "condition/condition.h"
#include "condition/evaluator.h"
#include "crypto/secret.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define NOW 1800000000

static struct mf_digest digest_of(uint8_t first)
{
	return (struct mf_digest){.b = {first}};
}

static void ok(const void *p, const struct mf_err *err)
{
	if (!p)
		fail_msg("unexpected: %s", err->msg);
}

static struct mf_conditions *start(const struct mf_env *env, const char *const *programs, size_t n)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_conditions *c = mf_conditions_start(
	    &(struct mf_conditions_config){.programs = programs, .n = n, .now = NOW, .env = env}, &err);
	ok(c, &err);
	return c;
}

static const struct mf_outcome *of(struct mf_conditions *c, size_t program, uint8_t content, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d = digest_of(content);
	const struct mf_outcome *o =
	    mf_conditions_evaluate(c, program, &d, mf_bytes_of(mf_str_c(text)), &err);
	ok(o, &err);
	return o;
}

static void exactly_one_true_holds(void **state)
{
	static const struct {
		const char *program, *document, *why; /* NULL: it holds */
	} rows[] = {
	    {"true", "null", NULL},
	    {".a == 1", "{\"a\":1}", NULL},
	    {"# nothing but\ntrue # comments", "0", NULL},
	    {"now == 1800000000", "0", NULL},
	    {". == \"\\u00e9\"", "\"\xc3\xa9\"", NULL},
	    {".a == 1", "{\"a\":2}", "gives false"},
	    {".", "\"true\"", "gives \"true\""},
	    {".", "[true]", "gives [true]"},
	    {".[]", "[true,true]", "gives several values, first true"},
	    {".[]", "[]", "gives nothing"},
	    {".[]", "0", "fails: Cannot iterate"},
	    {"error(.)", "{\"a\":[]}", "fails: {\"a\":[]}"},
	    {"error(.)", "\"\\u001b[0m\"", "fails: \\x1b[0m"},
	    {".", "\"\\u202e\"", "gives \"\\u{202e}\""},
	    {"halt", "0", "fails: the program halts"},
	    {"true, error(\"no\")", "0", "fails: no"},
	    {"true, error(null)", "0", "fails: null"}, /* jq's own program stops there, without an error */
	    {".[] | if .ok then true else error(.why) end", "[{\"ok\":true},{\"ok\":false}]", "fails: null"},
	    /* jq's own `break`, and `first`, `limit` and `all` are made of it */
	    {"all(.[]; if .ok then true else error(.why) end)", "[{\"ok\":false,\"why\":{\"__jq\":0}}]",
	     "fails: {\"__jq\":0}"},
	    {"[limit(1; .[] | error)] == []", "[{\"__jq\":0}]", "fails: {\"__jq\":0}"},
	    {"try error({a: 1}) catch (.a == 1)", "0", NULL},
	    {"true, halt", "0", "fails: the program halts"},
	    {"true", "{\"a\":1,\"a\":2}", "not JSON"},
	    {"true", "{}{}", "not JSON"},
	    {"true", "", "not JSON"},
	    {"true", "NaN", "not JSON"},
	    {"true", "\xff", "not JSON"},
	    /* which `tonumber` would take for 1 */
	    {"tonumber == 1", "\"1\\u0000x\"", "NUL in a string"},
	    {"true", "{\"a\":[0,\"\\u0000\"]}", "NUL in a string"},
	    {"length == 6", "\"\\\\u0000\"", NULL},
	};
	struct mf_env env;
	const char *programs[COUNT(rows)];
	(void)state;
	mf_env_init(&env);
	for (size_t i = 0; i < COUNT(rows); i++)
		programs[i] = rows[i].program;
	struct mf_conditions *c = start(&env, programs, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct mf_outcome *o = of(c, i, (uint8_t)i, rows[i].document);
		if (o->holds != !rows[i].why || (rows[i].why && !strstr(o->why, rows[i].why)))
			fail_msg("'%s' of '%s': %d %s", rows[i].program, rows[i].document, o->holds, o->why);
	}
	mf_conditions_stop(c);
}

static void what_was_evaluated_is_known(void **state)
{
	static const char *const programs[] = {".", "not"};
	struct mf_env env;
	struct mf_digest one = digest_of(1), two = digest_of(2);
	(void)state;
	mf_env_init(&env);
	struct mf_conditions *c = start(&env, programs, 2);
	assert_null(mf_conditions_known(c, 0, &one));
	assert_true(of(c, 0, 1, "true")->holds);
	assert_null(mf_conditions_known(c, 1, &one));
	assert_null(mf_conditions_known(c, 0, &two));
	assert_false(of(c, 1, 1, "true")->holds);
	assert_false(of(c, 0, 2, "7")->holds);
	assert_true(mf_conditions_known(c, 0, &one)->holds);
	assert_false(mf_conditions_known(c, 1, &one)->holds);
	assert_string_equal(mf_conditions_known(c, 0, &two)->values[0], "7");
	for (unsigned i = 0; i < 200; i++) /* what is known is bounded */
		(void)of(c, 0, (uint8_t)(i + 3), "true");
	assert_null(mf_conditions_known(c, 0, &one));
	mf_conditions_stop(c);
}

static void one_document_has_no_part_in_the_next(void **state)
{
	static const char *const programs[] = {
	    "if . == 1 then reduce range(1000000) as $i (null; [.]) | true else . == 2 end"};
	struct mf_env env;
	(void)state;
	mf_env_init(&env);
	struct mf_conditions *c = start(&env, programs, 1);
	assert_true(of(c, 0, 1, "2")->holds);
	assert_non_null(strstr(of(c, 0, 2, "1")->why, "crashed"));
	assert_true(of(c, 0, 3, "2")->holds);
	mf_conditions_stop(c);
}

static void values_are_cut_and_counted(void **state)
{
	static const char *const programs[] = {"\"\xc3\xa9\" * 400", "range(100)", "[range(1000)]"};
	struct mf_env env;
	(void)state;
	mf_env_init(&env);
	struct mf_conditions *c = start(&env, programs, COUNT(programs));
	const struct mf_outcome *o = of(c, 0, 1, "0");
	assert_int_equal(o->nvalues, 1);
	assert_true(strlen(o->values[0]) < MF_CONDITION_VALUE);
	assert_string_equal(o->values[0] + strlen(o->values[0]) - 3, "...");
	o = of(c, 1, 1, "0");
	assert_int_equal(o->nvalues, MF_CONDITION_VALUES);
	assert_string_equal(o->values[3], "3");
	assert_int_equal(of(c, 2, 1, "0")->nvalues, 1);
	mf_conditions_stop(c);
}

static void a_program_that_is_none_is_a_usage_error(void **state)
{
	static const struct {
		const char *programs[2], *message;
	} rows[] = {
	    {{"true", ".a =="}, "'.a ==' is not a valid jq program: syntax error"},
	    {{"nothing", "true"}, "'nothing' is not a valid jq program: nothing/0 is not defined"},
	    {{"$__prog_args", "true"}, "is not a valid jq program"},
	    {{"import \"a\" as a; true", "true"}, "is not a valid jq program"},
	    {{"true", "include \"a\"; true"}, "is not a valid jq program"},
	    {{"module {}; true", "true"}, "is not a valid jq program"},
	};
	struct mf_env env;
	(void)state;
	mf_env_init(&env);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		assert_null(mf_conditions_start(
		    &(struct mf_conditions_config){
			.programs = rows[i].programs, .n = 2, .now = NOW, .env = &env},
		    &err));
		assert_int_equal(err.code, MF_E_USAGE);
		if (!strstr(err.msg, rows[i].message) || strstr(err.msg, "Unix"))
			fail_msg("%s", err.msg);
	}
}

static bool cancelled(void *arg)
{
	return *(bool *)arg;
}

static void the_run_can_be_stopped(void **state)
{
	static const char *const programs[] = {"def f: f; f"};
	struct mf_env env;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d = digest_of(1);
	bool stop = false;
	(void)state;
	mf_env_init(&env);
	env.cancelled = cancelled;
	env.cancel_arg = &stop;
	struct mf_conditions *c = start(&env, programs, 1);
	stop = true;
	assert_null(mf_conditions_evaluate(c, 0, &d, mf_bytes_of(MF_STR("0")), &err));
	assert_int_equal(err.code, MF_E_CANCELLED);
	stop = false;
	mf_err_clear(&err);
	/* No answer to an older question is taken for one to this. */
	assert_null(mf_conditions_evaluate(c, 0, &d, mf_bytes_of(MF_STR("0")), &err));
	assert_int_equal(err.code, MF_E_INTERNAL);
	mf_conditions_stop(c);
	mf_err_clear(&err);
	c = start(&env, programs, 1);
	env.deadline_ms = mf_monotonic_ms() - 1;
	assert_null(mf_conditions_evaluate(c, 0, &d, mf_bytes_of(MF_STR("0")), &err));
	assert_int_equal(err.code, MF_E_UNAVAILABLE);
	mf_conditions_stop(c);
}

/* The process ends with the conditions: it is the only child. Only root reads what is not dumpable: NULL. */
static FILE *open_of_child(const char *name)
{
	char path[64];
	long child = 0;
	(void)snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &child), 1);
	(void)fclose(f);
	(void)snprintf(path, sizeof path, "/proc/%ld/%s", child, name);
	return fopen(path, "re");
}

static void environment_of_the_new_process_is_wiped(void **state)
{
	static const char *const programs[] = {"true"};
	struct mf_env env;
	(void)state;
	mf_env_init(&env);
	struct mf_conditions *c = start(&env, programs, 1);
	FILE *f = open_of_child("environ");
	int octet = 0;
	while (f && octet == 0)
		octet = fgetc(f);
	mf_conditions_stop(c);
	if (!f)
		skip();
	(void)fclose(f);
	assert_int_equal(octet, EOF);
}

/* Is `text` at this address in the new process? */
static bool is_there(FILE *memory, const void *at, const char *text)
{
	char there[64] = "";
	assert_true(strlen(text) < sizeof there);
	assert_int_equal(pread(fileno(memory), there, strlen(text), (off_t)(uintptr_t)at), strlen(text));
	return memcmp(there, text, strlen(text)) == 0;
}

/* A secret of the host, which the library does not know; and other memory of the same host, which is there.
 */
static void secrets_are_here_and_not_in_the_new_process(void **state)
{
	static const char *const programs[] = {"true"};
	static const char text[] = "a passphrase of the host";
	struct mf_secret secret MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	(void)state;
	mf_env_init(&env);
	char *other = strdup(text);
	assert_int_equal(mf_secret_copy(&secret, mf_bytes_of(mf_str_c(text)), &err), 0);
	struct mf_conditions *c = start(&env, programs, 1);
	FILE *memory = open_of_child("mem");
	bool read = memory, has_other = read && is_there(memory, other, text),
	     has_secret = read && is_there(memory, secret.p, text);
	mf_conditions_stop(c);
	if (memory)
		(void)fclose(memory);
	free(other);
	assert_memory_equal(secret.p, text, strlen(text));
	if (!read)
		skip();
	assert_true(has_other);
	assert_true(has_secret == MF_SANITIZED); /* a sanitizer keeps its own memory out of core dumps, too */
}

static void answer_that_is_no_answer_is_refused(void **state)
{
	static const struct {
		uint32_t kind, length;
		size_t n; /* of the text that came */
		const char *text;
		bool sound;
	} rows[] = {
	    {MF_ANSWER_TRUE, 0, 0, "", true},
	    {MF_ANSWER_VALUES, 2, 2, "1", true},
	    {MF_ANSWER_ERROR, 2, 2, "e", true},
	    {0, 0, 0, "", false},
	    {MF_ANSWER_MEMORY, 0, 0, "", false}, /* the first process says that */
	    {MF_ANSWER_VALUES, 2, 1, "1", false},
	    {MF_ANSWER_VALUES, 1, 2, "1", false},
	    {MF_ANSWER_VALUES, 1, 1, "1", false}, /* without its end */
	    {MF_ANSWER_VALUES, UINT32_MAX, 2, "1", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_answer a = {.kind = rows[i].kind, .length = rows[i].length};
		memcpy(a.text, rows[i].text, strlen(rows[i].text) + 1);
		if (mf_answer_is_sound(&a, MF_ANSWER_HEAD + rows[i].n) != rows[i].sound)
			fail_msg("row %zu", i);
	}
	assert_false(mf_answer_is_sound(&(struct mf_answer){.kind = MF_ANSWER_TRUE}, MF_ANSWER_HEAD - 1));
}

/* Ours refuses all that jq 1.6 does; another version may refuse more. */
static const struct mf_jq *real;
static jv nothing_is_read(const char *text, int n)
{
	(void)text;
	(void)n;
	return real->parse_sized("{", 1);
}

static void what_jq_cannot_read_meets_nothing(void **state)
{
	static const char *const programs[] = {"true"};
	struct mf_err err = MF_ERR_INIT;
	struct mf_jq jq = {0}, blind;
	struct mf_answer a = {0};
	const struct mf_question q = {0, 1};
	int way[2];
	(void)state;
	assert_int_equal(mf_jq_load(&jq, &err), 0);
	real = &jq;
	blind = jq;
	blind.parse_sized = nothing_is_read;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, way), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		mf_evaluator_run(&(struct mf_evaluator){.jq = &blind, .programs = programs, .n = 1}, way[1]);
	(void)close(way[1]);
	assert_int_equal(recv(way[0], &a, sizeof a, 0), MF_ANSWER_HEAD);
	assert_int_equal(a.kind, MF_ANSWER_TRUE);
	assert_int_equal(send(way[0], &q, sizeof q, MSG_NOSIGNAL), sizeof q);
	assert_int_equal(send(way[0], "0", 1, MSG_NOSIGNAL), 1);
	assert_true(recv(way[0], &a, sizeof a, 0) >= (ssize_t)MF_ANSWER_HEAD);
	(void)close(way[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(a.kind, MF_ANSWER_ERROR);
}

/* A host with less than a condition may have, which only root may raise. */
static bool holds_with_little(void)
{
	static const char *const programs[] = {"true"};
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	struct mf_digest d = digest_of(1);
	mf_env_init(&env);
	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){12, 12}) < 0 ||
	    setrlimit(RLIMIT_CPU, &(struct rlimit){4, 4}) < 0 || (geteuid() == 0 && setuid(65534) < 0))
		return false;
	struct mf_conditions *c = mf_conditions_start(
	    &(struct mf_conditions_config){.programs = programs, .n = 1, .now = NOW, .env = &env}, &err);
	const struct mf_outcome *o =
	    c ? mf_conditions_evaluate(c, 0, &d, mf_bytes_of(MF_STR("0")), &err) : NULL;
	bool holds = o && o->holds;
	mf_conditions_stop(c);
	return holds;
}

static void limits_of_the_host_are_no_failure(void **state)
{
	int status = 0;
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(holds_with_little() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exactly_one_true_holds),
	    cmocka_unit_test(what_was_evaluated_is_known),
	    cmocka_unit_test(one_document_has_no_part_in_the_next),
	    cmocka_unit_test(values_are_cut_and_counted),
	    cmocka_unit_test(a_program_that_is_none_is_a_usage_error),
	    cmocka_unit_test(the_run_can_be_stopped),
	    cmocka_unit_test(environment_of_the_new_process_is_wiped),
	    cmocka_unit_test(secrets_are_here_and_not_in_the_new_process),
	    cmocka_unit_test(answer_that_is_no_answer_is_refused),
	    cmocka_unit_test(what_jq_cannot_read_meets_nothing),
	    cmocka_unit_test(limits_of_the_host_are_no_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
