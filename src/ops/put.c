/* put: content first, signed records last, then what shows them. A crash anywhere leaves the old or the new
 * state readable, never a signed record without its content. */
#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "oci/spool_hash.h"
#include "ops/ops.h"

/* One subject of the put. */
struct item {
	struct mf_subject subject;
	char *name;             /* target name */
	struct mf_buf artifact; /* manifest bytes; empty for a layout without --link */
	struct mf_digest artifact_digest;
	json_t *tree;        /* signed description */
	struct mf_buf entry; /* target entry, canonical */
	char *first;         /* the entry as first seen, canonical; NULL: there was none */
	bool had_artifact;
	struct mf_digest old_artifact;
	bool unchanged;
};

struct put {
	struct manifesto *m;
	const struct manifesto_put_options *o;
	struct mf_image im;
	struct mf_spool *blob;
	struct mf_digest digest;
	uint64_t length;
	char media_type[256];
	char *prefix; /* "TYPE/" */
	char *role;   /* role to write to */
	struct mf_signer signer;
	const struct mf_key_info *key;
	struct item *items;
	size_t n;
	struct mf_tuf_edit *edits;
	int64_t created;
	bool seen; /* first entries are remembered */
	struct mf_trust_made made;
	bool initialised;
};

static void item_clear(struct item *i)
{
	free(i->name);
	free(i->first);
	mf_buf_clear(&i->artifact);
	mf_buf_clear(&i->entry);
	json_decref(i->tree);
}

static void put_clear(struct put *p)
{
	for (size_t i = 0; i < p->n; i++)
		item_clear(&p->items[i]);
	free(p->items);
	free(p->edits);
	free(p->prefix);
	free(p->role);
	mf_spool_free(p->blob);
	mf_image_close(&p->im);
	mf_arena_clear(&p->made.arena);
}

/* ---- content */

/* 1, 0, -1 out of memory. */
static int is_text(struct mf_str s, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_buf quoted MF_BUF_CLEANUP = MF_BUF_INIT(s.n * 2 + 16);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == 0x7f || (c < 0x20 && !strchr("\t\n\r\f", c)))
			return 0;
	}
	if (mf_json_quote(s, &quoted, &why) == 0)
		return 1;
	return why.code == MF_E_NOMEM ? mf_fail_nomem(err) : 0;
}

/* 1, 0, -1 out of memory. */
static int is_json(struct mf_str s, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	mf_json_reader_init(&r, mf_bytes_of(s));
	if (mf_json_skip(&r, NULL, &why) == 0 && mf_json_end(&r, &why) == 0)
		return 1;
	return why.code == MF_E_NOMEM ? mf_fail_nomem(err) : 0;
}

/* TYPE/SUBTYPE of RFC 6838's characters, and parameters of printable ASCII: it goes into manifests that
 * others read. */
static bool is_media_type(const char *s)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+";
	size_t type = strspn(s, name), sub = s[type] == '/' ? strspn(s + type + 1, name) : 0;
	if (!type || !sub)
		return false;
	s += type + 1 + sub;
	if (*s && *s != ';' && *s != ' ')
		return false;
	while (*s >= ' ' && *s <= '~')
		s++;
	return !*s;
}

/* Told from the content when it is small enough to look at. */
static int find_media_type(struct put *p, struct mf_err *err)
{
	const uint64_t look = (uint64_t)4 << 20;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT((size_t)look);
	const char *found = "application/octet-stream";
	char chunk[65536];
	size_t got = 1;
	if (p->o->media_type) {
		struct mf_esc e;
		if (strlen(p->o->media_type) >= sizeof p->media_type || !is_media_type(p->o->media_type))
			return mf_fail(err, MF_E_USAGE, 0, "media type '%s' is not TYPE/SUBTYPE",
				       mf_esc(&e, mf_str_c(p->o->media_type)));
		found = p->o->media_type;
	} else if (p->length <= look) {
		while (b.n < p->length) {
			if (mf_spool_read(p->blob, b.n, chunk, sizeof chunk, &got, err) < 0 ||
			    mf_buf_add(&b, chunk, got, err) < 0)
				return -1;
			if (!got)
				break;
		}
		struct mf_str s = mf_buf_str(&b);
		int json = s.n ? is_json(s, err) : 0, text = json == 0 ? is_text(s, err) : 0;
		if (json < 0 || text < 0)
			return -1;
		found = json ? "application/json" : text ? "text/plain" : found;
	}
	(void)snprintf(p->media_type, sizeof p->media_type, "%s", found);
	return 0;
}

