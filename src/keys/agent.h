/* The protocol of ssh-agent (draft-ietf-sshm-ssh-agent): lists the agent's keys, and signs with one of
 * them. Private keys never leave the agent. Supported are ed25519 and ECDSA P-256. */
#ifndef MF_KEYS_AGENT_H
#define MF_KEYS_AGENT_H

#include "keys/source.h"

/* ---- messages, without their length prefix. Answers of an agent are not trusted. */

/* Appends the encoding of a public key that identifies it to the agent (RFC 8709 section 4, RFC 5656
 * section 3.1). MF_E_KEY: keys of this type are not supported. */
int mf_agent_put_key(struct mf_buf *out, const struct mf_pubkey *k, struct mf_err *err) MF_NODISCARD;

/* Reads the keys in an answer, and calls `each` for those of a supported type, until `each` returns false.
 * The octets are borrowed. *n: number of keys in the answer, of any type. MF_E_FORMAT. */
struct mf_agent_listed {
	struct mf_pubkey *pub; /* borrowed */
	struct mf_bytes blob;
};
int mf_agent_read_keys(struct mf_bytes answer, bool (*each)(void *arg, const struct mf_agent_listed *key),
		       void *arg, size_t *n, struct mf_err *err) MF_NODISCARD;
/* Reads an answer to a request for a signature. MF_FOUND: the signature was appended, in the encoding of
 * the scheme; MF_ABSENT: the agent refuses; MF_FAILED: MF_E_FORMAT, or no memory. */
enum mf_found mf_agent_read_signature(struct mf_bytes answer, const struct mf_pubkey *k,
				      enum mf_sig_scheme scheme, struct mf_buf *sig,
				      struct mf_err *err) MF_NODISCARD;

#endif
