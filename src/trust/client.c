/* The client workflow with its I/O: load, verify, remember. */
#include "trust/client.h"

#include <assert.h>

/* How often a load begins anew behind a root that was published meanwhile. */
#define MAX_OVERTAKEN 4

static const struct mf_repo_ops *const schemes[] = {&mf_repo_notary_https, &mf_repo_notary_http,
						    &mf_repo_tuf_https,    &mf_repo_tuf_http,
						    &mf_repo_tuf_file,     &mf_repo_tuf_dir};

int mf_trust_open(const char *url, const char *gun, const char *pin_name, const struct mf_trust_config *cfg,
		  struct mf_trust **out, struct mf_err *err)
{
	const struct mf_repo_ops *ops = &mf_repo_tuf_dir;
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (strncmp(url, schemes[i]->scheme, strlen(schemes[i]->scheme)) == 0) {
			ops = schemes[i];
			break;
		}
	if (ops == &mf_repo_tuf_dir && strstr(url, "://")) {
		struct mf_esc e;
		(void)mf_fail(err, MF_E_USAGE, 0, "trust server '%s' has no scheme that is known",
			      mf_esc(&e, mf_str_c(url)));
		mf_err_set_hint(err, "https://HOST for a Notary server, tuf+file:///DIR for a directory, "
				     "tuf+https://HOST/PATH for its copy on a web server");
		return -1;
	}
	struct mf_trust *t MF_TRUST_CLEANUP = calloc(1, sizeof *t);
	if (!t)
		return mf_fail_nomem(err);
	t->cfg = cfg;
	t->gun = mf_str_dup(mf_str_c(gun));
	t->pin_name = mf_str_dup(mf_str_c(pin_name));
	if (!t->gun || !t->pin_name)
		return mf_fail_nomem(err);
	t->repo = ops->open(url + strlen(ops->scheme), gun, cfg, err);
	if (!t->repo)
		return -1;
	*out = t;
	t = NULL;
	return 0;
}

static void drop_early(struct mf_trust *t)
{
	for (size_t i = 0; i < EARLY_COUNT; i++) {
		if (t->early[i])
			t->repo->ops->cancel(t->early[i]);
		t->early[i] = NULL;
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

void mf_trust_close(struct mf_trust *t)
{
	if (!t)
		return;
	if (t->repo) {
		drop_early(t);
		t->repo->ops->close(t->repo);
	}
	mf_tuf_set_clear(&t->set);
	mf_pin_clear(&t->pin);
	mf_floors_clear(&t->floors);
	forget_broken(t);
	free(t->broken);
	free(t->gun);
	free(t->pin_name);
	free(t);
}

const char *mf_trust_where(const struct mf_trust *t)
{
	return t->repo->where;
}
const char *mf_trust_gun(const struct mf_trust *t)
{
	return t->gun;
}
const char *mf_trust_pin_name(const struct mf_trust *t)
{
	return t->pin_name;
}
const struct mf_dialect *mf_trust_dialect(const struct mf_trust *t)
{
	return t->repo->ops->dialect;
}
const char *mf_trust_dir(const struct mf_trust *t)
{
	return t->repo->ops->local ? t->repo->where : NULL;
}
char *mf_trust_metadata_dir(const struct mf_trust *t, struct mf_err *err)
{
	char *dir = t->repo->ops->local ? mf_str_dup(mf_str_c(t->repo->where))
					: mf_cache_dir(t->cfg->cache_dir, t->pin_name, err);
	if (!dir && !err->code)
		(void)mf_fail_nomem(err);
	return dir;
}
const struct mf_tuf_set *mf_trust_set(const struct mf_trust *t)
{
	return t->loaded ? &t->set : NULL;
}
void mf_trust_tolerate(struct mf_trust *t)
{
	t->tolerant = true;
}
const struct mf_trust_broken *mf_trust_broken(const struct mf_trust *t, size_t *n)
{
	*n = t->nbroken;
	return t->broken;
}
bool mf_trust_was_tofu(const struct mf_trust *t)
{
	return t->tofu;
}
bool mf_trust_first_seen(const struct mf_trust *t)
{
	return !t->floors.any;
}

/* ---- fetching */

int mf_trust_fetch(struct mf_trust *t, const struct mf_fetch_key *key, struct mf_buf *out, struct mf_err *err)
{
	struct mf_fetch *f = t->repo->ops->begin(t->repo, key, err);
	return f ? t->repo->ops->end(f, out, err) : -1;
}

static int begin_early(struct mf_trust *t, int which, const char *role, size_t max, struct mf_err *err)
{
	struct mf_fetch_key key = {.role = role, .by = MF_BY_NAME, .max = max};
	if (t->early[which])
		return 0;
	t->early[which] = t->repo->ops->begin(t->repo, &key, err);
	return t->early[which] ? 0 : -1;
}

static bool cached(struct mf_trust *t, const char *role, size_t max)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(max);
	return mf_cache_get(t->cfg->cache_dir, t->pin_name, role, 0, max, &b, &ignored) > 0;
}

/* The timestamp is always asked for; with an empty cache the rest of the chain goes out at once, by name: it
 * is used if the hashes fit. Files with version numbers in their names cannot be guessed, but for roots. */
int mf_trust_prefetch(struct mf_trust *t, struct mf_err *err)
{
	if (t->repo->ops->local)
		return 0;
	if (begin_early(t, EARLY_TIMESTAMP, "timestamp", MF_MAX_TIMESTAMP_BYTES, err) < 0)
		return -1;
	if (t->repo->ops->numbered_roots)
		return mf_trust_begin_roots(t, err);
	if (cached(t, "root", MF_MAX_ROOT_BYTES))
		return 0;
	if (begin_early(t, EARLY_ROOT, "root", MF_MAX_ROOT_BYTES, err) < 0 ||
	    begin_early(t, EARLY_SNAPSHOT, "snapshot", MF_MAX_SNAPSHOT_BYTES, err) < 0)
		return -1;
	return begin_early(t, EARLY_TARGETS, "targets", MF_MAX_TARGETS_BYTES, err);
}

static int missing(struct mf_trust *t, const char *role, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_GONE, 0, "'%s' of the trust repository '%s' is not on the server", role,
		      t->pin_name);
	mf_err_set_endpoint(err, t->repo->where);
	return -1;
}

