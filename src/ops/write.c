/* Publishing records: the steps that put, sign, withdraw, rm and veto share. */
#include "ops/write.h"

#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"

static void item_clear(struct mf_write_item *i)
{
	free(i->name);
	free(i->first);
	free(i->failed);
	mf_buf_clear(&i->artifact);
	mf_buf_clear(&i->entry);
	mf_buf_clear(&i->cosignature);
	json_decref(i->tree);
}

void mf_write_clear(struct mf_write *w)
{
	if (w->op->clear)
		w->op->clear(w);
	for (size_t i = 0; i < w->n; i++)
		item_clear(&w->items[i]);
	free(w->items);
	free(w->edits);
	free(w->prefix);
	mf_wanted_clear(&w->subjects);
	free(w->role);
	mf_rebuild_ahead_clear(&w->rebuild);
	mf_proposal_clear(&w->proposal);
	manifesto_result_free(w->out);
}

int mf_write_open(struct mf_write *w, struct mf_err *err)
{
	w->created = mf_env_now(&w->m->env);
	if (asprintf(&w->prefix, "%s%s", w->op->own_names ? "" : w->o->type, w->op->own_names ? "" : "/") <
	    0) {
		w->prefix = NULL;
		return mf_fail_nomem(err);
	}
	if (mf_propose_begin(w->im, w->o->propose, &w->proposal, err) < 0)
		return -1;
	return mf_trust_check_writable(w->im->trust, err);
}

/* ---- subjects */

/* An IMAGE@DIGEST that is gone becomes a subject without media type, unless the operation needs the image. */
static int resolve(const struct mf_write *w, struct mf_write_image *img, struct mf_err *err)
{
	struct mf_subject_choice choice = {
	    .platform = w->o->platform, .all = w->o->all_platforms != 0, .described = !w->op->own_names};
	if (mf_image_subjects(&img->im, choice, &img->subjects, err) == 0)
		return 0;
	bool may_be_gone = !w->op->must_exist && img->im.ref.has_digest && !choice.platform && !choice.all;
	if (!may_be_gone || err->code != MF_E_NOT_FOUND)
		return -1;
	mf_err_clear(err);
	choice.described = false;
	return mf_image_subjects(&img->im, choice, &img->subjects, err);
}

/* Resolves every image and keeps each failure; fails with the first one. */
static int resolve_all(struct mf_write *w, size_t *nsubjects, struct mf_err *err)
{
	*nsubjects = 0;
	for (size_t i = 0; i < w->nimages; i++) {
		struct mf_write_image *img = w->images[i];
		struct mf_err why = MF_ERR_INIT;
		if (mf_window_reach(w->ahead, w->at + i, err) < 0)
			return -1;
		if (!img->failed && resolve(w, img, &why) < 0 &&
		    mf_write_keep_failure(&img->failed, &why, err) < 0)
			return -1;
		mf_manifest_clear(&img->im.manifest);
		*nsubjects += img->subjects.n;
	}
	for (size_t i = 0; i < w->nimages; i++)
		if (w->images[i]->failed) {
			*err = *w->images[i]->failed;
			return -1;
		}
	return 0;
}

int mf_write_init_item(const struct mf_write *w, struct mf_write_item *it, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	mf_buf_init(&it->artifact, MF_MAX_MANIFEST_BYTES);
	mf_buf_init(&it->entry, MF_MAX_CUSTOM_BYTES * 2);
	mf_buf_init(&it->cosignature, 8192);
	it->out->record = it->record;
	if (w->op->own_names)
		return 0;
	if (mf_record_name(&name, mf_str_c(it->type), &it->subject.digest, err) < 0)
		return -1;
	it->name = mf_buf_take(&name);
	return it->name ? 0 : mf_fail_nomem(err);
}

static struct mf_write_item *find_item(const struct mf_write *w, const struct mf_digest *subject)
{
	for (size_t i = 0; i < w->n; i++)
		if (mf_digest_eq(&w->items[i].subject.digest, subject))
			return &w->items[i];
	return NULL;
}

/* Two references to one image share its item, because the image has one record. */
static int add_items(struct mf_write *w, struct mf_write_image *img, struct manifesto_change_item *out,
		     struct manifesto_record *records, struct mf_err *err)
{
	img->items = mf_calloc(img->subjects.n, sizeof *img->items);
	if (!img->items)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < img->subjects.n; i++) {
		const struct mf_subject *s = &img->subjects.v[i];
		img->items[i] = find_item(w, &s->digest);
		if (img->items[i])
			continue;
		struct mf_write_item *it = img->items[i] = &w->items[w->n];
		*it = (struct mf_write_item){.subject = *s,
					     .im = &img->im,
					     .type = w->o->type,
					     .out = &out[w->n],
					     .record = &records[w->n]};
		w->n++;
		if (mf_write_init_item(w, it, err) < 0)
			return -1;
	}
	return 0;
}

