#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <sodium.h>
#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "sig_vectors.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* The group order of ed25519, little endian. */
static const uint8_t ed25519_order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
					  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};

static struct mf_err err;

static void unhex(struct mf_buf *out, const char *hex)
{
	mf_buf_reset(out);
	assert_int_equal(mf_hex_decode_buf(out, mf_str_c(hex), &err), 0);
}

static struct mf_pubkey *key_of(const char *spki_hex)
{
	struct mf_buf der MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_pubkey *k;

	unhex(&der, spki_hex);
	k = mf_pubkey_from_spki(mf_buf_bytes(&der), &err);
	assert_non_null(k);
	return k;
}

static void refused(int r, struct mf_err *e, enum mf_code code)
{
	assert_int_equal(r, -1);
	assert_int_equal(e->code, code);
	mf_err_clear(e);
}

static void every_vector_verifies_under_its_scheme_only(void **state)
{
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < N(sig_vectors); i++) {
		const struct sig_vector *v = &sig_vectors[i];
		struct mf_pubkey *k MF_PUBKEY_CLEANUP = key_of(v->spki);
		struct mf_err e = MF_ERR_INIT;

		unhex(&sig, v->sig);
		for (int s = MF_SIG_ED25519; s <= MF_SIG_RSA_PKCS1_SHA256; s++) {
			bool same = s == (int)v->scheme;
			/* Every exact salt is one of any length, and one of the vectors has 32. */
			bool pss =
			    (v->scheme == MF_SIG_RSA_PSS_SHA256 && s == MF_SIG_RSA_PSS_SHA256_ANY_SALT) ||
			    (strstr(v->what, "any salt, 32") && s == MF_SIG_RSA_PSS_SHA256);
			int r = mf_sig_verify(k, (enum mf_sig_scheme)s, mf_bytes_of(MF_STR(VECTOR_MESSAGE)),
					      mf_buf_bytes(&sig), &e);

			if (same || pss) {
				if (r)
					print_error("%s: %s\n", v->what, e.msg);
				assert_int_equal(r, 0);
			} else {
				refused(r, &e, MF_E_SIGNATURE);
			}
		}
	}
}

static void a_changed_message_never_verifies(void **state)
{
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < N(sig_vectors); i++) {
		struct mf_pubkey *k MF_PUBKEY_CLEANUP = key_of(sig_vectors[i].spki);
		struct mf_err e = MF_ERR_INIT;

		unhex(&sig, sig_vectors[i].sig);
		refused(mf_sig_verify(k, sig_vectors[i].scheme, mf_bytes_of(MF_STR(VECTOR_MESSAGE "!")),
				      mf_buf_bytes(&sig), &e),
			&e, MF_E_SIGNATURE);
	}
}

static void a_damaged_signature_never_verifies(void **state)
{
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	const struct mf_bytes msg = mf_bytes_of(MF_STR(VECTOR_MESSAGE));

	(void)state;
	for (size_t i = 0; i < N(sig_vectors); i++) {
		const struct sig_vector *v = &sig_vectors[i];
		struct mf_pubkey *k MF_PUBKEY_CLEANUP = key_of(v->spki);
		struct mf_err e = MF_ERR_INIT;

		unhex(&sig, v->sig);
		for (size_t at = 0; at < sig.n; at += 7) {
			sig.p[at] ^= 1;
			refused(mf_sig_verify(k, v->scheme, msg, mf_buf_bytes(&sig), &e), &e, MF_E_SIGNATURE);
			sig.p[at] ^= 1;
		}
		refused(mf_sig_verify(k, v->scheme, msg, (struct mf_bytes){(uint8_t *)sig.p, sig.n - 1}, &e),
			&e, MF_E_SIGNATURE);
		refused(mf_sig_verify(k, v->scheme, msg, (struct mf_bytes){NULL, 0}, &e), &e, MF_E_SIGNATURE);
		assert_int_equal(mf_buf_addc(&sig, 0, &err), 0);
		refused(mf_sig_verify(k, v->scheme, msg, mf_buf_bytes(&sig), &e), &e, MF_E_SIGNATURE);
	}
}

