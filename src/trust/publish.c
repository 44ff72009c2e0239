/* Publishing: load, apply the intent, sign, publish; again when somebody else was faster; then prove it. */
#include <assert.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "trust/client.h"
#include "trust/sign.h"

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

static const struct mf_key_info *held(struct mf_trust *t, const struct mf_tuf_key *k)
{
	if (!k->pub || !k->id_fits)
		return NULL;
	struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
	return mf_keystore_find_fp(t->cfg->keys, &fp);
}

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

int mf_trust_signer(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_signer *out,
		    const struct mf_key_info **info, struct mf_err *err)
{
	const struct mf_key_info *best = NULL, *all;
	size_t n;
	if (mf_keystore_list(t->cfg->keys, &all, &n, err) <
	    0) /* keys that could not be read are not keys that we do not hold */
		return -1;
	for (size_t i = 0; i < role->nkeys; i++) {
		const struct mf_key_info *k = held(t, role->keys[i]);
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

int mf_trust_sign_file(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_str canonical,
		       struct mf_buf *out, struct mf_err *err)
{
	const struct mf_dialect *d = t->repo->ops->dialect;
	struct mf_tuf_made_signature made[MF_MAX_SIGNATURES];
	struct mf_buf sigs[MF_MAX_SIGNATURES];
	char ids[MF_MAX_SIGNATURES][65];
	size_t n = 0;
	int rc = 0;
	struct mf_signer preferred;
	const struct mf_key_info *first = NULL;
	if (mf_trust_signer(t, role, &preferred, &first, err) < 0)
		return -1;
	/* The preferred key first, then as many others as the threshold asks for. */
	for (int pass = 0; pass < 2 && rc == 0; pass++)
		for (size_t i = 0;
		     i < role->nkeys && rc == 0 && (int64_t)n < role->threshold && n < MF_MAX_SIGNATURES;
		     i++) {
			const struct mf_key_info *k = held(t, role->keys[i]);
			struct mf_signer s;
			if (!k || (k == first) != (pass == 0) || role->keys[i]->id.n != 64)
				continue;
			mf_buf_init(&sigs[n], 8192);
			memcpy(ids[n], role->keys[i]->id.p, 64);
			ids[n][64] = 0;
			rc = mf_keystore_signer(t->cfg->keys, k, &s, err) < 0
				 ? -1
				 : sign_one(d, &s, canonical, &sigs[n], &made[n].method, err);
			made[n].keyid = ids[n];
			made[n].sig = mf_buf_bytes(&sigs[n]);
			n++;
		}
	if (rc == 0 && (int64_t)n < role->threshold)
		rc = mf_fail(err, MF_E_KEY, 0, "role '%s' needs %lld signatures and we hold %zu of its keys",
			     role->name, (long long)role->threshold, n);
	if (rc == 0)
		rc = mf_tuf_build_file(d, canonical, made, n, out, err);
	for (size_t i = 0; i < n; i++)
		mf_buf_clear(&sigs[i]);
	return rc;
}

int64_t mf_trust_lifetime(const struct mf_trust *t, enum mf_tuf_type type)
{
	const int64_t day = 86400, year = 365 * day;
	if (t->repo->ops->dialect == &mf_dialect_notary)
		return type == MF_TUF_ROOT ? 10 * year : 3 * year;
	if (type == MF_TUF_ROOT || type == MF_TUF_TARGETS)
		return year;
	return (t->repo->ops == &mf_repo_tuf_dir ? 90 : 7) * day;
}

/* ---- one publish */

struct outgoing {
	struct mf_publish_file v[3];
	struct mf_buf bytes[3];
	size_t n;
};

static void outgoing_clear(struct outgoing *o)
{
	for (size_t i = 0; i < o->n; i++)
		mf_buf_clear(&o->bytes[i]);
	o->n = 0;
}

static int add_signed(struct mf_trust *t, struct outgoing *o, const char *role_name,
		      const struct mf_tuf_role *role, int64_t version, struct mf_buf *canonical,
		      struct mf_err *err)
{
	mf_buf_init(&o->bytes[o->n], MF_MAX_TARGETS_BYTES);
	size_t i = o->n++;
	if (mf_trust_sign_file(t, role, mf_buf_str(canonical), &o->bytes[i], err) < 0)
		return -1;
	mf_buf_clear(canonical);
	o->v[i] = (struct mf_publish_file){role_name, version, mf_buf_bytes(&o->bytes[i])};
	return 0;
}

static int add_targets(struct mf_trust *t, struct outgoing *o, const struct mf_trust_change *c,
		       int64_t *version, struct mf_err *err)
{
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	const struct mf_tuf_role *role = mf_trust_role(t, c->role);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, c->role);
	if (!role)
		return mf_fail(err, MF_E_USAGE, 0, "there is no role '%s' in this repository", c->role);
	int64_t base = l ? l->file->version : mf_tuf_floor_get(&t->floors.roles, c->role);
	*version = base + 1;
	struct mf_tuf_targets_spec spec = {.old = l ? l->file : NULL,
					   .edits = c->edits,
					   .nedits = c->nedits,
					   .version = *version,
					   .expires = t->set.now + mf_trust_lifetime(t, MF_TUF_TARGETS)};
	if (mf_tuf_build_targets(t->repo->ops->dialect, &spec, &canonical, err) < 0)
		return mf_wrap(err, "targets file of '%s'", c->role);
	return add_signed(t, o, c->role, role, *version, &canonical, err);
}

bool mf_trust_hold_key_of(struct mf_trust *t, enum mf_tuf_type type)
{
	const struct mf_tuf_role *role = &t->set.root->roles[type];
	for (size_t i = 0; i < role->nkeys; i++)
		if (held(t, role->keys[i]))
			return true;
	return false;
}

/* Snapshot or timestamp over what goes out already. */
static int add_meta(struct mf_trust *t, struct outgoing *o, enum mf_tuf_type type, struct mf_err *err)
{
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_SNAPSHOT_BYTES);
	bool snapshot = type == MF_TUF_SNAPSHOT;
	const struct mf_tuf_file *old = snapshot ? t->set.snapshot : t->set.timestamp;
	const struct mf_publish_file *src = &o->v[o->n - 1];
	struct mf_tuf_listed listed = {src->role, src->version, src->bytes};
	struct mf_tuf_meta_spec spec = {.type = type,
					.old = old,
					.files = &listed,
					.nfiles = 1,
					.version = old->version + 1,
					.expires = t->set.now + mf_trust_lifetime(t, type)};
	if (mf_tuf_build_meta(t->repo->ops->dialect, &spec, &canonical, err) < 0)
		return -1;
	return add_signed(t, o, snapshot ? "snapshot" : "timestamp", &t->set.root->roles[type], spec.version,
			  &canonical, err);
}

