/* Listings of the files in a trust repository. */
#include "trust/repo.h"

#include "base/limits.h"

void mf_listing_clear(struct mf_listing *l)
{
	mf_arena_clear(&l->arena);
	free(l->v);
	*l = (struct mf_listing)MF_LISTING_INIT;
}

int mf_listing_add(struct mf_listing *l, const struct mf_stored *file, struct mf_err *err)
{
	if (l->n == MF_MAX_STORED_FILES)
		return mf_fail(err, MF_E_USAGE, 0, "there are more than %zu files", MF_MAX_STORED_FILES);
	if (mf_grow((void **)&l->v, &l->cap, l->n, sizeof *l->v, err) < 0)
		return -1;
	struct mf_stored *f = &l->v[l->n];
	*f = *file;
	f->name = mf_arena_dup(&l->arena, mf_str_c(file->name), err);
	if (!f->name)
		return -1;
	l->n++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct mf_stored *)a)->name, ((const struct mf_stored *)b)->name);
}

void mf_listing_sort(struct mf_listing *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_name);
}

const struct mf_stored *mf_listing_find(const struct mf_listing *l, const char *name)
{
	const struct mf_stored wanted = {.name = name};
	return l->n ? bsearch(&wanted, l->v, l->n, sizeof *l->v, by_name) : NULL;
}
