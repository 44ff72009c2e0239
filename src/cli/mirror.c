#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/show.h"

static void show_json(struct mf_json_out *j, const struct manifesto_mirror_result *r)
{
	mf_json_add_text(j, "gun", r->gun);
	mf_json_add_text(j, "from", r->from);
	mf_json_add_text(j, "dialect", r->dialect);
	mf_json_add_text(j, "where", r->where);
	mf_json_add_bool(j, "changed", r->changed);
	mf_json_add_bool(j, "converted", r->converted);
	mf_json_add_int(j, "files", (int64_t)r->nfiles);
	mf_json_add_int(j, "contents", (int64_t)r->ncontents);
	mf_json_add_int(j, "version", r->version);
	mf_json_add_time(j, "expires", r->expires);
	mf_json_add_texts(j, "pin", r->pinned, r->npinned);
	mf_json_add_texts(j, "keysMade", r->keys_made, r->nkeys_made);
	mf_json_add_texts(j, "warnings", r->warnings, r->nwarnings);
}

static void show_text(const struct mf_cli *cli, const char *repository,
		      const struct manifesto_mirror_result *r)
{
	char expires[MF_TIME_LEN];
	mf_time_format(expires, r->expires);
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	if (r->nkeys_made)
		mf_cli_show_initialised(r->where, cli->config->options.home, r->keys_made, r->nkeys_made,
					r->pinned, r->npinned);
	if (cli->quiet)
		return;
	if (r->changed)
		mf_cli_printf(
		    "%s: %zu file%s and %zu content%s written to %s; timestamp version %lld, expires %s\n",
		    repository, r->nfiles, r->nfiles == 1 ? "" : "s", r->ncontents,
		    r->ncontents == 1 ? "" : "s", r->where, (long long)r->version, expires);
	else
		mf_cli_printf("%s: nothing new for %s; timestamp version %lld, expires %s\n", repository,
			      r->where, (long long)r->version, expires);
}

static int mirror_one(struct mf_cli *cli, const char *repository, struct mf_json_out *j,
		      struct manifesto_error *why)
{
	struct manifesto_mirror_options o = MANIFESTO_INIT(manifesto_mirror_options);
	MF_CLI_RESULT(manifesto_mirror_result, r);
	o.repository = repository;
	o.destination = cli->argument[cli->nargument - 1];
	if (manifesto_mirror(cli->m, &o, &r, why) < 0)
		return -1;
	if (cli->json)
		show_json(j, r);
	else
		show_text(cli, repository, r);
	return MANIFESTO_OK;
}

int mf_cli_run_mirror(struct mf_cli *cli, struct manifesto_error *err)
{
	return mf_cli_each_repository(cli, cli->nargument - 1, "mirror", mirror_one, err);
}
