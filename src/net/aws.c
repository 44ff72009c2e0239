/* Credentials for an object store, from the keys of the configuration, a profile of the AWS tools, or the
 * profile's credential_process. */
#include "net/aws.h"

#include <stdio.h>

#include "base/child.h"
#include "base/encode.h"
#include "net/internal.h"
#include "store/file.h"

#define MAX_ARGUMENTS 64
#define MAX_VALUE 8192

void mf_aws_clear(struct mf_aws *a)
{
	free(a->key_id);
	free(a->region);
	free(a->endpoint);
	mf_secret_clear(&a->secret);
	mf_secret_clear(&a->token);
	*a = (struct mf_aws){.key_id = NULL};
}

/* ---- profiles */

void mf_aws_profile_init(struct mf_aws_profile *p)
{
	*p = (struct mf_aws_profile){.found = false};
	for (size_t i = 0; i < MF_AWS_KEYS; i++)
		mf_buf_init(&p->v[i], MAX_VALUE);
}

void mf_aws_profile_clear(struct mf_aws_profile *p)
{
	for (size_t i = 0; i < MF_AWS_KEYS; i++)
		mf_net_buf_wipe(&p->v[i]);
}

static struct mf_str trim(struct mf_str s)
{
	while (s.n && strchr(" \t\r", s.p[0]))
		s = (struct mf_str){s.p + 1, s.n - 1};
	while (s.n && strchr(" \t\r", s.p[s.n - 1]))
		s.n--;
	return s;
}

/* The settings that are read. Nested settings are indented below their parent ("s3 ="), which `above`
 * names. */
static const struct setting {
	const char *above, *name;
	enum mf_aws_key key;
} settings[] = {
    {"", "aws_access_key_id", MF_AWS_KEY_ID},      {"", "aws_secret_access_key", MF_AWS_SECRET},
    {"", "aws_session_token", MF_AWS_TOKEN},       {"", "region", MF_AWS_REGION},
    {"", "endpoint_url", MF_AWS_ENDPOINT},         {"", "credential_process", MF_AWS_PROCESS},
    {"s3", "addressing_style", MF_AWS_ADDRESSING},
};

static int set_value(struct mf_aws_profile *out, enum mf_aws_key key, struct mf_str value, struct mf_err *err)
{
	struct mf_buf *to = &out->v[key];
	if (to->n || !value.n)
		return 0;
	if (mf_buf_reserve(to, value.n, err) < 0)
		return -1;
	return mf_buf_add_str(to, value, err);
}

static int take_setting(struct mf_aws_profile *out, struct mf_str above, struct mf_str line,
			struct mf_err *err)
{
	const char *equals = line.n ? memchr(line.p, '=', line.n) : NULL;
	if (!equals)
		return 0;
	struct mf_str name = trim((struct mf_str){line.p, (size_t)(equals - line.p)});
	struct mf_str value = trim((struct mf_str){equals + 1, line.n - (size_t)(equals + 1 - line.p)});
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (mf_str_eqz(above, settings[i].above) && mf_str_eqz(name, settings[i].name))
			return set_value(out, settings[i].key, value, err);
	return 0;
}

int mf_aws_profile_scan(struct mf_aws_profile *out, struct mf_str text, struct mf_str section,
			struct mf_err *err)
{
	struct mf_str above = MF_STR("");
	bool inside = false;
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		struct mf_str raw = {text.p, end ? (size_t)(end - text.p) : text.n}, line = trim(raw);
		text = (struct mf_str){raw.p + raw.n, text.n - raw.n};
		if (end)
			text = (struct mf_str){text.p + 1, text.n - 1};
		if (memchr(raw.p, 0, raw.n))
			return mf_fail(err, MF_E_FORMAT, 0, "a NUL byte");
		if (!line.n || line.p[0] == '#' || line.p[0] == ';')
			continue;
		bool indented = raw.p[0] == ' ' || raw.p[0] == '\t';
		if (line.p[0] == '[' && !indented) {
			struct mf_str name = {line.p + 1, line.n - 1};
			inside = name.n && name.p[name.n - 1] == ']' &&
				 mf_str_eq(trim((struct mf_str){name.p, name.n - 1}), section);
			out->found |= inside;
			above = MF_STR("");
			continue;
		}
		if (!indented)
			above = trim((struct mf_str){line.p, strcspn(line.p, "=\n")});
		if (inside && take_setting(out, indented ? above : MF_STR(""), line, err) < 0)
			return -1;
	}
	return 0;
}