static void a_raw_ecdsa_signature_of_another_curves_width_is_refused(void **state)
{
	struct mf_pubkey *k MF_PUBKEY_CLEANUP = key_of(sig_vectors[2].spki);
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(256);
	uint8_t wide[66] = {0};
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	assert_string_equal(sig_vectors[2].what, "P-256 raw");
	unhex(&sig, sig_vectors[2].sig);
	/* The same two numbers, each padded by one more zero. */
	memcpy(wide + 1, sig.p, 32);
	memcpy(wide + 34, sig.p + 32, 32);
	refused(mf_sig_verify(k, MF_SIG_ECDSA_RAW_SHA256, mf_bytes_of(MF_STR(VECTOR_MESSAGE)),
			      (struct mf_bytes){wide, sizeof(wide)}, &e),
		&e, MF_E_SIGNATURE);
}

static void an_all_zero_ecdsa_signature_is_refused(void **state)
{
	struct mf_pubkey *k MF_PUBKEY_CLEANUP = key_of(sig_vectors[2].spki);
	static const uint8_t zero[64];
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	refused(mf_sig_verify(k, MF_SIG_ECDSA_RAW_SHA256, mf_bytes_of(MF_STR(VECTOR_MESSAGE)),
			      (struct mf_bytes){zero, sizeof(zero)}, &e),
		&e, MF_E_SIGNATURE);
}

/* RFC 8032 section 7.1, TEST 2. */
static void ed25519_signs_as_rfc_8032_says(void **state)
{
	uint8_t seed[32];
	char hex[129];
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(64);
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = NULL;

	(void)state;
	assert_int_equal(mf_hex_decode(seed, 32,
				       MF_STR("4ccd089b28ff96da9db6c346ec114e0f"
					      "5b8a319f35aba624da8cf6ed4fb8a6fb")),
			 0);
	k = mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){seed, 32}, &err);
	assert_non_null(k);
	mf_hex_encode(hex, mf_pubkey_ed25519(mf_privkey_public(k)).p, 32);
	assert_string_equal(hex, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
	assert_int_equal(mf_privkey_sign(k, MF_SIG_ED25519, mf_bytes_of(MF_STR("\x72")), &sig, &err), 0);
	mf_hex_encode(hex, mf_buf_bytes(&sig).p, sig.n);
	assert_string_equal(hex, "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
				 "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

/* S + L is the same number modulo the group order: a second signature without the key. */
static void add_order(uint8_t *s)
{
	unsigned carry = 0;

	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)s[i] + ed25519_order[i];
		s[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static void ed25519_is_equally_strict_for_small_and_big_messages(void **state)
{
	static const size_t sizes[] = {0, 1, 65536, 65537, 200000};
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	assert_non_null(k);
	for (size_t i = 0; i < N(sizes); i++) {
		char *text MF_FREE = mf_calloc(sizes[i] + 1, 1);
		struct mf_bytes msg = {(uint8_t *)text, sizes[i]};
		struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(64);
		struct mf_pubkey *pub = mf_privkey_public(k);

		assert_non_null(text);
		assert_int_equal(mf_privkey_sign(k, MF_SIG_ED25519, msg, &sig, &err), 0);
		assert_int_equal(mf_sig_verify(pub, MF_SIG_ED25519, msg, mf_buf_bytes(&sig), &err), 0);
		add_order((uint8_t *)sig.p + 32);
		refused(mf_sig_verify(pub, MF_SIG_ED25519, msg, mf_buf_bytes(&sig), &e), &e, MF_E_SIGNATURE);
		if (sizes[i]) {
			mf_buf_reset(&sig);
			assert_int_equal(mf_privkey_sign(k, MF_SIG_ED25519, msg, &sig, &err), 0);
			text[sizes[i] - 1] ^= 1;
			refused(mf_sig_verify(pub, MF_SIG_ED25519, msg, mf_buf_bytes(&sig), &e), &e,
				MF_E_SIGNATURE);
		}
	}
}

/* With r = 0 the equation holds for R = identity and S = h*a; only the key's owner can make it, libsodium
 * refuses it. */
static void identity_signature(uint8_t sig[64], struct mf_bytes msg, const uint8_t seed[32])
{
	uint8_t az[64], h[64], wide[64] = {0}, pk[32], sk[64];
	crypto_hash_sha512_state st;

	assert_int_equal(crypto_sign_seed_keypair(pk, sk, seed), 0);
	crypto_hash_sha512(az, seed, 32);
	az[0] &= 248;
	az[31] = (uint8_t)((az[31] & 127) | 64);
	memset(sig, 0, 64);
	sig[0] = 1;
	crypto_hash_sha512_init(&st);
	crypto_hash_sha512_update(&st, sig, 32);
	crypto_hash_sha512_update(&st, pk, 32);
	crypto_hash_sha512_update(&st, msg.p, msg.n);
	crypto_hash_sha512_final(&st, h);
	crypto_core_ed25519_scalar_reduce(h, h);
	memcpy(wide, az, 32);
	crypto_core_ed25519_scalar_reduce(wide, wide);
	crypto_core_ed25519_scalar_mul(sig + 32, h, wide);
}

static void an_ed25519_signature_with_r_of_small_order_is_refused_at_any_size(void **state)
{
	static const size_t sizes[] = {10, 100000};
	uint8_t seed[32] = {7}, sig[64];
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = NULL;
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	k = mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){seed, 32}, &err);
	assert_non_null(k);
	for (size_t i = 0; i < N(sizes); i++) {
		char *text MF_FREE = mf_calloc(sizes[i], 1);
		struct mf_bytes msg = {(uint8_t *)text, sizes[i]};

		assert_non_null(text);
		identity_signature(sig, msg, seed);
		refused(
		    mf_sig_verify(mf_privkey_public(k), MF_SIG_ED25519, msg, (struct mf_bytes){sig, 64}, &e),
		    &e, MF_E_SIGNATURE);
	}
}

static void unusable_public_keys_are_refused(void **state)
{
	struct mf_buf der MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < N(bad_keys); i++) {
		struct mf_pubkey *k;

		unhex(&der, bad_keys[i].spki);
		k = mf_pubkey_from_spki(mf_buf_bytes(&der), &e);
		if (k)
			print_error("accepted: %s\n", bad_keys[i].what);
		assert_null(k);
		assert_int_equal(e.code, MF_E_FORMAT);
		mf_err_clear(&e);
	}
}

