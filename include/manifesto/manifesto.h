/* libmanifesto: signed metadata for container images, verified before it is handed out.
 *
 * A context holds configuration, connections and unlocked keys; use one per thread. Every function that can
 * fail returns 0 or -1 and then fills *err; outputs are written on success only. The library never prints,
 * exits, changes signals, the umask or the environment, and reads no environment variable except the proxy
 * settings that libcurl honours and TMPDIR.
 *
 * Option and result structs begin with `size`: set it to sizeof the struct and zero the rest
 * (MANIFESTO_INIT), so that later versions can add members. Strings in options are borrowed for the call (for
 * manifesto_new: copied); strings in results are owned by the result handle. Times are seconds since
 * 1970-01-01T00:00:00Z, 0 when absent. Text is UTF-8.
 *
 * Specifications: The Update Framework 1.0 (verification: section 5, "Detailed workflows"); Notary v1 (wire
 * format and HTTP API); OCI distribution-spec 1.1 and image-spec 1.1 (blobs, manifests, referrers).
 * docs/record-format.md has the format of a record. */
#ifndef MANIFESTO_MANIFESTO_H
#define MANIFESTO_MANIFESTO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MANIFESTO_API __attribute__((visibility("default")))
#define MANIFESTO_INIT(type) ((struct type){.size = sizeof(struct type)})

/* ---------------------------------------------------------------- errors */

/* Exit statuses of the command line, frozen; also `status` of an error. */
enum manifesto_status {
	MANIFESTO_OK = 0,
	MANIFESTO_UNEXPECTED = 1,
	MANIFESTO_USAGE = 2,          /* usage, ambiguous request */
	MANIFESTO_NOT_FOUND = 3,      /* no such record or image */
	MANIFESTO_UNAVAILABLE = 4,    /* network, TLS, 429, 5xx */
	MANIFESTO_NOT_AUTHORISED = 5, /* 401, 403 */
	MANIFESTO_INVALID = 6,        /* signature, digest or format */
	MANIFESTO_EXPIRED = 7,        /* trust metadata expired */
	MANIFESTO_ROLLBACK = 8,       /* rollback, freeze, collection gone */
	MANIFESTO_POLICY = 9,         /* policy not met; record withdrawn or expired */
	MANIFESTO_PIN = 10,           /* no pin, or the pin does not match */
	MANIFESTO_KEY = 11,           /* key missing or locked */
	MANIFESTO_CONFLICT = 12,      /* publish conflict */
	MANIFESTO_CONTENT_GONE = 13,  /* record valid, content gone */
	MANIFESTO_EXPIRING = 14,
};

/* Caller-owned, fixed size. `code` is a stable word ("not_found", "signature", "pin"); tests branch on it,
 * never on text. */
struct manifesto_error {
	int status; /* enum manifesto_status */
	char code[32];
	char message[1024]; /* what failed, operands quoted, no secret */
	char endpoint[256]; /* URL or path where it failed, or "" */
	char hint[512];     /* next step, or "" */
};

MANIFESTO_API const char *manifesto_version(void);

/* ---------------------------------------------------------------- context */

enum manifesto_log_level { MANIFESTO_LOG_WARNING = 1, MANIFESTO_LOG_INFO = 2, MANIFESTO_LOG_DEBUG = 3 };

struct manifesto_options {
	size_t size;
	const char *home;             /* keys, pins, floors: required, absolute path; made at first write */
	const char *cache_dir;        /* required; may be unwritable or missing */
	const char *docker_config;    /* directory with Docker's config.json, NULL: no Docker credentials */
	const char *const *auth_files; /* more files in that format (containers-auth.json), searched in this order
					  behind Docker's; ends with NULL, may be NULL */
	const char *trust_server;     /* https://, http://: Notary; tuf+file://: a TUF 1.0 directory per GUN;
					 tuf+https://, tuf+http://: the same on a web server, read-only;
					 NULL: Docker's default for the     registry is not guessed: an image in a
					 registry then needs it (MANIFESTO_USAGE) */
	int trust_server_for_layouts; /* use it for OCI layouts too, instead of DIR/trust: somebody named it
					 for this very call */
	const char *
	    store; /* --store: repository that keeps blobs and trust for images one cannot push to, or NULL */
	const char *cacert; /* PEM file for registry and trust server instead of the system's CAs */
	const char *client_cert, *client_key; /* PEM files */
	const char *username; /* registry and trust server; NULL: Docker's configuration, else anonymous */
	const char *password;
	const char *credential_source; /* for messages: "-u", "REGISTRY_USERNAME" */
	int plain_http;                /* allow plain HTTP to other hosts than loopback */
	int tofu;                      /* trust on first use where no pin exists */
	int ci;                        /* never store what was trusted on first use */
	int no_passphrase;             /* new keys are written without a passphrase */
	int64_t timeout_ms;            /* in all, per operation; 0: 120,000 */
	int log_level;                 /* 0: warnings only reach `log` */
	void (*log)(void *arg, int level, const char *line); /* NULL: none */
	void *log_arg;
	int (*cancelled)(void *arg); /* non-zero: stop as soon as nothing can be lost. NULL: never */
	void *cancel_arg;
	int64_t (*now)(void *arg); /* NULL: the system's clock */
	void *now_arg;
	/* Passphrase of a key: at most `max` octets into out, *n set. confirm: a new key (ask twice). Returns
	 * 0, or -1 when there is none; `why` (256 octets) then says what was looked at. NULL: no passphrase
	 * is ever available. */
	int (*passphrase)(void *arg, const char *key_name, int confirm, char *out, size_t max, size_t *n,
			  char why[256]);
	void *passphrase_arg;
	/* May a trust repository be initialised for this image? Returns non-zero for yes. NULL: no (unless
	 * the operation's `init`). */
	int (*confirm_init)(void *arg, const char *gun, const char *where);
	void *confirm_init_arg;
	const char *default_key_name; /* name of keys that are made, and of the first choice when several fit:
					 usually the user's name. NULL: "manifesto" */
};

