#include "store/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/count.h"
#include "store/temp.h"

/* Reads to the end of fd, at most `max` octets. One octet more than the maximum tells a file that is too
 * large from one that has exactly the maximum. */
static int read_all(int fd, const char *name, size_t max, struct mf_buf *out, struct mf_err *err)
{
	size_t start = out->n;
	for (;;) {
		char chunk[16384];
		/* Read directly into the room that was reserved by the file's size; beyond it, through a
		 * buffer on the stack. */
		size_t room = out->cap > out->n + 1 ? out->cap - out->n - 1 : 0;
		bool direct = room >= sizeof chunk;
		ssize_t k = read(fd, direct ? out->p + out->n : chunk, direct ? room : sizeof chunk);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return mf_fail(err, errno == EISDIR ? MF_E_USAGE : MF_E_IO, errno, "read '%s'", name);
		if (k == 0)
			return 0;
		mf_counts()->read += (uint64_t)k;
		if ((size_t)k > max - (out->n - start))
			return mf_fail(err, MF_E_USAGE, 0, "'%s' is larger than %zu bytes", name, max);
		if (!direct && mf_buf_add(out, chunk, (size_t)k, err) < 0)
			return -1;
		if (direct) {
			out->n += (size_t)k;
			out->p[out->n] = 0;
		}
	}
}

static int open_error(const char *path, int sys, struct mf_err *err)
{
	enum mf_code code = MF_E_IO;
	if (sys == ENOENT || sys == ENOTDIR)
		code = MF_E_NOT_FOUND;
	else if (sys == EACCES || sys == EPERM || sys == EISDIR || sys == ELOOP || sys == ENAMETOOLONG)
		code = MF_E_USAGE;
	return mf_fail(err, code, sys, "open '%s'", path);
}

int mf_fd_open(const char *path, enum mf_allow allow, uint64_t max, struct stat *st, struct mf_err *err)
{
	/* Without O_NONBLOCK opening a FIFO waits for a writer; for regular files it changes nothing. */
	int wait = allow == MF_ALLOW_ANY ? 0 : O_NONBLOCK;
	int fd MF_FD_CLEANUP = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | wait);
	if (fd < 0)
		return open_error(path, errno, err);
	if (fstat(fd, st) < 0)
		return mf_fail(err, MF_E_IO, errno, "read '%s'", path);
	if (S_ISDIR(st->st_mode))
		return mf_fail(err, MF_E_USAGE, 0, "'%s' is a directory", path);
	if (allow == MF_ALLOW_REGULAR && !S_ISREG(st->st_mode))
		return mf_fail(err, MF_E_USAGE, 0, "'%s' is not a regular file", path);
	if (S_ISREG(st->st_mode) && (uint64_t)st->st_size > max)
		return mf_fail(err, MF_E_USAGE, 0, "'%s' is larger than %llu bytes", path,
			       (unsigned long long)max);
	int opened = fd;
	fd = -1;
	return opened;
}

static int read_path(const char *path, size_t max, enum mf_allow allow, struct mf_buf *out,
		     struct mf_err *err)
{
	if (allow == MF_ALLOW_ANY && strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, "standard input", max, out, err);
	struct stat st;
	int fd MF_FD_CLEANUP = mf_fd_open(path, allow, max, &st, err);
	if (fd < 0)
		return -1;
	if (S_ISREG(st.st_mode) && mf_buf_reserve(out, (size_t)st.st_size, err) < 0)
		return -1;
	return read_all(fd, path, max, out, err);
}

static int read_file(const char *path, size_t max, enum mf_allow allow, struct mf_buf *out,
		     struct mf_err *err)
{
	size_t before = out->n, room = out->max - out->n;
	if (read_path(path, max < room ? max : room, allow, out, err) == 0)
		return 0;
	out->n = before;
	if (out->p)
		out->p[before] = '\0';
	return -1;
}

int mf_file_read(const char *path, size_t max, struct mf_buf *out, struct mf_err *err)
{
	return read_file(path, max, MF_ALLOW_ANY, out, err);
}

static int stored_error(struct mf_err *err)
{
	if (err->code != MF_E_USAGE)
		return -1;
	return mf_recode(err, err->sys == EACCES || err->sys == EPERM ? MF_E_IO : MF_E_FORMAT);
}

