/* Four eyes: which keys count for which requirement, when no key may count for two. Pure. */
#ifndef MF_POLICY_DISTINCT_H
#define MF_POLICY_DISTINCT_H

#include "policy/gate.h"

/* What one requirement, or the waiver in its place, may take keys from. */
struct mf_share {
	const char *type;
	struct mf_pubkey **keys; /* that signed, distinct; reduced to its own. Borrowed */
	size_t nkeys;
	int64_t need;
	bool original; /* they signed the original of what was promoted */
};

/* Gives every share the keys that it needs, if there is any way to do so, and each other key to the first
 * share that has it; *unmet is n then. Else *unmet is the first share for which there are not enough beside
 * those before it, and the keys are left as they are. */
int mf_distinct_assign(struct mf_share *v, size_t n, size_t *unmet, struct mf_err *err) MF_NODISCARD;
/* Appends which keys of share `at` signed for others, too. */
int mf_distinct_words(const struct mf_share *v, size_t n, size_t at, const struct mf_names *names,
		      struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

#endif
