/* How everything is published: lock, load, fill, compose, send, and again when another publisher was faster;
 * then read back. */
#include "base/encode.h"
#include "base/limits.h"
#include "publish/proposal.h"
#include "trust/load.h"

int mf_publish_lock(struct mf_trust *t, struct mf_lock *lock, struct mf_err *err)
{
	char *dir MF_FREE = mf_path_join(t->cfg->home, "locks", NULL);
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	if (!dir)
		return mf_fail_nomem(err);
	if (mf_pct_encode(&name, mf_str_c(t->pin_name), "", err) < 0)
		return -1;
	if (name.n > 200)
		name.p[200] = 0; /* two repositories may then share a lock, which does no harm */
	char *path MF_FREE = mf_path_join(dir, mf_buf_str(&name).p, NULL);
	if (!path)
		return mf_fail_nomem(err);
	if (mf_dir_make_inside(t->cfg->home, dir, 0700, err) == 0 &&
	    mf_lock_acquire(lock, path, t->cfg->env, err) == 0)
		return 0;
	if (err->code != MF_E_IO)
		return -1;
	mf_err_clear(err);
	return 0;
}

static int pause_after_conflict(struct mf_trust *t, int tries, struct mf_err *err)
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

/* ---- loading */

/* In a store where the root is published first, an interrupted first publish leaves only the root. A holder
 * of its keys continues with that root. MF_ABSENT: the repository is complete, was known here before, or
 * belongs to somebody else. */
static enum mf_found resume(struct mf_trust *t, struct mf_buf *root, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	struct mf_fetch_key key = {.role = "timestamp", .by = MF_BY_NAME, .max = MF_MAX_TIMESTAMP_BYTES};
	if (!t->repo->ops->root_first)
		return MF_ABSENT;
	enum mf_found there = mf_trust_fetch(t, &key, &bytes, err);
	if (there != MF_ABSENT)
		return there == MF_FOUND ? MF_ABSENT : MF_FAILED;
	enum mf_found known = mf_trust_known(t, err);
	if (known != MF_ABSENT)
		return known == MF_FOUND ? MF_ABSENT : MF_FAILED;
	return mf_load_own_root(t, root, err);
}

/* Checks, for a first publish, that there is no repository, and that this machine has never seen one
 * there. */
static int check_absent(struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	struct mf_fetch_key key = {.role = "root",
				   .by = t->repo->ops->numbered_roots ? MF_BY_VERSION : MF_BY_NAME,
				   .version = 1,
				   .max = MF_MAX_ROOT_BYTES};
	int rc = mf_trust_fetch(t, &key, &bytes, err);
	if (rc < 0)
		return -1;
	if (rc > 0) {
		enum mf_found ours = resume(t, &bytes, err);
		if (ours != MF_ABSENT)
			return ours == MF_FOUND ? 0 : -1;
		(void)mf_fail(err, MF_E_CONFLICT, 0, "the trust repository of '%s' exists already",
			      t->pin_name);
		mf_err_set_endpoint(err, t->repo->where);
		return -1;
	}
	enum mf_found known = mf_trust_known(t, err);
	if (known != MF_FOUND)
		return known;
	(void)mf_fail(err, MF_E_GONE, 0, "the trust repository of '%s' existed at '%s' before and is gone",
		      t->pin_name, t->repo->where);
	mf_err_set_hint(err, "ask its owner; manifesto does not replace it with a new one");
	return -1;
}

/* Checks that the root has not expired, or that this machine has seen the repository before and can renew the
 * root. Re-signing other roles would not help readers while the root is expired. */
static int check_root(const struct mf_trust *t, struct mf_err *err)
{
	const struct mf_tuf_file *root = t->set.root;
	if ((root->expires > t->set.now && !t->set.expired_certificate) ||
	    (t->floors.any && mf_publish_can_sign(t, &root->roles[MF_TUF_ROOT])))
		return 0;
	(void)mf_fail(err, MF_E_EXPIRED, 0, "the root of '%s' has expired", t->pin_name);
	mf_err_set_hint(err, t->floors.any
				 ? "a holder of its root keys must run 'manifesto trust refresh' first"
				 : "sign it on a machine that has seen this repository before it expired");
	return -1;
}

