#include "base/limits.h"
#include "json/json.h"
#include "oci/registry.h"

/* A subject with more is not ours; merging is quadratic and a hostile registry chooses the number. */
#define MAX_REFERRERS 10000
#define MAX_PAGES 1000

static void ask_for_index(struct mf_exchange *x)
{
	mf_exchange_header(x, "Accept: " MF_MT_OCI_INDEX);
	x->req.max_bytes = MF_MAX_MANIFEST_BYTES;
}

static int merge_page(struct mf_descriptors *list, struct mf_bytes body, struct mf_err *err)
{
	json_t *index MF_JSON_CLEANUP = mf_json_load(body, MF_MAX_MANIFEST_BYTES, err);
	if (!index || mf_descriptors_merge(list, index, err))
		return -1;
	if (list->n > MAX_REFERRERS)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d referrers", MAX_REFERRERS);
	return 0;
}

static int read_api(struct mf_exchange *x, struct mf_descriptors *out, bool *api, struct mf_err *err)
{
	if (mf_exchange_end(x, err))
		return -1;
	*api = x->res->status != 404;
	for (unsigned page = 0; *api; page++) {
		if (!mf_exchange_ok(x))
			return mf_exchange_fail(x, "list referrers", err);
		if (merge_page(out, mf_buf_bytes(&x->res->body), err))
			return mf_wrap(err, "list referrers");
		int rc = mf_registry_next_page(x, err);
		if (rc <= 0)
			return rc < 0 ? mf_wrap(err, "list referrers") : 0;
		if (page + 1 == MAX_PAGES)
			return mf_fail(err, MF_E_FORMAT, 0, "list referrers: more than %d pages", MAX_PAGES);
		ask_for_index(x);
		if (mf_exchange_run(x, err))
			return -1;
	}
	return 0;
}

static int read_fallback(struct mf_exchange *x, struct mf_descriptors *out, struct mf_err *err)
{
	if (mf_exchange_end(x, err))
		return -1;
	if (x->res->status == 404)
		return 0;
	if (!mf_exchange_ok(x))
		return mf_exchange_fail(x, "read the referrers index", err);
	if (merge_page(out, mf_buf_bytes(&x->res->body), err))
		return mf_wrap(err, "read the referrers index");
	return 0;
}

/* The two requests of one subject. */
struct pair {
	struct mf_exchange api, fallback;
	bool ask_api;
};

static void pair_clear(struct pair *p)
{
	mf_exchange_clear(&p->api);
	mf_exchange_clear(&p->fallback);
}

static void pairs_clear(struct pair **window)
{
	for (size_t i = 0; *window && i < MF_REGISTRY_WINDOW; i++)
		pair_clear(&(*window)[i]);
	free(*window);
}

static int pair_begin(struct pair *p, struct mf_registry *reg, const struct mf_digest *subject, bool ask_api,
		      struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT], tag[80];
	mf_digest_format(digest, subject);
	mf_referrers_tag(tag, subject);
	p->ask_api = ask_api;
	if (mf_exchange_init(&p->fallback, reg, "GET", MF_ACCESS_PULL, err, "manifests/%s", tag))
		return -1;
	mf_exchange_header(&p->fallback, mf_registry_accept);
	p->fallback.req.max_bytes = MF_MAX_MANIFEST_BYTES;
	if (ask_api && mf_exchange_init(&p->api, reg, "GET", MF_ACCESS_PULL, err, "referrers/%s", digest))
		return -1;
	if (ask_api)
		ask_for_index(&p->api);
	if (ask_api && mf_exchange_begin(&p->api, err))
		return -1;
	return mf_exchange_begin(&p->fallback, err);
}

static int pair_end(struct pair *p, struct mf_descriptors *list, bool *api, struct mf_err *err)
{
	*api = false;
	if (p->ask_api && read_api(&p->api, list, api, err))
		return -1;
	int rc = read_fallback(&p->fallback, list, err);
	pair_clear(p);
	return rc;
}

int mf_registry_referrers(void *b, const struct mf_digest *subjects, size_t n, mf_referrers_fn each,
			  void *arg, struct mf_err *err)
{
	struct pair *window MF_CLEANUP(pairs_clear) =
	    mf_calloc(MF_REGISTRY_WINDOW, sizeof(*window));
	size_t begun = 0;
	bool api = true;
	if (!window)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
		/* The first goes alone: it tells whether there is an API. */
		size_t ahead = i ? MF_REGISTRY_WINDOW : 1;
		for (; begun < n && begun < i + ahead; begun++)
			if (pair_begin(&window[begun % MF_REGISTRY_WINDOW], b, &subjects[begun], api, err))
				return -1;
		bool has_api;
		if (pair_end(&window[i % MF_REGISTRY_WINDOW], &list, &has_api, err))
			return -1;
		api = i ? api : has_api;
		if (each(arg, i, &list, has_api, err))
			return -1;
	}
	return 0;
}
