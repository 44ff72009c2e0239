/* Other keys for top-level roles: what is signed by whom, in which order it goes out, and what readers make
 * of it who knew the old keys. */
#include "team.h"

static struct mf_role_request rotate(const char *role, struct mf_pubkey *const *old, size_t nold,
				     struct mf_pubkey *const *keys, size_t nkeys)
{
	return (struct mf_role_request){
	    .verb = MF_ROLE_ROTATE, .role = role, .old = old, .nold = nold, .keys = keys, .nkeys = nkeys};
}

static struct mf_pubkey *root_key(struct team *t)
{
	return make_key(&t->w, "alice-root");
}

static bool lists(struct team *t, const char *role, const struct mf_pubkey *pub)
{
	return mf_tuf_role_has_key(mf_publish_top_role(mf_trust_set(t->w.trust)->root, role), pub);
}

/* The key's file goes, as on a machine where it never was. */
static void lose(struct team *t, const char *name)
{
	struct mf_err err = MF_ERR_INIT;
	char file[80], *keys = mf_path_join(t->w.dir, "keys", NULL);
	(void)snprintf(file, sizeof file, "%s.key", name);
	remove_in(keys, file);
	mf_trust_close(t->w.trust);
	t->w.trust = NULL;
	mf_keystore_free(t->w.keys);
	t->w.keys = mf_keystore_new(keys, &t->w.pass, &t->w.env, &err);
	t->w.cfg.keys = t->w.keys;
	free(keys);
	reopen(&t->w);
}

static void a_root_key_is_replaced_by_old_and_new_signatures(void **state)
{
	struct team t;
	team_make(&t, state);
	watch(&t);
	struct mf_pubkey *old = root_key(&t);
	does(&t, rotate("root", &old, 1, &t.bob, 1), MF_FOUND);
	assert_string_equal(order, "root"); /* nothing else is signed by it */
	assert_true(lists(&t, "root", t.bob));
	assert_false(lists(&t, "root", old));
	const struct mf_tuf_file *root = mf_trust_set(t.w.trust)->root;
	assert_int_equal(root->version, 2);
	assert_int_equal(root->nsignatures, 2);
	/* A reader with the pin of the first root. */
	assert_int_equal(load_how(&t.w, false, ""), MF_OK);
	mf_pubkey_unref(old);
	team_drop(&t);
}

/* Otherwise whoever pinned the key that did not sign would refuse the root. */
static void every_root_key_that_is_here_signs_the_root(void **state)
{
	struct team t;
	team_make(&t, state);
	does(&t, rotate("root", NULL, 0, &t.bob, 1), MF_FOUND);
	assert_int_equal(mf_trust_set(t.w.trust)->root->nsignatures, 2);
	does(&t, rotate("root", NULL, 0, &t.carol, 1), MF_FOUND);
	assert_int_equal(mf_trust_set(t.w.trust)->root->nsignatures, 3);
	team_drop(&t);
}

static void what_the_targets_key_signed_is_signed_by_the_new_one(void **state)
{
	struct team t;
	team_make(&t, state);
	put_as(&t, "targets", "alice");
	watch(&t);
	does(&t, rotate("targets", &t.alice, 1, &t.bob, 1), MF_FOUND);
	assert_string_equal(order, "targets snapshot timestamp root");
	assert_true(told(&t, "signed anew"));
	assert_true(told(&t, "writer added"));
	assert_true(told(&t, "writer removed"));
	static const char *const roles[] = {"targets", "snapshot", "timestamp"};
	for (size_t i = 0; i < 3; i++) {
		assert_true(lists(&t, roles[i], t.bob));
		assert_false(lists(&t, roles[i], t.alice));
	}
	/* Until the root is there, readers hold the old one. */
	remove_in(t.w.repo, "2.root.json");
	forget_floors(&t.w);
	assert_int_equal(load_how(&t.w, false, ""), MF_OK);
	team_drop(&t);
}

