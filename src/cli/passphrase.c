#include "cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/env.h"
#include "cli/output.h"
#include "cli/signals.h"

#define WHY_SIZE 256

void mf_cli_prompt_init(struct mf_cli_prompt *a, const struct mf_cli_args *args, bool ci)
{
	*a = (struct mf_cli_prompt){.args = args, .ci = ci};
}

void mf_cli_prompt_clear(struct mf_cli_prompt *a)
{
	explicit_bzero(a, sizeof *a);
}

bool mf_cli_ci_from_env(void)
{
	const char *ci = getenv("CI");
	return ci && *ci && strcmp(ci, "false") != 0 && strcmp(ci, "0") != 0;
}

bool mf_cli_prompt_interactive(const struct mf_cli_prompt *a)
{
	return !a->ci && (isatty(STDIN_FILENO) || isatty(STDERR_FILENO));
}

static int no(char why[WHY_SIZE], const char *fmt, ...) MF_PRINTF(2, 3);

static int no(char why[WHY_SIZE], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(why, WHY_SIZE, fmt, ap);
	va_end(ap);
	return -1;
}

static int no_errno(char why[WHY_SIZE], int sys, const char *what, const char *operand)
{
	char text[128];
	struct mf_esc shown;
	return no(why, "%s '%.100s': %s", what, mf_esc(&shown, mf_str_c(operand)),
		  strerror_r(sys, text, sizeof text));
}

/* ---------------------------------------------------------------- reading one secret */

/* All of fd, at most max octets, without one trailing newline: how many, or -1 with *why, where `operand`
 * names the source. */
static ssize_t read_secret(int fd, char *out, size_t max, const char *operand, int64_t deadline_ms,
			   char why[WHY_SIZE])
{
	size_t got = 0;
	for (;;) {
		char beyond;
		bool full = got == max;
		ssize_t r =
		    mf_cli_signals_read(fd, full ? &beyond : out + got, full ? 1 : max - got, deadline_ms);
		if (r < 0) {
			int sys = errno;
			(void)no_errno(why, sys, "read", operand);
			errno = sys;
			return -1;
		}
		/* The newline that is cut anyway may stand behind a passphrase of full length. */
		errno = 0;
		if (r > 0 && full && beyond != '\n')
			return no(why, "%.150s gives more than %zu bytes", operand, max);
		if (r == 0 || full)
			break;
		got += (size_t)r;
	}
	if (got && out[got - 1] == '\n')
		got--;
	return (ssize_t)got;
}

static int no_empty(char why[WHY_SIZE], const char *operand)
{
	return no(why, "%.150s gives an empty passphrase", operand);
}

static int from_fd(struct mf_cli_prompt *a, int fd, const char *operand, char why[WHY_SIZE])
{
	if (a->kept_valid)
		return 0;
	ssize_t n = read_secret(fd, a->kept, sizeof a->kept, operand, 0, why);
	if (n <= 0)
		return n < 0 ? -1 : no_empty(why, operand);
	a->kept_n = (size_t)n;
	a->kept_valid = true;
	return 0;
}

static int from_file(struct mf_cli_prompt *a, const char *path, char why[WHY_SIZE])
{
	if (a->kept_valid)
		return 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return no_errno(why, errno, "open --passphrase-file", path);
	int rc = from_fd(a, fd, "--passphrase-file", why);
	(void)close(fd);
	return rc;
}

/* ---------------------------------------------------------------- a command */

