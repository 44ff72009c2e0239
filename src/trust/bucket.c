/* Signed requests to an object store, and the interpretation of its answers. */
#include "trust/bucket.h"

#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "trust/names.h"

#define MAX_KEY 1024         /* octets of an object's name: the bound of Amazon S3 */
#define MAX_SKEW_MARGIN_S 60 /* keys are fetched again this long before they expire */

/* ---- names */

static bool is_bucket_name(struct mf_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!word && c != '.' && c != '-' && c != '_')
			return false;
	}
	return s.n >= 3 && s.n <= 255 && s.p[0] != '.';
}

/* Refuses empty, "." and ".." segments, which servers and proxies remove from a path. */
static bool is_prefix(struct mf_str s)
{
	for (size_t at = 0; at <= s.n;) {
		const char *slash = at < s.n ? memchr(s.p + at, '/', s.n - at) : NULL;
		struct mf_str segment = {s.p + at, (slash ? (size_t)(slash - s.p) : s.n) - at};
		if (!segment.n || mf_str_eqz(segment, ".") || mf_str_eqz(segment, ".."))
			return false;
		at += segment.n + 1;
	}
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || strchr("?#", s.p[i]))
			return false;
	return true;
}

static int bad_url(const char *rest, struct mf_err *err)
{
	struct mf_esc e;
	(void)mf_fail(err, MF_E_USAGE, 0, "expected tuf+s3://BUCKET[/PREFIX], got 'tuf+s3://%s'",
		      strpbrk(rest, "@?#") ? "***" : mf_esc(&e, mf_str_c(rest)));
	mf_err_set_hint(err,
			"keys, region and endpoint come from the AWS variables and files, not from the URL");
	return -1;
}

int mf_bucket_init(struct mf_bucket *b, const char *rest, const char *gun, const struct mf_trust_config *cfg,
		   char **where, struct mf_err *err)
{
	struct mf_str bucket = {rest, strcspn(rest, "/")}, prefix = mf_str_c(rest + bucket.n);
	struct mf_buf key MF_BUF_CLEANUP = MF_BUF_INIT(MAX_KEY);
	while (prefix.n && prefix.p[prefix.n - 1] == '/')
		prefix.n--;
	if (prefix.n)
		prefix = (struct mf_str){prefix.p + 1, prefix.n - 1};
	if (!is_bucket_name(bucket) || (prefix.n && !is_prefix(prefix)))
		return bad_url(rest, err);
	if (mf_buf_add_str(&key, prefix, err) < 0 || (prefix.n && mf_buf_addc(&key, '/', err) < 0) ||
	    mf_trust_name_gun(&key, gun, err) < 0)
		return err->code == MF_E_FORMAT ? mf_recode(err, MF_E_USAGE) : -1;
	b->cfg = cfg;
	b->name = mf_str_dup(bucket);
	if (!b->name || asprintf(&b->prefix, "%s/", mf_buf_str(&key).p) < 0)
		return mf_fail_nomem(err);
	if (asprintf(where, "tuf+s3://%s/%s", b->name, mf_buf_str(&key).p) < 0) {
		*where = NULL;
		return mf_fail_nomem(err);
	}
	return 0;
}

void mf_bucket_clear(struct mf_bucket *b)
{
	free(b->name);
	free(b->prefix);
	free(b->base);
	mf_aws_clear(&b->aws);
	*b = (struct mf_bucket){.cfg = NULL};
}

/* ---- endpoint and keys */

static int no_region(struct mf_err *err)
{
	(void)mf_fail(err, MF_E_USAGE, 0, "the region of the bucket is not known");
	mf_err_set_hint(err, "set AWS_REGION; AWS_ENDPOINT_URL_S3 names a store that is not Amazon's");
	return -1;
}

static char *base_url(const struct mf_bucket *b, struct mf_err *err)
{
	const struct mf_aws *a = &b->aws;
	char *host MF_FREE = NULL, *url = NULL;
	/* The store's wildcard certificate does not cover a host name whose bucket part has dots. */
	bool dots = strchr(b->name, '.') != NULL;
	bool path = a->style == MF_AWS_PATH || (a->style == MF_AWS_AUTO && (a->endpoint || dots));
	if (!a->region) {
		(void)no_region(err);
		return NULL;
	}
	int n = a->endpoint ? asprintf(&host, "%s", a->endpoint)
			    : asprintf(&host, "https://s3.%s.amazonaws.com%s", a->region,
				       strncmp(a->region, "cn-", 3) == 0 ? ".cn" : "");
	if (n < 0)
		host = NULL;
	const char *rest = host ? strstr(host, "://") + 3 : "";
	if (!host || (path ? asprintf(&url, "%s/%s/", host, b->name)
			   : asprintf(&url, "%.*s%s.%s/", (int)(rest - host), host, b->name, rest)) < 0) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	return url;
}