/* A file that does not exist adds nothing and is not an error. */
static int scan_file(struct mf_aws_profile *out, const char *file, struct mf_str section, struct mf_err *err)
{
	struct mf_buf text MF_NET_WIPED = MF_BUF_INIT(MF_MAX_CONFIG_BYTES + 1);
	struct mf_esc esc;
	if (!file)
		return 0;
	if (mf_file_read(file, MF_MAX_CONFIG_BYTES, &text, err) < 0) {
		if (err->code != MF_E_NOT_FOUND)
			return -1;
		mf_err_clear(err);
		return 0;
	}
	if (mf_aws_profile_scan(out, mf_str_skip_bom(mf_buf_str(&text)), section, err) == 0)
		return 0;
	if (err->code == MF_E_FORMAT)
		(void)mf_recode(err, MF_E_USAGE);
	return mf_wrap(err, "'%s'", mf_esc(&esc, mf_str_c(file)));
}

static int read_profile(struct mf_aws_profile *out, const struct mf_aws_config *cfg, struct mf_err *err)
{
	const char *name = cfg->profile ? cfg->profile : "default";
	bool is_default = strcmp(name, "default") == 0;
	struct mf_buf section MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	struct mf_esc esc;
	if (mf_buf_printf(&section, err, "%s%s", is_default ? "" : "profile ", name) < 0)
		return err->code == MF_E_FORMAT ? mf_recode(err, MF_E_USAGE) : -1;
	if (scan_file(out, cfg->credentials_file, mf_str_c(name), err) < 0 ||
	    scan_file(out, cfg->config_file, mf_buf_str(&section), err) < 0)
		return -1;
	if (out->found || !cfg->profile || is_default)
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "there is no AWS profile '%s'", mf_esc(&esc, mf_str_c(name)));
	mf_err_set_hint(err,
			"AWS_PROFILE names it; 'aws configure list-profiles' shows those that there are");
	return -1;
}

/* ---- credential_process */

int mf_aws_split_command(char *line, const char **argv, size_t max, struct mf_err *err)
{
	char *from = line, *to = line;
	size_t n = 0;
	while (*(from += strspn(from, " \t"))) {
		bool quoted = false;
		if (n + 1 >= max)
			return mf_fail(err, MF_E_USAGE, 0, "more than %zu arguments", max - 1);
		argv[n++] = to;
		for (; *from && (quoted || (*from != ' ' && *from != '\t')); from++) {
			if (*from == '"')
				quoted = !quoted;
			else
				*to++ = *from;
		}
		if (quoted)
			return mf_fail(err, MF_E_USAGE, 0, "a quotation mark has no partner");
		from += *from != 0;
		*to++ = 0;
	}
	argv[n] = NULL;
	return n ? 0 : mf_fail(err, MF_E_USAGE, 0, "it names no program");
}

static int read_expiration(struct mf_json_reader *r, int64_t *expires, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(128);
	if (mf_net_read_text(r, &text, err) < 0)
		return -1;
	return text.n ? mf_time_parse_written(mf_buf_str(&text), expires, err) : 0;
}

int mf_aws_process_parse(struct mf_aws_profile *out, struct mf_bytes text, int64_t *expires,
			 struct mf_err *err)
{
	static const char *const names[] = {"AccessKeyId", "SecretAccessKey", "SessionToken"};
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	struct mf_err why = MF_ERR_INIT;
	*expires = 0;
	mf_json_reader_init(&r, text);
	int more = mf_json_object(&r, &why);
	while (more >= 0 && (more = mf_json_object_next(&r, &name, &why)) > 0) {
		size_t i = 0;
		while (i < 3 && !mf_json_string_eq(name, names[i]))
			i++;
		if (i < 3)
			more = mf_net_read_text(&r, &out->v[i], &why);
		else if (mf_json_string_eq(name, "Expiration"))
			more = read_expiration(&r, expires, &why);
		else
			more = mf_json_skip(&r, NULL, &why);
	}
	if (more == 0 && mf_json_end(&r, &why) == 0 && out->v[MF_AWS_KEY_ID].n && out->v[MF_AWS_SECRET].n)
		return 0;
	if (why.code == MF_E_NOMEM)
		return mf_fail_nomem(err);
	return mf_fail(err, MF_E_AUTH, 0,
		       "expected JSON with AccessKeyId and SecretAccessKey, got something else");
}

