/* Publishing: load, apply the intent, sign, publish; again when somebody else was faster; then prove it. */
#include <assert.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "publish/publish.h"
#include "trust/client.h"

static int no_key(const struct mf_tuf_role *role, struct mf_err *err)
{
	char list[512];
	size_t at = 0;
	list[0] = 0;
	for (size_t i = 0; i < role->nkeys && at + 80 < sizeof list; i++) {
		char hex[65];
		if (!role->keys[i]->pub)
			continue;
		struct mf_digest fp = mf_pubkey_fingerprint(role->keys[i]->pub);
		mf_digest_hex(hex, &fp);
		int n = snprintf(list + at, sizeof list - at, "%s%.16s... (%s)", at ? ", " : "", hex,
				 mf_key_type_name(mf_pubkey_type(role->keys[i]->pub)));
		at += n > 0 ? (size_t)n : 0;
	}
	(void)mf_fail(err, MF_E_KEY, 0, "we hold no key of role '%s'; it accepts %s", role->name, list);
	mf_err_set_hint(
	    err, "'manifesto key list' shows the keys here; a colleague who holds one of these can publish");
	return -1;
}

int mf_publish_signer(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_signer *out,
		      const struct mf_key_info **info, struct mf_err *err)
{
	const struct mf_key_info *best = NULL, *all;
	size_t n;
	if (mf_keystore_list(t->cfg->keys, &all, &n, err) <
	    0) /* keys that could not be read are not keys that we do not hold */
		return -1;
	for (size_t i = 0; i < role->nkeys; i++) {
		const struct mf_key_info *k = mf_trust_key_here(t, role->keys[i]);
		if (k && (!best || (t->cfg->key_name && strcmp(k->name, t->cfg->key_name) == 0)))
			best = k;
	}
	if (!best)
		return no_key(role, err);
	if (info)
		*info = best;
	return mf_keystore_signer(t->cfg->keys, best, out, err);
}

/* ---- signing a file */

static int sign_one(const struct mf_dialect *d, struct mf_signer *s, struct mf_str canonical,
		    struct mf_buf *sig, const char **method, struct mf_err *err)
{
	enum mf_sig_scheme scheme = d->sign_scheme(s->pub, method);
	int rc = s->sign(s->arg, scheme, mf_bytes_of(canonical), sig, err);
	return rc == 1 ? mf_fail(err, MF_E_KEY, 0, "the signature of key '%s' is pending", s->name) : rc;
}

/* Signatures made over one file, for one role or several. */
struct signing {
	struct mf_tuf_made_signature made[MF_MAX_SIGNATURES];
	struct mf_buf sigs[MF_MAX_SIGNATURES];
	char ids[MF_MAX_SIGNATURES][65];
	size_t n;
};

static void signing_clear(struct signing *s)
{
	for (size_t i = 0; i < s->n; i++)
		mf_buf_clear(&s->sigs[i]);
	s->n = 0;
}

static bool has_made(const struct signing *s, const struct mf_tuf_key *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (mf_str_eqz(key->id, s->ids[i]))
			return true;
	return false;
}

static int sign_with(struct mf_trust *t, struct signing *s, const struct mf_tuf_key *key,
		     const struct mf_key_info *info, struct mf_str canonical, struct mf_err *err)
{
	struct mf_signer signer;
	size_t i = s->n++;
	mf_buf_init(&s->sigs[i], 8192);
	memcpy(s->ids[i], key->id.p, 64);
	s->ids[i][64] = 0;
	if (mf_keystore_signer(t->cfg->keys, info, &signer, err) < 0 ||
	    sign_one(t->repo->ops->dialect, &signer, canonical, &s->sigs[i], &s->made[i].method, err) < 0)
		return -1;
	s->made[i].keyid = s->ids[i];
	s->made[i].sig = mf_buf_bytes(&s->sigs[i]);
	return 0;
}

