/* Records of images: put, sign, remove, withdraw, veto, get, export, list, history; and bundles of
 * records. */
#ifndef MANIFESTO_RECORDS_H
#define MANIFESTO_RECORDS_H

#include "manifesto/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- records */

/* One signer of a record. */
struct manifesto_signer {
	const char *fingerprint; /* 64 hex digits: SHA-256 of the key's SubjectPublicKeyInfo */
	const char *name;        /* local name of the key, or NULL */
	const char *key_type;    /* "ed25519", "ecdsa", "rsa" */
	const char *colleague;   /* local name for somebody else's key, or NULL */
};

/* A record of another repository of which a promoted record was made. Its signatures verify. Whether its
 * signers were authorised in that repository, only the promoter has checked. */
struct manifesto_original {
	const char *repository, *role;
	const char *dialect;                           /* "notary", "tuf1" */
	int64_t version;                               /* of the role's file */
	int64_t created;                               /* time claimed by the signer; 0: absent */
	const char *author;                            /* or NULL */
	const struct manifesto_signer *const *signers; /* signers of the record signatures */
	size_t nsigners;
	/* 1: the promoted record was made of this one; 2: the original with depth 1 was made of this one;
	 * ... */
	int depth;
};

/* A verified record. */
struct manifesto_record {
	const char *image;    /* repository@sha256:..., usable as an image reference */
	const char *subject;  /* "sha256:..." */
	const char *platform; /* "linux/arm64/v8" when known, else NULL */
	const char *type;
	const char *role;   /* "targets", or the delegated role */
	const char *digest; /* of the blob, "sha256:..." */
	uint64_t length;
	const char *media_type;      /* or NULL */
	const char *author, *reason; /* decoded for display, or NULL */
	int64_t created;             /* time claimed by the signer */
	int64_t expires;             /* of the record itself, not of the role's file */
	const char *state; /* "current", "withdrawn", "expired", "veto", "foreign" (no record signature of a
			      key of the role) */
	const struct manifesto_signer *const *signers; /* signers of the record signatures that count */
	size_t nsigners;
	const char *const *annotations; /* "key=value" */
	size_t nannotations;
	const char *const *withdrew; /* of a withdrawn record: digests of the content that was withdrawn */
	size_t nwithdrew;
	int64_t role_version, role_expires; /* of the signed file that holds the record */
	int has_created, has_expires;       /* these members are present, also where the time is 0 */
	/* For `confirm` of manifesto_sign: the signed members that no other member of this struct shows,
	 * "name=JSON". */
	const char *const *others;
	size_t nothers;
	/* Of a promoted record: its originals; each is followed by the originals of which it was made
	 * itself. `signers` are the promoters. */
	const struct manifesto_original *const *promoted_from;
	size_t npromoted_from;
};

/* --- put, sign, remove, withdraw, veto: changes of the records of an image */

struct manifesto_change_outcome;

/* The comments name functions without "manifesto_". A member whose comment or heading names functions is
 * ignored by the others. */
struct manifesto_change_options {
	size_t size;
	const char *image; /* image reference */
	const char *type;  /* record type: [a-z0-9]+(?:[._-][a-z0-9]+)*, at most 128 octets */
	/* NULL: the authorised role whose key is on this machine; of several, the one that has the record. */
	const char *role;
	/* Sign only with the key of this name (default_key_name should be the same); NULL: with any. */
	const char *key;
	const char *platform; /* "os/arch[/variant]": this child of an index */
	/* The index and each of its children; sign, remove, withdraw: those that have a record. */
	int all_platforms;
	/* put, remove, withdraw: even if the record was changed concurrently; put: also when the record is
	 * the same. */
	int force;
	int reinstate;      /* put, remove: lift a withdrawal by the same role; remove: do nothing else */
	const char *author; /* put, withdraw; NULL: absent */
	const char *reason; /* put; withdraw: required */

	/* put */
	const char *path; /* file with the content, "-": standard input; NULL: use `data` */
	const void *data;
	size_t data_length;
	/* NULL: application/json for valid JSON, text/plain for other UTF-8 text, else
	 * application/octet-stream. */
	const char *media_type;
	const char *const *annotations; /* "key=value", ends with NULL; or NULL */
	int64_t expires;                /* 0: never */
	int init;                       /* initialise the trust repository if there is none */
	int link;                       /* layout: also list the artifact manifest in index.json */
	/* Called for each image after it is resolved, before anything is written. */
	void (*progress)(void *arg, const char *image, const char *type);
	void *progress_arg;

