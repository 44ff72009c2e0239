/* The catalogue: what people see without trust tools, and what keeps blobs alive through garbage collection.
 * It is derived and never trusted; what cannot be read of an old one is as if it were not there. */
#include <stdio.h>

#include "base/limits.h"
#include "crypto/hash.h"
#include "json/json.h"
#include "oci/artifact.h"
#include "oci/backend.h"

#define TAG "_manifesto"
#define MT_CONFIG "application/vnd.manifesto.catalogue.v1+json"
#define MAX_CONFIG ((size_t)16 << 20) /* 4,000 records are about 1.5 MB; a part may hold more */
#define MAX_TRIES 4                   /* blobs may vanish between two looks */
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

/* A total order over everything that is printed: the same records give the same bytes, however they come. */
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

/* ---- reading what is there */

struct present {
	json_t *trees; /* keep the strings of `entries` alive */
	struct entries entries;
	bool parts[PARTS];
	bool is_split;
};

static void present_clear(struct present *p)
{
	json_decref(p->trees);
	entries_clear(&p->entries);
}
#define PRESENT_CLEANUP MF_CLEANUP(present_clear)

static int read_record(const json_t *j, const struct mf_digest *subject, struct entries *out,
		       struct mf_err *err)
{
	struct mf_catalogue_record r = {.subject = *subject};
	struct mf_err odd = MF_ERR_INIT;
	const char *digest;
	int64_t size;
	/* Entries of the proof of concept have neither role nor size: nothing to keep them by. */
	if (mf_json_get_str(j, "digest", MF_JSON_REQUIRED, &digest, &odd) < 0 ||
	    mf_digest_parse(&r.blob, mf_str_c(digest), &odd) < 0 ||
	    mf_json_get_str(j, "type", MF_JSON_REQUIRED, &r.type, &odd) < 0 ||
	    mf_json_get_str(j, "role", MF_JSON_REQUIRED, &r.role, &odd) < 0 ||
	    mf_json_get_str(j, "mediaType", MF_JSON_REQUIRED, &r.media_type, &odd) < 0 ||
	    mf_json_get_str(j, "created", MF_JSON_OPTIONAL, &r.created, &odd) < 0 ||
	    mf_json_get_int(j, "size", MF_JSON_REQUIRED, 0, (int64_t)MF_MAX_BLOB_BYTES, &size, &odd) < 0)
		return 0;
	r.length = (uint64_t)size;
	return entries_add(out, &r, err);
}

static int read_images(const json_t *config, struct entries *out, struct mf_err *err)
{
	const json_t *images = json_object_get(config, "images");
	for (size_t i = 0; i < json_array_size(images); i++) {
		const json_t *image = json_array_get(images, i), *list = json_object_get(image, "manifesto");
		const char *text = json_string_value(json_object_get(image, "image_digest"));
		struct mf_err odd = MF_ERR_INIT;
		struct mf_digest subject;
		if (!text || mf_digest_parse(&subject, mf_str_c(text), &odd) < 0)
			continue;
		for (size_t k = 0; k < json_array_size(list); k++)
			if (read_record(json_array_get(list, k), &subject, out, err) < 0)
				return -1;
	}
	return 0;
}

static void part_tag(char out[16], unsigned part)
{
	(void)snprintf(out, 16, TAG "-%02x", part & 0xffu);
}

static void read_parts(const json_t *config, struct present *p)
{
	const json_t *list = json_object_get(config, "parts");
	p->is_split |= json_is_array(list);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *tag = json_string_value(json_array_get(list, i));
		for (unsigned part = 0; tag && part < PARTS; part++) {
			char name[16];
			part_tag(name, part);
			p->parts[part] |= strcmp(tag, name) == 0;
		}
	}
}

/* The config document of a catalogue manifest; a failure with MF_E_FORMAT when it is none. */
static json_t *read_config(struct mf_image_store *s, const struct mf_manifest *m, struct mf_err *err)
{
	struct mf_descriptor d = {0};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MAX_CONFIG);
	json_t *manifest MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&m->bytes), MF_MAX_MANIFEST_BYTES, err);
	if (!manifest || mf_descriptor_read(json_object_get(manifest, "config"), &d, err) < 0)
		return NULL;
	bool ours = strcmp(d.media_type, MT_CONFIG) == 0 && d.size <= MAX_CONFIG;
	struct mf_digest digest = d.digest;
	uint64_t size = d.size;
	mf_descriptor_clear(&d);
	if (!ours) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "not a catalogue");
		return NULL;
	}
	struct mf_spool *spool MF_SPOOL_CLEANUP = mf_spool_new(size, err);
	size_t got;
	if (!spool || mf_blob_get(s, &digest, size, spool, err) < 0 || mf_buf_reserve(&text, size, err) < 0 ||
	    mf_spool_read(spool, 0, text.p, size, &got, err) < 0)
		return NULL;
	return mf_json_load((struct mf_bytes){(const uint8_t *)text.p, got}, MAX_CONFIG, err);
}

