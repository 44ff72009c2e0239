/* manifesto-tuf: a plain TUF 1.0 client over the same core, with the command line of the TUF conformance
 * suite. Exit status 0, or 1 for any error. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/http.h"
#include "tufcli/updater.h"

static const char usage_text[] =
    "usage: manifesto-tuf --metadata-dir DIR init ROOT\n"
    "       manifesto-tuf --metadata-dir DIR --metadata-url URL refresh\n"
    "       manifesto-tuf --metadata-dir DIR --metadata-url URL --target-name NAME...\n"
    "                     --target-base-url URL --target-dir DIR download\n"
    "\n"
    "A client of any TUF 1.0 repository.\n"
    "\n"
    "init      trust the file ROOT, a root.json that came by a way you trust\n"
    "refresh   bring root, timestamp, snapshot and targets in DIR up to date\n"
    "download  refresh, then make --target-dir hold each target, verified; a file name is\n"
    "          the whole target name, percent-encoded\n"
    "\n"
    "--metadata-dir DIR      trusted metadata\n"
    "--metadata-url URL      where N.root.json, timestamp.json and the others are\n"
    "--target-name NAME      may be repeated; the first that fails ends the run\n"
    "--target-base-url URL   where the targets are\n"
    "--target-dir DIR        where they go\n"
    "--max-target-length N   octets, 268435456 unless given\n"
    "--cacert FILE           CA certificates (PEM) instead of the system's\n"
    "--plain-http            allow plain HTTP to other hosts than this one\n"
    "--timeout SECONDS       in all, 120 unless given\n"
    "-v, --verbose           report what is fetched\n"
    "--version, --help\n"
    "\n"
    "Exit status: 0, or 1 for any failure.\n";

struct args {
	const char *metadata_dir, *metadata_url, *target_url, *target_dir, *cacert, *timeout, *max_length;
	const char **targets;
	size_t ntargets;
	const char *words[3];
	size_t nwords;
	bool plain_http, verbose, help, version;
};

static int usage_error(const char *what, const char *operand)
{
	struct mf_esc e;
	(void)fprintf(stderr, "manifesto-tuf: %s '%s'; see 'manifesto-tuf --help'\n", what,
		      mf_esc(&e, mf_str_c(operand)));
	return -1;
}

/* ---- arguments */

/* Parses an option with a value; *at becomes the index of its last word. */
static enum mf_found value_option(struct args *a, char **argv, int argc, int *at)
{
	const struct {
		const char *name;
		const char **to;
	} rows[] = {
	    {"--metadata-dir", &a->metadata_dir},
	    {"--metadata-url", &a->metadata_url},
	    {"--target-base-url", &a->target_url},
	    {"--target-dir", &a->target_dir},
	    {"--cacert", &a->cacert},
	    {"--timeout", &a->timeout},
	    {"--max-target-length", &a->max_length},
	    {"--target-name", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].name);
		const char *word = argv[*at], *value = NULL;
		if (strncmp(word, rows[i].name, n) != 0 || (word[n] && word[n] != '='))
			continue;
		if (word[n])
			value = word + n + 1;
		else if (*at + 1 < argc)
			value = argv[++*at];
		if (!value || !*value)
			return (enum mf_found)usage_error("missing value of", rows[i].name);
		if (rows[i].to && *rows[i].to)
			return (enum mf_found)usage_error("given twice:", rows[i].name);
		if (rows[i].to)
			*rows[i].to = value;
		else
			a->targets[a->ntargets++] = value;
		return MF_FOUND;
	}
	return MF_ABSENT;
}

static bool flag_option(struct args *a, const char *word)
{
	const struct {
		const char *name;
		bool *to;
	} rows[] = {
	    {"--plain-http", &a->plain_http},
	    {"--verbose", &a->verbose},
	    {"-v", &a->verbose},
	    {"--help", &a->help},
	    {"-h", &a->help},
	    {"--version", &a->version},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(word, rows[i].name) == 0)
			return *rows[i].to = true;
	return false;
}

static int parse_args(struct args *a, int argc, char **argv)
{
	for (int at = 1; at < argc; at++) {
		enum mf_found found = value_option(a, argv, argc, &at);
		if (found == MF_FAILED)
			return -1;
		if (found == MF_FOUND || flag_option(a, argv[at]))
			continue;
		if (argv[at][0] == '-' && argv[at][1])
			return usage_error("unknown option", argv[at]);
		if (a->nwords == sizeof a->words / sizeof a->words[0])
			return usage_error("one word too many:", argv[at]);
		a->words[a->nwords++] = argv[at];
	}
	return 0;
}

static int need(const char *value, const char *option)
{
	return value ? 0 : usage_error("missing required option", option);
}

static int number(const char *text, uint64_t max, const char *option, uint64_t *out)
{
	if (!text)
		return 0;
	char *end;
	unsigned long long n = strspn(text, "0123456789") ? strtoull(text, &end, 10) : 0;
	if (!n || *end || n > max)
		return usage_error("not a usable number:", option);
	*out = n;
	return 0;
}

/* ---- what it does */

static void log_line(void *arg, enum mf_log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)fprintf(stderr, "manifesto-tuf: %s\n", line);
}

struct web {
	struct mf_http *http;
	const struct mf_env *env;
};

/* 403 counts as missing: object stores that do not let others list their names answer so for files that they
 * do not have. */