static int get_timestamp(struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	struct mf_fetch_key key = {.role = "timestamp", .by = MF_BY_NAME, .max = MF_MAX_TIMESTAMP_BYTES};
	struct mf_fetch *f = t->early[EARLY_TIMESTAMP];
	t->early[EARLY_TIMESTAMP] = NULL;
	int rc = f ? t->repo->ops->end(f, &bytes, err) : 0;
	/* What was asked for in advance may have been answered before the first publish, whose root has been
	 * found since. */
	if (rc == 0)
		rc = mf_trust_fetch(t, &key, &bytes, err);
	if (rc < 0)
		return -1;
	return rc ? mf_tuf_set_timestamp(&t->set, &bytes, err) : missing(t, "timestamp", err);
}

static size_t limit_of(const struct mf_tuf_meta *m, size_t max)
{
	return m->length < max ? (size_t)m->length : max;
}

/* A role's bytes from the cache when they are what is announced. */
static bool from_cache(struct mf_trust *t, const char *role, const struct mf_tuf_meta *m, size_t max,
		       struct mf_buf *out)
{
	struct mf_err ignored = MF_ERR_INIT;
	if (t->repo->ops->local || !t->use_cache || !m->has_sha256 ||
	    mf_cache_get(t->cfg->cache_dir, t->pin_name, role, 0, limit_of(m, max), out, &ignored) <= 0)
		return false;
	if (mf_tuf_meta_check(m, mf_buf_bytes(out), &ignored) == 0)
		return true;
	mf_buf_clear(out);
	return false;
}

/* What was fetched early by name is used when it is what is announced. */
static bool from_early(struct mf_trust *t, int which, const struct mf_tuf_meta *m, struct mf_buf *out)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_fetch *f = t->early[which];
	if (!f)
		return false;
	t->early[which] = NULL;
	if (t->repo->ops->end(f, out, &ignored) == 1 && m->has_sha256 &&
	    mf_tuf_meta_check(m, mf_buf_bytes(out), &ignored) == 0)
		return true;
	mf_buf_clear(out);
	return false;
}

static struct mf_fetch_key listed_key(const struct mf_trust *t, const char *role, const struct mf_tuf_meta *m,
				      size_t max)
{
	struct mf_fetch_key key = {.role = role,
				   .by = t->repo->ops->dialect->meta_needs_version ? MF_BY_VERSION
										   : MF_BY_SHA256,
				   .version = m->version,
				   .sha256 = m->sha256,
				   .max = limit_of(m, max)};
	/* Without consistent snapshots the files of a TUF 1.0 repository have plain names. */
	if (key.by == MF_BY_VERSION && !t->set.root->consistent_snapshot)
		key.by = MF_BY_NAME;
	return key;
}

