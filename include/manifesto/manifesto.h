/* libmanifesto: signed metadata for container images, verified before it is handed out.
 *
 * A context holds configuration, connections and unlocked keys; use one per thread. Every function that can
 * fail returns 0 or -1. On failure it fills *err and leaves every other output as it was. The library never
 * prints, exits, changes signals, the umask or the environment, and reads no environment variable except the
 * proxy settings that libcurl honours and TMPDIR.
 *
 * Options. An option struct begins with `size`; start from MANIFESTO_INIT, which sets it and zeroes the rest.
 * Later versions only append members, so a program keeps working with a newer library: members that its
 * struct lacks count as zero. A struct that is larger than the library's is accepted when the members that
 * the library does not know are zero, else MANIFESTO_USAGE. Strings and arrays in options are borrowed for
 * the call (manifesto_new copies them). A zero or NULL member means its default, which its comment names.
 *
 * Results. The library allocates a result and passes it out as a pointer to const; manifesto_result_free
 * frees it with everything that it points to. Lists in results are arrays of pointers, so that the structs in
 * them can grow, too: use members by name and never sizeof. A string that is absent is NULL.
 *
 * Times are seconds since 1970-01-01T00:00:00Z, 0 when absent; durations are seconds unless the name says
 * _ms; sizes are octets. Text is UTF-8, ends with NUL and is not escaped for a terminal.
 *
 * Errors that every function can give: MANIFESTO_USAGE for a malformed argument, MANIFESTO_UNEXPECTED for a
 * bug, a local file or a lack of memory. What reads a trust repository also gives MANIFESTO_UNAVAILABLE,
 * _NOT_AUTHORISED, _INVALID, _EXPIRED, _ROLLBACK and _PIN; what signs, MANIFESTO_KEY and _CONFLICT. The
 * comment of a function names the others.
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

/* Caller-owned, of fixed size. `code` is a stable word ("not_found", "signature", "pin"): branch on it or on
 * `status`, never on the text. */
struct manifesto_error {
	int status; /* enum manifesto_status */
	char code[32];
	char message[1024]; /* what failed, operands quoted, no secret */
	char endpoint[256]; /* URL or path where it failed, or "" */
	char hint[512];     /* next step, or "" */
};

/* The version of the library, such as "1.0.0". */
MANIFESTO_API const char *manifesto_version(void);
/* Frees a result of any function, with everything that it points to. NULL: nothing. */
MANIFESTO_API void manifesto_result_free(const void *result);

/* ---------------------------------------------------------------- context */

enum manifesto_log_level { MANIFESTO_LOG_WARNING = 1, MANIFESTO_LOG_INFO = 2, MANIFESTO_LOG_DEBUG = 3 };

enum manifesto_progress_kind {
	MANIFESTO_PROGRESS_UPLOAD,   /* octets of content, all transfers of the moment together */
	MANIFESTO_PROGRESS_DOWNLOAD, /* octets of content */
	MANIFESTO_PROGRESS_IMAGES,   /* images of a run over many */
};
struct manifesto_progress {
	int kind; /* enum manifesto_progress_kind */
	uint64_t done;
	uint64_t total; /* 0: not known */
};

