/* Publishing records: the steps that put, withdraw, rm and sign share. */
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
	mf_image_close(&w->im);
}

int mf_write_open(struct mf_write *w, const char *image, struct mf_err *err)
{
	w->created = mf_env_now(&w->m->env);
	if (mf_record_type_check(mf_str_c(w->type), err) < 0)
		return -1;
	if (asprintf(&w->prefix, "%s/", w->type) < 0) {
		w->prefix = NULL;
		return mf_fail_nomem(err);
	}
	if (mf_image_open(&w->im, w->m, image, err) < 0)
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
	if (mf_record_name(&name, mf_str_c(w->type), &s->digest, err) < 0)
		return -1;
	it->name = mf_buf_take(&name);
	return it->name ? 0 : mf_fail_nomem(err);
}

int mf_write_items(struct mf_write *w, struct mf_subject_choice choice, struct mf_err *err)
{
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {0};
	bool may_be_gone = !choice.described && w->im.ref.has_digest && !choice.platform && !choice.all;
	choice.described = true;
	if (mf_image_subjects(&w->im, choice, &s, err) < 0) {
		if (!may_be_gone || err->code != MF_E_NOT_FOUND)
			return -1;
		mf_err_clear(err);
		choice.described = false;
		if (mf_image_subjects(&w->im, choice, &s, err) < 0)
			return -1;
	}
	w->items = mf_calloc(s.n, sizeof *w->items);
	w->edits = mf_calloc(s.n, sizeof *w->edits);
	if (!w->items || !w->edits)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < s.n; i++) {
		w->n++;
		if (make_item(w, &w->items[i], &s.v[i], err) < 0)
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

/* Compares with what was there at the beginning: somebody else's newer record is not overwritten unless
 * --force. */
static int look(struct mf_write *w, struct mf_write_item *it, bool first, struct mf_err *err)
{
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	char *now MF_FREE = NULL;
	if (entry_now(w, it, &e, &now, err) < 0)
		return -1;
	it->unchanged = false;
	int fine = w->judge(w, it, e.role ? &e : NULL, first, err);
	if (fine < 0)
		return -1;
	if (first) {
		it->had_artifact = e.role && e.record.has_artifact;
		it->old_artifact = e.record.artifact;
		it->first = now;
		now = NULL;
		return 0;
	}
	bool moved = (now == NULL) != (it->first == NULL) || (now && strcmp(now, it->first) != 0);
	if (!moved || fine || it->unchanged || w->force ||
	    strcmp(now ? now : "", mf_buf_str(&it->entry).p) == 0)
		return 0;
	(void)mf_fail(err, MF_E_CONFLICT, 0, "somebody else has just changed '%s' of this image in '%s'",
		      w->type, w->role);
	mf_err_set_hint(err, "look at it with 'manifesto get'; --force overrides it");
	return -1;
}

int mf_write_look(struct mf_write *w, bool first, struct mf_err *err)
{
	for (size_t i = 0; i < w->n; i++)
		if (look(w, &w->items[i], first, err) < 0)
			return -1;
	return 0;
}

int mf_write_vetoed(struct mf_write *w, const struct mf_write_item *it, struct mf_entry *out,
		    struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(w->im.trust);
	for (size_t i = 0; i < set->nroles; i++) {
		const struct mf_tuf_loaded *l = set->roles[i];
		struct mf_entry e MF_ENTRY_CLEANUP = {0};
		if (strcmp(l->role, w->role) == 0 || !mf_policy_authorised(set, l, mf_str_c(w->type), NULL))
			continue;
		ptrdiff_t at = mf_tuf_target_find(l->file, mf_str_c(it->name));
		int rc = at < 0 ? 0 : mf_entry_read(set, l, (size_t)at, &e, err);
		if (rc < 0)
			return -1;
		if (!rc || e.state != MF_STATE_WITHDRAWN)
			continue;
		*out = e;
		e = (struct mf_entry){0};
		return 1;
	}
	return 0;
}

int mf_write_refuse_withdrawn(const struct mf_entry *e, bool by_us, struct mf_err *err)
{
	(void)mf_entry_refuse_withdrawn(e, err);
	if (by_us)
		mf_err_set_hint(err, "'manifesto put --reinstate' lifts the withdrawal with a new record, "
				     "'manifesto rm --reinstate' without one");
	else
		mf_err_set_hint(err,
				"only a key of '%s' lifts that, with 'put --reinstate' or 'rm --reinstate'",
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
	return mf_artifact_of(&it->subject, w->type, &c->digest, c->length, c->media_type, &it->artifact,
			      &it->artifact_digest, err);
}

int mf_write_own_entry(struct mf_write *w, struct mf_write_item *it, struct mf_err *err)
{
	const struct mf_dialect *d = mf_trust_dialect(w->im.trust);
	const struct mf_content *c = it->content;
	mf_buf_reset(&it->entry);
	if (mf_buf_addz(&it->entry, "{\"custom\":", err) < 0 ||
	    mf_record_custom(&it->entry, it->tree, err) < 0 ||
	    mf_buf_addz(&it->entry, ",\"hashes\":{\"sha256\":", err) < 0 ||
	    mf_tuf_put_hash(d, (struct mf_bytes){c->digest.b, 32}, &it->entry, err) < 0)
		return -1;
	return mf_buf_printf(&it->entry, err, "},\"length\":%llu}", (unsigned long long)c->length);
}

static int sign(const struct mf_write *w, const struct mf_buf *payload, struct mf_buf *out,
		struct mf_err *err)
{
	int rc =
	    w->signer.sign(w->signer.arg, mf_record_scheme(w->signer.pub), mf_buf_bytes(payload), out, err);
	return rc == 1 ? mf_fail(err, MF_E_KEY, 0, "the signature of key '%s' is pending", w->signer.name)
		       : rc;
}

int mf_write_new_record(struct mf_write *w, struct mf_write_item *it, const struct mf_record_fields *f,
			struct mf_err *err)
{
	struct mf_record_binding b = {.repository = mf_trust_gun(w->im.trust),
				      .name = mf_str_c(it->name),
				      .length = it->content->length,
				      .sha256 = it->content->digest};
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2),
			      sig MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_digest fp = mf_pubkey_fingerprint(w->signer.pub);
	json_decref(it->tree);
	it->tree = mf_record_make(f, err);
	if (!it->tree || mf_record_payload(&payload, &b, it->tree, err) < 0 ||
	    sign(w, &payload, &sig, err) < 0 || mf_record_add_sig(it->tree, &fp, mf_buf_bytes(&sig), err) < 0)
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

bool mf_write_signed_by_us(const struct mf_write *w, const struct mf_entry *e)
{
	struct mf_digest fp = mf_pubkey_fingerprint(w->signer.pub);
	for (size_t i = 0; i < e->nkeys; i++) {
		if (!e->signed_by[i])
			continue;
		struct mf_digest k = mf_pubkey_fingerprint(e->keys[i]);
		if (mf_digest_eq(&k, &fp))
			return true;
	}
	return false;
}

/* A signature of a key that the role does not list (any more) would not count. */
static int check_listed(const struct mf_write *w, const struct mf_entry *e, struct mf_err *err)
{
	struct mf_digest fp = mf_pubkey_fingerprint(w->signer.pub);
	for (size_t i = 0; i < e->nkeys; i++) {
		struct mf_digest k = e->keys[i] ? mf_pubkey_fingerprint(e->keys[i]) : (struct mf_digest){{0}};
		if (e->keys[i] && mf_digest_eq(&k, &fp))
			return 0;
	}
	return mf_fail(err, MF_E_KEY, 0, "role '%s' does not list key '%s' any more", w->role,
		       w->signer.name);
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
		if (sign(w, &payload, &it->cosignature, err) < 0)
			return -1;
		it->cosigned = digest;
	}
	mf_buf_reset(&it->entry);
	if (mf_record_add_sig(tree, &fp, mf_buf_bytes(&it->cosignature), err) < 0)
		return -1;
	/* No reader takes more. */
	if (mf_json_dump_canonical(tree, &size, err) < 0)
		return mf_wrap(err, "add a signature to the record");
	return mf_json_dump_canonical(entry, &it->entry, err);
}

/* ---- storing */

static int store_artifact(struct mf_write *w, struct mf_write_item *it, bool *api, struct mf_err *err)
{
	struct mf_descriptor add = {.digest = it->artifact_digest, .size = it->artifact.n};
	const char *tag = NULL;
	char link_name[160], subject[65];
	if (w->im.store_ref.transport ==
	    MF_TRANSPORT_LAYOUT) { /* --link lists it in index.json; a later put replaces it there */
		mf_digest_hex(subject, &it->subject.digest);
		(void)snprintf(link_name, sizeof link_name, "manifesto-%.12s-%s", subject, w->type);
		tag = link_name;
	}
	if (mf_artifact_store_config(w->im.blobs, err) < 0 ||
	    mf_manifest_put(w->im.blobs, tag, MF_MT_OCI_MANIFEST, mf_buf_bytes(&it->artifact), api, NULL,
			    err) < 0)
		return -1;
	if (*api || tag)
		return 0;
	add.media_type = mf_str_dup(MF_STR(MF_MT_OCI_MANIFEST));
	if (asprintf(&add.artifact_type, "application/vnd.manifesto.%s", w->type) < 0)
		add.artifact_type = NULL;
	int rc = add.media_type && add.artifact_type
		     ? mf_referrers_update(w->im.blobs, &it->subject.digest, &add, 1, NULL, 0, err)
		     : mf_fail_nomem(err);
	mf_descriptor_clear(&add);
	return rc;
}

/* The catalogue names the blob before the record is signed: from here on garbage collection keeps it. */
static int store_in_catalogue(struct mf_write *w, struct mf_err *err)
{
	char created[MF_TIME_LEN];
	struct mf_catalogue_record *v MF_FREE = mf_calloc(w->n, sizeof *v);
	size_t n = 0;
	if (!v)
		return mf_fail_nomem(err);
	mf_time_format(created, w->created);
	for (size_t i = 0; i < w->n; i++) {
		const struct mf_content *c = w->items[i].content;
		if (c)
			v[n++] = (struct mf_catalogue_record){.subject = w->items[i].subject.digest,
							      .blob = c->digest,
							      .length = c->length,
							      .type = w->type,
							      .media_type = c->media_type,
							      .role = w->role,
							      .created = created};
	}
	return n ? mf_catalogue_add(w->im.blobs, v, n, err) : 0;
}

static int store_item(struct mf_write *w, struct mf_write_item *it, struct mf_err *err)
{
	bool api = false;
	if (mf_trust_dir(w->im.trust) && mf_content_put_target(&w->im, mf_str_c(it->name), it->content->blob,
							       &it->content->digest, err) < 0)
		return mf_wrap(err, "store the target file");
	if (it->artifact.n && store_artifact(w, it, &api, err) < 0)
		return mf_wrap(err, "store the artifact manifest");
	return 0;
}

int mf_write_store(struct mf_write *w, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	const struct mf_content *last = NULL;
	for (size_t i = 0; i < w->n; i++) {
		const struct mf_content *c = w->items[i].content;
		if (c && c != last && mf_blob_put(w->im.blobs, c->blob, &c->digest, c->length, err) < 0)
			return mf_wrap(err, "store the content");
		last = c ? c : last;
	}
	/* Blobs go up side by side; tags that all writers share are changed one after another, as far as they
	 * are on this machine. */
	if (mf_publish_lock(w->im.trust, &lock, err) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++)
		if (w->items[i].content && store_item(w, &w->items[i], err) < 0)
			return -1;
	if (w->im.store_ref.transport == MF_TRANSPORT_REGISTRY && store_in_catalogue(w, err) < 0)
		return mf_wrap(err, "update the catalogue");
	return 0;
}

/* ---- publishing */

static int edit_cmp(const void *a, const void *b)
{
	const struct mf_tuf_edit *x = a, *y = b;
	return mf_str_cmp(x->name, y->name);
}

/* Whoever may sign the type can have changed since the role was chosen: what the others would not accept is
 * not published. */
static int check_authority(const struct mf_write *w, struct mf_err *err)
{
	const struct mf_tuf_role *roles[64];
	size_t n = mf_policy_roles(mf_trust_set(w->im.trust), mf_str_c(w->type), roles, 64);
	if (w->asked_role && strcmp(w->role, "targets") == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(roles[i]->name, w->role) == 0)
			return 0;
	return mf_fail(err, MF_E_CONFLICT, 0,
		       "role '%s' may no longer sign '%s': the delegations have just changed", w->role,
		       w->type);
}

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct mf_write *w = arg;
	if (check_authority(w, err) < 0 || mf_write_look(w, false, err) < 0)
		return MF_FAILED;
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++)
		if (!w->items[i].unchanged)
			w->edits[n++] =
			    (struct mf_tuf_edit){mf_str_c(w->items[i].name), mf_buf_str(&w->items[i].entry)};
	qsort(w->edits, n, sizeof *w->edits, edit_cmp);
	*out = (struct mf_publish_change){.role = w->role, .edits = w->edits, .nedits = n};
	/* An expired repository is published once more even when nothing else changes: otherwise nobody could
	 * read what was put. */
	return n || mf_trust_set(t)->expired ? MF_FOUND : MF_ABSENT;
}

