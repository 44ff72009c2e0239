/* The catalogue: an index that people can read without trust tools, and that protects blobs from garbage
 * collection. It is derived from the signed records and never trusted. What cannot be read of an old
 * catalogue is ignored. */
#include <stdio.h>

#include "base/limits.h"
#include "crypto/hash.h"
#include "json/json.h"
#include "oci/artifact.h"
#include "oci/backend.h"

#define TAG "_manifesto"
#define MT_CONFIG "application/vnd.manifesto.catalogue.v1+json"
#define MAX_CONFIG ((size_t)16 << 20) /* 4,000 records are about 1.5 MB; a part may hold more */
#define MAX_TRIES 4                   /* blobs may vanish between two reads */
#define PARTS 256

struct entry {
	struct mf_catalogue_record r;
	bool missing;
};

struct entries {
	struct entry *v;
	size_t n, cap;
};

static void entries_clear(struct entries *e)
{
	free(e->v);
}
#define ENTRIES_CLEANUP MF_CLEANUP(entries_clear)

static int entries_add(struct entries *e, const struct mf_catalogue_record *r, struct mf_err *err)
{
	void *v = e->v;
	if (mf_grow(&v, &e->cap, e->n, sizeof *e->v, err) < 0)
		return -1;
	e->v = v;
	e->v[e->n++] = (struct entry){.r = *r, .missing = r->missing};
	return 0;
}

static int cmp_digest(const struct mf_digest *a, const struct mf_digest *b)
{
	return memcmp(a->b, b->b, sizeof a->b);
}

static int cmp_key(const struct mf_catalogue_record *a, const struct mf_catalogue_record *b)
{
	int c = cmp_digest(&a->subject, &b->subject);
	if (!c)
		c = strcmp(a->type, b->type);
	if (!c)
		c = strcmp(a->role, b->role);
	return c ? c : cmp_digest(&a->blob, &b->blob);
}

/* A total order over all members that are written, so that the same records give the same bytes in whatever
 * order they come. */
static int by_key(const void *a, const void *b)
{
	const struct mf_catalogue_record *x = &((const struct entry *)a)->r,
					 *y = &((const struct entry *)b)->r;
	int c = cmp_key(x, y);
	if (!c)
		c = strcmp(x->media_type, y->media_type);
	if (!c)
		c = strcmp(x->created ? x->created : "", y->created ? y->created : "");
	return c ? c : (x->length > y->length) - (x->length < y->length);
}

static void sort_unique(struct entries *e)
{
	size_t kept = 0;
	if (e->n)
		qsort(e->v, e->n, sizeof *e->v, by_key);
	for (size_t i = 0; i < e->n; i++)
		if (kept == 0 || cmp_key(&e->v[kept - 1].r, &e->v[i].r) != 0)
			e->v[kept++] = e->v[i];
	e->n = kept;
}

/* ---- reading the present catalogue */

static void part_tag(char out[16], unsigned part)
{
	(void)snprintf(out, 16, TAG "-%02x", part & 0xffu);
}

/* Reads the config document of a catalogue manifest. MF_E_FORMAT when the manifest is not a catalogue. */
static json_t *read_config(struct mf_image_store *s, const struct mf_manifest *m, struct mf_err *err)
{
	struct mf_descriptor d = {0};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MAX_CONFIG);
	json_t *manifest MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&m->bytes), MF_MAX_MANIFEST_BYTES, err);
	if (!manifest || mf_descriptor_read(json_object_get(manifest, "config"), &d, err) < 0)
		return NULL;
	bool ours = d.media_type && strcmp(d.media_type, MT_CONFIG) == 0 && d.size <= MAX_CONFIG;
	struct mf_digest digest = d.digest;
	uint64_t size = d.size;
	mf_descriptor_clear(&d);
	if (!ours) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "the manifest is not a catalogue");
		return NULL;
	}
	struct mf_spool *spool MF_SPOOL_CLEANUP = mf_spool_new(size, err);
	size_t got;
	if (!spool || mf_blob_get(s, &digest, size, spool, err) < 0 || mf_buf_reserve(&text, size, err) < 0 ||
	    mf_spool_read(spool, 0, text.p, size, &got, err) < 0)
		return NULL;
	return mf_json_load((struct mf_bytes){(const uint8_t *)text.p, got}, MAX_CONFIG, err);
}

