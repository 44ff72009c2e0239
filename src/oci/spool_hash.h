/* Spools hashed by SHA-256: store and crypto are equals and cannot see each other, here both are visible. */
#ifndef MF_OCI_SPOOL_HASH_H
#define MF_OCI_SPOOL_HASH_H

#include "store/file.h"

/* A spool of at most max octets; NULL on failure. Caller frees with mf_spool_free. */
struct mf_spool *mf_spool_new_sha256(uint64_t max, struct mf_err *err) MF_NODISCARD;

#endif
