#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/show.h"

/* A long author must not push the columns that matter off the screen. */
#define AUTHOR_SHOWN 40
#define TAGS_SHOWN 40

/* The kind of table, which decides the columns besides those that all have. */
enum columns { ONE_IMAGE, PLATFORMS, REPOSITORY };

static int add_row(struct mf_cli_table *t, const struct manifesto_record *r, enum columns columns,
		   struct manifesto_error *err)
{
	char *signers MF_FREE = mf_cli_show_signers(r->signers, r->nsigners), time[MF_TIME_LEN];
	if (!signers)
		return mf_cli_nomem(err);
	mf_cli_table_add(t, r->type);
	if (columns == PLATFORMS)
		mf_cli_table_add(t, r->platform);
	mf_cli_table_add(t, r->role);
	mf_cli_table_add(t, signers);
	mf_cli_table_add_cut(t, r->author, AUTHOR_SHOWN);
	mf_cli_table_add(t, mf_cli_show_created(time, r));
	mf_cli_table_add(t, mf_cli_show_expires(time, r));
	mf_cli_table_addf(t, "%llu", (unsigned long long)r->length);
	mf_cli_table_add(t, r->state);
	if (columns != REPOSITORY)
		mf_cli_table_add(t, r->digest);
	return 0;
}

static int show_text(const struct manifesto_list_result *r, bool platforms, struct manifesto_error *err)
{
	static const char *const heads[] = {"TYPE",    "PLATFORM", "ROLE", "SIGNERS", "AUTHOR",
					    "CREATED", "EXPIRES",  "SIZE", "STATE",   "DIGEST"};
	static const char *const one[] = {"TYPE",    "ROLE", "SIGNERS", "AUTHOR", "CREATED",
					  "EXPIRES", "SIZE", "STATE",   "DIGEST"};
	struct mf_cli_table t MF_CLI_TABLE_CLEANUP;
	mf_cli_table_init(&t, platforms ? heads : one,
			  (platforms ? sizeof heads : sizeof one) / sizeof one[0]);
	for (size_t i = 0; i < r->nrecords; i++)
		if (add_row(&t, r->records[i], platforms ? PLATFORMS : ONE_IMAGE, err) < 0)
			return -1;
	return mf_cli_table_print(&t, stdout, err);
}

/* Shows who withdrew a record, when and why: a record that was withdrawn is not the same as none. */
static void show_withdrawn(FILE *f, const struct manifesto_list_result *r)
{
	for (size_t i = 0; i < r->nrecords; i++) {
		const struct manifesto_record *w = r->records[i];
		char time[MF_TIME_LEN];
		if (strcmp(w->state, "withdrawn") != 0)
			continue;
		mf_cli_show_time(time, w->created);
		mf_cli_message_to(f, "'%s' was withdrawn by '%s' at %s: %s", w->type, w->role, time,
				  w->reason ? w->reason : "no reason given");
	}
}

/* "1.0,latest", "(gone)", "(not copied)"; NULL when out of memory. */
static char *tags_of(const struct manifesto_subject *s)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	if (s->gone)
		(void)fputs("(gone)", f);
	if (s->not_copied)
		(void)fputs("(not copied)", f);
	for (size_t i = 0; i < s->ntags; i++)
		(void)fprintf(f, "%s%s", i ? "," : "", s->tags[i]);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static int add_subject(struct mf_cli_table *t, const struct manifesto_list_result *r,
		       const struct manifesto_subject *s, struct manifesto_error *err)
{
	char *tags MF_FREE = tags_of(s);
	if (!tags)
		return mf_cli_nomem(err);
	for (size_t i = s->first; i < s->first + s->nrecords; i++) {
		mf_cli_table_add(t, s->subject);
		mf_cli_table_add_cut(t, tags, TAGS_SHOWN);
		if (add_row(t, r->records[i], REPOSITORY, err) < 0)
			return -1;
	}
	return 0;
}

