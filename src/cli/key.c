#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/show.h"

static void show_json(const char *schema, const struct manifesto_key_result *r)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, schema);
	mf_json_add_array(&j, "keys");
	for (size_t i = 0; i < r->nkeys; i++) {
		const struct manifesto_key *k = r->keys[i];
		mf_json_add_object(&j, NULL);
		mf_json_add_text(&j, "name", k->name);
		mf_json_add_text(&j, "keyType", k->type);
		mf_json_add_text(&j, "fingerprint", k->fingerprint);
		mf_json_add_text(&j, "path", k->path);
		mf_json_add_bool(&j, "encrypted", k->encrypted);
		mf_json_add_text(&j, "publicKey", k->public_pem);
		if (k->source)
			mf_json_add_text(&j, "source", k->source);
		mf_json_close(&j);
	}
	mf_json_close(&j);
	mf_cli_json_end(&j);
}

/* "Key 'alice' (ed25519 1f2e...) made: PATH" */
static void show_new(const char *verb, const struct manifesto_key_result *r)
{
	for (size_t i = 0; i < r->nkeys; i++) {
		const struct manifesto_key *k = r->keys[i];
		mf_cli_printf("Key '%s' (%s %s) %s: %s\n", k->name, k->type, k->fingerprint, verb,
			      k->source ? k->source : k->path);
	}
}

static int show_table(const struct manifesto_key_result *r, struct manifesto_error *err)
{
	static const char *const heads[] = {"NAME", "TYPE", "FINGERPRINT", "PASSPHRASE", "PATH"};
	struct mf_cli_table t MF_CLI_TABLE_CLEANUP;
	mf_cli_table_init(&t, heads, sizeof heads / sizeof heads[0]);
	for (size_t i = 0; i < r->nkeys; i++) {
		mf_cli_table_add(&t, r->keys[i]->name);
		mf_cli_table_add(&t, r->keys[i]->type);
		mf_cli_table_add(&t, r->keys[i]->fingerprint);
		mf_cli_table_add(&t, r->keys[i]->source ? "" : r->keys[i]->encrypted ? "yes" : "no");
		mf_cli_table_add(&t, r->keys[i]->source ? r->keys[i]->source : r->keys[i]->path);
	}
	return mf_cli_table_print(&t, stdout, err);
}

int mf_cli_run_key_generate(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_key_result, r);
	if (manifesto_key_generate(cli->m, cli->argument[0], cli->args.value[MF_OPT_TYPE], &r, err) < 0)
		return -1;
	if (cli->json)
		show_json("key-generate", r);
	else if (!cli->quiet)
		show_new("made", r);
	return 0;
}

int mf_cli_run_key_list(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_key_result, r);
	if (manifesto_key_list(cli->m, &r, err) < 0)
		return -1;
	if (cli->json) {
		show_json("key-list", r);
		return 0;
	}
	if (!r->nkeys && !cli->quiet)
		mf_cli_message("no keys on this machine");
	return r->nkeys ? show_table(r, err) : 0;
}

int mf_cli_run_key_show(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_key_result, r);
	if (manifesto_key_show(cli->m, cli->argument[0], &r, err) < 0)
		return -1;
	if (cli->json) {
		show_json("key-show", r);
		return 0;
	}
	if (show_table(r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->nkeys; i++)
		(void)printf("\n%s", r->keys[i]->public_pem);
	return 0;
}

int mf_cli_run_key_add(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_key_result, r);
	const char **arguments = calloc(cli->nargument, sizeof *arguments);
	if (!arguments)
		return mf_cli_fail(err, MF_E_NOMEM, 0, "out of memory");
	memcpy(arguments, cli->argument + 2, (cli->nargument - 2) * sizeof *arguments);
	int rc = manifesto_key_add(cli->m, cli->argument[0], cli->argument[1], arguments, &r, err);
	free(arguments);
	if (rc < 0)
		return -1;
	if (cli->json)
		show_json("key-add", r);
	else if (!cli->quiet)
		show_new("added", r);
	return 0;
}

int mf_cli_run_key_import(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_key_result, r);
	if (manifesto_key_import(cli->m, cli->argument[0], cli->argument[1], &r, err) < 0)
		return -1;
	if (cli->json)
		show_json("key-import", r);
	else if (!cli->quiet)
		show_new("imported", r);
	return 0;
}

