#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "crypto/internal.h"
#include "crypto/x509.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define GUN "example.com/vectors/derived"
#define Y2025 INT64_C(1735689600)
#define Y2020 INT64_C(1577836800)
#define Y2050 INT64_C(2524608000)

static struct mf_err err;

static void load(struct mf_buf *out, const char *name)
{
	char path[256], chunk[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "testdata/notary/certs/%s.pem", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	mf_buf_reset(out);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		assert_int_equal(mf_buf_add(out, chunk, n, &err), 0);
	fclose(f);
}

static int read_file(struct mf_root_cert *out, const char *name, int64_t now, bool check_expiry,
		     struct mf_err *e)
{
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);

	load(&pem, name);
	return mf_root_cert_read(out, mf_buf_str(&pem), MF_STR(GUN), now, check_expiry, e);
}

/* Notary's key ID of the rebuilt text. */
static void key_id(char out[65], const struct mf_root_cert *c)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_digest d;

	assert_int_equal(mf_buf_printf(&b, &err,
				       "{\"keytype\":\"%s-x509\",\"keyval\":{\"private\":null,\"public\":\"",
				       mf_key_type_name(mf_pubkey_type(c->leaf))),
			 0);
	assert_int_equal(mf_b64_encode(&b, (struct mf_bytes){(uint8_t *)c->pem, c->pem_n}, &err), 0);
	assert_int_equal(mf_buf_addz(&b, "\"}}", &err), 0);
	assert_int_equal(mf_sha256(mf_buf_bytes(&b), &d, &err), 0);
	mf_digest_hex(out, &d);
}

/* The key ID that the metadata gives; a text that is not in Go's layout must be rebuilt to another one. */
static void acceptable_root_keys_are_rebuilt_as_notary_does(void **state)
{
	static const struct {
		const char *file, *id;
		bool same;
	} rows[] = {
	    {"good", "b159a165937d920125ebecbdd9c2e92fbdfcbb7694ca3607c4d2c9c896fa0441", true},
	    {"good-chain", "35010a82ac25c0cf63056c24dcb4c375ad17c13441b9d3e46ca920d21db65a88", true},
	    {"good-rsa-root", "7f7b2776adb0dbdc0419e9e9388943f30a1bf37931e8f7a6a81ae3f35d228493", true},
	    {"good-wildcard-cn", "557fc6e24321ea0d9c97831efcdb90754c5883a46f5eafdae06fa323599cd866", true},
	    {"cert-crlf", "e3da02ff28633f7c7ec197a052eb59418b56d3be82da9335d4512a895b93a67d", false},
	    {"cert-no-final-newline", "6fbf4cc0627227c5eb5709a76145910a27044aeed9367f90d7da891e5f940cce",
	     false},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct mf_root_cert c;
		char id[65];

		if (read_file(&c, rows[i].file, Y2025, true, &err))
			fail_msg("%s: %s", rows[i].file, err.msg);
		key_id(id, &c);
		if (rows[i].same)
			assert_string_equal(id, rows[i].id);
		else
			assert_string_not_equal(id, rows[i].id);
		assert_int_equal(c.not_after, Y2050);
		assert_int_equal(strlen(c.pem), c.pem_n);
		mf_root_cert_clear(&c);
	}
}

static void unacceptable_root_keys_are_refused(void **state)
{
	static const char *const files[] = {
	    "cert-wrong-cn",
	    "cert-prefix-cn",
	    "cert-is-ca",
	    "cert-ca-first",
	    "cert-two-leaves",
	    "cert-der-not-pem",
	    "cert-rsa-1024",
	    "made-sha1",
	    "made-two-names-first-fits",
	    "made-no-name",
	    "made-star-of-another",
	    "root-ed25519-certificate",
	    "ca",
	};

	(void)state;
	for (size_t i = 0; i < N(files); i++) {
		struct mf_root_cert c = {NULL, NULL, 0, 0};
		struct mf_err e = MF_ERR_INIT;

		if (read_file(&c, files[i], Y2025, false, &e) != -1)
			fail_msg("accepted %s", files[i]);
		assert_int_equal(e.code, MF_E_FORMAT);
		assert_null(c.pem);
		assert_null(c.leaf);
	}
}

