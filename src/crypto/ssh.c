#include "crypto/ssh.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

/* 8192 bits and a sign octet. */
#define MAX_NUMBER ((size_t)1025)

MF_OSSL_CLEANUP_FN(OSSL_PARAM_BLD, bld_cleanup, OSSL_PARAM_BLD_free)
MF_OSSL_CLEANUP_FN(OSSL_PARAM, params_cleanup, OSSL_PARAM_free)
MF_OSSL_CLEANUP_FN(BN_CTX, bn_ctx_cleanup, BN_CTX_free)

bool mf_ssh_take_octets(struct mf_bytes *in, const void *octets, size_t n)
{
	if (in->n < n || memcmp(in->p, octets, n) != 0)
		return false;
	*in = (struct mf_bytes){in->p + n, in->n - n};
	return true;
}

bool mf_ssh_take_number(struct mf_bytes *in, uint32_t *out)
{
	if (in->n < 4)
		return false;
	*out = (uint32_t)in->p[0] << 24 | (uint32_t)in->p[1] << 16 | (uint32_t)in->p[2] << 8 | in->p[3];
	*in = (struct mf_bytes){in->p + 4, in->n - 4};
	return true;
}

bool mf_ssh_take(struct mf_bytes *in, struct mf_bytes *out)
{
	struct mf_bytes rest = *in;
	uint32_t n;
	if (!mf_ssh_take_number(&rest, &n) || n > rest.n)
		return false;
	*out = (struct mf_bytes){rest.p, n};
	*in = (struct mf_bytes){rest.p + n, rest.n - n};
	return true;
}

static bool is(struct mf_bytes b, const char *text)
{
	return mf_str_eqz(mf_str_of(b), text);
}

static EVP_PKEY *make(const char *type, OSSL_PARAM_BLD *b, int selection)
{
	EVP_PKEY *evp = NULL;
	EVP_PKEY_CTX *ctx MF_EVP_PKEY_CTX_CLEANUP = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params MF_CLEANUP(params_cleanup) = OSSL_PARAM_BLD_to_param(b);
	if (ctx && params && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &evp, selection, params);
	return evp;
}

EVP_PKEY *mf_ssh_ecdsa(struct mf_bytes curve, struct mf_bytes point, const struct mf_bytes *secret)
{
	OSSL_PARAM_BLD *b MF_CLEANUP(bld_cleanup) = OSSL_PARAM_BLD_new();
	const char *group = is(curve, "nistp256")   ? "prime256v1"
			    : is(curve, "nistp384") ? "secp384r1"
			    : is(curve, "nistp521") ? "secp521r1"
						    : NULL;
	/* Only uncompressed points: each key must have one encoding. */
	if (!b || !group || !point.n || point.p[0] != 4 || (secret && secret->n > MAX_NUMBER))
		return NULL;
	BIGNUM *number = BN_secure_new();
	EVP_PKEY *evp = NULL;
	if (number && (!secret || BN_bin2bn(secret->p, (int)secret->n, number)) &&
	    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n) == 1 &&
	    (!secret || OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1))
		evp = make("EC", b, secret ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
	BN_clear_free(number);
	return evp;
}

/* The numbers of a private RSA key. OpenSSH leaves two of them out: d mod (p-1) and d mod (q-1). */
enum { N, E, D, P, Q, INVERSE, D_P, D_Q, NUMBERS, PUBLIC_NUMBERS = D };

static bool reduce(BIGNUM *out, const BIGNUM *d, const BIGNUM *prime, BN_CTX *ctx)
{
	BIGNUM *less = BN_secure_new();
	bool ok = less && !BN_is_zero(prime) && BN_sub(less, prime, BN_value_one()) == 1 &&
		  !BN_is_zero(less) && BN_mod(out, d, less, ctx) == 1;
	BN_clear_free(less);
	return ok;
}

EVP_PKEY *mf_ssh_rsa(const struct mf_ssh_rsa *k)
{
	static const char *const names[NUMBERS] = {
	    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,        OSSL_PKEY_PARAM_RSA_D,
	    OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,  OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	    OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2};
	const struct mf_bytes given[] = {k->n, k->e, k->d, k->p, k->q, k->inverse};
	OSSL_PARAM_BLD *b MF_CLEANUP(bld_cleanup) = OSSL_PARAM_BLD_new();
	BN_CTX *ctx MF_CLEANUP(bn_ctx_cleanup) = BN_CTX_secure_new();
	BIGNUM *v[NUMBERS] = {NULL};
	EVP_PKEY *evp = NULL;
	const size_t n = k->d.n ? NUMBERS : PUBLIC_NUMBERS;
	bool ok = b && ctx;
	for (size_t i = 0; ok && i < n; i++) {
		v[i] = BN_secure_new();
		ok = v[i] != NULL;
		if (ok && i < D_P)
			ok = given[i].n <= MAX_NUMBER && BN_bin2bn(given[i].p, (int)given[i].n, v[i]);
		else if (ok)
			ok = reduce(v[i], v[D], v[i == D_P ? P : Q], ctx);
		ok = ok && OSSL_PARAM_BLD_push_BN(b, names[i], v[i]) == 1;
	}
	if (ok)
		evp = make("RSA", b, k->d.n ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
	for (size_t i = 0; i < NUMBERS; i++)
		BN_clear_free(v[i]);
	return evp;
}

/* Takes a positive number in its only encoding: a leading zero octet only where the highest bit would
 * otherwise be set. */
static bool take_positive(struct mf_bytes *in, struct mf_bytes *out)
{
	return mf_ssh_take(in, out) && out->n && !(out->p[0] & 0x80) &&
	       (out->p[0] || (out->n > 1 && (out->p[1] & 0x80)));
}

static struct mf_pubkey *damaged(struct mf_err *err)
{
	(void)mf_ossl_fail(err, MF_E_FORMAT, "damaged OpenSSH public key");
	return NULL;
}

static struct mf_pubkey *pubkey(struct mf_bytes in, struct mf_err *err)
{
	EVP_PKEY *evp MF_EVP_PKEY_CLEANUP = NULL;
	struct mf_bytes kind, a, b;
	if (!mf_ssh_take(&in, &kind))
		return damaged(err);
	if (is(kind, "ssh-ed25519"))
		return mf_ssh_take(&in, &a) && !in.n ? mf_pubkey_from_ed25519(a, err) : damaged(err);
	if (is(kind, "ssh-rsa")) {
		if (take_positive(&in, &a) && take_positive(&in, &b) && !in.n)
			evp = mf_ssh_rsa(&(struct mf_ssh_rsa){.n = b, .e = a});
	} else if (mf_str_starts(mf_str_of(kind), MF_STR("ecdsa-sha2-"))) {
		if (mf_ssh_take(&in, &a) && mf_ssh_take(&in, &b) && !in.n && kind.n == a.n + 11 &&
		    memcmp(kind.p + 11, a.p, a.n) == 0)
			evp = mf_ssh_ecdsa(a, b, NULL);
	} else {
		(void)mf_fail(err, MF_E_FORMAT, 0,
			      "expected an OpenSSH key of type ssh-ed25519, ecdsa-sha2-nistp256, -384, -521, "
			      "or ssh-rsa");
		return NULL;
	}
	return evp ? mf_pubkey_from_evp(evp, err) : damaged(err);
}

struct mf_pubkey *mf_ssh_pubkey(struct mf_bytes blob, struct mf_err *err)
{
	MF_OSSL_QUIET;
	return pubkey(blob, err);
}
