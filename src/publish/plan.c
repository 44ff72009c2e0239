/* Changes of roles: from requests to what one publish changes. What each role shall be, which files must be
 * signed again because of it, who may publish. */
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "publish/plan.h"
#include "trust/load.h"

static void plan_clear(struct mf_plan *p)
{
	mf_arena_clear(&p->arena);
	free(p->writers);
	mf_buf_clear(&p->delegations);
	mf_buf_clear(&p->root);
	mf_tuf_file_free(p->after);
	*p = (struct mf_plan){.request = p->request, .arena = MF_ARENA_INIT};
}

static bool has_server(const struct mf_trust *t)
{
	return t->repo->ops->server_key != NULL;
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

/* The version of the file that the snapshot lists for a role, whoever signed it. */
static int listed_version(struct mf_trust *t, const char *role, struct mf_tuf_file **file, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (mf_trust_fetch_role(t, role, &bytes, err) < 0)
		return -1;
	*file = mf_tuf_parse_unverified(mf_trust_dialect(t), MF_TUF_TARGETS, &bytes, err);
	return *file ? 0 : -1;
}

static int add_resign(struct mf_plan *p, const char *role, int64_t version, struct mf_err *err)
{
	p->resign[p->change.nresign++] =
	    (struct mf_publish_resign){.role = role, .version = version, .empty = version > 0};
	return mf_plan_report(p, "signed anew", role, version ? "empty" : "", err);
}

static int sign_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		     const struct mf_tuf_role *cur, struct mf_err *err)
{
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP = NULL;
	if (mf_tuf_set_find(&t->set, cur->name))
		return add_resign(p, cur->name, 0, err);
	if (!mf_trust_find_broken(t, cur->name))
		return mf_fail(err, MF_E_NOT_FOUND, 0, "nothing was published in role '%s' yet", cur->name);
	if (!r->force) {
		(void)mf_fail(err, MF_E_SIGNATURE, 0, "the file of role '%s' does not verify", cur->name);
		mf_err_set_hint(err, "--force replaces it with an empty one");
		return -1;
	}
	if (listed_version(t, cur->name, &file, err) < 0)
		return -1;
	return add_resign(p, cur->name, file->version + 1, err);
}

static int check_double(const struct mf_plan *p, const char *name, struct mf_err *err)
{
	for (size_t i = 0; i < p->ngoals; i++)
		if (strcmp(p->goals[i].name, name) == 0)
			return mf_fail(err, MF_E_USAGE, 0, "role '%s' is named twice", name);
	return 0;
}

/* ---- who may publish (TUF 1.0): the keys of snapshot and timestamp are those of all writers */

static const enum mf_tuf_type online[] = {MF_TUF_SNAPSHOT, MF_TUF_TIMESTAMP};

static bool is_writer(const struct mf_trust *t, const struct mf_pubkey *pub)
{
	const struct mf_tuf_role *top = t->set.root->roles;
	return mf_tuf_role_has_key(&top[MF_TUF_SNAPSHOT], pub) ||
	       mf_tuf_role_has_key(&top[MF_TUF_TIMESTAMP], pub);
}

static const struct mf_tuf_file *delegator(const struct mf_plan *p, const struct mf_trust *t)
{
	return p->after ? p->after : t->set.roles[0]->file;
}

/* Does the key sign for any role after the change? */
static bool signs_on(const struct mf_plan *p, const struct mf_trust *t, const struct mf_pubkey *pub)
{
	const struct mf_tuf_role *top = t->set.root->roles;
	if (mf_tuf_role_has_key(&top[MF_TUF_ROOT], pub) || mf_tuf_role_has_key(&top[MF_TUF_TARGETS], pub))
		return true;
	for (size_t i = 0; i < t->set.nroles; i++) {
		const struct mf_tuf_file *f = i ? t->set.roles[i]->file : delegator(p, t);
		for (size_t k = 0; k < f->nroles; k++)
			if (mf_tuf_role_has_key(&f->roles[k], pub))
				return true;
	}
	return false;
}

static struct mf_tuf_root_edit *writer_edit(struct mf_plan *p, struct mf_str id, struct mf_err *err)
{
	for (size_t i = 0; i < p->nwriters; i++)
		if (mf_str_eqz(id, p->writers[i].id))
			return &p->writers[i];
	if (mf_grow((void **)&p->writers, &p->writers_cap, p->nwriters, sizeof *p->writers, err) < 0)
		return NULL;
	struct mf_tuf_root_edit *e = &p->writers[p->nwriters];
	*e = (struct mf_tuf_root_edit){.id = mf_arena_dup(&p->arena, id, err)};
	if (!e->id)
		return NULL;
	p->nwriters++;
	return e;
}

