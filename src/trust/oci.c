/* A TUF 1.0 repository in an OCI registry (oci.h): the manifest of one tag, then its layers. Read-only. */
#include "trust/oci.h"

#include <ctype.h>
#include <stdio.h>

#include "crypto/hash.h"
#include "json/json.h"
#include "net/registry.h"
#include "trust/names.h"

void mf_oci_files_clear(struct mf_oci_files *f)
{
	mf_arena_clear(&f->arena);
	*f = (struct mf_oci_files){.arena = MF_ARENA_INIT};
}

/* ---- names */

/* Accepts names that mf_trust_name_role writes, and none that would leave the directory into which somebody
 * unpacks the layers. */
static bool is_file_name(struct mf_str s)
{
	if (!s.n || s.n > MF_MAX_OCI_FILE_NAME || s.p[0] == '.' || !mf_str_ends(s, MF_STR(".json")))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && !strchr("-._~%", s.p[i]))
			return false;
	return true;
}

int mf_oci_tag(char out[MF_OCI_TAG], const char *gun, struct mf_err *err)
{
	struct mf_digest d;
	char hex[65];
	size_t n = 0;
	if (mf_sha256(mf_bytes_of(mf_str_c(gun)), &d, err) < 0)
		return -1;
	mf_digest_hex(hex, &d);
	for (; n < 80 && gun[n]; n++)
		out[n] = (char)(isalnum((unsigned char)gun[n]) || (n && gun[n] == '-') || (n && gun[n] == '.')
				    ? gun[n]
				    : '_');
	(void)snprintf(out + n, MF_OCI_TAG - n, ".%.32s", hex);
	return 0;
}

/* distribution-spec 1.1, "Pulling manifests", <name>: a rough check, as the registry refuses invalid
 * names. */
static bool is_repository(struct mf_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool letter = islower((unsigned char)s.p[i]) || isdigit((unsigned char)s.p[i]);
		bool edge = i == 0 || i + 1 == s.n || s.p[i - 1] == '/' || s.p[i + 1] == '/';
		if (!letter && (!strchr("._-/", s.p[i]) || edge))
			return false;
	}
	return s.n > 0 && s.n <= MF_MAX_REPOSITORY;
}

int mf_oci_place(const char *rest, char **registry, char **repository, struct mf_err *err)
{
	const size_t scheme = strlen(mf_repo_oci.scheme);
	struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	struct mf_esc e;
	if (mf_trust_name_server(&url, mf_repo_oci.scheme, rest, err) < 0)
		return -1;
	const char *slash = strchr(url.p + scheme, '/');
	if (!slash || !is_repository(mf_str_c(slash + 1))) {
		(void)mf_fail(err, MF_E_USAGE, 0, "trust server '%s' names no repository of a registry",
			      mf_esc(&e, mf_buf_str(&url)));
		mf_err_set_hint(err, "use tuf+oci://REGISTRY/REPOSITORY, without a tag");
		return -1;
	}
	*registry = mf_str_dup((struct mf_str){url.p + scheme, (size_t)(slash - url.p) - scheme});
	*repository = mf_str_dup(mf_str_c(slash + 1));
	if (*registry && *repository)
		return 0;
	free(*registry);
	free(*repository);
	*registry = *repository = NULL;
	return mf_fail_nomem(err);
}

/* ---- the manifest */

static int file_cmp(const void *a, const void *b)
{
	return strcmp(((const struct mf_oci_file *)a)->name, ((const struct mf_oci_file *)b)->name);
}

const struct mf_oci_file *mf_oci_files_find(const struct mf_oci_files *f, const char *name)
{
	const struct mf_oci_file wanted = {.name = name};
	return f->n ? bsearch(&wanted, f->v, f->n, sizeof wanted, file_cmp) : NULL;
}

