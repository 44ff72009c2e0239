#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/json.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct mf_bytes doc_of(const char *z)
{
	return mf_bytes_of(mf_str_c(z));
}

static int read_doc(struct mf_bytes doc, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	mf_json_reader_init(&r, doc);
	if (mf_json_skip(&r, NULL, err) < 0)
		return -1;
	return mf_json_end(&r, err);
}

static void assert_accepted(struct mf_str doc)
{
	/* An exact copy: AddressSanitizer sees a read behind its end. */
	char *copy = malloc(doc.n ? doc.n : 1);
	struct mf_err err = MF_ERR_INIT;
	assert_non_null(copy);
	memcpy(copy, doc.p, doc.n);
	if (read_doc((struct mf_bytes){(const uint8_t *)copy, doc.n}, &err) < 0)
		fail_msg("'%.*s' refused: %s", MF_STR_ARG(doc), err.msg);
	free(copy);
}

static void assert_refused(struct mf_str doc)
{
	char *copy = malloc(doc.n ? doc.n : 1);
	struct mf_err err = MF_ERR_INIT;
	assert_non_null(copy);
	memcpy(copy, doc.p, doc.n);
	if (read_doc((struct mf_bytes){(const uint8_t *)copy, doc.n}, &err) == 0)
		fail_msg("'%.*s' accepted", MF_STR_ARG(doc));
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_non_null(strstr(err.msg, "offset"));
	free(copy);
}

static void skip_accepts_the_grammar(void **state)
{
	static const char *const docs[] = {
	    "{}",
	    "[]",
	    "\"\"",
	    "0",
	    "-0",
	    "-1",
	    "10",
	    "1.5",
	    "1e3",
	    "1E+3",
	    "1e-3",
	    "-0.0e0",
	    "true",
	    "false",
	    "null",
	    " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } }\n",
	    "[[[]],{},[{}]]",
	    "{\"\":1}",
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uABCD\\uabcd\"",
	    "\"\\ud83d\\ude00\"",
	    "\"\x7f\"",
	    ("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf"
	     "\xbf\""),
	    "9223372036854775807",
	    "-9223372036854775808",
	    "9.9e307",
	    "0e999999999999999999999",
	    "1e-99999999999999999999",
	    "{\"b\":1,\"a\":2,\"c\":{\"b\":1,\"a\":1},\"d\":[{\"a\":1},{\"a\":1}]}",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++)
		assert_accepted(mf_str_c(docs[i]));
}

static void skip_refuses_broken_structure(void **state)
{
	static const char *const docs[] = {
	    "",
	    " ",
	    "{",
	    "[",
	    "}",
	    "]",
	    "{]",
	    "[}",
	    "[1",
	    "[1,",
	    "[1,]",
	    "[,1]",
	    "[1 2]",
	    "[1,,2]",
	    "{,}",
	    "{\"a\"}",
	    "{\"a\":}",
	    "{\"a\":1,}",
	    "{\"a\":1 \"b\":2}",
	    "{\"a\" 1}",
	    "{\"a\"::1}",
	    "{a:1}",
	    "{1:1}",
	    "{\"a\":1",
	    "{\"a\":1]",
	    "{\"a\"",
	    "{\"a\":",
	    "{null:1}",
	    "1 2",
	    "{}{}",
	    "[]x",
	    "nul",
	    "nulL",
	    "tru",
	    "truee",
	    "fals",
	    "True",
	    "NaN",
	    "Infinity",
	    "'a'",
	    "\xef\xbb\xbf{}",
	    "[1]//",
	    "/**/1",
	    "\v1",
	    "\f1",
	    "\xc2\xa0[]",
	    ":",
	    ",",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++)
		assert_refused(mf_str_c(docs[i]));
	assert_refused(MF_STR("1\0"));
	assert_refused(MF_STR("\0"));
}

