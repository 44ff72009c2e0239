/* bundle: the published metadata, records and content of some images in one file (docs/bundle-format.md).
 * The images are resolved and their records verified first. Then the file is written from the loaded
 * metadata, and each blob is fetched and verified in turn. The same state of the repositories gives the same
 * octets, whatever the order of the images. */
#include <stdio.h>

#include "base/window.h"
#include "crypto/hash.h"
#include "ops/ops.h"
#include "trust/bundle.h"

#define REF_NAME "org.opencontainers.image.ref.name"

/* A descriptor of the index. Strings live in the result's arena. */
struct descriptor {
	const char *name;  /* GUN:TAG or GUN@DIGEST of an image; NULL: the artifact manifest of a record */
	const char *image; /* REPOSITORY@DIGEST */
	const char *media_type, *artifact_type;
	struct mf_digest digest;
	uint64_t size;
};

/* A blob: octets in memory, or the content of a record, which is fetched when it is written. */
struct blob {
	struct mf_digest digest;
	struct mf_bytes bytes; /* p NULL: content */
	struct mf_image *from;
	const char *target;
	struct mf_tuf_target_info info;
};

struct pack {
	struct manifesto *m;
	const struct manifesto_bundle_options *o;
	struct manifesto_bundle_result *out;
	struct mf_arena *a;
	struct mf_pool pool;
	struct mf_image *images;
	struct descriptor *descriptors;
	size_t ndescriptors, descriptors_cap;
	struct blob *blobs;
	size_t nblobs, blobs_cap;
	const char **warnings;
	size_t nwarnings, warnings_cap;
	struct mf_spool *file;
};

static void pack_clear(struct pack *p)
{
	for (size_t i = 0; p->images && i < p->o->nimages; i++)
		mf_image_close(&p->images[i]);
	free(p->images);
	p->m->pool = NULL;
	mf_pool_clear(&p->pool);
	free(p->descriptors);
	free(p->blobs);
	free(p->warnings);
	mf_spool_free(p->file);
}

/* ---- lists of what goes in */

static int add_descriptor(struct pack *p, const struct descriptor *d, struct mf_err *err)
{
	if (mf_arena_check(p->a, err) < 0 || mf_grow((void **)&p->descriptors, &p->descriptors_cap,
						     p->ndescriptors, sizeof *p->descriptors, err) < 0)
		return -1;
	p->descriptors[p->ndescriptors++] = *d;
	return 0;
}

static int add_blob(struct pack *p, const struct blob *b, struct mf_err *err)
{
	if (mf_grow((void **)&p->blobs, &p->blobs_cap, p->nblobs, sizeof *p->blobs, err) < 0)
		return -1;
	p->blobs[p->nblobs++] = *b;
	return 0;
}

static int add_bytes(struct pack *p, const struct mf_digest *digest, struct mf_bytes bytes,
		     struct mf_err *err)
{
	char *copy = mf_arena_dup(p->a, mf_str_of(bytes), err);
	if (!copy)
		return -1;
	return add_blob(p, &(struct blob){.digest = *digest, .bytes = {(const uint8_t *)copy, bytes.n}}, err);
}

static int add_warning(struct pack *p, const char *text, struct mf_err *err)
{
	if (mf_arena_check(p->a, err) < 0 ||
	    mf_grow((void **)&p->warnings, &p->warnings_cap, p->nwarnings, sizeof(char *), err) < 0)
		return -1;
	p->warnings[p->nwarnings++] = text;
	return 0;
}

/* ---- records */

