/* Shared by the operations: the context, an opened image, results. */
#ifndef MF_OPS_OPS_H
#define MF_OPS_OPS_H

#include "base/count.h"
#include "keys/keystore.h"
#include "manifesto/manifesto.h"
#include "oci/artifact.h"
#include "oci/bundle.h"
#include "policy/policy.h"
#include "trust/trust.h"

struct manifesto {
	struct manifesto_options opt; /* strings point into `strings` */
	struct mf_arena strings;
	struct mf_env env;
	struct mf_http *http;    /* made when first needed */
	struct mf_counts before; /* the thread's, when this was made */
	struct mf_secret password, trust_password, aws_secret, aws_token;
	struct mf_aws_config aws;
	const char **credential_files; /* ends with NULL; strings point into `strings` */
	/* Credentials that were given for one registry or for the trust server, and those for all other
	 * hosts, which come from files only. */
	struct mf_credential_config credentials, trust_credentials, stored_credentials;
	char *given_host; /* the registry that `credentials` are for; NULL: not known yet */
	struct mf_endpoint {
		char *host;
		const struct mf_credential_config *credentials;
		struct mf_auth *auth;
	} * endpoint; /* kept from one operation to the next; the newest is last */
	size_t nendpoint, endpoint_cap;
	struct mf_pool *pool;     /* of a run over many images, else NULL */
	struct mf_bundle *bundle; /* opened when it is first needed */
	struct mf_passphrase passphrase;
	struct mf_keystore *keys;
	struct mf_names names; /* of keys; loaded with the first image */
	bool names_loaded;
	bool no_key_names;   /* the result of this operation does not name keys of this machine */
	struct mf_maps maps; /* loaded with the first image of an operation */
	struct mf_trust_config trust;
	struct mf_cache cache;
};

/* ---- the frame of a public function
 */

/* Copies the caller's options into `out` of out_size octets, as the public header promises. MF_E_USAGE. */
int mf_op_options(void *out, size_t out_size, const void *given, struct mf_err *err) MF_NODISCARD;
/* A zeroed result of `size` octets with an arena of its own, for manifesto_result_free. */
void *mf_result_new(size_t size, struct mf_err *err) MF_NODISCARD;
/* The arena of a result. */
struct mf_arena *mf_result_arena(void *result);
/* Starts the operation's clock. */
void mf_op_begin(struct manifesto *m, struct manifesto_error *err);
/* Starts it again, for the next of several repositories. */
void mf_op_restart_clock(struct manifesto *m);
/* Extends the operation's deadline by the time since since_ms, in which a person read and answered. */
void mf_op_exclude(struct manifesto *m, int64_t since_ms);
/* Fills *out from a failure; returns -1. */
int mf_op_fail(struct manifesto_error *out, const struct mf_err *err);
/* Begins a public function: starts the clock and copies the caller's options into *o. The value is an empty
 * result for r, or NULL on failure. */
#define MF_OP_START(m, o, opt, r, error, err)                                                                \
	(mf_op_begin((m), (error)),                                                                          \
	 mf_op_options((o), sizeof *(o), (opt), (err)) < 0 ? NULL : mf_result_new(sizeof *(r), (err)))
/* Ends a public function: stores the result in *out, or frees it and fills *error. */
#define MF_OP_END(rc, result, out, error, err)                                                               \
	((rc) < 0 ? (manifesto_result_free(result), mf_op_fail((error), (err))) : (*(out) = (result), 0))

/* Returns the public key that `text` is, the one in the file that it names, or that of the key of this
 * machine that it names. */
struct mf_pubkey *mf_op_public_key(struct manifesto *m, const char *text, struct mf_err *err) MF_NODISCARD;
/* Checks a name that a user gives to a key. MF_E_USAGE. */
int mf_op_check_key_name(const char *name, struct mf_err *err) MF_NODISCARD;
/* Lists the roles that list the key, from the cached metadata of pinned repositories, which is not verified
 * again. */
