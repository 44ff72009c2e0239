/* Internal to store: a file that gets its name when it is complete. */
#ifndef MF_STORE_TEMP_H
#define MF_STORE_TEMP_H

#include <sys/stat.h>
#include <unistd.h>

#include "store/file.h"

static inline void mf_fd_cleanup(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define MF_FD_CLEANUP MF_CLEANUP(mf_fd_cleanup)

/* Hexadecimal digits of a temporary name. */
#define MF_TEMP_DIGITS 24

enum mf_temp_how {
	MF_TEMP_REPLACE, /* replace an existing file */
	MF_TEMP_CREATE,  /* MF_E_CONFLICT when the name is taken */
};

/* A temporary file in the directory of its target. It is removed unless it is committed. */
struct mf_temp {
	int fd;
	char *path;         /* path of the temporary file; NULL after it is removed or renamed */
	const char *target; /* borrowed */
};
#define MF_TEMP_INIT                                                                                         \
	{                                                                                                    \
		-1, NULL, NULL                                                                               \
	}
#define MF_TEMP_CLEANUP MF_CLEANUP(mf_temp_drop)

/* MF_ALLOW_REGULAR: for a directory to which others write; MF_ALLOW_ANY: for a path that the user named. */
enum mf_allow { MF_ALLOW_REGULAR, MF_ALLOW_ANY };
/* Opens a file of at most max octets for reading; *st describes it. Returns -1 with MF_E_NOT_FOUND,
 * MF_E_USAGE (not a file as requested, or not permitted) or MF_E_IO. */
int mf_fd_open(const char *path, enum mf_allow allow, uint64_t max, struct stat *st,
	       struct mf_err *err) MF_NODISCARD;

/* The directory part of a path, as open(2) expects it; the caller frees it. NULL: no memory. */
char *mf_dir_of(const char *path);
/* A name ".tmp-<24 hex digits>" in the target's directory; the caller frees it. MF_E_IO. */
char *mf_temp_name(const char *target, struct mf_err *err);
/* Syncs a directory's entries to disk. MF_E_IO. */
int mf_dir_sync(const char *dir, struct mf_err *err) MF_NODISCARD;

/* Makes ".tmp-<random>" in the target's directory with exactly this mode. MF_E_IO. */
int mf_temp_open(struct mf_temp *t, const char *target, unsigned mode, struct mf_err *err) MF_NODISCARD;
/* The same, with an existing file of O_TMPFILE in place of a new one; its descriptor stays open. MF_E_IO:
 * not possible here. */
int mf_temp_adopt(struct mf_temp *t, int unnamed, const char *target, unsigned mode,
		  struct mf_err *err) MF_NODISCARD;
/* Gives the file the target's name; with MF_SYNC file and directory are on disk when the function returns
 * 0. */
int mf_temp_commit(struct mf_temp *t, enum mf_temp_how how, enum mf_sync sync,
		   struct mf_err *err) MF_NODISCARD;
void mf_temp_drop(struct mf_temp *t);

/* Writes all n octets, despite signals and short writes; -1 with errno. */
int mf_fd_write_all(int fd, const void *p, size_t n) MF_NODISCARD;

#endif
