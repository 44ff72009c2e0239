/* Public and private keys and signatures: ed25519 by libsodium, ECDSA and RSA by OpenSSL. */
#ifndef MF_CRYPTO_KEY_H
#define MF_CRYPTO_KEY_H

#include "base/digest.h"
#include "crypto/secret.h"

enum mf_key_type {
	MF_KEY_ED25519,
	MF_KEY_ECDSA, /* P-224, P-256, P-384, P-521 */
	MF_KEY_RSA,   /* at least 2048 bits, at most 8192 */
};

/* How a signature is made and encoded. */
enum mf_sig_scheme {
	MF_SIG_ED25519,          /* RFC 8032, 64 octets */
	MF_SIG_ECDSA_RAW_SHA256, /* Notary: r||s, each padded to ceil(bits/8); SHA-256 on every curve */
	MF_SIG_ECDSA_DER_SHA256, /* TUF ecdsa-sha2-nistp256 and others: DER */
	MF_SIG_ECDSA_DER_SHA384, /* TUF ecdsa-sha2-nistp384 */
	MF_SIG_RSA_PSS_SHA256,   /* MGF1-SHA-256, salt exactly 32 octets */
	MF_SIG_RSA_PSS_SHA256_ANY_SALT, /* the same, any salt length (TUF rsassa-pss-sha256) */
	MF_SIG_RSA_PKCS1_SHA256,        /* PKCS #1 v1.5 */
};

/* Immutable, reference counted (not thread-safe). */
struct mf_pubkey;
struct mf_pubkey *mf_pubkey_ref(struct mf_pubkey *k);
void mf_pubkey_unref(struct mf_pubkey *k); /* NULL is fine */
static inline void mf_pubkey_cleanup(struct mf_pubkey **k)
{
	mf_pubkey_unref(*k);
}
#define MF_PUBKEY_CLEANUP MF_CLEANUP(mf_pubkey_cleanup)

/* Constructors: NULL with MF_E_FORMAT for anything else than exactly one usable key. */
struct mf_pubkey *mf_pubkey_from_ed25519(struct mf_bytes raw32, struct mf_err *err) MF_NODISCARD;
/* DER SubjectPublicKeyInfo, all octets consumed. */
struct mf_pubkey *mf_pubkey_from_spki(struct mf_bytes der, struct mf_err *err) MF_NODISCARD;
/* A point of a named curve: the curve's OBJECT IDENTIFIER in DER, and the uncompressed point. */
struct mf_pubkey *mf_pubkey_from_point(struct mf_bytes curve, struct mf_bytes point,
				       struct mf_err *err) MF_NODISCARD;
/* PEM "PUBLIC KEY", or PEM "CERTIFICATE" (its key). */
struct mf_pubkey *mf_pubkey_from_pem(struct mf_str text, struct mf_err *err) MF_NODISCARD;
/* A text: such a PEM, one OpenSSH line (ssh-ed25519, ecdsa-sha2-*, ssh-rsa), or a public key of minisign
 * or signify, as its file or as the base64 line alone. */
struct mf_pubkey *mf_pubkey_from_text(struct mf_str text, struct mf_err *err) MF_NODISCARD;
/* Returns whether the text begins like one of these formats, and not like a file name. */
bool mf_pubkey_is_text(struct mf_str text);

