/* Blobs of a registry: upload and download (distribution-spec 1.1, "Pushing blobs", "Pulling blobs"). */
#include "base/limits.h"
#include "oci/registry.h"

/* The size of a part for registries or proxies that limit the size of a request. */
#define PART ((uint64_t)8 << 20)
/* A load balancer may send each request of an upload to another machine, which may not know the upload. */
#define UPLOAD_TRIES 3

static int read_spool(void *arg, uint64_t offset, void *p, size_t n, size_t *got, struct mf_err *err)
{
	return mf_spool_read(arg, offset, p, n, got, err);
}

/* Checks whether the blob is there. The request asks for the right to push, so that one token serves the
 * whole upload. */
static int blob_there(struct mf_registry *reg, const char *digest, bool *there, struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	if (mf_exchange_init(&x, reg, "HEAD", MF_ACCESS_PUSH, err, "blobs/%s", digest) < 0 ||
	    mf_exchange_begin(&x, err) < 0 || mf_registry_head_end(&x, err) < 0)
		return -1;
	*there = x.res->status != 404;
	return 0;
}

struct upload {
	struct mf_registry *reg;
	struct mf_spool *blob;
	uint64_t length;
	const char *hex; /* the digest in hexadecimal */
	struct mf_buf url;
	bool ahead; /* begun before it was needed, so the registry may have dropped it */
};

/* Takes the URL for the next request from the answer's Location; without one the URL stays. */
static int follow(struct upload *u, const struct mf_http_response *res, struct mf_err *err)
{
	if (!res->location[0])
		return 0;
	mf_buf_reset(&u->url);
	return mf_buf_addz(&u->url, res->location, err);
}

static int post(struct mf_exchange *x, struct mf_registry *reg, struct mf_err *err)
{
	return mf_exchange_init(x, reg, "POST", MF_ACCESS_PUSH, err, "blobs/uploads/") < 0
		   ? -1
		   : mf_exchange_begin(x, err);
}

static void cancel(struct mf_exchange **x)
{
	if (*x)
		mf_exchange_clear(*x);
	free(*x);
	*x = NULL;
}

void mf_registry_uploads_cancel(struct mf_registry *reg)
{
	for (size_t i = 0; i < MF_UPLOADS_AHEAD; i++)
		cancel(&reg->uploads[i]);
}

static size_t count_ahead(const struct mf_registry *reg)
{
	size_t n = 0;
	for (size_t i = 0; i < MF_UPLOADS_AHEAD; i++)
		n += reg->uploads[i] != NULL;
	return n;
}

/* An upload that is never used is not visible to anyone. A failure here is ignored: if it persists, the
 * upload reports it. */
void mf_registry_blobs_put_soon(void *b, size_t n)
{
	struct mf_registry *reg = b;
	size_t ahead = count_ahead(reg);
	for (size_t i = 0; ahead < n && i < MF_UPLOADS_AHEAD; i++) {
		struct mf_err ignored = MF_ERR_INIT;
		if (reg->uploads[i])
			continue;
		ahead++;
		reg->uploads[i] = mf_calloc(1, sizeof *reg->uploads[i]);
		if (reg->uploads[i] && post(reg->uploads[i], reg, &ignored) < 0)
			cancel(&reg->uploads[i]);
	}
}

static bool begun_ahead(struct upload *u)
{
	struct mf_err ignored = MF_ERR_INIT;
	size_t i = 0;
	u->ahead = false;
	while (i < MF_UPLOADS_AHEAD && !u->reg->uploads[i])
		i++;
	if (i == MF_UPLOADS_AHEAD)
		return false;
	struct mf_exchange *x = u->reg->uploads[i];
	u->ahead = mf_exchange_end(x, &ignored) == 0 && x->res->status == 202 && x->res->location[0] &&
		   follow(u, x->res, &ignored) == 0;
	cancel(&u->reg->uploads[i]);
	return u->ahead;
}

static int begin_upload(struct upload *u, struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	if (begun_ahead(u))
		return 0;
	if (post(&x, u->reg, err) < 0 || mf_exchange_end(&x, err) < 0)
		return -1;
	if (x.res->status != 202) {
		(void)mf_exchange_fail(&x, "begin an upload", err);
		if (err->code == MF_E_NOT_FOUND)
			mf_err_set_hint(
			    err,
			    "some registries want a repository to be created before anything is put into it");
		return -1;
	}
	if (x.res->location[0])
		return follow(u, x.res, err);
	(void)mf_fail(
	    err, MF_E_UNAVAILABLE, 0,
	    "begin an upload: the registry's answer does not name a URL for it (no Location header)");
	mf_err_set_endpoint(err, u->reg->host);
	return -1;
}

