/* Which roles are authorities for a record type, the state of a record, and the choice among several records.
 * Pure. */
#ifndef MF_POLICY_POLICY_H
#define MF_POLICY_POLICY_H

#include "keys/names.h"
#include "record/promoted.h"
#include "tuf/tuf.h"

enum mf_state {
	MF_STATE_CURRENT,
	MF_STATE_FOREIGN,   /* no record signature of a key that the role lists now */
	MF_STATE_EXPIRED,   /* past its own `expires` */
	MF_STATE_WITHDRAWN, /* tombstone */
	MF_STATE_VETO,      /* a veto on `type` (mf_policy_find_veto) */
};
const char *mf_state_name(enum mf_state s);

/* One record or veto in the file of a trusted role. */
struct mf_entry {
	const struct mf_tuf_loaded *role; /* borrowed from the set */
	struct mf_str type;               /* slice of the file; of a veto: the type that it blocks, or "*" */
	struct mf_digest subject;
	struct mf_tuf_target_info info;
	struct mf_record record;
	enum mf_state state;
	struct mf_pubkey **keys; /* of the role, borrowed; signed_by[i]: keys[i] signed the record */
	bool *signed_by;
	size_t nkeys;
	struct mf_originals originals; /* of a promoted record: the entries that it was made of */
};
struct mf_entries {
	struct mf_entry *v;
	size_t n, cap;
};
void mf_entry_clear(struct mf_entry *e);
void mf_entries_clear(struct mf_entries *e);
#define MF_ENTRY_CLEANUP MF_CLEANUP(mf_entry_clear)
#define MF_ENTRIES_CLEANUP MF_CLEANUP(mf_entries_clear)

/* Does the name `asked` mean this role? "qa" also means "targets/qa". */
bool mf_role_is(const char *role, const char *asked);
/* The delegation that a name means: the one of this name that `targets` lists; else the one that the loaded
 * roles below it list. A name does not show who chose it: in TUF 1.0 any role may list a role of any name,
 * with keys of its own choice. *by: the role that lists it (NULL for `targets`). */
enum mf_named { MF_NAMES_NONE, MF_NAMES_ONE, MF_NAMES_SEVERAL };
enum mf_named mf_policy_role_by_name(const struct mf_tuf_set *set, const char *asked,
				     const struct mf_tuf_role **out, const struct mf_tuf_loaded **by);
/* Is the loaded role the one that the name means? In a set that begins with another role than `targets` (one
 * old version of that role) only the name is compared. */
bool mf_policy_role_matches(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, const char *asked);
/* May the role that the name means, loaded or not, hold records of a type? */
bool mf_policy_may_hold(const struct mf_tuf_set *set, const char *asked, struct mf_str type);
/* Is the loaded role an authority for type T? With asked NULL, authorities are the delegations one of whose
 * own paths starts with "T/", and if there are none, `targets`. Else only the role that `asked` means, if it
 * is `targets` or has such a path. */
bool mf_policy_authorised(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
			  const char *asked);
/* Does a listed delegation, loaded or not, name the type in its own paths? */
bool mf_policy_delegated(const struct mf_tuf_set *set, struct mf_str type);

/* The roles, loaded or not, that are authorities for a type: the delegations that name it, else `targets`. At
 * most max; returns their number. */
size_t mf_policy_roles(const struct mf_tuf_set *set, struct mf_str type, const struct mf_tuf_role **out,
		       size_t max);

/* Is the entry of this name in a shard ignored, because the role's own file, which takes precedence, has
 * one? */
bool mf_policy_is_hidden(const struct mf_tuf_loaded *l, struct mf_str name);

/* Reads entry i of a role. MF_ABSENT, with *out empty: its name is not that of a record, is not covered by
 * the role's paths, or is hidden (mf_policy_is_hidden). */
enum mf_found mf_entry_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i,
			    struct mf_entry *out, struct mf_err *err) MF_NODISCARD;

/* Fails with MF_E_WITHDRAWN. The message has the role that withdrew the record, the keys that signed the
 * withdrawal, its time and its reason. */
int mf_entry_refuse_withdrawn(const struct mf_entry *e, const struct mf_names *names, struct mf_err *err);

/* Reads a record by its name, like mf_entry_read. MF_ABSENT: the role has no such record, or may not have
 * it. */
enum mf_found mf_policy_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str name,
			     struct mf_entry *out, struct mf_err *err) MF_NODISCARD;

/* Finds a role's veto on a type, or on all types, for a subject. The name of a veto is in one of the role's
 * own paths, whatever type it blocks. It counts for policies that list the role under `veto`. The signatures
 * of the role's file suffice: a record signature is not needed, and no member such as `expires` ends the
 * veto. MF_E_FORMAT: the veto cannot be read, or has another subject or type than its name. */
enum mf_found mf_policy_find_veto(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l,
				  struct mf_str type, const struct mf_digest *subject, struct mf_entry *out,
				  struct mf_err *err) MF_NODISCARD;
/* Reads entry i of a role as a veto. MF_ABSENT: its name is not that of a veto in the role's own paths. */
enum mf_found mf_veto_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i,
			   struct mf_entry *out, struct mf_err *err) MF_NODISCARD;
/* The i-th type with which names of the role's vetoes may begin; empty: there are no more. */
struct mf_str mf_policy_own_type(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i);

/* Selects the current record of (type, subject). MF_E_NOT_FOUND; MF_E_WITHDRAWN: an authority has a
 * tombstone; MF_E_RECORD_EXPIRED; MF_E_AMBIGUOUS: authorities have records with different content (the
 * message lists the roles), or `asked` means several roles. */
int mf_policy_select(const struct mf_tuf_set *set, struct mf_str type, const struct mf_digest *subject,
		     const char *asked, struct mf_entry *out, struct mf_err *err) MF_NODISCARD;
/* Lists the records of authorities for display, not for decisions: record signatures and states are not
 * checked. first_bytes (256, or NULL: all): only subjects whose digest begins with a byte that is set. */
int mf_policy_survey(const struct mf_tuf_set *set, const bool *first_bytes, struct mf_entries *out,
		     struct mf_err *err) MF_NODISCARD;
/* How many records mf_policy_survey would list. Sets first_bytes[b] if the digest of a subject begins with
 * byte b. Reads names only. If shards are not loaded, returns SIZE_MAX, and sets the bytes of all subjects
 * that they may hold. */
size_t mf_policy_tally(const struct mf_tuf_set *set, bool first_bytes[256]);

/* Lists all records of a subject in authorities, and vetoes of any role, sorted by type and role; subject
 * NULL: of all subjects. */
int mf_policy_list(const struct mf_tuf_set *set, const struct mf_digest *subject, const char *asked,
		   struct mf_entries *out, struct mf_err *err) MF_NODISCARD;
/* The same for all subjects or those of a filter, one entry at a time, because a list of all would need more
 * memory than the repository. `each` may take the entry and leave an empty one. */
struct mf_entry_filter {
	const char *const *roles; /* only these roles; ends with NULL. NULL: all */
	const bool *first_bytes;  /* as for mf_policy_survey */
	bool stored;              /* what is stored, as a survey has it */
};
typedef int mf_entry_each(void *arg, struct mf_entry *e, struct mf_err *err);
int mf_policy_each(const struct mf_tuf_set *set, struct mf_entry_filter which, mf_entry_each *each, void *arg,
		   struct mf_err *err) MF_NODISCARD;

#endif
