/* The goal of a request: the state of a delegation after the change, and how it differs from the present
 * state. */
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "publish/plan.h"
#include "record/record.h"
#include "trust/load.h"

/* ---- the report */

int mf_plan_report(struct mf_plan *p, const char *what, const char *role, const char *detail,
		   struct mf_err *err)
{
	struct mf_role_change *r = p->request;
	size_t n = r->nchanges;
	/* The array has room for a power of two of rows. */
	if ((n & (n - 1)) == 0) {
		struct manifesto_role_change *v = mf_arena_alloc(r->arena, n ? 2 * n : 1, sizeof *v, err);
		if (!v)
			return -1;
		if (n)
			memcpy(v, r->changes, n * sizeof *v);
		r->changes = v;
	}
	struct manifesto_role_change *c = &r->changes[n];
	c->what = what;
	c->role = mf_arena_dup(r->arena, mf_str_c(role), err);
	c->detail = c->role ? mf_arena_dup(r->arena, mf_str_c(detail), err) : NULL;
	if (!c->detail)
		return -1;
	r->nchanges++;
	return 0;
}

int mf_plan_report_key(struct mf_plan *p, const char *what, const char *role, const struct mf_pubkey *pub,
		       struct mf_err *err)
{
	char hex[65] = "of an unknown type";
	if (pub) {
		mf_pubkey_hex(hex, pub);
	}
	return mf_plan_report(p, what, role, hex, err);
}

/* ---- names */

/* Checks the name of a new role. A name must not begin with '_', and must not be `releases`, because these
 * have meanings of their own; it must not be the name of a top-level role. */
static int check_new_name(const char *name, struct mf_err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	struct mf_esc e;
	size_t n = strlen(name);
	bool fits = n >= 1 && n <= 64 && strspn(name, allowed) == n && name[0] != '-' && name[0] != '_';
	if (!fits)
		return mf_fail(err, MF_E_USAGE, 0,
			       "invalid role name '%s': expected at most 64 lower-case letters, digits, '-' "
			       "and '_', with a letter or digit first",
			       mf_esc(&e, mf_str_c(name)));
	if (mf_plan_is_toplevel(name) || strcmp(name, "releases") == 0)
		return mf_fail(err, MF_E_USAGE, 0, "role name '%s' is reserved", name);
	return 0;
}

/* The name of `cur`, or for a new role the one that its delegation gets. */
char *mf_plan_full_name(struct mf_plan *p, const struct mf_trust *t, const struct mf_tuf_role *cur,
			const char *name, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROLE_NAME);
	if (cur)
		return mf_arena_dup(&p->arena, mf_str_c(cur->name), err);
	name = mf_tuf_role_short(name);
	if (check_new_name(name, err) < 0 ||
	    mf_tuf_put_role_name(mf_trust_dialect(t), mf_str_c(name), &b, err) < 0)
		return NULL;
	return mf_arena_dup(&p->arena, mf_buf_str(&b), err);
}

/* ---- keys */

static bool is_one_of(struct mf_pubkey *const *keys, size_t n, const struct mf_tuf_key *k)
{
	for (size_t i = 0; i < n; i++)
		if (mf_plan_same_key(k, keys[i]))
			return true;
	return false;
}

/* Whether the role keeps a key that it has now. */
static bool stays(const struct mf_role_request *r, const struct mf_tuf_key *k)
{
	switch (r->verb) {
	case MF_ROLE_SET:
		return is_one_of(r->keys, r->nkeys, k);
	case MF_ROLE_DROP:
		return !is_one_of(r->keys, r->nkeys, k);
	case MF_ROLE_ROTATE:
		return !is_one_of(r->old, r->nold, k);
	case MF_ROLE_ADD:
	case MF_ROLE_SIGN:
		break;
	}
	return true;
}

static int put_id(struct mf_plan *p, struct mf_tuf_root_key *out, struct mf_str id, struct mf_str object,
		  struct mf_err *err)
{
	out->id = mf_arena_dup(&p->arena, id, err);
	char *copy = out->id && object.n ? mf_arena_dup(&p->arena, object, err) : NULL;
	out->object = (struct mf_str){copy, copy ? object.n : 0};
	return out->id && (copy || !object.n) ? 0 : -1;
}

/* Makes the object of a new key. If delegations list the key already in another form (a certificate, for
 * example), that form is used, because the holder of the key looks for its ID. */
