/* One image at the gate: verdicts of the policy engine, waivers with their content, as results of the public
 * interface. For verify and copy. */
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
	bool content; /* fetch what the records are of */
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

/* What the options require, into empty rules: `require`, `where`, `distinct`, the policy, `max_age`.
 * MF_E_USAGE. (verify.c) */
int mf_gate_read_rules(struct mf_rules *rules, const struct manifesto_verify_options *o,
		       struct mf_err *err) MF_NODISCARD;
/* Before anything is requested: a condition that is none is a mistake of whoever runs the gate, and the
 * process that evaluates is forked before there is anything to steal. *programs is the caller's to free,
 * after *out was stopped; both stay NULL where the rules have no conditions. (verify.c) */
int mf_gate_start(struct manifesto *m, const struct mf_rules *rules, const char ***programs,
		  struct mf_conditions **out, struct mf_err *err) MF_NODISCARD;
/* What at least one rule needs to be evaluated, in two parts: the roles that could hold the required records,
 * whose names go into the arena; and behind that load the vetoes, as `then` of a pool with the rules. Without
 * shards: those come with mf_image_load_shards. (verify.c) */
int mf_gate_wants(const struct mf_rules *rules, struct mf_arena *a, struct mf_load *how,
		  struct mf_err *err) MF_NODISCARD;
enum mf_found mf_gate_load_vetoes(void *rules, struct mf_pool_trust *t, struct mf_err *err) MF_NODISCARD;

/* Evaluates all rules for one subject. -1: the run cannot go on. */
int mf_gate_subject(struct mf_gate_report *r, const struct mf_subject *s, struct mf_err *err) MF_NODISCARD;
/* A finding of a failure; q and s: of this requirement and subject, or NULL. */
int mf_gate_refuse(struct mf_gate_report *r, const struct mf_requirement *q, const struct mf_subject *s,
		   const struct mf_err *why, struct mf_err *err) MF_NODISCARD;
int mf_gate_refuse_tag(struct mf_gate_report *r, struct mf_err *err) MF_NODISCARD;

#endif
