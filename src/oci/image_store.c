#include "oci/image_store.h"

#include <assert.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/window.h"
#include "crypto/hash.h"
#include "oci/backend.h"

struct mf_image_store *mf_image_store_open(const struct mf_ref *ref, struct mf_http *http,
					   struct mf_auth *auth, const struct mf_env *env, struct mf_err *err)
{
	struct mf_image_store *s = mf_calloc(1, sizeof *s);
	if (!s) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	s->is_layout = ref->transport == MF_TRANSPORT_LAYOUT;
	int rc =
	    s->is_layout ? mf_layout_open(s, ref, env, err) : mf_registry_open(s, ref, http, auth, env, err);
	if (rc < 0) {
		free(s);
		return NULL;
	}
	return s;
}

void mf_image_store_free(struct mf_image_store *s)
{
	if (!s)
		return;
	s->ops->free(s->b);
	free(s);
}

struct mf_resolve {
	struct mf_image_store *store;
	void *state; /* the backend's call; NULL after its end */
	char *tag;
};

struct mf_resolve *mf_resolve_begin(struct mf_image_store *s, const char *tag, struct mf_err *err)
{
	struct mf_resolve *r = mf_calloc(1, sizeof *r);
	if (!r) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	r->store = s;
	if (tag) {
		r->tag = mf_str_dup(mf_str_c(tag));
		if (!r->tag) {
			(void)mf_fail_nomem(err);
			mf_resolve_cancel(r);
			return NULL;
		}
	}
	r->state = s->ops->resolve_begin(s->b, r->tag, err);
	if (!r->state) {
		mf_resolve_cancel(r);
		return NULL;
	}
	return r;
}

void mf_resolve_cancel(struct mf_resolve *r)
{
	if (!r)
		return;
	if (r->state)
		r->store->ops->cancel(r->store->b, r->state);
	free(r->tag);
	free(r);
}

static void resolve_cleanup(struct mf_resolve **r)
{
	mf_resolve_cancel(*r);
}

static int resolve_by_content(struct mf_resolve *r, struct mf_resolved *out, struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	if (mf_manifest_get_tag(r->store, r->tag, &m, err) < 0)
		return -1;
	out->digest = m.digest;
	out->size = m.bytes.n;
	(void)snprintf(out->media_type, sizeof out->media_type, "%s", m.media_type);
	return 0;
}

int mf_resolve_end(struct mf_resolve *resolve, struct mf_digest *out, char *media_type, uint64_t *size,
		   struct mf_err *err)
{
	struct mf_resolve *r MF_CLEANUP(resolve_cleanup) = resolve;
	struct mf_resolved got = {0};
	void *state = r->state;
	r->state = NULL;
	if (r->store->ops->resolve_end(r->store->b, state, &got, err) < 0)
		return -1;
	if (got.unknown && resolve_by_content(r, &got, err) < 0)
		return -1;
	*out = got.digest;
	if (media_type)
		memcpy(media_type, got.media_type, sizeof got.media_type);
	if (size)
		*size = got.size;
	return 0;
}

struct mf_manifest_call {
	struct mf_image_store *store;
	void *state; /* the backend's call; NULL after its end */
	char *tag;   /* NULL: by digest */
	struct mf_digest digest;
	struct mf_manifest m; /* the manifest to put */
};

void mf_manifest_call_cancel(struct mf_manifest_call *c)
{
	if (!c)
		return;
	if (c->state)
		c->store->ops->cancel(c->store->b, c->state);
	mf_manifest_clear(&c->m);
	free(c->tag);
	free(c);
}

static void call_cleanup(struct mf_manifest_call **c)
{
	mf_manifest_call_cancel(*c);
}
#define CALL_CLEANUP MF_CLEANUP(call_cleanup)

