/* Changes of roles: makes one publish from the requests. Decides the new state of each role, which files must
 * be re-signed because of it, and who may publish. */
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "publish/plan.h"
#include "trust/load.h"

static void plan_clear(struct mf_plan *p)
{
	mf_arena_clear(&p->arena);
	free(p->edits);
	mf_buf_clear(&p->delegations);
	mf_buf_clear(&p->root);
	mf_tuf_file_free(p->after);
	mf_tuf_file_free(p->root_after);
	*p = (struct mf_plan){.request = p->request, .arena = MF_ARENA_INIT};
}

const struct mf_tuf_file *mf_plan_delegator(const struct mf_plan *p, const struct mf_trust *t)
{
	return p->after ? p->after : t->set.roles[0]->file;
}

const struct mf_tuf_role *mf_plan_delegation(const struct mf_plan *p, const struct mf_trust *t,
					     const char *name)
{
	const struct mf_tuf_file *f = mf_plan_delegator(p, t);
	for (size_t i = 0; i < f->nroles; i++)
		if (strcmp(f->roles[i].name, name) == 0)
			return &f->roles[i];
	return NULL;
}

static int no_role(const char *name, struct mf_err *err)
{
	struct mf_esc e;
	if (mf_plan_is_toplevel(name)) {
		(void)mf_fail(err, MF_E_USAGE, 0, "'%s' is a top-level role, expected a delegated role",
			      name);
		mf_err_set_hint(err, "'manifesto trust refresh --force' re-signs the top-level roles");
		return -1;
	}
	(void)mf_fail(err, MF_E_NOT_FOUND, 0, "there is no role '%s' in this repository",
		      mf_esc(&e, mf_str_c(name)));
	mf_err_set_hint(err, "'manifesto role list' shows the roles");
	return -1;
}

static int add_resign(struct mf_plan *p, const char *role, int64_t version, struct mf_err *err)
{
	p->resign[p->change.nresign++] =
	    (struct mf_publish_resign){.role = role, .version = version, .empty = version > 0};
	return mf_plan_report(p, "signed anew", role, version ? "empty" : "", err);
}

/* Returns the name of a shard of the role that does not verify, or else the role's own name. */
static const char *broken_file(const struct mf_trust *t, const struct mf_tuf_role *cur)
{
	const struct mf_tuf_loaded *own = mf_tuf_set_find(&t->set, cur->name);
	for (size_t i = 0; own && i < own->file->nroles; i++)
		if (mf_tuf_is_shard(t->set.d, own, &own->file->roles[i]) &&
		    mf_trust_find_broken(t, own->file->roles[i].name))
			return own->file->roles[i].name;
	return cur->name;
}

static int by_expiry(const void *a, const void *b)
{
	const struct mf_tuf_loaded *const *x = a, *const *y = b;
	int64_t one = (*x)->file->expires, other = (*y)->file->expires;
	return one != other ? (one > other) - (one < other) : strcmp((*x)->shard, (*y)->shard);
}

/* A file in a proposal, in base64. */
static size_t proposed_octets(const struct mf_tuf_loaded *l)
{
	return (l->file->bytes.n + 2) / 3 * 4;
}

/* Re-signs the shards of a role with its own file. Their signatures are valid, but may be by a key that is
 * removed later. A proposal has room for some of them: those that expire first, so that further proposals
 * sign the others. */
static int add_shards(struct mf_plan *p, const struct mf_trust *t, const struct mf_tuf_loaded *own,
		      struct mf_err *err)
{
	const struct mf_tuf_loaded **v = mf_arena_alloc(&p->arena, t->set.nroles, sizeof(void *), err);
	const bool proposed = p->request->proposal != NULL;
	const int64_t signed_lately = mf_publish_expiry(t, MF_TUF_TARGETS) - MF_PROPOSAL_LIFE;
	size_t n = 0, left = 0, octets = proposed_octets(own) + ((size_t)2 << 20);
	for (size_t i = 0; v && i < t->set.nroles; i++)
		if (t->set.roles[i]->shard && t->set.roles[i]->parent == own)
			v[n++] = t->set.roles[i];
	if (!v)
		return -1;
	qsort(v, n, sizeof *v, by_expiry);
	for (size_t i = 0; i < n; i++) {
		octets += proposed_octets(v[i]);
		if (!proposed || (i + 1 < MF_MAX_PROPOSAL_FILES && octets <= MF_MAX_PROPOSAL_BYTES))
			p->resign[p->change.nresign++] = (struct mf_publish_resign){.role = v[i]->shard};
		else
			left += v[i]->file->expires < signed_lately;
	}
	if (left)
		mf_env_log(
		    t->cfg->env, MF_LOG_WARNING,
		    "the proposal has no room for %zu more files of role '%s': when it is published, propose "
		    "the same again for those",
		    left, own->role);
	return 0;
}

