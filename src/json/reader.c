#include <assert.h>
#include <endian.h>

#include "base/text.h"
#include "json/internal.h"

void mf_json_reader_init(struct mf_json_reader *r, struct mf_bytes doc)
{
	struct mf_str text = doc.n ? mf_str_of(doc) : MF_STR("");
	memset(r, 0, sizeof *r);
	r->start = r->at = text.p;
	r->end = text.p + text.n;
}

void mf_json_reader_clear(struct mf_json_reader *r)
{
	free(r->keys);
	r->keys = NULL;
	r->nkeys = r->keys_cap = 0;
}

static int fail_at(const struct mf_json_reader *r, const char *p, const char *what, struct mf_err *err)
{
	return mf_fail(err, MF_E_FORMAT, 0, "JSON: %s at offset %zu", p == r->end ? "unexpected end" : what,
		       (size_t)(p - r->start));
}

/* Calls must come in the order of the document. */
static void mark_odd(struct mf_json_reader *r, const char *p)
{
	r->last_odd = (size_t)(p - r->start) + 1;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline void skip_space(struct mf_json_reader *r)
{
	const char *p = r->at;
	while (p < r->end && is_space(*p))
		p++;
	if (p == r->at)
		return;
	mark_odd(r, p - 1);
	r->at = p;
}

/* Returns the first byte from p on that needs handling: a quote, backslash, control character or
 * non-ASCII; else end. */
static inline const char *plain_run(const char *p, const char *end)
{
	const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
	for (; end - p >= 8; p += 8) {
		uint64_t x;
		memcpy(&x, p, sizeof x);
		x = le64toh(x);
		/* (x ^ c) - 1 sets the top bit of a byte that equals c, x - 32 of a byte below 32. A
		 * borrow changes only bytes above such a byte, so the lowest hit is exact. Bytes of 128
		 * and more are hits anyway. */
		uint64_t hit =
		    (((x ^ ones * '"') - ones) | ((x ^ ones * '\\') - ones) | (x - ones * 32) | x) & tops;
		if (hit)
			return p + (__builtin_ctzll(hit) >> 3);
	}
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		if (c == '"' || c == '\\' || c < 32 || c >= 128)
			break;
	}
	return p;
}

/* Handles the byte at which plain_run stopped, if it is not a quote. Returns the byte after what was read,
 * NULL on failure. */
static const char *string_special(struct mf_json_reader *r, const char *p, bool *escaped, struct mf_err *err)
{
	char utf8[4];
	size_t n, len;
	const char *what = NULL;
	if (p < r->end && *p == '\\') {
		n = mf_json_unescape(p, r->end, utf8, &len);
		if (n == 0)
			what = "malformed escape or unpaired surrogate";
		else if (p[1] != '"' && p[1] != '\\')
			mark_odd(r, p);
		*escaped = true;
	} else if (p < r->end && (unsigned char)*p >= 128) {
		uint32_t code;
		n = mf_utf8_next(p, r->end, &code);
		if (n == 0)
			what = "invalid UTF-8";
	} else {
		n = 0;
		what = "control character in a string";
	}
	if (what) {
		(void)fail_at(r, p, what, err);
		return NULL;
	}
	return p + n;
}

/* Reads the string whose opening quote is at r->at. */
static inline int scan_string(struct mf_json_reader *r, struct mf_json_string *out, struct mf_err *err)
{
	const char *from = r->at + 1, *p = plain_run(from, r->end);
	bool escaped = false;
	while (p == r->end || *p != '"') {
		p = string_special(r, p, &escaped, err);
		if (!p)
			return -1;
		p = plain_run(p, r->end);
	}
	*out = (struct mf_json_string){{from, (size_t)(p - from)}, escaped};
	r->at = p + 1;
	return 0;
}

/* Reads the number at r->at. Beyond 64 bits or 1e308 readers differ about the value, so such numbers are
 * refused, except whole numbers where those may have any size. */
