/* The cache directory: files that can be fetched again. All processes of a user share it, and its size is
 * limited.
 *
 * Everything works without it: a missing file is a miss, and a failure to write or remove a file is
 * ignored. Only files with names of the cache are counted or removed (mf_cache_walk); links are not
 * followed. */
#ifndef MF_STORE_CACHE_H
#define MF_STORE_CACHE_H

#include "store/file.h"

/* The folders in the cache: trust metadata, in a folder for each repository; content; and refusals of
 * registries. */
#define MF_CACHE_TUF "tuf"
#define MF_CACHE_BLOBS "blobs"
#define MF_CACHE_REFUSED "refused"

struct mf_cache {
	const char *dir; /* borrowed */
	uint64_t limit;  /* octets */
	const struct mf_env *env;
	uint64_t written;              /* octets that are not yet added to the file `usage` */
	struct mf_cache_file *waiting; /* files that mf_cache_flush writes, the oldest first */
	size_t nwaiting, waiting_cap, waiting_octets;
};

/* The octets that a file takes on disk, in whole blocks: many small files take more than the sum of their
 * lengths. */
uint64_t mf_cache_cost(const struct stat *st);

/* Records that a file was used now. */
void mf_cache_used(const struct mf_cache *c, const char *path);
/* Writes a file of the cache; `path` is below c->dir, and its folder is made. A small file is only copied,
 * for mf_cache_flush. A file that cannot be written is a miss. */
void mf_cache_write(struct mf_cache *c, const char *path, struct mf_bytes data);
/* Writes the files that wait. The program does it while it awaits a server (`idle` of struct mf_env), and
 * functions that read files of the cache call it first. */
void mf_cache_flush(struct mf_cache *c);
/* Records that octets were written, and calls mf_cache_account after each MiB. */
void mf_cache_wrote(struct mf_cache *c, uint64_t octets);
/* Flushes, and adds the octets that were written to the file `usage`, whose lines are a total and later
 * additions. When the sum is above the limit or not known, one process walks the cache, and removes the files
 * that were not used for the longest time; other processes do not wait for it. */
void mf_cache_account(struct mf_cache *c);

/* Calls fn for each file of the cache, with its name relative to the directory. MF_E_IO. */
int mf_cache_walk(const char *dir, mf_dir_entry_fn fn, void *arg, struct mf_err *err) MF_NODISCARD;
/* Removes the files of the cache: all, or with `hash` (the SHA-256 of a repository's name) those of one
 * repository. Files that another process is writing stay. *files and *octets: what was removed. MF_E_IO. */
int mf_cache_clear(struct mf_cache *c, const char *hash, uint64_t *files, uint64_t *octets,
		   struct mf_err *err) MF_NODISCARD;

#endif
