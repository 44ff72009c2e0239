/* Authentication of one endpoint: challenges, tokens, and how a call uses them. */
#include <strings.h>

#include "base/encode.h"
#include "json/json.h"
#include "net/internal.h"

/* ---- challenges
 *
 * WWW-Authenticate is a list of challenges whose parameters are separated by the same comma as the challenges
 * themselves. Servers make mistakes in it: values without quotes or with blanks around them, repeated
 * parameters, missing commas. Here a word followed by '=' is a parameter, any other word after a comma (or at
 * the start) is a scheme, and the rest is ignored. */

static bool is_tchar(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct mf_str trimmed(struct mf_str s)
{
	while (s.n && is_blank(s.p[0]))
		s = (struct mf_str){s.p + 1, s.n - 1};
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct cursor {
	const char *p, *end;
	bool after_comma; /* here a challenge may begin */
};

static void skip_separators(struct cursor *c)
{
	for (; c->p < c->end && (is_blank(*c->p) || *c->p == ','); c->p++)
		c->after_comma = c->after_comma || *c->p == ',';
}

static struct mf_str take_word(struct cursor *c)
{
	const char *start = c->p;
	while (c->p < c->end && is_tchar(*c->p))
		c->p++;
	return (struct mf_str){start, (size_t)(c->p - start)};
}

static void skip_word(struct cursor *c)
{
	while (c->p < c->end && !is_blank(*c->p) && *c->p != ',')
		c->p++;
}

/* Reads a value, with its quotes and quoted pairs resolved. A quoted value without its closing quote is read
 * as empty. */
static struct mf_str take_value(struct cursor *c, char out[MF_MAX_HEADER_VALUE])
{
	size_t n = 0;
	const char *start = c->p;
	if (c->p == c->end || *c->p != '"') {
		skip_word(c);
		return (struct mf_str){start, (size_t)(c->p - start)};
	}
	for (c->p++; c->p < c->end && *c->p != '"'; c->p++) {
		if (*c->p == '\\' && c->p + 1 < c->end)
			c->p++;
		out[n++] = *c->p;
	}
	if (c->p == c->end)
		return MF_STR("");
	c->p++;
	return trimmed((struct mf_str){out, n});
}

struct slot {
	const char *name;
	size_t offset, size;
};
#define SLOT(member)                                                                                         \
	{                                                                                                    \
#member, offsetof(struct mf_challenge, member), sizeof((struct mf_challenge *)0)->member     \
	}
static const struct slot slots[] = {SLOT(realm), SLOT(service), SLOT(scope), SLOT(error)};

static bool word_is(struct mf_str word, const char *z)
{
	return word.n == strlen(z) && strncasecmp(word.p, z, word.n) == 0;
}

/* Stores a parameter. Of repeated parameters the first counts, but scopes are joined. False: the value is too
 * long or has control characters, so the challenge cannot be used. */
static bool keep_parameter(struct mf_challenge *to, struct mf_str name, struct mf_str value)
{
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
		char *text = (char *)to + slots[i].offset;
		size_t have = strlen(text);
		if (!word_is(name, slots[i].name) || (have && text != to->scope))
			continue;
		if (have + value.n + 2 > slots[i].size)
			return false;
		for (size_t k = 0; k < value.n; k++)
			if ((unsigned char)value.p[k] < ' ' || value.p[k] == 0x7f)
				return false;
		if (have && value.n)
			text[have++] = ' ';
		memcpy(text + have, value.p, value.n);
		text[have + value.n] = 0;
	}
	return true;
}

static bool is_url(const char *realm)
{
	return strncasecmp(realm, "https://", 8) == 0 || strncasecmp(realm, "http://", 7) == 0;
}

/* Keeps the better of two challenges: a usable Bearer, then Basic, then none. Of equals the earlier one is
 * kept. */
static void choose(struct mf_challenge *best, const struct mf_challenge *next, bool useless)
{
	if (useless || (next->scheme == MF_SCHEME_BEARER && !is_url(next->realm)))
		return;
	if (next->scheme > best->scheme)
		*best = *next;
}

static enum mf_scheme scheme_of(struct mf_str word)
{
	return word_is(word, "Bearer")  ? MF_SCHEME_BEARER
	       : word_is(word, "Basic") ? MF_SCHEME_BASIC
					: MF_SCHEME_NONE;
}

static void parse_line(struct mf_challenge *best, struct mf_str line)
{
	char text[MF_MAX_HEADER_VALUE];
	struct cursor c = {line.p, line.p + line.n, true};
	struct mf_challenge now = {MF_SCHEME_NONE, "", "", "", ""};
	bool useless = false;
	for (skip_separators(&c); c.p < c.end; skip_separators(&c)) {
		struct mf_str word = take_word(&c);
		struct cursor at = c;
		while (at.p < at.end && is_blank(*at.p))
			at.p++;
		if (word.n && at.p < at.end && *at.p == '=') {
			for (at.p++; at.p < at.end && is_blank(*at.p);)
				at.p++;
			useless |= !keep_parameter(&now, word, take_value(&at, text));
			c.p = at.p;
		} else if (word.n && c.after_comma && (c.p == c.end || is_blank(*c.p) || *c.p == ',')) {
			choose(best, &now, useless);
			now = (struct mf_challenge){.scheme = scheme_of(word)};
			useless = false;
		}
		skip_word(&c);
		c.after_comma = false;
	}
	choose(best, &now, useless);
}

void mf_challenge_parse(struct mf_challenge *out, struct mf_str values)
{
	*out = (struct mf_challenge){.scheme = MF_SCHEME_NONE};
	while (values.n) {
		const char *end = memchr(values.p, '\n', values.n);
		size_t n = end ? (size_t)(end - values.p) : values.n;
		if (n <= MF_MAX_HEADER_VALUE)
			parse_line(out, (struct mf_str){values.p, n});
		values = (struct mf_str){values.p + n + (end ? 1 : 0), values.n - n - (end ? 1 : 0)};
	}
}

/* ---- the state of an endpoint */

struct login {
	struct login *next;
	char *repository; /* NULL: every repository of the host */
	struct mf_credential credential;
};

struct mf_auth {
	char *host;
	const struct mf_credential_config *cfg;
	const struct mf_env *env;
	char origin[MF_NET_ORIGIN]; /* the only server, of either scheme, that gets credentials and tokens */
	struct mf_challenge challenge;
	bool challenge_known;
	bool secure; /* the challenge came over TLS, so credentials are sent over TLS only */
	struct login *logins;
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

static void token_free(struct mf_token *t)
{
	if (t->fetch)
		t->fetch->fetched = NULL;
	mf_secret_clear(&t->value);
	free(t->realm);
	free(t->service);
	free(t->scope);
	free(t);
}

void mf_auth_free(struct mf_auth *a)
{
	if (!a)
		return;
	for (struct mf_token *t; (t = a->tokens);) {
		a->tokens = t->next;
		token_free(t);
	}
	for (struct login *l; (l = a->logins);) {
		a->logins = l->next;
		mf_credential_clear(&l->credential);
		free(l->repository);
		free(l);
	}
	free(a->host);
	free(a);
}

/* The repository that a scope such as "repository:acme/app:pull" names; its name may hold colons. */
static struct mf_str repository_of(const char *scope)
{
	const char *first = scope ? strchr(scope, ':') : NULL, *last = first ? strrchr(scope, ':') : NULL;
	if (!first || last == first)
		return MF_STR("");
	return (struct mf_str){first + 1, (size_t)(last - first - 1)};
}

static struct login *known_login(const struct mf_auth *a, struct mf_str repository)
{
	struct login *l = a->logins;
	while (l && l->repository && !mf_str_eqz(repository, l->repository))
		l = l->next;
	return l;
}

/* The credential is looked up once for a host, or once for each repository if the configuration distinguishes
 * repositories. NULL on failure. */
static const struct mf_credential *credential_for(struct mf_auth *a, const char *scope, struct mf_err *err)
{
	struct mf_str repository = repository_of(scope);
	struct login *l = known_login(a, repository);
	if (l)
		return &l->credential;
	struct mf_credential found MF_CREDENTIAL_CLEANUP = {.kind = MF_CREDENTIAL_NONE};
	if (mf_credential_find(&found, a->cfg, a->host, repository, a->env, err) < 0)
		return NULL;
	l = mf_calloc(1, sizeof *l);
	if (l && found.by_path)
		l->repository = mf_str_dup(repository);
	if (!l || (found.by_path && !l->repository)) {
		free(l);
		(void)mf_fail_nomem(err);
		return NULL;
	}
	l->credential = found;
	found = (struct mf_credential){.kind = MF_CREDENTIAL_NONE};
	l->next = a->logins;
	a->logins = l;
	mf_env_log(a->env, MF_LOG_DEBUG, "credentials for %s: %s", a->host,
		   l->credential.kind == MF_CREDENTIAL_NONE ? "none" : l->credential.source);
	return &l->credential;
}

void mf_net_auth_hint(const struct mf_http_call *c, struct mf_err *err)
{
	struct mf_esc esc;
	const struct mf_auth *a = c->req.auth;
	if (!a)
		return;
	const char *option = a->cfg ? a->cfg->option : NULL;
	const struct login *l = known_login(a, repository_of(c->req.scope));
	if (l && l->credential.kind != MF_CREDENTIAL_NONE)
		mf_err_set_hint(err, "the credentials came from %s",
				mf_esc(&esc, mf_str_c(l->credential.source)));
	else
		mf_err_set_hint(err, "no credentials for %s were found: use %s%s'docker login'",
				mf_esc(&esc, mf_str_c(a->host)), option ? option : "", option ? ", or " : "");
}

/* "host:port" of an origin, or "host" if the port is the scheme's default. */
static struct mf_str server_of(const char *origin)
{
	struct mf_str s = mf_str_c(strstr(origin, "://") ? strstr(origin, "://") + 3 : "");
	struct mf_str port = mf_net_url_https(origin) ? MF_STR(":443") : MF_STR(":80");
	return mf_str_ends(s, port) ? (struct mf_str){s.p, s.n - port.n} : s;
}

/* Ignores the scheme, because a registry on loopback is tried over http and https until one works. */
static bool same_server(const char *a, const char *b)
{
	struct mf_str x = server_of(a), y = server_of(b);
	return x.n && mf_str_cmp(x, y) == 0;
}

/* The Location of an upload, or a Link, may name another host, which must not get credentials even if it
 * sends a challenge. */
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

/* ---- tokens ("Token Authentication Specification" and "OAuth2 Token Authentication" of the distribution
 * project) */

#define DEFAULT_LIFETIME_S 60 /* from the specification, for an expires_in that is absent or unusable */
#define MAX_LIFETIME_S 86400
#define MAX_TOKEN ((size_t)65536)

static struct mf_token *find_token(const struct mf_auth *a, const char *scope)
{
	struct mf_token *t = a->tokens;
	while (t && (strcmp(t->realm, a->challenge.realm) != 0 ||
		     strcmp(t->service, a->challenge.service) != 0 || strcmp(t->scope, scope) != 0))
		t = t->next;
	return t;
}

static struct mf_token *new_token(struct mf_auth *a, const char *scope, struct mf_err *err)
{
	struct mf_token *t = mf_calloc(1, sizeof *t);
	if (t)
		*t = (struct mf_token){.auth = a,
				       .realm = strdup(a->challenge.realm),
				       .service = strdup(a->challenge.service),
				       .scope = strdup(scope)};
	if (t && t->realm && t->service && t->scope) {
		t->next = a->tokens;
		a->tokens = t;
		return t;
	}
	if (t)
		token_free(t);
	(void)mf_fail_nomem(err);
	return NULL;
}

/* The token is put into a header without escaping (RFC 6750 section 2.1, b64token). */
static bool is_b64token(struct mf_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"\\,;", s.p[i]))
			return false;
	return s.n > 0 && s.n <= MAX_TOKEN;
}

