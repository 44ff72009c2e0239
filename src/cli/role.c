#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/show.h"

/* ---------------------------------------------------------------- what changed */

void mf_cli_show_changes_json(struct mf_json_out *j, const struct manifesto_role_result *r)
{
	mf_json_add_text(j, "gun", r->gun);
	mf_json_add_text(j, "where", r->where);
	mf_json_add_bool(j, "dryRun", r->dry_run);
	mf_json_add_array(j, "changes");
	for (size_t i = 0; i < r->nchanges; i++) {
		mf_json_add_object(j, NULL);
		mf_json_add_text(j, "what", r->changes[i]->what);
		mf_json_add_text(j, "role", r->changes[i]->role);
		mf_json_add_text(j, "detail", r->changes[i]->detail[0] ? r->changes[i]->detail : NULL);
		mf_json_close(j);
	}
	mf_json_close(j);
	mf_json_add_int(j, "targetsVersion", r->version);
	mf_json_add_int(j, "rootVersion", r->root_version);
	mf_json_add_texts(j, "warnings", r->warnings, r->nwarnings);
	mf_cli_show_proposed_json(j, r->proposal, r->missing);
}

/* "  key added: qa 1f2e..." */
static void changes_text(const struct manifesto_role_result *r)
{
	bool done = r->nchanges && !r->dry_run && !r->proposal;
	mf_cli_printf("%s '%s'%s%s\n",
		      !r->nchanges ? "Nothing to change in"
		      : done       ? "Changed"
				   : "Would change",
		      r->gun, done ? " at " : "", done ? r->where : "");
	for (size_t i = 0; i < r->nchanges; i++) {
		const struct manifesto_role_change *c = r->changes[i];
		mf_cli_printf("  %s: %s%s%s\n", c->what, c->role, c->detail[0] ? " " : "", c->detail);
	}
}

static void show_change(const struct mf_cli *cli, const char *schema, const struct manifesto_role_result *r)
{
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, schema);
		mf_cli_show_changes_json(&j, r);
		mf_cli_json_end(&j);
		return;
	}
	if (!cli->quiet)
		changes_text(r);
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	mf_cli_show_proposed(stdout, cli, cli->argument[0],
			     &(struct mf_cli_proposed){r->proposal, r->missing});
}

/* ---------------------------------------------------------------- add, remove, sign */

static struct manifesto_role_options options(const struct mf_cli *cli)
{
	struct manifesto_role_options o = MANIFESTO_INIT(manifesto_role_options);
	o.image = cli->argument[0];
	o.role = cli->nargument > 1 ? cli->argument[1] : NULL;
	o.force = mf_cli_args_has(&cli->args, MF_OPT_FORCE);
	o.dry_run = mf_cli_args_has(&cli->args, MF_OPT_DRY_RUN);
	o.propose = cli->args.value[MF_OPT_PROPOSE];
	return o;
}

int mf_cli_run_role_add(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_role_result, r);
	struct manifesto_role_options o = options(cli);
	char *text MF_FREE = NULL;
	const char **types MF_FREE = NULL;
	int64_t threshold = 0;
	if (mf_cli_args_number(&cli->args, MF_OPT_THRESHOLD, 1, MF_MAX_SIGNATURES, &threshold, err) < 0 ||
	    mf_cli_args_items(&cli->args, MF_OPT_TYPES, &text, &types, err) < 0)
		return -1;
	o.keys = cli->args.list[MF_OPT_KEY];
	o.types = types;
	o.threshold = (int)threshold;
	if (manifesto_role_add(cli->m, &o, &r, err) < 0)
		return -1;
	show_change(cli, "role-add", r);
	return 0;
}

int mf_cli_run_role_remove(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_role_result, r);
	struct manifesto_role_options o = options(cli);
	o.keys = cli->args.list[MF_OPT_KEY];
	if (manifesto_role_remove(cli->m, &o, &r, err) < 0)
		return -1;
	show_change(cli, "role-remove", r);
	return 0;
}

