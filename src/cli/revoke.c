/* key revoke. */
#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/show.h"

struct sink {
	struct mf_json_out j;
	bool json, quiet, dry_run, begun;
};

/* ---------------------------------------------------------------- text */

static void show_records(const char *repository, const struct manifesto_role_result *r)
{
	for (size_t i = 0; i < r->nchanges; i++)
		if (strncmp(r->changes[i]->what, "record ", 7) == 0)
			mf_cli_printf("%s: %s: %s %s\n", repository, r->changes[i]->what, r->changes[i]->role,
				      r->changes[i]->detail);
}

static void show_left(const char *repository, const struct manifesto_revoke_left *l)
{
	mf_cli_printf("%s: %d %s: %s", repository, l->status, l->role, l->why);
	if (l->command)
		mf_cli_printf(" (%s)", l->command);
	mf_cli_printf("\n");
}

/* "REPOSITORY: taken out of root, qa; root version 3" */
static void show_summary(const struct sink *s, const struct manifesto_revoke_item *item)
{
	mf_cli_printf("%s: %s", item->repository,
		      item->nroles  ? (s->dry_run ? "would be taken out of" : "taken out of")
		      : item->nleft ? "not taken out"
				    : "no role lists the key");
	for (size_t i = 0; i < item->nroles; i++)
		mf_cli_printf("%s%s", i ? ", " : " ", item->roles[i]);
	if (item->change && item->change->root_version && !s->dry_run)
		mf_cli_printf("; root version %lld", (long long)item->change->root_version);
	mf_cli_printf("\n");
}

static int show_text(const struct sink *s, const struct manifesto_revoke_item *item)
{
	if (item->error) {
		mf_cli_warning("%s: not changed", item->repository);
		mf_cli_print_error(item->error, s->json);
		return 0;
	}
	/* Records are shown once, before anything is published. */
	if (!item->done && item->change && !s->quiet)
		show_records(item->repository, item->change);
	if (!item->done && !s->dry_run)
		return 0;
	if (!s->quiet)
		show_summary(s, item);
	for (size_t i = 0; i < item->nleft; i++)
		show_left(item->repository, item->left[i]);
	if (item->change && !s->quiet)
		mf_cli_show_warnings(item->change->warnings, item->change->nwarnings);
	return 0;
}

/* ---------------------------------------------------------------- JSON */

static void left_json(struct mf_json_out *j, const struct manifesto_revoke_left *l)
{
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "role", l->role);
	mf_json_add_int(j, "exit", l->status);
	mf_json_add_text(j, "why", l->why);
	mf_json_add_text(j, "command", l->command);
	mf_json_close(j);
}

static void item_json(struct sink *s, const struct manifesto_revoke_item *item)
{
	struct mf_json_out *j = &s->j;
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "repository", item->repository);
	mf_json_add_texts(j, "roles", item->roles, item->nroles);
	if (item->change)
		mf_cli_show_changes_json(j, item->change);
	mf_json_add_array(j, "left");
	for (size_t i = 0; i < item->nleft; i++)
		left_json(j, item->left[i]);
	mf_json_close(j);
	if (item->error)
		mf_cli_json_error(j, item->error);
	mf_json_add_int(j, "exit", item->status);
	mf_json_close(j);
}

static int receive(void *arg, const struct manifesto_revoke_item *item)
{
	struct sink *s = arg;
	if (!s->json)
		return show_text(s, item);
	if (!item->done && !s->dry_run && !item->error)
		return 0;
	if (!s->begun) {
		mf_cli_json_begin(&s->j, stdout, "key-revoke");
		mf_json_add_bool(&s->j, "dryRun", s->dry_run);
		mf_json_add_array(&s->j, "repositories");
		s->begun = true;
	}
	item_json(s, item);
	return 0;
}

int mf_cli_run_key_revoke(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_revoke_options o = MANIFESTO_INIT(manifesto_revoke_options);
	struct sink s = {
	    .json = cli->json, .quiet = cli->quiet, .dry_run = mf_cli_args_has(&cli->args, MF_OPT_DRY_RUN)};
	o.key = cli->argument[0];
	o.repositories = cli->argument + 1;
	o.nrepositories = cli->nargument - 1;
	o.replacement = cli->args.value[MF_OPT_KEY];
	o.dry_run = s.dry_run;
	o.result = receive;
	o.result_arg = &s;
	int rc = manifesto_key_revoke(cli->m, &o, err);
	if (s.begun) {
		mf_json_close(&s.j);
		mf_json_add_int(&s.j, "exit", err->status);
		mf_cli_json_end(&s.j);
	}
	/* What was done stays done, and is reported also if the run fails. */
	if (rc < 0)
		(void)fflush(stdout);
	return rc;
}