static void export_json(const struct manifesto_key_export_options *o,
			const struct manifesto_key_export_result *r)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, "key-export");
	mf_json_add_text(&j, "name", o->name);
	if (o->format) {
		mf_json_add_text(&j, "format", o->format);
		mf_json_add_text(&j, "path", r->path);
		mf_json_add_text(&j, "publicKey", r->text);
	} else {
		mf_json_add_text(&j, "role", o->role);
		mf_json_add_text(&j, "keyId", r->key_id);
		mf_json_add_text(&j, "directory", o->directory);
	}
	mf_cli_json_end(&j);
}

/* The options are either a format, or a directory with the role and the GUN for the file in it. */
static int export_options(const struct mf_cli *cli, struct manifesto_key_export_options *o,
			  struct manifesto_error *err)
{
	o->name = cli->argument[0];
	o->directory = cli->nargument > 1 ? cli->argument[1] : NULL;
	o->role = cli->args.value[MF_OPT_ROLE];
	o->gun = cli->args.value[MF_OPT_GUN];
	o->format = cli->args.value[MF_OPT_FORMAT];
	o->output = cli->args.value[MF_OPT_OUTPUT];
	if (o->directory && (o->format || o->output))
		return mf_cli_usage(err, "'key export' takes a directory, or --format and -o");
	if (o->directory && !o->role)
		return mf_cli_usage(err, "'key export' needs '--role' with targets, root or delegation");
	if (!o->directory && (o->role || o->gun))
		return mf_cli_usage(err, "'key export' takes --role and --gun only with a directory");
	if (!o->directory && !o->format)
		o->format = "pem";
	return 0;
}

int mf_cli_run_key_export(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_key_export_options o = MANIFESTO_INIT(manifesto_key_export_options);
	MF_CLI_RESULT(manifesto_key_export_result, r);
	if (export_options(cli, &o, err) < 0 || manifesto_key_export(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json)
		export_json(&o, r);
	else if (!r->path)
		(void)fputs(r->text, stdout);
	else if (!cli->quiet)
		mf_cli_printf("Key '%s' exported: %s\n", o.name, r->path);
	return 0;
}

int mf_cli_run_key_passwd(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_key_result, r);
	cli->prompt.replaces = true;
	if (manifesto_key_passwd(cli->m, cli->argument[0], &r, err) < 0)
		return -1;
	if (cli->json)
		show_json("key-passwd", r);
	else if (!cli->quiet)
		mf_cli_printf(r->keys[0]->encrypted ? "Key '%s' has a new passphrase: %s\n"
						    : "Key '%s' has no passphrase now: %s\n",
			      r->keys[0]->name, r->keys[0]->path);
	return 0;
}

int mf_cli_run_key_rename(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_key_result, r);
	if (manifesto_key_rename(cli->m, cli->argument[0], cli->argument[1], &r, err) < 0)
		return -1;
	if (cli->json)
		show_json("key-rename", r);
	else if (!cli->quiet)
		mf_cli_printf("Key '%s' is called '%s' now: %s\n", cli->argument[0], r->keys[0]->name,
			      r->keys[0]->path);
	return 0;
}

/* ---- remove */

static void remove_json(const struct manifesto_key_remove_result *r, bool dry_run)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, "key-remove");
	mf_json_add_text(&j, "name", r->key->name);
	mf_json_add_text(&j, "keyType", r->key->type);
	mf_json_add_text(&j, "fingerprint", r->key->fingerprint);
	mf_json_add_text(&j, "path", r->key->path);
	mf_json_add_array(&j, "roles");
	for (size_t i = 0; i < r->nuses; i++) {
		mf_json_add_object(&j, NULL);
		mf_json_add_text(&j, "repository", r->uses[i]->repository);
		mf_json_add_text(&j, "role", r->uses[i]->role);
		mf_json_add_int(&j, "otherKeys", r->uses[i]->others);
		mf_json_add_int(&j, "threshold", r->uses[i]->threshold);
		mf_json_close(&j);
	}
	mf_json_close(&j);
	mf_json_add_bool(&j, "dryRun", dry_run);
	mf_cli_json_end(&j);
}

