/* sign: our own signature under the record that is there, after it was shown. */
#include "crypto/hash.h"
#include "ops/write.h"

struct sign {
	struct mf_write w;
	struct mf_digest *shown; /* payload digests, by item */
	bool agreed;             /* what was shown is to be signed */
};

static void sign_clear(struct sign *s)
{
	mf_write_clear(&s->w);
	free(s->shown);
}

/* What cannot be signed, or should not be. */
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
	/* Signatures that were added meanwhile are no change of the record. */
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

static enum mf_change evaluate(void *arg, struct mf_write_item *it, const struct mf_entry *now,
			       struct mf_err *err)
{
	struct sign *s = arg;
	if (s->w.first)
		it->reported = now != NULL;
	it->unchanged = !it->reported;
	if (!it->reported)
		return MF_CHANGE_ALWAYS;
	if ((now ? evaluate_record(s, it, now, err) : fail_changed(s, err)) < 0)
		return MF_CHANGE_REFUSED;
	return MF_CHANGE_ALWAYS;
}

/* A signer signs what exists: a copy in the cache is not enough. */
static int check_content(struct sign *s, const struct mf_write_item *it, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(s->w.im.trust);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(set, s->w.role);
	ptrdiff_t at = l ? mf_tuf_target_find(l->file, mf_str_c(it->name)) : -1;
	struct mf_tuf_target_info info;
	char digest[MF_DIGEST_TEXT];
	bool present = true;
	if (at < 0)
		return fail_changed(s, err);
	if (mf_tuf_target_info(set->d, l->file, (size_t)at, &info, err) < 0)
		return -1;
	if (!mf_trust_dir(s->w.im.trust) && mf_blobs_have(s->w.im.blobs, &info.sha256, 1, &present, err) < 0)
		return -1;
	mf_digest_format(digest, &info.sha256);
	if (!present)
		return mf_fail(err, MF_E_CONTENT_GONE, 0, "the content of '%s' is gone: %s", s->w.o->type,
			       digest);
	struct mf_spool *content MF_SPOOL_CLEANUP = NULL;
	return mf_content_get(&s->w.im, &(struct mf_content_wanted){mf_str_c(it->name), &info, NULL},
			      &content, err);
}

/* The time that a person takes to read is not the operation's. */
static int confirm(struct sign *s, const struct manifesto_record *const *v, size_t n, struct mf_err *err)
{
	const struct mf_write *w = &s->w;
	struct mf_env *env = &w->m->env;
	struct mf_pubkey *pub = w->signer.pub;
	const struct manifesto_signer *const *key = NULL;
	size_t one = 0;
	if (mf_report_keys(w->m, &pub, 1, w->a, &key, &one, err) < 0)
		return -1;
	int64_t asked = mf_monotonic_ms();
	int yes = w->o->confirm(w->o->confirm_arg, v, n, key[0]);
	if (env->deadline_ms)
		env->deadline_ms += mf_monotonic_ms() - asked;
	return yes ? 0 : mf_fail(err, MF_E_CANCELLED, 0, "'%s' was not signed", w->o->type);
}

static int show(struct sign *s, struct mf_err *err)
{
	struct mf_write *w = &s->w;
	const struct manifesto_record **v = mf_arena_alloc(w->a, w->n, sizeof(void *), err);
	size_t n = 0;
	if (!v)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		if (w->items[i].unchanged)
			continue;
		if (check_content(s, &w->items[i], err) < 0)
			return -1;
		v[n++] = w->items[i].record;
	}
	if (n && w->o->confirm && confirm(s, v, n, err) < 0)
		return -1;
	s->agreed = true;
	return 0;
}

static int sign(struct sign *s, struct mf_err *err)
{
	struct mf_write *w = &s->w;
	if (mf_write_open(w, err) < 0 || mf_write_items(w, err) < 0)
		return -1;
	s->shown = mf_calloc(w->n, sizeof *s->shown);
	if (!s->shown)
		return mf_fail_nomem(err);
	if (mf_write_load(w, err) < 0 || mf_write_choose_role(w, err) < 0 || mf_write_check(w, err) < 0 ||
	    show(s, err) < 0)
		return -1;
	/* Here, and not with this machine's other writers waiting, a passphrase is asked for. */
	if (mf_write_check(w, err) < 0 || mf_write_publish(w, err) < 0 || mf_write_warn_vetoed(w, err) < 0)
		return -1;
	return mf_write_report(w, err);
}

int manifesto_sign(struct manifesto *m, const struct manifesto_change_options *opt,
		   const struct manifesto_change_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_change_options o;
	struct sign s MF_CLEANUP(sign_clear) = {
	    .w = {.m = m, .o = &o, .first = true, .needs_entry = true, .evaluate = evaluate, .arg = &s}};
	struct manifesto_change_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	s.w.out = r;
	int rc = r ? sign(&s, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}
