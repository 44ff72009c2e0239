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
int mf_tuf_edit_cmp(const void *a, const void *b); /* for qsort */
/* Appends the signed part of the next targets file: the old one's entries and delegations (old NULL: none)
 * with the edits applied. Edits must be sorted by name (mf_tuf_edit_cmp), each name once. delegations: a
 * canonical object that replaces the old one; NULL: the old one stays. role: the value of MF_TUF_OF_ROLE, if
 * the dialect has it; NULL: without. */
struct mf_tuf_targets_spec {
	const char *role;
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
	struct mf_str copy_of; /* of a timestamp: MF_TUF_COPY_OF, canonical; empty: none */
};
int mf_tuf_build_meta(const struct mf_dialect *d, const struct mf_tuf_meta_spec *spec, struct mf_buf *out,
		      struct mf_err *err) MF_NODISCARD;

/* Appends the signed part of a root. */
struct mf_tuf_root_key {
	struct mf_str object; /* KEY object, canonical */
	const char *id;
	unsigned roles; /* bits of enum mf_tuf_type */
};
struct mf_tuf_root_spec {
	const struct mf_tuf_root_key *keys;
	size_t nkeys;
	int64_t version, expires;
	int64_t threshold; /* of the role root; 0 means 1, which the other roles have */
};
int mf_tuf_build_root(const struct mf_dialect *d, const struct mf_tuf_root_spec *spec, struct mf_buf *out,
		      struct mf_err *err) MF_NODISCARD;

/* ---- changes of keys and delegations, made in the existing delegations or root. Members that we do not
 * know, the order of roles, and keys that others put there stay. */

/* One delegation as it will be: the first entry with this name is changed (readers use the first), or one is
 * appended. A key needs no object if the old delegations list its ID. */
struct mf_tuf_delegation {
	const char *name;
	bool absent; /* all entries with this name are removed; the other members are ignored */
	const struct mf_tuf_root_key *keys; /* `roles` is not used */
	size_t nkeys;
	const char *const *paths; /* NULL: unchanged */
	size_t npaths;
	int64_t threshold;
};
/* Appends the canonical delegations of a targets file: `old` (empty: none yet) with n entries changed. A key
 * that no role lists any more after these changes is removed. MF_E_FORMAT if `old` is not an object of
 * delegations. */
int mf_tuf_build_delegations(const struct mf_dialect *d, struct mf_str old, const struct mf_tuf_delegation *v,
			     size_t n, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* A key whose roles change in the next root. */
struct mf_tuf_root_edit {
	const char *id;
	struct mf_str object; /* KEY object; may be empty if the old root lists the ID */
	unsigned add, drop;   /* bits of enum mf_tuf_type */
};
/* Appends the signed part of the root that follows `old`. MF_E_USAGE when a role would keep fewer keys than
 * its threshold. */
int mf_tuf_build_next_root(const struct mf_tuf_file *old, const struct mf_tuf_root_edit *v, size_t n,
			   int64_t expires, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* Append the name of a delegation of `targets`, and the path that limits it to a record type. Notary:
 * "targets/qa" and "qa-approval/", since role names are paths, and paths of delegations are prefixes.
 * TUF 1.0: "qa" and "qa-approval/\*", since a '/' in a role name would need a directory on a web server. */
int mf_tuf_put_role_name(const struct mf_dialect *d, struct mf_str name, struct mf_buf *out,
			 struct mf_err *err) MF_NODISCARD;
int mf_tuf_put_type_path(const struct mf_dialect *d, struct mf_str type, struct mf_buf *out,
			 struct mf_err *err) MF_NODISCARD;
/* The record type of a path that has exactly this form; empty: it has another form. */
struct mf_str mf_tuf_path_type(const struct mf_dialect *d, struct mf_str path);

/* Append the name of a role's shard, and its path for one type. */
int mf_tuf_put_shard_name(const struct mf_dialect *d, const char *role, struct mf_str digits,
			  struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
int mf_tuf_put_shard_path(const struct mf_dialect *d, struct mf_str type, struct mf_str digits,
			  struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* Checks that the signatures of a targets file meet a role's threshold; the role may be one that is only
 * planned. Nothing else is checked. 0, or -1: MF_E_SIGNATURE. */
int mf_tuf_check_signed(const struct mf_dialect *d, const struct mf_tuf_file *f,
			const struct mf_tuf_role *role, struct mf_err *err) MF_NODISCARD;

/* Appends the signed part of a file of any type with a new version and expiry; all other members stay, also
 * those that we do not know. role: of a targets file, the value of MF_TUF_OF_ROLE; NULL: without. */
int mf_tuf_build_renewed(const struct mf_tuf_file *old, const char *role, int64_t version, int64_t expires,
			 struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

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

/* Appends the entry of a target; its `custom` must be canonical. */
int mf_tuf_put_target(const struct mf_dialect *d, const struct mf_tuf_target_info *t, struct mf_buf *out,
		      struct mf_err *err) MF_NODISCARD;

/* Appends a hash value as the dialect spells it, quoted. */
int mf_tuf_put_hash(const struct mf_dialect *d, struct mf_bytes hash, struct mf_buf *out,
		    struct mf_err *err) MF_NODISCARD;

#endif