static int set_up_part(struct upload *u, struct mf_exchange *x, const char *method, uint64_t length,
		       struct mf_err *err)
{
	if (mf_exchange_init_url(x, u->reg, method, MF_ACCESS_PUSH, u->url.p, err) < 0)
		return -1;
	if (!length)
		return 0;
	mf_exchange_header(x, "Content-Type: application/octet-stream");
	x->req.read = read_spool;
	x->req.read_arg = u->blob;
	x->req.body_length = length;
	return 0;
}

static int add_digest(struct upload *u, struct mf_err *err)
{
	return mf_buf_printf(&u->url, err, "%cdigest=sha256%%3A%s", strchr(u->url.p, '?') ? '&' : '?',
			     u->hex);
}

/* Ends an upload with the PUT. On failure *err has the reason, and *status the status of the answer. 400 with
 * the code UNSUPPORTED counts as 405. */
static int end_upload(struct upload *u, uint64_t length, long *status, struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	char code[64];
	if (add_digest(u, err) < 0 || set_up_part(u, &x, "PUT", length, err) < 0 ||
	    mf_exchange_run(&x, err) < 0)
		return -1;
	*status = x.res->status;
	if (mf_exchange_ok(&x))
		return 0;
	mf_http_error_code(x.res, code);
	(void)mf_exchange_fail(&x, "upload content", err);
	if (*status == 400 && strcmp(code, "UNSUPPORTED") == 0)
		*status = 405;
	if (*status != 404)
		return -1;
	/* 404 is about the upload here, and must not be reported as a missing image or record. */
	mf_err_set_hint(
	    err, "a registry behind a balancer needs storage and a secret that all its machines share");
	return mf_recode(err, MF_E_UNAVAILABLE);
}

struct window {
	struct mf_spool *blob;
	uint64_t offset;
};

static int read_window(void *arg, uint64_t offset, void *p, size_t n, size_t *got, struct mf_err *err)
{
	const struct window *w = arg;
	return mf_spool_read(w->blob, w->offset + offset, p, n, got, err);
}

/* Uploads in parts, for registries that accept no body with the PUT, or none of this size. */
static int send_parts(struct upload *u, uint64_t part, long *status, struct mf_err *err)
{
	if (begin_upload(u, err) < 0)
		return -1;
	for (uint64_t at = 0; at < u->length;) {
		struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
		uint64_t n = u->length - at < part ? u->length - at : part;
		struct window w = {u->blob, at};
		if (set_up_part(u, &x, "PATCH", n, err) < 0 ||
		    mf_exchange_header_own(&x, err, "Content-Range: %llu-%llu", (unsigned long long)at,
					   (unsigned long long)(at + n - 1)) < 0)
			return -1;
		x.req.read = read_window;
		x.req.read_arg = &w;
		if (mf_exchange_run(&x, err) < 0)
			return -1;
		*status = x.res->status;
		if (!mf_exchange_ok(&x))
			return mf_exchange_fail(&x, "upload content in parts", err);
		if (follow(u, x.res, err) < 0)
			return -1;
		at += n;
	}
	return end_upload(u, 0, status, err);
}

/* After a failure, checks whether the blob is there: the answer to a PUT may have been lost, and a second try
 * then finds the upload ended. */
static bool arrived(const struct upload *u, const char *digest)
{
	struct mf_err ignored = MF_ERR_INIT;
	bool there = false;
	return blob_there(u->reg, digest, &there, &ignored) == 0 && there;
}

static int send(struct upload *u, const char *digest, struct mf_err *err)
{
	for (int tries = 1;; tries++) {
		long status = 0;
		if (begin_upload(u, err) < 0)
			return -1;
		if (end_upload(u, u->length, &status, err) == 0)
			return 0;
		if (u->ahead && (status == 400 || status == 410 || status == 416)) {
			mf_err_clear(err); /* the registry has dropped the upload that was begun early: begin
					      another */
			continue;
		}
		if (u->length &&
		    (status == 405 || status == 411 || status == 413 || status == 415 || status == 501)) {
			mf_err_clear(err);
			mf_env_log(
			    u->reg->env, MF_LOG_DEBUG,
			    "the registry accepts no body with the PUT (status %ld): uploading in parts",
			    status);
			return send_parts(u, status == 413 ? PART : u->length, &status, err);
		}
		if (status != 404)
			return -1;
		bool there = arrived(u, digest);
		if (!there && tries == UPLOAD_TRIES)
			return -1;
		mf_err_clear(err);
		if (there)
			return 0;
	}
}

/* An interrupted upload leaves nothing that anyone can see; the registry removes it after some time. */
int mf_registry_blob_put(void *b, struct mf_spool *blob, const struct mf_digest *digest, uint64_t length,
			 struct mf_err *err)
{
	char text[MF_DIGEST_TEXT];
	bool there = false;
	mf_digest_format(text, digest);
	struct upload u = {b, blob, length, text + strlen("sha256:"), MF_BUF_INIT(MF_MAX_URL), false};
	if (length > MF_BLOB_UNASKED && blob_there(b, text, &there, err) < 0)
		return -1;
	int rc = there ? 0 : send(&u, text, err);
	mf_buf_clear(&u.url);
	return rc;
}

