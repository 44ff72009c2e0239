/* bcrypt_pbkdf, the key derivation of OpenSSH's and signify's private keys. No library in Debian provides
 * it. */
#ifndef MF_CRYPTO_BCRYPT_H
#define MF_CRYPTO_BCRYPT_H

#include "crypto/secret.h"

/* Fills *out, which the caller has allocated (at most 1024 octets). The caller has checked the limits of
 * salt and rounds (at least 1): each 32 octets of output take `rounds` rounds. MF_E_NOMEM. */
int mf_bcrypt_pbkdf(const struct mf_secret *passphrase, struct mf_bytes salt, uint32_t rounds,
		    struct mf_secret *out, struct mf_err *err) MF_NODISCARD;

#endif