static int writer_comes(struct mf_plan *p, const struct mf_trust *t, const char *role,
			const struct mf_tuf_key *k, struct mf_err *err)
{
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20);
	unsigned add = 0;
	for (size_t i = 0; i < 2; i++)
		if (!mf_tuf_role_has_key(&t->set.root->roles[online[i]], k->pub))
			add |= 1u << online[i];
	if (!add)
		return 0;
	struct mf_tuf_root_edit *e = writer_edit(p, k->id, err);
	if (!e || mf_json_canonicalize(k->raw, &object, err) < 0)
		return -1;
	char *copy = mf_arena_dup(&p->arena, mf_buf_str(&object), err);
	if (!copy)
		return -1;
	e->object = (struct mf_str){copy, object.n};
	if (e->add == add)
		return 0;
	e->add = add;
	return mf_plan_report_key(p, "writer added", role, k->pub, err);
}

static int writer_goes(struct mf_plan *p, const struct mf_trust *t, const char *role,
		       const struct mf_pubkey *pub, struct mf_err *err)
{
	bool news = false;
	if (!pub || !is_writer(t, pub) || signs_on(p, t, pub))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		const struct mf_tuf_role *r = &t->set.root->roles[online[i]];
		for (size_t k = 0; k < r->nkeys; k++) {
			if (!mf_plan_same_key(r->keys[k], pub))
				continue;
			struct mf_tuf_root_edit *e = writer_edit(p, r->keys[k]->id, err);
			if (!e)
				return -1;
			news |= !(e->drop >> online[i] & 1);
			e->drop |= 1u << online[i];
			p->change.root_last = true;
		}
	}
	return news ? mf_plan_report_key(p, "writer removed", role, pub, err) : 0;
}

static const struct mf_tuf_role *delegation_after(const struct mf_plan *p, const struct mf_trust *t,
						  const char *name)
{
	const struct mf_tuf_file *f = delegator(p, t);
	for (size_t i = 0; i < f->nroles; i++)
		if (strcmp(f->roles[i].name, name) == 0)
			return &f->roles[i];
	return NULL;
}

