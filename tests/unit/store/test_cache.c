#include "tmpdir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

#include "base/limits.h"
#include "store/cache.h"

#define LIMIT ((uint64_t)1 << 20)
#define BIG (LIMIT / 4) /* four of these fill the cache */
#define NOW 1800000000

static int64_t fake_now(void *arg)
{
	(void)arg;
	return NOW;
}

static struct mf_env env;

static struct mf_cache cache_of(void **state)
{
	mf_env_init(&env);
	env.now = fake_now;
	return (struct mf_cache){.dir = *state, .limit = LIMIT, .env = &env};
}

/* A file of this length, last used at this time; the folders that it is in are made. */
static void make(void **state, const char *name, uint64_t size, int64_t used)
{
	struct mf_err err = MF_ERR_INIT;
	char path[512];
	(void)snprintf(path, sizeof path, "%s/%s", (char *)*state, name);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(mf_dir_make(path, 0700, &err), 0);
	*slash = '/';
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	const struct timespec times[2] = {{(time_t)used, 0}, {(time_t)used, 0}};
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static bool there(void **state, const char *name)
{
	struct stat st;
	return lstat(tmpdir_path(state, name), &st) == 0;
}

static void set_usage(void **state, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(
	    mf_file_write_fast(tmpdir_path(state, "usage"), mf_bytes_of(mf_str_c(text)), 0600, &err), 0);
}

static void assert_usage(void **state, const char *want)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100000);
	assert_int_equal(mf_file_read(tmpdir_path(state, "usage"), 100000, &b, &err), 0);
	assert_string_equal(mf_buf_str(&b).p, want);
}

#define HASH(c) c c c c c c c c c c c c c c c c
#define H1 HASH("1a2b")
#define H2 HASH("2a2b")
#define H3 HASH("3a2b")
#define H4 HASH("4a2b")
#define H5 HASH("5a2b")

static void account(void **state, uint64_t octets)
{
	struct mf_cache c = cache_of(state);
	c.written = octets;
	mf_cache_account(&c);
	assert_int_equal(c.written, 0);
}

static void fill(void **state)
{
	make(state, "blobs/" H1, BIG, 1000);
	make(state, "tuf/" H2 "/targets.json", BIG, 3000);
	make(state, "tuf/" H2 "/targets.index", BIG, 2000);
	make(state, "refused/" H3, BIG, 5000);
	make(state, "blobs/" H4, BIG, 4000);
}

static void cache_evicts_what_was_not_used_for_the_longest_time(void **state)
{
	fill(state);
	account(state, BIG);
	assert_false(there(state, "blobs/" H1));
	assert_false(there(state, "tuf/" H2 "/targets.index"));
	assert_true(there(state, "tuf/" H2 "/targets.json"));
	assert_true(there(state, "refused/" H3));
	assert_true(there(state, "blobs/" H4));
	assert_usage(state, "total 786432\n");
	account(state, 5);
	assert_usage(state, "total 786432\n5\n");
}

static void cache_file_that_was_used_stays(void **state)
{
	struct mf_cache c = cache_of(state);
	struct stat st;
	fill(state);
	mf_cache_used(&c, tmpdir_path(state, "blobs/" H1));
	mf_cache_used(&c, tmpdir_path(state, "blobs/" H5)); /* gone: nothing */
	account(state, 1);
	assert_true(there(state, "blobs/" H1));
	assert_false(there(state, "tuf/" H2 "/targets.json"));
	/* A use shortly after the last one writes nothing. */
	make(state, "blobs/" H5, 1, NOW - 60);
	mf_cache_used(&c, tmpdir_path(state, "blobs/" H5));
	assert_int_equal(lstat(tmpdir_path(state, "blobs/" H5), &st), 0);
	assert_int_equal(st.st_mtime, NOW - 60);
}

static void cache_counts_blocks(void **state)
{
	struct mf_cache c = cache_of(state);
	make(state, "blobs/" H1, 1, 1000);
	mf_cache_wrote(&c, 1);
	assert_int_equal(c.written, 4096);
	mf_cache_wrote(&c, 4097);
	assert_int_equal(c.written, 3 * 4096);
	mf_cache_account(&c);
	assert_usage(state, "total 4096\n");
}

