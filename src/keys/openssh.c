/* OpenSSH's private keys (PROTOCOL.key of OpenSSH), in clear or encrypted with a passphrase: bcrypt_pbkdf
 * and a cipher of SSH. */
#include <sodium.h>

#include "base/limits.h"
#include "crypto/bcrypt.h"
#include "crypto/ssh.h"
#include "keys/formats.h"

#define SEED_N 32
#define TAG_N 16

struct file {
	struct mf_bytes cipher, kdf, options, secret, tag;
};

static struct mf_privkey *fail_key(struct mf_err *err, const char *why)
{
	(void)mf_fail(err, MF_E_FORMAT, 0, "OpenSSH key: %s", why);
	return NULL;
}

static int fail(struct mf_err *err, const char *why)
{
	(void)fail_key(err, why);
	return -1;
}

static bool is(struct mf_bytes b, const char *text)
{
	return mf_str_eqz(mf_str_of(b), text);
}

/* ---- the key, which follows two check numbers: type, members, comment, padding */

static struct mf_privkey *ed25519_of(struct mf_bytes *in, struct mf_err *err)
{
	struct mf_bytes public, both;
	if (!mf_ssh_take(in, &public) || !mf_ssh_take(in, &both) || public.n != SEED_N ||
	    both.n != (size_t)2 * SEED_N || memcmp(both.p + SEED_N, public.p, SEED_N) != 0)
		return fail_key(err, "damaged");
	struct mf_privkey *k = mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){both.p, SEED_N}, err);
	if (!k || memcmp(mf_pubkey_ed25519(mf_privkey_public(k)).p, public.p, SEED_N) == 0)
		return k;
	mf_privkey_free(k);
	return fail_key(err, "private and public key do not belong together");
}

static EVP_PKEY *ecdsa_of(struct mf_bytes *in)
{
	struct mf_bytes curve, point, number;
	return mf_ssh_take(in, &curve) && mf_ssh_take(in, &point) && mf_ssh_take(in, &number)
		   ? mf_ssh_ecdsa(curve, point, &number)
		   : NULL;
}

static EVP_PKEY *rsa_of(struct mf_bytes *in)
{
	struct mf_ssh_rsa k = {0};
	return mf_ssh_take(in, &k.n) && mf_ssh_take(in, &k.e) && mf_ssh_take(in, &k.d) && k.d.n &&
		       mf_ssh_take(in, &k.inverse) && mf_ssh_take(in, &k.p) && mf_ssh_take(in, &k.q)
		   ? mf_ssh_rsa(&k)
		   : NULL;
}

static struct mf_privkey *key_of(struct mf_bytes kind, struct mf_bytes *in, struct mf_err *err)
{
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = NULL;
	if (is(kind, "ssh-ed25519"))
		return ed25519_of(in, err);
	if (is(kind, "ssh-rsa"))
		evp = rsa_of(in);
	else if (mf_str_starts(mf_str_of(kind), MF_STR("ecdsa-sha2-")))
		evp = ecdsa_of(in);
	else
		return fail_key(err, "expected type ed25519, ECDSA or RSA");
	struct mf_privkey *k = evp ? mf_privkey_from_evp(evp, err) : NULL;
	if (!k && !evp)
		(void)mf_ossl_fail(err, MF_E_FORMAT, "OpenSSH key: damaged");
	return k;
}

/* Checks that a comment follows, and padding with the octets 1, 2, 3, ... */
static bool ends_well(struct mf_bytes in)
{
	struct mf_bytes comment;
	if (!mf_ssh_take(&in, &comment) || in.n > 255)
		return false;
	for (size_t i = 0; i < in.n; i++)
		if (in.p[i] != i + 1)
			return false;
	return true;
}

