/* Checks that options, arguments and standard input fit the command. */
#include <fcntl.h>
#include <string.h>

#include "cli/command.h"

static int check_options(const struct mf_cli *cli, struct manifesto_error *err)
{
	for (unsigned o = 0; o < MF_OPT_COUNT; o++)
		if (mf_cli_args_has(&cli->args, (enum mf_cli_opt)o) &&
		    !mf_cli_command_takes(cli->command, (enum mf_cli_opt)o))
			return mf_cli_usage(err, "'%s' takes no option '--%s'", cli->command->name,
					    mf_cli_options[o].name);
	for (unsigned o = 0; o < MF_OPT_COUNT; o++)
		if (mf_cli_options[o].kind == MF_OPT_VALUE && cli->args.times[o] > 1 &&
		    !(cli->command->repeats & MF_OPT_BIT(o)))
			return mf_cli_usage(err, "option '--%s' is given twice", mf_cli_options[o].name);
	return mf_cli_args_check(&cli->args, err);
}

/* Does a list stand in place of the images? In 'verify', where no argument is required, it is read besides
 * them. */
static bool has_list(const struct mf_cli *cli)
{
	return mf_cli_args_has(&cli->args, MF_OPT_IMAGES) && cli->command->min > 0;
}

/* Does an option stand in place of the last argument? */
static bool lacks_last(const struct mf_cli *cli)
{
	for (unsigned o = 0; o < MF_OPT_COUNT; o++)
		if ((cli->command->replaces_last & MF_OPT_BIT(o)) &&
		    mf_cli_args_has(&cli->args, (enum mf_cli_opt)o))
			return true;
	return false;
}

size_t mf_cli_image_words(const struct mf_cli *cli)
{
	const struct mf_cli_command *c = cli->command;
	size_t others = c->min ? c->min - 1 - lacks_last(cli) : 0;
	return has_list(cli) ? 0 : c->max == MF_CLI_ANY ? cli->nargument - others : 1;
}

static int check_count(const struct mf_cli *cli, struct manifesto_error *err)
{
	const struct mf_cli_command *c = cli->command;
	size_t n = cli->nargument, min = c->min - lacks_last(cli), max = c->max;
	if (has_list(cli)) {
		min--;
		max = max == MF_CLI_ANY ? min : max - 1;
	}
	if (n >= min && n <= max)
		return 0;
	if (max == 0)
		return mf_cli_usage(err, "'%s' takes no arguments%s, %zu given", c->name,
				    has_list(cli) ? " with --images" : "", n);
	size_t bound = n < min ? min : max;
	return mf_cli_usage(err, "'%s' takes %s%zu argument%s%s (%s), %zu given", c->name,
			    min == max ? ""
			    : n < min  ? "at least "
				       : "at most ",
			    bound, bound == 1 ? "" : "s", has_list(cli) ? " with --images" : "", c->synopsis,
			    n);
}

/* --passphrase-fd: an open descriptor that is not one of our outputs. Children do not get it. */
static int check_fd(const struct mf_cli *cli, bool *is_stdin, struct manifesto_error *err)
{
	int64_t fd = -1;
	*is_stdin = false;
	if (mf_cli_args_number(&cli->args, MF_OPT_PASSPHRASE_FD, 0, 65535, &fd, err) < 0)
		return -1;
	if (fd == 1 || fd == 2)
		return mf_cli_usage(err, "--passphrase-fd cannot be %lld, an output", (long long)fd);
	if (fd > 2 && fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return mf_cli_usage(err, "--passphrase-fd %lld is not open", (long long)fd);
	*is_stdin = fd == 0;
	return 0;
}

/* How many arguments and options read standard input as a file; *what: the name of the last one. */
static unsigned reads_stdin(const struct mf_cli *cli, const char **what)
{
	static const struct {
		enum mf_cli_opt option;
		const char *what;
	} files[] = {{MF_OPT_POLICY, "--policy -"},
		     {MF_OPT_IMAGES, "--images -"},
		     {MF_OPT_FROM_FILE, "--from-file -"}};
	unsigned n = 0;
	if (cli->command->run == mf_cli_run_put && !lacks_last(cli) &&
	    strcmp(cli->argument[cli->nargument - 1], "-") == 0) {
		*what = "FILE '-'";
		n++;
	}
	bool takes_list = mf_cli_command_takes(cli->command, MF_OPT_IMAGES);
	for (size_t i = 0; takes_list && i < mf_cli_image_words(cli); i++)
		if (strcmp(cli->argument[i], "-") == 0) {
			*what = "IMAGE '-'";
			n++;
		}
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (cli->args.value[files[i].option] && strcmp(cli->args.value[files[i].option], "-") == 0) {
			*what = files[i].what;
			n++;
		}
	return n;
}

/* Standard input can be read for one purpose only. */
static int check_stdin(const struct mf_cli *cli, struct manifesto_error *err)
{
	bool fd = false;
	if (check_fd(cli, &fd, err) < 0)
		return -1;
	bool trust = mf_cli_args_has(&cli->args, MF_OPT_TRUST_PASSWORD_STDIN);
	bool password = trust || mf_cli_args_has(&cli->args, MF_OPT_PASSWORD_STDIN);
	const char *first = trust ? "--trust-password-stdin" : "--password-stdin", *file = first;
	unsigned files = reads_stdin(cli, &file);
	if (trust && mf_cli_args_has(&cli->args, MF_OPT_PASSWORD_STDIN))
		return mf_cli_usage(err, "standard input is asked for twice: --password-stdin and "
					 "--trust-password-stdin");
	if (fd + password + files <= 1)
		return 0;
	if (!fd && !password)
		return mf_cli_usage(err, "standard input is asked for more than once, the last time by %s",
				    file);
	return mf_cli_usage(err, "standard input is asked for twice: %s and %s",
			    fd ? "--passphrase-fd 0" : first, file);
}

int mf_cli_command_check(const struct mf_cli *cli, struct manifesto_error *err)
{
	if (check_options(cli, err) < 0 || check_count(cli, err) < 0)
		return -1;
	return check_stdin(cli, err);
}
