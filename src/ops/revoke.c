/* key revoke: takes one key out of every role that lists it, in all repositories given. While one repository
 * is changed, the metadata of the next ones is being fetched. */
#include "base/encode.h"
#include "base/limits.h"
#include "base/window.h"
#include "ops/role.h"

struct slot {
	struct mf_image im;
	struct mf_err failed; /* why the repository could not be opened or prefetched */
};

struct run {
	struct manifesto *m;
	const struct manifesto_revoke_options *o;
	struct slot slots[MF_VERIFY_WINDOW];
	size_t listed,
	    unfinished; /* repositories that list the key, or may; those where it stays, or may stay */
	int status;
};

static void run_cleanup(struct run **r)
{
	for (size_t i = 0; *r && i < MF_VERIFY_WINDOW; i++)
		mf_image_close(&(*r)->slots[i].im);
	free(*r);
}

/* The work on one repository. */
struct revocation {
	struct run *run;
	const char *repository;
	struct mf_image *im;
	struct mf_arena arena; /* copies of names, since the repository is loaded again meanwhile */
	bool expired_root;
	struct mf_role_keys key, new;
	struct mf_role_request *requests; /* those that this machine can carry out */
	const char **roles;               /* the role of each request */
	size_t n;
	struct manifesto_revoke_left *left;
	size_t nleft, nunread; /* roles that are left to others; how many of them cannot be read */
};

static void revocation_clear(struct revocation *v)
{
	mf_role_keys_clear(&v->key);
	mf_role_keys_clear(&v->new);
	mf_arena_clear(&v->arena);
}

/* ---- roles that are left to others */

static const char *again(struct revocation *v, const char *new_key)
{
	char hex[65];
	if (v->key.n)
		mf_pubkey_hex(hex, v->key.v[0]);
	return mf_arena_format(&v->arena, "manifesto key revoke %s %s%s%s", v->key.n ? hex : v->run->o->key,
			       v->repository, new_key ? " --key " : "", new_key ? new_key : "");
}

/* The command that takes the key out of a role which this machine cannot change. If this machine holds the
 * keys of targets, the role itself must be re-signed with its own keys; otherwise an owner runs `key revoke`
 * again. MF_E_USAGE: a replacement key is needed. */
static const char *command_for(struct revocation *v, const char *role, enum mf_code code)
{
	struct mf_trust *t = v->im->trust;
	const struct mf_tuf_role *top = mf_trust_set(t)->root->roles;
	if (code == MF_E_USAGE)
		return again(v, "NEW");
	bool owner = mf_publish_can_sign(t, &top[MF_TUF_TARGETS]) &&
		     (mf_publish_has_server(t) || mf_publish_can_sign(t, &top[MF_TUF_ROOT]));
	if (mf_publish_top_role(mf_trust_set(t)->root, role) || !owner)
		return again(v, v->run->o->replacement);
	const struct mf_tuf_role *listed = mf_trust_role(t, role);
	bool several = listed && listed->threshold > 1;
	return mf_arena_format(&v->arena, "manifesto role sign %s %s%s", v->repository, role,
			       several ? " --propose @" : "");
}

static void leave(struct revocation *v, const char *role, const struct mf_err *why, const char *command)
{
	v->left[v->nleft++] = (struct manifesto_revoke_left){.role = role,
							     .status = mf_code_exit(why->code),
							     .why = mf_arena_text(&v->arena, why->msg),
							     .command = command};
}

/* A nested delegation is signed by the role that delegates it: its key holders must take the key out. */
static void leave_nested(struct revocation *v, const struct mf_tuf_loaded *delegator, const char *role)
{
	struct mf_err why = MF_ERR_INIT;
	(void)mf_fail(&why, MF_E_KEY, 0,
		      "role '%s' has delegated it: a holder of its keys must take the key out",
		      delegator->role);
	leave(v, role, &why, NULL);
}

/* A role that cannot be read delegates nothing now, but if it can be read again later, it may delegate to the
 * key. */