/* Some servers send both "token" and "access_token", one of them empty or null. */
static int read_token(struct mf_json_reader *r, struct mf_secret *value, struct mf_err *err)
{
	struct mf_json_string s;
	enum mf_json_type type;
	struct mf_buf text MF_NET_WIPED = MF_BUF_INIT(MF_MAX_TOKEN_BODY);
	if (mf_json_peek(r, &type, err) < 0)
		return -1;
	if (type == MF_JSON_NULL)
		return mf_json_null(r, err);
	if (mf_json_string(r, &s, err) < 0 || mf_buf_reserve(&text, s.raw.n, err) < 0 ||
	    mf_json_string_decode(s, &text, err) < 0)
		return -1;
	if (!text.n)
		return 0;
	if (!is_b64token(mf_buf_str(&text)))
		return mf_fail(err, MF_E_FORMAT, 0, "the token has characters that a token cannot have");
	return value->n ? 0 : mf_secret_copy(value, mf_buf_bytes(&text), err);
}

/* expires_in is only advice: a fraction is cut off, and a value that is not a plain number from 0 is
 * ignored. */
static int read_lifetime(struct mf_json_reader *r, int64_t *seconds, struct mf_err *err)
{
	char text[24];
	struct mf_str value;
	enum mf_json_type type;
	if (mf_json_peek(r, &type, err) < 0 || mf_json_skip(r, &value, err) < 0)
		return -1;
	if (type != MF_JSON_NUMBER || value.n >= sizeof text || memchr(value.p, 'e', value.n) ||
	    memchr(value.p, 'E', value.n))
		return 0;
	memcpy(text, value.p, value.n);
	text[value.n] = 0;
	int64_t n = strtoll(text, NULL, 10); /* LLONG_MAX on overflow */
	*seconds = n > MAX_LIFETIME_S ? MAX_LIFETIME_S : n >= 0 ? n : *seconds;
	return 0;
}