/* posix_spawn takes pointers to non-const and writes through none of them. */
static char *spawn_arg(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* Our environment without what is secret in it. NULL: out of memory. */
static char **environment(void)
{
	static const char *const secret[] = {
	    "MANIFESTO_PASSPHRASE=", "REGISTRY_PASSWORD=", "MANIFESTO_TRUST_PASSWORD="};
	size_t n = 0, kept = 0;
	while (environ[n])
		n++;
	char **out = mf_calloc(n + 1, sizeof *out);
	for (size_t i = 0; out && i < n; i++) {
		bool keep = true;
		for (size_t k = 0; k < sizeof secret / sizeof secret[0]; k++)
			keep = keep && strncmp(environ[i], secret[k], strlen(secret[k])) != 0;
		if (keep)
			out[kept++] = environ[i];
	}
	return out;
}

/* The child reads nothing of ours (a `put -` has standard input), has no other descriptor of ours, and gets
 * the usual signals back. */
static int spawn_shell(const char *command, const char *key_name, int out_fd, pid_t *pid)
{
	/* $1 is the key's name: a command may answer by key. */
	char *argv[] = {spawn_arg("sh"), spawn_arg("-c"),     spawn_arg(command),
			spawn_arg("sh"), spawn_arg(key_name), NULL};
	char **envp = environment();
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t usual;
	int rc = envp ? posix_spawn_file_actions_init(&files) : ENOMEM;
	if (rc) {
		free(envp);
		return rc;
	}
	rc = posix_spawnattr_init(&attr);
	if (rc) {
		(void)posix_spawn_file_actions_destroy(&files);
		free(envp);
		return rc;
	}
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE);
	(void)sigaddset(&usual, SIGXFSZ);
	(void)posix_spawnattr_setsigdefault(&attr, &usual);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	if (!rc)
		rc = posix_spawn(pid, "/bin/sh", &files, &attr, argv, envp);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&files);
	free(envp);
	return rc;
}

/* Ends the command unless it ends by itself until the deadline. Its wait status; -1 with errno when it had to
 * be ended. */
