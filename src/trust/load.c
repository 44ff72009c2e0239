/* Loading a repository: sections 5.3 to 5.6 of the specification, with the I/O around the trusted set. */
/* clang-format off */
/* Order. Each file is verified before the next one is used, because it decides what the next one must be:
 *
 *   pin, floors     come from the store, before any file
 *   root            verified by the pin and by the root before it; has the keys of the other top-level roles
 *   timestamp       signed by the root's keys; lists the snapshot
 *   snapshot        signed by the root's keys; as the timestamp lists it; lists every targets file
 *   targets         signed by the root's keys; as the snapshot lists it; delegates to roles
 *   delegated role  signed by the keys that its delegator lists; as the snapshot lists it
 *
 * What is listed is a version (TUF 1.0) or a length and hashes (Notary; TUF 1.0 where they are stated). Every
 * file has the requested type, a version not below its floor, and has not expired. An old root of the chain may
 * have expired, the newest one may not.
 *
 * Example: TUF 1.0 on a web server. This machine trusted root 2 last; timestamp 8, snapshot 5 and targets 4 are
 * its floors; the cache holds them all. In order:
 *
 *   3.root.json     200: verified by the keys of root 2 and by its own
 *   4.root.json     404: root 3 is the newest, and it has not expired; its keys still support the floors
 *   timestamp.json  version 9, not below 8; lists snapshot 6, not below 5
 *   6.snapshot.json the cached file is not the listed one; lists targets 4 and qa 2
 *   targets         no request: the cached file has the listed hash; it delegates to qa
 *   2.qa.json       requested because qa may sign names of the requested prefix
 *   floors          raised to root 3, timestamp 9, snapshot 6, qa 2
 *
 * If a step fails, nothing of the load is used and no floor is raised. What was verified before stays in the
 * store; the next load verifies it again.
 *
 * Requests may be sent before their turn (mf_trust_prefetch; the delegated roles of one level). No answer is
 * used before its turn.
 *
 * Stores. What a machine keeps, and what it trusts of that, is behind struct mf_store_ops:
 *
 *                   home.c (get, put, ...)              tufcli/updater.c (manifesto-tuf)
 *   first root      the pin, not newer than the floor   root.json of the directory
 *   floors          a file in the home                  local timestamp and snapshot, if the root's keys sign them
 *   other files     a cache, used under a listed hash   used if they verify and have the listed version */
/* clang-format on */
#include "trust/load.h"

#include <assert.h>

#include "tuf/index.h"

/* How often a load is repeated because a new root was published meanwhile. */
#define MAX_OVERTAKEN 4

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

/* The timestamp is always requested; with an empty cache the rest of the chain is as well, by name: it is
 * used if the hashes fit. Files with version numbers in their names cannot be guessed, except for roots. */
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
	return prefetch(t, EARLY_TARGETS, "targets", MF_MAX_TARGETS_BYTES, err);
}

enum mf_found mf_trust_prefetched(struct mf_trust *t, int which, struct mf_buf *out, struct mf_err *err)
{
	struct mf_fetch *f = t->early.v[which];
	t->early.v[which] = NULL;
	return f ? t->repo->ops->end(f, out, err) : MF_ABSENT;
}

static void drop_prefetched(struct mf_trust *t)
{
	for (size_t i = 0; i < EARLY_COUNT; i++) {
		if (t->early.v[i])
			t->repo->ops->cancel(t->early.v[i]);
		t->early.v[i] = NULL;
	}
}

static void forget_broken(struct mf_trust *t)
{
	for (size_t i = 0; i < t->nbroken; i++) {
		free(t->broken[i].role);
		free(t->broken[i].why);
	}
	t->nbroken = 0;
}

static int missing(const struct mf_trust *t, const char *role, struct mf_err *err)
{
	struct mf_esc e;
	(void)mf_fail(err, MF_E_GONE, 0, "'%s' of the trust repository '%s' is not on the server",
		      mf_esc(&e, mf_str_c(role)), t->pin_name);
	mf_err_set_endpoint(err, t->repo->where);
	return -1;
}

/* ---- timestamp (5.4) */

static const struct mf_fetch_key timestamp_key = {
    .role = "timestamp", .by = MF_BY_NAME, .max = MF_MAX_TIMESTAMP_BYTES};

