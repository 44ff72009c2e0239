/* Pins, floors, the root chain and publishing, on a TUF 1.0 directory with keys of its own and a clock that
 * the test sets. */
#include "../store/tmpdir.h"

#include "base/encode.h"
#include "crypto/hash.h"
#include "trust/home.h"
#include "publish/publish.h"

#define DAY 86400
#define NAME "oci:/somewhere"

struct world {
	char *dir, *home, *repo;
	int64_t now;
	struct mf_env env;
	struct mf_passphrase pass;
	struct mf_keystore *keys;
	struct mf_trust_config cfg;
	struct mf_trust *trust;
};

static int64_t world_now(void *arg)
{
	return ((struct world *)arg)->now;
}

static int no_passphrase(void *arg, const char *name, enum mf_passphrase_for purpose, struct mf_secret *out,
			 struct mf_err *err)
{
	(void)arg;
	(void)purpose;
	(void)out;
	return mf_fail(err, MF_E_KEY, 0, "no passphrase for '%s'", name);
}

static void ok(int rc, const struct mf_err *err)
{
	if (rc < 0)
		fail_msg("%s: %s", mf_code_name(err->code), err->msg);
}

static void reopen(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	mf_trust_close(w->trust);
	w->trust = NULL;
	ok(mf_trust_open(w->repo, "oci", NAME, &w->cfg, &w->trust, &err), &err);
}

static void keystore(struct world *w, const char *sub)
{
	struct mf_err err = MF_ERR_INIT;
	char *dir = mf_path_join(w->dir, sub, NULL);
	mf_keystore_free(w->keys);
	w->keys = mf_keystore_new(dir, &w->pass, &w->env, &err);
	assert_non_null(w->keys);
	w->cfg.keys = w->keys;
	free(dir);
}

static void world_make(struct world *w, void **state)
{
	*w = (struct world){.dir = *state, .now = 1800000000, .pass = {no_passphrase, NULL, true}};
	w->home = mf_path_join(w->dir, "home", NULL);
	w->repo = mf_path_join(w->dir, "repo", NULL);
	mf_env_init(&w->env);
	w->env.now = world_now;
	w->env.now_arg = w;
	w->env.deadline_ms = mf_monotonic_ms() + 20000;
	w->cfg = (struct mf_trust_config){.home = w->home, .env = &w->env, .key_name = "alice"};
	keystore(w, "keys");
	reopen(w);
}

static void world_init(struct world *w, void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_publish_made made = {.arena = MF_ARENA_INIT};
	world_make(w, state);
	ok(mf_publish_first(w->trust, NULL, &made, &err), &err);
	assert_int_equal(made.nkeys, 2);
	mf_arena_clear(&made.arena);
}

static void world_drop(struct world *w)
{
	mf_trust_close(w->trust);
	mf_keystore_free(w->keys);
	free(w->home);
	free(w->repo);
}

static enum mf_code load(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	reopen(w);
	return mf_trust_load(w->trust, &(struct mf_load){0}, &err) < 0 ? err.code : MF_OK;
}

static void remove_in(const char *dir, const char *name)
{
	char *path = mf_path_join(dir, name, NULL);
	(void)remove(path);
	free(path);
}

static void forget(struct world *w, bool pins, bool floors)
{
	struct mf_err err = MF_ERR_INIT;
	if (pins)
		remove_in(w->home, "trust.json");
	if (floors) {
		struct mf_digest d;
		char hex[65], name[90];
		ok(mf_sha256(mf_bytes_of(MF_STR(NAME)), &d, &err), &err);
		mf_digest_hex(hex, &d);
		(void)snprintf(name, sizeof name, "floors/%s.json", hex);
		remove_in(w->home, name);
	}
}

static void write_file(const char *dir, const char *name, struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	char *path = mf_path_join(dir, name, NULL);
	ok(mf_dir_make(dir, 0700, &err), &err);
	ok(mf_file_write(path, mf_bytes_of(text), 0600, &err), &err);
	free(path);
}

/* ---- roots made by hand */