static void certificates_out_of_their_time_are_refused(void **state)
{
	static const char *const files[] = {"cert-expired", "cert-not-yet-valid"};

	(void)state;
	for (size_t i = 0; i < N(files); i++) {
		struct mf_root_cert c;
		struct mf_err e = MF_ERR_INIT;

		assert_int_equal(read_file(&c, files[i], Y2025, true, &e), -1);
		assert_int_equal(e.code, MF_E_FORMAT);
	}
}

static void odd_but_acceptable_names_are_accepted(void **state)
{
	static const char *const files[] = {"made-two-names-last-fits", "made-double-star", "made-star-alone",
					    "made-no-constraints"};

	(void)state;
	for (size_t i = 0; i < N(files); i++) {
		struct mf_root_cert c;

		if (read_file(&c, files[i], Y2025, true, &err))
			fail_msg("%s: %s", files[i], err.msg);
		mf_root_cert_clear(&c);
	}
}

static void validity_is_checked_to_the_second_with_a_day_of_leeway_before(void **state)
{
	static const struct {
		int64_t now;
		bool ok;
	} rows[] = {
	    {Y2020 - 86401, false}, {Y2020 - 86400, true}, {Y2020, true},      {Y2050, true},
	    {Y2050 + 1, false},     {INT64_MIN, false},    {INT64_MAX, false},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct mf_root_cert c;
		struct mf_err e = MF_ERR_INIT;
		int r = read_file(&c, "good", rows[i].now, true, &e);

		assert_int_equal(r, rows[i].ok ? 0 : -1);
		if (r == 0)
			mf_root_cert_clear(&c);
	}
}

static void expiry_is_not_looked_at_for_the_previous_root(void **state)
{
	static const char *const files[] = {"cert-expired", "cert-not-yet-valid"};

	(void)state;
	for (size_t i = 0; i < N(files); i++) {
		struct mf_root_cert c;

		assert_int_equal(read_file(&c, files[i], Y2025, false, &err), 0);
		mf_root_cert_clear(&c);
	}
}

static void expired_and_weak_ca_certificates_are_dropped_from_the_rebuilt_text(void **state)
{
	static const struct {
		const char *file;
		bool check_expiry, kept;
	} rows[] = {{"made-expired-ca", true, false},
		    {"made-expired-ca", false, true},
		    {"made-sha1-ca", false, false}};
	struct mf_buf leaf MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_buf all MF_BUF_CLEANUP = MF_BUF_INIT(65536);

	(void)state;
	load(&leaf, "made-leaf");
	for (size_t i = 0; i < N(rows); i++) {
		struct mf_root_cert c;

		load(&all, rows[i].file);
		assert_int_equal(read_file(&c, rows[i].file, Y2025, rows[i].check_expiry, &err), 0);
		assert_string_equal(c.pem, rows[i].kept ? all.p : leaf.p);
		mf_root_cert_clear(&c);
	}
}

static void text_around_and_blocks_of_another_kind_are_handled_as_notary_does(void **state)
{
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_root_cert c;
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	load(&pem, "good");
	assert_int_equal(mf_buf_printf(&text, &err, "a comment\n%s", pem.p), 0);
	assert_int_equal(mf_root_cert_read(&c, mf_buf_str(&text), MF_STR(GUN), Y2025, true, &err), 0);
	assert_string_equal(c.pem, pem.p);
	mf_root_cert_clear(&c);
	assert_int_equal(mf_buf_addz(&text, "-----BEGIN X-----\nAAAA\n-----END X-----\n", &err), 0);
	assert_int_equal(mf_root_cert_read(&c, mf_buf_str(&text), MF_STR(GUN), Y2025, true, &e), -1);
	assert_int_equal(e.code, MF_E_FORMAT);
}

