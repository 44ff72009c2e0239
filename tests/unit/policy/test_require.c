/* Requirements as they are typed, policy files, waivers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "policy/document.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void ok(int rc, const struct mf_err *err)
{
	if (rc < 0)
		fail_msg("unexpected: %s", err->msg);
}

/* ---- --require */

static void requirement_is_read_and_said(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
	    {"contact", "'contact' signed by a role that may sign it"},
	    {"qa-approval=qa", "'qa-approval' signed by role qa"},
	    {"qa-approval=1 of qa", "'qa-approval' signed by role qa"},
	    {"qa=2 of qa", "'qa' signed by 2 keys of role qa"},
	    {"scan=2 of qa,appsec,release", "'scan' signed by 2 keys of the roles qa, appsec, release"},
	    {"scan=1 of qa,appsec", "'scan' signed by one of the roles qa, appsec"},
	    {" scan = 2  of  qa , targets/x/y ", "'scan' signed by 2 keys of the roles qa, targets/x/y"},
	    {"scan=64 of qa", "'scan' signed by 64 keys of role qa"},
	    {"qa=2of", "'qa' signed by role 2of"},
	    {"qa=a=b", "'qa' signed by role a=b"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules r MF_RULES_CLEANUP = {0};
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		ok(mf_rules_require(&r, mf_str_c(rows[i].text), &err), &err);
		assert_int_equal(r.n, 1);
		ok(mf_requirement_words(&r.v[0], &b, &err), &err);
		assert_string_equal(b.p, rows[i].words);
	}
}

static void requirement_that_can_be_misread_is_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
	    {"", "record type"},
	    {"=qa", "record type"},
	    {"QA", "record type"},
	    {"a b", "record type"},
	    {"qa=", "role"},
	    {"qa=qa,appsec", "does not say how many"},
	    {"qa=0 of qa", "number of signers"},
	    {"qa=65 of qa", "number of signers"},
	    {"qa=99999 of qa", "role"},
	    {"qa=-1 of qa", "role"},
	    {"qa=2 of ", "role"},
	    {"qa=2 of qa,", "role"},
	    {"qa=2 of ,qa", "role"},
	    {"qa=2 of qa qb", "role"},
	    {"qa=two of qa", "role"},
	    {"qa=2of qa", "role"},
	    {"qa=2 of qa,qa", "twice"},
	    {"qa=2 of qa,targets/qa", "twice"},
	    {"qa=q\na", "role"},
	    {"qa=\xc3\xa9", "role"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules r MF_RULES_CLEANUP = {0};
		if (mf_rules_require(&r, mf_str_c(rows[i].text), &err) == 0)
			fail_msg("'%s' was accepted", rows[i].text);
		assert_int_equal(err.code, MF_E_USAGE);
		if (!strstr(err.msg, rows[i].message) || !err.hint[0])
			fail_msg("'%s': %s (%s)", rows[i].text, err.msg, err.hint);
		assert_int_equal(r.n, 0);
	}
}

static void counts_and_lengths_are_bounded(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules r MF_RULES_CLEANUP = {0};
	char name[MF_MAX_ROLE_NAME + 2], text[4096] = "qa=1 of r0";
	(void)state;
	for (size_t i = 0; i < MF_MAX_REQUIREMENTS; i++)
		ok(mf_rules_require(&r, MF_STR("qa=qa"), &err), &err);
	assert_int_equal(mf_rules_require(&r, MF_STR("qa=qa"), &err), -1);
	r.n = 0;
	mf_err_clear(&err);
	for (size_t i = 1; i < MF_MAX_POLICY_ROLES; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), ",r%zu", i);
	ok(mf_rules_require(&r, mf_str_c(text), &err), &err);
	assert_int_equal(r.v[0].nroles, MF_MAX_POLICY_ROLES);
	(void)snprintf(text + strlen(text), sizeof text - strlen(text), ",one");
	assert_int_equal(mf_rules_require(&r, mf_str_c(text), &err), -1);
	mf_err_clear(&err);
	for (size_t i = 0; i < 500; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), ",x%zu", i);
	assert_int_equal(mf_rules_require(&r, mf_str_c(text), &err), -1);
	mf_err_clear(&err);
	memset(name, 'a', sizeof name);
	ok(mf_role_name_check((struct mf_str){name, MF_MAX_ROLE_NAME}, &err), &err);
	assert_int_equal(mf_role_name_check((struct mf_str){name, MF_MAX_ROLE_NAME + 1}, &err), -1);
}

