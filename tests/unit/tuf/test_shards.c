/* A role that is spread over shards: whose signatures count, and which shards are loaded. */
#include "swizzle.h"

#include "base/limits.h"

/* ---- a valid one */

static void shard(struct sw *r)
{
	r->shard = true;
	r->shard_key = K_QA;
	r->signers[F_DEEP] = BIT(K_QA);
}

static void with_set(const struct sw_row *row, enum sw_dialect which, const char *const *subjects,
		     void (*check)(struct sw *r, struct mf_tuf_set *s))
{
	struct sw r SW_CLEANUP = sw_new(which);
	struct mf_tuf_set s;
	struct mf_err err = MF_ERR_INIT;
	enum sw_file at;
	sw_build(&r, row);
	mf_tuf_set_init(&s, r.d, MF_STR(SW_GUN), SW_NOW, NULL);
	sw_ok(sw_step_root(&r, &s, &err), &err);
	for (at = F_TIMESTAMP; at <= F_TARGETS; at = (enum sw_file)(at + 1))
		sw_ok(sw_step(&r, &s, at, &err), &err);
	s.subjects = subjects;
	sw_ok(sw_step_delegations(&r, &s, "", &at, &err), &err);
	check(&r, &s);
	mf_tuf_set_clear(&s);
}

static const struct sw_row valid = ROW("", SW_BOTH, MF_OK, F_ROOT, .prepare = shard);

static void check_one_role(struct sw *r, struct mf_tuf_set *s)
{
	assert_int_equal(s->nroles, 3);
	const struct mf_tuf_loaded *l = s->roles[2];
	assert_string_equal(l->role, sw_role(r, F_QA));
	assert_string_equal(mf_tuf_loaded_name(l), sw_role(r, F_DEEP));
	assert_ptr_equal(mf_tuf_loaded_owner(l), s->roles[1]);
	assert_ptr_equal(mf_tuf_set_find(s, sw_role(r, F_QA)), s->roles[1]);
	assert_ptr_equal(mf_tuf_set_find_file(s, sw_role(r, F_DEEP)), l);
	assert_int_equal(mf_tuf_role_entries(s, s->roles[1]), 4);
	assert_int_equal(mf_tuf_role_expires(s, s->roles[1]), s->roles[1]->file->expires);
	l->file->expires--;
	const int64_t until = l->file->expires;
	assert_int_equal(mf_tuf_role_expires(s, s->roles[1]), until);
	assert_true(mf_tuf_loaded_covers(r->d, l, MF_STR("qa/sha256-0123")));
	assert_false(mf_tuf_loaded_covers(r->d, l, MF_STR("qa/sha256-1023")));
	assert_false(mf_tuf_loaded_covers(r->d, l, MF_STR("scan/sha256-0123")));
	mf_tuf_set_drop_shards(s);
	assert_int_equal(s->nroles, 2);
	assert_int_equal(mf_tuf_role_expires(s, s->roles[1]), until);
}

static void shard_is_a_part_of_its_role(void **state)
{
	(void)state;
	with_set(&valid, SW_NOTARY, NULL, check_one_role);
	with_set(&valid, SW_TUF1, NULL, check_one_role);
}

static void check_not_loaded(struct sw *r, struct mf_tuf_set *s)
{
	static const char *const other[] = {"1f", NULL}, *const ours[] = {"1f", "0123", NULL};
	struct mf_tuf_edge w[8];
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP;
	size_t n;
	assert_int_equal(s->nroles, 2);
	sw_ok(mf_tuf_set_unloaded_shards(s, other, w, &n, &err), &err);
	assert_int_equal(n, 0);
	sw_ok(mf_tuf_set_unloaded_shards(s, ours, w, &n, &err), &err);
	assert_int_equal(n, 1);
	assert_string_equal(w[0].role->name, sw_role(r, F_DEEP));
	sw_copy(&bytes, &r->bytes[F_DEEP]);
	sw_ok(mf_tuf_set_delegated(s, &w[0], &bytes, false, &err), &err);
	sw_ok(mf_tuf_set_unloaded_shards(s, ours, w, &n, &err), &err);
	assert_int_equal(n, 0);
}

static void shard_is_loaded_for_its_subjects_only(void **state)
{
	static const char *const other[] = {"1f", NULL}, *const none[] = {NULL}, *const ours[] = {"01", NULL};
	(void)state;
	for (int i = 0; i < 2; i++) {
		enum sw_dialect which = i ? SW_NOTARY : SW_TUF1;
		with_set(&valid, which, other, check_not_loaded);
		with_set(&valid, which, none, check_not_loaded);
		with_set(&valid, which, ours, check_one_role);
	}
}