static int sign_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		     const struct mf_tuf_role *cur, struct mf_err *err)
{
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP = NULL;
	const char *broken = broken_file(t, cur);
	if (mf_tuf_set_find_file(&t->set, broken)) {
		const struct mf_tuf_loaded *own = mf_tuf_set_find(&t->set, cur->name);
		return own && add_shards(p, t, own, err) < 0 ? -1 : add_resign(p, cur->name, 0, err);
	}
	if (!mf_trust_find_broken(t, broken))
		return mf_fail(err, MF_E_NOT_FOUND, 0, "nothing was published in role '%s' yet", cur->name);
	if (!r->force) {
		(void)mf_fail(err, MF_E_SIGNATURE, 0, "the file of role '%s' does not verify", broken);
		mf_err_set_hint(err, "--force replaces it with an empty one");
		return -1;
	}
	if (mf_publish_listed_file(t, broken, &file, err) < 0)
		return -1;
	return add_resign(p, broken, file->version + 1, err);
}

static int check_double(const struct mf_plan *p, const char *name, struct mf_err *err)
{
	for (size_t i = 0; i < p->ngoals; i++)
		if (strcmp(p->goals[i].name, name) == 0)
			return mf_fail(err, MF_E_USAGE, 0, "role '%s' is named twice", name);
	return 0;
}

/* ---- what must be re-signed */

static int refuse_revived(const struct mf_trust *t, const struct mf_tuf_role *role, struct mf_err *err)
{
	char keys[512];
	mf_publish_name_keys(t, role, keys);
	(void)mf_fail(err, MF_E_KEY, 0,
		      "a role '%s' existed before, and the snapshot still lists its file: a new file "
		      "must be signed with the delegation, but this machine has too few of its keys",
		      role->name);
	mf_err_set_hint(err, "choose another name, or import one of the keys: %s", keys);
	return -1;
}

static int refuse_unsigned(const struct mf_plan *p, const struct mf_trust *t, const struct mf_tuf_role *role,
			   struct mf_err *err)
{
	char keys[512];
	mf_publish_name_keys(t, role, keys);
	(void)mf_fail(err, MF_E_KEY, 0,
		      "the file of role '%s' would no longer have enough valid signatures, and this machine "
		      "has too few of the keys that could re-sign it: %s",
		      role->name, keys);
	if (role->threshold > 1)
		mf_err_set_hint(err, "propose it, so that their holders can sign it: %s",
				t->cfg->propose_hint ? t->cfg->propose_hint
						     : "the same command with '--propose @'");
	else
		mf_err_set_hint(err,
				"a colleague who holds one of them must first run 'manifesto role sign %s "
				"%s'; then run this command again",
				p->request->image, role->name);
	return -1;
}

/* A new role may have the name of an earlier one whose file the snapshot still lists. Readers would verify
 * that file with the new role's keys; if these have not signed it, they sign an empty file in its place. */
static int revive(struct mf_plan *p, struct mf_trust *t, const struct mf_tuf_role *role, struct mf_err *err)
{
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP = NULL;
	struct mf_err why = MF_ERR_INIT;
	if (mf_publish_listed_file(t, role->name, &file, err) < 0)
		return -1;
	bool shards = false;
	for (size_t i = 0; i < file->nroles; i++)
		shards |= mf_tuf_shard_digits(mf_trust_dialect(t), role->name, &file->roles[i]).n > 0;
	/* A file that lists shards is always replaced: its shards are not loaded, and may be of different
	 * times. */
	if (!shards && mf_tuf_check_signed(mf_trust_dialect(t), file, role, &why) == 0)
		return 0;
	if (why.code && why.code != MF_E_SIGNATURE)
		return mf_fail(err, why.code, 0, "%s", why.msg);
	return mf_publish_can_sign(t, role) ? add_resign(p, role->name, file->version + 1, err)
					    : refuse_revived(t, role, err);
}

int mf_plan_check_files(const struct mf_trust *t, const struct mf_tuf_loaded *own,
			const struct mf_tuf_role *listed, struct mf_err *err)
{
	for (size_t i = 0; i < t->set.nroles; i++) {
		struct mf_tuf_role role = *listed;
		if (mf_tuf_loaded_owner(t->set.roles[i]) != own)
			continue;
		role.name = mf_tuf_loaded_name(t->set.roles[i]);
		if (mf_tuf_check_signed(t->set.d, t->set.roles[i]->file, &role, err) < 0)
			return -1;
	}
	return 0;
}