struct manifesto;
/* Copies what it keeps. Touches no file and no network. */
MANIFESTO_API int manifesto_new(const struct manifesto_options *opt, struct manifesto **out,
				struct manifesto_error *err);
MANIFESTO_API void manifesto_free(struct manifesto *m);

struct manifesto_stats {
	size_t size;
	uint64_t requests, bytes_in, bytes_out;
};
MANIFESTO_API void manifesto_stats(const struct manifesto *m, struct manifesto_stats *out);

/* ---------------------------------------------------------------- records */

/* One signer of a record. */
struct manifesto_signer {
	const char *fingerprint; /* 64 hex digits: SHA-256 of the key's SubjectPublicKeyInfo */
	const char *name;        /* local name of the key, or NULL */
	const char *key_type;    /* "ed25519", "ecdsa", "rsa" */
};

/* A verified record. */
struct manifesto_record {
	const char *image;    /* repository@sha256:..., to be used as such */
	const char *subject;  /* "sha256:..." */
	const char *platform; /* "linux/arm64/v8" when known, else NULL */
	const char *type;
	const char *role;   /* "targets", or the delegated role */
	const char *digest; /* of the blob, "sha256:..." */
	uint64_t length;
	const char *media_type;      /* or NULL */
	const char *author, *reason; /* decoded for display, or NULL */
	int64_t created;             /* claimed by the signer */
	int64_t expires;             /* of the record itself */
	const char *state; /* "current", "withdrawn", "expired", "foreign" (no record signature of a key of
			      the role) */
	const struct manifesto_signer *signers; /* of the record signatures that count */
	size_t nsigners;
	const char *const *annotations; /* "key=value", nannotations of them */
	size_t nannotations;
	const char *const *withdrew; /* of a withdrawn record: digests of the content that was withdrawn */
	size_t nwithdrew;
	int64_t role_version, role_expires; /* of the signed file that holds the record */
};

/* --- put */
struct manifesto_put_options {
	size_t size;
	const char *image; /* image reference */
	const char *type;  /* record type: [a-z0-9]+(?:[._-][a-z0-9]+)*, at most 128 octets */
	const char *path;  /* file, "-" for standard input; or NULL and `data` */
	const void *data;
	size_t data_length;
	const char *media_type; /* NULL: application/json when the content is valid JSON, else text/plain when
				   it is UTF-8 text, else application/octet-stream */
	const char *author;     /* NULL: absent */
	const char *reason;
	const char *const *annotations; /* "key=value", ends with NULL; or NULL */
	int64_t expires;                /* 0: never */
	const char *role;               /* NULL: the one authorised role whose key we hold */
	const char *key; /* sign with the key of this name and no other (default_key_name should be the same);
			    NULL: any that fits */
	const char *platform; /* "os/arch[/variant]": the child of an index */
	int all_platforms;    /* the index and each of its children */
	int force;     /* replace the record even if somebody changed it meanwhile, or it is the same */
	int reinstate; /* lift a withdrawal by the same role */
	int init;      /* initialise the trust repository when there is none */
	int link;      /* layout: also list the artifact manifest in index.json */
};
struct manifesto_put_item {
	const char *image;    /* repository@sha256:... */
	const char *platform; /* or NULL */
	const char *digest;   /* of the blob */
	int unchanged;        /* the same record was the current one already, signed by our key */
	int signature_added;  /* the same record was there, signed by others: ours was added to theirs */
};
struct manifesto_put_result {
	size_t size;
	const struct manifesto_put_item *items;
	size_t nitems;
	uint64_t length;
	const char *role;
	int64_t version;          /* of the role's file */
	const char *published_to; /* URL or directory */
	const char *signer_name, *signer_type, *signer_fingerprint;
	int initialised; /* a trust repository was made */
	const char *const *keys_made;
	size_t nkeys_made; /* "alice (ed25519 1f2e...)" */
	const char *const *pinned;
	size_t npinned; /* fingerprints of the root keys now pinned on this machine */
	const char *const *warnings;
	size_t nwarnings;              /* trouble after a successful publish */
	struct manifesto_arena *arena; /* owns the above */
};
/* Called once the subject is known and before anything is written: "Storing metadata 'T' for
 * 'IMAGE@DIGEST'...". May be NULL. */
