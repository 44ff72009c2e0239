/* Shared by the operations that publish records: put, sign, withdraw, rm, veto.
 *
 * A run changes one image or several. They are sorted by trust repository, and each repository is one change
 * (struct mf_write): it resolves the images, chooses the role, reads the current records, prepares the new
 * ones and publishes them; when somebody else was faster, it reads and prepares again. All images of a
 * repository are changed, or none. */
#ifndef MF_OPS_WRITE_H
#define MF_OPS_WRITE_H

#include "base/window.h"
#include "ops/ops.h"
#include "publish/proposal.h"

struct mf_write;
struct mf_write_run;

/* One of the images of a run. It has several subjects if all platforms are asked for. */
struct mf_write_image {
	const char *reference; /* as it was given */
	struct mf_image im;
	struct mf_write *write; /* the change of its repository; NULL: it could not be opened */
	struct mf_subjects subjects;
	struct mf_write_item **items; /* by subject; two images may share one */
	struct mf_err *failed;        /* why it cannot be changed; NULL: nothing of its own */
};

/* The content of a record, hashed. */
struct mf_content {
	struct mf_spool *blob;
	struct mf_digest digest;
	uint64_t length;
	const char *media_type;
};

/* One subject, and what becomes of its record. */
struct mf_write_item {
	struct mf_subject subject;
	struct mf_image *im;              /* the first image that has it */
	struct mf_err *failed;            /* why it cannot be changed, at the last check; or NULL */
	const char *type;                 /* of its record: that of all items but for copy's; borrowed */
	char *name;                       /* target name */
	const struct mf_content *content; /* borrowed; NULL: none is stored */
	struct mf_buf artifact;           /* manifest bytes; empty for a layout without --link */
	struct mf_digest artifact_digest;
	json_t *tree;        /* signed description of a new record */
	struct mf_buf entry; /* target entry to publish, canonical; empty: the name is removed */
	char *first;         /* the entry at the first check, canonical; NULL: there was none */
	bool had_artifact;   /* the entry at the last check named old_artifact */
	bool owned_artifact; /* which is what a record like it has, and may be deleted */
	struct mf_digest old_artifact;
	bool unchanged; /* nothing is to be published for it */
	bool kept;      /* the record that is there stays, with our signature added */
	bool stored;    /* its artifact manifest was stored */
	/* Our signature under a record that is there: made once, whatever the number of tries. */
	struct mf_buf cosignature;
	struct mf_digest cosigned; /* SHA-256 of the payload that it is over */
	/* Its part of the result, in the result's arena. */
	bool reported;
	struct manifesto_change_item *out;
	struct manifesto_record *record;
};

/* What `evaluate` decides. */
enum mf_change {
	MF_CHANGE_REFUSED = -1,
	MF_CHANGE_UNLESS_CONFLICT = 0, /* not when somebody changed the entry since the first check */
	MF_CHANGE_ALWAYS = 1,
};

/* An operation. */
struct mf_write_op {
	size_t size;       /* of its struct, which begins with a struct mf_write: one for each repository */
	bool needs_entry;  /* only a role that holds a record of one of the items will do */
	bool must_exist;   /* the images must be there; else an IMAGE@DIGEST that is gone has no media type */
	bool has_versions; /* records of the result have their versions already, as they were or are */
	bool own_names;    /* of any type, under names that the operation makes: `fill` is its own */
	/* Called for each item, at the first check and at each try to publish, with what our role holds: NULL
	 * when that is nothing, or no record. Refuses, or sets `unchanged`, or leaves in `entry` what is to
	 * be published. */
	enum mf_change (*evaluate)(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
				   struct mf_err *err);
	/* In place of `evaluate`: see mf_publish_intent. */
	enum mf_found (*fill)(struct mf_write *w, struct mf_trust *t, struct mf_publish_change *out,
			      struct mf_err *err);
	/* Once, when the images are open and nothing was requested; or NULL. */
	int (*begin)(struct mf_write_run *r, struct mf_err *err);
	/* For each repository: up to the question, and from there to the report. Without a question, or when
	 * `confirm` is not set, one repository is finished before the next one. */
	int (*prepare)(struct mf_write *w, struct mf_err *err);
	int (*ask)(struct mf_write_run *r, struct mf_err *err); /* once, for all; or NULL */
	int (*commit)(struct mf_write *w, struct mf_err *err);
	void (*clear)(struct mf_write *w); /* of what the operation's struct has behind struct mf_write */
	void *arg;                         /* the operation's own */
};