static void age_limit_only_lowers(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules r MF_RULES_CLEANUP = {0};
	(void)state;
	for (size_t i = 0; i < 3; i++)
		ok(mf_rules_require(&r, MF_STR("qa=qa"), &err), &err);
	r.v[1].max_age_s = 50;
	r.v[2].max_age_s = 200;
	mf_rules_limit_age(&r, 100);
	assert_int_equal(r.v[0].max_age_s, 100);
	assert_int_equal(r.v[1].max_age_s, 50);
	assert_int_equal(r.v[2].max_age_s, 100);
}

/* ---- --where, --distinct */

static struct mf_rules three(void)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules r = {0};
	ok(mf_rules_require(&r, MF_STR("qa=qa"), &err), &err);
	ok(mf_rules_require(&r, MF_STR("scan"), &err), &err);
	ok(mf_rules_require(&r, MF_STR("qa=security"), &err), &err);
	return r;
}

static void condition_is_of_each_requirement_of_its_type(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules r MF_RULES_CLEANUP = three();
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	(void)state;
	ok(mf_rules_where(&r, MF_STR("qa=.a == \"b\""), &err), &err);
	ok(mf_rules_where(&r, MF_STR(" scan = .n=1 "), &err), &err);
	ok(mf_rules_where(&r, MF_STR("qa=true"), &err), &err);
	assert_int_equal(r.v[0].nwhere, 2);
	assert_int_equal(r.v[1].nwhere, 1);
	assert_int_equal(r.v[2].nwhere, 2);
	assert_string_equal(r.v[2].where[0], ".a == \"b\"");
	assert_string_equal(r.v[1].where[0], " .n=1 ");
	ok(mf_requirement_words(&r.v[0], &b, &err), &err);
	assert_string_equal(b.p, "'qa' signed by role qa, where its content meets '.a == \"b\"' and 'true'");
}

