/* Completion scripts, written from the tables of commands and options.
 *
 * Each script walks the words in front of the cursor, passing over options and their values, to find the
 * command; then it offers commands, subcommands, or the options of that command. Everything else is left to
 * the shell's completion of file names. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/command.h"

enum value_kind { NO_VALUE, FILE_VALUE, OTHER_VALUE };

static enum value_kind value_kind(const struct mf_cli_option *o)
{
	return !o->value ? NO_VALUE : o->file ? FILE_VALUE : OTHER_VALUE;
}

/* "--output|-o|--cacert" of every option with such a value. */
static void print_alternatives(enum value_kind kind, const char *separator)
{
	const char *between = "";
	for (unsigned i = 0; i < MF_OPT_COUNT; i++) {
		const struct mf_cli_option *o = &mf_cli_options[i];
		if (value_kind(o) != kind)
			continue;
		(void)printf("%s--%s", between, o->name);
		if (o->letter)
			(void)printf("%s-%c", separator, o->letter);
		between = separator;
	}
}

/* In single quotes; `quote` stands for a quote, and a colon gets a backslash where it would separate. */
static void print_quoted(const char *text, const char *quote, bool colons)
{
	for (; *text; text++)
		if (*text == '\'')
			(void)fputs(quote, stdout);
		else if (*text == ':' && colons)
			(void)fputs("\\:", stdout);
		else
			(void)fputc(*text, stdout);
}

/* Is row i the first with its first word? Then the word, else an empty slice. */
static struct mf_str new_first_word(size_t i)
{
	const char *name = mf_cli_commands[i].name;
	struct mf_str word = {name, strcspn(name, " ")};
	if (i > 0) {
		const char *before = mf_cli_commands[i - 1].name;
		if (mf_str_eq((struct mf_str){before, strcspn(before, " ")}, word))
			word.n = 0;
	}
	return word;
}

static bool has_second(const struct mf_cli_command *c)
{
	return strchr(c->name, ' ') != NULL;
}

/* ---------------------------------------------------------------- bash */

static void bash_options(uint64_t set, bool global)
{
	for (unsigned i = global ? 0 : MF_OPT_GLOBAL_END;
	     i < (global ? (unsigned)MF_OPT_GLOBAL_END : (unsigned)MF_OPT_COUNT); i++)
		if (global || (set & MF_OPT_BIT(i)))
			(void)printf("--%s ", mf_cli_options[i].name);
}

static void bash_words(void)
{
	(void)fputs("\tcase $first in\n\t'') offer='", stdout);
	for (size_t i = 0; i < mf_cli_ncommands; i++) {
		struct mf_str word = new_first_word(i);
		if (word.n)
			(void)printf("%.*s ", MF_STR_ARG(word));
	}
	(void)fputs("' ;;\n", stdout);
	for (size_t i = 0; i < mf_cli_ncommands; i++) {
		struct mf_str word = new_first_word(i);
		if (!word.n || !has_second(&mf_cli_commands[i]))
			continue;
		(void)printf("\t%.*s) [[ $second ]] || offer='", MF_STR_ARG(word));
		for (size_t k = i;
		     k < mf_cli_ncommands && strncmp(mf_cli_commands[k].name, word.p, word.n + 1) == 0; k++)
			(void)printf("%s ", mf_cli_commands[k].name + word.n + 1);
		(void)fputs("' ;;\n", stdout);
	}
	(void)fputs("\tcompletion) [[ $second ]] || offer='bash zsh fish' ;;\n\tesac\n", stdout);
}

static void bash_command_options(void)
{
	(void)fputs("\tif [[ $cur == -* ]]; then\n\t\toffer='", stdout);
	bash_options(0, true);
	(void)fputs("'\n\t\tcase \"$first $second\" in\n", stdout);
	for (size_t i = 0; i < mf_cli_ncommands; i++) {
		if (!mf_cli_commands[i].options)
			continue;
		(void)printf("\t\t'%s'%s) offer+='", mf_cli_commands[i].name,
			     has_second(&mf_cli_commands[i]) ? "" : "' '*");
		bash_options(mf_cli_commands[i].options, false);
		(void)fputs("' ;;\n", stdout);
	}
	(void)fputs("\t\tesac\n\tfi\n", stdout);
}

