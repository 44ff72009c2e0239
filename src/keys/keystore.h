/* Private keys at rest and the signer interface.
 *
 * Key file (our own, versioned JSON, 0600): name, type, public key and fingerprint in clear; the secret under
 * Argon2id (libsodium crypto_pwhash, ALG_ARGON2ID13) and XChaCha20-Poly1305, the clear part as associated
 * data. */
#ifndef MF_KEYS_KEYSTORE_H
#define MF_KEYS_KEYSTORE_H

#include "base/env.h"
#include "crypto/key.h"

enum mf_passphrase_for { MF_PASSPHRASE_UNLOCK, MF_PASSPHRASE_NEW_KEY /* a person is asked twice */ };
/* Where a passphrase comes from. Called at most once for each key and purpose. 0 with *out filled; -1 with
 * MF_E_KEY, and a message that names the sources that were tried. */
typedef int (*mf_passphrase_fn)(void *arg, const char *key_name, enum mf_passphrase_for purpose,
				struct mf_secret *out, struct mf_err *err);

struct mf_passphrase {
	mf_passphrase_fn get; /* never NULL */
	void *arg;
	bool none; /* --no-passphrase: new keys are written unencrypted */
};

/* What is known of a key without its passphrase. */
struct mf_key_info {
	char *name; /* [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 bytes */
	char *path;
	enum mf_key_type type;
	struct mf_pubkey *pub;
	bool encrypted;
};
void mf_key_info_clear(struct mf_key_info *k);
#define MF_KEY_INFO_CLEANUP MF_CLEANUP(mf_key_info_clear)

bool mf_key_name_valid(const char *name);

/* ---- one key file as bytes */
int mf_keyfile_encode(struct mf_buf *out, const char *name, const struct mf_privkey *key,
		      const struct mf_secret *passphrase /* NULL: none */, struct mf_err *err) MF_NODISCARD;
/* The clear part only. Stored public key, type and fingerprint must fit each other. MF_E_FORMAT. */
int mf_keyfile_info(struct mf_key_info *out, struct mf_bytes file, struct mf_err *err) MF_NODISCARD;
/* MF_E_KEY: wrong passphrase or none given; MF_E_FORMAT: malformed, or a KDF cost above the limits; the
 * secret must give the stored public key. */
struct mf_privkey *mf_keyfile_decode(struct mf_bytes file, const struct mf_secret *passphrase,
				     struct mf_err *err) MF_NODISCARD;

/* ---- the directory $MANIFESTO_HOME/keys: NAME.key */
struct mf_keystore;
/* The directory need not exist. env and pass are borrowed and must outlive it. */
struct mf_keystore *mf_keystore_new(const char *dir, const struct mf_passphrase *pass,
				    const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
void mf_keystore_free(struct mf_keystore *ks);
/* Another process may have made keys since the directory was read: the next call looks for new files in it. */
void mf_keystore_rescan(struct mf_keystore *ks);
/* All keys by name (read once and kept). Files that are no key file, or readable by others, are passed over
 * with a warning in the log. Borrowed until the next change. */
int mf_keystore_list(struct mf_keystore *ks, const struct mf_key_info **out, size_t *n,
		     struct mf_err *err) MF_NODISCARD;
/* By name, or by fingerprint (64 hex digits, or a prefix of at least 8 that is unique). NULL and MF_E_KEY
 * when absent. Borrowed. */
const struct mf_key_info *mf_keystore_find(struct mf_keystore *ks, const char *name_or_fp,
					   struct mf_err *err) MF_NODISCARD;
/* NULL (no error) when we do not hold it. */
const struct mf_key_info *mf_keystore_find_fp(struct mf_keystore *ks, const struct mf_digest *fingerprint);
/* Makes and stores a key, O_EXCL: an existing name is MF_E_CONFLICT. A passphrase is asked for unless
 * pass->none. The key stays unlocked in memory. */
int mf_keystore_generate(struct mf_keystore *ks, const char *name, enum mf_key_type t,
			 const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;
/* Stores an existing private key under a name. */
int mf_keystore_add(struct mf_keystore *ks, const char *name, const struct mf_privkey *key,
		    const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;
/* Unlocks (once a process) and lends the private key. MF_E_KEY. */
int mf_keystore_unlock(struct mf_keystore *ks, const struct mf_key_info *k, const struct mf_privkey **out,
		       struct mf_err *err) MF_NODISCARD;

/* ---- the signer: one interface for key files now, agents, tokens and external commands later */
struct mf_signer {
	struct mf_pubkey *pub; /* borrowed */
	const char *name;      /* borrowed */
	/* Appends the signature. 0; 1: pending (made elsewhere, later); -1. */
	int (*sign)(void *arg, enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_buf *sig,
		    struct mf_err *err);
	void *arg;
};
/* A signer on a key of the store; unlocks at the first signature. Valid while the store is. */
int mf_keystore_signer(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_signer *out,
		       struct mf_err *err) MF_NODISCARD;
/* Appends a signature; one that is pending is MF_E_KEY. */
int mf_signer_sign(const struct mf_signer *s, enum mf_sig_scheme scheme, struct mf_bytes msg,
		   struct mf_buf *sig, struct mf_err *err) MF_NODISCARD;

#endif
