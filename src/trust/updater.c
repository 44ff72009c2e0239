/* The client workflow with its files: what is trusted is stored as soon as it is, and nothing else. */
#include "trust/updater.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/limits.h"
#include "trust/download.h"
#include "trust/state.h"

struct mf_updater {
	const char *dir, *url;
	const struct mf_fetcher *fetcher;
	const struct mf_env *env;
	struct mf_lock lock;
	struct mf_tuf_set set;
	struct mf_tuf_floors floors; /* from the local timestamp and snapshot */
	bool refreshed;
};

/* ---- local files */

/* Did we fail, and not the file? What could not be judged must not pass for no good: -1. */
static int our_fault(const struct mf_err *why, struct mf_err *err)
{
	return why->code == MF_E_NOMEM || why->code == MF_E_INTERNAL
		   ? mf_fail(err, why->code, 0, "%s", why->msg)
		   : 0;
}

/* 1, 0 the name is too long for a file, -1. */
static int local_path(const char *dir, const char *role, char **path, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(4 * MF_MAX_ROLE_NAME);
	*path = NULL;
	if (mf_pct_encode(&name, mf_str_c(role), "", err) < 0 || mf_buf_addz(&name, ".json", err) < 0)
		return -1;
	if (name.n > NAME_MAX)
		return 0;
	*path = mf_path_join(dir, mf_buf_str(&name).p, NULL);
	return *path ? 1 : mf_fail_nomem(err);
}

/* 1, 0 not there, -1. What cannot be read, or is too large to be what we wrote, counts as not there. */
static int local_read(const struct mf_updater *u, const char *role, size_t max, struct mf_buf *out,
		      struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	char *path MF_FREE = NULL;
	mf_buf_init(out, max);
	int rc = local_path(u->dir, role, &path, err);
	if (rc <= 0)
		return rc;
	if (mf_file_read_stored(path, max, out, &why) == 0)
		return 1;
	if (our_fault(&why, err) < 0)
		return -1;
	if (why.code != MF_E_NOT_FOUND)
		mf_env_log(u->env, MF_LOG_WARNING, "%s", why.msg);
	return 0;
}

/* A role whose name is too long for a file is fetched in every run. */
static int local_write(const struct mf_updater *u, const char *role, const struct mf_buf *bytes,
		       struct mf_err *err)
{
	char *path MF_FREE = NULL;
	int rc = local_path(u->dir, role, &path, err);
	return rc > 0 ? mf_file_write(path, mf_buf_bytes(bytes), 0644, err) : rc;
}

static int local_remove(const struct mf_updater *u, const char *role, struct mf_err *err)
{
	char *path MF_FREE = NULL;
	int rc = local_path(u->dir, role, &path, err);
	if (rc <= 0)
		return rc;
	return unlink(path) == 0 || errno == ENOENT ? 0 : mf_fail(err, MF_E_IO, errno, "remove '%s'", path);
}

static int lock_dir(const char *dir, const struct mf_env *env, struct mf_lock *lock, struct mf_err *err)
{
	char *path MF_FREE = mf_path_join(dir, ".lock", NULL);
	return path ? mf_lock_acquire(lock, path, env, err) : mf_fail_nomem(err);
}

/* ---- fetching */

static int add_to_buf(void *arg, const void *p, size_t n, struct mf_err *err)
{
	return mf_buf_add(arg, p, n, err);
}

/* URL/[VERSION.]ROLE.json. 1, 0, -1. */
static int fetch(const struct mf_updater *u, const char *role, int64_t version, size_t max,
		 struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	size_t n = strlen(u->url);
	mf_buf_init(out, max);
	if (mf_buf_addz(&url, u->url, err) < 0 ||
	    (n && u->url[n - 1] != '/' && mf_buf_addc(&url, '/', err) < 0) ||
	    (version && mf_buf_printf(&url, err, "%lld.", (long long)version) < 0) ||
	    mf_pct_encode(&url, mf_str_c(role), "", err) < 0 || mf_buf_addz(&url, ".json", err) < 0)
		return -1;
	return u->fetcher->get(u->fetcher->arg, mf_buf_str(&url).p, max, add_to_buf, out, err);
}

static int missing(const struct mf_updater *u, const char *role, struct mf_err *err)
{
	struct mf_esc e;
	(void)mf_fail(err, MF_E_GONE, 0, "'%s' is not in the repository", mf_esc(&e, mf_str_c(role)));
	mf_err_set_endpoint(err, u->url);
	return -1;
}

