/* Changing who may sign: what we change, and that nothing else is changed. */
#include "swizzle.h"

#include "base/limits.h"

static const struct mf_dialect *const dialects[] = {&mf_dialect_notary, &mf_dialect_tuf1};

static struct mf_buf change(const struct mf_dialect *d, const char *old, const struct mf_tuf_delegation *v,
			    size_t n)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out = MF_BUF_INIT(65536);
	sw_ok(mf_tuf_build_delegations(d, mf_str_c(old), v, n, &out, &err), &err);
	return out;
}

static void assert_change(const struct mf_dialect *d, const char *old, const struct mf_tuf_delegation *v,
			  const char *want)
{
	struct mf_buf got MF_BUF_CLEANUP = change(d, old, v, 1);
	assert_string_equal(got.p, want);
}

/* ---- names and paths */

static void names_and_paths_are_those_of_the_dialect(void **state)
{
	static const char *const names[] = {"targets/qa", "qa"}, *const paths[] = {"scan.x/", "scan.x/*"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(64), path MF_BUF_CLEANUP = MF_BUF_INIT(64);
		sw_ok(mf_tuf_put_role_name(dialects[i], MF_STR("qa"), &name, &err), &err);
		sw_ok(mf_tuf_put_type_path(dialects[i], MF_STR("scan.x"), &path, &err), &err);
		assert_string_equal(name.p, names[i]);
		assert_string_equal(path.p, paths[i]);
		assert_true(mf_str_eqz(mf_tuf_path_type(dialects[i], mf_buf_str(&path)), "scan.x"));
		assert_true(dialects[i]->delegation_name(MF_STR("targets"), mf_buf_str(&name)));
		assert_true(dialects[i]->path_covers(mf_buf_str(&path), MF_STR("scan.x/sha256-00")));
		assert_false(dialects[i]->path_covers(mf_buf_str(&path), MF_STR("scan.xy/sha256-00")));
	}
}

static void other_paths_name_no_type(void **state)
{
	static const char *const others[] = {"",           "/",    "qa",    "*",           "/*",     "qa*",
					     "qa/sha256-", "a/b/", "a/b/*", "qa/sha256-*", "qa/*/*", "*/*",
					     "q?/",        "q?/*", "Qa/",   "Qa/*"};
	(void)state;
	for (size_t i = 0; i < SW_COUNT(others); i++)
		for (size_t d = 0; d < 2; d++)
			if (mf_tuf_path_type(dialects[d], mf_str_c(others[i])).n)
				fail_msg("'%s' in %s", others[i], dialects[d]->name);
	assert_int_equal(mf_tuf_path_type(&mf_dialect_tuf1, MF_STR("qa/")).n, 0);
}

/* ---- delegations */

#define KEY_A "\"aa\":{\"keytype\":\"ed25519\"}"
#define KEY_B "\"bb\":{\"keytype\":\"ecdsa-x509\",\"x-more\":[1]}"
#define ROLE_QA                                                                                              \
	"{\"keyids\":[\"aa\"],\"name\":\"targets/qa\",\"paths\":[\"qa/\"],\"threshold\":1,\"x-note\":{"      \
	"\"b\":2}}"
#define ROLE_REL                                                                                             \
	"{\"keyids\":[\"bb\"],\"name\":\"targets/releases\",\"paths\":[\"\"],\"terminating\":true,"          \
	"\"threshold\":1}"
#define OLD "{\"keys\":{" KEY_A "," KEY_B "},\"roles\":[" ROLE_REL "," ROLE_QA "],\"x-own\":true}"

static const struct mf_tuf_root_key key_a = {.id = "aa"}, key_b = {.id = "bb"},
				    key_c = {.id = "cc", .object = {"{\"keytype\":\"c\"}", 15}};
static const char *const new_paths[] = {"qa/", "scan/"};

