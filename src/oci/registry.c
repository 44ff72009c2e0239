/* The backend for a registry (distribution-spec 1.1). */
#include "oci/registry.h"

#include <stdio.h>
#include <strings.h>

#include "base/limits.h"
#include "base/window.h"
#include "json/json.h"

#define MAX_LINK 8192

const char mf_registry_accept[] =
    "Accept: " MF_MT_OCI_INDEX ", " MF_MT_OCI_MANIFEST ", " MF_MT_DOCKER_LIST ", " MF_MT_DOCKER_MANIFEST;

static void registry_free(void *b)
{
	struct mf_registry *reg = b;
	if (!reg)
		return;
	mf_registry_uploads_cancel(reg);
	mf_registry_clear(reg);
	free(reg);
}

static void registry_will_push(void *b)
{
	((struct mf_registry *)b)->pushing = true;
}

static void registry_cleanup(struct mf_registry **reg)
{
	registry_free(*reg);
}

/* ---- resolving */

/* A request that was begun and not ended yet. */
struct call {
	struct mf_exchange x;
	const struct mf_digest *digest; /* the digest of the manifest that is put */
};

static void call_free(struct call *c)
{
	if (c)
		mf_exchange_clear(&c->x);
	free(c);
}

static void call_cleanup(struct call **c)
{
	call_free(*c);
}
#define CALL_CLEANUP MF_CLEANUP(call_cleanup)

static void registry_cancel(void *b, void *call)
{
	(void)b;
	call_free(call);
}

static void name_text(char out[MF_MAX_TAG + 1], struct mf_manifest_name name)
{
	if (name.tag)
		(void)snprintf(out, MF_MAX_TAG + 1, "%s", name.tag);
	else
		mf_digest_format(out, name.digest);
}

/* Sets up a request for a manifest, without beginning it. */
static struct call *call_new(void *b, const char *method, enum mf_registry_access access,
			     struct mf_manifest_name name, struct mf_err *err)
{
	struct call *c CALL_CLEANUP = mf_calloc(1, sizeof *c);
	char text[MF_MAX_TAG + 1];
	name_text(text, name);
	if (!c) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	if (mf_exchange_init(&c->x, b, method, access, err, "manifests/%s", text) < 0)
		return NULL;
	struct call *made = c;
	c = NULL;
	return made;
}

/* Begins the request; on failure it is freed. */
static struct call *call_begin(struct call *call, struct mf_err *err)
{
	struct call *c CALL_CLEANUP = call;
	if (mf_exchange_begin(&c->x, err) < 0)
		return NULL;
	c = NULL;
	return call;
}

static void *registry_resolve_begin(void *b, const char *tag, struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_digest digest;
	if (!tag || (!mf_tag_valid(mf_str_c(tag)) && mf_digest_parse(&digest, mf_str_c(tag), &ignored) < 0)) {
		(void)mf_fail(err, MF_E_USAGE, 0, "expected a tag or a digest, got '%s'", tag ? tag : "");
		return NULL;
	}
	struct call *c = call_new(b, "HEAD", MF_ACCESS_PULL, (struct mf_manifest_name){tag, NULL}, err);
	if (!c)
		return NULL;
	mf_exchange_header(&c->x, mf_registry_accept);
	return call_begin(c, err);
}

/* Reads size and media type from the answer to a HEAD. Returns false when the manifest must be fetched to
 * know them: some proxies answer with length 0, or with a media type that is not that of a manifest. */
static bool read_head(const struct mf_http_response *res, char media_type[128], uint64_t *size)
{
	*size = res->content_length;
	(void)snprintf(media_type, 128, "%.*s", (int)strcspn(res->content_type, "; \t"), res->content_type);
	return *size && *size != UINT64_MAX && mf_is_manifest_type(media_type);
}

/* Whether the server may have refused the HEAD because of its method: some registries, proxies and presigned
 * URLs do not support HEAD, and answer with various statuses. The GET that follows gives the true answer. */
static bool head_refused(long status)
{
	return status >= 400 && status != 401 && status != 429 && (status < 500 || status == 501);
}

static void read_resolved(const struct mf_http_response *res, struct mf_resolved *out)
{
	struct mf_err ignored = MF_ERR_INIT;
	out->unknown = mf_digest_parse(&out->digest, mf_str_c(res->docker_content_digest), &ignored) < 0;
	if (!read_head(res, out->media_type, &out->size))
		out->media_type[0] = 0;
}

