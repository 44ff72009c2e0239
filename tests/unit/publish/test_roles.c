/* Teams in a TUF 1.0 directory: what a change publishes and in which order, and what readers make of it who
 * saw the repository before. */
#include "team.h"

static void copy_file(struct world *w, const char *from, const char *to, const char *name)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	char *path = mf_path_join(w->dir, from, name, NULL), *dir = mf_path_join(w->dir, to, NULL);
	ok(mf_file_read(path, 1 << 20, &b, &err), &err);
	write_in(dir, name, mf_buf_str(&b));
	free(path);
	free(dir);
}

/* ---- floors */

static void a_writer_that_is_added_lets_no_old_state_pass(void **state)
{
	struct team t;
	team_make(&t, state);
	put_as(&t, "targets", "alice");
	copy_file(&t.w, "repo", "old", "timestamp.json");
	put_as(&t, "targets", "alice");
	does(&t, add("qa", &t.bob, 1), 1);
	assert_true(told(&t, "writer added"));
	assert_int_equal(t.last.root_version, 2);
	put_as(&t, "qa", "bob");
	assert_int_equal(load_how(&t.w, false, ""), MF_OK);
	copy_file(&t.w, "old", "repo", "timestamp.json"); /* alice signed it, and still may */
	assert_int_equal(load_how(&t.w, false, ""), MF_E_ROLLBACK);
	team_drop(&t);
}

/* A thief of bob's key has signed a version that nobody reaches again; the owner takes the key away and goes
 * on from what there was before. */
static enum mf_code after_a_theft(void **state, const char *last_signer)
{
	struct team t;
	team_make(&t, state);
	does(&t, add("qa", &t.bob, 1), 1);
	copy_file(&t.w, "repo", "old", "timestamp.json");
	put_as(&t, "qa", last_signer);
	put_as(&t, "qa", last_signer);
	assert_int_equal(load_how(&t.w, false, ""), MF_OK);
	/* Another machine of the owner, which has not seen these. */
	char *owner = mf_path_join(t.w.dir, "owner", NULL);
	copy_file(&t.w, "old", "repo", "timestamp.json");
	t.w.cfg.home = owner;
	reopen(&t.w);
	struct mf_role_request r = drop("qa", NULL, 0);
	r.force = true;
	does(&t, r, 1);
	t.w.cfg.home = t.w.home;
	enum mf_code code = load_how(&t.w, false, "");
	free(owner);
	team_drop(&t);
	return code;
}

static void floors_that_a_removed_key_has_set_are_outlived(void **state)
{
	assert_int_equal(after_a_theft(state, "bob"), MF_OK);
}

static void floors_that_others_have_set_outlive_a_removed_key(void **state)
{
	assert_int_equal(after_a_theft(state, "alice"), MF_E_ROLLBACK);
}

static void floors_of_an_earlier_version_hold_until_a_new_root(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	struct mf_floors f;
	team_make(&t, state);
	put_as(&t, "targets", "alice");
	ok(mf_floors_load(t.w.home, NAME, &f, &err), &err);
	assert_int_equal(f.timestamp.n, 1);
	assert_int_equal(f.snapshot.n, 1);
	const struct mf_tuf_file *root = mf_trust_set(t.w.trust)->root;
	mf_floors_follow(&f, root); /* the same root */
	assert_int_equal(mf_tuf_floor_get(&f.roles, "timestamp"), 2);
	f.timestamp.n = 0;
	mf_floors_follow(&f, root);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "timestamp"), 2);
	ok(mf_floor_set(&f.roles, "root", 0, &err), &err); /* now it is a newer one */
	mf_floors_follow(&f, root);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "timestamp"), 0);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "targets"), 0);
	mf_floors_clear(&f);
	team_drop(&t);
}

static void snapshot_signers_are_looked_at_too(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	struct mf_floors f;
	team_make(&t, state);
	ok(mf_trust_load(t.w.trust, &(struct mf_load){0}, &err), &err);
	ok(mf_floors_load(t.w.home, NAME, &f, &err), &err);
	f.snapshot.v[0] = mf_pubkey_fingerprint(t.bob);
	ok(mf_floor_set(&f.roles, "root", 0, &err), &err);
	mf_floors_follow(&f, mf_trust_set(t.w.trust)->root);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "timestamp"), 0);
	mf_floors_clear(&f);
	team_drop(&t);
}