struct manifesto_options {
	size_t size;
	const char *home;          /* keys, pins, floors: required, absolute; made at the first write */
	const char *cache_dir;     /* required, absolute; may be unwritable or missing */
	const char *docker_config; /* directory with Docker's config.json; NULL: no Docker credentials */
	/* More files in that format (containers-auth.json), searched in this order behind it; ends with NULL.
	 * NULL: none. */
	const char *const *auth_files;
	/* https://, http://: Notary; tuf+file://: a directory with a TUF 1.0 repository per GUN;
	 * tuf+https://, tuf+http://: the same on a web server, read-only; tuf+s3://: in an object store.
	 * NULL: an image in a registry is MANIFESTO_USAGE. */
	const char *trust_server;
	int trust_server_for_layouts; /* also for OCI layouts, instead of DIR/trust */
	const char *store;            /* repository for blobs and trust of images that one cannot push to */
	const char *cacert; /* PEM file, for registry and trust server, instead of the system's CAs */
	const char *client_cert, *client_key; /* PEM files */
	/* For the registry of `store`, else that of the first image that the context opens, and for a trust
	 * server on the very same host and port; no other host gets them. NULL: the credentials files, else
	 * none. */
	const char *username, *password;
	const char *credential_source; /* where these come from, for messages: "-u", "REGISTRY_USERNAME" */
	int plain_http;                /* allow plain HTTP to other hosts than loopback */
	int tofu;                      /* trust on first use where there is no pin */
	int ci;                        /* never store what was trusted on first use */
	int no_passphrase;             /* write new keys without a passphrase */
	int64_t timeout_ms;            /* of an operation in all; 0: 120,000 */
	int log_level;                 /* enum manifesto_log_level; 0: warnings */
	void (*log)(void *arg, int level, const char *line); /* NULL: none */
	void *log_arg;
	int (*cancelled)(void *arg); /* non-zero: stop as soon as nothing can be lost; NULL: never */
	void *cancel_arg;
	int64_t (*now)(void *arg); /* NULL: the system's clock */
	void *now_arg;
	/* Writes the passphrase of a key, at most `max` octets, to `out` and its length to *n. confirm: of a
	 * new key (ask twice). Returns 0, or -1 when there is none; `why` (256 octets) then says where it was
	 * sought. NULL: there is never a passphrase. */
	int (*passphrase)(void *arg, const char *key_name, int confirm, char *out, size_t max, size_t *n,
			  char why[256]);
	void *passphrase_arg;
	/* Returns non-zero when a trust repository may be initialised at `where`. NULL: only with `init` of
	 * put. */
	int (*confirm_init)(void *arg, const char *gun, const char *where);
	void *confirm_init_arg;
	/* Name of keys that are made, and the first choice where several fit; usually the user's name.
	 * NULL: "manifesto". */
	const char *default_key_name;
	/* For the trust server, and no other host. NULL: the credentials files, else none. */
	const char *trust_username, *trust_password;
	const char *trust_credential_source; /* for messages: "--trust-user" */
	/* What has been done of how much; called often while something lasts. NULL: none. */
	void (*progress)(void *arg, const struct manifesto_progress *p);
	void *progress_arg;
	/* Socket of an ssh-agent, for keys that it holds; usually $SSH_AUTH_SOCK. NULL: there is none. */
	const char *ssh_agent;
	/* Writes the text of a private key, at most `max` octets, to `out` and its length to *n. source:
	 * where it is, "env:VARIABLE" or "fd:NUMBER". Returns 0, or -1 when there is none, and `why` (256
	 * octets) then says so. Called once for each such key. NULL: there are none. */
	int (*key_text)(void *arg, const char *source, char *out, size_t max, size_t *n, char why[256]);
	void *key_text_arg;
	/* A file made by manifesto_bundle_create: images, content and trust metadata come from it alone,
	 * verified as a server's answers are with the pins and floors of `home`, and no connection is made.
	 * Whatever writes is MANIFESTO_USAGE. NULL: none. */
	const char *bundle;
	/* With `bundle`. at: everything is verified as of this time, and the run leaves pins and floors as
	 * they are; 0: now. bundle_max_age: seconds; the newest record in the trust metadata must be no
	 * older, else MANIFESTO_EXPIRED; 0: any. */
	int64_t at, bundle_max_age;
	/* For trust servers tuf+s3://: what the AWS tools take from the variables of these names; the first
	 * three are secret. NULL: not set. Files are read, and a credential_process is run, when a request is
	 * made. */
	const char *aws_access_key_id, *aws_secret_access_key, *aws_session_token;
	const char *aws_region;
	const char *aws_endpoint_url; /* "https://HOST[:PORT]" of a store that is not Amazon's */
	const char *aws_profile;      /* NULL: "default", if there is one */
	const char *aws_config_file, *aws_shared_credentials_file; /* NULL: none */
	/* What a person types to propose the change that a publish could not sign, for its hint. NULL: not
	 * known. */
	const char *propose_hint;
};

struct manifesto;
/* Makes a context. Touches no file and no network. The caller frees it. */
MANIFESTO_API int manifesto_new(const struct manifesto_options *opt, struct manifesto **out,
				struct manifesto_error *err);
/* Frees a context and wipes its secrets. NULL: nothing. Results outlive their context. */
MANIFESTO_API void manifesto_free(struct manifesto *m);

struct manifesto_stats {
	size_t size;
	uint64_t requests, bytes_in, bytes_out; /* of HTTP, since the context was made */
};
/* Fills the caller's struct as far as its `size` goes. */
MANIFESTO_API void manifesto_stats(const struct manifesto *m, struct manifesto_stats *out);

/* ---------------------------------------------------------------- records */

/* One signer of a record. */
struct manifesto_signer {
	const char *fingerprint; /* 64 hex digits: SHA-256 of the key's SubjectPublicKeyInfo */
	const char *name;        /* local name of the key, or NULL */
	const char *key_type;    /* "ed25519", "ecdsa", "rsa" */
	const char *colleague;   /* local name for somebody else's key, or NULL */
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
	const char *state; /* "current", "withdrawn", "expired", "veto", "foreign" (no record signature of a
			      key of the role) */
	const struct manifesto_signer *const *signers; /* of the record signatures that count */
	size_t nsigners;
	const char *const *annotations; /* "key=value" */
	size_t nannotations;
	const char *const *withdrew; /* of a withdrawn record: digests of the content that was withdrawn */
	size_t nwithdrew;
	int64_t role_version, role_expires; /* of the signed file that holds the record */
	int has_created, has_expires;       /* they are present, also where the time itself is 0 */
	/* For `confirm` of manifesto_sign: the signed members that nothing above shows, "name=JSON". */
	const char *const *others;
	size_t nothers;
};

/* --- put, sign, remove, withdraw: changes of the records of an image */

/* What a function does not name below, it ignores. */
struct manifesto_change_options {
	size_t size;
	const char *image; /* image reference */
	const char *type;  /* record type: [a-z0-9]+(?:[._-][a-z0-9]+)*, at most 128 octets */
	const char
	    *role; /* NULL: the one authorised role whose key is here; of several, the one with the record */
	const char
	    *key; /* sign with the key of this name only (default_key_name should be the same); NULL: any */
	const char *platform; /* "os/arch[/variant]": this child of an index */
	int all_platforms;  /* the index and each of its children; sign, remove, withdraw: those with a record
			     */
	int force;          /* put, remove, withdraw: even if somebody changed the record meanwhile; put: also
			       when the record is the same */
	int reinstate;      /* put, remove: lift a withdrawal by the same role; remove: and nothing else */
	const char *author; /* put, withdraw; NULL: absent */
	const char *reason; /* put; withdraw: required */

