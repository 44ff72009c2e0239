#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/encode.h"
#include "json/json.h"
#include "json/writer.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define MAX ((size_t)1 << 20)

static const char cases_path[] = "testdata/notary/canonical/cases.json";
static const char deviations_path[] = "testdata/notary/canonical/deviations.json";

struct row {
	const char *in, *out; /* out NULL: MF_E_FORMAT */
};

static void check_rows(int (*f)(struct mf_str, struct mf_buf *, struct mf_err *), const struct row *rows,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
		/* An exact copy: AddressSanitizer sees a read behind its end. */
		size_t n_in = strlen(rows[i].in);
		char *in MF_FREE = malloc(n_in + 1);
		assert_non_null(in);
		char *exact = in + 1; /* odd addresses too */
		memcpy(exact, rows[i].in, n_in);
		int rc = f((struct mf_str){exact, n_in}, &b, &err);
		assert_int_equal(rc, rows[i].out ? 0 : -1);
		assert_int_equal(err.code, rows[i].out ? MF_OK : MF_E_FORMAT);
		assert_string_equal(mf_buf_str(&b).p, rows[i].out ? rows[i].out : "");
	}
}

static void canonicalize_decides_numbers_on_their_decimal_digits(void **state)
{
	static const struct row rows[] = {
	    {"-0", "0"},
	    {"-0.0e5", "0"},
	    {"0e99", "0"},
	    {"1.0", "1"},
	    {"10E-1", "1"},
	    {"1e3", "1000"},
	    {"-1.5e1", "-15"},
	    {"0.00012e5", "12"},
	    {"9007199254740991", "9007199254740991"},
	    {"-9007199254740991", "-9007199254740991"},
	    {"9007199254740991.000", "9007199254740991"},
	    {"9.007199254740991e15", "9007199254740991"},
	    {"9007199254740991000e-3", "9007199254740991"},
	    {"1e15", "1000000000000000"},
	    {"9007199254740992", NULL},
	    {"-9007199254740992", NULL},
	    {"9.007199254740992e15", NULL},
	    {"1e16", NULL},
	    {"1e300", NULL},
	    {"1.5", NULL},
	    {"1e-1", NULL},
	    {"1.00000000000000000001", NULL}, /* whole as a double */
	    {"1e-400", NULL},
	    {"1e-99999999999999999999", NULL},
	};
	(void)state;
	check_rows(mf_json_canonicalize, rows, COUNT(rows));
}

static void canonicalize_sorts_members_by_decoded_name_at_every_level(void **state)
{
	static const struct row rows[] = {
	    {"{\"b\":{\"d\":[{\"f\":1,\"e\":2}],\"c\":3},\"a\":{},\"\":0}",
	     "{\"\":0,\"a\":{},\"b\":{\"c\":3,\"d\":[{\"e\":2,\"f\":1}]}}"},
	    {"{\"\\u00e9\":1,\"z\":2,\"\\\"\":3}", "{\"\\\"\":3,\"z\":2,\"\xc3\xa9\":1}"},
	    {"{\"aa\":1,\"a\":2,\"ab\":3,\"A\":4,\"b\":5}", "{\"A\":4,\"a\":2,\"aa\":1,\"ab\":3,\"b\":5}"},
	    {"[{\"b\":1,\"a\":1},{\"d\":1,\"c\":1}]", "[{\"a\":1,\"b\":1},{\"c\":1,\"d\":1}]"},
	};
	(void)state;
	check_rows(mf_json_canonicalize, rows, COUNT(rows));
}

static void canonicalize_escapes_only_quote_and_backslash(void **state)
{
	static const struct row rows[] = {
	    {"\"\\u0022\\u005c\\/\\n\\u001f\\u007f\\u2028<>&\"", "\"\\\"\\\\/\n\x1f\x7f\xe2\x80\xa8<>&\""},
	    {" [ \"a\\\\b\" , \"\\\"\" ]", "[\"a\\\\b\",\"\\\"\"]"},
	    {"\"x\\ud83d\\ude00y\"", "\"x\xf0\x9f\x98\x80y\""},
	};
	(void)state;
	check_rows(mf_json_canonicalize, rows, COUNT(rows));
}