static int publish_once(struct mf_trust *t, const struct mf_trust_change *c, int64_t *version,
			struct mf_err *err)
{
	struct outgoing o __attribute__((cleanup(outgoing_clear))) = {.n = 0};
	struct mf_bytes base = mf_buf_bytes(&t->set.timestamp->bytes);
	bool server = t->repo->ops->server_key != NULL;
	if (add_targets(t, &o, c, version, err) < 0)
		return -1;
	/* A Notary server signs the timestamp, and the snapshot unless its key is ours. */
	if ((!server || mf_trust_hold_key_of(t, MF_TUF_SNAPSHOT)) &&
	    add_meta(t, &o, MF_TUF_SNAPSHOT, err) < 0)
		return -1;
	if (!server && add_meta(t, &o, MF_TUF_TIMESTAMP, err) < 0)
		return -1;
	if (t->repo->ops->publish(t->repo, o.v, o.n, &base, err) < 0)
		return -1;
	/* The next load finds these bytes in the cache, if the verified snapshot announces exactly them. */
	if (!t->repo->ops->local)
		mf_cache_put(t->cfg->cache_dir, t->pin_name, c->role, 0, o.v[0].bytes);
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

/* A 200 does not prove that readers can read: a normal update must yield what was published, or what somebody
 * made of it since. */
static int prove(struct mf_trust *t, struct mf_str prefix, const struct mf_trust_change *c, int64_t version,
		 struct mf_err *err)
{
	if (mf_trust_load(t, prefix, false, err) < 0)
		return mf_wrap(err, "published, but reading it again failed");
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, c->role);
	if (!l || l->file->version < version)
		return mf_fail(err, MF_E_CONFLICT, 0,
			       "published version %lld of '%s', but the server still shows version %lld",
			       (long long)version, c->role, l ? (long long)l->file->version : 0LL);
	for (size_t i = 0; l->file->version == version && i < c->nedits; i++)
		if (!edit_is_there(l->file, &c->edits[i])) {
			struct mf_esc e;
			return mf_fail(err, MF_E_INTERNAL, 0,
				       "published '%s', but version %lld does not hold it",
				       mf_esc(&e, c->edits[i].name), (long long)version);
		}
	return 0;
}

int mf_trust_lock(struct mf_trust *t, struct mf_lock *lock, struct mf_err *err)
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

static int conflict_pause(struct mf_trust *t, int tries, struct mf_err *err)
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

int mf_trust_update(struct mf_trust *t, struct mf_str prefix, mf_trust_intent_fn intent, void *arg,
		    int64_t *version, struct mf_err *err)
{
	/* This machine's writers queue here instead of racing each other on the server. */
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	int64_t asked = mf_monotonic_ms();
	if (mf_trust_lock(t, &lock, err) < 0)
		return -1;
	/* What the caller has just loaded for signing serves the first try, unless somebody held the lock
	 * meanwhile. */
	bool fresh = t->loaded && t->for_signing && mf_monotonic_ms() - asked < 2;
	for (int tries = 0;; tries++, fresh = false) {
		struct mf_trust_change c = {0};
		if (!fresh && mf_trust_load(t, prefix, true, err) < 0)
			return -1;
		int rc = intent(arg, t, &c, err);
		if (rc <= 0)
			return rc;
		if (mf_env_cancelled(t->cfg->env))
			return mf_fail(err, MF_E_CANCELLED, 0, "interrupted before anything was published");
		if (publish_once(t, &c, version, err) == 0)
			return prove(t, prefix, &c, *version, err) < 0 ? -1 : 1;
		if (conflict_pause(t, tries, err) < 0)
			return -1;
	}
}
