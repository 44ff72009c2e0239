/* A TUF 1.0 repository in a directory: all metadata in one directory, with consistent snapshots;
 * timestamp.json is written after the files that it refers to.
 *
 * Versioned files never change: copies and caches may keep them for ever. Only versions below the current one
 * are removed, so that no name is used twice. */
#include <errno.h>
#include <sys/stat.h>

#include "store/file.h"
#include "trust/names.h"
#include "trust/repo.h"

struct directory {
	struct mf_repo repo;
	const struct mf_trust_config *cfg;
	char *dir;
	/* The directory when the repository was opened, if it existed: files are written to no other one that
	 * has taken its name. */
	struct stat seen;
	bool there;
	const char *writing; /* path of that directory while files are written, else NULL */
};

struct mf_fetch {
	char *path;
	size_t max;
	int64_t *seen;
};

static void directory_close(struct mf_repo *r)
{
	struct directory *d = (struct directory *)r;
	free(d->repo.where);
	free(d->dir);
	free(d);
}

static struct mf_repo *open_dir(const struct mf_repo_ops *ops, const char *path, const char *gun,
				const struct mf_trust_config *cfg, struct mf_err *err)
{
	(void)gun;
	struct directory *d = calloc(1, sizeof *d);
	if (d) {
		d->repo.ops = ops;
		d->cfg = cfg;
		d->dir = mf_str_dup(mf_str_c(path));
		d->repo.where = mf_str_dup(mf_str_c(path));
		d->there = stat(path, &d->seen) == 0;
		if (d->dir && d->repo.where)
			return &d->repo;
		directory_close(&d->repo);
	}
	(void)mf_fail_nomem(err);
	return NULL;
}

/* tuf+file:///BASE: a repository per GUN below it. */
static struct mf_repo *open_file(const struct mf_repo_ops *ops, const char *base, const char *gun,
				 const struct mf_trust_config *cfg, struct mf_err *err)
{
	struct mf_buf enc MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	if (base[0] != '/') {
		(void)mf_fail(err, MF_E_USAGE, 0, "'tuf+file://%s': the directory must be absolute", base);
		return NULL;
	}
	if (mf_trust_name_gun(&enc, gun, err) < 0)
		return NULL;
	char *path MF_FREE = mf_path_join(base, mf_buf_str(&enc).p, NULL);
	if (!path) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	return open_dir(ops, path, gun, cfg, err);
}

static char *file_path(struct directory *d, const char *role, int64_t version, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(2048);
	if (mf_trust_name_role(&name, role, version, err) < 0)
		return NULL;
	char *path = mf_path_join(d->writing ? d->writing : d->dir, mf_buf_str(&name).p, NULL);
	if (!path)
		(void)mf_fail_nomem(err);
	return path;
}

static void directory_cancel(struct mf_fetch *f)
{
	if (!f)
		return;
	free(f->path);
	free(f);
}

static struct mf_fetch *directory_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct directory *d = (struct directory *)r;
	struct mf_fetch *f = calloc(1, sizeof *f);
	if (!f) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	f->max = key->max;
	f->seen = key->seen;
	f->path = file_path(d, key->role, key->by == MF_BY_NAME ? 0 : key->version, err);
	if (f->path)
		return f;
	directory_cancel(f);
	return NULL;
}

static int64_t modified(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && st.st_mtime > 0 ? (int64_t)st.st_mtime : 0;
}

static enum mf_found directory_end(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	mf_buf_clear(out);
	if (f->seen)
		*f->seen = modified(f->path);
	enum mf_found rc = mf_file_read_stored(f->path, f->max, out, err) < 0 ? MF_FAILED : MF_FOUND;
	if (rc < 0 && err->code == MF_E_NOT_FOUND) {
		mf_err_clear(err);
		rc = MF_ABSENT;
	}
	directory_cancel(f);
	return rc;
}

/* How many versions of stopped publishers are skipped to find a free one. */
#define MAX_LEFT_VERSIONS 10000

/* A file that a stopped publish has left may be in a copy or a cache by now. Its name must not be given to
 * other bytes: the next version is taken. */
static int directory_free_version(struct mf_repo *r, const char *role, int64_t from, int64_t *out,
				  struct mf_err *err)
{
	struct directory *d = (struct directory *)r;
	for (int64_t v = from; v - from < MAX_LEFT_VERSIONS; v++) {
		char *path MF_FREE = file_path(d, role, v, err);
		if (!path)
			return -1;
		/* lstat: a dangling link occupies the name as well. */
		struct stat st;
		if (lstat(path, &st) == 0)
			continue;
		if (errno != ENOENT && errno != ENOTDIR)
			return mf_fail(err, MF_E_IO, errno, "check whether '%s' exists", path);
		*out = v;
		return 0;
	}
	return mf_fail(err, MF_E_IO, 0, "the %d versions from %lld on of '%s' in '%s' are in use",
		       MAX_LEFT_VERSIONS, (long long)from, role, d->dir);
}

static int lost_race(const struct directory *d, struct mf_err *err)
{
	return mf_fail(err, MF_E_CONFLICT, 0, "somebody else published in '%s' at the same time",
		       d->repo.where);
}

/* Is timestamp.json still the file that the change was built on? A first publish requires that there is no
 * root: without one, all files were left by a publisher that was stopped, and nobody can have read them. */