int mf_net_token_parse(struct mf_bytes body, struct mf_secret *value, int64_t *lifetime_s, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	struct mf_secret got MF_SECRET_CLEANUP = MF_SECRET_INIT;
	int64_t seconds = DEFAULT_LIFETIME_S;
	mf_json_reader_init(&r, mf_bytes_of(mf_str_skip_bom(mf_str_of(body))));
	r.any_size = true;
	int more = mf_json_object(&r, err);
	while (more >= 0 && (more = mf_json_object_next(&r, &name, err)) > 0) {
		if (mf_json_string_eq(name, "token") || mf_json_string_eq(name, "access_token"))
			more = read_token(&r, &got, err);
		else if (mf_json_string_eq(name, "expires_in"))
			more = read_lifetime(&r, &seconds, err);
		else
			more = mf_json_skip(&r, NULL, err);
	}
	if (more < 0 || mf_json_end(&r, err) < 0)
		return -1;
	if (!got.n)
		return mf_fail(err, MF_E_FORMAT, 0, "the answer contains no token");
	*value = got;
	got = (struct mf_secret)MF_SECRET_INIT;
	*lifetime_s = seconds;
	return 0;
}

/* Adds "name=value", percent-encoded, with "&" before it unless it is the first. */
static int add_pair(struct mf_buf *b, const char *name, struct mf_str value, struct mf_err *err)
{
	if (b->n && mf_buf_addc(b, '&', err) < 0)
		return -1;
	return mf_buf_printf(b, err, "%s=", name) < 0 ? -1 : mf_pct_encode(b, value, "", err);
}

