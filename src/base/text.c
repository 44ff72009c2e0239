#include "base/text.h"

#include <assert.h>
#include <ctype.h>

size_t mf_utf8_next(const char *p, const char *end, uint32_t *code)
{
	static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
	const unsigned char *s = (const unsigned char *)p;
	unsigned char low = 0x80, high = 0xbf; /* range of the second byte */
	if (p >= end)
		return 0;
	if (s[0] < 0x80) {
		*code = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	size_t n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if ((size_t)(end - p) < n)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0; /* smaller: overlong */
	else if (s[0] == 0xed)
		high = 0x9f; /* larger: surrogates */
	else if (s[0] == 0xf0)
		low = 0x90; /* smaller: overlong */
	else if (s[0] == 0xf4)
		high = 0x8f; /* larger: beyond U+10FFFF */
	if (s[1] < low || s[1] > high)
		return 0;
	uint32_t value = s[0] ^ mark[n];
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (s[i] & 0x3fu);
	}
	*code = value;
	return n;
}

/* Unsafe are controls (C0, DEL, and C1: xterm reads U+009B as ESC [), line and paragraph separators,
 * bidirectional controls, everything invisible (Default_Ignorable_Code_Point of Unicode 15: joiners,
 * fillers, variation selectors, tags), the Braille blank, annotation and format controls, and
 * noncharacters. */
bool mf_text_unsafe(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} unsafe[] = {
	    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c},
	    {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e},
	    {0x2060, 0x206f},   {0x2800, 0x2800},   {0x3164, 0x3164}, {0xfdd0, 0xfdef}, {0xfe00, 0xfe0f},
	    {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x1bca0, 0x1bca3},
	    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};
	for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0] && code >= unsafe[i].first; i++)
		if (code <= unsafe[i].last)
			return true;
	return code > 0xffff && (code & 0xfffe) == 0xfffe; /* noncharacters of the other planes */
}

bool mf_text_begins_command(const char *p, const char *end)
{
	if (end - p < 3 || p[0] != '#' || p[1] != '#')
		return false;
	for (p += 2; p < end && isalpha((unsigned char)*p); p++)
		;
	return p < end && *p == '[';
}

size_t mf_text_piece(char out[MF_TEXT_PIECE], const char *p, const char *end)
{
	uint32_t code = 0;
	size_t n = mf_utf8_next(p, end, &code);
	if (n == 0) {
		(void)snprintf(out, MF_TEXT_PIECE, "\\x%02x", (unsigned char)*p);
		return 1;
	}
	if (mf_text_unsafe(code) || mf_text_begins_command(p, end)) {
		(void)snprintf(out, MF_TEXT_PIECE, "\\u{%x}", (unsigned)code);
		return n;
	}
	memcpy(out, p, n);
	out[n] = 0;
	return n;
}

void mf_text_plain(FILE *f, const char *piece)
{
	(void)fputs(piece, f);
}

void mf_text_xml(FILE *f, const char *piece)
{
	const char *entity = NULL;
	switch (*piece) {
	case '&':
		entity = "&amp;";
		break;
	case '<':
		entity = "&lt;";
		break;
	case '>':
		entity = "&gt;";
		break;
	case '"':
		entity = "&quot;";
		break;
	case '\'':
		entity = "&#39;";
		break;
	default:
		break;
	}
	(void)fputs(entity ? entity : piece, f);
}

void mf_text_markdown(FILE *f, const char *piece)
{
	for (; *piece; piece++)
		(void)fprintf(f,
			      ispunct((unsigned char)*piece) && (unsigned char)*piece < 0x80 ? "\\%c" : "%c",
			      *piece);
}

/* Writes the safe form. Returns the number of code points of its plain form. */
static size_t put(FILE *f, mf_text_form *form, struct mf_str text)
{
	size_t points = 0;
	char piece[MF_TEXT_PIECE];
	for (size_t at = 0; at < text.n;) {
		at += mf_text_piece(piece, text.p + at, text.p + text.n);
		form(f, piece);
		points += piece[0] == '\\' ? strlen(piece) : 1;
	}
	return points;
}

void mf_text_put(FILE *f, struct mf_str text)
{
	(void)put(f, mf_text_plain, text);
}

void mf_text_printf(FILE *f, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	mf_text_vprintf(f, mf_text_plain, fmt, ap);
	va_end(ap);
}

/* One conversion of a format, parsed from the characters after its '%'. */
struct conversion {
	int width, precision; /* -1: none */
	char length[3], kind;
};

static int decimal(const char **fmt)
{
	int n = 0;
	for (; **fmt >= '0' && **fmt <= '9'; ++*fmt)
		n = n * 10 + (**fmt - '0');
	return n;
}

static void put_string(FILE *f, mf_text_form *form, const struct conversion *c, const char *z)
{
	struct mf_str text = {z, c->precision < 0 ? strlen(z) : strnlen(z, (size_t)c->precision)};
	for (size_t points = put(f, form, text); c->width > 0 && points < (size_t)c->width; points++)
		(void)fputc(' ', f);
}

static void put_number(FILE *f, const struct conversion *c, va_list *ap)
{
	char kind[4];
	(void)snprintf(kind, sizeof kind, "%s%c", c->length, c->kind);
	if (strcmp(kind, "d") == 0)
		(void)fprintf(f, "%d", va_arg(*ap, int));
	else if (strcmp(kind, "u") == 0)
		(void)fprintf(f, "%u", va_arg(*ap, unsigned));
	else if (strcmp(kind, "x") == 0)
		(void)fprintf(f, "%x", va_arg(*ap, unsigned));
	else if (strcmp(kind, "zu") == 0)
		(void)fprintf(f, "%zu", va_arg(*ap, size_t));
	else if (strcmp(kind, "lld") == 0)
		(void)fprintf(f, "%lld", va_arg(*ap, long long));
	else if (strcmp(kind, "llu") == 0)
		(void)fprintf(f, "%llu", va_arg(*ap, unsigned long long));
	else
		assert(0 && "a conversion that mf_text_printf does not understand");
}

void mf_text_vprintf(FILE *f, mf_text_form *form, const char *fmt, va_list from)
{
	va_list ap;
	va_copy(ap, from);
	while (*fmt) {
		size_t plain = strcspn(fmt, "%");
		(void)fwrite(fmt, 1, plain, f);
		fmt += plain;
		if (!*fmt)
			break;
		struct conversion c = {.precision = -1};
		if (*++fmt == '-') {
			bool given = *++fmt == '*';
			c.width = given ? va_arg(ap, int) : decimal(&fmt);
			fmt += given;
		}
		if (strncmp(fmt, ".*", 2) == 0) {
			c.precision = va_arg(ap, int);
			fmt += 2;
		}
		for (size_t i = 0; i + 1 < sizeof c.length && (*fmt == 'l' || *fmt == 'z'); i++)
			c.length[i] = *fmt++;
		c.kind = *fmt++;
		if (c.kind == '%' || c.kind == 'c')
			(void)fputc(c.kind == 'c' ? va_arg(ap, int) : '%', f);
		else if (c.kind == 's')
			put_string(f, form, &c, va_arg(ap, const char *));
		else
			put_number(f, &c, &ap);
	}
	va_end(ap);
}