static int get_snapshot(struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_SNAPSHOT_BYTES);
	const struct mf_tuf_meta *m = mf_tuf_meta_find(t->set.timestamp, "snapshot");
	bool hit = from_cache(t, "snapshot", m, MF_MAX_SNAPSHOT_BYTES, &bytes);
	bool checked = hit || from_early(t, EARLY_SNAPSHOT, m, &bytes);
	t->cached[EARLY_SNAPSHOT] = hit;
	if (!checked) {
		struct mf_fetch_key key = listed_key(t, "snapshot", m, MF_MAX_SNAPSHOT_BYTES);
		int rc = mf_trust_fetch(t, &key, &bytes, err);
		if (rc <= 0)
			return rc < 0 ? -1 : missing(t, "snapshot", err);
	}
	return mf_tuf_set_snapshot(&t->set, &bytes, checked, err);
}

/* ---- targets and delegations, those of one level in flight together */

struct role_fetch {
	const char *role;
	const struct mf_tuf_meta *meta;
	struct mf_buf bytes;
	struct mf_fetch *fetch;
	bool hit;     /* it came from the cache */
	bool checked; /* and, or the early fetch, has passed mf_tuf_meta_check */
};

static int role_begin(struct mf_trust *t, struct role_fetch *r, const char *role, struct mf_err *err)
{
	r->role = role;
	r->meta = mf_tuf_meta_find(t->set.snapshot, role);
	assert(r->meta);
	mf_buf_init(&r->bytes, MF_MAX_TARGETS_BYTES);
	r->hit = from_cache(t, role, r->meta, MF_MAX_TARGETS_BYTES, &r->bytes);
	r->checked =
	    r->hit || (strcmp(role, "targets") == 0 && from_early(t, EARLY_TARGETS, r->meta, &r->bytes));
	if (r->checked)
		return 0;
	struct mf_fetch_key key = listed_key(t, role, r->meta, MF_MAX_TARGETS_BYTES);
	mf_buf_init(&r->bytes, MF_MAX_TARGETS_BYTES);
	r->fetch = t->repo->ops->begin(t->repo, &key, err);
	return r->fetch ? 0 : -1;
}

static int role_end(struct mf_trust *t, struct role_fetch *r, struct mf_err *err)
{
	struct mf_fetch *f = r->fetch;
	r->fetch = NULL;
	int rc = f ? t->repo->ops->end(f, &r->bytes, err) : 1;
	return rc ? rc : missing(t, r->role, err);
}

static void role_drop(struct mf_trust *t, struct role_fetch *r)
{
	if (r->fetch)
		t->repo->ops->cancel(r->fetch);
	mf_buf_clear(&r->bytes);
}

static void cache_loaded(struct mf_trust *t, const char *role, bool hit)
{
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, role);
	if (!hit && !t->repo->ops->local)
		mf_cache_put(t->cfg->cache_dir, t->pin_name, role, 0, mf_buf_bytes(&l->file->bytes));
}

static int get_targets(struct mf_trust *t, struct mf_err *err)
{
	struct role_fetch r = {0};
	int rc = role_begin(t, &r, "targets", err) < 0 || role_end(t, &r, err) < 0
		     ? -1
		     : mf_tuf_set_targets(&t->set, &r.bytes, r.checked, err);
	role_drop(t, &r);
	if (rc == 0)
		cache_loaded(t, "targets", r.hit);
	return rc;
}

int mf_trust_fetch_role(struct mf_trust *t, const char *role, struct mf_buf *out, struct mf_err *err)
{
	struct role_fetch r = {0};
	int rc = role_begin(t, &r, role, err) < 0 || role_end(t, &r, err) < 0 ? -1 : 0;
	if (rc == 0 && !r.checked)
		rc = mf_tuf_meta_check(r.meta, mf_buf_bytes(&r.bytes), err);
	if (rc == 0) {
		mf_buf_clear(out);
		*out = r.bytes;
		r.bytes = (struct mf_buf)MF_BUF_INIT(0);
	}
	role_drop(t, &r);
	return rc;
}

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
	if (!t->tolerant || (status != 6 && status != 7 && status != 8))
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

