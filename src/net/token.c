/* Bearer tokens ("Token Authentication Specification" and "OAuth2 Token Authentication" of the distribution
 * project): one fetch for all calls that want the same scope of the same service. */
#include "base/encode.h"
#include "json/json.h"
#include "net/internal.h"

#define DEFAULT_LIFETIME_S 60 /* the specification's, when expires_in is absent */
#define MAX_LIFETIME_S 86400
#define MAX_TOKEN ((size_t)65536)

void mf_net_buf_wipe(struct mf_buf *b)
{
	if (b->p)
		mf_wipe(b->p, b->cap);
	mf_buf_clear(b);
}

struct mf_token *mf_net_token_find(struct mf_token *list, const struct mf_challenge *ch, const char *scope)
{
	while (list && (strcmp(list->realm, ch->realm) != 0 || strcmp(list->service, ch->service) != 0 ||
			strcmp(list->scope, scope) != 0))
		list = list->next;
	return list;
}

struct mf_token *mf_net_token_new(struct mf_auth *a, const struct mf_challenge *ch, const char *scope,
				  struct mf_err *err)
{
	struct mf_token *t = mf_calloc(1, sizeof *t);
	if (t)
		*t = (struct mf_token){.auth = a,
				       .realm = strdup(ch->realm),
				       .service = strdup(ch->service),
				       .scope = strdup(scope),
				       .form = MF_BUF_INIT(4 * MF_MAX_CONFIG_BYTES)};
	if (t && t->realm && t->service && t->scope)
		return t;
	mf_net_token_free(t);
	(void)mf_fail_nomem(err);
	return NULL;
}

static void drop_fetch(struct mf_token *t)
{
	mf_http_call_free(t->fetch);
	t->fetch = NULL;
	mf_net_buf_wipe(&t->form);
	free(t->url);
	t->url = NULL;
}

void mf_net_token_free(struct mf_token *t)
{
	if (!t)
		return;
	drop_fetch(t);
	mf_secret_clear(&t->value);
	free(t->realm);
	free(t->service);
	free(t->scope);
	free(t);
}

bool mf_net_token_valid(const struct mf_token *t)
{
	return t->value.n && mf_monotonic_ms() < t->expires_ms;
}

/* It goes into a header as it is (RFC 6750 section 2.1, b64token). */
static bool is_b64token(struct mf_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"\\,;", s.p[i]))
			return false;
	return s.n > 0 && s.n <= MAX_TOKEN;
}

static int read_token(struct mf_json_reader *r, struct mf_secret *value, struct mf_err *err)
{
	struct mf_json_string s;
	struct mf_buf text MF_NET_WIPED = MF_BUF_INIT(MF_MAX_TOKEN_BODY);
	if (mf_json_string(r, &s, err) || mf_buf_reserve(&text, s.raw.n, err) ||
	    mf_json_string_decode(s, &text, err))
		return -1;
	if (!text.n)
		return 0; /* some servers write both names and leave one empty */
	if (!is_b64token(mf_buf_str(&text)))
		return mf_fail(err, MF_E_FORMAT, 0, "the token has characters that a token cannot have");
	return value->n ? 0 : mf_secret_copy(value, mf_buf_bytes(&text), err);
}

static int read_lifetime(struct mf_json_reader *r, int64_t *seconds, struct mf_err *err)
{
	enum mf_json_type type;
	if (mf_json_peek(r, &type, err))
		return -1;
	return type == MF_JSON_NUMBER ? mf_json_int(r, 0, INT64_MAX, seconds, err)
				      : mf_json_skip(r, NULL, err);
}

static int read_answer(struct mf_json_reader *r, struct mf_secret *value, int64_t *seconds,
		       struct mf_err *err)
{
	struct mf_json_string name;
	int more = mf_json_object(r, err);
	while (more >= 0 && (more = mf_json_object_next(r, &name, err)) > 0) {
		if (mf_json_string_eq(name, "token") || mf_json_string_eq(name, "access_token"))
			more = read_token(r, value, err);
		else if (mf_json_string_eq(name, "expires_in"))
			more = read_lifetime(r, seconds, err);
		else
			more = mf_json_skip(r, NULL, err);
	}
	return more < 0 ? -1 : mf_json_end(r, err);
}

int mf_net_token_parse(struct mf_bytes body, struct mf_secret *value, int64_t *expires_in_s,
		       struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_secret got MF_SECRET_CLEANUP = MF_SECRET_INIT;
	int64_t seconds = DEFAULT_LIFETIME_S;
	mf_json_reader_init(&r, body);
	if (read_answer(&r, &got, &seconds, err))
		return -1;
	if (!got.n)
		return mf_fail(err, MF_E_FORMAT, 0, "the answer holds no token");
	*value = got;
	got = (struct mf_secret)MF_SECRET_INIT;
	*expires_in_s = seconds > MAX_LIFETIME_S ? MAX_LIFETIME_S : seconds;
	return 0;
}

/* "&name=value", percent-encoded */
static int add_pair(struct mf_buf *b, const char *name, struct mf_str value, struct mf_err *err)
{
	if (b->n && mf_buf_addc(b, '&', err))
		return -1;
	return mf_buf_printf(b, err, "%s=", name) ? -1 : mf_pct_encode(b, value, "", err);
}