static bool expires_soon(const struct mf_bucket *b)
{
	return b->aws.expires && b->aws.expires - MAX_SKEW_MARGIN_S <= mf_env_now(b->cfg->env);
}

int mf_bucket_ready(struct mf_bucket *b, struct mf_err *err)
{
	static const struct mf_aws_config nothing = {.key_id = NULL};
	if (b->base && !expires_soon(b))
		return 0;
	free(b->base);
	b->base = NULL;
	mf_aws_clear(&b->aws);
	if (mf_aws_resolve(&b->aws, b->cfg->aws ? b->cfg->aws : &nothing, b->cfg->env, err) < 0)
		return -1;
	char *base = base_url(b, err);
	if (!base)
		return -1;
	if (!mf_http_url_allowed(b->cfg->http, base)) {
		(void)mf_fail(err, MF_E_USAGE, 0, "plain HTTP to the object store '%s'", base);
		mf_err_set_hint(err, "use an https:// endpoint, or allow it with --plain-http");
		free(base);
		return -1;
	}
	b->base = base;
	mf_env_log(b->cfg->env, MF_LOG_DEBUG, "object store: %s, region %s, %s%s", b->base, b->aws.region,
		   b->aws.key_id ? "keys of " : "no keys", b->aws.key_id ? b->aws.source : "");
	return 0;
}

