#include "cli/show.h"

#include <string.h>

#include "base/encode.h"

static void annotations_json(struct mf_cli_json_out *j, const struct manifesto_record *r)
{
	mf_cli_json_open(j, "annotations", '{');
	for (size_t i = 0; i < r->nannotations; i++) {
		const char *a = r->annotations[i], *eq = strchr(a, '=');
		size_t n = eq ? (size_t)(eq - a) : strlen(a);
		mf_cli_json_span(j, (struct mf_str){a, n}, mf_str_c(eq ? eq + 1 : ""));
	}
	mf_cli_json_close(j, '}');
}

void mf_cli_show_signers_json(struct mf_cli_json_out *j, const char *name, const struct manifesto_signer *s,
			      size_t n)
{
	mf_cli_json_open(j, name, '[');
	for (size_t i = 0; i < n; i++) {
		mf_cli_json_open(j, NULL, '{');
		mf_cli_json_text(j, "fingerprint", s[i].fingerprint);
		mf_cli_json_text(j, "name", s[i].name);
		mf_cli_json_text(j, "keyType", s[i].key_type);
		mf_cli_json_close(j, '}');
	}
	mf_cli_json_close(j, ']');
}

void mf_cli_show_record_json(struct mf_cli_json_out *j, const struct manifesto_record *r)
{
	mf_cli_json_text(j, "image", r->image);
	mf_cli_json_text(j, "subject", r->subject);
	mf_cli_json_text(j, "platform", r->platform);
	mf_cli_json_text(j, "type", r->type);
	mf_cli_json_text(j, "role", r->role);
	mf_cli_json_text(j, "digest", r->digest);
	mf_cli_json_int(j, "length", (int64_t)r->length);
	mf_cli_json_text(j, "mediaType", r->media_type);
	mf_cli_json_text(j, "author", r->author);
	mf_cli_json_text(j, "reason", r->reason);
	mf_cli_json_time(j, "created", r->created);
	mf_cli_json_time(j, "expires", r->expires);
	mf_cli_json_text(j, "state", r->state);
	mf_cli_show_signers_json(j, "signers", r->signers, r->nsigners);
	annotations_json(j, r);
	mf_cli_json_texts(j, "withdrew", r->withdrew, r->nwithdrew);
	mf_cli_json_int(j, "roleVersion", r->role_version);
	mf_cli_json_time(j, "roleExpires", r->role_expires);
}

char *mf_cli_show_signers(const struct manifesto_signer *s, size_t n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	for (size_t i = 0; i < n; i++)
		(void)fprintf(f, "%s%.*s", i ? "," : "", s[i].name ? 64 : MF_CLI_FINGERPRINT_SHORT,
			      s[i].name ? s[i].name : s[i].fingerprint);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

void mf_cli_show_change_json(const char *schema, const struct manifesto_change_result *r)
{
	struct mf_cli_json_out j;
	mf_cli_json_begin(&j, stdout, schema);
	mf_cli_json_open(&j, "items", '[');
	for (size_t i = 0; i < r->nitems; i++) {
		mf_cli_json_open(&j, NULL, '{');
		mf_cli_json_bool(&j, "unchanged", r->items[i].unchanged);
		mf_cli_json_bool(&j, "veto", r->items[i].veto);
		mf_cli_json_open(&j, "record", '{');
		mf_cli_show_record_json(&j, &r->items[i].record);
		mf_cli_json_close(&j, '}');
		mf_cli_json_close(&j, '}');
	}
	mf_cli_json_close(&j, ']');
	mf_cli_json_text(&j, "role", r->role);
	mf_cli_json_int(&j, "version", r->version);
	mf_cli_json_text(&j, "publishedTo", r->published_to);
	mf_cli_json_open(&j, "signer", '{');
	mf_cli_json_text(&j, "fingerprint", r->signer_fingerprint);
	mf_cli_json_text(&j, "name", r->signer_name);
	mf_cli_json_text(&j, "keyType", r->signer_type);
	mf_cli_json_close(&j, '}');
	mf_cli_json_texts(&j, "warnings", r->warnings, r->nwarnings);
	mf_cli_json_end(&j);
}

void mf_cli_show_published(const struct manifesto_change_result *r)
{
	(void)fputs("Signed by ", stdout);
	mf_cli_put_text(stdout, r->signer_name ? r->signer_name : "-");
	(void)printf(" (%s %.*s) in ", r->signer_type, MF_CLI_FINGERPRINT_SHORT, r->signer_fingerprint);
	mf_cli_put_text(stdout, r->role);
	(void)printf(", version %lld; published to ", (long long)r->version);
	mf_cli_put_text(stdout, r->published_to);
	(void)fputc('\n', stdout);
}

void mf_cli_show_record_name(FILE *f, const struct manifesto_record *r)
{
	(void)fputc('\'', f);
	mf_cli_put_text(f, r->type);
	(void)fputs("' of '", f);
	mf_cli_put_text(f, r->image);
	(void)fputc('\'', f);
	if (r->platform) {
		(void)fputs(" for ", f);
		mf_cli_put_text(f, r->platform);
	}
}

void mf_cli_show_time(char *out, int64_t seconds)
{
	if (seconds)
		mf_time_format(out, seconds);
	else
		(void)snprintf(out, MF_TIME_LEN, "-");
}

void mf_cli_show_initialised(const char *where, const char *home, const char *const *keys, size_t nkeys,
			     const char *const *pinned, size_t npinned)
{
	mf_cli_message("trust repository made: %s", where);
	for (size_t i = 0; i < nkeys; i++)
		mf_cli_message("key made: %s", keys[i]);
	if (nkeys)
		mf_cli_message(
		    "the keys lie in %s/%s; back them up: without the root key this trust repository "
		    "cannot be repaired",
		    home, MF_CLI_KEYS_BELOW_HOME);
	for (size_t i = 0; i < npinned; i++)
		mf_cli_message("root key pinned on this machine: %s", pinned[i]);
}
