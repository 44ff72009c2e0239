/* Shared by the operations that publish records: put, sign, withdraw, rm, veto.
 *
 * A run changes one image or several. They are sorted by trust repository, and each repository is one change
 * (struct mf_write): it resolves the images, chooses the role, reads the current records, prepares the new
 * ones and publishes them; when another publisher was faster, it reads and prepares again. All images of a
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
	struct mf_write *write; /* the change of its repository; NULL: the image could not be opened */
	struct mf_subjects subjects;
	struct mf_write_item **items; /* by subject; two images may share an item */
	struct mf_err *failed;        /* why this image cannot be changed; NULL: no failure of its own */
};

/* The content of a record, hashed. */
struct mf_content {
	struct mf_spool *blob;
	struct mf_digest digest;
	uint64_t length;
	const char *media_type;
};

/* One subject, and the change of its record. */
struct mf_write_item {
	struct mf_subject subject;
	struct mf_image *im;   /* the first image that has it */
	struct mf_err *failed; /* why it cannot be changed, at the last check; or NULL */
	const char
	    *type;  /* of its record; borrowed. All items of a change have the same type, except in copy */
	char *name; /* target name */
	const struct mf_content *content; /* borrowed; NULL: none is stored */
	struct mf_buf artifact;           /* manifest bytes; empty for a layout without --link */
	struct mf_digest artifact_digest;
	json_t *tree;        /* signed description of a new record */
	struct mf_buf entry; /* target entry to publish, canonical; empty: the name is removed */
	char *first;         /* the entry at the first check, canonical; NULL: there was none */
	bool had_artifact;   /* the entry at the last check names old_artifact */
	bool owned_artifact; /* old_artifact can be made from that record again, so it is the record's own and
				may be deleted */
	struct mf_digest old_artifact;
	bool unchanged; /* nothing is to be published for it */
	bool kept;      /* the existing record stays, with our signature added */
	bool stored;    /* its artifact manifest was stored */
	/* Our signature of an existing record. It is made once, and again only if a later try finds another
	 * payload. */
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
	MF_CHANGE_UNLESS_CONFLICT = 0, /* not if another publisher changed the entry after the first check */
	MF_CHANGE_ALWAYS = 1,
};

/* An operation. */
struct mf_write_op {
	size_t size; /* of the operation's struct, which begins with a struct mf_write; each repository gets
			one */
	bool needs_entry; /* only a role that holds a record of one of the items can be chosen */
	bool must_exist; /* the images must exist; otherwise an IMAGE@DIGEST that is gone is accepted, without
			    media type */
	bool has_versions; /* the records of the result have their role versions already */
	bool own_names; /* the operation names its records itself, of any type, and has a `fill` of its own */
	/* Called for each item, at the first check and at each try to publish, with the record that our role
	 * holds; NULL: it holds none, or an entry that is no record. Refuses, or sets `unchanged`, or leaves
	 * in `entry` what is to be published. */
	enum mf_change (*evaluate)(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
				   struct mf_err *err);
	/* In place of `evaluate`: see mf_publish_intent. */
	enum mf_found (*fill)(struct mf_write *w, struct mf_trust *t, struct mf_publish_change *out,
			      struct mf_err *err);
	/* Called once, after the images were opened and before the first request; or NULL. */
	int (*begin)(struct mf_write_run *r, struct mf_err *err);
	/* Called for each repository: `prepare` does everything before the question, `commit` everything
	 * after it, the report included. Without `ask`, or when `confirm` is not set, each repository is
	 * finished before the next one begins. */
	int (*prepare)(struct mf_write *w, struct mf_err *err);
	int (*ask)(struct mf_write_run *r, struct mf_err *err); /* once, for all; or NULL */
	int (*commit)(struct mf_write *w, struct mf_err *err);
	void (*clear)(
	    struct mf_write *w); /* frees what the operation's struct has behind struct mf_write; or NULL */
	void *arg;               /* the operation's own */
};

