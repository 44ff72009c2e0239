/* Response headers: the few that matter, each of bounded length; repeated ones must agree. */
#include <strings.h>

#include "net/internal.h"

struct field {
	const char *name;
	size_t offset, size;
	bool list; /* repeated fields are one list (RFC 9110 section 5.3) */
};
#define FIELD(name, member, list)                                                                            \
	{                                                                                                    \
		name, offsetof(struct mf_http_call, member), sizeof(((struct mf_http_call *)0)->member),     \
		    list                                                                                     \
	}

static const struct field fields[] = {
    FIELD("Content-Type", res.content_type, false),
    FIELD("Docker-Content-Digest", res.docker_content_digest, false),
    FIELD("Location", res.location, false),
    FIELD("Link", res.link, true),
    FIELD("OCI-Subject", res.oci_subject, false),
    FIELD("OCI-Filters-Applied", res.oci_filters_applied, false),
    FIELD("Retry-After", retry_after, false),
};

static struct mf_str trim(struct mf_str s)
{
	while (s.n && strchr(" \t", s.p[0]))
		s = (struct mf_str){s.p + 1, s.n - 1};
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool name_is(struct mf_str name, const char *z)
{
	return name.n == strlen(z) && !strncasecmp(name.p, z, name.n);
}

static int store(struct mf_http_call *c, const struct field *f, struct mf_str value)
{
	char *to = (char *)c + f->offset;
	size_t have = strlen(to);
	if (have && !f->list) {
		if (mf_str_eqz(value, to))
			return 0;
		return mf_fail(&c->err, MF_E_FORMAT, 0, "answer has two different '%s' headers", f->name);
	}
	size_t comma = have ? 2 : 0;
	if (value.n + have + comma >= f->size)
		return mf_fail(&c->err, MF_E_FORMAT, 0, "answer's '%s' header is longer than %zu bytes",
			       f->name, f->size - 1);
	memcpy(to + have, ", ", comma);
	memcpy(to + have + comma, value.p, value.n);
	to[have + comma + value.n] = 0;
	return 0;
}

static int store_challenge(struct mf_http_call *c, struct mf_str value)
{
	if (c->challenge.n && mf_buf_addz(&c->challenge, ", ", &c->err))
		return -1;
	return mf_buf_add_str(&c->challenge, value, &c->err);
}

/* For information only: one that is no date, or too long to be one, is passed over. */
static void store_modified(struct mf_http_call *c, struct mf_str value)
{
	char text[64];
	if (value.n >= sizeof text)
		return;
	memcpy(text, value.p, value.n);
	text[value.n] = 0;
	time_t when = curl_getdate(text, NULL);
	c->res.last_modified = when > 0 ? (int64_t)when : 0;
}

static int header(struct mf_http_call *c, struct mf_str line)
{
	const char *colon = memchr(line.p, ':', line.n);
	if (!colon)
		return 0;
	struct mf_str name = {line.p, (size_t)(colon - line.p)};
	struct mf_str value = trim((struct mf_str){colon + 1, line.n - name.n - 1});
	if (name_is(name, "WWW-Authenticate"))
		return store_challenge(c, value);
	if (name_is(name, "Last-Modified")) {
		store_modified(c, value);
		return 0;
	}
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (name_is(name, fields[i].name))
			return store(c, &fields[i], value);
	return 0;
}

/* Every status line begins anew: interim answers (1xx) come before the one that counts. */
static void begin(struct mf_http_call *c)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		*((char *)c + fields[i].offset) = 0;
	mf_buf_reset(&c->challenge);
	c->res.last_modified = 0;
	c->headers_done = false;
}

static void end(struct mf_http_call *c)
{
	curl_off_t length = -1;
	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &c->res.status);
	(void)curl_easy_getinfo(c->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	c->res.content_length = length < 0 ? UINT64_MAX : (uint64_t)length;
	c->headers_done = c->res.status >= 200;
}

size_t mf_net_on_header(char *p, size_t size, size_t n, void *arg)
{
	struct mf_http_call *c = arg;
	struct mf_str line = {p, size * n};
	if (c->headers_done)
		return line.n;
	if (line.n >= 5 && !memcmp(p, "HTTP/", 5)) {
		begin(c);
		return line.n;
	}
	if (trim(line).n == 0) {
		end(c);
		return line.n;
	}
	return header(c, line) ? 0 : line.n;
}

int64_t mf_net_retry_after_ms(const char *value, int64_t now_s)
{
	size_t digits = strspn(value, "0123456789");
	if (!*value)
		return -1;
	if (!value[digits])
		return digits > 9 ? INT64_MAX : (int64_t)strtoll(value, NULL, 10) * 1000;
	time_t when = curl_getdate(value, NULL);
	if (when == (time_t)-1)
		return -1;
	return (int64_t)when > now_s ? ((int64_t)when - now_s) * 1000 : 0;
}
