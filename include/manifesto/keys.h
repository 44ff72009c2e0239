/* Keys of this machine, and names to complete. */
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
	const char *source; /* where the private key is when `path` only refers to it, with the arguments of a
			       command behind it; or NULL */
};
struct manifesto_key_result {
	const struct manifesto_key *const *keys;
	size_t nkeys;
};
/* Makes a key pair. type: "ed25519" (NULL) or "ecdsa". MANIFESTO_CONFLICT: the name exists. */
MANIFESTO_API int manifesto_key_generate(struct manifesto *m, const char *name, const char *type,
					 const struct manifesto_key_result **out,
					 struct manifesto_error *err);
/* The keys of this machine; none is no failure. */
MANIFESTO_API int manifesto_key_list(struct manifesto *m, const struct manifesto_key_result **out,
				     struct manifesto_error *err);
/* One key, by name or fingerprint (a unique prefix of at least 8 digits). MANIFESTO_KEY: there is none. */
MANIFESTO_API int manifesto_key_show(struct manifesto *m, const char *name,
				     const struct manifesto_key_result **out, struct manifesto_error *err);
/* Stores the private key in a file under `name`: of OpenSSL (PKCS #8, SEC1, PKCS #1), OpenSSH, the notary
 * CLI, Docker Content Trust, minisign, signify, or a key file of manifesto. The passphrase is asked for
 * (confirm = 0) when the file is encrypted, and then that of the new file (confirm = 1). MANIFESTO_FORMAT;
 * MANIFESTO_KEY: the passphrase is wrong; MANIFESTO_CONFLICT: the name exists. */
MANIFESTO_API int manifesto_key_import(struct manifesto *m, const char *name, const char *path,
				       const struct manifesto_key_result **out, struct manifesto_error *err);
/* Stores a reference to a key that is elsewhere. source: "ssh-agent:FINGERPRINT", "pkcs11:...",
 * "command:PROGRAM", "env:VARIABLE" or "fd:NUMBER"; arguments of the program end with NULL, NULL: none. The
 * key must be there. */
MANIFESTO_API int manifesto_key_add(struct manifesto *m, const char *name, const char *source,
				    const char *const *arguments, const struct manifesto_key_result **out,
				    struct manifesto_error *err);
/* Does a key of this home lie in the environment variable of this name (n octets)? The caller keeps it from
 * programs that it starts, as the library does. */
MANIFESTO_API int manifesto_key_in_variable(struct manifesto *m, const char *variable, size_t n);
/* Replaces the passphrase of a key, or with options.no_passphrase takes it away. The old one is asked for
 * with confirm = 0, the new one with 1. On failure the file stays as it was. */
MANIFESTO_API int manifesto_key_passwd(struct manifesto *m, const char *name,
				       const struct manifesto_key_result **out, struct manifesto_error *err);
/* Gives a key of this machine another name. Its passphrase, which protects the name too, is asked for, and
 * stays. MANIFESTO_CONFLICT: a key has the name, or it could be taken for that of a colleague's key. */
MANIFESTO_API int manifesto_key_rename(struct manifesto *m, const char *name, const char *new_name,
				       const struct manifesto_key_result **out, struct manifesto_error *err);
struct manifesto_key_remove_options {
	size_t size;
	const char *name; /* or a fingerprint */
	int dry_run;      /* report, and remove nothing */
};
struct manifesto_key_use {
	const char *repository; /* as it is pinned on this machine */
	const char *role;
	int others; /* how many other keys the role lists */
	int threshold;
};
struct manifesto_key_remove_result {
	const struct manifesto_key *key;
	/* Roles that list the key, in the metadata that this machine has of the repositories it has pinned:
	 * not verified, perhaps old, and never all that there is. */
	const struct manifesto_key_use *const *uses;
	size_t nuses;
};
/* Removes a key from this machine; roles that list it still do. MANIFESTO_KEY: there is none. */
MANIFESTO_API int manifesto_key_remove(struct manifesto *m, const struct manifesto_key_remove_options *opt,
				       const struct manifesto_key_remove_result **out,
				       struct manifesto_error *err);
/* Local names for the keys of colleagues, which are shown in place of digits; they decide nothing. */
struct manifesto_key_name {
	const char *name, *fingerprint;
};
struct manifesto_key_names {
	const struct manifesto_key_name *const *names;
	size_t nnames;
};
MANIFESTO_API int manifesto_key_names(struct manifesto *m, const struct manifesto_key_names **out,
				      struct manifesto_error *err);
/* Gives the key of this fingerprint the name; fingerprint NULL takes the name away. MANIFESTO_USAGE: no name,
 * or one of our own keys; MANIFESTO_CONFLICT: it could be taken for another key's; MANIFESTO_KEY: there is no
 * such name. */
MANIFESTO_API int manifesto_key_name(struct manifesto *m, const char *name, const char *fingerprint,
				     struct manifesto_error *err);
struct manifesto_key_export_options {
	size_t size;
	const char *name;
	const char *role;      /* "targets", "root", "delegation" */
	const char *gun;       /* or NULL */
	const char *directory; /* the notary CLI's private directory */
	/* Instead of role, gun and directory. Of the public key "pem", "openssh", "minisign"; of the private
	 * one "pkcs8", "manifesto" (a key file). NULL: as the notary CLI keeps it. */
	const char *format;
	const char *output; /* with `format`: the file; NULL for a public key: text only */
};
struct manifesto_key_export_result {
	const char *key_id; /* of Notary; NULL with `format` */
	const char *path;   /* directory/<key_id>.key, or `output` */
	const char *text;   /* of a public key, else NULL */
};
/* Writes a key for another program: a private one under the key's passphrase (unencrypted when it has none)
 * and 0600; never over a file that exists. MANIFESTO_USAGE: the program has no such keys. */
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
/* Names to offer to somebody who types, from what lies on this machine: repositories that are pinned; roles
 * and record types of the image's repository, from its directory or from the cache; keys. No request is made,
 * and nothing of it is verified. `each` is called once for each name, in no order. */
MANIFESTO_API int manifesto_names(struct manifesto *m, enum manifesto_name what, const char *image,
				  void (*each)(void *arg, const char *name), void *arg,
				  struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
