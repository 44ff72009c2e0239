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

/* Fingerprints as people write them: hexadecimal digits of either case, with or without "sha256:" in front,
 * and colons or blanks between digits. The digits in lower case into out, a prefix of a fingerprint too;
 * false for anything else. */
bool mf_fingerprint_digits(char out[65], const char *text);
/* A whole one. */
bool mf_fingerprint_parse(struct mf_digest *out, const char *text);
bool mf_digest_eq(const struct mf_digest *a, const struct mf_digest *b);

#endif
