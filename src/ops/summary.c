/* Makes the signed summaries of `verify`. */
#include "ops/summary.h"

#include <stdio.h>

#include "base/encode.h"
#include "record/attest.h"

#define PREDICATE_VSA "https://slsa.dev/verification_summary/v1"
/* A summary has about one kilobyte, and one more for each requirement. */
#define MAX_SUMMARIES ((size_t)1 << 30)

void mf_summary_clear(struct mf_summary *s)
{
	mf_buf_clear(&s->lines);
}

static int choose_key(struct mf_summary *s, struct mf_err *err)
{
	const struct mf_key_info *k = mf_keystore_find(s->m->keys, s->o->vsa_key, err);
	char hex[65];
	if (!k)
		return -1;
	if (k->type != MF_KEY_ED25519)
		return mf_fail(err, MF_E_KEY, 0, "summaries are signed with ed25519 keys; key '%s' is %s",
			       k->name, mf_key_type_name(k->type));
	mf_pubkey_hex(hex, k->pub);
	(void)snprintf(s->id, sizeof s->id, "urn:manifesto:key:%s", hex);
	return mf_keystore_signer(s->m->keys, k, &s->signer, err);
}

/* Signs once as a test, so that a passphrase is asked for, and a missing token found, before the images are
 * verified. */
static int try_key(const struct mf_summary *s, struct mf_err *err)
{
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	return mf_signer_sign(&s->signer, MF_SIG_ED25519,
			      mf_bytes_of(MF_STR("manifesto: a key that signs\n")), &sig, err);
}

int mf_summary_begin(struct mf_summary *s, struct manifesto *m, const struct mf_rules *rules,
		     const struct manifesto_verify_options *o, struct mf_err *err)
{
	*s = (struct mf_summary){.m = m, .o = o, .rules = rules, .lines = MF_BUF_INIT(MAX_SUMMARIES)};
	if (!o->vsa_path)
		return 0;
	if (!o->vsa_key) {
		(void)mf_fail(err, MF_E_USAGE, 0, "a summary needs a key that signs it");
		mf_err_set_hint(err, "use --key NAME");
		return -1;
	}
	if (choose_key(s, err) < 0 || (o->vsa_verifier && mf_attest_uri_check(o->vsa_verifier, err) < 0))
		return -1;
	s->verifier = o->vsa_verifier ? o->vsa_verifier : s->id;
	return try_key(s, err);
}

/* ---- one image */

static void add_digest(struct mf_json_out *j, const char *hex)
{
	mf_json_add_object(j, "digest");
	mf_json_add_text(j, "sha256", hex);
	mf_json_close(j);
}

/* list: ends with NULL; NULL or an empty list writes nothing. */
static void add_list(struct mf_json_out *j, const char *name, const char *const *list)
{
	size_t n = 0;
	while (list && list[n])
		n++;
	if (n)
		mf_json_add_texts(j, name, list, n);
}

/* A policy file is identified by its digest; requirements of the command line are quoted. */
static void add_policy(struct mf_json_out *j, const struct mf_summary *s)
{
	const struct manifesto_verify_options *o = s->o;
	char hex[65], age[MF_DURATION_LEN];
	mf_digest_hex(hex, &s->rules->file);
	mf_json_add_object(j, "policy");
	mf_json_add_text(j, "uri",
			 s->rules->has_file ? "urn:manifesto:policy" : "urn:manifesto:requirements");
	if (s->rules->has_file)
		add_digest(j, hex);
	if (o->require || o->where || o->distinct || o->max_age) {
		mf_json_add_object(j, "annotations");
		add_list(j, "require", o->require);
		add_list(j, "where", o->where);
		if (o->distinct)
			mf_json_add_text(j, "distinct", o->distinct);
		if (o->max_age) {
			mf_duration_format(age, o->max_age);
			mf_json_add_text(j, "maxAge", age);
		}
		mf_json_close(j);
	}
	mf_json_close(j);
}

/* Lists the content of the records that met a requirement. */
static void add_inputs(struct mf_json_out *j, const struct manifesto_verify_item *item)
{
	mf_json_add_array(j, "inputAttestations");
	for (size_t i = 0; i < item->nrequirements; i++) {
		const struct manifesto_requirement *r = item->requirements[i];
		for (size_t k = 0; r->met && k < r->nrecords; k++) {
			mf_json_add_object(j, NULL);
			mf_json_add_text(j, "name", r->type);
			add_digest(j, r->records[k]->digest + strlen("sha256:"));
			mf_json_close(j);
		}
	}
	mf_json_close(j);
}

/* Writes the predicate. The SLSA level is UNEVALUATED: levels are about builds, which verify does not check.
 */
static int describe(const struct mf_summary *s, const struct manifesto_verify_item *item, struct mf_buf *out,
		    struct mf_err *err)
{
	struct mf_json_out j;
	const char *level = item->accepted ? "SLSA_BUILD_LEVEL_UNEVALUATED" : "FAILED";
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	mf_json_add_object(&j, NULL);
	mf_json_add_object(&j, "verifier");
	mf_json_add_text(&j, "id", s->verifier);
	mf_json_close(&j);
	mf_json_add_time(&j, "timeVerified", mf_env_now(&s->m->env));
	mf_json_add_text(&j, "resourceUri", item->image);
	add_policy(&j, s);
	add_inputs(&j, item);
	mf_json_add_text(&j, "verificationResult", item->accepted ? "PASSED" : "FAILED");
	mf_json_add_texts(&j, "verifiedLevels", &level, 1);
	mf_json_close(&j);
	return mf_json_finish(&j);
}

int mf_summary_add(struct mf_summary *s, const struct manifesto_verify_item *item, struct mf_err *err)
{
	struct mf_buf predicate MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ATTESTATION),
				statement MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ATTESTATION);
	struct mf_arena a MF_ARENA_CLEANUP = MF_ARENA_INIT;
	struct mf_digest image;
	if (!s->o->vsa_path || !item->image)
		return 0;
	const char *at = strrchr(item->image, '@');
	struct mf_statement st = {
	    .subject_name = mf_arena_text_of(&a, (struct mf_str){item->image, (size_t)(at - item->image)}),
	    .subject = &image,
	    .predicate_type = PREDICATE_VSA};
	if (mf_arena_check(&a, err) < 0 || mf_digest_parse(&image, mf_str_c(at + 1), err) < 0 ||
	    describe(s, item, &predicate, err) < 0)
		return -1;
	st.predicate = mf_buf_str(&predicate);
	return mf_statement_build(&statement, &st, err) < 0 ||
		       mf_attest_sign(&s->signer, mf_buf_bytes(&statement), MF_ATTEST_DSSE, &s->lines, err) <
			   0
		   ? -1
		   : mf_buf_addc(&s->lines, '\n', err);
}

int mf_summary_end(struct mf_summary *s, struct mf_err *err)
{
	if (!s->o->vsa_path)
		return 0;
	return mf_file_write(s->o->vsa_path, mf_buf_bytes(&s->lines), 0644, err) < 0
		   ? mf_wrap(err, "write the summary")
		   : 0;
}
