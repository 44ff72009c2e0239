/* Attestations: what is signed, what is made, and what is accepted of somebody else. */
#include "record/attest.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/encode.h"
#include "crypto/internal.h"

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define STATEMENT                                                                                            \
	"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"r/a\",\"digest\":{"         \
	"\"sha256\":\"" HEX64                                                                                \
	"\"}}],\"predicateType\":\"https://example.com/p\",\"predicate\":{\"a\":1.50}}"

static struct mf_privkey *key_of(uint8_t first)
{
	struct mf_err err = MF_ERR_INIT;
	uint8_t seed[32] = {first}; /* TEST-ONLY */
	struct mf_privkey *k =
	    mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){seed, sizeof seed}, &err);
	assert_non_null(k);
	return k;
}

static void pae_is_that_of_the_specification(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(256);
	assert_int_equal(
	    mf_dsse_pae(&out, "http://example.com/HelloWorld", mf_bytes_of(MF_STR("hello world")), &err), 0);
	assert_true(mf_str_eqz(mf_buf_str(&out), "DSSEv1 29 http://example.com/HelloWorld 11 hello world"));
}

static void statement_has_the_predicate_as_it_is(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct mf_digest d;
	assert_int_equal(mf_digest_parse(&d, MF_STR("sha256:" HEX64), &err), 0);
	struct mf_statement s = {"r/a", &d, "https://example.com/p", MF_STR("{\"a\":1.50}")};
	assert_int_equal(mf_statement_build(&out, &s, &err), 0);
	assert_true(mf_str_eqz(mf_buf_str(&out), STATEMENT));
	static const char *const bad[] = {"", "[1]", "1", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "{"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct mf_err why = MF_ERR_INIT;
		s.predicate = mf_str_c(bad[i]);
		assert_int_equal(mf_statement_build(&out, &s, &why), -1);
		assert_int_equal(why.code, MF_E_FORMAT);
		assert_true(mf_str_eqz(mf_buf_str(&out), STATEMENT));
	}
}

static void a_statement_that_has_no_room_leaves_nothing(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(sizeof STATEMENT - 2);
	struct mf_digest d;
	assert_int_equal(mf_digest_parse(&d, MF_STR("sha256:" HEX64), &err), 0);
	struct mf_statement s = {"r/a", &d, "https://example.com/p", MF_STR("{\"a\":1.50}")};
	assert_int_equal(mf_statement_build(&out, &s, &err), -1);
	assert_int_equal(out.n, 0);
}

static void uris_have_a_scheme(void **state)
{
	(void)state;
	static const char *const good[] = {"urn:a", "https://example.com/x?y#z", "a+b.c-d:e"};
	static const char *const bad[] = {
	    "", "a", ":a", "1a:b", "a:", "a:b c", "a:\"", "a:\n", "a:<", "a:\xc3\xa9"};
	char longest[MF_MAX_ATTEST_URI + 2] = "a:";
	struct mf_err none = MF_ERR_INIT, too_long = MF_ERR_INIT;
	memset(longest + 2, 'x', MF_MAX_ATTEST_URI - 2);
	assert_int_equal(mf_attest_uri_check(longest, &none), 0);
	longest[MF_MAX_ATTEST_URI] = 'x';
	assert_int_equal(mf_attest_uri_check(longest, &too_long), -1);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct mf_err err = MF_ERR_INIT;
		assert_int_equal(mf_attest_uri_check(good[i], &err), 0);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct mf_err err = MF_ERR_INIT;
		assert_int_equal(mf_attest_uri_check(bad[i], &err), -1);
		assert_int_equal(err.code, MF_E_USAGE);
	}
}

static int read_with(struct mf_attestation *out, struct mf_str doc, uint8_t first, struct mf_err *err)
{
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = key_of(first);
	return mf_attestation_read(out, mf_bytes_of(doc), mf_privkey_public(k), err);
}

static void refused(struct mf_str doc, enum mf_code code)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_attestation a MF_ATTESTATION_CLEANUP = {.statement = NULL};
	assert_int_equal(read_with(&a, doc, 1, &err), -1);
	assert_int_equal(err.code, code);
}

