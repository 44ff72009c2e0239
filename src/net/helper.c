/* Docker's credential helpers (docker-credential-helpers, "Development"): `docker-credential-NAME get` reads
 * the server's name and writes {"ServerURL","Username","Secret"}. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "json/json.h"
#include "net/internal.h"

extern char **environ;

struct helper {
	char program[160];
	pid_t pid;
	int out; /* its standard output */
	int64_t until_ms;
	const struct mf_env *env;
};

static void close_cleanup(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}
#define FD_CLEANUP MF_CLEANUP(close_cleanup)

/* The name becomes part of a program's name: no path, no option. */
static bool is_helper_name(const char *name)
{
	return *name && strlen(name) < 128 &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789._-") == strlen(name);
}

/* A pipe that already holds the question: written before the helper exists, it can raise no SIGPIPE. The
 * names of hosts are far shorter than what a pipe takes at once. */
static int question_pipe(const char *server, struct mf_err *err)
{
	int fd[2];
	size_t n = strlen(server);
	if (n > MF_MAX_REPOSITORY + 64)
		return mf_fail(err, MF_E_USAGE, 0, "host name is too long");
	if (pipe2(fd, O_CLOEXEC))
		return mf_fail(err, MF_E_IO, errno, "pipe");
	bool ok = write(fd[1], server, n) == (ssize_t)n && write(fd[1], "\n", 1) == 1;
	(void)close(fd[1]);
	if (ok)
		return fd[0];
	(void)close(fd[0]);
	return mf_fail(err, MF_E_IO, errno, "write to pipe");
}