static int read_content(struct put *p, struct mf_err *err)
{
	p->blob = mf_spool_new_sha256(MF_MAX_BLOB_BYTES, err);
	if (!p->blob)
		return -1;
	if (p->o->path) {
		if (mf_spool_from_path(p->blob, p->o->path, &p->digest, &p->length, err) < 0)
			return -1;
	} else if (mf_spool_add(p->blob, p->o->data, p->o->data_length, err) < 0 ||
		   mf_spool_end(p->blob, &p->digest, &p->length, err) < 0) {
		return -1;
	}
	/* A scanner that failed in a pipe leaves nothing behind it: whoever signs that should see it. */
	if (!p->length)
		mf_env_log(&p->m->env, MF_LOG_WARNING, "the content of '%s' is empty", p->o->type);
	return find_media_type(p, err);
}

/* ---- where it goes */

/* Another first put on this machine may have published a moment ago and not stored its pin yet: it holds the
 * lock until then. Or the pin is there, and what was asked for in advance was answered before the publish. */
static int load_behind_others(struct mf_trust *t, struct mf_str prefix, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if (mf_trust_load(t, prefix, true, err) == 0)
		return 0;
	if (err->code != MF_E_PIN && err->code != MF_E_GONE)
		return -1;
	mf_err_clear(err);
	if (mf_trust_lock(t, &lock, err) < 0)
		return -1;
	mf_lock_release(&lock);
	return mf_trust_load(t, prefix, true, err);
}

static int load_or_init(struct put *p, struct mf_err *err)
{
	struct mf_trust *t = p->im.trust;
	struct mf_str prefix = mf_str_c(p->prefix);
	struct manifesto_options *o = &p->m->opt;
	if (load_behind_others(t, prefix, err) == 0) {
		/* Without floors nobody can tell whether this is the newest state: the publisher sees what it
		 * builds on. */
		if (mf_trust_first_seen(t))
			mf_env_log(&p->m->env, MF_LOG_WARNING,
				   "'%s' is new to this machine: publishing on top of snapshot version %lld",
				   mf_trust_pin_name(t), (long long)mf_trust_set(t)->snapshot->version);
		return 0;
	}
	if (err->code != MF_E_NOT_FOUND)
		return -1;
	bool yes =
	    p->o->init || (o->confirm_init &&
			   o->confirm_init(o->confirm_init_arg, mf_trust_pin_name(t), mf_trust_where(t)));
	if (!yes) {
		mf_err_set_hint(err, "--init makes one");
		return -1;
	}
	mf_err_clear(err);
	if (mf_trust_init(t, &p->made, err) == 0)
		p->initialised = true;
	else if (err->code != MF_E_CONFLICT)
		return -1;
	else
		mf_err_clear(err); /* somebody was faster: it exists now, and is checked against the pin like
				      any other */
	return mf_trust_load(t, prefix, true, err);
}

/* Our signer for a role; with a key that was named, that one only. */
static int role_signer(const struct put *p, const struct mf_tuf_role *role, struct mf_signer *s,
		       const struct mf_key_info **k, struct mf_err *err)
{
	if (mf_trust_signer(p->im.trust, role, s, k, err) < 0)
		return -1;
	if (!p->o->key || strcmp((*k)->name, p->o->key) == 0)
		return 0;
	(void)mf_fail(err, MF_E_KEY, 0, "role '%s' does not accept key '%s', or it is not here", role->name,
		      p->o->key);
	mf_err_set_hint(
	    err,
	    "'manifesto trust show' lists the keys of each role, 'manifesto key list' those of this machine");
	return -1;
}

static int no_key_for(const struct put *p, const struct mf_tuf_role *const *roles, size_t n,
		      struct mf_err *err)
{
	struct mf_signer s;
	const struct mf_key_info *k;
	if (n == 1)
		return role_signer(p, roles[0], &s, &k, err); /* its own message lists the keys */
	char list[400] = "";
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(list);
		(void)snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "", roles[i]->name);
	}
	return mf_fail(err, MF_E_KEY, 0, "we hold no key of the roles that may sign '%s': %s", p->o->type,
		       list);
}

