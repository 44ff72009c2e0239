/* Writing to a trust repository. Every publish goes the same way: an intent states the change, compose.c
 * makes signed files from it, update.c publishes them under the lock, retries when another publisher was
 * faster, and reads them back. The first publish (first.c), a change of records (ops), re-signing (due.c) and
 * a change of roles (plan.c) are intents. */
#ifndef MF_PUBLISH_PUBLISH_H
#define MF_PUBLISH_PUBLISH_H

#include "manifesto/manifesto.h"
#include "trust/repo.h"
#include "trust/trust.h"
#include "tuf/build.h"

/* A targets role whose file is re-signed, with the keys that the role has after the change. */
struct mf_publish_resign {
	const char *role;
	int64_t version; /* the lowest version that is allowed; 0: the next one */
	bool empty;      /* the new file has no records */
};
/* A further targets role whose file changes. `role` of the change delegates to it after the change, or did
 * before. */
struct mf_publish_edited {
	const char *role;
	const struct mf_tuf_edit
	    *edits; /* sorted by name; none: the file is unchanged, or a new role's file is empty */
	size_t nedits;
};
/* What one publish changes, all of it or nothing. Snapshot and timestamp follow without being named. */
struct mf_publish_change {
	const char *role;                /* the targets role whose file changes; NULL: none */
	const struct mf_tuf_edit *edits; /* sorted by name */
	size_t nedits;
	const struct mf_str *delegations; /* the new delegations of that role, canonical; NULL: unchanged */
	const struct mf_publish_resign *resign;
	size_t nresign;
	const struct mf_str *root; /* signed part of the next root, canonical; NULL: none */
	/* The new root becomes visible only after the new timestamp. For a root that removes keys. */
	bool root_last;
	/* A root file that is in force and newer than the loaded one: the files are signed for its roles.
	 * Empty: none. */
	struct mf_bytes under;
	/* Bits of enum mf_tuf_type for snapshot and timestamp, to sign them even if nothing that they list
	 * changes. */
	unsigned meta;
	bool leaves_expired; /* a role whose keys are not on this machine has expired, and stays so */
	/* For a mirror: further roles; the value of MF_TUF_COPY_OF in the timestamp; and the time until which
	 * the mirror's timestamp and snapshot are valid, in seconds. */
	const struct mf_publish_edited *more;
	size_t nmore;
	struct mf_str copy_of;
	int64_t until;
};

/* What is done with the composed files. */
enum mf_publish_end {
	MF_PUBLISH_SEND,
	MF_PUBLISH_PROPOSE, /* they become `proposal`, with the signatures of this machine */
	MF_PUBLISH_CHECK,   /* they become `proposal`, without these */
};
struct mf_proposal;
struct mf_outgoing;
enum mf_publish_kind {
	MF_PUBLISH_CHANGE,
	MF_PUBLISH_RESIGN, /* works on an expired repository, even with an expired root */
	MF_PUBLISH_FIRST,  /* there must be no repository yet; its root is pinned on this machine */
};
struct mf_publish_intent {
	enum mf_publish_kind kind;
	bool dry_run;         /* load and fill only */
	struct mf_str prefix; /* what to load, see struct mf_load */
	const char *const *subjects;
	bool tolerate_broken;
	enum mf_publish_end end;
	/* The proposal from which the files are made (mf_proposal_fill) and, unless they are sent, into which
	 * they are written. Files that are sent have its signatures and no others. NULL: none. */
	struct mf_proposal *proposal;
	/* Called, if not NULL, when the files are composed and will not be sent. */
	int (*composed)(void *arg, struct mf_trust *t, const struct mf_outgoing *o, struct mf_err *err);
	/* Called with the loaded repository, once for each try. MF_FOUND with *out filled, which points into
	 * memory of the intent; MF_ABSENT when there is nothing to do; MF_FAILED. */
	enum mf_found (*fill)(void *arg, struct mf_trust *t, struct mf_publish_change *out,
			      struct mf_err *err);
	void *arg;
};
/* Loads, fills, signs and publishes; repeats this with random pauses while other publishers are faster, until
 * the deadline (MF_E_CONFLICT). Then everything that was published is read back as readers would read it,
 * since an HTTP status 200 does not show that they can. *version gets the version of the role's file, or of a
 * shard; it is unchanged when nothing was published. MF_FOUND: published, or proposed (dry_run: it would be);
 * MF_ABSENT: nothing to do. */