struct mf_write {
	struct manifesto *m;
	const struct manifesto_change_options *o;
	const struct mf_write_op *op;
	struct manifesto_change_result *out; /* for mf_result_arena */
	struct mf_write_image **images;      /* of this repository */
	size_t nimages;
	struct mf_image *im;     /* the first of them: its trust and its blobs are those of all */
	struct mf_window *ahead; /* the run's images, in the order in which they are resolved */
	size_t at;               /* number of our first one there */
	struct mf_err failed;    /* why nothing was published */
	bool done;               /* it was changed, or failed */
	bool reported;           /* one of its images was reported */

	bool first; /* this is the first check */
	struct mf_arena *a;
	char *prefix; /* "TYPE/"; "" where the items have several types */
	char *role;   /* to write to */
	struct mf_signer signer;
	const struct mf_key_info *key;
	struct mf_write_item *items;
	size_t n;
	struct mf_wanted subjects; /* those of the items, once they are known */
	struct mf_tuf_edit *edits;
	int64_t created, version; /* version: of the role's file after the publish */
	bool renewed;             /* published though no item changed: the old file had expired */
	bool restore;             /* artifact manifests that records name are missing */
	struct mf_err refused;    /* the registry refused an artifact manifest */
	struct mf_rebuild_ahead rebuild;
	struct mf_proposal proposal; /* with `propose` */
	const char **warnings;
	size_t nwarnings;
};

/* All images and repositories of one call. */
struct mf_write_run {
	struct manifesto *m;
	struct manifesto_change_options o;
	const struct mf_write_op *op;
	struct mf_pool pool;
	struct mf_write_image *images, **order; /* as they were given; by repository */
	size_t n;
	struct mf_write **writes;
	size_t nwrites;
	struct mf_window window; /* over `order` */
	size_t reported, failed; /* images that `result` was called for; that were not changed */
	enum mf_code code;       /* gravest of these */
};
/* The whole of a public function. */
int mf_write_run(struct manifesto *m, const struct manifesto_change_options *opt,
		 const struct manifesto_change_result **out, struct manifesto_error *error,
		 const struct mf_write_op *op) MF_NODISCARD;
/* A slip in a list of images ends the run before anything is done. */
bool mf_write_is_slip(const struct mf_err *err);
/* Keeps a copy of *why in *to. -1: it says nothing about an image, and ends the run. */
int mf_write_keep_failure(struct mf_err **to, const struct mf_err *why, struct mf_err *err) MF_NODISCARD;
void mf_write_clear(struct mf_write *w);