static void ed25519_points_that_are_weak_or_not_canonical_are_refused(void **state)
{
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
	    "0100000000000000000000000000000000000000000000000000000000000000", /* order 1 */
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 1, not canonical */
	    "0200000000000000000000000000000000000000000000000000000000000000", /* off the curve */
	};
	struct mf_err e = MF_ERR_INIT;
	uint8_t raw[33] = {0};

	(void)state;
	for (size_t i = 0; i < N(points); i++) {
		assert_int_equal(mf_hex_decode(raw, 32, mf_str_c(points[i])), 0);
		assert_null(mf_pubkey_from_ed25519((struct mf_bytes){raw, 32}, &e));
		assert_int_equal(e.code, MF_E_FORMAT);
		mf_err_clear(&e);
	}
	assert_null(mf_pubkey_from_ed25519((struct mf_bytes){raw, 33}, &e));
	mf_err_clear(&e);
	assert_null(mf_pubkey_from_ed25519((struct mf_bytes){raw, 31}, &e));
}

static void a_key_knows_its_kind_size_encoding_and_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(sig_vectors); i++) {
		struct mf_pubkey *k MF_PUBKEY_CLEANUP = key_of(sig_vectors[i].spki);
		struct mf_buf der MF_BUF_CLEANUP = MF_BUF_INIT(8192);
		struct mf_digest want, got = mf_pubkey_fingerprint(k);
		unsigned p = 0;

		unhex(&der, sig_vectors[i].spki);
		assert_int_equal(mf_pubkey_spki(k).n, der.n);
		assert_memory_equal(mf_pubkey_spki(k).p, der.p, der.n);
		assert_int_equal(mf_sha256(mf_buf_bytes(&der), &want, &err), 0);
		assert_true(mf_digest_eq(&want, &got));
		if (sscanf(sig_vectors[i].what, "P-%u", &p) == 1) {
			assert_int_equal(mf_pubkey_type(k), MF_KEY_ECDSA);
			assert_int_equal(mf_pubkey_bits(k), p);
			assert_string_equal(mf_key_type_name(mf_pubkey_type(k)), "ecdsa");
		} else if (sig_vectors[i].what[0] == 'R') {
			assert_int_equal(mf_pubkey_type(k), MF_KEY_RSA);
			assert_int_equal(mf_pubkey_bits(k), 2048);
			assert_string_equal(mf_key_type_name(mf_pubkey_type(k)), "rsa");
		} else {
			assert_int_equal(mf_pubkey_type(k), MF_KEY_ED25519);
			assert_int_equal(mf_pubkey_bits(k), 256);
			assert_memory_equal(mf_pubkey_ed25519(k).p, der.p + 12, 32);
			assert_string_equal(mf_key_type_name(mf_pubkey_type(k)), "ed25519");
		}
	}
}

