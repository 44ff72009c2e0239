/* Inside oci only: the operations of a backend of an image store, and helpers that the backends share. */
#ifndef MF_OCI_BACKEND_H
#define MF_OCI_BACKEND_H

#include "json/json.h"

#include "oci/image_store.h"

#define MF_EMPTY_JSON_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

/* How a manifest is requested: by its digest, or by a tag. */
struct mf_manifest_name {
	const char *tag; /* NULL: by digest */
	const struct mf_digest *digest;
};

/* What a tag means, as far as the backend reports it without the manifest's bytes. */
struct mf_resolved {
	struct mf_digest digest;
	char media_type[128]; /* "": not known, nor is the size */
	uint64_t size;
	bool unknown; /* the backend cannot say: fetch and hash */
};

/* Backends move bytes. The front end in image_store.c has the checks. `b` is the backend's own state. */
struct mf_backend_ops {
	void (*free)(void *b);
	void *(*resolve_begin)(void *b, const char *tag, struct mf_err *err);
	int (*resolve_end)(void *b, void *call, struct mf_resolved *out, struct mf_err *err);
	/* Requests that are begun, then ended or cancelled once, which frees them. The name and the manifest
	 * are borrowed until then. Get: bytes and the claimed media type ("" when there is none);
	 * MF_E_NOT_FOUND. */
	void *(*manifest_get_begin)(void *b, struct mf_manifest_name name, struct mf_err *err);
	int (*manifest_get_end)(void *b, void *call, struct mf_buf *bytes, char content_type[256],
				struct mf_err *err);
	void *(*manifest_put_begin)(void *b, struct mf_manifest_name name, const struct mf_manifest *m,
				    struct mf_err *err);
	int (*manifest_put_end)(void *b, void *call, bool *subject_seen, struct mf_descriptors *missing,
				struct mf_err *err);
	void *(*manifest_delete_begin)(void *b, const struct mf_digest *digest, struct mf_err *err);
	int (*manifest_delete_end)(void *b, void *call, struct mf_err *err);
	void (*cancel)(void *b, void *call);
	int (*manifests_have)(void *b, const struct mf_digest *digests, size_t n, bool *present,
			      struct mf_err *err);
	int (*blobs_have)(void *b, const struct mf_digest *digests, size_t n, bool *present,
			  struct mf_err *err);
	void (*will_push)(void *b);
	void (*blobs_put_soon)(void *b, size_t n);
	int (*blob_put)(void *b, struct mf_spool *blob, const struct mf_digest *digest, uint64_t length,
			struct mf_err *err);
	/* Sets `done` of those that were put. The others are put one by one, which says what is wrong with
	 * them. */
	void (*blobs_put_together)(void *b, struct mf_blob_source *v, size_t n);
	/* Adds the bytes to `out`, at most about `length` of them. MF_E_CONTENT_GONE. */
	int (*blob_get)(void *b, const struct mf_digest *digest, uint64_t length, struct mf_spool *out,
			struct mf_err *err);
	/* Several small blobs at once: those that did not succeed are not `done`, which is no failure. */
	int (*blobs_send)(void *b, struct mf_blob_send *v, size_t n, struct mf_err *err);
	int (*blobs_fetch)(void *b, struct mf_blob_fetch *v, size_t n, struct mf_err *err);
	char *(*blob_path)(void *b, const struct mf_digest *digest);
	/* A size of UINT64_MAX, or no media type: unknown. */
	int (*manifests_look)(void *b, const struct mf_digest *digests, size_t n, struct mf_looked *out,
			      struct mf_err *err);
	/* Appends the tags of images; those not `known` are to be resolved. */
	int (*tags)(void *b, struct mf_tags *out, struct mf_err *err);
	/* The lists of referrers, for each subject in order. */
	int (*referrers)(struct mf_image_store *s, const struct mf_digest *subjects, size_t n,
			 mf_referrers_fn each, void *arg, struct mf_err *err);
};

struct mf_image_store {
	const struct mf_backend_ops *ops;
	void *b;
	bool is_layout;
	/* Does the registry list referrers itself? Learned from its answers. */
	enum { MF_API_UNKNOWN, MF_API_ABSENT, MF_API_THERE } referrers_api;
	bool subject_unseen; /* it stored a manifest with a subject, and did not answer OCI-Subject */
};

/* For backends without round trips, which move one after another as fast: nothing is done. */
int mf_backend_sends_none(void *b, struct mf_blob_send *v, size_t n, struct mf_err *err) MF_NODISCARD;
int mf_backend_fetches_none(void *b, struct mf_blob_fetch *v, size_t n, struct mf_err *err) MF_NODISCARD;

/* Make a backend and set store->ops and store->b. */
int mf_layout_open(struct mf_image_store *store, const struct mf_ref *ref, const struct mf_env *env,
		   struct mf_err *err) MF_NODISCARD;
int mf_registry_open(struct mf_image_store *store, const struct mf_ref *ref, struct mf_http *http,
		     struct mf_auth *auth, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;

/* Computes the digest of m->bytes, checks it against `want` unless that is NULL (MF_E_DIGEST), and reads
 * media type and kind from the content; content_type is the fallback. MF_E_FORMAT. */
int mf_manifest_seal(struct mf_manifest *m, const struct mf_digest *want, const char *content_type,
		     struct mf_err *err) MF_NODISCARD;
/* Empties a manifest and gives its buffer the maximum. */
void mf_manifest_init(struct mf_manifest *m);

/* Appends a tag unless it is none of an image; digest NULL: not known. MF_E_FORMAT beyond MF_MAX_TAGS. */
int mf_tags_add(struct mf_tags *list, const char *name, const struct mf_digest *digest,
		struct mf_err *err) MF_NODISCARD;

/* One descriptor of JSON; `out` is empty before and owned by the caller on success. MF_E_FORMAT. */
int mf_descriptor_read(const json_t *j, struct mf_descriptor *out, struct mf_err *err) MF_NODISCARD;
/* Is it of another digest algorithm, "sha512:..."? Well formed, but not for us. */
bool mf_descriptor_foreign(const json_t *j);
/* Moves *d to the end of the list; *d is empty afterwards, on failure too. */
int mf_descriptors_take(struct mf_descriptors *list, struct mf_descriptor *d,
			struct mf_err *err) MF_NODISCARD;
/* Appends the descriptors of a list of referrers that `list` does not hold yet (by digest); those that cannot
 * be read are left out, since nothing trusts the list. MF_E_FORMAT when it is none. */
int mf_descriptors_merge(struct mf_descriptors *list, const json_t *index, struct mf_err *err) MF_NODISCARD;
/* Compact JSON with sorted member names, the same bytes for the same tree. Appended. */
int mf_json_text(const json_t *j, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

#endif