/* The one authorised role whose key we hold, or the one that was named. */
static int choose_role(struct put *p, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(p->im.trust);
	const struct mf_tuf_role *roles[64], *best = NULL;
	size_t n = mf_policy_roles(set, mf_str_c(p->o->type), roles, 64), held = 0;
	char list[400] = "";
	if (p->o->role && mf_role_is("targets", p->o->role)) {
		roles[0] = &set->root->roles[MF_TUF_TARGETS];
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		struct mf_err why = MF_ERR_INIT;
		struct mf_signer s;
		const struct mf_key_info *k;
		if (p->o->role && !mf_role_is(roles[i]->name, p->o->role))
			continue;
		bool ours = p->o->role || role_signer(p, roles[i], &s, &k, &why) == 0;
		if (!ours && why.code != MF_E_KEY)
			return mf_fail(err, why.code, 0, "%s", why.msg);
		if (ours) {
			size_t at = strlen(list);
			(void)snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "", roles[i]->name);
			best = roles[i];
			held++;
		}
	}
	if (held > 1) {
		(void)mf_fail(err, MF_E_AMBIGUOUS, 0, "several roles may sign '%s' with our keys: %s",
			      p->o->type, list);
		mf_err_set_hint(err, "choose one with --role");
		return -1;
	}
	if (!best && p->o->role)
		return mf_fail(err, MF_E_USAGE, 0, "role '%s' may not sign '%s'", p->o->role, p->o->type);
	if (!best)
		return no_key_for(p, roles, n, err);
	p->role = mf_str_dup(mf_str_c(best->name));
	return p->role ? role_signer(p, best, &p->signer, &p->key, err) : mf_fail_nomem(err);
}

/* ---- the records */

static int make_item(struct put *p, struct item *it, const struct mf_subject *s, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	it->subject = *s;
	mf_buf_init(&it->artifact, MF_MAX_MANIFEST_BYTES);
	mf_buf_init(&it->entry, MF_MAX_CUSTOM_BYTES * 2);
	if (mf_record_name(&name, mf_str_c(p->o->type), &s->digest, err) < 0)
		return -1;
	it->name = mf_buf_take(&name);
	if (!it->name)
		return mf_fail_nomem(err);
	if (p->im.store_ref.transport == MF_TRANSPORT_LAYOUT && !p->o->link)
		return 0;
	return mf_artifact_of(s, p->o->type, &p->digest, p->length, p->media_type, &it->artifact,
			      &it->artifact_digest, err);
}

static int make_items(struct put *p, struct mf_err *err)
{
	struct mf_subjects s __attribute__((cleanup(mf_subjects_clear))) = {0};
	if (mf_image_subjects(&p->im, p->o->platform, p->o->all_platforms != 0, true, &s, err) < 0)
		return -1;
	p->items = mf_calloc(s.n, sizeof *p->items);
	p->edits = mf_calloc(s.n, sizeof *p->edits);
	if (!p->items || !p->edits)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < s.n; i++) {
		p->n++;
		if (make_item(p, &p->items[i], &s.v[i], err) < 0)
			return -1;
	}
	return 0;
}

static int put_entry(struct put *p, struct item *it, struct mf_err *err)
{
	const struct mf_dialect *d = mf_trust_dialect(p->im.trust);
	mf_buf_reset(&it->entry);
	if (mf_buf_addz(&it->entry, "{\"custom\":", err) < 0 ||
	    mf_record_custom(&it->entry, it->tree, err) < 0 ||
	    mf_buf_addz(&it->entry, ",\"hashes\":{\"sha256\":", err) < 0 ||
	    mf_tuf_put_hash(d, (struct mf_bytes){p->digest.b, 32}, &it->entry, err) < 0)
		return -1;
	return mf_buf_printf(&it->entry, err, "},\"length\":%llu}", (unsigned long long)p->length);
}

