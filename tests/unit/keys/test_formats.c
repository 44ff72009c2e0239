#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/pem.h"
#include "keys/formats.h"
#include "keys/keystore.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define DIR "testdata/keyfile/others/"

static struct mf_err err;

static void load(struct mf_buf *out, const char *dir, const char *name)
{
	char path[256], chunk[4096];
	size_t n;
	snprintf(path, sizeof(path), "%s%s", dir, name);
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s", path);
	mf_buf_reset(out);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		assert_int_equal(mf_buf_add(out, chunk, n, &err), 0);
	fclose(f);
}

static struct mf_privkey *read_key(struct mf_str text, const char *pass, struct mf_err *e)
{
	struct mf_secret s MF_SECRET_CLEANUP = MF_SECRET_INIT;
	if (pass)
		assert_int_equal(mf_secret_copy(&s, mf_bytes_of(mf_str_c(pass)), &err), 0);
	return mf_key_from_text(text, pass ? &s : NULL, e);
}

static void refused(struct mf_str text, const char *pass, enum mf_code code, const char *words,
		    const char *what)
{
	struct mf_err e = MF_ERR_INIT;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = read_key(text, pass, &e);
	if (k || e.code != code || (words && !strstr(e.msg, words)))
		fail_msg("%s: code %d, '%s'", what, (int)e.code, k ? "read" : e.msg);
}

static void every_programs_keys_are_read(void **state)
{
	static const struct {
		const char *file, *pass, *public;
	} rows[] = {
	    {"openssh-aes256-ctr", "pw", "openssh-aes256-ctr.pub"},
	    {"openssh-aes256-cbc", "pw", "openssh-aes256-cbc.pub"},
	    {"openssh-aes256-gcm", "pw", "openssh-aes256-gcm.pub"},
	    {"openssh-chacha20-poly1305", "pw", "openssh-chacha20-poly1305.pub"},
	    {"openssh-3des-cbc", "pw", "openssh-3des-cbc.pub"},
	    {"openssh-rsa-encrypted", "pw", "openssh-rsa-encrypted.pub"},
	    {"openssh-ecdsa-384", "pw", "openssh-ecdsa-384.pub"},
	    {"minisign.key", NULL, "minisign.pub"},
	    {"signify.sec", NULL, "signify.pub"},
	    {"signify-enc.sec", "pw", "signify-enc.pub"},
	    {"openssl-scrypt.pem", "pw", "openssl-scrypt.pub"},
	    {"openssl-hmac-sha512.pem", "pw", "openssl-hmac-sha512.pub"},
	    {"openssl-rsa-traditional.pem", "pw", "openssl-rsa-traditional.pub"},
	};
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
		struct mf_buf public MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
		struct mf_err e = MF_ERR_INIT;
		load(&text, DIR, rows[i].file);
		load(&public, DIR, rows[i].public);
		struct mf_privkey *k MF_PRIVKEY_CLEANUP = read_key(mf_buf_str(&text), rows[i].pass, &e);
		struct mf_pubkey *want MF_PUBKEY_CLEANUP = mf_pubkey_from_text(mf_buf_str(&public), &e);
		if (!k || !want)
			fail_msg("%s: %s", rows[i].file, e.msg);
		assert_true(mf_pubkey_eq(want, mf_privkey_public(k)));
		if (!rows[i].pass)
			continue;
		refused(mf_buf_str(&text), NULL, MF_E_KEY, "no passphrase was given", rows[i].file);
		refused(mf_buf_str(&text), "pW", MF_E_KEY, "wrong passphrase", rows[i].file);
	}
}

/* Whoever has a colleague's key file was sent too much. */
static void a_key_file_of_ours_is_a_private_key(void **state)
{
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_err e = MF_ERR_INIT;
	(void)state;
	assert_int_equal(mf_keyfile_encode(&text, "alice", key, NULL, &err), 0);
	struct mf_privkey *again MF_PRIVKEY_CLEANUP = read_key(mf_buf_str(&text), NULL, &err);
	assert_true(again && mf_pubkey_eq(mf_privkey_public(again), mf_privkey_public(key)));
	assert_null(mf_pubkey_from_text(mf_buf_str(&text), &e));
	assert_int_equal(e.code, MF_E_FORMAT);
	assert_non_null(strstr(e.msg, "private key"));
}