static struct mf_privkey *from_secret(struct mf_bytes in, struct mf_err *err)
{
	struct mf_bytes kind;
	in = (struct mf_bytes){in.p + 8, in.n - 8};
	if (!mf_ssh_take(&in, &kind))
		return fail_key(err, "damaged");
	struct mf_privkey *k = key_of(kind, &in, err);
	if (!k || ends_well(in))
		return k;
	mf_privkey_free(k);
	return fail_key(err, "damaged");
}

static bool check_numbers_agree(struct mf_bytes in)
{
	return in.n >= 8 && memcmp(in.p, in.p + 4, 4) == 0;
}

/* ---- encrypted keys */

/* Decrypts. Returns 1; 0 when the passphrase is wrong; or -1. `key` contains the cipher's key, then the
 * IV. */
typedef int (*open_fn)(const struct file *f, const char *cipher, size_t key_n, const struct mf_secret *key,
		       struct mf_secret *out, struct mf_err *err);

MF_OSSL_CLEANUP_FN(EVP_CIPHER_CTX, cipher_ctx_cleanup, EVP_CIPHER_CTX_free)
MF_OSSL_CLEANUP_FN(EVP_CIPHER, cipher_cleanup, EVP_CIPHER_free)

static int open_evp(const struct file *f, const char *cipher, size_t key_n, const struct mf_secret *key,
		    struct mf_secret *out, struct mf_err *err)
{
	EVP_CIPHER *c MF_CLEANUP(cipher_cleanup) = EVP_CIPHER_fetch(NULL, cipher, NULL);
	EVP_CIPHER_CTX *ctx MF_CLEANUP(cipher_ctx_cleanup) = EVP_CIPHER_CTX_new();
	uint8_t tag[TAG_N];
	int n = 0, end = 0;
	if (!c || !ctx || EVP_DecryptInit_ex2(ctx, c, key->p, key->p + key_n, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(ctx, 0) != 1)
		return mf_ossl_fail(err, MF_E_INTERNAL, "decrypt an OpenSSH key");
	if (f->tag.n) {
		memcpy(tag, f->tag.p, TAG_N);
		if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_N, tag) != 1)
			return mf_ossl_fail(err, MF_E_INTERNAL, "decrypt an OpenSSH key");
	}
	return EVP_DecryptUpdate(ctx, out->p, &n, f->secret.p, (int)f->secret.n) == 1 &&
	       EVP_DecryptFinal_ex(ctx, out->p + n, &end) == 1 && (size_t)n + (size_t)end == out->n;
}

/* chacha20-poly1305@openssh.com (OpenSSH, PROTOCOL.chacha20poly1305), with packet number 0 and no packet
 * length. The main key is the first 32 octets of the key. Block 0 of its stream gives the key of Poly1305;
 * encryption starts at block 1. */
static int open_chacha(const struct file *f, const char *cipher, size_t key_n, const struct mf_secret *key,
		       struct mf_secret *out, struct mf_err *err)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
	struct mf_secret once MF_SECRET_CLEANUP = MF_SECRET_INIT;
	(void)cipher;
	(void)key_n;
	if (mf_secret_alloc(&once, crypto_onetimeauth_poly1305_KEYBYTES, err) < 0)
		return -1;
	crypto_stream_chacha20(once.p, once.n, nonce, key->p);
	if (crypto_onetimeauth_poly1305_verify(f->tag.p, f->secret.p, f->secret.n, once.p) != 0)
		return 0;
	crypto_stream_chacha20_xor_ic(out->p, f->secret.p, f->secret.n, nonce, 1, key->p);
	return 1;
}