static void assert_content(void **state, const char *name, const char *want)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
	assert_int_equal(mf_file_read(tmpdir_path(state, name), 100, &b, &err), 0);
	assert_string_equal(mf_buf_str(&b).p, want);
}

static void write_text(void **state, struct mf_cache *c, const char *name, const char *text)
{
	char path[512];
	(void)snprintf(path, sizeof path, "%s/%s", (char *)*state, name);
	mf_cache_write(c, path, mf_bytes_of(mf_str_c(text)));
}

static void small_files_are_written_later_and_the_last_version_stays(void **state)
{
	struct mf_cache c = cache_of(state);
	write_text(state, &c, "tuf/" H1 "/root.json", "one");
	write_text(state, &c, "tuf/" H1 "/root.json", "two");
	write_text(state, &c, "refused/" H2, "three");
	assert_false(there(state, "tuf"));
	mf_cache_flush(&c);
	assert_content(state, "tuf/" H1 "/root.json", "two");
	assert_content(state, "refused/" H2, "three");
	assert_int_equal(c.written, 3 * 4096);
	mf_cache_flush(&c);
	assert_int_equal(c.written, 3 * 4096);
	write_text(state, &c, "refused/" H3, "four");
	mf_cache_account(&c);
	assert_content(state, "refused/" H3, "four");
	assert_usage(state, "total 12288\n");
}

/* Memory is bounded, and an older version that waits does not replace a newer one. */
static void large_files_are_written_at_once(void **state)
{
	struct mf_cache c = cache_of(state);
	char *large = calloc(1, MF_MIN_INDEXED_BYTES + 1);
	struct stat st;
	assert_non_null(large);
	memset(large, 'x', MF_MIN_INDEXED_BYTES);
	write_text(state, &c, "tuf/" H1 "/root.json", "one");
	write_text(state, &c, "tuf/" H1 "/targets.json", "two");
	write_text(state, &c, "tuf/" H1 "/targets.json", large);
	assert_content(state, "tuf/" H1 "/root.json", "one");
	assert_int_equal(c.nwaiting, 0);
	mf_cache_flush(&c);
	assert_int_equal(lstat(tmpdir_path(state, "tuf/" H1 "/targets.json"), &st), 0);
	assert_int_equal(st.st_size, MF_MIN_INDEXED_BYTES);
	large[MF_MIN_INDEXED_BYTES / 2] = '\0';
	write_text(state, &c, "blobs/" H1, large);
	write_text(state, &c, "blobs/" H2, large); /* both together are too large */
	assert_true(there(state, "blobs/" H1));
	assert_true(there(state, "blobs/" H2));
	/* What was written makes room for what comes. */
	for (int i = 0; i < 2; i++) {
		write_text(state, &c, i ? "blobs/" H4 : "blobs/" H3, large);
		assert_int_equal(c.nwaiting, 1);
		mf_cache_flush(&c);
	}
	free(large);
}

static void files_that_wait_are_cleared_with_the_others(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_cache c = cache_of(state);
	uint64_t files, octets;
	write_text(state, &c, "tuf/" H1 "/root.json", "one");
	assert_int_equal(mf_cache_clear(&c, NULL, &files, &octets, &err), 0);
	assert_int_equal(files, 1);
	mf_cache_account(&c);
	assert_false(there(state, "tuf/" H1));
}

static void no_file_is_written_behind_a_link_that_leads_out(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	char dir[512];
	(void)snprintf(dir, sizeof dir, "%s/cache", (char *)*state);
	struct mf_cache c = cache_of(state);
	c.dir = dir;
	assert_int_equal(mf_dir_make(dir, 0700, &err), 0);
	assert_int_equal(mf_dir_make(tmpdir_path(state, "others"), 0700, &err), 0);
	assert_int_equal(symlink("../others", tmpdir_path(state, "cache/refused")), 0);
	write_text(state, &c, "cache/refused/" H1, "one");
	mf_cache_flush(&c);
	assert_false(there(state, "others/" H1));
	assert_int_equal(c.written, 0);
}

