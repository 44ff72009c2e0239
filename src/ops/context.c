/* The context of a program that uses the library: its options, the results, and the caller's callbacks. */
#include <assert.h>
#include <stdalign.h>
#include <stdio.h>

#include "ops/ops.h"

/* No option struct will ever be larger: a larger size was not set, but is garbage. */
#define MAX_OPTIONS 65536

const char *manifesto_version(void)
{
	return MF_VERSION;
}

int mf_op_fail(struct manifesto_error *out, const struct mf_err *err)
{
	const enum mf_code code = err->code;
	assert(code != MF_OK);
	*out = (struct manifesto_error){.status = mf_code_exit(code)};
	(void)snprintf(out->code, sizeof out->code, "%s", mf_code_name(code));
	(void)snprintf(out->message, sizeof out->message, "%s", err->msg);
	(void)snprintf(out->endpoint, sizeof out->endpoint, "%s", err->endpoint);
	(void)snprintf(out->hint, sizeof out->hint, "%s", err->hint);
	return -1;
}

void mf_op_restart_clock(struct manifesto *m)
{
	m->env.deadline_ms =
	    mf_monotonic_ms() + (m->opt.timeout_ms > 0 ? m->opt.timeout_ms : MF_TOTAL_TIMEOUT_MS);
}

void mf_op_exclude(struct manifesto *m, int64_t since_ms)
{
	if (m->env.deadline_ms)
		m->env.deadline_ms += mf_monotonic_ms() - since_ms;
}

void mf_op_begin(struct manifesto *m, struct manifesto_error *err)
{
	*err = (struct manifesto_error){0};
	mf_maps_clear(&m->maps);
	mf_op_restart_clock(m);
}

/* ---- options and results */

int mf_op_options(void *out, size_t out_size, const void *given, struct mf_err *err)
{
	const unsigned char *bytes = given;
	size_t size;
	memcpy(&size, given, sizeof size);
	if (size < sizeof size || size > MAX_OPTIONS)
		return mf_fail(err, MF_E_USAGE, 0, "options of size %zu: MANIFESTO_INIT sets the size", size);
	for (size_t i = out_size; i < size; i++)
		if (bytes[i])
			return mf_fail(err, MF_E_USAGE, 0,
				       "an option is set that version %s of the library does not know",
				       MF_VERSION);
	memset(out, 0, out_size);
	memcpy(out, given, size < out_size ? size : out_size);
	return 0;
}

struct result {
	struct mf_arena arena;
	alignas(max_align_t) unsigned char bytes[]; /* the caller's */
};

void *mf_result_new(size_t size, struct mf_err *err)
{
	struct result *r = calloc(1, sizeof *r + size);
	if (r)
		return r->bytes;
	(void)mf_fail_nomem(err);
	return NULL;
}

struct mf_arena *mf_result_arena(void *result)
{
	return &((struct result *)(void *)((char *)result - offsetof(struct result, bytes)))->arena;
}

void manifesto_result_free(const void *result)
{
	if (!result)
		return;
	struct mf_arena *a = mf_result_arena((void *)(uintptr_t)result);
	mf_arena_clear(a);
	free(a); /* the first member */
}

/* ---- the callbacks of the caller, as the environment that modules use */

static int64_t call_now(void *arg)
{
	struct manifesto *m = arg;
	return m->opt.now(m->opt.now_arg);
}

static void call_log(void *arg, enum mf_log_level level, const char *line)
{
	struct manifesto *m = arg;
	m->opt.log(m->opt.log_arg, (int)level, line);
}

static void call_progress(void *arg, enum mf_progress_kind kind, uint64_t done, uint64_t total)
{
	static const int kinds[] = {[MF_PROGRESS_UPLOAD] = MANIFESTO_PROGRESS_UPLOAD,
				    [MF_PROGRESS_DOWNLOAD] = MANIFESTO_PROGRESS_DOWNLOAD,
				    [MF_PROGRESS_IMAGES] = MANIFESTO_PROGRESS_IMAGES};
	struct manifesto *m = arg;
	m->opt.progress(m->opt.progress_arg, &(struct manifesto_progress){kinds[kind], done, total});
}

