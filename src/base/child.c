#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* How long a program may take to end after SIGTERM: it may have to restore a terminal's settings. */
#define GRACE_MS 1000
#define TICK_MS 100

struct running {
	pid_t pid;
	int out, errors, pidfd;
	int64_t until_ms;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}
#define CLOSED MF_CLEANUP(close_fd)

/* Compares prefixes, because the variables with passphrases of single keys begin with a common one. */
static bool begins_with(const char *line, const char *const *names)
{
	for (; names && *names; names++)
		if (strncmp(line, *names, strlen(*names)) == 0)
			return true;
	return false;
}

static bool is_secret(const struct mf_child *c, const char *line)
{
	static const char *const names[] = {"MANIFESTO_PASSPHRASE", "MANIFESTO_NEW_PASSPHRASE",
					    "MANIFESTO_TRUST_PASSWORD", "REGISTRY_PASSWORD", NULL};
	const struct mf_env *env = c->env;
	if (begins_with(line, names) || begins_with(line, c->hidden))
		return true;
	return env->hides && env->hides(env->hides_arg, (struct mf_str){line, strcspn(line, "=")});
}

static char **its_environment(const struct mf_child *c, struct mf_err *err)
{
	size_t n = 0, kept = 0;
	while (environ && environ[n])
		n++;
	char **out = mf_calloc(n + 1, sizeof *out);
	if (!out) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (!is_secret(c, environ[i]))
			out[kept++] = environ[i];
	return out;
}

static int input_file(struct mf_bytes input, struct mf_err *err)
{
	int fd CLOSED = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0)
		return mf_fail(err, MF_E_IO, errno, "make a file in memory");
	for (size_t at = 0; at < input.n;) {
		ssize_t n = write(fd, input.p + at, input.n - at);
		if (n < 0 && errno != EINTR)
			return mf_fail(err, MF_E_IO, errno, "write a file in memory");
		at += n > 0 ? (size_t)n : 0;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return mf_fail(err, MF_E_IO, errno, "read a file in memory");
	int given = fd;
	fd = -1;
	return given;
}

/* Resets signals that this process may ignore; the program expects their default action. */
static void usual_signals(posix_spawnattr_t *attr)
{
	sigset_t usual;
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE);
	(void)sigaddset(&usual, SIGXFSZ);
	(void)posix_spawnattr_setsigdefault(attr, &usual);
	(void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF);
}

/* posix_spawn takes pointers to non-const strings, but does not write to them. */
static char *const *spawn_args(const char *const *argv)
{
	return (char *const *)(uintptr_t)argv;
}

/* Starts the program. Returns 0 or an errno value. */
static int spawn(const char *const *argv, const int stream[3], char **environment, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int rc = posix_spawn_file_actions_init(&actions);
	if (rc)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return rc;
	}
	usual_signals(&attr);
	for (int i = 0; !rc && i < 3; i++)
		rc = posix_spawn_file_actions_adddup2(&actions, stream[i], i);
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (!rc)
		rc = posix_spawnp(pid, argv[0], &actions, &attr, spawn_args(argv), environment);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static enum mf_found start(struct running *r, const struct mf_child *c, struct mf_err *err)
{
	char **environment MF_FREE = its_environment(c, err);
	int in CLOSED = environment ? input_file(c->input, err) : -1;
	int out[2], errors[2];
	if (in < 0)
		return MF_FAILED;
	if (pipe2(out, O_CLOEXEC) < 0)
		return mf_fail(err, MF_E_IO, errno, "pipe");
	r->out = out[0];
	int its_out CLOSED = out[1];
	/* Nothing reads from this pipe while the program runs. Being non-blocking, it drops what does not
	 * fit, and the program does not wait. */
	if (pipe2(errors, O_CLOEXEC | O_NONBLOCK) < 0)
		return mf_fail(err, MF_E_IO, errno, "pipe");
	r->errors = errors[0];
	int its_errors CLOSED = errors[1];
	const int stream[3] = {in, its_out, c->shows_errors ? STDERR_FILENO : its_errors};
	int rc = spawn(c->argv, stream, environment, &r->pid);
	if (rc == ENOENT || rc == EACCES || rc == ENOTDIR)
		return MF_ABSENT;
	if (rc)
		return mf_fail(err, MF_E_IO, rc, "start");
	r->pidfd = pidfd_open(r->pid, 0);
	return MF_FOUND;
}

