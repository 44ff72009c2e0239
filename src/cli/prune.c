/* prune: over several repositories. */
#include "cli/command.h"
#include "cli/show.h"

static void show_summary(const char *repository, const struct manifesto_prune_result *r, bool dry)
{
	static const char *const nouns[] = {"metadata file", "target file", "temporary file"};
	const char *comma = "";
	if (!r->nfiles) {
		mf_cli_printf("%s: nothing to prune\n", repository);
		return;
	}
	mf_cli_printf("%s: %s", repository, dry ? "would remove" : "removed");
	for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++) {
		if (!r->kinds[i])
			continue;
		mf_cli_printf("%s %zu %s%s", comma, r->kinds[i], nouns[i], r->kinds[i] == 1 ? "" : "s");
		comma = ",";
	}
	mf_cli_printf(" (%llu bytes)", (unsigned long long)r->bytes);
	if (!dry && r->removed < r->nfiles)
		mf_cli_printf("; %zu of them had changed or were gone", r->nfiles - r->removed);
	mf_cli_printf("\n");
}

static void show_json(struct mf_json_out *j, const struct manifesto_prune_result *r)
{
	mf_json_add_text(j, "gun", r->gun);
	mf_json_add_text(j, "where", r->where);
	mf_json_add_int(j, "removed", (int64_t)r->removed);
	mf_json_add_array(j, "files");
	for (size_t i = 0; i < r->nfiles; i++) {
		mf_json_add_object(j, NULL);
		mf_json_add_text(j, "name", r->files[i]->name);
		mf_json_add_text(j, "kind", r->files[i]->kind);
		mf_json_add_int(j, "bytes", (int64_t)r->files[i]->bytes);
		mf_json_close(j);
	}
	mf_json_close(j);
}

static int prune_one(struct mf_cli *cli, const char *repository, struct mf_json_out *j,
		     struct manifesto_error *why)
{
	struct manifesto_prune_options o = MANIFESTO_INIT(manifesto_prune_options);
	MF_CLI_RESULT(manifesto_prune_result, r);
	o.repository = repository;
	o.dry_run = mf_cli_args_has(&cli->args, MF_OPT_DRY_RUN);
	if (mf_cli_args_duration(&cli->args, MF_OPT_OLDER_THAN, &o.older_than, why) < 0 ||
	    mf_cli_args_number(&cli->args, MF_OPT_KEEP_VERSIONS, 1, 1000000, &o.keep_versions, why) < 0 ||
	    manifesto_prune(cli->m, &o, &r, why) < 0)
		return -1;
	if (cli->json) {
		show_json(j, r);
		return 0;
	}
	for (size_t i = 0; o.dry_run && !cli->quiet && i < r->nfiles; i++)
		mf_cli_printf("%s: %s %s, %llu bytes\n", repository, r->files[i]->kind, r->files[i]->name,
			      (unsigned long long)r->files[i]->bytes);
	if (!cli->quiet)
		show_summary(repository, r, o.dry_run != 0);
	return 0;
}

int mf_cli_run_prune(struct mf_cli *cli, struct manifesto_error *err)
{
	return mf_cli_each_repository(cli, cli->nargument, "prune", prune_one, err);
}
