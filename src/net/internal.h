/* Declarations shared by the files of this module. The files call each other in one direction: http.c (calls)
 * uses auth.c and exchange.c; auth.c uses exchange.c (for errors) and credential.c; all of them use url.c and
 * curl.c.
 *
 * A call is a small state machine: ready to be sent, running in libcurl, parked (backing off, or waiting for
 * a token), done. An exchange is one request that is sent once; a call makes several exchanges when it is
 * redirected, retried or challenged. */
#ifndef MF_NET_INTERNAL_H
#define MF_NET_INTERNAL_H

#include <curl/curl.h>

#include "json/json.h"
#include "net/http.h"

#define MF_NET_MAX_RUNNING                                                                                   \
	32 /* exchanges in flight at once; further calls wait in a queue until one of these ends */
#define MF_NET_MAX_RETRIES 3
#define MF_NET_MAX_RETRY_AFTER_S 60 /* when a server asks for more, its answer is reported at once */
#define MF_NET_MAX_AUTH_ROUNDS 3    /* challenges answered in one call: a stale token brings one more */
#define MF_NET_ORIGIN 300
#define MF_NET_URL_TEXT 512 /* size of a redacted URL in messages and log lines */

/* Wipes and frees a buffer that held a secret. */
void mf_net_buf_wipe(struct mf_buf *b);
#define MF_NET_WIPED MF_CLEANUP(mf_net_buf_wipe)

enum mf_call_state { MF_CALL_READY, MF_CALL_RUNNING, MF_CALL_BACKOFF, MF_CALL_TOKEN, MF_CALL_DONE };
/* What the last exchange sent in its Authorization header. */
enum mf_sent { MF_SENT_NOTHING, MF_SENT_PASSWORD, MF_SENT_TOKEN, MF_SENT_REGISTRY_TOKEN };

struct mf_call_list {
	struct mf_http_call *head, *tail;
};

struct mf_http {
	struct mf_env *env;
	CURLM *multi;
	CURLSH *share; /* TLS sessions, which new connections to a known host resume */
	char *user_agent, *cacert, *client_cert, *client_key, *capath;
	bool plain_http, stepping, looked_for_capath;
	int64_t connect_timeout_ms, stall_timeout_s;
	bool moving; /* content was being transferred at the last check */
	enum mf_progress_kind moving_kind;
	int64_t credited_ms; /* transfer time up to here was added to the deadline */
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
	uint64_t moved;   /* octets of the present exchange received, or acknowledged by the peer */
	int64_t moved_ms; /* when `moved` last grew */
	uint64_t body_offset, received;
	bool headers_done; /* trailers must not replace headers */
	bool encoded;      /* the body came compressed */
	bool body_cut;     /* the rest of an error's body was not read */
	bool sent;         /* libcurl has begun to send the request of the present exchange */
	bool delivered;    /* the caller's write function has had octets: no retry */
	int connect_errno; /* errno of a failed connect; 0: unknown */
	bool met_tls;      /* the server has shown that it speaks TLS */

	unsigned redirects, retries;
	bool foreign;      /* another origin named this URL: no secrets are sent with it */
	bool other_origin; /* a token server elsewhere: gets the password, but no client certificate */

	struct mf_token *token; /* the token that the call waits for, or sent last */
	uint64_t token_serial;  /* `serial` of the token when it was sent */
	bool token_fresh;       /* the token was fetched while this call waited */
	enum mf_sent sent_auth; /* in the last exchange */
	unsigned auth_rounds;
	char *scope; /* from the server's challenge, for a request without a scope */

	bool fetches_token;             /* a call that the client made to get a token; freed when it ends */
	struct mf_token *fetched;       /* the token that the call fetches; NULL: it was freed meanwhile */
	struct mf_secret authorization; /* header value of a token request */
	struct mf_buf form;             /* body of a token request: holds a refresh token, so it is wiped */

	struct mf_buf challenges; /* WWW-Authenticate values, one per line */
	char retry_after[64];
	struct mf_http_response res;
	struct mf_err err;
};

/* ---- curl.c */

/* The functions of libcurl that are used, under their names without "curl_". */
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
/* Loads libcurl unless it is loaded. Safe in any thread. MF_E_IO: libcurl is not installed. */
int mf_curl_load(struct mf_err *err) MF_NODISCARD;
/* The functions of libcurl; call mf_curl_load first. */
const struct mf_curl *mf_curl(void);

/* ---- url.c */

/* Resolves `ref` against `base` (NULL: ref is absolute) and drops the fragment; *out is malloc'd.
 * MF_E_FORMAT. */
int mf_net_url_resolve(char **out, const char *base, const char *ref, struct mf_err *err) MF_NODISCARD;
/* Writes "https://host:port" in lower case, always with the port. False when url is not an http or https
 * URL. */
bool mf_net_url_origin(char out[MF_NET_ORIGIN], const char *url);
bool mf_net_url_https(const char *url);
bool mf_net_url_loopback(const char *url);
/* Writes a URL for messages: without user information, query values and control characters, cut at n. */
void mf_net_url_redact(char *out, size_t n, const char *url);
/* Makes CURLOPT_NOPROXY for a request to this URL from $no_proxy or $NO_PROXY, in which libcurl understands
 * neither ports nor "*.domain". False: there is no such list. */
#define MF_NET_NO_PROXY 4096
bool mf_net_no_proxy(char out[MF_NET_NO_PROXY], const char *url);

/* ---- exchange.c */

