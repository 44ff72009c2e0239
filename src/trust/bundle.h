/* A trust repository inside a bundle (docs/bundle-format.md). Its files have the names that a server gives
 * them:
 *
 *	trust/GUN/            a TUF 1.0 repository, as in a directory (directory.c)
 *	v2/GUN/_trust/tuf/    a Notary repository, with the paths of Notary's API
 *
 * The files are verified like a server's answers, with the pins and floors of this machine. */
#ifndef MF_TRUST_BUNDLE_H
#define MF_TRUST_BUNDLE_H

#include "store/archive.h"
#include "trust/repo.h"
#include "trust/trust.h"

/* Opens a repository of a bundle, as mf_trust_open does; the archive is borrowed. MF_E_NOT_FOUND: it does not
 * contain this repository; MF_E_FORMAT: it contains both forms of it. */
int mf_trust_open_bundle(const struct mf_archive *a, const char *gun, const char *pin_name,
			 const struct mf_trust_config *cfg, struct mf_trust **out,
			 struct mf_err *err) MF_NODISCARD;

/* Passes the files of a loaded repository to fn, in any order, each with the key by which a reader requests
 * it: the trusted root and the ones before it, as far back as they exist and verify; timestamp, snapshot and
 * loaded roles; and skipped roles, if their files are those that the snapshot lists. The bytes are borrowed
 * for the call. */
typedef int (*mf_trust_pack_fn)(void *arg, const struct mf_fetch_key *key, struct mf_bytes bytes,
				struct mf_err *err);
int mf_trust_pack(struct mf_trust *t, mf_trust_pack_fn fn, void *arg, struct mf_err *err) MF_NODISCARD;
/* The same for the loaded roles from this one of the set on, alone. */
int mf_trust_pack_roles(struct mf_trust *t, size_t from, mf_trust_pack_fn fn, void *arg,
			struct mf_err *err) MF_NODISCARD;
/* Appends the name of a file in a bundle. */
int mf_trust_pack_name(const struct mf_trust *t, const struct mf_fetch_key *key, struct mf_buf *out,
		       struct mf_err *err) MF_NODISCARD;

#endif