struct rootkey {
	struct mf_privkey *priv;
	struct mf_buf object;
	char id[65];
	struct mf_digest fp;
};

static struct rootkey key_new(void)
{
	struct mf_err err = MF_ERR_INIT;
	struct rootkey k = {.object = MF_BUF_INIT(4096)};
	k.priv = mf_privkey_generate(MF_KEY_ED25519, &err);
	assert_non_null(k.priv);
	ok(mf_dialect_tuf1.key_write(mf_privkey_public(k.priv), NULL, &k.object, k.id, &err), &err);
	k.fp = mf_pubkey_fingerprint(mf_privkey_public(k.priv));
	return k;
}

static void key_drop(struct rootkey *k)
{
	mf_privkey_free(k->priv);
	mf_buf_clear(&k->object);
}

/* One file signed by n keys. */
static void sign_file(const struct mf_buf *canonical, struct rootkey *const *signers, size_t n,
		      struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_made_signature made[4] = {0};
	struct mf_buf sigs[4];
	for (size_t i = 0; i < n; i++) {
		mf_buf_init(&sigs[i], 256);
		ok(mf_privkey_sign(signers[i]->priv, MF_SIG_ED25519, mf_buf_bytes(canonical), &sigs[i], &err),
		   &err);
		made[i] = (struct mf_tuf_made_signature){signers[i]->id, NULL, mf_buf_bytes(&sigs[i])};
	}
	ok(mf_tuf_build_file(&mf_dialect_tuf1, mf_buf_str(canonical), made, n, out, &err), &err);
	for (size_t i = 0; i < n; i++)
		mf_buf_clear(&sigs[i]);
}

/* A root listing `root` for the role root and `online` for the rest, expiring `days` from now. */
static void write_root(struct world *w, int64_t version, int days, struct rootkey *root,
		       struct rootkey *online, struct rootkey *const *signers, size_t n)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(65536), file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const unsigned rest = 1 << MF_TUF_TARGETS | 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP;
	struct mf_tuf_root_key keys[2] = {{mf_buf_str(&root->object), root->id, 1 << MF_TUF_ROOT},
					  {mf_buf_str(&online->object), online->id, rest}};
	char name[40];
	ok(mf_tuf_build_root(&mf_dialect_tuf1,
			     &(struct mf_tuf_root_spec){keys, 2, version, w->now + days * DAY, 0}, &canonical,
			     &err),
	   &err);
	sign_file(&canonical, signers, n, &file);
	(void)snprintf(name, sizeof name, "%lld.root.json", (long long)version);
	write_file(w->repo, name, mf_buf_str(&file));
}

/* Targets, snapshot and timestamp of one version under one key. */
static void write_rest(struct world *w, int64_t version, struct rootkey *online)
{
	struct mf_err err = MF_ERR_INIT;
	static const char *const roles[] = {"targets", "snapshot", "timestamp"};
	struct mf_buf last MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	for (int i = 0; i < 3; i++) {
		struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(65536),
					file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		char name[40];
		if (i == 0) {
			struct mf_tuf_targets_spec spec = {.version = version, .expires = w->now + 90 * DAY};
			ok(mf_tuf_build_targets(&mf_dialect_tuf1, &spec, &canonical, &err), &err);
		} else {
			struct mf_tuf_listed listed = {roles[i - 1], version, mf_buf_bytes(&last)};
			struct mf_tuf_meta_spec spec = {.type = i == 1 ? MF_TUF_SNAPSHOT : MF_TUF_TIMESTAMP,
							.files = &listed,
							.nfiles = 1,
							.version = version,
							.expires = w->now + 90 * DAY};
			ok(mf_tuf_build_meta(&mf_dialect_tuf1, &spec, &canonical, &err), &err);
		}
		sign_file(&canonical, &online, 1, &file);
		if (i == 2)
			(void)snprintf(name, sizeof name, "%s.json", roles[i]);
		else
			(void)snprintf(name, sizeof name, "%lld.%s.json", (long long)version, roles[i]);
		write_file(w->repo, name, mf_buf_str(&file));
		mf_buf_reset(&last);
		ok(mf_buf_add_str(&last, mf_buf_str(&file), &err), &err);
	}
}

