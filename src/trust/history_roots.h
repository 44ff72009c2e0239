/* The roots before the trusted one, which verify the old files of `targets`; and the errors of versions of
 * any role. Internal. */
#ifndef MF_TRUST_HISTORY_ROOTS_H
#define MF_TRUST_HISTORY_ROOTS_H

#include "trust/history.h"

struct mf_old_roots {
	struct mf_trust *t;
	const struct mf_history_query *q;
	struct mf_tuf_file *v[MF_MAX_ROOT_STEPS]; /* newest first */
	size_t n;
	int64_t seen[MF_MAX_ROOT_STEPS + 1]; /* of the trusted one, then of these */
	uint64_t *bytes;                     /* received by the walk */
};
void mf_old_roots_clear(struct mf_old_roots *r);
/* Backwards to the first root, or as far as they are kept and hold. *cut: there were more. */
int mf_old_roots_read(struct mf_old_roots *r, bool *cut, struct mf_err *err) MF_NODISCARD;
int mf_old_roots_report(const struct mf_old_roots *r, struct mf_err *err) MF_NODISCARD;

/* Does it end a run, and not one version: no answer, no memory, a stop? */
bool mf_history_fatal(const struct mf_err *e);
static inline int mf_history_pass_on(struct mf_err *err, const struct mf_err *why)
{
	*err = *why;
	return -1;
}
/* What does not verify is reported of roles that only help as well. */
int mf_history_report_bad(const struct mf_history_query *q, const struct mf_version *at,
			  const struct mf_err *why, struct mf_err *err) MF_NODISCARD;

#endif
