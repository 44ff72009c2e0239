#include "oci/bundle.h"

#include <stdio.h>

#include "base/limits.h"
#include "json/json.h"
#include "oci/backend.h"

#define REF_NAME "org.opencontainers.image.ref.name"

/* An image that the index names, as GUN:TAG or GUN@DIGEST. */
struct named {
	char *name;
	struct mf_digest digest;
};

struct mf_bundle {
	struct mf_archive *archive;
	struct named *v;
	size_t n, cap;
};

/* One repository in the bundle. */
struct packed {
	const struct mf_bundle *bundle;
	char *gun;
	bool is_layout;
};

void mf_bundle_blob_name(char out[MF_BUNDLE_BLOB], const struct mf_digest *d)
{
	char hex[65];
	mf_digest_hex(hex, d);
	(void)snprintf(out, MF_BUNDLE_BLOB, "blobs/sha256/%s", hex);
}

/* ---- the index */

void mf_bundle_free(struct mf_bundle *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n; i++)
		free(b->v[i].name);
	free(b->v);
	mf_archive_free(b->archive);
	free(b);
}

static void bundle_cleanup(struct mf_bundle **b)
{
	mf_bundle_free(*b);
}

const struct mf_archive *mf_bundle_archive(const struct mf_bundle *b)
{
	return b->archive;
}

static json_t *read_json(const struct mf_bundle *b, const char *name, size_t max, struct mf_err *err)
{
	const struct mf_member *m = mf_archive_find(b->archive, name);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(max);
	if (!m) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "'%s' is no bundle: it has no '%s'",
			      mf_archive_path(b->archive), name);
		return NULL;
	}
	if (mf_archive_read(b->archive, m, max, &text, err) < 0)
		return NULL;
	json_t *j = mf_json_load(mf_buf_bytes(&text), max, err);
	if (!j)
		(void)mf_wrap(err, "'%s' in '%s'", name, mf_archive_path(b->archive));
	return j;
}

static int add_named(struct mf_bundle *b, const json_t *entry, struct mf_err *err)
{
	const char *name =
	    json_string_value(json_object_get(json_object_get(entry, "annotations"), REF_NAME));
	const char *digest;
	if (!name)
		return 0;
	if (mf_grow((void **)&b->v, &b->cap, b->n, sizeof *b->v, err) < 0)
		return -1;
	struct named *to = &b->v[b->n];
	if (mf_json_get_str(entry, "digest", MF_JSON_REQUIRED, &digest, err) < 0 ||
	    mf_digest_parse(&to->digest, mf_str_c(digest), err) < 0)
		return -1;
	to->name = mf_str_dup(mf_str_c(name));
	if (!to->name)
		return mf_fail_nomem(err);
	b->n++;
	return 0;
}

static int read_index(struct mf_bundle *b, struct mf_err *err)
{
	const char *version, *type = "";
	json_t *entries;
	json_t *layout MF_JSON_CLEANUP = read_json(b, "oci-layout", MF_MAX_CONFIG_BYTES, err);
	if (!layout)
		return -1;
	json_t *index MF_JSON_CLEANUP = read_json(b, "index.json", MF_MAX_BUNDLE_INDEX_BYTES, err);
	if (!index || mf_json_get_str(layout, "imageLayoutVersion", MF_JSON_REQUIRED, &version, err) < 0 ||
	    mf_json_get_str(index, "artifactType", MF_JSON_OPTIONAL, &type, err) < 0 ||
	    mf_json_get_arr(index, "manifests", MF_JSON_REQUIRED, &entries, err) < 0)
		return -1;
	if (strncmp(version, "1.", 2) != 0 || strcmp(type, MF_MT_BUNDLE) != 0) {
		struct mf_esc e;
		return mf_fail(
		    err, MF_E_FORMAT, 0,
		    "expected an index with the artifact type '%s', got '%s' (layout version '%s')",
		    MF_MT_BUNDLE, *type ? mf_esc(&e, mf_str_c(type)) : "none", version);
	}
	for (size_t i = 0; i < json_array_size(entries); i++)
		if (add_named(b, json_array_get(entries, i), err) < 0)
			return mf_wrap(err, "entry %zu of index.json", i);
	return 0;
}

