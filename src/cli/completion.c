/* Completion: a small script for each shell runs `manifesto __complete -- WORD...` to complete the last word.
 *
 * Each line of the answer is a word and, after a tab, its description. The line ":files" makes the shell
 * complete file names. Names come from this machine only; a source that fails offers nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/config.h"
#include "cli/output.h"

/* A command line that is being typed. */
struct line {
	struct mf_cli_args args; /* the words before the last one */
	const struct mf_cli_command *command;
	const char *const *arguments; /* behind the command */
	size_t narguments;
	const char *last; /* the word to complete */
	size_t keep;      /* how many of its first octets stay as they are */
};

static void offer(const struct line *l, const char *word, const char *text)
{
	const char *typed = l->last + l->keep;
	if (strncmp(word, typed, strlen(typed)) != 0)
		return;
	(void)printf("%.*s", (int)l->keep, l->last);
	mf_cli_printf(text ? "%s\t%s\n" : "%s\n", word, text);
}

static void offer_options(const struct line *l)
{
	char word[64];
	for (unsigned o = 0; o < MF_OPT_COUNT; o++)
		if (o < MF_OPT_GLOBAL_END ||
		    (l->command && mf_cli_command_takes(l->command, (enum mf_cli_opt)o))) {
			(void)snprintf(word, sizeof word, "--%s", mf_cli_options[o].name);
			offer(l, word, mf_cli_help_option(l->command, (enum mf_cli_opt)o));
		}
}

/* Offers first words of commands, or the second words of a group. */
static void offer_commands(const struct line *l, const char *group)
{
	size_t n = group ? strlen(group) + 1 : 0, before = 0;
	for (size_t i = 0; i < mf_cli_ncommands; i++) {
		const struct mf_cli_command *c = &mf_cli_commands[i];
		if (c->group == MF_CLI_HIDDEN ||
		    (group && (strncmp(c->name, group, n - 1) != 0 || c->name[n - 1] != ' ')))
			continue;
		const char *word = c->name + n;
		char first[32];
		size_t length = strcspn(word, " ");
		bool again = !group && i && length == before &&
			     strncmp(word, mf_cli_commands[i - 1].name, length) == 0;
		before = length;
		(void)snprintf(first, sizeof first, "%.*s", (int)length, word);
		if (!again)
			offer(l, first, word[length] ? "several subcommands" : c->summary);
	}
}

/* Is this character allowed in a name? Names came from the network once, and a shell may put them on the
 * command line unquoted: a name with other characters than those of plain words is not offered. */
static bool is_plain(const char *p, size_t n, uint32_t code)
{
	if (n > 1 || code >= 0x80)
		return !mf_text_unsafe(code);
	return (*p >= '0' && *p <= '9') || ((*p | 32) >= 'a' && (*p | 32) <= 'z') || strchr("._-/:@%+,=", *p);
}

static void offer_name(void *line, const char *name)
{
	const char *end = name + strlen(name);
	uint32_t code;
	if (name[0] == '-')
		return;
	for (const char *p = name; p < end;) {
		size_t n = mf_utf8_next(p, end, &code);
		if (!n || !is_plain(p, n, code))
			return;
		p += n;
	}
	offer(line, name, NULL);
}

static void offer_names(struct line *l, enum manifesto_name what)
{
	struct manifesto_error ignored = {0};
	struct mf_cli_prompt nobody;
	struct mf_cli_config config;
	struct manifesto *m = NULL;
	const bool ci = true, logs_in = false; /* nobody is asked for anything */
	mf_cli_prompt_init(&nobody, &l->args, ci);
	if (mf_cli_config_load(&config, &l->args, &nobody, logs_in, &ignored) == 0) {
		config.options.log = NULL;
		if (manifesto_new(&config.options, &m, &ignored) == 0)
			(void)!manifesto_names(m, what, l->narguments ? l->arguments[0] : "", offer_name, l,
					       &ignored);
	}
	manifesto_free(m);
	mf_cli_config_clear(&config);
	mf_cli_prompt_clear(&nobody);
}

