/* Shared by the files of mirror: the origin, the destination, and the state of a run. */
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
	/* If that is a registry: its functions, with one that publishes, and its store. */
	struct mf_repo_ops ops;
	struct mf_image_store *store;
	/* Files that were uploaded there before the publish which lists them. */
	struct mf_oci_file *uploaded;
	size_t nuploaded;
	struct mf_listing targets; /* the target files of the destination, once `listed` is set */
	bool listed;
	const char **warnings;
	size_t nwarnings;
};

/* Opens a registry as the destination x->to, to which can be published. MF_E_USAGE. */
int mf_mirror_open_registry(struct mf_mirror *x, const char *url, const char *pin_name,
			    struct mf_err *err) MF_NODISCARD;
/* Is the destination a registry? Its one manifest lists all files of the repository, so a publish there is
 * given all files, not only the missing ones. */
bool mf_mirror_is_registry(const struct mf_mirror *x);
/* Uploads files, which the next publish lists in addition to those that it is given. */
int mf_mirror_registry_upload(struct mf_mirror *x, const struct mf_publish_file *files, size_t n,
			      struct mf_err *err) MF_NODISCARD;
/* Does the registry still have all files that the newest manifest lists? */
enum mf_found mf_mirror_registry_is_whole(struct mf_mirror *x, struct mf_err *err) MF_NODISCARD;
/* Uploads the files of x->to, which must be loaded, that the registry has lost. MF_FOUND: some were uploaded;
 * MF_ABSENT: none was lost. MF_E_GONE: this machine does not have a lost file either. */
enum mf_found mf_mirror_registry_restore(struct mf_mirror *x, struct mf_err *err) MF_NODISCARD;

/* Mirrors a repository of another dialect: publishes the state of the loaded origin at the destination, under
 * the mirror's own keys. */
int mf_mirror_convert(struct mf_mirror *x, struct mf_err *err) MF_NODISCARD;
/* Copies the content of targets of the loaded origin, if the destination keeps content. */
struct mf_mirror_content {
	size_t from; /* of the roles of the set from this one on */
	/* Of a step: only of subjects with these first bytes, and of targets without a subject in the roles
	 * that the step loaded, or in the first step in all. NULL: of all. */
	const struct mf_shard_steps *step;
};
int mf_mirror_contents(struct mf_mirror *x, struct mf_mirror_content which, struct mf_err *err) MF_NODISCARD;

#endif
