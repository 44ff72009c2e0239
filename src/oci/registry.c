/* A registry (distribution-spec 1.1). */
#include "oci/registry.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/limits.h"
#include "json/json.h"

static void registry_free(void *b)
{
	struct mf_registry *reg = b;
	if (!reg)
		return;
	free(reg->host);
	free(reg->repository);
	free(reg->scope_pull);
	free(reg->scope_push);
	free(reg);
}

static void registry_cleanup(struct mf_registry **reg)
{
	registry_free(*reg);
}

/* ---- resolving */

static void resolve_free(struct mf_exchange *x)
{
	if (x)
		mf_exchange_clear(x);
	free(x);
}

static void resolve_cleanup(struct mf_exchange **x)
{
	resolve_free(*x);
}

static void *registry_resolve_begin(void *b, const char *tag, struct mf_err *err)
{
	struct mf_exchange *x MF_CLEANUP(resolve_cleanup) = mf_calloc(1, sizeof(*x));
	if (!x) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	if (!tag || !mf_tag_valid(mf_str_c(tag))) {
		(void)mf_fail(err, MF_E_USAGE, 0, "a registry is asked by tag, '%s' is none", tag ? tag : "");
		return NULL;
	}
	if (mf_exchange_init(x, b, "HEAD", MF_ACCESS_PULL, err, "manifests/%s", tag))
		return NULL;
	mf_exchange_header(x, mf_registry_accept);
	if (mf_exchange_begin(x, err))
		return NULL;
	struct mf_exchange *begun = x;
	x = NULL;
	return begun;
}

static void read_resolved(const struct mf_http_response *res, struct mf_resolved *out)
{
	struct mf_err ignored = MF_ERR_INIT;
	out->unknown = mf_digest_parse(&out->digest, mf_str_c(res->docker_content_digest), &ignored) != 0 ||
		       res->content_length == UINT64_MAX || !res->content_type[0];
	out->size = res->content_length;
	(void)snprintf(out->media_type, sizeof(out->media_type), "%.*s",
		       (int)strcspn(res->content_type, "; \t"), res->content_type);
}

static int registry_resolve_end(void *b, void *resolve, struct mf_resolved *out, struct mf_err *err)
{
	(void)b;
	struct mf_exchange *x MF_CLEANUP(resolve_cleanup) = resolve;
	if (mf_exchange_end(x, err))
		return -1;
	/* Some registries know no HEAD; the GET that follows tells what is wrong. */
	if (x->res->status == 405 || x->res->status == 501)
		out->unknown = true;
	else if (!mf_exchange_ok(x))
		return mf_exchange_fail(x, "resolve tag", err);
	else
		read_resolved(x->res, out);
	return 0;
}

static void registry_resolve_cancel(void *b, void *resolve)
{
	(void)b;
	resolve_free(resolve);
}

/* ---- manifests */

static void name_text(char out[MF_MAX_TAG + 1], struct mf_manifest_name name)
{
	if (name.tag)
		(void)snprintf(out, MF_MAX_TAG + 1, "%s", name.tag);
	else
		mf_digest_format(out, name.digest);
}

static int registry_manifest_get(void *b, struct mf_manifest_name name, struct mf_buf *bytes,
				 char content_type[256], struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	char text[MF_MAX_TAG + 1];
	if (name.tag && !mf_tag_valid(mf_str_c(name.tag)))
		return mf_fail(err, MF_E_USAGE, 0, "invalid tag '%s'", name.tag);
	name_text(text, name);
	if (mf_exchange_init(&x, b, "GET", MF_ACCESS_PULL, err, "manifests/%s", text))
		return -1;
	mf_exchange_header(&x, mf_registry_accept);
	x.req.max_bytes = MF_MAX_MANIFEST_BYTES;
	if (mf_exchange_run(&x, err))
		return -1;
	if (!mf_exchange_ok(&x))
		return mf_exchange_fail(&x, "read manifest", err);
	(void)snprintf(content_type, 256, "%s", x.res->content_type);
	return mf_buf_add_str(bytes, mf_buf_str(&x.res->body), err);
}

static int registry_manifests_have(void *b, const struct mf_digest *digests, size_t n, bool *present,
				   struct mf_err *err)
{
	return mf_registry_have(b, "manifests", digests, n, present, err);
}

static void note_look(void *arg, size_t i, const struct mf_http_response *res)
{
	struct mf_looked *l = &((struct mf_looked *)arg)[i];
	*l = (struct mf_looked){.present = res->status != 404, .size = res->content_length};
	size_t n = strcspn(res->content_type, "; \t");
	if (n < sizeof(l->media_type))
		memcpy(l->media_type, res->content_type, n);
}

static int registry_manifests_look(void *b, const struct mf_digest *digests, size_t n, struct mf_looked *out,
				   struct mf_err *err)
{
	return mf_registry_heads(b, "manifests", digests, n, note_look, out, err);
}

/* A digest in an error's "detail": the string itself, or a member "digest" or "Digest" of an object. */
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

/* The digests an error body calls unknown; a body that cannot be read names none. */
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
		    mf_digest_parse(&d.digest, mf_str_c(text), &ignored))
			continue;
		if (mf_descriptors_take(missing, &d, err))
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
	if (read_missing(x->res, missing, err))
		return -1;
	(void)mf_exchange_fail(x, "write manifest", err);
	return mf_recode(err, MF_E_CONTENT_GONE);
}

