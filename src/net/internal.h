/* Shared by the files of this module. They use each other in one direction: http.c (calls) uses auth.c and
 * exchange.c; auth.c uses exchange.c (its errors) and credential.c; all of them use url.c and curl.c.
 *
 * A call is a small state machine: ready to be sent, running in libcurl, parked (backing off, or waiting for
 * a token), done. One exchange is one request sent once; a call makes several when it is redirected, retried
 * or challenged. */
#ifndef MF_NET_INTERNAL_H
#define MF_NET_INTERNAL_H

#include <curl/curl.h>

#include "json/json.h"
#include "net/http.h"

#define MF_NET_MAX_RUNNING                                                                                   \
	32 /* exchanges at once; further calls queue: the windows of requests in flight fit */
#define MF_NET_MAX_RETRIES 3
#define MF_NET_MAX_RETRY_AFTER_S 60 /* a server that asks for more gets its answer reported instead */
#define MF_NET_MAX_AUTH_ROUNDS 3    /* challenges answered in one call: a new one may follow a stale token */
#define MF_NET_ORIGIN 300
#define MF_NET_URL_TEXT 512 /* a redacted URL in messages and log lines */

/* Frees a buffer that held a secret, wiped. */
void mf_net_buf_wipe(struct mf_buf *b);
#define MF_NET_WIPED MF_CLEANUP(mf_net_buf_wipe)

enum mf_call_state { MF_CALL_READY, MF_CALL_RUNNING, MF_CALL_BACKOFF, MF_CALL_TOKEN, MF_CALL_DONE };
/* What the last exchange sent as Authorization. */
enum mf_sent { MF_SENT_NOTHING, MF_SENT_PASSWORD, MF_SENT_TOKEN, MF_SENT_REGISTRY_TOKEN };

struct mf_call_list {
	struct mf_http_call *head, *tail;
};

struct mf_http {
	struct mf_env *env;
	CURLM *multi;
	CURLSH *share; /* TLS sessions: a new connection to a known host resumes */
	char *user_agent, *cacert, *client_cert, *client_key, *capath;
	bool plain_http, stepping, looked_for_capath;
	int64_t connect_timeout_ms, stall_timeout_s;
	bool moving; /* content was on its way at the last check */
	enum mf_progress_kind moving_kind;
	int64_t credited_ms; /* until then the time of moving has been added to the deadline */
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
	uint64_t moved;   /* octets of the present exchange that the other side has sent or taken */
	int64_t moved_ms; /* when they last became more */
	uint64_t body_offset, received;
	bool headers_done; /* trailers must not replace headers */
	bool encoded;      /* the body came compressed */
	bool body_cut;     /* enough of an error's body was kept */
	bool sent;         /* libcurl has sent the present exchange's request, or part of it */
	bool delivered;    /* the caller's sink has seen octets: no second try */
	int connect_errno; /* why no connection came about; 0: unknown */
	bool met_tls;      /* the server has shown that it speaks TLS */

	unsigned redirects, retries;
	bool foreign;      /* of an origin that another one named: nothing secret is sent any more */
	bool other_origin; /* of a token server elsewhere: it gets the password, and no client certificate */

	struct mf_token *token; /* waited for, or sent last */
	uint64_t token_serial;  /* which fetch of it was sent */
	bool token_fresh;       /* it was fetched while this call waited */
	enum mf_sent sent_auth; /* in the last exchange */
	unsigned auth_rounds;
	char *scope; /* of the server's challenge, when the request names none */

	bool fetches_token;             /* a call of the client's own: freed when it ends */
	struct mf_token *fetched;       /* which token; NULL: nobody needs it any more */
	struct mf_secret authorization; /* of this call alone: a whole header value */
	struct mf_buf form;             /* its body, which holds a refresh token: wiped */

	struct mf_buf challenges; /* WWW-Authenticate values, one a line */
	char retry_after[64];
	struct mf_http_response res;
	struct mf_err err;
};

/* ---- curl.c */