/* Whether the role's file lists its shards with a key that the role loses in the change, or with a lower
 * threshold than the role has then. Programs that do not know shards read that list. */
static bool lists_more(const struct mf_trust *t, const struct mf_tuf_loaded *own,
		       const struct mf_tuf_role *after)
{
	for (size_t i = 0; i < own->file->nroles; i++) {
		const struct mf_tuf_role *shard = &own->file->roles[i];
		if (!mf_tuf_is_shard(t->set.d, own, shard))
			continue;
		if (shard->threshold < after->threshold)
			return true;
		for (size_t k = 0; k < shard->nkeys; k++)
			if (shard->keys[k]->pub && !mf_tuf_role_has_key(after, shard->keys[k]->pub))
				return true;
	}
	return false;
}

bool mf_plan_relists(const struct mf_plan *p, const struct mf_trust *t, const struct mf_tuf_loaded *own,
		     const struct mf_tuf_role *after)
{
	if (!lists_more(t, own, after))
		return false;
	if (!p->request->proposal && mf_publish_can_sign(t, after))
		return true;
	if (!p->request->dry_run)
		mf_env_log(
		    t->cfg->env, MF_LOG_WARNING,
		    "other programs accept records of role '%s' by its earlier keys and threshold until "
		    "it is signed again: 'manifesto %s %s%s%s'",
		    own->role, own->delegation ? "role sign" : "trust refresh --force", p->request->image,
		    own->delegation ? " " : "", own->delegation ? own->role : "");
	return false;
}

static int check_goal(struct mf_plan *p, struct mf_trust *t, const struct mf_tuf_delegation *g,
		      struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	if (g->absent)
		return 0;
	const struct mf_tuf_role *role = mf_plan_delegation(p, t, g->name);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, g->name);
	if (!role || !mf_trust_dialect(t)->delegation_name(MF_STR("targets"), mf_str_c(g->name)))
		return mf_fail(err, MF_E_USAGE, 0, "role name '%s' cannot be used", g->name);
	if (!l && (mf_trust_find_broken(t, g->name) || !mf_tuf_meta_find(t->set.snapshot, g->name)))
		return 0;
	if (!l)
		return revive(p, t, role, err);
	if (mf_plan_check_files(t, l, role, &why) == 0)
		return mf_plan_relists(p, t, l, role) ? add_resign(p, g->name, 0, err) : 0;
	if (why.code != MF_E_SIGNATURE)
		return mf_fail(err, why.code, 0, "%s", why.msg);
	return mf_publish_can_sign(t, role) ? add_resign(p, g->name, 0, err)
					    : refuse_unsigned(p, t, role, err);
}

/* Builds the new delegations, and parses them as readers will. */
static int plan_delegations(struct mf_plan *p, struct mf_trust *t, struct mf_err *err)
{
	const struct mf_tuf_file *now = t->set.roles[0]->file;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES),
				draft MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (!p->ngoals)
		return 0;
	mf_buf_init(&p->delegations, MF_MAX_TARGETS_BYTES);
	if (mf_tuf_build_delegations(mf_trust_dialect(t), now->delegations_raw, p->goals, p->ngoals,
				     &p->delegations, err) < 0)
		return -1;
	p->delegations_text = mf_buf_str(&p->delegations);
	struct mf_tuf_targets_spec spec = {
	    .delegations = &p->delegations_text, .version = 1, .expires = t->set.now};
	if (mf_tuf_build_targets(mf_trust_dialect(t), &spec, &canonical, err) < 0 ||
	    mf_tuf_build_file(mf_trust_dialect(t), mf_buf_str(&canonical), NULL, 0, &draft, err) < 0)
		return -1;
	p->after = mf_tuf_parse_unverified(mf_trust_dialect(t), MF_TUF_TARGETS, &draft, err);
	if (!p->after)
		return mf_wrap(err, "the changed delegations");
	for (size_t i = 0; i < p->ngoals; i++)
		if (check_goal(p, t, &p->goals[i], err) < 0)
			return -1;
	p->change.role = "targets";
	p->change.delegations = &p->delegations_text;
	return 0;
}

/* ---- the whole */

/* Checks that the role lists the keys that are to be removed. A key that may only publish is accepted too: it
 * is left over from an interrupted removal. */