/* Content that is wrong or gone is rebuilt; a registry that does not answer is an error. */
static bool can_rebuild(const struct mf_err *err)
{
	return err->code == MF_E_NOT_FOUND || err->code == MF_E_FORMAT || err->code == MF_E_DIGEST ||
	       err->code == MF_E_CONTENT_GONE;
}

/* Adds what a catalogue manifest lists to *p, which stays as it is when there is none. */
static int read_present(struct mf_image_store *s, struct mf_manifest_name name, struct present *p,
			struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	json_t *config = NULL;
	if (!p->trees)
		p->trees = json_array();
	if (!p->trees)
		return mf_fail_nomem(err);
	int rc =
	    name.tag ? mf_manifest_get_tag(s, name.tag, &m, err) : mf_manifest_get(s, name.digest, &m, err);
	if (rc == 0)
		config = read_config(s, &m, err);
	if (!config) {
		if (!can_rebuild(err))
			return -1;
		mf_err_clear(err);
		return 0;
	}
	if (json_array_append_new(p->trees, config))
		return mf_fail_nomem(err);
	read_parts(config, p);
	return read_images(config, &p->entries, err);
}

/* ---- building */

static int add_member(struct mf_buf *out, const char *before, const char *text, struct mf_err *err)
{
	return mf_buf_addz(out, before, err) < 0 || mf_json_quote_any(mf_str_c(text), out, err) < 0 ? -1 : 0;
}

static int build_record(const struct entry *e, struct mf_buf *out, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &e->r.blob);
	if (mf_buf_addc(out, '{', err) < 0)
		return -1;
	if (e->r.created &&
	    (add_member(out, "\"created\":", e->r.created, err) < 0 || mf_buf_addc(out, ',', err) < 0))
		return -1;
	if (add_member(out, "\"digest\":", digest, err) < 0 ||
	    add_member(out, ",\"mediaType\":", e->r.media_type, err) < 0)
		return -1;
	if (e->missing && mf_buf_addz(out, ",\"missing\":true", err) < 0)
		return -1;
	if (add_member(out, ",\"role\":", e->r.role, err) < 0 ||
	    mf_buf_printf(out, err, ",\"size\":%llu", (unsigned long long)e->r.length) < 0 ||
	    add_member(out, ",\"type\":", e->r.type, err) < 0)
		return -1;
	return mf_buf_addc(out, '}', err);
}

static int build_images(const struct entries *e, struct mf_buf *out, struct mf_err *err)
{
	if (mf_buf_addz(out, "\"images\":[", err) < 0)
		return -1;
	for (size_t i = 0; i < e->n; i++) {
		bool first = i == 0 || !mf_digest_eq(&e->v[i].r.subject, &e->v[i - 1].r.subject);
		bool last = i + 1 == e->n || !mf_digest_eq(&e->v[i].r.subject, &e->v[i + 1].r.subject);
		char digest[MF_DIGEST_TEXT];
		mf_digest_format(digest, &e->v[i].r.subject);
		if (first && mf_buf_printf(out, err, "%s{\"image_digest\":\"%s\",\"manifesto\":[",
					   i ? "," : "", digest) < 0)
			return -1;
		if (build_record(&e->v[i], out, err) < 0 || mf_buf_addz(out, last ? "]}" : ",", err) < 0)
			return -1;
	}
	return mf_buf_addc(out, ']', err);
}

/* parts NULL: a catalogue or one part; otherwise the list of parts. */
static int build_config(const struct entries *e, const bool *parts, struct mf_buf *out, struct mf_err *err)
{
	if (mf_buf_addc(out, '{', err) < 0 || build_images(e, out, err) < 0)
		return -1;
	if (parts && mf_buf_addz(out, ",\"parts\":[", err) < 0)
		return -1;
	bool any = false;
	for (unsigned i = 0; parts && i < PARTS; i++) {
		char tag[16];
		if (!parts[i])
			continue;
		part_tag(tag, i);
		if (mf_buf_printf(out, err, "%s\"%s\"", any ? "," : "", tag) < 0)
			return -1;
		any = true;
	}
	return mf_buf_addz(out, parts ? "]}" : "}", err);
}

static int by_blob(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;
	int c = cmp_digest(&x->r.blob, &y->r.blob);
	return c ? c : by_key(x, y);
}

static int build_layer(const char *before, const struct mf_digest *blob, const char *media_type,
		       uint64_t size, struct mf_buf *out, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, blob);
	if (mf_buf_printf(out, err, "%s{\"digest\":\"%s\"", before, digest) < 0 ||
	    add_member(out, ",\"mediaType\":", media_type, err) < 0)
		return -1;
	return mf_buf_printf(out, err, ",\"size\":%llu}", (unsigned long long)size);
}

