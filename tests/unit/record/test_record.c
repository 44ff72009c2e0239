/* Records: names, descriptions, what is signed, who signed. The worked example is the one of
 * docs/record-format.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "record/record.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* ---- the worked example: computed by another program in another language */

#define EX_REPOSITORY "registry.example.com/acme/app"
#define EX_NAME "qa-approval/sha256-" HEX64
#define EX_BLOB "approved\n"
#define EX_BLOB_SHA256 "7f8518f7db5e9a55049f49c4ea6d6e8f509695231e60cbd607bcb36c88a75a14"
#define EX_FP "a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5"
#define EX_SIG "MogybwJBNjsvbztK5OIAhmW+OTy6s88BHrKzYyhnvRNzBJpY/JJIPHfStvSS3bUkcOLoXlvRNnxGUUJLmBnsAA=="
#define EX_HEAD                                                                                              \
	"\"annotations\":{\"ticket\":\"QA-117\"},\"author\":\"Dana Reyes %3Cdana@example.com%3E\","          \
	"\"created\":\"2026-01-02T03:04:05Z\",\"expires\":\"2027-01-02T03:04:05Z\","                         \
	"\"mediaType\":\"text/plain\",\"reason\":\"load test at 100 %25 of peak\","
#define EX_PAYLOAD                                                                                           \
	"manifesto record v1\n{\"hashes\":{\"sha256\":\"" EX_BLOB_SHA256                                     \
	"\"},\"length\":9,\"manifesto\":{" EX_HEAD "\"v\":1},\"name\":\"" EX_NAME                            \
	"\",\"repository\":\"" EX_REPOSITORY "\"}"
#define EX_CUSTOM                                                                                            \
	"{\"manifesto\":{" EX_HEAD "\"sigs\":[{\"fp\":\"" EX_FP "\",\"sig\":\"" EX_SIG "\"}],\"v\":1}}"

static const char *const ex_annotations[] = {"ticket=QA-117", NULL};
static const struct mf_record_fields ex_fields = {.created = 1767323045,
						  .expires = 1798859045,
						  .media_type = "text/plain",
						  .author = "Dana Reyes <dana@example.com>",
						  .reason = "load test at 100 % of peak",
						  .annotations = ex_annotations};

static struct mf_record_binding ex_binding(void)
{
	struct mf_record_binding b = {
	    .repository = EX_REPOSITORY, .name = MF_STR(EX_NAME), .length = sizeof EX_BLOB - 1};
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR(EX_BLOB)), &b.sha256, &err), 0);
	return b;
}

/* TEST-ONLY: the ed25519 seed 00 01 ... 1f. */
static struct mf_privkey *ex_key(void)
{
	struct mf_err err = MF_ERR_INIT;
	uint8_t seed[32];
	for (size_t i = 0; i < sizeof seed; i++)
		seed[i] = (uint8_t)i;
	struct mf_privkey *k =
	    mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){seed, sizeof seed}, &err);
	assert_non_null(k);
	return k;
}

static json_t *make(const struct mf_record_fields *f)
{
	struct mf_err err = MF_ERR_INIT;
	json_t *tree = mf_record_make(f, &err);
	if (!tree)
		fail_msg("unexpected: %s", err.msg);
	return tree;
}

static void sign(json_t *tree, const struct mf_record_binding *b, const struct mf_privkey *k)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20), sig MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_pubkey *pub = mf_privkey_public(k);
	struct mf_digest fp = mf_pubkey_fingerprint(pub);
	assert_int_equal(mf_record_payload(&payload, b, tree, &err), 0);
	assert_int_equal(mf_privkey_sign(k, mf_record_scheme(pub), mf_buf_bytes(&payload), &sig, &err), 0);
	assert_int_equal(mf_record_add_sig(tree, &fp, mf_buf_bytes(&sig), &err), 0);
}

static int parse(struct mf_record *r, const char *custom, struct mf_err *err)
{
	*r = (struct mf_record){0};
	return mf_record_parse(r, mf_str_c(custom), err);
}

static void parse_tree(struct mf_record *r, json_t *tree)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf custom MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	*r = (struct mf_record){0};
	assert_int_equal(mf_record_custom(&custom, tree, &err), 0);
	if (mf_record_parse(r, mf_buf_str(&custom), &err) != 1)
		fail_msg("unexpected: %s", err.msg);
}

static void worked_example_has_this_payload_and_signature(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = ex_key();
	struct mf_record_binding b = ex_binding();
	json_t *tree MF_JSON_CLEANUP = make(&ex_fields);
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(4096), custom MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	(void)state;
	assert_int_equal(mf_record_payload(&payload, &b, tree, &err), 0);
	assert_string_equal(payload.p, EX_PAYLOAD);
	sign(tree, &b, k);
	assert_int_equal(mf_record_custom(&custom, tree, &err), 0);
	assert_string_equal(custom.p, EX_CUSTOM);
}

#define EX_VETO                                                                                              \
	"{\"created\":\"2026-01-02T03:04:05Z\",\"mediaType\":\"" MF_MT_VETO                                  \
	"\",\"reason\":\"CVE-2026-1234\","                                                                   \
	"\"v\":1,\"veto\":{\"subject\":\"sha256:" HEX64 "\",\"type\":\"qa-approval\"}}"
#define EX_VETO_SIG "Dzk51MKFauNlAvI/lvp/S/RHAZBuD3jqnVSsZWKjwzqUPraAQMAMew8Sdw+dwfxitd0ULjy1Z4O43nBbploeBg=="