/* The preferred key first, then as many others as the threshold asks for, besides those that have signed for
 * another role already. */
static int sign_for(struct mf_trust *t, struct signing *s, const struct mf_tuf_role *role,
		    struct mf_str canonical, struct mf_err *err)
{
	struct mf_signer preferred;
	const struct mf_key_info *first = NULL;
	int64_t have = 0;
	if (mf_publish_signer(t, role, &preferred, &first, err) < 0)
		return -1;
	for (size_t i = 0; i < role->nkeys; i++)
		have += has_made(s, role->keys[i]) ? 1 : 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < role->nkeys && have < role->threshold && s->n < MF_MAX_SIGNATURES;
		     i++) {
			const struct mf_key_info *k = mf_trust_key_here(t, role->keys[i]);
			if (!k || (k == first) != (pass == 0) || role->keys[i]->id.n != 64 ||
			    has_made(s, role->keys[i]))
				continue;
			if (sign_with(t, s, role->keys[i], k, canonical, err) < 0)
				return -1;
			have++;
		}
	if (have >= role->threshold)
		return 0;
	return mf_fail(err, MF_E_KEY, 0, "role '%s' needs %lld signatures and we hold %lld of its keys",
		       role->name, (long long)role->threshold, (long long)have);
}

/* For one role, or for two: a root is signed as the old one asks and as it asks itself. */
static int sign_file(struct mf_trust *t, const struct mf_tuf_role *role, const struct mf_tuf_role *also,
		     struct mf_str canonical, struct mf_buf *out, struct mf_err *err)
{
	struct signing s MF_CLEANUP(signing_clear) = {.n = 0};
	if (sign_for(t, &s, role, canonical, err) < 0 || (also && sign_for(t, &s, also, canonical, err) < 0))
		return -1;
	return mf_tuf_build_file(t->repo->ops->dialect, canonical, s.made, s.n, out, err);
}

int mf_publish_sign_file(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_str canonical,
			 struct mf_buf *out, struct mf_err *err)
{
	return sign_file(t, role, NULL, canonical, out, err);
}

int64_t mf_publish_lifetime(const struct mf_trust *t, enum mf_tuf_type type)
{
	const int64_t day = 86400, year = 365 * day;
	if (t->repo->ops->dialect == &mf_dialect_notary)
		return type == MF_TUF_ROOT ? 10 * year : 3 * year;
	if (type == MF_TUF_ROOT || type == MF_TUF_TARGETS)
		return year;
	return (t->repo->ops == &mf_repo_tuf_dir ? 90 : 7) * day;
}

/* ---- one publish */

/* Root, the edited role, roles signed anew, snapshot, timestamp. */
#define MAX_OUTGOING (MF_PUBLISH_MAX_RESIGN + 4)
struct outgoing {
	struct mf_publish_file v[MAX_OUTGOING];
	struct mf_buf bytes[MAX_OUTGOING];
	size_t n;
	size_t first, last;       /* targets roles: [first, last) */
	struct mf_tuf_file *root; /* the next one, NULL: as it is */
	bool root_last;
	struct mf_tuf_file *parent; /* the edited role's file, when its delegations change */
};

static void outgoing_clear(struct outgoing *o)
{
	for (size_t i = 0; i < o->n; i++)
		mf_buf_clear(&o->bytes[i]);
	o->n = 0;
	mf_tuf_file_free(o->root);
	mf_tuf_file_free(o->parent);
}

/* The room for one more file; role names are those of the change or literals. */
static struct mf_buf *outgoing_next(struct outgoing *o, const char *role, int64_t version)
{
	assert(o->n < MAX_OUTGOING);
	mf_buf_init(&o->bytes[o->n], MF_MAX_TARGETS_BYTES);
	o->v[o->n] = (struct mf_publish_file){.role = role, .version = version};
	return &o->bytes[o->n++];
}

