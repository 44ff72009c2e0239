#include <locale.h>

#include "json/internal.h"

/* Builds the tree without json_loadb: when jansson's parser lacks memory for a long string or number, it
 * continues and drops octets of it. */
static json_t *load_value(struct mf_json_reader *r, struct mf_buf *text, struct mf_err *err);

/* Converts the result of adding a value to a container, which takes ownership of the value. */
static int keep(int rc, struct mf_err *err)
{
	return rc < 0 ? mf_fail_nomem(err) : 0;
}

static int load_text(struct mf_json_string s, struct mf_buf *text, struct mf_err *err)
{
	mf_buf_reset(text);
	return mf_json_string_decode(s, text, err);
}

static int load_members(struct mf_json_reader *r, json_t *o, struct mf_buf *text, struct mf_err *err)
{
	struct mf_json_string s;
	int more;
	if (mf_json_object(r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(r, &s, err)) > 0) {
		json_t *value = load_value(r, text, err);
		if (!value)
			return -1;
		bool fine = load_text(s, text, err) == 0;
		/* jansson's names end at a NUL: the rest would be lost. */
		if (fine && memchr(mf_buf_str(text).p, 0, text->n))
			fine = mf_fail(err, MF_E_FORMAT, 0, "JSON: NUL in a member's name") == 0;
		if (!fine) {
			json_decref(value);
			return -1;
		}
		if (keep(json_object_set_new_nocheck(o, mf_buf_str(text).p, value), err) < 0)
			return -1;
	}
	return more;
}

static int load_elements(struct mf_json_reader *r, json_t *a, struct mf_buf *text, struct mf_err *err)
{
	int more;
	if (mf_json_array(r, err) < 0)
		return -1;
	while ((more = mf_json_array_next(r, err)) > 0) {
		json_t *value = load_value(r, text, err);
		if (!value || keep(json_array_append_new(a, value), err) < 0)
			return -1;
	}
	return more;
}

static json_t *load_string(struct mf_json_reader *r, struct mf_buf *text, struct mf_err *err)
{
	struct mf_json_string s;
	if (mf_json_string(r, &s, err) < 0 || load_text(s, text, err) < 0)
		return NULL;
	return json_stringn_nocheck(mf_buf_str(text).p, text->n);
}

/* strtod would use the decimal point of the process's locale, which may be another one. */
static json_t *load_real(struct mf_str digits, struct mf_buf *text, struct mf_err *err)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	mf_buf_reset(text);
	json_t *j = NULL;
	if (c && mf_buf_add_str(text, digits, err) == 0)
		j = json_real(strtod_l(text->p, NULL, c));
	if (c)
		freelocale(c);
	return j;
}

static json_t *load_number(struct mf_json_reader *r, struct mf_buf *text, struct mf_err *err)
{
	struct mf_str digits;
	struct mf_json_number number;
	int64_t value;
	if (mf_json_skip(r, &digits, err) < 0)
		return NULL;
	if (mf_json_number_scan(digits.p, digits.p + digits.n, &number) && number.plain &&
	    mf_json_number_int64(&number, &value))
		return json_integer(value);
	return load_real(digits, text, err);
}

static json_t *load_literal(struct mf_json_reader *r, enum mf_json_type type, struct mf_err *err)
{
	if (mf_json_skip(r, NULL, err) < 0)
		return NULL;
	return type == MF_JSON_TRUE ? json_true() : type == MF_JSON_FALSE ? json_false() : json_null();
}

/* Returns NULL without an error when out of memory. */
static json_t *load_any(struct mf_json_reader *r, struct mf_buf *text, struct mf_err *err)
{
	enum mf_json_type type;
	json_t *j MF_JSON_CLEANUP = NULL;
	if (mf_json_peek(r, &type, err) < 0)
		return NULL;
	switch (type) {
	case MF_JSON_OBJECT:
		j = json_object();
		return j && load_members(r, j, text, err) == 0 ? json_incref(j) : NULL;
	case MF_JSON_ARRAY:
		j = json_array();
		return j && load_elements(r, j, text, err) == 0 ? json_incref(j) : NULL;
	case MF_JSON_STRING:
		return load_string(r, text, err);
	case MF_JSON_NUMBER:
		return load_number(r, text, err);
	case MF_JSON_TRUE:
	case MF_JSON_FALSE:
	case MF_JSON_NULL:
		break;
	}
	return load_literal(r, type, err);
}

static json_t *load_value(struct mf_json_reader *r, struct mf_buf *text, struct mf_err *err)
{
	json_t *j = load_any(r, text, err);
	if (!j && !err->code)
		(void)mf_fail_nomem(err);
	return j;
}

json_t *mf_json_load(struct mf_bytes doc, size_t max, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(doc.n + 1);
	mf_json_reader_init(&r, doc);
	if (doc.n > max) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "JSON: the document has %zu bytes, more than %zu", doc.n,
			      max);
		return NULL;
	}
	json_t *j MF_JSON_CLEANUP = load_value(&r, &text, err);
	return j && mf_json_end(&r, err) == 0 ? json_incref(j) : NULL;
}

json_t *mf_json_load_written(struct mf_bytes doc, size_t max, struct mf_err *err)
{
	if (doc.n >= 2 && (memcmp(doc.p, "\xff\xfe", 2) == 0 || memcmp(doc.p, "\xfe\xff", 2) == 0)) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "JSON: the file is UTF-16, expected UTF-8");
		return NULL;
	}
	return mf_json_load(doc.n ? mf_bytes_of(mf_str_skip_bom(mf_str_of(doc))) : doc, max, err);
}

