#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/show.h"

/* A date or time, or a duration from now. */
static int parse_expires(const char *text, int64_t *out, struct manifesto_error *err)
{
	struct mf_err bad = MF_ERR_INIT;
	struct mf_esc shown;
	int64_t now = (int64_t)time(NULL), duration = 0;
	if (mf_cli_parse_duration(text, &duration) == 0)
		*out = now + duration;
	else if (mf_time_parse_written(mf_str_c(text), out, &bad) < 0)
		return mf_cli_usage(
		    err,
		    "--expires '%s' is neither a duration such as 90d or 1y, nor a date or time such as "
		    "2030-01-31 or 2030-01-31T12:00:00Z",
		    mf_esc(&shown, mf_str_c(text)));
	if (*out <= now)
		return mf_cli_usage(err, "--expires '%s' is in the past", mf_esc(&shown, mf_str_c(text)));
	return 0;
}

static int check_annotations(const struct mf_cli_args *a, struct manifesto_error *err)
{
	struct mf_esc shown;
	const char *const *list = a->list[MF_OPT_ANNOTATION];
	for (size_t i = 0; i < a->times[MF_OPT_ANNOTATION]; i++) {
		const char *eq = strchr(list[i], '=');
		if (!eq || eq == list[i])
			return mf_cli_usage(err, "--annotation '%s' is not KEY=VALUE",
					    mf_esc(&shown, mf_str_c(list[i])));
		size_t n = (size_t)(eq - list[i]) + 1;
		for (size_t k = 0; k < i; k++)
			if (strncmp(list[i], list[k], n) == 0)
				return mf_cli_usage(err, "--annotation '%s' is given twice",
						    mf_esc(&shown, (struct mf_str){list[i], n - 1}));
	}
	return 0;
}

static int fill_options(struct manifesto_change_options *o, const struct mf_cli *cli,
			struct manifesto_error *err)
{
	const struct mf_cli_args *a = &cli->args;
	o->attestation_path = a->value[MF_OPT_FROM_DSSE];
	o->attestation_signer = a->value[MF_OPT_SIGNER];
	if (!o->attestation_path != !o->attestation_signer)
		return mf_cli_usage(err, "--from-dsse and --signer need each other");
	o->path = o->attestation_path ? NULL : cli->argument[cli->nargument - 1];
	o->media_type = a->value[MF_OPT_MEDIA_TYPE];
	o->annotations = a->list[MF_OPT_ANNOTATION];
	o->init = mf_cli_args_has(a, MF_OPT_INIT);
	o->link = mf_cli_args_has(a, MF_OPT_LINK);
	if (check_annotations(a, err) < 0)
		return -1;
	return a->value[MF_OPT_EXPIRES] ? parse_expires(a->value[MF_OPT_EXPIRES], &o->expires, err) : 0;
}

/* On a terminal the line appears before the work. Elsewhere it stays in the stream's buffer until the work is
 * done, so that a put that fails writes nothing to standard output (see main.c). */
static void progress(void *arg, const char *image, const char *type)
{
	const struct mf_cli *cli = arg;
	if (cli->json || cli->quiet)
		return;
	mf_cli_printf("Storing metadata '%s' for '%s'\n", type, image);
	if (isatty(STDOUT_FILENO))
		(void)fflush(stdout);
}

static const char *ending(const struct manifesto_change_item *i)
{
	return i->unchanged         ? "; nothing to publish"
	       : i->signature_added ? "; signature added to those of others"
				    : "";
}

static const char *stored(const struct manifesto_change_item *i)
{
	return i->unchanged || i->signature_added ? "is already stored at" : "stored at";
}

static void show_text(const struct mf_cli *cli, const struct manifesto_change_result *r)
{
	bool published = false;
	for (size_t i = 0; i < r->nitems; i++) {
		const struct manifesto_change_item *it = r->items[i];
		const char *platform = it->record->platform;
		mf_cli_printf("Metadata '%s'%s%s %s %s%s\n", it->record->type, platform ? " for " : "",
			      platform ? platform : "", stored(it), it->record->digest, ending(it));
		published |= !it->unchanged;
	}
	if (published && !r->proposal)
		mf_cli_show_published(stdout, r);
	mf_cli_show_proposed(stdout, cli, cli->argument[0],
			     &(struct mf_cli_proposed){r->proposal, r->missing});
}

/* Shows the result for one of several images. */
static void show_item(const struct manifesto_change_item *i)
{
	mf_cli_show_record_name(i->record);
	mf_cli_printf(" %s %s%s\n", stored(i), i->record->digest, ending(i));
}

static void members_json(struct mf_json_out *j, const struct manifesto_change_result *r,
			 const struct manifesto_change_item *const *items, size_t n)
{
	mf_json_add_text(j, "type", items[0]->record->type);
	mf_json_add_array(j, "items");
	for (size_t i = 0; i < n; i++) {
		mf_json_add_object(j, NULL);
		mf_json_add_text(j, "image", items[i]->record->image);
		mf_json_add_text(j, "platform", items[i]->record->platform);
		mf_json_add_text(j, "digest", items[i]->record->digest);
		mf_json_add_bool(j, "unchanged", items[i]->unchanged);
		mf_json_add_bool(j, "signatureAdded", items[i]->signature_added);
		mf_json_close(j);
	}
	mf_json_close(j);
	mf_json_add_int(j, "length", (int64_t)items[0]->record->length);
	mf_json_add_text(j, "role", r->role);
	mf_json_add_int(j, "version", r->version);
	mf_json_add_text(j, "publishedTo", r->published_to);
	mf_cli_show_signer_json(j, "signer", r->signer);
	mf_json_add_bool(j, "initialised", r->initialised);
	mf_json_add_texts(j, "keysMade", r->keys_made, r->nkeys_made);
	mf_json_add_texts(j, "pinned", r->pinned, r->npinned);
	mf_json_add_texts(j, "warnings", r->warnings, r->nwarnings);
	mf_cli_show_proposed_json(j, r->proposal, r->missing);
}

static int put_one(struct mf_cli *cli, struct manifesto_change_options *o, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_change_result, r);
	o->progress = progress;
	o->progress_arg = cli;
	if (manifesto_put(cli->m, o, &r, err) < 0)
		return -1;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "put");
		members_json(&j, r, r->items, r->nitems);
		mf_cli_json_end(&j);
		return 0;
	}
	if (!cli->quiet)
		show_text(cli, r);
	if (r->initialised && !cli->quiet)
		mf_cli_show_initialised(r->published_to, cli->config->options.home, r->keys_made,
					r->nkeys_made, r->pinned, r->npinned);
	mf_cli_show_warnings(r->warnings, r->nwarnings);
	return 0;
}

int mf_cli_run_put(struct mf_cli *cli, struct manifesto_error *err)
{
	static const struct mf_cli_change command = {"put", manifesto_put, show_item, members_json};
	struct manifesto_change_options o = mf_cli_change_options(cli);
	if (fill_options(&o, cli, err) < 0)
		return -1;
	return mf_cli_change_is_many(cli) ? mf_cli_change(cli, &command, &o, err) : put_one(cli, &o, err);
}
