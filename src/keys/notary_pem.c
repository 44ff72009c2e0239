/* Private keys in PEM: those of the notary CLI (PKCS #8, RFC 5208; encrypted by PKCS #5 v2, RFC 8018; with
 * an ed25519 form of its own), and those of OpenSSL (PKCS #8 with RFC 8410 and scrypt, RFC 7914; SEC1, RFC
 * 5915; PKCS #1, RFC 8017). */
#include "keys/notary_pem.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "crypto/internal.h"
#include "crypto/pem.h"
#include "keys/formats.h"

/* A header can hold a whole repository name. */
#define HEADER_MAX 256
#define MAX_SALT 16
#define ED25519_OID "1.3.6.1.4.1.11591.15.1"
/* public || seed || public */
#define ED25519_N 96
#define SEED_N 32

MF_OSSL_CLEANUP_FN(X509_SIG, x509_sig_cleanup, X509_SIG_free)
MF_OSSL_CLEANUP_FN(PBE2PARAM, pbe2_cleanup, PBE2PARAM_free)
MF_OSSL_CLEANUP_FN(PBKDF2PARAM, pbkdf2_cleanup, PBKDF2PARAM_free)
MF_OSSL_CLEANUP_FN(SCRYPT_PARAMS, scrypt_cleanup, SCRYPT_PARAMS_free)

static int fail_pem(struct mf_err *err, const char *why)
{
	return mf_fail(err, MF_E_FORMAT, 0, "key file: %s", why);
}

static struct mf_privkey *fail_key(struct mf_err *err, const char *why)
{
	fail_pem(err, why);
	return NULL;
}

int mf_key_check_passphrase(const struct mf_secret *passphrase, struct mf_err *err)
{
	if (!passphrase || !passphrase->n)
		return mf_fail(err, MF_E_KEY, 0, "the key file is encrypted, and no passphrase was given");
	if (passphrase->n > MF_MAX_PASSPHRASE)
		return mf_fail(err, MF_E_KEY, 0, "the passphrase has more than %zu bytes", MF_MAX_PASSPHRASE);
	return 0;
}

int mf_key_fail_wrong(struct mf_err *err)
{
	return mf_ossl_fail(err, MF_E_KEY, "key file: wrong passphrase, or the file is damaged");
}

/* ---- headers */

/* Reads a header's value; "" when the header is absent. A header that occurs twice is an error. */
static int get_header(const char *headers, const char *name, char out[HEADER_MAX], struct mf_err *err)
{
	size_t n = strlen(name);
	bool found = false;

	out[0] = 0;
	for (const char *line = headers, *end; *line; line = *end ? end + 1 : end) {
		size_t len;

		end = strchrnul(line, '\n');
		if (strncmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1;
		while (*line == ' ')
			line++;
		len = (size_t)(end - line);
		while (len && (line[len - 1] == '\r' || line[len - 1] == ' '))
			len--;
		if (found || len >= HEADER_MAX)
			return fail_pem(err, "a header twice, or too long");
		memcpy(out, line, len);
		out[len] = 0;
		found = true;
	}
	return 0;
}

/* ---- the key itself */

static struct mf_privkey *from_ed25519_96(struct mf_bytes b, struct mf_err *err)
{
	struct mf_privkey *k;

	if (b.n != ED25519_N || memcmp(b.p, b.p + 64, 32) != 0)
		return fail_key(err, "an ed25519 key is not in Notary's layout");
	k = mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){b.p + 32, 32}, err);
	if (!k || memcmp(mf_pubkey_ed25519(mf_privkey_public(k)).p, b.p, 32) == 0)
		return k;
	mf_privkey_free(k);
	return fail_key(err, "private and public key do not belong together");
}

static struct mf_privkey *from_evp(EVP_PKEY *evp, struct mf_err *err)
{
	struct mf_secret seed MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_privkey *k = NULL;
	size_t n = SEED_N;
	if (EVP_PKEY_get_id(evp) != EVP_PKEY_ED25519)
		k = mf_privkey_from_evp(evp, err);
	else if (mf_secret_alloc(&seed, SEED_N, err) == 0 &&
		 (EVP_PKEY_get_raw_private_key(evp, seed.p, &n) == 1 || mf_fail_nomem(err) == 0))
		k = mf_privkey_from_secret(MF_KEY_ED25519, mf_secret_bytes(&seed), err);
	if (!k)
		(void)mf_wrap(err, "key file");
	return k;
}

