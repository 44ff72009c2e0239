/* Conditions on content: jq programs, each of which must give exactly one `true` for a document.
 *
 * The content of a document is chosen by its signer, and jq is a large program to expose to such input. So
 * each document is evaluated in a process of its own. That process is forked from one that has given up the
 * secrets of this run: it has no environment, no descriptor but a pipe, no access to files or the network,
 * and nothing of the memory that is excluded from core dumps, where passwords and keys are kept. Its other
 * memory and its processor time are limited, and it ends after its answer. The jq programs come from the
 * user's own policy; they are compiled once, before the first request.
 *
 * libjq is loaded when the first condition is used. */
#ifndef MF_CONDITION_CONDITION_H
#define MF_CONDITION_CONDITION_H

#include "base/digest.h"
#include "base/env.h"
#include "base/limits.h"

#define MF_CONDITION_VALUES 4 /* values of a result that are kept */
#define MF_CONDITION_VALUE 260

/* The result of a program for a document. */
struct mf_outcome {
	bool holds;
	char why[400]; /* if not, why, as a text that follows "the condition"; safe to print */
	size_t nvalues;
	char values[MF_CONDITION_VALUES][MF_CONDITION_VALUE]; /* as JSON, shortened; safe to print */
};

struct mf_conditions_config {
	const char *const *programs; /* borrowed */
	size_t n;
	int64_t now;              /* the result of `now` in the programs */
	const struct mf_env *env; /* borrowed */
};
struct mf_conditions;

/* Loads libjq, and starts the process that compiles the programs. NULL on failure: MF_E_USAGE if a program
 * does not compile, or libjq is not installed. */
struct mf_conditions *mf_conditions_start(const struct mf_conditions_config *cfg,
					  struct mf_err *err) MF_NODISCARD;
void mf_conditions_stop(struct mf_conditions *c);
/* The remembered outcome of a program for a content; NULL: there is none. Valid until the next evaluation. */
const struct mf_outcome *mf_conditions_known(const struct mf_conditions *c, size_t program,
					     const struct mf_digest *content);
/* Evaluates a program for `document`, whose digest is `content`. Valid until the next evaluation. Every
 * defect of the document, such as its size, leads to an outcome. NULL: the evaluation itself failed:
 * MF_E_CANCELLED, MF_E_UNAVAILABLE (the run's time is up), MF_E_INTERNAL, MF_E_NOMEM. */
const struct mf_outcome *mf_conditions_evaluate(struct mf_conditions *c, size_t program,
						const struct mf_digest *content, struct mf_bytes document,
						struct mf_err *err) MF_NODISCARD;

#endif
