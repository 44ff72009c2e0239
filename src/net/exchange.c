/* One exchange in libcurl: its options, the request body, response headers and body; and the error that a
 * server's response stands for. */
#include <dirent.h>
#include <limits.h>
#include <linux/sockios.h>
#include <strings.h>
#include <sys/ioctl.h>

#include "json/json.h"
#include "net/internal.h"

const char *mf_net_method(const struct mf_http_call *c)
{
	return c->req.method ? c->req.method : "GET";
}

bool mf_net_is_read(const struct mf_http_call *c)
{
	const char *m = mf_net_method(c);
	return strcmp(m, "GET") == 0 || strcmp(m, "HEAD") == 0;
}

bool mf_net_is_idempotent(const struct mf_http_call *c)
{
	const char *m = mf_net_method(c);
	return mf_net_is_read(c) || strcmp(m, "PUT") == 0 || strcmp(m, "DELETE") == 0;
}

/* ---- response headers */

struct field {
	const char *name;
	size_t offset, size;
	bool list; /* repeated fields are one list (RFC 9110 section 5.3) */
};
#define FIELD(name, member, list)                                                                            \
	{                                                                                                    \
		name, offsetof(struct mf_http_call, member), sizeof(((struct mf_http_call *)0)->member),     \
		    list                                                                                     \
	}

static const struct field fields[] = {
    FIELD("Content-Type", res.content_type, false),
    FIELD("Docker-Content-Digest", res.docker_content_digest, false),
    FIELD("Location", res.location, false),
    FIELD("Link", res.link, true),
    FIELD("OCI-Subject", res.oci_subject, false),
    FIELD("OCI-Filters-Applied", res.oci_filters_applied, false),
    FIELD("Retry-After", retry_after, false),
};

static struct mf_str trim(struct mf_str s)
{
	while (s.n && strchr(" \t", s.p[0]))
		s = (struct mf_str){s.p + 1, s.n - 1};
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool name_is(struct mf_str name, const char *z)
{
	return name.n == strlen(z) && !strncasecmp(name.p, z, name.n);
}

static int store_field(struct mf_http_call *c, const struct field *f, struct mf_str value)
{
	char *to = (char *)c + f->offset;
	size_t have = strlen(to);
	if (have && !f->list) {
		if (mf_str_eqz(value, to))
			return 0;
		return mf_fail(&c->err, MF_E_UNAVAILABLE, 0, "answer has two different '%s' headers",
			       f->name);
	}
	size_t comma = have ? 2 : 0;
	if (value.n + have + comma >= f->size)
		return mf_fail(&c->err, MF_E_UNAVAILABLE, 0, "answer's '%s' header is longer than %zu bytes",
			       f->name, f->size - 1);
	memcpy(to + have, ", ", comma);
	memcpy(to + have + comma, value.p, value.n);
	to[have + comma + value.n] = 0;
	return 0;
}

static int store_challenge(struct mf_http_call *c, struct mf_str value)
{
	if (mf_buf_add_str(&c->challenges, value, &c->err) < 0)
		return -1;
	return mf_buf_addc(&c->challenges, '\n', &c->err);
}

/* These times are for information only, so a malformed or overlong date is ignored. */
static void store_time(int64_t *to, struct mf_str value)
{
	char text[64];
	if (value.n >= sizeof text)
		return;
	memcpy(text, value.p, value.n);
	text[value.n] = 0;
	time_t when = mf_curl()->getdate(text, NULL);
	*to = when > 0 ? (int64_t)when : 0;
}

/* Few callers use these headers, so one that is too long is stored as "" and does not fail the call. */
static void store_short(char *to, size_t size, struct mf_str value)
{
	size_t n = value.n < size ? value.n : 0;
	memcpy(to, value.p, n);
	to[n] = 0;
}

static int take_header(struct mf_http_call *c, struct mf_str line)
{
	const char *colon = memchr(line.p, ':', line.n);
	if (!colon)
		return 0;
	struct mf_str name = {line.p, (size_t)(colon - line.p)};
	struct mf_str value = trim((struct mf_str){colon + 1, line.n - name.n - 1});
	if (name_is(name, "WWW-Authenticate"))
		return store_challenge(c, value);
	if (name_is(name, "Content-Encoding"))
		c->encoded = !name_is(value, "identity");
	if (name_is(name, "Last-Modified") || name_is(name, "Date")) {
		store_time(name.n == 4 ? &c->res.date : &c->res.last_modified, value);
		return 0;
	}
	if (name_is(name, "ETag"))
		store_short(c->res.etag, sizeof c->res.etag, value);
	if (name_is(name, "x-amz-bucket-region"))
		store_short(c->res.bucket_region, sizeof c->res.bucket_region, value);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (name_is(name, fields[i].name))
			return store_field(c, &fields[i], value);
	return 0;
}

/* Every status line starts a new response: interim responses (1xx) come before the final one. */
static void begin_headers(struct mf_http_call *c)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		*((char *)c + fields[i].offset) = 0;
	mf_buf_reset(&c->challenges);
	c->res.last_modified = c->res.date = 0;
	c->res.etag[0] = c->res.bucket_region[0] = 0;
	c->headers_done = c->encoded = false;
}

