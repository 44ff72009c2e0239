/* Publishing records: the steps that put, sign, withdraw and rm share. */
#include "ops/write.h"

#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"

static void item_clear(struct mf_write_item *i)
{
	free(i->name);
	free(i->first);
	mf_buf_clear(&i->artifact);
	mf_buf_clear(&i->entry);
	mf_buf_clear(&i->cosignature);
	json_decref(i->tree);
}

void mf_write_clear(struct mf_write *w)
{
	for (size_t i = 0; i < w->n; i++)
		item_clear(&w->items[i]);
	free(w->items);
	free(w->edits);
	free(w->prefix);
	free(w->role);
	mf_rebuild_ahead_clear(&w->ahead);
	mf_proposal_clear(&w->proposal);
	mf_image_close(&w->im);
}

int mf_write_open(struct mf_write *w, struct mf_err *err)
{
	w->a = mf_result_arena(w->out);
	w->created = mf_env_now(&w->m->env);
	if (mf_record_type_check(mf_str_c(w->o->type), err) < 0)
		return -1;
	if (asprintf(&w->prefix, "%s/", w->o->type) < 0) {
		w->prefix = NULL;
		return mf_fail_nomem(err);
	}
	if (mf_image_open(&w->im, w->m, w->o->image, err) < 0)
		return -1;
	w->im.for_writing = true;
	if (mf_propose_begin(&w->im, w->o->propose, &w->proposal, err) < 0)
		return -1;
	return mf_trust_check_writable(w->im.trust, err);
}

/* ---- subjects */

static int make_item(struct mf_write *w, struct mf_write_item *it, const struct mf_subject *s,
		     struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	it->subject = *s;
	mf_buf_init(&it->artifact, MF_MAX_MANIFEST_BYTES);
	mf_buf_init(&it->entry, MF_MAX_CUSTOM_BYTES * 2);
	mf_buf_init(&it->cosignature, 8192);
	if (mf_record_name(&name, mf_str_c(w->o->type), &s->digest, err) < 0)
		return -1;
	it->name = mf_buf_take(&name);
	return it->name ? 0 : mf_fail_nomem(err);
}

/* An IMAGE@DIGEST that is gone is given without media type, unless it must be there. */
static int resolve(struct mf_write *w, struct mf_subjects *out, struct mf_err *err)
{
	struct mf_subject_choice choice = {
	    .platform = w->o->platform, .all = w->o->all_platforms != 0, .described = true};
	if (mf_image_subjects(&w->im, choice, out, err) == 0)
		return 0;
	bool may_be_gone = !w->must_exist && w->im.ref.has_digest && !choice.platform && !choice.all;
	if (!may_be_gone || err->code != MF_E_NOT_FOUND)
		return -1;
	mf_err_clear(err);
	choice.described = false;
	return mf_image_subjects(&w->im, choice, out, err);
}

int mf_write_items(struct mf_write *w, struct mf_err *err)
{
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {0};
	if (mf_image_begin(&w->im, err) < 0 || resolve(w, &s, err) < 0)
		return -1;
	w->items = mf_calloc(s.n, sizeof *w->items);
	w->edits = mf_calloc(s.n, sizeof *w->edits);
	struct manifesto_change_item *out = mf_arena_alloc(w->a, s.n, sizeof *out, err);
	struct manifesto_record *records = out ? mf_arena_alloc(w->a, s.n, sizeof *records, err) : NULL;
	if (!records)
		return -1;
	if (!w->items || !w->edits)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < s.n; i++) {
		struct mf_write_item *it = &w->items[w->n++];
		it->out = &out[i];
		it->record = &records[i];
		it->out->record = it->record;
		if (make_item(w, it, &s.v[i], err) < 0)
			return -1;
	}
	return 0;
}

/* ---- what is there already */

