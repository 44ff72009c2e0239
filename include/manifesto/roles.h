/* Roles, their keys, and proposals of changes that several people sign. */
#ifndef MANIFESTO_ROLES_H
#define MANIFESTO_ROLES_H

#include "manifesto/records.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- roles: who may sign which types */

struct manifesto_role_key {
	const char *fingerprint; /* NULL: the key is of a kind that cannot be used */
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
	size_t ntypes; /* the types of those paths that cover a whole type */
	const char *const *paths;
	size_t npaths;
	int threshold;
	const struct manifesto_role_key *const *keys;
	size_t nkeys;
	int64_t version, expires; /* 0: nothing is published under the role yet */
	uint64_t entries;         /* number of entries in the role's file */
	const char *state;        /* "current", "empty" (nothing published yet), "expired", "invalid" */
	const char *problem;      /* why it is expired or invalid, or NULL */
	const char *mine;         /* local name of a key of this machine that the role lists, or NULL */
	int can_sign;             /* this machine can publish under the role */
	const char *why_not;      /* why it cannot, or NULL */
};
struct manifesto_role_list {
	const char *gun, *where, *dialect;
	const struct manifesto_role *const *roles; /* targets first */
	size_t nroles;
};
/* Lists the roles of an image's repository, with what this machine can do in each. role: only this one
 * (MANIFESTO_NOT_FOUND: no such role), or NULL. A role that does not verify is reported in its `state` and
 * is no failure. */
MANIFESTO_API int manifesto_role_list(struct manifesto *m, const char *image, const char *role,
				      const struct manifesto_role_list **out, struct manifesto_error *err);

struct manifesto_role_options {
	size_t size;
	const char *image;
	const char *role;
	/* Ends with NULL. Each is a file with a public key (PEM, certificate, OpenSSH, minisign, signify),
	 * the fingerprint of a key of this machine or of the repository, or the name of a key of this
	 * machine. manifesto_role_sign: the name of the key to sign with (default_key_name should be the
	 * same), or NULL. */
	const char *const *keys;
	const char *const *types; /* ends with NULL */
	int threshold;            /* 0: unchanged, or 1 for a new role */
	/* Even if records are lost; manifesto_role_sign: replace a file that does not verify by an empty
	 * one. */
	int force;
	int dry_run;         /* report what would change, and publish nothing */
	int keep_old;        /* manifesto_trust_rotate: add the new keys and remove none */
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
	    *changes; /* none: the roles were so already, and nothing was published */
	size_t nchanges;
	int64_t version, root_version; /* versions of `targets` and root; 0: not changed */
	int dry_run;
	const char *const *warnings; /* records that are read differently now */
	size_t nwarnings;
	/* manifesto_trust_rotate: the keys of the new root, when there is one. */
	const struct manifesto_signer *const *root_keys;
	size_t nroot_keys;
	const char *proposal; /* as in struct manifesto_change_result */
	size_t missing;
};
/* Creates a role, or adds keys and types to one, in one publish that is read back. TUF 1.0: the keys also
 * become keys of snapshot and timestamp, in a new root. */
MANIFESTO_API int manifesto_role_add(struct manifesto *m, const struct manifesto_role_options *opt,
				     const struct manifesto_role_result **out, struct manifesto_error *err);
/* Removes the keys from the role, or the role if no keys are given. What only a removed key has signed is
 * re-signed by a key that stays; MANIFESTO_KEY with a hint when none of those is on this machine.
 * MANIFESTO_USAGE when records would be lost and `force` is not set. */
MANIFESTO_API int manifesto_role_remove(struct manifesto *m, const struct manifesto_role_options *opt,
					const struct manifesto_role_result **out,
					struct manifesto_error *err);
/* Re-signs the role's file, unchanged, with a key of this machine. */
MANIFESTO_API int manifesto_role_sign(struct manifesto *m, const struct manifesto_role_options *opt,
				      const struct manifesto_role_result **out, struct manifesto_error *err);
/* Brings a repository to the state that a file declares (docs/teams.schema.json): each role that the file
 * names gets exactly the keys and types in the file. Only `image`, `force` and `dry_run` of the options
 * are used. */
