/* report: one page about repositories and images, from the results of list, history, trust show, role list
 * and verify. */
#include "cli/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "base/limits.h"
#include "cli/config.h"
#include "cli/verdict.h"

#define DEFAULT_WARN (INT64_C(30) * 86400)
#define TRIES 3 /* attempts to read a state that does not change meanwhile */

/* One run of the command. */
struct run {
	struct mf_cli *cli;
	struct manifesto *m; /* its clock stands still: everything is checked at one time */
	struct mf_report *r;
	FILE *json;
	struct mf_json_out j;
	struct mf_report_image **asked; /* the images given to the gate, in order */
	size_t nasked, answered;
	struct mf_err err;
};

/* ---------------------------------------------------------------- the report */

static void repository_clear(struct mf_report_repository *r)
{
	for (size_t i = 0; i < r->nlists; i++)
		manifesto_result_free(r->lists[i]);
	manifesto_result_free(r->trust);
	manifesto_result_free(r->roles);
	manifesto_result_free(r->history);
}

static void report_clear(struct mf_report *r)
{
	for (size_t i = 0; i < r->n; i++)
		repository_clear(r->v[i]);
	mf_arena_clear(&r->a);
	free(r->json);
	r->n = r->nimages = r->accepted = r->refused = 0;
	r->v = NULL;
	r->json = NULL;
	r->status = MANIFESTO_OK;
}
#define REPORT_CLEANUP MF_CLEANUP(report_clear)

