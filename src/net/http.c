/* The client: it starts and drives calls, and decides the next step of a call after an exchange: the end, a
 * retry, a redirect, or the same request with credentials. */
#include "net/internal.h"

/* ---- lists */

static void move(struct mf_http_call *c, struct mf_call_list *to)
{
	struct mf_call_list *from = c->list;
	if (from) {
		*(c->prev ? &c->prev->next : &from->head) = c->next;
		*(c->next ? &c->next->prev : &from->tail) = c->prev;
		c->h->nrunning -= from == &c->h->running;
	}
	c->list = to;
	c->prev = to ? to->tail : NULL;
	c->next = NULL;
	if (!to)
		return;
	*(to->tail ? &to->tail->next : &to->head) = c;
	to->tail = c;
	c->h->nrunning += to == &c->h->running;
}

static const char *phase_of(const struct mf_http_call *c)
{
	curl_off_t resolved = 0, connected = 0, ready = 0, answered = 0;
	if (c->state == MF_CALL_BACKOFF)
		return "waiting to try again";
	if (c->state == MF_CALL_TOKEN)
		return "waiting for a token";
	if (!c->easy)
		return "waiting to be sent";
	(void)mf_curl()->easy_getinfo(c->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
	(void)mf_curl()->easy_getinfo(c->easy, CURLINFO_CONNECT_TIME_T, &connected);
	(void)mf_curl()->easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
	(void)mf_curl()->easy_getinfo(c->easy, CURLINFO_STARTTRANSFER_TIME_T, &answered);
	if (c->headers_done)
		return "receiving the answer";
	if (ready)
		return "waiting for the answer";
	if (connected)
		return "TLS handshake";
	return resolved ? "connecting" : "resolving the host name";
}

/* ---- the end of a call */

static struct mf_http_call *new_call(struct mf_http *h, const struct mf_http_request *req, struct mf_err *err)
{
	struct mf_http_call *c = mf_calloc(1, sizeof *c);
	if (!c) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	c->h = h;
	c->req = *req;
	c->foreign = req->foreign;
	mf_buf_init(&c->challenges, MF_MAX_HEADER_VALUE);
	if (mf_net_url_resolve(&c->url, NULL, req->url, err) < 0) {
		free(c);
		return NULL;
	}
	move(c, &h->ready);
	return c;
}

void mf_http_call_free(struct mf_http_call *c)
{
	if (!c)
		return;
	mf_net_exchange_clear(c);
	if (c->h)
		move(c, NULL);
	mf_buf_clear(&c->res.body);
	mf_buf_clear(&c->challenges);
	mf_net_buf_wipe(&c->form);
	mf_secret_clear(&c->authorization);
	free(c->scope);
	free(c->url);
	free(c);
}

static void end_call(struct mf_http_call *c, const struct mf_err *err)
{
	if (err && err->code) {
		c->err = *err;
		if (!c->err.endpoint[0]) {
			char shown[sizeof c->err.endpoint];
			mf_net_url_redact(shown, sizeof shown, c->url);
			mf_err_set_endpoint(&c->err, shown);
		}
	}
	mf_net_exchange_clear(c);
	c->state = MF_CALL_DONE;
	move(c, NULL);
}

static void again(struct mf_http_call *c)
{
	c->state = MF_CALL_READY;
	move(c, &c->h->ready);
}

/* The request for a token has ended: all calls that wait for the token are sent, or end with its error. */
static void settle_token(struct mf_http_call *fetch)
{
	struct mf_token *t = fetch->fetched;
	struct mf_err err = MF_ERR_INIT;
	bool repeat = false;
	if (t) {
		t->fetch = NULL;
		repeat = mf_net_token_by_get(t, fetch);
		if (!repeat)
			(void)mf_net_token_answer(t, fetch, &err);
	}
	if (fetch->res.body.p)
		mf_wipe(fetch->res.body.p, fetch->res.body.cap);
	for (struct mf_http_call *c = fetch->h->parked.head, *next; t && c; c = next) {
		next = c->next;
		if (c->state != MF_CALL_TOKEN || c->token != t)
			continue;
		c->token_fresh = !repeat;
		if (err.code)
			end_call(c, &err);
		else
			again(c);
	}
	mf_http_call_free(fetch);
}

/* Ends a call: with its response when err is NULL or empty, else with that error. */
static void finish(struct mf_http_call *c, const struct mf_err *err)
{
	end_call(c, err);
	if (c->fetches_token)
		settle_token(c);
}

/* ---- the beginning of an exchange */

/* Parks the call until its token is there, and starts the request for the token unless one is in flight. */
static int await_token(struct mf_http_call *c, struct mf_err *err)
{
	static const char *const form_headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
	struct mf_token *t = c->token;
	c->state = MF_CALL_TOKEN;
	move(c, &c->h->parked);
	if (t->fetch)
		return 0;
	char *url MF_FREE = NULL;
	struct mf_buf form MF_NET_WIPED = MF_BUF_INIT(0);
	struct mf_secret authorization MF_SECRET_CLEANUP = MF_SECRET_INIT;
	if (mf_net_token_request(t, &url, &form, &authorization, err) < 0)
		return -1;
	struct mf_http_request req = {.url = url, .max_bytes = MF_MAX_TOKEN_BODY};
	if (form.n) {
		req.method = "POST";
		req.headers = form_headers;
		req.body = mf_buf_bytes(&form);
	}
	struct mf_http_call *fetch = new_call(c->h, &req, err);
	if (!fetch)
		return -1;
	fetch->req.url = NULL; /* `url` ends here; the call has a copy */
	fetch->fetches_token = true;
	fetch->fetched = t;
	fetch->other_origin = !mf_http_same_origin(c->url, t->realm);
	fetch->authorization = authorization;
	fetch->form = form;
	authorization = (struct mf_secret)MF_SECRET_INIT;
	form = (struct mf_buf)MF_BUF_INIT(0);
	t->fetch = fetch;
	return 0;
}

static void start(struct mf_http_call *c)
{
	struct mf_secret value MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_err err = MF_ERR_INIT;
	c->state = MF_CALL_RUNNING;
	move(c, &c->h->running);
	enum mf_auth_next next = mf_net_auth_prepare(c, &value, &err);
	if (next == MF_AUTH_FETCH && await_token(c, &err) == 0)
		return;
	if (next == MF_AUTH_SEND &&
	    mf_net_exchange_start(c, mf_secret_bytes(value.n ? &value : &c->authorization), &err) == 0)
		return;
	finish(c, &err);
}

/* ---- what an exchange ended with */

static bool back_off(struct mf_http_call *c, int64_t asked_ms)
{
	int64_t ms = ((int64_t)200 << c->retries) / 2;
	ms += mf_random_below((uint32_t)ms);
	if (asked_ms > ms)
		ms = asked_ms;
	if (c->req.no_retry || c->delivered || c->retries >= MF_NET_MAX_RETRIES)
		return false;
	if (ms > MF_NET_MAX_RETRY_AFTER_S * 1000 || ms >= mf_env_left_ms(c->h->env))
		return false;
	char shown[MF_NET_URL_TEXT];
	mf_net_url_redact(shown, sizeof shown, c->url);
	mf_env_log(c->h->env, MF_LOG_INFO, "%s %s: trying again in %lld ms", mf_net_method(c), shown,
		   (long long)ms);
	c->retries++;
	c->wake_ms = mf_monotonic_ms() + ms;
	c->state = MF_CALL_BACKOFF;
	move(c, &c->h->parked);
	return true;
}

static const char *transport_what(CURLcode rc)
{
	switch ((int)rc) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return "resolve host name";
	case CURLE_COULDNT_CONNECT:
		return "connect";
	case CURLE_PARTIAL_FILE:
		return "truncated answer";
	case CURLE_GOT_NOTHING:
		return "no answer";
	case CURLE_SEND_ERROR:
	case CURLE_SEND_FAIL_REWIND:
		return "send request";
	case CURLE_RECV_ERROR:
		return "receive answer";
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return "TLS";
	default:
		return "HTTP";
	}
}

