#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "keys/keystore.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct mf_err err;

static struct mf_secret hunter, other;
static struct mf_privkey *ed, *ec;
static struct mf_buf ed_plain = MF_BUF_INIT(65536), ed_locked = MF_BUF_INIT(65536),
		     ec_locked = MF_BUF_INIT(65536);

static int setup(void **state)
{
	(void)state;
	ed = mf_privkey_generate(MF_KEY_ED25519, &err);
	ec = mf_privkey_generate(MF_KEY_ECDSA, &err);
	if (!ed || !ec || mf_secret_copy(&hunter, mf_bytes_of(MF_STR("hunter2")), &err) ||
	    mf_secret_copy(&other, mf_bytes_of(MF_STR("hunter3")), &err) ||
	    mf_keyfile_encode(&ed_plain, "alice", ed, NULL, &err) ||
	    mf_keyfile_encode(&ed_locked, "alice", ed, &hunter, &err) ||
	    mf_keyfile_encode(&ec_locked, "bob.2", ec, &hunter, &err))
		return -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mf_privkey_free(ed);
	mf_privkey_free(ec);
	mf_secret_clear(&hunter);
	mf_secret_clear(&other);
	mf_buf_clear(&ed_plain);
	mf_buf_clear(&ed_locked);
	mf_buf_clear(&ec_locked);
	return 0;
}

static bool same_key(const struct mf_pubkey *a, const struct mf_pubkey *b)
{
	struct mf_digest x = mf_pubkey_fingerprint(a), y = mf_pubkey_fingerprint(b);

	return mf_digest_eq(&x, &y);
}

static void a_key_comes_back_with_its_passphrase(void **state)
{
	struct mf_privkey *a MF_PRIVKEY_CLEANUP = mf_keyfile_decode(mf_buf_bytes(&ed_locked), &hunter, &err);
	struct mf_privkey *b MF_PRIVKEY_CLEANUP = mf_keyfile_decode(mf_buf_bytes(&ec_locked), &hunter, &err);
	struct mf_privkey *c MF_PRIVKEY_CLEANUP = mf_keyfile_decode(mf_buf_bytes(&ed_plain), NULL, &err);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	assert_true(same_key(mf_privkey_public(a), mf_privkey_public(ed)));
	assert_true(same_key(mf_privkey_public(b), mf_privkey_public(ec)));
	assert_true(same_key(mf_privkey_public(c), mf_privkey_public(ed)));
}

static void the_clear_part_needs_no_passphrase(void **state)
{
	struct mf_key_info k;

	(void)state;
	assert_int_equal(mf_keyfile_info(&k, mf_buf_bytes(&ec_locked), &err), 0);
	assert_string_equal(k.name, "bob.2");
	assert_null(k.path);
	assert_int_equal(k.type, MF_KEY_ECDSA);
	assert_true(k.encrypted);
	assert_true(same_key(k.pub, mf_privkey_public(ec)));
	mf_key_info_clear(&k);
	assert_int_equal(mf_keyfile_info(&k, mf_buf_bytes(&ed_plain), &err), 0);
	assert_false(k.encrypted);
	assert_int_equal(k.type, MF_KEY_ED25519);
	mf_key_info_clear(&k);
}

static void the_secret_is_not_in_an_encrypted_file(void **state)
{
	struct mf_secret seed MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_buf b64 MF_BUF_CLEANUP = MF_BUF_INIT(100);

	(void)state;
	assert_int_equal(mf_privkey_to_secret(ed, &seed, &err), 0);
	assert_int_equal(mf_b64_encode(&b64, mf_secret_bytes(&seed), &err), 0);
	assert_non_null(strstr(ed_plain.p, b64.p));
	assert_null(strstr(ed_locked.p, b64.p));
}

static void two_files_of_one_key_share_neither_salt_nor_nonce(void **state)
{
	struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(65536);

	(void)state;
	assert_int_equal(mf_keyfile_encode(&again, "alice", ed, &hunter, &err), 0);
	assert_int_equal(again.n, ed_locked.n);
	assert_int_not_equal(strncmp(strstr(again.p, "\"salt\""), strstr(ed_locked.p, "\"salt\""), 30), 0);
	assert_int_not_equal(strncmp(strstr(again.p, "\"nonce\""), strstr(ed_locked.p, "\"nonce\""), 30), 0);
}

