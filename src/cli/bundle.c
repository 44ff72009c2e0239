#include <string.h>

#include "cli/command.h"
#include "cli/show.h"

static void show_json(const struct manifesto_bundle_result *r, const char *path)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, "bundle-create");
	mf_json_add_text(&j, "output", path);
	mf_json_add_text(&j, "digest", r->digest);
	mf_json_add_int(&j, "length", (int64_t)r->length);
	mf_json_add_texts(&j, "images", r->images, r->nimages);
	mf_json_add_int(&j, "repositories", (int64_t)r->nrepositories);
	mf_json_add_int(&j, "records", (int64_t)r->nrecords);
	mf_json_add_texts(&j, "warnings", r->warnings, r->nwarnings);
	mf_cli_json_end(&j);
}

int mf_cli_run_bundle_create(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_bundle_options o = MANIFESTO_INIT(manifesto_bundle_options);
	MF_CLI_RESULT(manifesto_bundle_result, r);
	struct mf_cli_sink sink = {0};
	const char *path = cli->args.value[MF_OPT_OUTPUT];
	if (!path)
		return mf_cli_usage(err, "'bundle create' requires '--output FILE' ('-': standard output)");
	if (strcmp(path, "-") == 0)
		path = NULL;
	if (cli->json && !path)
		return mf_cli_usage(err,
				    "'bundle create --json' requires '--output FILE': bundle and JSON cannot "
				    "both go to standard output");
	o.images = cli->argument;
	o.nimages = cli->nargument;
	o.output_path = path;
	o.write = path ? NULL : mf_cli_write_out;
	o.write_arg = &sink;
	if (manifesto_bundle_create(cli->m, &o, &r, err) < 0)
		return sink.sys ? mf_cli_refail(err, MF_E_IO, sink.sys, "write standard output") : -1;
	if (cli->json) {
		show_json(r, path);
		return 0;
	}
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	if (!cli->quiet)
		mf_cli_message("bundle of %zu image%s with %zu record%s, %llu bytes, %s", r->nimages,
			       r->nimages == 1 ? "" : "s", r->nrecords, r->nrecords == 1 ? "" : "s",
			       (unsigned long long)r->length, r->digest);
	return 0;
}
