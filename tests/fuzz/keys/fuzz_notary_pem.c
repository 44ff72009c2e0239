/* A key that is read can be written as Notary writes it and is then the same key with the same headers.
 * The private keys in the corpus are test-only and public knowledge. */
#include <assert.h>

#include "base/limits.h"
#include "keys/notary_pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct mf_notary_key *k)
{
	/* The input may lack what Notary's layout has (a public key, parameters): room for a little more. */
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES * 2);
	struct mf_notary_key again;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest a, b;
	int r = mf_notary_key_write(&text, k->key, k->role, k->gun, NULL, &err);

	/* A header may hold octets that a file does not give back, such as a carriage return. */
	if (r) {
		assert(err.code == MF_E_USAGE);
		return;
	}
	r = mf_notary_key_read(&again, mf_buf_str(&text), NULL, &err);
	assert(r == 0);
	a = mf_pubkey_fingerprint(mf_privkey_public(k->key));
	b = mf_pubkey_fingerprint(mf_privkey_public(again.key));
	assert(mf_digest_eq(&a, &b));
	mf_privkey_free(again.key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mf_str text = {(const char *)data, size};
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_notary_key k;
	struct mf_err err = MF_ERR_INIT;

	/* bcrypt would take all the time: fuzz_formats reads those keys. */
	if (memmem(text.p, text.n, "OPENSSH", 7) ||
	    mf_secret_copy(&pass, mf_bytes_of(MF_STR("vector-targets-pass")), &err))
		return 0;
	if (mf_notary_key_read(&k, text, &pass, &err)) {
		assert(err.code == MF_E_FORMAT || err.code == MF_E_KEY);
		return 0;
	}
	write_again(&k);
	mf_privkey_free(k.key);
	return 0;
}
