/* Commands that change records, of one image or of several. */
#include <stdlib.h>
#include <string.h>

#include "cli/config.h"
#include "cli/images.h"
#include "cli/show.h"

struct manifesto_change_options mf_cli_change_options(const struct mf_cli *cli)
{
	const struct mf_cli_args *a = &cli->args;
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	size_t images = mf_cli_image_words(cli);
	o.image = cli->argument[0];
	o.type = images < cli->nargument ? cli->argument[images] : NULL;
	o.role = a->value[MF_OPT_ROLE];
	o.key = a->value[MF_OPT_KEY];
	o.platform = a->value[MF_OPT_PLATFORM];
	o.all_platforms = mf_cli_args_has(a, MF_OPT_ALL_PLATFORMS);
	o.force = mf_cli_args_has(a, MF_OPT_FORCE);
	o.reinstate = mf_cli_args_has(a, MF_OPT_REINSTATE);
	o.author = a->value[MF_OPT_AUTHOR];
	o.reason = a->value[MF_OPT_REASON];
	o.propose = a->value[MF_OPT_PROPOSE];
	return o;
}

bool mf_cli_change_is_many(const struct mf_cli *cli)
{
	return mf_cli_image_words(cli) != 1 || strcmp(cli->argument[0], "-") == 0;
}

void mf_cli_show_published(FILE *f, const struct manifesto_change_result *r)
{
	const struct manifesto_signer *s = r->signer;
	mf_text_printf(f, "Signed by %s (%s %.*s) in %s, version %lld; published to %s\n",
		       s->name ? s->name : "-", s->key_type, MF_CLI_FINGERPRINT_SHORT, s->fingerprint,
		       r->role, (long long)r->version, r->published_to);
}

/* Was at least one record changed and published? */
static bool is_published(const struct manifesto_change_result *r)
{
	bool any = false;
	for (size_t i = 0; i < r->nitems; i++)
		any |= !r->items[i]->unchanged;
	return any && !r->proposal;
}

static void members_json(struct mf_json_out *j, const struct manifesto_change_result *r,
			 const struct manifesto_change_item *const *items, size_t n)
{
	mf_json_add_array(j, "items");
	for (size_t i = 0; i < n; i++) {
		mf_json_add_object(j, NULL);
		mf_json_add_bool(j, "unchanged", items[i]->unchanged);
		mf_json_add_bool(j, "veto", items[i]->veto);
		mf_json_add_object(j, "record");
		mf_cli_show_record_json(j, items[i]->record);
		mf_json_close(j);
		mf_json_close(j);
	}
	mf_json_close(j);
	mf_json_add_text(j, "role", r->role);
	mf_json_add_int(j, "version", r->version);
	mf_json_add_text(j, "publishedTo", r->published_to);
	mf_cli_show_signer_json(j, "signer", r->signer);
	mf_json_add_texts(j, "warnings", r->warnings, r->nwarnings);
	mf_cli_show_proposed_json(j, r->proposal, r->missing);
}

/* ---------------------------------------------------------------- one image */

static int change_one(struct mf_cli *cli, const struct mf_cli_change *c,
		      const struct manifesto_change_options *o, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_change_result, r);
	if (c->run(cli->m, o, &r, err) < 0)
		return -1;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, c->schema);
		members_json(&j, r, r->items, r->nitems);
		mf_cli_json_end(&j);
		return 0;
	}
	for (size_t i = 0; i < r->nitems && !cli->quiet && !r->proposal; i++)
		c->item(r->items[i]);
	if (is_published(r) && !cli->quiet)
		mf_cli_show_published(stdout, r);
	mf_cli_show_proposed(stdout, cli, o->image, &(struct mf_cli_proposed){r->proposal, r->missing});
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	return 0;
}

/* ---------------------------------------------------------------- several images */

struct sink {
	const struct mf_cli *cli;
	const struct mf_cli_change *command;
	bool begun;
	struct mf_json_out j;
	FILE *published; /* a line for each repository, printed after those of the images */
	size_t changed, failed;
};