/* Adds one parameter for each scope of a list that is separated by spaces. */
static int add_scopes(struct mf_buf *b, const char *scope, struct mf_err *err)
{
	for (const char *p = scope + strspn(scope, " "); *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		if (add_pair(b, "scope", (struct mf_str){p, n}, err) < 0)
			return -1;
		p += n;
	}
	return 0;
}

static int token_url(const struct mf_token *t, char **url, struct mf_err *err)
{
	struct mf_buf query MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL),
			    text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	if ((*t->service && add_pair(&query, "service", mf_str_c(t->service), err) < 0) ||
	    add_scopes(&query, t->scope, err) < 0)
		return -1;
	const char *join = strchr(t->realm, '?') ? "&" : "?";
	if (mf_buf_printf(&text, err, "%s%s%s", t->realm, query.n ? join : "", query.n ? query.p : "") < 0)
		return -1;
	*url = mf_buf_take(&text);
	return *url ? 0 : mf_fail_nomem(err);
}

static int token_form(const struct mf_token *t, struct mf_bytes refresh_token, struct mf_buf *b,
		      struct mf_err *err)
{
	mf_buf_init(b, 4 * MF_MAX_CONFIG_BYTES);
	/* Reserve everything at once: a reallocation would leave unwiped copies behind. */
	if (mf_buf_reserve(b, 3 * (refresh_token.n + strlen(t->service) + strlen(t->scope)) + 128, err) < 0 ||
	    add_pair(b, "grant_type", MF_STR("refresh_token"), err) < 0 ||
	    add_pair(b, "service", mf_str_c(t->service), err) < 0 ||
	    add_pair(b, "client_id", MF_STR("manifesto"), err) < 0 ||
	    (*t->scope && add_pair(b, "scope", mf_str_c(t->scope), err) < 0))
		return -1;
	return add_pair(b, "refresh_token", mf_str_of(refresh_token), err);
}

