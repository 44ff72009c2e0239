/* sign: shows the existing record, and then adds our own signature to it. */
#include "crypto/hash.h"
#include "ops/write.h"

struct sign {
	struct mf_write w;
	struct mf_digest *shown; /* for each item: digest of the payload of the record that was shown */
	bool agreed;             /* the user agreed to sign what was shown */
};

static struct sign *sign_of(struct mf_write *w)
{
	return (struct sign *)w;
}

static void sign_clear(struct mf_write *w)
{
	free(sign_of(w)->shown);
}

/* Refuses records that cannot be signed, or must not be: foreign, withdrawn, expired. */
static int check_state(struct sign *s, const struct mf_write_item *it, const struct mf_entry *e,
		       struct mf_err *err)
{
	struct mf_entry veto MF_ENTRY_CLEANUP = {0};
	if (!e->record.tree) {
		(void)mf_fail(err, MF_E_POLICY, 0,
			      "the '%s' entry of '%s' is foreign: it has no description to sign",
			      s->w.o->type, s->w.role);
		mf_err_set_hint(err, "'manifesto put' makes a record of its content");
		return -1;
	}
	if (e->state == MF_STATE_WITHDRAWN)
		return mf_write_refuse_withdrawn(&s->w, e, err);
	if (e->state == MF_STATE_EXPIRED)
		return mf_fail(err, MF_E_RECORD_EXPIRED, 0, "the '%s' record of '%s' has expired",
			       s->w.o->type, s->w.role);
	enum mf_found vetoed = mf_write_vetoed(&s->w, it, &veto, err);
	if (vetoed == MF_FOUND)
		return mf_write_refuse_withdrawn(&s->w, &veto, err);
	return vetoed == MF_FAILED ? -1 : 0;
}

static int fail_changed(const struct sign *s, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_CONFLICT, 0,
		      "the '%s' record of '%s' has changed since it was shown: nothing was signed",
		      s->w.o->type, s->w.role);
	mf_err_set_hint(err, "run 'manifesto sign' again to see the new record");
	return -1;
}

static int evaluate_record(struct sign *s, struct mf_write_item *it, const struct mf_entry *now,
			   struct mf_err *err)
{
	struct mf_write *w = &s->w;
	struct mf_digest payload, *shown = &s->shown[it - w->items];
	if (check_state(s, it, now, err) < 0 || mf_write_payload_digest(w, it, now, &payload, err) < 0)
		return -1;
	if (w->first)
		*shown = payload;
	/* The payload does not contain the signatures: one that was added meanwhile does not change it. */
	if (!mf_digest_eq(&payload, shown))
		return fail_changed(s, err);
	it->unchanged = mf_write_signed_by_us(w, now);
	it->out->unchanged = it->unchanged;
	if (!s->agreed || it->unchanged) {
		if (mf_write_report_entry(w, it, now, err) < 0)
			return -1;
		return it->unchanged ? 0 : mf_report_others(&now->record, w->a, it->record, err);
	}
	return mf_write_cosign(w, it, now, err) < 0 ? -1 : mf_write_report_signed(w, it, now, err);
}

static enum mf_change evaluate(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
			       struct mf_err *err)
{
	struct sign *s = sign_of(w);
	if (w->first)
		it->reported = now != NULL;
	it->unchanged = !it->reported;
	if (!it->reported)
		return MF_CHANGE_ALWAYS;
	if ((now ? evaluate_record(s, it, now, err) : fail_changed(s, err)) < 0)
		return MF_CHANGE_REFUSED;
	return MF_CHANGE_ALWAYS;
}

/* ---- the content */

static enum mf_found find_content(const struct mf_write *w, const struct mf_write_item *it,
				  struct mf_tuf_target_info *out, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	size_t at;
	const struct mf_tuf_loaded *l = mf_tuf_set_find_target(set, w->role, mf_str_c(it->name), &at);
	if (!l)
		return MF_ABSENT;
	return mf_tuf_target_info(set->d, l->file, at, out, err) < 0 ? MF_FAILED : MF_FOUND;
}

/* The content must be in the store, where readers find it: a copy in the cache is not enough. */
static int check_stored(const struct mf_write *w, const struct mf_tuf_target_info *v, size_t n,
			struct mf_err *err)
{
	struct mf_digest *digests MF_FREE = mf_calloc(n, sizeof *digests);
	bool *present MF_FREE = mf_calloc(n, sizeof *present);
	char digest[MF_DIGEST_TEXT];
	if (!digests || !present)
		return mf_fail_nomem(err);
	size_t distinct = 0;
	for (size_t i = 0; i < n; i++)
		if (!distinct || !mf_digest_eq(&digests[distinct - 1], &v[i].sha256))
			digests[distinct++] = v[i].sha256;
	if (mf_trust_dir(w->im->trust))
		return 0;
	if (mf_blobs_have(w->im->blobs, digests, distinct, present, err) < 0)
		return -1;
	for (size_t i = 0; i < distinct; i++) {
		if (present[i])
			continue;
		mf_digest_format(digest, &digests[i]);
		return mf_fail(err, MF_E_CONTENT_GONE, 0, "the content of '%s' is gone: %s", w->o->type,
			       digest);
	}
	return 0;
}

