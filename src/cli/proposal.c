#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/show.h"

#define ID_SHOWN 12 /* digits of an ID in a table */

/* ---------------------------------------------------------------- text */

static void put_signers(FILE *f, const char *what, const struct manifesto_signer *const *v, size_t n)
{
	char *text MF_FREE = mf_cli_show_signers(v, n);
	mf_text_printf(f, "  %-11s%s\n", what, n && text ? text : "nobody");
}

static void put_file(FILE *f, const struct manifesto_proposal_file *x)
{
	char expires[MF_TIME_LEN];
	mf_cli_show_time(expires, x->expires);
	mf_text_printf(f, "File of role '%s', version %lld", x->role, (long long)x->version);
	if (x->base_version)
		mf_text_printf(f, ", follows version %lld", (long long)x->base_version);
	mf_text_printf(f, ":\n  %-11s%s\n", "expires", expires);
	put_signers(f, "signed by", x->signers, x->nsigners);
	put_signers(f, "may sign", x->keys, x->nkeys);
	mf_text_printf(f, "  %-11s%zu of %zu\n", "missing", x->missing, x->threshold);
}

static void put_record(FILE *f, const struct manifesto_proposal_record *r)
{
	mf_text_printf(f, "Record %s:\n", r->what);
	mf_cli_show_record(f, r->record);
	if (!r->before)
		return;
	mf_text_printf(f, "in place of:\n");
	mf_cli_show_record(f, r->before);
}

/* Shows everything in a proposal: this is what people read before they sign it. */
static void describe(FILE *f, const struct manifesto_proposal *p)
{
	char created[MF_TIME_LEN], expires[MF_TIME_LEN];
	mf_cli_show_time(created, p->created);
	mf_cli_show_time(expires, p->expires);
	mf_text_printf(f, "Proposal %s for '%s': %s, made at %s, expires at %s\n", p->id ? p->id : p->path,
		       p->repository, p->state, created, expires);
	if (p->moved)
		mf_text_printf(f,
			       "Somebody has published since: it is applied to what is there now, and %zu "
			       "signature%s dropped.\n",
			       p->dropped, p->dropped == 1 ? " is" : "s are");
	for (size_t i = 0; i < p->nrecords; i++)
		put_record(f, p->records[i]);
	for (size_t i = 0; i < p->nchanges; i++)
		mf_text_printf(f, "%s: %s%s%s\n", p->changes[i]->what, p->changes[i]->role,
			       p->changes[i]->detail[0] ? " " : "", p->changes[i]->detail);
	for (size_t i = 0; i < p->nfiles; i++)
		put_file(f, p->files[i]);
}

static void show_text(const struct manifesto_proposal *p)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return;
	describe(f, p);
	if (fclose(f) == 0)
		(void)fwrite(text, 1, size, stdout);
	free(text);
}

/* ---------------------------------------------------------------- JSON */

static void file_json(struct mf_json_out *j, const struct manifesto_proposal_file *f)
{
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "role", f->role);
	mf_json_add_int(j, "version", f->version);
	mf_json_add_int(j, "baseVersion", f->base_version);
	mf_json_add_time(j, "expires", f->expires);
	mf_json_add_int(j, "threshold", (int64_t)f->threshold);
	mf_json_add_int(j, "missingSignatures", (int64_t)f->missing);
	mf_cli_show_signers_json(j, "signers", f->signers, f->nsigners);
	mf_cli_show_signers_json(j, "keys", f->keys, f->nkeys);
	mf_json_close(j);
}

static void record_json(struct mf_json_out *j, const char *name, const struct manifesto_record *r)
{
	if (!r) {
		mf_json_add_text(j, name, NULL);
		return;
	}
	mf_json_add_object(j, name);
	mf_cli_show_record_json(j, r);
	mf_json_add_texts(j, "others", r->others, r->nothers);
	mf_json_close(j);
}

