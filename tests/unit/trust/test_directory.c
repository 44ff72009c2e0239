/* Publishing in a directory: the order of the files, what is never overwritten, what is cleared away. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <time.h>

#include "trust/repo.h"

/* What the library does to the disk, in the order in which it does it: F and D are the syncs of a file and of
 * a directory. These stand before the C library's. */
static char done[1024];
static size_t ndone;

static void note(const char *what, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	if (slash && slash[1] == '.')
		return; /* the lock, and temporary files */
	ndone += (size_t)snprintf(done + ndone, sizeof done - ndone, "%s%s ", what, slash ? slash + 1 : "");
	assert_true(ndone < sizeof done);
}

int fsync(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	note(S_ISDIR(st.st_mode) ? "D" : "F", NULL);
	return (int)syscall(SYS_fsync, fd);
}

int link(const char *from, const char *to)
{
	note("", to);
	return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int rename(const char *from, const char *to)
{
	note("", to);
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

struct shelf {
	struct mf_env env;
	struct mf_trust_config cfg;
	struct mf_repo *repo;
	char *dir;
};

static void shelf_make(struct shelf *s, void **state)
{
	struct mf_err err = MF_ERR_INIT;
	*s = (struct shelf){.dir = mf_path_join(*state, "shelf", NULL)};
	mf_env_init(&s->env);
	s->env.deadline_ms = mf_monotonic_ms() + 20000;
	s->cfg.env = &s->env;
	s->repo = mf_repo_tuf_dir.open(&mf_repo_tuf_dir, s->dir, "oci", &s->cfg, &err);
	assert_non_null(s->repo);
	assert_int_equal(mkdir(s->dir, 0755), 0);
}

static void shelf_drop(struct shelf *s)
{
	mf_repo_tuf_dir.close(s->repo);
	free(s->dir);
}

static struct mf_publish_file named(const char *role, int64_t version)
{
	return (struct mf_publish_file){role, version, mf_bytes_of(mf_str_c(role))};
}

static enum mf_code publish(struct shelf *s, const struct mf_publish_file *files, size_t n, const char *base)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_bytes b = base ? mf_bytes_of(mf_str_c(base)) : (struct mf_bytes){0};
	return mf_repo_tuf_dir.publish(s->repo, files, n, base ? &b : NULL, &err) < 0 ? err.code : MF_OK;
}

/* Final names in the order in which they came to be. */
static void names_seen(int fd, char *out, size_t max)
{
	char buf[8192] __attribute__((aligned(8)));
	size_t at = 0;
	out[0] = '\0';
	ssize_t n = read(fd, buf, sizeof buf);
	assert_true(n > 0 || errno == EAGAIN);
	for (char *p = buf; n > 0 && p < buf + n;) {
		struct inotify_event e;
		memcpy(&e, p, sizeof e);
		const char *name = p + sizeof e;
		if (e.len && name[0] != '.')
			at += (size_t)snprintf(out + at, max - at, "%s ", name);
		p += sizeof e + e.len;
	}
}

/* Given in the worst order; a later root and the timestamp stay in theirs. */
static void publish_writes_what_is_referred_to_before_what_refers_to_it(void **state)
{
	static const struct {
		int64_t version;
		bool root_first;
		const char *seen;
	} rows[] = {
	    {1, true, "1.targets.json 1.snapshot.json timestamp.json 1.root.json "},
	    {2, true, "2.targets.json 2.snapshot.json 2.root.json timestamp.json "},
	    {3, false, "3.targets.json 3.snapshot.json timestamp.json 3.root.json "},
	};
	struct shelf s;
	char seen[512];
	shelf_make(&s, state);
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	assert_true(fd >= 0 && inotify_add_watch(fd, s.dir, IN_CREATE | IN_MOVED_TO) >= 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t v = rows[i].version;
		const char *a = rows[i].root_first ? "root" : "timestamp",
			   *b = rows[i].root_first ? "timestamp" : "root";
		struct mf_publish_file files[] = {named(a, v), named(b, v), named("targets", v),
						  named("snapshot", v)};
		assert_int_equal(publish(&s, files, 4, v == 1 ? NULL : "timestamp"), MF_OK);
		names_seen(fd, seen, sizeof seen);
		assert_string_equal(seen, rows[i].seen);
	}
	close(fd);
	shelf_drop(&s);
}

/* A crash of the machine must not leave a timestamp without what it leads to. */
static void each_file_is_on_disk_before_the_next_one_has_its_name(void **state)
{
	struct shelf s;
	shelf_make(&s, state);
	struct mf_publish_file files[] = {named("timestamp", 1), named("root", 1), named("targets", 1),
					  named("snapshot", 1)};
	ndone = 0;
	assert_int_equal(publish(&s, files, 4, NULL), MF_OK);
	assert_string_equal(done,
			    "F 1.targets.json D F 1.snapshot.json D F timestamp.json D F 1.root.json D ");
	shelf_drop(&s);
}

static void versioned_files_are_never_overwritten(void **state)
{
	struct shelf s;
	struct mf_err err = MF_ERR_INIT;
	int64_t v;
	shelf_make(&s, state);
	struct mf_publish_file first[] = {named("root", 1), named("timestamp", 1)};
	assert_int_equal(publish(&s, first, 2, NULL), MF_OK);
	write_in(s.dir, "5.qa.json", MF_STR("old"));
	write_in(s.dir, "6.qa.json", MF_STR("old"));
	struct mf_publish_file again[] = {named("qa", 5), named("timestamp", 2)};
	again[1].bytes = mf_bytes_of(MF_STR("new"));
	assert_int_equal(publish(&s, again, 2, "timestamp"), MF_E_CONFLICT);
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
	ok(mf_file_read(tmpdir_path(state, "shelf/5.qa.json"), 100, &b, &err), &err);
	assert_string_equal(b.p, "old");
	mf_buf_clear(&b);
	ok(mf_file_read(tmpdir_path(state, "shelf/timestamp.json"), 100, &b, &err), &err);
	assert_string_equal(b.p, "timestamp");
	ok(s.repo->ops->free_version(s.repo, "qa", 4, &v, &err), &err);
	assert_int_equal(v, 4);
	assert_int_equal(symlink("nowhere", tmpdir_path(state, "shelf/7.qa.json")), 0);
	ok(s.repo->ops->free_version(s.repo, "qa", 5, &v, &err), &err);
	assert_int_equal(v, 8);
	shelf_drop(&s);
}

static void versions_that_are_all_taken_are_not_looked_through_for_ever(void **state)
{
	struct shelf s;
	struct mf_err err = MF_ERR_INIT;
	int64_t v;
	shelf_make(&s, state);
	for (int i = 1; i <= 10000; i++) {
		char name[40];
		(void)snprintf(name, sizeof name, "shelf/%d.qa.json", i);
		assert_int_equal(symlink("x", tmpdir_path(state, name)), 0);
	}
	ok(s.repo->ops->free_version(s.repo, "qa", 2, &v, &err), &err);
	assert_int_equal(v, 10001);
	assert_int_equal(s.repo->ops->free_version(s.repo, "qa", 1, &v, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	shelf_drop(&s);
}

static void a_first_publish_loses_to_a_root_and_a_later_one_to_another_timestamp(void **state)
{
	struct shelf s;
	shelf_make(&s, state);
	struct mf_publish_file first[] = {named("root", 1), named("timestamp", 1)};
	struct mf_publish_file next = named("qa", 1);
	assert_int_equal(publish(&s, &next, 1, "timestamp"), MF_E_CONFLICT);
	assert_int_equal(publish(&s, first, 2, NULL), MF_OK);
	assert_int_equal(publish(&s, first, 2, NULL), MF_E_CONFLICT);
	assert_int_equal(publish(&s, &next, 1, "other"), MF_E_CONFLICT);
	assert_int_equal(access(tmpdir_path(state, "shelf/1.qa.json"), F_OK), -1);
	assert_int_equal(publish(&s, &next, 1, "timestamp"), MF_OK);
	shelf_drop(&s);
}

static void publish_clears_away_what_killed_writers_left_a_day_ago(void **state)
{
	static const struct {
		const char *name;
		int days;
		bool kept;
	} rows[] = {
	    {".tmp-0123456789abcdef01234567", 2, false}, {".tmp-0123456789abcdef01234568", 0, true},
	    {".tmp-0123456789abcdef0123456", 2, true},   {".tmp-0123456789abcdef012345678", 2, true},
	    {".tmp-0123456789abcdef0123456G", 2, true},  {"tmp-0123456789abcdef01234567", 2, true},
	    {".tmp-0123456789abcdef01234567x", 2, true}, {".tmp_0123456789abcdef01234567", 2, true},
	    {"x.tmp-0123456789abcdef01234567", 2, true}, {"1.qa.json", 400, true},
	};
	const size_t n = sizeof rows / sizeof rows[0];
	struct shelf s;
	shelf_make(&s, state);
	for (size_t i = 0; i < n; i++) {
		char *path = mf_path_join(s.dir, rows[i].name, NULL);
		struct timespec when[2] = {{time(NULL) - rows[i].days * DAY, 0},
					   {time(NULL) - rows[i].days * DAY, 0}};
		write_in(s.dir, rows[i].name, MF_STR("x"));
		assert_int_equal(utimensat(AT_FDCWD, path, when, 0), 0);
		free(path);
	}
	struct mf_publish_file first[] = {named("root", 1), named("timestamp", 1)};
	assert_int_equal(publish(&s, first, 2, NULL), MF_OK);
	for (size_t i = 0; i < n; i++) {
		char *path = mf_path_join(s.dir, rows[i].name, NULL);
		if ((access(path, F_OK) == 0) != rows[i].kept)
			fail_msg("'%s' is %s", rows[i].name, rows[i].kept ? "gone" : "there");
		free(path);
	}
	shelf_drop(&s);
}

static unsigned mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* Whoever shares the directory shares what is made in it, whatever the umask of the writer. */
static void files_of_a_shared_directory_are_shared(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	struct mf_trust_config cfg = {.env = &env};
	mf_env_init(&env);
	env.deadline_ms = mf_monotonic_ms() + 20000;
	assert_int_equal(chmod(*state, 02770), 0);
	struct mf_repo *repo =
	    mf_repo_tuf_file.open(&mf_repo_tuf_file, *state, "registry/team/app", &cfg, &err);
	assert_non_null(repo);
	struct mf_publish_file files[] = {named("timestamp", 1), named("root", 1)};
	mode_t mask = umask(077);
	int rc = repo->ops->publish(repo, files, 2, NULL, &err);
	(void)umask(mask);
	ok(rc, &err);
	assert_int_equal(mode_of(tmpdir_path(state, "registry")), 02775);
	assert_int_equal(mode_of(tmpdir_path(state, "registry/team/app")), 02775);
	assert_int_equal(mode_of(tmpdir_path(state, "registry/team/app/.lock")), 0660);
	assert_int_equal(mode_of(tmpdir_path(state, "registry/team/app/timestamp.json")), 0644);
	assert_int_equal(mode_of(tmpdir_path(state, "registry/team/app/1.root.json")), 0644);
	repo->ops->close(repo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(publish_writes_what_is_referred_to_before_what_refers_to_it),
	    tmpdir_test(each_file_is_on_disk_before_the_next_one_has_its_name),
	    tmpdir_test(versioned_files_are_never_overwritten),
	    tmpdir_test(versions_that_are_all_taken_are_not_looked_through_for_ever),
	    tmpdir_test(a_first_publish_loses_to_a_root_and_a_later_one_to_another_timestamp),
	    tmpdir_test(publish_clears_away_what_killed_writers_left_a_day_ago),
	    tmpdir_test(files_of_a_shared_directory_are_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