/* ---- open */

static int not_initialised(const char *dir, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_NOT_FOUND, 0, "'%s' holds no trusted root", dir);
	mf_err_set_hint(err, "'init' with a root.json that you trust comes first");
	return -1;
}

static int read_trusted_root(struct mf_updater *u, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	int rc = local_read(u, "root", MF_MAX_ROOT_BYTES, &bytes, err);
	if (rc <= 0)
		return rc < 0 ? -1 : not_initialised(u->dir, err);
	struct mf_tuf_file *root = mf_tuf_parse_unverified(u->set.d, MF_TUF_ROOT, &bytes, err);
	return root ? mf_tuf_set_root(&u->set, root, NULL, err) : -1;
}

int mf_updater_open(const char *metadata_dir, const char *metadata_url, const struct mf_fetcher *fetcher,
		    const struct mf_env *env, struct mf_updater **out, struct mf_err *err)
{
	struct mf_updater *u MF_UPDATER_CLEANUP = calloc(1, sizeof *u);
	if (!u)
		return mf_fail_nomem(err);
	*u = (struct mf_updater){
	    .dir = metadata_dir, .url = metadata_url, .fetcher = fetcher, .env = env, .lock = MF_LOCK_INIT};
	mf_tuf_set_init(&u->set, &mf_dialect_tuf1, MF_STR(""), mf_env_now(env), &u->floors);
	if (!mf_file_exists(metadata_dir))
		return not_initialised(metadata_dir, err);
	if (lock_dir(metadata_dir, env, &u->lock, err) < 0 || read_trusted_root(u, err) < 0)
		return mf_wrap(err, "metadata directory '%s'", metadata_dir);
	*out = u;
	u = NULL;
	return 0;
}

void mf_updater_close(struct mf_updater *u)
{
	if (!u)
		return;
	mf_tuf_set_clear(&u->set);
	for (size_t i = 0; i < u->floors.n; i++)
		free(u->floors.v[i].role);
	free(u->floors.v);
	mf_lock_release(&u->lock);
	free(u);
}

int mf_updater_init_dir(const char *metadata_dir, struct mf_bytes root, const struct mf_env *env,
			struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	struct mf_updater u = {.dir = metadata_dir, .env = env};
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (mf_buf_add(&bytes, root.p, root.n, err) < 0)
		return -1;
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(&mf_dialect_tuf1, MF_TUF_ROOT, &bytes, err);
	if (!file || mf_tuf_root_check(&mf_dialect_tuf1, MF_STR(""), mf_env_now(env), file, NULL, err) < 0)
		return -1;
	if (mf_dir_make(metadata_dir, 0755, err) < 0 || lock_dir(metadata_dir, env, &lock, err) < 0 ||
	    local_remove(&u, "timestamp", err) < 0 || local_remove(&u, "snapshot", err) < 0)
		return -1;
	return local_write(&u, "root", &file->bytes, err);
}

/* ---- refresh */

/* 5.3: one version after the other until there is none. The keys of timestamp or snapshot may have been taken
 * away because they were lost: what they signed here is then forgotten (5.3.11). */
static int update_root(struct mf_updater *u, struct mf_err *err)
{
	for (int steps = 0;; steps++) {
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
		int rc = fetch(u, "root", u->set.root->version + 1, MF_MAX_ROOT_BYTES, &bytes, err);
		if (rc < 0)
			return -1;
		if (!rc)
			return mf_tuf_set_root_done(&u->set, err);
		if (steps == MF_MAX_ROOT_STEPS) {
			(void)mf_fail(err, MF_E_FORMAT, 0, "more than %d new root versions in one run",
				      MF_MAX_ROOT_STEPS);
			mf_err_set_hint(err, "those are trusted now; the next run goes on from there");
			return -1;
		}
		struct mf_tuf_file *next = mf_tuf_parse_unverified(u->set.d, MF_TUF_ROOT, &bytes, err);
		bool dropped = next && (mf_tuf_root_drops_key(u->set.root, next, MF_TUF_TIMESTAMP) ||
					mf_tuf_root_drops_key(u->set.root, next, MF_TUF_SNAPSHOT));
		if (!next || mf_tuf_set_next_root(&u->set, next, err) < 0 ||
		    (dropped &&
		     (local_remove(u, "timestamp", err) < 0 || local_remove(u, "snapshot", err) < 0)) ||
		    local_write(u, "root", &u->set.root->bytes, err) < 0)
			return -1;
	}
}