typedef void (*manifesto_progress_fn)(void *arg, const char *image, const char *type);
MANIFESTO_API int manifesto_put(struct manifesto *m, const struct manifesto_put_options *opt,
				manifesto_progress_fn progress, void *progress_arg,
				struct manifesto_put_result *out, struct manifesto_error *err);
MANIFESTO_API void manifesto_put_result_clear(struct manifesto_put_result *r);

/* --- sign, remove, withdraw: changes of a record that is there */
struct manifesto_change_item {
	/* sign: the record with all its signers; remove: what was removed; withdraw: what says so since, in
	 * state "withdrawn". */
	struct manifesto_record record;
	int unchanged; /* our signature was there already; withdrawn by our role already, for this reason */
	int veto;      /* withdraw: our role held no record, others do */
};
struct manifesto_change_result {
	size_t size;
	const struct manifesto_change_item *items;
	size_t nitems;
	const char *role;
	int64_t version;          /* of the role's file */
	const char *published_to; /* URL or directory */
	const char *signer_name, *signer_type, *signer_fingerprint;
	const char *const *warnings;
	size_t nwarnings; /* trouble after a successful publish */
	struct manifesto_arena *arena;
};
MANIFESTO_API void manifesto_change_result_clear(struct manifesto_change_result *r);

struct manifesto_sign_options {
	size_t size;
	const char *image, *type;
	const char *role; /* NULL: the one authorised role whose key we hold and that has the record */
	const char *key;  /* as for put */
	const char *platform;
	int all_platforms; /* the records of the index and of each of its children, as far as there are any */
	/* Called once with the n records that would be signed, content fetched and verified, each with the
	 * signers that it has, and our key. Non-zero: sign them. NULL: they are signed unseen. Not called
	 * when our key has signed them all. */
	int (*confirm)(void *arg, const struct manifesto_record *records, size_t n,
		       const struct manifesto_signer *key);
	void *confirm_arg;
};
/* Adds our record signature to a current record; nothing else of it changes. MANIFESTO_NOT_FOUND,
 * MANIFESTO_KEY (no key of ours is listed for the role), MANIFESTO_POLICY (withdrawn, expired, or a `foreign`
 * entry that has no description to sign), MANIFESTO_CONTENT_GONE; MANIFESTO_CONFLICT: the record is not the
 * one that `confirm` was shown, and nothing was signed; MANIFESTO_UNEXPECTED ("cancelled"): `confirm` said
 * no. */
MANIFESTO_API int manifesto_sign(struct manifesto *m, const struct manifesto_sign_options *opt,
				 struct manifesto_change_result *out, struct manifesto_error *err);

struct manifesto_remove_options {
	size_t size;
	const char *image, *type;
	const char *role, *key; /* as for sign */
	const char *platform;
	int all_platforms;
	int force;     /* even if somebody changed it meanwhile */
	int reinstate; /* remove a withdrawal by the same role, and nothing but that */
};
/* Removes the current record, in whatever state but withdrawn (MANIFESTO_POLICY: that takes `reinstate`, as
 * removing would lift it unseen). MANIFESTO_NOT_FOUND: there is none. */
MANIFESTO_API int manifesto_remove(struct manifesto *m, const struct manifesto_remove_options *opt,
				   struct manifesto_change_result *out, struct manifesto_error *err);

struct manifesto_withdraw_options {
	size_t size;
	const char *image, *type;
	const char *reason; /* required */
	const char *author; /* NULL: absent */
	const char *role,
	    *key; /* as for put; of several roles that we hold a key of, the one that has a record */
	const char *platform;
	int all_platforms;
	int force; /* even if somebody changed it meanwhile */
};
/* Puts a signed withdrawal in the place of the record of our role, or beside the record of another one:
 * readers refuse the type for this image until our role lifts that with `reinstate` of put or remove.
 * MANIFESTO_NOT_FOUND: no authorised role has such a record. */
