#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/show.h"

static void result_cleanup(struct manifesto_change_result *r)
{
	manifesto_change_result_clear(r);
}

static int finish(const struct mf_cli *cli, const char *schema, const struct manifesto_change_result *r,
		  void (*show)(const struct manifesto_change_item *i))
{
	bool published = false;
	if (cli->json) {
		mf_cli_show_change_json(schema, r);
		return 0;
	}
	for (size_t i = 0; i < r->nitems && !cli->quiet; i++) {
		show(&r->items[i]);
		published |= !r->items[i].unchanged;
	}
	if (published)
		mf_cli_show_published(r);
	for (size_t i = 0; i < r->nwarnings; i++)
		mf_cli_warning("%s", r->warnings[i]);
	return 0;
}

/* ---- rm */

static void show_removed(const struct manifesto_change_item *i)
{
	char *signers MF_FREE = mf_cli_show_signers(i->record.signers, i->record.nsigners);
	mf_cli_show_record_name(stdout, &i->record);
	(void)printf(" removed: %s, signed by ", i->record.digest);
	mf_cli_put_text(stdout, signers && *signers ? signers : "nobody whose signature counts");
	(void)fputc('\n', stdout);
}

int mf_cli_run_rm(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_remove_options o = MANIFESTO_INIT(manifesto_remove_options);
	struct manifesto_change_result r MF_CLEANUP(result_cleanup) = MANIFESTO_INIT(manifesto_change_result);
	o.image = cli->argument[0];
	o.type = cli->argument[1];
	o.role = cli->args.value[MF_OPT_ROLE];
	o.key = cli->args.value[MF_OPT_KEY];
	o.platform = cli->args.value[MF_OPT_PLATFORM];
	o.all_platforms = mf_cli_args_has(&cli->args, MF_OPT_ALL_PLATFORMS);
	o.force = mf_cli_args_has(&cli->args, MF_OPT_FORCE);
	o.reinstate = mf_cli_args_has(&cli->args, MF_OPT_REINSTATE);
	if (manifesto_remove(cli->m, &o, &r, err) < 0)
		return -1;
	return finish(cli, "rm", &r, show_removed);
}

/* ---- withdraw */

static void show_withdrawn(const struct manifesto_change_item *i)
{
	const struct manifesto_record *r = &i->record;
	mf_cli_show_record_name(stdout, r);
	(void)fputs(i->unchanged ? " was already withdrawn" : " withdrawn", stdout);
	for (size_t k = 0; k < r->nwithdrew; k++)
		(void)printf("%s %s", k ? "," : ":", r->withdrew[k]);
	(void)fputc('\n', stdout);
	if (!i->veto)
		return;
	(void)fputs("This is a veto: '", stdout);
	mf_cli_put_text(stdout, r->role);
	(void)fputs("' holds no such record itself, and blocks those of other roles\n", stdout);
}

int mf_cli_run_withdraw(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_withdraw_options o = MANIFESTO_INIT(manifesto_withdraw_options);
	struct manifesto_change_result r MF_CLEANUP(result_cleanup) = MANIFESTO_INIT(manifesto_change_result);
	o.image = cli->argument[0];
	o.type = cli->argument[1];
	o.reason = cli->args.value[MF_OPT_REASON];
	o.author = cli->args.value[MF_OPT_AUTHOR];
	o.role = cli->args.value[MF_OPT_ROLE];
	o.key = cli->args.value[MF_OPT_KEY];
	o.platform = cli->args.value[MF_OPT_PLATFORM];
	o.all_platforms = mf_cli_args_has(&cli->args, MF_OPT_ALL_PLATFORMS);
	o.force = mf_cli_args_has(&cli->args, MF_OPT_FORCE);
	if (!o.reason)
		return mf_cli_usage(err, "'withdraw' needs '--reason TEXT': it is what others will read");
	if (manifesto_withdraw(cli->m, &o, &r, err) < 0)
		return -1;
	return finish(cli, "withdraw", &r, show_withdrawn);
}
