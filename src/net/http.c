/* The client: which calls run, and driving them. */
#include <dirent.h>
#include <pthread.h>

#include "net/internal.h"

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_state; /* written once, under curl_once */

static void init_curl(void)
{
	curl_state = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Names as c_rehash and update-ca-certificates make them: "8d28ae65.0" */
static bool is_hash_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] >= '0' && name[9] <= '9';
}

/* Reading the bundle file costs 20 ms and more; the hashed directory costs one file a connection. Only a
 * directory that is hashed will do: with another one libcurl's own default stays. */
static char *find_capath(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
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

const char *mf_net_capath(struct mf_http *h)
{
	if (!h->looked_for_capath && !h->cacert)
		h->capath = find_capath();
	h->looked_for_capath = true;
	return h->capath;
}

static bool copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

static int open_curl(struct mf_http *h, struct mf_err *err)
{
	(void)pthread_once(&curl_once, init_curl);
	if (curl_state != CURLE_OK)
		return mf_fail(err, MF_E_INTERNAL, 0, "initialise libcurl: %s",
			       curl_easy_strerror(curl_state));
	h->multi = curl_multi_init();
	h->share = curl_share_init();
	if (!h->multi || !h->share ||
	    curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) ||
	    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 2L * MF_NET_MAX_RUNNING))
		return mf_fail_nomem(err);
	return 0;
}

struct mf_http *mf_http_new(const struct mf_http_options *opt, const struct mf_env *env, struct mf_err *err)
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
	if (!copied || open_curl(h, err)) {
		if (!copied)
			(void)mf_fail_nomem(err);
		mf_http_free(h);
		return NULL;
	}
	return h;
}

static void abandon(struct mf_call_list *list)
{
	for (struct mf_http_call *c; (c = list->head);) {
		struct mf_err err = MF_ERR_INIT;
		(void)mf_fail(&err, MF_E_CANCELLED, 0, "cancelled");
		c->on_done = NULL;
		mf_net_call_finish(c, &err);
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
		(void)curl_multi_cleanup(h->multi);
	if (h->share)
		(void)curl_share_cleanup(h->share);
	free(h->user_agent);
	free(h->cacert);
	free(h->client_cert);
	free(h->client_key);
	free(h->capath);
	free(h);
}

void mf_net_move(struct mf_http_call *c, struct mf_call_list *to)
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

static void wake_parked(struct mf_http *h)
{
	int64_t now = mf_monotonic_ms();
	for (struct mf_http_call *c = h->parked.head, *next; c; c = next) {
		next = c->next;
		if (c->state != MF_CALL_BACKOFF || c->wake_ms > now)
			continue;
		c->state = MF_CALL_READY;
		mf_net_move(c, &h->ready);
	}
}

static bool collect(struct mf_http *h)
{
	bool any = false;
	CURLMsg *msg;
	for (int left; (msg = curl_multi_info_read(h->multi, &left));) {
		struct mf_http_call *c = NULL;
		if (msg->msg != CURLMSG_DONE || curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &c) ||
		    !c)
			continue;
		mf_net_call_ended(c, msg->data.result);
		any = true;
	}
	return any;
}

/* Everything that can be done without waiting. A callback that submits comes back here: its call starts
 * later. */
static void step(struct mf_http *h)
{
	int running;
	if (h->stepping)
		return;
	h->stepping = true;
	do {
		wake_parked(h);
		while (h->ready.head && h->nrunning < MF_NET_MAX_RUNNING)
			mf_net_call_start(h->ready.head);
		(void)curl_multi_perform(h->multi, &running);
	} while (collect(h));
	h->stepping = false;
}

void mf_http_poke(struct mf_http *h)
{
	step(h);
}

struct mf_http_call *mf_net_call_new(struct mf_http *h, const struct mf_http_request *req, struct mf_err *err)
{
	struct mf_http_call *c = mf_calloc(1, sizeof *c);
	if (!c) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	c->h = h;
	c->req = *req;
	mf_buf_init(&c->challenge, MF_MAX_HEADER_VALUE);
	if (mf_net_url_resolve(&c->url, NULL, req->url, err)) {
		free(c);
		return NULL;
	}
	mf_net_move(c, &h->ready);
	return c;
}

int mf_http_submit(struct mf_http *h, const struct mf_http_request *req, struct mf_http_call **out,
		   struct mf_err *err)
{
	if (!mf_http_url_allowed(h, req->url)) {
		char shown[MF_NET_URL_TEXT];
		mf_net_url_redact(shown, sizeof shown, req->url);
		(void)mf_fail(err, MF_E_USAGE, 0, "URL '%s' is not allowed", shown);
		mf_err_set_hint(err, "use https:// and no user name in the URL; --plain-http permits plain "
				     "HTTP to other hosts "
				     "than this one");
		return -1;
	}
	struct mf_http_call *c = mf_net_call_new(h, req, err);
	if (!c)
		return -1;
	*out = c;
	step(h);
	/* A connection to this machine is there at once: its request leaves before the caller computes
	 * something else. */
	step(h);
	return 0;
}

/* A cancel callback has to be asked ten times a second. */
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

/* Past the deadline libcurl has its turn first (it knows more of what went wrong). */
static void check_limits(struct mf_http_call *c)
{
	struct mf_err err = MF_ERR_INIT;
	if (c->state == MF_CALL_DONE)
		return;
	if (mf_env_cancelled(c->h->env))
		(void)mf_fail(&err, MF_E_CANCELLED, 0, "cancelled");
	else if (mf_env_left_ms(c->h->env) == 0)
		(void)mf_fail(&err, MF_E_UNAVAILABLE, 0, "timed out (%s)", mf_net_call_phase(c));
	else
		return;
	mf_net_call_finish(c, &err);
}

int mf_http_await(struct mf_http_call *c, struct mf_http_response **out, struct mf_err *err)
{
	while (c->state != MF_CALL_DONE) {
		step(c->h);
		check_limits(c);
		if (c->state == MF_CALL_DONE)
			break;
		(void)curl_multi_poll(c->h->multi, NULL, 0, poll_ms(c->h), NULL);
	}
	if (c->err.code) {
		*err = c->err;
		return -1;
	}
	*out = &c->res;
	return 0;
}

void mf_http_call_free(struct mf_http_call *c)
{
	if (!c)
		return;
	mf_net_exchange_clear(c);
	if (c->h)
		mf_net_move(c, NULL);
	mf_buf_clear(&c->res.body);
	mf_buf_clear(&c->challenge);
	mf_secret_clear(&c->authorization);
	free(c->scope);
	free(c->url);
	free(c);
}

void mf_http_stats(const struct mf_http *h, struct mf_http_stats *out)
{
	*out = h->stats;
}
