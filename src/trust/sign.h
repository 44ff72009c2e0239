/* Signing files of a repository. */
#ifndef MF_TRUST_SIGN_H
#define MF_TRUST_SIGN_H

#include "trust/trust.h"

/* Signs with keys that the role lists and we hold, as many as its threshold asks for; appends the whole file.
 * MF_E_KEY. */
int mf_trust_sign_file(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_str canonical,
		       struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Seconds that a new file of a type is valid. */
int64_t mf_trust_lifetime(const struct mf_trust *t, enum mf_tuf_type type);

#endif
