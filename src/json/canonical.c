#include "json/internal.h"
#include "json/writer.h"

struct member {
	struct mf_json_string name;
	size_t from, n; /* position of `"name":value` in the output */
};

enum numbers {
	WHOLE,    /* numbers with a whole value within 2^53-1, in any notation */
	PLAIN,    /* the same, written without fraction and exponent */
	ANY_SIZE, /* as WHOLE; but a number without fraction and exponent may have any size, and is copied */
};

struct writer {
	struct mf_json_reader r;
	struct mf_buf *out;
	struct mf_buf scratch;
	struct member *members; /* members of all open objects, innermost last */
	size_t n, cap;
	enum numbers numbers;
};

static int write_value(struct writer *w, struct mf_err *err);

/* Appends decoded text with '"' and '\' escaped. */
static int add_escaped(struct mf_buf *out, const char *p, size_t n, struct mf_err *err)
{
	const char *end = p + n;
	while (p < end) {
		const char *q = p;
		while (q < end && *q != '"' && *q != '\\')
			q++;
		if (mf_buf_add(out, p, (size_t)(q - p), err) < 0)
			return -1;
		if (q < end && (mf_buf_addc(out, '\\', err) < 0 || mf_buf_addc(out, *q++, err) < 0))
			return -1;
		p = q;
	}
	return 0;
}

/* Decodes and appends the content of a string that the reader has accepted. */
static int add_decoded(struct mf_buf *out, struct mf_str raw, struct mf_err *err)
{
	const char *p = raw.p, *end = raw.p + raw.n;
	while (p < end) {
		char utf8[4];
		size_t len = 0;
		const char *q = memchr(p, '\\', (size_t)(end - p));
		if (!q)
			q = end;
		if (mf_buf_add(out, p, (size_t)(q - p), err) < 0)
			return -1;
		p = q;
		if (p == end)
			break;
		size_t used = mf_json_unescape(p, end, utf8, &len);
		if (used == 0)
			return mf_fail(err, MF_E_INTERNAL, 0, "JSON: malformed escape after the reader");
		if (add_escaped(out, utf8, len, err) < 0)
			return -1;
		p += used;
	}
	return 0;
}

static int write_string(struct writer *w, struct mf_json_string s, struct mf_err *err)
{
	if (mf_buf_addc(w->out, '"', err) < 0)
		return -1;
	if (s.escaped ? add_decoded(w->out, s.raw, err) < 0 : mf_buf_add_str(w->out, s.raw, err) < 0)
		return -1;
	return mf_buf_addc(w->out, '"', err);
}

static int write_number(struct writer *w, struct mf_err *err)
{
	struct mf_json_number num;
	struct mf_str s;
	int64_t value;
	size_t at = mf_json_offset(&w->r);
	if (mf_json_skip(&w->r, &s, err) < 0)
		return -1;
	if (!mf_json_number_scan(s.p, s.p + s.n, &num) || (w->numbers == PLAIN && !num.plain))
		return mf_fail(err, MF_E_FORMAT, 0, "canonical JSON: not a whole number, at offset %zu", at);
	if (w->numbers == ANY_SIZE && num.plain && num.n_int > 1)
		return mf_buf_add_str(w->out, s, err);
	if (!mf_json_number_whole(&num, &value))
		return mf_fail(err, MF_E_FORMAT, 0,
			       "canonical JSON: not a whole number within 2^53-1, at offset %zu", at);
	return mf_buf_printf(w->out, err, "%lld", (long long)value);
}

static int member_cmp(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	return mf_json_string_cmp(x->name, y->name);
}

/* Sorts the members from index `first` on, which were written from offset `body` on. */
static int reorder(struct writer *w, size_t first, size_t body, struct mf_err *err)
{
	size_t n = w->n - first, i = 1;
	if (n < 2)
		return 0;
	struct member *m = w->members + first;
	while (i < n && member_cmp(&m[i - 1], &m[i]) < 0)
		i++;
	if (i >= n)
		return 0;
	if (mf_json_sort(m, n, sizeof *m, member_cmp, err) < 0)
		return -1;
	mf_buf_reset(&w->scratch);
	for (i = 0; i < n; i++) {
		if ((i && mf_buf_addc(&w->scratch, ',', err) < 0) ||
		    mf_buf_add(&w->scratch, w->out->p + m[i].from, m[i].n, err) < 0)
			return -1;
	}
	memcpy(w->out->p + body, w->scratch.p, w->scratch.n);
	return 0;
}

static int write_member(struct writer *w, struct mf_json_string name, struct mf_err *err)
{
	size_t from = w->out->n;
	if (write_string(w, name, err) < 0 || mf_buf_addc(w->out, ':', err) < 0 || write_value(w, err) < 0)
		return -1;
	void *members = w->members;
	if (mf_grow(&members, &w->cap, w->n, sizeof *w->members, err) < 0)
		return -1;
	w->members = members;
	w->members[w->n++] = (struct member){name, from, w->out->n - from};
	return 0;
}

static int write_object(struct writer *w, struct mf_err *err)
{
	struct mf_json_string name;
	size_t first = w->n;
	int more;
	if (mf_json_object(&w->r, err) < 0 || mf_buf_addc(w->out, '{', err) < 0)
		return -1;
	size_t body = w->out->n;
	while ((more = mf_json_object_next(&w->r, &name, err)) == MF_FOUND) {
		if ((w->n > first && mf_buf_addc(w->out, ',', err) < 0) || write_member(w, name, err) < 0)
			return -1;
	}
	if (more < 0 || reorder(w, first, body, err) < 0)
		return -1;
	w->n = first;
	return mf_buf_addc(w->out, '}', err);
}

