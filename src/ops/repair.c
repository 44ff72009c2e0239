/* repair: compares what the registry shows of the records with the signed records, and writes it again if it
 * differs. */
#include "ops/drift.h"
#include "publish/publish.h"

/* What the registry refused to change. */
struct refusals {
	struct mf_err catalogue, lists, deletes;
	size_t kept; /* artifact manifests with a tag of their own */
	bool keeps;  /* the catalogue was refused in this pass, so manifests get tags */
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

static bool is_refused(const struct refusals *r)
{
	return r->catalogue.code || r->lists.code || r->deletes.code;
}

/* One pass over all records. */
struct pass {
	struct mf_image *im;
	struct refusals *refused;
	bool mends; /* it writes what differs; else it only compares */
};

static int mend_subject(struct mf_image *im, const struct mf_drift_part *d, const struct mf_subject_drift *x,
			struct refusals *r, struct mf_err *err)
{
	struct mf_artifacts a MF_ARTIFACTS_CLEANUP = {.owner = mf_trust_identity(im->trust)};
	if (!x->unlisted && !x->nstale)
		return 0;
	if (mf_artifacts_of(&x->s, d->all, x->from, x->to, d->missing, &a, err) < 0)
		return -1;
	struct mf_referrers_change change = mf_artifacts_change(&x->s, &a);
	if ((mf_artifacts_store(im, &a, err) < 0 || mf_referrers_update(im->blobs, &change, 1, err) < 0) &&
	    note(&r->lists, err) < 0)
		return -1;
	return delete_stale(im, x, r, err);
}

/* If the catalogue cannot be written, each artifact manifest gets a tag of its own, so that garbage
 * collection keeps it and its content. */
static int keep_all(struct mf_image *im, const struct mf_drift_part *d, struct refusals *r,
		    struct mf_err *err)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct mf_subject_drift *x = &d->v[i];
		struct mf_artifacts a MF_ARTIFACTS_CLEANUP = {.owner = mf_trust_identity(im->trust)};
		if (x->gone)
			continue;
		if (mf_artifacts_of(&x->s, d->all, x->from, x->to, d->missing, &a, err) < 0)
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

/* Writes the part of the catalogue that differs. If a part is refused, only artifact manifests of parts that
 * differ get tags: the other parts of the catalogue keep theirs. */
static int mend_catalogue(struct mf_image *im, const struct mf_drift_part *d, struct refusals *r,
			  struct mf_err *err)
{
	struct mf_catalogue_text c MF_CATALOGUE_CLEANUP = {0};
	if (!d->catalogue)
		return 0;
	if (r->catalogue.code)
		return r->keeps ? keep_all(im, d, r, err) : 0;
	if (mf_catalogue_of(d->all, d->missing, &c, err) < 0)
		return -1;
	if (mf_catalogue_set(im->blobs, c.v, c.n, d->scope, err) == MF_CATALOGUE_DONE)
		return 0;
	r->keeps = true;
	return note(&r->catalogue, err) < 0 ? -1 : keep_all(im, d, r, err);
}

static int mend_list(struct mf_image *im, const struct mf_record_parts *parts, struct refusals *r,
		     struct mf_err *err)
{
	const bool none[256] = {false};
	const struct mf_catalogue_scope scope = {
	    .step = MF_CATALOGUE_LIST, .parts = parts->first_bytes, .given = none};
	if (!parts->split || r->catalogue.code ||
	    mf_catalogue_set(im->blobs, NULL, 0, scope, err) == MF_CATALOGUE_DONE)
		return 0;
	return note(&r->catalogue, err);
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

static int mend_part(void *arg, const struct mf_drift_part *d, struct mf_err *err)
{
	const struct pass *p = arg;
	if (!p->mends)
		return 0;
	if (mend_catalogue(p->im, d, p->refused, err) < 0)
		return -1;
	for (size_t i = 0; i < d->n; i++)
		if (mend_subject(p->im, d, &d->v[i], p->refused, err) < 0)
			return -1;
	for (size_t i = 0; i < d->all->n; i++)
		if (d->no_target[i] && mend_target(p->im, &d->all->v[i], err) < 0)
			return -1;
	return 0;
}

/* Writes what depends on all parts: the list of the catalogue's parts, and referrers of images without
 * records. */
static int mend_rest(const struct pass *p, const struct mf_drift_find *f, struct mf_err *err)
{
	const struct mf_entries none = {0};
	const struct mf_drift_part without = {.all = &none};
	if (f->found.catalogue && mend_list(p->im, &f->parts, p->refused, err) < 0)
		return -1;
	for (size_t i = 0; i < f->found.n; i++) {
		const struct mf_subject_differs *x = &f->found.v[i];
		const struct mf_subject_drift image = {
		    .s.digest = x->digest, .stale = x->stale, .nstale = x->nstale};
		if (!x->nrecords && mend_subject(p->im, &without, &image, p->refused, err) < 0)
			return -1;
	}
	return 0;
}

static int go_through(struct pass *p, struct mf_drift_find *f, struct mf_err *err)
{
	struct mf_shard_steps steps = {.t = p->im->trust, .env = &p->im->m->env};
	enum mf_found more;
	f->im = p->im;
	f->take = mend_part;
	f->arg = p;
	p->refused->keeps = false;
	if (mf_drift_begin(f, err) < 0)
		return -1;
	while ((more = mf_shards_next(&steps, err)) == MF_FOUND)
		if (mf_drift_step(f, &steps, err) < 0)
			return -1;
	if (more == MF_FAILED || mf_drift_end(f, err) < 0)
		return -1;
	return p->mends ? mend_rest(p, f, err) : 0;
}

/* ---------------------------------------------------------------- repair */

/* A repair is repeated when others publish meanwhile; that does not happen more often than this. */
#define MAX_ROUNDS 5

static bool differs(const struct mf_drift *d)
{
	bool any = d->catalogue || d->no_target;
	for (size_t i = 0; i < d->n; i++)
		any |= d->v[i].unlisted || d->v[i].nstale;
	return any;
}

static void count(const struct mf_drift *d, struct manifesto_repair_result *out)
{
	out->catalogue = d->catalogue;
	out->targets = d->no_target;
	for (size_t i = 0; i < d->n; i++) {
		out->subjects += d->v[i].unlisted || d->v[i].nstale;
		out->unlisted += d->v[i].unlisted;
		out->stale += d->v[i].nstale;
	}
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

static const struct mf_load in_steps = {.subjects = mf_no_subjects};

/* Makes passes, each of which writes what it finds to differ, until the records are still the newest and
 * nothing differs any more, except what the registry refused. */
static int mend(struct mf_image *im, const struct manifesto_repair_options *o,
		struct manifesto_repair_result *out, struct mf_err *err)
{
	struct refusals r = {.catalogue = MF_ERR_INIT, .lists = MF_ERR_INIT, .deletes = MF_ERR_INIT};
	struct pass p = {.im = im, .refused = &r, .mends = !o->dry_run};
	for (int round = 0; round <= MAX_ROUNDS; round++) {
		struct mf_drift_find f MF_DRIFT_FIND_CLEANUP = {0};
		enum mf_found same = round ? mf_trust_unchanged(im->trust, err) : MF_ABSENT;
		if (same == MF_FAILED ||
		    (round && same == MF_ABSENT && mf_trust_load(im->trust, &in_steps, err) < 0))
			return -1;
		p.mends &= round < MAX_ROUNDS && !(same == MF_FOUND && is_refused(&r));
		if (go_through(&p, &f, err) < 0)
			return -1;
		if (!round)
			count(&f.found, out);
		if (!differs(&f.found) || o->dry_run || (same == MF_FOUND && is_refused(&r))) {
			warn_refused(im, &r);
			if (differs(&f.found) && !o->dry_run)
				mf_drift_remember_refused(im, &f.found);
			return 0;
		}
		out->repaired = 1;
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
	struct mf_err why = MF_ERR_INIT;
	if (!o->dry_run && mf_publish_lock(im->trust, lock, err) < 0)
		return -1;
	if (mf_trust_load(im->trust, &in_steps, &why) == 0)
		return 0;
	mf_lock_release(lock);
	enum mf_found healed =
	    why.code == MF_E_SIGNATURE && !o->dry_run ? mf_publish_heal(im->trust, err) : MF_ABSENT;
	if (healed == MF_ABSENT)
		*err = why;
	if (healed != MF_FOUND || mf_publish_lock(im->trust, lock, err) < 0)
		return -1;
	out->repaired = out->timestamp = 1;
	return mf_trust_load(im->trust, &in_steps, err);
}

static int repair(struct mf_image *im, const struct manifesto_repair_options *o,
		  struct manifesto_repair_result *out, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if (load(im, &lock, o, out, err) < 0)
		return -1;
	out->gun = mf_arena_text(mf_result_arena(out), mf_trust_pin_name(im->trust));
	if (mf_arena_check(mf_result_arena(out), err) < 0)
		return -1;
	return mend(im, o, out, err);
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
