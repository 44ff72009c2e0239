/* What an exchange's outcome means for its call: done, again, elsewhere, or with credentials. */
#include "net/internal.h"

const char *mf_net_call_method(const struct mf_http_call *c)
{
	return c->req.method ? c->req.method : "GET";
}

static bool is_read(const struct mf_http_call *c)
{
	const char *m = mf_net_call_method(c);
	return !strcmp(m, "GET") || !strcmp(m, "HEAD");
}

bool mf_net_call_idempotent(const struct mf_http_call *c)
{
	const char *m = mf_net_call_method(c);
	return is_read(c) || !strcmp(m, "PUT") || !strcmp(m, "DELETE");
}

const char *mf_net_call_phase(const struct mf_http_call *c)
{
	curl_off_t resolved = 0, connected = 0, ready = 0, answered = 0;
	if (c->state == MF_CALL_BACKOFF)
		return "waiting to try again";
	if (c->state == MF_CALL_TOKEN)
		return "waiting for a token";
	if (!c->easy)
		return "waiting to be sent";
	(void)curl_easy_getinfo(c->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
	(void)curl_easy_getinfo(c->easy, CURLINFO_CONNECT_TIME_T, &connected);
	(void)curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
	(void)curl_easy_getinfo(c->easy, CURLINFO_STARTTRANSFER_TIME_T, &answered);
	if (c->headers_done)
		return "receiving the answer";
	if (ready)
		return "waiting for the answer";
	if (connected)
		return "TLS handshake";
	return resolved ? "connecting" : "resolving the host name";
}

void mf_net_call_finish(struct mf_http_call *c, const struct mf_err *err)
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
	mf_net_move(c, NULL);
	if (c->on_done)
		c->on_done(c);
}

static void again(struct mf_http_call *c)
{
	c->state = MF_CALL_READY;
	mf_net_move(c, &c->h->ready);
}

void mf_net_call_start(struct mf_http_call *c)
{
	struct mf_secret value MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_err err = MF_ERR_INIT;
	int next = MF_AUTH_SEND;
	c->state = MF_CALL_RUNNING;
	mf_net_move(c, &c->h->running);
	if (c->req.auth)
		next = mf_net_auth_prepare(c, &value, &err);
	if (next == MF_AUTH_WAIT) {
		c->state = MF_CALL_TOKEN;
		mf_net_move(c, &c->h->parked);
		return;
	}
	if (next < 0 || mf_net_exchange_start(c, mf_secret_bytes(value.n ? &value : &c->authorization), &err))
		mf_net_call_finish(c, &err);
}

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
	mf_env_log(c->h->env, MF_LOG_INFO, "%s %s: trying again in %lld ms", mf_net_call_method(c), shown,
		   (long long)ms);
	c->retries++;
	c->wake_ms = mf_monotonic_ms() + ms;
	c->state = MF_CALL_BACKOFF;
	mf_net_move(c, &c->h->parked);
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
		return MF_E_IO; /* files of ours */
	default:
		return MF_E_UNAVAILABLE;
	}
}

/* PARTIAL_FILE is not here: a peer that cuts answers short is broken, not busy. */
static bool is_lost_connection(CURLcode rc)
{
	return rc == CURLE_COULDNT_CONNECT || rc == CURLE_SEND_ERROR || rc == CURLE_RECV_ERROR ||
	       rc == CURLE_GOT_NOTHING;
}

bool mf_http_met_tls(const struct mf_http_call *call)
{
	return call->met_tls;
}

/* libcurl speaks of an SSL_CONNECT_ERROR when what came was no TLS at all, also when it was an alert. */
static bool met_tls(struct mf_http_call *c, CURLcode rc)
{
	curl_off_t shaken = 0;
	if (!mf_net_url_https(c->url))
		return false;
	if (rc == CURLE_OK || rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CERTPROBLEM ||
	    rc == CURLE_SSL_CACERT_BADFILE)
		return true;
	return curl_easy_getinfo(c->easy, CURLINFO_APPCONNECT_TIME_T, &shaken) == CURLE_OK && shaken > 0;
}

static int connect_errno(struct mf_http_call *c, CURLcode rc)
{
	long sys = 0;
	if (rc != CURLE_COULDNT_CONNECT || curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &sys) != CURLE_OK)
		return 0;
	return (int)sys;
}

