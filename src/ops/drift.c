/* What the registry shows of the records, compared with what is signed: for status and repair. */
#include "ops/drift.h"
#include "trust/home.h"

#define MAX_REFUSED ((size_t)4 << 20)

void mf_drift_find_clear(struct mf_drift_find *f)
{
	for (size_t i = 0; i < f->found.n; i++)
		free(f->found.v[i].stale);
	free(f->found.v);
	mf_record_parts_clear(&f->parts);
	if (f->targets)
		mf_listing_clear(f->targets);
	free(f->targets);
	mf_tags_clear(&f->tags);
	free(f->orphans);
}

static void part_clear(struct mf_drift_part *d)
{
	for (size_t i = 0; d->v && i < d->n; i++)
		free(d->v[i].stale);
	free(d->v);
	free(d->missing);
	free(d->unreachable);
	free(d->no_target);
}

/* ---- blobs */

static int by_digest(const void *a, const void *b)
{
	return memcmp(((const struct mf_digest *)a)->b, ((const struct mf_digest *)b)->b, 32);
}

static size_t sort_unique(struct mf_digest *v, size_t n)
{
	size_t kept = 0;
	qsort(v, n, sizeof *v, by_digest);
	for (size_t i = 0; i < n; i++)
		if (!kept || !mf_digest_eq(&v[kept - 1], &v[i]))
			v[kept++] = v[i];
	return kept;
}

/* The target files of a bucket, which are listed with a request for a thousand. */
static int list_targets(struct mf_drift_find *f, struct mf_err *err)
{
	struct mf_trust *t = f->im->trust;
	if (f->targets || !mf_trust_keeps_targets(t) || mf_trust_dir(t))
		return 0;
	f->targets = mf_calloc(1, sizeof *f->targets);
	if (!f->targets)
		return mf_fail_nomem(err);
	*f->targets = (struct mf_listing)MF_LISTING_INIT;
	return mf_trust_targets_list(t, f->targets, err);
}

/* Checks whether the trust repository has the content as a target file; `get` then needs no other place. For
 * a web server that takes a download, so it is done only for content that the registry lacks. */
static int look_for_target(const struct mf_drift_find *f, struct mf_drift_part *d, size_t i,
			   struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	const struct mf_listing none = MF_LISTING_INIT;
	const struct mf_entry *e = &d->all->v[i];
	bool kept = mf_trust_keeps_targets(f->im->trust), has = false;
	if (!kept && !d->missing[i])
		return 0;
	if (mf_record_name(&name, e->type, &e->subject, err) < 0 ||
	    mf_content_has_target(f->im, f->targets ? f->targets : &none, mf_buf_str(&name), &e->info, &has,
				  err) < 0)
		return -1;
	d->no_target[i] = kept && !has && !d->missing[i];
	d->unreachable[i] = !has && d->missing[i];
	return 0;
}

/* For a mapped image: blobs that the copy lacks may be in the origin's registry. */
static int find_in_origin(struct mf_image *im, const struct mf_digest *v, size_t n, bool *present,
			  struct mf_err *err)
{
	struct mf_image_store *origin;
	struct mf_digest *lacking MF_FREE = mf_calloc(n, sizeof *lacking);
	bool *found MF_FREE = mf_calloc(n, sizeof *found);
	size_t m = 0;
	if (!lacking || !found)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (!present[i])
			lacking[m++] = v[i];
	if (!m)
		return 0;
	if (mf_image_origin(im, &origin, err) < 0 || mf_blobs_have(origin, lacking, m, found, err) < 0)
		return -1;
	m = 0;
	for (size_t i = 0; i < n; i++)
		if (!present[i])
			present[i] = found[m++];
	return 0;
}

