/* Roles, their keys, and proposals of changes that several people sign. */
#ifndef MANIFESTO_ROLES_H
#define MANIFESTO_ROLES_H

#include "manifesto/records.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- roles: who may sign which types */

struct manifesto_role_key {
	const char *fingerprint; /* or NULL: of a kind that cannot be used */
	const char *key_id;      /* TUF key ID */
	const char *name;        /* local name of the key, or NULL */
	const char *key_type;
	int certificate;       /* listed as an X.509 certificate (Notary) */
	const char *colleague; /* local name for somebody else's key, or NULL */
};
struct manifesto_role {
	const char *name;   /* "targets"; "targets/qa" (Notary), "qa" (TUF 1.0) */
	const char *parent; /* role that delegates it; NULL for targets */
	const char *const *types;
	size_t ntypes; /* of paths that name a whole type */
	const char *const *paths;
	size_t npaths;
	int threshold;
	const struct manifesto_role_key *const *keys;
	size_t nkeys;
	int64_t version, expires; /* 0: nothing published under it yet */
	uint64_t entries;         /* in its file */
	const char *state;        /* "current", "empty" (nothing published yet), "expired", "invalid" */
	const char *problem;      /* why it is expired or invalid, or NULL */
	const char *mine;         /* local name of a key of ours that it lists, or NULL */
	int can_sign;             /* this machine can publish under it */
	const char *why_not;      /* NULL when it can */
};
struct manifesto_role_list {
	const char *gun, *where, *dialect;
	const struct manifesto_role *const *roles; /* targets first */
	size_t nroles;
};
/* The roles of an image's repository, with what this machine can do in each. role: only this one
 * (MANIFESTO_NOT_FOUND), or NULL. A role that does not verify is reported and is no failure. */
MANIFESTO_API int manifesto_role_list(struct manifesto *m, const char *image, const char *role,
				      const struct manifesto_role_list **out, struct manifesto_error *err);

struct manifesto_role_options {
	size_t size;
	const char *image;
	const char *role;
	/* Ends with NULL: files with a public key (PEM, certificate, OpenSSH, minisign, signify),
	 * fingerprints of keys here or in the repository, names of keys here. sign: the name of the key to
	 * sign with (default_key_name should be the same), or NULL. */
	const char *const *keys;
	const char *const *types; /* ends with NULL */
	int threshold;            /* 0: as it is, 1 for a new role */
	int force;    /* even if records vanish; sign: replace a file that does not verify by an empty one */
	int dry_run;  /* report what would change, publish nothing */
	int keep_old; /* rotate: no key of the role goes */
	const char *propose; /* as in struct manifesto_change_options */
};
struct manifesto_role_change {
	const char *what; /* "role added", "role removed", "key added", "key removed", "type added", "type
			     removed", "path removed", "threshold", "signed anew", "writer added", "writer
			     removed"; records that no longer count: "record unsigned", "record gone",
			     "record not read" */
	const char *role;
	const char *detail; /* fingerprint, type, number, "TYPE of SUBJECT"; or "" */
};
struct manifesto_role_result {
	const char *gun, *where;
	const struct manifesto_role_change *const
	    *changes; /* none: it was so already, nothing was published */
	size_t nchanges;
	int64_t version, root_version; /* of `targets` and root, 0: not changed */
	int dry_run;
	const char *const *warnings; /* records that are read differently now */
	size_t nwarnings;
	const struct manifesto_signer *const *root_keys; /* rotate: of the new root, when there is one */
	size_t nroot_keys;
	const char *proposal; /* as in struct manifesto_change_result */
	size_t missing;
};
/* Makes a role, or adds keys and types to one; one publish, which is read back. TUF 1.0: its keys become keys
 * of snapshot and timestamp too, in a new root. */
MANIFESTO_API int manifesto_role_add(struct manifesto *m, const struct manifesto_role_options *opt,
				     const struct manifesto_role_result **out, struct manifesto_error *err);
/* Removes the keys, or without keys the role. What a removed key has signed is re-signed by one that stays;
 * MANIFESTO_KEY with a hint when none is here. MANIFESTO_USAGE when records would vanish, unless force. */