static int wait_for(pid_t pid, int64_t deadline_ms)
{
	int status = -1, fd = pidfd_open(pid, 0), rc = fd < 0 ? 0 : mf_cli_signals_wait(fd, deadline_ms),
	    sys = errno;
	if (rc < 0)
		(void)kill(pid, SIGTERM);
	if (fd >= 0)
		(void)close(fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		if (mf_cli_signals_pending(NULL))
			(void)kill(pid, SIGTERM);
	errno = sys;
	return rc < 0 ? -1 : status;
}

static int from_command(const struct mf_cli_prompt *a, const char *command, const char *key_name, char *out,
			size_t max, size_t *n, char why[WHY_SIZE])
{
	int p[2];
	pid_t pid = 0;
	int64_t seconds = MF_TOTAL_TIMEOUT_MS / 1000;
	const char *timeout = a->args->value[MF_OPT_TIMEOUT];
	if (timeout && mf_cli_parse_duration(timeout, &seconds) < 0)
		return no(why, "--timeout is not a duration");
	int64_t deadline_ms = mf_monotonic_ms() + seconds * 1000;
	if (pipe2(p, O_CLOEXEC) < 0)
		return no_errno(why, errno, "start", "--passphrase-cmd");
	int rc = spawn_shell(command, key_name, p[1], &pid);
	(void)close(p[1]);
	if (rc) {
		(void)close(p[0]);
		return no_errno(why, rc, "start", "--passphrase-cmd");
	}
	ssize_t got = read_secret(p[0], out, max, "--passphrase-cmd", deadline_ms, why);
	bool late = got < 0 && errno == ETIMEDOUT;
	(void)close(p[0]);
	if (got < 0)
		(void)kill(pid, SIGTERM);
	int status = wait_for(pid, deadline_ms);
	if (late || (status < 0 && errno == ETIMEDOUT))
		return no(
		    why, "the command of --passphrase-cmd gave no passphrase within %lld seconds (--timeout)",
		    (long long)seconds);
	if (got < 0)
		return -1;
	if (status != 0)
		return no(why, "the command of --passphrase-cmd failed (%s %d)",
			  WIFEXITED(status) ? "exit status" : "signal",
			  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	*n = (size_t)got;
	return got ? 0 : no_empty(why, "--passphrase-cmd");
}

/* ---------------------------------------------------------------- the terminal */

static void say(int fd, const char *text)
{
	for (size_t n = strlen(text); n;) {
		ssize_t w = write(fd, text, n);
		if (w <= 0)
			return;
		text += w;
		n -= (size_t)w;
	}
}

/* A question with somebody's text in it, made safe. */
static void say_safe(int fd, const char *text)
{
	char *safe = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&safe, &n);
	if (!f)
		return;
	mf_cli_put_text(f, text);
	if (fclose(f) == 0)
		say(fd, safe);
	free(safe);
}

/* One line in canonical mode, without its newline. -1 with errno; 0 octets at end of file. */
static ssize_t read_line(int fd, char *out, size_t max)
{
	size_t got = 0;
	while (got < max) {
		ssize_t r = mf_cli_signals_read(fd, out + got, 1, 0);
		if (r < 0)
			return -1;
		if (r == 0 || out[got] == '\n')
			return (ssize_t)got;
		got++;
	}
	errno = E2BIG;
	return -1;
}

/* Asks once with echo off. A signal ends the wait; the terminal is put back in any case. */
static ssize_t ask_hidden(int tty, const char *question, char *out, size_t max)
{
	struct termios old;
	if (tcgetattr(tty, &old) < 0)
		return -1;
	struct termios quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON;
	if (tcsetattr(tty, TCSAFLUSH, &quiet) < 0)
		return -1;
	say_safe(tty, question);
	ssize_t n = read_line(tty, out, max);
	int sys = errno;
	(void)tcsetattr(tty, TCSAFLUSH, &old);
	say(tty, "\n");
	errno = sys;
	return n;
}

/* Octets typed, into room, or -1 with *why. */
static ssize_t from_terminal(int tty, const char *key_name, bool confirm, char *room, size_t max,
			     char why[WHY_SIZE])
{
	char question[256], again[MF_MAX_PASSPHRASE];
	(void)snprintf(question, sizeof question,
		       confirm ? "New passphrase for key '%s': " : "Passphrase for key '%s': ", key_name);
	ssize_t n = ask_hidden(tty, question, room, max);
	if (n < 0)
		return mf_cli_signals_pending(NULL) ? no(why, "interrupted")
						    : no_errno(why, errno, "read", "/dev/tty");
	if (n == 0)
		return no(why, "an empty passphrase was typed (--no-passphrase makes keys without one)");
	if (confirm) {
		(void)snprintf(question, sizeof question, "The same again for key '%s': ", key_name);
		ssize_t m = ask_hidden(tty, question, again, sizeof again);
		bool same = m == n && memcmp(again, room, (size_t)n) == 0;
		explicit_bzero(again, sizeof again);
		if (!same)
			return no(why, "the two passphrases typed differ");
	}
	return n;
}

static int open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

/* ---------------------------------------------------------------- the callbacks */

static int hand_over(const char *p, size_t n, char *out, size_t max, size_t *out_n, char why[WHY_SIZE])
{
	if (n > max)
		return no(why, "the passphrase is longer than %zu bytes", max);
	memcpy(out, p, n);
	*out_n = n;
	return 0;
}

static int ask_terminal(struct mf_cli_prompt *a, const char *key_name, bool confirm, char *out, size_t max,
			size_t *n, char why[WHY_SIZE])
{
	const char *set = getenv("MANIFESTO_PASSPHRASE") ? "is empty" : "is not set";
	if (!mf_cli_prompt_interactive(a))
		return no(why,
			  "none of --passphrase-fd, --passphrase-file, --passphrase-cmd was given, "
			  "MANIFESTO_PASSPHRASE %s, and %s",
			  set, a->ci ? "nobody is asked as CI is set" : "there is no terminal to ask on");
	int tty = open_terminal();
	if (tty < 0)
		return no_errno(why, errno, "open", "/dev/tty");
	ssize_t got = from_terminal(tty, key_name, confirm, out, max, why);
	(void)close(tty);
	*n = got < 0 ? 0 : (size_t)got;
	return got < 0 ? -1 : 0;
}

int mf_cli_prompt_passphrase(void *arg, const char *key_name, int confirm, char *out, size_t max, size_t *n,
			     char why[256])
{
	struct mf_cli_prompt *a = arg;
	const char *file = a->args->value[MF_OPT_PASSPHRASE_FILE],
		   *command = a->args->value[MF_OPT_PASSPHRASE_CMD];
	const char *env = getenv("MANIFESTO_PASSPHRASE");
	struct manifesto_error bad = {0};
	int64_t fd = -1;
	why[0] = 0;
	if (command)
		return from_command(a, command, key_name, out, max, n, why);
	if (mf_cli_args_number(a->args, MF_OPT_PASSPHRASE_FD, 0, 65535, &fd, &bad) < 0)
		return no(why, "%.250s", bad.message);
	if (fd >= 0 && from_fd(a, (int)fd, "--passphrase-fd", why) < 0)
		return -1;
	if (file && from_file(a, file, why) < 0)
		return -1;
	if (fd >= 0 || file)
		return hand_over(a->kept, a->kept_n, out, max, n, why);
	/* As of a file: one newline at the end is cut, and what is empty then is none. */
	size_t length = env ? strlen(env) : 0;
	length -= length && env[length - 1] == '\n';
	if (length)
		return hand_over(env, length, out, max, n, why);
	return ask_terminal(a, key_name, confirm != 0, out, max, n, why);
}

/* The answer to a question on the terminal; false where there is nobody to ask. */
static bool ask(struct mf_cli_prompt *a, const char *text, const char *question, char *answer, size_t max)
{
	int tty = mf_cli_prompt_interactive(a) ? open_terminal() : -1;
	if (tty < 0)
		return false;
	say(tty, text);
	say_safe(tty, question);
	ssize_t n = read_line(tty, answer, max - 1);
	(void)close(tty);
	if (n < 0)
		return false;
	answer[n] = 0;
	return true;
}

bool mf_cli_prompt_confirm(struct mf_cli_prompt *a, const char *text, const char *question)
{
	char answer[16];
	return ask(a, text, question, answer, sizeof answer) &&
	       (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0);
}

bool mf_cli_prompt_confirm_name(struct mf_cli_prompt *a, const char *text, const char *question,
				const char *name)
{
	char answer[1024];
	return ask(a, text, question, answer, sizeof answer) && strcmp(answer, name) == 0;
}

int mf_cli_prompt_confirm_init(void *arg, const char *gun, const char *where)
{
	char question[1024];
	(void)snprintf(question, sizeof question, "No trust repository for %s at %s. Create it? [y/N] ", gun,
		       where);
	return mf_cli_prompt_confirm(arg, "", question);
}

static int password_from_terminal(const char *user, char *out, size_t max, struct manifesto_error *err)
{
	int tty = open_terminal();
	if (tty < 0)
		return mf_cli_fail(err, MF_E_USAGE, errno, "open '/dev/tty' to ask for the password");
	char question[512];
	(void)snprintf(question, sizeof question, "Password for user '%s': ", user);
	ssize_t n = ask_hidden(tty, question, out, max - 1);
	int sys = errno;
	(void)close(tty);
	if (n < 0)
		return mf_cli_fail(err, mf_cli_signals_pending(NULL) ? MF_E_CANCELLED : MF_E_IO, sys,
				   "read the password");
	out[n] = 0;
	return 0;
}

static int password_from_stdin(const char *option, char *out, size_t max, struct manifesto_error *err)
{
	char why[WHY_SIZE];
	ssize_t n = read_secret(STDIN_FILENO, out, max - 1, "standard input", 0, why);
	if (n < 0)
		return mf_cli_usage(err, "%s: %s", option, why);
	/* A carriage return is what a file from Windows ends its line with; no header can carry one. */
	if (n && out[n - 1] == '\r')
		n--;
	out[n] = 0;
	return n ? 0 : mf_cli_usage(err, "%s: standard input is empty", option);
}

int mf_cli_prompt_password(struct mf_cli_prompt *a, const struct mf_cli_password_source *from, char *out,
			   size_t max, struct manifesto_error *err)
{
	struct mf_esc shown;
	if (mf_cli_args_has(a->args, from->from_stdin))
		return password_from_stdin(from->stdin_option, out, max, err);
	if (!mf_cli_prompt_interactive(a)) {
		(void)mf_cli_usage(err, "no password for user '%s': %s was not given, %s is not set, and %s",
				   mf_esc(&shown, mf_str_c(from->user)), from->stdin_option, from->variable,
				   a->ci ? "nobody is asked as CI is set" : "there is no terminal to ask on");
		return -1;
	}
	return password_from_terminal(from->user, out, max, err);
}