static enum mf_code transport_code(CURLcode rc)
{
	switch ((int)rc) {
	case CURLE_OUT_OF_MEMORY:
		return MF_E_NOMEM;
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return MF_E_IO; /* files of this machine */
	default:
		return MF_E_UNAVAILABLE;
	}
}

/* PARTIAL_FILE is not in the list: a server that truncates responses is broken, and a retry would not
 * help. */
static bool is_lost_connection(CURLcode rc)
{
	return rc == CURLE_COULDNT_CONNECT || rc == CURLE_SEND_ERROR || rc == CURLE_RECV_ERROR ||
	       rc == CURLE_GOT_NOTHING;
}

bool mf_http_met_tls(const struct mf_http_call *call)
{
	return call->met_tls;
}

/* CURLE_SSL_CONNECT_ERROR does not tell whether the server sent a TLS alert or no TLS at all, so it does not
 * count. */
static bool met_tls(struct mf_http_call *c, CURLcode rc)
{
	curl_off_t shaken = 0;
	if (!mf_net_url_https(c->url))
		return false;
	if (rc == CURLE_OK || rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CERTPROBLEM ||
	    rc == CURLE_SSL_CACERT_BADFILE)
		return true;
	return mf_curl()->easy_getinfo(c->easy, CURLINFO_APPCONNECT_TIME_T, &shaken) == CURLE_OK &&
	       shaken > 0;
}

