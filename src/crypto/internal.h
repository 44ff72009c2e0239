/* Shared by the files of crypto/ (and keys/, for OpenSSL). */
#ifndef MF_CRYPTO_INTERNAL_H
#define MF_CRYPTO_INTERNAL_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/key.h"

/* Initialises libsodium, once per process. MF_E_INTERNAL: it fails. */
int mf_crypto_ready(struct mf_err *err) MF_NODISCARD;

/* Digests are fetched once: in OpenSSL 3.0 every fetch takes a lock, and costs as much as hashing a
 * kilobyte. */
const EVP_MD *mf_md_sha256(void);
const EVP_MD *mf_md_sha384(void);

/* A scope with this marker leaves OpenSSL's per-thread error queue as it was: a program that uses OpenSSL
 * itself, or libcurl, must not find errors of this library in the queue. */
static inline void mf_ossl_quiet_end(const int *unused)
{
	(void)unused;
	ERR_pop_to_mark();
}
#define MF_OSSL_QUIET                                                                                        \
	MF_CLEANUP(mf_ossl_quiet_end) __attribute__((unused)) const int mf_ossl_quiet = ERR_set_mark()

/* Valid input must not be reported as malformed or unsigned because memory was short. OpenSSL's error
 * codes do not always distinguish the two, and differ between versions. So after a refusal the library
 * tests whether memory can be allocated, and parses or verifies a second time.
 *
 * mf_ossl_fail fails with `code`, or with MF_E_NOMEM when no memory is available. */
int mf_ossl_fail(struct mf_err *err, enum mf_code code, const char *why);
/* Returns whether a refusal (MF_E_FORMAT, MF_E_SIGNATURE, MF_E_PIN, MF_E_KEY) is to be tried again; *err
 * is empty then. When no memory is available, *err becomes MF_E_NOMEM. */
bool mf_ossl_try_again(struct mf_err *err);
bool mf_ossl_memory_is_left(void);

#define MF_OSSL_CLEANUP_FN(type, name, fn)                                                                   \
	static inline void name(type **p)                                                                    \
	{                                                                                                    \
		fn(*p);                                                                                      \
	}
MF_OSSL_CLEANUP_FN(EVP_PKEY, mf_evp_pkey_cleanup, EVP_PKEY_free)
MF_OSSL_CLEANUP_FN(EVP_PKEY_CTX, mf_evp_pkey_ctx_cleanup, EVP_PKEY_CTX_free)
MF_OSSL_CLEANUP_FN(EVP_MD_CTX, mf_evp_md_ctx_cleanup, EVP_MD_CTX_free)
MF_OSSL_CLEANUP_FN(X509, mf_x509_cleanup, X509_free)
MF_OSSL_CLEANUP_FN(BIO, mf_bio_cleanup, BIO_free_all)
MF_OSSL_CLEANUP_FN(PKCS8_PRIV_KEY_INFO, mf_p8_cleanup, PKCS8_PRIV_KEY_INFO_free)
#define MF_EVP_PKEY_CLEANUP MF_CLEANUP(mf_evp_pkey_cleanup)
#define MF_EVP_PKEY_CTX_CLEANUP MF_CLEANUP(mf_evp_pkey_ctx_cleanup)
#define MF_EVP_MD_CTX_CLEANUP MF_CLEANUP(mf_evp_md_ctx_cleanup)
#define MF_X509_CLEANUP MF_CLEANUP(mf_x509_cleanup)
#define MF_BIO_CLEANUP MF_CLEANUP(mf_bio_cleanup)
#define MF_P8_CLEANUP MF_CLEANUP(mf_p8_cleanup)

/* Octets that OpenSSL allocated, wiped when freed. */
struct mf_ossl_mem {
	unsigned char *p;
	size_t n;
};
#define MF_OSSL_MEM_INIT                                                                                     \
	{                                                                                                    \
		NULL, 0                                                                                      \
	}
static inline void mf_ossl_mem_clear(struct mf_ossl_mem *m)
{
	OPENSSL_clear_free(m->p, m->n);
}
#define MF_OSSL_MEM_CLEANUP MF_CLEANUP(mf_ossl_mem_clear)

/* The public key in OpenSSL's form, borrowed. Not for ed25519, which libsodium verifies, because starting
 * OpenSSL costs more than many signatures. */
EVP_PKEY *mf_pubkey_evp(const struct mf_pubkey *k);
struct mf_pubkey *mf_pubkey_from_evp(EVP_PKEY *evp, struct mf_err *err) MF_NODISCARD;

/* The private key in OpenSSL's form, for one operation; the caller frees it. Not for ed25519. */
EVP_PKEY *mf_privkey_evp(const struct mf_privkey *k, struct mf_err *err) MF_NODISCARD;
/* Makes a private key of OpenSSL's form, whatever encoding that was read from. */
struct mf_privkey *mf_privkey_from_evp(EVP_PKEY *evp, struct mf_err *err) MF_NODISCARD;

#endif
