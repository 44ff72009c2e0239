/* Fetching the files of a repository: prefetches, files that the store or an index supplies instead, and
 * files that are requested together (waves). load.c explains the order of loading. */
#include "crypto/x509.h"
#include "trust/load.h"

#include <assert.h>

#include "tuf/index.h"

/* ---- fetching */

enum mf_found mf_trust_fetch(struct mf_trust *t, const struct mf_fetch_key *key, struct mf_buf *out,
			     struct mf_err *err)
{
	struct mf_fetch *f = t->repo->ops->begin(t->repo, key, err);
	return f ? t->repo->ops->end(f, out, err) : MF_FAILED;
}

static int prefetch(struct mf_trust *t, int which, const char *role, size_t max, struct mf_err *err)
{
	struct mf_fetch_key key = {.role = role, .by = MF_BY_NAME, .max = max};
	if (t->early.v[which])
		return 0;
	t->early.v[which] = t->repo->ops->begin(t->repo, &key, err);
	return t->early.v[which] ? 0 : -1;
}

static bool knows_root(struct mf_trust *t)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	return t->store->root(t, 0, &b, &ignored) == MF_FOUND;
}

bool mf_trust_seems_far(struct mf_trust *t)
{
	return !t->repo->ops->local && !t->repo->ops->target && !knows_root(t);
}

/* The timestamp is always requested. If no root is cached, root, snapshot and targets are requested by name
 * as well; the last two are used only if they have the listed hashes. Names that contain a version cannot be
 * known in advance, except for roots. */
int mf_trust_prefetch(struct mf_trust *t, const struct mf_load *how, struct mf_err *err)
{
	if (t->repo->ops->local)
		return 0;
	if (prefetch(t, EARLY_TIMESTAMP, "timestamp", MF_MAX_TIMESTAMP_BYTES, err) < 0)
		return -1;
	if (t->repo->ops->numbered_roots)
		return mf_trust_prefetch_roots(t, err);
	bool empty = !knows_root(t);
	if ((empty || how->snapshot_at_once) &&
	    prefetch(t, EARLY_SNAPSHOT, "snapshot", MF_MAX_SNAPSHOT_BYTES, err) < 0)
		return -1;
	if (!empty)
		return 0;
	if (prefetch(t, EARLY_ROOT, "root", MF_MAX_ROOT_BYTES, err) < 0)
		return -1;
	if (prefetch(t, EARLY_TARGETS, "targets", MF_MAX_TARGETS_BYTES, err) < 0)
		return -1;
	mf_root_certs_prepare();
	return 0;
}

enum mf_found mf_trust_prefetched(struct mf_trust *t, int which, struct mf_buf *out, struct mf_err *err)
{
	struct mf_fetch *f = t->early.v[which];
	t->early.v[which] = NULL;
	return f ? t->repo->ops->end(f, out, err) : MF_ABSENT;
}

void mf_trust_drop_prefetched(struct mf_trust *t)
{
	for (size_t i = 0; i < EARLY_COUNT; i++) {
		if (t->early.v[i])
			t->repo->ops->cancel(t->early.v[i]);
		t->early.v[i] = NULL;
	}
}

int mf_trust_missing(const struct mf_trust *t, const char *role, struct mf_err *err)
{
	struct mf_esc e;
	(void)mf_fail(err, MF_E_GONE, 0, "'%s' of the trust repository '%s' is not on the server",
		      mf_esc(&e, mf_str_c(role)), t->pin_name);
	mf_err_set_endpoint(err, t->repo->where);
	return -1;
}

/* ---- files that another file lists: snapshot (5.5), targets and delegated roles (5.6) */

struct listed {
	const struct mf_tuf_edge *edge; /* the delegation; NULL: not a delegated role */
	const char *role;
	const struct mf_tuf_meta *meta;
	size_t max;
	int early; /* the prefetch that may have been sent for it; EARLY_COUNT: none */
	struct mf_buf bytes;
	struct mf_fetch *fetch;
	bool stored;            /* the bytes come from the store */
	bool checked;           /* they have the listed length and hashes */
	bool whole;             /* the whole file is needed: do not use an index */
	struct mf_index *index; /* if not NULL, `bytes` is only the head of the file */
};

static struct listed listed_snapshot(const struct mf_trust *t)
{
	return (struct listed){.role = "snapshot",
			       .meta = mf_tuf_meta_find(t->set.timestamp, "snapshot"),
			       .max = MF_MAX_SNAPSHOT_BYTES,
			       .early = EARLY_SNAPSHOT};
}

