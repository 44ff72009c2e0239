/* Makes catalogue and referrers from the signed records. They show people what is stored, and keep garbage
 * collectors from deleting it; nothing trusts them. */
#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "ops/drift.h"
#include "publish/publish.h"

/* ---- artifact manifests */

#define ARTIFACT_TYPE (MF_MAX_TYPE + 32)

static void put_artifact_type(char out[ARTIFACT_TYPE], struct mf_str type, const char *media_type)
{
	/* A withdrawal has an artifact type of its own: a client that asks for the referrers of the record's
	 * type must not find it. */
	if (strcmp(media_type, MF_MT_WITHDRAWN) == 0)
		(void)snprintf(out, ARTIFACT_TYPE, "%s", MF_MT_WITHDRAWN);
	else
		(void)snprintf(out, ARTIFACT_TYPE, "application/vnd.manifesto.%.*s", MF_STR_ARG(type));
}

/* The file name under which other tools save the content. */
static void title_of(char out[MF_MAX_TYPE + 8], struct mf_str type, const char *media_type)
{
	size_t n = strcspn(media_type, "; ");
	struct mf_str bare = {media_type, n};
	bool json = mf_str_eqz(bare, "application/json") || mf_str_ends(bare, MF_STR("+json"));
	(void)snprintf(out, MF_MAX_TYPE + 8, "%.*s%s", MF_STR_ARG(type),
		       json                             ? ".json"
		       : mf_str_eqz(bare, "text/plain") ? ".txt"
							: "");
}

int mf_artifact_of(const struct mf_subject *s, const struct mf_artifact_record *r, struct mf_buf *out,
		   struct mf_digest *digest, struct mf_err *err)
{
	char artifact_type[ARTIFACT_TYPE], title[MF_MAX_TYPE + 8], created[MF_TIME_LEN];
	const char *media_type = r->media_type ? r->media_type : "application/octet-stream";
	struct mf_artifact a = {
	    .artifact_type = artifact_type,
	    .blob = {.digest = r->blob, .size = r->length, .media_type = media_type},
	    .subject = {.digest = s->digest, .size = s->size, .media_type = s->media_type},
	    .owner = r->owner,
	};
	put_artifact_type(artifact_type, r->type, r->bare ? "" : media_type);
	if (!r->bare) {
		title_of(title, r->type, media_type);
		a.blob.title = title;
		mf_time_format(created, r->created);
		a.created = r->created ? created : NULL;
	}
	if (mf_artifact_build(&a, out, err) < 0)
		return -1;
	return mf_sha256(mf_buf_bytes(out), digest, err);
}

enum mf_found mf_artifact_again(const struct mf_subject *s, const struct mf_entry *e, const char *owner,
				struct mf_buf *out, struct mf_err *err)
{
	struct mf_artifact_record r = {.type = e->type,
				       .blob = e->info.sha256,
				       .length = e->info.length,
				       .media_type = e->record.media_type,
				       .created = e->record.created};
	struct mf_digest digest;
	/* Tries the form that is made now, then those of earlier versions: without the owner, and bare. */
	for (int form = owner ? 0 : 1; e->record.has_artifact && form < 3; form++) {
		r.owner = form == 0 ? owner : NULL;
		r.bare = form == 2;
		mf_buf_reset(out);
		if (mf_artifact_of(s, &r, out, &digest, err) < 0)
			return MF_FAILED;
		if (mf_digest_eq(&digest, &e->record.artifact))
			return MF_FOUND;
	}
	mf_buf_reset(out);
	return MF_ABSENT;
}

/* ---- catalogue */

void mf_catalogue_clear(struct mf_catalogue_text *c)
{
	for (size_t i = 0; c->types && i < c->n; i++)
		free(c->types[i]);
	free(c->types);
	free(c->created);
	free(c->v);
}

