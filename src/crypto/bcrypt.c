/* bcrypt_pbkdf of OpenBSD: PBKDF2 with a hash made of Blowfish instead of an HMAC. Unlike PBKDF2, it
 * distributes each block of output over the whole key, octet by octet.
 *
 * The initial state of Blowfish is the first 33,344 binary digits of pi after the point. They are
 * computed, which takes about as long as ten rounds, so that no reviewer has to check a table of 1,042
 * numbers. */
#include "crypto/bcrypt.h"

#include <assert.h>
#include <openssl/bn.h>

#include "crypto/hash.h"
#include "crypto/internal.h"

#define SUBKEYS 18
#define BOXES 4
#define BOX 256
#define HASH_WORDS 8
#define HASH_N ((size_t)4 * HASH_WORDS)
#define KEY_WORDS 16 /* the size of a SHA-512 */
#define KEY_N ((size_t)4 * KEY_WORDS)

struct blowfish {
	uint32_t p[SUBKEYS], s[BOXES * BOX];
};
#define STATE_WORDS (SUBKEYS + BOXES * BOX)
_Static_assert(sizeof(struct blowfish) == (size_t)4 * STATE_WORDS, "digits of pi go in front to back");

/* Everything that depends on the passphrase, in guarded memory. */
struct work {
	struct blowfish begin, state;
	uint8_t digest[KEY_N], hash[HASH_N], sum[HASH_N];
	uint32_t pass[KEY_WORDS], salt[KEY_WORDS];
};

/* ---- pi */

#define PI_BITS (32 * STATE_WORDS)
#define GUARD_BITS 64 /* covers the rounding errors of some ten thousand divisions */

/* Adds factor * arctan(1/x), or subtracts it: the series 1/x - 1/(3 x^3) + 1/(5 x^5) - ... */
static bool add_arctan(BIGNUM *sum, BN_ULONG factor, BN_ULONG x, bool subtract)
{
	BIGNUM *power = BN_new(), *term = BN_new();
	bool ok = power && term && BN_set_word(power, factor) == 1 &&
		  BN_lshift(power, power, PI_BITS + GUARD_BITS) == 1 && BN_div_word(power, x) != (BN_ULONG)-1;
	for (BN_ULONG n = 1; ok && !BN_is_zero(power); n += 2, subtract = !subtract)
		ok = BN_copy(term, power) && BN_div_word(term, n) != (BN_ULONG)-1 &&
		     (subtract ? BN_sub(sum, sum, term) : BN_add(sum, sum, term)) == 1 &&
		     BN_div_word(power, x * x) != (BN_ULONG)-1;
	BN_free(power);
	BN_free(term);
	return ok;
}

/* The binary digits of pi after the point, by Machin's formula: pi = 16 arctan(1/5) - 4 arctan(1/239). */
static int begin_with_pi(struct blowfish *b, struct mf_err *err)
{
	const bool add = false, subtract = true;
	uint8_t digits[(size_t)4 * STATE_WORDS];
	BIGNUM *pi = BN_new();
	bool ok = pi && add_arctan(pi, 16, 5, add) && add_arctan(pi, 4, 239, subtract) &&
		  BN_rshift(pi, pi, GUARD_BITS) == 1 && BN_mask_bits(pi, PI_BITS) == 1 &&
		  BN_bn2binpad(pi, digits, sizeof digits) == (int)sizeof digits;
	BN_free(pi);
	if (!ok)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < STATE_WORDS; i++) {
		const uint8_t *d = digits + 4 * i;
		uint32_t *word = i < SUBKEYS ? &b->p[i] : &b->s[i - SUBKEYS];
		*word = (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
	}
	return 0;
}

/* ---- Blowfish */

static uint32_t mix(const struct blowfish *b, uint32_t x)
{
	const uint32_t *s = b->s;
	return ((s[x >> 24] + s[BOX + (x >> 16 & 0xff)]) ^ s[2 * BOX + (x >> 8 & 0xff)]) +
	       s[3 * BOX + (x & 0xff)];
}

static void encrypt(const struct blowfish *b, uint32_t block[2])
{
	uint32_t l = block[0] ^ b->p[0], r = block[1];
	for (size_t i = 1; i < SUBKEYS - 1; i += 2) {
		r ^= mix(b, l) ^ b->p[i];
		l ^= mix(b, r) ^ b->p[i + 1];
	}
	block[0] = r ^ b->p[SUBKEYS - 1];
	block[1] = l;
}

/* Replaces the words, two at a time, by the next encryption of the block. Each time the block is first
 * combined with the next words of the salt (NULL: none). */