static void condition_that_is_none_or_is_for_nothing_is_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
	    {"", "does not name a type"},
	    {"true", "does not name a type"},
	    {"other=true", "'other', which nothing requires"},
	    {"=true", "nothing requires"},
	    {"qa=", "empty"},
	    {"qa=  ", "empty"},
	};
	char text[MF_MAX_CONDITION + 5] = "qa=";
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules r MF_RULES_CLEANUP = three();
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		mf_err_clear(&err);
		assert_int_equal(mf_rules_where(&r, mf_str_c(rows[i].text), &err), -1);
		assert_int_equal(err.code, MF_E_USAGE);
		if (!strstr(err.msg, rows[i].message))
			fail_msg("'%s': %s", rows[i].text, err.msg);
	}
	mf_err_clear(&err);
	memset(text + 3, '1', MF_MAX_CONDITION);
	ok(mf_rules_where(&r, (struct mf_str){text, MF_MAX_CONDITION + 3}, &err), &err);
	text[MF_MAX_CONDITION + 3] = '1';
	assert_int_equal(mf_rules_where(&r, (struct mf_str){text, MF_MAX_CONDITION + 4}, &err), -1);
	mf_err_clear(&err);
	for (size_t i = 1; i < MF_MAX_CONDITIONS; i++)
		ok(mf_rules_where(&r, MF_STR("qa=true"), &err), &err);
	assert_int_equal(mf_rules_where(&r, MF_STR("qa=true"), &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
}

static void types_whose_signers_differ_are_required(void **state)
{
	static const struct {
		const char *types, *message; /* NULL: it is good */
	} rows[] = {
	    {"qa,scan", NULL},
	    {" scan , qa ", NULL},
	    {"qa", NULL}, /* it is required of two roles */
	    {"scan", "there are no others"},
	    {"qa,other", "nothing requires it"},
	    {"qa,qa", "named twice"},
	    {"qa,", "record type"},
	    {"", "record type"},
	    {"QA,scan", "record type"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules r MF_RULES_CLEANUP = three();
		int rc = mf_rules_distinct(&r, mf_str_c(rows[i].types), &err);
		if (rc == 0)
			rc = mf_rules_check(&r, &err);
		if ((rc == 0) != !rows[i].message || (rc < 0 && !strstr(err.msg, rows[i].message)))
			fail_msg("'%s': %s", rows[i].types, err.msg);
		assert_true(rc == 0 || err.code == MF_E_USAGE);
	}
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules r MF_RULES_CLEANUP = three();
	ok(mf_rules_distinct(&r, MF_STR("qa,scan"), &err), &err);
	assert_true(mf_rules_is_distinct(&r, "qa") && !mf_rules_is_distinct(&r, "q"));
	assert_int_equal(mf_rules_distinct(&r, MF_STR("qa,scan"), &err), -1);
}

/* ---- policy files */

#define REQUIRE "\"require\":[{\"type\":\"qa\"}]"
#define POLICY(more) "{\"version\":1," REQUIRE more "}"
#define WITH(requirement) "{\"version\":1,\"require\":[" requirement "]}"

static void policy_is_read_whole(void **state)
{
	static const char text[] = "{\"$schema\":\"x\",\"version\":1,\"name\":\"release\",\"maxAge\":\"30d\","
				   "\"tags\":\"forbid\",\"veto\":"
				   "[\"security\"],\"waivers\":{\"roles\":[\"board\",\"cto\"],\"signers\":2},"
				   "\"require\":[{\"type\":\"qa\","
				   "\"roles\":[\"qa\"]},{\"type\":\"scan\",\"roles\":[\"qa\",\"appsec\"],"
				   "\"signers\":2,\"maxAge\":\"60d\",\"where\":\".ok\","
				   "\"mediaType\":\"application/json\"}],\"distinct\":[\"qa\",\"scan\"]}";
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules r MF_RULES_CLEANUP = {0};
	(void)state;
	ok(mf_rules_parse(&r, mf_bytes_of(mf_str_c(text)), &err), &err);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.name, "release");
	assert_string_equal(r.v[0].type, "qa");
	assert_string_equal(r.v[0].roles[0], "qa");
	assert_int_equal(r.v[0].signers, 1);
	assert_int_equal(r.v[0].max_age_s, 30 * 86400);
	assert_null(r.v[0].media_type);
	assert_int_equal(r.v[1].nroles, 2);
	assert_int_equal(r.v[1].signers, 2);
	assert_int_equal(r.v[1].max_age_s, 60 * 86400); /* its own goes first */
	assert_string_equal(r.v[1].media_type, "application/json");
	assert_int_equal(r.v[0].nwhere, 0);
	assert_int_equal(r.v[1].nwhere, 1);
	assert_string_equal(r.v[1].where[0], ".ok");
	assert_int_equal(r.ndistinct, 2);
	assert_string_equal(r.distinct[1], "scan");
	assert_int_equal(r.nveto, 1);
	assert_string_equal(r.veto[0], "security");
	assert_true(r.forbid_tags && r.has_waiver);
	assert_string_equal(r.waiver.type, "waiver");
	assert_int_equal(r.waiver.nroles, 2);
	assert_int_equal(r.waiver.signers, 2);
}

static void short_policy_has_the_defaults(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules r MF_RULES_CLEANUP = {0};
	(void)state;
	ok(mf_rules_parse(&r, mf_bytes_of(MF_STR(POLICY(",\"tags\":\"allow\""))), &err), &err);
	assert_int_equal(r.n, 1);
	assert_null(r.name);
	assert_int_equal(r.v[0].nroles, 0);
	assert_int_equal(r.v[0].signers, 1);
	assert_int_equal(r.v[0].max_age_s, 0);
	assert_false(r.forbid_tags || r.has_waiver || r.nveto);
}

static void policy_that_could_be_misread_is_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
	    {"", "JSON"},
	    {"[]", "not an object"},
	    {"{" REQUIRE "}", "version"},
	    {"{\"version\":2," REQUIRE "}", "version"},
	    {"{\"version\":\"1\"," REQUIRE "}", "version"},
	    {"{\"version\":1}", "require"},
	    {"{\"version\":1,\"require\":[]}", "accept everything"},
	    {"{\"version\":1,\"require\":{}}", "require"},
	    {POLICY(",\"maxage\":\"1d\""), "unknown member 'maxage'"},
	    {POLICY(",\"maxAge\":\"1d\",\"maxAge\":\"2d\""), "JSON"},
	    {POLICY(",\"distinct\":[\"qa\",\"qa\"]"), "twice"},
	    {POLICY(",\"distinct\":[]"), "distinct"},
	    {POLICY(",\"distinct\":[\"QA\"]"), "record type"},
	    {WITH("{\"type\":\"qa\",\"where\":\"\"}"), "empty"},
	    {WITH("{\"type\":\"qa\",\"where\":true}"), "where"},
	    {WITH("{\"type\":\"qa\",\"where\":[\"true\"]}"), "where"},
	    {POLICY(",\"maxAge\":30"), "maxAge"},
	    {POLICY(",\"maxAge\":\"30\\u0000d\""), "maxAge"},
	    {POLICY(",\"maxAge\":\"1 month\""), "duration"},
	    {POLICY(",\"maxAge\":\"\""), "duration"},
	    {POLICY(",\"veto\":[]"), "veto"},
	    {POLICY(",\"veto\":\"security\""), "veto"},
	    {POLICY(",\"veto\":[\"a\",\"targets/a\"]"), "twice"},
	    {POLICY(",\"veto\":[1]"), "plain strings"},
	    {POLICY(",\"veto\":[\"a b\"]"), "role"},
	    {POLICY(",\"veto\":[\"a\\u0000b\"]"), ""},
	    {POLICY(",\"$schema\":1"), "$schema"},
	    {POLICY(",\"tags\":\"no\""), "tags"},
	    {POLICY(",\"tags\":true"), "tags"},
	    {POLICY(",\"waivers\":{}"), "roles"},
	    {POLICY(",\"waivers\":{\"roles\":[]}"), "roles"},
	    {POLICY(",\"waivers\":{\"roles\":[\"a\"],\"signers\":0}"), "signers"},
	    {POLICY(",\"waivers\":{\"roles\":[\"a\"],\"until\":1}"), "unknown member 'until'"},
	    {POLICY(",\"name\":\"\""), "name"},
	    {POLICY("} {"), "JSON"},
	    {WITH("{}"), "type"},
	    {WITH("1"), "not an object"},
	    {WITH("{\"type\":\"QA\"}"), "requirement 1"},
	    {WITH("{\"type\":\"qa\"},{\"type\":\"qa\",\"role\":\"qa\"}"),
	     "requirement 2: unknown member 'role'"},
	    {WITH("{\"type\":\"qa\",\"roles\":[]}"), "roles"},
	    {WITH("{\"type\":\"qa\",\"roles\":[\"a\",\"a\"]}"), "twice"},
	    {WITH("{\"type\":\"qa\",\"signers\":0}"), "signers"},
	    {WITH("{\"type\":\"qa\",\"signers\":65}"), "signers"},
	    {WITH("{\"type\":\"qa\",\"signers\":1.5}"), "signers"},
	    {WITH("{\"type\":\"qa\",\"maxAge\":\"0d\"}"), "duration"},
	    {WITH("{\"type\":\"qa\",\"mediaType\":\"\"}"), "mediaType"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules r MF_RULES_CLEANUP = {0};
		if (mf_rules_parse(&r, mf_bytes_of(mf_str_c(rows[i].text)), &err) == 0)
			fail_msg("accepted: %s", rows[i].text);
		assert_int_equal(err.code, MF_E_USAGE);
		if (!strstr(err.msg, rows[i].message))
			fail_msg("%s: %s", rows[i].text, err.msg);
	}
}

