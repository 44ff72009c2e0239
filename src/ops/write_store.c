/* The files that a change of records stores beside the signed metadata: content and artifact manifests before
 * the publish, catalogue and referrers after it. */
#include <stdio.h>

#include "ops/drift.h"
#include "ops/write.h"

static bool is_new(const struct mf_write_item *it)
{
	return it->content && !it->unchanged && !it->kept;
}

/* ---- the configuration of the catalogue, which can be uploaded together with the content */

#define FORESEEN 200 /* records, stored and new: the configuration of more would exceed MF_BLOB_UNASKED */

static bool is_replaced(const struct mf_write *w, const struct mf_catalogue_record *r)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct mf_write_item *it = &w->items[i];
		if (is_new(it) && strcmp(it->type, r->type) == 0 && strcmp(w->role, r->role) == 0 &&
		    mf_digest_eq(&it->subject.digest, &r->subject))
			return true;
	}
	return false;
}

/* Makes the configuration that the catalogue will have after our publish, if nobody else publishes meanwhile.
 */
static int foresee_records(const struct mf_write *w, struct mf_buf *config, struct mf_err *err)
{
	struct mf_entries all MF_ENTRIES_CLEANUP = {0};
	struct mf_catalogue_text now MF_CATALOGUE_CLEANUP = {0};
	char created[MF_TIME_LEN];
	if (mf_policy_survey(mf_trust_set(w->im->trust), NULL, &all, err) < 0 ||
	    mf_catalogue_of(&all, NULL, &now, err) < 0)
		return -1;
	struct mf_catalogue_record *v MF_FREE = mf_calloc(now.n + w->n, sizeof *v);
	size_t n = 0;
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < now.n; i++)
		if (!is_replaced(w, &now.v[i]))
			v[n++] = now.v[i];
	mf_time_format(created, w->created);
	for (size_t i = 0; i < w->n; i++) {
		const struct mf_write_item *it = &w->items[i];
		if (is_new(it))
			v[n++] = (struct mf_catalogue_record){.subject = it->subject.digest,
							      .blob = it->content->digest,
							      .length = it->content->length,
							      .type = it->type,
							      .media_type = it->content->media_type,
							      .role = w->role,
							      .created = created};
	}
	return mf_catalogue_config(v, n, config, err);
}

/* Makes that configuration before the publish. NULL: it is not known yet, because there are delegated roles,
 * or the catalogue is large; layouts and proposals need none. The rebuild then makes it, and also when this
 * one turns out to be wrong. */
static struct mf_spool *foresee_config(struct mf_write *w, uint64_t *length)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf config MF_BUF_CLEANUP = MF_BUF_INIT(MF_BLOB_UNASKED);
	bool parts[256];
	if (w->im->store_ref.transport == MF_TRANSPORT_LAYOUT || w->o->propose || set->nroles != 1 ||
	    set->roles[0]->file->nroles || mf_policy_tally(set, parts) > FORESEEN || w->n > FORESEEN ||
	    foresee_records(w, &config, &ignored) < 0)
		return NULL;
	struct mf_spool *spool MF_SPOOL_CLEANUP = mf_spool_new(config.n, &ignored);
	if (!spool || mf_spool_add(spool, config.p, config.n, &ignored) < 0 ||
	    mf_spool_end(spool, &w->rebuild.config, length, &ignored) < 0)
		return NULL;
	struct mf_spool *out = spool;
	spool = NULL;
	return out;
}

/* ---- content */

/* Lists the contents to upload, each once, even if several items share it. Content of records that stay is
 * listed only if the store has lost it. */
static int list_contents(struct mf_write *w, struct mf_blob_source *v, size_t *n, struct mf_err *err)
{
	const struct mf_content *last = NULL;
	for (size_t i = 0; i < w->n; i++) {
		const struct mf_content *c = w->items[i].content;
		bool needed = false, present = false;
		if (!c || c == last)
			continue;
		last = c;
		for (size_t k = i; k < w->n; k++)
			needed |= w->items[k].content == c && is_new(&w->items[k]);
		if (!needed && mf_blobs_have(w->im->blobs, &c->digest, 1, &present, err) < 0)
			return -1;
		if (!present)
			v[(*n)++] = (struct mf_blob_source){
			    .blob = c->blob, .digest = &c->digest, .length = c->length};
	}
	return 0;
}

