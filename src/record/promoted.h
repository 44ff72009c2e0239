/* promotedFrom: the entries of other repositories from which a promoted record was made, with everything
 * needed to check their record signatures without those repositories. Pure. Format: docs/record-format.md. */
#ifndef MF_RECORD_PROMOTED_H
#define MF_RECORD_PROMOTED_H

#include "record/record.h"

/* One of these entries, all of whose signatures verify. Only the promoter claims that the role listed the
 * keys, so a key counts only for readers who know it. */
struct mf_original {
	char *repository, *dialect, *role; /* decoded for display */
	int64_t version;                   /* of the role's file */
	struct mf_record record;
	struct mf_pubkey **keys; /* that signed it, each once */
	size_t nkeys;
	size_t depth; /* 1: the record was made of it; 2: that one was */
};
struct mf_originals {
	struct mf_original *v;
	size_t n, cap;
};
void mf_originals_clear(struct mf_originals *o);
#define MF_ORIGINALS_CLEANUP MF_CLEANUP(mf_originals_clear)
/* Of a record under its binding: each entry before those that it was made of; none where the record was not
 * promoted. MF_E_FORMAT: not readable, too deep, of another name or content than the record, withdrawn;
 * MF_E_SIGNATURE: a signature does not verify. */
int mf_originals_read(const struct mf_record *r, const struct mf_record_binding *b, struct mf_originals *out,
		      struct mf_err *err) MF_NODISCARD;

/* A verified entry that is promoted. */
struct mf_origin {
	const char *dialect, *role;
	int64_t version;
	struct mf_record_binding binding;
	const struct mf_record *record;
	struct mf_pubkey *const *keys; /* nkeys; signed_by[i] says which signed it */
	const bool *signed_by;
	size_t nkeys;
};
/* The description, without signatures, of a record that is promoted: that of the first entry, made of all n.
 * artifact: of the new record, or NULL. NULL on failure. MF_E_USAGE: it has no room, or nests too deep. */
json_t *mf_record_promote(const struct mf_origin *from, size_t n, const struct mf_digest *artifact,
			  struct mf_err *err) MF_NODISCARD;

#endif