/* OpenSSL's messages for a response that is not a TLS record. */
static bool speaks_no_tls(const char *why)
{
	return strstr(why, "wrong version number") || strstr(why, "packet length too long") ||
	       strstr(why, "http request");
}

static int connect_errno(struct mf_http_call *c, CURLcode rc)
{
	long sys = 0;
	if (rc != CURLE_COULDNT_CONNECT ||
	    mf_curl()->easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &sys) != CURLE_OK)
		return 0;
	return (int)sys;
}

static void transport_failed(struct mf_http_call *c, CURLcode rc, const char *phase)
{
	struct mf_err err = c->err;
	struct mf_esc esc;
	char shown[MF_NET_URL_TEXT];
	const char *why = c->curl_error[0] ? c->curl_error : mf_curl()->easy_strerror(rc);
	if (err.code) {
		finish(c, &err);
		return;
	}
	if (is_lost_connection(rc) && mf_net_is_read(c) && back_off(c, -1))
		return;
	mf_net_url_redact(shown, sizeof shown, c->url);
	if (rc == CURLE_OPERATION_TIMEDOUT)
		(void)mf_fail(&err, MF_E_UNAVAILABLE, 0, "%s '%s': timed out (%s)", mf_net_method(c), shown,
			      phase);
	else if (rc == CURLE_COULDNT_CONNECT && c->connect_errno)
		(void)mf_fail(&err, MF_E_UNAVAILABLE, c->connect_errno, "%s '%s': connect", mf_net_method(c),
			      shown);
	else
		(void)mf_fail(&err, transport_code(rc), 0, "%s '%s': %s: %s", mf_net_method(c), shown,
			      transport_what(rc), mf_esc(&esc, mf_str_c(why)));
	if (rc == CURLE_SSL_CONNECT_ERROR && speaks_no_tls(why))
		mf_err_set_hint(&err, "the server at this port speaks plain HTTP, not TLS: use http://, with "
				      "--plain-http where the host is not this one");
	if (rc == CURLE_PEER_FAILED_VERIFICATION)
		mf_err_set_hint(
		    &err, "if the server's certificate comes from a private CA, name its file with --cacert");
	finish(c, &err);
}

static bool is_redirect(const struct mf_http_call *c)
{
	long s = c->res.status;
	bool keeps_method = s == 307 || s == 308;
	bool moved = keeps_method || (mf_net_is_read(c) && (s == 301 || s == 302 || s == 303));
	return moved && !c->req.no_redirect && c->res.location[0];
}

