/* Makes the library's options from command-line options and the environment. */
#ifndef MF_CLI_CONFIG_H
#define MF_CLI_CONFIG_H

#include "cli/passphrase.h"
#include "cli/progress.h"

/* Owns every string that the options borrow. */
struct mf_cli_config {
	struct manifesto_options options;
	char *home, *cache_dir, *docker_config, *key_name, *auth_file[2], *aws_file[2];
	const char *auth_files[3]; /* ends with NULL */
	struct mf_cli_progress progress;
	struct mf_cli_login {
		char *username;
		char password[MF_MAX_PASSPHRASE];
	} registry, trust;
};

/* Fills *out. prompt is the argument of the passphrase and confirmation callbacks, and must outlive the
 * context. credentials: the command may log in to a server, so a password is asked for if none is given.
 * MF_E_USAGE. Call mf_cli_config_clear in both cases. */
int mf_cli_config_load(struct mf_cli_config *out, const struct mf_cli_args *args,
		       struct mf_cli_prompt *prompt, bool credentials,
		       struct manifesto_error *err) MF_NODISCARD;
void mf_cli_config_clear(struct mf_cli_config *c); /* wipes the passwords */

#endif