static struct mf_privkey *from_p8(const PKCS8_PRIV_KEY_INFO *info, struct mf_err *err)
{
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = NULL;
	const ASN1_OBJECT *oid = NULL;
	const unsigned char *p = NULL;
	char name[64];
	int n = 0;

	if (PKCS8_pkey_get0(&oid, &p, &n, NULL, info) != 1 || OBJ_obj2txt(name, sizeof name, oid, 1) <= 0)
		return fail_key(err, "damaged PKCS #8");
	if (strcmp(name, ED25519_OID) == 0)
		return from_ed25519_96((struct mf_bytes){p, (size_t)n}, err);
	/* Read here, because OpenSSL's decoder frees a copy of the seed without wiping it. RFC 8410: the
	 * seed is an OCTET STRING inside another. */
	if (OBJ_obj2nid(oid) == NID_ED25519 && n == 2 + SEED_N && p[0] == V_ASN1_OCTET_STRING &&
	    p[1] == SEED_N)
		return mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){p + 2, SEED_N}, err);
	evp = EVP_PKCS82PKEY(info);
	if (!evp)
		return fail_key(err, "no usable private key");
	return from_evp(evp, err);
}

static struct mf_privkey *from_p8_der(struct mf_bytes der, struct mf_err *err)
{
	const unsigned char *p = der.p;
	PKCS8_PRIV_KEY_INFO *info MF_P8_CLEANUP = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.n);

	if (!info || p != der.p + der.n)
		return fail_key(err, "damaged PKCS #8");
	return from_p8(info, err);
}

/* ---- PBES2 */

static bool nid_ok(int nid)
{
	return nid == NID_aes_128_cbc || nid == NID_aes_192_cbc || nid == NID_aes_256_cbc ||
	       nid == NID_des_ede3_cbc;
}

/* The pseudorandom function is not checked: OpenSSL uses the one that the file names. (The notary CLI
 * always uses HMAC-SHA1.) */
static int check_pbkdf2(const X509_ALGOR *alg, struct mf_err *err)
{
	PBKDF2PARAM *kdf MF_CLEANUP(pbkdf2_cleanup) =
	    ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), alg->parameter);
	int64_t rounds = 0;

	if (!kdf || ASN1_INTEGER_get_int64(&rounds, kdf->iter) != 1)
		return fail_pem(err, "damaged parameters of PBKDF2");
	if (rounds < 1 || rounds > MF_MAX_PBKDF2_ROUNDS)
		return fail_pem(err, "the number of PBKDF2 rounds is out of range");
	return 0;
}

/* OpenSSL limits the memory of scrypt, but not its time: with small blocks, the parallelization parameter
 * may be huge. */
static int check_scrypt(const X509_ALGOR *alg, struct mf_err *err)
{
	SCRYPT_PARAMS *kdf MF_CLEANUP(scrypt_cleanup) =
	    ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), alg->parameter);
	uint64_t n = 0, r = 0, p = 0;

	if (!kdf || ASN1_INTEGER_get_uint64(&n, kdf->costParameter) != 1 ||
	    ASN1_INTEGER_get_uint64(&r, kdf->blockSize) != 1 ||
	    ASN1_INTEGER_get_uint64(&p, kdf->parallelizationParameter) != 1)
		return fail_pem(err, "damaged parameters of scrypt");
	if (!n || !r || !p || n > MF_MAX_SCRYPT_COST || r > MF_MAX_SCRYPT_COST / n ||
	    p > MF_MAX_SCRYPT_COST / (n * r))
		return fail_pem(err, "the cost of scrypt is out of range");
	return 0;
}

static int check_kdf(const X509_ALGOR *alg, struct mf_err *err)
{
	switch (OBJ_obj2nid(alg->algorithm)) {
	case NID_id_pbkdf2:
		return check_pbkdf2(alg, err);
	case NID_id_scrypt:
		return check_scrypt(alg, err);
	default:
		return fail_pem(err, "protected in another way than PBKDF2 or scrypt");
	}
}