int mf_file_read_stored(const char *path, size_t max, struct mf_buf *out, struct mf_err *err)
{
	return read_file(path, max, MF_ALLOW_REGULAR, out, err) == 0 ? 0 : stored_error(err);
}

int mf_file_open_stored(const char *path, uint64_t max, struct mf_err *err)
{
	struct stat st;
	int fd = mf_fd_open(path, MF_ALLOW_REGULAR, max, &st, err);
	return fd >= 0 ? fd : stored_error(err);
}

bool mf_fd_read_at(int fd, uint64_t at, void *p, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t k = pread(fd, (char *)p + got, n - got, (off_t)(at + got));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		got += (size_t)k;
		mf_counts()->read += (uint64_t)k;
	}
	return true;
}

void mf_file_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static int write_file(const char *path, struct mf_bytes data, unsigned mode, enum mf_temp_how how,
		      enum mf_sync sync, struct mf_err *err)
{
	struct mf_temp t MF_TEMP_CLEANUP = MF_TEMP_INIT;
	if (mf_temp_open(&t, path, mode, err) < 0)
		return -1;
	if (mf_fd_write_all(t.fd, data.p, data.n))
		return mf_fail(err, MF_E_IO, errno, "write '%s'", path);
	return mf_temp_commit(&t, how, sync, err);
}

int mf_file_write(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err)
{
	return write_file(path, data, mode, MF_TEMP_REPLACE, MF_SYNC, err);
}

int mf_file_create(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err)
{
	/* A quick check that avoids a temporary file; link(2) decides in the end. */
	struct stat st;
	if (lstat(path, &st) == 0)
		return mf_fail(err, MF_E_CONFLICT, 0, "'%s' exists already", path);
	return write_file(path, data, mode, MF_TEMP_CREATE, MF_SYNC, err);
}

int mf_file_write_fast(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err)
{
	return write_file(path, data, mode, MF_TEMP_REPLACE, MF_NO_SYNC, err);
}

bool mf_file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* The mode for a new directory: the given one, or (shared) one that follows from its parent's. */
struct dir_mode {
	bool shared;
	unsigned mode;
};

/* Another process may have made the directory first. On a read-only file system, mkdir gives EROFS even if
 * it exists. */
static int made_by_others(const char *path, int sys, struct mf_err *err)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return mf_fail(err, MF_E_IO, sys == EEXIST ? ENOTDIR : sys, "make directory '%s'", path);
}

static int make_with_mode(const char *path, mode_t mode, struct mf_err *err)
{
	if (mkdir(path, mode) < 0)
		return made_by_others(path, errno, err);
	if (chmod(path, mode) < 0)
		return mf_fail(err, MF_E_IO, errno, "set mode of '%s'", path);
	return 0;
}

/* Only for a setgid directory the group was chosen for sharing. Elsewhere the group of a new directory is
 * the user's own, and may have any members. */
static mode_t shared_mode(const struct stat *parent)
{
	mode_t mode = 0755 | (parent->st_mode & S_ISGID);
	return mode & S_ISGID ? mode | (parent->st_mode & S_IWGRP) : mode;
}

/* The directory has a temporary name until it has its mode: another user's writer must not find it with a
 * wrong mode. */
static int make_shared(const char *path, struct mf_err *err)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	char *dir MF_FREE = mf_dir_of(path), *tmp MF_FREE = dir ? mf_temp_name(path, err) : NULL;
	if (!tmp)
		return dir ? -1 : mf_fail_nomem(err);
	if (stat(dir, &st) < 0)
		return mf_fail(err, MF_E_IO, errno, "make directory '%s'", path);
	mode_t mode = shared_mode(&st);
	if (make_with_mode(tmp, mode, err) < 0)
		return -1;
	if (renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE) < 0) {
		int sys = errno;
		(void)rmdir(tmp);
		if (sys != EINVAL && sys != ENOSYS)
			return made_by_others(path, sys, err);
		if (make_with_mode(path, mode, err) < 0)
			return -1;
	}
	return mf_dir_sync(dir, err);
}

static int make_one(const char *path, struct dir_mode how, struct mf_err *err)
{
	return how.shared ? make_shared(path, err) : make_with_mode(path, (mode_t)how.mode, err);
}

