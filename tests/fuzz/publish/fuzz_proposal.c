/* A proposal: what is read keeps to its limits, means the same when it is written and read again, and takes
 * over nothing from itself. */
#include <assert.h>

#include "publish/proposal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_files(const struct mf_proposal *p)
{
	assert(p->nfiles >= 1 && p->nfiles <= MF_MAX_PROPOSAL_FILES);
	for (size_t i = 0; i < p->nfiles; i++) {
		const struct mf_proposal_file *f = &p->files[i];
		assert(mf_proposal_find(p, f->role) == f && f->version >= 1 && f->base >= 0);
		assert(f->nsignatures <= MF_MAX_SIGNATURES);
		for (size_t k = 1; k < f->nsignatures; k++)
			assert(strcmp(f->signatures[k].keyid, f->signatures[k - 1].keyid) != 0);
	}
	for (size_t i = 1; i < p->nedits; i++)
		assert(mf_str_cmp(p->edits[i - 1].name, p->edits[i].name) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT},
			     again MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(2 * MF_MAX_PROPOSAL_BYTES);
	if (mf_proposal_parse(&p, (struct mf_bytes){data, size}, &err) < 0) {
		assert(err.code == MF_E_FORMAT || err.code == MF_E_NOMEM);
		return 0;
	}
	check_files(&p);
	if (mf_proposal_write(&p, &text, &err) < 0 ||
	    mf_proposal_parse(&again, mf_buf_bytes(&text), &err) < 0)
		return 0; /* a number of another precision, or longer text */
	check_files(&again);
	assert(again.nfiles == p.nfiles && again.nedits == p.nedits && again.ndelegations == p.ndelegations);
	size_t before = p.files[0].nsignatures;
	if (mf_proposal_merge(&p, &again, NULL, &err) < 0)
		abort();
	assert(p.files[0].nsignatures == before);
	return 0;
}