static int add_artifact(struct pack *p, struct mf_image *im, const struct mf_subject *s,
			const struct mf_entry *e, struct mf_err *err)
{
	const struct mf_artifact_record r = {.type = e->type,
					     .blob = e->info.sha256,
					     .length = e->info.length,
					     .media_type = e->record.media_type,
					     .created = e->record.created};
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	struct descriptor d = {.media_type = MF_MT_OCI_MANIFEST};
	enum mf_found again = mf_artifact_again(s, e, mf_trust_identity(im->trust), &bytes, err);
	if (again == MF_FAILED || (again == MF_ABSENT && mf_artifact_of(s, &r, &bytes, &d.digest, err) < 0) ||
	    mf_sha256(mf_buf_bytes(&bytes), &d.digest, err) < 0)
		return -1;
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&bytes), MF_MAX_MANIFEST_BYTES, err);
	if (!j || mf_json_get_str(j, "artifactType", MF_JSON_REQUIRED, &d.artifact_type, err) < 0)
		return -1;
	d.artifact_type = mf_arena_text(p->a, d.artifact_type);
	d.size = bytes.n;
	return add_bytes(p, &d.digest, mf_buf_bytes(&bytes), err) < 0 ? -1 : add_descriptor(p, &d, err);
}

/* Is the content of an expired record still there? It is optional, since only `get --at` asks for it: if it
 * is gone, a warning says that it is left out. */
static enum mf_found still_there(struct pack *p, struct mf_image *im, const struct blob *b,
				 struct mf_err *err)
{
	struct mf_spool *content MF_SPOOL_CLEANUP = NULL;
	struct mf_err why = MF_ERR_INIT;
	if (mf_content_get(im, &(struct mf_content_wanted){mf_str_c(b->target), &b->info, NULL}, &content,
			   &why) == 0)
		return MF_FOUND;
	if (why.code != MF_E_CONTENT_GONE) {
		*err = why;
		return MF_FAILED;
	}
	return add_warning(p,
			   mf_arena_format(p->a, "the content of '%s', which has expired, is left out: %s",
					   b->target, why.msg),
			   err) < 0
		   ? MF_FAILED
		   : MF_ABSENT;
}

/* Withdrawals and vetoes are in the trust metadata; content of a withdrawn record is never handed out. */
static int add_record(struct pack *p, struct mf_image *im, const struct mf_subject *s,
		      const struct mf_entry *e, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	struct blob b = {.digest = e->info.sha256, .from = im, .info = e->info};
	if (e->state == MF_STATE_VETO || e->state == MF_STATE_WITHDRAWN)
		return 0;
	if (mf_record_name(&name, e->type, &e->subject, err) < 0)
		return -1;
	b.info.custom = (struct mf_str){NULL, 0};
	b.target = mf_arena_text(p->a, mf_buf_str(&name).p);
	if (mf_arena_check(p->a, err) < 0)
		return -1;
	enum mf_found there = e->state == MF_STATE_EXPIRED ? still_there(p, im, &b, err) : MF_FOUND;
	if (there != MF_FOUND)
		return there;
	return add_blob(p, &b, err) < 0 ? -1 : add_artifact(p, im, s, e, err);
}

static int add_records(struct pack *p, struct mf_image *im, const struct mf_subject *s, size_t *n,
		       struct mf_err *err)
{
	struct mf_entries found MF_ENTRIES_CLEANUP = {0};
	if (mf_policy_list(mf_trust_set(im->trust), &s->digest, NULL, &found, err) < 0)
		return -1;
	*n = found.n;
	for (size_t i = 0; i < found.n; i++)
		if (add_record(p, im, s, &found.v[i], err) < 0)
			return -1;
	return 0;
}

/* ---- images */

/* MF_ABSENT: it is not there; a partial copy of an image lacks some manifests. */
static enum mf_found get_manifest(struct mf_image *im, const struct mf_digest *digest,
				  struct mf_manifest *out, struct mf_err *err)
{
	if (mf_manifest_get(im->images, digest, out, err) == 0)
		return MF_FOUND;
	if (err->code != MF_E_NOT_FOUND)
		return MF_FAILED;
	mf_err_clear(err);
	return MF_ABSENT;
}

/* Adds the manifest of one image of an index that has records: other tools list the referrers of that
 * manifest. */
static int add_child(struct pack *p, struct mf_image *im, const struct mf_digest *digest, struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	enum mf_found there = get_manifest(im, digest, &m, err);
	return there == MF_FOUND ? add_bytes(p, digest, mf_buf_bytes(&m.bytes), err) : there;
}