/* While the root is the last to be written, readers judge the other files by the old one. */
static const struct mf_tuf_role *also_for(const struct mf_trust *t, const struct outgoing *o,
					  const char *name)
{
	for (size_t i = 0; o->root && o->root_last && i < MF_TUF_TYPES; i++)
		if (strcmp(t->set.root->roles[i].name, name) == 0)
			return &t->set.root->roles[i];
	return NULL;
}

static int add_signed(struct mf_trust *t, struct outgoing *o, const char *role_name,
		      const struct mf_tuf_role *role, int64_t version, struct mf_buf *canonical,
		      struct mf_err *err)
{
	struct mf_buf *out = outgoing_next(o, role_name, version);
	if (sign_file(t, role, also_for(t, o, role_name), mf_buf_str(canonical), out, err) < 0)
		return -1;
	mf_buf_clear(canonical);
	o->v[o->n - 1].bytes = mf_buf_bytes(out);
	return 0;
}

/* What was written, as readers will see it. */
static struct mf_tuf_file *read_again(struct mf_trust *t, enum mf_tuf_type type, struct mf_bytes bytes,
				      struct mf_err *err)
{
	struct mf_buf copy MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (mf_buf_add(&copy, bytes.p, bytes.n, err) < 0)
		return NULL;
	return mf_tuf_parse_unverified(t->repo->ops->dialect, type, &copy, err);
}

/* The next root is parsed unsigned to have its roles; then it is signed for the old and the new ones (TUF
 * 5.3.4, 5.3.5). */
static int add_root(struct mf_trust *t, struct outgoing *o, const struct mf_str *canonical,
		    struct mf_err *err)
{
	struct mf_buf draft MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (!canonical)
		return 0;
	if (mf_tuf_build_file(t->repo->ops->dialect, *canonical, NULL, 0, &draft, err) < 0)
		return -1;
	o->root = read_again(t, MF_TUF_ROOT, mf_buf_bytes(&draft), err);
	if (!o->root)
		return mf_wrap(err, "the next root");
	struct mf_buf *out = outgoing_next(o, "root", o->root->version);
	if (sign_file(t, &t->set.root->roles[MF_TUF_ROOT], &o->root->roles[MF_TUF_ROOT], *canonical, out,
		      err) < 0)
		return -1;
	o->v[o->n - 1].bytes = mf_buf_bytes(out);
	return 0;
}

static const struct mf_tuf_role *top_role(const struct mf_trust *t, const struct outgoing *o,
					  enum mf_tuf_type type)
{
	return o->root ? &o->root->roles[type] : &t->set.root->roles[type];
}

/* A role as it is listed after the change. */
static const struct mf_tuf_role *role_after(const struct mf_trust *t, const struct outgoing *o,
					    const char *name)
{
	if (strcmp(name, "targets") == 0)
		return top_role(t, o, MF_TUF_TARGETS);
	for (size_t i = 0; o->parent && i < o->parent->nroles; i++)
		if (strcmp(o->parent->roles[i].name, name) == 0)
			return &o->parent->roles[i];
	return mf_trust_role(t, name);
}

int mf_publish_next_version(struct mf_trust *t, const char *role, int64_t base, int64_t *out,
			    struct mf_err *err)
{
	/* Roots are read one by one, and the timestamp's file name has no version. */
	bool fixed = strcmp(role, "root") == 0 || strcmp(role, "timestamp") == 0;
	int64_t next = base + 1;
	if (t->repo->ops->free_version && !fixed &&
	    t->repo->ops->free_version(t->repo, role, base + 1, &next, err) < 0)
		return -1;
	if (next > MF_MAX_VERSION)
		return mf_fail(err, MF_E_FORMAT, 0, "version %lld of '%s' can have no successor",
			       (long long)base, role);
	*out = next;
	return 0;
}