MANIFESTO_API int manifesto_withdraw(struct manifesto *m, const struct manifesto_withdraw_options *opt,
				     struct manifesto_change_result *out, struct manifesto_error *err);

/* --- get */
struct manifesto_get_options {
	size_t size;
	const char *image, *type;
	const char *role; /* NULL: all authorised roles must agree */
	const char *platform;
	/* Receives the content, only after everything was verified. Returns 0, or -1 to stop. NULL: the
	 * content is verified and not handed out. */
	int (*write)(void *arg, const void *p, size_t n);
	void *write_arg;
	const char *output_path; /* instead of `write`: temporary file and rename */
	int64_t version; /* 0: the current record. Else as this version of the role's file has it, for looking
			    back, never for deciding: verified as manifesto_history does. The type then needs
			    to have one role, or `role` names it. MANIFESTO_POLICY when it was withdrawn
			    then */
};
struct manifesto_get_result {
	size_t size;
	struct manifesto_record record;
	int64_t newest_version; /* of the role's file, when `version` was asked for */
	const char *note;       /* how the record given differs from what holds now; NULL: not at all */
	struct manifesto_arena *arena;
};
MANIFESTO_API int manifesto_get(struct manifesto *m, const struct manifesto_get_options *opt,
				struct manifesto_get_result *out, struct manifesto_error *err);
MANIFESTO_API void manifesto_get_result_clear(struct manifesto_get_result *r);

/* --- list: the current records of one image, sorted by type and role; an image without records gives none */
struct manifesto_list_options {
	size_t size;
	const char *image;
	int all; /* image is a repository (no tag, no digest): the records of all its images */
	const char *platform;
	int all_platforms; /* also the children of an index */
	/* Only these, each list ends with NULL; NULL: all. A role that nobody delegated to, and a state that
	 * does not exist, are MANIFESTO_USAGE. */
	const char *const *types, *const *roles, *const *states;
};
/* One image of a repository that has records. */
struct manifesto_subject {
	const char *image, *subject; /* repository@sha256:..., sha256:... */
	const char *const *tags;
	size_t ntags;
	int gone;               /* the repository has no such manifest any more */
	size_t first, nrecords; /* its records: records[first] and those behind it */
};
struct manifesto_list_result {
	size_t size;
	const char *image; /* repository@sha256:...; with `all` the repository */
	const struct manifesto_subject *subjects;
	size_t nsubjects; /* with `all` only */
	const struct manifesto_record *records;
	size_t nrecords;
	const char *const *warnings;
	size_t nwarnings; /* roles passed over, and why */
	struct manifesto_arena *arena;
};
MANIFESTO_API int manifesto_list(struct manifesto *m, const struct manifesto_list_options *opt,
				 struct manifesto_list_result *out, struct manifesto_error *err);
MANIFESTO_API void manifesto_list_result_clear(struct manifesto_list_result *r);

/* --- history: what happened to the records of one image, from the versions of the roles' files that the
 * trust repository keeps, each verified against the keys that its delegator listed then. Expiry of old
 * versions is not looked at. */
struct manifesto_history_options {
	size_t size;
	const char *image;
	const char *type; /* NULL: all types */
	const char *role; /* only this role, or NULL */
	const char *platform;
	int64_t limit; /* the newest so many versions of each role; 0: 100, at most 1,000 */
};
struct manifesto_history_event {
	/* Of a record: "put", "replaced" (content or description), "signed" (the same record has new
	 * signers), "unsigned" (and has lost some), "withdrawn", "reinstated", "removed", "foreign" (put or
	 * replaced without a signature of a key of the role), "present" (in the oldest version that is known:
	 * when it came cannot be told), "unauthorised" and "authorised" (the entry stayed, what the role may
	 * sign changed, or the role was removed).
	 * Of versions: "not-kept" (the repository has them not), "not-read" (older than `limit`), "invalid"
	 * (there is a file, and it does not verify), "unproven" (nor does this one, but what listed its keys
	 * is beyond the limits or not kept). */
	const char *event;
	const char *role;               /* "targets", a delegated role, or "root" (of versions) */
	int64_t first_version, version; /* of a record: it is so in `version`, and came about in one of these,
					   of which the others could not be read */
	int64_t claimed; /* time that the signer claims, for what writes the record's description; else 0 */
	int64_t seen; /* when the store says that it got this version of the role's file: a hint, nobody signs
			 it */
	const char
	    *delegator; /* whose keys verified that file, "root" or a role: the oldest version that can */
	int64_t delegator_version;
	const struct manifesto_signer *file_signers; /* of the role's file */
	size_t nfile_signers;
	const struct manifesto_signer *added; /* "signed": the new ones */
	size_t nadded;
	int has_record;
	struct manifesto_record record; /* as this version has it; "removed", "unauthorised": as it was */
	const char *message;            /* "invalid", "unproven": why; else NULL */
};
struct manifesto_history_result {
	size_t size;
	const char *image; /* repository@sha256:... */
	/* Oldest first: each role's in the order of its versions, roles among each other by `seen`. */
	const struct manifesto_history_event *events;
	size_t nevents;
	size_t ninvalid; /* versions that do not verify: MANIFESTO_INVALID to a gate */
	struct manifesto_arena *arena;
};
MANIFESTO_API int manifesto_history(struct manifesto *m, const struct manifesto_history_options *opt,
				    struct manifesto_history_result *out, struct manifesto_error *err);
