#include "json/internal.h"

/* Larger than the length of any document, so that adding digit counts cannot bring a limited exponent back
 * into range. */
#define EXP_LIMIT ((int64_t)1 << 50)

static const char *digits_end(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Reads the exponent at p, after the 'e'; NULL when malformed. */
static const char *exponent(const char *p, const char *end, int64_t *exp)
{
	bool negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	const char *stop = digits_end(p, end);
	int64_t e = 0;
	if (stop == p)
		return NULL;
	for (; p < stop; p++)
		if (e < EXP_LIMIT)
			e = e * 10 + (*p - '0');
	*exp = negative ? -e : e;
	return stop;
}

/* RFC 8259 section 6, "Numbers". */
const char *mf_json_number_scan(const char *p, const char *end, struct mf_json_number *out)
{
	struct mf_json_number num = {.plain = true};
	if (p < end && *p == '-') {
		num.negative = true;
		p++;
	}
	num.digits = p;
	p = digits_end(p, end);
	num.n_int = (size_t)(p - num.digits);
	if (num.n_int == 0 || (num.n_int > 1 && num.digits[0] == '0'))
		return NULL;
	if (p < end && *p == '.') {
		const char *frac = p + 1;
		p = digits_end(frac, end);
		num.n_frac = (size_t)(p - frac);
		num.plain = false;
		if (num.n_frac == 0)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		num.plain = false;
		p = exponent(p + 1, end, &num.exp);
	}
	*out = num;
	return p;
}

bool mf_json_number_int64(const struct mf_json_number *num, int64_t *out)
{
	uint64_t v = 0, max = (uint64_t)INT64_MAX + (num->negative ? 1 : 0);
	if (num->n_int > 19) /* 19 digits cannot overflow v */
		return false;
	for (size_t i = 0; i < num->n_int; i++)
		v = v * 10 + (uint64_t)(num->digits[i] - '0');
	if (v > max)
		return false;
	if (num->negative)
		*out = v ? -(int64_t)(v - 1) - 1 : 0;
	else
		*out = (int64_t)v;
	return true;
}

static int digit(const struct mf_json_number *num, size_t k)
{
	return num->digits[k < num->n_int ? k : k + 1] - '0';
}

/* The power of ten of digit k. */
static int64_t weight(const struct mf_json_number *num, size_t k)
{
	return (int64_t)num->n_int - 1 - (int64_t)k + num->exp;
}

bool mf_json_number_whole(const struct mf_json_number *num, int64_t *out)
{
	static const int64_t pow10[] = {1,
					10,
					100,
					1000,
					10000,
					100000,
					1000000,
					10000000,
					100000000,
					1000000000,
					10000000000,
					100000000000,
					1000000000000,
					10000000000000,
					100000000000000,
					1000000000000000};
	const int64_t top = sizeof pow10 / sizeof pow10[0];
	int64_t v = 0;
	for (size_t k = 0; k < num->n_int + num->n_frac; k++) {
		int d = digit(num, k);
		int64_t w = weight(num, k);
		if (d == 0)
			continue;
		if (w < 0 || w >= top)
			return false;
		v += d * pow10[w];
	}
	if (v > MF_JSON_MAX_WHOLE)
		return false;
	*out = num->negative ? -v : v;
	return true;
}

bool mf_json_number_huge(const struct mf_json_number *num)
{
	for (size_t k = 0; k < num->n_int + num->n_frac; k++)
		if (digit(num, k) != 0)
			return weight(num, k) >= 308;
	return false;
}
