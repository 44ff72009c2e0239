/* Signing anew what runs out: the same content, a higher version, a later expiry. */
#include <assert.h>

#include "base/limits.h"
#include "publish/publish.h"
#include "trust/client.h"

void mf_refreshed_clear(struct mf_refreshed *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].role);
	free(r->v);
	*r = (struct mf_refreshed){0};
}

int64_t mf_publish_window(const struct mf_trust *t, enum mf_tuf_type type, int64_t within)
{
	int64_t half = mf_publish_lifetime(t, type) / 2;
	bool quick = type == MF_TUF_TIMESTAMP || type == MF_TUF_SNAPSHOT;
	return quick && within > half ? half : within;
}

size_t mf_publish_held(const struct mf_trust *t, const struct mf_tuf_role *role)
{
	size_t n = 0;
	for (size_t i = 0; i < role->nkeys; i++) {
		const struct mf_tuf_key *k = role->keys[i];
		bool twice = false;
		if (!k->pub || !k->id_fits)
			continue;
		struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
		for (size_t j = 0; j < i && !twice; j++) {
			if (!role->keys[j]->pub)
				continue;
			struct mf_digest other = mf_pubkey_fingerprint(role->keys[j]->pub);
			twice = mf_digest_eq(&fp, &other);
		}
		n += !twice && mf_keystore_find_fp(t->cfg->keys, &fp) != NULL;
	}
	return n;
}

static bool can_sign(const struct mf_trust *t, const struct mf_tuf_role *role)
{
	return (int64_t)mf_publish_held(t, role) >= role->threshold;
}

static bool lists_key(const struct mf_tuf_role *role, const struct mf_pubkey *pub)
{
	struct mf_digest fp = mf_pubkey_fingerprint(pub);
	for (size_t i = 0; i < role->nkeys; i++) {
		if (!role->keys[i]->pub)
			continue;
		struct mf_digest other = mf_pubkey_fingerprint(role->keys[i]->pub);
		if (mf_digest_eq(&fp, &other))
			return true;
	}
	return false;
}

int mf_publish_server_signs(struct mf_trust *t, enum mf_tuf_type type, struct mf_err *err)
{
	const struct mf_tuf_role *role = &t->set.root->roles[type];
	if (!t->repo->ops->server_key || (type != MF_TUF_TIMESTAMP && type != MF_TUF_SNAPSHOT))
		return 0;
	if (type == MF_TUF_TIMESTAMP)
		return 1;
	if (mf_publish_held(t, role))
		return 0;
	struct mf_pubkey *pub MF_PUBKEY_CLEANUP = NULL;
	if (mf_publish_server_pubkey(t, role->name, &pub, err) < 0)
		return -1;
	return lists_key(role, pub);
}

/* ---- what is due */

/* One try: what goes out, and what is told of it. */
struct round {
	struct mf_trust *t;
	const struct mf_refresh_options *opt;
	struct mf_publish_file *v; /* roles are borrowed from the set, bytes from `bytes` */
	struct mf_buf *bytes;
	size_t n, cap;
	struct mf_refreshed *out;
	bool renewed; /* something that the snapshot lists goes out */
};

static void round_clear(struct round *r)
{
	for (size_t i = 0; i < r->n; i++)
		mf_buf_clear(&r->bytes[i]);
	free(r->bytes);
	free(r->v);
}

static int tell(struct round *r, const char *role, bool done, int64_t version, int64_t expires,
		struct mf_err *err)
{
	struct mf_refreshed *o = r->out;
	if (mf_grow((void **)&o->v, &o->cap, o->n, sizeof *o->v, err) < 0)
		return -1;
	o->v[o->n] = (struct mf_refreshed_role){mf_str_dup(mf_str_c(role)), done, version, expires};
	return o->v[o->n].role ? (o->n++, 0) : mf_fail_nomem(err);
}

static bool due(const struct round *r, const struct mf_tuf_file *f)
{
	return r->opt->all || f->expires <= r->t->set.now + mf_publish_window(r->t, f->type, r->opt->within);
}