static int registry_resolve_end(void *b, void *call, struct mf_resolved *out, struct mf_err *err)
{
	(void)b;
	struct call *c CALL_CLEANUP = call;
	if (mf_exchange_end(&c->x, err) < 0)
		return -1;
	out->unknown = !mf_exchange_ok(&c->x);
	if (out->unknown && !head_refused(c->x.res->status))
		return mf_exchange_fail(&c->x, "resolve tag", err);
	if (!out->unknown)
		read_resolved(c->x.res, out);
	return 0;
}

/* ---- presence */

struct heads {
	struct mf_registry *reg;
	const char *kind;
	const struct mf_digest *digests;
	struct mf_exchange *window;
};

static void heads_clear(struct heads *h)
{
	for (size_t i = 0; h->window && i < MF_REGISTRY_WINDOW; i++)
		mf_exchange_clear(&h->window[i]);
	free(h->window);
}

static int head_begin(void *arg, size_t i, struct mf_err *err)
{
	struct heads *h = arg;
	struct mf_exchange *x = &h->window[i % MF_REGISTRY_WINDOW];
	char text[MF_DIGEST_TEXT];
	mf_digest_format(text, &h->digests[i]);
	if (mf_exchange_init(x, h->reg, "HEAD", MF_ACCESS_PULL, err, "%s/%s", h->kind, text) < 0)
		return -1;
	if (strcmp(h->kind, "manifests") == 0)
		mf_exchange_header(x, mf_registry_accept);
	return mf_exchange_begin(x, err);
}

static int write_nowhere(void *arg, const void *p, size_t n, struct mf_err *err)
{
	(void)arg, (void)p, (void)n, (void)err;
	return 0;
}

/* Repeats a refused HEAD as a GET. For a blob it requests one octet only. */
static int get_instead(struct mf_exchange *x, struct mf_err *err)
{
	struct mf_registry *reg = x->reg;
	char *path = x->path;
	bool manifest = strstr(path, "/manifests/") != NULL;
	x->path = NULL;
	mf_exchange_clear(x);
	if (mf_exchange_init(x, reg, "GET", MF_ACCESS_PULL, err, "tags/list") < 0) {
		free(path);
		return -1;
	}
	free(x->path);
	x->path = path;
	mf_exchange_header(x, manifest ? mf_registry_accept : "Range: bytes=0-0");
	x->req.write = write_nowhere;
	x->req.max_bytes = manifest ? MF_MAX_MANIFEST_BYTES : MF_MAX_BLOB_BYTES;
	return mf_exchange_run(x, err);
}

/* Ends a HEAD, or the GET in its place, with a success or a 404, which stays in x->res. 416 also means that
 * the blob is there: an empty blob has no first octet. */
int mf_registry_head_end(struct mf_exchange *x, struct mf_err *err)
{
	if (mf_exchange_end(x, err) < 0)
		return -1;
	if (x->res->status != 404 && head_refused(x->res->status) && get_instead(x, err) < 0)
		return -1;
	if (!mf_exchange_ok(x) && x->res->status != 404 && x->res->status != 416)
		return mf_exchange_fail(x, "look for content", err);
	return 0;
}

/* Sends HEADs of "<kind>/<digest>", MF_REGISTRY_WINDOW at a time; `each` gets the answers in order. An answer
 * is a success, a 404, or the 416 of an empty blob. */
static int heads(struct mf_registry *reg, const char *kind, const struct mf_digest *digests, size_t n,
		 void (*each)(void *arg, size_t i, const struct mf_http_response *res), void *arg,
		 struct mf_err *err)
{
	struct heads h MF_CLEANUP(heads_clear) = {reg, kind, digests,
						  mf_calloc(MF_REGISTRY_WINDOW, sizeof *h.window)};
	struct mf_window ahead = {.n = n, .most = MF_REGISTRY_WINDOW, .begin = head_begin, .arg = &h};
	if (!h.window)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct mf_exchange *x = &h.window[i % MF_REGISTRY_WINDOW];
		if (mf_window_reach(&ahead, i, err) < 0)
			return -1;
		if (mf_registry_head_end(x, err) < 0)
			return -1;
		each(arg, i, x->res);
		if (n > MF_REGISTRY_WINDOW && strcmp(kind, "manifests") == 0)
			mf_env_progress(reg->env, MF_PROGRESS_IMAGES, i + 1, n);
		mf_exchange_clear(x);
	}
	return 0;
}

