#include "base/env.h"

#include <stdio.h>
#include <time.h>

static int64_t real_now(void *arg)
{
	(void)arg;
	return (int64_t)time(NULL);
}

static void no_log(void *arg, enum mf_log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

void mf_env_init(struct mf_env *env)
{
	*env = (struct mf_env){.now = real_now, .log = no_log, .cancelled = never};
}

int64_t mf_env_now(const struct mf_env *env)
{
	return env->now(env->now_arg);
}

bool mf_env_cancelled(const struct mf_env *env)
{
	return env->cancelled(env->cancel_arg);
}

void mf_env_log(const struct mf_env *env, enum mf_log_level level, const char *fmt, ...)
{
	if (level > env->level)
		return;
	char line[2048];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	env->log(env->log_arg, level, line);
}

void mf_env_progress(const struct mf_env *env, enum mf_progress_kind kind, uint64_t done, uint64_t total)
{
	if (env->progress)
		env->progress(env->progress_arg, kind, done, total);
}

void mf_env_idle(const struct mf_env *env)
{
	if (env->idle)
		env->idle(env->idle_arg);
}

int64_t mf_monotonic_ms(void)
{
	struct timespec ts = {0};
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t mf_env_left_ms(const struct mf_env *env)
{
	if (!env->deadline_ms)
		return INT64_MAX;
	int64_t left = env->deadline_ms - mf_monotonic_ms();
	return left > 0 ? left : 0;
}

void mf_env_sleep(const struct mf_env *env, int64_t ms)
{
	int64_t left = mf_env_left_ms(env), until = mf_monotonic_ms() + (ms < left ? ms : left);
	for (;;) {
		int64_t rest = until - mf_monotonic_ms();
		if (rest <= 0 || mf_env_cancelled(env))
			return;
		if (rest > 50)
			rest = 50;
		struct timespec ts = {0, (long)rest * 1000000L};
		(void)nanosleep(&ts, NULL);
	}
}
