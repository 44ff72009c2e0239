/* A page of the list of a bucket's objects, as a store sends it. */
#include <assert.h>

#include "trust/bucket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_listing l MF_LISTING_CLEANUP = MF_LISTING_INIT;
	struct mf_buf last MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct mf_str page = {(const char *)data, size};
	if (mf_s3_list_parse(page, MF_STR("a/"), &l, &last, &err) == MF_FAILED)
		assert(err.code == MF_E_REFUSED);
	mf_listing_sort(&l);
	for (size_t i = 0; i < l.n; i++)
		assert(mf_listing_find(&l, l.v[i].name));
	return 0;
}