static void skip_refuses_malformed_numbers(void **state)
{
	static const char *const docs[] = {"01",   "-01", "00",  "-",   "+1",    ".5",    "1.",
					   "1.e3", "1e",  "1e+", "1e-", "1.5.5", "1e3e3", "0x10",
					   "--1",  "1_0", "- 1", "-a",  "1e1.5"};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++)
		assert_refused(mf_str_c(docs[i]));
}

static void skip_refuses_numbers_whose_value_readers_dispute(void **state)
{
	static const char *const docs[] = {"9223372036854775808",
					   "-9223372036854775809",
					   "99999999999999999999",
					   "1e308",
					   "-1e400",
					   "0.001e311",
					   "1000e305",
					   "1e9999999999999999999999"};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++)
		assert_refused(mf_str_c(docs[i]));
}

static void skip_refuses_malformed_strings(void **state)
{
	static const char *const docs[] = {
	    "\"",
	    "\"a",
	    "\"\\",
	    "\"\\\"",
	    "\"\\x\"",
	    "\"\\u\"",
	    "\"\\u12\"",
	    "\"\\u123\"",
	    "\"\\u123g\"",
	    "\"\\U0041\"",
	    "\"\\u+041\"",
	    "\"\n\"",
	    "\"\t\"",
	    "\"\x1f\"",
	    "\"aaaaaaaaaaaa\naaaaaaaa\"",
	    "\"aaaaaaaaaaaaaaaa\x01\"",
	    "\"\\'\"",
	    "\"\\u004",
	    "\"\\u",
	    "\"12345678",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++)
		assert_refused(mf_str_c(docs[i]));
	assert_refused(MF_STR("\"a\0b\""));
	assert_refused(MF_STR("\"\\\0\""));
}

static void skip_refuses_unpaired_surrogate_escapes(void **state)
{
	static const char *const docs[] = {"\"\\ud800\"",        "\"\\udbff\"",        "\"\\udc00\"",
					   "\"\\udfff\"",        "\"\\ud800\\u0041\"", "\"\\ud800x\"",
					   "\"\\ud800\\ue000\"", "\"\\ud800\\ud800\"", "\"\\ud83d\\ude0\"",
					   "\"\\ud83d\\",        "\"\\ud83d\\n\"",     "\"\\ude00\\ud83d\"",
					   "\"\\ud83dxude00\"",  "{\"\\ud800\":1}"};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++)
		assert_refused(mf_str_c(docs[i]));
}

static void skip_refuses_invalid_utf8(void **state)
{
	static const char *const docs[] = {
	    "\"\x80\"",
	    "\"\xbf\"",
	    "\"\xc0\x80\"",
	    "\"\xc0\xaf\"",
	    "\"\xc1\xbf\"",
	    "\"\xc2\"",
	    "\"\xc2\x41\"",
	    "\"\xe0\x9f\xbf\"",
	    "\"\xe1\x80\"",
	    "\"\xe1\x80\x41\"",
	    "\"\xed\xa0\x80\"",
	    "\"\xed\xbf\xbf\"",
	    "\"\xf0\x8f\xbf\xbf\"",
	    "\"\xf1\x80\x80\"",
	    "\"\xf1\x80\x80\x41\"",
	    "\"\xf4\x90\x80\x80\"",
	    "\"\xf5\x80\x80\x80\"",
	    "\"\xff\"",
	    "\"\xfe\"",
	    "{\"\xff\":1}",
	    "\"\xe1\x80",
	    "\"\xf1\x80\x80",
	    "\"\xc2",
	    "\"aaaaaaaaaaaaaaa\xff\"",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++)
		assert_refused(mf_str_c(docs[i]));
}

