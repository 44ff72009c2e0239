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

void mf_catalogue_clear(struct mf_catalogue *c)
{
	for (size_t i = 0; c->types && i < c->n; i++)
		free(c->types[i]);
	free(c->types);
	free(c->created);
	free(c->v);
}

int mf_catalogue_of(const struct mf_entries *e, const bool *missing, struct mf_catalogue *c,
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
	struct mf_catalogue c MF_CATALOGUE_CLEANUP = {0};
	return mf_catalogue_of(all, NULL, &c, err) < 0
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

void mf_artifacts_clear(struct mf_artifacts *a)
{
	for (size_t i = 0; a->bytes && i < a->d.n; i++)
		mf_buf_clear(&a->bytes[i]);
	mf_descriptors_clear(&a->d);
	free(a->bytes);
	free(a->digests);
	free(a->present);
}

/* 1: added; 0: made for another description of the subject, not ours to rebuild. */
static int add_artifact(struct mf_artifacts *a, const struct mf_subject *s, const struct mf_entry *e,
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

size_t mf_subject_end(const struct mf_entries *all, size_t from)
{
	size_t to = from;
	while (to < all->n && mf_digest_eq(&all->v[to].subject, &all->v[from].subject))
		to++;
	return to;
}

int mf_artifacts_of(const struct mf_subject *s, const struct mf_entries *all, size_t from, size_t to,
		    const bool *missing, struct mf_artifacts *a, struct mf_err *err)
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
static int store_missing(struct mf_image *im, struct mf_artifacts *a, bool *api, struct mf_err *err)
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

int mf_artifacts_restore(struct mf_image *im, const struct mf_subject *s, struct mf_artifacts *a,
			 const struct mf_digest *gone, size_t ngone, struct mf_err *err)
{
	bool api = false;
	if (store_missing(im, a, &api, err) < 0)
		return -1;
	if (api)
		return 0; /* the registry keeps the list itself */
	return mf_referrers_update(im->blobs, &s->digest, a->d.v, a->d.n, gone, ngone, err);
}

static bool still_current(const struct mf_artifacts *a, const struct mf_digest *d)
{
	for (size_t i = 0; i < a->d.n; i++)
		if (mf_digest_eq(&a->digests[i], d))
			return true;
	return false;
}

static int rebuild_subject(struct mf_image *im, const struct mf_subject *s, const struct mf_entries *all,
			   const struct mf_digest *replaced, size_t nreplaced, struct mf_err *err)
{
	struct mf_artifacts a MF_ARTIFACTS_CLEANUP = {0};
	struct mf_digest *gone MF_FREE = mf_calloc(nreplaced, sizeof *gone);
	size_t ngone = 0, from = 0;
	if (!gone)
		return mf_fail_nomem(err);
	while (from < all->n && !mf_digest_eq(&all->v[from].subject, &s->digest))
		from++;
	if (mf_artifacts_of(s, all, from, mf_subject_end(all, from), NULL, &a, err) < 0)
		return -1;
	for (size_t i = 0; i < nreplaced; i++)
		if (!still_current(&a, &replaced[i]))
			gone[ngone++] = replaced[i];
	return mf_artifacts_restore(im, s, &a, gone, ngone, err);
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
		if (mf_trust_load(im->trust, MF_STR(""), false, err) < 0)
			return -1;
	}
}