int mf_catalogue_of(const struct mf_entries *e, const bool *missing, struct mf_catalogue_text *c,
		    struct mf_err *err)
{
	c->v = mf_calloc(e->n, sizeof *c->v);
	c->created = mf_calloc(e->n, sizeof *c->created);
	c->types = mf_calloc(e->n, sizeof *c->types);
	if (!c->v || !c->created || !c->types)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < e->n; i++, c->n++) {
		const struct mf_entry *x = &e->v[i];
		c->types[i] = mf_str_dup(x->type);
		if (!c->types[i])
			return mf_fail_nomem(err);
		mf_time_format(c->created[i], x->record.created);
		c->v[i] = (struct mf_catalogue_record){.subject = x->subject,
						       .blob = x->info.sha256,
						       .length = x->info.length,
						       .type = c->types[i],
						       .media_type = x->record.media_type,
						       .role = x->role->role,
						       .created = x->record.created ? c->created[i] : NULL,
						       .missing = missing && missing[i]};
	}
	return 0;
}

static enum mf_catalogue_result write_catalogue(struct mf_image *im, const struct mf_entries *all,
						struct mf_catalogue_scope scope, struct mf_err *err)
{
	struct mf_catalogue_text c MF_CATALOGUE_CLEANUP = {0};
	return mf_catalogue_of(all, NULL, &c, err) < 0 ? MF_CATALOGUE_FAILED
						       : mf_catalogue_set(im->blobs, c.v, c.n, scope, err);
}

static const char *const all_subjects[] = {"", NULL};

/* Has the repository more records than one catalogue has? Its catalogue then has parts, one for each first
 * byte of a subject's digest, and only the parts of the subjects that changed are written, which needs only
 * their shards. Sets the parts that have records. A repository with shards that are not loaded counts as big,
 * and all parts that these may hold are set. */
static bool is_big(const struct mf_image *im, bool parts[256])
{
	return mf_policy_tally(mf_trust_set(im->trust), parts) > mf_catalogue_records;
}

struct lists {
	struct mf_referrers_update *update;
	struct mf_err *err;
};

static void write_lists(void *arg)
{
	struct lists *l = arg;
	if (!l->err->code)
		(void)!mf_referrers_update_write(l->update, l->err);
}

/* ---- records in parts */

void mf_first_bytes(const struct mf_entries *e, bool out[256])
{
	for (size_t i = 0; i < e->n; i++)
		out[e->v[i].subject.b[0]] = true;
}

void mf_record_parts_clear(struct mf_record_parts *p)
{
	mf_entries_clear(&p->found);
}

static int end_part(struct mf_record_parts *p, struct mf_err *err)
{
	p->split |= p->found.n > mf_catalogue_records;
	int rc = p->take(p->arg, &p->found, err);
	mf_entries_clear(&p->found);
	return rc;
}

static int add_to_part(void *arg, struct mf_entry *e, struct mf_err *err)
{
	struct mf_record_parts *p = arg;
	struct mf_entries *found = &p->found;
	const bool next = found->n && found->v[found->n - 1].subject.b[0] != e->subject.b[0];
	if (next && found->n > mf_catalogue_records && end_part(p, err) < 0)
		return -1;
	if (mf_grow((void **)&found->v, &found->cap, found->n, sizeof *found->v, err) < 0)
		return -1;
	p->first_bytes[e->subject.b[0]] = true;
	found->v[found->n++] = *e;
	*e = (struct mf_entry){0};
	return 0;
}

int mf_record_parts_add(struct mf_record_parts *p, const struct mf_tuf_set *set, const bool *given,
			struct mf_err *err)
{
	const struct mf_entry_filter which = {.first_bytes = given, .stored = true};
	return mf_policy_each(set, which, add_to_part, p, err) < 0 ? -1 : end_part(p, err);
}

static int count_record(void *arg, struct mf_entry *e, struct mf_err *err)
{
	size_t *n = arg;
	(void)e;
	return ++*n > mf_catalogue_records ? mf_fail(err, MF_E_CANCELLED, 0, "there are enough") : 0;
}

