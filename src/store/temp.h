/* Inside store only: a file that gets its name when it is complete. */
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
	MF_TEMP_REPLACE, /* rename over what is there */
	MF_TEMP_CREATE,  /* MF_E_CONFLICT when the name is taken */
};

/* A temporary file beside its target. Its name is removed unless it was committed. */
struct mf_temp {
	int fd;
	char *path;         /* of the temporary file, NULL once it is gone */
	const char *target; /* borrowed */
};
#define MF_TEMP_INIT                                                                                         \
	{                                                                                                    \
		-1, NULL, NULL                                                                               \
	}
#define MF_TEMP_CLEANUP MF_CLEANUP(mf_temp_drop)

/* Which files may be opened: others write to the directory, or the user named the path. */
enum mf_allow { MF_ALLOW_REGULAR, MF_ALLOW_ANY };
/* Opens a file of at most max octets for reading; *st describes it. MF_E_NOT_FOUND, MF_E_USAGE (the file is
 * not what was asked for, or may not be read), MF_E_IO; -1. */
int mf_fd_open(const char *path, enum mf_allow allow, uint64_t max, struct stat *st,
	       struct mf_err *err) MF_NODISCARD;

/* Directory part of a path, malloc'd, as open(2) expects it; NULL: no memory. */
char *mf_dir_of(const char *path);
/* ".tmp-<24 hex digits>" in the target's directory, malloc'd. MF_E_IO. */
char *mf_temp_name(const char *target, struct mf_err *err);
/* Puts a directory's entries on disk. MF_E_IO. */
int mf_dir_sync(const char *dir, struct mf_err *err) MF_NODISCARD;

/* Makes ".tmp-<random>" in the target's directory with exactly this mode. MF_E_IO. */
int mf_temp_open(struct mf_temp *t, const char *target, unsigned mode, struct mf_err *err) MF_NODISCARD;
/* The same, with the file behind a descriptor of O_TMPFILE, which stays open, in place of a new one. MF_E_IO
 * where that cannot be. */
int mf_temp_adopt(struct mf_temp *t, int unnamed, const char *target, unsigned mode,
		  struct mf_err *err) MF_NODISCARD;
/* Gives it the target's name; with MF_SYNC file and directory are on disk when it returns 0. */
int mf_temp_commit(struct mf_temp *t, enum mf_temp_how how, enum mf_sync sync,
		   struct mf_err *err) MF_NODISCARD;
void mf_temp_drop(struct mf_temp *t);

/* Writes all of it, whatever signals and short writes come; -1 with errno. */
int mf_fd_write_all(int fd, const void *p, size_t n) MF_NODISCARD;

#endif
