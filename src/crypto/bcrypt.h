/* bcrypt_pbkdf, the key derivation of OpenSSH's and signify's private keys. No library that Debian has offers
 * it. */
#ifndef MF_CRYPTO_BCRYPT_H
#define MF_CRYPTO_BCRYPT_H

#include "crypto/secret.h"

/* Fills *out, which the caller has allocated (at most 1024 octets). The caller has bounded salt and rounds
 * (at least 1): the time is that of rounds for each 32 octets. MF_E_NOMEM. */
int mf_bcrypt_pbkdf(const struct mf_secret *passphrase, struct mf_bytes salt, uint32_t rounds,
		    struct mf_secret *out, struct mf_err *err) MF_NODISCARD;

#endif