static int64_t expiry(const struct round *r, enum mf_tuf_type type)
{
	return r->t->set.now + mf_publish_lifetime(r->t, type);
}

/* Signs a signed part and adds it to what goes out. */
static int add(struct round *r, const struct mf_tuf_role *role, enum mf_tuf_type type, int64_t version,
	       struct mf_buf *canonical, struct mf_err *err)
{
	size_t i = r->n;
	assert(i < r->cap);
	if (tell(r, role->name, true, version, expiry(r, type), err) < 0)
		return -1;
	mf_buf_init(&r->bytes[i], MF_MAX_TARGETS_BYTES);
	r->n++;
	if (!r->opt->dry_run &&
	    mf_publish_sign_file(r->t, role, mf_buf_str(canonical), &r->bytes[i], err) < 0)
		return -1;
	r->v[i] = (struct mf_publish_file){role->name, version, mf_buf_bytes(&r->bytes[i])};
	return 0;
}

static int renew(struct round *r, const struct mf_tuf_role *role, const struct mf_tuf_file *old,
		 struct mf_err *err)
{
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	int64_t version;
	if (mf_publish_next_version(r->t, role->name, old->version, &version, err) < 0)
		return -1;
	bool says_role = old->type == MF_TUF_TARGETS && r->t->set.d->says_role;
	if (mf_tuf_build_renewed(old, says_role ? role->name : NULL, version, expiry(r, old->type),
				 &canonical, err) < 0)
		return mf_wrap(err, "sign '%s' anew", role->name);
	return add(r, role, old->type, version, &canonical, err);
}

static int renew_root(struct round *r, struct mf_err *err)
{
	const struct mf_tuf_file *root = r->t->set.root;
	const struct mf_tuf_role *role = &root->roles[MF_TUF_ROOT];
	if (!due(r, root))
		return 0;
	if (!can_sign(r->t, role))
		return tell(r, role->name, false, root->version, root->expires, err);
	r->renewed |= r->t->set.d->snapshot_lists_root;
	return renew(r, role, root, err);
}

/* Whoever cannot sign the snapshot that follows cannot publish: in a directory. A Notary server may do it. */
static bool can_follow(const struct round *r)
{
	const struct mf_tuf_role *roles = r->t->set.root->roles;
	return r->t->repo->ops->server_key ||
	       (can_sign(r->t, &roles[MF_TUF_SNAPSHOT]) && can_sign(r->t, &roles[MF_TUF_TIMESTAMP]));
}

static bool signed_by_us(const struct round *r, const struct mf_tuf_file *f)
{
	for (size_t i = 0; i < f->nsignatures; i++)
		if (f->signatures[i].good &&
		    mf_keystore_find_fp(r->t->cfg->keys, &f->signatures[i].good_for) != NULL)
			return true;
	return false;
}

/* A team may list a role with our key, and what it likes in it. A file that does not say whose it is would be
 * good under our signature for whatever else we sign for: there we sign once more only what we have signed.
 */
static bool is_safe(const struct round *r, const struct mf_tuf_loaded *l)
{
	return !l->delegation || l->parent == r->t->set.roles[0] || r->t->set.d->says_role ||
	       signed_by_us(r, l->file);
}

static int renew_targets(struct round *r, struct mf_err *err)
{
	const struct mf_tuf_set *set = &r->t->set;
	for (size_t i = 0; i < set->nroles; i++) {
		const struct mf_tuf_loaded *l = set->roles[i];
		const struct mf_tuf_role *role = mf_trust_role(r->t, l->role);
		/* A role that two delegators list is loaded for each. */
		if (!due(r, l->file) || mf_tuf_set_find(set, l->role) != l)
			continue;
		if (!role || !can_sign(r->t, role) || !can_follow(r) || !is_safe(r, l)) {
			if (tell(r, l->role, false, l->file->version, l->file->expires, err) < 0)
				return -1;
			continue;
		}
		r->renewed = true;
		if (renew(r, role, l->file, err) < 0)
			return -1;
	}
	return 0;
}