static int check_droppable(const struct mf_plan *p, const struct mf_trust *t, const struct mf_role_request *r,
			   const struct mf_tuf_role *cur, struct mf_err *err)
{
	for (size_t i = 0; i < r->nkeys; i++) {
		char hex[65];
		if (mf_tuf_role_has_key(cur, r->keys[i]) || mf_plan_is_leftover(p, t, r->keys[i]))
			continue;
		mf_pubkey_hex(hex, r->keys[i]);
		return mf_fail(err, MF_E_NOT_FOUND, 0, "role '%s' does not list key %s", r->role, hex);
	}
	return 0;
}

static int one_request(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		       struct mf_err *err)
{
	const struct mf_tuf_role *cur = mf_publish_find_role(&t->set, r->role);
	struct mf_tuf_delegation *g = &p->goals[p->ngoals];
	if (r->verb == MF_ROLE_ROTATE && mf_plan_is_toplevel(r->role))
		return mf_plan_top_role(p, t, r, err);
	*g = (struct mf_tuf_delegation){.absent = false};
	if (r->verb == MF_ROLE_DROP && check_droppable(p, t, r, cur, err) < 0)
		return -1;
	if (!cur && r->verb == MF_ROLE_DROP && r->nkeys)
		return 0;
	if (!cur && r->verb != MF_ROLE_ADD && r->verb != MF_ROLE_SET)
		return no_role(r->role, err);
	g->name = mf_plan_full_name(p, t, cur, r->role, err);
	if (!g->name || check_double(p, g->name, err) < 0)
		return -1;
	if (r->verb == MF_ROLE_SIGN)
		return sign_role(p, t, r, cur, err);
	if (r->verb == MF_ROLE_DROP && !r->nkeys)
		return mf_plan_drop_role(p, t, r, cur, g, err);
	return mf_plan_set_role(p, t, r, cur, g, err);
}

static int make(struct mf_plan *p, struct mf_trust *t, struct mf_err *err)
{
	const struct mf_role_change *r = p->request;
	p->goals = mf_arena_alloc(&p->arena, r->n, sizeof *p->goals, err);
	size_t most = 2 * r->n + 1 + t->set.nroles;
	p->resign = p->goals ? mf_arena_alloc(&p->arena, most, sizeof *p->resign, err) : NULL;
	if (!p->resign)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if (one_request(p, t, &r->requests[i], err) < 0)
			return -1;
	if (plan_delegations(p, t, err) < 0 || mf_plan_root(p, t, err) < 0)
		return -1;
	p->change.resign = p->resign;
	return r->check_keys && !r->proposal ? mf_plan_check_keys(p, t, err) : 0;
}

/* Whether the role's file is replaced by an empty one. */
static bool is_emptied(const struct mf_plan *p, const char *role)
{
	for (size_t i = 0; i < p->change.nresign; i++)
		if (strcmp(p->resign[i].role, role) == 0)
			return p->resign[i].empty;
	return false;
}

/* Changes l, a copy of a loaded role, to its state after the change. Returns false when it would not be
 * loaded then. `kept` has the copies of the roles before it, NULL for those that are not loaded either. */
static bool role_after(const struct mf_plan *p, const struct mf_trust *t, struct mf_tuf_loaded *l,
		       struct mf_tuf_loaded *const *kept)
{
	size_t up = 0;
	while (t->set.roles[up] != l->parent)
		up++;
	if (up == 0 && !l->shard)
		l->delegation = mf_plan_delegation(p, t, l->role);
	l->parent = kept[up];
	return l->parent && l->delegation && !is_emptied(p, l->role);
}

static int preview(struct mf_plan *p, struct mf_trust *t, struct mf_err *err)
{
	const struct mf_role_change *r = p->request;
	size_t n = t->set.nroles;
	struct mf_tuf_loaded *copies = mf_arena_alloc(&p->arena, n, sizeof *copies, err);
	struct mf_tuf_loaded **kept =
	    copies ? mf_arena_alloc(&p->arena, 2 * n, sizeof(struct mf_tuf_loaded *), err) : NULL;
	struct mf_tuf_file targets = *t->set.roles[0]->file;
	struct mf_tuf_set after = t->set;
	if (!kept)
		return -1;
	after.root = p->root_after ? p->root_after : after.root;
	targets.roles = mf_plan_delegator(p, t)->roles;
	targets.nroles = mf_plan_delegator(p, t)->nroles;
	after.roles = kept + n;
	after.nroles = 0;
	for (size_t i = 0; i < n; i++) {
		copies[i] = *t->set.roles[i];
		if (i == 0)
			copies[i].file = &targets;
		if (i > 0 && !role_after(p, t, &copies[i], kept))
			continue;
		kept[i] = &copies[i];
		after.roles[after.nroles++] = kept[i];
	}
	return r->preview(r->preview_arg, &after, err);
}

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct mf_plan *p = arg;
	plan_clear(p);
	p->request->nchanges = 0;
	p->request->root_version = 0;
	bool previews = p->request->preview && (p->request->dry_run || p->request->proposal);
	if (make(p, t, err) < 0 || (previews && preview(p, t, err) < 0))
		return MF_FAILED;
	*out = p->change;
	return p->ngoals || p->nedits || p->change.nresign ? MF_FOUND : MF_ABSENT;
}