static int check_pbes2(const X509_ALGOR *alg, struct mf_err *err)
{
	PBE2PARAM *pbe MF_CLEANUP(pbe2_cleanup) = NULL;

	if (OBJ_obj2nid(alg->algorithm) == NID_pbes2)
		pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), alg->parameter);
	if (!pbe)
		return fail_pem(err, "protected in another way than PBES2");
	if (!nid_ok(OBJ_obj2nid(pbe->encryption->algorithm)))
		return fail_pem(err, "protected with another cipher than AES or triple DES in CBC mode");
	return check_kdf(pbe->keyfunc, err);
}

static struct mf_privkey *from_encrypted(struct mf_bytes der, const struct mf_secret *passphrase,
					 struct mf_err *err)
{
	const unsigned char *p = der.p;
	X509_SIG *box MF_CLEANUP(x509_sig_cleanup) = d2i_X509_SIG(NULL, &p, (long)der.n);
	PKCS8_PRIV_KEY_INFO *info MF_P8_CLEANUP = NULL;
	const X509_ALGOR *alg;

	if (!box || p != der.p + der.n)
		return fail_key(err, "damaged encrypted PKCS #8");
	X509_SIG_get0(box, &alg, NULL);
	if (check_pbes2(alg, err) < 0 || mf_key_check_passphrase(passphrase, err) < 0)
		return NULL;
	info = PKCS8_decrypt(box, (const char *)passphrase->p, (int)passphrase->n);
	if (!info) {
		mf_key_fail_wrong(err);
		return NULL;
	}
	return from_p8(info, err);
}

/* ---- PEM blocks older than PKCS #8, in clear or encrypted as in RFC 1421 */

static int give_passphrase(char *buf, int size, int writing, void *arg)
{
	const struct mf_secret *s = arg;

	(void)writing;
	if (s->n > (size_t)size)
		return -1;
	memcpy(buf, s->p, s->n);
	return (int)s->n;
}

/* Decrypts a block in place. An unencrypted block is left as it is. */
static int open_legacy(struct mf_pem_block *b, const struct mf_secret *passphrase, struct mf_err *err)
{
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	EVP_CIPHER_INFO cipher;
	long n = (long)b->der_n;

	if (!strstr(b->headers, "DEK-Info:"))
		return 0;
	if (PEM_get_EVP_CIPHER_INFO(b->headers, &cipher) != 1 || !cipher.cipher ||
	    !nid_ok(EVP_CIPHER_get_nid(cipher.cipher)))
		return fail_pem(err, "unsupported encryption header");
	if (mf_key_check_passphrase(passphrase, err) < 0)
		return -1;
	/* give_passphrase gets a buffer of PEM_BUFSIZE from OpenSSL. */
	if (passphrase->n > PEM_BUFSIZE || mf_secret_copy(&pass, mf_secret_bytes(passphrase), err) < 0)
		return err->code
			   ? -1
			   : mf_fail(err, MF_E_KEY, 0, "the passphrase has more than %d bytes", PEM_BUFSIZE);
	if (PEM_do_header(&cipher, b->der, &n, give_passphrase, &pass) != 1 || n < 0 || (size_t)n > b->der_n)
		return mf_key_fail_wrong(err);
	mf_wipe(b->der + n, b->der_n - (size_t)n);
	b->der_n = (size_t)n;
	return 0;
}

static struct mf_privkey *from_legacy(struct mf_pem_block *b, int type, const struct mf_secret *passphrase,
				      struct mf_err *err)
{
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = NULL;
	const unsigned char *p;

	if (open_legacy(b, passphrase, err) < 0)
		return NULL;
	if (type == EVP_PKEY_ED25519)
		return from_ed25519_96((struct mf_bytes){b->der, b->der_n}, err);
	p = b->der;
	evp = d2i_PrivateKey(type, NULL, &p, (long)b->der_n);
	if (evp && p == b->der + b->der_n)
		return from_evp(evp, err);
	/* A wrong passphrase passes the padding check once in 256 times. */
	if (strstr(b->headers, "DEK-Info:")) {
		mf_key_fail_wrong(err);
		return NULL;
	}
	return fail_key(err, "damaged private key");
}