static void policy_is_bounded(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	char *text = malloc(MF_MAX_POLICY_BYTES + 2);
	(void)state;
	assert_non_null(text);
	memset(text, ' ', MF_MAX_POLICY_BYTES + 1);
	memcpy(text, POLICY(""), strlen(POLICY("")));
	for (size_t over = 0; over < 2; over++) {
		struct mf_rules r MF_RULES_CLEANUP = {0};
		struct mf_bytes doc = {(const uint8_t *)text, MF_MAX_POLICY_BYTES + over};
		assert_int_equal(mf_rules_parse(&r, doc, &err), over ? -1 : 0);
	}
	free(text);
}

static void lists_are_bounded(void **state)
{
	(void)state;
	for (size_t n = MF_MAX_POLICY_ROLES; n <= MF_MAX_POLICY_ROLES + 1; n++) {
		char text[2048] = "{\"version\":1," REQUIRE ",\"veto\":[";
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules r MF_RULES_CLEANUP = {0};
		for (size_t i = 0; i < n; i++)
			(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s\"r%zu\"",
				       i ? "," : "", i);
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "]}");
		assert_int_equal(mf_rules_parse(&r, mf_bytes_of(mf_str_c(text)), &err),
				 n > MF_MAX_POLICY_ROLES ? -1 : 0);
		assert_true(!err.code || strstr(err.msg, "1 to 32 items"));
	}
}