static void worked_example_of_a_veto_has_this_content_name_and_signature(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = ex_key();
	struct mf_digest subject;
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512), content MF_BUF_CLEANUP = MF_BUF_INIT(4096),
			   custom MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	(void)state;
	assert_int_equal(mf_hex_decode(subject.b, 32, MF_STR(HEX64)), 0);
	const struct mf_record_fields f = {.created = 1767323045,
					   .media_type = MF_MT_VETO,
					   .reason = "CVE-2026-1234",
					   .veto_type = "qa-approval",
					   .veto_subject = &subject};
	json_t *tree MF_JSON_CLEANUP = make(&f);
	assert_int_equal(
	    mf_veto_name(&name, MF_STR("security-review"), MF_STR("qa-approval"), &subject, &err), 0);
	assert_string_equal(name.p, "security-review/veto-sha256-" HEX64 ".qa-approval");
	assert_int_equal(mf_json_dump_canonical(tree, &content, &err), 0);
	assert_string_equal(content.p, EX_VETO);
	struct mf_record_binding b = {
	    .repository = EX_REPOSITORY, .name = mf_buf_str(&name), .length = content.n};
	assert_int_equal(mf_sha256(mf_buf_bytes(&content), &b.sha256, &err), 0);
	sign(tree, &b, k);
	assert_int_equal(mf_record_custom(&custom, tree, &err), 0);
	assert_non_null(strstr(custom.p, "\"sig\":\"" EX_VETO_SIG "\""));
}

static void names_of_vetoes_are_parsed_whole(void **state)
{
	static const struct {
		const char *name, *own, *type; /* own NULL: none of a veto */
	} rows[] = {
	    {"a-b/veto-sha256-" HEX64 ".qa.x", "a-b", "qa.x"},
	    {"a/veto-sha256-" HEX64, "a", MF_VETO_ALL},
	    {"a/veto-sha256-" HEX64 ".", NULL, NULL},
	    {"a/veto-sha256-" HEX64 ".*", NULL, NULL},
	    {"a/veto-sha256-" HEX64 "-qa", NULL, NULL},
	    {"a/veto-sha256-" HEX64 ".Qa", NULL, NULL},
	    {"A/veto-sha256-" HEX64, NULL, NULL},
	    {"/veto-sha256-" HEX64, NULL, NULL},
	    {"veto-sha256-" HEX64, NULL, NULL},
	    {"a/b/veto-sha256-" HEX64, NULL, NULL},
	    {"a/sha256-" HEX64, NULL, NULL},
	    {"a/veto-sha256-0", NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_str own, type;
		struct mf_digest subject;
		bool is = mf_veto_name_parse(mf_str_c(rows[i].name), &own, &type, &subject);
		if (is != (rows[i].own != NULL))
			fail_msg("%s", rows[i].name);
		if (is && (!mf_str_eqz(own, rows[i].own) || !mf_str_eqz(type, rows[i].type)))
			fail_msg("%s: '%.*s' '%.*s'", rows[i].name, MF_STR_ARG(own), MF_STR_ARG(type));
	}
}

static void worked_example_reads_back(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = ex_key();
	struct mf_pubkey *pub = mf_privkey_public(k);
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_record_binding b = ex_binding();
	char hex[65];
	bool valid = false;
	(void)state;
	assert_int_equal(parse(&r, EX_CUSTOM, &err), 1);
	assert_int_equal(r.created, ex_fields.created);
	assert_int_equal(r.expires, ex_fields.expires);
	assert_string_equal(r.media_type, "text/plain");
	assert_string_equal(r.author, ex_fields.author);
	assert_string_equal(r.reason, ex_fields.reason);
	assert_false(r.withdrawn);
	assert_false(r.has_artifact);
	assert_int_equal(r.nsigs, 1);
	mf_digest_hex(hex, &r.sigs[0].fingerprint);
	assert_string_equal(hex, EX_FP);
	assert_int_equal(mf_record_signers(&r, &b, &pub, 1, &valid, &err), 0);
	assert_true(valid);
}

/* ---- types and names */

static void types_are_words_joined_by_single_separators(void **state)
{
	static const char *const good[] = {"a", "0", "qa-approval", "a.b_c-d", "sbom2", "0-9"};
	static const char *const bad[] = {"",    "-a",       "a-", "a--b", "a.-b", "A",     "a b", "a/b",
					  "a\n", "\xc3\xa9", "_a", "a_",   "a:b",  "a%20b", ".",   "a..b"};
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct mf_err err = MF_ERR_INIT;
		if (mf_record_type_check(mf_str_c(good[i]), &err) < 0)
			fail_msg("'%s' refused", good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct mf_err err = MF_ERR_INIT;
		if (mf_record_type_check(mf_str_c(bad[i]), &err) == 0 || err.code != MF_E_USAGE)
			fail_msg("'%s' accepted", bad[i]);
	}
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_record_type_check((struct mf_str){"a\0b", 3}, &err), -1);
}

