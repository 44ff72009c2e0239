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

/* How often a load is repeated because a new root was published meanwhile. */
#define MAX_OVERTAKEN 4

/* ---- timestamp (5.4) */

static const struct mf_fetch_key timestamp_key = {
    .role = "timestamp", .by = MF_BY_NAME, .max = MF_MAX_TIMESTAMP_BYTES};

static int load_timestamp(struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	enum mf_found found = mf_trust_prefetched(t, EARLY_TIMESTAMP, &bytes, err);
	/* MF_ABSENT may be an outdated answer: the prefetched request may have been answered just before the
	 * first publish, whose root was found since. Ask again. */
	if (found == MF_ABSENT)
		found = mf_trust_fetch(t, &timestamp_key, &bytes, err);
	if (found != MF_FOUND)
		return found == MF_FAILED ? -1 : mf_trust_missing(t, "timestamp", err);
	if (mf_tuf_set_timestamp(&t->set, &bytes, err) < 0)
		return -1;
	return t->store->keep(t, "timestamp", t->set.timestamp, err);
}

enum mf_found mf_trust_unchanged(struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	enum mf_found found = mf_trust_fetch(t, &timestamp_key, &bytes, err);
	if (found != MF_FOUND)
		return found == MF_FAILED ? MF_FAILED : (enum mf_found)mf_trust_missing(t, "timestamp", err);
	return mf_str_eq(mf_buf_str(&bytes), mf_buf_str(&t->set.timestamp->bytes)) ? MF_FOUND : MF_ABSENT;
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

/* ---- delegations, those of one level in flight together */

int mf_load_steps(struct mf_trust *t, struct mf_err *err)
{
	if (load_root_and_timestamp(t, err) < 0)
		return -1;
	while (!t->set.nroles)
		if (mf_wave_begin_top(t, err) < 0 || mf_wave_finish(t, err) < 0)
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

/* The limit of loaded roles. Roles that earlier lookups loaded do not count against a lookup by prefix, nor
 * does `targets`. */
static size_t most_roles(const struct mf_trust *t, struct mf_str prefix)
{
	return prefix.n ? t->set.nroles - 1 + MF_MAX_DELEGATIONS_LOOKUP : MF_MAX_DELEGATIONS_LIST;
}

/* The most delegations that one level can have: all that the loaded roles list, up to the limit. */
static size_t most_edges(const struct mf_trust *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->set.nroles; i++)
		n += t->set.roles[i]->file->nroles;
	return n < MF_MAX_DELEGATIONS_LIST ? n : MF_MAX_DELEGATIONS_LIST;
}

/* Adds the delegations that may hold a name with this prefix, without those that are in v already. */
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

/* Requests the next level of the delegations that may hold names with one of these prefixes. MF_ABSENT: all
 * are loaded. */
static enum mf_found begin_level(struct mf_trust *t, const struct mf_str *prefixes, size_t nprefixes,
				 struct mf_err *err)
{
	size_t n = 0;
	/* Twice the room: the edges found so far, and those of one more prefix with duplicates. */
	struct mf_tuf_edge *edges MF_FREE = mf_calloc(2 * most_edges(t) + 1, sizeof *edges);
	if (!edges)
		return (enum mf_found)mf_fail_nomem(err);
	for (size_t i = 0; i < nprefixes; i++)
		if (add_edges(t, prefixes[i], edges, &n, err) < 0)
			return MF_FAILED;
	struct mf_tuf_edge *taken = edges;
	edges = NULL;
	return mf_wave_begin(t, taken, n, err);
}

int mf_trust_widen_begin(struct mf_trust *t, const struct mf_str *prefixes, size_t n, struct mf_err *err)
{
	t->how.prefixes = prefixes;
	t->how.nprefixes = n;
	if (begin_level(t, prefixes, n, err) != MF_FAILED)
		return 0;
	mf_err_set_endpoint(err, t->repo->where);
	return -1;
}

enum mf_found mf_trust_widen_step(struct mf_trust *t, struct mf_err *err)
{
	if (!t->wave.n)
		return MF_FOUND;
	if (mf_wave_finish(t, err) == 0 &&
	    mf_trust_widen_begin(t, t->how.prefixes, t->how.nprefixes, err) == 0)
		return t->wave.n ? MF_ABSENT : MF_FOUND;
	mf_err_set_endpoint(err, t->repo->where);
	return MF_FAILED;
}

int mf_trust_widen(struct mf_trust *t, struct mf_str prefix, struct mf_err *err)
{
	enum mf_found found = mf_trust_widen_begin(t, &prefix, 1, err) < 0 ? MF_FAILED : MF_ABSENT;
	while (found == MF_ABSENT)
		found = mf_trust_widen_step(t, err);
	t->how.prefixes = NULL;
	t->how.nprefixes = 0;
	return found == MF_FOUND ? 0 : -1;
}

const char *const mf_no_subjects[] = {NULL};

/* Drops the edges that were not requested or are broken, as add_edges does. Returns how many are left. */
static size_t keep_requested(const struct mf_trust *t, struct mf_tuf_edge *v, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (is_requested(t, &v[i]) && !mf_trust_find_broken(t, v[i].role->name))
			v[kept++] = v[i];
	return kept;
}

static int load_shards(struct mf_trust *t, const char *const *subjects, struct mf_err *err)
{
	struct mf_tuf_edge *edges MF_FREE = mf_calloc(most_edges(t) + 1, sizeof *edges);
	size_t n;
	if (!edges)
		return mf_fail_nomem(err);
	if (mf_tuf_set_unloaded_shards(&t->set, subjects, edges, &n, err) < 0)
		return -1;
	n = keep_requested(t, edges, n);
	struct mf_tuf_edge *taken = edges;
	edges = NULL;
	enum mf_found found = mf_wave_begin(t, taken, n, err);
	return found == MF_ABSENT ? 0 : found == MF_FAILED ? -1 : mf_wave_finish(t, err);
}

/* ---- load, and repeat a load that failed */

/* Was a new root published while the other files were read? They may be signed by keys that only that root
 * lists. With numbered roots the root is read first, and nothing ensures that the other files belong to
 * it. */
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

/* Why a failed load may succeed when it is repeated without the cache; NULL: it will not. Three reasons: an
 * outdated root in the cache causes the same error as an attack, and only the server's root tells them apart;
 * a publish replaces files with plain names one after another; a newer root lists other keys. */
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

/* Ends and verifies the requests of the previous step, and begins those that follow from their answers
 * (MF_ABSENT). MF_FOUND: everything is loaded. */
static enum mf_found step(struct mf_trust *t, struct mf_err *err)
{
	if ((t->attempt.root_done ? mf_wave_finish(t, err) : load_root_and_timestamp(t, err)) < 0)
		return MF_FAILED;
	if (!t->set.nroles)
		return mf_wave_begin_top(t, err) < 0 ? MF_FAILED : MF_ABSENT;
	enum mf_found level = begin_level(t, t->how.prefixes, t->how.nprefixes, err);
	if (level == MF_FAILED)
		return MF_FAILED;
	return level == MF_FOUND ? MF_ABSENT : MF_FOUND;
}

static void begin_try(struct mf_trust *t, int tries)
{
	mf_trust_forget_broken(t);
	t->tries = tries;
	t->attempt = (struct mf_attempt){.no_cache = tries > 0};
}

static enum mf_found step_with_retries(struct mf_trust *t, struct mf_err *err)
{
	enum mf_found found = step(t, err);
	if (found != MF_FAILED)
		return found;
	if (t->tries > 0 && err->code == MF_E_NOT_FOUND) /* the first try did find a root */
		return (enum mf_found)mf_recode(err, MF_E_GONE);
	const char *why = retry_reason(t, t->tries, err);
	if (!why)
		return MF_FAILED;
	mf_env_log(t->cfg->env, MF_LOG_INFO, "loading the trust repository again, because %s: %s", why,
		   err->msg);
	mf_err_clear(err);
	mf_trust_drop_prefetched(t);
	begin_try(t, t->tries + 1);
	return MF_ABSENT;
}

/* Refuses to change a mirror's copy: changes belong to the origin. */
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
	mf_wave_drop(t);
	t->loaded = t->adopted = false;
	t->how = *how;
	if (!how->prefix.p)
		t->how.prefix = MF_STR("");
	if (t->cfg->max_age_s) /* the newest record may be in any shard */
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

/* Expired metadata may be an old state. A machine without floors stores none from it: with floors it could
 * re-sign that state afterwards (see own_types in home.c). Nor are floors stored when files are verified as
 * of another time. */
static int raise_floors(const struct mf_trust *t, struct mf_err *err)
{
	return t->cfg->at || (t->set.expired && !t->floors.any)
		   ? 0
		   : mf_floors_raise(t->cfg->home, t->pin_name, &t->set, t->cfg->env, err);
}

/* If one shard fails, floors are raised all the same for the shards that were verified before it: they stay
 * loaded, and a later call does not verify them again. */
int mf_trust_load_shards(struct mf_trust *t, const char *const *subjects, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	size_t before = t->set.nroles;
	if (!t->set.subjects) /* all are loaded */
		return 0;
	int rc = load_shards(t, subjects, err);
	if (t->set.nroles > before && raise_floors(t, &why) < 0 && rc == 0) {
		*err = why;
		rc = -1;
	}
	if (rc < 0)
		mf_err_set_endpoint(err, t->repo->where);
	return rc;
}

void mf_trust_drop_shards(struct mf_trust *t)
{
	if (t->set.subjects)
		mf_tuf_set_drop_shards(&t->set);
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
	mf_trust_drop_prefetched(t);
	/* Later loads of shards name their own subjects. */
	t->how.subjects = t->how.subjects ? mf_no_subjects : NULL;
	t->set.subjects = t->how.subjects;
	t->attempt.no_cache = false; /* the next prefetch may use the cache again */
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