/* A record that cannot be read counts as many: the caller meets it again, and reports it. */
static enum mf_found are_many(struct mf_image *im, struct mf_err *err)
{
	struct mf_shard_steps steps = {.t = im->trust, .env = &im->m->env};
	enum mf_found more;
	size_t n = 0;
	while ((more = mf_shards_next(&steps, err)) == MF_FOUND) {
		const struct mf_entry_filter which = {.first_bytes = steps.given, .stored = true};
		struct mf_err why = MF_ERR_INIT;
		if (mf_policy_each(mf_trust_set(im->trust), which, count_record, &n, &why) < 0)
			return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_FOUND;
	}
	return more;
}

enum mf_found mf_records_are_many(struct mf_image *im, struct mf_err *err)
{
	if (mf_tuf_count_unloaded_shards(mf_trust_set(im->trust), all_subjects) <= MF_SHARDS_AHEAD)
		return MF_ABSENT;
	enum mf_found many = are_many(im, err);
	if (many == MF_FOUND)
		mf_trust_drop_shards(im->trust);
	return many;
}

/* ---- the catalogue after a publish */

static int write_part(void *arg, const struct mf_entries *part, struct mf_err *err)
{
	bool given[256] = {false};
	const struct mf_catalogue_scope scope = {.step = MF_CATALOGUE_PARTS, .given = given};
	mf_first_bytes(part, given);
	return write_catalogue(arg, part, scope, err) == MF_CATALOGUE_DONE ? 0 : -1;
}

/* Writes the whole catalogue part by part. MF_ABSENT: nothing was written, because the shards are few, or
 * have few records. */
static enum mf_found rebuild_by_parts(struct mf_image *im, const struct mf_rebuild *r, struct lists *lists,
				      struct mf_err *err)
{
	const struct mf_entries none = {0};
	const bool given[256] = {false};
	struct mf_record_parts parts MF_CLEANUP(mf_record_parts_clear) = {.take = write_part, .arg = im};
	struct mf_shard_steps steps = {.t = im->trust, .env = &im->m->env};
	enum mf_found more = mf_records_are_many(im, err);
	if (more != MF_FOUND)
		return more;
	while ((more = mf_shards_next(&steps, err)) == MF_FOUND)
		if (mf_record_parts_add(&parts, mf_trust_set(im->trust), steps.given, err) < 0)
			return MF_FAILED;
	struct mf_catalogue_scope scope = {.step = MF_CATALOGUE_LIST,
					   .parts = parts.first_bytes,
					   .given = given,
					   .changed = r->changed,
					   .meanwhile = write_lists,
					   .arg = lists};
	if (more == MF_FAILED)
		return MF_FAILED;
	return write_catalogue(im, &none, scope, err) == MF_CATALOGUE_DONE ? MF_FOUND : MF_FAILED;
}

static int rebuild_catalogue(struct mf_image *im, struct mf_rebuild *r, struct lists *lists,
			     struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(im->trust);
	struct mf_entries all MF_ENTRIES_CLEANUP = {0};
	bool parts[256], given[256] = {false};
	for (size_t i = 0; i < r->subjects->n; i++)
		given[r->subjects->v[i].digest.b[0]] = true;
	if (!r->whole && is_big(im, parts)) {
		struct mf_catalogue_scope scope = {.parts = parts,
						   .given = given,
						   .changed = r->changed,
						   .meanwhile = write_lists,
						   .arg = lists};
		enum mf_catalogue_result done = mf_policy_survey(set, given, &all, err) < 0
						    ? MF_CATALOGUE_FAILED
						    : write_catalogue(im, &all, scope, err);
		if (done != MF_CATALOGUE_NEEDS_ALL)
			return done == MF_CATALOGUE_DONE ? 0 : -1;
		mf_entries_clear(&all);
	}
	r->whole = true;
	enum mf_found done = rebuild_by_parts(im, r, lists, err);
	if (done != MF_ABSENT)
		return done == MF_FOUND ? 0 : -1;
	if (mf_trust_load_shards(im->trust, all_subjects, err) < 0 ||
	    mf_policy_survey(set, NULL, &all, err) < 0)
		return -1;
	struct mf_catalogue_scope scope = {.changed = r->changed,
					   .config = r->ahead->has_config ? &r->ahead->config : NULL,
					   .meanwhile = write_lists,
					   .arg = lists};
	return write_catalogue(im, &all, scope, err) == MF_CATALOGUE_DONE ? 0 : -1;
}

