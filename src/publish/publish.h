/* Writing to a trust repository: the first publish, changes, signing anew. */
#ifndef MF_PUBLISH_PUBLISH_H
#define MF_PUBLISH_PUBLISH_H

#include "trust/trust.h"
#include "tuf/build.h"

/* The signer to use for a role of the loaded set: a key that the role lists and we hold, the preferred name
 * first. MF_E_KEY lists what would be needed. */
int mf_publish_signer(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_signer *out,
		      const struct mf_key_info **info, struct mf_err *err) MF_NODISCARD;

/* A further targets role whose file is signed anew by the keys that it has after the change. */
struct mf_publish_resign {
	const char *role;
	int64_t version; /* 0: the one after what is loaded */
	bool empty;      /* without what it holds now */
};
/* What one publish changes, together or not at all. The intent is called with the loaded repository, once for
 * each try; it fills this (memory is its own) and returns 1, or 0 when nothing is to be done, or -1. */
struct mf_publish_change {
	const char *role;                /* targets role whose file changes; NULL: none */
	const struct mf_tuf_edit *edits; /* sorted by name */
	size_t nedits;
	const struct mf_str *delegations; /* of that role, canonical; NULL: as they are */
	const struct mf_publish_resign *resign;
	size_t nresign;
	const struct mf_str *root; /* signed part of the next root, canonical; NULL: none */
	bool
	    root_last; /* readers shall find the new root only behind the new timestamp: it takes keys away */
};
typedef int (*mf_publish_intent_fn)(void *arg, struct mf_trust *t, struct mf_publish_change *out,
				    struct mf_err *err);
#define MF_PUBLISH_MAX_RESIGN 64
/* Load, intent, sign, publish, and again when somebody else was faster, with jitter, until the deadline
 * (MF_E_CONFLICT); then loads again and checks that the change is there. *version: of the role's file.
 * Returns 1 published, 0 nothing to do, -1. */
int mf_publish_update(struct mf_trust *t, struct mf_str prefix, mf_publish_intent_fn intent, void *arg,
		      int64_t *version, struct mf_err *err) MF_NODISCARD;

/* ---- signing anew what runs out */
struct mf_refresh_options {
	int64_t within; /* seconds: roles that expire so soon, see mf_publish_window */
	bool all;       /* whenever they expire */
	bool dry_run;   /* only tell */
};
struct mf_refreshed_role {
	char *role;
	bool done;                /* else it is due, and we do not hold the keys */
	int64_t version, expires; /* the new ones, or those that it has */
};
struct mf_refreshed {
	struct mf_refreshed_role *v;
	size_t n, cap;
};
void mf_refreshed_clear(struct mf_refreshed *r);
/* Signs each role that is due once more, unchanged, with a new expiry, as far as we hold its keys, and with
 * it snapshot and timestamp where they are ours; then loads again. Works on an expired repository if this
 * machine has seen it before (floors). 1: published; 0: nothing was due that we can sign; -1. */
int mf_publish_refresh(struct mf_trust *t, const struct mf_refresh_options *opt, struct mf_refreshed *out,
		       struct mf_err *err) MF_NODISCARD;
/* How long before its end a role of a type is due when `within` is asked for: timestamp and snapshot at most
 * half their lifetime, or those that live 7 days would always be. */
int64_t mf_publish_window(const struct mf_trust *t, enum mf_tuf_type type, int64_t within);
/* How many different keys of a role are on this machine. */
size_t mf_publish_held(const struct mf_trust *t, const struct mf_tuf_role *role);
/* Does the server sign this role: Notary's timestamp always, its snapshot when the key that it offers is the
 * one that the root lists (asking needs the right to publish). 1, 0, -1. */
int mf_publish_server_signs(struct mf_trust *t, enum mf_tuf_type type, struct mf_err *err) MF_NODISCARD;

/* Makes the repository: keys as needed, root, empty targets. Pins the root on this machine. MF_E_CONFLICT
 * when there is one already. made (arena strings "name (type fp)") lists new keys. */
struct mf_publish_made {
	struct mf_arena arena;
	char *keys[3];
	size_t nkeys;
};
int mf_publish_first(struct mf_trust *t, struct mf_publish_made *made, struct mf_err *err) MF_NODISCARD;

/* Serialises this machine's writers of the repository; not an error when the home cannot be written. */
int mf_publish_lock(struct mf_trust *t, struct mf_lock *lock, struct mf_err *err) MF_NODISCARD;

/* ---- inside this module */
/* Signs with keys that the role lists and we hold, as many as its threshold asks for; appends the whole file.
 * MF_E_KEY. */
int mf_publish_sign_file(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_str canonical,
			 struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Seconds that a new file of a type is valid. */
int64_t mf_publish_lifetime(const struct mf_trust *t, enum mf_tuf_type type);

/* The key that a Notary server offers for a role, a new reference. */
int mf_publish_server_pubkey(struct mf_trust *t, const char *role, struct mf_pubkey **out,
			     struct mf_err *err) MF_NODISCARD;

/* Waits a little when a publish failed because somebody else was faster; -1: it failed otherwise, or time is
 * up. */
int mf_publish_conflict_pause(struct mf_trust *t, int tries, struct mf_err *err) MF_NODISCARD;

/* The version of the role's next file when the current one has `base`: the next, or for roles that may skip
 * some the first behind it that the repository has no file of. */
int mf_publish_next_version(struct mf_trust *t, const char *role, int64_t base, int64_t *out,
			    struct mf_err *err) MF_NODISCARD;

#endif
