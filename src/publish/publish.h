/* Writing to a trust repository. There is one way: an intent states the change, compose.c makes signed files
 * from it, update.c publishes them under the lock, retries when somebody else was faster, and reads them
 * back. The first publish (first.c), a change of records (ops), re-signing (due.c) and a change of roles
 * (plan.c) are intents. */
#ifndef MF_PUBLISH_PUBLISH_H
#define MF_PUBLISH_PUBLISH_H

#include "manifesto/manifesto.h"
#include "trust/repo.h"
#include "trust/trust.h"
#include "tuf/build.h"

/* A targets role whose file is signed again by the keys that it has after the change. */
struct mf_publish_resign {
	const char *role;
	int64_t version; /* the lowest that will do; 0: the next one */
	bool empty;      /* without what it holds now */
};
/* One more targets role whose file changes: `role` of the change delegates to it, or has before. */
struct mf_publish_edited {
	const char *role;
	const struct mf_tuf_edit
	    *edits; /* sorted by name; none: it stays as it is, or is empty when it is new */
	size_t nedits;
};
/* What one publish changes, together or not at all. Snapshot and timestamp follow by themselves. */
struct mf_publish_change {
	const char *role;                /* targets role whose file changes; NULL: none */
	const struct mf_tuf_edit *edits; /* sorted by name */
	size_t nedits;
	const struct mf_str *delegations; /* of that role, canonical; NULL: as they are */
	const struct mf_publish_resign *resign;
	size_t nresign;
	const struct mf_str *root; /* signed part of the next root, canonical; NULL: none */
	/* Readers find the new root only behind the new timestamp. For a root that takes keys away. */
	bool root_last;
	/* A root file that is in force, and newer than the one that is loaded: what goes out is signed for
	 * its roles. Empty: none. */
	struct mf_bytes under;
	/* Bits of enum mf_tuf_type: snapshot and timestamp, even when nothing that they list changes. */
	unsigned meta;
	bool leaves_expired; /* a role that we cannot sign is expired, and stays so */
	/* Of a mirror: further roles, whose copy the timestamp is of (MF_TUF_COPY_OF), and how long it and
	 * the snapshot are good: seconds. */
	const struct mf_publish_edited *more;
	size_t nmore;
	struct mf_str copy_of;
	int64_t until;
};

/* What becomes of the composed files. */
enum mf_publish_end {
	MF_PUBLISH_SEND,
	MF_PUBLISH_PROPOSE, /* they become `proposal`, with our signatures */
	MF_PUBLISH_CHECK,   /* they become `proposal`, without */
};
struct mf_proposal;
struct mf_outgoing;
enum mf_publish_kind {
	MF_PUBLISH_CHANGE,
	MF_PUBLISH_RESIGN, /* works on an expired repository, a root included */
	MF_PUBLISH_FIRST,  /* there must be no repository yet; its root is pinned on this machine */
};
struct mf_publish_intent {
	enum mf_publish_kind kind;
	bool dry_run;         /* load and fill only */
	struct mf_str prefix; /* what to load, see struct mf_load */
	const char *const *subjects;
	bool tolerate_broken;
	enum mf_publish_end end;
	/* NULL, or where the files come from (mf_proposal_fill) and, unless they are sent, go to. Sent files
	 * have its signatures and no others. */
	struct mf_proposal *proposal;
	/* Called, if not NULL, when the files are composed and not sent. */
	int (*composed)(void *arg, struct mf_trust *t, const struct mf_outgoing *o, struct mf_err *err);
	/* Called with the loaded repository, once for each try. MF_FOUND with *out filled (its memory is the
	 * intent's own), MF_ABSENT when nothing is to be done, MF_FAILED. */
	enum mf_found (*fill)(void *arg, struct mf_trust *t, struct mf_publish_change *out,
			      struct mf_err *err);
	void *arg;
};
/* Load, fill, sign, publish, and again when somebody else was faster, with jitter, until the deadline
 * (MF_E_CONFLICT). Then everything that was published is read back as readers would read it: a 200 does not
 * mean that they can. *version: of the role's file, or of a shard; untouched when nothing was published.
 * MF_FOUND: published, or proposed (dry_run: would be); MF_ABSENT: nothing to do. */
enum mf_found mf_publish_run(struct mf_trust *t, const struct mf_publish_intent *in, int64_t *version,
			     struct mf_err *err) MF_NODISCARD;

/* Makes the repository: keys as needed, root, empty targets. Pins the root on this machine and leaves the
 * repository loaded for signing. MF_E_CONFLICT when there is one already. made (arena strings "name (type
 * fp)") lists new keys. */
struct mf_publish_made {
	struct mf_arena arena;
	char *keys[3];
	size_t nkeys;
};
/* A second root key. */
struct mf_publish_spare {
	/* Makes it, or gives it again: called when it is known that there is no repository yet. */
	int (*make)(void *arg, const struct mf_key_info **out, struct mf_err *err);
	void *arg;
	int64_t threshold; /* of the root: 1 or 2 */
};
int mf_publish_first(struct mf_trust *t, const struct mf_publish_spare *spare /* NULL: none */,
		     struct mf_publish_made *made, struct mf_err *err) MF_NODISCARD;

