#include "json/internal.h"

/* Reads the four digits of a \u escape at p, -1 when malformed. */
static int32_t hex4(const char *p, const char *end)
{
	int32_t v = 0;
	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

static size_t utf8_encode(uint32_t u, char out[4])
{
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = u < 0x80 ? 1 : u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; u >>= 6)
		out[i] = (char)(unsigned char)(0x80 | (u & 0x3f));
	out[0] = (char)(unsigned char)(n == 1 ? u : lead[n] | u);
	return n;
}

static size_t unescape_unicode(const char *p, const char *end, char out[4], size_t *len)
{
	int32_t u = hex4(p, end);
	if (u < 0 || (u >= 0xdc00 && u <= 0xdfff))
		return 0;
	if (u < 0xd800 || u > 0xdbff) {
		*len = utf8_encode((uint32_t)u, out);
		return 6;
	}
	int32_t low = hex4(p + 6, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*len = utf8_encode((uint32_t)(0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00)), out);
	return 12;
}

size_t mf_json_unescape(const char *p, const char *end, char out[4], size_t *len)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (end - p < 2)
		return 0;
	if (p[1] == 'u')
		return unescape_unicode(p, end, out, len);
	const char *hit = p[1] ? strchr(from, p[1]) : NULL;
	if (!hit)
		return 0;
	out[0] = to[hit - from];
	*len = 1;
	return 2;
}

/* Reads the decoded bytes of a string one at a time. */
struct cursor {
	const char *p, *end;
	bool escaped;
	char held[4]; /* bytes of a decoded escape that are not returned yet */
	size_t at, n;
};

static struct cursor cursor_of(struct mf_json_string s)
{
	return (struct cursor){.p = s.raw.p, .end = s.raw.p + s.raw.n, .escaped = s.escaped};
}

/* Returns the next decoded byte, -1 at the end. */
static int cursor_next(struct cursor *c)
{
	if (c->at < c->n)
		return (unsigned char)c->held[c->at++];
	if (c->p == c->end)
		return -1;
	if (c->escaped && *c->p == '\\') {
		size_t used = mf_json_unescape(c->p, c->end, c->held, &c->n);
		if (used) {
			c->p += used;
			c->at = 1;
			return (unsigned char)c->held[0];
		}
		c->n = c->at = 0;
	}
	return (unsigned char)*c->p++;
}

bool mf_json_string_has_nul(struct mf_json_string s)
{
	struct cursor c = cursor_of(s);
	int b;
	while ((b = cursor_next(&c)) > 0)
		;
	return b == 0;
}

int mf_json_string_cmp(struct mf_json_string a, struct mf_json_string b)
{
	if (!a.escaped && !b.escaped)
		return mf_str_cmp(a.raw, b.raw);
	struct cursor ca = cursor_of(a), cb = cursor_of(b);
	for (;;) {
		int x = cursor_next(&ca), y = cursor_next(&cb);
		if (x != y)
			return x < y ? -1 : 1;
		if (x < 0)
			return 0;
	}
}

bool mf_json_string_eq(struct mf_json_string s, const char *z)
{
	return mf_json_string_cmp(s, (struct mf_json_string){mf_str_c(z), false}) == 0;
}

int mf_json_string_decode(struct mf_json_string s, struct mf_buf *out, struct mf_err *err)
{
	if (!s.escaped)
		return mf_buf_add_str(out, s.raw, err);
	size_t from = out->n;
	struct cursor c = cursor_of(s);
	for (int b; (b = cursor_next(&c)) >= 0;) {
		if (mf_buf_addc(out, (char)(unsigned char)b, err) < 0) {
			mf_buf_cut(out, from);
			return -1;
		}
	}
	return 0;
}
