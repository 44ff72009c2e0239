/* Opens an image, with its stores and its trust repository, and resolves it to subjects. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "ops/ops.h"
#include "trust/bundle.h"

/* ---- connections */

static int need_http(struct manifesto *m, struct mf_err *err)
{
	struct mf_http_options o = {.user_agent = "manifesto/" MF_VERSION,
				    .cacert = m->opt.cacert,
				    .client_cert = m->opt.client_cert,
				    .client_key = m->opt.client_key,
				    .plain_http = m->opt.plain_http != 0};
	if (m->http)
		return 0;
	m->http = mf_http_new(&o, &m->env, err);
	return m->http ? 0 : -1;
}

/* How many hosts keep their endpoint: the three that one image can have (its registry, the trust server, the
 * origin's registry), and one more. */
#define HOSTS_KEPT 4

/* Frees the endpoint that was used least recently. No request uses it any more, since the open image has
 * fewer hosts than are kept. With a pool all are kept: its stores and trust repositories go on using them. */
static void forget_oldest_endpoint(struct manifesto *m)
{
	if (m->pool || m->nendpoint < HOSTS_KEPT)
		return;
	mf_auth_free(m->endpoint[0].auth);
	free(m->endpoint[0].host);
	memmove(&m->endpoint[0], &m->endpoint[1], --m->nendpoint * sizeof m->endpoint[0]);
}

/* Moves the endpoint to the end, as the newest: so forget_oldest_endpoint never frees one that the open image
 * uses. */
static struct mf_auth *use_again(struct manifesto *m, size_t i)
{
	struct mf_endpoint e = m->endpoint[i];
	memmove(&m->endpoint[i], &m->endpoint[i + 1], (m->nendpoint - i - 1) * sizeof e);
	m->endpoint[m->nendpoint - 1] = e;
	return e.auth;
}

static struct mf_auth *auth_for(struct manifesto *m, const char *host,
				const struct mf_credential_config *credentials, struct mf_err *err)
{
	for (size_t i = 0; i < m->nendpoint; i++)
		if (strcmp(m->endpoint[i].host, host) == 0 && m->endpoint[i].credentials == credentials)
			return use_again(m, i);
	forget_oldest_endpoint(m);
	if (mf_grow((void **)&m->endpoint, &m->endpoint_cap, m->nendpoint, sizeof m->endpoint[0], err) < 0)
		return NULL;
	char *copy = mf_str_dup(mf_str_c(host));
	if (!copy) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	struct mf_auth *a = mf_auth_new(host, credentials, &m->env, err);
	if (!a) {
		free(copy);
		return NULL;
	}
	m->endpoint[m->nendpoint++] = (struct mf_endpoint){copy, credentials, a};
	return a;
}

/* Credentials of the command line are for one registry only. */
static const struct mf_credential_config *registry_credentials(const struct manifesto *m, const char *host)
{
	bool given = m->given_host && strcmp(m->given_host, host) == 0;
	return given ? &m->credentials : &m->stored_credentials;
}

/* A trust server on the host of that registry gets the registry's credentials, unless it has its own. */
static const struct mf_credential_config *trust_server_credentials(const struct manifesto *m,
								   const char *host)
{
	bool same = m->given_host && strcmp(m->given_host, host) == 0;
	return m->trust_credentials.user || !same ? &m->trust_credentials : &m->credentials;
}

/* Credentials of the command line are for the first registry of a run: that of --store, else that of the
 * image. */
static int note_given_host(struct manifesto *m, const struct mf_ref *ref, struct mf_err *err)
{
	if (m->given_host || ref->transport == MF_TRANSPORT_LAYOUT)
		return 0;
	m->given_host = mf_str_dup(mf_str_c(ref->registry));
	return m->given_host ? 0 : mf_fail_nomem(err);
}

