/* A client of any TUF 1.0 repository, which keeps its trusted metadata in a directory: the loader of `get`
 * (trust/load.c) with another store, the search for a target, and its download. `manifesto-tuf` adds a
 * command line.
 *
 * METADATA_DIR holds ROLE.json of every trusted role, with the role name percent-encoded (except for
 * delegated roles whose names are too long for that), and `.lock`. A file is written there only after it has
 * been verified, with the bytes that were received. TARGET_DIR gets one file for each target, named by its
 * whole name, percent-encoded: no name leads out of the directory. */
#ifndef MF_TUFCLI_UPDATER_H
#define MF_TUFCLI_UPDATER_H

#include "base/env.h"
#include "store/file.h"
#include "tuf/tuf.h"

/* Moves bytes and is not trusted. `get` passes the body of a URL to `write` in pieces. At most max octets are
 * expected; `write` fails beyond them, which ends the transfer. MF_ABSENT: there is no such file. */
struct mf_fetcher {
	void *arg;
	enum mf_found (*get)(void *arg, const char *url, uint64_t max,
			     int (*write)(void *write_arg, const void *p, size_t n, struct mf_err *err),
			     void *write_arg, struct mf_err *err);
};

struct mf_updater;
/* Makes the directory if needed, and stores a root that the caller trusts (5.2): only its own signatures are
 * checked. The stored timestamp and snapshot are removed. */
int mf_updater_init_dir(const char *metadata_dir, struct mf_bytes root, const struct mf_env *env,
			struct mf_err *err) MF_NODISCARD;
/* Opens and locks the directory. URLs may end in '/' or not. All arguments are borrowed. MF_E_NOT_FOUND:
 * there is no such directory. */
int mf_updater_open(const char *metadata_dir, const char *metadata_url, const struct mf_fetcher *fetcher,
		    const struct mf_env *env, struct mf_updater **out, struct mf_err *err) MF_NODISCARD;
void mf_updater_close(struct mf_updater *u);
static inline void mf_updater_cleanup(struct mf_updater **u)
{
	mf_updater_close(*u);
}
#define MF_UPDATER_CLEANUP MF_CLEANUP(mf_updater_cleanup)

/* Loads root, timestamp, snapshot and targets (5.3 to 5.6), beginning with the root in the directory. Once
 * for each updater. MF_E_NOT_FOUND: the directory has no root. */
int mf_updater_refresh(struct mf_updater *u, struct mf_err *err) MF_NODISCARD;

/* Where targets come from and go to. A target with a listed length above max_length octets is refused before
 * it is requested (MF_E_FORMAT). */
struct mf_target_dir {
	const char *url, *dir;
	uint64_t max_length;
};
/* Finds a target (5.6.7), and fetches, verifies and stores it (5.7) unless the directory has it already.
 * Makes the directory if needed; refuses the metadata directory. Call mf_updater_refresh first.
 * MF_E_NOT_FOUND: no role lists the target; MF_E_DIGEST: its bytes do not match; MF_E_USAGE: see
 * mf_download_check_name. */
int mf_updater_download(struct mf_updater *u, const char *name, const struct mf_target_dir *to,
			struct mf_err *err) MF_NODISCARD;

#endif
