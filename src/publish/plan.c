/* From requests to files: what each role shall be, what of it must be signed anew, who may publish. */
#include "publish/plan.h"

#include <assert.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "publish/publish.h"
#include "record/record.h"
#include "trust/client.h"

void mf_plan_clear(struct mf_plan *p)
{
	mf_arena_clear(&p->arena);
	free(p->writers);
	mf_buf_clear(&p->delegations);
	mf_buf_clear(&p->root);
	mf_tuf_file_free(p->after);
	*p = (struct mf_plan){.arena = MF_ARENA_INIT};
}

static const struct mf_dialect *dialect(const struct mf_trust *t)
{
	return t->repo->ops->dialect;
}

static bool has_server(const struct mf_trust *t)
{
	return t->repo->ops->server_key != NULL;
}

/* ---- what changes, for people */

static int tell(struct mf_plan *p, const char *what, const char *role, const char *detail, struct mf_err *err)
{
	struct mf_admin_result *r = p->result;
	if (mf_grow((void **)&r->v, &r->cap, r->n, sizeof *r->v, err) < 0)
		return -1;
	struct mf_admin_changed *c = &r->v[r->n];
	c->what = what;
	c->role = mf_arena_dup(&r->arena, mf_str_c(role), err);
	c->detail = c->role ? mf_arena_dup(&r->arena, mf_str_c(detail), err) : NULL;
	if (!c->detail)
		return -1;
	r->n++;
	return 0;
}

static int tell_key(struct mf_plan *p, const char *what, const char *role, const struct mf_pubkey *pub,
		    struct mf_err *err)
{
	char hex[65] = "of a kind that cannot be used";
	if (pub) {
		struct mf_digest fp = mf_pubkey_fingerprint(pub);
		mf_digest_hex(hex, &fp);
	}
	return tell(p, what, role, hex, err);
}

/* ---- names */

static bool is_toplevel(const char *name)
{
	return strcmp(name, "root") == 0 || strcmp(name, "timestamp") == 0 || strcmp(name, "snapshot") == 0 ||
	       strcmp(name, "targets") == 0;
}

/* Segments that begin with '_' and `releases` have meanings of their own; a delegation may not bear the name
 * of a top-level role. */
static int check_new_name(const char *name, struct mf_err *err)
{
	struct mf_esc e;
	size_t n = strlen(name);
	bool fits =
	    n >= 1 && n <= 64 && ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= '0' && name[0] <= '9'));
	for (size_t i = 0; i < n && fits; i++)
		fits = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
		       name[i] == '-' || name[i] == '_';
	if (!fits)
		return mf_fail(
		    err, MF_E_USAGE, 0,
		    "role name '%s': lower-case letters, digits, '-' and '_', at most 64, a letter or "
		    "digit first",
		    mf_esc(&e, mf_str_c(name)));
	if (is_toplevel(name) || strcmp(name, "releases") == 0)
		return mf_fail(err, MF_E_USAGE, 0, "role name '%s' is reserved", name);
	return 0;
}

static char *full_name(struct mf_plan *p, const struct mf_trust *t, const char *name, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROLE_NAME);
	if (strncmp(name, "targets/", 8) == 0)
		name += 8;
	if (check_new_name(name, err) < 0 || mf_tuf_put_role_name(dialect(t), mf_str_c(name), &b, err) < 0)
		return NULL;
	return mf_arena_dup(&p->arena, mf_buf_str(&b), err);
}

static int no_role(const char *name, struct mf_err *err)
{
	struct mf_esc e;
	if (is_toplevel(name)) {
		(void)mf_fail(err, MF_E_USAGE, 0, "'%s' is a top-level role; this is for delegated ones",
			      name);
		mf_err_set_hint(err, "'manifesto trust refresh --force' signs the top-level roles anew");
		return -1;
	}
	(void)mf_fail(err, MF_E_NOT_FOUND, 0, "there is no role '%s' in this repository",
		      mf_esc(&e, mf_str_c(name)));
	mf_err_set_hint(err, "'manifesto role list' shows those that there are");
	return -1;
}

/* ---- keys */

static bool same_key(const struct mf_tuf_key *k, const struct mf_pubkey *pub)
{
	struct mf_digest a, b = mf_pubkey_fingerprint(pub);
	if (!k->pub || !k->id_fits)
		return false;
	a = mf_pubkey_fingerprint(k->pub);
	return mf_digest_eq(&a, &b);
}