static struct mf_image_store *open_own_store(struct manifesto *m, const struct mf_ref *ref,
					     struct mf_err *err)
{
	if (m->opt.bundle && !m->bundle && mf_bundle_open(m->opt.bundle, &m->bundle, err) < 0)
		return NULL;
	if (m->bundle)
		return mf_bundle_store(m->bundle, ref, err);
	if (ref->transport == MF_TRANSPORT_LAYOUT)
		return mf_image_store_open(ref, NULL, NULL, &m->env, err);
	if (need_http(m, err) < 0)
		return NULL;
	struct mf_auth *auth = auth_for(m, ref->registry, registry_credentials(m, ref->registry), err);
	return auth ? mf_image_store_open(ref, m->http, auth, &m->env, err) : NULL;
}

/* A name of the place that is the same for all spellings of it. */
static char *place_of(const struct mf_ref *ref, struct mf_err *err)
{
	char *name = NULL;
	if (ref->transport == MF_TRANSPORT_LAYOUT) {
		char *real MF_FREE = realpath(ref->dir, NULL);
		if (asprintf(&name, "oci:%s", real ? real : ref->dir) < 0)
			name = NULL;
	} else if (asprintf(&name, "%s/%s", ref->registry, ref->repository) < 0) {
		name = NULL;
	}
	if (!name)
		(void)mf_fail_nomem(err);
	return name;
}

struct mf_image_store *mf_image_store_of(struct manifesto *m, const struct mf_ref *ref, struct mf_err *err)
{
	if (!m->pool)
		return open_own_store(m, ref, err);
	char *place MF_FREE = place_of(ref, err);
	struct mf_image_store *s = place ? mf_pool_find_store(m->pool, place) : NULL;
	if (s || !place)
		return s;
	s = open_own_store(m, ref, err);
	return s && mf_pool_add_store(m->pool, place, s, err) == 0 ? s : NULL;
}

/* ---- trust */

/* Where a trust repository is, and its names. url NULL: in the bundle. */
struct trust_place {
	const char *url, *gun, *pin_name;
};

static int open_repository(const struct manifesto *m, const struct trust_place *at,
			   const struct mf_trust_config *cfg, struct mf_trust **out, struct mf_err *err)
{
	if (!at->url)
		return mf_trust_open_bundle(mf_bundle_archive(m->bundle), at->gun, at->pin_name, cfg, out,
					    err);
	return mf_trust_open(at->url, at->gun, at->pin_name, cfg, out, err);
}

static int open_trust_at(struct mf_image *im, const struct trust_place *at, struct mf_err *err)
{
	struct mf_pool *pool = im->m->pool;
	if (!pool)
		return open_repository(im->m, at, &im->trust_cfg, &im->trust, err);
	struct mf_pool_trust *shared = mf_pool_trust(pool, at->pin_name, err);
	if (!shared)
		return -1;
	if (!shared->trust) {
		shared->cfg = im->trust_cfg;
		if (open_repository(im->m, at, &shared->cfg, &shared->trust, err) < 0)
			return -1;
	}
	im->shared = shared;
	im->trust = shared->trust;
	shared->users++;
	shared->last_use = ++pool->uses;
	return 0;
}

static int open_layout_trust(struct mf_image *im, struct mf_err *err)
{
	char *real MF_FREE = realpath(im->store_ref.dir, NULL),
		   *dir MF_FREE = mf_path_join(im->store_ref.dir, "trust", NULL);
	char *pin_name MF_FREE = NULL;
	if (!real || !dir || asprintf(&pin_name, "oci:%s", real) < 0)
		return real || errno == ENOMEM ? mf_fail_nomem(err)
					       : mf_fail(err, MF_E_NOT_FOUND, 0,
							 "no OCI image layout at '%s'", im->store_ref.dir);
	return open_trust_at(im, &(struct trust_place){dir, "oci", pin_name}, err);
}

/* A layout's trust repository is pinned by the path of the layout. With a bundle the layout itself need not
 * exist: then by the path that it would have. */
