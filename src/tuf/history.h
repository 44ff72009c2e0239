/* Checks of files that are no longer current, with the keys that could sign them at that time.
 *
 * Expiry is never checked here: a file that has expired since was valid once. */
#ifndef MF_TUF_HISTORY_H
#define MF_TUF_HISTORY_H

#include "tuf/tuf.h"

/* Checks that `old` is the root before `next`: its version is one lower, and a threshold of its keys has
 * signed both it and `next` (5.3.4, applied backwards from a trusted root). MF_E_FORMAT, MF_E_SIGNATURE. */
int mf_tuf_old_root(const struct mf_tuf_set *s, const struct mf_tuf_file *old, const struct mf_tuf_file *next,
		    struct mf_err *err) MF_NODISCARD;
/* Checks that the file of a targets role has this version and delegates only to names that it may delegate
 * to. MF_E_FORMAT. */
int mf_tuf_old_shape(const struct mf_tuf_set *s, const char *name, const struct mf_tuf_file *f,
		     int64_t version, struct mf_err *err) MF_NODISCARD;
/* Checks that the file's signatures meet the threshold of a role. MF_E_SIGNATURE. */
int mf_tuf_old_signed(const struct mf_tuf_set *s, const struct mf_tuf_file *f, const struct mf_tuf_role *role,
		      struct mf_err *err) MF_NODISCARD;
/* Lists the role's keys that signed the file, each once. keys has room for MF_MAX_SIGNATURES; its elements
 * are borrowed. */
int mf_tuf_old_signers(const struct mf_tuf_set *s, const struct mf_tuf_file *f,
		       const struct mf_tuf_role *role, struct mf_pubkey **keys, size_t *n,
		       struct mf_err *err) MF_NODISCARD;

/* A copy of a role that outlives the file that lists it. Its keys have only the members that verification
 * needs. */
struct mf_tuf_role_copy {
	struct mf_tuf_role role;
	struct mf_tuf_key *keys;
	struct mf_arena arena;
};
struct mf_tuf_role_copy *mf_tuf_role_copy(const struct mf_tuf_role *r, struct mf_err *err) MF_NODISCARD;
void mf_tuf_role_copy_free(struct mf_tuf_role_copy *c); /* NULL is fine */
/* Do two roles have the same keys, threshold, paths and hash prefixes, in the same order? */
bool mf_tuf_role_same(const struct mf_tuf_role *a, const struct mf_tuf_role *b);

#endif