static void types_have_at_most_128_characters(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	char name[MF_MAX_TYPE + 1];
	(void)state;
	memset(name, 'a', sizeof name);
	assert_int_equal(mf_record_type_check((struct mf_str){name, 128}, &err), 0);
	assert_int_equal(mf_record_type_check((struct mf_str){name, 129}, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
}

static void name_is_type_slash_digest(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(256);
	struct mf_digest d, back;
	struct mf_str type;
	(void)state;
	assert_int_equal(mf_digest_parse(&d, MF_STR("sha256:" HEX64), &err), 0);
	assert_int_equal(mf_record_name(&b, MF_STR("qa-approval"), &d, &err), 0);
	assert_string_equal(b.p, EX_NAME);
	assert_true(mf_record_name_parse(mf_buf_str(&b), &type, &back));
	assert_true(mf_str_eqz(type, "qa-approval"));
	assert_true(mf_digest_eq(&d, &back));
}

static void names_of_others_are_none_of_ours(void **state)
{
	static const char *const names[] = {
	    "",
	    "latest",
	    "sha256-" HEX64,
	    "/sha256-" HEX64,
	    "qa/sha256:" HEX64,
	    "qa/sha512-" HEX64,
	    "QA/sha256-" HEX64,
	    "a/b/sha256-" HEX64,
	    "qa/sha256-" HEX64 "0",
	    "qa/sha256-E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "qa/sha256-3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "qa/sha256-g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "qa\\/sha256-" HEX64,
	    "qa/sha256-" HEX64 " "};
	struct mf_str type;
	struct mf_digest d;
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		if (mf_record_name_parse(mf_str_c(names[i]), &type, &d))
			fail_msg("'%s' accepted", names[i]);
}

/* ---- parsing */

#define DOC(members) "{\"manifesto\":{\"v\":1" members "}}"
#define SIG(fp, sig) "{\"fp\":\"" fp "\",\"sig\":\"" sig "\"}"

static void custom_without_manifesto_is_foreign(void **state)
{
	static const char *const docs[] = {"",
					   "{}",
					   "null",
					   "7",
					   "[]",
					   "\"manifesto\"",
					   "{\"Manifesto\":{\"v\":1}}",
					   "{\"other\":{\"manifesto\":{\"v\":1}}}"};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_record r MF_RECORD_CLEANUP;
		if (parse(&r, docs[i], &err) != 0)
			fail_msg("'%s': %s", docs[i], err.msg);
		assert_null(r.tree);
	}
}

static void manifesto_is_found_beside_members_of_others(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	(void)state;
	assert_int_equal(
	    parse(&r, "{\"a\":[1,{}],\"\\u006danifesto\":{\"v\":1,\"author\":\"x\"},\"z\":null}", &err), 1);
	assert_string_equal(r.author, "x");
}

static void malformed_members_are_refused(void **state)
{
	static const char *const docs[] = {
	    "{\"manifesto\":[]}",
	    "{\"manifesto\":1}",
	    "{\"manifesto\":null}",
	    "{\"manifesto\":{}}",
	    "{\"manifesto\":{\"v\":\"1\"}}",
	    "{\"manifesto\":{\"v\":0}}",
	    "{\"manifesto\":{\"v\":-1}}",
	    "{\"manifesto\":{\"v\":1.5}}",
	    "{\"manifesto\":{\"v\":2}}",
	    "{\"manifesto\":{\"v\":9007199254740991}}",
	    "{\"manifesto\":{\"v\":99999999999999999999}}",
	    "{\"manifesto\":{\"v\":1},\"manifesto\":{\"v\":1}}",
	    "{\"manifesto\":{\"v\":1,\"v\":1}}",
	    "{\"manifesto\":{\"v\":1}",
	    DOC(",\"created\":1"),
	    DOC(",\"created\":\"\""),
	    DOC(",\"created\":\"yesterday\""),
	    DOC(",\"created\":\"2026-02-30T00:00:00Z\""),
	    DOC(",\"created\":null"),
	    DOC(",\"expires\":\"2026-01-01\""),
	    DOC(",\"expires\":0"),
	    DOC(",\"mediaType\":1"),
	    DOC(",\"author\":[]"),
	    DOC(",\"author\":\"a\\u0000b\""),
	    DOC(",\"reason\":{}"),
	    DOC(",\"artifact\":\"sha256:00\""),
	    DOC(",\"artifact\":\"sha512:" HEX64 "\""),
	    DOC(",\"artifact\":7"),
	    DOC(",\"sigs\":{}"),
	    DOC(",\"sigs\":[1]"),
	    DOC(",\"sigs\":[{}]"),
	    DOC(",\"sigs\":[{\"fp\":\"" EX_FP "\"}]"),
	    DOC(",\"sigs\":[{\"sig\":\"" EX_SIG "\"}]"),
	    DOC(",\"sigs\":[" SIG("A050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5",
				  EX_SIG) "]"),
	    DOC(",\"sigs\":[" SIG("a050", EX_SIG) "]"),
	    DOC(",\"sigs\":[" SIG(EX_FP, "not base64") "]"),
	    DOC(",\"sigs\":[" SIG(EX_FP, "AA=") "]"),
	    DOC(",\"sigs\":[" SIG(EX_FP, EX_SIG) "," SIG(EX_FP, "?") "]"),
	    DOC(",\"annotations\":\"a=b\""),
	    DOC(",\"annotations\":[]"),
	    DOC(",\"annotations\":null"),
	    DOC(",\"annotations\":{\"a\":1}"),
	    DOC(",\"annotations\":{\"a\":null}"),
	    DOC(",\"annotations\":{\"a\":\"b\",\"c\":{}}"),
	    DOC(",\"annotations\":{\"a\":\"b\\u0000c\"}"),
	    DOC(",\"annotations\":{\"a\\u0000b\":\"c\"}"),
	    DOC(",\"annotations\":{\"a\":\"b\",\"\\u0061\":\"c\"}"), /* one name in two spellings */
	    DOC(",\"expires\\u0000\":\"2026-01-02T03:04:05Z\""),
	    DOC(",\"crit\":\"x\""),
	    DOC(",\"crit\":{}"),
	};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_record r MF_RECORD_CLEANUP;
		if (parse(&r, docs[i], &err) != -1 || err.code != MF_E_FORMAT)
			fail_msg("'%s': code %s", docs[i], mf_code_name(err.code));
		assert_null(r.tree); /* written on success only */
	}
}

