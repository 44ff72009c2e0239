#include "record/attest.h"

#include <string.h>

#include "base/encode.h"
#include "json/writer.h"

#define STATEMENT_V1 "https://in-toto.io/Statement/v1"
#define STATEMENT_V01 "https://in-toto.io/Statement/v0.1"

int mf_attest_uri_check(const char *uri, struct mf_err *err)
{
	static const char scheme[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "-._~:/?#[]@!$&'()*+,;=%";
	size_t n = strspn(uri, scheme);
	struct mf_esc e;
	if (n && strchr("+.-0123456789", uri[0]) == NULL && uri[n] == ':' && uri[n + 1] &&
	    strlen(uri) <= MF_MAX_ATTEST_URI && !uri[strspn(uri, rest)])
		return 0;
	return mf_fail(err, MF_E_USAGE, 0, "expected a URI, got '%s'", mf_esc(&e, mf_str_c(uri)));
}

/* ---- making */

static int check_object(struct mf_str text, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	enum mf_json_type type;
	mf_json_reader_init(&r, mf_bytes_of(text));
	if (mf_json_peek(&r, &type, err) < 0 || mf_json_skip(&r, NULL, err) < 0 || mf_json_end(&r, err) < 0)
		return -1;
	return type == MF_JSON_OBJECT ? 0 : mf_fail(err, MF_E_FORMAT, 0, "expected a JSON object");
}

int mf_statement_build(struct mf_buf *out, const struct mf_statement *s, struct mf_err *err)
{
	struct mf_json_out j;
	char hex[65];
	size_t start = out->n;
	if (check_object(s->predicate, err) < 0)
		return mf_wrap(err, "predicate");
	mf_digest_hex(hex, s->subject);
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	mf_json_add_object(&j, NULL);
	mf_json_add_text(&j, "_type", STATEMENT_V1);
	mf_json_add_array(&j, "subject");
	mf_json_add_object(&j, NULL);
	mf_json_add_text(&j, "name", s->subject_name);
	mf_json_add_object(&j, "digest");
	mf_json_add_text(&j, "sha256", hex);
	mf_json_close(&j);
	mf_json_close(&j);
	mf_json_close(&j);
	mf_json_add_text(&j, "predicateType", s->predicate_type);
	mf_json_close(&j);
	if (mf_json_finish(&j) < 0)
		return -1;
	out->n--; /* the closing brace */
	if (mf_buf_addz(out, ",\"predicate\":", err) == 0 &&
	    mf_buf_add(out, s->predicate.p, s->predicate.n, err) == 0 && mf_buf_addc(out, '}', err) == 0)
		return 0;
	out->n = start;
	return -1;
}

int mf_dsse_pae(struct mf_buf *out, const char *payload_type, struct mf_bytes payload, struct mf_err *err)
{
	return mf_buf_printf(out, err, "DSSEv1 %zu %s %zu ", strlen(payload_type), payload_type, payload.n) <
		       0
		   ? -1
		   : mf_buf_add(out, payload.p, payload.n, err);
}

static void write_envelope(struct mf_json_out *j, const char *name, struct mf_str payload, struct mf_str sig)
{
	mf_json_add_object(j, name);
	mf_json_add_str(j, "payload", payload);
	mf_json_add_text(j, "payloadType", MF_MT_IN_TOTO);
	mf_json_add_array(j, "signatures");
	mf_json_add_object(j, NULL);
	mf_json_add_str(j, "sig", sig);
	mf_json_close(j);
	mf_json_close(j);
	mf_json_close(j);
}

static int write_document(const struct mf_pubkey *signer, enum mf_attest_form form, struct mf_str payload,
			  struct mf_str sig, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_out j;
	char hint[65];
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	if (form == MF_ATTEST_DSSE) {
		write_envelope(&j, NULL, payload, sig);
		return mf_json_finish(&j);
	}
	mf_pubkey_hex(hint, signer);
	mf_json_add_object(&j, NULL);
	mf_json_add_text(&j, "mediaType", MF_MT_SIGSTORE_BUNDLE);
	mf_json_add_object(&j, "verificationMaterial");
	mf_json_add_object(&j, "publicKey");
	mf_json_add_text(&j, "hint", hint);
	mf_json_close(&j);
	mf_json_close(&j);
	write_envelope(&j, "dsseEnvelope", payload, sig);
	mf_json_close(&j);
	return mf_json_finish(&j);
}

int mf_attest_sign(const struct mf_signer *s, struct mf_bytes statement, enum mf_attest_form form,
		   struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf pae MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ATTESTATION),
			  payload MF_BUF_CLEANUP = MF_BUF_INIT(2 * MF_MAX_ATTESTATION),
			  raw MF_BUF_CLEANUP = MF_BUF_INIT(1024), sig MF_BUF_CLEANUP = MF_BUF_INIT(2048);
	if (mf_pubkey_type(s->pub) != MF_KEY_ED25519)
		return mf_fail(err, MF_E_KEY, 0, "attestations are signed with ed25519 keys; key '%s' is %s",
			       s->name, mf_key_type_name(mf_pubkey_type(s->pub)));
	if (mf_dsse_pae(&pae, MF_MT_IN_TOTO, statement, err) < 0 ||
	    mf_signer_sign(s, MF_SIG_ED25519, mf_buf_bytes(&pae), &raw, err) < 0 ||
	    mf_b64_encode(&payload, statement, err) < 0 || mf_b64_encode(&sig, mf_buf_bytes(&raw), err) < 0)
		return -1;
	return write_document(s->pub, form, mf_buf_str(&payload), mf_buf_str(&sig), out, err);
}