static struct listed listed_role(const struct mf_trust *t, const char *role)
{
	return (struct listed){.role = role,
			       .meta = mf_tuf_meta_find(t->set.snapshot, role),
			       .max = MF_MAX_TARGETS_BYTES,
			       .early = strcmp(role, "targets") == 0 ? EARLY_TARGETS : EARLY_COUNT};
}

struct mf_fetch_key mf_trust_listed_key(const struct mf_trust *t, const char *role,
					const struct mf_tuf_meta *m, size_t max)
{
	struct mf_fetch_key key = {.role = role,
				   .by = t->repo->ops->dialect->meta_needs_version ? MF_BY_VERSION
										   : MF_BY_SHA256,
				   .version = m->version,
				   .sha256 = m->sha256,
				   .max = m->length < max ? (size_t)m->length : max};
	/* Without consistent snapshots the files of a TUF 1.0 repository have plain names (6.1). */
	if (key.by == MF_BY_VERSION && !t->set.root->consistent_snapshot)
		key.by = MF_BY_NAME;
	return key;
}

/* Uses the answer to a prefetch, which was sent by name, if it is the listed file. */
static bool take_prefetched(struct mf_trust *t, struct listed *l)
{
	struct mf_err ignored = MF_ERR_INIT;
	if (l->early == EARLY_COUNT || !t->early.v[l->early])
		return false;
	mf_buf_init(&l->bytes, l->max);
	if (mf_trust_prefetched(t, l->early, &l->bytes, &ignored) == MF_FOUND && l->meta->has_sha256 &&
	    mf_tuf_meta_check(l->meta, mf_buf_bytes(&l->bytes), &ignored) == 0)
		return true;
	mf_buf_clear(&l->bytes);
	return false;
}

static int request(struct mf_trust *t, struct listed *l, struct mf_err *err)
{
	struct mf_fetch_key key = mf_trust_listed_key(t, l->role, l->meta, l->max);
	mf_buf_clear(&l->bytes);
	mf_buf_init(&l->bytes, l->max);
	l->stored = l->checked = false;
	l->fetch = t->repo->ops->begin(t->repo, &key, err);
	return l->fetch ? 0 : -1;
}

/* Takes the file from the store, or begins to fetch it. */
static int begin(struct mf_trust *t, struct listed *l, struct mf_err *err)
{
	assert(l->meta);
	if (l->meta->broken)
		return mf_tuf_meta_check(l->meta, (struct mf_bytes){NULL, 0}, err);
	/* First the prefetch, if there is one: cancelling its request would close the connection. */
	l->checked = take_prefetched(t, l);
	if (l->checked)
		return 0;
	mf_buf_init(&l->bytes, l->max);
	enum mf_found found = l->whole || l->early == EARLY_SNAPSHOT
				  ? MF_ABSENT
				  : mf_trust_index_open(t, l->edge, &l->bytes, &l->index, err);
	if (found != MF_ABSENT)
		return found == MF_FOUND ? 0 : -1;
	found = t->store->role(t, l->role, l->meta, l->max, &l->bytes, &l->checked, err);
	l->stored = found == MF_FOUND;
	if (found != MF_ABSENT)
		return found == MF_FOUND ? 0 : -1;
	return request(t, l, err);
}

static int await(struct mf_trust *t, struct listed *l, struct mf_err *err)
{
	struct mf_fetch *f = l->fetch;
	l->fetch = NULL;
	enum mf_found found = f ? t->repo->ops->end(f, &l->bytes, err) : MF_FOUND;
	return found == MF_ABSENT ? mf_trust_missing(t, l->role, err) : found == MF_FOUND ? 0 : -1;
}

static void drop(struct mf_trust *t, struct listed *l)
{
	if (l->fetch)
		t->repo->ops->cancel(l->fetch);
	mf_index_free(l->index);
	mf_buf_clear(&l->bytes);
}

static int verify(struct mf_trust *t, struct listed *l, struct mf_err *err)
{
	struct mf_index *index = l->index;
	l->index = NULL;
	if (index)
		return mf_tuf_set_indexed(&t->set, l->edge, &l->bytes, index, err);
	if (l->edge)
		return mf_tuf_set_delegated(&t->set, l->edge, &l->bytes, l->checked, err);
	return (l->early == EARLY_SNAPSHOT ? mf_tuf_set_snapshot : mf_tuf_set_targets)(&t->set, &l->bytes,
										       l->checked, err);
}