static int load_timestamp(struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	enum mf_found found = mf_trust_prefetched(t, EARLY_TIMESTAMP, &bytes, err);
	/* A request that was sent in advance may have been answered before the first publish, whose root has
	 * been found since. */
	if (found == MF_ABSENT)
		found = mf_trust_fetch(t, &timestamp_key, &bytes, err);
	if (found != MF_FOUND)
		return found == MF_FAILED ? -1 : missing(t, "timestamp", err);
	if (mf_tuf_set_timestamp(&t->set, &bytes, err) < 0)
		return -1;
	return t->store->keep(t, "timestamp", t->set.timestamp, err);
}

enum mf_found mf_trust_unchanged(struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	enum mf_found found = mf_trust_fetch(t, &timestamp_key, &bytes, err);
	if (found != MF_FOUND)
		return found == MF_FAILED ? MF_FAILED : (enum mf_found)missing(t, "timestamp", err);
	return mf_str_eq(mf_buf_str(&bytes), mf_buf_str(&t->set.timestamp->bytes)) ? MF_FOUND : MF_ABSENT;
}

/* ---- files that another one lists: snapshot (5.5), targets and delegated roles (5.6) */

struct listed {
	const struct mf_tuf_edge *edge; /* of a delegated role, else NULL */
	const char *role;
	const struct mf_tuf_meta *meta;
	size_t max;
	int early; /* the request that may have been sent in advance; EARLY_COUNT: none */
	struct mf_buf bytes;
	struct mf_fetch *fetch;
	bool stored;            /* the bytes come from the store */
	bool checked;           /* they have passed mf_tuf_meta_check */
	bool whole;             /* its index will not do */
	struct mf_index *index; /* by which the bytes are those of its head; NULL: of the file */
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

/* An answer that was requested in advance, by name, is used when it is the file that is listed. */
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
	/* First what is on its way: to give it up would cost its connection. */
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
	return found == MF_ABSENT ? missing(t, l->role, err) : found == MF_FOUND ? 0 : -1;
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

/* Verifies the file from the store, or else the server's; the latter is kept. */
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
		/* Not when it was fetched: what is never used again would cost an index. */
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

/* ---- waves: files that are requested together, and verified in this order */

static void drop_wave(struct mf_trust *t)
{
	for (size_t i = 0; i < t->wave.n; i++)
		drop(t, &t->wave.v[i]);
	free(t->wave.v);
	free(t->wave.edges);
	t->wave = (struct mf_wave){0};
}

void mf_trust_reset(struct mf_trust *t)
{
	drop_prefetched(t);
	drop_wave(t);
	forget_broken(t);
}

/* Takes both arrays; edges NULL: of one that is not delegated. */
static int begin_wave(struct mf_trust *t, struct listed *v, struct mf_tuf_edge *edges, size_t n,
		      struct mf_err *err)
{
	t->wave = (struct mf_wave){v, edges, n};
	for (size_t i = 0; i < n; i++) {
		v[i].edge = edges ? &edges[i] : NULL;
		if (begin(t, &v[i], err) < 0) {
			drop_wave(t);
			return -1;
		}
	}
	return 0;
}

/* ---- the four steps */

static int load_root_and_timestamp(struct mf_trust *t, struct mf_err *err)
{
	static const unsigned expired_ok[] = {
	    [MF_LOAD_RENEW] = 1u << MF_TUF_ROOT, [MF_LOAD_SHOW] = (1u << MF_TUF_TYPES) - 1};
	mf_tuf_set_clear(&t->set);
	mf_tuf_set_init(&t->set, t->repo->ops->dialect, mf_str_c(t->gun),
			t->cfg->at ? t->cfg->at : mf_env_now(t->cfg->env), &t->floors.roles);
	t->set.names = t->cfg->names;
	t->set.expired_ok = expired_ok[t->how.purpose];
	t->set.subjects = t->how.subjects;
	if (t->store->begin(t, err) < 0 || mf_load_root(t, err) < 0)
		return -1;
	t->attempt.root_done = true;
	mf_env_log(t->cfg->env, MF_LOG_DEBUG, "root: version %lld, trusted by the pin for %s",
		   (long long)t->set.root->version, t->gun);
	return t->store->root_done(t, err) < 0 ? -1 : load_timestamp(t, err);
}

/* The snapshot, or when that is loaded targets. */
static int begin_next_top(struct mf_trust *t, struct mf_err *err)
{
	struct listed *v = mf_calloc(1, sizeof *v);
	if (!v)
		return mf_fail_nomem(err);
	*v = t->set.snapshot ? listed_role(t, "targets") : listed_snapshot(t);
	return begin_wave(t, v, NULL, 1, err);
}

/* ---- delegations, those of one level in flight together */

const struct mf_trust_broken *mf_trust_find_broken(const struct mf_trust *t, const char *role)
{
	for (size_t i = 0; i < t->nbroken; i++)
		if (strcmp(t->broken[i].role, role) == 0)
			return &t->broken[i];
	return NULL;
}

/* Remembers a role that does not verify, where that is tolerated. */
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

static int finish_wave(struct mf_trust *t, struct mf_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < t->wave.n; i++) {
		struct listed *l = &t->wave.v[i];
		rc = finish(t, l, err);
		if (rc < 0 && l->edge)
			rc = pass_over(t, l->role, err);
	}
	drop_wave(t);
	return rc;
}

