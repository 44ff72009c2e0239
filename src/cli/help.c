#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/command.h"
#include "cli/output.h"

void mf_cli_help_usage(char *out, size_t size, const struct mf_cli_command *c)
{
	(void)snprintf(out, size, "manifesto %s [OPTION...]%s%s", c->name, *c->synopsis ? " " : "",
		       c->synopsis);
}

#define TEXT_WIDTH 46 /* behind the 34 columns of the options: 80 */

static void print_option(enum mf_cli_opt option, const char *value, const char *text)
{
	char left[64];
	const struct mf_cli_option *o = &mf_cli_options[option];
	int n = snprintf(left, sizeof left, "  %c%c%s --%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name, value ? " " : "",
			 value ? value : "");
	(void)printf(n > 32 ? "%s\n%34s" : "%-34s%s", left, "");
	while (strlen(text) > TEXT_WIDTH) { /* cut at the last blank that fits */
		size_t width = TEXT_WIDTH;
		while (width && text[width] != ' ')
			width--;
		(void)printf("%.*s\n%34s", (int)width, text, "");
		text += width + 1;
	}
	(void)puts(text);
}

/* What the command's row says about the option; NULL: nothing. */
static const struct mf_cli_option_help *own_help(const struct mf_cli_command *c, enum mf_cli_opt o)
{
	for (size_t i = 0; c && i < sizeof c->help / sizeof c->help[0] && c->help[i].text; i++)
		if (c->help[i].option == o)
			return &c->help[i];
	return NULL;
}

const char *mf_cli_help_option(const struct mf_cli_command *c, enum mf_cli_opt o)
{
	const struct mf_cli_option_help *own = own_help(c, o);
	return own ? own->text : mf_cli_options[o].help;
}

static void print_command_option(const struct mf_cli_command *c, enum mf_cli_opt o)
{
	const struct mf_cli_option_help *own = own_help(c, o);
	print_option(o, own && own->value ? own->value : mf_cli_options[o].value, mf_cli_help_option(c, o));
}

static void print_global_options(void)
{
	(void)puts("Options that every command takes, before or after its name:");
	for (unsigned o = 0; o < MF_OPT_GLOBAL_END; o++)
		print_option((enum mf_cli_opt)o, mf_cli_options[o].value, mf_cli_options[o].help);
}

static void print_command_row(const struct mf_cli_command *c)
{
	(void)printf("  %-16s %s\n", c->name, c->summary);
}

static void print_program(void)
{
	static const char *const headings[MF_CLI_GROUPS] = {
	    [MF_CLI_RECORDS] = "Records of an image",
	    [MF_CLI_GATE] = "Gate of a pipeline",
	    [MF_CLI_ROLES] = "Roles of a team",
	    [MF_CLI_CARE] = "Care of a repository",
	    [MF_CLI_TRUST] = "Trust",
	    [MF_CLI_KEYS] = "Keys",
	    [MF_CLI_PROGRAM] = "This program",
	};
	(void)puts("usage: manifesto [OPTION...] COMMAND [ARGUMENT...]\n\n"
		   "Signed metadata for container images, verified before it is handed out.");
	for (unsigned group = 0; group < MF_CLI_GROUPS; group++) {
		(void)printf("\n%s:\n", headings[group]);
		for (size_t i = 0; i < mf_cli_ncommands; i++)
			if (mf_cli_commands[i].group == group)
				print_command_row(&mf_cli_commands[i]);
	}
	(void)puts(
	    "\nIMAGE is [docker://][REGISTRY/]REPOSITORY[:TAG][@DIGEST] or oci:DIRECTORY[:TAG][@DIGEST].\n"
	    "'manifesto help COMMAND' describes a command, and 'manifesto help options' the options\n"
	    "that every command takes. manifesto(1) is the manual, with the exit statuses.");
}

static void print_group(const char *group)
{
	size_t n = strlen(group);
	(void)printf("usage: manifesto %s SUBCOMMAND [OPTION...] [ARGUMENT...]\n\nSubcommands:\n", group);
	for (size_t i = 0; i < mf_cli_ncommands; i++)
		if (strncmp(mf_cli_commands[i].name, group, n) == 0 && mf_cli_commands[i].name[n] == ' ')
			print_command_row(&mf_cli_commands[i]);
	(void)printf("\n'manifesto help %s SUBCOMMAND' describes one of them.\n", group);
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
			print_command_option(c, (enum mf_cli_opt)o);
	(void)puts("\n'manifesto help options' lists the options that every command takes.");
}

int mf_cli_help_print(const char *const *words, size_t nwords, struct manifesto_error *err)
{
	size_t used = 0;
	if (!nwords) {
		print_program();
		return 0;
	}
	if (nwords == 1 && strcmp(words[0], "options") == 0) {
		print_global_options();
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
	(void)mf_cli_usage(err, "unknown command '%s'", mf_esc(&shown, mf_str_c(words[nwords - 1])));
	mf_err_set_hint(err, "see 'manifesto help'");
	return -1;
}

int mf_cli_run_help(struct mf_cli *cli, struct manifesto_error *err)
{
	return mf_cli_help_print(cli->argument, cli->nargument, err);
}

int mf_cli_run_version(struct mf_cli *cli, struct manifesto_error *err)
{
	(void)err;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "version");
		mf_json_add_text(&j, "version", manifesto_version());
		mf_cli_json_end(&j);
	} else {
		(void)printf("manifesto %s\n", manifesto_version());
	}
	return 0;
}
