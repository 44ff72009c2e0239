/* HTTP over libcurl's multi interface. A context has one client, which keeps connections open and can have
 * any number of calls in flight.
 *
 * A call is submitted, then awaited; while the caller waits for one call, all others progress. Authentication
 * (Basic, and Bearer including the request for a token) happens inside a call. */
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
	bool plain_http;            /* allow plain HTTP to hosts that are not loopback */
	int64_t connect_timeout_ms; /* 0: MF_CONNECT_TIMEOUT_MS */
	int64_t stall_timeout_s;    /* 0: MF_STALL_TIMEOUT_S */
};

/* Strings are copied; env is borrowed and must outlive the client. libcurl is loaded when it is first needed,
 * to check a URL or to send a request. */
struct mf_http *mf_http_new(const struct mf_http_options *opt, struct mf_env *env,
			    struct mf_err *err) MF_NODISCARD;
void mf_http_free(struct mf_http *h); /* cancels the calls in flight */
/* Loads libcurl now, so that a missing library is reported here, as MF_E_IO. Further calls do nothing. */
int mf_http_ready(struct mf_http *h, struct mf_err *err) MF_NODISCARD;

/* True when the URL is https, or http to a loopback host (127.0.0.0/8, ::1, localhost), or plain_http was
 * allowed. */
bool mf_http_url_allowed(const struct mf_http *h, const char *url);
/* True for two http or https URLs with the same scheme, host and port. */
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

/* One request. All pointers are borrowed until the call is freed; zero-initialise. */
struct mf_http_request {
	const char *method; /* "GET" when NULL */
	const char *url;
	const char *const *headers; /* "Name: value", ends with NULL; may be NULL */
	struct mf_auth *auth;       /* credentials and tokens of this endpoint, or NULL */
	const char *scope; /* wanted Bearer scope: "repository:acme/app:pull"; NULL: that of the challenge */
	struct mf_bytes body; /* a small body */
	mf_http_read_fn read; /* a streamed body of body_length octets */
	void *read_arg;
	uint64_t body_length;
	const struct mf_http_part *parts; /* a multipart body */
	size_t nparts;
	size_t max_bytes;       /* of a 2xx response body: more is MF_E_FORMAT; 0: MF_MAX_ERROR_BODY */
	mf_http_write_fn write; /* takes a 2xx body, which then is not in res->body */
	void *write_arg;
	bool foreign;     /* a server named this URL on another origin, which gets no secrets */
	bool no_redirect; /* a 3xx is returned as it is */
	bool retry_500;   /* retry 500 like 502; registry.c says which registry needs this */
	bool no_retry;    /* never send twice (uploads that are not idempotent) */
};

/* The response. Strings are "" when the header was absent. */
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
	int64_t last_modified;   /* seconds since 1970; 0: absent or malformed */
	int64_t date;            /* the server's clock, in the same form */
	char etag[128];          /* with its quotation marks */
	char bucket_region[64];  /* x-amz-bucket-region */
};

struct mf_http_call;

/* Starts a call. Up to MF_MAX_REDIRECTS redirects are followed: 307 and 308 with method and body, others for
 * GET and HEAD only. They go to another origin (scheme, host, port) without Authorization, Cookie and client
 * certificate, and never from https to http. Compressed responses are decoded. 429 and 503, for idempotent
 * methods also 502 and 504, and for GET and HEAD a refused or lost connection are retried after a jittered
 * back-off, or after Retry-After if that is longer, at most 3 times and within the deadline. MF_E_IO (libcurl
 * is not installed), MF_E_USAGE (the URL is not allowed), MF_E_FORMAT. */
int mf_http_submit(struct mf_http *h, const struct mf_http_request *req, struct mf_http_call **out,
		   struct mf_err *err) MF_NODISCARD;
/* Drives all calls until this one has ended. 0: there is an HTTP response, whatever its status; *out belongs
 * to the call. -1: MF_E_UNAVAILABLE (DNS, connect, TLS, truncated, timed out; the message names phase and
 * URL), MF_E_FORMAT (too large), MF_E_AUTH (the token server refused, or credentials cannot be used), MF_E_IO
 * (the files of a client certificate or CA), MF_E_CANCELLED, or the error of a callback. */
int mf_http_await(struct mf_http_call *call, struct mf_http_response **out, struct mf_err *err) MF_NODISCARD;
/* True when the server has shown that it speaks TLS, even if the call failed later (for example, its
 * certificate was refused). */
bool mf_http_met_tls(const struct mf_http_call *call);
/* True when the response is that of a TLS port to a plain HTTP request, which its text says. The response to
 * a HEAD has no text, only status 400, and is not recognised. */
bool mf_http_wants_tls(const struct mf_http_call *call);
/* Frees the call and its response; cancels a call that is still in flight. NULL is allowed. */
void mf_http_call_free(struct mf_http_call *call);
static inline void mf_http_call_cleanup(struct mf_http_call **c)
{
	mf_http_call_free(*c);
}
#define MF_HTTP_CALL_CLEANUP MF_CLEANUP(mf_http_call_cleanup)
/* Reports a status that the caller cannot use: 401 and 403 as MF_E_AUTH, 404 as MF_E_NOT_FOUND, all others as
 * MF_E_UNAVAILABLE. The message begins with `what` ("read manifest") and quotes the server's JSON error
 * ({"errors":[{"code","message","detail"}]}) or line of text, escaped and cut; the endpoint is the URL, with
 * secrets and query values redacted. Returns -1. */
int mf_http_status_error(const struct mf_http_call *call, const char *what, struct mf_err *err);
/* True for an HTML page, such as that of a proxy, a login or a captive portal. */
bool mf_http_is_web_page(const struct mf_http_response *r);
/* Reports a web page in place of the expected answer, as MF_E_UNAVAILABLE. Returns -1. */
int mf_http_web_page_error(const struct mf_http_call *call, const char *what, const char *hint,
			   struct mf_err *err);
/* Writes the first errors[].code of a JSON error body, or "". */
void mf_http_error_code(const struct mf_http_response *r, char out[64]);

/* Requests and body octets sent and received so far (for -v and bench). */
struct mf_http_stats {
	uint64_t requests, bytes_in, bytes_out;
};
void mf_http_stats(const struct mf_http *h, struct mf_http_stats *out);

#endif