static void note_present(void *arg, size_t i, const struct mf_http_response *res)
{
	bool *present = arg;
	present[i] = res->status != 404;
}

static int registry_have(struct mf_registry *reg, const char *kind, const struct mf_digest *digests, size_t n,
			 bool *present, struct mf_err *err)
{
	return heads(reg, kind, digests, n, note_present, present, err);
}

static int registry_blobs_have(void *b, const struct mf_digest *digests, size_t n, bool *present,
			       struct mf_err *err)
{
	return registry_have(b, "blobs", digests, n, present, err);
}

/* ---- manifests */

static void *registry_get_begin(void *b, struct mf_manifest_name name, struct mf_err *err)
{
	struct call *c = call_new(b, "GET", MF_ACCESS_PULL, name, err);
	if (!c)
		return NULL;
	mf_exchange_header(&c->x, mf_registry_accept);
	c->x.req.max_bytes = MF_MAX_MANIFEST_BYTES;
	return call_begin(c, err);
}

static int registry_get_end(void *b, void *call, struct mf_buf *bytes, char content_type[256],
			    struct mf_err *err)
{
	(void)b;
	struct call *c CALL_CLEANUP = call;
	if (mf_exchange_end(&c->x, err) < 0)
		return -1;
	if (!mf_exchange_ok(&c->x))
		return mf_exchange_fail(&c->x, "read manifest", err);
	(void)snprintf(content_type, 256, "%s", c->x.res->content_type);
	return mf_buf_add_str(bytes, mf_buf_str(&c->x.res->body), err);
}

static void *registry_delete_begin(void *b, const struct mf_digest *digest, struct mf_err *err)
{
	struct call *c =
	    call_new(b, "DELETE", MF_ACCESS_DELETE, (struct mf_manifest_name){NULL, digest}, err);
	return c ? call_begin(c, err) : NULL;
}

static int registry_delete_end(void *b, void *call, struct mf_err *err)
{
	(void)b;
	struct call *c CALL_CLEANUP = call;
	if (mf_exchange_end(&c->x, err) < 0)
		return -1;
	if (mf_exchange_ok(&c->x) || c->x.res->status == 404)
		return 0;
	return mf_exchange_fail(&c->x, "delete manifest", err);
}

static int registry_manifests_have(void *b, const struct mf_digest *digests, size_t n, bool *present,
				   struct mf_err *err)
{
	return registry_have(b, "manifests", digests, n, present, err);
}

static void note_look(void *arg, size_t i, const struct mf_http_response *res)
{
	struct mf_looked *l = &((struct mf_looked *)arg)[i];
	l->present = res->status != 404;
	if (l->present && !read_head(res, l->media_type, &l->size))
		*l = (struct mf_looked){.present = true, .size = UINT64_MAX};
}

static int registry_manifests_look(void *b, const struct mf_digest *digests, size_t n, struct mf_looked *out,
				   struct mf_err *err)
{
	return heads(b, "manifests", digests, n, note_look, out, err);
}

/* Finds the digest in an error's "detail": the string itself, or a member "digest" or "Digest" of an
 * object. */
static const char *detail_digest(const json_t *detail)
{
	if (json_is_object(detail)) {
		const json_t *d = json_object_get(detail, "digest");
		detail = d ? d : json_object_get(detail, "Digest");
	}
	return json_string_value(detail);
}

static bool means_missing(const char *code)
{
	return strcmp(code, "MANIFEST_BLOB_UNKNOWN") == 0 || strcmp(code, "MANIFEST_UNKNOWN") == 0 ||
	       strcmp(code, "BLOB_UNKNOWN") == 0;
}

/* Adds the digests that an error body reports as unknown. A body that cannot be read adds none. */
static int read_missing(const struct mf_http_response *res, struct mf_descriptors *missing,
			struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	json_t *body MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&res->body), MF_MAX_ERROR_BODY, &ignored);
	const json_t *errors = json_object_get(body, "errors");
	for (size_t i = 0; i < json_array_size(errors); i++) {
		const json_t *e = json_array_get(errors, i);
		const char *code = json_string_value(json_object_get(e, "code"));
		const char *text = detail_digest(json_object_get(e, "detail"));
		struct mf_descriptor d = {0};
		mf_err_clear(&ignored);
		if (!code || !text || !means_missing(code) ||
		    mf_digest_parse(&d.digest, mf_str_c(text), &ignored) < 0)
			continue;
		if (mf_descriptors_take(missing, &d, err) < 0)
			return -1;
	}
	return 0;
}

