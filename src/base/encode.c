#include "base/encode.h"

#include <stdio.h>
#include <time.h>

static const char hex_digits[] = "0123456789abcdef";

void mf_hex_encode(char *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = hex_digits[p[i] >> 4];
		out[2 * i + 1] = hex_digits[p[i] & 15];
	}
	out[2 * n] = 0;
}

/* Returns -1 for any other character, including upper-case digits. */
static int lower_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int hex_value(char c)
{
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : lower_hex_value(c);
}

int mf_hex_decode(uint8_t *out, size_t n, struct mf_str hex)
{
	if (hex.n != 2 * n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int hi = lower_hex_value(hex.p[2 * i]), lo = lower_hex_value(hex.p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return -1;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

int mf_hex_decode_buf(struct mf_buf *out, struct mf_str hex, struct mf_err *err)
{
	if (hex.n % 2)
		return mf_fail(err, MF_E_FORMAT, 0, "odd number of hexadecimal digits");
	if (mf_buf_reserve(out, hex.n / 2, err) < 0)
		return -1;
	for (size_t i = 0; i < hex.n; i += 2) {
		int hi = hex_value(hex.p[i]), lo = hex_value(hex.p[i + 1]);
		if (hi < 0 || lo < 0)
			return mf_fail(err, MF_E_FORMAT, 0, "not a hexadecimal digit at offset %zu", i);
		if (mf_buf_addc(out, (char)(uint8_t)(hi << 4 | lo), err) < 0)
			return -1;
	}
	return 0;
}

static const char b64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int mf_b64_encode(struct mf_buf *out, struct mf_bytes in, struct mf_err *err)
{
	if (in.n > SIZE_MAX / 2 || mf_buf_reserve(out, (in.n + 2) / 3 * 4, err) < 0)
		return in.n > SIZE_MAX / 2 ? mf_fail_nomem(err) : -1;
	char *o = out->p + out->n;
	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t v = (uint32_t)in.p[i] << 16;
		if (left > 1)
			v |= (uint32_t)in.p[i + 1] << 8;
		if (left > 2)
			v |= in.p[i + 2];
		*o++ = b64_digits[v >> 18];
		*o++ = b64_digits[v >> 12 & 63];
		*o++ = left > 1 ? b64_digits[v >> 6 & 63] : '=';
		*o++ = left > 2 ? b64_digits[v & 63] : '=';
	}
	*o = 0;
	out->n = (size_t)(o - out->p);
	return 0;
}

static int b64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes one group of four digits; only the `last` group may be padded. Returns the number of octets, -1
 * when malformed. */
static int b64_group(const char *p, bool last, uint8_t out[3])
{
	int n = 3;
	if (last && p[3] == '=')
		n = p[2] == '=' ? 1 : 2;
	uint32_t v = 0;
	for (int i = 0; i < 4; i++) {
		int d = i <= n ? b64_value(p[i]) : 0;
		if (d < 0)
			return -1;
		v = v << 6 | (uint32_t)d;
	}
	uint32_t unused = n == 1 ? v & 0xffff : n == 2 ? v & 0xff : 0;
	if (unused)
		return -1;
	out[0] = (uint8_t)(v >> 16);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)v;
	return n;
}

int mf_b64_decode(struct mf_buf *out, struct mf_str in, struct mf_err *err)
{
	if (in.n % 4)
		return mf_fail(err, MF_E_FORMAT, 0,
			       "base64 text has %zu characters, expected a multiple of 4", in.n);
	if (mf_buf_reserve(out, in.n / 4 * 3, err) < 0)
		return -1;
	for (size_t i = 0; i < in.n; i += 4) {
		uint8_t g[3];
		int n = b64_group(in.p + i, i + 4 == in.n, g);
		if (n < 0)
			return mf_fail(err, MF_E_FORMAT, 0, "not base64 at offset %zu", i);
		if (mf_buf_add(out, g, (size_t)n, err) < 0)
			return -1;
	}
	return 0;
}

int mf_b64_decode_exact(uint8_t *out, size_t n, struct mf_str in, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(n + 4);
	if (in.n != (n + 2) / 3 * 4)
		return mf_fail(err, MF_E_FORMAT, 0,
			       "base64 text has %zu characters, which cannot be %zu bytes", in.n, n);
	if (mf_b64_decode(&b, in, err) < 0)
		return -1;
	if (b.n != n)
		return mf_fail(err, MF_E_FORMAT, 0, "base64 text has %zu bytes, expected %zu", b.n, n);
	memcpy(out, b.p, n);
	return 0;
}

int mf_pct_encode(struct mf_buf *out, struct mf_str in, const char *keep, struct mf_err *err)
{
	static const char upper[] = "0123456789ABCDEF";
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];
		bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			     c == '-' || c == '.' || c == '_' || c == '~' || (c && strchr(keep, c));
		char enc[3] = {'%', upper[c >> 4], upper[c & 15]};
		if (plain ? mf_buf_addc(out, (char)c, err) < 0 : mf_buf_add(out, enc, 3, err) < 0)
			return -1;
	}
	return 0;
}