int mf_op_key_uses(struct manifesto *m, const struct mf_pubkey *pub, struct mf_arena *a,
		   const struct manifesto_key_use *const **out, size_t *n, struct mf_err *err) MF_NODISCARD;

/* ---- places that the images of one run share (pool.c) */
struct mf_pool_trust {
	char *name; /* pin name */
	struct mf_trust_config cfg;
	struct mf_trust *trust;
	bool begun;  /* its load has sent its first requests */
	bool loaded; /* only `then` of the pool remains to be done */
	bool tried;  /* loading has ended; `failed` says why it failed, if it did */
	struct mf_err failed;
	struct mf_str *paths; /* for `then` */
	bool reported;        /* the caller was warned of the roles that could not be loaded */
	size_t users, held;   /* images that are open; octets of metadata */
	uint64_t last_use;
};
struct mf_pool_store {
	char *name;
	struct mf_image_store *store;
};
struct mf_pool {
	struct mf_pool_trust **trusts;
	struct mf_pool_store *stores;
	size_t ntrusts, trusts_cap, nstores, stores_cap;
	uint64_t uses;
	/* Loads more of a repository after its load, in steps; called until it does not return MF_ABSENT,
	 * which means that there are more steps. NULL: there is nothing more to load. */
	enum mf_found (*then)(void *arg, struct mf_pool_trust *t, struct mf_err *err);
	void *then_arg;
};
void mf_pool_clear(struct mf_pool *p);
struct mf_image_store *mf_pool_find_store(const struct mf_pool *p, const char *name); /* NULL: none */
/* Takes the store, also on failure. */
int mf_pool_add_store(struct mf_pool *p, const char *name, struct mf_image_store *s,
		      struct mf_err *err) MF_NODISCARD;
/* Returns the entry of this name, which is made if there is none; `trust` is NULL in a new one. */
struct mf_pool_trust *mf_pool_trust(struct mf_pool *p, const char *name, struct mf_err *err);
/* Forgets trust metadata that no open image uses, the least recently used first, until at most `max` octets
 * are held. */
void mf_pool_trim(struct mf_pool *p, size_t max);
/* Begins to load a repository, unless another of its images has done so; what `how` points to must stay until
 * it is loaded. */
void mf_pool_begin(struct mf_pool_trust *t, const struct mf_load *how);
/* Waits until the repository is loaded. If it fails, it fails in the same way for all its images. All other
 * repositories that were begun go on meanwhile: each step sends the requests of all together. */
int mf_pool_need(struct mf_pool *p, const struct mf_pool_trust *t, struct mf_err *err) MF_NODISCARD;
/* Measures again how many octets of metadata it holds; call it after more was loaded. */
void mf_pool_weigh(struct mf_pool_trust *t);

/* ---- an image, with its stores and its trust repository */
struct mf_image {
	struct manifesto *m;
	char *text; /* the reference as it was given */
	struct mf_ref ref;
	struct mf_ref
	    store_ref; /* names the trust repository: --store, the map's repository, else like ref */
	struct mf_trust_config trust_cfg; /* with the trust server's credentials */
	struct mf_image_store *images;    /* where the subject is */
	struct mf_image_store *blobs;     /* where content lies: `images`, or the store */
	char *map; /* the pattern of the map by which another repository speaks for the image; NULL: none does
		    */
	struct mf_image_store *origin; /* of that repository, see mf_image_origin */
	struct mf_trust *trust;
	struct mf_pool_trust *shared; /* where `trust` belongs to a pool */
	/* The request that resolves the tag; for writers of a registry's image, the one that fetches its
	 * manifest: the digest, size and media type that they sign must be those of the octets, not what a
	 * HEAD says. */
	struct mf_resolve *resolve;
	struct mf_manifest_call *fetch;
	struct mf_resolve *connecting; /* its answer is not used, see mf_image_connect */
	bool for_writing;
	bool proposes; /* the change becomes a proposal: fewer signatures than the threshold suffice */
	bool resolved;
	struct mf_digest digest; /* of the manifest or index that the reference names */
	char media_type[128];
	uint64_t size;
	struct mf_manifest manifest; /* fetched when it is needed */
};
void mf_image_close(struct mf_image *im);
#define MF_IMAGE_CLEANUP MF_CLEANUP(mf_image_close)
/* What happens when a map names another repository for the image. */
enum mf_image_maps {
	MF_MAPS_REFUSE, /* MF_E_USAGE: for writers, which change the image's own trust repository only */
	MF_MAPS_FOLLOW, /* for readers: use the trust repository that the map names */
	MF_MAPS_IGNORE  /* for what this machine remembers of the image's own name, such as pins */
};
/* Parses the reference and opens the stores and the trust repository, without a request. mf_image_open
 * refuses names that are mapped. */