MANIFESTO_API void manifesto_history_result_clear(struct manifesto_history_result *r);

/* --- verify: the gate (docs/policy.md) */
struct manifesto_verify_options {
	size_t size;
	const char *const *images;  /* references; a malformed one fails the run before anything is asked */
	size_t nimages;             /* at least 1 */
	const char *const *require; /* "TYPE", "TYPE=ROLE", "TYPE=M of ROLE,ROLE"; ends with NULL; or NULL */
	const char *policy_path;    /* policy file, or NULL and */
	const void *policy;         /* its content, or NULL */
	size_t policy_length;
	int64_t max_age; /* seconds; no record of a requirement may be older. 0: what the policy says */
	const char *platform;
	int all_platforms; /* the index and each of its children must meet the policy */
	int content;       /* also fetch and verify the content of the records that count */
};
/* A waiver that roles named by the policy have signed. */
struct manifesto_waiver {
	const char *name, *granted_to, *reason; /* reason may be NULL */
	int64_t until;
	const struct manifesto_signer *signers;
	size_t nsigners;
};
/* One requirement and one subject. */
struct manifesto_requirement {
	const char *type;
	const char *wanted;                     /* in words */
	const char *subject;                    /* repository@sha256:... */
	const char *platform;                   /* or NULL */
	int met;                                /* by records */
	const struct manifesto_waiver *waiver;  /* not met, but waived; else NULL */
	const struct manifesto_record *records; /* that count, all of the same content */
	size_t nrecords;
	const struct manifesto_signer *signers; /* the distinct keys that count */
	size_t nsigners;
};
/* Why an image is refused. */
struct manifesto_finding {
	const char *
	    code; /* stable: "absent", "signers", "withdrawn", ... or that of an error ("pin", "signature") */
	int status;        /* enum manifesto_status */
	const char *image; /* repository@sha256:..., or the reference where it was not resolved */
	const char *platform;
	const char *type;   /* of the requirement, or NULL */
	const char *wanted; /* or NULL */
	const char *found;
	const char *hint, *endpoint; /* or NULL */
};
struct manifesto_verify_item {
	size_t size;
	const char *reference; /* as given */
	const char *image;     /* repository@sha256:..., NULL when it was not resolved */
	const char *platform;
	int accepted;                                     /* there are no findings */
	int status;                                       /* the gravest of the findings, 0 when accepted */
	const struct manifesto_requirement *requirements; /* those that were judged */
	size_t nrequirements;
	const struct manifesto_finding *findings;
	size_t nfindings;
};
/* Takes the result of one image, in the order of the references; valid during the call. Non-zero stops the
 * run. */
typedef int (*manifesto_verify_fn)(void *arg, const struct manifesto_verify_item *item);
/* Does every image have what is required? Each is checked, also after one was refused. 0 only when all are
 * accepted; else -1 with the gravest status (10 6 8 7 9 13 3 5 4 11 12 2 1). MANIFESTO_USAGE: no requirement,
 * no image, trust on first use (a gate never trusts on first use). The home may be read-only. */
MANIFESTO_API int manifesto_verify(struct manifesto *m, const struct manifesto_verify_options *opt,
				   manifesto_verify_fn result, void *result_arg, struct manifesto_error *err);

/* --- a policy in words */
struct manifesto_policy_result {
	size_t size;
	const char *name; /* or NULL */
	const char *const *lines;
	size_t nlines;
	struct manifesto_arena *arena;
};
/* Reads a policy file ("-": standard input) as manifesto_verify does, and says what it asks for. */
MANIFESTO_API int manifesto_policy_check(const char *path, struct manifesto_policy_result *out,
					 struct manifesto_error *err);
MANIFESTO_API void manifesto_policy_result_clear(struct manifesto_policy_result *r);

