/* Public keys as text: PEM, one OpenSSH line, minisign and signify. */
#include <openssl/core_names.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/pem.h"
#include "crypto/ssh.h"

/* The format of minisign and signify: "Ed", the key number of eight octets, the key. */
#define MINISIGN_N 42
#define MINISIGN_HEAD_N 10
#define MINISIGN_B64_N 56
#define COMMENT "untrusted comment:"

static struct mf_pubkey *fail_format(struct mf_err *err, const char *why)
{
	(void)mf_ossl_fail(err, MF_E_FORMAT, why);
	return NULL;
}

/* ---- reading */

static struct mf_pubkey *from_certificate(struct mf_bytes der, struct mf_err *err)
{
	struct mf_ossl_mem spki MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	const unsigned char *p = der.p;
	X509 *x MF_X509_CLEANUP = d2i_X509(NULL, &p, (long)der.n);
	int n;

	if (!x || p != der.p + der.n)
		return fail_format(err, "damaged certificate");
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki.p);
	if (n <= 0)
		return fail_format(err, "certificate without a public key");
	spki.n = (size_t)n;
	return mf_pubkey_from_spki((struct mf_bytes){spki.p, spki.n}, err);
}

static struct mf_pubkey *from_pem(struct mf_str text, struct mf_err *err)
{
	struct mf_pem_block b MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
	struct mf_bytes der;

	if (mf_pem_only(text, MF_MAX_KEYFILE_BYTES, &b, err) < 0)
		return NULL;
	der = (struct mf_bytes){b.der, b.der_n};
	if (strcmp(b.label, "PUBLIC KEY") == 0)
		return mf_pubkey_from_spki(der, err);
	if (strcmp(b.label, "CERTIFICATE") == 0)
		return from_certificate(der, err);
	if (mf_str_ends(mf_str_c(b.label), MF_STR("PRIVATE KEY")))
		return fail_format(err, "a private key, where a public one is expected");
	return fail_format(err, "neither PUBLIC KEY nor CERTIFICATE");
}

struct mf_pubkey *mf_pubkey_from_pem(struct mf_str text, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_pubkey *k = from_pem(text, err);
	return k || !mf_ossl_try_again(err) ? k : from_pem(text, err);
}

/* Removes from the front the octets up to a separator, and all separators that follow; returns the former. */
static struct mf_str take_until(struct mf_str *in, const char *separators)
{
	struct mf_str out = {in->p, 0};
	while (out.n < in->n && !(in->p[out.n] && strchr(separators, in->p[out.n])))
		out.n++;
	size_t n = out.n;
	while (n < in->n && in->p[n] && strchr(separators, in->p[n]))
		n++;
	*in = (struct mf_str){in->p + n, in->n - n};
	return out;
}

/* One line of authorized_keys without options (sshd(8)): type, base64, optional comment. */
static struct mf_pubkey *from_openssh(struct mf_str text, struct mf_err *err)
{
	struct mf_buf blob MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_str line = take_until(&text, "\r\n"), type = take_until(&line, " \t"),
		      b64 = take_until(&line, " \t");
	struct mf_bytes inside, kind;

	if (text.n)
		return fail_format(err, "more than one line where one OpenSSH key is expected");
	if (mf_b64_decode(&blob, b64, err) < 0) {
		(void)mf_wrap(err, "OpenSSH public key");
		return NULL;
	}
	inside = mf_buf_bytes(&blob);
	if (!mf_ssh_take(&inside, &kind) || !mf_str_eq(mf_str_of(kind), type))
		return fail_format(err, "OpenSSH public key: the line names another type than the key");
	return mf_ssh_pubkey(mf_buf_bytes(&blob), err);
}

static struct mf_pubkey *from_minisign(struct mf_str b64, struct mf_err *err)
{
	uint8_t octets[MINISIGN_N];

	if (b64.n > MINISIGN_B64_N)
		return fail_format(err, "not a public key of minisign or signify; a secret one, perhaps");
	if (mf_b64_decode_exact(octets, sizeof octets, b64, err) < 0) {
		(void)mf_wrap(err, "public key of minisign or signify");
		return NULL;
	}
	if (octets[0] != 'E' || octets[1] != 'd')
		return fail_format(err, "public key of minisign or signify: expected algorithm Ed");
	return mf_pubkey_from_ed25519((struct mf_bytes){octets + MINISIGN_HEAD_N, 32}, err);
}

/* Reads a comment and a line of base64, or that line alone, as `minisign -P` accepts it. */
static struct mf_pubkey *from_minisign_text(struct mf_str text, struct mf_err *err)
{
	struct mf_str line = take_until(&text, "\r\n");

	if (mf_str_starts(line, MF_STR(COMMENT)))
		line = take_until(&text, "\r\n");
	if (text.n)
		return fail_format(err, "more than one public key of minisign or signify");
	return from_minisign(line, err);
}

/* "RW" is the start of the base64 of "Ed". */
static bool is_minisign(struct mf_str text)
{
	return mf_str_starts(text, MF_STR(COMMENT)) ||
	       (mf_str_starts(text, MF_STR("RW")) && take_until(&text, "\r\n").n == MINISIGN_B64_N);
}

static bool is_openssh(struct mf_str text)
{
	return mf_str_starts(text, MF_STR("ssh-")) || mf_str_starts(text, MF_STR("ecdsa-sha2-"));
}

bool mf_pubkey_is_text(struct mf_str text)
{
	return mf_str_starts(text, MF_STR("-----BEGIN ")) || is_openssh(text) || is_minisign(text);
}

