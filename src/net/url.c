/* URLs are parsed by libcurl itself, so that the host that is checked is the host that libcurl connects
 * to. */
#include <arpa/inet.h>
#include <strings.h>

#include "net/internal.h"

static inline void url_cleanup(CURLU **u)
{
	if (*u)
		mf_curl()->url_cleanup(*u);
}
static inline void curl_text_cleanup(char **p)
{
	if (*p)
		mf_curl()->free(*p);
}
#define URL_CLEANUP MF_CLEANUP(url_cleanup)
#define CURL_TEXT_CLEANUP MF_CLEANUP(curl_text_cleanup)

/* Returns NULL when the text is not an absolute URL of a scheme that libcurl knows. */
static CURLU *parse(const char *url)
{
	struct mf_err err = MF_ERR_INIT;
	CURLU *u = strlen(url) <= MF_MAX_URL && mf_curl_load(&err) == 0 ? mf_curl()->url() : NULL;
	if (u && mf_curl()->url_set(u, CURLUPART_URL, url, 0)) {
		mf_curl()->url_cleanup(u);
		return NULL;
	}
	return u;
}

static bool part_is(CURLU *u, CURLUPart what, const char *value)
{
	char *p CURL_TEXT_CLEANUP = NULL;
	return !mf_curl()->url_get(u, what, &p, 0) && !strcasecmp(p, value);
}

int mf_net_url_resolve(char **out, const char *base, const char *ref, struct mf_err *err)
{
	if (mf_curl_load(err) < 0)
		return -1;
	CURLU *u URL_CLEANUP = mf_curl()->url();
	char *p CURL_TEXT_CLEANUP = NULL;
	struct mf_esc esc;
	if (!u)
		return mf_fail_nomem(err);
	if (strlen(ref) > MF_MAX_URL || (base && mf_curl()->url_set(u, CURLUPART_URL, base, 0)) ||
	    mf_curl()->url_set(u, CURLUPART_URL, ref, CURLU_URLENCODE) ||
	    mf_curl()->url_set(u, CURLUPART_FRAGMENT, NULL, 0) ||
	    mf_curl()->url_get(u, CURLUPART_URL, &p, 0) || strlen(p) > MF_MAX_URL) {
		char shown[MF_NET_URL_TEXT];
		mf_net_url_redact(shown, sizeof shown, ref);
		return mf_fail(err, MF_E_FORMAT, 0, "malformed URL '%s'", mf_esc(&esc, mf_str_c(shown)));
	}
	char *copy = strdup(p);
	if (!copy)
		return mf_fail_nomem(err);
	*out = copy;
	return 0;
}