/* Fetches and verifies the content of each record. Content that consecutive records share is fetched once. */
static int check_contents(struct sign *s, struct mf_err *err)
{
	struct mf_write *w = &s->w;
	struct mf_tuf_target_info *v MF_FREE = mf_calloc(w->n, sizeof *v);
	size_t n = 0;
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < w->n; i++) {
		enum mf_found found =
		    w->items[i].unchanged ? MF_FOUND : find_content(w, &w->items[i], &v[n], err);
		if (found != MF_FOUND)
			return found == MF_FAILED ? -1 : fail_changed(s, err);
		n += !w->items[i].unchanged;
	}
	if (n && check_stored(w, v, n, err) < 0)
		return -1;
	n = 0;
	for (size_t i = 0; i < w->n; i++) {
		struct mf_spool *content MF_SPOOL_CLEANUP = NULL;
		if (w->items[i].unchanged)
			continue;
		struct mf_content_wanted wanted = {mf_str_c(w->items[i].name), &v[n], NULL};
		bool same = n && mf_digest_eq(&v[n].sha256, &v[n - 1].sha256);
		n++;
		if (!same && mf_content_get(w->im, &wanted, &content, err) < 0)
			return -1;
	}
	return 0;
}

static int prepare(struct mf_write *w, struct mf_err *err)
{
	struct sign *s = sign_of(w);
	if (mf_write_items(w, err) < 0)
		return -1;
	s->shown = mf_calloc(w->n, sizeof *s->shown);
	if (!s->shown)
		return mf_fail_nomem(err);
	if (mf_write_load(w, err) < 0 || mf_write_choose_role(w, err) < 0 || mf_write_check(w, err) < 0)
		return -1;
	return check_contents(s, err);
}

/* ---- the question */

/* The records that one key would sign. */
struct question {
	const struct manifesto_record **v;
	size_t n;
	const struct manifesto_signer *key;
};

static int ask_one(struct mf_write_run *r, const struct question *q, struct mf_err *err)
{
	int64_t asked = mf_monotonic_ms();
	int yes = r->o.confirm(r->o.confirm_arg, q->v, q->n, q->key);
	mf_op_exclude(r->m, asked);
	return yes ? 0 : mf_fail(err, MF_E_CANCELLED, 0, "'%s' was not signed", r->o.type);
}

static bool waits(struct mf_write *w)
{
	return !w->failed.code && !sign_of(w)->agreed;
}

/* Collects the records of the first repository that waits for an answer, and those of all others in which the
 * same key signs. */
static int gather(struct mf_write_run *r, struct question *q, struct mf_err *err)
{
	struct mf_write *first = NULL;
	for (size_t i = 0; i < r->nwrites; i++) {
		struct mf_write *w = r->writes[i];
		if (!waits(w) || (first && !mf_pubkey_eq(first->signer.pub, w->signer.pub)))
			continue;
		first = first ? first : w;
		sign_of(w)->agreed = true;
		for (size_t k = 0; k < w->n; k++)
			if (!w->items[k].unchanged)
				q->v[q->n++] = w->items[k].record;
	}
	if (!first)
		return 0;
	const struct manifesto_signer *const *key = NULL;
	size_t one = 0;
	if (mf_report_keys(r->m, &first->signer.pub, 1, first->a, &key, &one, err) < 0)
		return -1;
	q->key = key[0];
	return 0;
}

/* Asks once for each key. */
static int ask(struct mf_write_run *r, struct mf_err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < r->nwrites; i++)
		n += r->writes[i]->n;
	const struct manifesto_record **v MF_FREE = mf_calloc(n, sizeof *v);
	if (!v)
		return mf_fail_nomem(err);
	for (;;) {
		struct question q = {.v = v};
		if (gather(r, &q, err) < 0)
			return -1;
		if (!q.key)
			return 0;
		if (q.n && ask_one(r, &q, err) < 0)
			return -1;
	}
}

/* ---- the whole */

static int commit(struct mf_write *w, struct mf_err *err)
{
	sign_of(w)->agreed = true;
	/* mf_write_check signs, and so may ask for a passphrase: before the publish takes the lock, for which
	 * other writers of this machine would wait. */
	if (mf_write_check(w, err) < 0 || mf_write_publish(w, err) < 0 || mf_write_warn_vetoed(w, err) < 0)
		return -1;
	return mf_write_report(w, err);
}

int manifesto_sign(struct manifesto *m, const struct manifesto_change_options *opt,
		   const struct manifesto_change_result **out, struct manifesto_error *error)
{
	static const struct mf_write_op op = {.size = sizeof(struct sign),
					      .needs_entry = true,
					      .evaluate = evaluate,
					      .prepare = prepare,
					      .ask = ask,
					      .commit = commit,
					      .clear = sign_clear};
	return mf_write_run(m, opt, out, error, &op);
}