static int entry_now(struct mf_write *w, const struct mf_write_item *it, struct mf_entry *out,
		     char **canonical, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im.trust);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(set, w->role);
	ptrdiff_t at = l ? mf_tuf_target_find(l->file, mf_str_c(it->name)) : -1;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 4);
	*canonical = NULL;
	*out = (struct mf_entry){0};
	if (at < 0)
		return 0;
	if (mf_json_canonicalize(mf_tuf_target_value(l->file, (size_t)at), &b, err) < 0 ||
	    mf_entry_read(set, l, (size_t)at, out, err) < 0)
		return -1;
	*canonical = mf_buf_take(&b);
	return *canonical ? 1 : mf_fail_nomem(err);
}

/* Somebody else's newer record is not overwritten unless --force. */
static int check_item(struct mf_write *w, struct mf_write_item *it, struct mf_err *err)
{
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	char *now MF_FREE = NULL;
	if (entry_now(w, it, &e, &now, err) < 0)
		return -1;
	it->unchanged = it->kept = false;
	it->had_artifact = e.role && e.record.has_artifact;
	it->old_artifact = e.record.artifact;
	/* A record may name any manifest of the repository, an image's for one. */
	struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	enum mf_found owned =
	    it->had_artifact
		? mf_artifact_again(&it->subject, &e, mf_trust_identity(w->im.trust), &again, err)
		: MF_ABSENT;
	if (owned == MF_FAILED)
		return -1;
	it->owned_artifact = owned == MF_FOUND;
	enum mf_change change = w->evaluate(w->arg, it, e.role ? &e : NULL, err);
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
		      w->o->type, w->role);
	mf_err_set_hint(err, "read it with 'manifesto get'; --force replaces it");
	return -1;
}

int mf_write_check(struct mf_write *w, struct mf_err *err)
{
	for (size_t i = 0; i < w->n; i++)
		if (check_item(w, &w->items[i], err) < 0)
			return -1;
	w->first = false;
	return 0;
}

enum mf_found mf_write_vetoed(struct mf_write *w, const struct mf_write_item *it, struct mf_entry *out,
			      struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im.trust);
	for (size_t i = 0; i < set->nroles; i++) {
		const struct mf_tuf_loaded *l = set->roles[i];
		struct mf_entry e MF_ENTRY_CLEANUP = {0};
		if (strcmp(l->role, w->role) == 0 ||
		    !mf_policy_authorised(set, l, mf_str_c(w->o->type), NULL))
			continue;
		ptrdiff_t at = mf_tuf_target_find(l->file, mf_str_c(it->name));
		int rc = at < 0 ? 0 : mf_entry_read(set, l, (size_t)at, &e, err);
		if (rc < 0)
			return MF_FAILED;
		if (!rc || e.state != MF_STATE_WITHDRAWN)
			continue;
		*out = e;
		e = (struct mf_entry){0};
		return MF_FOUND;
	}
	return MF_ABSENT;
}