/* ---------------------------------------------------------------- trust */

struct manifesto_trust_role {
	const char *name;
	int64_t version, expires; /* 0: nothing published under it yet */
	int threshold;
	const char *const *paths;
	size_t npaths;
	const struct manifesto_signer *keys;
	size_t nkeys;
};
struct manifesto_trust_result {
	size_t size;
	const char *gun, *where, *dialect; /* "notary", "tuf1" */
	int initialised, tofu;             /* this call made it; trusted on first use */
	const struct manifesto_trust_role *roles;
	size_t nroles; /* root, timestamp, snapshot, targets, delegations */
	const char *const *pinned;
	size_t npinned;
	int pin_threshold;
	const char *pin_source; /* where the pin comes from, or NULL */
	const char *const *keys_made;
	size_t nkeys_made;
	struct manifesto_arena *arena;
};
/* Makes the trust repository of an image: keys as needed, first root, targets (and snapshot, timestamp).
 * MANIFESTO_CONFLICT when it exists. */
MANIFESTO_API int manifesto_trust_init(struct manifesto *m, const char *image,
				       struct manifesto_trust_result *out, struct manifesto_error *err);
/* Verifies the whole chain and shows it. */
MANIFESTO_API int manifesto_trust_show(struct manifesto *m, const char *image,
				       struct manifesto_trust_result *out, struct manifesto_error *err);
/* Pins an image's repository, or a GUN prefix ending in '*'. Anchors are n root.json paths or fingerprints
 * (64 hex digits). threshold 0: all root fingerprints given are alternatives, one suffices; for a root file
 * its own keys and threshold. */
MANIFESTO_API int manifesto_trust_pin(struct manifesto *m, const char *image, const char *const *anchors,
				      size_t n, int threshold, struct manifesto_trust_result *out,
				      struct manifesto_error *err);
MANIFESTO_API void manifesto_trust_result_clear(struct manifesto_trust_result *r);

/* ---------------------------------------------------------------- roles: who may sign which types */

struct manifesto_role_key {
	const char *fingerprint; /* or NULL: of a kind that cannot be used */
	const char *key_id;      /* TUF key ID */
	const char *name;        /* local name of the key, or NULL */
	const char *key_type;
	int certificate; /* listed as an X.509 certificate (Notary) */
};
struct manifesto_role {
	const char *name;   /* "targets"; "targets/qa" (Notary), "qa" (TUF 1.0) */
	const char *parent; /* role that delegates it; NULL for targets */
	const char *const *types;
	size_t ntypes; /* of paths that name a whole type */
	const char *const *paths;
	size_t npaths;
	int threshold;
	const struct manifesto_role_key *keys;
	size_t nkeys;
	int64_t version, expires; /* 0: nothing published under it yet */
	uint64_t entries;         /* in its file */
	const char *state;        /* "current", "empty" (nothing published yet), "expired", "invalid" */
	const char *problem;      /* why it is expired or invalid, or NULL */
	const char *mine;         /* local name of a key of ours that it lists, or NULL */
	int can_sign;             /* this machine can publish under it */
	const char *why_not;      /* NULL when it can */
};
struct manifesto_role_list {
	size_t size;
	const char *gun, *where, *dialect;
	const struct manifesto_role *roles; /* targets first */
	size_t nroles;
	struct manifesto_arena *arena;
};
/* The roles of an image's repository, with what this machine can do in each. role: only this one
 * (MANIFESTO_NOT_FOUND), or NULL. A role that does not verify is told, and is no failure. */
MANIFESTO_API int manifesto_role_list(struct manifesto *m, const char *image, const char *role,
				      struct manifesto_role_list *out, struct manifesto_error *err);
MANIFESTO_API void manifesto_role_list_clear(struct manifesto_role_list *r);

struct manifesto_role_options {
	size_t size;
	const char *image;
	const char *role;
	const char *const
	    *keys; /* ends with NULL: files with a public key (PEM, certificate, or one ssh-ed25519
		      line), fingerprints of keys here or in the repository, names of keys here;
		      sign: the name of the key to sign with (default_key_name should be the same), or NULL */
	const char *const *types; /* ends with NULL */
	int threshold;            /* 0: as it is, 1 for a new role */
	int force;                /* records may vanish by it; sign: begin a file that does not verify anew */
	int dry_run;              /* tell what would change, publish nothing */
};
struct manifesto_role_change {
	const char *what; /* "role added", "role removed", "key added", "key removed", "type added", "type
			     removed", "path removed", "threshold", "signed anew", "writer added", "writer
			     removed" */
	const char *role;
	const char *detail; /* fingerprint, type, number; or "" */
};
struct manifesto_role_result {
	size_t size;
	const char *gun, *where;
	const struct manifesto_role_change *changes;
	size_t nchanges;               /* 0: it was so already, nothing was published */
	int64_t version, root_version; /* of `targets` and root, 0: not changed */
	int dry_run;
	const char *const *warnings;
	size_t nwarnings; /* records that are read differently now */
	struct manifesto_arena *arena;
};
/* Makes a role, or adds keys and types to one; one publish, proven by reading it again. TUF 1.0: its keys
 * become keys of snapshot and timestamp too, in a new root. */
