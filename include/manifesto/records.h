/* Records of images: put, sign, remove, withdraw, veto, get, list, history; and bundles of them. */
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

/* The record of another repository that a promoted record was made of. Its signatures verify; whether a key
 * could speak for that repository, only the promoter has checked. */
struct manifesto_original {
	const char *repository, *role;
	const char *dialect;                           /* "notary", "tuf1" */
	int64_t version;                               /* of the role's file */
	int64_t created;                               /* claimed by the signer; 0: not said */
	const char *author;                            /* or NULL */
	const struct manifesto_signer *const *signers; /* who approved */
	size_t nsigners;
	int depth; /* 1: the record was made of it; 2: that one was made of this; ... */
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
	/* Of a promoted record: each original is followed by those that it was made of. `signers` are those
	 * who promoted it. */
	const struct manifesto_original *const *promoted_from;
	size_t npromoted_from;
};

/* --- put, sign, remove, withdraw: changes of the records of an image */

struct manifesto_change_outcome;

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

	/* In place of `image`: references, of one repository or of several, at most 10,000. Each repository
	 * is published to once; of its images all are changed, or none. The key of a role is unlocked once;
	 * `confirm` is called once for all records that one key would sign. With `propose` "@", each
	 * repository gets a proposal beside its first image; a file is for one repository. *out is not set,
	 * and the failure is that of the gravest image. */
	const char *const *images;
	size_t nimages;
	/* Called for each of `images`, in the order given. Returns 0, or -1 to stop. */
	int (*result)(void *arg, const struct manifesto_change_outcome *outcome);
	void *result_arg;

	/* put, in place of `path` and `data`: a file with a DSSE envelope or a Sigstore bundle. The content
	 * is the in-toto Statement in it, which the public key (a file, a text, or the name of a key here)
	 * must have signed, and which must be about the image (MANIFESTO_INVALID). The annotations
	 * dsse.signer and dsse.predicateType name its signer and its type. */
	const char *attestation_path, *attestation_signer;
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
/* What became of one of `images`. Valid during the call of `result`. */
struct manifesto_change_outcome {
	const char *image;                   /* as it was given */
	const struct manifesto_error *error; /* why it was not changed; NULL: it was */
	const struct manifesto_change_result
	    *change; /* of its repository; NULL: nothing was published there */
	const struct manifesto_change_item *const *items; /* those of `change` that are this image's */
	size_t nitems;
	int first; /* no earlier image of its repository was reported */
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
	/* Not 0: `name` of the signers in the result is NULL, and no key file is opened to find it. */
	int no_signer_names;
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

/* --- export: a record as an attestation of other tools (docs/standards.md) */
struct manifesto_export_options {
	size_t size;
	const char *image, *type, *role, *platform; /* as for manifesto_get */
	/* "in-toto": a Statement v1; "dsse": signed, in a DSSE envelope; "bundle": in a Sigstore bundle v0.3.
	 * NULL: "bundle". */
	const char *format;
	/* URI. The content, which must be a JSON object, is the predicate. NULL: "urn:manifesto:record:v1",
	 * a description of the record with its content. */
	const char *predicate_type;
	const char *key; /* an ed25519 key that has signed the record; NULL: any that is here */
	int attach; /* a bundle: also store it beside the image, as an artifact with the image as subject */
	const char *output_path; /* a temporary file and a rename; NULL: `write` */
	int (*write)(void *arg, const void *p, size_t n);
	void *write_arg;
};
struct manifesto_export_result {
	const char *image; /* repository@sha256:..., the subject */
	const char *predicate_type;
	const struct manifesto_signer *const *signers; /* the one key; none for "in-toto" */
	size_t nsigners;
	const char *attached; /* repository@sha256:... of the artifact manifest, or NULL */
};
/* Verifies a record and its content as manifesto_get does, and makes an attestation of it. MANIFESTO_KEY: no
 * such key is here. */
MANIFESTO_API int manifesto_export(struct manifesto *m, const struct manifesto_export_options *opt,
				   const struct manifesto_export_result **out, struct manifesto_error *err);

/* --- list */
struct manifesto_list_result;
struct manifesto_list_options {
	size_t size;
	const char *image;
	/* 1: image is a repository (no tag, no digest), and the records of all its images are listed; 2: the
	 * same if it has neither tag nor digest, else the one image. */
	int all;
	const char *platform;
	int all_platforms; /* also the children of an index */
	/* Filters, each ends with NULL; NULL: all. A role that nobody delegated to and a state that does not
	 * exist are MANIFESTO_USAGE. */
	const char *const *types, *const *roles, *const *states;
	int tagged; /* with `all`: also images that have a tag, and no record */
	/* With `all`: receives the images and records, in their order, a part at a time, so that a repository
	 * of any size takes no more memory than its largest part; an image has all of its records in one
	 * part, in which `first` counts; valid during the call. What is behind it may fail. Returns 0, or -1
	 * to stop. The result then has neither images nor records. NULL: it has all. */
	int (*part)(void *arg, const struct manifesto_list_result *part);
	void *part_arg;
};
/* One image of a repository that has records. */
struct manifesto_subject {
	const char *image, *subject; /* repository@sha256:..., sha256:... */
	const char *const *tags;
	size_t ntags;
	int gone;               /* the repository has no such manifest any more */
	size_t first, nrecords; /* its records: from records[first] on */
	int not_copied; /* of a mapped name, and of a bundle, in place of `gone`: it has no such manifest */
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
	int all; /* image is a repository (no tag, no digest): the records of all its images, and without
		    `type` also its roles, keys and roots */
};
struct manifesto_history_event {
	/* Of a record: "put", "replaced" (content or description), "signed" (the same record has new
	 * signers), "unsigned" (and has lost some), "withdrawn", "reinstated", "removed", "foreign" (put or
	 * replaced without a signature of a key of the role), "present" (in the oldest version that is known:
	 * when it came is not known), "unauthorised" and "authorised" (the entry stayed, what the role may
	 * sign changed, or the role was removed).
	 * Of versions: "not-kept" (the repository has them not), "not-read" (older than `limit`), "invalid"
	 * (there is a file, and it does not verify), "unproven" (nor does this one, but what listed its keys
	 * is beyond the limits or not kept).
	 * With `all`, of roots: "root-created" (version 1), "root-published" (a later one), "root-present"
	 * (the oldest that is known). Of what a root or a role's file lists, `changed_role`: "role-created",
	 * "role-removed", "key-added", "key-removed", "certificate-changed" (Notary: another certificate of
	 * the same key), "threshold-changed", "type-added", "type-removed", "path-added", "path-removed" (of
	 * no whole type), "prefixes-changed", and in the oldest version that is known "role-present",
	 * "key-present". */
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
	const char *message;      /* "invalid", "unproven": why; else NULL */
	const char *changed_role; /* the role that `role`'s file lists otherwise than before, or NULL */
	const struct manifesto_signer *key; /* of an event of a key that can be used, else NULL */
	const char *detail; /* type, path, threshold; TUF ID of a key that cannot be used; or NULL */
};
struct manifesto_history_result {
	const char *image; /* repository@sha256:...; with `all` the repository */
	/* Oldest first: each role's in the order of its versions, roles among each other by `seen`. */
	const struct manifesto_history_event *const *events;
	size_t nevents;
	size_t ninvalid; /* versions that do not verify: MANIFESTO_INVALID to a gate */
};
/* What happened to the records of one image, or of all and to roles, keys and roots: from the versions of the
 * roles' files that the trust repository keeps, each verified against the keys that its delegator listed
 * then. The expiry of old versions does not count. */
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

#ifdef __cplusplus
}
#endif
#endif