/* Whether the catalogue can be written again: its content is wrong or gone. A registry that does not answer
 * is an error. */
static bool can_rebuild(const struct mf_err *err)
{
	return err->code == MF_E_NOT_FOUND || err->code == MF_E_FORMAT || err->code == MF_E_DIGEST ||
	       err->code == MF_E_CONTENT_GONE || err->code == MF_E_REFUSED;
}

/* Reads which parts the list under a tag or digest names. MF_ABSENT when it is not a list of parts. */
static enum mf_found read_parts(struct mf_image_store *s, struct mf_manifest_name name, bool parts[PARTS],
				struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	json_t *config MF_JSON_CLEANUP = NULL;
	if ((name.tag ? mf_manifest_get_tag(s, name.tag, &m, err)
		      : mf_manifest_get(s, name.digest, &m, err)) == 0)
		config = read_config(s, &m, err);
	if (!config) {
		if (!can_rebuild(err))
			return MF_FAILED;
		mf_err_clear(err);
		return MF_ABSENT;
	}
	const json_t *list = json_object_get(config, "parts");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *tag = json_string_value(json_array_get(list, i));
		for (unsigned part = 0; tag && part < PARTS; part++) {
			char own[16];
			part_tag(own, part);
			parts[part] |= strcmp(tag, own) == 0;
		}
	}
	return json_is_array(list) ? MF_FOUND : MF_ABSENT;
}

/* ---- building */

static void write_record(struct mf_json_out *j, const struct entry *e)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &e->r.blob);
	mf_json_add_object(j, NULL);
	if (e->r.created)
		mf_json_add_text(j, "created", e->r.created);
	mf_json_add_text(j, "digest", digest);
	mf_json_add_text(j, "mediaType", e->r.media_type);
	if (e->missing)
		mf_json_add_bool(j, "missing", true);
	mf_json_add_text(j, "role", e->r.role);
	mf_json_add_int(j, "size", (int64_t)e->r.length);
	mf_json_add_text(j, "type", e->r.type);
	mf_json_close(j);
}

static void write_images(struct mf_json_out *j, const struct entries *e)
{
	mf_json_add_array(j, "images");
	for (size_t i = 0; i < e->n; i++) {
		bool first = i == 0 || !mf_digest_eq(&e->v[i].r.subject, &e->v[i - 1].r.subject);
		bool last = i + 1 == e->n || !mf_digest_eq(&e->v[i].r.subject, &e->v[i + 1].r.subject);
		char digest[MF_DIGEST_TEXT];
		mf_digest_format(digest, &e->v[i].r.subject);
		if (first) {
			mf_json_add_object(j, NULL);
			mf_json_add_text(j, "image_digest", digest);
			mf_json_add_array(j, "manifesto");
		}
		write_record(j, &e->v[i]);
		if (last) {
			mf_json_close(j);
			mf_json_close(j);
		}
	}
	mf_json_close(j);
}

/* Writes the config document: with parts NULL that of a catalogue or of one part, otherwise that of the list
 * of parts. */
static int build_config(const struct entries *e, const bool *parts, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_out j;
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	mf_json_add_object(&j, NULL);
	write_images(&j, e);
	if (parts)
		mf_json_add_array(&j, "parts");
	for (unsigned i = 0; parts && i < PARTS; i++) {
		char tag[16];
		part_tag(tag, i);
		if (parts[i])
			mf_json_add_text(&j, NULL, tag);
	}
	if (parts)
		mf_json_close(&j);
	mf_json_close(&j);
	return mf_json_finish(&j);
}

static int by_blob(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;
	int c = cmp_digest(&x->r.blob, &y->r.blob);
	return c ? c : by_key(x, y);
}