int mf_write_refuse_withdrawn(const struct mf_write *w, const struct mf_entry *e, struct mf_err *err)
{
	(void)mf_entry_refuse_withdrawn(e, &w->im.m->names, err);
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

/* ---- new entries */

int mf_write_artifact(struct mf_write *w, struct mf_write_item *it, bool link, struct mf_err *err)
{
	const struct mf_content *c = it->content;
	mf_buf_reset(&it->artifact);
	if ((w->im.store_ref.transport == MF_TRANSPORT_LAYOUT && !link) || !it->subject.media_type[0])
		return 0;
	struct mf_artifact_record r = {.type = mf_str_c(w->o->type),
				       .blob = c->digest,
				       .length = c->length,
				       .media_type = c->media_type,
				       .created = w->created,
				       .owner = mf_trust_identity(w->im.trust)};
	return mf_artifact_of(&it->subject, &r, &it->artifact, &it->artifact_digest, err);
}

/* Composed of parts that are canonical already, `custom` as it was signed. */
int mf_write_entry(const struct mf_dialect *d, const struct mf_record_binding *b, json_t *tree,
		   struct mf_buf *out, struct mf_err *err)
{
	if (mf_buf_addz(out, "{\"custom\":", err) < 0 || mf_record_custom(out, tree, err) < 0 ||
	    mf_buf_addz(out, ",\"hashes\":{\"sha256\":", err) < 0 ||
	    mf_tuf_put_hash(d, (struct mf_bytes){b->sha256.b, 32}, out, err) < 0)
		return -1;
	return mf_buf_printf(out, err, "},\"length\":%llu}", (unsigned long long)b->length);
}

int mf_write_sign(const struct mf_signer *s, const struct mf_record_binding *b, json_t *tree,
		  struct mf_err *err)
{
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2),
			      sig MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_digest fp = mf_pubkey_fingerprint(s->pub);
	if (mf_record_payload(&payload, b, tree, err) < 0 ||
	    mf_signer_sign(s, mf_record_scheme(s->pub), mf_buf_bytes(&payload), &sig, err) < 0)
		return -1;
	return mf_record_add_sig(tree, &fp, mf_buf_bytes(&sig), err);
}

static struct mf_record_binding binding_of(const struct mf_write *w, const struct mf_write_item *it)
{
	return (struct mf_record_binding){.repository = mf_trust_gun(w->im.trust),
					  .name = mf_str_c(it->name),
					  .length = it->content->length,
					  .sha256 = it->content->digest};
}

int mf_write_own_entry(struct mf_write *w, struct mf_write_item *it, struct mf_err *err)
{
	struct mf_record_binding b = binding_of(w, it);
	mf_buf_reset(&it->entry);
	return mf_write_entry(mf_trust_dialect(w->im.trust), &b, it->tree, &it->entry, err);
}

int mf_write_new_record(struct mf_write *w, struct mf_write_item *it, const struct mf_record_fields *f,
			struct mf_err *err)
{
	struct mf_record_binding b = binding_of(w, it);
	json_decref(it->tree);
	it->tree = mf_record_make(f, err);
	if (!it->tree || mf_write_sign(&w->signer, &b, it->tree, err) < 0)
		return -1;
	return mf_write_own_entry(w, it, err);
}

/* ---- signing what is there */

static int payload_of(struct mf_write *w, const struct mf_write_item *it, const struct mf_entry *e,
		      json_t *tree, struct mf_buf *out, struct mf_digest *digest, struct mf_err *err)
{
	struct mf_record_binding b = {.repository = mf_trust_gun(w->im.trust),
				      .name = mf_str_c(it->name),
				      .length = e->info.length,
				      .sha256 = e->info.sha256};
	if (mf_record_payload(out, &b, tree, err) < 0)
		return -1;
	return mf_sha256(mf_buf_bytes(out), digest, err);
}

int mf_write_payload_digest(struct mf_write *w, const struct mf_write_item *it, const struct mf_entry *e,
			    struct mf_digest *out, struct mf_err *err)
{
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2);
	return payload_of(w, it, e, e->record.tree, &payload, out, err);
}

static bool is_ours(const struct mf_write *w, const struct mf_pubkey *k)
{
	struct mf_digest ours = mf_pubkey_fingerprint(w->signer.pub);
	struct mf_digest fp = k ? mf_pubkey_fingerprint(k) : (struct mf_digest){{0}};
	return k && mf_digest_eq(&fp, &ours);
}

bool mf_write_signed_by_us(const struct mf_write *w, const struct mf_entry *e)
{
	for (size_t i = 0; i < e->nkeys; i++)
		if (e->signed_by[i] && is_ours(w, e->keys[i]))
			return true;
	return false;
}

/* A signature of a key that the role does not list (any more) would not count. */
static int check_listed(const struct mf_write *w, const struct mf_entry *e, struct mf_err *err)
{
	for (size_t i = 0; i < e->nkeys; i++)
		if (is_ours(w, e->keys[i]))
			return 0;
	return mf_fail(err, MF_E_KEY, 0, "role '%s' no longer lists key '%s'", w->role, w->signer.name);
}

