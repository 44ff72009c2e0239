/* export: a verified record as an attestation that other tools read. */
#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "ops/ops.h"
#include "record/attest.h"

/* The predicate that states everything about a record; docs/standards.md describes it. */
#define PREDICATE_RECORD "urn:manifesto:record:v1"

enum form { IN_TOTO, DSSE, BUNDLE };

struct export
{
	struct manifesto *m;
	const struct manifesto_export_options *o;
	enum form form;
	struct mf_arena *a;
	struct manifesto_export_result *out;
	struct manifesto_get_result *got;
	struct mf_buf content, made;
	struct mf_signer signer;
	const char *predicate_type;
	struct mf_digest image;
};

static void export_clear(struct export *x)
{
	manifesto_result_free(x->got);
	mf_buf_clear(&x->content);
	mf_buf_clear(&x->made);
}

/* ---- the record */

static int check_options(struct export *x, struct mf_err *err)
{
	static const char *const names[] = {"in-toto", "dsse", "bundle"};
	const struct manifesto_export_options *o = x->o;
	const char *format = o->format ? o->format : names[BUNDLE];
	struct mf_esc e;
	size_t i = 0;
	while (i < sizeof names / sizeof *names && strcmp(names[i], format) != 0)
		i++;
	if (i == sizeof names / sizeof *names)
		return mf_fail(err, MF_E_USAGE, 0, "expected the format in-toto, dsse or bundle, got '%s'",
			       mf_esc(&e, mf_str_c(format)));
	x->form = (enum form)i;
	if (o->attach && x->form != BUNDLE)
		return mf_fail(err, MF_E_USAGE, 0, "only a bundle can be attached to the image");
	x->predicate_type = o->predicate_type ? o->predicate_type : PREDICATE_RECORD;
	return mf_attest_uri_check(x->predicate_type, err);
}

static bool is_large(const struct export *x)
{
	return x->got->record->length > MF_MAX_ATTESTED;
}

/* Collects the content. Of large content only a part is kept, which is not used. */
static int take_content(void *arg, const void *p, size_t n)
{
	struct export *x = arg;
	struct mf_err ignored = MF_ERR_INIT;
	return n > x->content.max - x->content.n ? 0 : mf_buf_add(&x->content, p, n, &ignored);
}

static int get_record(struct export *x, struct mf_err *err)
{
	const struct manifesto_get_options get = {.image = x->o->image,
						  .type = x->o->type,
						  .role = x->o->role,
						  .platform = x->o->platform,
						  .write = take_content,
						  .write_arg = x};
	x->got = mf_result_new(sizeof *x->got, err);
	return !x->got || mf_op_get(x->m, &get, x->got, err) < 0
		   ? -1
		   : mf_digest_parse(&x->image, mf_str_c(x->got->record->subject), err);
}

/* ---- the key, which must have signed the record */

static const struct mf_key_info *signer_here(const struct export *x, const struct mf_digest *only)
{
	const struct manifesto_record *r = x->got->record;
	for (size_t i = 0; i < r->nsigners; i++) {
		struct mf_digest fp;
		if (mf_hex_decode(fp.b, sizeof fp.b, mf_str_c(r->signers[i]->fingerprint)) < 0 ||
		    (only && !mf_digest_eq(only, &fp)))
			continue;
		const struct mf_key_info *k = mf_keystore_find_fp(x->m->keys, &fp);
		if (k && (only || k->type == MF_KEY_ED25519))
			return k;
	}
	return NULL;
}

static int choose_key(struct export *x, struct mf_err *err)
{
	struct mf_digest only;
	const struct mf_key_info *k = NULL;
	if (x->form == IN_TOTO)
		return 0;
	if (x->o->key) {
		k = mf_keystore_find(x->m->keys, x->o->key, err);
		if (!k)
			return -1;
		only = mf_pubkey_fingerprint(k->pub);
	}
	k = signer_here(x, k ? &only : NULL);
	if (k)
		return mf_keystore_signer(x->m->keys, k, &x->signer, err);
	struct mf_esc e;
	(void)(x->o->key ? mf_fail(err, MF_E_KEY, 0, "key '%s' has not signed this record",
				   mf_esc(&e, mf_str_c(x->o->key)))
			 : mf_fail(err, MF_E_KEY, 0,
				   "no ed25519 key that has signed this record is on this machine"));
	mf_err_set_hint(err, "'manifesto sign' adds your signature; --format in-toto needs no key");
	return -1;
}

/* ---- the Statement */

