/* WWW-Authenticate (RFC 9110 section 11.6.1): a list of challenges whose parameters are separated by the same
 * comma as the challenges themselves, so every element is looked at to tell which of the two it begins. */
#include <strings.h>

#include "net/internal.h"

struct cursor {
	const char *p, *end;
};

static bool is_tchar(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token68(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("-._~+/", c));
}

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		c->p++;
}

/* Empty list elements are allowed (RFC 9110 section 5.6.1). */
static void skip_commas(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == ','))
		c->p++;
}

static struct mf_str take_token(struct cursor *c)
{
	const char *start = c->p;
	while (c->p < c->end && is_tchar(*c->p))
		c->p++;
	return (struct mf_str){start, (size_t)(c->p - start)};
}

static bool at_element_end(struct cursor c)
{
	skip_space(&c);
	return c.p == c.end || *c.p == ',';
}

/* Credentials-like blob behind a scheme ("Negotiate YII="): skipped. Nothing moves when there is none. */
static void skip_token68(struct cursor *c)
{
	struct cursor at = *c;
	while (at.p < at.end && is_token68(*at.p))
		at.p++;
	if (at.p == c->p)
		return;
	while (at.p < at.end && *at.p == '=')
		at.p++;
	if (at_element_end(at))
		*c = at;
}

/* Appends one octet to a value; control characters never belong there. */
static int put(char *out, size_t size, size_t *n, char ch, struct mf_err *err)
{
	if ((unsigned char)ch < ' ' || ch == 0x7f)
		return mf_fail(err, MF_E_FORMAT, 0, "challenge: control character");
	if (*n + 1 >= size)
		return mf_fail(err, MF_E_FORMAT, 0, "challenge: parameter is longer than %zu bytes",
			       size - 1);
	out[(*n)++] = ch;
	out[*n] = 0;
	return 0;
}

static int take_quoted(struct cursor *c, char *out, size_t size, struct mf_err *err)
{
	size_t n = 0;
	for (c->p++; c->p < c->end && *c->p != '"'; c->p++) {
		if (*c->p == '\\' && ++c->p == c->end)
			break;
		if (put(out, size, &n, *c->p, err))
			return -1;
	}
	if (c->p == c->end)
		return mf_fail(err, MF_E_FORMAT, 0, "challenge: quoted text has no end");
	c->p++;
	return 0;
}

static int take_value(struct cursor *c, char *out, size_t size, struct mf_err *err)
{
	size_t n = 0;
	out[0] = 0;
	if (c->p < c->end && *c->p == '"')
		return take_quoted(c, out, size, err);
	struct mf_str token = take_token(c);
	if (!token.n)
		return mf_fail(err, MF_E_FORMAT, 0, "challenge: parameter without a value");
	for (size_t i = 0; i < token.n; i++)
		if (put(out, size, &n, token.p[i], err))
			return -1;
	return 0;
}

struct slot {
	const char *name;
	size_t offset, size;
};
#define SLOT(member)                                                                                         \
	{                                                                                                    \
#member, offsetof(struct mf_challenge, member), sizeof(((struct mf_challenge *)0)->member)   \
	}
static const struct slot slots[] = {SLOT(realm), SLOT(service), SLOT(scope), SLOT(error)};
enum { NSLOTS = sizeof slots / sizeof *slots };

static size_t find_slot(struct mf_str name)
{
	size_t i = 0;
	while (i < NSLOTS &&
	       (name.n != strlen(slots[i].name) || strncasecmp(name.p, slots[i].name, name.n) != 0))
		i++;
	return i;
}

static int take_param(struct cursor *c, struct mf_str name, struct mf_challenge *to, unsigned *seen,
		      struct mf_err *err)
{
	char ignored[MF_MAX_HEADER_VALUE];
	size_t i = find_slot(name);
	if (i == NSLOTS)
		return take_value(c, ignored, sizeof ignored, err);
	if (*seen & 1u << i)
		return mf_fail(err, MF_E_FORMAT, 0, "challenge: '%s' is there twice", slots[i].name);
	*seen |= 1u << i;
	return take_value(c, (char *)to + slots[i].offset, slots[i].size, err);
}

/* All parameters up to the next challenge. */
static int take_params(struct cursor *c, struct mf_challenge *to, struct mf_err *err)
{
	unsigned seen = 0;
	for (;;) {
		struct cursor at = *c;
		skip_commas(&at);
		struct mf_str name = take_token(&at);
		skip_space(&at);
		if (!name.n || at.p == at.end || *at.p != '=')
			return 0; /* the next challenge, the end, or an error that the caller finds */
		at.p++;
		skip_space(&at);
		if (take_param(&at, name, to, &seen, err))
			return -1;
		if (!at_element_end(at))
			return mf_fail(err, MF_E_FORMAT, 0, "challenge: no comma after a parameter");
		*c = at;
	}
}

static int take_challenge(struct cursor *c, struct mf_challenge *to, struct mf_err *err)
{
	struct mf_str scheme = take_token(c);
	*to = (struct mf_challenge){0};
	if (!scheme.n)
		return mf_fail(err, MF_E_FORMAT, 0, "challenge: no scheme");
	if (!at_element_end(*c)) {
		if (*c->p != ' ')
			return mf_fail(err, MF_E_FORMAT, 0, "challenge: no space after the scheme");
		skip_space(c);
		skip_token68(c);
		if (take_params(c, to, err))
			return -1;
	}
	if (!at_element_end(*c))
		return mf_fail(err, MF_E_FORMAT, 0, "challenge: malformed parameter");
	to->basic = scheme.n == 5 && !strncasecmp(scheme.p, "Basic", 5);
	to->bearer = scheme.n == 6 && !strncasecmp(scheme.p, "Bearer", 6);
	if (to->bearer && !to->realm[0])
		return mf_fail(err, MF_E_FORMAT, 0, "challenge: Bearer without a realm");
	return 0;
}

int mf_challenge_parse(struct mf_challenge *out, struct mf_str value, struct mf_err *err)
{
	struct cursor c = {value.p, value.p + value.n};
	struct mf_challenge best = {0}, one;
	if (value.n > MF_MAX_HEADER_VALUE)
		return mf_fail(err, MF_E_FORMAT, 0, "challenge is longer than %zu bytes",
			       MF_MAX_HEADER_VALUE);
	for (skip_commas(&c); c.p < c.end; skip_commas(&c)) {
		if (take_challenge(&c, &one, err))
			return -1;
		if ((one.bearer && !best.bearer) || (one.basic && !best.basic && !best.bearer))
			best = one;
	}
	*out = best;
	return 0;
}