static bool call_cancelled(void *arg)
{
	struct manifesto *m = arg;
	return m->opt.cancelled(m->opt.cancel_arg) != 0;
}

static int call_passphrase(void *arg, const char *key_name, enum mf_passphrase_for purpose,
			   struct mf_secret *out, struct mf_err *err)
{
	struct manifesto *m = arg;
	struct mf_secret buf MF_SECRET_CLEANUP = MF_SECRET_INIT;
	char why[256] = "this program cannot ask for one";
	size_t n = 0;
	bool confirm = purpose == MF_PASSPHRASE_NEW_KEY;
	if (mf_secret_alloc(&buf, MF_MAX_PASSPHRASE, err) < 0)
		return -1;
	if (!m->opt.passphrase || m->opt.passphrase(m->opt.passphrase_arg, key_name, confirm, (char *)buf.p,
						    MF_MAX_PASSPHRASE, &n, why) != 0) {
		why[sizeof why - 1] = 0;
		(void)mf_fail(err, MF_E_KEY, 0, "no passphrase for key '%s': %s", key_name, why);
		if (confirm)
			mf_err_set_hint(err, "use --no-passphrase to store the new key unencrypted");
		return -1;
	}
	if (n == 0 || n > MF_MAX_PASSPHRASE)
		return mf_fail(err, MF_E_KEY, 0, "the passphrase for key '%s' is %s", key_name,
			       n ? "too long" : "empty");
	return mf_secret_copy(out, (struct mf_bytes){buf.p, n}, err);
}

static int call_key_text(void *arg, const char *source, struct mf_secret *out, struct mf_err *err)
{
	struct manifesto *m = arg;
	struct mf_secret buf MF_SECRET_CLEANUP = MF_SECRET_INIT;
	char why[256] = "";
	size_t n = 0;
	if (mf_secret_alloc(&buf, MF_MAX_KEYFILE_BYTES, err) < 0)
		return -1;
	if (m->opt.key_text(m->opt.key_text_arg, source, (char *)buf.p, buf.n, &n, why) != 0 || n > buf.n ||
	    !n) {
		why[sizeof why - 1] = 0;
		return mf_fail(err, MF_E_KEY, 0, "%s", *why ? why : "there is no key");
	}
	return mf_secret_copy(out, (struct mf_bytes){buf.p, n}, err);
}

static void set_env(struct manifesto *m)
{
	mf_env_init(&m->env);
	if (m->opt.now) {
		m->env.now = call_now;
		m->env.now_arg = m;
	}
	if (m->opt.log) {
		m->env.log = call_log;
		m->env.log_arg = m;
	}
	if (m->opt.progress) {
		m->env.progress = call_progress;
		m->env.progress_arg = m;
	}
	if (m->opt.cancelled) {
		m->env.cancelled = call_cancelled;
		m->env.cancel_arg = m;
	}
	m->env.level = m->opt.log_level > 0 ? (enum mf_log_level)m->opt.log_level : MF_LOG_WARNING;
}

/* ---- construction */

static int keep(struct manifesto *m, const char **s, struct mf_err *err)
{
	if (!*s)
		return 0;
	*s = mf_arena_dup(&m->strings, mf_str_c(*s), err);
	return *s ? 0 : -1;
}

/* Removes blanks and line breaks around the URL: in an environment variable they are invisible and not
 * intended. */
static int keep_url(struct manifesto *m, const char **url, struct mf_err *err)
{
	static const char blanks[] = " \t\r\n";
	if (!*url)
		return 0;
	struct mf_str s = mf_str_c(*url + strspn(*url, blanks));
	while (s.n && strchr(blanks, s.p[s.n - 1]))
		s.n--;
	*url = mf_arena_dup(&m->strings, s, err);
	return *url ? 0 : -1;
}

static int keep_secret(struct mf_secret *to, const char **s, struct mf_err *err)
{
	if (*s && **s && mf_secret_copy(to, mf_bytes_of(mf_str_c(*s)), err) < 0)
		return -1;
	*s = NULL;
	return 0;
}