/* One scope parameter for each: a list of several is separated by spaces. */
static int add_scopes(struct mf_buf *b, const char *scope, struct mf_err *err)
{
	for (const char *p = scope + strspn(scope, " "); *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		if (add_pair(b, "scope", (struct mf_str){p, n}, err))
			return -1;
		p += n;
	}
	return 0;
}

static int build_url(struct mf_token *t, struct mf_err *err)
{
	struct mf_buf query MF_BUF_CLEANUP = MF_BUF_INIT(MF_NET_MAX_URL),
			    url MF_BUF_CLEANUP = MF_BUF_INIT(MF_NET_MAX_URL);
	if ((*t->service && add_pair(&query, "service", mf_str_c(t->service), err)) ||
	    add_scopes(&query, t->scope, err))
		return -1;
	const char *join = strchr(t->realm, '?') ? "&" : "?";
	if (mf_buf_printf(&url, err, "%s%s%s", t->realm, query.n ? join : "", query.n ? query.p : ""))
		return -1;
	t->url = mf_buf_take(&url);
	return t->url ? 0 : mf_fail_nomem(err);
}

static int build_form(struct mf_token *t, const struct mf_credential *cred, struct mf_err *err)
{
	struct mf_buf *b = &t->form;
	struct mf_str token = mf_str_of(mf_secret_bytes(&cred->password));
	/* Room for all of it at once: growing would leave unwiped copies. */
	if (mf_buf_reserve(b, 3 * (token.n + strlen(t->service) + strlen(t->scope)) + 128, err) ||
	    add_pair(b, "grant_type", MF_STR("refresh_token"), err) ||
	    add_pair(b, "service", mf_str_c(t->service), err) ||
	    add_pair(b, "client_id", MF_STR("manifesto"), err) ||
	    (*t->scope && add_pair(b, "scope", mf_str_c(t->scope), err)) ||
	    add_pair(b, "refresh_token", token, err))
		return -1;
	t->url = strdup(t->realm);
	return t->url ? 0 : mf_fail_nomem(err);
}

static int take_answer(struct mf_token *t, struct mf_err *err)
{
	struct mf_http_call *c = t->fetch;
	struct mf_secret value MF_SECRET_CLEANUP = MF_SECRET_INIT;
	int64_t lifetime_s = 0;
	if (c->err.code) {
		*err = c->err;
		return mf_wrap(err, "fetch token");
	}
	if (c->res.status != 200) {
		(void)mf_http_status_error(c, "fetch token", err);
		/* 4xx: the token server refused, whatever its number */
		if (err->code == MF_E_INTERNAL || err->code == MF_E_NOT_FOUND)
			(void)mf_recode(err, MF_E_AUTH);
		if (err->code == MF_E_AUTH)
			mf_net_auth_hint(t->auth, err);
		return -1;
	}
	if (mf_net_token_parse(mf_buf_bytes(&c->res.body), &value, &lifetime_s, err))
		return mf_wrap(err, "fetch token");
	mf_secret_clear(&t->value);
	t->value = value;
	value = (struct mf_secret)MF_SECRET_INIT;
	/* Not to the last second: the clock that counts is the server's. */
	int64_t margin_s = lifetime_s / 4 < 10 ? lifetime_s / 4 : 10;
	t->expires_ms = mf_monotonic_ms() + (lifetime_s - margin_s) * 1000;
	t->serial++;
	return 0;
}

/* Tells everyone who waits. Finishing a call may submit others, so the list is searched from its start each
 * time. */
static void wake_waiters(struct mf_http *h, const struct mf_token *t, const struct mf_err *err)
{
	struct mf_http_call *c = h->parked.head;
	while (c) {
		if (c->state != MF_CALL_TOKEN || c->token != t) {
			c = c->next;
			continue;
		}
		c->token_fresh = true;
		if (err->code) {
			mf_net_call_finish(c, err);
		} else {
			c->state = MF_CALL_READY;
			mf_net_move(c, &h->ready);
		}
		c = h->parked.head;
	}
}

static void fetched(struct mf_http_call *call)
{
	struct mf_token *t = call->done_arg;
	struct mf_err err = MF_ERR_INIT;
	t->fetching = false;
	(void)take_answer(t, &err);
	if (call->res.body.p)
		mf_wipe(call->res.body.p, call->res.body.cap);
	wake_waiters(call->h, t, &err);
}

int mf_net_token_fetch(struct mf_token *t, struct mf_http *h, const struct mf_credential *cred,
		       struct mf_err *err)
{
	static const char *const form_headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
	bool identity = mf_net_is_identity_token(cred);
	struct mf_secret basic MF_SECRET_CLEANUP = MF_SECRET_INIT;
	if (t->fetching && t->fetch->h == h)
		return 0;
	drop_fetch(t);
	if (identity ? build_form(t, cred, err) : build_url(t, err))
		return -1;
	if (cred->user && !identity && mf_net_basic(&basic, cred, err))
		return -1;
	struct mf_http_request req = {.url = t->url, .max_bytes = MF_MAX_TOKEN_BODY};
	if (identity) {
		req.method = "POST";
		req.headers = form_headers;
		req.body = mf_buf_bytes(&t->form);
	}
	t->fetch = mf_net_call_new(h, &req, err);
	if (!t->fetch)
		return -1;
	t->fetch->authorization = basic;
	basic = (struct mf_secret)MF_SECRET_INIT;
	t->fetch->on_done = fetched;
	t->fetch->done_arg = t;
	t->fetching = true;
	return 0;
}