static void end_headers(struct mf_http_call *c)
{
	curl_off_t length = -1;
	(void)mf_curl()->easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &c->res.status);
	(void)mf_curl()->easy_getinfo(c->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	/* Content-Length of a compressed body is not the length of the content. */
	c->res.content_length = length < 0 || c->encoded ? UINT64_MAX : (uint64_t)length;
	c->headers_done = c->res.status >= 200;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct mf_http_call *c = arg;
	struct mf_str line = {p, size * n};
	if (c->headers_done)
		return line.n;
	if (line.n >= 5 && !memcmp(p, "HTTP/", 5)) {
		begin_headers(c);
		return line.n;
	}
	if (trim(line).n == 0) {
		end_headers(c);
		return line.n;
	}
	return take_header(c, line) < 0 ? 0 : line.n;
}

int64_t mf_net_retry_after_ms(const char *value, int64_t now_s)
{
	size_t digits = strspn(value, "0123456789");
	if (!*value)
		return -1;
	if (!value[digits])
		return digits > 9 ? INT64_MAX : (int64_t)strtoll(value, NULL, 10) * 1000;
	time_t when = mf_curl()->getdate(value, NULL);
	if (when == (time_t)-1)
		return -1;
	return (int64_t)when > now_s ? ((int64_t)when - now_s) * 1000 : 0;
}

/* ---- errors */

struct server_error {
	char code[64];
	char text[400]; /* message and detail */
};

static void add_printable(char *out, size_t size, struct mf_str s)
{
	size_t n = strlen(out);
	for (size_t i = 0; s.p && i < s.n && n + 1 < size; i++)
		out[n++] = s.p[i] >= ' ' && s.p[i] < 0x7f ? s.p[i] : '?';
	out[n] = 0;
}

/* "detail" may be a string or any other JSON value, which is shown as JSON. */
static void add_detail(struct server_error *out, const json_t *first)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ERROR_BODY);
	const json_t *detail = json_object_get(first, "detail");
	if (!detail || json_is_null(detail) || (!json_is_string(detail) && !json_object_size(detail)))
		return;
	if (json_is_string(detail) ? mf_buf_addz(&text, json_string_value(detail), &err) < 0
				   : mf_json_dump(detail, JSON_COMPACT, &text, &err) < 0)
		return;
	if (text.n)
		add_printable(out->text, sizeof out->text, out->text[0] ? MF_STR(": ") : MF_STR(""));
	add_printable(out->text, sizeof out->text, mf_buf_str(&text));
}

static bool is_plain_text(const struct mf_http_response *r)
{
	return strncasecmp(r->content_type, "text/plain", 10) == 0;
}

