/* Trust repositories: pins, what this machine remembers, re-signing, status and repair. */
#ifndef MANIFESTO_TRUST_H
#define MANIFESTO_TRUST_H

#include "manifesto/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- trust */

struct manifesto_trust_role {
	const char *name;
	int64_t version, expires; /* 0: nothing was published under it yet */
	int threshold;
	const char *const *paths;
	size_t npaths;
	const struct manifesto_signer *const *keys;
	size_t nkeys;
};
struct manifesto_trust_result {
	const char *gun, *where, *dialect;               /* dialect: "notary", "tuf1" */
	int initialised, tofu;                           /* this call made it; it was trusted on first use */
	const struct manifesto_trust_role *const *roles; /* root, timestamp, snapshot, targets, delegations */
	size_t nroles;
	const char *const *pinned; /* fingerprints */
	size_t npinned;
	int pin_threshold;
	const char *pin_source; /* where the pin comes from, or NULL */
	const char *const *keys_made;
	size_t nkeys_made;
	const char *recovery, *recovery_key; /* init: the directory of the kit, and its key's fingerprint */
	const char
	    *map; /* show: the pattern of the map by which this repository speaks for the image, or NULL */
	/* show, of a mirror that has keys of its own: whose copy it is, by the mirror's signature; or NULL.
	 */
	const char *copy_of, *copied_dialect, *copied_root; /* root: SHA-256 of the newest root file there */
	int64_t copied_root_version, copied_version;        /* of that root, and of the timestamp there */
};
/* Makes the trust repository of an image: keys as needed, the first root, targets (and snapshot, timestamp).
 * MANIFESTO_CONFLICT: it exists. */
MANIFESTO_API int manifesto_trust_init(struct manifesto *m, const char *image,
				       const struct manifesto_trust_result **out,
				       struct manifesto_error *err);
struct manifesto_init_options {
	size_t size;
	const char *image;
	int root_keys;      /* 1 or 2; 0: 2 with `recovery`, else 1 */
	int root_threshold; /* signatures that a root needs; 0: 1 */
	/* An empty or new directory for a recovery kit: the second root key, which stays nowhere else, always
	 * under a passphrase, with a page of text and one of HTML that say what it is for. NULL: none. */
	const char *recovery;
};
MANIFESTO_API int manifesto_trust_init_with(struct manifesto *m, const struct manifesto_init_options *opt,
					    const struct manifesto_trust_result **out,
					    struct manifesto_error *err);
/* Verifies the whole chain and reports its roles and pins. */
MANIFESTO_API int manifesto_trust_show(struct manifesto *m, const char *image,
				       const struct manifesto_trust_result **out,
				       struct manifesto_error *err);
struct manifesto_pin_options {
	size_t size;
	const char *image;          /* or a GUN prefix that ends in '*' */
	const char *const *anchors; /* one root.json path, or fingerprints (64 hex digits); ends with NULL */
	int threshold; /* 0: one of the fingerprints suffices; for a root file its own threshold */
};
/* Pins the root keys of an image's repository on this machine. */
MANIFESTO_API int manifesto_trust_pin(struct manifesto *m, const struct manifesto_pin_options *opt,
				      const struct manifesto_trust_result **out, struct manifesto_error *err);

/* --- carrying pins to other machines */
struct manifesto_trust_export_result {
	const char *json; /* a file for manifesto_trust_import, and a trust.json */
	size_t length;
};
/* The pins and maps of this machine: of these n patterns (MANIFESTO_NOT_FOUND when one has neither); n 0:
 * all.
 */
MANIFESTO_API int manifesto_trust_export(struct manifesto *m, const char *const *patterns, size_t n,
					 const struct manifesto_trust_export_result **out,
					 struct manifesto_error *err);
struct manifesto_trust_import_result {
	const char *const *added, *const *replaced; /* patterns */
	size_t nadded, nreplaced, nsame;
	const char *const *named; /* colleagues' keys that have a name now */
	size_t nnamed;
	const char *const *mapped; /* patterns of maps that are new or changed */
	size_t nmapped;
};
/* Adds the pins and maps of a file, all or none. MANIFESTO_PIN when one differs from what is here, or would
 * decide in its place, unless force. MANIFESTO_USAGE when a map leads to a name that is mapped. */
MANIFESTO_API int manifesto_trust_import(struct manifesto *m, const char *path, int force,
					 const struct manifesto_trust_import_result **out,
					 struct manifesto_error *err);

/* --- maps: whose trust repository speaks for an image name */
struct manifesto_map {
	const char *pattern;    /* a repository, or a prefix of repositories that ends in '*' */
	const char *repository; /* a repository; a '*' at its end stands for what that in the pattern does */
};
struct manifesto_maps {
	const struct manifesto_map *const *maps; /* by pattern */
	size_t nmaps;
};
MANIFESTO_API int manifesto_trust_maps(struct manifesto *m, const struct manifesto_maps **out,
				       struct manifesto_error *err);
