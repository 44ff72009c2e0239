/* Attestations that other tools read: in-toto Statements in DSSE envelopes, and Sigstore bundles around them.
 * Pure. Specifications: in-toto attestation framework, Statement v1; DSSE 1.0.2 (envelope.md, protocol.md);
 * Sigstore bundle 0.3; SLSA 1.0, Verification Summary. */
#ifndef MF_RECORD_ATTEST_H
#define MF_RECORD_ATTEST_H

#include "base/digest.h"
#include "crypto/key.h"
#include "json/json.h"

#define MF_MT_IN_TOTO "application/vnd.in-toto+json"
#define MF_MT_SIGSTORE_BUNDLE "application/vnd.dev.sigstore.bundle.v0.3+json"

/* Checks the syntax of a URI with a scheme (RFC 3986); does not resolve it. MF_E_USAGE. */
int mf_attest_uri_check(const char *uri, struct mf_err *err) MF_NODISCARD;

/* ---- making */

struct mf_statement {
	const char *subject_name;
	const struct mf_digest *subject; /* sha256 of the image manifest */
	const char *predicate_type;
	struct mf_str predicate; /* a JSON object, which is copied unchanged */
};
/* Appends the Statement. MF_E_FORMAT: the predicate is no JSON object. */
int mf_statement_build(struct mf_buf *out, const struct mf_statement *s, struct mf_err *err) MF_NODISCARD;
/* Appends the pre-authentication encoding, which an envelope's signatures are over. */
int mf_dsse_pae(struct mf_buf *out, const char *payload_type, struct mf_bytes payload,
		struct mf_err *err) MF_NODISCARD;
/* Signs a Statement and appends the envelope, or the bundle around it. The signer's key must be an ed25519
 * key (MF_E_KEY), because all readers of these formats support that. */
enum mf_attest_form { MF_ATTEST_DSSE, MF_ATTEST_BUNDLE };
int mf_attest_sign(const struct mf_signer *s, struct mf_bytes statement, enum mf_attest_form form,
		   struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* ---- reading attestations of others */

struct mf_attestation {
	struct mf_buf payload;      /* the Statement, as it was signed */
	json_t *statement;          /* the parsed payload */
	const char *predicate_type; /* of the statement; borrowed */
};
void mf_attestation_clear(struct mf_attestation *a);
#define MF_ATTESTATION_CLEANUP MF_CLEANUP(mf_attestation_clear)
/* Reads an envelope, or a Sigstore bundle that contains one, with a Statement that this key has signed.
 * Signatures of other keys are ignored. MF_E_FORMAT; MF_E_SIGNATURE: no signature is of this key. */
int mf_attestation_read(struct mf_attestation *out, struct mf_bytes doc, const struct mf_pubkey *signer,
			struct mf_err *err) MF_NODISCARD;
/* Is this image one of its subjects? Only digests are compared, not names. */
bool mf_attestation_is_of(const struct mf_attestation *a, const struct mf_digest *image);

#endif
