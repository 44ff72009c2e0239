/* What happened to the records of one subject from one version of a role's file to the next. Pure. */
#ifndef MF_POLICY_HISTORY_H
#define MF_POLICY_HISTORY_H

#include "policy/policy.h"

enum mf_event {
	MF_EVENT_NONE,
	MF_EVENT_PRESENT, /* in the oldest version that is left: the time at which it came is unknown */
	MF_EVENT_PUT,
	MF_EVENT_REPLACED, /* other content, or another description */
	MF_EVENT_SIGNED,   /* the same record, with signers that it did not have */
	MF_EVENT_UNSIGNED, /* the same record has lost signers, for example because the role dropped their
			      keys */
	MF_EVENT_WITHDRAWN,
	MF_EVENT_REINSTATED,
	MF_EVENT_REMOVED,
	MF_EVENT_FOREIGN,      /* put or replaced, without a signature of a key of the role */
	MF_EVENT_UNAUTHORISED, /* the role no longer speaks for the type; the entry is still there */
	MF_EVENT_AUTHORISED,   /* and does so again, or for the first time */
	MF_EVENT_VETO,         /* a veto came, or another reason for it */
	MF_EVENT_VETO_LIFTED,
};
const char *mf_event_name(enum mf_event e);

/* A record in one version. */
struct mf_past {
	char type[MF_MAX_TYPE + 1];
	struct mf_digest subject;
	bool authorised, withdrawn, veto;
	struct mf_digest blob;
	uint64_t length;
	struct mf_digest raw;       /* over the entry as it stands in the file; of a repository's only */
	struct mf_digest described; /* over content and description, without record signatures */
	struct mf_digest *signers;
	size_t nsigners;
	struct mf_entry entry; /* empty when the role could not hold such a record then */
};
struct mf_pasts {
	struct mf_past *v; /* sorted, see mf_past_cmp */
	size_t n, cap;
};
void mf_pasts_clear(struct mf_pasts *p);
#define MF_PASTS_CLEANUP MF_CLEANUP(mf_pasts_clear)
/* Moves one to another list, which is not sorted then. */
int mf_pasts_move(struct mf_pasts *to, struct mf_past *p, struct mf_err *err) MF_NODISCARD;
/* The entries point into the file: they go with it. The rest stays. */
void mf_pasts_forget_entries(struct mf_pasts *p);

/* The subject's records in a role's file; type empty: of every type; asked: --role, or NULL. MF_E_FORMAT for
 * a record that cannot be read. */
int mf_pasts_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
		  const struct mf_digest *subject, const char *asked, struct mf_pasts *out,
		  struct mf_err *err) MF_NODISCARD;
/* Those of all subjects. before, or NULL: those of another version of the file under the same keys and paths;
 * an entry that is there octet for octet is taken over with what was verified of it, and is not read again.
 */
int mf_pasts_read_repository(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
			     const char *asked, const struct mf_pasts *before, struct mf_pasts *out,
			     struct mf_err *err) MF_NODISCARD;
/* The record among those of one type; NULL: there are vetoes at most. */
const struct mf_past *mf_pasts_record(const struct mf_pasts *p);
/* By subject and type, vetoes behind records. */
int mf_past_cmp(const void *a, const void *b);
/* What made `after` of `before`; NULL: not in the file. known: the version before has been read, or there is
 * none. */
enum mf_event mf_event_between(const struct mf_past *before, const struct mf_past *after, bool known);
/* Did the key with this fingerprint sign it? */
bool mf_past_signed_by(const struct mf_past *p, const struct mf_digest *fp);

#endif