static int put_refused(const struct mf_exchange *x, struct mf_descriptors *missing, struct mf_err *err)
{
	char code[64];
	long status = x->res->status;
	mf_http_error_code(x->res, code);
	bool lacks = (status == 400 || status == 404 || status == 422) && means_missing(code);
	if (!lacks || !missing)
		return mf_exchange_fail(x, "write manifest", err);
	if (read_missing(x->res, missing, err) < 0)
		return -1;
	(void)mf_exchange_fail(x, "write manifest", err);
	return mf_recode(err, MF_E_CONTENT_GONE);
}

/* Fails when the registry reports that it stored the manifest under another digest: then it changed the
 * bytes. */
static int check_stored(const struct mf_http_response *res, const struct mf_digest *digest,
			struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_digest said;
	if (mf_digest_parse(&said, mf_str_c(res->docker_content_digest), &ignored) < 0 ||
	    mf_digest_eq(&said, digest))
		return 0;
	char ours[MF_DIGEST_TEXT];
	mf_digest_format(ours, digest);
	return mf_fail(err, MF_E_DIGEST, 0, "write manifest: the registry stored %s as %s", ours,
		       res->docker_content_digest);
}

/* docker-registry truncates the link file of a blob while another client uploads the same blob. A manifest
 * that names the blob is then refused for a moment with "400 DIGEST_INVALID". The digests were computed here,
 * so the answer cannot be right, and the request is repeated. */
#define TORN_LINK_TRIES 6
#define TORN_LINK_FIRST_WAIT_MS 20
static bool torn_link(const struct mf_exchange *x)
{
	char code[64];
	if (x->res->status != 400)
		return false;
	mf_http_error_code(x->res, code);
	return strcmp(code, "DIGEST_INVALID") == 0;
}

static void *registry_put_begin(void *b, struct mf_manifest_name name, const struct mf_manifest *m,
				struct mf_err *err)
{
	struct call *c CALL_CLEANUP = call_new(b, "PUT", MF_ACCESS_PUSH, name, err);
	if (!c || mf_exchange_header_own(&c->x, err, "Content-Type: %s", m->media_type) < 0)
		return NULL;
	c->digest = &m->digest;
	c->x.req.body = mf_buf_bytes(&m->bytes);
	struct call *ready = c;
	c = NULL;
	return call_begin(ready, err);
}

static int registry_put_end(void *b, void *call, bool *subject_seen, struct mf_descriptors *missing,
			    struct mf_err *err)
{
	struct call *c CALL_CLEANUP = call;
	const struct mf_registry *reg = b;
	if (mf_exchange_end(&c->x, err) < 0)
		return -1;
	for (int i = 1; torn_link(&c->x) && i < TORN_LINK_TRIES; i++) {
		mf_env_sleep(reg->env, TORN_LINK_FIRST_WAIT_MS << (i - 1));
		mf_http_call_free(c->x.call);
		c->x.call = NULL;
		if (mf_exchange_run(&c->x, err) < 0)
			return -1;
	}
	if (!mf_exchange_ok(&c->x))
		return put_refused(&c->x, missing, err);
	*subject_seen = c->x.res->oci_subject[0] != '\0';
	return check_stored(c->x.res, c->digest, err);
}

static char *registry_blob_path(void *b, const struct mf_digest *digest)
{
	(void)b;
	(void)digest;
	return NULL;
}

/* ---- answers in pages (distribution-spec 1.1, "Listing Tags", "Listing Referrers") */

/* Reports whether the parameters of a link contain the relation "next". rel is a list of words, quoted or
 * not; other quoted values are skipped. *params is moved to the end of the parameters. */
