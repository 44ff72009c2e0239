/* promotedFrom: the entries of other repositories from which a promoted record was made, with everything
 * needed to check their record signatures without those repositories. Pure. Format: docs/record-format.md. */
#ifndef MF_RECORD_PROMOTED_H
#define MF_RECORD_PROMOTED_H

#include "record/record.h"

/* One of these entries. All its signatures are verified. Only the promoter claims that the role listed the
 * keys, so a key counts only for readers who know it. */
struct mf_original {
	char *repository, *dialect, *role; /* decoded for display */
	int64_t version;                   /* of the role's file */
	struct mf_record record;
	struct mf_pubkey **keys; /* that signed it, without duplicates */
	size_t nkeys;
	size_t depth; /* 1: the record was made of this entry; 2: the entry of depth 1 was; ... */
};
struct mf_originals {
	struct mf_original *v;
	size_t n, cap;
};
void mf_originals_clear(struct mf_originals *o);
#define MF_ORIGINALS_CLEANUP MF_CLEANUP(mf_originals_clear)
/* Reads and verifies the originals of a record, each before those that it was made of; none if the record was
 * not promoted. MF_E_FORMAT: one is malformed, nested too deep, withdrawn, or has another name or content
 * than the record; MF_E_SIGNATURE: a signature does not verify. */
int mf_originals_read(const struct mf_record *r, const struct mf_record_binding *b, struct mf_originals *out,
		      struct mf_err *err) MF_NODISCARD;

/* A verified entry that is to be promoted. */
struct mf_origin {
	const char *dialect, *role;
	int64_t version;
	struct mf_record_binding binding;
	const struct mf_record *record;
	struct mf_pubkey *const *keys; /* nkeys keys; signed_by[i]: keys[i] signed it */
	const bool *signed_by;
	size_t nkeys;
};
/* Makes the description of a promoted record, without signatures: that of the first entry, with all n entries
 * as its originals. artifact: digest of its artifact manifest, or NULL. NULL on failure; MF_E_USAGE: it
 * becomes too large, or is promoted too often. */
json_t *mf_record_promote(const struct mf_origin *from, size_t n, const struct mf_digest *artifact,
			  struct mf_err *err) MF_NODISCARD;

#endif
