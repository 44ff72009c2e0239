/* Temporary files that have no name. */
#ifndef MF_BASE_UNNAMED_H
#define MF_BASE_UNNAMED_H

#include "base/err.h"

/* The directory for temporary files without a place of their own: TMPDIR, or /tmp. */
const char *mf_unnamed_dir(void);
/* Opens a file without a name for reading and writing. Where the file system does not support that, the
 * file gets a name, which is removed at once. Returns the descriptor, or -1 (MF_E_IO). */
int mf_unnamed_open(const char *dir, struct mf_err *err) MF_NODISCARD;

#endif