/* Waits until fd is readable; a pidfd is when the program has ended. */
static int wait_readable(int fd, const struct running *r, const struct mf_child *c, struct mf_err *err)
{
	for (;;) {
		struct pollfd p = {fd, POLLIN, 0};
		int64_t left = r->until_ms - mf_monotonic_ms();
		if (mf_env_cancelled(c->env))
			return mf_fail(err, MF_E_CANCELLED, 0, "cancelled");
		if (left <= 0)
			return mf_fail(err, MF_E_IO, 0, "gave no answer within %lld seconds (--timeout)",
				       (long long)(c->timeout_ms + 999) / 1000);
		int n = poll(&p, 1, left < TICK_MS ? (int)left : TICK_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return mf_fail(err, MF_E_IO, errno, "poll");
	}
}

static int read_all(const struct running *r, const struct mf_child *c, struct mf_buf *out, struct mf_err *err)
{
	for (;;) {
		char beyond;
		bool full = out->n == out->max;
		if (wait_readable(r->out, r, c, err) < 0)
			return -1;
		ssize_t n = read(r->out, full ? &beyond : out->p + out->n, full ? 1 : out->max - out->n);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return mf_fail(err, MF_E_IO, errno, "read");
		if (n == 0)
			return 0;
		if (n > 0 && full)
			return mf_fail(err, MF_E_IO, 0, "its answer has more than %zu bytes", out->max);
		mf_buf_cut(out, out->n + (n > 0 ? (size_t)n : 0));
	}
}

/* If this process ignores SIGCHLD, no exit status can be had (ECHILD); then only the program's output
 * counts. */
static int reap(struct running *r, struct mf_child *c, struct mf_err *err)
{
	int raw = 0;
	if (r->pidfd >= 0 && wait_readable(r->pidfd, r, c, err) < 0)
		return -1;
	while (waitpid(r->pid, &raw, 0) < 0) {
		if (errno == ECHILD)
			break;
		if (errno != EINTR)
			return mf_fail(err, MF_E_IO, errno, "wait");
	}
	r->pid = 0;
	c->status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
	return 0;
}

static void keep_errors(const struct running *r, struct mf_child *c)
{
	ssize_t n = c->shows_errors ? 0 : read(r->errors, c->errors, sizeof c->errors);
	const char *end = n > 0 ? memchr(c->errors, '\n', (size_t)n) : NULL;
	c->errors_n = end ? (size_t)(end - c->errors) : n > 0 ? (size_t)n : 0;
}

static void stop(struct running *r)
{
	struct pollfd p = {r->pidfd, POLLIN, 0};
	close_fd(&r->out);
	close_fd(&r->errors);
	if (r->pid > 0) {
		(void)kill(r->pid, SIGTERM);
		if (r->pidfd < 0 || poll(&p, 1, GRACE_MS) <= 0)
			(void)kill(r->pid, SIGKILL);
		while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_fd(&r->pidfd);
}

enum mf_found mf_child_run(struct mf_child *c, struct mf_buf *out, struct mf_err *err)
{
	struct running r MF_CLEANUP(stop) = {.out = -1, .errors = -1, .pidfd = -1};
	int64_t left = mf_env_left_ms(c->env);
	c->status = 0;
	c->errors_n = 0;
	if (c->timeout_ms > left)
		c->timeout_ms = left;
	r.until_ms = mf_monotonic_ms() + c->timeout_ms;
	if (mf_buf_reserve(out, out->max - out->n, err) < 0)
		return MF_FAILED;
	enum mf_found started = start(&r, c, err);
	if (started != MF_FOUND)
		return started;
	if (read_all(&r, c, out, err) < 0 || reap(&r, c, err) < 0)
		return MF_FAILED;
	keep_errors(&r, c);
	return MF_FOUND;
}
