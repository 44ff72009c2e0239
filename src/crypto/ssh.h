/* The encodings of SSH (RFC 4251 section 5): strings with a length in front, and keys that consist of
 * them. */
#ifndef MF_CRYPTO_SSH_H
#define MF_CRYPTO_SSH_H

#include "crypto/internal.h"

/* Remove one string, the n given octets, or one uint32 from the front of `in`. false: it is not there, and
 * `in` does not change. */
bool mf_ssh_take(struct mf_bytes *in, struct mf_bytes *out);
bool mf_ssh_take_octets(struct mf_bytes *in, const void *octets, size_t n);
bool mf_ssh_take_number(struct mf_bytes *in, uint32_t *out);

/* Make a key of OpenSSL. The numbers are borrowed; `secret` NULL: a public key. Return NULL: no such key,
 * or no memory. */
EVP_PKEY *mf_ssh_ecdsa(struct mf_bytes curve, struct mf_bytes point, const struct mf_bytes *secret);
struct mf_ssh_rsa {
	struct mf_bytes n, e, d, inverse, p, q; /* d and the following members are empty in a public key */
};
EVP_PKEY *mf_ssh_rsa(const struct mf_ssh_rsa *k);

/* Reads the octets that a public key line has in base64: the type and its members (RFC 4253 section 6.6,
 * RFC 5656 section 3.1, RFC 8709 section 4). MF_E_FORMAT. */
struct mf_pubkey *mf_ssh_pubkey(struct mf_bytes blob, struct mf_err *err) MF_NODISCARD;

#endif
