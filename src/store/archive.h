/* A tar file (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar's long names
 * and large sizes). Its headers are read once, and its members are read in place; nothing is unpacked.
 *
 * The file is untrusted. It may contain regular files and directories only. MF_E_FORMAT: a link, a device,
 * a name that is absolute or has ".." segments, the same name twice, a member that claims more octets than
 * the file has, a missing end, or octets after the end. Callers verify the content of members. */
#ifndef MF_STORE_ARCHIVE_H
#define MF_STORE_ARCHIVE_H

#include "store/file.h"

struct mf_archive;
/* One regular file. Its name is borrowed from the archive, and ends with NUL. */
struct mf_member {
	const char *name; /* "a/b": without "./" in front */
	uint64_t offset, size;
};

/* Reads the headers. MF_E_USAGE: the path is missing or not a regular file; MF_E_FORMAT: a compressed
 * file, which the message says, or a malformed one. The caller frees *out. */
int mf_archive_open(const char *path, struct mf_archive **out, struct mf_err *err) MF_NODISCARD;
void mf_archive_free(struct mf_archive *a); /* NULL is fine */
static inline void mf_archive_cleanup(struct mf_archive **a)
{
	mf_archive_free(*a);
}
#define MF_ARCHIVE_CLEANUP MF_CLEANUP(mf_archive_cleanup)
const char *mf_archive_path(const struct mf_archive *a); /* the path that was opened */
/* Returns NULL when there is no such member. */
const struct mf_member *mf_archive_find(const struct mf_archive *a, const char *name);
/* Appends the content of a member. MF_E_FORMAT: it has more than max octets. */
int mf_archive_read(const struct mf_archive *a, const struct mf_member *m, size_t max, struct mf_buf *out,
		    struct mf_err *err) MF_NODISCARD;
/* Adds the content of a member to a spool, and does not end the spool. */
int mf_archive_copy(const struct mf_archive *a, const struct mf_member *m, struct mf_spool *out,
		    struct mf_err *err) MF_NODISCARD;

/* ---- writing: a tar file is written to a spool; the same members always give the same octets */
/* Writes the header of a regular file. Exactly `size` octets must follow, then mf_archive_end_member.
 * MF_E_FORMAT: a name that mf_archive_open would refuse. */
int mf_archive_begin_member(struct mf_spool *out, struct mf_str name, uint64_t size,
			    struct mf_err *err) MF_NODISCARD;
int mf_archive_end_member(struct mf_spool *out, uint64_t size, struct mf_err *err) MF_NODISCARD;
/* Writes a whole member with these octets. */
int mf_archive_add(struct mf_spool *out, struct mf_str name, struct mf_bytes bytes,
		   struct mf_err *err) MF_NODISCARD;
/* Writes the end of the file. */
int mf_archive_finish(struct mf_spool *out, struct mf_err *err) MF_NODISCARD;

#endif
