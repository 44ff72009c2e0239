/* withdraw: replaces a record with a signed tombstone, which states that it no longer holds. rm: removes the
 * record and leaves nothing in its place. */
#include "ops/write.h"

/* A tombstone of another role may list any number of digests; ours takes over no more than this. */
#define MOST_WITHDRAWN 64

/* Distinct digests, sorted. */
struct digests {
	struct mf_digest *v;
	size_t n, cap;
};

/* The tombstone of one item. */
struct tombstone {
	struct digests withdrew;
	struct mf_content document;
	struct mf_record_fields fields;
};

struct withdrawal {
	struct mf_write w;
	struct tombstone *stones; /* by item */
};

static struct withdrawal *withdrawal_of(struct mf_write *w)
{
	return (struct withdrawal *)w;
}

static void withdrawal_clear(struct mf_write *w)
{
	struct withdrawal *d = withdrawal_of(w);
	for (size_t i = 0; d->stones && i < d->w.n; i++) {
		free(d->stones[i].withdrew.v);
		mf_spool_free(d->stones[i].document.blob);
	}
	free(d->stones);
}

static int add_digest(struct digests *all, const struct mf_digest *d, struct mf_err *err)
{
	size_t at = 0;
	while (at < all->n && memcmp(all->v[at].b, d->b, sizeof d->b) < 0)
		at++;
	if (at < all->n && mf_digest_eq(&all->v[at], d))
		return 0;
	if (mf_grow((void **)&all->v, &all->cap, all->n, sizeof *all->v, err) < 0)
		return -1;
	memmove(&all->v[at + 1], &all->v[at], (all->n - at) * sizeof *all->v);
	all->v[at] = *d;
	all->n++;
	return 0;
}

/* Adds the digest of a record's content, or those that a tombstone lists: a record that is withdrawn already
 * is withdrawn again with the same content. */
static int add_entry(struct digests *all, const struct mf_entry *e, struct mf_err *err)
{
	if (e->state != MF_STATE_WITHDRAWN)
		return add_digest(all, &e->info.sha256, err);
	for (size_t i = 0; i < json_array_size(e->record.withdrew) && all->n < MOST_WITHDRAWN; i++) {
		const char *text = json_string_value(json_array_get(e->record.withdrew, i));
		struct mf_err ignored = MF_ERR_INIT;
		struct mf_digest d;
		if (text && mf_digest_parse(&d, mf_str_c(text), &ignored) == 0 &&
		    add_digest(all, &d, err) < 0)
			return -1;
	}
	return 0;
}

/* Collects the digests of the item's records in all authorised roles, and in ours. */
static int gather(struct withdrawal *d, struct mf_write_item *it, struct digests *out, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(d->w.im->trust);
	for (size_t i = 0; i < set->nroles; i++) {
		const struct mf_tuf_loaded *l = set->roles[i];
		struct mf_entry e MF_ENTRY_CLEANUP = {0};
		if (strcmp(l->role, d->w.role) != 0 &&
		    !mf_policy_authorised(set, l, mf_str_c(d->w.o->type), NULL))
			continue;
		ptrdiff_t at = mf_tuf_target_find(l->file, mf_str_c(it->name));
		int rc = at < 0 ? 0 : mf_entry_read(set, l, (size_t)at, &e, err);
		if (rc < 0 || (rc && add_entry(out, &e, err) < 0))
			return -1;
		it->reported |= rc > 0;
	}
	return 0;
}

static enum mf_change evaluate_withdrawal(struct mf_write *w, struct mf_write_item *it,
					  const struct mf_entry *now, struct mf_err *err)
{
	struct withdrawal *d = withdrawal_of(w);
	if (d->w.first && gather(d, it, &d->stones[it - d->w.items].withdrew, err) < 0)
		return MF_CHANGE_REFUSED;
	it->out->veto = it->reported && !now;
	it->unchanged = !it->reported;
	if (it->unchanged)
		return MF_CHANGE_ALWAYS;
	if (!now || now->state != MF_STATE_WITHDRAWN || !mf_write_same_reason(w, &now->record))
		return MF_CHANGE_UNLESS_CONFLICT;
	it->unchanged = true;
	return mf_write_report_entry(&d->w, it, now, err) < 0 ? MF_CHANGE_REFUSED : MF_CHANGE_ALWAYS;
}

static int make_document(struct withdrawal *d, struct mf_write_item *it, struct tombstone *t,
			 struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2);
	struct mf_digest fp = mf_pubkey_fingerprint(d->w.signer.pub);
	struct mf_tombstone doc = {.type = d->w.o->type,
				   .role = d->w.role,
				   .subject = &it->subject.digest,
				   .signer = &fp,
				   .reason = d->w.o->reason,
				   .author = d->w.o->author,
				   .when = d->w.created,
				   .withdrew = t->withdrew.v,
				   .nwithdrew = t->withdrew.n};
	if (mf_tombstone_build(&b, &doc, err) < 0)
		return -1;
	t->document.media_type = MF_MT_WITHDRAWN;
	t->document.blob = mf_spool_new(b.n, err);
	if (!t->document.blob || mf_spool_add(t->document.blob, b.p, b.n, err) < 0)
		return -1;
	it->content = &t->document;
	return mf_spool_end(t->document.blob, &t->document.digest, &t->document.length, err);
}

