/* A file that decodes has a clear part that says the same, and survives being written again. An encrypted one
 * is decoded without a passphrase: everything up to the KDF runs, and behind it nothing is reached without a
 * valid tag (up to 1 GiB a try would be paid). The private keys in the corpus are test-only and public
 * knowledge. */
#include <assert.h>

#include "base/limits.h"
#include "keys/keystore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_key(const struct mf_pubkey *a, const struct mf_pubkey *b)
{
	struct mf_digest x = mf_pubkey_fingerprint(a), y = mf_pubkey_fingerprint(b);

	return mf_digest_eq(&x, &y);
}

static void write_again(const char *name, const struct mf_privkey *key)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_privkey *again MF_PRIVKEY_CLEANUP = NULL;
	struct mf_err err = MF_ERR_INIT;
	int r = mf_keyfile_encode(&file, name, key, NULL, &err);

	assert(r == 0);
	again = mf_keyfile_decode(mf_buf_bytes(&file), NULL, &err);
	assert(again && same_key(mf_privkey_public(again), mf_privkey_public(key)));
}

static struct mf_privkey *decode(struct mf_bytes file, bool encrypted, struct mf_err *err)
{
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_err none = MF_ERR_INIT;

	if (encrypted)
		return mf_keyfile_decode(file, NULL, err);
	if (mf_secret_copy(&pass, mf_bytes_of(MF_STR("fuzz")), &none))
		return NULL;
	return mf_keyfile_decode(file, &pass, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mf_bytes file = {data, size};
	struct mf_key_info info = MF_KEY_INFO_INIT;
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = NULL;
	struct mf_err err = MF_ERR_INIT;

	if (mf_keyfile_info(&info, file, &err)) {
		assert(err.code == MF_E_FORMAT);
		mf_err_clear(&err);
		key = mf_keyfile_decode(file, NULL, &err);
		assert(!key);
		return 0;
	}
	assert(mf_key_name_valid(info.name) && mf_pubkey_type(info.pub) == info.type);
	key = decode(file, info.encrypted, &err);
	assert(key || err.code == MF_E_FORMAT || (info.encrypted && err.code == MF_E_KEY));
	if (key) {
		assert(same_key(mf_privkey_public(key), info.pub));
		write_again(info.name, key);
	}
	mf_key_info_clear(&info);
	return 0;
}
