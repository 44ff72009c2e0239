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

int mf_cli_run_key_export(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_key_export_options o = MANIFESTO_INIT(manifesto_key_export_options);
	MF_CLI_RESULT(manifesto_key_export_result, r);
	o.name = cli->argument[0];
	o.directory = cli->argument[1];
	o.role = cli->args.value[MF_OPT_ROLE];
	o.gun = cli->args.value[MF_OPT_GUN];
	if (!o.role)
		return mf_cli_usage(err, "'key export' needs '--role' with targets, root or delegation");
	if (manifesto_key_export(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "key-export");
		mf_json_add_text(&j, "name", o.name);
		mf_json_add_text(&j, "role", o.role);
		mf_json_add_text(&j, "keyId", r->key_id);
		mf_json_add_text(&j, "directory", o.directory);
		mf_cli_json_end(&j);
	} else if (!cli->quiet) {
		mf_cli_printf("Key '%s' exported: %s\n", o.name, r->path);
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
		mf_cli_printf(removes ? "'%s' is no name any more\n" : "'%s' is the name of %s\n", name,
			      cli->argument[0]);
	return 0;
}