static void offer_values(struct line *l, enum mf_cli_complete kind)
{
	static const char *const shells[] = {"bash", "zsh", "fish"};
	const char *comma = strrchr(l->last + l->keep, ',');
	switch (kind) {
	case MF_CLI_COMPLETE_TYPE: /* of a list, the last item is completed */
		l->keep = comma ? (size_t)(comma + 1 - l->last) : l->keep;
		offer_names(l, MANIFESTO_NAME_TYPE);
		break;
	case MF_CLI_COMPLETE_ROLE:
		offer_names(l, MANIFESTO_NAME_ROLE);
		break;
	case MF_CLI_COMPLETE_KEY:
		offer_names(l, MANIFESTO_NAME_KEY);
		if (l->command &&
		    (l->command->repeats & MF_OPT_BIT(MF_OPT_KEY))) /* colleagues' keys are files */
			(void)puts(":files");
		break;
	case MF_CLI_COMPLETE_IMAGE:
		offer_names(l, MANIFESTO_NAME_REPOSITORY);
		if (strncmp(l->last + l->keep, "oci:", 4) == 0)
			(void)puts(":files");
		break;
	case MF_CLI_COMPLETE_COMMAND:
		offer_commands(l, l->narguments ? l->arguments[0] : NULL);
		break;
	case MF_CLI_COMPLETE_SHELL:
		for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
			offer(l, shells[i], NULL);
		break;
	case MF_CLI_COMPLETE_FILE:
		(void)puts(":files");
		break;
	case MF_CLI_COMPLETE_NOTHING:
		break;
	}
}

/* What argument n of the command is, by its name in the synopsis; the last one may be repeated. */
static enum mf_cli_complete argument_kind(const struct mf_cli_command *c, size_t n)
{
	static const struct {
		const char *name;
		enum mf_cli_complete kind;
	} kinds[] = {
	    {"IMAGE", MF_CLI_COMPLETE_IMAGE},     {"REPOSITORY", MF_CLI_COMPLETE_IMAGE},
	    {"PATTERN", MF_CLI_COMPLETE_IMAGE},   {"TYPE", MF_CLI_COMPLETE_TYPE},
	    {"ROLE", MF_CLI_COMPLETE_ROLE},       {"NAME", MF_CLI_COMPLETE_KEY},
	    {"FILE", MF_CLI_COMPLETE_FILE},       {"ROOT", MF_CLI_COMPLETE_FILE},
	    {"DIRECTORY", MF_CLI_COMPLETE_FILE},  {"SHELL", MF_CLI_COMPLETE_SHELL},
	    {"COMMAND", MF_CLI_COMPLETE_COMMAND},
	};
	const char *word = c->synopsis + strspn(c->synopsis, "[");
	bool several_first = strncmp(c->synopsis, "IMAGE... ", 9) == 0; /* completed as one image is */
	if (n >= (several_first ? c->min : c->max))
		return MF_CLI_COMPLETE_NOTHING;
	for (; n && strchr(word, ' '); n--)
		word = strchr(word, ' ') + 1 + strspn(strchr(word, ' ') + 1, "[");
	size_t length = strcspn(word, " ].");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strlen(kinds[i].name) == length && strncmp(word, kinds[i].name, length) == 0)
			return kinds[i].kind;
	return MF_CLI_COMPLETE_NOTHING;
}

static void offer_arguments(struct line *l)
{
	size_t listed = mf_cli_args_has(&l->args, MF_OPT_IMAGES); /* in place of argument 0 */
	if (l->command)
		offer_values(l, argument_kind(l->command, l->narguments + listed));
	else if (l->args.nwords == 0)
		offer_commands(l, NULL);
	else if (l->args.nwords == 1 && mf_cli_command_is_group(l->args.words[0]))
		offer_commands(l, l->args.words[0]);
}

/* Parses the words before the last one: argv[1..n-1]. If only the value of an option is missing behind them,
 * *pending is that option. */
static bool parse_line(struct line *l, int n, char **argv, enum mf_cli_opt *pending)
{
	struct manifesto_error ignored = {0};
	size_t used = 0;
	*pending = MF_OPT_COUNT;
	if (mf_cli_args_parse(&l->args, n, argv, &ignored) < 0) {
		*pending = l->args.pending;
		mf_cli_args_clear(&l->args);
		ignored = (struct manifesto_error){0};
		if (*pending == MF_OPT_COUNT || mf_cli_args_parse(&l->args, n - 1, argv, &ignored) < 0)
			return false;
	}
	l->command = mf_cli_command_lookup(l->args.words, l->args.nwords, &used);
	l->arguments = l->args.words + used;
	l->narguments = l->args.nwords - used;
	return true;
}

