/* What is known of one endpoint's authentication, and what a call does with it. */
#include "base/encode.h"
#include "net/internal.h"

struct mf_auth {
	char *host;
	const struct mf_credential_config *cfg;
	const struct mf_env *env;
	char origin[MF_NET_ORIGIN]; /* the only server that credentials and tokens are sent to, by either
				       scheme */
	struct mf_challenge challenge;
	bool challenge_known, looked_up;
	bool secure; /* the challenge came over TLS: what answers it is sent over nothing less */
	struct mf_credential cred;
	struct mf_token *tokens;
};

struct mf_auth *mf_auth_new(const char *host, const struct mf_credential_config *cfg,
			    const struct mf_env *env, struct mf_err *err)
{
	struct mf_auth *a = mf_calloc(1, sizeof *a);
	if (a)
		*a = (struct mf_auth){.host = strdup(host), .cfg = cfg, .env = env};
	if (!a || !a->host) {
		free(a);
		(void)mf_fail_nomem(err);
		return NULL;
	}
	return a;
}

void mf_auth_free(struct mf_auth *a)
{
	if (!a)
		return;
	for (struct mf_token *t = a->tokens, *next; t; t = next) {
		next = t->next;
		mf_net_token_free(t);
	}
	mf_credential_clear(&a->cred);
	free(a->host);
	free(a);
}

/* "host:port" of an origin; "host" alone where the port is the scheme's own. */
static struct mf_str server_of(const char *origin)
{
	struct mf_str s = mf_str_c(strstr(origin, "://") ? strstr(origin, "://") + 3 : ""), port;
	port = mf_net_url_https(origin) ? MF_STR(":443") : MF_STR(":80");
	return mf_str_ends(s, port) ? (struct mf_str){s.p, s.n - port.n} : s;
}

/* By both schemes: a registry on loopback is asked by each until one fits. */
static bool same_server(const char *a, const char *b)
{
	struct mf_str x = server_of(a), y = server_of(b);
	return x.n && mf_str_cmp(x, y) == 0;
}

/* An upload's Location, or a link, may name another host: it gets nothing, whatever it asks for. */
static bool is_ours(const struct mf_http_call *c)
{
	char origin[MF_NET_ORIGIN];
	const struct mf_auth *a = c->req.auth;
	if (!a || c->foreign || !mf_net_url_origin(origin, c->url) || !same_server(a->origin, origin))
		return false;
	return !a->challenge_known || !a->secure || mf_net_url_https(c->url);
}

void mf_net_auth_bind(struct mf_http_call *c)
{
	struct mf_auth *a = c->req.auth;
	if (a && !c->foreign && !a->origin[0] && !mf_net_url_origin(a->origin, c->url))
		a->origin[0] = 0;
}

bool mf_net_is_identity_token(const struct mf_credential *cred)
{
	return cred->user && !strcmp(cred->user, "<token>");
}

int mf_net_basic(struct mf_secret *out, const struct mf_credential *cred, struct mf_err *err)
{
	const size_t max = MF_MAX_CONFIG_BYTES;
	struct mf_buf pair MF_NET_WIPED = MF_BUF_INIT(max), line MF_NET_WIPED = MF_BUF_INIT(2 * max);
	struct mf_bytes password = mf_secret_bytes(&cred->password);
	/* No growing: a reallocation would leave unwiped copies behind. */
	size_t n = strlen(cred->user) + password.n + 1;
	if (n > max)
		return mf_fail(err, MF_E_AUTH, 0, "user name and password are longer than %zu bytes", max);
	if (strchr(cred->user, ':')) /* RFC 7617 section 2: the server would read another name */
		return mf_fail(err, MF_E_AUTH, 0, "a user name with a colon cannot be sent");
	if (mf_buf_reserve(&pair, n, err) || mf_buf_reserve(&line, n / 3 * 4 + 16, err) ||
	    mf_buf_printf(&pair, err, "%s:", cred->user) ||
	    (password.n && mf_buf_add(&pair, password.p, password.n, err)) ||
	    mf_buf_addz(&line, "Basic ", err) || mf_b64_encode(&line, mf_buf_bytes(&pair), err))
		return -1;
	return mf_secret_copy(out, mf_buf_bytes(&line), err);
}

static bool has_basic(const struct mf_auth *a)
{
	return a->cred.user && !mf_net_is_identity_token(&a->cred);
}

static int bearer(struct mf_secret *out, const struct mf_token *t, struct mf_err *err)
{
	if (mf_secret_alloc(out, 7 + t->value.n, err))
		return -1;
	memcpy(out->p, "Bearer ", 7);
	memcpy(out->p + 7, t->value.p, t->value.n);
	return 0;
}

/* The scope asked for: the request's own, never the server's wider one; without one what the server said
 * last. */
static const char *wanted_scope(const struct mf_http_call *c)
{
	if (c->req.scope)
		return c->req.scope;
	return c->scope ? c->scope : c->req.auth->challenge.scope;
}

