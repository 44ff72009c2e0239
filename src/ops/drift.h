/* What the registry shows of the records, and what it should show; inside ops only. */
#ifndef MF_OPS_DRIFT_H
#define MF_OPS_DRIFT_H

#include "ops/ops.h"

/* One subject that has records. */
struct mf_subject_drift {
	struct mf_subject s;
	size_t from, to;         /* its entries */
	bool gone;               /* there is no such image any more */
	size_t unlisted;         /* records that the referrers lack */
	struct mf_digest *stale; /* artifact manifests of ours that they have too many */
	size_t nstale;
};
struct mf_drift {
	struct mf_entries all; /* the records of authorised roles, by subject; signatures are not looked at */
	bool *missing;         /* the registry (or layout) lacks the blob of record i */
	bool *no_target;   /* the local trust repository lacks its target file, which could be made again */
	bool *unreachable; /* the blob is in neither */
	bool catalogue;    /* it differs from the records */
	struct mf_subject_drift *v;
	size_t n;
};
void mf_drift_clear(struct mf_drift *d);
#define MF_DRIFT_CLEANUP MF_CLEANUP(mf_drift_clear)
/* Compares; the trust metadata are loaded, all roles. Writes nothing. */
int mf_drift_find(struct mf_image *im, struct mf_drift *out, struct mf_err *err) MF_NODISCARD;

#endif
