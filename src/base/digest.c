#include "base/digest.h"

#include "base/encode.h"

int mf_digest_parse(struct mf_digest *out, struct mf_str text, struct mf_err *err)
{
	struct mf_esc e;
	struct mf_str prefix = MF_STR("sha256:");
	struct mf_digest d;
	if (!mf_str_starts(text, prefix))
		return mf_fail(err, MF_E_FORMAT, 0, "expected a digest sha256:HEX, got '%s'",
			       mf_esc(&e, text));
	struct mf_str hex = {text.p + prefix.n, text.n - prefix.n};
	if (mf_hex_decode(d.b, sizeof d.b, hex) < 0)
		return mf_fail(err, MF_E_FORMAT, 0,
			       "expected 64 lower-case hexadecimal digits after 'sha256:', got '%s'",
			       mf_esc(&e, text));
	*out = d;
	return 0;
}

void mf_digest_hex(char out[65], const struct mf_digest *d)
{
	mf_hex_encode(out, d->b, sizeof d->b);
}

void mf_digest_format(char out[MF_DIGEST_TEXT], const struct mf_digest *d)
{
	memcpy(out, "sha256:", 7);
	mf_digest_hex(out + 7, d);
}

bool mf_digest_eq(const struct mf_digest *a, const struct mf_digest *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool mf_fingerprint_digits(char out[65], const char *text)
{
	size_t n = 0;
	if (strncasecmp(text, "sha256:", 7) == 0)
		text += 7;
	for (bool after_digit = false; *text; text++) {
		char c = *text >= 'A' && *text <= 'F' ? (char)(*text - 'A' + 'a') : *text;
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
		if (digit ? n == 64 : !after_digit || !text[1] || (c != ':' && c != ' '))
			return false;
		if (digit)
			out[n++] = c;
		after_digit = digit;
	}
	out[n] = 0;
	return n > 0;
}

bool mf_fingerprint_parse(struct mf_digest *out, const char *text)
{
	char digits[65];
	return mf_fingerprint_digits(digits, text) &&
	       mf_hex_decode(out->b, sizeof out->b, mf_str_c(digits)) == 0;
}
