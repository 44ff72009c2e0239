/* Changes of roles: the delegations of `targets`, the keys that sign for them and their types, and who may
 * publish. */
#ifndef MF_PUBLISH_ROLES_H
#define MF_PUBLISH_ROLES_H

#include "publish/publish.h"

enum mf_role_verb {
	MF_ROLE_ADD,  /* keys and types are added; a role that does not exist is created */
	MF_ROLE_SET,  /* the role has exactly these keys and types */
	MF_ROLE_DROP, /* these keys are removed; without any, the role is removed */
	MF_ROLE_SIGN, /* its file is re-signed unchanged */
	/* The keys are added and those in `old` removed; allowed for a top-level role too. A root key of
	 * Notary that is in both lists gets a new certificate. */
	MF_ROLE_ROTATE,
};
struct mf_role_request {
	enum mf_role_verb verb;
	const char *role; /* "qa" or "targets/qa"; "root" */
	struct mf_pubkey *const *keys;
	size_t nkeys;
	struct mf_pubkey *const *old; /* MF_ROLE_ROTATE */
	size_t nold;
	/* For a Notary root, the certificate of each key as PEM; NULL: it is made here with the private key.
	 * The array is NULL when none is given. */
	char *const *certificates;
	const char *const *types;
	size_t ntypes;
	int64_t threshold; /* 0: unchanged, and 1 for a new role and for MF_ROLE_SET */
	bool force;        /* records may be lost; a file that does not verify may be replaced */
};

struct mf_role_change {
	const struct mf_role_request *requests; /* each for a different role */
	size_t n;
	const char *image;            /* for hints */
	bool dry_run;                 /* only report what would change */
	const char *propose;          /* where a proposal goes instead of a publish; NULL: publish */
	struct mf_proposal *proposal; /* the proposal that is made */
	bool check_keys;   /* fail with MF_E_KEY, before anything is signed, unless this machine can sign
			      everything */
	bool expired_root; /* the root or its certificate has expired and is replaced */
	/* Called in a dry run and for a proposal, with what readers would load after the change. It is a
	 * shallow copy, valid during the call. */
	int (*preview)(void *arg, const struct mf_tuf_set *after, struct mf_err *err);
	void *preview_arg;
	/* What has changed, or in a dry run would change; in the arena. */
	struct mf_arena *arena;
	struct manifesto_role_change *changes;
	size_t nchanges;
	int64_t version;      /* of the file of `targets`; 0: it did not change */
	int64_t root_version; /* 0: the root was not changed */
};
/* Makes the changes of all requests in one publish. The load skips roles that do not verify. MF_FOUND:
 * published (dry_run: it would be); MF_ABSENT: nothing to do; MF_FAILED: MF_E_USAGE (names, thresholds,
 * records that would be lost), MF_E_NOT_FOUND (no such role, or the role has no such key), MF_E_KEY. */
enum mf_found mf_publish_roles(struct mf_trust *t, struct mf_role_change *c, struct mf_err *err) MF_NODISCARD;

#endif