static int add_layer(struct mf_oci_files *f, const json_t *layer, struct mf_err *err)
{
	const char *name = NULL, *digest = NULL;
	struct mf_oci_file file;
	json_t *annotations = NULL;
	struct mf_esc e;
	int64_t size = 0;
	if (!json_is_object(layer))
		return mf_fail(err, MF_E_FORMAT, 0, "a layer is not an object");
	if (mf_json_get_obj(layer, "annotations", MF_JSON_OPTIONAL, &annotations, err) < 0 ||
	    (annotations && mf_json_get_str(annotations, MF_OCI_FILE_NAME, MF_JSON_OPTIONAL, &name, err) < 0))
		return -1;
	if (!name)
		return 0;
	if (!is_file_name(mf_str_c(name)))
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' is not the name of a metadata file",
			       mf_esc(&e, mf_str_c(name)));
	if (mf_json_get_str(layer, "digest", MF_JSON_REQUIRED, &digest, err) < 0 ||
	    mf_digest_parse(&file.digest, mf_str_c(digest), err) < 0 ||
	    mf_json_get_int(layer, "size", MF_JSON_REQUIRED, 0, MF_MAX_VERSION, &size, err) < 0)
		return mf_wrap(err, "layer '%s'", name);
	file.size = (uint64_t)size;
	file.name = mf_arena_dup(&f->arena, mf_str_c(name), err);
	if (!file.name)
		return -1;
	f->v[f->n++] = file;
	return 0;
}

/* Refuses two files of one name: it would be arbitrary which one is read. */
static int check_unique(const struct mf_oci_files *f, struct mf_err *err)
{
	for (size_t i = 1; i < f->n; i++)
		if (file_cmp(&f->v[i - 1], &f->v[i]) == 0)
			return mf_fail(err, MF_E_FORMAT, 0, "two layers have the name '%s'", f->v[i].name);
	return 0;
}

static int parse(struct mf_bytes manifest, struct mf_oci_files *f, struct mf_err *err)
{
	json_t *layers = NULL, *j MF_JSON_CLEANUP = mf_json_load(manifest, MF_MAX_MANIFEST_BYTES, err);
	if (!j)
		return -1;
	if (!json_is_object(j))
		return mf_fail(err, MF_E_FORMAT, 0, "not an object");
	if (mf_json_get_arr(j, "layers", MF_JSON_REQUIRED, &layers, err) < 0)
		return -1;
	size_t n = json_array_size(layers);
	if (n > MF_MAX_OCI_FILES)
		return mf_fail(err, MF_E_FORMAT, 0, "%zu layers, more than %d", n, MF_MAX_OCI_FILES);
	f->v = mf_arena_alloc(&f->arena, n, sizeof *f->v, err);
	if (!f->v)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (add_layer(f, json_array_get(layers, i), err) < 0)
			return -1;
	if (f->n)
		qsort(f->v, f->n, sizeof *f->v, file_cmp);
	return check_unique(f, err);
}

int mf_oci_files_parse(struct mf_bytes manifest, struct mf_oci_files *out, struct mf_err *err)
{
	struct mf_oci_files f MF_OCI_FILES_CLEANUP = {.arena = MF_ARENA_INIT};
	if (parse(manifest, &f, err) < 0)
		return -1;
	*out = f;
	f = (struct mf_oci_files){.arena = MF_ARENA_INIT};
	return 0;
}

/* ---- requests */

struct oci {
	struct mf_repo repo;
	struct mf_registry reg;
	char tag[MF_OCI_TAG];
	struct mf_exchange manifest; /* in flight while `asked` */
	bool asked, have;
	bool stamped; /* the timestamp of this manifest was requested: a second request fetches the manifest
			 again */
	struct mf_oci_files files;
	struct mf_fetch *waiting; /* requests that wait for the manifest */
};

struct mf_fetch {
	struct oci *o;
	struct mf_buf name;
	size_t max;
	int64_t *seen;
	const struct mf_oci_file *file;
	struct mf_oci_file listed; /* what `file` points to */
	struct mf_exchange x;
	struct mf_fetch *next;
	struct mf_err failed; /* why the request could not be sent once the manifest was there */
};

static void forget_manifest(struct oci *o)
{
	mf_exchange_clear(&o->manifest);
	mf_oci_files_clear(&o->files);
	o->asked = o->have = o->stamped = false;
}

static void oci_close(struct mf_repo *r)
{
	struct oci *o = (struct oci *)r;
	forget_manifest(o);
	mf_registry_clear(&o->reg);
	free(o->repo.where);
	free(o);
}

