/* Hexadecimal, base64, percent-encoding, RFC 3339 times and durations. */
#ifndef MF_BASE_ENCODE_H
#define MF_BASE_ENCODE_H

#include "base/str.h"

/* Writes 2*n lower-case digits and a NUL. */
void mf_hex_encode(char *out, const uint8_t *p, size_t n);
/* Decodes exactly 2*n lower-case digits; else -1, without an error object. */
int mf_hex_decode(uint8_t *out, size_t n, struct mf_str hex) MF_NODISCARD;
/* Decodes any even number of digits of either case, and appends to out. */
int mf_hex_decode_buf(struct mf_buf *out, struct mf_str hex, struct mf_err *err) MF_NODISCARD;

/* Standard base64 with padding (RFC 4648 section 4), appended to out. */
int mf_b64_encode(struct mf_buf *out, struct mf_bytes in, struct mf_err *err) MF_NODISCARD;
/* Strict: padding required, no white space, unused bits zero (RFC 4648 section 3.5). MF_E_FORMAT. */
int mf_b64_decode(struct mf_buf *out, struct mf_str in, struct mf_err *err) MF_NODISCARD;
/* Decodes exactly n octets. */
int mf_b64_decode_exact(uint8_t *out, size_t n, struct mf_str in, struct mf_err *err) MF_NODISCARD;

/* Percent-encodes everything but A-Za-z0-9 - . _ ~ and the bytes in `keep` (upper-case hex). */
int mf_pct_encode(struct mf_buf *out, struct mf_str in, const char *keep, struct mf_err *err) MF_NODISCARD;
int mf_pct_decode(struct mf_buf *out, struct mf_str in, struct mf_err *err) MF_NODISCARD;

/* RFC 3339 with optional fraction and `Z` or offset; upper-case T and Z only (as Go and TUF
 * write it). Result: seconds since 1970-01-01T00:00:00Z, fraction cut off. Years 1 to 9999. */
int mf_time_parse(struct mf_str text, int64_t *seconds, struct mf_err *err) MF_NODISCARD;
/* Reads a time that a person wrote. Also accepts a date, which means the end of that day (UTC), a missing
 * number of seconds, a blank for T, and t and z in lower case. A time of day without Z or offset is
 * refused, because its zone is not known. */
int mf_time_parse_written(struct mf_str text, int64_t *seconds, struct mf_err *err) MF_NODISCARD;
/* "2029-01-01T00:00:00Z" */
#define MF_TIME_LEN 21
void mf_time_format(char out[MF_TIME_LEN], int64_t seconds);

/* "90", "90s", "15m", "2h", "90d", "4w", "1y" (365 days): whole seconds above zero, at most a thousand years.
 * -1 without an error object. */
int mf_duration_parse(struct mf_str text, int64_t *seconds) MF_NODISCARD;
/* Writes a duration in the largest unit of d, h, m and s that divides it: "30d", "90m". */
#define MF_DURATION_LEN 24
void mf_duration_format(char out[MF_DURATION_LEN], int64_t seconds);

#endif