static struct mf_manifest_call *call_new(struct mf_image_store *s, const char *tag,
					 const struct mf_digest *digest, struct mf_err *err)
{
	struct mf_manifest_call *c CALL_CLEANUP = mf_calloc(1, sizeof *c);
	if (!c || (tag && !(c->tag = mf_str_dup(mf_str_c(tag))))) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	if (tag && !s->is_layout && !mf_tag_valid(mf_str_c(tag))) {
		(void)mf_fail(err, MF_E_USAGE, 0, "invalid tag '%s'", tag);
		return NULL;
	}
	c->store = s;
	if (digest)
		c->digest = *digest;
	mf_manifest_init(&c->m);
	struct mf_manifest_call *made = c;
	c = NULL;
	return made;
}

static struct mf_manifest_call *get_begin(struct mf_image_store *s, struct mf_manifest_name name,
					  struct mf_err *err)
{
	struct mf_manifest_call *c CALL_CLEANUP = call_new(s, name.tag, name.digest, err);
	if (!c)
		return NULL;
	c->state = s->ops->manifest_get_begin(
	    s->b, (struct mf_manifest_name){c->tag, c->tag ? NULL : &c->digest}, err);
	if (!c->state)
		return NULL;
	struct mf_manifest_call *begun = c;
	c = NULL;
	return begun;
}

struct mf_manifest_call *mf_manifest_get_begin(struct mf_image_store *s, const char *tag, struct mf_err *err)
{
	return get_begin(s, (struct mf_manifest_name){tag, NULL}, err);
}

int mf_manifest_get_end(struct mf_manifest_call *call, struct mf_manifest *out, struct mf_err *err)
{
	struct mf_manifest_call *c CALL_CLEANUP = call;
	char content_type[256] = "";
	void *state = c->state;
	c->state = NULL;
	if (c->store->ops->manifest_get_end(c->store->b, state, &c->m.bytes, content_type, err) < 0 ||
	    mf_manifest_seal(&c->m, c->tag ? NULL : &c->digest, content_type, err) < 0)
		return -1;
	mf_manifest_clear(out);
	*out = c->m;
	c->m = (struct mf_manifest){0};
	return 0;
}

int mf_manifest_get(struct mf_image_store *s, const struct mf_digest *digest, struct mf_manifest *out,
		    struct mf_err *err)
{
	struct mf_manifest_call *c = get_begin(s, (struct mf_manifest_name){NULL, digest}, err);
	return c ? mf_manifest_get_end(c, out, err) : -1;
}

int mf_manifest_get_tag(struct mf_image_store *s, const char *tag, struct mf_manifest *out,
			struct mf_err *err)
{
	struct mf_manifest_call *c = mf_manifest_get_begin(s, tag, err);
	return c ? mf_manifest_get_end(c, out, err) : -1;
}

struct mf_manifest_call *mf_manifest_put_begin(struct mf_image_store *s, const char *tag,
					       const char *media_type, struct mf_bytes bytes,
					       struct mf_err *err)
{
	struct mf_manifest_call *c CALL_CLEANUP = call_new(s, tag, NULL, err);
	if (!c || mf_buf_add(&c->m.bytes, bytes.p, bytes.n, err) < 0 ||
	    mf_manifest_seal(&c->m, NULL, media_type, err) < 0)
		return NULL;
	(void)snprintf(c->m.media_type, sizeof c->m.media_type, "%s", media_type);
	c->state =
	    s->ops->manifest_put_begin(s->b, (struct mf_manifest_name){c->tag, &c->m.digest}, &c->m, err);
	if (!c->state)
		return NULL;
	struct mf_manifest_call *begun = c;
	c = NULL;
	return begun;
}

int mf_manifest_put_end(struct mf_manifest_call *call, bool *subject_seen, struct mf_descriptors *missing,
			struct mf_err *err)
{
	struct mf_manifest_call *c CALL_CLEANUP = call;
	struct mf_descriptors gone MF_DESCRIPTORS_CLEANUP = {0};
	bool seen = false;
	void *state = c->state;
	c->state = NULL;
	int rc = c->store->ops->manifest_put_end(c->store->b, state, &seen, missing ? &gone : NULL, err);
	if (seen)
		c->store->referrers_api = MF_API_THERE;
	if (subject_seen) {
		*subject_seen = seen;
		c->store->subject_unseen |= rc == 0 && !seen;
	}
	if (missing) {
		mf_descriptors_clear(missing);
		*missing = gone;
		gone = (struct mf_descriptors){0};
	}
	return rc;
}

