/* Referrers (distribution-spec 1.1): listing them, and writing the fallback index of registries without the
 * API. */
#include "oci/registry.h"

#include "base/limits.h"
#include "base/window.h"
#include "json/json.h"
#include "oci/artifact.h"
#include "oci/backend.h"

/* ---- listing */

/* No real subject has more. Merging takes quadratic time, and a hostile registry could send any number. */
#define MAX_REFERRERS 10000
#define MAX_PAGES 1000
#define WINDOW MF_REGISTRY_WINDOW /* lists that are read or written at the same time */

static void ask_for_index(struct mf_exchange *x)
{
	mf_exchange_header(x, "Accept: " MF_MT_OCI_INDEX);
	x->req.max_bytes = MF_MAX_MANIFEST_BYTES;
	/* Some registries without the API redirect to a web page. */
	x->req.no_redirect = true;
}

static int merge_page(struct mf_descriptors *list, struct mf_bytes body, struct mf_err *err)
{
	json_t *index MF_JSON_CLEANUP = mf_json_load(body, MF_MAX_MANIFEST_BYTES, err);
	if (!index || mf_descriptors_merge(list, index, err) < 0)
		return -1;
	if (list->n > MAX_REFERRERS)
		return mf_fail(err, MF_E_UNAVAILABLE, 0, "list referrers: more than %d", MAX_REFERRERS);
	return 0;
}

/* Whether the error means that the registry answered: it refused, or sent something that is not a list. */
static bool is_answer(const struct mf_err *err)
{
	return err->code == MF_E_NOT_FOUND || err->code == MF_E_FORMAT || err->code == MF_E_AUTH ||
	       err->code == MF_E_REFUSED || err->code == MF_E_DIGEST;
}

/* Reads all pages of the API. MF_ABSENT: the answer is not that of the API. */
static enum mf_found read_api(struct mf_exchange *x, struct mf_descriptors *out, struct mf_err *err)
{
	for (unsigned page = 0; page < MAX_PAGES; page++) {
		if ((page ? mf_exchange_run(x, err) : mf_exchange_end(x, err)) < 0)
			return is_answer(err) ? MF_ABSENT : MF_FAILED;
		if (!mf_exchange_ok(x)) {
			(void)mf_exchange_fail(x, "list referrers", err);
			return is_answer(err) ? MF_ABSENT : MF_FAILED;
		}
		if (merge_page(out, mf_buf_bytes(&x->res->body), err) < 0)
			return is_answer(err) ? MF_ABSENT : MF_FAILED;
		int next = mf_registry_next_page(x, err);
		if (next <= 0)
			return next < 0 ? MF_FAILED : MF_FOUND;
		ask_for_index(x);
	}
	(void)mf_fail(err, MF_E_UNAVAILABLE, 0, "list referrers: more than %d pages", MAX_PAGES);
	return MF_FAILED;
}

/* Whether the manifest at the fallback tag is a list. Some registries (GitLab's) give the subject itself
 * there. */
static bool is_list(const struct mf_manifest *m, const struct mf_digest *subject)
{
	return m->is_index && !mf_digest_eq(&m->digest, subject);
}

/* Ends the request for the fallback tag. *m is empty when the tag does not exist. */
static int read_tag(struct mf_manifest_call *call, const struct mf_digest *subject, struct mf_manifest *m,
		    enum mf_referrers_by *by, struct mf_err *err)
{
	*by = MF_REFERRERS_TAG;
	if (mf_manifest_get_end(call, m, err) < 0) {
		if (!is_answer(err))
			return -1;
		*by = err->code == MF_E_NOT_FOUND ? MF_REFERRERS_TAG : MF_REFERRERS_NOWHERE;
		mf_err_clear(err);
	} else if (!is_list(m, subject)) {
		*by = MF_REFERRERS_NOWHERE;
	}
	return 0;
}

/* The requests of one subject: for the API, for the tag, or for both while it is unknown whether the API
 * exists. */
struct pair {
	struct mf_exchange api;
	struct mf_manifest_call *tag;
};

static void pair_clear(struct pair *p)
{
	mf_exchange_clear(&p->api);
	mf_manifest_call_cancel(p->tag);
	p->tag = NULL;
}

