/* Requests of the distribution API (distribution-spec 1.1) to one repository of a registry: scheme, scopes
 * and tokens. One exchange is one request; several may be in flight. */
#ifndef MF_NET_REGISTRY_H
#define MF_NET_REGISTRY_H

#include "net/http.h"

#define MF_UPLOADS_AHEAD 2

/* The scheme of a registry is https, except for a loopback host (http first, then https) and, when plain
 * HTTP is allowed, for any other host (https first, then http): there the first answer decides for the
 * lifetime of the handle. */
struct mf_registry {
	struct mf_http *http;
	struct mf_auth *auth;
	const struct mf_env *env;
	char *host; /* where requests go: "registry-1.docker.io" for docker.io */
	char *repository;
	bool scheme_chosen; /* the next two are set */
	bool https;         /* the scheme to use now */
	bool settled;       /* no other is tried */
	char *scope_pull, *scope_push, *scope_delete;
	bool pushing; /* what is read is asked for with the right to push */
	/* Beginnings of some, sent ahead by their user; or NULL. */
	struct mf_exchange *uploads[MF_UPLOADS_AHEAD];
};

/* http, auth and env are set, and borrowed; the names are copied. host: as in references, "docker.io". */
int mf_registry_init(struct mf_registry *reg, const char *host, const char *repository,
		     struct mf_err *err) MF_NODISCARD;
void mf_registry_clear(struct mf_registry *reg);

/* Kinds of access a token is asked for. */
enum mf_registry_access { MF_ACCESS_PULL, MF_ACCESS_PUSH, MF_ACCESS_DELETE };

struct mf_exchange {
	struct mf_registry *reg;
	struct mf_http_request req;
	char *path; /* "/v2/..."; NULL when `url` is fixed */
	char *url;
	bool https; /* scheme that url was made with */
	struct mf_http_call *call;
	struct mf_http_response *res; /* valid until clear */
	const char *headers[4];
	char *own_header;
	/* Of a list in pages: how many came before, and the path of one of them or NULL. */
	unsigned pages;
	char *seen;
};
#define MF_EXCHANGE_CLEANUP MF_CLEANUP(mf_exchange_clear)

/* Sets up a request to a path below the repository: "/v2/<repository>/<tail>". The caller may then set req
 * members. */
int mf_exchange_init(struct mf_exchange *x, struct mf_registry *reg, const char *method,
		     enum mf_registry_access access, struct mf_err *err, const char *tail, ...)
    MF_PRINTF(6, 7) MF_NODISCARD;
/* The same to a URL the registry gave. Another origin gets nothing secret. MF_E_UNAVAILABLE when it may not
 * be used. */
int mf_exchange_init_url(struct mf_exchange *x, struct mf_registry *reg, const char *method,
			 enum mf_registry_access access, const char *url, struct mf_err *err) MF_NODISCARD;
/* Adds a header; at most three. `own` is freed with the exchange. */
void mf_exchange_header(struct mf_exchange *x, const char *header);
int mf_exchange_header_own(struct mf_exchange *x, struct mf_err *err, const char *fmt, ...)
    MF_PRINTF(3, 4) MF_NODISCARD;
int mf_exchange_begin(struct mf_exchange *x, struct mf_err *err) MF_NODISCARD;
/* Waits; x->res has the answer, whatever its status. */
int mf_exchange_end(struct mf_exchange *x, struct mf_err *err) MF_NODISCARD;
int mf_exchange_run(struct mf_exchange *x, struct mf_err *err) MF_NODISCARD;
void mf_exchange_clear(struct mf_exchange *x);
static inline bool mf_exchange_ok(const struct mf_exchange *x)
{
	return x->res->status >= 200 && x->res->status < 300;
}
/* -1 with the error of an unexpected status. */
int mf_exchange_fail(const struct mf_exchange *x, const char *what, struct mf_err *err);

#endif
