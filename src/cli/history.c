#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/show.h"

#define REASON_SHOWN 60

/* ---- text: a table of what happened, then what the repository lacks */

static bool is_gap(const struct manifesto_history_event *e)
{
	return !e->record && !e->changed_role;
}

static char *signers_of(const struct manifesto_history_event *e)
{
	const struct manifesto_record *r = e->record;
	if (e->nadded)
		return mf_cli_show_signers(e->added, e->nadded);
	if (r && r->nsigners && strcmp(e->event, "unsigned") != 0)
		return mf_cli_show_signers(r->signers, r->nsigners);
	return mf_cli_show_signers(e->file_signers, e->nfile_signers);
}

static void add_versions(struct mf_cli_table *t, const struct manifesto_history_event *e)
{
	if (e->first_version < e->version)
		mf_cli_table_addf(t, "%lld-%lld", (long long)e->first_version, (long long)e->version);
	else
		mf_cli_table_addf(t, "%lld", (long long)e->version);
}

static int add_row(struct mf_cli_table *t, const struct manifesto_history_event *e,
		   struct manifesto_error *err)
{
	const struct manifesto_record *r = e->record;
	char *signers MF_FREE = signers_of(e);
	if (!signers)
		return mf_cli_nomem(err);
	mf_cli_table_add_time(t, e->seen);
	mf_cli_table_add_time(t, e->claimed);
	mf_cli_table_add(t, e->event);
	mf_cli_table_add(t, r->type);
	mf_cli_table_add(t, e->role);
	add_versions(t, e);
	mf_cli_table_add(t, signers);
	mf_cli_table_addf(t, "%llu", (unsigned long long)r->length);
	mf_cli_table_add(t, r->digest);
	mf_cli_table_add_cut(t, r->reason, REASON_SHOWN);
	return 0;
}

/* "targets/qa: alice" */
static char *change_of(const struct manifesto_history_event *e)
{
	char *text = NULL, *key MF_FREE = e->key ? mf_cli_show_signers(&e->key, 1) : NULL;
	const char *what = e->key ? key : e->detail;
	if ((e->key && !key) ||
	    asprintf(&text, "%s%s%s", e->changed_role, what ? ": " : "", what ? what : "") < 0)
		return NULL;
	return text;
}

/* A row of a repository's history. Events of roles have no image, but a detail. */
static int add_repository_row(struct mf_cli_table *t, const struct manifesto_history_event *e,
			      struct manifesto_error *err)
{
	const struct manifesto_record *r = e->record;
	char *signers MF_FREE = signers_of(e);
	char *change MF_FREE = r ? NULL : change_of(e);
	if (!signers || (!r && !change))
		return mf_cli_nomem(err);
	mf_cli_table_add_time(t, e->seen);
	mf_cli_table_add(t, e->event);
	mf_cli_table_add(t, r ? r->subject : NULL);
	mf_cli_table_add(t, r ? r->type : NULL);
	mf_cli_table_add(t, e->role);
	add_versions(t, e);
	mf_cli_table_add(t, signers);
	if (r)
		mf_cli_table_add_cut(t, r->reason, REASON_SHOWN);
	else
		mf_cli_table_add(t, change);
	return 0;
}

static int show_table(const struct manifesto_history_result *r, bool all, struct manifesto_error *err)
{
	static const char *const heads[] = {"SEEN",    "CLAIMED", "EVENT", "TYPE",   "ROLE",
					    "VERSION", "SIGNERS", "SIZE",  "DIGEST", "REASON"};
	static const char *const repository[] = {"SEEN", "EVENT",   "IMAGE",   "TYPE",
						 "ROLE", "VERSION", "SIGNERS", "DETAIL"};
	struct mf_cli_table t MF_CLI_TABLE_CLEANUP;
	size_t rows = 0;
	mf_cli_table_init(&t, all ? repository : heads,
			  (all ? sizeof repository : sizeof heads) / sizeof heads[0]);
	for (size_t i = 0; i < r->nevents; i++) {
		if (is_gap(r->events[i]))
			continue;
		rows++;
		if ((all ? add_repository_row(&t, r->events[i], err) : add_row(&t, r->events[i], err)) < 0)
			return -1;
	}
	return rows ? mf_cli_table_print(&t, stdout, err) : 0;
}

static void show_gap(const struct manifesto_history_event *e)
{
	bool one = e->first_version == e->version;
	const char *what = strcmp(e->event, "not-kept") == 0 ? (one ? "is not kept" : "are not kept")
			   : strcmp(e->event, "not-read") == 0
			       ? (one ? "is not shown (--limit)" : "are not shown (--limit)")
			   : strcmp(e->event, "unproven") == 0 ? "cannot be verified"
							       : "does not verify";
	mf_cli_printf("%s: version%s ", e->role, one ? "" : "s");
	if (!one)
		mf_cli_printf("%lld to ", (long long)e->first_version);
	mf_cli_printf("%lld %s%s%s\n", (long long)e->version, what, e->message ? ": " : "",
		      e->message ? e->message : "");
}

