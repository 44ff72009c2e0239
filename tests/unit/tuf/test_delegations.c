/* Who may delegate what to whom, and which delegations are read. */
#include "swizzle.h"

#include "base/limits.h"

/* ---- paths */

struct match {
	const char *path, *name;
	bool covers;
};

static const struct match prefixes[] = {
    {"", "a", true},      {"", "", true},         {"qa/", "qa/1", true},   {"qa/", "qa/", true},
    {"qa/", "qa", false}, {"qa/", "qb/1", false}, {"qa", "qa/1", true},    {"qa", "qabc", true},
    {"*", "a", false},    {"*", "*a", true},      {"qa/*", "qa/1", false}, {"qa/1/2", "qa/1", false},
};

static const struct match globs[] = {
    {"a", "a", true},
    {"a", "ab", false},
    {"ab", "a", false},
    {"", "", true},
    {"", "a", false},
    {"*", "", true},
    {"*", "abc", true},
    {"*", "a/b", false},
    {"*", "/", false},
    {"**", "abc", true},
    {"**", "a/b", false},
    {"*/*", "a/b", true},
    {"*/*", "a/b/c", false},
    {"*/*", "ab", false},
    {"*/*", "/", true},
    {"?", "a", true},
    {"?", "", false},
    {"?", "/", false},
    {"?", "ab", false},
    {"a?c", "abc", true},
    {"a?c", "a/c", false},
    {"a*c", "ac", true},
    {"a*c", "abbc", true},
    {"a*c", "ab/c", false},
    {"a*c", "abcd", false},
    {"qa/*", "qa/1", true},
    {"qa/*", "qa/", true},
    {"qa/*", "qa", false},
    {"qa/*", "qa/1/2", false},
    {"qa/*", "qb/1", false},
    {"qa-*/sha256-*", "qa-x/sha256-00", true},
    {"qa-*/sha256-*", "qa-x/y/sha256-00", false},
    {"*.tgz", "foo.tgz", true},
    {"*.tgz", "foo.txt", false},
    {"*.tgz", "a/foo.tgz", false},
    {"*a*b", "xaab", true},
    {"*a*b", "xaba", false},
    {"*a*b/c", "xaab/c", true},
    {"*a/*b", "aaa/bbb", true},
    {"*a/*b", "aab/bbb", false},
    {"*ab", "aab", true},
    {"*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    {"a*?", "a", false},
    {"a*?", "ab", true},
    {"[a]", "a", true},
    {"[a]", "[a]", false},
    {"[ab]c", "bc", true},
    {"[a-c]", "b", true},
    {"[a-c]", "d", false},
    {"[c-a]", "b", false}, /* a range of nothing */
    {"[!c-a]", "b", true},
    {"[a-]", "-", true},
    {"[-a]", "-", true},
    {"[a-c-e]", "-", true},
    {"[a-c-e]", "d", false},
    {"[!a]", "b", true},
    {"[!a]", "a", false},
    {"[!a]", "/", false},
    {"[^a]", "^", true}, /* only '!' negates */
    {"[^a]", "b", false},
    {"[]a]", "]", true},
    {"[!]a]", "]", false},
    {"[!]a]", "b", true},
    {"[]", "[]", true}, /* not closed: itself */
    {"[a", "[a", true},
    {"[a/]b", "[a/]b", true}, /* nor over a slash */
    {"[a/]", "a", false},
    {"[+-0]", "/", false},
    {"[*]", "*", true},
    {"[*]", "a", false},
    {"*[0-9].txt", "a1b2.txt", true},
    {"*[0-9].txt", "a1b.txt", false},
    {"[\xc3\xa0-\xc3\xbf]", "\xc3\xa9", true},
    {"[\xc3\xa0-\xc3\xbf]", "a", false},
    {"?", "\xc3\xa9", true},
    {"??", "\xc3\xa9", false},
    {"a?c",
     "a\xf0\x9f\x98\x80"
     "c",
     true},
    {"*?", "\xc3\xa9", true},
    {"*\xa9", "\xc3\xa9", false}, /* a star ends between characters */
    {"\\*", "*", false},
    {"A", "a", false},
};

static void check_matches(const struct mf_dialect *d, const struct match *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct mf_str path = mf_str_c(m[i].path), name = mf_str_c(m[i].name);
		if (d->path_covers(path, name) != m[i].covers)
			fail_msg("%s: '%s' and '%s'", d->name, m[i].path, m[i].name);
		/* What covers a name could cover one that starts with any part of it. */
		for (size_t k = 0; m[i].covers && k <= name.n; k++)
			if (!d->path_touches(path, (struct mf_str){name.p, k}))
				fail_msg("%s: '%s' does not touch the first %zu of '%s'", d->name, m[i].path,
					 k, m[i].name);
	}
}

