/* The plan for a change of roles, shared by plan.c (the whole), goals.c (delegations) and root.c (top-level
 * roles). */
#ifndef MF_PUBLISH_PLAN_H
#define MF_PUBLISH_PLAN_H

#include "publish/roles.h"

/* It is made again for each try; `change` points into it. */
struct mf_plan {
	struct mf_role_change *request;
	struct mf_publish_change change;
	struct mf_arena arena;
	struct mf_tuf_delegation *goals;
	size_t ngoals;
	struct mf_tuf_root_edit *edits; /* of the root */
	size_t nedits, edits_cap;
	struct mf_publish_resign *resign; /* with room for all roles that may be re-signed */
	struct mf_buf delegations, root;
	struct mf_str delegations_text, root_text;
	struct mf_tuf_file *after;      /* a file with the new delegations, unsigned; NULL: unchanged */
	struct mf_tuf_file *root_after; /* the next root, unsigned; NULL: unchanged */
};

/* Adds a row to the report. */
int mf_plan_report(struct mf_plan *p, const char *what, const char *role, const char *detail,
		   struct mf_err *err) MF_NODISCARD;
int mf_plan_report_key(struct mf_plan *p, const char *what, const char *role, const struct mf_pubkey *pub,
		       struct mf_err *err) MF_NODISCARD;
/* Returns the full name of a role: that of `cur`, or for a new role the one that its delegation gets. NULL
 * with MF_E_USAGE. */
char *mf_plan_full_name(struct mf_plan *p, const struct mf_trust *t, const struct mf_tuf_role *cur,
			const char *name, struct mf_err *err) MF_NODISCARD;
/* These fill g, the goal after the last one, as the request says; it is counted as a goal when something
 * changes. cur: the present role; NULL: a new one. */
int mf_plan_set_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		     const struct mf_tuf_role *cur, struct mf_tuf_delegation *g,
		     struct mf_err *err) MF_NODISCARD;
int mf_plan_drop_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		      const struct mf_tuf_role *cur, struct mf_tuf_delegation *g,
		      struct mf_err *err) MF_NODISCARD;

/* Return the file that lists the delegations of `targets` after the change, and one of these delegations
 * (NULL: there is none). */
const struct mf_tuf_file *mf_plan_delegator(const struct mf_plan *p, const struct mf_trust *t);
const struct mf_tuf_role *mf_plan_delegation(const struct mf_plan *p, const struct mf_trust *t,
					     const char *name);
/* Checks that the role's own file and its shards have enough valid signatures for the role as it is after the
 * change. MF_E_SIGNATURE. */
int mf_plan_check_files(const struct mf_trust *t, const struct mf_tuf_loaded *own,
			const struct mf_tuf_role *listed, struct mf_err *err) MF_NODISCARD;
/* True when the role's own file must be re-signed, because it lists its shards with a key that the role loses
 * in the change, or with a lower threshold. If this machine cannot sign it, or for a proposal, it is false,
 * with a warning (not in a dry run): readers of this program go by the role's keys and threshold anyway. */
bool mf_plan_relists(const struct mf_plan *p, const struct mf_trust *t, const struct mf_tuf_loaded *own,
		     const struct mf_tuf_role *after);
/* Plans MF_ROLE_ROTATE of a top-level role, as edits of the root. */
int mf_plan_top_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		     struct mf_err *err) MF_NODISCARD;
/* Plans the next root when there are edits of it, including the keys that may publish. Call it after the
 * delegations are planned. */
int mf_plan_root(struct mf_plan *p, struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* For TUF 1.0: true when the key may publish, but signs for no role after the change. */
bool mf_plan_is_leftover(const struct mf_plan *p, const struct mf_trust *t, const struct mf_pubkey *pub);
/* Fails with MF_E_KEY or MF_E_THRESHOLD when this machine has too few keys of a role that the change
 * signs. */
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
