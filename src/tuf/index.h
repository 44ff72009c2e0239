/* The index of a verified targets file: with it, the entries of a subject are found without reading, hashing
 * or verifying the file again. This module handles octets only; the caller stores them.
 *
 * An index is in a cache that others may write to. Every part of it has a MAC, under a key that is derived
 * from a secret of this machine and from everything that the verification of the file depended on (struct
 * mf_index_bound). The MACs differ for an index of another file, role, repository or delegator, of a file
 * that was verified under other keys or by another version of this program, for an older index, and for one
 * that somebody else has made. So there are two outcomes: the result is the same as from verifying the whole
 * file, or it is MF_ABSENT and the whole file is read.
 *
 *   magic (8), n (4), pages (4)
 *   head: n octets, the file with {} as its "targets"
 *   MAC of all that
 *   pages of MF_INDEX_PAGE octets: last key of the page before (8), number of rows (4), rows, zeros, and
 *     the MAC of the page and its number
 *   row: key (8, the first octets of the subject), offset of the entry in the file (4), its length (4),
 *     first 16 octets of its MAC; rows are sorted by key
 *
 * Numbers are little-endian, keys big-endian. A page has all rows whose key is above the last key of the page
 * before it and below its own last key: so one page shows that a subject has no entries. */
#ifndef MF_TUF_INDEX_H
#define MF_TUF_INDEX_H

#include "crypto/secret.h"
#include "tuf/tuf.h"

#define MF_INDEX_PAGE 4096

/* What the verification of a file depended on. */
struct mf_index_bound {
	struct mf_bytes machine; /* this machine's secret, MF_MAC octets */
	const struct mf_tuf_set *set;
	const struct mf_tuf_edge *edge; /* of a delegated role; NULL: targets */
};
struct mf_index {
	struct mf_secret key;
	uint64_t pages; /* offset of the first page, once the index is open */
	uint32_t npages;
};
/* A new index, with the key for its MACs. NULL: MF_E_NOMEM, MF_E_INTERNAL. */
struct mf_index *mf_index_new(const struct mf_index_bound *b, struct mf_err *err) MF_NODISCARD;
void mf_index_free(struct mf_index *x); /* NULL is fine */
static inline void mf_index_cleanup(struct mf_index **x)
{
	mf_index_free(*x);
}
#define MF_INDEX_CLEANUP MF_CLEANUP(mf_index_cleanup)

/* Appends the index of a file that has just been verified. MF_ABSENT: an index would not help (the file is
 * small, or not mainly entries), or is not possible: a name is spelled with escapes, or an entry has more
 * than MF_MAX_INDEX_ENTRY octets. */
enum mf_found mf_index_write(const struct mf_index *x, const struct mf_tuf_file *f, struct mf_buf *out,
			     struct mf_err *err);

/* How an index and its file are read. */
enum mf_index_part { MF_INDEX_INDEX, MF_INDEX_FILE };
struct mf_index_source {
	/* Reads n octets at offset `at` of a part into p; false: they cannot be read. */
	bool (*read)(void *arg, enum mf_index_part part, uint64_t at, void *p, size_t n);
	void *arg;
};
/* Opens an index and appends its head, for mf_tuf_set_indexed. MF_ABSENT: it is not an index of this file as
 * it was verified. MF_FAILED: MF_E_NOMEM, MF_E_INTERNAL. */
enum mf_found mf_index_open(struct mf_index *x, const struct mf_index_source *from, struct mf_buf *head,
			    struct mf_err *err);
/* Adds the entries of a subject to a partial file, or the fact that it has none. MF_ABSENT: the index or an
 * entry of the file cannot be read or was changed; nothing was added. */
enum mf_found mf_index_find(struct mf_tuf_file *f, const struct mf_index_source *from,
			    const struct mf_digest *subject, struct mf_err *err);

#endif