static void pin(struct world *w, const struct mf_digest *fps, size_t n, int64_t threshold)
{
	struct mf_err err = MF_ERR_INIT;
	ok(mf_pin_store(w->home, NAME, fps, n, threshold, &w->env, &err), &err);
}

/* ---- pins */

static void pin_of_an_exact_name_goes_before_prefixes_and_the_longest_prefix_wins(void **state)
{
	static const struct {
		const char *name, *pattern;
	} rows[] = {
	    {"reg/team/app", "reg/team/app"},
	    {"reg/team/other", "reg/team/*"},
	    {"reg/x", "reg/*"},
	    {"elsewhere/x", NULL},
	};
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest fp = {{7}};
	world_make(&w, state);
	static const char *const patterns[] = {"reg/*", "reg/team/*", "reg/team/app"};
	for (size_t i = 0; i < 3; i++)
		ok(mf_pin_store(w.home, patterns[i], &fp, 1, 1, &w.env, &err), &err);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_pin p;
		ok(mf_pin_find(w.home, rows[i].name, &p, &err), &err);
		assert_int_equal(p.found, rows[i].pattern != NULL);
		if (rows[i].pattern)
			assert_string_equal(p.pattern, rows[i].pattern);
		mf_pin_clear(&p);
	}
	world_drop(&w);
}

static void broken_pin_files_are_pin_errors(void **state)
{
	static const char *const texts[] = {
	    "",
	    "{",
	    "{\"manifestoTrust\":2,\"pins\":{}}",
	    "{\"manifestoTrust\":1}",
	    "{\"manifestoTrust\":1,\"pins\":{\"" NAME "\":{}}}",
	    "{\"manifestoTrust\":1,\"pins\":{\"" NAME "\":{\"fingerprints\":[]}}}",
	    "{\"manifestoTrust\":1,\"pins\":{\"" NAME "\":{\"fingerprints\":[\"abc\"]}}}",
	    "{\"manifestoTrust\":1,\"pins\":{\"" NAME
	    "\":{\"fingerprints\":[\"0000000000000000000000000000000000000000000000000000000000000000\"],"
	    "\"threshold\":2}}}",
	    /* one key in three spellings is one key */
	    "{\"manifestoTrust\":1,\"pins\":{\"" NAME
	    "\":{\"fingerprints\":[\"ab00000000000000000000000000000000000000000000000000000000000000\","
	    "\"AB00000000000000000000000000000000000000000000000000000000000000\","
	    "\"sha256:ab00000000000000000000000000000000000000000000000000000000000000\"],\"threshold\":2}}}",
	    "{\"manifestoTrust\":1,\"pins\":{\"" NAME "\":{\"ca\":\"missing.pem\"}}}",
	    "{\"manifestoTrust\":1,\"pins\":{},\"pins\":{}}",
	};
	struct world w;
	world_init(&w, state);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_pin p;
		write_file(w.home, "trust.json", mf_str_c(texts[i]));
		if (mf_pin_find(w.home, NAME, &p, &err) == 0)
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(err.code, MF_E_PIN);
	}
	world_drop(&w);
}

/* Whoever opens a FIFO waits, and a device never ends. */
static void pins_and_floors_that_are_no_files_are_refused_at_once(void **state)
{
	struct world w;
	world_init(&w, state);
	char pins[600], floors[600];
	struct mf_err err = MF_ERR_INIT;
	struct mf_pin p;
	struct mf_floors f;
	(void)snprintf(pins, sizeof pins, "%s/trust.json", w.home);
	(void)unlink(pins);
	assert_int_equal(mkfifo(pins, 0600), 0);
	assert_int_equal(mf_pin_find(w.home, NAME, &p, &err), -1);
	assert_int_equal(err.code, MF_E_PIN);
	mf_err_clear(&err);
	(void)snprintf(floors, sizeof floors, "%s/floors", w.home);
	(void)mkdir(floors, 0700);
	struct mf_digest d;
	char hex[65];
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR(NAME)), &d, &err), 0);
	mf_digest_hex(hex, &d);
	(void)snprintf(floors, sizeof floors, "%s/floors/%s.json", w.home, hex);
	(void)unlink(floors);
	assert_int_equal(symlink("/dev/zero", floors), 0);
	assert_int_equal(mf_floors_load(w.home, NAME, &f, &err), -1);
	assert_int_equal(err.code, MF_E_ROLLBACK);
	world_drop(&w);
}