static void pem_goes_out_and_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(sig_vectors); i++) {
		struct mf_pubkey *k MF_PUBKEY_CLEANUP = key_of(sig_vectors[i].spki);
		struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(8192);
		struct mf_pubkey *again MF_PUBKEY_CLEANUP = NULL;
		struct mf_digest a = mf_pubkey_fingerprint(k), b;

		assert_int_equal(mf_pubkey_to_pem(k, &pem, &err), 0);
		assert_true(mf_str_starts(mf_buf_str(&pem), MF_STR("-----BEGIN PUBLIC KEY-----\n")));
		again = mf_pubkey_from_text(mf_buf_str(&pem), &err);
		assert_non_null(again);
		b = mf_pubkey_fingerprint(again);
		assert_true(mf_digest_eq(&a, &b));
	}
}

static void an_openssh_line_is_read(void **state)
{
	struct mf_buf b64 MF_BUF_CLEANUP = MF_BUF_INIT(200);
	struct mf_buf line MF_BUF_CLEANUP = MF_BUF_INIT(400);
	struct mf_buf blob MF_BUF_CLEANUP = MF_BUF_INIT(200);
	struct mf_pubkey *k MF_PUBKEY_CLEANUP = NULL;
	struct mf_err e = MF_ERR_INIT;
	char hex[65];

	(void)state;
	/* The RFC 8032 TEST 2 key. */
	unhex(&blob, "0000000b7373682d65643235353139000000203d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc"
		     "0cd55f12af4660c");
	assert_int_equal(mf_b64_encode(&b64, mf_buf_bytes(&blob), &err), 0);
	assert_int_equal(mf_buf_printf(&line, &err, "ssh-ed25519 %s me@here\r\n", b64.p), 0);
	k = mf_pubkey_from_text(mf_buf_str(&line), &err);
	assert_non_null(k);
	mf_hex_encode(hex, mf_pubkey_ed25519(k).p, 32);
	assert_string_equal(hex, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
	assert_int_equal(mf_buf_printf(&line, &err, "ssh-ed25519 %s two\n", b64.p), 0);
	assert_null(mf_pubkey_from_text(mf_buf_str(&line), &e));
	assert_int_equal(e.code, MF_E_FORMAT);
}

static void text_that_is_not_exactly_one_key_is_refused(void **state)
{
	struct mf_pubkey *k MF_PUBKEY_CLEANUP = key_of(sig_vectors[2].spki);
	struct mf_buf two MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_buf big MF_BUF_CLEANUP = MF_BUF_INIT(100000);
	const struct mf_str bad[] = {
	    MF_STR(""),
	    MF_STR("hello\n"),
	    MF_STR("-----BEGIN PUBLIC KEY-----\n"),
	    MF_STR("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
	    MF_STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
	    MF_STR("ssh-ed25519 "),
	    MF_STR("ssh-ed25519 AAAA\n"),
	    MF_STR("ssh-rsa AAAAB3NzaC1yc2E=\n"),
	};
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < N(bad); i++) {
		assert_null(mf_pubkey_from_text(bad[i], &e));
		assert_int_equal(e.code, MF_E_FORMAT);
		mf_err_clear(&e);
	}
	assert_int_equal(mf_pubkey_to_pem(k, &two, &err), 0);
	assert_int_equal(mf_buf_addc(&two, 0, &err), 0);
	assert_null(mf_pubkey_from_text(mf_buf_str(&two), &e)); /* NUL behind it */
	mf_err_clear(&e);
	two.n--;
	assert_int_equal(mf_pubkey_to_pem(k, &two, &err), 0);
	assert_null(mf_pubkey_from_text(mf_buf_str(&two), &e));
	assert_int_equal(e.code, MF_E_FORMAT);
	mf_err_clear(&e);
	for (int i = 0; i < 66000; i++)
		assert_int_equal(mf_buf_addc(&big, '\n', &err), 0);
	assert_int_equal(mf_pubkey_to_pem(k, &big, &err), 0);
	assert_null(mf_pubkey_from_text(mf_buf_str(&big), &e));
}

static void made_keys_sign_and_survive_their_secret_form(void **state)
{
	static const struct {
		enum mf_key_type type;
		enum mf_sig_scheme scheme;
		size_t sig_n; /* 0: varies */
	} rows[] = {
	    {MF_KEY_ED25519, MF_SIG_ED25519, 64},
	    {MF_KEY_ECDSA, MF_SIG_ECDSA_RAW_SHA256, 64},
	    {MF_KEY_ECDSA, MF_SIG_ECDSA_DER_SHA256, 0},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct mf_privkey *k MF_PRIVKEY_CLEANUP = mf_privkey_generate(rows[i].type, &err);
		struct mf_privkey *again MF_PRIVKEY_CLEANUP = NULL;
		struct mf_secret secret MF_SECRET_CLEANUP = MF_SECRET_INIT;
		struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(1000);

		assert_non_null(k);
		assert_int_equal(mf_pubkey_type(mf_privkey_public(k)), rows[i].type);
		assert_int_equal(mf_privkey_to_secret(k, &secret, &err), 0);
		again = mf_privkey_from_secret(rows[i].type, mf_secret_bytes(&secret), &err);
		assert_non_null(again);
		assert_int_equal(mf_privkey_sign(again, rows[i].scheme, mf_bytes_of(MF_STR("m")), &sig, &err),
				 0);
		if (rows[i].sig_n)
			assert_int_equal(sig.n, rows[i].sig_n);
		assert_int_equal(mf_sig_verify(mf_privkey_public(k), rows[i].scheme, mf_bytes_of(MF_STR("m")),
					       mf_buf_bytes(&sig), &err),
				 0);
	}
}

static void signing_appends(void **state)
{
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(100);

	(void)state;
	assert_int_equal(mf_buf_addz(&out, "ab", &err), 0);
	assert_int_equal(mf_privkey_sign(k, MF_SIG_ED25519, mf_bytes_of(MF_STR("m")), &out, &err), 0);
	assert_int_equal(out.n, 66);
	assert_memory_equal(out.p, "ab", 2);
}

static void a_scheme_of_another_kind_of_key_is_not_signed_with(void **state)
{
	struct mf_privkey *ed MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_privkey *ec MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(1000);
	struct mf_err e = MF_ERR_INIT;
	const struct mf_bytes m = mf_bytes_of(MF_STR("m"));

	(void)state;
	refused(mf_privkey_sign(ed, MF_SIG_ECDSA_RAW_SHA256, m, &out, &e), &e, MF_E_USAGE);
	refused(mf_privkey_sign(ec, MF_SIG_ED25519, m, &out, &e), &e, MF_E_USAGE);
	refused(mf_privkey_sign(ec, MF_SIG_ECDSA_DER_SHA384, m, &out, &e), &e, MF_E_USAGE);
	refused(mf_privkey_sign(ec, MF_SIG_RSA_PSS_SHA256, m, &out, &e), &e, MF_E_USAGE);
	assert_int_equal(out.n, 0);
}

static void rsa_keys_are_never_made(void **state)
{
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	assert_null(mf_privkey_generate(MF_KEY_RSA, &e));
	assert_int_equal(e.code, MF_E_USAGE);
}

static void a_secret_of_the_wrong_kind_or_length_is_refused(void **state)
{
	struct mf_privkey *ec MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	struct mf_secret secret MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_secret longer MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_err e = MF_ERR_INIT;
	struct mf_bytes s;

	(void)state;
	assert_int_equal(mf_privkey_to_secret(ec, &secret, &err), 0);
	s = mf_secret_bytes(&secret);
	assert_null(mf_privkey_from_secret(MF_KEY_RSA, s, &e));
	assert_int_equal(e.code, MF_E_FORMAT);
	mf_err_clear(&e);
	assert_null(mf_privkey_from_secret(MF_KEY_ED25519, s, &e));
	assert_int_equal(e.code, MF_E_FORMAT);
	mf_err_clear(&e);
	assert_null(mf_privkey_from_secret(MF_KEY_ECDSA, (struct mf_bytes){s.p, s.n - 1}, &e));
	assert_int_equal(e.code, MF_E_FORMAT);
	mf_err_clear(&e);
	assert_int_equal(mf_secret_alloc(&longer, s.n + 1, &err), 0);
	memcpy(longer.p, s.p, s.n);
	assert_null(mf_privkey_from_secret(MF_KEY_ECDSA, mf_secret_bytes(&longer), &e));
	assert_int_equal(e.code, MF_E_FORMAT);
}

static void an_ec_secret_whose_public_half_is_another_keys_is_refused(void **state)
{
	struct mf_privkey *ec MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	struct mf_privkey *other MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	struct mf_secret secret MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_bytes point = mf_pubkey_spki(mf_privkey_public(other));
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	assert_int_equal(mf_privkey_to_secret(ec, &secret, &err), 0);
	/* PKCS #8 and SPKI of P-256 both end in the 64 octets of the point. */
	memcpy(secret.p + secret.n - 64, point.p + point.n - 64, 64);
	assert_null(mf_privkey_from_secret(MF_KEY_ECDSA, mf_secret_bytes(&secret), &e));
	assert_int_equal(e.code, MF_E_FORMAT);
}

static void failures_leave_openssls_error_queue_alone(void **state)
{
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	ERR_clear_error();
	assert_null(mf_pubkey_from_spki(mf_bytes_of(MF_STR("nonsense")), &e));
	mf_err_clear(&e);
	assert_null(mf_pubkey_from_text(MF_STR("-----BEGIN PUBLIC KEY-----\n%%\n"), &e));
	assert_int_equal(ERR_peek_error(), 0);
	ERR_raise(ERR_LIB_USER, 77);
	mf_err_clear(&e);
	assert_null(mf_pubkey_from_spki(mf_bytes_of(MF_STR("nonsense")), &e));
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 77);
	assert_int_equal(ERR_peek_error(), 0);
}

