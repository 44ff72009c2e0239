#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/show.h"

/* A long author must not push the columns that matter off the screen. */
#define AUTHOR_SHOWN 40

static void list_result_cleanup(struct manifesto_list_result *r)
{
	manifesto_list_result_clear(r);
}

static int add_row(struct mf_cli_table *t, const struct manifesto_record *r, bool platforms,
		   struct manifesto_error *err)
{
	char time[MF_TIME_LEN], size[24];
	char *signers MF_FREE = mf_cli_show_signers(r->signers, r->nsigners);
	if (!signers)
		return mf_cli_nomem(err);
	mf_cli_table_add(t, r->type);
	if (platforms)
		mf_cli_table_add(t, r->platform);
	mf_cli_table_add(t, r->role);
	mf_cli_table_add(t, signers);
	mf_cli_table_add_cut(t, r->author, AUTHOR_SHOWN);
	mf_cli_show_time(time, r->created);
	mf_cli_table_add(t, time);
	mf_cli_show_time(time, r->expires);
	mf_cli_table_add(t, time);
	(void)snprintf(size, sizeof size, "%llu", (unsigned long long)r->length);
	mf_cli_table_add(t, size);
	mf_cli_table_add(t, r->state);
	mf_cli_table_add(t, r->digest);
	return 0;
}

static int show_text(const struct manifesto_list_result *r, bool platforms, struct manifesto_error *err)
{
	static const char *const heads[] = {"TYPE",    "PLATFORM", "ROLE", "SIGNERS", "AUTHOR",
					    "CREATED", "EXPIRES",  "SIZE", "STATE",   "DIGEST"};
	const size_t nheads = sizeof heads / sizeof heads[0];
	struct mf_cli_table t MF_CLI_TABLE_CLEANUP;
	mf_cli_table_init(&t, platforms ? nheads : nheads - 1);
	for (size_t i = 0; i < nheads; i++)
		if (platforms || i != 1)
			mf_cli_table_add(&t, heads[i]);
	for (size_t i = 0; i < r->nrecords; i++)
		if (add_row(&t, &r->records[i], platforms, err) < 0)
			return -1;
	return mf_cli_table_print(&t, stdout, err);
}

/* "Not approved" and "approved no more" differ: who withdrew a record, when and why. */
static void show_withdrawn(const struct manifesto_list_result *r)
{
	for (size_t i = 0; i < r->nrecords; i++) {
		const struct manifesto_record *w = &r->records[i];
		char time[MF_TIME_LEN];
		if (strcmp(w->state, "withdrawn") != 0)
			continue;
		mf_cli_show_time(time, w->created);
		mf_cli_message("'%s' was withdrawn by '%s' at %s: %s", w->type, w->role, time,
			       w->reason ? w->reason : "no reason given");
	}
}

static void show_json(const struct manifesto_list_result *r)
{
	struct mf_cli_json_out j;
	mf_cli_json_begin(&j, stdout, "list");
	mf_cli_json_text(&j, "image", r->image);
	mf_cli_json_open(&j, "records", '[');
	for (size_t i = 0; i < r->nrecords; i++) {
		mf_cli_json_open(&j, NULL, '{');
		mf_cli_show_record_json(&j, &r->records[i]);
		mf_cli_json_close(&j, '}');
	}
	mf_cli_json_close(&j, ']');
	mf_cli_json_texts(&j, "warnings", r->warnings, r->nwarnings);
	mf_cli_json_end(&j);
}

int mf_cli_run_list(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_list_options o = MANIFESTO_INIT(manifesto_list_options);
	struct manifesto_list_result r __attribute__((cleanup(list_result_cleanup))) =
	    MANIFESTO_INIT(manifesto_list_result);
	o.image = cli->argument[0];
	o.role = cli->args.value[MF_OPT_ROLE];
	o.platform = cli->args.value[MF_OPT_PLATFORM];
	o.all_platforms = mf_cli_args_has(&cli->args, MF_OPT_ALL_PLATFORMS);
	if (manifesto_list(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json) {
		show_json(&r);
		return 0;
	}
	for (size_t i = 0; i < r.nwarnings; i++)
		mf_cli_warning("%s", r.warnings[i]);
	if (!r.nrecords && !cli->quiet)
		mf_cli_message("no metadata for '%s'", o.image);
	if (!cli->quiet)
		show_withdrawn(&r);
	return r.nrecords ? show_text(&r, o.all_platforms, err) : 0;
}