static char *layout_pin_name(const char *dir, struct mf_err *err)
{
	char *real MF_FREE = realpath(dir, NULL), *cwd MF_FREE = NULL, *name = NULL;
	if (!real && dir[0] != '/')
		cwd = getcwd(NULL, 0);
	if (asprintf(&name, "oci:%s%s%s", cwd ? cwd : "", cwd ? "/" : "", real ? real : dir) >= 0)
		return name;
	(void)mf_fail_nomem(err);
	return NULL;
}

static int open_bundle_trust(struct mf_image *im, struct mf_err *err)
{
	struct mf_buf gun MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE);
	char *layout MF_FREE = NULL;
	if (mf_ref_gun(&im->store_ref, &gun, err) < 0)
		return -1;
	if (im->store_ref.transport == MF_TRANSPORT_LAYOUT &&
	    !(layout = layout_pin_name(im->store_ref.dir, err)))
		return -1;
	const char *name = mf_buf_str(&gun).p;
	return open_trust_at(im, &(struct trust_place){NULL, name, layout ? layout : name}, err);
}

/* Host and port of "scheme://host:port/...". */
static char *url_host(const char *url)
{
	const char *from = strstr(url, "://");
	if (!from)
		return NULL;
	from += 3;
	return mf_str_dup((struct mf_str){from, strcspn(from, "/?#")});
}

/* Gives cfg what requests to the trust server need; nothing for a local one. */
static int connect_to(struct manifesto *m, const char *url, const char *host,
		      const struct mf_credential_config *credentials, struct mf_trust_config *cfg,
		      struct mf_err *err)
{
	bool local;
	if (mf_trust_url_check(url, &local, err) < 0)
		return -1;
	if (local)
		return 0;
	if (need_http(m, err) < 0 || mf_http_ready(m->http, err) < 0)
		return -1;
	cfg->http = m->http;
	cfg->auth = host ? auth_for(m, host, credentials, err) : NULL;
	return host && !cfg->auth ? -1 : 0;
}

int mf_mirror_connect(struct manifesto *m, const char *url, struct mf_trust_config *cfg, struct mf_err *err)
{
	char *host MF_FREE = url_host(url);
	*cfg = m->trust;
	return connect_to(m, url, host, host ? registry_credentials(m, host) : NULL, cfg, err);
}

static int open_trust(struct mf_image *im, struct mf_err *err)
{
	struct manifesto *m = im->m;
	struct mf_buf gun MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE);
	const char *url = m->opt.trust_server;
	bool layout = im->store_ref.transport == MF_TRANSPORT_LAYOUT;
	im->trust_cfg = m->trust;
	if (m->bundle)
		return open_bundle_trust(im, err);
	if (layout && (!url || !m->opt.trust_server_for_layouts))
		return open_layout_trust(im, err);
	if (layout) {
		(void)mf_fail(err, MF_E_USAGE, 0, "a layout has no repository name for trust server '%s'",
			      url);
		mf_err_set_hint(err, "name one with --store REPOSITORY; without --trust-server the layout's "
				     "own directory is used");
		return -1;
	}
	if (!url) {
		(void)mf_fail(err, MF_E_USAGE, 0, "no trust server for '%s'", im->store_ref.registry);
		mf_err_set_hint(err, "give --trust-server URL or set MANIFESTO_TRUST_SERVER");
		return -1;
	}
	char *host MF_FREE = url_host(url);
	const struct mf_credential_config *credentials = host ? trust_server_credentials(m, host) : NULL;
	if (connect_to(m, url, host, credentials, &im->trust_cfg, err) < 0 ||
	    mf_ref_gun(&im->store_ref, &gun, err) < 0)
		return -1;
	const char *name = mf_buf_str(&gun).p;
	return open_trust_at(im, &(struct trust_place){url, name, name}, err);
}

