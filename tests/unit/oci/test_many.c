/* What is asked for many at once: tags, manifests, referrers; against answers of the fault server, and in a
 * layout. */
#include "../net/server.h"
#include "util.h"

#include "oci/artifact.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A "sha256:a123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "sha256:b123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define C "sha256:c123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define RULE(method, path, status, more)                                                                     \
	"{\"method\":\"" method "\",\"path\":\"^/v2/" path                                                   \
	"\",\"action\":\"status\",\"status\":" status more "},"
#define BODY(text) ",\"body\":\"" text "\""
#define HEADERS(list) ",\"headers\":{" list "}"
#define DIGEST(d) "\"Docker-Content-Digest\":\"" d "\",\"Content-Type\":\"" MF_MT_OCI_MANIFEST "; charset=x\""
#define TAGS(list) BODY("{\\\"name\\\":\\\"x\\\",\\\"tags\\\":" list "}")
#define NEXT(target) HEADERS("\"Link\":\"<" target ">; rel=\\\"next\\\"\"")

static const char tag_rules[] = "[" RULE("GET", "paged/tags/list.n=1000$", "200",
					 TAGS("[\\\"1.0\\\",\\\"_manifesto\\\",\\\"_manifesto-0a\\\"]")
					     NEXT("/v2/paged/tags/list?last=1.0"))
    RULE("GET", "paged/tags/list.last=1.0", "200",
	 TAGS("[\\\"gone\\\",\\\"latest\\\",\\\"sha256-" HEX "\\\",\\\"sha256-" HEX
	      ".sig\\\",\\\"sha256-0\\\"]")) RULE("HEAD", "paged/manifests/1.0", "200", HEADERS(DIGEST(A)))
	RULE("HEAD", "paged/manifests/latest", "200", HEADERS(DIGEST(A)))
	    RULE("HEAD", "paged/manifests/sha256-0", "200", HEADERS(DIGEST(B)))
		RULE("HEAD", "paged/manifests/gone", "404", "")
    /* what no registry should say */
    RULE("GET", "null/tags/", "200", TAGS("null")) RULE("GET", "none/tags/", "404",
							"") RULE("GET", "html/tags/", "200", BODY("<html>"))
	RULE("GET", "odd/tags/", "200", TAGS("[7]")) RULE("GET", "slash/tags/", "200", TAGS("[\\\"../x\\\"]"))
	    RULE("GET", "text/tags/", "200", TAGS("\\\"x\\\"")) RULE("GET", "t403/tags/", "403", "")
		RULE("GET", "t503/tags/", "503", "")
		    RULE("GET", "away/tags/", "200", TAGS("[]") NEXT("http://example.com/v2/away/tags/list"))
			RULE("GET", "half/tags/list.n=", "200", TAGS("[]") NEXT("/v2/half/tags/list?b"))
			    RULE("GET", "half/tags/list.b", "404", "")
				RULE("GET", "denied/tags/", "200", TAGS("[\\\"v1\\\"]"))
				    RULE("HEAD", "denied/manifests/", "403", "")
					RULE("GET", "denied/manifests/", "403", "");

static const char more_rules[] =
    /* manifests */
    RULE("HEAD", "look/manifests/" A, "200", BODY("seven..") HEADERS(DIGEST(A)))
	RULE("HEAD", "look/manifests/" B, "404", "") RULE("HEAD", "bare/manifests/", "200", "")
	    RULE("GET", "bare/manifests/", "200", BODY("{\\\"layers\\\":[]}"))
		RULE("HEAD", "stop/manifests/" A, "200", HEADERS(DIGEST(A)))
		    RULE("HEAD", "stop/manifests/" B, "401", "")
    /* referrers: with an API, and without */
    RULE("GET", "api/referrers/" A, "200",
	 BODY("{\\\"manifests\\\":[{\\\"mediaType\\\":\\\"a/b\\\",\\\"digest\\\":\\\"" C
	      "\\\",\\\"size\\\":1}]}")) RULE("GET", "api/referrers/", "200", BODY("{\\\"manifests\\\":[]}"))
	RULE("GET", "tag/manifests/sha256-b", "200",
	     BODY("{\\\"manifests\\\":[{\\\"mediaType\\\":\\\"a/b\\\",\\\"digest\\\":\\\"" C
		  "\\\",\\\"size\\\":1}]}")) "{\"path\":\"^/never\",\"action\":\"close\"}]";

static struct server *server;