static void leave_unread(struct revocation *v, const struct mf_trust_broken *b)
{
	struct mf_err why = MF_ERR_INIT;
	(void)mf_fail(&why, b->code, 0, "role '%s' cannot be read, and may delegate to the key: %s", b->role,
		      b->why);
	leave(v, mf_arena_text(&v->arena, b->role), &why, again(v, v->run->o->replacement));
	v->nunread++;
}

/* ---- which roles */

/* Tries with a dry run whether this machine can take the key out of this role. Adds a request, or leaves the
 * role to others. */
static int try_role(struct revocation *v, const char *role, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_role_request q = {.verb = MF_ROLE_ROTATE,
				    .role = role,
				    .keys = v->new.v,
				    .nkeys = v->new.n,
				    .old = v->key.v,
				    .nold = 1,
				    .certificates = v->new.certificates,
				    .force = true};
	struct mf_role_change c = {.requests = &q,
				   .n = 1,
				   .image = v->repository,
				   .dry_run = true,
				   .check_keys = true,
				   .expired_root = v->expired_root,
				   .arena = &v->arena};
	if (mf_publish_roles(v->im->trust, &c, &why) != MF_FAILED) {
		v->roles[v->n] = role;
		v->requests[v->n++] = q;
		return 0;
	}
	if (why.code != MF_E_KEY && why.code != MF_E_THRESHOLD && why.code != MF_E_USAGE) {
		*err = why;
		return -1;
	}
	leave(v, role, &why, command_for(v, role, why.code));
	return 0;
}

struct listing {
	const char *role;
	const struct mf_tuf_loaded *delegator; /* NULL: the root */
};

/* Finds the roles that list the key; `all` has room for every role. Shards are left out: they change together
 * with their role. */
static size_t find_roles(const struct revocation *v, struct listing *all)
{
	const struct mf_tuf_set *set = mf_trust_set(v->im->trust);
	size_t n = 0;
	if (!v->key.n)
		return 0;
	for (size_t i = 0; i < MF_TUF_TYPES; i++)
		if (mf_tuf_role_has_key(&set->root->roles[i], v->key.v[0]))
			all[n++] = (struct listing){set->root->roles[i].name, NULL};
	for (size_t i = 0; i < set->nroles; i++)
		for (size_t k = 0; k < set->roles[i]->file->nroles; k++) {
			const struct mf_tuf_role *role = &set->roles[i]->file->roles[k];
			if (!mf_tuf_is_shard(set->d, set->roles[i], role) &&
			    mf_tuf_role_has_key(role, v->key.v[0]))
				all[n++] = (struct listing){role->name, set->roles[i]};
		}
	return n;
}

static size_t count_roles(const struct mf_tuf_set *set)
{
	size_t n = MF_TUF_TYPES;
	for (size_t i = 0; i < set->nroles; i++)
		n += set->roles[i]->file->nroles;
	return n;
}

static int plan(struct revocation *v, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(v->im->trust);
	struct listing *all MF_FREE = mf_calloc(count_roles(set), sizeof *all);
	if (!all)
		return mf_fail_nomem(err);
	size_t n = find_roles(v, all), nbroken;
	const struct mf_trust_broken *broken = mf_trust_broken(v->im->trust, &nbroken);
	v->requests = mf_arena_alloc(&v->arena, n, sizeof *v->requests, err);
	v->roles = v->requests ? mf_arena_alloc(&v->arena, n, sizeof *v->roles, err) : NULL;
	v->left = v->roles ? mf_arena_alloc(&v->arena, n + nbroken, sizeof *v->left, err) : NULL;
	if (!v->left)
		return -1;
	/* try_role may load the repository again, which frees what `all` and `broken` point into: use these
	 * first. */
	for (size_t i = 0; i < nbroken; i++)
		leave_unread(v, &broken[i]);
	for (size_t i = 0; i < n; i++)
		if (!(all[i].role = mf_arena_dup(&v->arena, mf_str_c(all[i].role), err)))
			return -1;
	for (size_t i = 0; i < n; i++)
		if (all[i].delegator && all[i].delegator->delegation)
			leave_nested(v, all[i].delegator, all[i].role);
	for (size_t i = 0; i < n; i++)
		if ((!all[i].delegator || strcmp(all[i].delegator->role, "targets") == 0) &&
		    try_role(v, all[i].role, err) < 0)
			return -1;
	return 0;
}

