/* Keys of this machine, and names for shell completion. */
#ifndef MANIFESTO_KEYS_H
#define MANIFESTO_KEYS_H

#include "manifesto/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- keys */

struct manifesto_key {
	const char *name, *type, *fingerprint, *path;
	int encrypted;
	const char *public_pem;
	/* Where the private key is when `path` contains only a reference to it; for a command, with its
	 * arguments. NULL: the file at `path` contains the private key. */
	const char *source;
};
struct manifesto_key_result {
	const struct manifesto_key *const *keys;
	size_t nkeys;
};
/* Makes a key pair. type: "ed25519" (NULL) or "ecdsa". MANIFESTO_CONFLICT: the name exists. */
MANIFESTO_API int manifesto_key_generate(struct manifesto *m, const char *name, const char *type,
					 const struct manifesto_key_result **out,
					 struct manifesto_error *err);
/* Lists the keys of this machine. An empty list is no failure. */
MANIFESTO_API int manifesto_key_list(struct manifesto *m, const struct manifesto_key_result **out,
				     struct manifesto_error *err);
/* Shows one key, by name or fingerprint (a unique prefix of at least 8 digits). MANIFESTO_KEY: there is no
 * such key. */
MANIFESTO_API int manifesto_key_show(struct manifesto *m, const char *name,
				     const struct manifesto_key_result **out, struct manifesto_error *err);
/* Imports the private key in the file `path` under `name`. The file may be of OpenSSL (PKCS #8, SEC1, PKCS
 * #1), OpenSSH, the notary CLI, Docker Content Trust, minisign, signify, or a key file of manifesto. When
 * it is encrypted, its passphrase is asked for (confirm = 0), then that of the new key file (confirm = 1).
 * MANIFESTO_INVALID: malformed or no such format; MANIFESTO_KEY: the passphrase is wrong;
 * MANIFESTO_CONFLICT: the name exists. */
MANIFESTO_API int manifesto_key_import(struct manifesto *m, const char *name, const char *path,
				       const struct manifesto_key_result **out, struct manifesto_error *err);
/* Stores a reference to a private key that is elsewhere. source: "ssh-agent:FINGERPRINT", "pkcs11:...",
 * "command:PROGRAM", "env:VARIABLE" or "fd:NUMBER". arguments: of the program, ending with NULL; NULL:
 * none. The key must be accessible when it is added. */
MANIFESTO_API int manifesto_key_add(struct manifesto *m, const char *name, const char *source,
				    const char *const *arguments, const struct manifesto_key_result **out,
				    struct manifesto_error *err);
/* Returns whether a key reference of this home names the environment variable `variable` (n octets). If
 * so, the caller should keep the variable from programs that it starts, as the library does. */
MANIFESTO_API int manifesto_key_in_variable(struct manifesto *m, const char *variable, size_t n);
/* Replaces the passphrase of a key, or removes it (options.no_passphrase). The old passphrase is asked for
 * with confirm = 0, the new one with confirm = 1. On failure the key file is unchanged. */
MANIFESTO_API int manifesto_key_passwd(struct manifesto *m, const char *name,
				       const struct manifesto_key_result **out, struct manifesto_error *err);
/* Renames a key of this machine. The key's passphrase is asked for, because it protects the name too; it
 * stays the same. MANIFESTO_CONFLICT: a key has the new name, or the new name could be taken for that of a
 * colleague's key. */
MANIFESTO_API int manifesto_key_rename(struct manifesto *m, const char *name, const char *new_name,
				       const struct manifesto_key_result **out, struct manifesto_error *err);
struct manifesto_key_remove_options {
	size_t size;
	const char *name;
	int dry_run; /* report only, remove nothing */
};
struct manifesto_key_use {
	const char *repository; /* name under which this machine has pinned it */
	const char *role;
	int others; /* number of other keys that the role lists */
	int threshold;
};
struct manifesto_key_remove_result {
	const struct manifesto_key *key;
	/* Roles that list the key, according to this machine's copies of the metadata of repositories that
	 * it has pinned. The metadata are not verified and may be old; other roles may list the key as
	 * well. */
	const struct manifesto_key_use *const *uses;
	size_t nuses;
};
/* Removes a key from this machine. Roles that list the key continue to list it. MANIFESTO_KEY: there is no
 * such key. */
MANIFESTO_API int manifesto_key_remove(struct manifesto *m, const struct manifesto_key_remove_options *opt,
				       const struct manifesto_key_remove_result **out,
				       struct manifesto_error *err);
/* Local names for the keys of colleagues. They are shown in place of fingerprints, and have no effect on
 * verification. */
struct manifesto_key_name {
	const char *name, *fingerprint;
};
struct manifesto_key_names {
	const struct manifesto_key_name *const *names;
	size_t nnames;
};
MANIFESTO_API int manifesto_key_names(struct manifesto *m, const struct manifesto_key_names **out,
				      struct manifesto_error *err);
/* Names the key with this fingerprint; fingerprint NULL removes the name. MANIFESTO_USAGE: the name is
 * malformed, or the key is one of this machine; MANIFESTO_CONFLICT: the name could be taken for that of
 * another key; MANIFESTO_KEY: there is no such name to remove. */
MANIFESTO_API int manifesto_key_name(struct manifesto *m, const char *name, const char *fingerprint,
				     struct manifesto_error *err);
struct manifesto_key_export_options {
	size_t size;
	const char *name;
	const char *role;      /* "targets", "root", "delegation" */
	const char *gun;       /* or NULL */
	const char *directory; /* the notary CLI's private directory */
	/* Instead of role, gun and directory. Format of the public key: "pem", "openssh", "minisign"; of
	 * the private key: "pkcs8", "manifesto" (a key file). NULL: the private key in the notary CLI's
	 * format. */
	const char *format;
	/* with `format`: the file to write; NULL (public keys only): return the text only */
	const char *output;
};
struct manifesto_key_export_result {
	const char *key_id; /* the Notary key ID; NULL with `format` */
	const char *path;   /* directory/<key_id>.key, or `output` */
	const char *text;   /* the text of a public key, else NULL */
};
/* Exports a key for another program. The file of a private key is encrypted with the key's passphrase
 * (unencrypted when the key has none) and has mode 0600; an existing file is never overwritten.
 * MANIFESTO_USAGE: the program has no such keys. */
MANIFESTO_API int manifesto_key_export(struct manifesto *m, const struct manifesto_key_export_options *opt,
				       const struct manifesto_key_export_result **out,
				       struct manifesto_error *err);

/* ---------------------------------------------------------------- completion */

enum manifesto_name {
	MANIFESTO_NAME_REPOSITORY,
	MANIFESTO_NAME_ROLE,
	MANIFESTO_NAME_TYPE,
	MANIFESTO_NAME_KEY
};
/* Names for shell completion, from this machine alone: repositories that are pinned; roles and record
 * types of the image's repository, from its directory or the cache; keys. No request is made, and the
 * names are not verified. `each` is called once for each name, in no particular order. */
MANIFESTO_API int manifesto_names(struct manifesto *m, enum manifesto_name what, const char *image,
				  void (*each)(void *arg, const char *name), void *arg,
				  struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
