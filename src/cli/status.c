/* status, repair, trust refresh: each over several repositories. */
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/show.h"

/* ---------------------------------------------------------------- status as text */

static void show_finding(const char *repository, const struct manifesto_status_finding *f)
{
	mf_cli_printf("%s: %d %s: %s", repository, f->status, f->kind, f->message);
	if (f->action)
		mf_cli_printf(" (%s: %s)", f->actor, f->action);
	mf_cli_printf("\n");
}

/* The keys of a role that are on this machine. */
static char *keys_here(const struct manifesto_trust_role *r)
{
	char *text = NULL;
	size_t size = 0, n = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	for (size_t i = 0; i < r->nkeys; i++)
		if (r->keys[i]->name)
			(void)fprintf(f, "%s%s", n++ ? "," : "", r->keys[i]->name);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static int show_roles(const struct manifesto_status_result *r, struct manifesto_error *err)
{
	static const char *const heads[] = {"ROLE", "VERSION", "EXPIRES", "NEEDS", "KEYS HERE"};
	struct mf_cli_table t MF_CLI_TABLE_CLEANUP;
	mf_cli_table_init(&t, heads, sizeof heads / sizeof heads[0]);
	for (size_t i = 0; i < r->nroles; i++) {
		const struct manifesto_trust_role *role = r->roles[i];
		char *here MF_FREE = keys_here(role);
		if (!here)
			return mf_cli_nomem(err);
		mf_cli_table_add(&t, role->name);
		mf_cli_table_add_version(&t, role->version);
		mf_cli_table_add_time(&t, role->expires);
		mf_cli_table_addf(&t, "%d of %zu", role->threshold, role->nkeys);
		mf_cli_table_add(&t, here);
	}
	return mf_cli_table_print(&t, stdout, err);
}

static int show_text(const struct mf_cli *cli, const char *repository,
		     const struct manifesto_status_result *r, struct manifesto_error *err)
{
	bool examined = true;
	if (!cli->quiet) {
		mf_cli_printf("%s: %s at %s\n", repository, r->dialect, r->where);
		if (show_roles(r, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < r->nfindings; i++) {
		if (!cli->quiet || r->findings[i]->status)
			show_finding(repository, r->findings[i]);
		examined &= strcmp(r->findings[i]->kind, "not-examined") != 0;
	}
	if (cli->quiet)
		return 0;
	mf_cli_printf("%s: %d %s", repository, r->status, r->status ? "needs attention" : "all is well");
	if (examined)
		mf_cli_printf(": %zu record%s in force, %zu image%s", r->nrecords,
			      r->nrecords == 1 ? "" : "s", r->nsubjects, r->nsubjects == 1 ? "" : "s");
	mf_cli_printf("\n");
	return 0;
}

/* ---------------------------------------------------------------- status as JSON */

static void finding_json(struct mf_json_out *j, const struct manifesto_status_finding *f)
{
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "kind", f->kind);
	mf_json_add_int(j, "exit", f->status);
	mf_json_add_text(j, "message", f->message);
	mf_json_add_text(j, "actor", f->actor);
	mf_json_add_text(j, "action", f->action);
	mf_json_add_text(j, "role", f->role);
	mf_json_add_text(j, "subject", f->subject);
	mf_json_add_text(j, "type", f->type);
	mf_json_add_time(j, "expires", f->expires);
	mf_json_close(j);
}

static void role_json(struct mf_json_out *j, const struct manifesto_trust_role *r)
{
	int64_t here = 0;
	for (size_t i = 0; i < r->nkeys; i++)
		here += r->keys[i]->name != NULL;
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "name", r->name);
	mf_json_add_int(j, "version", r->version);
	mf_json_add_time(j, "expires", r->expires);
	mf_json_add_int(j, "threshold", r->threshold);
	mf_json_add_int(j, "keysHere", here);
	mf_cli_show_signers_json(j, "keys", r->keys, r->nkeys);
	mf_json_close(j);
}

static void status_json(struct mf_json_out *j, const struct manifesto_status_result *r)
{
	mf_json_add_text(j, "gun", r->gun);
	mf_json_add_text(j, "where", r->where);
	mf_json_add_text(j, "dialect", r->dialect);
	mf_json_add_int(j, "records", (int64_t)r->nrecords);
	mf_json_add_int(j, "images", (int64_t)r->nsubjects);
	mf_json_add_array(j, "roles");
	for (size_t i = 0; i < r->nroles; i++)
		role_json(j, r->roles[i]);
	mf_json_close(j);
	mf_json_add_array(j, "findings");
	for (size_t i = 0; i < r->nfindings; i++)
		finding_json(j, r->findings[i]);
	mf_json_close(j);
}

/* ---------------------------------------------------------------- several repositories */

int mf_cli_each_repository(struct mf_cli *cli, size_t n, const char *schema, mf_cli_one_fn one,
			   struct manifesto_error *err)
{
	struct mf_json_out j;
	if (cli->json) {
		mf_cli_json_begin(&j, stdout, schema);
		mf_json_add_array(&j, "repositories");
	}
	for (size_t i = 0; i < n; i++) {
		struct manifesto_error why = {0};
		if (cli->json) {
			mf_json_add_object(&j, NULL);
			mf_json_add_text(&j, "repository", cli->argument[i]);
		}
		int status = one(cli, cli->argument[i], &j, &why);
		/* Wrong usage is not the state of a repository, so it ends the command. After the first
		 * repository, results have been printed already. */
		if (status < 0 && why.status == MANIFESTO_USAGE && i == 0) {
			*err = why;
			return -1;
		}
		if (status < 0 && cli->json)
			mf_cli_json_error(&j, &why);
		else if (status < 0)
			mf_cli_print_error(&why, cli->json);
		if (status < 0) /* a repository that cannot be examined does not hide the others */
			status = why.status;
		if (cli->json) {
			mf_json_add_int(&j, "exit", status);
			mf_json_close(&j);
		}
		cli->outcome = manifesto_graver(cli->outcome, status);
	}
	if (cli->json) {
		mf_json_close(&j);
		mf_json_add_int(&j, "exit", cli->outcome);
		mf_cli_json_end(&j);
	}
	return 0;
}

static int status_of(struct mf_cli *cli, const char *repository, struct mf_json_out *j,
		     struct manifesto_error *why)
{
	struct manifesto_status_options o = MANIFESTO_INIT(manifesto_status_options);
	MF_CLI_RESULT(manifesto_status_result, r);
	o.repository = repository;
	if (mf_cli_args_duration(&cli->args, MF_OPT_WARN_WITHIN, &o.warn_within, why) < 0 ||
	    manifesto_status(cli->m, &o, &r, why) < 0)
		return -1;
	if (cli->json)
		status_json(j, r);
	else if (show_text(cli, repository, r, why) < 0)
		return -1;
	return r->status;
}

int mf_cli_run_status(struct mf_cli *cli, struct manifesto_error *err)
{
	return mf_cli_each_repository(cli, cli->nargument, "status", status_of, err);
}

/* ---------------------------------------------------------------- repair */

static void show_repair(const struct mf_cli *cli, const char *repository,
			const struct manifesto_repair_result *r)
{
	bool any = r->catalogue || r->subjects || r->targets || r->timestamp;
	if (cli->quiet)
		return;
	if (!any) {
		mf_cli_printf("%s: nothing to repair\n", repository);
		return;
	}
	mf_cli_printf("%s: %s:", repository, r->repaired ? "repaired" : "would repair");
	const char *comma = "";
	if (r->timestamp) {
		mf_cli_printf(" the timestamp");
		comma = ",";
	}
	if (r->catalogue) {
		mf_cli_printf("%s the catalogue", comma);
		comma = ",";
	}
	if (r->subjects) {
		mf_cli_printf("%s the referrers of %zu images (%zu records missing, %zu too many)", comma,
			      r->subjects, r->unlisted, r->stale);
		comma = ",";
	}
	if (r->targets)
		mf_cli_printf("%s %zu target files", comma, r->targets);
	mf_cli_printf("\n");
}

static int repair_one(struct mf_cli *cli, const char *repository, struct mf_json_out *j,
		      struct manifesto_error *why)
{
	struct manifesto_repair_options o = MANIFESTO_INIT(manifesto_repair_options);
	MF_CLI_RESULT(manifesto_repair_result, r);
	o.repository = repository;
	o.dry_run = mf_cli_args_has(&cli->args, MF_OPT_DRY_RUN);
	if (manifesto_repair(cli->m, &o, &r, why) < 0)
		return -1;
	if (!cli->json) {
		show_repair(cli, repository, r);
		return 0;
	}
	mf_json_add_text(j, "gun", r->gun);
	mf_json_add_bool(j, "catalogue", r->catalogue);
	mf_json_add_int(j, "images", (int64_t)r->subjects);
	mf_json_add_int(j, "missing", (int64_t)r->unlisted);
	mf_json_add_int(j, "stale", (int64_t)r->stale);
	mf_json_add_int(j, "targets", (int64_t)r->targets);
	mf_json_add_bool(j, "repaired", r->repaired);
	mf_json_add_bool(j, "timestamp", r->timestamp);
	return 0;
}

int mf_cli_run_repair(struct mf_cli *cli, struct manifesto_error *err)
{
	return mf_cli_each_repository(cli, cli->nargument, "repair", repair_one, err);
}

/* ---------------------------------------------------------------- trust refresh */

static void show_refreshed(const char *image, const struct manifesto_refreshed_role *r, bool dry)
{
	char time[MF_TIME_LEN];
	mf_time_format(time, r->expires);
	if (r->done) {
		mf_cli_printf("%s: %s %s version %lld, expires %s\n", image, r->name,
			      dry ? "would be signed:" : "signed:", (long long)r->version, time);
		return;
	}
	char *keys MF_FREE = mf_cli_show_signers(r->keys, r->nkeys);
	mf_cli_printf("%s: %s left: version %lld, expires %s; its keys: %s\n", image, r->name,
		      (long long)r->version, time, keys && *keys ? keys : "not known here");
}

static void refresh_json(struct mf_json_out *j, const struct manifesto_refresh_result *r)
{
	mf_json_add_text(j, "gun", r->gun);
	mf_json_add_text(j, "where", r->where);
	mf_json_add_array(j, "roles");
	for (size_t i = 0; i < r->nroles; i++) {
		mf_json_add_object(j, NULL);
		mf_json_add_text(j, "name", r->roles[i]->name);
		mf_json_add_bool(j, "signed", r->roles[i]->done);
		mf_json_add_int(j, "version", r->roles[i]->version);
		mf_json_add_time(j, "expires", r->roles[i]->expires);
		mf_cli_show_signers_json(j, "keys", r->roles[i]->keys, r->roles[i]->nkeys);
		mf_json_close(j);
	}
	mf_json_close(j);
}

static int refresh_one(struct mf_cli *cli, const char *image, struct mf_json_out *j,
		       struct manifesto_error *why)
{
	struct manifesto_refresh_options o = MANIFESTO_INIT(manifesto_refresh_options);
	MF_CLI_RESULT(manifesto_refresh_result, r);
	o.image = image;
	o.force = mf_cli_args_has(&cli->args, MF_OPT_FORCE);
	o.dry_run = mf_cli_args_has(&cli->args, MF_OPT_DRY_RUN);
	if (mf_cli_args_duration(&cli->args, MF_OPT_WITHIN, &o.within, why) < 0 ||
	    manifesto_trust_refresh(cli->m, &o, &r, why) < 0)
		return -1;
	if (cli->json)
		refresh_json(j, r);
	for (size_t i = 0; !cli->json && i < r->nroles; i++)
		if (!cli->quiet || !r->roles[i]->done)
			show_refreshed(image, r->roles[i], o.dry_run);
	if (!cli->json && !cli->quiet && !r->nroles)
		mf_cli_printf("%s: nothing to sign\n", image);
	return r->status;
}

int mf_cli_run_trust_refresh(struct mf_cli *cli, struct manifesto_error *err)
{
	return mf_cli_each_repository(cli, cli->nargument, "trust-refresh", refresh_one, err);
}