static int set_up(struct oci *o, const char *rest, const char *gun, const struct mf_trust_config *cfg,
		  struct mf_err *err)
{
	char *registry MF_FREE = NULL, *repository MF_FREE = NULL;
	o->reg.http = cfg->http;
	o->reg.auth = cfg->auth;
	o->reg.env = cfg->env;
	if (mf_oci_place(rest, &registry, &repository, err) < 0 ||
	    mf_registry_init(&o->reg, registry, repository, err) < 0 || mf_oci_tag(o->tag, gun, err) < 0)
		return -1;
	if (asprintf(&o->repo.where, "%s%s/%s:%s", mf_repo_oci.scheme, registry, repository, o->tag) >= 0)
		return 0;
	o->repo.where = NULL;
	return mf_fail_nomem(err);
}

static struct mf_repo *oci_open(const struct mf_repo_ops *ops, const char *rest, const char *gun,
				const struct mf_trust_config *cfg, struct mf_err *err)
{
	struct oci *o = mf_calloc(1, sizeof *o);
	if (!o) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	o->repo.ops = ops;
	if (set_up(o, rest, gun, cfg, err) == 0)
		return &o->repo;
	oci_close(&o->repo);
	return NULL;
}

static int ask_for_manifest(struct oci *o, struct mf_err *err)
{
	if (o->asked || o->have)
		return 0;
	if (mf_exchange_init(&o->manifest, &o->reg, "GET", MF_ACCESS_PULL, err, "manifests/%s", o->tag) < 0)
		return -1;
	mf_exchange_header(&o->manifest, "Accept: application/vnd.oci.image.manifest.v1+json");
	/* RFC 9111 section 5.2.1.4: no cache on the way may answer for the registry. */
	mf_exchange_header(&o->manifest, "Cache-Control: no-cache");
	o->manifest.req.max_bytes = MF_MAX_MANIFEST_BYTES;
	if (mf_exchange_begin(&o->manifest, err) < 0) {
		mf_exchange_clear(&o->manifest);
		return -1;
	}
	o->asked = true;
	return 0;
}

static int page_error(const struct mf_exchange *x, const char *what, struct mf_err *err)
{
	return mf_http_web_page_error(x->call, what,
				      "does a proxy or a login page stand before the registry?", err);
}

/* Without a manifest the list of files is empty. */
static int read_manifest(struct oci *o, struct mf_err *err)
{
	struct mf_exchange *x = &o->manifest;
	if (mf_exchange_end(x, err) < 0)
		return -1;
	if (x->res->status == 404)
		return 0;
	if (x->res->status != 200)
		return mf_exchange_fail(x, "read the manifest of trust metadata", err);
	if (mf_http_is_web_page(x->res))
		return page_error(x, "read the manifest of trust metadata", err);
	return mf_oci_files_parse(mf_buf_bytes(&x->res->body), &o->files, err) < 0
		   ? mf_wrap(err, "the manifest of '%s'", o->repo.where)
		   : 0;
}

/* ---- one file */

static int ask_for_file(struct mf_fetch *f, struct mf_err *err)
{
	const struct mf_oci_file *file = mf_oci_files_find(&f->o->files, mf_buf_str(&f->name).p);
	char digest[MF_DIGEST_TEXT];
	if (!file)
		return 0;
	if (file->size > f->max)
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' of '%s' has %llu bytes, more than %zu", file->name,
			       f->o->repo.where, (unsigned long long)file->size, f->max);
	f->listed = *file;
	f->file = &f->listed;
	mf_digest_format(digest, &file->digest);
	if (mf_exchange_init(&f->x, &f->o->reg, "GET", MF_ACCESS_PULL, err, "blobs/%s", digest) < 0)
		return -1;
	f->x.req.max_bytes = file->size ? (size_t)file->size : 1;
	return mf_exchange_begin(&f->x, err);
}

/* Waits for the manifest, then requests all files that wait for it at the same time. */
static int need_manifest(struct oci *o, struct mf_err *err)
{
	if (o->have)
		return 0;
	if (ask_for_manifest(o, err) < 0)
		return -1;
	int rc = read_manifest(o, err);
	mf_exchange_clear(&o->manifest);
	o->asked = false;
	o->have = rc == 0;
	while (rc == 0 && o->waiting) {
		struct mf_fetch *f = o->waiting;
		o->waiting = f->next;
		(void)!ask_for_file(f, &f->failed);
	}
	return rc;
}

