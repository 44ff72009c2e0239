/* Trust repositories on a web server: tests/support/static.py serves what the test has written. Programs run
 * in the top directory. */
#include "hostile.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "publish/publish.h"
#include "store/file.h"
#include "trust/names.h"

/* ---- names */

static void text_is(struct mf_buf *b, int rc, const char *wanted, const struct mf_err *err)
{
	ok(rc, err);
	assert_string_equal(mf_buf_str(b).p, wanted);
	mf_buf_reset(b);
}

static void names_of_files_leave_no_directory(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	(void)state;
	text_is(&b, mf_trust_name_role(&b, "timestamp", 0, &err), "timestamp.json", &err);
	text_is(&b, mf_trust_name_role(&b, "root", 12, &err), "12.root.json", &err);
	text_is(&b, mf_trust_name_role(&b, "targets/qa", 3, &err), "3.targets%2Fqa.json", &err);
	text_is(&b, mf_trust_name_role(&b, "../x y%?", 1, &err), "1...%2Fx%20y%25%3F.json", &err);
	text_is(&b, mf_trust_name_gun(&b, "host:5000/acme/app", &err), "host%3A5000/acme/app", &err);
}

static void names_of_targets_carry_the_hash_and_stay_below_targets(void **state)
{
	static const char *const bad[] = {"",     ".",    "..",   "/a",    "a/",
					  "a//b", "../a", "a/..", "a/./b", "a/../b"};
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d = {{0xab}};
	const char *zeros = "ab00000000000000000000000000000000000000000000000000000000000000";
	char wanted[200];
	(void)state;
	(void)snprintf(wanted, sizeof wanted, "targets/qa/%s.sha256-12", zeros);
	text_is(&b, mf_trust_name_target(&b, MF_STR("qa/sha256-12"), &d, &err), wanted, &err);
	text_is(&b, mf_trust_name_target(&b, MF_STR("qa/sha256-12"), NULL, &err), "targets/qa/sha256-12",
		&err);
	(void)snprintf(wanted, sizeof wanted, "targets/%s.a%%20b%%25", zeros);
	text_is(&b, mf_trust_name_target(&b, MF_STR("a b%"), &d, &err), wanted, &err);
	text_is(&b, mf_trust_name_target(&b, MF_STR("x.y/..z/a:b"), NULL, &err), "targets/x.y/..z/a%3Ab",
		&err);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(mf_trust_name_target(&b, mf_str_c(bad[i]), &d, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		mf_err_clear(&err);
		mf_buf_reset(&b);
	}
}

static void servers_are_a_host_and_a_path_and_no_secret_is_repeated(void **state)
{
	static const char *const bad[] = {"",           "/", "///", "/path", "u:secret@host", "host/?secret",
					  "host#secret"};
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct mf_err err = MF_ERR_INIT;
	(void)state;
	text_is(&b, mf_trust_name_server(&b, "tuf+https://", "cdn.example", &err), "tuf+https://cdn.example",
		&err);
	text_is(&b, mf_trust_name_server(&b, "http://", "h:1/a//b///", &err), "http://h:1/a//b", &err);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(mf_trust_name_server(&b, "https://", bad[i], &err), -1);
		assert_int_equal(err.code, MF_E_USAGE);
		assert_null(strstr(err.msg, "secret"));
		mf_err_clear(&err);
	}
}

/* ---- a server for the directory above the repository */

struct site {
	struct world w;
	pid_t pid;
	char url[64], *log;
	struct hkey root, online;
	struct mf_http *http;
};

