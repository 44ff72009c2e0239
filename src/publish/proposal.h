/* A proposal: one publish that lacks signatures. It is the composer's output, the signed parts, with what
 * they were made of, the intent. Format: docs/proposal-format.md.
 *
 * Nothing in it is trusted. The intent is applied to the verified base, and the composer's output must equal
 * the signed parts to the byte: so whoever reads the intent has seen everything that would be signed. */
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
	const char *role;
	int64_t base; /* version that it follows, 0: it is the first */
	struct mf_digest base_hash;
	int64_t version, expires;
	struct mf_str signed_part; /* canonical */
	struct mf_proposal_signature *signatures;
	size_t nsignatures;
};
struct mf_proposal {
	json_t
	    *tree; /* the document; NULL: it is to be made, with image, created and expires as they are set */
	struct mf_arena arena;
	const char *dialect, *repository, *image;
	int64_t created, expires; /* from `expires` on nobody signs or publishes it */
	/* The intent. */
	const char *role;               /* targets role whose entries or delegations change; NULL: none */
	struct mf_proposal_edit *edits; /* sorted by name */
	size_t nedits;
	struct mf_proposal_delegation *delegations;
	size_t ndelegations;
	json_t *keys; /* KEY objects by ID that delegations need; NULL: none. Borrowed from the tree */
	struct mf_publish_resign *resign;
	size_t nresign;
	bool root_last;
	unsigned meta;
	struct mf_proposal_file *files; /* each of another role */
	size_t nfiles;
	/* What mf_publish_run found out: */
	bool moved; /* somebody published since: files were made again on what is there now */
	size_t
	    dropped;  /* signatures that are over files as they were before, or by keys that count no more */
	size_t added; /* signatures of this machine */
	size_t missing; /* signatures, most of any file */
	/* of fill */
	struct mf_tuf_edit *now;
	struct mf_buf delegations_now;
	struct mf_str delegations_text;
};
void mf_proposal_clear(struct mf_proposal *p);
#define MF_PROPOSAL_CLEANUP MF_CLEANUP(mf_proposal_clear)

/* The one constructor: reads a document. `out` is empty before. MF_E_FORMAT. */
int mf_proposal_parse(struct mf_proposal *out, struct mf_bytes doc, struct mf_err *err) MF_NODISCARD;
/* Appends the document. */
int mf_proposal_write(const struct mf_proposal *p, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* The file of a role; NULL. */
const struct mf_proposal_file *mf_proposal_find(const struct mf_proposal *p, const char *role);
/* Which signatures are taken over: those by one key, that verify. */
struct mf_proposal_filter {
	const struct mf_dialect *d;
	const struct mf_tuf_key *key;
};
/* Takes over signatures of `from` that p lacks, over the very same signed parts. only NULL: all; whether they
 * verify is then seen when p is composed. */
int mf_proposal_merge(struct mf_proposal *p, const struct mf_proposal *from,
		      const struct mf_proposal_filter *only, struct mf_err *err) MF_NODISCARD;

/* ---- intent and change (intent.c) */
/* Makes p of a change and its composed files: without a document before, of everything; else of the files. */
int mf_proposal_take(struct mf_proposal *p, struct mf_trust *t, const struct mf_publish_change *c,
		     const struct mf_outgoing *o, struct mf_err *err) MF_NODISCARD;
/* The change that the intent makes of what is loaded, for `fill` of an intent; its memory is p's. MF_ABSENT:
 * it is so already. MF_E_CONFLICT: somebody has changed the same since. */
enum mf_found mf_proposal_fill(void *p, struct mf_trust *t, struct mf_publish_change *out,
			       struct mf_err *err);
/* Is it a signature over these octets by this key? (keys.c) */
enum mf_found mf_proposal_signed_by(const struct mf_proposal_filter *by,
				    const struct mf_proposal_signature *s, struct mf_str signed_part,
				    struct mf_err *err);
/* Was the file proposed for this one (NULL: the role's first)? */
enum mf_found mf_proposal_same_base(const struct mf_proposal_file *f, const struct mf_tuf_file *base,
				    struct mf_err *err);

#endif
