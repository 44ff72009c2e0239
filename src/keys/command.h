/* Keys that a program signs with: a client of a cloud's key service or of Vault, or a script. Each process
 * gets one request and gives one answer. It reads one JSON document and writes one:
 *
 *   {"version":1,"operation":"public-key","name":NAME}
 *   -> {"publicKey":PEM}
 *   {"version":1,"operation":"sign","name":NAME,"keyType":TYPE,"publicKey":PEM,"scheme":SCHEME,"message":BASE64}
 *   -> {"signature":BASE64}
 *
 * SCHEME is "ed25519" (RFC 8032, 64 octets), "ecdsa-sha256" or "ecdsa-sha384" (DER), "rsa-pss-sha256"
 * (MGF1 with SHA-256, salt of 32 octets), or "rsa-pkcs1-sha256". A program must ignore members that it
 * does not know. When it cannot answer, it writes {"error":TEXT}, or ends with a status other than 0 and
 * writes the reason to standard error. */
#ifndef MF_KEYS_COMMAND_H
#define MF_KEYS_COMMAND_H

#include "keys/source.h"

/* Read the answer of a program, which is not trusted. MF_E_KEY: it is not the answer to the request. */
struct mf_pubkey *mf_command_read_key(struct mf_bytes answer, struct mf_err *err) MF_NODISCARD;
int mf_command_read_signature(struct mf_bytes answer, const struct mf_pubkey *k, enum mf_sig_scheme scheme,
			      struct mf_buf *sig, struct mf_err *err) MF_NODISCARD;

#endif
