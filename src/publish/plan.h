/* A change of roles while it is planned, shared by plan.c (the whole), goals.c (delegations) and root.c
 * (top-level roles). */
#ifndef MF_PUBLISH_PLAN_H
#define MF_PUBLISH_PLAN_H

#include "publish/roles.h"

/* Made afresh for each try; the change points into it. */
struct mf_plan {
	struct mf_role_change *request;
	struct mf_publish_change change;
	struct mf_arena arena;
	struct mf_tuf_delegation *goals;
	size_t ngoals;
	struct mf_tuf_root_edit *edits; /* of the root */
	size_t nedits, edits_cap;
	struct mf_publish_resign *resign; /* room for one for each request and goal, and targets */
	struct mf_buf delegations, root;
	struct mf_str delegations_text, root_text;
	struct mf_tuf_file *after;      /* a file with the new delegations, unsigned */
	struct mf_tuf_file *root_after; /* the next root, unsigned; NULL: as it is */
};

/* One more row of the report. */
int mf_plan_report(struct mf_plan *p, const char *what, const char *role, const char *detail,
		   struct mf_err *err) MF_NODISCARD;
int mf_plan_report_key(struct mf_plan *p, const char *what, const char *role, const struct mf_pubkey *pub,
		       struct mf_err *err) MF_NODISCARD;
/* The role's name as `cur` has it, or as a new delegation shall; NULL: MF_E_USAGE. */
char *mf_plan_full_name(struct mf_plan *p, const struct mf_trust *t, const struct mf_tuf_role *cur,
			const char *name, struct mf_err *err) MF_NODISCARD;
/* Fill g, the last of the goals, as the request asks; it is counted when something changes. cur: the role as
 * it is, NULL: a new one. */
int mf_plan_set_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		     const struct mf_tuf_role *cur, struct mf_tuf_delegation *g,
		     struct mf_err *err) MF_NODISCARD;
int mf_plan_drop_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		      const struct mf_tuf_role *cur, struct mf_tuf_delegation *g,
		      struct mf_err *err) MF_NODISCARD;

/* The file that lists the delegations of `targets` after the change, and one of them (NULL). */
const struct mf_tuf_file *mf_plan_delegator(const struct mf_plan *p, const struct mf_trust *t);
const struct mf_tuf_role *mf_plan_delegation(const struct mf_plan *p, const struct mf_trust *t,
					     const char *name);
/* Do a role as it would be, and its keys, hold for its own file and its shards? MF_E_SIGNATURE. */
int mf_plan_check_files(const struct mf_trust *t, const struct mf_tuf_loaded *own,
			const struct mf_tuf_role *listed, struct mf_err *err) MF_NODISCARD;
/* Must its own file be re-signed, since the shards that it lists have a key that the role has not after the
 * change? Nobody here can, or it is a proposal: a warning, since readers of this program do not accept that
 * key anyway. */
bool mf_plan_relists(const struct mf_plan *p, const struct mf_trust *t, const struct mf_tuf_loaded *own,
		     const struct mf_tuf_role *after);
/* MF_ROLE_ROTATE of a top-level role: edits of the root. */
int mf_plan_top_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		     struct mf_err *err) MF_NODISCARD;
/* The next root, where there are edits of it, and who may publish. After the delegations. */
int mf_plan_root(struct mf_plan *p, struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* TUF 1.0: may the key publish, without signing for any role after the change? */
bool mf_plan_is_leftover(const struct mf_plan *p, const struct mf_trust *t, const struct mf_pubkey *pub);
/* MF_E_KEY: this machine has too few keys of a role that the change signs. */
int mf_plan_check_keys(const struct mf_plan *p, struct mf_trust *t, struct mf_err *err) MF_NODISCARD;

static inline bool mf_plan_is_toplevel(const char *name)
{
	return strcmp(name, "root") == 0 || strcmp(name, "timestamp") == 0 || strcmp(name, "snapshot") == 0 ||
	       strcmp(name, "targets") == 0;
}

static inline bool mf_plan_same_key(const struct mf_tuf_key *k, const struct mf_pubkey *pub)
{
	return k->id_fits && mf_pubkey_eq(k->pub, pub);
}

#endif
