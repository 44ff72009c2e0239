/* Looking up targets: order, escapes, entries. */
#include "swizzle.h"

static const struct mf_dialect *const dialects[] = {&mf_dialect_notary, &mf_dialect_tuf1};

/* An unsigned targets file whose "targets" member is the given text. */
static struct mf_tuf_file *file_with(const struct mf_dialect *d, const char *targets)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	sw_ok(
	    mf_buf_printf(
		&b, &err,
		"{\"signed\":{\"_type\":\"%s\",\"expires\":\"2030-01-01T00:00:00Z\",\"spec_version\":\"1.0\","
		"\"targets\":%s,\"version\":1},\"signatures\":[]}",
		d->type_names[MF_TUF_TARGETS], targets),
	    &err);
	struct mf_tuf_file *f = mf_tuf_parse_unverified(d, MF_TUF_TARGETS, &b, &err);
	if (!f)
		fail_msg("%s", err.msg);
	return f;
}

static long long value_of(const struct mf_tuf_file *f, struct mf_str name)
{
	ptrdiff_t i = mf_tuf_target_find(f, name);
	if (i < 0)
		return -1;
	struct mf_str v = mf_tuf_target_value(f, (size_t)i);
	char text[32];
	(void)snprintf(text, sizeof text, "%.*s", MF_STR_ARG(v));
	return strtoll(text, NULL, 10);
}

static void unsorted_targets_are_found(void **state)
{
	static const char text[] =
	    "{\"m\":1,\"b\":2,\"z\":3,\"a\":4,\"mm\":5,\"\":6,\"B\":7,\"\xc3\xa9\":8,\"l\":9}";
	static const struct {
		const char *name;
		long long value;
	} rows[] = {{"m", 1},        {"b", 2}, {"z", 3},  {"a", 4},   {"mm", 5}, {"", 6},       {"B", 7},
		    {"\xc3\xa9", 8}, {"l", 9}, {"c", -1}, {"zz", -1}, {"A", -1}, {"m\x01", -1}, {"\xc3", -1}};
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = file_with(dialects[d], text);
		for (size_t i = 0; i < SW_COUNT(rows); i++)
			assert_int_equal(value_of(f, mf_str_c(rows[i].name)), rows[i].value);
		for (size_t i = 1; i < f->ntargets; i++)
			assert_true(
			    mf_json_string_cmp(mf_tuf_target_name(f, i - 1), mf_tuf_target_name(f, i)) < 0);
	}
}

/* Order and equality are those of the decoded names, however they are spelled. */
static void escaped_names_are_found_by_their_decoded_text(void **state)
{
	static const char text[] =
	    "{\"a\\u002fb\":1,\"q\\\"b\\\\\":2,\"\\u00e9\":3,\"\\ud83d\\ude00\":4,\"\\/x\":5,"
	    "\"a/a\":6,\"a/c\":7,\"\\u0061\":8,\"t\\tt\":9,\"\\u2028\":10,\"\xef\xbd\x9e\":11}";
	static const struct {
		const char *name;
		long long value;
	} rows[] = {{"a/b", 1},      {"q\"b\\", 2},        {"\xc3\xa9", 3},      {"\xf0\x9f\x98\x80", 4},
		    {"/x", 5},       {"a/a", 6},           {"a/c", 7},           {"a", 8},
		    {"t\tt", 9},     {"\xe2\x80\xa8", 10}, {"\xef\xbd\x9e", 11}, {"a\\u002fb", -1},
		    {"\\u0061", -1}, {"q\\\"b\\\\", -1}};
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = file_with(dialects[d], text);
		for (size_t i = 0; i < SW_COUNT(rows); i++)
			assert_int_equal(value_of(f, mf_str_c(rows[i].name)), rows[i].value);
	}
}

static void one_name_in_two_spellings_is_refused(void **state)
{
	static const char *const bad[] = {"{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
					  "{\"a\":1,\"b\":1,\"a\":2}", "{\"b\":1,\"\\u0061\":1,\"a\":2}",
					  "{\"a\\u0000\":1}"};
	(void)state;
	for (size_t i = 0; i < SW_COUNT(bad); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		sw_ok(mf_buf_printf(&b, &err,
				    "{\"signed\":{\"_type\":\"Targets\",\"targets\":%s},\"signatures\":[]}",
				    bad[i]),
		      &err);
		assert_null(mf_tuf_parse_unverified(&mf_dialect_notary, MF_TUF_TARGETS, &b, &err));
		assert_int_equal(err.code, MF_E_FORMAT);
		assert_null(strstr(err.msg, "required member"));
	}
}

static void empty_map_holds_nothing(void **state)
{
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = file_with(dialects[d], "{}");
		assert_int_equal(mf_tuf_target_find(f, MF_STR("")), -1);
		assert_int_equal(mf_tuf_target_find(f, MF_STR("a")), -1);
	}
}

/* ---- entries */

#define B64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

struct entry {
	const char *what, *notary, *tuf1;
	bool good;
};

