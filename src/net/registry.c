#include "net/registry.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/limits.h"
#include "net/internal.h"

int mf_registry_init(struct mf_registry *reg, const char *host, const char *repository, struct mf_err *err)
{
	bool hub = strcmp(host, "docker.io") == 0;
	reg->host = mf_str_dup(mf_str_c(hub ? "registry-1.docker.io" : host));
	reg->repository = mf_str_dup(mf_str_c(repository));
	if (!reg->host || !reg->repository ||
	    asprintf(&reg->scope_pull, "repository:%s:pull", repository) < 0 ||
	    asprintf(&reg->scope_push, "repository:%s:pull,push", repository) < 0 ||
	    asprintf(&reg->scope_delete, "repository:%s:delete,pull,push", repository) < 0)
		return mf_fail_nomem(err);
	return 0;
}

/* Chooses the scheme to begin with. This happens at the first request and not at opening, since not every
 * registry that is opened gets a request. */
static void choose_scheme(struct mf_registry *reg)
{
	char url[512];
	if (reg->scheme_chosen)
		return;
	(void)snprintf(url, sizeof url, "http://%s/", reg->host);
	bool plain = mf_http_url_allowed(reg->http, url);
	reg->https = !plain || !mf_net_url_loopback(url);
	reg->settled = !plain;
	reg->scheme_chosen = true;
}

void mf_registry_clear(struct mf_registry *reg)
{
	free(reg->host);
	free(reg->repository);
	free(reg->scope_pull);
	free(reg->scope_push);
	free(reg->scope_delete);
}

static int set_url(struct mf_exchange *x, struct mf_err *err)
{
	char *url = NULL;
	if (asprintf(&url, "%s://%s%s", x->reg->https ? "https" : "http", x->reg->host, x->path) < 0)
		return mf_fail_nomem(err);
	free(x->url);
	x->url = url;
	x->https = x->reg->https;
	x->req.url = url;
	return 0;
}

static void set_up(struct mf_exchange *x, struct mf_registry *reg, const char *method,
		   enum mf_registry_access access)
{
	choose_scheme(reg);
	*x = (struct mf_exchange){.reg = reg};
	x->req.method = method;
	/* docker-registry with its file system driver answers 500 to a read of a tag that another client is
	 * writing at that moment. */
	x->req.retry_500 = true;
	x->req.auth = reg->auth;
	bool push = access == MF_ACCESS_PUSH || reg->pushing;
	x->req.scope = access == MF_ACCESS_DELETE ? reg->scope_delete
		       : push                     ? reg->scope_push
						  : reg->scope_pull;
	x->https = reg->https;
}

int mf_exchange_init(struct mf_exchange *x, struct mf_registry *reg, const char *method,
		     enum mf_registry_access access, struct mf_err *err, const char *tail, ...)
{
	struct mf_buf path MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	set_up(x, reg, method, access);
	if (mf_buf_printf(&path, err, "/v2/%s/", reg->repository) < 0)
		return -1;
	va_list ap;
	va_start(ap, tail);
	int rc = mf_buf_vprintf(&path, err, tail, ap);
	va_end(ap);
	if (rc < 0)
		return -1;
	x->path = mf_buf_take(&path);
	return x->path ? 0 : mf_fail_nomem(err);
}

/* Refuses a URL from the registry that this client may not use. The usual causes are a proxy that ends TLS
 * without telling the registry, and an internal address. Following such a URL would send content unencrypted
 * or to a host that is not reachable. The error is MF_E_UNAVAILABLE: the server is misconfigured, which says
 * nothing about what it stores. */
static int refuse_url(const struct mf_exchange *x, const char *base, const char *url, struct mf_err *err)
{
	struct mf_esc e;
	(void)mf_fail(err, MF_E_UNAVAILABLE, 0, "the registry %s names '%s' for what follows", base,
		      mf_esc(&e, mf_str_c(url)));
	mf_err_set_endpoint(err, base);
	mf_err_set_hint(err, x->reg->https
				 ? "the registry does not know its own address: behind a TLS proxy it needs "
				   "X-Forwarded-Proto, or its external URL configured"
				 : "the registry does not know its own address: its external URL needs to be "
				   "configured");
	return -1;
}

int mf_exchange_init_url(struct mf_exchange *x, struct mf_registry *reg, const char *method,
			 enum mf_registry_access access, const char *url, struct mf_err *err)
{
	char base[512];
	set_up(x, reg, method, access);
	(void)snprintf(base, sizeof base, "%s://%s", reg->https ? "https" : "http", reg->host);
	if ((reg->https && strncasecmp(url, "https:", 6) != 0) || !mf_http_url_allowed(reg->http, url))
		return refuse_url(x, base, url, err);
	if (!mf_http_same_origin(base, url)) {
		x->req.auth = NULL;
		x->req.foreign = true;
	}
	x->url = mf_str_dup(mf_str_c(url));
	x->req.url = x->url;
	return x->url ? 0 : mf_fail_nomem(err);
}