static const struct mf_tuf_key *listed(const struct mf_tuf_role *role, const struct mf_pubkey *pub)
{
	for (size_t i = 0; role && i < role->nkeys; i++)
		if (same_key(role->keys[i], pub))
			return role->keys[i];
	return NULL;
}

static bool requested(const struct mf_admin_request *r, const struct mf_tuf_key *k)
{
	for (size_t i = 0; i < r->nkeys; i++)
		if (same_key(k, r->keys[i]))
			return true;
	return false;
}

static int put_id(struct mf_plan *p, struct mf_tuf_root_key *out, struct mf_str id, struct mf_str object,
		  struct mf_err *err)
{
	out->id = mf_arena_dup(&p->arena, id, err);
	char *copy = out->id && object.n ? mf_arena_dup(&p->arena, object, err) : NULL;
	out->object = (struct mf_str){copy, copy ? object.n : 0};
	return out->id && (copy || !object.n) ? 0 : -1;
}

/* A key that delegations list in another form (a certificate, say) is listed in that form again: its holder
 * looks for that ID. */
static int key_object(struct mf_plan *p, const struct mf_trust *t, const struct mf_pubkey *pub,
		      struct mf_tuf_root_key *out, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20);
	char id[65];
	for (size_t i = 0; i < t->set.nroles; i++)
		for (size_t k = 0; k < t->set.roles[i]->file->nkeys; k++) {
			const struct mf_tuf_key *key = &t->set.roles[i]->file->keys[k];
			if (!same_key(key, pub))
				continue;
			if (mf_json_canonicalize(key->raw, &b, err) < 0)
				return -1;
			return put_id(p, out, key->id, mf_buf_str(&b), err);
		}
	if (dialect(t)->key_write(pub, NULL, &b, id, err) < 0)
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

/* The keys that the role shall have: those that stay, then those that come. */
static int goal_keys(struct mf_plan *p, struct mf_trust *t, const struct mf_admin_request *r,
		     const struct mf_tuf_role *cur, struct mf_tuf_delegation *g, struct mf_err *err)
{
	struct mf_tuf_root_key *v =
	    mf_arena_alloc(&p->arena, r->nkeys + (cur ? cur->nkeys : 0), sizeof *v, err);
	if (!v)
		return -1;
	g->keys = v;
	for (size_t i = 0; cur && i < cur->nkeys; i++) {
		const struct mf_tuf_key *k = cur->keys[i];
		bool stays = r->verb == MF_ADMIN_ADD || (r->verb == MF_ADMIN_SET && requested(r, k)) ||
			     (r->verb == MF_ADMIN_DROP && !requested(r, k));
		if (!stays && tell_key(p, "key removed", g->name, k->pub, err) < 0)
			return -1;
		if (stays && put_id(p, &v[g->nkeys++], k->id, (struct mf_str){NULL, 0}, err) < 0)
			return -1;
	}
	for (size_t i = 0; r->verb != MF_ADMIN_DROP && i < r->nkeys; i++) {
		struct mf_tuf_root_key k;
		if (listed(cur, r->keys[i]))
			continue;
		if (key_object(p, t, r->keys[i], &k, err) < 0)
			return -1;
		if (goal_has(g, v, mf_str_c(k.id))) /* given twice */
			continue;
		v[g->nkeys++] = k;
		if (tell_key(p, "key added", g->name, r->keys[i], err) < 0)
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

static int tell_path(struct mf_plan *p, const struct mf_trust *t, bool added, const char *role,
		     const char *path, struct mf_err *err)
{
	struct mf_str type = mf_tuf_path_type(dialect(t), mf_str_c(path));
	char *text = mf_arena_dup(&p->arena, type.n ? type : mf_str_c(path), err);
	if (!text)
		return -1;
	if (!type.n)
		return tell(p, "path removed", role, text, err);
	return tell(p, added ? "type added" : "type removed", role, text, err);
}

static char *type_path(struct mf_plan *p, const struct mf_trust *t, const char *type, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TYPE + 8);
	if (mf_record_type_check(mf_str_c(type), err) < 0 ||
	    mf_tuf_put_type_path(dialect(t), mf_str_c(type), &b, err) < 0)
		return NULL;
	return mf_arena_dup(&p->arena, mf_buf_str(&b), err);
}

/* The paths that the role shall have; as they are unless the request says otherwise. */
static int goal_paths(struct mf_plan *p, const struct mf_trust *t, const struct mf_admin_request *r,
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
		bool stays = r->verb != MF_ADMIN_SET || has_path(wanted, r->ntypes, cur->paths[i]);
		const char *path = mf_arena_dup(&p->arena, cur->paths[i], err);
		if (!path || (!stays && tell_path(p, t, false, g->name, path, err) < 0))
			return -1;
		changed |= !stays;
		if (stays)
			v[g->npaths++] = path;
	}
	for (size_t i = 0; i < r->ntypes; i++) {
		if (has_path(v, g->npaths, mf_str_c(wanted[i])))
			continue;
		if (tell_path(p, t, true, g->name, wanted[i], err) < 0)
			return -1;
		v[g->npaths++] = wanted[i];
		changed = true;
	}
	g->paths = changed ? v : NULL;
	return 0;
}

