/* The result of a change of records, and its warnings. */
#include <stdio.h>

#include "ops/write.h"

void mf_write_warn(struct mf_write *w, const char *fmt, ...)
{
	const size_t most = 8;
	char text[1200];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	struct mf_err ignored = MF_ERR_INIT; /* found by mf_arena_check */
	if (!w->warnings)
		w->warnings = mf_arena_alloc(w->a, most, sizeof(char *), &ignored);
	w->a->failed |= !w->warnings;
	if (w->warnings && w->nwarnings < most)
		w->warnings[w->nwarnings++] = mf_arena_text(w->a, text);
}

int mf_write_warn_vetoed(struct mf_write *w, struct mf_err *err)
{
	enum mf_found vetoed = MF_ABSENT;
	for (size_t i = 0; vetoed == MF_ABSENT && i < w->n; i++) {
		struct mf_entry veto MF_ENTRY_CLEANUP = {0};
		vetoed = mf_write_vetoed(w, &w->items[i], &veto, err);
		if (vetoed == MF_FOUND)
			mf_write_warn(w, "'%s' is still withdrawn by '%s', and only that role can lift it",
				      w->items[i].type, veto.role->role);
	}
	return vetoed == MF_FAILED ? -1 : 0;
}

/* ---- the result */

int mf_write_report_entry(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
			  struct mf_err *err)
{
	return mf_report_record(it->im, now, it->subject.platform, w->a, it->record, err);
}

int mf_write_report_new(struct mf_write *w, struct mf_write_item *it, const struct mf_record_fields *f,
			struct mf_err *err)
{
	struct mf_pubkey *key = w->signer.pub;
	struct manifesto_record r = {
	    .image = mf_report_image(w->a, it->im, &it->subject.digest),
	    .subject = mf_report_digest(w->a, &it->subject.digest),
	    .platform = it->subject.platform[0] ? mf_arena_text(w->a, it->subject.platform) : NULL,
	    .type = mf_arena_text(w->a, it->type),
	    .role = mf_arena_text(w->a, w->role),
	    .digest = mf_report_digest(w->a, &it->content->digest),
	    .length = it->content->length,
	    .media_type = mf_arena_text(w->a, f->media_type),
	    .author = mf_arena_text(w->a, f->author),
	    .reason = mf_arena_text(w->a, f->reason),
	    .created = f->created,
	    .expires = f->expires,
	    .has_created = 1,
	    .has_expires = f->expires != 0,
	    .state = mf_state_name(f->withdrawn ? MF_STATE_WITHDRAWN : MF_STATE_CURRENT)};
	while (f->annotations && f->annotations[r.nannotations])
		r.nannotations++;
	const char **annotations = mf_arena_alloc(w->a, r.nannotations, sizeof(char *), err);
	const char **withdrew = annotations ? mf_arena_alloc(w->a, f->nwithdrew, sizeof(char *), err) : NULL;
	if (!withdrew || mf_report_keys(w->m, &key, 1, w->a, &r.signers, &r.nsigners, err) < 0)
		return -1;
	for (size_t i = 0; f->annotations && i < r.nannotations; i++)
		annotations[i] = mf_arena_text(w->a, f->annotations[i]);
	for (size_t i = 0; i < f->nwithdrew; i++)
		withdrew[i] = mf_report_digest(w->a, &f->withdrew[i]);
	r.annotations = annotations;
	r.withdrew = withdrew;
	r.nwithdrew = f->nwithdrew;
	*it->record = r;
	return mf_arena_check(w->a, err);
}

int mf_write_report_signed(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
			   struct mf_err *err)
{
	struct mf_entry e = *now;
	bool *signed_by MF_FREE = mf_calloc(now->nkeys, sizeof *signed_by);
	if (!signed_by)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < now->nkeys; i++)
		signed_by[i] = now->signed_by[i] || mf_write_is_ours(w, now->keys[i]);
	e.signed_by = signed_by;
	if (e.state == MF_STATE_FOREIGN)
		e.state = MF_STATE_CURRENT;
	return mf_write_report_entry(w, it, &e, err);
}

int mf_write_report(struct mf_write *w, struct mf_err *err)
{
	struct manifesto_change_result *out = w->out;
	struct mf_digest fp = mf_pubkey_fingerprint(w->signer.pub);
	const struct manifesto_change_item **items = mf_arena_alloc(w->a, w->n, sizeof(void *), err);
	struct manifesto_signer *signer = items ? mf_arena_alloc(w->a, 1, sizeof *signer, err) : NULL;
	if (!signer)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		if (!w->items[i].reported)
			continue;
		if (!w->op->has_versions)
			w->items[i].record->role_version = w->version;
		items[out->nitems++] = w->items[i].out;
	}
	out->items = items;
	out->role = mf_arena_text(w->a, w->role);
	out->version = w->version;
	out->published_to = mf_arena_text(w->a, mf_trust_where(w->im->trust));
	signer->fingerprint = mf_report_hex(w->a, &fp);
	signer->name = mf_arena_text(w->a, w->signer.name);
	signer->key_type = mf_key_type_name(mf_pubkey_type(w->signer.pub));
	out->signer = signer;
	out->warnings = w->warnings;
	out->nwarnings = w->nwarnings;
	return mf_arena_check(w->a, err);
}
