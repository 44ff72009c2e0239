#include "cli/show.h"

#include <string.h>

#include "base/encode.h"
#include "cli/config.h"

static struct mf_str annotation_name(const char *annotation)
{
	return (struct mf_str){annotation, strcspn(annotation, "=")};
}

/* Annotation names that differ in the signed file may be equal here (a%3Db, a=b). JSON must not have a member
 * twice. */
static bool repeats_earlier(const struct manifesto_record *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (mf_str_eq(annotation_name(r->annotations[k]), annotation_name(r->annotations[i])))
			return true;
	return false;
}

static void annotations_json(struct mf_json_out *j, const struct manifesto_record *r)
{
	mf_json_add_object(j, "annotations");
	for (size_t i = 0; i < r->nannotations; i++) {
		struct mf_str name = annotation_name(r->annotations[i]);
		if (repeats_earlier(r, i))
			continue;
		mf_json_key(j, name);
		mf_json_add_text(j, NULL, r->annotations[i] + name.n + (name.p[name.n] == '='));
	}
	mf_json_close(j);
}

void mf_cli_show_signer_json(struct mf_json_out *j, const char *name, const struct manifesto_signer *s)
{
	mf_json_add_object(j, name);
	mf_json_add_text(j, "fingerprint", s->fingerprint);
	mf_json_add_text(j, "name", s->name);
	mf_json_add_text(j, "keyType", s->key_type);
	mf_json_close(j);
}

void mf_cli_show_signers_json(struct mf_json_out *j, const char *name,
			      const struct manifesto_signer *const *s, size_t n)
{
	mf_json_add_array(j, name);
	for (size_t i = 0; i < n; i++)
		mf_cli_show_signer_json(j, NULL, s[i]);
	mf_json_close(j);
}

static const char *show_time(char *out, int has, int64_t seconds)
{
	if (has)
		mf_time_format(out, seconds);
	return has ? out : NULL;
}

const char *mf_cli_show_expires(char *out, const struct manifesto_record *r)
{
	return show_time(out, r->has_expires, r->expires);
}

const char *mf_cli_show_created(char *out, const struct manifesto_record *r)
{
	return show_time(out, r->has_created, r->created);
}

void mf_cli_show_promoted_json(struct mf_json_out *j, const struct manifesto_record *r)
{
	if (!r->npromoted_from)
		return;
	mf_json_add_array(j, "promotedFrom");
	for (size_t i = 0; i < r->npromoted_from; i++) {
		const struct manifesto_original *o = r->promoted_from[i];
		mf_json_add_object(j, NULL);
		mf_json_add_int(j, "depth", o->depth);
		mf_json_add_text(j, "repository", o->repository);
		mf_json_add_text(j, "dialect", o->dialect);
		mf_json_add_text(j, "role", o->role);
		mf_json_add_int(j, "roleVersion", o->version);
		mf_json_add_time(j, "created", o->created);
		mf_json_add_text(j, "author", o->author);
		mf_cli_show_signers_json(j, "signers", o->signers, o->nsigners);
		mf_json_close(j);
	}
	mf_json_close(j);
}

void mf_cli_show_record_json(struct mf_json_out *j, const struct manifesto_record *r)
{
	char time[MF_TIME_LEN];
	mf_json_add_text(j, "image", r->image);
	mf_json_add_text(j, "subject", r->subject);
	mf_json_add_text(j, "platform", r->platform);
	mf_json_add_text(j, "type", r->type);
	mf_json_add_text(j, "role", r->role);
	mf_json_add_text(j, "digest", r->digest);
	mf_json_add_int(j, "length", (int64_t)r->length);
	mf_json_add_text(j, "mediaType", r->media_type);
	mf_json_add_text(j, "author", r->author);
	mf_json_add_text(j, "reason", r->reason);
	mf_json_add_text(j, "created", mf_cli_show_created(time, r));
	mf_json_add_text(j, "expires", mf_cli_show_expires(time, r));
	mf_json_add_text(j, "state", r->state);
	mf_cli_show_signers_json(j, "signers", r->signers, r->nsigners);
	annotations_json(j, r);
	mf_json_add_texts(j, "withdrew", r->withdrew, r->nwithdrew);
	mf_json_add_int(j, "roleVersion", r->role_version);
	mf_json_add_time(j, "roleExpires", r->role_expires);
	mf_cli_show_promoted_json(j, r);
}

