#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "crypto/pem.h"
#include "json/json.h"
#include "keys/notary_pem.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define DIR "testdata/notary/keyfiles/"

static struct mf_err err;

static void load(struct mf_buf *out, const char *name)
{
	char path[256], chunk[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), DIR "%s", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	mf_buf_reset(out);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		assert_int_equal(mf_buf_add(out, chunk, n, &err), 0);
	fclose(f);
}

static void secret_of(struct mf_secret *s, const char *text)
{
	if (text)
		assert_int_equal(mf_secret_copy(s, mf_bytes_of(mf_str_c(text)), &err), 0);
}

static int read_file(struct mf_notary_key *out, const char *name, const char *pass, struct mf_err *e)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_secret s MF_SECRET_CLEANUP = MF_SECRET_INIT;

	load(&text, name);
	secret_of(&s, pass);
	return mf_notary_key_read(out, mf_buf_str(&text), pass ? &s : NULL, e);
}

static void key_id(char out[65], const struct mf_pubkey *k)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_digest d;
	enum mf_key_type t = mf_pubkey_type(k);

	assert_int_equal(mf_buf_printf(&b, &err,
				       "{\"keytype\":\"%s\",\"keyval\":{\"private\":null,\"public\":\"",
				       mf_key_type_name(t)),
			 0);
	assert_int_equal(
	    mf_b64_encode(&b, t == MF_KEY_ED25519 ? mf_pubkey_ed25519(k) : mf_pubkey_spki(k), &err), 0);
	assert_int_equal(mf_buf_addz(&b, "\"}}", &err), 0);
	assert_int_equal(mf_sha256(mf_buf_bytes(&b), &d, &err), 0);
	mf_digest_hex(out, &d);
}

static enum mf_sig_scheme scheme_of(enum mf_key_type t)
{
	return t == MF_KEY_ED25519 ? MF_SIG_ED25519
	       : t == MF_KEY_RSA   ? MF_SIG_RSA_PSS_SHA256
				   : MF_SIG_ECDSA_RAW_SHA256;
}

static void check_row(const json_t *row)
{
	const char *file, *type, *id, *pass = json_string_value(json_object_get(row, "passphrase"));
	struct mf_notary_key k = {NULL, "", ""};
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	struct mf_err e = MF_ERR_INIT;
	bool notary_reads;
	char hex[65];

	assert_int_equal(mf_json_get_str(row, "file", MF_JSON_REQUIRED, &file, &err), 0);
	assert_int_equal(mf_json_get_str(row, "keytype", MF_JSON_REQUIRED, &type, &err), 0);
	assert_int_equal(mf_json_get_str(row, "key_id", MF_JSON_REQUIRED, &id, &err), 0);
	assert_true(json_is_boolean(json_object_get(row, "usable")));
	notary_reads = json_is_true(json_object_get(row, "usable"));
	if (read_file(&k, file, pass, &e))
		fail_msg("%s: %s", file, e.msg);
	assert_string_equal(mf_key_type_name(mf_pubkey_type(mf_privkey_public(k.key))), type);
	key_id(hex, mf_privkey_public(k.key));
	assert_string_equal(hex, id);
	if (notary_reads) {
		assert_string_equal(k.role, strncmp(file, "rsa-openssl", 11) == 0 ? "root" : "targets");
		assert_string_equal(k.gun, strncmp(file, "rsa-openssl", 11) == 0 ? "" : "example.com/vkf");
	}
	assert_int_equal(mf_privkey_sign(k.key, scheme_of(mf_pubkey_type(mf_privkey_public(k.key))),
					 mf_bytes_of(MF_STR("m")), &sig, &err),
			 0);
	mf_privkey_free(k.key);
	if (!pass)
		return;
	assert_int_equal(read_file(&k, file, NULL, &e), -1);
	assert_int_equal(e.code, MF_E_KEY);
	assert_non_null(strstr(e.msg, "no passphrase was given"));
	mf_err_clear(&e);
	assert_int_equal(read_file(&k, file, "wrong", &e), -1);
	assert_int_equal(e.code, MF_E_KEY);
	assert_non_null(strstr(e.msg, "wrong passphrase"));
}