int mf_write_publish(struct mf_write *w, int64_t *version, struct mf_err *err)
{
	const struct mf_publish_intent in = {.prefix = mf_str_c(w->prefix), .fill = fill, .arg = w};
	enum mf_found found = mf_publish_run(w->im.trust, &in, version, err);
	if (found == MF_FAILED)
		return -1;
	bool edited = false;
	for (size_t i = 0; i < w->n; i++)
		edited |= !w->items[i].unchanged;
	w->renewed = found == MF_FOUND && !edited;
	if (found == MF_ABSENT) {
		const struct mf_tuf_loaded *l = mf_tuf_set_find(mf_trust_set(w->im.trust), w->role);
		*version = l ? l->file->version : 0;
	}
	return 0;
}

/* ---- afterwards */

int mf_write_warn(struct mf_write *w, struct mf_arena *a, struct mf_err *err, const char *fmt, ...)
{
	char text[1200];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (w->nwarnings == sizeof w->warnings / sizeof w->warnings[0])
		return 0;
	w->warnings[w->nwarnings] = mf_arena_dup(a, mf_str_c(text), err);
	return w->warnings[w->nwarnings] ? (w->nwarnings++, 0) : -1;
}

int mf_write_warn_vetoed(struct mf_write *w, struct mf_arena *a, struct mf_err *err)
{
	for (size_t i = 0; i < w->n; i++) {
		struct mf_entry veto MF_ENTRY_CLEANUP = {0};
		int rc = mf_write_vetoed(w, &w->items[i], &veto, err);
		if (rc)
			return rc < 0 ? -1
				      : mf_write_warn(w, a, err,
						      "'%s' is withdrawn by '%s', which alone can lift that",
						      w->type, veto.role->role);
	}
	return 0;
}

