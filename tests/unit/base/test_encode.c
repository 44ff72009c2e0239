#include "base/encode.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static void hex_encodes_in_lower_case(void **state)
{
	(void)state;
	static const uint8_t in[] = {0x00, 0x01, 0x9a, 0xbc, 0xff};
	char out[11];
	mf_hex_encode(out, in, sizeof in);
	assert_string_equal(out, "00019abcff");
	mf_hex_encode(out, in, 0);
	assert_string_equal(out, "");
}

static void hex_decodes_exactly_lower_case_digits(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
	    {"00ff", 0},  {"0a9f", 0},  {"", -1},     {"00f", -1},  {"00ff0", -1}, {"00ff00", -1},
	    {"00FF", -1}, {"00fF", -1}, {"00fg", -1}, {"g0ff", -1}, {" 0ff", -1},  {"00f ", -1},
	    {"0x0f", -1}, {"00f/", -1}, {"00f:", -1}, {"00f`", -1}, {"+0ff", -1},
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		uint8_t out[2] = {0};
		assert_int_equal(mf_hex_decode(out, 2, mf_str_c(rows[i].text)), rows[i].rc);
	}
	uint8_t out[2];
	assert_int_equal(mf_hex_decode(out, 2, MF_STR("a05f")), 0);
	assert_int_equal(out[0], 0xa0);
	assert_int_equal(out[1], 0x5f);
	assert_int_equal(mf_hex_decode(out, 2, MF_STR("a0\0f")), -1);
	assert_int_equal(mf_hex_decode(out, 0, MF_STR("")), 0);
}

static void hex_decodes_either_case_into_a_buffer(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4);
	assert_int_equal(mf_hex_decode_buf(&b, MF_STR("aF"), &err), 0);
	assert_int_equal(mf_hex_decode_buf(&b, MF_STR("00Ff10"), &err), 0);
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "\xaf\x00\xff\x10", 4);
	assert_int_equal(mf_hex_decode_buf(&b, MF_STR("00"), &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	static const char *const bad[] = {"a", "abc", "ag", "ga", " a", "a ", "0x"};
	for (size_t i = 0; i < ROWS(bad); i++) {
		struct mf_err e = MF_ERR_INIT;
		mf_buf_reset(&b);
		assert_int_equal(mf_hex_decode_buf(&b, mf_str_c(bad[i]), &e), -1);
		assert_int_equal(e.code, MF_E_FORMAT);
	}
}

/* RFC 4648 section 10, and the two digits that base64url has other letters for. */
static const struct {
	struct mf_str plain;
	const char *text;
} b64_pairs[] = {
    {{"", 0}, ""},
    {{"f", 1}, "Zg=="},
    {{"fo", 2}, "Zm8="},
    {{"foo", 3}, "Zm9v"},
    {{"foob", 4}, "Zm9vYg=="},
    {{"fooba", 5}, "Zm9vYmE="},
    {{"foobar", 6}, "Zm9vYmFy"},
    {{"\0\0\0", 3}, "AAAA"},
    {{"\0", 1}, "AA=="},
    {{"\xff\xff\xff", 3}, "////"},
    {{"\xfb\xef\xbe", 3}, "++++"},
    {{"\xff", 1}, "/w=="},
    {{"\xff\xff", 2}, "//8="},
};

static void base64_encodes_with_padding(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(b64_pairs); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
		assert_int_equal(mf_buf_addc(&b, '>', &err), 0);
		assert_int_equal(mf_b64_encode(&b, mf_bytes_of(b64_pairs[i].plain), &err), 0);
		assert_string_equal(b.p + 1, b64_pairs[i].text);
		assert_int_equal(b.n, strlen(b64_pairs[i].text) + 1);
	}
}