static void every_listed_file_is_read_and_more_than_notary_reads(void **state)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	json_t *index MF_JSON_CLEANUP = NULL;
	const json_t *row;
	size_t i;

	(void)state;
	load(&text, "index.json");
	index = mf_json_load(mf_buf_bytes(&text), 65536, &err);
	assert_non_null(index);
	assert_int_equal(json_array_size(index), 16);
	json_array_foreach(index, i, row) check_row(row);
}

#define OTHERS "../../keyfile/others/"

static void keys_of_openssl_and_openssh_are_read_and_sign(void **state)
{
	static const struct {
		const char *file, *pass, *public;
		enum mf_key_type type;
	} rows[] = {
	    {OTHERS "openssl-ed25519.pem", NULL, NULL, MF_KEY_ED25519},
	    {OTHERS "openssl-encrypted.pem", "pw", NULL, MF_KEY_ED25519},
	    {OTHERS "openssl-ec-parameters.pem", NULL, NULL, MF_KEY_ECDSA},
	    {OTHERS "openssh-ed25519", NULL, NULL, MF_KEY_ED25519},
	    {OTHERS "openssh-ecdsa", NULL, OTHERS "openssh-ecdsa.public.pem", MF_KEY_ECDSA},
	    {OTHERS "openssh-encrypted", "pw", NULL, MF_KEY_ED25519},
	    {OTHERS "openssh-rsa", NULL, NULL, MF_KEY_RSA},
	};
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct mf_notary_key k = {NULL, "", ""};
		struct mf_err e = MF_ERR_INIT;
		struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(1024), pem MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		if (read_file(&k, rows[i].file, rows[i].pass, &e) < 0)
			fail_msg("%s: %s", rows[i].file, e.msg);
		const struct mf_pubkey *pub = mf_privkey_public(k.key);
		assert_int_equal(mf_pubkey_type(pub), rows[i].type);
		assert_int_equal(
		    mf_privkey_sign(k.key, scheme_of(rows[i].type), mf_bytes_of(MF_STR("m")), &sig, &err), 0);
		if (rows[i].public) {
			load(&pem, rows[i].public);
			struct mf_pubkey *want MF_PUBKEY_CLEANUP =
			    mf_pubkey_from_text(mf_buf_str(&pem), &err);
			assert_true(mf_pubkey_eq(want, pub));
		}
		mf_privkey_free(k.key);
	}
}

static void a_public_key_is_refused_by_name(void **state)
{
	struct mf_notary_key k;
	struct mf_err e = MF_ERR_INIT;
	(void)state;
	assert_int_equal(read_file(&k, OTHERS "openssh-ecdsa.public.pem", "pw", &e), -1);
	assert_int_equal(e.code, MF_E_FORMAT);
	assert_non_null(strstr(e.msg, "no private key"));
}

/* Whatever is cut off or changed, nothing but a key that signs comes out. */
static void damaged_openssh_keys_are_refused(void **state)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096), again MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct mf_pem_block b MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
	struct mf_notary_key k = {NULL, "", ""};
	(void)state;
	load(&text, OTHERS "openssh-ed25519");
	assert_int_equal(mf_pem_only(mf_buf_str(&text), 4096, &b, &err), 0);
	for (size_t n = 0; n < b.der_n; n++) {
		struct mf_err e = MF_ERR_INIT;
		mf_buf_reset(&again);
		assert_int_equal(mf_pem_write(&again, b.label, "", (struct mf_bytes){b.der, n}, &err), 0);
		assert_int_equal(mf_notary_key_read(&k, mf_buf_str(&again), NULL, &e), -1);
		assert_int_equal(e.code, MF_E_FORMAT);
	}
	/* Behind magic and names: count, public key, then the secret part with its check numbers. */
	for (size_t at = 35; at < 35 + 4 + 4 + 51 + 4 + 8 + 15 + 36 + 68; at++) {
		struct mf_err e = MF_ERR_INIT;
		bool public_copy = at >= 39 && at < 39 + 4 + 51; /* not read: the secret part has its own */
		mf_buf_reset(&again);
		b.der[at] ^= 1;
		assert_int_equal(mf_pem_write(&again, b.label, "", (struct mf_bytes){b.der, b.der_n}, &err),
				 0);
		b.der[at] ^= 1;
		int rc = mf_notary_key_read(&k, mf_buf_str(&again), NULL, &e);
		if (public_copy && rc == 0)
			mf_privkey_free(k.key);
		else if (rc == 0)
			fail_msg("octet %zu may be changed", at);
	}
}

