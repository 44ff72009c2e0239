/* One request as libcurl sees it: options, headers, request body, response body. */
#include <limits.h>
#include <strings.h>

#include "net/internal.h"

/* A part of multipart/form-data and how far it was sent. */
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

/* libcurl rewinds a body when a kept connection turned out to be dead after part of it was sent: that is
 * sending twice. */
static int on_part_seek(void *arg, curl_off_t offset, int origin)
{
	struct mf_net_part *part = arg;
	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > part->data.n || part->call->req.no_retry)
		return CURL_SEEKFUNC_FAIL;
	part->at = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* Called before each sending. libcurl sends once more by itself when a kept connection died without an
 * answer, which a request that may have taken effect must not be. */
static int on_send(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct mf_http_call *c = arg;
	(void)ip, (void)local_ip, (void)port, (void)local_port;
	if (c->sent && (c->req.no_retry || !mf_net_call_idempotent(c))) {
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
	if (c->req.read(c->req.read_arg, c->body_offset, p, want, &got, &c->err))
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

/* What explains an error is wanted, not all that a server may send: the rest is not read. */
static size_t keep_other(struct mf_http_call *c, const char *p, size_t n)
{
	size_t room = MF_MAX_ERROR_BODY - c->res.body.n, take = n < room ? n : room;
	if (mf_buf_add(&c->res.body, p, take, &c->err))
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
		return mf_buf_add(&c->res.body, p, n, &c->err) ? 0 : n;
	c->delivered = true;
	if (!c->req.write(c->req.write_arg, p, n, &c->err))
		return n;
	if (!c->err.code)
		(void)mf_fail(&c->err, MF_E_INTERNAL, 0, "the answer was not taken");
	return 0;
}

static int add_header(struct mf_http_call *c, const char *line, struct mf_err *err)
{
	struct curl_slist *list = curl_slist_append(c->headers, line);
	if (!list)
		return mf_fail_nomem(err);
	c->headers = list;
	return 0;
}

/* A line break inside a value would let whoever chose the value write headers of his own. */
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
	if (mf_buf_addz(&line, "Authorization: ", err) || mf_buf_add(&line, value.p, value.n, err))
		return -1;
	return add_header(c, line.p, err);
}

static int build_headers(struct mf_http_call *c, struct mf_bytes authorization, struct mf_err *err)
{
	/* A server that does not know "Expect: 100-continue" would cost a second per upload. */
	if (add_header(c, "Expect:", err) || add_authorization(c, authorization, err))
		return -1;
	for (const char *const *line = c->req.headers; line && *line; line++)
		if (add_request_header(c, *line, err))
			return -1;
	return 0;
}

static int build_parts(struct mf_http_call *c, struct mf_err *err)
{
	c->parts = mf_calloc(c->req.nparts, sizeof *c->parts);
	c->mime = curl_mime_init(c->easy);
	if (!c->parts || !c->mime)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < c->req.nparts; i++) {
		const struct mf_http_part *from = &c->req.parts[i];
		curl_mimepart *part = curl_mime_addpart(c->mime);
		c->parts[i] = (struct mf_net_part){c, from->data, 0};
		if (!part || curl_mime_name(part, from->name) ||
		    curl_mime_type(part, "application/octet-stream") ||
		    curl_mime_data_cb(part, (curl_off_t)from->data.n, on_part_read, on_part_seek, NULL,
				      &c->parts[i]) ||
		    (from->filename && curl_mime_filename(part, from->filename)))
			return mf_fail_nomem(err);
	}
	return 0;
}

#define SET(option, value) (bad |= curl_easy_setopt(c->easy, option, value) != CURLE_OK)

static bool set_callbacks(struct mf_http_call *c)
{
	bool bad = false;
	SET(CURLOPT_PRIVATE, c);
	SET(CURLOPT_ERRORBUFFER, c->curl_error);
	SET(CURLOPT_HEADERFUNCTION, mf_net_on_header);
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
	if (left != INT64_MAX)
		SET(CURLOPT_TIMEOUT_MS, as_long(left));
	/* The resolver's thread cannot be stopped; without this, ending a call waits for it, past deadline
	 * and cancel. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_BUFFERSIZE, 131072L);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, 131072L);
	SET(CURLOPT_TCP_NODELAY, 1L);
	return bad;
}

/* Redirects are ours; netrc, cookies and HTTP/0.9 are off by default. */
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
	/* Plain HTTP to loopback is allowed because it does not leave the machine: a proxy would take it out.
	 */
	if (mf_net_url_loopback(c->url))
		SET(CURLOPT_PROXY, "");
	return bad;
}

static bool set_tls(struct mf_http_call *c)
{
	struct mf_http *h = c->h;
	bool bad = false;
	if (!mf_net_url_https(c->url))
		return false;
	const char *capath = mf_net_capath(h);
	SET(CURLOPT_SHARE, h->share);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (h->cacert || capath) {
		SET(CURLOPT_CAINFO, h->cacert);
		SET(CURLOPT_CAPATH, capath);
	}
	if (h->client_cert && !c->foreign) {
		SET(CURLOPT_SSLCERT, h->client_cert);
		SET(CURLOPT_SSLKEY, h->client_key);
	}
	return bad;
}

static bool set_method(struct mf_http_call *c)
{
	const char *method = mf_net_call_method(c);
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
	c->received = c->body_offset = 0;
	c->curl_error[0] = 0;
	c->started_ms = mf_monotonic_ms();
}

int mf_net_exchange_start(struct mf_http_call *c, struct mf_bytes authorization, struct mf_err *err)
{
	if (body_length(&c->req) > INT64_MAX)
		return mf_fail(err, MF_E_USAGE, 0, "request body is too large");
	reset(c);
	c->easy = curl_easy_init();
	if (!c->easy)
		return mf_fail_nomem(err);
	if (build_headers(c, authorization, err) || (c->req.nparts && build_parts(c, err)))
		return -1;
	if (set_callbacks(c) || set_limits(c) || set_protocol(c) || set_tls(c) || set_method(c))
		return mf_fail(err, MF_E_NOMEM, 0, "set up request");
	if (curl_multi_add_handle(c->h->multi, c->easy))
		return mf_fail(err, MF_E_INTERNAL, 0, "start request");
	c->h->stats.requests++;
	return 0;
}

void mf_net_exchange_clear(struct mf_http_call *c)
{
	if (c->easy && c->h)
		(void)curl_multi_remove_handle(c->h->multi, c->easy);
	curl_easy_cleanup(c->easy);
	c->easy = NULL;
	curl_mime_free(c->mime);
	c->mime = NULL;
	free(c->parts);
	c->parts = NULL;
	for (struct curl_slist *s = c->headers; s; s = s->next)
		mf_wipe(s->data, strlen(s->data));
	curl_slist_free_all(c->headers);
	c->headers = NULL;
}
