#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/count.h"
#include "base/unnamed.h"
#include "crypto/hash.h"
#include "store/file.h"
#include "store/temp.h"

/* Most records are smaller, and so are never written to disk. */
#define MEMORY_MAX ((size_t)256 << 10)
#define CHUNK ((size_t)64 << 10)

struct mf_spool {
	uint64_t max, length;
	struct mf_hash *sha256, *sha512; /* sha512 is NULL unless it was requested */
	struct mf_buf memory;            /* all content, until fd is open */
	int fd;
	char *dir;         /* directory for the file, or NULL */
	bool may_be_named; /* the file is in `dir`, and can get a name */
	bool ended;
	struct mf_digest digest;
	uint8_t digest512[64];
};

struct mf_spool *mf_spool_new(uint64_t max, struct mf_err *err)
{
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_calloc(1, sizeof *s);
	if (!s) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	s->fd = -1;
	s->max = max;
	mf_buf_init(&s->memory, MEMORY_MAX);
	s->sha256 = mf_hash_new(err);
	if (!s->sha256)
		return NULL;
	struct mf_spool *made = s;
	s = NULL;
	return made;
}

void mf_spool_free(struct mf_spool *s)
{
	if (!s)
		return;
	mf_hash_free(s->sha256);
	mf_hash_free(s->sha512);
	mf_fd_cleanup(&s->fd);
	mf_buf_clear(&s->memory);
	free(s->dir);
	free(s);
}

int mf_spool_want_sha512(struct mf_spool *s, struct mf_err *err)
{
	assert(s->length == 0 && !s->ended);
	s->sha512 = mf_hash_new_sha512(err);
	return s->sha512 ? 0 : -1;
}

static const char *place(const struct mf_spool *s)
{
	return s->may_be_named ? s->dir : mf_unnamed_dir();
}

static int write_out(struct mf_spool *s, const void *p, size_t n, struct mf_err *err)
{
	if (mf_fd_write_all(s->fd, p, n) == 0)
		return 0;
	(void)mf_fail(err, MF_E_IO, errno, "write a temporary file in '%s'", place(s));
	if (!s->may_be_named)
		mf_err_set_hint(err, "TMPDIR chooses another directory for temporary files");
	return -1;
}

static int spill(struct mf_spool *s, struct mf_err *err)
{
	/* O_TMPFILE without O_EXCL, so that the file can get a name later. */
	s->fd = s->dir ? open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
	s->may_be_named = s->fd >= 0;
	if (s->fd < 0)
		s->fd = mf_unnamed_open(mf_unnamed_dir(), err);
	if (s->fd < 0 || write_out(s, mf_buf_str(&s->memory).p, s->memory.n, err) < 0)
		return -1;
	mf_buf_clear(&s->memory);
	return 0;
}

static int keep(struct mf_spool *s, const void *p, size_t n, struct mf_err *err)
{
	if (s->fd < 0 && n <= MEMORY_MAX - s->memory.n)
		return mf_buf_add(&s->memory, p, n, err);
	if (s->fd < 0 && spill(s, err) < 0)
		return -1;
	return write_out(s, p, n, err);
}

int mf_spool_add(struct mf_spool *s, const void *p, size_t n, struct mf_err *err)
{
	assert(!s->ended);
	if (n > s->max - s->length)
		return mf_fail(err, MF_E_FORMAT, 0, "longer than %llu bytes", (unsigned long long)s->max);
	if (n == 0)
		return 0;
	if (mf_hash_add(s->sha256, p, n, err) < 0 || (s->sha512 && mf_hash_add(s->sha512, p, n, err) < 0) ||
	    keep(s, p, n, err) < 0)
		return -1;
	s->length += n;
	return 0;
}

int mf_spool_write(void *spool, const void *p, size_t n, struct mf_err *err)
{
	return mf_spool_add(spool, p, n, err);
}

int mf_spool_end(struct mf_spool *s, struct mf_digest *digest, uint64_t *length, struct mf_err *err)
{
	if (!s->ended && (mf_hash_end(s->sha256, &s->digest, err) < 0 ||
			  (s->sha512 && mf_hash_end_sha512(s->sha512, s->digest512, err) < 0)))
		return -1;
	s->ended = true;
	*digest = s->digest;
	*length = s->length;
	return 0;
}

const uint8_t *mf_spool_sha512(const struct mf_spool *s)
{
	assert(s->ended && s->sha512);
	return s->digest512;
}

int mf_spool_read(struct mf_spool *s, uint64_t offset, void *p, size_t n, size_t *got, struct mf_err *err)
{
	assert(s->ended);
	*got = 0;
	if (offset >= s->length)
		return 0;
	uint64_t left = s->length - offset;
	size_t want = left < n ? (size_t)left : n;
	if (s->fd < 0) {
		memcpy(p, s->memory.p + offset, want);
		*got = want;
		return 0;
	}
	while (*got < want) {
		ssize_t k = pread(s->fd, (char *)p + *got, want - *got, (off_t)(offset + *got));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return mf_fail(err, MF_E_IO, k ? errno : 0, "read a temporary file in '%s'",
				       mf_unnamed_dir());
		*got += (size_t)k;
		mf_counts()->read += (uint64_t)k;
	}
	return 0;
}