int mf_cli_run_complete(struct mf_cli *cli, struct manifesto_error *err)
{
	(void)err;
	enum mf_cli_opt pending;
	size_t n = cli->nargument - 1;
	struct line l = {.last = cli->argument[n]};
	char **argv = (char **)(uintptr_t)(cli->argument - 1); /* the parser skips argv[0] */
	const char *equals = strchr(l.last, '=');
	if (parse_line(&l, (int)n + 1, argv, &pending)) {
		if (pending == MF_OPT_COUNT && strncmp(l.last, "--", 2) == 0 && equals) {
			pending = mf_cli_option_find(l.last + 2, (size_t)(equals - l.last) - 2);
			l.keep = pending != MF_OPT_COUNT ? (size_t)(equals - l.last) + 1 : 0;
		}
		if (pending != MF_OPT_COUNT)
			offer_values(&l, mf_cli_options[pending].complete);
		else if (l.last[0] == '-' && !l.args.ended)
			offer_options(&l);
		else
			offer_arguments(&l);
	}
	mf_cli_args_clear(&l.args);
	return 0;
}

/* ---------------------------------------------------------------- scripts */

static const char bash[] =
    "# bash completion for manifesto\n"
    "_manifesto()\n"
    "{\n"
    "\t# Words as they were typed: bash breaks them at '=' and ':' too, and replaces what is behind the last "
    "one.\n"
    "\tlocal line=${COMP_LINE:0:COMP_POINT} words word last\n"
    "\tread -a words <<<\"$line\"\n"
    "\t[[ $line == *[[:space:]] ]] && words+=('')\n"
    "\tlast=${words[-1]}\n"
    "\tCOMPREPLY=()\n"
    "\twhile IFS=$'\\t' read -r word _; do\n"
    "\t\tif [[ $word == :files ]]; then compopt -o default 2>/dev/null; else COMPREPLY+=(\"$word\"); fi\n"
    "\tdone < <(\"${words[0]/#~/$HOME}\" __complete -- \"${words[@]:1}\" 2>/dev/null)\n"
    "\tCOMPREPLY=(\"${COMPREPLY[@]#\"${last%\"${last##*[=:]}\"}\"}\")\n"
    "}\n"
    "complete -F _manifesto manifesto\n";

static const char zsh[] =
    "#compdef manifesto\n"
    "_manifesto()\n"
    "{\n"
    "\tlocal line files\n"
    "\tlocal -a offer\n"
    "\tfor line in ${(f)\"$(${~words[1]} __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"}; do\n"
    "\t\tif [[ $line == :files ]]; then files=1; else offer+=(\"${${line//:/\\\\:}/$'\\t'/:}\"); fi\n"
    "\tdone\n"
    "\t(( $#offer )) && _describe manifesto offer\n"
    "\t[[ -n $files ]] && { compset -P '*[=:]'; _files }\n"
    "}\n"
    "if [[ $funcstack[1] == _manifesto ]]; then _manifesto \"$@\"; else compdef _manifesto manifesto; fi\n";

static const char fish[] =
    "# fish completion for manifesto\n"
    "function __manifesto_complete\n"
    "\tset -l words (commandline -opc)\n"
    "\tset -l last (commandline -ct)\n"
    "\tset -l before (string match -r '^.*[=:]' -- \"$last\")\n"
    "\tfor line in ($words[1] __complete -- $words[2..] \"$last\" 2>/dev/null)\n"
    "\t\tif test \"$line\" = :files\n"
    "\t\t\tprintf \"$before%s\\n\" (__fish_complete_path (string replace -- \"$before\" '' \"$last\"))\n"
    "\t\telse\n"
    "\t\t\techo $line\n"
    "\t\tend\n"
    "\tend\n"
    "end\n"
    "complete -c manifesto -f -a '(__manifesto_complete)'\n";

int mf_cli_run_completion(struct mf_cli *cli, struct manifesto_error *err)
{
	static const struct {
		const char *shell, *script;
	} scripts[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	struct mf_esc shown;
	if (cli->json)
		return mf_cli_usage(err, "'completion' takes no option '--json': its output is a script");
	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
		if (strcmp(cli->argument[0], scripts[i].shell) == 0) {
			(void)fputs(scripts[i].script, stdout);
			return 0;
		}
	return mf_cli_usage(err, "no completion script for '%s': expected bash, zsh or fish",
			    mf_esc(&shown, mf_str_c(cli->argument[0])));
}