static void subjects_json(struct mf_json_out *j, const struct manifesto_list_result *r)
{
	for (size_t i = 0; i < r->nsubjects; i++) {
		const struct manifesto_subject *s = r->subjects[i];
		mf_json_add_object(j, NULL);
		mf_json_add_text(j, "image", s->image);
		mf_json_add_text(j, "subject", s->subject);
		mf_json_add_texts(j, "tags", s->tags, s->ntags);
		mf_json_add_bool(j, "gone", s->gone);
		if (s->not_copied)
			mf_json_add_bool(j, "notCopied", s->not_copied);
		mf_json_close(j);
	}
}

void mf_cli_show_list_json(struct mf_json_out *j, const struct manifesto_list_result *r, bool all)
{
	mf_json_add_text(j, all ? "repository" : "image", r->image);
	if (all) {
		mf_json_add_array(j, "images");
		subjects_json(j, r);
		mf_json_close(j);
	}
	mf_cli_show_records_json(j, r->records, r->nrecords);
	mf_json_add_texts(j, "warnings", r->warnings, r->nwarnings);
}

static void show_json(const struct mf_cli *cli, const struct manifesto_list_result *r)
{
	const bool all = false;
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, "list");
	mf_cli_show_at_json(cli, &j);
	mf_cli_show_list_json(&j, r, all);
	mf_cli_json_end(&j);
}

static void show_nothing(const struct manifesto_list_options *o)
{
	mf_cli_message("no metadata for '%s'%s", o->image,
		       o->types || o->roles || o->states ? " with these types, roles or states" : "");
}

/* ---- all images: written when the last part has come, because it may be the one that cannot be read */

struct parts {
	const struct mf_cli *cli;
	struct manifesto_error *err;
	size_t nrecords;
	FILE *images, *records; /* as arrays of JSON, */
	struct mf_json_out images_out, records_out;
	FILE *withdrawn, *promoted; /* or messages, and the table */
	struct mf_cli_table table;
};

static void parts_clear(struct parts *p)
{
	FILE *const files[] = {p->images, p->records, p->withdrawn, p->promoted};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (files[i])
			(void)fclose(files[i]);
	mf_cli_table_clear(&p->table);
}

static int begin_parts(struct parts *p, struct mf_err *why)
{
	static const char *const heads[] = {"IMAGE",  "TAGS",    "TYPE",    "ROLE", "SIGNERS",
					    "AUTHOR", "CREATED", "EXPIRES", "SIZE", "STATE"};
	mf_cli_table_init(&p->table, heads, sizeof heads / sizeof heads[0]);
	FILE **const a = p->cli->json ? &p->images : &p->withdrawn,
		     **const b = p->cli->json ? &p->records : &p->promoted;
	*a = mf_cli_spool_open(why);
	*b = *a ? mf_cli_spool_open(why) : NULL;
	if (!*b)
		return -1;
	if (!p->cli->json)
		return 0;
	mf_json_to_file(&p->images_out, p->images);
	mf_json_add_array(&p->images_out, NULL);
	mf_json_to_file(&p->records_out, p->records);
	mf_json_add_array(&p->records_out, NULL);
	return 0;
}

static int take_part(void *arg, const struct manifesto_list_result *r)
{
	struct parts *p = arg;
	p->nrecords += r->nrecords;
	if (p->cli->json) {
		subjects_json(&p->images_out, r);
		for (size_t i = 0; i < r->nrecords; i++) {
			mf_json_add_object(&p->records_out, NULL);
			mf_cli_show_record_json(&p->records_out, r->records[i]);
			mf_json_close(&p->records_out);
		}
		return 0;
	}
	if (!p->cli->quiet)
		show_withdrawn(p->withdrawn, r);
	for (size_t i = 0; i < r->nrecords && !p->cli->quiet; i++)
		mf_cli_show_promoted(p->promoted, r->records[i]);
	for (size_t i = 0; i < r->nsubjects; i++)
		if (add_subject(&p->table, r, r->subjects[i], p->err) < 0)
			return -1;
	return 0;
}