static void unpinned_and_wrongly_pinned_repositories_are_refused(void **state)
{
	struct world w;
	struct mf_digest other = {{1}};
	world_init(&w, state);
	assert_int_equal(load(&w), MF_OK);
	forget(&w, true, true);
	assert_int_equal(load(&w), MF_E_PIN);
	pin(&w, &other, 1, 1);
	assert_int_equal(load(&w), MF_E_PIN);
	world_drop(&w);
}

static void trust_on_first_use_is_stored_but_not_in_ci(void **state)
{
	struct world w;
	world_init(&w, state);
	forget(&w, true, true);
	w.cfg.tofu = w.cfg.ci = true;
	assert_int_equal(load(&w), MF_OK);
	w.cfg.tofu = false;
	assert_int_equal(load(&w), MF_E_PIN);
	w.cfg.tofu = true;
	w.cfg.ci = false;
	assert_int_equal(load(&w), MF_OK);
	w.cfg.tofu = false;
	assert_int_equal(load(&w), MF_OK);
	world_drop(&w);
}

/* ---- floors */

static void floors_that_cannot_be_read_are_never_taken_for_none(void **state)
{
	static const char *const texts[] = {"", "{}", "[]",
					    "{\"clock\":1,\"root\":\"x\",\"keys\":\"x\",\"versions\":{}}"};
	struct world w;
	world_init(&w, state);
	assert_int_equal(load(&w), MF_OK);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_digest d;
		char hex[65], name[90];
		ok(mf_sha256(mf_bytes_of(MF_STR(NAME)), &d, &err), &err);
		mf_digest_hex(hex, &d);
		(void)snprintf(name, sizeof name, "floors/%s.json", hex);
		write_file(w.home, name, mf_str_c(texts[i]));
		assert_int_equal(load(&w), MF_E_ROLLBACK);
	}
	world_drop(&w);
}

static void clock_behind_the_floor_is_rollback_within_a_tolerance(void **state)
{
	struct world w;
	world_init(&w, state);
	assert_int_equal(load(&w), MF_OK);
	w.now -= 299;
	assert_int_equal(load(&w), MF_OK);
	w.now -= 3;
	assert_int_equal(load(&w), MF_E_ROLLBACK);
	world_drop(&w);
}

static void repository_that_was_there_is_gone_and_another_is_not_found(void **state)
{
	struct world w;
	char *empty;
	world_init(&w, state);
	assert_int_equal(load(&w), MF_OK);
	free(w.repo);
	empty = mf_path_join(w.dir, "empty", NULL);
	w.repo = empty;
	assert_int_equal(load(&w), MF_E_GONE);
	forget(&w, true, false);
	assert_int_equal(load(&w), MF_E_GONE); /* floors alone remember it */
	forget(&w, false, true);
	assert_int_equal(load(&w), MF_E_NOT_FOUND);
	world_drop(&w);
}

static void lower_versions_than_seen_are_rollback(void **state)
{
	struct world w;
	world_make(&w, state);
	struct rootkey a = key_new(), o = key_new(), *as[] = {&a};
	write_root(&w, 1, 300, &a, &o, as, 1);
	write_rest(&w, 5, &o);
	pin(&w, &a.fp, 1, 1);
	assert_int_equal(load(&w), MF_OK);
	write_rest(&w, 4, &o);
	assert_int_equal(load(&w), MF_E_ROLLBACK);
	forget(&w, false, true);
	assert_int_equal(load(&w), MF_OK);
	key_drop(&a);
	key_drop(&o);
	world_drop(&w);
}

