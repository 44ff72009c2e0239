/* Inside oci only: what the source files of the registry backend share. */
#ifndef MF_OCI_REGISTRY_H
#define MF_OCI_REGISTRY_H

#include "net/registry.h"
#include "oci/backend.h"

/* Requests in flight at once in one listing of digests; the HTTP client would only queue more. */
#define MF_REGISTRY_WINDOW 32

/* The Accept header with all media types of manifests and indexes. */
extern const char mf_registry_accept[];

/* registry_blob.c */
void mf_registry_blobs_put_soon(void *b, size_t n);
void mf_registry_uploads_cancel(struct mf_registry *reg);
void mf_registry_blobs_put_together(void *b, struct mf_blob_source *v, size_t n);
int mf_registry_blob_put(void *b, struct mf_spool *blob, const struct mf_digest *digest, uint64_t length,
			 struct mf_err *err) MF_NODISCARD;
int mf_registry_blob_get(void *b, const struct mf_digest *digest, uint64_t length, struct mf_spool *out,
			 struct mf_err *err) MF_NODISCARD;
/* registry_many.c */
int mf_registry_blobs_send(void *b, struct mf_blob_send *v, size_t n, struct mf_err *err) MF_NODISCARD;
int mf_registry_blobs_fetch(void *b, struct mf_blob_fetch *v, size_t n, struct mf_err *err) MF_NODISCARD;
int mf_registry_head_end(struct mf_exchange *x,
			 struct mf_err *err) MF_NODISCARD; /* an answer is a success, or 404 */

/* registry.c */
/* Turns an answered exchange into one for the next page, which the answer's Link names (RFC 8288). MF_FOUND:
 * the caller adds headers and runs it. MF_ABSENT: this was the last page. */
enum mf_found mf_registry_next_page(struct mf_exchange *x, struct mf_err *err) MF_NODISCARD;

/* referrers.c */
int mf_registry_referrers(struct mf_image_store *s, const struct mf_digest *subjects, size_t n,
			  mf_referrers_fn each, void *arg, struct mf_err *err) MF_NODISCARD;

#endif