	/* sign: called once with the n records that would be signed and the key that would sign. The
	 * content of the records is fetched and verified; each has its present signers. Returns non-zero
	 * to sign the records. Not called when the key has signed all of them already. NULL: they are
	 * signed without confirmation. */
	int (*confirm)(void *arg, const struct manifesto_record *const *records, size_t n,
		       const struct manifesto_signer *key);
	void *confirm_arg;

	/* NULL: publish. Else sign as far as the keys of this machine allow, and make a proposal
	 * (manifesto_proposal_sign): in a new file of this name, or with "@" beside the image. */
	const char *propose;

	/* In place of `image`: references, of one repository or of several, at most 10,000. There is one
	 * publish for each repository, which changes all of its images or none. The key of a role is
	 * unlocked once; `confirm` is called once for all records that one key would sign. With `propose`
	 * "@", each repository gets a proposal beside its first image; with a file, all images must be of
	 * one repository. *out is not set, and a failure is that of the gravest image. */
	const char *const *images;
	size_t nimages;
	/* Called for each of `images`, in the order given. Returns 0, or -1 to stop the run. */
	int (*result)(void *arg, const struct manifesto_change_outcome *outcome);
	void *result_arg;

	/* put, in place of `path` and `data`: a file with a DSSE envelope or a Sigstore bundle. The
	 * in-toto Statement in it becomes the content. It must be signed by the given public key (a file,
	 * a text, or the name of a key of this machine) and must be about the image, else
	 * MANIFESTO_INVALID. The annotations dsse.signer and dsse.predicateType record its signer and its
	 * predicate type. */
	const char *attestation_path, *attestation_signer;
};
/* The outcome for one record. */
struct manifesto_change_item {
	/* put: the record as stored; sign: the record with all its signers; remove: the record as it was;
	 * withdraw: the tombstone that replaces it, in state "withdrawn". */
	const struct manifesto_record *record;
	/* The record was so already, signed by our key (withdraw: by our role): no change was published. */
	int unchanged;
	/* Put: the same record was there, signed by others, and our signature was added. */
	int signature_added;
	int veto; /* withdraw: only other roles had such a record */
};
struct manifesto_change_result {
	const struct manifesto_change_item *const *items;
	size_t nitems;
	const char *role;
	int64_t version;                       /* of the role's file */
	const char *published_to;              /* URL or directory */
	const struct manifesto_signer *signer; /* key of this machine that signed */
	const char *const *warnings;           /* problems after a successful publish */
	size_t nwarnings;
	int initialised;              /* put has made the trust repository */
	const char *const *keys_made; /* "alice (ed25519 1f2e...)" */
	size_t nkeys_made;
	const char *const *pinned; /* fingerprints of the root keys that are now pinned on this machine */
	size_t npinned;
	/* With `propose`: file or ID of the proposal, and the number of signatures that it lacks;
	 * `version` is the proposed version. NULL: the change was published, or there was nothing to
	 * change. */
	const char *proposal;
	size_t missing;
};
/* The outcome for one of `images`. Valid during the call of `result`. */
struct manifesto_change_outcome {
	const char *image;                   /* as it was given */
	const struct manifesto_error *error; /* why the image was not changed; NULL: it was changed */
	const struct manifesto_change_result
	    *change; /* The result for the image's repository; NULL: nothing was published there. */
	const struct manifesto_change_item *const *items; /* the items of `change` for this image */
	size_t nitems;
	int first; /* this is the first image of its repository to be reported */
};
/* Stores content and publishes a signed record of it. MANIFESTO_NOT_FOUND: no such image, or no trust
 * repository and `init` is not set; MANIFESTO_POLICY: the record is withdrawn and `reinstate` is not set;
 * MANIFESTO_CONFLICT: the record was changed concurrently and `force` is not set. */
MANIFESTO_API int manifesto_put(struct manifesto *m, const struct manifesto_change_options *opt,
				const struct manifesto_change_result **out, struct manifesto_error *err);