/* ---- reading */

void mf_attestation_clear(struct mf_attestation *a)
{
	mf_buf_clear(&a->payload);
	json_decref(a->statement);
	a->statement = NULL;
}

/* Decodes base64, standard or URL-safe, with or without padding: DSSE (protocol.md) allows both alphabets. */
static int decode(const char *text, struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf standard MF_BUF_CLEANUP = MF_BUF_INIT(2 * MF_MAX_ATTESTATION);
	for (const char *p = text; *p; p++)
		if (mf_buf_addc(&standard, *p == '-' ? '+' : *p == '_' ? '/' : *p, err) < 0)
			return -1;
	while (standard.n % 4)
		if (mf_buf_addc(&standard, '=', err) < 0)
			return -1;
	return mf_b64_decode(out, mf_buf_str(&standard), err);
}

/* The signature schemes that attestation tools use with a key of this type. */
static size_t schemes_of(const struct mf_pubkey *k, enum mf_sig_scheme out[2])
{
	switch (mf_pubkey_type(k)) {
	case MF_KEY_ED25519:
		out[0] = MF_SIG_ED25519;
		return 1;
	case MF_KEY_ECDSA:
		out[0] = MF_SIG_ECDSA_DER_SHA256;
		out[1] = MF_SIG_ECDSA_DER_SHA384;
		return 2;
	case MF_KEY_RSA:
		out[0] = MF_SIG_RSA_PKCS1_SHA256;
		out[1] = MF_SIG_RSA_PSS_SHA256_ANY_SALT;
		return 2;
	}
	return 0;
}

/* MF_ABSENT: the signature is not of this key. */
static enum mf_found is_signed_by(const struct mf_pubkey *k, struct mf_bytes pae, const char *text,
				  struct mf_err *err)
{
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct mf_err unreadable = MF_ERR_INIT;
	enum mf_sig_scheme schemes[2];
	size_t n = schemes_of(k, schemes);
	if (decode(text, &sig, &unreadable) < 0)
		return mf_err_pass_ours(err, &unreadable) < 0 ? MF_FAILED : MF_ABSENT;
	for (size_t i = 0; i < n; i++) {
		struct mf_err why = MF_ERR_INIT;
		if (mf_sig_verify(k, schemes[i], pae, mf_buf_bytes(&sig), &why) == 0)
			return MF_FOUND;
		if (mf_err_pass_ours(err, &why) < 0)
			return MF_FAILED;
	}
	return MF_ABSENT;
}