	/* put */
	const char *path; /* file with the content, "-": standard input; NULL: `data` */
	const void *data;
	size_t data_length;
	/* NULL: application/json for valid JSON, text/plain for other UTF-8 text, else
	 * application/octet-stream. */
	const char *media_type;
	const char *const *annotations; /* "key=value", ends with NULL; or NULL */
	int64_t expires;                /* 0: never */
	int init;                       /* initialise the trust repository when there is none */
	int link;                       /* layout: also list the artifact manifest in index.json */
	/* Called for each image once it is resolved and before anything is written. */
	void (*progress)(void *arg, const char *image, const char *type);
	void *progress_arg;

	/* sign: called once with the n records that would be signed, their content fetched and verified, each
	 * with the signers that it has, and our key. Returns non-zero to sign them. Not called when our key
	 * has signed them all. NULL: they are signed without a question. */
	int (*confirm)(void *arg, const struct manifesto_record *const *records, size_t n,
		       const struct manifesto_signer *key);
	void *confirm_arg;

	/* NULL: publish. Else sign what this machine can and make a proposal of it (manifesto_proposal_sign):
	 * in a new file, or "@": beside the image. */
	const char *propose;
};
/* One record that was to be changed. */
struct manifesto_change_item {
	/* put: as stored; sign: with all its signers; remove: as it was; withdraw: what replaces it, in state
	 * "withdrawn". */
	const struct manifesto_record *record;
	int unchanged; /* it was so already, by our key (withdraw: by our role): nothing was published for it
			*/
	int signature_added; /* put: the same record was there, signed by others: our signature was added */
	int veto;            /* withdraw: our role held no record, others do */
};
struct manifesto_change_result {
	const struct manifesto_change_item *const *items;
	size_t nitems;
	const char *role;
	int64_t version;                       /* of the role's file */
	const char *published_to;              /* URL or directory */
	const struct manifesto_signer *signer; /* our key */
	const char *const *warnings;           /* trouble after a successful publish */
	size_t nwarnings;
	int initialised;              /* put made the trust repository: */
	const char *const *keys_made; /* "alice (ed25519 1f2e...)" */
	size_t nkeys_made;
	const char *const *pinned; /* fingerprints of the root keys that are now pinned on this machine */
	size_t npinned;
	/* With `propose`: its file or ID, and how many signatures it lacks. `version` is then the proposed
	 * one. NULL: it was published, or there was nothing to do. */
	const char *proposal;
	size_t missing;
};
/* Stores content and publishes a signed record of it. MANIFESTO_NOT_FOUND: no such image, or no trust
 * repository and no `init`; MANIFESTO_POLICY: withdrawn, and no `reinstate`; MANIFESTO_CONFLICT: somebody
 * changed the record meanwhile, and no `force`. */
MANIFESTO_API int manifesto_put(struct manifesto *m, const struct manifesto_change_options *opt,
				const struct manifesto_change_result **out, struct manifesto_error *err);
/* Adds our record signature to a current record; nothing else of it changes. MANIFESTO_NOT_FOUND;
 * MANIFESTO_POLICY: withdrawn, expired, or without a description to sign; MANIFESTO_CONTENT_GONE;
 * MANIFESTO_CONFLICT: the record is not the one that `confirm` was given, and nothing was signed;
 * MANIFESTO_UNEXPECTED ("cancelled"): `confirm` returned 0. */
MANIFESTO_API int manifesto_sign(struct manifesto *m, const struct manifesto_change_options *opt,
				 const struct manifesto_change_result **out, struct manifesto_error *err);
/* Removes the current record, whatever its state. MANIFESTO_NOT_FOUND: there is none; MANIFESTO_POLICY: it is
 * withdrawn, and no `reinstate`. */
MANIFESTO_API int manifesto_remove(struct manifesto *m, const struct manifesto_change_options *opt,
				   const struct manifesto_change_result **out, struct manifesto_error *err);
/* Replaces the record of our role by a signed withdrawal, or adds one beside the record of another role:
 * readers refuse the type for this image until our role lifts that with `reinstate`. MANIFESTO_NOT_FOUND: no
 * authorised role has such a record. */
MANIFESTO_API int manifesto_withdraw(struct manifesto *m, const struct manifesto_change_options *opt,
				     const struct manifesto_change_result **out, struct manifesto_error *err);
/* Says in our role's file that the type (NULL: every type) must not be accepted for this image: policies that
 * list the role under `veto` refuse it until our role lifts that with `reinstate`. The role need not be
 * authorised for the type; without `role` it is the one delegated role whose key is here, else targets. The
 * items' records have state "veto" and the type that is stopped, "*" for all. MANIFESTO_NOT_FOUND: there is
 * no veto to lift. */
MANIFESTO_API int manifesto_veto(struct manifesto *m, const struct manifesto_change_options *opt,
				 const struct manifesto_change_result **out, struct manifesto_error *err);