MANIFESTO_API int manifesto_role_add(struct manifesto *m, const struct manifesto_role_options *opt,
				     struct manifesto_role_result *out, struct manifesto_error *err);
/* Removes the keys, or without keys the role. What a removed key has signed is signed anew by one that stays;
 * MANIFESTO_KEY with a hint when none is here. MANIFESTO_USAGE when records would vanish, unless force. */
MANIFESTO_API int manifesto_role_remove(struct manifesto *m, const struct manifesto_role_options *opt,
					struct manifesto_role_result *out, struct manifesto_error *err);
/* Signs the role's file anew, as it is, with a key of this machine. */
MANIFESTO_API int manifesto_role_sign(struct manifesto *m, const struct manifesto_role_options *opt,
				      struct manifesto_role_result *out, struct manifesto_error *err);
/* Brings a repository to the state that a file declares (docs/teams.schema.json): each role named there has
 * exactly these keys and types. Of the options image, force and dry_run are used. */
MANIFESTO_API int manifesto_role_apply(struct manifesto *m, const char *path,
				       const struct manifesto_role_options *opt,
				       struct manifesto_role_result *out, struct manifesto_error *err);
MANIFESTO_API void manifesto_role_result_clear(struct manifesto_role_result *r);

/* --- carrying pins to other machines */
struct manifesto_trust_export_result {
	size_t size;
	const char *json; /* a file for manifesto_trust_import, and a trust.json */
	size_t length;
	struct manifesto_arena *arena;
};
/* The pins of this machine: of these patterns (MANIFESTO_NOT_FOUND when one is not pinned), n 0: all. */
MANIFESTO_API int manifesto_trust_export(struct manifesto *m, const char *const *patterns, size_t n,
					 struct manifesto_trust_export_result *out,
					 struct manifesto_error *err);
MANIFESTO_API void manifesto_trust_export_result_clear(struct manifesto_trust_export_result *r);
struct manifesto_trust_import_result {
	size_t size;
	const char *const *added, *const *replaced; /* patterns */
	size_t nadded, nreplaced, nsame;
	struct manifesto_arena *arena;
};
/* Takes over the pins of a file, all or none. MANIFESTO_PIN when one differs from what is pinned here, unless
 * force. */
MANIFESTO_API int manifesto_trust_import(struct manifesto *m, const char *path, int force,
					 struct manifesto_trust_import_result *out,
					 struct manifesto_error *err);
MANIFESTO_API void manifesto_trust_import_result_clear(struct manifesto_trust_import_result *r);

/* --- refresh: roles that run out are signed anew, unchanged, as far as their keys are here */
struct manifesto_refresh_options {
	size_t size;
	const char *image;
	int64_t within; /* seconds: roles that expire so soon; 0: 30 days. Timestamp and snapshot at most half
			   their lifetime */
	int force;      /* all roles, whenever they expire */
	int dry_run;    /* only tell */
};
struct manifesto_refreshed_role {
	const char *name;
	int done;                            /* signed; else it is due and its keys are not here */
	int64_t version, expires;            /* new ones when done */
	const struct manifesto_signer *keys; /* that may sign it */
	size_t nkeys;
};
struct manifesto_refresh_result {
	size_t size;
	const char *gun, *where;
	int status; /* MANIFESTO_OK; MANIFESTO_EXPIRING or _EXPIRED: a role is left that others must sign */
	const struct manifesto_refreshed_role *roles;
	size_t nroles; /* only those that were due or signed along */
	struct manifesto_arena *arena;
};
/* Works on an expired repository too, on a machine that has seen it before. */
MANIFESTO_API int manifesto_trust_refresh(struct manifesto *m, const struct manifesto_refresh_options *opt,
					  struct manifesto_refresh_result *out, struct manifesto_error *err);
MANIFESTO_API void manifesto_refresh_result_clear(struct manifesto_refresh_result *r);

/* ---------------------------------------------------------------- status and repair */