static void notary_paths_are_prefixes(void **state)
{
	(void)state;
	check_matches(&mf_dialect_notary, prefixes, SW_COUNT(prefixes));
}

static void tuf_paths_are_globs_that_stop_at_slashes(void **state)
{
	(void)state;
	check_matches(&mf_dialect_tuf1, globs, SW_COUNT(globs));
}

static void path_that_cannot_cover_a_prefix_does_not_touch_it(void **state)
{
	const struct mf_dialect *n = &mf_dialect_notary, *t = &mf_dialect_tuf1;
	(void)state;
	assert_false(n->path_touches(MF_STR("qa/"), MF_STR("qb/")));
	assert_false(n->path_touches(MF_STR("qa/"), MF_STR("qb")));
	assert_true(n->path_touches(MF_STR("qa/deep/"), MF_STR("qa/")));
	assert_true(n->path_touches(MF_STR("qa/"), MF_STR("qa/deep/x")));
	assert_false(t->path_touches(MF_STR("qa/*"), MF_STR("qb/")));
	assert_false(t->path_touches(MF_STR("qa"), MF_STR("qa/")));
	assert_true(t->path_touches(MF_STR("qa/*"), MF_STR("q")));
}

/* ---- role names */

struct name {
	const char *parent, *name;
	bool ok;
};

static const struct name names[] = {
    {"targets", "targets/releases", true},  {"targets", "targets/a-b_c9", true},
    {"targets/a", "targets/a/b", true},     {"targets", "targets/a/b", false},
    {"targets", "targets/", false},         {"targets", "targets", false},
    {"targets", "targets//a", false},       {"targets", "targets/Releases", false},
    {"targets", "targets/a b", false},      {"targets", "targets/a.b", false},
    {"targets", "targets/\xc3\xa9", false}, {"targets", "targetsa", false},
    {"targets", "targetsabc", false},       {"targets", "targetz/abc", false},
    {"targets", "releases", false},         {"targets", "", false},
    {"targets/a", "targets/b", false},      {"targets/a", "targets/ab/c", false},
};

static void notary_delegates_to_direct_children_only(void **state)
{
	const struct mf_dialect *d = &mf_dialect_notary;
	char longest[300] = "targets/";
	(void)state;
	for (size_t i = 0; i < SW_COUNT(names); i++)
		if (d->delegation_name(mf_str_c(names[i].parent), mf_str_c(names[i].name)) != names[i].ok)
			fail_msg("'%s' to '%s'", names[i].parent, names[i].name);
	memset(longest + 8, 'a', 255 - 8);
	assert_true(d->delegation_name(MF_STR("targets"), (struct mf_str){longest, 255}));
	longest[255] = 'a';
	assert_false(d->delegation_name(MF_STR("targets"), (struct mf_str){longest, 256}));
}

static const struct sw_row bad_names[] = {
    SET("not a child", SW_NOTARY, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 name",
	"\"targets/qa/x\""),
    SET("upper case", SW_NOTARY, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 name",
	"\"targets/QA\""),
    SET("upwards", SW_NOTARY, MF_E_FORMAT, F_QA, F_QA, "delegations roles 0 name", "\"targets/qb\""),
    SET("itself", SW_NOTARY, MF_E_FORMAT, F_QA, F_QA, "delegations roles 0 name", "\"targets/qa\""),
    SET("root", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 name", "\"root\""),
    SET("timestamp", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 name", "\"timestamp\""),
    SET("snapshot", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 name", "\"snapshot\""),
    SET("targets", SW_BOTH, MF_E_FORMAT, F_QA, F_QA, "delegations roles 0 name", "\"targets\""),
};

static void long_name(struct sw *r, json_t *j)
{
	char name[MF_MAX_ROLE_NAME + 2];
	json_t *roles = json_object_get(json_object_get(j, "delegations"), "roles");
	(void)r;
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = 0;
	assert_int_equal(json_object_set_new(json_array_get(roles, 0), "name", json_string(name)), 0);
}