/* Writes the blobs that are not missing as layers, each once. */
static int write_layers(struct mf_json_out *j, const struct entries *e, struct mf_err *err)
{
	const struct entry **v MF_FREE = mf_calloc(e->n, sizeof(const struct entry *));
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < e->n; i++)
		v[i] = &e->v[i];
	qsort(v, e->n, sizeof *v, by_blob);
	const struct entry *last = NULL;
	mf_json_add_array(j, "layers");
	for (size_t i = 0; i < e->n; i++) {
		if (v[i]->missing || (last && mf_digest_eq(&last->r.blob, &v[i]->r.blob)))
			continue;
		last = v[i];
		mf_descriptor_write(j, NULL,
				    &(struct mf_piece){.digest = last->r.blob,
						       .size = last->r.length,
						       .media_type = last->r.media_type});
	}
	mf_json_close(j);
	return 0;
}

static int build_manifest(const struct entries *e, const struct mf_piece *config, struct mf_buf *out,
			  struct mf_err *err)
{
	struct mf_json_out j;
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	mf_json_add_object(&j, NULL);
	mf_descriptor_write(&j, "config", config);
	if (write_layers(&j, e, err) < 0)
		return -1;
	mf_json_add_text(&j, "mediaType", MF_MT_OCI_MANIFEST);
	mf_json_add_int(&j, "schemaVersion", 2);
	mf_json_close(&j);
	return mf_json_finish(&j);
}

/* ---- writing */

struct target {
	struct mf_image_store *store;
	const char *tag;
	bool unasked; /* written without a request for its present state */
	bool exists;
	struct mf_digest now; /* what the tag named before, when it existed */
	bool written;
	const struct mf_catalogue_scope *scope; /* for `_manifesto` itself; NULL for a part */
	const struct mf_digest *config;         /* a configuration that is stored already; NULL: none */
	bool *differs; /* not NULL: nothing is written, and it is set to true where something would be */
};

static int resolve_tag(struct target *t, struct mf_err *err)
{
	if (t->unasked)
		return 0;
	struct mf_resolve *r = mf_resolve_begin(t->store, t->tag, err);
	if (!r)
		return -1;
	t->exists = mf_resolve_end(r, &t->now, NULL, NULL, err) == 0;
	if (t->exists)
		return 0;
	/* A tag whose content cannot be used is overwritten. */
	if (!can_rebuild(err))
		return -1;
	mf_err_clear(err);
	return 0;
}

/* Marks the blobs that the registry reported as unknown; if it named none, checks each blob. Sets *more when
 * a blob was marked. */
static int mark_missing(struct target *t, struct entries *e, const struct mf_descriptors *named, bool *more,
			struct mf_err *err)
{
	struct mf_digest *digests MF_FREE = mf_calloc(e->n, sizeof *digests);
	bool *present MF_FREE = mf_calloc(e->n, sizeof *present);
	if (!digests || !present)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < e->n; i++) {
		digests[i] = e->v[i].r.blob;
		present[i] = true;
		for (size_t k = 0; k < named->n; k++)
			present[i] &= !mf_digest_eq(&named->v[k].digest, &digests[i]);
	}
	if (named->n == 0 && mf_blobs_have(t->store, digests, e->n, present, err) < 0)
		return -1;
	for (size_t i = 0; i < e->n; i++) {
		*more |= !present[i] && !e->v[i].missing;
		e->v[i].missing |= !present[i];
	}
	return 0;
}

/* Makes one attempt. MF_FOUND: the tag is as it should be; MF_ABSENT: blobs were missing, so build it
 * again. */