/* ---- the change */

static int change(struct revocation *v, bool dry_run, struct manifesto_role_result *out, struct mf_err *err)
{
	struct mf_role_change c = {.requests = v->requests,
				   .n = v->n,
				   .image = v->repository,
				   .dry_run = dry_run,
				   .check_keys = true,
				   .expired_root = v->expired_root};
	return mf_role_run(v->im, &c, out, err);
}

/* Checks that no role lists the key any more, apart from those that were left to others. */
static int check_gone(struct revocation *v, struct mf_err *err)
{
	struct listing *all MF_FREE = mf_calloc(count_roles(mf_trust_set(v->im->trust)), sizeof *all);
	if (!all)
		return mf_fail_nomem(err);
	size_t n = find_roles(v, all);
	return n <= v->nleft - v->nunread
		   ? 0
		   : mf_fail(err, MF_E_CONFLICT, 0,
			     "the key was taken out, but role '%s' lists it: somebody has added it meanwhile",
			     all[0].role);
}

static void result_cleanup(struct manifesto_role_result **r)
{
	manifesto_result_free(*r);
}

static int pass_on(struct run *r, const struct manifesto_revoke_item *item, struct mf_err *err)
{
	if (r->o->result && r->o->result(r->o->result_arg, item) != 0)
		return mf_fail(err, MF_E_IO, 0, "the result callback failed");
	return 0;
}

static int result_of(struct revocation *v, bool done, struct mf_err *why, struct mf_err *err)
{
	struct manifesto_role_result *change_result MF_CLEANUP(result_cleanup) = NULL;
	struct manifesto_error shown;
	struct manifesto_revoke_item item = {
	    .repository = v->repository, .done = done, .roles = v->roles, .nroles = v->n};
	if (!why->code && v->n) {
		change_result = mf_result_new(sizeof *change_result, err);
		if (!change_result)
			return -1;
		if (change(v, !done, change_result, why) == 0 && done)
			(void)!check_gone(v, why);
	}
	if (mf_err_ends_run(why)) {
		*err = *why;
		return -1;
	}
	if (why->code) {
		(void)mf_op_fail(&shown, why);
		item.error = &shown;
		item.status = shown.status;
		item.nroles = 0;
	}
	for (size_t i = 0; i < v->nleft; i++)
		item.status = manifesto_graver(item.status, v->left[i].status);
	item.change = why->code ? NULL : change_result;
	item.left = mf_arena_list(&v->arena, v->left, v->nleft, sizeof *v->left);
	item.nleft = v->nleft;
	if (mf_arena_check(&v->arena, err) < 0)
		return -1;
	if (done || v->run->o->dry_run || why->code) {
		v->run->status = manifesto_graver(v->run->status, item.status);
		v->run->unfinished += item.status != 0;
	}
	return pass_on(v->run, &item, err);
}

/* Finds the key. No key is found, which is no failure, if neither this machine nor a role that can be read
 * has it. */
static int find_key(struct revocation *v, struct mf_err *err)
{
	if (mf_role_key_add(v->im, v->run->o->key, NULL, &v->key, err) == 0)
		return 0;
	if (err->code != MF_E_KEY)
		return -1;
	mf_err_clear(err);
	return 0;
}

