/* Catalogue and referrers from the signed records: they show people and garbage collectors what is stored;
 * nothing trusts them. */
#include "base/encode.h"
#include "crypto/hash.h"
#include "ops/drift.h"
#include "publish/publish.h"

int mf_artifact_of(const struct mf_subject *s, const char *type, const struct mf_digest *blob,
		   uint64_t length, const char *media_type, struct mf_buf *out, struct mf_digest *digest,
		   struct mf_err *err)
{
	struct mf_artifact a = {.type = type,
				.blob = *blob,
				.blob_length = length,
				.blob_media_type = media_type ? media_type : "application/octet-stream",
				.subject = s->digest,
				.subject_size = s->size,
				.subject_media_type = s->media_type};
	if (mf_artifact_build(&a, out, err) < 0)
		return -1;
	return mf_sha256(mf_buf_bytes(out), digest, err);
}

/* ---- catalogue */

/* Records as the catalogue takes them; strings are its own. */
struct catalogue {
	struct mf_catalogue_record *v;
	char (*created)[MF_TIME_LEN];
	char **types;
	size_t n;
};

static void catalogue_clear(struct catalogue *c)
{
	for (size_t i = 0; c->types && i < c->n; i++)
		free(c->types[i]);
	free(c->types);
	free(c->created);
	free(c->v);
}

/* missing[i] (or NULL): the registry lacks the blob of entry i. */
static int catalogue_of(const struct mf_entries *e, const bool *missing, struct catalogue *c,
			struct mf_err *err)
{
	c->v = mf_calloc(e->n, sizeof *c->v);
	c->created = mf_calloc(e->n, sizeof *c->created);
	c->types = mf_calloc(e->n, sizeof *c->types);
	if (!c->v || !c->created || !c->types)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < e->n; i++, c->n++) {
		const struct mf_entry *x = &e->v[i];
		c->types[i] = mf_str_dup(x->type);
		if (!c->types[i])
			return mf_fail_nomem(err);
		mf_time_format(c->created[i], x->record.created);
		c->v[i] = (struct mf_catalogue_record){.subject = x->subject,
						       .blob = x->info.sha256,
						       .length = x->info.length,
						       .type = c->types[i],
						       .media_type = x->record.media_type,
						       .role = x->role->role,
						       .created = x->record.created ? c->created[i] : NULL,
						       .missing = missing && missing[i]};
	}
	return 0;
}

static int write_catalogue(struct mf_image *im, const struct mf_entries *all, const bool *parts,
			   const bool *given, struct mf_err *err)
{
	struct catalogue c MF_CLEANUP(catalogue_clear) = {0};
	return catalogue_of(all, NULL, &c, err) < 0
		   ? -1
		   : mf_catalogue_set(im->blobs, c.v, c.n, parts, given, err);
}

/* The records that catalogue and referrers are made of: of a big repository those that share their part with
 * a subject that changed. */
static int survey(struct mf_image *im, const struct mf_subjects *changed, struct mf_entries *all,
		  struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(im->trust);
	bool parts[256], given[256] = {false};
	for (size_t i = 0; i < changed->n; i++)
		given[changed->v[i].digest.b[0]] = true;
	if (mf_policy_tally(set, parts) > MF_MAX_CATALOGUE_RECORDS) {
		int rc = mf_policy_survey(set, given, all, err) < 0
			     ? -1
			     : write_catalogue(im, all, parts, given, err);
		if (rc <= 0)
			return rc;
		mf_entries_clear(all);
	}
	return mf_policy_survey(set, NULL, all, err) < 0 || write_catalogue(im, all, NULL, NULL, err) < 0 ? -1
													  : 0;
}

/* ---- referrers */

/* The artifact manifests of one subject's records. */
struct artifacts {
	struct mf_descriptors d;
	struct mf_buf *bytes;
	struct mf_digest *digests;
	bool *present;
};

static void artifacts_clear(struct artifacts *a)
{
	for (size_t i = 0; a->bytes && i < a->d.n; i++)
		mf_buf_clear(&a->bytes[i]);
	mf_descriptors_clear(&a->d);
	free(a->bytes);
	free(a->digests);
	free(a->present);
}