static int key_object(struct mf_plan *p, const struct mf_trust *t, const struct mf_pubkey *pub,
		      struct mf_tuf_root_key *out, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20);
	char id[65];
	for (size_t i = 0; i < t->set.nroles; i++)
		for (size_t k = 0; k < t->set.roles[i]->file->nkeys; k++) {
			const struct mf_tuf_key *key = &t->set.roles[i]->file->keys[k];
			if (!mf_plan_same_key(key, pub))
				continue;
			if (mf_json_canonicalize(key->raw, &b, err) < 0)
				return -1;
			return put_id(p, out, key->id, mf_buf_str(&b), err);
		}
	if (mf_trust_dialect(t)->key_write(pub, NULL, &b, id, err) < 0)
		return -1;
	return put_id(p, out, mf_str_c(id), mf_buf_str(&b), err);
}

static bool goal_has(const struct mf_tuf_delegation *g, const struct mf_tuf_root_key *v, struct mf_str id)
{
	for (size_t i = 0; i < g->nkeys; i++)
		if (mf_str_eqz(id, v[i].id))
			return true;
	return false;
}

/* Sets the keys of the goal: first those that are kept, then those that are added. */
static int goal_keys(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		     const struct mf_tuf_role *cur, struct mf_tuf_delegation *g, struct mf_err *err)
{
	struct mf_tuf_root_key *v =
	    mf_arena_alloc(&p->arena, r->nkeys + (cur ? cur->nkeys : 0), sizeof *v, err);
	if (!v)
		return -1;
	g->keys = v;
	for (size_t i = 0; cur && i < cur->nkeys; i++) {
		const struct mf_tuf_key *k = cur->keys[i];
		bool keep = stays(r, k);
		if (!keep && mf_plan_report_key(p, "key removed", g->name, k->pub, err) < 0)
			return -1;
		if (keep && put_id(p, &v[g->nkeys++], k->id, (struct mf_str){NULL, 0}, err) < 0)
			return -1;
	}
	for (size_t i = 0; r->verb != MF_ROLE_DROP && i < r->nkeys; i++) {
		struct mf_tuf_root_key k;
		if (mf_tuf_role_has_key(cur, r->keys[i]))
			continue;
		if (key_object(p, t, r->keys[i], &k, err) < 0)
			return -1;
		if (goal_has(g, v, mf_str_c(k.id))) /* the request has the key twice */
			continue;
		v[g->nkeys++] = k;
		if (mf_plan_report_key(p, "key added", g->name, r->keys[i], err) < 0)
			return -1;
	}
	if (g->nkeys > MF_MAX_SIGNATURES)
		return mf_fail(err, MF_E_USAGE, 0, "more than %d keys in one role", MF_MAX_SIGNATURES);
	return 0;
}

/* ---- types */

static bool has_path(const char *const *v, size_t n, struct mf_str path)
{
	for (size_t i = 0; i < n; i++)
		if (mf_str_eqz(path, v[i]))
			return true;
	return false;
}

static int report_path(struct mf_plan *p, const struct mf_trust *t, const char *event, const char *role,
		       const char *path, struct mf_err *err)
{
	struct mf_str type = mf_tuf_path_type(mf_trust_dialect(t), mf_str_c(path));
	char *text = mf_arena_dup(&p->arena, type.n ? type : mf_str_c(path), err);
	if (!text)
		return -1;
	return mf_plan_report(p, type.n ? event : "path removed", role, text, err);
}

static char *type_path(struct mf_plan *p, const struct mf_trust *t, const char *type, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TYPE + 8);
	if (mf_record_type_check(mf_str_c(type), err) < 0 ||
	    mf_tuf_put_type_path(mf_trust_dialect(t), mf_str_c(type), &b, err) < 0)
		return NULL;
	return mf_arena_dup(&p->arena, mf_buf_str(&b), err);
}

/* Sets the paths of the goal, or NULL if they do not change. */
static int goal_paths(struct mf_plan *p, const struct mf_trust *t, const struct mf_role_request *r,
		      const struct mf_tuf_role *cur, struct mf_tuf_delegation *g, struct mf_err *err)
{
	size_t old = cur ? cur->npaths : 0;
	const char **v = mf_arena_alloc(&p->arena, old + r->ntypes, sizeof(char *), err);
	const char **wanted = v ? mf_arena_alloc(&p->arena, r->ntypes, sizeof(char *), err) : NULL;
	bool changed = false;
	if (!wanted)
		return -1;
	for (size_t i = 0; i < r->ntypes; i++)
		if (!(wanted[i] = type_path(p, t, r->types[i], err)))
			return -1;
	for (size_t i = 0; i < old; i++) {
		bool stays = r->verb != MF_ROLE_SET || has_path(wanted, r->ntypes, cur->paths[i]);
		const char *path = mf_arena_dup(&p->arena, cur->paths[i], err);
		if (!path || (!stays && report_path(p, t, "type removed", g->name, path, err) < 0))
			return -1;
		changed |= !stays;
		if (stays)
			v[g->npaths++] = path;
	}
	for (size_t i = 0; i < r->ntypes; i++) {
		if (has_path(v, g->npaths, mf_str_c(wanted[i])))
			continue;
		if (report_path(p, t, "type added", g->name, wanted[i], err) < 0)
			return -1;
		v[g->npaths++] = wanted[i];
		changed = true;
	}
	g->paths = changed ? v : NULL;
	return 0;
}

