/* The registry's view of the records, and what it should be; inside ops only. */
#ifndef MF_OPS_DRIFT_H
#define MF_OPS_DRIFT_H

#include "base/encode.h"
#include "ops/ops.h"

/* ---- what the registry should show: rebuild.c */

/* Records in the form that the catalogue expects; it owns the strings. */
struct mf_catalogue_text {
	struct mf_catalogue_record *v;
	char (*created)[MF_TIME_LEN];
	char **types;
	size_t n;
};
void mf_catalogue_clear(struct mf_catalogue_text *c);
#define MF_CATALOGUE_CLEANUP MF_CLEANUP(mf_catalogue_clear)
/* missing[i] (or NULL): the registry lacks the blob of entry i. */
int mf_catalogue_of(const struct mf_entries *e, const bool *missing, struct mf_catalogue_text *c,
		    struct mf_err *err) MF_NODISCARD;

/* The artifact manifests of one subject's records. */
struct mf_artifacts {
	const char *owner;       /* given: mf_trust_identity */
	struct mf_descriptors d; /* those that can be made again */
	struct mf_buf *bytes;
	struct mf_digest *digests;
	struct mf_digest *named; /* by all of its records */
	size_t nnamed;
	bool *present;
};
void mf_artifacts_clear(struct mf_artifacts *a);
#define MF_ARTIFACTS_CLEANUP MF_CLEANUP(mf_artifacts_clear)
/* Of entries [from, to), which are the subject's. Those whose blob is missing cannot be stored and are left
 * out, and those made for another description of the subject, which are not ours to make again. */
int mf_artifacts_of(const struct mf_subject *s, const struct mf_entries *all, size_t from, size_t to,
		    const bool *missing, struct mf_artifacts *a, struct mf_err *err) MF_NODISCARD;
/* What the fallback list of the subject should have. Borrows. */
struct mf_referrers_change mf_artifacts_change(const struct mf_subject *s, const struct mf_artifacts *a);
/* Stores those that the registry has lost: garbage collection keeps no untagged manifest. */
int mf_artifacts_store(struct mf_image *im, struct mf_artifacts *a, struct mf_err *err) MF_NODISCARD;
/* The end of the run of entries of one subject that begins at `from`. */
size_t mf_subject_end(const struct mf_entries *all, size_t from);

/* ---- what differs: repair.c */

/* One subject that has records. */
struct mf_subject_drift {
	struct mf_subject s;
	size_t from, to;         /* its entries */
	bool gone;               /* there is no such image any more */
	size_t unlisted;         /* records that the referrers lack */
	struct mf_digest *stale; /* artifact manifests of ours that they have too many */
	size_t nstale;
	size_t foreign; /* artifact manifests that they have of another trust repository */
};
struct mf_drift {
	struct mf_entries all; /* the records of authorised roles, by subject; signatures are not checked */
	bool *missing;         /* the registry (or layout) lacks the blob of record i */
	bool *no_target;   /* the local trust repository lacks its target file, which could be made again */
	bool *unreachable; /* the blob is in neither */
	bool catalogue;    /* it differs from the records */
	bool refused;      /* the registry refused this very repair before: there is nothing to do here */
	struct mf_subject_drift
	    *v; /* those that have records, by digest; behind them others with stale entries */
	size_t n, cap, nrecorded;
};
void mf_drift_clear(struct mf_drift *d);
#define MF_DRIFT_CLEANUP MF_CLEANUP(mf_drift_clear)
/* Compares; the trust metadata are loaded, all roles. Writes nothing. */
int mf_drift_find(struct mf_image *im, struct mf_drift *out, struct mf_err *err) MF_NODISCARD;

#endif