static enum mf_found try_write(struct target *t, struct entries *e, const bool *parts, struct mf_err *err)
{
	struct mf_buf config MF_BUF_CLEANUP = MF_BUF_INIT(MAX_CONFIG);
	struct mf_buf manifest MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	struct mf_descriptors missing MF_DESCRIPTORS_CLEANUP = {0};
	struct mf_piece piece = {.media_type = MT_CONFIG};
	struct mf_digest digest;
	if (build_config(e, parts, &config, err) < 0 ||
	    mf_sha256(mf_buf_bytes(&config), &piece.digest, err) < 0)
		return MF_FAILED;
	piece.size = config.n;
	if (build_manifest(e, &piece, &manifest, err) < 0 ||
	    mf_sha256(mf_buf_bytes(&manifest), &digest, err) < 0)
		return MF_FAILED;
	if (t->exists && mf_digest_eq(&digest, &t->now))
		return MF_FOUND;
	if (t->differs) {
		t->written = *t->differs = true;
		return MF_FOUND;
	}
	bool stored = t->config && mf_digest_eq(t->config, &piece.digest);
	if (!stored && mf_blob_put_bytes(t->store, mf_buf_bytes(&config), &digest, err) < 0)
		return MF_FAILED;
	if (t->scope && t->scope->meanwhile)
		t->scope->meanwhile(t->scope->arg);
	if (mf_manifest_put(t->store, t->tag, MF_MT_OCI_MANIFEST, mf_buf_bytes(&manifest), NULL, &missing,
			    err) == 0) {
		t->written = true;
		return MF_FOUND;
	}
	if (err->code != MF_E_CONTENT_GONE)
		return MF_FAILED;
	struct mf_err why = *err;
	bool more = false;
	mf_err_clear(err);
	if (mark_missing(t, e, &missing, &more, err) < 0)
		return MF_FAILED;
	t->config = NULL;
	if (more || stored)
		return MF_ABSENT;
	*err = why;
	return MF_FAILED;
}

/* Writes one catalogue tag. It assumes that blobs are there until the registry says otherwise: to
 * check thousands of them before every publish would cost more than the publish. */
static int write_tag(struct target *t, struct entries *e, const bool *parts, struct mf_err *err)
{
	if (resolve_tag(t, err) < 0)
		return mf_wrap(err, "catalogue '%s'", t->tag);
	if (!t->exists && !t->unasked && e->n == 0 && !parts)
		return 0;
	for (unsigned try = 0; try < MAX_TRIES; try++) {
		enum mf_found rc = try_write(t, e, parts, err);
		if (rc == MF_FAILED)
			return mf_wrap(err, "catalogue '%s'", t->tag);
		if (rc == MF_FOUND)
			return 0;
	}
	return mf_fail(err, MF_E_CONTENT_GONE, 0, "catalogue '%s': the registry keeps losing blobs", t->tag);
}

/* Writes one part, whose entries are a slice of the sorted entries of all parts. */
static int write_part(const struct target *top, unsigned part, const struct entries *all, struct mf_err *err)
{
	char tag[16];
	size_t from = 0;
	part_tag(tag, part);
	while (from < all->n && all->v[from].r.subject.b[0] < part)
		from++;
	size_t to = from;
	while (to < all->n && all->v[to].r.subject.b[0] == part)
		to++;
	struct entries slice = {all->v ? all->v + from : NULL, to - from, to - from};
	struct target t = {.store = top->store, .tag = tag, .differs = top->differs};
	return write_tag(&t, &slice, NULL, err);
}

/* Empties the parts that the old catalogue (the state before this write) lists and the new one does not: they
 * would keep blobs alive that nothing refers to. */
static int retire(struct target *top, const bool *parts, struct mf_err *err)
{
	bool old[PARTS] = {false};
	struct entries none = {0};
	if (!top->written || !top->exists)
		return 0;
	if (read_parts(top->store, (struct mf_manifest_name){NULL, &top->now}, old, err) == MF_FAILED)
		return -1;
	for (unsigned i = 0; i < PARTS; i++)
		if (old[i] && !(parts && parts[i]) && write_part(top, i, &none, err) < 0)
			return -1;
	return 0;
}

static int write_parts(const struct target *top, const struct entries *all, const bool *given,
		       struct mf_err *err)
{
	for (unsigned i = 0; i < PARTS; i++)
		if (given[i] && write_part(top, i, all, err) < 0)
			return -1;
	return 0;
}

/* Writes the parts first, so that the list never names a part that is not there. `touched`: the parts to
 * write. */
static int write_split(struct target *top, const struct entries *all, const bool *touched, const bool *parts,
		       struct mf_err *err)
{
	struct entries none = {0};
	return write_parts(top, all, touched, err) < 0 ? -1 : write_tag(top, &none, parts, err);
}

static void mark_parts(bool *parts, const struct entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		parts[e->v[i].r.subject.b[0]] = true;
}