static void a_wrong_and_a_missing_passphrase_are_told_apart(void **state)
{
	struct mf_secret empty = MF_SECRET_INIT;
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	assert_null(mf_keyfile_decode(mf_buf_bytes(&ed_locked), &other, &e));
	assert_int_equal(e.code, MF_E_KEY);
	assert_non_null(strstr(e.msg, "wrong passphrase"));
	mf_err_clear(&e);
	assert_null(mf_keyfile_decode(mf_buf_bytes(&ed_locked), NULL, &e));
	assert_int_equal(e.code, MF_E_KEY);
	assert_non_null(strstr(e.msg, "no passphrase was given"));
	mf_err_clear(&e);
	assert_null(mf_keyfile_decode(mf_buf_bytes(&ed_locked), &empty, &e));
	assert_int_equal(e.code, MF_E_KEY);
	assert_non_null(strstr(e.msg, "no passphrase was given"));
}

static void nothing_is_encrypted_under_an_empty_passphrase_or_a_bad_name(void **state)
{
	struct mf_secret empty = MF_SECRET_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	assert_int_equal(mf_keyfile_encode(&out, "alice", ed, &empty, &e), -1);
	assert_int_equal(e.code, MF_E_KEY);
	mf_err_clear(&e);
	assert_int_equal(mf_keyfile_encode(&out, "a/b", ed, &hunter, &e), -1);
	assert_int_equal(e.code, MF_E_USAGE);
	assert_int_equal(out.n, 0);
}

/* A copy of `file` with the first `from` replaced. */
static void replace(struct mf_buf *out, const struct mf_buf *file, const char *from, const char *to)
{
	const char *at = strstr(file->p, from);

	assert_non_null(at);
	assert_int_equal(mf_buf_add(out, file->p, (size_t)(at - file->p), &err), 0);
	assert_int_equal(mf_buf_addz(out, to, &err), 0);
	assert_int_equal(mf_buf_addz(out, at + strlen(from), &err), 0);
}

static void assert_decode(const struct mf_buf *file, const char *from, const char *to, enum mf_code code)
{
	struct mf_buf f MF_BUF_CLEANUP = MF_BUF_INIT(200000);
	struct mf_err e = MF_ERR_INIT;
	struct mf_privkey *k;

	replace(&f, file, from, to);
	k = mf_keyfile_decode(mf_buf_bytes(&f), &hunter, &e);
	if ((k != NULL) != (code == MF_OK) || e.code != code)
		fail_msg("'%s' for '%s': %s", to, from, e.msg);
	mf_privkey_free(k);
}

static void the_clear_part_is_bound_to_the_passphrase(void **state)
{
	(void)state;
	assert_decode(&ed_locked, "\"name\":\"alice\"", "\"name\":\"alicf\"", MF_E_KEY);
	assert_decode(&ed_locked, "\"ops\":2", "\"ops\":1", MF_E_KEY);
	assert_decode(&ed_locked, "\"mem\":67108864", "\"mem\":8192", MF_E_KEY);
	/* Layout is not bound, only content. */
	assert_decode(&ed_locked, "\"v\":1,", "\n  \"v\" : 1,", MF_OK);
}

static void costs_above_or_below_the_limits_are_refused_before_they_are_paid(void **state)
{
	static const char *const mem[] = {
	    "8191", "0",         "-1", "1073741825", "9223372036854775807", "99999999999999999999",
	    "1e3",  "67108864.0"};
	static const char *const ops[] = {"0", "17", "-1", "4294967296"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < N(mem); i++) {
		snprintf(text, sizeof(text), "\"mem\":%s", mem[i]);
		assert_decode(&ed_locked, "\"mem\":67108864", text, MF_E_FORMAT);
	}
	for (size_t i = 0; i < N(ops); i++) {
		snprintf(text, sizeof(text), "\"ops\":%s", ops[i]);
		assert_decode(&ed_locked, "\"ops\":2", text, MF_E_FORMAT);
	}
}

