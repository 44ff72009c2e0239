#include "json/internal.h"

json_t *mf_json_load(struct mf_bytes doc, size_t max, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	json_error_t why;
	mf_json_reader_init(&r, doc);
	if (doc.n > max) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "JSON: document of %zu bytes, more than %zu", doc.n, max);
		return NULL;
	}
	if (mf_json_skip(&r, NULL, err) < 0 || mf_json_end(&r, err) < 0)
		return NULL;
	json_t *j = json_loadb((const char *)doc.p, doc.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
			       &why);
	if (j)
		return j;
	if (json_error_code(&why) == json_error_out_of_memory)
		(void)mf_fail_nomem(err);
	else
		(void)mf_fail(err, MF_E_FORMAT, 0, "JSON: %s", why.text);
	return NULL;
}

/* The member, in *out; NULL there when it is absent and need not be present. */
static int get(const json_t *o, const char *name, bool req, json_t **out, struct mf_err *err)
{
	if (!json_is_object(o))
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: object with member '%s' expected", name);
	*out = json_object_get(o, name);
	if (!*out && req)
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: member '%s' missing", name);
	return 0;
}

static int fail_type(const char *name, const char *type, struct mf_err *err)
{
	return mf_fail(err, MF_E_FORMAT, 0, "JSON: member '%s' is not %s", name, type);
}

int mf_json_get_str(const json_t *o, const char *name, bool req, const char **out, struct mf_err *err)
{
	json_t *j = NULL;
	if (get(o, name, req, &j, err) < 0)
		return -1;
	if (!j)
		return 0;
	const char *s = json_string_value(j);
	if (!s)
		return fail_type(name, "a string", err);
	if (strlen(s) != json_string_length(j))
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: NUL in member '%s'", name);
	*out = s;
	return 0;
}

int mf_json_get_int(const json_t *o, const char *name, bool req, int64_t min, int64_t max, int64_t *out,
		    struct mf_err *err)
{
	json_t *j = NULL;
	if (get(o, name, req, &j, err) < 0)
		return -1;
	if (!j)
		return 0;
	if (!json_is_integer(j))
		return fail_type(name, "a whole number", err);
	int64_t value = json_integer_value(j);
	if (value < min || value > max)
		return mf_fail(err, MF_E_FORMAT, 0, "JSON: member '%s' outside %lld to %lld", name, (long long)min,
			       (long long)max);
	*out = value;
	return 0;
}

int mf_json_get_bool(const json_t *o, const char *name, bool req, bool *out, struct mf_err *err)
{
	json_t *j = NULL;
	if (get(o, name, req, &j, err) < 0)
		return -1;
	if (!j)
		return 0;
	if (!json_is_boolean(j))
		return fail_type(name, "true or false", err);
	*out = json_is_true(j);
	return 0;
}

int mf_json_get_obj(const json_t *o, const char *name, bool req, json_t **out, struct mf_err *err)
{
	json_t *j = NULL;
	if (get(o, name, req, &j, err) < 0)
		return -1;
	if (!j)
		return 0;
	if (!json_is_object(j))
		return fail_type(name, "an object", err);
	*out = j;
	return 0;
}

int mf_json_get_arr(const json_t *o, const char *name, bool req, json_t **out, struct mf_err *err)
{
	json_t *j = NULL;
	if (get(o, name, req, &j, err) < 0)
		return -1;
	if (!j)
		return 0;
	if (!json_is_array(j))
		return fail_type(name, "an array", err);
	*out = j;
	return 0;
}

struct dump {
	struct mf_buf text;
	struct mf_err *err;
};

static int dump_part(const char *p, size_t n, void *arg)
{
	struct dump *d = arg;
	return mf_buf_add(&d->text, p, n, d->err);
}

/* jansson's own text is not canonical (control characters, member order): it goes through the one writer. */
int mf_json_dump_canonical(const json_t *j, struct mf_buf *out, struct mf_err *err)
{
	/* An escape is at most six bytes for one of canonical form. */
	struct dump d = {MF_BUF_INIT(out->max > SIZE_MAX / 8 ? SIZE_MAX / 2 : out->max * 6), err};
	int rc = json_dump_callback(j, dump_part, &d, JSON_COMPACT | JSON_ENCODE_ANY);
	if (rc == 0)
		rc = mf_json_canonicalize_plain(mf_buf_str(&d.text), out, err);
	else if (err->code == MF_OK)
		rc = mf_fail(err, MF_E_FORMAT, 0, "JSON: the tree has no text form");
	mf_buf_clear(&d.text);
	return rc < 0 ? -1 : 0;
}
