/* Finds the role that lists a target: the search of section 5.6.7. */
#include <assert.h>

#include "base/limits.h"
#include "tuf/internal.h"

void mf_tuf_search_init(struct mf_tuf_search *s, struct mf_tuf_set *set, struct mf_str name, size_t max)
{
	assert(set->nroles);
	*s = (struct mf_tuf_search){.set = set, .name = name, .max = max, .at = set->roles[0]};
}

void mf_tuf_search_clear(struct mf_tuf_search *s)
{
	free(s->todo);
	free(s->visited);
	*s = (struct mf_tuf_search){0};
}

static bool was_visited(const struct mf_tuf_search *s, const char *role)
{
	for (size_t i = 0; i < s->nvisited; i++)
		if (strcmp(s->visited[i], role) == 0)
			return true;
	return false;
}

/* Puts the delegations of s->at that cover the name on the stack, the first one on top. No delegation is
 * visited after a terminating one (5.6.7.2.1): those listed after it, and all that are on the stack, are
 * dropped. */
static int push_delegations(struct mf_tuf_search *s, struct mf_err *err)
{
	const struct mf_tuf_file *f = s->at->file;
	size_t n = 0;
	while (n < f->nroles) {
		const struct mf_tuf_role *role = &f->roles[n++];
		if (role->terminating && mf_tuf_role_covers(s->set->d, role, s->name)) {
			s->ntodo = 0;
			break;
		}
	}
	while (n-- > 0) {
		if (!mf_tuf_role_covers(s->set->d, &f->roles[n], s->name))
			continue;
		if (mf_grow((void **)&s->todo, &s->cap, s->ntodo, sizeof *s->todo, err) < 0)
			return -1;
		s->todo[s->ntodo++] = (struct mf_tuf_edge){s->at, &f->roles[n]};
	}
	return 0;
}

/* The role as loaded for this very delegation: a delegator may list a role twice, with different keys and
 * paths. */
static const struct mf_tuf_loaded *loaded_for(const struct mf_tuf_set *set, const struct mf_tuf_edge *w)
{
	for (size_t i = 0; i < set->nroles; i++)
		if (set->roles[i]->parent == w->parent && set->roles[i]->delegation == w->role)
			return set->roles[i];
	return NULL;
}

static int visit(struct mf_tuf_search *s, const struct mf_tuf_edge *w, struct mf_err *err)
{
	struct mf_esc e;
	if (!mf_tuf_meta_find(s->set->snapshot, w->role->name))
		return mf_fail(err, MF_E_FORMAT, 0, "the snapshot does not list the delegated role '%s'",
			       mf_esc(&e, mf_str_c(w->role->name)));
	if (s->nvisited == s->max)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %zu delegations in the search for '%s'",
			       s->max, mf_esc(&e, s->name));
	if (mf_grow((void **)&s->visited, &s->visited_cap, s->nvisited, sizeof *s->visited, err) < 0)
		return -1;
	s->visited[s->nvisited++] = w->role->name;
	return 0;
}

enum mf_found mf_tuf_search_next(struct mf_tuf_search *s, struct mf_tuf_edge *w, ptrdiff_t *index,
				 struct mf_err *err)
{
	if (!s->at)
		s->at = loaded_for(s->set, &s->pending);
	assert(s->at);
	for (;;) {
		*index = mf_tuf_target_find(s->at->file, s->name);
		if (*index >= 0)
			return MF_ABSENT;
		if (push_delegations(s, err) < 0)
			return MF_FAILED;
		do {
			if (!s->ntodo)
				return MF_ABSENT;
			*w = s->todo[--s->ntodo];
		} while (was_visited(s, w->role->name));
		if (visit(s, w, err) < 0)
			return MF_FAILED;
		s->at = loaded_for(s->set, w);
		s->pending = *w;
		if (!s->at)
			return MF_FOUND;
	}
}