static void site_start(struct site *s)
{
	char *port_file = mf_path_join(s->w.dir, "port", NULL), text[16] = "";
	s->log = mf_path_join(s->w.dir, "log", NULL);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (!s->pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test does not come to site_drop() */
		(void)execlp("sh", "sh", "tests/support/python.sh", "tests/support/static.py", "--log",
			     s->log, "--port-file", port_file, s->w.dir, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 400 && !text[0]; i++) {
		FILE *f = fopen(port_file, "r");
		if (f) {
			text[fread(text, 1, sizeof text - 1, f)] = 0;
			(void)fclose(f);
		} else {
			usleep(25000);
		}
	}
	assert_true(text[0]);
	(void)snprintf(s->url, sizeof s->url, "tuf+http://127.0.0.1:%d", atoi(text));
	free(port_file);
}

static void site_make(struct site *s, void **state)
{
	struct mf_err err = MF_ERR_INIT;
	world_make(&s->w, state);
	struct mf_http_options o = {.user_agent = "test"};
	s->http = mf_http_new(&o, &s->w.env, &err);
	assert_non_null(s->http);
	s->w.cfg.http = s->http;
	s->root = key_new();
	s->online = key_new();
	site_start(s);
}

static void site_drop(struct site *s)
{
	int status;
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, &status, 0);
	mf_trust_close(s->w.trust);
	s->w.trust = NULL;
	mf_http_free(s->http);
	key_drop(&s->root);
	key_drop(&s->online);
	free(s->log);
	world_drop(&s->w);
}

static enum mf_code load(struct site *s)
{
	struct mf_err err = MF_ERR_INIT;
	mf_trust_close(s->w.trust);
	s->w.trust = NULL;
	(void)remove(s->log);
	s->w.env.deadline_ms = mf_monotonic_ms() + 20000;
	ok(mf_trust_open(s->url, "repo", NAME, &s->w.cfg, &s->w.trust, &err), &err);
	return mf_trust_load(s->w.trust, &(struct mf_load){0}, &err) < 0 ? err.code : MF_OK;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What was asked for since the load began, sorted: "200 1.root.json 404 2.root.json"... */
static void asked(struct site *s, const char *wanted)
{
	char line[4096], *v[64], got[4096] = "";
	size_t n = 0;
	FILE *f = fopen(s->log, "r");
	while (f && fgets(line, sizeof line, f)) {
		const char *path = strstr(line, "\"path\": \"/repo/"), *status = strstr(line, "\"status\": ");
		assert_non_null(path);
		assert_non_null(status);
		path += strlen("\"path\": \"/repo/");
		assert_true(n < 64 && asprintf(&v[n++], "%.3s %.*s", status + strlen("\"status\": "),
					       (int)strcspn(path, "\""), path) > 0);
	}
	if (f)
		(void)fclose(f);
	qsort(v, n, sizeof v[0], by_text);
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(got);
		(void)snprintf(got + at, sizeof got - at, "%s%s", at ? " " : "", v[i]);
		free(v[i]);
	}
	assert_string_equal(got, wanted);
}

/* Roots 1 to n, each under a key of its own; the last key and all in between are dropped by the caller. */
struct chain {
	struct hkey k[5];
	size_t n;
};

static void chain_make(struct site *s, struct chain *c, size_t n)
{
	c->n = n;
	for (size_t i = 0; i < n; i++)
		c->k[i] = key_new();
	for (size_t i = 0; i < n; i++) {
		struct hkey *signers[] = {&c->k[i], i ? &c->k[i - 1] : NULL};
		write_root(&s->w, (int64_t)i + 1, &c->k[i], &s->online, signers, i ? 2 : 1);
	}
	remove_in(s->w.repo, "root.json");
	pin(&s->w, &c->k[0].fp);
}

static void chain_drop(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		key_drop(&c->k[i]);
}

