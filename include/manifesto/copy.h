/* Promotion: the records of images follow them to another repository. */
#ifndef MANIFESTO_COPY_H
#define MANIFESTO_COPY_H

#include "manifesto/gate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An image, and the other place where it is already. */
struct manifesto_copy_pair {
	const char *from;
	const char *to; /* a repository, or a reference that names the same image */
};
struct manifesto_copy_item;
struct manifesto_copy_options {
	size_t size;
	const struct manifesto_copy_pair *pairs;
	size_t npairs; /* from 1 to 10,000 */
	/* Reads the sources: where these have another trust server, other CAs or credentials, or are in a
	 * bundle. NULL: the context that publishes. */
	struct manifesto *source;
	const char *const *types; /* these, each of which must be there; ends with NULL. NULL: those that are
				     required, else all but "waiver" */
	/* What each source must have, as in manifesto_verify_options; with none of these, nothing. */
	const char *const *require, *const *where;
	const char *distinct;
	const char *policy_path;
	const void *policy;
	size_t policy_length;
	int64_t max_age;
	const char *platform;
	int all_platforms; /* the index and each of its children */
	const char *role;  /* at the destination, as in manifesto_change_options */
	const char *key;
	int force; /* replace records of other content */
	/* Receives what became of each pair, in the order given; valid during the call. Returns 0, or -1 to
	 * stop. NULL: only the outcome. */
	int (*result)(void *arg, const struct manifesto_copy_item *item);
	void *result_arg;
};
/* A record at the destination. */
struct manifesto_copied {
	const struct manifesto_record *record;
	int unchanged; /* it was there */
};
struct manifesto_copy_item {
	const char *from, *to;               /* as given */
	const char *source, *image;          /* repository@sha256:...; NULL: not known */
	const struct manifesto_error *error; /* why nothing was published to the destination; NULL: it was */
	const struct manifesto_finding *const *findings; /* why the source does not meet the requirements */
	size_t nfindings;
	const struct manifesto_copied *const *records;
	size_t nrecords;
	const char *role;                      /* of the first record */
	int64_t version;                       /* of that role's file */
	const char *published_to;              /* URL or directory */
	const struct manifesto_signer *signer; /* our key */
	const char *const *warnings;           /* types that were left out; trouble after the publish */
	size_t nwarnings;
};
/* Verifies each source and publishes its records at the destination under our key, with their record
 * signatures in promotedFrom (docs/record-format.md), and copies their content. All pairs of a destination
 * repository are published together, or none. 0 only when all are; else -1 with the gravest status.
 * MANIFESTO_POLICY: the source does not meet the requirements, or one of the records is withdrawn;
 * MANIFESTO_NOT_FOUND: there is no such image, at the destination for one, or no record; MANIFESTO_CONFLICT:
 * the destination names another image, or has a record of other content, and no `force`; MANIFESTO_USAGE:
 * roles of the source disagree, or a record cannot be promoted once more. */
MANIFESTO_API int manifesto_copy(struct manifesto *m, const struct manifesto_copy_options *opt,
				 struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