int mf_bundle_open(const char *path, struct mf_bundle **out, struct mf_err *err)
{
	struct mf_bundle *b MF_CLEANUP(bundle_cleanup) = mf_calloc(1, sizeof *b);
	if (!b)
		return mf_fail_nomem(err);
	if (mf_archive_open(path, &b->archive, err) < 0)
		return -1;
	if (read_index(b, err) < 0)
		return mf_wrap(err, "bundle '%s'", path);
	*out = b;
	b = NULL;
	return 0;
}

/* ---- tags */

static bool is_of(const struct packed *p, const struct named *n, char separator)
{
	size_t length = strlen(p->gun);
	return strncmp(n->name, p->gun, length) == 0 && n->name[length] == separator;
}

/* Whether the image has the tag. tag NULL: any image of the repository. */
static bool is_wanted(const struct packed *p, const struct named *n, const char *tag)
{
	if (!tag)
		return is_of(p, n, ':') || is_of(p, n, '@');
	return is_of(p, n, ':') && strcmp(n->name + strlen(p->gun) + 1, tag) == 0;
}

static void list_names(const struct packed *p, char *out, size_t max)
{
	size_t at = 0;
	struct mf_esc e;
	out[0] = 0;
	for (size_t i = 0; i < p->bundle->n && at + 1 < max; i++)
		if (is_wanted(p, &p->bundle->v[i], NULL))
			at += (size_t)snprintf(out + at, max - at, "%s%s", at ? ", " : "",
					       mf_esc(&e, mf_str_c(p->bundle->v[i].name)));
}

static int fail_tag(const struct packed *p, const char *tag, enum mf_code code, struct mf_err *err)
{
	char list[400];
	struct mf_esc e;
	list_names(p, list, sizeof list);
	(void)mf_fail(err, code, 0, "the bundle '%s' has %s '%s%s%s'", mf_archive_path(p->bundle->archive),
		      code == MF_E_AMBIGUOUS ? "several images" : "no image", p->gun, tag ? ":" : "",
		      tag ? mf_esc(&e, mf_str_c(tag)) : "");
	if (list[0])
		mf_err_set_hint(err, "it has: %s", list);
	return -1;
}

static int find_tag(const struct packed *p, const char *tag, struct mf_digest *out, struct mf_err *err)
{
	const struct named *found = NULL;
	for (size_t i = 0; i < p->bundle->n; i++) {
		const struct named *n = &p->bundle->v[i];
		if (!is_wanted(p, n, tag))
			continue;
		if (found && !mf_digest_eq(&found->digest, &n->digest))
			return fail_tag(p, tag, MF_E_AMBIGUOUS, err);
		found = n;
	}
	if (!found)
		return fail_tag(p, tag, MF_E_NOT_FOUND, err);
	*out = found->digest;
	return 0;
}

/* The tags of the repository. Names that are not valid tags count only for a layout, where any name is
 * allowed. */
