/* What the files of this module share. A call is a small state machine: ready to be sent, running in
 * libcurl, parked (backing off, or waiting for a token), done. One exchange is one request sent once; a call
 * makes several when it is redirected, retried or challenged. */
#ifndef MF_NET_INTERNAL_H
#define MF_NET_INTERNAL_H

#include <curl/curl.h>

#include "net/http.h"

#define MF_NET_MAX_RUNNING                                                                                   \
	8 /* exchanges at once; further calls queue, so that a server sees few connections */
#define MF_NET_MAX_RETRIES 3
#define MF_NET_MAX_RETRY_AFTER_S 60 /* a server that asks for more gets its answer reported instead */
#define MF_NET_MAX_AUTH_ROUNDS 3    /* challenges answered in one call: a new one may follow a stale token */
#define MF_NET_ORIGIN 300
#define MF_NET_URL_TEXT 512 /* a redacted URL in messages and log lines */
#define MF_NET_MAX_URL ((size_t)8192)

enum mf_call_state { MF_CALL_READY, MF_CALL_RUNNING, MF_CALL_BACKOFF, MF_CALL_TOKEN, MF_CALL_DONE };

struct mf_call_list {
	struct mf_http_call *head, *tail;
};

struct mf_http {
	const struct mf_env *env;
	CURLM *multi;
	CURLSH *share; /* TLS sessions: a new connection to a known host resumes */
	char *user_agent, *cacert, *client_cert, *client_key, *capath;
	bool plain_http, stepping, looked_for_capath;
	int64_t connect_timeout_ms, stall_timeout_s;
	struct mf_call_list ready, running, parked;
	unsigned nrunning;
	struct mf_http_stats stats;
};

struct mf_token;

struct mf_http_call {
	struct mf_http *h; /* NULL once the client is gone */
	struct mf_http_request req;
	enum mf_call_state state;
	struct mf_http_call *prev, *next;
	struct mf_call_list *list;
	char *url; /* of the present exchange */

	CURL *easy;
	struct curl_slist *headers; /* may hold Authorization: wiped when freed */
	curl_mime *mime;
	struct mf_net_part *parts;
	char curl_error[CURL_ERROR_SIZE];
	int64_t started_ms, wake_ms;
	uint64_t body_offset, received;
	bool headers_done; /* trailers must not replace headers */
	bool body_cut;     /* enough of an error's body was kept */
	bool sent;         /* libcurl has sent the present exchange's request, or part of it */
	bool delivered;    /* the caller's sink has seen octets: no second try */
	int connect_errno; /* why no connection came about; 0: unknown */
	bool met_tls;      /* the server has shown that it speaks TLS */

	unsigned redirects, retries;
	bool foreign; /* redirected to another origin: nothing secret is sent any more */

	struct mf_secret authorization; /* of this call alone (token fetches): a whole header value */
	struct mf_token *token;         /* waited for, or sent last */
	uint64_t token_serial;          /* which fetch of it was sent */
	bool token_fresh;               /* it was fetched while this call waited */
	bool sent_token, sent_basic;    /* in the last exchange */
	unsigned auth_rounds;
	char *scope; /* of the server's challenge, when the request names none */

	struct mf_buf challenge; /* WWW-Authenticate values, joined by commas */
	char retry_after[64];
	struct mf_http_response res;
	struct mf_err err;
	void (*on_done)(struct mf_http_call *c);
	void *done_arg;
};

/* url.c */
/* Resolves `ref` against `base` (NULL: ref is absolute) and drops the fragment; *out is malloc'd.
 * MF_E_FORMAT. */
int mf_net_url_resolve(char **out, const char *base, const char *ref, struct mf_err *err) MF_NODISCARD;
/* "https://host:port" in lower case, the port always there. False when it is not an http or https URL. */
bool mf_net_url_origin(char out[MF_NET_ORIGIN], const char *url);
bool mf_net_url_https(const char *url);
bool mf_net_url_loopback(const char *url);
/* For people to read: no user information, no query values, no control characters; cut at n. */
void mf_net_url_redact(char *out, size_t n, const char *url);

/* http.c */
/* The hashed directory of CA certificates, looked for when TLS is first used; NULL: libcurl's own default, or
 * h->cacert. */
const char *mf_net_capath(struct mf_http *h);
void mf_net_move(struct mf_http_call *c, struct mf_call_list *to);
/* A call of the module's own (token fetch), which `done` is told about. Not started yet. */
struct mf_http_call *mf_net_call_new(struct mf_http *h, const struct mf_http_request *req,
				     struct mf_err *err) MF_NODISCARD;

