/* The gate: checks that images have what a policy requires. */
#ifndef MANIFESTO_GATE_H
#define MANIFESTO_GATE_H

#include "manifesto/records.h"

#ifdef __cplusplus
extern "C" {
#endif

struct manifesto_verify_item;
struct manifesto_verify_options {
	size_t size;
	const char *const *images;  /* references; a malformed reference fails the run before any request */
	size_t nimages;             /* at least 1 */
	const char *const *require; /* "TYPE", "TYPE=ROLE", "TYPE=M of ROLE,ROLE"; ends with NULL; or NULL */
	const char *policy_path;    /* path of a policy file; or NULL, and */
	const void *policy;         /* the content of a policy file; or NULL */
	size_t policy_length;
	int64_t max_age; /* seconds; a record that is older meets no requirement. 0: what the policy says */
	const char *platform;
	int all_platforms; /* the index and each of its children must meet the policy */
	int content;       /* also fetch and verify the content of the records that count */
	/* Receives the result of each image, in the order of the references; `item` is valid during the
	 * call. Returns 0, or -1 to stop the run. NULL: only the return value of manifesto_verify tells
	 * the outcome. */
	int (*result)(void *arg, const struct manifesto_verify_item *item);
	void *result_arg;
	/* Conditions on the content of records, "TYPE=PROGRAM" in jq's language, in addition to those of
	 * the policy; ends with NULL; or NULL. */
	const char *const *where;
	const char *distinct; /* "TYPE,TYPE": one key never counts for two of these requirements; or NULL */
	/* A file to write, with one signed SLSA Verification Summary (a DSSE envelope) per line for each
	 * image that could be resolved. It is written after all images are checked, also when some are
	 * refused. NULL: none. */
	const char *vsa_path;
	const char *vsa_key;      /* an ed25519 key of this machine; required with vsa_path */
	const char *vsa_verifier; /* URI of the verifier; NULL: "urn:manifesto:key:FINGERPRINT" */
};
/* A waiver that roles named by the policy have signed. */
struct manifesto_waiver {
	const char *name, *granted_to, *reason; /* reason may be NULL */
	int64_t until;
	const struct manifesto_signer *const *signers;
	size_t nsigners;
};
/* The result of one requirement for one subject. */
struct manifesto_requirement {
	const char *type;
	const char *wanted;   /* the requirement in words */
	const char *subject;  /* repository@sha256:... */
	const char *platform; /* or NULL */
	int met;              /* met by records; 0: not met, or only waived */
	/* the waiver of a requirement that is not met; else NULL */
	const struct manifesto_waiver *waiver;
	const struct manifesto_record *const *records; /* the records that count; all have the same content */
	size_t nrecords;
	const struct manifesto_signer *const *signers; /* the distinct keys that count */
	size_t nsigners;
	const char *const *conditions; /* conditions on the content */
	size_t nconditions;
};
/* Why an image is refused. */
struct manifesto_finding {
	const char
	    *code;  /* stable: "absent", "signers", "withdrawn", ... or an error's ("pin", "signature") */
	int status; /* enum manifesto_status */
	const char *image; /* repository@sha256:..., or the reference where it was not resolved */
	const char *platform;
	const char *type;   /* type of the requirement, or NULL */
	const char *wanted; /* or NULL */
	const char *found;
	const char *hint, *endpoint; /* or NULL */
	const char *condition;       /* the condition that is not met, or NULL */
	const char *const *values;   /* the values that the condition gives, as JSON, escaped and shortened */
	size_t nvalues;
};
struct manifesto_verify_item {
	const char *reference; /* as given */
	const char *image;     /* repository@sha256:...; NULL when it was not resolved */
	const char *platform;
	int accepted; /* there are no findings */
	int status;   /* the gravest of the findings, 0 when accepted */
	const struct manifesto_requirement *const *requirements; /* those that were evaluated */
	size_t nrequirements;
	const struct manifesto_finding *const *findings;
	size_t nfindings;
};
/* Checks that every image has what is required. All images are checked, also after one is refused. Returns
 * 0 only when all are accepted, else -1 with the gravest status (in the order 10 6 8 7 9 13 3 5 4 11 12 2
 * 1). MANIFESTO_USAGE: no requirement, no image, a condition that is not a jq program, conditions while
 * libjq is not installed, or `tofu` (a gate never trusts on first use). The home may be read-only.
 * Conditions are evaluated in a child process, which ends before the function returns. */
MANIFESTO_API int manifesto_verify(struct manifesto *m, const struct manifesto_verify_options *opt,
				   struct manifesto_error *err);

/* --- policy check */
struct manifesto_policy_result {
	const char *name;         /* or NULL */
	const char *const *lines; /* what the policy requires, in words */
	size_t nlines;
};
/* Reads a policy file ("-": standard input) and checks it as manifesto_verify does. */
MANIFESTO_API int manifesto_policy_check(const char *path, const struct manifesto_policy_result **out,
					 struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