const struct mf_report_image *mf_report_find(const struct mf_report_repository *r, const char *subject)
{
	size_t lo = 0, hi = r->nimages;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(r->images[mid].subject, subject);
		if (c == 0)
			return &r->images[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool mf_report_shows(const struct mf_report_repository *r, const struct manifesto_history_event *e)
{
	return r->whole || !e->record || mf_report_find(r, e->record->subject);
}

int64_t mf_report_event_time(const struct manifesto_history_event *e)
{
	return e->seen ? e->seen : e->claimed;
}

/* ---------------------------------------------------------------- reading */

/* Wrong usage, no memory or a signal ends the run: a page would not help. */
static bool is_fatal(const struct manifesto_error *e)
{
	return e->status == MANIFESTO_USAGE || e->status == MANIFESTO_UNEXPECTED;
}

static int pass_on(const struct manifesto_error *why, struct manifesto_error *err)
{
	*err = *why;
	return -1;
}

static void count(struct mf_report *r, int status)
{
	r->status = manifesto_graver(r->status, status);
}

static struct mf_report_repository *add_repository(struct run *run, const char *name)
{
	struct mf_report *r = run->r;
	struct mf_report_repository *one = mf_arena_alloc(&r->a, 1, sizeof *one, &run->err);
	struct mf_report_repository **v =
	    one ? mf_arena_more(&r->a, r->v, r->n, sizeof(struct mf_report_repository *), &run->err) : NULL;
	if (!v)
		return NULL;
	r->v = v;
	r->v[r->n++] = one;
	one->name = mf_arena_text(&r->a, name);
	return one;
}

static struct mf_report_repository *find_repository(struct run *run, const char *name)
{
	for (size_t i = 0; i < run->r->n; i++)
		if (!run->r->v[i]->error.status && strcmp(run->r->v[i]->name, name) == 0)
			return run->r->v[i];
	return add_repository(run, name);
}

/* Takes the list. */
static int add_list(struct run *run, const char *reference, const struct manifesto_list_result *list)
{
	struct mf_report_repository *r = find_repository(run, list->repository);
	if (!r) {
		manifesto_result_free(list);
		return -1;
	}
	const struct manifesto_list_result **lists =
	    mf_arena_more(&run->r->a, r->lists, r->nlists, sizeof *lists, &run->err);
	const char **references =
	    lists ? mf_arena_more(&run->r->a, r->references, r->nlists, sizeof(char *), &run->err) : NULL;
	if (!references) {
		manifesto_result_free(list);
		return -1;
	}
	r->lists = lists;
	r->references = references;
	r->references[r->nlists] = reference;
	r->lists[r->nlists++] = list;
	r->whole |= list->subjects != NULL;
	return 0;
}

static int list_argument(struct run *run, const char *reference, struct manifesto_error *err)
{
	struct manifesto_list_options o = MANIFESTO_INIT(manifesto_list_options);
	const struct manifesto_list_result *list = NULL;
	struct manifesto_error why = {0};
	o.image = reference;
	o.all = 2;
	o.tagged = 1;
	if (manifesto_list(run->m, &o, &list, &why) == 0)
		return add_list(run, reference, list) < 0 ? mf_cli_take(err, &run->err) : 0;
	if (is_fatal(&why))
		return pass_on(&why, err);
	struct mf_report_repository *r = add_repository(run, reference);
	if (!r)
		return mf_cli_take(err, &run->err);
	r->error = why;
	return 0;
}

static int read_repository(struct run *run, struct mf_report_repository *r, struct manifesto_error *err)
{
	struct manifesto_history_options o = MANIFESTO_INIT(manifesto_history_options);
	o.image = r->name;
	o.all = 1;
	o.limit = run->r->limit;
	if (manifesto_trust_show(run->m, r->name, &r->trust, &r->error) < 0 ||
	    manifesto_role_list(run->m, r->name, NULL, &r->roles, &r->error) < 0)
		return is_fatal(&r->error) ? pass_on(&r->error, err) : 0;
	/* Without its history (which may be too long) the repository is still shown. */
	if (manifesto_history(run->m, &o, &r->history, &r->history_error) < 0 &&
	    r->history_error.status == MANIFESTO_UNEXPECTED)
		return pass_on(&r->history_error, err);
	return 0;
}

/* ---- has somebody published meanwhile? */

static bool same_versions(const struct manifesto_trust_result *a, const struct manifesto_trust_result *b)
{
	for (size_t i = 0; i < a->nroles && a->nroles == b->nroles; i++) {
		const struct manifesto_trust_role *x = a->roles[i], *y = b->roles[i];
		bool online = strcmp(x->name, "timestamp") == 0 || strcmp(x->name, "snapshot") == 0;
		if (strcmp(x->name, y->name) != 0 || (x->version != y->version && !online))
			return false;
	}
	return a->nroles == b->nroles;
}

static int check_settled(struct run *run, bool *settled, struct manifesto_error *err)
{
	*settled = true;
	for (size_t i = 0; i < run->r->n && *settled; i++) {
		const struct mf_report_repository *r = run->r->v[i];
		MF_CLI_RESULT(manifesto_trust_result, now);
		if (!r->error.status && manifesto_trust_show(run->m, r->name, &now, err) < 0)
			return -1;
		*settled = !now || same_versions(r->trust, now);
	}
	return 0;
}

/* ---------------------------------------------------------------- images */

/* The tag of a reference with a tag or a digest; NULL: it has none. */
static const char *tag_of(const char *reference)
{
	const char *slash = strrchr(reference, '/'), *colon = strrchr(reference, ':');
	return strchr(reference, '@') || !colon || (slash && colon < slash) ? NULL : colon + 1;
}

static int add_image(struct run *run, struct mf_report_repository *r, const struct mf_report_image *im)
{
	struct mf_report_image *v = mf_arena_more(&run->r->a, r->images, r->nimages, sizeof *v, &run->err);
	if (!v)
		return -1;
	r->images = v;
	r->images[r->nimages++] = *im;
	return 0;
}

static int add_single(struct run *run, struct mf_report_repository *r, size_t i)
{
	const struct manifesto_list_result *l = r->lists[i];
	const char **tag = mf_arena_alloc(&run->r->a, 1, sizeof(char *), &run->err);
	if (!tag)
		return -1;
	*tag = tag_of(r->references[i]);
	struct mf_report_image im = {.image = l->image,
				     .subject = strrchr(l->image, '@') + 1,
				     .tags = tag,
				     .ntags = *tag != NULL,
				     .records = l->records,
				     .nrecords = l->nrecords};
	return add_image(run, r, &im);
}

static int add_images(struct run *run, struct mf_report_repository *r, size_t i)
{
	const struct manifesto_list_result *l = r->lists[i];
	if (!l->subjects)
		return add_single(run, r, i);
	for (size_t k = 0; k < l->nsubjects; k++) {
		const struct manifesto_subject *s = l->subjects[k];
		struct mf_report_image im = {.image = s->image,
					     .subject = s->subject,
					     .tags = s->tags,
					     .ntags = s->ntags,
					     .gone = s->gone != 0,
					     .records = l->records + s->first,
					     .nrecords = s->nrecords};
		if (add_image(run, r, &im) < 0)
			return -1;
	}
	return 0;
}

/* Of several entries for one image, the one with the most tags comes first, and is kept. */
static int by_subject(const void *a, const void *b)
{
	const struct mf_report_image *x = a, *y = b;
	int c = strcmp(x->subject, y->subject);
	return c ? c : (x->ntags < y->ntags) - (x->ntags > y->ntags);
}

/* By the first tag, the newest version first; then images without a tag, then those that are gone. */
static int by_tag(const void *a, const void *b)
{
	const struct mf_report_image *x = *(const struct mf_report_image *const *)a;
	const struct mf_report_image *y = *(const struct mf_report_image *const *)b;
	int c = x->gone - y->gone;
	if (!c)
		c = (x->ntags == 0) - (y->ntags == 0);
	if (!c && x->ntags)
		c = strverscmp(y->tags[0], x->tags[0]);
	return c ? c : strcmp(x->subject, y->subject);
}

static int order_rows(struct run *run, struct mf_report_repository *r)
{
	const struct mf_report_image **rows = mf_arena_alloc(&run->r->a, r->nimages, sizeof *rows, &run->err);
	if (!rows)
		return -1;
	for (size_t i = 0; i < r->nimages; i++)
		rows[i] = &r->images[i];
	if (r->nimages)
		qsort(rows, r->nimages, sizeof *rows, by_tag);
	r->rows = rows;
	return 0;
}

static int collect_images(struct run *run, struct mf_report_repository *r)
{
	size_t kept = 0;
	for (size_t i = 0; i < r->nlists; i++)
		if (add_images(run, r, i) < 0)
			return -1;
	if (r->nimages)
		qsort(r->images, r->nimages, sizeof *r->images, by_subject);
	for (size_t i = 0; i < r->nimages; i++)
		if (!kept || strcmp(r->images[kept - 1].subject, r->images[i].subject) != 0)
			r->images[kept++] = r->images[i];
	r->nimages = kept;
	run->r->nimages += kept;
	return order_rows(run, r);
}

static int add_type(struct run *run, struct mf_report_repository *r, const char *type)
{
	size_t at = 0;
	while (at < r->ntypes && strcmp(r->types[at], type) < 0)
		at++;
	if (at < r->ntypes && strcmp(r->types[at], type) == 0)
		return 0;
	const char **v = mf_arena_more(&run->r->a, r->types, r->ntypes, sizeof(char *), &run->err);
	if (!v)
		return -1;
	r->types = v;
	memmove(&v[at + 1], &v[at], (r->ntypes++ - at) * sizeof(char *));
	v[at] = type;
	return 0;
}

static int collect_types(struct run *run, struct mf_report_repository *r)
{
	for (size_t i = 0; i < r->nimages; i++) {
		const struct mf_report_image *im = &r->images[i];
		for (size_t k = 0; k < im->nrecords; k++)
			if (strcmp(im->records[k]->type, "*") != 0 &&
			    add_type(run, r, im->records[k]->type) < 0)
				return -1;
		for (size_t k = 0; im->verdict && k < im->verdict->ntypes; k++)
			if (add_type(run, r, im->verdict->types[k]) < 0)
				return -1;
	}
	return 0;
}

/* ---------------------------------------------------------------- the gate */

static int keep_findings(struct run *run, const struct manifesto_verify_item *item,
			 struct mf_report_verdict *v)
{
	struct mf_arena *a = &run->r->a;
	size_t max = item->nfindings + item->nrequirements, n = 0;
	struct mf_report_finding *f = mf_arena_alloc(a, max, sizeof *f, &run->err);
	const char **types = f ? mf_arena_alloc(a, max, sizeof(char *), &run->err) : NULL;
	if (!types)
		return -1;
	for (size_t i = 0; i < item->nfindings; i++) {
		const struct manifesto_finding *from = item->findings[i];
		f[n++] = (struct mf_report_finding){
		    from->status, mf_arena_text(a, from->code), mf_arena_text(a, from->type),
		    mf_arena_text(a, from->wanted), mf_arena_text(a, from->found)};
		if (from->type)
			types[v->ntypes++] = f[n - 1].type;
	}
	for (size_t i = 0; i < item->nrequirements; i++) {
		const struct manifesto_requirement *q = item->requirements[i];
		char until[MF_TIME_LEN];
		types[v->ntypes++] = mf_arena_text(a, q->type);
		if (!q->waiver)
			continue;
		mf_cli_show_time(until, q->waiver->until);
		f[n++] = (struct mf_report_finding){
		    MANIFESTO_OK, "waived", mf_arena_text(a, q->type), mf_arena_text(a, q->wanted),
		    mf_arena_format(a, "waived by '%s' for '%s' until %s%s%s", q->waiver->name,
				    q->waiver->granted_to, until, q->waiver->reason ? ": " : "",
				    q->waiver->reason ? q->waiver->reason : "")};
	}
	v->findings = f;
	v->nfindings = n;
	v->types = types;
	return mf_arena_check(a, &run->err);
}

/* A refused image is a normal result of a report. An image that could not be verified is not, and counts for
 * the exit status. */
static bool is_refusal(int status)
{
	return status == MANIFESTO_POLICY || status == MANIFESTO_NOT_FOUND || status == MANIFESTO_USAGE;
}

/* Leaves out the records that meet a requirement: they are in the lists already. */
static void verdict_json(struct mf_json_out *j, const struct manifesto_verify_item *item,
			 const struct mf_report_verdict *v)
{
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "image", item->image);
	mf_json_add_bool(j, "accepted", item->accepted);
	mf_json_add_int(j, "exit", item->status);
	mf_cli_show_findings_json(j, item->findings, item->nfindings);
	mf_json_add_array(j, "waived");
	for (size_t i = item->nfindings; i < v->nfindings; i++) {
		mf_json_add_object(j, NULL);
		mf_json_add_text(j, "type", v->findings[i].type);
		mf_json_add_text(j, "waiver", v->findings[i].found);
		mf_json_close(j);
	}
	mf_json_close(j);
	mf_json_close(j);
}

static int receive(void *arg, const struct manifesto_verify_item *item)
{
	struct run *run = arg;
	struct mf_report_verdict *v = mf_arena_alloc(&run->r->a, 1, sizeof *v, &run->err);
	if (!v || keep_findings(run, item, v) < 0)
		return -1;
	v->accepted = item->accepted != 0;
	*(v->accepted ? &run->r->accepted : &run->r->refused) += 1;
	run->asked[run->answered++]->verdict = v;
	if (!is_refusal(item->status))
		count(run->r, item->status);
	verdict_json(&run->j, item, v);
	return 0;
}

/* An image that is gone cannot be used, and is not evaluated. */
static int choose_images(struct run *run, const char ***out)
{
	struct mf_report *r = run->r;
	const char **v = mf_arena_alloc(&r->a, r->nimages, sizeof(char *), &run->err);
	run->asked =
	    v ? mf_arena_alloc(&r->a, r->nimages, sizeof(struct mf_report_image *), &run->err) : NULL;
	run->nasked = run->answered = 0;
	if (!run->asked)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; !r->v[i]->error.status && k < r->v[i]->nimages; k++)
			if (!r->v[i]->images[k].gone) {
				v[run->nasked] = r->v[i]->images[k].image;
				run->asked[run->nasked++] = &r->v[i]->images[k];
			}
	*out = v;
	return 0;
}

