#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/json.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define MAX ((size_t)1 << 16)

static json_t *load(const char *z)
{
	struct mf_err err = MF_ERR_INIT;
	json_t *j = mf_json_load(mf_bytes_of(mf_str_c(z)), MAX, &err);
	assert_non_null(j);
	return j;
}

static void load_refuses_what_the_reader_refuses(void **state)
{
	static const char *const docs[] = {"",     "{",           "{} {}", "{\"a\":1,\"a\":1}",   "\"\xff\"",
					   "[1,]", "\"\\ud800\"", "01",    "99999999999999999999"};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++) {
		struct mf_err err = MF_ERR_INIT;
		assert_null(mf_json_load(mf_bytes_of(mf_str_c(docs[i])), MAX, &err));
		assert_int_equal(err.code, MF_E_FORMAT);
	}
	struct mf_err err = MF_ERR_INIT;
	assert_null(mf_json_load((struct mf_bytes){NULL, 0}, MAX, &err));
	assert_int_equal(err.code, MF_E_FORMAT);
}

static void load_refuses_a_document_above_the_limit(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	(void)state;
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_bytes_of(MF_STR("[1,2]")), 5, &err);
	assert_non_null(j);
	assert_null(mf_json_load(mf_bytes_of(MF_STR("[1,2] ")), 5, &err));
	assert_int_equal(err.code, MF_E_FORMAT);
}

static void load_takes_scalars_reals_and_nul(void **state)
{
	(void)state;
	json_t *a MF_JSON_CLEANUP = load("\"a\\u0000b\"");
	assert_int_equal(json_string_length(a), 3);
	json_t *b MF_JSON_CLEANUP = load("1.5");
	assert_true(json_is_real(b));
}

static void getters_give_members_of_their_type(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *s = NULL;
	int64_t i = 0;
	json_t *o = NULL, *a = NULL;
	(void)state;
	json_t *j MF_JSON_CLEANUP = load("{\"s\":\"x\",\"i\":-5,\"o\":{},\"a\":[]}");
	assert_int_equal(mf_json_get_str(j, "s", MF_JSON_REQUIRED, &s, &err), 0);
	assert_string_equal(s, "x");
	assert_int_equal(mf_json_get_int(j, "i", MF_JSON_REQUIRED, -5, -5, &i, &err), 0);
	assert_int_equal(i, -5);
	assert_int_equal(mf_json_get_obj(j, "o", MF_JSON_REQUIRED, &o, &err), 0);
	assert_true(json_is_object(o));
	assert_int_equal(mf_json_get_arr(j, "a", MF_JSON_REQUIRED, &a, &err), 0);
	assert_true(json_is_array(a));
}

enum getter { GET_STR, GET_INT, GET_OBJ, GET_ARR, GETTERS };

/* Calls a getter; *untouched: the output still holds what was put there. */
static int call(enum getter g, const json_t *j, const char *name, bool req, bool *untouched,
		struct mf_err *err)
{
	static const char mark[] = "mark";
	const char *s = mark;
	int64_t i = 77;
	json_t *null = json_null(), *o = null;
	int rc;
	switch (g) {
	case GET_STR:
		rc = mf_json_get_str(j, name, req, &s, err);
		break;
	case GET_INT:
		rc = mf_json_get_int(j, name, req, 0, 5, &i, err);
		break;
	case GET_OBJ:
		rc = mf_json_get_obj(j, name, req, &o, err);
		break;
	default:
		rc = mf_json_get_arr(j, name, req, &o, err);
		break;
	}
	*untouched = s == mark && i == 77 && o == null;
	return rc;
}

static void getters_refuse_every_other_type(void **state)
{
	static const char *const names[] = {"str", "int", "obj", "arr", "bool", "null", "real"};
	(void)state;
	json_t *j MF_JSON_CLEANUP =
	    load("{\"str\":\"x\",\"int\":5,\"bool\":false,\"obj\":{},\"arr\":[],\"null\":null,\"real\":1.0}");
	for (int g = 0; g < GETTERS; g++) {
		for (int n = 0; n < (int)COUNT(names); n++) {
			for (int req = 0; req < 2; req++) {
				struct mf_err err = MF_ERR_INIT;
				bool untouched;
				int rc = call((enum getter)g, j, names[n], req, &untouched, &err);
				assert_int_equal(rc, g == n ? 0 : -1);
				assert_int_equal(err.code, g == n ? MF_OK : MF_E_FORMAT);
				assert_int_equal(untouched, g != n);
			}
		}
	}
}