int mf_write_rebuild(struct mf_write *w, struct mf_arena *a, struct mf_err *err)
{
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {.v = mf_calloc(w->n, sizeof(struct mf_subject))};
	struct mf_digest *replaced MF_FREE = mf_calloc(w->n, sizeof *replaced);
	struct mf_err why = MF_ERR_INIT;
	size_t nreplaced = 0;
	if (!s.v || !replaced)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < w->n; i++) {
		s.v[s.n++] = w->items[i].subject;
		if (w->items[i].had_artifact)
			replaced[nreplaced++] = w->items[i].old_artifact;
	}
	if (mf_rebuild(&w->im, &s, replaced, nreplaced, &why) == 0)
		return 0;
	return mf_write_warn(w, a, err, "it is published, but catalogue and referrers are behind: %s",
			     why.msg);
}

int mf_write_report(struct mf_write *w, struct mf_arena *a, struct mf_write_report *out, struct mf_err *err)
{
	struct mf_digest fp = mf_pubkey_fingerprint(w->signer.pub);
	const char **v = mf_arena_alloc(a, w->nwarnings, sizeof(char *), err);
	if (!v)
		return -1;
	for (size_t i = 0; i < w->nwarnings; i++)
		v[i] = w->warnings[i];
	out->warnings = v;
	out->nwarnings = w->nwarnings;
	out->role = mf_arena_dup(a, mf_str_c(w->role), err);
	out->published_to = out->role ? mf_arena_dup(a, mf_str_c(mf_trust_where(w->im.trust)), err) : NULL;
	out->signer_name = out->published_to ? mf_arena_dup(a, mf_str_c(w->signer.name), err) : NULL;
	out->signer_type = mf_key_type_name(mf_pubkey_type(w->signer.pub));
	out->signer_fingerprint = out->signer_name ? mf_report_hex(&fp, a, err) : NULL;
	return out->signer_fingerprint ? 0 : -1;
}

int mf_write_report_change(struct mf_write *w, struct manifesto_change_item *items, size_t n, int64_t version,
			   struct manifesto_change_result *out, struct mf_err *err)
{
	struct mf_write_report r = {0};
	if (mf_write_report(w, &out->arena->a, &r, err) < 0)
		return -1;
	out->items = items;
	out->nitems = n;
	out->version = version;
	out->role = r.role;
	out->published_to = r.published_to;
	out->signer_name = r.signer_name;
	out->signer_type = r.signer_type;
	out->signer_fingerprint = r.signer_fingerprint;
	out->warnings = r.warnings;
	out->nwarnings = r.nwarnings;
	return 0;
}