static int add_targets(struct mf_trust *t, struct outgoing *o, struct mf_tuf_targets_spec *spec,
		       const char *name, struct mf_err *err)
{
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	const struct mf_tuf_role *role = role_after(t, o, name);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, name);
	if (!role)
		return mf_fail(err, MF_E_USAGE, 0, "there is no role '%s' in this repository", name);
	int64_t base = l ? l->file->version : mf_tuf_floor_get(&t->floors.roles, name);
	if (spec->version > base)
		base = spec->version - 1;
	if (mf_publish_next_version(t, name, base, &spec->version, err) < 0)
		return -1;
	spec->expires = t->set.now + mf_publish_lifetime(t, MF_TUF_TARGETS);
	spec->role = name;
	if (mf_tuf_build_targets(t->repo->ops->dialect, spec, &canonical, err) < 0)
		return mf_wrap(err, "targets file of '%s'", name);
	return add_signed(t, o, name, role, spec->version, &canonical, err);
}

static int add_changed(struct mf_trust *t, struct outgoing *o, const struct mf_publish_change *c,
		       int64_t *version, struct mf_err *err)
{
	if (!c->role)
		return 0;
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, c->role);
	struct mf_tuf_targets_spec spec = {
	    .old = l ? l->file : NULL, .edits = c->edits, .nedits = c->nedits, .delegations = c->delegations};
	if (add_targets(t, o, &spec, c->role, err) < 0)
		return -1;
	*version = spec.version;
	if (!c->delegations)
		return 0;
	o->parent = read_again(t, MF_TUF_TARGETS, o->v[o->n - 1].bytes, err);
	return o->parent ? 0 : mf_wrap(err, "the changed delegations");
}

static int add_resigned(struct mf_trust *t, struct outgoing *o, const struct mf_publish_change *c,
			struct mf_err *err)
{
	assert(c->nresign <= MF_PUBLISH_MAX_RESIGN);
	for (size_t i = 0; i < c->nresign; i++) {
		const struct mf_publish_resign *r = &c->resign[i];
		const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, r->role);
		struct mf_tuf_targets_spec spec = {.old = l && !r->empty ? l->file : NULL,
						   .version = r->version};
		if (c->role && strcmp(c->role, r->role) == 0)
			continue;
		if (add_targets(t, o, &spec, r->role, err) < 0)
			return -1;
	}
	return 0;
}

/* Snapshot or timestamp over what goes out already. */
static int add_meta(struct mf_trust *t, struct outgoing *o, enum mf_tuf_type type, struct mf_err *err)
{
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_SNAPSHOT_BYTES);
	const struct mf_dialect *d = t->repo->ops->dialect;
	bool snapshot = type == MF_TUF_SNAPSHOT;
	const struct mf_tuf_file *old = snapshot ? t->set.snapshot : t->set.timestamp;
	struct mf_tuf_listed listed[MAX_OUTGOING];
	size_t n = 0;
	for (size_t i = 0; i < o->n; i++) {
		bool root = strcmp(o->v[i].role, "root") == 0, is_snapshot = i >= o->last && !root;
		if (snapshot ? root && !d->snapshot_lists_root : !is_snapshot)
			continue;
		listed[n++] = (struct mf_tuf_listed){o->v[i].role, o->v[i].version, o->v[i].bytes};
	}
	struct mf_tuf_meta_spec spec = {.type = type,
					.old = old,
					.files = listed,
					.nfiles = n,
					.expires = t->set.now + mf_publish_lifetime(t, type)};
	const char *name = snapshot ? "snapshot" : "timestamp";
	if (mf_publish_next_version(t, name, old->version, &spec.version, err) < 0 ||
	    mf_tuf_build_meta(d, &spec, &canonical, err) < 0)
		return -1;
	return add_signed(t, o, name, top_role(t, o, type), spec.version, &canonical, err);
}

/* The root goes behind the timestamp when it takes keys away: until then readers hold the old root, under
 * which the new timestamp is good as well. */