static int check_base(struct directory *d, const struct mf_bytes *base, struct mf_err *err)
{
	struct mf_buf now MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	char *path MF_FREE = file_path(d, base ? "timestamp" : "root", base ? 0 : 1, err);
	if (!path)
		return -1;
	bool there = mf_file_exists(path);
	if (!base || !there)
		return !base && !there ? 0 : lost_race(d, err);
	if (mf_file_read_stored(path, MF_MAX_TIMESTAMP_BYTES, &now, err) < 0)
		return -1;
	return mf_str_eq(mf_buf_str(&now), mf_str_of(*base)) ? 0 : lost_race(d, err);
}

/* Order of writing. Nothing refers to the versioned files until timestamp.json is replaced. A later root is
 * in force as soon as it has its name: whether it is written before or after the timestamp depends on the
 * keys, and follows the caller's order. The first root is written last, so that a new repository can be read
 * only when it is complete. */
enum stage { VERSIONED, IN_FORCE, FIRST_ROOT, STAGES };

static bool is_timestamp(const struct mf_publish_file *f)
{
	return strcmp(f->role, "timestamp") == 0;
}

static enum stage stage_of(const struct mf_publish_file *f)
{
	if (strcmp(f->role, "root") == 0)
		return f->version == 1 ? FIRST_ROOT : IN_FORCE;
	return is_timestamp(f) ? IN_FORCE : VERSIONED;
}

/* Does the file exist with these bytes? A mirror that was stopped continues after the files that it has
 * written. */
static bool is_there(const char *path, struct mf_bytes bytes)
{
	struct mf_buf now MF_BUF_CLEANUP = MF_BUF_INIT(bytes.n);
	struct mf_err ignored = MF_ERR_INIT;
	return mf_file_read_stored(path, bytes.n, &now, &ignored) == 0 &&
	       mf_str_eq(mf_buf_str(&now), mf_str_of(bytes));
}

/* Each file is on disk, under its name, before the next one is begun. */
static int write_one(struct directory *d, const struct mf_publish_file *f, struct mf_err *err)
{
	char *path MF_FREE = file_path(d, f->role, is_timestamp(f) ? 0 : f->version, err);
	if (!path)
		return -1;
	if (is_timestamp(f))
		return mf_file_write(path, f->bytes, 0644, err);
	if (is_there(path, f->bytes) || mf_file_create(path, f->bytes, 0644, err) == 0)
		return 0;
	return err->code == MF_E_CONFLICT ? mf_wrap(err, "somebody else published at the same time") : -1;
}

static int write_files(struct directory *d, const struct mf_publish_file *files, size_t n, struct mf_err *err)
{
	mf_dir_sweep(d->writing, mf_env_now(d->cfg->env));
	for (enum stage stage = VERSIONED; stage < STAGES; stage++)
		for (size_t i = 0; i < n; i++)
			if (stage_of(&files[i]) == stage && write_one(d, &files[i], err) < 0)
				return -1;
	return 0;
}

static int directory_publish(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
			     const struct mf_bytes *base, struct mf_err *err)
{
	struct directory *d = (struct directory *)r;
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	char *lock_path MF_FREE = mf_path_join(d->dir, ".lock", NULL);
	if (!lock_path)
		return mf_fail_nomem(err);
	struct mf_dir now MF_DIR_CLEANUP = MF_DIR_INIT;
	if (mf_dir_make_shared(d->dir, err) < 0 ||
	    mf_dir_open_seen(&now, d->dir, d->there ? &d->seen : NULL, err) < 0 ||
	    mf_lock_acquire(&lock, lock_path, d->cfg->env, err) < 0 || check_base(d, base, err) < 0)
		return -1;
	d->writing = now.path;
	int rc = write_files(d, files, n, err);
	d->writing = NULL;
	return rc < 0 ? mf_wrap(err, "'%s'", d->repo.where) : 0;
}

/* ---- listing and removing */

static int add_file(void *arg, const char *name, const struct stat *st, struct mf_err *err)
{
	const struct mf_stored f = {name, (uint64_t)st->st_size, mf_stat_changed(st)};
	return mf_listing_add(arg, &f, err);
}

static int directory_list(struct mf_repo *r, struct mf_str prefix, struct mf_listing *out, struct mf_err *err)
{
	struct directory *d = (struct directory *)r;
	out->now = mf_dir_clock(d->dir);
	if (!prefix.n && mf_dir_walk(d->dir, NULL, add_file, out, err) < 0)
		return -1;
	return mf_dir_walk(d->dir, "targets", add_file, out, err);
}

static int directory_remove(struct mf_repo *r, const struct mf_stored *const *v, size_t n, int64_t before,
			    size_t *removed, struct mf_err *err)
{
	struct directory *d = (struct directory *)r;
	*removed = 0;
	for (size_t i = 0; i < n; i++) {
		if (mf_env_cancelled(d->cfg->env))
			return mf_fail(err, MF_E_CANCELLED, 0, "interrupted");
		enum mf_found found = mf_dir_remove_old(d->dir, v[i]->name, before, err);
		if (found == MF_FAILED)
			return -1;
		*removed += found == MF_FOUND;
	}
	return 0;
}

#define DIRECTORY_OPS(prefix, use, opener)                                                                   \
	{                                                                                                    \
		.scheme = (prefix), .usage = (use), .dialect = &mf_dialect_tuf1, .local = true,              \
		.numbered_roots = true, .open = (opener), .close = directory_close,                          \
		.begin = directory_begin, .end = directory_end, .cancel = directory_cancel,                  \
		.free_version = directory_free_version, .publish = directory_publish,                        \
		.list = directory_list, .remove = directory_remove,                                          \
	}
const struct mf_repo_ops mf_repo_tuf_file =
    DIRECTORY_OPS("tuf+file://", "tuf+file:///DIR for a directory", open_file);
const struct mf_repo_ops mf_repo_tuf_dir = DIRECTORY_OPS("", NULL, open_dir);