MANIFESTO_API int manifesto_role_apply(struct manifesto *m, const char *path,
				       const struct manifesto_role_options *opt,
				       const struct manifesto_role_result **out, struct manifesto_error *err);

/* Replaces the keys of a role (also of root, targets, snapshot or timestamp) in one publish. What only a
 * replaced key has signed is re-signed. Only `image`, `role`, `keys`, `keep_old` and `dry_run` of the
 * options are used. The key that is removed is the role's only one, or of several those of this machine.
 * Without `keys`, on Notary: a new certificate for the root keys of this machine, or for snapshot and
 * timestamp a new key of the server. A new root is signed by the old keys and by the new ones, so that a
 * reader who pinned the old root accepts it. */
MANIFESTO_API int manifesto_trust_rotate(struct manifesto *m, const struct manifesto_role_options *opt,
					 const struct manifesto_role_result **out,
					 struct manifesto_error *err);

/* --- revoking a key: removing it from every role */
/* A role that still lists the key. */
struct manifesto_revoke_left {
	const char *role;
	/* MANIFESTO_KEY: the change needs signatures of other machines; MANIFESTO_USAGE: too few keys
	 * would be left; another status: the role cannot be read, and may delegate to the key. */
	int status;
	const char *why;
	const char *command; /* next command to run, or NULL */
};
struct manifesto_revoke_item {
	const char *repository; /* as given */
	/* 0: before the publish, with what would change; 1: afterwards, with what has changed. */
	int done;
	int status; /* MANIFESTO_OK, the status of `error`, or the gravest status in `left` */
	/* Roles that the key is removed from; if this and `left` are empty, no role lists the key. */
	const char *const *roles;
	size_t nroles;
	/* The change, with the records that no longer count; or NULL. */
	const struct manifesto_role_result *change;
	const struct manifesto_revoke_left *const *left;
	size_t nleft;
	const struct manifesto_error *error; /* why nothing changed, or NULL */
};
struct manifesto_revoke_options {
	size_t size;
	const char *key; /* as in manifesto_role_options */
	const char *const *repositories;
	size_t nrepositories;
	const char *replacement; /* a key that replaces it in each role, or NULL */
	int dry_run;             /* report only */
	/* Called twice for each repository, in their order: before it is changed, and afterwards. `item`
	 * is valid during the call. A non-zero return value ends the run. */
	int (*result)(void *arg, const struct manifesto_revoke_item *item);
	void *result_arg;
};
/* Removes a key from every role that lists it, with one publish per repository, which is read back. What
 * only that key has signed is re-signed as far as the needed keys are on this machine. A failure in one
 * repository does not end the run. Returns -1 with the gravest status when any role still lists the key;
 * MANIFESTO_NOT_FOUND: no repository lists it. */
MANIFESTO_API int manifesto_key_revoke(struct manifesto *m, const struct manifesto_revoke_options *opt,
				       struct manifesto_error *err);