/* "Basic <base64 of user:password>" */
static int basic(struct mf_secret *out, const struct mf_credential *cred, struct mf_err *err)
{
	const size_t max = MF_MAX_CONFIG_BYTES;
	struct mf_buf pair MF_NET_WIPED = MF_BUF_INIT(max), line MF_NET_WIPED = MF_BUF_INIT(2 * max);
	struct mf_bytes password = mf_secret_bytes(&cred->secret);
	const char *user = cred->kind == MF_CREDENTIAL_IDENTITY_TOKEN ? "<token>" : cred->user;
	/* Reserve everything at once: a reallocation would leave unwiped copies behind. */
	size_t n = strlen(user) + password.n + 1;
	if (n > max)
		return mf_fail(err, MF_E_AUTH, 0, "user name and password are longer than %zu bytes", max);
	if (strchr(user, ':')) /* RFC 7617 section 2: it would end the name at the server */
		return mf_fail(err, MF_E_AUTH, 0, "a user name with a colon cannot be sent");
	if (mf_buf_reserve(&pair, n, err) < 0 || mf_buf_reserve(&line, n / 3 * 4 + 16, err) < 0 ||
	    mf_buf_printf(&pair, err, "%s:", user) < 0 ||
	    (password.n && mf_buf_add(&pair, password.p, password.n, err) < 0) ||
	    mf_buf_addz(&line, "Basic ", err) < 0 || mf_b64_encode(&line, mf_buf_bytes(&pair), err) < 0)
		return -1;
	return mf_secret_copy(out, mf_buf_bytes(&line), err);
}

int mf_net_token_request(const struct mf_token *t, char **url, struct mf_buf *form,
			 struct mf_secret *authorization, struct mf_err *err)
{
	const struct mf_credential *cred = credential_for(t->auth, t->scope, err);
	if (!cred)
		return -1;
	if (cred->kind != MF_CREDENTIAL_IDENTITY_TOKEN || t->by_get) {
		if (cred->secret.n && basic(authorization, cred, err) < 0)
			return -1;
		return token_url(t, url, err);
	}
	if (token_form(t, mf_secret_bytes(&cred->secret), form, err) < 0)
		return -1;
	*url = strdup(t->realm);
	return *url ? 0 : mf_fail_nomem(err);
}

/* Every 4xx but 429 means that the token server refused the credentials. */
static int token_refused(const struct mf_token *t, const struct mf_http_call *fetch, struct mf_err *err)
{
	struct mf_esc esc;
	long status = fetch->res.status;
	bool refused = status >= 400 && status < 500 && status != 429;
	(void)mf_net_status_error(fetch, "get a token", err);
	if (!refused)
		return -1;
	(void)mf_recode(err, MF_E_AUTH);
	const struct login *l = known_login(t->auth, repository_of(t->scope));
	if (l && l->credential.kind != MF_CREDENTIAL_NONE)
		mf_err_set_hint(err, "the credentials came from %s",
				mf_esc(&esc, mf_str_c(l->credential.source)));
	return -1;
}

