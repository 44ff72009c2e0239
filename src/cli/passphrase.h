/* Passphrases of keys, passwords of users, and questions that need a yes or no.
 *
 * Nobody is asked unless standard input or standard error is a terminal and CI is not set. Every source is
 * tried once. */
#ifndef MF_CLI_PASSPHRASE_H
#define MF_CLI_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "cli/options.h"

struct mf_cli_prompt {
	const struct mf_cli_args *args;
	struct manifesto *m; /* NULL until the context is made */
	bool ci;
	bool replaces; /* the command changes a passphrase: the new one does not come from the sources of the
			  old one */
	/* --passphrase-fd and --passphrase-file are read once: they may be pipes. */
	bool kept_valid;
	size_t kept_n;
	char *kept; /* MF_MAX_PASSPHRASE octets that no core dump holds, or NULL */
};
void mf_cli_prompt_init(struct mf_cli_prompt *a, const struct mf_cli_args *args, bool ci);
void mf_cli_prompt_clear(struct mf_cli_prompt *a); /* wipes */

/* Moves the environment, which may hold passphrases, passwords and keys, to memory that no core dump holds,
 * and wipes what /proc/PID/environ shows. getenv still works. */
void mf_cli_hide_environment(void);
/* Is CI set, and neither empty, "false" nor "0"? */
bool mf_cli_ci_from_env(void);
bool mf_cli_prompt_interactive(const struct mf_cli_prompt *a);

/* manifesto_options.passphrase, with a struct mf_cli_prompt. One trailing newline is cut; an empty passphrase
 * is not accepted. */
int mf_cli_prompt_passphrase(void *arg, const char *key_name, int confirm, char *out, size_t max, size_t *n,
			     char why[256]);
/* manifesto_options.key_text: reads the text of a key from "env:VARIABLE" or "fd:NUMBER". */
int mf_cli_prompt_key_text(void *arg, const char *source, char *out, size_t max, size_t *n, char why[256]);
/* manifesto_options.confirm_init, with a struct mf_cli_prompt. */
int mf_cli_prompt_confirm_init(void *arg, const char *gun, const char *where);
/* Shows a text, which the caller has made safe for a terminal, and a question, which is made safe here. true
 * if the answer is "y" or "yes"; false otherwise, and where nobody can be asked. */
bool mf_cli_prompt_confirm(struct mf_cli_prompt *a, const char *text, const char *question);
/* The same, but the answer must be this name. */
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