/* From now on the trust repository of `repository` speaks for images whose names fit the pattern, whose tags
 * and content stay where they are; repository NULL removes the map. The longest pattern decides. Writing to a
 * mapped name is MANIFESTO_USAGE. MANIFESTO_USAGE: no names of repositories, or the target is mapped itself;
 * MANIFESTO_PIN: the pattern has a pin; MANIFESTO_NOT_FOUND: there is no map to remove. */
MANIFESTO_API int manifesto_trust_map(struct manifesto *m, const char *pattern, const char *repository,
				      struct manifesto_error *err);

/* --- what this machine remembers of a repository */
struct manifesto_clock_result {
	const char *gun, *file; /* file: what records the time */
	int64_t recorded, now;  /* recorded: before; 0: none */
	int changed;            /* the recorded time was later than now, and is now (dry_run: would be) */
};
/* Replaces the recorded time of a repository by the system clock's where it is later: a run with a clock that
 * was ahead has left it. Recorded versions stay, so that a rollback is still refused. */
MANIFESTO_API int manifesto_trust_clock(struct manifesto *m, const char *image, int dry_run,
					const struct manifesto_clock_result **out,
					struct manifesto_error *err);
struct manifesto_forget_result {
	const char *gun;
	const char *const *pinned; /* fingerprints of the pin that is forgotten */
	size_t npinned;
	const char *prefix_pin;         /* a pin of a prefix of the name, which stays; or NULL */
	const char *floors;             /* file of recorded versions; or NULL */
	int64_t root_version, recorded; /* version of the last trusted root, and the recorded time; 0: none */
	const char *cache;              /* directory of cached metadata; or NULL */
};
/* Removes what this machine remembers of a repository: its own pin, recorded versions and time, cached
 * metadata. Whatever is at that name afterwards is trusted as on a first run. MANIFESTO_NOT_FOUND: nothing is
 * remembered. */
MANIFESTO_API int manifesto_trust_forget(struct manifesto *m, const char *image, int dry_run,
					 const struct manifesto_forget_result **out,
					 struct manifesto_error *err);

/* --- refresh */
struct manifesto_refresh_options {
	size_t size;
	const char *image;
	int64_t within; /* roles that expire so soon; 0: 30 days. Timestamp and snapshot: at most half their
			   lifetime */
	int force;      /* all roles, whenever they expire */
	int dry_run;    /* only report */
};
struct manifesto_refreshed_role {
	const char *name;
	int done;                                   /* re-signed; else it is due and its keys are not here */
	int64_t version, expires;                   /* new ones when done */
	const struct manifesto_signer *const *keys; /* that may sign it */
	size_t nkeys;
};
struct manifesto_refresh_result {
	const char *gun, *where;
	int status; /* MANIFESTO_OK; MANIFESTO_EXPIRING or _EXPIRED: a role is left that others must sign */
	const struct manifesto_refreshed_role *const
	    *roles; /* those that were due or had to be signed along */
	size_t nroles;
};
/* Re-signs roles that expire soon, unchanged, as far as their keys are here. Works on an expired repository,
 * too, on a machine that has seen it before. */
MANIFESTO_API int manifesto_trust_refresh(struct manifesto *m, const struct manifesto_refresh_options *opt,
					  const struct manifesto_refresh_result **out,
					  struct manifesto_error *err);

/* ---------------------------------------------------------------- status and repair */

/* Something that somebody should know or do. */
struct manifesto_status_finding {
	const char *kind; /* a stable word: role-expired, role-expiring, role-broken, certificate-expired,
			     certificate-expiring, one-root-key, keys-together, blob-missing, record-expired,
			     record-expiring, record-withdrawn, record-unsigned, image-gone, catalogue-drift,
			     referrers-drift, targets-missing, not-examined */
	int status;       /* the exit status that it stands for; MANIFESTO_OK: information */
	const char *message;
	const char *action; /* command to run, or NULL */
	const char *actor;  /* who must: "here", "key-holder", "server", "publisher", or NULL */
	const char *role, *subject, *type; /* what it is about, or NULL */
	int64_t expires;
};
struct manifesto_status_options {
	size_t size;
	const char *repository; /* without tag and digest */
	int64_t warn_within;    /* 0: 30 days. Timestamp and snapshot: at most half their lifetime */
};
struct manifesto_status_result {
	const char *gun, *where, *dialect;
	int status; /* the gravest finding's, in the order of the exit statuses */
	const struct manifesto_trust_role *const *roles; /* keys with a name are on this machine */
	size_t nroles;
	size_t nrecords, nsubjects; /* records in force, and images that they belong to */
	const struct manifesto_status_finding *const *findings; /* the gravest first */
	size_t nfindings;
};
/* Examines a repository: roles, certificates, records, their blobs, catalogue and referrers. Changes nothing.
 */
MANIFESTO_API int manifesto_status(struct manifesto *m, const struct manifesto_status_options *opt,
				   const struct manifesto_status_result **out, struct manifesto_error *err);
/* The graver of two exit statuses: 10 6 8 7 9 13 3 5 4 11 12 2 1 14 0. */
MANIFESTO_API int manifesto_graver(int a, int b);

