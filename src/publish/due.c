/* Re-signs files that expire soon: the same content, a higher version, a later expiry. */
#include "base/limits.h"
#include "publish/publish.h"
#include "trust/load.h"

enum mf_found mf_publish_server_signs(struct mf_trust *t, enum mf_tuf_type type, struct mf_err *err)
{
	const struct mf_tuf_role *role = &t->set.root->roles[type];
	if (!t->repo->ops->server_key || (type != MF_TUF_TIMESTAMP && type != MF_TUF_SNAPSHOT))
		return MF_ABSENT;
	if (type == MF_TUF_TIMESTAMP)
		return MF_FOUND;
	if (mf_publish_held(t, role))
		return MF_ABSENT;
	struct mf_pubkey *pub MF_PUBKEY_CLEANUP = NULL;
	if (mf_publish_server_pubkey(t, role->name, MF_SERVER_KEY_NOW, &pub, err) < 0)
		return MF_FAILED;
	return mf_tuf_role_has_key(role, pub) ? MF_FOUND : MF_ABSENT;
}

/* One publish: what is published, and what is reported about it. */
struct round {
	struct mf_publish_refresh *request;
	bool more; /* only these shards: everything else is done */
	bool many; /* there are too many shards for one publish */
	struct mf_trust *t;
	struct mf_publish_change *change;
	struct mf_publish_resign *resign; /* room for all roles */
	struct mf_buf root;
	struct mf_str root_text;
};

static bool is_due(const struct round *r, const struct mf_tuf_file *f)
{
	const struct manifesto_refresh_options *o = r->request->opt;
	return o->force || f->expires <= r->t->set.now + mf_publish_window(r->t, f->type, o->within);
}

/* Reports a role that is due but whose keys are not on this machine. */
static void leave(struct round *r, const char *role, const struct mf_tuf_file *f)
{
	r->request->v[r->request->n++] =
	    (struct manifesto_refreshed_role){.name = role, .version = f->version, .expires = f->expires};
	r->change->leaves_expired |= f->expires <= r->t->set.now;
}

/* Reports a role that is re-signed. *version gets the version of the new file. */
static int renew(struct round *r, const char *role, const struct mf_tuf_file *f, int64_t *version,
		 struct mf_err *err)
{
	if (mf_publish_next_version(r->t, role, f->version, version, err) < 0)
		return -1;
	r->request->v[r->request->n++] = (struct manifesto_refreshed_role){
	    .name = role, .done = 1, .version = *version, .expires = mf_publish_expiry(r->t, f->type)};
	return 0;
}

static int renew_root(struct round *r, struct mf_err *err)
{
	const struct mf_tuf_file *root = r->t->set.root;
	int64_t version;
	if (r->more || !is_due(r, root))
		return 0;
	if (!mf_publish_can_sign(r->t, &root->roles[MF_TUF_ROOT])) {
		leave(r, "root", root);
		return 0;
	}
	if (renew(r, "root", root, &version, err) < 0 ||
	    mf_tuf_build_renewed(root, NULL, version, mf_publish_expiry(r->t, MF_TUF_ROOT), &r->root, err) <
		0)
		return -1;
	r->root_text = mf_buf_str(&r->root);
	r->change->root = &r->root_text;
	return 0;
}

static bool signed_by_us(const struct mf_trust *t, const struct mf_tuf_file *f)
{
	for (size_t i = 0; i < f->nsignatures; i++)
		if (f->signatures[i].good &&
		    mf_keystore_find_fp(t->cfg->keys, &f->signatures[i].good_for) != NULL)
			return true;
	return false;
}

/* Whether it is safe to re-sign a file. A delegated role may list a role with a key of this machine, and put
 * anything into its file. If the file does not state its role, a signature by that key would make it valid
 * for every other role that lists the key. Such a file is re-signed only if this machine has signed it
 * before. */
static bool is_safe(const struct mf_trust *t, const struct mf_tuf_loaded *l)
{
	const struct mf_tuf_loaded *owner = mf_tuf_loaded_owner(l);
	return !owner->delegation || owner->parent == t->set.roles[0] || t->set.d->says_role ||
	       signed_by_us(t, l->file);
}

