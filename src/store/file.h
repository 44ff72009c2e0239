/* Files: atomic writes, bounded reads, locks, spools. Callers must not pass names from the network without
 * escaping them. */
#ifndef MF_STORE_FILE_H
#define MF_STORE_FILE_H

#include "base/env.h"
#include "base/digest.h"

struct stat;

/* Whether the file is synced to disk when the function returns. Caches do not need that. */
enum mf_sync { MF_NO_SYNC, MF_SYNC };

/* Appends the content of a file or pipe ("-": standard input) of at most max octets; on failure `out` does
 * not change. MF_E_NOT_FOUND: missing; MF_E_USAGE: too large, unreadable or a directory; MF_E_IO: anything
 * else. */
int mf_file_read(const char *path, size_t max, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* The same for a file in a directory to which others write. MF_E_FORMAT: not a regular file (a FIFO would
 * block, a device might never end), or too large; MF_E_IO: unreadable. A symbolic link to a regular file
 * is followed. */
int mf_file_read_stored(const char *path, size_t max, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Opens such a file, of at most max octets, for mf_fd_read_at. Returns a descriptor, which mf_file_close
 * closes, or -1 with the errors of mf_file_read_stored. */
int mf_file_open_stored(const char *path, uint64_t max, struct mf_err *err) MF_NODISCARD;
/* Fills p with n octets from offset `at` on; false: there are fewer, or they cannot be read. */
bool mf_fd_read_at(int fd, uint64_t at, void *p, size_t n) MF_NODISCARD;
void mf_file_close(int fd); /* -1 is fine */
/* Writes a temporary file in the same directory, syncs it, renames it, and syncs the directory. `mode` is
 * exact (no umask). Missing directories are not made; a symbolic link is replaced; anything else that is
 * not a regular file is refused. MF_E_IO. */
int mf_file_write(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err) MF_NODISCARD;
/* The same, but MF_E_CONFLICT when the path exists: nothing is ever overwritten (as with link(2)). */
int mf_file_create(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err) MF_NODISCARD;
/* The same as mf_file_write, without syncing: for caches. */
int mf_file_write_fast(const char *path, struct mf_bytes data, unsigned mode,
		       struct mf_err *err) MF_NODISCARD;
bool mf_file_exists(const char *path);
/* mkdir -p; directories that it makes get `mode`. An existing directory is no failure. MF_E_IO. */
int mf_dir_make(const char *path, unsigned mode, struct mf_err *err) MF_NODISCARD;
/* Fails with MF_E_FORMAT when `path`, below the directory `dir`, leads out of `dir` through symbolic
 * links, or contains a dangling one. `dir` itself may be a link. Parts of `path` that do not exist yet are
 * accepted. */
int mf_path_check_inside(const char *dir, const char *path, struct mf_err *err) MF_NODISCARD;
/* mf_dir_make for a directory below `base` that must not lead out of it. MF_E_IO. */
int mf_dir_make_inside(const char *base, const char *path, unsigned mode, struct mf_err *err) MF_NODISCARD;
/* mkdir -p in a directory that several users may share. New directories have mode 0755; in a setgid
 * directory they are setgid, and group-writable if the parent is. A directory has its mode when it gets
 * its name, and is on disk on return. MF_E_IO. */
int mf_dir_make_shared(const char *path, struct mf_err *err) MF_NODISCARD;
/* Removes temporary files that writers left in a directory when they were killed a day ago or earlier:
 * entries with exactly the form of our temporary names. Best effort; reads a limited number of entries. */
void mf_dir_sweep(const char *dir, int64_t now_s);
/* Returns whether a name has the form of our temporary names; and whether a file is old enough to be left
 * behind. */
bool mf_is_temp_name(const char *name);
bool mf_is_left_behind(const struct stat *st, int64_t now_s);
/* Calls fn for each regular file of a directory; or with `sub` for each one of that subdirectory and of
 * the directories directly in it. Links are not followed. The name is relative to dir. A directory that
 * does not exist has no files. MF_E_IO. */
typedef int (*mf_dir_entry_fn)(void *arg, const char *name, const struct stat *st, struct mf_err *err);
int mf_dir_walk(const char *dir, const char *sub, mf_dir_entry_fn fn, void *arg,
		struct mf_err *err) MF_NODISCARD;
/* When a file got this name or was last changed, in seconds. For a new link to an old file, it is the time
 * of linking. */
int64_t mf_stat_changed(const struct stat *st);
/* Removes a file, by its name from mf_dir_walk, if it was not changed or renamed since `before`.
 * MF_ABSENT: it is gone, newer, or not a file. MF_E_IO. */
enum mf_found mf_dir_remove_old(const char *dir, const char *name, int64_t before,
				struct mf_err *err) MF_NODISCARD;
/* The time by the clock of the file system that holds a directory (a network file system has a clock of
 * its own); 0: not known, because the directory cannot be written to. */
int64_t mf_dir_clock(const char *dir);
/* Gives a file a second name, and replaces whatever has that name; it is on disk when the function returns
 * 0. MF_E_IO: the file system or the file's owner does not permit it, and the caller should copy. */
int mf_file_link(const char *from, const char *path, struct mf_err *err) MF_NODISCARD;
/* A directory that is held open. Files written below `path` get into this directory even if the names that
 * led to it are changed afterwards. */
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
/* Opens the directory base/name (`name` may have several parts), and makes what is missing as
 * mf_dir_make_shared does. MF_E_FORMAT: a link leads out of `base`. */
int mf_dir_open_below(struct mf_dir *d, const char *base, const char *name, struct mf_err *err) MF_NODISCARD;
/* Opens the directory at `path`. seen: it must be the directory that this describes; MF_E_FORMAT: another
 * one has taken its place. seen NULL: the directory was made after the check; a symbolic link is refused. */
int mf_dir_open_seen(struct mf_dir *d, const char *path, const struct stat *seen,
		     struct mf_err *err) MF_NODISCARD;
/* Joins parts, of which the last is NULL, with '/'. The caller frees the result. NULL: out of memory. */
char *mf_path_join(const char *first, ...) __attribute__((sentinel));

/* An advisory lock (flock on `path`). Waits for it until the env's deadline (MF_E_CONFLICT) or until the
 * run is cancelled (MF_E_CANCELLED). The lock ends with the process. A missing lock file is made, for all
 * who may write in its directory; a symbolic link is refused. */
struct mf_lock {
	int fd;
	bool waited; /* another process held the lock first */
};
#define MF_LOCK_INIT                                                                                         \
	{                                                                                                    \
		-1, false                                                                                    \
	}
#define MF_LOCK_CLEANUP MF_CLEANUP(mf_lock_release)
int mf_lock_acquire(struct mf_lock *lock, const char *path, const struct mf_env *env,
		    struct mf_err *err) MF_NODISCARD;
/* The same on a file that has content, which is not made and keeps its mode. Writers that replace the file
 * with mf_file_write while they hold the lock lose no changes of each other. */
int mf_lock_content(struct mf_lock *lock, const char *path, const struct mf_env *env,
		    struct mf_err *err) MF_NODISCARD;
void mf_lock_release(struct mf_lock *lock);

/* A spool: a temporary file without a name (memory below 256 KiB) to which a stream is written while it is
 * hashed. The content that is read back is the one that was verified, since nobody else can open the file,
 * unless mf_spool_store gives it a name. */
struct mf_spool;
/* Makes a spool of at most max octets. NULL on failure; the caller frees it with mf_spool_free. */
struct mf_spool *mf_spool_new(uint64_t max, struct mf_err *err) MF_NODISCARD;
/* The same for content that will be stored at `path`. Where possible the temporary file is made in that
 * directory, so that mf_spool_store names it instead of copying it. */
struct mf_spool *mf_spool_new_for(const char *path, uint64_t max, struct mf_err *err) MF_NODISCARD;
/* Computes SHA-512 as well. Must be called before the first mf_spool_add. */
int mf_spool_want_sha512(struct mf_spool *s, struct mf_err *err) MF_NODISCARD;
void mf_spool_free(struct mf_spool *s);
static inline void mf_spool_cleanup(struct mf_spool **s)
{
	mf_spool_free(*s);
}
#define MF_SPOOL_CLEANUP MF_CLEANUP(mf_spool_cleanup)
/* Adds octets. MF_E_FORMAT: beyond the maximum; MF_E_IO: the disk is full. */
int mf_spool_add(struct mf_spool *s, const void *p, size_t n, struct mf_err *err) MF_NODISCARD;
/* The same, with the type of a callback. */
int mf_spool_write(void *spool, const void *p, size_t n, struct mf_err *err) MF_NODISCARD;
/* Ends writing; gives SHA-256 and length of all that was added. Later calls give the same results. */
int mf_spool_end(struct mf_spool *s, struct mf_digest *digest, uint64_t *length,
		 struct mf_err *err) MF_NODISCARD;
/* The 64 octets of SHA-512, if mf_spool_want_sha512 was called. Only after mf_spool_end. */
const uint8_t *mf_spool_sha512(const struct mf_spool *s);
/* Reads up to n octets at `offset`; *got is 0 at the end. Only after mf_spool_end. */
int mf_spool_read(struct mf_spool *s, uint64_t offset, void *p, size_t n, size_t *got,
		  struct mf_err *err) MF_NODISCARD;
/* Copies the content to a new file: a temporary file, which is synced when requested, then renamed. A path
 * that is a pipe or device, or names a descriptor as /dev/stdout does, is written to directly. */
int mf_spool_copy_file(struct mf_spool *s, const char *path, unsigned mode, enum mf_sync sync,
		       struct mf_err *err) MF_NODISCARD;
/* The same in a directory to which others write. A pipe or device there could block, so it is not opened:
 * MF_E_IO. */
int mf_spool_store(struct mf_spool *s, const char *path, unsigned mode, enum mf_sync sync,
		   struct mf_err *err) MF_NODISCARD;
/* Fills a spool from a path ("-": standard input), and ends it. Pipes and FIFOs are accepted, directories
 * are not. MF_E_USAGE: a missing, unreadable or too large file. */
int mf_spool_from_path(struct mf_spool *s, const char *path, struct mf_digest *digest, uint64_t *length,
		       struct mf_err *err) MF_NODISCARD;
/* The same for a path that others may write to: accepts regular files only, and never blocks. */
int mf_spool_from_stored(struct mf_spool *s, const char *path, struct mf_digest *digest, uint64_t *length,
			 struct mf_err *err) MF_NODISCARD;

#endif
