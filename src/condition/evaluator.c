/* Two processes. The first is forked from ours, confines itself, compiles the programs and waits for
 * questions; it never parses a document. For each question it forks the second one, which gives up its
 * remaining privileges, evaluates, writes its answer into a pipe and ends: no document can influence the
 * answer for another one. */
#include "condition/evaluator.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "condition/condition.h"

extern char **environ;

#define SOCKET 3
#define FILES 16     /* descriptors of the first process; the second one opens none */
#define NO_MEMORY 77 /* exit status of the second process */
#define VALUE_ROOM 300

/* ---- privileges that are given up */

static void give_up(void)
{
	_exit(1);
}

/* Sets a limit. The host's hard limit may be lower already, and only root could raise it. */
static void limit(__rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
	struct rlimit has;
	if (getrlimit(what, &has) < 0)
		give_up();
	hard = hard < has.rlim_max ? hard : has.rlim_max;
	if (setrlimit(what, &(struct rlimit){soft < hard ? soft : hard, hard}) < 0)
		give_up();
}

/* Removes the signal handlers of the host program. */
static void usual_signals(void)
{
	sigset_t none;
	(void)sigemptyset(&none);
	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_descriptors(int socket)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nothing < 0 || dup2(socket, SOCKET) < 0)
		give_up();
	for (int i = 0; i < SOCKET; i++)
		if (dup2(nothing, i) < 0)
			give_up();
	if (close_range(SOCKET + 1, ~0U, 0) < 0)
		give_up();
}

/* Empties memory that is excluded from core dumps, where this library, its command line and other libraries
 * keep secrets. Memory that the host shares with other processes keeps its content. */
static void forget_secrets(void)
{
	unsigned long at, behind, first = 0, end = 0;
	char *line MF_FREE = NULL;
	size_t room = 0;
	FILE *f =
	    MF_SANITIZED ? NULL : fopen("/proc/self/smaps", "re"); /* sanitizers exclude their own, too */
	while (f && getline(&line, &room, f) > 0) {
		if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dd"))
			(void)madvise((void *)first, end - first, MADV_DONTNEED);
		if (sscanf(line, "%lx-%lx ", &at, &behind) == 2) {
			first = at;
			end = behind;
		}
	}
	if (f)
		(void)fclose(f);
}

/* Wipes the environment, because variables may contain passwords, and sets local time to UTC, so that results
 * do not depend on the machine. */
static void forget_environment(void)
{
	static char utc[] = "TZ=UTC0";
	static char *with_utc[] = {utc, NULL}, *empty[] = {NULL};
	for (char **line = environ; line && *line; line++)
		explicit_bzero(*line, strlen(*line));
	environ = with_utc;
	tzset();
	environ = empty;
}

/* The host may have reserved any amount of address space: the limit is added to that. */
static rlim_t memory_limit(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f || fscanf(f, "%lu", &pages) != 1)
		give_up();
	if (f)
		(void)fclose(f);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MF_MAX_CONDITION_MEMORY;
}

/* With a soft limit of 0 descriptors nothing can be opened, neither a module nor ~/.jq. It is raised after
 * the programs were compiled. */
static void confine(int socket)
{
	usual_signals();
	close_descriptors(socket);
	forget_environment();
	forget_secrets();
	rlim_t memory = memory_limit();
	if (!MF_SANITIZED)
		limit(RLIMIT_AS, memory, memory);
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_FSIZE, 0, 0);
	limit(RLIMIT_NOFILE, 0, FILES);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		give_up();
}

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* Allows only the system calls for memory and for the answer; all others fail with EPERM. The limits hold
 * without the filter, too, so that a kernel or an architecture without it is accepted. */
static void filter_calls(void)
{
#ifdef ARCHITECTURE
#define ALLOW(name)                                                                                          \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	static struct sock_filter calls[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    ALLOW(write),
	    ALLOW(exit_group),
	    ALLOW(exit),
	    ALLOW(brk),
	    ALLOW(mmap),
	    ALLOW(munmap),
	    ALLOW(mremap),
	    ALLOW(mprotect),
	    ALLOW(madvise),
	    ALLOW(futex),
	    ALLOW(rt_sigreturn),
	    ALLOW(sigaltstack), /* the sanitizers ask where the stack is */
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	const struct sock_fprog program = {sizeof calls / sizeof *calls, calls};
	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
#endif
}