/* Whether the role's own file or one of its shards is due. The shards that are due are written to out. */
static bool find_due(struct round *r, const struct mf_tuf_loaded *own, struct mf_publish_resign *out,
		     size_t *n)
{
	const struct mf_tuf_set *set = &r->t->set;
	bool due = !r->more && is_due(r, own->file);
	*n = 0;
	for (size_t i = 0; i < set->nroles; i++) {
		const struct mf_tuf_loaded *l = set->roles[i];
		if (!l->shard || l->parent != own || !is_due(r, l->file) || !is_safe(r->t, l))
			continue;
		out[(*n)++] = (struct mf_publish_resign){.role = l->shard};
		due = true;
	}
	return due;
}

/* Re-signs the roles of targets that are due. A role has one row in the report. Its own file is re-signed
 * with any of its shards. */
static int renew_targets(struct round *r, struct mf_err *err)
{
	const struct mf_tuf_set *set = &r->t->set;
	for (size_t i = 0; i < set->nroles; i++) {
		const struct mf_tuf_loaded *l = set->roles[i];
		const struct mf_tuf_role *role = mf_trust_role(r->t, l->role);
		struct mf_publish_resign *next = &r->resign[r->change->nresign];
		size_t nshards;
		/* A role that two delegators list is loaded once for each. */
		if (l->shard || mf_tuf_set_find(set, l->role) != l || !find_due(r, l, next + 1, &nshards))
			continue;
		if (!role || !mf_publish_can_sign(r->t, role) || !mf_publish_can_follow(r->t) ||
		    !is_safe(r->t, l)) {
			leave(r, l->role, l->file);
			for (size_t k = 1; k <= nshards; k++)
				r->change->leaves_expired |=
				    mf_tuf_set_find_file(set, next[k].role)->file->expires <= set->now;
			continue;
		}
		*next = (struct mf_publish_resign){.role = l->role};
		r->change->nresign += 1 + nshards;
		if (renew(r, l->role, l->file, &next->version, err) < 0)
			return -1;
	}
	r->change->resign = r->resign;
	return 0;
}

/* Whether something is published that the snapshot lists. */
static bool is_listed(const struct round *r)
{
	return r->change->nresign || (r->change->root && r->t->set.d->snapshot_lists_root);
}

/* MF_FOUND: the snapshot is re-signed. */
static enum mf_found renew_snapshot(struct round *r, struct mf_err *err)
{
	const struct mf_tuf_file *old = r->t->set.snapshot;
	bool own = mf_publish_can_sign(r->t, &r->t->set.root->roles[MF_TUF_SNAPSHOT]);
	int64_t version;
	if (!is_listed(r) && (r->more || !is_due(r, old)))
		return MF_ABSENT;
	if (own && (is_listed(r) || mf_publish_can_follow(r->t))) {
		r->change->meta |= 1u << MF_TUF_SNAPSHOT;
		return renew(r, "snapshot", old, &version, err) < 0 ? MF_FAILED : MF_FOUND;
	}
	/* A Notary server re-signs an expired snapshot when a client requests it. */
	struct mf_err ignored = MF_ERR_INIT;
	if (r->t->repo->ops->server_key &&
	    (is_listed(r) || mf_publish_server_signs(r->t, MF_TUF_SNAPSHOT, &ignored) == MF_FOUND))
		return MF_ABSENT;
	leave(r, "snapshot", old);
	return MF_ABSENT;
}

static int renew_timestamp(struct round *r, enum mf_found snapshot, struct mf_err *err)
{
	const struct mf_tuf_file *old = r->t->set.timestamp;
	int64_t version;
	if (r->t->repo->ops->server_key || (snapshot != MF_FOUND && (r->more || !is_due(r, old))))
		return 0;
	if (!mf_publish_can_sign(r->t, &r->t->set.root->roles[MF_TUF_TIMESTAMP])) {
		leave(r, "timestamp", old);
		return 0;
	}
	r->change->meta |= 1u << MF_TUF_TIMESTAMP;
	return renew(r, "timestamp", old, &version, err);
}

