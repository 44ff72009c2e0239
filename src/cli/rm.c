#include "cli/show.h"

/* ---- rm */

static void show_removed(const struct manifesto_change_item *i)
{
	char *signers MF_FREE = mf_cli_show_signers(i->record->signers, i->record->nsigners);
	mf_cli_show_record_name(i->record);
	mf_cli_printf(" removed: %s, signed by %s\n", i->record->digest,
		      signers && *signers ? signers : "nobody whose signature counts");
}

int mf_cli_run_rm(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_change_options o = mf_cli_change_options(cli);
	return mf_cli_change(cli, &(struct mf_cli_change){"rm", manifesto_remove, show_removed, NULL}, &o,
			     err);
}

/* ---- withdraw */

static void show_withdrawn(const struct manifesto_change_item *i)
{
	const struct manifesto_record *r = i->record;
	mf_cli_show_record_name(r);
	mf_cli_printf(i->unchanged ? " was already withdrawn" : " withdrawn");
	for (size_t k = 0; k < r->nwithdrew; k++)
		mf_cli_printf("%s %s", k ? "," : ":", r->withdrew[k]);
	mf_cli_printf("\n");
	if (i->veto)
		mf_cli_printf(
		    "This is a veto: '%s' holds no such record itself, and blocks those of other roles\n",
		    r->role);
}

int mf_cli_run_withdraw(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_change_options o = mf_cli_change_options(cli);
	if (!o.reason)
		return mf_cli_usage(err, "'withdraw' needs '--reason TEXT': it is what others will read");
	return mf_cli_change(
	    cli, &(struct mf_cli_change){"withdraw", manifesto_withdraw, show_withdrawn, NULL}, &o, err);
}

/* ---- veto */

static void show_vetoed(const struct manifesto_change_item *i)
{
	mf_cli_show_record_name(i->record);
	mf_cli_printf("%s by '%s', for gates whose policy gives that role a veto\n",
		      i->unchanged ? " was already stopped" : " stopped", i->record->role);
}

static void show_lifted(const struct manifesto_change_item *i)
{
	mf_cli_show_record_name(i->record);
	mf_cli_printf(": the veto of '%s' is lifted\n", i->record->role);
}

int mf_cli_run_veto(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_change_options o = mf_cli_change_options(cli);
	o.reinstate = mf_cli_args_has(&cli->args, MF_OPT_LIFT);
	if (!o.reason && !o.reinstate)
		return mf_cli_usage(err, "'veto' needs '--reason TEXT': it is what others will read");
	if (o.reason && o.reinstate)
		return mf_cli_usage(err, "'--lift' removes a veto; it takes no '--reason'");
	const struct mf_cli_change c = {"veto", manifesto_veto, o.reinstate ? show_lifted : show_vetoed,
					NULL};
	return mf_cli_change(cli, &c, &o, err);
}
