#include "util.h"

#include "oci/artifact.h"
#include "oci/backend.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void manifest_kind_and_type_follow_the_content(void **state)
{
	(void)state;
	const struct {
		const char *text, *content_type, *media_type;
		bool is_index;
	} rows[] = {
	    {"{\"layers\":[]}", "", MF_MT_OCI_MANIFEST, false},
	    {"{\"manifests\":[]}", "", MF_MT_OCI_INDEX, true},
	    {"{\"manifests\":[]}", "text/html; charset=utf-8", MF_MT_OCI_INDEX, true},
	    {"{\"manifests\":[]}", MF_MT_OCI_MANIFEST, MF_MT_OCI_INDEX, true},
	    {"{\"manifests\":null,\"layers\":[],\"config\":{},\"mediaType\":null}", MF_MT_DOCKER_MANIFEST,
	     MF_MT_DOCKER_MANIFEST, false},
	    {"{\"layers\":[]}", MF_MT_DOCKER_MANIFEST "; charset=utf-8", MF_MT_DOCKER_MANIFEST, false},
	    {"{\"layers\":[],\"mediaType\":\"" MF_MT_DOCKER_MANIFEST "\"}", MF_MT_OCI_INDEX,
	     MF_MT_DOCKER_MANIFEST, false},
	    {"{\"manifests\":[],\"mediaType\":\"" MF_MT_DOCKER_LIST "\"}", MF_MT_OCI_MANIFEST,
	     MF_MT_DOCKER_LIST, true},
	    {"{}", "bad\ttype\x7f", MF_MT_OCI_MANIFEST, false},
	    {"{}", "\"quoted\"", MF_MT_OCI_MANIFEST, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_manifest m MF_MANIFEST_CLEANUP;
		mf_manifest_init(&m);
		assert_ok(mf_buf_addz(&m.bytes, rows[i].text, &err), err);
		assert_ok(mf_manifest_seal(&m, NULL, rows[i].content_type, &err), err);
		assert_string_equal(m.media_type, rows[i].media_type);
		assert_int_equal(m.is_index, rows[i].is_index);
		struct mf_digest d = digest_of(rows[i].text);
		assert_true(mf_digest_eq(&m.digest, &d));
	}
}

static void manifest_that_is_malformed_or_two_things_is_refused(void **state)
{
	(void)state;
	const char *const rows[] = {
	    "",
	    "[]",
	    "{",
	    "{} {}",
	    "{\"mediaType\":7}",
	    "{\"mediaType\":\"\"}",
	    "{\"mediaType\":\"a\\u0000b\"}",
	    "{\"mediaType\":\"\\n\"}",
	    "{\"manifests\":[],\"layers\":[]}",
	    "{\"manifests\":[],\"config\":{}}",
	    "{\"mediaType\":\"" MF_MT_OCI_INDEX "\",\"config\":{}}",
	    "{\"layers\":[],\"layers\":[]}",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_manifest m MF_MANIFEST_CLEANUP;
		mf_manifest_init(&m);
		assert_ok(mf_buf_addz(&m.bytes, rows[i], &err), err);
		assert_fails(mf_manifest_seal(&m, NULL, "", &err), err, MF_E_FORMAT);
	}
}

static void manifest_with_another_digest_is_refused_before_it_is_read(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_manifest m MF_MANIFEST_CLEANUP;
	struct mf_digest want = digest_of("{\"layers\":[]}");
	mf_manifest_init(&m);
	assert_ok(mf_buf_addz(&m.bytes, "not even JSON", &err), err);
	assert_fails(mf_manifest_seal(&m, &want, "", &err), err, MF_E_DIGEST);
}

static int children_of(const char *text, struct mf_descriptors *out, struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP;
	mf_manifest_init(&m);
	assert_ok(mf_buf_addz(&m.bytes, text, err), *err);
	size_t foreign = 0;
	return mf_index_children(&m, out, &foreign, err);
}

static void index_children_have_all_their_members(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
	assert_ok(children_of("{\"manifests\":[{\"digest\":\"sha256:" HEX
			      "\",\"size\":7,\"mediaType\":\"a/b\",\"artifactType\":\"c/d\","
			      "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\","
			      "\"features\":[1]},"
			      "\"annotations\":{\"z\":\"\\n\",\"a\":\"x\"},\"urls\":[\"u\"]},"
			      "{\"digest\":\"sha256:" HEX "\",\"size\":0,\"mediaType\":\"e\"}]}",
			      &list, &err),
		  err);
	assert_int_equal(list.n, 2);
	assert_string_equal(digest_text(&list.v[0].digest), "sha256:" HEX);
	assert_int_equal(list.v[0].size, 7);
	assert_string_equal(list.v[0].media_type, "a/b");
	assert_string_equal(list.v[0].artifact_type, "c/d");
	assert_string_equal(list.v[0].os, "linux");
	assert_string_equal(list.v[0].architecture, "arm");
	assert_string_equal(list.v[0].variant, "v7");
	assert_string_equal(list.v[0].annotations, "{\"a\":\"x\",\"z\":\"\\n\"}");
	assert_null(list.v[1].os);
	assert_null(list.v[1].annotations);
	assert_ok(children_of("{\"manifests\":[]}", &list, &err), err);
	assert_int_equal(list.n, 0);
}

static void index_children_without_members_or_by_other_digests_hide_no_others(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
	struct mf_manifest m MF_MANIFEST_CLEANUP;
	size_t foreign = 0;
	mf_manifest_init(&m);
	assert_ok(mf_buf_addz(&m.bytes,
			      "{\"manifests\":[{\"digest\":\"sha512:" HEX HEX "\",\"size\":1},"
			      "{\"digest\":\"sha256:" HEX
			      "\",\"size\":1,\"mediaType\":null,\"platform\":null,"
			      "\"annotations\":null,\"artifactType\":null}]}",
			      &err),
		  err);
	assert_ok(mf_index_children(&m, &list, &foreign, &err), err);
	assert_int_equal(foreign, 1);
	assert_int_equal(list.n, 1);
	assert_null(list.v[0].media_type);
	assert_ok(children_of("{\"manifests\":null}", &list, &err), err);
	assert_int_equal(list.n, 0);
}

static void index_with_odd_descriptors_is_refused(void **state)
{
	(void)state;
	const char *const rows[] = {
	    "{}",
	    "[]",
	    "{\"manifests\":{}}",
	    "{\"manifests\":[1]}",
	    "{\"manifests\":[{}]}",
	    "{\"manifests\":[{\"digest\":\"sha256:" HEX "\",\"size\":-1,\"mediaType\":\"a\"}]}",
	    "{\"manifests\":[{\"digest\":\"sha256:" HEX "\",\"size\":1.5,\"mediaType\":\"a\"}]}",
	    "{\"manifests\":[{\"digest\":\"sha256:" HEX
	    "\",\"size\":1,\"mediaType\":\"a\",\"platform\":\"x\"}]}",
	    "{\"manifests\":[{\"digest\":\"sha256:" HEX
	    "\",\"size\":1,\"mediaType\":\"a\",\"annotations\":{\"x\":1}}]}",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
		assert_fails(children_of(rows[i], &list, &err), err, MF_E_FORMAT);
		assert_int_equal(list.n, 0);
	}
}

static void artifact_manifest_has_these_very_bytes(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	struct mf_artifact a = {
	    .artifact_type = "application/vnd.manifesto.qa-approval",
	    .blob = {.digest = digest_of("blob"),
		     .size = 4,
		     .media_type = "text/\"plain\"",
		     .title = "qa.txt"},
	    .subject = {.digest = digest_of("subject"), .size = 7, .media_type = MF_MT_OCI_INDEX},
	    .created = "2026-01-02T03:04:05Z",
	};
	char want[2048];
	(void)snprintf(want, sizeof(want),
		       "{\"annotations\":{\"org.opencontainers.image.created\":\"2026-01-02T03:04:05Z\"},"
		       "\"artifactType\":\"application/"
		       "vnd.manifesto.qa-approval\",\"config\":{\"digest\":\"%s\",\"mediaType\":"
		       "\"application/vnd.oci.empty.v1+json\",\"size\":2},\"layers\":[{\"annotations\":{"
		       "\"org.opencontainers.image.title\":\"qa.txt\"},\"digest\":\"%s\",\"mediaType\":"
		       "\"text/\\\"plain\\\"\",\"size\":4}],\"mediaType\":\"application/"
		       "vnd.oci.image.manifest.v1+json\","
		       "\"schemaVersion\":2,\"subject\":{\"digest\":\"%s\",\"mediaType\":\"application/"
		       "vnd.oci.image.index.v1+json\","
		       "\"size\":7}}",
		       MF_EMPTY_JSON_DIGEST, digest_text(&a.blob.digest), digest_text(&a.subject.digest));
	assert_ok(mf_artifact_build(&a, &out, &err), err);
	assert_string_equal(out.p, want);
	struct mf_digest empty = digest_of("{}");
	assert_string_equal(digest_text(&empty), MF_EMPTY_JSON_DIGEST);
	mf_buf_reset(&out);
	a.created = a.blob.title = NULL;
	assert_ok(mf_artifact_build(&a, &out, &err), err);
	assert_null(strstr(out.p, "annotations"));
	assert_memory_equal(out.p, "{\"artifactType\"", 15);
}

static void referrers_tag_is_the_fallback_schema(void **state)
{
	(void)state;
	char tag[80];
	struct mf_digest d = digest_of("x");
	mf_referrers_tag(tag, &d);
	assert_memory_equal(tag, "sha256-", 7);
	assert_string_equal(tag + 7, digest_text(&d) + 7);
	assert_true(mf_tag_valid(mf_str_c(tag)));
}

/* What may be deleted as the artifact manifest of a record. */
static void only_our_artifact_of_that_subject_is_ours(void **state)
{
	(void)state;
	static const struct {
		const char *type, *subject, *owner;
		enum mf_found expected;
	} rows[] = {
	    {"application/vnd.manifesto.x", HEX, "us", MF_FOUND},
	    {"application/vnd.manifesto.x", HEX, NULL, MF_FOUND},
	    {"application/vnd.manifesto.x", HEX, "them", MF_ABSENT},
	    {"application/vnd.manifesto.x", "f" HEX, "us", MF_ABSENT},
	    {"application/vnd.oci.image.config.v1+json", HEX, "us", MF_ABSENT},
	    {NULL, HEX, "us", MF_ABSENT},
	};
	struct mf_digest subject;
	struct mf_err err = MF_ERR_INIT;
	assert_ok(mf_digest_parse(&subject, MF_STR("sha256:" HEX), &err), err);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_manifest m MF_MANIFEST_CLEANUP;
		mf_manifest_init(&m);
		assert_ok(
		    mf_buf_printf(&m.bytes, &err,
				  "{\"%s\":\"%s\",\"annotations\":{\"%s\":\"%s\"},\"layers\":[],\"subject\":{"
				  "\"mediaType\":\"" MF_MT_OCI_MANIFEST
				  "\",\"size\":2,\"digest\":\"sha256:%.64s\"}}",
				  rows[i].type ? "artifactType" : "other", rows[i].type ? rows[i].type : "",
				  rows[i].owner ? MF_ARTIFACT_OWNER : "other",
				  rows[i].owner ? rows[i].owner : "", rows[i].subject),
		    err);
		assert_int_equal(mf_artifact_is_of(&m, &subject, "us", &err), rows[i].expected);
		assert_int_equal(err.code, MF_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(manifest_kind_and_type_follow_the_content),
	    cmocka_unit_test(manifest_that_is_malformed_or_two_things_is_refused),
	    cmocka_unit_test(manifest_with_another_digest_is_refused_before_it_is_read),
	    cmocka_unit_test(index_children_have_all_their_members),
	    cmocka_unit_test(index_children_without_members_or_by_other_digests_hide_no_others),
	    cmocka_unit_test(index_with_odd_descriptors_is_refused),
	    cmocka_unit_test(artifact_manifest_has_these_very_bytes),
	    cmocka_unit_test(referrers_tag_is_the_fallback_schema),
	    cmocka_unit_test(only_our_artifact_of_that_subject_is_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
