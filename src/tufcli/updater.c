/* The metadata directory as a store of the loader, a repository behind URLs, and the search for targets. */
#include "tufcli/updater.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "trust/load.h"
#include "trust/names.h"
#include "tufcli/download.h"

struct mf_updater {
	const char *dir, *url;
	const struct mf_fetcher *fetcher;
	struct mf_trust_config cfg;
	struct mf_lock lock;
	struct mf_trust *trust;
	struct mf_buf timestamp; /* the stored one, if the trusted root's keys sign it; otherwise empty */
	int64_t timestamp_version;
	bool refreshed;
};

/* ---- files of the metadata directory */

/* MF_ABSENT: the name is too long for a file. */
static enum mf_found local_path(const char *dir, const char *role, char **path, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(4 * MF_MAX_ROLE_NAME);
	*path = NULL;
	if (mf_trust_name_role(&name, role, 0, err) < 0)
		return MF_FAILED;
	if (name.n > NAME_MAX)
		return MF_ABSENT;
	*path = mf_path_join(dir, mf_buf_str(&name).p, NULL);
	return *path ? MF_FOUND : (enum mf_found)mf_fail_nomem(err);
}

/* A file that cannot be read, or is too large to be ours, counts as absent. */
static enum mf_found local_read(const struct mf_updater *u, const char *role, size_t max, struct mf_buf *out,
				struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	char *path MF_FREE = NULL;
	mf_buf_clear(out);
	mf_buf_init(out, max);
	enum mf_found found = local_path(u->dir, role, &path, err);
	if (found != MF_FOUND || mf_file_read_stored(path, max, out, &why) == 0)
		return found;
	if (mf_err_pass_ours(err, &why) < 0)
		return MF_FAILED;
	if (why.code != MF_E_NOT_FOUND)
		mf_env_log(u->cfg.env, MF_LOG_WARNING, "%s", why.msg);
	return MF_ABSENT;
}

/* A role whose name is too long for a file is not stored; it is fetched in every run. */
static int local_write(const char *dir, const char *role, const struct mf_buf *bytes, struct mf_err *err)
{
	char *path MF_FREE = NULL;
	enum mf_found found = local_path(dir, role, &path, err);
	return found == MF_FOUND ? mf_file_write(path, mf_buf_bytes(bytes), 0644, err) : (int)found;
}

static int local_remove(const char *dir, const char *role, struct mf_err *err)
{
	char *path MF_FREE = NULL;
	enum mf_found found = local_path(dir, role, &path, err);
	if (found != MF_FOUND)
		return (int)found;
	return unlink(path) == 0 || errno == ENOENT ? 0 : mf_fail(err, MF_E_IO, errno, "remove '%s'", path);
}

static int local_forget(const char *dir, struct mf_err *err)
{
	return local_remove(dir, "timestamp", err) < 0 ? -1 : local_remove(dir, "snapshot", err);
}

static int lock_dir(const char *dir, const struct mf_env *env, struct mf_lock *lock, struct mf_err *err)
{
	char *path MF_FREE = mf_path_join(dir, ".lock", NULL);
	return path ? mf_lock_acquire(lock, path, env, err) : mf_fail_nomem(err);
}

static int not_initialised(const char *dir, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_NOT_FOUND, 0, "'%s' contains no trusted root", dir);
	mf_err_set_hint(err, "first run 'init' with a root.json that you trust");
	return -1;
}

/* ---- the store */

/* The root of the directory, parsed. */
static struct mf_tuf_file *stored_root(const struct mf_updater *u, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	enum mf_found found = local_read(u, "root", MF_MAX_ROOT_BYTES, &bytes, err);
	if (found == MF_ABSENT)
		(void)not_initialised(u->dir, err);
	return found == MF_FOUND ? mf_tuf_parse_unverified(&mf_dialect_tuf1, MF_TUF_ROOT, &bytes, err) : NULL;
}