enum mf_key_type mf_pubkey_type(const struct mf_pubkey *k);
const char *mf_key_type_name(enum mf_key_type t); /* "ed25519", "ecdsa", "rsa" */
/* DER SubjectPublicKeyInfo (RFC 5280; RFC 8410 for ed25519). Borrowed. */
struct mf_bytes mf_pubkey_spki(const struct mf_pubkey *k);
/* The 32 octets of an ed25519 key; asserts the type. Borrowed. */
struct mf_bytes mf_pubkey_ed25519(const struct mf_pubkey *k);
/* SHA-256 of the SubjectPublicKeyInfo, which names the key everywhere. */
struct mf_digest mf_pubkey_fingerprint(const struct mf_pubkey *k);
void mf_pubkey_hex(char out[65], const struct mf_pubkey *k); /* the fingerprint in hexadecimal digits */
/* Returns whether both are the same key. NULL equals nothing. */
bool mf_pubkey_eq(const struct mf_pubkey *a, const struct mf_pubkey *b);
/* Bits of an ECDSA curve or RSA modulus; 256 for ed25519. */
unsigned mf_pubkey_bits(const struct mf_pubkey *k);
/* Appends PEM "PUBLIC KEY". */
int mf_pubkey_to_pem(const struct mf_pubkey *k, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Appends one line for OpenSSH; the comment must not contain a line feed. MF_E_USAGE: OpenSSH has no such
 * keys. */
int mf_pubkey_to_openssh(const struct mf_pubkey *k, const char *comment, struct mf_buf *out,
			 struct mf_err *err) MF_NODISCARD;
/* Appends a public key file of minisign; its key number is the start of the fingerprint. MF_E_USAGE: not
 * ed25519. */
int mf_pubkey_to_minisign(const struct mf_pubkey *k, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* Returns 0 only when the signature verifies; else MF_E_SIGNATURE, also when the scheme does not fit the
 * key. */
int mf_sig_verify(const struct mf_pubkey *k, enum mf_sig_scheme scheme, struct mf_bytes msg,
		  struct mf_bytes sig, struct mf_err *err) MF_NODISCARD;

/* Private keys. */
struct mf_privkey;
void mf_privkey_free(struct mf_privkey *k); /* wipes; NULL is fine */
static inline void mf_privkey_cleanup(struct mf_privkey **k)
{
	mf_privkey_free(*k);
}
#define MF_PRIVKEY_CLEANUP MF_CLEANUP(mf_privkey_cleanup)
/* Makes an ed25519 or ECDSA P-256 key. RSA keys are only read (MF_E_USAGE). */
struct mf_privkey *mf_privkey_generate(enum mf_key_type t, struct mf_err *err) MF_NODISCARD;
/* The secret form: ed25519 seed (32 octets), else PKCS #8 DER (unencrypted PrivateKeyInfo). */
struct mf_privkey *mf_privkey_from_secret(enum mf_key_type t, struct mf_bytes secret,
					  struct mf_err *err) MF_NODISCARD;
int mf_privkey_to_secret(const struct mf_privkey *k, struct mf_secret *out, struct mf_err *err) MF_NODISCARD;
struct mf_pubkey *mf_privkey_public(const struct mf_privkey *k); /* borrowed */
/* Appends a signature without verifying it; mf_signer_sign verifies. */
int mf_privkey_sign(const struct mf_privkey *k, enum mf_sig_scheme scheme, struct mf_bytes msg,
		    struct mf_buf *sig, struct mf_err *err) MF_NODISCARD;

/* Append a signature that a program or a device made, given as r||s (raw) or in DER when it is of ECDSA,
 * in the encoding of the scheme. MF_E_SIGNATURE. */
int mf_sig_from_raw(const struct mf_pubkey *k, enum mf_sig_scheme scheme, struct mf_bytes raw,
		    struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
int mf_sig_from_der(const struct mf_pubkey *k, enum mf_sig_scheme scheme, struct mf_bytes der,
		    struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* A source of signatures: a private key, an agent, a token or a command. All signatures are made through a
 * signer. */
struct mf_signer {
	struct mf_pubkey *pub; /* borrowed */
	const char *name;      /* borrowed */
	/* Appends the signature. Returns 0 or -1. */
	int (*sign)(void *arg, enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_buf *sig,
		    struct mf_err *err);
	void *arg;
};
/* Signs, verifies the signature with the signer's public key, and only then appends it: a fault during
 * signing can reveal the private key, and an agent or a command can return anything. MF_E_KEY. */
int mf_signer_sign(const struct mf_signer *s, enum mf_sig_scheme scheme, struct mf_bytes msg,
		   struct mf_buf *sig, struct mf_err *err) MF_NODISCARD;
/* A signer that uses a private key, which is borrowed. */
struct mf_signer mf_privkey_signer(struct mf_privkey *k, const char *name);

#endif
