#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "store/file.h"
#include "store/temp.h"

/* The wait between tries doubles from the first to the last: a lock is held for milliseconds, or as long
 * as a person takes to answer a prompt. */
#define FIRST_WAIT_MS 2
#define LAST_WAIT_MS 100
/* One try makes the file, one locks it. The others are for files that are removed or replaced in between,
 * for example by each signer of a proposal. */
#define MAX_TRIES 80

enum what {
	LOCK_FILE, /* a file for the lock alone: made if it is missing */
	CONTENT    /* a file with content, which the holder of the lock may replace */
};

static int wait_for(struct mf_lock *lock, int fd, const char *path, const struct mf_env *env,
		    struct mf_err *err)
{
	int64_t wait_ms = FIRST_WAIT_MS;
	for (;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return mf_fail(err, MF_E_IO, errno, "lock '%s'", path);
		lock->waited = true;
		if (mf_env_cancelled(env))
			return mf_fail(err, MF_E_CANCELLED, 0, "cancelled while waiting for the lock '%s'",
				       path);
		if (mf_env_left_ms(env) == 0) {
			(void)mf_fail(err, MF_E_CONFLICT, 0, "timed out waiting for the lock '%s'", path);
			mf_err_set_hint(
			    err, "another manifesto process holds the lock; try again when it has ended");
			return -1;
		}
		mf_env_sleep(env, wait_ms);
		wait_ms = wait_ms * 2 < LAST_WAIT_MS ? wait_ms * 2 : LAST_WAIT_MS;
	}
}

/* Users who may write in the directory may lock, since they could remove the lock file as well. Others may
 * not even read it: flock needs no more than that, and a reader could block all writers. */
static mode_t mode_in(const struct stat *dir)
{
	mode_t mode = 0600;
	if (dir->st_mode & S_IWGRP)
		mode |= 0060;
	if (dir->st_mode & S_IWOTH)
		mode |= 0006;
	return mode;
}

static int stat_dir_of(const char *path, struct stat *st, struct mf_err *err)
{
	char *dir MF_FREE = mf_dir_of(path);
	if (!dir)
		return mf_fail_nomem(err);
	return stat(dir, st) < 0 ? mf_fail(err, MF_E_IO, errno, "open lock '%s'", path) : 0;
}

/* The file has its mode and group before it gets its name, because other users' processes try to open it
 * at once. */
static int make_file(const char *path, struct mf_err *err)
{
	struct stat dir;
	struct mf_temp t MF_TEMP_CLEANUP = MF_TEMP_INIT;
	if (stat_dir_of(path, &dir, err) < 0 || mf_temp_open(&t, path, mode_in(&dir), err) < 0)
		return -1;
	if (fchown(t.fd, (uid_t)-1, dir.st_gid) < 0 && errno != EPERM)
		return mf_fail(err, MF_E_IO, errno, "set group of '%s'", path);
	if (mf_temp_commit(&t, MF_TEMP_CREATE, MF_NO_SYNC, err) == 0)
		return 0;
	if (err->code != MF_E_CONFLICT)
		return -1;
	mf_err_clear(err); /* another process has made it */
	return 0;
}

/* O_NONBLOCK in case the path is a FIFO: opening it for reading would wait for a writer. */
static int open_file(const char *path)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
	int fd = open(path, O_RDWR | flags);
	return fd < 0 && (errno == EACCES || errno == EROFS) ? open(path, O_RDONLY | flags) : fd;
}

/* If a directory becomes shared after its lock file was made, the owner's next run corrects group and mode
 * of the file. */
static void mend_mode(int fd, const char *path)
{
	struct stat st, dir;
	struct mf_err ignored = MF_ERR_INIT;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || stat_dir_of(path, &dir, &ignored) < 0 ||
	    (st.st_mode & 07777) == mode_in(&dir))
		return;
	(void)!fchown(fd, (uid_t)-1, dir.st_gid);
	(void)!fchmod(fd, mode_in(&dir));
}

/* Returns 1 when locked, 0 when the file was replaced meanwhile (a lock on a removed file excludes
 * nobody), or -1. */
static int try_lock(struct mf_lock *lock, const char *path, enum what what, const struct mf_env *env,
		    struct mf_err *err)
{
	struct stat ours, now;
	int fd MF_FD_CLEANUP = open_file(path);
	if (fd < 0 && errno == ENOENT && what == LOCK_FILE)
		return make_file(path, err) < 0 ? -1 : 0;
	if (fd < 0) {
		int sys = errno;
		(void)mf_fail(err, MF_E_IO, sys, "open lock '%s'", path);
		if (sys == EACCES)
			mf_err_set_hint(err, "its owner, or whoever owns the directory, can give it the "
					     "directory's group and mode 660");
		return -1;
	}
	if (what == LOCK_FILE)
		mend_mode(fd, path);
	if (wait_for(lock, fd, path, env, err) < 0)
		return -1;
	if (fstat(fd, &ours) < 0 || lstat(path, &now) < 0 || ours.st_dev != now.st_dev ||
	    ours.st_ino != now.st_ino)
		return 0;
	lock->fd = fd;
	fd = -1;
	return 1;
}

static int acquire(struct mf_lock *lock, const char *path, enum what what, const struct mf_env *env,
		   struct mf_err *err)
{
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		int rc = try_lock(lock, path, what, env, err);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	return mf_fail(err, MF_E_CONFLICT, 0, "lock '%s': the file was removed repeatedly", path);
}

int mf_lock_acquire(struct mf_lock *lock, const char *path, const struct mf_env *env, struct mf_err *err)
{
	return acquire(lock, path, LOCK_FILE, env, err);
}

int mf_lock_content(struct mf_lock *lock, const char *path, const struct mf_env *env, struct mf_err *err)
{
	return acquire(lock, path, CONTENT, env, err);
}

void mf_lock_release(struct mf_lock *lock)
{
	/* Closing the only descriptor releases the lock. The file is not removed: otherwise two processes
	 * could lock two files of the same name. */
	mf_fd_cleanup(&lock->fd);
	lock->fd = -1;
}