/* Variables that the credential_process does not get. It runs only when no keys are configured, so it needs
 * nothing from these. */
static const char *const hidden[] = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", NULL};

static int run_process(struct mf_aws_profile *p, int64_t *expires, const struct mf_env *env,
		       struct mf_err *err)
{
	struct mf_buf text MF_NET_WIPED = MF_BUF_INIT(MF_MAX_HELPER_BYTES);
	const char *argv[MAX_ARGUMENTS + 1];
	char *line MF_FREE = mf_str_dup(mf_buf_str(&p->v[MF_AWS_PROCESS]));
	struct mf_child child = {
	    .argv = argv, .hidden = hidden, .timeout_ms = MF_HELPER_TIMEOUT_MS, .env = env};
	struct mf_esc esc;
	if (!line)
		return mf_fail_nomem(err);
	if (mf_aws_split_command(line, argv, MAX_ARGUMENTS + 1, err) < 0)
		return -1;
	enum mf_found ran = mf_child_run(&child, &text, err);
	if (ran == MF_ABSENT)
		return mf_fail(err, MF_E_AUTH, 0, "there is no program '%s'",
			       mf_esc(&esc, mf_str_c(argv[0])));
	if (ran == MF_FAILED)
		return err->code == MF_E_NOMEM || err->code == MF_E_CANCELLED ? -1
									      : mf_recode(err, MF_E_AUTH);
	if (child.status)
		return mf_fail(err, MF_E_AUTH, 0, "exit status %d: %s", child.status,
			       mf_esc(&esc, (struct mf_str){child.errors, child.errors_n}));
	return mf_aws_process_parse(p, mf_buf_bytes(&text), expires, err);
}

/* ---- all of it */

/* Checks text that goes into a header or a URL: it must be visible ASCII without the forbidden characters. */
static int check_text(const char *what, struct mf_str s, const char *forbidden, struct mf_err *err)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr(forbidden, s.p[i]))
			return mf_fail(err, MF_E_USAGE, 0, "the %s has a character that cannot be in one",
				       what);
	return 0;
}

static int set_keys(struct mf_aws *out, struct mf_str id, struct mf_str secret, struct mf_str token,
		    struct mf_err *err)
{
	struct mf_buf prefixed MF_NET_WIPED = MF_BUF_INIT(MAX_VALUE + 8);
	if (check_text("AWS access key ID", id, "/,", err) < 0 ||
	    check_text("AWS session token", token, "", err) < 0 ||
	    mf_buf_reserve(&prefixed, secret.n + 4, err) < 0 || mf_buf_addz(&prefixed, "AWS4", err) < 0 ||
	    mf_buf_add_str(&prefixed, secret, err) < 0 ||
	    mf_secret_copy(&out->secret, mf_buf_bytes(&prefixed), err) < 0 ||
	    (token.n && mf_secret_copy(&out->token, mf_bytes_of(token), err) < 0))
		return -1;
	out->key_id = mf_str_dup(id);
	return out->key_id ? 0 : mf_fail_nomem(err);
}

static struct mf_str secret_str(const struct mf_secret *s)
{
	return s ? mf_str_of(mf_secret_bytes(s)) : MF_STR("");
}

