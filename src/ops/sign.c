/* sign: one's own signature under the record that is there, after it was shown. */
#include "crypto/hash.h"
#include "ops/write.h"

struct sign {
	struct mf_write w; /* first: `judge` is called with it */
	const struct manifesto_sign_options *o;
	struct manifesto_change_result *out;
	struct manifesto_change_item *items; /* by item of w, in the result's arena */
	struct mf_digest *shown;             /* payload digests, by item */
	bool *there;                         /* the item has a record */
	bool agreed;                         /* what was shown is to be signed */
};

static void sign_clear(struct sign *s)
{
	mf_write_clear(&s->w);
	free(s->shown);
	free(s->there);
}

/* What cannot be signed, or should not be. */
static int check_state(struct sign *s, const struct mf_write_item *it, const struct mf_entry *e,
		       struct mf_err *err)
{
	struct mf_entry veto MF_ENTRY_CLEANUP = {0};
	if (!e->record.tree) {
		(void)mf_fail(err, MF_E_POLICY, 0,
			      "the '%s' entry of '%s' is foreign: it has no description to sign", s->o->type,
			      s->w.role);
		mf_err_set_hint(err, "'manifesto put' makes a record of its content");
		return -1;
	}
	if (e->state == MF_STATE_WITHDRAWN)
		return mf_write_refuse_withdrawn(e, true, err);
	if (e->state == MF_STATE_EXPIRED)
		return mf_fail(err, MF_E_RECORD_EXPIRED, 0, "the '%s' record of '%s' has expired", s->o->type,
			       s->w.role);
	int rc = mf_write_vetoed(&s->w, it, &veto, err);
	return rc > 0 ? mf_write_refuse_withdrawn(&veto, false, err) : rc;
}

static int fail_changed(const struct sign *s, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_CONFLICT, 0,
		      "the '%s' record of '%s' has changed since it was shown: nothing was signed",
		      s->o->type, s->w.role);
	mf_err_set_hint(err, "sign again to see the new one");
	return -1;
}

/* The entry as it will be, for the report. */
static int report_signed(struct sign *s, struct mf_write_item *it, const struct mf_entry *now,
			 struct manifesto_record *out, struct mf_err *err)
{
	struct mf_entry e = *now;
	struct mf_digest fp = mf_pubkey_fingerprint(s->w.signer.pub);
	bool *signed_by MF_FREE = mf_calloc(now->nkeys, sizeof *signed_by);
	if (!signed_by)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < now->nkeys; i++) {
		struct mf_digest k = {{0}};
		if (now->keys[i])
			k = mf_pubkey_fingerprint(now->keys[i]);
		signed_by[i] = now->signed_by[i] || (now->keys[i] && mf_digest_eq(&k, &fp));
	}
	e.signed_by = signed_by;
	if (e.state == MF_STATE_FOREIGN)
		e.state = MF_STATE_CURRENT;
	return mf_report_record(&s->w.im, &e, it->subject.platform, &s->out->arena->a, out, err);
}

static int judge(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now, bool first,
		 struct mf_err *err)
{
	struct sign *s = (struct sign *)w;
	size_t i = (size_t)(it - w->items);
	struct manifesto_change_item *item = &s->items[i];
	struct mf_digest payload;
	if (first)
		s->there[i] = now != NULL;
	it->unchanged = !s->there[i];
	if (!s->there[i])
		return 1;
	if (!now)
		return fail_changed(s, err);
	if (check_state(s, it, now, err) < 0 || mf_write_payload_digest(w, it, now, &payload, err) < 0)
		return -1;
	if (first)
		s->shown[i] = payload;
	/* Signatures that were added meanwhile are no change of the record. */
	if (!mf_digest_eq(&payload, &s->shown[i]))
		return fail_changed(s, err);
	item->unchanged = mf_write_signed_by_us(w, now);
	it->unchanged = item->unchanged != 0;
	if (!s->agreed || it->unchanged)
		return mf_report_record(&w->im, now, it->subject.platform, &s->out->arena->a, &item->record,
					err) < 0
			   ? -1
			   : 1;
	if (mf_write_cosign(w, it, now, err) < 0 || report_signed(s, it, now, &item->record, err) < 0)
		return -1;
	return 1;
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
		return mf_fail(err, MF_E_CONTENT_GONE, 0, "the content of '%s' is gone: %s", s->o->type,
			       digest);
	struct mf_spool *content MF_SPOOL_CLEANUP = NULL;
	return mf_content_get(&s->w.im, &(struct mf_content_wanted){mf_str_c(it->name), &info, NULL},
			      &content, err);
}

