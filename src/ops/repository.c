/* The subjects of a whole repository and their tags. */
#include "ops/ops.h"

int mf_repository_open(struct mf_image *im, struct manifesto *m, const char *text, struct mf_err *err)
{
	struct mf_ref ref MF_REF_CLEANUP = {0};
	struct mf_esc e;
	if (mf_ref_parse(&ref, mf_str_c(text), err) < 0)
		return -1;
	if (ref.transport == MF_TRANSPORT_REGISTRY) {
		struct mf_ref plain MF_REF_CLEANUP = {0};
		if (mf_ref_parse_repository(&plain, mf_str_c(text), err) < 0)
			return -1;
	} else if (ref.tag || ref.has_digest) {
		return mf_fail(err, MF_E_USAGE, 0, "expected a repository without tag and digest, got '%s'",
			       mf_esc(&e, mf_str_c(text)));
	}
	return mf_image_open(im, m, text, err);
}
