#include "tmpdir.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "store/file.h"

static bool yes(void *arg)
{
	(void)arg;
	return true;
}

static void lock_excludes_until_released(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	mf_env_init(&env);
	const char *path = tmpdir_path(state, "lock");
	struct mf_lock a MF_LOCK_CLEANUP = MF_LOCK_INIT, b MF_LOCK_CLEANUP = MF_LOCK_INIT;
	assert_int_equal(mf_lock_acquire(&a, path, &env, &err), 0);
	env.deadline_ms = mf_monotonic_ms() + 30;
	assert_int_equal(mf_lock_acquire(&b, path, &env, &err), -1);
	assert_int_equal(err.code, MF_E_CONFLICT);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(b.fd, -1);
	mf_err_clear(&err);
	mf_lock_release(&a);
	assert_int_equal(mf_lock_acquire(&b, path, &env, &err), 0);
}

static void lock_wait_ends_when_cancelled(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	mf_env_init(&env);
	const char *path = tmpdir_path(state, "lock");
	struct mf_lock a MF_LOCK_CLEANUP = MF_LOCK_INIT, b MF_LOCK_CLEANUP = MF_LOCK_INIT;
	assert_int_equal(mf_lock_acquire(&a, path, &env, &err), 0);
	env.cancelled = yes;
	assert_int_equal(mf_lock_acquire(&b, path, &env, &err), -1);
	assert_int_equal(err.code, MF_E_CANCELLED);
}