static struct mf_privkey *from_block(struct mf_pem_block *b, const struct mf_secret *passphrase,
				     struct mf_err *err)
{
	static const struct {
		const char *label;
		int type;
	} legacy[] = {
	    {"EC PRIVATE KEY", EVP_PKEY_EC},
	    {"RSA PRIVATE KEY", EVP_PKEY_RSA},
	    {"ED25519 PRIVATE KEY", EVP_PKEY_ED25519},
	};
	const struct mf_bytes der = {b->der, b->der_n};

	if (strcmp(b->label, "ENCRYPTED PRIVATE KEY") == 0)
		return from_encrypted(der, passphrase, err);
	if (strcmp(b->label, "PRIVATE KEY") == 0)
		return from_p8_der(der, err);
	if (strcmp(b->label, "OPENSSH PRIVATE KEY") == 0)
		return mf_openssh_key_read(der, passphrase, err);
	for (size_t i = 0; i < sizeof legacy / sizeof legacy[0]; i++) {
		if (strcmp(b->label, legacy[i].label) == 0)
			return from_legacy(b, legacy[i].type, passphrase, err);
	}
	return fail_key(err, "no private key");
}

/* Finds the one block that is not "EC PARAMETERS". OpenSSL writes that block before a key, but the key
 * names its curve itself. */
static int only_key(struct mf_str text, struct mf_pem_block *out, struct mf_err *err)
{
	struct mf_pem_reader *r MF_PEM_READER_CLEANUP = mf_pem_reader_new(text, MF_MAX_KEYFILE_BYTES, err);
	int more = r ? 1 : -1;
	while (more > 0) {
		struct mf_pem_block b MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
		more = mf_pem_next(r, &b, err);
		if (more <= 0 || strcmp(b.label, "EC PARAMETERS") == 0)
			continue;
		if (out->label)
			return mf_fail(err, MF_E_FORMAT, 0, "more than one PEM block");
		*out = b;
		b = (struct mf_pem_block)MF_PEM_BLOCK_INIT;
	}
	if (more < 0)
		return -1;
	return out->label ? 0 : mf_fail(err, MF_E_FORMAT, 0, "no PEM block");
}

static int read_key(struct mf_notary_key *out, struct mf_str text, const struct mf_secret *passphrase,
		    struct mf_err *err)
{
	struct mf_pem_block b MF_PEM_BLOCK_CLEANUP = MF_PEM_BLOCK_INIT;
	struct mf_notary_key k;

	if (mf_crypto_ready(err) < 0)
		return -1;
	if (only_key(text, &b, err) < 0)
		return mf_wrap(err, "key file");
	if (get_header(b.headers, "role", k.role, err) < 0 || get_header(b.headers, "gun", k.gun, err) < 0)
		return -1;
	k.key = from_block(&b, passphrase, err);
	if (!k.key)
		return -1;
	*out = k;
	return 0;
}

int mf_notary_key_read(struct mf_notary_key *out, struct mf_str text, const struct mf_secret *passphrase,
		       struct mf_err *err)
{
	MF_OSSL_QUIET;
	int rc = read_key(out, text, passphrase, err);
	return rc == 0 || !mf_ossl_try_again(err) ? rc : read_key(out, text, passphrase, err);
}

/* ---- writing */

/* Takes ownership of oid in every case, of pval on success only. */
static PKCS8_PRIV_KEY_INFO *p8_make(int version, ASN1_OBJECT *oid, int ptype, void *pval, const uint8_t *key,
				    int n)
{
	PKCS8_PRIV_KEY_INFO *info = PKCS8_PRIV_KEY_INFO_new();
	unsigned char *copy = OPENSSL_memdup(key, (size_t)n);

	if (info && copy && oid && PKCS8_pkey_set0(info, oid, version, ptype, pval, copy, n) == 1)
		return info;
	ASN1_OBJECT_free(oid);
	OPENSSL_clear_free(copy, (size_t)n);
	PKCS8_PRIV_KEY_INFO_free(info);
	return NULL;
}

