/* What somebody can do who holds the online keys, the network, the cache, or a root key that was rotated away. */
#include "hostile.h"

#include "policy/policy.h"

#define HEX "00000000000000000000000000000000000000000000000000000000000000"
#define SUBJECT_NAME "qa/sha256-07" HEX
#define RECORD "{\"custom\":{\"manifesto\":{\"v\":1}},\"hashes\":{\"sha256\":\"11" HEX "\"},\"length\":7}"
#define TOMBSTONE "{\"custom\":{\"manifesto\":{\"v\":1,\"withdrawn\":{}}},\"hashes\":{\"sha256\":\"12" HEX "\"},\"length\":7}"

static enum mf_code select_qa(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	struct mf_digest subject = {{7}};
	return mf_policy_select(mf_trust_set(w->trust), MF_STR("qa"), &subject, NULL, &e, &err) < 0 ? err.code : MF_OK;
}

static enum mf_code list_all(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_entries e MF_ENTRIES_CLEANUP = {0};
	return mf_policy_list(mf_trust_set(w->trust), NULL, NULL, &e, &err) < 0 ? err.code : MF_OK;
}

/* ---- names spelled with escapes: signatures are over the canonical form, so whoever signs the snapshot chooses the spelling */

static void tombstone_whose_name_is_respelled_still_withdraws_or_fails(void **state)
{
	struct world w;
	world_make(&w, state);
	struct hkey root = key_new(), online = key_new(), *rs[] = {&root}, a = key_new(), b = key_new();
	char delegations[2048];
	(void)snprintf(delegations, sizeof delegations,
		       "{\"keys\":{\"%s\":%s,\"%s\":%s},\"roles\":["
		       "{\"keyids\":[\"%s\"],\"name\":\"a\",\"paths\":[\"qa/*\"],\"terminating\":false,\"threshold\":1},"
		       "{\"keyids\":[\"%s\"],\"name\":\"b\",\"paths\":[\"qa/*\"],\"terminating\":false,\"threshold\":1}]}",
		       strcmp(a.id, b.id) < 0 ? a.id : b.id, strcmp(a.id, b.id) < 0 ? a.object.p : b.object.p,
		       strcmp(a.id, b.id) < 0 ? b.id : a.id, strcmp(a.id, b.id) < 0 ? b.object.p : a.object.p, a.id, b.id);
	struct hrole roles[] = {
		{.role = "targets", .version = 1, .key = &online, .delegations = delegations},
		{.role = "a", .version = 1, .key = &a, .targets = "\"" SUBJECT_NAME "\":" RECORD},
		{.role = "b", .version = 1, .key = &b, .targets = "\"" SUBJECT_NAME "\":" TOMBSTONE},
	};
	write_root(&w, 1, &root, &online, rs, 1);
	write_all(&w, roles, 3, 1, &online);
	pin(&w, &root.fp);
	assert_int_equal(load_how(&w, false, "qa/"), MF_OK);
	assert_int_equal(select_qa(&w), MF_E_WITHDRAWN);
	roles[2].from = "qa/sha256";
	roles[2].to = "q\\u0061/sha256";
	write_all(&w, roles, 3, 2, &online);
	assert_int_equal(load_how(&w, false, "qa/"), MF_OK);
	enum mf_code c = select_qa(&w);
	assert_true(c == MF_E_WITHDRAWN || c == MF_E_FORMAT);
	c = list_all(&w);
	assert_int_equal(c, MF_E_FORMAT);
	key_drop(&root);
	key_drop(&online);
	key_drop(&a);
	key_drop(&b);
	world_drop(&w);
}

/* ---- the continuity rule */

static void chain_too_long_to_reach_the_last_trusted_root_is_refused(void **state)
{
	struct world w;
	world_make(&w, state);
	struct hkey old = key_new(), new = key_new(), online = key_new(), evil = key_new();
	struct hkey *one[] = {&old}, *both[] = {&old, &new};
	write_root(&w, 1, &old, &online, one, 1);
	write_root(&w, 2, &new, &online, both, 2);
	write_rest(&w, 1, &online);
	pin(&w, &old.fp);
	assert_int_equal(load_how(&w, true, ""), MF_OK);
	/* Years later somebody finds the old key, and continues a chain of its own from a version far ahead. */
	for (int64_t v = 3; v <= 300; v++)
		write_root(&w, v, &old, &evil, one, 1);
	write_rest(&w, 1, &evil);
	remove_in(w.repo, "2.root.json");
	assert_int_not_equal(load_how(&w, true, ""), MF_OK);
	key_drop(&old);
	key_drop(&new);
	key_drop(&online);
	key_drop(&evil);
	world_drop(&w);
}

/* ---- the cache */

static void roots_that_failed_to_verify_do_not_spoil_later_runs(void **state)
{
	struct world w;
	world_make(&w, state);
	struct hkey a = key_new(), b = key_new(), online = key_new(), evil = key_new();
	struct hkey *first[] = {&a}, *second[] = {&a, &b}, *third[] = {&b}, *bad[] = {&evil};
	write_root(&w, 1, &a, &online, first, 1);
	write_root(&w, 2, &evil, &online, bad, 1); /* the attack */
	write_root(&w, 3, &b, &online, third, 1);
	write_rest(&w, 1, &online);
	pin(&w, &a.fp);
	assert_int_equal(load_how(&w, true, ""), MF_E_SIGNATURE);
	write_root(&w, 2, &b, &online, second, 2); /* it has ended */
	write_root(&w, 3, &b, &online, third, 1);
	assert_int_equal(load_how(&w, true, ""), MF_OK);
	key_drop(&a);
	key_drop(&b);
	key_drop(&online);
	key_drop(&evil);
	world_drop(&w);
}