/* ---- one request */

/* What the role and those below it hold of names that `g` (absent: none) would not cover. */
static size_t lost_names(const struct mf_trust *t, const struct mf_tuf_role *cur,
			 const struct mf_tuf_delegation *g, struct mf_buf *some, struct mf_err *err)
{
	size_t lost = 0;
	const char *const *paths = g->paths;
	const size_t npaths = g->absent ? 0 : g->npaths;
	assert(paths || !npaths);
	for (size_t i = 0; i < t->set.nroles; i++) {
		const struct mf_tuf_loaded *l = t->set.roles[i], *up = l;
		while (up->delegation && up->delegation != cur)
			up = up->parent;
		for (size_t k = 0; up->delegation && k < l->file->ntargets; k++) {
			struct mf_str name = mf_tuf_target_name(l->file, k).raw;
			bool covered = !mf_tuf_loaded_covers(dialect(t), l, name);
			for (size_t j = 0; j < npaths; j++)
				covered |= dialect(t)->path_covers(mf_str_c(paths[j]), name);
			if (covered)
				continue;
			struct mf_esc e;
			if (lost++ < 3 &&
			    mf_buf_printf(some, err, "%s%s", lost > 1 ? ", " : "", mf_esc(&e, name)) < 0)
				return 0;
		}
	}
	return lost;
}

static int check_lost(const struct mf_trust *t, const struct mf_tuf_role *cur,
		      const struct mf_tuf_delegation *g, bool force, struct mf_err *err)
{
	struct mf_buf some MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	size_t lost = !force && cur && (g->absent || g->paths) ? lost_names(t, cur, g, &some, err) : 0;
	if (err->code)
		return -1;
	if (!lost)
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "%zu record%s of role '%s' would vanish: %s%s", lost,
		      lost == 1 ? "" : "s", cur->name, mf_buf_str(&some).p, lost > 3 ? ", ..." : "");
	mf_err_set_hint(err, "--force does it nevertheless");
	return -1;
}

static bool is_broken(const struct mf_trust *t, const char *role)
{
	size_t n;
	const struct mf_trust_broken *v = mf_trust_broken(t, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].role, role) == 0)
			return true;
	return false;
}

static int drop_role(struct mf_plan *p, struct mf_trust *t, const struct mf_admin_request *r,
		     const struct mf_tuf_role *cur, struct mf_tuf_delegation *g, struct mf_err *err)
{
	g->absent = true;
	if (!r->force && is_broken(t, cur->name)) {
		(void)mf_fail(err, MF_E_USAGE, 0,
			      "the records of role '%s' cannot be read, and would vanish with it", cur->name);
		mf_err_set_hint(err, "--force removes it nevertheless");
		return -1;
	}
	if (check_lost(t, cur, g, r->force, err) < 0)
		return -1;
	p->ngoals++;
	return tell(p, "role removed", cur->name, "", err);
}

static int check_new(const struct mf_admin_request *r, struct mf_err *err)
{
	if (!r->nkeys)
		return mf_fail(err, MF_E_USAGE, 0, "role '%s' is new: which keys may sign for it? (--key)",
			       r->role);
	if (!r->ntypes)
		return mf_fail(err, MF_E_USAGE, 0, "role '%s' is new: which types may it sign? (--types)",
			       r->role);
	return 0;
}