static int load_to_renew(struct mf_trust *t, const struct mf_publish_intent *in, struct mf_err *err)
{
	const struct mf_load how = {
	    .subjects = in->subjects, .purpose = MF_LOAD_RENEW, .tolerate_broken = in->tolerate_broken};
	const struct mf_key_info *all;
	size_t n;
	/* Fails when the keys of this machine cannot be read: they must not be taken for keys that this
	 * machine does not have. */
	if (mf_keystore_list(t->cfg->keys, &all, &n, err) < 0)
		return -1;
	if (mf_trust_load(t, &how, err) == 0)
		return check_root(t, err);
	if (err->code == MF_E_EXPIRED && t->floors.any)
		mf_err_set_hint(err, t->repo->ops->server_key
					 ? "a Notary server re-signs timestamp and snapshot itself when "
					   "their keys are its own"
					 : "a holder of its key must run 'manifesto trust refresh'");
	return -1;
}

static int load(struct mf_trust *t, const struct mf_publish_intent *in, struct mf_err *err)
{
	struct mf_load how = {.prefix = in->prefix,
			      .subjects = in->subjects,
			      .purpose = MF_LOAD_SIGN,
			      .tolerate_broken = in->tolerate_broken,
			      .proposes = t->proposing};
	if (in->kind == MF_PUBLISH_CHANGE)
		return mf_trust_load(t, &how, err);
	if (in->kind == MF_PUBLISH_RESIGN)
		return load_to_renew(t, in, err);
	t->loaded = false;
	mf_tuf_set_clear(&t->set);
	mf_tuf_set_init(&t->set, t->repo->ops->dialect, mf_str_c(t->gun), mf_env_now(t->cfg->env), NULL);
	return check_absent(t, err);
}

/* ---- sending */

/* Puts the published files into the cache. The next load uses them only if the verified snapshot lists
 * exactly these bytes. */
static void cache_published(struct mf_trust *t, const struct mf_outgoing *o)
{
	for (size_t i = o->first; i < o->last && !t->repo->ops->local; i++)
		mf_trust_cache_put(t, o->v[i].role, 0, o->v[i].bytes);
}

static int send(struct mf_trust *t, const struct mf_publish_intent *in, const struct mf_outgoing *o,
		struct mf_err *err)
{
	bool first = in->kind == MF_PUBLISH_FIRST;
	struct mf_bytes base = first ? (struct mf_bytes){NULL, 0} : mf_buf_bytes(&t->set.timestamp->bytes);
	if (mf_env_cancelled(t->cfg->env))
		return mf_fail(err, MF_E_CANCELLED, 0, "interrupted before anything was published");
	if (t->repo->ops->publish(t->repo, o->v, o->n, first ? NULL : &base, err) < 0)
		return -1;
	cache_published(t, o);
	return 0;
}

/* ---- reading back */

static int pin_root(struct mf_trust *t, const struct mf_tuf_file *root, struct mf_err *err)
{
	const struct mf_tuf_role *role = &root->roles[MF_TUF_ROOT];
	struct mf_digest fps[MF_MAX_SIGNATURES];
	size_t n = 0;
	for (size_t i = 0; i < role->nkeys && n < MF_MAX_SIGNATURES; i++)
		fps[n++] = mf_pubkey_fingerprint(role->keys[i]->pub);
	return mf_pin_store(t->cfg->home, t->pin_name, fps, n, role->threshold, t->cfg->env, err);
}

static const struct mf_tuf_file *loaded_file(const struct mf_tuf_set *s, const char *role)
{
	const struct mf_tuf_loaded *l = mf_tuf_set_find_file(s, role);
	if (strcmp(role, "root") == 0)
		return s->root;
	if (strcmp(role, "snapshot") == 0)
		return s->snapshot;
	if (strcmp(role, "timestamp") == 0)
		return s->timestamp;
	return l ? l->file : NULL;
}

/* A bucket has no lock, so another writer may have published between this change's timestamp and its root,
 * which removes that writer's keys. Readers of the new root cannot use what was published then. It is
 * re-signed here for the new root, as if it had been published a moment earlier. This must be done now:
 * later, whoever publishes with those keys may have stolen them. */