/* exchange.c */
/* Hands one request to libcurl. `authorization` is the header's value or empty. */
int mf_net_exchange_start(struct mf_http_call *c, struct mf_bytes authorization,
			  struct mf_err *err) MF_NODISCARD;
/* Frees what belongs to one exchange. */
void mf_net_exchange_clear(struct mf_http_call *c);

/* headers.c */
/* CURLOPT_HEADERFUNCTION; arg is the call. */
size_t mf_net_on_header(char *p, size_t size, size_t n, void *arg);
/* Milliseconds of a Retry-After value (RFC 9110 section 10.2.3), -1 when there is none. */
int64_t mf_net_retry_after_ms(const char *value, int64_t now_s);

/* http_call.c */
void mf_net_call_start(struct mf_http_call *c);
void mf_net_call_ended(struct mf_http_call *c, CURLcode rc);
/* Ends a call: with its response when err is NULL or empty, else with that error. */
void mf_net_call_finish(struct mf_http_call *c, const struct mf_err *err);
const char *mf_net_call_phase(const struct mf_http_call *c);
const char *mf_net_call_method(const struct mf_http_call *c);
bool mf_net_call_idempotent(const struct mf_http_call *c);

/* auth.c */
enum mf_auth_next { MF_AUTH_SEND, MF_AUTH_WAIT, MF_AUTH_RETURN };
/* What to do before sending: *value gets the Authorization header's value, if any. -1 on failure. */
int mf_net_auth_prepare(struct mf_http_call *c, struct mf_secret *value, struct mf_err *err) MF_NODISCARD;
/* After a 401: SEND (again) or RETURN (the response is the caller's). */
int mf_net_auth_challenged(struct mf_http_call *c, struct mf_err *err) MF_NODISCARD;
/* Notes which origin the credentials are for: the one that first answered. */
void mf_net_auth_bind(struct mf_http_call *c);
/* Adds a hint on what to do about a 401 or 403. */
void mf_net_auth_hint(const struct mf_auth *a, struct mf_err *err);
/* "Basic <base64 of user:password>" */
int mf_net_basic(struct mf_secret *out, const struct mf_credential *cred, struct mf_err *err) MF_NODISCARD;
bool mf_net_is_identity_token(const struct mf_credential *cred);

/* token.c */
struct mf_token {
	struct mf_token *next;
	struct mf_auth *auth;
	char *realm, *service, *scope;
	struct mf_secret value;
	int64_t expires_ms; /* on CLOCK_MONOTONIC */
	uint64_t serial;    /* counts fetches */
	bool fetching;
	struct mf_http_call *fetch;
	struct mf_buf form; /* POST body that holds the refresh token: wiped */
	char *url;
};
struct mf_token *mf_net_token_find(struct mf_token *list, const struct mf_challenge *ch, const char *scope);
struct mf_token *mf_net_token_new(struct mf_auth *a, const struct mf_challenge *ch, const char *scope,
				  struct mf_err *err) MF_NODISCARD;
void mf_net_token_free(struct mf_token *t);
bool mf_net_token_valid(const struct mf_token *t);
/* Starts fetching, unless that is under way. */
int mf_net_token_fetch(struct mf_token *t, struct mf_http *h, const struct mf_credential *cred,
		       struct mf_err *err) MF_NODISCARD;
/* Reads a token server's answer. */
int mf_net_token_parse(struct mf_bytes body, struct mf_secret *value, int64_t *expires_in_s,
		       struct mf_err *err) MF_NODISCARD;

/* docker_config.c */
/* What Docker's configuration says of one host; strings are decoded, empty when absent. */
struct mf_docker_entry {
	char helper[128], store[128];
	struct mf_buf auth;     /* base64; secret */
	struct mf_buf identity; /* secret */
};
#define MF_DOCKER_ENTRY_INIT                                                                                 \
	{                                                                                                    \
		"", "", MF_BUF_INIT(MF_MAX_CONFIG_BYTES), MF_BUF_INIT(MF_MAX_CONFIG_BYTES)                   \
	}
void mf_docker_entry_clear(struct mf_docker_entry *e);
int mf_docker_config_scan(struct mf_docker_entry *out, struct mf_bytes doc, const char *host,
			  struct mf_err *err) MF_NODISCARD;
/* The name that helpers and old files know Docker Hub by, else the host itself. */
const char *mf_docker_server_name(const char *host);

/* helper.c */
/* Asks docker-credential-NAME; none stored leaves *out empty. `file` is named in errors. MF_E_AUTH. */
int mf_helper_get(struct mf_credential *out, const char *name, const char *file, const char *host,
		  const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
/* Frees a buffer that held a secret, wiped. */
void mf_net_buf_wipe(struct mf_buf *b);
#define MF_NET_WIPED MF_CLEANUP(mf_net_buf_wipe)

#endif
