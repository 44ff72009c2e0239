/* Promotion: copies the records of images to another repository. */
#ifndef MANIFESTO_COPY_H
#define MANIFESTO_COPY_H

#include "manifesto/gate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An image, and the repository that already holds a copy of it. */
struct manifesto_copy_pair {
	const char *from;
	const char *to; /* a repository, or a reference that names the same image */
};
struct manifesto_copy_item;
struct manifesto_copy_options {
	size_t size;
	const struct manifesto_copy_pair *pairs;
	size_t npairs; /* from 1 to 10,000 */
	/* Context that reads the sources, when these have another trust server, other CAs or credentials,
	 * or are in a bundle. NULL: the context that publishes. */
	struct manifesto *source;
	/* Record types to copy, each of which must be there; ends with NULL. NULL: the types that are
	 * required below, else all types but "waiver". */
	const char *const *types;
	/* What each source must have, as in manifesto_verify_options. If none of these is set, nothing is
	 * required. */
	const char *const *require, *const *where;
	const char *distinct;
	const char *policy_path;
	const void *policy;
	size_t policy_length;
	int64_t max_age;
	const char *platform;
	int all_platforms; /* the index and each of its children */
	const char *role;  /* the role at the destination, as in manifesto_change_options */
	const char *key;
	int force; /* replace records at the destination that have other content */
	/* Receives the outcome of each pair, in the order given; `item` is valid during the call. Returns
	 * 0, or -1 to stop. NULL: only the return value of manifesto_copy tells the outcome. */
	int (*result)(void *arg, const struct manifesto_copy_item *item);
	void *result_arg;
};
/* A record at the destination. */
struct manifesto_copied {
	const struct manifesto_record *record;
	int unchanged; /* the destination had the same record already */
};
struct manifesto_copy_item {
	const char *from, *to;      /* as given */
	const char *source, *image; /* repository@sha256:...; NULL: not known */
	/* why nothing was published to the destination; NULL: records were published or were already there */
	const struct manifesto_error *error;
	const struct manifesto_finding *const *findings; /* why the source does not meet the requirements */
	size_t nfindings;
	const struct manifesto_copied *const *records;
	size_t nrecords;
	const char *role;                      /* the role of the first record */
	int64_t version;                       /* version of that role's file */
	const char *published_to;              /* URL or directory */
	const struct manifesto_signer *signer; /* the key that signed at the destination */
	const char *const *warnings;           /* types that were left out; problems after the publish */
	size_t nwarnings;
};
/* Verifies each source, publishes its records at the destination under a key of this machine, with the
 * source's record signatures in promotedFrom (docs/record-format.md), and copies their content. The pairs
 * of one destination repository are published together: all or none. Returns 0 only when every pair was
 * copied, else -1 with the gravest status. MANIFESTO_POLICY: the source does not meet the requirements, or
 * one of the records is withdrawn; MANIFESTO_NOT_FOUND: no such image, at the source or at the
 * destination, or no record; MANIFESTO_CONFLICT: the destination names another image, or has a record with
 * other content and `force` is not set; MANIFESTO_USAGE: the roles of the source disagree, or a record
 * cannot be promoted again. */
MANIFESTO_API int manifesto_copy(struct manifesto *m, const struct manifesto_copy_options *opt,
				 struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