/* The entry in the file, whatever other programs put into it. */
static json_t *load_entry(const struct mf_write_item *it, const struct mf_entry *e, json_t **record,
			  struct mf_err *err)
{
	ptrdiff_t at = mf_tuf_target_find(e->role->file, mf_str_c(it->name));
	json_t *custom = NULL, *entry = NULL;
	if (at >= 0)
		entry = mf_json_load(mf_bytes_of(mf_tuf_target_value(e->role->file, (size_t)at)),
				     MF_MAX_CUSTOM_BYTES * 2, err);
	if (!entry)
		return NULL;
	if (mf_json_get_obj(entry, "custom", MF_JSON_REQUIRED, &custom, err) == 0 &&
	    mf_json_get_obj(custom, "manifesto", MF_JSON_REQUIRED, record, err) == 0)
		return entry;
	json_decref(entry);
	return NULL;
}

int mf_write_cosign(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
		    struct mf_err *err)
{
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2),
			      size MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES);
	struct mf_digest fp = mf_pubkey_fingerprint(w->signer.pub), digest;
	json_t *tree = NULL, *entry MF_JSON_CLEANUP = load_entry(it, now, &tree, err);
	if (!entry || check_listed(w, now, err) < 0 ||
	    payload_of(w, it, now, tree, &payload, &digest, err) < 0)
		return -1;
	if (!it->cosignature.n || !mf_digest_eq(&digest, &it->cosigned)) {
		mf_buf_reset(&it->cosignature);
		if (mf_signer_sign(&w->signer, mf_record_scheme(w->signer.pub), mf_buf_bytes(&payload),
				   &it->cosignature, err) < 0)
			return -1;
		it->cosigned = digest;
	}
	it->kept = true;
	mf_buf_reset(&it->entry);
	if (mf_record_add_sig(tree, &fp, mf_buf_bytes(&it->cosignature), err) < 0)
		return -1;
	/* No reader accepts more. */
	if (mf_json_dump_canonical(tree, &size, err) < 0)
		return mf_wrap(err, "add a signature to the record");
	return mf_json_dump_canonical(entry, &it->entry, err);
}

/* ---- storing */

static bool is_new(const struct mf_write_item *it)
{
	return it->content && !it->unchanged && !it->kept;
}

/* A content that several items share goes up once; one that is only said to be there already is looked for.
 */
static int store_contents(struct mf_write *w, struct mf_err *err)
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
		if (!needed && mf_blobs_have(w->im.blobs, &c->digest, 1, &present, err) < 0)
			return -1;
		if (!present && mf_blob_put(w->im.blobs, c->blob, &c->digest, c->length, err) < 0)
			return -1;
	}
	return 0;
}

/* Writers on this machine make the files of a directory one after another. */
static int store_targets(struct mf_write *w, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if (!mf_trust_keeps_targets(w->im.trust))
		return 0;
	if (mf_publish_lock(w->im.trust, &lock, err) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		const struct mf_write_item *it = &w->items[i];
		if (it->content && mf_content_put_target(&w->im, mf_str_c(it->name), it->content->blob,
							 &it->content->digest, err) < 0)
			return -1;
	}
	return 0;
}

/* --link lists it in the index.json of a layout; a later put replaces it there. NULL elsewhere. */
static const char *link_name(const struct mf_write *w, const struct mf_write_item *it, char out[160])
{
	char subject[65];
	if (w->im.store_ref.transport != MF_TRANSPORT_LAYOUT)
		return NULL;
	mf_digest_hex(subject, &it->subject.digest);
	(void)snprintf(out, 160, "manifesto-%.12s-%s", subject, w->o->type);
	return out;
}

/* Artifact manifests show the records to other tools, and nothing trusts them: a registry that refuses one
 * stops nothing, unless for the lack of the content. */