void mf_cli_show_records_json(struct mf_json_out *j, const struct manifesto_record *const *records, size_t n)
{
	mf_json_add_array(j, "records");
	for (size_t i = 0; i < n; i++) {
		mf_json_add_object(j, NULL);
		mf_cli_show_record_json(j, records[i]);
		mf_json_close(j);
	}
	mf_json_close(j);
}

/* What a key is called: its own name, that of a colleague, or the first digits of its fingerprint. */
const char *mf_cli_show_label(const struct manifesto_signer *s, char label[MF_CLI_LABEL])
{
	const char *name = s->name ? s->name : s->colleague;
	(void)snprintf(label, MF_CLI_LABEL, "%.*s", name ? MF_CLI_LABEL - 1 : MF_CLI_FINGERPRINT_SHORT,
		       name ? name : s->fingerprint);
	return label;
}

char *mf_cli_show_signers(const struct manifesto_signer *const *s, size_t n)
{
	char label[MF_CLI_LABEL];
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	for (size_t i = 0; i < n; i++)
		mf_text_printf(f, "%s%s", i ? "," : "", mf_cli_show_label(s[i], label));
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

void mf_cli_show_promoted(FILE *f, const struct manifesto_record *r)
{
	char *promoters MF_FREE = mf_cli_show_signers(r->signers, r->nsigners);
	for (size_t i = 0; i < r->npromoted_from; i++) {
		const struct manifesto_original *o = r->promoted_from[i];
		char *signers MF_FREE = mf_cli_show_signers(o->signers, o->nsigners);
		bool direct = o->depth == 1;
		mf_cli_message_to(f, "'%s' in '%s': %s%s%s from '%s', where %s signed it in '%s'", r->type,
				  r->role, direct ? "promoted by " : "before that",
				  direct && promoters && *promoters ? promoters : "", direct ? "" : ",",
				  o->repository, signers ? signers : "?", o->role);
	}
}

void mf_cli_show_proposed_json(struct mf_json_out *j, const char *proposal, size_t missing)
{
	if (!proposal)
		return;
	mf_json_add_text(j, "proposal", proposal);
	mf_json_add_int(j, "missingSignatures", (int64_t)missing);
}

void mf_cli_show_proposed(FILE *f, const struct mf_cli *cli, const char *image,
			  const struct mf_cli_proposed *p)
{
	const char *where = cli->args.value[MF_OPT_PROPOSE];
	bool beside = where && strcmp(where, "@") == 0;
	if (!p->proposal || cli->quiet)
		return;
	mf_text_printf(f, "Proposed, nothing is published yet: %s\n", p->proposal);
	if (p->missing)
		mf_text_printf(f, "%zu more signature%s needed: manifesto proposal sign ", p->missing,
			       p->missing == 1 ? " is" : "s are");
	else
		mf_text_printf(f, "No signature is missing: manifesto proposal publish ");
	mf_text_printf(f, "%s%s%.*s\n", beside ? image : "", beside ? " " : "",
		       beside ? 12 : (int)strlen(p->proposal), p->proposal);
}

void mf_cli_show_warnings(const char *const *warnings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mf_cli_warning("%s", warnings[i]);
}

void mf_cli_show_record_name(const struct manifesto_record *r)
{
	mf_cli_printf("'%s' of '%s'%s%s", r->type, r->image, r->platform ? " for " : "",
		      r->platform ? r->platform : "");
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
		    "the keys are in %s/%s; back them up: without the root key this trust repository "
		    "cannot be repaired",
		    home, MF_CLI_KEYS_BELOW_HOME);
	for (size_t i = 0; i < npinned; i++)
		mf_cli_message("root key pinned on this machine: %s", pinned[i]);
}

void mf_cli_show_at_json(const struct mf_cli *cli, struct mf_json_out *j)
{
	if (cli->config->options.at)
		mf_json_add_time(j, "at", cli->config->options.at);
}
