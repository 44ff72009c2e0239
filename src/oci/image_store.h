/* A store of images, blobs and manifests: one table of operations, implemented by a registry, an OCI image
 * layout and a bundle. A backend is untrusted: it moves bytes; digests and lengths are checked here,
 * whatever its headers claim. */
#ifndef MF_OCI_IMAGE_STORE_H
#define MF_OCI_IMAGE_STORE_H

#include "net/http.h"
#include "oci/reference.h"
#include "store/file.h"

#define MF_MT_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MF_MT_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MF_MT_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MF_MT_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MF_MT_OCI_EMPTY "application/vnd.oci.empty.v1+json"

/* image-spec 1.1, descriptor.md. Strings are owned, NULL when absent. */
struct mf_descriptor {
	struct mf_digest digest;
	uint64_t size;
	char *media_type; /* NULL in some layouts, though it is required */
	char *artifact_type;
	char *os, *architecture, *variant; /* platform */
	char *annotations; /* a JSON object of strings, compact, names sorted; NULL when absent */
};
void mf_descriptor_clear(struct mf_descriptor *d);
struct mf_descriptors {
	struct mf_descriptor *v;
	size_t n, cap;
};
void mf_descriptors_clear(struct mf_descriptors *d);
#define MF_DESCRIPTORS_CLEANUP MF_CLEANUP(mf_descriptors_clear)

/* A manifest or index whose digest was computed by us over these bytes. */
struct mf_manifest {
	struct mf_digest digest;
	struct mf_buf bytes;
	char media_type[128];
	bool is_index;
};
void mf_manifest_clear(struct mf_manifest *m);
#define MF_MANIFEST_CLEANUP MF_CLEANUP(mf_manifest_clear)

/* The manifests of an index (or Docker manifest list). Those that it names by another digest than sha256 are
 * left out and added to *foreign. MF_E_FORMAT when it is none. */
int mf_index_children(const struct mf_manifest *index, struct mf_descriptors *out, size_t *foreign,
		      struct mf_err *err) MF_NODISCARD;
bool mf_is_index_type(const char *media_type);
/* One of the four media types of manifests and indexes. */
bool mf_is_manifest_type(const char *media_type);

/* A tag and what it means. */
struct mf_tag {
	char *name;
	struct mf_digest digest;
	bool known; /* digest is set */
};
struct mf_tags {
	struct mf_tag *v;
	size_t n, cap;
};
void mf_tags_clear(struct mf_tags *t);
#define MF_TAGS_CLEANUP MF_CLEANUP(mf_tags_clear)

/* What a store has under the digest of a manifest. */
struct mf_looked {
	bool present;
	uint64_t size;
	char media_type[128];
};

/* The name of an image in a layout may be a full reference, as podman and buildah write it, and the directory
 * may hold
 * ':' as well. Unless the directory as it was parsed is a layout, takes the shortest
 * directory that is one, and what follows it as the name. */
int mf_layout_find(struct mf_ref *r, struct mf_err *err) MF_NODISCARD;

struct mf_image_store;
/* The reference's registry and repository, or its directory (which must hold oci-layout and index.json: else
 * MF_E_NOT_FOUND). http, auth and env are borrowed; a layout uses neither http nor auth. No request is made.
 * docker.io is asked at https://registry-1.docker.io. The scheme is https, but for a loopback host http is
 * tried first and then https (when the server asks for TLS or breaks the connection), and for a host that
 * plain HTTP was allowed for https first and then http (when there is no connection or no TLS). The first
 * answer decides for the handle's lifetime; there is no request just to find out. */
struct mf_image_store *mf_image_store_open(const struct mf_ref *ref, struct mf_http *http,
					   struct mf_auth *auth, const struct mf_env *env,
					   struct mf_err *err) MF_NODISCARD;
void mf_image_store_free(struct mf_image_store *s);
static inline void mf_image_store_cleanup(struct mf_image_store **s)
{
	mf_image_store_free(*s);
}
#define MF_IMAGE_STORE_CLEANUP MF_CLEANUP(mf_image_store_cleanup)

/* Resolving a tag: begun early so that it overlaps other requests, ended when the digest is needed. A HEAD is
 * enough: a tag is the registry's word however it is fetched; where the HEAD has no usable
 * Docker-Content-Digest the manifest is fetched and hashed. A layout with tag NULL: the only image there;
 * none or several (MF_E_AMBIGUOUS lists the tags). MF_E_NOT_FOUND. */
