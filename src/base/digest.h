/* A sha256 digest as OCI writes it: "sha256:" and 64 lower-case hex digits
 * (image-spec 1.1, descriptor.md, "Digests"). Other algorithms are refused. */
#ifndef MF_BASE_DIGEST_H
#define MF_BASE_DIGEST_H

#include "base/str.h"

#define MF_DIGEST_TEXT 72 /* "sha256:" + 64 + NUL */

struct mf_digest {
	uint8_t b[32];
};

/* The only constructor from text, which consumes all of it. MF_E_FORMAT. */
int mf_digest_parse(struct mf_digest *out, struct mf_str text, struct mf_err *err) MF_NODISCARD;
void mf_digest_format(char out[MF_DIGEST_TEXT], const struct mf_digest *d);
void mf_digest_hex(char out[65], const struct mf_digest *d);

/* Reads a fingerprint, or a prefix of one, as people write it: hexadecimal digits of either case,
 * "sha256:" in front or not, colons or blanks between digits. Writes the digits in lower case to `out`;
 * false for any other text. */
bool mf_fingerprint_digits(char out[65], const char *text);
/* The same for a whole fingerprint. */
bool mf_fingerprint_parse(struct mf_digest *out, const char *text);
bool mf_digest_eq(const struct mf_digest *a, const struct mf_digest *b);

#endif
