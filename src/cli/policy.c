#include <stdio.h>

#include "cli/command.h"
#include "cli/output.h"

static void policy_result_cleanup(struct manifesto_policy_result *r)
{
	manifesto_policy_result_clear(r);
}

static void show_text(const struct manifesto_policy_result *r)
{
	(void)fputs("An image must have", stdout);
	if (r->name) {
		(void)fputs(", for '", stdout);
		mf_cli_put_text(stdout, r->name);
		(void)fputc('\'', stdout);
	}
	(void)fputs(":\n", stdout);
	for (size_t i = 0; i < r->nlines; i++) {
		(void)fputs("  - ", stdout);
		mf_cli_put_text(stdout, r->lines[i]);
		(void)fputc('\n', stdout);
	}
}

int mf_cli_run_policy_check(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_policy_result r MF_CLEANUP(policy_result_cleanup) =
	    MANIFESTO_INIT(manifesto_policy_result);
	if (manifesto_policy_check(cli->argument[0], &r, err) < 0)
		return -1;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "policy-check");
		mf_json_add_text(&j, "name", r.name);
		mf_json_add_texts(&j, "requires", r.lines, r.nlines);
		mf_cli_json_end(&j);
	} else if (!cli->quiet) {
		show_text(&r);
	}
	return 0;
}
