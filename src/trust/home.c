/* The store of all commands but manifesto-tuf: pins and floors in the home, which are trusted, and a cache of
 * metadata, which is not. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/limits.h"
#include "trust/load.h"
#include "tuf/build.h"

/* ---- cache */

/* A local directory needs no cache. */
static bool uses_cache(const struct mf_trust *t)
{
	return t->cfg->cache && !t->repo->ops->local && !t->attempt.no_cache;
}

char *mf_cache_dir(const struct mf_cache *c, const char *pin_name, struct mf_err *err)
{
	char hex[65];
	char *dir =
	    mf_home_name_hash(pin_name, hex, err) < 0 ? NULL : mf_path_join(c->dir, MF_CACHE_TUF, hex, NULL);
	if (!dir && !err->code)
		(void)mf_fail_nomem(err);
	return dir;
}

static char *cache_path(const struct mf_cache *c, const char *pin_name, const char *role, int64_t version,
			struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(2048);
	if ((version && mf_buf_printf(&name, err, "%lld.", (long long)version) < 0) ||
	    mf_pct_encode(&name, mf_str_c(role), "", err) < 0 || mf_buf_addz(&name, ".json", err) < 0)
		return NULL;
	char *dir MF_FREE = mf_cache_dir(c, pin_name, err);
	char *path = dir ? mf_path_join(dir, mf_buf_str(&name).p, NULL) : NULL;
	if (dir && !path)
		(void)mf_fail_nomem(err);
	return path;
}

/* A file that cannot be read is MF_ABSENT: the cache is optional. */
static enum mf_found cache_get(const struct mf_trust *t, const char *role, int64_t version, size_t max,
			       struct mf_buf *out, struct mf_err *err)
{
	char *path MF_FREE = cache_path(t->cfg->cache, t->pin_name, role, version, err);
	if (!path)
		return MF_FAILED;
	mf_cache_flush(t->cfg->cache);
	mf_buf_clear(out);
	mf_buf_init(out, max);
	if (mf_file_read_stored(path, max, out, err) == 0) {
		mf_cache_used(t->cfg->cache, path);
		return MF_FOUND;
	}
	mf_err_clear(err);
	mf_buf_clear(out);
	return MF_ABSENT;
}

void mf_cache_put(struct mf_cache *c, const char *pin_name, const char *role, int64_t version,
		  struct mf_bytes bytes)
{
	struct mf_err ignored = MF_ERR_INIT;
	char *path MF_FREE = cache_path(c, pin_name, role, version, &ignored);
	if (path)
		mf_cache_write(c, path, bytes);
}

void mf_trust_cache_put(const struct mf_trust *t, const char *role, int64_t version, struct mf_bytes bytes)
{
	if (t->cfg->cache)
		mf_cache_put(t->cfg->cache, t->pin_name, role, version, bytes);
}

/* Does the file contain both texts? *left: octets that may still be read; receives 0 if the file has more. */
static bool file_has(const char *path, struct mf_str name, struct mf_str hash, size_t *left)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(*left);
	if (mf_file_read_stored(path, *left, &b, &ignored) < 0) {
		*left = mf_file_exists(path) ? 0 : *left;
		return false;
	}
	*left -= b.n;
	return b.n && memmem(b.p, b.n, name.p, name.n) && memmem(b.p, b.n, hash.p, hash.n);
}

/* Nothing cached lists the content: with an empty cache, as in pipelines, most content is new. Of a large
 * cache only MF_MAX_GUESS_BYTES are read, since a wrong guess only costs time. */
bool mf_trust_seems_new(struct mf_trust *t, struct mf_str prefix, const struct mf_digest *content)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf hash MF_BUF_CLEANUP = MF_BUF_INIT(128);
	char *dir MF_FREE = uses_cache(t) ? mf_cache_dir(t->cfg->cache, t->pin_name, &ignored) : NULL;
	if (!dir ||
	    mf_tuf_put_hash(t->repo->ops->dialect, (struct mf_bytes){content->b, 32}, &hash, &ignored) < 0)
		return false;
	mf_cache_flush(t->cfg->cache);
	DIR *d = opendir(dir);
	bool any = false, listed = false;
	size_t left = MF_MAX_GUESS_BYTES;
	for (const struct dirent *e; d && !listed && left && (e = readdir(d));) {
		if (mf_str_ends(mf_str_c(e->d_name), MF_STR(".index")) || e->d_name[0] == '.')
			continue;
		char *path MF_FREE = mf_path_join(dir, e->d_name, NULL);
		any |= mf_str_starts(mf_str_c(e->d_name), MF_STR("targets"));
		listed = !path || file_has(path, prefix, mf_buf_str(&hash), &left);
	}
	if (d)
		(void)closedir(d);
	return !listed && (any || mf_trust_known(t, &ignored) == MF_FOUND);
}

/* ---- the store */

