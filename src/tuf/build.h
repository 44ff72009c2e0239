/* Writing metadata: canonical signed parts and envelopes, in the byte form that each dialect's readers and
 * servers need. */
#ifndef MF_TUF_BUILD_H
#define MF_TUF_BUILD_H

#include "tuf/tuf.h"

/* One change of a targets file. */
struct mf_tuf_edit {
	struct mf_str name;  /* decoded */
	struct mf_str entry; /* canonical JSON object; empty: the name is removed */
};
/* Appends the signed part of the next targets file: the old one's entries and delegations (old NULL: none)
 * with the edits applied. Edits must be sorted by name, each name once. delegations: a canonical object
 * instead of the old one, or NULL. */
struct mf_tuf_targets_spec {
	const struct mf_tuf_file *old;
	const struct mf_tuf_edit *edits;
	size_t nedits;
	const struct mf_str *delegations;
	int64_t version, expires;
};
int mf_tuf_build_targets(const struct mf_dialect *d, const struct mf_tuf_targets_spec *spec,
			 struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* A file that a snapshot or timestamp lists: its exact bytes. */
struct mf_tuf_listed {
	const char *role;
	int64_t version;
	struct mf_bytes bytes;
};
/* Appends the signed part of a snapshot or timestamp: the old one's entries (old NULL: none) with the listed
 * files replaced or added. */
struct mf_tuf_meta_spec {
	enum mf_tuf_type type; /* MF_TUF_SNAPSHOT or MF_TUF_TIMESTAMP */
	const struct mf_tuf_file *old;
	const struct mf_tuf_listed *files;
	size_t nfiles;
	int64_t version, expires;
};
int mf_tuf_build_meta(const struct mf_dialect *d, const struct mf_tuf_meta_spec *spec, struct mf_buf *out,
		      struct mf_err *err) MF_NODISCARD;

/* Appends the signed part of a root. */
struct mf_tuf_root_key {
	struct mf_str object; /* KEY object, canonical */
	const char *id;
	unsigned roles; /* bits of enum mf_tuf_type */
};
int mf_tuf_build_root(const struct mf_dialect *d, const struct mf_tuf_root_key *keys, size_t n,
		      int64_t version, int64_t expires, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* One signature over a signed part. */
struct mf_tuf_made_signature {
	const char *keyid;
	const char *method; /* NULL where the dialect has none */
	struct mf_bytes sig;
};
/* Appends the whole file in the dialect's wire form. */
int mf_tuf_build_file(const struct mf_dialect *d, struct mf_str canonical,
		      const struct mf_tuf_made_signature *sigs, size_t n, struct mf_buf *out,
		      struct mf_err *err) MF_NODISCARD;

/* Appends a hash value as the dialect spells it, quoted. */
int mf_tuf_put_hash(const struct mf_dialect *d, struct mf_bytes hash, struct mf_buf *out,
		    struct mf_err *err) MF_NODISCARD;

#endif
