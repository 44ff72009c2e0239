#include "condition/condition.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "condition/evaluator.h"
#include "json/json.h"

#define TICK_MS 100
#define REMEMBERED 64

struct mf_conditions {
	struct mf_conditions_config cfg;
	int socket;
	pid_t pid;
	int pidfd;
	struct {
		bool used;
		size_t program;
		struct mf_digest content;
		struct mf_outcome outcome;
	} known[REMEMBERED];
	size_t next;
};

/* ---- the evaluating process */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void end_process(struct mf_conditions *c)
{
	close_fd(&c->socket);
	if (c->pid > 0 && c->pidfd >= 0)
		(void)pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
	while (c->pid > 0 && waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	close_fd(&c->pidfd);
}

void mf_conditions_stop(struct mf_conditions *c)
{
	if (!c)
		return;
	end_process(c);
	free(c);
}

static void stop_cleanup(struct mf_conditions **c)
{
	mf_conditions_stop(*c);
}

static int start_process(struct mf_conditions *c, const struct mf_jq *jq, struct mf_err *err)
{
	int way[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, way) < 0)
		return mf_fail(err, MF_E_IO, errno, "make a pair of sockets");
	c->pid = fork();
	if (c->pid == 0)
		mf_evaluator_run(
		    &(struct mf_evaluator){
			.jq = jq, .programs = c->cfg.programs, .n = c->cfg.n, .now = c->cfg.now},
		    way[1]);
	int sys = errno;
	c->socket = way[0];
	(void)close(way[1]);
	if (c->pid < 0)
		return mf_fail(err, MF_E_IO, sys, "start the evaluation of conditions");
	c->pidfd = pidfd_open(c->pid, 0);
	return 0;
}

static int ended(struct mf_err *err)
{
	return mf_fail(err, MF_E_INTERNAL, 0, "the process that evaluates conditions has ended");
}