static enum mf_found web_get(void *arg, const char *url, uint64_t max, mf_http_write_fn write,
			     void *write_arg, struct mf_err *err)
{
	struct web *w = arg;
	/* `write` takes no more than max; this bound must also be enough for the body of a 404. */
	struct mf_http_request req = {.url = url,
				      .max_bytes = max > MF_MAX_ERROR_BODY ? (size_t)max : MF_MAX_ERROR_BODY,
				      .write = write,
				      .write_arg = write_arg};
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	mf_env_log(w->env, MF_LOG_INFO, "get %s", url);
	if (mf_http_submit(w->http, &req, &call, err) < 0 || mf_http_await(call, &res, err) < 0)
		return MF_FAILED;
	if (res->status == 200)
		return MF_FOUND;
	if (res->status == 403)
		mf_env_log(w->env, MF_LOG_INFO, "403 for %s counts as missing", url);
	return res->status == 404 || res->status == 403
		   ? MF_ABSENT
		   : (enum mf_found)mf_http_status_error(call, "get", err);
}

static int run_init(const struct args *a, const struct mf_env *env, struct mf_err *err)
{
	struct mf_buf root MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (mf_file_read(a->words[1], MF_MAX_ROOT_BYTES, &root, err) < 0)
		return -1;
	return mf_updater_init_dir(a->metadata_dir, mf_buf_bytes(&root), env, err);
}

static int run_client(const struct args *a, bool download, uint64_t max_length, struct web *web,
		      struct mf_err *err)
{
	struct mf_target_dir place = {a->target_url, a->target_dir, max_length};
	struct mf_fetcher fetcher = {.arg = web, .get = web_get};
	struct mf_updater *u MF_UPDATER_CLEANUP = NULL;
	if (mf_updater_open(a->metadata_dir, a->metadata_url, &fetcher, web->env, &u, err) < 0 ||
	    mf_updater_refresh(u, err) < 0)
		return -1;
	for (size_t i = 0; download && i < a->ntargets; i++)
		if (mf_updater_download(u, a->targets[i], &place, err) < 0)
			return -1;
	return 0;
}

static void print_error(const struct mf_err *err)
{
	(void)fprintf(stderr, "manifesto-tuf: %s", err->msg);
	if (err->endpoint[0] && !strstr(err->msg, err->endpoint))
		(void)fprintf(stderr, " (%s)", err->endpoint);
	(void)fprintf(stderr, "%s%s\n", err->hint[0] ? "\nmanifesto-tuf: hint: " : "", err->hint);
}

static int run(const struct args *a)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	uint64_t timeout_s = MF_TOTAL_TIMEOUT_MS / 1000, max_length = MF_MAX_BLOB_BYTES;
	const char *command = a->words[0];
	bool init = strcmp(command, "init") == 0, download = strcmp(command, "download") == 0;
	if (!init && !download && strcmp(command, "refresh") != 0)
		return usage_error("unknown command", command);
	if (a->nwords != (init ? 2 : 1))
		return usage_error("wrong number of arguments for", command);
	if (need(a->metadata_dir, "--metadata-dir") < 0 ||
	    (!init && need(a->metadata_url, "--metadata-url") < 0) ||
	    (download &&
	     (need(a->target_url, "--target-base-url") < 0 || need(a->target_dir, "--target-dir") < 0 ||
	      need(a->ntargets ? "" : NULL, "--target-name") < 0)) ||
	    number(a->timeout, 1000000, "--timeout", &timeout_s) < 0 ||
	    number(a->max_length, (uint64_t)1 << 50, "--max-target-length", &max_length) < 0)
		return -1;
	mf_env_init(&env);
	env.log = log_line;
	env.level = a->verbose ? MF_LOG_INFO : MF_LOG_WARNING;
	env.deadline_ms = mf_monotonic_ms() + (int64_t)timeout_s * 1000;
	struct mf_http_options opt = {
	    .user_agent = "manifesto-tuf/" MF_VERSION, .cacert = a->cacert, .plain_http = a->plain_http};
	struct web web = {.http = init ? NULL : mf_http_new(&opt, &env, &err), .env = &env};
	int rc = init       ? run_init(a, &env, &err)
		 : web.http ? run_client(a, download, max_length, &web, &err)
			    : -1;
	if (rc < 0)
		print_error(&err);
	mf_http_free(web.http);
	return rc;
}

/* Opens standard descriptors that are closed, so that no file opened later gets the messages of standard
 * error. Writing to a standard output that was closed fails. */
static void occupy_standard_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == 1 ? O_RDONLY : O_RDWR) != fd)
			_exit(1);
}

int main(int argc, char **argv)
{
	struct args a = {0};
	int rc = -1;
	occupy_standard_descriptors();
	(void)signal(SIGPIPE, SIG_IGN);
	a.targets = mf_calloc((size_t)argc, sizeof *a.targets);
	if (!a.targets || parse_args(&a, argc, argv) < 0)
		rc = -1;
	else if (a.help || a.version)
		rc = fputs(a.help ? usage_text : "manifesto-tuf " MF_VERSION "\n", stdout) < 0 ||
			     fflush(stdout) < 0
			 ? -1
			 : 0;
	else if (!a.nwords)
		(void)fputs(usage_text, stderr);
	else
		rc = run(&a);
	free(a.targets);
	return rc < 0 ? 1 : 0;
}