static void print_bash(void)
{
	(void)fputs("# bash completion for manifesto\n"
		    "_manifesto()\n{\n"
		    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} first=\"\" "
		    "second=\"\" offer=\"\" i\n"
		    "\t# bash breaks words at '=' too\n"
		    "\tif [[ $cur == = ]]; then cur=; fi\n"
		    "\tif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
		    "\tCOMPREPLY=()\n"
		    "\tcase $prev in\n\t",
		    stdout);
	print_alternatives(FILE_VALUE, "|");
	(void)fputs(") mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n\t", stdout);
	print_alternatives(OTHER_VALUE, "|");
	(void)fputs(") compopt +o default 2>/dev/null; return ;;\n\tesac\n"
		    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		    "\t\tcase ${COMP_WORDS[i]} in\n\t\t",
		    stdout);
	print_alternatives(FILE_VALUE, "|");
	(void)fputc('|', stdout);
	print_alternatives(OTHER_VALUE, "|");
	(void)fputs(") [[ ${COMP_WORDS[i+1]} == = ]] && ((i++)); ((i++)) ;;\n"
		    "\t\t-*) ;;\n"
		    "\t\t*) if [[ -z $first ]]; then first=${COMP_WORDS[i]}; elif [[ -z $second ]]; then "
		    "second=${COMP_WORDS[i]}; fi ;;\n"
		    "\t\tesac\n\tdone\n"
		    "\tif [[ $first == help ]]; then first=$second; second=; fi\n",
		    stdout);
	bash_words();
	bash_command_options();
	(void)fputs(
	    "\tif [[ $offer ]]; then mapfile -t COMPREPLY < <(compgen -W \"$offer\" -- \"$cur\"); fi\n"
	    "}\n"
	    "complete -o default -F _manifesto manifesto\n",
	    stdout);
}

/* ---------------------------------------------------------------- zsh */

static void zsh_pair(const char *name, size_t n, const char *text)
{
	(void)printf("'%.*s:", (int)n, name);
	print_quoted(text, "'\\''", true);
	(void)fputs("' ", stdout);
}

static void zsh_options(uint64_t set, bool global)
{
	for (unsigned i = global ? 0 : MF_OPT_GLOBAL_END;
	     i < (global ? (unsigned)MF_OPT_GLOBAL_END : (unsigned)MF_OPT_COUNT); i++) {
		char name[64];
		if (!global && !(set & MF_OPT_BIT(i)))
			continue;
		(void)snprintf(name, sizeof name, "--%s", mf_cli_options[i].name);
		zsh_pair(name, strlen(name), mf_cli_options[i].help);
	}
}

static void zsh_words(void)
{
	(void)fputs("\tcase $first in\n\t('') offer=(", stdout);
	for (size_t i = 0; i < mf_cli_ncommands; i++) {
		struct mf_str word = new_first_word(i);
		if (word.n)
			zsh_pair(word.p, word.n,
				 has_second(&mf_cli_commands[i]) ? "several subcommands"
								 : mf_cli_commands[i].summary);
	}
	(void)fputs(") ;;\n", stdout);
	for (size_t i = 0; i < mf_cli_ncommands; i++) {
		struct mf_str word = new_first_word(i);
		if (!word.n || !has_second(&mf_cli_commands[i]))
			continue;
		(void)printf("\t(%.*s) [[ -n $second ]] || offer=(", MF_STR_ARG(word));
		for (size_t k = i;
		     k < mf_cli_ncommands && strncmp(mf_cli_commands[k].name, word.p, word.n + 1) == 0; k++) {
			const char *second = mf_cli_commands[k].name + word.n + 1;
			zsh_pair(second, strlen(second), mf_cli_commands[k].summary);
		}
		(void)fputs(") ;;\n", stdout);
	}
	(void)fputs("\t(completion) [[ -n $second ]] || offer=(bash zsh fish) ;;\n\tesac\n", stdout);
}

static void zsh_command_options(void)
{
	(void)fputs("\tif [[ $words[CURRENT] == -* ]]; then\n\t\toffer=(", stdout);
	zsh_options(0, true);
	(void)fputs(")\n\t\tcase \"$first $second\" in\n", stdout);
	for (size_t i = 0; i < mf_cli_ncommands; i++) {
		if (!mf_cli_commands[i].options)
			continue;
		(void)printf("\t\t('%s'%s) offer+=(", mf_cli_commands[i].name,
			     has_second(&mf_cli_commands[i]) ? "" : "' '*");
		zsh_options(mf_cli_commands[i].options, false);
		(void)fputs(") ;;\n", stdout);
	}
	(void)fputs("\t\tesac\n\t\t_describe -o option offer\n\t\treturn\n\tfi\n", stdout);
}