static int keep_all(struct manifesto *m, struct mf_err *err)
{
	struct manifesto_options *o = &m->opt;
	const char **all[] = {&o->home,
			      &o->cache_dir,
			      &o->docker_config,
			      &o->store,
			      &o->cacert,
			      &o->client_cert,
			      &o->client_key,
			      &o->username,
			      &o->credential_source,
			      &o->trust_username,
			      &o->trust_credential_source,
			      &o->default_key_name,
			      &o->ssh_agent,
			      &o->bundle,
			      &o->aws_access_key_id,
			      &o->aws_region,
			      &o->aws_endpoint_url,
			      &o->aws_profile,
			      &o->aws_config_file,
			      &o->aws_shared_credentials_file,
			      &o->propose_hint};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (keep(m, all[i], err) < 0)
			return -1;
	if (keep_url(m, &o->trust_server, err) < 0)
		return -1;
	if (keep_secret(&m->password, &o->password, err) < 0 ||
	    keep_secret(&m->trust_password, &o->trust_password, err) < 0 ||
	    keep_secret(&m->aws_secret, &o->aws_secret_access_key, err) < 0)
		return -1;
	return keep_secret(&m->aws_token, &o->aws_session_token, err);
}

/* Lists the files with credentials: that of Docker first, then the others. */
static int keep_credential_files(struct manifesto *m, struct mf_err *err)
{
	size_t n = 0, kept = 0;
	while (m->opt.auth_files && m->opt.auth_files[n])
		n++;
	m->credential_files = mf_calloc(n + 2, sizeof *m->credential_files);
	if (!m->credential_files)
		return mf_fail_nomem(err);
	if (m->opt.docker_config) {
		char *path MF_FREE = mf_path_join(m->opt.docker_config, "config.json", NULL);
		m->credential_files[kept] = path ? mf_arena_dup(&m->strings, mf_str_c(path), err) : NULL;
		if (!m->credential_files[kept++])
			return path ? -1 : mf_fail_nomem(err);
	}
	for (size_t i = 0; i < n; i++) {
		m->credential_files[kept] = m->opt.auth_files[i];
		if (keep(m, &m->credential_files[kept++], err) < 0)
			return -1;
	}
	m->opt.auth_files = NULL;
	return 0;
}

static void set_aws(struct manifesto *m)
{
	const struct manifesto_options *o = &m->opt;
	m->aws = (struct mf_aws_config){.key_id = o->aws_access_key_id,
					.secret = m->aws_secret.p ? &m->aws_secret : NULL,
					.token = m->aws_token.p ? &m->aws_token : NULL,
					.region = o->aws_region,
					.endpoint = o->aws_endpoint_url,
					.profile = o->aws_profile,
					.config_file = o->aws_config_file,
					.credentials_file = o->aws_shared_credentials_file};
	m->trust.aws = &m->aws;
}

static void write_cache(void *cache)
{
	mf_cache_flush(cache);
}