static int build_layers(const struct entries *e, struct mf_buf *out, struct mf_err *err)
{
	const struct entry **v MF_FREE = mf_calloc(e->n, sizeof(const struct entry *));
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < e->n; i++)
		v[i] = &e->v[i];
	qsort(v, e->n, sizeof *v, by_blob);
	const struct entry *last = NULL;
	for (size_t i = 0; i < e->n; i++) {
		if (v[i]->missing || (last && mf_digest_eq(&last->r.blob, &v[i]->r.blob)))
			continue;
		if (build_layer(last ? "," : "", &v[i]->r.blob, v[i]->r.media_type, v[i]->r.length, out,
				err) < 0)
			return -1;
		last = v[i];
	}
	return 0;
}

static int build_manifest(const struct entries *e, const struct mf_buf *config, struct mf_buf *out,
			  struct mf_err *err)
{
	struct mf_digest digest;
	if (mf_sha256(mf_buf_bytes(config), &digest, err) || mf_buf_addz(out, "{\"config\":", err) < 0 ||
	    build_layer("", &digest, MT_CONFIG, config->n, out, err) < 0 ||
	    mf_buf_addz(out, ",\"layers\":[", err) < 0 || build_layers(e, out, err) < 0)
		return -1;
	return mf_buf_addz(out, "],\"mediaType\":\"" MF_MT_OCI_MANIFEST "\",\"schemaVersion\":2}", err);
}

/* ---- writing */

struct target {
	struct mf_image_store *store;
	const char *tag;
	bool exists;
	struct mf_digest now; /* what the tag meant before */
	bool written;
	bool *differs; /* not NULL: nothing is written, and it is set where something would be */
};

static int look(struct target *t, struct mf_err *err)
{
	struct mf_resolve *r = mf_resolve_begin(t->store, t->tag, err);
	if (!r)
		return -1;
	t->exists = mf_resolve_end(r, &t->now, NULL, NULL, err) == 0;
	if (t->exists)
		return 0;
	/* What is there but makes no sense is written over. */
	if (!can_rebuild(err))
		return -1;
	mf_err_clear(err);
	return 0;
}

/* Marks what the registry called unknown; when it named nothing, asks for each. *more: something was marked.
 */
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

/* One try. 1: written, or there already; 0: blobs were found missing, build again; -1. */
static int try_write(struct target *t, struct entries *e, const bool *parts, struct mf_err *err)
{
	struct mf_buf config MF_BUF_CLEANUP = MF_BUF_INIT(MAX_CONFIG);
	struct mf_buf manifest MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	struct mf_descriptors missing MF_DESCRIPTORS_CLEANUP = {0};
	struct mf_digest digest;
	if (build_config(e, parts, &config, err) < 0 || build_manifest(e, &config, &manifest, err) < 0 ||
	    mf_sha256(mf_buf_bytes(&manifest), &digest, err) < 0)
		return -1;
	if (t->exists && mf_digest_eq(&digest, &t->now))
		return 1;
	if (t->differs) {
		t->written = *t->differs = true;
		return 1;
	}
	if (mf_blob_put_bytes(t->store, mf_buf_bytes(&config), &digest, err) < 0)
		return -1;
	if (mf_manifest_put(t->store, t->tag, MF_MT_OCI_MANIFEST, mf_buf_bytes(&manifest), NULL, &missing,
			    err) == 0) {
		t->written = true;
		return 1;
	}
	if (err->code != MF_E_CONTENT_GONE)
		return -1;
	struct mf_err why = *err;
	bool more = false;
	mf_err_clear(err);
	if (mark_missing(t, e, &missing, &more, err) < 0)
		return -1;
	if (more)
		return 0;
	*err = why;
	return -1;
}

/* Writes one catalogue tag. Blobs are taken to be there until the registry says otherwise: a look at
 * thousands of them before every publish would cost more than the publish. */
static int write_tag(struct target *t, struct entries *e, const bool *parts, struct mf_err *err)
{
	if (look(t, err) < 0)
		return mf_wrap(err, "catalogue '%s'", t->tag);
	if (!t->exists && e->n == 0 && !parts)
		return 0;
	for (unsigned try = 0; try < MAX_TRIES; try++) {
		int rc = try_write(t, e, parts, err);
		if (rc < 0)
			return mf_wrap(err, "catalogue '%s'", t->tag);
		if (rc)
			return 0;
	}
	return mf_fail(err, MF_E_CONTENT_GONE, 0, "catalogue '%s': the registry keeps losing blobs", t->tag);
}

/* Writes one part from all entries, which are sorted. */
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

/* Empties parts of the catalogue that was there before (old) and that the new one does not have: they would
 * keep blobs alive that nobody refers to. */
