/* The versions of the roles' files that a repository still has, each verified against the keys that its
 * delegator listed at the time.
 *
 * `targets` is verified by the roots from 1 to the trusted one, read backwards: each is signed by its own
 * threshold and signs the next one. A delegated role is verified by the verified versions of the file
 * that lists it. Version numbers do not show which of them was in force. So a version counts when some
 * version of its delegator lists enough of its signers, and when that version of the delegator is not older
 * than the one that the version before needed: keys that were removed do not sign again. Expiry is not
 * checked.
 *
 * Signatures can show no more: whoever has the old keys and controls the store now can write another
 * past. */
#ifndef MF_TRUST_HISTORY_H
#define MF_TRUST_HISTORY_H

#include "trust/trust.h"

enum mf_version_state {
	MF_VERSION_VERIFIED,
	MF_VERSION_NOT_KEPT, /* the repository has no such file */
	MF_VERSION_NOT_READ, /* there may be one; a limit ended before it */
	MF_VERSION_INVALID,  /* there is one, and it does not verify */
	MF_VERSION_DROPPED,  /* after the last: the role is no longer listed since the delegator's version */
	MF_VERSION_UNPROVEN, /* nor does this one, but files of its delegator were not read for the limit */
};

/* One version, or several without a file. Everything is borrowed for the call. */
struct mf_version {
	enum mf_version_state state;
	const char *role;    /* a shard has that of the role it belongs to */
	const char *file;    /* what the file is called; of a shard: its own name */
	int64_t first, last; /* the same, but for NOT_KEPT and NOT_READ */
	bool baseline;       /* the one before those asked for: to compare with */
	bool again;          /* reported before; now as keys show it that its delegator listed since */
	int64_t seen;        /* when the store says that it got the file; 0: it does not say */
	const char *why;     /* INVALID, UNPROVEN */
	/* VERIFIED: a view with this one file, the root and delegations of then. */
	const struct mf_tuf_set *set;
	const struct mf_tuf_loaded *loaded; /* NULL: the file is the root */
	const char *delegator;              /* "root", or a role; of a shard its role's; also DROPPED */
	int64_t delegator_version;
	const void *authority; /* the same for two versions of a file that have the same keys listed */
	struct mf_pubkey *const *signers; /* of the file */
	size_t nsigners;
};
/* 0, or -1 to stop. */
typedef int (*mf_version_fn)(void *arg, const struct mf_version *v, struct mf_err *err);

struct mf_history_query {
	const char *role; /* this loaded role's and its shards' only, by its full name; NULL: of all that are
			     loaded, and of those that a version read has listed, with a path that touches
			     prefix, and the newest does not */
	struct mf_str prefix;
	const char *const *subjects; /* of former shards those of these only, see struct mf_load */
	int64_t version;             /* this version only, of the file `role`; 0: the newest ones */
	bool roots;                  /* also each verified root, before the roles */
	int64_t limit;               /* so many versions of each role, at most MF_MAX_HISTORY_VERSIONS */
	mf_version_fn fn;
	void *arg;
};
/* Walks the versions of what mf_trust_load has loaded, role by role, delegators first, oldest version first.
 * Of the roles that only help to verify, what does not verify is reported, and nothing else. */
int mf_trust_history(struct mf_trust *t, const struct mf_history_query *q, struct mf_err *err) MF_NODISCARD;

#endif