/* A local file that the trusted root's keys still sign; its bytes also go to *copy. NULL: none. */
static struct mf_tuf_file *local_verified(struct mf_updater *u, enum mf_tuf_type type, const char *role,
					  size_t max, struct mf_buf *copy, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(max);
	if (local_read(u, role, max, &bytes, err) <= 0 || mf_buf_add(copy, bytes.p, bytes.n, err) < 0)
		return NULL;
	struct mf_tuf_file *f = mf_tuf_set_verify(&u->set, type, &bytes, &why);
	if (f)
		return f;
	mf_buf_clear(copy);
	(void)our_fault(&why, err);
	return NULL;
}

/* 5.4. The versions that the local timestamp has seen are floors, also when it has expired. One of the same
 * version is kept as it is, whatever is served (5.4.3.1). */
static int update_timestamp(struct mf_updater *u, struct mf_err *err)
{
	const size_t max = MF_MAX_TIMESTAMP_BYTES;
	struct mf_buf old MF_BUF_CLEANUP = MF_BUF_INIT(max), bytes MF_BUF_CLEANUP = MF_BUF_INIT(max);
	struct mf_tuf_file *local MF_TUF_FILE_CLEANUP =
	    local_verified(u, MF_TUF_TIMESTAMP, "timestamp", max, &old, err);
	if (err->code)
		return -1;
	if (local &&
	    (mf_floor_set(&u->floors, "timestamp", local->version, err) < 0 ||
	     mf_floor_set(&u->floors, "snapshot", mf_tuf_meta_find(local, "snapshot")->version, err) < 0))
		return -1;
	int rc = fetch(u, "timestamp", 0, max, &bytes, err);
	if (rc <= 0)
		return rc < 0 ? -1 : missing(u, "timestamp", err);
	if (mf_tuf_set_timestamp(&u->set, &bytes, err) < 0)
		return -1;
	if (!local || u->set.timestamp->version != local->version)
		return local_write(u, "timestamp", &u->set.timestamp->bytes, err);
	mf_tuf_set_rewind(&u->set);
	return mf_tuf_set_timestamp(&u->set, &old, err);
}

static size_t limit_of(const struct mf_tuf_meta *m, size_t max)
{
	return m->length < max ? (size_t)m->length : max;
}

/* With consistent snapshots the names of files begin with their version (6.1). */
static int fetch_listed(struct mf_updater *u, const char *role, const struct mf_tuf_meta *m, size_t max,
			struct mf_buf *out, struct mf_err *err)
{
	int rc =
	    fetch(u, role, u->set.root->consistent_snapshot ? m->version : 0, limit_of(m, max), out, err);
	return rc ? rc : missing(u, role, err);
}

/* A snapshot lists a name once, and may list tens of thousands: they are not looked for. */
static int add_floor(struct mf_tuf_floors *f, const struct mf_tuf_meta *m, struct mf_err *err)
{
	if (mf_grow((void **)&f->v, &f->cap, f->n, sizeof *f->v, err) < 0)
		return -1;
	char *role = mf_str_dup(m->name);
	if (!role)
		return mf_fail_nomem(err);
	f->v[f->n++] = (struct mf_tuf_floor){role, m->version};
	return 0;
}

/* 5.5. Every role that the local snapshot lists is a floor. */
static int update_snapshot(struct mf_updater *u, struct mf_err *err)
{
	const size_t max = MF_MAX_SNAPSHOT_BYTES;
	struct mf_err why = MF_ERR_INIT;
	const struct mf_tuf_meta *m = mf_tuf_meta_find(u->set.timestamp, "snapshot");
	struct mf_buf old MF_BUF_CLEANUP = MF_BUF_INIT(max), bytes MF_BUF_CLEANUP = MF_BUF_INIT(max);
	struct mf_tuf_file *local MF_TUF_FILE_CLEANUP =
	    local_verified(u, MF_TUF_SNAPSHOT, "snapshot", max, &old, err);
	if (err->code)
		return -1;
	for (size_t i = 0; local && i < local->nmeta; i++)
		if (add_floor(&u->floors, &local->meta[i], err) < 0)
			return -1;
	if (local && mf_tuf_set_snapshot(&u->set, &old, false, &why) == 0)
		return 0;
	if (our_fault(&why, err) < 0)
		return -1;
	if (fetch_listed(u, "snapshot", m, max, &bytes, err) < 0 ||
	    mf_tuf_set_snapshot(&u->set, &bytes, false, err) < 0)
		return -1;
	return local_write(u, "snapshot", &u->set.snapshot->bytes, err);
}