static void signers_must_meet_the_new_threshold(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	struct mf_floors f;
	team_make(&t, state);
	ok(mf_trust_load(t.w.trust, &(struct mf_load){0}, &err), &err);
	ok(mf_floors_load(t.w.home, NAME, &f, &err), &err);
	ok(mf_floor_set(&f.roles, "root", 0, &err), &err);
	struct mf_tuf_file *root = t.w.trust->set.root;
	mf_floors_follow(&f, root);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "timestamp"), 1);
	root->roles[MF_TUF_TIMESTAMP].threshold = 2; /* one has signed */
	mf_floors_follow(&f, root);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "timestamp"), 0);
	mf_floors_clear(&f);
	team_drop(&t);
}

/* What has been seen of a version is who signed it then: a key that signs the same once more, and is taken
 * away later, does not take the floors with it. */
static void signers_of_a_version_are_those_seen_first(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	struct mf_floors f;
	team_make(&t, state);
	ok(mf_trust_load(t.w.trust, &(struct mf_load){0}, &err), &err);
	struct mf_tuf_signature *s = &t.w.trust->set.timestamp->signatures[0];
	struct mf_digest first = s->good_for;
	s->good_for = mf_pubkey_fingerprint(t.bob);
	t.w.trust->set.now += 2 * 3600; /* something is written */
	ok(mf_floors_raise(t.w.home, NAME, &t.w.trust->set, &t.w.env, &err), &err);
	ok(mf_floors_load(t.w.home, NAME, &f, &err), &err);
	assert_int_equal(f.timestamp.n, 1);
	assert_true(mf_digest_eq(&f.timestamp.v[0], &first));
	mf_floors_clear(&f);
	team_drop(&t);
}

static void key_under_another_id_vouches_for_nothing(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	struct mf_floors f;
	team_make(&t, state);
	ok(mf_trust_load(t.w.trust, &(struct mf_load){0}, &err), &err);
	ok(mf_floors_load(t.w.home, NAME, &f, &err), &err);
	ok(mf_floor_set(&f.roles, "root", 0, &err), &err);
	struct mf_tuf_file *root = t.w.trust->set.root;
	for (size_t i = 0; i < root->nkeys; i++)
		root->keys[i].id_fits = false;
	mf_floors_follow(&f, root);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "timestamp"), 0);
	mf_floors_clear(&f);
	team_drop(&t);
}

static void listed_keys_are_named_by_enough_digits(void **state)
{
	struct team t;
	char hex[65];
	team_make(&t, state);
	does(&t, add("qa", &t.bob, 1), 1);
	struct mf_digest fp = mf_pubkey_fingerprint(t.bob);
	mf_digest_hex(hex, &fp);
	for (size_t n = 64; n >= 8; n--) {
		struct mf_err err = MF_ERR_INIT;
		hex[n] = 0;
		struct mf_pubkey *found MF_PUBKEY_CLEANUP =
		    mf_publish_listed_key(mf_trust_set(t.w.trust), hex, &err);
		assert_int_equal(found != NULL, n >= 16);
		assert_int_equal(err.code, n >= 16 ? MF_OK : MF_E_KEY);
	}
	team_drop(&t);
}

/* ---- signing again */

static struct mf_tuf_loaded *nested_role(struct team *t)
{
	struct mf_err err = MF_ERR_INIT;
	ok(mf_trust_load(t->w.trust, &(struct mf_load){0}, &err), &err);
	for (size_t i = 0; i < t->w.trust->set.nroles; i++)
		if (strcmp(t->w.trust->set.roles[i]->role, "nested") == 0)
			return t->w.trust->set.roles[i];
	fail_msg("it is not there");
	return NULL;
}