static int set_role(struct mf_plan *p, struct mf_trust *t, const struct mf_admin_request *r,
		    const struct mf_tuf_role *cur, struct mf_tuf_delegation *g, struct mf_err *err)
{
	size_t before = p->result->n;
	g->threshold = r->threshold ? r->threshold : cur && r->verb != MF_ADMIN_SET ? cur->threshold : 1;
	if (!cur && (check_new(r, err) < 0 || tell(p, "role added", g->name, "", err) < 0))
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
		mf_err_set_hint(err, "'manifesto role add' takes --threshold for a role that is there, too");
		return -1;
	}
	if (cur && cur->threshold != g->threshold) {
		char text[24];
		(void)snprintf(text, sizeof text, "%lld", (long long)g->threshold);
		if (tell(p, "threshold", g->name, text, err) < 0)
			return -1;
	}
	if (p->result->n > before)
		p->ngoals++;
	return 0;
}

/* The version of the file that the snapshot lists for a role, whoever signed it. */
static int listed_version(struct mf_trust *t, const char *role, struct mf_tuf_file **file, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (mf_trust_fetch_role(t, role, &bytes, err) < 0)
		return -1;
	*file = mf_tuf_parse_unverified(dialect(t), MF_TUF_TARGETS, &bytes, err);
	return *file ? 0 : -1;
}

static int add_resign(struct mf_plan *p, const char *role, int64_t version, struct mf_err *err)
{
	if (p->nresign == MF_PUBLISH_MAX_RESIGN)
		return mf_fail(err, MF_E_USAGE, 0, "more than %d roles to sign anew at once",
			       MF_PUBLISH_MAX_RESIGN);
	p->resign[p->nresign++] =
	    (struct mf_publish_resign){.role = role, .version = version, .empty = version > 0};
	return tell(p, "signed anew", role, version ? "empty" : "", err);
}

