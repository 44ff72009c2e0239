/* A private key of any program, as text, as what is inside OpenSSH's PEM, and as the octets of minisign or
 * signify: what is read can be written as PKCS #8 and is then the same key. Without a passphrase, as the
 * derivation would take all the time; the plain keys reach the parsers behind it. The private keys in the
 * corpus are test-only and public knowledge. */
#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"
#include "keys/formats.h"
#include "keys/notary_pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes the key over. */
static void check(struct mf_privkey *taken, struct mf_err *why)
{
	struct mf_privkey *k MF_PRIVKEY_CLEANUP = taken;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_err err = MF_ERR_INIT;

	if (!k) {
		assert(why->code == MF_E_FORMAT || why->code == MF_E_KEY);
		mf_err_clear(why);
		return;
	}
	assert(mf_pkcs8_key_write(&text, k, NULL, &err) == 0);
	struct mf_privkey *again MF_PRIVKEY_CLEANUP = mf_key_from_text(mf_buf_str(&text), NULL, &err);
	assert(again && mf_pubkey_eq(mf_privkey_public(k), mf_privkey_public(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_buf line MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20);
	struct mf_err err = MF_ERR_INIT;

	check(mf_key_from_text((struct mf_str){(const char *)data, size}, NULL, &err), &err);
	check(mf_openssh_key_read((struct mf_bytes){data, size}, NULL, &err), &err);
	if (size > MF_MAX_KEYFILE_BYTES || mf_buf_addz(&line, "untrusted comment: x\n", &err) < 0 ||
	    mf_b64_encode(&line, (struct mf_bytes){data, size}, &err) < 0)
		return 0;
	check(mf_minisign_key_read(mf_buf_str(&line), NULL, &err), &err);
	return 0;
}
