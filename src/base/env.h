/* Clock, log and cancellation, which a context passes down, so that no module reads a global variable. */
#ifndef MF_BASE_ENV_H
#define MF_BASE_ENV_H

#include "base/str.h"

/* Uploads and downloads count octets of content, summed over all running transfers; images are those of a
 * run over many. */
enum mf_progress_kind { MF_PROGRESS_UPLOAD, MF_PROGRESS_DOWNLOAD, MF_PROGRESS_IMAGES };

enum mf_log_level { MF_LOG_WARNING = 1, MF_LOG_INFO = 2, MF_LOG_DEBUG = 3 };

struct mf_env {
	int64_t (*now)(void *arg); /* seconds since 1970; never NULL */
	void *now_arg;
	void (*log)(void *arg, enum mf_log_level level,
		    const char *line); /* one line, no newline, no secret */
	void *log_arg;
	bool (*cancelled)(void *arg); /* returns true to stop as soon as nothing can be lost */
	void *cancel_arg;
	/* Reports that `done` of `total` is done (total 0: not known). done == total, also 0 of 0, means
	 * that this is finished. NULL: none. */
	void (*progress)(void *arg, enum mf_progress_kind kind, uint64_t done, uint64_t total);
	void *progress_arg;
	/* Does work that nothing waits for; called before a server's answer is awaited. NULL: none. */
	void (*idle)(void *arg);
	void *idle_arg;
	/* Returns whether this environment variable contains a private key; programs that are started do
	 * not inherit such variables. NULL: none does. */
	bool (*hides)(void *arg, struct mf_str variable);
	void *hides_arg;
	enum mf_log_level level; /* lines of a higher level are not formatted */
	int64_t deadline_ms;     /* on CLOCK_MONOTONIC, 0: none; postponed while transfers make progress */
};

/* Sets the real clock, no log, and no cancellation. */
void mf_env_init(struct mf_env *env);
int64_t mf_env_now(const struct mf_env *env);
bool mf_env_cancelled(const struct mf_env *env);
void mf_env_log(const struct mf_env *env, enum mf_log_level level, const char *fmt, ...) MF_PRINTF(3, 4);
void mf_env_progress(const struct mf_env *env, enum mf_progress_kind kind, uint64_t done, uint64_t total);
void mf_env_idle(const struct mf_env *env);
/* Milliseconds on CLOCK_MONOTONIC. */
int64_t mf_monotonic_ms(void);
/* Milliseconds left until the deadline, at least 0; INT64_MAX without one. */
int64_t mf_env_left_ms(const struct mf_env *env);
/* Sleeps up to ms, returning early when cancelled or at the deadline. */
void mf_env_sleep(const struct mf_env *env, int64_t ms);

#endif
