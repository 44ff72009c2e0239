/* Documents that manifesto stores in a registry: the artifact manifest of a record, the referrers fallback
 * index, the catalogue. All are derived from signed records, byte for byte the same for the same records, so
 * that each can be rebuilt. */
#ifndef MF_OCI_ARTIFACT_H
#define MF_OCI_ARTIFACT_H

#include "oci/image_store.h"

/* What an artifact manifest is made of. */
struct mf_artifact {
	const char *type; /* record type: artifactType is "application/vnd.manifesto.<type>" */
	struct mf_digest blob;
	uint64_t blob_length;
	const char *blob_media_type;
	struct mf_digest subject; /* the image */
	uint64_t subject_size;
	const char *subject_media_type;
	const char *created; /* RFC 3339, NULL: left out; org.opencontainers.image.created */
};
/* OCI 1.1 manifest: artifactType, empty config ("{}"), one layer = the blob, subject, annotations. Canonical
 * member order, no white space. */
int mf_artifact_build(const struct mf_artifact *a, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Stores the empty config blob when it is missing (once per store handle). */
int mf_artifact_store_config(struct mf_image_store *s, struct mf_err *err) MF_NODISCARD;

/* The fallback index (distribution-spec 1.1, "Pushing Manifests with Subject", "Referrers Tag Schema"): makes
 * `add` present and `remove` absent in what the tag `sha256-<hex>` holds now, everything else kept,
 * descriptors sorted by digest; nothing is written when nothing changes. A descriptor whose manifest the
 * registry lacks is dropped when the registry refuses the index for it. A tag that holds no index is
 * MF_E_FORMAT. Does nothing for a layout. */
int mf_referrers_update(struct mf_image_store *s, const struct mf_digest *subject,
			const struct mf_descriptor *add, size_t nadd, const struct mf_digest *remove,
			size_t nremove, struct mf_err *err) MF_NODISCARD;

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
 * {"images":[{"image_digest":"sha256:..","manifest":[..]}]} in the proof of concept's member names
 * ("image_digest", "manifesto", "type", "digest") plus "role", "size", "mediaType", "created"; layers are the
 * blobs, each once, sorted by digest. Blobs the registry lacks are marked "missing":true and left out of the
 * layers. The list of parts is the member "parts"; parts that are no longer listed are emptied. Blobs are
 * taken to be there until the registry refuses the manifest for one: an unchanged catalogue costs one
 * request, and a blob that vanished behind it is not noticed here (mf_blobs_have tells). What is unreadable
 * under the tag is written over; nothing is written when nothing changes. Neither does anything for a layout.
 *
 * mf_catalogue_add keeps the records of the present catalogue beside the given ones (before a publish), the
 * same record with another blob too. mf_catalogue_set makes it exactly the given ones. Of a big catalogue
 * only the parts that changed need be given: given[b] is set for each first byte whose records are all here
 * (NULL: they are all here), parts[b] where there are any (NULL: told from the records). 1: the catalogue is
 * not split into these parts yet: nothing was written, all records are needed. */
int mf_catalogue_add(struct mf_image_store *s, const struct mf_catalogue_record *records, size_t n,
		     struct mf_err *err) MF_NODISCARD;
int mf_catalogue_set(struct mf_image_store *s, const struct mf_catalogue_record *records, size_t n,
		     const bool *parts, const bool *given, struct mf_err *err) MF_NODISCARD;
/* Would mf_catalogue_set, given all records, write anything? Nothing is written. */
int mf_catalogue_check(struct mf_image_store *s, const struct mf_catalogue_record *records, size_t n,
		       bool *differs, struct mf_err *err) MF_NODISCARD;

#endif