static int evaluate(struct run *run, struct manifesto_error *err)
{
	struct manifesto_verify_options o = MANIFESTO_INIT(manifesto_verify_options);
	const char **images;
	struct manifesto_error why = {0};
	if (choose_images(run, &images) < 0)
		return mf_cli_take(err, &run->err);
	if (!run->nasked)
		return 0;
	o.images = images;
	o.nimages = run->nasked;
	o.require = run->r->require;
	o.policy_path = run->r->policy;
	o.result = receive;
	o.result_arg = run;
	int rc = manifesto_verify(run->m, &o, &why);
	if (run->err.code)
		return mf_cli_take(err, &run->err);
	if (rc == 0 || run->answered == run->nasked)
		return 0;
	return pass_on(&why, err);
}

/* ---------------------------------------------------------------- the run */

static void begin_json(struct run *run)
{
	const struct mf_report *r = run->r;
	mf_cli_json_begin(&run->j, run->json, "report");
	mf_json_add_time(&run->j, "time", r->now);
	mf_json_add_bool(&run->j, "asOf", r->as_of);
	mf_json_add_text(&run->j, "bundle", r->bundle);
	mf_json_add_int(&run->j, "warnWithin", r->warn_within);
	mf_json_add_text(&run->j, "policy", r->policy);
	mf_json_add_texts(&run->j, "policyRequires", r->policy_lines, r->npolicy_lines);
	size_t n = 0;
	while (r->require && r->require[n])
		n++;
	mf_json_add_texts(&run->j, "require", r->require, n);
}