static int scan_number(struct mf_json_reader *r, struct mf_json_number *num, int64_t *value,
		       struct mf_err *err)
{
	const char *from = r->at, *p = mf_json_number_scan(from, r->end, num);
	if (!p)
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: malformed number at offset %zu",
			       (size_t)(from - r->start));
	*value = 0;
	bool in_range = num->plain ? mf_json_number_int64(num, value) : !mf_json_number_huge(num);
	bool any_size = num->plain && r->any_size;
	if (!in_range && !any_size)
		return fail_at(r, from, "number out of range", err);
	if (!in_range) /* outside any range that a caller may request */
		*value = num->negative ? INT64_MIN : INT64_MAX;
	bool exact = in_range && *value >= -MF_JSON_MAX_WHOLE && *value <= MF_JSON_MAX_WHOLE;
	if (!num->plain || (!exact && !any_size) ||
	    (num->negative && num->n_int == 1 && num->digits[0] == '0'))
		mark_odd(r, from);
	r->at = p;
	return 0;
}

static int scan_literal(struct mf_json_reader *r, struct mf_str word, struct mf_err *err)
{
	if ((size_t)(r->end - r->at) < word.n || memcmp(r->at, word.p, word.n) != 0)
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: '%s' expected at offset %zu", word.p,
			       (size_t)(r->at - r->start));
	r->at += word.n;
	return 0;
}

/* Enters the object or array whose bracket is at r->at. */
enum container { ARRAY, OBJECT };

static int open_container(struct mf_json_reader *r, enum container kind, struct mf_err *err)
{
	if (r->depth == MF_MAX_JSON_DEPTH)
		return fail_at(r, r->at, "too many nested objects and arrays", err);
	r->open[r->depth].is_object = kind == OBJECT;
	r->open[r->depth].sorted = true;
	r->open[r->depth].any = false;
	r->open[r->depth].first_key = r->nkeys;
	r->depth++;
	r->at++;
	return 0;
}

static struct mf_json_string key_string(const struct mf_json_key *k)
{
	return (struct mf_json_string){{k->p, k->n}, k->escaped};
}

static int key_cmp(const void *a, const void *b)
{
	return mf_json_string_cmp(key_string(a), key_string(b));
}

static int fail_duplicate(const struct mf_json_reader *r, struct mf_json_string name, struct mf_err *err)
{
	struct mf_esc e;
	return mf_fail(err, MF_E_FORMAT, 0, "JSON: member '%s' twice in an object, at offset %zu",
		       mf_esc(&e, name.raw), (size_t)(name.raw.p - r->start));
}

/* Records a name of the innermost object. Names in ascending order cannot repeat; others are checked at
 * the object's end. */
static inline int add_key(struct mf_json_reader *r, struct mf_json_string name, struct mf_err *err)
{
	/* jansson cannot store such a name, and C code would read a shorter one. */
	if (name.escaped && mf_json_string_has_nul(name))
		return fail_at(r, name.raw.p, "NUL in a member name", err);
	if (r->nkeys > r->open[r->depth - 1].first_key) {
		int c = mf_json_string_cmp(key_string(&r->keys[r->nkeys - 1]), name);
		if (c == 0)
			return fail_duplicate(r, name, err);
		if (c > 0) {
			r->open[r->depth - 1].sorted = false;
			mark_odd(r, name.raw.p + name.raw.n);
		}
	}
	if (r->nkeys == r->keys_cap) {
		void *keys = r->keys;
		if (mf_grow(&keys, &r->keys_cap, r->nkeys, sizeof *r->keys, err) < 0)
			return -1;
		r->keys = keys;
	}
	r->keys[r->nkeys++] = (struct mf_json_key){name.raw.p, name.raw.n, name.escaped};
	return 0;
}

