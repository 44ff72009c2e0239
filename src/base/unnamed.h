/* Temporary files that have no name. */
#ifndef MF_BASE_UNNAMED_H
#define MF_BASE_UNNAMED_H

#include "base/err.h"

/* Where those go that belong to no place: TMPDIR, or /tmp. */
const char *mf_unnamed_dir(void);
/* Opens one for reading and writing; where the file system cannot do that, one whose name is gone at once.
 * Returns the descriptor, or -1 (MF_E_IO). */
int mf_unnamed_open(const char *dir, struct mf_err *err) MF_NODISCARD;

#endif