static void a_plain_file_is_written_byte_for_byte_as_notary_writes_it(void **state)
{
	static const char *const files[] = {"ecdsa-notary-plain.pem", "ed25519-notary-plain.pem"};

	(void)state;
	for (size_t i = 0; i < N(files); i++) {
		struct mf_buf want MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
		struct mf_buf got MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
		struct mf_notary_key k;

		load(&want, files[i]);
		assert_int_equal(read_file(&k, files[i], NULL, &err), 0);
		assert_int_equal(mf_notary_key_write(&got, k.key, k.role, k.gun, NULL, &err), 0);
		assert_string_equal(got.p, want.p);
		mf_privkey_free(k.key);
	}
}

/* Salt, initialisation vector and ciphertext differ each time; everything before the salt does not. */
static void an_encrypted_file_has_notarys_parameters(void **state)
{
	struct mf_buf want MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_buf got MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_notary_key k;
	const char *body;

	(void)state;
	load(&want, "ecdsa-notary-encrypted.pem");
	secret_of(&pass, "vector-targets-pass");
	assert_int_equal(read_file(&k, "ecdsa-notary-encrypted.pem", "vector-targets-pass", &err), 0);
	assert_int_equal(mf_notary_key_write(&got, k.key, k.role, k.gun, &pass, &err), 0);
	mf_privkey_free(k.key);
	assert_int_equal(got.n, want.n);
	body = strstr(want.p, "\n\n");
	assert_non_null(body);
	/* Salt at octet 35 of the DER, rounds and cipher at 43 to 62. */
	assert_memory_equal(got.p, want.p, (size_t)(body - want.p) + 2 + 35 / 3 * 4);
	{
		size_t at = (size_t)(body - want.p) + 2;
		uint8_t a[24], b[24];
		/* Octets 42 to 59 are within one line of base64 plus its start of the next. */
		char wa[24], wb[24];

		memcpy(wa, want.p + at + 56, 8);
		memcpy(wb, got.p + at + 56, 8);
		memcpy(wa + 8, want.p + at + 65, 16);
		memcpy(wb + 8, got.p + at + 65, 16);
		assert_int_equal(mf_b64_decode_exact(a, 18, (struct mf_str){wa, 24}, &err), 0);
		assert_int_equal(mf_b64_decode_exact(b, 18, (struct mf_str){wb, 24}, &err), 0);
		assert_memory_equal(a + 1, b + 1, 17);
	}
	assert_int_equal(mf_notary_key_read(&k, mf_buf_str(&got), &pass, &err), 0);
	assert_string_equal(k.role, "targets");
	mf_privkey_free(k.key);
}

static void every_kind_of_key_survives_writing_and_reading(void **state)
{
	static const char *const files[] = {"ecdsa-openssl-plain.pem", "ed25519-legacy-plain.pem",
					    "rsa-legacy-pkcs1-plain.pem"};
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;

	(void)state;
	secret_of(&pass, "p");
	for (size_t i = 0; i < 2 * N(files); i++) {
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
		struct mf_notary_key k, again;
		const struct mf_secret *p = i % 2 ? &pass : NULL;
		char a[65], b[65];

		assert_int_equal(read_file(&k, files[i / 2], NULL, &err), 0);
		assert_int_equal(mf_notary_key_write(&text, k.key, "root", "", p, &err), 0);
		assert_null(strstr(text.p, "gun"));
		assert_int_equal(mf_notary_key_read(&again, mf_buf_str(&text), p, &err), 0);
		key_id(a, mf_privkey_public(k.key));
		key_id(b, mf_privkey_public(again.key));
		assert_string_equal(a, b);
		mf_privkey_free(k.key);
		mf_privkey_free(again.key);
	}
}

