#include "util.h"

#include <sys/wait.h>

#include "oci/artifact.h"

struct fixture {
	void *dir; /* what tmpdir_path wants */
	struct mf_env env;
	struct mf_image_store *s;
	char ref[64];
};

static void write_text(struct fixture *f, const char *name, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	assert_ok(mf_file_write(tmpdir_path(&f->dir, name), bytes_of(text), 0644, &err), err);
}

static int setup(void **state)
{
	struct fixture *f = mf_calloc(1, sizeof(*f));
	if (!f || tmpdir_make(&f->dir))
		return -1;
	mf_env_init(&f->env);
	write_text(f, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	write_text(f, "index.json",
		   "{\"schemaVersion\":2,\"manifests\":[],\"annotations\":{\"keep\":\"me\"}}");
	(void)snprintf(f->ref, sizeof(f->ref), "oci:%s", (char *)f->dir);
	f->s = open_store(f->ref, NULL, NULL, &f->env);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	mf_image_store_free(f->s);
	int rc = tmpdir_drop(&f->dir);
	free(f);
	return rc;
}

static void layout_open_wants_marker_and_index(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_ref ref MF_REF_CLEANUP = {0};
	assert_ok(mf_ref_parse(&ref, mf_str_c(f->ref), &err), err);
	assert_int_equal(unlink(tmpdir_path(&f->dir, "index.json")), 0);
	assert_null(mf_image_store_open(&ref, NULL, NULL, &f->env, &err));
	assert_int_equal(err.code, MF_E_NOT_FOUND);
	mf_err_clear(&err);
	write_text(f, "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
	assert_null(mf_image_store_open(&ref, NULL, NULL, &f->env, &err));
	assert_int_equal(err.code, MF_E_FORMAT);
	mf_err_clear(&err);
	assert_int_equal(unlink(tmpdir_path(&f->dir, "oci-layout")), 0);
	assert_null(mf_image_store_open(&ref, NULL, NULL, &f->env, &err));
	assert_int_equal(err.code, MF_E_NOT_FOUND);
}

static void layout_blob_comes_back_and_putting_twice_is_fine(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	char text[4096];
	struct mf_digest d = put_blob(f->s, "hello"), other = digest_of("other"), both[2] = {d, other};
	(void)put_blob(f->s, "hello");
	assert_ok(get_blob(f->s, &d, 5, text, &err), err);
	assert_string_equal(text, "hello");
	bool present[2];
	assert_ok(mf_blobs_have(f->s, both, 2, present, &err), err);
	assert_true(present[0]);
	assert_false(present[1]);
	assert_fails(get_blob(f->s, &other, 5, text, &err), err, MF_E_CONTENT_GONE);
	char *path = mf_blob_path(f->s, &d);
	assert_non_null(path);
	assert_int_equal(access(path, R_OK), 0);
	free(path);
}

/* Writes over a blob as a broken disk or an attacker would. */
static void corrupt(struct fixture *f, const struct mf_digest *d, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	char *path = mf_blob_path(f->s, d);
	assert_ok(mf_file_write(path, bytes_of(text), 0644, &err), err);
	free(path);
}

static void layout_corrupted_blob_or_manifest_is_a_digest_error(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	char text[4096];
	struct mf_digest d = put_blob(f->s, "hello"), image = put_image(f->s, "v1", "layer");
	corrupt(f, &d, "hellO");
	assert_fails(get_blob(f->s, &d, 5, text, &err), err, MF_E_DIGEST);
	corrupt(f, &d, "hello, world");
	assert_fails(get_blob(f->s, &d, 5, text, &err), err, MF_E_DIGEST);
	struct mf_spool *small MF_SPOOL_CLEANUP = mf_spool_new(5, &err);
	assert_fails(mf_blob_get(f->s, &d, 5, small, &err), err, MF_E_DIGEST);
	corrupt(f, &d, "hell");
	assert_fails(get_blob(f->s, &d, 5, text, &err), err, MF_E_DIGEST);
	corrupt(f, &image, "{\"layers\":[]}");
	assert_fails(mf_manifest_get(f->s, &image, &m, &err), err, MF_E_DIGEST);
	assert_fails(mf_manifest_get_tag(f->s, "v1", &m, &err), err, MF_E_DIGEST);
	assert_int_equal(m.bytes.n, 0);
}

static void layout_damaged_blob_and_manifest_are_written_again(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	char text[4096];
	struct mf_digest d = put_blob(f->s, "hello"), image = put_image(f->s, NULL, "hello");
	const char *const damaged[] = {"hel", "hellO"};
	for (size_t i = 0; i < 2; i++) {
		corrupt(f, &d, damaged[i]);
		corrupt(f, &image, damaged[i]);
		(void)put_image(f->s, NULL, "hello");
		assert_ok(get_blob(f->s, &d, 5, text, &err), err);
		assert_ok(mf_manifest_get(f->s, &image, &m, &err), err);
		char *flipped MF_FREE = mf_str_dup(mf_buf_str(&m.bytes));
		flipped[3] ^= 1;
		corrupt(f, &image, flipped);
		(void)put_image(f->s, NULL, "hello");
		assert_ok(mf_manifest_get(f->s, &image, &m, &err), err);
	}
}

static void layout_tags_resolve_and_move(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest got, a = put_image(f->s, "v1", "a");
	char media_type[128];
	uint64_t size;
	assert_ok(resolve(f->s, "v1", &got, media_type, &size, &err), err);
	assert_true(mf_digest_eq(&got, &a));
	assert_string_equal(media_type, MF_MT_OCI_MANIFEST);
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	assert_ok(mf_manifest_get_tag(f->s, "v1", &m, &err), err);
	assert_int_equal(m.bytes.n, size);
	struct mf_digest b = put_image(f->s, "v1", "b");
	assert_ok(resolve(f->s, "v1", &got, NULL, NULL, &err), err);
	assert_true(mf_digest_eq(&got, &b));
	assert_ok(mf_manifest_get(f->s, &a, &m, &err), err);
	assert_fails(resolve(f->s, "v2", &got, NULL, NULL, &err), err, MF_E_NOT_FOUND);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(10000);
	assert_ok(mf_file_read(tmpdir_path(&f->dir, "index.json"), 10000, &text, &err), err);
	assert_non_null(strstr(text.p, "\"keep\":\"me\""));
}

static void layout_without_tag_means_the_only_image(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest got;
	assert_fails(resolve(f->s, NULL, &got, NULL, NULL, &err), err, MF_E_NOT_FOUND);
	struct mf_digest a = put_image(f->s, "v1", "a");
	assert_ok(resolve(f->s, NULL, &got, NULL, NULL, &err), err);
	assert_true(mf_digest_eq(&got, &a));
	/* Two names of one image are one image. */
	(void)put_image(f->s, "same", "a");
	assert_ok(resolve(f->s, NULL, &got, NULL, NULL, &err), err);
	(void)put_image(f->s, "v2", "b");
	assert_int_equal(resolve(f->s, NULL, &got, NULL, NULL, &err), -1);
	assert_int_equal(err.code, MF_E_AMBIGUOUS);
	assert_non_null(strstr(err.msg, "v1, same, v2"));
}

static void layout_record_in_the_index_is_not_the_only_image(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf manifest MF_BUF_CLEANUP = MF_BUF_INIT(10000);
	struct mf_digest got, a = put_image(f->s, "v1", "a");
	struct mf_artifact artifact = {.artifact_type = "application/vnd.manifesto.qa",
				       .blob = {.digest = a, .media_type = "x/y"},
				       .subject = {.digest = a, .media_type = "x/y"}};
	assert_ok(mf_artifact_store_config(f->s, &err), err);
	assert_ok(mf_artifact_build(&artifact, &manifest, &err), err);
	assert_ok(
	    mf_manifest_put(f->s, "record", MF_MT_OCI_MANIFEST, mf_buf_bytes(&manifest), NULL, NULL, &err),
	    err);
	assert_ok(resolve(f->s, NULL, &got, NULL, NULL, &err), err);
	assert_true(mf_digest_eq(&got, &a));
}

static void layout_manifest_without_tag_leaves_the_index_alone(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf before MF_BUF_CLEANUP = MF_BUF_INIT(10000), after MF_BUF_CLEANUP = MF_BUF_INIT(10000);
	struct mf_digest missing = digest_of("nothing");
	bool present[2];
	assert_ok(mf_file_read(tmpdir_path(&f->dir, "index.json"), 10000, &before, &err), err);
	struct mf_digest two[2] = {put_image(f->s, NULL, "a"), missing};
	assert_ok(mf_file_read(tmpdir_path(&f->dir, "index.json"), 10000, &after, &err), err);
	assert_string_equal(before.p, after.p);
	assert_ok(mf_manifests_have(f->s, two, 2, present, &err), err);
	assert_true(present[0]);
	assert_false(present[1]);
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	assert_fails(mf_manifest_get(f->s, &missing, &m, &err), err, MF_E_NOT_FOUND);
}

static void layout_has_no_referrers_and_no_catalogue(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
	struct mf_digest d = digest_of("x");
	struct mf_catalogue_record r = {
	    .subject = d, .blob = d, .type = "t", .media_type = "m", .role = "targets"};
	enum mf_referrers_by by;
	assert_ok(list_referrers(f->s, &d, &list, &by, &err), err);
	assert_int_equal(list.n, 0);
	assert_int_equal(by, MF_REFERRERS_NOWHERE);
	assert_ok(update_list(f->s, &d, NULL, 0, &d, 1, &err), err);
	assert_ok(set_catalogue(f->s, &r, 1, &err), err);
	assert_int_equal(tmpdir_entries(f->dir), 2);
}

/* As other programs write them. */
static void layout_entries_that_are_not_for_us_hide_no_others(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest a = put_image(f->s, "v1", "a"), got;
	char text[1024], digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &a);
	(void)snprintf(text, sizeof text,
		       "{\"manifests\":[{\"digest\":\"sha512:%0128d\",\"size\":1,\"annotations\":{\"org."
		       "opencontainers.image.ref.name\":\"v0\"}},{\"digest\":\"%s\",\"size\":1,"
		       "\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\",\"other\":null}}]}",
		       0, digest);
	write_text(f, "index.json", text);
	assert_ok(resolve(f->s, NULL, &got, NULL, NULL, &err), err);
	assert_true(mf_digest_eq(&got, &a));
	assert_ok(resolve(f->s, "v1", &got, NULL, NULL, &err), err);
	assert_fails(resolve(f->s, "v0", &got, NULL, NULL, &err), err, MF_E_NOT_FOUND);
	mf_err_clear(&err);
	struct mf_tags tags MF_TAGS_CLEANUP = {0};
	assert_ok(mf_tags_list(f->s, &tags, &err), err);
	assert_int_equal(tags.n, 1);
}

static void layout_with_malformed_index_is_a_format_error(void **state)
{
	struct fixture *f = *state;
	const char *const rows[] = {"",
				    "[]",
				    "{}",
				    "{\"manifests\":1}",
				    "{\"manifests\":[{}]}",
				    "{\"manifests\":[{\"digest\":\"x\"}]}"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_digest got;
		write_text(f, "index.json", rows[i]);
		assert_fails(resolve(f->s, NULL, &got, NULL, NULL, &err), err, MF_E_FORMAT);
	}
}

/* Four processes tag four images at once; no entry may get lost. */
static void layout_tags_of_parallel_writers_all_stay(void **state)
{
	struct fixture *f = *state;
	pid_t child[4];
	for (int i = 0; i < 4; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0) {
			struct mf_err err = MF_ERR_INIT;
			char tag[32], manifest[64];
			int rc = 0;
			for (int k = 0; k < 5 && !rc; k++) {
				(void)snprintf(tag, sizeof(tag), "t%d%d", i, k);
				(void)snprintf(manifest, sizeof(manifest), "{\"layers\":[\"%s\"]}", tag);
				rc = mf_manifest_put(f->s, tag, MF_MT_OCI_MANIFEST, bytes_of(manifest), NULL,
						     NULL, &err);
			}
			_exit(rc ? 1 : 0);
		}
	}
	for (int i = 0; i < 4; i++) {
		int st;
		assert_int_equal(waitpid(child[i], &st, 0), child[i]);
		assert_int_equal(st, 0);
	}
	for (int i = 0; i < 20; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_digest got;
		char tag[32];
		(void)snprintf(tag, sizeof(tag), "t%d%d", i / 5, i % 5);
		assert_ok(resolve(f->s, tag, &got, NULL, NULL, &err), err);
	}
}

#define layout_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    layout_test(layout_open_wants_marker_and_index),
	    layout_test(layout_blob_comes_back_and_putting_twice_is_fine),
	    layout_test(layout_corrupted_blob_or_manifest_is_a_digest_error),
	    layout_test(layout_damaged_blob_and_manifest_are_written_again),
	    layout_test(layout_tags_resolve_and_move),
	    layout_test(layout_without_tag_means_the_only_image),
	    layout_test(layout_record_in_the_index_is_not_the_only_image),
	    layout_test(layout_manifest_without_tag_leaves_the_index_alone),
	    layout_test(layout_has_no_referrers_and_no_catalogue),
	    layout_test(layout_entries_that_are_not_for_us_hide_no_others),
	    layout_test(layout_with_malformed_index_is_a_format_error),
	    layout_test(layout_tags_of_parallel_writers_all_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
