/* The roots before the trusted one, with which old files of `targets` are verified; and how errors of old
 * versions are handled. Internal to the module trust. */
#ifndef MF_TRUST_HISTORY_ROOTS_H
#define MF_TRUST_HISTORY_ROOTS_H

#include "trust/history.h"

struct mf_old_roots {
	struct mf_trust *t;
	const struct mf_history_query *q;
	struct mf_tuf_file *v[MF_MAX_ROOT_STEPS]; /* newest first */
	size_t n;
	int64_t seen[MF_MAX_ROOT_STEPS + 1]; /* store's times: of the trusted root, then of `v` */
	uint64_t *bytes;                     /* counts the octets received */
};
void mf_old_roots_clear(struct mf_old_roots *r);
/* Reads and verifies roots from the trusted one backwards, to version 1 or to the first one that is missing
 * or does not verify; reports that one. *cut: one is missing, or the limit was reached. */
int mf_old_roots_read(struct mf_old_roots *r, bool *cut, struct mf_err *err) MF_NODISCARD;
int mf_old_roots_report(const struct mf_old_roots *r, struct mf_err *err) MF_NODISCARD;

/* Does the error end the whole run, such as a failed request, lack of memory or cancellation, and not concern
 * a single version? */
bool mf_history_fatal(const struct mf_err *e);
static inline int mf_history_pass_on(struct mf_err *err, const struct mf_err *why)
{
	*err = *why;
	return -1;
}
/* Reports a version that does not verify, also of roles that are read only to verify others. */
int mf_history_report_bad(const struct mf_history_query *q, const struct mf_version *at,
			  const struct mf_err *why, struct mf_err *err) MF_NODISCARD;

#endif