static bool is_refusal(const struct mf_err *err)
{
	return err->code == MF_E_REFUSED || err->code == MF_E_FORMAT || err->code == MF_E_DIGEST;
}

#define WINDOW 32 /* artifact manifests that are put at once */

struct window {
	struct mf_manifest_call *v[WINDOW];
};

static void window_clear(struct window *w)
{
	for (size_t i = 0; i < WINDOW; i++)
		mf_manifest_call_cancel(w->v[i]);
}

static int begin_artifact(struct mf_write *w, struct mf_write_item *it, struct mf_manifest_call **call,
			  struct mf_err *err)
{
	char tag[160];
	if (!is_new(it) || !it->artifact.n)
		return 0;
	*call = mf_manifest_put_begin(w->im.blobs, link_name(w, it, tag), MF_MT_OCI_MANIFEST,
				      mf_buf_bytes(&it->artifact), err);
	return *call ? 0 : -1;
}

static int end_artifact(struct mf_write *w, struct mf_write_item *it, struct mf_manifest_call **call,
			struct mf_err *err)
{
	char tag[160];
	struct mf_manifest_call *c = *call;
	*call = NULL;
	if (!c)
		return 0;
	it->stored =
	    mf_artifact_put_end(&w->im, c, mf_buf_bytes(&it->artifact), link_name(w, it, tag), err) == 0;
	if (it->stored)
		return 0;
	if (!is_refusal(err))
		return -1;
	w->refused = *err;
	mf_err_clear(err);
	return 0;
}

static int store_artifacts(struct mf_write *w, struct mf_err *err)
{
	struct window calls MF_CLEANUP(window_clear) = {{NULL}};
	size_t begun = 0;
	for (size_t i = 0; i < w->n; i++) {
		for (; begun < w->n && begun < i + WINDOW; begun++)
			if (begin_artifact(w, &w->items[begun], &calls.v[begun % WINDOW], err) < 0)
				return -1;
		if (end_artifact(w, &w->items[i], &calls.v[i % WINDOW], err) < 0)
			return -1;
	}
	return 0;
}

/* Have the records that stay still their artifact manifests? */
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
	if (w->im.store_ref.transport == MF_TRANSPORT_LAYOUT || n == 0)
		return 0;
	if (mf_manifests_have(w->im.blobs, v, n, present, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		w->restore |= !present[i];
	return 0;
}

int mf_write_store(struct mf_write *w, struct mf_err *err)
{
	if (store_contents(w, err) < 0)
		return mf_wrap(err, "store the content");
	if (store_targets(w, err) < 0)
		return mf_wrap(err, "store the target file");
	if (store_artifacts(w, err) < 0)
		return mf_wrap(err, "store the artifact manifest");
	return find_lost(w, err);
}

/* ---- publishing */

/* Whoever may sign the type can have changed since the role was chosen: what the others would not accept is
 * not published. */
static int check_authority(const struct mf_write *w, struct mf_err *err)
{
	const struct mf_tuf_role *roles[64];
	size_t n = mf_policy_roles(mf_trust_set(w->im.trust), mf_str_c(w->o->type), roles, 64);
	if (w->o->role && strcmp(w->role, "targets") == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(roles[i]->name, w->role) == 0)
			return 0;
	return mf_fail(err, MF_E_CONFLICT, 0,
		       "role '%s' may no longer sign '%s': the delegations have just changed", w->role,
		       w->o->type);
}

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct mf_write *w = arg;
	if (check_authority(w, err) < 0 || mf_write_check(w, err) < 0)
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

int mf_write_rebuild_soon(struct mf_write *w, struct mf_err *err)
{
	struct mf_digest *subjects MF_FREE = mf_calloc(w->n, sizeof *subjects);
	bool changed = false;
	if (!subjects)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < w->n; i++) {
		subjects[i] = w->items[i].subject.digest;
		changed |= !w->items[i].unchanged;
	}
	if (changed && !w->o->propose)
		mf_rebuild_begin(&w->im, subjects, w->n, &w->ahead);
	return 0;
}