static bool is_next(const char **params)
{
	bool next = false;
	const char *p = *params;
	while (*p && *p != ',') {
		size_t name = strspn(p, "; \t"), length = strcspn(p + name, "=;, \t");
		bool rel = length == 3 && strncasecmp(p + name, "rel", 3) == 0;
		p += name + length;
		p += strspn(p, " \t");
		if (*p != '=')
			continue;
		p += 1 + strspn(p + 1, " \t");
		bool quoted = *p == '"';
		const char *value = p + quoted;
		size_t n = quoted ? strcspn(value, "\"") : strcspn(value, ";,");
		for (size_t at = 0; rel && at < n;) {
			size_t word = strcspn(value + at, " \t\";,");
			next |= word == 4 && strncasecmp(value + at, "next", 4) == 0;
			at += word + 1;
		}
		p = value + n + (quoted && value[n]);
	}
	*params = p;
	return next;
}

/* Returns the target of the first link with rel=next (RFC 8288 section 3); empty when there is none. */
static struct mf_str next_link(const char *header)
{
	for (const char *p = header; (p = strchr(p, '<'));) {
		const char *end = strchr(p, '>');
		if (!end)
			break;
		struct mf_str target = {p + 1, (size_t)(end - p - 1)};
		p = end + 1;
		if (is_next(&p))
			return target;
	}
	return (struct mf_str){"", 0};
}

/* Appends a path without its "." and ".." segments (RFC 3986 section 5.2.4). */
static int add_path(struct mf_buf *out, struct mf_str path, struct mf_err *err)
{
	size_t n = 0;
	while (n < path.n && path.p[n] != '?')
		n++;
	for (size_t at = 0; at < n;) {
		size_t end = at + 1;
		while (end < n && path.p[end] != '/')
			end++;
		struct mf_str part = {path.p + at, end - at};
		if (mf_str_eqz(part, "/..")) {
			while (out->n && out->p[--out->n] != '/')
				;
		} else if (!mf_str_eqz(part, "/.") && mf_buf_add_str(out, part, err) < 0) {
			return -1;
		}
		at = end;
	}
	return mf_buf_add(out, path.p + n, path.n - n, err);
}

/* Resolves a link's target against the path of the page. The origin of the target is ignored, and its path is
 * requested from this registry: registries behind proxies name themselves by their internal address. */
static int resolve_link(const char *page, struct mf_str target, struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf path MF_BUF_CLEANUP = MF_BUF_INIT(MAX_LINK);
	const char *scheme = memmem(target.p, target.n, "://", 3);
	const char *query = memchr(target.p, '?', target.n);
	if (mf_str_starts(target, MF_STR("//")) || (scheme && !(query && query < scheme))) {
		size_t host = scheme ? (size_t)(scheme - target.p) + 3 : 2;
		while (host < target.n && target.p[host] != '/')
			host++;
		target = (struct mf_str){target.p + host, target.n - host};
	}
	size_t base = strcspn(page, "?");
	if (target.n == 0 || target.p[0] == '/')
		base = 0;
	while (target.n && target.p[0] != '?' && base && page[base - 1] != '/')
		base--;
	if (mf_buf_add(&path, page, base, err) < 0 || mf_buf_add_str(&path, target, err) < 0)
		return -1;
	return add_path(out, mf_buf_str(&path), err);
}

/* Replaces x by the exchange for the next page. To detect a circle of links, it keeps the path of each page
 * whose number is a power of two (Brent's algorithm): a circle is found within about twice its length. */
static int turn_page(struct mf_exchange *x, char *path, struct mf_err *err)
{
	struct mf_exchange next = {0};
	if (mf_exchange_init(&next, x->reg, "GET", MF_ACCESS_PULL, err, "tags/list") < 0) {
		free(path);
		return -1;
	}
	free(next.path);
	next.path = path;
	next.pages = x->pages + 1;
	char **kept = (next.pages & x->pages) == 0 ? &x->path : &x->seen;
	next.seen = *kept;
	*kept = NULL;
	mf_exchange_clear(x);
	*x = next;
	return 0;
}

/* Resolves the link and replaces x by the exchange for the next page. */
static int go_to(struct mf_exchange *x, struct mf_str target, struct mf_err *err)
{
	struct mf_buf path MF_BUF_CLEANUP = MF_BUF_INIT(MAX_LINK);
	struct mf_esc e;
	if (resolve_link(x->path, target, &path, err) < 0)
		return -1;
	if (!mf_str_starts(mf_buf_str(&path), MF_STR("/v2/")) || strcmp(path.p, x->path) == 0 ||
	    (x->seen && strcmp(path.p, x->seen) == 0))
		return mf_fail(err, MF_E_UNAVAILABLE, 0, "the registry's link to the next page leads to '%s'",
			       mf_esc(&e, target));
	char *taken = mf_buf_take(&path);
	return taken ? turn_page(x, taken, err) : mf_fail_nomem(err);
}

