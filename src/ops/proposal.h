/* Shared by the operations on proposals. */
#ifndef MF_OPS_PROPOSAL_H
#define MF_OPS_PROPOSAL_H

#include "ops/ops.h"
#include "publish/proposal.h"

/* Fills in what a person is shown of a proposal whose files are composed: everything that the signatures will
 * cover. In the arena. */
int mf_proposal_describe(struct mf_image *im, const struct mf_proposal *p, const struct mf_outgoing *o,
			 struct mf_arena *a, struct manifesto_proposal *out, struct mf_err *err) MF_NODISCARD;

/* A proposal beside an image. */
struct mf_proposal_place {
	struct mf_digest digest; /* of its artifact manifest: its ID */
	uint64_t size;
};
struct mf_proposal_places {
	struct mf_proposal_place *v;
	size_t n, cap;
};
void mf_proposal_places_clear(struct mf_proposal_places *p);
/* Those of the resolved image whose IDs begin with these digits ("": all). */
int mf_proposal_find_places(struct mf_image *im, const char *id, struct mf_proposal_places *out,
			    struct mf_err *err) MF_NODISCARD;
/* The document at a place. */
int mf_proposal_fetch(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *out,
		      struct mf_err *err) MF_NODISCARD;
/* The signatures that colleagues have put beside it. The trust repository must be loaded. */
int mf_proposal_gather(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		       struct mf_err *err) MF_NODISCARD;
/* Puts a document beside the image; *at: where. */
int mf_proposal_put(struct mf_image *im, const struct mf_proposal *p, struct mf_proposal_place *at,
		    struct mf_err *err) MF_NODISCARD;
/* Puts the signatures that p has and the place lacks beside it: each key's under a name of its own, so that
 * nobody's is lost. */
int mf_proposal_put_signatures(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
			       struct mf_err *err) MF_NODISCARD;
/* Removes it, and the signatures beside it when its document is given (else NULL). */
int mf_proposal_remove(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		       struct mf_err *err) MF_NODISCARD;

#endif
