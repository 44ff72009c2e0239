/* The four-eyes rule: which keys count for which requirement, if no key may count for two. Pure. */
#ifndef MF_POLICY_DISTINCT_H
#define MF_POLICY_DISTINCT_H

#include "policy/gate.h"

/* One requirement, or the waiver in its place, with the keys that could count for it. */
struct mf_share {
	const char *type;
	struct mf_pubkey **keys; /* in: distinct keys that signed; out: those assigned to it. Borrowed */
	size_t nkeys;
	int64_t need;
	bool original; /* the keys signed originals of promoted records */
};

/* Assigns each key to one share, so that every share gets the keys that it needs, if that is possible at all;
 * a key that no share needs goes to the first share that has it. *unmet is n then. Else *unmet is the first
 * share that cannot be satisfied together with those before it, and the keys are unchanged. */
int mf_distinct_assign(struct mf_share *v, size_t n, size_t *unmet, struct mf_err *err) MF_NODISCARD;
/* Appends a text with the keys of share `at`, and for which other shares they signed. */
int mf_distinct_words(const struct mf_share *v, size_t n, size_t at, const struct mf_names *names,
		      struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

#endif
