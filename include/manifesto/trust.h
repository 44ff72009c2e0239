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
	int64_t version, expires; /* 0: nothing is published under the role yet */
	int threshold;
	const char *const *paths;
	size_t npaths;
	const struct manifesto_signer *const *keys;
	size_t nkeys;
};
struct manifesto_trust_result {
	const char *gun, *where, *dialect; /* dialect: "notary", "tuf1" */
	/* This call made the repository; its root was trusted on first use. */
	int initialised, tofu;
	const struct manifesto_trust_role *const *roles; /* root, timestamp, snapshot, targets, delegations */
	size_t nroles;
	const char *const *pinned; /* fingerprints */
	size_t npinned;
	int pin_threshold;
	const char *pin_source; /* where the pin comes from, or NULL */
	const char *const *keys_made;
	size_t nkeys_made;
	/* manifesto_trust_init_with: the directory of the recovery kit, and the fingerprint of its key. */
	const char *recovery, *recovery_key;
	/* manifesto_trust_show: pattern of the map that leads from the image to this repository, or NULL. */
	const char *map;
	/* manifesto_trust_show, of a mirror that signs with keys of its own: the origin that it copies, as
	 * the mirror claims in signed metadata; or NULL. */
	/* copied_root: SHA-256 of the origin's newest root file. */
	const char *copy_of, *copied_dialect, *copied_root;
	/* Versions of that root and of the origin's timestamp. */
	int64_t copied_root_version, copied_version;
};
/* Creates the trust repository of an image: keys as needed, the first root, targets (and snapshot,
 * timestamp). MANIFESTO_CONFLICT: it exists. */
MANIFESTO_API int manifesto_trust_init(struct manifesto *m, const char *image,
				       const struct manifesto_trust_result **out,
				       struct manifesto_error *err);
struct manifesto_init_options {
	size_t size;
	const char *image;
	int root_keys;      /* 1 or 2; 0: 2 with `recovery`, else 1 */
	int root_threshold; /* how many signatures a root needs; 0: 1 */
	/* An empty or new directory for a recovery kit. The kit holds the only copy of the second root
	 * key, always under a passphrase, and a page as text and as HTML that explains its use. NULL: no
	 * kit. */
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
	int threshold; /* 0: one of the fingerprints suffices; for a root file: the threshold in it */
};
/* Pins the root keys of an image's repository on this machine. */
MANIFESTO_API int manifesto_trust_pin(struct manifesto *m, const struct manifesto_pin_options *opt,
				      const struct manifesto_trust_result **out, struct manifesto_error *err);

/* --- copying pins to other machines */
struct manifesto_trust_export_result {
	const char *json; /* content of a file for manifesto_trust_import; also valid as a trust.json */
	size_t length;
};
/* Exports the pins and maps of this machine: those of the n patterns, or with n 0 all.
 * MANIFESTO_NOT_FOUND: a pattern has neither pin nor map. */
MANIFESTO_API int manifesto_trust_export(struct manifesto *m, const char *const *patterns, size_t n,
					 const struct manifesto_trust_export_result **out,
					 struct manifesto_error *err);
struct manifesto_trust_import_result {
	const char *const *added, *const *replaced; /* patterns */
	size_t nadded, nreplaced, nsame;
	const char *const *named; /* names of colleagues' keys that were added */
	size_t nnamed;
	const char *const *mapped; /* patterns of maps that are new or changed */
	size_t nmapped;
};
/* Adds the pins and maps in a file, all or none. Without `force`, MANIFESTO_PIN when one differs from what
 * this machine has, or would take precedence over it. MANIFESTO_USAGE: a map leads to a name that is
 * itself mapped. */
MANIFESTO_API int manifesto_trust_import(struct manifesto *m, const char *path, int force,
					 const struct manifesto_trust_import_result **out,
					 struct manifesto_error *err);

/* --- maps: which trust repository applies to an image name */
struct manifesto_map {
	const char *pattern; /* a repository, or a prefix of repositories that ends in '*' */
	/* A repository; a '*' at its end stands for what the '*' of the pattern matches. */
	const char *repository;
};
struct manifesto_maps {
	const struct manifesto_map *const *maps; /* sorted by pattern */
	size_t nmaps;
};
MANIFESTO_API int manifesto_trust_maps(struct manifesto *m, const struct manifesto_maps **out,
				       struct manifesto_error *err);
/* Adds a map: the trust repository of `repository` applies to images whose names match the pattern; tags
 * and content are still read from the image's own repository. repository NULL removes the map. The longest
 * pattern that matches decides. Functions that write to a mapped name fail with MANIFESTO_USAGE.
 * MANIFESTO_USAGE: malformed names, or the target is mapped itself; MANIFESTO_PIN: the pattern has a pin;
 * MANIFESTO_NOT_FOUND: there is no map to remove. */