static int sign_item(struct put *p, struct item *it, struct mf_err *err)
{
	struct mf_record_fields f = {.created = p->created,
				     .expires = p->o->expires,
				     .media_type = p->media_type,
				     .author = p->o->author,
				     .reason = p->o->reason,
				     .annotations = p->o->annotations,
				     .artifact = it->artifact.n ? &it->artifact_digest : NULL};
	struct mf_record_binding b = {.repository = mf_trust_gun(p->im.trust),
				      .name = mf_str_c(it->name),
				      .length = p->length,
				      .sha256 = p->digest};
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2),
			      sig MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_digest fp = mf_pubkey_fingerprint(p->signer.pub);
	it->tree = mf_record_make(&f, err);
	if (!it->tree || mf_record_payload(&payload, &b, it->tree, err) < 0)
		return -1;
	int rc =
	    p->signer.sign(p->signer.arg, mf_record_scheme(p->signer.pub), mf_buf_bytes(&payload), &sig, err);
	if (rc == 1)
		return mf_fail(err, MF_E_KEY, 0, "the signature of key '%s' is pending", p->signer.name);
	if (rc < 0 || mf_record_add_sig(it->tree, &fp, mf_buf_bytes(&sig), err) < 0)
		return -1;
	return put_entry(p, it, err);
}

/* ---- what is there already */