bool mf_net_url_origin(char out[MF_NET_ORIGIN], const char *url)
{
	CURLU *u URL_CLEANUP = parse(url);
	char *scheme CURL_TEXT_CLEANUP = NULL, *host CURL_TEXT_CLEANUP = NULL, *port CURL_TEXT_CLEANUP = NULL;
	if (!u || mf_curl()->url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
	    mf_curl()->url_get(u, CURLUPART_HOST, &host, 0) ||
	    mf_curl()->url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		return false;
	if (strcasecmp(scheme, "https") != 0 && strcasecmp(scheme, "http") != 0)
		return false;
	int n = snprintf(out, MF_NET_ORIGIN, "%s://%s:%s", scheme, host, port);
	if (n < 0 || n >= MF_NET_ORIGIN)
		return false;
	for (char *p = out; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	return true;
}

bool mf_http_same_origin(const char *a, const char *b)
{
	char x[MF_NET_ORIGIN], y[MF_NET_ORIGIN];
	return mf_net_url_origin(x, a) && mf_net_url_origin(y, b) && strcmp(x, y) == 0;
}

bool mf_net_url_https(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

static bool host_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	char text[64];
	size_t n = strlen(host);
	if (!strcasecmp(host, "localhost"))
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (n < 3 || n >= sizeof text || host[0] != '[' || host[n - 1] != ']')
		return false;
	memcpy(text, host + 1, n - 2);
	text[n - 2] = 0;
	return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool mf_net_url_loopback(const char *url)
{
	CURLU *u URL_CLEANUP = parse(url);
	char *host CURL_TEXT_CLEANUP = NULL;
	return u && !mf_curl()->url_get(u, CURLUPART_HOST, &host, 0) && host_loopback(host);
}

/* A URL with a user name or a password is refused, because it would appear in logs, process lists and error
 * messages. */
bool mf_http_url_allowed(const struct mf_http *h, const char *url)
{
	CURLU *u URL_CLEANUP = parse(url);
	char *user CURL_TEXT_CLEANUP = NULL, *password CURL_TEXT_CLEANUP = NULL;
	if (!u || !mf_curl()->url_get(u, CURLUPART_USER, &user, 0) ||
	    !mf_curl()->url_get(u, CURLUPART_PASSWORD, &password, 0))
		return false;
	if (part_is(u, CURLUPART_SCHEME, "https"))
		return true;
	return part_is(u, CURLUPART_SCHEME, "http") && (h->plain_http || mf_net_url_loopback(url));
}

static void put(char *out, size_t n, size_t *at, const char *p, size_t len)
{
	for (size_t i = 0; i < len && *at + 1 < n; i++)
		out[(*at)++] = p[i] > ' ' && p[i] < 0x7f ? p[i] : '?';
}

/* Keeps the parameter names and replaces each value by "***". A parameter without '=' may itself be a secret,
 * so it is replaced as a whole. */
static void put_query(char *out, size_t n, size_t *at, const char *p, size_t len)
{
	const char *end = p + len;
	while (p < end) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		size_t member = (size_t)((amp ? amp : end) - p);
		const char *eq = memchr(p, '=', member);
		put(out, n, at, p, eq ? (size_t)(eq + 1 - p) : 0);
		put(out, n, at, "***", member ? 3 : 0);
		put(out, n, at, "&", amp ? 1 : 0);
		p = amp ? amp + 1 : end;
	}
}

void mf_net_url_redact(char *out, size_t n, const char *url)
{
	const char *sep = strstr(url, "://");
	const char *authority = sep ? sep + 3 : url;
	size_t at = 0, len = strcspn(authority, "/?#");
	put(out, n, &at, url, (size_t)(authority - url));
	const char *user_end = memrchr(authority, '@', len);
	const char *rest = user_end ? user_end + 1 : authority;
	size_t path = strcspn(rest, "?#");
	put(out, n, &at, rest, path);
	if (rest[path] == '?') {
		put(out, n, &at, "?", 1);
		put_query(out, n, &at, rest + path + 1, strcspn(rest + path + 1, "#"));
	}
	out[at] = 0;
}

/* ---- NO_PROXY */

/* Splits "host:port" or "[v6]:port". Returns false when there is no port. */
static bool split_port(struct mf_str entry, struct mf_str *host, struct mf_str *port)
{
	const char *colon = entry.n ? memrchr(entry.p, ':', entry.n) : NULL;
	bool bracketed = entry.n && entry.p[0] == '[';
	if (!colon || (!bracketed && memchr(entry.p, ':', (size_t)(colon - entry.p))) ||
	    (bracketed && colon[-1] != ']'))
		return false;
	*host = (struct mf_str){entry.p, (size_t)(colon - entry.p)};
	*port = (struct mf_str){colon + 1, entry.n - host->n - 1};
	return true;
}

/* Reports whether the host equals the entry or is below it in the domain. "example.com" and ".example.com"
 * mean the same. */
static bool host_below(const char *host, struct mf_str entry)
{
	size_t n = strlen(host);
	while (entry.n && entry.p[0] == '.')
		entry = (struct mf_str){entry.p + 1, entry.n - 1};
	if (!entry.n || n < entry.n || strncasecmp(host + n - entry.n, entry.p, entry.n) != 0)
		return false;
	return n == entry.n || host[n - entry.n - 1] == '.';
}

/* libcurl does not understand entries with a port. If such an entry matches this URL, it becomes "*", because
 * this one request needs no proxy; otherwise it is left out. */
static void add_entry(char out[MF_NET_NO_PROXY], struct mf_str entry, const char *host, const char *port)
{
	struct mf_str name, number;
	size_t n = strlen(out);
	if (entry.n > 1 && entry.p[0] == '*')
		entry = (struct mf_str){entry.p + 1, entry.n - 1};
	if (split_port(entry, &name, &number)) {
		if (!mf_str_eqz(number, port) || !host_below(host, name))
			return;
		entry = MF_STR("*");
	}
	if (mf_str_eqz(entry, "*"))
		(void)snprintf(out, MF_NET_NO_PROXY, "*");
	else if (n + entry.n + 2 < MF_NET_NO_PROXY && strcmp(out, "*") != 0)
		(void)snprintf(out + n, MF_NET_NO_PROXY - n, "%s%.*s", n ? "," : "", MF_STR_ARG(entry));
}

bool mf_net_no_proxy(char out[MF_NET_NO_PROXY], const char *url)
{
	const char *list = getenv("no_proxy");
	CURLU *u MF_CLEANUP(url_cleanup) = parse(url);
	char *host CURL_TEXT_CLEANUP = NULL, *port CURL_TEXT_CLEANUP = NULL;
	if (!list || !*list)
		list = getenv("NO_PROXY");
	out[0] = 0;
	if (!list || !u || mf_curl()->url_get(u, CURLUPART_HOST, &host, 0) ||
	    mf_curl()->url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		return false;
	for (const char *p = list + strspn(list, " \t,"); *p; p += strspn(p, " \t,")) {
		size_t n = strcspn(p, " \t,");
		add_entry(out, (struct mf_str){p, n}, host, port);
		p += n;
	}
	return true;
}