static void read_error(struct server_error *out, const struct mf_http_response *r)
{
	struct mf_err err = MF_ERR_INIT;
	json_t *first = NULL, *list = NULL;
	const char *code = "", *message = "";
	*out = (struct server_error){"", ""};
	if (!r->body.n)
		return;
	json_t *doc MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&r->body), MF_MAX_ERROR_BODY, &err);
	if (!doc && is_plain_text(r))
		add_printable(out->text, 200,
			      (struct mf_str){r->body.p, strcspn(mf_buf_str(&r->body).p, "\r\n")});
	if (!doc || mf_json_get_arr(doc, "errors", MF_JSON_REQUIRED, &list, &err) < 0 ||
	    !(first = json_array_get(list, 0)) ||
	    mf_json_get_str(first, "code", MF_JSON_OPTIONAL, &code, &err) < 0 ||
	    mf_json_get_str(first, "message", MF_JSON_OPTIONAL, &message, &err) < 0)
		return;
	if (strlen(code) < sizeof out->code)
		add_printable(out->code, sizeof out->code, mf_str_c(code));
	add_printable(out->text, 200, mf_str_c(message));
	add_detail(out, first);
}

void mf_http_error_code(const struct mf_http_response *r, char out[64])
{
	struct server_error e;
	read_error(&e, r);
	memcpy(out, e.code, sizeof e.code);
}