static const struct entry entries[] = {
    {"complete", "{\"hashes\":{\"sha256\":\"" B64 "\"},\"length\":7}",
     "{\"hashes\":{\"sha256\":\"" HEX "\"},\"length\":7}", true},
    {"custom, unknown hash",
     "{\"custom\":{\"a\":1},\"hashes\":{\"md5\":1,\"sha256\":\"" B64 "\"},\"length\":7}",
     "{\"custom\":{\"a\":1},\"hashes\":{\"md5\":1,\"sha256\":\"" HEX "\"},\"length\":7}", true},
    {"escaped slash in the hash",
     "{\"hashes\":{\"sha256\":\"\\u0041"
     "AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"},\"length\":7}",
     "{\"hashes\":{\"sha256\":\"\\u0030"
     "00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"},\"length\":7}",
     true},
    {"no sha256", "{\"hashes\":{\"sha512\":\"AAAA\"},\"length\":7}", "{\"hashes\":{},\"length\":7}", false},
    {"no hashes", "{\"length\":7}", "{\"length\":7}", false},
    {"no length", "{\"hashes\":{\"sha256\":\"" B64 "\"}}", "{\"hashes\":{\"sha256\":\"" HEX "\"}}", false},
    {"length -1", "{\"hashes\":{\"sha256\":\"" B64 "\"},\"length\":-1}",
     "{\"hashes\":{\"sha256\":\"" HEX "\"},\"length\":-1}", false},
    {"length 1.0", "{\"hashes\":{\"sha256\":\"" B64 "\"},\"length\":1.0}",
     "{\"hashes\":{\"sha256\":\"" HEX "\"},\"length\":1.0}", false},
    {"length as text", "{\"hashes\":{\"sha256\":\"" B64 "\"},\"length\":\"7\"}",
     "{\"hashes\":{\"sha256\":\"" HEX "\"},\"length\":\"7\"}", false},
    {"short hash", "{\"hashes\":{\"sha256\":\"AAAA\"},\"length\":7}",
     "{\"hashes\":{\"sha256\":\"00\"},\"length\":7}", false},
    {"the other dialect's hash", "{\"hashes\":{\"sha256\":\"" HEX "\"},\"length\":7}",
     "{\"hashes\":{\"sha256\":\"" B64 "\"},\"length\":7}", false},
    {"hash null", "{\"hashes\":{\"sha256\":null},\"length\":7}",
     "{\"hashes\":{\"sha256\":null},\"length\":7}", false},
    {"a list", "[]", "[]", false},
    {"null", "null", "null", false},
};

static void check_entry(const struct mf_dialect *d, const struct entry *e, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_target_info info = {.length = 99};
	char map[1024];
	(void)snprintf(map, sizeof map, "{\"before\":{},\"x\":%s}", text);
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = file_with(d, map);
	int rc = mf_tuf_target_info(d, f, (size_t)mf_tuf_target_find(f, MF_STR("x")), &info, &err);
	if ((rc == 0) != e->good)
		fail_msg("%s: %s: %s", d->name, e->what, err.msg);
	assert_int_equal(err.code, e->good ? MF_OK : MF_E_FORMAT);
	assert_int_equal(info.length, e->good ? 7 : 99);
	for (uint8_t i = 0; e->good && i < 32; i++)
		assert_int_equal(info.sha256.b[i], i);
	if (e->good)
		assert_int_equal(info.custom.n, strstr(text, "custom") ? strlen("{\"a\":1}") : 0);
}

static void entry_needs_length_and_sha256(void **state)
{
	(void)state;
	for (size_t i = 0; i < SW_COUNT(entries); i++) {
		check_entry(&mf_dialect_notary, &entries[i], entries[i].notary);
		check_entry(&mf_dialect_tuf1, &entries[i], entries[i].tuf1);
	}
}

/* ---- length and hashes of bytes */

static void bytes_are_checked_against_all_that_is_stated(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_bytes bytes = mf_bytes_of(MF_STR("hello"));
	struct mf_tuf_meta m = {.name = MF_STR("x"), .length = 5, .has_sha256 = true, .has_sha512 = true};
	(void)state;
	sw_ok(mf_sha256(bytes, &m.sha256, &err), &err);
	sw_ok(mf_sha512(bytes, m.sha512, &err), &err);
	sw_ok(mf_tuf_meta_check(&m, bytes, &err), &err);
	for (size_t i = 0; i < 3; i++) {
		struct mf_tuf_meta bad = m;
		bad.sha256.b[31] ^= i == 0;
		bad.sha512[63] ^= i == 1;
		bad.length = i == 2 ? 4 : UINT64_MAX;
		assert_int_equal(mf_tuf_meta_check(&bad, bytes, &err), -1);
		assert_int_equal(err.code, MF_E_DIGEST);
		mf_err_clear(&err);
		bad.has_sha256 = i != 0;
		bad.has_sha512 = i != 1;
		bad.length = UINT64_MAX;
		sw_ok(mf_tuf_meta_check(&bad, bytes, &err), &err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unsorted_targets_are_found),
	    cmocka_unit_test(escaped_names_are_found_by_their_decoded_text),
	    cmocka_unit_test(one_name_in_two_spellings_is_refused),
	    cmocka_unit_test(empty_map_holds_nothing),
	    cmocka_unit_test(entry_needs_length_and_sha256),
	    cmocka_unit_test(bytes_are_checked_against_all_that_is_stated),
	};
	return cmocka_run_group_tests_name("targets", tests, NULL, NULL);
}