static int packed_tags(void *b, struct mf_tags *out, struct mf_err *err)
{
	const struct packed *p = b;
	for (size_t i = 0; i < p->bundle->n; i++) {
		const struct named *n = &p->bundle->v[i];
		if (!is_of(p, n, ':'))
			continue;
		const char *tag = n->name + strlen(p->gun) + 1;
		if ((p->is_layout || mf_tag_valid(mf_str_c(tag))) &&
		    mf_tags_add(out, tag, &n->digest, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- calls: nothing has to wait, so the work is done when a call is ended */

struct call {
	char *tag;
	struct mf_digest digest;
};

static void call_free(struct call *c)
{
	free(c->tag);
	free(c);
}

static void packed_cancel(void *b, void *call)
{
	(void)b;
	call_free(call);
}

static void *call_begin(const char *tag, const struct mf_digest *digest, struct mf_err *err)
{
	struct call *c = mf_calloc(1, sizeof *c);
	if (c && digest)
		c->digest = *digest;
	if (c && (!tag || (c->tag = mf_str_dup(mf_str_c(tag)))))
		return c;
	free(c);
	(void)mf_fail_nomem(err);
	return NULL;
}

static void *packed_resolve_begin(void *b, const char *tag, struct mf_err *err)
{
	(void)b;
	return call_begin(tag, NULL, err);
}

static int packed_resolve_end(void *b, void *call, struct mf_resolved *out, struct mf_err *err)
{
	struct call *c = call;
	int rc = find_tag(b, c->tag, &out->digest, err);
	call_free(c);
	return rc;
}

static const struct mf_member *find_blob(const struct packed *p, const struct mf_digest *digest)
{
	char name[MF_BUNDLE_BLOB];
	mf_bundle_blob_name(name, digest);
	return mf_archive_find(p->bundle->archive, name);
}

static void *packed_get_begin(void *b, struct mf_manifest_name name, struct mf_err *err)
{
	(void)b;
	return call_begin(name.tag, name.digest, err);
}

static int get_manifest(const struct packed *p, const struct call *c, struct mf_buf *bytes,
			struct mf_err *err)
{
	char text[MF_DIGEST_TEXT];
	struct mf_digest digest = c->digest;
	if (c->tag && find_tag(p, c->tag, &digest, err) < 0)
		return -1;
	const struct mf_member *m = find_blob(p, &digest);
	mf_digest_format(text, &digest);
	if (!m)
		return mf_fail(err, MF_E_NOT_FOUND, 0, "the bundle '%s' has no manifest %s",
			       mf_archive_path(p->bundle->archive), text);
	if (mf_archive_read(p->bundle->archive, m, MF_MAX_MANIFEST_BYTES, bytes, err) < 0)
		return -1;
	/* The digest of a tag comes from the index, so that the content can be compared with it at once. */
	struct mf_manifest seal = {.bytes = *bytes};
	return c->tag ? mf_manifest_seal(&seal, &digest, "", err) : 0;
}

static int packed_get_end(void *b, void *call, struct mf_buf *bytes, char content_type[256],
			  struct mf_err *err)
{
	(void)content_type;
	int rc = get_manifest(b, call, bytes, err);
	call_free(call);
	return rc;
}

static int packed_have(void *b, const struct mf_digest *digests, size_t n, bool *present, struct mf_err *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++)
		present[i] = find_blob(b, &digests[i]) != NULL;
	return 0;
}

static int packed_look(void *b, const struct mf_digest *digests, size_t n, struct mf_looked *out,
		       struct mf_err *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct mf_looked){.present = find_blob(b, &digests[i]) != NULL, .size = UINT64_MAX};
	return 0;
}

static int packed_blob_get(void *b, const struct mf_digest *digest, uint64_t length, struct mf_spool *out,
			   struct mf_err *err)
{
	const struct packed *p = b;
	const struct mf_member *m = find_blob(p, digest);
	char text[MF_DIGEST_TEXT];
	mf_digest_format(text, digest);
	if (!m) {
		(void)mf_fail(err, MF_E_CONTENT_GONE, 0, "the bundle '%s' does not hold the content %s",
			      mf_archive_path(p->bundle->archive), text);
		mf_err_set_hint(err, "it holds what belongs to the images that it was made of");
		return -1;
	}
	if (m->size != length)
		return mf_fail(err, MF_E_DIGEST, 0, "'%s' in '%s' has %llu bytes, not %llu", m->name,
			       mf_archive_path(p->bundle->archive), (unsigned long long)m->size,
			       (unsigned long long)length);
	return mf_archive_copy(p->bundle->archive, m, out, err);
}

static char *packed_blob_path(void *b, const struct mf_digest *digest)
{
	(void)b;
	(void)digest;
	return NULL;
}

static int packed_referrers(struct mf_image_store *s, const struct mf_digest *subjects, size_t n,
			    mf_referrers_fn each, void *arg, struct mf_err *err)
{
	(void)s;
	(void)subjects;
	for (size_t i = 0; i < n; i++) {
		struct mf_descriptors none MF_DESCRIPTORS_CLEANUP = {0};
		if (each(arg, i, &none, MF_REFERRERS_NOWHERE, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- writers are refused */

static int refuse(const void *b, struct mf_err *err)
{
	const struct packed *p = b;
	return mf_fail(err, MF_E_USAGE, 0, "the bundle '%s' can only be read",
		       mf_archive_path(p->bundle->archive));
}

static void *packed_put_begin(void *b, struct mf_manifest_name name, const struct mf_manifest *m,
			      struct mf_err *err)
{
	(void)name;
	(void)m;
	(void)refuse(b, err);
	return NULL;
}

static int packed_put_end(void *b, void *call, bool *subject_seen, struct mf_descriptors *missing,
			  struct mf_err *err)
{
	(void)call;
	(void)subject_seen;
	(void)missing;
	return refuse(b, err);
}

static void *packed_delete_begin(void *b, const struct mf_digest *digest, struct mf_err *err)
{
	(void)digest;
	(void)refuse(b, err);
	return NULL;
}

static int packed_delete_end(void *b, void *call, struct mf_err *err)
{
	(void)call;
	return refuse(b, err);
}

static int packed_blob_put(void *b, struct mf_spool *blob, const struct mf_digest *digest, uint64_t length,
			   struct mf_err *err)
{
	(void)blob;
	(void)digest;
	(void)length;
	return refuse(b, err);
}

static void packed_put_together(void *b, struct mf_blob_source *v, size_t n)
{
	(void)b;
	(void)v;
	(void)n;
}

/* ---- opening */

static void packed_free(void *b)
{
	struct packed *p = b;
	free(p->gun);
	free(p);
}

static const struct mf_backend_ops packed_ops = {
    .free = packed_free,
    .resolve_begin = packed_resolve_begin,
    .resolve_end = packed_resolve_end,
    .manifest_get_begin = packed_get_begin,
    .manifest_get_end = packed_get_end,
    .manifest_put_begin = packed_put_begin,
    .manifest_put_end = packed_put_end,
    .manifest_delete_begin = packed_delete_begin,
    .manifest_delete_end = packed_delete_end,
    .cancel = packed_cancel,
    .blobs_send = mf_backend_sends_none,
    .blobs_fetch = mf_backend_fetches_none,
    .manifests_have = packed_have,
    .manifests_look = packed_look,
    .tags = packed_tags,
    .blobs_have = packed_have,
    .will_push = mf_backend_pushes_nothing,
    .blobs_put_soon = mf_backend_begins_nothing,
    .blob_put = packed_blob_put,
    .blobs_put_together = packed_put_together,
    .blob_get = packed_blob_get,
    .blob_path = packed_blob_path,
    .referrers = packed_referrers,
};

struct mf_image_store *mf_bundle_store(const struct mf_bundle *b, const struct mf_ref *ref,
				       struct mf_err *err)
{
	struct mf_buf gun MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE);
	if (mf_ref_gun(ref, &gun, err) < 0)
		return NULL;
	struct mf_image_store *s = mf_calloc(1, sizeof *s);
	struct packed *p = mf_calloc(1, sizeof *p);
	if (p)
		*p = (struct packed){b, mf_buf_take(&gun), ref->transport == MF_TRANSPORT_LAYOUT};
	if (s && p && p->gun) {
		*s = (struct mf_image_store){.ops = &packed_ops, .b = p, .is_layout = p->is_layout};
		return s;
	}
	free(s);
	if (p)
		packed_free(p);
	(void)mf_fail_nomem(err);
	return NULL;
}
