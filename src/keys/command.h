/* Keys that a program signs with: a cloud's key service, Vault, a script of one's own. One process for one
 * answer. The program reads one JSON document, and writes one:
 *
 *   {"version":1,"operation":"public-key","name":NAME}
 *   -> {"publicKey":PEM}
 *   {"version":1,"operation":"sign","name":NAME,"keyType":TYPE,"publicKey":PEM,"scheme":SCHEME,"message":BASE64}
 *   -> {"signature":BASE64}
 *
 * SCHEME says how: "ed25519" (RFC 8032, 64 octets), "ecdsa-sha256" and "ecdsa-sha384" (DER), "rsa-pss-sha256"
 * (MGF1 with SHA-256, salt of 32 octets), "rsa-pkcs1-sha256". Members that a program does not know it passes
 * over. When it cannot answer, it writes {"error":TEXT}, or ends with another status than 0 and the reason on
 * standard error. */
#ifndef MF_KEYS_COMMAND_H
#define MF_KEYS_COMMAND_H

#include "keys/source.h"

/* What a program wrote. Not trusted: MF_E_KEY for anything but what was asked for. */
struct mf_pubkey *mf_command_read_key(struct mf_bytes answer, struct mf_err *err) MF_NODISCARD;
int mf_command_read_signature(struct mf_bytes answer, const struct mf_pubkey *k, enum mf_sig_scheme scheme,
			      struct mf_buf *sig, struct mf_err *err) MF_NODISCARD;

#endif
