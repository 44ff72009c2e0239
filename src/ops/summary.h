/* The results of `verify` as signed SLSA Verification Summaries: one DSSE envelope for each image, one per
 * line. */
#ifndef MF_OPS_SUMMARY_H
#define MF_OPS_SUMMARY_H

#include "ops/ops.h"
#include "policy/require.h"

struct mf_summary {
	struct manifesto *m;
	const struct manifesto_verify_options *o;
	struct mf_signer signer;
	const char *verifier; /* URI */
	const struct mf_rules *rules;
	char id[128];
	struct mf_buf lines;
};
#define MF_SUMMARY_CLEANUP MF_CLEANUP(mf_summary_clear)
void mf_summary_clear(struct mf_summary *s);
/* Finds the key and signs with it as a test, before the first request. Like the functions below, does nothing
 * if no summary is requested. */
int mf_summary_begin(struct mf_summary *s, struct manifesto *m, const struct mf_rules *rules,
		     const struct manifesto_verify_options *o, struct mf_err *err) MF_NODISCARD;
/* Adds the summary of one image. An image that was not resolved has no digest, so it gets no summary. */
int mf_summary_add(struct mf_summary *s, const struct manifesto_verify_item *item,
		   struct mf_err *err) MF_NODISCARD;
/* Writes the file, completely or not at all. */
int mf_summary_end(struct mf_summary *s, struct mf_err *err) MF_NODISCARD;

#endif
