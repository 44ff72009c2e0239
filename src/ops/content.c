/* The bytes of a record: verified wherever they come from. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "oci/spool_hash.h"
#include "ops/ops.h"
#include "trust/names.h"

static char *cache_path(const struct mf_image *im, const struct mf_digest *d)
{
	char hex[65];
	mf_digest_hex(hex, d);
	return mf_path_join(im->m->opt.cache_dir, "blobs", hex, NULL);
}

/* The file of a target in a local trust repository. */
static char *target_path(const struct mf_image *im, struct mf_str name, const struct mf_digest *d,
			 struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	bool hashed = mf_trust_set(im->trust)->root->consistent_snapshot;
	if (mf_trust_name_target(&file, name, hashed ? d : NULL, err) < 0)
		return NULL;
	char *path = mf_path_join(mf_trust_dir(im->trust), mf_buf_str(&file).p, NULL);
	if (!path)
		(void)mf_fail_nomem(err);
	return path;
}

int mf_content_put_target(struct mf_image *im, struct mf_str name, struct mf_spool *blob,
			  const struct mf_digest *digest, struct mf_err *err)
{
	char *path MF_FREE = target_path(im, name, digest, err), *source MF_FREE = NULL;
	struct mf_err no_link = MF_ERR_INIT;
	if (!path)
		return -1;
	char *dir MF_FREE = mf_str_dup((struct mf_str){path, (size_t)(strrchr(path, '/') - path)});
	if (!dir)
		return mf_fail_nomem(err);
	if (mf_dir_make_shared(dir, err) < 0)
		return -1;
	mf_dir_sweep(dir, mf_env_now(&im->m->env));
	source = mf_blob_path(im->blobs, digest);
	/* A link on the blob spares a copy; links fail across file systems and, mostly, on files of other
	 * users. What lies there already may be damaged: it is replaced, by what has the same digest. */
	if (source && mf_file_link(source, path, &no_link) == 0)
		return 0;
	return mf_spool_store(blob, path, 0644, true, err);
}

int mf_content_has_target(struct mf_image *im, struct mf_str name, const struct mf_tuf_target_info *info,
			  bool *has, struct mf_err *err)
{
	struct stat st;
	*has = false;
	if (mf_trust_dir(im->trust)) {
		char *path MF_FREE = target_path(im, name, &info->sha256, err);
		if (!path)
			return -1;
		*has = stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == info->length;
		return 0;
	}
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new_sha256(info->length ? info->length : 1, err);
	int rc = s ? mf_trust_target_get(im->trust, name, info, s, err) : -1;
	*has = rc > 0;
	return rc < 0 ? -1 : 0;
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

/* What keeps a target file from being used goes to `why`, and the content is looked for elsewhere. */
static int from_directory(struct mf_image *im, struct mf_str name, const struct mf_tuf_target_info *info,
			  struct mf_spool *out, struct mf_err *why, struct mf_err *err)
{
	char *path MF_FREE = target_path(im, name, &info->sha256, err);
	if (!path)
		return -1;
	int rc = from_file(path, info, out, err);
	if (rc == 0 && mf_file_exists(path))
		(void)mf_fail(why, MF_E_DIGEST, 0, "the target file '%s' is damaged", path);
	return rc;
}

static int check_content(struct mf_spool *s, const struct mf_tuf_target_info *info, struct mf_err *err)
{
	struct mf_digest d;
	uint64_t n;
	if (mf_spool_end(s, &d, &n, err) < 0)
		return -1;
	if (n == info->length && mf_digest_eq(&d, &info->sha256))
		return 0;
	return mf_fail(err, MF_E_DIGEST, 0, "the target file on the trust server is not what was signed");
}

/* The failures that no other place for the content can make good. */
static bool is_ours(const struct mf_err *err)
{
	return err->code == MF_E_NOMEM || err->code == MF_E_IO || err->code == MF_E_CANCELLED;
}

/* From the trust repository on a web server: whoever may read the metadata needs no login at the registry. */
static int from_web(struct mf_image *im, struct mf_str name, const struct mf_tuf_target_info *info,
		    struct mf_spool *out, struct mf_err *why, struct mf_err *err)
{
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new_sha256(info->length ? info->length : 1, err);
	if (!s)
		return -1;
	int rc = mf_trust_target_get(im->trust, name, info, s, why);
	if (rc == 1 && check_content(s, info, why) == 0)
		return copy_spool(s, out, err) < 0 ? -1 : 1;
	if (rc == 0)
		return 0;
	if (why->code == MF_E_FORMAT) /* more than was signed */
		(void)mf_recode(why, MF_E_DIGEST);
	if (!why->endpoint[0])
		mf_err_set_endpoint(why, mf_trust_where(im->trust));
	if (is_ours(why)) {
		*err = *why;
		return -1;
	}
	mf_env_log(&im->m->env, MF_LOG_INFO, "%s; looking for the content elsewhere", why->msg);
	return 0;
}

/* The store failed after the trust repository's targets had: what it lacks may be there once their trouble is
 * over. */
static int graver(const struct mf_err *why, struct mf_err *err)
{
	if (why->code && !is_ours(err) &&
	    (err->code == MF_E_CONTENT_GONE ||
	     mf_exit_graver(mf_code_exit(why->code), mf_code_exit(err->code))))
		*err = *why;
	return -1;
}

static void keep_in_cache(struct mf_image *im, const char *path, struct mf_spool *content)
{
	struct mf_err ignored = MF_ERR_INIT;
	char *dir MF_FREE = mf_path_join(im->m->opt.cache_dir, "blobs", NULL);
	if (dir && path && mf_dir_make(dir, 0700, &ignored) == 0)
		(void)!mf_spool_store(content, path, 0600, false, &ignored);
}

int mf_content_get(struct mf_image *im, struct mf_str name, const struct mf_tuf_target_info *info,
		   struct mf_spool *out, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	bool local = mf_trust_dir(im->trust) != NULL;
	int rc = 0;
	if (info->length > MF_MAX_BLOB_BYTES)
		return mf_fail(err, MF_E_FORMAT, 0, "the record's content has %llu bytes",
			       (unsigned long long)info->length);
	if (local)
		rc = from_directory(im, name, info, out, &why, err);
	char *cached MF_FREE = cache_path(im, &info->sha256);
	bool use_cache = im->blobs && !local && info->length <= MF_MAX_CACHED_BLOB;
	if (rc == 0 && use_cache)
		rc = from_file(cached, info, out, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (!local)
		rc = from_web(im, name, info, out, &why, err);
	if (rc < 0)
		return -1;
	if (rc == 0 && mf_blob_get(im->blobs, &info->sha256, info->length, out, err) < 0)
		return graver(&why, err);
	if (use_cache)
		keep_in_cache(im, cached, out);
	return 0;
}