/* --- get */
struct manifesto_get_options {
	size_t size;
	const char *image, *type;
	const char *role; /* NULL: all authorised roles must agree */
	const char *platform;
	/* Receives the content in pieces, only after all of it was verified. Returns 0, or -1 to stop. NULL:
	 * the content is verified and not handed out. */
	int (*write)(void *arg, const void *p, size_t n);
	void *write_arg;
	const char *output_path; /* instead of `write`: a temporary file and a rename */
	/* 0: the current record. Else the record in this version of the role's file: for looking back, never
	 * for deciding. It is verified as manifesto_history does. When several roles may sign the type,
	 * `role` names one. */
	int64_t version;
};
struct manifesto_get_result {
	const struct manifesto_record *record;
	int64_t newest_version; /* of the role's file, when `version` was given */
	const char *note;       /* how the record differs from the current one; NULL: it does not */
};
/* Verifies a record and its content, then hands the content out. MANIFESTO_NOT_FOUND; MANIFESTO_POLICY:
 * withdrawn or expired; MANIFESTO_USAGE: authorised roles disagree; MANIFESTO_CONTENT_GONE. */
MANIFESTO_API int manifesto_get(struct manifesto *m, const struct manifesto_get_options *opt,
				const struct manifesto_get_result **out, struct manifesto_error *err);

/* --- list */
struct manifesto_list_options {
	size_t size;
	const char *image;
	int all; /* image is a repository (no tag, no digest): the records of all its images */
	const char *platform;
	int all_platforms; /* also the children of an index */
	/* Filters, each ends with NULL; NULL: all. A role that nobody delegated to and a state that does not
	 * exist are MANIFESTO_USAGE. */
	const char *const *types, *const *roles, *const *states;
};
/* One image of a repository that has records. */
struct manifesto_subject {
	const char *image, *subject; /* repository@sha256:..., sha256:... */
	const char *const *tags;
	size_t ntags;
	int gone;               /* the repository has no such manifest any more */
	size_t first, nrecords; /* its records: from records[first] on */
};
struct manifesto_list_result {
	const char *image; /* repository@sha256:...; with `all` the repository */
	const struct manifesto_subject *const *subjects; /* with `all` only */
	size_t nsubjects;
	const struct manifesto_record *const *records;
	size_t nrecords;
	const char *const *warnings; /* roles that were left out, and why */
	size_t nwarnings;
};
/* The records of authorised roles, sorted by subject, type and role; none is no failure. */
MANIFESTO_API int manifesto_list(struct manifesto *m, const struct manifesto_list_options *opt,
				 const struct manifesto_list_result **out, struct manifesto_error *err);

/* --- history */
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
	 * when it came is not known), "unauthorised" and "authorised" (the entry stayed, what the role may
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
	const struct manifesto_signer *const *file_signers; /* of the role's file */
	size_t nfile_signers;
	const struct manifesto_signer *const *added; /* "signed": the new ones */
	size_t nadded;
	/* As this version has it; "removed", "unauthorised": as it was. NULL for events of versions. */
	const struct manifesto_record *record;
	const char *message; /* "invalid", "unproven": why; else NULL */
};
struct manifesto_history_result {
	const char *image; /* repository@sha256:... */
	/* Oldest first: each role's in the order of its versions, roles among each other by `seen`. */
	const struct manifesto_history_event *const *events;
	size_t nevents;
	size_t ninvalid; /* versions that do not verify: MANIFESTO_INVALID to a gate */
};
/* What happened to the records of one image: from the versions of the roles' files that the trust repository
 * keeps, each verified against the keys that its delegator listed then. The expiry of old versions does not
 * count. */
MANIFESTO_API int manifesto_history(struct manifesto *m, const struct manifesto_history_options *opt,
				    const struct manifesto_history_result **out, struct manifesto_error *err);

/* --- bundles: images' records, their content and the trust metadata in one file (docs/bundle-format.md) */
struct manifesto_bundle_options {
	size_t size;
	const char *const *images; /* references, of one repository or several */
	size_t nimages;            /* from 1 to 10,000 */
	const char *output_path;   /* a temporary file and a rename; NULL: `write` */
	/* Receives the file in pieces, once all of it is made. Returns 0, or -1 to stop. */
	int (*write)(void *arg, const void *p, size_t n);
	void *write_arg;
};
struct manifesto_bundle_result {
	const char *const *images; /* repository@sha256:..., sorted */
	size_t nimages;
	size_t nrepositories;
	size_t nrecords;             /* whose content it holds */
	const char *digest;          /* of the file, "sha256:...": the same state gives the same file */
	uint64_t length;             /* of the file */
	const char *const *warnings; /* roles that do not verify, expired records whose content is gone */
	size_t nwarnings;
};
/* Verifies what is published of the images and writes it to a bundle, also what was withdrawn or is missing:
 * a reader gets the answers that the servers give now. With `bundle` in the context, made from that one.
 * MANIFESTO_NOT_FOUND: no such image; MANIFESTO_CONTENT_GONE. */
MANIFESTO_API int manifesto_bundle_create(struct manifesto *m, const struct manifesto_bundle_options *opt,
					  const struct manifesto_bundle_result **out,
					  struct manifesto_error *err);