static void too_many_certificates_are_refused(void **state)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(100000);
	struct mf_buf leaf MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_buf ca MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_root_cert c;
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	load(&leaf, "good");
	load(&ca, "ca");
	assert_int_equal(mf_buf_add(&text, leaf.p, leaf.n, &err), 0);
	for (int i = 0; i < 15; i++)
		assert_int_equal(mf_buf_add(&text, ca.p, ca.n, &err), 0);
	assert_int_equal(mf_root_cert_read(&c, mf_buf_str(&text), MF_STR(GUN), Y2025, true, &err), 0);
	mf_root_cert_clear(&c);
	assert_int_equal(mf_buf_add(&text, ca.p, ca.n, &err), 0);
	assert_int_equal(mf_root_cert_read(&c, mf_buf_str(&text), MF_STR(GUN), Y2025, true, &e), -1);
	assert_int_equal(e.code, MF_E_FORMAT);
}

static void chains_are_followed_to_the_pinned_ca_only(void **state)
{
	static const struct {
		const char *file, *ca;
		int64_t now;
		bool ok;
	} rows[] = {
	    {"good-chain", "ca", Y2025, true},
	    {"good-chain", "made-ca", Y2025, false},
	    {"good", "ca", Y2025, false},
	    {"good", "good", Y2025, true},
	    {"made-chain", "made-ca", Y2025, true},
	    {"made-chain", "made-intermediate-only", Y2025, true}, /* an anchor need not be self-signed */
	    {"made-chain", "ca", Y2025, false},
	    {"made-chain-without-intermediate", "made-ca", Y2025, false},
	    {"made-leaf", "made-ca", Y2025, true},
	    {"made-leaf", "made-ca", Y2050 + 1, false},
	    {"made-leaf", "made-ca", Y2020 - 1, false},
	    {"made-issued-by-a-leaf", "made-leaf", Y2025, false}, /* a leaf of the same name issues nothing */
	    {"cert-rsa-1024", "cert-rsa-1024", Y2025, false},
	    {"cert-der-not-pem", "ca", Y2025, false},
	    {"good-chain", "cert-der-not-pem", Y2025, false},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		struct mf_buf ca MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		struct mf_err e = MF_ERR_INIT;
		int r;

		load(&pem, rows[i].file);
		load(&ca, rows[i].ca);
		r = mf_root_cert_chains_to(mf_buf_str(&pem), mf_buf_str(&ca), rows[i].now, &e);
		if (r != (rows[i].ok ? 0 : -1))
			fail_msg("%s to %s: %d %s", rows[i].file, rows[i].ca, r, e.msg);
		assert_int_equal(e.code, rows[i].ok ? MF_OK : MF_E_PIN);
	}
}

static X509 *parse(const struct mf_buf *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(x);
	return x;
}

static int make_cert(struct mf_privkey *k, struct mf_str gun, int64_t now, struct mf_buf *pem,
		     struct mf_err *e)
{
	const struct mf_signer signer = mf_privkey_signer(k, "root");
	return mf_root_cert_make(&signer, gun, now, pem, e);
}

static void a_made_certificate_is_what_notary_makes(void **state)
{
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	EVP_PKEY *pub MF_EVP_PKEY_CLEANUP = NULL;
	X509 *x MF_X509_CLEANUP = NULL;
	X509_NAME_ENTRY *cn;

	(void)state;
	assert_int_equal(make_cert(k, MF_STR(GUN), Y2025, &pem, &err), 0);
	x = parse(&pem);
	pub = X509_get_pubkey(x);
	assert_int_equal(X509_verify(x, pub), 1);
	assert_int_equal(X509_get_version(x), X509_VERSION_3);
	assert_int_equal(X509_get_signature_nid(x), NID_ecdsa_with_SHA256);
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)), 0);
	assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(x)), 1);
	cn = X509_NAME_get_entry(X509_get_subject_name(x), 0);
	assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(cn)), V_ASN1_UTF8STRING);
	assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(X509_get_extended_key_usage(x), XKU_CODE_SIGN);
	assert_int_equal(X509_get_ext_count(x), 3);
	assert_int_equal(
	    X509_EXTENSION_get_critical(X509_get_ext(x, X509_get_ext_by_NID(x, NID_key_usage, -1))), 1);
	assert_int_equal(
	    X509_EXTENSION_get_critical(X509_get_ext(x, X509_get_ext_by_NID(x, NID_ext_key_usage, -1))), 0);
	assert_int_equal(
	    X509_EXTENSION_get_critical(X509_get_ext(x, X509_get_ext_by_NID(x, NID_basic_constraints, -1))),
	    1);
	assert_true(ASN1_STRING_length(X509_get0_serialNumber(x)) > 8);
	assert_int_equal(ASN1_INTEGER_get(X509_get0_serialNumber(x)) == 0, 0);
}