static void canonicalize_refuses_what_the_reader_refuses(void **state)
{
	static const struct row rows[] = {{"", NULL},
					  {"{} x", NULL},
					  {"{\"b\":1,\"a\":1,\"b\":1}", NULL},
					  {"[1,]", NULL},
					  {"\"\xff\"", NULL}};
	(void)state;
	check_rows(mf_json_canonicalize, rows, COUNT(rows));
}

static void canonicalize_leaves_the_buffer_alone_when_it_fails(void **state)
{
	static const char *const docs[] = {"[ 1,2,1.5]", "[1,2,3,4,5,6,7,8,9]", "[ 1,2,3,4,5,6,7,8,9]"};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(16);
		assert_int_equal(mf_buf_addz(&b, "kept", &err), 0);
		assert_int_equal(mf_json_canonicalize(mf_str_c(docs[i]), &b, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		assert_int_equal(b.n, 4);
		assert_string_equal(b.p, "kept");
	}
}

/* Bytes that the reader calls canonical are copied; a space in front forces them through the writer. */
static void writer_and_reader_agree_on_what_is_canonical(void **state)
{
	static const char *const docs[] = {("{\"\":[],\"A\":{\"\\\"\":\"\\\\\"},\"a\":[0,-1,9007199254740991,"
					    "null,true,false],\"\xc3\xa9\":\"\x7f<\xe2\x80\xa8\"}"),
					   "\"\"",
					   "0",
					   "[[[[[]]]]]",
					   "{}",
					   "[{}]"};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf in MF_BUF_CLEANUP = MF_BUF_INIT(MAX), b MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
		assert_int_equal(mf_buf_printf(&in, &err, " %s", docs[i]), 0);
		assert_int_equal(mf_json_canonicalize(mf_buf_str(&in), &b, &err), 0);
		assert_string_equal(b.p, docs[i]);
	}
}

static void canonicalize_sorts_a_large_object(void **state)
{
	enum { N = 4001 };
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf in MF_BUF_CLEANUP = MF_BUF_INIT(MAX), want MF_BUF_CLEANUP = MF_BUF_INIT(MAX),
			 b MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	(void)state;
	for (unsigned i = 0; i < N; i++) {
		unsigned k = i * 1777U % N;
		assert_int_equal(mf_buf_printf(&in, &err, "%s\"%04u\":{\"n\":%u}", i ? "," : "{", k, k), 0);
		assert_int_equal(mf_buf_printf(&want, &err, "%s\"%04u\":{\"n\":%u}", i ? "," : "{", i, i), 0);
	}
	assert_int_equal(mf_buf_addc(&in, '}', &err), 0);
	assert_int_equal(mf_buf_addc(&want, '}', &err), 0);
	assert_int_equal(mf_json_canonicalize(mf_buf_str(&in), &b, &err), 0);
	assert_string_equal(b.p, want.p);
}

static void wire_escapes_what_go_escapes(void **state)
{
	static const struct row rows[] = {
	    {"{}", "{}"},
	    {"", ""},
	    {"{\"a<b>\":\"&&\\\"\"}", "{\"a\\u003cb\\u003e\":\"\\u0026\\u0026\\\"\"}"},
	    {"\"\xe2\x80\xa8x\xe2\x80\xa9\xe2\x80\xaa\xe2\x81\xa8\"",
	     "\"\\u2028x\\u2029\xe2\x80\xaa\xe2\x81\xa8\""},
	    {"\"\x7f/\"", "\"\x7f/\""},
	    {"\"\xe2\x80", "\"\xe2\x80"},
	    {"\"\xe2", "\"\xe2"},
	    {"\"a\nb\"", NULL},
	    {"\"a<\x1f\"", NULL},
	};
	(void)state;
	check_rows(mf_json_wire, rows, COUNT(rows));
}

static void wire_form_has_the_same_canonical_form(void **state)
{
	static const char canonical[] = "{\"<k>\":\"&\xe2\x80\xa8\xe2\x80\xa9\\\\u003c\"}";
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf wire MF_BUF_CLEANUP = MF_BUF_INIT(MAX), back MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	(void)state;
	assert_int_equal(mf_json_wire(mf_str_c(canonical), &wire, &err), 0);
	assert_int_equal(mf_json_canonicalize(mf_buf_str(&wire), &back, &err), 0);
	assert_string_equal(back.p, canonical);
}

