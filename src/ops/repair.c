/* repair: compares what the registry shows of the records with the signed records, and writes it again if it
 * differs. */
#include "ops/drift.h"
#include "publish/publish.h"
#include "trust/home.h"
#include "trust/repo.h"

#define MAX_REFUSED ((size_t)4 << 20)

void mf_drift_clear(struct mf_drift *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].stale);
	free(d->v);
	free(d->missing);
	free(d->unreachable);
	free(d->no_target);
	mf_entries_clear(&d->all);
	*d = (struct mf_drift){0};
}

static bool differs(const struct mf_drift *d)
{
	bool any = d->catalogue;
	for (size_t i = 0; i < d->n; i++)
		any |= d->v[i].unlisted || d->v[i].nstale;
	for (size_t i = 0; i < d->all.n; i++)
		any |= d->no_target[i];
	return any;
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

/* Checks whether the trust repository has the content as a target file; `get` then needs no other place. For
 * a web server that takes a download, so it is done only for content that the registry lacks. */
static int look_for_target(struct mf_image *im, struct mf_drift *d, const struct mf_listing *l, size_t i,
			   struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	const struct mf_entry *e = &d->all.v[i];
	bool kept = mf_trust_keeps_targets(im->trust), has = false;
	if (!kept && !d->missing[i])
		return 0;
	if (mf_record_name(&name, e->type, &e->subject, err) < 0 ||
	    mf_content_has_target(im, l, mf_buf_str(&name), &e->info, &has, err) < 0)
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

static int find_blobs(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
{
	struct mf_digest *v MF_FREE = mf_calloc(d->all.n, sizeof *v);
	bool *present MF_FREE = mf_calloc(d->all.n, sizeof *present);
	struct mf_listing l MF_LISTING_CLEANUP = MF_LISTING_INIT;
	if (!v || !present)
		return mf_fail_nomem(err);
	bool lists = mf_trust_keeps_targets(im->trust) && !mf_trust_dir(im->trust) && d->all.n;
	if (lists && mf_trust_targets_list(im->trust, &l, err) < 0)
		return -1;
	for (size_t i = 0; i < d->all.n; i++)
		v[i] = d->all.v[i].info.sha256;
	size_t n = d->all.n ? sort_unique(v, d->all.n) : 0;
	if (mf_blobs_have(im->blobs, v, n, present, err) < 0 ||
	    (im->map && find_in_origin(im, v, n, present, err) < 0))
		return -1;
	for (size_t i = 0; i < d->all.n; i++) {
		const struct mf_digest *at = bsearch(&d->all.v[i].info.sha256, v, n, sizeof *v, by_digest);
		d->missing[i] = !present[at - v];
		if (look_for_target(im, d, &l, i, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- subjects */

static int find_subjects(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
{
	struct mf_digest *digests MF_FREE = mf_calloc(d->all.n, sizeof *digests);
	struct mf_looked *looked MF_FREE = mf_calloc(d->all.n, sizeof *looked);
	d->v = mf_calloc(d->all.n, sizeof *d->v);
	d->cap = d->all.n;
	if (!digests || !looked || !d->v)
		return mf_fail_nomem(err);
	for (size_t from = 0; from < d->all.n; from = d->v[d->n++].to) {
		struct mf_subject_drift *x = &d->v[d->n];
		x->from = from;
		x->to = mf_subject_end(&d->all, from);
		x->s.digest = digests[d->n] = d->all.v[from].subject;
	}
	d->nrecorded = d->n;
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

/* ---- referrers */

struct referrers {
	struct mf_image *im;
	struct mf_drift *d;
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

static bool is_of_record(const struct mf_drift *d, const struct mf_subject_drift *x,
			 const struct mf_digest *digest)
{
	for (size_t i = x->from; i < x->to; i++)
		if (d->all.v[i].record.has_artifact && mf_digest_eq(&d->all.v[i].record.artifact, digest))
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

static int find_stale(struct mf_image *im, const struct mf_drift *d, struct mf_subject_drift *x,
		      const struct mf_descriptors *list, struct mf_err *err)
{
	x->stale = mf_calloc(list->n, sizeof *x->stale);
	if (!x->stale)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < list->n; i++) {
		const struct mf_descriptor *e = &list->v[i];
		bool foreign;
		if (!mf_is_our_artifact(e->artifact_type) || is_of_record(d, x, &e->digest))
			continue;
		if (is_foreign(im, e, &foreign, err) < 0)
			return -1;
		x->foreign += foreign;
		if (!foreign)
			x->stale[x->nstale++] = e->digest;
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
	if (mf_artifacts_of(&x->s, &r->d->all, x->from, x->to, r->d->missing, &a, err) < 0)
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
	return find_stale(r->im, r->d, x, list, err);
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

static bool has_records(const struct mf_drift *d, const struct mf_digest *subject)
{
	size_t low = 0, high = d->nrecorded;
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

struct orphans {
	struct mf_image *im;
	struct mf_drift *d;
	const struct mf_digest *subjects;
};

/* Adds a subject without records if its referrers list artifact manifests of ours. */
static int take_orphan(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
		       struct mf_err *err)
{
	struct orphans *o = arg;
	struct mf_subject_drift x = {.s.digest = o->subjects[i]};
	if (by == MF_REFERRERS_NOWHERE)
		return 0;
	int rc = find_stale(o->im, o->d, &x, list, err);
	if (rc == 0 && x.nstale)
		rc = mf_grow((void **)&o->d->v, &o->d->cap, o->d->n, sizeof *o->d->v, err);
	if (rc == 0 && x.nstale)
		o->d->v[o->d->n++] = x;
	else
		free(x.stale);
	return rc;
}

/* Finds tagged images without records whose referrers still list a record: the last one was removed, but the
 * registry did not delete its artifact manifest. */
static int find_orphans(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
{
	struct mf_tags tags MF_TAGS_CLEANUP = {0};
	struct mf_err ignored = MF_ERR_INIT;
	size_t n = 0;
	if (mf_tags_list(im->images, &tags, &ignored) < 0)
		return ignored.code == MF_E_NOMEM ? mf_fail_nomem(err) : 0;
	struct mf_digest *v MF_FREE = mf_calloc(tags.n, sizeof *v);
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < tags.n; i++)
		if (!has_records(d, &tags.v[i].digest))
			v[n++] = tags.v[i].digest;
	n = n ? sort_unique(v, n) : 0;
	struct orphans o = {.im = im, .d = d, .subjects = v};
	return mf_referrers_each(im->blobs, v, n, take_orphan, &o, err);
}

static int find_referrers(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
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
	struct referrers r = {.im = im, .d = d, .which = which};
	int rc = mf_referrers_each(im->blobs, subjects, n, compare, &r, err) < 0 ? -1 : find_lost(&r, err);
	free(r.listed);
	/* If clients write the lists, lists of images without records have no entries of ours: there is
	 * nothing to find. */
	return rc < 0 || (n && !mf_referrers_api(im->blobs)) ? rc : find_orphans(im, d, err);
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
		const struct mf_subject_drift *x = &d->v[i];
		mf_digest_format(digest, &x->s.digest);
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
static void remember_refused(struct mf_image *im, const struct mf_drift *d)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MAX_REFUSED);
	char *path MF_FREE = refused_path(im, &ignored);
	char *dir MF_FREE = mf_path_join(im->m->opt.cache_dir, MF_CACHE_REFUSED, NULL);
	if (path && dir && describe(d, &text, &ignored) == 0 &&
	    mf_dir_make_inside(im->m->opt.cache_dir, dir, 0700, &ignored) == 0 &&
	    mf_file_write_fast(path, mf_buf_bytes(&text), 0600, &ignored) == 0)
		mf_cache_wrote(&im->m->cache, text.n);
}

static int find_refused(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf before MF_BUF_CLEANUP = MF_BUF_INIT(MAX_REFUSED),
			     now MF_BUF_CLEANUP = MF_BUF_INIT(MAX_REFUSED);
	char *path MF_FREE = refused_path(im, err);
	if (!path)
		return -1;
	d->refused = mf_file_read_stored(path, MAX_REFUSED, &before, &ignored) == 0 &&
		     describe(d, &now, &ignored) == 0 && mf_str_eq(mf_buf_str(&before), mf_buf_str(&now));
	return mf_err_pass_ours(err, &ignored);
}

/* ---- all of it */

static int find_catalogue(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
{
	struct mf_catalogue_text c MF_CATALOGUE_CLEANUP = {0};
	if (mf_catalogue_of(&d->all, d->missing, &c, err) < 0)
		return -1;
	return mf_catalogue_check(im->blobs, c.v, c.n, &d->catalogue, err);
}

int mf_drift_find(struct mf_image *im, struct mf_drift *out, struct mf_err *err)
{
	struct mf_drift d MF_DRIFT_CLEANUP = {0};
	if (mf_policy_survey(mf_trust_set(im->trust), NULL, &d.all, err) < 0)
		return -1;
	d.missing = mf_calloc(d.all.n, sizeof *d.missing);
	d.unreachable = mf_calloc(d.all.n, sizeof *d.unreachable);
	d.no_target = mf_calloc(d.all.n, sizeof *d.no_target);
	if (!d.missing || !d.unreachable || !d.no_target)
		return mf_fail_nomem(err);
	if (find_blobs(im, &d, err) < 0 || find_subjects(im, &d, err) < 0)
		return -1;
	/* A layout has neither catalogue nor referrers. */
	if (im->store_ref.transport == MF_TRANSPORT_REGISTRY && !im->map &&
	    (find_catalogue(im, &d, err) < 0 || find_referrers(im, &d, err) < 0 ||
	     find_refused(im, &d, err) < 0))
		return -1;
	*out = d;
	d = (struct mf_drift){0};
	return 0;
}

/* What the registry refused to change. */
struct refusals {
	struct mf_err catalogue, lists, deletes;
	size_t kept; /* artifact manifests with a tag of their own */
};

/* Keeps the first refusal of the registry, and lets the repair go on. -1: another failure, which ends it. */
static int note(struct mf_err *out, struct mf_err *err)
{
	if (err->code != MF_E_REFUSED && err->code != MF_E_AUTH && err->code != MF_E_FORMAT)
		return -1;
	if (!out->code)
		*out = *err;
	mf_err_clear(err);
	return 0;
}

/* Deletes a stale artifact manifest, after it has checked that it is one of ours. The list alone does not
 * prove that, since others may write to it and could list an image there. */
static int delete_one(struct mf_image *im, const struct mf_digest *subject, const struct mf_digest *stale,
		      struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	char digest[MF_DIGEST_TEXT];
	enum mf_found ours = mf_manifest_get(im->blobs, stale, &m, err) < 0
				 ? MF_FAILED
				 : mf_artifact_is_of(&m, subject, mf_trust_identity(im->trust), err);
	if (ours == MF_FAILED && err->code == MF_E_NOT_FOUND) {
		mf_err_clear(err);
		return 0;
	}
	if (ours == MF_FAILED)
		return err->code == MF_E_DIGEST ? mf_recode(err, MF_E_REFUSED) : -1;
	mf_digest_format(digest, stale);
	if (ours == MF_ABSENT)
		return mf_fail(err, MF_E_REFUSED, 0,
			       "%s is listed as one, and is something else: it is not deleted", digest);
	struct mf_manifest_call *c = mf_manifest_delete_begin(im->blobs, stale, err);
	return c ? mf_manifest_delete_end(c, err) : -1;
}

static int delete_stale(struct mf_image *im, const struct mf_subject_drift *x, struct refusals *r,
			struct mf_err *err)
{
	for (size_t i = 0; i < x->nstale; i++) {
		if (delete_one(im, &x->s.digest, &x->stale[i], err) == 0)
			continue;
		/* If clients write the lists, a manifest that was not deleted is on no list, so the failure
		 * does not matter. */
		struct mf_err ignored = MF_ERR_INIT;
		if (note(mf_referrers_api(im->blobs) ? &r->deletes : &ignored, err) < 0)
			return -1;
	}
	return 0;
}

static int mend_subject(struct mf_image *im, const struct mf_drift *d, const struct mf_subject_drift *x,
			struct refusals *r, struct mf_err *err)
{
	struct mf_artifacts a MF_ARTIFACTS_CLEANUP = {.owner = mf_trust_identity(im->trust)};
	if (!x->unlisted && !x->nstale)
		return 0;
	if (mf_artifacts_of(&x->s, &d->all, x->from, x->to, d->missing, &a, err) < 0)
		return -1;
	struct mf_referrers_change change = mf_artifacts_change(&x->s, &a);
	if ((mf_artifacts_store(im, &a, err) < 0 || mf_referrers_update(im->blobs, &change, 1, err) < 0) &&
	    note(&r->lists, err) < 0)
		return -1;
	return delete_stale(im, x, r, err);
}

/* If the catalogue cannot be written, each artifact manifest gets a tag of its own, so that garbage
 * collection keeps it and its content. */
static int keep_all(struct mf_image *im, const struct mf_drift *d, struct refusals *r, struct mf_err *err)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct mf_subject_drift *x = &d->v[i];
		struct mf_artifacts a MF_ARTIFACTS_CLEANUP = {.owner = mf_trust_identity(im->trust)};
		if (x->gone)
			continue;
		if (mf_artifacts_of(&x->s, &d->all, x->from, x->to, d->missing, &a, err) < 0)
			return -1;
		for (size_t k = 0; k < a.d.n; k++) {
			struct mf_err why = MF_ERR_INIT;
			struct mf_manifest_call *c =
			    mf_catalogue_keep_begin(im->blobs, mf_buf_bytes(&a.bytes[k]), &why);
			r->kept += c && mf_manifest_put_end(c, NULL, NULL, &why) == 0;
		}
	}
	return 0;
}

static int mend_catalogue(struct mf_image *im, const struct mf_drift *d, struct refusals *r,
			  struct mf_err *err)
{
	struct mf_catalogue_text c MF_CATALOGUE_CLEANUP = {0};
	if (!d->catalogue || r->catalogue.code)
		return 0;
	if (mf_catalogue_of(&d->all, d->missing, &c, err) < 0)
		return -1;
	if (mf_catalogue_set(im->blobs, c.v, c.n, (struct mf_catalogue_scope){0}, err) == MF_CATALOGUE_DONE)
		return 0;
	return note(&r->catalogue, err) < 0 ? -1 : keep_all(im, d, r, err);
}

/* Stores a missing target file again, which readers without access to the registry need. */
static int mend_target(struct mf_image *im, const struct mf_entry *e, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(e->info.length, err);
	if (!s || mf_record_name(&name, e->type, &e->subject, err) < 0 ||
	    mf_blob_get(im->blobs, &e->info.sha256, e->info.length, s, err) < 0)
		return -1;
	return mf_content_put_target(im, mf_buf_str(&name), s, &e->info.sha256, err);
}

static int mend_all(struct mf_image *im, const struct mf_drift *d, struct refusals *r, struct mf_err *err)
{
	if (mend_catalogue(im, d, r, err) < 0)
		return -1;
	for (size_t i = 0; i < d->n; i++)
		if (mend_subject(im, d, &d->v[i], r, err) < 0)
			return -1;
	for (size_t i = 0; i < d->all.n; i++)
		if (d->no_target[i] && mend_target(im, &d->all.v[i], err) < 0)
			return -1;
	return 0;
}

/* ---------------------------------------------------------------- repair */

/* A repair is repeated when others publish meanwhile; that does not happen more often than this. */
#define MAX_ROUNDS 5

static void count(const struct mf_drift *d, struct manifesto_repair_result *out)
{
	out->catalogue |= d->catalogue;
	out->subjects = out->unlisted = out->stale = out->targets = 0;
	for (size_t i = 0; i < d->n; i++) {
		out->subjects += d->v[i].unlisted || d->v[i].nstale;
		out->unlisted += d->v[i].unlisted;
		out->stale += d->v[i].nstale;
	}
	for (size_t i = 0; i < d->all.n; i++)
		out->targets += d->no_target[i];
}

static void warn_refused(struct mf_image *im, const struct refusals *r)
{
	const struct mf_env *env = &im->m->env;
	if (r->catalogue.code)
		mf_env_log(
		    env, MF_LOG_WARNING,
		    "the registry does not let the catalogue '_manifesto' be written: %s; %zu contents are "
		    "kept by tags "
		    "of their own; let the tags '_manifesto*' and 'sha256-*' change, then repair again",
		    r->catalogue.msg, r->kept);
	if (r->lists.code)
		mf_env_log(env, MF_LOG_WARNING,
			   "the registry does not let the lists of referrers be written: %s", r->lists.msg);
	if (r->deletes.code)
		mf_env_log(env, MF_LOG_WARNING,
			   "the registry does not delete artifact manifests of records that are no more, and "
			   "other tools still "
			   "find them: %s",
			   r->deletes.msg);
}

/* Writes what differs, and repeats that until the records are still the newest afterwards and nothing differs
 * any more, except what the registry refused. */
static int mend(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
{
	struct refusals r = {.catalogue = MF_ERR_INIT, .lists = MF_ERR_INIT, .deletes = MF_ERR_INIT};
	for (int round = 0; round < MAX_ROUNDS; round++) {
		if (mend_all(im, d, &r, err) < 0)
			return -1;
		enum mf_found same = mf_trust_unchanged(im->trust, err);
		if (same == MF_FAILED ||
		    (same == MF_ABSENT && mf_trust_load(im->trust, &(struct mf_load){0}, err) < 0))
			return -1;
		mf_drift_clear(d);
		if (mf_drift_find(im, d, err) < 0)
			return -1;
		if (!differs(d) ||
		    (same == MF_FOUND && (r.catalogue.code || r.lists.code || r.deletes.code))) {
			warn_refused(im, &r);
			if (differs(d))
				remember_refused(im, d);
			return 0;
		}
	}
	return mf_fail(err, MF_E_CONFLICT, 0,
		       "catalogue or referrers still differ from the signed records after %d rounds",
		       MAX_ROUNDS);
}

/* Loads the repository. If a signature does not verify, mf_publish_heal may publish again the last state that
 * the remaining keys signed; that takes the lock itself. */
static int load(struct mf_image *im, struct mf_lock *lock, const struct manifesto_repair_options *o,
		struct manifesto_repair_result *out, struct mf_err *err)
{
	const struct mf_load all = {0};
	struct mf_err why = MF_ERR_INIT;
	if (!o->dry_run && mf_publish_lock(im->trust, lock, err) < 0)
		return -1;
	if (mf_trust_load(im->trust, &all, &why) == 0)
		return 0;
	mf_lock_release(lock);
	enum mf_found healed =
	    why.code == MF_E_SIGNATURE && !o->dry_run ? mf_publish_heal(im->trust, err) : MF_ABSENT;
	if (healed == MF_ABSENT)
		*err = why;
	if (healed != MF_FOUND || mf_publish_lock(im->trust, lock, err) < 0)
		return -1;
	out->repaired = out->timestamp = 1;
	return mf_trust_load(im->trust, &all, err);
}

static int repair(struct mf_image *im, const struct manifesto_repair_options *o,
		  struct manifesto_repair_result *out, struct mf_err *err)
{
	struct mf_drift d MF_DRIFT_CLEANUP = {0};
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if (load(im, &lock, o, out, err) < 0 || mf_drift_find(im, &d, err) < 0)
		return -1;
	out->gun = mf_arena_text(mf_result_arena(out), mf_trust_pin_name(im->trust));
	if (mf_arena_check(mf_result_arena(out), err) < 0)
		return -1;
	count(&d, out);
	if (o->dry_run || !differs(&d))
		return 0;
	out->repaired = 1;
	return mend(im, &d, err);
}

int manifesto_repair(struct manifesto *m, const struct manifesto_repair_options *opt,
		     const struct manifesto_repair_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_repair_options o;
	struct manifesto_repair_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = !r || mf_repository_open(&im, m, o.repository, &err) < 0 ? -1 : repair(&im, &o, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}
