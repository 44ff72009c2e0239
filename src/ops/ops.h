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
	/* Given for one registry, for the trust server, and for no host at all. */
	struct mf_credential_config credentials, trust_credentials, stored_credentials;
	char *given_host; /* the registry that `credentials` are for; NULL: not known yet */
	struct mf_endpoint {
		char *host;
		const struct mf_credential_config *credentials;
		struct mf_auth *auth;
	} *endpoint; /* for the life of the context */
	size_t nendpoint, endpoint_cap;
	struct mf_pool *pool;     /* of a run over many images, else NULL */
	struct mf_bundle *bundle; /* opened when it is first needed */
	struct mf_passphrase passphrase;
	struct mf_keystore *keys;
	struct mf_names names; /* of keys; loaded with the first image */
	bool names_loaded;
	bool no_key_names;   /* this operation's result does without those of our own keys */
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
/* For the next of several repositories. */
void mf_op_restart_clock(struct manifesto *m);
/* The time since then, in which a person read and answered, is not the operation's. */
void mf_op_exclude(struct manifesto *m, int64_t since_ms);
/* Fills *out from a failure; returns -1. */
int mf_op_fail(struct manifesto_error *out, const struct mf_err *err);
/* The beginning of a public function: the clock, the caller's options into *o, an empty result for r; NULL on
 * failure. */
#define MF_OP_START(m, o, opt, r, error, err)                                                                \
	(mf_op_begin((m), (error)),                                                                          \
	 mf_op_options((o), sizeof *(o), (opt), (err)) < 0 ? NULL : mf_result_new(sizeof *(r), (err)))
/* The end of a public function: the result goes out, or is freed and *error is filled. */
#define MF_OP_END(rc, result, out, error, err)                                                               \
	((rc) < 0 ? (manifesto_result_free(result), mf_op_fail((error), (err))) : (*(out) = (result), 0))

/* The public key in a file, in a text, or of a key of this machine. */
struct mf_pubkey *mf_op_public_key(struct manifesto *m, const char *text, struct mf_err *err) MF_NODISCARD;
/* A name that a key was given by the user. MF_E_USAGE. */
int mf_op_check_key_name(const char *name, struct mf_err *err) MF_NODISCARD;
/* Roles that list the key, by the unverified metadata that lies here of pinned repositories. */
int mf_op_key_uses(struct manifesto *m, const struct mf_pubkey *pub, struct mf_arena *a,
		   const struct manifesto_key_use *const **out, size_t *n, struct mf_err *err) MF_NODISCARD;

/* ---- places that the images of one run share (pool.c) */
struct mf_pool_trust {
	char *name; /* pin name */
	struct mf_trust_config cfg;
	struct mf_trust *trust;
	bool begun;  /* its load has sent its first requests */
	bool loaded; /* `then` of the pool is what remains to be done */
	bool tried;  /* it was loaded, unless `failed` says why not */
	struct mf_err failed;
	struct mf_str *paths; /* for `then` */
	bool reported;        /* the roles that its load passed over */
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
	/* NULL, or what is loaded behind the rest, in steps of its own: MF_ABSENT: there are more. */
	enum mf_found (*then)(void *arg, struct mf_pool_trust *t, struct mf_err *err);
	void *then_arg;
};
void mf_pool_clear(struct mf_pool *p);
struct mf_image_store *mf_pool_find_store(const struct mf_pool *p, const char *name); /* NULL: none */
/* Takes the store, also on failure. */
int mf_pool_add_store(struct mf_pool *p, const char *name, struct mf_image_store *s,
		      struct mf_err *err) MF_NODISCARD;
/* The entry, found or made; entry->trust is NULL in a new one. */
struct mf_pool_trust *mf_pool_trust(struct mf_pool *p, const char *name, struct mf_err *err);
/* Forgets trust metadata that no open image uses, the least recently used first, beyond MF_MAX_VERIFY_HELD.
 */
void mf_pool_trim(struct mf_pool *p, size_t max);
/* Begins to load a repository with the first of its images; what `how` borrows is needed until it is loaded.
 */