static void malformed_files_are_refused(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
	    {"\"private key\"", "\"public key\""},
	    {"\"v\":1", "\"v\":2"},
	    {"\"v\":1", "\"v\":0"},
	    {"\"v\":1", "\"v\":\"1\""},
	    {"\"v\":1,", ""},
	    {"\"name\":\"alice\",", ""},
	    {"\"name\":\"alice\"", "\"name\":\"../alice\""},
	    {"\"name\":\"alice\"", "\"name\":\"al\\u0069ce\""},
	    {"\"name\":\"alice\"", "\"name\":\"\""},
	    {"\"name\":\"alice\"", "\"name\":\"alice\",\"name\":\"alice\""},
	    {"\"name\":\"alice\"", "\"name\":\"alice\",\"x\":1"},
	    {"\"type\":\"ed25519\"", "\"type\":\"ecdsa\""},
	    {"\"type\":\"ed25519\"", "\"type\":\"dsa\""},
	    {"\"fingerprint\":\"", "\"fingerprint\":\"0"},
	    {"\"alg\":\"argon2id13\"", "\"alg\":\"argon2i13\""},
	    {"\"alg\":\"argon2id13\",", ""},
	    {"\"alg\":\"argon2id13\"", "\"alg\":\"argon2id13\",\"y\":1"},
	    {"\"ops\":2,", ""},
	    {"\"mem\":67108864,", ""},
	    {"\"salt\":\"", "\"salt\":\"AAAA"},
	    {"\"nonce\":\"", "\"nonce\":\"AAAA"},
	    {"\"cipher\":\"xchacha20-poly1305\"", "\"cipher\":\"none\""},
	    {"\"cipher\":\"xchacha20-poly1305\"", "\"cipher\":\"aes\""},
	    {"\"cipher\":\"xchacha20-poly1305\",", ""},
	    {"\"kdf\":{", "\"kdf\":[],\"z\":{"},
	    {"\"secret\":\"", "\"secret\":\"\",\"w\":\""},
	    {"}\n", "}x"},
	    {"}\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		assert_decode(&ed_locked, rows[i].from, rows[i].to, MF_E_FORMAT);
}

static void a_plain_file_with_a_cost_or_a_locked_one_without_is_refused(void **state)
{
	(void)state;
	assert_decode(&ed_plain, "\"cipher\":\"none\"", "\"nonce\":\"AAAA\",\"cipher\":\"none\"",
		      MF_E_FORMAT);
	assert_decode(&ed_plain, "\"cipher\":\"none\"", "\"kdf\":{},\"cipher\":\"none\"", MF_E_FORMAT);
	assert_decode(&ed_plain, "\"cipher\":\"none\"", "\"cipher\":\"xchacha20-poly1305\"", MF_E_FORMAT);
	assert_decode(&ed_plain, "\"secret\":\"", "\"secret\":\"AAAA", MF_E_FORMAT);
}

static void every_changed_octet_of_an_encrypted_secret_is_noticed(void **state)
{
	struct mf_buf f MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	size_t at;

	(void)state;
	assert_int_equal(mf_buf_add(&f, ed_locked.p, ed_locked.n, &err), 0);
	at = (size_t)(strstr(f.p, "\"secret\":\"") - f.p) + 10;
	for (size_t i = 0; i < 60; i += 20) {
		struct mf_err e = MF_ERR_INIT;
		char was = f.p[at + i];

		f.p[at + i] = was == 'A' ? 'B' : 'A';
		assert_null(mf_keyfile_decode(mf_buf_bytes(&f), &hunter, &e));
		assert_int_equal(e.code, MF_E_KEY);
		f.p[at + i] = was;
	}
}

static void a_plain_secret_of_another_key_is_refused(void **state)
{
	struct mf_privkey *stranger MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_buf theirs MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_buf mixed MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_err e = MF_ERR_INIT;
	size_t head = (size_t)(strstr(ed_plain.p, "\"secret\"") - ed_plain.p);

	(void)state;
	assert_int_equal(mf_keyfile_encode(&theirs, "alice", stranger, NULL, &err), 0);
	assert_int_equal(mf_buf_add(&mixed, ed_plain.p, head, &err), 0);
	assert_int_equal(mf_buf_addz(&mixed, strstr(theirs.p, "\"secret\""), &err), 0);
	assert_null(mf_keyfile_decode(mf_buf_bytes(&mixed), NULL, &e));
	assert_int_equal(e.code, MF_E_FORMAT);
	assert_non_null(strstr(e.msg, "not that of the public key"));
}

static void overlong_files_and_passphrases_are_refused(void **state)
{
	struct mf_buf big MF_BUF_CLEANUP = MF_BUF_INIT(200000);
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	assert_int_equal(mf_secret_alloc(&pass, MF_MAX_PASSPHRASE + 1, &err), 0);
	assert_null(mf_keyfile_decode(mf_buf_bytes(&ed_locked), &pass, &e));
	assert_int_equal(e.code, MF_E_KEY);
	mf_err_clear(&e);
	assert_int_equal(mf_keyfile_encode(&big, "a", ed, &pass, &e), -1);
	assert_int_equal(e.code, MF_E_KEY);
	mf_err_clear(&e);
	assert_int_equal(mf_buf_addz(&big, ed_plain.p, &err), 0);
	while (big.n <= MF_MAX_KEYFILE_BYTES)
		assert_int_equal(mf_buf_addc(&big, ' ', &err), 0);
	assert_null(mf_keyfile_decode(mf_buf_bytes(&big), NULL, &e));
	assert_int_equal(e.code, MF_E_FORMAT);
}

/* The format is a promise: what the first version wrote is read by every later one. */
static void files_of_format_version_1_are_still_read(void **state)
{
	static const struct {
		const char *file;
		enum mf_key_type type;
		bool encrypted;
	} rows[] = {
	    {"ed25519-plain", MF_KEY_ED25519, false},
	    {"ed25519-encrypted", MF_KEY_ED25519, true},
	    {"ecdsa-plain", MF_KEY_ECDSA, false},
	    {"ecdsa-encrypted", MF_KEY_ECDSA, true},
	};
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;

	(void)state;
	assert_int_equal(mf_secret_copy(&pass, mf_bytes_of(MF_STR("fuzz")), &err), 0);
	for (size_t i = 0; i < N(rows); i++) {
		char path[256], text[4096];
		struct mf_privkey *k MF_PRIVKEY_CLEANUP = NULL;
		struct mf_bytes bytes = {(uint8_t *)text, 0};
		FILE *f;

		snprintf(path, sizeof(path), "testdata/keyfile/valid/%s.key", rows[i].file);
		f = fopen(path, "rb");
		assert_non_null(f);
		bytes.n = fread(text, 1, sizeof(text), f);
		fclose(f);
		k = mf_keyfile_decode(bytes, rows[i].encrypted ? &pass : NULL, &err);
		if (!k)
			fail_msg("%s: %s", rows[i].file, err.msg);
		assert_int_equal(mf_pubkey_type(mf_privkey_public(k)), rows[i].type);
	}
}

static void key_names_are_plain_file_names(void **state)
{
	static const char *const good[] = {
	    "a", "A9", "alice", "qa-team_2.new",
	    "0123456789012345678901234567890123456789012345678901234567890123"};
	static const char *const bad[] = {
	    "",
	    ".",
	    "..",
	    ".a",
	    "-a",
	    "_a",
	    "a/b",
	    "a b",
	    "a\n",
	    "\xc3\xa4",
	    "01234567890123456789012345678901234567890123456789012345678901234"};

	(void)state;
	for (size_t i = 0; i < N(good); i++)
		assert_true(mf_key_name_valid(good[i]));
	for (size_t i = 0; i < N(bad); i++)
		assert_false(mf_key_name_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_comes_back_with_its_passphrase),
	    cmocka_unit_test(the_clear_part_needs_no_passphrase),
	    cmocka_unit_test(the_secret_is_not_in_an_encrypted_file),
	    cmocka_unit_test(two_files_of_one_key_share_neither_salt_nor_nonce),
	    cmocka_unit_test(a_wrong_and_a_missing_passphrase_are_told_apart),
	    cmocka_unit_test(nothing_is_encrypted_under_an_empty_passphrase_or_a_bad_name),
	    cmocka_unit_test(the_clear_part_is_bound_to_the_passphrase),
	    cmocka_unit_test(costs_above_or_below_the_limits_are_refused_before_they_are_paid),
	    cmocka_unit_test(malformed_files_are_refused),
	    cmocka_unit_test(a_plain_file_with_a_cost_or_a_locked_one_without_is_refused),
	    cmocka_unit_test(every_changed_octet_of_an_encrypted_secret_is_noticed),
	    cmocka_unit_test(a_plain_secret_of_another_key_is_refused),
	    cmocka_unit_test(overlong_files_and_passphrases_are_refused),
	    cmocka_unit_test(files_of_format_version_1_are_still_read),
	    cmocka_unit_test(key_names_are_plain_file_names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
