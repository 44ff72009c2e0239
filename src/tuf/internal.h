/* Shared by the files of the TUF core. */
#ifndef MF_TUF_INTERNAL_H
#define MF_TUF_INTERNAL_H

#include "tuf/tuf.h"

/* Names of the top-level roles in order of enum mf_tuf_type. */
extern const char *const mf_tuf_role_names[MF_TUF_TYPES];

/* Decodes a hash value of exactly n octets: base64 (Notary) or hex (TUF 1.0). */
int mf_tuf_hash_decode(const struct mf_dialect *d, struct mf_str text, uint8_t *out, size_t n,
		       struct mf_err *err) MF_NODISCARD;

bool mf_tuf_is_type(struct mf_str text); /* does it have the form of a record type? */

/* Checks that a shard's file has no entry of a subject that belongs to another shard. Files on a Notary
 * server do not state their role, and one key signs all files of a role: in place of the shard, a server
 * could serve another shard, or a file from before the role was divided, to hide records or bring old ones
 * back. MF_E_FORMAT. */
int mf_tuf_check_shard_names(const struct mf_dialect *d, const struct mf_tuf_edge *w,
			     const struct mf_tuf_file *f, struct mf_err *err) MF_NODISCARD;

/* Does this delegation, by itself, allow the name? */
bool mf_tuf_role_covers(const struct mf_dialect *d, const struct mf_tuf_role *role, struct mf_str name);

/* Checks that a threshold of the keys in `role` has signed a file (section 5.3.4). Each public key counts
 * once. root: the dialect's rules for root keys apply, with the dates of certificates if check_expiry is set.
 * only: if not NULL, only keys that fit this anchor count. MF_E_SIGNATURE, also when the file states another
 * role. */
struct mf_tuf_counting {
	const struct mf_dialect *d;
	struct mf_str gun;
	int64_t now;
	bool root, check_expiry;
	const struct mf_tuf_anchor *only;
};
int mf_tuf_count_signatures(const struct mf_tuf_counting *c, const struct mf_tuf_file *f,
			    const struct mf_tuf_role *role, int64_t threshold,
			    struct mf_err *err) MF_NODISCARD;

/* Appends canonical text as JSON: the control characters that canonical strings may hold raw (a PEM key has
 * line feeds) are escaped. Notary's files have no such escapes: mf_json_wire refuses these characters. */
int mf_tuf_put_json(struct mf_str canonical, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* ---- parsing (parse.c) */
struct mf_tuf_parser {
	const struct mf_dialect *d;
	struct mf_tuf_file *f;
	struct mf_json_reader *r;
	unsigned seen; /* bits of the members read so far, counted over every "signed" */
	struct mf_str roles_raw;
};
/* Starts a reader of the file, or of a slice of it. */
void mf_tuf_reader_init(struct mf_json_reader *r, const struct mf_dialect *d, struct mf_str text);
/* The decoded text of a string: a slice of the document, or a copy in the file's arena. */
int mf_tuf_decoded(struct mf_tuf_parser *p, struct mf_json_string s, struct mf_str *out,
		   struct mf_err *err) MF_NODISCARD;
int mf_tuf_read_text(struct mf_tuf_parser *p, struct mf_str *out, struct mf_err *err) MF_NODISCARD;
/* Members of the signed part: keys and roles (roles.c). */
int mf_tuf_read_keys(struct mf_tuf_parser *p, struct mf_err *err) MF_NODISCARD;
int mf_tuf_read_root_roles(struct mf_tuf_parser *p, struct mf_err *err) MF_NODISCARD;
int mf_tuf_read_delegations(struct mf_tuf_parser *p, struct mf_err *err) MF_NODISCARD;
/* What a file lists: other files, targets (listed.c). */
int mf_tuf_read_meta(struct mf_tuf_parser *p, struct mf_err *err) MF_NODISCARD;
int mf_tuf_check_meta(const struct mf_dialect *d, const struct mf_tuf_file *f,
		      struct mf_err *err) MF_NODISCARD;
int mf_tuf_read_targets(struct mf_tuf_parser *p, struct mf_err *err) MF_NODISCARD;
struct mf_tuf_target mf_tuf_target_at(struct mf_json_string name, struct mf_str value);

#endif
