/* The indexes of cached targets files (tuf/index.h). ROLE.index (add_delegators) is stored beside ROLE.json
 * in the cache, which is not trusted, and authenticated with a secret in the home, which is. If an index does
 * not fit, the whole file is read. */
#include <sys/stat.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "trust/load.h"
#include "tuf/index.h"

#define SECRET_FILE "index.key"

/* ---- the secret */

static bool is_private(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && (st.st_mode & 077) == 0;
}

/* MF_ABSENT: there is none, or others have access to its file. */
static enum mf_found read_secret(const char *path, struct mf_secret *out, struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	int fd = mf_file_open_stored(path, MF_MAC, &ignored);
	if (fd < 0)
		return MF_ABSENT;
	enum mf_found found = MF_ABSENT;
	if (is_private(path))
		found = mf_secret_alloc(out, MF_MAC, err) < 0  ? MF_FAILED
			: mf_fd_read_at(fd, 0, out->p, MF_MAC) ? MF_FOUND
							       : MF_ABSENT;
	mf_file_close(fd);
	if (found != MF_FOUND)
		mf_secret_clear(out);
	return found;
}

/* That the home cannot be written to is no error; there is no secret then. If two processes make one, the
 * first wins. */
static int make_secret(const char *path, struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_secret s MF_SECRET_CLEANUP = MF_SECRET_INIT;
	if (mf_secret_alloc(&s, MF_MAC, err) < 0)
		return -1;
	mf_random(s.p, s.n);
	return mf_file_create(path, mf_secret_bytes(&s), 0600, &ignored) < 0 ? mf_err_pass_ours(err, &ignored)
									     : 0;
}

enum if_missing { LEAVE_IT, MAKE_IT };

static enum mf_found find_secret(const struct mf_trust *t, enum if_missing how, struct mf_secret *out,
				 struct mf_err *err)
{
	char *path MF_FREE = mf_path_join(t->cfg->home, SECRET_FILE, NULL);
	if (!path)
		return (enum mf_found)mf_fail_nomem(err);
	enum mf_found found = read_secret(path, out, err);
	if (found != MF_ABSENT || how == LEAVE_IT)
		return found;
	return make_secret(path, err) < 0 ? MF_FAILED : read_secret(path, out, err);
}

/* MF_ABSENT: this machine has no secret. */
static enum mf_found new_index(const struct mf_trust *t, const struct mf_tuf_edge *edge, enum if_missing how,
			       struct mf_index **out, struct mf_err *err)
{
	struct mf_secret secret MF_SECRET_CLEANUP = MF_SECRET_INIT;
	enum mf_found found = find_secret(t, how, &secret, err);
	if (found != MF_FOUND)
		return found;
	*out = mf_index_new(&(struct mf_index_bound){mf_secret_bytes(&secret), &t->set, edge}, err);
	return *out ? MF_FOUND : MF_FAILED;
}

/* ---- the files */

struct files {
	char *path[2];
	int fd[2]; /* by enum mf_index_part; -1: not opened, or not there */
};
#define FILES_INIT                                                                                           \
	{                                                                                                    \
		{NULL, NULL},                                                                                \
		{                                                                                            \
			-1, -1                                                                               \
		}                                                                                            \
	}

static void files_close(struct files *f)
{
	for (int i = 0; i < 2; i++) {
		mf_file_close(f->fd[i]);
		free(f->path[i]);
	}
}
#define FILES_CLEANUP MF_CLEANUP(files_close)

/* Appends a hash of the chain of delegators. A role that several delegators list is verified for each of
 * them, and has an index for each: with a single name each would overwrite the other's in every run. For
 * delegations of `targets` itself nothing is appended. */
static int add_delegators(const struct mf_tuf_edge *edge, struct mf_buf *name, struct mf_err *err)
{
	struct mf_buf chain MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	struct mf_digest d;
	char hex[65];
	if (!edge || !edge->parent->delegation)
		return 0;
	for (const struct mf_tuf_loaded *l = edge->parent; l->delegation; l = l->parent)
		if (mf_buf_add(&chain, mf_tuf_loaded_name(l), strlen(mf_tuf_loaded_name(l)) + 1, err) < 0)
			return -1;
	if (mf_sha256(mf_buf_bytes(&chain), &d, err) < 0)
		return -1;
	mf_digest_hex(hex, &d);
	return mf_buf_printf(name, err, ".%.16s", hex);
}

