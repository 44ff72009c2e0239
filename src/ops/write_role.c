/* Chooses the role to write to and the key to sign with. */
#include <stdio.h>

#include "ops/write.h"

/* Another process on this machine may be making the repository. It may have published and not stored its pin
 * yet (MF_E_PIN): it holds the lock until then. Or its pin is there, and our prefetched answers are older
 * than its publish (MF_E_GONE). */
static int load_behind_others(struct mf_trust *t, const struct mf_load *how, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if (mf_trust_load(t, how, err) == 0)
		return 0;
	if (err->code != MF_E_PIN && err->code != MF_E_GONE)
		return -1;
	mf_err_clear(err);
	if (mf_publish_lock(t, &lock, err) < 0)
		return -1;
	mf_lock_release(&lock);
	return mf_trust_load(t, how, err);
}

int mf_write_load(struct mf_write *w, struct mf_err *err)
{
	struct mf_trust *t = w->im->trust;
	const struct mf_load how = {
	    .prefix = mf_str_c(w->prefix), .purpose = MF_LOAD_SIGN, .subjects = w->subjects.v};
	if (load_behind_others(t, &how, err) < 0)
		return -1;
	/* Another process may have made the repository and its keys since this one read the key store. */
	const struct mf_key_info *keys;
	size_t n;
	mf_keystore_rescan(w->m->keys);
	if (mf_keystore_list(w->m->keys, &keys, &n, err) < 0)
		return -1;
	/* Without floors nothing shows whether this is the newest state: the log tells the publisher which
	 * version the change is based on. */
	if (mf_trust_first_seen(t))
		mf_env_log(&w->m->env, MF_LOG_WARNING,
			   "'%s' is new to this machine: publishing on top of snapshot version %lld",
			   mf_trust_pin_name(t), (long long)mf_trust_set(t)->snapshot->version);
	return 0;
}

int mf_role_signer(const struct mf_image *im, const struct mf_tuf_role *role, const char *asked_key,
		   struct mf_signer *s, const struct mf_key_info **k, struct mf_err *err)
{
	struct mf_esc e;
	if (mf_publish_signer(im->trust, role, s, k, err) < 0 ||
	    (!im->proposes && mf_publish_check_threshold(im->trust, role, err) < 0))
		return -1;
	if (!asked_key || strcmp((*k)->name, asked_key) == 0)
		return 0;
	(void)mf_fail(err, MF_E_KEY, 0, "role '%s' does not list key '%s', or the key is not on this machine",
		      role->name, mf_esc(&e, mf_str_c(asked_key)));
	mf_err_set_hint(err, "'manifesto trust show' lists the keys of each role, 'manifesto key list' the "
			     "keys on this machine");
	return -1;
}

static int role_signer(const struct mf_write *w, const struct mf_tuf_role *role, struct mf_signer *s,
		       const struct mf_key_info **k, struct mf_err *err)
{
	return mf_role_signer(w->im, role, w->o->key, s, k, err);
}

/* Some of the roles that may hold the type. */
struct roles {
	const struct mf_tuf_role *v[64];
	size_t n;
};

static void list_roles(const struct roles *r, char *out, size_t max)
{
	out[0] = 0;
	for (size_t i = 0; i < r->n; i++) {
		size_t at = strlen(out);
		(void)snprintf(out + at, max - at, "%s%s", at ? ", " : "", r->v[i]->name);
	}
}

static void find_roles(const struct mf_write *w, struct roles *out)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	out->n = mf_policy_roles(set, mf_str_c(w->o->type), out->v, 64);
	if (w->o->role && mf_role_is("targets", w->o->role)) {
		out->v[0] = &set->root->roles[MF_TUF_TARGETS];
		out->n = 1;
	}
}

/* Is this the role that --role names? A team may delegate to another role of that name, with our key among
 * its keys: a withdrawal must not go there. */
static bool is_asked(const struct mf_write *w, const struct mf_tuf_role *role)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	const struct mf_tuf_role *named;
	const struct mf_tuf_loaded *by;
	return mf_policy_role_by_name(set, w->o->role, &named, &by) == MF_NAMES_ONE &&
	       strcmp(role->name, named->name) == 0 &&
	       (!by || mf_policy_may_hold(set, w->o->role, mf_str_c(w->o->type)));
}

/* Finds the requested role, or the roles for which we hold enough keys. Where there are none, finds those for
 * which we hold too few: role_signer then reports the threshold. */
