/* An attestation of somebody else, with the key that signed those of the corpus (TEST-ONLY): what is accepted
 * has a payload that is a Statement, and a signature over just that. */
#include <assert.h>

#include "record/attest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mf_privkey *key;
	struct mf_err err = MF_ERR_INIT;
	uint8_t seed[32] = {1};
	if (!key)
		key = mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){seed, sizeof seed}, &err);
	assert(key);
	struct mf_attestation a MF_ATTESTATION_CLEANUP = {.statement = NULL};
	struct mf_digest none = {{0}};
	if (mf_attestation_read(&a, (struct mf_bytes){data, size}, mf_privkey_public(key), &err) < 0) {
		assert(err.code == MF_E_FORMAT || err.code == MF_E_SIGNATURE);
		return 0;
	}
	assert(json_is_object(a.statement) && a.predicate_type && a.payload.n);
	(void)mf_attestation_is_of(&a, &none);
	return 0;
}