/* Checks whether the catalogue is split already, into at least these parts. */
static enum mf_found is_split_into(struct target *top, const bool *parts, struct mf_err *err)
{
	bool has[PARTS] = {false};
	enum mf_found split = read_parts(top->store, (struct mf_manifest_name){top->tag, NULL}, has, err);
	for (unsigned i = 0; split == MF_FOUND && i < PARTS; i++)
		if (parts[i] && !has[i])
			return MF_ABSENT;
	return split;
}

static enum mf_catalogue_result write_all(struct target *top, struct entries *all,
					  const struct mf_catalogue_scope *scope, struct mf_err *err)
{
	bool split = all->n > mf_catalogue_records || scope->given, own[PARTS] = {false};
	const bool *parts = scope->parts ? scope->parts : own, *given = scope->given;
	if (scope->step == MF_CATALOGUE_PARTS)
		return write_parts(top, all, given, err) < 0 ? MF_CATALOGUE_FAILED : MF_CATALOGUE_DONE;
	mark_parts(own, all);
	enum mf_found ready =
	    given && scope->step == MF_CATALOGUE_WHOLE ? is_split_into(top, parts, err) : MF_FOUND;
	if (ready != MF_FOUND)
		return ready == MF_FAILED ? MF_CATALOGUE_FAILED : MF_CATALOGUE_NEEDS_ALL;
	/* When the number of records is near the limit, the catalogue may have been split until now, so it is
	 * read: its parts must be emptied. */
	top->unasked = scope->changed && all->n + PARTS < mf_catalogue_records && !split;
	if ((split ? write_split(top, all, given ? given : parts, parts, err)
		   : write_tag(top, all, NULL, err)) < 0)
		return MF_CATALOGUE_FAILED;
	return retire(top, split ? parts : NULL, err) < 0 ? MF_CATALOGUE_FAILED : MF_CATALOGUE_DONE;
}

static int start(struct entries *all, const struct mf_catalogue_record *records, size_t n, struct mf_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (entries_add(all, &records[i], err) < 0)
			return -1;
	sort_unique(all);
	return 0;
}

enum mf_catalogue_result mf_catalogue_set(struct mf_image_store *s, const struct mf_catalogue_record *records,
					  size_t n, struct mf_catalogue_scope scope, struct mf_err *err)
{
	struct entries all ENTRIES_CLEANUP = {0};
	struct target top = {.store = s, .tag = TAG, .scope = &scope, .config = scope.config};
	if (s->is_layout)
		return MF_CATALOGUE_DONE;
	return start(&all, records, n, err) < 0 ? MF_CATALOGUE_FAILED : write_all(&top, &all, &scope, err);
}

int mf_catalogue_config(const struct mf_catalogue_record *records, size_t n, struct mf_buf *out,
			struct mf_err *err)
{
	struct entries all ENTRIES_CLEANUP = {0};
	return start(&all, records, n, err) < 0 ? -1 : build_config(&all, NULL, out, err);
}

int mf_catalogue_check(struct mf_image_store *s, const struct mf_catalogue_record *records, size_t n,
		       struct mf_catalogue_scope scope, bool *differs, struct mf_err *err)
{
	struct entries all ENTRIES_CLEANUP = {0};
	struct target top = {.store = s, .tag = TAG, .differs = differs};
	*differs = false;
	if (s->is_layout)
		return 0;
	return start(&all, records, n, err) < 0 || write_all(&top, &all, &scope, err) == MF_CATALOGUE_FAILED
		   ? -1
		   : 0;
}

struct mf_manifest_call *mf_catalogue_keep_begin(struct mf_image_store *s, struct mf_bytes artifact,
						 struct mf_err *err)
{
	struct mf_digest digest;
	char hex[65], tag[80];
	if (mf_sha256(artifact, &digest, err) < 0)
		return NULL;
	mf_digest_hex(hex, &digest);
	(void)snprintf(tag, sizeof tag, TAG "-%s", hex);
	return mf_manifest_put_begin(s, tag, MF_MT_OCI_MANIFEST, artifact, err);
}