static void quote_escapes_only_quote_and_backslash(void **state)
{
	static const struct row rows[] = {{"", "\"\""},
					  {"a\"b\\c/\n\x7f", "\"a\\\"b\\\\c/\n\x7f\""},
					  {"\xc3\xa9<\xf0\x9f\x98\x80", "\"\xc3\xa9<\xf0\x9f\x98\x80\""},
					  {"\xff", NULL},
					  {"a\xed\xa0\x80", NULL},
					  {"a\xe2\x80", NULL}};
	(void)state;
	check_rows(mf_json_quote, rows, COUNT(rows));
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4);
	assert_int_equal(mf_json_quote(MF_STR("abc"), &b, &err), -1);
	assert_string_equal(mf_buf_str(&b).p, "");
}

static int quote_shown(struct mf_str text, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_out j;
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	mf_json_add_str(&j, NULL, text);
	return mf_json_finish(&j);
}

static void a_shown_string_makes_json_of_any_bytes(void **state)
{
	static const struct row rows[] = {
	    {"", "\"\""},
	    {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
	    {"\n\t\r\x01\x1b\x7f\xc2\x80\xc2\x9f\xc2\xa0",
	     "\"\\u000a\\u0009\\u000d\\u0001\\u001b\\u007f\\u0080\\u009f\xc2\xa0\""},
	    {"\xff"
	     "a\xc0\xaf",
	     "\"\\ufffda\\ufffd\\ufffd\""},
	    {"\xe2\x80", "\"\\ufffd\\ufffd\""},
	};
	(void)state;
	check_rows(quote_shown, rows, COUNT(rows));
	for (unsigned i = 0; i < 0x10000; i++) {
		const char in[] = {(char)(unsigned char)(i >> 8), (char)(unsigned char)i};
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(64);
		struct mf_json_reader r MF_JSON_READER_CLEANUP;
		assert_int_equal(quote_shown((struct mf_str){in, 2}, &b, &err), 0);
		mf_json_reader_init(&r, mf_buf_bytes(&b));
		assert_int_equal(mf_json_skip(&r, NULL, &err), 0);
		assert_int_equal(mf_json_end(&r, &err), 0);
	}
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4);
	assert_int_equal(quote_shown(MF_STR("abc"), &b, &err), -1);
	assert_string_equal(mf_buf_str(&b).p, "");
}

static json_t *load_file(const char *path)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	char chunk[4096];
	size_t n;
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		assert_int_equal(mf_buf_add(&b, chunk, n, &err), 0);
	assert_int_equal(fclose(f), 0);
	json_t *j = mf_json_load(mf_buf_bytes(&b), MAX, &err);
	if (!j)
		fail_msg("%s: %s", path, err.msg);
	return j;
}

/* The deviation of that name; counts how many there are. */
static size_t listed(const json_t *deviations, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < json_array_size(deviations); i++) {
		struct mf_err err = MF_ERR_INIT;
		const char *s = NULL, *reason = NULL;
		json_t *d = json_array_get(deviations, i);
		assert_int_equal(mf_json_get_str(d, "name", MF_JSON_REQUIRED, &s, &err), 0);
		assert_int_equal(mf_json_get_str(d, "reason", MF_JSON_REQUIRED, &reason, &err), 0);
		assert_true(reason[0] != 0);
		n += strcmp(s, name) == 0;
	}
	return n;
}

static bool member_bytes(const json_t *c, const char *name, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	const char *b64 = NULL;
	if (!json_is_string(json_object_get(c, name)))
		return false;
	assert_int_equal(mf_json_get_str(c, name, MF_JSON_REQUIRED, &b64, &err), 0);
	assert_int_equal(mf_b64_decode(out, mf_str_c(b64), &err), 0);
	return true;
}

/* A deviation is a refusal of what the reference accepts. Other bytes than the reference's are never right.
 */