struct mf_resolve;
struct mf_resolve *mf_resolve_begin(struct mf_image_store *s, const char *tag,
				    struct mf_err *err) MF_NODISCARD;
/* Frees the resolve. media_type (128 bytes) and size may be NULL. */
int mf_resolve_end(struct mf_resolve *r, struct mf_digest *out, char *media_type, uint64_t *size,
		   struct mf_err *err) MF_NODISCARD;
void mf_resolve_cancel(struct mf_resolve *r); /* NULL is fine */

/* By digest: the bytes must have it (MF_E_DIGEST). By tag: fetched and hashed. 404: MF_E_NOT_FOUND. */
int mf_manifest_get(struct mf_image_store *s, const struct mf_digest *digest, struct mf_manifest *out,
		    struct mf_err *err) MF_NODISCARD;
int mf_manifest_get_tag(struct mf_image_store *s, const char *tag, struct mf_manifest *out,
			struct mf_err *err) MF_NODISCARD;
/* 1 present, 0 absent, -1. Several at once, requests in flight together; present[i] is set. */
int mf_manifests_have(struct mf_image_store *s, const struct mf_digest *digests, size_t n, bool *present,
		      struct mf_err *err) MF_NODISCARD;
/* Presence, size and media type of several, requests in flight together; what a HEAD does not give is found
 * by fetching. */
int mf_manifests_look(struct mf_image_store *s, const struct mf_digest *digests, size_t n,
		      struct mf_looked *out, struct mf_err *err) MF_NODISCARD;
/* The tags of images with their digests, sorted by name: those of a registry are listed page by page and
 * resolved with requests in flight together, one that goes meanwhile is left out; those of a layout stand in
 * index.json. The catalogue's tags and those that begin like a referrers tag ("sha256-<hex>") are no images.
 * A repository that is not there has no tags. MF_E_FORMAT beyond MF_MAX_TAGS. */
int mf_tags_list(struct mf_image_store *s, struct mf_tags *out, struct mf_err *err) MF_NODISCARD;
/* The same in two halves, so that requests that do not need each other are in flight together: begun, then
 * ended or cancelled once, which frees the call. The bytes are copied. NULL when it could not be begun. */
struct mf_manifest_call;
struct mf_manifest_call *mf_manifest_get_begin(struct mf_image_store *s, const char *tag,
					       struct mf_err *err) MF_NODISCARD;
int mf_manifest_get_end(struct mf_manifest_call *c, struct mf_manifest *out, struct mf_err *err) MF_NODISCARD;
struct mf_manifest_call *mf_manifest_put_begin(struct mf_image_store *s, const char *tag,
					       const char *media_type, struct mf_bytes bytes,
					       struct mf_err *err) MF_NODISCARD;
int mf_manifest_put_end(struct mf_manifest_call *c, bool *subject_seen, struct mf_descriptors *missing,
			struct mf_err *err) MF_NODISCARD;
/* Of a manifest that is not there: no failure. A registry that refuses it: MF_E_UNAVAILABLE or what else its
 * status means. A layout keeps what it has. */
struct mf_manifest_call *mf_manifest_delete_begin(struct mf_image_store *s, const struct mf_digest *digest,
						  struct mf_err *err) MF_NODISCARD;
int mf_manifest_delete_end(struct mf_manifest_call *c, struct mf_err *err) MF_NODISCARD;
void mf_manifest_call_cancel(struct mf_manifest_call *c); /* NULL is fine */

/* tag NULL: by digest. *subject_seen (NULL for a manifest without a subject): the registry answered
 * OCI-Subject, so it maintains referrers itself. missing (may be NULL): when the registry answers
 * MANIFEST_BLOB_UNKNOWN or MANIFEST_UNKNOWN, the digests it lacks are put there and the result is -1 with
 * MF_E_CONTENT_GONE; none of them when it names none. A registry that says it stored another digest:
 * MF_E_DIGEST. A layout stores the bytes as a blob; with a tag it also lists it in index.json (locked,
 * atomic). */