static struct mf_pubkey *from_text(struct mf_str text, struct mf_err *err)
{
	if (text.n > MF_MAX_KEYFILE_BYTES)
		return fail_format(err, "text too long for one public key");
	if (is_openssh(text))
		return from_openssh(text, err);
	if (mf_str_starts(text, MF_STR("{")))
		return fail_format(err, "a key file with a private key, which nobody should send; 'manifesto "
					"key export' writes the public one");
	return is_minisign(text) ? from_minisign_text(text, err) : from_pem(text, err);
}

struct mf_pubkey *mf_pubkey_from_text(struct mf_str text, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_pubkey *k = from_text(text, err);
	return k || !mf_ossl_try_again(err) ? k : from_text(text, err);
}

/* ---- writing */

int mf_pubkey_to_pem(const struct mf_pubkey *k, struct mf_buf *out, struct mf_err *err)
{
	return mf_pem_write(out, "PUBLIC KEY", "", mf_pubkey_spki(k), err);
}

static int add_string(struct mf_buf *out, struct mf_bytes s, struct mf_err *err)
{
	const uint8_t n[4] = {(uint8_t)(s.n >> 24), (uint8_t)(s.n >> 16), (uint8_t)(s.n >> 8), (uint8_t)s.n};
	return mf_buf_add(out, n, sizeof n, err) < 0 ? -1 : mf_buf_add(out, s.p, s.n, err);
}

/* Appends a number of an RSA key as an mpint. A zero octet comes first if the highest bit is set. */
static int add_number(struct mf_buf *out, const EVP_PKEY *evp, const char *name, struct mf_err *err)
{
	uint8_t octets[1026];
	BIGNUM *n = NULL;
	int len = -1;
	if (EVP_PKEY_get_bn_param(evp, name, &n) == 1 && BN_num_bits(n) <= 8 * 1024) {
		len = BN_num_bits(n) / 8 + 1;
		len = BN_bn2binpad(n, octets, len) == len ? len : -1;
	}
	BN_free(n);
	return len > 0 ? add_string(out, (struct mf_bytes){octets, (size_t)len}, err) : mf_fail_nomem(err);
}

static int openssh_blob(const struct mf_pubkey *k, char type[32], struct mf_buf *out, struct mf_err *err)
{
	const struct mf_bytes spki = mf_pubkey_spki(k);
	const size_t point = 2 * (((size_t)mf_pubkey_bits(k) + 7) / 8) + 1;
	switch (mf_pubkey_type(k)) {
	case MF_KEY_ED25519:
		snprintf(type, 32, "ssh-ed25519");
		break;
	case MF_KEY_RSA:
		snprintf(type, 32, "ssh-rsa");
		break;
	case MF_KEY_ECDSA:
		snprintf(type, 32, "ecdsa-sha2-nistp%u", mf_pubkey_bits(k));
		if (mf_pubkey_bits(k) == 224)
			return mf_fail(err, MF_E_USAGE, 0, "OpenSSH has no keys on the curve P-224");
		break;
	}
	if (add_string(out, mf_bytes_of(mf_str_c(type)), err) < 0)
		return -1;
	if (mf_pubkey_type(k) == MF_KEY_ED25519)
		return add_string(out, mf_pubkey_ed25519(k), err);
	if (mf_pubkey_type(k) == MF_KEY_RSA)
		return add_number(out, mf_pubkey_evp(k), OSSL_PKEY_PARAM_RSA_E, err) < 0
			   ? -1
			   : add_number(out, mf_pubkey_evp(k), OSSL_PKEY_PARAM_RSA_N, err);
	/* The only encoding of the key ends with the uncompressed point. */
	return add_string(out, mf_bytes_of(mf_str_c(type + 11)), err) < 0
		   ? -1
		   : add_string(out, (struct mf_bytes){spki.p + spki.n - point, point}, err);
}

int mf_pubkey_to_openssh(const struct mf_pubkey *k, const char *comment, struct mf_buf *out,
			 struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_buf blob MF_BUF_CLEANUP = MF_BUF_INIT(4096), b64 MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	char type[32];
	if (openssh_blob(k, type, &blob, err) < 0 || mf_b64_encode(&b64, mf_buf_bytes(&blob), err) < 0)
		return -1;
	return mf_buf_printf(out, err, "%s %s %s\n", type, mf_buf_str(&b64).p, comment);
}

int mf_pubkey_to_minisign(const struct mf_pubkey *k, struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf b64 MF_BUF_CLEANUP = MF_BUF_INIT(128);
	struct mf_digest fp = mf_pubkey_fingerprint(k);
	uint8_t octets[MINISIGN_N] = {'E', 'd'};
	char number[17];
	if (mf_pubkey_type(k) != MF_KEY_ED25519)
		return mf_fail(err, MF_E_USAGE, 0, "minisign has ed25519 keys only, and this one has type %s",
			       mf_key_type_name(mf_pubkey_type(k)));
	memcpy(octets + 2, fp.b, 8);
	memcpy(octets + MINISIGN_HEAD_N, mf_pubkey_ed25519(k).p, 32);
	/* minisign shows the key number with its last octet first. */
	for (size_t i = 0; i < 8; i++)
		snprintf(number + 2 * i, 3, "%02X", fp.b[7 - i]);
	if (mf_b64_encode(&b64, (struct mf_bytes){octets, sizeof octets}, err) < 0)
		return -1;
	return mf_buf_printf(out, err, COMMENT " minisign public key %s\n%s\n", number, mf_buf_str(&b64).p);
}
