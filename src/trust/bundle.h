/* A trust repository inside a bundle (docs/bundle-format.md): its files under the names that they have on a
 *server.
 *
 *	trust/GUN/            a TUF 1.0 repository, as in a directory (directory.c)
 *	v2/GUN/_trust/tuf/    a Notary repository, as its API has the paths
 *
 * The files are verified like a server's answers, with the pins and floors of this machine. */
#ifndef MF_TRUST_BUNDLE_H
#define MF_TRUST_BUNDLE_H

#include "store/archive.h"
#include "trust/repo.h"
#include "trust/trust.h"

/* The archive is borrowed, like the rest of mf_trust_open. MF_E_NOT_FOUND: it does not hold this repository;
 * MF_E_FORMAT: it does in both forms. */
int mf_trust_open_bundle(const struct mf_archive *a, const char *gun, const char *pin_name,
			 const struct mf_trust_config *cfg, struct mf_trust **out,
			 struct mf_err *err) MF_NODISCARD;

/* Gives the files of a loaded repository, in any order, each with how a reader asks for it (role, and version
 * or name): all roots that lead to the trusted one, as far back as they are kept and hold; timestamp,
 * snapshot, and every role that was loaded or, where the load passed it over, as the snapshot lists it. The
 * bytes are borrowed for the call. */
typedef int (*mf_trust_pack_fn)(void *arg, const struct mf_fetch_key *key, struct mf_bytes bytes,
				struct mf_err *err);
int mf_trust_pack(struct mf_trust *t, mf_trust_pack_fn fn, void *arg, struct mf_err *err) MF_NODISCARD;
/* Appends the name of such a file in a bundle. */
int mf_trust_pack_name(const struct mf_trust *t, const struct mf_fetch_key *key, struct mf_buf *out,
		       struct mf_err *err) MF_NODISCARD;

#endif