int mf_manifest_put(struct mf_image_store *s, const char *tag, const char *media_type, struct mf_bytes bytes,
		    bool *subject_seen, struct mf_descriptors *missing, struct mf_err *err) MF_NODISCARD;

int mf_blobs_have(struct mf_image_store *s, const struct mf_digest *digests, size_t n, bool *present,
		  struct mf_err *err) MF_NODISCARD;
/* One token, asked for with the first request, serves reading and writing. */
void mf_image_store_will_push(struct mf_image_store *s);
/* A blob up to this size is sent without asking first whether it is there: the question costs as much. */
#define MF_BLOB_UNASKED ((uint64_t)65536)
/* So many blobs, one or two, will be put: begins what does not depend on them. */
void mf_blobs_put_soon(struct mf_image_store *s, size_t n);
/* Existence check first; then one POST + PUT, streamed from the spool (which is hashed already). Idempotent.
 * An interrupted upload is visible to nobody. */
int mf_blob_put(struct mf_image_store *s, struct mf_spool *blob, const struct mf_digest *digest,
		uint64_t length, struct mf_err *err) MF_NODISCARD;
/* The same of several, those that are small together. */
struct mf_blob_source {
	struct mf_spool *blob;
	const struct mf_digest *digest;
	uint64_t length;
	bool optional; /* it need not be done */
	bool done;
};
int mf_blobs_put(struct mf_image_store *s, struct mf_blob_source *v, size_t n,
		 struct mf_err *err) MF_NODISCARD;
/* Stores bytes as a blob; their digest is given back. */
int mf_blob_put_bytes(struct mf_image_store *s, struct mf_bytes bytes, struct mf_digest *digest,
		      struct mf_err *err) MF_NODISCARD;
/* Downloads into a spool and ends it; digest and length must fit (MF_E_DIGEST). 404: MF_E_CONTENT_GONE. */
int mf_blob_get(struct mf_image_store *s, const struct mf_digest *digest, uint64_t length,
		struct mf_spool *out, struct mf_err *err) MF_NODISCARD;
/* Several small blobs, requests in flight together. What does not succeed is not `done`, and is then moved by
 * itself, which says why it cannot be. */
struct mf_blob_send {
	struct mf_digest digest;
	uint64_t length;
	struct mf_spool *blob; /* NULL: it is mounted, or nothing is done */
	const char *from;      /* the repository of the same registry that may have it, or NULL */
	bool done;
};
int mf_blobs_send(struct mf_image_store *s, struct mf_blob_send *v, size_t n,
		  struct mf_err *err) MF_NODISCARD;
struct mf_blob_fetch {
	struct mf_digest digest;
	uint64_t length;
	struct mf_spool *out; /* new; ended and verified where it is done, else of no use */
	bool done;
};
int mf_blobs_fetch(struct mf_image_store *s, struct mf_blob_fetch *v, size_t n,
		   struct mf_err *err) MF_NODISCARD;
/* Path of a blob in a layout, malloc'd; NULL for a registry. */
char *mf_blob_path(struct mf_image_store *s, const struct mf_digest *digest);

/* Where the referrers of a subject are listed. */
enum mf_referrers_by {
	MF_REFERRERS_API,    /* by the registry, from the manifests that it has */
	MF_REFERRERS_TAG,    /* at the fallback tag, by those who write it; also when it is not there yet */
	MF_REFERRERS_NOWHERE /* the fallback tag gives what is no list (GitLab's registry: the subject); a
				layout */
};
/* The lists of several subjects, requests in flight together; `each` gets them in order, may keep the list by
 * emptying *list, and stops with -1. Nothing trusts them, so an answer that is no list means that there is
 * none: the referrers API is there when it answers with a list (paged by Link); a registry without it is
 * asked once. A registry that does not answer is an error, never an empty list. */
typedef int (*mf_referrers_fn)(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
			       struct mf_err *err);
int mf_referrers_each(struct mf_image_store *s, const struct mf_digest *subjects, size_t n,
		      mf_referrers_fn each, void *arg, struct mf_err *err) MF_NODISCARD;
/* Is it known already that the registry has the API? Then its lists need no writing. */
bool mf_referrers_api(const struct mf_image_store *s);
/* Fallback tag of a subject: "sha256-<hex>". */
void mf_referrers_tag(char out[80], const struct mf_digest *subject);

#endif