void mf_pool_begin(struct mf_pool_trust *t, const struct mf_load *how);
/* What goes wrong for one image of a repository goes wrong for all. While one repository is waited for, all
 * others that were begun go on: each step sends their requests together. */
int mf_pool_need(struct mf_pool *p, const struct mf_pool_trust *t, struct mf_err *err) MF_NODISCARD;
/* After more was loaded: how many octets it holds. */
void mf_pool_weigh(struct mf_pool_trust *t);

/* ---- an image with the places of its blobs and its trust */
struct mf_image {
	struct manifesto *m;
	char *text; /* the reference as it was given */
	struct mf_ref ref;
	struct mf_ref
	    store_ref; /* whose trust repository it is: --store, the map's repository, else like ref */
	struct mf_trust_config trust_cfg; /* with the trust server's credentials */
	struct mf_image_store *images;    /* where the subject is */
	struct mf_image_store *blobs;     /* where content lies: `images`, or the store */
	char *map; /* the pattern of the map by which another repository speaks for the image; NULL: none does
		    */
	struct mf_image_store *origin; /* of that repository, see mf_image_origin */
	struct mf_trust *trust;
	struct mf_pool_trust *shared; /* where `trust` belongs to a pool */
	/* The tag being resolved, or, for writers, the manifest behind it being fetched: what is signed and
	 * stored of the image is that of its octets, whatever a HEAD says. */
	struct mf_resolve *resolve;
	struct mf_manifest_call *fetch;
	struct mf_resolve *connecting; /* its answer is not used, see mf_image_connect */
	bool for_writing;
	bool proposes; /* what is signed becomes a proposal: fewer keys than the threshold will do */
	bool resolved;
	struct mf_digest digest; /* of what the reference names */
	char media_type[128];
	uint64_t size;
	struct mf_manifest manifest; /* fetched when it is needed */
};
void mf_image_close(struct mf_image *im);
#define MF_IMAGE_CLEANUP MF_CLEANUP(mf_image_close)
/* What a map does to an image that is opened. */
enum mf_image_maps {
	MF_MAPS_REFUSE, /* what is written goes into the image's own trust repository: MF_E_USAGE */
	MF_MAPS_FOLLOW, /* for reading */
	MF_MAPS_IGNORE  /* what this machine remembers of the name itself */
};
/* Parses, opens everything, makes no request. mf_image_open refuses names that are mapped. */
int mf_image_open_by(struct mf_image *im, struct manifesto *m, const char *text, enum mf_image_maps maps,
		     struct mf_err *err) MF_NODISCARD;
int mf_image_open(struct mf_image *im, struct manifesto *m, const char *text,
		  struct mf_err *err) MF_NODISCARD;
/* Begins resolving the tag and the trust metadata, at once. */
int mf_image_begin(struct mf_image *im, struct mf_err *err) MF_NODISCARD;
/* For whoever will fetch content, before mf_image_begin: where no tag is resolved and nothing is cached, asks
 * for the image, so that the connection to the registry opens beside those to the trust server. */
int mf_image_connect(struct mf_image *im, struct mf_err *err) MF_NODISCARD;

/* What the destination of a mirror is opened with. It gets stored credentials, and those of the command line
 * where it is on the registry's own host. MF_E_USAGE: the URL. */
int mf_mirror_connect(struct manifesto *m, const char *url, struct mf_trust_config *cfg,
		      struct mf_err *err) MF_NODISCARD;
/* Puts the repository that a map gives for the image in place of im->store_ref. */
int mf_image_follow_map(struct mf_image *im, enum mf_image_maps maps, struct mf_err *err) MF_NODISCARD;
/* Are both names of a map repositories, or prefixes of such, as metadata spell them? MF_E_USAGE. */
int mf_map_names_check(const char *pattern, const char *repository, struct mf_err *err) MF_NODISCARD;
/* The image store of that repository, opened now, which makes no request. *out NULL: there is none. */
int mf_image_origin(struct mf_image *im, struct mf_image_store **out, struct mf_err *err) MF_NODISCARD;
/* A place of images, one for all that is open in a run over many. */
struct mf_image_store *mf_image_store_of(struct manifesto *m, const struct mf_ref *ref, struct mf_err *err);
/* The failure is a miss: adds the hint that records of another trust repository lie beside the image, if its
 * referrers show some. subject NULL: the image's. Best effort. */