/* MF_ABSENT: no role lists the key. */
static enum mf_found prepare(struct revocation *v, struct slot *s, struct mf_err *err)
{
	const char *new = v->run->o->replacement;
	if (s->failed.code) {
		*err = s->failed;
		return MF_FAILED;
	}
	if (mf_role_load(v->im, &v->expired_root, err) < 0 || find_key(v, err) < 0)
		return MF_FAILED;
	size_t nbroken;
	(void)mf_trust_broken(v->im->trust, &nbroken);
	if (!v->key.n && !nbroken)
		return MF_ABSENT;
	if ((new &&mf_role_key_add(v->im, new, NULL, &v->new, err) < 0) || plan(v, err) < 0)
		return MF_FAILED;
	return v->n || v->nleft ? MF_FOUND : MF_ABSENT;
}

static int finish(struct run *r, struct slot *s, const char *repository, struct mf_err *err)
{
	struct revocation v MF_CLEANUP(revocation_clear) = {
	    .run = r, .repository = repository, .im = &s->im, .arena = MF_ARENA_INIT};
	struct mf_err why = MF_ERR_INIT;
	const bool planned = false, done = true;
	if (mf_env_cancelled(&r->m->env))
		return mf_fail(err, MF_E_CANCELLED, 0, "key revoke was interrupted");
	enum mf_found found = prepare(&v, s, &why);
	r->listed += found == MF_FOUND;
	if (found == MF_FAILED)
		v.n = v.nleft = 0;
	int rc = result_of(&v, found == MF_ABSENT ? done : planned, &why, err);
	if (rc == 0 && found == MF_FOUND && !why.code && !r->o->dry_run)
		rc = result_of(&v, done, &why, err);
	mf_image_close(&s->im);
	return rc;
}

static int start(void *arg, size_t i, struct mf_err *err)
{
	struct run *r = arg;
	struct slot *s = &r->slots[i % MF_VERIFY_WINDOW];
	const struct mf_load how = {.purpose = MF_LOAD_SIGN, .tolerate_broken = true};
	s->failed = (struct mf_err)MF_ERR_INIT;
	(void)err;
	if (mf_image_open(&s->im, r->m, r->o->repositories[i], &s->failed) == 0)
		(void)!mf_trust_prefetch(s->im.trust, &how, &s->failed);
	return 0;
}

static int revoke(struct run *r, struct mf_err *err)
{
	const struct manifesto_revoke_options *o = r->o;
	size_t n = o->nrepositories;
	struct mf_window ahead = {.n = n, .most = MF_VERIFY_WINDOW, .begin = start, .arg = r};
	struct mf_esc e;
	if (!n || n > MF_MAX_VERIFY_IMAGES)
		return mf_fail(err, MF_E_USAGE, 0, "%zu repositories: expected from 1 to %zu", n,
			       MF_MAX_VERIFY_IMAGES);
	for (size_t i = 0; i < n; i++) {
		if (mf_window_reach(&ahead, i, err) < 0 ||
		    finish(r, &r->slots[i % MF_VERIFY_WINDOW], o->repositories[i], err) < 0)
			return -1;
	}
	if (r->unfinished) {
		(void)mf_fail(err, MF_E_KEY, 0, "the key stays, or may stay, in %zu of %zu repositories",
			      r->unfinished, n);
		return -1;
	}
	if (r->listed)
		return 0;
	return mf_fail(err, MF_E_NOT_FOUND, 0, "no role of any of the repositories lists key '%s'",
		       mf_esc(&e, mf_str_c(o->key)));
}

int manifesto_key_revoke(struct manifesto *m, const struct manifesto_revoke_options *opt,
			 struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_revoke_options o;
	mf_op_begin(m, error);
	if (mf_op_options(&o, sizeof o, opt, &err) < 0)
		return mf_op_fail(error, &err);
	struct run *r MF_CLEANUP(run_cleanup) = calloc(1, sizeof *r);
	if (!r) {
		(void)mf_fail_nomem(&err);
		return mf_op_fail(error, &err);
	}
	r->m = m;
	r->o = &o;
	if (revoke(r, &err) == 0)
		return 0;
	(void)mf_op_fail(error, &err);
	/* The status is the gravest one of the repositories, not that of the summary. */
	error->status = r->unfinished ? r->status : error->status;
	return -1;
}