/* Metadata and errors are JSON, and some servers label them text/html. */
bool mf_http_is_web_page(const struct mf_http_response *r)
{
	static const char *const types[] = {"text/html", "application/xhtml"};
	static const char *const starts[] = {"<!doctype html", "<html", "<head",  "<body",
					     "<script",        "<meta", "<title", "<!--"};
	const char *body = mf_buf_str(&r->body).p;
	body += strspn(body, "\xef\xbb\xbf \t\r\n");
	if (*body == '{' || *body == '[')
		return false;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strncasecmp(r->content_type, types[i], strlen(types[i])) == 0)
			return true;
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (strncasecmp(body, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

int mf_http_web_page_error(const struct mf_http_call *c, const char *what, const char *hint,
			   struct mf_err *err)
{
	char shown[MF_NET_URL_TEXT];
	mf_net_url_redact(shown, sizeof shown, c->url);
	(void)mf_fail(err, MF_E_UNAVAILABLE, 0, "%s: the server answered with a web page", what);
	mf_err_set_endpoint(err, shown);
	mf_err_set_hint(err, "%s", hint);
	return -1;
}

/* The error code and the hint for a status. Every other status is MF_E_UNAVAILABLE: no signed metadata
 * confirms the failure, and a later try may succeed. */
static const struct refusal {
	long status;
	enum mf_code code;
	const char *hint;
} refusals[] = {
    {401, MF_E_AUTH, NULL},
    {403, MF_E_AUTH, NULL},
    {404, MF_E_NOT_FOUND, NULL},
    {405, MF_E_UNAVAILABLE,
     "the server does not allow this: a mirror or a cache can only be read, and a URL of something else "
     "answers so"},
    {407, MF_E_UNAVAILABLE, "the proxy wants a login: http://USER:PASSWORD@HOST in HTTPS_PROXY"},
    {413, MF_E_UNAVAILABLE,
     "the server, or a proxy before it, limits the size of uploads (nginx: client_max_body_size)"},
    {429, MF_E_UNAVAILABLE, "the server limits the number of requests: wait, or log in"},
    {507, MF_E_UNAVAILABLE, "the server has no space left"},
};

static const struct refusal *refusal_of(long status)
{
	static const struct refusal other = {0, MF_E_UNAVAILABLE, NULL};
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (refusals[i].status == status)
			return &refusals[i];
	return &other;
}

/* These are the messages of Go's net/http and of nginx. */
bool mf_http_wants_tls(const struct mf_http_call *c)
{
	const char *body = mf_buf_str(&c->res.body).p;
	return c->res.status == 400 && !mf_net_url_https(c->url) &&
	       (strstr(body, "HTTP request to an HTTPS server") ||
		strstr(body, "plain HTTP request was sent to HTTPS port"));
}

int mf_net_status_error(const struct mf_http_call *c, const char *what, struct mf_err *err)
{
	struct server_error e;
	char shown[MF_NET_URL_TEXT], to[MF_NET_URL_TEXT];
	const struct mf_http_response *r = &c->res;
	const struct refusal *refusal = refusal_of(r->status);
	mf_net_url_redact(shown, sizeof shown, c->url);
	read_error(&e, r);
	if (r->status / 100 == 3 && r->location[0]) {
		mf_net_url_redact(to, sizeof to, r->location);
		(void)snprintf(e.text, sizeof e.text, "a redirect to '%.300s'", to);
	} else if (!e.text[0] && mf_http_is_web_page(r)) {
		(void)snprintf(e.text, sizeof e.text, "a web page");
	}
	(void)mf_fail(err, refusal->code, 0, "%s: status %ld%s%s%s%s", what, r->status, *e.code ? " " : "",
		      e.code, *e.text ? ": " : "", e.text);
	mf_err_set_endpoint(err, shown);
	if (mf_http_wants_tls(c))
		mf_err_set_hint(err, "the server speaks TLS: use https://");
	if (refusal->hint)
		mf_err_set_hint(err, "%s", refusal->hint);
	return -1;
}

/* ---- the exchange */

/* A part of multipart/form-data, and how much of it was sent. */
struct mf_net_part {
	struct mf_http_call *call;
	struct mf_bytes data;
	size_t at;
};

static size_t copy_out(struct mf_http_call *c, char *p, size_t n, struct mf_bytes from, size_t at)
{
	size_t take = from.n - at < n ? from.n - at : n;
	if (take)
		memcpy(p, from.p + at, take);
	c->h->stats.bytes_out += take;
	return take;
}

static size_t on_part_read(char *p, size_t size, size_t n, void *arg)
{
	struct mf_net_part *part = arg;
	size_t got = copy_out(part->call, p, size * n, part->data, part->at);
	part->at += got;
	return got;
}

/* libcurl rewinds the body to send the request again when a reused connection turns out to be dead. With
 * no_retry that is refused. */
static int on_part_seek(void *arg, curl_off_t offset, int origin)
{
	struct mf_net_part *part = arg;
	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > part->data.n || part->call->req.no_retry)
		return CURL_SEEKFUNC_FAIL;
	part->at = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* libcurl calls this before each time it sends the request. It sends again by itself when a reused connection
 * was closed without a response; a request that may have taken effect already must not be sent twice. */
static int on_send(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct mf_http_call *c = arg;
	(void)ip, (void)local_ip, (void)port, (void)local_port;
	if (c->sent && (c->req.no_retry || !mf_net_is_idempotent(c))) {
		if (!c->err.code)
			(void)mf_fail(&c->err, MF_E_UNAVAILABLE, 0,
				      "the connection was lost before an answer came; the request may have "
				      "taken effect");
		return CURL_PREREQFUNC_ABORT;
	}
	c->sent = true;
	return CURL_PREREQFUNC_OK;
}

static uint64_t body_length(const struct mf_http_request *req)
{
	return req->read ? req->body_length : req->body.n;
}

static size_t read_stream(struct mf_http_call *c, char *p, size_t n)
{
	uint64_t left = c->req.body_length - c->body_offset;
	size_t got = 0, want = left < n ? (size_t)left : n;
	if (!want)
		return 0;
	if (c->req.read(c->req.read_arg, c->body_offset, p, want, &got, &c->err) < 0)
		return CURL_READFUNC_ABORT;
	if (!got || got > want) {
		(void)mf_fail(&c->err, MF_E_IO, 0, "request body ended after %llu of %llu bytes",
			      (unsigned long long)c->body_offset, (unsigned long long)c->req.body_length);
		return CURL_READFUNC_ABORT;
	}
	c->h->stats.bytes_out += got;
	return got;
}

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
	struct mf_http_call *c = arg;
	size_t got = c->req.read ? read_stream(c, p, size * n)
				 : copy_out(c, p, size * n, c->req.body, (size_t)c->body_offset);
	if (got != CURL_READFUNC_ABORT)
		c->body_offset += got;
	return got;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct mf_http_call *c = arg;
	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > body_length(&c->req) || c->req.no_retry)
		return CURL_SEEKFUNC_FAIL;
	c->body_offset = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* Keeps the beginning of an error's body, which explains the error, and stops reading at
 * MF_MAX_ERROR_BODY. */
static size_t keep_other(struct mf_http_call *c, const char *p, size_t n)
{
	size_t room = MF_MAX_ERROR_BODY - c->res.body.n, take = n < room ? n : room;
	if (mf_buf_add(&c->res.body, p, take, &c->err) < 0)
		return 0;
	c->body_cut = take < n;
	return c->body_cut ? 0 : n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct mf_http_call *c = arg;
	size_t max = c->req.max_bytes ? c->req.max_bytes : MF_MAX_ERROR_BODY;
	n *= size;
	c->received += n;
	c->h->stats.bytes_in += n;
	if (c->res.status / 100 != 2)
		return keep_other(c, p, n);
	if (c->received > max || (c->res.content_length != UINT64_MAX && c->res.content_length > max)) {
		(void)mf_fail(&c->err, MF_E_FORMAT, 0, "answer is larger than %zu bytes", max);
		return 0;
	}
	if (!c->req.write)
		return mf_buf_add(&c->res.body, p, n, &c->err) < 0 ? 0 : n;
	c->delivered = true;
	if (c->req.write(c->req.write_arg, p, n, &c->err) == 0)
		return n;
	if (!c->err.code)
		(void)mf_fail(&c->err, MF_E_INTERNAL, 0, "the write callback failed");
	return 0;
}

static int add_header(struct mf_http_call *c, const char *line, struct mf_err *err)
{
	struct curl_slist *list = mf_curl()->slist_append(c->headers, line);
	if (!list)
		return mf_fail_nomem(err);
	c->headers = list;
	return 0;
}

/* A line break inside a value would let the source of the value add headers. */
static int add_request_header(struct mf_http_call *c, const char *line, struct mf_err *err)
{
	struct mf_esc esc;
	if (strpbrk(line, "\r\n"))
		return mf_fail(err, MF_E_USAGE, 0, "request header '%s' has a line break",
			       mf_esc(&esc, mf_str_c(line)));
	if (c->foreign && (!strncasecmp(line, "Authorization:", 14) || !strncasecmp(line, "Cookie:", 7)))
		return 0;
	return add_header(c, line, err);
}

static int add_authorization(struct mf_http_call *c, struct mf_bytes value, struct mf_err *err)
{
	struct mf_buf line MF_NET_WIPED = MF_BUF_INIT(MF_MAX_TOKEN_BODY);
	if (!value.n || c->foreign)
		return 0;
	if (mf_buf_addz(&line, "Authorization: ", err) < 0 || mf_buf_add(&line, value.p, value.n, err) < 0)
		return -1;
	return add_header(c, line.p, err);
}

static int build_headers(struct mf_http_call *c, struct mf_bytes authorization, struct mf_err *err)
{
	/* With a server that does not know "Expect: 100-continue", each upload would wait one second. A
	 * server that compresses in spite of "identity" is understood (CURLOPT_ACCEPT_ENCODING). */
	if (add_header(c, "Expect:", err) < 0 || add_header(c, "Accept-Encoding: identity", err) < 0 ||
	    add_authorization(c, authorization, err) < 0)
		return -1;
	for (const char *const *line = c->req.headers; line && *line; line++)
		if (add_request_header(c, *line, err) < 0)
			return -1;
	return 0;
}

static int build_parts(struct mf_http_call *c, struct mf_err *err)
{
	c->parts = mf_calloc(c->req.nparts, sizeof *c->parts);
	c->mime = mf_curl()->mime_init(c->easy);
	if (!c->parts || !c->mime)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < c->req.nparts; i++) {
		const struct mf_http_part *from = &c->req.parts[i];
		curl_mimepart *part = mf_curl()->mime_addpart(c->mime);
		c->parts[i] = (struct mf_net_part){c, from->data, 0};
		if (!part || mf_curl()->mime_name(part, from->name) ||
		    mf_curl()->mime_type(part, "application/octet-stream") ||
		    mf_curl()->mime_data_cb(part, (curl_off_t)from->data.n, on_part_read, on_part_seek, NULL,
					    &c->parts[i]) ||
		    (from->filename && mf_curl()->mime_filename(part, from->filename)))
			return mf_fail_nomem(err);
	}
	return 0;
}

