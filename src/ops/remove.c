/* rm: the record is gone as if it had never been. */
#include "ops/write.h"

struct removal {
	struct mf_write w; /* first: `judge` is called with it */
	struct manifesto_change_result *out;
	struct manifesto_change_item *items; /* by item of w, in the result's arena */
	bool *there;                         /* the item has a record */
	bool reinstate;                      /* withdrawals are what is removed, and nothing else */
};

static int judge_removal(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now, bool first,
			 struct mf_err *err)
{
	struct removal *r = (struct removal *)w;
	size_t i = (size_t)(it - w->items);
	if (first)
		r->there[i] = now != NULL;
	it->unchanged = !now;
	if (!now)
		return 0;
	if (now->state == MF_STATE_WITHDRAWN && !r->reinstate)
		return mf_write_refuse_withdrawn(now, true, err);
	/* Who lifts a withdrawal, perhaps for the second time, does not mean to remove a record. */
	if (now->state != MF_STATE_WITHDRAWN && r->reinstate)
		return mf_fail(err, MF_E_NOT_FOUND, 0, "the '%s' record of '%s' is not withdrawn", w->type,
			       w->role);
	return mf_report_record(&w->im, now, it->subject.platform, &r->out->arena->a, &r->items[i].record,
				err);
}

/* What a layout lists in index.json stays there: it is the layout's, not ours. */
static int warn_of_link(struct mf_write *w, struct mf_arena *a, struct mf_err *err)
{
	for (size_t i = 0; w->im.store_ref.transport == MF_TRANSPORT_LAYOUT && i < w->n; i++)
		if (w->items[i].had_artifact)
			return mf_write_warn(w, a, err,
					     "index.json of the layout still lists the artifact manifest of "
					     "'%s'",
					     w->type);
	return 0;
}

static int remove_records(struct removal *r, const struct manifesto_remove_options *o, struct mf_err *err)
{
	struct mf_write *w = &r->w;
	int64_t version = 0;
	size_t n = 0;
	r->out->arena = mf_op_arena(err);
	if (!r->out->arena || mf_write_open(w, o->image, err) < 0 || mf_image_begin(&w->im, err) < 0 ||
	    mf_write_items(w,
			   (struct mf_subject_choice){.platform = o->platform, .all = o->all_platforms != 0},
			   err) < 0)
		return -1;
	struct mf_arena *a = &r->out->arena->a;
	r->items = mf_arena_alloc(a, w->n, sizeof *r->items, err);
	if (!r->items)
		return -1;
	r->there = mf_calloc(w->n, sizeof *r->there);
	if (!r->there)
		return mf_fail_nomem(err);
	if (mf_write_load(w, err) < 0 || mf_write_choose_role(w, err) < 0 ||
	    mf_write_look(w, true, err) < 0 || mf_write_publish(w, &version, err) < 0 ||
	    mf_write_rebuild(w, a, err) < 0 || warn_of_link(w, a, err) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++)
		if (r->there[i])
			r->items[n++] = r->items[i];
	return mf_write_report_change(w, r->items, n, version, r->out, err);
}

int manifesto_remove(struct manifesto *m, const struct manifesto_remove_options *opt,
		     struct manifesto_change_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_change_result result = {.size = sizeof result};
	struct removal r = {.w = {.m = m,
				  .type = opt->type,
				  .asked_role = opt->role,
				  .asked_key = opt->key,
				  .force = opt->force != 0,
				  .needs_entry = true,
				  .judge = judge_removal},
			    .out = &result,
			    .reinstate = opt->reinstate != 0};
	mf_op_begin(m, error);
	int rc = remove_records(&r, opt, &err);
	mf_write_clear(&r.w);
	free(r.there);
	if (rc < 0) {
		manifesto_change_result_clear(&result);
		return mf_op_fail(error, &err);
	}
	*out = result;
	return 0;
}