/* ---- referrers */

void mf_artifacts_clear(struct mf_artifacts *a)
{
	for (size_t i = 0; a->bytes && i < a->d.n; i++)
		mf_buf_clear(&a->bytes[i]);
	mf_descriptors_clear(&a->d);
	free(a->bytes);
	free(a->digests);
	free(a->named);
	free(a->present);
}

static int add_artifact(struct mf_artifacts *a, const struct mf_subject *s, const struct mf_entry *e,
			struct mf_err *err)
{
	char artifact_type[ARTIFACT_TYPE];
	size_t i = a->d.n;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	enum mf_found again = mf_artifact_again(s, e, a->owner, &bytes, err);
	if (again != MF_FOUND)
		return again == MF_FAILED ? -1 : 0;
	struct mf_descriptor *d = &a->d.v[i];
	a->digests[i] = e->record.artifact;
	*d = (struct mf_descriptor){.digest = e->record.artifact, .size = bytes.n};
	a->bytes[i] = bytes;
	bytes = (struct mf_buf)MF_BUF_INIT(0);
	a->d.n++;
	bool bare = strstr(mf_buf_str(&a->bytes[i]).p, "\"org.opencontainers.image.title\"") == NULL;
	bool owned = strstr(mf_buf_str(&a->bytes[i]).p, "\"" MF_ARTIFACT_OWNER "\"") != NULL;
	put_artifact_type(artifact_type, e->type, bare || !e->record.media_type ? "" : e->record.media_type);
	d->media_type = mf_str_dup(MF_STR(MF_MT_OCI_MANIFEST));
	d->artifact_type = mf_str_dup(mf_str_c(artifact_type));
	if (owned && asprintf(&d->annotations, "{\"" MF_ARTIFACT_OWNER "\":\"%s\"}", a->owner) < 0)
		d->annotations = NULL;
	return d->media_type && d->artifact_type && owned == (d->annotations != NULL) ? 0
										      : mf_fail_nomem(err);
}

size_t mf_subject_end(const struct mf_entries *all, size_t from)
{
	size_t to = from;
	while (to < all->n && mf_digest_eq(&all->v[to].subject, &all->v[from].subject))
		to++;
	return to;
}