/* 1: added; 0: made for another description of the subject, not ours to rebuild. */
static int add_artifact(struct artifacts *a, const struct mf_subject *s, const struct mf_entry *e,
			struct mf_err *err)
{
	size_t i = a->d.n;
	char *type MF_FREE = mf_str_dup(e->type);
	if (!type)
		return mf_fail_nomem(err);
	mf_buf_init(&a->bytes[i], MF_MAX_MANIFEST_BYTES);
	a->d.v[i] = (struct mf_descriptor){0};
	a->d.n++;
	if (mf_artifact_of(s, type, &e->info.sha256, e->info.length, e->record.media_type, &a->bytes[i],
			   &a->digests[i], err) < 0)
		return -1;
	if (!mf_digest_eq(&a->digests[i], &e->record.artifact)) {
		mf_buf_clear(&a->bytes[i]);
		a->d.n--;
		return 0;
	}
	struct mf_descriptor *d = &a->d.v[i];
	d->digest = a->digests[i];
	d->size = a->bytes[i].n;
	d->media_type = mf_str_dup(MF_STR(MF_MT_OCI_MANIFEST));
	if (asprintf(&d->artifact_type, "application/vnd.manifesto.%s", type) < 0) {
		d->artifact_type = NULL;
		return mf_fail_nomem(err);
	}
	return d->media_type ? 1 : mf_fail_nomem(err);
}

/* The end of the run of entries of one subject that begins at `from`. */
static size_t subject_end(const struct mf_entries *all, size_t from)
{
	size_t to = from;
	while (to < all->n && mf_digest_eq(&all->v[to].subject, &all->v[from].subject))
		to++;
	return to;
}

/* Of entries [from, to), which are the subject's. Those whose blob is missing cannot be stored and are left
 * out, and those made for another description of the subject, which are not ours to rebuild. */
static int artifacts_of(const struct mf_subject *s, const struct mf_entries *all, size_t from, size_t to,
			const bool *missing, struct artifacts *a, struct mf_err *err)
{
	a->d.v = mf_calloc(to - from, sizeof *a->d.v);
	a->bytes = mf_calloc(to - from, sizeof *a->bytes);
	a->digests = mf_calloc(to - from, sizeof *a->digests);
	a->present = mf_calloc(to - from, sizeof *a->present);
	if (!a->d.v || !a->bytes || !a->digests || !a->present)
		return mf_fail_nomem(err);
	for (size_t i = from; i < to; i++)
		if (all->v[i].record.has_artifact && !(missing && missing[i]) &&
		    add_artifact(a, s, &all->v[i], err) < 0)
			return -1;
	return 0;
}

/* Stored again when the registry has lost them: garbage collection keeps no untagged manifest. */
static int store_missing(struct mf_image *im, struct artifacts *a, bool *api, struct mf_err *err)
{
	if (mf_manifests_have(im->blobs, a->digests, a->d.n, a->present, err) < 0)
		return -1;
	for (size_t i = 0; i < a->d.n; i++)
		if (!a->present[i] && (mf_artifact_store_config(im->blobs, err) < 0 ||
				       mf_manifest_put(im->blobs, NULL, MF_MT_OCI_MANIFEST,
						       mf_buf_bytes(&a->bytes[i]), api, NULL, err) < 0))
			return -1;
	return 0;
}

/* Stores those that the registry lacks and lists all in the referrers index, without `gone`. */
static int restore_artifacts(struct mf_image *im, const struct mf_subject *s, struct artifacts *a,
			     const struct mf_digest *gone, size_t ngone, struct mf_err *err)
{
	bool api = false;
	if (store_missing(im, a, &api, err) < 0)
		return -1;
	if (api)
		return 0; /* the registry keeps the list itself */
	return mf_referrers_update(im->blobs, &s->digest, a->d.v, a->d.n, gone, ngone, err);
}

static bool still_current(const struct artifacts *a, const struct mf_digest *d)
{
	for (size_t i = 0; i < a->d.n; i++)
		if (mf_digest_eq(&a->digests[i], d))
			return true;
	return false;
}

static int rebuild_subject(struct mf_image *im, const struct mf_subject *s, const struct mf_entries *all,
			   const struct mf_digest *replaced, size_t nreplaced, struct mf_err *err)
{
	struct artifacts a MF_CLEANUP(artifacts_clear) = {0};
	struct mf_digest *gone MF_FREE = mf_calloc(nreplaced, sizeof *gone);
	size_t ngone = 0, from = 0;
	if (!gone)
		return mf_fail_nomem(err);
	while (from < all->n && !mf_digest_eq(&all->v[from].subject, &s->digest))
		from++;
	if (artifacts_of(s, all, from, subject_end(all, from), NULL, &a, err) < 0)
		return -1;
	for (size_t i = 0; i < nreplaced; i++)
		if (!still_current(&a, &replaced[i]))
			gone[ngone++] = replaced[i];
	return restore_artifacts(im, s, &a, gone, ngone, err);
}