int mf_manifest_put(struct mf_image_store *s, const char *tag, const char *media_type, struct mf_bytes bytes,
		    bool *subject_seen, struct mf_descriptors *missing, struct mf_err *err)
{
	struct mf_manifest_call *c = mf_manifest_put_begin(s, tag, media_type, bytes, err);
	return c ? mf_manifest_put_end(c, subject_seen, missing, err) : -1;
}

struct mf_manifest_call *mf_manifest_delete_begin(struct mf_image_store *s, const struct mf_digest *digest,
						  struct mf_err *err)
{
	struct mf_manifest_call *c CALL_CLEANUP = call_new(s, NULL, digest, err);
	if (!c)
		return NULL;
	c->state = s->ops->manifest_delete_begin(s->b, &c->digest, err);
	if (!c->state)
		return NULL;
	struct mf_manifest_call *begun = c;
	c = NULL;
	return begun;
}

int mf_manifest_delete_end(struct mf_manifest_call *call, struct mf_err *err)
{
	struct mf_manifest_call *c CALL_CLEANUP = call;
	void *state = c->state;
	c->state = NULL;
	return c->store->ops->manifest_delete_end(c->store->b, state, err);
}

int mf_manifests_have(struct mf_image_store *s, const struct mf_digest *digests, size_t n, bool *present,
		      struct mf_err *err)
{
	return s->ops->manifests_have(s->b, digests, n, present, err);
}

int mf_blobs_have(struct mf_image_store *s, const struct mf_digest *digests, size_t n, bool *present,
		  struct mf_err *err)
{
	return s->ops->blobs_have(s->b, digests, n, present, err);
}

/* Fetches the manifest for what the answer to a HEAD did not give. */
static int look_inside(struct mf_image_store *s, const struct mf_digest *digest, struct mf_looked *l,
		       struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	if (mf_manifest_get(s, digest, &m, err) < 0) {
		if (err->code != MF_E_NOT_FOUND)
			return -1;
		mf_err_clear(err);
		l->present = false;
		return 0;
	}
	l->size = m.bytes.n;
	memcpy(l->media_type, m.media_type, sizeof l->media_type);
	return 0;
}