/* Adds the nested indexes, which readers need to resolve --platform. */
static int add_indexes(struct pack *p, struct mf_image *im, const struct mf_manifest *index, unsigned depth,
		       struct mf_err *err)
{
	struct mf_descriptors c MF_DESCRIPTORS_CLEANUP = {0};
	size_t foreign = 0;
	if (!index->is_index || depth > MF_MAX_INDEX_DEPTH)
		return 0;
	if (mf_index_children(index, &c, &foreign, err) < 0)
		return -1;
	for (size_t i = 0; i < c.n; i++) {
		struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
		const char *type = c.v[i].media_type ? c.v[i].media_type : "";
		if (*type && !mf_is_index_type(type))
			continue;
		enum mf_found there = get_manifest(im, &c.v[i].digest, &m, err);
		if (there == MF_FAILED ||
		    (there == MF_FOUND && (add_bytes(p, &c.v[i].digest, mf_buf_bytes(&m.bytes), err) < 0 ||
					   add_indexes(p, im, &m, depth + 1, err) < 0)))
			return -1;
	}
	return 0;
}

/* Adds the manifest or index of the image, and the name under which readers find it. */
static int add_image(struct pack *p, struct mf_image *im, const struct mf_subject *s, struct mf_err *err)
{
	struct mf_buf gun MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE);
	struct descriptor d = {.image = mf_report_image(p->a, im, &s->digest), .digest = s->digest};
	if (mf_ref_gun(&im->ref, &gun, err) < 0)
		return -1;
	d.name = im->ref.tag && !im->ref.has_digest
		     ? mf_arena_format(p->a, "%s:%s", mf_buf_str(&gun).p, im->ref.tag)
		     : mf_arena_format(p->a, "%s@%s", mf_buf_str(&gun).p, mf_report_digest(p->a, &s->digest));
	if (!im->manifest.bytes.n && mf_manifest_get(im->images, &s->digest, &im->manifest, err) < 0)
		return -1;
	d.media_type = mf_arena_text(p->a, im->manifest.media_type);
	d.size = im->manifest.bytes.n;
	if (add_bytes(p, &s->digest, mf_buf_bytes(&im->manifest.bytes), err) < 0 ||
	    add_indexes(p, im, &im->manifest, 1, err) < 0)
		return -1;
	mf_manifest_clear(&im->manifest);
	return add_descriptor(p, &d, err);
}

/* Warns of roles that do not verify: readers of the bundle, as of the repository, cannot read their records.
 */
static int warn_broken(struct pack *p, const struct mf_trust *t, struct mf_err *err)
{
	size_t n;
	const struct mf_trust_broken *broken = mf_trust_broken(t, &n);
	for (size_t i = 0; i < n; i++)
		if (add_warning(p,
				mf_arena_format(p->a, "records of role '%s' of '%s' cannot be read: %s",
						broken[i].role, mf_trust_gun(t), broken[i].why),
				err) < 0)
			return -1;
	return 0;
}

/* Waits for the load that all images of a repository share, and warns of its broken roles once. */
static int need_trust(struct pack *p, struct mf_image *im, struct mf_err *err)
{
	struct mf_pool_trust *t = im->shared;
	if (mf_pool_need(&p->pool, t, err) < 0)
		return -1;
	bool reported = t->reported;
	t->reported = true;
	return reported ? 0 : warn_broken(p, t->trust, err);
}

static int collect_image(struct pack *p, struct mf_image *im, struct mf_err *err)
{
	struct mf_subjects subjects MF_SUBJECTS_CLEANUP = {0};
	const struct mf_subject_choice all = {.all = true, .partial = true, .described = true};
	if (need_trust(p, im, err) < 0 || mf_image_subjects(im, all, &subjects, err) < 0 ||
	    add_image(p, im, &subjects.v[0], err) < 0)
		return -1;
	for (size_t i = 0; i < subjects.n; i++) {
		size_t n;
		if (add_records(p, im, &subjects.v[i], &n, err) < 0 ||
		    (i && n && add_child(p, im, &subjects.v[i].digest, err) < 0))
			return -1;
	}
	return 0;
}

