/* Conditions on content: jq programs, each of which must give exactly one `true` for a document.
 *
 * A document comes from whoever may sign it, and jq is a large program to expose to it. So a process of its
 * own evaluates each document. It was forked before this run had any secret; it has no environment, no
 * descriptor but a pipe, no files, no network, and none of the memory that is kept out of core dumps, where
 * secrets are; its other memory and its time are small, and it ends after its answer. The jq programs come
 * from the user's own policy; they are compiled once, before the first request.
 *
 * libjq is loaded when the first condition is used. */
#ifndef MF_CONDITION_CONDITION_H
#define MF_CONDITION_CONDITION_H

#include "base/digest.h"
#include "base/env.h"
#include "base/limits.h"

#define MF_CONDITION_VALUES 4 /* of a result, that are shown */
#define MF_CONDITION_VALUE 260

/* What a program gave for a document. */
struct mf_outcome {
	bool holds;
	char why[400]; /* why not, in words behind "the condition"; safe to show */
	size_t nvalues;
	char values[MF_CONDITION_VALUES][MF_CONDITION_VALUE]; /* as JSON, cut; safe to show */
};

struct mf_conditions_config {
	const char *const *programs; /* borrowed */
	size_t n;
	int64_t now;              /* what the programs take for the time */
	const struct mf_env *env; /* borrowed */
};
struct mf_conditions;

/* Loads libjq, and starts the process, in which the programs are compiled. NULL on failure: MF_E_USAGE when
 * one does not compile, or libjq is not installed. */
struct mf_conditions *mf_conditions_start(const struct mf_conditions_config *cfg,
					  struct mf_err *err) MF_NODISCARD;
void mf_conditions_stop(struct mf_conditions *c);
/* What is known already of a program and a content; NULL: nothing. Valid until the next evaluation. */
const struct mf_outcome *mf_conditions_known(const struct mf_conditions *c, size_t program,
					     const struct mf_digest *content);
/* Evaluates a program for `document`, whose digest is `content`. Valid until the next evaluation. Any
 * defect of the document is an outcome (one that is too large is not read); NULL is a failure of ours:
 * MF_E_CANCELLED, MF_E_UNAVAILABLE (the run's time is up), MF_E_INTERNAL, MF_E_NOMEM. */
const struct mf_outcome *mf_conditions_evaluate(struct mf_conditions *c, size_t program,
						const struct mf_digest *content, struct mf_bytes document,
						struct mf_err *err) MF_NODISCARD;

#endif
