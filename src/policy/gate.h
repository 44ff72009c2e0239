/* The gate: does an image have the records that a policy requires? Pure: it takes a verified set and rules,
 * and gives a verdict with its reason.
 *
 * Signatures of a requirement count together when they are over the same content, by different keys that a
 * role of the requirement lists now. A key counts once, in however many roles it is listed. */
#ifndef MF_POLICY_GATE_H
#define MF_POLICY_GATE_H

#include "policy/document.h"
#include "policy/policy.h"
#include "policy/require.h"

/* Why a requirement is not met. MF_GATE_SIGNERS to MF_GATE_ABSENT are ordered: if several roles have records,
 * the lowest code is reported, because that record comes nearest to the requirement. */
enum mf_gate_code {
	MF_GATE_MET,
	MF_GATE_SIGNERS,     /* too few keys over the same content */
	MF_GATE_MEDIA_TYPE,  /* the record has another media type */
	MF_GATE_TOO_OLD,     /* or has no time of creation */
	MF_GATE_FROM_FUTURE, /* created in the future: its age is unknown */
	MF_GATE_EXPIRED,     /* past its own `expires` */
	MF_GATE_FOREIGN,     /* without a record signature that counts */
	MF_GATE_ABSENT,
	MF_GATE_CONDITION,    /* its content does not meet a condition */
	MF_GATE_DISTINCT,     /* its signers are needed for another requirement, too */
	MF_GATE_WAIVER,       /* there is a waiver, but it does not hold */
	MF_GATE_UNKNOWN_ROLE, /* this and the following cannot be waived */
	MF_GATE_ROLE_TYPE,    /* a named role may not sign the type */
	MF_GATE_WITHDRAWN,
	MF_GATE_VETOED,
	MF_GATE_CODES
};
const char *mf_gate_code_name(enum mf_gate_code c); /* "absent", "too_old" */
/* The error code for this reason. All but that of MF_GATE_MET have exit status 9. */
enum mf_code mf_gate_error(enum mf_gate_code c);
bool mf_gate_waivable(enum mf_gate_code c);

struct mf_gate {
	const struct mf_tuf_set *set;
	const struct mf_rules *rules;
	const struct mf_digest *subject;
};

struct mf_verdict {
	enum mf_gate_code code;
	struct mf_buf found;        /* what was found, in words; empty if met */
	struct mf_entries records;  /* met: those that count, all of one content */
	struct mf_entries rivals;   /* met, with conditions: one of each other content that suffices */
	struct mf_pubkey **signers; /* met: the distinct keys, borrowed from the set */
	size_t nsigners;
	struct mf_pubkey **originals; /* met: the keys named by `original` of the policy that signed an
					 original; borrowed from the records */
	size_t noriginals;
};
void mf_verdict_clear(struct mf_verdict *v);
#define MF_VERDICT_CLEANUP MF_CLEANUP(mf_verdict_clear)

/* Evaluates a requirement, except for its conditions on content. The caller evaluates these, for the content
 * of the records and of each rival: otherwise a signer could choose by a further record which content is
 * evaluated. -1 only if a record cannot be read (MF_E_FORMAT) or memory runs out. */
int mf_gate_evaluate(const struct mf_gate *g, const struct mf_requirement *q, struct mf_verdict *out,
		     struct mf_err *err) MF_NODISCARD;
/* Finds a waiver whose signatures suffice (rules->waiver) and whose content is not in `seen`. Its document is
 * the content of out->records. */
int mf_gate_find_waiver(const struct mf_gate *g, const struct mf_digest *seen, size_t nseen,
			struct mf_verdict *out, struct mf_err *err) MF_NODISCARD;

#endif