MANIFESTO_API int manifesto_trust_map(struct manifesto *m, const char *pattern, const char *repository,
				      struct manifesto_error *err);

/* --- what this machine remembers of a repository */
struct manifesto_clock_result {
	const char *gun, *file; /* file: the file that records the time */
	int64_t recorded, now;  /* recorded: the time before the call; 0: none */
	/* The recorded time was later than `now`, and was set to `now` (dry_run: would be set). */
	int changed;
};
/* Sets the recorded time of a repository back to the system clock's time, if it is later: an earlier run
 * with a clock that was ahead has recorded it. Recorded versions stay, so that a rollback is still
 * refused. */
MANIFESTO_API int manifesto_trust_clock(struct manifesto *m, const char *image, int dry_run,
					const struct manifesto_clock_result **out,
					struct manifesto_error *err);
struct manifesto_forget_result {
	const char *gun;
	const char *const *pinned; /* fingerprints of the pin that is forgotten */
	size_t npinned;
	const char *prefix_pin;         /* a pin of a prefix of the name, which is not removed; or NULL */
	const char *floors;             /* file of recorded versions and time; or NULL */
	int64_t root_version, recorded; /* version of the last trusted root, and the recorded time; 0: none */
	const char *cache;              /* directory of cached metadata; or NULL */
};
/* Removes what this machine remembers of a repository: its own pin, recorded versions and time, cached
 * metadata. The next run treats the repository as new. MANIFESTO_NOT_FOUND: nothing is remembered. */
MANIFESTO_API int manifesto_trust_forget(struct manifesto *m, const char *image, int dry_run,
					 const struct manifesto_forget_result **out,
					 struct manifesto_error *err);

/* --- refresh */
struct manifesto_refresh_options {
	size_t size;
	const char *image;
	/* Re-sign roles that expire within this time; 0: 30 days. For timestamp and snapshot at most half
	 * their lifetime. */
	int64_t within;
	int force;   /* re-sign all roles, whenever they expire */
	int dry_run; /* only report */
};
struct manifesto_refreshed_role {
	const char *name;
	/* 1: re-signed; 0: due, but its keys are not on this machine. */
	int done;
	int64_t version, expires;                   /* when done, the new ones */
	const struct manifesto_signer *const *keys; /* keys that may sign the role */
	size_t nkeys;
};
struct manifesto_refresh_result {
	const char *gun, *where;
	/* MANIFESTO_OK; MANIFESTO_EXPIRING or _EXPIRED: a role is left that other machines must sign. */
	int status;
	const struct manifesto_refreshed_role *const
	    *roles; /* roles that were due, or that had to be re-signed with those */
	size_t nroles;
};
/* Re-signs roles that expire soon, unchanged, as far as their keys are on this machine. Works on an
 * expired repository too, if this machine has seen it before. */
MANIFESTO_API int manifesto_trust_refresh(struct manifesto *m, const struct manifesto_refresh_options *opt,
					  const struct manifesto_refresh_result **out,
					  struct manifesto_error *err);

/* ---------------------------------------------------------------- status and repair */

/* One finding of manifesto_status. */
struct manifesto_status_finding {
	const char *kind; /* a stable word: role-expired, role-expiring, role-broken, certificate-expired,
			     certificate-expiring, one-root-key, keys-together, blob-missing, record-expired,
			     record-expiring, record-withdrawn, record-unsigned, image-gone, catalogue-drift,
			     referrers-drift, targets-missing, not-examined */
	int status;       /* the exit status for the finding; MANIFESTO_OK: information */
	const char *message;
	const char *action; /* command to run, or NULL */
	const char *actor;  /* who must act: "here", "key-holder", "server", "publisher", or NULL */
	const char *role, *subject, *type; /* what the finding is about, or NULL */
	int64_t expires;
};
struct manifesto_status_options {
	size_t size;
	const char *repository; /* without tag and digest */
	/* Warn of what expires within this time; 0: 30 days. For timestamp and snapshot at most half their
	 * lifetime. */
	int64_t warn_within;
};
struct manifesto_status_result {
	const char *gun, *where, *dialect;
	int status; /* status of the gravest finding, by manifesto_graver */
	const struct manifesto_trust_role *const *roles; /* keys that have a name are on this machine */
	size_t nroles;
	size_t nrecords, nsubjects; /* current records, and images that have them */
	const struct manifesto_status_finding *const *findings; /* the gravest first */
	size_t nfindings;
};
/* Examines a repository: roles, certificates, records, their blobs, catalogue and referrers. Changes nothing.
 */
MANIFESTO_API int manifesto_status(struct manifesto *m, const struct manifesto_status_options *opt,
				   const struct manifesto_status_result **out, struct manifesto_error *err);