static void a_new_role_is_appended_and_all_else_stays(void **state)
{
	(void)state;
	struct mf_tuf_delegation g = {.name = "targets/new",
				      .keys = &key_c,
				      .nkeys = 1,
				      .paths = new_paths,
				      .npaths = 2,
				      .threshold = 1};
	assert_change(&mf_dialect_notary, OLD, &g,
		      "{\"keys\":{" KEY_A "," KEY_B ",\"cc\":{\"keytype\":\"c\"}},\"roles\":[" ROLE_REL
		      "," ROLE_QA ",{\"keyids\":[\"cc\"],\"name\":\"targets/new\",\"paths\":[\"qa/"
		      "\",\"scan/\"],\"threshold\":1}],\"x-own\":true}");
	/* TUF 1.0 requires "terminating" (4.5). */
	assert_change(&mf_dialect_tuf1, "", &g,
		      "{\"keys\":{\"cc\":{\"keytype\":\"c\"}},\"roles\":[{\"keyids\":[\"cc\"],\"name\":"
		      "\"targets/new\",\"paths\":[\"qa/"
		      "\",\"scan/\"],\"terminating\":false,\"threshold\":1}]}");
}

static void a_changed_role_keeps_its_place_and_unknown_members(void **state)
{
	/* "aa" is listed, and stays as it is written there. */
	const struct mf_tuf_root_key keys[] = {{.id = "aa", .object = key_c.object}, key_c};
	(void)state;
	struct mf_tuf_delegation g = {.name = "targets/qa", .keys = keys, .nkeys = 2, .threshold = 2};
	assert_change(&mf_dialect_notary, OLD, &g,
		      "{\"keys\":{" KEY_A "," KEY_B ",\"cc\":{\"keytype\":\"c\"}},\"roles\":[" ROLE_REL
		      ",{\"keyids\":[\"aa\",\"cc\"],\"name\":\"targets/"
		      "qa\",\"paths\":[\"qa/\"],\"threshold\":2,\"x-note\":{\"b\":2}}],\"x-own\":true}");
}