int mf_artifacts_of(const struct mf_subject *s, const struct mf_entries *all, size_t from, size_t to,
		    const bool *missing, struct mf_artifacts *a, struct mf_err *err)
{
	a->d.v = mf_calloc(to - from, sizeof *a->d.v);
	a->bytes = mf_calloc(to - from, sizeof *a->bytes);
	a->digests = mf_calloc(to - from, sizeof *a->digests);
	a->named = mf_calloc(to - from, sizeof *a->named);
	a->present = mf_calloc(to - from, sizeof *a->present);
	if (!a->d.v || !a->bytes || !a->digests || !a->named || !a->present)
		return mf_fail_nomem(err);
	for (size_t i = from; i < to; i++) {
		const struct mf_entry *e = &all->v[i];
		if (!e->record.has_artifact)
			continue;
		a->named[a->nnamed++] = e->record.artifact;
		if (!(missing && missing[i]) && add_artifact(a, s, e, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_named(const struct mf_artifacts *a, const struct mf_digest *d)
{
	for (size_t i = 0; i < a->nnamed; i++)
		if (mf_digest_eq(&a->named[i], d))
			return true;
	return false;
}

struct mf_referrers_change mf_artifacts_change(const struct mf_subject *s, const struct mf_artifacts *a)
{
	return (struct mf_referrers_change){.subject = s->digest,
					    .add = a->d.v,
					    .nadd = a->d.n,
					    .keep = a->named,
					    .nkeep = a->nnamed,
					    .owner = a->owner};
}

int mf_artifact_put_end(struct mf_image *im, struct mf_manifest_call *call, struct mf_bytes bytes,
			const char *tag, struct mf_err *err)
{
	struct mf_descriptors missing MF_DESCRIPTORS_CLEANUP = {0};
	bool seen;
	if (mf_manifest_put_end(call, &seen, &missing, err) == 0)
		return 0;
	/* The empty configuration is missing in a repository that has no artifact manifest yet. */
	if (err->code != MF_E_REFUSED && err->code != MF_E_NOT_FOUND && err->code != MF_E_CONTENT_GONE)
		return -1;
	mf_err_clear(err);
	if (mf_artifact_store_config(im->blobs, err) < 0)
		return -1;
	return mf_manifest_put(im->blobs, tag, MF_MT_OCI_MANIFEST, bytes, &seen, &missing, err);
}

struct listing {
	const struct mf_digest *digest;
	bool listed;
};

static int find_listed(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
		       struct mf_err *err)
{
	struct listing *l = arg;
	(void)i, (void)by, (void)err;
	for (size_t k = 0; k < list->n; k++)
		l->listed |= mf_digest_eq(&list->v[k].digest, l->digest);
	return 0;
}

int mf_artifact_list(struct mf_image *im, const struct mf_descriptor *d, struct mf_err *err)
{
	struct mf_referrers_change change = {.subject = im->digest, .add = d, .nadd = 1, .keep_all = true};
	for (unsigned tries = 0; tries < 5; tries++) {
		struct listing l = {.digest = &d->digest};
		bool present = false;
		if (mf_referrers_update(im->blobs, &change, 1, err) < 0 ||
		    mf_referrers_each(im->blobs, &im->digest, 1, find_listed, &l, err) < 0 ||
		    mf_manifests_have(im->blobs, &d->digest, 1, &present, err) < 0)
			return -1;
		if (l.listed && present)
			return 0;
		mf_env_sleep(&im->m->env, 20 + (int64_t)mf_random_below(100));
	}
	return mf_fail(err, MF_E_CONFLICT, 0,
		       "the registry does not keep it among the referrers of the image");
}

int mf_artifacts_store(struct mf_image *im, struct mf_artifacts *a, struct mf_err *err)
{
	if (mf_manifests_have(im->blobs, a->digests, a->d.n, a->present, err) < 0)
		return -1;
	for (size_t i = 0; i < a->d.n; i++) {
		if (a->present[i])
			continue;
		struct mf_bytes bytes = mf_buf_bytes(&a->bytes[i]);
		struct mf_manifest_call *call =
		    mf_manifest_put_begin(im->blobs, NULL, MF_MT_OCI_MANIFEST, bytes, err);
		if (!call || mf_artifact_put_end(im, call, bytes, NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- after a publish */

static int survey_subjects(struct mf_image *im, const struct mf_subjects *subjects, struct mf_entries *all,
			   struct mf_err *err)
{
	bool given[256] = {false};
	for (size_t i = 0; i < subjects->n; i++)
		given[subjects->v[i].digest.b[0]] = true;
	return mf_policy_survey(mf_trust_set(im->trust), given, all, err);
}

void mf_rebuild_ahead_clear(struct mf_rebuild_ahead *a)
{
	mf_referrers_update_cancel(a->lists);
	free(a->changes);
	*a = (struct mf_rebuild_ahead){0};
}

void mf_rebuild_begin(struct mf_image *im, const struct mf_digest *subjects, size_t n,
		      struct mf_rebuild_ahead *out)
{
	struct mf_err ignored = MF_ERR_INIT;
	if (im->store_ref.transport == MF_TRANSPORT_LAYOUT || out->changes)
		return;
	if (!out->has_config)
		mf_blobs_put_soon(im->blobs, 1);
	out->changes = mf_calloc(n, sizeof *out->changes);
	for (size_t i = 0; out->changes && i < n; i++)
		out->changes[i].subject = subjects[i];
	if (out->changes)
		out->lists = mf_referrers_update_begin(im->blobs, out->changes, n, &ignored);
}

struct rebuilding {
	struct mf_artifacts *artifacts; /* by subject */
	struct mf_referrers_change *changes;
	size_t n;
	struct mf_referrers_update *lists;
	struct mf_manifest_call **deletes;
	size_t ndeletes;
};

static void rebuilding_clear(struct rebuilding *b)
{
	mf_referrers_update_cancel(b->lists);
	for (size_t i = 0; b->deletes && i < b->ndeletes; i++)
		mf_manifest_call_cancel(b->deletes[i]);
	for (size_t i = 0; b->artifacts && i < b->n; i++)
		mf_artifacts_clear(&b->artifacts[i]);
	free(b->artifacts);
	free(b->changes);
	free(b->deletes);
}

static int prepare_rebuild(struct mf_image *im, const struct mf_rebuild *r, struct rebuilding *b,
			   struct mf_err *err)
{
	struct mf_entries all MF_ENTRIES_CLEANUP = {0};
	b->artifacts = mf_calloc(r->subjects->n, sizeof *b->artifacts);
	b->changes = mf_calloc(r->subjects->n, sizeof *b->changes);
	b->deletes = mf_calloc(r->nreplaced, sizeof *b->deletes);
	if (!b->artifacts || !b->changes || !b->deletes)
		return mf_fail_nomem(err);
	if (survey_subjects(im, r->subjects, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < r->subjects->n; i++) {
		const struct mf_subject *s = &r->subjects->v[i];
		size_t from = 0;
		while (from < all.n && !mf_digest_eq(&all.v[from].subject, &s->digest))
			from++;
		b->artifacts[b->n++].owner = mf_trust_identity(im->trust);
		if (mf_artifacts_of(s, &all, from, mf_subject_end(&all, from), NULL, &b->artifacts[i], err) <
		    0)
			return -1;
		b->changes[i] = mf_artifacts_change(s, &b->artifacts[i]);
	}
	return 0;
}

/* Deletes the artifact manifests that no record names any more. If the registry keeps the list of referrers
 * itself, this is the only way to take them off it. */
static int begin_deletes(struct mf_image *im, const struct mf_rebuild *r, struct rebuilding *b,
			 struct mf_err *err)
{
	for (size_t i = 0; i < r->nreplaced; i++) {
		bool named = false;
		for (size_t k = 0; k < b->n; k++)
			named |= is_named(&b->artifacts[k], &r->replaced[i]);
		if (named)
			continue;
		struct mf_manifest_call *c = mf_manifest_delete_begin(im->blobs, &r->replaced[i], err);
		if (!c)
			return -1;
		b->deletes[b->ndeletes++] = c;
	}
	return 0;
}

static void end_deletes(struct mf_image *im, struct mf_rebuild *r, struct rebuilding *b)
{
	for (size_t i = 0; i < b->ndeletes; i++) {
		struct mf_err why = MF_ERR_INIT;
		struct mf_manifest_call *c = b->deletes[i];
		b->deletes[i] = NULL;
		/* If clients write the lists, a manifest that was not deleted is on no list, so the failure
		 * does not matter. */
		if (mf_manifest_delete_end(c, &why) < 0 && mf_referrers_api(im->blobs) && !r->deletes.code)
			r->deletes = why;
	}
}

bool mf_rebuild_refused(const struct mf_err *err)
{
	return err->code == MF_E_REFUSED || err->code == MF_E_AUTH;
}

/* If the catalogue cannot be written, each new artifact manifest gets a tag of its own, so that garbage
 * collectors keep it. */
static void keep_apart(struct mf_image *im, struct mf_rebuild *r)
{
	for (size_t i = 0; i < r->nstored; i++) {
		struct mf_err why = MF_ERR_INIT;
		struct mf_manifest_call *c = mf_catalogue_keep_begin(im->blobs, r->stored[i], &why);
		if (c && mf_manifest_put_end(c, NULL, NULL, &why) == 0)
			r->kept++;
	}
}

/* Uses the lists that mf_rebuild_begin has requested, with the changes that are known now. */
static bool take_ahead(struct mf_rebuild *r, struct rebuilding *b)
{
	if (!r->ahead->lists)
		return false;
	memcpy(r->ahead->changes, b->changes, b->n * sizeof *b->changes);
	b->lists = r->ahead->lists;
	r->ahead->lists = NULL;
	return true;
}

/* Writes catalogue and referrers from the loaded records. MF_ABSENT: another writer has published meanwhile.
 */
static enum mf_found rebuild_once(struct mf_image *im, struct mf_rebuild *r, const char *const *parts,
				  struct mf_err *err)
{
	struct rebuilding b MF_CLEANUP(rebuilding_clear) = {0};
	if (mf_trust_widen(im->trust, MF_STR(""), err) < 0 ||
	    mf_trust_load_shards(im->trust, parts, err) < 0 || prepare_rebuild(im, r, &b, err) < 0)
		return MF_FAILED;
	mf_err_clear(&r->lists);
	mf_err_clear(&r->catalogue);
	for (size_t i = 0; r->restore && i < b.n; i++)
		if (mf_artifacts_store(im, &b.artifacts[i], &r->lists) < 0)
			break;
	if (!r->lists.code && (r->changed || r->restore) && !take_ahead(r, &b))
		b.lists = mf_referrers_update_begin(im->blobs, b.changes, b.n, &r->lists);
	struct lists meanwhile = {b.lists, &r->lists};
	if (rebuild_catalogue(im, r, &meanwhile, &r->catalogue) < 0 && mf_rebuild_refused(&r->catalogue))
		keep_apart(im, r);
	if (mf_trust_load_shards(im->trust, parts, err) < 0) /* the catalogue may have dropped them */
		return MF_FAILED;
	struct mf_referrers_update *lists = b.lists;
	b.lists = NULL;
	if (r->lists.code)
		mf_referrers_update_cancel(lists);
	else
		(void)!mf_referrers_update_end(lists, &r->lists);
	if (begin_deletes(im, r, &b, err) < 0)
		return MF_FAILED;
	enum mf_found same = r->changed ? mf_trust_unchanged(im->trust, err) : MF_FOUND;
	end_deletes(im, r, &b);
	return same;
}

/* The first bytes of the subjects' digests in hex, for struct mf_load: each part of the catalogue has the
 * subjects of one first byte. */
struct parts {
	char hex[256][3];
	const char *v[257];
};

static void parts_of(const struct mf_subjects *subjects, struct parts *out)
{
	bool seen[256] = {false};
	size_t n = 0;
	for (size_t i = 0; i < subjects->n; i++) {
		unsigned b = subjects->v[i].digest.b[0];
		if (seen[b])
			continue;
		seen[b] = true;
		(void)snprintf(out->hex[n], sizeof out->hex[n], "%02x", b & 0xffu);
		out->v[n] = out->hex[n];
		n++;
	}
	out->v[n] = NULL;
}

/* Writes catalogue and referrers from the loaded records, and repeats that until these are still the newest
 * afterwards. A writer that publishes in between does the same, so the last rebuild is of the newest records.
 */
int mf_rebuild(struct mf_image *im, struct mf_rebuild *r, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	struct parts parts;
	if (im->store_ref.transport == MF_TRANSPORT_LAYOUT)
		return 0;
	if (mf_publish_lock(im->trust, &lock, err) < 0)
		return -1;
	if (lock.waited) /* others have written meanwhile */
		mf_rebuild_ahead_clear(r->ahead);
	parts_of(r->subjects, &parts);
	const struct mf_load again = {.subjects = parts.v, .snapshot_at_once = true};
	for (;;) {
		enum mf_found same = rebuild_once(im, r, parts.v, err);
		if (same != MF_ABSENT)
			return same == MF_FAILED ? -1 : 0;
		if (mf_trust_load(im->trust, &again, err) < 0)
			return -1;
	}
}
