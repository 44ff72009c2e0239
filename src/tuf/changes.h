/* Compares the roles that one version of a file lists with those of the version before. Pure. */
#ifndef MF_TUF_CHANGES_H
#define MF_TUF_CHANGES_H

#include "tuf/tuf.h"

struct mf_tuf_change {
	/* "role-created", "role-removed"; "key-added", "key-removed", "certificate-changed" (of a key that
	 * stays); "threshold-changed"; "type-added", "type-removed" and for other paths "path-added",
	 * "path-removed"; "prefixes-changed" (path_hash_prefixes). */
	const char *what;
	const char *role;
	struct mf_pubkey *key; /* borrowed; NULL: not about a key, or about one that cannot be used */
	struct mf_str detail;  /* the ID of a key that cannot be used, a type, a path, or a threshold */
};
/* Receives one change. Returns 0, or -1 to stop. */
typedef int (*mf_tuf_change_fn)(void *arg, const struct mf_tuf_change *c, struct mf_err *err);

/* Two lists of roles. Of several roles with one name, the first counts. */
struct mf_tuf_role_lists {
	const struct mf_dialect *d;
	const struct mf_tuf_role *const *before;
	const struct mf_tuf_role *const *after;
	size_t nbefore, nafter;
};
/* Calls fn for each difference, role by role: first the roles of `after` in their order, then the removed
 * ones. A new role is reported with its keys, its paths, and its threshold if that is not 1. */
int mf_tuf_roles_compare(const struct mf_tuf_role_lists *l, mf_tuf_change_fn fn, void *arg,
			 struct mf_err *err) MF_NODISCARD;

#endif
