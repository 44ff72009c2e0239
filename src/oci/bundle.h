/* A bundle (docs/bundle-format.md): an OCI image layout in a tar file, from which images and content are
 * read. Nothing in it is trusted: digests are checked as for a registry. */
#ifndef MF_OCI_BUNDLE_H
#define MF_OCI_BUNDLE_H

#include "oci/image_store.h"
#include "store/archive.h"

#define MF_MT_BUNDLE "application/vnd.manifesto.bundle.v1+json"
#define MF_BUNDLE_LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"

struct mf_bundle;
/* Opens the file and reads its index. MF_E_USAGE: there is no such file; MF_E_FORMAT: it is not a bundle. */
int mf_bundle_open(const char *path, struct mf_bundle **out, struct mf_err *err) MF_NODISCARD;
void mf_bundle_free(struct mf_bundle *b); /* NULL is fine */
const struct mf_archive *mf_bundle_archive(const struct mf_bundle *b);
/* The images that the bundle has of the reference's repository, as a read-only store; all layouts count as
 * one repository. Both arguments are borrowed. */
struct mf_image_store *mf_bundle_store(const struct mf_bundle *b, const struct mf_ref *ref,
				       struct mf_err *err) MF_NODISCARD;

/* "blobs/sha256/<hex>" */
#define MF_BUNDLE_BLOB 80
void mf_bundle_blob_name(char out[MF_BUNDLE_BLOB], const struct mf_digest *d);

#endif