/* Serialises this machine's writers of the repository; not an error when the home cannot be written. */
int mf_publish_lock(struct mf_trust *t, struct mf_lock *lock, struct mf_err *err) MF_NODISCARD;

/* After a load of a bucket that failed with MF_E_SIGNATURE: if somebody who took a key away was stopped
 * before they could sign what that key had published meanwhile, puts the last state of the remaining keys in
 * force again (heal.c). MF_FOUND: done, and loaded; MF_ABSENT: that is not what is wrong. MF_E_KEY. */
enum mf_found mf_publish_heal(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;

/* ---- keys (keys.c) */
/* The signer to use for a role of the loaded set: a key that the role lists and we hold, the preferred name
 * first. MF_E_KEY lists what would be needed. Whether it is enough: mf_publish_check_threshold. */
int mf_publish_signer(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_signer *out,
		      const struct mf_key_info **info, struct mf_err *err) MF_NODISCARD;
/* A public key of this fingerprint (or a unique prefix of at least 16 digits) that the repository lists
 * anywhere, a new reference; NULL with MF_E_KEY. */
struct mf_pubkey *mf_publish_listed_key(const struct mf_tuf_set *set, const char *fingerprint,
					struct mf_err *err) MF_NODISCARD;
/* How many different keys of a role are on this machine. */
size_t mf_publish_held(const struct mf_trust *t, const struct mf_tuf_role *role);
/* MF_E_KEY: none; MF_E_THRESHOLD: fewer than its threshold, with how the change is proposed. */
int mf_publish_check_threshold(struct mf_trust *t, const struct mf_tuf_role *role,
			       struct mf_err *err) MF_NODISCARD;
/* Are those enough for its threshold, or may others sign as well? */
bool mf_publish_can_sign(const struct mf_trust *t, const struct mf_tuf_role *role);
/* Can this machine's keys publish what a role signs: snapshot and timestamp in TUF 1.0? A Notary server signs
 * both; when another client holds the snapshot key, publishing says so. */
bool mf_publish_can_follow(const struct mf_trust *t);

/* Does a server sign the timestamp? */
bool mf_publish_has_server(const struct mf_trust *t);
/* A role of a root by name; NULL: not a top-level one. */
const struct mf_tuf_role *mf_publish_top_role(const struct mf_tuf_file *root, const char *name);
/* The delegation of `targets` that goes by this name; NULL. */
const struct mf_tuf_role *mf_publish_find_role(const struct mf_tuf_set *set, const char *name);
/* The first of a role's keys, for people: "0123456789abcdef (ed25519), ...". */
void mf_publish_name_keys(const struct mf_trust *t, const struct mf_tuf_role *role, char out[512]);

/* ---- re-signing what runs out (due.c) */
struct mf_publish_refresh {
	const struct manifesto_refresh_options *opt;
	struct mf_arena *arena;
	struct manifesto_refreshed_role *v; /* what was or is due; in the arena, without the keys */
	size_t n;
};
/* Signs each role that is due once more, unchanged, with a new expiry, as far as we hold its keys, and with
 * it snapshot and timestamp where they are ours. Works on an expired repository if this machine has seen it
 * before (floors). */
int mf_publish_refresh(struct mf_trust *t, struct mf_publish_refresh *r, struct mf_err *err) MF_NODISCARD;
/* How long before its end a role of a type is due when `within` (0: 30 days) is asked for: timestamp and
 * snapshot at most half their lifetime, or those that live 7 days would always be. */
int64_t mf_publish_window(const struct mf_trust *t, enum mf_tuf_type type, int64_t within);
/* The key that a Notary server offers for a role, a new reference (first.c). */
int mf_publish_server_pubkey(struct mf_trust *t, const char *role, enum mf_server_key which,
			     struct mf_pubkey **out, struct mf_err *err) MF_NODISCARD;
/* Does the server sign this role: Notary's timestamp always, its snapshot when the key that it offers is the
 * one that the root lists (asking needs the right to publish). */
enum mf_found mf_publish_server_signs(struct mf_trust *t, enum mf_tuf_type type,
				      struct mf_err *err) MF_NODISCARD;

/* ---- inside this module */
/* Whose signatures go under a file. */
enum mf_publish_sign {
	MF_SIGN_ALL,   /* ours, as many as the threshold asks for */
	MF_SIGN_SOME,  /* those of a proposal and ours, even if these are too few */
	MF_SIGN_GIVEN, /* those of a proposal, which must be enough */
	MF_SIGN_NONE,  /* those of a proposal, even if these are too few */
};
struct mf_proposal_file;
struct mf_publish_signing {
	enum mf_publish_sign how;
	const struct mf_tuf_role *role, *also; /* also: NULL, or a second role that the file must satisfy */
	struct mf_str canonical;
	const struct mf_proposal_file *given; /* has signatures over these very octets; NULL: none */
	size_t added, dropped, missing; /* signatures made here; given ones that do not count; too few */
};
/* A shard that goes out. */
struct mf_outgoing_shard {
	const char *name, *digits;
	const char *role;
	int64_t built_on; /* version of the role's own file that listed its shards */
	bool divided;     /* it is not read any more */
};
/* Signed files, in the order in which they go out. */
struct mf_outgoing {
	struct mf_publish_file *v;
	struct mf_buf *bytes; /* of each */
	size_t n, cap, bytes_cap;
	struct mf_outgoing_shard *shards; /* those among them */
	size_t nshards, shards_cap;
	struct mf_arena arena;      /* their roles' names */
	size_t first, last;         /* targets roles: [first, last) */
	struct mf_tuf_file *root;   /* the next one, NULL: as it is */
	struct mf_tuf_file *parent; /* the edited role's file, when its delegations change */
	/* Of a proposal, to begin with: */
	enum mf_publish_sign how; /* root and targets roles are signed so */
	const struct mf_proposal *given;
	bool root_last;
	bool moved; /* files were made again, since their base is another one now */
	size_t added, dropped;
	size_t missing; /* most of any file */
};
void mf_outgoing_clear(struct mf_outgoing *o);
#define MF_OUTGOING_CLEANUP MF_CLEANUP(mf_outgoing_clear)
/* ---- a role that is spread over shards (spread.c) */
/* With how many records a file of a role is divided. */
extern const size_t mf_publish_shard_records;
struct mf_spread_change {
	const char *role;
	const struct mf_tuf_role *listed; /* the role as its delegator lists it after the change */
	const struct mf_tuf_edit *edits;  /* sorted by name */
	size_t nedits;
	const struct mf_str *delegations; /* of the role, canonical; NULL: as they are */
	bool keep_whole; /* what others have seen is signed: no file is divided, no other shard listed */
};
struct mf_spread_edits {
	struct mf_tuf_edit *v;
	size_t n, cap;
};
struct mf_spread_part {
	const char *name; /* of the file */
	struct mf_str digits;
	const struct mf_tuf_role *listed; /* NULL: a new one */
	const struct mf_tuf_file *old;    /* NULL: a new one, or not loaded */
	struct mf_spread_edits edits;     /* sorted by name */
	bool gone;                        /* parts of one digit more are there in its place */
};
/* What becomes of one role's files. */
struct mf_spread {
	struct mf_trust *t;
	const struct mf_tuf_loaded *own_now;
	const struct mf_tuf_role *role;
	bool spread; /* the role has shards after the change; false: there is nothing else in here */
	struct mf_spread_edits own; /* of the role's own file, sorted by name */
	struct mf_spread_part *parts;
	size_t n, cap;
	struct mf_str *types; /* of the shards' paths */
	size_t ntypes, types_cap;
	struct mf_buf delegations; /* of the role's own file; empty: as they are */
	struct mf_arena arena;
};
void mf_spread_clear(struct mf_spread *s);
#define MF_SPREAD_CLEANUP MF_CLEANUP(mf_spread_clear)
/* Sorts a change of a role into its files, and divides those that have grown too large. Loads the shards that
 * it touches. s is empty before. */
int mf_publish_spread(struct mf_trust *t, const struct mf_spread_change *c, struct mf_spread *s,
		      struct mf_err *err) MF_NODISCARD;

/* compose.c. *version: of the changed role's own file, or where that stays of a shard. */
int mf_publish_compose(struct mf_trust *t, const struct mf_publish_change *c, struct mf_outgoing *o,
		       int64_t *version, struct mf_err *err) MF_NODISCARD;
/* The role whose keys sign a file that goes out, as it will be; *also as in struct mf_publish_signing. */
const struct mf_tuf_role *mf_outgoing_role(const struct mf_trust *t, const struct mf_outgoing *o,
					   const char *name, const struct mf_tuf_role **also);
/* Signs with keys that the role lists and we hold; appends the whole file. MF_E_KEY, MF_E_THRESHOLD;
 * MF_E_SIGNATURE: a given one does not verify. */
int mf_publish_sign_file(struct mf_trust *t, struct mf_publish_signing *job, struct mf_buf *out,
			 struct mf_err *err) MF_NODISCARD;
/* Until when a new file of a type is valid, at this time. */
int64_t mf_publish_expiry(const struct mf_trust *t, enum mf_tuf_type type);
/* The version of the role's next file when the current one has `base`: the next, or for roles that may skip
 * some the first behind it that the repository has no file of. */
int mf_publish_next_version(struct mf_trust *t, const char *role, int64_t base, int64_t *out,
			    struct mf_err *err) MF_NODISCARD;
/* The file that the snapshot lists for a role, whoever signed it. */
int mf_publish_listed_file(struct mf_trust *t, const char *role, struct mf_tuf_file **out,
			   struct mf_err *err) MF_NODISCARD;
/* Appends a certificate of a key of ours for this repository, as Notary's root wants it (first.c). */
int mf_publish_root_certificate(struct mf_trust *t, const struct mf_key_info *k, struct mf_buf *pem,
				struct mf_err *err) MF_NODISCARD;

#endif
