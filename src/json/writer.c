#include "json/writer.h"

#include <assert.h>

#include "base/encode.h"
#include "base/text.h"

void mf_json_to_file(struct mf_json_out *j, FILE *f)
{
	*j = (struct mf_json_out){.file = f};
}

void mf_json_to_buf(struct mf_json_out *j, enum mf_json_style style, struct mf_buf *buf, struct mf_err *err)
{
	*j = (struct mf_json_out){.buf = buf, .err = err, .style = style, .start = buf->n};
}

int mf_json_finish(struct mf_json_out *j)
{
	if (!j->failed) {
		assert(j->depth == 0 && !j->keyed);
		return 0;
	}
	mf_buf_cut(j->buf, j->start);
	return -1;
}

static void put(struct mf_json_out *j, const char *p, size_t n)
{
	if (j->file)
		(void)fwrite(p, 1, n, j->file);
	else if (!j->failed)
		j->failed = mf_buf_add(j->buf, p, n, j->err) < 0;
}

static void put_text(struct mf_json_out *j, const char *z)
{
	put(j, z, strlen(z));
}

static void put_unit(struct mf_json_out *j, uint32_t unit)
{
	char text[8];
	(void)snprintf(text, sizeof text, "\\u%04x", (unsigned)(unit & 0xffff));
	put_text(j, text);
}

/* RFC 8259 section 7: a code point beyond the basic plane is escaped as a surrogate pair. */
static void put_escape(struct mf_json_out *j, uint32_t code)
{
	if (code < 0x10000) {
		put_unit(j, code);
		return;
	}
	put_unit(j, 0xd800 + ((code - 0x10000) >> 10));
	put_unit(j, 0xdc00 + ((code - 0x10000) & 0x3ff));
}

/* Returns whether the character at p is written without an escape. */
static bool is_plain(const struct mf_json_out *j, const char *p, const char *end, uint32_t code)
{
	if (code == '"' || code == '\\')
		return false;
	return j->style == MF_JSON_CANONICAL || (!mf_text_unsafe(code) && !mf_text_begins_command(p, end));
}

/* Writes a character that needs an escape, of n bytes at offset `at`; n 0: a byte that is not UTF-8. */
static void put_special(struct mf_json_out *j, struct mf_str s, size_t at, size_t n, uint32_t code)
{
	if (n && (code == '"' || code == '\\')) {
		put(j, "\\", 1);
		put(j, s.p + at, 1);
	} else if (n || j->style == MF_JSON_SHOWN) {
		put_escape(j, n ? code : 0xfffd);
	} else if (!j->failed) {
		j->failed = true;
		(void)mf_fail(j->err, MF_E_FORMAT, 0, "invalid UTF-8 at offset %zu", at);
	}
}

static void put_quoted(struct mf_json_out *j, struct mf_str s)
{
	size_t done = 0, n;
	put(j, "\"", 1);
	for (size_t at = 0; at < s.n; at += n ? n : 1) {
		uint32_t code = (unsigned char)s.p[at];
		n = code >= 0x20 && code < 0x7f ? 1 : mf_utf8_next(s.p + at, s.p + s.n, &code);
		if (n && is_plain(j, s.p + at, s.p + s.n, code))
			continue;
		put(j, s.p + done, at - done);
		put_special(j, s, at, n, code);
		done = at + (n ? n : 1);
	}
	put(j, s.p + done, s.n - done);
	put(j, "\"", 1);
}

/* Writes the comma before a value in an open object or array, except before the first. */
static void put_comma(struct mf_json_out *j)
{
	if (j->open[j->depth - 1].any)
		put(j, ",", 1);
	j->open[j->depth - 1].any = true;
}

/* Asserts that the name of the next member is new in its object; for canonical documents, that it follows
 * the last one in order. */
static void check_name(struct mf_json_out *j, struct mf_str name, const char *literal)
{
	size_t top = j->depth - 1;
	assert(j->depth > 0 && j->open[top].end == '}' && !j->keyed);
	if (j->style == MF_JSON_CANONICAL) {
		assert(!j->open[top].any || mf_str_cmp(j->open[top].last, name) < 0);
		j->open[top].last = name;
	} else if (literal) {
		for (size_t i = j->open[top].first_name; i < j->nnames; i++)
			assert(strcmp(j->names[i], literal) != 0);
		assert(j->nnames < MF_JSON_OUT_NAMES);
		j->names[j->nnames++] = literal;
	}
}

static void put_name(struct mf_json_out *j, struct mf_str name)
{
	put_comma(j);
	put_quoted(j, name);
	put(j, ":", 1);
}

void mf_json_key(struct mf_json_out *j, struct mf_str name)
{
	check_name(j, name, NULL);
	put_name(j, name);
	j->keyed = true;
}

static void begin_value(struct mf_json_out *j, const char *name)
{
	if (name) {
		check_name(j, mf_str_c(name), name);
		put_name(j, mf_str_c(name));
	} else if (!j->keyed && j->depth) {
		assert(j->open[j->depth - 1].end == ']');
		put_comma(j);
	}
	j->keyed = false;
}

static void begin_container(struct mf_json_out *j, const char *name, char begin, char end)
{
	begin_value(j, name);
	put(j, &begin, 1);
	assert(j->depth < MF_JSON_OUT_DEPTH);
	j->open[j->depth].end = end;
	j->open[j->depth].any = false;
	j->open[j->depth++].first_name = j->nnames;
}

void mf_json_add_object(struct mf_json_out *j, const char *name)
{
	begin_container(j, name, '{', '}');
}

void mf_json_add_array(struct mf_json_out *j, const char *name)
{
	begin_container(j, name, '[', ']');
}

void mf_json_close(struct mf_json_out *j)
{
	assert(j->depth > 0 && !j->keyed);
	j->depth--;
	j->nnames = j->open[j->depth].first_name;
	put(j, &j->open[j->depth].end, 1);
}

/* Adds a value that is already JSON. */
static void add_raw(struct mf_json_out *j, const char *name, struct mf_str value)
{
	begin_value(j, name);
	put(j, value.p, value.n);
}

void mf_json_add_str(struct mf_json_out *j, const char *name, struct mf_str value)
{
	begin_value(j, name);
	if (value.p)
		put_quoted(j, value);
	else
		put_text(j, "null");
}

void mf_json_add_text(struct mf_json_out *j, const char *name, const char *value)
{
	mf_json_add_str(j, name, mf_str_c(value));
}

void mf_json_add_int(struct mf_json_out *j, const char *name, int64_t value)
{
	char text[24];
	(void)snprintf(text, sizeof text, "%lld", (long long)value);
	add_raw(j, name, mf_str_c(text));
}

void mf_json_add_bool(struct mf_json_out *j, const char *name, bool value)
{
	add_raw(j, name, value ? MF_STR("true") : MF_STR("false"));
}

void mf_json_add_time(struct mf_json_out *j, const char *name, int64_t seconds)
{
	char text[MF_TIME_LEN];
	if (seconds)
		mf_time_format(text, seconds);
	mf_json_add_text(j, name, seconds ? text : NULL);
}

void mf_json_add_file(struct mf_json_out *j, const char *name, FILE *value)
{
	char piece[16384];
	size_t n;
	begin_value(j, name);
	while ((n = fread(piece, 1, sizeof piece, value)) > 0)
		put(j, piece, n);
}

void mf_json_add_texts(struct mf_json_out *j, const char *name, const char *const *values, size_t n)
{
	mf_json_add_array(j, name);
	for (size_t i = 0; i < n; i++)
		mf_json_add_text(j, NULL, values[i]);
	mf_json_close(j);
}
