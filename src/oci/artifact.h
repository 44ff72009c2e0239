/* Documents that manifesto stores in a registry: the artifact manifest of a record, the referrers fallback
 * index, the catalogue. All are derived from signed records: the same records give the same bytes, so that
 * each document can be rebuilt. */
#ifndef MF_OCI_ARTIFACT_H
#define MF_OCI_ARTIFACT_H

#include "json/json.h"
#include "json/writer.h"
#include "oci/image_store.h"

/* An object, as a descriptor in a document describes it. */
struct mf_piece {
	struct mf_digest digest;
	uint64_t size;
	const char *media_type;
	const char *title;     /* org.opencontainers.image.title, a file name; NULL: left out */
	const char *title_too; /* a second annotation with the title as its value, whose name sorts after
				  that; NULL: none */
};
/* Writes a descriptor. All descriptors are written by this function. */
void mf_descriptor_write(struct mf_json_out *j, const char *name, const struct mf_piece *p);

struct mf_annotation {
	const char *name, *value;
};
/* What an artifact manifest is built from. */
struct mf_artifact {
	const char *artifact_type;
	struct mf_piece blob, subject;
	const char *created; /* org.opencontainers.image.created, RFC 3339; NULL: left out */
	const char *owner;   /* the value of MF_ARTIFACT_OWNER; NULL: left out */
	/* Further annotations, whose names sort before the two above, sorted; the last has the name NULL.
	 * NULL: none. */
	const struct mf_annotation *annotations;
	const struct mf_piece *more; /* further layers */
	size_t nmore;
};
/* The annotation of an artifact manifest, and of its entry in a fallback list, that names the trust
 * repository of the record: several may share one image repository, and each removes only its own records. */
#define MF_ARTIFACT_OWNER "vnd.manifesto.trust"
/* Appends an OCI 1.1 manifest: artifactType, empty config ("{}"), the blob as the first layer, further
 * layers, subject, annotations. Canonical member order, no white space. */
