/* The old versions of roles' files that a repository still has, each verified with keys that its delegator
 * listed at some time.
 *
 * `targets` is verified with the roots from 1 to the trusted one. They are read backwards: each must be
 * signed by a threshold of its own keys, which must also sign the next one. A delegated role is verified with
 * the verified versions of the file that lists it. Version numbers do not show which of those was current
 * when the role was signed. So a version of the role is accepted if some version of its delegator lists
 * enough of its signers, and if that version is not older than the one needed for the previous version of the
 * role: removed keys do not sign again. Expiry is not checked.
 *
 * Signatures can prove no more than this: somebody who has the old keys and controls the store now can forge
 * a different history. */
#ifndef MF_TRUST_HISTORY_H
#define MF_TRUST_HISTORY_H

#include "trust/trust.h"

enum mf_version_state {
	MF_VERSION_VERIFIED,
	MF_VERSION_NOT_KEPT, /* the repository has no such file */
	MF_VERSION_NOT_READ, /* there may be one; a limit was reached before it */
	MF_VERSION_INVALID,  /* the file exists and does not verify */
	MF_VERSION_DROPPED,  /* follows the last version: since `delegator_version` the role is no longer
				listed */
	MF_VERSION_UNPROVEN, /* does not verify, but not all versions of its delegator could be read */
};

/* One version, or a range of versions without files. Everything is borrowed for the call. */
struct mf_version {
	enum mf_version_state state;
	const char *role;    /* of a shard: the role that it belongs to */
	const char *file;    /* name of the file's role; of a shard: its own name */
	int64_t first, last; /* equal, except in NOT_KEPT and NOT_READ */
	bool baseline;       /* the version before the requested ones, to compare the first of them with */
	bool again;          /* reported before, and now again under keys that its delegator listed later */
	int64_t seen;        /* when the store received the file, as it says; 0: unknown */
	const char *why;     /* only in INVALID and UNPROVEN */
	/* Only in VERIFIED: a set with this one file, and with the root and the delegation of that time. */
	const struct mf_tuf_set *set;
	const struct mf_tuf_loaded *loaded; /* NULL: the file is the root */
	const char *delegator; /* "root", or a role; of a shard: the delegator of its role. Also in DROPPED */
	int64_t delegator_version;
	const void *authority; /* equal for versions of a file that were verified with the same listed keys */
	struct mf_pubkey *const *signers; /* of the file */
	size_t nsigners;
};
/* Called for each version. Returns 0, or -1 to stop. */
typedef int (*mf_version_fn)(void *arg, const struct mf_version *v, struct mf_err *err);

struct mf_history_query {
	const char *role; /* full name of a loaded role: only its versions and those of its shards. NULL: all
			     loaded roles, and former roles: those that an older version lists, with a path
			     that overlaps `prefix`, and the newest does not */
	struct mf_str prefix;
	const char *const *subjects; /* of former shards, only those that may hold records of these subjects
					(see struct mf_load) */
	int64_t version;             /* only this version of the file `role`; 0: the newest versions */
	bool roots;                  /* report each verified root, too, before the roles */
	int64_t limit; /* versions of each role; more than MF_MAX_HISTORY_VERSIONS are never read */
	mf_version_fn fn;
	void *arg;
};
/* Reports the versions of the roles that mf_trust_load has loaded, role by role, delegators first, oldest
 * version first. Delegators that are read only to verify other roles are not reported, except for their
 * versions that do not verify. */
int mf_trust_history(struct mf_trust *t, const struct mf_history_query *q, struct mf_err *err) MF_NODISCARD;

#endif