/* ---- attacks */

static void by_delegate(struct sw *r)
{
	shard(r);
	r->shard_key = K_DEEP;
	r->signers[F_DEEP] = BIT(K_DEEP);
}

/* The role had this key once, and lists it for its shard still. */
static void by_old_key(struct sw *r)
{
	shard(r);
	r->shard_key = K_STRANGER;
	r->signers[F_DEEP] = BIT(K_STRANGER);
}

static void delegates(struct sw *r, json_t *j)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_err err = MF_ERR_INIT;
	const struct sw_key *k = &r->keys[K_QA];
	bool tuf1 = r->which == SW_TUF1;
	sw_ok(mf_buf_printf(&b, &err,
			    "{\"keys\":{\"%s\":%s},\"roles\":[{\"keyids\":[\"%s\"],\"name\":\"%s%s\","
			    "\"paths\":[\"qa/sha256-00%s\"],%s\"threshold\":1}]}",
			    k->id, k->object, k->id, sw_role(r, F_DEEP), tuf1 ? "._h00" : "/_h00",
			    tuf1 ? "*" : "", tuf1 ? "\"terminating\":false," : ""),
	      &err);
	assert_int_equal(json_object_set_new(j, "delegations", sw_load(mf_buf_str(&b))), 0);
}

static void overlaps(struct sw *r, json_t *j)
{
	bool tuf1 = r->which == SW_TUF1;
	json_t *roles = json_object_get(json_object_get(j, "delegations"), "roles");
	json_t *second = json_deep_copy(json_array_get(roles, 0));
	assert_int_equal(
	    json_object_set_new(second, "name", json_string(tuf1 ? "qa._h0f" : "targets/qa/_h0f")), 0);
	assert_int_equal(
	    json_object_set_new(second, "paths", json_pack("[s]", tuf1 ? "qa/sha256-0f*" : "qa/sha256-0f")),
	    0);
	assert_int_equal(json_array_append_new(roles, second), 0);
}

/* The role needs two signatures, and lists its shard with one of the keys. */
static void by_one_of_two(struct sw *r)
{
	shard(r);
	r->signers[F_QA] = BIT(K_QA) | BIT(K_STRANGER);
}

static void needs_two(struct sw *r, json_t *j)
{
	const struct sw_key *k = &r->keys[K_STRANGER];
	json_t *delegations = json_object_get(j, "delegations");
	json_t *role = json_array_get(json_object_get(delegations, "roles"), 0);
	assert_int_equal(
	    json_object_set_new(json_object_get(delegations, "keys"), k->id, sw_load(mf_str_c(k->object))),
	    0);
	assert_int_equal(json_array_append_new(json_object_get(role, "keyids"), json_string(k->id)), 0);
	assert_int_equal(json_object_set_new(role, "threshold", json_integer(2)), 0);
}

/* One key signs all shards of a role, and on a Notary server a file does not say whose it is. */
static void of_another_shard(struct sw *r, json_t *j)
{
	json_t *targets = json_object_get(j, "targets"), *entry = json_object_get(targets, "outside");
	(void)r;
	assert_int_equal(
	    json_object_set(targets,
			    "qa/sha256-1000000000000000000000000000000000000000000000000000000000"
			    "000000",
			    entry),
	    0);
}

static const struct sw_row attacks[] = {
    ROW("another shard's file", SW_BOTH, MF_E_FORMAT, F_DEEP, .prepare = shard, .file = F_DEEP,
	.edit = of_another_shard),
    ROW("by fewer keys than the role needs", SW_BOTH, MF_E_SIGNATURE, F_DEEP, .prepare = by_one_of_two,
	.file = F_TARGETS, .edit = needs_two),
    ROW("by a delegate only", SW_BOTH, MF_E_SIGNATURE, F_DEEP, .prepare = by_delegate),
    ROW("by an old key of the role", SW_BOTH, MF_E_SIGNATURE, F_DEEP, .prepare = by_old_key),
    ROW("a shard of a shard", SW_BOTH, MF_E_FORMAT, F_DEEP, .prepare = shard, .file = F_DEEP,
	.edit = delegates),
    ROW("missing", SW_NOTARY, MF_E_FORMAT, F_QA, .prepare = shard, .file = F_SNAPSHOT,
	.set = "meta targets/qa/_h0"),
    ROW("missing", SW_TUF1, MF_E_FORMAT, F_QA, .prepare = shard, .file = F_SNAPSHOT,
	.set = "meta qa._h0.json"),
    ROW("rolled back", SW_NOTARY, MF_E_ROLLBACK, F_DEEP, .prepare = shard, .floor = "targets/qa/_h0",
	.floor_version = 6),
    ROW("rolled back", SW_TUF1, MF_E_ROLLBACK, F_SNAPSHOT, .prepare = shard, .floor = "qa._h0",
	.floor_version = 6),
    ROW("missing, seen before", SW_NOTARY, MF_E_ROLLBACK, F_QA, .prepare = shard, .file = F_SNAPSHOT,
	.set = "meta targets/qa/_h0", .floor = "targets/qa/_h0", .floor_version = 1),
};