static void rotated_online_keys_let_versions_start_again(void **state)
{
	struct world w;
	world_make(&w, state);
	struct rootkey a = key_new(), o = key_new(), o2 = key_new(), *as[] = {&a};
	write_root(&w, 1, 300, &a, &o, as, 1);
	write_rest(&w, 100, &o);
	pin(&w, &a.fp, 1, 1);
	assert_int_equal(load(&w), MF_OK);
	write_root(&w, 2, 300, &a, &o2, as, 1);
	write_rest(&w, 1, &o2);
	assert_int_equal(load(&w), MF_OK);
	write_rest(&w, 2, &o2);
	assert_int_equal(load(&w), MF_OK);
	write_rest(&w, 1, &o2);
	assert_int_equal(load(&w), MF_E_ROLLBACK);
	key_drop(&a);
	key_drop(&o);
	key_drop(&o2);
	world_drop(&w);
}

/* ---- the root chain */

static void pin_on_any_root_of_the_chain_accepts_a_rotation(void **state)
{
	struct world w;
	world_make(&w, state);
	struct rootkey a = key_new(), b = key_new(), c = key_new(), o = key_new();
	struct rootkey *one[] = {&a}, *two[] = {&a, &b}, *three[] = {&b, &c};
	const struct mf_digest *fps[] = {&a.fp, &b.fp, &c.fp};
	write_root(&w, 1, -10, &a, &o, one, 1); /* expired: only the last root's expiry counts */
	write_root(&w, 2, -5, &b, &o, two, 2);
	write_root(&w, 3, 300, &c, &o, three, 2);
	write_rest(&w, 1, &o);
	for (size_t i = 0; i < 3; i++) {
		forget(&w, true, true);
		pin(&w, fps[i], 1, 1);
		assert_int_equal(load(&w), MF_OK);
		assert_int_equal(mf_trust_set(w.trust)->root->version, 3);
	}
	key_drop(&a);
	key_drop(&b);
	key_drop(&c);
	key_drop(&o);
	world_drop(&w);
}

static void chain_with_a_missing_or_unsigned_step_is_refused(void **state)
{
	struct world w;
	world_make(&w, state);
	struct rootkey a = key_new(), b = key_new(), c = key_new(), o = key_new();
	struct rootkey *one[] = {&a}, *new_only[] = {&b}, *old_only[] = {&a}, *three[] = {&b, &c};
	write_root(&w, 1, 300, &a, &o, one, 1);
	write_rest(&w, 1, &o);
	pin(&w, &a.fp, 1, 1);
	assert_int_equal(load(&w), MF_OK);
	write_root(&w, 2, 300, &b, &o, new_only, 1);
	assert_int_equal(load(&w), MF_E_SIGNATURE);
	write_root(&w, 2, 300, &b, &o, old_only, 1);
	assert_int_equal(load(&w), MF_E_SIGNATURE);
	write_root(&w, 2, 300, &b, &o, three, 2); /* b and c: neither the old key nor a stranger's place */
	assert_int_equal(load(&w), MF_E_SIGNATURE);
	key_drop(&a);
	key_drop(&b);
	key_drop(&c);
	key_drop(&o);
	world_drop(&w);
}

static void expired_last_root_is_expired(void **state)
{
	struct world w;
	world_make(&w, state);
	struct rootkey a = key_new(), o = key_new(), *as[] = {&a};
	write_root(&w, 1, 1, &a, &o, as, 1);
	write_rest(&w, 1, &o);
	pin(&w, &a.fp, 1, 1);
	assert_int_equal(load(&w), MF_OK);
	w.now += DAY;
	assert_int_equal(load(&w), MF_E_EXPIRED);
	key_drop(&a);
	key_drop(&o);
	world_drop(&w);
}

/* The pinned key itself signs another root of a version that this machine has trusted: a replaced collection.
 */