enum mf_found mf_registry_next_page(struct mf_exchange *x, struct mf_err *err)
{
	struct mf_str next = next_link(x->res->link);
	if (next.n == 0)
		return MF_ABSENT;
	return go_to(x, next, err) < 0 ? MF_FAILED : MF_FOUND;
}

/* ---- tags */

#define MAX_TAGS_BODY ((size_t)16 << 20) /* a registry may give all of MF_MAX_TAGS in one page */
#define MAX_PAGES 10000

static int read_page(const struct mf_exchange *x, struct mf_tags *out, struct mf_err *err)
{
	json_t *list = NULL;
	json_t *body MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&x->res->body), MAX_TAGS_BODY, err);
	if (!body)
		return -1;
	/* Some registries write an empty list as null or leave the member out. */
	if (json_is_object(body) &&
	    (!json_object_get(body, "tags") || json_is_null(json_object_get(body, "tags"))))
		return 0;
	if (mf_json_get_arr(body, "tags", MF_JSON_REQUIRED, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		if (name && mf_tag_valid(mf_str_c(name)) && mf_tags_add(out, name, NULL, err) < 0)
			return -1;
	}
	return 0;
}

static int registry_tags(void *b, struct mf_tags *out, struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	if (mf_exchange_init(&x, b, "GET", MF_ACCESS_PULL, err, "tags/list?n=1000") < 0)
		return -1;
	for (unsigned page = 0; page < MAX_PAGES; page++) {
		x.req.max_bytes = MAX_TAGS_BODY;
		if (mf_exchange_run(&x, err) < 0)
			return -1;
		/* 404: nothing was ever pushed to the repository. */
		if (page == 0 && x.res->status == 404)
			return 0;
		if (!mf_exchange_ok(&x))
			return mf_exchange_fail(&x, "list tags", err);
		int rc = read_page(&x, out, err) < 0 ? -1 : mf_registry_next_page(&x, err);
		/* A list that cannot be read (a web page, for example) is a fault of the server, not of
		 * anything signed. */
		if (rc < 0)
			(void)mf_recode(err, err->code == MF_E_FORMAT ? MF_E_UNAVAILABLE : err->code);
		if (rc <= 0)
			return rc < 0 ? mf_wrap(err, "list tags") : 0;
	}
	return mf_fail(err, MF_E_FORMAT, 0, "list tags: more than %d pages", MAX_PAGES);
}

/* ---- opening */

static const struct mf_backend_ops registry_ops = {
    .free = registry_free,
    .resolve_begin = registry_resolve_begin,
    .resolve_end = registry_resolve_end,
    .manifest_get_begin = registry_get_begin,
    .manifest_get_end = registry_get_end,
    .manifest_put_begin = registry_put_begin,
    .manifest_put_end = registry_put_end,
    .manifest_delete_begin = registry_delete_begin,
    .manifest_delete_end = registry_delete_end,
    .cancel = registry_cancel,
    .blobs_send = mf_registry_blobs_send,
    .blobs_fetch = mf_registry_blobs_fetch,
    .manifests_have = registry_manifests_have,
    .manifests_look = registry_manifests_look,
    .tags = registry_tags,
    .blobs_have = registry_blobs_have,
    .will_push = registry_will_push,
    .blobs_put_soon = mf_registry_blobs_put_soon,
    .blob_put = mf_registry_blob_put,
    .blobs_put_together = mf_registry_blobs_put_together,
    .blob_get = mf_registry_blob_get,
    .blob_path = registry_blob_path,
    .referrers = mf_registry_referrers,
};

int mf_registry_open(struct mf_image_store *store, const struct mf_ref *ref, struct mf_http *http,
		     struct mf_auth *auth, const struct mf_env *env, struct mf_err *err)
{
	struct mf_registry *reg MF_CLEANUP(registry_cleanup) = mf_calloc(1, sizeof *reg);
	if (!reg)
		return mf_fail_nomem(err);
	reg->http = http;
	reg->auth = auth;
	reg->env = env;
	if (mf_registry_init(reg, ref->registry, ref->repository, err) < 0)
		return -1;
	store->ops = &registry_ops;
	store->b = reg;
	reg = NULL;
	return 0;
}
