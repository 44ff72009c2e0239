#include "base/limits.h"
#include "oci/registry.h"

static void clear_all(struct mf_exchange **window)
{
	if (*window)
		for (size_t i = 0; i < MF_REGISTRY_WINDOW; i++)
			mf_exchange_clear(&(*window)[i]);
	free(*window);
}

static int head_begin(struct mf_exchange *x, struct mf_registry *reg, const char *kind,
		      const struct mf_digest *digest, struct mf_err *err)
{
	char text[MF_DIGEST_TEXT];
	mf_digest_format(text, digest);
	if (mf_exchange_init(x, reg, "HEAD", MF_ACCESS_PULL, err, "%s/%s", kind, text))
		return -1;
	if (strcmp(kind, "manifests") == 0)
		mf_exchange_header(x, mf_registry_accept);
	return mf_exchange_begin(x, err);
}

/* A success, or 404; the answer stays. */
static int head_end(struct mf_exchange *x, struct mf_err *err)
{
	if (mf_exchange_end(x, err))
		return -1;
	if (!mf_exchange_ok(x) && x->res->status != 404)
		return mf_exchange_fail(x, "look for content", err);
	return 0;
}

int mf_registry_heads(struct mf_registry *reg, const char *kind, const struct mf_digest *digests, size_t n,
		      mf_registry_head_fn each, void *arg, struct mf_err *err)
{
	struct mf_exchange *window MF_CLEANUP(clear_all) =
	    mf_calloc(MF_REGISTRY_WINDOW, sizeof(*window));
	if (!window)
		return mf_fail_nomem(err);
	size_t begun = 0;
	for (size_t i = 0; i < n; i++) {
		for (; begun < n && begun < i + MF_REGISTRY_WINDOW; begun++)
			if (head_begin(&window[begun % MF_REGISTRY_WINDOW], reg, kind, &digests[begun], err))
				return -1;
		struct mf_exchange *x = &window[i % MF_REGISTRY_WINDOW];
		if (head_end(x, err))
			return -1;
		each(arg, i, x->res);
		mf_exchange_clear(x);
	}
	return 0;
}

static void note_present(void *arg, size_t i, const struct mf_http_response *res)
{
	bool *present = arg;
	present[i] = res->status != 404;
}

int mf_registry_have(struct mf_registry *reg, const char *kind, const struct mf_digest *digests, size_t n,
		     bool *present, struct mf_err *err)
{
	return mf_registry_heads(reg, kind, digests, n, note_present, present, err);
}

int mf_registry_blobs_have(void *b, const struct mf_digest *digests, size_t n, bool *present,
			   struct mf_err *err)
{
	return mf_registry_have(b, "blobs", digests, n, present, err);
}

/* ---- upload */

static int read_spool(void *arg, uint64_t offset, void *p, size_t n, size_t *got, struct mf_err *err)
{
	return mf_spool_read(arg, offset, p, n, got, err);
}

/* Asked with the right to push, so that one token serves the whole upload. */
static int blob_there(struct mf_registry *reg, const char *digest, bool *there, struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	if (mf_exchange_init(&x, reg, "HEAD", MF_ACCESS_PUSH, err, "blobs/%s", digest) ||
	    mf_exchange_begin(&x, err) || head_end(&x, err))
		return -1;
	*there = x.res->status != 404;
	return 0;
}

/* Opens an upload; *location gets the URL to send to. */
static int upload_open(struct mf_registry *reg, struct mf_buf *location, struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	if (mf_exchange_init(&x, reg, "POST", MF_ACCESS_PUSH, err, "blobs/uploads/") ||
	    mf_exchange_run(&x, err))
		return -1;
	if (x.res->status != 202)
		return mf_exchange_fail(&x, "begin upload", err);
	return mf_buf_addz(location, x.res->location, err);
}

static int upload_send(struct mf_registry *reg, const char *url, struct mf_spool *blob, uint64_t length,
		       struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	if (mf_exchange_init_url(&x, reg, "PUT", MF_ACCESS_PUSH, url, err))
		return -1;
	mf_exchange_header(&x, "Content-Type: application/octet-stream");
	x.req.read = read_spool;
	x.req.read_arg = blob;
	x.req.body_length = length;
	if (mf_exchange_run(&x, err))
		return -1;
	if (!mf_exchange_ok(&x))
		return mf_exchange_fail(&x, "upload blob", err);
	return 0;
}

/* An upload that was interrupted leaves nothing anyone can see; the registry forgets it after a while. */
int mf_registry_blob_put(void *b, struct mf_spool *blob, const struct mf_digest *digest, uint64_t length,
			 struct mf_err *err)
{
	struct mf_registry *reg = b;
	struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	char text[MF_DIGEST_TEXT];
	bool there = false;
	mf_digest_format(text, digest);
	if (blob_there(reg, text, &there, err))
		return -1;
	if (there)
		return 0;
	if (upload_open(reg, &url, err))
		return -1;
	if (mf_buf_printf(&url, err, "%cdigest=sha256%%3A%s", strchr(url.p, '?') ? '&' : '?',
			  text + strlen("sha256:")))
		return -1;
	if (upload_send(reg, url.p, blob, length, err) == 0)
		return 0;
	/* An answer may have been lost, and a second try then finds its upload ended: the blob itself tells.
	 */
	struct mf_err ignored = MF_ERR_INIT;
	if (err->code != MF_E_NOT_FOUND || blob_there(reg, text, &there, &ignored) || !there)
		return -1;
	mf_err_clear(err);
	return 0;
}

/* ---- download */

static int write_spool(void *arg, const void *p, size_t n, struct mf_err *err)
{
	return mf_spool_add(arg, p, n, err);
}

int mf_registry_blob_get(void *b, const struct mf_digest *digest, uint64_t length, struct mf_spool *out,
			 struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	char text[MF_DIGEST_TEXT];
	mf_digest_format(text, digest);
	if (length > MF_MAX_BLOB_BYTES)
		return mf_fail(err, MF_E_FORMAT, 0, "blob %s of %ju bytes is too large", text,
			       (uintmax_t)length);
	if (mf_exchange_init(&x, b, "GET", MF_ACCESS_PULL, err, "blobs/%s", text))
		return -1;
	x.req.write = write_spool;
	x.req.write_arg = out;
	x.req.max_bytes = length > MF_MAX_ERROR_BODY ? (size_t)length : MF_MAX_ERROR_BODY;
	if (mf_exchange_run(&x, err))
		return -1;
	if (x.res->status == 404) {
		(void)mf_exchange_fail(&x, "read blob", err);
		return mf_recode(err, MF_E_CONTENT_GONE);
	}
	if (!mf_exchange_ok(&x))
		return mf_exchange_fail(&x, "read blob", err);
	return 0;
}