static void unusable_role_names_make_the_delegator_invalid(void **state)
{
	static const struct sw_row too_long =
	    ROW("too long", SW_BOTH, MF_E_FORMAT, F_TARGETS, .file = F_TARGETS, .edit = long_name);
	(void)state;
	sw_table(bad_names, SW_COUNT(bad_names));
	sw_table(&too_long, 1);
	static const struct sw_row nul = TEXT("with a NUL", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS,
					      "\"name\":\"%qa\"", "\"name\":\"%qa\\u0000x\"");
	sw_table(&nul, 1);
}

/* ---- what is loaded */

/* Loads with a row for a prefix, then hands the set to a check. */
static void with_set(const struct sw_row *row, enum sw_dialect which, const char *prefix,
		     void (*check)(struct sw *r, struct mf_tuf_set *s))
{
	struct sw r SW_CLEANUP = sw_new(which);
	struct mf_tuf_set s;
	struct mf_err err = MF_ERR_INIT;
	enum sw_file at;
	sw_build(&r, row);
	sw_ok(sw_client(&r, &s, NULL, prefix, &at, &err), &err);
	check(&r, &s);
	mf_tuf_set_clear(&s);
}

static bool covers(const struct sw *r, const struct mf_tuf_set *s, enum sw_file f, const char *name)
{
	const struct mf_tuf_loaded *l = mf_tuf_set_find(s, sw_role(r, f));
	assert_non_null(l);
	return mf_tuf_loaded_covers(r->d, l, mf_str_c(name));
}

static void check_reach(struct sw *r, struct mf_tuf_set *s)
{
	assert_int_equal(s->nroles, 3);
	assert_string_equal(s->roles[0]->role, "targets");
	assert_true(covers(r, s, F_TARGETS, "outside"));
	assert_true(covers(r, s, F_QA, "qa/1"));
	assert_true(covers(r, s, F_QA, "qa/deep/1"));
	assert_false(covers(r, s, F_QA, "outside"));
	assert_true(covers(r, s, F_DEEP, "qa/deep/1"));
	assert_false(covers(r, s, F_DEEP, "qa/1"));
	assert_false(covers(r, s, F_DEEP, "outside"));
}

static void role_covers_its_paths(void **state)
{
	(void)state;
	with_set(NULL, SW_NOTARY, "", check_reach);
	with_set(NULL, SW_TUF1, "", check_reach);
}

static void check_wide_child(struct sw *r, struct mf_tuf_set *s)
{
	assert_true(covers(r, s, F_DEEP, "qa/1"));
	assert_false(covers(r, s, F_DEEP, "outside"));
	assert_false(covers(r, s, F_DEEP, "other/1"));
}

static void only_top_is_loaded(struct sw *r, struct mf_tuf_set *s)
{
	(void)r;
	assert_int_equal(s->nroles, 1);
}

/* The child claims everything: it gets no more than its parent has. */
static void nested_paths_do_not_exceed_the_parents(void **state)
{
	static const struct sw_row wide[] = {
	    SET("", SW_NOTARY, MF_OK, F_ROOT, F_QA, "delegations roles 0 paths", "[\"\"]"),
	    SET("", SW_TUF1, MF_OK, F_ROOT, F_QA, "delegations roles 0 paths", "[\"*\",\"*/*\",\"*/*/*\"]"),
	};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		with_set(&wide[i], wide[i].in, "", check_wide_child);
		with_set(&wide[i], wide[i].in, "outside", only_top_is_loaded);
	}
}

/* The parent is loaded already, for another lookup; its child's wide path is still within the parent's. */
static void child_is_not_wanted_where_its_parent_may_not_be(void **state)
{
	static const struct sw_row wide[] = {
	    SET("", SW_NOTARY, MF_OK, F_ROOT, F_QA, "delegations roles 0 paths", "[\"\"]"),
	    SET("", SW_TUF1, MF_OK, F_ROOT, F_QA, "delegations roles 0 paths", "[\"*\",\"*/*\"]"),
	};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct sw r SW_CLEANUP = sw_new(wide[i].in);
		struct mf_tuf_set s;
		struct mf_tuf_edge w[4];
		struct mf_err err = MF_ERR_INIT;
		enum sw_file at;
		size_t n;
		struct mf_buf bytes MF_BUF_CLEANUP;
		sw_build(&r, &wide[i]);
		sw_ok(sw_client(&r, &s, NULL, "top", &at, &err), &err);
		sw_ok(mf_tuf_set_unloaded(&s, MF_STR("qa/1"), 4, w, &n, &err), &err);
		assert_int_equal(n, 1);
		sw_copy(&bytes, &r.bytes[F_QA]);
		sw_ok(mf_tuf_set_delegated(&s, &w[0], &bytes, false, &err), &err);
		sw_ok(mf_tuf_set_unloaded(&s, MF_STR("outside"), 4, w, &n, &err), &err);
		assert_int_equal(n, 0);
		assert_false(
		    mf_tuf_loaded_touches(r.d, mf_tuf_set_find(&s, sw_role(&r, F_QA)), MF_STR("outside")));
		sw_ok(mf_tuf_set_unloaded(&s, MF_STR("qa/1"), 4, w, &n, &err), &err);
		assert_int_equal(n, 1);
		mf_tuf_set_clear(&s);
	}
}