static int store_contents(struct mf_write *w, struct mf_err *err)
{
	struct mf_spool *config MF_SPOOL_CLEANUP = NULL;
	struct mf_blob_source *v MF_FREE = mf_calloc(w->n + 1, sizeof *v);
	size_t n = 0;
	if (!v)
		return mf_fail_nomem(err);
	if (list_contents(w, v, &n, err) < 0)
		return -1;
	struct mf_blob_source *more = &v[n];
	/* A small content and the configuration are sent together; a large one is sent by itself. */
	if (n == 1 && v[0].length <= MF_BLOB_UNASKED)
		config = foresee_config(w, &more->length);
	if (config) {
		more->blob = config;
		more->digest = &w->rebuild.config;
		more->optional = true;
		n++;
	}
	if (mf_blobs_put(w->im->blobs, v, n, err) < 0)
		return -1;
	w->rebuild.has_config = more->done;
	return 0;
}

/* Stores target files. The lock lets one writer of this machine at a time into the directory. */
static int store_targets(struct mf_write *w, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if (!mf_trust_keeps_targets(w->im->trust))
		return 0;
	if (mf_publish_lock(w->im->trust, &lock, err) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		const struct mf_write_item *it = &w->items[i];
		if (it->content && mf_content_put_target(w->im, mf_str_c(it->name), it->content->blob,
							 &it->content->digest, err) < 0)
			return -1;
	}
	return 0;
}

/* The name that --link gives an artifact manifest in the index.json of a layout; a later put replaces the
 * manifest there. NULL for a registry. */
static const char *link_name(const struct mf_write *w, const struct mf_write_item *it, char out[160])
{
	char subject[65];
	if (w->im->store_ref.transport != MF_TRANSPORT_LAYOUT)
		return NULL;
	mf_digest_hex(subject, &it->subject.digest);
	(void)snprintf(out, 160, "manifesto-%.12s-%s", subject, it->type);
	return out;
}

/* Does the registry refuse an artifact manifest? That does not fail the change: artifact manifests show
 * records to other tools, and nothing trusts them. Missing content is another error, and does fail it. */
static bool is_refusal(const struct mf_err *err)
{
	return err->code == MF_E_REFUSED || err->code == MF_E_FORMAT || err->code == MF_E_DIGEST;
}

#define WINDOW 32 /* artifact manifests that are put at once */

struct storing {
	struct mf_write *w;
	struct mf_manifest_call *calls[WINDOW];
};

static void storing_clear(struct storing *s)
{
	for (size_t i = 0; i < WINDOW; i++)
		mf_manifest_call_cancel(s->calls[i]);
}

static int begin_artifact(void *arg, size_t i, struct mf_err *err)
{
	struct storing *s = arg;
	struct mf_write_item *it = &s->w->items[i];
	struct mf_manifest_call **call = &s->calls[i % WINDOW];
	char tag[160];
	if (!is_new(it) || !it->artifact.n)
		return 0;
	*call = mf_manifest_put_begin(s->w->im->blobs, link_name(s->w, it, tag), MF_MT_OCI_MANIFEST,
				      mf_buf_bytes(&it->artifact), err);
	return *call ? 0 : -1;
}

static int end_artifact(struct storing *s, size_t i, struct mf_err *err)
{
	struct mf_write *w = s->w;
	struct mf_write_item *it = &w->items[i];
	char tag[160];
	struct mf_manifest_call *c = s->calls[i % WINDOW];
	s->calls[i % WINDOW] = NULL;
	if (!c)
		return 0;
	it->stored =
	    mf_artifact_put_end(w->im, c, mf_buf_bytes(&it->artifact), link_name(w, it, tag), err) == 0;
	if (it->stored)
		return 0;
	if (!is_refusal(err))
		return -1;
	w->refused = *err;
	mf_err_clear(err);
	return 0;
}

/* Stores the first one alone: in a new repository it fails for lack of the empty configuration, which is then
 * stored once for all. */
static int store_artifacts(struct mf_write *w, struct mf_err *err)
{
	struct storing s MF_CLEANUP(storing_clear) = {.w = w};
	struct mf_window ahead = {.n = w->n, .most = 1, .begin = begin_artifact, .arg = &s};
	for (size_t i = 0; i < w->n; i++) {
		if (mf_window_reach(&ahead, i, err) < 0)
			return -1;
		ahead.most = s.calls[i % WINDOW] ? WINDOW : ahead.most;
		if (end_artifact(&s, i, err) < 0)
			return -1;
	}
	return 0;
}

