#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store/temp.h"

/* Reads to the end of fd, at most `max` octets more; reading one past the maximum tells "full" from "too
 * large". */
static int read_all(int fd, const char *name, size_t max, struct mf_buf *out, struct mf_err *err)
{
	size_t start = out->n;
	for (;;) {
		char chunk[16384];
		/* Straight into the room that was reserved by the file's size, through the stack behind it.
		 */
		size_t room = out->cap > out->n + 1 ? out->cap - out->n - 1 : 0;
		bool direct = room >= sizeof(chunk);
		ssize_t k = read(fd, direct ? out->p + out->n : chunk, direct ? room : sizeof(chunk));
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return mf_fail(err, errno == EISDIR ? MF_E_USAGE : MF_E_IO, errno, "read '%s'", name);
		if (k == 0)
			return 0;
		if ((size_t)k > max - (out->n - start))
			return mf_fail(err, MF_E_USAGE, 0, "'%s' is larger than %zu bytes", name, max);
		if (!direct && mf_buf_add(out, chunk, (size_t)k, err))
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

static int read_path(const char *path, size_t max, bool regular, struct mf_buf *out, struct mf_err *err)
{
	if (!regular && strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, "standard input", max, out, err);
	/* Without O_NONBLOCK opening a FIFO waits for a writer; it says nothing about regular files. */
	int fd MF_FD_CLEANUP = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (regular ? O_NONBLOCK : 0));
	if (fd < 0)
		return open_error(path, errno, err);
	struct stat st;
	if (fstat(fd, &st))
		return mf_fail(err, MF_E_IO, errno, "read '%s'", path);
	if (S_ISDIR(st.st_mode))
		return mf_fail(err, MF_E_USAGE, 0, "'%s' is a directory", path);
	if (regular && !S_ISREG(st.st_mode))
		return mf_fail(err, MF_E_USAGE, 0, "'%s' is no regular file", path);
	if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size > max)
		return mf_fail(err, MF_E_USAGE, 0, "'%s' is larger than %zu bytes", path, max);
	if (S_ISREG(st.st_mode) && mf_buf_reserve(out, (size_t)st.st_size, err))
		return -1;
	return read_all(fd, path, max, out, err);
}

static int read_file(const char *path, size_t max, bool regular, struct mf_buf *out, struct mf_err *err)
{
	size_t before = out->n, room = out->max - out->n;
	if (read_path(path, max < room ? max : room, regular, out, err) == 0)
		return 0;
	out->n = before;
	if (out->p)
		out->p[before] = '\0';
	return -1;
}

int mf_file_read(const char *path, size_t max, struct mf_buf *out, struct mf_err *err)
{
	return read_file(path, max, false, out, err);
}

int mf_file_read_stored(const char *path, size_t max, struct mf_buf *out, struct mf_err *err)
{
	if (read_file(path, max, true, out, err) == 0)
		return 0;
	if (err->code != MF_E_USAGE)
		return -1;
	return mf_recode(err, err->sys == EACCES || err->sys == EPERM ? MF_E_IO : MF_E_FORMAT);
}

static int write_file(const char *path, struct mf_bytes data, unsigned mode, enum mf_temp_how how, bool sync,
		      struct mf_err *err)
{
	struct mf_temp t MF_TEMP_CLEANUP = MF_TEMP_INIT;
	if (mf_temp_open(&t, path, mode, err))
		return -1;
	if (mf_fd_write_all(t.fd, data.p, data.n))
		return mf_fail(err, MF_E_IO, errno, "write '%s'", path);
	return mf_temp_commit(&t, how, sync, err);
}

int mf_file_write(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err)
{
	return write_file(path, data, mode, MF_TEMP_REPLACE, true, err);
}

int mf_file_create(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err)
{
	/* Spares the temporary file; the link decides. */
	struct stat st;
	if (lstat(path, &st) == 0)
		return mf_fail(err, MF_E_CONFLICT, 0, "'%s' exists already", path);
	return write_file(path, data, mode, MF_TEMP_CREATE, true, err);
}

int mf_file_write_fast(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err)
{
	return write_file(path, data, mode, MF_TEMP_REPLACE, false, err);
}

bool mf_file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static int make_one(const char *path, unsigned mode, struct mf_err *err)
{
	if (mkdir(path, (mode_t)mode) == 0) {
		if (chmod(path, (mode_t)mode))
			return mf_fail(err, MF_E_IO, errno, "set mode of '%s'", path);
		return 0;
	}
	/* Another process may have been faster; a read-only parent answers EROFS even for what is there. */
	int sys = errno;
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return mf_fail(err, MF_E_IO, sys == EEXIST ? ENOTDIR : sys, "make directory '%s'", path);
}

int mf_dir_make(const char *path, unsigned mode, struct mf_err *err)
{
	char *copy MF_FREE = mf_str_dup(mf_str_c(path));
	if (!copy)
		return mf_fail_nomem(err);
	for (char *p = copy; *p; p++) {
		if (*p != '/' || p == copy || p[-1] == '/')
			continue;
		*p = '\0';
		if (make_one(copy, mode, err))
			return -1;
		*p = '/';
	}
	return make_one(copy, mode, err);
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