static void transport_failed(struct mf_http_call *c, CURLcode rc, const char *phase)
{
	struct mf_err err = c->err;
	struct mf_esc esc;
	char shown[MF_NET_URL_TEXT];
	const char *why = c->curl_error[0] ? c->curl_error : curl_easy_strerror(rc);
	if (err.code) {
		mf_net_call_finish(c, &err);
		return;
	}
	if (is_lost_connection(rc) && is_read(c) && back_off(c, -1))
		return;
	mf_net_url_redact(shown, sizeof shown, c->url);
	if (rc == CURLE_OPERATION_TIMEDOUT)
		(void)mf_fail(&err, MF_E_UNAVAILABLE, 0, "%s '%s': timed out (%s)", mf_net_call_method(c),
			      shown, phase);
	else if (rc == CURLE_COULDNT_CONNECT && c->connect_errno)
		(void)mf_fail(&err, MF_E_UNAVAILABLE, c->connect_errno, "%s '%s': connect",
			      mf_net_call_method(c), shown);
	else
		(void)mf_fail(&err, transport_code(rc), 0, "%s '%s': %s: %s", mf_net_call_method(c), shown,
			      transport_what(rc), mf_esc(&esc, mf_str_c(why)));
	if (rc == CURLE_PEER_FAILED_VERIFICATION)
		mf_err_set_hint(
		    &err, "if the server's certificate comes from a private CA, name its file with --cacert");
	mf_net_call_finish(c, &err);
}

static bool is_redirect(const struct mf_http_call *c)
{
	long s = c->res.status;
	return !c->req.no_redirect && is_read(c) && c->res.location[0] &&
	       (s == 301 || s == 302 || s == 303 || s == 307 || s == 308);
}

/* Where to, and whether secrets may come along. */
static int redirect(struct mf_http_call *c, struct mf_err *err)
{
	char from[MF_NET_ORIGIN], to[MF_NET_ORIGIN], shown[MF_NET_URL_TEXT];
	mf_net_url_redact(shown, sizeof shown, c->res.location);
	if (++c->redirects > MF_MAX_REDIRECTS)
		return mf_fail(err, MF_E_UNAVAILABLE, 0, "more than %d redirects, the last to '%s'",
			       MF_MAX_REDIRECTS, shown);
	if (mf_net_url_https(c->url) && !mf_net_url_https(c->res.location))
		return mf_fail(err, MF_E_UNAVAILABLE, 0, "refused a redirect from https to '%s'", shown);
	if (!mf_http_url_allowed(c->h, c->res.location) || !mf_net_url_origin(from, c->url) ||
	    !mf_net_url_origin(to, c->res.location))
		return mf_fail(err, MF_E_UNAVAILABLE, 0, "refused a redirect to '%s'", shown);
	char *url = strdup(c->res.location);
	if (!url)
		return mf_fail_nomem(err);
	free(c->url);
	c->url = url;
	c->foreign = c->foreign || strcmp(from, to) != 0;
	return 0;
}

static int absolute_location(struct mf_http_call *c, struct mf_err *err)
{
	char *url MF_FREE = NULL;
	if (!c->res.location[0] || c->res.status >= 400)
		return 0;
	if (mf_net_url_resolve(&url, c->url, c->res.location, err))
		return mf_wrap(err, "Location header");
	if (strlen(url) >= sizeof c->res.location)
		return mf_fail(err, MF_E_FORMAT, 0, "Location header: URL is longer than %zu bytes",
			       sizeof c->res.location - 1);
	memcpy(c->res.location, url, strlen(url) + 1);
	return 0;
}

/* 502 and 504 leave open whether the request took effect; 429 and 503 say that it did not. */
static bool is_busy(const struct mf_http_call *c)
{
	long s = c->res.status;
	bool unclear = s == 502 || s == 504 || (s == 500 && c->req.retry_500);
	return s == 429 || s == 503 || (unclear && mf_net_call_idempotent(c));
}

static void response_arrived(struct mf_http_call *c)
{
	struct mf_err err = MF_ERR_INIT;
	mf_net_exchange_clear(c);
	mf_net_auth_bind(c);
	if (is_busy(c) && back_off(c, mf_net_retry_after_ms(c->retry_after, mf_env_now(c->h->env))))
		return;
	if (c->res.status == 401 && c->req.auth) {
		int next = mf_net_auth_challenged(c, &err);
		if (next == MF_AUTH_SEND) {
			again(c);
			return;
		}
	}
	if (!err.code && !absolute_location(c, &err) && is_redirect(c) && !redirect(c, &err)) {
		again(c);
		return;
	}
	mf_net_call_finish(c, &err);
}

static void log_exchange(const struct mf_http_call *c, CURLcode rc)
{
	char shown[MF_NET_URL_TEXT];
	if (c->h->env->level < MF_LOG_INFO)
		return;
	mf_net_url_redact(shown, sizeof shown, c->url);
	mf_env_log(c->h->env, MF_LOG_INFO, "%s %s %ld%s, %llu bytes, %lld ms", mf_net_call_method(c), shown,
		   c->res.status, rc == CURLE_OK ? "" : " (failed)", (unsigned long long)c->received,
		   (long long)(mf_monotonic_ms() - c->started_ms));
}

void mf_net_call_ended(struct mf_http_call *c, CURLcode rc)
{
	const char *phase = mf_net_call_phase(c);
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