static bool is_json(const struct mf_buf *text)
{
	struct mf_err ignored = MF_ERR_INIT;
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(text), MF_MAX_ATTESTATION, &ignored);
	return j != NULL;
}

static void write_content(struct mf_json_out *j, const struct manifesto_record *r)
{
	mf_json_add_object(j, "content");
	mf_json_add_object(j, "digest");
	mf_json_add_text(j, "sha256", r->digest + strlen("sha256:"));
	mf_json_close(j);
	mf_json_add_int(j, "size", (int64_t)r->length);
	mf_json_add_text(j, "mediaType", r->media_type);
	mf_json_close(j);
}

/* Writes the predicate: what the record says, and its content if that is JSON, not large and not nested too
 * deeply. */
static int describe(const struct export *x, struct mf_buf *out, struct mf_err *err)
{
	const struct manifesto_record *r = x->got->record;
	struct mf_json_out j;
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	mf_json_add_object(&j, NULL);
	mf_json_add_text(&j, "type", r->type);
	mf_json_add_text(&j, "role", r->role);
	mf_json_add_time(&j, "created", r->created);
	mf_json_add_time(&j, "expires", r->expires);
	mf_json_add_text(&j, "author", r->author);
	mf_json_add_text(&j, "reason", r->reason);
	mf_json_add_texts(&j, "annotations", r->annotations, r->nannotations);
	mf_json_add_array(&j, "signers");
	for (size_t i = 0; i < r->nsigners; i++)
		mf_json_add_text(&j, NULL, r->signers[i]->fingerprint);
	mf_json_close(&j);
	write_content(&j, r);
	mf_json_close(&j);
	if (mf_json_finish(&j) < 0 || is_large(x) || !is_json(&x->content))
		return j.failed ? -1 : 0;
	const size_t end = out->n - 1; /* the closing bracket */
	out->n = end;
	if (mf_buf_addz(out, ",\"value\":", err) < 0 ||
	    mf_buf_add(out, x->content.p, x->content.n, err) < 0 || mf_buf_addc(out, '}', err) < 0)
		return -1;
	if (is_json(out))
		return 0;
	out->n = end; /* with the content one level deeper, it is nested too deeply: leave the content out */
	return mf_buf_addc(out, '}', err);
}

static int build_statement(const struct export *x, struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf own MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ATTESTATION);
	const char *image = x->got->record->image, *at = strrchr(image, '@');
	const char *name = mf_arena_text_of(x->a, (struct mf_str){image, (size_t)(at - image)});
	struct mf_statement s = {.subject_name = name,
				 .subject = &x->image,
				 .predicate_type = x->predicate_type,
				 .predicate = mf_buf_str(&x->content)};
	if (!x->o->predicate_type) {
		if (describe(x, &own, err) < 0)
			return -1;
		s.predicate = mf_buf_str(&own);
	} else if (is_large(x)) {
		(void)mf_fail(err, MF_E_USAGE, 0,
			      "the content of '%s' has %llu bytes, and a predicate has at most %zu",
			      x->o->type, (unsigned long long)x->got->record->length, MF_MAX_ATTESTED);
		mf_err_set_hint(err, "without --predicate-type the content stands there by its digest");
		return -1;
	}
	if (mf_arena_check(x->a, err) < 0)
		return -1;
	if (mf_statement_build(out, &s, err) == 0)
		return 0;
	return x->o->predicate_type && err->code == MF_E_FORMAT ? mf_recode(err, MF_E_USAGE) : -1;
}

static int make(struct export *x, struct mf_err *err)
{
	struct mf_buf statement MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ATTESTATION);
	if (build_statement(x, &statement, err) < 0)
		return -1;
	return x->form == IN_TOTO
		   ? mf_buf_add(&x->made, statement.p, statement.n, err)
		   : mf_attest_sign(&x->signer, mf_buf_bytes(&statement),
				    x->form == DSSE ? MF_ATTEST_DSSE : MF_ATTEST_BUNDLE, &x->made, err);
}

/* ---- attaching it to the image */

static int list_bundle(struct mf_image *im, struct mf_bytes manifest, struct mf_annotation *notes,
		       struct mf_err *err)
{
	char media_type[] = MF_MT_OCI_MANIFEST, artifact_type[] = MF_MT_SIGSTORE_BUNDLE;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_json_out j;
	struct mf_descriptor d = {
	    .size = manifest.n, .media_type = media_type, .artifact_type = artifact_type};
	mf_json_to_buf(&j, MF_JSON_CANONICAL, &text, err);
	mf_json_add_object(&j, NULL);
	for (struct mf_annotation *n = notes; n->name; n++)
		mf_json_add_text(&j, n->name, n->value);
	mf_json_close(&j);
	if (mf_json_finish(&j) < 0 || mf_buf_addc(&text, 0, err) < 0 ||
	    mf_sha256(manifest, &d.digest, err) < 0)
		return -1;
	d.annotations = text.p;
	return mf_artifact_list(im, &d, err);
}