void mf_image_close(struct mf_image *im)
{
	bool own = !im->m || !im->m->pool;
	mf_resolve_cancel(im->resolve);
	mf_manifest_call_cancel(im->fetch);
	mf_resolve_cancel(im->connecting);
	if (im->shared)
		im->shared->users--;
	else
		mf_trust_close(im->trust);
	if (own && im->blobs != im->images)
		mf_image_store_free(im->blobs);
	if (own)
		mf_image_store_free(im->origin);
	if (own)
		mf_image_store_free(im->images);
	mf_manifest_clear(&im->manifest);
	free(im->text);
	free(im->map);
	mf_ref_clear(&im->ref);
	mf_ref_clear(&im->store_ref);
	*im = (struct mf_image){0};
}

static int parse_image(struct mf_ref *out, const char *text, struct mf_err *err)
{
	if (mf_ref_parse(out, mf_str_c(text), err) < 0)
		return -1;
	return out->transport == MF_TRANSPORT_LAYOUT ? mf_layout_find(out, err) : 0;
}

/* Names of keys are only shown: if they cannot be loaded, fingerprints are shown, and the operation goes on.
 */
static int load_names(struct manifesto *m, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	if (m->names_loaded)
		return 0;
	m->names_loaded = true;
	if (mf_pin_names(m->opt.home, m->keys, &m->names, &why) == 0)
		return 0;
	if (why.code == MF_E_NOMEM)
		return mf_fail_nomem(err);
	mf_env_log(&m->env, MF_LOG_INFO, "no names of keys: %s", why.msg);
	return 0;
}

int mf_image_open_by(struct mf_image *im, struct manifesto *m, const char *text, enum mf_image_maps maps,
		     struct mf_err *err)
{
	const char *store = m->opt.store ? m->opt.store : text;
	*im = (struct mf_image){.m = m, .text = mf_str_dup(mf_str_c(text))};
	if (!im->text)
		return mf_fail_nomem(err);
	if (load_names(m, err) < 0 || parse_image(&im->ref, text, err) < 0)
		return -1;
	if ((m->opt.store ? mf_ref_parse_repository(&im->store_ref, mf_str_c(store), err)
			  : parse_image(&im->store_ref, store, err)) < 0)
		return -1;
	if (note_given_host(m, &im->store_ref, err) < 0)
		return -1;
	if (!m->opt.store && mf_image_follow_map(im, maps, err) < 0)
		return -1;
	im->images = mf_image_store_of(m, &im->ref, err);
	if (!im->images)
		return -1;
	im->blobs = m->opt.store ? mf_image_store_of(m, &im->store_ref, err) : im->images;
	if (!im->blobs || open_trust(im, err) < 0)
		return -1;
	mf_env_log(&m->env, MF_LOG_DEBUG, "trust metadata of '%s': %s", mf_trust_gun(im->trust),
		   mf_trust_where(im->trust));
	return 0;
}

int mf_image_open(struct mf_image *im, struct manifesto *m, const char *text, struct mf_err *err)
{
	return mf_image_open_by(im, m, text, MF_MAPS_REFUSE, err);
}

int mf_repository_open(struct mf_image *im, struct manifesto *m, const char *text, struct mf_err *err)
{
	return mf_repository_open_by(im, m, text, MF_MAPS_REFUSE, err);
}

int mf_repository_open_by(struct mf_image *im, struct manifesto *m, const char *text, enum mf_image_maps maps,
			  struct mf_err *err)
{
	struct mf_ref ref MF_REF_CLEANUP = {0};
	struct mf_esc e;
	if (mf_ref_parse(&ref, mf_str_c(text), err) < 0)
		return -1;
	if (ref.transport == MF_TRANSPORT_REGISTRY) {
		struct mf_ref plain MF_REF_CLEANUP = {0};
		if (mf_ref_parse_repository(&plain, mf_str_c(text), err) < 0)
			return -1;
	} else if (ref.tag || ref.has_digest) {
		return mf_fail(err, MF_E_USAGE, 0, "expected a repository without tag and digest, got '%s'",
			       mf_esc(&e, mf_str_c(text)));
	}
	return mf_image_open_by(im, m, text, maps, err);
}

