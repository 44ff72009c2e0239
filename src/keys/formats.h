/* Private keys in the formats of several programs. Each reader consumes all of its text, and limits the
 * time and the memory of the key derivation before it begins. MF_E_KEY: the passphrase is missing or
 * wrong; MF_E_FORMAT: the text is not exactly one key. */
#ifndef MF_KEYS_FORMATS_H
#define MF_KEYS_FORMATS_H

#include "crypto/key.h"

/* Reads a private key in any format: PEM (notary_pem.h; OpenSSH's too), a secret key of minisign or
 * signify, or a key file of manifesto. */
struct mf_privkey *mf_key_from_text(struct mf_str text, const struct mf_secret *passphrase,
				    struct mf_err *err) MF_NODISCARD;

/* Reads the content of PEM "OPENSSH PRIVATE KEY" (OpenSSH, PROTOCOL.key). */
struct mf_privkey *mf_openssh_key_read(struct mf_bytes der, const struct mf_secret *passphrase,
				       struct mf_err *err) MF_NODISCARD;
/* Reads a secret key of minisign or signify: a comment, and one line of base64. */
struct mf_privkey *mf_minisign_key_read(struct mf_str text, const struct mf_secret *passphrase,
					struct mf_err *err) MF_NODISCARD;

/* For the readers: checks that there is a passphrase, and its length. */
int mf_key_check_passphrase(const struct mf_secret *passphrase, struct mf_err *err) MF_NODISCARD;
int mf_key_fail_wrong(struct mf_err *err);

#endif