MANIFESTO_API int manifesto_role_remove(struct manifesto *m, const struct manifesto_role_options *opt,
					const struct manifesto_role_result **out,
					struct manifesto_error *err);
/* Re-signs the role's file, as it is, with a key of this machine. */
MANIFESTO_API int manifesto_role_sign(struct manifesto *m, const struct manifesto_role_options *opt,
				      const struct manifesto_role_result **out, struct manifesto_error *err);
/* Brings a repository to the state that a file declares (docs/teams.schema.json): each role named there has
 * exactly these keys and types. Of the options image, force and dry_run are used. */
MANIFESTO_API int manifesto_role_apply(struct manifesto *m, const char *path,
				       const struct manifesto_role_options *opt,
				       const struct manifesto_role_result **out, struct manifesto_error *err);

/* Gives a role, also root, targets, snapshot or timestamp, other keys in one publish; what only a replaced
 * key has signed is re-signed. Of the options image, role, keys, keep_old and dry_run are used. The key that
 * goes is the role's only one, or of several those of this machine. Without keys: on Notary, a new
 * certificate for the root keys of this machine, or a new key of the server for snapshot and timestamp. A
 * root is signed by the old keys and the new ones, so that pins on the old root lead to it. */
MANIFESTO_API int manifesto_trust_rotate(struct manifesto *m, const struct manifesto_role_options *opt,
					 const struct manifesto_role_result **out,
					 struct manifesto_error *err);

/* --- taking a key out everywhere */
/* A role that still lists the key. */
struct manifesto_revoke_left {
	const char *role;
	/* MANIFESTO_KEY: others must sign; MANIFESTO_USAGE: too few keys would be left; another one: the role
	 * cannot be read, and may delegate to the key */
	int status;
	const char *why;
	const char *command; /* that leads on, or NULL */
};
struct manifesto_revoke_item {
	const char *repository; /* as given */
	int done;               /* 0: what would change, before anything is published; 1: what has changed */
	int status;             /* MANIFESTO_OK; of `error`; or the gravest of `left` */
	const char *const *roles; /* that the key is taken out of; none and none left: no role lists it */
	size_t nroles;
	const struct manifesto_role_result *change; /* with the records that no longer count, or NULL */
	const struct manifesto_revoke_left *const *left;
	size_t nleft;
	const struct manifesto_error *error; /* why nothing changed, or NULL */
};
struct manifesto_revoke_options {
	size_t size;
	const char *key; /* as in manifesto_role_options */
	const char *const *repositories;
	size_t nrepositories;
	const char *replacement; /* a key that takes its place in each role, or NULL */
	int dry_run;             /* only what would change */
	/* Called for each repository, in their order: before it is changed, and afterwards. Valid for the
	 * call; anything but 0 ends the run. */
	int (*result)(void *arg, const struct manifesto_revoke_item *item);
	void *result_arg;
};
/* Takes a key out of every role that lists it, in each repository in one publish that is read back; what only
 * that key has signed is re-signed as far as the keys are here. A failure of one repository does not end the
 * run. -1 with the gravest status when the key stays anywhere; MANIFESTO_NOT_FOUND: no repository lists it.
 */
MANIFESTO_API int manifesto_key_revoke(struct manifesto *m, const struct manifesto_revoke_options *opt,
				       struct manifesto_error *err);