static int copy_to(struct mf_spool *s, int fd, const char *name, struct mf_err *err)
{
	char *chunk MF_FREE = malloc(CHUNK);
	if (!chunk)
		return mf_fail_nomem(err);
	size_t got;
	for (uint64_t at = 0; at < s->length; at += got) {
		if (mf_spool_read(s, at, chunk, CHUNK, &got, err) < 0)
			return -1;
		if (mf_fd_write_all(fd, chunk, got) < 0)
			return mf_fail(err, MF_E_IO, errno, "write '%s'", name);
	}
	return 0;
}

static bool is_stream(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

/* Returns N of "/proc/self/fd/N" and "/dev/fd/N", -1 for other names. */
static int descriptor_number(const char *name)
{
	static const char *const prefixes[] = {"/proc/self/fd/", "/dev/fd/"};
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		size_t at = strlen(prefixes[i]);
		if (strncmp(name, prefixes[i], at) != 0)
			continue;
		size_t digits = strspn(name + at, "0123456789");
		return digits > 0 && digits < 6 && !name[at + digits] ? (int)strtol(name + at, NULL, 10) : -1;
	}
	return -1;
}

/* The same, through a link such as /dev/stdout. If a shell redirected the output, the descriptor is a
 * regular file; root would then replace the link by a file, for every user. */
static int descriptor_named(const char *path)
{
	char link[64];
	ssize_t n = readlink(path, link, sizeof link - 1);
	int fd = descriptor_number(path);
	if (fd >= 0 || n <= 0)
		return fd;
	link[n] = '\0';
	return descriptor_number(link);
}

struct mf_spool *mf_spool_new_for(const char *path, uint64_t max, struct mf_err *err)
{
	struct mf_spool *s = mf_spool_new(max, err);
	if (!s || is_stream(path) || descriptor_named(path) >= 0)
		return s;
	s->dir = mf_dir_of(path);
	if (s->dir)
		return s;
	mf_spool_free(s);
	(void)mf_fail_nomem(err);
	return NULL;
}

int mf_spool_copy_file(struct mf_spool *s, const char *path, unsigned mode, enum mf_sync sync,
		       struct mf_err *err)
{
	int named = is_stream(path) ? -1 : descriptor_named(path);
	if (named >= 0)
		return copy_to(s, named, path, err);
	if (is_stream(path)) {
		int fd MF_FD_CLEANUP = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return mf_fail(err, MF_E_IO, errno, "write '%s'", path);
		return copy_to(s, fd, path, err);
	}
	return mf_spool_store(s, path, mode, sync, err);
}

/* Gives the spool's own file a name instead of copying it. This is done once only: others can change a
 * file that has a name. */
static bool give_name(struct mf_spool *s, struct mf_temp *t, const char *path, unsigned mode)
{
	struct mf_err ignored = MF_ERR_INIT;
	char *dir MF_FREE = s->may_be_named ? mf_dir_of(path) : NULL;
	if (!dir || strcmp(dir, s->dir) != 0)
		return false;
	s->may_be_named = false;
	return mf_temp_adopt(t, s->fd, path, mode, &ignored) == 0;
}

int mf_spool_store(struct mf_spool *s, const char *path, unsigned mode, enum mf_sync sync, struct mf_err *err)
{
	struct mf_temp t MF_TEMP_CLEANUP = MF_TEMP_INIT;
	if (!give_name(s, &t, path, mode) &&
	    (mf_temp_open(&t, path, mode, err) < 0 || copy_to(s, t.fd, path, err) < 0))
		return -1;
	return mf_temp_commit(&t, MF_TEMP_REPLACE, sync, err);
}

static int fill(struct mf_spool *s, int fd, const char *name, struct mf_err *err)
{
	char *chunk MF_FREE = malloc(CHUNK);
	if (!chunk)
		return mf_fail_nomem(err);
	for (;;) {
		ssize_t k = read(fd, chunk, CHUNK);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return mf_fail(err, MF_E_USAGE, errno, "read '%s'", name);
		if (k == 0)
			return 0;
		mf_counts()->read += (uint64_t)k;
		if ((size_t)k > s->max - s->length)
			return mf_fail(err, MF_E_USAGE, 0, "'%s' is larger than %llu bytes", name,
				       (unsigned long long)s->max);
		if (mf_spool_add(s, chunk, (size_t)k, err) < 0)
			return -1;
	}
}

static int fill_from_file(struct mf_spool *s, const char *path, enum mf_allow allow, struct mf_err *err)
{
	struct stat st;
	int fd MF_FD_CLEANUP = mf_fd_open(path, allow, s->max, &st, err);
	if (fd < 0)
		return err->code == MF_E_NOT_FOUND ? mf_recode(err, MF_E_USAGE) : -1;
	return fill(s, fd, path, err);
}

int mf_spool_from_path(struct mf_spool *s, const char *path, struct mf_digest *digest, uint64_t *length,
		       struct mf_err *err)
{
	int rc = strcmp(path, "-") == 0 ? fill(s, STDIN_FILENO, "standard input", err)
					: fill_from_file(s, path, MF_ALLOW_ANY, err);
	return rc < 0 ? -1 : mf_spool_end(s, digest, length, err);
}

int mf_spool_from_stored(struct mf_spool *s, const char *path, struct mf_digest *digest, uint64_t *length,
			 struct mf_err *err)
{
	return fill_from_file(s, path, MF_ALLOW_REGULAR, err) < 0 ? -1 : mf_spool_end(s, digest, length, err);
}