int mf_bucket_check_keys(const struct mf_bucket *b, struct mf_err *err)
{
	if (b->aws.key_id)
		return 0;
	(void)mf_fail(err, MF_E_AUTH, 0, "there are no keys for writing to the bucket '%s'", b->name);
	mf_err_set_hint(err, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE");
	return -1;
}

/* ---- requests */

struct mf_object_call {
	struct mf_bucket *b;
	struct mf_object_request r;
	struct mf_aws_headers headers;
	char *url;
	struct mf_http_call *call;
	int64_t signed_at;
};

void mf_object_free(struct mf_object_call *c)
{
	if (!c)
		return;
	mf_http_call_free(c->call);
	mf_aws_headers_clear(&c->headers);
	free(c->url);
	free(c);
}

static int read_stream(void *arg, uint64_t offset, void *p, size_t n, size_t *got, struct mf_err *err)
{
	return mf_spool_read(arg, offset, p, n, got, err);
}

static int make_url(struct mf_object_call *c, struct mf_err *err)
{
	struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	if (mf_buf_addz(&url, c->b->base, err) < 0)
		return -1;
	if (c->r.query.n ? mf_buf_printf(&url, err, "?%.*s", MF_STR_ARG(c->r.query)) < 0
			 : mf_pct_encode(&url, mf_str_c(c->b->prefix), "/", err) < 0 ||
			       mf_pct_encode(&url, c->r.name, "/", err) < 0)
		return -1;
	c->url = mf_buf_take(&url);
	return c->url ? 0 : mf_fail_nomem(err);
}

static int make_headers(struct mf_object_call *c, struct mf_err *err)
{
	struct mf_digest payload;
	if (c->r.stream)
		payload = *c->r.sha256;
	else if (mf_sha256(c->r.body, &payload, err) < 0)
		return -1;
	c->signed_at = mf_env_now(c->b->cfg->env);
	struct mf_aws_request r = {c->r.method, c->url, &payload, c->signed_at};
	if (mf_aws_sign(&c->b->aws, &r, &c->headers, err) < 0 ||
	    (c->r.condition && mf_aws_header(&c->headers, err, "%s", c->r.condition) < 0))
		return -1;
	if (!c->r.cache)
		return 0;
	bool json = mf_str_ends(c->r.name, MF_STR(".json"));
	if (mf_aws_header(&c->headers, err, "Cache-Control: %s", c->r.cache) < 0)
		return -1;
	return json ? mf_aws_header(&c->headers, err, "Content-Type: application/json") : 0;
}

int mf_object_begin(struct mf_bucket *b, const struct mf_object_request *r, struct mf_object_call **out,
		    struct mf_err *err)
{
	struct mf_object_call *c MF_OBJECT_CLEANUP = mf_calloc(1, sizeof *c);
	if (!c)
		return mf_fail_nomem(err);
	c->b = b;
	c->r = *r;
	if (mf_bucket_ready(b, err) < 0 || make_url(c, err) < 0 || make_headers(c, err) < 0)
		return -1;
	struct mf_http_request req = {.method = r->method,
				      .url = c->url,
				      .headers = c->headers.v,
				      .body = r->body,
				      .max_bytes = r->max,
				      .no_redirect = true};
	if (r->stream) {
		req.read = read_stream;
		req.read_arg = r->stream;
		req.body_length = r->length;
	}
	if (r->into) {
		req.write = mf_spool_write;
		req.write_arg = r->into;
	}
	if (mf_http_submit(b->cfg->http, &req, &c->call, err) < 0)
		return -1;
	*out = c;
	c = NULL;
	return 0;
}

/* ---- errors */

void mf_s3_error_field(const struct mf_http_response *res, const char *tag, char out[256])
{
	char open[32];
	struct mf_str body = mf_buf_str(&res->body);
	size_t n = 0, length = (size_t)snprintf(open, sizeof open, "<%s>", tag);
	const char *at = body.n ? memmem(body.p, body.n, open, length) : NULL;
	for (at = at ? at + length : body.p + body.n; at < body.p + body.n && *at != '<' && n < 255; at++)
		out[n++] = *at >= ' ' && *at <= '~' ? *at : '?';
	out[n] = 0;
}

struct answer {
	const struct mf_object_call *c;
	const struct mf_http_response *res;
	char code[256], region[256];
};

static int wrong_region(const struct answer *a, struct mf_err *err)
{
	const char *is = a->res->bucket_region[0] ? a->res->bucket_region : a->region;
	struct mf_esc e;
	(void)mf_fail(err, MF_E_USAGE, 0, "the bucket '%s' is not in the region '%s'%s%s", a->c->b->name,
		      a->c->b->aws.region, *is ? " but in " : "", *is ? mf_esc(&e, mf_str_c(is)) : "");
	if (*is)
		mf_err_set_hint(err, "set AWS_REGION=%s", mf_esc(&e, mf_str_c(is)));
	else
		mf_err_set_hint(err, "set AWS_REGION to the bucket's region");
	return -1;
}

static int clock_skew(const struct answer *a, struct mf_err *err)
{
	char here[MF_TIME_LEN], there[MF_TIME_LEN] = "unknown";
	mf_time_format(here, a->c->signed_at);
	if (a->res->date)
		mf_time_format(there, a->res->date);
	(void)mf_fail(err, MF_E_AUTH, 0, "the clocks differ: here it is %s, at the object store %s", here,
		      there);
	mf_err_set_hint(err, "set this machine's clock");
	return -1;
}

static int no_bucket(const struct answer *a, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_USAGE, 0, "there is no bucket '%s' at the object store", a->c->b->name);
	mf_err_set_hint(err,
			"make it first ('aws s3 mb'), or check its name, AWS_REGION and AWS_ENDPOINT_URL_S3");
	return -1;
}

static int no_conditions(const struct answer *a, struct mf_err *err)
{
	(void)a;
	(void)mf_fail(err, MF_E_USAGE, 0, "the object store does not support conditional writes");
	mf_err_set_hint(err, "publish to one that has them: If-None-Match and If-Match of PutObject");
	return -1;
}

static int refused_keys(const struct answer *a, struct mf_err *err)
{
	struct mf_esc e;
	(void)mf_fail(err, MF_E_AUTH, 0, "the object store refuses the keys of %s: status %ld %s",
		      a->c->b->aws.source, a->res->status, mf_esc(&e, mf_str_c(a->code)));
	mf_err_set_hint(
	    err, "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or AWS_PROFILE; "
		 "session tokens expire");
	return -1;
}

static int denied(const struct answer *a, struct mf_err *err)
{
	bool anonymous = !a->c->b->aws.key_id;
	(void)mf_fail(err, MF_E_AUTH, 0, "%s in the bucket '%s' is denied %s%s", a->c->r.method,
		      a->c->b->name, anonymous ? "without keys" : "for the keys of ",
		      anonymous ? "" : a->c->b->aws.source);
	bool deletes = strcmp(a->c->r.method, "DELETE") == 0;
	mf_err_set_hint(err, "%s",
			deletes ? "'manifesto prune' needs s3:DeleteObject besides what publishing needs"
			: anonymous
			    ? "there are no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
			      "AWS_PROFILE; without s3:ListBucket a missing file is denied as well"
			    : "publishing needs s3:GetObject, s3:PutObject and s3:ListBucket; reading the "
			      "first and the last (without s3:ListBucket a missing file is denied)");
	return -1;
}

