/* Keys by name, and signers that use them.
 *
 * A key is a key file, or a reference to where the private key is: an agent, a token, a command, an
 * environment variable or a descriptor (keys/source.h). Both have a file in the keys directory with the
 * public key in clear, so that listing keys and checking roles needs neither passphrase nor agent.
 *
 * Key file (our own format, versioned JSON, mode 0600): name, type, public key and fingerprint are in
 * clear; the secret is encrypted with XChaCha20-Poly1305 under a key from Argon2id (libsodium
 * crypto_pwhash, ALG_ARGON2ID13), with the clear part as associated data. */
#ifndef MF_KEYS_KEYSTORE_H
#define MF_KEYS_KEYSTORE_H

#include "base/env.h"
#include "crypto/key.h"

enum mf_passphrase_for { MF_PASSPHRASE_UNLOCK, MF_PASSPHRASE_NEW_KEY /* ask a person twice */ };
/* Gets a passphrase. Called at most once for each key and purpose. Returns 0 and fills *out; or -1 with
 * MF_E_KEY and a message that names the sources that were tried. */
typedef int (*mf_passphrase_fn)(void *arg, const char *key_name, enum mf_passphrase_for purpose,
				struct mf_secret *out, struct mf_err *err);

struct mf_passphrase {
	mf_passphrase_fn get; /* never NULL */
	void *arg;
	bool none; /* --no-passphrase: new keys are written unencrypted */
};

/* Reads a private key in any supported format (formats.h). Asks for a passphrase if the key is encrypted. */
struct mf_privkey *mf_key_read(const struct mf_passphrase *p, const char *name, struct mf_str text,
			       struct mf_err *err) MF_NODISCARD;

/* The part of a key that is known without its passphrase. */
struct mf_key_info {
	char *name; /* [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 bytes */
	char *path;
	enum mf_key_type type;
	struct mf_pubkey *pub;
	bool encrypted;
	char *source; /* where the private key is: "ssh-agent:SHA256:..."; NULL: in this file */
	char **args;  /* arguments of a command, ending with NULL; else NULL */
};
#define MF_KEY_INFO_INIT                                                                                     \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}
void mf_key_info_clear(struct mf_key_info *k);
#define MF_KEY_INFO_CLEANUP MF_CLEANUP(mf_key_info_clear)

bool mf_key_name_valid(const char *name);

/* ---- the bytes of a key file */
int mf_keyfile_encode(struct mf_buf *out, const char *name, const struct mf_privkey *key,
		      const struct mf_secret *passphrase /* NULL: none */, struct mf_err *err) MF_NODISCARD;
/* Reads the clear part only. MF_E_FORMAT: malformed, or public key, type and fingerprint do not match each
 * other. */
int mf_keyfile_info(struct mf_key_info *out, struct mf_bytes file, struct mf_err *err) MF_NODISCARD;
/* Decrypts a key file. MF_E_KEY: the passphrase is wrong or missing; MF_E_FORMAT: malformed, the cost of
 * the KDF is above the limits, or the secret does not belong to the public key. */
struct mf_privkey *mf_keyfile_decode(struct mf_bytes file, const struct mf_secret *passphrase,
				     struct mf_err *err) MF_NODISCARD;

