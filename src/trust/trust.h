/* A trust repository, and what this machine knows of it: pins, floors, the cache, and the client workflow
 * with its I/O. The module `publish` writes repositories.
 *
 * The kinds of repositories (repo.h) only move bytes and are not trusted: the module `tuf` verifies
 * everything. */
#ifndef MF_TRUST_TRUST_H
#define MF_TRUST_TRUST_H

#include "trust/config.h"
#include "tuf/tuf.h"

/* Checks that the URL of a trust server has a known scheme. local: no request is needed to read it.
 * MF_E_USAGE. */
int mf_trust_url_check(const char *url, bool *local, struct mf_err *err) MF_NODISCARD;

struct mf_trust;
/* url: "https://...", "http://..." (Notary), "tuf+file:///DIR" (directory below it per GUN),
 * "tuf+https://..." or "tuf+http://..." (the same on a web server, read-only), "tuf+s3://BUCKET/PREFIX" (in
 * an object store), "tuf+oci://REGISTRY/REPOSITORY" (a mirror in a registry, read-only), or a plain path: the
 * directory itself. gun: repository name in metadata; pin_name: the name under which pins and floors are
 * stored (the GUN, or "oci:/absolute/dir"). cfg and everything that it points to are borrowed. No request is
 * made. */
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
/* The directory of a local repository, NULL for a server and a bundle. */
const char *mf_trust_dir(const struct mf_trust *t);
/* Directory of the metadata files on this machine, which are unverified: of a local repository its own, else
 * one in the cache. Caller frees. */
char *mf_trust_metadata_dir(const struct mf_trust *t, struct mf_err *err);
/* MF_E_USAGE: the repository is read-only. Loads with MF_LOAD_SIGN and MF_LOAD_RENEW check this, too. */
int mf_trust_check_writable(const struct mf_trust *t, struct mf_err *err) MF_NODISCARD;

/* What a load is for. It decides which expired files are accepted; `expired` of the set says whether there
 * were any. */
enum mf_load_purpose {
	MF_LOAD_READ, /* none */
	/* Expired files that this machine can re-sign: targets roles, and snapshot and timestamp if it holds
	 * a key of theirs. Only where floors show that it has seen the repository before. A read-only
	 * repository is refused. */
	MF_LOAD_SIGN,
	MF_LOAD_RENEW, /* like MF_LOAD_SIGN, and the root */
	MF_LOAD_SHOW,  /* files of all types: to display them, or to read back a publish that leaves some
			  expired. Trust on first use stores no pin; floors are raised. */
};
/* How to load. `{0}` loads everything. */
struct mf_load {
	struct mf_str prefix; /* load the delegated roles that may hold a name with this prefix */
	enum mf_load_purpose purpose;
	bool tolerate_broken; /* skip delegated roles that do not verify (exit statuses 6, 7 and 8): to
				 display or repair roles, never to read records */
	/* With numbered roots: the highest version that is read, as if no later one existed; 0: no limit. For
	 * a publisher that has just written the next root, see publish/update.c. */
	int64_t last_root;
	/* NULL: all. Else only the delegated roles of these names ("targets/qa" or "qa") and their delegators
	 * are loaded. This works in Notary only, where a name contains the names of its delegators; in TUF
	 * 1.0 any role may be a delegator, and all are loaded. Borrowed, ends with NULL. */
	const char *const *only;
	bool proposes; /* the change becomes a proposal and is not published: MF_LOAD_SIGN accepts a read-only
			  repository */
	/* Of roles that are divided into shards, only the shards that may hold records of these subjects are
	 * loaded: hex digests, or their first digits; ends with NULL. mf_trust_load_shards loads others.
	 * NULL: all. Borrowed until the load ends. */
	const char *const *subjects;
	/* Use an index (trust/index.c) for cached targets files: only the entries of subjects that are passed
	 * to mf_trust_read_subject are read. For callers that look up records by subject and never iterate
	 * over all of them. */
	bool by_subject;
	/* Request the snapshot in parallel with the timestamp. Useful if the cached snapshot is known to be
	 * outdated, or if a second connection to the server will be needed later. */
	bool snapshot_at_once;
	/* Several prefixes in place of `prefix`. Borrowed, with their texts, until the load ends. */
	const struct mf_str *prefixes;
	size_t nprefixes;
};
/* Sends the first requests of a load in advance, so that they run in parallel with others. Optional. */
int mf_trust_prefetch(struct mf_trust *t, const struct mf_load *how, struct mf_err *err) MF_NODISCARD;
/* A guess that decides only which requests are sent in advance: is the repository known here, while no cached
 * file lists this content under a name with this prefix? */
