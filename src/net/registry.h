/* Requests of the distribution API (distribution-spec 1.1) to one repository of a registry: scheme, scopes
 * and tokens. An exchange is one request; several may be in flight. */
#ifndef MF_NET_REGISTRY_H
#define MF_NET_REGISTRY_H

#include "net/http.h"

#define MF_UPLOADS_AHEAD 2

/* Requests use https. Two cases allow either scheme: a loopback host (http is tried first, then https), and
 * any other host when plain HTTP is allowed (https first, then http). The first usable answer then settles
 * the scheme for the lifetime of the handle. */
struct mf_registry {
	struct mf_http *http;
	struct mf_auth *auth;
	const struct mf_env *env;
	char *host; /* where requests go: "registry-1.docker.io" for docker.io */
	char *repository;
	bool scheme_chosen; /* `https` and `settled` are set */
	bool https;         /* the scheme of new requests */
	bool settled;       /* the other scheme is not tried any more */
	char *scope_pull, *scope_push, *scope_delete;
	bool pushing; /* reads also request the right to push, so that one token serves both */
	/* Uploads that were begun before they were needed (registry_blob.c); NULL: none. */
	struct mf_exchange *uploads[MF_UPLOADS_AHEAD];
};

/* The caller has set http, auth and env, which are borrowed. The names are copied. `host` is as in
 * references, for example "docker.io". */
int mf_registry_init(struct mf_registry *reg, const char *host, const char *repository,
		     struct mf_err *err) MF_NODISCARD;
void mf_registry_clear(struct mf_registry *reg);

/* The access that a token is requested for. */
enum mf_registry_access { MF_ACCESS_PULL, MF_ACCESS_PUSH, MF_ACCESS_DELETE };

struct mf_exchange {
	struct mf_registry *reg;
	struct mf_http_request req;
	char *path; /* "/v2/..."; NULL when `url` is fixed */
	char *url;
	bool https; /* the scheme of `url` */
	struct mf_http_call *call;
	struct mf_http_response *res; /* valid until clear */
	const char *headers[4];
	char *own_header;
	/* Of a list in pages: the number of pages before this one, and the path of an earlier page (to detect
	 * a circle) or NULL. */
	unsigned pages;
	char *seen;
};
#define MF_EXCHANGE_CLEANUP MF_CLEANUP(mf_exchange_clear)

/* Sets up a request to a path below the repository: "/v2/<repository>/<tail>". The caller may then set
 * members of req. */
int mf_exchange_init(struct mf_exchange *x, struct mf_registry *reg, const char *method,
		     enum mf_registry_access access, struct mf_err *err, const char *tail, ...)
    MF_PRINTF(6, 7) MF_NODISCARD;
/* Sets up a request to a URL that the registry gave. If it has another origin, the request carries no
 * credentials. MF_E_UNAVAILABLE when the URL is not allowed. */
int mf_exchange_init_url(struct mf_exchange *x, struct mf_registry *reg, const char *method,
			 enum mf_registry_access access, const char *url, struct mf_err *err) MF_NODISCARD;
/* Adds a header line, three at most. mf_exchange_header borrows it; mf_exchange_header_own formats one that
 * is freed with the exchange. */
void mf_exchange_header(struct mf_exchange *x, const char *header);
int mf_exchange_header_own(struct mf_exchange *x, struct mf_err *err, const char *fmt, ...)
    MF_PRINTF(3, 4) MF_NODISCARD;
int mf_exchange_begin(struct mf_exchange *x, struct mf_err *err) MF_NODISCARD;
/* Waits for the response, which is then in x->res, whatever its status. May repeat the request with the other
 * scheme. */
int mf_exchange_end(struct mf_exchange *x, struct mf_err *err) MF_NODISCARD;
int mf_exchange_run(struct mf_exchange *x, struct mf_err *err) MF_NODISCARD;
void mf_exchange_clear(struct mf_exchange *x);
static inline bool mf_exchange_ok(const struct mf_exchange *x)
{
	return x->res->status >= 200 && x->res->status < 300;
}
/* Returns -1 with the error for an unexpected status. */
int mf_exchange_fail(const struct mf_exchange *x, const char *what, struct mf_err *err);

#endif
