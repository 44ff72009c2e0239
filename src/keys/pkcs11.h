/* A parser of PKCS #11 keys, exposed for tests. */
#ifndef MF_KEYS_PKCS11_H
#define MF_KEYS_PKCS11_H

#include "keys/source.h"

/* Replaces the value of CKA_EC_POINT by the point in it. MF_E_KEY: malformed. */
int mf_pkcs11_unwrap_point(struct mf_bytes *point, struct mf_err *err) MF_NODISCARD;

#endif