static int find_blobs(struct mf_drift_find *f, struct mf_drift_part *d, struct mf_err *err)
{
	struct mf_image *im = f->im;
	struct mf_digest *v MF_FREE = mf_calloc(d->all->n, sizeof *v);
	bool *present MF_FREE = mf_calloc(d->all->n, sizeof *present);
	d->missing = mf_calloc(d->all->n, sizeof *d->missing);
	d->unreachable = mf_calloc(d->all->n, sizeof *d->unreachable);
	d->no_target = mf_calloc(d->all->n, sizeof *d->no_target);
	if (!v || !present || !d->missing || !d->unreachable || !d->no_target)
		return mf_fail_nomem(err);
	if (d->all->n && list_targets(f, err) < 0)
		return -1;
	for (size_t i = 0; i < d->all->n; i++)
		v[i] = d->all->v[i].info.sha256;
	size_t n = d->all->n ? sort_unique(v, d->all->n) : 0;
	if (mf_blobs_have(im->blobs, v, n, present, err) < 0 ||
	    (im->map && find_in_origin(im, v, n, present, err) < 0))
		return -1;
	for (size_t i = 0; i < d->all->n; i++) {
		const struct mf_digest *at = bsearch(&d->all->v[i].info.sha256, v, n, sizeof *v, by_digest);
		d->missing[i] = !present[at - v];
		if (look_for_target(f, d, i, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- subjects */

static int find_subjects(struct mf_image *im, struct mf_drift_part *d, struct mf_err *err)
{
	struct mf_digest *digests MF_FREE = mf_calloc(d->all->n, sizeof *digests);
	struct mf_looked *looked MF_FREE = mf_calloc(d->all->n, sizeof *looked);
	d->v = mf_calloc(d->all->n, sizeof *d->v);
	if (!digests || !looked || !d->v)
		return mf_fail_nomem(err);
	for (size_t from = 0; from < d->all->n; from = d->v[d->n++].to) {
		struct mf_subject_drift *x = &d->v[d->n];
		x->from = from;
		x->to = mf_subject_end(d->all, from);
		x->s.digest = digests[d->n] = d->all->v[from].subject;
	}
	/* It is not known which images a copy should have, nor what its referrers should list. */
	if (im->map)
		return 0;
	if (mf_manifests_look(im->images, digests, d->n, looked, err) < 0)
		return -1;
	for (size_t i = 0; i < d->n; i++) {
		d->v[i].gone = !looked[i].present;
		d->v[i].s.size = looked[i].size;
		memcpy(d->v[i].s.media_type, looked[i].media_type, sizeof looked[i].media_type);
	}
	return 0;
}

/* ---- catalogue */

/* The list of the parts is looked at when all of them are known. */
static int find_catalogue(struct mf_drift_find *f, struct mf_drift_part *d, struct mf_err *err)
{
	struct mf_catalogue_text c MF_CATALOGUE_CLEANUP = {0};
	if (f->parts.split) {
		mf_first_bytes(d->all, d->given);
		d->scope = (struct mf_catalogue_scope){.step = MF_CATALOGUE_PARTS, .given = d->given};
	}
	if (mf_catalogue_of(d->all, d->missing, &c, err) < 0 ||
	    mf_catalogue_check(f->im->blobs, c.v, c.n, d->scope, &d->catalogue, err) < 0)
		return -1;
	f->found.catalogue |= d->catalogue;
	return 0;
}

static int find_list(struct mf_drift_find *f, struct mf_err *err)
{
	const bool none[256] = {false};
	const struct mf_catalogue_scope scope = {
	    .step = MF_CATALOGUE_LIST, .parts = f->parts.first_bytes, .given = none};
	bool differs;
	if (!f->parts.split)
		return 0;
	if (mf_catalogue_check(f->im->blobs, NULL, 0, scope, &differs, err) < 0)
		return -1;
	f->found.catalogue |= differs;
	return 0;
}

/* ---- referrers */

struct referrers {
	struct mf_image *im;
	const struct mf_drift_part *d;
	size_t *which; /* subjects that are asked for */
	struct listed {
		struct mf_digest artifact;
		struct mf_subject_drift *by;
	} * listed; /* artifact manifests that are listed */
	size_t n, cap;
};

static bool is_listed(const struct mf_descriptors *list, const struct mf_digest *digest)
{
	for (size_t i = 0; i < list->n; i++)
		if (mf_digest_eq(&list->v[i].digest, digest))
			return true;
	return false;
}

static bool is_of_record(const struct mf_entries *all, const struct mf_subject_drift *x,
			 const struct mf_digest *digest)
{
	for (size_t i = x->from; i < x->to; i++)
		if (all->v[i].record.has_artifact && mf_digest_eq(&all->v[i].record.artifact, digest))
			return true;
	return false;
}

/* Does the entry of a list say that it belongs to another trust repository? */
static int is_foreign(struct mf_image *im, const struct mf_descriptor *e, bool *foreign, struct mf_err *err)
{
	json_t *annotations MF_JSON_CLEANUP = NULL;
	*foreign = false;
	if (!e->annotations)
		return 0;
	annotations = mf_json_load(mf_bytes_of(mf_str_c(e->annotations)), MF_MAX_MANIFEST_BYTES, err);
	*foreign = mf_artifact_is_foreign(annotations, mf_trust_identity(im->trust));
	return annotations ? 0 : -1;
}

static int find_stale(struct mf_image *im, const struct mf_entries *all, struct mf_subject_drift *x,
		      const struct mf_descriptors *list, struct mf_err *err)
{
	x->stale = mf_calloc(list->n, sizeof *x->stale);
	if (!x->stale)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < list->n; i++) {
		const struct mf_descriptor *e = &list->v[i];
		bool foreign;
		if (!mf_is_our_artifact(e->artifact_type) || is_of_record(all, x, &e->digest))
			continue;
		if (is_foreign(im, e, &foreign, err) < 0)
			return -1;
		if (!foreign)
			x->stale[x->nstale++] = e->digest;
	}
	if (!x->nstale) {
		free(x->stale);
		x->stale = NULL;
	}
	return 0;
}

static int compare(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
		   struct mf_err *err)
{
	struct referrers *r = arg;
	struct mf_subject_drift *x = &r->d->v[r->which[i]];
	struct mf_artifacts a MF_ARTIFACTS_CLEANUP = {.owner = mf_trust_identity(r->im->trust)};
	if (by == MF_REFERRERS_NOWHERE)
		return 0;
	if (mf_artifacts_of(&x->s, r->d->all, x->from, x->to, r->d->missing, &a, err) < 0)
		return -1;
	for (size_t k = 0; k < a.d.n; k++) {
		if (!is_listed(list, &a.digests[k])) {
			x->unlisted++;
			continue;
		}
		if (mf_grow((void **)&r->listed, &r->cap, r->n, sizeof *r->listed, err) < 0)
			return -1;
		r->listed[r->n++] = (struct listed){a.digests[k], x};
	}
	return find_stale(r->im, r->d->all, x, list, err);
}

/* Finds artifact manifests that are listed but gone: garbage collection may delete untagged manifests. */
static int find_lost(struct referrers *r, struct mf_err *err)
{
	struct mf_digest *v MF_FREE = mf_calloc(r->n, sizeof *v);
	bool *present MF_FREE = mf_calloc(r->n, sizeof *present);
	if (!v || !present)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < r->n; i++)
		v[i] = r->listed[i].artifact;
	if (mf_manifests_have(r->im->blobs, v, r->n, present, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		r->listed[i].by->unlisted += !present[i];
	return 0;
}

static bool has_records(const struct mf_drift_part *d, const struct mf_digest *subject)
{
	size_t low = 0, high = d->n;
	while (low < high) {
		size_t at = low + (high - low) / 2;
		int c = memcmp(d->v[at].s.digest.b, subject->b, 32);
		if (c == 0)
			return true;
		if (c < 0)
			low = at + 1;
		else
			high = at;
	}
	return false;
}

static int find_referrers(struct mf_drift_find *f, struct mf_drift_part *d, struct mf_err *err)
{
	struct mf_digest *subjects MF_FREE = mf_calloc(d->n, sizeof *subjects);
	size_t *which MF_FREE = mf_calloc(d->n, sizeof *which);
	size_t n = 0;
	if (!subjects || !which)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < d->n; i++)
		if (!d->v[i].gone) {
			which[n] = i;
			subjects[n++] = d->v[i].s.digest;
		}
	struct referrers r = {.im = f->im, .d = d, .which = which};
	int rc = mf_referrers_each(f->im->blobs, subjects, n, compare, &r, err) < 0 ? -1 : find_lost(&r, err);
	free(r.listed);
	f->has_referrers |= n > 0;
	return rc;
}

/* ---- images of tags that have no record */

/* If clients write the lists, lists of images without records have no entries of ours: there is
 * nothing to find. */
static bool may_have_orphans(const struct mf_drift_find *f)
{
	return !f->has_referrers || mf_referrers_api(f->im->blobs);
}

static int tag_by_digest(const void *a, const void *b)
{
	return by_digest(&((const struct mf_tag *)a)->digest, &((const struct mf_tag *)b)->digest);
}

static int list_tags(struct mf_drift_find *f, struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	if (f->has_tags)
		return 0;
	f->has_tags = true;
	if (mf_tags_list(f->im->images, &f->tags, &ignored) < 0) {
		mf_tags_clear(&f->tags);
		f->tags = (struct mf_tags){0};
		return ignored.code == MF_E_NOMEM ? mf_fail_nomem(err) : 0;
	}
	if (f->tags.n)
		qsort(f->tags.v, f->tags.n, sizeof *f->tags.v, tag_by_digest);
	return 0;
}

/* Of the tags that are not looked at yet those whose digests do not begin with more than `byte`; d has all
 * records of these. */
static int note_orphans(struct mf_drift_find *f, const struct mf_drift_part *d, unsigned byte,
			struct mf_err *err)
{
	if (!may_have_orphans(f))
		return 0;
	if (list_tags(f, err) < 0)
		return -1;
	for (; f->next_tag < f->tags.n && f->tags.v[f->next_tag].digest.b[0] <= byte; f->next_tag++) {
		const struct mf_digest *image = &f->tags.v[f->next_tag].digest;
		if (has_records(d, image) ||
		    (f->norphans && mf_digest_eq(&f->orphans[f->norphans - 1], image)))
			continue;
		if (mf_grow((void **)&f->orphans, &f->orphans_cap, f->norphans, sizeof *f->orphans, err) < 0)
			return -1;
		f->orphans[f->norphans++] = *image;
	}
	return 0;
}

static int keep_subject(struct mf_drift *all, struct mf_subject_drift *x, struct mf_err *err)
{
	if (mf_grow((void **)&all->v, &all->cap, all->n, sizeof *all->v, err) < 0)
		return -1;
	all->v[all->n++] = (struct mf_subject_differs){.digest = x->s.digest,
						       .nrecords = x->to - x->from,
						       .unlisted = x->unlisted,
						       .stale = x->stale,
						       .nstale = x->nstale,
						       .gone = x->gone};
	x->stale = NULL;
	return 0;
}

/* Adds a subject without records if its referrers list artifact manifests of ours. */
static int take_orphan(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
		       struct mf_err *err)
{
	struct mf_drift_find *f = arg;
	const struct mf_entries none = {0};
	struct mf_subject_drift x = {.s.digest = f->orphans[i]};
	if (by == MF_REFERRERS_NOWHERE)
		return 0;
	int rc = find_stale(f->im, &none, &x, list, err);
	if (rc == 0 && x.nstale)
		rc = keep_subject(&f->found, &x, err);
	free(x.stale);
	return rc;
}

/* Finds tagged images without records whose referrers still list a record: the last one was removed, but the
 * registry did not delete its artifact manifest. */
static int find_orphans(struct mf_drift_find *f, struct mf_err *err)
{
	return may_have_orphans(f)
		   ? mf_referrers_each(f->im->blobs, f->orphans, f->norphans, take_orphan, f, err)
		   : 0;
}

/* ---- differences that a repair could not change; they are kept in the cache, so that status does not report
 * them as work again */

static char *refused_path(struct mf_image *im, struct mf_err *err)
{
	char hex[65];
	if (mf_home_name_hash(mf_trust_pin_name(im->trust), hex, err) < 0)
		return NULL;
	char *path = mf_path_join(im->m->opt.cache_dir, MF_CACHE_REFUSED, hex, NULL);
	if (!path)
		(void)mf_fail_nomem(err);
	return path;
}

/* Writes the differences as a text: the catalogue, and for each subject what is missing and what is stale. */
static int describe(const struct mf_drift *d, struct mf_buf *out, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	if (mf_buf_printf(out, err, "catalogue %d\n", d->catalogue) < 0)
		return -1;
	for (size_t i = 0; i < d->n; i++) {
		const struct mf_subject_differs *x = &d->v[i];
		mf_digest_format(digest, &x->digest);
		if ((x->unlisted || x->nstale) &&
		    mf_buf_printf(out, err, "%s %zu\n", digest, x->unlisted) < 0)
			return -1;
		for (size_t k = 0; k < x->nstale; k++) {
			mf_digest_format(digest, &x->stale[k]);
			if (mf_buf_printf(out, err, "- %s\n", digest) < 0)
				return -1;
		}
	}
	return 0;
}

/* If the cache cannot be written, that is no failure: status then reports the differences again. */
void mf_drift_remember_refused(struct mf_image *im, const struct mf_drift *d)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MAX_REFUSED);
	char *path MF_FREE = refused_path(im, &ignored);
	if (path && describe(d, &text, &ignored) == 0)
		mf_cache_write(&im->m->cache, path, mf_buf_bytes(&text));
}

static int find_refused(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf before MF_BUF_CLEANUP = MF_BUF_INIT(MAX_REFUSED),
			     now MF_BUF_CLEANUP = MF_BUF_INIT(MAX_REFUSED);
	char *path MF_FREE = refused_path(im, err);
	if (!path)
		return -1;
	mf_cache_flush(&im->m->cache);
	d->refused = mf_file_read_stored(path, MAX_REFUSED, &before, &ignored) == 0 &&
		     describe(d, &now, &ignored) == 0 && mf_str_eq(mf_buf_str(&before), mf_buf_str(&now));
	return mf_err_pass_ours(err, &ignored);
}

/* ---- all of it */

/* A layout has neither catalogue nor referrers. */
static bool is_shown(const struct mf_image *im)
{
	return im->store_ref.transport == MF_TRANSPORT_REGISTRY && !im->map;
}

/* Of the subjects only those are kept that differ: the others are as many as the repository has. */
static int add_up(struct mf_drift_find *f, struct mf_drift_part *d, struct mf_err *err)
{
	struct mf_drift *all = &f->found;
	all->nsubjects += d->n;
	for (size_t i = 0; i < d->all->n; i++)
		all->no_target += d->no_target[i];
	for (size_t i = 0; i < d->n; i++)
		if (((d->v[i].gone && f->keep_gone) || d->v[i].unlisted || d->v[i].nstale) &&
		    keep_subject(all, &d->v[i], err) < 0)
			return -1;
	return 0;
}

static int take_part(void *arg, const struct mf_entries *all, struct mf_err *err)
{
	struct mf_drift_find *f = arg;
	struct mf_drift_part d MF_CLEANUP(part_clear) = {.all = all};
	if (!all->n && (f->parts.split || f->found.nsubjects))
		return 0;
	if (find_blobs(f, &d, err) < 0 || find_subjects(f->im, &d, err) < 0)
		return -1;
	if (is_shown(f->im) && (find_catalogue(f, &d, err) < 0 || find_referrers(f, &d, err) < 0 ||
				(d.n && note_orphans(f, &d, d.v[d.n - 1].s.digest.b[0], err) < 0)))
		return -1;
	return f->take(f->arg, &d, err) < 0 ? -1 : add_up(f, &d, err);
}

int mf_drift_begin(struct mf_drift_find *f, struct mf_err *err)
{
	static const char *const all[] = {"", NULL};
	f->parts.take = take_part;
	f->parts.arg = f;
	if (!is_shown(f->im))
		return 0;
	enum mf_found many = mf_records_are_many(f->im, err);
	f->parts.split = many == MF_FOUND;
	if (many == MF_ABSENT) /* a catalogue that is not split is made of all records */
		many = mf_trust_load_shards(f->im->trust, all, err) < 0 ? MF_FAILED : MF_FOUND;
	return many == MF_FAILED ? -1 : 0;
}

int mf_drift_step(struct mf_drift_find *f, const struct mf_shard_steps *s, struct mf_err *err)
{
	const struct mf_drift_part none = {0};
	if (mf_record_parts_add(&f->parts, mf_trust_set(f->im->trust), s->given, err) < 0)
		return -1;
	return is_shown(f->im) ? note_orphans(f, &none, s->next - 1, err) : 0;
}

int mf_drift_end(struct mf_drift_find *f, struct mf_err *err)
{
	return is_shown(f->im) && (find_list(f, err) < 0 || find_orphans(f, err) < 0 ||
				   find_refused(f->im, &f->found, err) < 0)
		   ? -1
		   : 0;
}
