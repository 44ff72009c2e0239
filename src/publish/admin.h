/* Teams: the delegations of `targets`, who signs for them and for which types, and who may publish at all. */
#ifndef MF_TRUST_ADMIN_H
#define MF_TRUST_ADMIN_H

#include "publish/publish.h"

enum mf_admin_verb {
	MF_ADMIN_ADD,  /* keys and types are added; a role that is not there is made */
	MF_ADMIN_SET,  /* the role has exactly these keys and types */
	MF_ADMIN_DROP, /* these keys go; without any, the role goes */
	MF_ADMIN_SIGN, /* its file is signed anew as it is */
};
struct mf_admin_request {
	enum mf_admin_verb verb;
	const char *role; /* "qa" or "targets/qa" */
	struct mf_pubkey *const *keys;
	size_t nkeys;
	const char *const *types;
	size_t ntypes;
	int64_t threshold; /* 0: as it is; 1 for a new role and for MF_ADMIN_SET */
	bool force;        /* records may vanish by it; a file that does not verify may be begun anew */
};

struct mf_admin_plan {
	const struct mf_admin_request *v; /* each of another role */
	size_t n;
	bool dry_run; /* only tell what would change */
};

/* One thing that is (or, in a dry run, would be) different afterwards. */
struct mf_admin_changed {
	const char *what; /* "role added", "role removed", "key added", "key removed", "type added", "type
			     removed", "path removed", "threshold", "signed anew", "writer added", "writer
			     removed" */
	const char *role;
	const char *detail; /* fingerprint, type, number; "" */
};
struct mf_admin_result {
	struct mf_arena arena;
	struct mf_admin_changed *v;
	size_t n, cap;
	int64_t version;      /* of the file of `targets`, 0: it was not changed */
	int64_t root_version; /* 0: the root was not changed */
};
void mf_admin_result_clear(struct mf_admin_result *r);

/* Does all requests in one publish, then reads the repository again and proves them. Damaged roles are
 * tolerated from here on. image: for hints. 1 published (dry_run: would be), 0 nothing to do, -1: MF_E_USAGE
 * (names, thresholds, records that would vanish), MF_E_NOT_FOUND (no such role or key of it), MF_E_KEY. */
int mf_admin_run(struct mf_trust *t, const char *image, const struct mf_admin_plan *plan,
		 struct mf_admin_result *out, struct mf_err *err) MF_NODISCARD;

/* The delegation of `targets` that goes by this name; NULL. */
const struct mf_tuf_role *mf_admin_find(const struct mf_tuf_set *set, const char *name);
/* A public key of this fingerprint (or a unique prefix of at least 16 digits) that the repository lists
 * anywhere, a new reference; NULL with MF_E_KEY. */
struct mf_pubkey *mf_admin_listed_key(const struct mf_tuf_set *set, const char *fingerprint,
				      struct mf_err *err) MF_NODISCARD;
/* May this machine's keys publish in the repository, besides signing a role? TUF 1.0: a key of snapshot and
 * one of timestamp. Notary: the server signs both; when another client holds the snapshot key, publishing
 * says so. */
bool mf_admin_may_publish(struct mf_trust *t);
bool mf_admin_read_only(const struct mf_trust *t);

#endif
