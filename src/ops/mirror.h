/* Inside a mirror: the origin, the destination, and what is on the way. */
#ifndef MF_OPS_MIRROR_H
#define MF_OPS_MIRROR_H

#include "ops/ops.h"
#include "publish/publish.h"
#include "trust/load.h"
#include "trust/oci.h"

struct mf_mirror {
	struct manifesto *m;
	const struct manifesto_mirror_options *o;
	struct manifesto_mirror_result *out;
	struct mf_arena *a;
	struct mf_image im; /* the origin */
	struct mf_trust_config cfg;
	struct mf_trust *to; /* the destination */
	/* Where that is a registry: its row of the table that can publish. */
	struct mf_repo_ops ops;
	struct mf_image_store *store;
	const char **warnings;
	size_t nwarnings;
};

/* Opens a registry as the destination: x->to, with a row that writes. MF_E_USAGE. */
int mf_mirror_open_registry(struct mf_mirror *x, const char *url, const char *pin_name,
			    struct mf_err *err) MF_NODISCARD;
/* The whole repository as it will be, in one manifest: for the count of what is written, the other files
 * matter as well. */
bool mf_mirror_is_registry(const struct mf_mirror *x);
/* Has the registry still all files that the newest manifest lists? */
enum mf_found mf_mirror_registry_is_whole(struct mf_mirror *x, struct mf_err *err) MF_NODISCARD;
/* Uploads again what it has lost of x->to, which is loaded: MF_FOUND, MF_ABSENT for nothing. MF_E_GONE: this
 * machine does not have it either. */
enum mf_found mf_mirror_registry_restore(struct mf_mirror *x, struct mf_err *err) MF_NODISCARD;

/* A repository of another dialect: the destination is brought to the loaded origin's state under the mirror's
 * own keys. */
int mf_mirror_convert(struct mf_mirror *x, struct mf_err *err) MF_NODISCARD;
/* The content of all targets of the loaded origin, where the destination keeps content. */
int mf_mirror_contents(struct mf_mirror *x, struct mf_err *err) MF_NODISCARD;

#endif