static PKCS8_PRIV_KEY_INFO *ed25519_p8(const struct mf_privkey *key, struct mf_err *err)
{
	struct mf_secret seed MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_secret all MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_bytes pub = mf_pubkey_ed25519(mf_privkey_public(key));
	PKCS8_PRIV_KEY_INFO *info;

	if (mf_privkey_to_secret(key, &seed, err) < 0 || mf_secret_alloc(&all, ED25519_N, err) < 0)
		return NULL;
	memcpy(all.p, pub.p, 32);
	memcpy(all.p + 32, seed.p, 32);
	memcpy(all.p + 64, pub.p, 32);
	info = p8_make(0, OBJ_txt2obj(ED25519_OID, 1), V_ASN1_UNDEF, NULL, all.p, ED25519_N);
	if (!info)
		mf_fail_nomem(err);
	return info;
}

/* Writes the key as Go does, with the curve in both places and version 1. OpenSSL would leave the curve
 * out of the inner SEC1 key and write version 0. */
static PKCS8_PRIV_KEY_INFO *ecdsa_p8(EVP_PKEY *evp, struct mf_err *err)
{
	struct mf_ossl_mem sec1 MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	ASN1_OBJECT *curve;
	char group[64];
	int n = i2d_PrivateKey(evp, &sec1.p);

	if (n > 0 && EVP_PKEY_get_group_name(evp, group, sizeof group, NULL) == 1) {
		sec1.n = (size_t)n;
		curve = OBJ_dup(OBJ_nid2obj(OBJ_sn2nid(group)));
		if (curve)
			info = p8_make(1, OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT, curve, sec1.p,
				       n);
		if (!info)
			ASN1_OBJECT_free(curve);
	}
	if (!info)
		mf_fail(err, MF_E_INTERNAL, 0, "encode a private key");
	return info;
}

/* Omits the NULL parameter as Go does (contrary to RFC 8017 appendix A.1). */
static PKCS8_PRIV_KEY_INFO *rsa_p8(EVP_PKEY *evp, struct mf_err *err)
{
	struct mf_ossl_mem pkcs1 MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	int n = i2d_PrivateKey(evp, &pkcs1.p);

	if (n > 0) {
		pkcs1.n = (size_t)n;
		info = p8_make(0, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_UNDEF, NULL, pkcs1.p, n);
	}
	if (!info)
		mf_fail(err, MF_E_INTERNAL, 0, "encode a private key");
	return info;
}

static PKCS8_PRIV_KEY_INFO *to_p8(const struct mf_privkey *key, struct mf_err *err)
{
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = NULL;

	if (mf_pubkey_type(mf_privkey_public(key)) == MF_KEY_ED25519)
		return ed25519_p8(key, err);
	evp = mf_privkey_evp(key, err);
	if (!evp)
		return NULL;
	return mf_pubkey_type(mf_privkey_public(key)) == MF_KEY_ECDSA ? ecdsa_p8(evp, err) : rsa_p8(evp, err);
}

/* Parameters of PBKDF2: pseudorandom function, rounds, length of the salt. */
struct cost {
	int prf, rounds, salt_n;
};
static const struct cost notary_cost = {NID_hmacWithSHA1, 2048, 8},
			 pkcs8_cost = {NID_hmacWithSHA256, 600000, MAX_SALT};

static int encrypt(PKCS8_PRIV_KEY_INFO *info, const struct mf_secret *passphrase, const struct cost *cost,
		   struct mf_ossl_mem *out, struct mf_err *err)
{
	unsigned char salt[MAX_SALT];
	X509_SIG *box MF_CLEANUP(x509_sig_cleanup) = NULL;
	X509_ALGOR *alg;
	int n = -1;