static void note_roles(struct mf_report *r, const struct mf_report_repository *one)
{
	for (size_t i = 0; one->roles && i < one->roles->nroles; i++) {
		const char *state = one->roles->roles[i]->state;
		if (strcmp(state, "invalid") == 0)
			count(r, MANIFESTO_INVALID);
		else if (strcmp(state, "expired") == 0)
			count(r, MANIFESTO_EXPIRED);
	}
}

static void note_status(struct mf_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct mf_report_repository *one = r->v[i];
		count(r, one->error.status);
		count(r, one->history_error.status);
		if (one->history && one->history->ninvalid)
			count(r, MANIFESTO_INVALID);
		note_roles(r, one);
	}
}

static int gather(struct run *run, struct manifesto_error *err)
{
	struct mf_report *r = run->r;
	bool gated = r->policy || r->require;
	for (size_t i = 0; i < run->cli->nargument; i++)
		if (list_argument(run, run->cli->argument[i], err) < 0)
			return -1;
	for (size_t i = 0; i < r->n; i++)
		if (!r->v[i]->error.status && read_repository(run, r->v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < r->n; i++)
		if (!r->v[i]->error.status && collect_images(run, r->v[i]) < 0)
			return mf_cli_take(err, &run->err);
	if (gated) {
		mf_json_add_array(&run->j, "verified");
		if (evaluate(run, err) < 0)
			return -1;
		mf_json_close(&run->j);
	}
	for (size_t i = 0; i < r->n; i++)
		if (collect_types(run, r->v[i]) < 0)
			return mf_cli_take(err, &run->err);
	note_status(r);
	return 0;
}

static int gather_once(struct run *run, bool *settled, struct manifesto_error *err)
{
	struct mf_report *r = run->r;
	report_clear(r);
	run->err = (struct mf_err)MF_ERR_INIT;
	run->json = open_memstream(&r->json, &r->json_length);
	if (!run->json)
		return mf_cli_nomem(err);
	begin_json(run);
	int rc = gather(run, err) < 0 || check_settled(run, settled, err) < 0 ? -1 : 0;
	if (rc == 0) {
		mf_json_add_array(&run->j, "repositories");
		for (size_t i = 0; i < r->n; i++)
			mf_report_repository_json(&run->j, r->v[i]);
		mf_json_close(&run->j);
		mf_json_add_int(&run->j, "exit", r->status);
		mf_cli_json_end(&run->j);
	}
	if (fclose(run->json) != 0 && rc == 0)
		return mf_cli_nomem(err);
	return rc;
}

static int gather_settled(struct run *run, struct manifesto_error *err)
{
	bool settled = false;
	for (int i = 0; i < TRIES && !settled; i++)
		if (gather_once(run, &settled, err) < 0)
			return -1;
	if (settled)
		return 0;
	return mf_cli_fail(err, MF_E_CONFLICT, 0, "somebody published %d times while the report was made",
			   TRIES);
}

static int64_t standing_clock(void *arg)
{
	return *(const int64_t *)arg;
}

static int write_page(const struct mf_report *r, const char *path, struct manifesto_error *err)
{
	char *page MF_FREE = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&page, &n);
	if (!f)
		return mf_cli_nomem(err);
	int rc = mf_report_page(r, f, err);
	if (fclose(f) != 0 && rc == 0)
		return mf_cli_nomem(err);
	if (rc < 0)
		return -1;
	if (strcmp(path, "-") != 0)
		return manifesto_file_write(path, page, n, err);
	(void)fwrite(page, 1, n, stdout);
	return 0;
}