/* --- verify: the gate (docs/policy.md) */
struct manifesto_verify_item;
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
	/* Receives the result of each image, in the order of the references; valid during the call. Returns
	 * 0, or -1 to stop the run. NULL: only the outcome. */
	int (*result)(void *arg, const struct manifesto_verify_item *item);
	void *result_arg;
};
/* A waiver that roles named by the policy have signed. */
struct manifesto_waiver {
	const char *name, *granted_to, *reason; /* reason may be NULL */
	int64_t until;
	const struct manifesto_signer *const *signers;
	size_t nsigners;
};
/* One requirement and one subject. */
struct manifesto_requirement {
	const char *type;
	const char *wanted;                            /* in words */
	const char *subject;                           /* repository@sha256:... */
	const char *platform;                          /* or NULL */
	int met;                                       /* by records */
	const struct manifesto_waiver *waiver;         /* not met, but waived; else NULL */
	const struct manifesto_record *const *records; /* that count, all of the same content */
	size_t nrecords;
	const struct manifesto_signer *const *signers; /* the distinct keys that count */
	size_t nsigners;
};
/* Why an image is refused. */
struct manifesto_finding {
	const char
	    *code;  /* stable: "absent", "signers", "withdrawn", ... or an error's ("pin", "signature") */
	int status; /* enum manifesto_status */
	const char *image; /* repository@sha256:..., or the reference where it was not resolved */
	const char *platform;
	const char *type;   /* of the requirement, or NULL */
	const char *wanted; /* or NULL */
	const char *found;
	const char *hint, *endpoint; /* or NULL */
};
struct manifesto_verify_item {
	const char *reference; /* as given */
	const char *image;     /* repository@sha256:...; NULL when it was not resolved */
	const char *platform;
	int accepted; /* there are no findings */
	int status;   /* the gravest of the findings, 0 when accepted */
	const struct manifesto_requirement *const *requirements; /* those that were evaluated */
	size_t nrequirements;
	const struct manifesto_finding *const *findings;
	size_t nfindings;
};
/* Does every image have what is required? Each is checked, also after one was refused. 0 only when all are
 * accepted; else -1 with the gravest status (10 6 8 7 9 13 3 5 4 11 12 2 1). MANIFESTO_USAGE: no requirement,
 * no image, or `tofu` (a gate never trusts on first use). The home may be read-only. */
MANIFESTO_API int manifesto_verify(struct manifesto *m, const struct manifesto_verify_options *opt,
				   struct manifesto_error *err);

/* --- policy check */
struct manifesto_policy_result {
	const char *name;         /* or NULL */
	const char *const *lines; /* what it requires, in words */
	size_t nlines;
};
/* Reads a policy file ("-": standard input) as manifesto_verify does. */
MANIFESTO_API int manifesto_policy_check(const char *path, const struct manifesto_policy_result **out,
					 struct manifesto_error *err);

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

/* ---------------------------------------------------------------- roles: who may sign which types */

struct manifesto_role_key {
	const char *fingerprint; /* or NULL: of a kind that cannot be used */
	const char *key_id;      /* TUF key ID */
	const char *name;        /* local name of the key, or NULL */
	const char *key_type;
	int certificate;       /* listed as an X.509 certificate (Notary) */
	const char *colleague; /* local name for somebody else's key, or NULL */
};
struct manifesto_role {
	const char *name;   /* "targets"; "targets/qa" (Notary), "qa" (TUF 1.0) */
	const char *parent; /* role that delegates it; NULL for targets */
	const char *const *types;
	size_t ntypes; /* of paths that name a whole type */
	const char *const *paths;
	size_t npaths;
	int threshold;
	const struct manifesto_role_key *const *keys;
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
	const char *gun, *where, *dialect;
	const struct manifesto_role *const *roles; /* targets first */
	size_t nroles;
};
/* The roles of an image's repository, with what this machine can do in each. role: only this one
 * (MANIFESTO_NOT_FOUND), or NULL. A role that does not verify is reported and is no failure. */
MANIFESTO_API int manifesto_role_list(struct manifesto *m, const char *image, const char *role,
				      const struct manifesto_role_list **out, struct manifesto_error *err);

struct manifesto_role_options {
	size_t size;
	const char *image;
	const char *role;
	/* Ends with NULL: files with a public key (PEM, certificate, OpenSSH, minisign, signify),
	 * fingerprints of keys here or in the repository, names of keys here. sign: the name of the key to
	 * sign with (default_key_name should be the same), or NULL. */
	const char *const *keys;
	const char *const *types; /* ends with NULL */
	int threshold;            /* 0: as it is, 1 for a new role */
	int force;    /* even if records vanish; sign: replace a file that does not verify by an empty one */
	int dry_run;  /* report what would change, publish nothing */
	int keep_old; /* rotate: no key of the role goes */
	const char *propose; /* as in struct manifesto_change_options */
};
struct manifesto_role_change {
	const char *what; /* "role added", "role removed", "key added", "key removed", "type added", "type
			     removed", "path removed", "threshold", "signed anew", "writer added", "writer
			     removed"; records that no longer count: "record unsigned", "record gone",
			     "record not read" */
	const char *role;
	const char *detail; /* fingerprint, type, number, "TYPE of SUBJECT"; or "" */
};
struct manifesto_role_result {
	const char *gun, *where;
	const struct manifesto_role_change *const
	    *changes; /* none: it was so already, nothing was published */
	size_t nchanges;
	int64_t version, root_version; /* of `targets` and root, 0: not changed */
	int dry_run;
	const char *const *warnings; /* records that are read differently now */
	size_t nwarnings;
	const struct manifesto_signer *const *root_keys; /* rotate: of the new root, when there is one */
	size_t nroot_keys;
	const char *proposal; /* as in struct manifesto_change_result */
	size_t missing;
};
/* Makes a role, or adds keys and types to one; one publish, which is read back. TUF 1.0: its keys become keys
 * of snapshot and timestamp too, in a new root. */
MANIFESTO_API int manifesto_role_add(struct manifesto *m, const struct manifesto_role_options *opt,
				     const struct manifesto_role_result **out, struct manifesto_error *err);