/* ---- one request */

/* The number of lost names that are logged. */
#define MAX_NAMED 1000

/* Counts the names in the files of the role, and of roles below it, that `g` would not cover any more, and
 * logs them. */
static size_t lost_names(const struct mf_trust *t, const struct mf_tuf_role *cur,
			 const struct mf_tuf_delegation *g)
{
	const size_t npaths = g->absent ? 0 : g->npaths;
	size_t lost = 0;
	for (size_t i = 0; i < t->set.nroles; i++) {
		const struct mf_tuf_loaded *l = t->set.roles[i], *up = l;
		while (up->delegation && up->delegation != cur)
			up = up->parent;
		for (size_t k = 0; up->delegation && k < mf_tuf_ntargets(l->file); k++) {
			struct mf_str name = mf_tuf_target_name(l->file, k).raw;
			bool covered = !mf_tuf_loaded_covers(mf_trust_dialect(t), l, name);
			for (size_t j = 0; j < npaths; j++)
				covered |= mf_trust_dialect(t)->path_covers(mf_str_c(g->paths[j]), name);
			struct mf_esc e;
			if (!covered && ++lost <= MAX_NAMED)
				mf_env_log(t->cfg->env, MF_LOG_WARNING, "would be lost: %s",
					   mf_esc(&e, name));
		}
	}
	return lost;
}

static int check_lost(const struct mf_trust *t, const struct mf_tuf_role *cur,
		      const struct mf_tuf_delegation *g, bool force, struct mf_err *err)
{
	if (force || !cur || (!g->absent && !g->paths))
		return 0;
	size_t lost = lost_names(t, cur, g);
	if (!lost)
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "%zu record%s of role '%s' would be lost", lost,
		      lost == 1 ? "" : "s", cur->name);
	mf_err_set_hint(err, "use --force to do it nevertheless");
	return -1;
}

int mf_plan_drop_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		      const struct mf_tuf_role *cur, struct mf_tuf_delegation *g, struct mf_err *err)
{
	g->absent = true;
	if (!r->force && mf_trust_find_broken(t, cur->name)) {
		(void)mf_fail(err, MF_E_USAGE, 0,
			      "the records of role '%s' cannot be read, and would be lost with it",
			      cur->name);
		mf_err_set_hint(err, "use --force to remove it nevertheless");
		return -1;
	}
	if (check_lost(t, cur, g, r->force, err) < 0)
		return -1;
	p->ngoals++;
	return mf_plan_report(p, "role removed", cur->name, "", err);
}

static int check_new(const struct mf_role_request *r, struct mf_err *err)
{
	if (!r->nkeys)
		return mf_fail(err, MF_E_USAGE, 0, "role '%s' is new: name its keys with --key", r->role);
	if (!r->ntypes)
		return mf_fail(err, MF_E_USAGE, 0, "role '%s' is new: name its types with --types", r->role);
	return 0;
}

int mf_plan_set_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		     const struct mf_tuf_role *cur, struct mf_tuf_delegation *g, struct mf_err *err)
{
	size_t before = p->request->nchanges;
	g->threshold = r->threshold ? r->threshold : cur && r->verb != MF_ROLE_SET ? cur->threshold : 1;
	if (!cur && (check_new(r, err) < 0 || mf_plan_report(p, "role added", g->name, "", err) < 0))
		return -1;
	if (goal_keys(p, t, r, cur, g, err) < 0 || goal_paths(p, t, r, cur, g, err) < 0 ||
	    check_lost(t, cur, g, r->force, err) < 0)
		return -1;
	if (!g->nkeys) {
		(void)mf_fail(err, MF_E_USAGE, 0, "nobody could sign for role '%s' any more", g->name);
		mf_err_set_hint(err, "'manifesto role remove' without --key removes the role");
		return -1;
	}
	if (g->threshold > (int64_t)g->nkeys) {
		(void)mf_fail(err, MF_E_USAGE, 0, "role '%s' would have %zu keys and need %lld signatures",
			      g->name, g->nkeys, (long long)g->threshold);
		mf_err_set_hint(err, "change the threshold with 'manifesto role add --threshold'");
		return -1;
	}
	if (cur && cur->threshold != g->threshold) {
		char text[24];
		(void)snprintf(text, sizeof text, "%lld", (long long)g->threshold);
		if (mf_plan_report(p, "threshold", g->name, text, err) < 0)
			return -1;
	}
	if (p->request->nchanges > before)
		p->ngoals++;
	return 0;
}
