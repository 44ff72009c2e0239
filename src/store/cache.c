#include "store/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/arena.h"
#include "base/limits.h"
#include "store/temp.h"

#define BLOCK 4096
/* A use is recorded only when the last record is older than this, so that many reads cause few writes. */
#define USE_NOTED_S 60
/* How many octets a process may write before it adds them to the file `usage`. */
#define ACCOUNT_OCTETS ((uint64_t)1 << 20)
/* How many octets may wait in memory to be written: fewer than a file has that gets an index, because those
 * are read from the file. */
#define MAX_WAITING (MF_MIN_INDEXED_BYTES - 1)
/* When the file `usage` is longer than this, the cache is measured again, because sums drift. */
#define MAX_USAGE 16384
/* A walk frees an eighth of the limit, so that the next file does not cause another walk. */
#define ROOM(limit) ((limit) - (limit) / 8)

uint64_t mf_cache_cost(const struct stat *st)
{
	return ((uint64_t)st->st_size + BLOCK - 1) / BLOCK * BLOCK;
}

/* ---- which files belong to the cache */

static bool is_hash(const char *name, size_t n)
{
	return n == 64 && strspn(name, "0123456789abcdef") >= 64;
}

static bool is_metadata(const char *name)
{
	struct mf_str s = mf_str_c(name);
	return mf_str_ends(s, MF_STR(".json")) || mf_str_ends(s, MF_STR(".index"));
}

/* Returns whether `name` in the folder `top` is a file of the cache. */
static bool is_ours(const char *top, const char *name)
{
	const char *slash = strchr(name, '/');
	if (strcmp(top, MF_CACHE_TUF) == 0)
		return slash && is_hash(name, (size_t)(slash - name)) && !strchr(slash + 1, '/') &&
		       (is_metadata(slash + 1) || mf_is_temp_name(slash + 1));
	return !slash && (is_hash(name, strlen(name)) || mf_is_temp_name(name));
}

struct walk {
	const char *top;
	mf_dir_entry_fn fn;
	void *arg;
};

static int visit(void *arg, const char *name, const struct stat *st, struct mf_err *err)
{
	const struct walk *w = arg;
	return is_ours(w->top, name + strlen(w->top) + 1) ? w->fn(w->arg, name, st, err) : 0;
}

int mf_cache_walk(const char *dir, mf_dir_entry_fn fn, void *arg, struct mf_err *err)
{
	static const char *const tops[] = {MF_CACHE_TUF, MF_CACHE_BLOBS, MF_CACHE_REFUSED};
	for (size_t i = 0; i < sizeof tops / sizeof *tops; i++) {
		struct walk w = {tops[i], fn, arg};
		if (mf_dir_walk(dir, tops[i], visit, &w, err) == 0)
			continue;
		/* Something that is not a folder contains no files of the cache. */
		if (err->code != MF_E_IO || (err->sys != ENOTDIR && err->sys != ELOOP))
			return -1;
		mf_err_clear(err);
	}
	return 0;
}

/* If another process needs a folder at this moment, writing its file fails, and that file is a cache miss
 * later. */
static void remove_empty_folders(const char *dir)
{
	char *path MF_FREE = mf_path_join(dir, MF_CACHE_TUF, NULL);
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	for (const struct dirent *e; d && (e = readdir(d));)
		if (is_hash(e->d_name, strlen(e->d_name)))
			(void)!unlinkat(fd, e->d_name, AT_REMOVEDIR);
	if (d)
		(void)closedir(d);
	else if (fd >= 0)
		(void)close(fd);
}

/* ---- eviction */

struct entry {
	const char *name;
	uint64_t cost;
	struct timespec used;
	int64_t changed;
};

struct entries {
	struct mf_arena names;
	struct entry *v;
	size_t n, cap;
	uint64_t total;
	int64_t now;
};

static void entries_clear(struct entries *e)
{
	mf_arena_clear(&e->names);
	free(e->v);
}
#define ENTRIES_CLEANUP MF_CLEANUP(entries_clear)

/* A temporary file belongs to a process that is still writing, unless it is old. */
static bool is_at_work(const char *name, const struct stat *st, int64_t now)
{
	return mf_is_temp_name(strrchr(name, '/') + 1) && (!now || !mf_is_left_behind(st, now));
}