/* ---- streams */

static bool write_all(int fd, const void *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = write(fd, (const char *)p + at, n - at);
		if (got < 0 && errno != EINTR)
			return false;
		at += got > 0 ? (size_t)got : 0;
	}
	return true;
}

/* Reads up to n octets; fewer at the end of the stream. */
static size_t read_all(int fd, void *p, size_t n)
{
	size_t at = 0;
	while (at < n) {
		ssize_t got = read(fd, (char *)p + at, n - at);
		if (got == 0 || (got < 0 && errno != EINTR))
			break;
		at += got > 0 ? (size_t)got : 0;
	}
	return at;
}

static void answer(const struct mf_answer *a)
{
	if (!write_all(SOCKET, a, MF_ANSWER_HEAD + a->length))
		give_up();
}

static void add_text(struct mf_answer *a, const char *text)
{
	size_t n = strnlen(text, VALUE_ROOM - 1);
	if (a->length + n + 1 > MF_MAX_ANSWER)
		return;
	memcpy(a->text + a->length, text, n);
	a->text[a->length + n] = 0;
	a->length += (uint32_t)n + 1;
}

/* ---- the second process: one document */

static void out_of_memory(void *arg)
{
	(void)arg;
	_exit(NO_MEMORY);
}

static void add_value(const struct mf_jq *jq, jv v, struct mf_answer *a)
{
	jv text = jq->get_kind(v) == JV_KIND_STRING && a->kind == MF_ANSWER_ERROR ? v : jq->dump_string(v, 0);
	add_text(a, jq->string_value(text));
	jq->free(text);
}

static bool failed(const struct mf_jq *jq, jq_state *state, jv end, struct mf_answer *a)
{
	bool halted = jq->halted(state) != 0;
	if (!halted && !jq->invalid_has_msg(jq->copy(end))) {
		jq->free(end);
		return false;
	}
	a->kind = MF_ANSWER_ERROR;
	a->length = 0;
	if (!halted) {
		add_value(jq, jq->invalid_get_msg(end), a);
	} else {
		jq->free(end);
		add_text(a, "the program halts");
	}
	return true;
}

/* The condition holds if the program gives exactly one result, and that is `true`. */
static void evaluate(const struct mf_jq *jq, jq_state *state, const struct mf_question *q,
		     const char *document, struct mf_answer *a)
{
	size_t n = 0;
	bool is_true = false;
	jv input = jq->parse_sized(document, (int)q->length);
	/* jq would start a program on an invalid value, too, and the program `true` would give true. */
	if (jq->get_kind(input) == JV_KIND_INVALID) {
		jq->free(input);
		a->kind = MF_ANSWER_ERROR;
		add_text(a, "jq cannot read the content");
		return;
	}
	a->kind = MF_ANSWER_VALUES;
	jq->start(state, input, 0);
	while (n <= MF_CONDITION_VALUES) {
		jv v = jq->next(state);
		if (jq->get_kind(v) == JV_KIND_INVALID) {
			if (failed(jq, state, v, a))
				return;
			break;
		}
		is_true = ++n == 1 && jq->get_kind(v) == JV_KIND_TRUE;
		if (n <= MF_CONDITION_VALUES)
			add_value(jq, v, a);
		else
			jq->free(v);
	}
	if (is_true)
		*a = (struct mf_answer){.kind = MF_ANSWER_TRUE};
}

_Noreturn static void second(const struct mf_jq *jq, jq_state *state, const struct mf_question *q,
			     const char *document, const int way[2])
{
	struct mf_answer a = {0};
	(void)close(SOCKET);
	(void)close(way[0]);
	limit(RLIMIT_CPU, MF_MAX_CONDITION_CPU_S, MF_MAX_CONDITION_CPU_S + 1);
	limit(RLIMIT_NOFILE, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	filter_calls();
	jq->set_nomem_handler(state, out_of_memory, NULL);
	evaluate(jq, state, q, document, &a);
	_exit(write_all(way[1], &a, MF_ANSWER_HEAD + a.length) ? 0 : 1);
}

/* ---- the first process */

bool mf_answer_is_sound(const struct mf_answer *a, size_t n)
{
	return n >= MF_ANSWER_HEAD && a->length == n - MF_ANSWER_HEAD && a->kind >= MF_ANSWER_TRUE &&
	       a->kind <= MF_ANSWER_ERROR && (a->length == 0 || a->text[a->length - 1] == 0);
}

static enum mf_answer_kind cause_of_death(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MEMORY)
		return MF_ANSWER_MEMORY;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return MF_ANSWER_TIME;
	return MF_ANSWER_CRASH;
}