static int files_name(struct files *f, const struct mf_trust *t, const struct mf_tuf_edge *edge,
		      struct mf_err *err)
{
	const char *role = edge ? edge->role->name : "targets";
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(2048);
	char *dir MF_FREE = mf_cache_dir(t->cfg->cache, t->pin_name, err);
	if (!dir)
		return -1;
	for (enum mf_index_part i = MF_INDEX_INDEX; i <= MF_INDEX_FILE; i++) {
		mf_buf_reset(&name);
		if (mf_pct_encode(&name, mf_str_c(role), "", err) < 0 ||
		    (i == MF_INDEX_INDEX && add_delegators(edge, &name, err) < 0) ||
		    mf_buf_addz(&name, i == MF_INDEX_INDEX ? ".index" : ".json", err) < 0)
			return -1;
		f->path[i] = mf_path_join(dir, mf_buf_str(&name).p, NULL);
		if (!f->path[i])
			return mf_fail_nomem(err);
	}
	return 0;
}

static bool read_at(void *arg, enum mf_index_part part, uint64_t at, void *p, size_t n)
{
	struct files *f = arg;
	struct mf_err ignored = MF_ERR_INIT;
	if (f->fd[part] < 0)
		f->fd[part] = mf_file_open_stored(f->path[part], MF_MAX_TARGETS_BYTES, &ignored);
	return f->fd[part] >= 0 && mf_fd_read_at(f->fd[part], at, p, n);
}

/* ---- use */

static bool may_use(const struct mf_trust *t)
{
	const struct mf_trust_config *c = t->cfg;
	return t->how.by_subject && !t->repo->ops->local && !t->attempt.no_cache && c->home && c->cache &&
	       !c->at && !c->max_age_s;
}

enum mf_found mf_trust_index_open(const struct mf_trust *t, const struct mf_tuf_edge *edge,
				  struct mf_buf *head, struct mf_index **out, struct mf_err *err)
{
	struct files f FILES_CLEANUP = FILES_INIT;
	const struct mf_index_source from = {read_at, &f};
	const struct mf_tuf_meta *m = mf_tuf_meta_find(t->set.snapshot, edge ? edge->role->name : "targets");
	struct mf_index *x MF_INDEX_CLEANUP = NULL;
	if (!may_use(t) || !m->has_sha256 || m->length < MF_MIN_INDEXED_BYTES)
		return MF_ABSENT;
	if (files_name(&f, t, edge, err) < 0)
		return MF_FAILED;
	if (!mf_file_exists(f.path[MF_INDEX_INDEX]) || !mf_file_exists(f.path[MF_INDEX_FILE]))
		return MF_ABSENT;
	enum mf_found found = new_index(t, edge, LEAVE_IT, &x, err);
	if (found == MF_FOUND)
		found = mf_index_open(x, &from, head, err);
	if (found != MF_FOUND)
		return found;
	for (size_t i = 0; i < 2; i++)
		mf_cache_used(t->cfg->cache, f.path[i]);
	*out = x;
	x = NULL;
	return MF_FOUND;
}

enum mf_found mf_trust_index_find(const struct mf_trust *t, const struct mf_tuf_loaded *l,
				  const struct mf_digest *subject, struct mf_err *err)
{
	struct files f FILES_CLEANUP = FILES_INIT;
	const struct mf_index_source from = {read_at, &f};
	const struct mf_tuf_edge edge = {l->parent, l->delegation};
	if (files_name(&f, t, l->delegation ? &edge : NULL, err) < 0)
		return MF_FAILED;
	return mf_index_find(l->file, &from, subject, err);
}

/* Is the repository's directory inside the cache? Somebody who can write to the cache could replace it by a
 * link. */
static enum mf_found is_inside(const struct mf_trust *t, struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	char *dir MF_FREE = mf_cache_dir(t->cfg->cache, t->pin_name, err);
	if (!dir)
		return MF_FAILED;
	return mf_path_check_inside(t->cfg->cache->dir, dir, &ignored) == 0 ? MF_FOUND : MF_ABSENT;
}

int mf_trust_index_write(const struct mf_trust *t, const struct mf_tuf_loaded *l, struct mf_err *err)
{
	struct files f FILES_CLEANUP = FILES_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	struct mf_index *x MF_INDEX_CLEANUP = NULL;
	const struct mf_tuf_edge edge = {l->parent, l->delegation};
	if (!may_use(t) || l->file->bytes.n < MF_MIN_INDEXED_BYTES)
		return 0;
	enum mf_found found = is_inside(t, err);
	if (found == MF_FOUND)
		found = new_index(t, l->delegation ? &edge : NULL, MAKE_IT, &x, err);
	if (found == MF_FOUND)
		found = mf_index_write(x, l->file, &text, err);
	if (found != MF_FOUND)
		return found == MF_FAILED ? -1 : 0;
	if (files_name(&f, t, l->delegation ? &edge : NULL, err) < 0)
		return -1;
	mf_cache_write(t->cfg->cache, f.path[MF_INDEX_INDEX], mf_buf_bytes(&text));
	return 0;
}