/* A registry that stores other bytes than it was given has stored another manifest. */
static int check_stored(const struct mf_http_response *res, const struct mf_digest *digest,
			struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_digest said;
	if (mf_digest_parse(&said, mf_str_c(res->docker_content_digest), &ignored) ||
	    mf_digest_eq(&said, digest))
		return 0;
	char ours[MF_DIGEST_TEXT];
	mf_digest_format(ours, digest);
	return mf_fail(err, MF_E_DIGEST, 0, "write manifest: the registry stored %s as %s", ours,
		       res->docker_content_digest);
}

/* docker-registry writes the links to its blobs in place: while another client uploads the same blob, an
 * empty one makes a manifest that names it "400 DIGEST_INVALID" for a moment. The digests are ours, so it is
 * worth waiting for. */
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

/* 1: worth another try. */
static int put_manifest_once(void *b, struct mf_manifest_name name, const struct mf_manifest *m, bool last,
			     bool *subject_seen, struct mf_descriptors *missing, struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	char text[MF_MAX_TAG + 1];
	name_text(text, name);
	if (mf_exchange_init(&x, b, "PUT", MF_ACCESS_PUSH, err, "manifests/%s", text))
		return -1;
	if (mf_exchange_header_own(&x, err, "Content-Type: %s", m->media_type))
		return -1;
	x.req.body = mf_buf_bytes(&m->bytes);
	if (mf_exchange_run(&x, err))
		return -1;
	if (!last && torn_link(&x))
		return 1;
	if (!mf_exchange_ok(&x))
		return put_refused(&x, missing, err);
	*subject_seen = x.res->oci_subject[0] != '\0';
	return check_stored(x.res, name.digest, err);
}

static int registry_manifest_put(void *b, struct mf_manifest_name name, const struct mf_manifest *m,
				 bool *subject_seen, struct mf_descriptors *missing, struct mf_err *err)
{
	const struct mf_registry *reg = b;
	int rc = 1;
	for (int i = 1; rc == 1 && i <= TORN_LINK_TRIES; i++) {
		rc = put_manifest_once(b, name, m, i == TORN_LINK_TRIES, subject_seen, missing, err);
		if (rc == 1)
			mf_env_sleep(reg->env, TORN_LINK_FIRST_WAIT_MS << (i - 1));
	}
	return rc;
}

static char *registry_blob_path(void *b, const struct mf_digest *digest)
{
	(void)b;
	(void)digest;
	return NULL;
}

/* ---- opening */

static bool is_loopback(const char *host)
{
	char name[256];
	struct in_addr a;
	if (strncmp(host, "[::1]", 5) == 0)
		return host[5] == '\0' || host[5] == ':';
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(host, ":"), host);
	return strcmp(name, "localhost") == 0 ||
	       (inet_pton(AF_INET, name, &a) == 1 && ntohl(a.s_addr) >> 24 == 127);
}

static int set_names(struct mf_registry *reg, const struct mf_ref *ref, struct mf_err *err)
{
	bool hub = strcmp(ref->registry, "docker.io") == 0;
	reg->host = mf_str_dup(mf_str_c(hub ? "registry-1.docker.io" : ref->registry));
	reg->repository = mf_str_dup(mf_str_c(ref->repository));
	if (!reg->host || !reg->repository ||
	    asprintf(&reg->scope_pull, "repository:%s:pull", ref->repository) < 0 ||
	    asprintf(&reg->scope_push, "repository:%s:pull,push", ref->repository) < 0)
		return mf_fail_nomem(err);
	return 0;
}

static void choose_scheme(struct mf_registry *reg)
{
	char url[512];
	(void)snprintf(url, sizeof(url), "http://%s/", reg->host);
	bool plain = mf_http_url_allowed(reg->http, url);
	reg->https = !plain || !is_loopback(reg->host);
	reg->settled = !plain;
}

static const struct mf_backend_ops registry_ops = {
    .free = registry_free,
    .resolve_begin = registry_resolve_begin,
    .resolve_end = registry_resolve_end,
    .resolve_cancel = registry_resolve_cancel,
    .manifest_get = registry_manifest_get,
    .manifest_put = registry_manifest_put,
    .manifests_have = registry_manifests_have,
    .manifests_look = registry_manifests_look,
    .tags = mf_registry_tags,
    .blobs_have = mf_registry_blobs_have,
    .blob_put = mf_registry_blob_put,
    .blob_get = mf_registry_blob_get,
    .blob_path = registry_blob_path,
    .referrers = mf_registry_referrers,
};

int mf_registry_open(struct mf_image_store *store, const struct mf_ref *ref, struct mf_http *http,
		     struct mf_auth *auth, const struct mf_env *env, struct mf_err *err)
{
	struct mf_registry *reg MF_CLEANUP(registry_cleanup) = mf_calloc(1, sizeof(*reg));
	if (!reg)
		return mf_fail_nomem(err);
	reg->http = http;
	reg->auth = auth;
	reg->env = env;
	if (set_names(reg, ref, err))
		return -1;
	choose_scheme(reg);
	store->ops = &registry_ops;
	store->b = reg;
	reg = NULL;
	return 0;
}
