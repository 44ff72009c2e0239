/* A client of any TUF 1.0 repository, with the trusted metadata in a directory: the loader of `get`
 * (trust/load.c) with another store, and the search for a target and its download. `manifesto-tuf` is this
 * and a command line.
 *
 * METADATA_DIR holds ROLE.json of every trusted role, the role name percent-encoded (not of a delegated role
 * whose name is too long for that), and `.lock`. A file is written there only after it has been verified,
 * with the bytes that were received. TARGET_DIR gets one file a target, its whole name percent-encoded: no
 * name leads out of it. */
#ifndef MF_TUFCLI_UPDATER_H
#define MF_TUFCLI_UPDATER_H

#include "base/env.h"
#include "store/file.h"
#include "tuf/tuf.h"

/* Moves bytes and is not trusted. `get` hands the body of a URL to `write` in pieces; max octets are
 * expected, and `write` fails beyond them, which ends it. */
struct mf_fetcher {
	void *arg;
	enum mf_found (*get)(void *arg, const char *url, uint64_t max,
			     int (*write)(void *write_arg, const void *p, size_t n, struct mf_err *err),
			     void *write_arg, struct mf_err *err);
};

struct mf_updater;
/* Makes the directory if needed and trusts a root for all that follows: out of band, by its own signatures
 * (5.2). What was trusted there before is forgotten. */
int mf_updater_init_dir(const char *metadata_dir, struct mf_bytes root, const struct mf_env *env,
			struct mf_err *err) MF_NODISCARD;
/* Opens and locks the directory. URLs may end in '/' or not. All is borrowed. MF_E_NOT_FOUND: not
 * initialised; MF_E_SIGNATURE, MF_E_FORMAT: its root is none. */
int mf_updater_open(const char *metadata_dir, const char *metadata_url, const struct mf_fetcher *fetcher,
		    const struct mf_env *env, struct mf_updater **out, struct mf_err *err) MF_NODISCARD;
void mf_updater_close(struct mf_updater *u);
static inline void mf_updater_cleanup(struct mf_updater **u)
{
	mf_updater_close(*u);
}
#define MF_UPDATER_CLEANUP MF_CLEANUP(mf_updater_cleanup)

/* 5.3 to 5.6: root, timestamp, snapshot, targets. Once for each updater. */
int mf_updater_refresh(struct mf_updater *u, struct mf_err *err) MF_NODISCARD;

/* Where targets come from and go to. A target that is listed with more octets than max_length is refused
 * before it is requested (MF_E_FORMAT). */
struct mf_target_dir {
	const char *url, *dir;
	uint64_t max_length;
};
/* 5.6.7 and 5.7: finds a target and makes the directory hold it, verified; a file there that is right already
 * is left alone and nothing is fetched. The directory is made; the metadata directory is refused. Needs a
 * refresh. MF_E_NOT_FOUND: no role has it; MF_E_DIGEST: its bytes are others; MF_E_USAGE: see
 * mf_download_check_name. */
int mf_updater_download(struct mf_updater *u, const char *name, const struct mf_target_dir *to,
			struct mf_err *err) MF_NODISCARD;

#endif