static void make(const char *statement, enum mf_attest_form form, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = key_of(1);
	struct mf_signer s = mf_privkey_signer(k, "one");
	assert_int_equal(mf_attest_sign(&s, mf_bytes_of(mf_str_c(statement)), form, out, &err), 0);
}

static void what_is_made_is_read(void **state)
{
	(void)state;
	static const enum mf_attest_form forms[] = {MF_ATTEST_DSSE, MF_ATTEST_BUNDLE};
	for (size_t i = 0; i < 2; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		struct mf_attestation a MF_ATTESTATION_CLEANUP = {.statement = NULL};
		struct mf_digest d, other = {{1}};
		make(STATEMENT, forms[i], &doc);
		assert_int_equal(read_with(&a, mf_buf_str(&doc), 1, &err), 0);
		assert_true(mf_str_eqz(mf_buf_str(&a.payload), STATEMENT));
		assert_string_equal(a.predicate_type, "https://example.com/p");
		assert_int_equal(mf_digest_parse(&d, MF_STR("sha256:" HEX64), &err), 0);
		assert_true(mf_attestation_is_of(&a, &d));
		assert_false(mf_attestation_is_of(&a, &other));
	}
}

static void another_key_has_not_signed(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_attestation a MF_ATTESTATION_CLEANUP = {.statement = NULL};
	make(STATEMENT, MF_ATTEST_DSSE, &doc);
	assert_int_equal(read_with(&a, mf_buf_str(&doc), 2, &err), -1);
	assert_int_equal(err.code, MF_E_SIGNATURE);
}

/* An envelope of these members. */
static void envelope(struct mf_buf *out, const char *payload, const char *type, const char *signatures)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b64 MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	mf_buf_reset(out);
	assert_int_equal(mf_b64_encode(&b64, mf_bytes_of(mf_str_c(payload)), &err), 0);
	assert_int_equal(mf_buf_printf(out, &err,
				       "{\"payload\":\"%.*s\",\"payloadType\":\"%s\",\"signatures\":%s}",
				       MF_STR_ARG(mf_buf_str(&b64)), type, signatures),
			 0);
}

static void text_of_signature(const char *statement, char out[128])
{
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	make(statement, MF_ATTEST_DSSE, &doc);
	const char *at = strstr(doc.p, "\"sig\":\"");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "\"sig\":\"%100[^\"]", out), 1);
}

/* Takes the key. */
static struct mf_privkey *key_of_evp(EVP_PKEY *evp)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_privkey *k = mf_privkey_from_evp(evp, &err);
	EVP_PKEY_free(evp);
	if (!k)
		fail_msg("%s", err.msg);
	return k;
}

/* The ways in which makers of attestations use keys. */
static void each_scheme_of_other_makers_is_read(void **state)
{
	(void)state;
	static const enum mf_sig_scheme schemes[] = {MF_SIG_ECDSA_DER_SHA256, MF_SIG_ECDSA_DER_SHA384,
						     MF_SIG_RSA_PKCS1_SHA256, MF_SIG_RSA_PSS_SHA256};
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_privkey *k MF_PRIVKEY_CLEANUP =
		    key_of_evp(i < 2 ? EVP_EC_gen("P-384") : EVP_RSA_gen(2048));
		struct mf_buf pae MF_BUF_CLEANUP = MF_BUF_INIT(4096), raw MF_BUF_CLEANUP = MF_BUF_INIT(1024),
				  sig MF_BUF_CLEANUP = MF_BUF_INIT(2048),
				  list MF_BUF_CLEANUP = MF_BUF_INIT(4096),
				  doc MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		struct mf_attestation a MF_ATTESTATION_CLEANUP = {.statement = NULL};
		struct mf_signer s = mf_privkey_signer(k, "maker");
		assert_int_equal(mf_dsse_pae(&pae, MF_MT_IN_TOTO, mf_bytes_of(MF_STR(STATEMENT)), &err), 0);
		assert_int_equal(mf_signer_sign(&s, schemes[i], mf_buf_bytes(&pae), &raw, &err), 0);
		assert_int_equal(mf_b64_encode(&sig, mf_buf_bytes(&raw), &err), 0);
		assert_int_equal(
		    mf_buf_printf(&list, &err, "[{\"sig\":\"%.*s\"}]", MF_STR_ARG(mf_buf_str(&sig))), 0);
		assert_int_equal(mf_buf_addc(&list, 0, &err), 0);
		envelope(&doc, STATEMENT, MF_MT_IN_TOTO, list.p);
		if (mf_attestation_read(&a, mf_buf_bytes(&doc), mf_privkey_public(k), &err) < 0)
			fail_msg("scheme %zu: %s", i, err.msg);
	}
}

