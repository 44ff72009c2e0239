/* A proposal: one publish that lacks signatures. It has the signed parts, which are the composer's output,
 * and the intent, from which the composer made them. Format: docs/proposal-format.md.
 *
 * Nothing in it is trusted. The intent is applied to the verified base, and the composer's output must equal
 * the signed parts to the byte. So whoever reads the intent has seen everything that would be signed. */
#ifndef MF_PUBLISH_PROPOSAL_H
#define MF_PUBLISH_PROPOSAL_H

#include "json/json.h"
#include "publish/publish.h"
#include "record/record.h"

/* One target that changes. */
struct mf_proposal_edit {
	struct mf_str name;
	struct mf_str entry; /* canonical; empty: the name is removed */
	bool had;            /* there was an entry, and `before` is the SHA-256 of its canonical form */
	struct mf_digest before;
};
/* One delegation of the role that changes. */
struct mf_proposal_delegation {
	const char *name;
	json_t *entry; /* borrowed from the tree; NULL: it is removed */
	bool had;
	struct mf_digest before;
};
struct mf_proposal_signature {
	const char *keyid, *method; /* method NULL: none */
	struct mf_bytes sig;
};
/* A file to be signed. */
struct mf_proposal_file {
	const char *role; /* or the name of a shard */
	int64_t base;     /* the version of the file before it; 0: there is none */
	struct mf_digest base_hash;
	int64_t version, expires;
	struct mf_str signed_part; /* canonical */
	struct mf_proposal_signature *signatures;
	size_t nsignatures;
};
struct mf_proposal {
	json_t *tree; /* the document; NULL: it is to be made, with image, created and expires as set by the
			 caller */
	struct mf_arena arena;
	const char *dialect, *repository, *image;
	int64_t created, expires; /* from `expires` on, it is neither signed nor published */
	/* The intent. */
	const char *role;               /* the targets role whose entries or delegations change; NULL: none */
	struct mf_proposal_edit *edits; /* sorted by name */
	size_t nedits;
	struct mf_proposal_delegation *delegations;
	size_t ndelegations;
	json_t
	    *keys; /* the KEY objects, by ID, that the delegations need; NULL: none. Borrowed from the tree */
	struct mf_publish_resign *resign;
	size_t nresign;
	bool root_last;
	unsigned meta;
	struct mf_proposal_file
	    *files; /* each under another name: a role's own file, and each of its shards */
	size_t nfiles;
	/* Set by mf_publish_run: */
	bool moved;     /* somebody has published since, and files were made again from the present state */
	size_t dropped; /* signatures that do not count any more: over earlier files, or by removed keys */
	size_t added;   /* signatures of this machine */
	size_t missing; /* the highest number of missing signatures of one file */
	/* memory of mf_proposal_fill */
	struct mf_tuf_edit *now;
	struct mf_buf delegations_now;
	struct mf_str delegations_text;
};
void mf_proposal_clear(struct mf_proposal *p);
#define MF_PROPOSAL_CLEANUP MF_CLEANUP(mf_proposal_clear)

/* Parses a document; the only constructor for one that was received. *out must be empty. MF_E_FORMAT. */
int mf_proposal_parse(struct mf_proposal *out, struct mf_bytes doc, struct mf_err *err) MF_NODISCARD;
/* Appends the document. */
int mf_proposal_write(const struct mf_proposal *p, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Finds the file of a role or a shard; NULL when there is none. */
const struct mf_proposal_file *mf_proposal_find(const struct mf_proposal *p, const char *role);
/* Selects the signatures to take over: those that were made by one key and verify. */
struct mf_proposal_filter {
	const struct mf_dialect *d;
	const struct mf_tuf_key *key;
};
/* Takes over the signatures of `from` that p lacks, if they are over the same signed parts. `only` NULL: all
 * of them; composing p then shows whether they verify. */
int mf_proposal_merge(struct mf_proposal *p, const struct mf_proposal *from,
		      const struct mf_proposal_filter *only, struct mf_err *err) MF_NODISCARD;

/* ---- intent and change (intent.c) */
/* Fills p from a change and its composed files. If p has a document already, only the files are taken. */
int mf_proposal_take(struct mf_proposal *p, struct mf_trust *t, const struct mf_publish_change *c,
		     const struct mf_outgoing *o, struct mf_err *err) MF_NODISCARD;
/* Makes the change that the intent describes, for the loaded repository; used as `fill` of an intent. Its
 * memory belongs to p. MF_ABSENT: the repository is in that state already. MF_E_CONFLICT: somebody has
 * changed the same thing since. */
enum mf_found mf_proposal_fill(void *p, struct mf_trust *t, struct mf_publish_change *out,
			       struct mf_err *err);
/* MF_FOUND when it is a valid signature over these octets by this key. (keys.c) */
enum mf_found mf_proposal_signed_by(const struct mf_proposal_filter *by,
				    const struct mf_proposal_signature *s, struct mf_str signed_part,
				    struct mf_err *err);
/* Appends the canonical entry that a role has under a name, in its own file or in a shard. MF_ABSENT: there
 * is none. */
enum mf_found mf_proposal_entry_now(const struct mf_trust *t, const char *role, struct mf_str name,
				    struct mf_buf *out, struct mf_err *err);
/* Is the file in force already? */
bool mf_proposal_is_there(const struct mf_proposal_file *f, const struct mf_trust *t);
/* MF_FOUND when the file was proposed as the successor of `base` (NULL: as the role's first file). */
enum mf_found mf_proposal_same_base(const struct mf_proposal_file *f, const struct mf_tuf_file *base,
				    struct mf_err *err);

#endif
