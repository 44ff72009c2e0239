/* A trust repository and this machine's view of it: pins, floors, cache, the client workflow with its I/O,
 * publishing.
 *
 * Backends (a Notary server, a TUF 1.0 directory or web server) move bytes and are not trusted; everything is
 * verified by the TUF core. */
#ifndef MF_TRUST_TRUST_H
#define MF_TRUST_TRUST_H

#include "keys/keystore.h"
#include "net/http.h"
#include "store/file.h"
#include "tuf/build.h"
#include "tuf/tuf.h"

struct mf_trust_config {
	const char *home; /* pins, floors, locks */
	const char *cache_dir;
	bool tofu;            /* trust on first use where no pin exists */
	bool ci;              /* and never store it */
	struct mf_http *http; /* for servers; may be NULL for directories */
	struct mf_auth *auth;
	const struct mf_env *env;
	struct mf_keystore *keys;
	const char *key_name; /* keys that are made, and the first choice when several fit */
};

struct mf_trust;
/* url: "https://...", "http://..." (Notary), "tuf+file:///DIR" (directory below it per GUN),
 * "tuf+https://..." or "tuf+http://..." (the same on a web server, read-only), or a plain path: that very
 * directory. gun: repository name in metadata; pin_name: what pins and floors are filed under (the GUN, or
 * "oci:/absolute/dir"). cfg is borrowed with all it points to. No request is made. */
int mf_trust_open(const char *url, const char *gun, const char *pin_name, const struct mf_trust_config *cfg,
		  struct mf_trust **out, struct mf_err *err) MF_NODISCARD;
void mf_trust_close(struct mf_trust *t);
static inline void mf_trust_cleanup(struct mf_trust **t)
{
	mf_trust_close(*t);
}
#define MF_TRUST_CLEANUP MF_CLEANUP(mf_trust_cleanup)

const char *mf_trust_where(const struct mf_trust *t); /* for people: URL or directory */
const char *mf_trust_gun(const struct mf_trust *t);
const char *mf_trust_pin_name(const struct mf_trust *t);
const struct mf_dialect *mf_trust_dialect(const struct mf_trust *t);
/* The directory of a local repository, NULL for a server. */
const char *mf_trust_dir(const struct mf_trust *t);
/* MF_E_USAGE when the repository can only be read. Loading for signing checks it as well. */
int mf_trust_check_writable(const struct mf_trust *t, struct mf_err *err) MF_NODISCARD;