/* qa lists a role with alice's key, and its own holder's. */
static void list_nested(struct team *t)
{
	static const char *const paths[] = {"qa/*"};
	struct mf_err err = MF_ERR_INIT;
	struct mf_pubkey *both[] = {t->alice, t->carol};
	struct mf_buf objects[2] = {MF_BUF_INIT(4096), MF_BUF_INIT(4096)}, text = MF_BUF_INIT(65536);
	char ids[2][65];
	struct mf_tuf_root_key keys[2];
	int64_t version;
	for (size_t i = 0; i < 2; i++) {
		ok(mf_dialect_tuf1.key_write(both[i], NULL, &objects[i], ids[i], &err), &err);
		keys[i] = (struct mf_tuf_root_key){.object = mf_buf_str(&objects[i]), .id = ids[i]};
	}
	struct mf_tuf_delegation d = {
	    .name = "nested", .keys = keys, .nkeys = 2, .threshold = 1, .paths = paths, .npaths = 1};
	ok(mf_tuf_build_delegations(&mf_dialect_tuf1, MF_STR(""), &d, 1, &text, &err), &err);
	struct mf_str delegations = mf_buf_str(&text);
	ok(publish_change(t->w.trust, (struct mf_publish_change){.role = "qa", .delegations = &delegations},
			  &version, &err),
	   &err);
	mf_buf_clear(&objects[0]);
	mf_buf_clear(&objects[1]);
	mf_buf_clear(&text);
}

static bool renews_nested(struct team *t)
{
	const struct manifesto_refresh_options o = {.force = 1};
	struct mf_arena arena MF_ARENA_CLEANUP = MF_ARENA_INIT;
	struct mf_publish_refresh done = {.opt = &o, .arena = &arena};
	struct mf_err err = MF_ERR_INIT;
	bool yes = false;
	ok(mf_publish_refresh(t->w.trust, &done, &err), &err);
	for (size_t i = 0; i < done.n; i++)
		yes |= strcmp(done.v[i].name, "nested") == 0 && done.v[i].done;
	return yes;
}

/* With files that do not say whose they are, as on a Notary server. */
static void what_a_team_has_put_under_our_key_is_not_signed_anew(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	struct mf_dialect silent = mf_dialect_tuf1;
	struct mf_repo_ops ops = mf_repo_tuf_dir;
	team_make(&t, state);
	does(&t, add("qa", &t.bob, 1), 1);
	list_nested(&t);
	put_as(&t, "nested", "carol");
	silent.says_role = false;
	ops.dialect = &silent;
	t.w.trust->repo->ops = &ops;
	char *keys = mf_path_join(t.w.dir, "keys", NULL);
	remove_in(keys, "carol.key");
	mf_keystore_free(t.w.keys);
	t.w.keys = mf_keystore_new(keys, &t.w.pass, &t.w.env, &err);
	t.w.cfg.keys = t.w.keys;
	free(keys);
	int64_t before = nested_role(&t)->file->version;
	assert_false(renews_nested(&t));
	assert_int_equal(nested_role(&t)->file->version, before);
	put_as(&t, "nested", "alice"); /* now it is ours as well */
	assert_true(renews_nested(&t));
	team_drop(&t);
}

/* ---- the order of files */

static void a_root_that_takes_keys_away_goes_behind_the_timestamp(void **state)
{
	struct team t;
	team_make(&t, state);
	watch(&t);
	does(&t, add("qa", &t.bob, 1), 1);
	assert_string_equal(order, "root targets snapshot timestamp");
	put_as(&t, "qa", "bob");
	assert_string_equal(order, "qa snapshot timestamp");
	does(&t, add("qa", &t.carol, 1), 1);
	does(&t, drop("qa", &t.bob, 1), 1);
	assert_string_equal(order, "targets qa snapshot timestamp root");
	assert_true(told(&t, "signed anew"));
	assert_true(told(&t, "writer removed"));
	team_drop(&t);
}

/* The machine stops between timestamp and root: whoever reads then holds the old root. */
static void what_is_published_before_the_root_is_good_under_the_old_one(void **state)
{
	struct team t;
	team_make(&t, state);
	does(&t, add("qa", &t.bob, 1), 1);
	t.w.cfg.key_name = "carol";
	does(&t,
	     (struct mf_role_request){.verb = MF_ROLE_SET,
				      .role = "qa",
				      .keys = &t.carol,
				      .nkeys = 1,
				      .types = qa_types,
				      .ntypes = 1},
	     1);
	remove_in(t.w.repo, "3.root.json");
	forget_floors(&t.w);
	assert_int_equal(load_how(&t.w, false, ""), MF_OK);
	team_drop(&t);
}