/* Before the first request. */
int mf_write_open(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* A zeroed item that has subject, type, out and record. */
int mf_write_init_item(const struct mf_write *w, struct mf_write_item *it, struct mf_err *err) MF_NODISCARD;
/* Resolves the images: one item for each subject. */
int mf_write_items(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Loads for signing, with a warning when this machine sees the repository for the first time. */
int mf_write_load(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* The one authorised role whose key we hold, or the requested one. Of several, the one that holds a record of
 * the items. MF_E_KEY, MF_E_AMBIGUOUS, MF_E_USAGE. */
int mf_write_choose_role(struct mf_write *w, struct mf_err *err) MF_NODISCARD;

/* Evaluates every item, also behind one that cannot be changed: the first of these is the failure. The first
 * call remembers what is there, for the conflict rule. */
int mf_write_check(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* The first failure of the items. */
int mf_write_first_failure(const struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* What the next of the other authorised roles says of the item; *at begins with 0. */
enum mf_found mf_write_next_other(const struct mf_write *w, const struct mf_write_item *it, size_t *at,
				  struct mf_entry *out, struct mf_err *err) MF_NODISCARD;
/* The first tombstone that another authorised role holds for the item. */
enum mf_found mf_write_vetoed(struct mf_write *w, const struct mf_write_item *it, struct mf_entry *out,
			      struct mf_err *err) MF_NODISCARD;
/* After a publish: a warning when another role withdraws what was published, as of before or since a moment
 * ago. Where each role has a file of its own, nothing keeps the two apart. */
int mf_write_warn_vetoed(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Fails with MF_E_WITHDRAWN; the hint says how our role, or the other one, lifts that. */
int mf_write_refuse_withdrawn(const struct mf_write *w, const struct mf_entry *e, struct mf_err *err);
/* MF_E_USAGE: there is none. what: "a veto". */
int mf_write_need_reason(const struct mf_write_run *r, const char *what, struct mf_err *err) MF_NODISCARD;
/* Has it the reason, and if one is given the author, of the options? */
bool mf_write_same_reason(const struct mf_write *w, const struct mf_record *r);
bool mf_write_is_ours(const struct mf_write *w, const struct mf_pubkey *k);
bool mf_write_signed_by_us(const struct mf_write *w, const struct mf_entry *e);
/* SHA-256 of what the record signatures of an entry are over: another digest, another record. */
int mf_write_payload_digest(struct mf_write *w, const struct mf_write_item *it, const struct mf_entry *e,
			    struct mf_digest *out, struct mf_err *err) MF_NODISCARD;

/* The artifact manifest of an item with content; none for a layout without `link`, or for an unknown subject.
 */
int mf_write_artifact(struct mf_write *w, struct mf_write_item *it, bool link,
		      struct mf_err *err) MF_NODISCARD;
/* A new record of an item's content, signed: tree and entry. */
int mf_write_new_record(struct mf_write *w, struct mf_write_item *it, const struct mf_record_fields *f,
			struct mf_err *err) MF_NODISCARD;
/* Adds our signature to a description; its entry in a targets file, appended. */
int mf_write_sign(const struct mf_signer *s, const struct mf_record_binding *b, json_t *tree,
		  struct mf_err *err) MF_NODISCARD;
int mf_write_entry(const struct mf_dialect *d, const struct mf_record_binding *b, json_t *tree,
		   struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* The entry of the tree, again. */
int mf_write_own_entry(struct mf_write *w, struct mf_write_item *it, struct mf_err *err) MF_NODISCARD;
/* The record that is there with our signature added: entry. Nothing else of it changes. MF_E_KEY when the
 * role does not list the key, so that the signature would not count. */
int mf_write_cosign(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
		    struct mf_err *err) MF_NODISCARD;

/* Content and artifact manifests of the items that have content. What is said to be there is looked for. */
int mf_write_store(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Of these the artifact manifests alone. */
int mf_write_store_artifacts(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* What mf_write_rebuild will need is requested while mf_write_publish goes on. */
int mf_write_rebuild_soon(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Publishes, and sets `version`, also when nothing was to be done. */
int mf_write_publish(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Catalogue and referrers; a failure becomes a warning. */
int mf_write_rebuild(struct mf_write *w, struct mf_err *err) MF_NODISCARD;

/* The record of the result: as it is there; as it is there with our signature; as mf_write_new_record made
 * it. */
int mf_write_report_entry(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
			  struct mf_err *err) MF_NODISCARD;
int mf_write_report_signed(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
			   struct mf_err *err) MF_NODISCARD;
int mf_write_report_new(struct mf_write *w, struct mf_write_item *it, const struct mf_record_fields *f,
			struct mf_err *err) MF_NODISCARD;
void mf_write_warn(struct mf_write *w, const char *fmt, ...) MF_PRINTF(2, 3);
/* The result, of the items that are `reported`. */
int mf_write_report(struct mf_write *w, struct mf_err *err) MF_NODISCARD;

#endif
