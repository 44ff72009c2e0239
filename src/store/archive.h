/* A tar file (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar's long names and
 * large sizes) whose members are read in place: its headers are read once, nothing is unpacked.
 *
 * The file is untrusted. It may hold only regular files and directories; a link, a device, a name that leads
 * out, the same name twice, a member that claims more octets than the file has, a missing end and octets
 * after the end are MF_E_FORMAT. Callers verify the content of members. */
#ifndef MF_STORE_ARCHIVE_H
#define MF_STORE_ARCHIVE_H

#include "store/file.h"

struct mf_archive;
/* One regular file. Its name is borrowed from the archive, and ends with NUL. */
struct mf_member {
	const char *name; /* "a/b": without "./" in front */
	uint64_t offset, size;
};

/* Reads the headers. A path that is missing or no regular file is MF_E_USAGE; a compressed file is
 * MF_E_FORMAT and named as such. The caller frees *out. */
int mf_archive_open(const char *path, struct mf_archive **out, struct mf_err *err) MF_NODISCARD;
void mf_archive_free(struct mf_archive *a); /* NULL is fine */
static inline void mf_archive_cleanup(struct mf_archive **a)
{
	mf_archive_free(*a);
}
#define MF_ARCHIVE_CLEANUP MF_CLEANUP(mf_archive_cleanup)
const char *mf_archive_path(const struct mf_archive *a); /* as it was opened */
/* NULL: there is no such member. */
const struct mf_member *mf_archive_find(const struct mf_archive *a, const char *name);
/* Appends the content of a member, of at most max octets: MF_E_FORMAT for more. */
int mf_archive_read(const struct mf_archive *a, const struct mf_member *m, size_t max, struct mf_buf *out,
		    struct mf_err *err) MF_NODISCARD;
/* Adds it to a spool, which is not ended. */
int mf_archive_copy(const struct mf_archive *a, const struct mf_member *m, struct mf_spool *out,
		    struct mf_err *err) MF_NODISCARD;

/* ---- writing: a tar file goes into a spool, the same octets for the same members */
/* The header of a regular file; exactly `size` octets must follow, then mf_archive_end_member. MF_E_FORMAT
 * for a name that no reader would take. */
int mf_archive_begin_member(struct mf_spool *out, struct mf_str name, uint64_t size,
			    struct mf_err *err) MF_NODISCARD;
int mf_archive_end_member(struct mf_spool *out, uint64_t size, struct mf_err *err) MF_NODISCARD;
/* Both, around these octets. */
int mf_archive_add(struct mf_spool *out, struct mf_str name, struct mf_bytes bytes,
		   struct mf_err *err) MF_NODISCARD;
/* The end of the file. */
int mf_archive_finish(struct mf_spool *out, struct mf_err *err) MF_NODISCARD;

#endif