static void check_case(const json_t *c, const json_t *deviations)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf in MF_BUF_CLEANUP = MF_BUF_INIT(MAX), want MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	struct mf_buf not MF_BUF_CLEANUP = MF_BUF_INIT(MAX), got MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	const char *name = NULL;
	assert_int_equal(mf_json_get_str(c, "name", MF_JSON_REQUIRED, &name, &err), 0);
	assert_true(member_bytes(c, "input", &in));
	bool accepted = member_bytes(c, "canonical", &want);
	int rc = mf_json_canonicalize(mf_buf_str(&in), &got, &err);
	assert_true(rc == 0 || err.code == MF_E_FORMAT);
	if (rc == 0 && !accepted)
		fail_msg("case '%s' must be refused", name);
	if (rc == 0 && !mf_str_eq(mf_buf_str(&got), mf_buf_str(&want)))
		fail_msg("case '%s' gives other bytes", name);
	if (rc == 0 && member_bytes(c, "not_canonical", &not ))
		assert_false(mf_str_eq(mf_buf_str(&got), mf_buf_str(&not )));
	if (listed(deviations, name) != (accepted && rc < 0 ? 1u : 0u))
		fail_msg("case '%s' %s", name,
			 accepted && rc < 0 ? "deviates and is not listed once"
					    : "is listed and does not deviate");
}

static void canonicalize_agrees_with_notary_but_for_the_listed_deviations(void **state)
{
	json_t *cases MF_JSON_CLEANUP = load_file(cases_path);
	json_t *deviations MF_JSON_CLEANUP = load_file(deviations_path);
	size_t known = 0;
	(void)state;
	assert_true(json_array_size(cases) > 40);
	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i);
		check_case(c, deviations);
		known += listed(deviations, json_string_value(json_object_get(c, "name")));
	}
	assert_int_equal(known, json_array_size(deviations));
}

/* Python's clients sign whole numbers of any size as they stand. */
static void whole_numbers_of_any_size_stay_where_that_is_allowed(void **state)
{
	static const struct {
		const char *text, *canonical;
	} rows[] = {
	    {"9007199254740993", "9007199254740993"},
	    {"-9223372036854775809", "-9223372036854775809"},
	    {"{\"b\":1, \"a\":[18446744073709551616,1.0,-0]}", "{\"a\":[18446744073709551616,1,0],\"b\":1}"},
	    {"123456789012345678901234567890123456789012345678901234567890",
	     "123456789012345678901234567890123456789012345678901234567890"},
	    {"9007199254740993.0", NULL},
	    {"1e400", NULL},
	    {"1.5", NULL},
	    {"01", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		int rc = mf_json_canonicalize_any(mf_str_c(rows[i].text), &out, &err);
		assert_int_equal(rc, rows[i].canonical ? 0 : -1);
		if (rows[i].canonical)
			assert_string_equal(mf_buf_str(&out).p, rows[i].canonical);
		else
			assert_int_equal(err.code, MF_E_FORMAT);
	}
}

/* What is beyond 64 bits is outside every range. */
static void number_of_any_size_is_in_no_range(void **state)
{
	static const char *const docs[] = {"18446744073709551616", "-18446744073709551616"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_json_reader r MF_JSON_READER_CLEANUP;
		int64_t n = 7;
		mf_json_reader_init(&r, mf_bytes_of(mf_str_c(docs[i])));
		r.any_size = true;
		assert_int_equal(mf_json_int(&r, -9007199254740991, 9007199254740991, &n, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		assert_int_equal(n, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_numbers_of_any_size_stay_where_that_is_allowed),
	    cmocka_unit_test(number_of_any_size_is_in_no_range),
	    cmocka_unit_test(canonicalize_decides_numbers_on_their_decimal_digits),
	    cmocka_unit_test(canonicalize_sorts_members_by_decoded_name_at_every_level),
	    cmocka_unit_test(canonicalize_escapes_only_quote_and_backslash),
	    cmocka_unit_test(canonicalize_refuses_what_the_reader_refuses),
	    cmocka_unit_test(canonicalize_leaves_the_buffer_alone_when_it_fails),
	    cmocka_unit_test(writer_and_reader_agree_on_what_is_canonical),
	    cmocka_unit_test(canonicalize_sorts_a_large_object),
	    cmocka_unit_test(wire_escapes_what_go_escapes),
	    cmocka_unit_test(wire_form_has_the_same_canonical_form),
	    cmocka_unit_test(quote_escapes_only_quote_and_backslash),
	    cmocka_unit_test(a_shown_string_makes_json_of_any_bytes),
	    cmocka_unit_test(canonicalize_agrees_with_notary_but_for_the_listed_deviations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