/* Snapshot or timestamp over what goes out already: from index `from` on, all that it lists. */
static int follow(struct round *r, enum mf_tuf_type type, size_t from, struct mf_err *err)
{
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_SNAPSHOT_BYTES);
	const struct mf_tuf_set *set = &r->t->set;
	const struct mf_tuf_file *old = type == MF_TUF_SNAPSHOT ? set->snapshot : set->timestamp;
	struct mf_tuf_listed *listed MF_FREE = mf_calloc(r->n, sizeof *listed);
	size_t n = 0;
	if (!listed)
		return mf_fail_nomem(err);
	for (size_t i = from; i < r->n; i++)
		if (set->d->snapshot_lists_root || strcmp(r->v[i].role, "root") != 0)
			listed[n++] = (struct mf_tuf_listed){r->v[i].role, r->v[i].version, r->v[i].bytes};
	struct mf_tuf_meta_spec spec = {
	    .type = type, .old = old, .files = listed, .nfiles = n, .expires = expiry(r, type)};
	const struct mf_tuf_role *role = &set->root->roles[type];
	if (mf_publish_next_version(r->t, role->name, old->version, &spec.version, err) < 0 ||
	    mf_tuf_build_meta(set->d, &spec, &canonical, err) < 0)
		return -1;
	return add(r, role, type, spec.version, &canonical, err);
}

/* 1: it goes out. */
static int renew_snapshot(struct round *r, struct mf_err *err)
{
	const struct mf_tuf_file *old = r->t->set.snapshot;
	const struct mf_tuf_role *role = &r->t->set.root->roles[MF_TUF_SNAPSHOT];
	bool own = can_sign(r->t, role);
	if (!r->renewed && !due(r, old))
		return 0;
	if (r->renewed && own)
		return follow(r, MF_TUF_SNAPSHOT, 0, err) < 0 ? -1 : 1;
	if (own && can_follow(r))
		return renew(r, role, old, err) < 0 ? -1 : 1;
	if (r->t->repo->ops->server_key) {
		/* The server signs it when it is asked for an expired one. */
		struct mf_err ignored = MF_ERR_INIT;
		if (r->renewed || mf_publish_server_signs(r->t, MF_TUF_SNAPSHOT, &ignored) == 1)
			return 0;
	}
	return tell(r, role->name, false, old->version, old->expires, err);
}

static int renew_timestamp(struct round *r, bool snapshot, struct mf_err *err)
{
	const struct mf_tuf_file *old = r->t->set.timestamp;
	const struct mf_tuf_role *role = &r->t->set.root->roles[MF_TUF_TIMESTAMP];
	if (r->t->repo->ops->server_key || (!snapshot && !due(r, old)))
		return 0;
	if (!can_sign(r->t, role))
		return tell(r, role->name, false, old->version, old->expires, err);
	return snapshot ? follow(r, MF_TUF_TIMESTAMP, r->n - 1, err) : renew(r, role, old, err);
}

static int collect(struct round *r, struct mf_err *err)
{
	r->cap = r->t->set.nroles + 3;
	r->v = mf_calloc(r->cap, sizeof *r->v);
	r->bytes = mf_calloc(r->cap, sizeof *r->bytes);
	if (!r->v || !r->bytes)
		return mf_fail_nomem(err);
	if (renew_root(r, err) < 0 || renew_targets(r, err) < 0)
		return -1;
	int rc = renew_snapshot(r, err);
	return rc < 0 ? -1 : renew_timestamp(r, rc > 0, err);
}

/* ---- publishing */

static bool left_expired(const struct mf_trust *t, const struct mf_refreshed *out)
{
	for (size_t i = 0; i < out->n; i++)
		if (!out->v[i].done && out->v[i].expires <= t->set.now)
			return true;
	return false;
}