int mf_image_open_by(struct mf_image *im, struct manifesto *m, const char *text, enum mf_image_maps maps,
		     struct mf_err *err) MF_NODISCARD;
int mf_image_open(struct mf_image *im, struct manifesto *m, const char *text,
		  struct mf_err *err) MF_NODISCARD;
/* Begins to resolve the tag and to prefetch the trust metadata, at the same time. */
int mf_image_begin(struct mf_image *im, struct mf_err *err) MF_NODISCARD;
/* For operations that will fetch content; call it before mf_image_begin. If there is no tag to resolve and no
 * metadata in the cache, sends a request for the image, so that the connection to the registry opens at the
 * same time as those to the trust server. */
int mf_image_connect(struct mf_image *im, struct mf_err *err) MF_NODISCARD;

/* Sets *cfg to open the destination of a mirror at `url`. It gets stored credentials, or those of the command
 * line if it is on the registry's own host. MF_E_USAGE: the URL is not valid. */
int mf_mirror_connect(struct manifesto *m, const char *url, struct mf_trust_config *cfg,
		      struct mf_err *err) MF_NODISCARD;
/* Puts the repository that a map gives for the image in place of im->store_ref. */
int mf_image_follow_map(struct mf_image *im, enum mf_image_maps maps, struct mf_err *err) MF_NODISCARD;
/* Checks that both names of a map are repositories, or prefixes of repositories, spelled as in metadata.
 * MF_E_USAGE. */
int mf_map_names_check(const char *pattern, const char *repository, struct mf_err *err) MF_NODISCARD;
/* Opens the image store of that repository, without a request. *out NULL: the image is not mapped. */
int mf_image_origin(struct mf_image *im, struct mf_image_store **out, struct mf_err *err) MF_NODISCARD;
/* Opens the image store of a reference; in a run over many images, all images of one repository share it.
 * NULL on failure. */
struct mf_image_store *mf_image_store_of(struct manifesto *m, const struct mf_ref *ref, struct mf_err *err);
/* Called when a record or a repository was not found: if the referrers of the image show records of another
 * trust repository, adds a hint that says so. subject NULL: that of the image. Best effort: a failure here is
 * not reported. */
void mf_image_hint_copy(struct mf_image *im, const struct mf_digest *subject, struct mf_err *err);

/* One image manifest or index that records can describe. */
struct mf_subject {
	struct mf_digest digest;
	uint64_t size;
	char media_type[128];
	char platform[128]; /* "" for the reference itself */
};
struct mf_subjects {
	struct mf_subject *v;
	size_t n;
};
void mf_subjects_clear(struct mf_subjects *s);
#define MF_SUBJECTS_CLEANUP MF_CLEANUP(mf_subjects_clear)
/* Which subjects: the image itself, or with `platform` one of an index, or with `all` the index and its
 * images. */
struct mf_subject_choice {
	const char *platform;
	bool all;
	bool partial;   /* with `all`: leave out nested indexes that are not there, and images that are listed
			   by another digest than sha256, which have no records */
	bool described; /* also find media type and size of an IMAGE@DIGEST, which must then be there */
};
int mf_image_subjects(struct mf_image *im, struct mf_subject_choice choice, struct mf_subjects *out,
		      struct mf_err *err) MF_NODISCARD;