static int check_clock(const struct mf_trust *t, struct mf_err *err)
{
	int64_t clock = mf_env_now(t->cfg->env);
	if (clock + MF_CLOCK_TOLERANCE_S >= t->floors.clock)
		return 0;
	char now[MF_TIME_LEN], recorded[MF_TIME_LEN];
	char *file MF_FREE = mf_floors_path(t->cfg->home, t->pin_name, err);
	if (!file)
		return -1;
	mf_time_format(now, clock);
	mf_time_format(recorded, t->floors.clock);
	(void)mf_fail(err, MF_E_ROLLBACK, 0,
		      "the system clock (%s) is earlier than %s, the time recorded in '%s'", now, recorded,
		      file);
	mf_err_set_hint(
	    err, "set the clock right; if it is right, and was ahead before, run 'manifesto trust clock "
		 "IMAGE'");
	return -1;
}

static int home_begin(struct mf_trust *t, struct mf_err *err)
{
	mf_pin_clear(&t->pin);
	mf_floors_clear(&t->floors);
	if (mf_pin_find(t->cfg->home, t->pin_name, &t->pin, err) < 0 ||
	    mf_floors_load(t->cfg->home, t->pin_name, &t->floors, err) < 0)
		return -1;
	return check_clock(t, err);
}

static void cache_put(const struct mf_trust *t, const char *role, int64_t version,
		      const struct mf_tuf_file *f)
{
	if (!t->repo->ops->local)
		mf_trust_cache_put(t, role, version, mf_buf_bytes(&f->bytes));
}

static enum mf_found home_root(struct mf_trust *t, int64_t version, struct mf_buf *out, struct mf_err *err)
{
	if (!uses_cache(t))
		return MF_ABSENT;
	return cache_get(t, "root", version, MF_MAX_ROOT_BYTES, out, err);
}

static int home_keep_root(struct mf_trust *t, struct mf_err *err)
{
	(void)err;
	cache_put(t, "root", t->set.root->version, t->set.root);
	return 0;
}

/* The types whose expired files we accept because we can re-sign them: targets roles, and timestamp and
 * snapshot if we hold a key of theirs. None on a machine without floors: only expiry keeps it from re-signing
 * an old state, which would restore withdrawn records and removed keys. */
static unsigned own_types(struct mf_trust *t)
{
	unsigned own = 1u << MF_TUF_TARGETS;
	if (!t->floors.any)
		return 0;
	for (enum mf_tuf_type type = MF_TUF_TIMESTAMP; type <= MF_TUF_SNAPSHOT; type++)
		if (mf_trust_hold_key_of(t, type))
			own |= 1u << type;
	return own;
}

static int home_root_done(struct mf_trust *t, struct mf_err *err)
{
	(void)err;
	mf_floors_follow(&t->floors, t->set.root);
	if (t->how.purpose == MF_LOAD_SIGN || t->how.purpose == MF_LOAD_RENEW)
		t->set.expired_ok |= own_types(t);
	return 0;
}

static enum mf_found home_role(struct mf_trust *t, const char *role, const struct mf_tuf_meta *m, size_t max,
			       struct mf_buf *out, bool *checked, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	(void)err;
	if (!uses_cache(t) || !m->has_sha256 || cache_get(t, role, 0, max, out, &why) != MF_FOUND)
		return MF_ABSENT;
	*checked = mf_tuf_meta_check(m, mf_buf_bytes(out), &why) == 0;
	if (!*checked)
		mf_buf_clear(out);
	return *checked ? MF_FOUND : MF_ABSENT;
}

/* root.json of the cache, with which the next run begins, is replaced when a timestamp was verified under the
 * new root. */
static int home_keep(struct mf_trust *t, const char *role, const struct mf_tuf_file *f, struct mf_err *err)
{
	(void)err;
	if (f->type != MF_TUF_TIMESTAMP)
		cache_put(t, role, 0, f);
	else if (!t->attempt.cached_newest)
		cache_put(t, "root", 0, t->set.root);
	return 0;
}

const struct mf_store_ops mf_store_home = {
    .begin = home_begin,
    .root = home_root,
    .keep_root = home_keep_root,
    .root_done = home_root_done,
    .role = home_role,
    .keep = home_keep,
};

/* ---- pins */

/* Any server could have answered: the message shows the root key's fingerprint, for the user to compare with
 * the owner's. */
static void warn_first_use(struct mf_trust *t, const struct mf_digest *root_key)
{
	char text[MF_DIGEST_TEXT];
	mf_digest_format(text, root_key);
	mf_env_log(t->cfg->env, MF_LOG_WARNING, "'%s' is trusted on first use, %s: root key %s", t->pin_name,
		   t->cfg->ci || t->cfg->at ? "in this run" : "from now on", text + strlen("sha256:"));
	t->warned = true;
}