static void changes_json(struct mf_json_out *j, const struct manifesto_proposal *p)
{
	mf_json_add_array(j, "records");
	for (size_t i = 0; i < p->nrecords; i++) {
		mf_json_add_object(j, NULL);
		mf_json_add_text(j, "what", p->records[i]->what);
		record_json(j, "record", p->records[i]->record);
		record_json(j, "before", p->records[i]->before);
		mf_json_close(j);
	}
	mf_json_close(j);
	mf_json_add_array(j, "changes");
	for (size_t i = 0; i < p->nchanges; i++) {
		mf_json_add_object(j, NULL);
		mf_json_add_text(j, "what", p->changes[i]->what);
		mf_json_add_text(j, "role", p->changes[i]->role);
		mf_json_add_text(j, "detail", p->changes[i]->detail[0] ? p->changes[i]->detail : NULL);
		mf_json_close(j);
	}
	mf_json_close(j);
}

static void proposal_json(struct mf_json_out *j, const char *name, const struct manifesto_proposal *p)
{
	mf_json_add_object(j, name);
	mf_json_add_text(j, "id", p->id);
	mf_json_add_text(j, "path", p->path);
	mf_json_add_text(j, "image", p->image);
	mf_json_add_text(j, "repository", p->repository);
	mf_json_add_text(j, "dialect", p->dialect);
	mf_json_add_time(j, "created", p->created);
	mf_json_add_time(j, "expires", p->expires);
	mf_json_add_text(j, "state", p->state);
	mf_json_add_text(j, "message", p->message);
	mf_json_add_bool(j, "moved", p->moved);
	mf_json_add_int(j, "droppedSignatures", (int64_t)p->dropped);
	mf_json_add_int(j, "missingSignatures", (int64_t)p->missing);
	mf_json_add_array(j, "files");
	for (size_t i = 0; i < p->nfiles; i++)
		file_json(j, p->files[i]);
	mf_json_close(j);
	changes_json(j, p);
	mf_json_close(j);
}

static void result_json(const char *schema, const struct manifesto_proposal_result *r)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, schema);
	proposal_json(&j, "proposal", r->proposal);
	mf_json_add_int(&j, "addedSignatures", (int64_t)r->added);
	mf_json_add_bool(&j, "published", r->published);
	mf_json_add_int(&j, "version", r->version);
	mf_json_add_text(&j, "publishedTo", r->published_to);
	mf_json_add_texts(&j, "warnings", r->warnings, r->nwarnings);
	mf_cli_json_end(&j);
}

/* ---------------------------------------------------------------- commands */

/* "[IMAGE] FILE|ID" */
static struct manifesto_proposal_options options(const struct mf_cli *cli)
{
	struct manifesto_proposal_options o = MANIFESTO_INIT(manifesto_proposal_options);
	o.image = cli->nargument > 1 ? cli->argument[0] : NULL;
	o.proposal = cli->argument[cli->nargument - 1];
	return o;
}

static const char *name_of(const struct manifesto_proposal *p)
{
	return p->id ? p->id : p->path;
}

static void show_published(const struct mf_cli *cli, const struct manifesto_proposal_result *r)
{
	if (cli->quiet)
		return;
	if (!r->published)
		mf_cli_printf("Proposal %s: nothing to publish, the repository is already so\n",
			      name_of(r->proposal));
	else
		mf_cli_printf("Proposal %s is published to %s\n", name_of(r->proposal), r->published_to);
}

int mf_cli_run_proposal_show(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_proposal_result, r);
	struct manifesto_proposal_options o = options(cli);
	if (manifesto_proposal_show(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json)
		result_json("proposal-show", r);
	else
		show_text(r->proposal);
	mf_cli_show_warnings(r->warnings, cli->json ? 0 : r->nwarnings);
	return 0;
}

/* Without the memory to show the proposal, the answer is no. */
static int confirm(void *arg, const struct manifesto_proposal *p)
{
	struct mf_cli *cli = arg;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return 0;
	describe(f, p);
	int yes = fclose(f) == 0 && mf_cli_prompt_confirm(&cli->prompt, text, "Sign it? [y/N] ");
	free(text);
	return yes;
}

