/* Keys as people have them, whatever program wrote them. Each reader consumes all of its text, and bounds the
 * time and the memory of the key derivation before it begins. MF_E_KEY: the passphrase is missing or wrong;
 * MF_E_FORMAT: anything else that is not exactly one key. */
#ifndef MF_KEYS_FORMATS_H
#define MF_KEYS_FORMATS_H

#include "crypto/key.h"

/* A private key: PEM (notary_pem.h; OpenSSH's too), a secret key of minisign or signify, or a key file of
 * ours. */
struct mf_privkey *mf_key_from_text(struct mf_str text, const struct mf_secret *passphrase,
				    struct mf_err *err) MF_NODISCARD;

/* What is inside PEM "OPENSSH PRIVATE KEY" (OpenSSH, PROTOCOL.key). */
struct mf_privkey *mf_openssh_key_read(struct mf_bytes der, const struct mf_secret *passphrase,
				       struct mf_err *err) MF_NODISCARD;
/* A comment and a line of base64. */
struct mf_privkey *mf_minisign_key_read(struct mf_str text, const struct mf_secret *passphrase,
					struct mf_err *err) MF_NODISCARD;

/* For the readers: is there a passphrase of a possible length? */
int mf_key_check_passphrase(const struct mf_secret *passphrase, struct mf_err *err) MF_NODISCARD;
int mf_key_fail_wrong(struct mf_err *err);

#endif
