/* The program: prepares descriptors and signals, runs one command, and is the one place that prints an error
 * and exits. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/output.h"
#include "cli/signals.h"

/* Opens standard descriptors that are closed, so that no file opened later becomes standard output. Each is
 * opened the wrong way round: to read or write it fails, instead of storing an empty file or losing a result.
 */
static void occupy_standard_descriptors(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[fd]) != fd)
			_exit(MANIFESTO_UNEXPECTED);
}

/* Passphrases pass through this process, so it must not leave a core file. */
static void forbid_core_dump(void)
{
	struct rlimit none = {0};
	if (getrlimit(RLIMIT_CORE, &none) == 0) {
		none.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &none);
	}
}

/* The arguments are searched for --json, because an error may come before they are parsed. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static void add_usage_hint(const struct mf_cli *cli, struct manifesto_error *err)
{
	size_t used = 0;
	const struct mf_cli_command *c = mf_cli_command_lookup(cli->args.words, cli->args.nwords, &used);
	char usage[256];
	if (c) {
		mf_cli_help_usage(usage, sizeof usage, c);
		mf_err_set_hint(err, "usage: %s; see 'manifesto help %s'", usage, c->name);
	} else {
		mf_err_set_hint(err, "see 'manifesto --help'");
	}
}

static int parse(struct mf_cli *cli, int argc, char **argv, struct manifesto_error *err)
{
	if (mf_cli_args_parse(&cli->args, argc, argv, err) < 0)
		return -1;
	cli->json = mf_cli_args_has(&cli->args, MF_OPT_JSON);
	cli->quiet = mf_cli_args_has(&cli->args, MF_OPT_QUIET);
	return 0;
}

static bool is_plain_word(const char *word)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@=,+%";
	return *word && !word[strspn(word, plain)];
}

/* Writes the hint: this command line, quoted for a shell, with '--propose @', which proposes the change.
 * There is no hint if that is too long. */
static void note_propose_hint(struct mf_cli *cli, int argc, char **argv)
{
	FILE *f = fmemopen(cli->propose_hint, sizeof cli->propose_hint, "w");
	if (!f)
		return;
	(void)fputs("manifesto", f);
	for (int i = 1; i < argc; i++) {
		if (is_plain_word(argv[i])) {
			(void)fprintf(f, " %s", argv[i]);
			continue;
		}
		(void)fputs(" '", f);
		for (const char *p = argv[i]; *p; p++)
			(void)fprintf(f, *p == '\'' ? "'\\''" : "%c", *p);
		(void)fputc('\'', f);
	}
	(void)fputs(" --propose @", f);
	bool whole = ftell(f) < (long)sizeof cli->propose_hint - 1;
	if (fclose(f) != 0 || !whole)
		cli->propose_hint[0] = 0;
}

void mf_cli_context_free(struct mf_cli *cli, struct manifesto *m)
{
	struct manifesto_stats s = MANIFESTO_INIT(manifesto_stats), *all = &cli->cost;
	if (!m)
		return;
	manifesto_stats(m, &s);
	all->requests += s.requests;
	all->bytes_in += s.bytes_in;
	all->bytes_out += s.bytes_out;
	/* These are counts of the whole thread: the context that is freed last has the totals. */
	all->bytes_hashed = s.bytes_hashed;
	all->bytes_read = s.bytes_read;
	all->bytes_written = s.bytes_written;
	manifesto_free(m);
}

static void show_cost(const struct mf_cli *cli)
{
	const struct manifesto_stats *c = &cli->cost;
	if (cli->command->reach == MF_CLI_NETWORK && mf_cli_args_has(&cli->args, MF_OPT_VERBOSE))
		mf_cli_message("cost: %llu requests, %llu bytes received, %llu sent, %llu hashed, %llu read, "
			       "%llu written",
			       (unsigned long long)c->requests, (unsigned long long)c->bytes_in,
			       (unsigned long long)c->bytes_out, (unsigned long long)c->bytes_hashed,
			       (unsigned long long)c->bytes_read, (unsigned long long)c->bytes_written);
}