/* Removes the keys, or without keys the role. What a removed key has signed is re-signed by one that stays;
 * MANIFESTO_KEY with a hint when none is here. MANIFESTO_USAGE when records would vanish, unless force. */
MANIFESTO_API int manifesto_role_remove(struct manifesto *m, const struct manifesto_role_options *opt,
					const struct manifesto_role_result **out,
					struct manifesto_error *err);
/* Re-signs the role's file, as it is, with a key of this machine. */
MANIFESTO_API int manifesto_role_sign(struct manifesto *m, const struct manifesto_role_options *opt,
				      const struct manifesto_role_result **out, struct manifesto_error *err);
/* Brings a repository to the state that a file declares (docs/teams.schema.json): each role named there has
 * exactly these keys and types. Of the options image, force and dry_run are used. */
MANIFESTO_API int manifesto_role_apply(struct manifesto *m, const char *path,
				       const struct manifesto_role_options *opt,
				       const struct manifesto_role_result **out, struct manifesto_error *err);

/* Gives a role, also root, targets, snapshot or timestamp, other keys in one publish; what only a replaced
 * key has signed is re-signed. Of the options image, role, keys, keep_old and dry_run are used. The key that
 * goes is the role's only one, or of several those of this machine. Without keys: on Notary, a new
 * certificate for the root keys of this machine, or a new key of the server for snapshot and timestamp. A
 * root is signed by the old keys and the new ones, so that pins on the old root lead to it. */
MANIFESTO_API int manifesto_trust_rotate(struct manifesto *m, const struct manifesto_role_options *opt,
					 const struct manifesto_role_result **out,
					 struct manifesto_error *err);

/* --- taking a key out everywhere */
/* A role that still lists the key. */
struct manifesto_revoke_left {
	const char *role;
	/* MANIFESTO_KEY: others must sign; MANIFESTO_USAGE: too few keys would be left; another one: the role
	 * cannot be read, and may delegate to the key */
	int status;
	const char *why;
	const char *command; /* that leads on, or NULL */
};
struct manifesto_revoke_item {
	const char *repository; /* as given */
	int done;               /* 0: what would change, before anything is published; 1: what has changed */
	int status;             /* MANIFESTO_OK; of `error`; or the gravest of `left` */
	const char *const *roles; /* that the key is taken out of; none and none left: no role lists it */
	size_t nroles;
	const struct manifesto_role_result *change; /* with the records that no longer count, or NULL */
	const struct manifesto_revoke_left *const *left;
	size_t nleft;
	const struct manifesto_error *error; /* why nothing changed, or NULL */
};
struct manifesto_revoke_options {
	size_t size;
	const char *key; /* as in manifesto_role_options */
	const char *const *repositories;
	size_t nrepositories;
	const char *replacement; /* a key that takes its place in each role, or NULL */
	int dry_run;             /* only what would change */
	/* Called for each repository, in their order: before it is changed, and afterwards. Valid for the
	 * call; anything but 0 ends the run. */
	int (*result)(void *arg, const struct manifesto_revoke_item *item);
	void *result_arg;
};
/* Takes a key out of every role that lists it, in each repository in one publish that is read back; what only
 * that key has signed is re-signed as far as the keys are here. A failure of one repository does not end the
 * run. -1 with the gravest status when the key stays anywhere; MANIFESTO_NOT_FOUND: no repository lists it.
 */
MANIFESTO_API int manifesto_key_revoke(struct manifesto *m, const struct manifesto_revoke_options *opt,
				       struct manifesto_error *err);

/* --- proposals: changes that need the signatures of several machines */
/* One file that is to be signed. */
struct manifesto_proposal_file {
	const char *role;
	int64_t version, expires;
	int64_t base_version;                          /* 0: it is the role's first file */
	const struct manifesto_signer *const *signers; /* whose signatures count */
	size_t nsigners;
	const struct manifesto_signer *const *keys; /* that the role lists: who may sign */
	size_t nkeys;
	size_t threshold, missing;
};
/* One record that changes. The two together show everything that is signed. */
struct manifesto_proposal_record {
	const char *what;                      /* "added", "replaced", "removed" */
	const struct manifesto_record *record; /* as it will be; removed: as it is */
	const struct manifesto_record *before; /* replaced: as it is; else NULL */
};
struct manifesto_proposal {
	const char *id;   /* of one beside the image: hex digits; NULL: of a file */
	const char *path; /* of a file, else NULL */
	const char *image, *repository, *dialect;
	int64_t created, expires; /* from `expires` on nobody signs or publishes it */
	/* "open": signatures are missing; "ready": they are not; "done": it is published, or so anyway;
	 * "expired"; "conflict": somebody has changed the same; "invalid": not what it says. The last three
	 * with `message` and nothing below. */
	const char *state, *message;
	int moved;      /* somebody published since it was made: it is applied to what is there now */
	size_t dropped; /* signatures that are not over this, or by keys that do not count (any more) */
	size_t missing; /* signatures */
	const struct manifesto_proposal_file *const *files;
	size_t nfiles;
	const struct manifesto_proposal_record *const *records;
	size_t nrecords;
	/* Roles and keys, as for manifesto_role_add; "target" and "member": what is signed and has no other
	 * form, as "NAME=JSON". */
	const struct manifesto_role_change *const *changes;
	size_t nchanges;
};
struct manifesto_proposal_options {
	size_t size;
	const char *image;    /* NULL: the one that the file names */
	const char *proposal; /* a file, or the first 8 or more digits of an ID */
	int publish;          /* sign: publish it when no signature is missing any more */
	/* sign: called once with what would be signed; returns non-zero to sign it. Not called when there is
	 * nothing to sign. NULL: it is signed without a question. */
	int (*confirm)(void *arg, const struct manifesto_proposal *p);
	void *confirm_arg;
};
struct manifesto_proposal_result {
	const struct manifesto_proposal *proposal; /* as it is now */
	size_t added;                              /* sign: signatures of this machine that were added */
	int published;
	int64_t version; /* published: of the file whose records change; 0: none do */
	const char *published_to;
	const char *const *warnings;
	size_t nwarnings;
};
struct manifesto_proposal_list {
	const struct manifesto_proposal *const *proposals;
	size_t nproposals;
};
/* The proposals beside an image, whatever their state. */
MANIFESTO_API int manifesto_proposal_list(struct manifesto *m, const char *image,
					  const struct manifesto_proposal_list **out,
					  struct manifesto_error *err);
