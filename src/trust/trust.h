/* A trust repository and this machine's view of it: pins, floors, cache, the client workflow with its I/O.
 * Writing is the module `publish`.
 *
 * Backends (a Notary server, a TUF 1.0 directory or web server) move bytes and are not trusted; everything is
 * verified by the TUF core. */
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
 * an object store), "tuf+oci://REGISTRY/REPOSITORY" (a mirror in a registry, read-only), or a plain path:
 * that very directory. gun: repository name in metadata; pin_name: what pins and floors are filed under (the
 * GUN, or "oci:/absolute/dir"). cfg is borrowed with all it points to. No request is made. */
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
/* Where its metadata files lie on this machine, unverified: that directory, or the cache. Caller frees. */
char *mf_trust_metadata_dir(const struct mf_trust *t, struct mf_err *err);
/* MF_E_USAGE when the repository can only be read. MF_LOAD_SIGN and MF_LOAD_RENEW check it as well. */
int mf_trust_check_writable(const struct mf_trust *t, struct mf_err *err) MF_NODISCARD;

/* What a load is for. It decides which expired files pass; the set's `expired` says whether there were any.
 */
enum mf_load_purpose {
	MF_LOAD_READ, /* none */
	/* Those that we can re-sign: targets roles, snapshot and timestamp whose key we hold; on a machine
	 * that has seen the repository before (floors). A repository that can only be read is refused. */
	MF_LOAD_SIGN,
	MF_LOAD_RENEW, /* like MF_LOAD_SIGN, and the root */
	MF_LOAD_SHOW,  /* all types: to show what is there. Nothing is trusted from then on because of it. */
};
/* `{0}` reads everything. */
struct mf_load {
	struct mf_str prefix; /* read the delegations that could hold a name with this prefix */
	enum mf_load_purpose purpose;
	bool tolerate_broken; /* pass over delegated roles that do not verify (exit statuses 6, 7 and 8): to
				 show or to mend roles, never to read records */
	/* Where roots are numbered: the last one that is read, as if there were no later ones; 0: all are.
	 * For who has just published the next one, see publish/update.c. */
	int64_t last_root;
	/* NULL: all; else, of the delegated roles, those of these names ("targets/qa", or "qa") and their
	 * delegators: on Notary, where a name shows them. In TUF 1.0 any role may be a delegator, and all are
	 * read. Borrowed, ends with NULL. */
	const char *const *only;
	bool proposes; /* nothing will be published: MF_LOAD_SIGN may be of a repository that can only be read
			*/
	/* Of roles that are spread over shards, the shards that may hold records of these subjects: hex
	 * digests, or their first digits; ends with NULL. mf_trust_load_shards loads others. NULL: all.
	 * Borrowed until the load ends. */
	const char *const *subjects;
	/* Of targets files that were verified before, only the entries of subjects that mf_trust_read_subject
	 * asks for are read, by an index. Who reads records by their subject alone may set it. */
	bool by_subject;
	/* The snapshot is not the one that is known here, or a second connection to the server will be of
	 * use: it is requested beside the timestamp. */
	bool snapshot_at_once;
	/* In place of `prefix`, several of them. Borrowed, with their texts, until the load ends. */
	const struct mf_str *prefixes;
	size_t nprefixes;
};
/* Begins the requests that a load will need, so that they overlap others. Optional. */
int mf_trust_prefetch(struct mf_trust *t, const struct mf_load *how, struct mf_err *err) MF_NODISCARD;
/* A guess, to send requests ahead by: is the repository known, and does no file that is cached list such
 * content under a name with this prefix? */
bool mf_trust_seems_new(struct mf_trust *t, struct mf_str prefix, const struct mf_digest *content);
/* Another: will it take several requests to load this, and is content elsewhere? */
bool mf_trust_seems_far(struct mf_trust *t);
/* The client workflow (load.c): root chain from the pin, timestamp, snapshot, targets, delegations.
 * MF_E_NOT_FOUND: there is no such repository and this machine never saw one; MF_E_GONE: it saw one. */
int mf_trust_load(struct mf_trust *t, const struct mf_load *how, struct mf_err *err) MF_NODISCARD;
/* The same in steps, so that those of several repositories overlap: begun, then step after step until
 * MF_FOUND. Each step waits for the requests of the one before it, verifies, and sends those that follow
 * (MF_ABSENT). */
