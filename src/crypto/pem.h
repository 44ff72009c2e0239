/* PEM blocks (RFC 7468) with the headers of RFC 1421 that Notary puts into its key files. */
#ifndef MF_CRYPTO_PEM_H
#define MF_CRYPTO_PEM_H

#include "base/str.h"

struct mf_pem_reader;

/* One block. It owns its memory, which is wiped when the block is cleared, because it may contain a
 * secret. */
struct mf_pem_block {
	char *label;   /* "CERTIFICATE" */
	char *headers; /* lines "name: value\n", "" when there are none */
	uint8_t *der;
	size_t der_n;
};
#define MF_PEM_BLOCK_INIT                                                                                    \
	{                                                                                                    \
		NULL, NULL, NULL, 0                                                                          \
	}
#define MF_PEM_BLOCK_CLEANUP MF_CLEANUP(mf_pem_block_clear)
void mf_pem_block_clear(struct mf_pem_block *b);

/* The text is borrowed. MF_E_FORMAT: it has more than `max` octets, or contains a NUL. */
struct mf_pem_reader *mf_pem_reader_new(struct mf_str text, size_t max, struct mf_err *err) MF_NODISCARD;
void mf_pem_reader_free(struct mf_pem_reader *r);
static inline void mf_pem_reader_cleanup(struct mf_pem_reader **r)
{
	mf_pem_reader_free(*r);
}
#define MF_PEM_READER_CLEANUP MF_CLEANUP(mf_pem_reader_cleanup)
/* MF_FOUND: *out, which must be empty, is filled. MF_ABSENT: there is no further block. MF_FAILED:
 * MF_E_FORMAT, a damaged block. Text between blocks is skipped. */
enum mf_found mf_pem_next(struct mf_pem_reader *r, struct mf_pem_block *out, struct mf_err *err) MF_NODISCARD;
/* Reads the only block of a text. MF_E_FORMAT: there is none, or there are several. */
int mf_pem_only(struct mf_str text, size_t max, struct mf_pem_block *out, struct mf_err *err) MF_NODISCARD;

/* Appends a block with 64-column lines and a final line feed, with the same bytes as Go's encoding/pem.
 * `headers` contains complete lines; "" for none. */
int mf_pem_write(struct mf_buf *out, const char *label, const char *headers, struct mf_bytes der,
		 struct mf_err *err) MF_NODISCARD;

#endif