/* --- proposals: changes that need the signatures of several machines */
/* One file that is to be signed. */
struct manifesto_proposal_file {
	const char *role;
	int64_t version, expires;
	int64_t base_version;                          /* 0: it is the role's first file */
	const struct manifesto_signer *const *signers; /* whose signatures count */
	size_t nsigners;
	const struct manifesto_signer *const *keys; /* that the role lists: who may sign */
	size_t nkeys;
	size_t threshold, missing;
};
/* One record that changes. The two together show everything that is signed. */
struct manifesto_proposal_record {
	const char *what;                      /* "added", "replaced", "removed" */
	const struct manifesto_record *record; /* as it will be; removed: as it is */
	const struct manifesto_record *before; /* replaced: as it is; else NULL */
};
struct manifesto_proposal {
	const char *id;   /* of one beside the image: hex digits; NULL: of a file */
	const char *path; /* of a file, else NULL */
	const char *image, *repository, *dialect;
	int64_t created, expires; /* from `expires` on nobody signs or publishes it */
	/* "open": signatures are missing; "ready": they are not; "done": it is published, or so anyway;
	 * "expired"; "conflict": somebody has changed the same; "invalid": not what it says. The last three
	 * with `message` and nothing below. */
	const char *state, *message;
	int moved;      /* somebody published since it was made: it is applied to what is there now */
	size_t dropped; /* signatures that are not over this, or by keys that do not count (any more) */
	size_t missing; /* signatures */
	const struct manifesto_proposal_file *const *files;
	size_t nfiles;
	const struct manifesto_proposal_record *const *records;
	size_t nrecords;
	/* Roles and keys, as for manifesto_role_add; "target" and "member": what is signed and has no other
	 * form, as "NAME=JSON". */
	const struct manifesto_role_change *const *changes;
	size_t nchanges;
};
struct manifesto_proposal_options {
	size_t size;
	const char *image;    /* NULL: the one that the file names */
	const char *proposal; /* a file, or the first 8 or more digits of an ID */
	int publish;          /* sign: publish it when no signature is missing any more */
	/* sign: called once with what would be signed; returns non-zero to sign it. Not called when there is
	 * nothing to sign. NULL: it is signed without a question. */
	int (*confirm)(void *arg, const struct manifesto_proposal *p);
	void *confirm_arg;
};
struct manifesto_proposal_result {
	const struct manifesto_proposal *proposal; /* as it is now */
	size_t added;                              /* sign: signatures of this machine that were added */
	int published;
	int64_t version; /* published: of the file whose records change; 0: none do */
	const char *published_to;
	const char *const *warnings;
	size_t nwarnings;
};
struct manifesto_proposal_list {
	const struct manifesto_proposal *const *proposals;
	size_t nproposals;
};
/* The proposals beside an image, whatever their state. */
MANIFESTO_API int manifesto_proposal_list(struct manifesto *m, const char *image,
					  const struct manifesto_proposal_list **out,
					  struct manifesto_error *err);
/* What a proposal would change. MANIFESTO_NOT_FOUND: there is no such proposal; MANIFESTO_INVALID: it is not
 * what it says; MANIFESTO_POLICY: expired; MANIFESTO_CONFLICT: somebody has changed the same since;
 * MANIFESTO_USAGE: it is for another repository. */
MANIFESTO_API int manifesto_proposal_show(struct manifesto *m, const struct manifesto_proposal_options *opt,
					  const struct manifesto_proposal_result **out,
					  struct manifesto_error *err);
/* Adds the signatures of this machine's keys. Where somebody has published since, it is first applied to what
 * is there now (`moved`), and the signatures over what has changed are gone; beside an image it then has
 * another ID. Fails as show, and MANIFESTO_KEY: no key here may sign; MANIFESTO_CONTENT_GONE;
 * MANIFESTO_UNEXPECTED
 * ("cancelled"): `confirm` returned 0. */
MANIFESTO_API int manifesto_proposal_sign(struct manifesto *m, const struct manifesto_proposal_options *opt,
					  const struct manifesto_proposal_result **out,
					  struct manifesto_error *err);
/* Publishes it, and removes it from beside the image. Fails as show, and MANIFESTO_KEY: signatures are
 * missing, or keys that publish. */
MANIFESTO_API int manifesto_proposal_publish(struct manifesto *m,
					     const struct manifesto_proposal_options *opt,
					     const struct manifesto_proposal_result **out,
					     struct manifesto_error *err);
/* Removes one from beside the image, unread. */
MANIFESTO_API int manifesto_proposal_drop(struct manifesto *m, const struct manifesto_proposal_options *opt,
					  const struct manifesto_proposal_result **out,
					  struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