static void show_outcome(const struct mf_cli *cli, const struct mf_report *r, const char *path)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i]->error.status)
			mf_cli_print_error(&r->v[i]->error, cli->json);
		if (r->v[i]->history_error.status)
			mf_cli_print_error(&r->v[i]->history_error, cli->json);
	}
	if (cli->json)
		(void)fwrite(r->json, 1, r->json_length, stdout);
	else if (!cli->quiet && (r->policy || r->require))
		mf_cli_message("report on %zu image%s, of which %zu accepted and %zu refused: %s", r->nimages,
			       r->nimages == 1 ? "" : "s", r->accepted, r->refused, path);
	else if (!cli->quiet)
		mf_cli_message("report on %zu image%s: %s", r->nimages, r->nimages == 1 ? "" : "s", path);
}

static int read_options(const struct mf_cli *cli, struct mf_report *r, struct manifesto_error *err)
{
	const struct manifesto_options *o = &cli->config->options;
	r->warn_within = DEFAULT_WARN;
	r->policy = cli->args.value[MF_OPT_POLICY];
	r->require = cli->args.list[MF_OPT_REQUIRE];
	r->bundle = o->bundle;
	r->as_of = o->at != 0;
	r->now = o->at ? o->at : (int64_t)time(NULL);
	if (!cli->args.value[MF_OPT_OUTPUT])
		return mf_cli_usage(err, "'report' requires '--output FILE' ('-': standard output)");
	if (cli->json && strcmp(cli->args.value[MF_OPT_OUTPUT], "-") == 0)
		return mf_cli_usage(
		    err, "'report --json' requires '--output FILE': page and JSON cannot both go to "
			 "standard output");
	if (r->policy && strcmp(r->policy, "-") == 0)
		return mf_cli_usage(err, "'report' reads the policy from a file, not from standard input");
	if (mf_cli_args_duration(&cli->args, MF_OPT_WARN_WITHIN, &r->warn_within, err) < 0)
		return -1;
	return mf_cli_args_number(&cli->args, MF_OPT_LIMIT, 1, MF_MAX_HISTORY_VERSIONS, &r->limit, err);
}

