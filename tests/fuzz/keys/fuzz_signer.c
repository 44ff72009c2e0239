/* What an agent or a program answers: the first octet says which question it was. What is read of an answer
 * that lists keys is a key that can be written as agents write it, and is then the same; a signature that is
 * read does not verify with a key that never signed. */
#include <assert.h>

#include "base/limits.h"
#include "keys/agent.h"
#include "keys/command.h"
#include "keys/pkcs11.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool each(void *arg, const struct mf_agent_listed *key)
{
	struct mf_buf blob MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	struct mf_err err = MF_ERR_INIT;
	int r = mf_agent_put_key(&blob, key->pub, &err);
	assert(r == 0 && blob.n == key->blob.n && memcmp(blob.p, key->blob.p, blob.n) == 0);
	++*(size_t *)arg;
	return true;
}

static void read_signature(const struct mf_pubkey *k, enum mf_sig_scheme scheme, bool agent,
			   struct mf_bytes answer)
{
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_COMMAND_ANSWER);
	struct mf_err err = MF_ERR_INIT;
	enum mf_found got = agent ? mf_agent_read_signature(answer, k, scheme, &sig, &err)
			    : mf_command_read_signature(answer, k, scheme, &sig, &err) < 0 ? MF_FAILED
											   : MF_FOUND;
	assert(got != MF_FAILED || (err.code && !sig.n));
	mf_err_clear(&err);
	if (got == MF_FOUND) {
		int r =
		    mf_sig_verify(k, scheme, mf_bytes_of(MF_STR("never signed")), mf_buf_bytes(&sig), &err);
		assert(r < 0);
	}
}

static struct mf_pubkey *key_of_type(enum mf_key_type type)
{
	static struct mf_privkey *keys[2];
	struct mf_err err = MF_ERR_INIT;
	if (!keys[type])
		keys[type] = mf_privkey_generate(type, &err);
	assert(keys[type]);
	return mf_privkey_public(keys[type]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct mf_bytes answer = {data + 1, size - 1};
	struct mf_err err = MF_ERR_INIT;
	size_t seen = 0, n = 0;
	int r;
	switch (data[0] % 5) {
	case 0:
		r = mf_agent_read_keys(answer, each, &seen, &n, &err);
		assert(r < 0 ? err.code == MF_E_FORMAT : seen <= n);
		break;
	case 1:
		read_signature(key_of_type(MF_KEY_ED25519), MF_SIG_ED25519, true, answer);
		read_signature(key_of_type(MF_KEY_ECDSA), MF_SIG_ECDSA_DER_SHA256, true, answer);
		break;
	case 2:
		read_signature(key_of_type(MF_KEY_ED25519), MF_SIG_ED25519, false, answer);
		read_signature(key_of_type(MF_KEY_ECDSA), MF_SIG_ECDSA_RAW_SHA256, false, answer);
		break;
	case 3: {
		struct mf_pubkey *k MF_PUBKEY_CLEANUP = mf_command_read_key(answer, &err);
		assert(k || err.code == MF_E_KEY);
		break;
	}
	default: {
		struct mf_key_info k MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
		if (mf_reference_is(answer) && mf_reference_info(&k, answer, &err) < 0)
			assert(err.code == MF_E_FORMAT);
	}
	}
	return 0;
}