static void question(const struct mf_jq *jq, jq_state *state, const struct mf_question *q,
		     const char *document)
{
	struct mf_answer a = {0};
	int status = 0, way[2];
	if (pipe2(way, O_CLOEXEC) < 0)
		give_up();
	pid_t pid = fork();
	if (pid < 0)
		give_up();
	if (pid == 0)
		second(jq, state, q, document, way);
	(void)close(way[1]);
	size_t n = read_all(way[0], &a, sizeof a);
	(void)close(way[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			give_up();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !mf_answer_is_sound(&a, n))
		a = (struct mf_answer){.kind = cause_of_death(status)};
	answer(&a);
}

/* Keeps the first message, which states the error. */
static void keep_message(void *arg, jv message)
{
	const struct mf_jq *jq = ((void **)arg)[0];
	struct mf_answer *a = ((void **)arg)[1];
	if (a->length)
		jq->free(message);
	else
		add_value(jq, message, a);
}

static jv no_input(jq_state *state, void *arg)
{
	(void)state;
	return ((const struct mf_jq *)arg)->invalid();
}

static void no_message(void *arg, jv message)
{
	((const struct mf_jq *)arg)->free(message);
}

/* Definitions before each program. `now` is the time of the run, the same for all documents. The argument of
 * `error` may come from the document, and two values do not act as errors in jq: null acts like `empty` (jq
 * 1.6), and an object with the member __jq breaks out of a `label`, with which `first`, `limit` and `all` are
 * defined. Converted to text they are errors. The definitions also make `import` and `include` syntax errors,
 * as these may only be at the beginning. */
#define PRELUDE                                                                                              \
	"def now: %lld; def _error: error; "                                                                 \
	"def error: if . == null or (type == \"object\" and has(\"__jq\")) then tojson | _error "            \
	"else _error end; def error(m): m | error; "
static jq_state *compile(const struct mf_evaluator *e, const char *program, struct mf_answer *a)
{
	void *arg[2] = {(void *)(uintptr_t)e->jq, a};
	char *text MF_FREE = NULL;
	jq_state *state = e->jq->init();
	if (!state || asprintf(&text, PRELUDE "%s", (long long)e->now, program) < 0)
		give_up();
	/* jq 1.6 leaves callbacks that are not set uninitialised. */
	e->jq->set_input_cb(state, no_input, arg[0]);
	e->jq->set_debug_cb(state, no_message, arg[0]);
	e->jq->set_error_cb(state, keep_message, arg);
	if (e->jq->compile(state, text) == 0)
		return NULL;
	e->jq->set_error_cb(state, no_message, arg[0]);
	return state;
}

static jq_state **compile_all(const struct mf_evaluator *e)
{
	jq_state **states = mf_calloc(e->n, sizeof *states);
	if (!states)
		give_up();
	for (uint32_t i = 0; i < e->n; i++) {
		struct mf_answer a = {.kind = MF_ANSWER_ERROR, .program = i};
		states[i] = compile(e, e->programs[i], &a);
		if (states[i])
			continue;
		answer(&a);
		_exit(0);
	}
	answer(&(struct mf_answer){.kind = MF_ANSWER_TRUE});
	return states;
}

_Noreturn void mf_evaluator_run(const struct mf_evaluator *e, int socket)
{
	struct mf_question q;
	confine(socket);
	jq_state **states = compile_all(e);
	limit(RLIMIT_NOFILE, FILES, FILES);
	while (read_all(SOCKET, &q, sizeof q) == sizeof q) {
		char *document = q.length <= MF_MAX_CONDITION_CONTENT ? malloc((size_t)q.length + 1) : NULL;
		if (!document || q.program >= e->n || read_all(SOCKET, document, q.length) != q.length)
			give_up();
		question(e->jq, states[q.program], &q, document);
		free(document);
	}
	_exit(0);
}
