/* Notary v1's HTTP API. */
#include <stdio.h>

#include "base/encode.h"
#include "trust/names.h"
#include "trust/repo.h"

struct notary {
	struct mf_repo repo;
	const struct mf_trust_config *cfg;
	char *base;              /* .../v2/GUN/_trust/tuf/ */
	char *pull, *push, *all; /* scopes */
};

struct mf_fetch {
	struct notary *n;
	struct mf_http_call *call;
	char *url;
	int64_t *seen;
};

static void notary_close(struct mf_repo *r)
{
	struct notary *n = (struct notary *)r;
	free(n->repo.where);
	free(n->base);
	free(n->pull);
	free(n->push);
	free(n->all);
	free(n);
}

static char *text(struct mf_err *err, const char *fmt, ...) MF_PRINTF(2, 3);
static char *text(struct mf_err *err, const char *fmt, ...)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	va_list ap;
	va_start(ap, fmt);
	int rc = mf_buf_vprintf(&b, err, fmt, ap);
	va_end(ap);
	return rc < 0 ? NULL : mf_buf_take(&b);
}

static struct mf_repo *notary_open(const struct mf_repo_ops *ops, const char *rest, const char *gun,
				   const struct mf_trust_config *cfg, struct mf_err *err)
{
	struct mf_buf path MF_BUF_CLEANUP = MF_BUF_INIT(4096), where MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	if (mf_trust_name_server(&where, ops->scheme, rest, err) < 0)
		return NULL;
	/* Users copy URLs from logs: remove the API's prefix /v2 from the end. */
	while (mf_str_ends(mf_buf_str(&where), MF_STR("/v2")) || mf_str_ends(mf_buf_str(&where), MF_STR("/")))
		where.p[where.n -= where.p[where.n - 1] == '/' ? 1 : 3] = 0;
	/* With the URL of a single repository every request would get 404, and the repository would be
	 * reported as gone. */
	if (strstr(where.p, "/_trust/tuf")) {
		(void)mf_fail(err, MF_E_USAGE, 0, "trust server '%s' is the URL of one repository", where.p);
		mf_err_set_hint(err, "give the server's own URL: what stands before /v2/");
		return NULL;
	}
	/* The server matches paths after decoding and redirects "//" and dot segments: no GUN contains
	 * these. */
	if (mf_pct_encode(&path, mf_str_c(gun), "/:", err) < 0)
		return NULL;
	struct notary *n = calloc(1, sizeof *n);
	if (!n) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	n->repo.ops = ops;
	n->cfg = cfg;
	n->base = text(err, "%s/v2/%s/_trust/tuf/", mf_buf_str(&where).p, mf_buf_str(&path).p);
	n->repo.where = n->base ? text(err, "%s", mf_buf_str(&where).p) : NULL;
	n->pull = n->repo.where ? text(err, "repository:%s:pull", gun) : NULL;
	n->push = n->pull ? text(err, "repository:%s:push,pull", gun) : NULL;
	n->all = n->push ? text(err, "repository:%s:*", gun) : NULL;
	if (n->all && mf_http_url_allowed(cfg->http, n->base))
		return &n->repo;
	if (n->all) {
		(void)mf_fail(err, MF_E_USAGE, 0, "plain HTTP to trust server '%s'", n->repo.where);
		mf_err_set_hint(err, "use https://, or allow it with --plain-http");
	}
	notary_close(&n->repo);
	return NULL;
}

static void notary_cancel(struct mf_fetch *f)
{
	if (!f)
		return;
	mf_http_call_free(f->call);
	free(f->url);
	free(f);
}

static char *fetch_url(struct notary *n, const struct mf_fetch_key *key, struct mf_err *err)
{
	char hex[65];
	switch (key->by) {
	case MF_BY_VERSION:
		return text(err, "%s%lld.%s.json", n->base, (long long)key->version, key->role);
	case MF_BY_SHA256:
		mf_digest_hex(hex, &key->sha256);
		return text(err, "%s%s.%s.json", n->base, key->role, hex);
	case MF_BY_NAME:
		break;
	}
	return text(err, "%s%s.json", n->base, key->role);
}

static struct mf_fetch *notary_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct notary *n = (struct notary *)r;
	struct mf_fetch *f = calloc(1, sizeof *f);
	if (!f) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	f->n = n;
	f->seen = key->seen;
	f->url = fetch_url(n, key, err);
	struct mf_http_request req = {
	    .url = f->url, .auth = n->cfg->auth, .scope = n->pull, .max_bytes = key->max};
	if (f->url && mf_http_submit(n->cfg->http, &req, &f->call, err) == 0)
		return f;
	notary_cancel(f);
	return NULL;
}

/* Fails with the reason of an answer. A 404 is about the server here, not about a record or an image. An HTML
 * page does not come from a trust server, whatever its status. */
