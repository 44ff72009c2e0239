/* The registry backend against answers that no honest registry gives, or that Debian's does not. One
 * repository a case; the fault server's rules are the answers. */
#include "../net/server.h"
#include "util.h"

#include "oci/artifact.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A                                                                                                    \
	"sha256:a"                                                                                           \
	"123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B                                                                                                    \
	"sha256:b"                                                                                           \
	"123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define C                                                                                                    \
	"sha256:c"                                                                                           \
	"123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DESCRIPTOR(d) "{\\\"mediaType\\\":\\\"a/b\\\",\\\"digest\\\":\\\"" d "\\\",\\\"size\\\":1}"
#define INDEX(list) "{\\\"manifests\\\":[" list "]}"

#define RULE(method, path, status, more)                                                                     \
	"{\"method\":\"" method "\",\"path\":\"^/v2/" path                                                   \
	"\",\"action\":\"status\",\"status\":" status more "},"
#define BODY(text) ",\"body\":\"" text "\""
#define HEADER(name, value) ",\"headers\":{\"" name "\":\"" value "\"}"

static const char read_rules[] = "["
    /* lies */
    RULE("GET", "lie/blobs/", "200", BODY("evil!"))
	RULE("GET", "lie/manifests/", "200", BODY("{\\\"layers\\\":[]}"))
	    RULE("GET", "junk/manifests/", "200",
		 BODY("<html>")) "{\"path\":\"^/v2/cut/blobs/\",\"action\":\"truncate\",\"bytes\":3},"
    /* heads that do not tell */
    RULE("HEAD", "nohead/manifests/", "405", "") RULE("HEAD", "bare/manifests/", "200", "")
	RULE("HEAD", "sha384/manifests/", "200", HEADER("Docker-Content-Digest", "sha384:" HEX))
	    RULE("GET", "(nohead|bare|sha384)/manifests/v1", "200", BODY("{\\\"layers\\\":[]}"))
		RULE("HEAD", "told/manifests/", "200",
		     ",\"headers\":{\"Docker-Content-Digest\":\"" A "\",\"Content-Type\":\"a/b; charset=x\"}")
		    RULE("HEAD", "s401/", "401", "") RULE("HEAD", "s403/", "403", "")
			RULE("GET", "s403/", "403", "") RULE("HEAD", "s500/", "500", "") RULE(
			    "GET", "gotls/", "400", BODY("Client sent an HTTP request to an HTTPS server."))
			    RULE("HEAD", "s400/", "400", "") RULE("GET", "s400/", "400", "")
    /* referrers */
    RULE("GET", "paged/referrers/sha256:[0-9a-f]*$", "200",
	 BODY(INDEX(DESCRIPTOR(A))) HEADER("Link", "</v2/paged/referrers/page2>; rel=\\\"next\\\""))
	RULE("GET", "paged/referrers/page2$", "200",
	     BODY(INDEX(DESCRIPTOR(B))) HEADER("Link", "<?last=b>; rel=next"))
	    RULE("GET", "paged/referrers/page2.last=b", "200",
		 BODY(INDEX(DESCRIPTOR(A))) HEADER("Link", "</v2/paged/x>; rel=\\\"prev\\\""))
		RULE("GET", "paged/manifests/", "200", BODY(INDEX(DESCRIPTOR(C) "," DESCRIPTOR(A))))
		    RULE("GET", "endless/referrers/", "200",
			 BODY(INDEX("")) HEADER("Link", "<?again>; rel=\\\"next\\\""))
			RULE("GET", "circle/referrers/.*again", "200",
			     BODY(INDEX("")) HEADER("Link", "<?more>; rel=\\\"next\\\""))
			    RULE("GET", "circle/referrers/", "200",
				 BODY(INDEX("")) HEADER("Link", "<?again>; rel=\\\"next\\\""))
				RULE("GET", "elsewhere/referrers/", "200",
				     BODY(INDEX(""))
					 HEADER("Link", "<http://example.com/v2/x>; rel=\\\"next\\\""));

#define FOREIGN "{\\\"mediaType\\\":\\\"a/b\\\",\\\"digest\\\":\\\"sha512:" HEX HEX "\\\",\\\"size\\\":1}"
static const char no_list_rules[] =
    RULE("GET", "foreign/manifests/", "200", BODY(INDEX(FOREIGN "," DESCRIPTOR(A) ",null")))
	RULE("PUT", "foreign/manifests/", "201", "") RULE("GET", "html/referrers/", "200", BODY("<html>"))
	    RULE("GET", "r400/referrers/", "400", "") RULE("GET", "r401/referrers/", "401", "")
		RULE("GET", "r403/referrers/", "403", "") RULE("GET", "r405/referrers/", "405", "")
		    RULE("GET", "r406/referrers/", "406", "") RULE("GET", "r501/referrers/", "501", "")
			RULE("GET", "r302/referrers/", "302", HEADER("Location", "/ok"))
			    RULE("GET", "rnull/referrers/", "200", BODY("{\\\"manifests\\\":null}")) RULE(
				"GET", "r500/referrers/", "500", "") RULE("GET", "f500/manifests/", "500", "")
				RULE("GET", "f403/manifests/", "403", "") RULE("GET", "fhtml/manifests/",
									       "200", BODY("<html>"))
				    RULE("GET", "fnull/manifests/", "200",
					 BODY("{\\\"manifests\\\":null,\\\"mediaType\\\":\\\"" MF_MT_OCI_INDEX
					      "\\\"}"))
					RULE("GET", "itself/manifests/", "200", BODY(INDEX(DESCRIPTOR(A))))
					    RULE("GET", "fbad/manifests/", "200", BODY("{}"));

/* clang-format off */
/* One that applies once. */
#define ONCE(method, path, status, more)                                                                     \
	"{\"method\":\"" method "\",\"path\":\"^/v2/" path "\",\"count\":1,\"action\":\"status\",\"status\":" status more "},"
#define LACKS(detail) BODY("{\\\"errors\\\":[{\\\"code\\\":\\\"MANIFEST_BLOB_UNKNOWN\\\"" detail "}]}")
#define DETAIL(d) ",\\\"detail\\\":\\\"" d "\\\""

static const char index_rules[] =
    RULE("GET", "race/manifests/", "200", BODY(INDEX(DESCRIPTOR(A) "," DESCRIPTOR(B))))
    RULE("HEAD", "race/manifests/", "200", "")
    ONCE("PUT", "race/", "400", LACKS(DETAIL(A)))
    RULE("PUT", "race/manifests/", "201", "")
    RULE("GET", "mute/manifests/", "200", BODY(INDEX(DESCRIPTOR(A) "," DESCRIPTOR(B))))
    RULE("HEAD", "mute/manifests/" B, "200", "")
    RULE("HEAD", "mute/manifests/" C, "200", "")
    ONCE("PUT", "mute/", "400", LACKS(""))
    RULE("PUT", "mute/manifests/", "201", "")
    "{\"method\":\"PUT\",\"path\":\"^/v2/told/\",\"action\":\"drop\"},"
    RULE("POST", "cat/blobs/uploads/", "202", HEADER("Location", "/v2/cat/session"))
    RULE("PUT", "cat/session", "201", "")
    ONCE("PUT", "cat/manifests/", "400", LACKS(DETAIL(A)))
    RULE("PUT", "cat/manifests/", "201", "");
/* clang-format on */

/* clang-format off */
static const char part_rules[] =
    RULE("POST", "emptyloc/blobs/uploads/", "202", HEADER("Location", ""))
    RULE("HEAD", "again/blobs/", "404", "")
    RULE("POST", "again/blobs/uploads/", "202", HEADER("Location", "/v2/again/session"))
    ONCE("PUT", "again/session", "404", BODY("{\\\"errors\\\":[{\\\"code\\\":\\\"BLOB_UPLOAD_UNKNOWN\\\"}]}"))
    RULE("PUT", "again/session", "201", "")
    RULE("HEAD", "never/blobs/", "404", "")
    RULE("POST", "never/blobs/uploads/", "202", HEADER("Location", "/v2/never/session"))
    RULE("PUT", "never/session", "404", BODY("{\\\"errors\\\":[{\\\"code\\\":\\\"BLOB_UPLOAD_UNKNOWN\\\"}]}"))
    RULE("POST", "parts405/blobs/uploads/", "202", HEADER("Location", "/v2/parts405/session"))
    ONCE("PUT", "parts405/session", "405", "")
    RULE("PATCH", "parts405/session$", "202", HEADER("Location", "/v2/parts405/next?state=1"))
    RULE("PUT", "parts405/next.state=1&digest=sha256%3A[0-9a-f]{64}$", "201", "")
    RULE("POST", "parts400/blobs/uploads/", "202", HEADER("Location", "/v2/parts400/session"))
    ONCE("PUT", "parts400/session", "400", BODY("{\\\"errors\\\":[{\\\"code\\\":\\\"UNSUPPORTED\\\"}]}"))
    RULE("PATCH", "parts400/session$", "202", HEADER("Location", "/v2/parts400/next?state=1"))
    RULE("PUT", "parts400/next.state=1&digest=sha256%3A[0-9a-f]{64}$", "201", "");
/* clang-format on */

/* clang-format off */
static const char upload_rules[] =
    /* uploads */
    RULE("POST", "up/blobs/uploads/", "202", HEADER("Location", "/v2/up/session?state=x%20y"))
    RULE("PUT", "up/session.state=x%20y&digest=sha256%3A[0-9a-f]{64}$", "201", "")
    RULE("POST", "noloc/blobs/uploads/", "202", "")
    ONCE("POST", "away/", "401", HEADER("WWW-Authenticate", "Basic realm=x"))
    RULE("POST", "away/blobs/uploads/", "202", HEADER("Location", "http://127.0.0.1:@@@@@/away"))
    RULE("HEAD", "lost/blobs/", "200", "")
    RULE("POST", "lost/blobs/uploads/", "202", HEADER("Location", "/v2/lost/session"))
    RULE("PUT", "lost/session", "404", "")
    RULE("POST", "down/blobs/uploads/", "202", HEADER("Location", "http://127.0.0.1:@@@@@/away"))
    RULE("POST", "ftp/blobs/uploads/", "202", HEADER("Location", "ftp://127.0.0.1/away"))
    RULE("POST", "denied/blobs/uploads/", "403", "")
    RULE("POST", "full/blobs/uploads/", "202", HEADER("Location", "/v2/full/session"))
    RULE("PUT", "full/session", "500", "")
    /* manifests written */
    RULE("PUT", "subject/manifests/", "201", HEADER("OCI-Subject", A))
    RULE("PUT", "other/manifests/", "201", HEADER("Docker-Content-Digest", A))
    RULE("PUT", "lacks/manifests/", "400",
	 BODY("{\\\"errors\\\":[{\\\"code\\\":\\\"MANIFEST_BLOB_UNKNOWN\\\",\\\"detail\\\":{\\\"Digest\\\":\\\"" A "\\\"}},"
	      "{\\\"code\\\":\\\"MANIFEST_UNKNOWN\\\"" DETAIL(B) "},{\\\"code\\\":\\\"OTHER\\\"" DETAIL(C) "}]}"))
    "{\"path\":\"^/never\",\"action\":\"drop\"}]";
/* clang-format on */

/* Between them more descriptors than one subject may have. */
#define MANY_BEFORE                                                                                          \
	"{\"method\":\"GET\",\"path\":\"^/v2/many/"                                                          \
	"referrers\",\"action\":\"status\",\"status\":200,\"body\":\"{\\\"manifests\\\":["
#define MANY_AFTER "]}\"},"

static struct server *plain, *tls, *elsewhere;

static struct mf_image_store *open_at(struct fixture *f, const struct server *s, const char *name)
{
	char ref[128];
	(void)snprintf(ref, sizeof(ref), "127.0.0.1:%d/%s", s->port, name);
	return open_store(ref, f->h, f->auth, &f->env);
}

#define WITH(name)                                                                                           \
	struct fixture f FIXTURE_CLEANUP;                                                                    \
	struct mf_err err = MF_ERR_INIT;                                                                     \
	fixture_init(&f, plain, tls);                                                                        \
	struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_at(&f, plain, name)

static struct mf_digest parsed(const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	assert_ok(mf_digest_parse(&d, mf_str_c(text), &err), err);
	return d;
}

static void lying_registry_is_found_out_by_digest(void **state)
{
	(void)state;
	WITH("lie");
	char text[4096];
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	struct mf_digest d = digest_of("good!"), a = parsed(A);
	assert_fails(get_blob(s, &d, 5, text, &err), err, MF_E_DIGEST);
	assert_fails(get_blob(s, &d, 4, text, &err), err, MF_E_DIGEST);
	assert_fails(get_blob(s, &d, 6, text, &err), err, MF_E_DIGEST);
	assert_fails(mf_manifest_get(s, &a, &m, &err), err, MF_E_DIGEST);
	/* More than the caller has room for is not the content either. */
	struct mf_spool *spool MF_SPOOL_CLEANUP = mf_spool_new(4, &err);
	assert_fails(mf_blob_get(s, &d, 4, spool, &err), err, MF_E_DIGEST);
}

static void manifest_that_is_a_web_page_is_a_format_error(void **state)
{
	(void)state;
	WITH("junk");
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	assert_fails(mf_manifest_get_tag(s, "v1", &m, &err), err, MF_E_FORMAT);
}

static void truncated_blob_is_unavailable_not_missing(void **state)
{
	(void)state;
	WITH("cut");
	char text[4096];
	struct mf_digest d = digest_of("x");
	assert_fails(get_blob(s, &d, 100, text, &err), err, MF_E_UNAVAILABLE);
}

static void head_without_a_usable_digest_is_followed_by_a_get(void **state)
{
	(void)state;
	const char *const names[] = {"nohead", "bare", "sha384"};
	for (size_t i = 0; i < 3; i++) {
		WITH(names[i]);
		struct mf_digest got, want = digest_of("{\"layers\":[]}");
		char media_type[128];
		uint64_t size;
		assert_ok(resolve(s, "v1", &got, media_type, &size, &err), err);
		assert_true(mf_digest_eq(&got, &want));
		assert_int_equal(size, 13);
	}
}

static void head_with_a_digest_is_enough_and_asks_for_every_kind(void **state)
{
	(void)state;
	WITH("told");
	struct mf_digest got, want = parsed(A);
	char media_type[128];
	assert_ok(resolve(s, "v1", &got, media_type, NULL, &err), err);
	assert_true(mf_digest_eq(&got, &want));
	assert_string_equal(media_type, ""); /* "a/b" is no type of a manifest */
	assert_int_equal(logged(plain, "/v2/told/"), 1);
	assert_int_equal(logged(plain, "\"accept\": \"" MF_MT_OCI_INDEX ", " MF_MT_OCI_MANIFEST
				       ", " MF_MT_DOCKER_LIST ", " MF_MT_DOCKER_MANIFEST "\""),
			 1);
}

static void status_of_a_head_decides_the_code(void **state)
{
	(void)state;
	const struct {
		const char *name;
		enum mf_code code;
	} rows[] = {
	    {"s401", MF_E_AUTH}, {"s403", MF_E_AUTH}, {"s500", MF_E_UNAVAILABLE}, {"s404", MF_E_NOT_FOUND}};
	for (size_t i = 0; i < 4; i++) {
		WITH(rows[i].name);
		struct mf_digest got, d = parsed(A);
		bool present;
		assert_fails(resolve(s, "v1", &got, NULL, NULL, &err), err, rows[i].code);
		if (rows[i].code == MF_E_NOT_FOUND)
			assert_ok(mf_blobs_have(s, &d, 1, &present, &err), err);
		else
			assert_fails(mf_blobs_have(s, &d, 1, &present, &err), err, rows[i].code);
	}
}

static void resolve_that_is_cancelled_leaks_nothing(void **state)
{
	(void)state;
	WITH("told");
	struct mf_resolve *r = mf_resolve_begin(s, "v1", &err);
	assert_non_null(r);
	mf_resolve_cancel(r);
	mf_resolve_cancel(NULL);
	assert_null(mf_resolve_begin(s, "not a tag", &err));
	assert_int_equal(err.code, MF_E_USAGE);
}

static void referrers_of_all_pages_are_listed(void **state)
{
	(void)state;
	WITH("paged");
	struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
	const char *const want[] = {A, B};
	struct mf_digest d = parsed(A);
	enum mf_referrers_by by;
	assert_ok(list_referrers(s, &d, &list, &by, &err), err);
	assert_int_equal(by, MF_REFERRERS_API);
	assert_true(mf_referrers_api(s));
	assert_int_equal(list.n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(digest_text(&list.v[i].digest), want[i]);
}

static void referrers_trouble_is_never_an_empty_list(void **state)
{
	(void)state;
	const struct {
		const char *name;
		enum mf_code code;
	} rows[] = {{"endless", MF_E_UNAVAILABLE},
		    {"circle", MF_E_UNAVAILABLE},
		    {"many", MF_E_UNAVAILABLE},
		    {"r500", MF_E_UNAVAILABLE},
		    {"f500", MF_E_UNAVAILABLE}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		WITH(rows[i].name);
		struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
		struct mf_digest d = parsed(A);
		assert_fails(list_referrers(s, &d, &list, NULL, &err), err, rows[i].code);
		assert_true(logged(plain, "circle/referrers/") < 12);
	}
}

/* What we do not know stays in the list, and hides nothing else. */
static void referrers_by_other_digests_hide_no_others_and_stay(void **state)
{
	(void)state;
	WITH("foreign");
	struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
	struct mf_digest subject = parsed(B);
	static char media_type[] = "x/y";
	struct mf_descriptor add = {.digest = parsed(C), .size = 1, .media_type = media_type};
	assert_ok(list_referrers(s, &subject, &list, NULL, &err), err);
	assert_int_equal(list.n, 1);
	assert_ok(update_list(s, &subject, &add, 1, NULL, 0, &err), err);
	assert_int_equal(logged(plain, "\"method\": \"PUT\""), 1);
	assert_int_equal(logged(plain, "sha512:" HEX), 1);
}

/* Web pages, refusals, and tags that give the image itself, as GitLab's registry does. */
static void referrers_answers_that_are_no_list_mean_that_there_is_none(void **state)
{
	(void)state;
	static const char index[] =
	    "{\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" A "\",\"size\":1}]}";
	const struct {
		const char *name;
		enum mf_referrers_by by;
		bool of_index;
	} rows[] = {{"html", MF_REFERRERS_TAG, false},      {"r400", MF_REFERRERS_TAG, false},
		    {"r401", MF_REFERRERS_TAG, false},      {"r403", MF_REFERRERS_TAG, false},
		    {"r405", MF_REFERRERS_TAG, false},      {"r406", MF_REFERRERS_TAG, false},
		    {"r501", MF_REFERRERS_TAG, false},      {"r302", MF_REFERRERS_TAG, false},
		    {"rnull", MF_REFERRERS_TAG, false},     {"fbad", MF_REFERRERS_NOWHERE, false},
		    {"fhtml", MF_REFERRERS_NOWHERE, false}, {"f403", MF_REFERRERS_NOWHERE, false},
		    {"fnull", MF_REFERRERS_TAG, false},     {"itself", MF_REFERRERS_NOWHERE, true}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		WITH(rows[i].name);
		struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
		struct mf_digest d = rows[i].of_index ? digest_of(index) : parsed(A);
		enum mf_referrers_by by;
		static char media_type[] = "x/y";
		struct mf_descriptor add = {.digest = parsed(C), .size = 1, .media_type = media_type};
		assert_ok(list_referrers(s, &d, &list, &by, &err), err);
		assert_int_equal(list.n, 0);
		if (by != rows[i].by)
			fail_msg("%s: %d", rows[i].name, by);
		/* Nothing is written where there is no place for a list. */
		if (by == MF_REFERRERS_NOWHERE) {
			assert_ok(update_list(s, &d, &add, 1, NULL, 0, &err), err);
			assert_int_equal(logged(plain, "\"method\": \"PUT\""), 0);
		}
	}
}

static void referrer_that_is_gone_is_dropped_whether_named_or_not(void **state)
{
	(void)state;
	const char *const names[] = {"race", "mute"};
	for (size_t i = 0; i < 2; i++) {
		WITH(names[i]);
		struct mf_digest subject = parsed(C);
		static char media_type[] = "x/y";
		struct mf_descriptor add = {.digest = parsed(C), .size = 1, .media_type = media_type};
		assert_ok(update_list(s, &subject, &add, 1, NULL, 0, &err), err);
		assert_int_equal(logged(plain, "\"method\": \"PUT\""), 2);
		assert_int_equal(logged(plain, "{\\\"manifests\\\":[{\\\"digest\\\":\\\"" A), 1);
		assert_int_equal(logged(plain, "{\\\"manifests\\\":[{\\\"digest\\\":\\\"" B), 1);
	}
}

static void catalogue_believes_the_refusal_that_names_a_blob(void **state)
{
	(void)state;
	WITH("cat");
	struct mf_catalogue_record r[2] = {
	    {.subject = parsed(C), .blob = parsed(A), .type = "t", .media_type = "m", .role = "targets"},
	    {.subject = parsed(C), .blob = parsed(B), .type = "t", .media_type = "m", .role = "targets"}};
	assert_ok(set_catalogue(s, r, 2, &err), err);
	assert_int_equal(logged(plain, "\\\"layers\\\":[{\\\"digest\\\":\\\"" A), 1);
	assert_int_equal(logged(plain, "\\\"layers\\\":[{\\\"digest\\\":\\\"" B), 1);
	assert_int_equal(logged(plain, "/v2/cat/blobs/" A), 0);
}

static int put(struct mf_image_store *s, const char *text, struct mf_err *err)
{
	struct mf_digest d;
	uint64_t n;
	struct mf_spool *spool MF_SPOOL_CLEANUP = mf_spool_new(100, err);
	assert_non_null(spool);
	assert_ok(mf_spool_add(spool, text, strlen(text), err), *err);
	assert_ok(mf_spool_end(spool, &d, &n, err), *err);
	return mf_blob_put(s, spool, &d, n, err);
}

static void upload_location_may_be_relative_with_a_query(void **state)
{
	(void)state;
	WITH("up");
	assert_ok(put(s, "hello", &err), err);
	assert_int_equal(logged(plain, "\"method\": \"PUT\""), 1);
	assert_int_equal(logged(plain, "\"body\": \"hello\""), 1);
}

static void upload_elsewhere_gets_no_credentials(void **state)
{
	(void)state;
	struct fixture f FIXTURE_CLEANUP;
	struct mf_err err = MF_ERR_INIT;
	struct mf_secret password MF_SECRET_CLEANUP = {0};
	fixture_init(&f, plain, elsewhere);
	assert_ok(mf_secret_copy(&password, bytes_of("secret"), &err), err);
	f.cfg = (struct mf_credential_config){.user = "me", .password = &password, .given_source = "-u"};
	f.auth = mf_auth_new("127.0.0.1", &f.cfg, &f.env, &err);
	assert_non_null(f.auth);
	struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_at(&f, plain, "away");
	assert_ok(put(s, "hello", &err), err);
	assert_int_equal(logged(plain, "\"authorization\": \"Basic "), 1);
	assert_int_equal(logged(elsewhere, "/away?digest="), 1);
	assert_int_equal(logged(elsewhere, "authorization"), 0);
}

static void upload_whose_answer_was_lost_is_looked_up(void **state)
{
	(void)state;
	WITH("lost");
	assert_ok(put(s, "hello", &err), err);
}

static void upload_that_the_registry_forgot_is_begun_again(void **state)
{
	(void)state;
	WITH("again");
	assert_ok(put(s, "hello", &err), err);
	assert_int_equal(logged(plain, "\"method\": \"POST\""), 2);
	assert_int_equal(logged(plain, "\"method\": \"PUT\""), 2);
}

static void upload_goes_in_parts_where_a_put_takes_no_body(void **state)
{
	(void)state;
	const char *const names[] = {"parts405", "parts400"};
	for (size_t i = 0; i < 2; i++) {
		WITH(names[i]);
		assert_ok(put(s, "hello", &err), err);
		assert_int_equal(logged(plain, "\"method\": \"PATCH\""), 1);
		assert_int_equal(logged(plain, "\"content-range\": \"0-4\""), 1);
		assert_int_equal(logged(plain, "/next?state=1&digest="), 1);
	}
}

static void upload_that_fails_has_the_codes_of_its_status(void **state)
{
	(void)state;
	const struct {
		const char *name;
		enum mf_code code;
	} rows[] = {{"noloc", MF_E_UNAVAILABLE}, {"emptyloc", MF_E_UNAVAILABLE}, {"never", MF_E_UNAVAILABLE},
		    {"ftp", MF_E_UNAVAILABLE},   {"denied", MF_E_AUTH},          {"full", MF_E_UNAVAILABLE},
		    {"nothere", MF_E_NOT_FOUND}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		WITH(rows[i].name);
		assert_fails(put(s, "hello", &err), err, rows[i].code);
	}
}

static int put_manifest(struct mf_image_store *s, bool *seen, struct mf_descriptors *missing,
			struct mf_err *err)
{
	return mf_manifest_put(s, "v1", MF_MT_OCI_MANIFEST, bytes_of("{\"layers\":[]}"), seen, missing, err);
}

static void manifest_put_tells_whether_the_registry_saw_the_subject(void **state)
{
	(void)state;
	WITH("subject");
	bool seen = false;
	assert_ok(put_manifest(s, &seen, NULL, &err), err);
	assert_true(seen);
	assert_int_equal(logged(plain, "\"content-type\": \"" MF_MT_OCI_MANIFEST "\""), 1);
}

static void manifest_stored_under_another_digest_is_a_digest_error(void **state)
{
	(void)state;
	WITH("other");
	assert_fails(put_manifest(s, NULL, NULL, &err), err, MF_E_DIGEST);
}

static void manifest_errors_name_what_is_missing_in_both_spellings(void **state)
{
	(void)state;
	WITH("lacks");
	struct mf_descriptors missing MF_DESCRIPTORS_CLEANUP = {0};
	assert_fails(put_manifest(s, NULL, &missing, &err), err, MF_E_CONTENT_GONE);
	assert_int_equal(missing.n, 2);
	assert_string_equal(digest_text(&missing.v[0].digest), A);
	assert_string_equal(digest_text(&missing.v[1].digest), B);
}

static void loopback_registry_with_tls_is_found_by_itself(void **state)
{
	(void)state;
	struct fixture f FIXTURE_CLEANUP;
	struct mf_err err = MF_ERR_INIT;
	char cacert[96];
	fixture_init(&f, plain, tls);
	(void)snprintf(cacert, sizeof(cacert), "%s/cert.pem", tls->dir);
	client_start(&f, &(struct mf_http_options){.connect_timeout_ms = 2000, .cacert = cacert});
	struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_at(&f, tls, "told");
	/* Two in flight while the scheme is not known yet. */
	struct mf_resolve *r[2] = {mf_resolve_begin(s, "v1", &err), mf_resolve_begin(s, "v2", &err)};
	for (size_t i = 0; i < 2; i++) {
		struct mf_digest got, want = parsed(A);
		assert_non_null(r[i]);
		assert_ok(mf_resolve_end(r[i], &got, NULL, NULL, &err), err);
		assert_true(mf_digest_eq(&got, &want));
	}
	assert_int_equal(logged(tls, "/v2/told/"), 2);
	/* Now that the scheme is known, a broken connection is just that. */
	struct mf_http_stats stats;
	mf_http_stats(f.h, &stats);
	uint64_t asked = stats.requests;
	assert_fails(put_manifest(s, NULL, NULL, &err), err, MF_E_UNAVAILABLE);
	mf_http_stats(f.h, &stats);
	assert_int_equal(stats.requests, asked + 1);
	/* Content is never sent in the clear because a registry says so. */
	struct mf_image_store *down MF_IMAGE_STORE_CLEANUP = open_at(&f, tls, "down");
	assert_fails(put(down, "hello", &err), err, MF_E_UNAVAILABLE);
}

/* The other scheme is tried (and fails on this server); what the first said is what is reported. */
static void answer_that_asks_for_tls_is_the_only_one_that_is_tried_again(void **state)
{
	(void)state;
	const struct {
		const char *name;
		int tries;
		enum mf_code code;
	} rows[] = {{"gotls", 2, MF_E_UNAVAILABLE}, {"s400", 1, MF_E_REFUSED}};
	for (size_t i = 0; i < 2; i++) {
		WITH(rows[i].name);
		struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
		struct mf_http_stats stats;
		assert_fails(mf_manifest_get_tag(s, "v1", &m, &err), err, rows[i].code);
		assert_int_equal(logged(plain, "/v2/"), 1);
		mf_http_stats(f.h, &stats);
		assert_true(rows[i].tries == 1 ? stats.requests == 1 : stats.requests > 1);
	}
	/* A HEAD cannot say why; the other scheme is tried, its own answer stays, and so does the scheme. A
	 * GET asks again. */
	WITH("s400");
	struct mf_digest got, d = parsed(A);
	struct mf_http_stats stats;
	bool present;
	assert_fails(resolve(s, "v1", &got, NULL, NULL, &err), err, MF_E_REFUSED);
	mf_http_stats(f.h, &stats);
	assert_true(stats.requests > 1);
	assert_int_equal(logged(plain, "/v2/"), 2);
	assert_fails(mf_manifests_have(s, &d, 1, &present, &err), err, MF_E_REFUSED);
	assert_int_equal(logged(plain, "/v2/"), 4);
}

/* The loopback address as one number: for this module a host like any other. */
static void plain_http_is_tried_after_https_where_it_is_allowed(void **state)
{
	(void)state;
	struct fixture f FIXTURE_CLEANUP;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest got;
	char ref[128];
	fixture_init(&f, plain, tls);
	client_start(&f, &(struct mf_http_options){.connect_timeout_ms = 2000, .plain_http = true});
	(void)snprintf(ref, sizeof(ref), "2130706433:%d/told", plain->port);
	struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_store(ref, f.h, NULL, &f.env);
	for (int i = 1; i <= 2; i++) {
		assert_ok(resolve(s, "v1", &got, NULL, NULL, &err), err);
		assert_int_equal(logged(plain, "/v2/told/"), i);
	}
}

/* The deadline has passed, so nothing is sent; the error says where it would have gone. */
static void host_and_scheme_follow_the_registry_name(void **state)
{
	(void)state;
	const struct {
		const char *ref, *url;
		bool plain_http;
	} rows[] = {
	    {"alpine", "https://registry-1.docker.io/v2/library/alpine/manifests/v1", false},
	    {"docker.io/a/b", "https://registry-1.docker.io/v2/a/b/manifests/v1", false},
	    {"r.example/a", "https://r.example/v2/a/manifests/v1", false},
	    {"r.example:80/a", "https://r.example:80/v2/a/manifests/v1", true},
	    {"127.example.com/a", "https://127.example.com/v2/a/manifests/v1", true},
	    {"10.0.0.1:80/a", "https://10.0.0.1:80/v2/a/manifests/v1", true},
	    {"localhost/a", "http://localhost/v2/a/manifests/v1", false},
	    {"localhost:5000/a", "http://localhost:5000/v2/a/manifests/v1", false},
	    {"127.9.9.9:5000/a", "http://127.9.9.9:5000/v2/a/manifests/v1", false},
	    {"[::1]:5000/a", "http://[::1]:5000/v2/a/manifests/v1", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f FIXTURE_CLEANUP;
		struct mf_err err = MF_ERR_INIT;
		struct mf_digest got;
		fixture_init(&f, plain, tls);
		client_start(&f, &(struct mf_http_options){.plain_http = rows[i].plain_http});
		struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_store(rows[i].ref, f.h, NULL, &f.env);
		f.env.deadline_ms = 1;
		assert_int_equal(resolve(s, "v1", &got, NULL, NULL, &err), -1);
		assert_string_equal(err.endpoint, rows[i].url);
	}
}

static void registry_that_is_not_there_is_unavailable(void **state)
{
	(void)state;
	struct fixture f FIXTURE_CLEANUP;
	struct mf_err err = MF_ERR_INIT;
	struct server nobody = {.port = 1};
	struct mf_digest got;
	fixture_init(&f, plain, tls);
	struct mf_image_store *s MF_IMAGE_STORE_CLEANUP = open_at(&f, &nobody, "x");
	assert_fails(resolve(s, "v1", &got, NULL, NULL, &err), err, MF_E_UNAVAILABLE);
}

static int start_servers(void **state)
{
	(void)state;
	char *text = NULL, port[8];
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf many MF_BUF_CLEANUP = MF_BUF_INIT(4 << 20);
	for (int i = 0; i < 10001; i++)
		assert_ok(mf_buf_printf(&many, &err, "%s%s", i ? "," : "", DESCRIPTOR(A)), err);
	assert_true(asprintf(&text, "%s%s%s%s%s%s%s%s", read_rules, no_list_rules, MANY_BEFORE, many.p,
			     MANY_AFTER, index_rules, part_rules, upload_rules) > 0);
	elsewhere = server_start(
	    false, "[{\"method\":\"PUT\",\"path\":\"^/away\",\"action\":\"status\",\"status\":201}]", NULL);
	(void)snprintf(port, sizeof(port), "%05d", elsewhere->port);
	for (char *p; (p = strstr(text, "@@@@@"));)
		memcpy(p, port, 5);
	plain = server_start(false, text, NULL);
	tls = server_start(true, text, NULL);
	free(text);
	return 0;
}

static int stop_servers(void **state)
{
	(void)state;
	server_stop(plain);
	server_stop(tls);
	server_stop(elsewhere);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lying_registry_is_found_out_by_digest),
	    cmocka_unit_test(manifest_that_is_a_web_page_is_a_format_error),
	    cmocka_unit_test(truncated_blob_is_unavailable_not_missing),
	    cmocka_unit_test(head_without_a_usable_digest_is_followed_by_a_get),
	    cmocka_unit_test(head_with_a_digest_is_enough_and_asks_for_every_kind),
	    cmocka_unit_test(status_of_a_head_decides_the_code),
	    cmocka_unit_test(resolve_that_is_cancelled_leaks_nothing),
	    cmocka_unit_test(referrers_of_all_pages_are_listed),
	    cmocka_unit_test(referrers_by_other_digests_hide_no_others_and_stay),
	    cmocka_unit_test(referrers_answers_that_are_no_list_mean_that_there_is_none),
	    cmocka_unit_test(referrers_trouble_is_never_an_empty_list),
	    cmocka_unit_test(referrer_that_is_gone_is_dropped_whether_named_or_not),
	    cmocka_unit_test(catalogue_believes_the_refusal_that_names_a_blob),
	    cmocka_unit_test(upload_location_may_be_relative_with_a_query),
	    cmocka_unit_test(upload_elsewhere_gets_no_credentials),
	    cmocka_unit_test(upload_whose_answer_was_lost_is_looked_up),
	    cmocka_unit_test(upload_that_the_registry_forgot_is_begun_again),
	    cmocka_unit_test(upload_goes_in_parts_where_a_put_takes_no_body),
	    cmocka_unit_test(upload_that_fails_has_the_codes_of_its_status),
	    cmocka_unit_test(manifest_put_tells_whether_the_registry_saw_the_subject),
	    cmocka_unit_test(manifest_stored_under_another_digest_is_a_digest_error),
	    cmocka_unit_test(manifest_errors_name_what_is_missing_in_both_spellings),
	    cmocka_unit_test(loopback_registry_with_tls_is_found_by_itself),
	    cmocka_unit_test(answer_that_asks_for_tls_is_the_only_one_that_is_tried_again),
	    cmocka_unit_test(plain_http_is_tried_after_https_where_it_is_allowed),
	    cmocka_unit_test(host_and_scheme_follow_the_registry_name),
	    cmocka_unit_test(registry_that_is_not_there_is_unavailable),
	};
	return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