static const struct cipher {
	const char *name, *evp;
	size_t key_n, iv_n, block_n, tag_n;
	open_fn open;
} ciphers[] = {
    {"aes256-ctr", "AES-256-CTR", 32, 16, 16, 0, open_evp},
    {"aes192-ctr", "AES-192-CTR", 24, 16, 16, 0, open_evp},
    {"aes128-ctr", "AES-128-CTR", 16, 16, 16, 0, open_evp},
    {"aes256-cbc", "AES-256-CBC", 32, 16, 16, 0, open_evp},
    {"aes192-cbc", "AES-192-CBC", 24, 16, 16, 0, open_evp},
    {"aes128-cbc", "AES-128-CBC", 16, 16, 16, 0, open_evp},
    {"3des-cbc", "DES-EDE3-CBC", 24, 8, 8, 0, open_evp},
    {"aes256-gcm@openssh.com", "AES-256-GCM", 32, 12, 16, TAG_N, open_evp},
    {"aes128-gcm@openssh.com", "AES-128-GCM", 16, 12, 16, TAG_N, open_evp},
    {"chacha20-poly1305@openssh.com", NULL, 64, 0, 8, TAG_N, open_chacha},
};

static int find_cipher(const struct file *f, const struct cipher **out, struct mf_err *err)
{
	for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++)
		if (is(f->cipher, ciphers[i].name)) {
			*out = &ciphers[i];
			return 0;
		}
	return fail(err, "protected with a cipher that is not known");
}

/* Reads the options of bcrypt: salt and rounds. */
static int read_kdf(const struct file *f, struct mf_bytes *salt, uint32_t *rounds, struct mf_err *err)
{
	struct mf_bytes in = f->options;
	if (!is(f->kdf, "bcrypt") || !mf_ssh_take(&in, salt) || !mf_ssh_take_number(&in, rounds) || in.n ||
	    !salt->n)
		return fail(err, "protected in another way than bcrypt");
	if (*rounds < 1 || *rounds > MF_MAX_BCRYPT_ROUNDS)
		return fail(err, "the number of bcrypt rounds is out of range");
	return 0;
}

static struct mf_privkey *from_encrypted(const struct file *f, const struct mf_secret *passphrase,
					 struct mf_err *err)
{
	struct mf_secret key MF_SECRET_CLEANUP = MF_SECRET_INIT, plain MF_SECRET_CLEANUP = MF_SECRET_INIT;
	const struct cipher *c;
	struct mf_bytes salt;
	uint32_t rounds;
	if (find_cipher(f, &c, err) < 0 || read_kdf(f, &salt, &rounds, err) < 0)
		return NULL;
	if (f->tag.n != c->tag_n || !f->secret.n || f->secret.n % c->block_n)
		return fail_key(err, "damaged");
	if (mf_key_check_passphrase(passphrase, err) < 0 ||
	    mf_secret_alloc(&key, c->key_n + c->iv_n, err) < 0 ||
	    mf_bcrypt_pbkdf(passphrase, salt, rounds, &key, err) < 0 ||
	    mf_secret_alloc(&plain, f->secret.n, err) < 0)
		return NULL;
	int opened = c->open(f, c->evp, c->key_n, &key, &plain, err);
	if (opened == 1 && check_numbers_agree(mf_secret_bytes(&plain)))
		return from_secret(mf_secret_bytes(&plain), err);
	if (opened >= 0)
		(void)mf_key_fail_wrong(err);
	return NULL;
}

struct mf_privkey *mf_openssh_key_read(struct mf_bytes in, const struct mf_secret *passphrase,
				       struct mf_err *err)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	struct mf_bytes public;
	struct file f;
	if (!mf_ssh_take_octets(&in, magic, sizeof magic) || !mf_ssh_take(&in, &f.cipher) ||
	    !mf_ssh_take(&in, &f.kdf) || !mf_ssh_take(&in, &f.options) ||
	    !mf_ssh_take_octets(&in, "\0\0\0\1", 4) || !mf_ssh_take(&in, &public) ||
	    !mf_ssh_take(&in, &f.secret))
		return fail_key(err, "damaged");
	f.tag = in; /* after the encrypted text, for a cipher that makes a tag */
	if (!is(f.cipher, "none"))
		return from_encrypted(&f, passphrase, err);
	if (!is(f.kdf, "none") || f.options.n || f.tag.n || !check_numbers_agree(f.secret))
		return fail_key(err, "damaged");
	return from_secret(f.secret, err);
}