/* `text` in the URL-safe alphabet, and without padding. */
static void url_safe(char *text)
{
	for (char *p = text; *p; p++)
		*p = (char)(*p == '+' ? '-' : *p == '/' ? '_' : *p);
	text[strcspn(text, "=")] = 0;
}

static void base64_is_standard_or_url_safe(void **state)
{
	(void)state;
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	char list[512], sig[128] = "", statement[512];
	/* Of one of these, the signature has both letters that differ. */
	for (int i = 0; !strchr(sig, '+') || !strchr(sig, '/'); i++) {
		(void)snprintf(statement, sizeof statement, "%s%*s", STATEMENT, i, "");
		text_of_signature(statement, sig);
	}
	assert_non_null(strchr(sig, '='));
	url_safe(sig);
	(void)snprintf(list, sizeof list, "[{\"sig\":\"%s\"}]", sig);
	struct mf_err err = MF_ERR_INIT;
	struct mf_attestation a MF_ATTESTATION_CLEANUP = {.statement = NULL};
	envelope(&doc, statement, MF_MT_IN_TOTO, list);
	assert_int_equal(read_with(&a, mf_buf_str(&doc), 1, &err), 0);
}

static void signatures_are_counted(void **state)
{
	(void)state;
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(65536), list MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_err err = MF_ERR_INIT;
	char sig[128];
	text_of_signature(STATEMENT, sig);
	for (int n = MF_MAX_SIGNATURES; n <= MF_MAX_SIGNATURES + 1; n++) {
		struct mf_attestation a MF_ATTESTATION_CLEANUP = {.statement = NULL};
		mf_buf_reset(&list);
		assert_int_equal(mf_buf_printf(&list, &err, "[{\"sig\":\"%s\"}", sig), 0);
		for (int i = 1; i < n; i++)
			assert_int_equal(mf_buf_addz(&list, ",{\"sig\":\"\"}", &err), 0);
		assert_int_equal(mf_buf_add(&list, "]", 2, &err), 0);
		envelope(&doc, STATEMENT, MF_MT_IN_TOTO, list.p);
		if (n > MF_MAX_SIGNATURES)
			refused(mf_buf_str(&doc), MF_E_FORMAT);
		else
			assert_int_equal(read_with(&a, mf_buf_str(&doc), 1, &err), 0);
	}
}