static void a_key_that_is_added_costs_no_signature(void **state)
{
	struct team t;
	team_make(&t, state);
	put_as(&t, "targets", "alice");
	int64_t before = mf_tuf_set_find(mf_trust_set(t.w.trust), "targets")->file->version;
	does(&t, rotate("targets", NULL, 0, &t.bob, 1), MF_FOUND);
	assert_true(lists(&t, "targets", t.alice));
	assert_true(lists(&t, "targets", t.bob));
	assert_false(told(&t, "signed anew"));
	assert_int_equal(mf_tuf_set_find(mf_trust_set(t.w.trust), "targets")->file->version, before);
	team_drop(&t);
}

/* The old key cannot sign what readers of the old root would accept: the root goes first. */
static void a_lost_key_is_replaced_with_the_root_first(void **state)
{
	struct team t;
	team_make(&t, state);
	put_as(&t, "targets", "alice");
	lose(&t, "alice");
	watch(&t);
	does(&t, rotate("targets", &t.alice, 1, &t.bob, 1), MF_FOUND);
	assert_string_equal(order, "root targets snapshot timestamp");
	assert_int_equal(load_how(&t.w, false, ""), MF_OK);
	team_drop(&t);
}

static void what_cannot_be_signed_here_is_refused_before_anything_is(void **state)
{
	struct team t;
	team_make(&t, state);
	struct mf_pubkey *old = root_key(&t);
	lose(&t, "alice-root");
	struct mf_role_request root = rotate("root", &old, 1, &t.bob, 1),
			       targets = rotate("targets", &t.alice, 1, &t.bob, 1);
	const struct mf_role_change dry = {.n = 1, .dry_run = true, .check_keys = true};
	for (int i = 0; i < 2; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_role_change c = dry;
		c.requests = i ? &targets : &root;
		assert_int_equal(run_all(&t, c, &err), MF_FAILED);
		assert_int_equal(err.code, MF_E_KEY);
	}
	mf_pubkey_unref(old);
	team_drop(&t);
}

static void no_role_is_left_with_too_few_keys(void **state)
{
	struct team t;
	team_make(&t, state);
	struct mf_pubkey *old = root_key(&t);
	static const char *const roles[] = {"root", "targets", "snapshot", "timestamp"};
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(refuses(&t, rotate(roles[i], i ? &t.alice : &old, 1, NULL, 0)), MF_E_USAGE);
	assert_int_equal(refuses(&t, rotate("targets", &t.bob, 1, &t.carol, 1)), MF_E_NOT_FOUND);
	mf_pubkey_unref(old);
	team_drop(&t);
}

/* A change of several roles is one publish: a key leaves a team, targets and those who publish together. */
static void a_key_leaves_all_roles_in_one_publish(void **state)
{
	struct team t;
	team_make(&t, state);
	struct mf_pubkey *const two[] = {t.alice, t.bob};
	does(&t, add("qa", two, 2), MF_FOUND);
	does(&t, rotate("targets", NULL, 0, &t.bob, 1), MF_FOUND);
	const struct mf_role_request r[] = {
	    rotate("targets", &t.alice, 1, NULL, 0), rotate("snapshot", &t.alice, 1, NULL, 0),
	    rotate("timestamp", &t.alice, 1, NULL, 0), rotate("qa", &t.alice, 1, NULL, 0)};
	struct mf_err err = MF_ERR_INIT;
	int64_t root = mf_trust_set(t.w.trust)->root->version;
	ok(run_all(&t, (struct mf_role_change){.requests = r, .n = 4}, &err), &err);
	assert_int_equal(mf_trust_set(t.w.trust)->root->version, root + 1);
	static const char *const roles[] = {"targets", "snapshot", "timestamp"};
	for (size_t i = 0; i < 3; i++)
		assert_false(lists(&t, roles[i], t.alice));
	assert_false(mf_tuf_role_has_key(mf_publish_find_role(mf_trust_set(t.w.trust), "qa"), t.alice));
	team_drop(&t);
}

#define T(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_root_key_is_replaced_by_old_and_new_signatures),
	    T(every_root_key_that_is_here_signs_the_root),
	    T(what_the_targets_key_signed_is_signed_by_the_new_one),
	    T(a_key_that_is_added_costs_no_signature),
	    T(a_lost_key_is_replaced_with_the_root_first),
	    T(what_cannot_be_signed_here_is_refused_before_anything_is),
	    T(no_role_is_left_with_too_few_keys),
	    T(a_key_leaves_all_roles_in_one_publish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