int mf_write_items(struct mf_write *w, struct mf_err *err)
{
	size_t n;
	if (resolve_all(w, &n, err) < 0)
		return -1;
	w->items = mf_calloc(n, sizeof *w->items);
	w->edits = mf_calloc(n, sizeof *w->edits);
	struct manifesto_change_item *out = mf_arena_alloc(w->a, n, sizeof *out, err);
	struct manifesto_record *records = out ? mf_arena_alloc(w->a, n, sizeof *records, err) : NULL;
	if (!records)
		return -1;
	if (!w->items || !w->edits)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < w->nimages; i++)
		if (add_items(w, w->images[i], out, records, err) < 0)
			return -1;
	for (size_t i = 0; i < w->n; i++)
		if (mf_wanted_add(&w->subjects, &w->items[i].subject.digest, err) < 0)
			return -1;
	return 0;
}

/* ---- the records that are there already */

static int entry_now(struct mf_write *w, const struct mf_write_item *it, struct mf_entry *out,
		     char **canonical, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	size_t at;
	const struct mf_tuf_loaded *l = mf_tuf_set_find_target(set, w->role, mf_str_c(it->name), &at);
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 4);
	*canonical = NULL;
	*out = (struct mf_entry){0};
	if (!l)
		return 0;
	if (mf_json_canonicalize(mf_tuf_target_value(l->file, at), &b, err) < 0 ||
	    mf_entry_read(set, l, at, out, err) < 0)
		return -1;
	*canonical = mf_buf_take(&b);
	return *canonical ? 1 : mf_fail_nomem(err);
}

/* An entry that another publisher changed after the first check is replaced only with --force. */
static int check_item(struct mf_write *w, struct mf_write_item *it, struct mf_err *err)
{
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	char *now MF_FREE = NULL;
	if (entry_now(w, it, &e, &now, err) < 0)
		return -1;
	it->unchanged = it->kept = false;
	it->had_artifact = e.role && e.record.has_artifact;
	it->old_artifact = e.record.artifact;
	/* A record may name any manifest of the repository, even an image. Only one that can be made again
	 * from the record is the record's own, and may be deleted. */
	struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	enum mf_found owned =
	    it->had_artifact
		? mf_artifact_again(&it->subject, &e, mf_trust_identity(w->im->trust), &again, err)
		: MF_ABSENT;
	if (owned == MF_FAILED)
		return -1;
	it->owned_artifact = owned == MF_FOUND;
	enum mf_change change = w->op->evaluate(w, it, e.role ? &e : NULL, err);
	if (change == MF_CHANGE_REFUSED)
		return -1;
	if (w->first) {
		it->first = now;
		now = NULL;
		return 0;
	}
	bool moved = (now == NULL) != (it->first == NULL) || (now && strcmp(now, it->first) != 0);
	if (!moved || change == MF_CHANGE_ALWAYS || it->unchanged || w->o->force ||
	    strcmp(now ? now : "", mf_buf_str(&it->entry).p) == 0)
		return 0;
	(void)mf_fail(err, MF_E_CONFLICT, 0, "somebody else has just changed '%s' of this image in '%s'",
		      it->type, w->role);
	mf_err_set_hint(err, "read it with 'manifesto get'; --force replaces it");
	return -1;
}

/* Fails an image that has no record to be changed by any of its items. */
static int check_reported(struct mf_write *w, struct mf_write_image *img, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	char digest[MF_DIGEST_TEXT];
	for (size_t i = 0; i < img->subjects.n; i++)
		if (img->items[i]->reported || img->items[i]->failed)
			return 0;
	mf_digest_format(digest, &img->subjects.v[0].digest);
	if (w->op->needs_entry)
		(void)mf_fail(&why, MF_E_NOT_FOUND, 0, "role '%s' has no '%s' record for %s", w->role,
			      w->o->type, digest);
	else
		(void)mf_fail(&why, MF_E_NOT_FOUND, 0, "no '%s' record for %s to withdraw", w->o->type,
			      digest);
	return mf_write_keep_failure(&img->items[0]->failed, &why, err);
}

int mf_write_first_failure(const struct mf_write *w, struct mf_err *err)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->items[i].failed) {
			*err = *w->items[i].failed;
			return -1;
		}
	return 0;
}

int mf_write_check(struct mf_write *w, struct mf_err *err)
{
	for (size_t i = 0; i < w->n; i++) {
		struct mf_write_item *it = &w->items[i];
		struct mf_err why = MF_ERR_INIT;
		free(it->failed);
		it->failed = NULL;
		if (check_item(w, it, &why) < 0 && mf_write_keep_failure(&it->failed, &why, err) < 0)
			return -1;
	}
	for (size_t i = 0; w->first && i < w->nimages; i++)
		if (check_reported(w, w->images[i], err) < 0)
			return -1;
	w->first = false;
	return mf_write_first_failure(w, err);
}

