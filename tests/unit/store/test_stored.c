/* Files in directories that others write to. */
#include "tmpdir.h"

#include "oci/spool_hash.h"
#include "store/file.h"

static enum mf_code read_stored(const char *path)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	uint64_t n;
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new_sha256(100, &err);
	assert_non_null(s);
	return mf_spool_from_stored(s, path, &d, &n, &err) < 0 ? err.code : MF_OK;
}

static void stored_files_are_regular_and_nothing_else_is_waited_for(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *fifo = tmpdir_path(state, "fifo"), *file = tmpdir_path(state, "file");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mf_file_write(file, mf_bytes_of(MF_STR("text")), 0600, &err), 0);
	assert_int_equal(read_stored(file), MF_OK);
	assert_int_equal(read_stored(fifo), MF_E_USAGE); /* and the test ends */
	assert_int_equal(read_stored(*state), MF_E_USAGE);
	assert_int_equal(read_stored("/dev/zero"), MF_E_USAGE);
	assert_int_equal(read_stored("-"), MF_E_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stored_files_are_regular_and_nothing_else_is_waited_for, tmpdir_make, tmpdir_drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
