#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cli/command.h"
#include "cli/show.h"

static void show_json(const struct mf_cli *cli, const struct manifesto_get_result *r, const char *path,
		      int64_t version)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, "get");
	mf_cli_show_at_json(cli, &j);
	mf_json_add_text(&j, "output", path);
	mf_json_add_object(&j, "record");
	mf_cli_show_record_json(&j, r->record);
	mf_json_close(&j);
	if (version) {
		mf_json_add_bool(&j, "current", !r->note);
		mf_json_add_int(&j, "newestVersion", r->newest_version);
		mf_json_add_text(&j, "note", r->note);
	}
	mf_cli_json_end(&j);
}

int mf_cli_run_get(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_get_options o = MANIFESTO_INIT(manifesto_get_options);
	MF_CLI_RESULT(manifesto_get_result, r);
	struct mf_cli_sink sink = {0};
	const char *path = cli->args.value[MF_OPT_OUTPUT];
	if (path && strcmp(path, "-") == 0)
		path = NULL;
	if (cli->json && !path)
		return mf_cli_usage(err, "'get --json' requires '--output FILE': content and JSON cannot "
					 "both go to standard output");
	o.image = cli->argument[0];
	o.type = cli->argument[1];
	o.role = cli->args.value[MF_OPT_ROLE];
	o.platform = cli->args.value[MF_OPT_PLATFORM];
	o.output_path = path;
	o.write = path ? NULL : mf_cli_write_out;
	o.write_arg = &sink;
	o.no_signer_names = !cli->json;
	if (mf_cli_args_number(&cli->args, MF_OPT_AT_VERSION, 1, MF_MAX_VERSION, &o.version, err) < 0)
		return -1;
	if (manifesto_get(cli->m, &o, &r, err) < 0)
		return sink.sys ? mf_cli_refail(err, MF_E_IO, sink.sys, "write standard output") : -1;
	/* Shown also with --quiet: the record may have been withdrawn since. */
	if (r->note)
		mf_cli_warning("%s", r->note);
	if (cli->json)
		show_json(cli, r, path, o.version);
	return 0;
}