int mf_cli_run_role_sign(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_role_result, r);
	struct manifesto_role_options o = options(cli);
	o.keys = cli->args.list[MF_OPT_KEY];
	if (manifesto_role_sign(cli->m, &o, &r, err) < 0)
		return -1;
	show_change(cli, "role-sign", r);
	return 0;
}

/* ---------------------------------------------------------------- apply */

static void apply_one(struct mf_cli *cli, const char *image, struct mf_json_out *j)
{
	MF_CLI_RESULT(manifesto_role_result, r);
	struct manifesto_error why = {0};
	struct manifesto_role_options o = options(cli);
	o.image = image;
	o.role = NULL;
	int rc = manifesto_role_apply(cli->m, cli->args.value[MF_OPT_FILE], &o, &r, &why);
	if (rc < 0)
		cli->outcome = manifesto_graver(cli->outcome, why.status);
	if (!cli->json && rc < 0) {
		mf_cli_warning("%s: not changed", image);
		mf_cli_print_error(&why, cli->json);
		return;
	}
	if (!cli->json) {
		if (!cli->quiet)
			changes_text(r);
		mf_cli_show_warnings(r->warnings, r->nwarnings);
		return;
	}
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "repository", image);
	mf_json_add_int(j, "exit", rc < 0 ? why.status : MANIFESTO_OK);
	if (rc < 0)
		mf_cli_json_error(j, &why);
	else
		mf_cli_show_changes_json(j, r);
	mf_json_close(j);
}

int mf_cli_run_role_apply(struct mf_cli *cli, struct manifesto_error *err)
{
	struct mf_json_out j;
	if (!cli->args.value[MF_OPT_FILE])
		return mf_cli_usage(err, "'role apply' requires '--file' with the teams file");
	if (cli->json) {
		mf_cli_json_begin(&j, stdout, "role-apply");
		mf_json_add_array(&j, "repositories");
	}
	for (size_t i = 0; i < cli->nargument; i++)
		apply_one(cli, cli->argument[i], &j);
	if (cli->json) {
		mf_json_close(&j);
		mf_json_add_int(&j, "exit", cli->outcome);
		mf_cli_json_end(&j);
	}
	return 0;
}

/* ---------------------------------------------------------------- trust rotate */

static void show_root_keys(const struct manifesto_role_result *r)
{
	for (size_t i = 0; i < r->nroot_keys; i++)
		mf_cli_printf("  root key: %s%s%s\n", r->root_keys[i]->fingerprint,
			      r->root_keys[i]->name ? " " : "",
			      r->root_keys[i]->name ? r->root_keys[i]->name : "");
	if (r->nroot_keys)
		mf_cli_printf(
		    "  Colleagues need to do nothing: root version %lld is signed by the keys of the "
		    "one before it,\n  and their pins lead to it. New machines pin the keys above.\n",
		    (long long)r->root_version);
}

static int rotate_one(struct mf_cli *cli, const char *repository, struct mf_json_out *j,
		      struct manifesto_error *why)
{
	MF_CLI_RESULT(manifesto_role_result, r);
	struct manifesto_role_options o = options(cli);
	o.image = repository;
	o.role = cli->argument[cli->nargument - 1];
	o.keys = cli->args.list[MF_OPT_KEY];
	o.keep_old = mf_cli_args_has(&cli->args, MF_OPT_KEEP_OLD);
	if (manifesto_trust_rotate(cli->m, &o, &r, why) < 0)
		return -1;
	if (cli->json) {
		mf_cli_show_changes_json(j, r);
		mf_cli_show_signers_json(j, "rootKeys", r->root_keys, r->nroot_keys);
		return 0;
	}
	if (!cli->quiet) {
		changes_text(r);
		show_root_keys(r);
	}
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	mf_cli_show_proposed(stdout, cli, cli->argument[0],
			     &(struct mf_cli_proposed){r->proposal, r->missing});
	return 0;
}

