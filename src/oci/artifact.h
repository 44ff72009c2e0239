/* Documents that manifesto stores in a registry: the artifact manifest of a record, the referrers fallback
 * index, the catalogue. All are derived from signed records, byte for byte the same for the same records, so
 * that each can be rebuilt. */
#ifndef MF_OCI_ARTIFACT_H
#define MF_OCI_ARTIFACT_H

#include "json/json.h"
#include "json/writer.h"
#include "oci/image_store.h"

/* A described object, as a document lists it. */
struct mf_piece {
	struct mf_digest digest;
	uint64_t size;
	const char *media_type;
	const char *title;     /* org.opencontainers.image.title, the name of a file; NULL: left out */
	const char *title_too; /* another annotation that has the title, its name behind that; NULL: none */
};
/* The one way to write a descriptor. */
void mf_descriptor_write(struct mf_json_out *j, const char *name, const struct mf_piece *p);

struct mf_annotation {
	const char *name, *value;
};
/* What an artifact manifest is made of. */
struct mf_artifact {
	const char *artifact_type;
	struct mf_piece blob, subject;
	const char *created; /* RFC 3339, NULL: left out; org.opencontainers.image.created */
	const char *owner;   /* NULL: left out; MF_ARTIFACT_OWNER */
	/* Sorted, in front of these; ends with a name that is NULL; or NULL. */
	const struct mf_annotation *annotations;
	const struct mf_piece *more; /* further layers */
	size_t nmore;
};
/* The annotation of the manifest, and of its entry in a fallback list, that says which trust repository has
 * the record: several may share one image repository, and each takes away its own only. */
#define MF_ARTIFACT_OWNER "vnd.manifesto.trust"
/* OCI 1.1 manifest: artifactType, empty config ("{}"), one layer = the blob, subject, annotations. Canonical
 * member order, no white space. */