static int begin_image(void *arg, size_t i, struct mf_err *err)
{
	struct pack *p = arg;
	struct mf_image *im = &p->images[i];
	if (mf_image_open_by(im, p->m, p->o->images[i], MF_MAPS_FOLLOW, err) < 0)
		return mf_wrap(err, "image '%s'", p->o->images[i]);
	mf_pool_begin(im->shared, &(struct mf_load){.tolerate_broken = true});
	im->for_writing = true; /* the manifest is needed, not only its digest */
	return mf_image_begin(im, err) < 0 ? mf_wrap(err, "image '%s'", p->o->images[i]) : 0;
}

static int collect(struct pack *p, struct mf_err *err)
{
	const struct manifesto_bundle_options *o = p->o;
	struct mf_window ahead = {.n = o->nimages, .most = MF_VERIFY_WINDOW, .begin = begin_image, .arg = p};
	p->images = mf_calloc(o->nimages, sizeof *p->images);
	if (!p->images)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < o->nimages; i++) {
		if (mf_env_cancelled(&p->m->env))
			return mf_fail(err, MF_E_CANCELLED, 0, "bundle was interrupted");
		if (mf_window_reach(&ahead, i, err) < 0)
			return -1;
		if (collect_image(p, &p->images[i], err) < 0)
			return mf_wrap(err, "image '%s'", o->images[i]);
		mf_env_progress(&p->m->env, MF_PROGRESS_IMAGES, i + 1, o->nimages);
	}
	return 0;
}

/* ---- order: by name, by digest */

/* Images first. */
static int descriptor_cmp(const void *x, const void *y)
{
	const struct descriptor *a = x, *b = y;
	int c = (a->name == NULL) - (b->name == NULL);
	if (!c && a->name && b->name)
		c = strcmp(a->name, b->name);
	return c ? c : memcmp(a->digest.b, b->digest.b, sizeof a->digest.b);
}

/* Of equal blobs the one in memory comes first, so that `sort` keeps it and nothing is fetched. */
static int blob_cmp(const void *x, const void *y)
{
	const struct blob *a = x, *b = y;
	int c = memcmp(a->digest.b, b->digest.b, sizeof a->digest.b);
	return c ? c : (a->bytes.p == NULL) - (b->bytes.p == NULL);
}

static void sort(struct pack *p)
{
	size_t kept = 0;
	qsort(p->descriptors, p->ndescriptors, sizeof *p->descriptors, descriptor_cmp);
	for (size_t i = 0; i < p->ndescriptors; i++)
		if (!kept || descriptor_cmp(&p->descriptors[kept - 1], &p->descriptors[i]) != 0)
			p->descriptors[kept++] = p->descriptors[i];
	p->ndescriptors = kept;
	kept = 0;
	qsort(p->blobs, p->nblobs, sizeof *p->blobs, blob_cmp);
	for (size_t i = 0; i < p->nblobs; i++)
		if (!kept || !mf_digest_eq(&p->blobs[kept - 1].digest, &p->blobs[i].digest))
			p->blobs[kept++] = p->blobs[i];
	p->nblobs = kept;
}

/* Refuses a tag that stands for two digests: it moved between two of the images. */
static int check_names(const struct pack *p, struct mf_err *err)
{
	for (size_t i = 1; i < p->ndescriptors && p->descriptors[i].name; i++)
		if (strcmp(p->descriptors[i - 1].name, p->descriptors[i].name) == 0)
			return mf_fail(err, MF_E_CONFLICT, 0, "'%s' moved to another image meanwhile",
				       p->descriptors[i].name);
	return 0;
}

/* ---- the file */