/* The word-wise scan must see a byte at every position and beside every neighbour. */
static void skip_sees_a_bad_byte_at_every_position(void **state)
{
	static const char bad[] = {0, 1, 0x1f, '\n', (char)0x80, (char)0xff};
	char doc[42];
	(void)state;
	for (size_t fill = 0x20; fill < 0x80; fill++) {
		for (size_t at = 1; at < sizeof doc - 1; at++) {
			memset(doc, fill == '"' || fill == '\\' ? 'a' : (int)fill, sizeof doc);
			doc[0] = doc[sizeof doc - 1] = '"';
			assert_accepted((struct mf_str){doc, sizeof doc});
			doc[at] = bad[(at + fill) % sizeof bad];
			assert_refused((struct mf_str){doc, sizeof doc});
			doc[at] = '"';
			assert_refused((struct mf_str){doc, sizeof doc});
		}
	}
}

static void skip_refuses_duplicate_members(void **state)
{
	static const char *const docs[] = {
	    "{\"a\":1,\"a\":2}",
	    "{\"a\":1,\"b\":2,\"a\":3}",
	    "{\"c\":1,\"b\":2,\"a\":3,\"c\":4}",
	    "{\"\":1,\"\":2}",
	    "{\"a\":1,\"\\u0061\":2}",
	    "{\"\\u0061\":1,\"b\":1,\"a\":2}",
	    "{\"\xc3\xa9\":1,\"\\u00e9\":2}",
	    "{\"\\/\":1,\"/\":2}",
	    "[{\"x\":{\"z\":1,\"y\":1,\"z\":1}}]",
	    "{\"b\":{\"b\":1},\"a\":{\"b\":1},\"b\":1}",
	    "{\"\xf0\x9f\x98\x80\":1,\"a\":1,\"\\ud83d\\ude00\":1}",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++)
		assert_refused(mf_str_c(docs[i]));
}

/* An object of n members with names in a scrambled order; the last one is called `last`. */
static void scrambled(struct mf_buf *b, unsigned n, unsigned last)
{
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_buf_addc(b, '{', &err), 0);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(mf_buf_printf(b, &err, "\"k%u\":{},", i * 7919U % n), 0);
	assert_int_equal(mf_buf_printf(b, &err, "\"k%u\":1}", last), 0);
}

static void skip_finds_a_duplicate_far_away_in_an_unsorted_object(void **state)
{
	enum { N = 5000 };
	static const unsigned lasts[] = {0, 1, N / 2, N - 1};
	(void)state;
	for (size_t i = 0; i < COUNT(lasts); i++) {
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
		scrambled(&b, N, lasts[i]);
		assert_refused(mf_buf_str(&b));
	}
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	scrambled(&b, N, N);
	assert_accepted(mf_buf_str(&b));
}

static void skip_refuses_nul_in_a_member_name_but_not_in_a_value(void **state)
{
	(void)state;
	assert_refused(mf_str_c("{\"a\\u0000b\":1}"));
	assert_refused(mf_str_c("{\"\\u0000\":1}"));
	assert_accepted(mf_str_c("{\"a\\u0001b\\\\u0000\":\"\\u0000\"}"));
}

static void skip_allows_the_depth_limit_and_no_more(void **state)
{
	char doc[2 * (MF_MAX_JSON_DEPTH + 1)];
	(void)state;
	for (size_t d = MF_MAX_JSON_DEPTH; d <= MF_MAX_JSON_DEPTH + 1; d++) {
		memset(doc, '[', d);
		memset(doc + d, ']', d);
		if (d <= MF_MAX_JSON_DEPTH)
			assert_accepted((struct mf_str){doc, 2 * d});
		else
			assert_refused((struct mf_str){doc, 2 * d});
	}
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct mf_err err = MF_ERR_INIT;
	for (size_t i = 0; i <= MF_MAX_JSON_DEPTH; i++)
		assert_int_equal(mf_buf_addz(&b, "{\"a\":", &err), 0);
	assert_refused(mf_buf_str(&b));
}

