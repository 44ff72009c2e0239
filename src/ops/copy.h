/* copy: promotes records of images to other repositories. copy_source.c finds and verifies the records to
 * promote, copy_record.c makes the new record, copy_content.c moves its content, copy.c publishes it. */
#ifndef MF_OPS_COPY_H
#define MF_OPS_COPY_H

#include "base/window.h"
#include "ops/gate.h"
#include "ops/write.h"

/* The records of one subject and type, which become one record at the destination. */
struct mf_copy_plan {
	struct mf_copy_pair *pair;
	struct mf_subject subject;
	char *type;
	struct mf_entries
	    from; /* at least one, all with the same content; the description is that of the first */
	struct mf_content content; /* without a blob: mf_copy_content copies that */
	struct mf_write_item *item;
};

struct mf_copy_pair {
	const struct manifesto_copy_pair *given;
	struct mf_image from, to;
	bool bare; /* the destination is a repository without tag or digest */
	struct mf_subjects subjects;
	struct mf_gate_report gate; /* its arena holds the pair's part of the result */
	struct mf_copy_target *target;
	struct mf_err failed;
	const char **warnings;
	size_t nwarnings;
};

/* A role of a destination repository, and the plans whose records go to it: plans[i] belongs to items[i]. */
struct mf_copy_write {
	struct mf_write w;
	struct mf_copy_plan **plans;
};

/* A destination repository. */
struct mf_copy_target {
	struct mf_copy_run *run;
	const struct mf_trust *to;
	struct mf_copy_pair **pairs; /* a part of the run's `order`, from index `at` on */
	size_t npairs, at, reported;
	struct mf_copy_plan **plans; /* sorted by pair, subject, type */
	size_t nplans, plans_cap;
	struct mf_copy_write **writes;
	size_t nwrites, published; /* `published`: how many of them are, from the first on */
	struct manifesto_change_options o;
	struct mf_err failed; /* why not all of it was published */
	bool done;
};

struct mf_copy_run {
	struct manifesto *m, *source;
	struct manifesto_copy_options o;
	struct mf_rules rules;
	const char **programs;
	struct mf_conditions *conditions;
	struct mf_arena arena; /* holds the strings of `wants` */
	struct mf_load wants;  /* what to load of each source */
	struct mf_pool from, to;
	struct mf_copy_pair *pairs, **order; /* `pairs` in the order given, `order` by target */
	struct mf_window ahead;              /* over `order` */
	struct mf_copy_target *targets;
	size_t ntargets, reported;
	size_t failed; /* pairs */
	enum mf_code code;
};

/* Sets r->wants: what to load of each source, without shards. */
int mf_copy_wants(struct mf_copy_run *r, struct mf_err *err) MF_NODISCARD;
/* Begins to load the source of order[i] and to resolve the images of the pair, before its turn comes. */
int mf_copy_begin(void *run, size_t i, struct mf_err *err) MF_NODISCARD;
/* Waits for the source, and resolves the image there. */
int mf_copy_resolve(struct mf_copy_run *r, struct mf_copy_pair *p, struct mf_err *err) MF_NODISCARD;
/* Verifies the source image and adds a plan for each record to promote. On failure *err, and
 * pair->gate.findings, say why. */
int mf_copy_plan(struct mf_copy_run *r, struct mf_copy_pair *p, struct mf_err *err) MF_NODISCARD;
/* Copies the content that the destination lacks. */
int mf_copy_content(struct mf_copy_target *t, struct mf_err *err) MF_NODISCARD;
/* The `evaluate` of a write: may the promoted record replace the one that is there? */
enum mf_change mf_copy_evaluate(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
				struct mf_err *err);
/* Makes the artifact manifest and the signed description of the item's record. */
int mf_copy_prepare(struct mf_write *w, struct mf_write_item *it, const struct mf_copy_plan *p,
		    struct mf_err *err) MF_NODISCARD;
void mf_copy_warn(struct mf_copy_pair *p, const char *fmt, ...) MF_PRINTF(2, 3);

#endif