/* libcurl checks argument types in a macro curl_easy_setopt, which a call through the table bypasses. A
 * number that is not a long would be read from the wrong bytes of the argument list. */
#define SET(option, value)                                                                                   \
	do {                                                                                                 \
		_Static_assert((option) >= CURLOPTTYPE_OBJECTPOINT ||                                        \
				   __builtin_types_compatible_p(__typeof__(value), long),                    \
			       "a number is a long");                                                        \
		bad |= mf_curl()->easy_setopt(c->easy, option, value) != CURLE_OK;                           \
	} while (0)

static bool set_callbacks(struct mf_http_call *c)
{
	bool bad = false;
	SET(CURLOPT_PRIVATE, c);
	SET(CURLOPT_ERRORBUFFER, c->curl_error);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, c);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, c);
	SET(CURLOPT_READFUNCTION, on_read);
	SET(CURLOPT_READDATA, c);
	SET(CURLOPT_SEEKFUNCTION, on_seek);
	SET(CURLOPT_SEEKDATA, c);
	SET(CURLOPT_PREREQFUNCTION, on_send);
	SET(CURLOPT_PREREQDATA, c);
	return bad;
}

static long as_long(int64_t v)
{
	return v > INT_MAX ? INT_MAX : (long)v;
}

static bool set_limits(struct mf_http_call *c)
{
	const struct mf_http *h = c->h;
	int64_t left = mf_env_left_ms(h->env);
	bool bad = false;
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, as_long(h->connect_timeout_ms < left ? h->connect_timeout_ms : left));
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, as_long(h->stall_timeout_s));
	/* The resolver's thread cannot be stopped. Without this option, ending a call waits for that thread,
	 * even past the deadline or after a cancel. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_BUFFERSIZE, 131072L);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, 131072L);
	SET(CURLOPT_TCP_NODELAY, 1L);
	return bad;
}

/* http.c follows redirects itself. In libcurl, netrc, cookies and HTTP/0.9 are off by default. */
static bool set_protocol(struct mf_http_call *c)
{
	bool bad = false;
	SET(CURLOPT_URL, c->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	SET(CURLOPT_USERAGENT, c->h->user_agent);
	SET(CURLOPT_HTTPHEADER, c->headers);
	SET(CURLOPT_ACCEPT_ENCODING, "gzip");
	/* Plain HTTP to loopback is allowed because it does not leave the machine, so it must not go to a
	 * proxy. */
	if (mf_net_url_loopback(c->url))
		SET(CURLOPT_PROXY, "");
	char no_proxy[MF_NET_NO_PROXY];
	if (mf_net_no_proxy(no_proxy, c->url))
		SET(CURLOPT_NOPROXY, no_proxy);
	return bad;
}

/* True for names that c_rehash and update-ca-certificates make: "8d28ae65.0". */
static bool is_hash_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] >= '0' && name[9] <= '9';
}

