#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "store/file.h"
#include "store/temp.h"

/* Waits between tries double from the first to the last: locks are held for milliseconds, or by a person at a
 * prompt. */
#define FIRST_WAIT_MS 2
#define LAST_WAIT_MS 100

static int wait_for(int fd, const char *path, const struct mf_env *env, struct mf_err *err)
{
	int64_t wait_ms = FIRST_WAIT_MS;
	for (;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return mf_fail(err, MF_E_IO, errno, "lock '%s'", path);
		if (mf_env_cancelled(env))
			return mf_fail(err, MF_E_CANCELLED, 0, "cancelled while waiting for the lock '%s'",
				       path);
		if (mf_env_left_ms(env) == 0) {
			(void)mf_fail(err, MF_E_CONFLICT, 0, "timed out waiting for the lock '%s'", path);
			mf_err_set_hint(err, "another manifesto holds it; try again when that has ended");
			return -1;
		}
		mf_env_sleep(env, wait_ms);
		wait_ms = wait_ms * 2 < LAST_WAIT_MS ? wait_ms * 2 : LAST_WAIT_MS;
	}
}

int mf_lock_acquire(struct mf_lock *lock, const char *path, const struct mf_env *env, struct mf_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return mf_fail(err, MF_E_IO, errno, "open lock '%s'", path);
	if (wait_for(fd, path, env, err)) {
		close(fd);
		return -1;
	}
	lock->fd = fd;
	return 0;
}

void mf_lock_release(struct mf_lock *lock)
{
	/* Closing the only descriptor of the description releases it. The file stays: removing it would let
	 * two processes lock two files of one name. */
	mf_fd_cleanup(&lock->fd);
	lock->fd = -1;
}