bool mf_trust_seems_new(struct mf_trust *t, struct mf_str prefix, const struct mf_digest *content);
/* Another guess: will a load need several round trips (no root is cached), with the content of records kept
 * outside the repository? */
bool mf_trust_seems_far(struct mf_trust *t);
/* The client workflow (load.c): root chain from the pin, timestamp, snapshot, targets, delegations.
 * MF_E_NOT_FOUND: there is no such repository and this machine never saw one; MF_E_GONE: it saw one. */
int mf_trust_load(struct mf_trust *t, const struct mf_load *how, struct mf_err *err) MF_NODISCARD;
/* The same load in steps, so that loads of several repositories overlap: begin once, then call the step
 * function until it returns MF_FOUND or MF_FAILED. Each step waits for the requests of the previous one,
 * verifies the answers, and sends the next requests (MF_ABSENT). */
int mf_trust_load_begin(struct mf_trust *t, const struct mf_load *how, struct mf_err *err) MF_NODISCARD;
enum mf_found mf_trust_load_step(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* Adds to a loaded repository the delegated roles that may hold a name starting with `prefix`. */
int mf_trust_widen(struct mf_trust *t, struct mf_str prefix, struct mf_err *err) MF_NODISCARD;
/* The same in steps, for several prefixes, which are borrowed until the last step. */
int mf_trust_widen_begin(struct mf_trust *t, const struct mf_str *prefixes, size_t n,
			 struct mf_err *err) MF_NODISCARD;
enum mf_found mf_trust_widen_step(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* Loads further shards of the loaded roles: those that may hold records of these subjects (see struct
 * mf_load). */
extern const char *const mf_no_subjects[];
int mf_trust_load_shards(struct mf_trust *t, const char *const *subjects, struct mf_err *err) MF_NODISCARD;
/* Frees the loaded shards; mf_trust_load_shards loads them again when needed. No entry of theirs may be in
 * use. */
void mf_trust_drop_shards(struct mf_trust *t);
/* After a load by_subject: reads the entries of a subject, unless they were read before. */
int mf_trust_read_subject(struct mf_trust *t, const struct mf_digest *subject,
			  struct mf_err *err) MF_NODISCARD;
/* Does the repository still serve the timestamp that is loaded (MF_FOUND), or another one (MF_ABSENT)? */
enum mf_found mf_trust_unchanged(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* Fetches a target file from a repository that serves them (web server, bucket) into a new spool, unverified.
 * MF_ABSENT: there is no such file, or the repository serves none. Call it after a load. */
enum mf_found mf_trust_target_get(struct mf_trust *t, struct mf_str name,
				  const struct mf_tuf_target_info *info, struct mf_spool *out,
				  struct mf_err *err) MF_NODISCARD;
/* An identifier of the loaded repository: the first 32 hexadecimal digits of the SHA-256 of its first root
 * file. It tells apart repositories that were created under one name, and is the same on all machines and for
 * all copies. NULL: unknown. It is not verified; no trust decision may depend on it. */
#define MF_TRUST_IDENTITY 33
const char *mf_trust_identity(struct mf_trust *t);
/* Does the repository store the target files of its records, as directories and buckets do (and bundles,
 * which hold all files)? */
bool mf_trust_keeps_targets(const struct mf_trust *t);
/* Appends the path of a target's file below the directory of a repository. */
int mf_trust_target_file(const struct mf_trust *t, struct mf_str name, const struct mf_digest *sha256,
			 struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Stores a target file in a bucket: a repository that keeps target files and is local to no machine
 * (mf_trust_dir is NULL). */
int mf_trust_target_put(struct mf_trust *t, struct mf_str name, const struct mf_digest *sha256,
			struct mf_spool *content, struct mf_err *err) MF_NODISCARD;
/* Lists the target files of a bucket, sorted by name. A thousand take one request. */
struct mf_listing;
int mf_trust_targets_list(struct mf_trust *t, struct mf_listing *out, struct mf_err *err) MF_NODISCARD;
/* Does the listing have the target's file, with the right length? The length suffices: a write to a bucket
 * takes effect as a whole or not at all. */
int mf_trust_target_listed(const struct mf_trust *t, const struct mf_listing *l, struct mf_str name,
			   const struct mf_tuf_target_info *info, bool *listed,
			   struct mf_err *err) MF_NODISCARD;
struct mf_trust_broken {
	char *role;
	enum mf_code code;
	char *why;
};
/* The roles that the last load skipped (tolerate_broken). Valid until the next load. */
const struct mf_trust_broken *mf_trust_broken(const struct mf_trust *t, size_t *n);
/* The entry of one role; NULL: it was not skipped. */
const struct mf_trust_broken *mf_trust_find_broken(const struct mf_trust *t, const char *role);
/* What was loaded: valid until the next load. */
const struct mf_tuf_set *mf_trust_set(const struct mf_trust *t);
bool mf_trust_was_tofu(const struct mf_trust *t);
/* Was the repository unknown to this machine before the last load (no floors)? */
bool mf_trust_first_seen(const struct mf_trust *t);

/* Does this machine know that the repository exists: has it floors, or a pin of exactly this name? */
enum mf_found mf_trust_known(struct mf_trust *t, struct mf_err *err);

/* Our private key for a public key of the metadata; NULL: we do not hold it, or the listed key cannot be
 * used. */
const struct mf_key_info *mf_trust_key_here(struct mf_trust *t, const struct mf_tuf_key *k);
const struct mf_tuf_role *mf_trust_role(const struct mf_trust *t,
					const char *name); /* as its delegator lists it; NULL: not listed */
/* Do we hold a key of this top-level role, as the trusted root lists it? */
bool mf_trust_hold_key_of(struct mf_trust *t, enum mf_tuf_type type);

/* ---- pins: $MANIFESTO_HOME/trust.json */
struct mf_pin {
	bool found;
	bool exact;    /* the pattern is the name itself, no prefix: the repository is known to exist */
	char *pattern; /* the GUN or prefix that matched */
	struct mf_digest *fingerprints;
	size_t n;
	int64_t threshold;
	char *ca; /* PEM text, or NULL */
};
void mf_pin_clear(struct mf_pin *p);
#define MF_PIN_CLEANUP MF_CLEANUP(mf_pin_clear)
/* Finds the pin of a name: the exact name first, then the longest prefix pattern (ending in '*'). MF_E_PIN:
 * trust.json is broken. */
int mf_pin_find(const char *home, const char *name, struct mf_pin *out, struct mf_err *err) MF_NODISCARD;
/* Replaces the pin of a pattern; locked and atomic. MF_E_USAGE: the pattern has a map. */
int mf_pin_store(const char *home, const char *pattern, const struct mf_digest *fingerprints, size_t n,
		 int64_t threshold, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
/* Removes the pin of a pattern; locked and atomic. MF_ABSENT: there is none. */
enum mf_found mf_pin_remove(const char *home, const char *pattern, const struct mf_env *env,
			    struct mf_err *err) MF_NODISCARD;
/* Appends the pins and maps of these patterns (n 0: all) as a file that mf_pin_import reads. MF_E_NOT_FOUND:
 * a pattern has neither. */
int mf_pin_export(const char *home, const char *const *patterns, size_t n, struct mf_buf *out,
		  struct mf_err *err) MF_NODISCARD;
enum mf_pin_change { MF_PIN_SAME, MF_PIN_ADDED, MF_PIN_REPLACED };
struct mf_pin_import {
	const char *path;
	bool replace; /* also take pins, maps and names that differ from ours */
	int (*each)(void *arg, const char *pattern, enum mf_pin_change what, struct mf_err *err);
	/* Called for each map; it refuses a map whose names are no repositories. */
	int (*mapped)(void *arg, const char *pattern, const char *repository, enum mf_pin_change what,
		      struct mf_err *err);
	int (*named)(void *arg, const char *name, struct mf_err *err); /* called for each new name */
	void *arg;
	struct mf_keystore *own; /* our own keys, whose names do not change */
};
/* Takes over the pins, maps and names of a file, all of them or none; locked and atomic. MF_E_PIN: a pin or
 * map differs from ours, or would decide for names for which another one decides here; MF_E_USAGE: the target
 * of a map is mapped itself; MF_E_FORMAT: the file, or a pin or map in it, is broken. Relative paths of CA
 * files count from the home, as in trust.json. */
int mf_pin_import(const char *home, const struct mf_pin_import *in, const struct mf_env *env,
		  struct mf_err *err) MF_NODISCARD;
/* The names of keys: those of our own, and those that trust.json gives to keys of others. */
int mf_pin_names(const char *home, struct mf_keystore *own, struct mf_names *out,
		 struct mf_err *err) MF_NODISCARD;
/* Gives a key a name, in place of its previous one; with fingerprint NULL, removes the name (MF_E_KEY: no key
 * has it). Locked and atomic. Further errors: those of mf_names_check. */
int mf_pin_name(const char *home, const char *name, const struct mf_digest *fingerprint,
		struct mf_keystore *own, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
/* Takes over names (a JSON object as in trust.json), all of them or none. Our own keys, and keys that have a
 * name here, keep theirs. MF_E_CONFLICT: a name looks like that of another key. */
enum mf_pin_names_mode { MF_PIN_NAMES_CHECK, MF_PIN_NAMES_STORE };
int mf_pin_add_names(const char *home, const json_t *names, enum mf_pin_names_mode mode,
		     struct mf_keystore *own, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
/* ---- maps, in the same file: whose trust repository speaks for an image name. The longest pattern decides,
 * but a pin whose pattern is at least as long decides instead. A map is not followed twice. */
struct mf_map {
	char *pattern, *repository;
};
void mf_map_clear(struct mf_map *m);
#define MF_MAP_CLEANUP MF_CLEANUP(mf_map_clear)
struct mf_maps {
	json_t *tree; /* NULL: not loaded */
};
void mf_maps_clear(struct mf_maps *m);
#define MF_MAPS_CLEANUP MF_CLEANUP(mf_maps_clear)
int mf_maps_load(const char *home, struct mf_maps *out, struct mf_err *err) MF_NODISCARD;
/* Finds the map that decides for a name, and the repository that the name maps to. MF_E_PIN: the map is
 * broken; MF_E_USAGE: that repository's name is mapped itself. */
enum mf_found mf_maps_find(const struct mf_maps *m, const char *name, struct mf_map *out, struct mf_err *err);
/* Calls `each` for all maps, unchecked; a repository that is not a string becomes "". */
int mf_maps_each(const struct mf_maps *m,
		 int (*each)(void *arg, const char *pattern, const char *repository, struct mf_err *err),
		 void *arg, struct mf_err *err) MF_NODISCARD;
/* Replaces the map of a pattern; locked and atomic. MF_E_USAGE: '*' is not at the end, or the target is
 * mapped itself; MF_E_PIN: the pattern has a pin. */
int mf_map_store(const char *home, const char *pattern, const char *repository, const struct mf_env *env,
		 struct mf_err *err) MF_NODISCARD;
enum mf_found mf_map_remove(const char *home, const char *pattern, const struct mf_env *env,
			    struct mf_err *err) MF_NODISCARD;
/* The root keys and threshold of a root file, to be pinned. The file must have enough signatures of its own
 * root keys. fingerprints: room for MF_MAX_SIGNATURES. */
int mf_pin_from_root(const struct mf_dialect *d, const char *gun, int64_t now, struct mf_bytes root,
		     struct mf_digest *fingerprints, size_t *n, int64_t *threshold,
		     struct mf_err *err) MF_NODISCARD;

/* ---- what this machine remembers, as far as a person may change it */
/* Sets the recorded time of the repository back to the system clock, see mf_floors_set_clock. *file: malloc'd
 * path of the floors. */
enum mf_found mf_trust_set_clock(const struct mf_trust *t, bool dry_run, int64_t *was, char **file,
				 struct mf_err *err) MF_NODISCARD;
/* What this machine remembers of the repository. Strings are malloc'd; NULL: there is none. */
struct mf_trust_memory {
	struct mf_pin pin; /* exact, or of a prefix, which mf_trust_forget keeps */
	char *floors;      /* file */
	char *cache;       /* directory */
	int64_t root, clock;
};
void mf_trust_memory_clear(struct mf_trust_memory *m);
#define MF_TRUST_MEMORY_CLEANUP MF_CLEANUP(mf_trust_memory_clear)
/* MF_ABSENT: nothing is remembered that could be forgotten. */
enum mf_found mf_trust_remembers(const struct mf_trust *t, struct mf_trust_memory *out,
				 struct mf_err *err) MF_NODISCARD;
/* Removes the pin of exactly this name, the floors and the cached metadata. The next load is like the first
 * one. */
int mf_trust_forget(const struct mf_trust *t, const struct mf_trust_memory *m,
		    struct mf_err *err) MF_NODISCARD;

#endif
