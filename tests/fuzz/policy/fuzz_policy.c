/* A policy file, and the content of a waiver: what is accepted keeps to its limits and can be said in words.
 */
#include <assert.h>

#include "policy/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_requirement(const struct mf_requirement *q)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf words MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	assert(q->type && q->signers >= 1 && q->signers <= MF_MAX_SIGNATURES);
	assert(q->nroles <= MF_MAX_POLICY_ROLES && q->max_age_s >= 0);
	assert(q->nwhere <= MF_MAX_CONDITIONS);
	for (size_t i = 0; i < q->nwhere; i++)
		assert(*q->where[i] && strlen(q->where[i]) <= MF_MAX_CONDITION);
	for (size_t i = 0; i < q->nroles; i++)
		if (mf_role_name_check(mf_str_c(q->roles[i]), &err) < 0)
			abort();
	if (mf_requirement_words(q, &words, &err) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_bytes doc = {data, size};
	struct mf_rules r MF_RULES_CLEANUP = {0};
	struct mf_waiver w MF_WAIVER_CLEANUP = {0};
	if (mf_rules_parse(&r, doc, &err) == 0) {
		assert(r.n >= 1 && r.n <= MF_MAX_REQUIREMENTS && r.nveto <= MF_MAX_POLICY_ROLES);
		assert(r.ndistinct <= MF_MAX_REQUIREMENTS);
		if (mf_rules_check(&r, &err) < 0)
			assert(r.ndistinct && err.code == MF_E_USAGE);
		mf_err_clear(&err);
		assert(r.has_waiver == (r.waiver.nroles > 0));
		for (size_t i = 0; i < r.n; i++)
			check_requirement(&r.v[i]);
		check_requirement(&r.waiver);
	} else {
		assert(err.code == MF_E_USAGE || err.code == MF_E_NOMEM);
	}
	mf_err_clear(&err);
	if (mf_waiver_parse(&w, doc, &err) == 0)
		assert(w.name && w.granted_to && w.nwaives >= 1 && mf_waiver_names(&w, w.waives[0]));
	else
		assert(err.code == MF_E_FORMAT || err.code == MF_E_NOMEM);
	return 0;
}
