#include "tmpdir.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(lock_excludes_until_released),
	    tmpdir_test(lock_wait_ends_when_cancelled),
	    tmpdir_test(lock_dies_with_its_process),
	    tmpdir_test(lock_file_is_private_and_not_a_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