static void getters_leave_the_output_for_an_absent_member(void **state)
{
	(void)state;
	json_t *j MF_JSON_CLEANUP = load("{}");
	json_t *array MF_JSON_CLEANUP = load("[]");
	for (int g = 0; g < GETTERS; g++) {
		struct mf_err err = MF_ERR_INIT;
		bool untouched;
		assert_int_equal(call((enum getter)g, j, "x", false, &untouched, &err), 0);
		assert_true(untouched);
		assert_int_equal(call((enum getter)g, j, "x", true, &untouched, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		mf_err_clear(&err);
		assert_int_equal(call((enum getter)g, array, "x", false, &untouched, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		mf_err_clear(&err);
		assert_int_equal(call((enum getter)g, NULL, "x", false, &untouched, &err), -1);
		assert_true(untouched);
	}
}

static void get_str_refuses_nul(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *s = NULL;
	(void)state;
	json_t *j MF_JSON_CLEANUP = load("{\"s\":\"a\\u0000b\"}");
	assert_int_equal(mf_json_get_str(j, "s", MF_JSON_REQUIRED, &s, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_null(s);
}

static void get_int_refuses_values_out_of_range(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	int64_t i = 77;
	(void)state;
	json_t *j MF_JSON_CLEANUP = load("{\"i\":5}");
	assert_int_equal(mf_json_get_int(j, "i", MF_JSON_REQUIRED, 6, 9, &i, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	mf_err_clear(&err);
	assert_int_equal(mf_json_get_int(j, "i", MF_JSON_REQUIRED, 0, 4, &i, &err), -1);
	assert_int_equal(i, 77);
}

static void dump_canonical_writes_the_canonical_form(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	(void)state;
	json_t *j MF_JSON_CLEANUP = load("{\"b\":[1,-9007199254740991,true,null],\"a\":{\"y\":"
					 "\"\\n\\\"\\\\\\/<\\u00e9\\u0000\",\"x\":{}},\"\":[]}");
	static const char want[] = "{\"\":[],\"a\":{\"x\":{},\"y\":\"\n\\\"\\\\/"
				   "<\xc3\xa9\0\"},\"b\":[1,-9007199254740991,true,null]}";
	assert_int_equal(mf_json_dump_canonical(j, &b, &err), 0);
	assert_int_equal(b.n, sizeof want - 1);
	assert_memory_equal(b.p, want, sizeof want - 1);
	mf_buf_reset(&b);
	json_t *s MF_JSON_CLEANUP = load("\"x\"");
	assert_int_equal(mf_json_dump_canonical(s, &b, &err), 0);
	assert_string_equal(b.p, "\"x\"");
}

static void assert_no_dump(json_t *j)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(64);
	assert_non_null(j);
	assert_int_equal(mf_buf_addz(&b, "kept", &err), 0);
	assert_int_equal(mf_json_dump_canonical(j, &b, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_string_equal(b.p, "kept");
	json_decref(j);
}

static void dump_canonical_refuses_what_has_no_canonical_form(void **state)
{
	(void)state;
	assert_no_dump(json_real(1.0));
	assert_no_dump(json_pack("[f]", 1.5));
	assert_no_dump(json_integer(MF_MAX_VERSION + 1));
	assert_no_dump(json_integer(-MF_MAX_VERSION - 1));
	json_t *deep = json_array();
	for (int i = 0; i < MF_MAX_JSON_DEPTH; i++)
		deep = json_pack("[o]", deep);
	assert_no_dump(deep);
}

static void dump_canonical_of_a_tree_that_is_not_utf8_is_a_bug(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
	json_t *j MF_JSON_CLEANUP = json_string_nocheck("\xff");
	assert_int_equal(mf_json_dump_canonical(j, &b, &err), -1);
	assert_int_equal(err.code, MF_E_INTERNAL);
}

static void load_keeps_kinds_of_numbers_and_octets_of_strings(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	json_t *j MF_JSON_CLEANUP =
	    mf_json_load(mf_bytes_of(MF_STR("[-9223372036854775808,9223372036854775807,-0,1.5,1e3,"
					    "\"a\\u0000b\\ud83d\\ude00\",true,false,null,{\"\\u0061\":[]}]")),
			 MAX, &err);
	assert_non_null(j);
	assert_true(json_integer_value(json_array_get(j, 0)) == INT64_MIN &&
		    json_integer_value(json_array_get(j, 1)) == INT64_MAX);
	assert_true(json_is_integer(json_array_get(j, 2)));
	assert_true(json_real_value(json_array_get(j, 3)) > 1.4 &&
		    json_real_value(json_array_get(j, 3)) < 1.6);
	assert_true(json_is_real(json_array_get(j, 4)));
	assert_int_equal(json_string_length(json_array_get(j, 5)), 7);
	assert_memory_equal(json_string_value(json_array_get(j, 5)), "a\0b\xf0\x9f\x98\x80", 7);
	assert_true(json_is_true(json_array_get(j, 6)) && json_is_false(json_array_get(j, 7)) &&
		    json_is_null(json_array_get(j, 8)));
	assert_true(json_is_array(json_object_get(json_array_get(j, 9), "a")));
}

static void copy_has_all_members(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	json_t *j MF_JSON_CLEANUP =
	    mf_json_load(mf_bytes_of(MF_STR("{\"a\":1,\"b\":{\"c\":2},\"d\":[]}")), MAX, &err);
	json_t *copy MF_JSON_CLEANUP = mf_json_copy(j, &err);
	assert_true(j && copy && j != copy && json_equal(j, copy));
}

static void dump_canonical_keeps_to_the_buffers_maximum(void **state)
{
	(void)state;
	json_t *a = json_array();
	for (int i = 0; i < 40; i++)
		assert_int_equal(json_array_append_new(a, json_integer(1)), 0);
	assert_no_dump(a);
	char text[500];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	assert_no_dump(json_string(text));
}

static void dump_canonical_has_room_for_escapes_of_the_intermediate_text(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(10);
	(void)state;
	json_t *j MF_JSON_CLEANUP = json_string("\x01\x02\x03\x04\x05\x06\x07\x0e");
	assert_int_equal(mf_json_dump_canonical(j, &b, &err), 0);
	assert_string_equal(b.p, "\"\x01\x02\x03\x04\x05\x06\x07\x0e\"");
}

static void lists_of_strings_are_plain_and_bounded(void **state)
{
	static const char *const bad[] = {"{}",
					  "{\"v\":[]}",
					  "{\"v\":[\"a\",1]}",
					  "{\"v\":[\"a\\u0000b\"]}",
					  "{\"v\":\"a\"}",
					  "{\"v\":[\"a\",\"b\",\"c\"]}"};
	const char **v MF_FREE = NULL;
	size_t n = 0;
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct mf_err err = MF_ERR_INIT;
		json_t *j MF_JSON_CLEANUP = load(bad[i]);
		assert_int_equal(mf_json_get_strs(j, "v", MF_JSON_REQUIRED, 2, &v, &n, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		assert_null(v);
	}
	struct mf_err err = MF_ERR_INIT;
	json_t *j MF_JSON_CLEANUP = load("{\"v\":[\"a\",\"b\"]}");
	assert_int_equal(mf_json_get_strs(j, "w", MF_JSON_OPTIONAL, 2, &v, &n, &err), 0);
	assert_null(v);
	assert_int_equal(mf_json_get_strs(j, "v", MF_JSON_REQUIRED, 2, &v, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(v[1], "b");
}

static void members_that_are_not_known_are_refused(void **state)
{
	static const char *const names[] = {"a", "b", NULL};
	struct mf_err err = MF_ERR_INIT, list = MF_ERR_INIT;
	(void)state;
	json_t *good MF_JSON_CLEANUP = load("{\"b\":1}");
	json_t *bad MF_JSON_CLEANUP = load("{\"a\":1,\"c\":1}");
	json_t *array MF_JSON_CLEANUP = load("[]");
	assert_int_equal(mf_json_check_members(good, names, &err), 0);
	assert_int_equal(mf_json_check_members(bad, names, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_int_equal(mf_json_check_members(array, names, &list), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_of_strings_are_plain_and_bounded),
	    cmocka_unit_test(members_that_are_not_known_are_refused),
	    cmocka_unit_test(load_refuses_what_the_reader_refuses),
	    cmocka_unit_test(load_refuses_a_document_above_the_limit),
	    cmocka_unit_test(load_takes_scalars_reals_and_nul),
	    cmocka_unit_test(getters_give_members_of_their_type),
	    cmocka_unit_test(getters_refuse_every_other_type),
	    cmocka_unit_test(getters_leave_the_output_for_an_absent_member),
	    cmocka_unit_test(get_str_refuses_nul),
	    cmocka_unit_test(get_int_refuses_values_out_of_range),
	    cmocka_unit_test(dump_canonical_writes_the_canonical_form),
	    cmocka_unit_test(dump_canonical_refuses_what_has_no_canonical_form),
	    cmocka_unit_test(dump_canonical_of_a_tree_that_is_not_utf8_is_a_bug),
	    cmocka_unit_test(load_keeps_kinds_of_numbers_and_octets_of_strings),
	    cmocka_unit_test(copy_has_all_members),
	    cmocka_unit_test(dump_canonical_keeps_to_the_buffers_maximum),
	    cmocka_unit_test(dump_canonical_has_room_for_escapes_of_the_intermediate_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