static int show_text(const struct manifesto_history_result *r, bool all, struct manifesto_error *err)
{
	if (show_table(r, all, err) < 0)
		return -1;
	for (size_t i = 0; i < r->nevents; i++) {
		const struct manifesto_history_event *e = r->events[i];
		if (is_gap(e))
			show_gap(e);
		else if (e->record && (strcmp(e->event, "put") == 0 || strcmp(e->event, "replaced") == 0))
			mf_cli_show_promoted(stderr, e->record);
	}
	return 0;
}

/* ---- JSON: one event a line, each complete in itself */

static void record_json(struct mf_json_out *j, const struct manifesto_record *r)
{
	char time[MF_TIME_LEN];
	mf_json_add_text(j, "type", r->type);
	mf_json_add_text(j, "digest", r->digest);
	mf_json_add_int(j, "length", (int64_t)r->length);
	mf_json_add_text(j, "mediaType", r->media_type);
	mf_json_add_text(j, "author", r->author);
	mf_json_add_text(j, "reason", r->reason);
	mf_json_add_text(j, "expires", mf_cli_show_expires(time, r));
	mf_cli_show_signers_json(j, "signers", r->signers, r->nsigners);
	mf_cli_show_promoted_json(j, r);
}

static void change_json(struct mf_json_out *j, const struct manifesto_history_event *e)
{
	mf_json_add_time(j, "seen", e->seen);
	mf_json_add_text(j, "changedRole", e->changed_role);
	if (e->key)
		mf_cli_show_signer_json(j, "key", e->key);
	else
		mf_json_add_text(j, "key", NULL);
	mf_json_add_text(j, "detail", e->detail);
	mf_cli_show_signers_json(j, "fileSigners", e->file_signers, e->nfile_signers);
	mf_json_add_text(j, "delegator", e->delegator);
	mf_json_add_int(j, "delegatorVersion", e->delegator_version);
}

void mf_cli_show_event_json(struct mf_json_out *j, const struct manifesto_history_event *e, const char *image)
{
	mf_json_add_text(j, "event", e->event);
	mf_json_add_text(j, "image", image);
	mf_json_add_text(j, "role", e->role);
	mf_json_add_int(j, "firstVersion", e->first_version);
	mf_json_add_int(j, "version", e->version);
	if (e->record) {
		mf_json_add_time(j, "claimed", e->claimed);
		mf_json_add_time(j, "seen", e->seen);
		record_json(j, e->record);
		mf_cli_show_signers_json(j, "addedSigners", e->added, e->nadded);
		mf_cli_show_signers_json(j, "fileSigners", e->file_signers, e->nfile_signers);
		mf_json_add_text(j, "delegator", e->delegator);
		mf_json_add_int(j, "delegatorVersion", e->delegator_version);
	} else if (e->changed_role) {
		change_json(j, e);
	}
	if (e->message)
		mf_json_add_text(j, "message", e->message);
}

static void event_json(const struct mf_cli *cli, const struct manifesto_history_result *r,
		       const struct manifesto_history_event *e, bool all)
{
	struct mf_json_out j;
	const char *image = e->record ? e->record->image : NULL;
	mf_cli_json_begin(&j, stdout, "history-event");
	mf_cli_show_at_json(cli, &j);
	if (all)
		mf_json_add_text(&j, "repository", r->image);
	mf_cli_show_event_json(&j, e, all ? image : r->image);
	mf_cli_json_end(&j);
}

int mf_cli_run_history(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_history_options o = MANIFESTO_INIT(manifesto_history_options);
	MF_CLI_RESULT(manifesto_history_result, r);
	o.image = cli->argument[0];
	o.type = cli->nargument > 1 ? cli->argument[1] : NULL;
	o.role = cli->args.value[MF_OPT_ROLE];
	o.platform = cli->args.value[MF_OPT_PLATFORM];
	o.all = mf_cli_args_has(&cli->args, MF_OPT_ALL);
	if (mf_cli_args_number(&cli->args, MF_OPT_LIMIT, 1, MF_MAX_HISTORY_VERSIONS, &o.limit, err) < 0 ||
	    manifesto_history(cli->m, &o, &r, err) < 0)
		return -1;
	if (!cli->json && show_text(r, o.all, err) < 0)
		return -1;
	for (size_t i = 0; cli->json && i < r->nevents; i++)
		event_json(cli, r, r->events[i], o.all);
	if (!cli->json && !r->nevents && !cli->quiet)
		mf_cli_message("no history for '%s'", o.image);
	if (!r->ninvalid)
		return 0;
	mf_cli_warning("%zu version%s in the history of '%s' %s not verify; the current records do",
		       r->ninvalid, r->ninvalid == 1 ? "" : "s", o.image, r->ninvalid == 1 ? "does" : "do");
	cli->outcome = MANIFESTO_INVALID;
	return 0;
}