static int check_unique(struct mf_json_reader *r, size_t first, struct mf_err *err)
{
	struct mf_json_key *k = r->keys + first;
	size_t n = r->nkeys - first;
	if (mf_json_sort(k, n, sizeof *k, key_cmp, err) < 0)
		return -1;
	for (size_t i = 1; i < n; i++)
		if (key_cmp(&k[i - 1], &k[i]) == 0)
			return fail_duplicate(r, key_string(&k[i]), err);
	return 0;
}

static inline int close_object(struct mf_json_reader *r, struct mf_err *err)
{
	size_t first = r->open[r->depth - 1].first_key;
	if (!r->open[r->depth - 1].sorted && check_unique(r, first, err) < 0)
		return -1;
	r->nkeys = first;
	r->depth--;
	r->at++;
	return 0;
}

static inline bool next_is(const struct mf_json_reader *r, char c)
{
	return r->at < r->end && *r->at == c;
}

/* Skips the comma that must precede every member or element but the first. */
static inline int comma(struct mf_json_reader *r, const char *expected, struct mf_err *err)
{
	bool *any = &r->open[r->depth - 1].any;
	if (!*any) {
		*any = true;
		return 0;
	}
	if (!next_is(r, ','))
		return fail_at(r, r->at, expected, err);
	r->at++;
	skip_space(r);
	return 0;
}

static inline enum mf_found object_next(struct mf_json_reader *r, struct mf_json_string *name,
					struct mf_err *err)
{
	struct mf_json_string s;
	skip_space(r);
	if (next_is(r, '}'))
		return close_object(r, err);
	if (comma(r, "',' or '}' expected", err) < 0)
		return MF_FAILED;
	if (!next_is(r, '"'))
		return fail_at(r, r->at, "member name expected", err);
	if (scan_string(r, &s, err) < 0 || add_key(r, s, err) < 0)
		return MF_FAILED;
	skip_space(r);
	if (!next_is(r, ':'))
		return fail_at(r, r->at, "':' expected", err);
	r->at++;
	*name = s;
	return MF_FOUND;
}

static inline enum mf_found array_next(struct mf_json_reader *r, struct mf_err *err)
{
	skip_space(r);
	if (next_is(r, ']')) {
		r->depth--;
		r->at++;
		return MF_ABSENT;
	}
	return comma(r, "',' or ']' expected", err) < 0 ? MF_FAILED : MF_FOUND;
}

/* Returns the first character of the next value: '0' for any number, 0 at the end. */
static inline char first_of_value(const struct mf_json_reader *r)
{
	if (r->at == r->end)
		return 0;
	return *r->at == '-' || (*r->at >= '0' && *r->at <= '9') ? '0' : *r->at;
}

/* Reads a scalar, enters an object or array. */
static inline int scan_value(struct mf_json_reader *r, struct mf_err *err)
{
	struct mf_json_string s;
	struct mf_json_number num;
	int64_t value;
	skip_space(r);
	switch (first_of_value(r)) {
	case '"':
		if (scan_string(r, &s, err) < 0)
			return -1;
		return r->no_nul && s.escaped && mf_json_string_has_nul(s)
			   ? fail_at(r, s.raw.p, "NUL in a string", err)
			   : 0;
	case '{':
		return open_container(r, OBJECT, err);
	case '[':
		return open_container(r, ARRAY, err);
	case 't':
		return scan_literal(r, MF_STR("true"), err);
	case 'f':
		return scan_literal(r, MF_STR("false"), err);
	case 'n':
		return scan_literal(r, MF_STR("null"), err);
	case '0':
		return scan_number(r, &num, &value, err);
	default:
		return fail_at(r, r->at, "value expected", err);
	}
}

int mf_json_skip(struct mf_json_reader *r, struct mf_str *slice, struct mf_err *err)
{
	struct mf_json_string name;
	size_t depth = r->depth;
	skip_space(r);
	const char *from = r->at;
	int more = 1; /* 1: a value is next, 0: one has just ended */
	do {
		if (more && scan_value(r, err) < 0)
			return -1;
		if (r->depth == depth)
			break;
		more = r->open[r->depth - 1].is_object ? object_next(r, &name, err) : array_next(r, err);
		if (more < 0)
			return -1;
	} while (more || r->depth > depth);
	if (slice)
		*slice = (struct mf_str){from, (size_t)(r->at - from)};
	return 0;
}

