/* HTTP by libcurl's multi interface: one client a context, connections kept, any number of calls in flight.
 *
 * A call is submitted, then awaited; while one call is awaited all others progress. Authentication
 * (Basic, Bearer with token fetch) happens inside a call. */
#ifndef MF_NET_HTTP_H
#define MF_NET_HTTP_H

#include "base/env.h"
#include "base/limits.h"
#include "net/auth.h"

struct mf_http;

struct mf_http_options {
	const char *user_agent;  /* "manifesto/1.0" */
	const char *cacert;      /* PEM file; NULL: the system's hashed CA directory */
	const char *client_cert; /* PEM files, or NULL */
	const char *client_key;
	bool plain_http;            /* plain HTTP to hosts that are not loopback */
	int64_t connect_timeout_ms; /* 0: MF_CONNECT_TIMEOUT_MS */
	int64_t stall_timeout_s;    /* 0: MF_STALL_TIMEOUT_S */
};

/* The env is borrowed and must outlive the client. Strings are copied. libcurl is loaded by what needs it
 * first: a URL's check, or a request. */
struct mf_http *mf_http_new(const struct mf_http_options *opt, struct mf_env *env,
			    struct mf_err *err) MF_NODISCARD;
void mf_http_free(struct mf_http *h); /* cancels what is in flight */
/* Loads libcurl now, so that its absence is this error: MF_E_IO. Once is enough. */
int mf_http_ready(struct mf_http *h, struct mf_err *err) MF_NODISCARD;

/* True when the URL is https, or http to a loopback host (127.0.0.0/8, ::1, localhost), or plain_http was
 * allowed. */
bool mf_http_url_allowed(const struct mf_http *h, const char *url);
/* Two http or https URLs with the same scheme, host and port. */
bool mf_http_same_origin(const char *a, const char *b);

/* One part of multipart/form-data (RFC 7578). Borrowed until the call ends. */
struct mf_http_part {
	const char *name, *filename;
	struct mf_bytes data;
};

/* Reads request body octets for uploads at `offset`; *got 0 at the end. 0 or -1. */
typedef int (*mf_http_read_fn)(void *arg, uint64_t offset, void *p, size_t n, size_t *got,
			       struct mf_err *err);
/* Takes response body octets (status 2xx only). Returns 0 or -1 (aborts the call with that error). */
typedef int (*mf_http_write_fn)(void *arg, const void *p, size_t n, struct mf_err *err);

/* What is asked. All pointers are borrowed until the call is freed; zero-initialise. */
struct mf_http_request {
	const char *method; /* "GET" when NULL */
	const char *url;
	const char *const *headers; /* "Name: value", ends with NULL; may be NULL */
	struct mf_auth *auth;       /* credentials and tokens of this endpoint, or NULL */
	const char *scope;          /* wanted Bearer scope: "repository:acme/app:pull"; NULL: none */
	struct mf_bytes body;       /* a small body */
	mf_http_read_fn read;       /* a streamed one, of body_length octets */
	void *read_arg;
	uint64_t body_length;
	const struct mf_http_part *parts; /* a multipart one */
	size_t nparts;
	size_t max_bytes;       /* of the response body: more is MF_E_FORMAT; 0: MF_MAX_ERROR_BODY */
	mf_http_write_fn write; /* 2xx body goes here instead of the buffer */
	void *write_arg;
	bool foreign;     /* another server named this URL, on another origin: it gets nothing secret */
	bool no_redirect; /* a 3xx is returned as it is */
	bool retry_500;   /* 500 is retried as 502 is: see registry.c for who needs it */
	bool no_retry;    /* never send twice (uploads that are not idempotent) */
};

/* What came back. Strings are "" when the header was absent. */
struct mf_http_response {
	long status;
	struct mf_buf body;
	char content_type[256];
	char docker_content_digest[128];
	char location[MF_MAX_URL]; /* made absolute against the request's URL */
	char link[MF_MAX_URL];
	char oci_subject[128];
	char oci_filters_applied[64];
	uint64_t content_length; /* UINT64_MAX when not announced */
	int64_t last_modified;   /* seconds since 1970, 0: absent or not a date */
	int64_t date;            /* the server's clock, likewise */
	char etag[128];          /* with its quotation marks */
	char bucket_region[64];  /* x-amz-bucket-region */
};

struct mf_http_call;

/* Starts a call. Redirects are followed up to MF_MAX_REDIRECTS (307 and 308 with method and body, others of
 * GET and HEAD only); to another origin (scheme, host, port) without Authorization, Cookie and client
 * certificate, and never from https to http. What comes compressed is decoded. 429, 502, 503 and 504, a
 * refused or reset connection of a GET or HEAD are retried with Retry-After or jittered back-off, at most 3
 * times, within the deadline. */
int mf_http_submit(struct mf_http *h, const struct mf_http_request *req, struct mf_http_call **out,
		   struct mf_err *err) MF_NODISCARD;
/* Drives all calls until this one has ended. 0: an HTTP response is there, whatever its status.
 * -1: MF_E_UNAVAILABLE (DNS, connect, TLS, truncated, timed out, with the phase and URL named), MF_E_FORMAT
 * (too large), MF_E_AUTH (the token server refused), MF_E_CANCELLED, or what a callback reported. */
int mf_http_await(struct mf_http_call *call, struct mf_http_response **out, struct mf_err *err) MF_NODISCARD;
/* Has the server shown that it speaks TLS, even if the call failed then (its certificate was refused, say)?
 */
bool mf_http_met_tls(const struct mf_http_call *call);
/* Is the answer that of a TLS port to plain HTTP? To a HEAD it has no words, and is a bare 400. */
bool mf_http_wants_tls(const struct mf_http_call *call);
/* Frees the call and its response; cancels it when still in flight. NULL is fine. */
void mf_http_call_free(struct mf_http_call *call);
static inline void mf_http_call_cleanup(struct mf_http_call **c)
{
	mf_http_call_free(*c);
}
#define MF_HTTP_CALL_CLEANUP MF_CLEANUP(mf_http_call_cleanup)
/* The error for a status that the caller cannot use: 401 and 403 MF_E_AUTH, 404 MF_E_NOT_FOUND, all
 * others MF_E_UNAVAILABLE; with the server's own JSON error ({"errors":[{"code","message","detail"}]}) or
 * line of text, escaped and cut, and the URL as endpoint (secrets and query values redacted). `what` begins
 * the message: "read manifest". Returns -1. */
int mf_http_status_error(const struct mf_http_call *call, const char *what, struct mf_err *err);
/* Is it a page for people: of a proxy, of a login, of a portal that caught the request? */
bool mf_http_is_web_page(const struct mf_http_response *r);
/* MF_E_UNAVAILABLE for such an answer in place of metadata; returns -1. */
int mf_http_web_page_error(const struct mf_http_call *call, const char *what, const char *hint,
			   struct mf_err *err);
/* First errors[].code of a JSON error body, "" when there is none. */
void mf_http_error_code(const struct mf_http_response *r, char out[64]);

/* Requests and body octets sent and received so far (for -v and bench). */
struct mf_http_stats {
	uint64_t requests, bytes_in, bytes_out;
};
void mf_http_stats(const struct mf_http *h, struct mf_http_stats *out);

#endif