/* ---- several at once */

struct sending {
	struct upload u;
	char digest[MF_DIGEST_TEXT];
	struct mf_exchange x; /* the POST of the blob, then its PUT */
};

static void sending_clear(struct sending *s)
{
	mf_exchange_clear(&s->x);
	mf_buf_clear(&s->u.url);
}

static void sendings_clear(struct sending **v)
{
	for (size_t i = 0; *v && i < MF_REGISTRY_WINDOW; i++)
		sending_clear(&(*v)[i]);
	free(*v);
}

/* Begins the upload of a small blob. Large ones are left to mf_registry_blob_put, which first checks whether
 * the blob is there. */
static int begin_post(struct sending *s, struct mf_registry *reg, const struct mf_blob_source *b,
		      size_t *ahead, struct mf_err *err)
{
	mf_digest_format(s->digest, b->digest);
	s->u = (struct upload){
	    reg, b->blob, b->length, s->digest + strlen("sha256:"), MF_BUF_INIT(MF_MAX_URL), false};
	if (b->length > MF_BLOB_UNASKED)
		return 0;
	s->u.ahead = *ahead > 0;
	if (!s->u.ahead)
		return post(&s->x, reg, err);
	--*ahead;
	return 0;
}

static bool begun_now(struct sending *s, struct mf_err *err)
{
	return s->x.reg && mf_exchange_end(&s->x, err) == 0 && s->x.res->status == 202 &&
	       s->x.res->location[0] && follow(&s->u, s->x.res, err) == 0;
}

static int begin_put(struct sending *s, struct mf_err *err)
{
	bool begun = s->u.ahead ? begun_ahead(&s->u) : begun_now(s, err);
	mf_exchange_clear(&s->x);
	if (!begun || add_digest(&s->u, err) < 0 || set_up_part(&s->u, &s->x, "PUT", s->u.length, err) < 0)
		return -1;
	return mf_exchange_begin(&s->x, err);
}

/* Puts at most MF_REGISTRY_WINDOW blobs. */
static void put_some(struct mf_registry *reg, struct sending *s, struct mf_blob_source *v, size_t n)
{
	size_t ahead = count_ahead(reg);
	for (size_t i = 0; i < n; i++) {
		struct mf_err ignored = MF_ERR_INIT;
		if (begin_post(&s[i], reg, &v[i], &ahead, &ignored) < 0)
			sending_clear(&s[i]);
	}
	for (size_t i = 0; i < n; i++) {
		struct mf_err ignored = MF_ERR_INIT;
		if (begin_put(&s[i], &ignored) < 0)
			sending_clear(&s[i]);
	}
	for (size_t i = 0; i < n; i++) {
		struct mf_err ignored = MF_ERR_INIT;
		v[i].done = s[i].x.reg && mf_exchange_end(&s[i].x, &ignored) == 0 && mf_exchange_ok(&s[i].x);
		sending_clear(&s[i]);
	}
}

void mf_registry_blobs_put_together(void *b, struct mf_blob_source *v, size_t n)
{
	struct sending *s MF_CLEANUP(sendings_clear) = mf_calloc(MF_REGISTRY_WINDOW, sizeof *s);
	for (size_t i = 0; s && i < n; i += MF_REGISTRY_WINDOW)
		put_some(b, s, &v[i], n - i < MF_REGISTRY_WINDOW ? n - i : MF_REGISTRY_WINDOW);
}

int mf_registry_blob_get(void *b, const struct mf_digest *digest, uint64_t length, struct mf_spool *out,
			 struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	char text[MF_DIGEST_TEXT];
	mf_digest_format(text, digest);
	if (length > MF_MAX_BLOB_BYTES)
		return mf_fail(err, MF_E_FORMAT, 0, "blob %s of %llu bytes is too large", text,
			       (unsigned long long)length);
	if (mf_exchange_init(&x, b, "GET", MF_ACCESS_PULL, err, "blobs/%s", text) < 0)
		return -1;
	x.req.write = mf_spool_write;
	x.req.write_arg = out;
	x.req.max_bytes = length > MF_MAX_ERROR_BODY ? (size_t)length : MF_MAX_ERROR_BODY;
	if (mf_exchange_run(&x, err) < 0)
		return -1;
	if (x.res->status == 200)
		return 0;
	(void)mf_exchange_fail(&x, "read blob", err);
	return err->code == MF_E_NOT_FOUND ? mf_recode(err, MF_E_CONTENT_GONE) : -1;
}
