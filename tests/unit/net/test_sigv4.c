#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/hash.h"
#include "net/aws.h"

/* Keys, time and signatures of the examples in the Amazon S3 API Reference, "Signature Calculations for the
 * Authorization Header". */
#define KEY_ID "AKIAIOSFODNN7EXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define AT INT64_C(1369353600) /* 2013-05-24T00:00:00Z */
#define SIGNED_HEADERS "host;x-amz-content-sha256;x-amz-date"

static struct mf_err err;
static char key_id[] = KEY_ID, region[] = "us-east-1";

static void given(struct mf_aws *a, const char *token)
{
	*a = (struct mf_aws){.key_id = key_id, .region = region};
	assert_int_equal(mf_secret_copy(&a->secret, mf_bytes_of(mf_str_c("AWS4" SECRET)), &err), 0);
	if (token)
		assert_int_equal(mf_secret_copy(&a->token, mf_bytes_of(mf_str_c(token)), &err), 0);
}

static void drop(struct mf_aws *a)
{
	a->key_id = a->region = NULL;
	mf_aws_clear(a);
}

static void sign(const char *url, const char *token, struct mf_aws_headers *out)
{
	struct mf_aws a;
	struct mf_digest empty;
	given(&a, token);
	assert_int_equal(mf_sha256((struct mf_bytes){NULL, 0}, &empty, &err), 0);
	assert_int_equal(mf_aws_sign(&a, &(struct mf_aws_request){"GET", url, &empty, AT}, out, &err), 0);
	drop(&a);
}

static const char *line(const struct mf_aws_headers *h, const char *name)
{
	for (size_t i = 0; h->v[i]; i++)
		if (strncmp(h->v[i], name, strlen(name)) == 0)
			return h->v[i] + strlen(name);
	return "";
}

static void requests_get_the_published_signatures(void **state)
{
	static const struct {
		const char *url, *signature;
	} rows[] = {
	    {"https://examplebucket.s3.amazonaws.com/?lifecycle=",
	     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
	    {"https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
	     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_aws_headers h MF_AWS_HEADERS_CLEANUP = {.n = 0};
		sign(rows[i].url, NULL, &h);
		const char *found = strstr(line(&h, "Authorization: "), "Signature=");
		assert_non_null(found);
		assert_string_equal(found + strlen("Signature="), rows[i].signature);
		assert_non_null(strstr(line(&h, "Authorization: "),
				       "Credential=" KEY_ID "/20130524/us-east-1/s3/aws4_request, "
				       "SignedHeaders=" SIGNED_HEADERS ", "));
		assert_string_equal(line(&h, "x-amz-date: "), "20130524T000000Z");
		assert_string_equal(line(&h, "x-amz-content-sha256: "),
				    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	}
}

static void the_port_of_the_scheme_is_not_part_of_the_host(void **state)
{
	static const char *const same[][2] = {
	    {"https://h.example/k", "https://h.example:443/k"},
	    {"http://h.example/k", "http://h.example:80/k"},
	};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mf_aws_headers a MF_AWS_HEADERS_CLEANUP = {.n = 0},
					b MF_AWS_HEADERS_CLEANUP = {.n = 0};
		sign(same[i][0], NULL, &a);
		sign(same[i][1], NULL, &b);
		assert_string_equal(line(&a, "Authorization: "), line(&b, "Authorization: "));
	}
	struct mf_aws_headers a MF_AWS_HEADERS_CLEANUP = {.n = 0}, b MF_AWS_HEADERS_CLEANUP = {.n = 0};
	sign("https://h.example/k", NULL, &a);
	sign("https://h.example:80/k", NULL, &b);
	assert_string_not_equal(line(&a, "Authorization: "), line(&b, "Authorization: "));
}

static void a_session_token_is_sent_and_signed(void **state)
{
	struct mf_aws_headers a MF_AWS_HEADERS_CLEANUP = {.n = 0}, b MF_AWS_HEADERS_CLEANUP = {.n = 0};
	(void)state;
	sign("https://h.example/k", "session/token==", &a);
	sign("https://h.example/k", "another", &b);
	assert_string_equal(line(&a, "x-amz-security-token: "), "session/token==");
	assert_non_null(strstr(line(&a, "Authorization: "), SIGNED_HEADERS ";x-amz-security-token, "));
	assert_string_not_equal(line(&a, "Authorization: "), line(&b, "Authorization: "));
	for (size_t i = 0; a.v[i]; i++)
		assert_null(strstr(a.v[i], SECRET));
}

static void without_keys_nothing_is_signed(void **state)
{
	struct mf_aws_headers h MF_AWS_HEADERS_CLEANUP = {.n = 0};
	struct mf_aws nobody = {.key_id = NULL};
	struct mf_digest d = {{0}};
	(void)state;
	assert_int_equal(
	    mf_aws_sign(&nobody, &(struct mf_aws_request){"GET", "https://h/k", &d, AT}, &h, &err), 0);
	assert_null(h.v[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_get_the_published_signatures),
	    cmocka_unit_test(the_port_of_the_scheme_is_not_part_of_the_host),
	    cmocka_unit_test(a_session_token_is_sent_and_signed),
	    cmocka_unit_test(without_keys_nothing_is_signed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
