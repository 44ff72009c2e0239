/* X.509 certificates of Notary root keys (RFC 5280). */
#ifndef MF_CRYPTO_X509_H
#define MF_CRYPTO_X509_H

#include "crypto/key.h"

/* What the verifier rebuilds from the PEM text of one root key, as Notary's own client does:
 * the leaf, then the unexpired CA certificates, each as PEM with 64-column lines and a final line feed. */
struct mf_root_cert {
	struct mf_pubkey *leaf; /* the leaf's key; ECDSA or RSA */
	char *pem;              /* the rebuilt text; its key ID must be the one in the metadata */
	size_t pem_n;
	int64_t not_after; /* of the leaf, seconds since 1970 */
};
void mf_root_cert_clear(struct mf_root_cert *c);

/* The parsed certificates of one root key. Whether they may be used depends on repository and time, which
 * mf_root_certs_check takes. Reference counted. */
struct mf_root_certs;
/* Makes OpenSSL load what it needs to read certificates, which takes longer than to read one. A caller that
 * awaits a server saves this time. */
void mf_root_certs_prepare(void);
/* Parses the certificates. NULL: MF_E_FORMAT, they cannot be a root key. */
struct mf_root_certs *mf_root_certs_read(struct mf_str pem, struct mf_err *err);
struct mf_root_certs *mf_root_certs_ref(struct mf_root_certs *c);
void mf_root_certs_unref(struct mf_root_certs *c); /* NULL is fine */
#define MF_ROOT_CERTS_CLEANUP MF_CLEANUP(mf_root_certs_cleanup)
static inline void mf_root_certs_cleanup(struct mf_root_certs **c)
{
	mf_root_certs_unref(*c);
}
struct mf_pubkey *mf_root_certs_leaf(const struct mf_root_certs *c); /* borrowed */
/* When the leaf is valid, seconds since 1970. */
void mf_root_certs_validity(const struct mf_root_certs *c, int64_t *not_before, int64_t *not_after);
/* Applies the rules, as mf_root_cert_read does. */
int mf_root_certs_check(const struct mf_root_certs *c, struct mf_str gun, int64_t now, bool check_expiry,
			struct mf_root_cert *out, struct mf_err *err) MF_NODISCARD;

/* Reads the certificates of one root key and applies Notary's rules: the first is no CA and the only non-CA;
 * its CN equals the GUN, or ends in '*' with the rest (all trailing stars removed) a prefix of the GUN;
 * ECDSA or RSA >= 2048 bits; no SHA-1 signature; and, when check_expiry, not before <= now + 1 day and not
 * after >= now. MF_E_FORMAT when the key cannot be used as a root key: the caller skips it. */
int mf_root_cert_read(struct mf_root_cert *out, struct mf_str pem, struct mf_str gun, int64_t now,
		      bool check_expiry, struct mf_err *err) MF_NODISCARD;

/* Checks that the leaf of `pem` chains to a certificate in `ca_pem` at `now`; the CA certificates in `pem`
 * are intermediates. Extended key usage is not checked; the system store is never used. Returns 0, or -1
 * with MF_E_PIN. */
int mf_root_cert_chains_to(struct mf_str pem, struct mf_str ca_pem, int64_t now,
			   struct mf_err *err) MF_NODISCARD;

/* Appends a self-signed certificate as Notary makes them: CN = gun (no length limit, UTF8String), random
 * 128-bit serial, version 3, valid from now to now + 10 years, critical keyUsage
 * digitalSignature+keyEncipherment, extendedKeyUsage codeSigning, critical basicConstraints CA:FALSE; PEM
 * with 64-column lines. */
int mf_root_cert_make(const struct mf_signer *signer, struct mf_str gun, int64_t now, struct mf_buf *pem,
		      struct mf_err *err) MF_NODISCARD;

#endif