/* The root of the directory is the floor, and its keys are the pin. */
static int pin_root(struct mf_trust *t, const struct mf_tuf_file *root, struct mf_err *err)
{
	const struct mf_tuf_role *role = &root->roles[MF_TUF_ROOT];
	t->pin = (struct mf_pin){.found = true, .exact = true, .threshold = role->threshold};
	t->pin.fingerprints = mf_calloc(role->nkeys, sizeof *t->pin.fingerprints);
	if (!t->pin.fingerprints)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < role->nkeys; i++)
		if (role->keys[i]->pub)
			t->pin.fingerprints[t->pin.n++] = mf_pubkey_fingerprint(role->keys[i]->pub);
	t->floors.any = true;
	if (mf_sha256(mf_buf_bytes(&root->bytes), &t->floors.root, err) < 0)
		return -1;
	return mf_floor_set(&t->floors.roles, "root", root->version, err);
}

static int dir_begin(struct mf_trust *t, struct mf_err *err)
{
	const struct mf_updater *u = t->store_arg;
	mf_pin_clear(&t->pin);
	mf_floors_clear(&t->floors);
	struct mf_tuf_file *root MF_TUF_FILE_CLEANUP = stored_root(u, err);
	if (!root || mf_tuf_root_check(t->set.d, MF_STR(""), t->set.now, root, NULL, err) < 0 ||
	    pin_root(t, root, err) < 0)
		return mf_wrap(err, "metadata directory '%s'", u->dir);
	return 0;
}

static enum mf_found dir_root(struct mf_trust *t, int64_t version, struct mf_buf *out, struct mf_err *err)
{
	return version ? MF_ABSENT : local_read(t->store_arg, "root", MF_MAX_ROOT_BYTES, out, err);
}

/* Stores the new root. It may have removed a key of timestamp or snapshot because somebody stole it: what is
 * stored of both is then removed (5.3.11). */
static int dir_keep_root(struct mf_trust *t, struct mf_err *err)
{
	const struct mf_updater *u = t->store_arg;
	struct mf_tuf_file *old MF_TUF_FILE_CLEANUP = stored_root(u, err);
	if (!old)
		return -1;
	if ((mf_tuf_root_drops_key(old, t->set.root, MF_TUF_TIMESTAMP) ||
	     mf_tuf_root_drops_key(old, t->set.root, MF_TUF_SNAPSHOT)) &&
	    local_forget(u->dir, err) < 0)
		return -1;
	return local_write(u->dir, "root", &t->set.root->bytes, err);
}

/* Sets *out to a stored file that the trusted root's keys still sign, or to NULL; it may have expired. */
static int local_signed(struct mf_trust *t, enum mf_tuf_type type, size_t max, struct mf_tuf_file **out,
			struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(max);
	const char *role = type == MF_TUF_TIMESTAMP ? "timestamp" : "snapshot";
	enum mf_found found = local_read(t->store_arg, role, max, &bytes, err);
	*out = found == MF_FOUND ? mf_tuf_set_verify(&t->set, type, &bytes, &why) : NULL;
	return found == MF_FAILED ? -1 : mf_err_pass_ours(err, &why);
}

/* Duplicates are not searched for: a snapshot lists a name once, and may list tens of thousands. */
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

/* The versions in the local timestamp and in all that the local snapshot lists are floors. */
static int dir_root_done(struct mf_trust *t, struct mf_err *err)
{
	struct mf_updater *u = t->store_arg;
	struct mf_tuf_floors *floors = &t->floors.roles;
	struct mf_tuf_file *timestamp MF_TUF_FILE_CLEANUP = NULL, *snapshot MF_TUF_FILE_CLEANUP = NULL;
	if (local_signed(t, MF_TUF_TIMESTAMP, MF_MAX_TIMESTAMP_BYTES, &timestamp, err) < 0 ||
	    local_signed(t, MF_TUF_SNAPSHOT, MF_MAX_SNAPSHOT_BYTES, &snapshot, err) < 0)
		return -1;
	if (timestamp) {
		u->timestamp_version = timestamp->version;
		if (mf_buf_add_str(&u->timestamp, mf_buf_str(&timestamp->bytes), err) < 0 ||
		    mf_floor_set(floors, "timestamp", timestamp->version, err) < 0 ||
		    mf_floor_set(floors, "snapshot", mf_tuf_meta_find(timestamp, "snapshot")->version, err) <
			0)
			return -1;
	}
	for (size_t i = 0; snapshot && i < snapshot->nmeta; i++)
		if (!snapshot->meta[i].broken && add_floor(floors, &snapshot->meta[i], err) < 0)
			return -1;
	return 0;
}

