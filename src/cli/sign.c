#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/show.h"

static void row(FILE *f, const char *name, const char *value)
{
	if (value)
		mf_text_printf(f, "  %-11s%s\n", name, value);
}

void mf_cli_show_record(FILE *f, const struct manifesto_record *r)
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
	row(f, "created", mf_cli_show_created(time, r));
	row(f, "expires", mf_cli_show_expires(time, r));
	row(f, "author", r->author);
	row(f, "reason", r->reason);
	for (size_t i = 0; i < r->nannotations; i++)
		row(f, "annotation", r->annotations[i]);
	for (size_t i = 0; i < r->nothers; i++)
		row(f, "member", r->others[i]);
	row(f, "signed by", r->nsigners ? signers : "nobody whose signature counts");
}

/* Shows on the terminal what is signed, and asks. Without the memory to show it, the answer is no. */
static int confirm(void *arg, const struct manifesto_record *const *records, size_t n,
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
		mf_cli_show_record(f, records[i]);
	}
	(void)snprintf(question, sizeof question, "Sign %s with key '%.64s' (%s %.*s)? [y/N] ",
		       n == 1 ? "it" : "them", key->name ? key->name : "-", key->key_type,
		       MF_CLI_FINGERPRINT_SHORT, key->fingerprint);
	int yes = fclose(f) == 0 && mf_cli_prompt_confirm(&cli->prompt, text, question);
	free(text);
	return yes;
}

static void show_item(const struct manifesto_change_item *i)
{
	char *signers MF_FREE = mf_cli_show_signers(i->record->signers, i->record->nsigners);
	mf_cli_show_record_name(i->record);
	mf_cli_printf(" %s %s, %llu bytes; signed by %s\n",
		      i->unchanged ? "was already signed at" : "signed at", i->record->digest,
		      (unsigned long long)i->record->length, signers ? signers : "-");
}

int mf_cli_run_sign(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_change_options o = mf_cli_change_options(cli);
	bool yes = mf_cli_args_has(&cli->args, MF_OPT_YES);
	if (!yes && !mf_cli_prompt_interactive(&cli->prompt))
		return mf_cli_usage(err,
				    "'sign' shows what it signs and asks: without a terminal give --yes");
	o.confirm = yes ? NULL : confirm;
	o.confirm_arg = cli;
	return mf_cli_change(cli, &(struct mf_cli_change){"sign", manifesto_sign, show_item, NULL}, &o, err);
}
