/* Files that are no longer current: who could sign them then.
 *
 * Expiry is never checked here: what has expired since was in force once. */
#ifndef MF_TUF_HISTORY_H
#define MF_TUF_HISTORY_H

#include "tuf/tuf.h"

/* Is `old` the root before `next`: its version one lower, signed by the threshold of its own keys, and `next`
 * signed by it too (5.3.4, read backwards from a trusted root)? MF_E_FORMAT, MF_E_SIGNATURE. */
int mf_tuf_old_root(const struct mf_tuf_set *s, const struct mf_tuf_file *old, const struct mf_tuf_file *next,
		    struct mf_err *err) MF_NODISCARD;
/* Does the file of a targets role have this version and delegate only where it may? MF_E_FORMAT. */
int mf_tuf_old_shape(const struct mf_tuf_set *s, const char *name, const struct mf_tuf_file *f,
		     int64_t version, struct mf_err *err) MF_NODISCARD;
/* Do its signatures meet the threshold of a role? MF_E_SIGNATURE. */
int mf_tuf_old_signed(const struct mf_tuf_set *s, const struct mf_tuf_file *f, const struct mf_tuf_role *role,
		      struct mf_err *err) MF_NODISCARD;
/* Which of the role's keys signed the file, each once; keys (borrowed) has room for MF_MAX_SIGNATURES. */
int mf_tuf_old_signers(const struct mf_tuf_set *s, const struct mf_tuf_file *f,
		       const struct mf_tuf_role *role, struct mf_pubkey **keys, size_t *n,
		       struct mf_err *err) MF_NODISCARD;

/* A role that outlives the file that lists it. Of its keys there is what verifying needs. */
struct mf_tuf_role_copy {
	struct mf_tuf_role role;
	struct mf_tuf_key *keys;
	struct mf_arena arena;
};
struct mf_tuf_role_copy *mf_tuf_role_copy(const struct mf_tuf_role *r, struct mf_err *err) MF_NODISCARD;
void mf_tuf_role_copy_free(struct mf_tuf_role_copy *c); /* NULL is fine */
/* The same keys, threshold and paths? */
bool mf_tuf_role_same(const struct mf_tuf_role *a, const struct mf_tuf_role *b);

#endif
