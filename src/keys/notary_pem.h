/* Private key files of the notary CLI and Docker Content Trust: PEM with headers, PBES2 (PBKDF2-HMAC-SHA1,
 * AES-256-CBC), PKCS #8 with Notary's own ed25519 layout. Also: what OpenSSL writes (PKCS #8 plain or under
 * PBES2 with PBKDF2 or scrypt; SEC1, PKCS #1), and OpenSSH's PEM. */
#ifndef MF_KEYS_NOTARY_PEM_H
#define MF_KEYS_NOTARY_PEM_H

#include "crypto/key.h"

struct mf_notary_key {
	struct mf_privkey *key; /* of the caller */
	char role[256];         /* header `role`, "" when absent */
	char gun[256];          /* header `gun` */
};
/* The file must hold exactly one private key; "EC PARAMETERS" before it are ignored. MF_E_KEY: passphrase
 * missing or wrong; MF_E_FORMAT. */
int mf_notary_key_read(struct mf_notary_key *out, struct mf_str text, const struct mf_secret *passphrase,
		       struct mf_err *err) MF_NODISCARD;
/* Appends the file as the notary CLI writes it; with passphrase NULL as an unencrypted PKCS #8 block. */
int mf_notary_key_write(struct mf_buf *out, const struct mf_privkey *key, const char *role, const char *gun,
			const struct mf_secret *passphrase, struct mf_err *err) MF_NODISCARD;
/* Appends PKCS #8 as OpenSSL writes it: with a passphrase under PBKDF2-HMAC-SHA256 and AES-256-CBC. */
int mf_pkcs8_key_write(struct mf_buf *out, const struct mf_privkey *key, const struct mf_secret *passphrase,
		       struct mf_err *err) MF_NODISCARD;

#endif