bool mf_net_token_by_get(struct mf_token *t, const struct mf_http_call *fetch)
{
	long status = fetch->res.status;
	if (fetch->err.code || t->by_get || !fetch->form.n || (status != 404 && status != 405))
		return false;
	t->by_get = true;
	return true;
}

int mf_net_token_answer(struct mf_token *t, struct mf_http_call *fetch, struct mf_err *err)
{
	struct mf_secret value MF_SECRET_CLEANUP = MF_SECRET_INIT;
	char server[MF_NET_URL_TEXT];
	int64_t lifetime_s = 0;
	mf_net_url_redact(server, sizeof server, fetch->url);
	if (fetch->err.code) {
		*err = fetch->err;
		return mf_wrap(err, "get a token");
	}
	if (fetch->res.status < 200 || fetch->res.status > 299)
		return token_refused(t, fetch, err);
	if (mf_net_token_parse(mf_buf_bytes(&fetch->res.body), &value, &lifetime_s, err) < 0) {
		/* This answer is not signed, so a malformed one must not be reported like malformed signed
		 * content. */
		if (err->code == MF_E_FORMAT)
			(void)mf_recode(err, MF_E_UNAVAILABLE);
		mf_err_set_endpoint(err, server);
		return mf_wrap(err, "the token server '%s' answered with %s", server,
			       mf_http_is_web_page(&fetch->res) ? "a web page"
								: "something other than a token");
	}
	mf_secret_clear(&t->value);
	t->value = value;
	value = (struct mf_secret)MF_SECRET_INIT;
	/* Stop using the token a little before it expires, because the server's clock decides. */
	int64_t margin_s = lifetime_s / 4 < 10 ? lifetime_s / 4 : 10;
	t->expires_ms = mf_monotonic_ms() + (lifetime_s - margin_s) * 1000;
	t->serial++;
	return 0;
}

/* ---- how a call uses them */

static int bearer(struct mf_secret *out, struct mf_bytes token, struct mf_err *err)
{
	if (mf_secret_alloc(out, 7 + token.n, err) < 0)
		return -1;
	memcpy(out->p, "Bearer ", 7);
	memcpy(out->p + 7, token.p, token.n);
	return 0;
}

/* The scope to request: that of the request, never a wider one that the server names. For a request without a
 * scope, the one that the server named last. */
static const char *wanted_scope(const struct mf_http_call *c)
{
	if (c->req.scope)
		return c->req.scope;
	return c->scope ? c->scope : c->req.auth->challenge.scope;
}

static enum mf_auth_next prepare_bearer(struct mf_http_call *c, struct mf_secret *value, struct mf_err *err)
{
	struct mf_auth *a = c->req.auth;
	const char *scope = wanted_scope(c);
	struct mf_token *t = find_token(a, scope);
	bool valid = t && t->value.n && (c->token_fresh || mf_monotonic_ms() < t->expires_ms);
	if (!valid && !c->req.scope && !c->scope)
		return MF_AUTH_SEND; /* the server has to name the scope */
	if (!t && !(t = new_token(a, scope, err)))
		return MF_AUTH_FAILED;
	c->token = t;
	if (!valid)
		return MF_AUTH_FETCH;
	c->token_serial = t->serial;
	c->sent_auth = MF_SENT_TOKEN;
	return bearer(value, mf_secret_bytes(&t->value), err) < 0 ? MF_AUTH_FAILED : MF_AUTH_SEND;
}