static void a_file_without_headers_has_neither_role_nor_gun(void **state)
{
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_notary_key k;

	(void)state;
	assert_int_equal(mf_notary_key_write(&text, key, "", "", NULL, &err), 0);
	assert_true(mf_str_starts(mf_buf_str(&text), MF_STR("-----BEGIN PRIVATE KEY-----\nM")));
	assert_int_equal(mf_notary_key_read(&k, mf_buf_str(&text), NULL, &err), 0);
	assert_string_equal(k.role, "");
	assert_string_equal(k.gun, "");
	mf_privkey_free(k.key);
}

static void headers_that_would_forge_another_are_not_written(void **state)
{
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_err e = MF_ERR_INIT;
	char longest[258];

	(void)state;
	memset(longest, 'g', sizeof(longest));
	longest[257] = 0;
	assert_int_equal(mf_notary_key_write(&text, key, "targets\nrole: root", "", NULL, &e), -1);
	assert_int_equal(e.code, MF_E_USAGE);
	mf_err_clear(&e);
	assert_int_equal(mf_notary_key_write(&text, key, "targets", longest, NULL, &e), -1);
	assert_int_equal(e.code, MF_E_USAGE);
	assert_int_equal(text.n, 0);
}

static void changed(const char *file, const char *from, const char *to, const char *pass, enum mf_code code)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_secret s MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_notary_key k;
	struct mf_err e = MF_ERR_INIT;
	const char *at;

	load(&text, file);
	at = strstr(text.p, from);
	assert_non_null(at);
	assert_int_equal(mf_buf_add(&out, text.p, (size_t)(at - text.p), &err), 0);
	assert_int_equal(mf_buf_addz(&out, to, &err), 0);
	assert_int_equal(mf_buf_addz(&out, at + strlen(from), &err), 0);
	secret_of(&s, pass);
	if (mf_notary_key_read(&k, mf_buf_str(&out), pass ? &s : NULL, &e) != -1)
		fail_msg("'%s' instead of '%s' was read", to, from);
	assert_int_equal(e.code, code);
}

static void damaged_files_are_refused(void **state)
{
	static const char plain[] = "ecdsa-notary-plain.pem";
	static const char dek[] = "ecdsa-legacy-sec1-dek.pem", ed[] = "ed25519-notary-plain.pem";
	static const char pass[] = "vector-targets-pass";

	(void)state;
	changed(plain, "role: targets", "role: targets\nrole: root", NULL, MF_E_FORMAT);
	changed(plain, "MIGTAgEBMBMG", "MIGTAgEBMBMH", NULL, MF_E_FORMAT);
	changed(plain, "BEGIN PRIVATE", "BEGIN PUBLIC", NULL, MF_E_FORMAT);
	/* The first public half of the 96 octets differs from the second. */
	changed(ed, "GBaMUiq", "GBaMUir", NULL, MF_E_FORMAT);
	changed(dek, "AES-256-CBC,", "RC4-40,", pass, MF_E_FORMAT);
	changed(dek, "Proc-Type: 4,ENCRYPTED\n", "", pass, MF_E_FORMAT);
}