/* The time that a person takes to read is not the operation's. */
static int ask(struct sign *s, const struct manifesto_record *v, size_t n, struct mf_err *err)
{
	struct mf_env *env = &s->w.m->env;
	struct mf_pubkey *pub = s->w.signer.pub;
	const struct manifesto_signer *key = NULL;
	size_t one = 0;
	if (mf_report_keys(s->w.m, &pub, 1, &s->out->arena->a, &key, &one, err) < 0)
		return -1;
	int64_t asked = mf_monotonic_ms();
	int yes = s->o->confirm(s->o->confirm_arg, v, n, key);
	if (env->deadline_ms)
		env->deadline_ms += mf_monotonic_ms() - asked;
	return yes ? 0 : mf_fail(err, MF_E_CANCELLED, 0, "'%s' was not signed", s->o->type);
}

static int show(struct sign *s, struct mf_err *err)
{
	struct mf_write *w = &s->w;
	struct manifesto_record *v = mf_arena_alloc(&s->out->arena->a, w->n, sizeof *v, err);
	size_t n = 0;
	if (!v)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		if (w->items[i].unchanged)
			continue;
		if (check_content(s, &w->items[i], err) < 0)
			return -1;
		v[n++] = s->items[i].record;
	}
	if (n && s->o->confirm && ask(s, v, n, err) < 0)
		return -1;
	s->agreed = true;
	return 0;
}

static int report(struct sign *s, int64_t version, struct mf_err *err)
{
	size_t n = 0;
	if (mf_write_warn_vetoed(&s->w, &s->out->arena->a, err) < 0)
		return -1;
	for (size_t i = 0; i < s->w.n; i++) {
		if (!s->there[i])
			continue;
		s->items[i].record.role_version = version;
		s->items[n++] = s->items[i];
	}
	return mf_write_report_change(&s->w, s->items, n, version, s->out, err);
}

static int sign(struct sign *s, struct mf_err *err)
{
	struct mf_write *w = &s->w;
	int64_t version = 0;
	s->out->arena = mf_op_arena(err);
	if (!s->out->arena || mf_write_open(w, s->o->image, err) < 0 || mf_image_begin(&w->im, err) < 0 ||
	    mf_write_items(
		w, (struct mf_subject_choice){.platform = s->o->platform, .all = s->o->all_platforms != 0},
		err) < 0)
		return -1;
	s->items = mf_arena_alloc(&s->out->arena->a, w->n, sizeof *s->items, err);
	s->shown = mf_calloc(w->n, sizeof *s->shown);
	s->there = mf_calloc(w->n, sizeof *s->there);
	if (!s->items)
		return -1;
	if (!s->shown || !s->there)
		return mf_fail_nomem(err);
	if (mf_write_load(w, err) < 0 || mf_write_choose_role(w, err) < 0 ||
	    mf_write_look(w, true, err) < 0 || show(s, err) < 0)
		return -1;
	/* Here, and not with this machine's other writers waiting, a passphrase is asked for. */
	if (mf_write_look(w, false, err) < 0 || mf_write_publish(w, &version, err) < 0)
		return -1;
	return report(s, version, err);
}

int manifesto_sign(struct manifesto *m, const struct manifesto_sign_options *opt,
		   struct manifesto_change_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_change_result r = {.size = sizeof r};
	struct sign s MF_CLEANUP(sign_clear) = {.w = {.m = m,
						      .type = opt->type,
						      .asked_role = opt->role,
						      .asked_key = opt->key,
						      .needs_entry = true,
						      .judge = judge},
						.o = opt,
						.out = &r};
	mf_op_begin(m, error);
	if (sign(&s, &err) < 0) {
		manifesto_change_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

void manifesto_change_result_clear(struct manifesto_change_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_change_result){.size = sizeof *r};
}