/* The roles that list the key, as text; the caller frees. */
static char *uses_text(const struct manifesto_key_remove_result *r)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	mf_text_printf(f, "Key '%s' (%s %s): %s\n", r->key->name, r->key->type, r->key->fingerprint,
		       r->key->path);
	mf_text_printf(f, "%s\n",
		       r->nuses ? "Roles that list it, as far as this machine knows:"
				: "This machine knows no role that lists it.");
	for (size_t i = 0; i < r->nuses; i++)
		mf_text_printf(f, "  %s of %s (threshold %d, %d other %s)\n", r->uses[i]->role,
			       r->uses[i]->repository, r->uses[i]->threshold, r->uses[i]->others,
			       r->uses[i]->others == 1 ? "key" : "keys");
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static int confirm_remove(struct mf_cli *cli, const struct manifesto_key_remove_result *r,
			  struct manifesto_error *err)
{
	char *text MF_FREE = uses_text(r);
	if (!text)
		return mf_cli_nomem(err);
	if (mf_cli_prompt_confirm_name(&cli->prompt, text,
				       "Type the name of the key to remove it: ", r->key->name))
		return 0;
	return mf_cli_fail(err, MF_E_CANCELLED, 0, "no key was removed");
}

int mf_cli_run_key_remove(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_key_remove_options o = MANIFESTO_INIT(manifesto_key_remove_options);
	MF_CLI_RESULT(manifesto_key_remove_result, before);
	MF_CLI_RESULT(manifesto_key_remove_result, r);
	bool yes = mf_cli_args_has(&cli->args, MF_OPT_YES),
	     dry_run = mf_cli_args_has(&cli->args, MF_OPT_DRY_RUN);
	if (!yes && !dry_run && !mf_cli_prompt_interactive(&cli->prompt))
		return mf_cli_usage(err, "'key remove' asks for the name: without a terminal give --yes");
	o.name = cli->argument[0];
	o.dry_run = 1;
	if (!yes && !dry_run &&
	    (manifesto_key_remove(cli->m, &o, &before, err) < 0 || confirm_remove(cli, before, err) < 0))
		return -1;
	o.dry_run = dry_run;
	if (manifesto_key_remove(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json) {
		remove_json(r, dry_run);
	} else if (!cli->quiet) {
		char *text MF_FREE = uses_text(r);
		if (!text)
			return mf_cli_nomem(err);
		(void)printf("%s%s", before ? "" : text, dry_run ? "" : "The key was removed.\n");
	}
	return 0;
}

static int list_names(const struct mf_cli *cli, struct manifesto_error *err)
{
	static const char *const heads[] = {"NAME", "FINGERPRINT"};
	MF_CLI_RESULT(manifesto_key_names, r);
	if (manifesto_key_names(cli->m, &r, err) < 0)
		return -1;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "key-name");
		mf_json_add_object(&j, "names");
		for (size_t i = 0; i < r->nnames; i++) {
			mf_json_key(&j, mf_str_c(r->names[i]->name));
			mf_json_add_text(&j, NULL, r->names[i]->fingerprint);
		}
		mf_json_close(&j);
		mf_cli_json_end(&j);
		return 0;
	}
	if (!r->nnames && !cli->quiet)
		mf_cli_message("no colleague's key has a name on this machine");
	struct mf_cli_table t MF_CLI_TABLE_CLEANUP;
	mf_cli_table_init(&t, heads, sizeof heads / sizeof heads[0]);
	for (size_t i = 0; i < r->nnames; i++) {
		mf_cli_table_add(&t, r->names[i]->name);
		mf_cli_table_add(&t, r->names[i]->fingerprint);
	}
	return r->nnames ? mf_cli_table_print(&t, stdout, err) : 0;
}

int mf_cli_run_key_name(struct mf_cli *cli, struct manifesto_error *err)
{
	bool removes = mf_cli_args_has(&cli->args, MF_OPT_REMOVE);
	if (!cli->nargument && !removes)
		return list_names(cli, err);
	if (cli->nargument != (removes ? 1u : 2u))
		return mf_cli_usage(err, removes ? "'key name --remove' takes one argument (NAME)"
						 : "'key name' takes a fingerprint and a name");
	const char *name = cli->argument[cli->nargument - 1];
	if (manifesto_key_name(cli->m, name, removes ? NULL : cli->argument[0], err) < 0)
		return -1;
	if (cli->json)
		return list_names(cli, err);
	if (!cli->quiet)
		mf_cli_printf(removes ? "the name '%s' is removed\n" : "'%s' is the name of %s\n", name,
			      cli->argument[0]);
	return 0;
}
