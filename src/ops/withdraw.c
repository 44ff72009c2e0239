/* withdraw: a signed tombstone in the place of a record says that it does not hold. */
#include "ops/write.h"

/* A tombstone of another role may list many more digests than there are roles; ours lists no more of them. */
#define MOST_WITHDRAWN 64

/* Distinct digests, in order. */
struct digests {
	struct mf_digest *v;
	size_t n, cap;
};

/* The tombstone of one item. */
struct tombstone {
	struct digests withdrew;
	struct mf_content document;
	bool there; /* an authorised role, or ours, holds something to withdraw */
};

struct withdrawal {
	struct mf_write w; /* first: `judge` is called with it */
	const struct manifesto_withdraw_options *o;
	struct manifesto_change_result *out;
	struct manifesto_change_item *items; /* by item of w, in the result's arena */
	struct tombstone *stones;            /* by item */
};

static void withdrawal_clear(struct withdrawal *d)
{
	for (size_t i = 0; d->stones && i < d->w.n; i++) {
		free(d->stones[i].withdrew.v);
		mf_spool_free(d->stones[i].document.blob);
	}
	mf_write_clear(&d->w);
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

/* Of a record its content; of a tombstone what that withdraws: who withdraws what is withdrawn already means
 * the same content. */
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

/* What all authorised roles, and ours, hold for the item. */
static int gather(struct withdrawal *d, const struct mf_write_item *it, struct tombstone *out,
		  struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(d->w.im.trust);
	for (size_t i = 0; i < set->nroles; i++) {
		const struct mf_tuf_loaded *l = set->roles[i];
		struct mf_entry e MF_ENTRY_CLEANUP = {0};
		if (strcmp(l->role, d->w.role) != 0 &&
		    !mf_policy_authorised(set, l, mf_str_c(d->w.type), NULL))
			continue;
		ptrdiff_t at = mf_tuf_target_find(l->file, mf_str_c(it->name));
		int rc = at < 0 ? 0 : mf_entry_read(set, l, (size_t)at, &e, err);
		if (rc < 0 || (rc && add_entry(&out->withdrew, &e, err) < 0))
			return -1;
		out->there |= rc > 0;
	}
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Withdrawn by our role already, for the same reason. */
static bool same_withdrawal(const struct withdrawal *d, const struct mf_entry *e)
{
	return e->state == MF_STATE_WITHDRAWN && same_text(e->record.reason, d->o->reason) &&
	       (!d->o->author || same_text(e->record.author, d->o->author));
}

static int judge_withdrawal(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
			    bool first, struct mf_err *err)
{
	struct withdrawal *d = (struct withdrawal *)w;
	size_t i = (size_t)(it - w->items);
	if (first && gather(d, it, &d->stones[i], err) < 0)
		return -1;
	d->items[i].veto = d->stones[i].there && !now;
	it->unchanged = !d->stones[i].there;
	if (it->unchanged)
		return 1;
	if (!now || !same_withdrawal(d, now))
		return 0;
	it->unchanged = true;
	return mf_report_record(&w->im, now, it->subject.platform, &d->out->arena->a, &d->items[i].record,
				err);
}

static int make_document(struct withdrawal *d, struct mf_write_item *it, struct tombstone *t,
			 struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2);
	struct mf_digest fp = mf_pubkey_fingerprint(d->w.signer.pub);
	struct mf_tombstone doc = {.type = d->w.type,
				   .role = d->w.role,
				   .subject = &it->subject.digest,
				   .signer = &fp,
				   .reason = d->o->reason,
				   .author = d->o->author,
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
	struct mf_record_fields f = {.created = d->w.created,
				     .media_type = MF_MT_WITHDRAWN,
				     .author = d->o->author,
				     .reason = d->o->reason,
				     .withdrawn = true};
	/* A layout lists it in index.json where it listed the record. */
	if (make_document(d, it, t, err) < 0 || mf_write_artifact(&d->w, it, it->had_artifact, err) < 0)
		return -1;
	f.artifact = it->artifact.n ? &it->artifact_digest : NULL;
	f.withdrew = t->withdrew.v;
	f.nwithdrew = t->withdrew.n;
	return mf_write_new_record(&d->w, it, &f, err);
}

static int report_digests(const struct digests *all, struct mf_arena *a, struct manifesto_record *out,
			  struct mf_err *err)
{
	char text[MF_DIGEST_TEXT];
	const char **v = mf_arena_alloc(a, all->n, sizeof(char *), err);
	if (!v)
		return -1;
	for (size_t i = 0; i < all->n; i++) {
		mf_digest_format(text, &all->v[i]);
		if (!(v[i] = mf_arena_dup(a, mf_str_c(text), err)))
			return -1;
	}
	out->withdrew = v;
	out->nwithdrew = all->n;
	return 0;
}

/* The tombstone as a record: what was published, whatever happened to it since. */
static int report_tombstone(struct withdrawal *d, const struct mf_write_item *it, const struct tombstone *t,
			    struct manifesto_record *out, struct mf_err *err)
{
	struct mf_arena *a = &d->out->arena->a;
	struct mf_pubkey *key = d->w.signer.pub;
	char digest[MF_DIGEST_TEXT];
	struct manifesto_record r = {.length = t->document.length,
				     .media_type = MF_MT_WITHDRAWN,
				     .created = d->w.created,
				     .state = mf_state_name(MF_STATE_WITHDRAWN)};
	r.image = mf_image_name(&d->w.im, &it->subject.digest, a, err);
	mf_digest_format(digest, &it->subject.digest);
	r.subject = r.image ? mf_arena_dup(a, mf_str_c(digest), err) : NULL;
	mf_digest_format(digest, &t->document.digest);
	r.digest = r.subject ? mf_arena_dup(a, mf_str_c(digest), err) : NULL;
	r.type = r.digest ? mf_arena_dup(a, mf_str_c(d->w.type), err) : NULL;
	r.role = r.type ? mf_arena_dup(a, mf_str_c(d->w.role), err) : NULL;
	r.reason = r.role ? mf_arena_dup(a, mf_str_c(d->o->reason), err) : NULL;
	if (!r.reason || (d->o->author && !(r.author = mf_arena_dup(a, mf_str_c(d->o->author), err))) ||
	    (it->subject.platform[0] &&
	     !(r.platform = mf_arena_dup(a, mf_str_c(it->subject.platform), err))) ||
	    mf_report_keys(d->w.m, &key, 1, a, &r.signers, &r.nsigners, err) < 0)
		return -1;
	*out = r;
	return report_digests(&t->withdrew, a, out, err);
}

static int report_withdrawal(struct withdrawal *d, int64_t version, struct mf_err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < d->w.n; i++) {
		struct manifesto_change_item *item = &d->items[i];
		if (!d->stones[i].there)
			continue;
		item->unchanged = d->w.items[i].unchanged;
		if (!item->unchanged &&
		    report_tombstone(d, &d->w.items[i], &d->stones[i], &item->record, err) < 0)
			return -1;
		item->record.role_version = version;
		d->items[n++] = *item;
	}
	return mf_write_report_change(&d->w, d->items, n, version, d->out, err);
}

static int make_tombstones(struct withdrawal *d, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	bool any = false;
	for (size_t i = 0; i < d->w.n; i++) {
		any |= d->stones[i].there;
		if (!d->w.items[i].unchanged && make_tombstone(d, &d->w.items[i], &d->stones[i], err) < 0)
			return -1;
	}
	if (any)
		return 0;
	mf_digest_format(digest, &d->w.items[0].subject.digest);
	return mf_fail(err, MF_E_NOT_FOUND, 0, "no '%s' record for %s to withdraw", d->w.type, digest);
}

static int withdraw(struct withdrawal *d, struct mf_err *err)
{
	struct mf_write *w = &d->w;
	int64_t version = 0;
	d->out->arena = mf_op_arena(err);
	if (!d->out->arena || mf_write_open(w, d->o->image, err) < 0 || mf_image_begin(&w->im, err) < 0 ||
	    mf_write_items(
		w, (struct mf_subject_choice){.platform = d->o->platform, .all = d->o->all_platforms != 0},
		err) < 0)
		return -1;
	struct mf_arena *a = &d->out->arena->a;
	d->items = mf_arena_alloc(a, w->n, sizeof *d->items, err);
	if (!d->items)
		return -1;
	d->stones = mf_calloc(w->n, sizeof *d->stones);
	if (!d->stones)
		return mf_fail_nomem(err);
	if (mf_write_load(w, err) < 0 || mf_write_choose_role(w, err) < 0 ||
	    mf_write_look(w, true, err) < 0 || make_tombstones(d, err) < 0 || mf_write_store(w, err) < 0 ||
	    mf_write_publish(w, &version, err) < 0 || mf_write_rebuild(w, a, err) < 0)
		return -1;
	return report_withdrawal(d, version, err);
}

int manifesto_withdraw(struct manifesto *m, const struct manifesto_withdraw_options *opt,
		       struct manifesto_change_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_change_result result = {.size = sizeof result};
	struct withdrawal d MF_CLEANUP(withdrawal_clear) = {.w = {.m = m,
								  .type = opt->type,
								  .asked_role = opt->role,
								  .asked_key = opt->key,
								  .force = opt->force != 0,
								  .judge = judge_withdrawal},
							    .o = opt,
							    .out = &result};
	mf_op_begin(m, error);
	/* Before anything is asked of anybody. */
	bool reason = opt->reason && opt->reason[strspn(opt->reason, " \t\r\n")];
	int rc = reason ? withdraw(&d, &err) : mf_fail(&err, MF_E_USAGE, 0, "a withdrawal needs a reason");
	if (rc < 0) {
		manifesto_change_result_clear(&result);
		return mf_op_fail(error, &err);
	}
	*out = result;
	return 0;
}
