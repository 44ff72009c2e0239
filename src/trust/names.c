#include "trust/names.h"

#include "base/encode.h"

int mf_trust_name_gun(struct mf_buf *out, const char *gun, struct mf_err *err)
{
	return mf_pct_encode(out, mf_str_c(gun), "/", err);
}

int mf_trust_name_role(struct mf_buf *out, const char *role, int64_t version, struct mf_err *err)
{
	if ((version && mf_buf_printf(out, err, "%lld.", (long long)version) < 0) ||
	    mf_pct_encode(out, mf_str_c(role), "", err) < 0)
		return -1;
	return mf_buf_addz(out, ".json", err);
}

static bool has_odd_segment(struct mf_str name)
{
	for (size_t at = 0; at <= name.n;) {
		const char *slash = memchr(name.p + at, '/', name.n - at);
		size_t n = (slash ? (size_t)(slash - name.p) : name.n) - at;
		struct mf_str segment = {name.p + at, n};
		if (!n || mf_str_eq(segment, MF_STR(".")) || mf_str_eq(segment, MF_STR("..")))
			return true;
		at += n + 1;
	}
	return false;
}

int mf_trust_name_target(struct mf_buf *out, struct mf_str name, const struct mf_digest *sha256,
			 struct mf_err *err)
{
	const char *slash = name.n ? memrchr(name.p, '/', name.n) : NULL;
	size_t split = slash ? (size_t)(slash - name.p) + 1 : 0;
	char hex[65];
	if (!name.n || has_odd_segment(name)) {
		struct mf_esc e;
		return mf_fail(err, MF_E_FORMAT, 0, "target name '%s' cannot be a file name",
			       mf_esc(&e, name));
	}
	if (mf_buf_addz(out, "targets/", err) < 0 ||
	    mf_pct_encode(out, (struct mf_str){name.p, split}, "/", err) < 0)
		return -1;
	if (sha256) {
		mf_digest_hex(hex, sha256);
		if (mf_buf_printf(out, err, "%s.", hex) < 0)
			return -1;
	}
	return mf_pct_encode(out, (struct mf_str){name.p + split, name.n - split}, "", err);
}

int mf_trust_name_server(struct mf_buf *out, const char *scheme, const char *rest, struct mf_err *err)
{
	size_t len = strlen(rest);
	/* This part may be a password: the message does not repeat it. */
	if (strpbrk(rest, "@?#")) {
		(void)mf_fail(err, MF_E_USAGE, 0,
			      "the URL of a trust server is %sHOST[:PORT][/PATH], without user and query",
			      scheme);
		mf_err_set_hint(
		    err,
		    strchr(rest, '@')
			? "--trust-user USER and --trust-password-stdin, or MANIFESTO_TRUST_USERNAME and "
			  "MANIFESTO_TRUST_PASSWORD, give user and password"
			: "check --trust-server and MANIFESTO_TRUST_SERVER: the URL has neither '?' nor '#'");
		return -1;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)rest[i] <= ' ') {
			struct mf_esc esc;
			(void)mf_fail(err, MF_E_USAGE, 0,
				      "the URL of the trust server '%s%s' has a blank or a line break",
				      scheme, mf_esc(&esc, mf_str_c(rest)));
			mf_err_set_hint(err, "check --trust-server and MANIFESTO_TRUST_SERVER: the URL is "
					     "https://HOST[:PORT][/PATH]");
			return -1;
		}
	while (len && rest[len - 1] == '/')
		len--;
	if (!len || rest[0] == '/')
		return mf_fail(err, MF_E_USAGE, 0, "trust server '%s%s' names no host", scheme, rest);
	return mf_buf_printf(out, err, "%s%.*s", scheme, (int)len, rest);
}