int mf_load_steps(struct mf_trust *t, struct mf_err *err)
{
	if (load_root_and_timestamp(t, err) < 0)
		return -1;
	while (!t->set.nroles)
		if (begin_next_top(t, err) < 0 || finish_wave(t, err) < 0)
			return -1;
	return 0;
}

static bool leads_to(const char *role, const char *name)
{
	const char *r = mf_tuf_role_short(role), *n = mf_tuf_role_short(name);
	size_t length = strlen(r);
	return strncmp(r, n, length) == 0 && (n[length] == 0 || n[length] == '/');
}

static bool is_requested(const struct mf_trust *t, const struct mf_tuf_edge *e)
{
	const char *role = mf_tuf_is_shard(t->set.d, e->parent, e->role) ? e->parent->role : e->role->name;
	if (!t->how.only || t->repo->ops->dialect->meta_has_suffix)
		return true;
	for (const char *const *name = t->how.only; *name; name++)
		if (leads_to(role, *name))
			return true;
	return false;
}

/* What other lookups have loaded is not counted again; `targets` never. */
static size_t most_roles(const struct mf_trust *t, struct mf_str prefix)
{
	return prefix.n ? t->set.nroles - 1 + MF_MAX_DELEGATIONS_LOOKUP : MF_MAX_DELEGATIONS_LIST;
}

/* All that the loaded roles list, or as much of it as is read. */
static size_t most_edges(const struct mf_trust *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->set.nroles; i++)
		n += t->set.roles[i]->file->nroles;
	return n < MF_MAX_DELEGATIONS_LIST ? n : MF_MAX_DELEGATIONS_LIST;
}

/* Adds those that could hold a name with this prefix, and are not among them. */
static int add_edges(struct mf_trust *t, struct mf_str prefix, struct mf_tuf_edge *v, size_t *n,
		     struct mf_err *err)
{
	size_t more, before = *n;
	if (mf_tuf_set_unloaded(&t->set, prefix, most_roles(t, prefix), v + before, &more, err) < 0)
		return -1;
	for (size_t i = before; i < before + more; i++) {
		bool twice = false;
		for (size_t k = 0; k < before; k++)
			twice |= v[k].parent == v[i].parent && v[k].role == v[i].role;
		if (!twice && is_requested(t, &v[i]) && !mf_trust_find_broken(t, v[i].role->name))
			v[(*n)++] = v[i];
	}
	return 0;
}

/* Requests these roles. Takes the edges. MF_ABSENT: there are none. */
static enum mf_found begin_edges(struct mf_trust *t, struct mf_tuf_edge *edges, size_t n, struct mf_err *err)
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

/* Requests the next level of the delegations that could hold names with one of these prefixes. MF_ABSENT: all
 * are loaded. */
static enum mf_found begin_level(struct mf_trust *t, const struct mf_str *prefixes, size_t nprefixes,
				 struct mf_err *err)
{
	size_t n = 0;
	/* Those found so far, and those of one prefix. */
	struct mf_tuf_edge *edges MF_FREE = mf_calloc(2 * most_edges(t) + 1, sizeof *edges);
	if (!edges)
		return (enum mf_found)mf_fail_nomem(err);
	for (size_t i = 0; i < nprefixes; i++)
		if (add_edges(t, prefixes[i], edges, &n, err) < 0)
			return MF_FAILED;
	struct mf_tuf_edge *taken = edges;
	edges = NULL;
	return begin_edges(t, taken, n, err);
}

