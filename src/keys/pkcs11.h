/* Exposed for tests. */
#ifndef MF_KEYS_PKCS11_H
#define MF_KEYS_PKCS11_H

#include "keys/source.h"

/* CKA_EC_POINT to the point in it. MF_E_KEY. */
int mf_pkcs11_unwrap_point(struct mf_bytes *point, struct mf_err *err) MF_NODISCARD;

#endif