void mf_image_hint_copy(struct mf_image *im, const struct mf_digest *subject, struct mf_err *err);

/* One image manifest that a record belongs to. */
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
	bool partial; /* with `all`: without indexes in the index that are not there, and images that it lists
			 by another digest than sha256, which have no records */
	bool described; /* media type and size of an IMAGE@DIGEST are needed, too: it must be there */
};
int mf_image_subjects(struct mf_image *im, struct mf_subject_choice choice, struct mf_subjects *out,
		      struct mf_err *err) MF_NODISCARD;
/* ---- shards (shards.c) */
/* Digests in hex, for struct mf_load; v ends with NULL, and is NULL where there are none. */
struct mf_wanted {
	const char **v;
	size_t n, cap;
	struct mf_arena texts;
};
void mf_wanted_clear(struct mf_wanted *w);
#define MF_WANTED_CLEANUP MF_CLEANUP(mf_wanted_clear)
int mf_wanted_add(struct mf_wanted *w, const struct mf_digest *d, struct mf_err *err) MF_NODISCARD;
int mf_wanted_add_subjects(struct mf_wanted *w, const struct mf_subjects *s, struct mf_err *err) MF_NODISCARD;
/* Loads the shards that may hold records of the subjects, where the trust metadata were loaded with
 * mf_image_load_hint, or without any. */
int mf_image_load_shards(struct mf_image *im, const struct mf_subjects *subjects,
			 struct mf_err *err) MF_NODISCARD;
/* Are some of these not loaded? */
bool mf_shards_lack(const struct mf_trust *t, const struct mf_subjects *subjects);
/* Requests the shards of the subjects of[0], and together with them those of the others, from the first on,
 * up to MF_SHARDS_AHEAD. Where that fails, each finds why by its own mf_image_load_shards. */
int mf_shards_load_ahead(struct mf_trust *t, const struct mf_subjects *const *of, size_t n,
			 struct mf_err *err) MF_NODISCARD;
/* Goes through all shards of a repository that was loaded with mf_no_subjects, in the order of the subjects'
 * digests: up to MF_SHARDS_AHEAD are loaded at once, else those of a first digit or, where these are more, of
 * a first byte. A step may forget the shards of those before it: no entry of theirs may be in use. */
struct mf_shard_steps {
	struct mf_trust *t;       /* given */
	const struct mf_env *env; /* given */
	const bool
	    *given; /* subjects with these first bytes (256) have their shards loaded; NULL: all have */
	bool first_bytes[256];
	unsigned next;
};
/* MF_FOUND: they are loaded; MF_ABSENT: there are no more. */
enum mf_found mf_shards_next(struct mf_shard_steps *s, struct mf_err *err) MF_NODISCARD;
/* The subject in the reference, for struct mf_load: its shards are then loaded with their roles. */
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
/* The content of a record, verified, in a spool that the caller frees: from the cache, the trust repository's
 * targets, the store, or that of the repository to which the image is mapped. Nothing is copied a second
 * time.
 */
int mf_content_get(struct mf_image *im, const struct mf_content_wanted *c, struct mf_spool **out,
		   struct mf_err *err) MF_NODISCARD;
/* The same, also for the name of a veto. */
int mf_content_get_any(struct mf_image *im, const struct mf_content_wanted *c, struct mf_spool **out,
		       struct mf_err *err) MF_NODISCARD;
/* Verified content to a file, or without a path to the caller's function. */
int mf_content_hand_out(struct mf_spool *content, const char *path,
			int (*write)(void *arg, const void *p, size_t n), void *arg,
			struct mf_err *err) MF_NODISCARD;
