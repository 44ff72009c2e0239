/* Private key files of the notary CLI and Docker Content Trust: PEM with headers, PBES2 (PBKDF2-HMAC-SHA1,
 * AES-256-CBC), PKCS #8 with Notary's own ed25519 layout. Also reads what OpenSSL writes (PKCS #8, in
 * clear or under PBES2 with PBKDF2 or scrypt; SEC1; PKCS #1) and OpenSSH's PEM. */
#ifndef MF_KEYS_NOTARY_PEM_H
#define MF_KEYS_NOTARY_PEM_H

#include "crypto/key.h"

struct mf_notary_key {
	struct mf_privkey *key; /* owned by the caller */
	char role[256];         /* header `role`, "" when absent */
	char gun[256];          /* header `gun` */
};
/* Reads a file with exactly one private key; an "EC PARAMETERS" block is ignored. MF_E_KEY: the passphrase
 * is missing or wrong; MF_E_FORMAT. */
int mf_notary_key_read(struct mf_notary_key *out, struct mf_str text, const struct mf_secret *passphrase,
		       struct mf_err *err) MF_NODISCARD;
/* Appends the key as the notary CLI writes it; with passphrase NULL, as an unencrypted PKCS #8 block. */
int mf_notary_key_write(struct mf_buf *out, const struct mf_privkey *key, const char *role, const char *gun,
			const struct mf_secret *passphrase, struct mf_err *err) MF_NODISCARD;
/* Appends the key as PKCS #8 of OpenSSL; a passphrase encrypts it with PBKDF2-HMAC-SHA256 and AES-256-CBC. */
int mf_pkcs8_key_write(struct mf_buf *out, const struct mf_privkey *key, const struct mf_secret *passphrase,
		       struct mf_err *err) MF_NODISCARD;

#endif
