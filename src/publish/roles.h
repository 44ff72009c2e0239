/* Changes of roles: the delegations of `targets`, who signs for them and for which types, and who may publish
 * at all. */
#ifndef MF_PUBLISH_ROLES_H
#define MF_PUBLISH_ROLES_H

#include "publish/publish.h"

enum mf_role_verb {
	MF_ROLE_ADD,  /* keys and types are added; a role that is not there is made */
	MF_ROLE_SET,  /* the role has exactly these keys and types */
	MF_ROLE_DROP, /* these keys are removed; without any, the role is removed */
	MF_ROLE_SIGN, /* its file is re-signed as it is */
	/* These keys are added and those in `old` removed; also of a top-level role. A root key of Notary
	 * that is in both gets a new certificate. */
	MF_ROLE_ROTATE,
};
struct mf_role_request {
	enum mf_role_verb verb;
	const char *role; /* "qa" or "targets/qa"; "root" */
	struct mf_pubkey *const *keys;
	size_t nkeys;
	struct mf_pubkey *const *old; /* MF_ROLE_ROTATE */
	size_t nold;
	/* Of each key, for Notary's root: PEM; NULL: made here, by the private key. NULL: of none. */
	char *const *certificates;
	const char *const *types;
	size_t ntypes;
	int64_t threshold; /* 0: as it is; 1 for a new role and for MF_ROLE_SET */
	bool force;        /* records may vanish by it; a file that does not verify may be replaced */
};

struct mf_role_change {
	const struct mf_role_request *requests; /* each of another role */
	size_t n;
	const char *image;            /* for hints */
	bool dry_run;                 /* only report what would change */
	const char *propose;          /* NULL, or where a proposal of it goes instead of a publish */
	struct mf_proposal *proposal; /* which is made here */
	bool check_keys;   /* MF_E_KEY, before anything is signed, unless all of it can be signed here */
	bool expired_root; /* the root or its certificate has expired, and is replaced */
	/* In a dry run, and for a proposal: called with what readers would load after the change. Shallow:
	 * valid for the call. */
	int (*preview)(void *arg, const struct mf_tuf_set *after, struct mf_err *err);
	void *preview_arg;
	/* What is (or, in a dry run, would be) different afterwards; in the arena. */
	struct mf_arena *arena;
	struct manifesto_role_change *changes;
	size_t nchanges;
	int64_t version;      /* of the file of `targets`, 0: it was not changed */
	int64_t root_version; /* 0: the root was not changed */
};
/* Does all requests in one publish. Roles that do not verify are passed over from here on. MF_FOUND:
 * published (dry_run: would be); MF_ABSENT: nothing to do; MF_FAILED: MF_E_USAGE (names, thresholds, records
 * that would vanish), MF_E_NOT_FOUND (no such role or key of it), MF_E_KEY. */
enum mf_found mf_publish_roles(struct mf_trust *t, struct mf_role_change *c, struct mf_err *err) MF_NODISCARD;

#endif