static void shards_of_others_are_refused(void **state)
{
	(void)state;
	sw_table(attacks, SW_COUNT(attacks));
}

static void shard_of_targets_needs_a_key_of_the_root(void **state)
{
	struct sw r SW_CLEANUP = sw_new(SW_NOTARY);
	struct mf_tuf_set s;
	struct mf_err err = MF_ERR_INIT;
	struct mf_str path = MF_STR("qa/sha256-0");
	struct mf_buf bytes MF_BUF_CLEANUP;
	(void)state;
	sw_build(&r, NULL);
	mf_tuf_set_init(&s, r.d, MF_STR(SW_GUN), SW_NOW, NULL);
	sw_ok(sw_step_root(&r, &s, &err), &err);
	for (enum sw_file at = F_TIMESTAMP; at <= F_TARGETS; at = (enum sw_file)(at + 1))
		sw_ok(sw_step(&r, &s, at, &err), &err);
	for (size_t i = 0; i < s.snapshot->nmeta; i++)
		if (mf_str_eqz(s.snapshot->meta[i].name, "targets/qa"))
			s.snapshot->meta[i].name = MF_STR("targets/_h0");
	/* Its delegate's key has signed it, and `targets` lists it with that key. */
	struct mf_tuf_role role = s.roles[0]->file->roles[0];
	role.name = "targets/_h0";
	role.paths = &path;
	const struct mf_tuf_edge edge = {s.roles[0], &role};
	sw_copy(&bytes, &r.bytes[F_QA]);
	assert_int_equal(mf_tuf_set_delegated(&s, &edge, &bytes, true, &err), -1);
	assert_int_equal(err.code, MF_E_SIGNATURE);
	mf_tuf_set_clear(&s);
}