static void a_made_certificate_is_accepted_under_its_own_rules(void **state)
{
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	char gun[MF_MAX_GUN + 1];
	struct mf_str g = {gun, MF_MAX_GUN};

	(void)state;
	memset(gun, 'g', sizeof(gun)); /* far over the 64 characters of X.520 */
	/* Before and after 2050 the time has another ASN.1 type; 29 February becomes 1 March. */
	for (int64_t now = INT64_C(1709164800); now < INT64_C(4000000000); now += INT64_C(700000000)) {
		struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		struct mf_digest a, b;
		struct mf_root_cert c;
		char until[MF_TIME_LEN];

		assert_int_equal(make_cert(k, g, now, &pem, &err), 0);
		assert_int_equal(mf_root_cert_read(&c, mf_buf_str(&pem), g, now, true, &err), 0);
		assert_string_equal(c.pem, pem.p);
		a = mf_pubkey_fingerprint(c.leaf);
		b = mf_pubkey_fingerprint(mf_privkey_public(k));
		assert_true(mf_digest_eq(&a, &b));
		mf_time_format(until, c.not_after);
		if (now == INT64_C(1709164800))
			assert_string_equal(until, "2034-03-01T00:00:00Z");
		assert_true(c.not_after - now >= INT64_C(86400) * 3652);
		mf_root_cert_clear(&c);
	}
	g.n++;
	{
		struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		struct mf_err e = MF_ERR_INIT;

		assert_int_equal(make_cert(k, g, Y2025, &pem, &e), -1);
		assert_int_equal(e.code, MF_E_USAGE);
	}
}

static void an_ed25519_key_gets_no_certificate(void **state)
{
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	assert_int_equal(make_cert(k, MF_STR(GUN), Y2025, &pem, &e), -1);
	assert_int_equal(e.code, MF_E_KEY);
	assert_int_equal(pem.n, 0);
}

static void a_certificate_gives_its_key_as_text(void **state)
{
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_pubkey *k MF_PUBKEY_CLEANUP = NULL;
	struct mf_root_cert c;
	struct mf_digest a, b;

	(void)state;
	load(&pem, "good");
	k = mf_pubkey_from_text(mf_buf_str(&pem), &err);
	assert_non_null(k);
	assert_int_equal(read_file(&c, "good", Y2025, true, &err), 0);
	a = mf_pubkey_fingerprint(k);
	b = mf_pubkey_fingerprint(c.leaf);
	assert_true(mf_digest_eq(&a, &b));
	mf_root_cert_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(acceptable_root_keys_are_rebuilt_as_notary_does),
	    cmocka_unit_test(unacceptable_root_keys_are_refused),
	    cmocka_unit_test(certificates_out_of_their_time_are_refused),
	    cmocka_unit_test(odd_but_acceptable_names_are_accepted),
	    cmocka_unit_test(validity_is_checked_to_the_second_with_a_day_of_leeway_before),
	    cmocka_unit_test(expiry_is_not_looked_at_for_the_previous_root),
	    cmocka_unit_test(expired_and_weak_ca_certificates_are_dropped_from_the_rebuilt_text),
	    cmocka_unit_test(text_around_and_blocks_of_another_kind_are_handled_as_notary_does),
	    cmocka_unit_test(too_many_certificates_are_refused),
	    cmocka_unit_test(chains_are_followed_to_the_pinned_ca_only),
	    cmocka_unit_test(a_made_certificate_is_what_notary_makes),
	    cmocka_unit_test(a_made_certificate_is_accepted_under_its_own_rules),
	    cmocka_unit_test(an_ed25519_key_gets_no_certificate),
	    cmocka_unit_test(a_certificate_gives_its_key_as_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