/* A process that runs for long accounts now and then. */
static void cache_accounts_after_a_mebibyte(void **state)
{
	struct mf_cache c = cache_of(state);
	set_usage(state, "total 0\n");
	for (size_t i = 0; i < 255; i++)
		mf_cache_wrote(&c, 4096);
	assert_usage(state, "total 0\n");
	mf_cache_wrote(&c, 1);
	assert_usage(state, "total 0\n1048576\n");
}

static void cache_below_its_limit_is_not_walked(void **state)
{
	fill(state);
	set_usage(state, "total 0\n1000\n");
	account(state, 4096);
	assert_true(there(state, "blobs/" H1));
	assert_usage(state, "total 0\n1000\n4096\n");
	account(state, LIMIT - 5095); /* one octet too many */
	assert_false(there(state, "blobs/" H1));
}

static void cache_with_damaged_usage_is_walked(void **state)
{
	static const char *const damaged[] = {"x",
					      "total 1\n\n\n",
					      "total \n",
					      "total 1\n\n",
					      "total 1\nx\n",
					      "total 1\n-1\n",
					      "5\ntotal 1\n",
					      "total 18446744073709551616\n",
					      "total 18446744073709551615\n1\n"};
	for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
		fill(state);
		set_usage(state, damaged[i]);
		account(state, 1);
		assert_false(there(state, "blobs/" H1));
		assert_usage(state, "total 786432\n");
	}
	/* Nor does the file grow without end. */
	char *lines = calloc(1, 30000);
	assert_non_null(lines);
	memcpy(lines, "total 1\n", 8);
	for (size_t i = 8; i + 2 < 20000; i += 2)
		memcpy(lines + i, "1\n", 2);
	fill(state);
	set_usage(state, lines);
	free(lines);
	account(state, 1);
	assert_usage(state, "total 786432\n");
}

/* Files that others have put there, and where links lead, are not the cache's. */
static void cache_touches_its_own_files_only(void **state)
{
	static const char *const foreign[] = {"blobs/notes",
					      "blobs/" H1 "x",
					      "blobs/1234",
					      "blobs/d/" H1,
					      "tuf/" H1,
					      "tuf/notes.json",
					      "tuf/notes/targets.json",
					      "tuf/" H1 "x/targets.json",
					      "tuf/" H2 "/notes.txt",
					      "tuf/" H2 "/d/targets.json",
					      "refused/" H2 ".json",
					      "keys/" H1,
					      "floors/" H1 ".json",
					      "trust.json",
					      "outside/" H1 "/targets.json",
					      "outside/" H2};
	const size_t n = sizeof foreign / sizeof *foreign;
	struct mf_cache c = cache_of(state);
	struct mf_err err = MF_ERR_INIT;
	uint64_t files, octets;
	for (size_t i = 0; i < n; i++)
		make(state, foreign[i], BIG, 1000);
	assert_int_equal(symlink("../outside/" H2, tmpdir_path(state, "blobs/" H3)), 0);
	assert_int_equal(symlink("../outside/" H1, tmpdir_path(state, "tuf/" H4)), 0);
	make(state, "blobs/" H2, BIG, 2000);
	account(state, 1);
	assert_int_equal(mf_cache_clear(&c, NULL, &files, &octets, &err), 0);
	assert_int_equal(files, 1);
	assert_int_equal(octets, BIG);
	assert_false(there(state, "blobs/" H2));
	for (size_t i = 0; i < n; i++)
		assert_true(there(state, foreign[i]));
	assert_true(there(state, "blobs/" H3));
	assert_usage(state, "total 0\n");
}

