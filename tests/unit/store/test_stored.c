/* Files in directories that others write to. */
#include "tmpdir.h"

#include "store/file.h"

/* What is read here is not hashed: nothing looks at the digest. */
static void *no_begin(struct mf_err *err)
{
	(void)err;
	static char state;
	return &state;
}

static int no_add(void *state, const void *p, size_t n, struct mf_err *err)
{
	(void)state, (void)p, (void)n, (void)err;
	return 0;
}

static int no_end(void *state, struct mf_digest *out, struct mf_err *err)
{
	(void)state, (void)err;
	memset(out, 0, sizeof(*out));
	return 0;
}

static void no_drop(void *state)
{
	(void)state;
}

static const struct mf_spool_hash no_hash = {no_begin, no_add, no_end, no_drop};

static enum mf_code read_stored(const char *path)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	uint64_t n;
	struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(100, &no_hash, &err);
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
	    cmocka_unit_test_setup_teardown(stored_files_are_regular_and_nothing_else_is_waited_for,
					    tmpdir_make, tmpdir_drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