static void check_no_paths(struct sw *r, struct mf_tuf_set *s)
{
	assert_int_equal(s->nroles, 1);
	(void)r;
}

static void role_without_paths_covers_nothing(void **state)
{
	static const struct sw_row rows[] = {
	    SET("", SW_BOTH, MF_OK, F_ROOT, F_TARGETS, "delegations roles 0 paths", NULL),
	    SET("", SW_BOTH, MF_OK, F_ROOT, F_TARGETS, "delegations roles 0 paths", "[]"),
	};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		with_set(&rows[i], SW_NOTARY, "", check_no_paths);
		with_set(&rows[i], SW_TUF1, "", check_no_paths);
	}
}

static void hash_prefix_of_qa_1(struct sw *r, json_t *j)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest digest;
	char hex[65];
	json_t *role = json_array_get(json_object_get(json_object_get(j, "delegations"), "roles"), 0);
	(void)r;
	sw_ok(mf_sha256(mf_bytes_of(MF_STR("qa/1")), &digest, &err), &err);
	mf_digest_hex(hex, &digest);
	assert_int_equal(json_object_del(role, "paths"), 0);
	json_t *list = json_pack("[s,s%]", "ffffffffff", hex, (size_t)6);
	assert_int_equal(json_object_set_new(role, "path_hash_prefixes", list), 0);
}

static void check_hashed(struct sw *r, struct mf_tuf_set *s)
{
	assert_true(covers(r, s, F_QA, "qa/1"));
	assert_false(covers(r, s, F_QA, "qa/2"));
}

static void path_hash_prefixes_are_of_the_names_sha256(void **state)
{
	static const struct sw_row row =
	    ROW("", SW_TUF1, MF_OK, F_ROOT, .file = F_TARGETS, .edit = hash_prefix_of_qa_1);
	(void)state;
	with_set(&row, SW_TUF1, "qa/1", check_hashed);
	with_set(&row, SW_NOTARY, "qa/1", only_top_is_loaded); /* there it is an unknown member */
}

/* ---- cycles, doubles, limits */

static void back_to_qa(struct sw *r, json_t *j)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	sw_put_delegation(r, F_QA, &b);
	assert_int_equal(json_object_set_new(j, "delegations", sw_load(mf_buf_str(&b))), 0);
}

static void check_three_roles(struct sw *r, struct mf_tuf_set *s)
{
	(void)r;
	assert_int_equal(s->nroles, 3);
}

static void cycle_of_delegations_ends(void **state)
{
	static const struct sw_row row = ROW("", SW_TUF1, MF_OK, F_ROOT, .file = F_DEEP, .edit = back_to_qa);
	(void)state;
	with_set(&row, SW_TUF1, "", check_three_roles);
}

static void list_qa_twice(struct sw *r, json_t *j)
{
	json_t *delegations = json_object_get(j, "delegations"),
	       *roles = json_object_get(delegations, "roles");
	json_t *second = json_deep_copy(json_array_get(roles, 0));
	assert_int_equal(json_object_set_new(json_object_get(delegations, "keys"), r->keys[K_STRANGER].id,
					     sw_load(mf_str_c(r->keys[K_STRANGER].object))),
			 0);
	json_t *ids = json_pack("[s]", r->keys[K_STRANGER].id);
	assert_int_equal(json_object_set_new(second, "keyids", ids), 0);
	assert_int_equal(json_array_append_new(roles, second), 0);
}

/* Notary's own client uses the first. */
static void role_listed_twice_is_refused_or_its_first_entry_counts(void **state)
{
	static const struct sw_row rows[] = {
	    ROW("TUF 1.0", SW_TUF1, MF_E_FORMAT, F_TARGETS, .file = F_TARGETS, .edit = list_qa_twice)};
	static const struct sw_row row =
	    ROW("", SW_NOTARY, MF_OK, F_ROOT, .file = F_TARGETS, .edit = list_qa_twice);
	(void)state;
	with_set(&row, SW_NOTARY, "", check_three_roles);
	sw_table(rows, SW_COUNT(rows));
}