static int make_tombstone(struct withdrawal *d, struct mf_write_item *it, struct tombstone *t,
			  struct mf_err *err)
{
	/* A layout lists the tombstone in index.json if it listed the record. */
	if (make_document(d, it, t, err) < 0 || mf_write_artifact(&d->w, it, it->had_artifact, err) < 0)
		return -1;
	t->fields = (struct mf_record_fields){.created = d->w.created,
					      .media_type = MF_MT_WITHDRAWN,
					      .author = d->w.o->author,
					      .reason = d->w.o->reason,
					      .withdrawn = true,
					      .artifact = it->artifact.n ? &it->artifact_digest : NULL,
					      .withdrew = t->withdrew.v,
					      .nwithdrew = t->withdrew.n};
	return mf_write_new_record(&d->w, it, &t->fields, err);
}

/* Checks the reason, before the first request. */
static int check_reason(struct mf_write_run *r, struct mf_err *err)
{
	return mf_write_need_reason(r, "a withdrawal", err);
}

static int prepare_withdrawal(struct mf_write *w, struct mf_err *err)
{
	struct withdrawal *d = withdrawal_of(w);
	if (mf_write_items(w, err) < 0)
		return -1;
	d->stones = mf_calloc(w->n, sizeof *d->stones);
	if (!d->stones)
		return mf_fail_nomem(err);
	if (mf_write_load(w, err) < 0 || mf_write_choose_role(w, err) < 0 || mf_write_check(w, err) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++)
		if (!w->items[i].unchanged && make_tombstone(d, &w->items[i], &d->stones[i], err) < 0)
			return -1;
	return 0;
}

static int commit_withdrawal(struct mf_write *w, struct mf_err *err)
{
	if (mf_write_store(w, err) < 0 || mf_write_rebuild_soon(w, err) < 0 || mf_write_publish(w, err) < 0 ||
	    mf_write_rebuild(w, err) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		struct mf_write_item *it = &w->items[i];
		it->out->unchanged = it->unchanged;
		if (!it->unchanged &&
		    mf_write_report_new(w, it, &withdrawal_of(w)->stones[i].fields, err) < 0)
			return -1;
	}
	return mf_write_report(w, err);
}

int manifesto_withdraw(struct manifesto *m, const struct manifesto_change_options *opt,
		       const struct manifesto_change_result **out, struct manifesto_error *error)
{
	static const struct mf_write_op op = {.size = sizeof(struct withdrawal),
					      .evaluate = evaluate_withdrawal,
					      .begin = check_reason,
					      .prepare = prepare_withdrawal,
					      .commit = commit_withdrawal,
					      .clear = withdrawal_clear};
	return mf_write_run(m, opt, out, error, &op);
}

/* ---- rm */

static enum mf_change evaluate_removal(struct mf_write *w, struct mf_write_item *it,
				       const struct mf_entry *now, struct mf_err *err)
{
	if (w->first)
		it->reported = now != NULL;
	it->unchanged = !now;
	if (!now)
		return MF_CHANGE_UNLESS_CONFLICT;
	bool withdrawn = now->state == MF_STATE_WITHDRAWN;
	if (withdrawn && !w->o->reinstate) {
		(void)mf_write_refuse_withdrawn(w, now, err);
		return MF_CHANGE_REFUSED;
	}
	/* A user who lifts a withdrawal, perhaps for the second time, must not remove a record by that. */
	if (!withdrawn && w->o->reinstate) {
		(void)mf_fail(err, MF_E_NOT_FOUND, 0, "the '%s' record of '%s' is not withdrawn", w->o->type,
			      w->role);
		return MF_CHANGE_REFUSED;
	}
	return mf_write_report_entry(w, it, now, err) < 0 ? MF_CHANGE_REFUSED : MF_CHANGE_UNLESS_CONFLICT;
}

/* Nothing is removed from index.json of a layout, which other tools own: warns that it still lists the
 * record. */
static void warn_of_link(struct mf_write *w)
{
	bool linked = false;
	for (size_t i = 0; w->im->store_ref.transport == MF_TRANSPORT_LAYOUT && i < w->n; i++)
		linked |= w->items[i].had_artifact;
	if (linked)
		mf_write_warn(w, "index.json of the layout still lists the artifact manifest of '%s'",
			      w->o->type);
}

static int prepare_removal(struct mf_write *w, struct mf_err *err)
{
	if (mf_write_items(w, err) < 0 || mf_write_load(w, err) < 0 || mf_write_choose_role(w, err) < 0)
		return -1;
	return mf_write_check(w, err);
}

static int commit_removal(struct mf_write *w, struct mf_err *err)
{
	if (mf_write_rebuild_soon(w, err) < 0 || mf_write_publish(w, err) < 0 || mf_write_rebuild(w, err) < 0)
		return -1;
	warn_of_link(w);
	return mf_write_report(w, err);
}

int manifesto_remove(struct manifesto *m, const struct manifesto_change_options *opt,
		     const struct manifesto_change_result **out, struct manifesto_error *error)
{
	static const struct mf_write_op op = {.size = sizeof(struct mf_write),
					      .needs_entry = true,
					      .has_versions = true,
					      .evaluate = evaluate_removal,
					      .prepare = prepare_removal,
					      .commit = commit_removal};
	return mf_write_run(m, opt, out, error, &op);
}