/* Points the call at the redirect's target, and marks the call foreign if that is another origin. */
static int redirect(struct mf_http_call *c, struct mf_err *err)
{
	char shown[MF_NET_URL_TEXT];
	mf_net_url_redact(shown, sizeof shown, c->res.location);
	if (++c->redirects > MF_MAX_REDIRECTS)
		return mf_fail(err, MF_E_UNAVAILABLE, 0, "more than %d redirects, the last to '%s'",
			       MF_MAX_REDIRECTS, shown);
	if (mf_net_url_https(c->url) && !mf_net_url_https(c->res.location))
		return mf_fail(err, MF_E_UNAVAILABLE, 0, "refused a redirect from https to '%s'", shown);
	if (!mf_http_url_allowed(c->h, c->res.location))
		return mf_fail(err, MF_E_UNAVAILABLE, 0, "refused a redirect to '%s'", shown);
	char *url = strdup(c->res.location);
	if (!url)
		return mf_fail_nomem(err);
	c->foreign = c->foreign || !mf_http_same_origin(c->url, url);
	free(c->url);
	c->url = url;
	mf_env_log(c->h->env, MF_LOG_DEBUG, "redirected to %s%s", shown,
		   c->foreign ? ", without credentials" : "");
	return 0;
}

/* A malformed Location is MF_E_UNAVAILABLE, because MF_E_FORMAT would stand for malformed content. */
static int absolute_location(struct mf_http_call *c, struct mf_err *err)
{
	char *url MF_FREE = NULL;
	if (!c->res.location[0] || c->res.status >= 400)
		return 0;
	if (mf_net_url_resolve(&url, c->url, c->res.location, err) < 0 ||
	    strlen(url) >= sizeof c->res.location) {
		if (!err->code)
			(void)mf_fail(err, MF_E_FORMAT, 0, "URL is longer than %zu bytes",
				      sizeof c->res.location - 1);
		if (err->code == MF_E_FORMAT)
			(void)mf_recode(err, MF_E_UNAVAILABLE);
		return mf_wrap(err, "Location header");
	}
	memcpy(c->res.location, url, strlen(url) + 1);
	return 0;
}

/* After 502 and 504 the request may have taken effect; after 429 and 503 it has not. */
static bool is_busy(const struct mf_http_call *c)
{
	long s = c->res.status;
	bool unclear = s == 502 || s == 504 || (s == 500 && c->req.retry_500);
	return s == 429 || s == 503 || (unclear && mf_net_is_idempotent(c));
}

static void response_arrived(struct mf_http_call *c)
{
	struct mf_err err = MF_ERR_INIT;
	mf_net_exchange_clear(c);
	mf_net_auth_bind(c);
	if (is_busy(c) && back_off(c, mf_net_retry_after_ms(c->retry_after, mf_env_now(c->h->env))))
		return;
	if (c->res.status == 401 && mf_net_auth_challenged(c, &err) == MF_AUTH_SEND) {
		again(c);
		return;
	}
	if (!err.code && absolute_location(c, &err) == 0 && is_redirect(c) && redirect(c, &err) == 0) {
		again(c);
		return;
	}
	finish(c, &err);
}

static void log_exchange(const struct mf_http_call *c, CURLcode rc)
{
	char shown[MF_NET_URL_TEXT];
	if (c->h->env->level < MF_LOG_INFO)
		return;
	mf_net_url_redact(shown, sizeof shown, c->url);
	mf_env_log(c->h->env, MF_LOG_INFO, "%s %s %ld%s, %llu bytes, %lld ms", mf_net_method(c), shown,
		   c->res.status, rc == CURLE_OK ? "" : " (failed)", (unsigned long long)c->received,
		   (long long)(mf_monotonic_ms() - c->started_ms));
}

static void ended(struct mf_http_call *c, CURLcode rc)
{
	const char *phase = phase_of(c);
	if (rc == CURLE_WRITE_ERROR && c->body_cut && !c->err.code)
		rc = CURLE_OK;
	log_exchange(c, rc);
	c->met_tls = met_tls(c, rc);
	c->connect_errno = connect_errno(c, rc);
	if (rc == CURLE_OK) {
		response_arrived(c);
		return;
	}
	mf_net_exchange_clear(c);
	transport_failed(c, rc, phase);
}

int mf_http_status_error(const struct mf_http_call *c, const char *what, struct mf_err *err)
{
	(void)mf_net_status_error(c, what, err);
	if (err->code == MF_E_AUTH)
		mf_net_auth_hint(c, err);
	return -1;
}