int mf_pct_decode(struct mf_buf *out, struct mf_str in, struct mf_err *err)
{
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (c == '%') {
			int hi = i + 1 < in.n ? hex_value(in.p[i + 1]) : -1;
			int lo = i + 2 < in.n ? hex_value(in.p[i + 2]) : -1;
			if (hi < 0 || lo < 0)
				return mf_fail(err, MF_E_FORMAT, 0, "invalid percent-encoding at offset %zu",
					       i);
			c = (char)(uint8_t)(hi << 4 | lo);
			i += 2;
		}
		if (mf_buf_addc(out, c, err) < 0)
			return -1;
	}
	return 0;
}

/* Reads n digits at *at; -1 when there are fewer. */
static int digits(struct mf_str s, size_t *at, size_t n)
{
	int v = 0;
	for (size_t i = 0; i < n; i++, (*at)++) {
		if (*at >= s.n || s.p[*at] < '0' || s.p[*at] > '9')
			return -1;
		v = v * 10 + (s.p[*at] - '0');
	}
	return v;
}

static bool take(struct mf_str s, size_t *at, char c)
{
	if (*at >= s.n || s.p[*at] != c)
		return false;
	(*at)++;
	return true;
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
static int64_t days_of(int y, int m, int d)
{
	int64_t yy = m <= 2 ? y - 1 : y;
	int64_t era = (yy >= 0 ? yy : yy - 399) / 400;
	int64_t yoe = yy - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static int month_days(int y, int m)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	return m == 2 && leap ? 29 : days[m - 1];
}

/* Reads an offset at *at ("Z" or "+hh:mm") in seconds; false when malformed. */
static bool zone(struct mf_str s, size_t *at, int64_t *offset)
{
	*offset = 0;
	if (take(s, at, 'Z'))
		return true;
	int sign = take(s, at, '+') ? 1 : take(s, at, '-') ? -1 : 0;
	if (!sign)
		return false;
	int h = digits(s, at, 2);
	if (h < 0 || h > 23 || !take(s, at, ':'))
		return false;
	int m = digits(s, at, 2);
	if (m < 0 || m > 59)
		return false;
	*offset = sign * (h * 3600 + m * 60);
	return true;
}

static bool fraction(struct mf_str s, size_t *at)
{
	if (!take(s, at, '.'))
		return true;
	size_t from = *at;
	while (*at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9')
		(*at)++;
	return *at > from && *at - from <= 9;
}

int mf_time_parse(struct mf_str text, int64_t *seconds, struct mf_err *err)
{
	size_t at = 0;
	int y = digits(text, &at, 4);
	bool ok = take(text, &at, '-');
	int mo = digits(text, &at, 2);
	ok = ok && take(text, &at, '-');
	int d = digits(text, &at, 2);
	ok = ok && take(text, &at, 'T');
	int h = digits(text, &at, 2);
	ok = ok && take(text, &at, ':');
	int mi = digits(text, &at, 2);
	ok = ok && take(text, &at, ':');
	int s = digits(text, &at, 2);
	int64_t offset = 0;
	ok = ok && fraction(text, &at) && zone(text, &at, &offset) && at == text.n;
	ok = ok && y >= 1 && mo >= 1 && mo <= 12 && d >= 1 && h >= 0 && h <= 23 && mi >= 0 && mi <= 59 &&
	     s >= 0 && s <= 59;
	if (!ok || d > month_days(y, mo)) {
		struct mf_esc e;
		return mf_fail(err, MF_E_FORMAT, 0, "not an RFC 3339 time: '%s'", mf_esc(&e, text));
	}
	*seconds = days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + s - offset;
	return 0;
}

int mf_time_parse_written(struct mf_str text, int64_t *seconds, struct mf_err *err)
{
	enum { DATE = sizeof "2030-01-31" - 1, MINUTES = sizeof "2030-01-31T00:00" - 1 };
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(64);
	struct mf_err why = MF_ERR_INIT;
	struct mf_esc e;
	bool short_time = text.n > MINUTES && text.p[MINUTES] != ':';
	size_t head = short_time ? MINUTES : text.n;
	int rc = mf_buf_add(&b, text.p, head, &why);
	if (rc == 0 && text.n == DATE)
		rc = mf_buf_addz(&b, "T23:59:59Z", &why);
	if (rc == 0 && short_time)
		rc = mf_buf_printf(&b, &why, ":00%.*s", (int)(text.n - head), text.p + head);
	if (rc == 0 && b.n > DATE && strchr("t ", b.p[DATE]))
		b.p[DATE] = 'T';
	if (rc == 0 && b.n && b.p[b.n - 1] == 'z')
		b.p[b.n - 1] = 'Z';
	if (rc == 0 && mf_time_parse(mf_buf_str(&b), seconds, &why) == 0)
		return 0;
	if (why.code == MF_E_NOMEM)
		return mf_fail_nomem(err);
	return mf_fail(err, MF_E_FORMAT, 0,
		       "'%s' is no date or time such as 2030-01-31 or 2030-01-31T12:00:00Z",
		       mf_esc(&e, text));
}

void mf_time_format(char out[MF_TIME_LEN], int64_t seconds)
{
	const int64_t first = -62135596800, last = 253402300799; /* years 1 and 9999 */
	time_t t = (time_t)(seconds < first ? first : seconds > last ? last : seconds);
	struct tm tm = {0};
	(void)gmtime_r(&t, &tm);
	char text[64];
	(void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(out, text, MF_TIME_LEN - 1);
	out[MF_TIME_LEN - 1] = 0;
}

/* ---- durations */

static const struct {
	char suffix;
	int64_t seconds;
} units[] = {{'y', 31536000}, {'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

int mf_duration_parse(struct mf_str text, int64_t *seconds)
{
	/* A thousand years: far above any use, and far below an overflow when it is added to a clock or
	 * counted in milliseconds. */
	const int64_t limit = INT64_C(31556952000);
	int64_t n = 0, unit = 0;
	size_t at = 0;
	for (; at < text.n && text.p[at] >= '0' && text.p[at] <= '9'; at++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, text.p[at] - '0', &n))
			return -1;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (at + 1 == text.n && text.p[at] == units[i].suffix)
			unit = units[i].seconds;
	if (at == text.n)
		unit = 1;
	if (!at || !n || !unit || n > limit / unit)
		return -1;
	*seconds = n * unit;
	return 0;
}

void mf_duration_format(char out[MF_DURATION_LEN], int64_t seconds)
{
	size_t i = 2;
	while (seconds % units[i].seconds)
		i++;
	(void)snprintf(out, MF_DURATION_LEN, "%lld%c", (long long)(seconds / units[i].seconds),
		       units[i].suffix);
}
