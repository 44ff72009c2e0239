/* What a machine remembers (pins, floors), and what it does before and after it publishes. */
#include "hostile.h"

#include <signal.h>
#include <sys/resource.h>

#include "policy/policy.h"
#include "../publish/change.h"

#define HEX "00000000000000000000000000000000000000000000000000000000000000"
#define SUBJECT_NAME "qa/sha256-07" HEX

/* With empty targets. */
static void whole_make(struct simple *s, void **state)
{
	simple_make(s, state);
	write_rest(&s->w, 1, &s->online);
}

/* ---- pins */

static void pin_from_a_root_takes_its_threshold_and_needs_its_signatures(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	whole_make(&s, state);
	struct hkey b = key_new();
	struct hkey *both[] = {&s.root, &b};
	struct mf_buf c MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_tuf_root_key keys[3] = {
	    {mf_buf_str(&s.root.object), s.root.id, 1 << MF_TUF_ROOT},
	    {mf_buf_str(&b.object), b.id, 1 << MF_TUF_ROOT},
	    {mf_buf_str(&s.online.object), s.online.id,
	     1 << MF_TUF_TARGETS | 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP}};
	ok(mf_tuf_build_root(&mf_dialect_tuf1, &(struct mf_tuf_root_spec){keys, 3, 1, s.w.now + DAY, 0}, &c,
			     &err),
	   &err);
	char *at = strstr(strstr(c.p, "\"roles\""), "\"threshold\":1");
	assert_non_null(at);
	at[12] = '2';
	for (size_t n = 1; n <= 2; n++) {
		struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		struct mf_digest fps[MF_MAX_SIGNATURES];
		size_t nfps = 0;
		int64_t threshold = 0;
		sign_file(mf_buf_str(&c), both, n, &file);
		int rc = mf_pin_from_root(&mf_dialect_tuf1, "oci", s.w.now, mf_buf_bytes(&file), fps, &nfps,
					  &threshold, &err);
		assert_int_equal(rc, n == 1 ? -1 : 0);
		assert_int_equal(err.code, n == 1 ? MF_E_SIGNATURE : MF_OK);
		assert_int_equal(nfps, n == 1 ? 0 : 2);
		assert_int_equal(threshold, n == 1 ? 0 : 2);
		mf_err_clear(&err);
	}
	key_drop(&b);
	simple_drop(&s);
}

static void longest_prefix_wins_wherever_it_stands_in_the_file(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	struct mf_pin p;
	whole_make(&s, state);
#define PIN "{\"fingerprints\":[\"01" HEX "\"]}"
	write_in(s.w.home, "trust.json",
		 MF_STR("{\"manifestoTrust\":1,\"pins\":{\"reg/team/*\":" PIN ",\"reg/*\":" PIN ",\"*\":" PIN
			"}}"));
	ok(mf_pin_find(s.w.home, "reg/team/app", &p, &err), &err);
	assert_string_equal(p.pattern, "reg/team/*");
	mf_pin_clear(&p);
	simple_drop(&s);
}

static void exact_pin_alone_remembers_a_repository(void **state)
{
	struct simple s;
	whole_make(&s, state);
	remove_in(s.w.repo, "1.root.json");
	assert_int_equal(load_how(&s.w, false, ""), MF_E_GONE);
	simple_drop(&s);
}

static void damaged_root_of_the_pinned_key_is_a_signature_error(void **state)
{
	struct simple s;
	whole_make(&s, state);
	struct hkey evil = key_new(), *es[] = {&evil};
	memcpy(evil.id, s.root.id, sizeof evil.id); /* signs in the pinned key's name */
	write_root(&s.w, 1, &s.root, &s.online, es, 1);
	assert_int_equal(load_how(&s.w, false, ""), MF_E_SIGNATURE);
	key_drop(&evil);
	simple_drop(&s);
}

/* ---- the way back to the last trusted root */