static int attach(struct export *x, struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {0};
	struct mf_buf manifest MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	struct mf_annotation notes[] = {{"dev.sigstore.bundle.content", "dsse-envelope"},
					{"dev.sigstore.bundle.predicateType", x->predicate_type},
					{NULL, NULL}};
	struct mf_artifact a = {.artifact_type = MF_MT_SIGSTORE_BUNDLE, .annotations = notes};
	struct mf_digest digest;
	a.blob = (struct mf_piece){.size = x->made.n, .media_type = MF_MT_SIGSTORE_BUNDLE};
	if (mf_image_open_by(&im, x->m, x->got->record->image, MF_MAPS_IGNORE, err) < 0)
		return -1;
	if (im.store_ref.transport != MF_TRANSPORT_REGISTRY)
		return mf_fail(err, MF_E_USAGE, 0, "a bundle is attached to an image in a registry only");
	mf_image_store_will_push(im.blobs);
	if (mf_image_subjects(&im, (struct mf_subject_choice){.described = true}, &s, err) < 0 ||
	    mf_blob_put_bytes(im.blobs, mf_buf_bytes(&x->made), &a.blob.digest, err) < 0)
		return -1;
	a.subject =
	    (struct mf_piece){.digest = im.digest, .size = s.v[0].size, .media_type = s.v[0].media_type};
	if (mf_artifact_build(&a, &manifest, err) < 0)
		return -1;
	struct mf_bytes bytes = mf_buf_bytes(&manifest);
	struct mf_manifest_call *call = mf_manifest_put_begin(im.blobs, NULL, MF_MT_OCI_MANIFEST, bytes, err);
	if (!call || mf_artifact_put_end(&im, call, bytes, NULL, err) < 0 ||
	    list_bundle(&im, bytes, notes, err) < 0 || mf_sha256(bytes, &digest, err) < 0)
		return mf_wrap(err, "attach the bundle");
	x->out->attached = mf_report_image(x->a, &im, &digest);
	return mf_arena_check(x->a, err);
}

/* ---- all of it */

static int hand_out(struct export *x, struct mf_err *err)
{
	struct mf_spool *spool MF_SPOOL_CLEANUP = NULL;
	struct mf_digest digest;
	uint64_t length;
	if (!x->o->output_path && !x->o->write)
		return 0;
	spool = mf_spool_new(MF_MAX_ATTESTATION * 2, err);
	if (!spool || mf_spool_add(spool, x->made.p, x->made.n, err) < 0 ||
	    mf_spool_add(spool, "\n", 1, err) < 0 || mf_spool_end(spool, &digest, &length, err) < 0)
		return -1;
	return mf_content_hand_out(spool, x->o->output_path, x->o->write, x->o->write_arg, err);
}

static int export(struct export *x, struct mf_err *err)
{
	if (check_options(x, err) < 0 || get_record(x, err) < 0 || choose_key(x, err) < 0 ||
	    make(x, err) < 0 || (x->o->attach && attach(x, err) < 0))
		return -1;
	x->out->image = mf_arena_text(x->a, x->got->record->image);
	x->out->predicate_type = mf_arena_text(x->a, x->predicate_type);
	if (x->form != IN_TOTO &&
	    mf_report_keys(x->m, &x->signer.pub, 1, x->a, &x->out->signers, &x->out->nsigners, err) < 0)
		return -1;
	return mf_arena_check(x->a, err) < 0 ? -1 : hand_out(x, err);
}

int manifesto_export(struct manifesto *m, const struct manifesto_export_options *opt,
		     const struct manifesto_export_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_export_options o;
	struct manifesto_export_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = -1;
	if (r) {
		struct export x MF_CLEANUP(export_clear) = {.m = m,
							    .o = &o,
							    .a = mf_result_arena(r),
							    .out = r,
							    .content = MF_BUF_INIT(MF_MAX_ATTESTED),
							    .made = MF_BUF_INIT(2 * MF_MAX_ATTESTATION)};
		rc = export(&x, &err);
	}
	return MF_OP_END(rc, r, out, error, &err);
}
