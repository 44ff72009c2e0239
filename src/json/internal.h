/* Internal to this module. */
#ifndef MF_JSON_INTERNAL_H
#define MF_JSON_INTERNAL_H

#include "json/json.h"

/* Largest magnitude that every JSON reader holds exactly (RFC 8259 section 6, "Numbers"). */
#define MF_JSON_MAX_WHOLE ((int64_t)9007199254740991)

/* Decodes the escape at p (*p is a backslash) to UTF-8, *len bytes from 1 to 4. Returns the length of the
 * escape (12 for a surrogate pair), 0 when malformed. */
size_t mf_json_unescape(const char *p, const char *end, char out[4], size_t *len) MF_NODISCARD;
/* Returns whether the decoded string contains a NUL. */
bool mf_json_string_has_nul(struct mf_json_string s);

/* A number as written. */
struct mf_json_number {
	const char *digits; /* n_int digits, then a point and n_frac digits when there is a fraction */
	size_t n_int, n_frac;
	int64_t exp; /* limited to a value far beyond the length of any document */
	bool negative;
	bool plain; /* neither fraction nor exponent */
};
/* Checks the grammar only. Returns the end of the number, NULL when malformed. */
const char *mf_json_number_scan(const char *p, const char *end, struct mf_json_number *out) MF_NODISCARD;
/* Gives the value of a plain number; false when it does not fit. */
bool mf_json_number_int64(const struct mf_json_number *num, int64_t *out) MF_NODISCARD;
/* Gives the exact value of any number; false when it has a fraction or is outside +-MF_JSON_MAX_WHOLE. */
bool mf_json_number_whole(const struct mf_json_number *num, int64_t *out) MF_NODISCARD;
/* Returns whether the magnitude is 1e308 or more. */
bool mf_json_number_huge(const struct mf_json_number *num);

/* Merge sort. A C library's qsort may take quadratic time on chosen input. */
int mf_json_sort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *),
		 struct mf_err *err) MF_NODISCARD;

/* The same as mf_json_canonicalize, but every number must be written without fraction and exponent. */
int mf_json_canonicalize_plain(struct mf_str value, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

#endif