/* A home that cannot be written causes a warning, not an error. */
int mf_home_pin_first_use(struct mf_trust *t, struct mf_err *err)
{
	const struct mf_tuf_role *role = &t->set.root->roles[MF_TUF_ROOT];
	struct mf_digest fps[MF_MAX_SIGNATURES];
	size_t n = 0;
	if (!t->tofu && !t->adopted)
		return 0;
	for (size_t i = 0; i < role->nkeys && n < MF_MAX_SIGNATURES; i++)
		if (role->keys[i]->pub)
			fps[n++] = mf_pubkey_fingerprint(role->keys[i]->pub);
	if (t->tofu && !t->warned && n)
		warn_first_use(t, &fps[0]);
	if (t->tofu && (t->cfg->ci || t->cfg->at))
		return 0;
	if (mf_pin_store(t->cfg->home, t->pin_name, fps, n, role->threshold, t->cfg->env, err) == 0)
		return 0;
	if (err->code != MF_E_IO)
		return -1;
	mf_env_log(t->cfg->env, MF_LOG_WARNING, "'%s' is trusted, but the pin cannot be stored: %s",
		   t->pin_name, err->msg);
	mf_err_clear(err);
	return 0;
}

enum mf_found mf_trust_known(struct mf_trust *t, struct mf_err *err)
{
	struct mf_pin pin MF_PIN_CLEANUP = {0};
	struct mf_floors floors MF_FLOORS_CLEANUP = {0};
	if (mf_pin_find(t->cfg->home, t->pin_name, &pin, err) < 0 ||
	    mf_floors_load(t->cfg->home, t->pin_name, &floors, err) < 0)
		return MF_FAILED;
	return pin.exact || floors.any ? MF_FOUND : MF_ABSENT;
}

/* ---- what a person decides */

enum mf_found mf_trust_set_clock(const struct mf_trust *t, bool dry_run, int64_t *was, char **file,
				 struct mf_err *err)
{
	*file = mf_floors_path(t->cfg->home, t->pin_name, err);
	if (!*file)
		return MF_FAILED;
	return mf_floors_set_clock(t->cfg->home, t->pin_name, t->cfg->env, dry_run, was, err);
}

void mf_trust_memory_clear(struct mf_trust_memory *m)
{
	mf_pin_clear(&m->pin);
	free(m->floors);
	free(m->cache);
	*m = (struct mf_trust_memory){0};
}

static void drop_unless_there(char **path)
{
	if (mf_file_exists(*path))
		return;
	free(*path);
	*path = NULL;
}

/* Floors that cannot be read count as remembered, so that `trust forget` can remove them. */
enum mf_found mf_trust_remembers(const struct mf_trust *t, struct mf_trust_memory *out, struct mf_err *err)
{
	struct mf_floors floors MF_FLOORS_CLEANUP = {0};
	struct mf_err why = MF_ERR_INIT;
	*out = (struct mf_trust_memory){0};
	if (mf_pin_find(t->cfg->home, t->pin_name, &out->pin, err) < 0)
		return MF_FAILED;
	out->floors = mf_floors_path(t->cfg->home, t->pin_name, err);
	if (!out->floors)
		return MF_FAILED;
	if (t->cfg->cache && !(out->cache = mf_cache_dir(t->cfg->cache, t->pin_name, err)))
		return MF_FAILED;
	if (mf_floors_load(t->cfg->home, t->pin_name, &floors, &why) < 0 && mf_err_pass_ours(err, &why) < 0)
		return MF_FAILED;
	out->root = mf_tuf_floor_get(&floors.roles, "root");
	out->clock = floors.clock;
	drop_unless_there(&out->floors);
	if (out->cache) {
		mf_cache_flush(t->cfg->cache);
		drop_unless_there(&out->cache);
	}
	return out->pin.exact || out->floors || out->cache ? MF_FOUND : MF_ABSENT;
}

/* Removes a directory of the cache with its files; it has no subdirectories. Somebody who can write to the
 * cache could replace the directory by a link to files of others: then only the link is removed. */
static int remove_dir(const char *dir, struct mf_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOTDIR && unlink(dir) == 0)
		return 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		int sys = errno;
		if (fd >= 0)
			(void)close(fd);
		return sys == ENOENT ? 0 : mf_fail(err, MF_E_IO, sys, "open '%s'", dir);
	}
	for (const struct dirent *e; (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(fd, e->d_name, 0);
	(void)closedir(d);
	return rmdir(dir) == 0 || errno == ENOENT ? 0 : mf_fail(err, MF_E_IO, errno, "remove '%s'", dir);
}

/* The pin is removed last: if an earlier step fails, it still protects. */
int mf_trust_forget(const struct mf_trust *t, const struct mf_trust_memory *m, struct mf_err *err)
{
	if (m->cache && remove_dir(m->cache, err) < 0)
		return -1;
	if (m->floors && unlink(m->floors) < 0 && errno != ENOENT)
		return mf_fail(err, MF_E_IO, errno, "remove '%s'", m->floors);
	if (m->pin.exact && mf_pin_remove(t->cfg->home, t->pin_name, t->cfg->env, err) == MF_FAILED)
		return -1;
	return 0;
}
