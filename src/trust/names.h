/* Names of the files of a TUF 1.0 repository below the directory or URL of its GUN, and the URLs of trust
 * repositories. Pure. */
#ifndef MF_TRUST_NAMES_H
#define MF_TRUST_NAMES_H

#include "base/digest.h"
#include "base/str.h"

/* Appends the directory of a GUN, relative to that of all repositories: percent-encoded except for '/'. */
int mf_trust_name_gun(struct mf_buf *out, const char *gun, struct mf_err *err) MF_NODISCARD;
/* Appends ROLE.json, or N.ROLE.json when version is not 0. The role's bytes are escaped, so that no name
 * leaves the directory. */
int mf_trust_name_role(struct mf_buf *out, const char *role, int64_t version,
		       struct mf_err *err) MF_NODISCARD;
/* Appends targets/<dirs>/<sha256>.<base>, which TUF clients request for a target of a consistent snapshot
 * (TUF 1.0, section 6.2); sha256 NULL: targets/<dirs>/<base>. A name with an empty, "." or ".." segment is
 * MF_E_FORMAT. */
int mf_trust_name_target(struct mf_buf *out, struct mf_str name, const struct mf_digest *sha256,
			 struct mf_err *err) MF_NODISCARD;

/* Appends `scheme` and "HOST[:PORT][/PATH]" without slashes at the end. MF_E_USAGE: there is no host, or
 * there is a user or a query, which are not repeated in the message because they may be secrets. */
int mf_trust_name_server(struct mf_buf *out, const char *scheme, const char *rest,
			 struct mf_err *err) MF_NODISCARD;

#endif
