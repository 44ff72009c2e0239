/* What a change of teams means for the files of a loaded repository. */
#ifndef MF_TRUST_PLAN_H
#define MF_TRUST_PLAN_H

#include "publish/admin.h"

/* Filled by mf_plan_make, cleared for each try; the change points into it. */
struct mf_plan {
	struct mf_publish_change change;
	bool any;                       /* there is something to publish */
	const char *image;              /* for hints */
	struct mf_admin_result *result; /* what changes is told here */
	struct mf_arena arena;
	struct mf_tuf_delegation *goals;
	size_t ngoals;
	struct mf_tuf_root_edit *writers;
	size_t nwriters, writers_cap;
	struct mf_publish_resign resign[MF_PUBLISH_MAX_RESIGN];
	size_t nresign;
	struct mf_buf delegations, root;
	struct mf_str delegations_text, root_text;
	struct mf_tuf_file *after; /* a file with the new delegations, unsigned */
};
void mf_plan_clear(struct mf_plan *p);
int mf_plan_make(struct mf_plan *p, struct mf_trust *t, const struct mf_admin_request *v, size_t n,
		 struct mf_err *err) MF_NODISCARD;

#endif
