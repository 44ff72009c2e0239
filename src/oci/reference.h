/* Image references as containers-transports(5) and the distribution project's grammar have them:
 * [docker://][REGISTRY/]REPOSITORY[:TAG][@DIGEST] or oci:DIR[:TAG][@DIGEST]. */
#ifndef MF_OCI_REFERENCE_H
#define MF_OCI_REFERENCE_H

#include "base/digest.h"

enum mf_transport {
	MF_TRANSPORT_REGISTRY,
	MF_TRANSPORT_LAYOUT, /* OCI image layout directory */
};

struct mf_ref {
	enum mf_transport transport;
	char *registry;   /* "docker.io", "localhost:5000"; NULL for a layout */
	char *repository; /* "library/alpine", "acme/app"; NULL for a layout */
	char *dir;        /* layout directory as typed; NULL for a registry */
	char *tag;        /* NULL when absent; a registry reference without tag and digest gets "latest" */
	bool has_digest;
	struct mf_digest digest;
};
/* Parses all of `text`; the only constructor besides mf_ref_parse_repository. A first component that contains
 * '.' or ':' or is "localhost" is a registry; otherwise the registry is docker.io, where a single component
 * gets "library/". A digest that is not sha256 is refused. In oci:DIR:TAG the tag is what follows the last
 * ':', if it is a valid tag; mf_layout_find resolves references that can be read in several ways. MF_E_USAGE
 * with the offending part quoted. */
int mf_ref_parse(struct mf_ref *out, struct mf_str text, struct mf_err *err) MF_NODISCARD;
/* Parses a repository alone ([REGISTRY/]REPOSITORY, no tag, no digest), for --store and repository
 * arguments. */
int mf_ref_parse_repository(struct mf_ref *out, struct mf_str text, struct mf_err *err) MF_NODISCARD;
void mf_ref_clear(struct mf_ref *r);
#define MF_REF_CLEANUP MF_CLEANUP(mf_ref_clear)
/* Appends the GUN: "registry/repository" ("docker.io/library/alpine"); "oci" for a layout. */
int mf_ref_gun(const struct mf_ref *r, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
bool mf_tag_valid(struct mf_str tag);

#endif