static int64_t version_of(const struct mf_trust *t, const char *role)
{
	const struct mf_tuf_set *s = &t->set;
	const struct mf_tuf_loaded *l = mf_tuf_set_find(s, role);
	if (strcmp(role, "root") == 0)
		return s->root->version;
	if (strcmp(role, "snapshot") == 0)
		return s->snapshot->version;
	if (strcmp(role, "timestamp") == 0)
		return s->timestamp->version;
	return l ? l->file->version : 0;
}

/* What readers get must be what was published, or newer. */
static int prove(struct mf_trust *t, const struct mf_refreshed *out, struct mf_err *err)
{
	if ((left_expired(t, out) ? mf_trust_load_expired(t, false, err)
				  : mf_trust_load(t, MF_STR(""), false, err)) < 0)
		return mf_wrap(err, "published, but reading it again failed");
	for (size_t i = 0; i < out->n; i++)
		if (out->v[i].done && version_of(t, out->v[i].role) < out->v[i].version)
			return mf_fail(
			    err, MF_E_CONFLICT, 0,
			    "published version %lld of '%s', but the server still shows version %lld",
			    (long long)out->v[i].version, out->v[i].role,
			    (long long)version_of(t, out->v[i].role));
	return 0;
}

/* What a root that has run out says holds no more: only a new one brings the others back. */
static int check_root(const struct mf_trust *t, struct mf_err *err)
{
	const struct mf_tuf_file *root = t->set.root;
	if (root->expires > t->set.now || (t->floors.any && can_sign(t, &root->roles[MF_TUF_ROOT])))
		return 0;
	(void)mf_fail(err, MF_E_EXPIRED, 0, "the root of '%s' has expired", t->pin_name);
	mf_err_set_hint(err, t->floors.any
				 ? "a holder of its root keys must run 'manifesto trust refresh' first"
				 : "sign it on a machine that has seen this repository before it expired");
	return -1;
}

static int load(struct mf_trust *t, struct mf_err *err)
{
	const struct mf_key_info *all;
	size_t n;
	/* Keys that could not be read are not keys that we do not hold. */
	if (mf_keystore_list(t->cfg->keys, &all, &n, err) < 0)
		return -1;
	if (mf_trust_load_expired(t, true, err) == 0)
		return check_root(t, err);
	if (err->code != MF_E_EXPIRED || !t->floors.any)
		return -1;
	mf_err_set_hint(err, t->repo->ops->server_key
				 ? "a Notary server signs timestamp and snapshot anew itself when their keys "
				   "are its own"
				 : "a holder of its key must run 'manifesto trust refresh'");
	return -1;
}

/* 1 published, 0 nothing, 2 once more, -1. */
static int try_once(struct mf_trust *t, const struct mf_refresh_options *opt, struct mf_refreshed *out,
		    int tries, struct mf_err *err)
{
	struct round r MF_CLEANUP(round_clear) = {.t = t, .opt = opt, .out = out};
	mf_refreshed_clear(out);
	if (load(t, err) < 0 || collect(&r, err) < 0)
		return -1;
	if (!r.n || opt->dry_run)
		return 0;
	if (mf_env_cancelled(t->cfg->env))
		return mf_fail(err, MF_E_CANCELLED, 0, "interrupted before anything was published");
	struct mf_bytes base = mf_buf_bytes(&t->set.timestamp->bytes);
	if (t->repo->ops->publish(t->repo, r.v, r.n, &base, err) < 0)
		return mf_publish_conflict_pause(t, tries, err) < 0 ? -1 : 2;
	return prove(t, out, err) < 0 ? -1 : 1;
}

int mf_publish_refresh(struct mf_trust *t, const struct mf_refresh_options *opt, struct mf_refreshed *out,
		       struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	int rc = 2;
	if (!opt->dry_run && mf_publish_lock(t, &lock, err) < 0)
		return -1;
	for (int tries = 0; rc == 2; tries++)
		rc = try_once(t, opt, out, tries, err);
	return rc;
}