static int run_command(struct mf_cli *cli, struct manifesto_error *err)
{
	struct mf_cli_config config;
	if (cli->command->reach == MF_CLI_ALONE)
		return cli->command->run(cli, err);
	mf_cli_prompt_init(&cli->prompt, &cli->args, mf_cli_ci_from_env());
	int rc =
	    mf_cli_config_load(&config, &cli->args, &cli->prompt, cli->command->reach == MF_CLI_NETWORK, err);
	cli->config = &config;
	config.options.propose_hint = cli->propose_hint[0] ? cli->propose_hint : NULL;
	if (rc == 0)
		rc = manifesto_new(&config.options, &cli->m, err);
	cli->prompt.m = cli->m;
	if (rc == 0)
		rc = cli->command->run(cli, err);
	mf_cli_progress_clear(&config.progress);
	mf_cli_context_free(cli, cli->m);
	if (cli->m)
		show_cost(cli);
	mf_cli_config_clear(&config);
	mf_cli_prompt_clear(&cli->prompt);
	return rc;
}

/* In a command that takes '--version N', --version without a number is an error when there are arguments: the
 * program's version must not be taken for the content of a record. */
static int print_version(struct mf_cli *cli, struct manifesto_error *err)
{
	size_t used = 0;
	const struct mf_cli_command *c = mf_cli_command_lookup(cli->args.words, cli->args.nwords, &used);
	if (c && cli->args.nwords > used && mf_cli_command_takes(c, MF_OPT_AT_VERSION))
		return mf_cli_usage(err, "'--version' needs a number here: %s",
				    mf_cli_options[MF_OPT_AT_VERSION].value);
	return mf_cli_run_version(cli, err);
}

static int run(struct mf_cli *cli, int argc, char **argv, struct manifesto_error *err)
{
	if (parse(cli, argc, argv, err) < 0)
		return -1;
	if (mf_cli_args_has(&cli->args, MF_OPT_VERSION))
		return print_version(cli, err);
	if (mf_cli_args_has(&cli->args, MF_OPT_HELP) && !cli->args.nwords)
		return mf_cli_help_print(NULL, 0, err);
	if (mf_cli_args_has(&cli->args, MF_OPT_HELP) && cli->args.nwords == 1 &&
	    mf_cli_command_is_group(cli->args.words[0]))
		return mf_cli_help_print(cli->args.words, 1, err);
	if (mf_cli_command_find(cli, err) < 0)
		return -1;
	if (mf_cli_args_has(&cli->args, MF_OPT_HELP))
		return mf_cli_help_print(cli->args.words, cli->args.nwords - cli->nargument, err);
	if (mf_cli_command_check(cli, err) < 0)
		return -1;
	if (mf_cli_command_takes(cli->command, MF_OPT_PROPOSE))
		note_propose_hint(cli, argc, argv);
	return run_command(cli, err);
}

/* A result that did not reach its reader is a failure, even if everything was done. */
static int close_stdout(struct manifesto_error *err)
{
	errno = 0;
	bool bad = fflush(stdout) != 0 || ferror(stdout);
	int sys = errno;
	if (fclose(stdout) != 0 && !bad) {
		bad = true;
		sys = errno;
	}
	if (!bad)
		return 0;
	return mf_cli_fail(err, MF_E_IO, sys, "write standard output");
}

/* Exits without the cleanup of libraries: the system frees everything at once. A build with sanitizers
 * returns, so that they look for leaks. */
static int end(int status)
{
	(void)fflush(stderr);
#ifdef MF_SANITIZED
	return status;
#else
	_exit(status);
#endif
}

int main(int argc, char **argv)
{
	static char stderr_buffer[4096];
	struct manifesto_error err = {0};
	struct mf_cli cli = {0};
	occupy_standard_descriptors();
	forbid_core_dump();
	mf_cli_hide_environment();
	/* Whole lines, so that those of parallel runs do not mix. */
	(void)setvbuf(stderr, stderr_buffer, _IOLBF, sizeof stderr_buffer);
	mf_cli_signals_install();
	bool json = wants_json(argc, argv);
	int rc = run(&cli, argc, argv, &err);
	if (rc == 0)
		rc = close_stdout(&err);
	else
		__fpurge(stdout); /* a run that failed writes no result */
	assert((rc == 0) == (err.status == MANIFESTO_OK));
	if (strcmp(err.code, mf_code_name(MF_E_USAGE)) == 0) /* not for an ambiguous request */
		add_usage_hint(&cli, &err);
	if (rc != 0)
		mf_cli_print_error(&err, json || cli.json);
	mf_cli_args_clear(&cli.args);
	mf_cli_signals_reraise();
	return end(rc == 0 ? (int)cli.outcome : (int)err.status);
}
