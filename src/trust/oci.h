/* The files of a TUF 1.0 repository in an OCI registry: one image manifest lists them as its layers.
 *
 *	tuf+oci://REGISTRY/REPOSITORY, under the tag that mf_oci_tag gives for the repository's GUN
 *
 * Each layer is one metadata file; its annotation MF_OCI_FILE_NAME has the file's name, as in a directory
 * (directory.c). A manifest is replaced as a whole, so that a reader sees the files of one moment. `mirror`
 * writes it. */
#ifndef MF_TRUST_OCI_H
#define MF_TRUST_OCI_H

#include "base/arena.h"
#include "base/digest.h"
#include "trust/repo.h"

#define MF_OCI_FILE_NAME "tuf.io/filename"
#define MF_MT_TUF_METADATA "application/vnd.tuf.metadata+json"
/* Annotation of the manifest, for people: the repository whose metadata it has. */
#define MF_OCI_REPOSITORY "vnd.manifesto.repository"

struct mf_oci_file {
	const char *name;
	struct mf_digest digest;
	uint64_t size;
};
struct mf_oci_files {
	struct mf_arena arena;
	struct mf_oci_file *v; /* sorted by name */
	size_t n;
};
void mf_oci_files_clear(struct mf_oci_files *f);
#define MF_OCI_FILES_CLEANUP MF_CLEANUP(mf_oci_files_clear)
/* Reads a manifest. Layers without a name are ignored. MF_E_FORMAT: it is no manifest, a name is not that of
 * a metadata file, or two layers have the same name. */
int mf_oci_files_parse(struct mf_bytes manifest, struct mf_oci_files *out, struct mf_err *err) MF_NODISCARD;
const struct mf_oci_file *mf_oci_files_find(const struct mf_oci_files *f, const char *name); /* NULL: none */

/* The tag for a repository name: readable, and unique by its hash. */
#define MF_OCI_TAG 129
int mf_oci_tag(char out[MF_OCI_TAG], const char *gun, struct mf_err *err) MF_NODISCARD;
/* Splits "REGISTRY/REPOSITORY" into two parts, malloc'd. MF_E_USAGE. */
int mf_oci_place(const char *rest, char **registry, char **repository, struct mf_err *err) MF_NODISCARD;

/* Fetches the newest manifest of an open repository of this kind and gives the files that it lists, valid
 * until the next request to the repository. NULL: it failed. */
const struct mf_oci_files *mf_oci_files_of(struct mf_repo *r, struct mf_err *err);

#endif
