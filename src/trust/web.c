/* A TUF 1.0 repository on any web server that serves files: unchanged copies of the files that directory.c
 * writes. Read-only. */
#include <stdio.h>

#include "base/encode.h"
#include "trust/names.h"
#include "trust/repo.h"

#define MAX_URL 8192

struct web {
	struct mf_repo repo;
	const struct mf_trust_config *cfg;
	char *base; /* ".../GUN/" */
};

struct mf_fetch {
	struct web *w;
	struct mf_http_call *call;
	char *url;
	char *other; /* URL to try if `url` gives 404, or NULL (set_file_urls) */
	size_t max;
	bool fresh;
	int64_t *seen;
};

/* RFC 9111 section 5.2.1.4. A shared cache that answers in place of the server could hide new records; a 404
 * that it stored, as section 3 allows, could hide a new root. */
static const char *const ask_the_server[] = {"Cache-Control: no-cache", NULL};

static void web_close(struct mf_repo *r)
{
	struct web *w = (struct web *)r;
	free(w->repo.where);
	free(w->base);
	free(w);
}

/* Appends the path of a file to a URL. The server decodes a request once: a '%' in a file name must be
 * encoded. */
static int add_path(struct mf_buf *url, const struct mf_buf *path, struct mf_err *err)
{
	return mf_pct_encode(url, mf_buf_str(path), "/", err);
}

/* where: "tuf+https://HOST/PATH/GUN". */
static int set_urls(struct web *w, const char *scheme, const char *rest, const char *gun, struct mf_err *err)
{
	struct mf_buf where MF_BUF_CLEANUP = MF_BUF_INIT(MAX_URL), path MF_BUF_CLEANUP = MF_BUF_INIT(MAX_URL);
	if (mf_trust_name_server(&where, scheme, rest, err) < 0 || mf_buf_addc(&where, '/', err) < 0 ||
	    mf_trust_name_gun(&path, gun, err) < 0 || add_path(&where, &path, err) < 0)
		return -1;
	if (asprintf(&w->base, "%s/", where.p + strlen("tuf+")) < 0) {
		w->base = NULL;
		return mf_fail_nomem(err);
	}
	w->repo.where = mf_buf_take(&where);
	if (!w->repo.where)
		return mf_fail_nomem(err);
	if (mf_http_url_allowed(w->cfg->http, w->base))
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "plain HTTP to trust server '%s'", w->repo.where);
	mf_err_set_hint(err, "use tuf+https://, or allow it with --plain-http");
	return -1;
}

static struct mf_repo *web_open(const struct mf_repo_ops *ops, const char *rest, const char *gun,
				const struct mf_trust_config *cfg, struct mf_err *err)
{
	struct web *w = calloc(1, sizeof *w);
	if (!w) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	w->repo.ops = ops;
	w->cfg = cfg;
	if (set_urls(w, ops->scheme, rest, gun, err) == 0)
		return &w->repo;
	web_close(&w->repo);
	return NULL;
}

/* ---- metadata */

static void web_cancel(struct mf_fetch *f)
{
	if (!f)
		return;
	mf_http_call_free(f->call);
	free(f->url);
	free(f->other);
	free(f);
}

enum form { ENCODED, AS_IS };

static char *file_url(const struct web *w, const struct mf_buf *path, enum form form, struct mf_err *err)
{
	struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(MAX_URL);
	if (mf_buf_addz(&url, w->base, err) < 0 ||
	    (form == ENCODED ? add_path(&url, path, err) : mf_buf_add_str(&url, mf_buf_str(path), err)) < 0)
		return NULL;
	char *taken = mf_buf_take(&url);
	if (!taken)
		(void)mf_fail_nomem(err);
	return taken;
}

/* If a role's name needs percent-encoding, the file that we publish has the encoded name, but the files of
 * other TUF tools have the name itself. The first URL is for ours, the other one, encoded once less, for
 * theirs. */
static int set_file_urls(struct mf_fetch *f, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(2048);
	if (mf_trust_name_role(&name, key->role, key->by == MF_BY_NAME ? 0 : key->version, err) < 0)
		return -1;
	f->url = file_url(f->w, &name, ENCODED, err);
	if (!f->url)
		return -1;
	if (strchr(name.p, '%') && !(f->other = file_url(f->w, &name, AS_IS, err)))
		return -1;
	return 0;
}