/* A block that claims these parameters; whatever it holds, they are checked first. */
static void locked_with(const EVP_CIPHER *cipher, int rounds, enum mf_code code)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_err e = MF_ERR_INIT;
	struct mf_notary_key k;
	unsigned char salt[8] = {1}, *der = NULL;
	X509_SIG *box = X509_SIG_new();
	X509_ALGOR *alg = PKCS5_pbe2_set_iv(cipher, rounds, salt, 8, NULL, NID_hmacWithSHA1), *slot;
	ASN1_OCTET_STRING *data;
	int n;

	X509_SIG_getm(box, &slot, &data);
	assert_int_equal(X509_ALGOR_copy(slot, alg), 1);
	assert_int_equal(ASN1_OCTET_STRING_set(data, salt, 8), 1);
	n = i2d_X509_SIG(box, &der);
	assert_true(n > 0);
	assert_int_equal(
	    mf_pem_write(&text, "ENCRYPTED PRIVATE KEY", "", (struct mf_bytes){der, (size_t)n}, &err), 0);
	OPENSSL_free(der);
	X509_ALGOR_free(alg);
	X509_SIG_free(box);
	secret_of(&pass, "p");
	assert_int_equal(mf_notary_key_read(&k, mf_buf_str(&text), &pass, &e), -1);
	assert_int_equal(e.code, code);
}

static void foreign_ciphers_and_costs_beyond_the_limit_are_refused(void **state)
{
	(void)state;
	locked_with(EVP_aes_256_cbc(), 1000, MF_E_KEY);
	locked_with(EVP_aes_256_cbc(), 1000001, MF_E_FORMAT);
	locked_with(EVP_aes_256_cbc(), INT32_MAX, MF_E_FORMAT);
	locked_with(EVP_camellia_256_cbc(), 1000, MF_E_FORMAT);
	locked_with(EVP_des_ede3_cbc(), 1000, MF_E_KEY);
}

static void more_than_one_block_or_none_is_refused(void **state)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_buf two MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_notary_key k;
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	load(&text, "ecdsa-notary-plain.pem");
	assert_int_equal(mf_buf_printf(&two, &err, "%s%s", text.p, text.p), 0);
	assert_int_equal(mf_notary_key_read(&k, mf_buf_str(&two), NULL, &e), -1);
	assert_int_equal(e.code, MF_E_FORMAT);
	mf_err_clear(&e);
	assert_int_equal(mf_notary_key_read(&k, MF_STR(""), NULL, &e), -1);
	assert_int_equal(e.code, MF_E_FORMAT);
	mf_err_clear(&e);
	assert_int_equal(mf_notary_key_read(&k, MF_STR("-----BEGIN PRIVATE KEY-----\nAAAA\n"), NULL, &e), -1);
	assert_int_equal(e.code, MF_E_FORMAT);
}

static void an_overlong_file_or_passphrase_is_refused(void **state)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES * 2);
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_notary_key k;
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	load(&text, "ecdsa-notary-encrypted.pem");
	assert_int_equal(mf_secret_alloc(&pass, MF_MAX_PASSPHRASE + 1, &err), 0);
	assert_int_equal(mf_notary_key_read(&k, mf_buf_str(&text), &pass, &e), -1);
	assert_int_equal(e.code, MF_E_KEY);
	mf_err_clear(&e);
	while (text.n <= MF_MAX_KEYFILE_BYTES)
		assert_int_equal(mf_buf_addc(&text, '\n', &err), 0);
	assert_int_equal(mf_notary_key_read(&k, mf_buf_str(&text), NULL, &e), -1);
	assert_int_equal(e.code, MF_E_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_listed_file_is_read_and_more_than_notary_reads),
	    cmocka_unit_test(keys_of_openssl_and_openssh_are_read_and_sign),
	    cmocka_unit_test(a_public_key_is_refused_by_name),
	    cmocka_unit_test(damaged_openssh_keys_are_refused),
	    cmocka_unit_test(a_plain_file_is_written_byte_for_byte_as_notary_writes_it),
	    cmocka_unit_test(an_encrypted_file_has_notarys_parameters),
	    cmocka_unit_test(every_kind_of_key_survives_writing_and_reading),
	    cmocka_unit_test(a_file_without_headers_has_neither_role_nor_gun),
	    cmocka_unit_test(headers_that_would_forge_another_are_not_written),
	    cmocka_unit_test(damaged_files_are_refused),
	    cmocka_unit_test(foreign_ciphers_and_costs_beyond_the_limit_are_refused),
	    cmocka_unit_test(more_than_one_block_or_none_is_refused),
	    cmocka_unit_test(an_overlong_file_or_passphrase_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
