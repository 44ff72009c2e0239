/* repair: what the registry shows of the records, made again from the signed ones. */
#include "ops/drift.h"
#include "publish/publish.h"

/* Somebody may publish while we look; more than so often in a row nobody does. */
#define MAX_ROUNDS 5

static void tell(const struct mf_drift *d, struct manifesto_repair_result *out)
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
		if (mf_drift_mend(im, d, err) < 0)
			return -1;
		int rc = mf_trust_unchanged(im->trust, err);
		if (rc < 0 || (rc == 0 && mf_trust_load(im->trust, MF_STR(""), false, err) < 0))
			return -1;
		mf_drift_clear(d);
		if (mf_drift_find(im, d, err) < 0)
			return -1;
		if (!mf_drift_any(d))
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
	    mf_trust_load(im->trust, MF_STR(""), false, err) < 0 || mf_drift_find(im, &d, err) < 0)
		return -1;
	out->gun = mf_arena_dup(&out->arena->a, mf_str_c(mf_trust_pin_name(im->trust)), err);
	if (!out->gun)
		return -1;
	tell(&d, out);
	if (o->dry_run || !mf_drift_any(&d))
		return 0;
	out->repaired = 1;
	return mend(im, &d, err);
}

int manifesto_repair(struct manifesto *m, const struct manifesto_repair_options *opt,
		     struct manifesto_repair_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_repair_result r = {.size = sizeof r};
	mf_op_begin(m, error);
	r.arena = mf_op_arena(&err);
	if (!r.arena || mf_repository_open(&im, m, opt->repository, &err) < 0 ||
	    repair(&im, opt, &r, &err) < 0) {
		manifesto_repair_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

void manifesto_repair_result_clear(struct manifesto_repair_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_repair_result){.size = sizeof *r};
}