int mf_write_publish(struct mf_write *w, struct mf_err *err)
{
	const struct mf_publish_intent in = {.prefix = mf_str_c(w->prefix),
					     .end = w->o->propose ? MF_PUBLISH_PROPOSE : MF_PUBLISH_SEND,
					     .proposal = w->o->propose ? &w->proposal : NULL,
					     .fill = fill,
					     .arg = w};
	enum mf_found found = mf_publish_run(w->im.trust, &in, &w->version, err);
	if (found == MF_FAILED)
		return -1;
	bool edited = false;
	for (size_t i = 0; i < w->n; i++)
		edited |= !w->items[i].unchanged;
	w->renewed = found == MF_FOUND && !edited;
	if (found == MF_FOUND && w->o->propose) {
		w->out->missing = w->proposal.missing;
		return mf_propose_store(&w->im, w->o->propose, &w->proposal, w->a, &w->out->proposal, err);
	}
	if (found == MF_ABSENT) {
		const struct mf_tuf_loaded *l = mf_tuf_set_find(mf_trust_set(w->im.trust), w->role);
		w->version = l ? l->file->version : 0;
	}
	return 0;
}

/* ---- afterwards */

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
				      w->o->type, veto.role->role);
	}
	return vetoed == MF_FAILED ? -1 : 0;
}

static void warn_rebuilt(struct mf_write *w, const struct mf_rebuild *r)
{
	const char *name = mf_trust_pin_name(w->im.trust);
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
	struct mf_rebuild r = {.ahead = &w->ahead,
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
		s.v[s.n++] = it->subject;
		r.changed |= !it->unchanged;
		if (it->owned_artifact)
			replaced[r.nreplaced++] = it->old_artifact;
		/* Somebody may have been faster, so that no record names it. */
		if (it->stored)
			replaced[r.nreplaced++] = it->artifact_digest;
		if (it->stored)
			stored[r.nstored++] = mf_buf_bytes(&it->artifact);
	}
	if (mf_rebuild(&w->im, &r, &why) < 0)
		mf_write_warn(w, "it is published, but catalogue and referrers are behind: %s", why.msg);
	else
		warn_rebuilt(w, &r);
	return 0;
}

/* ---- the result */

int mf_write_report_entry(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
			  struct mf_err *err)
{
	return mf_report_record(&w->im, now, it->subject.platform, w->a, it->record, err);
}

int mf_write_report_new(struct mf_write *w, struct mf_write_item *it, const struct mf_record_fields *f,
			struct mf_err *err)
{
	struct mf_pubkey *key = w->signer.pub;
	struct manifesto_record r = {
	    .image = mf_report_image(w->a, &w->im, &it->subject.digest),
	    .subject = mf_report_digest(w->a, &it->subject.digest),
	    .platform = it->subject.platform[0] ? mf_arena_text(w->a, it->subject.platform) : NULL,
	    .type = mf_arena_text(w->a, w->o->type),
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
		signed_by[i] = now->signed_by[i] || is_ours(w, now->keys[i]);
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
		if (!w->removal)
			w->items[i].record->role_version = w->version;
		items[out->nitems++] = w->items[i].out;
	}
	out->items = items;
	out->role = mf_arena_text(w->a, w->role);
	out->version = w->version;
	out->published_to = mf_arena_text(w->a, mf_trust_where(w->im.trust));
	signer->fingerprint = mf_report_hex(w->a, &fp);
	signer->name = mf_arena_text(w->a, w->signer.name);
	signer->key_type = mf_key_type_name(mf_pubkey_type(w->signer.pub));
	out->signer = signer;
	out->warnings = w->warnings;
	out->nwarnings = w->nwarnings;
	return mf_arena_check(w->a, err);
}