/* targets lists the role below qa too, under narrower paths than qa gives it. */
static void targets_lists_deep(struct sw *r, json_t *j)
{
	json_t *delegations = json_object_get(j, "delegations");
	json_t *ids = json_pack("[s]", r->keys[K_DEEP].id);
	json_t *role = json_pack("{s:o,s:s,s:[s],s:b,s:i}", "keyids", ids, "name", sw_role(r, F_DEEP),
				 "paths", "other/*", "terminating", 0, "threshold", 1);
	assert_int_equal(json_object_set_new(json_object_get(delegations, "keys"), r->keys[K_DEEP].id,
					     sw_load(mf_str_c(r->keys[K_DEEP].object))),
			 0);
	assert_int_equal(json_array_append_new(json_object_get(delegations, "roles"), role), 0);
}

static void check_deep_for_both(struct sw *r, struct mf_tuf_set *s)
{
	bool by_qa = false, by_targets = false;
	assert_int_equal(s->nroles, 4);
	for (size_t i = 0; i < s->nroles; i++) {
		if (strcmp(s->roles[i]->role, sw_role(r, F_DEEP)) != 0)
			continue;
		by_qa |= mf_tuf_loaded_covers(s->d, s->roles[i], MF_STR("qa/deep/1"));
		by_targets |= mf_tuf_loaded_covers(s->d, s->roles[i], MF_STR("other/1"));
	}
	assert_true(by_qa && by_targets);
}

static void role_that_two_delegators_list_is_loaded_for_each(void **state)
{
	static const struct sw_row row =
	    ROW("", SW_TUF1, MF_OK, F_ROOT, .file = F_TARGETS, .edit = targets_lists_deep);
	(void)state;
	with_set(&row, SW_TUF1, "", check_deep_for_both);
}

