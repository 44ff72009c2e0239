/* A requirement as it is typed: what is accepted keeps to its limits and means the same when it is said
 * again. */
#include <assert.h>

#include "policy/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* TYPE=M of ROLES */
static void write_again(const struct mf_requirement *q, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	int rc = mf_buf_printf(out, &err, "%s", q->type);
	if (q->nroles)
		rc |= mf_buf_printf(out, &err, "=%lld of ", (long long)q->signers);
	for (size_t i = 0; i < q->nroles; i++)
		rc |= mf_buf_printf(out, &err, "%s%s", i ? "," : "", q->roles[i]);
	assert(rc == 0);
}

/* TYPE=PROGRAM, and TYPE,TYPE, beside requirements of types that they may name. */
static void read_as_others(struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules r MF_RULES_CLEANUP = {0};
	if (mf_rules_require(&r, MF_STR("qa"), &err) < 0 || mf_rules_require(&r, MF_STR("scan"), &err) < 0)
		abort();
	if (mf_rules_where(&r, text, &err) == 0)
		assert(r.v[0].nwhere + r.v[1].nwhere == 1);
	else
		assert(err.code == MF_E_USAGE && !r.v[0].nwhere && !r.v[1].nwhere);
	mf_err_clear(&err);
	if (mf_rules_distinct(&r, text, &err) < 0) {
		assert(err.code == MF_E_USAGE && !r.ndistinct);
		return;
	}
	assert(r.ndistinct >= 1 && r.ndistinct <= MF_MAX_REQUIREMENTS);
	for (size_t i = 0; i < r.ndistinct; i++)
		assert(mf_rules_is_distinct(&r, r.distinct[i]));
	if (mf_rules_check(&r, &err) == 0)
		assert(r.ndistinct == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules r MF_RULES_CLEANUP = {0};
	read_as_others((struct mf_str){(const char *)data, size});
	struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(65536), words MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	if (mf_rules_require(&r, (struct mf_str){(const char *)data, size}, &err) < 0) {
		assert(err.code == MF_E_USAGE || err.code == MF_E_NOMEM);
		return 0;
	}
	assert(r.n == 1 && r.v[0].signers >= 1 && r.v[0].signers <= MF_MAX_SIGNATURES);
	write_again(&r.v[0], &again);
	if (mf_rules_require(&r, mf_buf_str(&again), &err) < 0 ||
	    mf_requirement_words(&r.v[0], &words, &err) < 0)
		abort();
	const struct mf_requirement *a = &r.v[0], *b = &r.v[1];
	assert(strcmp(a->type, b->type) == 0 && a->signers == b->signers && a->nroles == b->nroles);
	for (size_t i = 0; i < a->nroles; i++)
		assert(strcmp(a->roles[i], b->roles[i]) == 0);
	return 0;
}