static void put_root_last(struct outgoing *o)
{
	struct mf_publish_file root = o->v[0];
	memmove(&o->v[0], &o->v[1], (o->n - 1) * sizeof o->v[0]);
	o->v[o->n - 1] = root;
}

static void cache_published(struct mf_trust *t, const struct outgoing *o)
{
	for (size_t i = o->first; i < o->last && !t->repo->ops->local; i++)
		mf_cache_put(t->cfg->cache_dir, t->pin_name, o->v[i].role, 0, o->v[i].bytes);
}

static int publish_once(struct mf_trust *t, const struct mf_publish_change *c, int64_t *version,
			struct mf_err *err)
{
	struct outgoing o MF_CLEANUP(outgoing_clear) = {.root_last = c->root_last};
	struct mf_bytes base = mf_buf_bytes(&t->set.timestamp->bytes);
	bool server = t->repo->ops->server_key != NULL;
	if (add_root(t, &o, c->root, err) < 0)
		return -1;
	o.first = o.n;
	if (add_changed(t, &o, c, version, err) < 0 || add_resigned(t, &o, c, err) < 0)
		return -1;
	o.last = o.n;
	/* A Notary server signs the timestamp, and the snapshot unless its key is ours. */
	if ((!server || mf_trust_hold_key_of(t, MF_TUF_SNAPSHOT)) &&
	    add_meta(t, &o, MF_TUF_SNAPSHOT, err) < 0)
		return -1;
	if (!server && add_meta(t, &o, MF_TUF_TIMESTAMP, err) < 0)
		return -1;
	/* The next load finds these bytes in the cache, if the verified snapshot announces exactly them. */
	struct outgoing order = o;
	if (o.root && o.root_last)
		put_root_last(&order);
	if (t->repo->ops->publish(t->repo, order.v, order.n, &base, err) < 0)
		return -1;
	cache_published(t, &o);
	return 0;
}

/* ---- update */

static bool edit_is_there(const struct mf_tuf_file *f, const struct mf_tuf_edit *e)
{
	struct mf_err ignored = MF_ERR_INIT;
	ptrdiff_t at = mf_tuf_target_find(f, e->name);
	if (at < 0 || e->entry.n == 0)
		return at < 0 && e->entry.n == 0;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 4);
	return mf_json_canonicalize(mf_tuf_target_value(f, (size_t)at), &canonical, &ignored) == 0 &&
	       mf_str_eq(mf_buf_str(&canonical), e->entry);
}

static int check_version(const struct mf_trust *t, const char *role, int64_t version, struct mf_err *err)
{
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, role);
	if (l && l->file->version >= version)
		return 0;
	return mf_fail(err, MF_E_CONFLICT, 0,
		       "published version %lld of '%s', but the server still shows version %lld",
		       (long long)version, role, l ? (long long)l->file->version : 0LL);
}

static int prove_edits(const struct mf_tuf_loaded *l, const struct mf_publish_change *c, struct mf_err *err)
{
	struct mf_esc e;
	for (size_t i = 0; i < c->nedits; i++)
		if (!edit_is_there(l->file, &c->edits[i]))
			return mf_fail(err, MF_E_INTERNAL, 0,
				       "published '%s', but version %lld does not hold it",
				       mf_esc(&e, c->edits[i].name), (long long)l->file->version);
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (!c->delegations)
		return 0;
	if (l->file->delegations_raw.n && mf_json_canonicalize(l->file->delegations_raw, &canonical, err) < 0)
		return -1;
	if (mf_str_eq(mf_buf_str(&canonical), *c->delegations))
		return 0;
	return mf_fail(err, MF_E_INTERNAL, 0, "published delegations of '%s', but version %lld has others",
		       c->role, (long long)l->file->version);
}

