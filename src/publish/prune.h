/* Removing files of a trust repository that nothing refers to (prune.c). */
#ifndef MF_PUBLISH_PRUNE_H
#define MF_PUBLISH_PRUNE_H

#include "trust/repo.h"
#include "trust/trust.h"

enum mf_prune_kind {
	MF_PRUNE_METADATA, /* a version that is not to be kept, or that an interrupted writer left */
	MF_PRUNE_TARGET,   /* content that no version refers to */
	MF_PRUNE_TEMPORARY,
	MF_PRUNE_KINDS
};
struct mf_prune_file {
	const struct mf_stored *stored;
	enum mf_prune_kind kind;
};
struct mf_prune {
	int64_t keep_versions; /* set by the caller: how many versions of each role and of the snapshot to
				  keep; 0: all */
	int64_t min_age_s;     /* set by the caller: files that changed more recently are kept */
	bool dry_run;
	/* The files that are removed, or in a dry run would be: files that refer to others come before
	 * those. */
	struct mf_prune_file *v;
	size_t n, cap;
	size_t removed; /* how many of them were removed here; another process may have removed some first */
	struct mf_listing listing;
};
void mf_prune_clear(struct mf_prune *p);
#define MF_PRUNE_CLEANUP MF_CLEANUP(mf_prune_clear)
/* Loads the repository, which must verify, lists its files, and removes those that nothing refers to.
 * MF_E_USAGE: this kind of repository cannot be pruned; MF_E_FORMAT: a version cannot be read, so that it is
 * unknown what it refers to. */
int mf_publish_prune(struct mf_trust *t, struct mf_prune *p, struct mf_err *err) MF_NODISCARD;

#endif