static void no_root_is_ever_replaced(void **state)
{
	struct team t;
	team_make(&t, state);
	watch(&t);
	struct mf_err err = MF_ERR_INIT;
	ok(mf_trust_load(t.w.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN}, &err), &err);
	write_in(t.w.repo, "2.root.json", MF_STR("somebody's")); /* behind our back */
	t.w.env.deadline_ms = mf_monotonic_ms() + 300;
	enum mf_code code = refuses(&t, add("qa", &t.bob, 1));
	assert_true(code == MF_E_CONFLICT || code == MF_E_FORMAT); /* on reading it again, it is no root */
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	char *path = mf_path_join(t.w.repo, "2.root.json", NULL);
	ok(mf_file_read(path, 4096, &b, &err), &err);
	assert_string_equal(b.p, "somebody's");
	free(path);
	team_drop(&t);
}

/* ---- a server that says yes and stores something else */

static struct team *other_team;
static struct mf_pubkey *other_key;

/* What somebody else does on another machine. */
static void meanwhile(struct team *t, struct mf_role_request r)
{
	struct mf_trust *mine = t->w.trust;
	struct mf_role_change kept = t->last;
	struct mf_arena kept_arena = t->arena;
	char *home = mf_path_join(t->w.dir, "other-home", NULL);
	t->arena = (struct mf_arena)MF_ARENA_INIT;
	t->w.cfg.home = home;
	t->w.trust = NULL;
	reopen(&t->w);
	does(t, r, 1);
	mf_trust_close(t->w.trust);
	mf_arena_clear(&t->arena);
	t->arena = kept_arena;
	t->last = kept;
	t->w.trust = mine;
	t->w.cfg.home = t->w.home;
	free(home);
}

static int lying_publish(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
			 const struct mf_bytes *base, struct mf_err *err)
{
	(void)r;
	(void)files;
	(void)n;
	(void)base;
	(void)err;
	meanwhile(other_team, add("other", &other_key, 1));
	return 0;
}

static int undone_publish(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
			  const struct mf_bytes *base, struct mf_err *err)
{
	if (mf_repo_tuf_dir.publish(r, files, n, base, err) < 0)
		return -1;
	meanwhile(other_team, drop("qa", &other_key, 1));
	return 0;
}

static void with_publish(struct team *t,
			 int (*publish)(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
					const struct mf_bytes *base, struct mf_err *err))
{
	other_team = t;
	reopen(&t->w);
	spy = mf_repo_tuf_dir;
	spy.publish = publish;
	t->w.trust->repo->ops = &spy;
}

static void other_delegations_than_published_are_noticed(void **state)
{
	struct team t;
	team_make(&t, state);
	other_key = t.alice; /* she publishes already: no new root */
	with_publish(&t, lying_publish);
	assert_int_equal(refuses(&t, add("qa", &t.alice, 1)), MF_E_INTERNAL);
	team_drop(&t);
}

static void another_root_than_published_is_noticed(void **state)
{
	struct team t;
	team_make(&t, state);
	does(&t, add("qa", &t.bob, 1), 1);
	does(&t, drop("qa", NULL, 0), 1);
	remove_in(t.w.repo, "3.root.json"); /* bob is left as a writer, and only the root shall change */
	forget_floors(&t.w);
	other_key = t.carol;
	with_publish(&t, lying_publish);
	assert_int_equal(refuses(&t, drop("qa", &t.bob, 1)), MF_E_INTERNAL);
	team_drop(&t);
}

static void a_change_that_is_undone_at_once_is_not_reported_as_done(void **state)
{
	struct team t;
	team_make(&t, state);
	does(&t, add("qa", &t.alice, 1), 1);
	other_key = t.bob;
	with_publish(&t, undone_publish);
	assert_int_equal(refuses(&t, add("qa", &t.bob, 1)), MF_E_CONFLICT);
	team_drop(&t);
}