int mf_cli_run_trust_rotate(struct mf_cli *cli, struct manifesto_error *err)
{
	return mf_cli_each_repository(cli, cli->nargument - 1, "trust-rotate", rotate_one, err);
}

/* ---------------------------------------------------------------- list, keys, mine */

static void role_json(struct mf_json_out *j, const struct manifesto_role *r)
{
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "name", r->name);
	mf_json_add_text(j, "parent", r->parent);
	mf_json_add_texts(j, "types", r->types, r->ntypes);
	mf_json_add_texts(j, "paths", r->paths, r->npaths);
	mf_json_add_int(j, "threshold", r->threshold);
	mf_json_add_array(j, "keys");
	for (size_t i = 0; i < r->nkeys; i++) {
		mf_json_add_object(j, NULL);
		mf_json_add_text(j, "fingerprint", r->keys[i]->fingerprint);
		mf_json_add_text(j, "keyId", r->keys[i]->key_id);
		mf_json_add_text(j, "name", r->keys[i]->name);
		mf_json_add_text(j, "keyType", r->keys[i]->key_type);
		mf_json_add_bool(j, "certificate", r->keys[i]->certificate);
		mf_json_close(j);
	}
	mf_json_close(j);
	mf_json_add_int(j, "version", r->version);
	mf_json_add_time(j, "expires", r->expires);
	mf_json_add_int(j, "entries", (int64_t)r->entries);
	mf_json_add_text(j, "state", r->state);
	mf_json_add_text(j, "problem", r->problem);
	mf_json_add_text(j, "mine", r->mine);
	mf_json_add_bool(j, "canSign", r->can_sign);
	mf_json_add_text(j, "whyNot", r->why_not);
	mf_json_close(j);
}

static void list_json(const char *schema, const struct manifesto_role_list *r)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, schema);
	mf_json_add_text(&j, "gun", r->gun);
	mf_json_add_text(&j, "where", r->where);
	mf_json_add_text(&j, "dialect", r->dialect);
	mf_json_add_array(&j, "roles");
	for (size_t i = 0; i < r->nroles; i++)
		role_json(&j, r->roles[i]);
	mf_json_close(&j);
	mf_cli_json_end(&j);
}

/* The types of a role; if some paths are not those of types, all paths follow in quotes. `targets` has all
 * types that no other role has. */
static char *types_text(const struct manifesto_role *r)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);
	if (!f)
		return NULL;
	for (size_t i = 0; i < r->ntypes; i++)
		(void)fprintf(f, "%s%s", i ? "," : "", r->types[i]);
	for (size_t i = 0; r->ntypes < r->npaths && i < r->npaths; i++)
		(void)fprintf(f, "%s\"%s\"", i || r->ntypes ? "," : "", r->paths[i]);
	if (!r->parent)
		(void)fputs("(all others)", f);
	if (fclose(f) == 0)
		return out;
	free(out);
	return NULL;
}

static char *keys_text(const struct manifesto_role *r)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);
	if (!f)
		return NULL;
	for (size_t i = 0; i < r->nkeys; i++) {
		const struct manifesto_role_key *k = r->keys[i];
		const char *name = k->name           ? k->name
				   : k->colleague    ? k->colleague
				   : !k->fingerprint ? "?"
						     : NULL;
		mf_text_printf(f, "%s%.*s", i ? "," : "", name ? MF_CLI_LABEL : MF_CLI_FINGERPRINT_SHORT,
			       name ? name : k->fingerprint);
	}
	if (fclose(f) == 0)
		return out;
	free(out);
	return NULL;
}

static int list_row(struct mf_cli_table *t, const struct manifesto_role *r, struct manifesto_error *err)
{
	char *types MF_FREE = types_text(r), *keys MF_FREE = keys_text(r);
	if (!types || !keys)
		return mf_cli_nomem(err);
	mf_cli_table_add(t, r->name);
	mf_cli_table_add(t, types);
	mf_cli_table_addf(t, "%d of %zu", r->threshold, r->nkeys);
	mf_cli_table_add(t, keys);
	mf_cli_table_add_version(t, r->version);
	mf_cli_table_add_time(t, r->expires);
	mf_cli_table_add(t, r->state);
	return 0;
}