static int sign_role(struct mf_plan *p, struct mf_trust *t, const struct mf_admin_request *r,
		     const struct mf_tuf_role *cur, struct mf_err *err)
{
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP = NULL;
	if (mf_tuf_set_find(&t->set, cur->name))
		return add_resign(p, cur->name, 0, err);
	if (!is_broken(t, cur->name))
		return mf_fail(err, MF_E_NOT_FOUND, 0, "nothing was published under role '%s' yet",
			       cur->name);
	if (!r->force) {
		(void)mf_fail(err, MF_E_SIGNATURE, 0, "the file of role '%s' does not verify", cur->name);
		mf_err_set_hint(err, "--force begins it anew, empty");
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

static const struct mf_tuf_key *writer(const struct mf_trust *t, const struct mf_pubkey *pub)
{
	for (size_t i = 0; i < 2; i++) {
		const struct mf_tuf_key *k = listed(&t->set.root->roles[online[i]], pub);
		if (k)
			return k;
	}
	return NULL;
}

static const struct mf_tuf_file *delegator(const struct mf_plan *p, const struct mf_trust *t)
{
	return p->after ? p->after : t->set.roles[0]->file;
}

/* Does the key sign for any role after the change? */
static bool signs_on(const struct mf_plan *p, const struct mf_trust *t, const struct mf_pubkey *pub)
{
	const struct mf_tuf_role *top = t->set.root->roles;
	if (listed(&top[MF_TUF_ROOT], pub) || listed(&top[MF_TUF_TARGETS], pub))
		return true;
	for (size_t i = 0; i < t->set.nroles; i++) {
		const struct mf_tuf_file *f = i ? t->set.roles[i]->file : delegator(p, t);
		for (size_t k = 0; k < f->nroles; k++)
			if (listed(&f->roles[k], pub))
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
		if (!listed(&t->set.root->roles[online[i]], k->pub))
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
	return tell_key(p, "writer added", role, k->pub, err);
}

static int writer_goes(struct mf_plan *p, const struct mf_trust *t, const char *role,
		       const struct mf_pubkey *pub, struct mf_err *err)
{
	bool news = false;
	if (!pub || !writer(t, pub) || signs_on(p, t, pub))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		const struct mf_tuf_role *r = &t->set.root->roles[online[i]];
		for (size_t k = 0; k < r->nkeys; k++) {
			if (!same_key(r->keys[k], pub))
				continue;
			struct mf_tuf_root_edit *e = writer_edit(p, r->keys[k]->id, err);
			if (!e)
				return -1;
			news |= !(e->drop >> online[i] & 1);
			e->drop |= 1u << online[i];
			p->change.root_last = true;
		}
	}
	return news ? tell_key(p, "writer removed", role, pub, err) : 0;
}

static const struct mf_tuf_role *role_after(const struct mf_plan *p, const struct mf_trust *t,
					    const char *name)
{
	const struct mf_tuf_file *f = delegator(p, t);
	for (size_t i = 0; i < f->nroles; i++)
		if (strcmp(f->roles[i].name, name) == 0)
			return &f->roles[i];
	return NULL;
}

static int plan_writers(struct mf_plan *p, const struct mf_trust *t, const struct mf_admin_request *r,
			struct mf_err *err)
{
	const struct mf_tuf_role *cur = mf_admin_find(&t->set, r->role);
	char *name = cur ? NULL : full_name(p, t, r->role, err);
	if (!cur && !name)
		return -1;
	if (cur)
		name = mf_arena_dup(&p->arena, mf_str_c(cur->name), err);
	if (!name)
		return -1;
	const struct mf_tuf_role *after = role_after(p, t, name);
	bool adds = r->verb == MF_ADMIN_ADD || r->verb == MF_ADMIN_SET;
	for (size_t i = 0; i < r->nkeys; i++) {
		const struct mf_tuf_key *k = listed(after, r->keys[i]);
		if (adds && k && writer_comes(p, t, name, k, err) < 0)
			return -1;
		if (r->verb == MF_ADMIN_DROP && writer_goes(p, t, name, r->keys[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; cur && r->verb != MF_ADMIN_SIGN && i < cur->nkeys; i++)
		if (writer_goes(p, t, name, cur->keys[i]->pub, err) < 0)
			return -1;
	return 0;
}

static int plan_root(struct mf_plan *p, struct mf_trust *t, const struct mf_admin_request *v, size_t n,
		     struct mf_err *err)
{
	for (size_t i = 0; i < n && !has_server(t); i++)
		if (plan_writers(p, t, &v[i], err) < 0)
			return -1;
	if (!p->nwriters)
		return 0;
	mf_buf_init(&p->root, MF_MAX_ROOT_BYTES);
	if (mf_tuf_build_next_root(t->set.root, p->writers, p->nwriters,
				   t->set.now + mf_publish_lifetime(t, MF_TUF_ROOT), &p->root, err) < 0)
		return -1;
	p->root_text = mf_buf_str(&p->root);
	p->change.root = &p->root_text;
	p->result->root_version = t->set.root->version + 1;
	return 0;
}

/* ---- what must be signed anew */

static bool can_sign(struct mf_trust *t, const struct mf_tuf_role *role)
{
	return (int64_t)mf_publish_held(t, role) >= role->threshold;
}

static int refuse_unsigned(const struct mf_plan *p, const struct mf_tuf_role *role, bool revived,
			   struct mf_err *err)
{
	struct mf_buf keys MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	for (size_t i = 0; i < role->nkeys && i < 8; i++) {
		char hex[65] = "?";
		if (role->keys[i]->pub) {
			struct mf_digest fp = mf_pubkey_fingerprint(role->keys[i]->pub);
			mf_digest_hex(hex, &fp);
		}
		if (mf_buf_printf(&keys, err, " %.16s", hex) < 0)
			return -1;
	}
	if (revived) {
		(void)mf_fail(
		    err, MF_E_KEY, 0,
		    "a role '%s' was here before, and its old file is still listed: a new one must be "
		    "signed along with the delegation, and we hold too few of its keys",
		    role->name);
		mf_err_set_hint(err, "choose another name, or import one of the keys:%s",
				mf_buf_str(&keys).p);
		return -1;
	}
	(void)mf_fail(
	    err, MF_E_KEY, 0,
	    "the file of role '%s' would no longer be well signed, and we hold too few of the keys that "
	    "could sign it anew:%s",
	    role->name, mf_buf_str(&keys).p);
	if (role->threshold > 1)
		mf_err_set_hint(err, "%lld of these keys must be on one machine for that",
				(long long)role->threshold);
	else
		mf_err_set_hint(
		    err,
		    "whoever holds one of them runs 'manifesto role sign %s %s' first; then do this again",
		    p->image, role->name);
	return -1;
}

/* A role that is listed anew under the name of an earlier one finds that one's file in the snapshot: readers
 * would judge it by the new keys. */
static int revive(struct mf_plan *p, struct mf_trust *t, const struct mf_tuf_role *role, struct mf_err *err)
{
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP = NULL;
	struct mf_err why = MF_ERR_INIT;
	if (listed_version(t, role->name, &file, err) < 0)
		return -1;
	if (mf_tuf_check_signed(dialect(t), file, role, &why) == 0)
		return 0;
	if (why.code != MF_E_SIGNATURE)
		return mf_fail(err, why.code, 0, "%s", why.msg);
	return can_sign(t, role) ? add_resign(p, role->name, file->version + 1, err)
				 : refuse_unsigned(p, role, true, err);
}

static int check_goal(struct mf_plan *p, struct mf_trust *t, const struct mf_tuf_delegation *g,
		      struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	if (g->absent)
		return 0;
	const struct mf_tuf_role *role = role_after(p, t, g->name);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, g->name);
	if (!role || !dialect(t)->delegation_name(MF_STR("targets"), mf_str_c(g->name)))
		return mf_fail(err, MF_E_USAGE, 0, "role name '%s' cannot be used", g->name);
	if (!l && (is_broken(t, g->name) || !mf_tuf_meta_find(t->set.snapshot, g->name)))
		return 0;
	if (!l)
		return revive(p, t, role, err);
	if (mf_tuf_check_signed(dialect(t), l->file, role, &why) == 0)
		return 0;
	if (why.code != MF_E_SIGNATURE)
		return mf_fail(err, why.code, 0, "%s", why.msg);
	return can_sign(t, role) ? add_resign(p, g->name, 0, err) : refuse_unsigned(p, role, false, err);
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
	if (mf_tuf_build_delegations(dialect(t), now->delegations_raw, p->goals, p->ngoals, &p->delegations,
				     err) < 0)
		return -1;
	p->delegations_text = mf_buf_str(&p->delegations);
	struct mf_tuf_targets_spec spec = {
	    .delegations = &p->delegations_text, .version = 1, .expires = t->set.now};
	if (mf_tuf_build_targets(dialect(t), &spec, &canonical, err) < 0 ||
	    mf_tuf_build_file(dialect(t), mf_buf_str(&canonical), NULL, 0, &draft, err) < 0)
		return -1;
	p->after = mf_tuf_parse_unverified(dialect(t), MF_TUF_TARGETS, &draft, err);
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
static int check_droppable(const struct mf_plan *p, const struct mf_trust *t,
			   const struct mf_admin_request *r, const struct mf_tuf_role *cur,
			   struct mf_err *err)
{
	for (size_t i = 0; i < r->nkeys; i++) {
		char hex[65];
		struct mf_digest fp = mf_pubkey_fingerprint(r->keys[i]);
		bool leftover = !has_server(t) && writer(t, r->keys[i]) && !signs_on(p, t, r->keys[i]);
		if (listed(cur, r->keys[i]) || leftover)
			continue;
		mf_digest_hex(hex, &fp);
		return mf_fail(err, MF_E_NOT_FOUND, 0, "role '%s' does not list key %s", r->role, hex);
	}
	return 0;
}

static int one_request(struct mf_plan *p, struct mf_trust *t, const struct mf_admin_request *r,
		       struct mf_err *err)
{
	const struct mf_tuf_role *cur = mf_admin_find(&t->set, r->role);
	struct mf_tuf_delegation *g = &p->goals[p->ngoals];
	*g = (struct mf_tuf_delegation){.absent = false};
	if (r->verb == MF_ADMIN_DROP && check_droppable(p, t, r, cur, err) < 0)
		return -1;
	if (!cur && r->verb == MF_ADMIN_DROP && r->nkeys)
		return 0;
	if (!cur && (r->verb == MF_ADMIN_DROP || r->verb == MF_ADMIN_SIGN))
		return no_role(r->role, err);
	g->name = cur ? mf_arena_dup(&p->arena, mf_str_c(cur->name), err) : full_name(p, t, r->role, err);
	if (!g->name || check_double(p, g->name, err) < 0)
		return -1;
	if (r->verb == MF_ADMIN_SIGN)
		return sign_role(p, t, r, cur, err);
	if (r->verb == MF_ADMIN_DROP && !r->nkeys)
		return drop_role(p, t, r, cur, g, err);
	return set_role(p, t, r, cur, g, err);
}

int mf_plan_make(struct mf_plan *p, struct mf_trust *t, const struct mf_admin_request *v, size_t n,
		 struct mf_err *err)
{
	p->goals = mf_arena_alloc(&p->arena, n, sizeof *p->goals, err);
	if (!p->goals)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (one_request(p, t, &v[i], err) < 0)
			return -1;
	if (plan_delegations(p, t, err) < 0 || plan_root(p, t, v, n, err) < 0)
		return -1;
	p->change.resign = p->resign;
	p->change.nresign = p->nresign;
	p->any = p->ngoals || p->nwriters || p->nresign;
	return 0;
}