static void print_zsh(void)
{
	(void)fputs("#compdef manifesto\n"
		    "_manifesto()\n{\n"
		    "\tlocal first= second= i\n\tlocal -a offer\n"
		    "\tcase $words[CURRENT-1] in\n\t(",
		    stdout);
	print_alternatives(FILE_VALUE, "|");
	(void)fputs(") _files; return ;;\n\t(", stdout);
	print_alternatives(OTHER_VALUE, "|");
	(void)fputs(") return ;;\n\tesac\n"
		    "\tfor ((i = 2; i < CURRENT; i++)); do\n"
		    "\t\tcase $words[i] in\n\t\t(",
		    stdout);
	print_alternatives(FILE_VALUE, "|");
	(void)fputc('|', stdout);
	print_alternatives(OTHER_VALUE, "|");
	(void)fputs(") ((i++)) ;;\n"
		    "\t\t(-*) ;;\n"
		    "\t\t(*) if [[ -z $first ]]; then first=$words[i]; elif [[ -z $second ]]; then "
		    "second=$words[i]; fi ;;\n"
		    "\t\tesac\n\tdone\n"
		    "\tif [[ $first == help ]]; then first=$second second=; fi\n",
		    stdout);
	zsh_command_options();
	zsh_words();
	(void)fputs("\tif (( $#offer )); then _describe command offer; else _files; fi\n"
		    "}\n"
		    "if [[ $funcstack[1] == _manifesto ]]; then _manifesto \"$@\"; else compdef _manifesto "
		    "manifesto; fi\n",
		    stdout);
}

/* ---------------------------------------------------------------- fish */

static void fish_option(const struct mf_cli_option *o, const char *command)
{
	(void)fputs("complete -c manifesto", stdout);
	if (command)
		(void)printf(" -n '__manifesto_is %s'", command);
	(void)printf(" -l %s", o->name);
	if (o->letter)
		(void)printf(" -s %c", o->letter);
	(void)fputs(o->file ? " -r -F" : o->value ? " -x" : "", stdout);
	(void)fputs(" -d '", stdout);
	print_quoted(o->help, "\\'", false);
	(void)fputs("'\n", stdout);
}

static void fish_word(const char *condition, struct mf_str word, const char *text)
{
	(void)printf("complete -c manifesto -n '%s' -f -a %.*s -d '", condition, MF_STR_ARG(word));
	print_quoted(text, "\\'", false);
	(void)fputs("'\n", stdout);
}

static void fish_command(size_t i)
{
	const struct mf_cli_command *c = &mf_cli_commands[i];
	struct mf_str word = new_first_word(i);
	const char *space = strchr(c->name, ' ');
	char condition[64];
	if (word.n)
		fish_word("__manifesto_at", word, space ? "several subcommands" : c->summary);
	if (space) {
		(void)snprintf(condition, sizeof condition, "__manifesto_at %.*s", (int)(space - c->name),
			       c->name);
		fish_word(condition, mf_str_c(space + 1), c->summary);
	}
	for (unsigned o = MF_OPT_GLOBAL_END; o < MF_OPT_COUNT; o++)
		if (mf_cli_command_takes(c, (enum mf_cli_opt)o))
			fish_option(&mf_cli_options[o], c->name);
}

static void print_fish(void)
{
	(void)fputs("# fish completion for manifesto\n"
		    "function __manifesto_words\n"
		    "\tset -l tokens (commandline -opc)\n\tset -l skip 0\n"
		    "\tfor t in $tokens[2..-1]\n"
		    "\t\tif test $skip -eq 1\n\t\t\tset skip 0\n\t\t\tcontinue\n\t\tend\n"
		    "\t\tswitch $t\n\t\t\tcase ",
		    stdout);
	print_alternatives(FILE_VALUE, " ");
	(void)fputc(' ', stdout);
	print_alternatives(OTHER_VALUE, " ");
	(void)fputs(
	    "\n\t\t\t\tset skip 1\n"
	    "\t\t\tcase '-*' help\n"
	    "\t\t\tcase '*'\n\t\t\t\techo $t\n"
	    "\t\tend\n\tend\nend\n"
	    "# The words so far are exactly these.\n"
	    "function __manifesto_at\n\tset -l w (__manifesto_words)\n\ttest \"$w\" = \"$argv\"\nend\n"
	    "# The words so far begin with these.\n"
	    "function __manifesto_is\n\tset -l w (__manifesto_words)\n\tstring match -q -- \"$argv *\" \"$w "
	    "\"\nend\n",
	    stdout);
	for (unsigned o = 0; o < MF_OPT_GLOBAL_END; o++)
		fish_option(&mf_cli_options[o], NULL);
	for (size_t i = 0; i < mf_cli_ncommands; i++)
		fish_command(i);
	fish_word("__manifesto_at completion", MF_STR("\"bash zsh fish\""), "shell");
}

int mf_cli_run_completion(struct mf_cli *cli, struct manifesto_error *err)
{
	static const struct {
		const char *shell;
		void (*print)(void);
	} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
	struct mf_esc shown;
	if (cli->json)
		return mf_cli_usage(err, "'completion' takes no option '--json': its output is a script");
	for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
		if (strcmp(cli->argument[0], shells[i].shell) == 0) {
			shells[i].print();
			return 0;
		}
	return mf_cli_usage(err, "no completion for the shell '%s': bash, zsh or fish",
			    mf_esc(&shown, mf_str_c(cli->argument[0])));
}
