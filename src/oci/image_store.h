/* A store of images: manifests and blobs. One table of operations is implemented by a registry, an OCI image
 * layout and a bundle. A backend is untrusted: it moves bytes, and digests and lengths are checked here,
 * whatever the backend claims. */
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

/* A manifest or index. The digest was computed here, over these bytes. */
struct mf_manifest {
	struct mf_digest digest;
	struct mf_buf bytes;
	char media_type[128];
	bool is_index;
};
void mf_manifest_clear(struct mf_manifest *m);
#define MF_MANIFEST_CLEANUP MF_CLEANUP(mf_manifest_clear)

/* Lists the manifests of an index (or Docker manifest list). Those with another digest algorithm than sha256
 * are left out and counted in *foreign. MF_E_FORMAT when it is no index. */
int mf_index_children(const struct mf_manifest *index, struct mf_descriptors *out, size_t *foreign,
		      struct mf_err *err) MF_NODISCARD;
bool mf_is_index_type(const char *media_type);
/* True for the four media types of manifests and indexes. */
bool mf_is_manifest_type(const char *media_type);

/* A tag and the digest that it stands for. */
struct mf_tag {
	char *name;
	struct mf_digest digest;
	bool known; /* `digest` is set */
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

/* Splits the reference of a layout again, into directory and name. Both may contain ':': podman and buildah
 * write a full reference as the name. The split of the parser stays if its directory is a layout; otherwise
 * the shortest directory that is a layout is taken, and what follows it is the name. */
int mf_layout_find(struct mf_ref *r, struct mf_err *err) MF_NODISCARD;

struct mf_image_store;
/* Opens the reference's registry and repository, or its directory (which must hold oci-layout and index.json:
 * else MF_E_NOT_FOUND). http, auth and env are borrowed; a layout uses neither http nor auth. Opening makes
 * no request. The requests for docker.io go to https://registry-1.docker.io. The scheme is https, with two
 * exceptions: a loopback host gets http first and then https (when the server asks for TLS or breaks the
 * connection); a host for which plain HTTP was allowed gets https first and then http (when there is no
 * connection or no TLS). The first answer decides for the lifetime of the handle; no request is made only to
 * find out. */
struct mf_image_store *mf_image_store_open(const struct mf_ref *ref, struct mf_http *http,
					   struct mf_auth *auth, const struct mf_env *env,
					   struct mf_err *err) MF_NODISCARD;
void mf_image_store_free(struct mf_image_store *s);
static inline void mf_image_store_cleanup(struct mf_image_store **s)
{
	mf_image_store_free(*s);
}
#define MF_IMAGE_STORE_CLEANUP MF_CLEANUP(mf_image_store_cleanup)

/* Resolves a tag. It is begun early, so that it overlaps other requests, and ended when the digest is needed.
 * A HEAD is enough: however a tag is fetched, its meaning rests on the registry alone. Where the HEAD has no
 * usable Docker-Content-Digest, the manifest is fetched and hashed. In a layout, tag NULL means the only
 * image there; MF_E_AMBIGUOUS lists the images if there are several. MF_E_NOT_FOUND. */
struct mf_resolve;
struct mf_resolve *mf_resolve_begin(struct mf_image_store *s, const char *tag,
				    struct mf_err *err) MF_NODISCARD;
/* Ends and frees the resolve. media_type (128 bytes) and size may be NULL; "" means that the media type is
 * unknown. */
int mf_resolve_end(struct mf_resolve *r, struct mf_digest *out, char *media_type, uint64_t *size,
		   struct mf_err *err) MF_NODISCARD;
void mf_resolve_cancel(struct mf_resolve *r); /* NULL is fine */

/* Fetches a manifest and hashes it. By digest: the bytes must have that digest (MF_E_DIGEST). 404:
 * MF_E_NOT_FOUND. */
int mf_manifest_get(struct mf_image_store *s, const struct mf_digest *digest, struct mf_manifest *out,
		    struct mf_err *err) MF_NODISCARD;
int mf_manifest_get_tag(struct mf_image_store *s, const char *tag, struct mf_manifest *out,
			struct mf_err *err) MF_NODISCARD;
/* Sets present[i] for each digest. The requests are in flight together. */
int mf_manifests_have(struct mf_image_store *s, const struct mf_digest *digests, size_t n, bool *present,
		      struct mf_err *err) MF_NODISCARD;
/* Presence, size and media type of several manifests. The requests are in flight together. What the answer to
 * a HEAD does not give is found by fetching the manifest. */
int mf_manifests_look(struct mf_image_store *s, const struct mf_digest *digests, size_t n,
		      struct mf_looked *out, struct mf_err *err) MF_NODISCARD;
/* The tags of images with their digests, sorted by name. Those of a registry are listed page by page and
 * resolved with requests in flight together; a tag that vanishes meanwhile is left out. Those of a layout are
 * in index.json. The catalogue's tags and those that begin like a referrers tag ("sha256-<hex>") are not
 * images. A repository that does not exist has no tags. MF_E_FORMAT beyond MF_MAX_TAGS. */
int mf_tags_list(struct mf_image_store *s, struct mf_tags *out, struct mf_err *err) MF_NODISCARD;
/* mf_manifest_get_tag and mf_manifest_put in two halves, so that independent requests are in flight together.
 * A call is ended or cancelled once, which frees it. The bytes are copied. NULL when the call could not be
 * begun. */
struct mf_manifest_call;
struct mf_manifest_call *mf_manifest_get_begin(struct mf_image_store *s, const char *tag,
					       struct mf_err *err) MF_NODISCARD;
int mf_manifest_get_end(struct mf_manifest_call *c, struct mf_manifest *out, struct mf_err *err) MF_NODISCARD;
struct mf_manifest_call *mf_manifest_put_begin(struct mf_image_store *s, const char *tag,
					       const char *media_type, struct mf_bytes bytes,
					       struct mf_err *err) MF_NODISCARD;
int mf_manifest_put_end(struct mf_manifest_call *c, bool *subject_seen, struct mf_descriptors *missing,
			struct mf_err *err) MF_NODISCARD;
/* Deletes a manifest. One that is not there is no failure. When the registry refuses, the error is
 * MF_E_REFUSED or MF_E_AUTH. A layout keeps the blob, and removes only a proposal from index.json. */
struct mf_manifest_call *mf_manifest_delete_begin(struct mf_image_store *s, const struct mf_digest *digest,
						  struct mf_err *err) MF_NODISCARD;
int mf_manifest_delete_end(struct mf_manifest_call *c, struct mf_err *err) MF_NODISCARD;
void mf_manifest_call_cancel(struct mf_manifest_call *c); /* NULL is fine */

/* Stores a manifest; tag NULL: by digest. *subject_seen (NULL for a manifest without a subject): the registry
 * answered OCI-Subject, so it maintains referrers itself. missing (may be NULL): when the registry reports
 * that it lacks blobs or manifests, the result is MF_E_CONTENT_GONE and *missing gets the digests that the
 * registry named, possibly none. MF_E_DIGEST: the registry reports that it stored another digest. A layout
 * stores the bytes as a blob; with a tag it also lists it in index.json (locked, atomic). */
int mf_manifest_put(struct mf_image_store *s, const char *tag, const char *media_type, struct mf_bytes bytes,
		    bool *subject_seen, struct mf_descriptors *missing, struct mf_err *err) MF_NODISCARD;

int mf_blobs_have(struct mf_image_store *s, const struct mf_digest *digests, size_t n, bool *present,
		  struct mf_err *err) MF_NODISCARD;
/* Tells the store that something will be pushed: the first request then gets a token for reading and
 * writing. */
void mf_image_store_will_push(struct mf_image_store *s);
/* A blob up to this size is sent without a check whether it is there already: the check costs as much. */
#define MF_BLOB_UNASKED ((uint64_t)65536)
/* Announces that n blobs, one or two, will be put: begins what does not depend on their content. */
void mf_blobs_put_soon(struct mf_image_store *s, size_t n);
/* Puts a blob, unless it is there already (checked above MF_BLOB_UNASKED): POST and PUT, streamed from the
 * spool, which has been hashed; in parts where the registry requires that. Idempotent. An interrupted upload
 * is not visible to anyone. */
int mf_blob_put(struct mf_image_store *s, struct mf_spool *blob, const struct mf_digest *digest,
		uint64_t length, struct mf_err *err) MF_NODISCARD;
/* Puts several blobs; small ones with their requests in flight together. */
struct mf_blob_source {
	struct mf_spool *blob;
	const struct mf_digest *digest;
	uint64_t length;
	bool optional; /* a failure to put it is ignored */
	bool done;
};
int mf_blobs_put(struct mf_image_store *s, struct mf_blob_source *v, size_t n,
		 struct mf_err *err) MF_NODISCARD;
/* Stores bytes as a blob and writes their digest to *digest. */
int mf_blob_put_bytes(struct mf_image_store *s, struct mf_bytes bytes, struct mf_digest *digest,
		      struct mf_err *err) MF_NODISCARD;
/* Downloads a blob into a spool and ends the spool; digest and length must fit (MF_E_DIGEST). 404:
 * MF_E_CONTENT_GONE. */
int mf_blob_get(struct mf_image_store *s, const struct mf_digest *digest, uint64_t length,
		struct mf_spool *out, struct mf_err *err) MF_NODISCARD;
/* Moves several small blobs with their requests in flight together. A blob that fails is not `done`, which is
 * no error: the caller then moves it alone, which reports the reason. */
struct mf_blob_send {
	struct mf_digest digest;
	uint64_t length;
	struct mf_spool *blob; /* NULL: it can only be mounted from `from` */
	const char *from;      /* a repository of the same registry that may have it, or NULL */
	bool done;
};
int mf_blobs_send(struct mf_image_store *s, struct mf_blob_send *v, size_t n,
		  struct mf_err *err) MF_NODISCARD;
struct mf_blob_fetch {
	struct mf_digest digest;
	uint64_t length;
	struct mf_spool *out; /* a new spool; ended and verified when `done`, otherwise unusable */
	bool done;
};
int mf_blobs_fetch(struct mf_image_store *s, struct mf_blob_fetch *v, size_t n,
		   struct mf_err *err) MF_NODISCARD;
/* The path of a blob in a layout, malloc'd; NULL for a registry or a bundle. */
char *mf_blob_path(struct mf_image_store *s, const struct mf_digest *digest);

/* Where the referrers of a subject are listed. */
enum mf_referrers_by {
	MF_REFERRERS_API,    /* the registry lists them itself, from the manifests that it has */
	MF_REFERRERS_TAG,    /* writers list them at the fallback tag, which may not exist yet */
	MF_REFERRERS_NOWHERE /* nowhere: a layout, or what the fallback tag gives is not a list (in GitLab's
				registry, the subject) */
};
/* Reads the lists of several subjects, with requests in flight together. `each` gets them in order, may keep
 * a list by emptying *list, and stops with -1. Nothing trusts the lists, so an answer that is not a list
 * counts as none. The registry has the referrers API when it answers with a list (paged by Link); a registry
 * without it gets that request only once. A registry that does not answer is an error, never an empty
 * list. */
typedef int (*mf_referrers_fn)(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
			       struct mf_err *err);
int mf_referrers_each(struct mf_image_store *s, const struct mf_digest *subjects, size_t n,
		      mf_referrers_fn each, void *arg, struct mf_err *err) MF_NODISCARD;
/* True when the registry is known to have the referrers API. Then no lists need to be written. */
bool mf_referrers_api(const struct mf_image_store *s);
/* The fallback tag of a subject: "sha256-<hex>". */
void mf_referrers_tag(char out[80], const struct mf_digest *subject);

#endif
