/* Compares what the registry shows of the records, its catalogue and referrers, with the signed records. */
#ifndef MF_OPS_DRIFT_H
#define MF_OPS_DRIFT_H

#include "base/encode.h"
#include "ops/ops.h"

/* ---- what the registry should show: rebuild.c */

/* Records in the form that the catalogue is written from. It owns the strings. */
struct mf_catalogue_text {
	struct mf_catalogue_record *v;
	char (*created)[MF_TIME_LEN];
	char **types;
	size_t n;
};
void mf_catalogue_clear(struct mf_catalogue_text *c);
#define MF_CATALOGUE_CLEANUP MF_CLEANUP(mf_catalogue_clear)
/* missing[i]: the registry lacks the blob of entry i; missing NULL: it lacks none. */
int mf_catalogue_of(const struct mf_entries *e, const bool *missing, struct mf_catalogue_text *c,
		    struct mf_err *err) MF_NODISCARD;

/* The artifact manifests of one subject's records. */
struct mf_artifacts {
	const char *owner;       /* given: mf_trust_identity */
	struct mf_descriptors d; /* of those that can be made again */
	struct mf_buf *bytes;
	struct mf_digest *digests;
	struct mf_digest *named; /* the digests that the records name, of these and all others */
	size_t nnamed;
	bool *present;
};
void mf_artifacts_clear(struct mf_artifacts *a);
#define MF_ARTIFACTS_CLEANUP MF_CLEANUP(mf_artifacts_clear)
/* Makes the artifact manifests of entries [from, to), which are those of the subject. Left out: those whose
 * blob is missing, which a registry would refuse, and those that were made for another description of the
 * subject, which cannot be made again. */
int mf_artifacts_of(const struct mf_subject *s, const struct mf_entries *all, size_t from, size_t to,
		    const bool *missing, struct mf_artifacts *a, struct mf_err *err) MF_NODISCARD;
/* The change after which the fallback list of the subject lists exactly these of ours. Borrows from both. */
struct mf_referrers_change mf_artifacts_change(const struct mf_subject *s, const struct mf_artifacts *a);
/* Stores those that the registry has lost: garbage collection may delete untagged manifests. */
int mf_artifacts_store(struct mf_image *im, struct mf_artifacts *a, struct mf_err *err) MF_NODISCARD;
/* The end of the run of entries of one subject that begins at `from`. */
size_t mf_subject_end(const struct mf_entries *all, size_t from);

/* ---- what differs: repair.c */

/* One subject that has records. */
struct mf_subject_drift {
	struct mf_subject s;
	size_t from, to;         /* its entries: [from, to) of `all` */
	bool gone;               /* the image is not in the registry any more */
	size_t unlisted;         /* records whose artifact manifests the referrers lack */
	struct mf_digest *stale; /* our artifact manifests in the referrers that no record names */
	size_t nstale;
	size_t foreign; /* artifact manifests in the referrers that belong to another trust repository */
};
struct mf_drift {
	struct mf_entries all; /* the records of authorised roles, by subject; signatures are not checked */
	bool *missing;         /* the registry (or layout) lacks the blob of record i */
	bool *no_target;   /* the local trust repository lacks its target file, which could be made again */
	bool *unreachable; /* neither of the two has the content */
	bool catalogue;    /* the catalogue differs from the records */
	bool refused;      /* the registry refused exactly this repair before: trying again is of no use */
	struct mf_subject_drift
	    *v; /* subjects with records, by digest; behind these, others with stale artifact manifests */
	size_t n, cap, nrecorded;
};
void mf_drift_clear(struct mf_drift *d);
#define MF_DRIFT_CLEANUP MF_CLEANUP(mf_drift_clear)
/* Compares the two, and writes nothing. The trust metadata of all roles must be loaded. */
int mf_drift_find(struct mf_image *im, struct mf_drift *out, struct mf_err *err) MF_NODISCARD;

#endif
