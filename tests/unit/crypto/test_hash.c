#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/count.h"
#include "base/encode.h"
#include "crypto/hash.h"

static struct mf_err err;

static void assert_hex(const uint8_t *p, size_t n, const char *hex)
{
	char text[129];

	mf_hex_encode(text, p, n);
	assert_string_equal(text, hex);
}

/* FIPS 180-4 examples. */
static void sha256_of_abc_is_the_published_value(void **state)
{
	struct mf_digest d;

	(void)state;
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR("abc")), &d, &err), 0);
	assert_hex(d.b, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void sha256_takes_a_null_pointer_with_no_octets(void **state)
{
	struct mf_digest d;

	(void)state;
	assert_int_equal(mf_sha256((struct mf_bytes){NULL, 0}, &d, &err), 0);
	assert_hex(d.b, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void sha512_of_abc_is_the_published_value(void **state)
{
	uint8_t out[64];

	(void)state;
	assert_int_equal(mf_sha512(mf_bytes_of(MF_STR("abc")), out, &err), 0);
	assert_hex(out, 64,
		   "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		   "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

/* RFC 4231, sections 4.3 (a short key) and 4.7 (one longer than a block). */
static void hmac_sha256_gives_the_published_values(void **state)
{
	uint8_t out[32], key[131];

	(void)state;
	assert_int_equal(mf_hmac_sha256(mf_bytes_of(MF_STR("Jefe")),
					mf_bytes_of(MF_STR("what do ya want for nothing?")), out, &err),
			 0);
	assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	assert_int_equal(
	    mf_hmac_sha256((struct mf_bytes){key, sizeof key},
			   mf_bytes_of(MF_STR("Test Using Larger Than Block-Size Key - Hash Key First")), out,
			   &err),
	    0);
	assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void a_stream_in_pieces_hashes_like_the_whole(void **state)
{
	struct mf_hash *h MF_HASH_CLEANUP = mf_hash_new(&err);
	struct mf_digest d;

	(void)state;
	assert_non_null(h);
	assert_int_equal(mf_hash_add(h, "a", 1, &err), 0);
	assert_int_equal(mf_hash_add(h, NULL, 0, &err), 0);
	assert_int_equal(mf_hash_add(h, "bc", 2, &err), 0);
	assert_int_equal(mf_hash_end(h, &d, &err), 0);
	assert_hex(d.b, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* Short ones are hashed by another library. Computed by sha256sum and sha512sum. */
static void octets_around_the_limit_of_short_ones_hash_right(void **state)
{
	static uint8_t data[8193];
	static const struct {
		size_t n;
		const char *sha256, *sha512;
	} c[] = {
	    {8191, "d691798dcd3bab9099e84b4cbc484caef67262d1ef5dca83330d07f5ce4740dd",
	     "08c520f4b13932b073ddfb75965053415638ab58c0f2724600bf1a443744895b"
	     "051aa94a414ea13c45fc3d7cb5f5c17519ff7eaa0aa4be25e4f85d0ffa40511f"},
	    {8192, "dd4e6730520932767ec0a9e33fe19c4ce24399d6eba4ff62f13013c9ed30ef87",
	     "3cd83401de9499673436de9f23d9440451b1658c0065d4f04080974d67c3df34"
	     "78695fe62cdac36d1103d3abcf52a5b13b58349c37b5630aa2c9890823e49c9c"},
	    {8193, "9c10c48d1f1d6618db88fde2c25409181c9201ed34ec6815d62bcf57c10d177b",
	     "2260bd1ad08e1fb991de1c312a85496cf59cfeb71dbcf278e89077c55a4654b9"
	     "ec085016186398731b7b9ac82ad3439511b72c5d53b91e587332d3c2234edb8f"},
	};
	struct mf_digest d;
	uint8_t out[64];

	(void)state;
	memset(data, 'a', sizeof data);
	for (size_t i = 0; i < sizeof c / sizeof *c; i++)
		for (size_t step = 1; step <= c[i].n; step = step < 8191 ? 8191 : step + 1) {
			struct mf_hash *h MF_HASH_CLEANUP = mf_hash_new(&err);
			struct mf_hash *h512 MF_HASH_CLEANUP = mf_hash_new_sha512(&err);
			for (size_t at = 0; at < c[i].n; at += step) {
				size_t n = step < c[i].n - at ? step : c[i].n - at;
				assert_int_equal(mf_hash_add(h, data + at, n, &err), 0);
				assert_int_equal(mf_hash_add(h512, data + at, n, &err), 0);
			}
			assert_int_equal(mf_hash_end(h, &d, &err), 0);
			assert_hex(d.b, 32, c[i].sha256);
			assert_int_equal(mf_hash_end_sha512(h512, out, &err), 0);
			assert_hex(out, 64, c[i].sha512);
			assert_int_equal(mf_sha256((struct mf_bytes){data, c[i].n}, &d, &err), 0);
			assert_hex(d.b, 32, c[i].sha256);
			assert_int_equal(mf_sha512((struct mf_bytes){data, c[i].n}, out, &err), 0);
			assert_hex(out, 64, c[i].sha512);
		}
}

static void hashed_octets_are_counted(void **state)
{
	struct mf_hash *h MF_HASH_CLEANUP = mf_hash_new(&err);
	struct mf_digest d;
	uint8_t out[64];
	uint64_t before = mf_counts()->hashed;

	(void)state;
	assert_non_null(h);
	assert_int_equal(mf_hash_add(h, "abc", 3, &err), 0);
	assert_int_equal(mf_hash_end(h, &d, &err), 0);
	assert_int_equal(mf_counts()->hashed - before, 3);
	assert_int_equal(mf_sha256((struct mf_bytes){(const uint8_t *)"abcd", 4}, &d, &err), 0);
	assert_int_equal(mf_sha512((struct mf_bytes){(const uint8_t *)"abcde", 5}, out, &err), 0);
	assert_int_equal(mf_counts()->hashed - before, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256_of_abc_is_the_published_value),
	    cmocka_unit_test(sha256_takes_a_null_pointer_with_no_octets),
	    cmocka_unit_test(sha512_of_abc_is_the_published_value),
	    cmocka_unit_test(hmac_sha256_gives_the_published_values),
	    cmocka_unit_test(a_stream_in_pieces_hashes_like_the_whole),
	    cmocka_unit_test(octets_around_the_limit_of_short_ones_hash_right),
	    cmocka_unit_test(hashed_octets_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