static struct mf_image_store *open_at(struct fixture *f, const char *repository)
{
	char ref[300];
	(void)snprintf(ref, sizeof ref, "127.0.0.1:%d/%s", server->port, repository);
	return open_store(ref, f->h, NULL, &f->env);
}

static struct mf_digest digest(const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	assert_ok(mf_digest_parse(&d, mf_str_c(text), &err), err);
	return d;
}

static void tags_of_all_pages_are_resolved_and_sorted(void **state)
{
	(void)state;
	struct fixture f FIXTURE_CLEANUP;
	struct mf_err err = MF_ERR_INIT;
	struct mf_tags tags MF_TAGS_CLEANUP = {0};
	struct mf_digest a = digest(A), b = digest(B);
	fixture_init(&f, server, NULL);
	struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_at(&f, "paged");
	assert_ok(mf_tags_list(s, &tags, &err), err);
	/* Not the catalogue's, not what goes by a digest, not one that went meanwhile. */
	assert_int_equal(tags.n, 3);
	assert_string_equal(tags.v[0].name, "1.0");
	assert_string_equal(tags.v[1].name, "latest");
	assert_string_equal(tags.v[2].name, "sha256-0");
	assert_true(mf_digest_eq(&tags.v[0].digest, &a) && mf_digest_eq(&tags.v[1].digest, &a) &&
		    mf_digest_eq(&tags.v[2].digest, &b));
	/* A HEAD that is refused is asked again with GET. */
	assert_int_equal(logged(server, "/v2/paged/manifests/"), 5);
}

static void odd_answers_to_a_list_of_tags_are_errors(void **state)
{
	(void)state;
	const struct {
		const char *repository;
		enum mf_code code; /* MF_OK: no tags */
	} rows[] = {{"null", MF_OK},
		    {"none", MF_OK},
		    {"html", MF_E_UNAVAILABLE},
		    {"odd", MF_OK},
		    {"slash", MF_OK},
		    {"text", MF_E_UNAVAILABLE},
		    {"t403", MF_E_AUTH},
		    {"t503", MF_E_UNAVAILABLE},
		    {"away", MF_E_UNAVAILABLE},
		    {"half", MF_E_NOT_FOUND},
		    {"denied", MF_E_AUTH}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture f FIXTURE_CLEANUP;
		struct mf_err err = MF_ERR_INIT;
		struct mf_tags tags MF_TAGS_CLEANUP = {0};
		fixture_init(&f, server, NULL);
		f.env.deadline_ms = mf_monotonic_ms() + 1500; /* 503 is tried again until then */
		struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_at(&f, rows[i].repository);
		int rc = mf_tags_list(s, &tags, &err);
		if (err.code != rows[i].code)
			fail_msg("%s: code %d: %s", rows[i].repository, err.code, err.msg);
		assert_int_equal(rc, rows[i].code == MF_OK ? 0 : -1);
		assert_int_equal(tags.n, 0);
	}
}

static void look_tells_size_and_media_type_or_absence(void **state)
{
	(void)state;
	struct fixture f FIXTURE_CLEANUP;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d[2] = {digest(A), digest(B)}, content = digest_of("{\"layers\":[]}");
	struct mf_looked l[2];
	fixture_init(&f, server, NULL);
	struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_at(&f, "look");
	assert_ok(mf_manifests_look(s, d, 2, l, &err), err);
	assert_true(l[0].present && l[0].size == 7 && strcmp(l[0].media_type, MF_MT_OCI_MANIFEST) == 0);
	assert_false(l[1].present);
	/* A HEAD without a digest: the manifest itself has it. */
	struct mf_image_store *bare MF_IMAGE_STORE_CLEANUP = open_at(&f, "bare");
	assert_ok(mf_manifests_look(bare, &content, 1, l, &err), err);
	assert_true(l[0].present && l[0].size == strlen("{\"layers\":[]}"));
	assert_string_equal(l[0].media_type, MF_MT_OCI_MANIFEST);
	struct mf_image_store *stop MF_IMAGE_STORE_CLEANUP = open_at(&f, "stop");
	assert_fails(mf_manifests_look(stop, d, 2, l, &err), err, MF_E_AUTH);
}

struct seen {
	size_t n, count[3];
	enum mf_referrers_by by[3];
};

static int see(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by, struct mf_err *err)
{
	struct seen *s = arg;
	(void)err;
	assert_int_equal(i, s->n);
	s->count[i] = list->n;
	s->by[i] = by;
	s->n++;
	return 0;
}