static int prepare_bearer(struct mf_http_call *c, struct mf_secret *value, struct mf_err *err)
{
	struct mf_auth *a = c->req.auth;
	const char *scope = wanted_scope(c);
	struct mf_token *t = mf_net_token_find(a->tokens, &a->challenge, scope);
	bool usable = t && t->value.n && (c->token_fresh || mf_net_token_valid(t));
	if (!usable && !c->req.scope && !c->scope)
		return MF_AUTH_SEND; /* the server has to say which scope */
	if (!t) {
		t = mf_net_token_new(a, &a->challenge, scope, err);
		if (!t)
			return -1;
		t->next = a->tokens;
		a->tokens = t;
	}
	c->token = t;
	if (!usable)
		return mf_net_token_fetch(t, c->h, &a->cred, err) ? -1 : MF_AUTH_WAIT;
	c->token_serial = t->serial;
	c->sent_token = true;
	return bearer(value, t, err) ? -1 : MF_AUTH_SEND;
}

int mf_net_auth_prepare(struct mf_http_call *c, struct mf_secret *value, struct mf_err *err)
{
	const struct mf_auth *a = c->req.auth;
	c->sent_token = c->sent_basic = false;
	if (!a->challenge_known || !is_ours(c))
		return MF_AUTH_SEND;
	if (a->challenge.bearer)
		return prepare_bearer(c, value, err);
	if (!has_basic(a))
		return MF_AUTH_SEND;
	c->sent_basic = true;
	return mf_net_basic(value, &a->cred, err) ? -1 : MF_AUTH_SEND;
}

/* The realm is the server's choice and gets the user's password. */
static int check_realm(const struct mf_http_call *c, const char *realm, struct mf_err *err)
{
	char shown[MF_NET_URL_TEXT];
	bool downgrade = mf_net_url_https(c->url) && !mf_net_url_https(realm) && !mf_net_url_loopback(realm);
	mf_net_url_redact(shown, sizeof shown, realm);
	if (!mf_http_url_allowed(c->h, realm) || downgrade)
		return mf_fail(err, MF_E_AUTH, 0, "refused the token server '%s' that the server names",
			       shown);
	return 0;
}

static int look_up(struct mf_auth *a, struct mf_err *err)
{
	if (a->looked_up)
		return 0;
	if (mf_credential_find(&a->cred, a->cfg, a->host, a->env, err))
		return -1;
	a->looked_up = true;
	return 0;
}

/* A cached token may have been revoked; one that was fetched for this very call settles it. */
static bool bearer_is_final(const struct mf_http_call *c, const struct mf_challenge *ch)
{
	return c->sent_token && (c->token_fresh || !strcmp(ch->error, "insufficient_scope"));
}

static int answer_bearer(struct mf_http_call *c, const struct mf_challenge *ch, struct mf_err *err)
{
	if (bearer_is_final(c, ch))
		return MF_AUTH_RETURN;
	if (check_realm(c, ch->realm, err))
		return -1;
	free(c->scope);
	c->scope = strdup(ch->scope);
	if (!c->scope)
		return mf_fail_nomem(err);
	/* Another call may have renewed it meanwhile; and a token for another scope was not wrong in itself.
	 */
	if (c->sent_token && c->token->serial == c->token_serial && !strcmp(c->token->scope, wanted_scope(c)))
		mf_secret_clear(&c->token->value);
	return MF_AUTH_SEND;
}

int mf_net_auth_challenged(struct mf_http_call *c, struct mf_err *err)
{
	struct mf_auth *a = c->req.auth;
	struct mf_challenge ch;
	if (!is_ours(c) || !c->challenge.n || c->auth_rounds++ >= MF_NET_MAX_AUTH_ROUNDS)
		return MF_AUTH_RETURN;
	if (mf_challenge_parse(&ch, mf_buf_str(&c->challenge), err))
		return -1;
	if ((!ch.basic && !ch.bearer) || (ch.basic && c->sent_basic))
		return MF_AUTH_RETURN;
	if (look_up(a, err))
		return -1;
	if (ch.basic && !has_basic(a))
		return MF_AUTH_RETURN;
	int next = ch.bearer ? answer_bearer(c, &ch, err) : MF_AUTH_SEND;
	if (next == MF_AUTH_SEND) {
		a->challenge = ch;
		a->challenge_known = true;
		a->secure = mf_net_url_https(c->url);
	}
	return next;
}

void mf_net_auth_hint(const struct mf_auth *a, struct mf_err *err)
{
	struct mf_esc esc;
	if (!a)
		return;
	if (a->cred.user)
		mf_err_set_hint(err, "the credentials came from %s", mf_esc(&esc, mf_str_c(a->cred.source)));
	else
		mf_err_set_hint(err, "no credentials for %s were found: use -u, or 'docker login'",
				mf_esc(&esc, mf_str_c(a->host)));
}