static int find_ours(const struct mf_write *w, const struct roles *all, struct roles *out, struct mf_err *err)
{
	struct roles partly = {.n = 0};
	out->n = 0;
	for (size_t i = 0; i < all->n; i++) {
		struct mf_err why = MF_ERR_INIT;
		struct mf_signer s;
		const struct mf_key_info *k;
		if (w->o->role && !is_asked(w, all->v[i]))
			continue;
		bool ours = w->o->role || role_signer(w, all->v[i], &s, &k, &why) == 0;
		if (!ours && why.code != MF_E_KEY && why.code != MF_E_THRESHOLD)
			return mf_fail(err, why.code, 0, "%s", why.msg);
		if (ours)
			out->v[out->n++] = all->v[i];
		else if (why.code == MF_E_THRESHOLD)
			partly.v[partly.n++] = all->v[i];
	}
	if (!out->n)
		*out = partly;
	return 0;
}

static bool holds_any(const struct mf_write *w, const struct mf_tuf_role *role)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	size_t at;
	for (size_t i = 0; i < w->n; i++)
		if (mf_tuf_set_find_target(set, role->name, mf_str_c(w->items[i].name), &at))
			return true;
	return false;
}

static void keep_holders(const struct mf_write *w, struct roles *r)
{
	struct roles kept = {.n = 0};
	for (size_t i = 0; i < r->n; i++)
		if (holds_any(w, r->v[i]))
			kept.v[kept.n++] = r->v[i];
	if (kept.n || w->op->needs_entry)
		*r = kept;
}

/* Writes the digest of the only image; several images are not named. */
static void name_images(const struct mf_write *w, char out[MF_DIGEST_TEXT])
{
	if (w->nimages == 1)
		mf_digest_format(out, &w->items[0].subject.digest);
	else
		(void)snprintf(out, MF_DIGEST_TEXT, "any of the images");
}

static int fail_not_there(const struct mf_write *w, struct mf_err *err)
{
	char images[MF_DIGEST_TEXT];
	name_images(w, images);
	return mf_fail(err, MF_E_NOT_FOUND, 0, "no '%s' record for %s", w->o->type, images);
}

static int fail_no_role(const struct mf_write *w, const struct roles *all, struct mf_err *err)
{
	struct mf_signer s;
	const struct mf_key_info *k;
	char list[400];
	if (w->o->role)
		return mf_fail(err, MF_E_USAGE, 0, "role '%s' may not sign '%s'", w->o->role, w->o->type);
	struct roles holders = *all;
	keep_holders(w, &holders);
	if (w->op->needs_entry && !holders.n)
		return fail_not_there(w, err);
	if (all->n == 1)
		return role_signer(w, all->v[0], &s, &k, err); /* its own message lists the keys */
	list_roles(all, list, sizeof list);
	return mf_fail(err, MF_E_KEY, 0, "no key on this machine belongs to a role that may sign '%s': %s",
		       w->o->type, list);
}

/* The hint names other roles that hold such records: the user may have meant one of them. */
static int fail_no_entry(const struct mf_write *w, const struct roles *all, const struct roles *ours,
			 struct mf_err *err)
{
	struct roles holders = *all;
	char list[400], images[MF_DIGEST_TEXT];
	keep_holders(w, &holders);
	list_roles(&holders, list, sizeof list);
	if (!holders.n)
		return fail_not_there(w, err);
	name_images(w, images);
	(void)mf_fail(err, MF_E_NOT_FOUND, 0, "role '%s' has no '%s' record for %s", ours->v[0]->name,
		      w->o->type, images);
	mf_err_set_hint(err, "roles that have such records: %s", list);
	return -1;
}

int mf_write_choose_role(struct mf_write *w, struct mf_err *err)
{
	struct roles all, ours, fit;
	char list[400];
	find_roles(w, &all);
	if (find_ours(w, &all, &ours, err) < 0)
		return -1;
	if (!ours.n)
		return fail_no_role(w, &all, err);
	fit = ours;
	if (ours.n > 1 || w->op->needs_entry)
		keep_holders(w, &fit);
	if (!fit.n)
		return fail_no_entry(w, &all, &ours, err);
	if (fit.n > 1) {
		list_roles(&fit, list, sizeof list);
		(void)mf_fail(err, MF_E_AMBIGUOUS, 0,
			      "keys on this machine may sign '%s' in several roles: %s", w->o->type, list);
		mf_err_set_hint(err, "choose one with --role");
		return -1;
	}
	mf_env_log(&w->m->env, MF_LOG_DEBUG, "role %s: %zu role%s may sign '%s', %zu with a key that is here",
		   fit.v[0]->name, all.n, all.n == 1 ? "" : "s", w->o->type, ours.n);
	w->role = mf_str_dup(mf_str_c(fit.v[0]->name));
	if (!w->role)
		return mf_fail_nomem(err);
	if (role_signer(w, fit.v[0], &w->signer, &w->key, err) < 0)
		return -1;
	mf_env_log(
	    &w->im->m->env, MF_LOG_DEBUG, "signing for role '%s' with key '%s': %s", w->role, w->key->name,
	    w->o->role ? "as --role says" : "no other role for the type accepts a key on this machine");
	return 0;
}