json_t *mf_json_copy(json_t *o, struct mf_err *err)
{
	json_t *copy MF_JSON_CLEANUP = json_object(), *value;
	const char *name;
	bool whole = copy != NULL;
	json_object_foreach(o, name, value) whole = whole && json_object_set_nocheck(copy, name, value) == 0;
	if (whole)
		return json_incref(copy);
	(void)mf_fail_nomem(err);
	return NULL;
}

/* Finds a member of this type. If an optional member is absent, *out does not change. */
static int get(const json_t *o, const char *name, enum mf_json_need need, json_type type, json_t **out,
	       struct mf_err *err)
{
	static const char *const types[] = {[JSON_OBJECT] = "an object",
					    [JSON_ARRAY] = "an array",
					    [JSON_STRING] = "a string",
					    [JSON_INTEGER] = "a whole number"};
	if (!json_is_object(o))
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: object with member '%s' expected", name);
	json_t *j = json_object_get(o, name);
	if (!j)
		return need == MF_JSON_OPTIONAL
			   ? 0
			   : mf_fail(err, MF_E_FORMAT, 0, "JSON: member '%s' missing", name);
	if (json_typeof(j) != type)
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: member '%s' is not %s", name, types[type]);
	*out = j;
	return 0;
}

int mf_json_get_str(const json_t *o, const char *name, enum mf_json_need need, const char **out,
		    struct mf_err *err)
{
	json_t *j = NULL;
	if (get(o, name, need, JSON_STRING, &j, err) < 0)
		return -1;
	if (j && strlen(json_string_value(j)) != json_string_length(j))
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: NUL in member '%s'", name);
	if (j)
		*out = json_string_value(j);
	return 0;
}

int mf_json_get_int(const json_t *o, const char *name, enum mf_json_need need, int64_t min, int64_t max,
		    int64_t *out, struct mf_err *err)
{
	json_t *j = NULL;
	if (get(o, name, need, JSON_INTEGER, &j, err) < 0)
		return -1;
	if (!j)
		return 0;
	int64_t value = json_integer_value(j);
	if (value < min || value > max)
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: member '%s' outside %lld to %lld", name,
			       (long long)min, (long long)max);
	*out = value;
	return 0;
}

int mf_json_get_obj(const json_t *o, const char *name, enum mf_json_need need, json_t **out,
		    struct mf_err *err)
{
	return get(o, name, need, JSON_OBJECT, out, err);
}

int mf_json_get_arr(const json_t *o, const char *name, enum mf_json_need need, json_t **out,
		    struct mf_err *err)
{
	return get(o, name, need, JSON_ARRAY, out, err);
}

static const char *plain_text(const json_t *j)
{
	const char *text = json_string_value(j);
	return text && strlen(text) == json_string_length(j) ? text : NULL;
}

int mf_json_get_strs(const json_t *o, const char *name, enum mf_json_need need, size_t max, const char ***out,
		     size_t *n, struct mf_err *err)
{
	json_t *list = NULL;
	if (mf_json_get_arr(o, name, need, &list, err) < 0)
		return -1;
	if (!list)
		return 0;
	size_t size = json_array_size(list);
	if (!size || size > max)
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' must have 1 to %zu items", name, max);
	const char **v MF_FREE = mf_calloc(size, sizeof *v);
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < size; i++)
		if (!(v[i] = plain_text(json_array_get(list, i))))
			return mf_fail(err, MF_E_FORMAT, 0, "'%s' must contain only plain strings", name);
	*out = v;
	v = NULL;
	*n = size;
	return 0;
}

static bool is_one_of(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

int mf_json_check_members(const json_t *o, const char *const *names, struct mf_err *err)
{
	/* jansson's iteration needs a non-const tree, but does not change it. */
	json_t *tree = (json_t *)(uintptr_t)o;
	struct mf_esc e;
	if (!json_is_object(o))
		return mf_fail(err, MF_E_FORMAT, 0, "not an object");
	for (void *it = json_object_iter(tree); it; it = json_object_iter_next(tree, it))
		if (!is_one_of(names, json_object_iter_key(it)))
			return mf_fail(err, MF_E_FORMAT, 0, "unknown member '%s'",
				       mf_esc(&e, mf_str_c(json_object_iter_key(it))));
	return 0;
}

struct dump {
	struct mf_buf *text;
	struct mf_err *err;
};

static int dump_part(const char *p, size_t n, void *arg)
{
	struct dump *d = arg;
	return d->err->code ? -1 : mf_buf_add(d->text, p, n, d->err);
}

/* jansson continues when a member's name could not be written, so an error in any part counts. */
int mf_json_dump(const json_t *j, size_t flags, struct mf_buf *out, struct mf_err *err)
{
	struct dump d = {out, err};
	size_t before = out->n;
	int rc = json_dump_callback(j, dump_part, &d, flags);
	if (rc == 0 && !err->code)
		return 0;
	mf_buf_cut(out, before);
	return err->code
		   ? -1
		   : mf_fail(err, MF_E_INTERNAL, 0, "JSON: out of memory, or the tree has no text form");
}

/* jansson's own text is not canonical (control characters, order of members), so it is converted. */
int mf_json_dump_canonical(const json_t *j, struct mf_buf *out, struct mf_err *err)
{
	/* An escape of at most six bytes becomes one byte of the canonical form. */
	struct mf_buf text MF_BUF_CLEANUP =
	    MF_BUF_INIT(out->max > SIZE_MAX / 8 ? SIZE_MAX / 2 : out->max * 6);
	if (mf_json_dump(j, JSON_COMPACT | JSON_ENCODE_ANY, &text, err) < 0)
		return -1;
	return mf_json_canonicalize_plain(mf_buf_str(&text), out, err);
}