/* The folders themselves, too: what a link leads to is somebody else's. */
static void cache_folder_that_is_a_link_is_not_followed(void **state)
{
	struct mf_cache c = cache_of(state);
	struct mf_err err = MF_ERR_INIT;
	uint64_t files, octets;
	make(state, "outside/" H1, 4 * LIMIT, 1000);
	make(state, "outside/" H1 "x", 4 * LIMIT, 1000);
	make(state, "else/" H2 "/targets.json", 4 * LIMIT, 1000);
	assert_int_equal(symlink("outside", tmpdir_path(state, "blobs")), 0);
	assert_int_equal(symlink("else", tmpdir_path(state, "tuf")), 0);
	make(state, "refused/" H3, 2 * LIMIT, 1000);
	account(state, 1);
	assert_false(there(state, "refused/" H3));
	assert_int_equal(mf_cache_clear(&c, NULL, &files, &octets, &err), 0);
	assert_int_equal(files, 0);
	assert_true(there(state, "outside/" H1));
	assert_true(there(state, "else/" H2 "/targets.json"));
}

static void usage_that_is_a_link_or_has_two_names_is_left_alone(void **state)
{
	make(state, "other", 3, 1000);
	assert_int_equal(symlink("other", tmpdir_path(state, "usage")), 0);
	account(state, 1);
	assert_int_equal(unlink(tmpdir_path(state, "usage")), 0);
	assert_int_equal(link(tmpdir_path(state, "other"), tmpdir_path(state, "usage")), 0);
	account(state, 1);
	assert_int_equal(unlink(tmpdir_path(state, "usage")), 0);
	assert_int_equal(mkfifo(tmpdir_path(state, "usage"), 0600), 0);
	account(state, 1);
	struct stat st;
	assert_int_equal(stat(tmpdir_path(state, "other"), &st), 0);
	assert_int_equal(st.st_size, 3);
}

#define TEMP "/.tmp-0123456789abcdef01234567"

static void temporary_files_of_writers_stay(void **state)
{
	struct mf_cache c = cache_of(state);
	struct mf_err err = MF_ERR_INIT;
	uint64_t files, octets;
	int64_t now = (int64_t)time(NULL);
	make(state, "blobs" TEMP, LIMIT, now - 80000);
	make(state, "tuf/" H1 TEMP, LIMIT, now - 90000);
	make(state, "blobs/" H1, BIG, now);
	account(state, 1);
	assert_true(there(state, "blobs" TEMP));
	assert_false(there(state, "tuf/" H1 TEMP));
	assert_false(there(state, "blobs/" H1));
	make(state, "blobs/" H1, BIG, now);
	make(state, "tuf/" H1 TEMP, LIMIT, now - 90000);
	assert_int_equal(mf_cache_clear(&c, NULL, &files, &octets, &err), 0);
	assert_int_equal(files, 2);
	assert_true(there(state, "blobs" TEMP));
	assert_false(there(state, "tuf/" H1));
}