/* Begins the requests that a load will need, so that they overlap others. Optional. */
int mf_trust_prefetch(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* The client workflow: root chain from the pin, timestamp, snapshot, targets, and every delegation that could
 * hold a name starting with `prefix` ("" all). for_signing: expired files that we can sign anew (targets
 * roles; snapshot and timestamp whose key we hold) are loaded nevertheless, on a machine that has seen the
 * repository before (floors). MF_E_NOT_FOUND: there is no such
 * repository and this machine never saw one; MF_E_GONE: it saw one. */
int mf_trust_load(struct mf_trust *t, struct mf_str prefix, bool for_signing,
		  struct mf_err *err) MF_NODISCARD;
/* Loads everything, and what has expired too, a root included; the set's `expired` tells. For showing what is
 * there (for_signing false: all types), or for signing it anew (the root, and what mf_trust_load passes). */
int mf_trust_load_expired(struct mf_trust *t, bool for_signing, struct mf_err *err) MF_NODISCARD;
/* Loads further delegations into what is loaded: those that could hold a name starting with `prefix`. */
int mf_trust_widen(struct mf_trust *t, struct mf_str prefix, struct mf_err *err) MF_NODISCARD;
/* Does the repository still serve the timestamp that is loaded? 1, 0, -1. */
int mf_trust_unchanged(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* A target's file where the repository is a web server: into a new spool, not verified. 1, 0 not there (or no
 * place for targets), -1. After a load. */
int mf_trust_target_get(struct mf_trust *t, struct mf_str name, const struct mf_tuf_target_info *info,
			struct mf_spool *out, struct mf_err *err) MF_NODISCARD;
/* From now on loads read, of the delegated roles, those of these names ("targets/qa", or "qa") and their
 * delegators: on Notary, where a name tells them. In TUF 1.0 any role may be a delegator, and all are read.
 * names: borrowed, ends with NULL. */
void mf_trust_narrow(struct mf_trust *t, const char *const *names);
/* From now on loads pass over delegated roles that do not verify (exit statuses 6, 7 and 8): for those who
 * look at roles or mend them, never for reading records. */
void mf_trust_tolerate(struct mf_trust *t);
struct mf_trust_broken {
	char *role;
	enum mf_code code;
	char *why;
};
/* The roles that the last load passed over. Valid until the next load. */
const struct mf_trust_broken *mf_trust_broken(const struct mf_trust *t, size_t *n);
/* What was loaded: valid until the next load. */
const struct mf_tuf_set *mf_trust_set(const struct mf_trust *t);
bool mf_trust_was_tofu(const struct mf_trust *t);
/* Was the repository unknown to this machine before the last load (no floors)? */
bool mf_trust_first_seen(const struct mf_trust *t);

/* Does this machine know that it exists: a pin of this very name, or floors? */
bool mf_trust_known(struct mf_trust *t, struct mf_err *err);

/* The signer to use for a role of the loaded set: a key that the role lists and we hold, the preferred name
 * first. MF_E_KEY lists what would be needed. */
int mf_trust_signer(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_signer *out,
		    const struct mf_key_info **info, struct mf_err *err) MF_NODISCARD;
/* Our key behind one that metadata list; NULL: we do not hold it, or it cannot be used. */
const struct mf_key_info *mf_trust_key_here(struct mf_trust *t, const struct mf_tuf_key *k);
const struct mf_tuf_role *mf_trust_role(const struct mf_trust *t,
					const char *name); /* as it is listed; NULL */

/* A further targets role whose file is signed anew by the keys that it has after the change. */
struct mf_trust_resign {
	const char *role;
	int64_t version; /* 0: the one after what is loaded */
	bool empty;      /* without what it holds now */
};
/* What one publish changes, together or not at all. The intent is called with the loaded repository, once for
 * each try; it fills this (memory is its own) and returns 1, or 0 when nothing is to be done, or -1. */
struct mf_trust_change {
	const char *role;                /* targets role whose file changes; NULL: none */
	const struct mf_tuf_edit *edits; /* sorted by name */
	size_t nedits;
	const struct mf_str *delegations; /* of that role, canonical; NULL: as they are */
	const struct mf_trust_resign *resign;
	size_t nresign;
	const struct mf_str *root; /* signed part of the next root, canonical; NULL: none */
	bool
	    root_last; /* readers shall find the new root only behind the new timestamp: it takes keys away */
};
typedef int (*mf_trust_intent_fn)(void *arg, struct mf_trust *t, struct mf_trust_change *out,
				  struct mf_err *err);
#define MF_TRUST_MAX_RESIGN 64
/* Load, intent, sign, publish, and again when somebody else was faster, with jitter, until the deadline
 * (MF_E_CONFLICT); then loads again and checks that the change is there. *version: of the role's file.
 * Returns 1 published, 0 nothing to do, -1. */
int mf_trust_update(struct mf_trust *t, struct mf_str prefix, mf_trust_intent_fn intent, void *arg,
		    int64_t *version, struct mf_err *err) MF_NODISCARD;

/* ---- signing anew what runs out */
struct mf_refresh_options {
	int64_t within; /* seconds: roles that expire so soon, see mf_trust_window */
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
int mf_trust_refresh(struct mf_trust *t, const struct mf_refresh_options *opt, struct mf_refreshed *out,
		     struct mf_err *err) MF_NODISCARD;
/* How long before its end a role of a type is due when `within` is asked for: timestamp and snapshot at most
 * half their lifetime, or those that live 7 days would always be. */
int64_t mf_trust_window(const struct mf_trust *t, enum mf_tuf_type type, int64_t within);
/* How many different keys of a role are on this machine. */
size_t mf_trust_held(const struct mf_trust *t, const struct mf_tuf_role *role);
/* Does the server sign this role: Notary's timestamp always, its snapshot when the key that it offers is the
 * one that the root lists (asking needs the right to publish). 1, 0, -1. */
int mf_trust_server_signs(struct mf_trust *t, enum mf_tuf_type type, struct mf_err *err) MF_NODISCARD;

/* Makes the repository: keys as needed, root, empty targets. Pins the root on this machine. MF_E_CONFLICT
 * when there is one already. made (arena strings "name (type fp)") lists new keys. */
struct mf_trust_made {
	struct mf_arena arena;
	char *keys[3];
	size_t nkeys;
};
int mf_trust_init(struct mf_trust *t, struct mf_trust_made *made, struct mf_err *err) MF_NODISCARD;

/* Serialises this machine's writers of the repository; not an error when the home cannot be written. */
int mf_trust_lock(struct mf_trust *t, struct mf_lock *lock, struct mf_err *err) MF_NODISCARD;

/* ---- pins: $MANIFESTO_HOME/trust.json */
struct mf_pin {
	bool found;
	bool exact;    /* for this very name, not by a prefix: then the repository is known to exist */
	char *pattern; /* the GUN or prefix that matched */
	struct mf_digest *fingerprints;
	size_t n;
	int64_t threshold;
	char *ca; /* PEM text, or NULL */
};
void mf_pin_clear(struct mf_pin *p);
#define MF_PIN_CLEANUP MF_CLEANUP(mf_pin_clear)
/* Exact name first, then the longest prefix ending in '*'. A broken file is MF_E_PIN. */
int mf_pin_find(const char *home, const char *name, struct mf_pin *out, struct mf_err *err) MF_NODISCARD;
/* Replaces the pin of a pattern; locked and atomic. */
int mf_pin_store(const char *home, const char *pattern, const struct mf_digest *fingerprints, size_t n,
		 int64_t threshold, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
/* Appends the pins of these patterns (n 0: all) as a file that mf_pin_import reads. MF_E_NOT_FOUND. */
int mf_pin_export(const char *home, const char *const *patterns, size_t n, struct mf_buf *out,
		  struct mf_err *err) MF_NODISCARD;
enum mf_pin_change { MF_PIN_SAME, MF_PIN_ADDED, MF_PIN_REPLACED };
struct mf_pin_import {
	const char *path;
	bool replace; /* also pins that differ from ours */
	int (*each)(void *arg, const char *pattern, enum mf_pin_change what, struct mf_err *err);
	void *arg;
};
/* Takes over the pins of a file, all of them or none; locked and atomic. MF_E_PIN: one differs from ours;
 * MF_E_FORMAT: the file, or a pin in it, is broken; a CA file is looked for as trust.json names it. */
int mf_pin_import(const char *home, const struct mf_pin_import *in, const struct mf_env *env,
		  struct mf_err *err) MF_NODISCARD;
/* The keys of a root file's role root and its threshold, for pinning it: well signed by itself. fingerprints:
 * room for MF_MAX_SIGNATURES. */
int mf_pin_from_root(const struct mf_dialect *d, const char *gun, int64_t now, struct mf_bytes root,
		     struct mf_digest *fingerprints, size_t *n, int64_t *threshold,
		     struct mf_err *err) MF_NODISCARD;

#endif