static void lock_dies_with_its_process(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	mf_env_init(&env);
	const char *path = tmpdir_path(state, "lock");
	int ready[2];
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct mf_lock a = MF_LOCK_INIT;
		if (mf_lock_acquire(&a, path, &env, &err) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	char c;
	assert_int_equal(read(ready[0], &c, 1), 1);
	struct mf_lock b MF_LOCK_CLEANUP = MF_LOCK_INIT;
	env.deadline_ms = mf_monotonic_ms() + 20;
	assert_int_equal(mf_lock_acquire(&b, path, &env, &err), -1);
	mf_err_clear(&err);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	env.deadline_ms = mf_monotonic_ms() + 5000;
	assert_int_equal(mf_lock_acquire(&b, path, &env, &err), 0);
	close(ready[0]);
	close(ready[1]);
}

static void lock_file_is_private_and_not_a_link(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	mf_env_init(&env);
	struct mf_lock a MF_LOCK_CLEANUP = MF_LOCK_INIT, b MF_LOCK_CLEANUP = MF_LOCK_INIT;
	assert_int_equal(mf_lock_acquire(&a, tmpdir_path(state, "lock"), &env, &err), 0);
	struct stat st;
	assert_int_equal(stat(tmpdir_path(state, "lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(symlink("lock", tmpdir_path(state, "link")), 0);
	assert_int_equal(mf_lock_acquire(&b, tmpdir_path(state, "link"), &env, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
}

static unsigned mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void lock_file_is_for_those_who_may_write_in_its_directory(void **state)
{
	static const struct {
		unsigned directory, file;
	} rows[] = {{0700, 0600}, {0755, 0600}, {02755, 0600}, {0770, 0660}, {02775, 0660}, {0777, 0666}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_env env;
		struct mf_lock a MF_LOCK_CLEANUP = MF_LOCK_INIT;
		mf_env_init(&env);
		const char *dir = tmpdir_path(state, "d"), *path = tmpdir_path(state, "d/lock");
		assert_int_equal(mkdir(dir, 0700), 0);
		assert_int_equal(chmod(dir, rows[i].directory), 0);
		mode_t mask = umask(077);
		int rc = mf_lock_acquire(&a, path, &env, &err);
		(void)umask(mask);
		assert_int_equal(rc, 0);
		assert_int_equal(mode_of(path), rows[i].file);
		assert_int_equal(tmpdir_entries(dir), 1);
		mf_lock_release(&a);
		/* One that was made before the directory was shared follows it. */
		assert_int_equal(chmod(dir, 02770), 0);
		assert_int_equal(mf_lock_acquire(&a, path, &env, &err), 0);
		assert_int_equal(mode_of(path), 0660);
		assert_int_equal(unlink(path) | rmdir(dir), 0);
	}
}

/* A file of another user that may only be read; root, which may everything, becomes nobody for it. */
static void lock_file_that_may_only_be_read_can_be_locked(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	mf_env_init(&env);
	const char *path = tmpdir_path(state, "lock");
	assert_int_equal(mf_file_write(path, (struct mf_bytes){0}, 0444, &err), 0);
	assert_int_equal(chmod(*state, 0755), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct mf_lock a MF_LOCK_CLEANUP = MF_LOCK_INIT;
		if (geteuid() == 0 && setuid(65534))
			_exit(1);
		_exit(mf_lock_acquire(&a, path, &env, &err) == 0 && a.fd >= 0 ? 0 : 2);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Without setgid a new file has its maker's group. Root alone can give it another one here. */
static void lock_file_is_of_the_group_of_its_directory(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	struct stat dir, file;
	struct mf_lock a MF_LOCK_CLEANUP = MF_LOCK_INIT;
	mf_env_init(&env);
	for (gid_t group = 12345; group < 12347; group++) {
		if (geteuid() == 0)
			assert_int_equal(chown(*state, (uid_t)-1, group), 0);
		assert_int_equal(chmod(*state, group == 12345 ? 0770 : 0777), 0);
		assert_int_equal(mf_lock_acquire(&a, tmpdir_path(state, "lock"), &env, &err), 0);
		mf_lock_release(&a);
		assert_int_equal(stat(*state, &dir) | stat(tmpdir_path(state, "lock"), &file), 0);
		assert_int_equal(file.st_gid, dir.st_gid);
	}
}

static void processes_that_make_the_file_at_once_all_get_the_lock(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	mf_env_init(&env);
	const char *path = tmpdir_path(state, "lock");
	for (int round = 0; round < 20; round++) {
		int go[2], status;
		char c;
		assert_int_equal(pipe(go), 0);
		for (int i = 0; i < 8; i++) {
			pid_t child = fork();
			assert_true(child >= 0);
			if (child == 0) {
				struct mf_lock a = MF_LOCK_INIT;
				close(go[1]);
				(void)!read(go[0], &c, 1);
				_exit(mf_lock_acquire(&a, path, &env, &err) ? 1 : 0);
			}
		}
		close(go[0]);
		close(go[1]); /* off they go */
		for (int i = 0; i < 8; i++) {
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
		assert_int_equal(unlink(path), 0);
		assert_int_equal(tmpdir_entries(*state), 0);
	}
}

static void lock_on_a_file_that_was_removed_meanwhile_excludes_nobody(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_env env;
	mf_env_init(&env);
	const char *path = tmpdir_path(state, "lock");
	struct mf_lock a MF_LOCK_CLEANUP = MF_LOCK_INIT, b MF_LOCK_CLEANUP = MF_LOCK_INIT;
	int ready[2], done[2];
	char c;
	assert_int_equal(pipe(ready) | pipe(done), 0);
	assert_int_equal(mf_lock_acquire(&a, path, &env, &err), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct mf_lock mine = MF_LOCK_INIT;
		close(a.fd); /* the parent's descriptor still holds it */
		if (mf_lock_acquire(&mine, path, &env, &err) || write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(done[0], &c, 1) == 1 ? 0 : 1);
	}
	(void)usleep(20000); /* it waits for the old file by now */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mf_lock_acquire(&b, path, &env, &err), 0);
	mf_lock_release(&a);
	struct pollfd told = {ready[0], POLLIN, 0};
	assert_int_equal(poll(&told, 1, 100), 0);
	mf_lock_release(&b);
	assert_int_equal(read(ready[0], &c, 1), 1);
	env.deadline_ms = mf_monotonic_ms() + 20;
	assert_int_equal(mf_lock_acquire(&b, path, &env, &err), -1);
	assert_int_equal(err.code, MF_E_CONFLICT);
	assert_int_equal(write(done[1], "x", 1), 1);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(close(ready[i]) | close(done[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(lock_excludes_until_released),
	    tmpdir_test(lock_wait_ends_when_cancelled),
	    tmpdir_test(lock_dies_with_its_process),
	    tmpdir_test(lock_file_is_private_and_not_a_link),
	    tmpdir_test(lock_file_is_for_those_who_may_write_in_its_directory),
	    tmpdir_test(lock_file_that_may_only_be_read_can_be_locked),
	    tmpdir_test(lock_file_is_of_the_group_of_its_directory),
	    tmpdir_test(processes_that_make_the_file_at_once_all_get_the_lock),
	    tmpdir_test(lock_on_a_file_that_was_removed_meanwhile_excludes_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