static void base64_decodes_what_it_encoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(b64_pairs); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
		assert_int_equal(mf_b64_decode(&b, mf_str_c(b64_pairs[i].text), &err), 0);
		assert_true(mf_str_eq(mf_buf_str(&b), b64_pairs[i].plain));
	}
	uint8_t all[256];
	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (uint8_t)i;
	for (size_t n = 0; n <= sizeof all; n++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(1000);
		struct mf_buf back MF_BUF_CLEANUP = MF_BUF_INIT(1000);
		assert_int_equal(mf_b64_encode(&text, (struct mf_bytes){all, n}, &err), 0);
		assert_int_equal(mf_b64_decode(&back, mf_buf_str(&text), &err), 0);
		assert_int_equal(back.n, n);
		assert_memory_equal(mf_buf_bytes(&back).p, all, n);
	}
}

/* What a lenient decoder lets pass is a second spelling of a signature or a digest. */
static void base64_decoding_is_strict(void **state)
{
	(void)state;
	const struct mf_str bad[] = {
	    {"Z", 1},     {"Zg", 2},       {"Zg=", 3},        {"Zm8", 3},          {"Zm9vY", 5},
	    {"=", 1},     {"====", 4},     {"Z===", 4},       {"=Zg=", 4},         {"Z=g=", 4},
	    {"Zg=A", 4},  {"Zg==Zg==", 8}, {"Zm8=Zm9v", 8},   {"Zm9v====", 8},     {"Zg===", 5},
	    {"Zh==", 4},  {"Zi==", 4},     {"Z/==", 4},       {"Zm9=", 4},         {"Zm+=", 4},
	    {"//9=", 4},  {"AB==", 4},     {"AAB=", 4},       {"Zm9v\n", 5},       {"Zm9\n", 4},
	    {" Zm9", 4},  {"Zm 9", 4},     {"Zm9v\r\n  ", 8}, {"Zm9-", 4},         {"Zm9_", 4},
	    {"Zm9\0", 4}, {"Zm9*", 4},     {"Zm9\xff", 4},    {"Zm9vZm9v Zm", 11}, {"Zm9vZm9.", 8},
	    {"Zm9@", 4},  {"Zm9[", 4},     {"Zm9`", 4},       {"Zm9{", 4},         {"Zm9:", 4},
	};
	for (size_t i = 0; i < ROWS(bad); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
		assert_int_equal(mf_b64_decode(&b, bad[i], &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
	}
}

/* Of the 64 last digits before padding only those with zero unused bits may pass. */
static void base64_unused_bits_must_be_zero(void **state)
{
	(void)state;
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t d = 0; d < 64; d++) {
		const char one[] = {'Z', digits[d], '=', '='}, two[] = {'Z', 'm', digits[d], '='};
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
		assert_int_equal(mf_b64_decode(&b, (struct mf_str){one, 4}, &err), d % 16 ? -1 : 0);
		mf_err_clear(&err);
		assert_int_equal(mf_b64_decode(&b, (struct mf_str){two, 4}, &err), d % 4 ? -1 : 0);
	}
}

static void base64_output_has_the_maximum_of_its_buffer(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4);
	assert_int_equal(mf_b64_encode(&b, (struct mf_bytes){(const uint8_t *)"abc", 3}, &err), 0);
	mf_buf_reset(&b);
	assert_int_equal(mf_b64_encode(&b, (struct mf_bytes){(const uint8_t *)"abcd", 4}, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_int_equal(b.n, 0);
	mf_err_clear(&err);
	assert_int_equal(mf_b64_decode(&b, MF_STR("Zm9vYmFy"), &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_int_equal(b.n, 0);
}

static void base64_of_exact_length_is_no_longer_and_no_shorter(void **state)
{
	(void)state;
	static const struct {
		size_t n;
		const char *text;
		int rc;
	} rows[] = {
	    {0, "", 0},      {1, "Zg==", 0},  {2, "Zm8=", 0},  {3, "Zm9v", 0},  {4, "Zm9vYg==", 0},
	    {1, "Zm8=", -1}, {2, "Zg==", -1}, {3, "Zm8=", -1}, {2, "Zm9v", -1}, {3, "Zm9vYg==", -1},
	    {4, "Zm9v", -1}, {0, "Zg==", -1}, {1, "", -1},     {1, "Zh==", -1}, {1, "Zg=", -1},
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		uint8_t out[8];
		memset(out, 0x55, sizeof out);
		assert_int_equal(mf_b64_decode_exact(out, rows[i].n, mf_str_c(rows[i].text), &err),
				 rows[i].rc);
		assert_int_equal(err.code, rows[i].rc ? MF_E_FORMAT : MF_OK);
		/* Written on success only, and never past n. */
		assert_int_equal(out[rows[i].rc ? 0 : rows[i].n], 0x55);
	}
}

static void percent_encoding_keeps_unreserved_and_chosen_bytes(void **state)
{
	(void)state;
	static const struct {
		struct mf_str in;
		const char *keep, *out;
	} rows[] = {
	    {{"", 0}, "", ""},
	    {{"AZaz09-._~", 10}, "", "AZaz09-._~"},
	    {{"a/b c", 5}, "", "a%2Fb%20c"},
	    {{"a/b c", 5}, "/", "a/b%20c"},
	    {{"%41", 3}, "", "%2541"},
	    {{"\0\xff\n", 3}, "/", "%00%FF%0A"},
	    {{"\xc3\xa9", 2}, "", "%C3%A9"},
	    {{"<>&'\"", 5}, "", "%3C%3E%26%27%22"},
	    {{":@+", 3}, ":@", ":@%2B"},
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100), back MF_BUF_CLEANUP = MF_BUF_INIT(100);
		assert_int_equal(mf_pct_encode(&b, rows[i].in, rows[i].keep, &err), 0);
		assert_string_equal(mf_buf_str(&b).p, rows[i].out);
		assert_int_equal(mf_pct_decode(&back, mf_buf_str(&b), &err), 0);
		assert_true(mf_str_eq(mf_buf_str(&back), rows[i].in));
	}
}

static void percent_decoding_refuses_broken_escapes(void **state)
{
	(void)state;
	static const char *const bad[] = {"%",   "a%",  "%4",  "%4g", "%g4", "%%41",
					  "% 1", "%-1", "%+1", "a%4", "%0x"};
	for (size_t i = 0; i < ROWS(bad); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
		assert_int_equal(mf_pct_decode(&b, mf_str_c(bad[i]), &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
	}
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
	assert_int_equal(mf_pct_decode(&b, MF_STR("%2f%2F+%7e"), &err), 0);
	assert_string_equal(b.p, "//+~");
	/* An escape that the slice cuts in two is broken even when the digit follows in memory. */
	assert_int_equal(mf_pct_decode(&b, (struct mf_str){"%41", 2}, &err), -1);
}

static void percent_coding_stops_at_the_maximum(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4);
	assert_int_equal(mf_pct_encode(&b, MF_STR("a//"), "", &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	mf_err_clear(&err);
	mf_buf_reset(&b);
	assert_int_equal(mf_pct_decode(&b, MF_STR("%41%41%41%41"), &err), 0);
	assert_int_equal(mf_pct_decode(&b, MF_STR("a"), &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

static const struct {
	const char *text;
	int64_t seconds;
} times[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1969-12-31T23:59:59Z", -1},
    {"2000-02-29T12:00:00Z", 951825600},
    {"2024-02-29T00:00:00Z", 1709164800},
    {"2024-03-01T00:00:00Z", 1709251200},
    {"2023-02-28T23:59:59Z", 1677628799},
    {"1900-03-01T00:00:00Z", -2203891200},
    {"2000-12-31T23:59:59Z", 978307199},
    {"2029-01-01T00:00:00Z", 1861920000},
    {"2038-01-19T03:14:08Z", 2147483648},
    {"2106-02-07T06:28:16Z", 4294967296},
    {"0001-01-01T00:00:00Z", -62135596800},
    {"9999-12-31T23:59:59Z", 253402300799},
};

static void time_parses_and_formats_the_same_instant(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(times); i++) {
		struct mf_err err = MF_ERR_INIT;
		int64_t t = 1;
		char text[MF_TIME_LEN];
		assert_int_equal(mf_time_parse(mf_str_c(times[i].text), &t, &err), 0);
		assert_int_equal(t, times[i].seconds);
		mf_time_format(text, t);
		assert_string_equal(text, times[i].text);
	}
}

static void time_offsets_and_fractions_are_understood(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {
	    {"1970-01-01T00:00:00+00:00", 0},      {"1970-01-01T00:00:00-00:00", 0},
	    {"1970-01-01T02:00:00+02:00", 0},      {"1969-12-31T18:30:00-05:30", 0},
	    {"1970-01-01T00:00:00+23:59", -86340}, {"1970-01-01T00:00:00-23:59", 86340},
	    {"1970-01-01T00:00:01.5Z", 1},         {"1970-01-01T00:00:01.999999999Z", 1},
	    {"1970-01-01T00:00:01.0Z", 1},         {"1970-01-01T01:00:01.123456789+01:00", 1},
	    {"1969-12-31T23:59:59.5Z", -1},        {"2024-03-01T00:30:00+01:00", 1709249400},
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		int64_t t = 12345;
		assert_int_equal(mf_time_parse(mf_str_c(rows[i].text), &t, &err), 0);
		assert_int_equal(t, rows[i].seconds);
	}
}

static void time_refuses_everything_else(void **state)
{
	(void)state;
	const struct mf_str bad[] = {
	    MF_STR(""),
	    MF_STR("2024"),
	    MF_STR("2024-01-01"),
	    MF_STR("2024-01-01T00:00:00"),
	    /* Lower case: valid RFC 3339, not what TUF or Go write. */
	    MF_STR("2024-01-01T00:00:00z"),
	    MF_STR("2024-01-01t00:00:00Z"),
	    MF_STR("2024-01-01 00:00:00Z"),
	    /* Days that do not exist. */
	    MF_STR("2023-02-29T00:00:00Z"),
	    MF_STR("1900-02-29T00:00:00Z"),
	    MF_STR("2100-02-29T00:00:00Z"),
	    MF_STR("2024-02-30T00:00:00Z"),
	    MF_STR("2024-04-31T00:00:00Z"),
	    MF_STR("2024-06-31T00:00:00Z"),
	    MF_STR("2024-01-32T00:00:00Z"),
	    MF_STR("2024-01-00T00:00:00Z"),
	    MF_STR("2024-00-01T00:00:00Z"),
	    MF_STR("2024-13-01T00:00:00Z"),
	    MF_STR("0000-01-01T00:00:00Z"),
	    MF_STR("10000-01-01T00:00:00Z"),
	    /* Times that do not exist; leap seconds are not used by anything that is read here. */
	    MF_STR("2024-01-01T24:00:00Z"),
	    MF_STR("2024-01-01T00:60:00Z"),
	    MF_STR("2024-01-01T00:00:60Z"),
	    /* Fractions. */
	    MF_STR("2024-01-01T00:00:00.Z"),
	    MF_STR("2024-01-01T00:00:00,5Z"),
	    MF_STR("2024-01-01T00:00:00.5"),
	    MF_STR("2024-01-01T00:00:00.1234567890Z"),
	    MF_STR("2024-01-01T00:00:00.5.5Z"),
	    /* Offsets. */
	    MF_STR("2024-01-01T00:00:00+24:00"),
	    MF_STR("2024-01-01T00:00:00+01:60"),
	    MF_STR("2024-01-01T00:00:00+0100"),
	    MF_STR("2024-01-01T00:00:00+01"),
	    MF_STR("2024-01-01T00:00:00+1:00"),
	    MF_STR("2024-01-01T00:00:00 01:00"),
	    MF_STR("2024-01-01T00:00:00Z+01:00"),
	    MF_STR("2024-01-01T00:00:00+-1:00"),
	    /* Widths, signs, blanks, more behind it. */
	    MF_STR("2024-1-01T00:00:00Z"),
	    MF_STR("2024-01-1T00:00:00Z"),
	    MF_STR("2024-01-01T0:00:00Z"),
	    MF_STR("24-01-01T00:00:00Z"),
	    MF_STR("-024-01-01T00:00:00Z"),
	    MF_STR("+2024-01-01T00:00:00Z"),
	    MF_STR(" 2024-01-01T00:00:00Z"),
	    MF_STR("2024-01-01T00:00:00Z "),
	    MF_STR("2024-01-01T00:00:00Z\0"),
	    MF_STR("2024-01-01T00:00:00ZZ"),
	    MF_STR("2024/01/01T00:00:00Z"),
	    MF_STR("2024-01-01T00.00.00Z"),
	    MF_STR("20240101T000000Z"),
	    MF_STR("2024-W01-1T00:00:00Z"),
	    MF_STR("2024-01-01T00:00Z"),
	    MF_STR("2024-01-01T 0:00:00Z"),
	    MF_STR("2024-01-01T-1:00:00Z"),
	    MF_STR("\xd9\xa2\xd9\xa0-01-01T00:00:00Z"),
	};
	for (size_t i = 0; i < ROWS(bad); i++) {
		struct mf_err err = MF_ERR_INIT;
		int64_t t = 12345;
		assert_int_equal(mf_time_parse(bad[i], &t, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		assert_int_equal(t, 12345);
	}
}

static void time_knows_every_leap_year(void **state)
{
	(void)state;
	for (int y = 1; y <= 9999; y++) {
		bool leap = y % 400 == 0 || (y % 4 == 0 && y % 100 != 0);
		char text[MF_TIME_LEN + 4];
		struct mf_err err = MF_ERR_INIT;
		int64_t february, march;
		(void)snprintf(text, sizeof text, "%04d-02-29T00:00:00Z", y);
		assert_int_equal(mf_time_parse(mf_str_c(text), &february, &err), leap ? 0 : -1);
		mf_err_clear(&err);
		(void)snprintf(text, sizeof text, "%04d-02-28T00:00:00Z", y);
		assert_int_equal(mf_time_parse(mf_str_c(text), &february, &err), 0);
		(void)snprintf(text, sizeof text, "%04d-03-01T00:00:00Z", y);
		assert_int_equal(mf_time_parse(mf_str_c(text), &march, &err), 0);
		assert_int_equal(march - february, leap ? 2 * 86400 : 86400);
	}
}

static void time_format_stays_within_four_digit_years(void **state)
{
	(void)state;
	char text[MF_TIME_LEN];
	mf_time_format(text, INT64_MAX);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	mf_time_format(text, INT64_MIN);
	assert_string_equal(text, "0001-01-01T00:00:00Z");
}

static void written_times_may_be_dates_and_leave_out_what_is_clear(void **state)
{
	(void)state;
	static const struct {
		const char *text, *time; /* NULL: refused */
	} rows[] = {
	    {"2030-01-31", "2030-01-31T23:59:59Z"},
	    {"2028-02-29", "2028-02-29T23:59:59Z"},
	    {"2030-01-31T12:30:15Z", "2030-01-31T12:30:15Z"},
	    {"2030-01-31t12:30:15z", "2030-01-31T12:30:15Z"},
	    {"2030-01-31 12:30:15Z", "2030-01-31T12:30:15Z"},
	    {"2030-01-31T12:30Z", "2030-01-31T12:30:00Z"},
	    {"2030-01-31 12:30+02:00", "2030-01-31T10:30:00Z"},
	    {"2030-01-31T12:30:15.5-01:00", "2030-01-31T13:30:15Z"},
	    {"2030-02-30", NULL},
	    {"2030-01-31T12:30:15", NULL}, /* nobody knows whose time */
	    {"2030-01-31T12:30", NULL},
	    {"2030-01-31Z", NULL},
	    {"2030-01-31T", NULL},
	    {"2030-01", NULL},
	    {"2030-1-31", NULL},
	    {"31.01.2030", NULL},
	    {"2030-01-31 ", NULL},
	    {" 2030-01-31", NULL},
	    {"2030-01-31T12:30:15Z and more than any time can hold, which must not be cut off silently",
	     NULL},
	    {"", NULL},
	};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		int64_t t = 0;
		char text[MF_TIME_LEN];
		int rc = mf_time_parse_written(mf_str_c(rows[i].text), &t, &err);
		assert_int_equal(rc, rows[i].time ? 0 : -1);
		assert_int_equal(err.code, rows[i].time ? MF_OK : MF_E_FORMAT);
		if (rc < 0)
			continue;
		mf_time_format(text, t);
		assert_string_equal(text, rows[i].time);
	}
}

static void duration_parses_whole_numbers_with_one_unit(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* 0: refused */
	} rows[] = {
	    {"90", 90},
	    {"90s", 90},
	    {"15m", 900},
	    {"2h", 7200},
	    {"30d", 2592000},
	    {"4w", 2419200},
	    {"31556952000", 31556952000},
	    {"31556952001", 0},
	    {"52178w", 0},
	    {"9223372036854775808", 0},
	    {"99999999999999999999d", 0},
	    {"", 0},
	    {"0", 0},
	    {"0d", 0},
	    {"d", 0},
	    {"-1d", 0},
	    {"+1d", 0},
	    {" 1d", 0},
	    {"1 d", 0},
	    {"1dd", 0},
	    {"1y", 31536000},
	    {"1001y", 0},
	    {"1Y", 0},
	    {"1.5h", 0},
	    {"1h30m", 0},
	};
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t seconds = 0;
		int rc = mf_duration_parse(mf_str_c(rows[i].text), &seconds);
		if (rc != (rows[i].seconds ? 0 : -1) || seconds != rows[i].seconds)
			fail_msg("'%s': %d, %lld", rows[i].text, rc, (long long)seconds);
	}
}

static void duration_formats_in_the_largest_unit_without_rest(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {{1, "1s"},          {60, "1m"},
		    {90, "90s"},        {3600, "1h"},
		    {5400, "90m"},      {86400, "1d"},
		    {604800, "7d"},     {2592000, "30d"},
		    {31536000, "365d"}, {INT64_MAX, "9223372036854775807s"}};
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char text[MF_DURATION_LEN];
		mf_duration_format(text, rows[i].seconds);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hex_encodes_in_lower_case),
	    cmocka_unit_test(hex_decodes_exactly_lower_case_digits),
	    cmocka_unit_test(hex_decodes_either_case_into_a_buffer),
	    cmocka_unit_test(base64_encodes_with_padding),
	    cmocka_unit_test(base64_decodes_what_it_encoded),
	    cmocka_unit_test(base64_decoding_is_strict),
	    cmocka_unit_test(base64_unused_bits_must_be_zero),
	    cmocka_unit_test(base64_output_has_the_maximum_of_its_buffer),
	    cmocka_unit_test(base64_of_exact_length_is_no_longer_and_no_shorter),
	    cmocka_unit_test(percent_encoding_keeps_unreserved_and_chosen_bytes),
	    cmocka_unit_test(percent_decoding_refuses_broken_escapes),
	    cmocka_unit_test(percent_coding_stops_at_the_maximum),
	    cmocka_unit_test(time_parses_and_formats_the_same_instant),
	    cmocka_unit_test(written_times_may_be_dates_and_leave_out_what_is_clear),
	    cmocka_unit_test(time_offsets_and_fractions_are_understood),
	    cmocka_unit_test(time_refuses_everything_else),
	    cmocka_unit_test(time_knows_every_leap_year),
	    cmocka_unit_test(time_format_stays_within_four_digit_years),
	    cmocka_unit_test(duration_parses_whole_numbers_with_one_unit),
	    cmocka_unit_test(duration_formats_in_the_largest_unit_without_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