/* Milliseconds of a Retry-After value (RFC 9110 section 10.2.3), -1 when there is none. */
int64_t mf_net_retry_after_ms(const char *value, int64_t now_s);
/* Like mf_http_status_error, but without a hint about credentials. */
int mf_net_status_error(const struct mf_http_call *call, const char *what, struct mf_err *err);
const char *mf_net_method(const struct mf_http_call *c);
bool mf_net_is_read(const struct mf_http_call *c);
bool mf_net_is_idempotent(const struct mf_http_call *c);
/* Hands one request to libcurl. `authorization` is the value of the Authorization header, or empty. */
int mf_net_exchange_start(struct mf_http_call *c, struct mf_bytes authorization,
			  struct mf_err *err) MF_NODISCARD;
/* Octets of the exchange transferred so far: received, and sent and acknowledged. */
uint64_t mf_net_exchange_moved(const struct mf_http_call *c);
/* Frees what belongs to one exchange. */
void mf_net_exchange_clear(struct mf_http_call *c);

/* ---- credential.c */

/* What a configuration file in Docker's format has for one repository; strings are decoded, empty when
 * absent. */
struct mf_docker_entry {
	char helper[128], store[128];
	struct mf_buf auth, user, password, identity_token, registry_token; /* secret; auth is base64 */
	size_t fit;   /* how well the entry's key fits the repository; 0: there is no entry */
	bool by_path; /* the file has keys of this host with paths */
};
void mf_docker_entry_init(struct mf_docker_entry *e);
void mf_docker_entry_clear(struct mf_docker_entry *e);
int mf_docker_config_scan(struct mf_docker_entry *out, struct mf_bytes doc, const char *host,
			  struct mf_str repository, struct mf_err *err) MF_NODISCARD;

/* Reads a string, decoded, or null (then *out is empty). */
int mf_net_read_text(struct mf_json_reader *r, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* ---- aws.c */

/* The settings of one profile; they include secrets. */
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
/* Reads a section of a file in the format of ~/.aws/config; values that *out already has are kept.
 * MF_E_FORMAT. */
int mf_aws_profile_scan(struct mf_aws_profile *out, struct mf_str text, struct mf_str section,
			struct mf_err *err) MF_NODISCARD;
/* Reads what a credential_process prints; *expires is 0 when it gives no time. MF_E_AUTH, whose message
 * quotes nothing of the text. */
int mf_aws_process_parse(struct mf_aws_profile *out, struct mf_bytes text, int64_t *expires,
			 struct mf_err *err) MF_NODISCARD;
/* Splits a command line in place, at blanks that are not in double quotes. argv has room for max entries,
 * including the NULL at the end. */
int mf_aws_split_command(char *line, const char **argv, size_t max, struct mf_err *err) MF_NODISCARD;

/* ---- auth.c */

/* One challenge (RFC 9110 section 11.6.1). */
struct mf_challenge {
	enum mf_scheme { MF_SCHEME_NONE, MF_SCHEME_BASIC, MF_SCHEME_BEARER } scheme;
	char realm[1024], service[256], scope[1024], error[64];
};
/* Reads header values, one per line, each with any number of challenges. Chooses the first Bearer challenge
 * whose realm is a URL, else Basic, else none. Malformed challenges are skipped. */
void mf_challenge_parse(struct mf_challenge *out, struct mf_str values);

/* A token for one scope; one fetch serves all calls that wait for it. */
struct mf_token {
	struct mf_token *next;
	struct mf_auth *auth;
	char *realm, *service, *scope;
	struct mf_secret value;
	int64_t expires_ms;         /* on CLOCK_MONOTONIC */
	uint64_t serial;            /* counts fetches */
	bool by_get;                /* the token server does not accept POST */
	struct mf_http_call *fetch; /* the call in flight that fetches it, or NULL */
};
/* Reads a token server's answer. MF_E_FORMAT. */
int mf_net_token_parse(struct mf_bytes body, struct mf_secret *value, int64_t *lifetime_s,
		       struct mf_err *err) MF_NODISCARD;
/* Makes the request for a token: *url (malloc'd), and its body or its Authorization value; both stay empty
 * for an anonymous request. */
int mf_net_token_request(const struct mf_token *t, char **url, struct mf_buf *form,
			 struct mf_secret *authorization, struct mf_err *err) MF_NODISCARD;
/* True when the token is to be requested again by GET, because a token server without OAuth 2 refused the
 * POST. */
bool mf_net_token_by_get(struct mf_token *t, const struct mf_http_call *fetch);
/* Stores the token from the token server's answer, or reports why there is none. */
int mf_net_token_answer(struct mf_token *t, struct mf_http_call *fetch, struct mf_err *err);

enum mf_auth_next {
	MF_AUTH_FAILED = -1,
	MF_AUTH_SEND,   /* send the request, with or without credentials */
	MF_AUTH_FETCH,  /* fetch c->token first, then send */
	MF_AUTH_RETURN, /* return the response to the caller */
};
/* Decides what to do before sending; *value gets the value of the Authorization header, if any. */
enum mf_auth_next mf_net_auth_prepare(struct mf_http_call *c, struct mf_secret *value, struct mf_err *err);
/* Decides what to do after a 401. */
enum mf_auth_next mf_net_auth_challenged(struct mf_http_call *c, struct mf_err *err);
/* Binds the credentials to the origin that answers first. */
void mf_net_auth_bind(struct mf_http_call *c);
/* Adds a hint to the error of a 401 or 403: where the credentials came from, or how to give some. */
void mf_net_auth_hint(const struct mf_http_call *c, struct mf_err *err);

#endif
