/* The referrers fallback index. Entries are handled as JSON, not as descriptors, so that what others put
 * there is kept with all its members. */
#include "base/limits.h"
#include "json/json.h"
#include "oci/artifact.h"
#include "oci/backend.h"

#define MAX_TRIES 3 /* manifests may vanish between our look and the registry's */

struct update {
	struct mf_image_store *store;
	json_t *index;   /* the document, without its entries; owned */
	json_t *entries; /* owned */
	bool changed;
};

static void update_clear(struct update *u)
{
	json_decref(u->index);
	json_decref(u->entries);
}

static bool entry_digest(const json_t *entry, struct mf_digest *out)
{
	struct mf_err ignored = MF_ERR_INIT;
	const char *text = json_string_value(json_object_get(entry, "digest"));
	return text && mf_digest_parse(out, mf_str_c(text), &ignored) == 0;
}

static bool entry_is(const json_t *entry, const struct mf_digest *digest)
{
	struct mf_digest d;
	return entry_digest(entry, &d) && mf_digest_eq(&d, digest);
}

static int load(struct update *u, const char *tag, struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	if (mf_manifest_get_tag(u->store, tag, &m, err)) {
		if (err->code != MF_E_NOT_FOUND)
			return -1;
		mf_err_clear(err);
		u->index = json_pack("{s:s, s:i}", "mediaType", MF_MT_OCI_INDEX, "schemaVersion", 2);
		u->entries = json_array();
		return u->index && u->entries ? 0 : mf_fail_nomem(err);
	}
	u->index = mf_json_load(mf_buf_bytes(&m.bytes), MF_MAX_MANIFEST_BYTES, err);
	json_t *entries = NULL;
	if (!u->index)
		return -1;
	if (mf_json_get_arr(u->index, "manifests", true, &entries, err))
		return mf_wrap(err, "tag '%s' is no referrers index", tag);
	u->entries = json_incref(entries);
	return 0;
}

static int drop_at(struct update *u, size_t i, struct mf_err *err)
{
	u->changed = true;
	return json_array_remove(u->entries, i) ? mf_fail(err, MF_E_INTERNAL, 0, "remove an index entry") : 0;
}

static int drop(struct update *u, const struct mf_digest *digest, struct mf_err *err)
{
	for (size_t i = json_array_size(u->entries); i-- > 0;)
		if (entry_is(json_array_get(u->entries, i), digest) && drop_at(u, i, err))
			return -1;
	return 0;
}

/* Drops entries whose manifests are gone: a registry refuses an index that names them. Asked only when it
 * did, since it costs a request an entry. */
static int drop_dangling(struct update *u, struct mf_err *err)
{
	size_t n = json_array_size(u->entries), known = 0;
	struct mf_digest *digests MF_FREE = mf_calloc(n, sizeof(*digests));
	bool *present MF_FREE = mf_calloc(n, sizeof(*present));
	if (!digests || !present)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		known += entry_digest(json_array_get(u->entries, i), &digests[known]);
	if (mf_manifests_have(u->store, digests, known, present, err))
		return -1;
	for (size_t i = 0; i < known; i++)
		if (!present[i] && drop(u, &digests[i], err))
			return -1;
	return 0;
}

static int set_text(json_t *j, const char *name, const char *text, struct mf_err *err)
{
	if (text && json_object_set_new(j, name, json_string(text)))
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' of a descriptor is no text", name);
	return 0;
}

static int set_annotations(json_t *j, const char *text, struct mf_err *err)
{
	if (!text)
		return 0;
	json_t *annotations = mf_json_load(mf_bytes_of(mf_str_c(text)), MF_MAX_MANIFEST_BYTES, err);
	if (!annotations)
		return -1;
	return json_object_set_new(j, "annotations", annotations) ? mf_fail_nomem(err) : 0;
}

static json_t *entry_of(const struct mf_descriptor *d, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &d->digest);
	json_t *entry MF_JSON_CLEANUP =
	    json_pack("{s:s, s:I}", "digest", digest, "size", (json_int_t)d->size);
	if (!entry) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	if (set_text(entry, "mediaType", d->media_type, err) ||
	    set_text(entry, "artifactType", d->artifact_type, err) ||
	    set_annotations(entry, d->annotations, err))
		return NULL;
	return json_incref(entry);
}

/* Makes one descriptor present just as given. */
static int add_one(struct update *u, const struct mf_descriptor *d, struct mf_err *err)
{
	json_t *entry MF_JSON_CLEANUP = entry_of(d, err);
	if (!entry)
		return -1;
	for (size_t i = 0; i < json_array_size(u->entries); i++)
		if (json_equal(json_array_get(u->entries, i), entry))
			return 0;
	if (drop(u, &d->digest, err))
		return -1;
	u->changed = true;
	return json_array_append(u->entries, entry) ? mf_fail_nomem(err) : 0;
}

static int by_digest(const void *a, const void *b)
{
	const char *x = json_string_value(json_object_get(*(json_t *const *)a, "digest"));
	const char *y = json_string_value(json_object_get(*(json_t *const *)b, "digest"));
	return strcmp(x ? x : "", y ? y : "");
}

/* The entries in the order of their digests, as a new array. */
static json_t *sorted(const json_t *entries)
{
	size_t n = json_array_size(entries);
	json_t **v MF_FREE = mf_calloc(n, sizeof(*v));
	json_t *out = json_array();
	for (size_t i = 0; v && i < n; i++)
		v[i] = json_array_get(entries, i);
	if (v)
		qsort(v, n, sizeof(*v), by_digest);
	for (size_t i = 0; v && out && i < n; i++) {
		if (json_array_append(out, v[i])) {
			json_decref(out);
			return NULL;
		}
	}
	if (!v) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static int write_once(struct update *u, const char *tag, struct mf_descriptors *missing, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	json_t *list = sorted(u->entries);
	/* Steals the reference, NULL included. */
	if (json_object_set_new(u->index, "manifests", list))
		return mf_fail_nomem(err);
	if (mf_json_text(u->index, &text, err))
		return mf_wrap(err, "referrers index '%s'", tag);
	return mf_manifest_put(u->store, tag, MF_MT_OCI_INDEX, mf_buf_bytes(&text), NULL, missing, err);
}

static int write_index(struct update *u, const char *tag, struct mf_err *err)
{
	for (unsigned try = 1;; try++) {
		struct mf_descriptors missing MF_DESCRIPTORS_CLEANUP = {0};
		if (write_once(u, tag, &missing, err) == 0)
			return 0;
		if (err->code != MF_E_CONTENT_GONE || try == MAX_TRIES)
			return -1;
		mf_err_clear(err);
		if (missing.n == 0 && drop_dangling(u, err)) /* it did not say which */
			return -1;
		for (size_t i = 0; i < missing.n; i++)
			if (drop(u, &missing.v[i].digest, err))
				return -1;
	}
}

int mf_referrers_update(struct mf_image_store *s, const struct mf_digest *subject,
			const struct mf_descriptor *add, size_t nadd, const struct mf_digest *remove,
			size_t nremove, struct mf_err *err)
{
	struct update u MF_CLEANUP(update_clear) = {.store = s};
	char tag[80];
	if (s->is_layout)
		return 0;
	mf_referrers_tag(tag, subject);
	if (load(&u, tag, err))
		return -1;
	for (size_t i = 0; i < nremove; i++)
		if (drop(&u, &remove[i], err))
			return -1;
	for (size_t i = 0; i < nadd; i++)
		if (add_one(&u, &add[i], err))
			return -1;
	return u.changed ? write_index(&u, tag, err) : 0;
}