static void replaced_root_of_a_trusted_version_is_refused_even_when_the_pinned_key_signed_it(void **state)
{
	struct world w;
	world_make(&w, state);
	struct rootkey a = key_new(), o = key_new(), o2 = key_new(), *as[] = {&a};
	write_root(&w, 1, 300, &a, &o, as, 1);
	write_rest(&w, 1, &o);
	pin(&w, &a.fp, 1, 1);
	assert_int_equal(load(&w), MF_OK);
	write_root(&w, 1, 300, &a, &o2, as, 1);
	write_rest(&w, 2, &o2);
	assert_int_equal(load(&w), MF_E_PIN);
	key_drop(&a);
	key_drop(&o);
	key_drop(&o2);
	world_drop(&w);
}

static void pin_threshold_counts_distinct_signers(void **state)
{
	struct world w;
	world_make(&w, state);
	struct rootkey a = key_new(), b = key_new(), o = key_new(), *as[] = {&a};
	struct mf_digest fps[2] = {a.fp, b.fp};
	write_root(&w, 1, 300, &a, &o, as, 1);
	write_rest(&w, 1, &o);
	pin(&w, fps, 2, 2);
	assert_int_equal(load(&w), MF_E_PIN);
	pin(&w, fps, 2, 1);
	assert_int_equal(load(&w), MF_OK);
	key_drop(&a);
	key_drop(&b);
	key_drop(&o);
	world_drop(&w);
}

/* Two of two root keys make a root; with one of them it is as good as a stranger's. */
static void own_root_is_adopted_by_who_holds_its_threshold_only(void **state)
{
	struct world w;
	world_make(&w, state);
	struct rootkey a = key_new(), b = key_new(), o = key_new(), *both[] = {&a, &b};
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(65536), file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const unsigned rest = 1 << MF_TUF_TARGETS | 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP;
	struct mf_tuf_root_key keys[3] = {{mf_buf_str(&a.object), a.id, 1 << MF_TUF_ROOT},
					  {mf_buf_str(&b.object), b.id, 1 << MF_TUF_ROOT},
					  {mf_buf_str(&o.object), o.id, rest}};
	const struct mf_key_info *k;
	ok(mf_tuf_build_root(&mf_dialect_tuf1, &(struct mf_tuf_root_spec){keys, 3, 1, w.now + 300 * DAY, 0},
			     &canonical, &err),
	   &err);
	char *role = strstr(canonical.p, "\"root\":{\"keyids\""),
	     *threshold = strstr(role, "\"threshold\":1");
	assert_non_null(threshold);
	threshold[strlen("\"threshold\":")] = '2';
	sign_file(&canonical, both, 2, &file);
	write_file(w.repo, "1.root.json", mf_buf_str(&file));
	write_rest(&w, 1, &o);
	ok(mf_keystore_add(w.keys, "a", a.priv, &k, &err), &err);
	reopen(&w);
	assert_int_equal(mf_trust_load(w.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN}, &err), -1);
	assert_int_equal(err.code, MF_E_PIN);
	mf_err_clear(&err);
	ok(mf_keystore_add(w.keys, "b", b.priv, &k, &err), &err);
	reopen(&w);
	ok(mf_trust_load(w.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN}, &err), &err);
	key_drop(&a);
	key_drop(&b);
	key_drop(&o);
	world_drop(&w);
}

/* ---- publishing */

struct plan {
	struct world *w;
	struct mf_tuf_edit edit;
	int calls;
	bool race;
};

static int put_one(struct world *w, struct plan *p, int64_t *version, struct mf_err *err);

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct plan *p = arg;
	(void)t;
	if (p->race &&
	    p->calls == 0) { /* somebody on another machine publishes between our load and our publish */
		struct world other = *p->w;
		struct plan theirs = {.w = &other, .edit = {MF_STR("theirs"), p->edit.entry}};
		char *home = mf_path_join(p->w->dir, "other-home", NULL);
		int64_t version;
		other.trust = NULL;
		other.cfg.home = home;
		other.cfg.tofu = true;
		reopen(&other);
		assert_int_equal(put_one(&other, &theirs, &version, err), 1);
		mf_trust_close(other.trust);
		free(home);
	}
	p->calls++;
	*out = (struct mf_publish_change){.role = "targets", .edits = &p->edit, .nedits = 1};
	return MF_FOUND;
}

