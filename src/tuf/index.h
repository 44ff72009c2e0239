/* The index of a targets file that was verified: finds the entries of a subject without reading, hashing or
 * verifying the file again. Octets in, octets out: the caller stores them.
 *
 * An index is in a cache that others may write to. Every part of it has a MAC, under a key that is derived
 * from a secret of this machine and from everything that the verification of the file rested on (struct
 * mf_index_bound). An index of another file, role, repository or delegator, of a file that was verified under
 * other keys or by another version of this program, an older one, and one that somebody else has made have
 * other MACs. So there are two outcomes: the result is the same as from verifying the whole file, or it is
 * MF_ABSENT and the whole file is read.
 *
 *   magic (8), n (4), pages (4)
 *   head: n octets, the file with {} as its "targets"
 *   MAC of all that
 *   pages of MF_INDEX_PAGE octets: last key of the page before (8), number of rows (4), rows, zeros, and
 *     the MAC of the page and its number
 *   row: first 8 octets of the subject, offset of the entry in the file (4), its length (4), first 16
 *     octets of its MAC; rows are sorted by key
 *
 * Numbers are little-endian, keys big-endian. A page has every row from the key before it, exclusive, to the
 * key of its last row: so one page shows that a subject has no entries. */
#ifndef MF_TUF_INDEX_H
#define MF_TUF_INDEX_H

#include "crypto/secret.h"
#include "tuf/tuf.h"

#define MF_INDEX_PAGE 4096

/* What a file was verified as. */
struct mf_index_bound {
	struct mf_bytes machine; /* a secret of MF_MAC octets */
	const struct mf_tuf_set *set;
	const struct mf_tuf_edge *edge; /* of a delegated role; NULL: targets */
};
struct mf_index {
	struct mf_secret key;
	uint64_t pages; /* where they begin, of an index that was opened */
	uint32_t npages;
};
/* Derives its key. NULL: MF_E_NOMEM, MF_E_INTERNAL. */
struct mf_index *mf_index_new(const struct mf_index_bound *b, struct mf_err *err) MF_NODISCARD;
void mf_index_free(struct mf_index *x); /* NULL is fine */
static inline void mf_index_cleanup(struct mf_index **x)
{
	mf_index_free(*x);
}
#define MF_INDEX_CLEANUP MF_CLEANUP(mf_index_cleanup)

/* Appends the index of a file that has just been verified. MF_ABSENT: it is not worth one, or it has what an
 * index cannot show: a name that is spelled with escapes, an entry of more than MF_MAX_INDEX_ENTRY. */
enum mf_found mf_index_write(const struct mf_index *x, const struct mf_tuf_file *f, struct mf_buf *out,
			     struct mf_err *err);

/* Where an index and its file are read. */
enum mf_index_part { MF_INDEX_INDEX, MF_INDEX_FILE };
struct mf_index_source {
	/* Fills p with n octets from `at` on; false when there are none. */
	bool (*read)(void *arg, enum mf_index_part part, uint64_t at, void *p, size_t n);
	void *arg;
};
/* Appends the head, for mf_tuf_set_indexed. MF_ABSENT: it is no index of this file as it was verified.
 * MF_FAILED: MF_E_NOMEM, MF_E_INTERNAL. */
enum mf_found mf_index_open(struct mf_index *x, const struct mf_index_source *from, struct mf_buf *head,
			    struct mf_err *err);
/* Adds the entries of a subject, or that it has none, to a partial file, by its index. MF_ABSENT: the index,
 * or an entry in the file, is not what it was; nothing was added. */
enum mf_found mf_index_find(struct mf_tuf_file *f, const struct mf_index_source *from,
			    const struct mf_digest *subject, struct mf_err *err);

#endif
