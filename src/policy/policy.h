/* Authority of roles for record types, the state of a record, the choice among several records. Pure. */
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
	MF_STATE_VETO,      /* a veto on `type`; see mf_policy_find_veto */
};
const char *mf_state_name(enum mf_state s);

/* One record as a trusted role holds it. */
struct mf_entry {
	const struct mf_tuf_loaded *role; /* borrowed from the set */
	struct mf_str type;               /* slice of the file; of a veto the type that it stops, or "*" */
	struct mf_digest subject;
	struct mf_tuf_target_info info;
	struct mf_record record;
	enum mf_state state;
	struct mf_pubkey **keys; /* of the role, borrowed; signed_by[i] says which signed the record */
	bool *signed_by;
	size_t nkeys;
	struct mf_originals originals; /* of a promoted record: what it was made of */
};
struct mf_entries {
	struct mf_entry *v;
	size_t n, cap;
};
void mf_entry_clear(struct mf_entry *e);
void mf_entries_clear(struct mf_entries *e);
#define MF_ENTRY_CLEANUP MF_CLEANUP(mf_entry_clear)
#define MF_ENTRIES_CLEANUP MF_CLEANUP(mf_entries_clear)

/* Does a role go by this name? "qa" also means "targets/qa". */
bool mf_role_is(const char *role, const char *asked);
/* The delegation that a name stands for: the one that `targets` lists by it; else the one that the loaded
 * roles below list by it. Names say nothing of who gave them: in TUF 1.0 any role may list another by any
 * name, under keys of its own. *by lists it (NULL for `targets`). */
enum mf_named { MF_NAMES_NONE, MF_NAMES_ONE, MF_NAMES_SEVERAL };
enum mf_named mf_policy_role_by_name(const struct mf_tuf_set *set, const char *asked,
				     const struct mf_tuf_role **out, const struct mf_tuf_loaded **by);
/* Is the loaded role the one that the name stands for? In a set that begins with another role than `targets`
 * (an old version of that role alone) the name decides. */
bool mf_policy_role_matches(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, const char *asked);
/* May the role that the name stands for, loaded or not, hold records of a type? */
bool mf_policy_may_hold(const struct mf_tuf_set *set, const char *asked, struct mf_str type);
/* Is the loaded role an authority for a type? Without `asked`: the delegations one of whose own paths starts
 * with "T/", and if there are none, `targets`. With it: that role only, which must be `targets` or cover the
 * type. */
bool mf_policy_authorised(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
			  const char *asked);
/* Does a delegation that is listed (loaded or not) name the type in its own paths? */
bool mf_policy_delegated(const struct mf_tuf_set *set, struct mf_str type);

/* The roles, loaded or not, that may hold a type: the delegations that name it, else `targets`. At most max;
 * returns their number. */
size_t mf_policy_roles(const struct mf_tuf_set *set, struct mf_str type, const struct mf_tuf_role **out,
		       size_t max);

/* A role's own file goes before its shards: does it hold this name, which a shard of it holds as well? */
bool mf_policy_is_hidden(const struct mf_tuf_loaded *l, struct mf_str name);

/* Reads entry i of a role. MF_ABSENT, and an empty entry: its name is none of ours. */
enum mf_found mf_entry_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i,
			    struct mf_entry *out, struct mf_err *err) MF_NODISCARD;

/* Fails with MF_E_WITHDRAWN; the message says which role withdrew it, when and why, and the keys that signed
 * that. */
int mf_entry_refuse_withdrawn(const struct mf_entry *e, const struct mf_names *names, struct mf_err *err);

/* The same by name. MF_ABSENT: the role has no such record, or may not have it. */
enum mf_found mf_policy_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str name,
			     struct mf_entry *out, struct mf_err *err) MF_NODISCARD;

/* What a role has said to stop a type, or all, for a subject: a veto lies in a path of the role's own, which
 * names the type or not, and counts for those whose policy calls the role `veto`. Whatever signs its file
 * vetoes: a record signature is not needed, and no other member lifts it. MF_E_FORMAT when what is there
 * cannot be read, or speaks of another subject or type than its name. */
enum mf_found mf_policy_find_veto(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l,
				  struct mf_str type, const struct mf_digest *subject, struct mf_entry *out,
				  struct mf_err *err) MF_NODISCARD;
/* Reads entry i of a role as a veto. MF_ABSENT: its name is none of a veto that counts. */
enum mf_found mf_veto_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i,
			   struct mf_entry *out, struct mf_err *err) MF_NODISCARD;
/* The i-th type of the role's own under which its vetoes lie; empty: there are no more. */
struct mf_str mf_policy_own_type(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i);

/* The one current record of (type, subject). MF_E_NOT_FOUND; MF_E_WITHDRAWN when any authorised role holds a
 * tombstone; MF_E_RECORD_EXPIRED; MF_E_AMBIGUOUS when authorised roles hold different blobs (the message
 * lists them), or several roles go by the name asked for. */
int mf_policy_select(const struct mf_tuf_set *set, struct mf_str type, const struct mf_digest *subject,
		     const char *asked, struct mf_entry *out, struct mf_err *err) MF_NODISCARD;
/* Lists what is stored, for showing and not for decisions: the records of authorised roles, without checks of
 * record signatures and states. first_bytes (256, or NULL: all): only subjects whose digest begins with a
 * byte that is set. */
int mf_policy_survey(const struct mf_tuf_set *set, const bool *first_bytes, struct mf_entries *out,
		     struct mf_err *err) MF_NODISCARD;
/* How many records a survey of all would give; first_bytes[b] is set where a subject's digest begins with b.
 * Reads names only. Where shards are not loaded, SIZE_MAX: each may hold records of all its subjects. */
size_t mf_policy_tally(const struct mf_tuf_set *set, bool first_bytes[256]);

/* All records of a subject in authorised roles, and vetoes of any role, by type and role; subject NULL: of
 * all subjects. */
int mf_policy_list(const struct mf_tuf_set *set, const struct mf_digest *subject, const char *asked,
		   struct mf_entries *out, struct mf_err *err) MF_NODISCARD;
/* The same of all subjects, or those of a filter, one entry after the other: a list of all would need more
 * memory than the repository. `each` may take the entry, and leave an empty one. */
struct mf_entry_filter {
	const char *const *roles; /* those that are asked for, or NULL: all; ends with NULL */
	const bool *first_bytes;  /* as for mf_policy_survey */
};
typedef int mf_entry_each(void *arg, struct mf_entry *e, struct mf_err *err);
int mf_policy_each(const struct mf_tuf_set *set, struct mf_entry_filter which, mf_entry_each *each, void *arg,
		   struct mf_err *err) MF_NODISCARD;

#endif