enum mf_found mf_publish_run(struct mf_trust *t, const struct mf_publish_intent *in, int64_t *version,
			     struct mf_err *err) MF_NODISCARD;

/* Makes the repository: the keys that are missing, root, empty targets. Pins the root on this machine and
 * leaves the repository loaded for signing. MF_E_CONFLICT when a repository exists already. `made` lists new
 * keys (strings "name (type fingerprint)" in its arena). */
struct mf_publish_made {
	struct mf_arena arena;
	char *keys[3];
	size_t nkeys;
};
/* A second root key. */
struct mf_publish_spare {
	/* Makes the key, or returns the one made before. Called only when it is known that there is no
	 * repository yet. */
	int (*make)(void *arg, const struct mf_key_info **out, struct mf_err *err);
	void *arg;
	int64_t threshold; /* of the root: 1 or 2 */
};
int mf_publish_first(struct mf_trust *t, const struct mf_publish_spare *spare /* NULL: none */,
		     struct mf_publish_made *made, struct mf_err *err) MF_NODISCARD;

/* Locks the repository against other writers of this machine. When the home cannot be written to, there is no
 * lock, which is not an error. */
int mf_publish_lock(struct mf_trust *t, struct mf_lock *lock, struct mf_err *err) MF_NODISCARD;

/* For a bucket whose load failed with MF_E_SIGNATURE. If a removal of a key was interrupted before it
 * re-signed what that key had published meanwhile, puts the last state that the remaining keys signed in
 * force again (heal.c). MF_FOUND: done, and loaded; MF_ABSENT: the failure has another cause. MF_E_KEY. */
