/* Where a host's user name and password come from. */
#include "base/encode.h"
#include "net/internal.h"
#include "store/file.h"

static inline void entry_cleanup(struct mf_docker_entry *e)
{
	mf_docker_entry_clear(e);
}
#define ENTRY_CLEANUP MF_CLEANUP(entry_cleanup)

void mf_credential_clear(struct mf_credential *c)
{
	free(c->user);
	mf_secret_clear(&c->password);
	*c = (struct mf_credential){0};
}

static int set(struct mf_credential *out, struct mf_str user, struct mf_bytes password, const char *source,
	       struct mf_err *err)
{
	struct mf_credential c MF_CREDENTIAL_CLEANUP = {0};
	c.user = mf_str_dup(user);
	if (!c.user)
		return mf_fail_nomem(err);
	if (password.n && mf_secret_copy(&c.password, password, err))
		return -1;
	(void)snprintf(c.source, sizeof c.source, "%s", source);
	*out = c;
	c = (struct mf_credential){0};
	return 0;
}

/* RFC 7617 section 2: the first colon ends the user name, which no control character may be in. */
static int set_basic(struct mf_credential *out, const struct mf_buf *auth, const char *file,
		     struct mf_err *err)
{
	struct mf_buf pair MF_NET_WIPED = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	if (mf_buf_reserve(&pair, auth->n, err) || mf_b64_decode(&pair, mf_buf_str(auth), err))
		return -1;
	char *colon = pair.n ? memchr(pair.p, ':', pair.n) : NULL;
	while (pair.n && !pair.p[pair.n - 1]) /* old versions of Docker padded with NUL */
		pair.n--;
	if (!colon || colon == pair.p || memchr(pair.p, 0, pair.n) || memchr(pair.p, '\n', pair.n))
		return mf_fail(err, MF_E_FORMAT, 0, "'auth' is not base64 of 'user:password'");
	struct mf_str user = {pair.p, (size_t)(colon - pair.p)};
	struct mf_bytes password = {(uint8_t *)colon + 1, pair.n - user.n - 1};
	return set(out, user, password, file, err);
}

static int from_entry(struct mf_credential *out, const struct mf_docker_entry *e, const char *file,
		      struct mf_err *err)
{
	if (e->identity.n)
		return set(out, MF_STR("<token>"), mf_buf_bytes(&e->identity), file, err);
	return e->auth.n ? set_basic(out, &e->auth, file, err) : 0;
}

/* Absent is empty; the file is the user's, so whatever is wrong with it is named. */
static int scan_file(struct mf_docker_entry *out, const char *file, const char *host, struct mf_err *err)
{
	struct mf_buf text MF_NET_WIPED = MF_BUF_INIT(MF_MAX_CONFIG_BYTES + 1);
	if (mf_file_read(file, MF_MAX_CONFIG_BYTES, &text, err)) {
		if (err->code != MF_E_NOT_FOUND)
			return -1;
		mf_err_clear(err);
		return 0;
	}
	return mf_docker_config_scan(out, mf_buf_bytes(&text), host, err);
}

static int bad_file(struct mf_err *err, const char *file)
{
	struct mf_esc esc;
	if (err->code == MF_E_NOMEM || err->code == MF_E_CANCELLED)
		return -1;
	(void)mf_recode(err, MF_E_AUTH);
	return mf_wrap(err, "Docker configuration '%s'", mf_esc(&esc, mf_str_c(file)));
}

static int from_docker(struct mf_credential *out, const struct mf_credential_config *cfg, const char *host,
		       const struct mf_env *env, struct mf_err *err)
{
	struct mf_docker_entry e ENTRY_CLEANUP = MF_DOCKER_ENTRY_INIT;
	char *file MF_FREE = mf_path_join(cfg->docker_config_dir, "config.json", NULL);
	if (!file)
		return mf_fail_nomem(err);
	if (scan_file(&e, file, host, err))
		return bad_file(err, file);
	if (e.helper[0] && !cfg->no_helpers && mf_helper_get(out, e.helper, file, host, env, err))
		return -1;
	if (!out->user && e.store[0] && !cfg->no_helpers && mf_helper_get(out, e.store, file, host, env, err))
		return -1;
	if (!out->user && from_entry(out, &e, file, err))
		return bad_file(err, file);
	return 0;
}

int mf_credential_find(struct mf_credential *out, const struct mf_credential_config *cfg, const char *host,
		       const struct mf_env *env, struct mf_err *err)
{
	struct mf_credential found MF_CREDENTIAL_CLEANUP = {0};
	struct mf_bytes password =
	    cfg && cfg->password ? mf_secret_bytes(cfg->password) : (struct mf_bytes){NULL, 0};
	if (cfg && cfg->user && *cfg->user) {
		if (set(&found, mf_str_c(cfg->user), password, cfg->given_source ? cfg->given_source : "",
			err))
			return -1;
	} else if (cfg && cfg->docker_config_dir && from_docker(&found, cfg, host, env, err)) {
		return -1;
	}
	*out = found;
	found = (struct mf_credential){0};
	return 0;
}