static void version_two_is_refused_whatever_else_it_says(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	(void)state;
	assert_int_equal(parse(&r, "{\"manifesto\":{\"v\":2,\"author\":\"x\",\"crit\":[]}}", &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_non_null(strstr(err.msg, "newer"));
}

static void critical_names_must_be_known(void **state)
{
	static const char *const good[] = {
	    DOC(",\"crit\":[]"),
	    DOC(",\"crit\":[\"created\",\"mediaType\",\"author\",\"reason\",\"annotations\",\"expires\","
		"\"withdrawn\","
		"\"artifact\",\"sigs\"]"),
	    DOC(",\"crit\":[\"author\"]"), /* need not be there */
	};
	static const char *const bad[] = {DOC(",\"crit\":[\"future\"]"),
					  DOC(",\"crit\":[\"author\",\"future\"],\"author\":\"x\""),
					  DOC(",\"crit\":[\"promotedFrom\"]"),
					  DOC(",\"crit\":[\"Author\"]"),
					  DOC(",\"crit\":[\"author\\u0000\"]"),
					  DOC(",\"crit\":[\"author\\u0000future\"]"),
					  DOC(",\"crit\":[\"\"]"),
					  DOC(",\"crit\":[1]"),
					  DOC(",\"crit\":[null]"),
					  DOC(",\"crit\":[[\"author\"]]")};
	(void)state;
	for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
		const char *doc = i < COUNT(good) ? good[i] : bad[i - COUNT(good)];
		struct mf_err err = MF_ERR_INIT;
		struct mf_record r MF_RECORD_CLEANUP;
		if (parse(&r, doc, &err) != (i < COUNT(good) ? 1 : -1))
			fail_msg("'%s': %s", doc, err.msg);
		assert_int_equal(err.code, i < COUNT(good) ? MF_OK : MF_E_FORMAT);
	}
}

static void unknown_members_are_kept_and_signed(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_record_binding b = ex_binding();
	struct mf_buf custom MF_BUF_CLEANUP = MF_BUF_INIT(4096), payload MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	(void)state;
	assert_int_equal(parse(&r, "{\"manifesto\":{ \"zz\":[true,null,{\"b\":2,\"a\":1}], \"v\":1 }}", &err),
			 1);
	assert_int_equal(mf_record_custom(&custom, r.tree, &err), 0);
	assert_string_equal(custom.p, "{\"manifesto\":{\"v\":1,\"zz\":[true,null,{\"a\":1,\"b\":2}]}}");
	assert_int_equal(mf_record_payload(&payload, &b, r.tree, &err), 0);
	assert_non_null(
	    strstr(payload.p, "\"manifesto\":{\"v\":1,\"zz\":[true,null,{\"a\":1,\"b\":2}]},\"name\""));
}

static void whatever_withdrawn_holds_the_record_is_withdrawn(void **state)
{
	static const char *const docs[] = {DOC(",\"withdrawn\":true"),
					   DOC(",\"withdrawn\":false"),
					   DOC(",\"withdrawn\":null"),
					   DOC(",\"withdrawn\":{}"),
					   DOC(",\"withdrawn\":\"\""),
					   DOC(",\"withdrawn\":0"),
					   DOC(",\"mediaType\":\"" MF_MT_WITHDRAWN "\"")};
	(void)state;
	for (size_t i = 0; i < COUNT(docs); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_record r MF_RECORD_CLEANUP;
		assert_int_equal(parse(&r, docs[i], &err), 1);
		if (!r.withdrawn)
			fail_msg("'%s' is not withdrawn", docs[i]);
	}
}

static void absent_members_are_absent(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_record_fields none = {0};
	struct mf_buf custom MF_BUF_CLEANUP = MF_BUF_INIT(64);
	json_t *tree MF_JSON_CLEANUP = make(&none);
	(void)state;
	assert_int_equal(mf_record_custom(&custom, tree, &err), 0);
	assert_string_equal(custom.p, DOC(""));
	parse_tree(&r, tree);
	assert_null(r.author);
	assert_null(r.reason);
	assert_null(r.media_type);
	assert_false(r.has_created);
	assert_false(r.has_expires);
	assert_int_equal(r.nsigs, 0);
	assert_false(r.withdrawn);
	assert_false(r.has_artifact);
}

static void time_at_the_epoch_is_no_absent_time(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	(void)state;
	assert_int_equal(
	    parse(&r, DOC(",\"created\":\"1970-01-01T00:00:00Z\",\"expires\":\"1970-01-01T00:00:00Z\""),
		  &err),
	    1);
	assert_true(r.has_created && r.has_expires);
	assert_int_equal(r.created, 0);
	assert_int_equal(r.expires, 0);
}

static void artifact_is_a_digest(void **state)
{
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_record_binding b = ex_binding();
	struct mf_record_fields f = {.artifact = &b.sha256};
	json_t *tree MF_JSON_CLEANUP = make(&f);
	(void)state;
	assert_string_equal(json_string_value(json_object_get(tree, "artifact")), "sha256:" EX_BLOB_SHA256);
	parse_tree(&r, tree);
	assert_true(r.has_artifact);
	assert_true(mf_digest_eq(&r.artifact, &b.sha256));
}

/* ---- free text */

struct text {
	const char *plain, *encoded;
};

static void free_text_is_percent_encoded_where_signed_json_needs_it(void **state)
{
	static const struct text rows[] = {
	    {"plain, with \"quotes\" and \\", "plain, with \"quotes\" and \\"},
	    {"a<b>c&d%e", "a%3Cb%3Ec%26d%25e"},
	    {"tab\there\nthere", "tab%09here%0Athere"},
	    {"\x01\x1f\x7f", "%01%1F%7F"},
	    {"\xc2\x80\xc2\x9f\xc2\xa0", "%C2%80%C2%9F\xc2\xa0"},
	    {"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xa7\xe2\x80\xaa",
	     "%E2%80%A8%E2%80%A9\xe2\x80\xa7\xe2\x80\xaa"},
	    {"Zo\xc3\xab \xe6\x97\xa5 \xf0\x9f\x98\x80", "Zo\xc3\xab \xe6\x97\xa5 \xf0\x9f\x98\x80"},
	    {"100%25", "100%2525"},
	    {"", ""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_record r MF_RECORD_CLEANUP;
		struct mf_record_fields f = {
		    .media_type = rows[i].plain, .author = rows[i].plain, .reason = rows[i].plain};
		json_t *tree MF_JSON_CLEANUP = make(&f);
		assert_string_equal(json_string_value(json_object_get(tree, "author")), rows[i].encoded);
		assert_string_equal(json_string_value(json_object_get(tree, "mediaType")), rows[i].encoded);
		parse_tree(&r, tree);
		assert_string_equal(r.author, rows[i].plain);
		assert_string_equal(r.reason, rows[i].plain);
		assert_string_equal(r.media_type, rows[i].plain);
	}
}

static void text_that_is_not_our_encoding_is_shown_as_it_is(void **state)
{
	static const char *const texts[] = {"50% off", "%", "%zz", "%0", "a%00b"};
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_record r MF_RECORD_CLEANUP;
		char doc[128];
		(void)snprintf(doc, sizeof doc, DOC(",\"author\":\"%s\""), texts[i]);
		assert_int_equal(parse(&r, doc, &err), 1);
		assert_string_equal(r.author, texts[i]);
	}
}

static void text_that_is_not_utf8_is_refused(void **state)
{
	static const char *const texts[] = {"\xff",         "a\xc3", "\xc0\x80",
					    "\xed\xa0\x80", "\x80",  "\xf4\x90\x80\x80"};
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_record_fields f = {.author = texts[i]};
		assert_null(mf_record_make(&f, &err));
		assert_int_equal(err.code, MF_E_USAGE);
	}
}