int mf_trust_widen(struct mf_trust *t, struct mf_str prefix, struct mf_err *err)
{
	enum mf_found found;
	while ((found = begin_level(t, &prefix, 1, err)) == MF_FOUND)
		if (finish_wave(t, err) < 0)
			break;
	if (found == MF_ABSENT)
		return 0;
	mf_err_set_endpoint(err, t->repo->where);
	return -1;
}

const char *const mf_no_subjects[] = {NULL};

static int load_shards(struct mf_trust *t, const char *const *subjects, bool *any, struct mf_err *err)
{
	struct mf_tuf_edge *edges MF_FREE = mf_calloc(most_edges(t) + 1, sizeof *edges);
	size_t n;
	if (!edges)
		return mf_fail_nomem(err);
	if (mf_tuf_set_unloaded_shards(&t->set, subjects, edges, &n, err) < 0)
		return -1;
	struct mf_tuf_edge *taken = edges;
	edges = NULL;
	enum mf_found found = begin_edges(t, taken, n, err);
	*any = found == MF_FOUND;
	return found == MF_ABSENT ? 0 : found == MF_FAILED ? -1 : finish_wave(t, err);
}

/* Reads all of a file whose index, or the file itself, is not what it was: from the cache, or from the
 * repository. */
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

/* ---- load, and load again */

/* Was a new root published while the rest was read, which may be signed by keys that only it lists? Of a
 * repository without a newest root by name the root is read first, and nothing ties the rest to it. */
static bool overtaken(struct mf_trust *t, int status)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (!t->repo->ops->numbered_roots || !t->attempt.root_done || (status != 6 && status != 8))
		return false;
	struct mf_fetch_key key = {.role = "root",
				   .by = MF_BY_VERSION,
				   .version = t->set.root->version + 1,
				   .max = MF_MAX_ROOT_BYTES,
				   .fresh = true};
	return mf_trust_fetch(t, &key, &bytes, &ignored) == MF_FOUND;
}

/* Why a failed load may succeed when it is repeated, without the cache; NULL: it will not. Three reasons:
 * an outdated root in the cache fails like an attack does, where the server's own answer decides; files of
 * plain names are replaced one after another by a publish; a newer root has other keys. */
static const char *retry_reason(struct mf_trust *t, int tries, const struct mf_err *err)
{
	int status = mf_code_exit(err->code);
	bool damaged = status == 6 || status == 7 || status == 8 || status == 10;
	if (tries == 0 && t->attempt.cached_root && damaged)
		return "a root came from the cache";
	if (tries == 0 && t->attempt.root_done && t->repo->ops->numbered_roots &&
	    !t->set.root->consistent_snapshot && err->code == MF_E_DIGEST)
		return "its files may have been replaced meanwhile";
	if (tries <= MAX_OVERTAKEN && overtaken(t, status))
		return "there is a newer root";
	return NULL;
}

/* Ends the requests of the step before, and begins those that what they brought calls for: MF_ABSENT;
 * MF_FOUND: everything is loaded. */
static enum mf_found step(struct mf_trust *t, struct mf_err *err)
{
	if ((t->attempt.root_done ? finish_wave(t, err) : load_root_and_timestamp(t, err)) < 0)
		return MF_FAILED;
	if (!t->set.nroles)
		return begin_next_top(t, err) < 0 ? MF_FAILED : MF_ABSENT;
	enum mf_found level = begin_level(t, t->how.prefixes, t->how.nprefixes, err);
	if (level == MF_FAILED)
		return MF_FAILED;
	return level == MF_FOUND ? MF_ABSENT : MF_FOUND;
}

static void begin_try(struct mf_trust *t, int tries)
{
	forget_broken(t);
	t->tries = tries;
	t->attempt = (struct mf_attempt){.no_cache = tries > 0};
}

static enum mf_found step_with_retries(struct mf_trust *t, struct mf_err *err)
{
	enum mf_found found = step(t, err);
	if (found != MF_FAILED)
		return found;
	if (t->tries > 0 && err->code == MF_E_NOT_FOUND) /* there was a root at the first try */
		return (enum mf_found)mf_recode(err, MF_E_GONE);
	const char *why = retry_reason(t, t->tries, err);
	if (!why)
		return MF_FAILED;
	mf_env_log(t->cfg->env, MF_LOG_INFO, "loading the trust repository again, because %s: %s", why,
		   err->msg);
	mf_err_clear(err);
	drop_prefetched(t);
	begin_try(t, t->tries + 1);
	return MF_ABSENT;
}

