/* The sources of a host's credentials: options, files in Docker's format, and Docker's credential helpers. */
#include <strings.h>

#include "base/child.h"
#include "base/encode.h"
#include "json/json.h"
#include "net/internal.h"
#include "store/file.h"

void mf_net_buf_wipe(struct mf_buf *b)
{
	if (b->p)
		mf_wipe(b->p, b->cap);
	mf_buf_clear(b);
}

void mf_credential_clear(struct mf_credential *c)
{
	free(c->user);
	mf_secret_clear(&c->secret);
	*c = (struct mf_credential){.kind = MF_CREDENTIAL_NONE};
}

/* A line break or NUL at the end of a credential comes from the tool that wrote it and is removed. */
static struct mf_str without_line_end(struct mf_str s)
{
	while (s.n && (!s.p[s.n - 1] || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

/* In Docker's format the user name "<token>" means that the password is an identity token. */
static int set(struct mf_credential *out, enum mf_credential_kind kind, struct mf_str user,
	       struct mf_str secret, const char *source, struct mf_err *err)
{
	if (kind == MF_CREDENTIAL_PASSWORD && mf_str_eqz(user, "<token>"))
		kind = MF_CREDENTIAL_IDENTITY_TOKEN;
	struct mf_credential c MF_CREDENTIAL_CLEANUP = {.kind = kind, .user = mf_str_dup(user)};
	if (!c.user)
		return mf_fail_nomem(err);
	secret = without_line_end(secret);
	if (secret.n && mf_secret_copy(&c.secret, mf_bytes_of(secret), err) < 0)
		return -1;
	(void)snprintf(c.source, sizeof c.source, "%s", source);
	*out = c;
	c = (struct mf_credential){.kind = MF_CREDENTIAL_NONE};
	return 0;
}

/* ---- files in Docker's format ("Configuration files" of the docker CLI; containers-auth.json(5)) */

struct place {
	const char *host;
	struct mf_str repository;
};

static bool is_hub(struct mf_str host)
{
	static const char *const names[] = {"docker.io", "index.docker.io", "registry-1.docker.io",
					    "notary.docker.io"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (host.n == strlen(names[i]) && strncasecmp(host.p, names[i], host.n) == 0)
			return true;
	return false;
}

/* The name of Docker Hub in credential helpers and old files; for any other host, the host itself. */
static const char *server_name(const char *host)
{
	return is_hub(mf_str_c(host)) ? "https://index.docker.io/v1/" : host;
}

static bool skip_prefix(struct mf_str *s, struct mf_str prefix)
{
	if (s->n < prefix.n || strncasecmp(s->p, prefix.p, prefix.n) != 0)
		return false;
	*s = (struct mf_str){s->p + prefix.n, s->n - prefix.n};
	return true;
}

static bool holds(struct mf_str path, struct mf_str repository)
{
	return mf_str_starts(repository, path) && (repository.n == path.n || repository.p[path.n] == '/');
}

/* How well a key fits: 0 not at all, 1 a URL of the host, 2 the host, above 2 a path that contains the
 * repository, by its length. The path of a URL is that of an API ("https://index.docker.io/v1/") and is
 * ignored. */
static size_t key_fit(struct mf_str key, const struct place *at, bool *by_path)
{
	if (mf_str_eqz(key, server_name(at->host)))
		return 2;
	bool url = skip_prefix(&key, MF_STR("https://")) || skip_prefix(&key, MF_STR("http://"));
	while (key.n && key.p[key.n - 1] == '/')
		key.n--;
	const char *slash = key.n ? memchr(key.p, '/', key.n) : NULL;
	struct mf_str host = {key.p, slash ? (size_t)(slash - key.p) : key.n};
	struct mf_str path = {slash ? slash + 1 : "", slash ? key.n - host.n - 1 : 0};
	bool same = host.n == strlen(at->host) && strncasecmp(host.p, at->host, host.n) == 0;
	if (!same && !(is_hub(host) && is_hub(mf_str_c(at->host))))
		return 0;
	if (url || mf_str_eqz(path, "v1") || mf_str_eqz(path, "v2"))
		return 1;
	if (!path.n)
		return 2;
	*by_path = true;
	return holds(path, at->repository) ? 2 + path.n : 0;
}

void mf_docker_entry_init(struct mf_docker_entry *e)
{
	*e = (struct mf_docker_entry){.helper = ""};
	mf_buf_init(&e->auth, MF_MAX_CONFIG_BYTES);
	mf_buf_init(&e->user, MF_MAX_CONFIG_BYTES);
	mf_buf_init(&e->password, MF_MAX_CONFIG_BYTES);
	mf_buf_init(&e->identity_token, MF_MAX_CONFIG_BYTES);
	mf_buf_init(&e->registry_token, MF_MAX_CONFIG_BYTES);
}

void mf_docker_entry_clear(struct mf_docker_entry *e)
{
	mf_net_buf_wipe(&e->auth);
	mf_net_buf_wipe(&e->user);
	mf_net_buf_wipe(&e->password);
	mf_net_buf_wipe(&e->identity_token);
	mf_net_buf_wipe(&e->registry_token);
}

/* Programs in Go write null for an empty value. 1: there was a null, and it was skipped; 0: there was
 * none. */
static int skip_null(struct mf_json_reader *r, struct mf_err *err)
{
	enum mf_json_type type;
	if (mf_json_peek(r, &type, err) < 0 || (type == MF_JSON_NULL && mf_json_null(r, err) < 0))
		return -1;
	return type == MF_JSON_NULL;
}

int mf_net_read_text(struct mf_json_reader *r, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_string s;
	mf_buf_reset(out);
	int null = skip_null(r, err);
	if (null)
		return null < 0 ? -1 : 0;
	if (mf_json_string(r, &s, err) < 0 || mf_buf_reserve(out, s.raw.n, err) < 0)
		return -1;
	return mf_json_string_decode(s, out, err);
}

static int read_helper(struct mf_json_reader *r, char out[128], struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	if (mf_net_read_text(r, &text, err) < 0)
		return -1;
	if (text.n >= 128)
		return mf_fail(err, MF_E_FORMAT, 0, "name of a credential helper is longer than 127 bytes");
	memcpy(out, text.n ? text.p : "", text.n + 1);
	return 0;
}

static int read_auth(struct mf_docker_entry *out, struct mf_json_reader *r, struct mf_err *err)
{
	struct mf_json_string name;
	struct mf_buf *const members[] = {&out->auth, &out->user, &out->password, &out->identity_token,
					  &out->registry_token};
	static const char *const names[] = {"auth", "username", "password", "identitytoken", "registrytoken"};
	enum { N = sizeof names / sizeof *names };
	for (size_t i = 0; i < N; i++)
		mf_buf_reset(members[i]);
	int null = skip_null(r, err);
	if (null)
		return null < 0 ? -1 : 0;
	int more = mf_json_object(r, err);
	while (more >= 0 && (more = mf_json_object_next(r, &name, err)) > 0) {
		size_t i = 0;
		while (i < N && !mf_json_string_eq(name, names[i]))
			i++;
		more = i < N ? mf_net_read_text(r, members[i], err) : mf_json_skip(r, NULL, err);
	}
	return more;
}

enum map { AUTHS, HELPERS };

/* Of several keys that fit, the best one counts; of equals, the first. */
static int read_map(struct mf_docker_entry *out, struct mf_json_reader *r, enum map map,
		    const struct place *at, struct mf_err *err)
{
	struct mf_json_string name;
	size_t best = 0;
	int null = skip_null(r, err);
	if (null)
		return null < 0 ? -1 : 0;
	int more = mf_json_object(r, err);
	while (more >= 0 && (more = mf_json_object_next(r, &name, err)) > 0) {
		struct mf_buf key MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
		if (mf_json_string_decode(name, &key, err) < 0)
			return -1;
		size_t fit = key_fit(mf_buf_str(&key), at, &out->by_path);
		if (fit <= best) {
			more = mf_json_skip(r, NULL, err);
			continue;
		}
		best = fit;
		more = map == AUTHS ? read_auth(out, r, err) : read_helper(r, out->helper, err);
	}
	if (map == AUTHS)
		out->fit = best;
	return more;
}

int mf_docker_config_scan(struct mf_docker_entry *out, struct mf_bytes doc, const char *host,
			  struct mf_str repository, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	struct place at = {host, repository};
	enum mf_json_type type;
	mf_json_reader_init(&r, doc);
	if (mf_json_peek(&r, &type, err) < 0)
		return -1;
	if (type == MF_JSON_NULL)
		return mf_json_null(&r, err) < 0 ? -1 : mf_json_end(&r, err);
	int more = mf_json_object(&r, err);
	while (more >= 0 && (more = mf_json_object_next(&r, &name, err)) > 0) {
		if (mf_json_string_eq(name, "auths"))
			more = read_map(out, &r, AUTHS, &at, err);
		else if (mf_json_string_eq(name, "credHelpers"))
			more = read_map(out, &r, HELPERS, &at, err);
		else if (mf_json_string_eq(name, "credsStore"))
			more = read_helper(&r, out->store, err);
		else
			more = mf_json_skip(&r, NULL, err);
	}
	return more < 0 ? -1 : mf_json_end(&r, err);
}

/* The base64 text may have line breaks. RFC 7617 section 2: the first colon ends the user name, and control
 * characters are not allowed. */
static int set_from_auth(struct mf_credential *out, const struct mf_buf *auth, const char *file,
			 struct mf_err *err)
{
	struct mf_buf text MF_NET_WIPED = MF_BUF_INIT(MF_MAX_CONFIG_BYTES),
			   pair MF_NET_WIPED = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	if (mf_buf_reserve(&text, auth->n, err) < 0 || mf_buf_reserve(&pair, auth->n, err) < 0)
		return -1;
	for (size_t i = 0; i < auth->n; i++)
		if (!strchr(" \t\r\n", auth->p[i]))
			text.p[text.n++] = auth->p[i];
	if (mf_b64_decode(&pair, mf_buf_str(&text), err) < 0)
		return -1;
	struct mf_str both = without_line_end(mf_buf_str(&pair));
	const char *colon = both.n ? memchr(both.p, ':', both.n) : NULL;
	if (!colon || colon == both.p || memchr(both.p, 0, both.n) || memchr(both.p, '\n', both.n))
		return mf_fail(err, MF_E_FORMAT, 0, "'auth' is not base64 of 'user:password'");
	struct mf_str user = {both.p, (size_t)(colon - both.p)};
	return set(out, MF_CREDENTIAL_PASSWORD, user, (struct mf_str){colon + 1, both.n - user.n - 1}, file,
		   err);
}

static int set_from_entry(struct mf_credential *out, const struct mf_docker_entry *e, const char *file,
			  struct mf_err *err)
{
	if (e->registry_token.n)
		return set(out, MF_CREDENTIAL_REGISTRY_TOKEN, MF_STR(""), mf_buf_str(&e->registry_token),
			   file, err);
	if (e->identity_token.n)
		return set(out, MF_CREDENTIAL_IDENTITY_TOKEN, MF_STR(""), mf_buf_str(&e->identity_token),
			   file, err);
	if (e->auth.n)
		return set_from_auth(out, &e->auth, file, err);
	if (!e->user.n)
		return 0;
	return set(out, MF_CREDENTIAL_PASSWORD, mf_buf_str(&e->user), mf_buf_str(&e->password), file, err);
}

/* ---- credential helpers (docker-credential-helpers, "Development"): `docker-credential-NAME get` reads the
 * server's name on standard input and writes {"ServerURL","Username","Secret"}, or the reason of a failure,
 * to standard output. */

/* The name becomes part of a program's name, so it must be neither a path nor an option. */
static bool is_helper_name(const char *name)
{
	return *name && strlen(name) < 128 &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789._-") == strlen(name);
}

struct answer {
	struct mf_buf user, secret;
};

static void answer_clear(struct answer *a)
{
	mf_net_buf_wipe(&a->user);
	mf_net_buf_wipe(&a->secret);
}

static int read_answer(struct answer *out, struct mf_bytes text, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	mf_json_reader_init(&r, text);
	int more = mf_json_object(&r, err);
	while (more >= 0 && (more = mf_json_object_next(&r, &name, err)) > 0) {
		if (mf_json_string_eq(name, "Username"))
			more = mf_net_read_text(&r, &out->user, err);
		else if (mf_json_string_eq(name, "Secret"))
			more = mf_net_read_text(&r, &out->secret, err);
		else
			more = mf_json_skip(&r, NULL, err);
	}
	return more < 0 ? -1 : mf_json_end(&r, err);
}

static int take_answer(struct mf_credential *out, const char *program, struct mf_bytes text,
		       struct mf_err *err)
{
	struct answer a MF_CLEANUP(answer_clear) = {MF_BUF_INIT(MF_MAX_HELPER_BYTES),
						    MF_BUF_INIT(MF_MAX_HELPER_BYTES)};
	struct mf_err why = MF_ERR_INIT;
	if (read_answer(&a, text, &why) < 0) /* why.msg could quote the secret */
		return mf_fail(err, MF_E_AUTH, 0,
			       "expected JSON with Username and Secret, got something else");
	if (!a.user.n && !a.secret.n)
		return 0;
	if (!a.user.n || !a.secret.n || memchr(a.user.p, 0, a.user.n))
		return mf_fail(err, MF_E_AUTH, 0, "the answer has no user name or no secret");
	return set(out, MF_CREDENTIAL_PASSWORD, mf_buf_str(&a.user), mf_buf_str(&a.secret), program, err);
}

static bool says_not_found(const struct mf_buf *text)
{
	static const char words[] = "credentials not found";
	return text->n && memmem(text->p, text->n, words, sizeof words - 1) != NULL;
}

/* Reports the helper's own message, which the protocol puts on standard output; if that has none, from
 * standard error. */
static int helper_failed(const struct mf_child *c, const struct mf_buf *text, struct mf_err *err)
{
	struct mf_esc esc;
	struct mf_str words = without_line_end(mf_buf_str(text));
	if (words.n && memchr(words.p, '{', words.n)) /* text that looks like an answer may hold a secret */
		words.n = 0;
	if (!words.n)
		words = without_line_end((struct mf_str){c->errors, c->errors_n});
	const char *line_end = words.n ? memchr(words.p, '\n', words.n) : NULL;
	words.n = line_end ? (size_t)(line_end - words.p) : words.n;
	return mf_fail(err, MF_E_AUTH, 0, "exit status %d%s%s", c->status, words.n ? ": " : "",
		       words.n ? mf_esc(&esc, words) : "");
}

static enum mf_found run(struct mf_credential *out, const char *program, const char *server,
			 const struct mf_env *env, struct mf_err *err)
{
	struct mf_buf text MF_NET_WIPED = MF_BUF_INIT(MF_MAX_HELPER_BYTES),
			   question MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REPOSITORY + 64);
	if (mf_buf_printf(&question, err, "%s\n", server) < 0)
		return MF_FAILED;
	struct mf_child c = {.argv = (const char *const[]){program, "get", NULL},
			     .input = mf_buf_bytes(&question),
			     .timeout_ms = MF_HELPER_TIMEOUT_MS,
			     .env = env};
	enum mf_found ran = mf_child_run(&c, &text, err);
	if (ran != MF_FOUND)
		return ran;
	if (c.status && !says_not_found(&text))
		return helper_failed(&c, &text, err);
	return c.status || take_answer(out, program, mf_buf_bytes(&text), err) == 0 ? MF_FOUND : MF_FAILED;
}

/* Gets the credential of the host from a helper; *out stays empty if the helper has none. A helper that is
 * not installed is no error, because a public registry needs no credentials. */
static int from_helper(struct mf_credential *out, const char *name, const char *file, const char *host,
		       const struct mf_env *env, struct mf_err *err)
{
	char program[160];
	struct mf_esc shown_file, shown_name;
	const char *where = mf_esc(&shown_file, mf_str_c(file));
	if (!is_helper_name(name))
		return mf_fail(err, MF_E_AUTH, 0, "'%s': '%s' cannot be the name of a credential helper",
			       where, mf_esc(&shown_name, mf_str_c(name)));
	(void)snprintf(program, sizeof program, "docker-credential-%s", name);
	enum mf_found found = run(out, program, server_name(host), env, err);
	if (found == MF_FOUND)
		return 0;
	if (found == MF_ABSENT) {
		mf_env_log(env, MF_LOG_WARNING,
			   "credential helper %s, which '%s' names, is not installed; continuing without it",
			   program, where);
		return 0;
	}
	if (err->code != MF_E_NOMEM && err->code != MF_E_CANCELLED)
		(void)mf_recode(err, MF_E_AUTH);
	return mf_wrap(err, "credential helper %s, which '%s' names", program, where);
}

/* ---- the search */

static int bad_file(struct mf_err *err, const char *file)
{
	struct mf_esc esc;
	if (err->code == MF_E_NOMEM || err->code == MF_E_CANCELLED)
		return -1;
	(void)mf_recode(err, MF_E_AUTH);
	return mf_wrap(err, "credentials file '%s'", mf_esc(&esc, mf_str_c(file)));
}

/* An absent file counts as empty, and so does a blank one, which an interrupted write leaves behind. Any
 * other fault of the file is reported with its name, because the user can correct it. */
static int scan_file(struct mf_docker_entry *out, const char *file, const struct place *at,
		     struct mf_err *err)
{
	struct mf_buf text MF_NET_WIPED = MF_BUF_INIT(MF_MAX_CONFIG_BYTES + 1);
	if (mf_file_read(file, MF_MAX_CONFIG_BYTES, &text, err) < 0) {
		if (err->code != MF_E_NOT_FOUND)
			return bad_file(err, file);
		mf_err_clear(err);
		return 0;
	}
	struct mf_str doc = mf_str_skip_bom(mf_buf_str(&text));
	if (!doc.n || strspn(doc.p, " \t\r\n") == doc.n)
		return 0;
	return mf_docker_config_scan(out, mf_bytes_of(doc), at->host, at->repository, err) < 0
		   ? bad_file(err, file)
		   : 0;
}

static int from_file(struct mf_credential *out, const char *file, const struct place *at,
		     const struct mf_env *env, struct mf_err *err)
{
	struct mf_docker_entry e MF_CLEANUP(mf_docker_entry_clear);
	mf_docker_entry_init(&e);
	if (scan_file(&e, file, at, err) < 0)
		return -1;
	if (e.helper[0] && from_helper(out, e.helper, file, at->host, env, err) < 0)
		return -1;
	bool of_path = e.fit > 2;
	if (!out->kind && of_path && set_from_entry(out, &e, file, err) < 0)
		return bad_file(err, file);
	if (!out->kind && e.store[0] && from_helper(out, e.store, file, at->host, env, err) < 0)
		return -1;
	if (!out->kind && set_from_entry(out, &e, file, err) < 0)
		return bad_file(err, file);
	out->by_path = e.by_path;
	return 0;
}

int mf_credential_find(struct mf_credential *out, const struct mf_credential_config *cfg, const char *host,
		       struct mf_str repository, const struct mf_env *env, struct mf_err *err)
{
	struct mf_credential found MF_CREDENTIAL_CLEANUP = {.kind = MF_CREDENTIAL_NONE};
	struct place at = {host, repository};
	if (cfg && cfg->user && *cfg->user) {
		struct mf_str password =
		    cfg->password ? mf_str_of(mf_secret_bytes(cfg->password)) : MF_STR("");
		if (set(&found, MF_CREDENTIAL_PASSWORD, mf_str_c(cfg->user), password,
			cfg->given_source ? cfg->given_source : "", err) < 0)
			return -1;
	}
	bool by_path = false;
	for (const char *const *file = cfg ? cfg->files : NULL; !found.kind && file && *file; file++) {
		if (from_file(&found, *file, &at, env, err) < 0)
			return -1;
		by_path |= found.by_path;
	}
	found.by_path = by_path;
	*out = found;
	found = (struct mf_credential){.kind = MF_CREDENTIAL_NONE};
	return 0;
}
