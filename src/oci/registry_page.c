/* Answers that come in pages (distribution-spec 1.1, "Listing Tags", "Listing Referrers"). */
#include <stdio.h>
#include <strings.h>

#include "oci/registry.h"

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
static int go_to(struct mf_exchange *x, struct mf_str target, struct mf_err *err)
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
		return mf_fail(err, MF_E_FORMAT, 0, "the next page is at '%s'", mf_esc(&e, target));
	}
	if (mf_buf_add_str(&path, target, err))
		return -1;
	char *taken = mf_buf_take(&path);
	mf_exchange_clear(x);
	if (mf_exchange_init(x, reg, "GET", MF_ACCESS_PULL, err, "tags/list")) {
		free(taken);
		return -1;
	}
	free(x->path);
	x->path = taken;
	return taken ? 0 : mf_fail_nomem(err);
}

int mf_registry_next_page(struct mf_exchange *x, struct mf_err *err)
{
	struct mf_str next = next_link(x->res->link);
	if (next.n == 0)
		return 0;
	return go_to(x, next, err) ? -1 : 1;
}