static int check_signed(const json_t *envelope, struct mf_bytes payload, const struct mf_pubkey *signer,
			struct mf_err *err)
{
	struct mf_buf pae MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ATTESTATION + 256);
	json_t *signatures = NULL;
	const char *text;
	char hex[65];
	if (mf_json_get_arr(envelope, "signatures", MF_JSON_REQUIRED, &signatures, err) < 0 ||
	    mf_dsse_pae(&pae, MF_MT_IN_TOTO, payload, err) < 0)
		return -1;
	if (json_array_size(signatures) > MF_MAX_SIGNATURES)
		return mf_fail(err, MF_E_FORMAT, 0, "an envelope with more than %d signatures",
			       MF_MAX_SIGNATURES);
	for (size_t i = 0; i < json_array_size(signatures); i++) {
		if (mf_json_get_str(json_array_get(signatures, i), "sig", MF_JSON_REQUIRED, &text, err) < 0)
			return -1;
		enum mf_found is = is_signed_by(signer, mf_buf_bytes(&pae), text, err);
		if (is != MF_ABSENT)
			return is == MF_FOUND ? 0 : -1;
	}
	mf_pubkey_hex(hex, signer);
	return mf_fail(err, MF_E_SIGNATURE, 0, "none of its signatures is one of key %.16s", hex);
}

static int read_statement(struct mf_attestation *out, struct mf_err *err)
{
	const char *type;
	json_t *subjects = NULL;
	out->statement = mf_json_load(mf_buf_bytes(&out->payload), MF_MAX_ATTESTATION, err);
	if (!out->statement)
		return -1;
	if (mf_json_get_str(out->statement, "_type", MF_JSON_REQUIRED, &type, err) < 0 ||
	    mf_json_get_str(out->statement, "predicateType", MF_JSON_REQUIRED, &out->predicate_type, err) <
		0 ||
	    mf_json_get_arr(out->statement, "subject", MF_JSON_REQUIRED, &subjects, err) < 0)
		return mf_wrap(err, "Statement");
	if (strcmp(type, STATEMENT_V1) == 0 || strcmp(type, STATEMENT_V01) == 0)
		return 0;
	struct mf_esc e;
	return mf_fail(err, MF_E_FORMAT, 0, "expected an in-toto Statement, got '%s'",
		       mf_esc(&e, mf_str_c(type)));
}

int mf_attestation_read(struct mf_attestation *out, struct mf_bytes doc, const struct mf_pubkey *signer,
			struct mf_err *err)
{
	json_t *j MF_JSON_CLEANUP = mf_json_load_written(doc, 2 * MF_MAX_ATTESTATION, err), *envelope = j;
	const char *type, *payload;
	struct mf_esc e;
	*out = (struct mf_attestation){.payload = MF_BUF_INIT(MF_MAX_ATTESTATION)};
	if (!j)
		return -1;
	if (mf_json_get_obj(j, "dsseEnvelope", MF_JSON_OPTIONAL, &envelope, err) < 0 ||
	    mf_json_get_str(envelope, "payloadType", MF_JSON_REQUIRED, &type, err) < 0 ||
	    mf_json_get_str(envelope, "payload", MF_JSON_REQUIRED, &payload, err) < 0)
		return mf_wrap(err, "DSSE envelope");
	if (strcmp(type, MF_MT_IN_TOTO) != 0)
		return mf_fail(err, MF_E_FORMAT, 0, "expected a payload of type %s, got '%s'", MF_MT_IN_TOTO,
			       mf_esc(&e, mf_str_c(type)));
	if (decode(payload, &out->payload, err) < 0)
		return mf_wrap(err, "DSSE payload");
	/* The payload is parsed only after its signature was verified. */
	return check_signed(envelope, mf_buf_bytes(&out->payload), signer, err) < 0
		   ? -1
		   : read_statement(out, err);
}

bool mf_attestation_is_of(const struct mf_attestation *a, const struct mf_digest *image)
{
	const json_t *subjects = json_object_get(a->statement, "subject");
	char hex[65];
	mf_digest_hex(hex, image);
	for (size_t i = 0; i < json_array_size(subjects); i++) {
		const json_t *digests = json_object_get(json_array_get(subjects, i), "digest");
		const char *sha256 = json_string_value(json_object_get(digests, "sha256"));
		if (sha256 && strcmp(sha256, hex) == 0)
			return true;
	}
	return false;
}
