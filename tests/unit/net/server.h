/* Starts tests/support/faultserver.py for a test program, and a client beside it. Programs run in the top
 * directory. */
#ifndef TESTS_NET_SERVER_H
#define TESTS_NET_SERVER_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/http.h"

extern char **environ;

struct server {
	pid_t pid;
	int port;
	char dir[64];
	long log_start; /* where the log was when the present test began */
};

struct fixture {
	struct server *s, *tls; /* tls may be NULL */
	struct mf_env env;
	struct mf_http *h;
	struct mf_credential_config cfg;
	struct mf_auth *auth;
	char log[16384];
	char url[2048];
};

static inline char *slurp(const char *dir, const char *name)
{
	char path[128], *text = calloc(1, 1 << 20);
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "r");
	assert_non_null(text);
	if (f) {
		text[fread(text, 1, (1 << 20) - 1, f)] = 0;
		(void)fclose(f);
	}
	return text;
}

static inline void put_file(const char *dir, const char *name, const char *text, mode_t mode)
{
	char path[256];
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static inline pid_t run(char *const argv[], bool quiet)
{
	pid_t pid = 0;
	posix_spawn_file_actions_t actions;
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	if (quiet)
		assert_int_equal(posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0), 0);
	assert_int_equal(posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ), 0);
	assert_int_equal(posix_spawn_file_actions_destroy(&actions), 0);
	return pid;
}

static inline void run_to_end(char *const argv[])
{
	int status = -1;
	assert_true(waitpid(run(argv, true), &status, 0) > 0);
	assert_int_equal(status, 0);
}

#define ARG(literal)                                                                                         \
	(char[])                                                                                             \
	{                                                                                                    \
		literal                                                                                      \
	}

/* With TLS the certificate is in <dir>/cert.pem. With an upstream it is a proxy that its rules break. */
static inline struct server *server_start_at(bool tls, const char *rules, const char *upstream, int at)
{
	struct server *s = calloc(1, sizeof *s);
	char number[16], port[96], log[96], cert[96], key[96], rule_file[96], to[96];
	assert_non_null(s);
	(void)snprintf(s->dir, sizeof s->dir, "/tmp/mf-net-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(number, sizeof number, "%d", at);
	(void)snprintf(port, sizeof port, "%s/port", s->dir);
	(void)snprintf(log, sizeof log, "%s/log", s->dir);
	(void)snprintf(cert, sizeof cert, "%s/cert.pem", s->dir);
	(void)snprintf(key, sizeof key, "%s/key.pem", s->dir);
	(void)snprintf(rule_file, sizeof rule_file, "%s/rules", s->dir);
	(void)snprintf(to, sizeof to, "%s", upstream ? upstream : "");
	put_file(s->dir, "rules", rules ? rules : "[]", 0600);
	if (tls)
		run_to_end((char *[]){ARG("openssl"),
				      ARG("req"),
				      ARG("-x509"),
				      ARG("-newkey"),
				      ARG("ec"),
				      ARG("-pkeyopt"),
				      ARG("ec_paramgen_curve:P-256"),
				      ARG("-nodes"),
				      ARG("-subj"),
				      ARG("/CN=TEST-ONLY"),
				      ARG("-addext"),
				      ARG("subjectAltName=IP:127.0.0.1"),
				      ARG("-days"),
				      ARG("2"),
				      ARG("-out"),
				      cert,
				      ARG("-keyout"),
				      key,
				      ARG("-batch"),
				      NULL});
	s->pid = run((char *[]){ARG("sh"), ARG("tests/support/python.sh"),
				ARG("tests/support/faultserver.py"), ARG("--port"), number,
				ARG("--port-file"), port, ARG("--log"), log, ARG("--rules"), rule_file,
				tls        ? ARG("--tls-cert")
				: upstream ? ARG("--upstream")
					   : NULL,
				tls ? cert : to, tls ? ARG("--tls-key") : NULL, key, NULL},
		     false);
	for (int i = 0; i < 2000 && !s->port; i++) {
		FILE *f = fopen(port, "r");
		if (f) {
			assert_int_equal(fscanf(f, "%d", &s->port), 1);
			(void)fclose(f);
		}
		(void)usleep(10000);
	}
	assert_true(s->port > 0);
	return s;
}

static inline struct server *server_start(bool tls, const char *rules, const char *upstream)
{
	return server_start_at(tls, rules, upstream, 0);
}

static inline void remove_dir(char *dir)
{
	run_to_end((char *[]){ARG("rm"), ARG("-rf"), dir, NULL});
}

static inline void server_stop(struct server *s)
{
	if (!s)
		return;
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	remove_dir(s->dir);
	free(s);
}

/* How many requests of the present test have all of a text in their log line. */
static inline int logged(const struct server *s, const char *needle)
{
	char *text = slurp(s->dir, "log"), *line = text + s->log_start;
	int n = 0;
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		n += strstr(line, needle) != NULL;
	}
	free(text);
	return n;
}

