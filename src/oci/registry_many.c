/* Moves many small blobs of a registry at once, so that the requests do not wait for each other. A blob that
 * fails here is left to the functions that move one blob; they report why. */
#include "oci/registry.h"

struct window {
	struct mf_exchange v[MF_REGISTRY_WINDOW];
};

static void window_clear(struct window *w)
{
	for (size_t i = 0; i < MF_REGISTRY_WINDOW; i++)
		mf_exchange_clear(&w->v[i]);
}
#define WINDOW_CLEANUP MF_CLEANUP(window_clear)

/* Returns -1 for a failure that ends the run (out of memory, cancelled); other failures concern one blob. */
static int pass_over(struct mf_err *why, struct mf_err *err)
{
	if (mf_err_pass_ours(err, why) < 0)
		return -1;
	if (why->code != MF_E_CANCELLED)
		return 0;
	*err = *why;
	return -1;
}

/* ---- to the registry */

static int read_spool(void *arg, uint64_t offset, void *p, size_t n, size_t *got, struct mf_err *err)
{
	return mf_spool_read(arg, offset, p, n, got, err);
}

static int begin_post(struct mf_exchange *x, struct mf_registry *reg, const struct mf_blob_send *s,
		      struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &s->digest);
	/* distribution-spec 1.1, "Mounting a blob from another repository" */
	int rc = s->from ? mf_exchange_init(x, reg, "POST", MF_ACCESS_PUSH, err,
					    "blobs/uploads/?mount=%s&from=%s", digest, s->from)
			 : mf_exchange_init(x, reg, "POST", MF_ACCESS_PUSH, err, "blobs/uploads/");
	return rc < 0 ? -1 : mf_exchange_begin(x, err);
}

/* Sends the blob to the upload that the answer in *x began; *x becomes that request. */
static int begin_put(struct mf_exchange *x, struct mf_registry *reg, const struct mf_blob_send *s,
		     struct mf_err *err)
{
	struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &s->digest);
	if (mf_buf_printf(&url, err, "%s%cdigest=sha256%%3A%s", x->res->location,
			  strchr(x->res->location, '?') ? '&' : '?', digest + strlen("sha256:")) < 0)
		return -1;
	mf_exchange_clear(x);
	if (mf_exchange_init_url(x, reg, "PUT", MF_ACCESS_PUSH, mf_buf_str(&url).p, err) < 0)
		return -1;
	if (s->length) {
		mf_exchange_header(x, "Content-Type: application/octet-stream");
		x->req.read = read_spool;
		x->req.read_arg = s->blob;
		x->req.body_length = s->length;
	}
	return mf_exchange_begin(x, err);
}

static int end_post(struct mf_exchange *x, struct mf_registry *reg, struct mf_blob_send *s,
		    struct mf_err *err)
{
	if (mf_exchange_end(x, err) < 0)
		return -1;
	s->done = s->from && x->res->status == 201;
	if (!s->done && s->blob && x->res->status == 202 && x->res->location[0])
		return begin_put(x, reg, s, err);
	mf_exchange_clear(x);
	return 0;
}

static int end_put(struct mf_exchange *x, struct mf_blob_send *s, struct mf_err *err)
{
	if (!x->call)
		return 0;
	if (mf_exchange_end(x, err) < 0)
		return -1;
	s->done = mf_exchange_ok(x);
	return 0;
}

static int send_part(struct mf_registry *reg, struct mf_blob_send *v, size_t n, struct mf_err *err)
{
	struct window w WINDOW_CLEANUP = {0};
	for (int step = 0; step < 3; step++)
		for (size_t i = 0; i < n; i++) {
			struct mf_exchange *x = &w.v[i];
			struct mf_err why = MF_ERR_INIT;
			int rc = step == 0   ? begin_post(x, reg, &v[i], &why)
				 : step == 1 ? (x->call ? end_post(x, reg, &v[i], &why) : 0)
					     : end_put(x, &v[i], &why);
			if (rc == 0)
				continue;
			mf_exchange_clear(x);
			if (pass_over(&why, err) < 0)
				return -1;
		}
	return 0;
}

int mf_registry_blobs_send(void *b, struct mf_blob_send *v, size_t n, struct mf_err *err)
{
	for (size_t at = 0; at < n; at += MF_REGISTRY_WINDOW)
		if (send_part(b, &v[at], n - at < MF_REGISTRY_WINDOW ? n - at : MF_REGISTRY_WINDOW, err) < 0)
			return -1;
	return 0;
}

/* ---- from the registry */

static int begin_get(struct mf_exchange *x, struct mf_registry *reg, const struct mf_blob_fetch *f,
		     struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &f->digest);
	if (mf_exchange_init(x, reg, "GET", MF_ACCESS_PULL, err, "blobs/%s", digest) < 0)
		return -1;
	x->req.write = mf_spool_write;
	x->req.write_arg = f->out;
	x->req.max_bytes = f->length > MF_MAX_ERROR_BODY ? (size_t)f->length : MF_MAX_ERROR_BODY;
	return mf_exchange_begin(x, err);
}

static int end_get(struct mf_exchange *x, struct mf_blob_fetch *f, struct mf_err *err)
{
	if (!x->call)
		return 0;
	if (mf_exchange_end(x, err) < 0)
		return -1;
	f->done = x->res->status == 200;
	return 0;
}

static int fetch_part(struct mf_registry *reg, struct mf_blob_fetch *v, size_t n, struct mf_err *err)
{
	struct window w WINDOW_CLEANUP = {0};
	for (int step = 0; step < 2; step++)
		for (size_t i = 0; i < n; i++) {
			struct mf_err why = MF_ERR_INIT;
			int rc =
			    step == 0 ? begin_get(&w.v[i], reg, &v[i], &why) : end_get(&w.v[i], &v[i], &why);
			if (rc == 0)
				continue;
			mf_exchange_clear(&w.v[i]);
			if (pass_over(&why, err) < 0)
				return -1;
		}
	return 0;
}

int mf_registry_blobs_fetch(void *b, struct mf_blob_fetch *v, size_t n, struct mf_err *err)
{
	for (size_t at = 0; at < n; at += MF_REGISTRY_WINDOW)
		if (fetch_part(b, &v[at], n - at < MF_REGISTRY_WINDOW ? n - at : MF_REGISTRY_WINDOW, err) < 0)
			return -1;
	return 0;
}
