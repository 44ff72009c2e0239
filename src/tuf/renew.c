/* A file once more: what it says stays, version and expiry are new. */
#include "base/encode.h"
#include "base/limits.h"
#include "tuf/build.h"

static int comma(struct mf_buf *out, struct mf_err *err)
{
	return out->p[out->n - 1] == '{' ? 0 : mf_buf_addc(out, ',', err);
}

static bool is_made_anew(struct mf_json_string name)
{
	return mf_json_string_eq(name, "version") || mf_json_string_eq(name, "expires") ||
	       mf_json_string_eq(name, MF_TUF_OF_ROLE);
}

/* The members of "signed", which the reader is in front of, but version, expiry and role. */
static int copy_members(struct mf_json_reader *r, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_string name;
	struct mf_str value;
	int rc;
	if (mf_json_object(r, err) < 0 || mf_buf_addc(out, '{', err) < 0)
		return -1;
	while ((rc = mf_json_object_next(r, &name, err)) > 0) {
		if (mf_json_skip(r, &value, err) < 0)
			return -1;
		if (is_made_anew(name))
			continue;
		if (comma(out, err) < 0 || mf_buf_addc(out, '"', err) < 0 ||
		    mf_buf_add_str(out, name.raw, err) < 0 || mf_buf_addz(out, "\":", err) < 0 ||
		    mf_buf_add_str(out, value, err) < 0)
			return -1;
	}
	return rc;
}

/* The "signed" object as plain JSON. */
static int rewrite(const struct mf_tuf_file *old, const char *role, int64_t version, int64_t expires,
		   struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	char text[MF_TIME_LEN];
	int rc;
	mf_json_reader_init(&r, mf_buf_bytes(&old->bytes));
	if (mf_json_object(&r, err) < 0)
		return -1;
	while ((rc = mf_json_object_next(&r, &name, err)) > 0 && !mf_json_string_eq(name, "signed"))
		if (mf_json_skip(&r, NULL, err) < 0)
			return -1;
	if (rc <= 0)
		return rc < 0 ? -1 : mf_fail(err, MF_E_INTERNAL, 0, "the file has no signed part");
	mf_time_format(text, expires);
	if (copy_members(&r, out, err) < 0 || comma(out, err) < 0)
		return -1;
	if (mf_buf_printf(out, err, "\"expires\":\"%s\",\"version\":%lld", text, (long long)version) < 0 ||
	    (role && (mf_buf_addz(out, ",\"" MF_TUF_OF_ROLE "\":", err) < 0 ||
		      mf_json_quote(mf_str_c(role), out, err) < 0)))
		return -1;
	return mf_buf_addc(out, '}', err);
}

int mf_tuf_build_renewed(const struct mf_tuf_file *old, const char *role, int64_t version, int64_t expires,
			 struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(old->bytes.n + 256 + 6 * MF_MAX_ROLE_NAME);
	if (rewrite(old, role, version, expires, &text, err) < 0)
		return -1;
	return mf_json_canonicalize(mf_buf_str(&text), out, err);
}
