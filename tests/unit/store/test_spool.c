#include "tmpdir.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "crypto/hash.h"
#include "store/file.h"

static uint8_t octet(uint64_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

static void fill(struct mf_spool *s, uint64_t n, size_t step)
{
	struct mf_err err = MF_ERR_INIT;
	uint8_t chunk[70000];
	assert_true(step <= sizeof(chunk));
	for (uint64_t at = 0; at < n;) {
		size_t k = n - at < step ? (size_t)(n - at) : step;
		for (size_t i = 0; i < k; i++)
			chunk[i] = octet(at + i);
		assert_int_equal(mf_spool_add(s, chunk, k, &err), 0);
		at += k;
	}
}

static void assert_holds(struct mf_spool *s, uint64_t n)
{
	struct mf_err err = MF_ERR_INIT;
	uint8_t chunk[9000];
	uint64_t at = 0;
	for (size_t got;; at += got) {
		assert_int_equal(mf_spool_read(s, at, chunk, sizeof(chunk), &got, &err), 0);
		if (got == 0)
			break;
		for (size_t i = 0; i < got; i++)
			if (chunk[i] != octet(at + i))
				fail_msg("octet %ju differs", (uintmax_t)(at + i));
	}
	assert_int_equal(at, n);
}

static void spool_gives_back_what_was_added_at_every_size(void **state)
{
	(void)state;
	static uint8_t all[1000000];
	const uint64_t sizes[] = {0, 1, 4096, 262143, 262144, 262145, 1000000};
	const size_t steps[] = {997, 4096, 65536};
	for (size_t i = 0; i < sizeof all; i++)
		all[i] = octet(i);
	for (size_t i = 0; i < 3 * sizeof sizes / sizeof sizes[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(sizeof all, &err);
		struct mf_digest want, d;
		uint8_t want512[64];
		uint64_t n, size = sizes[i / 3];
		assert_int_equal(mf_sha256((struct mf_bytes){all, size}, &want, &err), 0);
		assert_int_equal(mf_sha512((struct mf_bytes){all, size}, want512, &err), 0);
		assert_int_equal(mf_spool_want_sha512(s, &err), 0);
		fill(s, size, steps[i % 3]);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(mf_spool_end(s, &d, &n, &err), 0);
			assert_int_equal(n, size);
			assert_true(mf_digest_eq(&want, &d));
			assert_memory_equal(mf_spool_sha512(s), want512, 64);
		}
		assert_holds(s, size);
	}
}

static void spool_refuses_one_octet_past_its_maximum(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(10, &err);
	assert_int_equal(mf_spool_add(s, "0123456789", 10, &err), 0);
	assert_int_equal(mf_spool_add(s, "x", 1, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	mf_err_clear(&err);
	assert_int_equal(mf_spool_add(s, "x", SIZE_MAX, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

static void spool_leaves_no_name_behind(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(setenv("TMPDIR", *state, 1), 0);
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(1 << 20, &err);
	fill(s, 300000, 65536);
	unsigned n = tmpdir_entries(*state);
	unsetenv("TMPDIR");
	assert_int_equal(n, 0);
}

static void spool_without_temporary_directory_names_it(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *gone = tmpdir_path(state, "gone");
	static uint8_t big[300000];
	assert_int_equal(setenv("TMPDIR", gone, 1), 0);
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(1 << 20, &err);
	int rc = mf_spool_add(s, big, sizeof(big), &err);
	unsetenv("TMPDIR");
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, MF_E_IO);
	assert_non_null(strstr(err.msg, gone));
}

static void spool_on_full_disk_is_an_io_error(void **state)
{
	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct mf_err err = MF_ERR_INIT;
		static uint8_t big[400000];
		signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){100000, 100000});
		struct mf_spool *s = mf_spool_new(1 << 20, &err);
		int rc = s ? mf_spool_add(s, big, sizeof(big), &err) : 0;
		_exit(rc == -1 && err.code == MF_E_IO && err.sys == EFBIG ? 0 : 1);
	}
	int st;
	assert_int_equal(waitpid(child, &st, 0), child);
	assert_int_equal(st, 0);
}

static void spool_copies_to_files_and_descriptors(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const uint64_t sizes[] = {5, 300000};
	for (size_t i = 0; i < 2; i++) {
		struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(1 << 20, &err);
		struct mf_spool *back MF_SPOOL_CLEANUP = mf_spool_new(1 << 20, &err);
		struct mf_digest d, e;
		uint64_t n, m;
		const char *path = tmpdir_path(state, "out");
		fill(s, sizes[i], 4096);
		assert_int_equal(mf_spool_end(s, &d, &n, &err), 0);
		assert_int_equal(mf_spool_copy_file(s, path, 0640, MF_SYNC, &err), 0);
		assert_int_equal(mf_spool_from_path(back, path, &e, &m, &err), 0);
		assert_true(mf_digest_eq(&d, &e) && n == m);
		struct stat st;
		assert_true(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640);
		assert_int_equal(tmpdir_entries(*state), 1);
	}
}

static ino_t inode(const char *path)
{
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

/* The bytes that this process has passed to write(2) and its kin. */
static uint64_t written(void)
{
	unsigned long long n = 0;
	FILE *f = fopen("/proc/self/io", "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "rchar: %*u wchar: %llu", &n), 1);
	(void)fclose(f);
	return n;
}

static void spool_for_a_path_gets_its_name_without_a_copy(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	uint64_t n;
	char path[600], other[600];
	(void)snprintf(path, sizeof path, "%s", tmpdir_path(state, "out"));
	(void)snprintf(other, sizeof other, "%s", tmpdir_path(state, "other"));
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new_for(path, 1 << 20, &err);
	uint64_t before = written();
	fill(s, 300000, 4096);
	assert_int_equal(mf_spool_end(s, &d, &n, &err), 0);
	assert_int_equal(tmpdir_entries(*state), 0);
	assert_int_equal(mf_spool_store(s, path, 0640, MF_SYNC, &err), 0);
	assert_int_equal(written() - before, 300000);
	struct stat st;
	assert_true(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640 && st.st_size == 300000);
	/* A second file is another file. */
	assert_int_equal(mf_spool_store(s, other, 0600, MF_SYNC, &err), 0);
	assert_true(inode(path) != inode(other));
	assert_int_equal(tmpdir_entries(*state), 2);
	assert_holds(s, n);
}

static void spool_for_a_path_replaces_a_file_and_no_device(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	uint64_t n;
	char path[600];
	(void)snprintf(path, sizeof path, "%s", tmpdir_path(state, "out"));
	assert_int_equal(mf_file_write(path, mf_bytes_of(MF_STR("before")), 0600, &err), 0);
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new_for(path, 1 << 20, &err);
	fill(s, 300000, 4096);
	assert_int_equal(mf_spool_end(s, &d, &n, &err), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(mf_spool_store(s, path, 0600, MF_SYNC, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	mf_err_clear(&err);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mf_file_write(path, mf_bytes_of(MF_STR("before")), 0600, &err), 0);
	assert_int_equal(mf_spool_store(s, path, 0600, MF_SYNC, &err), 0);
	struct stat st;
	assert_true(stat(path, &st) == 0 && st.st_size == 300000);
	assert_int_equal(tmpdir_entries(*state), 1);
}

static void spool_copy_to_device_writes_to_it(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(100, &err);
	struct mf_digest d;
	uint64_t n;
	fill(s, 100, 100);
	assert_int_equal(mf_spool_end(s, &d, &n, &err), 0);
	assert_int_equal(symlink("/dev/null", tmpdir_path(state, "null")), 0);
	assert_int_equal(mf_spool_copy_file(s, tmpdir_path(state, "null"), 0600, MF_SYNC, &err), 0);
	struct stat st;
	assert_true(stat(tmpdir_path(state, "null"), &st) == 0 && S_ISCHR(st.st_mode));
	assert_int_equal(mf_spool_copy_file(s, "/dev/full", 0600, MF_NO_SYNC, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	assert_int_equal(err.sys, ENOSPC);
}

static void spool_copy_to_a_descriptors_name_writes_to_the_descriptor(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(100, &err);
	struct mf_digest d;
	uint64_t n;
	char target[64];
	fill(s, 100, 100);
	assert_int_equal(mf_spool_end(s, &d, &n, &err), 0);
	int fd = open(tmpdir_path(state, "redirected"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, "before", 6) == 6);
	for (int i = 0; i < 2; i++) {
		assert_true(snprintf(target, sizeof(target), i ? "/dev/fd/%d" : "/proc/self/fd/%d", fd) > 0);
		assert_int_equal(symlink(target, tmpdir_path(state, "stdout")), 0);
		assert_int_equal(mf_spool_copy_file(s, tmpdir_path(state, "stdout"), 0644, MF_SYNC, &err), 0);
		struct stat st;
		assert_true(lstat(tmpdir_path(state, "stdout"), &st) == 0 && S_ISLNK(st.st_mode));
		assert_int_equal(unlink(tmpdir_path(state, "stdout")), 0);
		assert_int_equal(mf_spool_copy_file(s, target, 0644, MF_SYNC, &err), 0);
		assert_true(fstat(fd, &st) == 0 && st.st_size == 6 + 200 * (i + 1));
	}
	close(fd);
}

static void spool_store_opens_no_fifo(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(100, &err);
	struct mf_digest d;
	uint64_t n;
	fill(s, 100, 100);
	assert_int_equal(mf_spool_end(s, &d, &n, &err), 0);
	assert_int_equal(mkfifo(tmpdir_path(state, "fifo"), 0600), 0);
	assert_int_equal(mf_spool_store(s, tmpdir_path(state, "fifo"), 0600, MF_SYNC, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	mf_err_clear(&err);
	assert_int_equal(mf_spool_store(s, tmpdir_path(state, "file"), 0600, MF_SYNC, &err), 0);
}

static void spool_copy_to_closed_pipe_is_io_with_epipe(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(100, &err);
	struct mf_digest d;
	uint64_t n;
	int fds[2];
	char path[32];
	fill(s, 100, 100);
	assert_int_equal(mf_spool_end(s, &d, &n, &err), 0);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	(void)snprintf(path, sizeof path, "/dev/fd/%d", fds[1]);
	assert_int_equal(mf_spool_copy_file(s, path, 0644, MF_NO_SYNC, &err), -1);
	close(fds[1]);
	assert_int_equal(err.code, MF_E_IO);
	assert_int_equal(err.sys, EPIPE);
}

struct feeder {
	int fd;
};

static void *feed(void *arg)
{
	const struct feeder *f = arg;
	uint8_t chunk[1000];
	for (uint64_t at = 0; at < 300000; at += sizeof(chunk)) {
		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = octet(at + i);
		if (write(f->fd, chunk, sizeof(chunk)) != (ssize_t)sizeof(chunk))
			break;
	}
	close(f->fd);
	return NULL;
}

static void spool_from_fifo_reads_to_the_end(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	int fds[2];
	char path[64];
	assert_int_equal(pipe(fds), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	struct feeder f = {fds[1]};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, feed, &f), 0);
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(300000, &err);
	struct mf_digest d;
	uint64_t n;
	int rc = mf_spool_from_path(s, path, &d, &n, &err);
	pthread_join(thread, NULL);
	close(fds[0]);
	assert_int_equal(rc, 0);
	assert_int_equal(n, 300000);
	assert_holds(s, n);
}

static void assert_from_path_is_usage(const char *path)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(10, &err);
	struct mf_digest d;
	uint64_t n;
	assert_int_equal(mf_spool_from_path(s, path, &d, &n, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	assert_non_null(strstr(err.msg, path));
}

static void spool_from_bad_path_is_usage_and_names_it(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *big = tmpdir_path(state, "big");
	assert_int_equal(mf_file_write(big, mf_bytes_of(MF_STR("01234567890")), 0600, &err), 0);
	assert_from_path_is_usage(big);
	assert_from_path_is_usage(*state);
	assert_from_path_is_usage(tmpdir_path(state, "none"));
	assert_from_path_is_usage("/dev/zero");
}

static enum mf_code read_stored(const char *path)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	uint64_t n;
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(100, &err);
	assert_non_null(s);
	return mf_spool_from_stored(s, path, &d, &n, &err) < 0 ? err.code : MF_OK;
}

static void stored_files_are_regular_and_nothing_else_is_waited_for(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *fifo = tmpdir_path(state, "fifo"), *file = tmpdir_path(state, "file");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mf_file_write(file, mf_bytes_of(MF_STR("text")), 0600, &err), 0);
	assert_int_equal(read_stored(file), MF_OK);
	assert_int_equal(read_stored(fifo), MF_E_USAGE); /* and the test ends */
	assert_int_equal(read_stored(*state), MF_E_USAGE);
	assert_int_equal(read_stored("/dev/zero"), MF_E_USAGE);
	assert_int_equal(read_stored("-"), MF_E_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spool_gives_back_what_was_added_at_every_size),
	    cmocka_unit_test(spool_refuses_one_octet_past_its_maximum),
	    tmpdir_test(spool_leaves_no_name_behind),
	    tmpdir_test(spool_without_temporary_directory_names_it),
	    cmocka_unit_test(spool_on_full_disk_is_an_io_error),
	    tmpdir_test(spool_copies_to_files_and_descriptors),
	    tmpdir_test(spool_for_a_path_gets_its_name_without_a_copy),
	    tmpdir_test(spool_for_a_path_replaces_a_file_and_no_device),
	    tmpdir_test(spool_copy_to_device_writes_to_it),
	    tmpdir_test(spool_copy_to_a_descriptors_name_writes_to_the_descriptor),
	    tmpdir_test(spool_store_opens_no_fifo),
	    cmocka_unit_test(spool_copy_to_closed_pipe_is_io_with_epipe),
	    cmocka_unit_test(spool_from_fifo_reads_to_the_end),
	    tmpdir_test(spool_from_bad_path_is_usage_and_names_it),
	    tmpdir_test(stored_files_are_regular_and_nothing_else_is_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