struct mf_write {
	struct manifesto *m;
	const struct manifesto_change_options *o;
	const struct mf_write_op *op;
	struct manifesto_change_result *out; /* for mf_result_arena */
	struct mf_write_image **images;      /* of this repository */
	size_t nimages;
	struct mf_image *im;     /* the first of them; its trust repository and its blobs are those of all */
	struct mf_window *ahead; /* the run's images, in the order in which they are resolved */
	size_t at;               /* index of our first image there */
	struct mf_err failed;    /* why nothing was published */
	bool done;               /* it was changed, or failed */
	bool reported;           /* one of its images was reported */

	bool first; /* this is the first check */
	struct mf_arena *a;
	char *prefix; /* "TYPE/"; "" where the items have several types */
	char *role;   /* the role to write to */
	struct mf_signer signer;
	const struct mf_key_info *key;
	struct mf_write_item *items;
	size_t n;
	struct mf_wanted subjects; /* digests of the items' subjects, once they are known */
	struct mf_tuf_edit *edits;
	int64_t created, version; /* version: of the role's file after the publish */
	bool renewed;             /* published though no item changed: the old file had expired */
	bool restore; /* artifact manifests that records name are missing, so that the rebuild must store them
			 again */
	struct mf_err refused; /* the registry refused an artifact manifest */
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
	size_t reported, failed; /* images that were reported; images that were not changed */
	enum mf_code code;       /* the gravest failure of these */
};
/* Runs a whole public function. */
int mf_write_run(struct manifesto *m, const struct manifesto_change_options *opt,
		 const struct manifesto_change_result **out, struct manifesto_error *error,
		 const struct mf_write_op *op) MF_NODISCARD;
/* Is it a mistake in the arguments? One in a list of images ends the run before anything is done. */
bool mf_write_is_slip(const struct mf_err *err);
/* Keeps a copy of *why in *to. -1: the failure concerns no image (no memory, cancelled) and ends the run. */
int mf_write_keep_failure(struct mf_err **to, const struct mf_err *why, struct mf_err *err) MF_NODISCARD;
void mf_write_clear(struct mf_write *w);