static void show_failure(const struct manifesto_change_outcome *out)
{
	const struct manifesto_error *e = out->error;
	bool where = e->endpoint[0] && !strstr(e->message, e->endpoint);
	mf_cli_message("not changed '%s': %s%s%s%s%s%s", out->image, e->message, where ? " (" : "",
		       where ? e->endpoint : "", where ? ")" : "", e->hint[0] ? "; " : "", e->hint);
}

/* What concerns a repository is shown with the first of its images. */
static void show_repository(struct sink *s, const struct manifesto_change_outcome *out)
{
	const struct manifesto_change_result *r = out->change;
	if (!s->cli->quiet) {
		if (is_published(r))
			mf_cli_show_published(s->published, r);
		mf_cli_show_proposed(s->published, s->cli, out->image,
				     &(struct mf_cli_proposed){r->proposal, r->missing});
		if (r->initialised)
			mf_cli_show_initialised(r->published_to, s->cli->config->options.home, r->keys_made,
						r->nkeys_made, r->pinned, r->npinned);
	}
	mf_cli_show_warnings(r->warnings, r->nwarnings);
}

static void show_text(struct sink *s, const struct manifesto_change_outcome *out)
{
	if (out->error) {
		show_failure(out);
		return;
	}
	for (size_t i = 0; i < out->nitems && !s->cli->quiet; i++)
		if (out->change->proposal) {
			mf_cli_show_record_name(out->items[i]->record);
			mf_cli_printf(" proposed\n");
		} else {
			s->command->item(out->items[i]);
		}
	/* Flushed at once, so that a run that is killed has reported what it published. */
	(void)fflush(stdout);
	if (out->first)
		show_repository(s, out);
}

static void show_json(struct sink *s, const struct manifesto_change_outcome *out)
{
	struct mf_json_out *j = &s->j;
	if (!s->begun) {
		char schema[64];
		(void)snprintf(schema, sizeof schema, "%s-images", s->command->schema);
		mf_cli_json_begin(j, stdout, schema);
		mf_json_add_array(j, "images");
		s->begun = true;
	}
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "reference", out->image);
	if (out->error)
		mf_cli_json_error(j, out->error);
	else
		(s->command->members ? s->command->members : members_json)(j, out->change, out->items,
									   out->nitems);
	mf_json_add_int(j, "exit", out->error ? out->error->status : 0);
	mf_json_close(j);
}

static int receive(void *arg, const struct manifesto_change_outcome *out)
{
	struct sink *s = arg;
	mf_cli_progress_clear(&s->cli->config->progress);
	*(out->error ? &s->failed : &s->changed) += 1;
	if (s->cli->json)
		show_json(s, out);
	else
		show_text(s, out);
	return 0;
}

static void end_json(struct sink *s, size_t images, const struct manifesto_error *err)
{
	if (!s->begun)
		return;
	mf_json_close(&s->j);
	mf_json_add_int(&s->j, "changed", (int64_t)s->changed);
	mf_json_add_int(&s->j, "failed", (int64_t)(images - s->changed));
	mf_json_add_int(&s->j, "exit", err->status);
	mf_cli_json_end(&s->j);
}

static int change_many(struct mf_cli *cli, const struct mf_cli_change *c, struct manifesto_change_options *o,
		       struct manifesto_error *err)
{
	struct mf_cli_images images MF_CLI_IMAGES_CLEANUP = {0};
	struct sink s = {.cli = cli, .command = c};
	char *published MF_FREE = NULL;
	size_t size = 0;
	if (mf_cli_images_collect(cli, &images, err) < 0)
		return -1;
	s.published = open_memstream(&published, &size);
	if (!s.published)
		return mf_cli_nomem(err);
	o->image = NULL;
	o->images = images.v;
	o->nimages = images.n;
	o->result = receive;
	o->result_arg = &s;
	int rc = c->run(cli->m, o, NULL, err);
	if (fclose(s.published) == 0)
		(void)fwrite(published, 1, size, stdout);
	end_json(&s, images.n, err);
	/* What was published stays published, and is reported also if the run fails. */
	if (rc < 0)
		(void)fflush(stdout);
	return rc;
}

int mf_cli_change(struct mf_cli *cli, const struct mf_cli_change *c, struct manifesto_change_options *o,
		  struct manifesto_error *err)
{
	return mf_cli_change_is_many(cli) ? change_many(cli, c, o, err) : change_one(cli, c, o, err);
}
