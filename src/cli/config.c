#include "cli/config.h"
#include "cli/command.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/str.h"
#include "cli/output.h"
#include "cli/signals.h"

/* An empty variable counts as not set, as in the XDG specification. */
static const char *env(const char *name)
{
	const char *v = getenv(name);
	return v && *v ? v : NULL;
}

static const char *home_dir(void)
{
	const char *home = env("HOME");
	if (home)
		return home;
	const struct passwd *pw = getpwuid(geteuid());
	return pw && pw->pw_dir && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

static char *absolute(const char *path)
{
	char *out = NULL;
	if (path[0] == '/')
		return strdup(path);
	char *cwd = getcwd(NULL, 0);
	if (cwd && asprintf(&out, "%s/%s", cwd, path) < 0)
		out = NULL;
	free(cwd);
	return out;
}

/* An XDG directory or its default below the home directory, with "/manifesto". NULL when neither is known, or
 * out of memory. */
static char *xdg_dir(const char *variable, const char *below_home)
{
	const char *base = env(variable), *home = home_dir();
	char *path = NULL;
	/* "All paths must be absolute ... ignore it": XDG base directory specification */
	bool given = base && base[0] == '/';
	if (!given && !home)
		return NULL;
	int n = given ? asprintf(&path, "%s/manifesto", base)
		      : asprintf(&path, "%s/%s/manifesto", home, below_home);
	char *full = n < 0 ? NULL : absolute(path); /* HOME itself may be relative */
	free(path);
	return full;
}

static int load_directories(struct mf_cli_config *c, struct manifesto_error *err)
{
	const char *home = env("MANIFESTO_HOME"), *docker = env("DOCKER_CONFIG"), *user_home = home_dir();
	c->home = home ? absolute(home) : xdg_dir("XDG_DATA_HOME", ".local/share");
	if (!c->home) {
		(void)mf_cli_usage(err, "no home directory is known for keys and pins");
		mf_err_set_hint(err, "set MANIFESTO_HOME to an absolute path");
		return -1;
	}
	c->cache_dir = xdg_dir("XDG_CACHE_HOME", ".cache");
	if (!c->cache_dir && asprintf(&c->cache_dir, "%s/cache", c->home) < 0) {
		c->cache_dir = NULL;
		return mf_cli_nomem(err);
	}
	if (docker)
		c->docker_config = absolute(docker);
	else if (user_home && asprintf(&c->docker_config, "%s/.docker", user_home) < 0)
		c->docker_config = NULL;
	return 0;
}

/* ---------------------------------------------------------------- who we are */

/* Makes a key name of a login name. Key names are [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 octets; login names
 * may have other characters ("DOMAIN\\user", "user@host"). */
static void reduce_name(char *name)
{
	char *to = name;
	for (const char *p = name; *p && to - name < 64; p++) {
		bool alnum = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
		if (alnum || (to > name && strchr("._-", *p)))
			*to++ = *p;
	}
	*to = 0;
}

static int load_key_name(struct mf_cli_config *c, const struct mf_cli_args *args, struct manifesto_error *err)
{
	/* In a command that takes --key several times, it does not name the key that signs. */
	size_t used;
	const struct mf_cli_command *command = mf_cli_command_lookup(args->words, args->nwords, &used);
	bool names_signer = command && !(command->repeats & MF_OPT_BIT(MF_OPT_KEY));
	const char *chosen =
	    names_signer && args->value[MF_OPT_KEY] ? args->value[MF_OPT_KEY] : env("MANIFESTO_KEY");
	const struct passwd *pw = chosen ? NULL : getpwuid(geteuid());
	const char *login = pw ? pw->pw_name : env("LOGNAME");
	c->key_name = strdup(chosen ? chosen : login ? login : "default");
	if (!c->key_name)
		return mf_cli_nomem(err);
	if (chosen) /* chosen by the user: the library checks it, and it is not changed silently */
		return 0;
	reduce_name(c->key_name);
	if (c->key_name[0])
		return 0;
	free(c->key_name);
	c->key_name = strdup("default");
	return c->key_name ? 0 : mf_cli_nomem(err);
}

/* A password is for one server only: the registry and the trust server have options and variables of their
 * own. */
struct login_source {
	enum mf_cli_opt user, password_stdin;
	const char *option, *stdin_option, *user_variable, *password_variable;
};
static const struct login_source registry_login = {
    MF_OPT_USERNAME,    MF_OPT_PASSWORD_STDIN, "-u",
    "--password-stdin", "REGISTRY_USERNAME",   "REGISTRY_PASSWORD"};
static const struct login_source trust_login = {
    MF_OPT_TRUST_USER,        MF_OPT_TRUST_PASSWORD_STDIN, "--trust-user",
    "--trust-password-stdin", "MANIFESTO_TRUST_USERNAME",  "MANIFESTO_TRUST_PASSWORD"};

/* Takes the password of USER:PASSWORD, and wipes it from the arguments: the process list has shown it, but
 * shows it no longer. */
static int take_password(struct mf_cli_login *l, const struct login_source *from, char *colon,
			 struct manifesto_error *err)
{
	size_t n = strlen(colon + 1);
	if (n >= sizeof l->password)
		return mf_cli_usage(err, "the password given with '%s' is longer than %zu bytes",
				    from->option, sizeof l->password - 1);
	memcpy(l->password, colon + 1, n + 1);
	explicit_bzero(colon, n + 1);
	mf_cli_warning("a password given with '%s' shows in the process list; use %s or %s", from->option,
		       from->password_variable, from->stdin_option);
	return 0;
}

static int load_password(struct mf_cli_login *l, const struct login_source *from,
			 struct mf_cli_prompt *prompt, struct manifesto_error *err)
{
	const char *from_env = env(from->password_variable);
	struct mf_cli_password_source ask = {l->username, from->password_stdin, from->stdin_option,
					     from->password_variable};
	if (mf_cli_args_has(prompt->args, from->password_stdin) || !from_env)
		return mf_cli_prompt_password(prompt, &ask, l->password, sizeof l->password, err);
	if (strlen(from_env) >= sizeof l->password)
		return mf_cli_usage(err, "%s is longer than %zu bytes", from->password_variable,
				    sizeof l->password - 1);
	memcpy(l->password, from_env, strlen(from_env) + 1);
	return 0;
}

/* *source: the option or variable that gave the user name; it stays NULL if none did. */
static int load_login(struct mf_cli_login *l, const struct login_source *from, struct mf_cli_prompt *prompt,
		      const char **source, struct manifesto_error *err)
{
	char *typed = prompt->args->value[from->user], *colon = typed ? strchr(typed, ':') : NULL;
	const char *user = typed ? typed : env(from->user_variable);
	bool from_stdin = mf_cli_args_has(prompt->args, from->password_stdin);
	if (!user && from_stdin)
		return mf_cli_usage(err, "%s needs '%s USER' or %s", from->stdin_option, from->option,
				    from->user_variable);
	if (!user)
		return 0;
	if (colon && from_stdin)
		return mf_cli_usage(err, "the password is given twice: with '%s' and with '%s'", from->option,
				    from->stdin_option);
	l->username = mf_str_dup((struct mf_str){user, colon ? (size_t)(colon - user) : strlen(user)});
	if (!l->username)
		return mf_cli_nomem(err);
	if (!l->username[0])
		return mf_cli_usage(err, "the user name given with '%s' is empty", from->option);
	*source = typed ? from->option : from->user_variable;
	return colon ? take_password(l, from, colon, err) : load_password(l, from, prompt, err);
}

static int load_credentials(struct mf_cli_config *c, struct mf_cli_prompt *prompt,
			    struct manifesto_error *err)
{
	struct manifesto_options *o = &c->options;
	if (load_login(&c->registry, &registry_login, prompt, &o->credential_source, err) < 0 ||
	    load_login(&c->trust, &trust_login, prompt, &o->trust_credential_source, err) < 0)
		return -1;
	o->username = c->registry.username;
	o->password = c->registry.password;
	o->trust_username = c->trust.username;
	o->trust_password = c->trust.password;
	return 0;
}

/* The files with logins: Docker's, and podman's as in containers-auth.json(5). REGISTRY_AUTH_FILE replaces
 * all of them. */
static int load_auth_files(struct mf_cli_config *c, struct manifesto_error *err)
{
	const char *only = env("REGISTRY_AUTH_FILE"), *runtime = env("XDG_RUNTIME_DIR"),
		   *config = env("XDG_CONFIG_HOME"), *home = home_dir();
	size_t n = 0;
	if (only) {
		free(c->docker_config);
		c->docker_config = NULL;
		c->auth_file[n++] = absolute(only);
	} else {
		if (runtime && runtime[0] == '/' &&
		    asprintf(&c->auth_file[n++], "%s/containers/auth.json", runtime) < 0)
			c->auth_file[n - 1] = NULL;
		bool own = config && config[0] == '/';
		if ((own || home) && asprintf(&c->auth_file[n++], "%s%s/containers/auth.json",
					      own ? config : home, own ? "" : "/.config") < 0)
			c->auth_file[n - 1] = NULL;
	}
	for (size_t i = 0; i < n; i++) {
		c->auth_files[i] = c->auth_file[i];
		if (!c->auth_file[i])
			return mf_cli_nomem(err);
	}
	c->options.auth_files = c->auth_files;
	return 0;
}

/* The variables of the AWS tools, and their files. The endpoint of S3 takes precedence over the general one.
 */
static int load_aws(struct mf_cli_config *c, struct manifesto_error *err)
{
	static const char *const variables[] = {"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"};
	static const char *const names[] = {"config", "credentials"};
	struct manifesto_options *o = &c->options;
	const char *home = home_dir(), *region = env("AWS_REGION"), *endpoint = env("AWS_ENDPOINT_URL_S3");
	o->aws_access_key_id = env("AWS_ACCESS_KEY_ID");
	o->aws_secret_access_key = env("AWS_SECRET_ACCESS_KEY");
	o->aws_session_token = env("AWS_SESSION_TOKEN");
	o->aws_region = region ? region : env("AWS_DEFAULT_REGION");
	o->aws_endpoint_url = endpoint ? endpoint : env("AWS_ENDPOINT_URL");
	o->aws_profile = env("AWS_PROFILE");
	for (size_t i = 0; i < 2; i++) {
		const char *given = env(variables[i]);
		if (given)
			c->aws_file[i] = absolute(given);
		else if (home && asprintf(&c->aws_file[i], "%s/.aws/%s", home, names[i]) < 0)
			c->aws_file[i] = NULL;
		if (!c->aws_file[i] && (given || home))
			return mf_cli_nomem(err);
	}
	o->aws_config_file = c->aws_file[0];
	o->aws_shared_credentials_file = c->aws_file[1];
	return 0;
}

/* ---------------------------------------------------------------- all together */

static void log_line(void *arg, int level, const char *line)
{
	mf_cli_progress_clear(arg);
	if (level == MANIFESTO_LOG_WARNING)
		mf_cli_warning("%s", line);
	else
		mf_cli_message("%s", line);
}

/* MANIFESTO_CACHE_SIZE: a number of octets, or with K, M or G of KiB, MiB or GiB, such as "256M". */
static int load_cache_size(struct manifesto_options *o, struct manifesto_error *err)
{
	static const char units[] = "KMG";
	const char *text = env("MANIFESTO_CACHE_SIZE");
	struct mf_esc shown;
	if (!text)
		return 0;
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	uint64_t n = digits && digits < 16 ? strtoull(text, NULL, 10) : 0, factor = 1;
	if (unit)
		factor <<= 10 * (unit - units + 1);
	bool whole = !text[digits] || (unit && !text[digits + 1]);
	if (whole && !__builtin_mul_overflow(n, factor, &n) && n >= MF_MIN_CACHE_LIMIT) {
		o->cache_limit = n;
		return 0;
	}
	return mf_cli_usage(err, "MANIFESTO_CACHE_SIZE '%s' is not a size of at least 1M, such as 512M or 2G",
			    mf_esc(&shown, mf_str_c(text)));
}

static int load_numbers(struct manifesto_options *o, const struct mf_cli_args *args,
			struct manifesto_error *err)
{
	int64_t seconds = 0;
	if (mf_cli_args_duration(args, MF_OPT_TIMEOUT, &seconds, err) < 0)
		return -1;
	o->timeout_ms = seconds * 1000;
	unsigned verbose = args->times[MF_OPT_VERBOSE];
	o->log_level = verbose > 1 ? MANIFESTO_LOG_DEBUG
		       : verbose   ? MANIFESTO_LOG_INFO
				   : MANIFESTO_LOG_WARNING;
	return 0;
}

/* Reported also with --quiet: the results are not those of the present time. */
static int load_time(struct manifesto_options *o, const char *text, struct manifesto_error *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_esc shown;
	char time[MF_TIME_LEN];
	if (mf_time_parse_written(mf_str_c(text), &o->at, &ignored) < 0 || o->at <= 0)
		return mf_cli_usage(err, "--at '%s' is not a time such as 2029-01-01T12:00:00Z",
				    mf_esc(&shown, mf_str_c(text)));
	mf_time_format(time, o->at);
	mf_cli_warning("everything is verified as of %s, not now", time);
	return 0;
}

static int load_bundle(struct manifesto_options *o, const struct mf_cli_args *args,
		       struct manifesto_error *err)
{
	size_t used;
	const struct mf_cli_command *c = mf_cli_command_lookup(args->words, args->nwords, &used);
	o->bundle = args->value[MF_OPT_BUNDLE];
	/* In commands with --require, --max-age limits the age of records, also without a bundle. */
	if (!o->bundle && c && !mf_cli_command_takes(c, MF_OPT_REQUIRE) &&
	    mf_cli_args_has(args, MF_OPT_MAX_AGE))
		return mf_cli_usage(err, "option '--max-age' needs '--bundle' here");
	if (!o->bundle)
		return 0;
	if (args->value[MF_OPT_AT] && load_time(o, args->value[MF_OPT_AT], err) < 0)
		return -1;
	return mf_cli_args_duration(args, MF_OPT_MAX_AGE, &o->bundle_max_age, err);
}

static const char *trust_server(const struct mf_cli_args *args)
{
	if (args->value[MF_OPT_TRUST_SERVER])
		return args->value[MF_OPT_TRUST_SERVER];
	const char *ours = env("MANIFESTO_TRUST_SERVER");
	return ours ? ours : env("DOCKER_CONTENT_TRUST_SERVER");
}

static void fill_options(struct mf_cli_config *c, const struct mf_cli_args *args,
			 struct mf_cli_prompt *prompt)
{
	struct manifesto_options *o = &c->options;
	o->home = c->home;
	o->cache_dir = c->cache_dir;
	o->docker_config = c->docker_config;
	o->trust_server = trust_server(args);
	o->trust_server_for_layouts = args->value[MF_OPT_TRUST_SERVER] != NULL;
	o->store = args->value[MF_OPT_STORE];
	o->cacert = args->value[MF_OPT_CACERT] ? args->value[MF_OPT_CACERT] : env("SSL_CERT_FILE");
	o->client_cert = args->value[MF_OPT_CLIENT_CERT];
	o->client_key = args->value[MF_OPT_CLIENT_KEY];
	o->plain_http = mf_cli_args_has(args, MF_OPT_PLAIN_HTTP);
	o->tofu = mf_cli_args_has(args, MF_OPT_TOFU);
	o->ci = prompt->ci;
	o->no_passphrase = mf_cli_args_has(args, MF_OPT_NO_PASSPHRASE);
	mf_cli_progress_init(&c->progress,
			     !mf_cli_args_has(args, MF_OPT_QUIET) && !mf_cli_args_has(args, MF_OPT_JSON));
	o->log = log_line;
	o->log_arg = &c->progress;
	o->progress = mf_cli_progress_report;
	o->progress_arg = &c->progress;
	o->cancelled = mf_cli_signals_pending;
	o->passphrase = mf_cli_prompt_passphrase;
	o->passphrase_arg = prompt;
	o->ssh_agent = env("SSH_AUTH_SOCK");
	o->key_text = mf_cli_prompt_key_text;
	o->confirm_init = mf_cli_prompt_confirm_init;
	o->confirm_init_arg = prompt;
	o->default_key_name = c->key_name;
}

int mf_cli_config_load(struct mf_cli_config *out, const struct mf_cli_args *args,
		       struct mf_cli_prompt *prompt, bool credentials, struct manifesto_error *err)
{
	*out = (struct mf_cli_config){.options = MANIFESTO_INIT(manifesto_options)};
	if (load_numbers(&out->options, args, err) < 0 || load_bundle(&out->options, args, err) < 0 ||
	    load_directories(out, err) < 0 || load_cache_size(&out->options, err) < 0 ||
	    load_key_name(out, args, err) < 0 || load_auth_files(out, err) < 0 || load_aws(out, err) < 0)
		return -1;
	fill_options(out, args, prompt);
	return credentials ? load_credentials(out, prompt, err) : 0;
}

void mf_cli_config_clear(struct mf_cli_config *c)
{
	free(c->home);
	free(c->cache_dir);
	free(c->docker_config);
	free(c->registry.username);
	free(c->trust.username);
	free(c->auth_file[0]);
	free(c->auth_file[1]);
	free(c->aws_file[0]);
	free(c->aws_file[1]);
	free(c->key_name);
	explicit_bzero(c, sizeof *c);
}
