/* copy: records follow their images to other repositories. copy_source.c finds and verifies the records to
 * promote, copy_record.c makes the new record, copy_content.c moves its content, copy.c publishes it. */
#ifndef MF_OPS_COPY_H
#define MF_OPS_COPY_H

#include "base/window.h"
#include "ops/gate.h"
#include "ops/write.h"

/* The records of one subject and type that become one at the destination. */
struct mf_copy_plan {
	struct mf_copy_pair *pair;
	struct mf_subject subject;
	char *type;
	struct mf_entries
	    from; /* at least one, all of the same content; the first one's description is taken */
	struct mf_content content; /* without a blob: that goes by itself */
	struct mf_write_item *item;
};

struct mf_copy_pair {
	const struct manifesto_copy_pair *given;
	struct mf_image from, to;
	bool bare; /* the destination is a repository without tag or digest */
	struct mf_subjects subjects;
	struct mf_gate_report gate; /* its arena has the pair's part of the result */
	struct mf_copy_target *target;
	struct mf_err failed;
	const char **warnings;
	size_t nwarnings;
};

/* A role of a destination repository, and the plans that it gets: plans[i] is of items[i]. */
struct mf_copy_write {
	struct mf_write w;
	struct mf_copy_plan **plans;
};

/* A destination repository. */
struct mf_copy_target {
	struct mf_copy_run *run;
	const struct mf_trust *to;
	struct mf_copy_pair **pairs; /* a part of the run's `order` */
	size_t npairs, at, reported; /* `at` in it */
	struct mf_copy_plan **plans; /* by pair, subject, type */
	size_t nplans, plans_cap;
	struct mf_copy_write **writes;
	size_t nwrites, published; /* so many of them, from the first */
	struct manifesto_change_options o;
	struct mf_err failed; /* why nothing was published */
	bool done;
};

struct mf_copy_run {
	struct manifesto *m, *source;
	struct manifesto_copy_options o;
	struct mf_rules rules;
	const char **programs;
	struct mf_conditions *conditions;
	struct mf_arena arena; /* of `wants` */
	struct mf_load wants;  /* of each source */
	struct mf_pool from, to;
	struct mf_copy_pair *pairs, **order; /* as given; by target */
	struct mf_window ahead;              /* over `order` */
	struct mf_copy_target *targets;
	size_t ntargets, reported;
	size_t failed; /* pairs */
	enum mf_code code;
};

/* What is loaded of each source, without shards. */
int mf_copy_wants(struct mf_copy_run *r, struct mf_err *err) MF_NODISCARD;
/* Begins to load the source of pair i of the order, and to resolve its images, also where its turn comes
 * later. */
int mf_copy_begin(void *run, size_t i, struct mf_err *err) MF_NODISCARD;
/* Waits for the source, and resolves the image there. */
int mf_copy_resolve(struct mf_copy_run *r, struct mf_copy_pair *p, struct mf_err *err) MF_NODISCARD;
/* Verifies the source and plans its records. *err: why not; also pair->gate.findings. */
int mf_copy_plan(struct mf_copy_run *r, struct mf_copy_pair *p, struct mf_err *err) MF_NODISCARD;
/* Content of the plans that lack it. */
int mf_copy_content(struct mf_copy_target *t, struct mf_err *err) MF_NODISCARD;
/* The `evaluate` of a write: whether a record of ours may replace what is there. */
enum mf_change mf_copy_evaluate(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
				struct mf_err *err);
/* Artifact manifest and signed description of the item's record. */
int mf_copy_prepare(struct mf_write *w, struct mf_write_item *it, const struct mf_copy_plan *p,
		    struct mf_err *err) MF_NODISCARD;
void mf_copy_warn(struct mf_copy_pair *p, const char *fmt, ...) MF_PRINTF(2, 3);

#endif