static int get_level(struct mf_trust *t, const struct mf_tuf_edge *w, size_t n, struct mf_err *err)
{
	struct role_fetch *v MF_FREE = mf_calloc(n, sizeof *v);
	int rc = v ? 0 : mf_fail_nomem(err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = role_begin(t, &v[i], w[i].role->name, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = role_end(t, &v[i], err) < 0
			 ? -1
			 : mf_tuf_set_delegated(&t->set, &w[i], &v[i].bytes, v[i].checked, err);
		if (rc == 0)
			cache_loaded(t, v[i].role, v[i].hit);
		else
			rc = pass_over(t, v[i].role, err);
	}
	for (size_t i = 0; v && i < n; i++)
		role_drop(t, &v[i]);
	return rc;
}

static size_t without_broken(const struct mf_trust *t, struct mf_tuf_edge *w, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (!mf_trust_find_broken(t, w[i].role->name))
			w[kept++] = w[i];
	return kept;
}

void mf_trust_narrow(struct mf_trust *t, const char *const *names)
{
	t->only = t->repo->ops->dialect->meta_has_suffix ? NULL : names;
}

static bool leads_to(const char *role, const char *name)
{
	const char *r = mf_tuf_role_short(role), *n = mf_tuf_role_short(name);
	size_t length = strlen(r);
	return strncmp(r, n, length) == 0 && (n[length] == 0 || n[length] == '/');
}

static size_t only_asked(const struct mf_trust *t, struct mf_tuf_edge *w, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		bool asked = !t->only;
		for (size_t k = 0; !asked && t->only[k]; k++)
			asked = leads_to(w[i].role->name, t->only[k]);
		if (asked)
			w[kept++] = w[i];
	}
	return kept;
}

static int get_delegations(struct mf_trust *t, struct mf_str prefix, struct mf_err *err)
{
	/* What other lookups have loaded is not counted again; `targets` never. */
	size_t max = prefix.n ? t->set.nroles - 1 + MF_MAX_DELEGATIONS_LOOKUP : MF_MAX_DELEGATIONS_LIST, n;
	struct mf_tuf_edge *w MF_FREE = mf_calloc(max + 1, sizeof *w);
	if (!w)
		return mf_fail_nomem(err);
	for (;;) {
		if (mf_tuf_set_unloaded(&t->set, prefix, max, w, &n, err) < 0)
			return -1;
		n = only_asked(t, w, without_broken(t, w, n));
		if (!n)
			return 0;
		if (get_level(t, w, n, err) < 0)
			return -1;
	}
}

int mf_trust_widen(struct mf_trust *t, struct mf_str prefix, struct mf_err *err)
{
	if (get_delegations(t, prefix, err) == 0)
		return 0;
	mf_err_set_endpoint(err, t->repo->where);
	return -1;
}

int mf_trust_unchanged(struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	struct mf_fetch_key key = {.role = "timestamp", .by = MF_BY_NAME, .max = MF_MAX_TIMESTAMP_BYTES};
	int rc = mf_trust_fetch(t, &key, &bytes, err);
	if (rc <= 0)
		return rc < 0 ? -1 : missing(t, "timestamp", err);
	return mf_str_eq(mf_buf_str(&bytes), mf_buf_str(&t->set.timestamp->bytes));
}

int mf_trust_target_get(struct mf_trust *t, struct mf_str name, const struct mf_tuf_target_info *info,
			struct mf_spool *out, struct mf_err *err)
{
	if (!t->repo->ops->target)
		return 0;
	return t->repo->ops->target(t->repo, name, t->set.root->consistent_snapshot ? &info->sha256 : NULL,
				    info->length, out, err);
}

int mf_trust_check_writable(const struct mf_trust *t, struct mf_err *err)
{
	return t->repo->ops->read_only ? t->repo->ops->publish(t->repo, NULL, 0, NULL, err) : 0;
}

/* ---- load */

const struct mf_tuf_role *mf_trust_role(const struct mf_trust *t, const char *name)
{
	const struct mf_tuf_set *s = &t->set;
	if (strcmp(name, "targets") == 0)
		return &s->root->roles[MF_TUF_TARGETS];
	for (size_t i = 0; i < s->nroles; i++)
		for (size_t j = 0; j < s->roles[i]->file->nroles; j++)
			if (strcmp(s->roles[i]->file->roles[j].name, name) == 0)
				return &s->roles[i]->file->roles[j];
	return NULL;
}

