#include "policy/distinct.h"

#define NOBODY SIZE_MAX

/* The distinct keys of all shares, and the share that each is assigned to: a matching, enlarged along
 * augmenting paths. */
struct keys {
	struct mf_pubkey **v;
	size_t *owner; /* index of a share, or NOBODY */
	size_t n;
	bool *visited; /* shares that the search for a path has visited */
};

static void keys_clear(struct keys *k)
{
	free(k->v);
	free(k->owner);
	free(k->visited);
}

static size_t key_index(const struct keys *k, const struct mf_pubkey *key)
{
	size_t i = 0;
	while (i < k->n && !mf_pubkey_eq(k->v[i], key))
		i++;
	return i;
}

static int collect(struct keys *k, const struct mf_share *v, size_t n, struct mf_err *err)
{
	size_t room = 0;
	for (size_t i = 0; i < n; i++)
		room += v[i].nkeys;
	k->v = mf_calloc(room, sizeof *k->v);
	k->owner = mf_calloc(room, sizeof *k->owner);
	k->visited = mf_calloc(n, sizeof *k->visited);
	if (!k->v || !k->owner || !k->visited)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < v[i].nkeys; j++) {
			if (key_index(k, v[i].keys[j]) < k->n)
				continue;
			k->owner[k->n] = NOBODY;
			k->v[k->n++] = v[i].keys[j];
		}
	return 0;
}

/* Finds one more key for a share: a free one, or that of another share which finds a replacement for it. Each
 * share is visited once, so that their number limits the depth of the recursion. */
static bool take_one(struct keys *k, const struct mf_share *v, size_t share)
{
	k->visited[share] = true;
	for (size_t j = 0; j < v[share].nkeys; j++) {
		size_t key = key_index(k, v[share].keys[j]);
		size_t owner = k->owner[key];
		if (owner != NOBODY && (k->visited[owner] || !take_one(k, v, owner)))
			continue;
		k->owner[key] = share;
		return true;
	}
	return false;
}

static bool take_all(struct keys *k, const struct mf_share *v, size_t n, size_t share)
{
	for (int64_t i = 0; i < v[share].need; i++) {
		memset(k->visited, 0, n * sizeof *k->visited);
		if (!take_one(k, v, share))
			return false;
	}
	return true;
}

/* Leaves each share its own keys. A free key goes to the first share that has it. */
static void reduce(struct keys *k, struct mf_share *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t kept = 0;
		for (size_t j = 0; j < v[i].nkeys; j++) {
			size_t key = key_index(k, v[i].keys[j]);
			if (k->owner[key] == NOBODY)
				k->owner[key] = i;
			if (k->owner[key] == i)
				v[i].keys[kept++] = v[i].keys[j];
		}
		v[i].nkeys = kept;
	}
}

int mf_distinct_assign(struct mf_share *v, size_t n, size_t *unmet, struct mf_err *err)
{
	struct keys k MF_CLEANUP(keys_clear) = {0};
	if (collect(&k, v, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!take_all(&k, v, n, i)) {
			*unmet = i;
			return 0;
		}
	reduce(&k, v, n);
	*unmet = n;
	return 0;
}

static const struct mf_share *other_with(const struct mf_share *v, size_t n, size_t at,
					 const struct mf_pubkey *key)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; i != at && j < v[i].nkeys; j++)
			if (mf_pubkey_eq(v[i].keys[j], key))
				return &v[i];
	return NULL;
}

int mf_distinct_words(const struct mf_share *v, size_t n, size_t at, const struct mf_names *names,
		      struct mf_buf *out, struct mf_err *err)
{
	char label[MF_NAME_LABEL];
	if (mf_buf_printf(out, err, "too few keys of its own: %ssigned by",
			  v[at].original ? "its original " : "") < 0)
		return -1;
	for (size_t j = 0; j < v[at].nkeys; j++) {
		const struct mf_share *other = other_with(v, n, at, v[at].keys[j]);
		if (mf_buf_printf(out, err, "%s %s%s%s%s", j ? "," : "",
				  mf_names_label(names, v[at].keys[j], label),
				  other ? " (who signed for '" : "", other ? other->type : "",
				  other ? "', too)" : "") < 0)
			return -1;
	}
	return 0;
}