/* Copies the names in the report, which outlive the loaded repository. */
static int keep_names(struct mf_publish_refresh *q, struct mf_err *err)
{
	for (size_t i = 0; i < q->n; i++) {
		q->v[i].name = mf_arena_dup(q->arena, mf_str_c(q->v[i].name), err);
		if (!q->v[i].name)
			return -1;
	}
	return 0;
}

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct round *r = arg;
	struct mf_publish_refresh *q = r->request;
	if (t->set.expired_certificate) {
		(void)mf_fail(err, MF_E_EXPIRED, 0, "the root certificate of '%s' has expired", t->pin_name);
		mf_err_set_hint(err, "'manifesto trust rotate REPOSITORY root' makes a new one");
		return MF_FAILED;
	}
	static const char *const all[] = {"", NULL};
	r->many |= !r->more && mf_tuf_count_unloaded_shards(&t->set, all) > MF_SHARDS_AHEAD;
	if (!r->more && !r->many && mf_trust_load_shards(t, all, err) < 0)
		return MF_FAILED;
	r->t = t;
	r->change = out;
	free(r->resign);
	mf_buf_clear(&r->root);
	r->resign = mf_calloc(t->set.nroles, sizeof *r->resign);
	q->n = 0;
	if (!r->resign)
		return (enum mf_found)mf_fail_nomem(err);
	q->v = mf_arena_alloc(q->arena, t->set.nroles + 3, sizeof *q->v, err);
	if (!q->v || renew_root(r, err) < 0 || renew_targets(r, err) < 0)
		return MF_FAILED;
	enum mf_found snapshot = renew_snapshot(r, err);
	if (snapshot == MF_FAILED || renew_timestamp(r, snapshot, err) < 0 || keep_names(q, err) < 0)
		return MF_FAILED;
	return out->root || out->nresign || out->meta ? MF_FOUND : MF_ABSENT;
}

/* Makes one publish, and adds its rows to those of earlier rounds. If a role has a row already, a row that
 * reports it as re-signed replaces that. */
static int run_round(struct mf_trust *t, struct round *r, const char *const *subjects, struct mf_err *err)
{
	struct mf_publish_refresh *q = r->request, before = *q;
	const struct mf_publish_intent in = {.kind = MF_PUBLISH_RESIGN,
					     .subjects = subjects,
					     .dry_run = q->opt->dry_run != 0,
					     .fill = fill,
					     .arg = r};
	int64_t version;
	if (mf_publish_run(t, &in, &version, err) == MF_FAILED)
		return -1;
	struct manifesto_refreshed_role *v = mf_arena_alloc(q->arena, before.n + q->n + 1, sizeof *v, err);
	size_t n = 0;
	if (!v)
		return -1;
	while (n < before.n) {
		v[n] = before.v[n];
		n++;
	}
	for (size_t i = 0; i < q->n; i++) {
		size_t at = 0;
		while (at < n && strcmp(v[at].name, q->v[i].name) != 0)
			at++;
		if (at == n || q->v[i].done)
			v[at] = q->v[i];
		n += at == n;
	}
	q->v = v;
	q->n = n;
	return 0;
}

/* If the shards are too many to hold in memory, they are re-signed in one publish for each first digit. */
int mf_publish_refresh(struct mf_trust *t, struct mf_publish_refresh *q, struct mf_err *err)
{
	struct round r = {.request = q, .root = MF_BUF_INIT(MF_MAX_ROOT_BYTES)};
	int rc = run_round(t, &r, mf_no_subjects, err);
	r.more = true;
	for (unsigned i = 0; rc == 0 && r.many && i < 16; i++) {
		const char digit[] = {"0123456789abcdef"[i], 0};
		const char *const subjects[] = {digit, NULL};
		rc = run_round(t, &r, subjects, err);
	}
	free(r.resign);
	mf_buf_clear(&r.root);
	return rc;
}