static int write_index(struct pack *p, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_BUNDLE_INDEX_BYTES);
	struct mf_json_out j;
	mf_json_to_buf(&j, MF_JSON_SHOWN, &text, err);
	mf_json_add_object(&j, NULL);
	mf_json_add_text(&j, "artifactType", MF_MT_BUNDLE);
	mf_json_add_array(&j, "manifests");
	for (size_t i = 0; i < p->ndescriptors; i++) {
		const struct descriptor *d = &p->descriptors[i];
		char digest[MF_DIGEST_TEXT];
		mf_digest_format(digest, &d->digest);
		mf_json_add_object(&j, NULL);
		if (d->name) {
			mf_json_add_object(&j, "annotations");
			mf_json_add_text(&j, REF_NAME, d->name);
			mf_json_close(&j);
		}
		if (d->artifact_type)
			mf_json_add_text(&j, "artifactType", d->artifact_type);
		mf_json_add_text(&j, "digest", digest);
		mf_json_add_text(&j, "mediaType", d->media_type);
		mf_json_add_int(&j, "size", (int64_t)d->size);
		mf_json_close(&j);
	}
	mf_json_close(&j);
	mf_json_add_text(&j, "mediaType", MF_MT_OCI_INDEX);
	mf_json_add_int(&j, "schemaVersion", 2);
	mf_json_close(&j);
	if (mf_json_finish(&j) < 0)
		return -1;
	return mf_archive_add(p->file, MF_STR("index.json"), mf_buf_bytes(&text), err);
}

struct packing {
	struct pack *p;
	const struct mf_trust *trust;
};

static int write_file(void *arg, const struct mf_fetch_key *key, struct mf_bytes bytes, struct mf_err *err)
{
	const struct packing *w = arg;
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ARCHIVE_NAME);
	if (mf_trust_pack_name(w->trust, key, &name, err) < 0)
		return -1;
	return mf_archive_add(w->p->file, mf_buf_str(&name), bytes, err);
}

static int by_gun(const void *x, const void *y)
{
	const struct mf_pool_trust *const *a = x, *const *b = y;
	return strcmp(mf_trust_gun((*a)->trust), mf_trust_gun((*b)->trust));
}

/* All layouts have the same GUN, so a bundle has room for the trust metadata of one. */
static int check_layouts(const struct pack *p, struct mf_err *err)
{
	for (size_t i = 1; i < p->pool.ntrusts; i++)
		if (by_gun(&p->pool.trusts[i - 1], &p->pool.trusts[i]) == 0) {
			(void)mf_fail(err, MF_E_USAGE, 0,
				      "a bundle holds one layout; these are two: '%s', '%s'",
				      p->pool.trusts[i - 1]->name, p->pool.trusts[i]->name);
			mf_err_set_hint(err, "make a bundle of each");
			return -1;
		}
	return 0;
}

static int write_trust(struct pack *p, struct mf_err *err)
{
	qsort(p->pool.trusts, p->pool.ntrusts, sizeof(struct mf_pool_trust *), by_gun);
	if (check_layouts(p, err) < 0)
		return -1;
	for (size_t i = 0; i < p->pool.ntrusts; i++) {
		struct packing w = {p, p->pool.trusts[i]->trust};
		if (mf_trust_pack(p->pool.trusts[i]->trust, write_file, &w, err) < 0)
			return mf_wrap(err, "trust metadata of '%s'", p->pool.trusts[i]->name);
	}
	return 0;
}

static int copy_content(struct pack *p, const struct blob *b, struct mf_err *err)
{
	struct mf_spool *content MF_SPOOL_CLEANUP = NULL;
	char *chunk MF_FREE = malloc(65536);
	size_t got;
	if (!chunk)
		return mf_fail_nomem(err);
	if (mf_content_get(b->from, &(struct mf_content_wanted){mf_str_c(b->target), &b->info, NULL},
			   &content, err) < 0)
		return mf_wrap(err, "content of '%s'", b->target);
	for (uint64_t at = 0; at < b->info.length; at += got)
		if (mf_spool_read(content, at, chunk, 65536, &got, err) < 0 ||
		    mf_spool_add(p->file, chunk, got, err) < 0)
			return -1;
	return 0;
}

