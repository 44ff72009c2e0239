/* Passphrases of keys, the user's password, and yes-or-no questions: everything that is asked for.
 *
 * No prompt without a person: a terminal on standard input or standard error, and CI not set. Every source is
 * tried once. */
#ifndef MF_CLI_PASSPHRASE_H
#define MF_CLI_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "cli/options.h"

struct mf_cli_prompt {
	const struct mf_cli_args *args;
	struct manifesto *m; /* NULL until it is made */
	bool ci;
	bool replaces; /* a new passphrase replaces one: the sources of the old one do not give it */
	/* --passphrase-fd and --passphrase-file are read once: they may be pipes. */
	bool kept_valid;
	size_t kept_n;
	char *kept; /* MF_MAX_PASSPHRASE octets that no core dump holds, or NULL */
};
void mf_cli_prompt_init(struct mf_cli_prompt *a, const struct mf_cli_args *args, bool ci);
void mf_cli_prompt_clear(struct mf_cli_prompt *a); /* wipes */

/* Moves the environment, which may hold passphrases, passwords and keys, to where no core dump has it, and
 * wipes what /proc/PID/environ shows. getenv goes on working. */
void mf_cli_hide_environment(void);
/* CI set and neither empty, "false" nor "0". */
bool mf_cli_ci_from_env(void);
bool mf_cli_prompt_interactive(const struct mf_cli_prompt *a);

/* manifesto_options.passphrase, with a struct mf_cli_prompt. One trailing newline is cut; an empty passphrase
 * is none. */
int mf_cli_prompt_passphrase(void *arg, const char *key_name, int confirm, char *out, size_t max, size_t *n,
			     char why[256]);
/* manifesto_options.key_text: of a variable or a descriptor. */
int mf_cli_prompt_key_text(void *arg, const char *source, char *out, size_t max, size_t *n, char why[256]);
/* manifesto_options.confirm_init, with a struct mf_cli_prompt. */
int mf_cli_prompt_confirm_init(void *arg, const char *gun, const char *where);
/* Shows a text, which must be safe for a terminal, and the question, which is made so: true for "y" and
 * "yes", false for everything else and where there is nobody to ask. */
bool mf_cli_prompt_confirm(struct mf_cli_prompt *a, const char *text, const char *question);
/* The same, for an answer that must be this very name. */
bool mf_cli_prompt_confirm_name(struct mf_cli_prompt *a, const char *text, const char *question,
				const char *name);
struct mf_cli_password_source {
	const char *user;
	enum mf_cli_opt from_stdin;
	const char *stdin_option, *variable; /* for messages */
};
/* The password of a user, from standard input or the terminal, as a string (at most max - 1 octets).
 * MF_E_USAGE when there is none. */
int mf_cli_prompt_password(struct mf_cli_prompt *a, const struct mf_cli_password_source *from, char *out,
			   size_t max, struct manifesto_error *err) MF_NODISCARD;

#endif