/* Returns the graver of two exit statuses, in the order 10 6 8 7 9 13 3 5 4 11 12 2 1 14 0. */
MANIFESTO_API int manifesto_graver(int a, int b);

struct manifesto_repair_options {
	size_t size;
	const char *repository; /* without tag and digest */
	int dry_run;            /* only report */
};
struct manifesto_repair_result {
	const char *gun;
	int catalogue;             /* 1: the catalogue differed */
	size_t subjects, unlisted; /* images whose referrers differed; records that the referrers lacked */
	size_t stale;              /* referrers that match no record */
	size_t targets;            /* target files that were missing */
	int repaired;              /* 1: the repair was written and read back */
	/* Of a bucket: the timestamp was signed by a key that the newest root no longer lists, and was
	 * replaced. */
	int timestamp;
};
/* Makes the catalogue and the referrers of a repository in a registry, and the target files of a local
 * trust repository, agree with the signed records. Signed metadata do not change, except for `timestamp`
 * above. */
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
	/* 1: the origin has another dialect: the mirror signs with keys of its own. */
	int converted;
	size_t nfiles, ncontents;  /* metadata and target files that were written */
	int64_t version, expires;  /* of the mirror's timestamp */
	const char *const *pinned; /* if converted: fingerprints of the root keys, for readers to pin */
	size_t npinned;
	const char *const *keys_made;
	size_t nkeys_made;
	const char *const *warnings; /* targets whose content the origin does not have */
	size_t nwarnings;
};
/* Makes or updates a copy of a trust repository, for readers to use like the origin. A TUF 1.0 repository
 * is copied byte for byte; a Notary repository is converted. The origin is verified first, as by any
 * reader; when that fails, the copy does not change. MANIFESTO_CONFLICT: the destination holds another
 * repository; MANIFESTO_ROLLBACK: it holds a newer state of this one. */
MANIFESTO_API int manifesto_mirror(struct manifesto *m, const struct manifesto_mirror_options *opt,
				   const struct manifesto_mirror_result **out, struct manifesto_error *err);

/* ---------------------------------------------------------------- prune */

struct manifesto_prune_options {
	size_t size;
	const char *repository; /* without tag and digest */
	int dry_run;            /* only report */
	int64_t older_than;     /* seconds: keep files that were changed more recently; 0: a day */
	/* Versions to keep of the snapshot and of each role, the current one included; 0: all. */
	int64_t keep_versions;
};
struct manifesto_pruned_file {
	const char *name; /* below the repository's directory or prefix */
	const char *kind; /* a stable word: metadata, target, temporary */
	uint64_t bytes;
};
struct manifesto_prune_result {
	const char *gun, *where;
	size_t removed;  /* number of files that were removed; 0 with dry_run */
	uint64_t bytes;  /* total size of `files` */
	size_t kinds[3]; /* number of metadata, target and temporary files */
	const struct manifesto_pruned_file *const *files;
	size_t nfiles;
};
/* Removes the files of a repository in a directory, a bucket or a layout to which no version of its
 * metadata refers; with keep_versions, also old versions. The repository must verify. MANIFESTO_USAGE:
 * files cannot be removed there (a Notary or web server); MANIFESTO_INVALID: a version cannot be read, and
 * nothing was removed. */
MANIFESTO_API int manifesto_prune(struct manifesto *m, const struct manifesto_prune_options *opt,
				  const struct manifesto_prune_result **out, struct manifesto_error *err);

/* ---------------------------------------------------------------- cache */

struct manifesto_cache_repository {
	/* NULL: not known, because the cache is named after the hash and no pin names the repository. */
	const char *name;
	const char *hash; /* SHA-256 of the name, 64 hexadecimal digits */
	uint64_t files, bytes;
};
/* Octets are counted in blocks of 4 KiB, as the limit counts them. */
struct manifesto_cache_result {
	const char *path;
	uint64_t limit, files, bytes;
	uint64_t content_files,
	    content_bytes; /* content of records, of all repositories; the rest is trust metadata */
	const struct manifesto_cache_repository *const *repositories; /* the largest first */
	size_t nrepositories;
};
/* Reports what is in the cache. A cache that does not exist is reported as empty. */
MANIFESTO_API int manifesto_cache_show(struct manifesto *m, const struct manifesto_cache_result **out,
				       struct manifesto_error *err);
struct manifesto_cache_clear_result {
	uint64_t files, bytes; /* that were removed */
};
/* Removes the files of the cache, or those with the trust metadata of one image's repository (image NULL:
 * all). Other processes may use the cache meanwhile. Files that they are writing stay, and so do files
 * that are not the cache's. */
MANIFESTO_API int manifesto_cache_clear(struct manifesto *m, const char *image,
					const struct manifesto_cache_clear_result **out,
					struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
