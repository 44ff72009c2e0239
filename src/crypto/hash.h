/* SHA-256 and SHA-512: of more than 8 KiB by OpenSSL's EVP (four times libsodium's speed), of less by
 * libsodium, which needs no loading; HMAC-SHA-256 and keyed BLAKE2b by libsodium. */
#ifndef MF_CRYPTO_HASH_H
#define MF_CRYPTO_HASH_H

#include "base/digest.h"

int mf_sha256(struct mf_bytes data, struct mf_digest *out, struct mf_err *err) MF_NODISCARD;
int mf_sha512(struct mf_bytes data, uint8_t out[64], struct mf_err *err) MF_NODISCARD;

/* HMAC-SHA-256 (RFC 2104) under a key of any length; `out` may be part of the key. MF_E_INTERNAL. */
int mf_hmac_sha256(struct mf_bytes key, struct mf_bytes data, uint8_t out[32],
		   struct mf_err *err) MF_NODISCARD;

/* A MAC over the concatenation of n pieces: BLAKE2b (RFC 7693) under a key of MF_MAC octets.
 * MF_E_INTERNAL. */
#define MF_MAC 32
int mf_mac(struct mf_bytes key, const struct mf_bytes *pieces, size_t n, uint8_t out[MF_MAC],
	   struct mf_err *err) MF_NODISCARD;
/* Returns whether n octets of two MACs are equal, in a time that does not depend on their values. */
bool mf_mac_eq(const uint8_t *a, const uint8_t *b, size_t n);

/* Incremental SHA-256 or SHA-512, for streams. */
struct mf_hash;
struct mf_hash *mf_hash_new(struct mf_err *err) MF_NODISCARD; /* SHA-256; NULL on failure */
struct mf_hash *mf_hash_new_sha512(struct mf_err *err) MF_NODISCARD;
int mf_hash_add(struct mf_hash *h, const void *p, size_t n, struct mf_err *err) MF_NODISCARD;
/* Finishes. Nothing may be added afterwards. */
int mf_hash_end(struct mf_hash *h, struct mf_digest *out, struct mf_err *err) MF_NODISCARD;
int mf_hash_end_sha512(struct mf_hash *h, uint8_t out[64], struct mf_err *err) MF_NODISCARD;
void mf_hash_free(struct mf_hash *h);
static inline void mf_hash_cleanup(struct mf_hash **h)
{
	mf_hash_free(*h);
}
#define MF_HASH_CLEANUP MF_CLEANUP(mf_hash_cleanup)

#endif