static int make_all(const char *path, struct dir_mode how, struct mf_err *err)
{
	char *copy MF_FREE = mf_str_dup(mf_str_c(path));
	if (!copy)
		return mf_fail_nomem(err);
	for (char *p = copy; *p; p++) {
		if (*p != '/' || p == copy || p[-1] == '/')
			continue;
		*p = '\0';
		if (make_one(copy, how, err) < 0)
			return -1;
		*p = '/';
	}
	return make_one(copy, how, err);
}

int mf_dir_make(const char *path, unsigned mode, struct mf_err *err)
{
	struct stat st;
	/* The directory usually exists: writers to the cache call this before each file. */
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return make_all(path, (struct dir_mode){false, mode}, err);
}

/* Returns the real path of the nearest part of `path` that exists, at or below the directory, whose length
 * is dir_n. NULL with errno. */
static char *nearest_real(char *path, size_t dir_n)
{
	for (;;) {
		struct stat st;
		char *real = realpath(path, NULL), *slash = strrchr(path, '/');
		int sys = errno;
		if (real || sys != ENOENT || lstat(path, &st) == 0 || !slash ||
		    (size_t)(slash - path) < dir_n) {
			errno = sys;
			return real;
		}
		*slash = '\0';
	}
}

int mf_path_check_inside(const char *dir, const char *path, struct mf_err *err)
{
	char *base MF_FREE = realpath(dir, NULL);
	if (!base && errno == ENOENT)
		return 0;
	if (!base)
		return mf_fail(err, MF_E_IO, errno, "find directory '%s'", dir);
	char *copy MF_FREE = mf_str_dup(mf_str_c(path));
	if (!copy)
		return mf_fail_nomem(err);
	size_t dir_n = strlen(dir);
	while (dir_n > 1 && dir[dir_n - 1] == '/')
		dir_n--;
	char *real MF_FREE = nearest_real(copy, dir_n);
	if (!real && errno == ENOMEM)
		return mf_fail_nomem(err);
	if (!real && errno != ENOENT && errno != ELOOP)
		return mf_fail(err, MF_E_IO, errno, "find '%s'", path);
	size_t n = strcmp(base, "/") == 0 ? 0 : strlen(base);
	if (real && strncmp(real, base, n) == 0 && (real[n] == '/' || real[n] == '\0'))
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "'%s' is a symbolic link that leads out of '%s'", copy, dir);
}

int mf_dir_make_inside(const char *base, const char *path, unsigned mode, struct mf_err *err)
{
	if (mf_path_check_inside(base, path, err) < 0)
		return mf_recode(err, MF_E_IO);
	return mf_dir_make(path, mode, err);
}

int mf_dir_make_shared(const char *path, struct mf_err *err)
{
	return make_all(path, (struct dir_mode){true, 0}, err);
}

void mf_dir_close(struct mf_dir *d)
{
	mf_fd_cleanup(&d->fd);
	*d = (struct mf_dir)MF_DIR_INIT;
}

static int take_fd(struct mf_dir *d, int fd, const char *shown, struct mf_err *err)
{
	if (fd < 0)
		return mf_fail(err, MF_E_IO, errno, "open directory '%s'", shown);
	mf_dir_close(d);
	d->fd = fd;
	(void)snprintf(d->path, sizeof d->path, "/proc/self/fd/%d", fd);
	return 0;
}

/* Opens the directory `name`, one level below *d, after making it if it is missing. A symbolic link is
 * followed only if it stays below `top`. */