static int add(void *arg, const char *name, const struct stat *st, struct mf_err *err)
{
	struct entries *e = arg;
	e->total += mf_cache_cost(st);
	if (is_at_work(name, st, e->now))
		return 0;
	if (mf_grow((void **)&e->v, &e->cap, e->n, sizeof *e->v, err) < 0)
		return -1;
	struct entry *x = &e->v[e->n];
	*x = (struct entry){.name = mf_arena_dup(&e->names, mf_str_c(name), err),
			    .cost = mf_cache_cost(st),
			    .used = st->st_mtim,
			    .changed = mf_stat_changed(st)};
	return x->name && ++e->n ? 0 : -1;
}

static int by_use(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int hold(const struct mf_cache *c, uint64_t *total, struct mf_err *err)
{
	struct entries e ENTRIES_CLEANUP = {.names = MF_ARENA_INIT, .now = mf_dir_clock(c->dir)};
	if (mf_cache_walk(c->dir, add, &e, err) < 0)
		return -1;
	*total = e.total;
	if (*total <= c->limit)
		return 0;
	qsort(e.v, e.n, sizeof *e.v, by_use);
	/* A file that was used or rewritten since the walk stays. */
	for (size_t i = 0; i < e.n && (*total) > ROOM(c->limit); i++) {
		struct mf_err ignored = MF_ERR_INIT;
		if (mf_dir_remove_old(c->dir, e.v[i].name, e.v[i].changed, &ignored) == MF_FOUND)
			*total -= e.v[i].cost;
	}
	remove_empty_folders(c->dir);
	mf_env_log(c->env, MF_LOG_DEBUG, "cache: %llu bytes were removed from '%s', which had %llu",
		   (unsigned long long)(e.total - *total), c->dir, (unsigned long long)e.total);
	return 0;
}

/* ---- accounting */

static int open_usage(const char *dir)
{
	struct stat st;
	char *path MF_FREE = mf_path_join(dir, "usage", NULL);
	const int flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd MF_FD_CLEANUP = path ? open(path, flags, 0600) : -1;
	/* A file with a second link may be any file of the user. */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return -1;
	int opened = fd;
	fd = -1;
	return opened;
}

/* Adds the numbers in `text`, one per line, to *total. MF_ABSENT: the text contains something else. */
static enum mf_found sum(const char *text, uint64_t *total)
{
	for (; *text; text++) {
		uint64_t n = 0;
		size_t digits = strspn(text, "0123456789");
		if (!digits || text[digits] != '\n')
			return MF_ABSENT;
		for (const char *end = text + digits; text < end; text++)
			if (__builtin_mul_overflow(n, 10, &n) ||
			    __builtin_add_overflow(n, (unsigned)(*text - '0'), &n))
				return MF_ABSENT;
		if (__builtin_add_overflow(*total, n, total))
			return MF_ABSENT;
	}
	return MF_FOUND;
}

/* Reads the sum in the file from an offset on; from the beginning, "total 123\n45\n67\n" gives 235.
 * MF_ABSENT: the sum is not known. */
static enum mf_found read_usage(int fd, off_t from, uint64_t *total)
{
	static const char head[] = "total ";
	char text[MAX_USAGE + 1];
	const size_t skip = from ? 0 : sizeof head - 1;
	ssize_t n = pread(fd, text, sizeof text, from);
	*total = 0;
	if (n < 0 || n > MAX_USAGE)
		return MF_ABSENT;
	text[n] = '\0';
	if (strlen(text) != (size_t)n || strncmp(text, head, skip) != 0)
		return MF_ABSENT;
	return sum(text + skip, total);
}

static void add_line(int fd, const char *head, uint64_t n)
{
	char line[64];
	int length = snprintf(line, sizeof line, "%s%llu\n", head, (unsigned long long)n);
	(void)!mf_fd_write_all(fd, line, (size_t)length);
}

/* How often the walk is repeated when other processes have written too much meanwhile. */
#define MAX_WALKS 3

/* Walks the cache and removes files. What other processes write during a walk is counted, perhaps twice;
 * what they write between the last two calls is not, until the next walk. */
static void walk_and_hold(const struct mf_cache *c, int usage)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct stat st;
	uint64_t total = UINT64_MAX, added;
	if (flock(usage, LOCK_EX | LOCK_NB) < 0)
		return;
	for (int i = 0; i < MAX_WALKS && total > c->limit; i++) {
		if (fstat(usage, &st) < 0 || hold(c, &total, &ignored) < 0)
			return;
		if (st.st_size && read_usage(usage, st.st_size, &added) == MF_FOUND)
			total += added;
		if (ftruncate(usage, 0) < 0)
			return;
		add_line(usage, "total ", total);
	}
}

