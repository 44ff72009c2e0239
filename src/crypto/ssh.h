/* The encodings of SSH (RFC 4251 section 5): texts behind their lengths, and keys made of them. */
#ifndef MF_CRYPTO_SSH_H
#define MF_CRYPTO_SSH_H

#include "crypto/internal.h"

/* Takes one string, or n given octets, off the front of `in`; false, and nothing moves, when they are not
 * there. */
bool mf_ssh_take(struct mf_bytes *in, struct mf_bytes *out);
bool mf_ssh_take_octets(struct mf_bytes *in, const void *octets, size_t n);
bool mf_ssh_take_number(struct mf_bytes *in, uint32_t *out);

/* Numbers are borrowed; `secret` NULL: of the public key only. NULL: no such key, or no memory. */
EVP_PKEY *mf_ssh_ecdsa(struct mf_bytes curve, struct mf_bytes point, const struct mf_bytes *secret);
struct mf_ssh_rsa {
	struct mf_bytes n, e, d, inverse, p, q; /* d and what follows: empty in a public key */
};
EVP_PKEY *mf_ssh_rsa(const struct mf_ssh_rsa *k);

/* What is behind the base64 of a public key line: the type and its members (RFC 4253 section 6.6, RFC 5656
 * section 3.1, RFC 8709 section 4). MF_E_FORMAT. */
struct mf_pubkey *mf_ssh_pubkey(struct mf_bytes blob, struct mf_err *err) MF_NODISCARD;

#endif