static void show_signed(const struct manifesto_proposal_result *r)
{
	const struct manifesto_proposal *p = r->proposal;
	if (p->moved)
		mf_cli_printf(
		    "Somebody has published since it was proposed: it is applied to what is there now, "
		    "and %zu signature%s dropped\n",
		    p->dropped, p->dropped == 1 ? " is" : "s are");
	if (strcmp(p->state, "done") == 0 && !r->published)
		mf_cli_printf("Proposal %s: nothing to sign, the repository is already so\n", name_of(p));
	else if (!r->added)
		mf_cli_printf("Proposal %s was already signed\n", name_of(p));
	else
		mf_cli_printf("Proposal %s signed: %zu signature%s added\n", name_of(p), r->added,
			      r->added == 1 ? "" : "s");
	if (strcmp(p->state, "open") == 0)
		mf_cli_printf("%zu more signature%s needed\n", p->missing, p->missing == 1 ? " is" : "s are");
	if (strcmp(p->state, "ready") == 0)
		mf_cli_printf("No signature is missing: manifesto proposal publish %s%s%.*s\n",
			      p->id ? p->image : "", p->id ? " " : "",
			      p->id ? ID_SHOWN : (int)strlen(p->path), name_of(p));
}

int mf_cli_run_proposal_sign(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_proposal_result, r);
	struct manifesto_proposal_options o = options(cli);
	bool yes = mf_cli_args_has(&cli->args, MF_OPT_YES);
	if (!yes && !mf_cli_prompt_interactive(&cli->prompt))
		return mf_cli_usage(err,
				    "'proposal sign' shows what it signs and asks: without a terminal give "
				    "--yes");
	o.publish = mf_cli_args_has(&cli->args, MF_OPT_PUBLISH);
	o.confirm = yes ? NULL : confirm;
	o.confirm_arg = cli;
	if (manifesto_proposal_sign(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json) {
		result_json("proposal-sign", r);
		return 0;
	}
	if (!cli->quiet)
		show_signed(r);
	if (r->published)
		show_published(cli, r);
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	return 0;
}

int mf_cli_run_proposal_publish(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_proposal_result, r);
	struct manifesto_proposal_options o = options(cli);
	if (manifesto_proposal_publish(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json) {
		result_json("proposal-publish", r);
		return 0;
	}
	show_published(cli, r);
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	return 0;
}

int mf_cli_run_proposal_drop(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_proposal_result, r);
	struct manifesto_proposal_options o = options(cli);
	if (manifesto_proposal_drop(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json) {
		result_json("proposal-drop", r);
		return 0;
	}
	if (!cli->quiet)
		mf_cli_printf("Proposal %s is removed\n", r->proposal->id);
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	return 0;
}

/* ---------------------------------------------------------------- list */

/* "put qa-approval", "role qa" */
static void summarise(const struct manifesto_proposal *p, char out[80])
{
	size_t n = p->nrecords + p->nchanges;
	char more[32] = "";
	if (n > 1)
		(void)snprintf(more, sizeof more, " and %zu more", n - 1);
	if (p->nrecords)
		(void)snprintf(out, 80, "%s %.40s%s", p->records[0]->what, p->records[0]->record->type, more);
	else if (p->nchanges)
		(void)snprintf(out, 80, "%.20s %.20s%s", p->changes[0]->what, p->changes[0]->role, more);
	else
		(void)snprintf(out, 80, "-");
}

static void list_text(const struct manifesto_proposal_list *r)
{
	if (!r->nproposals)
		return;
	mf_cli_printf("%-*s  %-8s  %-20s  %-7s  %s\n", ID_SHOWN, "ID", "STATE", "CREATED", "MISSING",
		      "CHANGE");
	for (size_t i = 0; i < r->nproposals; i++) {
		const struct manifesto_proposal *p = r->proposals[i];
		char created[MF_TIME_LEN], what[80], missing[24];
		(void)snprintf(missing, sizeof missing, "%7zu", p->missing);
		mf_cli_show_time(created, p->created);
		summarise(p, what);
		mf_cli_printf("%.*s  %-8s  %-20s  %s  %s\n", ID_SHOWN, p->id, p->state, created, missing,
			      p->message ? p->message : what);
	}
}

int mf_cli_run_proposal_list(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_proposal_list, r);
	if (manifesto_proposal_list(cli->m, cli->argument[0], &r, err) < 0)
		return -1;
	if (!cli->json) {
		list_text(r);
		return 0;
	}
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, "proposal-list");
	mf_json_add_array(&j, "proposals");
	for (size_t i = 0; i < r->nproposals; i++)
		proposal_json(&j, NULL, r->proposals[i]);
	mf_json_close(&j);
	mf_cli_json_end(&j);
	return 0;
}