enum mf_found mf_write_next_other(const struct mf_write *w, const struct mf_write_item *it, size_t *at,
				  struct mf_entry *out, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	while (*at < set->nroles) {
		const struct mf_tuf_loaded *l = set->roles[(*at)++];
		if (strcmp(l->role, w->role) == 0 || !mf_policy_authorised(set, l, mf_str_c(it->type), NULL))
			continue;
		int rc = mf_policy_read(set, l, mf_str_c(it->name), out, err);
		if (rc)
			return rc < 0 ? MF_FAILED : MF_FOUND;
	}
	return MF_ABSENT;
}

enum mf_found mf_write_vetoed(struct mf_write *w, const struct mf_write_item *it, struct mf_entry *out,
			      struct mf_err *err)
{
	size_t at = 0;
	enum mf_found found;
	while ((found = mf_write_next_other(w, it, &at, out, err)) == MF_FOUND &&
	       out->state != MF_STATE_WITHDRAWN)
		mf_entry_clear(out);
	return found;
}

int mf_write_refuse_withdrawn(const struct mf_write *w, const struct mf_entry *e, struct mf_err *err)
{
	(void)mf_entry_refuse_withdrawn(e, &w->im->m->names, err);
	if (strcmp(e->role->role, w->role) == 0)
		mf_err_set_hint(err, "'manifesto put --reinstate' lifts the withdrawal with a new record, "
				     "'manifesto rm --reinstate' without one");
	else
		mf_err_set_hint(err,
				"only a key of role '%s' can lift the withdrawal, with 'put --reinstate' or "
				"'rm --reinstate'",
				e->role->role);
	return -1;
}

/* ---- publishing */

/* The delegations may have changed since the role was chosen. A record that readers would not accept from
 * this role is not published. */
static int check_authority(const struct mf_write *w, const char *type, struct mf_err *err)
{
	const struct mf_tuf_role *roles[64];
	size_t n = mf_policy_roles(mf_trust_set(w->im->trust), mf_str_c(type), roles, 64);
	if (w->o->role && strcmp(w->role, "targets") == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(roles[i]->name, w->role) == 0)
			return 0;
	return mf_fail(err, MF_E_CONFLICT, 0,
		       "role '%s' may no longer sign '%s': the delegations have just changed", w->role, type);
}

static int check_authorities(const struct mf_write *w, struct mf_err *err)
{
	for (size_t i = 0; i < w->n; i++)
		if ((i == 0 || strcmp(w->items[i].type, w->items[i - 1].type) != 0) &&
		    check_authority(w, w->items[i].type, err) < 0)
			return -1;
	return 0;
}

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct mf_write *w = arg;
	if (w->op->fill)
		return w->op->fill(w, t, out, err);
	if (check_authorities(w, err) < 0 || mf_write_check(w, err) < 0)
		return MF_FAILED;
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++)
		if (!w->items[i].unchanged)
			w->edits[n++] =
			    (struct mf_tuf_edit){mf_str_c(w->items[i].name), mf_buf_str(&w->items[i].entry)};
	qsort(w->edits, n, sizeof *w->edits, mf_tuf_edit_cmp);
	*out = (struct mf_publish_change){.role = w->role, .edits = w->edits, .nedits = n};
	/* An expired repository is published once more even when nothing else changes: otherwise nobody could
	 * read what was put. */
	return n || mf_trust_set(t)->expired ? MF_FOUND : MF_ABSENT;
}

static enum mf_found run(struct mf_write *w, struct mf_err *err)
{
	const struct mf_publish_intent in = {.prefix = mf_str_c(w->prefix),
					     .subjects = w->subjects.v,
					     .end = w->o->propose ? MF_PUBLISH_PROPOSE : MF_PUBLISH_SEND,
					     .proposal = w->o->propose ? &w->proposal : NULL,
					     .fill = fill,
					     .arg = w};
	return mf_publish_run(w->im->trust, &in, &w->version, err);
}

int mf_write_propose(struct mf_write *w, struct mf_err *err)
{
	return w->o->propose && run(w, err) == MF_FAILED ? -1 : 0;
}

int mf_write_publish(struct mf_write *w, struct mf_err *err)
{
	enum mf_found found = w->proposal.tree ? MF_FOUND : run(w, err);
	if (found == MF_FAILED)
		return -1;
	bool edited = false;
	for (size_t i = 0; i < w->n; i++)
		edited |= !w->items[i].unchanged;
	w->renewed = found == MF_FOUND && !edited;
	if (found == MF_FOUND && w->o->propose) {
		w->out->missing = w->proposal.missing;
		return mf_propose_store(w->im, w->o->propose, &w->proposal, w->a, &w->out->proposal, err);
	}
	if (found == MF_ABSENT) {
		const struct mf_tuf_loaded *l = mf_tuf_set_find(mf_trust_set(w->im->trust), w->role);
		w->version = l ? l->file->version : 0;
	}
	return 0;
}
