/* The protocol of ssh-agent (draft-ietf-sshm-ssh-agent): which keys it holds, and signatures by one of them.
 * The private keys stay where they are. ed25519, and ECDSA P-256. */
#ifndef MF_KEYS_AGENT_H
#define MF_KEYS_AGENT_H

#include "keys/source.h"

/* ---- messages, without their length prefix. Answers of an agent are not trusted. */

/* The octets by which an agent knows a key (RFC 8709 section 4, RFC 5656 section 3.1). MF_E_KEY: it is of a
 * type that agents of ours do not sign with. */
int mf_agent_put_key(struct mf_buf *out, const struct mf_pubkey *k, struct mf_err *err) MF_NODISCARD;

/* The keys in an answer: each one of a type that we know goes to `each`, which returns non-zero to go on. The
 * octets are borrowed. *n: how many it lists, of whatever type. MF_E_FORMAT. */
struct mf_agent_listed {
	struct mf_pubkey *pub; /* borrowed */
	struct mf_bytes blob;
};
int mf_agent_read_keys(struct mf_bytes answer, bool (*each)(void *arg, const struct mf_agent_listed *key),
		       void *arg, size_t *n, struct mf_err *err) MF_NODISCARD;
/* MF_FOUND: the signature, in the encoding of the scheme; MF_ABSENT: the agent refuses; MF_FAILED:
 * MF_E_FORMAT. */
enum mf_found mf_agent_read_signature(struct mf_bytes answer, const struct mf_pubkey *k,
				      enum mf_sig_scheme scheme, struct mf_buf *sig,
				      struct mf_err *err) MF_NODISCARD;

#endif
