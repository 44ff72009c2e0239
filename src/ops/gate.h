/* Evaluates a policy for one image, for verify and copy: the verdicts of the policy engine, and waivers with
 * their content, become results of the public interface. */
#ifndef MF_OPS_GATE_H
#define MF_OPS_GATE_H

#include "condition/condition.h"
#include "ops/ops.h"
#include "policy/gate.h"

struct mf_gate_report {
	struct manifesto *m;
	struct mf_image *im;
	const struct mf_rules *rules;
	struct mf_conditions *conditions; /* NULL: the rules have none */
	const char *reference;
	bool content; /* also check that the content of the records can be fetched */
	struct mf_arena arena;
	const char *image, *platform;
	struct manifesto_requirement *requirements;
	size_t nrequirements, requirements_cap;
	struct manifesto_finding *findings;
	size_t nfindings, findings_cap;
	int status;
	enum mf_code code; /* of the gravest finding */
};
void mf_gate_report_clear(struct mf_gate_report *r);
#define MF_GATE_REPORT_CLEANUP MF_CLEANUP(mf_gate_report_clear)

/* Reads what the options require into empty rules: `require`, `where`, `distinct`, the policy, `max_age`.
 * MF_E_USAGE. (verify.c) */
int mf_gate_read_rules(struct mf_rules *rules, const struct manifesto_verify_options *o,
		       struct mf_err *err) MF_NODISCARD;
/* Compiles the conditions of the rules. Called before the first request: a malformed condition is the mistake
 * of the user who runs the gate, and the evaluating process must be forked before there is a secret that it
 * could inherit. The caller frees *programs after it has stopped *out; both stay NULL if the rules have no
 * conditions. (verify.c) */
int mf_gate_start(struct manifesto *m, const struct mf_rules *rules, const char ***programs,
		  struct mf_conditions **out, struct mf_err *err) MF_NODISCARD;
/* mf_gate_wants sets what to load first: the roles that could hold the required records, without shards,
 * which mf_image_load_shards loads; strings go into the arena. mf_gate_load_vetoes then loads the veto roles:
 * it is the `then` of a pool, with the rules as its argument. (verify.c) */
int mf_gate_wants(const struct mf_rules *rules, struct mf_arena *a, struct mf_load *how,
		  struct mf_err *err) MF_NODISCARD;
enum mf_found mf_gate_load_vetoes(void *rules, struct mf_pool_trust *t, struct mf_err *err) MF_NODISCARD;

/* Evaluates all rules for one subject, and adds requirements and findings to the report. -1: the run cannot
 * go on. */
int mf_gate_subject(struct mf_gate_report *r, const struct mf_subject *s, struct mf_err *err) MF_NODISCARD;
/* Adds a finding for a failure; q and s are its requirement and subject, or NULL. */
int mf_gate_refuse(struct mf_gate_report *r, const struct mf_requirement *q, const struct mf_subject *s,
		   const struct mf_err *why, struct mf_err *err) MF_NODISCARD;
int mf_gate_refuse_tag(struct mf_gate_report *r, struct mf_err *err) MF_NODISCARD;

#endif