static int retire(struct target *top, const bool *parts, struct mf_err *err)
{
	struct present old PRESENT_CLEANUP = {0};
	struct entries none = {0};
	if (!top->written || !top->exists)
		return 0;
	if (read_present(top->store, (struct mf_manifest_name){NULL, &top->now}, &old, err) < 0)
		return -1;
	for (unsigned i = 0; i < PARTS; i++)
		if (old.parts[i] && !(parts && parts[i]) && write_part(top, i, &none, err) < 0)
			return -1;
	return 0;
}

/* Parts first, so that the list never names one that is not there. `touched`: which are to be written. */
static int write_split(struct target *top, const struct entries *all, const bool *touched, const bool *parts,
		       struct mf_err *err)
{
	struct entries none = {0};
	for (unsigned i = 0; i < PARTS; i++)
		if (touched[i] && write_part(top, i, all, err) < 0)
			return -1;
	return write_tag(top, &none, parts, err);
}

static void mark_parts(bool *parts, const struct entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		parts[e->v[i].r.subject.b[0]] = true;
}

/* Is the catalogue split already, into all these parts? */
static int is_split_into(struct target *top, const bool *parts, struct mf_err *err)
{
	struct present p PRESENT_CLEANUP = {0};
	if (read_present(top->store, (struct mf_manifest_name){top->tag, NULL}, &p, err) < 0)
		return -1;
	for (unsigned i = 0; i < PARTS; i++)
		if (!p.is_split || (parts[i] && !p.parts[i]))
			return 0;
	return 1;
}

static int write_exact(struct target *top, struct entries *all, const bool *parts, const bool *given,
		       struct mf_err *err)
{
	bool split = all->n > MF_MAX_CATALOGUE_RECORDS || given, own[PARTS] = {false};
	if (!parts) {
		mark_parts(own, all);
		parts = own;
	}
	int rc = given ? is_split_into(top, parts, err) : 1;
	if (rc <= 0)
		return rc < 0 ? -1 : 1;
	if ((split ? write_split(top, all, given ? given : parts, parts, err)
		   : write_tag(top, all, NULL, err)) < 0)
		return -1;
	return retire(top, split ? parts : NULL, err);
}

/* A catalogue that is split stays so here, and only the parts that the given records are in are read and
 * written. */
static int write_union(struct target *top, struct entries *all, struct mf_err *err)
{
	struct present p PRESENT_CLEANUP = {0};
	bool touched[PARTS] = {false};
	if (read_present(top->store, (struct mf_manifest_name){top->tag, NULL}, &p, err) < 0)
		return -1;
	mark_parts(touched, all);
	bool split = p.is_split;
	for (unsigned i = 0; split && i < PARTS; i++) {
		char tag[16];
		part_tag(tag, i);
		if (touched[i] && p.parts[i] &&
		    read_present(top->store, (struct mf_manifest_name){tag, NULL}, &p, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < p.entries.n; i++)
		if (entries_add(all, &p.entries.v[i].r, err) < 0)
			return -1;
	sort_unique(all);
	if (!split && all->n <= MF_MAX_CATALOGUE_RECORDS)
		return write_tag(top, all, NULL, err);
	mark_parts(touched, all);
	mark_parts(p.parts, all);
	return write_split(top, all, touched, p.parts, err);
}

static int start(struct entries *all, const struct mf_catalogue_record *records, size_t n, struct mf_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (entries_add(all, &records[i], err) < 0)
			return -1;
	sort_unique(all);
	return 0;
}

int mf_catalogue_add(struct mf_image_store *s, const struct mf_catalogue_record *records, size_t n,
		     struct mf_err *err)
{
	struct entries all ENTRIES_CLEANUP = {0};
	struct target top = {.store = s, .tag = TAG};
	if (s->is_layout)
		return 0;
	return start(&all, records, n, err) < 0 ? -1 : write_union(&top, &all, err);
}

int mf_catalogue_set(struct mf_image_store *s, const struct mf_catalogue_record *records, size_t n,
		     const bool *parts, const bool *given, struct mf_err *err)
{
	struct entries all ENTRIES_CLEANUP = {0};
	struct target top = {.store = s, .tag = TAG};
	if (s->is_layout)
		return 0;
	return start(&all, records, n, err) < 0 ? -1 : write_exact(&top, &all, parts, given, err);
}

int mf_catalogue_check(struct mf_image_store *s, const struct mf_catalogue_record *records, size_t n,
		       bool *differs, struct mf_err *err)
{
	struct entries all ENTRIES_CLEANUP = {0};
	struct target top = {.store = s, .tag = TAG, .differs = differs};
	*differs = false;
	if (s->is_layout)
		return 0;
	return start(&all, records, n, err) < 0 || write_exact(&top, &all, NULL, NULL, err) < 0 ? -1 : 0;
}