enum mf_auth_next mf_net_auth_prepare(struct mf_http_call *c, struct mf_secret *value, struct mf_err *err)
{
	struct mf_auth *a = c->req.auth;
	c->sent_auth = MF_SENT_NOTHING;
	if (!a || !a->challenge_known || !is_ours(c))
		return MF_AUTH_SEND;
	const struct mf_credential *cred = credential_for(a, c->req.scope, err);
	if (!cred)
		return MF_AUTH_FAILED;
	if (a->challenge.scheme == MF_SCHEME_BEARER && cred->kind != MF_CREDENTIAL_REGISTRY_TOKEN)
		return prepare_bearer(c, value, err);
	if (a->challenge.scheme == MF_SCHEME_BEARER) {
		if (!is_b64token(mf_str_of(mf_secret_bytes(&cred->secret)))) {
			(void)mf_fail(err, MF_E_AUTH, 0, "'registrytoken' in '%s' is not a valid token",
				      cred->source);
			return MF_AUTH_FAILED;
		}
		c->sent_auth = MF_SENT_REGISTRY_TOKEN;
		return bearer(value, mf_secret_bytes(&cred->secret), err) < 0 ? MF_AUTH_FAILED : MF_AUTH_SEND;
	}
	if (cred->kind != MF_CREDENTIAL_PASSWORD)
		return MF_AUTH_SEND;
	c->sent_auth = MF_SENT_PASSWORD;
	return basic(value, cred, err) < 0 ? MF_AUTH_FAILED : MF_AUTH_SEND;
}

/* The server chooses the realm, and the realm gets the user's password. */
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

/* A 401 for a cached token may mean that the token was revoked; a 401 for a token that was just fetched for
 * this call is final. */
static bool bearer_is_final(const struct mf_http_call *c, const struct mf_challenge *ch)
{
	return c->sent_auth == MF_SENT_REGISTRY_TOKEN ||
	       (c->sent_auth == MF_SENT_TOKEN &&
		(c->token_fresh || strcmp(ch->error, "insufficient_scope") == 0));
}

static enum mf_auth_next answer_bearer(struct mf_http_call *c, const struct mf_challenge *ch,
				       struct mf_err *err)
{
	if (bearer_is_final(c, ch))
		return MF_AUTH_RETURN;
	if (check_realm(c, ch->realm, err) < 0)
		return MF_AUTH_FAILED;
	free(c->scope);
	c->scope = strdup(ch->scope);
	if (!c->scope) {
		(void)mf_fail_nomem(err);
		return MF_AUTH_FAILED;
	}
	/* Drop the rejected token, unless another call has renewed it meanwhile or the server now wants
	 * another scope: then the token itself is still good. */
	if (c->sent_auth == MF_SENT_TOKEN && c->token->serial == c->token_serial &&
	    strcmp(c->token->scope, wanted_scope(c)) == 0)
		mf_secret_clear(&c->token->value);
	return MF_AUTH_SEND;
}

static enum mf_auth_next answer_basic(const struct mf_http_call *c, const struct mf_credential *cred)
{
	bool can = cred->kind == MF_CREDENTIAL_PASSWORD && c->sent_auth != MF_SENT_PASSWORD;
	return can ? MF_AUTH_SEND : MF_AUTH_RETURN;
}

enum mf_auth_next mf_net_auth_challenged(struct mf_http_call *c, struct mf_err *err)
{
	struct mf_auth *a = c->req.auth;
	struct mf_challenge ch;
	if (!is_ours(c) || !c->challenges.n || c->auth_rounds++ >= MF_NET_MAX_AUTH_ROUNDS)
		return MF_AUTH_RETURN;
	mf_challenge_parse(&ch, mf_buf_str(&c->challenges));
	if (ch.scheme == MF_SCHEME_NONE)
		return MF_AUTH_RETURN;
	const struct mf_credential *cred = credential_for(a, c->req.scope, err);
	if (!cred)
		return MF_AUTH_FAILED;
	enum mf_auth_next next =
	    ch.scheme == MF_SCHEME_BEARER ? answer_bearer(c, &ch, err) : answer_basic(c, cred);
	if (next == MF_AUTH_SEND) {
		a->challenge = ch;
		a->challenge_known = true;
		a->secure = mf_net_url_https(c->url);
	}
	return next;
}