/* Adds a record signature of this machine's key to a current record, and changes nothing else of the
 * record. MANIFESTO_NOT_FOUND; MANIFESTO_POLICY: the record is withdrawn, expired, or has no description
 * to sign; MANIFESTO_CONTENT_GONE; MANIFESTO_CONFLICT: the record is not the one that `confirm` was given,
 * and nothing was signed; MANIFESTO_UNEXPECTED ("cancelled"): `confirm` returned 0. */
MANIFESTO_API int manifesto_sign(struct manifesto *m, const struct manifesto_change_options *opt,
				 const struct manifesto_change_result **out, struct manifesto_error *err);
/* Removes the record, whatever its state. MANIFESTO_NOT_FOUND: there is no record; MANIFESTO_POLICY: it is
 * withdrawn and `reinstate` is not set. */
MANIFESTO_API int manifesto_remove(struct manifesto *m, const struct manifesto_change_options *opt,
				   const struct manifesto_change_result **out, struct manifesto_error *err);
/* Replaces the record of our role by a signed withdrawal, or adds a withdrawal when only other roles have
 * such a record. Readers then refuse the type for this image until our role lifts the withdrawal with
 * `reinstate`. MANIFESTO_NOT_FOUND: no authorised role has such a record. */
MANIFESTO_API int manifesto_withdraw(struct manifesto *m, const struct manifesto_change_options *opt,
				     const struct manifesto_change_result **out, struct manifesto_error *err);
/* Publishes a veto in our role's file: the type (NULL: every type) must not be accepted for this image.
 * Policies that list the role under `veto` refuse the type until our role lifts the veto with `reinstate`.
 * The role need not be authorised for the type. `role` NULL: the one delegated role whose key is on this
 * machine, else targets. The records in the items have state "veto" and the type that is blocked, "*" for
 * every type. MANIFESTO_NOT_FOUND: there is no veto to lift. */
MANIFESTO_API int manifesto_veto(struct manifesto *m, const struct manifesto_change_options *opt,
				 const struct manifesto_change_result **out, struct manifesto_error *err);

/* --- get */
struct manifesto_get_options {
	size_t size;
	const char *image, *type;
	const char *role; /* NULL: all authorised roles must agree */
	const char *platform;
	/* Receives the content in pieces, after all of it is verified. Returns 0, or -1 to stop. NULL: the
	 * content is verified and not passed on. */
	int (*write)(void *arg, const void *p, size_t n);
	void *write_arg;
	const char *output_path; /* instead of `write`: a file; a temporary file is written, then renamed */
	/* 0: the current record. Else the record in this version of the role's file, verified as
	 * manifesto_history does: for looking at the past, never for a decision. When several roles may
	 * sign the type, `role` must name one. */
	int64_t version;
	/* Non-zero: `name` of the signers in the result is NULL, and no key file is opened to find it. */
	int no_signer_names;
};
struct manifesto_get_result {
	const struct manifesto_record *record;
	int64_t newest_version; /* of the role's file, when `version` was given */
	const char *note;       /* how the record differs from the current one; NULL: it does not */
};
/* Verifies a record and its content, then passes the content on. MANIFESTO_NOT_FOUND; MANIFESTO_POLICY:
 * withdrawn or expired; MANIFESTO_USAGE: authorised roles disagree; MANIFESTO_CONTENT_GONE. */
MANIFESTO_API int manifesto_get(struct manifesto *m, const struct manifesto_get_options *opt,
				const struct manifesto_get_result **out, struct manifesto_error *err);

