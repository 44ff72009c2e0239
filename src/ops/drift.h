/* Compares what the registry shows of the records, its catalogue and referrers, with the signed records. */
#ifndef MF_OPS_DRIFT_H
#define MF_OPS_DRIFT_H

#include "base/encode.h"
#include "ops/ops.h"
#include "trust/repo.h"

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

/* Hands out the records of a repository in parts. A part has all records of the subjects with one first byte,
 * or with several first bytes while it has no more records than one catalogue. */
struct mf_record_parts {
	int (*take)(void *arg, const struct mf_entries *part, struct mf_err *err); /* given */
	void *arg;                                                                 /* given */
	struct mf_entries found;
	bool split;            /* there are more records than one catalogue has */
	bool first_bytes[256]; /* first bytes of the subjects so far */
};
void mf_record_parts_clear(struct mf_record_parts *p);
/* Adds the records of one step of struct mf_shard_steps. The steps must be added in their order. The end of
 * a step ends a part, which may be empty. */
int mf_record_parts_add(struct mf_record_parts *p, const struct mf_tuf_set *set, const bool *given,
			struct mf_err *err) MF_NODISCARD;
/* Sets out[b] for each first byte b of a subject of these records. */
void mf_first_bytes(const struct mf_entries *e, bool out[256]);
/* MF_FOUND: the repository has more shards than are loaded at once, and more records than one catalogue has;
 * else MF_ABSENT. Loads and drops shards. */
enum mf_found mf_records_are_many(struct mf_image *im, struct mf_err *err) MF_NODISCARD;

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

/* ---- what differs: drift.c */

/* One subject, and how the registry differs from its records. */
struct mf_subject_drift {
	struct mf_subject s;
	size_t from, to;         /* its entries: [from, to) of `all` */
	bool gone;               /* the image is not in the registry any more */
	size_t unlisted;         /* records whose artifact manifests the referrers lack */
	struct mf_digest *stale; /* our artifact manifests in the referrers that no record names */
	size_t nstale;
};
/* A part of the records (struct mf_record_parts), compared with the registry. */
struct mf_drift_part {
	const struct mf_entries *all; /* of authorised roles, by subject; signatures are not checked */
	bool *missing;                /* the registry (or layout) lacks the blob of record i */
	bool *no_target;   /* the local trust repository lacks its target file, which could be made again */
	bool *unreachable; /* neither of the two has the content */
	struct mf_subject_drift *v; /* the subjects, by digest */
	size_t n;
	bool catalogue;                  /* what the catalogue has of these records differs */
	struct mf_catalogue_scope scope; /* for mf_catalogue_set, which writes that again */
	bool given[256];                 /* borrowed by `scope` */
};
/* A subject that is gone (with `keep_gone`), or whose referrers differ. */
struct mf_subject_differs {
	struct mf_digest digest;
	size_t nrecords, unlisted;
	struct mf_digest *stale;
	size_t nstale;
	bool gone;
};
/* The differences of the whole repository. */
struct mf_drift {
	bool catalogue;   /* the catalogue differs from the records */
	bool refused;     /* the registry refused exactly this repair before: trying again is of no use */
	size_t nsubjects; /* subjects with records */
	size_t no_target; /* records whose target file is missing */
	/* Subjects with records, by digest; behind these, others with stale artifact manifests. */
	struct mf_subject_differs *v;
	size_t n, cap;
};
/* Compares signed records and registry, one step of struct mf_shard_steps after the other. Writes nothing. */
struct mf_drift_find {
	struct mf_image *im; /* given; its trust metadata are loaded, shards need not be */
	/* Given: called for each part. */
	int (*take)(void *arg, const struct mf_drift_part *part, struct mf_err *err);
	void *arg;                    /* given */
	bool keep_gone;               /* given: `found` lists subjects that are gone */
	struct mf_drift found;        /* complete after mf_drift_end */
	struct mf_record_parts parts; /* `split`: the catalogue has parts, those of `first_bytes` */
	struct mf_listing *targets;   /* the target files of a bucket; NULL: not listed */
	struct mf_tags tags;          /* by digest, once has_tags is set */
	bool has_tags, has_referrers; /* has_referrers: the referrers of an image were requested */
	size_t next_tag;              /* the first of them that was not compared with the records */
	struct mf_digest *orphans;    /* tagged images without records */
	size_t norphans, orphans_cap;
};
void mf_drift_find_clear(struct mf_drift_find *f);
#define MF_DRIFT_FIND_CLEANUP MF_CLEANUP(mf_drift_find_clear)
/* Fails only when the trust repository cannot be read. */
int mf_drift_begin(struct mf_drift_find *f, struct mf_err *err) MF_NODISCARD;
/* Compares the records of a step. */
int mf_drift_step(struct mf_drift_find *f, const struct mf_shard_steps *s, struct mf_err *err) MF_NODISCARD;
/* Compares what depends on all records, and completes `found`. */
int mf_drift_end(struct mf_drift_find *f, struct mf_err *err) MF_NODISCARD;
/* Remembers differences that the registry refused to change, so that status does not report them as work. */
void mf_drift_remember_refused(struct mf_image *im, const struct mf_drift *d);

#endif