int mf_trust_load_begin(struct mf_trust *t, const struct mf_load *how, struct mf_err *err) MF_NODISCARD;
enum mf_found mf_trust_load_step(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* Loads further delegations into what is loaded: those that could hold a name starting with `prefix`. */
int mf_trust_widen(struct mf_trust *t, struct mf_str prefix, struct mf_err *err) MF_NODISCARD;
/* The same in steps, for several prefixes, which are borrowed until the last one. */
int mf_trust_widen_begin(struct mf_trust *t, const struct mf_str *prefixes, size_t n,
			 struct mf_err *err) MF_NODISCARD;
enum mf_found mf_trust_widen_step(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* Loads further shards of the roles that are loaded: those that may hold records of these subjects, see
 * struct mf_load. */
extern const char *const mf_no_subjects[];
int mf_trust_load_shards(struct mf_trust *t, const char *const *subjects, struct mf_err *err) MF_NODISCARD;
/* Forgets the shards that are loaded, which it loads again when they are asked for: no entry of theirs may be
 * in use. */
void mf_trust_drop_shards(struct mf_trust *t);
/* Reads the entries of a subject where that is still to be done (by_subject). */
int mf_trust_read_subject(struct mf_trust *t, const struct mf_digest *subject,
			  struct mf_err *err) MF_NODISCARD;
/* Does the repository still serve the timestamp that is loaded (MF_FOUND), or another one (MF_ABSENT)? */
enum mf_found mf_trust_unchanged(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* A target's file where the repository is a web server: into a new spool, not verified. MF_ABSENT: it is not
 * there, or there is no place for targets. After a load. */
enum mf_found mf_trust_target_get(struct mf_trust *t, struct mf_str name,
				  const struct mf_tuf_target_info *info, struct mf_spool *out,
				  struct mf_err *err) MF_NODISCARD;
/* Of what is loaded: distinguishes repositories of one name, and is the same for all who use one and its
 * copies: the beginning of the hash of the first root file. NULL: unknown. Not verified; nothing that is
 * trusted may hang on it. */
#define MF_TRUST_IDENTITY 33
const char *mf_trust_identity(struct mf_trust *t);
/* Does the repository keep the target files of its records: is it a directory, or a bucket? */
bool mf_trust_keeps_targets(const struct mf_trust *t);
/* Appends the path of a target's file below the directory of a repository. */
int mf_trust_target_file(const struct mf_trust *t, struct mf_str name, const struct mf_digest *sha256,
			 struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* For a repository that keeps them and is no directory (mf_trust_dir). */
int mf_trust_target_put(struct mf_trust *t, struct mf_str name, const struct mf_digest *sha256,
			struct mf_spool *content, struct mf_err *err) MF_NODISCARD;
/* The target files of such a repository, sorted: one request for a thousand. */
struct mf_listing;
int mf_trust_targets_list(struct mf_trust *t, struct mf_listing *out, struct mf_err *err) MF_NODISCARD;
/* Is there a file of the right length? What is written there arrives whole or not at all. */
int mf_trust_target_listed(const struct mf_trust *t, const struct mf_listing *l, struct mf_str name,
			   const struct mf_tuf_target_info *info, bool *listed,
			   struct mf_err *err) MF_NODISCARD;
struct mf_trust_broken {
	char *role;
	enum mf_code code;
	char *why;
};
/* The roles that the last load passed over. Valid until the next load. */
const struct mf_trust_broken *mf_trust_broken(const struct mf_trust *t, size_t *n);
/* One of them; NULL. */
const struct mf_trust_broken *mf_trust_find_broken(const struct mf_trust *t, const char *role);
/* What was loaded: valid until the next load. */
const struct mf_tuf_set *mf_trust_set(const struct mf_trust *t);
bool mf_trust_was_tofu(const struct mf_trust *t);
/* Was the repository unknown to this machine before the last load (no floors)? */
bool mf_trust_first_seen(const struct mf_trust *t);

/* Does this machine know that it exists: a pin of this very name, or floors? */
enum mf_found mf_trust_known(struct mf_trust *t, struct mf_err *err);

/* Our key behind one that metadata list; NULL: we do not hold it, or it cannot be used. */
const struct mf_key_info *mf_trust_key_here(struct mf_trust *t, const struct mf_tuf_key *k);
const struct mf_tuf_role *mf_trust_role(const struct mf_trust *t,
					const char *name); /* as it is listed; NULL */
/* Do we hold a key of a top-level role of the trusted root? */
bool mf_trust_hold_key_of(struct mf_trust *t, enum mf_tuf_type type);

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
/* Replaces the pin of a pattern; locked and atomic. MF_E_USAGE: the pattern has a map. */
int mf_pin_store(const char *home, const char *pattern, const struct mf_digest *fingerprints, size_t n,
		 int64_t threshold, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
/* Removes the pin of a pattern; locked and atomic. MF_ABSENT: there is none. */
enum mf_found mf_pin_remove(const char *home, const char *pattern, const struct mf_env *env,
			    struct mf_err *err) MF_NODISCARD;
/* Appends the pins and maps of these patterns (n 0: all) as a file that mf_pin_import reads. MF_E_NOT_FOUND.
 */
int mf_pin_export(const char *home, const char *const *patterns, size_t n, struct mf_buf *out,
		  struct mf_err *err) MF_NODISCARD;
enum mf_pin_change { MF_PIN_SAME, MF_PIN_ADDED, MF_PIN_REPLACED };
struct mf_pin_import {
	const char *path;
	bool replace; /* also pins that differ from ours */
	int (*each)(void *arg, const char *pattern, enum mf_pin_change what, struct mf_err *err);
	/* For each map; one that is no pair of repositories is refused here. */
	int (*mapped)(void *arg, const char *pattern, const char *repository, enum mf_pin_change what,
		      struct mf_err *err);
	int (*named)(void *arg, const char *name, struct mf_err *err); /* for each name that is taken over */
	void *arg;
	struct mf_keystore *own; /* keys whose names are not touched */
};
/* Takes over the pins and maps of a file, all of them or none; locked and atomic. MF_E_PIN: one differs from
 * ours, or decides for names for which another one decides here; MF_E_USAGE: a map leads to a name that is
 * mapped; MF_E_FORMAT: the file, or a pin or map in it, is broken; a CA file is looked for as trust.json
 * names it. */
int mf_pin_import(const char *home, const struct mf_pin_import *in, const struct mf_env *env,
		  struct mf_err *err) MF_NODISCARD;
/* The names of keys: our own, and those that trust.json has for others. */
int mf_pin_names(const char *home, struct mf_keystore *own, struct mf_names *out,
		 struct mf_err *err) MF_NODISCARD;
/* Gives a key a name, in place of the one it had; fingerprint NULL takes the name away (MF_E_KEY: there is
 * none). Locked and atomic; fails as mf_names_check. */
int mf_pin_name(const char *home, const char *name, const struct mf_digest *fingerprint,
		struct mf_keystore *own, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
/* Takes over names (a JSON object as in trust.json), all of them or none. Keys of ours and keys that have a
 * name here keep it. MF_E_CONFLICT: a name could be taken for another key's. */
enum mf_pin_names_mode { MF_PIN_NAMES_CHECK, MF_PIN_NAMES_STORE };
int mf_pin_add_names(const char *home, const json_t *names, enum mf_pin_names_mode mode,
		     struct mf_keystore *own, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
/* ---- maps, in the same file: whose trust repository speaks for an image name. The longest pattern decides,
 * and a pin that is as long decides instead. A map is not followed twice. */
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
/* The map for a name, and the repository that it gives for it. MF_E_PIN: the map is broken; MF_E_USAGE: it
 * leads to a name that is mapped. */
enum mf_found mf_maps_find(const struct mf_maps *m, const char *name, struct mf_map *out, struct mf_err *err);
/* All, as they are written; a repository that is no text is "". */
int mf_maps_each(const struct mf_maps *m,
		 int (*each)(void *arg, const char *pattern, const char *repository, struct mf_err *err),
		 void *arg, struct mf_err *err) MF_NODISCARD;
/* Replaces the map of a pattern; locked and atomic. MF_E_USAGE: '*' at another place than the end, or a
 * target that is mapped; MF_E_PIN: the pattern has a pin. */
int mf_map_store(const char *home, const char *pattern, const char *repository, const struct mf_env *env,
		 struct mf_err *err) MF_NODISCARD;
enum mf_found mf_map_remove(const char *home, const char *pattern, const struct mf_env *env,
			    struct mf_err *err) MF_NODISCARD;
/* The keys of a root file's role root and its threshold, for pinning it: well signed by itself. fingerprints:
 * room for MF_MAX_SIGNATURES. */
int mf_pin_from_root(const struct mf_dialect *d, const char *gun, int64_t now, struct mf_bytes root,
		     struct mf_digest *fingerprints, size_t *n, int64_t *threshold,
		     struct mf_err *err) MF_NODISCARD;

/* ---- what this machine remembers, and a person may change */
/* Sets the time that is recorded for the repository back to the system clock, see mf_floors_set_clock. */
enum mf_found mf_trust_set_clock(const struct mf_trust *t, bool dry_run, int64_t *was, char **file,
				 struct mf_err *err) MF_NODISCARD;
/* What this machine remembers of the repository. Strings are malloc'd; NULL: nothing of the kind. */
struct mf_trust_memory {
	struct mf_pin pin; /* also one of a prefix, which stays */
	char *floors;      /* file */
	char *cache;       /* directory */
	int64_t root, clock;
};
void mf_trust_memory_clear(struct mf_trust_memory *m);
#define MF_TRUST_MEMORY_CLEANUP MF_CLEANUP(mf_trust_memory_clear)
/* MF_ABSENT: nothing is remembered that could be forgotten. */
enum mf_found mf_trust_remembers(const struct mf_trust *t, struct mf_trust_memory *out,
				 struct mf_err *err) MF_NODISCARD;
/* Removes that: a pin of this very name, floors and cached metadata. The next load is a first one. */
int mf_trust_forget(const struct mf_trust *t, const struct mf_trust_memory *m,
		    struct mf_err *err) MF_NODISCARD;

#endif
