#include "crypto/pem.h"

#include <openssl/pem.h>

#include "base/encode.h"
#include "crypto/internal.h"

#define PEM_COLUMNS 64

struct mf_pem_reader {
	struct mf_str text;
	BIO *bio;
};

void mf_pem_block_clear(struct mf_pem_block *b)
{
	OPENSSL_free(b->label);
	OPENSSL_free(b->headers);
	OPENSSL_clear_free(b->der, b->der_n);
	*b = (struct mf_pem_block)MF_PEM_BLOCK_INIT;
}

struct mf_pem_reader *mf_pem_reader_new(struct mf_str text, size_t max, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_pem_reader *r;

	if (text.n > max || text.n > INT_MAX) {
		mf_fail(err, MF_E_FORMAT, 0, "PEM text of %zu bytes is too long", text.n);
		return NULL;
	}
	if (text.n && memchr(text.p, 0, text.n)) {
		mf_fail(err, MF_E_FORMAT, 0, "PEM text contains a NUL byte");
		return NULL;
	}
	r = mf_calloc(1, sizeof *r);
	if (r) {
		r->text = text;
		r->bio = BIO_new_mem_buf(text.n ? text.p : "", (int)text.n);
	}
	if (!r || !r->bio) {
		mf_pem_reader_free(r);
		mf_fail_nomem(err);
		return NULL;
	}
	return r;
}

void mf_pem_reader_free(struct mf_pem_reader *r)
{
	if (!r)
		return;
	BIO_free(r->bio);
	free(r);
}

static enum mf_found next(struct mf_pem_reader *r, struct mf_pem_block *out, struct mf_err *err)
{
	struct mf_pem_block b MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
	long n = 0;

	if (PEM_read_bio(r->bio, &b.label, &b.headers, &b.der, &n) != 1) {
		unsigned long why = ERR_peek_last_error();
		if (ERR_GET_REASON(why) == PEM_R_NO_START_LINE)
			return MF_ABSENT;
		/* OpenSSL gives a reason that is not specific to PEM: the text is not the cause. */
		if (why && (ERR_GET_LIB(why) != ERR_LIB_PEM || (ERR_GET_REASON(why) & ERR_RFLAG_COMMON)))
			return mf_fail(err, MF_E_INTERNAL, 0, "read a PEM block");
		return mf_ossl_fail(err, MF_E_FORMAT, "damaged PEM block");
	}
	b.der_n = (size_t)n;
	*out = b;
	b = (struct mf_pem_block)MF_PEM_BLOCK_INIT;
	return MF_FOUND;
}

/* OpenSSL may report lack of memory as the end of the text or as damage. So either result is accepted only
 * when a second try gives it, too. */
enum mf_found mf_pem_next(struct mf_pem_reader *r, struct mf_pem_block *out, struct mf_err *err)
{
	MF_OSSL_QUIET;
	size_t left = BIO_ctrl_pending(r->bio);
	enum mf_found rc = next(r, out, err);
	if (rc == MF_FOUND || !left || (rc < 0 && !mf_ossl_try_again(err)))
		return rc;
	ERR_pop_to_mark();
	ERR_set_mark();
	BIO *again = BIO_new_mem_buf(r->text.p + (r->text.n - left), (int)left);
	if (!again)
		return mf_fail_nomem(err);
	BIO_free(r->bio);
	r->bio = again;
	return next(r, out, err);
}

int mf_pem_only(struct mf_str text, size_t max, struct mf_pem_block *out, struct mf_err *err)
{
	struct mf_pem_reader *r MF_PEM_READER_CLEANUP = mf_pem_reader_new(text, max, err);
	struct mf_pem_block first MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
	struct mf_pem_block more MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
	int got;

	if (!r)
		return -1;
	got = mf_pem_next(r, &first, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return mf_fail(err, MF_E_FORMAT, 0, "no PEM block");
	got = mf_pem_next(r, &more, err);
	if (got < 0)
		return -1;
	if (got)
		return mf_fail(err, MF_E_FORMAT, 0, "more than one PEM block");
	*out = first;
	first = (struct mf_pem_block)MF_PEM_BLOCK_INIT;
	return 0;
}

static int write_body(struct mf_buf *out, struct mf_str b64, struct mf_err *err)
{
	for (size_t at = 0; at < b64.n; at += PEM_COLUMNS) {
		size_t n = b64.n - at < PEM_COLUMNS ? b64.n - at : PEM_COLUMNS;

		if (mf_buf_add(out, b64.p + at, n, err) < 0 || mf_buf_addc(out, '\n', err) < 0)
			return -1;
	}
	return 0;
}

int mf_pem_write(struct mf_buf *out, const char *label, const char *headers, struct mf_bytes der,
		 struct mf_err *err)
{
	struct mf_buf b64 MF_BUF_CLEANUP = MF_BUF_INIT(out->max);
	int r;

	if (mf_b64_encode(&b64, der, err) < 0)
		return -1;
	r = mf_buf_printf(out, err, "-----BEGIN %s-----\n%s%s", label, headers, *headers ? "\n" : "");
	if (!r)
		r = write_body(out, mf_buf_str(&b64), err);
	if (!r)
		r = mf_buf_printf(out, err, "-----END %s-----\n", label);
	mf_wipe(b64.p, b64.cap); /* it may contain a private key */
	return r;
}