/* What a proposal would change. MANIFESTO_NOT_FOUND: there is no such proposal; MANIFESTO_INVALID: it is not
 * what it says; MANIFESTO_POLICY: expired; MANIFESTO_CONFLICT: somebody has changed the same since;
 * MANIFESTO_USAGE: it is for another repository. */
MANIFESTO_API int manifesto_proposal_show(struct manifesto *m, const struct manifesto_proposal_options *opt,
					  const struct manifesto_proposal_result **out,
					  struct manifesto_error *err);
/* Adds the signatures of this machine's keys. Where somebody has published since, it is first applied to what
 * is there now (`moved`), and the signatures over what has changed are gone; beside an image it then has
 * another ID. Fails as show, and MANIFESTO_KEY: no key here may sign; MANIFESTO_CONTENT_GONE;
 * MANIFESTO_UNEXPECTED
 * ("cancelled"): `confirm` returned 0. */
MANIFESTO_API int manifesto_proposal_sign(struct manifesto *m, const struct manifesto_proposal_options *opt,
					  const struct manifesto_proposal_result **out,
					  struct manifesto_error *err);
/* Publishes it, and removes it from beside the image. Fails as show, and MANIFESTO_KEY: signatures are
 * missing, or keys that publish. */
MANIFESTO_API int manifesto_proposal_publish(struct manifesto *m,
					     const struct manifesto_proposal_options *opt,
					     const struct manifesto_proposal_result **out,
					     struct manifesto_error *err);
/* Removes one from beside the image, unread. */
MANIFESTO_API int manifesto_proposal_drop(struct manifesto *m, const struct manifesto_proposal_options *opt,
					  const struct manifesto_proposal_result **out,
					  struct manifesto_error *err);

/* --- carrying pins to other machines */
struct manifesto_trust_export_result {
	const char *json; /* a file for manifesto_trust_import, and a trust.json */
	size_t length;
};
/* The pins of this machine: of these n patterns (MANIFESTO_NOT_FOUND when one is not pinned); n 0: all. */
MANIFESTO_API int manifesto_trust_export(struct manifesto *m, const char *const *patterns, size_t n,
					 const struct manifesto_trust_export_result **out,
					 struct manifesto_error *err);
struct manifesto_trust_import_result {
	const char *const *added, *const *replaced; /* patterns */
	size_t nadded, nreplaced, nsame;
	const char *const *named; /* colleagues' keys that have a name now */
	size_t nnamed;
};
/* Adds the pins of a file, all or none. MANIFESTO_PIN when one differs from what is pinned here, unless
 * force. */
MANIFESTO_API int manifesto_trust_import(struct manifesto *m, const char *path, int force,
					 const struct manifesto_trust_import_result **out,
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
};
/* Makes catalogue and referrers of a repository in a registry what the signed records say, and target files
 * of a local trust repository. Signed metadata are never touched. */
MANIFESTO_API int manifesto_repair(struct manifesto *m, const struct manifesto_repair_options *opt,
				   const struct manifesto_repair_result **out, struct manifesto_error *err);

/* ---------------------------------------------------------------- keys */

struct manifesto_key {
	const char *name, *type, *fingerprint, *path;
	int encrypted;
	const char *public_pem;
	const char *source; /* where the private key is when `path` only refers to it, with the arguments of a
			       command behind it; or NULL */
};
struct manifesto_key_result {
	const struct manifesto_key *const *keys;
	size_t nkeys;
};
/* Makes a key pair. type: "ed25519" (NULL) or "ecdsa". MANIFESTO_CONFLICT: the name exists. */
MANIFESTO_API int manifesto_key_generate(struct manifesto *m, const char *name, const char *type,
					 const struct manifesto_key_result **out,
					 struct manifesto_error *err);
/* The keys of this machine; none is no failure. */
MANIFESTO_API int manifesto_key_list(struct manifesto *m, const struct manifesto_key_result **out,
				     struct manifesto_error *err);
/* One key, by name or fingerprint (a unique prefix of at least 8 digits). MANIFESTO_KEY: there is none. */
MANIFESTO_API int manifesto_key_show(struct manifesto *m, const char *name,
				     const struct manifesto_key_result **out, struct manifesto_error *err);