static void skip_refuses_every_truncation(void **state)
{
	static const char doc[] =
	    " {\"a\":[1.5e3,\"\\ud83d\\ude00\xf0\x9f\x98\x80\",null,true,false],\"b\":{\"c\":-1}}";
	(void)state;
	assert_accepted(mf_str_c(doc));
	for (size_t n = 0; n < sizeof doc - 1; n++)
		assert_refused((struct mf_str){doc, n});
}

static void skip_gives_the_bytes_of_the_value(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	struct mf_str slice;
	(void)state;
	mf_json_reader_init(&r, doc_of("{\"a\": {\"b\" : [1] } , \"c\":12}"));
	assert_int_equal(mf_json_object(&r, &err), 0);
	assert_int_equal(mf_json_object_next(&r, &name, &err), 1);
	assert_int_equal(mf_json_skip(&r, &slice, &err), 0);
	assert_true(mf_str_eqz(slice, "{\"b\" : [1] }"));
	assert_int_equal(mf_json_object_next(&r, &name, &err), 1);
	assert_int_equal(mf_json_skip(&r, &slice, &err), 0);
	assert_true(mf_str_eqz(slice, "12"));
	assert_int_equal(mf_json_object_next(&r, &name, &err), 0);
	assert_int_equal(mf_json_end(&r, &err), 0);
}

static void reader_walks_a_document(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string s;
	enum mf_json_type type;
	int64_t number = 0;
	bool flag = false;
	(void)state;
	mf_json_reader_init(&r, doc_of(" {\"s\\u0041\":\"x\\ny\",\"l\":[-7 , true,false,null,[],{}]} "));
	assert_int_equal(mf_json_peek(&r, &type, &err), 0);
	assert_int_equal(type, MF_JSON_OBJECT);
	assert_int_equal(mf_json_offset(&r), 1);
	assert_int_equal(mf_json_object(&r, &err), 0);
	assert_int_equal(mf_json_object_next(&r, &s, &err), 1);
	assert_true(s.escaped && mf_json_string_eq(s, "sA"));
	assert_int_equal(mf_json_string(&r, &s, &err), 0);
	assert_true(mf_json_string_eq(s, "x\ny"));
	assert_int_equal(mf_json_object_next(&r, &s, &err), 1);
	assert_true(!s.escaped && mf_json_string_eq(s, "l"));
	assert_int_equal(mf_json_array(&r, &err), 0);
	assert_int_equal(mf_json_array_next(&r, &err), 1);
	assert_int_equal(mf_json_int(&r, -7, 7, &number, &err), 0);
	assert_int_equal(number, -7);
	assert_int_equal(mf_json_array_next(&r, &err), 1);
	assert_int_equal(mf_json_bool(&r, &flag, &err), 0);
	assert_true(flag);
	assert_int_equal(mf_json_array_next(&r, &err), 1);
	assert_int_equal(mf_json_bool(&r, &flag, &err), 0);
	assert_false(flag);
	assert_int_equal(mf_json_array_next(&r, &err), 1);
	assert_int_equal(mf_json_null(&r, &err), 0);
	assert_int_equal(mf_json_array_next(&r, &err), 1);
	assert_int_equal(mf_json_array(&r, &err), 0);
	assert_int_equal(mf_json_array_next(&r, &err), 0);
	assert_int_equal(mf_json_array_next(&r, &err), 1);
	assert_int_equal(mf_json_object(&r, &err), 0);
	assert_int_equal(mf_json_object_next(&r, &s, &err), 0);
	assert_int_equal(mf_json_array_next(&r, &err), 0);
	assert_int_equal(mf_json_object_next(&r, &s, &err), 0);
	assert_int_equal(mf_json_end(&r, &err), 0);
}

