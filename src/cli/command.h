/* The commands: one table, from which usage, help, completion and the manual page's SYNOPSIS come.
 *
 * A new command is one file with its run function, its declaration at the end of this header, and one row in
 * command.c. */
#ifndef MF_CLI_COMMAND_H
#define MF_CLI_COMMAND_H

#include "cli/options.h"
#include "cli/passphrase.h"

struct mf_cli_config;
struct mf_cli_command;

/* One run of the program. */
struct mf_cli {
	const struct mf_cli_command *command;
	struct mf_cli_args args;
	const char **argument; /* words after the command, as many as its row allows; ends with NULL */
	size_t nargument;
	struct mf_cli_prompt prompt;
	struct mf_cli_config *config;
	struct manifesto *m;         /* NULL for commands with offline set */
	struct manifesto_stats cost; /* total of the contexts that were freed */
	bool json, quiet;
	char propose_hint[400]; /* this command line with '--propose @' added; empty: too long */
	int outcome;            /* exit status of a run that completed and reports a problem */
};

/* Groups of commands: the headings of the program's help. */
enum mf_cli_group {
	MF_CLI_RECORDS,
	MF_CLI_GATE,
	MF_CLI_ROLES,
	MF_CLI_CARE,
	MF_CLI_TRUST,
	MF_CLI_KEYS,
	MF_CLI_PROGRAM,
	MF_CLI_GROUPS,
	MF_CLI_HIDDEN = MF_CLI_GROUPS /* not in the help */
};

enum mf_cli_reach {
	MF_CLI_NETWORK, /* uses registries and trust servers, and may log in there */
	MF_CLI_HOME,    /* uses keys and pins of this machine only */
	MF_CLI_ALONE    /* needs no context of the library at all */
};

struct mf_cli_option_help {
	enum mf_cli_opt option;
	const char *value, *text; /* value NULL: the one in the table of options */
};

struct mf_cli_command {
	const char *name; /* "put", "trust init" */
	enum mf_cli_group group;
	enum mf_cli_reach reach;
	const char *synopsis;              /* the arguments */
	const char *summary;               /* one line, no full stop */
	const char *description;           /* for --help, lines of at most 80 characters */
	uint64_t options;                  /* besides the global ones: a set of MF_OPT_BIT */
	uint64_t repeats;                  /* those of `options` that may be given several times */
	uint64_t replaces_last;            /* those of `options` that stand in place of the last argument */
	struct mf_cli_option_help help[4]; /* options that the command describes in its own words */
	size_t min, max;                   /* number of arguments; max MF_CLI_ANY: no limit */
	/* Runs the command and prints its result: text, in which output.h makes untrusted bytes safe, or with
	 * cli->json a JSON document. */
	int (*run)(struct mf_cli *cli, struct manifesto_error *err);
};
#define MF_CLI_ANY SIZE_MAX

extern const struct mf_cli_command mf_cli_commands[];
extern const size_t mf_cli_ncommands;

/* Finds the command in args->words; sets cli->command and its arguments. MF_E_USAGE. */
int mf_cli_command_find(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
/* The row whose name is the first *used words, or NULL. */
const struct mf_cli_command *mf_cli_command_lookup(const char *const *words, size_t nwords, size_t *used);
/* Is this the first word of commands with two words, such as "trust"? */
bool mf_cli_command_is_group(const char *word);
/* Checks that options, arguments and the uses of standard input fit the command. MF_E_USAGE. */
int mf_cli_command_check(const struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
/* How many of the arguments are images: all but those that the row names behind "IMAGE...". With --images
 * there are none, except for 'verify', which takes both. */
size_t mf_cli_image_words(const struct mf_cli *cli);
bool mf_cli_command_takes(const struct mf_cli_command *c, enum mf_cli_opt o);

/* ---- main.c */
/* Frees a context of this run, and adds what it did to cli->cost. NULL is fine. */
void mf_cli_context_free(struct mf_cli *cli, struct manifesto *m);

/* ---- help.c */
/* Writes "manifesto put [OPTION...] IMAGE TYPE FILE" to out. */
void mf_cli_help_usage(char *out, size_t size, const struct mf_cli_command *c);
/* The help text of an option for a command; c NULL: the general text. */
const char *mf_cli_help_option(const struct mf_cli_command *c, enum mf_cli_opt o);
/* Prints help for what the words name: the program (no words), a group or a command. MF_E_USAGE for anything
 * else. */
int mf_cli_help_print(const char *const *words, size_t nwords, struct manifesto_error *err) MF_NODISCARD;

/* ---- the commands */
int mf_cli_run_put(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_export(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_copy(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_get(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_history(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_list(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_verify(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_report(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_bundle_create(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_mirror(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_policy_check(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_sign(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_rm(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_withdraw(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_veto(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_role_add(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_role_remove(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_role_list(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_role_keys(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_role_mine(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_role_sign(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_role_apply(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_proposal_list(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_proposal_show(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_proposal_sign(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_proposal_publish(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_proposal_drop(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_status(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_repair(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_prune(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_cache_show(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_cache_clear(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_trust_refresh(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_trust_rotate(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_trust_init(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_trust_show(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_trust_pin(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_trust_export(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_trust_import(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_trust_map(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_trust_clock(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_trust_forget(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_generate(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_list(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_show(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_add(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_import(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_export(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_revoke(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_passwd(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_rename(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_remove(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_key_name(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_version(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_complete(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_completion(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;
int mf_cli_run_help(struct mf_cli *cli, struct manifesto_error *err) MF_NODISCARD;

#endif