static int put_one(struct world *w, struct plan *p, int64_t *version, struct mf_err *err)
{
	const struct mf_publish_intent in = {.prefix = MF_STR(""), .fill = fill, .arg = p};
	return mf_publish_run(w->trust, &in, version, err);
}

#define ENTRY                                                                                                \
	MF_STR("{\"hashes\":{\"sha256\":"                                                                    \
	       "\"0000000000000000000000000000000000000000000000000000000000000000\"},\"length\":1}")

static void update_is_published_proven_and_raises_the_floor(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	world_init(&w, state);
	struct plan p = {.w = &w, .edit = {MF_STR("ours"), ENTRY}};
	ok(put_one(&w, &p, &version, &err), &err);
	assert_int_equal(version, 2);
	assert_true(
	    mf_tuf_target_find(mf_tuf_set_find(mf_trust_set(w.trust), "targets")->file, MF_STR("ours")) >= 0);
	struct mf_floors f;
	ok(mf_floors_load(w.home, NAME, &f, &err), &err);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "targets"), 2);
	mf_floors_clear(&f);
	world_drop(&w);
}

static void lost_race_is_tried_again_and_nothing_of_the_other_is_lost(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	world_init(&w, state);
	struct plan p = {.w = &w, .edit = {MF_STR("ours"), ENTRY}, .race = true};
	ok(put_one(&w, &p, &version, &err), &err);
	assert_int_equal(p.calls, 2);
	const struct mf_tuf_file *f = mf_tuf_set_find(mf_trust_set(w.trust), "targets")->file;
	assert_true(mf_tuf_target_find(f, MF_STR("ours")) >= 0);
	assert_true(mf_tuf_target_find(f, MF_STR("theirs")) >= 0);
	world_drop(&w);
}

static void update_without_a_key_of_the_role_is_a_key_error_and_publishes_nothing(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	world_init(&w, state);
	keystore(&w, "no-keys");
	reopen(&w);
	struct plan p = {.w = &w, .edit = {MF_STR("ours"), ENTRY}};
	assert_int_equal(put_one(&w, &p, &version, &err), -1);
	assert_int_equal(err.code, MF_E_KEY);
	assert_int_equal(load(&w), MF_OK);
	assert_int_equal(mf_tuf_set_find(mf_trust_set(w.trust), "targets")->file->version, 1);
	world_drop(&w);
}

static void a_publish_makes_timestamp_and_snapshot_fresh_for_ninety_days(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	world_init(&w, state);
	w.now += 89 * DAY;
	struct plan p = {.w = &w, .edit = {MF_STR("ours"), ENTRY}};
	ok(put_one(&w, &p, &version, &err), &err);
	assert_int_equal(load(&w), MF_OK);
	w.now += 91 * DAY;
	assert_int_equal(load(&w), MF_E_EXPIRED);
	/* Whoever holds the keys can publish on top of what has expired; a stranger cannot even load it. */
	reopen(&w);
	p.edit.name = MF_STR("late");
	ok(put_one(&w, &p, &version, &err), &err);
	assert_int_equal(load(&w), MF_OK);
	w.now += 91 * DAY;
	keystore(&w, "no-keys");
	reopen(&w);
	assert_int_equal(put_one(&w, &p, &version, &err), -1);
	assert_int_equal(err.code, MF_E_EXPIRED);
	world_drop(&w);
}

