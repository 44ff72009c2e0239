/* What is rebuilt from an acceptable root key is acceptable again and is rebuilt to itself. */
#include <assert.h>

#include "crypto/x509.h"

#define NOW INT64_C(1735689600) /* 2025 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mf_str text = {(const char *)data, size}, gun = MF_STR("example.com/vectors/derived");
	struct mf_root_cert c, again;
	struct mf_err err = MF_ERR_INIT;
	int r;

	r = mf_root_cert_chains_to(text, text, NOW, &err);
	assert(r == 0 || err.code == MF_E_PIN);
	mf_err_clear(&err);
	if (mf_root_cert_read(&c, text, gun, NOW, true, &err)) {
		assert(err.code == MF_E_FORMAT);
		return 0;
	}
	assert(c.not_after >= NOW && mf_pubkey_type(c.leaf) != MF_KEY_ED25519);
	r = mf_root_cert_read(&again, (struct mf_str){c.pem, c.pem_n}, gun, NOW, true, &err);
	assert(r == 0 && again.pem_n == c.pem_n && memcmp(again.pem, c.pem, c.pem_n) == 0);
	mf_root_cert_clear(&c);
	mf_root_cert_clear(&again);
	return 0;
}