static void peek_tells_every_type(void **state)
{
	static const struct {
		const char *doc;
		enum mf_json_type type;
	} rows[] = {{"{", MF_JSON_OBJECT},  {"[", MF_JSON_ARRAY},     {"\"", MF_JSON_STRING},
		    {"-1", MF_JSON_NUMBER}, {"0", MF_JSON_NUMBER},    {"9", MF_JSON_NUMBER},
		    {"true", MF_JSON_TRUE}, {"false", MF_JSON_FALSE}, {"null", MF_JSON_NULL}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_json_reader r;
		enum mf_json_type type;
		mf_json_reader_init(&r, doc_of(rows[i].doc));
		assert_int_equal(mf_json_peek(&r, &type, &err), 0);
		assert_int_equal(type, rows[i].type);
	}
	static const char *const bad[] = {"", " ", "]", "}", ",", "x", "+1", "T"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_json_reader r;
		enum mf_json_type type;
		mf_json_reader_init(&r, doc_of(bad[i]));
		assert_int_equal(mf_json_peek(&r, &type, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
	}
}

enum getter { GET_OBJECT, GET_ARRAY, GET_STRING, GET_BOOL, GET_INT, GET_NULL, GETTERS };

static int call(enum getter g, const char *doc, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string s;
	bool b;
	int64_t i;
	mf_json_reader_init(&r, doc_of(doc));
	switch (g) {
	case GET_OBJECT:
		return mf_json_object(&r, err);
	case GET_ARRAY:
		return mf_json_array(&r, err);
	case GET_STRING:
		return mf_json_string(&r, &s, err);
	case GET_BOOL:
		return mf_json_bool(&r, &b, err);
	case GET_INT:
		return mf_json_int(&r, INT64_MIN, INT64_MAX, &i, err);
	default:
		return mf_json_null(&r, err);
	}
}

static void getters_refuse_every_other_type(void **state)
{
	static const char *const docs[GETTERS + 1] = {"{}", "[]", "\"\"", "true", "1", "null", ""};
	(void)state;
	for (int g = 0; g < GETTERS; g++) {
		for (int d = 0; d <= GETTERS; d++) {
			struct mf_err err = MF_ERR_INIT;
			assert_int_equal(call((enum getter)g, docs[d], &err), g == d ? 0 : -1);
			assert_int_equal(err.code, g == d ? MF_OK : MF_E_FORMAT);
		}
	}
}

static void int_takes_only_plain_whole_numbers_in_range(void **state)
{
	static const struct {
		const char *doc;
		int64_t min, max;
		bool ok;
		int64_t value;
	} rows[] = {
	    {"0", 0, 0, true, 0},
	    {"-1", -1, 0, true, -1},
	    {"9223372036854775807", 0, INT64_MAX, true, INT64_MAX},
	    {"-9223372036854775808", INT64_MIN, 0, true, INT64_MIN},
	    {"-9223372036854775807", INT64_MIN, 0, true, -INT64_MAX},
	    {"9223372036854775808", 0, INT64_MAX, false, 0},
	    {"-9223372036854775809", INT64_MIN, 0, false, 0},
	    {"18446744073709551617", 0, INT64_MAX, false, 0},
	    {"10000000000000000000000000000001", 0, INT64_MAX, false, 0},
	    {"01", 0, 9, false, 0},
	    {"-0", -9, 9, false, 0},
	    {"1.0", 0, 9, false, 0},
	    {"1e0", 0, 9, false, 0},
	    {"1e3", 0, 9999, false, 0},
	    {"0.0", 0, 9, false, 0},
	    {"11", 0, 10, false, 0},
	    {"-1", 0, 10, false, 0},
	    {"-", 0, 9, false, 0},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_json_reader r MF_JSON_READER_CLEANUP;
		int64_t value = 42;
		mf_json_reader_init(&r, doc_of(rows[i].doc));
		assert_int_equal(mf_json_int(&r, rows[i].min, rows[i].max, &value, &err),
				 rows[i].ok ? 0 : -1);
		assert_int_equal(err.code, rows[i].ok ? MF_OK : MF_E_FORMAT);
		assert_int_equal(value, rows[i].ok ? rows[i].value : 42);
	}
}

static void end_refuses_text_behind_the_value(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	(void)state;
	mf_json_reader_init(&r, doc_of("1 \n2"));
	assert_int_equal(mf_json_skip(&r, NULL, &err), 0);
	assert_int_equal(mf_json_end(&r, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

static void canonical_since_is_false_for_each_odd_spelling(void **state)
{
	static const struct {
		const char *doc;
		bool canonical;
	} rows[] = {
	    {"{\"a\":[1,-2,{\"b\":null,\"c\":\"\\\"\\\\/\xc3\xa9\x7f\"}],\"b\":true}", true},
	    {"9007199254740991", true},
	    {"-9007199254740991", true},
	    {"0", true},
	    {"{\"\xef\xbd\x9e\":1,\"\xf0\x9f\x98\x80\":2}", true},
	    {"{\"\\\"\":1,\"a\":2}", true},
	    {"{\"Z\":1,\"\\\\\":2}", true},
	    {"{\"\\\\\":1,\"a\":2}", true},
	    {"{\"a\":1,\"\\\\\":2}", false},
	    {" 1", false},
	    {"1\n", false},
	    {"[ ]", false},
	    {"{ }", false},
	    {"[1, 2]", false},
	    {"[1 ,2]", false},
	    {"{\"a\": 1}", false},
	    {"{\"a\" :1}", false},
	    {"{\"b\":1,\"a\":2}", false},
	    {"{\"aa\":1,\"a\":2}", false},
	    {"{\"a\":{\"b\":1,\"a\":1}}", false},
	    {"{\"\xf0\x9f\x98\x80\":1,\"\xef\xbd\x9e\":2}", false},
	    {"\"\\/\"", false},
	    {"\"\\n\"", false},
	    {"\"\\u003c\"", false},
	    {"\"\\u0022\"", false},
	    {"{\"\\u0061\":1}", false},
	    {"-0", false},
	    {"1.0", false},
	    {"1e3", false},
	    {"0.5", false},
	    {"9007199254740992", false},
	    {"-9007199254740992", false},
	    {"9223372036854775807", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_json_reader r MF_JSON_READER_CLEANUP;
		mf_json_reader_init(&r, doc_of(rows[i].doc));
		assert_int_equal(mf_json_skip(&r, NULL, &err), 0);
		assert_int_equal(mf_json_end(&r, &err), 0);
		if (mf_json_canonical_since(&r, 0) != rows[i].canonical)
			fail_msg("row %zu: %s", i, rows[i].doc);
	}
}

static void canonical_since_judges_only_the_bytes_asked_about(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	(void)state;
	mf_json_reader_init(&r, doc_of(" {\"b\" : {\"x\":1}\n,\"a\":[ 1],\"c\":\"\\/\",\"d\":2}"));
	size_t whole = mf_json_offset(&r);
	assert_int_equal(mf_json_object(&r, &err), 0);
	static const bool canonical[] = {true, false, false, true};
	for (size_t i = 0; i < COUNT(canonical); i++) {
		assert_int_equal(mf_json_object_next(&r, &name, &err), 1);
		size_t from = mf_json_offset(&r);
		assert_int_equal(mf_json_skip(&r, NULL, &err), 0);
		assert_int_equal(mf_json_canonical_since(&r, from), canonical[i]);
		assert_false(mf_json_canonical_since(&r, whole));
	}
	assert_int_equal(mf_json_object_next(&r, &name, &err), 0);
}

static struct mf_json_string string_of(const char *raw)
{
	return (struct mf_json_string){mf_str_c(raw), strchr(raw, '\\') != NULL};
}

static void string_eq_compares_the_decoded_text(void **state)
{
	(void)state;
	assert_true(mf_json_string_eq(string_of(""), ""));
	assert_true(mf_json_string_eq(string_of("abc"), "abc"));
	assert_true(mf_json_string_eq(string_of("\\u0061b\\u0063"), "abc"));
	assert_true(mf_json_string_eq(string_of("\\\"\\\\\\/\\b\\f\\n\\r\\t"), "\"\\/\b\f\n\r\t"));
	assert_true(mf_json_string_eq(string_of("\\u00e9\\u20ac\\ud83d\\uDE00"),
				      "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
	assert_false(mf_json_string_eq(string_of("abc"), "ab"));
	assert_false(mf_json_string_eq(string_of("ab"), "abc"));
	assert_false(mf_json_string_eq(string_of("\\u0061"), "\\u0061"));
	assert_false(mf_json_string_eq(string_of("ab\\u0000"), "ab"));
	assert_true(mf_json_string_eq(string_of("\\\\n"), "\\n"));
	assert_false(mf_json_string_eq(string_of("\\n"), "\\n"));
}

static void string_cmp_orders_the_decoded_bytes(void **state)
{
	static const char *const ascending[] = {
	    "",         "\\u0001", "A",       "\\u0061",      "aa",
	    "a\\u0062", "b",       "\\u00e9", "\xef\xbd\x9e", "\\ud83d\\ude00"};
	(void)state;
	for (size_t i = 0; i < COUNT(ascending); i++) {
		for (size_t j = 0; j < COUNT(ascending); j++) {
			int c = mf_json_string_cmp(string_of(ascending[i]), string_of(ascending[j]));
			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
		}
	}
}

static void string_decode_appends_or_leaves_the_buffer_alone(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(8);
	(void)state;
	assert_int_equal(mf_buf_addz(&b, "x", &err), 0);
	assert_int_equal(mf_json_string_decode(string_of("plain"), &b, &err), 0);
	assert_true(mf_str_eqz(mf_buf_str(&b), "xplain"));
	assert_int_equal(mf_json_string_decode(string_of("\\u0061\\n"), &b, &err), 0);
	assert_true(mf_str_eqz(mf_buf_str(&b), "xplaina\n"));
	mf_buf_reset(&b);
	assert_int_equal(mf_json_string_decode(string_of("123456\\u20ac"), &b, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_int_equal(b.n, 0);
	assert_string_equal(b.p, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(skip_accepts_the_grammar),
	    cmocka_unit_test(skip_refuses_broken_structure),
	    cmocka_unit_test(skip_refuses_malformed_numbers),
	    cmocka_unit_test(skip_refuses_numbers_whose_value_readers_dispute),
	    cmocka_unit_test(skip_refuses_malformed_strings),
	    cmocka_unit_test(skip_refuses_unpaired_surrogate_escapes),
	    cmocka_unit_test(skip_refuses_invalid_utf8),
	    cmocka_unit_test(skip_sees_a_bad_byte_at_every_position),
	    cmocka_unit_test(skip_refuses_duplicate_members),
	    cmocka_unit_test(skip_finds_a_duplicate_far_away_in_an_unsorted_object),
	    cmocka_unit_test(skip_refuses_nul_in_a_member_name_but_not_in_a_value),
	    cmocka_unit_test(skip_allows_the_depth_limit_and_no_more),
	    cmocka_unit_test(skip_refuses_every_truncation),
	    cmocka_unit_test(skip_gives_the_bytes_of_the_value),
	    cmocka_unit_test(reader_walks_a_document),
	    cmocka_unit_test(peek_tells_every_type),
	    cmocka_unit_test(getters_refuse_every_other_type),
	    cmocka_unit_test(int_takes_only_plain_whole_numbers_in_range),
	    cmocka_unit_test(end_refuses_text_behind_the_value),
	    cmocka_unit_test(canonical_since_is_false_for_each_odd_spelling),
	    cmocka_unit_test(canonical_since_judges_only_the_bytes_asked_about),
	    cmocka_unit_test(string_eq_compares_the_decoded_text),
	    cmocka_unit_test(string_cmp_orders_the_decoded_bytes),
	    cmocka_unit_test(string_decode_appends_or_leaves_the_buffer_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