static int parts_json(struct parts *p, const struct manifesto_list_result *r, struct mf_err *why)
{
	struct mf_json_out j;
	mf_json_close(&p->images_out);
	mf_json_close(&p->records_out);
	if (mf_cli_spool_rewind(p->images, why) < 0 || mf_cli_spool_rewind(p->records, why) < 0)
		return -1;
	mf_cli_json_begin(&j, stdout, "list");
	mf_cli_show_at_json(p->cli, &j);
	mf_json_add_text(&j, "repository", r->image);
	mf_json_add_file(&j, "images", p->images);
	mf_json_add_file(&j, "records", p->records);
	mf_json_add_texts(&j, "warnings", r->warnings, r->nwarnings);
	mf_cli_json_end(&j);
	return mf_cli_spool_check(p->images, why) < 0 ? -1 : mf_cli_spool_check(p->records, why);
}

static int show_parts(struct parts *p, const struct manifesto_list_result *r,
		      const struct manifesto_list_options *o, struct manifesto_error *err)
{
	struct mf_err why = MF_ERR_INIT;
	if (p->cli->json)
		return parts_json(p, r, &why) < 0 ? mf_cli_take(err, &why) : 0;
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	if (!p->nrecords && !p->cli->quiet)
		show_nothing(o);
	if (mf_cli_spool_copy(p->withdrawn, stderr, &why) < 0 ||
	    mf_cli_spool_copy(p->promoted, stderr, &why) < 0)
		return mf_cli_take(err, &why);
	return p->nrecords ? mf_cli_table_print(&p->table, stdout, err) : 0;
}

static int run_all(struct mf_cli *cli, struct manifesto_list_options *o, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_list_result, r);
	struct manifesto_error ours = {0};
	struct mf_err why = MF_ERR_INIT;
	struct parts p MF_CLEANUP(parts_clear) = {.cli = cli, .err = &ours};
	if (begin_parts(&p, &why) < 0)
		return mf_cli_take(err, &why);
	o->part = take_part;
	o->part_arg = &p;
	if (manifesto_list(cli->m, o, &r, err) == 0)
		return show_parts(&p, r, o, err);
	if (ours.status)
		*err = ours;
	return -1;
}

/* The values of --type, --role and --state. */
struct filters {
	char *text[3];
	const char **items[3];
};

static void filters_clear(struct filters *f)
{
	for (size_t i = 0; i < 3; i++) {
		free(f->text[i]);
		free(f->items[i]);
	}
}

static int read_filters(const struct mf_cli *cli, struct filters *f, struct manifesto_list_options *o,
			struct manifesto_error *err)
{
	static const enum mf_cli_opt options[] = {MF_OPT_TYPE, MF_OPT_ROLE, MF_OPT_STATE};
	for (size_t i = 0; i < 3; i++)
		if (mf_cli_args_items(&cli->args, options[i], &f->text[i], &f->items[i], err) < 0)
			return -1;
	o->types = f->items[0];
	o->roles = f->items[1];
	o->states = f->items[2];
	return 0;
}

int mf_cli_run_list(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_list_options o = MANIFESTO_INIT(manifesto_list_options);
	MF_CLI_RESULT(manifesto_list_result, r);
	struct filters f MF_CLEANUP(filters_clear) = {{NULL}, {NULL}};
	o.image = cli->argument[0];
	o.all = mf_cli_args_has(&cli->args, MF_OPT_ALL);
	o.platform = cli->args.value[MF_OPT_PLATFORM];
	o.all_platforms = mf_cli_args_has(&cli->args, MF_OPT_ALL_PLATFORMS);
	if (read_filters(cli, &f, &o, err) < 0)
		return -1;
	if (o.all)
		return run_all(cli, &o, err);
	if (manifesto_list(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json) {
		show_json(cli, r);
		return 0;
	}
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	if (!r->nrecords && !cli->quiet)
		show_nothing(&o);
	if (!cli->quiet)
		show_withdrawn(stderr, r);
	for (size_t i = 0; i < r->nrecords && !cli->quiet; i++)
		mf_cli_show_promoted(stderr, r->records[i]);
	return r->nrecords ? show_text(r, o.all_platforms, err) : 0;
}
