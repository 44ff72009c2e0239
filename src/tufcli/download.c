#include "tufcli/download.h"

#include <limits.h>

#include "base/encode.h"
#include "base/limits.h"
#include "store/file.h"

/* ---- names */

int mf_download_check_name(const char *name, struct mf_err *err)
{
	struct mf_esc e;
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const char *shown = mf_esc(&e, mf_str_c(name));
	for (const char *segment = name;;) {
		size_t n = strcspn(segment, "/");
		if (!n || (n == 1 && segment[0] == '.') || (n == 2 && segment[0] == '.' && segment[1] == '.'))
			return mf_fail(err, MF_E_USAGE, 0,
				       "target name '%s' has an empty, '.' or '..' segment", shown);
		if (!segment[n])
			break;
		segment += n + 1;
	}
	if (strlen(name) > NAME_MAX || mf_pct_encode(&file, mf_str_c(name), "", err) < 0 || file.n > NAME_MAX)
		return err->code ? -1
				 : mf_fail(err, MF_E_USAGE, 0,
					   "target name '%s' has more than %d bytes as a file name", shown,
					   NAME_MAX);
	return 0;
}

static char *target_path(const struct mf_download *d, struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	if (mf_pct_encode(&file, mf_str_c(d->name), "", err) < 0)
		return NULL;
	char *path = mf_path_join(d->to->dir, mf_buf_str(&file).p, NULL);
	if (!path)
		(void)mf_fail_nomem(err);
	return path;
}

/* URL/<directories>/[HASH.]<last segment> */
static int target_url(const struct mf_download *d, struct mf_buf *url, struct mf_err *err)
{
	const char *slash = strrchr(d->name, '/'), *base = slash ? slash + 1 : d->name;
	const char *to = d->to->url;
	size_t n = strlen(to);
	char hex[129];
	mf_hex_encode(hex, d->info->has_sha256 ? d->info->sha256.b : d->info->sha512,
		      d->info->has_sha256 ? 32 : 64);
	if (mf_buf_addz(url, to, err) < 0 || (n && to[n - 1] != '/' && mf_buf_addc(url, '/', err) < 0) ||
	    mf_pct_encode(url, (struct mf_str){d->name, (size_t)(base - d->name)}, "/", err) < 0 ||
	    (d->prefixed && mf_buf_printf(url, err, "%s.", hex) < 0))
		return -1;
	return mf_pct_encode(url, mf_str_c(base), "", err);
}

/* ---- bytes */

static struct mf_spool *new_spool(const struct mf_tuf_target_info *info, struct mf_err *err)
{
	/* An empty target gets room for one octet: one too many is then reported as a wrong length, not as a
	 * malformed answer. */
	struct mf_spool *s = mf_spool_new(info->length ? info->length : 1, err);
	if (!s || !info->has_sha512 || mf_spool_want_sha512(s, err) == 0)
		return s;
	mf_spool_free(s);
	return NULL;
}

/* Does it have the length and all hashes that the metadata states? */
static enum mf_found check_spool(struct mf_spool *s, const struct mf_tuf_target_info *info,
				 struct mf_err *err)
{
	struct mf_digest d;
	uint64_t length;
	if (mf_spool_end(s, &d, &length, err) < 0)
		return MF_FAILED;
	bool fits = length == info->length && (!info->has_sha256 || mf_digest_eq(&d, &info->sha256)) &&
		    (!info->has_sha512 || memcmp(mf_spool_sha512(s), info->sha512, sizeof info->sha512) == 0);
	return fits ? MF_FOUND : MF_ABSENT;
}

/* Is the file in the directory the target already? */
static enum mf_found is_there(const struct mf_download *d, const char *path, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_spool *s MF_SPOOL_CLEANUP = new_spool(d->info, err);
	struct mf_digest ignored;
	uint64_t length;
	if (!s)
		return MF_FAILED;
	if (mf_spool_from_stored(s, path, &ignored, &length, &why) < 0)
		return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
	return check_spool(s, d->info, err);
}

static int fetch_target(const struct mf_download *d, struct mf_spool *s, struct mf_err *err)
{
	struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_esc e;
	const char *name = mf_esc(&e, mf_str_c(d->name));
	if (target_url(d, &url, err) < 0)
		return -1;
	enum mf_found found =
	    d->fetcher->get(d->fetcher->arg, mf_buf_str(&url).p, d->info->length, mf_spool_write, s, err);
	if (found == MF_ABSENT) {
		(void)mf_fail(err, MF_E_CONTENT_GONE, 0, "target '%s' is signed, but its content is missing",
			      name);
		mf_err_set_endpoint(err, mf_buf_str(&url).p);
	}
	if (found != MF_FOUND)
		return -1;
	enum mf_found fits = check_spool(s, d->info, err);
	if (fits == MF_ABSENT) {
		(void)mf_fail(err, MF_E_DIGEST, 0,
			      "target '%s': length or hashes do not match the signed values", name);
		mf_err_set_endpoint(err, mf_buf_str(&url).p);
	}
	return fits == MF_FOUND ? 0 : -1;
}

int mf_download_target(const struct mf_download *d, struct mf_err *err)
{
	struct mf_esc e;
	if (d->info->length > d->to->max_length)
		return mf_fail(err, MF_E_FORMAT, 0, "target '%s' has %llu bytes, more than the limit of %llu",
			       mf_esc(&e, mf_str_c(d->name)), (unsigned long long)d->info->length,
			       (unsigned long long)d->to->max_length);
	char *path MF_FREE = target_path(d, err);
	enum mf_found there = path ? is_there(d, path, err) : MF_FAILED;
	if (there != MF_ABSENT)
		return there == MF_FOUND ? 0 : -1;
	struct mf_spool *s MF_SPOOL_CLEANUP = new_spool(d->info, err);
	if (!s || fetch_target(d, s, err) < 0 || mf_dir_make(d->to->dir, 0755, err) < 0)
		return -1;
	return mf_spool_store(s, path, 0644, MF_SYNC, err);
}