static void stop_waiting(struct mf_fetch *f)
{
	struct mf_fetch **at = &f->o->waiting;
	while (*at && *at != f)
		at = &(*at)->next;
	if (*at)
		*at = f->next;
}

static void oci_cancel(struct mf_fetch *f)
{
	if (!f)
		return;
	stop_waiting(f);
	mf_exchange_clear(&f->x);
	mf_buf_clear(&f->name);
	free(f);
}

static int begin(struct mf_fetch *f, struct mf_err *err)
{
	struct oci *o = f->o;
	if (o->have)
		return ask_for_file(f, err);
	if (ask_for_manifest(o, err) < 0)
		return -1;
	f->next = o->waiting;
	o->waiting = f;
	return 0;
}

static struct mf_fetch *oci_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct oci *o = (struct oci *)r;
	bool stamp = key->by == MF_BY_NAME && strcmp(key->role, "timestamp") == 0;
	struct mf_fetch *f = mf_calloc(1, sizeof *f);
	if (!f) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	f->o = o;
	f->max = key->max;
	f->seen = key->seen;
	mf_buf_init(&f->name, 2048);
	if (stamp && o->stamped)
		forget_manifest(o);
	o->stamped |= stamp;
	if (mf_trust_name_role(&f->name, key->role, key->by == MF_BY_NAME ? 0 : key->version, err) == 0 &&
	    begin(f, err) == 0)
		return f;
	oci_cancel(f);
	return NULL;
}

/* Only for a better message: bytes that differ from the manifest's digest are the registry's fault. Whether
 * bytes are trusted is decided by TUF alone. */
static int check_bytes(const struct mf_fetch *f, struct mf_bytes bytes, struct mf_err *err)
{
	struct mf_digest d;
	char has[MF_DIGEST_TEXT], wanted[MF_DIGEST_TEXT];
	if (mf_sha256(bytes, &d, err) < 0)
		return -1;
	if (mf_digest_eq(&d, &f->file->digest))
		return 0;
	mf_digest_format(has, &d);
	mf_digest_format(wanted, &f->file->digest);
	return mf_fail(err, MF_E_DIGEST, 0, "'%s' of '%s' has the digest %s, expected %s",
		       mf_buf_str(&f->name).p, f->o->repo.where, has, wanted);
}

static enum mf_found end(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	if (need_manifest(f->o, err) < 0)
		return MF_FAILED;
	if (f->failed.code) {
		*err = f->failed;
		return MF_FAILED;
	}
	if (!f->file)
		return MF_ABSENT;
	if (mf_exchange_end(&f->x, err) < 0)
		return MF_FAILED;
	struct mf_http_response *res = f->x.res;
	if (res->status == 404)
		return MF_ABSENT;
	if (res->status != 200)
		return mf_exchange_fail(&f->x, "read trust metadata", err);
	if (mf_http_is_web_page(res))
		return page_error(&f->x, "read trust metadata", err);
	if (check_bytes(f, mf_buf_bytes(&res->body), err) < 0)
		return MF_FAILED;
	mf_buf_clear(out);
	*out = res->body;
	res->body = (struct mf_buf){.max = out->max};
	return MF_FOUND;
}

static enum mf_found oci_end(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	if (f->seen)
		*f->seen = 0;
	enum mf_found found = end(f, out, err);
	oci_cancel(f);
	return found;
}

const struct mf_oci_files *mf_oci_files_of(struct mf_repo *r, struct mf_err *err)
{
	struct oci *o = (struct oci *)r;
	forget_manifest(o);
	return need_manifest(o, err) < 0 ? NULL : &o->files;
}

const struct mf_repo_ops mf_repo_oci = {
    .scheme = "tuf+oci://",
    .usage = "tuf+oci://REGISTRY/REPOSITORY for a mirror in a registry",
    .dialect = &mf_dialect_tuf1,
    .numbered_roots = true,
    .read_only = "publish to the origin, then run 'manifesto mirror' again",
    .open = oci_open,
    .close = oci_close,
    .begin = oci_begin,
    .end = oci_end,
    .cancel = oci_cancel,
};
