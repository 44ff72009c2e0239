/* Removing files of a trust repository that nothing refers to (prune.c). */
#ifndef MF_PUBLISH_PRUNE_H
#define MF_PUBLISH_PRUNE_H

#include "trust/repo.h"
#include "trust/trust.h"

enum mf_prune_kind {
	MF_PRUNE_METADATA, /* a version that is not kept, or that a stopped writer left */
	MF_PRUNE_TARGET,   /* content to which no version refers */
	MF_PRUNE_TEMPORARY,
	MF_PRUNE_KINDS
};
struct mf_prune_file {
	const struct mf_stored *stored;
	enum mf_prune_kind kind;
};
struct mf_prune {
	int64_t keep_versions; /* given: so many of each role and of the snapshot; 0: all */
	int64_t min_age_s;     /* given: what has changed since is left alone */
	bool dry_run;
	/* What is removed, or would be: first what refers, then what it refers to. */
	struct mf_prune_file *v;
	size_t n, cap;
	size_t removed; /* of them: others may have been faster */
	struct mf_listing listing;
};
void mf_prune_clear(struct mf_prune *p);
#define MF_PRUNE_CLEANUP MF_CLEANUP(mf_prune_clear)
/* Loads the repository, which must verify, lists it, decides and removes. MF_E_USAGE: it is none whose files
 * are ours to remove; MF_E_FORMAT: a version cannot be read, so that it is not known what it refers to. */
int mf_publish_prune(struct mf_trust *t, struct mf_prune *p, struct mf_err *err) MF_NODISCARD;

#endif
