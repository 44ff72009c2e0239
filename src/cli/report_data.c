/* The data of a report, as JSON. */
#include <string.h>

#include "cli/report.h"

#define EVENTS_IN_DATA 500 /* newest events, so that a page can be mailed; 'manifesto history' shows all */

static void role_json(struct mf_json_out *j, const struct manifesto_trust_role *t,
		      const struct manifesto_role_list *l)
{
	const struct manifesto_role *role = NULL;
	for (size_t i = 0; i < l->nroles && !role; i++)
		if (strcmp(l->roles[i]->name, t->name) == 0)
			role = l->roles[i];
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "name", t->name);
	mf_json_add_text(j, "parent", role ? role->parent : NULL);
	mf_json_add_int(j, "version", t->version);
	mf_json_add_time(j, "expires", t->expires);
	mf_json_add_int(j, "threshold", t->threshold);
	mf_json_add_texts(j, "types", role ? role->types : NULL, role ? role->ntypes : 0);
	mf_json_add_texts(j, "paths", t->paths, t->npaths);
	mf_json_add_text(j, "state", role ? role->state : NULL);
	mf_json_add_text(j, "problem", role ? role->problem : NULL);
	mf_cli_show_signers_json(j, "keys", t->keys, t->nkeys);
	mf_json_close(j);
}

/* Leaves out what concerns only the machine that made the report: where its pins are, which keys it has. */
static void trust_json(struct mf_json_out *j, const struct mf_report_repository *r)
{
	mf_json_add_text(j, "gun", r->trust->gun);
	mf_json_add_text(j, "where", r->trust->where);
	mf_json_add_text(j, "dialect", r->trust->dialect);
	mf_json_add_texts(j, "pinned", r->trust->pinned, r->trust->npinned);
	mf_json_add_array(j, "roles");
	for (size_t i = 0; i < r->trust->nroles; i++)
		role_json(j, r->trust->roles[i], r->roles);
	mf_json_close(j);
}

static void history_json(struct mf_json_out *j, const struct mf_report_repository *r)
{
	size_t records = 0, omitted = 0;
	for (size_t i = 0; r->history && i < r->history->nevents; i++)
		records += r->history->events[i]->record && mf_report_shows(r, r->history->events[i]);
	mf_json_add_array(j, "history");
	for (size_t i = 0; r->history && i < r->history->nevents; i++) {
		const struct manifesto_history_event *e = r->history->events[i];
		if (!mf_report_shows(r, e))
			continue;
		if (e->record && records - omitted > EVENTS_IN_DATA) {
			omitted++;
			continue;
		}
		mf_json_add_object(j, NULL);
		mf_cli_show_event_json(j, e, e->record ? e->record->image : NULL);
		mf_json_close(j);
	}
	mf_json_close(j);
	mf_json_add_int(j, "historyOmitted", (int64_t)omitted);
	if (r->history_error.status) {
		mf_json_add_object(j, "historyFailed");
		mf_cli_json_error(j, &r->history_error);
		mf_json_close(j);
	}
}

void mf_report_repository_json(struct mf_json_out *j, const struct mf_report_repository *r)
{
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "repository", r->name);
	mf_json_add_int(j, "exit", r->error.status);
	if (r->error.status) {
		mf_cli_json_error(j, &r->error);
		mf_json_close(j);
		return;
	}
	trust_json(j, r);
	mf_json_add_array(j, "lists");
	for (size_t i = 0; i < r->nlists; i++) {
		mf_json_add_object(j, NULL);
		mf_cli_show_list_json(j, r->lists[i], r->lists[i]->subjects != NULL);
		mf_json_close(j);
	}
	mf_json_close(j);
	history_json(j, r);
	mf_json_close(j);
}