static void signers_are_those_of_the_newest_file(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	struct mf_floors f;
	struct mf_trust *slow = NULL;
	team_make(&t, state);
	does(&t, add("qa", &t.bob, 1), 1);
	ok(mf_trust_open(t.w.repo, "oci", NAME, &t.w.cfg, &slow, &err), &err);
	ok(mf_trust_load(slow, &(struct mf_load){0}, &err), &err);
	put_as(&t, "qa", "bob");
	ok(mf_floors_raise(t.w.home, NAME, mf_trust_set(slow), &t.w.env, &err), &err);
	ok(mf_floors_load(t.w.home, NAME, &f, &err), &err);
	struct mf_digest bob = mf_pubkey_fingerprint(t.bob);
	assert_true(mf_digest_eq(&f.timestamp.v[0], &bob));
	assert_true(mf_digest_eq(&f.snapshot.v[0], &bob));
	mf_floors_clear(&f);
	mf_trust_close(slow);
	team_drop(&t);
}

static void targets_goes_by_that_name_only(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	struct mf_str text = MF_STR("{\"keys\":{},\"roles\":[{\"keyids\":[],\"name\":\"targets/targets\","
				    "\"paths\":[\"qa/*\"],\"terminating\":false,\"threshold\":1}]}");
	int64_t version;
	team_make(&t, state);
	ok(publish_change(t.w.trust, (struct mf_publish_change){.role = "targets", .delegations = &text},
			  &version, &err),
	   &err);
	assert_null(mf_publish_find_role(mf_trust_set(t.w.trust), "targets"));
	assert_non_null(mf_publish_find_role(mf_trust_set(t.w.trust), "targets/targets"));
	team_drop(&t);
}

/* ---- a reader who is overtaken by a new root and a new writer */

static struct team *racing;

static struct mf_fetch *racing_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct team *t = racing;
	if (t && strcmp(key->role, "timestamp") == 0) {
		struct mf_trust *mine = t->w.trust;
		racing = NULL;
		t->w.trust = NULL;
		reopen(&t->w);
		does(t, add("qa", &t->bob, 1), 1);
		put_as(t, "qa", "bob");
		mf_trust_close(t->w.trust);
		t->w.trust = mine;
	}
	return mf_repo_tuf_dir.begin(r, key, err);
}

static void a_reader_who_is_overtaken_by_a_root_reads_again(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	team_make(&t, state);
	reopen(&t.w);
	spy = mf_repo_tuf_dir;
	spy.begin = racing_begin;
	t.w.trust->repo->ops = &spy;
	racing = &t;
	ok(mf_trust_load(t.w.trust, &(struct mf_load){0}, &err), &err);
	assert_int_equal(mf_trust_set(t.w.trust)->root->version, 2);
	assert_non_null(mf_tuf_set_find(mf_trust_set(t.w.trust), "qa"));
	team_drop(&t);
}

/* ---- roles that do not verify */

static void damaged_roles_are_passed_over_only_where_that_was_asked_for(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	size_t n;
	team_make(&t, state);
	does(&t, add("qa", &t.bob, 1), 1);
	put_as(&t, "qa", "bob");
	write_in(t.w.repo, "1.qa.json", MF_STR("{}"));
	assert_int_equal(load_how(&t.w, false, ""), MF_E_DIGEST);
	assert_int_equal(load_how(&t.w, false, "other/"), MF_OK);
	reopen(&t.w);
	ok(mf_trust_load(t.w.trust, &(struct mf_load){.tolerate_broken = true}, &err), &err);
	const struct mf_trust_broken *b = mf_trust_broken(t.w.trust, &n);
	assert_int_equal(n, 1);
	assert_string_equal(b->role, "qa");
	assert_int_equal(b->code, MF_E_DIGEST);
	assert_int_equal(refuses(&t, drop("qa", NULL, 0)), MF_E_USAGE); /* its records would vanish */
	struct mf_role_request r = drop("qa", NULL, 0);
	r.force = true;
	does(&t, r, 1);
	assert_int_equal(load_how(&t.w, false, ""), MF_OK);
	team_drop(&t);
}

/* ---- several at once */