int mf_manifests_look(struct mf_image_store *s, const struct mf_digest *digests, size_t n,
		      struct mf_looked *out, struct mf_err *err)
{
	if (s->ops->manifests_look(s->b, digests, n, out, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		/* Some servers answer a HEAD with length 0, but no manifest is empty. */
		if (out[i].present && (out[i].size == UINT64_MAX || !out[i].size || !out[i].media_type[0]) &&
		    look_inside(s, &digests[i], &out[i], err) < 0)
			return -1;
	return 0;
}

void mf_image_store_will_push(struct mf_image_store *s)
{
	s->ops->will_push(s->b);
}

void mf_blobs_put_soon(struct mf_image_store *s, size_t n)
{
	s->ops->blobs_put_soon(s->b, n);
}

int mf_blob_put(struct mf_image_store *s, struct mf_spool *blob, const struct mf_digest *digest,
		uint64_t length, struct mf_err *err)
{
	return s->ops->blob_put(s->b, blob, digest, length, err);
}

int mf_blobs_put(struct mf_image_store *s, struct mf_blob_source *v, size_t n, struct mf_err *err)
{
	if (n > 1)
		s->ops->blobs_put_together(s->b, v, n);
	for (size_t i = 0; i < n; i++)
		if (!v[i].done && !v[i].optional &&
		    mf_blob_put(s, v[i].blob, v[i].digest, v[i].length, err) < 0)
			return -1;
	return 0;
}

int mf_blob_put_bytes(struct mf_image_store *s, struct mf_bytes bytes, struct mf_digest *digest,
		      struct mf_err *err)
{
	struct mf_spool *spool MF_SPOOL_CLEANUP = mf_spool_new(bytes.n, err);
	uint64_t length;
	if (!spool || mf_spool_add(spool, bytes.p, bytes.n, err) < 0 ||
	    mf_spool_end(spool, digest, &length, err) < 0)
		return -1;
	return mf_blob_put(s, spool, digest, length, err);
}

void mf_backend_pushes_nothing(void *b)
{
	(void)b;
}

void mf_backend_begins_nothing(void *b, size_t n)
{
	(void)b;
	(void)n;
}

int mf_backend_sends_none(void *b, struct mf_blob_send *v, size_t n, struct mf_err *err)
{
	(void)b;
	(void)v;
	(void)n;
	(void)err;
	return 0;
}

int mf_backend_fetches_none(void *b, struct mf_blob_fetch *v, size_t n, struct mf_err *err)
{
	(void)b;
	(void)v;
	(void)n;
	(void)err;
	return 0;
}

int mf_blobs_send(struct mf_image_store *s, struct mf_blob_send *v, size_t n, struct mf_err *err)
{
	for (size_t i = 0; i < n; i++)
		v[i].done = false;
	return s->ops->blobs_send(s->b, v, n, err);
}

int mf_blobs_fetch(struct mf_image_store *s, struct mf_blob_fetch *v, size_t n, struct mf_err *err)
{
	for (size_t i = 0; i < n; i++)
		v[i].done = false;
	if (s->ops->blobs_fetch(s->b, v, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct mf_err ignored = MF_ERR_INIT;
		struct mf_digest got;
		uint64_t length;
		v[i].done = v[i].done && mf_spool_end(v[i].out, &got, &length, &ignored) == 0 &&
			    length == v[i].length && mf_digest_eq(&got, &v[i].digest);
	}
	return 0;
}

int mf_blob_get(struct mf_image_store *s, const struct mf_digest *digest, uint64_t length,
		struct mf_spool *out, struct mf_err *err)
{
	char text[MF_DIGEST_TEXT];
	struct mf_digest got;
	uint64_t got_length;
	mf_digest_format(text, digest);
	if (s->ops->blob_get(s->b, digest, length, out, err) < 0) {
		/* The answer has more octets than the record says, so it is other content. */
		return err->code == MF_E_FORMAT ? mf_recode(err, MF_E_DIGEST) : -1;
	}
	if (mf_spool_end(out, &got, &got_length, err) < 0)
		return -1;
	if (got_length != length)
		return mf_fail(err, MF_E_DIGEST, 0, "blob %s has %llu bytes, not %llu", text,
			       (unsigned long long)got_length, (unsigned long long)length);
	if (!mf_digest_eq(&got, digest)) {
		char other[MF_DIGEST_TEXT];
		mf_digest_format(other, &got);
		return mf_fail(err, MF_E_DIGEST, 0, "blob %s: the content has the digest %s", text, other);
	}
	return 0;
}

char *mf_blob_path(struct mf_image_store *s, const struct mf_digest *digest)
{
	return s->ops->blob_path(s->b, digest);
}

int mf_referrers_each(struct mf_image_store *s, const struct mf_digest *subjects, size_t n,
		      mf_referrers_fn each, void *arg, struct mf_err *err)
{
	return s->ops->referrers(s, subjects, n, each, arg, err);
}

bool mf_referrers_api(const struct mf_image_store *s)
{
	return s->referrers_api == MF_API_THERE;
}

void mf_referrers_tag(char out[80], const struct mf_digest *subject)
{
	char hex[65];
	mf_digest_hex(hex, subject);
	(void)snprintf(out, 80, "sha256-%s", hex);
}

/* ---- tags: listing those of a repository and resolving them */

#define WINDOW 32 /* requests in flight; the HTTP client would only queue more */

void mf_tags_clear(struct mf_tags *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].name);
	free(t->v);
	*t = (struct mf_tags){0};
}

/* False for tags of the catalogue, and for tags made of a digest: referrers indexes and other tools'
 * signatures. */
static bool is_image(struct mf_str tag)
{
	uint8_t bytes[32];
	if (mf_str_eqz(tag, "_manifesto") || mf_str_starts(tag, MF_STR("_manifesto-")))
		return false;
	return !mf_str_starts(tag, MF_STR("sha256-")) || tag.n < 71 ||
	       mf_hex_decode(bytes, sizeof bytes, (struct mf_str){tag.p + 7, 64}) != 0;
}

int mf_tags_add(struct mf_tags *list, const char *name, const struct mf_digest *digest, struct mf_err *err)
{
	void *v = list->v;
	if (!is_image(mf_str_c(name)))
		return 0;
	if (list->n == MF_MAX_TAGS)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d tags", MF_MAX_TAGS);
	if (mf_grow(&v, &list->cap, list->n, sizeof *list->v, err) < 0)
		return -1;
	list->v = v;
	struct mf_tag *t = &list->v[list->n];
	*t = (struct mf_tag){.name = mf_str_dup(mf_str_c(name)), .known = digest != NULL};
	if (!t->name)
		return mf_fail_nomem(err);
	if (digest)
		t->digest = *digest;
	list->n++;
	return 0;
}

struct resolving {
	struct mf_image_store *s;
	struct mf_tags *tags;
	struct mf_resolve *v[WINDOW];
};

static void resolving_clear(struct resolving *r)
{
	for (size_t i = 0; i < WINDOW; i++)
		mf_resolve_cancel(r->v[i]);
}

static int begin_tag(void *arg, size_t i, struct mf_err *err)
{
	struct resolving *r = arg;
	if (r->tags->v[i].known)
		return 0;
	r->v[i % WINDOW] = mf_resolve_begin(r->s, r->tags->v[i].name, err);
	return r->v[i % WINDOW] ? 0 : -1;
}

static int end_tag(struct resolving *r, size_t i, struct mf_err *err)
{
	struct mf_tag *t = &r->tags->v[i];
	struct mf_resolve *one = r->v[i % WINDOW];
	if (t->known)
		return 0;
	r->v[i % WINDOW] = NULL;
	t->known = mf_resolve_end(one, &t->digest, NULL, NULL, err) == 0;
	if (t->known)
		return 0;
	if (err->code != MF_E_NOT_FOUND)
		return mf_wrap(err, "tag '%s'", t->name);
	mf_err_clear(err); /* the tag was deleted meanwhile */
	return 0;
}

static int resolve_all(struct mf_image_store *s, struct mf_tags *tags, struct mf_err *err)
{
	struct resolving r MF_CLEANUP(resolving_clear) = {.s = s, .tags = tags};
	struct mf_window ahead = {.n = tags->n, .most = WINDOW, .begin = begin_tag, .arg = &r};
	for (size_t i = 0; i < tags->n; i++)
		if (mf_window_reach(&ahead, i, err) < 0 || end_tag(&r, i, err) < 0)
			return -1;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct mf_tag *)a)->name, ((const struct mf_tag *)b)->name);
}

static void drop_unknown(struct mf_tags *t)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].known)
			t->v[kept++] = t->v[i];
		else
			free(t->v[i].name);
	t->n = kept;
}

int mf_tags_list(struct mf_image_store *s, struct mf_tags *out, struct mf_err *err)
{
	struct mf_tags tags MF_TAGS_CLEANUP = {0};
	if (s->ops->tags(s->b, &tags, err) < 0 || resolve_all(s, &tags, err) < 0)
		return -1;
	drop_unknown(&tags);
	if (tags.n)
		qsort(tags.v, tags.n, sizeof *tags.v, by_name);
	*out = tags;
	tags = (struct mf_tags){0};
	return 0;
}
