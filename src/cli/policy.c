#include "cli/show.h"

int mf_cli_run_policy_check(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_policy_result, r);
	if (manifesto_policy_check(cli->argument[0], &r, err) < 0)
		return -1;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "policy-check");
		mf_json_add_text(&j, "name", r->name);
		mf_json_add_texts(&j, "requires", r->lines, r->nlines);
		mf_cli_json_end(&j);
	} else if (!cli->quiet) {
		mf_cli_printf("An image must have%s%s%s:\n", r->name ? ", for '" : "", r->name ? r->name : "",
			      r->name ? "'" : "");
		for (size_t i = 0; i < r->nlines; i++)
			mf_cli_printf("  - %s\n", r->lines[i]);
	}
	return 0;
}
