/* Inside oci only: what the sources of the registry backend share. One exchange is one request of the
 * distribution API; several may be in flight. */
#ifndef MF_OCI_REGISTRY_H
#define MF_OCI_REGISTRY_H

#include "oci/backend.h"

/* Requests in flight at once in one listing of digests; more would only wait inside the HTTP client. */
#define MF_REGISTRY_WINDOW 32

/* Which scheme a registry speaks is fixed for every host but a loopback one (http first, then https) and,
 * when plain HTTP is allowed, any other (https first, then http): there the first answer decides for the
 * handle's lifetime. */
struct mf_registry {
	struct mf_http *http;
	struct mf_auth *auth;
	const struct mf_env *env;
	char *host; /* where requests go: "registry-1.docker.io" for docker.io */
	char *repository;
	bool https;   /* the scheme to use now */
	bool settled; /* no other is tried */
	char *scope_pull, *scope_push, *scope_delete;
	bool pushing;               /* what is read is asked for with the right to push */
	struct mf_exchange *upload; /* the beginning of one, sent ahead; NULL */
};

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

/* The header line that asks for every kind of manifest there is. */
extern const char mf_registry_accept[];

/* registry_blob.c */
void mf_registry_blob_put_soon(void *b);
void mf_registry_upload_cancel(struct mf_registry *reg);
int mf_registry_blob_put(void *b, struct mf_spool *blob, const struct mf_digest *digest, uint64_t length,
			 struct mf_err *err) MF_NODISCARD;
int mf_registry_blob_get(void *b, const struct mf_digest *digest, uint64_t length, struct mf_spool *out,
			 struct mf_err *err) MF_NODISCARD;
int mf_registry_head_end(struct mf_exchange *x, struct mf_err *err) MF_NODISCARD; /* a success, or 404 */

/* registry.c */
/* Turns an exchange that was answered into one for the next page that the answer's Link names (RFC 8288).
 * 1: to be run, without the headers of the last one; 0: that was the last page; -1. */
int mf_registry_next_page(struct mf_exchange *x, struct mf_err *err) MF_NODISCARD;

/* referrers.c */
int mf_registry_referrers(struct mf_image_store *s, const struct mf_digest *subjects, size_t n,
			  mf_referrers_fn each, void *arg, struct mf_err *err) MF_NODISCARD;

#endif