static void annotations_are_pairs_with_different_keys(void **state)
{
	static const char *const good[] = {"a=1", "b=", "c=x=y", "d<=\xe2\x82\xac&", NULL};
	static const char *const bad[][3] = {{"a", NULL},          {"=1", NULL},     {"", NULL},
					     {"a=1", "a=2", NULL}, {"a=\xff", NULL}, {"\xff=a", NULL}};
	struct mf_record_fields f = {.annotations = good};
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf custom MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	json_t *tree MF_JSON_CLEANUP = make(&f);
	(void)state;
	assert_int_equal(mf_record_custom(&custom, tree, &err), 0);
	assert_string_equal(custom.p, "{\"manifesto\":{\"annotations\":{\"a\":\"1\",\"b\":\"\",\"c\":\"x=y\","
				      "\"d%3C\":\"\xe2\x82\xac%26\"},"
				      "\"v\":1}}");
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct mf_err why = MF_ERR_INIT;
		f.annotations = bad[i];
		if (mf_record_make(&f, &why) || why.code != MF_E_USAGE)
			fail_msg("'%s' accepted", bad[i][0]);
	}
}

static void description_has_at_most_32_kib(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	char *text MF_FREE = malloc(40000);
	struct mf_record_fields f = {.reason = text};
	(void)state;
	assert_non_null(text);
	memset(text, 'a', 40000);
	text[39999] = 0;
	assert_null(mf_record_make(&f, &err));
	assert_int_equal(err.code, MF_E_USAGE);
	/* What counts is the encoded length: each '<' takes three. */
	struct mf_err err2 = MF_ERR_INIT;
	memset(text, '<', 20000);
	text[20000] = 0;
	assert_null(mf_record_make(&f, &err2));
	assert_int_equal(err2.code, MF_E_USAGE);
	memset(text, 'a', 30000);
	text[30000] = 0;
	json_t *tree MF_JSON_CLEANUP = make(&f);
	assert_non_null(tree);
}