/* On how many connections the present test's requests came. */
static inline int connections(const struct server *s)
{
	char *text = slurp(s->dir, "log");
	int seen[64], n = 0;
	for (char *p = text + s->log_start; (p = strstr(p, "\"peer\": ")); p++) {
		int i = 0, peer = atoi(p + 8);
		while (i < n && seen[i] != peer)
			i++;
		if (i == n && n < 64)
			seen[n++] = peer;
	}
	free(text);
	return n;
}

static inline void log_line(void *arg, enum mf_log_level level, const char *line)
{
	struct fixture *f = arg;
	size_t n = strlen(f->log);
	(void)level;
	(void)snprintf(f->log + n, sizeof f->log - n, "%s\n", line);
}

static inline void client_start(struct fixture *f, const struct mf_http_options *opt)
{
	struct mf_err err = MF_ERR_INIT;
	mf_http_free(f->h);
	f->h = mf_http_new(opt, &f->env, &err);
	assert_non_null(f->h);
}

static inline void mark_log(struct server *s)
{
	char *text;
	if (!s)
		return;
	text = slurp(s->dir, "log");
	s->log_start = (long)strlen(text);
	free(text);
}

static inline void fixture_init(struct fixture *f, struct server *s, struct server *tls)
{
	*f = (struct fixture){.s = s, .tls = tls};
	mf_env_init(&f->env);
	f->env.log = log_line;
	f->env.log_arg = f;
	f->env.level = MF_LOG_INFO;
	f->env.deadline_ms = mf_monotonic_ms() + 20000;
	mark_log(s);
	mark_log(tls);
	client_start(f, &(struct mf_http_options){.connect_timeout_ms = 2000});
}

static inline void fixture_clear(struct fixture *f)
{
	mf_auth_free(f->auth);
	mf_http_free(f->h);
}
#define FIXTURE_CLEANUP MF_CLEANUP(fixture_clear)

static inline const char *at(struct fixture *f, const char *fmt, ...) MF_PRINTF(2, 3);
static inline const char *at(struct fixture *f, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d", f->s->port);
	va_start(ap, fmt);
	(void)vsnprintf(f->url + n, sizeof f->url - (size_t)n, fmt, ap);
	va_end(ap);
	return f->url;
}

/* One call from start to end. */
static inline int perform(struct fixture *f, const struct mf_http_request *req, struct mf_http_call **call,
			  struct mf_http_response **res, struct mf_err *err)
{
	*err = (struct mf_err)MF_ERR_INIT;
	*call = NULL;
	*res = NULL;
	return mf_http_submit(f->h, req, call, err) ? -1 : mf_http_await(*call, res, err);
}

/* Expects an answer; gives its status, and its body in `body` (256 bytes) unless that is NULL. */
static inline long status_of(struct fixture *f, const struct mf_http_request *req, char *body)
{
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err;
	if (perform(f, req, &call, &res, &err))
		fail_msg("%s: %s", req->url, err.msg);
	if (body)
		(void)snprintf(body, 256, "%s", res->body.p ? res->body.p : "");
	return res->status;
}

/* Expects no answer; gives the error. */
static inline struct mf_err error_of(struct fixture *f, const struct mf_http_request *req)
{
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err;
	if (!perform(f, req, &call, &res, &err))
		fail_msg("%s: status %ld", req->url, res->status);
	assert_true(err.code != MF_OK);
	return err;
}

static inline long get(struct fixture *f, const char *url, char *body)
{
	return status_of(f, &(struct mf_http_request){.url = url, .auth = f->auth}, body);
}

static inline struct mf_err get_error(struct fixture *f, const char *url)
{
	return error_of(f, &(struct mf_http_request){.url = url, .auth = f->auth});
}

#endif