static int server_error(const struct mf_http_call *call, const struct mf_http_response *res, const char *what,
			struct mf_err *err)
{
	if (mf_http_is_web_page(res) && (res->status / 100 == 2 || res->status == 404))
		return mf_http_web_page_error(
		    call, what, "is the URL right, or does a proxy or a login page stand before the server?",
		    err);
	(void)mf_http_status_error(call, what, err);
	if (err->code == MF_E_NOT_FOUND) {
		(void)mf_recode(err, MF_E_UNAVAILABLE);
		mf_err_set_hint(err, "check that this is the URL of a Notary server");
	}
	return -1;
}

/* A 404 with Notary's JSON, or with an empty body, means that there is no such file; an HTML page is an
 * error. */
static enum mf_found await_file(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	struct mf_http_response *res;
	if (mf_http_await(f->call, &res, err) < 0)
		return MF_FAILED;
	if (f->seen)
		*f->seen = res->status == 200 ? res->last_modified : 0;
	bool page = mf_http_is_web_page(res);
	if (res->status == 404 && !page)
		return MF_ABSENT;
	if (res->status != 200 || page)
		return server_error(f->call, res, "read trust metadata", err);
	mf_buf_clear(out);
	*out = res->body;
	res->body = (struct mf_buf){.max = out->max};
	return MF_FOUND;
}

static enum mf_found notary_end(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	enum mf_found rc = await_file(f, out, err);
	notary_cancel(f);
	return rc;
}

bool mf_notary_lost_race(const struct mf_http_response *res, bool first)
{
	char code[64];
	mf_http_error_code(res, code);
	struct mf_str body = mf_buf_str(&res->body);
	if (res->status == 500)
		return strcmp(code, "UPDATING") == 0;
	if (res->status != 400 || strcmp(code, "INVALID_UPDATE") != 0)
		return res->status == 400 && strcmp(code, "VERSION") == 0;
	/* Not first: the shard was divided meanwhile, and its role no longer lists it. */
	const struct mf_str why = first ? MF_STR("ErrBadRoot") : MF_STR("delegation does not exist");
	return memmem(body.p, body.n, why.p, why.n) != NULL;
}

static int publish_error(const struct mf_http_call *call, const struct mf_http_response *res, bool first,
			 struct mf_err *err)
{
	struct mf_str body = mf_buf_str(&res->body);
	if (mf_notary_lost_race(res, first))
		return mf_fail(err, MF_E_CONFLICT, 0, "somebody else published at the same time");
	(void)server_error(call, res, "publish trust metadata", err);
	if (res->status == 400 && memmem(body.p, body.n, "no snapshot was included", 24)) {
		(void)mf_recode(err, MF_E_KEY);
		mf_err_set_hint(err, "the snapshot key of this repository is held by another client: only "
				     "its holder can publish");
	}
	return -1;
}

static int notary_publish(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
			  const struct mf_bytes *base, struct mf_err *err)
{
	struct notary *no = (struct notary *)r;
	struct mf_http_part *parts MF_FREE = mf_calloc(n, sizeof *parts);
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	if (!parts)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		parts[i] = (struct mf_http_part){"files", files[i].role, files[i].bytes};
	struct mf_http_request req = {.method = "POST",
				      .url = no->base,
				      .auth = no->cfg->auth,
				      .scope = no->push,
				      .parts = parts,
				      .nparts = n,
				      .no_retry = true};
	if (mf_http_submit(no->cfg->http, &req, &call, err) < 0 || mf_http_await(call, &res, err) < 0)
		return -1;
	bool done = res->status == 200 && !mf_http_is_web_page(res);
	return done ? 0 : publish_error(call, res, base == NULL, err);
}

/* POST makes a new key. It needs all permissions in the repository. */
static int notary_server_key(struct mf_repo *r, const char *role, enum mf_server_key which,
			     struct mf_buf *out, struct mf_err *err)
{
	struct notary *n = (struct notary *)r;
	bool make = which == MF_SERVER_KEY_NEW;
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	char *url MF_FREE = text(err, "%s%s.key", n->base, role);
	struct mf_http_request req = {.method = make ? "POST" : NULL,
				      .url = url,
				      .auth = n->cfg->auth,
				      .scope = make ? n->all : n->push,
				      .max_bytes = MF_MAX_ERROR_BODY,
				      .no_retry = make};
	if (!url || mf_http_submit(n->cfg->http, &req, &call, err) < 0 || mf_http_await(call, &res, err) < 0)
		return -1;
	if (res->status != 200 || mf_http_is_web_page(res))
		return server_error(call, res, make ? "make a new key on the server" : "get the server's key",
				    err);
	return mf_buf_add_str(out, mf_buf_str(&res->body), err);
}

#define NOTARY_OPS(prefix, use)                                                                              \
	{                                                                                                    \
		.scheme = (prefix), .usage = (use), .dialect = &mf_dialect_notary, .open = notary_open,      \
		.close = notary_close, .begin = notary_begin, .end = notary_end, .cancel = notary_cancel,    \
		.publish = notary_publish, .server_key = notary_server_key,                                  \
	}
const struct mf_repo_ops mf_repo_notary_http = NOTARY_OPS("http://", NULL);
const struct mf_repo_ops mf_repo_notary_https = NOTARY_OPS("https://", "https://HOST for a Notary server");