static int sign_under(struct mf_trust *t, const struct mf_publish_file *root,
		      const struct mf_tuf_role *targets, struct mf_err *err)
{
	const struct mf_load before = {.purpose = MF_LOAD_SIGN, .last_root = root->version - 1};
	const struct mf_publish_resign again = {.role = "targets"};
	for (int tries = 0;; tries++) {
		struct mf_outgoing o MF_OUTGOING_CLEANUP = {.arena = MF_ARENA_INIT};
		struct mf_err why = MF_ERR_INIT;
		const struct mf_publish_intent in = {.kind = MF_PUBLISH_RESIGN};
		struct mf_publish_change c = {.under = root->bytes,
					      .meta = 1u << MF_TUF_SNAPSHOT | 1u << MF_TUF_TIMESTAMP};
		int64_t version;
		if (mf_trust_load(t, &before, err) < 0)
			return -1;
		if (mf_tuf_check_signed(t->repo->ops->dialect, t->set.roles[0]->file, targets, &why) < 0) {
			c.resign = &again;
			c.nresign = 1;
		}
		if (mf_publish_compose(t, &c, &o, &version, err) < 0)
			return -1;
		if (send(t, &in, &o, err) == 0)
			return 0;
		if (pause_after_conflict(t, tries, err) < 0)
			return -1;
	}
}

static int load_back(struct mf_trust *t, const struct mf_load *how, const struct mf_publish_change *c,
		     const struct mf_outgoing *o, struct mf_err *err)
{
	if (mf_trust_load(t, how, err) == 0)
		return 0;
	if (err->code != MF_E_SIGNATURE || !c->root_last || !o->root || !t->repo->ops->root_first)
		return -1;
	mf_err_clear(err);
	if (sign_under(t, &o->v[o->n - 1], &o->root->roles[MF_TUF_TARGETS], err) < 0)
		return -1;
	return mf_trust_load(t, how, err);
}

/* Returns the subjects of the intent, and the digits of the shards that were published, so that reading back
 * loads these shards. The caller frees the array, not the strings. */
static const char **subjects_back(const struct mf_publish_intent *in, const struct mf_outgoing *o,
				  struct mf_err *err)
{
	size_t n = 0;
	while (in->subjects[n])
		n++;
	const char **v = mf_calloc(n + o->nshards + 1, sizeof(char *));
	if (!v) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	memcpy(v, in->subjects, n * sizeof(char *));
	for (size_t i = 0; i < o->nshards; i++)
		v[n + i] = o->shards[i].digits;
	return v;
}

/* Whether a published shard that is no longer listed was divided: by this change, or since, which a newer
 * version of the role's own file shows. */
static bool is_divided(const struct mf_trust *t, const struct mf_outgoing *o, const char *name)
{
	const struct mf_outgoing_shard *s = mf_outgoing_shard(o, name);
	const struct mf_tuf_loaded *own = s ? mf_tuf_set_find(&t->set, s->role) : NULL;
	int64_t known = s ? s->built_on : 0;
	if (!s || s->divided)
		return s != NULL;
	for (size_t k = 0; k < o->n; k++)
		if (strcmp(o->v[k].role, s->role) == 0)
			known = o->v[k].version;
	return own && own->file->version > known;
}

static int check_sent(const struct mf_trust *t, const struct mf_outgoing *o,
		      const struct mf_publish_file *sent, struct mf_err *err)
{
	const struct mf_tuf_file *now = loaded_file(&t->set, sent->role);
	if (!now && is_divided(t, o, sent->role))
		return 0;
	if (!now || now->version < sent->version)
		return mf_fail(err, MF_E_CONFLICT, 0,
			       "published version %lld of '%s', but the server still shows version %lld",
			       (long long)sent->version, sent->role, now ? (long long)now->version : 0LL);
	if (now->version == sent->version && !mf_str_eq(mf_buf_str(&now->bytes), mf_str_of(sent->bytes)))
		return mf_fail(
		    err, MF_E_INTERNAL, 0,
		    "published version %lld of '%s', but the server shows another file as that version",
		    (long long)sent->version, sent->role);
	return 0;
}

