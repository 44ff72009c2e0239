/* A pool: the stores and trust repositories that the images of one run share. Trust metadata is loaded once
 * for each repository. */
#include <assert.h>

#include "ops/ops.h"

static void trust_free(struct mf_pool_trust *t)
{
	mf_trust_close(t->trust);
	free(t->paths);
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

/* ---- loading */

static size_t octets(const struct mf_tuf_set *set)
{
	size_t n = 1;
	for (size_t i = 0; i < set->nroles; i++)
		n += set->roles[i]->file->bytes.n + set->roles[i]->file->rest.n +
		     set->roles[i]->file->canonical_buf.n;
	return n;
}

void mf_pool_weigh(struct mf_pool_trust *t)
{
	t->held = octets(mf_trust_set(t->trust));
}

void mf_pool_begin(struct mf_pool_trust *t, const struct mf_load *how)
{
	if (t->begun)
		return;
	t->begun = true;
	t->tried = mf_trust_load_begin(t->trust, how, &t->failed) < 0;
}

static void step(const struct mf_pool *p, struct mf_pool_trust *t)
{
	enum mf_found found = t->loaded ? MF_FOUND : mf_trust_load_step(t->trust, &t->failed);
	t->loaded = found == MF_FOUND;
	if (t->loaded && p->then)
		found = p->then(p->then_arg, t, &t->failed);
	t->tried = found != MF_ABSENT;
	if (found == MF_FOUND)
		mf_pool_weigh(t);
}

int mf_pool_need(struct mf_pool *p, const struct mf_pool_trust *t, struct mf_err *err)
{
	assert(t->begun);
	while (!t->tried)
		for (size_t i = 0; i < p->ntrusts; i++)
			if (p->trusts[i]->begun && !p->trusts[i]->tried)
				step(p, p->trusts[i]);
	if (!t->failed.code)
		return 0;
	*err = t->failed;
	return -1;
}
