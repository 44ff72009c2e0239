/* The last step of the client workflow (5.7): writes a target into a directory. */
#ifndef MF_TUFCLI_DOWNLOAD_H
#define MF_TUFCLI_DOWNLOAD_H

#include "tufcli/updater.h"

struct mf_download {
	const char *name; /* has passed mf_download_check_name */
	const struct mf_tuf_target_info *info;
	const struct mf_target_dir *to;
	bool prefixed; /* consistent snapshots: HASH.NAME is requested (6.2) */
	const struct mf_fetcher *fetcher;
};
/* May a target of this name be requested and stored? Not if it is empty, begins with '/', or has an empty,
 * "." or ".." segment: servers, proxies and clients resolve these to other paths. Nor if its percent-encoded
 * form is too long for a file name. MF_E_USAGE. */
int mf_download_check_name(const char *name, struct mf_err *err) MF_NODISCARD;
/* Fetches and verifies a target and stores it in the directory, unless that has it already. On failure
 * nothing is left there. MF_E_DIGEST, MF_E_CONTENT_GONE, MF_E_FORMAT (more bytes than signed). */
int mf_download_target(const struct mf_download *d, struct mf_err *err) MF_NODISCARD;

#endif
