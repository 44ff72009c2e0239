#include "tuf/changes.h"

#include <stdio.h>

#include "tuf/build.h"

struct comparison {
	const struct mf_dialect *d;
	const char *role;
	mf_tuf_change_fn fn;
	void *arg;
};

static int report(const struct comparison *c, const char *what, struct mf_pubkey *key, struct mf_str detail,
		  struct mf_err *err)
{
	struct mf_tuf_change change = {.what = what, .role = c->role, .key = key, .detail = detail};
	return c->fn(c->arg, &change, err);
}

/* ---- keys: two keys are the same if their public keys are equal, whatever their IDs. Keys that cannot be
 * used are compared by their IDs. */

static const struct mf_tuf_key *find_key(const struct mf_tuf_role *r, const struct mf_tuf_key *k)
{
	for (size_t i = 0; i < r->nkeys; i++) {
		const struct mf_tuf_key *o = r->keys[i];
		if (k->pub ? o->pub && mf_pubkey_eq(k->pub, o->pub) : !o->pub && mf_str_eq(k->id, o->id))
			return o;
	}
	return NULL;
}

static int report_key(const struct comparison *c, const char *what, const struct mf_tuf_key *k,
		      struct mf_err *err)
{
	return report(c, what, k->pub, k->pub ? (struct mf_str){NULL, 0} : k->id, err);
}

static int compare_keys(const struct comparison *c, const struct mf_tuf_role *before,
			const struct mf_tuf_role *after, struct mf_err *err)
{
	for (size_t i = 0; i < after->nkeys; i++) {
		const struct mf_tuf_key *k = after->keys[i], *old = before ? find_key(before, k) : NULL;
		if (!old && report_key(c, "key-added", k, err) < 0)
			return -1;
		if (old && k->x509 && !mf_str_eq(old->id, k->id) &&
		    report_key(c, "certificate-changed", k, err) < 0)
			return -1;
	}
	for (size_t i = 0; before && i < before->nkeys; i++)
		if (!find_key(after, before->keys[i]) &&
		    report_key(c, "key-removed", before->keys[i], err) < 0)
			return -1;
	return 0;
}

/* ---- paths */

static bool has_text(const struct mf_str *v, size_t n, struct mf_str text)
{
	for (size_t i = 0; i < n; i++)
		if (mf_str_eq(v[i], text))
			return true;
	return false;
}

struct path_names {
	const char *type, *path;
};

/* Reports the paths of `a` that `b` does not have. */
static int report_paths(const struct comparison *c, const struct mf_tuf_role *a, const struct mf_tuf_role *b,
			struct path_names names, struct mf_err *err)
{
	for (size_t i = 0; a && i < a->npaths; i++) {
		struct mf_str type = mf_tuf_path_type(c->d, a->paths[i]);
		if (b && has_text(b->paths, b->npaths, a->paths[i]))
			continue;
		if (report(c, type.n ? names.type : names.path, NULL, type.n ? type : a->paths[i], err) < 0)
			return -1;
	}
	return 0;
}

static bool same_prefixes(const struct mf_tuf_role *a, const struct mf_tuf_role *b)
{
	for (size_t i = 0; i < a->nhash_prefixes; i++)
		if (!has_text(b->hash_prefixes, b->nhash_prefixes, a->hash_prefixes[i]))
			return false;
	return a->nhash_prefixes == b->nhash_prefixes;
}

/* ---- roles */

static int compare_role(const struct comparison *c, const struct mf_tuf_role *before,
			const struct mf_tuf_role *after, struct mf_err *err)
{
	char threshold[24];
	(void)snprintf(threshold, sizeof threshold, "%lld", (long long)after->threshold);
	if (!before && report(c, "role-created", NULL, (struct mf_str){NULL, 0}, err) < 0)
		return -1;
	if (compare_keys(c, before, after, err) < 0)
		return -1;
	if (after->threshold != (before ? before->threshold : 1) &&
	    report(c, "threshold-changed", NULL, mf_str_c(threshold), err) < 0)
		return -1;
	if (report_paths(c, after, before, (struct path_names){"type-added", "path-added"}, err) < 0 ||
	    report_paths(c, before, after, (struct path_names){"type-removed", "path-removed"}, err) < 0)
		return -1;
	if (before && !same_prefixes(before, after))
		return report(c, "prefixes-changed", NULL, (struct mf_str){NULL, 0}, err);
	return 0;
}

/* Of several roles with one name, the first counts. */
static const struct mf_tuf_role *find_role(const struct mf_tuf_role *const *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i]->name, name) == 0)
			return v[i];
	return NULL;
}

int mf_tuf_roles_compare(const struct mf_tuf_role_lists *l, mf_tuf_change_fn fn, void *arg,
			 struct mf_err *err)
{
	struct comparison c = {.d = l->d, .fn = fn, .arg = arg};
	for (size_t i = 0; i < l->nafter; i++) {
		c.role = l->after[i]->name;
		if (find_role(l->after, i, c.role))
			continue;
		if (compare_role(&c, find_role(l->before, l->nbefore, c.role), l->after[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < l->nbefore; i++) {
		c.role = l->before[i]->name;
		if (find_role(l->before, i, c.role) || find_role(l->after, l->nafter, c.role))
			continue;
		if (report(&c, "role-removed", NULL, (struct mf_str){NULL, 0}, err) < 0)
			return -1;
	}
	return 0;
}
