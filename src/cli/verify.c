#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/images.h"
#include "cli/show.h"
#include "cli/verdict.h"

/* ---------------------------------------------------------------- results */

static int receive(void *arg, const struct manifesto_verify_item *item)
{
	struct mf_cli_verdicts *v = arg;
	*(item->accepted ? &v->accepted : &v->refused) += 1;
	mf_cli_progress_clear(&v->cli->config->progress);
	if (!v->begun) {
		v->begun = true;
		v->format->begin(v);
	}
	return v->format->item(v, item);
}

int mf_cli_run_verify(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_verify_options o = {.size = sizeof o, MF_CLI_REQUIREMENTS(&cli->args)};
	struct mf_cli_images images MF_CLI_IMAGES_CLEANUP = {0};
	struct mf_cli_verdicts verdicts = {.cli = cli};
	o.content = mf_cli_args_has(&cli->args, MF_OPT_CONTENT);
	o.vsa_path = cli->args.value[MF_OPT_VSA];
	o.vsa_key = cli->args.value[MF_OPT_KEY];
	o.vsa_verifier = cli->args.value[MF_OPT_VERIFIER_ID];
	if (!o.vsa_path && (o.vsa_key || o.vsa_verifier))
		return mf_cli_usage(err, "--key and --verifier-id are for --vsa");
	verdicts.format = mf_cli_verdict_format(cli, err);
	cli->json = verdicts.format && strcmp(verdicts.format->name, "json") == 0;
	if (!verdicts.format || mf_cli_args_duration(&cli->args, MF_OPT_MAX_AGE, &o.max_age, err) < 0 ||
	    mf_cli_images_collect(cli, &images, err) < 0)
		return -1;
	o.images = images.v;
	o.nimages = images.n;
	o.result = receive;
	o.result_arg = &verdicts;
	verdicts.images = images.n;
	int rc = manifesto_verify(cli->m, &o, err);
	if (verdicts.begun)
		verdicts.format->end(&verdicts, err);
	/* An image that was accepted stays accepted if another is refused: it is printed also if the run
	 * fails. */
	if (rc < 0)
		(void)fflush(stdout);
	return rc;
}

/* ---------------------------------------------------------------- policy check */

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
