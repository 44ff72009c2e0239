#include <stdio.h>
#include <strings.h>

#include "base/limits.h"
#include "json/json.h"
#include "oci/registry.h"

/* A subject with more is not ours; merging is quadratic and a hostile registry chooses the number. */
#define MAX_REFERRERS 10000
#define MAX_PAGES 1000

/* The target of the first link with rel="next" (RFC 8288 section 3); empty when there is none. */
static struct mf_str next_link(const char *header)
{
	for (const char *p = header; (p = strchr(p, '<'));) {
		const char *end = strchr(p, '>');
		if (!end)
			break;
		struct mf_str target = {p + 1, (size_t)(end - p - 1)};
		size_t params = strcspn(end, "<");
		char text[256];
		size_t n = params < sizeof(text) ? params : sizeof(text) - 1;
		memcpy(text, end, n);
		text[n] = '\0';
		if (strcasestr(text, "rel=\"next\"") || strcasestr(text, "rel=next"))
			return target;
		p = end;
	}
	return (struct mf_str){"", 0};
}

/* Makes the exchange for the next page. Only a path of this registry is taken: a page elsewhere is not its
 * answer. */
static int next_page(struct mf_exchange *x, struct mf_str target, struct mf_err *err)
{
	struct mf_registry *reg = x->reg;
	char origin[512];
	size_t n =
	    (size_t)snprintf(origin, sizeof(origin), "%s://%s", reg->https ? "https" : "http", reg->host);
	if (target.n > n && strncasecmp(target.p, origin, n) == 0 && target.p[n] == '/')
		target = (struct mf_str){target.p + n, target.n - n};
	struct mf_buf path MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	if (target.n && target.p[0] == '?') {
		const char *now = x->path;
		if (mf_buf_add(&path, now, strcspn(now, "?"), err))
			return -1;
	} else if (!mf_str_starts(target, MF_STR("/v2/"))) {
		struct mf_esc e;
		return mf_fail(err, MF_E_FORMAT, 0, "list referrers: the next page is at '%s'",
			       mf_esc(&e, target));
	}
	if (mf_buf_add_str(&path, target, err))
		return -1;
	char *taken = mf_buf_take(&path);
	mf_exchange_clear(x);
	if (mf_exchange_init(x, reg, "GET", MF_ACCESS_PULL, err, "referrers/")) {
		free(taken);
		return -1;
	}
	free(x->path);
	x->path = taken;
	return taken ? 0 : mf_fail_nomem(err);
}

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
		struct mf_str next = next_link(x->res->link);
		if (next.n == 0)
			return 0;
		if (page + 1 == MAX_PAGES)
			return mf_fail(err, MF_E_FORMAT, 0, "list referrers: more than %d pages", MAX_PAGES);
		if (next_page(x, next, err))
			return -1;
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

int mf_registry_referrers(void *b, const struct mf_digest *subject, struct mf_descriptors *out, bool *api,
			  struct mf_err *err)
{
	struct mf_exchange from_api MF_EXCHANGE_CLEANUP = {0}, fallback MF_EXCHANGE_CLEANUP = {0};
	char digest[MF_DIGEST_TEXT], tag[80];
	mf_digest_format(digest, subject);
	mf_referrers_tag(tag, subject);
	if (mf_exchange_init(&from_api, b, "GET", MF_ACCESS_PULL, err, "referrers/%s", digest) ||
	    mf_exchange_init(&fallback, b, "GET", MF_ACCESS_PULL, err, "manifests/%s", tag))
		return -1;
	ask_for_index(&from_api);
	mf_exchange_header(&fallback, mf_registry_accept);
	fallback.req.max_bytes = MF_MAX_MANIFEST_BYTES;
	if (mf_exchange_begin(&from_api, err) || mf_exchange_begin(&fallback, err))
		return -1;
	if (read_api(&from_api, out, api, err))
		return -1;
	return read_fallback(&fallback, out, err);
}
