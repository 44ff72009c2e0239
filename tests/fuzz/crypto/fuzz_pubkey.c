/* A public key has one SubjectPublicKeyInfo, and that gives the same key; so do the texts of other programs.
 * The input is read as text, as DER, and as what is behind the base64 of an OpenSSH line. */
#include <assert.h>

#include "crypto/key.h"
#include "crypto/ssh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const struct mf_pubkey *k, const struct mf_buf *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_pubkey *again MF_PUBKEY_CLEANUP = mf_pubkey_from_text(mf_buf_str(text), &err);
	assert(mf_pubkey_eq(k, again));
}

static void write_again(const struct mf_pubkey *k)
{
	struct mf_buf line MF_BUF_CLEANUP = MF_BUF_INIT(8192), file MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_err err = MF_ERR_INIT;
	if (mf_pubkey_to_openssh(k, "x", &line, &err) == 0)
		read_again(k, &line);
	mf_err_clear(&err);
	if (mf_pubkey_to_minisign(k, &file, &err) == 0)
		read_again(k, &file);
}

/* Takes the key over. */
static void check(struct mf_pubkey *taken, const struct mf_err *why)
{
	struct mf_pubkey *k MF_PUBKEY_CLEANUP = taken;
	struct mf_pubkey *again MF_PUBKEY_CLEANUP = NULL;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest a, b;
	static const uint8_t sig[64];

	if (!k) {
		assert(why->code == MF_E_FORMAT);
		return;
	}
	again = mf_pubkey_from_spki(mf_pubkey_spki(k), &err);
	assert(again && mf_pubkey_type(again) == mf_pubkey_type(k) &&
	       mf_pubkey_bits(again) == mf_pubkey_bits(k));
	a = mf_pubkey_fingerprint(k);
	b = mf_pubkey_fingerprint(again);
	assert(mf_digest_eq(&a, &b));
	write_again(k);
	for (int s = MF_SIG_ED25519; s <= MF_SIG_RSA_PKCS1_SHA256; s++) {
		int r = mf_sig_verify(k, (enum mf_sig_scheme)s, mf_bytes_of(MF_STR("m")),
				      (struct mf_bytes){sig, 64}, &err);

		assert(r == -1 && err.code == MF_E_SIGNATURE);
		mf_err_clear(&err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_pubkey *k = mf_pubkey_from_text((struct mf_str){(const char *)data, size}, &err);

	check(k, &err);
	mf_err_clear(&err);
	k = mf_pubkey_from_spki((struct mf_bytes){data, size}, &err);
	check(k, &err);
	mf_err_clear(&err);
	k = mf_ssh_pubkey((struct mf_bytes){data, size}, &err);
	check(k, &err);
	return 0;
}