static int begin_resolve(struct mf_image *im, struct mf_err *err)
{
	if (im->ref.has_digest || im->resolve || im->fetch)
		return 0;
	if (im->for_writing && im->ref.transport == MF_TRANSPORT_REGISTRY) {
		im->fetch = mf_manifest_get_begin(im->images, im->ref.tag, err);
		return im->fetch ? 0 : -1;
	}
	im->resolve = mf_resolve_begin(im->images, im->ref.tag, err);
	return im->resolve ? 0 : -1;
}

static int end_resolve(struct mf_image *im, struct mf_err *err)
{
	struct mf_resolve *r = im->resolve;
	struct mf_manifest_call *c = im->fetch;
	im->resolve = NULL;
	im->fetch = NULL;
	if (r)
		return mf_resolve_end(r, &im->digest, im->media_type, &im->size, err);
	if (mf_manifest_get_end(c, &im->manifest, err) < 0)
		return -1;
	im->digest = im->manifest.digest;
	im->size = im->manifest.bytes.n;
	(void)snprintf(im->media_type, sizeof im->media_type, "%s", im->manifest.media_type);
	return 0;
}

int mf_image_begin(struct mf_image *im, struct mf_err *err)
{
	if (begin_resolve(im, err) < 0)
		return -1;
	struct mf_load how = {.snapshot_at_once = im->for_writing};
	return im->shared && (im->shared->begun || im->shared->tried)
		   ? 0
		   : mf_trust_prefetch(im->trust, &how, err);
}

int mf_image_connect(struct mf_image *im, struct mf_err *err)
{
	const struct mf_ref *at = im->m->opt.store ? &im->store_ref : &im->ref;
	char digest[MF_DIGEST_TEXT];
	if (!im->ref.has_digest || at->transport != MF_TRANSPORT_REGISTRY || im->m->bundle ||
	    !mf_trust_seems_far(im->trust))
		return 0;
	mf_digest_format(digest, &im->ref.digest);
	im->connecting = mf_resolve_begin(im->blobs, digest, err);
	return im->connecting ? 0 : -1;
}

static int need_manifest(struct mf_image *im, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	if (im->manifest.bytes.n || mf_manifest_get(im->images, &im->digest, &im->manifest, err) == 0)
		return 0;
	mf_digest_format(digest, &im->digest);
	return err->code == MF_E_NOT_FOUND ? mf_wrap(err, "no image %s", digest) : -1;
}

/* A user who named a repository in place of an image has asked for the tag `latest` without knowing it: the
 * hint explains that. */
static int no_such_tag(const struct mf_image *im, struct mf_err *err)
{
	if (err->code != MF_E_NOT_FOUND || !im->ref.tag || im->ref.transport == MF_TRANSPORT_LAYOUT)
		return -1;
	if (strcmp(im->ref.tag, "latest") == 0)
		mf_err_set_hint(err, "without a tag and a digest, the tag is 'latest'; 'manifesto list --all "
				     "REPOSITORY' shows the images that have records");
	return mf_wrap(err, "no image with tag '%s'", im->ref.tag);
}

/* Finds the digest of the image and, with `described`, media type and size, for which the manifest of an
 * IMAGE@DIGEST is fetched. */
static int resolve_image(struct mf_image *im, bool described, struct mf_err *err)
{
	if (!im->resolved) {
		if (im->ref.has_digest) {
			im->digest = im->ref.digest;
		} else {
			if (begin_resolve(im, err) < 0 || end_resolve(im, err) < 0)
				return no_such_tag(im, err);
		}
		im->resolved = true;
	}
	if (described && !im->media_type[0]) {
		if (need_manifest(im, err) < 0)
			return -1;
		(void)snprintf(im->media_type, sizeof im->media_type, "%s", im->manifest.media_type);
		im->size = im->manifest.bytes.n;
	}
	return 0;
}

/* ---- subjects */

void mf_subjects_clear(struct mf_subjects *s)
{
	free(s->v);
	*s = (struct mf_subjects){0};
}