static void refill(const struct blowfish *b, uint32_t *words, size_t n, const uint32_t *salt, size_t *at,
		   uint32_t block[2])
{
	for (size_t i = 0; i < n; i += 2) {
		for (size_t half = 0; salt && half < 2; half++)
			block[half] ^= salt[(*at)++ % KEY_WORDS];
		encrypt(b, block);
		words[i] = block[0];
		words[i + 1] = block[1];
	}
}

static void expand(struct blowfish *b, const uint32_t key[KEY_WORDS], const uint32_t *salt)
{
	uint32_t block[2] = {0, 0};
	size_t at = 0;
	for (size_t i = 0; i < SUBKEYS; i++)
		b->p[i] ^= key[i % KEY_WORDS];
	refill(b, b->p, SUBKEYS, salt, &at, block);
	refill(b, b->s, (size_t)BOXES * BOX, salt, &at, block);
}

/* ---- bcrypt_pbkdf */

static void words_of(uint32_t out[KEY_WORDS], const uint8_t digest[KEY_N])
{
	for (size_t i = 0; i < KEY_WORDS; i++)
		out[i] = (uint32_t)digest[4 * i] << 24 | (uint32_t)digest[4 * i + 1] << 16 |
			 (uint32_t)digest[4 * i + 2] << 8 | digest[4 * i + 3];
}

/* Computes hash from pass and salt. */
static void bcrypt(struct work *w)
{
	static const char text[] = "OxychromaticBlowfishSwatDynamite";
	uint32_t block[HASH_WORDS];
	w->state = w->begin;
	expand(&w->state, w->pass, w->salt);
	for (int i = 0; i < 64; i++) {
		expand(&w->state, w->salt, NULL);
		expand(&w->state, w->pass, NULL);
	}
	for (size_t i = 0; i < HASH_WORDS; i++)
		block[i] = (uint32_t)text[4 * i] << 24 | (uint32_t)text[4 * i + 1] << 16 |
			   (uint32_t)text[4 * i + 2] << 8 | (uint32_t)text[4 * i + 3];
	for (int i = 0; i < 64; i++)
		for (size_t k = 0; k < HASH_WORDS; k += 2)
			encrypt(&w->state, block + k);
	for (size_t i = 0; i < HASH_N; i++)
		w->hash[i] = (uint8_t)(block[i / 4] >> 8 * (i % 4));
	mf_wipe(block, sizeof block);
}

/* Computes one block of 32 octets, the exclusive or of all rounds, into sum. */
static int block(struct work *w, struct mf_bytes salt, uint32_t count, uint32_t rounds, struct mf_err *err)
{
	const uint8_t number[4] = {(uint8_t)(count >> 24), (uint8_t)(count >> 16), (uint8_t)(count >> 8),
				   (uint8_t)count};
	struct mf_hash *h MF_HASH_CLEANUP = mf_hash_new_sha512(err);
	if (!h || mf_hash_add(h, salt.p, salt.n, err) < 0 || mf_hash_add(h, number, sizeof number, err) < 0 ||
	    mf_hash_end_sha512(h, w->digest, err) < 0)
		return -1;
	memset(w->sum, 0, HASH_N);
	for (uint32_t i = 0; i < rounds; i++) {
		if (i && mf_sha512((struct mf_bytes){w->hash, HASH_N}, w->digest, err) < 0)
			return -1;
		words_of(w->salt, w->digest);
		bcrypt(w);
		for (size_t k = 0; k < HASH_N; k++)
			w->sum[k] ^= w->hash[k];
	}
	return 0;
}

int mf_bcrypt_pbkdf(const struct mf_secret *passphrase, struct mf_bytes salt, uint32_t rounds,
		    struct mf_secret *out, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_secret memory MF_SECRET_CLEANUP = MF_SECRET_INIT;
	assert(rounds && out->n && out->n <= HASH_N * HASH_N);
	const size_t stride = (out->n + HASH_N - 1) / HASH_N, each = (out->n + stride - 1) / stride;
	if (mf_secret_alloc(&memory, sizeof(struct work), err) < 0)
		return -1;
	struct work *w = (struct work *)(void *)memory.p;
	if (begin_with_pi(&w->begin, err) < 0 || mf_sha512(mf_secret_bytes(passphrase), w->digest, err) < 0)
		return -1;
	words_of(w->pass, w->digest);
	for (uint32_t k = 0; k < stride; k++) {
		if (block(w, salt, k + 1, rounds, err) < 0)
			return -1;
		for (size_t i = 0; i < each && i * stride + k < out->n; i++)
			out->p[i * stride + k] = w->sum[i];
	}
	return 0;
}