/* What is used of libcurl, under its own names. */
struct mf_curl {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_info_read) *multi_info_read;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_share_init) *share_init;
	__typeof__(curl_share_setopt) *share_setopt;
	__typeof__(curl_share_cleanup) *share_cleanup;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_mime_init) *mime_init;
	__typeof__(curl_mime_addpart) *mime_addpart;
	__typeof__(curl_mime_name) *mime_name;
	__typeof__(curl_mime_type) *mime_type;
	__typeof__(curl_mime_filename) *mime_filename;
	__typeof__(curl_mime_data_cb) *mime_data_cb;
	__typeof__(curl_mime_free) *mime_free;
	__typeof__(curl_url) *url;
	__typeof__(curl_url_set) *url_set;
	__typeof__(curl_url_get) *url_get;
	__typeof__(curl_url_cleanup) *url_cleanup;
	__typeof__(curl_free) *free;
	__typeof__(curl_getdate) *getdate;
	__typeof__(curl_version_info) *version_info;
};
/* Loads libcurl unless it is loaded. MF_E_IO: it is not installed. Any thread. */
int mf_curl_load(struct mf_err *err) MF_NODISCARD;
/* Its functions, once mf_curl_load has succeeded. */
const struct mf_curl *mf_curl(void);

/* ---- url.c */

/* Resolves `ref` against `base` (NULL: ref is absolute) and drops the fragment; *out is malloc'd.
 * MF_E_FORMAT. */
int mf_net_url_resolve(char **out, const char *base, const char *ref, struct mf_err *err) MF_NODISCARD;
/* "https://host:port" in lower case, the port always there. False when it is not an http or https URL. */
bool mf_net_url_origin(char out[MF_NET_ORIGIN], const char *url);
bool mf_net_url_https(const char *url);
bool mf_net_url_loopback(const char *url);
/* For people to read: no user information, no query values, no control characters; cut at n. */
void mf_net_url_redact(char *out, size_t n, const char *url);
/* The list of hosts without proxy for a request to this URL, of NO_PROXY: libcurl knows neither ports nor
 * "*.domain". False: there is none. */
#define MF_NET_NO_PROXY 4096
bool mf_net_no_proxy(char out[MF_NET_NO_PROXY], const char *url);

/* ---- exchange.c */

/* Milliseconds of a Retry-After value (RFC 9110 section 10.2.3), -1 when there is none. */
int64_t mf_net_retry_after_ms(const char *value, int64_t now_s);
/* As mf_http_status_error, without advice about credentials. */
int mf_net_status_error(const struct mf_http_call *call, const char *what, struct mf_err *err);
const char *mf_net_method(const struct mf_http_call *c);
bool mf_net_is_read(const struct mf_http_call *c);
bool mf_net_is_idempotent(const struct mf_http_call *c);
/* Hands one request to libcurl. `authorization` is the header's value or empty. */
int mf_net_exchange_start(struct mf_http_call *c, struct mf_bytes authorization,
			  struct mf_err *err) MF_NODISCARD;
/* Octets of the exchange that have moved so far. */
uint64_t mf_net_exchange_moved(const struct mf_http_call *c);
/* Frees what belongs to one exchange. */
void mf_net_exchange_clear(struct mf_http_call *c);

/* ---- credential.c */

/* What a configuration file in Docker's format says of one repository; strings are decoded, empty when
 * absent. */
struct mf_docker_entry {
	char helper[128], store[128];
	struct mf_buf auth, user, password, identity_token, registry_token; /* secret; auth is base64 */
	size_t fit;   /* how well the entry's key fits the repository; 0: there is no entry */
	bool by_path; /* keys of the host have paths */
};
void mf_docker_entry_init(struct mf_docker_entry *e);
void mf_docker_entry_clear(struct mf_docker_entry *e);
int mf_docker_config_scan(struct mf_docker_entry *out, struct mf_bytes doc, const char *host,
			  struct mf_str repository, struct mf_err *err) MF_NODISCARD;