static int spawn(struct helper *h, int in, int out)
{
	char get[] = "get";
	char *argv[] = {h->program, get, NULL};
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);
	if (rc)
		return rc;
	rc = posix_spawn_file_actions_adddup2(&actions, in, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
	/* What it complains about may hold secrets, and a library does not write to the terminal. */
	if (!rc)
		rc = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (!rc)
		rc = posix_spawnp(&h->pid, h->program, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int start(struct helper *h, const char *server, struct mf_err *err)
{
	int in FD_CLEANUP = question_pipe(server, err);
	int fd[2];
	if (in < 0)
		return -1;
	if (pipe2(fd, O_CLOEXEC))
		return mf_fail(err, MF_E_IO, errno, "pipe");
	int rc = spawn(h, in, fd[1]);
	(void)close(fd[1]);
	h->out = fd[0];
	return rc ? mf_fail(err, MF_E_AUTH, rc, "start %s", h->program) : 0;
}

/* 0 when there is something to read. */
static int wait_readable(const struct helper *h, struct mf_err *err)
{
	for (;;) {
		struct pollfd p = {h->out, POLLIN, 0};
		int64_t left = h->until_ms - mf_monotonic_ms();
		if (mf_env_cancelled(h->env))
			return mf_fail(err, MF_E_CANCELLED, 0, "cancelled");
		if (left <= 0)
			return mf_fail(err, MF_E_AUTH, 0, "no answer in time");
		int n = poll(&p, 1, left < 100 ? (int)left : 100);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return mf_fail(err, MF_E_IO, errno, "poll");
	}
}

static int read_all(const struct helper *h, struct mf_buf *out, struct mf_err *err)
{
	for (;;) {
		if (out->n == MF_MAX_HELPER_BYTES)
			return mf_fail(err, MF_E_AUTH, 0, "answer is too large");
		if (wait_readable(h, err))
			return -1;
		ssize_t n = read(h->out, out->p + out->n, MF_MAX_HELPER_BYTES - out->n);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return mf_fail(err, MF_E_IO, errno, "read");
		if (n == 0)
			return 0;
		out->n += n > 0 ? (size_t)n : 0;
	}
}

/* The exit status; a host that ignores SIGCHLD has no statuses (ECHILD), then the answer decides. */
static int reap(struct helper *h, int *status, struct mf_err *err)
{
	int raw = 0;
	for (;;) {
		pid_t got = waitpid(h->pid, &raw, WNOHANG);
		if (got == h->pid || (got < 0 && errno == ECHILD))
			break;
		if (got < 0 && errno != EINTR)
			return mf_fail(err, MF_E_IO, errno, "wait");
		if (mf_monotonic_ms() >= h->until_ms)
			return mf_fail(err, MF_E_AUTH, 0, "does not end");
		(void)nanosleep(&(struct timespec){0, 2000000}, NULL);
	}
	h->pid = 0;
	*status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128;
	return 0;
}

static void stop(struct helper *h)
{
	if (h->out >= 0)
		(void)close(h->out);
	if (h->pid <= 0)
		return;
	(void)kill(h->pid, SIGKILL);
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
#define HELPER_CLEANUP MF_CLEANUP(stop)

struct answer {
	struct mf_buf user, secret;
};

static void answer_clear(struct answer *a)
{
	mf_net_buf_wipe(&a->user);
	mf_net_buf_wipe(&a->secret);
}
#define ANSWER_CLEANUP MF_CLEANUP(answer_clear)

static int read_member(struct mf_json_reader *r, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_string s;
	if (mf_json_string(r, &s, err) || mf_buf_reserve(out, s.raw.n, err))
		return -1;
	return mf_json_string_decode(s, out, err);
}

static int parse(struct answer *out, struct mf_bytes text, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	mf_json_reader_init(&r, text);
	int more = mf_json_object(&r, err);
	while (more >= 0 && (more = mf_json_object_next(&r, &name, err)) > 0) {
		if (mf_json_string_eq(name, "Username"))
			more = read_member(&r, &out->user, err);
		else if (mf_json_string_eq(name, "Secret"))
			more = read_member(&r, &out->secret, err);
		else
			more = mf_json_skip(&r, NULL, err);
	}
	return more < 0 ? -1 : mf_json_end(&r, err);
}

static int take(struct mf_credential *out, const struct helper *h, struct mf_bytes text, struct mf_err *err)
{
	struct answer a ANSWER_CLEANUP = {MF_BUF_INIT(MF_MAX_HELPER_BYTES), MF_BUF_INIT(MF_MAX_HELPER_BYTES)};
	struct mf_err why = MF_ERR_INIT;
	if (parse(&a, text, &why)) /* its words could quote the secret */
		return mf_fail(err, MF_E_AUTH, 0, "the answer is not what a credential helper writes");
	if (!a.user.n || !a.secret.n || memchr(a.user.p, 0, a.user.n))
		return mf_fail(err, MF_E_AUTH, 0, "the answer has no user name or no secret");
	char *user = mf_str_dup(mf_buf_str(&a.user));
	if (!user)
		return mf_fail_nomem(err);
	if (mf_secret_copy(&out->password, mf_buf_bytes(&a.secret), err)) {
		free(user);
		return -1;
	}
	out->user = user;
	(void)snprintf(out->source, sizeof out->source, "%s", h->program);
	return 0;
}

static bool says_not_found(const struct mf_buf *text)
{
	static const char words[] = "credentials not found in native keychain";
	return text->n && memmem(text->p, text->n, words, sizeof words - 1) != NULL;
}

static int ask(struct mf_credential *out, struct helper *h, const char *server, struct mf_err *err)
{
	struct mf_buf text MF_NET_WIPED = MF_BUF_INIT(MF_MAX_HELPER_BYTES);
	int status = 0;
	if (mf_buf_reserve(&text, MF_MAX_HELPER_BYTES, err) || start(h, server, err) ||
	    read_all(h, &text, err) || reap(h, &status, err))
		return -1;
	if (status && says_not_found(&text))
		return 0;
	if (status)
		return mf_fail(err, MF_E_AUTH, 0, "ended with status %d", status);
	return take(out, h, mf_buf_bytes(&text), err);
}

int mf_helper_get(struct mf_credential *out, const char *name, const char *file, const char *host,
		  const struct mf_env *env, struct mf_err *err)
{
	struct helper h HELPER_CLEANUP = {.out = -1, .env = env};
	struct mf_esc shown_file, shown_name;
	int64_t left = mf_env_left_ms(env);
	const char *where = mf_esc(&shown_file, mf_str_c(file));
	if (!is_helper_name(name))
		return mf_fail(err, MF_E_AUTH, 0,
			       "Docker configuration '%s': '%s' cannot be the name of a credential helper",
			       where, mf_esc(&shown_name, mf_str_c(name)));
	(void)snprintf(h.program, sizeof h.program, "docker-credential-%s", name);
	h.until_ms = mf_monotonic_ms() + (left < MF_HELPER_TIMEOUT_MS ? left : MF_HELPER_TIMEOUT_MS);
	if (!ask(out, &h, mf_docker_server_name(host), err))
		return 0;
	if (err->code != MF_E_NOMEM && err->code != MF_E_CANCELLED)
		(void)mf_recode(err, MF_E_AUTH);
	return mf_wrap(err, "credential helper %s, named in '%s'", h.program, where);
}