static void forget_cache(struct site *s)
{
	mf_cache_flush(&s->w.files);
	assert_int_equal(nftw(s->w.cache, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#define REST "200 1.snapshot.json 200 1.targets.json 200 timestamp.json"

static void each_root_is_asked_for_once_and_never_again(void **state)
{
	struct site s;
	struct chain c;
	site_make(&s, state);
	chain_make(&s, &c, 3);
	write_rest(&s.w, 1, &s.online);
	assert_int_equal(load(&s), MF_OK);
	assert_int_equal(mf_trust_set(s.w.trust)->root->version, 3);
	asked(&s, "200 1.root.json 200 1.snapshot.json 200 1.targets.json 200 2.root.json 200 3.root.json "
		  "200 timestamp.json 404 4.root.json");
	assert_int_equal(load(&s), MF_OK);
	asked(&s, "200 timestamp.json 404 4.root.json");
	/* A machine that keeps no floors: the chain from the pin is in the cache. */
	forget_floors(&s.w);
	assert_int_equal(load(&s), MF_OK);
	asked(&s, "200 timestamp.json 404 4.root.json");
	/* One that keeps no cache: from the last trusted root, and if need be back to the pinned one. */
	forget_cache(&s);
	assert_int_equal(load(&s), MF_OK);
	asked(&s, "200 1.root.json 200 1.snapshot.json 200 1.targets.json 200 2.root.json 200 3.root.json "
		  "200 timestamp.json 404 4.root.json");
	pin(&s.w, &c.k[2].fp);
	forget_cache(&s);
	assert_int_equal(load(&s), MF_OK);
	asked(&s,
	      "200 1.snapshot.json 200 1.targets.json 200 3.root.json 200 timestamp.json 404 4.root.json");
	chain_drop(&c);
	site_drop(&s);
}

static void cache_behind_the_last_trusted_root_is_passed_over(void **state)
{
	struct site s;
	struct chain c;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf one MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	site_make(&s, state);
	chain_make(&s, &c, 3);
	write_rest(&s.w, 1, &s.online);
	pin(&s.w, &c.k[2].fp);
	assert_int_equal(load(&s), MF_OK);
	char *path = mf_path_join(s.w.repo, "1.root.json", NULL);
	ok(mf_file_read(path, 65536, &one, &err), &err);
	free(path);
	mf_cache_put(&s.w.files, NAME, "root", 0, mf_buf_bytes(&one));
	assert_int_equal(load(&s), MF_OK);
	asked(&s, "200 3.root.json 200 timestamp.json 404 4.root.json");
	chain_drop(&c);
	site_drop(&s);
}

static void roots_before_the_pinned_one_do_not_matter(void **state)
{
	struct site s;
	struct chain c;
	site_make(&s, state);
	chain_make(&s, &c, 3);
	write_rest(&s.w, 1, &s.online);
	struct hkey evil = key_new(), *es[] = {&evil};
	write_root(&s.w, 1, &evil, &s.online, es, 1);
	assert_int_equal(load(&s), MF_E_PIN); /* the pin is root 1's own key */
	pin(&s.w, &c.k[1].fp);
	assert_int_equal(load(&s), MF_OK);
	assert_int_equal(mf_trust_set(s.w.trust)->root->version, 3);
	key_drop(&evil);
	chain_drop(&c);
	site_drop(&s);
}

static void new_roots_are_followed_from_the_cached_one(void **state)
{
	struct site s;
	struct chain c;
	site_make(&s, state);
	chain_make(&s, &c, 4);
	write_rest(&s.w, 1, &s.online);
	struct mf_buf three MF_BUF_CLEANUP = MF_BUF_INIT(65536), four MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_err err = MF_ERR_INIT;
	char *p3 = mf_path_join(s.w.repo, "3.root.json", NULL),
	     *p4 = mf_path_join(s.w.repo, "4.root.json", NULL);
	ok(mf_file_read(p3, 65536, &three, &err), &err);
	ok(mf_file_read(p4, 65536, &four, &err), &err);
	(void)remove(p3);
	(void)remove(p4);
	assert_int_equal(load(&s), MF_OK);
	assert_int_equal(mf_trust_set(s.w.trust)->root->version, 2);
	write_in(s.w.repo, "3.root.json", mf_buf_str(&three));
	write_in(s.w.repo, "4.root.json", mf_buf_str(&four));
	assert_int_equal(load(&s), MF_OK);
	assert_int_equal(mf_trust_set(s.w.trust)->root->version, 4);
	asked(&s, "200 3.root.json 200 4.root.json 200 timestamp.json 404 5.root.json");
	assert_int_equal(load(&s), MF_OK);
	asked(&s, "200 timestamp.json 404 5.root.json");
	/* The published chain goes back behind what was trusted. */
	(void)remove(p4);
	forget_cache(&s);
	assert_int_equal(load(&s), MF_E_GONE);
	free(p3);
	free(p4);
	chain_drop(&c);
	site_drop(&s);
}

static void cached_roots_of_somebody_else_or_no_roots_cost_requests_and_nothing_else(void **state)
{
	struct site s;
	struct chain c;
	site_make(&s, state);
	chain_make(&s, &c, 2);
	write_rest(&s.w, 1, &s.online);
	/* Theirs: well signed, of a version far ahead. */
	char *honest = s.w.repo;
	struct hkey evil = key_new(), other = key_new(), *es[] = {&evil};
	struct mf_buf theirs MF_BUF_CLEANUP = MF_BUF_INIT(65536), first MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_err err = MF_ERR_INIT;
	s.w.repo = mf_path_join(s.w.dir, "evil", NULL);
	write_root(&s.w, 1, &evil, &other, es, 1);
	write_root(&s.w, 7, &evil, &other, es, 1);
	char *path = mf_path_join(s.w.repo, "7.root.json", NULL);
	ok(mf_file_read(path, 65536, &theirs, &err), &err);
	free(path);
	/* Or of the version before the next one. */
	path = mf_path_join(s.w.repo, "1.root.json", NULL);
	ok(mf_file_read(path, 65536, &first, &err), &err);
	free(path);
	free(s.w.repo);
	s.w.repo = honest;
	mf_cache_put(&s.w.files, NAME, "root", 0, mf_buf_bytes(&first));
	assert_int_equal(load(&s), MF_OK);
	forget_floors(&s.w);
	for (int floors = 0; floors < 2; floors++) {
		mf_cache_put(&s.w.files, NAME, "root", 0, mf_buf_bytes(&theirs));
		mf_cache_put(&s.w.files, NAME, "root", 6, mf_buf_bytes(&theirs));
		assert_int_equal(load(&s), MF_OK);
		assert_int_equal(load(&s), MF_OK);
		asked(&s, "200 timestamp.json 404 3.root.json");
		mf_cache_put(&s.w.files, NAME, "root", 0, mf_bytes_of(MF_STR("{}")));
		assert_int_equal(load(&s), MF_OK);
		assert_int_equal(load(&s), MF_OK);
		asked(&s, "200 timestamp.json 404 3.root.json");
		forget_floors(&s.w);
	}
	key_drop(&evil);
	key_drop(&other);
	chain_drop(&c);
	site_drop(&s);
}

static void next_root_that_does_not_follow_is_refused_with_and_without_a_cache(void **state)
{
	struct site s;
	struct chain c;
	site_make(&s, state);
	chain_make(&s, &c, 1);
	write_rest(&s.w, 1, &s.online);
	assert_int_equal(load(&s), MF_OK);
	struct hkey evil = key_new(), other = key_new(), *es[] = {&evil};
	write_root(&s.w, 2, &evil, &other, es, 1);
	write_rest(&s.w, 2, &other);
	assert_int_equal(load(&s), MF_E_SIGNATURE);
	forget_cache(&s);
	assert_int_equal(load(&s), MF_E_SIGNATURE);
	/* What was refused is not in the cache. */
	remove_in(s.w.repo, "2.root.json");
	write_rest(&s.w, 2, &s.online);
	assert_int_equal(load(&s), MF_OK);
	assert_int_equal(mf_trust_set(s.w.trust)->root->version, 1);
	key_drop(&evil);
	key_drop(&other);
	chain_drop(&c);
	site_drop(&s);
}

static void role_whose_name_is_escaped_is_found_as_we_write_it_and_as_others_do(void **state)
{
	struct site s;
	struct chain c;
	char delegations[2000];
	site_make(&s, state);
	chain_make(&s, &c, 1);
	(void)snprintf(delegations, sizeof delegations,
		       "{\"keys\":{\"%s\":%s},\"roles\":[{\"keyids\":[\"%s\"],\"name\":\"targets/qa "
		       "team\",\"paths\":[\"qa/*\"],\"terminating\":false,\"threshold\":1}]}",
		       s.online.id, s.online.object.p, s.online.id);
	struct hrole roles[] = {
	    {.role = "targets", .version = 1, .key = &s.online, .delegations = delegations},
	    {.role = "targets/qa team", .version = 1, .key = &s.online}};
	char *dir = mf_path_join(s.w.repo, "1.targets", NULL);
	struct mf_err err = MF_ERR_INIT;
	ok(mf_dir_make(dir, 0700, &err), &err);
	write_all(&s.w, roles, 2, 1, &s.online);
	char *theirs = mf_path_join(dir, "qa team.json", NULL),
	     *ours = mf_path_join(s.w.repo, "1.targets%2Fqa%20team.json", NULL);
	assert_int_equal(load(&s), MF_OK);
	asked(&s, "200 1.root.json 200 1.snapshot.json 200 1.targets%2Fqa%20team.json 200 1.targets.json "
		  "200 timestamp.json 404 1.targets%252Fqa%2520team.json 404 2.root.json");
	assert_int_equal(rename(theirs, ours), 0);
	forget_cache(&s);
	assert_int_equal(load(&s), MF_OK);
	asked(&s, "200 1.root.json 200 1.snapshot.json 200 1.targets%252Fqa%2520team.json 200 1.targets.json "
		  "200 timestamp.json 404 2.root.json");
	assert_int_equal(remove(ours), 0);
	forget_cache(&s);
	assert_int_equal(load(&s), MF_E_GONE);
	free(theirs);
	free(ours);
	free(dir);
	chain_drop(&c);
	site_drop(&s);
}

/* Root 1 of a repository without consistent snapshots. */
static void write_plain_root(struct world *w, struct hkey *root, struct hkey *online)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(65536), file MF_BUF_CLEANUP = MF_BUF_INIT(65536),
				plain MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const unsigned rest = 1 << MF_TUF_TARGETS | 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP;
	struct mf_tuf_root_key keys[2] = {{mf_buf_str(&root->object), root->id, 1 << MF_TUF_ROOT},
					  {mf_buf_str(&online->object), online->id, rest}};
	ok(mf_tuf_build_root(&mf_dialect_tuf1, &(struct mf_tuf_root_spec){keys, 2, 1, w->now + DAY, 0},
			     &canonical, &err),
	   &err);
	char *at = strstr(canonical.p, "\"consistent_snapshot\":true");
	assert_non_null(at);
	ok(mf_buf_add(&plain, canonical.p, (size_t)(at - canonical.p), &err), &err);
	ok(mf_buf_printf(&plain, &err, "\"consistent_snapshot\":false%s",
			 at + strlen("\"consistent_snapshot\":true")),
	   &err);
	sign_file(mf_buf_str(&plain), &root, 1, &file);
	write_in(w->repo, "1.root.json", mf_buf_str(&file));
}

static void write_plain_rest(struct world *w, int64_t version, struct hkey *online)
{
	static const char *const roles[] = {"snapshot", "targets"};
	write_rest(w, version, online);
	for (size_t i = 0; i < 2; i++) {
		char name[40], plain[40];
		(void)snprintf(name, sizeof name, "%lld.%s.json", (long long)version, roles[i]);
		(void)snprintf(plain, sizeof plain, "%s.json", roles[i]);
		char *from = mf_path_join(w->repo, name, NULL), *to = mf_path_join(w->repo, plain, NULL);
		assert_int_equal(rename(from, to), 0);
		free(from);
		free(to);
	}
}

/* ---- a publish between two requests */

static struct {
	struct world *w;
	struct hkey *root, *next;
	int timestamps, rotate_at;
	int snapshots, publish_at;
	int64_t version;
} race;

static struct mf_fetch *racing_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct hkey *signers[] = {race.root};
	if (strcmp(key->role, "timestamp") == 0 && ++race.timestamps == race.rotate_at) {
		write_root(race.w, 2, race.root, race.next, signers, 1);
		write_rest(race.w, 2, race.next);
	}
	if (strcmp(key->role, "snapshot") == 0 && ++race.snapshots <= race.publish_at)
		write_plain_rest(race.w, ++race.version, race.next);
	return mf_repo_tuf_dir.begin(r, key, err);
}

static void rotation_between_two_requests_is_no_attack(void **state)
{
	struct world w;
	world_make(&w, state);
	struct hkey root = key_new(), old = key_new(), next = key_new(), *signers[] = {&root};
	write_root(&w, 1, &root, &old, signers, 1);
	write_rest(&w, 1, &old);
	pin(&w, &root.fp);
	w.remote = mf_repo_tuf_dir;
	w.remote.begin = racing_begin;
	race.w = &w;
	race.root = &root;
	race.next = &next;
	race.rotate_at = 1;
	assert_int_equal(load_how(&w, true, ""), MF_OK);
	assert_int_equal(mf_trust_set(w.trust)->root->version, 2);
	assert_int_equal(race.timestamps, 2);
	/* An attack stays one, and the retries end. */
	write_rest(&w, 3, &old);
	race.timestamps = race.rotate_at = 0;
	assert_int_equal(load_how(&w, true, ""), MF_E_SIGNATURE);
	assert_int_equal(race.timestamps, 1);
	/* Nor is a next root that does not hold a newer one. */
	write_root(&w, 3, &next, &old, (struct hkey *[]){&next}, 1);
	race.timestamps = 0;
	assert_int_equal(load_how(&w, true, ""), MF_E_SIGNATURE);
	assert_int_equal(race.timestamps, 0);
	key_drop(&root);
	key_drop(&old);
	key_drop(&next);
	world_drop(&w);
}

static void publish_among_files_of_plain_names_is_no_attack(void **state)
{
	struct world w;
	world_make(&w, state);
	struct hkey root = key_new(), online = key_new();
	write_plain_root(&w, &root, &online);
	write_plain_rest(&w, 1, &online);
	pin(&w, &root.fp);
	w.remote = mf_repo_tuf_dir;
	w.remote.begin = racing_begin;
	memset(&race, 0, sizeof race);
	race.w = &w;
	race.next = &online;
	race.publish_at = 1;
	race.version = 1;
	assert_int_equal(load_how(&w, true, ""), MF_OK);
	assert_int_equal(mf_trust_set(w.trust)->timestamp->version, 2);
	/* Files that never fit: the retries end. */
	race.snapshots = 0;
	race.publish_at = 100;
	assert_int_equal(load_how(&w, true, ""), MF_E_DIGEST);
	assert_int_equal(race.snapshots, 2);
	key_drop(&root);
	key_drop(&online);
	world_drop(&w);
}

/* ---- repositories that others made */

/* A snapshot or timestamp that lists one file by version alone. */
static void write_bare_meta(struct site *s, const char *type, const char *listed, const char *name)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf c MF_BUF_CLEANUP = MF_BUF_INIT(65536), file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct hkey *signer = &s->online;
	char when[MF_TIME_LEN];
	mf_time_format(when, s->w.now + DAY);
	ok(mf_buf_printf(&c, &err,
			 "{\"_type\":\"%s\",\"expires\":\"%s\",\"meta\":{\"%s.json\":{\"version\":1}},"
			 "\"spec_version\":\"1.0.33\",\"version\":1}",
			 type, when, listed),
	   &err);
	sign_file(mf_buf_str(&c), &signer, 1, &file);
	write_in(s->w.repo, name, mf_buf_str(&file));
}