/* Reading the CA bundle file takes 20 ms or more; from a hashed directory only one file is read for each
 * connection. NULL when the directory is not hashed: then libcurl's default is used. */
static char *find_capath(void)
{
	const curl_version_info_data *info = mf_curl()->version_info(CURLVERSION_NOW);
	const char *path = info->capath ? info->capath : "/etc/ssl/certs";
	DIR *dir = opendir(path);
	bool found = false;
	if (!dir)
		return NULL;
	for (struct dirent *e; !found && (e = readdir(dir));)
		found = is_hash_name(e->d_name);
	(void)closedir(dir);
	return found ? strdup(path) : NULL;
}

static const char *capath_of(struct mf_http *h)
{
	if (!h->looked_for_capath && !h->cacert)
		h->capath = find_capath();
	h->looked_for_capath = true;
	return h->capath;
}

static bool set_tls(struct mf_http_call *c)
{
	struct mf_http *h = c->h;
	bool bad = false;
	if (!mf_net_url_https(c->url))
		return false;
	const char *capath = capath_of(h);
	SET(CURLOPT_SHARE, h->share);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (h->cacert || capath) {
		SET(CURLOPT_CAINFO, h->cacert);
		SET(CURLOPT_CAPATH, capath);
	}
	if (h->client_cert && !c->foreign && !c->other_origin) {
		SET(CURLOPT_SSLCERT, h->client_cert);
		SET(CURLOPT_SSLKEY, h->client_key);
	}
	return bad;
}