static void references_are_counted(void **state)
{
	struct mf_pubkey *k = key_of(sig_vectors[0].spki);

	(void)state;
	assert_ptr_equal(mf_pubkey_ref(k), k);
	mf_pubkey_unref(k);
	assert_int_equal(mf_pubkey_type(k), MF_KEY_ECDSA);
	mf_pubkey_unref(k);
	mf_pubkey_unref(NULL);
	mf_privkey_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_vector_verifies_under_its_scheme_only),
	    cmocka_unit_test(a_changed_message_never_verifies),
	    cmocka_unit_test(a_damaged_signature_never_verifies),
	    cmocka_unit_test(a_raw_ecdsa_signature_of_another_curves_width_is_refused),
	    cmocka_unit_test(an_all_zero_ecdsa_signature_is_refused),
	    cmocka_unit_test(ed25519_signs_as_rfc_8032_says),
	    cmocka_unit_test(ed25519_is_equally_strict_for_small_and_big_messages),
	    cmocka_unit_test(an_ed25519_signature_with_r_of_small_order_is_refused_at_any_size),
	    cmocka_unit_test(unusable_public_keys_are_refused),
	    cmocka_unit_test(ed25519_points_that_are_weak_or_not_canonical_are_refused),
	    cmocka_unit_test(a_key_knows_its_kind_size_encoding_and_name),
	    cmocka_unit_test(pem_goes_out_and_comes_back),
	    cmocka_unit_test(an_openssh_line_is_read),
	    cmocka_unit_test(text_that_is_not_exactly_one_key_is_refused),
	    cmocka_unit_test(made_keys_sign_and_survive_their_secret_form),
	    cmocka_unit_test(signing_appends),
	    cmocka_unit_test(a_scheme_of_another_kind_of_key_is_not_signed_with),
	    cmocka_unit_test(rsa_keys_are_never_made),
	    cmocka_unit_test(a_secret_of_the_wrong_kind_or_length_is_refused),
	    cmocka_unit_test(an_ec_secret_whose_public_half_is_another_keys_is_refused),
	    cmocka_unit_test(failures_leave_openssls_error_queue_alone),
	    cmocka_unit_test(references_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
