/* Shared by the operations on roles. */
#ifndef MF_OPS_ROLE_H
#define MF_OPS_ROLE_H

#include "ops/ops.h"
#include "publish/proposal.h"
#include "publish/roles.h"

/* Public keys that a request names. */
struct mf_role_keys {
	struct mf_pubkey **v;
	char **certificates; /* PEM of each, where one was given; else NULL */
	size_t n, cap, certificates_cap;
};
void mf_role_keys_clear(struct mf_role_keys *k);
#define MF_ROLE_KEYS_CLEANUP MF_CLEANUP(mf_role_keys_clear)
/* Adds the key that `text` names or is: a file, a fingerprint, the name of a key of this machine or of a
 * colleague's key, or the text of a key. File names are relative to `dir` (NULL: the working directory). The
 * repository must be loaded. */
int mf_role_key_add(struct mf_image *im, const char *text, const char *dir, struct mf_role_keys *out,
		    struct mf_err *err) MF_NODISCARD;

/* Adds a key, of which it takes a reference of its own. */
int mf_role_keys_keep(struct mf_role_keys *keys, struct mf_pubkey *pub, struct mf_err *err) MF_NODISCARD;
/* Reports the root keys of the loaded repository, after a publish that changed the root. */
int mf_role_report_root(struct mf_image *im, struct manifesto_role_result *out,
			struct mf_err *err) MF_NODISCARD;

/* Loads the repository for a change of roles. If expired_root is not NULL, a root that has expired, or whose
 * certificate has, is accepted, and *expired_root set. */
int mf_role_load(struct mf_image *im, bool *expired_root, struct mf_err *err) MF_NODISCARD;
/* Carries out the requests on the loaded repository, and reports what changed. */
int mf_role_run(struct mf_image *im, struct mf_role_change *c, struct manifesto_role_result *out,
		struct mf_err *err) MF_NODISCARD;

#endif
