#include "store/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/count.h"
#include "base/encode.h"

int mf_fd_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;
	while (n) {
		ssize_t k = write(fd, at, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno == EAGAIN) {
			/* Standard output may share its open file description with a process that made it
			 * non-blocking. */
			struct pollfd pfd = {fd, POLLOUT, 0};
			if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
				return -1;
			continue;
		}
		if (k < 0)
			return -1;
		at += k;
		n -= (size_t)k;
		mf_counts()->written += (uint64_t)k;
	}
	return 0;
}

char *mf_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return mf_str_dup(MF_STR("."));
	size_t n = slash == path ? 1 : (size_t)(slash - path);
	return mf_str_dup((struct mf_str){path, n});
}

char *mf_temp_name(const char *target, struct mf_err *err)
{
	uint8_t random[MF_TEMP_DIGITS / 2];
	char hex[sizeof random * 2 + 1];
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
		(void)mf_fail(err, MF_E_IO, errno, "read random bytes");
		return NULL;
	}
	mf_hex_encode(hex, random, sizeof random);
	const char *slash = strrchr(target, '/');
	int dir = slash ? (int)(slash + 1 - target) : 0;
	char *path = NULL;
	if (asprintf(&path, "%.*s.tmp-%s", dir, target, hex) < 0) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	return path;
}

/* Root could rename a file over a device: with a file in place of /dev/null, every program fills the disk. */
static int check_target(const char *target, struct mf_err *err)
{
	static const char proc[] = "/proc/";
	char link[sizeof proc];
	struct stat st;
	if (lstat(target, &st) < 0)
		return 0;
	/* /dev/stdout is a link, which leads to a regular file when the output is redirected to one. */
	bool descriptor = readlink(target, link, sizeof proc - 1) == (ssize_t)sizeof proc - 1 &&
			  memcmp(link, proc, sizeof proc - 1) == 0;
	bool dangling = S_ISLNK(st.st_mode) && stat(target, &st) < 0;
	if (descriptor || (!dangling && !S_ISREG(st.st_mode)))
		return mf_fail(err, MF_E_IO, S_ISDIR(st.st_mode) ? EISDIR : 0,
			       "write '%s': not a regular file", target);
	return 0;
}

static int set_mode(const struct mf_temp *t, unsigned mode, struct mf_err *err)
{
	return fchmod(t->fd, (mode_t)mode) < 0 ? mf_fail(err, MF_E_IO, errno, "set mode of '%s'", t->target)
					       : 0;
}

int mf_temp_open(struct mf_temp *t, const char *target, unsigned mode, struct mf_err *err)
{
	char *path = check_target(target, err) < 0 ? NULL : mf_temp_name(target, err);
	if (!path)
		return -1;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int sys = errno;
		free(path);
		return mf_fail(err, MF_E_IO, sys, "write '%s'", target);
	}
	*t = (struct mf_temp){fd, path, target};
	return set_mode(t, mode, err);
}

int mf_temp_adopt(struct mf_temp *t, int unnamed, const char *target, unsigned mode, struct mf_err *err)
{
	char *path MF_FREE = check_target(target, err) < 0 ? NULL : mf_temp_name(target, err);
	if (!path)
		return -1;
	char own[32];
	(void)snprintf(own, sizeof own, "/proc/self/fd/%d", unnamed);
	int fd MF_FD_CLEANUP = fcntl(unnamed, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
		return mf_fail(err, MF_E_IO, errno, "write '%s'", target);
	*t = (struct mf_temp){fd, path, target};
	path = NULL;
	fd = -1;
	return set_mode(t, mode, err);
}

void mf_temp_drop(struct mf_temp *t)
{
	mf_fd_cleanup(&t->fd);
	if (t->path)
		unlink(t->path);
	free(t->path);
	*t = (struct mf_temp)MF_TEMP_INIT;
}

/* link(2) fails if the name is taken. On file systems without links (FAT, some network file systems)
 * RENAME_NOREPLACE does. */
static int name_new(struct mf_temp *t, struct mf_err *err)
{
	if (link(t->path, t->target) == 0) {
		unlink(t->path);
		return 0;
	}
	if ((errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) &&
	    renameat2(AT_FDCWD, t->path, AT_FDCWD, t->target, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return mf_fail(err, MF_E_CONFLICT, 0, "'%s' exists already", t->target);
	return mf_fail(err, MF_E_IO, errno, "create '%s'", t->target);
}

int mf_dir_sync(const char *dir, struct mf_err *err)
{
	int fd MF_FD_CLEANUP = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mf_fail(err, MF_E_IO, errno, "open directory '%s'", dir);
	/* Some file systems cannot sync a directory and say so. */
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		return mf_fail(err, MF_E_IO, errno, "sync directory '%s'", dir);
	return 0;
}

static int sync_directory_of(const char *path, struct mf_err *err)
{
	char *dir MF_FREE = mf_dir_of(path);
	return dir ? mf_dir_sync(dir, err) : mf_fail_nomem(err);
}

int mf_temp_commit(struct mf_temp *t, enum mf_temp_how how, enum mf_sync sync, struct mf_err *err)
{
	if (sync == MF_SYNC && fsync(t->fd) < 0)
		return mf_fail(err, MF_E_IO, errno, "write '%s'", t->target);
	/* Network file systems report a full disk at close. */
	int closed = close(t->fd);
	t->fd = -1;
	if (closed)
		return mf_fail(err, MF_E_IO, errno, "write '%s'", t->target);
	if (how == MF_TEMP_CREATE) {
		if (name_new(t, err) < 0)
			return -1;
	} else if (rename(t->path, t->target) < 0) {
		return mf_fail(err, MF_E_IO, errno, "write '%s'", t->target);
	}
	free(t->path);
	t->path = NULL;
	return sync == MF_SYNC ? sync_directory_of(t->target, err) : 0;
}