static int set_up(struct manifesto *m, const struct manifesto_options *opt, struct mf_err *err)
{
	if (mf_op_options(&m->opt, sizeof m->opt, opt, err) < 0)
		return -1;
	if (!m->opt.home || m->opt.home[0] != '/' || !m->opt.cache_dir || m->opt.cache_dir[0] != '/')
		return mf_fail(err, MF_E_USAGE, 0, "home and cache_dir must be absolute paths");
	if (m->opt.cache_limit && m->opt.cache_limit < MF_MIN_CACHE_LIMIT)
		return mf_fail(err, MF_E_USAGE, 0, "cache_limit is %llu, less than 1 MiB",
			       (unsigned long long)m->opt.cache_limit);
	if (m->opt.at < 0 || m->opt.bundle_max_age < 0 ||
	    (!m->opt.bundle && (m->opt.at || m->opt.bundle_max_age)))
		return mf_fail(err, MF_E_USAGE, 0,
			       "at and bundle_max_age are for a bundle, and not negative");
	if (keep_all(m, err) < 0 || keep_credential_files(m, err) < 0)
		return -1;
	if (!m->opt.default_key_name)
		m->opt.default_key_name = "manifesto";
	if (mf_op_check_key_name(m->opt.default_key_name, err) < 0)
		return -1;
	set_env(m);
	m->passphrase = (struct mf_passphrase){call_passphrase, m, m->opt.no_passphrase != 0};
	m->stored_credentials = (struct mf_credential_config){.files = m->credential_files};
	m->credentials = m->trust_credentials = m->stored_credentials;
	m->credentials.user = m->opt.username;
	m->credentials.password = m->password.p ? &m->password : NULL;
	m->credentials.given_source = m->opt.credential_source;
	m->credentials.option = "-u";
	m->trust_credentials.user = m->opt.trust_username;
	m->trust_credentials.password = m->trust_password.p ? &m->trust_password : NULL;
	m->trust_credentials.given_source = m->opt.trust_credential_source;
	m->trust_credentials.option = "--trust-user";
	char *dir MF_FREE = mf_path_join(m->opt.home, "keys", NULL);
	if (!dir)
		return mf_fail_nomem(err);
	m->keys = mf_keystore_new(dir, &m->passphrase, &m->env, err);
	if (!m->keys)
		return -1;
	const struct mf_key_access access = {m->opt.ssh_agent, m->opt.key_text ? call_key_text : NULL, m};
	mf_keystore_set_access(m->keys, &access);
	m->env.hides = mf_keystore_hides;
	m->env.hides_arg = m->keys;
	m->trust = (struct mf_trust_config){.home = m->opt.home,
					    .cache = &m->cache,
					    .tofu = m->opt.tofu != 0,
					    .ci = m->opt.ci != 0,
					    .env = &m->env,
					    .keys = m->keys,
					    .names = &m->names,
					    .at = m->opt.at,
					    .max_age_s = m->opt.bundle_max_age,
					    .key_name = m->opt.default_key_name,
					    .propose_hint = m->opt.propose_hint};
	m->cache = (struct mf_cache){.dir = m->opt.cache_dir,
				     .limit = m->opt.cache_limit ? m->opt.cache_limit : MF_CACHE_LIMIT,
				     .env = &m->env};
	m->env.idle = write_cache;
	m->env.idle_arg = &m->cache;
	set_aws(m);
	return 0;
}

int manifesto_new(const struct manifesto_options *opt, struct manifesto **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto *m = calloc(1, sizeof *m);
	*error = (struct manifesto_error){0};
	if (!m) {
		(void)mf_fail_nomem(&err);
		return mf_op_fail(error, &err);
	}
	m->before = *mf_counts();
	if (set_up(m, opt, &err) < 0) {
		manifesto_free(m);
		return mf_op_fail(error, &err);
	}
	*out = m;
	return 0;
}

void manifesto_free(struct manifesto *m)
{
	if (!m)
		return;
	mf_cache_account(&m->cache);
	mf_http_free(m->http);
	mf_bundle_free(m->bundle);
	for (size_t i = 0; i < m->nendpoint; i++) {
		mf_auth_free(m->endpoint[i].auth);
		free(m->endpoint[i].host);
	}
	mf_names_clear(&m->names);
	mf_maps_clear(&m->maps);
	free(m->endpoint);
	free(m->given_host);
	free(m->credential_files);
	mf_keystore_free(m->keys);
	mf_secret_clear(&m->password);
	mf_secret_clear(&m->trust_password);
	mf_secret_clear(&m->aws_secret);
	mf_secret_clear(&m->aws_token);
	mf_arena_clear(&m->strings);
	free(m);
}

void manifesto_stats(const struct manifesto *m, struct manifesto_stats *out)
{
	struct mf_http_stats s = {0};
	if (m->http)
		mf_http_stats(m->http, &s);
	const struct mf_counts *now = mf_counts();
	struct manifesto_stats all = {.size = out->size,
				      .requests = s.requests,
				      .bytes_in = s.bytes_in,
				      .bytes_out = s.bytes_out,
				      .bytes_hashed = now->hashed - m->before.hashed,
				      .bytes_read = now->read - m->before.read,
				      .bytes_written = now->written - m->before.written};
	memcpy(out, &all, out->size < sizeof all ? out->size : sizeof all);
}