static void referrers_of_many_come_in_order(void **state)
{
	(void)state;
	struct fixture f FIXTURE_CLEANUP;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d[3] = {digest(A), digest(B), digest(C)};
	struct seen api = {0}, tag = {0};
	fixture_init(&f, server, NULL);
	struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_at(&f, "api");
	assert_ok(mf_referrers_each(s, d, 3, see, &api, &err), err);
	assert_true(api.n == 3 && api.count[0] == 1 && api.count[1] == 0 && api.by[0] == MF_REFERRERS_API &&
		    api.by[2] == MF_REFERRERS_API);
	assert_int_equal(logged(server, "/v2/api/referrers/"), 3);
	/* Without an API it is asked once. */
	struct mf_image_store *t MF_IMAGE_STORE_CLEANUP = open_at(&f, "tag");
	assert_ok(mf_referrers_each(t, d, 3, see, &tag, &err), err);
	assert_true(tag.n == 3 && tag.count[0] == 0 && tag.count[1] == 1 && tag.by[1] == MF_REFERRERS_TAG);
	assert_int_equal(logged(server, "/v2/tag/referrers/"), 1);
	assert_int_equal(logged(server, "/v2/tag/manifests/"), 3);
}

static int stop_at_second(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
			  struct mf_err *err)
{
	(void)arg;
	(void)list;
	(void)by;
	return i == 1 ? mf_fail(err, MF_E_CANCELLED, 0, "enough") : 0;
}

static void referrers_stop_when_told(void **state)
{
	(void)state;
	struct fixture f FIXTURE_CLEANUP;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d[3] = {digest(A), digest(B), digest(C)};
	fixture_init(&f, server, NULL);
	struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_at(&f, "api");
	assert_fails(mf_referrers_each(s, d, 3, stop_at_second, NULL, &err), err, MF_E_CANCELLED);
}

/* More than fit into one window, each with its own digest. */
static void many_tags_keep_their_digests(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tags tags MF_TAGS_CLEANUP = {0};
	struct mf_env env;
	char ref[64];
	struct mf_buf index MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	mf_env_init(&env);
	assert_ok(mf_buf_addz(&index, "{\"schemaVersion\":2,\"manifests\":[", &err), err);
	for (int i = 0; i < 300; i++)
		assert_ok(
		    mf_buf_printf(
			&index, &err,
			"%s{\"mediaType\":\"a/b\",\"size\":1,\"digest\":\"sha256:%064x\",\"annotations\":{"
			"\"org.opencontainers.image.ref.name\":\"v%03d\"}}",
			i ? "," : "", (unsigned)(300 - i), 299 - i),
		    err);
	/* Records that were linked, and images without a tag, have none to show. */
	assert_ok(mf_buf_addz(&index,
			      ",{\"mediaType\":\"a/b\",\"size\":1,\"digest\":\"" A
			      "\"},{\"mediaType\":\"a/b\",\"size\":1,"
			      "\"digest\":\"" A
			      "\",\"artifactType\":\"application/vnd.manifesto.qa\",\"annotations\":{"
			      "\"org.opencontainers.image.ref.name\":\"v1\"}}]}",
			      &err),
		  err);
	assert_ok(mf_file_write(tmpdir_path(state, "oci-layout"),
				bytes_of("{\"imageLayoutVersion\":\"1.0.0\"}"), 0644, &err),
		  err);
	assert_ok(mf_file_write(tmpdir_path(state, "index.json"), mf_buf_bytes(&index), 0644, &err), err);
	(void)snprintf(ref, sizeof ref, "oci:%s", (char *)*state);
	struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_store(ref, NULL, NULL, &env);
	assert_ok(mf_tags_list(s, &tags, &err), err);
	assert_int_equal(tags.n, 300);
	for (size_t i = 0; i < tags.n; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "v%03zu", i);
		assert_string_equal(tags.v[i].name, name);
		assert_int_equal(tags.v[i].digest.b[31] + 256 * tags.v[i].digest.b[30], i + 1);
	}
}

static int start_server(void **state)
{
	(void)state;
	char *text = NULL;
	assert_true(asprintf(&text, "%s%s", tag_rules, more_rules) > 0);
	server = server_start(false, text, NULL);
	free(text);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	server_stop(server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tags_of_all_pages_are_resolved_and_sorted),
	    cmocka_unit_test(odd_answers_to_a_list_of_tags_are_errors),
	    cmocka_unit_test(look_tells_size_and_media_type_or_absence),
	    cmocka_unit_test(referrers_of_many_come_in_order),
	    cmocka_unit_test(referrers_stop_when_told),
	    cmocka_unit_test_setup_teardown(many_tags_keep_their_digests, tmpdir_make, tmpdir_drop),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
