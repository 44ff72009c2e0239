#include <string.h>

#include "cli/command.h"
#include "cli/show.h"

static void show_json(const struct manifesto_export_result *r, const char *path)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, "export");
	mf_json_add_text(&j, "output", path);
	mf_json_add_text(&j, "image", r->image);
	mf_json_add_text(&j, "predicateType", r->predicate_type);
	mf_cli_show_signers_json(&j, "signers", r->signers, r->nsigners);
	mf_json_add_text(&j, "attached", r->attached);
	mf_cli_json_end(&j);
}

int mf_cli_run_export(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_export_options o = MANIFESTO_INIT(manifesto_export_options);
	MF_CLI_RESULT(manifesto_export_result, r);
	struct mf_cli_sink sink = {0};
	const char *path = cli->args.value[MF_OPT_OUTPUT];
	if (path && strcmp(path, "-") == 0)
		path = NULL;
	o.attach = mf_cli_args_has(&cli->args, MF_OPT_ATTACH);
	if (cli->json && !path && !o.attach)
		return mf_cli_usage(err,
				    "'export --json' requires '--output FILE' or '--attach': two documents "
				    "cannot both go to standard output");
	o.image = cli->argument[0];
	o.type = cli->argument[1];
	o.role = cli->args.value[MF_OPT_ROLE];
	o.platform = cli->args.value[MF_OPT_PLATFORM];
	o.format = cli->args.value[MF_OPT_FORMAT];
	o.predicate_type = cli->args.value[MF_OPT_PREDICATE_TYPE];
	o.key = cli->args.value[MF_OPT_KEY];
	o.output_path = path;
	o.write = path || o.attach ? NULL : mf_cli_write_out;
	o.write_arg = &sink;
	if (manifesto_export(cli->m, &o, &r, err) < 0)
		return sink.sys ? mf_cli_refail(err, MF_E_IO, sink.sys, "write standard output") : -1;
	if (cli->json)
		show_json(r, path);
	else if (r->attached && !cli->quiet)
		mf_cli_printf("Attached to '%s' as %s\n", r->image, r->attached);
	return 0;
}
