#include "cli/passphrase.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "base/child.h"
#include "cli/output.h"
#include "cli/signals.h"

#define WHY_SIZE 256

void mf_cli_prompt_init(struct mf_cli_prompt *a, const struct mf_cli_args *args, bool ci)
{
	*a = (struct mf_cli_prompt){.args = args, .ci = ci};
}

/* Zeroed pages that no core dump holds; NULL: out of memory. */
static char *hidden_pages(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, n, MADV_DONTDUMP);
	(void)mlock(p, n); /* where the limit allows it */
	return p;
}

void mf_cli_prompt_clear(struct mf_cli_prompt *a)
{
	if (a->kept) {
		explicit_bzero(a->kept, MF_MAX_PASSPHRASE);
		(void)munmap(a->kept, MF_MAX_PASSPHRASE);
	}
	explicit_bzero(a, sizeof *a);
}

void mf_cli_hide_environment(void)
{
	size_t n = 1;
	for (char **line = environ; line && *line; line++)
		n += strlen(*line) + 1;
	char *to = hidden_pages(n);
	if (!to)
		return;
	for (char **line = environ; line && *line; line++) {
		size_t length = strlen(*line);
		memcpy(to, *line, length + 1);
		explicit_bzero(*line, length);
		*line = to;
		to += length + 1;
	}
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

/* Reads all of fd, at most max octets, without one trailing newline. Returns how many, or -1 with *why, where
 * `operand` names the source. */
static ssize_t read_secret(int fd, char *out, size_t max, const char *operand, char why[WHY_SIZE])
{
	size_t got = 0;
	for (;;) {
		char beyond;
		bool full = got == max;
		ssize_t r = mf_cli_signals_read(fd, full ? &beyond : out + got, full ? 1 : max - got);
		if (r < 0)
			return no_errno(why, errno, "read", operand);
		/* A passphrase of full length may be followed by its newline, which is cut. */
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
	if (!a->kept && !(a->kept = hidden_pages(MF_MAX_PASSPHRASE)))
		return no(why, "out of memory");
	ssize_t n = read_secret(fd, a->kept, MF_MAX_PASSPHRASE, operand, why);
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

static bool interrupted(void *unused)
{
	return mf_cli_signals_pending(unused) != 0;
}

static bool hides(void *arg, struct mf_str variable)
{
	const struct mf_cli_prompt *a = arg;
	return a->m && manifesto_key_in_variable(a->m, variable.p, variable.n);
}

static int command_failed(const struct mf_child *c, enum mf_found ran, const struct mf_err *err,
			  char why[WHY_SIZE])
{
	if (ran == MF_ABSENT)
		return no(why, "/bin/sh, which runs --passphrase-cmd, is not there");
	if (ran == MF_FAILED && err->code == MF_E_CANCELLED)
		return no(why, "interrupted");
	if (ran == MF_FAILED)
		return no(why, "the command of --passphrase-cmd failed: %.150s", err->msg);
	return no(why, "the command of --passphrase-cmd failed (%s %d)",
		  c->status < 128 ? "exit status" : "signal", c->status < 128 ? c->status : c->status - 128);
}

static int from_command(struct mf_cli_prompt *a, const char *command, const char *key_name, char *out,
			size_t max, size_t *n, char why[WHY_SIZE])
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(max + 1); /* also room for a newline, which is cut */
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	int64_t seconds = MF_TOTAL_TIMEOUT_MS / 1000;
	const char *timeout = a->args->value[MF_OPT_TIMEOUT];
	if (timeout && mf_cli_parse_duration(timeout, &seconds) < 0)
		return no(why, "--timeout is not a duration");
	mf_env_init(&env);
	env.cancelled = interrupted;
	env.hides = hides;
	env.hides_arg = a;
	/* $1 is the key's name: a command may have a passphrase for each key. */
	struct mf_child c = {.argv = (const char *const[]){"/bin/sh", "-c", command, "sh", key_name, NULL},
			     .timeout_ms = seconds * 1000,
			     .env = &env,
			     .shows_errors = true};
	if (mf_buf_reserve(&text, max + 1, &err) < 0) /* a buffer that grows leaves copies behind */
		return no(why, "%.150s", err.msg);
	enum mf_found ran = mf_child_run(&c, &text, &err);
	text.n -= text.n && text.p[text.n - 1] == '\n';
	bool fits = text.n <= max;
	if (ran == MF_FOUND && c.status == 0 && fits)
		memcpy(out, text.p, *n = text.n);
	if (text.p)
		explicit_bzero(text.p, text.cap);
	if (ran != MF_FOUND || c.status != 0)
		return command_failed(&c, ran, &err, why);
	if (!fits)
		return no(why, "--passphrase-cmd gives more than %zu bytes", max);
	return *n ? 0 : no_empty(why, "--passphrase-cmd");
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

/* Writes a question with untrusted text in it, in its safe form. */
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

/* Reads one line from a terminal in canonical mode, without its newline. Returns its length, 0 at end of
 * file, or -1 with errno. */
static ssize_t read_line(int fd, char *out, size_t max)
{
	size_t got = 0;
	while (got < max) {
		ssize_t r = mf_cli_signals_read(fd, out + got, 1);
		if (r < 0)
			return -1;
		if (r == 0 || out[got] == '\n')
			return (ssize_t)got;
		got++;
	}
	errno = E2BIG;
	return -1;
}

/* Asks once with echo off. A signal ends the wait; the terminal's mode is restored in any case. */
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

/* Reads a passphrase into room. Returns how many octets were typed, or -1 with *why. */
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
		return no(why, "expected at most %zu bytes, got %zu", max, n);
	memcpy(out, p, n);
	*out_n = n;
	return 0;
}

static int ask_terminal(struct mf_cli_prompt *a, const char *key_name, bool confirm, char *out, size_t max,
			size_t *n, char why[WHY_SIZE])
{
	const char *set = getenv("MANIFESTO_PASSPHRASE") ? "is empty" : "is not set";
	if (!mf_cli_prompt_interactive(a) && confirm && a->replaces)
		return no(why,
			  "--new-passphrase-file was not given, MANIFESTO_NEW_PASSPHRASE is not set, and %s",
			  a->ci ? "nobody is asked as CI is set" : "there is no terminal to ask on");
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

/* The length without one trailing newline, which is cut as in a file. 0: not set, or empty. */
static size_t length_of(const char *variable)
{
	size_t n = variable ? strlen(variable) : 0;
	return n - (n && variable[n - 1] == '\n');
}

/* $MANIFESTO_PASSPHRASE_NAME, where NAME is the key's name in upper case, with '_' for all but letters and
 * digits; otherwise the variable for all keys. NULL: neither holds a passphrase. */
static const char *from_environment(const char *key_name)
{
	char variable[128];
	(void)snprintf(variable, sizeof variable, "MANIFESTO_PASSPHRASE_%.64s", key_name);
	for (char *p = variable + sizeof "MANIFESTO_PASSPHRASE_" - 1; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
	const char *own = getenv(variable), *all = getenv("MANIFESTO_PASSPHRASE");
	return length_of(own) ? own : length_of(all) ? all : NULL;
}

/* A new passphrase from --new-passphrase-file or its variable. MF_ABSENT: neither was given. MF_FAILED: *why
 * says why. */
static enum mf_found from_new(const struct mf_cli_prompt *a, char *out, size_t max, size_t *n,
			      char why[WHY_SIZE])
{
	const char *file = a->args->value[MF_OPT_NEW_PASSPHRASE_FILE],
		   *env = getenv("MANIFESTO_NEW_PASSPHRASE");
	if (!file && !length_of(env))
		return MF_ABSENT;
	if (!file)
		return hand_over(env, length_of(env), out, max, n, why) < 0 ? MF_FAILED : MF_FOUND;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return no_errno(why, errno, "open --new-passphrase-file", file);
	ssize_t got = read_secret(fd, out, max, "--new-passphrase-file", why);
	(void)close(fd);
	if (got == 0)
		return no_empty(why, "--new-passphrase-file");
	*n = got < 0 ? 0 : (size_t)got;
	return got < 0 ? MF_FAILED : MF_FOUND;
}

int mf_cli_prompt_passphrase(void *arg, const char *key_name, int confirm, char *out, size_t max, size_t *n,
			     char why[256])
{
	struct mf_cli_prompt *a = arg;
	const char *file = a->args->value[MF_OPT_PASSPHRASE_FILE],
		   *command = a->args->value[MF_OPT_PASSPHRASE_CMD];
	const char *env = from_environment(key_name);
	struct manifesto_error bad = {0};
	int64_t fd = -1;
	why[0] = 0;
	enum mf_found fresh = confirm ? from_new(a, out, max, n, why) : MF_ABSENT;
	if (fresh != MF_ABSENT)
		return fresh == MF_FOUND ? 0 : -1;
	if (confirm && a->replaces)
		return ask_terminal(a, key_name, confirm != 0, out, max, n, why);
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
	if (env)
		return hand_over(env, length_of(env), out, max, n, why);
	return ask_terminal(a, key_name, confirm != 0, out, max, n, why);
}

/* A descriptor can be read once, so the key store keeps the key for the run. */
static int key_from_fd(const char *digits, const char *source, char *out, size_t max, size_t *n,
		       char why[WHY_SIZE])
{
	char *end;
	errno = 0;
	long fd = strtol(digits, &end, 10);
	if (*digits < '0' || *digits > '9' || *end || errno || fd > 65535)
		return no(why, "'%.100s' is no descriptor: expected fd: and a number", source);
	ssize_t got = read_secret((int)fd, out, max, source, why);
	*n = got < 0 ? 0 : (size_t)got;
	if (got == 0)
		return no(why, "descriptor %ld is empty", fd);
	return got < 0 ? -1 : 0;
}

int mf_cli_prompt_key_text(void *arg, const char *source, char *out, size_t max, size_t *n, char why[256])
{
	struct mf_esc shown;
	(void)arg;
	if (strncmp(source, "fd:", 3) == 0)
		return key_from_fd(source + 3, source, out, max, n, why);
	const char *variable = source + sizeof "env:" - 1, *text = getenv(variable);
	if (!text || !*text)
		return no(why, "the environment variable '%.150s' %s", mf_esc(&shown, mf_str_c(variable)),
			  text ? "is empty" : "is not set");
	return hand_over(text, strlen(text), out, max, n, why);
}

/* Gets the answer to a question on the terminal; false where nobody can be asked. */
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
	ssize_t n = read_secret(STDIN_FILENO, out, max - 1, "standard input", why);
	if (n < 0)
		return mf_cli_usage(err, "%s: %s", option, why);
	/* A line of a file from Windows ends with a carriage return; a password cannot, because no header can
	 * hold one. */
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