/* Makes a blob reachable as a target file of a local trust repository. */
int mf_content_put_target(struct mf_image *im, struct mf_str target_name, struct mf_spool *blob,
			  const struct mf_digest *digest, struct mf_err *err) MF_NODISCARD;

/* The same for the destination of a mirror, of which nothing need be loaded. */
int mf_content_mirror(struct mf_trust *to, const struct mf_content_wanted *c, struct mf_spool *content,
		      const struct mf_env *env, struct mf_err *err) MF_NODISCARD;

/* Has the trust repository itself a target file, of this length in a directory or in what a bucket lists
 * (mf_trust_targets_list)? A web server's is fetched. */
struct mf_listing;
int mf_content_mirrored(const struct mf_trust *to, const struct mf_listing *l,
			const struct mf_content_wanted *c, bool *has, struct mf_err *err) MF_NODISCARD;
int mf_content_has_target(struct mf_image *im, const struct mf_listing *l, struct mf_str target_name,
			  const struct mf_tuf_target_info *info, bool *has, struct mf_err *err) MF_NODISCARD;

/* get, for an operation that uses what it got. */
int mf_op_get(struct manifesto *m, const struct manifesto_get_options *o, struct manifesto_get_result *out,
	      struct mf_err *err) MF_NODISCARD;

/* ---- repositories, roles */
/* A repository argument, without tag and digest, opened as mf_image_open_by and mf_image_open do; nothing of
 * it is resolved. */
int mf_repository_open_by(struct mf_image *im, struct manifesto *m, const char *text, enum mf_image_maps maps,
			  struct mf_err *err) MF_NODISCARD;
int mf_repository_open(struct mf_image *im, struct manifesto *m, const char *text,
		       struct mf_err *err) MF_NODISCARD;

/* The loaded role that somebody calls `asked` ("qa" for "targets/qa"), an exact name first; *out NULL:
 * nothing has been published under it yet. MF_E_USAGE: there is no such role. */
int mf_history_role(const struct mf_tuf_set *set, const char *asked, const struct mf_tuf_loaded **out,
		    struct mf_err *err) MF_NODISCARD;
/* Our signer for a role of the loaded repository; with a key that was named, that one only (MF_E_KEY). */
int mf_role_signer(const struct mf_image *im, const struct mf_tuf_role *role, const char *asked_key,
		   struct mf_signer *s, const struct mf_key_info **k, struct mf_err *err) MF_NODISCARD;

/* ---- proposals (propose.c) */
struct mf_proposal;
/* Before anything is stored: where (a file, or "@") a proposal may go there. NULL: none is made. MF_E_USAGE.
 */
int mf_propose_begin(struct mf_image *im, const char *where, struct mf_proposal *p,
		     struct mf_err *err) MF_NODISCARD;
/* Puts what was composed there; *name, in the arena: its file or ID. */
int mf_propose_store(struct mf_image *im, const char *where, const struct mf_proposal *p, struct mf_arena *a,
		     const char **name, struct mf_err *err) MF_NODISCARD;

/* ---- results, in the arena of one; they fail for lack of memory only, with mf_arena_check for some */
/* The four top-level roles and every delegation that is listed. */
int mf_report_roles(struct manifesto *m, const struct mf_tuf_set *set, struct mf_arena *a,
		    const struct manifesto_trust_role *const **out, size_t *nout,
		    struct mf_err *err) MF_NODISCARD;
int mf_report_record(struct mf_image *im, const struct mf_entry *e, const char *platform, struct mf_arena *a,
		     struct manifesto_record *out, struct mf_err *err) MF_NODISCARD;
/* The rest of what the record signatures are over: `others`. MF_E_POLICY: two annotations would be shown
 * alike. */
int mf_report_others(const struct mf_record *r, struct mf_arena *a, struct manifesto_record *out,
		     struct mf_err *err) MF_NODISCARD;
/* The keys of a role, those that cannot be used left out. */
int mf_report_role_keys(struct manifesto *m, const struct mf_tuf_role *role, struct mf_arena *a,
			const struct manifesto_signer *const **out, size_t *nout,
			struct mf_err *err) MF_NODISCARD;
