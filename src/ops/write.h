/* What the operations that publish records share: put, withdraw, rm, sign.
 *
 * Each loads the trust repository, chooses the role to write to, looks at what that role holds, prepares what
 * is to be published, and publishes it; when somebody else was faster it looks again, at the new state. */
#ifndef MF_OPS_WRITE_H
#define MF_OPS_WRITE_H

#include "ops/ops.h"
#include "publish/publish.h"

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
	char *name;                       /* target name */
	const struct mf_content *content; /* borrowed; NULL: none is stored */
	struct mf_buf artifact;           /* manifest bytes; empty for a layout without --link */
	struct mf_digest artifact_digest;
	json_t *tree;        /* signed description of a new record */
	struct mf_buf entry; /* target entry to publish, canonical; empty: the name is removed */
	char *first;         /* the entry as first seen, canonical; NULL: there was none */
	bool had_artifact;   /* it named an artifact manifest: */
	struct mf_digest old_artifact;
	bool unchanged; /* nothing is to be published for it */
	/* Our signature under a record that is there: made once, whatever the number of tries. */
	struct mf_buf cosignature;
	struct mf_digest cosigned; /* SHA-256 of the payload that it is over */
};

struct mf_write {
	struct manifesto *m;
	const char *type, *asked_role, *asked_key; /* as given; role and key may be NULL */
	bool force;
	bool needs_entry; /* only a role that holds a record of one of the items will do */
	/* Called for each item, at the first look and at each try to publish, with what our role holds: NULL
	 * when that is nothing, or no record. Refuses (-1), or says what becomes of it: sets `unchanged`, or
	 * leaves in `entry` what is to be published. 1: all the same whether somebody changed it since the
	 * first look; 0: that is a conflict. */
	int (*judge)(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now, bool first,
		     struct mf_err *err);

	struct mf_image im;
	char *prefix; /* "TYPE/" */
	char *role;   /* to write to */
	struct mf_signer signer;
	const struct mf_key_info *key;
	struct mf_write_item *items;
	size_t n;
	struct mf_tuf_edit *edits;
	int64_t created;
	bool renewed;            /* published though no item changed: the old file had expired */
	const char *warnings[4]; /* in the result's arena */
	size_t nwarnings;
};
void mf_write_clear(struct mf_write *w);

/* Checks the type and opens the image; makes no request. */
int mf_write_open(struct mf_write *w, const char *image, struct mf_err *err) MF_NODISCARD;
/* One item for each subject. Unless `described` is set, an IMAGE@DIGEST that is gone is an item without media
 * type. */
int mf_write_items(struct mf_write *w, struct mf_subject_choice choice, struct mf_err *err) MF_NODISCARD;
/* Loads for signing, with a warning when this machine sees the repository for the first time. */
int mf_write_load(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* The one authorised role whose key we hold, or the one that was asked for. Of several, the one that holds a
 * record of the items. MF_E_KEY, MF_E_AMBIGUOUS, MF_E_USAGE. */
int mf_write_choose_role(struct mf_write *w, struct mf_err *err) MF_NODISCARD;

/* Judges every item. first: what is there is remembered for the conflict rule. */
int mf_write_look(struct mf_write *w, bool first, struct mf_err *err) MF_NODISCARD;
/* The first tombstone that another authorised role holds for the item: 1, 0 none, -1. */
int mf_write_vetoed(struct mf_write *w, const struct mf_write_item *it, struct mf_entry *out,
		    struct mf_err *err) MF_NODISCARD;
/* After a publish: a warning when another role withdraws what was published, as of before or since a moment
 * ago. Where each role has a file of its own, nothing keeps the two apart. */
int mf_write_warn_vetoed(struct mf_write *w, struct mf_arena *a, struct mf_err *err) MF_NODISCARD;
/* Fails with MF_E_WITHDRAWN, with the hint how that is lifted. */
int mf_write_refuse_withdrawn(const struct mf_entry *e, bool by_us, struct mf_err *err);
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
/* The entry of the tree, again. */
int mf_write_own_entry(struct mf_write *w, struct mf_write_item *it, struct mf_err *err) MF_NODISCARD;
/* The record that is there with our signature added: entry. Nothing else of it changes. MF_E_KEY when the
 * role does not list the key, so that the signature would not count. */
int mf_write_cosign(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
		    struct mf_err *err) MF_NODISCARD;

/* Content, artifact manifests and catalogue of the items that have content and are not unchanged. */
int mf_write_store(struct mf_write *w, struct mf_err *err) MF_NODISCARD;
/* Publishes; *version of the role's file, also when nothing was to be done. */
int mf_write_publish(struct mf_write *w, int64_t *version, struct mf_err *err) MF_NODISCARD;
/* Catalogue and referrers; trouble becomes a warning. */
int mf_write_rebuild(struct mf_write *w, struct mf_arena *a, struct mf_err *err) MF_NODISCARD;

int mf_write_warn(struct mf_write *w, struct mf_arena *a, struct mf_err *err, const char *fmt, ...)
    MF_PRINTF(4, 5) MF_NODISCARD;

/* The members that all results have. */
struct mf_write_report {
	const char *role, *published_to, *signer_name, *signer_type, *signer_fingerprint;
	const char *const *warnings;
	size_t nwarnings;
};
int mf_write_report(struct mf_write *w, struct mf_arena *a, struct mf_write_report *out,
		    struct mf_err *err) MF_NODISCARD;
/* The same into the result of sign, rm and withdraw: its first n items count. */
int mf_write_report_change(struct mf_write *w, struct manifesto_change_item *items, size_t n, int64_t version,
			   struct manifesto_change_result *out, struct mf_err *err) MF_NODISCARD;

#endif
