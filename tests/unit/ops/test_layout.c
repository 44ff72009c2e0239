/* put, get and list over an OCI image layout, through the public interface, with a clock that the test sets.
 */
#include "world.h"

#include <spawn.h>
#include <sys/wait.h>

#include "trust/load.h"
#include "publish/publish.h"

static void same_put_changes_nothing_and_another_description_does(void **state)
{
	struct world w;
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes");
	assert_int_equal(put(&w, &o).version, 2);
	w.now += 5;
	struct outcome same = put(&w, &o);
	assert_int_equal(same.status, 0);
	assert_true(same.unchanged);
	assert_int_equal(same.version, 2);
	o.reason = "looked again";
	struct outcome other = put(&w, &o);
	assert_false(other.unchanged);
	assert_int_equal(other.version, 3);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

static int64_t env_now(void *arg)
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

static void sign_next(struct mf_trust *t, struct mf_buf *canonical, enum mf_tuf_type type,
		      struct mf_publish_file *out, struct mf_buf *file)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_publish_signing job = {.role = &t->set.root->roles[type],
					 .canonical = mf_buf_str(canonical)};
	assert_int_equal(mf_publish_sign_file(t, &job, file, &err), 0);
	out->bytes = mf_buf_bytes(file);
	mf_buf_clear(canonical);
}

/* Publishes targets again as they are, to expire in a day. */
static void shorten_targets(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	struct mf_passphrase pass = {no_passphrase, NULL, true};
	struct mf_trust *t MF_TRUST_CLEANUP = NULL;
	mf_env_init(&env);
	env.now = env_now;
	env.now_arg = w;
	env.deadline_ms = mf_monotonic_ms() + 10000;
	char *keys = mf_path_join(w->home, "keys", NULL), *dir = mf_path_join(w->layout, "trust", NULL),
	     pin_name[600];
	char *real = realpath(w->layout, NULL);
	(void)snprintf(pin_name, sizeof pin_name, "oci:%s", real);
	free(real);
	struct mf_trust_config cfg = {.home = w->home,
				      .env = &env,
				      .key_name = "alice",
				      .keys = mf_keystore_new(keys, &pass, &env, &err)};
	assert_non_null(cfg.keys);
	assert_int_equal(mf_trust_open(dir, "oci", pin_name, &cfg, &t, &err), 0);
	assert_int_equal(mf_trust_load(t, &(struct mf_load){.purpose = MF_LOAD_SIGN}, &err), 0);
	struct mf_publish_file v[3] = {{"targets", 0, {0}}, {"snapshot", 0, {0}}, {"timestamp", 0, {0}}};
	struct mf_buf c = MF_BUF_INIT(65536),
		      files[3] = {MF_BUF_INIT(65536), MF_BUF_INIT(65536), MF_BUF_INIT(65536)};
	const struct mf_tuf_file *old[3] = {mf_tuf_set_find(&t->set, "targets")->file, t->set.snapshot,
					    t->set.timestamp};
	const enum mf_tuf_type types[3] = {MF_TUF_TARGETS, MF_TUF_SNAPSHOT, MF_TUF_TIMESTAMP};
	for (size_t i = 0; i < 3; i++) {
		v[i].version = old[i]->version + 1;
		struct mf_tuf_targets_spec targets = {
		    .old = old[0], .version = v[0].version, .expires = w->now + DAY};
		struct mf_tuf_listed listed = {i ? v[i - 1].role : "", i ? v[i - 1].version : 0,
					       i ? v[i - 1].bytes : (struct mf_bytes){0}};
		struct mf_tuf_meta_spec meta = {.type = types[i],
						.old = old[i],
						.files = &listed,
						.nfiles = 1,
						.version = v[i].version,
						.expires = w->now + 80 * DAY};
		assert_int_equal(i ? mf_tuf_build_meta(&mf_dialect_tuf1, &meta, &c, &err)
				   : mf_tuf_build_targets(&mf_dialect_tuf1, &targets, &c, &err),
				 0);
		sign_next(t, &c, types[i], &v[i], &files[i]);
	}
	struct mf_bytes base = mf_buf_bytes(&t->set.timestamp->bytes);
	assert_int_equal(t->repo->ops->publish(t->repo, v, 3, &base, &err), 0);
	for (size_t i = 0; i < 3; i++)
		mf_buf_clear(&files[i]);
	mf_keystore_free(cfg.keys);
	free(keys);
	free(dir);
}