struct manifesto_repair_options {
	size_t size;
	const char *repository; /* without tag and digest */
	int dry_run;            /* only report */
};
struct manifesto_repair_result {
	const char *gun;
	int catalogue;             /* it differed */
	size_t subjects, unlisted; /* images whose referrers differed; records that they lacked */
	size_t stale;              /* entries that they had too many */
	size_t targets;            /* target files that were missing */
	int repaired;              /* it was written, and read back */
	int timestamp; /* of a bucket, it was of a key that the newest root takes away, and is another one now
			*/
};
/* Makes catalogue and referrers of a repository in a registry what the signed records say, and target files
 * of a local trust repository. Signed metadata are never touched. */
MANIFESTO_API int manifesto_repair(struct manifesto *m, const struct manifesto_repair_options *opt,
				   const struct manifesto_repair_result **out, struct manifesto_error *err);

/* ---------------------------------------------------------------- mirrors */

struct manifesto_mirror_options {
	size_t size;
	const char *repository;  /* without tag and digest */
	const char *destination; /* a directory, tuf+file://, tuf+s3:// or tuf+oci:// */
};
struct manifesto_mirror_result {
	const char *gun, *from, *where; /* the origin and the copy */
	const char *dialect;            /* of the origin */
	int changed;                    /* something was written */
	int converted;                  /* of another dialect: signed by the mirror's own keys */
	size_t nfiles, ncontents;       /* metadata and target files that were written */
	int64_t version, expires;       /* of the mirror's timestamp */
	const char *const *pinned;      /* converted: fingerprints that its readers pin */
	size_t npinned;
	const char *const *keys_made;
	size_t nkeys_made;
	const char *const *warnings; /* targets whose content is not there */
	size_t nwarnings;
};
/* Makes or updates the copy of a trust repository, from which readers read as from the origin. A TUF 1.0
 * repository is copied byte for byte; a Notary repository is converted. The origin is verified first, as by
 * any reader, and the copy stays as it was when that fails. MANIFESTO_CONFLICT: the destination holds another
 * repository; MANIFESTO_ROLLBACK: a newer state of this one. */
MANIFESTO_API int manifesto_mirror(struct manifesto *m, const struct manifesto_mirror_options *opt,
				   const struct manifesto_mirror_result **out, struct manifesto_error *err);

/* ---------------------------------------------------------------- prune */

struct manifesto_prune_options {
	size_t size;
	const char *repository; /* without tag and digest */
	int dry_run;            /* only report */
	int64_t older_than;     /* seconds: leave alone what has changed since; 0: a day */
	int64_t keep_versions;  /* of the snapshot and of each role, the current one included; 0: all */
};
struct manifesto_pruned_file {
	const char *name; /* below the repository's directory or prefix */
	const char *kind; /* a stable word: metadata, target, temporary */
	uint64_t bytes;
};
struct manifesto_prune_result {
	const char *gun, *where;
	size_t removed;  /* of the files; 0 with dry_run */
	uint64_t bytes;  /* of all of them together */
	size_t kinds[3]; /* how many are metadata, target, temporary */
	const struct manifesto_pruned_file *const *files;
	size_t nfiles;
};
/* Removes the files of a repository in a directory, a bucket or a layout that no version of its metadata
 * refers to, and with keep_versions old versions. The repository must verify. MANIFESTO_USAGE: its files
 * cannot be removed (a Notary or web server); MANIFESTO_INVALID: a version cannot be read, and nothing was
 * removed. */
MANIFESTO_API int manifesto_prune(struct manifesto *m, const struct manifesto_prune_options *opt,
				  const struct manifesto_prune_result **out, struct manifesto_error *err);

/* ---------------------------------------------------------------- cache */

struct manifesto_cache_repository {
	const char *name; /* NULL: the cache is filed under the hash, and no pin names the repository */
	const char *hash; /* SHA-256 of the name, 64 hexadecimal digits */
	uint64_t files, bytes;
};
/* Octets are counted in blocks of 4 KiB, as the limit counts them. */
struct manifesto_cache_result {
	const char *path;
	uint64_t limit, files, bytes;
	uint64_t content_files,
	    content_bytes; /* content of records, of whatever repositories; the rest is trust metadata */
	const struct manifesto_cache_repository *const *repositories; /* the largest first */
	size_t nrepositories;
};
/* What lies in the cache. One that is not there is empty. */
MANIFESTO_API int manifesto_cache_show(struct manifesto *m, const struct manifesto_cache_result **out,
				       struct manifesto_error *err);
struct manifesto_cache_clear_result {
	uint64_t files, bytes; /* that are gone */
};
/* Removes the files of the cache, or those of the trust metadata of one image's repository (image NULL: all).
 * Others may use the cache meanwhile; what they are writing stays, and so does what is no file of the cache.
 */
MANIFESTO_API int manifesto_cache_clear(struct manifesto *m, const char *image,
					const struct manifesto_cache_clear_result **out,
					struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