static enum mf_found dir_role(struct mf_trust *t, const char *role, const struct mf_tuf_meta *m, size_t max,
			      struct mf_buf *out, bool *checked, struct mf_err *err)
{
	(void)m;
	*checked = false;
	return local_read(t->store_arg, role, max, out, err);
}

/* A new timestamp with the version of the stored one is not used, whatever it holds: the stored one is
 * (5.4.3.1). */
static int dir_keep(struct mf_trust *t, const char *role, const struct mf_tuf_file *f, struct mf_err *err)
{
	struct mf_updater *u = t->store_arg;
	if (f->type != MF_TUF_TIMESTAMP || f->version != u->timestamp_version)
		return local_write(u->dir, role, &f->bytes, err);
	mf_tuf_set_rewind(&t->set);
	return mf_tuf_set_timestamp(&t->set, &u->timestamp, err);
}

static const struct mf_store_ops store_dir = {
    .begin = dir_begin,
    .root = dir_root,
    .keep_root = dir_keep_root,
    .root_done = dir_root_done,
    .role = dir_role,
    .keep = dir_keep,
};

/* ---- the repository: files below a URL */

struct source {
	struct mf_repo repo;
	const struct mf_fetcher *fetcher;
};

struct mf_fetch {
	struct source *source;
	struct mf_buf url;
	size_t max;
};

static void source_cancel(struct mf_fetch *f)
{
	mf_buf_clear(&f->url);
	free(f);
}

/* URL/[VERSION.]ROLE.json. The request is made in source_end. */
static struct mf_fetch *source_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	size_t n = strlen(r->where);
	struct mf_fetch *f = calloc(1, sizeof *f);
	if (!f) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	*f = (struct mf_fetch){.source = (struct source *)r, .url = MF_BUF_INIT(65536), .max = key->max};
	if (mf_buf_addz(&f->url, r->where, err) == 0 &&
	    ((n && r->where[n - 1] == '/') || mf_buf_addc(&f->url, '/', err) == 0) &&
	    mf_trust_name_role(&f->url, key->role, key->by == MF_BY_VERSION ? key->version : 0, err) == 0)
		return f;
	source_cancel(f);
	return NULL;
}

static int add_to_buf(void *arg, const void *p, size_t n, struct mf_err *err)
{
	return mf_buf_add(arg, p, n, err);
}

static enum mf_found source_end(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	const struct mf_fetcher *fetcher = f->source->fetcher;
	mf_buf_clear(out);
	mf_buf_init(out, f->max);
	enum mf_found found = fetcher->get(fetcher->arg, mf_buf_str(&f->url).p, f->max, add_to_buf, out, err);
	source_cancel(f);
	return found;
}

static void source_close(struct mf_repo *r)
{
	free(r->where);
	free(r);
}

static struct mf_repo *source_open(const char *url, const struct mf_fetcher *fetcher, struct mf_err *err)
{
	static const struct mf_repo_ops ops = {.dialect = &mf_dialect_tuf1,
					       .numbered_roots = true,
					       .close = source_close,
					       .begin = source_begin,
					       .end = source_end,
					       .cancel = source_cancel};
	struct source *s = calloc(1, sizeof *s);
	char *where = s ? mf_str_dup(mf_str_c(url)) : NULL;
	if (!where) {
		free(s);
		(void)mf_fail_nomem(err);
		return NULL;
	}
	*s = (struct source){.repo = {.ops = &ops, .where = where}, .fetcher = fetcher};
	return &s->repo;
}

/* ---- open and refresh */

static int open_trust(struct mf_updater *u, struct mf_err *err)
{
	struct mf_repo *repo = source_open(u->url, u->fetcher, err);
	if (!repo || mf_trust_new(repo, &store_dir, "", u->url, &u->cfg, &u->trust, err) < 0)
		return -1;
	u->trust->store_arg = u;
	return 0;
}