struct pairs {
	struct mf_image_store *s;
	const struct mf_digest *subjects;
	struct pair *window;
};

static void pairs_clear(struct pairs *p)
{
	for (size_t i = 0; p->window && i < WINDOW; i++)
		pair_clear(&p->window[i]);
	free(p->window);
}

static int pair_begin(void *arg, size_t i, struct mf_err *err)
{
	const struct pairs *all = arg;
	struct mf_image_store *s = all->s;
	struct pair *p = &all->window[i % WINDOW];
	char digest[MF_DIGEST_TEXT], tag[80];
	mf_digest_format(digest, &all->subjects[i]);
	mf_referrers_tag(tag, &all->subjects[i]);
	if (s->referrers_api != MF_API_ABSENT) {
		if (mf_exchange_init(&p->api, s->b, "GET", MF_ACCESS_PULL, err, "referrers/%s", digest) < 0)
			return -1;
		ask_for_index(&p->api);
		if (mf_exchange_begin(&p->api, err) < 0)
			return -1;
	}
	if (s->referrers_api != MF_API_THERE)
		p->tag = mf_manifest_get_begin(s, tag, err);
	return s->referrers_api != MF_API_THERE && !p->tag ? -1 : 0;
}

/* Gives the list of the API if it has entries, because some registries always answer with an empty one;
 * otherwise the list at the tag. */
static int pair_end(struct pair *p, struct mf_image_store *s, const struct mf_digest *subject,
		    struct mf_descriptors *list, enum mf_referrers_by *by, struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	struct mf_manifest_call *tag = p->tag;
	enum mf_found api = p->api.reg ? read_api(&p->api, list, err) : MF_ABSENT;
	if (api == MF_FAILED)
		return -1;
	mf_err_clear(err);
	if (api == MF_FOUND && list->n)
		s->referrers_api = MF_API_THERE;
	else if (api == MF_ABSENT && s->referrers_api == MF_API_UNKNOWN)
		s->referrers_api = MF_API_ABSENT;
	*by = api == MF_FOUND ? MF_REFERRERS_API : MF_REFERRERS_NOWHERE;
	if (s->referrers_api == MF_API_THERE || !tag) {
		pair_clear(p);
		return 0;
	}
	mf_descriptors_clear(list);
	p->tag = NULL;
	pair_clear(p);
	if (read_tag(tag, subject, &m, by, err) < 0)
		return -1;
	return *by == MF_REFERRERS_TAG && m.bytes.n ? merge_page(list, mf_buf_bytes(&m.bytes), err) : 0;
}