/* --- export: a record as an attestation for other tools (docs/standards.md) */
struct manifesto_export_options {
	size_t size;
	const char *image, *type, *role, *platform; /* as for manifesto_get */
	/* "in-toto": an unsigned Statement v1; "dsse": the same, signed, in a DSSE envelope; "bundle":
	 * that in a Sigstore bundle v0.3. NULL: "bundle". */
	const char *format;
	/* A URI: the content, which must be a JSON object, is the predicate. NULL: the predicate has type
	 * "urn:manifesto:record:v1" and describes the record with its content. */
	const char *predicate_type;
	const char *key; /* an ed25519 key that has signed the record; NULL: any such key of this machine */
	/* With "bundle": also store the bundle beside the image, as an artifact whose subject is the
	 * image. */
	int attach;
	const char *output_path; /* a temporary file and a rename; NULL: `write` */
	int (*write)(void *arg, const void *p, size_t n);
	void *write_arg;
};
struct manifesto_export_result {
	const char *image; /* repository@sha256:..., the subject */
	const char *predicate_type;
	const struct manifesto_signer *const *signers; /* the key that signed; none for "in-toto" */
	size_t nsigners;
	const char *attached; /* repository@sha256:... of the artifact manifest, or NULL */
};
/* Verifies a record and its content as manifesto_get does, and makes an attestation of it. MANIFESTO_KEY:
 * no suitable key is on this machine. */
MANIFESTO_API int manifesto_export(struct manifesto *m, const struct manifesto_export_options *opt,
				   const struct manifesto_export_result **out, struct manifesto_error *err);

/* --- list */
struct manifesto_list_result;
struct manifesto_list_options {
	size_t size;
	const char *image;
	/* 1: `image` is a repository (no tag, no digest), and the records of all its images are listed; 2:
	 * the same if `image` has neither tag nor digest, else one image. */
	int all;
	const char *platform;
	int all_platforms; /* also the children of an index */
	/* Filters; each ends with NULL. NULL: all. A role that does not exist and a state that does not
	 * exist are MANIFESTO_USAGE. */
	const char *const *types, *const *roles, *const *states;
	int tagged; /* with `all`: also list images that have a tag but no record */
	/* With `all`: receives the images and records in parts, in their order, so that a repository of
	 * any size takes no more memory than its largest part. All records of an image are in the same
	 * part; `first` of an image counts within the part. `part` is valid during the call. A later part
	 * may still fail. Returns 0, or -1 to stop (MANIFESTO_IO). The result then has neither images nor records. NULL:
	 * the result has all of them. */
	int (*part)(void *arg, const struct manifesto_list_result *part);
	void *part_arg;
};
/* One image of a repository that has records. */
struct manifesto_subject {
	const char *image, *subject; /* repository@sha256:..., sha256:... */
	const char *const *tags;
	size_t ntags;
	int gone;               /* the repository no longer has this manifest */
	size_t first, nrecords; /* its records are records[first] and those that follow */
	/* Instead of `gone`, for a mapped name or a bundle: the mapped name or the bundle does not have
	 * this manifest. */
	int not_copied;
};
struct manifesto_list_result {
	const char *image; /* repository@sha256:...; with `all` the repository */
	const struct manifesto_subject *const *subjects; /* with `all` only */
	size_t nsubjects;
	const struct manifesto_record *const *records;
	size_t nrecords;
	const char *const *warnings; /* roles that were left out, and why */
	size_t nwarnings;
	const char *repository; /* of the image, without tag and digest */
};
/* Lists the records of authorised roles, sorted by subject, type and role. An empty list is no failure. */
MANIFESTO_API int manifesto_list(struct manifesto *m, const struct manifesto_list_options *opt,
				 const struct manifesto_list_result **out, struct manifesto_error *err);

