/* The cache directory: files that can be fetched again, shared by all processes of this user, held at a size.
 *
 * Everything works without it: a file that is gone is a miss, and a file that cannot be written or removed
 * stays as it is. Only files with names of a cache are counted or removed
 * (mf_cache_walk); links are not followed. */
#ifndef MF_STORE_CACHE_H
#define MF_STORE_CACHE_H

#include "store/file.h"

/* The folders in it: trust metadata with a folder for each repository, content, refusals of registries. */
#define MF_CACHE_TUF "tuf"
#define MF_CACHE_BLOBS "blobs"
#define MF_CACHE_REFUSED "refused"

struct mf_cache {
	const char *dir; /* borrowed */
	uint64_t limit;  /* octets */
	const struct mf_env *env;
	uint64_t written; /* octets that were not accounted yet */
};

/* A file takes whole blocks: of many small ones more than their lengths say. */
uint64_t mf_cache_cost(const struct stat *st);

/* What was just read from the file counts as used now. */
void mf_cache_used(const struct mf_cache *c, const char *path);
/* Notes that so many octets were written; now and then it accounts them. c NULL: there is no cache. */
void mf_cache_wrote(struct mf_cache *c, uint64_t octets);
/* Accounts what was written: adds it to the file `usage`, whose lines are a total and what was added since.
 * When the sum is above the limit, or not known, the cache is walked, and the files that were not used for
 * the longest time are removed. One process at a time does that; others do not wait for it. */
void mf_cache_account(struct mf_cache *c);

/* Calls fn for each file of the cache, by its name below the directory. MF_E_IO. */
int mf_cache_walk(const char *dir, mf_dir_entry_fn fn, void *arg, struct mf_err *err) MF_NODISCARD;
/* Removes them: all, or those that are filed under the SHA-256 of one repository's name. What another process
 * is writing stays. *files and *octets: what went. MF_E_IO. */
int mf_cache_clear(struct mf_cache *c, const char *hash, uint64_t *files, uint64_t *octets,
		   struct mf_err *err) MF_NODISCARD;

#endif