static int set_given_keys(struct mf_aws *out, const struct mf_aws_config *cfg, struct mf_err *err)
{
	struct mf_str secret = secret_str(cfg->secret);
	(void)snprintf(out->source, sizeof out->source, "AWS_ACCESS_KEY_ID");
	if (!cfg->key_id || !secret.n) {
		(void)mf_fail(err, MF_E_AUTH, 0, "%s is set without %s",
			      cfg->key_id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
			      cfg->key_id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
		mf_err_set_hint(err, "set both, or neither");
		return -1;
	}
	return set_keys(out, mf_str_c(cfg->key_id), secret, secret_str(cfg->token), err);
}

static int set_profile_keys(struct mf_aws *out, struct mf_aws_profile *p, const struct mf_aws_config *cfg,
			    const struct mf_env *env, struct mf_err *err)
{
	struct mf_esc esc;
	const char *name = mf_esc(&esc, mf_str_c(cfg->profile ? cfg->profile : "default"));
	bool own = p->v[MF_AWS_KEY_ID].n || p->v[MF_AWS_SECRET].n;
	(void)snprintf(out->source, sizeof out->source, "the AWS profile '%s'", name);
	if (!own && p->v[MF_AWS_PROCESS].n && run_process(p, &out->expires, env, err) < 0)
		return mf_wrap(err, "credential_process of the AWS profile '%s'", name);
	if (p->v[MF_AWS_KEY_ID].n && p->v[MF_AWS_SECRET].n)
		return set_keys(out, mf_buf_str(&p->v[MF_AWS_KEY_ID]), mf_buf_str(&p->v[MF_AWS_SECRET]),
				mf_buf_str(&p->v[MF_AWS_TOKEN]), err);
	if (!cfg->profile && !own)
		return 0;
	(void)mf_fail(err, MF_E_AUTH, 0,
		      "the AWS profile '%s' has neither a pair of access keys nor a credential_process",
		      name);
	mf_err_set_hint(err, "for single sign-on and roles, add 'credential_process = aws configure "
			     "export-credentials --profile NAME' to a profile of its own");
	return -1;
}

/* Copies the configured value, or the profile's where none is configured. */
static int choose(char **out, const char *given, const struct mf_buf *of_profile, struct mf_err *err)
{
	struct mf_str s = given ? mf_str_c(given) : mf_buf_str(of_profile);
	if (!s.n)
		return 0;
	*out = mf_str_dup(s);
	return *out ? 0 : mf_fail_nomem(err);
}

/* Accepts only "https://HOST[:PORT]" (or http://): the signature would not cover a path after it as it is
 * sent. */
static int set_endpoint(struct mf_aws *out, const char *given, const struct mf_buf *of_profile,
			struct mf_err *err)
{
	struct mf_esc esc;
	char origin[MF_NET_ORIGIN];
	if (choose(&out->endpoint, given, of_profile, err) < 0 || !out->endpoint)
		return err->code ? -1 : 0;
	size_t n = strlen(out->endpoint);
	while (n && out->endpoint[n - 1] == '/')
		out->endpoint[--n] = 0;
	const char *host = strstr(out->endpoint, "://");
	if (host && !strpbrk(host + 3, "/?#@ ") && mf_net_url_origin(origin, out->endpoint))
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "the endpoint of the object store '%s' is no https://HOST[:PORT]",
		      strchr(out->endpoint, '@') ? "***" : mf_esc(&esc, mf_str_c(out->endpoint)));
	mf_err_set_hint(err, "check AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL");
	return -1;
}

static int set_region(struct mf_aws *out, const char *given, const struct mf_buf *of_profile,
		      struct mf_err *err)
{
	if (choose(&out->region, given, of_profile, err) < 0)
		return -1;
	/* Most stores other than Amazon's accept any region, and this is the default of many of them. */
	if (!out->region && out->endpoint && !(out->region = mf_str_dup(MF_STR("us-east-1"))))
		return mf_fail_nomem(err);
	if (!out->region)
		return 0;
	if (check_text("region of the object store", mf_str_c(out->region), "/.:@?#%,", err) == 0)
		return 0;
	mf_err_set_hint(err, "check AWS_REGION and AWS_DEFAULT_REGION");
	return -1;
}

static int resolve(struct mf_aws *out, struct mf_aws_profile *p, const struct mf_aws_config *cfg,
		   const struct mf_env *env, struct mf_err *err)
{
	if (read_profile(p, cfg, err) < 0 ||
	    set_endpoint(out, cfg->endpoint, &p->v[MF_AWS_ENDPOINT], err) < 0 ||
	    set_region(out, cfg->region, &p->v[MF_AWS_REGION], err) < 0)
		return -1;
	struct mf_str style = mf_buf_str(&p->v[MF_AWS_ADDRESSING]);
	out->style = mf_str_eqz(style, "virtual") ? MF_AWS_VIRTUAL
		     : mf_str_eqz(style, "path")  ? MF_AWS_PATH
						  : MF_AWS_AUTO;
	if (cfg->key_id || cfg->secret)
		return set_given_keys(out, cfg, err);
	return set_profile_keys(out, p, cfg, env, err);
}

int mf_aws_resolve(struct mf_aws *out, const struct mf_aws_config *cfg, const struct mf_env *env,
		   struct mf_err *err)
{
	struct mf_aws_profile p MF_CLEANUP(mf_aws_profile_clear);
	struct mf_aws made MF_AWS_CLEANUP = {.key_id = NULL};
	mf_aws_profile_init(&p);
	if (resolve(&made, &p, cfg, env, err) < 0)
		return -1;
	*out = made;
	made = (struct mf_aws){.key_id = NULL};
	return 0;
}
