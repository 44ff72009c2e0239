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

/* What a tag stands for, as far as the backend can report it without the manifest's bytes. */
struct mf_resolved {
	struct mf_digest digest;
	char media_type[128]; /* "": the media type and the size are unknown */
	uint64_t size;
	bool unknown; /* the digest is unknown: the manifest must be fetched and hashed */
};

/* Backends move bytes; the front end in image_store.c does the checks. `b` is the backend's own state. */
struct mf_backend_ops {
	void (*free)(void *b);
	void *(*resolve_begin)(void *b, const char *tag, struct mf_err *err);
	int (*resolve_end)(void *b, void *call, struct mf_resolved *out, struct mf_err *err);
	/* Requests that are begun, then ended or cancelled once, which frees them. The name and the manifest
	 * are borrowed until then. manifest_get_end gives the bytes and the claimed media type ("" when there
	 * is none); MF_E_NOT_FOUND. */
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
	/* Sets `done` of those that were put. The caller puts the others one by one, which reports their
	 * errors. */
	void (*blobs_put_together)(void *b, struct mf_blob_source *v, size_t n);
	/* Adds the bytes to `out`, at most about `length` of them. MF_E_CONTENT_GONE. */
	int (*blob_get)(void *b, const struct mf_digest *digest, uint64_t length, struct mf_spool *out,
			struct mf_err *err);
	/* Moves several small blobs at once. A blob that fails is not `done`, which is no error. */
	int (*blobs_send)(void *b, struct mf_blob_send *v, size_t n, struct mf_err *err);
	int (*blobs_fetch)(void *b, struct mf_blob_fetch *v, size_t n, struct mf_err *err);
	char *(*blob_path)(void *b, const struct mf_digest *digest);
	/* A size of UINT64_MAX, or an empty media type, means unknown. */
	int (*manifests_look)(void *b, const struct mf_digest *digests, size_t n, struct mf_looked *out,
			      struct mf_err *err);
	/* Appends the tags of images. The caller resolves those that are not `known`. */
	int (*tags)(void *b, struct mf_tags *out, struct mf_err *err);
	/* Calls `each` with the list of referrers of each subject, in order. */
	int (*referrers)(struct mf_image_store *s, const struct mf_digest *subjects, size_t n,
			 mf_referrers_fn each, void *arg, struct mf_err *err);
};

struct mf_image_store {
	const struct mf_backend_ops *ops;
	void *b;
	bool is_layout;
	/* Whether the registry lists referrers itself, as its answers have shown. */
	enum { MF_API_UNKNOWN, MF_API_ABSENT, MF_API_THERE } referrers_api;
	bool subject_unseen; /* the registry stored a manifest with a subject without answering OCI-Subject */
};

/* For backends without round trips, where moving one blob after another is as fast: these do nothing. */
void mf_backend_pushes_nothing(void *b);
void mf_backend_begins_nothing(void *b, size_t n);
int mf_backend_sends_none(void *b, struct mf_blob_send *v, size_t n, struct mf_err *err) MF_NODISCARD;
int mf_backend_fetches_none(void *b, struct mf_blob_fetch *v, size_t n, struct mf_err *err) MF_NODISCARD;

/* These make a backend and set store->ops and store->b. */
int mf_layout_open(struct mf_image_store *store, const struct mf_ref *ref, const struct mf_env *env,
		   struct mf_err *err) MF_NODISCARD;
int mf_registry_open(struct mf_image_store *store, const struct mf_ref *ref, struct mf_http *http,
		     struct mf_auth *auth, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;

/* Computes the digest of m->bytes, compares it with `want` unless that is NULL (MF_E_DIGEST), and reads media
 * type and kind from the content; content_type is the fallback. MF_E_FORMAT. */
int mf_manifest_seal(struct mf_manifest *m, const struct mf_digest *want, const char *content_type,
		     struct mf_err *err) MF_NODISCARD;
/* Initialises an empty manifest, and sets the maximum of its buffer. */
void mf_manifest_init(struct mf_manifest *m);

/* Appends a tag, unless it does not name an image. digest NULL: unknown. MF_E_FORMAT beyond MF_MAX_TAGS. */
int mf_tags_add(struct mf_tags *list, const char *name, const struct mf_digest *digest,
		struct mf_err *err) MF_NODISCARD;

/* Reads one descriptor from JSON. *out is overwritten on success, and then owned by the caller.
 * MF_E_FORMAT. */
int mf_descriptor_read(const json_t *j, struct mf_descriptor *out, struct mf_err *err) MF_NODISCARD;
/* True for a descriptor with another digest algorithm ("sha512:..."), which is not an error but cannot be
 * used here. */
bool mf_descriptor_foreign(const json_t *j);
/* Moves *d to the end of the list; *d is empty afterwards, on failure too. */
int mf_descriptors_take(struct mf_descriptors *list, struct mf_descriptor *d,
			struct mf_err *err) MF_NODISCARD;
/* Appends the descriptors of a list of referrers that `list` does not have yet (by digest). Entries that
 * cannot be read are left out, since nothing trusts the list. MF_E_FORMAT when `index` is not a list. */
int mf_descriptors_merge(struct mf_descriptors *list, const json_t *index, struct mf_err *err) MF_NODISCARD;
/* Appends compact JSON with sorted member names: the same tree always gives the same bytes. */
int mf_json_text(const json_t *j, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

#endif
