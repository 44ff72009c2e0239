#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/command.h"

void mf_cli_help_usage(char *out, size_t size, const struct mf_cli_command *c)
{
	(void)snprintf(out, size, "manifesto %s [OPTION...]%s%s", c->name, *c->synopsis ? " " : "",
		       c->synopsis);
}

static void print_option(const struct mf_cli_option *o)
{
	char left[64];
	int n = snprintf(left, sizeof left, "  %c%c%s --%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name, o->value ? " " : "",
			 o->value ? o->value : "");
	if (n > 32)
		(void)printf("%s\n%34s%s\n", left, "", o->help);
	else
		(void)printf("%-34s%s\n", left, o->help);
}

static void print_global_options(void)
{
	(void)puts("\nOptions of every command:");
	for (unsigned o = 0; o < MF_OPT_GLOBAL_END; o++)
		print_option(&mf_cli_options[o]);
}

static void print_command_row(const struct mf_cli_command *c)
{
	(void)printf("  %-14s %s\n", c->name, c->summary);
}

static void print_program(void)
{
	(void)puts("usage: manifesto [OPTION...] COMMAND [ARGUMENT...]\n\n"
		   "Signed metadata for container images, verified before it is handed out.\n\nCommands:");
	for (size_t i = 0; i < mf_cli_ncommands; i++)
		print_command_row(&mf_cli_commands[i]);
	print_global_options();
	(void)puts(
	    "\nAn image is [docker://][REGISTRY/]REPOSITORY[:TAG][@DIGEST] or oci:DIRECTORY[:TAG][@DIGEST].\n"
	    "'manifesto help COMMAND' shows a command; manifesto(1) is the manual, with the exit statuses.");
}

static void print_group(const char *group)
{
	size_t n = strlen(group);
	(void)printf("usage: manifesto %s SUBCOMMAND [OPTION...] [ARGUMENT...]\n\nSubcommands:\n", group);
	for (size_t i = 0; i < mf_cli_ncommands; i++)
		if (strncmp(mf_cli_commands[i].name, group, n) == 0 && mf_cli_commands[i].name[n] == ' ')
			print_command_row(&mf_cli_commands[i]);
	(void)printf("\n'manifesto help %s SUBCOMMAND' shows one of them.\n", group);
}

static void print_command(const struct mf_cli_command *c)
{
	char usage[256];
	mf_cli_help_usage(usage, sizeof usage, c);
	(void)printf("usage: %s\n\n%s\n", usage, c->description);
	if (c->options)
		(void)puts("\nOptions:");
	for (unsigned o = MF_OPT_GLOBAL_END; o < MF_OPT_COUNT; o++)
		if (mf_cli_command_takes(c, (enum mf_cli_opt)o))
			print_option(&mf_cli_options[o]);
	print_global_options();
}

int mf_cli_help_print(const char *const *words, size_t nwords, struct manifesto_error *err)
{
	size_t used = 0;
	if (!nwords) {
		print_program();
		return 0;
	}
	if (nwords == 1 && mf_cli_command_is_group(words[0])) {
		print_group(words[0]);
		return 0;
	}
	const struct mf_cli_command *c = mf_cli_command_lookup(words, nwords, &used);
	if (c && used == nwords) {
		print_command(c);
		return 0;
	}
	struct mf_esc shown;
	(void)mf_cli_usage(err, "no help for the unknown command '%s'",
			   mf_esc(&shown, mf_str_c(words[nwords - 1])));
	mf_cli_hint(err, "see 'manifesto help'");
	return -1;
}

int mf_cli_run_help(struct mf_cli *cli, struct manifesto_error *err)
{
	return mf_cli_help_print(cli->argument, cli->nargument, err);
}