static void texts_are_bounded(void **state)
{
	char text[MF_MAX_WAIVER_TEXT + 200];
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules r MF_RULES_CLEANUP = {0};
		(void)snprintf(text, sizeof text, "{\"version\":1," REQUIRE ",\"name\":\"%0*d\"}",
			       (int)(MF_MAX_WAIVER_TEXT + over), 0);
		assert_int_equal(mf_rules_parse(&r, mf_bytes_of(mf_str_c(text)), &err), over ? -1 : 0);
	}
}

/* ---- waivers */

#define UNTIL "\"until\":\"2030-01-01T00:00:00Z\""
#define WAIVER(members) "{\"version\":1," members "}"
#define WHO "\"name\":\"W-1\",\"for\":\"payments\","

static void waiver_is_read(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_waiver w MF_WAIVER_CLEANUP = {0};
	(void)state;
	ok(mf_waiver_parse(
	       &w, mf_bytes_of(MF_STR(WAIVER(WHO "\"waives\":[\"scan\",\"qa\"],\"reason\":\"late\"," UNTIL))),
	       &err),
	   &err);
	assert_string_equal(w.name, "W-1");
	assert_string_equal(w.granted_to, "payments");
	assert_string_equal(w.reason, "late");
	assert_int_equal(w.until, 1893456000);
	assert_true(mf_waiver_names(&w, "scan") && mf_waiver_names(&w, "qa"));
	assert_false(mf_waiver_names(&w, "sca") || mf_waiver_names(&w, "scan2"));
}

static void waiver_without_name_types_holder_or_end_is_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "{}",
	    "[]",
	    "{" WHO "\"waives\":[\"qa\"]," UNTIL "}",
	    "{\"version\":2," WHO "\"waives\":[\"qa\"]," UNTIL "}",
	    WAIVER(WHO "\"waives\":[\"qa\"]"),
	    WAIVER(WHO UNTIL),
	    WAIVER(WHO "\"waives\":[]," UNTIL),
	    WAIVER(WHO "\"waives\":\"qa\"," UNTIL),
	    WAIVER(WHO "\"waives\":[\"*\"]," UNTIL),
	    WAIVER("\"name\":\"W\",\"waives\":[\"qa\"]," UNTIL),
	    WAIVER("\"for\":\"x\",\"waives\":[\"qa\"]," UNTIL),
	    WAIVER("\"for\":\"x\",\"name\":\"\",\"waives\":[\"qa\"]," UNTIL),
	    WAIVER(WHO "\"waives\":[\"qa\"],\"until\":\"tomorrow\""),
	    WAIVER(WHO "\"waives\":[\"qa\"],\"until\":1893456000"),
	    WAIVER(WHO "\"waives\":[\"qa\"],\"all\":true," UNTIL),
	    WAIVER(WHO "\"waives\":[\"qa\"]," UNTIL "," UNTIL),
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_waiver w = {0};
		if (mf_waiver_parse(&w, mf_bytes_of(mf_str_c(rows[i])), &err) == 0)
			fail_msg("accepted: %s", rows[i]);
		assert_int_equal(err.code, MF_E_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requirement_is_read_and_said),
	    cmocka_unit_test(requirement_that_can_be_misread_is_refused),
	    cmocka_unit_test(counts_and_lengths_are_bounded),
	    cmocka_unit_test(age_limit_only_lowers),
	    cmocka_unit_test(condition_is_of_each_requirement_of_its_type),
	    cmocka_unit_test(condition_that_is_none_or_is_for_nothing_is_refused),
	    cmocka_unit_test(types_whose_signers_differ_are_required),
	    cmocka_unit_test(policy_is_read_whole),
	    cmocka_unit_test(short_policy_has_the_defaults),
	    cmocka_unit_test(policy_that_could_be_misread_is_refused),
	    cmocka_unit_test(policy_is_bounded),
	    cmocka_unit_test(lists_are_bounded),
	    cmocka_unit_test(texts_are_bounded),
	    cmocka_unit_test(waiver_is_read),
	    cmocka_unit_test(waiver_without_name_types_holder_or_end_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
