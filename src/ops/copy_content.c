/* The content of promoted records: mounted when one registry has both repositories, otherwise fetched,
 * verified and stored. */
#include "ops/copy.h"
#include "publish/publish.h"

/* The contents of all plans, each once, since records of two images may have the same content. */
struct contents {
	struct mf_copy_plan **v; /* the first plan that has it */
	struct mf_digest *digests;
	bool *present;
	size_t n;
};

static void contents_clear(struct contents *c)
{
	free(c->v);
	free(c->digests);
	free(c->present);
}

static bool is_new(const struct mf_copy_plan *p)
{
	return !p->item->unchanged;
}

static int by_content(const void *a, const void *b)
{
	const struct mf_copy_plan *x = *(struct mf_copy_plan *const *)a,
				  *y = *(struct mf_copy_plan *const *)b;
	int c = memcmp(x->content.digest.b, y->content.digest.b, 32);
	return c ? c : is_new(y) - is_new(x);
}

/* Lists each content once, by the plan of a new record if there is one: for these, the destination is not
 * asked whether it has the content. */
static int list_contents(const struct mf_copy_target *t, struct contents *c, struct mf_err *err)
{
	c->v = mf_calloc(t->nplans, sizeof(struct mf_copy_plan *));
	c->digests = mf_calloc(t->nplans, sizeof *c->digests);
	c->present = mf_calloc(t->nplans, sizeof *c->present);
	if (!c->v || !c->digests || !c->present)
		return mf_fail_nomem(err);
	memcpy(c->v, t->plans, t->nplans * sizeof *c->v);
	qsort(c->v, t->nplans, sizeof *c->v, by_content);
	for (size_t i = 0; i < t->nplans; i++) {
		if (c->n && mf_digest_eq(&c->digests[c->n - 1], &c->v[i]->content.digest))
			continue;
		c->v[c->n] = c->v[i];
		c->digests[c->n++] = c->v[i]->content.digest;
	}
	return 0;
}

/* Asks the destination for the contents of unchanged records, which are there unless they were lost. */
static int find_present(const struct mf_copy_target *t, struct contents *c, struct mf_err *err)
{
	struct mf_digest *asked MF_FREE = mf_calloc(c->n, sizeof *asked);
	bool *there MF_FREE = mf_calloc(c->n, sizeof *there);
	size_t n = 0;
	if (!asked || !there)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < c->n; i++)
		if (!is_new(c->v[i]))
			asked[n++] = c->digests[i];
	if (n && mf_blobs_have(t->pairs[0]->to.blobs, asked, n, there, err) < 0)
		return -1;
	n = 0;
	for (size_t i = 0; i < c->n; i++)
		c->present[i] = !is_new(c->v[i]) && there[n++];
	return 0;
}

/* Is the content of this source image in a registry? */
static bool is_registry(const struct mf_copy_target *t, const struct mf_image *im)
{
	return im->store_ref.transport == MF_TRANSPORT_REGISTRY && !t->run->source->bundle;
}