/* ---- shards (shards.c) */
/* Digests of subjects in hex, for struct mf_load; v ends with NULL, and is NULL if there are none. */
struct mf_wanted {
	const char **v;
	size_t n, cap;
	struct mf_arena texts;
};
void mf_wanted_clear(struct mf_wanted *w);
#define MF_WANTED_CLEANUP MF_CLEANUP(mf_wanted_clear)
int mf_wanted_add(struct mf_wanted *w, const struct mf_digest *d, struct mf_err *err) MF_NODISCARD;
int mf_wanted_add_subjects(struct mf_wanted *w, const struct mf_subjects *s, struct mf_err *err) MF_NODISCARD;
/* Loads the shards that may hold records of the subjects, after the trust metadata was loaded with the
 * subjects of mf_image_load_hint, or with mf_no_subjects. */
int mf_image_load_shards(struct mf_image *im, const struct mf_subjects *subjects,
			 struct mf_err *err) MF_NODISCARD;
/* Is a shard that may hold records of the subjects not loaded? */
bool mf_shards_lack(const struct mf_trust *t, const struct mf_subjects *subjects);
/* Loads the shards of the subjects of[0], and in the same requests those of of[1] and further ones, as long
 * as these are MF_SHARDS_AHEAD at most. A failure of the load is not reported here: mf_image_load_shards of
 * each image finds it again. */
int mf_shards_load_ahead(struct mf_trust *t, const struct mf_subjects *const *of, size_t n,
			 struct mf_err *err) MF_NODISCARD;
/* Goes through all shards of a repository that was loaded with mf_no_subjects, in the order of the subjects'
 * digests: up to MF_SHARDS_AHEAD are loaded at once, else those of a first digit or, where these are more, of
 * a first byte. A step may drop the shards of earlier steps: no entry of them may be in use. */
struct mf_shard_steps {
	struct mf_trust *t;       /* given */
	const struct mf_env *env; /* given */
	const bool
	    *given; /* of 256 first bytes: whether the shards of such subjects are loaded; NULL: of all */
	bool first_bytes[256];
	unsigned next;
	size_t first; /* the shards that the step loaded are the roles of the set from this one on */
};
/* Takes one step. MF_FOUND: its shards are loaded; MF_ABSENT: there are no more. */
enum mf_found mf_shards_next(struct mf_shard_steps *s, struct mf_err *err) MF_NODISCARD;
/* The subject for struct mf_load if the reference has a digest: its shards are then loaded together with
 * their roles. Without a digest, none. */
struct mf_image_hint {
	char hex[65];
	const char *v[2];
};
const char *const *mf_image_load_hint(const struct mf_image *im, struct mf_image_hint *h);

/* ---- content */
struct mf_content_wanted {
	struct mf_str name; /* of the target */
	const struct mf_tuf_target_info *info;
	const char *path; /* the file that the caller will copy it to, or NULL */
};
/* Gets the content of a record, verified, in a spool that the caller frees: from the cache, the trust
 * repository's targets, the image's store, or the store of the repository to which the image is mapped. The
 * spool is on the file system of c->path or of the cache, so that it can become that file without a copy. */
int mf_content_get(struct mf_image *im, const struct mf_content_wanted *c, struct mf_spool **out,
		   struct mf_err *err) MF_NODISCARD;
/* The same, also for a veto, whose content is its description. */
int mf_content_get_any(struct mf_image *im, const struct mf_content_wanted *c, struct mf_spool **out,
		       struct mf_err *err) MF_NODISCARD;
/* Writes verified content to the file `path`, or, if that is NULL, to the caller's function. */
int mf_content_hand_out(struct mf_spool *content, const char *path,
			int (*write)(void *arg, const void *p, size_t n), void *arg,
			struct mf_err *err) MF_NODISCARD;
/* Stores a blob as a target file of a trust repository that keeps content. */
int mf_content_put_target(struct mf_image *im, struct mf_str target_name, struct mf_spool *blob,
			  const struct mf_digest *digest, struct mf_err *err) MF_NODISCARD;

/* The same for the destination of a mirror, whose metadata need not be loaded. */
int mf_content_mirror(struct mf_trust *to, const struct mf_content_wanted *c, struct mf_spool *content,
		      const struct mf_env *env, struct mf_err *err) MF_NODISCARD;