/* Readers refuse an expired role: a put that says "unchanged" and leaves it so would have done nothing of
 * use. */
static void same_put_into_an_expired_role_makes_it_fresh(void **state)
{
	struct world w;
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes");
	assert_int_equal(put(&w, &o).status, 0);
	shorten_targets(&w);
	assert_int_equal(get(&w, "yes"), 0);
	w.now += 2 * DAY;
	assert_int_equal(get(&w, NULL), MANIFESTO_EXPIRED);
	struct outcome fresh = put(&w, &o);
	assert_int_equal(fresh.status, 0);
	assert_false(fresh.unchanged);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

static void put_into_a_layout_whose_timestamp_expired_makes_it_fresh(void **state)
{
	struct world w;
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes");
	assert_int_equal(put(&w, &o).status, 0);
	w.now += 91 * DAY;
	assert_int_equal(get(&w, NULL), MANIFESTO_EXPIRED);
	assert_int_equal(put(&w, &o).status, 0);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

static void record_that_expires_is_refused_from_then_on(void **state)
{
	struct world w;
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes");
	o.expires = w.now;
	assert_int_equal(put(&w, &o).status, MANIFESTO_USAGE);
	o.expires = w.now + 10;
	assert_int_equal(put(&w, &o).status, 0);
	w.now += 9;
	assert_int_equal(get(&w, "yes"), 0);
	w.now += 1;
	assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
	/* The same again is no "unchanged": it is another record, with another end. */
	o.expires = w.now + 10;
	struct outcome r = put(&w, &o);
	assert_int_equal(r.status, 0);
	assert_false(r.unchanged);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

static void initialisation_must_be_asked_for(void **state)
{
	struct world w;
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes");
	o.init = 0;
	assert_int_equal(put(&w, &o).status, MANIFESTO_NOT_FOUND);
	assert_int_equal(get(&w, NULL), MANIFESTO_NOT_FOUND);
	o.init = 1;
	assert_int_equal(put(&w, &o).status, 0);
	/* --init is for what does not exist: it never answers an attack. */
	char *trust = mf_path_join(w.layout, "trust", NULL), *aside = mf_path_join(w.layout, "aside", NULL);
	assert_int_equal(rename(trust, aside), 0);
	assert_int_equal(put(&w, &o).status, MANIFESTO_ROLLBACK);
	assert_int_equal(get(&w, NULL), MANIFESTO_ROLLBACK);
	assert_int_equal(rename(aside, trust), 0);
	open_as(&w, "stranger", "bob");
	assert_int_equal(put(&w, &o).status, MANIFESTO_PIN);
	free(trust);
	free(aside);
	world_drop(&w);
}

static void types_that_are_none_are_usage_errors(void **state)
{
	static const char *const types[] = {"", "../x", "QA", "qa/", "qa approval"};
	struct world w;
	world_make(&w, state);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct manifesto_error err;
		struct manifesto_get_options g = MANIFESTO_INIT(manifesto_get_options);
		const struct manifesto_get_result *r = NULL;
		struct manifesto_change_options o = put_of(&w, "yes");
		o.type = g.type = types[i];
		g.image = w.image;
		assert_int_equal(put(&w, &o).status, MANIFESTO_USAGE);
		assert_int_equal(manifesto_get(w.m, &g, &r, &err), -1);
		assert_int_equal(err.status, MANIFESTO_USAGE);
	}
	world_drop(&w);
}

/* TOOL FLAG A B, and waits until it has succeeded. */
static void run_tool(const char *tool, const char *flag, const char *a, const char *b)
{
	const char *words[] = {tool, flag, a, b};
	char *argv[5] = {NULL};
	pid_t pid;
	int status = -1;
	for (size_t i = 0; i < 4; i++) {
		argv[i] = mf_str_dup(mf_str_c(words[i]));
		assert_non_null(argv[i]);
	}
	assert_int_equal(posix_spawnp(&pid, tool, NULL, NULL, argv, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < 4; i++)
		free(argv[i]);
}

static void expired_state_is_not_published_upon_without_floors(void **state)
{
	struct world w;
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes"), other = put_of(&w, "fine");
	assert_int_equal(put(&w, &o).status, 0);
	char *trust = mf_path_join(w.layout, "trust", NULL), *old = mf_path_join(w.dir, "old", NULL);
	char *home = mf_path_join(w.dir, "home", NULL), *ci = mf_path_join(w.dir, "ci", NULL);
	char *floors = mf_path_join(ci, "floors", NULL);
	run_tool("cp", "-a", trust, old);
	run_tool("cp", "-a", home, ci);
	/* the owner replaces (or withdraws) it */
	o.data = "no!";
	assert_int_equal(put(&w, &o).status, 0);
	w.now += 100 * DAY; /* long after the old state has expired */
	assert_int_equal(put(&w, &o).status, 0);
	assert_int_equal(get(&w, "no!"), 0);
	/* the attacker restores the old state; a CI job with the pin and a key, but no floors, puts something
	 * else */
	run_tool("rm", "-rf", trust, floors);
	run_tool("cp", "-a", old, trust);
	open_as(&w, "ci", "alice");
	other.type = "scan";
	assert_int_equal(put(&w, &other).status, MANIFESTO_EXPIRED);
	assert_int_equal(get(&w, NULL), MANIFESTO_EXPIRED);
	free(trust);
	free(old);
	free(home);
	free(ci);
	free(floors);
	world_drop(&w);
}

/* An attack must not look like an absence. */
static void trust_is_judged_before_the_image_is_missed(void **state)
{
	struct world w;
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes");
	assert_int_equal(put(&w, &o).status, 0);
	(void)sprintf(strrchr(w.image, ':'), ":2.0");
	assert_int_equal(get(&w, NULL), MANIFESTO_NOT_FOUND);
	write_in(w.layout, "trust/timestamp.json", MF_STR("{}"));
	assert_int_equal(get(&w, NULL), MANIFESTO_INVALID);
	world_drop(&w);
}

static void tombstone_stays_until_it_is_lifted_on_purpose(void **state)
{
	struct world w;
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes"), dead = put_of(&w, "{}");
	dead.media_type = "application/vnd.manifesto.withdrawn.v1+json";
	assert_int_equal(put(&w, &o).status, 0);
	assert_int_equal(put(&w, &dead).status, 0);
	assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
	assert_int_equal(put(&w, &o).status, MANIFESTO_POLICY);
	o.force = 1;
	assert_int_equal(put(&w, &o).status, MANIFESTO_POLICY);
	assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
	o.force = 0;
	o.reinstate = 1;
	assert_int_equal(put(&w, &o).status, 0);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

static void remove_file(const struct world *w, const char *name)
{
	char *path = mf_path_join(w->layout, name, NULL);
	assert_int_equal(unlink(path), 0);
	free(path);
}

static void damaged_content_is_no_lost_content(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d, subject;
	char hex[65], subject_hex[65], target[300], blob[100];
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes");
	assert_int_equal(put(&w, &o).status, 0);
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR("yes")), &d, &err), 0);
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR(MANIFEST)), &subject, &err), 0);
	mf_digest_hex(hex, &d);
	mf_digest_hex(subject_hex, &subject);
	(void)snprintf(blob, sizeof blob, "blobs/sha256/%s", hex);
	(void)snprintf(target, sizeof target, "trust/targets/qa/%s.sha256-%s", hex, subject_hex);
	remove_file(&w, blob);
	assert_int_equal(get(&w, "yes"), 0);
	write_in(w.layout, target, MF_STR("YES")); /* of the right length */
	assert_int_equal(get(&w, NULL), MANIFESTO_INVALID);
	remove_file(&w, target);
	assert_int_equal(get(&w, NULL), MANIFESTO_CONTENT_GONE);
	/* The same put mends it, though the record is unchanged. */
	assert_true(put(&w, &o).unchanged);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(same_put_changes_nothing_and_another_description_does),
	    T(same_put_into_an_expired_role_makes_it_fresh),
	    T(put_into_a_layout_whose_timestamp_expired_makes_it_fresh),
	    T(record_that_expires_is_refused_from_then_on),
	    T(initialisation_must_be_asked_for),
	    T(expired_state_is_not_published_upon_without_floors),
	    T(trust_is_judged_before_the_image_is_missed),
	    T(tombstone_stays_until_it_is_lifted_on_purpose),
	    T(damaged_content_is_no_lost_content),
	    T(types_that_are_none_are_usage_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