void mf_exchange_header(struct mf_exchange *x, const char *header)
{
	size_t i = 0;
	while (x->headers[i])
		i++;
	if (i + 1 < sizeof x->headers / sizeof x->headers[0])
		x->headers[i] = header;
}

int mf_exchange_header_own(struct mf_exchange *x, struct mf_err *err, const char *fmt, ...)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	va_list ap;
	va_start(ap, fmt);
	int rc = mf_buf_vprintf(&text, err, fmt, ap);
	va_end(ap);
	if (rc < 0)
		return -1;
	free(x->own_header);
	x->own_header = mf_buf_take(&text);
	if (!x->own_header)
		return mf_fail_nomem(err);
	mf_exchange_header(x, x->own_header);
	return 0;
}

int mf_exchange_begin(struct mf_exchange *x, struct mf_err *err)
{
	if (x->path && set_url(x, err) < 0)
		return -1;
	x->req.headers = x->headers;
	return mf_http_submit(x->reg->http, &x->req, &x->call, err);
}

/* Reports whether to try the other scheme, given how the exchange ended. */
static bool other_scheme(const struct mf_exchange *x, int rc, const struct mf_err *err)
{
	const struct mf_registry *reg = x->reg;
	if (!x->path || mf_env_cancelled(reg->env) || mf_env_left_ms(reg->env) == 0)
		return false;
	/* Another exchange in flight may have settled the scheme meanwhile. If it is this one, there is
	 * nothing to try. */
	if (reg->settled && x->https == reg->https)
		return false;
	if (rc)
		return err->code == MF_E_UNAVAILABLE && err->sys != ECONNREFUSED;
	bool bare = strcmp(x->req.method, "HEAD") == 0 && !x->https && x->res->status == 400;
	return bare || mf_http_wants_tls(x->call);
}

/* Repeats the exchange with the other scheme. If that fails as well, the exchange is put back into its
 * earlier state. The second error is dropped if the server showed no TLS, so that the first is reported;
 * otherwise it is kept, because the first answer was merely that of a wrong port. */
static int retry(struct mf_exchange *x, struct mf_err *err)
{
	struct mf_registry *reg = x->reg;
	struct mf_exchange before = *x;
	bool was_settled = reg->settled;
	reg->https = !before.https;
	x->call = NULL;
	x->url = NULL;
	if (mf_exchange_begin(x, err) == 0 && mf_http_await(x->call, &x->res, err) == 0) {
		mf_http_call_free(before.call);
		free(before.url);
		reg->settled = true;
		return 0;
	}
	if (err->code == MF_E_UNAVAILABLE && (!x->call || !mf_http_met_tls(x->call)))
		mf_err_clear(err);
	mf_http_call_free(x->call);
	free(x->url);
	*x = before;
	x->req.url = x->url;
	if (!was_settled)
		reg->https = before.https;
	return -1;
}

int mf_exchange_end(struct mf_exchange *x, struct mf_err *err)
{
	struct mf_err first = MF_ERR_INIT, second = MF_ERR_INIT;
	int rc = mf_http_await(x->call, &x->res, &first);
	if (other_scheme(x, rc, &first) && retry(x, &second) == 0)
		return 0;
	if (second.code) {
		*err = second;
		return -1;
	}
	if (rc)
		*err = first;
	else if (!x->reg->settled && x->res->status != 400)
		x->reg->settled = true;
	return rc;
}

int mf_exchange_run(struct mf_exchange *x, struct mf_err *err)
{
	return mf_exchange_begin(x, err) < 0 ? -1 : mf_exchange_end(x, err);
}

void mf_exchange_clear(struct mf_exchange *x)
{
	mf_http_call_free(x->call);
	free(x->path);
	free(x->url);
	free(x->own_header);
	free(x->seen);
	*x = (struct mf_exchange){0};
}

int mf_exchange_fail(const struct mf_exchange *x, const char *what, struct mf_err *err)
{
	long status = x->res->status;
	(void)mf_http_status_error(x->call, what, err);
	bool refused = status == 501 || status == 505 ||
		       (status >= 300 && status < 500 && status != 401 && status != 403 && status != 404 &&
			status != 429);
	return refused && !mf_http_wants_tls(x->call) ? mf_recode(err, MF_E_REFUSED) : -1;
}