/* Something that somebody should know or do. */
struct manifesto_status_finding {
	const char *kind; /* a stable word: role-expired, role-expiring, role-broken, certificate-expired,
			     certificate-expiring, blob-missing, record-expired, record-expiring,
			     record-withdrawn, image-gone, catalogue-drift, referrers-drift, targets-missing,
			     not-examined */
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
	int64_t warn_within; /* seconds; 0: 30 days. For timestamp and snapshot at most half their lifetime */
};
struct manifesto_status_result {
	size_t size;
	const char *gun, *where, *dialect;
	int status; /* the gravest finding's, in the order of the exit statuses */
	const struct manifesto_trust_role *roles;
	size_t nroles;              /* keys with a name are on this machine */
	size_t nrecords, nsubjects; /* records in force, and images that they belong to */
	const struct manifesto_status_finding *findings; /* the gravest first */
	size_t nfindings;
	struct manifesto_arena *arena;
};
/* Examines a repository: roles, certificates, records, their blobs, catalogue and referrers. Changes nothing.
 */
MANIFESTO_API int manifesto_status(struct manifesto *m, const struct manifesto_status_options *opt,
				   struct manifesto_status_result *out, struct manifesto_error *err);
MANIFESTO_API void manifesto_status_result_clear(struct manifesto_status_result *r);
/* The graver of two exit statuses: 10 6 8 7 9 13 3 5 4 11 12 2 1 14 0. */
MANIFESTO_API int manifesto_graver(int a, int b);

/* Makes catalogue and referrers of a repository in a registry what the signed records say, and target files
 * of a local trust repository. Signed metadata are never touched. */
struct manifesto_repair_options {
	size_t size;
	const char *repository;
	int dry_run; /* only tell */
};
struct manifesto_repair_result {
	size_t size;
	const char *gun;
	int catalogue;             /* it differed */
	size_t subjects, unlisted; /* images whose referrers differed; records that they lacked */
	size_t stale;              /* entries that they had too many */
	size_t targets;            /* target files that were missing */
	int repaired;              /* it was written, and read back */
	struct manifesto_arena *arena;
};
MANIFESTO_API int manifesto_repair(struct manifesto *m, const struct manifesto_repair_options *opt,
				   struct manifesto_repair_result *out, struct manifesto_error *err);
MANIFESTO_API void manifesto_repair_result_clear(struct manifesto_repair_result *r);

/* ---------------------------------------------------------------- keys */

struct manifesto_key {
	const char *name, *type, *fingerprint, *path;
	int encrypted;
	const char *public_pem;
};
struct manifesto_key_result {
	size_t size;
	const struct manifesto_key *keys;
	size_t nkeys;
	struct manifesto_arena *arena;
};
/* type: "ed25519" (NULL) or "ecdsa". An existing name is MANIFESTO_CONFLICT. */
MANIFESTO_API int manifesto_key_generate(struct manifesto *m, const char *name, const char *type,
					 struct manifesto_key_result *out, struct manifesto_error *err);
MANIFESTO_API int manifesto_key_list(struct manifesto *m, struct manifesto_key_result *out,
				     struct manifesto_error *err);
/* By name or fingerprint (a unique prefix of at least 8 digits). */
MANIFESTO_API int manifesto_key_show(struct manifesto *m, const char *name, struct manifesto_key_result *out,
				     struct manifesto_error *err);
/* A private key file of the notary CLI or Docker Content Trust, stored under `name`. */
MANIFESTO_API int manifesto_key_import(struct manifesto *m, const char *name, const char *path,
				       struct manifesto_key_result *out, struct manifesto_error *err);
/* The key as a file for the notary CLI's private directory (PKCS #8 under the key's passphrase; unencrypted
 * when it has none), made 0600, never overwritten. The file must be named by the Notary key ID, written to
 * id_out: path is a directory, and the file is path/<id>.key. role: "targets", "root", "delegation". */
MANIFESTO_API int manifesto_key_export(struct manifesto *m, const char *name, const char *role,
				       const char *gun, const char *directory, char id_out[65],
				       struct manifesto_error *err);
MANIFESTO_API void manifesto_key_result_clear(struct manifesto_key_result *r);

/* ---------------------------------------------------------------- completion */

enum manifesto_name { MANIFESTO_NAME_REPOSITORY, MANIFESTO_NAME_ROLE, MANIFESTO_NAME_TYPE, MANIFESTO_NAME_KEY };
/* Names to offer to somebody who types, from what lies on this machine: repositories that are pinned; roles and record
 * types of the image's repository, from its directory or from the cache; keys. No request is made, and nothing of it
 * is verified. `each` is called once for each name, in no order. */
MANIFESTO_API int manifesto_names(struct manifesto *m, enum manifesto_name what, const char *image,
				  void (*each)(void *arg, const char *name), void *arg,
				  struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
