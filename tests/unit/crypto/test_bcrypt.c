#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
#include "crypto/bcrypt.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct mf_err err;

/* The first row is OpenBSD's (regress/lib/libutil/bcrypt_pbkdf); Debian's python3-bcrypt (bcrypt.kdf) gave
 * the others: the sizes that OpenSSH and signify use, and one that no multiple of the rest divides. */
static void the_derivation_gives_what_other_implementations_give(void **state)
{
	static const struct {
		const char *passphrase, *salt;
		uint32_t rounds;
		size_t n;
		const char *hex;
	} rows[] = {
	    {"password", "73616c74", 4, 32,
	     "5bbf0cc293587f1c3635555c27796598d47e579071bf427e9d8fbe842aba34d9"},
	    {"p", "00000000000000000000000000000000", 16, 48,
	     "d50e315d74a7fe870b43e5e590266ac941de6d564cbe7dbd0764db00c5f47b8b16f86571b3d8d7a651484a572268d46"
	     "e"},
	    {"correct horse battery", "000102030405060708090a0b0c0d0e0f", 42, 64,
	     "1ef375e2419ca7affb22085ef2209d97fc0d3354133b8c02c354a7c1bd1c9a50c3f89b2d92ae1dc3342992b69aad4c1"
	     "52d6b026423b18fd39a4e66dd19eb1176"},
	    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	     "xxxxxxxx",
	     "73616c7479", 1, 100,
	     "1a84181d547d274f712e8a8340efe0c82cc4754cd058f3a7d6d9843ab5eeb432e9ddfdc8a3a22479ba482f99f44fb55"
	     "2856347d3e0fd18bff130c1530065de2a5d89e5dd5403170342c42415554a85eec6a0bb88101dcb808672382feddf0d"
	     "f19903302c"},
	};
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT,
				      out MF_SECRET_CLEANUP = MF_SECRET_INIT;
		uint8_t salt[16], want[100];
		const size_t salt_n = strlen(rows[i].salt) / 2;
		assert_int_equal(mf_hex_decode(salt, salt_n, mf_str_c(rows[i].salt)), 0);
		assert_int_equal(mf_hex_decode(want, rows[i].n, mf_str_c(rows[i].hex)), 0);
		assert_int_equal(mf_secret_copy(&pass, mf_bytes_of(mf_str_c(rows[i].passphrase)), &err), 0);
		assert_int_equal(mf_secret_alloc(&out, rows[i].n, &err), 0);
		assert_int_equal(
		    mf_bcrypt_pbkdf(&pass, (struct mf_bytes){salt, salt_n}, rows[i].rounds, &out, &err), 0);
		assert_memory_equal(out.p, want, rows[i].n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_derivation_gives_what_other_implementations_give),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
