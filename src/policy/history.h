/* The events of records and vetoes between one version of a role's file and the next. Pure. */
#ifndef MF_POLICY_HISTORY_H
#define MF_POLICY_HISTORY_H

#include "policy/policy.h"

enum mf_event {
	MF_EVENT_NONE,
	MF_EVENT_PRESENT, /* in the oldest version that was kept: when it was put is unknown */
	MF_EVENT_PUT,
	MF_EVENT_REPLACED, /* other content, or another description */
	MF_EVENT_SIGNED,   /* the same record, with signers that it did not have */
	MF_EVENT_UNSIGNED, /* the same record has lost signers, for example because the role dropped their
			      keys */
	MF_EVENT_WITHDRAWN,
	MF_EVENT_REINSTATED,
	MF_EVENT_REMOVED,
	MF_EVENT_FOREIGN,      /* put or replaced, without a record signature of a key of the role */
	MF_EVENT_UNAUTHORISED, /* the role is no longer an authority for the type; its entry is still there */
	MF_EVENT_AUTHORISED,   /* the role has become an authority for the type of an existing entry */
	MF_EVENT_VETO,         /* a veto was put, or its description changed */
	MF_EVENT_VETO_LIFTED,
};
const char *mf_event_name(enum mf_event e);

/* A record or veto in one version of a file. */
struct mf_past {
	char type[MF_MAX_TYPE + 1];
	struct mf_digest subject;
	bool authorised, withdrawn, veto;
	struct mf_digest blob;
	uint64_t length;
	struct mf_digest raw;       /* hash of the entry as written; set by mf_pasts_read_repository */
	struct mf_digest described; /* hash of content and description, without record signatures */
	struct mf_digest *signers;
	size_t nsigners;
	struct mf_entry entry; /* empty if the role's paths did not cover the record, or the past is a copy */
};
struct mf_pasts {
	struct mf_past *v; /* sorted, see mf_past_cmp */
	size_t n, cap;
};
void mf_pasts_clear(struct mf_pasts *p);
#define MF_PASTS_CLEANUP MF_CLEANUP(mf_pasts_clear)
/* Moves one to the end of another list, which is unsorted then. */
int mf_pasts_move(struct mf_pasts *to, struct mf_past *p, struct mf_err *err) MF_NODISCARD;
/* Clears the entries, which point into the file, before the file is freed. The rest stays. */
void mf_pasts_forget_entries(struct mf_pasts *p);

/* Reads a subject's records and vetoes from a role's file. type empty: of every type; asked: the role of
 * --role, or NULL. MF_E_FORMAT: one cannot be read. */
int mf_pasts_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
		  const struct mf_digest *subject, const char *asked, struct mf_pasts *out,
		  struct mf_err *err) MF_NODISCARD;
/* Reads those of all subjects. before, or NULL: the result for another version of the file with the same keys
 * and paths. An entry that it has with the same octets is copied from it, with its verified signers, and not
 * read again. */
int mf_pasts_read_repository(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
			     const char *asked, const struct mf_pasts *before, struct mf_pasts *out,
			     struct mf_err *err) MF_NODISCARD;
/* The first one that is not a veto, of a list for one type; NULL: there is none. */
const struct mf_past *mf_pasts_record(const struct mf_pasts *p);
/* Compares by subject and type; vetoes follow records. */
int mf_past_cmp(const void *a, const void *b);
/* The event between a version of the file and the next, from what they have of a record; NULL: nothing.
 * known: the earlier version has been read, or there is none. */
enum mf_event mf_event_between(const struct mf_past *before, const struct mf_past *after, bool known);
/* Did the key with this fingerprint sign it? */
bool mf_past_signed_by(const struct mf_past *p, const struct mf_digest *fp);

#endif