/* Sets `restore` if an artifact manifest of a record that stays was lost. */
static int find_lost(struct mf_write *w, struct mf_err *err)
{
	struct mf_digest *v MF_FREE = mf_calloc(w->n, sizeof *v);
	bool *present MF_FREE = mf_calloc(w->n, sizeof *present);
	size_t n = 0;
	if (!v || !present)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < w->n; i++)
		if (w->items[i].content && !is_new(&w->items[i]) && w->items[i].had_artifact)
			v[n++] = w->items[i].old_artifact;
	if (w->im->store_ref.transport == MF_TRANSPORT_LAYOUT || n == 0)
		return 0;
	if (mf_manifests_have(w->im->blobs, v, n, present, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		w->restore |= !present[i];
	return 0;
}

int mf_write_store_artifacts(struct mf_write *w, struct mf_err *err)
{
	if (store_artifacts(w, err) < 0)
		return mf_wrap(err, "store the artifact manifest");
	return find_lost(w, err);
}

int mf_write_store(struct mf_write *w, struct mf_err *err)
{
	if (mf_write_propose(w, err) < 0)
		return -1;
	if (store_contents(w, err) < 0)
		return mf_wrap(err, "store the content");
	if (store_targets(w, err) < 0)
		return mf_wrap(err, "store the target file");
	return mf_write_store_artifacts(w, err);
}

/* ---- afterwards */

/* Adds each subject once: items of one subject with several types stand next to each other. */
static void add_subject(struct mf_subjects *s, const struct mf_subject *one)
{
	if (!s->n || !mf_digest_eq(&s->v[s->n - 1].digest, &one->digest))
		s->v[s->n++] = *one;
}

int mf_write_rebuild_soon(struct mf_write *w, struct mf_err *err)
{
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {.v = mf_calloc(w->n, sizeof(struct mf_subject))};
	struct mf_digest *subjects MF_FREE = mf_calloc(w->n, sizeof *subjects);
	bool changed = false;
	if (!s.v || !subjects)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < w->n; i++) {
		add_subject(&s, &w->items[i].subject);
		subjects[s.n - 1] = s.v[s.n - 1].digest;
		changed |= !w->items[i].unchanged;
	}
	if (changed && !w->o->propose)
		mf_rebuild_begin(w->im, subjects, s.n, &w->rebuild);
	return 0;
}

static void warn_rebuilt(struct mf_write *w, const struct mf_rebuild *r)
{
	const char *name = mf_trust_pin_name(w->im->trust);
	if (w->refused.code)
		mf_write_warn(w,
			      "it is published, but the registry refused its artifact manifest, so that "
			      "other tools do not "
			      "find the record: %s",
			      w->refused.msg);
	if (mf_rebuild_refused(&r->catalogue))
		mf_write_warn(
		    w,
		    "it is published, but the registry does not let the catalogue '_manifesto' be written: "
		    "%s; %s; "
		    "let the tags '_manifesto*' and 'sha256-*' change, then run 'manifesto repair %s'",
		    r->catalogue.msg,
		    r->kept == r->nstored ? "a tag of its own keeps the content"
					  : "garbage collection may take the content",
		    name);
	else if (r->catalogue.code || r->lists.code)
		mf_write_warn(w,
			      "it is published, but catalogue and referrers are behind: %s; 'manifesto "
			      "repair %s' writes them",
			      r->catalogue.code ? r->catalogue.msg : r->lists.msg, name);
	if (r->deletes.code)
		mf_write_warn(w,
			      "the registry does not delete the artifact manifest of what was there before, "
			      "and other tools "
			      "still find it: %s",
			      r->deletes.msg);
}

int mf_write_rebuild(struct mf_write *w, struct mf_err *err)
{
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {.v = mf_calloc(w->n, sizeof(struct mf_subject))};
	struct mf_digest *replaced MF_FREE = mf_calloc(2 * w->n, sizeof *replaced);
	struct mf_bytes *stored MF_FREE = mf_calloc(w->n, sizeof *stored);
	struct mf_err why = MF_ERR_INIT;
	if (w->out->proposal)
		return 0;
	struct mf_rebuild r = {.ahead = &w->rebuild,
			       .subjects = &s,
			       .restore = w->restore,
			       .replaced = replaced,
			       .stored = stored,
			       .catalogue = MF_ERR_INIT,
			       .lists = MF_ERR_INIT,
			       .deletes = MF_ERR_INIT};
	if (!s.v || !replaced || !stored)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < w->n; i++) {
		const struct mf_write_item *it = &w->items[i];
		add_subject(&s, &it->subject);
		r.changed |= !it->unchanged;
		if (it->owned_artifact)
			replaced[r.nreplaced++] = it->old_artifact;
		/* If another publisher was faster, no record names our artifact manifest: it is deleted. */
		if (it->stored)
			replaced[r.nreplaced++] = it->artifact_digest;
		if (it->stored)
			stored[r.nstored++] = mf_buf_bytes(&it->artifact);
	}
	if (mf_rebuild(w->im, &r, &why) < 0)
		mf_write_warn(w, "it is published, but catalogue and referrers are behind: %s", why.msg);
	else
		warn_rebuilt(w, &r);
	return 0;
}