/* A string or null (then *out is empty), decoded. */
int mf_net_read_text(struct mf_json_reader *r, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* ---- aws.c */

/* What one profile says; secret. */
enum mf_aws_key {
	MF_AWS_KEY_ID,
	MF_AWS_SECRET,
	MF_AWS_TOKEN,
	MF_AWS_REGION,
	MF_AWS_ENDPOINT,
	MF_AWS_PROCESS,
	MF_AWS_ADDRESSING,
	MF_AWS_KEYS
};
struct mf_aws_profile {
	bool found;
	struct mf_buf v[MF_AWS_KEYS];
};
void mf_aws_profile_init(struct mf_aws_profile *p);
void mf_aws_profile_clear(struct mf_aws_profile *p);
/* Reads a section of a file in the format of ~/.aws/config; the first value of a key stays. MF_E_FORMAT. */
int mf_aws_profile_scan(struct mf_aws_profile *out, struct mf_str text, struct mf_str section,
			struct mf_err *err) MF_NODISCARD;
/* What a credential_process prints; *expires 0: it does not say. The words of an error quote nothing. */
int mf_aws_process_parse(struct mf_aws_profile *out, struct mf_bytes text, int64_t *expires,
			 struct mf_err *err) MF_NODISCARD;
/* Splits a command line at blanks that are not in double quotes, in place. argv: room for max, with NULL. */
int mf_aws_split_command(char *line, const char **argv, size_t max, struct mf_err *err) MF_NODISCARD;

/* ---- auth.c */

/* One challenge (RFC 9110 section 11.6.1). */
struct mf_challenge {
	enum mf_scheme { MF_SCHEME_NONE, MF_SCHEME_BASIC, MF_SCHEME_BEARER } scheme;
	char realm[1024], service[256], scope[1024], error[64];
};
/* Reads header values, one a line, of several challenges each. The first Bearer with a realm that is a URL is
 * chosen, else Basic, else none: what is malformed does not keep the rest from being read. */
void mf_challenge_parse(struct mf_challenge *out, struct mf_str values);

/* A token of one scope; one fetch serves all calls that want it. */
struct mf_token {
	struct mf_token *next;
	struct mf_auth *auth;
	char *realm, *service, *scope;
	struct mf_secret value;
	int64_t expires_ms;         /* on CLOCK_MONOTONIC */
	uint64_t serial;            /* counts fetches */
	bool by_get;                /* the server knows no POST */
	struct mf_http_call *fetch; /* under way, or NULL */
};
/* Reads a token server's answer. MF_E_FORMAT. */
int mf_net_token_parse(struct mf_bytes body, struct mf_secret *value, int64_t *lifetime_s,
		       struct mf_err *err) MF_NODISCARD;
/* The request for a token: *url (malloc'd), and the body or the Authorization value that go with it. */
int mf_net_token_request(const struct mf_token *t, char **url, struct mf_buf *form,
			 struct mf_secret *authorization, struct mf_err *err) MF_NODISCARD;
/* Is the token to be requested again, by GET? Token servers without OAuth 2 refuse the POST. */
bool mf_net_token_by_get(struct mf_token *t, const struct mf_http_call *fetch);
/* Takes what the token server has answered. */
int mf_net_token_answer(struct mf_token *t, struct mf_http_call *fetch, struct mf_err *err);

enum mf_auth_next {
	MF_AUTH_FAILED = -1,
	MF_AUTH_SEND,   /* the request, with or without credentials */
	MF_AUTH_FETCH,  /* c->token, then send */
	MF_AUTH_RETURN, /* the response is the caller's */
};
/* What to do before sending: *value gets the Authorization header's value, if any. */
enum mf_auth_next mf_net_auth_prepare(struct mf_http_call *c, struct mf_secret *value, struct mf_err *err);
/* What to do after a 401. */
enum mf_auth_next mf_net_auth_challenged(struct mf_http_call *c, struct mf_err *err);
/* Notes which origin the credentials are for: the one that first answered. */
void mf_net_auth_bind(struct mf_http_call *c);
/* Adds a hint on what to do about a 401 or 403. */
void mf_net_auth_hint(const struct mf_http_call *c, struct mf_err *err);

#endif