/* Does the trust repository itself have the target file? In a directory, and in the list of a bucket
 * (mf_trust_targets_list), a file of this length counts. mf_content_has_target fetches and verifies the file
 * of a web server. */
struct mf_listing;
int mf_content_mirrored(const struct mf_trust *to, const struct mf_listing *l,
			const struct mf_content_wanted *c, bool *has, struct mf_err *err) MF_NODISCARD;
int mf_content_has_target(struct mf_image *im, const struct mf_listing *l, struct mf_str target_name,
			  const struct mf_tuf_target_info *info, bool *has, struct mf_err *err) MF_NODISCARD;

/* The operation `get`, for operations that use its result. */
int mf_op_get(struct manifesto *m, const struct manifesto_get_options *o, struct manifesto_get_result *out,
	      struct mf_err *err) MF_NODISCARD;

/* ---- repositories, roles */
/* Opens a repository, which is named without tag and digest, as mf_image_open_by and mf_image_open open an
 * image. */
int mf_repository_open_by(struct mf_image *im, struct manifesto *m, const char *text, enum mf_image_maps maps,
			  struct mf_err *err) MF_NODISCARD;
int mf_repository_open(struct mf_image *im, struct manifesto *m, const char *text,
		       struct mf_err *err) MF_NODISCARD;

/* Finds the loaded role that a user names `asked` ("qa" stands for "targets/qa"); an exact name comes first.
 * *out NULL: nothing has been published under it yet. MF_E_USAGE: there is no such role; MF_E_AMBIGUOUS:
 * there are several. */
int mf_history_role(const struct mf_tuf_set *set, const char *asked, const struct mf_tuf_loaded **out,
		    struct mf_err *err) MF_NODISCARD;
/* Finds a key of this machine that may sign for a role of the loaded repository; if asked_key is not NULL,
 * only that key (MF_E_KEY). */
int mf_role_signer(const struct mf_image *im, const struct mf_tuf_role *role, const char *asked_key,
		   struct mf_signer *s, const struct mf_key_info **k, struct mf_err *err) MF_NODISCARD;

/* ---- proposals (proposal.c) */
struct mf_proposal;
/* Checks, before anything is stored, that a proposal may be stored at `where`: a file, or "@" for beside the
 * image. NULL: no proposal is made. MF_E_USAGE. */
int mf_propose_begin(struct mf_image *im, const char *where, struct mf_proposal *p,
		     struct mf_err *err) MF_NODISCARD;
/* Stores the composed proposal there. *name, in the arena: its file or ID. */
int mf_propose_store(struct mf_image *im, const char *where, const struct mf_proposal *p, struct mf_arena *a,
		     const char **name, struct mf_err *err) MF_NODISCARD;

/* ---- results, in the arena of a result. They fail for lack of memory only; functions that return a text
 * return NULL then, and mf_arena_check reports it */
/* The four top-level roles and every delegation that is listed. */
int mf_report_roles(struct manifesto *m, const struct mf_tuf_set *set, struct mf_arena *a,
		    const struct manifesto_trust_role *const **out, size_t *nout,
		    struct mf_err *err) MF_NODISCARD;
int mf_report_record(struct mf_image *im, const struct mf_entry *e, const char *platform, struct mf_arena *a,
		     struct manifesto_record *out, struct mf_err *err) MF_NODISCARD;
/* Fills `others`: the members that the record signatures cover and that have no field of their own.
 * MF_E_POLICY: two annotations would be shown alike. */
int mf_report_others(const struct mf_record *r, struct mf_arena *a, struct manifesto_record *out,
		     struct mf_err *err) MF_NODISCARD;
/* The keys of a role, without those that cannot verify. */
int mf_report_role_keys(struct manifesto *m, const struct mf_tuf_role *role, struct mf_arena *a,
			const struct manifesto_signer *const **out, size_t *nout,
			struct mf_err *err) MF_NODISCARD;