static int other_status(const struct answer *a, struct mf_err *err)
{
	char why[256];
	struct mf_esc code, text;
	mf_s3_error_field(a->res, "Message", why);
	return mf_fail(err, a->res->status / 100 == 5 ? MF_E_UNAVAILABLE : MF_E_REFUSED, 0,
		       "%s in the bucket '%s': status %ld %s%s%s", a->c->r.method, a->c->b->name,
		       a->res->status, mf_esc(&code, mf_str_c(a->code)), *why ? ": " : "",
		       mf_esc(&text, mf_str_c(why)));
}

static const struct reason {
	const char *code;
	int (*fail)(const struct answer *a, struct mf_err *err);
} reasons[] = {
    {"NoSuchBucket", no_bucket},
    {"PermanentRedirect", wrong_region},
    {"TemporaryRedirect", wrong_region},
    {"AuthorizationHeaderMalformed", wrong_region},
    {"IllegalLocationConstraintException", wrong_region},
    {"RequestTimeTooSkewed", clock_skew},
    {"NotImplemented", no_conditions},
    {"InvalidAccessKeyId", refused_keys},
    {"SignatureDoesNotMatch", refused_keys},
    {"ExpiredToken", refused_keys},
    {"InvalidToken", refused_keys},
    {"TokenRefreshRequired", refused_keys},
    {"AccessDenied", denied},
};

/* Fails with the reason that the answer gives. Returns -1. */
static int refused(struct mf_object_call *c, const struct mf_http_response *res, struct mf_err *err)
{
	struct answer a = {.c = c, .res = res};
	mf_s3_error_field(res, "Code", a.code);
	mf_s3_error_field(res, "Region", a.region);
	const struct reason *why = NULL;
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons && !why; i++)
		if (strcmp(a.code, reasons[i].code) == 0)
			why = &reasons[i];
	if (why)
		(void)why->fail(&a, err);
	else if (res->status == 301 || res->status == 307 || res->bucket_region[0])
		(void)wrong_region(&a, err);
	else if (res->status == 403)
		(void)denied(&a, err);
	else if (res->status == 501)
		(void)no_conditions(&a, err);
	else if (res->status == 400 && c->b->aws.token.n)
		(void)refused_keys(&a, err);
	else
		(void)other_status(&a, err);
	mf_err_set_endpoint(err, c->url);
	return -1;
}

/* ---- answers */

enum mf_found mf_object_get(struct mf_object_call *c, struct mf_http_response **res, struct mf_err *err)
{
	char code[256];
	if (mf_http_await(c->call, res, err) < 0)
		return MF_FAILED;
	mf_s3_error_field(*res, "Code", code);
	if ((*res)->status == 404 && strcmp(code, "NoSuchBucket") != 0)
		return MF_ABSENT;
	if ((*res)->status != 200)
		return refused(c, *res, err);
	if (mf_http_is_web_page(*res))
		return mf_http_web_page_error(c->call, "read trust metadata",
					      "does a proxy or a login page stand before the object store?",
					      err);
	return MF_FOUND;
}

/* Does the status leave open whether the write has happened? */
static bool is_unclear(long status)
{
	return status == 409 || status == 429 || status >= 500;
}

enum mf_put_end mf_object_put(struct mf_object_call *c, struct mf_err *err)
{
	struct mf_http_response *res;
	char code[256];
	if (mf_http_await(c->call, &res, err) < 0)
		return err->code == MF_E_UNAVAILABLE ? MF_PUT_UNCLEAR : MF_PUT_FAILED;
	if (res->status / 100 == 2)
		return MF_PUT_DONE;
	mf_s3_error_field(res, "Code", code);
	bool no_object = res->status == 404 && strcmp(code, "NoSuchBucket") != 0;
	if (res->status == 412 || no_object)
		return MF_PUT_REFUSED;
	bool unclear = is_unclear(res->status) && res->status != 501;
	(void)refused(c, res, err);
	return unclear ? MF_PUT_UNCLEAR : MF_PUT_FAILED;
}
