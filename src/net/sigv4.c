/* AWS Signature Version 4 in headers ("Authenticating Requests: Using the Authorization Header", Amazon S3
 * API Reference). libcurl has an implementation, but its behaviour depends on its version: it signs headers
 * that it does not send, and canonicalises paths differently. */
#include <assert.h>
#include <stdarg.h>
#include <strings.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "net/aws.h"
#include "net/internal.h"

#define MAX_LINE (2 * MF_MAX_URL)
#define SCOPE_END "s3/aws4_request"

/* ---- header lines */

void mf_aws_headers_clear(struct mf_aws_headers *h)
{
	for (size_t i = 0; i < h->n; i++)
		mf_net_buf_wipe(&h->text[i]);
	*h = (struct mf_aws_headers){.n = 0};
}

int mf_aws_header(struct mf_aws_headers *h, struct mf_err *err, const char *fmt, ...)
{
	va_list ap;
	assert(h->n < MF_AWS_MAX_HEADERS);
	struct mf_buf *line = &h->text[h->n];
	mf_buf_init(line, MAX_LINE);
	/* The buffer gets its full size now, because realloc would leave an unwiped copy of the secret
	 * behind. */
	int rc = mf_buf_reserve(line, MAX_LINE, err);
	va_start(ap, fmt);
	if (rc == 0)
		rc = mf_buf_vprintf(line, err, fmt, ap);
	va_end(ap);
	if (rc < 0) {
		mf_net_buf_wipe(line);
		return -1;
	}
	h->v[h->n++] = line->p;
	return 0;
}

/* ---- the parts of a URL */

struct parts {
	struct mf_str host, path, query;
};

static bool ends_with(struct mf_str s, const char *end)
{
	return mf_str_ends(s, mf_str_c(end));
}

/* The host is as libcurl sends it: without the port if that is the default port of the scheme. */
static struct parts split(const char *url)
{
	bool https = mf_net_url_https(url);
	const char *host = strstr(url, "://");
	host = host ? host + 3 : url;
	struct parts p = {.host = {host, strcspn(host, "/?")}};
	const char *path = host + p.host.n;
	p.path = (struct mf_str){path, strcspn(path, "?")};
	p.query = mf_str_c(path[p.path.n] ? path + p.path.n + 1 : "");
	if (!p.path.n)
		p.path = MF_STR("/");
	if (ends_with(p.host, https ? ":443" : ":80"))
		p.host.n -= https ? 4 : 3;
	return p;
}

/* ---- signing */

struct signing {
	const struct mf_aws *a;
	const struct mf_aws_request *r;
	char date[MF_TIME_LEN]; /* "20130524T000000Z" */
	char payload[65];
	const char *signed_headers;
};

/* Formats the time as "20130524T000000Z": RFC 3339 without '-' and ':'. */
static void format_date(char out[MF_TIME_LEN], int64_t now)
{
	char text[MF_TIME_LEN], *to = out;
	mf_time_format(text, now);
	for (const char *p = text; *p; p++)
		if (*p != '-' && *p != ':')
			*to++ = *p;
	*to = 0;
}

static int canonical_request(const struct signing *s, struct mf_buf *out, struct mf_err *err)
{
	struct parts u = split(s->r->url);
	struct mf_str token = mf_str_of(mf_secret_bytes(&s->a->token));
	if (mf_buf_printf(out, err, "%s\n%.*s\n%.*s\nhost:%.*s\nx-amz-content-sha256:%s\nx-amz-date:%s\n",
			  s->r->method, MF_STR_ARG(u.path), MF_STR_ARG(u.query), MF_STR_ARG(u.host),
			  s->payload, s->date) < 0)
		return -1;
	if (token.n && mf_buf_printf(out, err, "x-amz-security-token:%.*s\n", MF_STR_ARG(token)) < 0)
		return -1;
	return mf_buf_printf(out, err, "\n%s\n%s", s->signed_headers, s->payload);
}

/* Derives the signing key from the secret, by date, region and service. Each step overwrites the key before
 * it. */
static int signing_key(const struct signing *s, struct mf_secret *key, struct mf_err *err)
{
	const struct mf_str steps[] = {mf_str_c(s->a->region), MF_STR("s3"), MF_STR("aws4_request")};
	struct mf_bytes day = mf_bytes_of((struct mf_str){s->date, 8});
	if (mf_secret_alloc(key, 32, err) < 0 ||
	    mf_hmac_sha256(mf_secret_bytes(&s->a->secret), day, key->p, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (mf_hmac_sha256(mf_secret_bytes(key), mf_bytes_of(steps[i]), key->p, err) < 0)
			return -1;
	return 0;
}

static int signature(const struct signing *s, char hex[65], struct mf_err *err)
{
	struct mf_buf request MF_NET_WIPED = MF_BUF_INIT(3 * MF_MAX_URL),
			      text MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	struct mf_secret key MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_digest digest;
	uint8_t mac[32];
	if (mf_buf_reserve(&request, request.max, err) < 0 || canonical_request(s, &request, err) < 0 ||
	    mf_sha256(mf_buf_bytes(&request), &digest, err) < 0)
		return -1;
	mf_digest_hex(hex, &digest);
	if (mf_buf_printf(&text, err, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/" SCOPE_END "\n%s", s->date, s->date,
			  s->a->region, hex) < 0 ||
	    signing_key(s, &key, err) < 0 ||
	    mf_hmac_sha256(mf_secret_bytes(&key), mf_buf_bytes(&text), mac, err) < 0)
		return -1;
	mf_hex_encode(hex, mac, sizeof mac);
	return 0;
}

int mf_aws_sign(const struct mf_aws *a, const struct mf_aws_request *r, struct mf_aws_headers *out,
		struct mf_err *err)
{
	struct signing s = {.a = a, .r = r};
	char hex[65];
	if (!a->key_id)
		return 0;
	s.signed_headers = a->token.n ? "host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
				      : "host;x-amz-content-sha256;x-amz-date";
	format_date(s.date, r->now);
	mf_digest_hex(s.payload, r->payload);
	if (signature(&s, hex, err) < 0 || mf_aws_header(out, err, "x-amz-date: %s", s.date) < 0 ||
	    mf_aws_header(out, err, "x-amz-content-sha256: %s", s.payload) < 0)
		return -1;
	if (a->token.n && mf_aws_header(out, err, "x-amz-security-token: %.*s", (int)a->token.n,
					(const char *)a->token.p) < 0)
		return -1;
	return mf_aws_header(out, err,
			     "Authorization: AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/" SCOPE_END
			     ", SignedHeaders=%s, Signature=%s",
			     a->key_id, s.date, a->region, s.signed_headers, hex);
}