/* Signers of a list of keys (NULL: left out); name is the local key's. */
int mf_report_keys(struct manifesto *m, struct mf_pubkey *const *keys, size_t n, struct mf_arena *a,
		   const struct manifesto_signer *const **out, size_t *nout, struct mf_err *err) MF_NODISCARD;
/* Texts of an arena; without memory NULL, for mf_arena_check. */
const char *mf_report_hex(struct mf_arena *a, const struct mf_digest *d);
const char *mf_report_digest(struct mf_arena *a, const struct mf_digest *d); /* "sha256:..." */
/* "repository@sha256:..." */
const char *mf_report_image(struct mf_arena *a, const struct mf_image *im, const struct mf_digest *d);

/* Requests of a rebuild that do not depend on what is published, sent while that goes on. */
struct mf_rebuild_ahead {
	struct mf_referrers_change *changes; /* by subject */
	struct mf_referrers_update *lists;
	struct mf_digest config; /* of the catalogue, stored; if has_config */
	bool has_config;
};
void mf_rebuild_ahead_clear(struct mf_rebuild_ahead *a);
/* What a publish has changed in the registry, and what became of it. */
struct mf_rebuild {
	struct mf_rebuild_ahead *ahead;
	const struct mf_subjects *subjects;
	bool changed; /* something was published */
	bool restore; /* artifact manifests of the subjects were found missing */
	bool whole;   /* all parts of the catalogue are written, also after others have published */
	const struct mf_digest *replaced; /* artifact manifests that records named before, or might have */
	size_t nreplaced;
	const struct mf_bytes *stored; /* new artifact manifests */
	size_t nstored;
	/* Nothing trusts these, so their failures stop nothing. */
	struct mf_err catalogue, lists, deletes;
	size_t kept; /* of the new artifact manifests, by a tag of their own in place of the catalogue */
};
/* Does the registry refuse to let a tag change? Protected tags answer 403. */
bool mf_rebuild_refused(const struct mf_err *err);
/* Begins, for subjects whose records are about to change. A failure is found by the rebuild. */
void mf_rebuild_begin(struct mf_image *im, const struct mf_digest *subjects, size_t n,
		      struct mf_rebuild_ahead *out);
/* Catalogue and referrers from the signed records. -1: these could not be read. */
int mf_rebuild(struct mf_image *im, struct mf_rebuild *r, struct mf_err *err) MF_NODISCARD;

/* What an artifact manifest is made of: a record as it is signed. */
struct mf_artifact_record {
	struct mf_str type;
	struct mf_digest blob;
	uint64_t length;
	const char *media_type; /* or NULL */
	int64_t created;        /* or 0 */
	const char *owner;      /* mf_trust_identity, or NULL */
	bool bare;              /* as they were first: without time, without the name of a file */
};
/* The manifest, appended, and its digest. */
int mf_artifact_of(const struct mf_subject *s, const struct mf_artifact_record *r, struct mf_buf *out,
		   struct mf_digest *digest, struct mf_err *err) MF_NODISCARD;
/* The manifest that a record names, made again. MF_ABSENT: it was made for another description of the
 * subject. owner: of the record's trust repository. */
enum mf_found mf_artifact_again(const struct mf_subject *s, const struct mf_entry *e, const char *owner,
				struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Ends the putting of an artifact manifest; when it is refused for the lack of the empty configuration,
 * stores that and puts it again. */
int mf_artifact_put_end(struct mf_image *im, struct mf_manifest_call *call, struct mf_bytes bytes,
			const char *tag, struct mf_err *err) MF_NODISCARD;
/* Lists it among the referrers of the image, beside all others. Where the registry keeps no list, one is
 * read, changed and written, by whoever comes: so it is read back, and so is the artifact. */
int mf_artifact_list(struct mf_image *im, const struct mf_descriptor *d, struct mf_err *err) MF_NODISCARD;

#endif
