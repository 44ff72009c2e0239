/* A file once more: the same content, another version and expiry. */
#include "swizzle.h"

#include "base/limits.h"
#include "tuf/build.h"

#define HASH_HEX "0000000000000000000000000000000000000000000000000000000000000000"
#define HASH_64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* Members and entries that we do not know, in an order that is not canonical. */
static const struct {
	const struct mf_dialect *d;
	enum mf_tuf_type type;
	const char *file, *renewed, *role;
} rows[] = {
    {&mf_dialect_tuf1, MF_TUF_TIMESTAMP,
     "{\"signatures\":[], \"signed\": {\"x-new\": {\"b\":1, \"a\":[1.0, \"\\u00e9\\n\"]}, \"version\": 7,\n"
     "\"expires\":\"2030-01-01T00:00:00Z\", \"_type\":\"timestamp\", \"spec_version\":\"1.0.99\",\n"
     "\"meta\":{\"snapshot.json\":{\"version\":3,\"x-more\":true}}}, \"x-outside\":1}",
     "{\"_type\":\"timestamp\",\"expires\":\"2031-02-03T04:05:06Z\",\"meta\":{\"snapshot.json\":{\"version\":"
     "3,"
     "\"x-more\":true}},\"spec_version\":\"1.0.99\",\"version\":8,\"x-new\":{\"a\":[1,\"\xc3\xa9\n\"],\"b\":"
     "1}}",
     NULL},
    {&mf_dialect_tuf1, MF_TUF_TARGETS,
     "{\"signed\":{\"_type\":\"targets\",\"expires\":\"2030-01-01T00:00:00Z\",\"spec_version\":\"1.0.0\","
     "\"targets\":{\"a\":{\"hashes\":{\"sha256\":\"" HASH_HEX
     "\",\"x-hash\":\"1\"},\"length\":5,\"custom\":{\"who\":\"me\"}}},"
     "\"version\":7},\"signatures\":[]}",
     "{\"_type\":\"targets\",\"expires\":\"2031-02-03T04:05:06Z\",\"spec_version\":\"1.0.0\",\"targets\":{"
     "\"a\":{"
     "\"custom\":{\"who\":\"me\"},\"hashes\":{\"sha256\":\"" HASH_HEX "\",\"x-hash\":\"1\"},\"length\":5}},"
     "\"version\":8}",
     NULL},
    {&mf_dialect_notary, MF_TUF_SNAPSHOT,
     "{\"signed\":{\"_type\":\"Snapshot\",\"expires\":\"2030-01-01T00:00:00.5+01:00\",\"meta\":{\"root\":{"
     "\"hashes\":{"
     "\"sha256\":\"" HASH_64 "\"},\"length\":1},\"targets\":{\"hashes\":{\"sha256\":\"" HASH_64
     "\"},\"length\":2}},\"version\":7,\"x\":\"\\u003c\"},\"signatures\":[]}",
     "{\"_type\":\"Snapshot\",\"expires\":\"2031-02-03T04:05:06Z\",\"meta\":{\"root\":{\"hashes\":{"
     "\"sha256\":"
     "\"" HASH_64 "\"},\"length\":1},\"targets\":{\"hashes\":{\"sha256\":\"" HASH_64
     "\"},\"length\":2}},\"version\":8,\"x\":\"<\"}",
     NULL},
    /* Whatever it said of its role. */
    {&mf_dialect_notary, MF_TUF_TARGETS,
     "{\"signed\":{\"_type\":\"Targets\",\"x-manifesto-role\":\"targets\",\"x-z\":1,\"expires\":\"2030-01-"
     "01T00:00:00Z\","
     "\"targets\":{},\"version\":7},\"signatures\":[]}",
     "{\"_type\":\"Targets\",\"expires\":\"2031-02-03T04:05:06Z\",\"targets\":{},\"version\":8,"
     "\"x-manifesto-role\":\"targets/qa\",\"x-z\":1}",
     "targets/qa"},
    /* A name is what it means, not how it is spelled. */
    {&mf_dialect_tuf1, MF_TUF_TIMESTAMP,
     "{\"sign\\u0065d\":{\"_type\":\"timestamp\",\"\\u0065xpires\":\"2030-01-01T00:00:00Z\",\"meta\":{"
     "\"snapshot.json\":{\"version\":3}},\"spec_version\":\"1.0.0\",\"versi\\u006fn\":7},\"signatures\":[]}",
     "{\"_type\":\"timestamp\",\"expires\":\"2031-02-03T04:05:06Z\",\"meta\":{\"snapshot.json\":{\"version\":"
     "3}},"
     "\"spec_version\":\"1.0.0\",\"version\":8}",
     NULL},
};

#define WHEN 1927857906 /* 2031-02-03T04:05:06Z */

static void renewed_file_keeps_every_member(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
		sw_ok(mf_buf_addz(&bytes, rows[i].file, &err), &err);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
		    mf_tuf_parse_unverified(rows[i].d, rows[i].type, &bytes, &err);
		if (!f)
			fail_msg("row %zu: %s", i, err.msg);
		sw_ok(mf_tuf_build_renewed(f, rows[i].role, f->version + 1, WHEN, &text, &err), &err);
		assert_string_equal(text.p, rows[i].renewed);
	}
}

static void renewed_file_fails_when_its_room_is_too_small(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(20);
	sw_ok(mf_buf_addz(&bytes, rows[0].file, &err), &err);
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(rows[0].d, rows[0].type, &bytes, &err);
	assert_non_null(f);
	assert_int_equal(mf_tuf_build_renewed(f, NULL, 8, WHEN, &text, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(renewed_file_keeps_every_member),
	    cmocka_unit_test(renewed_file_fails_when_its_room_is_too_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