/* ---- driving them */

static void wake_parked(struct mf_http *h)
{
	int64_t now = mf_monotonic_ms();
	for (struct mf_http_call *c = h->parked.head, *next; c; c = next) {
		next = c->next;
		if (c->state != MF_CALL_BACKOFF || c->wake_ms > now)
			continue;
		c->state = MF_CALL_READY;
		move(c, &h->ready);
	}
}

static bool collect(struct mf_http *h)
{
	bool any = false;
	CURLMsg *msg;
	for (int left; (msg = mf_curl()->multi_info_read(h->multi, &left));) {
		struct mf_http_call *c = NULL;
		if (msg->msg != CURLMSG_DONE ||
		    mf_curl()->easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &c) || !c)
			continue;
		ended(c, msg->data.result);
		any = true;
	}
	return any;
}

/* Extends the deadline by the time in which octets of a call were transferred, but for each octet by no more
 * than it takes at MF_MIN_RATE. */
static void credit(struct mf_http *h, struct mf_http_call *c, int64_t now)
{
	uint64_t moved = mf_net_exchange_moved(c), more = moved > c->moved ? moved - c->moved : 0;
	c->moved = moved;
	if (!more)
		return;
	int64_t from = c->moved_ms > h->credited_ms ? c->moved_ms : h->credited_ms;
	int64_t ms = now - from, most = (int64_t)(more * 1000 / MF_MIN_RATE);
	if (h->env->deadline_ms)
		h->env->deadline_ms += ms < most ? ms : most;
	c->moved_ms = h->credited_ms = now;
}

/* Extends the deadline for all calls, and reports the progress of uploads and downloads; once more after the
 * last has ended. */
static void note_movement(struct mf_http *h)
{
	int64_t now = mf_monotonic_ms();
	uint64_t done = 0, total = 0;
	bool any = false, known = true, was = h->moving;
	for (struct mf_http_call *c = h->running.head; c; c = c->next) {
		credit(h, c, now);
		if (!c->req.read && !(c->req.write && c->headers_done))
			continue;
		uint64_t all = c->req.read ? c->req.body_length : c->res.content_length;
		h->moving_kind = c->req.read ? MF_PROGRESS_UPLOAD : MF_PROGRESS_DOWNLOAD;
		any = true;
		done += c->moved;
		known = known && all != UINT64_MAX;
		total += all;
	}
	h->moving = any;
	if (any || was)
		mf_env_progress(h->env, h->moving_kind, done, known ? total : 0);
}

/* Does everything that can be done without waiting. When a callback submits a call, this function is entered
 * again and returns at once: the outer step starts the call. */
static void step(struct mf_http *h)
{
	int running;
	if (h->stepping)
		return;
	h->stepping = true;
	do {
		wake_parked(h);
		while (h->ready.head && h->nrunning < MF_NET_MAX_RUNNING)
			start(h->ready.head);
		(void)mf_curl()->multi_perform(h->multi, &running);
		note_movement(h);
	} while (collect(h));
	h->stepping = false;
}

int mf_http_submit(struct mf_http *h, const struct mf_http_request *req, struct mf_http_call **out,
		   struct mf_err *err)
{
	if (mf_http_ready(h, err) < 0)
		return -1;
	if (!mf_http_url_allowed(h, req->url)) {
		char shown[MF_NET_URL_TEXT];
		mf_net_url_redact(shown, sizeof shown, req->url);
		(void)mf_fail(err, MF_E_USAGE, 0, "URL '%s' is not allowed", shown);
		mf_err_set_hint(err, "use https:// and no user name in the URL; --plain-http permits plain "
				     "HTTP to other hosts "
				     "than this one");
		return -1;
	}
	struct mf_http_call *c = new_call(h, req, err);
	if (!c)
		return -1;
	*out = c;
	step(h);
	/* A connection to loopback is established at once. A second step sends its request before the caller
	 * goes on to compute something else. */
	step(h);
	return 0;
}

