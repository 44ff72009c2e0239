/* The bytes of a record: verified wherever they come from. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "oci/spool_hash.h"
#include "ops/ops.h"

static char *cache_path(const struct mf_image *im, const struct mf_digest *d)
{
	char hex[65];
	mf_digest_hex(hex, d);
	return mf_path_join(im->m->opt.cache_dir, "blobs", hex, NULL);
}

/* TARGETS/<dirs>/<sha256>.<basename>: where any TUF client looks for a target of a consistent snapshot
 * (TUF 1.0, section 6.2). */
static char *target_path(const struct mf_image *im, struct mf_str name, const struct mf_digest *d, char **dir,
			 struct mf_err *err)
{
	const char *base = mf_trust_dir(im->trust), *slash = memrchr(name.p, '/', name.n);
	size_t split = slash ? (size_t)(slash - name.p) + 1 : 0;
	struct mf_buf dirs MF_BUF_CLEANUP = MF_BUF_INIT(4096), file MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	char hex[65];
	mf_digest_hex(hex, d);
	if (mf_pct_encode(&dirs, (struct mf_str){name.p, split ? split - 1 : 0}, "/", err) < 0 ||
	    mf_buf_printf(&file, err, "%s.", hex) < 0 ||
	    mf_pct_encode(&file, (struct mf_str){name.p + split, name.n - split}, "", err) < 0)
		return NULL;
	*dir = mf_path_join(base, "targets", mf_buf_str(&dirs).p, NULL);
	char *path = *dir ? mf_path_join(*dir, mf_buf_str(&file).p, NULL) : NULL;
	if (!path)
		(void)mf_fail_nomem(err);
	return path;
}

int mf_content_put_target(struct mf_image *im, struct mf_str name, struct mf_spool *blob,
			  const struct mf_digest *digest, struct mf_err *err)
{
	char *dir MF_FREE = NULL, *path MF_FREE = target_path(im, name, digest, &dir, err);
	char *source MF_FREE = mf_blob_path(im->blobs, digest);
	if (!path || mf_dir_make(dir, 0755, err) < 0)
		return -1;
	/* A link on the blob spares a copy; links fail across file systems and on others' files. What lies
	 * there already may be damaged: it is replaced. */
	if (source) {
		char *tmp MF_FREE = NULL;
		if (asprintf(&tmp, "%s.%08x", path, mf_random_below(UINT32_MAX)) < 0)
			return mf_fail_nomem(err);
		if (link(source, tmp) == 0) {
			int rc = rename(tmp, path);
			(void)unlink(tmp); /* rename of two links to one file leaves both */
			if (rc == 0)
				return 0;
		}
	}
	return mf_spool_store(blob, path, 0644, true, err);
}

/* A local file as the blob: 1 when its digest and length fit, else 0 and the spool must be made anew. */
static int try_file(const char *path, const struct mf_tuf_target_info *info, struct mf_spool *out)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_digest d;
	uint64_t n;
	return mf_spool_from_stored(out, path, &d, &n, &ignored) == 0 && n == info->length &&
	       mf_digest_eq(&d, &info->sha256);
}

static int copy_spool(struct mf_spool *from, struct mf_spool *to, struct mf_err *err)
{
	char chunk[65536];
	struct mf_digest d;
	uint64_t at = 0, n;
	size_t got;
	do {
		if (mf_spool_read(from, at, chunk, sizeof chunk, &got, err) < 0 ||
		    mf_spool_add(to, chunk, got, err) < 0)
			return -1;
		at += got;
	} while (got);
	return mf_spool_end(to, &d, &n, err);
}

/* From a file when it is right. 1, 0, -1. */
static int from_file(const char *path, const struct mf_tuf_target_info *info, struct mf_spool *out,
		     struct mf_err *err)
{
	if (!path)
		return mf_fail_nomem(err);
	/* Others write there: a FIFO would block, a device never end. */
	struct stat st;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != info->length)
		return 0;
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new_sha256(info->length ? info->length : 1, err);
	if (!s)
		return -1;
	if (!try_file(path, info, s))
		return 0;
	return copy_spool(s, out, err) < 0 ? -1 : 1;
}

static int from_target(struct mf_image *im, struct mf_str name, const struct mf_tuf_target_info *info,
		       struct mf_spool *out, bool *damaged, struct mf_err *err)
{
	char *dir MF_FREE = NULL, *path MF_FREE = target_path(im, name, &info->sha256, &dir, err);
	if (!path)
		return -1;
	int rc = from_file(path, info, out, err);
	*damaged = rc == 0 && mf_file_exists(path);
	return rc;
}

int mf_content_get(struct mf_image *im, struct mf_str name, const struct mf_tuf_target_info *info,
		   struct mf_spool *out, struct mf_err *err)
{
	bool damaged = false;
	int rc = 0;
	if (info->length > MF_MAX_BLOB_BYTES)
		return mf_fail(err, MF_E_FORMAT, 0, "the record's content has %llu bytes",
			       (unsigned long long)info->length);
	if (mf_trust_dir(im->trust))
		rc = from_target(im, name, info, out, &damaged, err);
	char *cached MF_FREE = cache_path(im, &info->sha256);
	bool use_cache = im->blobs && !mf_trust_dir(im->trust) && info->length <= MF_MAX_CACHED_BLOB;
	if (rc == 0 && use_cache)
		rc = from_file(cached, info, out, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (mf_blob_get(im->blobs, &info->sha256, info->length, out, err) < 0) {
		if (damaged && err->code == MF_E_CONTENT_GONE)
			(void)mf_recode(err, MF_E_DIGEST);
		return -1;
	}
	if (use_cache) {
		struct mf_err ignored = MF_ERR_INIT;
		char *dir MF_FREE = mf_path_join(im->m->opt.cache_dir, "blobs", NULL);
		if (dir && cached && mf_dir_make(dir, 0700, &ignored) == 0)
			(void)!mf_spool_store(out, cached, 0600, false, &ignored);
	}
	return 0;
}
