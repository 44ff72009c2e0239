/* Referrers (distribution-spec 1.1): listing them, and the fallback index of registries without the API. */
#include "oci/registry.h"

#include "base/limits.h"
#include "json/json.h"
#include "oci/artifact.h"
#include "oci/backend.h"

/* ---- listing */

/* A subject with more is not ours; merging is quadratic and a hostile registry chooses the number. */
#define MAX_REFERRERS 10000
#define MAX_PAGES 1000

static void ask_for_index(struct mf_exchange *x)
{
	mf_exchange_header(x, "Accept: " MF_MT_OCI_INDEX);
	x->req.max_bytes = MF_MAX_MANIFEST_BYTES;
}

static int merge_page(struct mf_descriptors *list, struct mf_bytes body, struct mf_err *err)
{
	json_t *index MF_JSON_CLEANUP = mf_json_load(body, MF_MAX_MANIFEST_BYTES, err);
	if (!index || mf_descriptors_merge(list, index, err) < 0)
		return -1;
	if (list->n > MAX_REFERRERS)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d referrers", MAX_REFERRERS);
	return 0;
}

static int read_api(struct mf_exchange *x, struct mf_descriptors *out, bool *api, struct mf_err *err)
{
	if (mf_exchange_end(x, err) < 0)
		return -1;
	*api = x->res->status != 404;
	for (unsigned page = 0; *api; page++) {
		if (!mf_exchange_ok(x))
			return mf_exchange_fail(x, "list referrers", err);
		if (merge_page(out, mf_buf_bytes(&x->res->body), err) < 0)
			return mf_wrap(err, "list referrers");
		int rc = mf_registry_next_page(x, err);
		if (rc <= 0)
			return rc < 0 ? mf_wrap(err, "list referrers") : 0;
		if (page + 1 == MAX_PAGES)
			return mf_fail(err, MF_E_FORMAT, 0, "list referrers: more than %d pages", MAX_PAGES);
		ask_for_index(x);
		if (mf_exchange_run(x, err) < 0)
			return -1;
	}
	return 0;
}

static int read_fallback(struct mf_exchange *x, struct mf_descriptors *out, struct mf_err *err)
{
	if (mf_exchange_end(x, err) < 0)
		return -1;
	if (x->res->status == 404)
		return 0;
	if (!mf_exchange_ok(x))
		return mf_exchange_fail(x, "read the referrers index", err);
	if (merge_page(out, mf_buf_bytes(&x->res->body), err) < 0)
		return mf_wrap(err, "read the referrers index");
	return 0;
}

/* The two requests of one subject. */
struct pair {
	struct mf_exchange api, fallback;
	bool ask_api;
};

static void pair_clear(struct pair *p)
{
	mf_exchange_clear(&p->api);
	mf_exchange_clear(&p->fallback);
}

static void pairs_clear(struct pair **window)
{
	for (size_t i = 0; *window && i < MF_REGISTRY_WINDOW; i++)
		pair_clear(&(*window)[i]);
	free(*window);
}

static int pair_begin(struct pair *p, struct mf_registry *reg, const struct mf_digest *subject, bool ask_api,
		      struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT], tag[80];
	mf_digest_format(digest, subject);
	mf_referrers_tag(tag, subject);
	p->ask_api = ask_api;
	if (mf_exchange_init(&p->fallback, reg, "GET", MF_ACCESS_PULL, err, "manifests/%s", tag) < 0)
		return -1;
	mf_exchange_header(&p->fallback, mf_registry_accept);
	p->fallback.req.max_bytes = MF_MAX_MANIFEST_BYTES;
	if (ask_api && mf_exchange_init(&p->api, reg, "GET", MF_ACCESS_PULL, err, "referrers/%s", digest) < 0)
		return -1;
	if (ask_api)
		ask_for_index(&p->api);
	if (ask_api && mf_exchange_begin(&p->api, err) < 0)
		return -1;
	return mf_exchange_begin(&p->fallback, err);
}

static int pair_end(struct pair *p, struct mf_descriptors *list, bool *api, struct mf_err *err)
{
	*api = false;
	if (p->ask_api && read_api(&p->api, list, api, err) < 0)
		return -1;
	int rc = read_fallback(&p->fallback, list, err);
	pair_clear(p);
	return rc;
}

int mf_registry_referrers(void *b, const struct mf_digest *subjects, size_t n, mf_referrers_fn each,
			  void *arg, struct mf_err *err)
{
	struct pair *window MF_CLEANUP(pairs_clear) = mf_calloc(MF_REGISTRY_WINDOW, sizeof *window);
	size_t begun = 0;
	bool api = true;
	if (!window)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
		/* The first goes alone: it tells whether there is an API. */
		size_t ahead = i ? MF_REGISTRY_WINDOW : 1;
		for (; begun < n && begun < i + ahead; begun++)
			if (pair_begin(&window[begun % MF_REGISTRY_WINDOW], b, &subjects[begun], api, err) <
			    0)
				return -1;
		bool has_api;
		if (pair_end(&window[i % MF_REGISTRY_WINDOW], &list, &has_api, err) < 0)
			return -1;
		api = i ? api : has_api;
		if (each(arg, i, &list, has_api, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the fallback index: entries are handled as JSON, not as descriptors, so that what others put there is
 * kept with all its members */

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
	if (mf_manifest_get_tag(u->store, tag, &m, err) < 0) {
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
	if (mf_json_get_arr(u->index, "manifests", MF_JSON_REQUIRED, &entries, err) < 0)
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
		if (entry_is(json_array_get(u->entries, i), digest) && drop_at(u, i, err) < 0)
			return -1;
	return 0;
}

/* Drops entries whose manifests are gone: a registry refuses an index that names them. Asked only when it
 * did, since it costs a request an entry. */
static int drop_dangling(struct update *u, struct mf_err *err)
{
	size_t n = json_array_size(u->entries), known = 0;
	struct mf_digest *digests MF_FREE = mf_calloc(n, sizeof *digests);
	bool *present MF_FREE = mf_calloc(n, sizeof *present);
	if (!digests || !present)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		known += entry_digest(json_array_get(u->entries, i), &digests[known]);
	if (mf_manifests_have(u->store, digests, known, present, err) < 0)
		return -1;
	for (size_t i = 0; i < known; i++)
		if (!present[i] && drop(u, &digests[i], err) < 0)
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
	if (set_text(entry, "mediaType", d->media_type, err) < 0 ||
	    set_text(entry, "artifactType", d->artifact_type, err) < 0 ||
	    set_annotations(entry, d->annotations, err) < 0)
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
	if (drop(u, &d->digest, err) < 0)
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
	json_t **v MF_FREE = mf_calloc(n, sizeof *v);
	json_t *out = json_array();
	for (size_t i = 0; v && i < n; i++)
		v[i] = json_array_get(entries, i);
	if (v)
		qsort(v, n, sizeof *v, by_digest);
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
	if (mf_json_text(u->index, &text, err) < 0)
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
		if (missing.n == 0 && drop_dangling(u, err) < 0) /* it did not say which */
			return -1;
		for (size_t i = 0; i < missing.n; i++)
			if (drop(u, &missing.v[i].digest, err) < 0)
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
	if (load(&u, tag, err) < 0)
		return -1;
	for (size_t i = 0; i < nremove; i++)
		if (drop(&u, &remove[i], err) < 0)
			return -1;
	for (size_t i = 0; i < nadd; i++)
		if (add_one(&u, &add[i], err) < 0)
			return -1;
	return u.changed ? write_index(&u, tag, err) : 0;
}