/* The cancel callback must be called ten times a second. */
static int poll_ms(const struct mf_http *h)
{
	int64_t ms = 100, left = mf_env_left_ms(h->env), now = mf_monotonic_ms();
	for (const struct mf_http_call *c = h->parked.head; c; c = c->next)
		if (c->state == MF_CALL_BACKOFF && c->wake_ms - now < ms)
			ms = c->wake_ms - now;
	if (left < ms)
		ms = left;
	return ms > 0 ? (int)ms : 0;
}

/* Ends the call when the operation was cancelled or its deadline has passed. */
static void check_limits(struct mf_http_call *c)
{
	struct mf_err err = MF_ERR_INIT;
	if (c->state == MF_CALL_DONE)
		return;
	if (mf_env_cancelled(c->h->env))
		(void)mf_fail(&err, MF_E_CANCELLED, 0, "cancelled");
	else if (mf_env_left_ms(c->h->env) == 0)
		(void)mf_fail(&err, MF_E_UNAVAILABLE, 0, "timed out (%s)", phase_of(c));
	else
		return;
	finish(c, &err);
}

int mf_http_await(struct mf_http_call *c, struct mf_http_response **out, struct mf_err *err)
{
	while (c->state != MF_CALL_DONE) {
		step(c->h);
		check_limits(c);
		if (c->state == MF_CALL_DONE)
			break;
		mf_env_idle(c->h->env);
		(void)mf_curl()->multi_poll(c->h->multi, NULL, 0, poll_ms(c->h), NULL);
	}
	if (c->err.code) {
		*err = c->err;
		return -1;
	}
	*out = &c->res;
	return 0;
}

/* ---- the client */

static bool copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

int mf_http_ready(struct mf_http *h, struct mf_err *err)
{
	if (h->multi)
		return 0;
	if (mf_curl_load(err) < 0)
		return -1;
	CURLM *multi = mf_curl()->multi_init();
	CURLSH *share = mf_curl()->share_init();
	if (multi && share && !mf_curl()->share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) &&
	    !mf_curl()->multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L * MF_NET_MAX_RUNNING)) {
		h->multi = multi;
		h->share = share;
		return 0;
	}
	if (multi)
		(void)mf_curl()->multi_cleanup(multi);
	if (share)
		(void)mf_curl()->share_cleanup(share);
	return mf_fail_nomem(err);
}

struct mf_http *mf_http_new(const struct mf_http_options *opt, struct mf_env *env, struct mf_err *err)
{
	struct mf_http *h = mf_calloc(1, sizeof *h);
	if (!h) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	h->env = env;
	h->plain_http = opt->plain_http;
	h->connect_timeout_ms = opt->connect_timeout_ms > 0 ? opt->connect_timeout_ms : MF_CONNECT_TIMEOUT_MS;
	h->stall_timeout_s = opt->stall_timeout_s > 0 ? opt->stall_timeout_s : MF_STALL_TIMEOUT_S;
	bool copied = copy(&h->user_agent, opt->user_agent ? opt->user_agent : "manifesto/" MF_VERSION) &&
		      copy(&h->cacert, opt->cacert) && copy(&h->client_cert, opt->client_cert) &&
		      copy(&h->client_key, opt->client_key);
	if (copied)
		return h;
	(void)mf_fail_nomem(err);
	mf_http_free(h);
	return NULL;
}

static void abandon(struct mf_call_list *list)
{
	for (struct mf_http_call *c; (c = list->head);) {
		struct mf_err err = MF_ERR_INIT;
		(void)mf_fail(&err, MF_E_CANCELLED, 0, "cancelled");
		bool own = c->fetches_token;
		finish(c, &err);
		if (!own)
			c->h = NULL;
	}
}

void mf_http_free(struct mf_http *h)
{
	if (!h)
		return;
	abandon(&h->ready);
	abandon(&h->parked);
	abandon(&h->running);
	if (h->multi)
		(void)mf_curl()->multi_cleanup(h->multi);
	if (h->share)
		(void)mf_curl()->share_cleanup(h->share);
	free(h->user_agent);
	free(h->cacert);
	free(h->client_cert);
	free(h->client_key);
	free(h->capath);
	free(h);
}

void mf_http_stats(const struct mf_http *h, struct mf_http_stats *out)
{
	*out = h->stats;
}