static void platform_text(const struct mf_descriptor *d, char *out, size_t max)
{
	if (d->os && d->architecture)
		(void)snprintf(out, max, "%s/%s%s%s", d->os, d->architecture, d->variant ? "/" : "",
			       d->variant ? d->variant : "");
	else
		out[0] = 0;
}

/* The images of an index and of the indexes nested in it: the leaves of this tree. */
struct leaves {
	struct mf_image *im;
	struct mf_subject *v;
	size_t n, cap;
	size_t indexes;      /* nested ones that were fetched */
	size_t attestations; /* left out */
	size_t foreign;      /* images listed by another digest than sha256: they cannot have records */
	bool all;            /* a nested index that is missing is an error */
};

static void leaves_clear(struct leaves *l)
{
	free(l->v);
}

/* BuildKit lists attestations in the index beside the images that they describe. No platform matches
 * unknown/unknown, so such an entry never runs. An entry with any other platform is an image, whatever its
 * annotations say. */
static bool is_attestation(const struct mf_descriptor *d)
{
	return d->os && d->architecture && strcmp(d->os, "unknown") == 0 &&
	       strcmp(d->architecture, "unknown") == 0;
}

static int add_leaf(struct leaves *l, const struct mf_subject *s, struct mf_err *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (mf_digest_eq(&l->v[i].digest, &s->digest) && strcmp(l->v[i].platform, s->platform) == 0)
			return 0;
	if (l->n == MF_MAX_INDEX_IMAGES)
		return mf_fail(err, MF_E_FORMAT, 0, "the index lists more than %d images",
			       MF_MAX_INDEX_IMAGES);
	if (mf_grow((void **)&l->v, &l->cap, l->n, sizeof *l->v, err) < 0)
		return -1;
	l->v[l->n++] = *s;
	return 0;
}

static int walk_index(struct leaves *l, const struct mf_manifest *index, const char *platform, unsigned depth,
		      struct mf_err *err);

/* Adds the images of one entry. Its media type says whether it is an index, as it does for container
 * runtimes; without a media type, the document itself says so. Entries of a nested index that have no
 * platform get that of the index. */
static int walk_entry(struct leaves *l, const struct mf_descriptor *d, const char *platform, unsigned depth,
		      struct mf_err *err)
{
	struct mf_subject s = {.digest = d->digest, .size = d->size};
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	const char *type = d->media_type ? d->media_type : "";
	platform_text(d, s.platform, sizeof s.platform);
	if (!s.platform[0])
		(void)snprintf(s.platform, sizeof s.platform, "%s", platform);
	if (*type && !mf_is_index_type(type)) {
		(void)snprintf(s.media_type, sizeof s.media_type, "%s", type);
		return add_leaf(l, &s, err);
	}
	if (++l->indexes > MF_MAX_INDEX_INDEXES)
		return mf_fail(err, MF_E_FORMAT, 0, "the index contains more than %d other indexes",
			       MF_MAX_INDEX_INDEXES);
	if (mf_manifest_get(l->im->images, &d->digest, &m, err) < 0) {
		/* A partial copy of an image may lack nested indexes of other platforms. */
		if (l->all || err->code != MF_E_NOT_FOUND)
			return mf_wrap(err, "an index in the index");
		mf_err_clear(err);
		return 0;
	}
	if (m.is_index)
		return walk_index(l, &m, s.platform, depth + 1, err);
	(void)snprintf(s.media_type, sizeof s.media_type, "%s", m.media_type);
	s.size = m.bytes.n;
	return add_leaf(l, &s, err);
}

static int walk_index(struct leaves *l, const struct mf_manifest *index, const char *platform, unsigned depth,
		      struct mf_err *err)
{
	struct mf_descriptors c MF_DESCRIPTORS_CLEANUP = {0};
	if (depth > MF_MAX_INDEX_DEPTH)
		return mf_fail(err, MF_E_FORMAT, 0, "the index is nested more than %d deep",
			       MF_MAX_INDEX_DEPTH);
	if (mf_index_children(index, &c, &l->foreign, err) < 0)
		return -1;
	for (size_t i = 0; i < c.n; i++) {
		bool attests = is_attestation(&c.v[i]);
		l->attestations += attests;
		if (!attests && walk_entry(l, &c.v[i], platform, depth, err) < 0)
			return -1;
	}
	return 0;
}