/* Targets (w NULL) or a delegated role, for this delegator: from the local file when it is the one that the
 * snapshot lists and this delegator's keys sign it. */
static int update_targets(struct mf_updater *u, const struct mf_tuf_edge *w, struct mf_err *err)
{
	const size_t max = MF_MAX_TARGETS_BYTES;
	struct mf_err why = MF_ERR_INIT;
	const char *role = w ? w->role->name : "targets";
	const struct mf_tuf_meta *m = mf_tuf_meta_find(u->set.snapshot, role);
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(max);
	int rc = local_read(u, role, limit_of(m, max), &bytes, err);
	if (rc < 0)
		return -1;
	if (rc && (w ? mf_tuf_set_delegated(&u->set, w, &bytes, false, &why)
		     : mf_tuf_set_targets(&u->set, &bytes, false, &why)) == 0)
		return 0;
	if (our_fault(&why, err) < 0)
		return -1;
	if (fetch_listed(u, role, m, max, &bytes, err) < 0 ||
	    (w ? mf_tuf_set_delegated(&u->set, w, &bytes, false, err)
	       : mf_tuf_set_targets(&u->set, &bytes, false, err)) < 0)
		return -1;
	return local_write(u, role, &u->set.roles[u->set.nroles - 1]->file->bytes, err);
}

int mf_updater_refresh(struct mf_updater *u, struct mf_err *err)
{
	assert(!u->refreshed);
	if (update_root(u, err) < 0 || update_timestamp(u, err) < 0 || update_snapshot(u, err) < 0 ||
	    update_targets(u, NULL, err) < 0)
		return -1;
	u->refreshed = true;
	return 0;
}

/* ---- targets */

/* A target named "root.json" among the metadata would be the next run's trusted root. */
static int check_apart(const struct mf_updater *u, const char *target_dir, struct mf_err *err)
{
	struct stat a, b;
	if (stat(target_dir, &a) == 0 && stat(u->dir, &b) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino)
		return mf_fail(err, MF_E_USAGE, 0, "'%s' is the metadata directory: targets go elsewhere",
			       target_dir);
	return 0;
}

/* 5.6.7. What is found stands in search->at, at *index. */
static int find_target(struct mf_updater *u, struct mf_tuf_search *search, ptrdiff_t *index,
		       struct mf_err *err)
{
	struct mf_tuf_edge w;
	struct mf_esc e;
	int rc;
	while ((rc = mf_tuf_search_next(search, &w, index, err)) > 0)
		if (update_targets(u, &w, err) < 0)
			return -1;
	if (rc < 0 || *index >= 0)
		return rc;
	return mf_fail(err, MF_E_NOT_FOUND, 0, "no role of the repository has the target '%s'",
		       mf_esc(&e, search->name));
}

int mf_updater_download(struct mf_updater *u, const char *name, const struct mf_target_place *place,
			struct mf_err *err)
{
	struct mf_tuf_search search MF_CLEANUP(mf_tuf_search_clear);
	struct mf_tuf_target_info info;
	struct mf_esc e;
	ptrdiff_t index;
	assert(u->refreshed);
	mf_tuf_search_init(&search, &u->set, mf_str_c(name), MF_MAX_DELEGATIONS_LOOKUP);
	if (mf_download_check_name(name, err) < 0 || check_apart(u, place->dir, err) < 0 ||
	    find_target(u, &search, &index, err) < 0)
		return -1;
	if (mf_tuf_target_info(u->set.d, search.at->file, (size_t)index, &info, err) < 0)
		return mf_wrap(err, "target '%s'", mf_esc(&e, mf_str_c(name)));
	struct mf_download d = {.name = name,
				.info = &info,
				.place = place,
				.prefixed = u->set.root->consistent_snapshot,
				.fetcher = u->fetcher};
	return mf_download_target(&d, err);
}