static void holder_of_the_root_key_publishes_without_a_pin_and_gets_one(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	world_init(&w, state);
	forget(&w, true, true);
	struct plan p = {.w = &w, .edit = {MF_STR("ours"), ENTRY}};
	assert_int_equal(load(&w), MF_E_PIN); /* reading is nobody's privilege */
	keystore(&w, "no-keys");
	reopen(&w);
	assert_int_equal(put_one(&w, &p, &version, &err), -1);
	assert_int_equal(err.code, MF_E_PIN);
	mf_err_clear(&err);
	keystore(&w, "keys");
	reopen(&w);
	ok(put_one(&w, &p, &version, &err), &err);
	assert_int_equal(load(&w), MF_OK);
	world_drop(&w);
}

static void second_initialisation_is_a_conflict_and_one_after_a_loss_is_gone(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	struct mf_publish_made made = {.arena = MF_ARENA_INIT};
	world_init(&w, state);
	assert_int_equal(mf_publish_first(w.trust, NULL, &made, &err), -1);
	assert_int_equal(err.code, MF_E_CONFLICT);
	mf_err_clear(&err);
	free(w.repo);
	w.repo = mf_path_join(w.dir, "lost", NULL);
	reopen(&w);
	assert_int_equal(mf_publish_first(w.trust, NULL, &made, &err), -1);
	assert_int_equal(err.code, MF_E_GONE);
	mf_arena_clear(&made.arena);
	world_drop(&w);
}

static void prefix_pin_lets_its_own_root_key_initialise_and_no_other(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	struct mf_publish_made made = {.arena = MF_ARENA_INIT};
	const struct mf_key_info *root;
	struct mf_digest fp = {{1}}, own;
	world_make(&w, state);
	ok(mf_keystore_generate(w.keys, "alice-root", MF_KEY_ED25519, &root, &err), &err);
	own = mf_pubkey_fingerprint(root->pub);
	ok(mf_pin_store(w.home, "oci:*", &fp, 1, 1, &w.env, &err), &err);
	assert_int_equal(load(&w), MF_E_NOT_FOUND);
	assert_int_equal(mf_publish_first(w.trust, NULL, &made, &err), -1);
	assert_int_equal(err.code, MF_E_PIN);
	mf_err_clear(&err);
	assert_int_equal(load(&w), MF_E_NOT_FOUND);
	ok(mf_pin_store(w.home, "oci:*", &own, 1, 1, &w.env, &err), &err);
	ok(mf_publish_first(w.trust, NULL, &made, &err), &err);
	assert_int_equal(load(&w), MF_OK);
	mf_arena_clear(&made.arena);
	world_drop(&w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(pin_of_an_exact_name_goes_before_prefixes_and_the_longest_prefix_wins),
	    T(broken_pin_files_are_pin_errors),
	    T(unpinned_and_wrongly_pinned_repositories_are_refused),
	    T(pins_and_floors_that_are_no_files_are_refused_at_once),
	    T(trust_on_first_use_is_stored_but_not_in_ci),
	    T(floors_that_cannot_be_read_are_never_taken_for_none),
	    T(clock_behind_the_floor_is_rollback_within_a_tolerance),
	    T(repository_that_was_there_is_gone_and_another_is_not_found),
	    T(lower_versions_than_seen_are_rollback),
	    T(rotated_online_keys_let_versions_start_again),
	    T(pin_on_any_root_of_the_chain_accepts_a_rotation),
	    T(chain_with_a_missing_or_unsigned_step_is_refused),
	    T(expired_last_root_is_expired),
	    T(replaced_root_of_a_trusted_version_is_refused_even_when_the_pinned_key_signed_it),
	    T(pin_threshold_counts_distinct_signers),
	    T(own_root_is_adopted_by_who_holds_its_threshold_only),
	    T(update_is_published_proven_and_raises_the_floor),
	    T(lost_race_is_tried_again_and_nothing_of_the_other_is_lost),
	    T(update_without_a_key_of_the_role_is_a_key_error_and_publishes_nothing),
	    T(a_publish_makes_timestamp_and_snapshot_fresh_for_ninety_days),
	    T(prefix_pin_lets_its_own_root_key_initialise_and_no_other),
	    T(holder_of_the_root_key_publishes_without_a_pin_and_gets_one),
	    T(second_initialisation_is_a_conflict_and_one_after_a_loss_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