/* Signers for a list of keys; entries that are NULL are left out. */
int mf_report_keys(struct manifesto *m, struct mf_pubkey *const *keys, size_t n, struct mf_arena *a,
		   const struct manifesto_signer *const **out, size_t *nout, struct mf_err *err) MF_NODISCARD;
/* Texts in the arena; NULL if there is no memory (see mf_arena_check). */
const char *mf_report_hex(struct mf_arena *a, const struct mf_digest *d);
const char *mf_report_digest(struct mf_arena *a, const struct mf_digest *d); /* "sha256:..." */
/* "repository@sha256:..." */
const char *mf_report_image(struct mf_arena *a, const struct mf_image *im, const struct mf_digest *d);

/* Requests of a rebuild that do not depend on what is published; they are sent while the publish goes on. */
struct mf_rebuild_ahead {
	struct mf_referrers_change *changes; /* by subject */
	struct mf_referrers_update *lists;
	struct mf_digest config; /* of the catalogue, stored; if has_config */
	bool has_config;
};
void mf_rebuild_ahead_clear(struct mf_rebuild_ahead *a);
/* A rebuild of catalogue and referrers after a publish: what has changed, and the outcome. */
struct mf_rebuild {
	struct mf_rebuild_ahead *ahead;
	const struct mf_subjects *subjects;
	bool changed; /* something was published */
	bool restore; /* artifact manifests of the subjects are missing: store them again */
	bool whole;   /* write all parts of the catalogue, also when the rebuild is repeated */
	const struct mf_digest *replaced; /* artifact manifests that records named before, or might have */
	size_t nreplaced;
	const struct mf_bytes *stored; /* new artifact manifests */
	size_t nstored;
	/* Failures to write these do not fail the rebuild, since nothing trusts them. */
	struct mf_err catalogue, lists, deletes;
	size_t kept; /* new artifact manifests that got a tag of their own, because the catalogue could not be
			written */
};
/* Did the registry refuse to change a tag? It answers 403 for protected tags. */
bool mf_rebuild_refused(const struct mf_err *err);
/* Sends these requests for subjects whose records are about to change. The rebuild repeats what fails here,
 * and reports it. */
void mf_rebuild_begin(struct mf_image *im, const struct mf_digest *subjects, size_t n,
		      struct mf_rebuild_ahead *out);
/* Writes catalogue and referrers from the signed records. -1: the signed records could not be read. */
int mf_rebuild(struct mf_image *im, struct mf_rebuild *r, struct mf_err *err) MF_NODISCARD;

/* The parts of a signed record that its artifact manifest is made of. */
struct mf_artifact_record {
	struct mf_str type;
	struct mf_digest blob;
	uint64_t length;
	const char *media_type; /* or NULL */
	int64_t created;        /* or 0 */
	const char *owner;      /* mf_trust_identity, or NULL */
	bool bare;              /* the oldest form of the manifest: without a time and without a file name */
};
/* Appends the manifest to `out` and computes its digest. */
int mf_artifact_of(const struct mf_subject *s, const struct mf_artifact_record *r, struct mf_buf *out,
		   struct mf_digest *digest, struct mf_err *err) MF_NODISCARD;
/* Makes the artifact manifest that a record names again. MF_ABSENT: none of the known forms has that digest,
 * for example because the manifest has another description of the subject. owner: the identity of the
 * record's trust repository. */
enum mf_found mf_artifact_again(const struct mf_subject *s, const struct mf_entry *e, const char *owner,
				struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Ends the upload of an artifact manifest. If the registry refuses it because the empty configuration is
 * missing, stores the configuration and uploads the manifest again. */
int mf_artifact_put_end(struct mf_image *im, struct mf_manifest_call *call, struct mf_bytes bytes,
			const char *tag, struct mf_err *err) MF_NODISCARD;
/* Adds an artifact to the referrers of the image. Registries without a list of referrers have one that
 * clients read, change and write, and another client may overwrite it: so the list is read back, and the
 * artifact checked. */
int mf_artifact_list(struct mf_image *im, const struct mf_descriptor *d, struct mf_err *err) MF_NODISCARD;

#endif