static int plan_writers(struct mf_plan *p, const struct mf_trust *t, const struct mf_role_request *r,
			struct mf_err *err)
{
	const struct mf_tuf_role *cur = mf_publish_find_role(&t->set, r->role);
	const char *name = mf_plan_full_name(p, t, cur, r->role, err);
	if (!name)
		return -1;
	const struct mf_tuf_role *after = delegation_after(p, t, name);
	bool adds = r->verb == MF_ROLE_ADD || r->verb == MF_ROLE_SET;
	for (size_t i = 0; i < r->nkeys; i++) {
		struct mf_digest fp = mf_pubkey_fingerprint(r->keys[i]);
		const struct mf_tuf_key *k = mf_tuf_role_key(after, &fp);
		if (adds && k && writer_comes(p, t, name, k, err) < 0)
			return -1;
		if (r->verb == MF_ROLE_DROP && writer_goes(p, t, name, r->keys[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; cur && r->verb != MF_ROLE_SIGN && i < cur->nkeys; i++)
		if (writer_goes(p, t, name, cur->keys[i]->pub, err) < 0)
			return -1;
	return 0;
}

static int plan_root(struct mf_plan *p, struct mf_trust *t, struct mf_err *err)
{
	const struct mf_role_change *r = p->request;
	for (size_t i = 0; i < r->n && !has_server(t); i++)
		if (plan_writers(p, t, &r->requests[i], err) < 0)
			return -1;
	if (!p->nwriters)
		return 0;
	mf_buf_init(&p->root, MF_MAX_ROOT_BYTES);
	if (mf_tuf_build_next_root(t->set.root, p->writers, p->nwriters, mf_publish_expiry(t, MF_TUF_ROOT),
				   &p->root, err) < 0)
		return -1;
	p->root_text = mf_buf_str(&p->root);
	p->change.root = &p->root_text;
	/* Those who may sign them may have changed. */
	p->change.meta = 1u << MF_TUF_SNAPSHOT | 1u << MF_TUF_TIMESTAMP;
	p->request->root_version = t->set.root->version + 1;
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
		mf_err_set_hint(err, "%lld of these keys must be on one machine for that",
				(long long)role->threshold);
	else
		mf_err_set_hint(err,
				"a colleague who holds one of them must first run 'manifesto role sign %s "
				"%s'; then run this command again",
				p->request->image, role->name);
	return -1;
}

/* A role under the name of an earlier one finds that one's file in the snapshot: readers would check it by
 * the new keys. */
static int revive(struct mf_plan *p, struct mf_trust *t, const struct mf_tuf_role *role, struct mf_err *err)
{
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP = NULL;
	struct mf_err why = MF_ERR_INIT;
	if (listed_version(t, role->name, &file, err) < 0)
		return -1;
	if (mf_tuf_check_signed(mf_trust_dialect(t), file, role, &why) == 0)
		return 0;
	if (why.code != MF_E_SIGNATURE)
		return mf_fail(err, why.code, 0, "%s", why.msg);
	return mf_publish_can_sign(t, role) ? add_resign(p, role->name, file->version + 1, err)
					    : refuse_revived(t, role, err);
}

static int check_goal(struct mf_plan *p, struct mf_trust *t, const struct mf_tuf_delegation *g,
		      struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	if (g->absent)
		return 0;
	const struct mf_tuf_role *role = delegation_after(p, t, g->name);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, g->name);
	if (!role || !mf_trust_dialect(t)->delegation_name(MF_STR("targets"), mf_str_c(g->name)))
		return mf_fail(err, MF_E_USAGE, 0, "role name '%s' cannot be used", g->name);
	if (!l && (mf_trust_find_broken(t, g->name) || !mf_tuf_meta_find(t->set.snapshot, g->name)))
		return 0;
	if (!l)
		return revive(p, t, role, err);
	if (mf_tuf_check_signed(mf_trust_dialect(t), l->file, role, &why) == 0)
		return 0;
	if (why.code != MF_E_SIGNATURE)
		return mf_fail(err, why.code, 0, "%s", why.msg);
	return mf_publish_can_sign(t, role) ? add_resign(p, g->name, 0, err)
					    : refuse_unsigned(p, t, role, err);
}

/* The delegations as they will be, read as readers will. */
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

/* Keys that shall go must be there; one that only publishes is left of a removal that was interrupted. */
static int check_droppable(const struct mf_plan *p, const struct mf_trust *t, const struct mf_role_request *r,
			   const struct mf_tuf_role *cur, struct mf_err *err)
{
	for (size_t i = 0; i < r->nkeys; i++) {
		char hex[65];
		bool leftover = !has_server(t) && is_writer(t, r->keys[i]) && !signs_on(p, t, r->keys[i]);
		if (mf_tuf_role_has_key(cur, r->keys[i]) || leftover)
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
	*g = (struct mf_tuf_delegation){.absent = false};
	if (r->verb == MF_ROLE_DROP && check_droppable(p, t, r, cur, err) < 0)
		return -1;
	if (!cur && r->verb == MF_ROLE_DROP && r->nkeys)
		return 0;
	if (!cur && (r->verb == MF_ROLE_DROP || r->verb == MF_ROLE_SIGN))
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
	p->resign = p->goals ? mf_arena_alloc(&p->arena, 2 * r->n, sizeof *p->resign, err) : NULL;
	if (!p->resign)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if (one_request(p, t, &r->requests[i], err) < 0)
			return -1;
	if (plan_delegations(p, t, err) < 0 || plan_root(p, t, err) < 0)
		return -1;
	p->change.resign = p->resign;
	return 0;
}

/* Is the role's file replaced by an empty one? */
static bool is_emptied(const struct mf_plan *p, const char *role)
{
	for (size_t i = 0; i < p->change.nresign; i++)
		if (strcmp(p->resign[i].role, role) == 0)
			return p->resign[i].empty;
	return false;
}

/* The loaded role as it would be; false: it would not be there. kept: of the roles before it, NULL: not. */
static bool role_after(const struct mf_plan *p, const struct mf_trust *t, struct mf_tuf_loaded *l,
		       struct mf_tuf_loaded *const *kept)
{
	size_t up = 0;
	while (t->set.roles[up] != l->parent)
		up++;
	if (up == 0)
		l->delegation = delegation_after(p, t, l->role);
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
	targets.roles = delegator(p, t)->roles;
	targets.nroles = delegator(p, t)->nroles;
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
	if (make(p, t, err) < 0 || (p->request->dry_run && p->request->preview && preview(p, t, err) < 0))
		return MF_FAILED;
	*out = p->change;
	return p->ngoals || p->nwriters || p->change.nresign ? MF_FOUND : MF_ABSENT;
}

/* Is what was requested so in what is loaded? Whoever was added can sign for the role, and publish; whoever
 * was taken out cannot sign. */
static bool is_done(const struct mf_trust *t, const struct mf_role_request *r)
{
	const struct mf_tuf_role *role = mf_publish_find_role(&t->set, r->role), *top = t->set.root->roles;
	bool adds = r->verb != MF_ROLE_DROP;
	if (!role || (!adds && !r->nkeys))
		return !role && !adds;
	for (size_t i = 0; i < r->nkeys; i++) {
		bool publishes = has_server(t) || (mf_tuf_role_has_key(&top[MF_TUF_SNAPSHOT], r->keys[i]) &&
						   mf_tuf_role_has_key(&top[MF_TUF_TIMESTAMP], r->keys[i]));
		if (mf_tuf_role_has_key(role, r->keys[i]) != adds || (adds && !publishes))
			return false;
	}
	return true;
}

/* A change of keys does not make a damaged file whole. */
static int check_done(struct mf_trust *t, const struct mf_role_change *c, struct mf_err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct mf_tuf_role *role = mf_publish_find_role(&t->set, c->requests[i].role);
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
	const struct mf_publish_intent in = {
	    .tolerate_broken = true, .dry_run = c->dry_run, .fill = fill, .arg = &p};
	enum mf_found found = mf_publish_run(t, &in, &c->version, err);
	if (found == MF_FOUND && !c->dry_run && check_done(t, c, err) < 0)
		found = MF_FAILED;
	plan_clear(&p);
	return found;
}