static int write_blob(struct pack *p, const struct blob *b, struct mf_err *err)
{
	char name[MF_BUNDLE_BLOB];
	mf_bundle_blob_name(name, &b->digest);
	if (b->bytes.p)
		return mf_archive_add(p->file, mf_str_c(name), b->bytes, err);
	if (mf_archive_begin_member(p->file, mf_str_c(name), b->info.length, err) < 0 ||
	    copy_content(p, b, err) < 0)
		return -1;
	return mf_archive_end_member(p->file, b->info.length, err);
}

static int write_all(struct pack *p, struct mf_err *err)
{
	if (mf_archive_add(p->file, MF_STR("oci-layout"), mf_bytes_of(MF_STR(MF_BUNDLE_LAYOUT)), err) < 0 ||
	    write_index(p, err) < 0 || write_trust(p, err) < 0)
		return -1;
	for (size_t i = 0; i < p->nblobs; i++) {
		if (mf_env_cancelled(&p->m->env))
			return mf_fail(err, MF_E_CANCELLED, 0, "bundle was interrupted");
		if (write_blob(p, &p->blobs[i], err) < 0)
			return -1;
	}
	return mf_archive_finish(p->file, err);
}

/* ---- all of it */

static int report(struct pack *p, struct mf_err *err)
{
	struct manifesto_bundle_result *r = p->out;
	struct mf_digest digest;
	const char **images = mf_arena_alloc(p->a, p->ndescriptors, sizeof(char *), err);
	const char **warnings = mf_arena_alloc(p->a, p->nwarnings, sizeof(char *), err);
	if (!images || !warnings || mf_spool_end(p->file, &digest, &r->length, err) < 0)
		return -1;
	for (size_t i = 0; i < p->ndescriptors && p->descriptors[i].name; i++)
		images[r->nimages++] = p->descriptors[i].image;
	r->nrecords = p->ndescriptors - r->nimages;
	for (size_t i = 0; i < p->nwarnings; i++)
		warnings[r->nwarnings++] = p->warnings[i];
	r->images = images;
	r->warnings = warnings;
	r->nrepositories = p->pool.ntrusts;
	r->digest = mf_report_digest(p->a, &digest);
	return mf_arena_check(p->a, err);
}

static int create(struct pack *p, struct mf_err *err)
{
	const struct manifesto_bundle_options *o = p->o;
	struct mf_digest empty;
	if (!o->nimages || o->nimages > MF_MAX_BUNDLE_IMAGES || (!o->output_path && !o->write))
		return mf_fail(err, MF_E_USAGE, 0,
			       "%zu images for a bundle: expected from 1 to %d, and an output", o->nimages,
			       MF_MAX_BUNDLE_IMAGES);
	p->m->pool = &p->pool;
	/* Artifact manifests have the empty object as their configuration. */
	if (mf_sha256(mf_bytes_of(MF_STR("{}")), &empty, err) < 0 ||
	    add_bytes(p, &empty, mf_bytes_of(MF_STR("{}")), err) < 0 || collect(p, err) < 0)
		return -1;
	sort(p);
	if (check_names(p, err) < 0)
		return -1;
	p->file = o->output_path ? mf_spool_new_for(o->output_path, MF_MAX_ARCHIVE_BYTES, err)
				 : mf_spool_new(MF_MAX_ARCHIVE_BYTES, err);
	if (!p->file || write_all(p, err) < 0 || report(p, err) < 0)
		return -1;
	return mf_content_hand_out(p->file, o->output_path, o->write, o->write_arg, err);
}

int manifesto_bundle_create(struct manifesto *m, const struct manifesto_bundle_options *opt,
			    const struct manifesto_bundle_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_bundle_options o;
	struct manifesto_bundle_result *r = NULL;
	mf_op_begin(m, error);
	if (mf_op_options(&o, sizeof o, opt, &err) == 0)
		r = mf_result_new(sizeof *r, &err);
	int rc = -1;
	if (r) {
		struct pack p MF_CLEANUP(pack_clear) = {.m = m, .o = &o, .out = r, .a = mf_result_arena(r)};
		rc = create(&p, &err);
	}
	return MF_OP_END(rc, r, out, error, &err);
}