static void only_the_payload_that_was_signed_counts(void **state)
{
	(void)state;
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_err err = MF_ERR_INIT;
	char sig[128], list[512];
	text_of_signature(STATEMENT, sig);
	(void)snprintf(list, sizeof list,
		       "[{\"sig\":\"AAAA\"},{\"sig\":\"%%\"},{\"keyid\":\"x\",\"sig\":\"%s\"}]", sig);
	struct mf_attestation a MF_ATTESTATION_CLEANUP = {.statement = NULL};
	envelope(&doc, STATEMENT, MF_MT_IN_TOTO, list);
	assert_int_equal(read_with(&a, mf_buf_str(&doc), 1, &err), 0);
	envelope(&doc, STATEMENT " ", MF_MT_IN_TOTO, list);
	refused(mf_buf_str(&doc), MF_E_SIGNATURE);
	envelope(&doc, STATEMENT, "text/plain", list);
	refused(mf_buf_str(&doc), MF_E_FORMAT);
	envelope(&doc, STATEMENT, MF_MT_IN_TOTO, "[]");
	refused(mf_buf_str(&doc), MF_E_SIGNATURE);
	envelope(&doc, STATEMENT, MF_MT_IN_TOTO, "[{\"keyid\":\"x\"}]");
	refused(mf_buf_str(&doc), MF_E_FORMAT);
	envelope(&doc, STATEMENT, MF_MT_IN_TOTO, "{}");
	refused(mf_buf_str(&doc), MF_E_FORMAT);
	refused(MF_STR("[]"), MF_E_FORMAT);
	refused(MF_STR("{}"), MF_E_FORMAT);
	refused(MF_STR("{\"dsseEnvelope\":1}"), MF_E_FORMAT);
	refused(MF_STR("nothing"), MF_E_FORMAT);
}

/* Signed by the right key, and no Statement all the same. */
static void what_was_signed_must_be_a_statement(void **state)
{
	(void)state;
	static const char *const rows[] = {
	    "1",
	    "{}",
	    "{\"_type\":\"https://in-toto.io/Statement/v2\",\"subject\":[],\"predicateType\":\"a:b\"}",
	    "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":{},\"predicateType\":\"a:b\"}",
	    "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[]}",
	    ("{\"_type\":\"https://in-toto.io/Statement/"
	     "v1\",\"_type\":\"x\",\"subject\":[],\"predicateType\":\"a:b\"}"),
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		make(rows[i], MF_ATTEST_DSSE, &doc);
		refused(mf_buf_str(&doc), MF_E_FORMAT);
	}
}

static void a_subject_is_its_digest(void **state)
{
	(void)state;
	static const char *const none[] = {"[]",
					   "[1]",
					   "[{\"name\":\"sha256:" HEX64 "\"}]",
					   "[{\"digest\":{\"sha512\":\"" HEX64 "\"}}]",
					   "[{\"digest\":{\"sha256\":1}}]",
					   "[{\"digest\":\"" HEX64 "\"}]"};
	struct mf_digest d;
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_digest_parse(&d, MF_STR("sha256:" HEX64), &err), 0);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		char text[512];
		struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		struct mf_attestation a MF_ATTESTATION_CLEANUP = {.statement = NULL};
		(void)snprintf(text, sizeof text,
			       "{\"_type\":\"https://in-toto.io/Statement/"
			       "v0.1\",\"subject\":%s,\"predicateType\":\"a:b\"}",
			       none[i]);
		make(text, MF_ATTEST_DSSE, &doc);
		assert_int_equal(read_with(&a, mf_buf_str(&doc), 1, &err), 0);
		assert_false(mf_attestation_is_of(&a, &d));
	}
}

static void other_keys_make_none(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	assert_non_null(k);
	struct mf_signer s = mf_privkey_signer(k, "ec");
	assert_int_equal(mf_attest_sign(&s, mf_bytes_of(MF_STR(STATEMENT)), MF_ATTEST_DSSE, &out, &err), -1);
	assert_int_equal(err.code, MF_E_KEY);
	assert_int_equal(out.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pae_is_that_of_the_specification),
	    cmocka_unit_test(statement_has_the_predicate_as_it_is),
	    cmocka_unit_test(a_statement_that_has_no_room_leaves_nothing),
	    cmocka_unit_test(uris_have_a_scheme),
	    cmocka_unit_test(what_is_made_is_read),
	    cmocka_unit_test(another_key_has_not_signed),
	    cmocka_unit_test(each_scheme_of_other_makers_is_read),
	    cmocka_unit_test(base64_is_standard_or_url_safe),
	    cmocka_unit_test(signatures_are_counted),
	    cmocka_unit_test(only_the_payload_that_was_signed_counts),
	    cmocka_unit_test(what_was_signed_must_be_a_statement),
	    cmocka_unit_test(a_subject_is_its_digest),
	    cmocka_unit_test(other_keys_make_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