static int rebuild_once(struct mf_image *im, const struct mf_subjects *subjects,
			const struct mf_digest *replaced, size_t nreplaced, struct mf_err *err)
{
	struct mf_entries all MF_ENTRIES_CLEANUP = {0};
	if (mf_trust_widen(im->trust, MF_STR(""), err) < 0 || survey(im, subjects, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < subjects->n; i++)
		if (rebuild_subject(im, &subjects->v[i], &all, replaced, nreplaced, err) < 0)
			return -1;
	return 0;
}

/* Written from one state of the records, which is loaded; done when that is still the newest afterwards.
 * Whoever publishes in between repeats it too. */
int mf_rebuild(struct mf_image *im, const struct mf_subjects *subjects, const struct mf_digest *replaced,
	       size_t nreplaced, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if (im->store_ref.transport == MF_TRANSPORT_LAYOUT)
		return 0;
	if (mf_publish_lock(im->trust, &lock, err) < 0)
		return -1;
	for (;;) {
		if (rebuild_once(im, subjects, replaced, nreplaced, err) < 0)
			return -1;
		int rc = mf_trust_unchanged(im->trust, err);
		if (rc)
			return rc < 0 ? -1 : 0;
		if (mf_trust_load(im->trust, &(struct mf_load){0}, err) < 0)
			return -1;
	}
}

/* ---------------------------------------------------------------- what differs */

#define OUR_ARTIFACTS "application/vnd.manifesto."

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

/* What the trust repository itself has, `get` needs from nowhere else. Asking a web server costs a download.
 */
static int look_for_target(struct mf_image *im, struct mf_drift *d, size_t i, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	const struct mf_entry *e = &d->all.v[i];
	bool local = mf_trust_dir(im->trust) != NULL, has = false;
	if (!local && !d->missing[i])
		return 0;
	if (mf_record_name(&name, e->type, &e->subject, err) < 0 ||
	    mf_content_has_target(im, mf_buf_str(&name), &e->info, &has, err) < 0)
		return -1;
	d->no_target[i] = local && !has && !d->missing[i];
	d->unreachable[i] = !has && d->missing[i];
	return 0;
}

static int find_blobs(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
{
	struct mf_digest *v MF_FREE = mf_calloc(d->all.n, sizeof *v);
	bool *present MF_FREE = mf_calloc(d->all.n, sizeof *present);
	if (!v || !present)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < d->all.n; i++)
		v[i] = d->all.v[i].info.sha256;
	size_t n = d->all.n ? sort_unique(v, d->all.n) : 0;
	if (mf_blobs_have(im->blobs, v, n, present, err) < 0)
		return -1;
	for (size_t i = 0; i < d->all.n; i++) {
		const struct mf_digest *at = bsearch(&d->all.v[i].info.sha256, v, n, sizeof *v, by_digest);
		d->missing[i] = !present[at - v];
		if (look_for_target(im, d, i, err) < 0)
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
	if (!digests || !looked || !d->v)
		return mf_fail_nomem(err);
	for (size_t from = 0; from < d->all.n; from = d->v[d->n++].to) {
		struct mf_subject_drift *x = &d->v[d->n];
		x->from = from;
		x->to = subject_end(&d->all, from);
		x->s.digest = digests[d->n] = d->all.v[from].subject;
	}
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

/* A registry that keeps the list itself takes what it was given from it only by deleting. */
static int find_stale(const struct mf_drift *d, struct mf_subject_drift *x, const struct mf_descriptors *list,
		      struct mf_err *err)
{
	x->stale = mf_calloc(list->n, sizeof *x->stale);
	if (!x->stale)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < list->n; i++) {
		const struct mf_descriptor *e = &list->v[i];
		bool ours =
		    e->artifact_type && strncmp(e->artifact_type, OUR_ARTIFACTS, strlen(OUR_ARTIFACTS)) == 0;
		if (ours && !is_of_record(d, x, &e->digest))
			x->stale[x->nstale++] = e->digest;
	}
	return 0;
}

static int compare(void *arg, size_t i, struct mf_descriptors *list, bool api, struct mf_err *err)
{
	struct referrers *r = arg;
	struct mf_subject_drift *x = &r->d->v[r->which[i]];
	struct artifacts a MF_CLEANUP(artifacts_clear) = {0};
	if (artifacts_of(&x->s, &r->d->all, x->from, x->to, r->d->missing, &a, err) < 0)
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
	return api ? 0 : find_stale(r->d, x, list, err);
}

/* Listed and yet not there: garbage collection takes untagged manifests. */
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
	return rc;
}

/* ---- all of it */

static int find_catalogue(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
{
	struct catalogue c MF_CLEANUP(catalogue_clear) = {0};
	if (catalogue_of(&d->all, d->missing, &c, err) < 0)
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
	if (im->store_ref.transport == MF_TRANSPORT_REGISTRY &&
	    (find_catalogue(im, &d, err) < 0 || find_referrers(im, &d, err) < 0))
		return -1;
	*out = d;
	d = (struct mf_drift){0};
	return 0;
}

static int mend_subject(struct mf_image *im, const struct mf_drift *d, const struct mf_subject_drift *x,
			struct mf_err *err)
{
	struct artifacts a MF_CLEANUP(artifacts_clear) = {0};
	if (!x->unlisted && !x->nstale)
		return 0;
	if (artifacts_of(&x->s, &d->all, x->from, x->to, d->missing, &a, err) < 0)
		return -1;
	return restore_artifacts(im, &x->s, &a, x->stale, x->nstale, err);
}

/* A file of the trust repository that readers without our registry need. */
static int mend_target(struct mf_image *im, const struct mf_entry *e, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(e->info.length, err);
	if (!s || mf_record_name(&name, e->type, &e->subject, err) < 0 ||
	    mf_blob_get(im->blobs, &e->info.sha256, e->info.length, s, err) < 0)
		return -1;
	return mf_content_put_target(im, mf_buf_str(&name), s, &e->info.sha256, err);
}

static int mend_all(struct mf_image *im, const struct mf_drift *d, struct mf_err *err)
{
	struct catalogue c MF_CLEANUP(catalogue_clear) = {0};
	if (d->catalogue && (catalogue_of(&d->all, d->missing, &c, err) < 0 ||
			     mf_catalogue_set(im->blobs, c.v, c.n, NULL, NULL, err) < 0))
		return -1;
	for (size_t i = 0; i < d->n; i++)
		if (mend_subject(im, d, &d->v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < d->all.n; i++)
		if (d->no_target[i] && mend_target(im, &d->all.v[i], err) < 0)
			return -1;
	return 0;
}

/* ---------------------------------------------------------------- repair */

/* Others may publish meanwhile; more than so often in a row nobody does. */
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

/* Written from one state of the records; done when that is still the newest afterwards, and nothing differs.
 */
static int mend(struct mf_image *im, struct mf_drift *d, struct mf_err *err)
{
	for (int round = 0; round < MAX_ROUNDS; round++) {
		if (mend_all(im, d, err) < 0)
			return -1;
		int rc = mf_trust_unchanged(im->trust, err);
		if (rc < 0 || (rc == 0 && mf_trust_load(im->trust, &(struct mf_load){0}, err) < 0))
			return -1;
		mf_drift_clear(d);
		if (mf_drift_find(im, d, err) < 0)
			return -1;
		if (!differs(d))
			return 0;
	}
	return mf_fail(err, MF_E_CONFLICT, 0,
		       "after %d rounds catalogue or referrers still differ from the records", MAX_ROUNDS);
}

static int repair(struct mf_image *im, const struct manifesto_repair_options *o,
		  struct manifesto_repair_result *out, struct mf_err *err)
{
	struct mf_drift d MF_DRIFT_CLEANUP = {0};
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if ((!o->dry_run && mf_publish_lock(im->trust, &lock, err) < 0) ||
	    mf_trust_load(im->trust, &(struct mf_load){0}, err) < 0 || mf_drift_find(im, &d, err) < 0)
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
	struct manifesto_repair_result *r = NULL;
	mf_op_begin(m, error);
	if (mf_op_options(&o, sizeof o, opt, &err) == 0)
		r = mf_result_new(sizeof *r, &err);
	int rc = !r || mf_repository_open(&im, m, o.repository, &err) < 0 ? -1 : repair(&im, &o, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}