/* Reads the repository back: readers must get what was published, or a newer version that another writer made
 * of it. */
static int read_back(struct mf_trust *t, const struct mf_publish_intent *in,
		     const struct mf_publish_change *c, const struct mf_outgoing *o, struct mf_err *err)
{
	const char **subjects MF_FREE = in->subjects ? subjects_back(in, o, err) : NULL;
	if (in->subjects && !subjects)
		return -1;
	if (in->kind == MF_PUBLISH_FIRST && pin_root(t, o->root ? o->root : t->set.root, err) < 0)
		return -1;
	struct mf_load how = {.prefix = in->prefix,
			      .subjects = subjects,
			      .tolerate_broken = in->tolerate_broken,
			      .snapshot_at_once = true};
	if (in->kind == MF_PUBLISH_FIRST)
		how.purpose = MF_LOAD_SIGN;
	if (c->leaves_expired)
		how =
		    (struct mf_load){.purpose = MF_LOAD_SHOW, .subjects = subjects, .snapshot_at_once = true};
	if (load_back(t, &how, c, o, err) < 0)
		return mf_wrap(err, "published, but reading it back failed");
	for (size_t i = 0; i < o->n; i++)
		if (check_sent(t, o, &o->v[i], err) < 0)
			return -1;
	return 0;
}

/* ---- the loop */

static enum mf_publish_sign signing_of(const struct mf_publish_intent *in)
{
	if (in->end == MF_PUBLISH_SEND)
		return in->proposal ? MF_SIGN_GIVEN : MF_SIGN_ALL;
	return in->end == MF_PUBLISH_PROPOSE ? MF_SIGN_SOME : MF_SIGN_NONE;
}

/* Writes the composed files into the proposal instead of sending them. */
static int hand_over(struct mf_trust *t, const struct mf_publish_intent *in,
		     const struct mf_publish_change *c, const struct mf_outgoing *o, struct mf_err *err)
{
	if (mf_proposal_take(in->proposal, t, c, o, err) < 0)
		return -1;
	return in->composed ? in->composed(in->arg, t, o, err) : 0;
}

static enum mf_found run(struct mf_trust *t, const struct mf_publish_intent *in, int64_t *version,
			 struct mf_err *err)
{
	/* Writers of this machine wait here, instead of competing at the server. */
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	bool sends = in->end == MF_PUBLISH_SEND && !in->dry_run;
	if (sends && mf_publish_lock(t, &lock, err) < 0)
		return MF_FAILED;
	/* The process that held the lock may have made keys that are needed now. */
	mf_keystore_rescan(t->cfg->keys);
	/* The first try uses what the caller has just loaded for signing, unless another process held the
	 * lock meanwhile. */
	bool fits = t->how.purpose == MF_LOAD_SIGN || in->end == MF_PUBLISH_CHECK;
	bool fresh = in->kind == MF_PUBLISH_CHANGE && t->loaded && fits && !lock.waited;
	for (int tries = 0;; tries++, fresh = false) {
		struct mf_outgoing o MF_OUTGOING_CLEANUP = {
		    .arena = MF_ARENA_INIT, .how = signing_of(in), .given = in->proposal};
		struct mf_publish_change c = {0};
		if (!fresh && load(t, in, err) < 0)
			return MF_FAILED;
		enum mf_found found = in->fill(in->arg, t, &c, err);
		if (found != MF_FOUND || in->dry_run)
			return found;
		if (mf_publish_compose(t, &c, &o, version, err) < 0)
			return MF_FAILED;
		if (!sends)
			return hand_over(t, in, &c, &o, err) < 0 ? MF_FAILED : MF_FOUND;
		if (send(t, in, &o, err) == 0)
			return read_back(t, in, &c, &o, err) < 0 ? MF_FAILED : MF_FOUND;
		if (pause_after_conflict(t, tries, err) < 0)
			return MF_FAILED;
	}
}

enum mf_found mf_publish_run(struct mf_trust *t, const struct mf_publish_intent *in, int64_t *version,
			     struct mf_err *err)
{
	t->proposing = in->end != MF_PUBLISH_SEND;
	enum mf_found found = run(t, in, version, err);
	t->proposing = false;
	return found;
}