/* ---- the directory $MANIFESTO_HOME/keys: NAME.key */
struct mf_keystore;
/* The directory need not exist. env and pass are borrowed and must outlive the store. */
struct mf_keystore *mf_keystore_new(const char *dir, const struct mf_passphrase *pass,
				    const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
void mf_keystore_free(struct mf_keystore *ks);
/* The next call reads the directory again: another process may have made keys since it was read. */
void mf_keystore_rescan(struct mf_keystore *ks);
/* All keys, sorted by name; the directory is read once. Files that are not key files, or that other users
 * can read, are skipped with a warning in the log. *out is borrowed until the next change. */
int mf_keystore_list(struct mf_keystore *ks, const struct mf_key_info **out, size_t *n,
		     struct mf_err *err) MF_NODISCARD;
/* Calls `each` with the name of each key, taken from the file names: no file is opened. `each` returns 0,
 * or -1 to stop. */
int mf_keystore_names(struct mf_keystore *ks, int (*each)(void *arg, const char *name, struct mf_err *err),
		      void *arg, struct mf_err *err) MF_NODISCARD;
/* Finds a key by name, or by fingerprint (64 hex digits, or a unique prefix of at least 8). Returns NULL
 * and MF_E_KEY when there is none. Borrowed. */
const struct mf_key_info *mf_keystore_find(struct mf_keystore *ks, const char *name_or_fp,
					   struct mf_err *err) MF_NODISCARD;
/* Returns NULL without an error when the store does not have the key. Opens key files only until it is
 * found. */
const struct mf_key_info *mf_keystore_find_fp(struct mf_keystore *ks, const struct mf_digest *fingerprint);
/* Makes a key and stores it in a new file. MF_E_CONFLICT: the name exists. A passphrase is asked for
 * unless pass->none. The key stays unlocked in memory. */
int mf_keystore_generate(struct mf_keystore *ks, const char *name, enum mf_key_type t,
			 const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;
/* Adds a key whose file is outside the store, in memory only; it then signs like the keys of the store.
 * Takes ownership of the key, also on failure. MF_E_CONFLICT: the name is taken. */
int mf_keystore_lend(struct mf_keystore *ks, const char *name, const char *path, struct mf_privkey *taken,
		     const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;
/* Stores an existing private key under a name, as mf_keystore_generate does. */
int mf_keystore_add(struct mf_keystore *ks, const char *name, const struct mf_privkey *key,
		    const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;
/* Stores a reference to a key that is elsewhere, after the key was found there. MF_E_USAGE: malformed;
 * MF_E_KEY: the key is not there; MF_E_CONFLICT: the name exists. */
struct mf_key_place {
	const char *source;
	const char *const *args; /* arguments of a command, ending with NULL; or NULL */
};
int mf_keystore_add_reference(struct mf_keystore *ks, const char *name, const struct mf_key_place *at,
			      const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;

/* Removes the key's file. Infos of it that were borrowed stay readable. */
int mf_keystore_remove(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_err *err) MF_NODISCARD;
/* Writes a file with the new name, then removes the old one. A passphrase also protects the name, so it is
 * asked for. MF_E_CONFLICT: the name exists. *out is borrowed; *k must not be used any more. */
int mf_keystore_rename(struct mf_keystore *ks, const struct mf_key_info *k, const char *name,
		       const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;
/* Encrypts the file under a new passphrase, which is asked for unless pass->none; on failure the file
 * stays as it was. MF_E_USAGE: the key is a reference. */
int mf_keystore_passwd(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_err *err) MF_NODISCARD;

/* What references to keys need from the program, because the library itself reads no environment
 * variables. Borrowed. */
struct mf_key_access {
	const char *ssh_agent; /* path of the agent's socket; NULL: there is none */
	/* Reads the text of a private key at "env:NAME" or "fd:N". MF_E_KEY. NULL: there are no such keys. */
	int (*text)(void *arg, const char *source, struct mf_secret *out, struct mf_err *err);
	void *text_arg;
};
void mf_keystore_set_access(struct mf_keystore *ks, const struct mf_key_access *access);
/* Returns whether a key of the store is in this environment variable. For mf_env.hides. */
bool mf_keystore_hides(void *ks, struct mf_str variable);

/* Makes a signer with a key of the store. Passphrase or PIN are asked for, and sessions are opened, at the
 * first signature and once per run; a failed attempt is not repeated. The signer is valid as long as the
 * store. */
int mf_keystore_signer(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_signer *out,
		       struct mf_err *err) MF_NODISCARD;

#endif