static int make(struct run *run, const char *path, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_policy_result, policy);
	struct mf_report *r = run->r;
	if (r->policy && manifesto_policy_check(r->policy, &policy, err) < 0)
		return -1;
	if (policy) {
		r->policy_name = policy->name;
		r->policy_lines = policy->lines;
		r->npolicy_lines = policy->nlines;
	}
	return gather_settled(run, err) < 0 ? -1 : write_page(r, path, err);
}

int mf_cli_run_report(struct mf_cli *cli, struct manifesto_error *err)
{
	struct mf_report r REPORT_CLEANUP = {.a = MF_ARENA_INIT};
	struct run run = {.cli = cli, .r = &r, .err = MF_ERR_INIT};
	struct manifesto_options o = cli->config->options;
	const char *path = cli->args.value[MF_OPT_OUTPUT];
	if (read_options(cli, &r, err) < 0)
		return -1;
	if (!r.as_of) {
		o.now = standing_clock;
		o.now_arg = &r.now;
	}
	if (manifesto_new(&o, &run.m, err) < 0)
		return -1;
	int rc = make(&run, path, err);
	mf_cli_context_free(cli, run.m);
	if (rc < 0)
		return -1;
	mf_cli_progress_clear(&cli->config->progress);
	show_outcome(cli, &r, path);
	cli->outcome = r.status;
	return 0;
}