static int entry_now(struct put *p, const struct item *it, struct mf_entry *out, char **canonical,
		     struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(p->im.trust);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(set, p->role);
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

/* The same content under the same description, signed by the same key: only the time would differ. */
static bool same_record(const struct put *p, const struct item *it, const struct mf_entry *e)
{
	struct mf_digest fp = mf_pubkey_fingerprint(p->signer.pub);
	bool ours = false;
	if (!mf_digest_eq(&e->info.sha256, &p->digest) || e->state != MF_STATE_CURRENT)
		return false;
	for (size_t i = 0; i < e->nkeys; i++) {
		struct mf_digest k =
		    e->signed_by[i] ? mf_pubkey_fingerprint(e->keys[i]) : (struct mf_digest){{0}};
		ours |= e->signed_by[i] && mf_digest_eq(&k, &fp);
	}
	struct mf_err ignored = MF_ERR_INIT, ignored2 = MF_ERR_INIT; /* out of memory: published once more */
	json_t *a MF_JSON_CLEANUP = mf_json_copy(e->record.tree, &ignored),
		  *b MF_JSON_CLEANUP = mf_json_copy(it->tree, &ignored2);
	for (int i = 0; i < 2; i++) {
		(void)json_object_del(i ? a : b, "created");
		(void)json_object_del(i ? a : b, "sigs");
	}
	return ours && a && b && json_equal(a, b);
}

/* A tombstone is lifted by the role that made it, and only when that was asked for. */
static int check_withdrawn(const struct put *p, const struct item *it, struct mf_err *err)
{
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	const struct mf_tuf_set *set = mf_trust_set(p->im.trust);
	if (mf_policy_select(set, mf_str_c(p->o->type), &it->subject.digest, NULL, &e, err) == 0)
		return 0;
	if (err->code != MF_E_WITHDRAWN) {
		/* Several records, an expired one, none: nothing that a put must respect. */
		int rc = err->code == MF_E_NOT_FOUND || err->code == MF_E_AMBIGUOUS ||
				 err->code == MF_E_RECORD_EXPIRED
			     ? 0
			     : -1;
		if (rc == 0)
			mf_err_clear(err);
		return rc;
	}
	struct mf_err ignored = MF_ERR_INIT;
	bool by_us =
	    mf_policy_select(set, mf_str_c(p->o->type), &it->subject.digest, p->role, &e, &ignored) < 0 &&
	    ignored.code == MF_E_WITHDRAWN;
	if (by_us && p->o->reinstate) {
		mf_err_clear(err);
		return 0;
	}
	mf_err_set_hint(err, by_us ? "--reinstate lifts the withdrawal"
				   : "only the role that withdrew it can lift that");
	return -1;
}

/* Compares with what was there when this put began: somebody else's newer record is not overwritten unless
 * --force. */
static int look(struct put *p, struct item *it, bool first, struct mf_err *err)
{
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	char *now MF_FREE = NULL;
	int rc = entry_now(p, it, &e, &now, err);
	if (rc < 0 || check_withdrawn(p, it, err) < 0)
		return -1;
	it->unchanged = rc && it->tree && same_record(p, it, &e);
	if (first) {
		it->had_artifact = rc && e.record.has_artifact;
		it->old_artifact = e.record.artifact;
		it->first = now;
		now = NULL;
		return 0;
	}
	bool moved = (now == NULL) != (it->first == NULL) || (now && strcmp(now, it->first) != 0);
	if (moved && !it->unchanged && !p->o->force &&
	    strcmp(now ? now : "", mf_buf_str(&it->entry).p) != 0) {
		(void)mf_fail(err, MF_E_CONFLICT, 0,
			      "somebody else has just changed '%s' of this image in '%s'", p->o->type,
			      p->role);
		mf_err_set_hint(err, "look at it with 'manifesto get'; --force replaces it");
		return -1;
	}
	return 0;
}

static int look_at_all(struct put *p, bool first, struct mf_err *err)
{
	for (size_t i = 0; i < p->n; i++)
		if (look(p, &p->items[i], first, err) < 0)
			return -1;
	return 0;
}

/* ---- storing */

static int store_artifact(struct put *p, struct item *it, bool *api, struct mf_err *err)
{
	struct mf_descriptor add = {.digest = it->artifact_digest, .size = it->artifact.n};
	const char *tag = NULL;
	char link_name[160], subject[65];
	if (p->im.store_ref.transport ==
	    MF_TRANSPORT_LAYOUT) { /* --link lists it in index.json; a later put replaces it there */
		mf_digest_hex(subject, &it->subject.digest);
		(void)snprintf(link_name, sizeof link_name, "manifesto-%.12s-%s", subject, p->o->type);
		tag = link_name;
	}
	if (mf_artifact_store_config(p->im.blobs, err) < 0 ||
	    mf_manifest_put(p->im.blobs, tag, MF_MT_OCI_MANIFEST, mf_buf_bytes(&it->artifact), api, NULL,
			    err) < 0)
		return -1;
	if (*api || tag)
		return 0;
	add.media_type = mf_str_dup(MF_STR(MF_MT_OCI_MANIFEST));
	if (asprintf(&add.artifact_type, "application/vnd.manifesto.%s", p->o->type) < 0)
		add.artifact_type = NULL;
	int rc = add.media_type && add.artifact_type
		     ? mf_referrers_update(p->im.blobs, &it->subject.digest, &add, 1, NULL, 0, err)
		     : mf_fail_nomem(err);
	mf_descriptor_clear(&add);
	return rc;
}

/* The catalogue names the blob before the record is signed: from here on garbage collection keeps it. */
static int store_in_catalogue(struct put *p, struct mf_err *err)
{
	char created[MF_TIME_LEN];
	struct mf_catalogue_record *v MF_FREE = mf_calloc(p->n, sizeof *v);
	if (!v)
		return mf_fail_nomem(err);
	mf_time_format(created, p->created);
	for (size_t i = 0; i < p->n; i++)
		v[i] = (struct mf_catalogue_record){.subject = p->items[i].subject.digest,
						    .blob = p->digest,
						    .length = p->length,
						    .type = p->o->type,
						    .media_type = p->media_type,
						    .role = p->role,
						    .created = created};
	return mf_catalogue_add(p->im.blobs, v, p->n, err);
}

static int store_content(struct put *p, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if (mf_blob_put(p->im.blobs, p->blob, &p->digest, p->length, err) < 0)
		return mf_wrap(err, "store the content");
	/* Blobs go up side by side; tags that all writers share are changed one after another, as far as they
	 * are on this machine. */
	if (mf_trust_lock(p->im.trust, &lock, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		bool api = false;
		struct item *it = &p->items[i];
		if (mf_trust_dir(p->im.trust) &&
		    mf_content_put_target(&p->im, mf_str_c(it->name), p->blob, &p->digest, err) < 0)
			return mf_wrap(err, "store the target file");
		if (it->artifact.n && store_artifact(p, it, &api, err) < 0)
			return mf_wrap(err, "store the artifact manifest");
	}
	if (p->im.store_ref.transport == MF_TRANSPORT_REGISTRY && store_in_catalogue(p, err) < 0)
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
static int check_authority(const struct put *p, struct mf_err *err)
{
	const struct mf_tuf_role *roles[64];
	size_t n = mf_policy_roles(mf_trust_set(p->im.trust), mf_str_c(p->o->type), roles, 64);
	if (p->o->role && strcmp(p->role, "targets") == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(roles[i]->name, p->role) == 0)
			return 0;
	return mf_fail(err, MF_E_CONFLICT, 0,
		       "role '%s' may no longer sign '%s': the delegations have just changed", p->role,
		       p->o->type);
}

static int intent(void *arg, struct mf_trust *t, struct mf_trust_change *out, struct mf_err *err)
{
	struct put *p = arg;
	if (check_authority(p, err) < 0 || look_at_all(p, false, err) < 0)
		return -1;
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		if (!p->items[i].unchanged)
			p->edits[n++] =
			    (struct mf_tuf_edit){mf_str_c(p->items[i].name), mf_buf_str(&p->items[i].entry)};
	qsort(p->edits, n, sizeof *p->edits, edit_cmp);
	*out = (struct mf_trust_change){p->role, p->edits, n};
	/* An expired repository is published anew even when nothing else changes: otherwise nobody could read
	 * what was put. */
	return n || mf_trust_set(t)->expired ? 1 : 0;
}

/* ---- the report */

static int warn(struct manifesto_put_result *out, const struct mf_err *why, struct mf_err *err)
{
	const char **v = mf_arena_alloc(&out->arena->a, 1, sizeof(char *), err);
	if (!v)
		return -1;
	v[0] =
	    mf_arena_printf(&out->arena->a, err,
			    "the record is published, but catalogue and referrers are behind: %s", why->msg);
	out->warnings = v;
	out->nwarnings = 1;
	return v[0] ? 0 : -1;
}

static int report_items(struct put *p, struct manifesto_put_result *out, struct mf_err *err)
{
	struct mf_arena *a = &out->arena->a;
	char digest[MF_DIGEST_TEXT];
	struct manifesto_put_item *v = mf_arena_alloc(a, p->n, sizeof *v, err);
	if (!v)
		return -1;
	mf_digest_format(digest, &p->digest);
	for (size_t i = 0; i < p->n; i++) {
		const struct item *it = &p->items[i];
		v[i].image = mf_image_name(&p->im, &it->subject.digest, a, err);
		v[i].platform = it->subject.platform[0] && v[i].image
				    ? mf_arena_dup(a, mf_str_c(it->subject.platform), err)
				    : NULL;
		v[i].digest = v[i].image ? mf_arena_dup(a, mf_str_c(digest), err) : NULL;
		v[i].unchanged = it->unchanged;
		if (!v[i].digest || err->code)
			return -1;
	}
	out->items = v;
	out->nitems = p->n;
	return 0;
}

static int report_init(struct put *p, struct manifesto_put_result *out, struct mf_err *err)
{
	struct mf_arena *a = &out->arena->a;
	struct mf_pin pin __attribute__((cleanup(mf_pin_clear))) = {0};
	out->initialised = p->initialised;
	if (!p->initialised)
		return 0;
	if (mf_pin_find(p->m->opt.home, mf_trust_pin_name(p->im.trust), &pin, err) < 0)
		return -1;
	const char **keys = mf_arena_alloc(a, p->made.nkeys, sizeof(char *), err);
	const char **pins = keys ? mf_arena_alloc(a, pin.n, sizeof(char *), err) : NULL;
	if (!pins)
		return -1;
	for (size_t i = 0; i < p->made.nkeys; i++)
		if (!(keys[i] = mf_arena_dup(a, mf_str_c(p->made.keys[i]), err)))
			return -1;
	for (size_t i = 0; i < pin.n; i++)
		if (!(pins[i] = mf_report_hex(&pin.fingerprints[i], a, err)))
			return -1;
	out->keys_made = keys;
	out->nkeys_made = p->made.nkeys;
	out->pinned = pins;
	out->npinned = pin.n;
	return 0;
}

static int report(struct put *p, int64_t version, struct manifesto_put_result *out, struct mf_err *err)
{
	struct mf_arena *a = &out->arena->a;
	struct mf_digest fp = mf_pubkey_fingerprint(p->signer.pub);
	out->length = p->length;
	out->version = version;
	out->role = mf_arena_dup(a, mf_str_c(p->role), err);
	out->published_to = out->role ? mf_arena_dup(a, mf_str_c(mf_trust_where(p->im.trust)), err) : NULL;
	out->signer_name = out->published_to ? mf_arena_dup(a, mf_str_c(p->signer.name), err) : NULL;
	out->signer_type = mf_key_type_name(mf_pubkey_type(p->signer.pub));
	out->signer_fingerprint = out->signer_name ? mf_report_hex(&fp, a, err) : NULL;
	if (!out->signer_fingerprint || report_items(p, out, err) < 0)
		return -1;
	return report_init(p, out, err);
}

/* ---- the whole */

static int rebuild(struct put *p, struct manifesto_put_result *out, struct mf_err *err)
{
	struct mf_subjects s
	    __attribute__((cleanup(mf_subjects_clear))) = {.v = mf_calloc(p->n, sizeof(struct mf_subject))};
	struct mf_digest *replaced MF_FREE = mf_calloc(p->n, sizeof *replaced);
	struct mf_err why = MF_ERR_INIT;
	size_t nreplaced = 0;
	if (!s.v || !replaced)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < p->n; i++) {
		s.v[s.n++] = p->items[i].subject;
		if (p->items[i].had_artifact)
			replaced[nreplaced++] = p->items[i].old_artifact;
	}
	return mf_rebuild(&p->im, &s, replaced, nreplaced, &why) == 0 ? 0 : warn(out, &why, err);
}

static int prepare(struct put *p, struct mf_err *err)
{
	struct mf_str type = mf_str_c(p->o->type);
	p->created = mf_env_now(&p->m->env);
	if (mf_record_type_check(type, err) < 0)
		return -1;
	if (p->o->expires && p->o->expires <= p->created)
		return mf_fail(err, MF_E_USAGE, 0, "the record would have expired already");
	if (asprintf(&p->prefix, "%s/", p->o->type) < 0) {
		p->prefix = NULL;
		return mf_fail_nomem(err);
	}
	if (mf_image_open(&p->im, p->m, p->o->image, err) < 0 || read_content(p, err) < 0 ||
	    mf_image_begin(&p->im, err) < 0)
		return -1;
	return make_items(p, err);
}

static int put(struct put *p, manifesto_progress_fn progress, void *progress_arg,
	       struct manifesto_put_result *out, struct mf_err *err)
{
	out->arena = mf_op_arena(err);
	if (!out->arena || prepare(p, err) < 0)
		return -1;
	for (size_t i = 0; progress && i < p->n; i++) {
		char *name = mf_image_name(&p->im, &p->items[i].subject.digest, &out->arena->a, err);
		if (!name)
			return -1;
		progress(progress_arg, name, p->o->type);
	}
	if (load_or_init(p, err) < 0 || choose_role(p, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (sign_item(p, &p->items[i], err) < 0)
			return -1;
	if (look_at_all(p, true, err) < 0 || store_content(p, err) < 0)
		return -1;
	int64_t version = 0;
	int rc = mf_trust_update(p->im.trust, mf_str_c(p->prefix), intent, p, &version, err);
	if (rc < 0)
		return -1;
	bool edited = false;
	for (size_t i = 0; i < p->n; i++)
		edited |= !p->items[i].unchanged;
	for (size_t i = 0; rc == 1 && !edited && i < p->n; i++)
		p->items[i].unchanged = false; /* published anew since the old file had expired */
	if (rc == 0) {
		const struct mf_tuf_loaded *l = mf_tuf_set_find(mf_trust_set(p->im.trust), p->role);
		version = l ? l->file->version : 0;
	}
	if (report(p, version, out, err) < 0)
		return -1;
	return rebuild(p, out, err);
}

int manifesto_put(struct manifesto *m, const struct manifesto_put_options *opt,
		  manifesto_progress_fn progress, void *progress_arg, struct manifesto_put_result *out,
		  struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_put_result r = {.size = sizeof r};
	struct put p
	    __attribute__((cleanup(put_clear))) = {.m = m, .o = opt, .made = {.arena = MF_ARENA_INIT}};
	mf_op_begin(m, error);
	if (put(&p, progress, progress_arg, &r, &err) < 0) {
		manifesto_put_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

void manifesto_put_result_clear(struct manifesto_put_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_put_result){.size = sizeof *r};
}
