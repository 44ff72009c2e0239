/* What this machine stores about a repository: rollback floors in $MANIFESTO_HOME, which are trusted, and
 * cached files, which are not. */
#ifndef MF_TRUST_HOME_H
#define MF_TRUST_HOME_H

#include "base/limits.h"
#include "trust/trust.h"

/* The keys whose signatures on a file counted towards its threshold. */
struct mf_floor_signers {
	struct mf_digest v[MF_MAX_SIGNATURES];
	size_t n;
};
/* Floors: the highest version seen of each role, the latest time seen, the last trusted root, and the keys
 * that signed the newest timestamp and snapshot. */
struct mf_floors {
	struct mf_tuf_floors roles;
	int64_t clock;
	struct mf_digest root; /* sha256 of the last trusted root file; valid when roles has "root" */
	struct mf_floor_signers timestamp, snapshot;
	bool any;
};
void mf_floors_clear(struct mf_floors *f);
#define MF_FLOORS_CLEANUP MF_CLEANUP(mf_floors_clear)
/* Without a file the floors are empty. A malformed file is MF_E_ROLLBACK: floors are never silently
 * forgotten. */
int mf_floors_load(const char *home, const char *pin_name, struct mf_floors *out,
		   struct mf_err *err) MF_NODISCARD;
/* Raises the stored floors to the versions of the set, under a lock. No version is lowered, except after a
 * change of keys (mf_floors_follow). A home that cannot be written is logged and no error. */
int mf_floors_raise(const char *home, const char *pin_name, const struct mf_tuf_set *set,
		    const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
/* Path of the file with the floors; malloc'd. */
char *mf_floors_path(const char *home, const char *pin_name, struct mf_err *err) MF_NODISCARD;
/* Sets the recorded time back to the system clock if it is later than that; versions stay. MF_ABSENT: it is
 * not later, or there are no floors. *was: the recorded time; 0: none. dry_run: nothing is written. */
enum mf_found mf_floors_set_clock(const char *home, const char *pin_name, const struct mf_env *env,
				  bool dry_run, int64_t *was, struct mf_err *err) MF_NODISCARD;
/* After a newer root: forgets all floors except root's if the keys that signed the newest timestamp or
 * snapshot no longer reach the threshold of that role (TUF 1.0, 5.3.11: the keys were rotated, and a thief of
 * the old ones may have signed a version so high that honest publishers never reach it). If keys were only
 * added, the floors stay: otherwise each new writer would let an old state pass. */
void mf_floors_follow(struct mf_floors *f, const struct mf_tuf_file *root);
int mf_floor_set(struct mf_tuf_floors *f, const char *role, int64_t version, struct mf_err *err) MF_NODISCARD;

/* DIR/<sha256 of the pin name>. Caller frees. */
char *mf_cache_dir(const struct mf_cache *c, const char *pin_name, struct mf_err *err);
/* Caches metadata in that directory as ROLE.json, or N.root.json (mf_cache_write). The role's name is
 * percent-encoded. */
void mf_cache_put(struct mf_cache *c, const char *pin_name, const char *role, int64_t version,
		  struct mf_bytes bytes);
/* The same for an open repository. */
void mf_trust_cache_put(const struct mf_trust *t, const char *role, int64_t version, struct mf_bytes bytes);

/* The sha256 of a pin name, which names the files of its floors and its cache directory. */
int mf_home_name_hash(const char *pin_name, char hex[65], struct mf_err *err) MF_NODISCARD;

#endif
