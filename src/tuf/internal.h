/* Shared by the files of the TUF core. */
#ifndef MF_TUF_INTERNAL_H
#define MF_TUF_INTERNAL_H

#include "tuf/tuf.h"

/* Names of the top-level roles in order of enum mf_tuf_type. */
extern const char *const mf_tuf_role_names[MF_TUF_TYPES];

/* A hash value in the dialect's spelling: base64 (Notary) or hex (TUF 1.0), exactly n octets. */
int mf_tuf_hash_decode(const struct mf_dialect *d, struct mf_str text, uint8_t *out, size_t n,
		       struct mf_err *err) MF_NODISCARD;

/* Does this delegation, by itself, allow the name? */
bool mf_tuf_role_covers(const struct mf_dialect *d, const struct mf_tuf_role *role, struct mf_str name);

/* Threshold check of a file's signatures (section 5.3.4): `role` lists the keys; root: the dialect's rules
 * for root keys apply with check_expiry; only (may be NULL): a key counts only when this says so. Each public
 * key counts once. MF_E_SIGNATURE. */
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

#endif
