#include "base/env.h"

#include <setjmp.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

static int64_t fixed_now(void *arg)
{
	return *(const int64_t *)arg;
}

static bool flag(void *arg)
{
	return *(const bool *)arg;
}

struct last_line {
	int count;
	enum mf_log_level level;
	char text[4096];
};

static void keep_line(void *arg, enum mf_log_level level, const char *line)
{
	struct last_line *last = arg;
	last->count++;
	last->level = level;
	(void)snprintf(last->text, sizeof last->text, "%s", line);
}

static void default_environment_has_the_real_clock_and_is_silent(void **state)
{
	(void)state;
	struct mf_env env;
	mf_env_init(&env);
	int64_t before = time(NULL), now = mf_env_now(&env);
	assert_true(now >= before && now <= time(NULL));
	assert_false(mf_env_cancelled(&env));
	assert_true(mf_env_left_ms(&env) == INT64_MAX);
	mf_env_log(&env, MF_LOG_WARNING, "goes %s", "nowhere");
}

static void callbacks_get_their_argument(void **state)
{
	(void)state;
	int64_t clock = 1861920000;
	bool stop = false;
	struct mf_env env;
	mf_env_init(&env);
	env.now = fixed_now;
	env.now_arg = &clock;
	env.cancelled = flag;
	env.cancel_arg = &stop;
	assert_int_equal(mf_env_now(&env), 1861920000);
	assert_false(mf_env_cancelled(&env));
	stop = true;
	assert_true(mf_env_cancelled(&env));
}

static void log_passes_lines_up_to_the_level(void **state)
{
	(void)state;
	struct last_line last = {0};
	struct mf_env env;
	mf_env_init(&env);
	env.log = keep_line;
	env.log_arg = &last;
	mf_env_log(&env, MF_LOG_WARNING, "level 0 is silence");
	assert_int_equal(last.count, 0);
	env.level = MF_LOG_INFO;
	mf_env_log(&env, MF_LOG_DEBUG, "no");
	assert_int_equal(last.count, 0);
	mf_env_log(&env, MF_LOG_INFO, "%s %d", "yes", 1);
	assert_int_equal(last.count, 1);
	assert_int_equal(last.level, MF_LOG_INFO);
	assert_string_equal(last.text, "yes 1");
	char text[4000];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	mf_env_log(&env, MF_LOG_WARNING, "%s", text);
	assert_int_equal(strlen(last.text), 2047);
}

static void deadline_counts_down_to_zero_and_not_below(void **state)
{
	(void)state;
	struct mf_env env;
	mf_env_init(&env);
	env.deadline_ms = mf_monotonic_ms() + 60000;
	int64_t left = mf_env_left_ms(&env);
	assert_true(left > 50000 && left <= 60000);
	env.deadline_ms = mf_monotonic_ms() - 5;
	assert_int_equal(mf_env_left_ms(&env), 0);
}

static void sleep_lasts_as_long_as_asked(void **state)
{
	(void)state;
	struct mf_env env;
	mf_env_init(&env);
	int64_t start = mf_monotonic_ms();
	mf_env_sleep(&env, 120);
	int64_t took = mf_monotonic_ms() - start;
	assert_true(took >= 120 && took < 10000);
}

static void sleep_ends_at_the_deadline_and_on_cancellation(void **state)
{
	(void)state;
	bool stop = true;
	struct mf_env env;
	mf_env_init(&env);
	int64_t start = mf_monotonic_ms();
	env.deadline_ms = start + 60;
	mf_env_sleep(&env, 60000);
	env.deadline_ms = 0;
	env.cancelled = flag;
	env.cancel_arg = &stop;
	mf_env_sleep(&env, 60000);
	assert_true(mf_monotonic_ms() - start < 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(default_environment_has_the_real_clock_and_is_silent),
	    cmocka_unit_test(callbacks_get_their_argument),
	    cmocka_unit_test(log_passes_lines_up_to_the_level),
	    cmocka_unit_test(deadline_counts_down_to_zero_and_not_below),
	    cmocka_unit_test(sleep_lasts_as_long_as_asked),
	    cmocka_unit_test(sleep_ends_at_the_deadline_and_on_cancellation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