static void files_that_are_announced_without_a_hash_are_not_taken_from_the_cache(void **state)
{
	struct site s;
	struct chain c;
	site_make(&s, state);
	chain_make(&s, &c, 1);
	write_rest(&s.w, 1, &s.online);
	write_bare_meta(&s, "snapshot", "targets", "1.snapshot.json");
	write_bare_meta(&s, "timestamp", "snapshot", "timestamp.json");
	assert_int_equal(load(&s), MF_OK);
	assert_int_equal(load(&s), MF_OK);
	asked(&s, REST " 404 2.root.json");
	chain_drop(&c);
	site_drop(&s);
}

static int target(struct site *s, const char *text, const char *content, struct mf_err *err)
{
	struct mf_tuf_target_info info = {.length = strlen(content)};
	ok(mf_sha256(mf_bytes_of(mf_str_c(content)), &info.sha256, err), err);
	struct mf_spool *spool MF_SPOOL_CLEANUP = mf_spool_new(100, err);
	assert_non_null(spool);
	int rc = mf_trust_target_get(s->w.trust, mf_str_c(text), &info, spool, err);
	struct mf_digest d;
	uint64_t n;
	if (rc == 1) {
		ok(mf_spool_end(spool, &d, &n, err), err);
		assert_true(n == info.length && mf_digest_eq(&d, &info.sha256));
	}
	return rc;
}

