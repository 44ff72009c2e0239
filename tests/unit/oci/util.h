/* What tests of image stores share: blobs, manifests and digests made on the spot. */
#ifndef TESTS_UNIT_OCI_UTIL_H
#define TESTS_UNIT_OCI_UTIL_H

#include "../store/tmpdir.h"

#include "base/limits.h"
#include "crypto/hash.h"
#include "oci/artifact.h"
#include "store/file.h"

#define assert_ok(call, err)                                                                                 \
	do {                                                                                                 \
		if (call)                                                                                    \
			fail_msg("%s: %s", #call, (err).msg);                                                \
	} while (0)

#define assert_fails(call, err, want)                                                                        \
	do {                                                                                                 \
		assert_int_equal(call, -1);                                                                  \
		if ((err).code != (want))                                                                    \
			fail_msg("%s: code %d, not %d: %s", #call, (err).code, want, (err).msg);             \
		mf_err_clear(&(err));                                                                        \
	} while (0)

static inline struct mf_bytes bytes_of(const char *z)
{
	return mf_bytes_of(mf_str_c(z));
}

static inline struct mf_digest digest_of(const char *z)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	assert_ok(mf_sha256(bytes_of(z), &d, &err), err);
	return d;
}

static inline const char *digest_text(const struct mf_digest *d)
{
	static char text[8][MF_DIGEST_TEXT];
	static unsigned next;
	char *p = text[next++ % 8];
	mf_digest_format(p, d);
	return p;
}

static inline struct mf_image_store *open_store(const char *text, struct mf_http *http, struct mf_auth *auth,
						const struct mf_env *env)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_ref ref MF_REF_CLEANUP = {0};
	assert_ok(mf_ref_parse(&ref, mf_str_c(text), &err), err);
	struct mf_image_store *s = mf_image_store_open(&ref, http, auth, env, &err);
	if (!s)
		fail_msg("open %s: %s", text, err.msg);
	return s;
}

/* Puts a blob of text, gives its digest. */
static inline struct mf_digest put_blob(struct mf_image_store *s, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	uint64_t n;
	struct mf_spool *spool MF_SPOOL_CLEANUP = mf_spool_new(1 << 20, &err);
	assert_non_null(spool);
	assert_ok(mf_spool_add(spool, text, strlen(text), &err), err);
	assert_ok(mf_spool_end(spool, &d, &n, &err), err);
	assert_ok(mf_blob_put(s, spool, &d, n, &err), err);
	return d;
}

static inline int get_blob(struct mf_image_store *s, const struct mf_digest *d, uint64_t length,
			   char out[4096], struct mf_err *err)
{
	struct mf_spool *spool MF_SPOOL_CLEANUP = mf_spool_new(1 << 20, err);
	size_t got;
	assert_non_null(spool);
	if (mf_blob_get(s, d, length, spool, err))
		return -1;
	assert_ok(mf_spool_read(spool, 0, out, 4095, &got, err), *err);
	out[got] = '\0';
	return 0;
}

/* A manifest with an empty config and one layer that was put before. */
static inline void make_manifest(char out[2048], const struct mf_digest *layer, size_t length,
				 const char *more)
{
	struct mf_digest empty = digest_of("{}");
	(void)snprintf(out, 2048,
		       "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\","
		       "\"digest\":\"%s\",\"size\":2},"
		       "\"layers\":[{\"mediaType\":\"text/plain\",\"digest\":\"%s\",\"size\":%zu}]%s}",
		       MF_MT_OCI_MANIFEST, MF_MT_OCI_EMPTY, digest_text(&empty), digest_text(layer), length,
		       more);
}

/* Stores an image of one layer under a tag (or none); its digest. */
static inline struct mf_digest put_image(struct mf_image_store *s, const char *tag, const char *layer)
{
	struct mf_err err = MF_ERR_INIT;
	char manifest[2048];
	(void)put_blob(s, "{}");
	struct mf_digest blob = put_blob(s, layer);
	make_manifest(manifest, &blob, strlen(layer), "");
	assert_ok(mf_manifest_put(s, tag, MF_MT_OCI_MANIFEST, bytes_of(manifest), NULL, NULL, &err), err);
	return digest_of(manifest);
}

static inline int resolve(struct mf_image_store *s, const char *tag, struct mf_digest *out, char *media_type,
			  uint64_t *size, struct mf_err *err)
{
	struct mf_resolve *r = mf_resolve_begin(s, tag, err);
	return r ? mf_resolve_end(r, out, media_type, size, err) : -1;
}

struct listing {
	struct mf_descriptors *list;
	enum mf_referrers_by by;
};

static inline int take_listing(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
			       struct mf_err *err)
{
	struct listing *l = arg;
	(void)i;
	(void)err;
	mf_descriptors_clear(l->list);
	*l->list = *list;
	*list = (struct mf_descriptors){0};
	l->by = by;
	return 0;
}

/* The referrers of one subject. by may be NULL. */
static inline int list_referrers(struct mf_image_store *s, const struct mf_digest *subject,
				 struct mf_descriptors *list, enum mf_referrers_by *by, struct mf_err *err)
{
	struct listing l = {.list = list};
	int rc = mf_referrers_each(s, subject, 1, take_listing, &l, err);
	if (by)
		*by = l.by;
	return rc;
}

/* Adds to the fallback list of one subject; of ours only what is added and the nkeep kept stays. */
static inline int update_list(struct mf_image_store *s, const struct mf_digest *subject,
			      const struct mf_descriptor *add, size_t nadd, const struct mf_digest *keep,
			      size_t nkeep, struct mf_err *err)
{
	struct mf_digest all[8];
	assert_true(nadd + nkeep <= 8);
	for (size_t i = 0; i < nadd; i++)
		all[i] = add[i].digest;
	for (size_t i = 0; i < nkeep; i++)
		all[nadd + i] = keep[i];
	struct mf_referrers_change c = {
	    .subject = *subject, .add = add, .nadd = nadd, .keep = all, .nkeep = nadd + nkeep};
	return mf_referrers_update(s, &c, 1, err);
}

static inline int set_catalogue(struct mf_image_store *s, const struct mf_catalogue_record *r, size_t n,
				struct mf_err *err)
{
	return mf_catalogue_set(s, r, n, (struct mf_catalogue_scope){0}, err) == MF_CATALOGUE_DONE ? 0 : -1;
}

#endif