static int descend(struct mf_dir *d, const struct mf_dir *top, const char *name, struct mf_err *err)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
	char *last MF_FREE = mf_path_join(d->path, strrchr(name, '/') ? strrchr(name, '/') + 1 : name, NULL);
	if (!last)
		return mf_fail_nomem(err);
	int fd = (int)syscall(SYS_openat2, top->fd, name, &how, sizeof how);
	if (fd < 0 && errno == ENOENT) {
		if (make_one(last, (struct dir_mode){true, 0}, err) < 0)
			return -1;
		fd = (int)syscall(SYS_openat2, top->fd, name, &how, sizeof how);
	}
	/* openat2 does not exist in kernels before 5.6, and sandboxes may forbid it. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = open(last, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == EXDEV || errno == ELOOP || errno == ENOENT))
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' is a symbolic link that leads out of the directory",
			       name);
	return take_fd(d, fd, name, err);
}

int mf_dir_open_below(struct mf_dir *d, const char *base, const char *name, struct mf_err *err)
{
	struct mf_dir top MF_DIR_CLEANUP = MF_DIR_INIT;
	char *copy MF_FREE = mf_str_dup(mf_str_c(name));
	if (!copy)
		return mf_fail_nomem(err);
	if (take_fd(&top, open(base, O_PATH | O_DIRECTORY | O_CLOEXEC), base, err) < 0 ||
	    take_fd(d, open(base, O_PATH | O_DIRECTORY | O_CLOEXEC), base, err) < 0)
		return -1;
	for (char *p = copy; p; p++) {
		p = strchr(p, '/');
		if (p)
			*p = '\0';
		if (descend(d, &top, copy, err) < 0)
			return mf_wrap(err, "'%s'", base);
		if (!p)
			break;
		*p = '/';
	}
	return 0;
}

int mf_dir_open_seen(struct mf_dir *d, const char *path, const struct stat *seen, struct mf_err *err)
{
	struct stat st;
	int flags = O_PATH | O_DIRECTORY | O_CLOEXEC | (seen ? 0 : O_NOFOLLOW);
	if (take_fd(d, open(path, flags), path, err) < 0)
		return -1;
	if (fstat(d->fd, &st) < 0)
		return mf_fail(err, MF_E_IO, errno, "open directory '%s'", path);
	if (!seen || (st.st_dev == seen->st_dev && st.st_ino == seen->st_ino))
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "another directory has taken the place of '%s'", path);
}

/* Longer than any writer works on one file, even if the clocks of two machines differ. */
#define LEFT_BEHIND_S ((int64_t)86400)
/* Limit of entries that one sweep reads, which takes a few milliseconds. */
#define MAX_SWEPT 20000

bool mf_is_temp_name(const char *name)
{
	static const char prefix[] = ".tmp-";
	return strncmp(name, prefix, sizeof prefix - 1) == 0 &&
	       strspn(name + sizeof prefix - 1, "0123456789abcdef") == MF_TEMP_DIGITS &&
	       name[sizeof prefix - 1 + MF_TEMP_DIGITS] == '\0';
}

bool mf_is_left_behind(const struct stat *st, int64_t now_s)
{
	return st->st_mtime <= now_s - LEFT_BEHIND_S;
}

void mf_dir_sweep(const char *dir, int64_t now_s)
{
	DIR *d = opendir(dir);
	if (!d)
		return;
	const struct dirent *e;
	for (int i = 0; i < MAX_SWEPT && (e = readdir(d)); i++) {
		struct stat st;
		if (!mf_is_temp_name(e->d_name) ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !mf_is_left_behind(&st, now_s))
			continue;
		if (S_ISREG(st.st_mode))
			(void)unlinkat(dirfd(d), e->d_name, 0);
		else if (S_ISDIR(st.st_mode))
			(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

int mf_file_link(const char *from, const char *path, struct mf_err *err)
{
	char *dir MF_FREE = mf_dir_of(path), *tmp MF_FREE = dir ? mf_temp_name(path, err) : NULL;
	if (!tmp)
		return dir ? -1 : mf_fail_nomem(err);
	if (link(from, tmp) < 0)
		return mf_fail(err, MF_E_IO, errno, "link '%s'", path);
	int rc = rename(tmp, path), sys = errno;
	(void)unlink(tmp); /* rename of two links to one file leaves both */
	return rc ? mf_fail(err, MF_E_IO, sys, "link '%s'", path) : mf_dir_sync(dir, err);
}

char *mf_path_join(const char *first, ...)
{
	struct mf_buf path MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20);
	struct mf_err failed = MF_ERR_INIT;
	va_list ap;
	va_start(ap, first);
	int rc = mf_buf_addz(&path, first, &failed);
	for (const char *part; !rc && (part = va_arg(ap, const char *));) {
		if (path.n && path.p[path.n - 1] != '/')
			rc = mf_buf_addc(&path, '/', &failed);
		if (!rc)
			rc = mf_buf_addz(&path, part, &failed);
	}
	va_end(ap);
	return rc ? NULL : mf_buf_take(&path);
}