/* --- history */
struct manifesto_history_options {
	size_t size;
	const char *image;
	const char *type; /* NULL: all types */
	const char *role; /* only this role, or NULL */
	const char *platform;
	int64_t limit; /* how many versions of each role to read, from the newest on; 0: 100, at most 1,000 */
	/* `image` is a repository (no tag, no digest): the history of the records of all its images, and
	 * without `type` also of its roles, keys and roots. */
	int all;
};
struct manifesto_history_event {
	/* Of a record: "put"; "replaced" (content or description); "signed" (the same record has new
	 * signers); "unsigned" (and has lost some); "withdrawn"; "reinstated"; "removed"; "foreign" (put
	 * or replaced without a signature by a key of the role); "present" (it is in the oldest version
	 * that is known; when it was put is not known); "unauthorised" and "authorised" (the entry stayed,
	 * but the types that the role may sign changed, or the role was removed).
	 * Of versions: "not-kept" (the repository does not keep them); "not-read" (older than `limit`);
	 * "invalid" (there is a file, and it does not verify); "unproven" (the file cannot be verified,
	 * because the file that listed its keys is beyond the limits or not kept).
	 * With `all`, of roots: "root-created" (version 1); "root-published" (a later one); "root-present"
	 * (the oldest one that is known). Of a role that a root or a role's file lists, `changed_role`:
	 * "role-created"; "role-removed"; "key-added"; "key-removed"; "certificate-changed" (Notary:
	 * another certificate of the same key); "threshold-changed"; "type-added"; "type-removed";
	 * "path-added", "path-removed" (a path that is not a whole type); "prefixes-changed"; and in the
	 * oldest version that is known "role-present", "key-present". */
	const char *event;
	const char *role; /* "targets", a delegated role, or "root" (of versions) */
	/* Of a record: the event shows in `version` and happened in one of these versions; those before
	 * `version` could not be read. */
	int64_t first_version, version;
	/* Time that the signer claims, for events that write the record's description; else 0. */
	int64_t claimed;
	/* When the store received this version of the role's file, as the store claims: a hint, because
	 * the time is not signed. */
	int64_t seen;
	/* Role whose listed keys verified that file, "root" or a role; `delegator_version`: the oldest
	 * version of it that does. */
	const char *delegator;
	int64_t delegator_version;
	const struct manifesto_signer *const *file_signers; /* of the role's file */
	size_t nfile_signers;
	const struct manifesto_signer *const *added; /* "signed": the new signers */
	size_t nadded;
	/* The record in this version; for "removed" and "unauthorised", as it was before. NULL for events
	 * of versions. */
	const struct manifesto_record *record;
	const char *message;                /* "invalid", "unproven": why; else NULL */
	const char *changed_role;           /* the role whose listing in `role`'s file changed, or NULL */
	const struct manifesto_signer *key; /* for an event of a key: the key, if it can be used; else NULL */
	const char *detail; /* type, path, threshold, or TUF ID of a key that cannot be used; or NULL */
};
struct manifesto_history_result {
	const char *image; /* repository@sha256:...; with `all` the repository */
	/* Oldest first: the events of each role in the order of its versions, those of different roles
	 * ordered by `seen`. */
	const struct manifesto_history_event *const *events;
	size_t nevents;
	/* Number of versions that do not verify: a gate should treat them as MANIFESTO_INVALID. */
	size_t ninvalid;
};
/* Reports what happened to the records of one image, or with `all` to the records of all images and to
 * roles, keys and roots. It reads the versions of the roles' files that the trust repository keeps; each
 * is verified against the keys that its delegator listed at that time. That old versions have expired does
 * not matter. */
MANIFESTO_API int manifesto_history(struct manifesto *m, const struct manifesto_history_options *opt,
				    const struct manifesto_history_result **out, struct manifesto_error *err);

/* --- bundles: images' records, their content and the trust metadata in one file (docs/bundle-format.md) */
struct manifesto_bundle_options {
	size_t size;
	const char *const *images; /* references, of one repository or several */
	size_t nimages;            /* from 1 to 10,000 */
	const char *output_path;   /* a file (a temporary file is written, then renamed); NULL: use `write` */
	/* Receives the bundle in pieces, after all of it is made. Returns 0, or -1 to stop. */
	int (*write)(void *arg, const void *p, size_t n);
	void *write_arg;
};
struct manifesto_bundle_result {
	const char *const *images; /* repository@sha256:..., sorted */
	size_t nimages;
	size_t nrepositories;
	size_t nrecords; /* records whose content is in the bundle */
	/* Of the file, "sha256:..."; the same state of the repositories gives the same file. */
	const char *digest;
	uint64_t length;             /* of the file */
	const char *const *warnings; /* roles that do not verify; expired records whose content is gone */
	size_t nwarnings;
};
/* Verifies what is published for the images and writes it to a bundle, including what is withdrawn or
 * missing: a reader of the bundle gets the answers that the servers give now. If the context has `bundle`,
 * the new bundle is made from that one. MANIFESTO_NOT_FOUND: no such image; MANIFESTO_CONTENT_GONE. */
MANIFESTO_API int manifesto_bundle_create(struct manifesto *m, const struct manifesto_bundle_options *opt,
					  const struct manifesto_bundle_result **out,
					  struct manifesto_error *err);

#ifdef __cplusplus
}
#endif
#endif