static void more_delegations_than_allowed_are_refused(void **state)
{
	(void)state;
	for (unsigned which = SW_NOTARY; which <= SW_TUF1; which++) {
		struct sw r SW_CLEANUP = sw_new((enum sw_dialect)which);
		struct mf_tuf_set s;
		struct mf_tuf_edge w[2];
		struct mf_err err = MF_ERR_INIT;
		enum sw_file at;
		size_t n;
		struct mf_buf bytes MF_BUF_CLEANUP;
		sw_build(&r, NULL);
		sw_ok(sw_client(&r, &s, NULL, "top", &at, &err), &err);
		sw_ok(mf_tuf_set_unloaded(&s, MF_STR("qa/deep/1"), 1, w, &n, &err), &err);
		assert_int_equal(n, 1);
		sw_copy(&bytes, &r.bytes[F_QA]);
		sw_ok(mf_tuf_set_delegated(&s, &w[0], &bytes, false, &err), &err);
		assert_int_equal(mf_tuf_set_unloaded(&s, MF_STR("qa/deep/1"), 1, w, &n, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		mf_err_clear(&err);
		sw_ok(mf_tuf_set_unloaded(&s, MF_STR("qa/deep/1"), 2, w, &n, &err), &err);
		assert_int_equal(n, 1);
		mf_tuf_set_clear(&s);
	}
}

/* ---- broken and expired delegations */

static void broken_delegation_matters_only_where_its_paths_reach(void **state)
{
	static const struct sw_row rows[] = {
	    ROW("bad signature", SW_BOTH, MF_E_SIGNATURE, F_QA, .file = F_QA, .flip = 1),
	    SET("expired", SW_BOTH, MF_E_EXPIRED, F_QA, F_QA, "expires", "\"2026-01-01T00:00:00Z\""),
	    SET("malformed", SW_BOTH, MF_E_FORMAT, F_QA, F_QA, "targets", "[]"),
	};
	(void)state;
	for (size_t i = 0; i < SW_COUNT(rows) * 2; i++) {
		enum sw_dialect which = i % 2 ? SW_NOTARY : SW_TUF1;
		with_set(&rows[i / 2], which, "top", only_top_is_loaded);
		with_set(&rows[i / 2], which, "qb/", only_top_is_loaded);
		sw_try(&rows[i / 2], which, "qa/1");
		sw_try(&rows[i / 2], which, "q");
	}
}

static void expired_targets_may_be_loaded_for_signing(void **state)
{
	static const struct sw_row rows[] = {
	    SET("targets", SW_BOTH, MF_OK, F_ROOT, F_TARGETS, "expires", "\"2026-01-01T00:00:00Z\""),
	    SET("delegation", SW_BOTH, MF_OK, F_ROOT, F_QA, "expires", "\"2026-01-01T00:00:00Z\""),
	    SET("snapshot", SW_BOTH, MF_E_EXPIRED, F_SNAPSHOT, F_SNAPSHOT, "expires",
		"\"2026-01-01T00:00:00Z\""),
	    ROW("nothing", SW_BOTH, MF_OK, F_ROOT, .file = F_ROOT),
	};
	(void)state;
	for (size_t i = 0; i < SW_COUNT(rows) * 2; i++) {
		struct sw r SW_CLEANUP = sw_new(i % 2 ? SW_NOTARY : SW_TUF1);
		struct mf_tuf_set s;
		struct mf_err err = MF_ERR_INIT;
		enum sw_file at = F_ROOT;
		sw_build(&r, &rows[i / 2]);
		mf_tuf_set_init(&s, r.d, MF_STR(SW_GUN), SW_NOW, NULL);
		s.expired_ok = 1u << MF_TUF_TARGETS;
		int rc = sw_step_root(&r, &s, &err);
		for (enum sw_file f = F_TIMESTAMP; rc == 0 && f <= F_TARGETS; f = (enum sw_file)(f + 1))
			rc = sw_step(&r, &s, f, &err);
		if (rc == 0)
			rc = sw_step_delegations(&r, &s, "", &at, &err);
		assert_int_equal(err.code, rows[i / 2].code);
		assert_int_equal(s.expired, i / 2 < 2);
		mf_tuf_set_rewind(&s);
		assert_false(s.expired);
		mf_tuf_set_clear(&s);
	}
}

static void roles_that_are_too_large_together_are_refused(void **state)
{
	(void)state;
	for (int exact = 0; exact < 2; exact++) {
		struct sw r SW_CLEANUP = sw_new(SW_TUF1);
		struct mf_tuf_set s;
		struct mf_err err = MF_ERR_INIT;
		enum sw_file at = F_ROOT;
		size_t total = 0;
		sw_build(&r, NULL);
		for (enum sw_file f = F_TARGETS; f < F_COUNT; f = (enum sw_file)(f + 1))
			total += r.bytes[f].n;
		mf_tuf_set_init(&s, r.d, MF_STR(SW_GUN), SW_NOW, NULL);
		s.max_total = exact ? total : total - 1;
		int rc = sw_step_root(&r, &s, &err);
		for (enum sw_file f = F_TIMESTAMP; rc == 0 && f <= F_TARGETS; f = (enum sw_file)(f + 1))
			rc = sw_step(&r, &s, f, &err);
		if (rc == 0)
			rc = sw_step_delegations(&r, &s, "", &at, &err);
		assert_int_equal(err.code, exact ? MF_OK : MF_E_FORMAT);
		mf_tuf_set_clear(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(notary_paths_are_prefixes),
	    cmocka_unit_test(tuf_paths_are_globs_that_stop_at_slashes),
	    cmocka_unit_test(path_that_cannot_cover_a_prefix_does_not_touch_it),
	    cmocka_unit_test(notary_delegates_to_direct_children_only),
	    cmocka_unit_test(unusable_role_names_make_the_delegator_invalid),
	    cmocka_unit_test(role_covers_its_paths),
	    cmocka_unit_test(nested_paths_do_not_exceed_the_parents),
	    cmocka_unit_test(child_is_not_wanted_where_its_parent_may_not_be),
	    cmocka_unit_test(role_without_paths_covers_nothing),
	    cmocka_unit_test(path_hash_prefixes_are_of_the_names_sha256),
	    cmocka_unit_test(roles_that_are_too_large_together_are_refused),
	    cmocka_unit_test(cycle_of_delegations_ends),
	    cmocka_unit_test(role_that_two_delegators_list_is_loaded_for_each),
	    cmocka_unit_test(role_listed_twice_is_refused_or_its_first_entry_counts),
	    cmocka_unit_test(more_delegations_than_allowed_are_refused),
	    cmocka_unit_test(broken_delegation_matters_only_where_its_paths_reach),
	    cmocka_unit_test(expired_targets_may_be_loaded_for_signing),
	};
	return cmocka_run_group_tests_name("delegations", tests, NULL, NULL);
}