static int write_array(struct writer *w, struct mf_err *err)
{
	bool any = false;
	int more;
	if (mf_json_array(&w->r, err) < 0 || mf_buf_addc(w->out, '[', err) < 0)
		return -1;
	while ((more = mf_json_array_next(&w->r, err)) == MF_FOUND) {
		if ((any && mf_buf_addc(w->out, ',', err) < 0) || write_value(w, err) < 0)
			return -1;
		any = true;
	}
	return more < 0 ? -1 : mf_buf_addc(w->out, ']', err);
}

/* The reader's maximum depth limits the recursion. */
static int write_value(struct writer *w, struct mf_err *err)
{
	enum mf_json_type type;
	struct mf_json_string s;
	struct mf_str word;
	if (mf_json_peek(&w->r, &type, err) < 0)
		return -1;
	switch (type) {
	case MF_JSON_OBJECT:
		return write_object(w, err);
	case MF_JSON_ARRAY:
		return write_array(w, err);
	case MF_JSON_STRING:
		return mf_json_string(&w->r, &s, err) < 0 ? -1 : write_string(w, s, err);
	case MF_JSON_NUMBER:
		return write_number(w, err);
	case MF_JSON_TRUE:
	case MF_JSON_FALSE:
	case MF_JSON_NULL:
		break;
	}
	return mf_json_skip(&w->r, &word, err) < 0 ? -1 : mf_buf_add_str(w->out, word, err);
}

static int rewrite(struct mf_str value, enum numbers numbers, struct mf_buf *out, struct mf_err *err)
{
	struct writer w = {.out = out, .numbers = numbers};
	size_t from = out->n;
	mf_json_reader_init(&w.r, mf_bytes_of(value));
	w.r.any_size = numbers == ANY_SIZE;
	mf_buf_init(&w.scratch, out->max);
	int rc = write_value(&w, err);
	if (rc == 0)
		rc = mf_json_end(&w.r, err);
	if (rc < 0)
		mf_buf_cut(out, from);
	mf_json_reader_clear(&w.r);
	mf_buf_clear(&w.scratch);
	free(w.members);
	return rc;
}

static int canonicalize(struct mf_str value, enum numbers numbers, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	mf_json_reader_init(&r, mf_bytes_of(value));
	r.any_size = numbers == ANY_SIZE;
	if (mf_json_skip(&r, NULL, err) < 0 || mf_json_end(&r, err) < 0)
		return -1;
	if (mf_json_canonical_since(&r, 0))
		return mf_buf_add_str(out, value, err);
	return rewrite(value, numbers, out, err);
}

int mf_json_canonicalize(struct mf_str value, struct mf_buf *out, struct mf_err *err)
{
	return canonicalize(value, WHOLE, out, err);
}

int mf_json_canonicalize_any(struct mf_str value, struct mf_buf *out, struct mf_err *err)
{
	return canonicalize(value, ANY_SIZE, out, err);
}

int mf_json_canonicalize_plain(struct mf_str value, struct mf_buf *out, struct mf_err *err)
{
	return rewrite(value, PLAIN, out, err);
}

/* Returns the number of bytes at p that Go's encoder escapes in strings, or 0; *esc: the escape. */
static size_t wire_special(const char *p, const char *end, const char **esc)
{
	switch (*p) {
	case '<':
		*esc = "\\u003c";
		return 1;
	case '>':
		*esc = "\\u003e";
		return 1;
	case '&':
		*esc = "\\u0026";
		return 1;
	default:
		break;
	}
	if (end - p < 3 || memcmp(p, "\xe2\x80", 2) != 0 || (p[2] != '\xa8' && p[2] != '\xa9'))
		return 0;
	*esc = p[2] == '\xa8' ? "\\u2028" : "\\u2029";
	return 3;
}

static int add_wire(const char *p, const char *end, struct mf_buf *out, struct mf_err *err)
{
	const char *done = p, *esc = NULL;
	while (p < end) {
		if ((unsigned char)*p < 32)
			return mf_fail(err, MF_E_FORMAT, 0,
				       "control character in signed text: it has no wire form");
		size_t n = wire_special(p, end, &esc);
		if (n == 0) {
			p++;
			continue;
		}
		if (mf_buf_add(out, done, (size_t)(p - done), err) < 0 || mf_buf_addz(out, esc, err) < 0)
			return -1;
		p += n;
		done = p;
	}
	return mf_buf_add(out, done, (size_t)(p - done), err);
}

int mf_json_wire(struct mf_str canonical, struct mf_buf *out, struct mf_err *err)
{
	size_t from = out->n;
	if (canonical.n && add_wire(canonical.p, canonical.p + canonical.n, out, err) < 0) {
		mf_buf_cut(out, from);
		return -1;
	}
	return 0;
}

int mf_json_quote(struct mf_str text, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_out j;
	mf_json_to_buf(&j, MF_JSON_CANONICAL, out, err);
	mf_json_add_str(&j, NULL, text.p ? text : MF_STR(""));
	return mf_json_finish(&j);
}
