/* The manifest of a mirror in a registry: what it lists is sorted, each name once, and none leads out of a
 * directory. */
#include <assert.h>

#include "base/limits.h"
#include "trust/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_oci_files f MF_OCI_FILES_CLEANUP = {.arena = MF_ARENA_INIT};
	if (mf_oci_files_parse((struct mf_bytes){data, size}, &f, &err) < 0) {
		assert(err.code == MF_E_FORMAT && f.n == 0);
		return 0;
	}
	assert(f.n <= MF_MAX_OCI_FILES);
	for (size_t i = 0; i < f.n; i++) {
		assert(!strchr(f.v[i].name, '/') && f.v[i].name[0] != '.');
		assert(f.v[i].size <= (uint64_t)MF_MAX_VERSION);
		assert(i == 0 || strcmp(f.v[i - 1].name, f.v[i].name) < 0);
		assert(mf_oci_files_find(&f, f.v[i].name) == &f.v[i]);
	}
	return 0;
}