static int print_table(const char *const *heads, size_t nheads, const struct manifesto_role_list *r,
		       int (*row)(struct mf_cli_table *t, const struct manifesto_role *r,
				  struct manifesto_error *err),
		       struct manifesto_error *err)
{
	struct mf_cli_table t MF_CLI_TABLE_CLEANUP;
	mf_cli_table_init(&t, heads, nheads);
	for (size_t i = 0; i < r->nroles; i++)
		if (row(&t, r->roles[i], err) < 0)
			return -1;
	return mf_cli_table_print(&t, stdout, err);
}

static void warn_of_problems(const struct manifesto_role_list *r)
{
	for (size_t i = 0; i < r->nroles; i++)
		if (r->roles[i]->problem)
			mf_cli_warning("role '%s': %s", r->roles[i]->name, r->roles[i]->problem);
}

int mf_cli_run_role_list(struct mf_cli *cli, struct manifesto_error *err)
{
	static const char *const heads[] = {"ROLE", "TYPES", "NEEDS", "KEYS", "VERSION", "EXPIRES", "STATE"};
	MF_CLI_RESULT(manifesto_role_list, r);
	if (manifesto_role_list(cli->m, cli->argument[0], NULL, &r, err) < 0)
		return -1;
	if (cli->json) {
		list_json("role-list", r);
		return 0;
	}
	warn_of_problems(r);
	return print_table(heads, sizeof heads / sizeof heads[0], r, list_row, err);
}

static int keys_row(struct mf_cli_table *t, const struct manifesto_role *r, struct manifesto_error *err)
{
	(void)err;
	for (size_t i = 0; i < r->nkeys; i++) {
		const struct manifesto_role_key *k = r->keys[i];
		mf_cli_table_add(t, k->fingerprint);
		mf_cli_table_add(t, k->key_type);
		mf_cli_table_add(t, k->certificate ? "yes" : "no");
		mf_cli_table_add(t, k->name ? k->name : k->colleague);
		mf_cli_table_add(t, k->key_id);
	}
	return 0;
}

int mf_cli_run_role_keys(struct mf_cli *cli, struct manifesto_error *err)
{
	static const char *const heads[] = {"FINGERPRINT", "TYPE", "CERTIFICATE", "HERE", "KEY ID"};
	MF_CLI_RESULT(manifesto_role_list, r);
	if (manifesto_role_list(cli->m, cli->argument[0], cli->argument[1], &r, err) < 0)
		return -1;
	if (cli->json) {
		list_json("role-keys", r);
		return 0;
	}
	return print_table(heads, sizeof heads / sizeof heads[0], r, keys_row, err);
}

static int mine_row(struct mf_cli_table *t, const struct manifesto_role *r, struct manifesto_error *err)
{
	char *types MF_FREE = types_text(r);
	if (!types)
		return mf_cli_nomem(err);
	mf_cli_table_add(t, r->name);
	mf_cli_table_add(t, types);
	mf_cli_table_add(t, r->can_sign ? "yes" : "no");
	mf_cli_table_add(t, r->mine);
	mf_cli_table_add(t, r->why_not);
	return 0;
}

int mf_cli_run_role_mine(struct mf_cli *cli, struct manifesto_error *err)
{
	static const char *const heads[] = {"ROLE", "TYPES", "CAN SIGN", "WITH", "WHY NOT"};
	MF_CLI_RESULT(manifesto_role_list, r);
	if (manifesto_role_list(cli->m, cli->argument[0], NULL, &r, err) < 0)
		return -1;
	if (cli->json) {
		list_json("role-mine", r);
		return 0;
	}
	return print_table(heads, sizeof heads / sizeof heads[0], r, mine_row, err);
}