const struct mf_key_info *mf_trust_key_here(struct mf_trust *t, const struct mf_tuf_key *k)
{
	if (!k->pub || !k->id_fits)
		return NULL;
	struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
	return mf_keystore_find_fp(t->cfg->keys, &fp);
}

bool mf_trust_hold_key_of(struct mf_trust *t, enum mf_tuf_type type)
{
	const struct mf_tuf_role *role = &t->set.root->roles[type];
	for (size_t i = 0; i < role->nkeys; i++)
		if (mf_trust_key_here(t, role->keys[i]))
			return true;
	return false;
}

static int check_clock(struct mf_trust *t, struct mf_err *err)
{
	if (t->set.now + MF_CLOCK_TOLERANCE_S >= t->floors.clock)
		return 0;
	(void)mf_fail(err, MF_E_ROLLBACK, 0,
		      "the clock of this machine is behind a time that it has shown before");
	mf_err_set_hint(err, "set the clock right; expiry cannot be judged with it");
	return -1;
}

/* What we sign anew may have expired: targets roles, and of timestamp and snapshot those that we sign
 * ourselves. Not on a machine without floors: expiry is all that keeps it from making an old state, with what
 * was withdrawn and whose keys were taken away since, fresh again. */
static unsigned own_roles(struct mf_trust *t)
{
	unsigned own = 1u << MF_TUF_TARGETS;
	if (!t->floors.any)
		return 0;
	for (enum mf_tuf_type type = MF_TUF_TIMESTAMP; type <= MF_TUF_SNAPSHOT; type++)
		if (mf_trust_hold_key_of(t, type))
			own |= 1u << type;
	return own;
}

static int load_once(struct mf_trust *t, struct mf_str prefix, bool use_cache, struct mf_err *err)
{
	mf_tuf_set_clear(&t->set);
	mf_tuf_set_init(&t->set, t->repo->ops->dialect, mf_str_c(t->gun), mf_env_now(t->cfg->env),
			&t->floors.roles);
	t->set.expired_ok = t->expired_ok;
	memset(t->cached, 0, sizeof t->cached);
	forget_broken(t);
	t->cached_step = t->root_done = false;
	t->use_cache = use_cache;
	mf_floors_clear(&t->floors);
	if (mf_floors_load(t->cfg->home, t->pin_name, &t->floors, err) < 0 || check_clock(t, err) < 0 ||
	    mf_trust_load_root(t, err) < 0)
		return -1;
	t->root_done = true;
	mf_floors_follow(&t->floors, t->set.root);
	if (t->for_signing)
		t->set.expired_ok |= own_roles(t);
	if (get_timestamp(t, err) < 0 || get_snapshot(t, err) < 0)
		return -1;
	if (!t->repo->ops->local && !t->cached[EARLY_ROOT])
		mf_cache_put(t->cfg->cache_dir, t->pin_name, "root", 0, mf_buf_bytes(&t->set.root->bytes));
	if (!t->repo->ops->local && !t->cached[EARLY_SNAPSHOT])
		mf_cache_put(t->cfg->cache_dir, t->pin_name, "snapshot", 0,
			     mf_buf_bytes(&t->set.snapshot->bytes));
	if (get_targets(t, err) < 0)
		return -1;
	return get_delegations(t, prefix, err);
}

/* Could it be the cache's fault? An outdated root there fails like an attack does; without the cache the
 * answer is the server's own. Or a publish's: files of plain names are replaced one after another. */
static bool worth_another_try(const struct mf_trust *t, const struct mf_err *err)
{
	int e = mf_code_exit(err->code);
	if ((t->cached[EARLY_ROOT] || t->cached_step) && (e == 6 || e == 7 || e == 8 || e == 10))
		return true;
	return t->root_done && t->repo->ops->numbered_roots && !t->set.root->consistent_snapshot &&
	       err->code == MF_E_DIGEST;
}

/* Was a new root published while the rest was read, which may be signed by keys that only it lists? Of a
 * repository without a newest root by name the root is read first, and nothing ties the rest to it. */
static bool overtaken(struct mf_trust *t, const struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	int e = mf_code_exit(err->code);
	if (!t->repo->ops->numbered_roots || !t->root_done || (e != 6 && e != 8))
		return false;
	struct mf_fetch_key key = {.role = "root",
				   .by = MF_BY_VERSION,
				   .version = t->set.root->version + 1,
				   .max = MF_MAX_ROOT_BYTES,
				   .fresh = true};
	return mf_trust_fetch(t, &key, &bytes, &ignored) == 1;
}