static void requests_of_one_call_are_one_publish(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	team_make(&t, state);
	watch(&t);
	struct mf_role_request v[] = {add("qa", &t.bob, 1), add("more", &t.carol, 1)};
	struct mf_role_request third = add("third", &t.bob, 1), same[] = {third, third};
	struct mf_role_change both = {.requests = v, .n = 2}, doubled = {.requests = same, .n = 2},
			      dry = {.requests = &third, .n = 1, .dry_run = true};
	ok(run_all(&t, both, &err), &err);
	assert_string_equal(order, "root targets snapshot timestamp");
	assert_int_equal(mf_trust_set(t.w.trust)->roles[0]->file->nroles, 2);
	assert_int_equal(run_all(&t, both, &err), MF_ABSENT);
	assert_int_equal(run_all(&t, doubled, &err), MF_FAILED);
	assert_int_equal(err.code, MF_E_USAGE);
	mf_err_clear(&err);
	order[0] = 0;
	assert_int_equal(run_all(&t, dry, &err), MF_FOUND);
	assert_string_equal(order, "");
	team_drop(&t);
}

static void a_key_of_two_roles_stays_a_writer_until_the_second_goes(void **state)
{
	struct team t;
	team_make(&t, state);
	does(&t, add("one", &t.bob, 1), 1);
	does(&t, add("two", &t.bob, 1), 1);
	assert_int_equal(t.last.root_version, 0);
	does(&t, drop("one", NULL, 0), 1);
	assert_int_equal(t.last.root_version, 0);
	does(&t, drop("two", NULL, 0), 1);
	assert_int_equal(t.last.root_version, 3);
	/* The key of targets stays one, whatever roles it leaves. */
	does(&t, add("three", &t.alice, 1), 1);
	assert_int_equal(t.last.root_version, 0);
	does(&t, drop("three", NULL, 0), 1);
	assert_int_equal(t.last.root_version, 0);
	team_drop(&t);
}

static void a_name_that_was_a_role_begins_anew_or_not_at_all(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	team_make(&t, state);
	struct hkey stranger = key_new();
	struct mf_pubkey *pub = mf_privkey_public(stranger.priv);
	does(&t, add("qa", &t.bob, 1), 1);
	put_as(&t, "qa", "bob");
	struct mf_role_request r = drop("qa", NULL, 0);
	assert_int_equal(refuses(&t, r), MF_E_USAGE);
	r.force = true;
	does(&t, r, 1);
	assert_int_equal(refuses(&t, add("qa", &pub, 1)), MF_E_KEY);
	does(&t, add("qa", &t.carol, 1), 1);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(mf_trust_set(t.w.trust), "qa");
	assert_non_null(l);
	assert_int_equal(l->file->version, 2);
	assert_int_equal(l->file->ntargets, 0);
	does(&t, drop("qa", NULL, 0), 1);
	/* With the key that signed what is listed, it holds. */
	does(&t, add("qa", &t.carol, 1), 1);
	assert_false(told(&t, "signed anew"));
	ok(mf_trust_load(t.w.trust, &(struct mf_load){0}, &err), &err);
	key_drop(&stranger);
	team_drop(&t);
}

#define T(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_writer_that_is_added_lets_no_old_state_pass),
	    T(floors_that_a_removed_key_has_set_are_outlived),
	    T(floors_that_others_have_set_outlive_a_removed_key),
	    T(floors_of_an_earlier_version_hold_until_a_new_root),
	    T(snapshot_signers_are_looked_at_too),
	    T(signers_must_meet_the_new_threshold),
	    T(signers_of_a_version_are_those_seen_first),
	    T(key_under_another_id_vouches_for_nothing),
	    T(listed_keys_are_named_by_enough_digits),
	    T(what_a_team_has_put_under_our_key_is_not_signed_anew),
	    T(other_delegations_than_published_are_noticed),
	    T(another_root_than_published_is_noticed),
	    T(a_change_that_is_undone_at_once_is_not_reported_as_done),
	    T(signers_are_those_of_the_newest_file),
	    T(targets_goes_by_that_name_only),
	    T(a_root_that_takes_keys_away_goes_behind_the_timestamp),
	    T(what_is_published_before_the_root_is_good_under_the_old_one),
	    T(no_root_is_ever_replaced),
	    T(a_reader_who_is_overtaken_by_a_root_reads_again),
	    T(damaged_roles_are_passed_over_only_where_that_was_asked_for),
	    T(requests_of_one_call_are_one_publish),
	    T(a_key_of_two_roles_stays_a_writer_until_the_second_goes),
	    T(a_name_that_was_a_role_begins_anew_or_not_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