void mf_cache_account(struct mf_cache *c)
{
	mf_cache_flush(c);
	uint64_t total, written = c->written;
	c->written = 0;
	int fd MF_FD_CLEANUP = written ? open_usage(c->dir) : -1;
	if (fd < 0)
		return;
	add_line(fd, "", written);
	if (read_usage(fd, 0, &total) != MF_FOUND || total > c->limit)
		walk_and_hold(c, fd);
}

/* ---- writing */

struct mf_cache_file {
	char *path, *data;
	size_t n;
};

static void write_file(struct mf_cache *c, const char *path, struct mf_bytes data)
{
	struct mf_err ignored = MF_ERR_INIT;
	char *dir MF_FREE = mf_str_dup((struct mf_str){path, (size_t)(strrchr(path, '/') - path)});
	if (dir && mf_dir_make_inside(c->dir, dir, 0700, &ignored) == 0 &&
	    mf_file_write_fast(path, data, 0600, &ignored) == 0)
		mf_cache_wrote(c, data.n);
}

/* Keeps a copy for mf_cache_flush. False: it is too large, or memory is short. */
static bool keep_copy(struct mf_cache *c, const char *path, struct mf_bytes data)
{
	struct mf_err ignored = MF_ERR_INIT;
	if (data.n > MAX_WAITING - c->waiting_octets ||
	    mf_grow((void **)&c->waiting, &c->waiting_cap, c->nwaiting, sizeof *c->waiting, &ignored) < 0)
		return false;
	struct mf_cache_file *f = &c->waiting[c->nwaiting];
	*f = (struct mf_cache_file){mf_str_dup(mf_str_c(path)), mf_str_dup(mf_str_of(data)), data.n};
	if (!f->path || !f->data) {
		free(f->path);
		free(f->data);
		return false;
	}
	c->nwaiting++;
	c->waiting_octets += data.n;
	return true;
}

void mf_cache_write(struct mf_cache *c, const char *path, struct mf_bytes data)
{
	if (keep_copy(c, path, data))
		return;
	mf_cache_flush(c); /* an older version of the file may be among them */
	write_file(c, path, data);
}

void mf_cache_flush(struct mf_cache *c)
{
	struct mf_cache_file *files = c->waiting;
	const size_t n = c->nwaiting;
	c->waiting = NULL;
	c->nwaiting = c->waiting_cap = c->waiting_octets = 0;
	for (size_t i = 0; i < n; i++) {
		write_file(c, files[i].path,
			   (struct mf_bytes){(const unsigned char *)files[i].data, files[i].n});
		free(files[i].path);
		free(files[i].data);
	}
	free(files);
}

void mf_cache_wrote(struct mf_cache *c, uint64_t octets)
{
	c->written += (octets + BLOCK - 1) / BLOCK * BLOCK;
	if (c->written >= ACCOUNT_OCTETS)
		mf_cache_account(c);
}

void mf_cache_used(const struct mf_cache *c, const char *path)
{
	struct stat st;
	if (lstat(path, &st) == 0 && st.st_mtime + USE_NOTED_S < mf_env_now(c->env))
		(void)!utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

/* ---- clear */

struct clearing {
	struct mf_cache *c;
	const char *hash;
	int64_t now;
	uint64_t *files, *octets;
};

static bool is_filed_under(const char *name, const char *hash)
{
	const char *rest = strchr(name, '/') + 1;
	return strncmp(name, MF_CACHE_BLOBS "/", sizeof MF_CACHE_BLOBS) != 0 &&
	       strncmp(rest, hash, 64) == 0 && (rest[64] == '/' || rest[64] == '\0');
}

static int remove_one(void *arg, const char *name, const struct stat *st, struct mf_err *err)
{
	const struct clearing *k = arg;
	if ((k->hash && !is_filed_under(name, k->hash)) || is_at_work(name, st, k->now))
		return 0;
	enum mf_found removed = mf_dir_remove_old(k->c->dir, name, INT64_MAX, err);
	*k->files += removed == MF_FOUND;
	*k->octets += removed == MF_FOUND ? mf_cache_cost(st) : 0;
	return removed == MF_FAILED ? -1 : 0;
}

int mf_cache_clear(struct mf_cache *c, const char *hash, uint64_t *files, uint64_t *octets,
		   struct mf_err *err)
{
	mf_cache_flush(c);
	struct clearing k = {c, hash, mf_dir_clock(c->dir), files, octets};
	*files = *octets = 0;
	if (mf_cache_walk(c->dir, remove_one, &k, err) < 0)
		return -1;
	remove_empty_folders(c->dir);
	int fd MF_FD_CLEANUP = *files ? open_usage(c->dir) : -1;
	if (fd >= 0)
		walk_and_hold(c, fd);
	return 0;
}