static void without_consistent_snapshots_names_are_plain(void **state)
{
	struct site s;
	struct mf_err err = MF_ERR_INIT;
	site_make(&s, state);
	write_plain_root(&s.w, &s.root, &s.online);
	pin(&s.w, &s.root.fp);
	write_plain_rest(&s.w, 1, &s.online);
	char *dir = mf_path_join(s.w.repo, "targets/qa", NULL);
	write_in(dir, "x y", MF_STR("plain"));
	assert_int_equal(load(&s), MF_OK);
	asked(&s, "200 1.root.json 200 snapshot.json 200 targets.json 200 timestamp.json 404 2.root.json");
	/* The file is named as we escape it: a server decodes the URL once. */
	assert_int_equal(target(&s, "qa/x y", "plain", &err), 0);
	write_in(dir, "x%20y", MF_STR("plain"));
	assert_int_equal(target(&s, "qa/x y", "plain", &err), 1);
	free(dir);
	site_drop(&s);
}

static void targets_are_read_up_to_their_length(void **state)
{
	struct site s;
	struct chain c;
	struct mf_err err = MF_ERR_INIT;
	site_make(&s, state);
	chain_make(&s, &c, 1);
	write_rest(&s.w, 1, &s.online);
	assert_int_equal(load(&s), MF_OK);
	char hex[65], name[100];
	struct mf_digest d;
	ok(mf_sha256(mf_bytes_of(MF_STR("content")), &d, &err), &err);
	mf_digest_hex(hex, &d);
	(void)snprintf(name, sizeof name, "%s.x", hex);
	char *dir = mf_path_join(s.w.repo, "targets/qa", NULL);
	assert_int_equal(target(&s, "qa/x", "content", &err), 0);
	write_in(dir, name, MF_STR("content"));
	assert_int_equal(target(&s, "qa/x", "content", &err), 1);
	write_in(dir, name, MF_STR("content and more"));
	assert_int_equal(target(&s, "qa/x", "content", &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	free(dir);
	chain_drop(&c);
	site_drop(&s);
}

static void web_servers_are_read_only(void **state)
{
	struct site s;
	struct chain c;
	struct mf_err err = MF_ERR_INIT;
	struct mf_publish_made made = {.arena = MF_ARENA_INIT};
	site_make(&s, state);
	chain_make(&s, &c, 1);
	write_rest(&s.w, 1, &s.online);
	assert_int_equal(load(&s), MF_OK);
	assert_int_equal(mf_trust_check_writable(s.w.trust, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	assert_non_null(strstr(err.hint, "tuf+file:///"));
	mf_err_clear(&err);
	assert_int_equal(mf_trust_load(s.w.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN}, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	mf_err_clear(&err);
	assert_int_equal(mf_publish_first(s.w.trust, NULL, &made, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	mf_arena_clear(&made.arena);
	assert_null(mf_trust_dir(s.w.trust));
	chain_drop(&c);
	site_drop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_files_leave_no_directory),
	    cmocka_unit_test(names_of_targets_carry_the_hash_and_stay_below_targets),
	    cmocka_unit_test(servers_are_a_host_and_a_path_and_no_secret_is_repeated),
	    tmpdir_test(each_root_is_asked_for_once_and_never_again),
	    tmpdir_test(cache_behind_the_last_trusted_root_is_passed_over),
	    tmpdir_test(roots_before_the_pinned_one_do_not_matter),
	    tmpdir_test(new_roots_are_followed_from_the_cached_one),
	    tmpdir_test(cached_roots_of_somebody_else_or_no_roots_cost_requests_and_nothing_else),
	    tmpdir_test(next_root_that_does_not_follow_is_refused_with_and_without_a_cache),
	    tmpdir_test(role_whose_name_is_escaped_is_found_as_we_write_it_and_as_others_do),
	    tmpdir_test(rotation_between_two_requests_is_no_attack),
	    tmpdir_test(publish_among_files_of_plain_names_is_no_attack),
	    tmpdir_test(files_that_are_announced_without_a_hash_are_not_taken_from_the_cache),
	    tmpdir_test(without_consistent_snapshots_names_are_plain),
	    tmpdir_test(targets_are_read_up_to_their_length),
	    tmpdir_test(web_servers_are_read_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