/* Whatever octet is changed or missing, nothing but that key comes out. */
static void damaged_keys_are_refused(void **state)
{
	static const struct {
		const char *file, *pass, *label;
		size_t first, last; /* octets that are not read: the copy of the public key */
		size_t comment;     /* where a comment of 18 octets is that nothing protects, or 0 */
	} rows[] = {
	    {"openssh-aes256-ctr", "pw", "OPENSSH PRIVATE KEY", 75, 126, 261},
	    {"openssh-aes256-gcm", "pw", "OPENSSH PRIVATE KEY", 87, 138, 0},
	    {"openssh-chacha20-poly1305", "pw", "OPENSSH PRIVATE KEY", 94, 145, 0},
	};
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
		struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
		struct mf_pem_block b MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
		load(&text, DIR, rows[i].file);
		assert_int_equal(mf_pem_only(mf_buf_str(&text), 65536, &b, &err), 0);
		for (size_t n = 0; n < b.der_n; n++) {
			struct mf_err e = MF_ERR_INIT;
			mf_buf_reset(&again);
			assert_int_equal(
			    mf_pem_write(&again, rows[i].label, "", (struct mf_bytes){b.der, n}, &err), 0);
			refused(mf_buf_str(&again), NULL, MF_E_FORMAT, NULL, rows[i].file);
			/* The derivation takes its time: one octet in eleven. */
			if (n % 11 || (n >= rows[i].first && n < rows[i].last) ||
			    (rows[i].comment && n >= rows[i].comment && n < rows[i].comment + 18))
				continue;
			b.der[n] ^= 1;
			mf_buf_reset(&again);
			assert_int_equal(
			    mf_pem_write(&again, rows[i].label, "", (struct mf_bytes){b.der, b.der_n}, &err),
			    0);
			b.der[n] ^= 1;
			struct mf_privkey *k MF_PRIVKEY_CLEANUP =
			    read_key(mf_buf_str(&again), rows[i].pass, &e);
			if (k)
				fail_msg("%s: octet %zu may be changed", rows[i].file, n);
			assert_true(e.code == MF_E_KEY || e.code == MF_E_FORMAT);
		}
	}
}

/* A line with one octet of the base64 changed. */
static void write_line(struct mf_buf *out, const uint8_t *octets, size_t n)
{
	mf_buf_reset(out);
	assert_int_equal(mf_buf_addz(out, "untrusted comment: x\n", &err), 0);
	assert_int_equal(mf_b64_encode(out, (struct mf_bytes){octets, n}, &err), 0);
	assert_int_equal(mf_buf_addz(out, "\n", &err), 0);
}

static size_t octets_of(const char *file, uint8_t *out)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_buf octets MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	load(&text, DIR, file);
	const char *line = strchr(text.p, '\n') + 1;
	assert_int_equal(mf_b64_decode(&octets, (struct mf_str){line, strlen(line) - 1}, &err), 0);
	memcpy(out, octets.p, octets.n);
	return octets.n;
}

static void damaged_keys_of_minisign_and_signify_are_refused(void **state)
{
	static const struct {
		const char *file;
		size_t first, last; /* octets that are not read */
	} rows[] = {
	    {"minisign.key", 6, 62}, /* salt and cost of a passphrase; the number */
	    {"signify.sec", 8, 40},  /* salt; the number; the hash is read */
	};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	uint8_t octets[200];
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		size_t n = octets_of(rows[i].file, octets);
		for (size_t at = 0; at < n; at++) {
			bool hash = i == 1 && at >= 24 && at < 32;
			write_line(&text, octets, at);
			refused(mf_buf_str(&text), NULL, MF_E_FORMAT, NULL, "cut");
			if (at >= rows[i].first && at < rows[i].last && !hash)
				continue;
			struct mf_err e = MF_ERR_INIT;
			octets[at] ^= 1;
			write_line(&text, octets, n);
			octets[at] ^= 1;
			struct mf_privkey *k MF_PRIVKEY_CLEANUP = read_key(mf_buf_str(&text), NULL, &e);
			if (k)
				fail_msg("%s: octet %zu may be changed", rows[i].file, at);
			assert_true(e.code == MF_E_KEY || e.code == MF_E_FORMAT);
		}
		write_line(&text, octets, n);
		assert_int_equal(mf_buf_addz(&text, "more\n", &err), 0);
		refused(mf_buf_str(&text), NULL, MF_E_FORMAT, NULL, "a third line");
	}
}

static void put_number(uint8_t *out, uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> 8 * i);
}