static int send_all(const struct mf_conditions *c, const void *p, size_t n, struct mf_err *err)
{
	for (size_t at = 0; at < n;) {
		ssize_t sent = send(c->socket, (const char *)p + at, n - at, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return ended(err);
		at += sent > 0 ? (size_t)sent : 0;
	}
	return 0;
}

static int wait_readable(const struct mf_conditions *c, struct mf_err *err)
{
	struct pollfd p = {c->socket, POLLIN, 0};
	for (;;) {
		int64_t left = mf_env_left_ms(c->cfg.env);
		if (mf_env_cancelled(c->cfg.env))
			return mf_fail(err, MF_E_CANCELLED, 0, "cancelled");
		if (left <= 0)
			return mf_fail(
			    err, MF_E_UNAVAILABLE, 0,
			    "the time of the run (--timeout) ended while a condition was evaluated");
		int n = poll(&p, 1, left < TICK_MS ? (int)left : TICK_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return mf_fail(err, MF_E_IO, errno, "poll");
	}
}

static int receive_all(const struct mf_conditions *c, void *p, size_t n, struct mf_err *err)
{
	for (size_t at = 0; at < n;) {
		if (wait_readable(c, err) < 0)
			return -1;
		ssize_t got = recv(c->socket, (char *)p + at, n - at, 0);
		if (got == 0 || (got < 0 && errno != EINTR))
			return ended(err);
		at += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static int receive(const struct mf_conditions *c, struct mf_answer *a, struct mf_err *err)
{
	if (receive_all(c, a, MF_ANSWER_HEAD, err) < 0)
		return -1;
	if (a->length > MF_MAX_ANSWER)
		return ended(err);
	return receive_all(c, a->text, a->length, err);
}

/* ---- start */

static size_t length_before(struct mf_str text, struct mf_str part)
{
	const char *at = memmem(text.p, text.n, part.p, part.n);
	return at ? (size_t)(at - text.p) : text.n;
}

/* Removes what surrounds the reason in jq's message: "jq: error: syntax error, ... (Unix shell quoting
 * issues?) at <top-level>, line 1:" and the program. */
static int does_not_compile(const char *program, const struct mf_answer *a, struct mf_err *err)
{
	struct mf_str text = {a->text, strnlen(a->text, a->length)};
	struct mf_esc shown, why;
	text.n = length_before(text, MF_STR(" at <"));
	text.n = length_before(text, MF_STR(" (Unix shell"));
	if (mf_str_starts(text, MF_STR("jq: error: ")))
		text = (struct mf_str){text.p + 11, text.n - 11};
	return mf_fail(err, MF_E_USAGE, 0, "the condition '%s' is not a valid jq program: %s",
		       mf_esc(&shown, mf_str_c(program)), mf_esc(&why, text));
}

struct mf_conditions *mf_conditions_start(const struct mf_conditions_config *cfg, struct mf_err *err)
{
	struct mf_jq jq = {0};
	struct mf_answer a;
	if (mf_jq_load(&jq, err) < 0)
		return NULL;
	struct mf_conditions *c MF_CLEANUP(stop_cleanup) = mf_calloc(1, sizeof *c);
	if (!c) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	*c = (struct mf_conditions){.cfg = *cfg, .socket = -1, .pidfd = -1};
	if (start_process(c, &jq, err) < 0 || receive(c, &a, err) < 0)
		return NULL;
	if (a.kind != MF_ANSWER_TRUE) {
		(void)does_not_compile(cfg->programs[a.program < cfg->n ? a.program : 0], &a, err);
		return NULL;
	}
	struct mf_conditions *started = c;
	c = NULL;
	return started;
}

/* ---- one evaluation */

const struct mf_outcome *mf_conditions_known(const struct mf_conditions *c, size_t program,
					     const struct mf_digest *content)
{
	for (size_t i = 0; i < REMEMBERED; i++)
		if (c->known[i].used && c->known[i].program == program &&
		    mf_digest_eq(&c->known[i].content, content))
			return &c->known[i].outcome;
	return NULL;
}

static const struct mf_outcome *remember(struct mf_conditions *c, size_t program,
					 const struct mf_digest *content, const struct mf_outcome *outcome)
{
	size_t at = c->next++ % REMEMBERED;
	c->known[at].used = true;
	c->known[at].program = program;
	c->known[at].content = *content;
	c->known[at].outcome = *outcome;
	return &c->known[at].outcome;
}

MF_PRINTF(2, 3) static void say(struct mf_outcome *o, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(o->why, sizeof o->why, fmt, ap);
	va_end(ap);
}

/* Copies JSON text, with characters that are unsafe to print escaped, and shortens it to fit. */
static void show_value(char out[MF_CONDITION_VALUE], struct mf_str text)
{
	char piece[MF_TEXT_PIECE];
	size_t n = 0;
	for (size_t at = 0; at < text.n;) {
		at += mf_text_piece(piece, text.p + at, text.p + text.n);
		if (n + strlen(piece) >= MF_CONDITION_VALUE - 4) {
			memcpy(out + n, "...", 4);
			return;
		}
		memcpy(out + n, piece, strlen(piece));
		n += strlen(piece);
	}
	out[n] = 0;
}

static void read_values(const struct mf_answer *a, struct mf_outcome *o)
{
	size_t at = 0, n;
	for (; at < a->length && o->nvalues < MF_CONDITION_VALUES; at += n + 1) {
		n = strnlen(a->text + at, a->length - at);
		show_value(o->values[o->nvalues++], (struct mf_str){a->text + at, n});
	}
	if (!o->nvalues)
		say(o, "gives nothing");
	else if (o->nvalues == 1)
		say(o, "gives %s", o->values[0]);
	else
		say(o, "gives several values, first %s", o->values[0]);
}

static void read_answer(const struct mf_answer *a, struct mf_outcome *o)
{
	struct mf_esc e;
	switch (a->kind) {
	case MF_ANSWER_TRUE:
		o->holds = true;
		return;
	case MF_ANSWER_VALUES:
		read_values(a, o);
		return;
	case MF_ANSWER_ERROR:
		say(o, "fails: %s", mf_esc(&e, (struct mf_str){a->text, strnlen(a->text, a->length)}));
		return;
	case MF_ANSWER_MEMORY:
		say(o, "needs more than %llu MiB of memory",
		    (unsigned long long)MF_MAX_CONDITION_MEMORY >> 20);
		return;
	case MF_ANSWER_TIME:
		say(o, "needs more than %d seconds of processor time", MF_MAX_CONDITION_CPU_S);
		return;
	default:
		say(o, "cannot be evaluated: jq has crashed");
	}
}

/* Is the document within the limit, and JSON? MF_ABSENT: it is not, and must not be given to jq; the outcome
 * says why. */
static enum mf_found check_document(struct mf_bytes *document, struct mf_outcome *o, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	if (document->n > MF_MAX_CONDITION_CONTENT) {
		say(o, "is not evaluated: the content has more than %zu MiB", MF_MAX_CONDITION_CONTENT >> 20);
		return MF_ABSENT;
	}
	*document = mf_bytes_of(mf_str_skip_bom(mf_str_of(*document)));
	mf_json_reader_init(&r, *document);
	r.no_nul = true; /* C functions of jq would take a string to end at its first NUL */
	if (mf_json_skip(&r, NULL, &why) == 0 && mf_json_end(&r, &why) == 0)
		return MF_FOUND;
	if (mf_err_pass_ours(err, &why) < 0)
		return MF_FAILED;
	say(o, "is not evaluated: the content is not %.300s", why.msg);
	return MF_ABSENT;
}

const struct mf_outcome *mf_conditions_evaluate(struct mf_conditions *c, size_t program,
						const struct mf_digest *content, struct mf_bytes document,
						struct mf_err *err)
{
	struct mf_outcome o = {0};
	struct mf_answer a;
	enum mf_found found = check_document(&document, &o, err);
	if (found == MF_FAILED)
		return NULL;
	if (found == MF_FOUND) {
		struct mf_question q = {(uint32_t)program, (uint32_t)document.n};
		if (send_all(c, &q, sizeof q, err) < 0 || send_all(c, document.p, document.n, err) < 0 ||
		    receive(c, &a, err) < 0) {
			/* A late answer would be taken for that to the next question. */
			end_process(c);
			return NULL;
		}
		read_answer(&a, &o);
	}
	return remember(c, program, content, &o);
}