/* If source and destination are in one registry, asks it to mount the blobs, which it may decline. */
static int mount(const struct mf_copy_target *t, struct contents *c, struct mf_err *err)
{
	const struct mf_image *to = &t->pairs[0]->to;
	struct mf_blob_send *v MF_FREE = mf_calloc(c->n, sizeof *v);
	size_t *at MF_FREE = mf_calloc(c->n, sizeof *at);
	size_t n = 0;
	if (!v || !at)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < c->n; i++) {
		const struct mf_image *from = &c->v[i]->pair->from;
		if (c->present[i] || to->store_ref.transport != MF_TRANSPORT_REGISTRY ||
		    !is_registry(t, from) || strcmp(from->store_ref.registry, to->store_ref.registry) != 0)
			continue;
		at[n] = i;
		v[n++] = (struct mf_blob_send){.digest = c->digests[i], .from = from->store_ref.repository};
	}
	if (n && mf_blobs_send(to->blobs, v, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		c->present[at[i]] = v[i].done;
	return 0;
}

static int fetch(struct mf_copy_plan *p, struct mf_spool **out, struct mf_err *err)
{
	const struct mf_content_wanted wanted = {mf_str_c(p->item->name), &p->from.v[0].info, NULL};
	if (mf_content_get(&p->pair->from, &wanted, out, err) == 0)
		return 0;
	return mf_wrap(err, "content of '%s' of '%s'", p->type, p->pair->given->from);
}

/* How many small contents are transferred together. */
#define PART 32

struct part {
	size_t at[PART]; /* in the contents */
	struct mf_spool *blobs[PART];
	size_t n;
};

static void part_clear(struct part *p)
{
	for (size_t i = 0; i < p->n; i++)
		mf_spool_free(p->blobs[i]);
	p->n = 0;
}

/* Fetches contents that one source registry has in requests together; the others, and those that this fails
 * for, one by one from any place. */
static int fetch_part(const struct mf_copy_target *t, const struct contents *c, struct part *p,
		      struct mf_err *err)
{
	struct mf_image_store *from = c->v[p->at[0]]->pair->from.blobs;
	struct mf_blob_fetch v[PART];
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct mf_copy_plan *plan = c->v[p->at[i]];
		if (!is_registry(t, &plan->pair->from) || plan->pair->from.blobs != from)
			break;
		p->blobs[i] = mf_spool_new(plan->content.length, err);
		if (!p->blobs[i])
			return -1;
		v[n++] = (struct mf_blob_fetch){
		    .digest = plan->content.digest, .length = plan->content.length, .out = p->blobs[i]};
	}
	if (n && mf_blobs_fetch(from, v, n, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		if (i < n && v[i].done)
			continue;
		mf_spool_free(p->blobs[i]);
		p->blobs[i] = NULL;
		if (fetch(c->v[p->at[i]], &p->blobs[i], err) < 0)
			return -1;
	}
	return 0;
}

static int send_part(const struct mf_copy_target *t, const struct contents *c, struct part *p,
		     struct mf_err *err)
{
	struct mf_image_store *to = t->pairs[0]->to.blobs;
	struct mf_blob_send v[PART];
	if (fetch_part(t, c, p, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		v[i] = (struct mf_blob_send){.digest = c->digests[p->at[i]],
					     .length = c->v[p->at[i]]->content.length,
					     .blob = p->blobs[i]};
	if (mf_blobs_send(to, v, p->n, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (!v[i].done && mf_blob_put(to, v[i].blob, &v[i].digest, v[i].length, err) < 0)
			return -1;
	part_clear(p);
	return 0;
}

static int stream(const struct mf_copy_target *t, struct contents *c, struct mf_err *err)
{
	struct part small MF_CLEANUP(part_clear) = {.n = 0};
	for (size_t i = 0; i < c->n; i++) {
		struct mf_copy_plan *p = c->v[i];
		struct mf_spool *blob MF_SPOOL_CLEANUP = NULL;
		if (c->present[i])
			continue;
		if (p->content.length <= MF_BLOB_UNASKED) {
			small.blobs[small.n] = NULL;
			small.at[small.n++] = i;
			if (small.n == PART && send_part(t, c, &small, err) < 0)
				return -1;
			continue;
		}
		if (fetch(p, &blob, err) < 0 ||
		    mf_blob_put(t->pairs[0]->to.blobs, blob, &p->content.digest, p->content.length, err) < 0)
			return -1;
	}
	return small.n ? send_part(t, c, &small, err) : 0;
}

/* Trust repositories in a directory or a bucket also keep the content as target files. */
static int store_targets(const struct mf_copy_target *t, struct mf_err *err)
{
	struct mf_image *to = &t->pairs[0]->to;
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if (!mf_trust_keeps_targets(to->trust))
		return 0;
	if (mf_publish_lock(to->trust, &lock, err) < 0)
		return -1;
	for (size_t i = 0; i < t->nplans; i++) {
		struct mf_spool *blob MF_SPOOL_CLEANUP = NULL;
		struct mf_copy_plan *p = t->plans[i];
		if (is_new(p) &&
		    (fetch(p, &blob, err) < 0 ||
		     mf_content_put_target(to, mf_str_c(p->item->name), blob, &p->content.digest, err) < 0))
			return -1;
	}
	return 0;
}

int mf_copy_content(struct mf_copy_target *t, struct mf_err *err)
{
	struct contents c MF_CLEANUP(contents_clear) = {0};
	if (list_contents(t, &c, err) < 0 || find_present(t, &c, err) < 0 || mount(t, &c, err) < 0 ||
	    stream(t, &c, err) < 0)
		return mf_wrap(err, "copy the content");
	return store_targets(t, err) < 0 ? mf_wrap(err, "store the target file") : 0;
}