static void missing_or_misnamed_step_back_is_no_absence(void **state)
{
	struct simple s;
	struct mf_buf one MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_err err = MF_ERR_INIT;
	whole_make(&s, state);
	struct hkey fresh = key_new(), *rs[] = {&s.root};
	assert_int_equal(load_how(&s.w, true, ""), MF_OK);
	char *path = mf_path_join(s.w.repo, "1.root.json", NULL);
	ok(mf_file_read(path, 65536, &one, &err), &err);
	free(path);
	write_root(&s.w, 2, &s.root, &fresh, rs, 1);
	write_root(&s.w, 3, &s.root, &fresh, rs, 1);
	write_rest(&s.w, 1, &fresh);
	write_in(s.w.repo, "2.root.json", mf_buf_str(&one));
	assert_int_equal(load_how(&s.w, true, ""), MF_E_FORMAT);
	remove_in(s.w.repo, "2.root.json");
	assert_int_equal(load_how(&s.w, true, ""), MF_E_GONE);
	mf_cache_account(&s.w.files);
	s.w.files.dir = "/proc/none"; /* nor when nothing is cached; not even root can make it */
	assert_int_equal(load_how(&s.w, true, ""), MF_E_GONE);
	write_root(&s.w, 2, &s.root, &fresh, rs, 1);
	write_root(&s.w, 3, &s.root, &fresh, rs, 1);
	assert_int_equal(load_how(&s.w, true, ""), MF_OK);
	key_drop(&fresh);
	simple_drop(&s);
}

/* ---- the cache */

static void files_that_wait_to_be_written_are_found(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	struct mf_trust_memory memory;
	whole_make(&s, state);
	assert_int_equal(load_how(&s.w, true, ""), MF_OK);
	assert_true(s.w.files.nwaiting > 0);
	assert_int_equal(mf_trust_remembers(s.w.trust, &memory, &err), MF_FOUND);
	assert_non_null(memory.cache);
	mf_trust_memory_clear(&memory);
	assert_int_equal(s.w.files.nwaiting, 0);
	mf_cache_put(&s.w.files, NAME, "targets", 0, mf_bytes_of(MF_STR("\"qa/\"")));
	char *dir = mf_trust_metadata_dir(s.w.trust, &err);
	assert_non_null(dir);
	free(dir);
	assert_int_equal(s.w.files.nwaiting, 0);
	/* It lists the name with the content's hash: the content is not new. */
	const struct mf_digest content = {{1}};
	char hex[65], text[80];
	mf_digest_hex(hex, &content);
	(void)snprintf(text, sizeof text, "qa/\"%s\"", hex);
	assert_true(mf_trust_seems_new(s.w.trust, MF_STR("qa/"), &content));
	mf_cache_put(&s.w.files, NAME, "targets", 0, mf_bytes_of(mf_str_c(text)));
	assert_false(mf_trust_seems_new(s.w.trust, MF_STR("qa/"), &content));
	simple_drop(&s);
}

/* ---- floors */

static int64_t floor_of(struct world *w, const char *role, int64_t *clock)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_floors f;
	ok(mf_floors_load(w->home, NAME, &f, &err), &err);
	int64_t v = mf_tuf_floor_get(&f.roles, role);
	*clock = f.clock;
	mf_floors_clear(&f);
	return v;
}

static void floors_are_not_lowered_by_whoever_is_late(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	int64_t clock;
	whole_make(&s, state);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	struct mf_trust *slow = s.w.trust;
	s.w.trust = NULL;
	write_rest(&s.w, 5, &s.online);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	s.w.now += 4000;
	slow->set.now = s.w.now; /* the clock alone makes it write */
	ok(mf_floors_raise(s.w.home, NAME, mf_trust_set(slow), &s.w.env, &err), &err);
	assert_int_equal(floor_of(&s.w, "targets", &clock), 5);
	assert_int_equal(floor_of(&s.w, "timestamp", &clock), 5);
	assert_int_equal(clock, s.w.now);
	mf_trust_close(slow);
	simple_drop(&s);
}

static void clock_is_remembered_once_an_hour(void **state)
{
	struct simple s;
	int64_t clock;
	whole_make(&s, state);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	s.w.now += 3600;
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	(void)floor_of(&s.w, "root", &clock);
	assert_int_equal(clock, s.w.now - 3600);
	s.w.now += 1;
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	(void)floor_of(&s.w, "root", &clock);
	assert_int_equal(clock, s.w.now);
	simple_drop(&s);
}

