/* Looking back: shared by history and get. */
#ifndef MF_OPS_HISTORY_H
#define MF_OPS_HISTORY_H

#include "ops/ops.h"

/* The loaded role that somebody calls `asked` ("qa" for "targets/qa"), an exact name first; *out NULL:
 * nothing has been published under it yet. MF_E_USAGE: there is no such role. */
int mf_history_role(const struct mf_tuf_set *set, const char *asked, const struct mf_tuf_loaded **out,
		    struct mf_err *err) MF_NODISCARD;
/* The record as version o->version of the role's file has it: fills record, newest_version and note of `out`
 * (whose arena must be there) and what its content must be. */
int mf_history_get(struct mf_image *im, const struct manifesto_get_options *o, const struct mf_subject *s,
		   struct manifesto_get_result *out, struct mf_tuf_target_info *info,
		   struct mf_err *err) MF_NODISCARD;

#endif