int mf_artifact_build(const struct mf_artifact *a, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* The descriptor of the empty configuration, which each of our manifests has. */
int mf_artifact_config(struct mf_piece *out, struct mf_err *err) MF_NODISCARD;
/* Stores the empty config blob. It is needed when a registry refuses an artifact manifest for the lack of it.
 */
int mf_artifact_store_config(struct mf_image_store *s, struct mf_err *err) MF_NODISCARD;

/* Artifact manifests of records are known by their type. `artifact_type` may be NULL. */
bool mf_is_our_artifact(const char *artifact_type);
/* Those of proposals, and of signatures beside these. */
bool mf_is_proposal(const char *artifact_type);
/* Do annotations (NULL: there are none) name another trust repository than this one (NULL: unknown)? */
bool mf_artifact_is_foreign(const json_t *annotations, const char *owner);
/* Is the document itself an artifact manifest of a record of this subject, and not of another trust
 * repository? Whoever may write a list of referrers can call any manifest of the repository one. MF_ABSENT:
 * it is something else. */
enum mf_found mf_artifact_is_of(const struct mf_manifest *m, const struct mf_digest *subject,
				const char *owner, struct mf_err *err) MF_NODISCARD;
/* The same of a proposal. */
enum mf_found mf_proposal_is_of(const struct mf_manifest *m, const struct mf_digest *subject,
				const char *owner, struct mf_err *err) MF_NODISCARD;

/* What a subject's fallback index (distribution-spec 1.1, "Referrers Tag Schema") should list of ours: `add`
 * just as given; of the other entries of ours those in `keep` (which may name those to add, too). */
struct mf_referrers_change {
	struct mf_digest subject;
	const struct mf_descriptor *add;
	size_t nadd;
	const struct mf_digest *keep;
	size_t nkeep;
	const char *owner; /* entries of other trust repositories stay */
	bool keep_all;
	const struct mf_digest *drop; /* of any kind; NULL: none */
};
/* Makes the lists so, requests in flight together. What others put there stays as it is, sorted by digest;
 * nothing is written when nothing changes. A descriptor whose manifest the registry lacks is dropped when the
 * registry refuses the index for it. Does nothing where the tag gives something that is no list, where the
 * registry is known to have the referrers API, and for a layout. */
int mf_referrers_update(struct mf_image_store *s, const struct mf_referrers_change *changes, size_t n,
			struct mf_err *err) MF_NODISCARD;
/* The same in two halves: begun, then ended or cancelled once, which frees it. The changes are borrowed until
 * then. NULL is fine for both. */
struct mf_referrers_update;
struct mf_referrers_update *mf_referrers_update_begin(struct mf_image_store *s,
						      const struct mf_referrers_change *changes, size_t n,
						      struct mf_err *err) MF_NODISCARD;
/* In between: what was read is changed, and begins to be written. */
int mf_referrers_update_write(struct mf_referrers_update *update, struct mf_err *err) MF_NODISCARD;
int mf_referrers_update_end(struct mf_referrers_update *update, struct mf_err *err) MF_NODISCARD;
void mf_referrers_update_cancel(struct mf_referrers_update *update);

/* One current record, as the catalogue shows it. Borrowed. */
struct mf_catalogue_record {
	struct mf_digest subject, blob;
	uint64_t length;
	const char *type, *media_type, *role;
	const char *created; /* or NULL */
	bool missing;        /* the registry is known to lack the blob */
};
/* Writes the catalogue tags: `_manifesto`, or above MF_MAX_CATALOGUE_RECORDS `_manifesto-<hh>` by the
 * subject's first byte (and `_manifesto` then lists the parts' tags in its config and no layers). An OCI
 * image manifest, config media type application/vnd.manifesto.catalogue.v1+json with
 * {"images":[{"image_digest":"sha256:..","manifesto":[..]}]} in the proof of concept's member names
 * ("image_digest", "manifesto", "type", "digest") plus "role", "size", "mediaType", "created"; layers are the
 * blobs, each once, sorted by digest. Blobs the registry lacks are marked "missing":true and left out of the
 * layers. The list of parts is the member "parts"; parts that are no longer listed are emptied. Blobs are
 * taken to be there until the registry refuses the manifest for one: a blob that vanished behind the
 * catalogue is not noticed here (mf_blobs_have finds it). What is unreadable under the tag is written over.
 * Nothing for a layout. */
struct mf_catalogue_scope {
	/* Of a big catalogue only the parts that changed need be given: given[b] is set for each first byte
	 * whose records are all here (NULL: they are all here), parts[b] where there are any (NULL: seen from
	 * the records). */
	const bool *parts, *given;
	/* Of one that does not fit into memory: first the given parts, call by call, then their list (`given`
	 * has none). */
	enum { MF_CATALOGUE_WHOLE, MF_CATALOGUE_PARTS, MF_CATALOGUE_LIST } step;
	bool changed; /* records were published: the tag is written without asking what it has */
	const struct mf_digest *config; /* a configuration that was stored ahead; or NULL */
	/* Called (if not NULL) when only the last request is left: others can be begun beside it. */
	void (*meanwhile)(void *arg);
	void *arg;
};
enum mf_catalogue_result {
	MF_CATALOGUE_FAILED = -1,
	MF_CATALOGUE_DONE = 0,
	MF_CATALOGUE_NEEDS_ALL = 1, /* it is not split into these parts yet: nothing was written */
};
enum mf_catalogue_result mf_catalogue_set(struct mf_image_store *s, const struct mf_catalogue_record *records,
					  size_t n, struct mf_catalogue_scope scope,
					  struct mf_err *err) MF_NODISCARD;
/* The configuration that mf_catalogue_set gives a catalogue that is not split, appended: it can be stored
 * ahead. */
int mf_catalogue_config(const struct mf_catalogue_record *records, size_t n, struct mf_buf *out,
			struct mf_err *err) MF_NODISCARD;
/* Would mf_catalogue_set, given all records, write anything? Nothing is written. */
int mf_catalogue_check(struct mf_image_store *s, const struct mf_catalogue_record *records, size_t n,
		       bool *differs, struct mf_err *err) MF_NODISCARD;
/* Where the tag `_manifesto` cannot be moved: gives an artifact manifest a tag of its own, `_manifesto-<hex
 * of its digest>`, which is written once and keeps it and its blob. */
struct mf_manifest_call *mf_catalogue_keep_begin(struct mf_image_store *s, struct mf_bytes artifact,
						 struct mf_err *err) MF_NODISCARD;

#endif