/* Prepares the change of a repository before the first request, and checks that it can be published. */
int mf_write_open(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Initialises an item that has subject, type, out and record and is zeroed otherwise. */
int mf_write_init_item(const struct mf_write *w, struct mf_write_item *it, struct mf_err *err) MF_NODISCARD;
/* Resolves the images and makes one item for each subject. */
int mf_write_items(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Loads for signing, and logs a warning when this machine sees the repository for the first time. */
int mf_write_load(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Chooses the requested role, or the one authorised role whose key we hold. Of several, it chooses the one
 * that holds a record of the items. MF_E_KEY, MF_E_AMBIGUOUS, MF_E_NOT_FOUND, MF_E_USAGE. */
int mf_write_choose_role(struct mf_write *w, struct mf_err *err) MF_NODISCARD;

/* Evaluates every item, even after one of them cannot be changed, and fails with the first failure. The first
 * call keeps the entries that are there, so that later calls detect conflicts. */
int mf_write_check(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Fails with the first failure among the items; 0: there is none. */
int mf_write_first_failure(const struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Reads the record that the next other authorised role has for the item; *at begins with 0. */
enum mf_found mf_write_next_other(const struct mf_write *w, const struct mf_write_item *it, size_t *at,
				  struct mf_entry *out, struct mf_err *err) MF_NODISCARD;
/* Finds the first tombstone that another authorised role holds for the item. */
enum mf_found mf_write_vetoed(struct mf_write *w, const struct mf_write_item *it, struct mf_entry *out,
			      struct mf_err *err) MF_NODISCARD;
/* After a publish: adds a warning when another role's withdrawal stands against what was published. It may be
 * older, or have been published at the same time: roles have files of their own, so the two changes do not
 * conflict. */
int mf_write_warn_vetoed(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Fails with MF_E_WITHDRAWN; the hint says which role can lift the withdrawal, and how. */
int mf_write_refuse_withdrawn(const struct mf_write *w, const struct mf_entry *e, struct mf_err *err);
/* Fails with MF_E_USAGE if the options give no reason. what: begins the message, such as "a veto". */
int mf_write_need_reason(const struct mf_write_run *r, const char *what, struct mf_err *err) MF_NODISCARD;
/* Does the record have the reason of the options and, if they give one, the author? */
bool mf_write_same_reason(const struct mf_write *w, const struct mf_record *r);
bool mf_write_is_ours(const struct mf_write *w, const struct mf_pubkey *k);
bool mf_write_signed_by_us(const struct mf_write *w, const struct mf_entry *e);
/* The SHA-256 of the payload that the record signatures of an entry are over. Another digest means another
 * record. */
int mf_write_payload_digest(struct mf_write *w, const struct mf_write_item *it, const struct mf_entry *e,
			    struct mf_digest *out, struct mf_err *err) MF_NODISCARD;

/* Makes the artifact manifest of an item with content; none for a layout without `link`, or for a subject
 * whose media type is unknown. */
int mf_write_artifact(struct mf_write *w, struct mf_write_item *it, bool link,
		      struct mf_err *err) MF_NODISCARD;
/* Makes and signs a new record of the item's content: sets tree and entry. */
int mf_write_new_record(struct mf_write *w, struct mf_write_item *it, const struct mf_record_fields *f,
			struct mf_err *err) MF_NODISCARD;
/* mf_write_sign adds our signature to a description; mf_write_entry appends the description's entry in a
 * targets file. */
int mf_write_sign(const struct mf_signer *s, const struct mf_record_binding *b, json_t *tree,
		  struct mf_err *err) MF_NODISCARD;
int mf_write_entry(const struct mf_dialect *d, const struct mf_record_binding *b, json_t *tree,
		   struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Makes the item's entry again from its tree. */
int mf_write_own_entry(struct mf_write *w, struct mf_write_item *it, struct mf_err *err) MF_NODISCARD;
/* Sets `entry` to the existing record with our signature added; nothing else of it changes. MF_E_KEY: the
 * role does not list the key, so the signature would not count. */
int mf_write_cosign(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
		    struct mf_err *err) MF_NODISCARD;

/* With `propose`: makes the proposal, so that one which cannot be made is refused before anything is stored.
 */
int mf_write_propose(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Stores the content, target files and artifact manifests of the items that have content. Where a record
 * stays, its content is stored again if it was lost, and a lost artifact manifest sets `restore`. */
int mf_write_store(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* The same for artifact manifests only. */
int mf_write_store_artifacts(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Begins requests that mf_write_rebuild needs, so that they overlap mf_write_publish. */
int mf_write_rebuild_soon(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Publishes, and sets `version`, even if there was nothing to publish. */
int mf_write_publish(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Writes catalogue and referrers; a failure becomes a warning. */
int mf_write_rebuild(struct mf_write *w, struct mf_err *err) MF_NODISCARD;

/* Set the record of the result: to the existing one; to that one with our signature; to the one that
 * mf_write_new_record made. */
int mf_write_report_entry(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
			  struct mf_err *err) MF_NODISCARD;
int mf_write_report_signed(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
			   struct mf_err *err) MF_NODISCARD;
int mf_write_report_new(struct mf_write *w, struct mf_write_item *it, const struct mf_record_fields *f,
			struct mf_err *err) MF_NODISCARD;
void mf_write_warn(struct mf_write *w, const char *fmt, ...) MF_PRINTF(2, 3);
/* Completes the result from the items that are `reported`. */
int mf_write_report(struct mf_write *w, struct mf_err *err) MF_NODISCARD;

#endif
