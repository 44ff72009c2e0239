/* Keys by name, and signers on them.
 *
 * A key is a file of ours, or a reference to where its private part is: an agent, a token, a command, a
 * variable of the environment or a descriptor (keys/source.h). Either has a file in the keys directory with
 * the public key in clear, so that lists, checks of roles and questions need nothing else.
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

/* The private key of a text in any format that we read (formats.h). A passphrase is asked for when reading
 * says that one is missing. */
struct mf_privkey *mf_key_read(const struct mf_passphrase *p, const char *name, struct mf_str text,
			       struct mf_err *err) MF_NODISCARD;

/* What is known of a key without its passphrase. */
struct mf_key_info {
	char *name; /* [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 bytes */
	char *path;
	enum mf_key_type type;
	struct mf_pubkey *pub;
	bool encrypted;
	char *source; /* where the private key is: "ssh-agent:SHA256:..."; NULL: in this file */
	char **args;  /* of a command, as many as there are and NULL; else NULL */
};
#define MF_KEY_INFO_INIT                                                                                     \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}
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
/* Another process may have made keys since the directory was read: the next call looks for new files in it.
 */
void mf_keystore_rescan(struct mf_keystore *ks);
/* All keys by name (read once and kept). Files that are no key file, or readable by others, are passed over
 * with a warning in the log. Borrowed until the next change. */
int mf_keystore_list(struct mf_keystore *ks, const struct mf_key_info **out, size_t *n,
		     struct mf_err *err) MF_NODISCARD;
/* The name of each key, from those of the files: none is opened. `each` returns 0, or -1 to stop. */
int mf_keystore_names(struct mf_keystore *ks, int (*each)(void *arg, const char *name, struct mf_err *err),
		      void *arg, struct mf_err *err) MF_NODISCARD;
/* By name, or by fingerprint (64 hex digits, or a prefix of at least 8 that is unique). NULL and MF_E_KEY
 * when absent. Borrowed. */
const struct mf_key_info *mf_keystore_find(struct mf_keystore *ks, const char *name_or_fp,
					   struct mf_err *err) MF_NODISCARD;
/* NULL (no error) when we do not hold it. Key files are opened until it is found. */
const struct mf_key_info *mf_keystore_find_fp(struct mf_keystore *ks, const struct mf_digest *fingerprint);
/* Makes and stores a key, O_EXCL: an existing name is MF_E_CONFLICT. A passphrase is asked for unless
 * pass->none. The key stays unlocked in memory. */
int mf_keystore_generate(struct mf_keystore *ks, const char *name, enum mf_key_type t,
			 const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;
/* A key whose file is elsewhere signs with those of the store, which keeps it in memory only. Takes the key,
 * also on failure. MF_E_CONFLICT: the name is taken. */
int mf_keystore_lend(struct mf_keystore *ks, const char *name, const char *path, struct mf_privkey *taken,
		     const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;
/* Stores an existing private key under a name. */
int mf_keystore_add(struct mf_keystore *ks, const char *name, const struct mf_privkey *key,
		    const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;
/* Files a reference to a key that is elsewhere, which is found first. MF_E_USAGE: malformed; MF_E_KEY: it is
 * not there; MF_E_CONFLICT. */
struct mf_key_place {
	const char *source;
	const char *const *args; /* of a command; ends with NULL; or NULL */
};
int mf_keystore_add_reference(struct mf_keystore *ks, const char *name, const struct mf_key_place *at,
			      const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;

/* Takes the key's file away. What was borrowed of it stays readable. */
int mf_keystore_remove(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_err *err) MF_NODISCARD;
/* A new file under the new name, then the old one is removed. The name is part of what a passphrase protects,
 * so the passphrase is asked for. MF_E_CONFLICT: the name exists. *out is borrowed, *k no longer. */
int mf_keystore_rename(struct mf_keystore *ks, const struct mf_key_info *k, const char *name,
		       const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;
/* Replaces the file by one under a new passphrase, which is asked for unless pass->none; on failure the old
 * one stays. MF_E_USAGE: the key is elsewhere. */
int mf_keystore_passwd(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_err *err) MF_NODISCARD;

/* What the places of keys need from whoever runs us: the library itself reads no variables. Borrowed. */
struct mf_key_access {
	const char *ssh_agent; /* path of the agent's socket; NULL: there is none */
	/* The text of a private key that is at "env:NAME" or "fd:N". MF_E_KEY. NULL: there are none. */
	int (*text)(void *arg, const char *source, struct mf_secret *out, struct mf_err *err);
	void *text_arg;
};
void mf_keystore_set_access(struct mf_keystore *ks, const struct mf_key_access *access);
/* Does one of the keys lie in this environment variable? For mf_env.hides. */
bool mf_keystore_hides(void *ks, struct mf_str variable);

/* A signer on a key of the store. What is asked for (a passphrase, a PIN), is asked for at the first
 * signature and once a run; so are sessions opened. An attempt that failed is not repeated. Valid while the
 * store is. */
int mf_keystore_signer(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_signer *out,
		       struct mf_err *err) MF_NODISCARD;

#endif
