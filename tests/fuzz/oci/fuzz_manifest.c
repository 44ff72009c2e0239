/* A manifest, index or error body as a registry sends it: whatever seals and lists must keep to its limits.
 */
#include <assert.h>

#include "base/limits.h"
#include "oci/backend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_manifest m MF_MANIFEST_CLEANUP;
	struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
	mf_manifest_init(&m);
	if (mf_buf_add(&m.bytes, data, size, &err) ||
	    mf_manifest_seal(&m, NULL, "text/html; charset=utf-8", &err)) {
		assert(err.code == MF_E_FORMAT);
		return 0;
	}
	assert(m.media_type[0] && strlen(m.media_type) < sizeof(m.media_type));
	size_t foreign = 0;
	if (mf_index_children(&m, &list, &foreign, &err) < 0) {
		assert(err.code == MF_E_FORMAT && list.n == 0);
		return 0;
	}
	assert(m.is_index);
	for (size_t i = 0; i < list.n; i++)
		assert(list.v[i].size <= (uint64_t)MF_MAX_VERSION);
	return 0;
}