static int submit(struct mf_fetch *f, struct mf_err *err)
{
	struct mf_http_request req = {.url = f->url, .auth = f->w->cfg->auth, .max_bytes = f->max};
	if (f->fresh)
		req.headers = ask_the_server;
	return mf_http_submit(f->w->cfg->http, &req, &f->call, err);
}

static struct mf_fetch *web_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct mf_fetch *f = calloc(1, sizeof *f);
	if (!f) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	f->w = (struct web *)r;
	f->max = key->max;
	f->seen = key->seen;
	/* A file without a version in its name may change. */
	f->fresh = key->fresh || key->by == MF_BY_NAME;
	if (set_file_urls(f, key, err) == 0 && submit(f, err) == 0)
		return f;
	web_cancel(f);
	return NULL;
}

static int status_error(const struct mf_http_call *call, const struct mf_http_response *res, const char *what,
			struct mf_err *err)
{
	char login[sizeof err->hint];
	(void)mf_http_status_error(call, what, err);
	if (res->status != 403)
		return -1;
	memcpy(login, err->hint, sizeof login);
	err->hint[0] = 0;
	mf_err_set_hint(err,
			"a storage bucket answers 403 for a missing file unless its readers may list it%s%s",
			login[0] ? "; " : "", login);
	return -1;
}

static enum mf_found await_file(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	struct mf_http_response *res;
	if (mf_http_await(f->call, &res, err) < 0)
		return MF_FAILED;
	if (f->seen)
		*f->seen = res->status == 200 ? res->last_modified : 0;
	if (res->status == 404)
		return MF_ABSENT;
	if (res->status == 200 && mf_http_is_web_page(res))
		return mf_http_web_page_error(
		    f->call, "read trust metadata",
		    "a web server must answer 404 for a file that is not there; or does a proxy "
		    "or a login page stand before it?",
		    err);
	if (res->status != 200)
		return status_error(f->call, res, "read trust metadata", err);
	mf_buf_clear(out);
	*out = res->body;
	res->body = (struct mf_buf){.max = out->max};
	return MF_FOUND;
}

static enum mf_found web_end(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	enum mf_found rc = await_file(f, out, err);
	if (rc == MF_ABSENT && f->other) {
		mf_http_call_free(f->call);
		f->call = NULL;
		free(f->url);
		f->url = f->other;
		f->other = NULL;
		rc = submit(f, err) < 0 ? MF_FAILED : await_file(f, out, err);
	}
	web_cancel(f);
	return rc;
}

/* ---- content */

static enum mf_found web_target(struct mf_repo *r, struct mf_str name, const struct mf_digest *sha256,
				uint64_t length, struct mf_spool *out, struct mf_err *err)
{
	struct web *w = (struct web *)r;
	struct mf_buf path MF_BUF_CLEANUP = MF_BUF_INIT(MAX_URL);
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	if (length > MF_MAX_BLOB_BYTES)
		return mf_fail(err, MF_E_FORMAT, 0, "a target of %llu bytes is too large",
			       (unsigned long long)length);
	if (mf_trust_name_target(&path, name, sha256, err) < 0)
		return MF_FAILED;
	char *url MF_FREE = file_url(w, &path, ENCODED, err);
	struct mf_http_request req = {.url = url,
				      .auth = w->cfg->auth,
				      .max_bytes = length ? (size_t)length : 1,
				      .write = mf_spool_write,
				      .write_arg = out};
	if (!url || mf_http_submit(w->cfg->http, &req, &call, err) < 0 || mf_http_await(call, &res, err) < 0)
		return MF_FAILED;
	if (res->status == 404)
		return MF_ABSENT;
	return res->status == 200 ? MF_FOUND : status_error(call, res, "read target", err);
}

#define READ_ONLY_HINT "publish with --trust-server tuf+file:///DIR, then copy DIR to the web server"
#define WEB_OPS(prefix, use)                                                                                 \
	{                                                                                                    \
		.scheme = (prefix), .usage = (use), .dialect = &mf_dialect_tuf1, .numbered_roots = true,     \
		.read_only = READ_ONLY_HINT, .open = web_open, .close = web_close, .begin = web_begin,       \
		.end = web_end, .cancel = web_cancel, .target = web_target,                                  \
	}
const struct mf_repo_ops mf_repo_tuf_http = WEB_OPS("tuf+http://", NULL);
const struct mf_repo_ops mf_repo_tuf_https =
    WEB_OPS("tuf+https://", "tuf+https://HOST/PATH for its copy on a web server");