enum mf_found mf_publish_heal(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;

/* ---- keys (keys.c) */
/* Chooses the signer for a role of the loaded set: a key that the role lists and this machine has, the
 * preferred name first. MF_E_KEY lists the keys that would do. mf_publish_check_threshold tells whether one
 * is enough. */
int mf_publish_signer(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_signer *out,
		      const struct mf_key_info **info, struct mf_err *err) MF_NODISCARD;
/* Finds a key by its fingerprint (or a unique prefix of at least 16 digits) among all keys that the
 * repository lists. Returns a new reference; NULL with MF_E_KEY. */
struct mf_pubkey *mf_publish_listed_key(const struct mf_tuf_set *set, const char *fingerprint,
					struct mf_err *err) MF_NODISCARD;
/* Counts the different keys of a role that are on this machine. */
size_t mf_publish_held(const struct mf_trust *t, const struct mf_tuf_role *role);
/* Checks that this machine has enough keys of a role. MF_E_KEY: it has none; MF_E_THRESHOLD: it has fewer
 * than the threshold (the hint explains how to propose the change). */
int mf_publish_check_threshold(struct mf_trust *t, const struct mf_tuf_role *role,
			       struct mf_err *err) MF_NODISCARD;
/* True when this machine's keys reach the role's threshold, or when others may add signatures. */
bool mf_publish_can_sign(const struct mf_trust *t, const struct mf_tuf_role *role);
/* True when this machine can sign what must follow a change of a role: in TUF 1.0 snapshot and timestamp. A
 * Notary server normally signs both; if another client holds its snapshot key, only the publish itself
 * reports that. */
bool mf_publish_can_follow(const struct mf_trust *t);

/* True when a server signs the timestamp. */
bool mf_publish_has_server(const struct mf_trust *t);
/* Finds a role of a root by name; NULL when it is not a top-level role. */
const struct mf_tuf_role *mf_publish_top_role(const struct mf_tuf_file *root, const char *name);
/* Finds a delegation of `targets` by its full name, or else by its name without "targets/"; NULL when there
 * is none. */
const struct mf_tuf_role *mf_publish_find_role(const struct mf_tuf_set *set, const char *name);
/* Writes the first of a role's keys for people: "0123456789abcdef (ed25519), ...". */
void mf_publish_name_keys(const struct mf_trust *t, const struct mf_tuf_role *role, char out[512]);

/* ---- re-signing what expires soon (due.c) */
struct mf_publish_refresh {
	const struct manifesto_refresh_options *opt;
	struct mf_arena *arena;
	struct manifesto_refreshed_role
	    *v; /* the roles that were or are due; in the arena, except the keys */
	size_t n;
};
/* Re-signs each role that is due with a new expiry, if its keys are on this machine, and with it snapshot and
 * timestamp if no server signs them. Works on an expired repository if this machine has seen it before
 * (floors). */
int mf_publish_refresh(struct mf_trust *t, struct mf_publish_refresh *r, struct mf_err *err) MF_NODISCARD;
/* How long before its expiry a role of this type is due, when `within` (0: 30 days) was requested. For
 * timestamp and snapshot at most half their lifetime: with a lifetime of 7 days they would otherwise always
 * be due. */
int64_t mf_publish_window(const struct mf_trust *t, enum mf_tuf_type type, int64_t within);
/* Gets the key that a Notary server offers for a role, as a new reference (first.c). */
int mf_publish_server_pubkey(struct mf_trust *t, const char *role, enum mf_server_key which,
			     struct mf_pubkey **out, struct mf_err *err) MF_NODISCARD;
/* MF_FOUND when the server signs this role: Notary's timestamp always, its snapshot when the key that the
 * server offers is the one that the root lists (that request needs the right to publish). */
enum mf_found mf_publish_server_signs(struct mf_trust *t, enum mf_tuf_type type,
				      struct mf_err *err) MF_NODISCARD;

/* ---- inside this module */
/* Which signatures a file gets. */
enum mf_publish_sign {
	MF_SIGN_ALL,   /* of this machine's keys, as many as the threshold requires */
	MF_SIGN_SOME,  /* those of a proposal and of this machine's keys, even if they are too few */
	MF_SIGN_GIVEN, /* those of a proposal, which must be enough */
	MF_SIGN_NONE,  /* those of a proposal, even if they are too few */
};
struct mf_proposal_file;
struct mf_publish_signing {
	enum mf_publish_sign how;
	const struct mf_tuf_role *role, *also; /* also: a second role that the file must satisfy, or NULL */
	struct mf_str canonical;
	const struct mf_proposal_file *given; /* has signatures over exactly these octets; NULL: none */
	size_t added, dropped, missing; /* counts: signatures made here; given ones that are not valid; those
					   that the threshold lacks */
};
/* A shard among the files. */
struct mf_outgoing_shard {
	const char *name, *digits;
	const char *role;
	int64_t built_on; /* version of the role's own file that listed this shard */
	bool divided;     /* it was divided by this change, so that readers do not read it any more */
};
/* Signed files, in the order in which they are published. */
struct mf_outgoing {
	struct mf_publish_file *v;
	struct mf_buf *bytes; /* of each */
	size_t n, cap, bytes_cap;
	struct mf_outgoing_shard *shards; /* the shards among the files */
	size_t nshards, shards_cap;
	struct mf_arena arena;      /* the names of their roles */
	size_t first, last;         /* the targets roles are v[first] to v[last - 1] */
	struct mf_tuf_file *root;   /* the next root; NULL: unchanged */
	struct mf_tuf_file *parent; /* the new file of the edited role, when its delegations change */
	/* The caller sets the first two; the composer the others. */
	enum mf_publish_sign how; /* how root and targets roles are signed */
	const struct mf_proposal *given;
	bool root_last;
	bool moved; /* files of the proposal were made again, because their base has changed */
	size_t added, dropped;
	size_t missing; /* the highest number of missing signatures of one file */
};
void mf_outgoing_clear(struct mf_outgoing *o);
#define MF_OUTGOING_CLEANUP MF_CLEANUP(mf_outgoing_clear)
/* ---- a role that is spread over shards (spread.c) */
/* The number of records above which a file of a role is divided. */
extern const size_t mf_publish_shard_records;
struct mf_spread_change {
	const char *role;
	const struct mf_tuf_role *listed; /* the role as its delegator lists it after the change */
	const struct mf_tuf_edit *edits;  /* sorted by name */
	size_t nedits;
	const struct mf_str *delegations; /* the new delegations of the role, canonical; NULL: unchanged */
};
struct mf_spread_edits {
	struct mf_tuf_edit *v;
	size_t n, cap;
};
struct mf_spread_part {
	const char *name; /* the name of the file */
	struct mf_str digits;
	const struct mf_tuf_role *listed; /* NULL: a new shard */
	const struct mf_tuf_file *old;    /* NULL: a new shard, or one that is not loaded */
	struct mf_spread_edits edits;     /* sorted by name */
	bool gone; /* it was divided: shards with one digit more are there in its place */
};
/* How the files of one role change. */
struct mf_spread {
	struct mf_trust *t;
	const struct mf_tuf_loaded *own_now;
	const struct mf_tuf_role *role;
	bool spread; /* the role has shards after the change; if false, the other members are empty */
	struct mf_spread_edits own; /* for the role's own file, sorted by name */
	struct mf_spread_part *parts;
	size_t n, cap;
	struct mf_str *types; /* the types in the paths of the shards */
	size_t ntypes, types_cap;
	struct mf_buf delegations; /* the new delegations of the role's own file; empty: unchanged */
	struct mf_arena arena;
};
void mf_spread_clear(struct mf_spread *s);
#define MF_SPREAD_CLEANUP MF_CLEANUP(mf_spread_clear)
/* Distributes the edits of a role over its files, and divides files that have grown too large. Loads the
 * shards that the edits touch. *s must be empty. */
int mf_publish_spread(struct mf_trust *t, const struct mf_spread_change *c, struct mf_spread *s,
		      struct mf_err *err) MF_NODISCARD;

/* Makes the signed files of a change (compose.c). *version gets the version of the changed role's own file
 * or, when that is unchanged, of a shard. */
int mf_publish_compose(struct mf_trust *t, const struct mf_publish_change *c, struct mf_outgoing *o,
		       int64_t *version, struct mf_err *err) MF_NODISCARD;
/* Returns the shard whose file is published under this name; NULL: it is the file of a role. */
const struct mf_outgoing_shard *mf_outgoing_shard(const struct mf_outgoing *o, const char *name);
/* Returns a role, as it is after the change, of which files are published; *also as in struct
 * mf_publish_signing. */
const struct mf_tuf_role *mf_outgoing_role(const struct mf_trust *t, const struct mf_outgoing *o,
					   const char *name, const struct mf_tuf_role **also);
/* Signs a file with the keys that the role lists and this machine has, and appends the whole file. MF_E_KEY,
 * MF_E_THRESHOLD; MF_E_SIGNATURE: a given signature does not verify. */
int mf_publish_sign_file(struct mf_trust *t, struct mf_publish_signing *job, struct mf_buf *out,
			 struct mf_err *err) MF_NODISCARD;
/* Returns the time until which a new file of a type is valid. */
int64_t mf_publish_expiry(const struct mf_trust *t, enum mf_tuf_type type);
/* Gets the version of the role's next file, when the current one has the version `base`. It is base + 1; for
 * roles that may skip versions, the first above base for which the repository has no file. */
int mf_publish_next_version(struct mf_trust *t, const char *role, int64_t base, int64_t *out,
			    struct mf_err *err) MF_NODISCARD;
/* Gets the file that the snapshot lists for a role, whoever signed it. */
int mf_publish_listed_file(struct mf_trust *t, const char *role, struct mf_tuf_file **out,
			   struct mf_err *err) MF_NODISCARD;
/* Appends a certificate of a key of this machine for this repository, as a Notary root requires it
 * (first.c). */
int mf_publish_root_certificate(struct mf_trust *t, const struct mf_key_info *k, struct mf_buf *pem,
				struct mf_err *err) MF_NODISCARD;

#endif