static bool set_method(struct mf_http_call *c)
{
	const char *method = mf_net_method(c);
	bool bad = false, body = c->req.read || c->req.body.n || !strcmp(method, "POST") ||
				 !strcmp(method, "PUT") || !strcmp(method, "PATCH");
	if (!strcmp(method, "HEAD"))
		SET(CURLOPT_NOBODY, 1L);
	else if (c->mime)
		SET(CURLOPT_MIMEPOST, c->mime);
	else if (body) {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_length(&c->req));
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		SET(CURLOPT_CUSTOMREQUEST, method);
	return bad;
}

static void reset(struct mf_http_call *c)
{
	mf_buf_clear(&c->res.body);
	mf_buf_init(&c->res.body, SIZE_MAX / 2);
	c->res.status = 0;
	c->res.content_length = UINT64_MAX;
	c->headers_done = c->body_cut = c->sent = false;
	c->received = c->body_offset = c->moved = 0;
	c->curl_error[0] = 0;
	c->started_ms = c->moved_ms = mf_monotonic_ms();
}

int mf_net_exchange_start(struct mf_http_call *c, struct mf_bytes authorization, struct mf_err *err)
{
	if (body_length(&c->req) > INT64_MAX)
		return mf_fail(err, MF_E_USAGE, 0, "request body is too large");
	reset(c);
	c->easy = mf_curl()->easy_init();
	if (!c->easy)
		return mf_fail_nomem(err);
	if (build_headers(c, authorization, err) < 0 || (c->req.nparts && build_parts(c, err) < 0))
		return -1;
	if (set_callbacks(c) || set_limits(c) || set_protocol(c) || set_tls(c) || set_method(c))
		return mf_fail(err, MF_E_NOMEM, 0, "set up request");
	if (mf_curl()->multi_add_handle(c->h->multi, c->easy))
		return mf_fail(err, MF_E_INTERNAL, 0, "start request");
	c->h->stats.requests++;
	return 0;
}

/* Octets that are still in the socket's send queue do not count as sent. */
uint64_t mf_net_exchange_moved(const struct mf_http_call *c)
{
	curl_off_t up = 0, down = 0;
	curl_socket_t fd = CURL_SOCKET_BAD;
	int queued = 0;
	(void)mf_curl()->easy_getinfo(c->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	(void)mf_curl()->easy_getinfo(c->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	if (up > 0 && mf_curl()->easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
	    fd != CURL_SOCKET_BAD && ioctl(fd, SIOCOUTQ, &queued) == 0)
		up = up > queued ? up - queued : 0;
	return (uint64_t)up + (uint64_t)down;
}

void mf_net_exchange_clear(struct mf_http_call *c)
{
	if (!c->easy)
		return;
	if (c->h)
		(void)mf_curl()->multi_remove_handle(c->h->multi, c->easy);
	mf_curl()->easy_cleanup(c->easy);
	c->easy = NULL;
	mf_curl()->mime_free(c->mime);
	c->mime = NULL;
	free(c->parts);
	c->parts = NULL;
	for (struct curl_slist *s = c->headers; s; s = s->next)
		mf_wipe(s->data, strlen(s->data));
	mf_curl()->slist_free_all(c->headers);
	c->headers = NULL;
}