/* What a mirror has copied is changed where it was copied from. */
static int check_origin(const struct mf_trust *t, struct mf_err *err)
{
	const struct mf_tuf_file *stamp = t->set.timestamp;
	struct mf_esc e;
	if (!stamp->copy_of.n || t->keeps_copy)
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "'%s' is a copy of '%s', which 'manifesto mirror' keeps",
		      t->repo->where, mf_esc(&e, stamp->copied_gun));
	mf_err_set_hint(err, "publish to the origin, then run 'manifesto mirror' again");
	return -1;
}

static bool loads_to_sign(const struct mf_trust *t)
{
	return t->how.purpose == MF_LOAD_SIGN || t->how.purpose == MF_LOAD_RENEW;
}

int mf_trust_load_begin(struct mf_trust *t, const struct mf_load *how, struct mf_err *err)
{
	drop_wave(t);
	t->loaded = t->adopted = false;
	t->how = *how;
	if (!how->prefix.p)
		t->how.prefix = MF_STR("");
	if (t->cfg->max_age_s) /* the newest record may lie in any shard */
		t->how.subjects = NULL;
	if (!how->prefixes) {
		t->how.prefixes = &t->how.prefix;
		t->how.nprefixes = 1;
	}
	begin_try(t, 0);
	if (loads_to_sign(t) && !how->proposes && mf_trust_check_writable(t, err) < 0)
		return -1;
	return mf_trust_prefetch(t, how, err);
}

/* What has expired may be an old state: a machine without floors learns none from it, or it could make that
 * state fresh again afterwards. Nor does one learn from what is verified as of another time. */
static int raise_floors(const struct mf_trust *t, struct mf_err *err)
{
	return t->cfg->at || (t->set.expired && !t->floors.any)
		   ? 0
		   : mf_floors_raise(t->cfg->home, t->pin_name, &t->set, t->cfg->env, err);
}

int mf_trust_load_shards(struct mf_trust *t, const char *const *subjects, struct mf_err *err)
{
	bool any = false;
	if (!t->set.subjects) /* all are loaded */
		return 0;
	if (load_shards(t, subjects, &any, err) == 0 && (!any || raise_floors(t, err) == 0))
		return 0;
	mf_err_set_endpoint(err, t->repo->where);
	return -1;
}

static int end_load(struct mf_trust *t, struct mf_err *err)
{
	if (loads_to_sign(t) && check_origin(t, err) < 0)
		return -1;
	if ((t->cfg->max_age_s && mf_trust_check_age(t, err) < 0) || raise_floors(t, err) < 0)
		return -1;
	t->loaded = true;
	return t->how.purpose == MF_LOAD_SHOW ? 0 : mf_home_pin_first_use(t, err);
}

enum mf_found mf_trust_load_step(struct mf_trust *t, struct mf_err *err)
{
	enum mf_found found = step_with_retries(t, err);
	if (found == MF_ABSENT)
		return MF_ABSENT;
	drop_prefetched(t);
	/* What is loaded later asks for its own. */
	t->how.subjects = t->how.subjects ? mf_no_subjects : NULL;
	t->set.subjects = t->how.subjects;
	t->attempt.no_cache = false; /* the next prefetch uses it */
	if (found == MF_FOUND)
		return end_load(t, err) < 0 ? MF_FAILED : MF_FOUND;
	mf_err_set_endpoint(err, t->repo->where);
	if (loads_to_sign(t) && err->code == MF_E_EXPIRED && !t->floors.any)
		mf_err_set_hint(err, "sign it on a machine that has seen this repository before it "
				     "expired, and that holds its keys");
	return MF_FAILED;
}

int mf_trust_load(struct mf_trust *t, const struct mf_load *how, struct mf_err *err)
{
	enum mf_found found = MF_ABSENT;
	if (mf_trust_load_begin(t, how, err) < 0)
		return -1;
	while (found == MF_ABSENT)
		found = mf_trust_load_step(t, err);
	return found == MF_FOUND ? 0 : -1;
}
