/* A sha256 digest as OCI writes it: "sha256:" and 64 lower-case hex digits
 * (image-spec 1.1, descriptor.md, "Digests"). Other algorithms are refused. */
#ifndef MF_BASE_DIGEST_H
#define MF_BASE_DIGEST_H

#include "base/str.h"

#define MF_DIGEST_TEXT 72 /* "sha256:" + 64 + NUL */

struct mf_digest {
	uint8_t b[32];
};

/* The one constructor from text: consumes all of it. MF_E_FORMAT. */
int mf_digest_parse(struct mf_digest *out, struct mf_str text, struct mf_err *err) MF_NODISCARD;
void mf_digest_format(char out[MF_DIGEST_TEXT], const struct mf_digest *d);
void mf_digest_hex(char out[65], const struct mf_digest *d);
bool mf_digest_eq(const struct mf_digest *a, const struct mf_digest *b);

#endif
