/* Policy files and waivers: small JSON documents, read strictly. Pure. docs/policy.md is the reference,
 * docs/policy.schema.json the policy's schema. */
#ifndef MF_POLICY_DOCUMENT_H
#define MF_POLICY_DOCUMENT_H

#include "json/json.h"
#include "policy/require.h"

/* Adds the requirements of a policy file to empty rules. Unknown and repeated members are refused: a misspelt
 * condition would not be evaluated. MF_E_USAGE. */
int mf_rules_parse(struct mf_rules *r, struct mf_bytes doc, struct mf_err *err) MF_NODISCARD;

/* The content of a record of type `waiver`. */
struct mf_waiver {
	struct mf_arena arena;
	const char *name;
	const char **waives; /* types */
	size_t nwaives;
	const char *granted_to; /* "for" */
	const char *reason;     /* NULL: absent */
	int64_t until;          /* required */
};
void mf_waiver_clear(struct mf_waiver *w);
#define MF_WAIVER_CLEANUP MF_CLEANUP(mf_waiver_clear)
/* Parses a waiver. MF_E_FORMAT. */
int mf_waiver_parse(struct mf_waiver *out, struct mf_bytes doc, struct mf_err *err) MF_NODISCARD;
bool mf_waiver_names(const struct mf_waiver *w, const char *type);

#endif
