#include "trust/download.h"

#include <limits.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"

/* All hashes that the metadata states, over one pass of the bytes. */
struct hashes {
	struct mf_hash *sha256, *sha512;
};

static void hashes_clear(struct hashes *h)
{
	mf_hash_free(h->sha256);
	mf_hash_free(h->sha512);
}

static int hashes_begin(struct hashes *h, const struct mf_tuf_target_info *info, struct mf_err *err)
{
	if (info->has_sha256 && !(h->sha256 = mf_hash_new(err)))
		return -1;
	return info->has_sha512 && !(h->sha512 = mf_hash_new_sha512(err)) ? -1 : 0;
}

static int hashes_add(struct hashes *h, const void *p, size_t n, struct mf_err *err)
{
	if (h->sha256 && mf_hash_add(h->sha256, p, n, err) < 0)
		return -1;
	return h->sha512 ? mf_hash_add(h->sha512, p, n, err) : 0;
}

/* 1: the hashes and the length are those of the metadata; 0; -1. */
static int hashes_fit(struct hashes *h, uint64_t length, const struct mf_tuf_target_info *info,
		      struct mf_err *err)
{
	struct mf_digest d;
	uint8_t d512[64];
	if ((h->sha256 && mf_hash_end(h->sha256, &d, err) < 0) ||
	    (h->sha512 && mf_hash_end_sha512(h->sha512, d512, err) < 0))
		return -1;
	return length == info->length && (!h->sha256 || mf_digest_eq(&d, &info->sha256)) &&
	       (!h->sha512 || memcmp(d512, info->sha512, sizeof d512) == 0);
}

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
					   "target name '%s' has more than %d octets as a file name", shown,
					   NAME_MAX);
	return 0;
}

static char *target_path(const struct mf_download *d, struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	if (mf_pct_encode(&file, mf_str_c(d->name), "", err) < 0)
		return NULL;
	char *path = mf_path_join(d->place->dir, mf_buf_str(&file).p, NULL);
	if (!path)
		(void)mf_fail_nomem(err);
	return path;
}

/* URL/<directories>/[HASH.]<last segment> */
static int target_url(const struct mf_download *d, struct mf_buf *url, struct mf_err *err)
{
	const char *slash = strrchr(d->name, '/'), *base = slash ? slash + 1 : d->name;
	const char *to = d->place->url;
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

struct sink {
	struct mf_spool *spool;
	struct hashes hashes;
	uint64_t length;
};

static int sink_add(void *arg, const void *p, size_t n, struct mf_err *err)
{
	struct sink *s = arg;
	s->length += n;
	return hashes_add(&s->hashes, p, n, err) < 0 ? -1 : mf_spool_add(s->spool, p, n, err);
}

static void sink_clear(struct sink *s)
{
	mf_spool_free(s->spool);
	hashes_clear(&s->hashes);
}

static int sink_begin(struct sink *s, const struct mf_tuf_target_info *info, struct mf_err *err)
{
	/* A spool of nothing takes one octet: its bound is a bound, not a length. */
	s->spool = mf_spool_new(info->length ? info->length : 1, NULL, err);
	return s->spool ? hashes_begin(&s->hashes, info, err) : -1;
}

/* Is the file in the directory the target already? 1, 0, -1. */
static int is_there(const struct mf_download *d, const char *path, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct sink s MF_CLEANUP(sink_clear) = {0};
	struct mf_digest none;
	uint64_t length, at = 0;
	char chunk[65536];
	size_t got = 1;
	if (sink_begin(&s, d->info, err) < 0)
		return -1;
	if (mf_spool_from_stored(s.spool, path, &none, &length, &why) < 0)
		return why.code == MF_E_NOMEM ? mf_fail_nomem(err) : 0;
	while (got) {
		if (mf_spool_read(s.spool, at, chunk, sizeof chunk, &got, err) < 0 ||
		    hashes_add(&s.hashes, chunk, got, err) < 0)
			return -1;
		at += got;
	}
	return hashes_fit(&s.hashes, length, d->info, err);
}

static int fetch_target(const struct mf_download *d, struct sink *s, struct mf_err *err)
{
	struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_esc e;
	const char *name = mf_esc(&e, mf_str_c(d->name));
	if (target_url(d, &url, err) < 0)
		return -1;
	int rc = d->fetcher->get(d->fetcher->arg, mf_buf_str(&url).p, d->info->length, sink_add, s, err);
	if (rc == 0) {
		(void)mf_fail(err, MF_E_CONTENT_GONE, 0,
			      "target '%s' is signed, but its content is not there", name);
		mf_err_set_endpoint(err, mf_buf_str(&url).p);
	}
	if (rc <= 0)
		return -1;
	rc = hashes_fit(&s->hashes, s->length, d->info, err);
	if (rc == 0) {
		(void)mf_fail(err, MF_E_DIGEST, 0, "the bytes of target '%s' are not those that were signed",
			      name);
		mf_err_set_endpoint(err, mf_buf_str(&url).p);
	}
	return rc == 1 ? 0 : -1;
}

int mf_download_target(const struct mf_download *d, struct mf_err *err)
{
	struct mf_esc e;
	if (d->info->length > d->place->max_length)
		return mf_fail(err, MF_E_FORMAT, 0, "target '%s' is announced with %ju octets, more than %ju",
			       mf_esc(&e, mf_str_c(d->name)), (uintmax_t)d->info->length,
			       (uintmax_t)d->place->max_length);
	char *path MF_FREE = target_path(d, err);
	int rc = path ? is_there(d, path, err) : -1;
	if (rc)
		return rc < 0 ? -1 : 0;
	struct sink s MF_CLEANUP(sink_clear) = {0};
	struct mf_digest none;
	uint64_t length;
	if (sink_begin(&s, d->info, err) < 0 || fetch_target(d, &s, err) < 0 ||
	    mf_spool_end(s.spool, &none, &length, err) < 0 || mf_dir_make(d->place->dir, 0755, err) < 0)
		return -1;
	return mf_spool_store(s.spool, path, 0644, true, err);
}