/* --- proposals: changes that need the signatures of several machines */
/* One file that is to be signed. */
struct manifesto_proposal_file {
	const char *role;
	int64_t version, expires;
	/* Version that it replaces; 0: it is the role's first file. */
	int64_t base_version;
	const struct manifesto_signer *const *signers; /* signers whose signatures count */
	size_t nsigners;
	const struct manifesto_signer *const *keys; /* keys that the role lists: these may sign */
	size_t nkeys;
	size_t threshold, missing;
};
/* One record that changes. `record` and `before` together show everything that is signed. */
struct manifesto_proposal_record {
	const char *what;                      /* "added", "replaced", "removed" */
	const struct manifesto_record *record; /* the record as it will be; removed: as it is now */
	const struct manifesto_record *before; /* replaced: the record as it is now; else NULL */
};
struct manifesto_proposal {
	const char *id;   /* of a proposal beside the image: hex digits; of a file: NULL */
	const char *path; /* path of a file, else NULL */
	const char *image, *repository, *dialect;
	int64_t created, expires; /* from `expires` on, the proposal can be neither signed nor published */
	/* "open": signatures are missing; "ready": no signature is missing; "done": the change is
	 * published, or the repository is so anyway; "expired"; "conflict": another publish has changed
	 * the same; "invalid": the proposal is malformed or cannot be applied. For the last three,
	 * `message` says why, and the members below it are not set. */
	const char *state, *message;
	/* There was another publish since the proposal was made: it is shown as applied to the present
	 * state. */
	int moved;
	size_t dropped; /* signatures over other bytes, or by keys that do not count (any more) */
	size_t missing; /* number of signatures */
	const struct manifesto_proposal_file *const *files;
	size_t nfiles;
	const struct manifesto_proposal_record *const *records;
	size_t nrecords;
	/* Changes of roles and keys, as for manifesto_role_add; with "target" and "member" as `what`:
	 * other members that are signed, as "NAME=JSON". */
	const struct manifesto_role_change *const *changes;
	size_t nchanges;
};
struct manifesto_proposal_options {
	size_t size;
	const char *image;    /* NULL: the image that the file names */
	const char *proposal; /* a file, or the first 8 or more digits of an ID */
	/* manifesto_proposal_sign: publish the proposal when no signature is missing any more. */
	int publish;
	/* manifesto_proposal_sign: called once with the proposal that would be signed; returns non-zero to
	 * sign it. Not called when this machine has nothing to sign. NULL: it is signed without
	 * confirmation. */
	int (*confirm)(void *arg, const struct manifesto_proposal *p);
	void *confirm_arg;
};
struct manifesto_proposal_result {
	const struct manifesto_proposal *proposal; /* the proposal as it is now */
	/* manifesto_proposal_sign: number of signatures that this machine added. */
	size_t added;
	int published;
	int64_t version; /* if published: version of the file whose records change; 0: no records change */
	const char *published_to;
	const char *const *warnings;
	size_t nwarnings;
};
struct manifesto_proposal_list {
	const struct manifesto_proposal *const *proposals;
	size_t nproposals;
};
/* Lists the proposals beside an image, whatever their state. */
MANIFESTO_API int manifesto_proposal_list(struct manifesto *m, const char *image,
					  const struct manifesto_proposal_list **out,
					  struct manifesto_error *err);
/* Shows what a proposal would change. MANIFESTO_NOT_FOUND: there is no such proposal; MANIFESTO_INVALID:
 * it is malformed, or contradicts itself; MANIFESTO_POLICY: expired; MANIFESTO_CONFLICT: another publish
 * has changed the same since; MANIFESTO_USAGE: it is for another repository. */
MANIFESTO_API int manifesto_proposal_show(struct manifesto *m, const struct manifesto_proposal_options *opt,
					  const struct manifesto_proposal_result **out,
					  struct manifesto_error *err);
/* Adds signatures by the keys of this machine. If there was another publish since the proposal was made,
 * the proposal is first applied to the present state (`moved`): signatures over files that this changes
 * are dropped, and a proposal beside the image gets a new ID. Fails as manifesto_proposal_show does; also
 * MANIFESTO_KEY: no key of this machine may sign; MANIFESTO_CONTENT_GONE; MANIFESTO_UNEXPECTED
 * ("cancelled"): `confirm` returned 0. */
MANIFESTO_API int manifesto_proposal_sign(struct manifesto *m, const struct manifesto_proposal_options *opt,
					  const struct manifesto_proposal_result **out,
					  struct manifesto_error *err);
/* Publishes a proposal; one beside the image is then removed. Fails as manifesto_proposal_show does; also
 * MANIFESTO_KEY: signatures are missing, or a key that the publish needs is not on this machine. */
MANIFESTO_API int manifesto_proposal_publish(struct manifesto *m,
					     const struct manifesto_proposal_options *opt,
					     const struct manifesto_proposal_result **out,
					     struct manifesto_error *err);
/* Removes a proposal from beside the image without reading it. */
MANIFESTO_API int manifesto_proposal_drop(struct manifesto *m, const struct manifesto_proposal_options *opt,
					  const struct manifesto_proposal_result **out,
					  struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