int mf_json_peek(struct mf_json_reader *r, enum mf_json_type *type, struct mf_err *err)
{
	static const char firsts[] = "{[\"0tfn";
	static const enum mf_json_type types[] = {MF_JSON_OBJECT, MF_JSON_ARRAY, MF_JSON_STRING,
						  MF_JSON_NUMBER, MF_JSON_TRUE,  MF_JSON_FALSE,
						  MF_JSON_NULL};
	skip_space(r);
	char c = first_of_value(r);
	const char *hit = c ? strchr(firsts, c) : NULL;
	if (!hit)
		return fail_at(r, r->at, "value expected", err);
	*type = types[hit - firsts];
	return 0;
}

int mf_json_object(struct mf_json_reader *r, struct mf_err *err)
{
	skip_space(r);
	return next_is(r, '{') ? open_container(r, OBJECT, err) : fail_at(r, r->at, "object expected", err);
}

enum mf_found mf_json_object_next(struct mf_json_reader *r, struct mf_json_string *name, struct mf_err *err)
{
	assert(r->depth > 0 && r->open[r->depth - 1].is_object);
	return object_next(r, name, err);
}

int mf_json_array(struct mf_json_reader *r, struct mf_err *err)
{
	skip_space(r);
	return next_is(r, '[') ? open_container(r, ARRAY, err) : fail_at(r, r->at, "array expected", err);
}

enum mf_found mf_json_array_next(struct mf_json_reader *r, struct mf_err *err)
{
	assert(r->depth > 0 && !r->open[r->depth - 1].is_object);
	return array_next(r, err);
}

int mf_json_string(struct mf_json_reader *r, struct mf_json_string *out, struct mf_err *err)
{
	skip_space(r);
	return next_is(r, '"') ? scan_string(r, out, err) : fail_at(r, r->at, "string expected", err);
}

int mf_json_bool(struct mf_json_reader *r, bool *out, struct mf_err *err)
{
	skip_space(r);
	bool value = next_is(r, 't');
	if (!value && !next_is(r, 'f'))
		return fail_at(r, r->at, "true or false expected", err);
	if (scan_literal(r, value ? MF_STR("true") : MF_STR("false"), err) < 0)
		return -1;
	*out = value;
	return 0;
}

int mf_json_int(struct mf_json_reader *r, int64_t min, int64_t max, int64_t *out, struct mf_err *err)
{
	struct mf_json_number num;
	int64_t value;
	skip_space(r);
	const char *from = r->at;
	if (first_of_value(r) != '0')
		return fail_at(r, from, "number expected", err);
	if (scan_number(r, &num, &value, err) < 0)
		return -1;
	if (!num.plain || (num.negative && value == 0))
		return fail_at(r, from, "whole number without fraction, exponent or -0 expected", err);
	if (value < min || value > max)
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: number outside %lld to %lld at offset %zu",
			       (long long)min, (long long)max, (size_t)(from - r->start));
	*out = value;
	return 0;
}

int mf_json_null(struct mf_json_reader *r, struct mf_err *err)
{
	skip_space(r);
	return scan_literal(r, MF_STR("null"), err);
}

size_t mf_json_offset(struct mf_json_reader *r)
{
	skip_space(r);
	return (size_t)(r->at - r->start);
}

bool mf_json_canonical_since(const struct mf_json_reader *r, size_t from)
{
	return r->last_odd <= from;
}

int mf_json_end(struct mf_json_reader *r, struct mf_err *err)
{
	assert(r->depth == 0);
	skip_space(r);
	if (r->at != r->end)
		return fail_at(r, r->at, "text behind the value", err);
	return 0;
}
