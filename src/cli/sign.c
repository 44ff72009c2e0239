#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/show.h"

static void result_cleanup(struct manifesto_change_result *r)
{
	manifesto_change_result_clear(r);
}

static void row(FILE *f, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	(void)fprintf(f, "  %-11s", name);
	mf_cli_put_text(f, value);
	(void)fputc('\n', f);
}

/* All that the signature will be over, and who signed it before. */
static void describe(FILE *f, const struct manifesto_record *r)
{
	char size[32], time[MF_TIME_LEN];
	char *signers MF_FREE = mf_cli_show_signers(r->signers, r->nsigners);
	row(f, "image", r->image);
	row(f, "platform", r->platform);
	row(f, "type", r->type);
	row(f, "role", r->role);
	row(f, "content", r->digest);
	(void)snprintf(size, sizeof size, "%llu bytes", (unsigned long long)r->length);
	row(f, "size", size);
	row(f, "media type", r->media_type);
	mf_cli_show_time(time, r->created);
	row(f, "created", time);
	if (r->expires) {
		mf_cli_show_time(time, r->expires);
		row(f, "expires", time);
	}
	row(f, "author", r->author);
	row(f, "reason", r->reason);
	for (size_t i = 0; i < r->nannotations; i++)
		row(f, "annotation", r->annotations[i]);
	row(f, "signed by", r->nsigners ? signers : "nobody whose signature counts");
}

/* On the terminal: whoever signs has seen this. Out of memory is a no. */
static int confirm(void *arg, const struct manifesto_record *records, size_t n,
		   const struct manifesto_signer *key)
{
	struct mf_cli *cli = arg;
	char question[200], *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return 0;
	for (size_t i = 0; i < n; i++) {
		(void)fprintf(f, "Record %zu of %zu:\n", i + 1, n);
		describe(f, &records[i]);
	}
	(void)snprintf(question, sizeof question, "Sign %s with key '%.64s' (%s %.*s)? [y/N] ",
		       n == 1 ? "it" : "them", key->name ? key->name : "-", key->key_type,
		       MF_CLI_FINGERPRINT_SHORT, key->fingerprint);
	int yes = fclose(f) == 0 && mf_cli_asker_confirm(&cli->asker, text, question);
	free(text);
	return yes;
}

static void show_item(const struct manifesto_change_item *i)
{
	char *signers MF_FREE = mf_cli_show_signers(i->record.signers, i->record.nsigners);
	mf_cli_show_record_name(stdout, &i->record);
	(void)printf(" %s %s, %llu bytes; signed by ", i->unchanged ? "was already signed at" : "signed at",
		     i->record.digest, (unsigned long long)i->record.length);
	mf_cli_put_text(stdout, signers ? signers : "-");
	(void)fputc('\n', stdout);
}

static void show_text(const struct manifesto_change_result *r)
{
	bool published = false;
	for (size_t i = 0; i < r->nitems; i++) {
		show_item(&r->items[i]);
		published |= !r->items[i].unchanged;
	}
	if (published)
		mf_cli_show_published(r);
}

int mf_cli_run_sign(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_sign_options o = MANIFESTO_INIT(manifesto_sign_options);
	struct manifesto_change_result r MF_CLEANUP(result_cleanup) = MANIFESTO_INIT(manifesto_change_result);
	bool yes = mf_cli_args_has(&cli->args, MF_OPT_YES);
	if (!yes && !mf_cli_asker_interactive(&cli->asker))
		return mf_cli_usage(err,
				    "'sign' shows what it signs and asks: without a terminal give --yes");
	o.image = cli->argument[0];
	o.type = cli->argument[1];
	o.role = cli->args.value[MF_OPT_ROLE];
	o.key = cli->args.value[MF_OPT_KEY];
	o.platform = cli->args.value[MF_OPT_PLATFORM];
	o.all_platforms = mf_cli_args_has(&cli->args, MF_OPT_ALL_PLATFORMS);
	o.confirm = yes ? NULL : confirm;
	o.confirm_arg = cli;
	if (manifesto_sign(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json) {
		mf_cli_show_change_json("sign", &r);
		return 0;
	}
	if (!cli->quiet)
		show_text(&r);
	for (size_t i = 0; i < r.nwarnings; i++)
		mf_cli_warning("%s", r.warnings[i]);
	return 0;
}