int mf_artifact_build(const struct mf_artifact *a, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* The descriptor of the empty configuration, which every artifact manifest has. */
int mf_artifact_config(struct mf_piece *out, struct mf_err *err) MF_NODISCARD;
/* Stores the empty configuration as a blob, when a registry has refused an artifact manifest because it
 * lacked it. */
int mf_artifact_store_config(struct mf_image_store *s, struct mf_err *err) MF_NODISCARD;

/* True for the artifact types of records. `artifact_type` may be NULL. */
bool mf_is_our_artifact(const char *artifact_type);
/* True for the artifact type of proposals, and of signatures beside these. `artifact_type` may be NULL. */
bool mf_is_proposal(const char *artifact_type);
/* True when the annotations (NULL: none) name another trust repository than `owner` (NULL: unknown). */
bool mf_artifact_is_foreign(const json_t *annotations, const char *owner);
/* Checks that the document is an artifact manifest of a record of this subject, and not of another trust
 * repository: whoever may write a list of referrers can list any manifest of the repository in it. MF_ABSENT:
 * it is something else. */
enum mf_found mf_artifact_is_of(const struct mf_manifest *m, const struct mf_digest *subject,
				const char *owner, struct mf_err *err) MF_NODISCARD;
/* The same for a proposal. */
enum mf_found mf_proposal_is_of(const struct mf_manifest *m, const struct mf_digest *subject,
				const char *owner, struct mf_err *err) MF_NODISCARD;

/* What a subject's fallback index (distribution-spec 1.1, "Referrers Tag Schema") should have as entries of
 * this trust repository: those in `add`, just as given, and of the entries that are there those in `keep`
 * (which may also name some of `add`). */
struct mf_referrers_change {
	struct mf_digest subject;
	const struct mf_descriptor *add;
	size_t nadd;
	const struct mf_digest *keep;
	size_t nkeep;
	const char *owner; /* entries of other trust repositories stay */
	bool keep_all;
	const struct mf_digest *drop; /* an entry to remove, of any kind; NULL: none */
};
/* Changes the lists, with requests in flight together. Entries of other tools stay; all are sorted by digest.
 * Nothing is written when nothing changes. If the registry refuses the index because it lacks a manifest,
 * that entry is dropped. Does nothing where the tag gives something that is not a list, where the registry is
 * known to have the referrers API, and for a layout. */
int mf_referrers_update(struct mf_image_store *s, const struct mf_referrers_change *changes, size_t n,
			struct mf_err *err) MF_NODISCARD;
/* The same in steps: begun, then ended or cancelled once, which frees the update. The changes are borrowed
 * until then. The functions below accept NULL. */
struct mf_referrers_update;
struct mf_referrers_update *mf_referrers_update_begin(struct mf_image_store *s,
						      const struct mf_referrers_change *changes, size_t n,
						      struct mf_err *err) MF_NODISCARD;
/* The optional step between: changes the lists that were read, and begins to write them. */
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
/* The records that one catalogue has at most: MF_MAX_CATALOGUE_RECORDS. */
extern const size_t mf_catalogue_records;
/* How mf_catalogue_set writes the catalogue. Its tag is `_manifesto`; with more than mf_catalogue_records
 * records it is split into parts, `_manifesto-<hh>` by the first byte of the subject, and `_manifesto` lists
 * the tags of the parts in its config (member "parts") and has no layers. Parts that are no longer listed are
 * emptied.
 * A catalogue is an OCI image manifest. Its config has the media type
 * application/vnd.manifesto.catalogue.v1+json and the form
 * {"images":[{"image_digest":"sha256:..","manifesto":[..]}]}, with the members "type", "digest", "role",
 * "size", "mediaType" and "created" of each record. Its layers are the blobs, each once, sorted by digest;
 * they protect the blobs from garbage collection. Blobs are assumed to be there until the registry refuses
 * the manifest; those that it lacks are then marked "missing":true and left out of the layers. A blob that
 * vanishes later is not noticed here (mf_blobs_have finds it). Something unreadable under the tag is
 * overwritten. A layout has no catalogue. */
struct mf_catalogue_scope {
	/* A split catalogue can be given in part: given[b] is true for each first byte b whose records are
	 * all given (NULL: all records are given). parts[b] is true where there are any records (NULL: found
	 * from the records). */
	const bool *parts, *given;
	/* For a catalogue that does not fit into memory: first the given parts, in several calls, then the
	 * list of the parts (then `given` has none). */
	enum { MF_CATALOGUE_WHOLE, MF_CATALOGUE_PARTS, MF_CATALOGUE_LIST } step;
	bool changed; /* records were published: the tag is written without a request for its present state */
	const struct mf_digest *config; /* a configuration that is stored already; NULL: none */
	/* Called (if not NULL) just before the last request, so that other requests can run beside it. */
	void (*meanwhile)(void *arg);
	void *arg;
};
enum mf_catalogue_result {
	MF_CATALOGUE_FAILED = -1,
	MF_CATALOGUE_DONE = 0,
	MF_CATALOGUE_NEEDS_ALL = 1, /* the catalogue is not split into these parts yet: nothing was written */
};
enum mf_catalogue_result mf_catalogue_set(struct mf_image_store *s, const struct mf_catalogue_record *records,
					  size_t n, struct mf_catalogue_scope scope,
					  struct mf_err *err) MF_NODISCARD;
/* Appends the configuration that mf_catalogue_set gives a catalogue that is not split, so that it can be
 * stored earlier. */
int mf_catalogue_config(const struct mf_catalogue_record *records, size_t n, struct mf_buf *out,
			struct mf_err *err) MF_NODISCARD;
/* Sets *differs when mf_catalogue_set would write something. Writes nothing. */
int mf_catalogue_check(struct mf_image_store *s, const struct mf_catalogue_record *records, size_t n,
		       struct mf_catalogue_scope scope, bool *differs, struct mf_err *err) MF_NODISCARD;
/* For registries where the tag `_manifesto` cannot be moved: begins to put an artifact manifest under a tag
 * of its own, `_manifesto-<hex of its digest>`. It is written only once, and protects the manifest and its
 * blob from garbage collection. */
struct mf_manifest_call *mf_catalogue_keep_begin(struct mf_image_store *s, struct mf_bytes artifact,
						 struct mf_err *err) MF_NODISCARD;

#endif
