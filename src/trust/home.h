/* This machine's memory of a repository: rollback floors (trusted: in $MANIFESTO_HOME) and cached files
 * (untrusted). */
#ifndef MF_TRUST_HOME_H
#define MF_TRUST_HOME_H

#include "base/limits.h"
#include "trust/trust.h"

/* Keys whose signatures on a file were counted. */
struct mf_floor_signers {
	struct mf_digest v[MF_MAX_SIGNATURES];
	size_t n;
};
/* Floors: the highest versions seen, the latest clock, the last trusted root, and who signed the newest
 * timestamp and snapshot. */
struct mf_floors {
	struct mf_tuf_floors roles;
	int64_t clock;
	struct mf_digest root; /* sha256 of the last trusted root file; valid when roles has "root" */
	struct mf_floor_signers timestamp, snapshot;
	bool any;
};
void mf_floors_clear(struct mf_floors *f);
#define MF_FLOORS_CLEANUP MF_CLEANUP(mf_floors_clear)
/* No file: empty floors. A malformed file is MF_E_ROLLBACK: floors are never silently forgotten. */
int mf_floors_load(const char *home, const char *pin_name, struct mf_floors *out,
		   struct mf_err *err) MF_NODISCARD;
/* Raises what is stored to what the set has seen (never lowers a version, except behind a change of keys);
 * locked. An unwritable home is not an error: it is logged. */
int mf_floors_raise(const char *home, const char *pin_name, const struct mf_tuf_set *set,
		    const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
/* The file that holds them; malloc'd. */
char *mf_floors_path(const char *home, const char *pin_name, struct mf_err *err) MF_NODISCARD;
/* Replaces the recorded time by this machine's, where the recorded one is later; versions stay. MF_ABSENT: it
 * is not later, or there are no floors. *was: the recorded time, 0: none. dry_run: nothing is written. */
enum mf_found mf_floors_set_clock(const char *home, const char *pin_name, const struct mf_env *env,
				  bool dry_run, int64_t *was, struct mf_err *err) MF_NODISCARD;
/* Behind a newer root: forgets the floors of everything but root when the keys that signed the newest
 * timestamp or snapshot seen no longer meet that role (TUF 5.3.11: keys have been rotated, and whoever stole
 * one may have signed a version that is never reached again). Keys that were only added forget nothing:
 * otherwise each new writer would let an old state pass. */
void mf_floors_follow(struct mf_floors *f, const struct mf_tuf_file *root);
int mf_floor_set(struct mf_tuf_floors *f, const char *role, int64_t version, struct mf_err *err) MF_NODISCARD;

/* DIR/<sha256 of the pin name>. Caller frees. */
char *mf_cache_dir(const char *cache_dir, const char *pin_name, struct mf_err *err);
/* Metadata is cached in ROLE.json and N.root.json there; role bytes are escaped. Failure to write is no
 * error: false. */
bool mf_cache_put(const char *cache_dir, const char *pin_name, const char *role, int64_t version,
		  struct mf_bytes bytes);
/* The same for an open repository, accounted. */
void mf_trust_cache_put(const struct mf_trust *t, const char *role, int64_t version, struct mf_bytes bytes);

/* The sha256 of a pin name: what its floors and its cache are filed under. */
int mf_home_name_hash(const char *pin_name, char hex[65], struct mf_err *err) MF_NODISCARD;

#endif