static void another_process_that_evicts_is_not_waited_for(void **state)
{
	fill(state);
	set_usage(state, "");
	int fd = open(tmpdir_path(state, "usage"), O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	account(state, 7);
	assert_true(there(state, "blobs/" H1));
	assert_usage(state, "7\n");
	close(fd);
	account(state, 1);
	assert_false(there(state, "blobs/" H1));
}

static void cache_clear_of_one_repository_leaves_the_others(void **state)
{
	struct mf_cache c = cache_of(state);
	struct mf_err err = MF_ERR_INIT;
	uint64_t files, octets;
	make(state, "tuf/" H1 "/root.json", 1, 1000);
	make(state, "tuf/" H1 "/1.root.json", 1, 1000);
	make(state, "tuf/" H2 "/root.json", 1, 1000);
	make(state, "refused/" H1, 1, 1000);
	make(state, "refused/" H2, 1, 1000);
	make(state, "blobs/" H1, 1, 1000);
	assert_int_equal(mf_cache_clear(&c, H1, &files, &octets, &err), 0);
	assert_int_equal(files, 3);
	assert_int_equal(octets, 3 * 4096);
	assert_false(there(state, "tuf/" H1));
	assert_false(there(state, "refused/" H1));
	assert_true(there(state, "tuf/" H2 "/root.json"));
	assert_true(there(state, "refused/" H2));
	assert_true(there(state, "blobs/" H1));
	assert_usage(state, "total 12288\n");
}

static void cache_that_is_not_there_is_empty(void **state)
{
	struct mf_cache c = cache_of(state);
	struct mf_err err = MF_ERR_INIT;
	uint64_t files, octets;
	c.dir = tmpdir_path(state, "none");
	assert_int_equal(mf_cache_clear(&c, NULL, &files, &octets, &err), 0);
	assert_int_equal(files, 0);
	c.written = 1;
	mf_cache_account(&c);
	assert_false(there(state, "none"));
	make(state, "none", 0, 1000);
	assert_int_equal(mf_cache_clear(&c, NULL, &files, &octets, &err), 0);
}

struct sizes {
	uint64_t total;
	size_t n;
};

static int add_size(void *arg, const char *name, const struct stat *st, struct mf_err *err)
{
	struct sizes *s = arg;
	(void)name;
	(void)err;
	s->total += mf_cache_cost(st);
	s->n++;
	return 0;
}

/* Each writes 4 MiB, reads back what it has just written, and evicts what the others wrote. */
static void write_much(void **state, unsigned who)
{
	struct mf_cache c = cache_of(state);
	char content[32768] = {0};
	for (unsigned i = 0; i < 128; i++) {
		struct mf_err err = MF_ERR_INIT;
		char name[100];
		(void)snprintf(name, sizeof name, "blobs/%032x%032x", who, i);
		const char *path = tmpdir_path(state, name);
		if (mf_file_write_fast(path, (struct mf_bytes){(uint8_t *)content, sizeof content}, 0600,
				       &err) < 0)
			_exit(1);
		mf_cache_wrote(&c, sizeof content);
		struct mf_buf b = MF_BUF_INIT(sizeof content);
		if (mf_file_read_stored(path, sizeof content, &b, &err) < 0 && err.code != MF_E_NOT_FOUND)
			_exit(2);
		mf_cache_used(&c, path);
		mf_buf_clear(&b);
	}
	mf_cache_account(&c);
	_exit(0);
}

static void processes_at_once_hold_the_limit(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	make(state, "blobs/" H1, 1, 1000);
	for (unsigned i = 0; i < 8; i++)
		if (fork() == 0)
			write_much(state, i);
	for (unsigned i = 0; i < 8; i++) {
		int status;
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	account(state, 1);
	struct sizes s = {0};
	assert_int_equal(mf_cache_walk(*state, add_size, &s, &err), 0);
	assert_true(s.n > 0);
	/* Of each process a mebibyte may not be accounted yet when the last one walks. */
	assert_true(s.total <= LIMIT + 8 * LIMIT);
	set_usage(state, "");
	account(state, 1);
	s = (struct sizes){0};
	assert_int_equal(mf_cache_walk(*state, add_size, &s, &err), 0);
	assert_true(s.total <= LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(cache_evicts_what_was_not_used_for_the_longest_time),
	    tmpdir_test(cache_file_that_was_used_stays),
	    tmpdir_test(cache_counts_blocks),
	    tmpdir_test(small_files_are_written_later_and_the_last_version_stays),
	    tmpdir_test(large_files_are_written_at_once),
	    tmpdir_test(files_that_wait_are_cleared_with_the_others),
	    tmpdir_test(no_file_is_written_behind_a_link_that_leads_out),
	    tmpdir_test(cache_accounts_after_a_mebibyte),
	    tmpdir_test(cache_below_its_limit_is_not_walked),
	    tmpdir_test(cache_with_damaged_usage_is_walked),
	    tmpdir_test(cache_touches_its_own_files_only),
	    tmpdir_test(cache_folder_that_is_a_link_is_not_followed),
	    tmpdir_test(usage_that_is_a_link_or_has_two_names_is_left_alone),
	    tmpdir_test(temporary_files_of_writers_stay),
	    tmpdir_test(another_process_that_evicts_is_not_waited_for),
	    tmpdir_test(cache_clear_of_one_repository_leaves_the_others),
	    tmpdir_test(cache_that_is_not_there_is_empty),
	    tmpdir_test(processes_at_once_hold_the_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