	mf_random(salt, sizeof salt);
	alg = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), cost->rounds, salt, cost->salt_n, NULL, cost->prf);
	if (alg)
		box = PKCS8_set0_pbe((const char *)passphrase->p, (int)passphrase->n, info, alg);
	if (!box)
		X509_ALGOR_free(alg);
	if (box)
		n = i2d_X509_SIG(box, &out->p);
	if (n <= 0)
		return mf_fail(err, MF_E_INTERNAL, 0, "encrypt a private key");
	out->n = (size_t)n;
	return 0;
}

static int to_der(PKCS8_PRIV_KEY_INFO *info, struct mf_ossl_mem *out, struct mf_err *err)
{
	int n = i2d_PKCS8_PRIV_KEY_INFO(info, &out->p);

	if (n <= 0)
		return mf_fail(err, MF_E_INTERNAL, 0, "encode a private key");
	out->n = (size_t)n;
	return 0;
}

/* Refuses line breaks in a value, which could forge another header. */
static int add_header(struct mf_buf *out, const char *name, const char *value, struct mf_err *err)
{
	if (!*value)
		return 0;
	if (strlen(value) >= HEADER_MAX || value[strcspn(value, "\r\n")])
		return mf_fail(err, MF_E_USAGE, 0, "'%s' cannot be a header of a notary key file", name);
	return mf_buf_printf(out, err, "%s: %s\n", name, value);
}

int mf_notary_key_write(struct mf_buf *out, const struct mf_privkey *key, const char *role, const char *gun,
			const struct mf_secret *passphrase, struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_ossl_mem der MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	struct mf_buf headers MF_BUF_CLEANUP = MF_BUF_INIT(3 * HEADER_MAX);
	PKCS8_PRIV_KEY_INFO *info MF_P8_CLEANUP = NULL;

	if (passphrase && mf_key_check_passphrase(passphrase, err) < 0)
		return -1;
	if (add_header(&headers, "gun", gun, err) < 0 || add_header(&headers, "role", role, err) < 0)
		return -1;
	info = to_p8(key, err);
	if (!info ||
	    (passphrase ? encrypt(info, passphrase, &notary_cost, &der, err) : to_der(info, &der, err)))
		return -1;
	return mf_pem_write(out, passphrase ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY", mf_buf_str(&headers).p,
			    (struct mf_bytes){der.p, der.n}, err);
}

/* RFC 8410: the seed is an OCTET STRING inside another. */
static PKCS8_PRIV_KEY_INFO *ed25519_rfc8410(const struct mf_privkey *key, struct mf_err *err)
{
	struct mf_secret seed MF_SECRET_CLEANUP = MF_SECRET_INIT;
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = NULL;
	if (mf_privkey_to_secret(key, &seed, err) < 0)
		return NULL;
	evp = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.p, seed.n);
	PKCS8_PRIV_KEY_INFO *info = evp ? EVP_PKEY2PKCS8(evp) : NULL;
	if (!info)
		(void)mf_fail_nomem(err);
	return info;
}

static PKCS8_PRIV_KEY_INFO *openssl_p8(const struct mf_privkey *key, struct mf_err *err)
{
	if (mf_pubkey_type(mf_privkey_public(key)) == MF_KEY_ED25519)
		return ed25519_rfc8410(key, err);
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = mf_privkey_evp(key, err);
	PKCS8_PRIV_KEY_INFO *info = evp ? EVP_PKEY2PKCS8(evp) : NULL;
	if (evp && !info)
		(void)mf_fail_nomem(err);
	return info;
}

int mf_pkcs8_key_write(struct mf_buf *out, const struct mf_privkey *key, const struct mf_secret *passphrase,
		       struct mf_err *err)
{
	MF_OSSL_QUIET;
	struct mf_ossl_mem der MF_OSSL_MEM_CLEANUP = MF_OSSL_MEM_INIT;
	PKCS8_PRIV_KEY_INFO *info MF_P8_CLEANUP = NULL;
	if (passphrase && mf_key_check_passphrase(passphrase, err) < 0)
		return -1;
	info = openssl_p8(key, err);
	if (!info ||
	    (passphrase ? encrypt(info, passphrase, &pkcs8_cost, &der, err) : to_der(info, &der, err)))
		return -1;
	return mf_pem_write(out, passphrase ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY", "",
			    (struct mf_bytes){der.p, der.n}, err);
}