/* Trust on first use, or in a root of our own, holds from now on: the root's keys become the pin. A home that
 * cannot be written is no error. */
static int pin_first_use(struct mf_trust *t, struct mf_err *err)
{
	const struct mf_tuf_role *role = &t->set.root->roles[MF_TUF_ROOT];
	struct mf_digest fps[MF_MAX_SIGNATURES];
	size_t n = 0;
	for (size_t i = 0; i < role->nkeys && n < MF_MAX_SIGNATURES; i++)
		if (role->keys[i]->pub)
			fps[n++] = mf_pubkey_fingerprint(role->keys[i]->pub);
	if (t->tofu && !t->told && n) {
		/* Whoever answered was believed: said with what the owner can be asked for. */
		char first[MF_DIGEST_TEXT];
		mf_digest_format(first, &fps[0]);
		mf_env_log(t->cfg->env, MF_LOG_WARNING, "'%s' is trusted on first use, %s: root key %s",
			   t->pin_name, t->cfg->ci ? "in this run" : "from now on",
			   first + strlen("sha256:"));
		t->told = true;
	}
	if (t->tofu && t->cfg->ci)
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

int mf_trust_load(struct mf_trust *t, struct mf_str prefix, bool for_signing, struct mf_err *err)
{
	t->loaded = t->adopted = false;
	t->for_signing = for_signing;
	if (for_signing && mf_trust_check_writable(t, err) < 0)
		return -1;
	mf_pin_clear(&t->pin);
	if (mf_pin_find(t->cfg->home, t->pin_name, &t->pin, err) < 0 || mf_trust_prefetch(t, err) < 0)
		return -1;
	int rc = load_once(t, prefix, true, err);
	if (rc < 0 && worth_another_try(t, err)) {
		mf_env_log(t->cfg->env, MF_LOG_INFO, "once more, without the cache: %s", err->msg);
		mf_err_clear(err);
		drop_early(t);
		rc = load_once(t, prefix, false, err);
		if (rc < 0 &&
		    err->code == MF_E_NOT_FOUND) /* there was a root in the cache: this is no absence */
			(void)mf_recode(err, MF_E_GONE);
	}
	for (int tries = 0; rc < 0 && tries < MAX_OVERTAKEN && overtaken(t, err); tries++) {
		mf_env_log(t->cfg->env, MF_LOG_INFO, "again, as there is a newer root: %s", err->msg);
		mf_err_clear(err);
		drop_early(t);
		rc = load_once(t, prefix, false, err);
	}
	drop_early(t);
	if (rc < 0) {
		mf_err_set_endpoint(err, t->repo->where);
		if (for_signing && err->code == MF_E_EXPIRED && !t->floors.any)
			mf_err_set_hint(err, "sign it on a machine that has seen this repository before it "
					     "expired, and that holds its keys");
		return -1;
	}
	/* What has expired may be an old state: a machine without floors learns none from it, or it could
	 * make that state fresh again afterwards. */
	if ((!t->set.expired || t->floors.any) &&
	    mf_floors_raise(t->cfg->home, t->pin_name, &t->set, t->cfg->env, err) < 0)
		return -1;
	t->loaded = true;
	/* What is only shown is not trusted from now on. */
	if (t->expired_ok && !t->for_signing)
		return 0;
	return t->tofu || t->adopted ? pin_first_use(t, err) : 0;
}

int mf_trust_load_expired(struct mf_trust *t, bool for_signing, struct mf_err *err)
{
	t->expired_ok = for_signing ? 1u << MF_TUF_ROOT : (1u << MF_TUF_TYPES) - 1;
	int rc = mf_trust_load(t, MF_STR(""), for_signing, err);
	t->expired_ok = 0;
	return rc;
}

bool mf_trust_known(struct mf_trust *t, struct mf_err *err)
{
	struct mf_pin pin = {0};
	struct mf_floors floors = {0};
	bool known = mf_pin_find(t->cfg->home, t->pin_name, &pin, err) < 0 ||
		     mf_floors_load(t->cfg->home, t->pin_name, &floors, err) < 0 || pin.exact || floors.any;
	mf_pin_clear(&pin);
	mf_floors_clear(&floors);
	return known;
}
