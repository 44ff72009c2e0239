/* Looking back: shared by history and get. */
#ifndef MF_OPS_HISTORY_H
#define MF_OPS_HISTORY_H

#include "ops/ops.h"

/* The loaded role that somebody calls `asked` ("qa" for "targets/qa"), an exact name first; *out NULL:
 * nothing has been published under it yet. MF_E_USAGE: there is no such role. */
int mf_history_role(const struct mf_tuf_set *set, const char *asked, const struct mf_tuf_loaded **out,
		    struct mf_err *err) MF_NODISCARD;

#endif