static void more_floors_than_fit_are_refused_and_not_written(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	int64_t clock;
	whole_make(&s, state);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	struct mf_tuf_set set = s.w.trust->set;
	enum { N = 12000 };
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
	assert_int_equal(mf_floors_raise(s.w.home, NAME, &set, &s.w.env, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_int_equal(floor_of(&s.w, "targets", &clock), 1);
	assert_int_equal(floor_of(&s.w, names[0], &clock), 0);
	free(v);
	free(p);
	free(names);
	simple_drop(&s);
}

static void floors_too_large_to_read_are_not_forgotten(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	char hex[65], name[90], *huge = malloc(MF_MAX_FLOORS_BYTES + 1);
	whole_make(&s, state);
	assert_non_null(huge);
	memset(huge, ' ', MF_MAX_FLOORS_BYTES + 1);
	ok(mf_sha256(mf_bytes_of(MF_STR(NAME)), &d, &err), &err);
	mf_digest_hex(hex, &d);
	(void)snprintf(name, sizeof name, "floors/%s.json", hex);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	write_in(s.w.home, name, (struct mf_str){huge, MF_MAX_FLOORS_BYTES + 1});
	assert_int_equal(load_how(&s.w, false, ""), MF_E_ROLLBACK);
	free(huge);
	simple_drop(&s);
}

/* ---- publishing to somebody who does not do as we ask */

static struct simple *serving; /* for the fake below */
static int asked;
static enum { LOSES, REPLACES, FORBIDS, IS_BUSY } server;

static int fake_publish(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
			const struct mf_bytes *base, struct mf_err *err)
{
	(void)r;
	(void)files;
	(void)n;
	(void)base;
	asked++;
	switch (server) {
	case LOSES:
		return 0;
	case REPLACES: /* by another file of the same version */
		write_rest(&serving->w, 2, &serving->online);
		return 0;
	case FORBIDS:
		return asked < 3 ? mf_fail(err, MF_E_AUTH, 0, "no") : 0;
	case IS_BUSY:
		break;
	}
	return mf_fail(err, MF_E_CONFLICT, 0, "somebody else was faster");
}

#define ENTRY "{\"hashes\":{\"sha256\":\"01" HEX "\"},\"length\":1}"

static enum mf_code publish(struct simple *s, bool fake)
{
	struct mf_err err = MF_ERR_INIT;
	static const struct mf_tuf_edit edit = {{"ours", 4}, {ENTRY, sizeof ENTRY - 1}};
	const struct mf_key_info *info;
	int64_t version;
	serving = s;
	asked = 0;
	mf_trust_close(s->w.trust);
	s->w.trust = NULL;
	if (!mf_keystore_find_fp(s->w.keys, &s->online.fp))
		ok(mf_keystore_add(s->w.keys, "alice", s->online.priv, &info, &err), &err);
	ok(mf_trust_open(s->w.repo, "oci", NAME, &s->w.cfg, &s->w.trust, &err), &err);
	s->w.remote = mf_repo_tuf_dir;
	s->w.remote.publish = fake ? fake_publish : mf_repo_tuf_dir.publish;
	s->w.trust->repo->ops = &s->w.remote;
	return publish_change(s->w.trust,
			      (struct mf_publish_change){.role = "targets", .edits = &edit, .nedits = 1},
			      &version, &err) < 0
		   ? err.code
		   : MF_OK;
}

static void publish_that_left_no_trace_is_no_success(void **state)
{
	struct simple s;
	whole_make(&s, state);
	server = LOSES;
	assert_int_equal(publish(&s, true), MF_E_CONFLICT);
	server = REPLACES;
	assert_int_equal(publish(&s, true), MF_E_INTERNAL);
	simple_drop(&s);
}

static void only_lost_races_are_tried_again_and_not_for_ever(void **state)
{
	struct simple s;
	whole_make(&s, state);
	server = FORBIDS;
	assert_int_equal(publish(&s, true), MF_E_AUTH);
	assert_int_equal(asked, 1);
	server = IS_BUSY;
	s.w.env.deadline_ms = mf_monotonic_ms() + 400;
	assert_int_equal(publish(&s, true), MF_E_CONFLICT);
	assert_true(asked > 1 && asked < 40);
	simple_drop(&s);
}

static bool cancelled(void *arg)
{
	(void)arg;
	return true;
}

static void interrupted_publish_changes_nothing(void **state)
{
	struct simple s;
	whole_make(&s, state);
	s.w.env.cancelled = cancelled;
	assert_int_equal(publish(&s, true), MF_E_CANCELLED);
	assert_int_equal(asked, 0);
	simple_drop(&s);
}

/* Old readers go on with the old state when a file cannot be written: timestamp.json comes last. */
static void failed_publish_leaves_the_old_state(void **state)
{
	struct simple s;
	struct rlimit old, small;
	whole_make(&s, state);
	assert_int_equal(publish(&s, false), MF_OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){100, old.rlim_max};
	void (*action)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	enum mf_code code = publish(&s, false);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, action);
	assert_int_equal(code, MF_E_IO);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	assert_int_equal(publish(&s, false), MF_OK);
	simple_drop(&s);
}

static void assert_file_is(const char *dir, const char *name, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	char *path = mf_path_join(dir, name, NULL);
	ok(mf_file_read(path, b.max, &b, &err), &err);
	assert_string_equal(b.p, text);
	free(path);
}

/* They may be in a copy of the directory, or in a cache that keeps them for a year. */
static void files_that_a_stopped_publish_left_keep_their_bytes(void **state)
{
	struct simple s;
	whole_make(&s, state);
	static const char *const left[] = {"2.targets.json", "3.targets.json", "2.snapshot.json"};
	for (size_t i = 0; i < 3; i++)
		write_in(s.w.repo, left[i], mf_str_c(left[i]));
	assert_int_equal(publish(&s, false), MF_OK);
	for (size_t i = 0; i < 3; i++)
		assert_file_is(s.w.repo, left[i], left[i]);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	const struct mf_tuf_set *set = mf_trust_set(s.w.trust);
	assert_int_equal(mf_tuf_set_find(set, "targets")->file->version, 4);
	assert_int_equal(set->snapshot->version, 3);
	assert_int_equal(set->timestamp->version, 2);
	simple_drop(&s);
}

static void roots_and_timestamps_skip_no_version_and_no_version_is_out_of_range(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	int64_t v;
	world_make(&w, state);
	ok(mf_trust_open(w.repo, "oci", NAME, &w.cfg, &w.trust, &err), &err);
	static const char *const there[] = {"2.root.json", "2.timestamp.json", "2.snapshot.json"};
	for (size_t i = 0; i < 3; i++)
		write_in(w.repo, there[i], MF_STR("x"));
	ok(mf_publish_next_version(w.trust, "root", 1, &v, &err), &err);
	assert_int_equal(v, 2);
	ok(mf_publish_next_version(w.trust, "timestamp", 1, &v, &err), &err);
	assert_int_equal(v, 2);
	ok(mf_publish_next_version(w.trust, "snapshot", 1, &v, &err), &err);
	assert_int_equal(v, 3);
	ok(mf_publish_next_version(w.trust, "qa", MF_MAX_VERSION - 1, &v, &err), &err);
	assert_int_equal(mf_publish_next_version(w.trust, "qa", MF_MAX_VERSION, &v, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	world_drop(&w);
}

/* Nobody can have read what there is without a root; but it may have been copied. */
static void a_stopped_first_publish_can_be_made_again(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	struct mf_publish_made made = {.arena = MF_ARENA_INIT};
	static const char *const left[] = {"1.targets.json", "1.snapshot.json", "timestamp.json"};
	world_make(&w, state);
	for (size_t i = 0; i < 3; i++)
		write_in(w.repo, left[i], mf_str_c(left[i]));
	assert_int_equal(load_how(&w, false, ""), MF_E_NOT_FOUND);
	ok(mf_publish_first(w.trust, NULL, &made, &err), &err);
	mf_arena_clear(&made.arena);
	assert_file_is(w.repo, left[0], left[0]);
	assert_file_is(w.repo, left[1], left[1]);
	assert_int_equal(load_how(&w, false, ""), MF_OK);
	assert_int_equal(mf_trust_set(w.trust)->snapshot->version, 2);
	world_drop(&w);
}

/* ---- reading while somebody publishes */

static struct simple *meanwhile; /* for the fake below */
static struct hkey *their_key;

/* Keys change behind the back of a reader who has read the roots. */
static struct mf_fetch *begin_too_late(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	if (strcmp(key->role, "timestamp") == 0 && meanwhile) {
		struct hkey *rs[] = {&meanwhile->root};
		write_root(&meanwhile->w, 2, &meanwhile->root, their_key, rs, 1);
		write_rest(&meanwhile->w, 2, their_key);
		meanwhile = NULL;
	}
	return mf_repo_tuf_dir.begin(r, key, err);
}

static void reader_whose_root_is_overtaken_reads_again(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	whole_make(&s, state);
	struct hkey b = key_new();
	their_key = &b;
	meanwhile = &s;
	s.w.remote = mf_repo_tuf_dir;
	s.w.remote.begin = begin_too_late;
	ok(mf_trust_open(s.w.repo, "oci", NAME, &s.w.cfg, &s.w.trust, &err), &err);
	s.w.trust->repo->ops = &s.w.remote;
	ok(mf_trust_load(s.w.trust, &(struct mf_load){0}, &err), &err);
	assert_int_equal(mf_trust_set(s.w.trust)->root->version, 2);
	assert_null(meanwhile);
	key_drop(&b);
	simple_drop(&s);
}

/* ---- thresholds and doubles */

static void file_with_too_few_signatures_is_not_published(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	whole_make(&s, state);
	struct hkey b = key_new(), *rs[] = {&s.root};
	struct mf_buf c MF_BUF_CLEANUP = MF_BUF_INIT(65536), file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const unsigned rest = 1 << MF_TUF_TARGETS | 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP;
	struct mf_tuf_root_key keys[3] = {{mf_buf_str(&s.root.object), s.root.id, 1 << MF_TUF_ROOT},
					  {mf_buf_str(&s.online.object), s.online.id, rest},
					  {mf_buf_str(&b.object), b.id, 1 << MF_TUF_TARGETS}};
	ok(mf_tuf_build_root(&mf_dialect_tuf1, &(struct mf_tuf_root_spec){keys, 3, 1, s.w.now + DAY, 0}, &c,
			     &err),
	   &err);
	char *at = strstr(strstr(strstr(c.p, "\"roles\""), "\"targets\""), "\"threshold\":1");
	assert_non_null(at);
	at[12] = '2';
	sign_file(mf_buf_str(&c), rs, 1, &file);
	write_in(s.w.repo, "1.root.json", mf_buf_str(&file));
	/* Its targets are signed by both. */
	struct hrole r = {.role = "targets", .version = 1, .key = &s.online, .cosigner = &b};
	write_all(&s.w, &r, 1, 1, &s.online);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	assert_int_equal(publish(&s, false), MF_E_THRESHOLD);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	key_drop(&b);
	simple_drop(&s);
}

static void role_that_two_delegators_list_counts_once(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	const struct mf_tuf_role *roles_out[8];
	whole_make(&s, state);
	char delegations[2048];
#define ROLE(name)                                                                                           \
	"{\"keyids\":[\"%s\"],\"name\":\"" name                                                              \
	"\",\"paths\":[\"qa/*\"],\"terminating\":false,\"threshold\":1}"
	(void)snprintf(delegations, sizeof delegations,
		       "{\"keys\":{\"%s\":%s},\"roles\":[" ROLE("a") "," ROLE("b") "]}", s.online.id,
		       s.online.object.p, s.online.id, s.online.id);
	struct hrole roles[] = {
	    {.role = "targets", .version = 1, .key = &s.online, .delegations = delegations},
	    {.role = "a", .version = 1, .key = &s.online, .delegations = delegations},
	    {.role = "b", .version = 1, .key = &s.online, .targets = "\"" SUBJECT_NAME "\":" ENTRY},
	};
	write_all(&s.w, roles, 3, 2, &s.online);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	assert_int_equal(mf_policy_roles(mf_trust_set(s.w.trust), MF_STR("qa"), roles_out, 8), 2);
	struct mf_entries e MF_ENTRIES_CLEANUP = {0};
	ok(mf_policy_list(mf_trust_set(s.w.trust), NULL, NULL, &e, &err), &err);
	assert_int_equal(e.n, 1);
	simple_drop(&s);
}

/* How many of the loaded files of a role were found by an index. */
static size_t load_by_index(struct simple *s, const char *role)
{
	struct mf_err err = MF_ERR_INIT;
	size_t n = 0;
	mf_trust_close(s->w.trust);
	ok(mf_trust_open(s->w.repo, "oci", NAME, &s->w.cfg, &s->w.trust, &err), &err);
	s->w.trust->repo->ops = &s->w.remote;
	ok(mf_trust_load(s->w.trust, &(struct mf_load){.by_subject = true}, &err), &err);
	const struct mf_tuf_set *set = mf_trust_set(s->w.trust);
	for (size_t i = 0; i < set->nroles; i++)
		n += strcmp(set->roles[i]->role, role) == 0 && set->roles[i]->file->index;
	return n;
}

static void role_that_two_delegators_list_has_an_index_for_each(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf many MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	char top[2048], below[2048];
	whole_make(&s, state);
	(void)snprintf(top, sizeof top,
		       "{\"keys\":{\"%s\":%s},\"roles\":[" ROLE("a") "," ROLE("b") "," ROLE("c") "]}",
		       s.online.id, s.online.object.p, s.online.id, s.online.id, s.online.id);
	(void)snprintf(below, sizeof below, "{\"keys\":{\"%s\":%s},\"roles\":[" ROLE("c") "]}", s.online.id,
		       s.online.object.p, s.online.id);
	for (size_t i = 0; many.n < 2 * MF_MIN_INDEXED_BYTES; i++)
		ok(mf_buf_printf(&many, &err, "%s\"qa/sha256-%064zx\":" ENTRY, i ? "," : "", i), &err);
	struct hrole roles[] = {
	    {.role = "targets", .version = 1, .key = &s.online, .delegations = top},
	    {.role = "a", .version = 1, .key = &s.online, .delegations = below},
	    {.role = "b", .version = 1, .key = &s.online, .delegations = below},
	    {.role = "c", .version = 1, .key = &s.online, .targets = many.p},
	};
	write_all(&s.w, roles, 4, 2, &s.online);
	assert_int_equal(load_by_index(&s, "c"), 0); /* fetched */
	assert_int_equal(load_by_index(&s, "c"), 2); /* for two of them it was in the cache by then */
	assert_int_equal(load_by_index(&s, "c"), 3);
	simple_drop(&s);
}

#define T(name) cmocka_unit_test_setup_teardown(name, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(pin_from_a_root_takes_its_threshold_and_needs_its_signatures),
	    T(longest_prefix_wins_wherever_it_stands_in_the_file),
	    T(exact_pin_alone_remembers_a_repository),
	    T(damaged_root_of_the_pinned_key_is_a_signature_error),
	    T(missing_or_misnamed_step_back_is_no_absence),
	    T(files_that_wait_to_be_written_are_found),
	    T(floors_are_not_lowered_by_whoever_is_late),
	    T(clock_is_remembered_once_an_hour),
	    T(more_floors_than_fit_are_refused_and_not_written),
	    T(floors_too_large_to_read_are_not_forgotten),
	    T(publish_that_left_no_trace_is_no_success),
	    T(only_lost_races_are_tried_again_and_not_for_ever),
	    T(interrupted_publish_changes_nothing),
	    T(failed_publish_leaves_the_old_state),
	    T(files_that_a_stopped_publish_left_keep_their_bytes),
	    T(a_stopped_first_publish_can_be_made_again),
	    T(roots_and_timestamps_skip_no_version_and_no_version_is_out_of_range),
	    T(reader_whose_root_is_overtaken_reads_again),
	    T(file_with_too_few_signatures_is_not_published),
	    T(role_that_two_delegators_list_counts_once),
	    T(role_that_two_delegators_list_has_an_index_for_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