int mf_updater_open(const char *metadata_dir, const char *metadata_url, const struct mf_fetcher *fetcher,
		    const struct mf_env *env, struct mf_updater **out, struct mf_err *err)
{
	if (!mf_file_exists(metadata_dir))
		return not_initialised(metadata_dir, err);
	struct mf_updater *u MF_UPDATER_CLEANUP = calloc(1, sizeof *u);
	if (!u)
		return mf_fail_nomem(err);
	*u = (struct mf_updater){.dir = metadata_dir,
				 .url = metadata_url,
				 .fetcher = fetcher,
				 .cfg = {.env = env},
				 .lock = MF_LOCK_INIT,
				 .timestamp = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES)};
	if (open_trust(u, err) < 0)
		return -1;
	if (lock_dir(metadata_dir, env, &u->lock, err) < 0)
		return mf_wrap(err, "metadata directory '%s'", metadata_dir);
	*out = u;
	u = NULL;
	return 0;
}

void mf_updater_close(struct mf_updater *u)
{
	if (!u)
		return;
	mf_trust_close(u->trust);
	mf_buf_clear(&u->timestamp);
	mf_lock_release(&u->lock);
	free(u);
}

int mf_updater_init_dir(const char *metadata_dir, struct mf_bytes root, const struct mf_env *env,
			struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (mf_buf_add(&bytes, root.p, root.n, err) < 0)
		return -1;
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(&mf_dialect_tuf1, MF_TUF_ROOT, &bytes, err);
	if (!file || mf_tuf_root_check(&mf_dialect_tuf1, MF_STR(""), mf_env_now(env), file, NULL, err) < 0)
		return -1;
	if (mf_dir_make(metadata_dir, 0755, err) < 0 || lock_dir(metadata_dir, env, &lock, err) < 0 ||
	    local_forget(metadata_dir, err) < 0)
		return -1;
	return local_write(metadata_dir, "root", &file->bytes, err);
}

int mf_updater_refresh(struct mf_updater *u, struct mf_err *err)
{
	assert(!u->refreshed);
	if (mf_load_steps(u->trust, err) < 0)
		return -1;
	u->refreshed = true;
	return 0;
}

/* ---- targets */

/* In the metadata directory, a target named "root.json" would be the trusted root of the next run. */
static int check_apart(const struct mf_updater *u, const char *target_dir, struct mf_err *err)
{
	struct stat a, b;
	if (stat(target_dir, &a) == 0 && stat(u->dir, &b) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino)
		return mf_fail(err, MF_E_USAGE, 0,
			       "'%s' is the metadata directory: choose another directory for targets",
			       target_dir);
	return 0;
}

/* Finds the target (5.6.7): it is entry *index of search->at. */
static int find_target(struct mf_updater *u, struct mf_tuf_search *search, ptrdiff_t *index,
		       struct mf_err *err)
{
	struct mf_tuf_edge w;
	struct mf_esc e;
	int rc;
	while ((rc = mf_tuf_search_next(search, &w, index, err)) > 0)
		if (mf_load_delegated(u->trust, &w, err) < 0)
			return -1;
	if (rc < 0 || *index >= 0)
		return rc;
	return mf_fail(err, MF_E_NOT_FOUND, 0, "no role of the repository has the target '%s'",
		       mf_esc(&e, search->name));
}

int mf_updater_download(struct mf_updater *u, const char *name, const struct mf_target_dir *to,
			struct mf_err *err)
{
	struct mf_tuf_search search MF_CLEANUP(mf_tuf_search_clear);
	struct mf_tuf_target_info info;
	struct mf_esc e;
	ptrdiff_t index;
	assert(u->refreshed);
	mf_tuf_search_init(&search, &u->trust->set, mf_str_c(name), MF_MAX_DELEGATIONS_LOOKUP);
	if (mf_download_check_name(name, err) < 0 || check_apart(u, to->dir, err) < 0 ||
	    find_target(u, &search, &index, err) < 0)
		return -1;
	if (mf_tuf_target_info(u->trust->set.d, search.at->file, (size_t)index, &info, err) < 0)
		return mf_wrap(err, "target '%s'", mf_esc(&e, mf_str_c(name)));
	struct mf_download d = {.name = name,
				.info = &info,
				.to = to,
				.prefixed = u->trust->set.root->consistent_snapshot,
				.fetcher = u->fetcher};
	return mf_download_target(&d, err);
}