static int keep(struct mf_trust *t, const struct listed *l, struct mf_err *err)
{
	const struct mf_tuf_file *f =
	    l->early == EARLY_SNAPSHOT ? t->set.snapshot : t->set.roles[t->set.nroles - 1]->file;
	return t->store->keep(t, l->role, f, err);
}

static int note_verified(const struct mf_trust *t, const struct listed *l, const char *where)
{
	const struct mf_tuf_file *f =
	    l->early == EARLY_SNAPSHOT ? t->set.snapshot : t->set.roles[t->set.nroles - 1]->file;
	mf_env_log(t->cfg->env, MF_LOG_DEBUG, "role '%s': version %lld verified, %s", l->role,
		   (long long)f->version, where);
	return 0;
}

/* Verifies the file from the store; if there is none or it is not accepted, fetches, verifies and stores the
 * server's. */
static int verify_or_fetch(struct mf_trust *t, struct listed *l, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	if (l->index)
		return verify(t, l, err) < 0
			   ? -1
			   : note_verified(t, l, "by the index of what was verified before");
	if (l->stored && l->checked) {
		if (verify(t, l, err) < 0)
			return -1;
		(void)note_verified(t, l, "from the cache: it has the listed hash");
		/* An index is written only when a cached file is used again: a file that was just fetched may
		 * never be. */
		return l->early == EARLY_SNAPSHOT
			   ? 0
			   : mf_trust_index_write(t, t->set.roles[t->set.nroles - 1], err);
	}
	if (l->stored) {
		if (verify(t, l, &why) == 0)
			return note_verified(t, l, "as stored on this machine");
		if (mf_err_pass_ours(err, &why) < 0 || request(t, l, err) < 0)
			return -1;
	}
	if (await(t, l, err) < 0 || verify(t, l, err) < 0)
		return -1;
	(void)note_verified(t, l, "from the repository");
	return keep(t, l, err);
}

static int finish(struct mf_trust *t, struct listed *l, struct mf_err *err)
{
	if (verify_or_fetch(t, l, err) < 0)
		return -1;
	mf_env_log(t->cfg->env, MF_LOG_DEBUG, "%s: version %lld, %s, verified", l->role,
		   (long long)l->meta->version, l->stored ? "from the cache" : "from the trust repository");
	return 0;
}

static int load_listed(struct mf_trust *t, struct listed l, struct mf_err *err)
{
	int rc = begin(t, &l, err) < 0 || finish(t, &l, err) < 0 ? -1 : 0;
	drop(t, &l);
	return rc;
}

int mf_load_delegated(struct mf_trust *t, const struct mf_tuf_edge *edge, struct mf_err *err)
{
	struct listed l = listed_role(t, edge->role->name);
	l.edge = edge;
	return load_listed(t, l, err);
}

static int fetch_whole(struct mf_trust *t, struct listed *l, struct mf_err *err)
{
	l->whole = true;
	if (begin(t, l, err) < 0 || await(t, l, err) < 0)
		return -1;
	return l->checked ? 0 : mf_tuf_meta_check(l->meta, mf_buf_bytes(&l->bytes), err);
}

int mf_trust_fetch_role(struct mf_trust *t, const char *role, struct mf_buf *out, struct mf_err *err)
{
	struct listed l = listed_role(t, role);
	int rc = fetch_whole(t, &l, err);
	if (rc == 0) {
		mf_buf_clear(out);
		*out = l.bytes;
		l.bytes = (struct mf_buf)MF_BUF_INIT(0);
	}
	drop(t, &l);
	return rc;
}

/* ---- roles that do not verify, where that is tolerated */

const struct mf_trust_broken *mf_trust_find_broken(const struct mf_trust *t, const char *role)
{
	for (size_t i = 0; i < t->nbroken; i++)
		if (strcmp(t->broken[i].role, role) == 0)
			return &t->broken[i];
	return NULL;
}

void mf_trust_forget_broken(struct mf_trust *t)
{
	for (size_t i = 0; i < t->nbroken; i++) {
		free(t->broken[i].role);
		free(t->broken[i].why);
	}
	t->nbroken = 0;
}

/* Skips a role that does not verify, and remembers it, if how.tolerate_broken allows it. -1: the error
 * stands. */