int mf_registry_referrers(struct mf_image_store *s, const struct mf_digest *subjects, size_t n,
			  mf_referrers_fn each, void *arg, struct mf_err *err)
{
	struct pairs p MF_CLEANUP(pairs_clear) = {s, subjects, mf_calloc(WINDOW, sizeof *p.window)};
	struct mf_window ahead = {.n = n, .begin = pair_begin, .arg = &p};
	if (!p.window)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
		enum mf_referrers_by by;
		/* The first subject goes alone, because its answer shows whether the API exists. */
		ahead.most = i == 0 && s->referrers_api == MF_API_UNKNOWN ? 1 : WINDOW;
		if (mf_window_reach(&ahead, i, err) < 0 ||
		    pair_end(&p.window[i % WINDOW], s, &subjects[i], &list, &by, err) < 0 ||
		    each(arg, i, &list, by, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the fallback index: entries are handled as JSON, not as descriptors, so that entries of other tools
 * keep all their members */

#define MAX_TRIES 3 /* manifests may vanish between the check here and the registry's */

/* One list, which is read, changed and written. */
struct update {
	struct mf_image_store *store;
	const struct mf_referrers_change *change;
	struct mf_manifest_call *call; /* the request in flight, or NULL */
	char tag[80];
	json_t *index;   /* the document, without its entries; owned */
	json_t *entries; /* owned */
	bool changed;
};

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

static int load(struct update *u, enum mf_referrers_by *by, struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	struct mf_manifest_call *call = u->call;
	json_t *entries = NULL;
	u->call = NULL;
	if (read_tag(call, &u->change->subject, &m, by, err) < 0 || *by != MF_REFERRERS_TAG)
		return *by != MF_REFERRERS_TAG ? 0 : -1;
	if (!m.bytes.n) {
		u->index = json_pack("{s:s, s:i}", "mediaType", MF_MT_OCI_INDEX, "schemaVersion", 2);
		u->entries = json_array();
		return u->index && u->entries ? 0 : mf_fail_nomem(err);
	}
	u->index = mf_json_load(mf_buf_bytes(&m.bytes), MF_MAX_MANIFEST_BYTES, err);
	if (!u->index)
		return -1;
	entries = json_object_get(u->index, "manifests");
	u->entries = json_is_array(entries) ? json_incref(entries) : json_array();
	return u->entries ? 0 : mf_fail_nomem(err);
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

/* Drops entries whose manifests are gone, because a registry refuses an index that names them. This runs only
 * after such a refusal, since it costs a request for each entry. */
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
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' of a descriptor is not a string", name);
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

/* Makes sure that the list has the descriptor exactly as given. */
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

static bool is_kept(const struct mf_referrers_change *c, const json_t *entry)
{
	for (size_t i = 0; i < c->nkeep; i++)
		if (entry_is(entry, &c->keep[i]))
			return true;
	return false;
}

/* Drops the entries of records that no longer exist, and the entry that the change names in `drop`. */
static int drop_stale(struct update *u, struct mf_err *err)
{
	for (size_t i = json_array_size(u->entries); i-- > 0;) {
		const json_t *entry = json_array_get(u->entries, i);
		const char *type = json_string_value(json_object_get(entry, "artifactType"));
		bool foreign =
		    mf_artifact_is_foreign(json_object_get(entry, "annotations"), u->change->owner);
		bool stale = mf_is_our_artifact(type) && !foreign && !u->change->keep_all &&
			     !is_kept(u->change, entry);
		bool dropped = u->change->drop && entry_is(entry, u->change->drop);
		if ((stale || dropped) && drop_at(u, i, err) < 0)
			return -1;
	}
	return 0;
}

static int by_digest(const void *a, const void *b)
{
	const char *x = json_string_value(json_object_get(*(json_t *const *)a, "digest"));
	const char *y = json_string_value(json_object_get(*(json_t *const *)b, "digest"));
	return strcmp(x ? x : "", y ? y : "");
}

/* Returns the entries in the order of their digests, as a new array. */
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

/* Begins to write the index. */
static int write_begin(struct update *u, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	json_t *list = sorted(u->entries);
	/* json_object_set_new takes over `list`, and fails when it is NULL. */
	if (json_object_set_new(u->index, "manifests", list))
		return mf_fail_nomem(err);
	if (mf_json_text(u->index, &text, err) < 0)
		return mf_wrap(err, "referrers index '%s'", u->tag);
	u->call = mf_manifest_put_begin(u->store, u->tag, MF_MT_OCI_INDEX, mf_buf_bytes(&text), err);
	return u->call ? 0 : -1;
}

/* Ends the write. Repeats it without the entries whose manifests the registry lacks. */
static int write_end(struct update *u, struct mf_err *err)
{
	for (unsigned try = 1;; try++) {
		struct mf_descriptors missing MF_DESCRIPTORS_CLEANUP = {0};
		struct mf_manifest_call *call = u->call;
		u->call = NULL;
		if (mf_manifest_put_end(call, NULL, &missing, err) == 0)
			return 0;
		if (err->code != MF_E_CONTENT_GONE || try == MAX_TRIES)
			return -1;
		mf_err_clear(err);
		if (missing.n == 0 && drop_dangling(u, err) < 0) /* the registry did not name them */
			return -1;
		for (size_t i = 0; i < missing.n; i++)
			if (drop(u, &missing.v[i].digest, err) < 0)
				return -1;
		if (write_begin(u, err) < 0)
			return -1;
	}
}

static int update_begin(struct update *u, struct mf_image_store *s, const struct mf_referrers_change *change,
			struct mf_err *err)
{
	u->store = s;
	u->change = change;
	mf_referrers_tag(u->tag, &change->subject);
	u->call = mf_manifest_get_begin(s, u->tag, err);
	return u->call ? 0 : -1;
}

static int no_list(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
		   struct mf_err *err)
{
	(void)arg, (void)i, (void)list, (void)by, (void)err;
	return 0;
}

/* Finds out whether the registry has the API: a list is written at a tag only where it has none, even if
 * another tool has begun one. The answer to the artifact manifest has usually shown it already. A change that
 * only removes entries does not need to know. */
static int ask_api(const struct update *u, struct mf_err *err)
{
	struct mf_image_store *s = u->store;
	if (!u->change->nadd || s->subject_unseen || s->referrers_api != MF_API_UNKNOWN)
		return 0;
	return mf_registry_referrers(s, &u->change->subject, 1, no_list, NULL, err);
}

/* Changes the list that was read, and begins to write it if that makes a difference. */
static int update_write(struct update *u, struct mf_err *err)
{
	enum mf_referrers_by by;
	if (load(u, &by, err) < 0 || ask_api(u, err) < 0)
		return -1;
	if (by != MF_REFERRERS_TAG || u->store->referrers_api == MF_API_THERE)
		return 0;
	if (drop_stale(u, err) < 0)
		return -1;
	for (size_t i = 0; i < u->change->nadd; i++)
		if (add_one(u, &u->change->add[i], err) < 0)
			return -1;
	return u->changed ? write_begin(u, err) : 0;
}

/* The first WINDOW lists are requested at the beginning; each further group follows when the one before it is
 * written. */
struct mf_referrers_update {
	struct mf_image_store *store;
	const struct mf_referrers_change *changes;
	size_t n, at;
	bool writing; /* the lists that were read are being written */
	struct update v[WINDOW];
};

void mf_referrers_update_cancel(struct mf_referrers_update *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < WINDOW; i++) {
		mf_manifest_call_cancel(u->v[i].call);
		json_decref(u->v[i].index);
		json_decref(u->v[i].entries);
	}
	free(u);
}

static void update_cleanup(struct mf_referrers_update **u)
{
	mf_referrers_update_cancel(*u);
}

static size_t window_of(const struct mf_referrers_update *u)
{
	return u->n - u->at < WINDOW ? u->n - u->at : WINDOW;
}

static int read_some(struct mf_referrers_update *u, struct mf_err *err)
{
	for (size_t i = 0; i < window_of(u); i++)
		if (update_begin(&u->v[i], u->store, &u->changes[u->at + i], err) < 0)
			return -1;
	return 0;
}

int mf_referrers_update_write(struct mf_referrers_update *u, struct mf_err *err)
{
	if (!u || u->writing)
		return 0;
	u->writing = true;
	for (size_t i = 0; i < window_of(u); i++)
		if (update_write(&u->v[i], err) < 0)
			return -1;
	return 0;
}

static int write_some(struct mf_referrers_update *u, struct mf_err *err)
{
	if (mf_referrers_update_write(u, err) < 0)
		return -1;
	for (size_t i = 0; i < window_of(u); i++) {
		if (u->v[i].call && write_end(&u->v[i], err) < 0)
			return -1;
		json_decref(u->v[i].index);
		json_decref(u->v[i].entries);
		u->v[i] = (struct update){0};
	}
	u->at += window_of(u);
	u->writing = false;
	return 0;
}

struct mf_referrers_update *mf_referrers_update_begin(struct mf_image_store *s,
						      const struct mf_referrers_change *changes, size_t n,
						      struct mf_err *err)
{
	struct mf_referrers_update *u MF_CLEANUP(update_cleanup) = mf_calloc(1, sizeof *u);
	if (!u) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	*u = (struct mf_referrers_update){.store = s, .changes = changes};
	if (!s->is_layout && s->referrers_api != MF_API_THERE)
		u->n = n;
	if (read_some(u, err) < 0)
		return NULL;
	struct mf_referrers_update *begun = u;
	u = NULL;
	return begun;
}

int mf_referrers_update_end(struct mf_referrers_update *update, struct mf_err *err)
{
	struct mf_referrers_update *u MF_CLEANUP(update_cleanup) = update;
	while (u && u->at < u->n)
		if (write_some(u, err) < 0 || read_some(u, err) < 0)
			return -1;
	return 0;
}

int mf_referrers_update(struct mf_image_store *s, const struct mf_referrers_change *changes, size_t n,
			struct mf_err *err)
{
	struct mf_referrers_update *u = mf_referrers_update_begin(s, changes, n, err);
	return u ? mf_referrers_update_end(u, err) : -1;
}
