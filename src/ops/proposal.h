/* Shared by the operations on proposals. */
#ifndef MF_OPS_PROPOSAL_H
#define MF_OPS_PROPOSAL_H

#include "ops/ops.h"
#include "publish/proposal.h"

/* Fills *out, with texts in the arena, with the description of a proposal whose files are composed:
 * everything that the signatures will cover. */
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
/* Finds the proposals beside the resolved image whose IDs begin with `id` ("": all). */
int mf_proposal_find_places(struct mf_image *im, const char *id, struct mf_proposal_places *out,
			    struct mf_err *err) MF_NODISCARD;
/* Fetches the proposal at a place. */
int mf_proposal_fetch(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *out,
		      struct mf_err *err) MF_NODISCARD;
/* Adds the signatures that colleagues have stored beside it to p. The trust repository must be loaded. */
int mf_proposal_gather(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		       struct mf_err *err) MF_NODISCARD;
/* Stores a proposal beside the image; *at is set to its place. */
int mf_proposal_put(struct mf_image *im, const struct mf_proposal *p, struct mf_proposal_place *at,
		    struct mf_err *err) MF_NODISCARD;
/* Stores the signatures of p that keys of this machine have made beside the proposal, those of each key under
 * a tag of its own, so that writers at the same time lose none. */
int mf_proposal_put_signatures(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
			       struct mf_err *err) MF_NODISCARD;
/* Removes the proposal at a place; also the signatures beside it, if p is its document and not NULL. */
int mf_proposal_remove(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		       struct mf_err *err) MF_NODISCARD;

#endif