/* In TUF 1.0 an ID is a name: whoever has signed the file may have given ours to a key of their own. */
static void another_key_under_our_key_id_is_refused(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const struct mf_tuf_root_key ours = {.id = "aa", .object = key_c.object};
	const struct mf_tuf_root_key same = {.id = "aa", .object = {"{\"keytype\":\"ed25519\"}", 21}};
	struct mf_tuf_delegation g = {.name = "qa", .keys = &ours, .nkeys = 1, .threshold = 1};
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	(void)state;
	assert_int_equal(mf_tuf_build_delegations(&mf_dialect_tuf1, MF_STR(OLD), &g, 1, &out, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	mf_err_clear(&err);
	g.keys = &same;
	sw_ok(mf_tuf_build_delegations(&mf_dialect_tuf1, MF_STR(OLD), &g, 1, &out, &err), &err);
}

static void a_key_that_nothing_lists_any_more_goes_and_no_other(void **state)
{
	(void)state;
	/* aa goes with its role; "zz", which nobody listed before, is not ours to clear. */
	struct mf_tuf_delegation gone = {.name = "targets/qa", .absent = true};
	assert_change(&mf_dialect_notary,
		      "{\"keys\":{" KEY_A "," KEY_B ",\"zz\":{}},\"roles\":[" ROLE_REL "," ROLE_QA "]}",
		      &gone, "{\"keys\":{" KEY_B ",\"zz\":{}},\"roles\":[" ROLE_REL "]}");
	struct mf_tuf_delegation swapped = {.name = "targets/qa", .keys = &key_b, .nkeys = 1, .threshold = 1};
	assert_change(&mf_dialect_notary, "{\"keys\":{" KEY_A "," KEY_B "},\"roles\":[" ROLE_QA "]}",
		      &swapped,
		      "{\"keys\":{" KEY_B "},\"roles\":[{\"keyids\":[\"bb\"],\"name\":\"targets/"
		      "qa\",\"paths\":[\"qa/\"],\"threshold\":1,\"x-note\":{\"b\":2}}]}");
}

static void of_a_role_listed_twice_the_first_is_changed_and_both_go(void **state)
{
	(void)state;
#define TWICE                                                                                                \
	"{\"keys\":{" KEY_A "," KEY_B "},\"roles\":[" ROLE_QA                                                \
	",{\"keyids\":[\"bb\"],\"name\":\"targets/qa\","                                                     \
	"\"paths\":[],\"threshold\":1}]}"
	struct mf_tuf_delegation gone = {.name = "targets/qa", .absent = true};
	assert_change(&mf_dialect_notary, TWICE, &gone, "{\"keys\":{},\"roles\":[]}");
	struct mf_tuf_delegation g = {.name = "targets/qa", .keys = &key_a, .nkeys = 1, .threshold = 1};
	assert_change(&mf_dialect_notary, TWICE, &g, TWICE);
}

static void paths_replace_prefixes_of_hashes(void **state)
{
	(void)state;
#define HASHED(members)                                                                                      \
	"{\"keys\":{" KEY_A "},\"roles\":[{\"keyids\":[\"aa\"],\"name\":\"qa\"," members                     \
	",\"terminating\":true,\"threshold\":1}]}"
	struct mf_tuf_delegation g = {.name = "qa", .keys = &key_a, .nkeys = 1, .threshold = 1};
	assert_change(&mf_dialect_tuf1, HASHED("\"path_hash_prefixes\":[\"0\"]"), &g,
		      HASHED("\"path_hash_prefixes\":[\"0\"]"));
	g.paths = new_paths;
	g.npaths = 1;
	assert_change(&mf_dialect_tuf1, HASHED("\"path_hash_prefixes\":[\"0\"]"), &g,
		      HASHED("\"paths\":[\"qa/\"]"));
}

static void bounds_and_missing_keys_are_refused(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20), old MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	(void)state;
	struct mf_tuf_delegation g = {.name = "targets/qa", .keys = &key_b, .nkeys = 1, .threshold = 1};
	assert_int_equal(mf_tuf_build_delegations(&mf_dialect_notary, MF_STR("{\"keys\":{},\"roles\":[]}"),
						  &g, 1, &out, &err),
			 -1);
	assert_int_equal(err.code, MF_E_INTERNAL);
	mf_err_clear(&err);
	assert_int_equal(
	    mf_tuf_build_delegations(&mf_dialect_notary, MF_STR("{\"keys\":[]}"), &g, 1, &out, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	mf_err_clear(&err);
	sw_ok(mf_buf_addz(&old, "{\"keys\":{\"k0\":{}", &err), &err);
	for (int i = 1; i < MF_MAX_KEYS; i++)
		sw_ok(mf_buf_printf(&old, &err, ",\"k%d\":{}", i), &err);
	sw_ok(mf_buf_addz(&old, "},\"roles\":[]}", &err), &err);
	g.keys = &key_c;
	assert_int_equal(mf_tuf_build_delegations(&mf_dialect_notary, mf_buf_str(&old), &g, 1, &out, &err),
			 -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

/* ---- the next root */

#define ROOT(version, keys, snapshot, threshold)                                                             \
	"{\"_type\":\"root\",\"consistent_snapshot\":true,\"expires\":\"2027-01-15T08:00:00Z\",\"keys\":"    \
	"{" keys                                                                                             \
	"},\"roles\":{\"root\":{\"keyids\":[\"rr\"],\"threshold\":1},\"snapshot\":{\"keyids\":[" snapshot    \
	"],\"threshold\":" threshold                                                                         \
	"},\"targets\":{\"keyids\":[\"aa\"],\"threshold\":1},\"timestamp\":{\"keyids\":[\"aa\"],"            \
	"\"threshold\":1,\"x\":1},\"x-role\":{\"keyids\":[]}},\"spec_version\":\"1.0.31\","                  \
	"\"version\":" version ",\"x-own\":[]}"
#define R_KEY "\"rr\":{\"keytype\":\"r\",\"keyval\":{\"public\":\"r\"},\"scheme\":\"r\"}"
#define A_KEY "\"aa\":{\"keytype\":\"a\",\"keyval\":{\"public\":\"a\"},\"scheme\":\"a\"}"
#define C_KEY "\"cc\":{\"keytype\":\"c\"}"

static int next_root(const char *signed_part, const struct mf_tuf_root_edit *v, size_t n, struct mf_buf *out,
		     struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	sw_ok(mf_tuf_build_file(&mf_dialect_tuf1, mf_str_c(signed_part), NULL, 0, &bytes, &why), &why);
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(&mf_dialect_tuf1, MF_TUF_ROOT, &bytes, &why);
	if (!f)
		fail_msg("%s", why.msg);
	return mf_tuf_build_next_root(f, v, n, SW_NOW, out, err);
}

static void next_root_changes_what_was_asked_and_keeps_the_rest(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(65536), back MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_tuf_root_edit add = {.id = "cc", .object = key_c.object, .add = 1 << MF_TUF_SNAPSHOT};
	struct mf_tuf_root_edit drop = {.id = "cc", .drop = 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP};
	(void)state;
	sw_ok(next_root(ROOT("7", A_KEY "," R_KEY, "\"aa\"", "1"), &add, 1, &out, &err), &err);
	assert_string_equal(out.p, ROOT("8", A_KEY "," C_KEY "," R_KEY, "\"aa\",\"cc\"", "1"));
	/* The key object of "cc" here is no key of ours: given back as it stands. */
	sw_ok(next_root(ROOT("8", A_KEY "," R_KEY ",\"cc\":{\"keytype\":\"c\",\"keyval\":{\"public\":\"c\"}}",
			     "\"aa\",\"cc\"", "1"),
			&drop, 1, &back, &err),
	      &err);
	assert_string_equal(back.p, ROOT("9", A_KEY "," R_KEY, "\"aa\"", "1"));
}

static void next_root_keeps_a_key_that_another_role_lists(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_tuf_root_edit v[] = {{.id = "cc", .object = key_c.object, .add = 1 << MF_TUF_SNAPSHOT},
				       {.id = "aa", .drop = 1 << MF_TUF_SNAPSHOT}};
	(void)state;
	sw_ok(next_root(ROOT("1", A_KEY "," R_KEY, "\"aa\"", "1"), v, 2, &out, &err), &err);
	assert_string_equal(out.p, ROOT("2", A_KEY "," C_KEY "," R_KEY, "\"cc\"", "1"));
}

static void no_role_of_the_next_root_is_left_without_enough_keys(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_tuf_root_edit v = {.id = "aa", .drop = 1 << MF_TUF_SNAPSHOT};
	(void)state;
	assert_int_equal(next_root(ROOT("1", A_KEY "," R_KEY, "\"aa\"", "1"), &v, 1, &out, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	mf_err_clear(&err);
	assert_int_equal(next_root(ROOT("1", A_KEY "," R_KEY, "\"aa\",\"rr\"", "2"), &v, 1, &out, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
}

static void the_last_version_has_no_next_root(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	(void)state;
	assert_int_equal(
	    next_root(ROOT("9007199254740991", A_KEY "," R_KEY, "\"aa\"", "1"), NULL, 0, &out, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_and_paths_are_those_of_the_dialect),
	    cmocka_unit_test(other_paths_name_no_type),
	    cmocka_unit_test(a_new_role_is_appended_and_all_else_stays),
	    cmocka_unit_test(a_changed_role_keeps_its_place_and_unknown_members),
	    cmocka_unit_test(another_key_under_our_key_id_is_refused),
	    cmocka_unit_test(a_key_that_nothing_lists_any_more_goes_and_no_other),
	    cmocka_unit_test(of_a_role_listed_twice_the_first_is_changed_and_both_go),
	    cmocka_unit_test(paths_replace_prefixes_of_hashes),
	    cmocka_unit_test(bounds_and_missing_keys_are_refused),
	    cmocka_unit_test(next_root_changes_what_was_asked_and_keeps_the_rest),
	    cmocka_unit_test(next_root_keeps_a_key_that_another_role_lists),
	    cmocka_unit_test(no_role_of_the_next_root_is_left_without_enough_keys),
	    cmocka_unit_test(the_last_version_has_no_next_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