/* Stores the private key in a file under `name`: of OpenSSL (PKCS #8, SEC1, PKCS #1), OpenSSH, the notary
 * CLI, Docker Content Trust, minisign, signify, or a key file of manifesto. The passphrase is asked for
 * (confirm = 0) when the file is encrypted, and then that of the new file (confirm = 1). MANIFESTO_FORMAT;
 * MANIFESTO_KEY: the passphrase is wrong; MANIFESTO_CONFLICT: the name exists. */
MANIFESTO_API int manifesto_key_import(struct manifesto *m, const char *name, const char *path,
				       const struct manifesto_key_result **out, struct manifesto_error *err);
/* Stores a reference to a key that is elsewhere. source: "ssh-agent:FINGERPRINT", "pkcs11:...",
 * "command:PROGRAM", "env:VARIABLE" or "fd:NUMBER"; arguments of the program end with NULL, NULL: none. The
 * key must be there. */
MANIFESTO_API int manifesto_key_add(struct manifesto *m, const char *name, const char *source,
				    const char *const *arguments, const struct manifesto_key_result **out,
				    struct manifesto_error *err);
/* Does a key of this home lie in the environment variable of this name (n octets)? The caller keeps it from
 * programs that it starts, as the library does. */
MANIFESTO_API int manifesto_key_in_variable(struct manifesto *m, const char *variable, size_t n);
/* Replaces the passphrase of a key, or with options.no_passphrase takes it away. The old one is asked for
 * with confirm = 0, the new one with 1. On failure the file stays as it was. */
MANIFESTO_API int manifesto_key_passwd(struct manifesto *m, const char *name,
				       const struct manifesto_key_result **out, struct manifesto_error *err);
/* Gives a key of this machine another name. Its passphrase, which protects the name too, is asked for, and
 * stays. MANIFESTO_CONFLICT: a key has the name, or it could be taken for that of a colleague's key. */
MANIFESTO_API int manifesto_key_rename(struct manifesto *m, const char *name, const char *new_name,
				       const struct manifesto_key_result **out, struct manifesto_error *err);
struct manifesto_key_remove_options {
	size_t size;
	const char *name; /* or a fingerprint */
	int dry_run;      /* report, and remove nothing */
};
struct manifesto_key_use {
	const char *repository; /* as it is pinned on this machine */
	const char *role;
	int others; /* how many other keys the role lists */
	int threshold;
};
struct manifesto_key_remove_result {
	const struct manifesto_key *key;
	/* Roles that list the key, in the metadata that this machine has of the repositories it has pinned:
	 * not verified, perhaps old, and never all that there is. */
	const struct manifesto_key_use *const *uses;
	size_t nuses;
};
/* Removes a key from this machine; roles that list it still do. MANIFESTO_KEY: there is none. */
MANIFESTO_API int manifesto_key_remove(struct manifesto *m, const struct manifesto_key_remove_options *opt,
				       const struct manifesto_key_remove_result **out,
				       struct manifesto_error *err);
/* Local names for the keys of colleagues, which are shown in place of digits; they decide nothing. */
struct manifesto_key_name {
	const char *name, *fingerprint;
};
struct manifesto_key_names {
	const struct manifesto_key_name *const *names;
	size_t nnames;
};
MANIFESTO_API int manifesto_key_names(struct manifesto *m, const struct manifesto_key_names **out,
				      struct manifesto_error *err);
/* Gives the key of this fingerprint the name; fingerprint NULL takes the name away. MANIFESTO_USAGE: no name,
 * or one of our own keys; MANIFESTO_CONFLICT: it could be taken for another key's; MANIFESTO_KEY: there is no
 * such name. */
MANIFESTO_API int manifesto_key_name(struct manifesto *m, const char *name, const char *fingerprint,
				     struct manifesto_error *err);
struct manifesto_key_export_options {
	size_t size;
	const char *name;
	const char *role;      /* "targets", "root", "delegation" */
	const char *gun;       /* or NULL */
	const char *directory; /* the notary CLI's private directory */
	/* Instead of role, gun and directory. Of the public key "pem", "openssh", "minisign"; of the private
	 * one "pkcs8", "manifesto" (a key file). NULL: as the notary CLI keeps it. */
	const char *format;
	const char *output; /* with `format`: the file; NULL for a public key: text only */
};
struct manifesto_key_export_result {
	const char *key_id; /* of Notary; NULL with `format` */
	const char *path;   /* directory/<key_id>.key, or `output` */
	const char *text;   /* of a public key, else NULL */
};
/* Writes a key for another program: a private one under the key's passphrase (unencrypted when it has none)
 * and 0600; never over a file that exists. MANIFESTO_USAGE: the program has no such keys. */
MANIFESTO_API int manifesto_key_export(struct manifesto *m, const struct manifesto_key_export_options *opt,
				       const struct manifesto_key_export_result **out,
				       struct manifesto_error *err);

/* ---------------------------------------------------------------- completion */

enum manifesto_name {
	MANIFESTO_NAME_REPOSITORY,
	MANIFESTO_NAME_ROLE,
	MANIFESTO_NAME_TYPE,
	MANIFESTO_NAME_KEY
};
/* Names to offer to somebody who types, from what lies on this machine: repositories that are pinned; roles
 * and record types of the image's repository, from its directory or from the cache; keys. No request is made,
 * and nothing of it is verified. `each` is called once for each name, in no order. */
MANIFESTO_API int manifesto_names(struct manifesto *m, enum manifesto_name what, const char *image,
				  void (*each)(void *arg, const char *name), void *arg,
				  struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