/* minisign's own cost takes seconds and 1 GiB: the same key under libsodium's least. */
static void a_minisign_key_under_a_passphrase_is_read(void **state)
{
	const uint64_t ops = crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN,
		       mem = crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	struct mf_buf public MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	uint8_t octets[200], stream[104], hashed[74];
	size_t n = octets_of("minisign.key", octets);
	(void)state;
	memcpy(octets + 2, "Sc", 2);
	memcpy(hashed, octets, 2);
	memcpy(hashed + 2, octets + 54, 72);
	assert_int_equal(crypto_generichash(octets + 54 + 72, 32, hashed, sizeof hashed, NULL, 0), 0);
	put_number(octets + 38, ops);
	put_number(octets + 46, mem);
	assert_int_equal(
	    crypto_pwhash_scryptsalsa208sha256(stream, sizeof stream, "pw", 2, octets + 6, ops, (size_t)mem),
	    0);
	for (size_t i = 0; i < sizeof stream; i++)
		octets[54 + i] ^= stream[i];
	write_line(&text, octets, n);
	load(&public, DIR, "minisign.pub");
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = read_key(mf_buf_str(&text), "pw", &err);
	struct mf_pubkey *want MF_PUBKEY_CLEANUP = mf_pubkey_from_text(mf_buf_str(&public), &err);
	assert_true(k && mf_pubkey_eq(want, mf_privkey_public(k)));
	refused(mf_buf_str(&text), "pW", MF_E_KEY, "wrong passphrase", "minisign");
	refused(mf_buf_str(&text), NULL, MF_E_KEY, "no passphrase was given", "minisign");
	put_number(octets + 38, MF_MAX_SCRYPT_OPS + 1);
	write_line(&text, octets, n);
	refused(mf_buf_str(&text), "pw", MF_E_FORMAT, "out of range", "operations");
	put_number(octets + 38, ops);
	put_number(octets + 46, MF_MAX_SCRYPT_MEM + 1);
	write_line(&text, octets, n);
	refused(mf_buf_str(&text), "pw", MF_E_FORMAT, "out of range", "memory");
}

/* A hostile file must not take minutes. */
static void costs_beyond_the_limits_are_refused(void **state)
{
	const uint32_t rounds = MF_MAX_BCRYPT_ROUNDS + 1;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_pem_block b MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
	static const uint8_t cost[] = {0x02, 0x02, 0x40, 0x00, 0x02, 0x01, 0x08, 0x02, 0x01, 0x01};
	struct mf_pem_block scrypt MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
	uint8_t octets[200], *at;
	size_t n = octets_of("signify-enc.sec", octets);
	(void)state;
	octets[6] = (uint8_t)(rounds >> 8);
	octets[7] = (uint8_t)rounds;
	write_line(&text, octets, n);
	refused(mf_buf_str(&text), "pw", MF_E_FORMAT, "out of range", "signify");
	load(&text, DIR, "openssh-aes256-ctr");
	assert_int_equal(mf_pem_only(mf_buf_str(&text), 65536, &b, &err), 0);
	at = memmem(b.der, b.der_n, "\0\0\0\2\0\0\0\1", 8); /* rounds, and how many keys */
	assert_non_null(at);
	for (int zero = 0; zero < 2; zero++) {
		at[2] = zero ? 0 : (uint8_t)(rounds >> 8);
		at[3] = zero ? 0 : (uint8_t)rounds;
		mf_buf_reset(&again);
		assert_int_equal(mf_pem_write(&again, b.label, "", (struct mf_bytes){b.der, b.der_n}, &err),
				 0);
		refused(mf_buf_str(&again), "pw", MF_E_FORMAT, "out of range", "OpenSSH");
	}
	load(&text, DIR, "openssl-scrypt.pem");
	assert_int_equal(mf_pem_only(mf_buf_str(&text), 65536, &scrypt, &err), 0);
	at = memmem(scrypt.der, scrypt.der_n, cost, sizeof cost); /* N 16384, r 8, p 1 */
	assert_non_null(at);
	at[2] = 0x7f;
	at[9] = 0x7f;
	mf_buf_reset(&again);
	assert_int_equal(
	    mf_pem_write(&again, scrypt.label, "", (struct mf_bytes){scrypt.der, scrypt.der_n}, &err), 0);
	refused(mf_buf_str(&again), "pw", MF_E_FORMAT, "out of range", "scrypt");
}

static void a_public_key_is_no_private_one_and_the_reverse(void **state)
{
	static const char *const public[] = {"minisign.pub", "signify.pub", "openssh-aes256-ctr.pub",
					     "openssl-scrypt.pub"};
	static const char *const private[] = {"minisign.key", "signify.sec", "openssh-aes256-ctr",
					      "openssl-ed25519.pem"};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	(void)state;
	for (size_t i = 0; i < N(public); i++) {
		struct mf_err e = MF_ERR_INIT;
		load(&text, DIR, public[i]);
		refused(mf_buf_str(&text), "pw", MF_E_FORMAT, NULL, public[i]);
		load(&text, DIR, private[i]);
		assert_null(mf_pubkey_from_text(mf_buf_str(&text), &e));
		assert_int_equal(e.code, MF_E_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_programs_keys_are_read),
	    cmocka_unit_test(a_key_file_of_ours_is_a_private_key),
	    cmocka_unit_test(damaged_keys_are_refused),
	    cmocka_unit_test(damaged_keys_of_minisign_and_signify_are_refused),
	    cmocka_unit_test(a_minisign_key_under_a_passphrase_is_read),
	    cmocka_unit_test(costs_beyond_the_limits_are_refused),
	    cmocka_unit_test(a_public_key_is_no_private_one_and_the_reverse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
