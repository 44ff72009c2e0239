/* Files: atomic writes, bounded reads, locks, spools. Names are ours, never the network's unescaped. */
#ifndef MF_STORE_FILE_H
#define MF_STORE_FILE_H

#include "base/env.h"
#include "base/digest.h"

struct stat;

/* Is the file synced to disk when the function returns? Caches do not need that. */
enum mf_sync { MF_NO_SYNC, MF_SYNC };

/* Appends all of a file or pipe (with path "-", standard input) of at most max octets; on failure `out` is as
 * before. A missing file is MF_E_NOT_FOUND, a larger or unreadable one or a directory MF_E_USAGE, anything
 * else MF_E_IO. */
int mf_file_read(const char *path, size_t max, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* The same for a file in a directory that others write to: anything but a regular file (a FIFO would block, a
 * device never end) and a larger one are MF_E_FORMAT, an unreadable one MF_E_IO. A symbolic link to a regular
 * file is followed. */
int mf_file_read_stored(const char *path, size_t max, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Opens such a file, of at most max octets, to read parts of it: a descriptor for the two below; -1, and
 * fails in the same way. */
int mf_file_open_stored(const char *path, uint64_t max, struct mf_err *err) MF_NODISCARD;
/* Fills p with n octets from `at` on; false: there are not so many, or they cannot be read. */
bool mf_fd_read_at(int fd, uint64_t at, void *p, size_t n) MF_NODISCARD;
void mf_file_close(int fd); /* -1 is fine */
/* Temporary file in the same directory, fsync, rename, fsync of the directory. `mode` is exact (no umask).
 * Directories are not made; a symbolic link is replaced; a path that is something else than a file is
 * refused. MF_E_IO. */
int mf_file_write(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err) MF_NODISCARD;
/* As above but fails with MF_E_CONFLICT when the path exists already (link(2) semantics; nothing is
 * overwritten). */
int mf_file_create(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err) MF_NODISCARD;
/* Like mf_file_write without fsync: for caches. */
int mf_file_write_fast(const char *path, struct mf_bytes data, unsigned mode,
		       struct mf_err *err) MF_NODISCARD;
bool mf_file_exists(const char *path);
/* mkdir -p; directories made get `mode`. An existing directory is fine. MF_E_IO. */
int mf_dir_make(const char *path, unsigned mode, struct mf_err *err) MF_NODISCARD;
/* Fails with MF_E_FORMAT when `path`, a path below the directory `dir`, leads out of it through symbolic
 * links, or through one that leads nowhere. `dir` itself may be a link, and what does not exist leads
 * nowhere. */
int mf_path_check_inside(const char *dir, const char *path, struct mf_err *err) MF_NODISCARD;
/* mf_dir_make for a directory below `base` that must not lead out of it. MF_E_IO. */
int mf_dir_make_inside(const char *base, const char *path, unsigned mode, struct mf_err *err) MF_NODISCARD;
/* mkdir -p in a directory that several users may share: what is made is 0755, in a setgid directory setgid,
 * and there group-writable if the parent is. It has its mode when it gets its name, and is on disk. MF_E_IO.
 */
int mf_dir_make_shared(const char *path, struct mf_err *err) MF_NODISCARD;
/* Removes what writers that were killed a day ago or earlier have left in a directory: entries named exactly
 * like our temporary ones. Best effort; reads a bounded number of entries. */
void mf_dir_sweep(const char *dir, int64_t now_s);
/* Is it the name of such an entry, and has the one that is there been left? */
bool mf_is_temp_name(const char *name);
bool mf_is_left_behind(const struct stat *st, int64_t now_s);
/* Calls fn for each regular file of a directory, or with `sub` of the directory of that name in it and of the
 * directories directly in that one. Links are not followed. The name is relative to dir. A directory that is
 * not there has no files. MF_E_IO. */
typedef int (*mf_dir_entry_fn)(void *arg, const char *name, const struct stat *st, struct mf_err *err);
int mf_dir_walk(const char *dir, const char *sub, mf_dir_entry_fn fn, void *arg,
		struct mf_err *err) MF_NODISCARD;
/* When a file got this name or was changed last, in seconds: of a link on an old file, when it was linked. */
int64_t mf_stat_changed(const struct stat *st);
/* Removes a file whose name there (as mf_dir_walk gives it) it has had unchanged since `before`. MF_ABSENT:
 * it is gone, newer, or no file. MF_E_IO. */
enum mf_found mf_dir_remove_old(const char *dir, const char *name, int64_t before,
				struct mf_err *err) MF_NODISCARD;
/* What time it is where a directory's files are kept (a network file system has a clock of its own); 0:
 * unknown, as it cannot be written to. */
int64_t mf_dir_clock(const char *dir);
/* A second name for a file, in place of whatever has that name; on disk when it returns 0. MF_E_IO: not on
 * this file system, or not with this owner (a copy will do). */
int mf_file_link(const char *from, const char *path, struct mf_err *err) MF_NODISCARD;
/* A directory that stays what it was when it was opened, whatever becomes of the names that led to it: what
 * is written below `path` cannot be led elsewhere. */
struct mf_dir {
	int fd;
	char path[32];
};
#define MF_DIR_INIT                                                                                          \
	{                                                                                                    \
		-1, ""                                                                                       \
	}
#define MF_DIR_CLEANUP MF_CLEANUP(mf_dir_close)
void mf_dir_close(struct mf_dir *d);
/* Opens base/name, which may be several names deep, and makes what is missing as mf_dir_make_shared does.
 * MF_E_FORMAT when a link leads out of `base`. */
int mf_dir_open_below(struct mf_dir *d, const char *base, const char *name, struct mf_err *err) MF_NODISCARD;
/* Opens the directory that was seen at `path` before, or that has been made there since (seen NULL).
 * MF_E_FORMAT when another one has taken its place. */
int mf_dir_open_seen(struct mf_dir *d, const char *path, const struct stat *seen,
		     struct mf_err *err) MF_NODISCARD;
/* Joined path, malloc'd: parts are joined by '/', ends with NULL. NULL when out of memory. */
char *mf_path_join(const char *first, ...) __attribute__((sentinel));

/* An advisory lock (flock on `path`), waited for until the env's deadline (MF_E_CONFLICT) or cancel
 * (MF_E_CANCELLED). The lock is gone with the process. A missing file is made, for those who may write in its
 * directory; a link is refused. */
struct mf_lock {
	int fd;
	bool waited; /* somebody else held it first */
};
#define MF_LOCK_INIT                                                                                         \
	{                                                                                                    \
		-1, false                                                                                    \
	}
#define MF_LOCK_CLEANUP MF_CLEANUP(mf_lock_release)
int mf_lock_acquire(struct mf_lock *lock, const char *path, const struct mf_env *env,
		    struct mf_err *err) MF_NODISCARD;
/* The same on a file with content, which is never made, and keeps its mode: who replaces it by mf_file_write
 * while the lock is held loses nothing that others write so. */
int mf_lock_content(struct mf_lock *lock, const char *path, const struct mf_env *env,
		    struct mf_err *err) MF_NODISCARD;
void mf_lock_release(struct mf_lock *lock);

/* A spool: an unlinked temporary file (memory below 256 KiB) into which a stream is written while it is
 * hashed. What was verified is what is read back: the file has no name, unless mf_spool_store gives it one.
 */
struct mf_spool;
/* Of at most max octets. NULL on failure; the caller frees with mf_spool_free. */
struct mf_spool *mf_spool_new(uint64_t max, struct mf_err *err) MF_NODISCARD;
/* The same for content that goes to `path` in the end: the temporary file is made in that directory, where
 * that can be, and mf_spool_store gives it the name instead of copying it. */
struct mf_spool *mf_spool_new_for(const char *path, uint64_t max, struct mf_err *err) MF_NODISCARD;
/* Computes SHA-512 as well. Before the first mf_spool_add. */
int mf_spool_want_sha512(struct mf_spool *s, struct mf_err *err) MF_NODISCARD;
void mf_spool_free(struct mf_spool *s);
static inline void mf_spool_cleanup(struct mf_spool **s)
{
	mf_spool_free(*s);
}
#define MF_SPOOL_CLEANUP MF_CLEANUP(mf_spool_cleanup)
/* MF_E_FORMAT past the maximum, MF_E_IO on a full disk. */
int mf_spool_add(struct mf_spool *s, const void *p, size_t n, struct mf_err *err) MF_NODISCARD;
/* The same, for those who call back with a void *. */
int mf_spool_write(void *spool, const void *p, size_t n, struct mf_err *err) MF_NODISCARD;
/* Ends writing: SHA-256 and length of all that was added. Later calls give the same again. */
int mf_spool_end(struct mf_spool *s, struct mf_digest *digest, uint64_t *length,
		 struct mf_err *err) MF_NODISCARD;
/* The 64 octets of SHA-512, where that was wanted. Only after mf_spool_end. */
const uint8_t *mf_spool_sha512(const struct mf_spool *s);
/* Reads up to n octets at `offset`; *got is 0 at the end. Only after mf_spool_end. */
int mf_spool_read(struct mf_spool *s, uint64_t offset, void *p, size_t n, size_t *got,
		  struct mf_err *err) MF_NODISCARD;
/* Copies all to a new file: temporary, fsync when asked for, rename. A path that is a pipe or device, or
 * names a descriptor as /dev/stdout does, is written to instead. */
int mf_spool_copy_file(struct mf_spool *s, const char *path, unsigned mode, enum mf_sync sync,
		       struct mf_err *err) MF_NODISCARD;
/* The same in a directory that others write to: a pipe or device there is not opened, which
 * could block: MF_E_IO. */
int mf_spool_store(struct mf_spool *s, const char *path, unsigned mode, enum mf_sync sync,
		   struct mf_err *err) MF_NODISCARD;
/* Fills a spool from a path, "-" is standard input; pipes and FIFOs are fine, a directory is not. MF_E_USAGE
 * names a missing, unreadable or too large file. Ends it. */
int mf_spool_from_path(struct mf_spool *s, const char *path, struct mf_digest *digest, uint64_t *length,
		       struct mf_err *err) MF_NODISCARD;
/* The same for a place that others may write to: regular files only, and it never waits. */
int mf_spool_from_stored(struct mf_spool *s, const char *path, struct mf_digest *digest, uint64_t *length,
			 struct mf_err *err) MF_NODISCARD;

#endif