static int prove_root(const struct mf_trust *t, const struct mf_publish_change *c, int64_t version,
		      struct mf_err *err)
{
	const struct mf_tuf_file *now = t->set.root;
	if (!c->root || now->version > version)
		return 0;
	if (now->version == version && mf_str_eq(now->canonical, *c->root))
		return 0;
	return mf_fail(err, MF_E_INTERNAL, 0,
		       "published root version %lld, but the server shows another version %lld",
		       (long long)version, (long long)now->version);
}

/* A 200 does not prove that readers can read: a normal update must yield what was published, or what somebody
 * made of it since. */
static int prove(struct mf_trust *t, struct mf_str prefix, const struct mf_publish_change *c, int64_t version,
		 struct mf_err *err)
{
	int64_t root = t->set.root->version + 1;
	if (mf_trust_load(t, prefix, false, err) < 0)
		return mf_wrap(err, "published, but reading it again failed");
	if (prove_root(t, c, root, err) < 0)
		return -1;
	if (!c->role)
		return 0;
	if (check_version(t, c->role, version, err) < 0)
		return -1;
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, c->role);
	return l->file->version == version ? prove_edits(l, c, err) : 0;
}

int mf_publish_lock(struct mf_trust *t, struct mf_lock *lock, struct mf_err *err)
{
	char *dir MF_FREE = mf_path_join(t->cfg->home, "locks", NULL);
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	if (!dir)
		return mf_fail_nomem(err);
	if (mf_pct_encode(&name, mf_str_c(t->pin_name), "", err) < 0)
		return -1;
	if (name.n > 200)
		name.p[200] = 0; /* a shared lock is harmless */
	char *path MF_FREE = mf_path_join(dir, mf_buf_str(&name).p, NULL);
	if (!path)
		return mf_fail_nomem(err);
	if (mf_dir_make(dir, 0700, err) == 0 && mf_lock_acquire(lock, path, t->cfg->env, err) == 0)
		return 0;
	if (err->code != MF_E_IO)
		return -1;
	mf_err_clear(err);
	return 0;
}

int mf_publish_conflict_pause(struct mf_trust *t, int tries, struct mf_err *err)
{
	if (err->code != MF_E_CONFLICT)
		return -1;
	uint32_t span = 50u << (tries < 5 ? tries : 5);
	int64_t pause = 10 + (int64_t)mf_random_below(span);
	if (mf_env_left_ms(t->cfg->env) <= pause || mf_env_cancelled(t->cfg->env))
		return mf_wrap(err, "gave up after %d tries", tries + 1);
	mf_env_log(t->cfg->env, MF_LOG_INFO, "%s; again in %lld ms", err->msg, (long long)pause);
	mf_err_clear(err);
	mf_env_sleep(t->cfg->env, pause);
	return 0;
}

int mf_publish_update(struct mf_trust *t, struct mf_str prefix, mf_publish_intent_fn intent, void *arg,
		      int64_t *version, struct mf_err *err)
{
	/* This machine's writers queue here instead of racing each other on the server. */
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	int64_t asked = mf_monotonic_ms();
	if (mf_publish_lock(t, &lock, err) < 0)
		return -1;
	/* What the caller has just loaded for signing serves the first try, unless somebody held the lock
	 * meanwhile. */
	bool fresh = t->loaded && t->for_signing && mf_monotonic_ms() - asked < 2;
	for (int tries = 0;; tries++, fresh = false) {
		struct mf_publish_change c = {0};
		if (!fresh && mf_trust_load(t, prefix, true, err) < 0)
			return -1;
		int rc = intent(arg, t, &c, err);
		if (rc <= 0)
			return rc;
		if (mf_env_cancelled(t->cfg->env))
			return mf_fail(err, MF_E_CANCELLED, 0, "interrupted before anything was published");
		if (publish_once(t, &c, version, err) == 0)
			return prove(t, prefix, &c, *version, err) < 0 ? -1 : 1;
		if (mf_publish_conflict_pause(t, tries, err) < 0)
			return -1;
	}
}