static void description_above_64_kib_is_not_read(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	(void)state;
	assert_int_equal(mf_buf_addz(&doc, "{\"manifesto\":{\"v\":1,\"x\":\"", &err), 0);
	for (size_t i = 0; i < MF_MAX_CUSTOM_BYTES; i++)
		assert_int_equal(mf_buf_addc(&doc, 'a', &err), 0);
	assert_int_equal(mf_buf_addz(&doc, "\"}}", &err), 0);
	assert_int_equal(parse(&r, doc.p, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

/* ---- signatures */

static void at_most_64_signatures_are_read(void **state)
{
	(void)state;
	for (size_t n = MF_MAX_SIGNATURES; n <= MF_MAX_SIGNATURES + 1; n++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_record r MF_RECORD_CLEANUP;
		struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
		assert_int_equal(mf_buf_addz(&doc, "{\"manifesto\":{\"v\":1,\"sigs\":[", &err), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(mf_buf_printf(&doc, &err, "%s" SIG(EX_FP, "AAAA"), i ? "," : ""), 0);
		assert_int_equal(mf_buf_addz(&doc, "]}}", &err), 0);
		assert_int_equal(parse(&r, doc.p, &err), n > MF_MAX_SIGNATURES ? -1 : 1);
		assert_int_equal(err.code, n > MF_MAX_SIGNATURES ? MF_E_FORMAT : MF_OK);
	}
}

static void signing_again_replaces_ones_own_signature_only(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_privkey *a MF_PRIVKEY_CLEANUP = ex_key(),
			     *b MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_pubkey *keys[] = {mf_privkey_public(a), mf_privkey_public(b)};
	struct mf_record_binding bind = ex_binding();
	json_t *tree MF_JSON_CLEANUP = make(&ex_fields);
	bool valid[2];
	(void)state;
	sign(tree, &bind, a);
	sign(tree, &bind, b);
	sign(tree, &bind, a);
	assert_int_equal(json_array_size(json_object_get(tree, "sigs")), 2);
	parse_tree(&r, tree);
	assert_int_equal(mf_record_signers(&r, &bind, keys, 2, valid, &err), 0);
	assert_true(valid[0] && valid[1]);
}

static void every_key_type_can_sign(void **state)
{
	static const enum mf_key_type types[] = {MF_KEY_ED25519, MF_KEY_ECDSA};
	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_record r MF_RECORD_CLEANUP;
		struct mf_privkey *k MF_PRIVKEY_CLEANUP = mf_privkey_generate(types[i], &err);
		struct mf_pubkey *pub = mf_privkey_public(k);
		struct mf_record_binding b = ex_binding();
		json_t *tree MF_JSON_CLEANUP = make(&ex_fields);
		bool valid = false;
		sign(tree, &b, k);
		parse_tree(&r, tree);
		assert_int_equal(mf_record_signers(&r, &b, &pub, 1, &valid, &err), 0);
		assert_true(valid);
	}
}

/* Nothing that the payload holds can be exchanged: neither where it stands nor what it says. */
static void signature_is_bound_to_place_and_content(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = ex_key();
	struct mf_pubkey *pub = mf_privkey_public(k);
	(void)state;
	assert_int_equal(parse(&r, EX_CUSTOM, &err), 1);
	for (int i = 0; i < 6; i++) {
		struct mf_record_binding b = ex_binding();
		bool valid = true;
		if (i == 0)
			b.repository = "registry.example.com/acme/other";
		if (i == 1)
			b.name = MF_STR("scan/sha256-" HEX64);
		if (i == 2)
			b.name = MF_STR("qa-approval/sha256-" EX_BLOB_SHA256);
		if (i == 3)
			b.length++;
		if (i == 4)
			b.sha256.b[31] ^= 1;
		if (i == 5)
			assert_int_equal(json_object_set_new(r.tree, "author", json_string("Mallory")), 0);
		assert_int_equal(mf_record_signers(&r, &b, &pub, 1, &valid, &err), 0);
		if (valid)
			fail_msg("change %d is not noticed", i);
	}
}

static void unknown_members_are_under_the_signature(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = ex_key();
	struct mf_pubkey *pub = mf_privkey_public(k);
	struct mf_record_binding b = ex_binding();
	bool valid = true;
	(void)state;
	assert_int_equal(parse(&r, EX_CUSTOM, &err), 1);
	assert_int_equal(json_object_set_new(r.tree, "future", json_true()), 0);
	assert_int_equal(mf_record_signers(&r, &b, &pub, 1, &valid, &err), 0);
	assert_false(valid);
}

static void flipped_signature_does_not_count(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = ex_key();
	struct mf_pubkey *pub = mf_privkey_public(k);
	struct mf_record_binding b = ex_binding();
	(void)state;
	assert_int_equal(parse(&r, EX_CUSTOM, &err), 1);
	for (size_t bit = 0; bit < r.sigs[0].sig.n * 8; bit++) {
		bool valid = true;
		r.sig_bytes.p[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(mf_record_signers(&r, &b, &pub, 1, &valid, &err), 0);
		if (valid)
			fail_msg("bit %zu", bit);
		r.sig_bytes.p[bit / 8] ^= (char)(1 << bit % 8);
	}
	/* Cut short, or nothing at all. */
	for (size_t n = 0; n < 64; n++) {
		bool valid = true;
		r.sigs[0].sig.n = n;
		assert_int_equal(mf_record_signers(&r, &b, &pub, 1, &valid, &err), 0);
		assert_false(valid);
	}
}

static void signature_counts_for_its_own_key_only(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_privkey *other MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = ex_key();
	struct mf_pubkey *keys[] = {mf_privkey_public(other), NULL}, *signer = mf_privkey_public(k);
	struct mf_digest fp = mf_pubkey_fingerprint(keys[0]);
	struct mf_record_binding b = ex_binding();
	bool valid[2] = {true, true};
	(void)state;
	assert_int_equal(parse(&r, EX_CUSTOM, &err), 1);
	assert_int_equal(mf_record_signers(&r, &b, keys, 2, valid, &err), 0);
	assert_false(valid[0] || valid[1]); /* not listed for the role; a key that cannot verify */
	r.sigs[0].fingerprint = fp;         /* somebody else's signature under this key's name */
	assert_int_equal(mf_record_signers(&r, &b, keys, 2, valid, &err), 0);
	assert_false(valid[0]);
	/* And the signer did not sign under that name. */
	assert_int_equal(mf_record_signers(&r, &b, &signer, 1, valid, &err), 0);
	assert_false(valid[0]);
}

static void one_key_counts_once_under_however_many_ids(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = ex_key(), *again MF_PRIVKEY_CLEANUP = ex_key();
	struct mf_pubkey *keys[] = {NULL, mf_privkey_public(k), mf_privkey_public(again),
				    mf_privkey_public(k)};
	struct mf_record_binding b = ex_binding();
	bool valid[4];
	(void)state;
	/* Twice in the record, too. */
	assert_int_equal(
	    parse(&r, DOC("," EX_HEAD "\"v\":1,\"sigs\":[" SIG(EX_FP, EX_SIG) "," SIG(EX_FP, EX_SIG) "]"),
		  &err),
	    -1);
	mf_err_clear(&err);
	assert_int_equal(parse(&r,
			       "{\"manifesto\":{" EX_HEAD
			       "\"sigs\":[" SIG(EX_FP, EX_SIG) "," SIG(EX_FP, EX_SIG) "],\"v\":1}}",
			       &err),
			 1);
	assert_int_equal(mf_record_signers(&r, &b, keys, 4, valid, &err), 0);
	assert_true(!valid[0] && valid[1] && !valid[2] && !valid[3]);
}

static void good_signature_behind_a_bad_one_of_the_same_key_counts(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = ex_key();
	struct mf_pubkey *pub = mf_privkey_public(k);
	struct mf_record_binding b = ex_binding();
	bool valid = false;
	(void)state;
	assert_int_equal(parse(&r,
			       "{\"manifesto\":{" EX_HEAD
			       "\"sigs\":[" SIG(EX_FP, "AAAA") "," SIG(EX_FP, EX_SIG) "],\"v\":1}}",
			       &err),
			 1);
	assert_int_equal(mf_record_signers(&r, &b, &pub, 1, &valid, &err), 0);
	assert_true(valid);
}

static void record_without_signatures_has_no_signers(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = ex_key();
	struct mf_pubkey *pub = mf_privkey_public(k);
	struct mf_record_binding b = ex_binding();
	bool valid = true;
	(void)state;
	assert_int_equal(parse(&r, DOC(",\"sigs\":[]"), &err), 1);
	assert_int_equal(mf_record_signers(&r, &b, &pub, 1, &valid, &err), 0);
	assert_false(valid);
}

/* ---- tombstones */

static struct mf_tombstone a_tombstone(const struct mf_digest *d)
{
	return (struct mf_tombstone){.type = "qa-approval",
				     .role = "targets/security",
				     .subject = &d[0],
				     .signer = &d[1],
				     .reason = "CVE <1>",
				     .when = 1767323045,
				     .withdrew = d,
				     .nwithdrew = 2};
}

static void tombstone_has_this_document_and_description(void **state)
{
	const struct mf_digest d[2] = {{{0x01}}, {{0x02}}};
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096), c MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct mf_tombstone t = a_tombstone(d);
	struct mf_record_fields f = {.created = t.when,
				     .media_type = MF_MT_WITHDRAWN,
				     .reason = t.reason,
				     .withdrew = d,
				     .nwithdrew = 2,
				     .withdrawn = true};
	char zeros[63];
	(void)state;
	memset(zeros, '0', 62);
	zeros[62] = 0;
	char expected[1000], array[200];
	(void)snprintf(array, sizeof array, "\"withdrawn\":[\"sha256:01%s\",\"sha256:02%s\"]", zeros, zeros);
	assert_int_equal(mf_tombstone_build(&b, &t, &err), 0);
	(void)snprintf(
	    expected, sizeof expected,
	    "{\"reason\":\"CVE "
	    "%%3C1%%3E\",\"role\":\"targets/security\",\"signer\":\"02%s\",\"subject\":\"sha256:01%s\","
	    "\"type\":\"qa-approval\",\"v\":1,\"when\":\"2026-01-02T03:04:05Z\",%s}",
	    zeros, zeros, array);
	assert_string_equal(mf_buf_str(&b).p, expected);
	mf_buf_reset(&b);
	t.author = "Dana & co";
	assert_int_equal(mf_tombstone_build(&b, &t, &err), 0);
	assert_non_null(strstr(b.p, "{\"author\":\"Dana %26 co\",\"reason\""));
	json_t *tree MF_JSON_CLEANUP = mf_record_make(&f, &err);
	assert_int_equal(mf_record_custom(&c, tree, &err), 0);
	(void)snprintf(expected, sizeof expected,
		       "{\"manifesto\":{\"created\":\"2026-01-02T03:04:05Z\",\"mediaType\":\"" MF_MT_WITHDRAWN
		       "\",\"reason\":\"CVE %%3C1%%3E\",\"v\":1,%s}}",
		       array);
	assert_string_equal(mf_buf_str(&c).p, expected);
	struct mf_record r MF_RECORD_CLEANUP = {0};
	assert_int_equal(mf_record_parse(&r, mf_buf_str(&c), &err), 1);
	assert_true(r.withdrawn);
	assert_int_equal(json_array_size(r.withdrew), 2);
	assert_string_equal(r.reason, "CVE <1>");
	/* With nothing to name it withdraws all the same. */
	f.nwithdrew = 0;
	f.media_type = NULL;
	json_t *bare MF_JSON_CLEANUP = mf_record_make(&f, &err);
	mf_buf_reset(&c);
	assert_int_equal(mf_record_custom(&c, bare, &err), 0);
	struct mf_record r2 MF_RECORD_CLEANUP = {0};
	assert_int_equal(mf_record_parse(&r2, mf_buf_str(&c), &err), 1);
	assert_true(r2.withdrawn);
}

static void tombstone_needs_a_reason(void **state)
{
	static const char *const none[] = {NULL, "", " ", "\n\t\r "};
	const struct mf_digest d[2] = {{{0x01}}, {{0x02}}};
	(void)state;
	for (size_t i = 0; i < COUNT(none); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		struct mf_tombstone t = a_tombstone(d);
		t.reason = none[i];
		assert_int_equal(mf_tombstone_build(&b, &t, &err), -1);
		assert_int_equal(err.code, MF_E_USAGE);
		assert_int_equal(b.n, 0);
	}
}

static void no_more_signatures_are_added_than_are_read(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record_fields f = {.created = 1};
	struct mf_digest fp = {{0}};
	json_t *tree MF_JSON_CLEANUP = mf_record_make(&f, &err);
	(void)state;
	for (unsigned i = 0; i < MF_MAX_SIGNATURES; i++) {
		fp.b[0] = (uint8_t)i;
		assert_int_equal(mf_record_add_sig(tree, &fp, mf_bytes_of(MF_STR("s")), &err), 0);
	}
	/* One of a key that is there takes the place of the other. */
	assert_int_equal(mf_record_add_sig(tree, &fp, mf_bytes_of(MF_STR("t")), &err), 0);
	assert_int_equal(json_array_size(json_object_get(tree, "sigs")), MF_MAX_SIGNATURES);
	fp.b[1] = 1;
	assert_int_equal(mf_record_add_sig(tree, &fp, mf_bytes_of(MF_STR("s")), &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	assert_int_equal(json_array_size(json_object_get(tree, "sigs")), MF_MAX_SIGNATURES);
}

static void withdrew_is_an_array_or_nothing(void **state)
{
	static const struct {
		const char *custom;
		bool withdrawn, array;
	} rows[] = {{"{\"manifesto\":{\"v\":1,\"withdrawn\":true}}", true, false},
		    {"{\"manifesto\":{\"v\":1,\"withdrawn\":null}}", true, false},
		    {"{\"manifesto\":{\"v\":1,\"withdrawn\":{}}}", true, false},
		    {"{\"manifesto\":{\"v\":1,\"withdrawn\":[]}}", true, true},
		    {"{\"manifesto\":{\"v\":1}}", false, false}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_record r MF_RECORD_CLEANUP = {0};
		assert_int_equal(mf_record_parse(&r, mf_str_c(rows[i].custom), &err), 1);
		assert_int_equal(r.withdrawn, rows[i].withdrawn);
		assert_int_equal(r.withdrew != NULL, rows[i].array);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(worked_example_has_this_payload_and_signature),
	    cmocka_unit_test(worked_example_of_a_veto_has_this_content_name_and_signature),
	    cmocka_unit_test(names_of_vetoes_are_parsed_whole),
	    cmocka_unit_test(worked_example_reads_back),
	    cmocka_unit_test(tombstone_has_this_document_and_description),
	    cmocka_unit_test(tombstone_needs_a_reason),
	    cmocka_unit_test(no_more_signatures_are_added_than_are_read),
	    cmocka_unit_test(withdrew_is_an_array_or_nothing),
	    cmocka_unit_test(types_are_words_joined_by_single_separators),
	    cmocka_unit_test(types_have_at_most_128_characters),
	    cmocka_unit_test(name_is_type_slash_digest),
	    cmocka_unit_test(names_of_others_are_none_of_ours),
	    cmocka_unit_test(custom_without_manifesto_is_foreign),
	    cmocka_unit_test(manifesto_is_found_beside_members_of_others),
	    cmocka_unit_test(malformed_members_are_refused),
	    cmocka_unit_test(version_two_is_refused_whatever_else_it_says),
	    cmocka_unit_test(critical_names_must_be_known),
	    cmocka_unit_test(unknown_members_are_kept_and_signed),
	    cmocka_unit_test(whatever_withdrawn_holds_the_record_is_withdrawn),
	    cmocka_unit_test(absent_members_are_absent),
	    cmocka_unit_test(time_at_the_epoch_is_no_absent_time),
	    cmocka_unit_test(artifact_is_a_digest),
	    cmocka_unit_test(free_text_is_percent_encoded_where_signed_json_needs_it),
	    cmocka_unit_test(text_that_is_not_our_encoding_is_shown_as_it_is),
	    cmocka_unit_test(text_that_is_not_utf8_is_refused),
	    cmocka_unit_test(annotations_are_pairs_with_different_keys),
	    cmocka_unit_test(description_has_at_most_32_kib),
	    cmocka_unit_test(description_above_64_kib_is_not_read),
	    cmocka_unit_test(at_most_64_signatures_are_read),
	    cmocka_unit_test(signing_again_replaces_ones_own_signature_only),
	    cmocka_unit_test(every_key_type_can_sign),
	    cmocka_unit_test(signature_is_bound_to_place_and_content),
	    cmocka_unit_test(unknown_members_are_under_the_signature),
	    cmocka_unit_test(flipped_signature_does_not_count),
	    cmocka_unit_test(signature_counts_for_its_own_key_only),
	    cmocka_unit_test(one_key_counts_once_under_however_many_ids),
	    cmocka_unit_test(good_signature_behind_a_bad_one_of_the_same_key_counts),
	    cmocka_unit_test(record_without_signatures_has_no_signers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
