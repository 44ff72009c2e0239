/* Clock, log and cancellation, which a context passes down. No module reads a global. */
#ifndef MF_BASE_ENV_H
#define MF_BASE_ENV_H

#include "base/str.h"

/* Octets of content, all transfers of the moment together; images of a run over many. */
enum mf_progress_kind { MF_PROGRESS_UPLOAD, MF_PROGRESS_DOWNLOAD, MF_PROGRESS_IMAGES };

enum mf_log_level { MF_LOG_WARNING = 1, MF_LOG_INFO = 2, MF_LOG_DEBUG = 3 };

struct mf_env {
	int64_t (*now)(void *arg); /* seconds since 1970; never NULL */
	void *now_arg;
	void (*log)(void *arg, enum mf_log_level level,
		    const char *line); /* one line, no newline, no secret */
	void *log_arg;
	bool (*cancelled)(void *arg); /* true: stop as soon as nothing can be lost */
	void *cancel_arg;
	/* So much is done of so much (0: not known); all of it, or nothing of nothing: that is over. NULL:
	 * none. */
	void (*progress)(void *arg, enum mf_progress_kind kind, uint64_t done, uint64_t total);
	void *progress_arg;
	/* Does a private key lie in this environment variable? Programs that are started do not inherit it.
	 * NULL: in none. */
	bool (*hides)(void *arg, struct mf_str variable);
	void *hides_arg;
	enum mf_log_level level; /* lines above it are not formatted */
	int64_t deadline_ms;     /* on CLOCK_MONOTONIC, 0: none; moved on while transfers move */
};

/* Real clock, no log, never cancelled. */
void mf_env_init(struct mf_env *env);
int64_t mf_env_now(const struct mf_env *env);
bool mf_env_cancelled(const struct mf_env *env);
void mf_env_log(const struct mf_env *env, enum mf_log_level level, const char *fmt, ...) MF_PRINTF(3, 4);
void mf_env_progress(const struct mf_env *env, enum mf_progress_kind kind, uint64_t done, uint64_t total);
/* Milliseconds on CLOCK_MONOTONIC. */
int64_t mf_monotonic_ms(void);
/* Milliseconds left until the deadline, at least 0; INT64_MAX without one. */
int64_t mf_env_left_ms(const struct mf_env *env);
/* Sleeps up to ms, returning early when cancelled or at the deadline. */
void mf_env_sleep(const struct mf_env *env, int64_t ms);

#endif