static int pass_over(struct mf_trust *t, const char *role, struct mf_err *err)
{
	int status = mf_code_exit(err->code);
	if (!t->how.tolerate_broken || (status != 6 && status != 7 && status != 8))
		return -1;
	struct mf_trust_broken b = {mf_str_dup(mf_str_c(role)), err->code, mf_str_dup(mf_str_c(err->msg))};
	mf_err_clear(err);
	if (b.role && b.why &&
	    mf_grow((void **)&t->broken, &t->broken_cap, t->nbroken, sizeof *t->broken, err) == 0) {
		t->broken[t->nbroken++] = b;
		return 0;
	}
	free(b.role);
	free(b.why);
	return err->code ? -1 : mf_fail_nomem(err);
}

/* ---- waves: files that are requested together, then verified in the order given */

void mf_wave_drop(struct mf_trust *t)
{
	for (size_t i = 0; i < t->wave.n; i++)
		drop(t, &t->wave.v[i]);
	free(t->wave.v);
	free(t->wave.edges);
	t->wave = (struct mf_wave){0};
}

void mf_trust_reset(struct mf_trust *t)
{
	mf_trust_drop_prefetched(t);
	mf_wave_drop(t);
	mf_trust_forget_broken(t);
}

/* Takes both arrays. edges NULL: the file is not a delegated role. */
static int begin_wave(struct mf_trust *t, struct listed *v, struct mf_tuf_edge *edges, size_t n,
		      struct mf_err *err)
{
	t->wave = (struct mf_wave){v, edges, n};
	for (size_t i = 0; i < n; i++) {
		v[i].edge = edges ? &edges[i] : NULL;
		if (begin(t, &v[i], err) < 0) {
			mf_wave_drop(t);
			return -1;
		}
	}
	return 0;
}

int mf_wave_begin_top(struct mf_trust *t, struct mf_err *err)
{
	struct listed *v = mf_calloc(1, sizeof *v);
	if (!v)
		return mf_fail_nomem(err);
	*v = t->set.snapshot ? listed_role(t, "targets") : listed_snapshot(t);
	return begin_wave(t, v, NULL, 1, err);
}

enum mf_found mf_wave_begin(struct mf_trust *t, struct mf_tuf_edge *edges, size_t n, struct mf_err *err)
{
	struct listed *v = n ? mf_calloc(n, sizeof *v) : NULL;
	if (!v) {
		free(edges);
		return n ? (enum mf_found)mf_fail_nomem(err) : MF_ABSENT;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = listed_role(t, edges[i].role->name);
	return begin_wave(t, v, edges, n, err) < 0 ? MF_FAILED : MF_FOUND;
}

int mf_wave_finish(struct mf_trust *t, struct mf_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < t->wave.n; i++) {
		struct listed *l = &t->wave.v[i];
		rc = finish(t, l, err);
		if (rc < 0 && l->edge)
			rc = pass_over(t, l->role, err);
	}
	mf_wave_drop(t);
	return rc;
}

/* ---- records of one subject */

/* Reads a whole file, from the cache or the repository, because its index could not supply the entries of a
 * subject. */
static int complete(struct mf_trust *t, const struct mf_tuf_loaded *l, struct mf_err *err)
{
	const bool full = l->file->nparts >= MF_MAX_INDEX_SUBJECTS;
	struct listed whole = listed_role(t, mf_tuf_loaded_name(l));
	mf_env_log(t->cfg->env, MF_LOG_DEBUG, "role '%s': its whole file is read", whole.role);
	int rc = fetch_whole(t, &whole, err) < 0 || mf_tuf_set_complete(&t->set, l, &whole.bytes, err) < 0 ||
			 (!whole.stored && t->store->keep(t, whole.role, l->file, err) < 0) ||
			 (!full && mf_trust_index_write(t, l, err) < 0)
		     ? -1
		     : 0;
	drop(t, &whole);
	return rc;
}

static int read_subject(struct mf_trust *t, const struct mf_tuf_loaded *l, const struct mf_digest *subject,
			struct mf_err *err)
{
	if (!l->file->index || mf_tuf_part_find(l->file, subject))
		return 0;
	enum mf_found found =
	    l->file->nparts < MF_MAX_INDEX_SUBJECTS ? mf_trust_index_find(t, l, subject, err) : MF_ABSENT;
	return found == MF_FAILED ? -1 : found == MF_FOUND ? 0 : complete(t, l, err);
}

int mf_trust_read_subject(struct mf_trust *t, const struct mf_digest *subject, struct mf_err *err)
{
	for (size_t i = 0; i < t->set.nroles; i++)
		if (read_subject(t, t->set.roles[i], subject, err) < 0)
			return -1;
	return 0;
}