/* Returns the role that a request names, as it is loaded; NULL when there is none. */
static const struct mf_tuf_role *loaded_role(const struct mf_trust *t, const struct mf_role_request *r)
{
	return r->verb == MF_ROLE_ROTATE && mf_plan_is_toplevel(r->role)
		   ? mf_publish_top_role(t->set.root, r->role)
		   : mf_publish_find_role(&t->set, r->role);
}

static bool lists_all(const struct mf_tuf_role *role, struct mf_pubkey *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!mf_tuf_role_has_key(role, keys[i]))
			return false;
	return true;
}

/* Whether the role lists none of the removed keys. A key that the request also adds (with a new certificate)
 * does not count. */
static bool lists_no_old(const struct mf_tuf_role *role, const struct mf_role_request *r)
{
	for (size_t i = 0; i < r->nold; i++) {
		bool again = false;
		for (size_t k = 0; k < r->nkeys; k++)
			again |= mf_pubkey_eq(r->old[i], r->keys[k]);
		if (!again && mf_tuf_role_has_key(role, r->old[i]))
			return false;
	}
	return true;
}

/* Whether the loaded repository has what was requested: keys that were added are listed, and can publish;
 * keys that were removed are not listed. */
static bool is_done(const struct mf_trust *t, const struct mf_role_request *r)
{
	const struct mf_tuf_role *role = loaded_role(t, r), *top = t->set.root->roles;
	if (r->verb == MF_ROLE_ROTATE)
		return role && lists_all(role, r->keys, r->nkeys) && lists_no_old(role, r);
	bool adds = r->verb != MF_ROLE_DROP;
	if (!role || (!adds && !r->nkeys))
		return !role && !adds;
	for (size_t i = 0; i < r->nkeys; i++) {
		bool publishes =
		    mf_publish_has_server(t) || (mf_tuf_role_has_key(&top[MF_TUF_SNAPSHOT], r->keys[i]) &&
						 mf_tuf_role_has_key(&top[MF_TUF_TIMESTAMP], r->keys[i]));
		if (mf_tuf_role_has_key(role, r->keys[i]) != adds || (adds && !publishes))
			return false;
	}
	return true;
}

/* Checks the loaded repository after the publish. A role whose file still does not verify gets a warning,
 * because a change of keys does not repair a damaged file. */
static int check_done(struct mf_trust *t, const struct mf_role_change *c, struct mf_err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct mf_tuf_role *role = loaded_role(t, &c->requests[i]);
		const struct mf_trust_broken *b = role ? mf_trust_find_broken(t, role->name) : NULL;
		if (!is_done(t, &c->requests[i]))
			return mf_fail(err, MF_E_CONFLICT, 0,
				       "published, but somebody has changed role '%s' again since",
				       c->requests[i].role);
		if (b)
			mf_env_log(t->cfg->env, MF_LOG_WARNING, "role '%s' does not verify: %s", role->name,
				   b->why);
	}
	return 0;
}

enum mf_found mf_publish_roles(struct mf_trust *t, struct mf_role_change *c, struct mf_err *err)
{
	struct mf_plan p = {.request = c, .arena = MF_ARENA_INIT};
	const struct mf_publish_intent in = {.kind = c->expired_root ? MF_PUBLISH_RESIGN : MF_PUBLISH_CHANGE,
					     .tolerate_broken = true,
					     .dry_run = c->dry_run,
					     .end = c->proposal ? MF_PUBLISH_PROPOSE : MF_PUBLISH_SEND,
					     .proposal = c->proposal,
					     .fill = fill,
					     .arg = &p};
	enum mf_found found = mf_publish_run(t, &in, &c->version, err);
	if (found == MF_FOUND && !c->dry_run && !c->proposal && check_done(t, c, err) < 0)
		found = MF_FAILED;
	plan_clear(&p);
	return found;
}
