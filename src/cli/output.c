#include "cli/output.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "base/encode.h"

/* ---------------------------------------------------------------- safe text */

size_t mf_cli_utf8_next(const char *p, const char *end, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (p >= end)
		return 0;
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0x80                 ? 1
		   : c >= 0xf0 && c <= 0xf4 ? 4
		   : c >= 0xe0 && c < 0xf0  ? 3
		   : c >= 0xc2 && c < 0xe0  ? 2
					    : 0;
	if (n == 0 || n > (size_t)(end - p))
		return 0;
	uint32_t v = n == 1 ? c : c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		unsigned char t = (unsigned char)p[i];
		if ((t & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (t & 0x3fu);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*code = v;
	return n;
}

/* Controls (C0, DEL, C1: xterm takes U+009B for ESC [), line separators, marks and overrides of writing
 * direction, and the invisible ones that make two names look alike. */
static bool acts_on_terminal(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x61c || c == 0xfeff;
}

/* One piece of the safe form of [p, end) into out; returns the input bytes that it stands for. */
static size_t safe_piece(const char *p, const char *end, char out[16])
{
	uint32_t code = 0;
	size_t n = mf_cli_utf8_next(p, end, &code);
	if (n == 0) {
		(void)snprintf(out, 16, "\\x%02x", (unsigned char)*p);
		return 1;
	}
	if (acts_on_terminal(code)) {
		(void)snprintf(out, 16, "\\u{%x}", (unsigned)code);
		return n;
	}
	memcpy(out, p, n);
	out[n] = 0;
	return n;
}

void mf_cli_put_text(FILE *f, const char *text)
{
	const char *end = text + strlen(text);
	char piece[16];
	for (const char *p = text; p < end;) {
		p += safe_piece(p, end, piece);
		(void)fputs(piece, f);
	}
}

/* ---------------------------------------------------------------- messages */

static void message(const char *prefix, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void message(const char *prefix, const char *fmt, va_list ap)
{
	char line[4096];
	(void)vsnprintf(line, sizeof line, fmt, ap);
	(void)fputs(prefix, stderr);
	mf_cli_put_text(stderr, line);
	(void)fputc('\n', stderr);
}

void mf_cli_message(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	message("manifesto: ", fmt, ap);
	va_end(ap);
}

void mf_cli_warning(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	message("manifesto: warning: ", fmt, ap);
	va_end(ap);
}

void mf_cli_json_error(struct mf_cli_json_out *j, const struct manifesto_error *err)
{
	mf_cli_json_open(j, "error", '{');
	mf_cli_json_text(j, "code", err->code);
	mf_cli_json_int(j, "exit", err->status);
	mf_cli_json_text(j, "message", err->message);
	mf_cli_json_text(j, "endpoint", err->endpoint[0] ? err->endpoint : NULL);
	mf_cli_json_text(j, "hint", err->hint[0] ? err->hint : NULL);
	mf_cli_json_close(j, '}');
}

void mf_cli_print_error(const struct manifesto_error *err, bool json)
{
	if (json) {
		struct mf_cli_json_out j = {.f = stderr};
		mf_cli_json_open(&j, NULL, '{');
		mf_cli_json_error(&j, err);
		mf_cli_json_end(&j);
		return;
	}
	if (err->endpoint[0] && !strstr(err->message, err->endpoint))
		mf_cli_message("%s (%s)", err->message, err->endpoint);
	else
		mf_cli_message("%s", err->message);
	if (err->hint[0])
		mf_cli_message("hint: %s", err->hint);
}

/* ---------------------------------------------------------------- tables */

/* 4,000 bytes for each of 250,000 rows; a result that large would have failed long before. */
#define TABLE_MAX ((size_t)1 << 30)

void mf_cli_table_init(struct mf_cli_table *t, size_t columns)
{
	assert(columns > 0 && columns <= MF_CLI_TABLE_COLUMNS);
	*t = (struct mf_cli_table){.text = MF_BUF_INIT(TABLE_MAX), .columns = columns, .failed = MF_ERR_INIT};
}

void mf_cli_table_clear(struct mf_cli_table *t)
{
	mf_buf_clear(&t->text);
}

void mf_cli_table_add(struct mf_cli_table *t, const char *cell)
{
	mf_cli_table_add_cut(t, cell, SIZE_MAX);
}

/* Width is counted in code points: exact for what has one column each, and off by a few cells for the rest.
 */
static size_t count_points(const char *p)
{
	size_t n = 0;
	for (; *p; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

static int add_cell(struct mf_cli_table *t, const char *cell, size_t max, struct mf_err *err)
{
	const char *end = cell + strlen(cell), *p = cell;
	char piece[16];
	for (size_t n = 0; p < end && n < max; n++) {
		p += safe_piece(p, end, piece);
		if (mf_buf_addz(&t->text, piece, err) < 0)
			return -1;
	}
	if (p < end && mf_buf_addz(&t->text, "...", err) < 0)
		return -1;
	return mf_buf_addc(&t->text, 0, err);
}

void mf_cli_table_add_cut(struct mf_cli_table *t, const char *cell, size_t max)
{
	size_t start = t->text.n;
	if (t->failed.code != MF_OK || add_cell(t, cell && *cell ? cell : "-", max, &t->failed) < 0)
		return;
	size_t width = count_points(t->text.p + start), *widest = &t->width[t->cells++ % t->columns];
	if (width > *widest)
		*widest = width;
}

int mf_cli_table_print(struct mf_cli_table *t, FILE *f, struct manifesto_error *err)
{
	if (t->failed.code != MF_OK)
		return mf_cli_take(err, &t->failed);
	const char *p = t->text.p;
	for (size_t i = 0; i < t->cells; i++) {
		size_t column = i % t->columns;
		bool last = column + 1 == t->columns;
		(void)fputs(p, f);
		for (size_t pad = last ? 0 : t->width[column] + 2 - count_points(p); pad; pad--)
			(void)fputc(' ', f);
		if (last)
			(void)fputc('\n', f);
		p += strlen(p) + 1;
	}
	return 0;
}

/* ---------------------------------------------------------------- JSON */

/* RFC 8259 section 7. What is not UTF-8 becomes U+FFFD: a JSON text has no way to hold it. */
static void quoted(FILE *f, struct mf_str s)
{
	const char *end = s.p + s.n;
	(void)fputc('"', f);
	for (const char *p = s.p; p < end;) {
		uint32_t code = 0;
		size_t n = mf_cli_utf8_next(p, end, &code);
		if (n == 0)
			(void)fputs("\\ufffd", f);
		else if (code == '"' || code == '\\')
			(void)fprintf(f, "\\%c", (char)code);
		else if (acts_on_terminal(code))
			(void)fprintf(f, "\\u%04x", (unsigned)code); /* all of these are in the basic plane */
		else
			(void)fwrite(p, 1, n, f);
		p += n ? n : 1;
	}
	(void)fputc('"', f);
}

static void member(struct mf_cli_json_out *j, struct mf_str name)
{
	if (j->comma)
		(void)fputc(',', j->f);
	j->comma = true;
	if (!name.p)
		return;
	quoted(j->f, name);
	(void)fputc(':', j->f);
}

void mf_cli_json_open(struct mf_cli_json_out *j, const char *name, char bracket)
{
	member(j, mf_str_c(name));
	(void)fputc(bracket, j->f);
	j->comma = false;
}

void mf_cli_json_close(struct mf_cli_json_out *j, char bracket)
{
	(void)fputc(bracket, j->f);
	j->comma = true;
}

void mf_cli_json_span(struct mf_cli_json_out *j, struct mf_str name, struct mf_str value)
{
	member(j, name);
	if (value.p)
		quoted(j->f, value);
	else
		(void)fputs("null", j->f);
}

void mf_cli_json_text(struct mf_cli_json_out *j, const char *name, const char *value)
{
	mf_cli_json_span(j, mf_str_c(name), mf_str_c(value));
}

void mf_cli_json_int(struct mf_cli_json_out *j, const char *name, int64_t value)
{
	member(j, mf_str_c(name));
	(void)fprintf(j->f, "%lld", (long long)value);
}

void mf_cli_json_bool(struct mf_cli_json_out *j, const char *name, bool value)
{
	member(j, mf_str_c(name));
	(void)fputs(value ? "true" : "false", j->f);
}

void mf_cli_json_time(struct mf_cli_json_out *j, const char *name, int64_t seconds)
{
	char text[MF_TIME_LEN];
	if (seconds)
		mf_time_format(text, seconds);
	mf_cli_json_text(j, name, seconds ? text : NULL);
}

void mf_cli_json_texts(struct mf_cli_json_out *j, const char *name, const char *const *values, size_t n)
{
	mf_cli_json_open(j, name, '[');
	for (size_t i = 0; i < n; i++)
		mf_cli_json_text(j, NULL, values[i]);
	mf_cli_json_close(j, ']');
}

void mf_cli_json_begin(struct mf_cli_json_out *j, FILE *f, const char *schema)
{
	char text[64];
	*j = (struct mf_cli_json_out){.f = f};
	(void)snprintf(text, sizeof text, "manifesto/%s/v1", schema);
	mf_cli_json_open(j, NULL, '{');
	mf_cli_json_text(j, "schema", text);
}

void mf_cli_json_end(struct mf_cli_json_out *j)
{
	mf_cli_json_close(j, '}');
	(void)fputc('\n', j->f);
}