static void poisoned_step_of_the_root_chain_in_the_cache_is_fetched_anew(void **state)
{
	struct world w;
	world_make(&w, state);
	struct hkey a = key_new(), b = key_new(), online = key_new();
	struct hkey *first[] = {&a}, *second[] = {&a, &b}, *third[] = {&b};
	write_root(&w, 1, &a, &online, first, 1);
	write_root(&w, 2, &b, &online, second, 2);
	write_root(&w, 3, &b, &online, third, 1);
	write_rest(&w, 1, &online);
	pin(&w, &a.fp);
	mf_cache_put(w.cache, NAME, "root", 2, mf_bytes_of(MF_STR("{}")));
	assert_int_equal(load_how(&w, true, ""), MF_OK);
	key_drop(&a);
	key_drop(&b);
	key_drop(&online);
	world_drop(&w);
}

static void attack_and_then_silence_is_not_absence(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	world_make(&w, state);
	struct hkey a = key_new(), online = key_new(), *as[] = {&a};
	write_root(&w, 1, &a, &online, as, 1);
	write_rest(&w, 1, &online);
	ok(mf_pin_store(w.home, "oci:*", &a.fp, 1, 1, &w.env, &err), &err);
	assert_int_equal(load_how(&w, true, ""), MF_OK);
	forget_floors(&w); /* a home that cannot be written has none */
	write_in(w.repo, "timestamp.json", MF_STR("{}"));
	remove_in(w.repo, "root.json");
	enum mf_code c = load_how(&w, true, "");
	assert_true(c == MF_E_GONE || c == MF_E_FORMAT);
	key_drop(&a);
	key_drop(&online);
	world_drop(&w);
}

/* ---- floors */

/* A set as the loader leaves it, with n delegated roles of long names. */
static void floors_of_many_long_names_can_be_read_again(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	world_make(&w, state);
	struct hkey a = key_new(), online = key_new(), *as[] = {&a};
	write_root(&w, 1, &a, &online, as, 1);
	write_rest(&w, 1, &online);
	pin(&w, &a.fp);
	assert_int_equal(load_how(&w, false, ""), MF_OK);
	struct mf_tuf_set set = w.trust->set;
	enum { N = MF_MAX_DELEGATIONS_LIST };
	struct mf_tuf_loaded *v = calloc(N, sizeof *v), **p = calloc(N, sizeof(struct mf_tuf_loaded *));
	char(*names)[256] = calloc(N, 256);
	assert_true(v && p && names);
	for (size_t i = 0; i < N; i++) {
		memset(names[i], 1, 255); /* one octet here, six as JSON */
		(void)snprintf(names[i], 8, "%07zu", i);
		names[i][7] = 'x';
		v[i] = (struct mf_tuf_loaded){.role = names[i], .file = set.roles[0]->file};
		p[i] = &v[i];
	}
	set.roles = p;
	set.nroles = N;
	(void)!mf_floors_raise(w.home, NAME, &set, &w.env, &err);
	assert_int_equal(load_how(&w, false, "qa/"), MF_E_ROLLBACK); /* the snapshot no longer lists them; but not: unreadable */
	struct mf_floors f;
	mf_err_clear(&err);
	ok(mf_floors_load(w.home, NAME, &f, &err), &err);
	mf_floors_clear(&f);
	free(v);
	free(p);
	free(names);
	key_drop(&a);
	key_drop(&online);
	world_drop(&w);
}

static void set_under_an_older_root_raises_nothing(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	world_make(&w, state);
	struct hkey a = key_new(), online = key_new(), other = key_new(), *as[] = {&a};
	write_root(&w, 1, &a, &online, as, 1);
	write_rest(&w, 1000, &online);
	pin(&w, &a.fp);
	assert_int_equal(load_how(&w, false, ""), MF_OK);
	struct mf_trust *slow = w.trust; /* another process: it has loaded, and is about to remember */
	w.trust = NULL;
	write_root(&w, 2, &a, &other, as, 1);
	write_rest(&w, 1, &other);
	assert_int_equal(load_how(&w, false, ""), MF_OK);
	ok(mf_floors_raise(w.home, NAME, mf_trust_set(slow), &w.env, &err), &err);
	assert_int_equal(load_how(&w, false, ""), MF_OK);
	mf_trust_close(slow);
	key_drop(&a);
	key_drop(&online);
	key_drop(&other);
	world_drop(&w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(tombstone_whose_name_is_respelled_still_withdraws_or_fails),
		T(chain_too_long_to_reach_the_last_trusted_root_is_refused),
		T(roots_that_failed_to_verify_do_not_spoil_later_runs),
		T(poisoned_step_of_the_root_chain_in_the_cache_is_fetched_anew),
		T(attack_and_then_silence_is_not_absence),
		T(floors_of_many_long_names_can_be_read_again),
		T(set_under_an_older_root_raises_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
