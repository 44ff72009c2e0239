/* What the images of one run share: connections to places, and trust metadata that are loaded once. */
#include "ops/ops.h"

static void trust_free(struct mf_pool_trust *t)
{
	mf_trust_close(t->trust);
	free(t->name);
	free(t);
}

void mf_pool_clear(struct mf_pool *p)
{
	for (size_t i = 0; i < p->ntrusts; i++)
		trust_free(p->trusts[i]);
	for (size_t i = 0; i < p->nstores; i++) {
		mf_image_store_free(p->stores[i].store);
		free(p->stores[i].name);
	}
	free(p->trusts);
	free(p->stores);
	*p = (struct mf_pool){0};
}

struct mf_image_store *mf_pool_find_store(const struct mf_pool *p, const char *name)
{
	for (size_t i = 0; i < p->nstores; i++)
		if (strcmp(p->stores[i].name, name) == 0)
			return p->stores[i].store;
	return NULL;
}

int mf_pool_add_store(struct mf_pool *p, const char *name, struct mf_image_store *s, struct mf_err *err)
{
	char *copy = mf_str_dup(mf_str_c(name));
	if (!copy || mf_grow((void **)&p->stores, &p->stores_cap, p->nstores, sizeof *p->stores, err) < 0) {
		free(copy);
		mf_image_store_free(s);
		return copy ? -1 : mf_fail_nomem(err);
	}
	p->stores[p->nstores++] = (struct mf_pool_store){copy, s};
	return 0;
}

struct mf_pool_trust *mf_pool_trust(struct mf_pool *p, const char *name, struct mf_err *err)
{
	for (size_t i = 0; i < p->ntrusts; i++)
		if (strcmp(p->trusts[i]->name, name) == 0)
			return p->trusts[i];
	if (mf_grow((void **)&p->trusts, &p->trusts_cap, p->ntrusts, sizeof(struct mf_pool_trust *), err) < 0)
		return NULL;
	struct mf_pool_trust *t = calloc(1, sizeof *t);
	char *copy = mf_str_dup(mf_str_c(name));
	if (!t || !copy) {
		free(t);
		free(copy);
		(void)mf_fail_nomem(err);
		return NULL;
	}
	t->name = copy;
	p->trusts[p->ntrusts++] = t;
	return t;
}

static size_t oldest_unused(const struct mf_pool *p)
{
	size_t at = p->ntrusts;
	for (size_t i = 0; i < p->ntrusts; i++)
		if (!p->trusts[i]->users && p->trusts[i]->held &&
		    (at == p->ntrusts || p->trusts[i]->last_use < p->trusts[at]->last_use))
			at = i;
	return at;
}

void mf_pool_trim(struct mf_pool *p, size_t max)
{
	size_t held = 0;
	for (size_t i = 0; i < p->ntrusts; i++)
		held += p->trusts[i]->held;
	while (held > max) {
		size_t at = oldest_unused(p);
		if (at == p->ntrusts)
			return;
		held -= p->trusts[at]->held;
		trust_free(p->trusts[at]);
		p->trusts[at] = p->trusts[--p->ntrusts];
	}
}