/* The second one is not needed for the subject, and not in the snapshot either. */
static void two_shards_for_one_subject_are_refused(void **state)
{
	static const struct sw_row row =
	    ROW("", SW_BOTH, MF_OK, F_ROOT, .prepare = shard, .file = F_QA, .edit = overlaps);
	static const char *const ours[] = {"01", NULL};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct sw r SW_CLEANUP = sw_new(i ? SW_NOTARY : SW_TUF1);
		struct mf_tuf_set s;
		struct mf_err err = MF_ERR_INIT;
		enum sw_file at;
		sw_build(&r, &row);
		mf_tuf_set_init(&s, r.d, MF_STR(SW_GUN), SW_NOW, NULL);
		sw_ok(sw_step_root(&r, &s, &err), &err);
		for (at = F_TIMESTAMP; at <= F_TARGETS; at = (enum sw_file)(at + 1))
			sw_ok(sw_step(&r, &s, at, &err), &err);
		s.subjects = ours;
		assert_int_equal(sw_step_delegations(&r, &s, "", &at, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		assert_int_equal(at, F_QA);
		mf_tuf_set_clear(&s);
	}
}

static void check_two_roles(struct sw *r, struct mf_tuf_set *s)
{
	(void)r;
	assert_int_equal(s->nroles, 2);
}

/* It is in the snapshot, and its role no longer lists it. */
static void unlisted_shard_is_not_loaded(void **state)
{
	static const struct sw_row row =
	    ROW("", SW_BOTH, MF_OK, F_ROOT, .prepare = shard, .file = F_QA, .set = "delegations roles 0");
	(void)state;
	with_set(&row, SW_NOTARY, NULL, check_two_roles);
	with_set(&row, SW_TUF1, NULL, check_two_roles);
}

static void check_divided(struct sw *r, struct mf_tuf_set *s)
{
	const struct mf_tuf_loaded *l = s->roles[1];
	assert_int_equal(s->nroles, 2);
	assert_int_equal(l->file->nroles, 1);
	assert_true(mf_tuf_is_shard(r->d, l, &l->file->roles[0]));
	assert_int_equal(mf_tuf_shard_digits(r->d, l->role, &l->file->roles[0]).n, 0);
}

/* It is listed without paths, and not read. */
static void divided_shard_is_no_role(void **state)
{
	static const struct sw_row row = ROW("", SW_BOTH, MF_OK, F_ROOT, .prepare = shard, .file = F_QA,
					     .set = "delegations roles 0 paths", .value = "[]");
	(void)state;
	with_set(&row, SW_NOTARY, NULL, check_divided);
	with_set(&row, SW_TUF1, NULL, check_divided);
}

/* ---- how many */

enum { ALL_SHARDS = 4096, OWNERS = 2 };
struct crowd {
	struct mf_tuf_file snapshot, files[OWNERS];
	struct mf_tuf_meta meta[OWNERS * ALL_SHARDS];
	struct mf_tuf_role owners[OWNERS], shards[OWNERS][ALL_SHARDS];
	struct mf_str all, paths[ALL_SHARDS];
	char names[OWNERS][ALL_SHARDS][8], texts[ALL_SHARDS][24];
	struct mf_tuf_loaded top, loaded[OWNERS], *roles[OWNERS];
	struct mf_tuf_set set;
};

/* Two roles with all the shards that there can be. */
static struct crowd *crowd_new(void)
{
	struct crowd *c = calloc(1, sizeof *c);
	assert_non_null(c);
	c->all = MF_STR("note/*");
	c->top.role = "targets";
	for (size_t i = 0; i < OWNERS; i++) {
		c->owners[i] = (struct mf_tuf_role){.name = i ? "b" : "a", .paths = &c->all, .npaths = 1};
		c->files[i].roles = c->shards[i];
		c->files[i].nroles = ALL_SHARDS;
		c->loaded[i] = (struct mf_tuf_loaded){.role = c->owners[i].name,
						      .file = &c->files[i],
						      .delegation = &c->owners[i],
						      .parent = &c->top};
		c->roles[i] = &c->loaded[i];
		for (size_t k = 0; k < ALL_SHARDS; k++) {
			(void)snprintf(c->names[i][k], sizeof c->names[i][k], "%s._h%03zx", c->owners[i].name,
				       k);
			(void)snprintf(c->texts[k], sizeof c->texts[k], "note/sha256-%03zx*", k);
			c->paths[k] = mf_str_c(c->texts[k]);
			c->shards[i][k] =
			    (struct mf_tuf_role){.name = c->names[i][k], .paths = &c->paths[k], .npaths = 1};
			c->meta[i * ALL_SHARDS + k].name = mf_str_c(c->names[i][k]);
		}
	}
	c->snapshot.meta = c->meta;
	c->snapshot.nmeta = OWNERS * ALL_SHARDS;
	c->set = (struct mf_tuf_set){.d = &mf_dialect_tuf1, .snapshot = &c->snapshot, .roles = c->roles};
	return c;
}

static void shards_count_for_the_memory_and_not_as_roles(void **state)
{
	struct crowd *c = crowd_new();
	struct mf_tuf_edge *v = calloc(MF_MAX_DELEGATIONS_LIST + 1, sizeof *v);
	struct mf_err err = MF_ERR_INIT;
	static const char *const subjects[] = {"0", "1", NULL};
	size_t n;
	(void)state;
	assert_non_null(v);
	c->set.nroles = 1;
	sw_ok(mf_tuf_set_unloaded(&c->set, MF_STR("note/"), 1, v, &n, &err), &err);
	assert_int_equal(n, ALL_SHARDS);
	c->set.nroles = OWNERS;
	assert_int_equal(mf_tuf_set_unloaded(&c->set, MF_STR("note/"), 2, v, &n, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	mf_err_clear(&err);
	c->set.subjects = subjects;
	sw_ok(mf_tuf_set_unloaded(&c->set, MF_STR("note/"), 2, v, &n, &err), &err);
	assert_int_equal(n, OWNERS * ALL_SHARDS / 8);
	sw_ok(mf_tuf_set_unloaded_shards(&c->set, subjects, v, &n, &err), &err);
	assert_int_equal(n, OWNERS * ALL_SHARDS / 8);
	free(v);
	free(c);
}

/* ---- names and paths */

struct form {
	const char *name;
	const char *paths[2];
	bool terminating;
	const char *digits; /* "": an ordinary role */
};

static void only_the_very_form_is_a_shard(void **state)
{
	static const struct form rows[] = {
	    {"qa._h0", {"qa/sha256-0*"}, false, "0"},
	    {"qa._hfff", {"qa/sha256-fff*", "scan/sha256-fff*"}, false, "fff"},
	    {"qa._hffff", {"qa/sha256-ffff*"}, false, ""}, /* more than the limit */
	    {"qa._h", {"qa/sha256-*"}, false, ""},
	    {"qa._hF", {"qa/sha256-F*"}, false, ""},
	    {"qa._hg", {"qa/sha256-g*"}, false, ""},
	    {"qa_h0", {"qa/sha256-0*"}, false, ""},
	    {"qb._h0", {"qa/sha256-0*"}, false, ""},
	    {"qa._h0", {"qa/sha256-1*"}, false, ""},
	    {"qa._h0", {"qa/sha256-0*", "qa/*"}, false, ""},
	    {"qa._h0", {"qa/sha256-0"}, false, ""},
	    {"qa._h0", {"/sha256-0*"}, false, ""},
	    {"qa._h0", {"qa/sha512-0*"}, false, ""},
	    {"qa._h0", {"Qa/sha256-0*"}, false, ""},
	    {"qa._h0", {NULL}, false, ""},
	    {"qa._h0", {"qa/sha256-0*"}, true, ""},
	};
	(void)state;
	for (size_t i = 0; i < SW_COUNT(rows); i++) {
		struct mf_str paths[2];
		struct mf_tuf_role role = {
		    .name = rows[i].name, .paths = paths, .terminating = rows[i].terminating};
		for (; role.npaths < 2 && rows[i].paths[role.npaths]; role.npaths++)
			paths[role.npaths] = mf_str_c(rows[i].paths[role.npaths]);
		if (!mf_str_eqz(mf_tuf_shard_digits(&mf_dialect_tuf1, "qa", &role), rows[i].digits))
			fail_msg("row %zu: '%s'", i, rows[i].name);
		assert_int_equal(mf_tuf_shard_divided(&mf_dialect_tuf1, "qa", &role), role.npaths == 0);
	}
	struct mf_str prefix = MF_STR("00");
	const struct mf_tuf_role by_hash = {.name = "qa._h0", .hash_prefixes = &prefix, .nhash_prefixes = 1};
	assert_false(mf_tuf_shard_divided(&mf_dialect_tuf1, "qa", &by_hash));
}

static void shard_is_wanted_for_subjects_and_for_their_first_digits(void **state)
{
	static const char *const subjects[] = {"1", "23", NULL};
	(void)state;
	assert_true(mf_tuf_shard_wanted(MF_STR("1"), subjects));
	assert_true(mf_tuf_shard_wanted(MF_STR("1f"), subjects));
	assert_true(mf_tuf_shard_wanted(MF_STR("2"), subjects));
	assert_false(mf_tuf_shard_wanted(MF_STR("24"), subjects));
	assert_false(mf_tuf_shard_wanted(MF_STR("0"), subjects));
}

static void range_of_digits(const char *digits, size_t first, size_t n)
{
	size_t at;
	assert_int_equal(mf_tuf_shard_range(mf_str_c(digits), &at), n);
	if (n)
		assert_int_equal(at, first);
}

static void digits_are_a_range_of_subjects(void **state)
{
	(void)state;
	range_of_digits("", 0, 0);
	range_of_digits("0", 0, 256);
	range_of_digits("f", 15 * 256, 256);
	range_of_digits("0f", 15 * 16, 16);
	range_of_digits("abc", 0xabc, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shard_is_a_part_of_its_role),
	    cmocka_unit_test(shard_is_loaded_for_its_subjects_only),
	    cmocka_unit_test(shards_of_others_are_refused),
	    cmocka_unit_test(shard_of_targets_needs_a_key_of_the_root),
	    cmocka_unit_test(two_shards_for_one_subject_are_refused),
	    cmocka_unit_test(unlisted_shard_is_not_loaded),
	    cmocka_unit_test(divided_shard_is_no_role),
	    cmocka_unit_test(shards_count_for_the_memory_and_not_as_roles),
	    cmocka_unit_test(only_the_very_form_is_a_shard),
	    cmocka_unit_test(shard_is_wanted_for_subjects_and_for_their_first_digits),
	    cmocka_unit_test(digits_are_a_range_of_subjects),
	};
	return cmocka_run_group_tests_name("shards", tests, NULL, NULL);
}