/* "linux/arm64" also fits "linux/arm64/v8"; choose_platform refuses when several images fit. */
static bool platform_fits(const char *have, const char *asked)
{
	size_t n = strlen(asked);
	return strcmp(have, asked) == 0 || (strncmp(have, asked, n) == 0 && have[n] == '/');
}

static int choose_platform(const struct leaves *l, const char *asked, struct mf_subject *out,
			   struct mf_err *err)
{
	char list[400] = "";
	size_t found = 0;
	struct mf_esc e;
	for (size_t i = 0; i < l->n; i++) {
		const struct mf_subject *s = &l->v[i];
		size_t at = strlen(list);
		if (!s->platform[0])
			continue;
		(void)snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "",
			       mf_esc(&e, mf_str_c(s->platform)));
		if (platform_fits(s->platform, asked)) {
			*out = *s;
			found++;
		}
	}
	if (found == 1)
		return 0;
	(void)mf_fail(err, found ? MF_E_AMBIGUOUS : MF_E_NOT_FOUND, 0, "%s '%s' among %s",
		      found ? "several images for platform" : "no platform", mf_esc(&e, mf_str_c(asked)),
		      list[0] ? list : "none");
	if (!found && l->attestations)
		mf_err_set_hint(err, "entries for unknown/unknown are attestations about the other images, "
				     "not images for a platform");
	return -1;
}

static int from_index(struct mf_image *im, struct mf_subject_choice choice, struct mf_subjects *out,
		      struct mf_err *err)
{
	struct leaves l MF_CLEANUP(leaves_clear) = {.im = im, .all = choice.all && !choice.partial};
	if (need_manifest(im, err) < 0)
		return -1;
	if (!im->manifest.is_index)
		return choice.all ? 0
				  : mf_fail(err, MF_E_NOT_FOUND, 0,
					    "the image is not an index, so it has no platform '%s'",
					    choice.platform);
	if (walk_index(&l, &im->manifest, "", 1, err) < 0)
		return -1;
	if (!choice.all)
		return choose_platform(&l, choice.platform, &out->v[0], err);
	if (l.foreign && !choice.partial) {
		(void)mf_fail(
		    err, MF_E_USAGE, 0,
		    "the index lists %zu images by a digest other than sha256; these cannot have records",
		    l.foreign);
		mf_err_set_hint(err, "choose one of the others with --platform");
		return -1;
	}
	struct mf_subject *v = realloc(out->v, (l.n + 1) * sizeof *v);
	if (!v)
		return mf_fail_nomem(err);
	out->v = v;
	for (size_t i = 0; i < l.n; i++) {
		bool twice = false;
		for (size_t j = 0; j < out->n; j++)
			twice |= mf_digest_eq(&v[j].digest, &l.v[i].digest);
		if (!twice)
			v[out->n++] = l.v[i];
	}
	return 0;
}

int mf_image_subjects(struct mf_image *im, struct mf_subject_choice choice, struct mf_subjects *out,
		      struct mf_err *err)
{
	if (resolve_image(im, choice.described, err) < 0)
		return -1;
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {.v = mf_calloc(1, sizeof(struct mf_subject)), .n = 1};
	if (!s.v)
		return mf_fail_nomem(err);
	s.v[0] = (struct mf_subject){.digest = im->digest, .size = im->size};
	(void)snprintf(s.v[0].media_type, sizeof s.v[0].media_type, "%s", im->media_type);
	if ((choice.platform || choice.all) && from_index(im, choice, &s, err) < 0)
		return -1;
	*out = s;
	s = (struct mf_subjects){0};
	return 0;
}
