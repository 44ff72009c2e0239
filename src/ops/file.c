/* Files that callers make of results. */
#include "ops/ops.h"
#include "store/file.h"

int manifesto_file_write(const char *path, const void *data, size_t length, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	*error = (struct manifesto_error){0};
	return mf_file_write(path, (struct mf_bytes){data, length}, 0644, &err) < 0 ? mf_op_fail(error, &err)
										    : 0;
}
