/* Turns verified objects into the structs of the public interface. */
#include "base/encode.h"
#include "ops/ops.h"
#include "store/file.h"

const char *mf_report_hex(struct mf_arena *a, const struct mf_digest *d)
{
	char hex[65];
	mf_digest_hex(hex, d);
	return mf_arena_text(a, hex);
}

const char *mf_report_digest(struct mf_arena *a, const struct mf_digest *d)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, d);
	return mf_arena_text(a, digest);
}

const char *mf_report_image(struct mf_arena *a, const struct mf_image *im, const struct mf_digest *d)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, d);
	if (im->ref.transport == MF_TRANSPORT_REGISTRY)
		return mf_arena_format(a, "%s/%s@%s", im->ref.registry, im->ref.repository, digest);
	return mf_arena_format(a, "oci:%s%s%s@%s", im->ref.dir, im->ref.tag ? ":" : "",
			       im->ref.tag ? im->ref.tag : "", digest);
}

/* ---- keys and roles */

static void report_signer(struct manifesto *m, const struct mf_pubkey *k, struct mf_arena *a,
			  struct manifesto_signer *out)
{
	struct mf_digest fp = mf_pubkey_fingerprint(k);
	const char *colleague = mf_names_of(&m->names, &fp);
	const struct mf_key_info *info =
	    colleague || m->no_key_names ? NULL : mf_keystore_find_fp(m->keys, &fp);
	out->fingerprint = mf_report_hex(a, &fp);
	out->key_type = mf_key_type_name(mf_pubkey_type(k));
	out->name = mf_arena_text(a, info ? info->name : NULL);
	out->colleague = mf_arena_text(a, colleague);
}

int mf_report_keys(struct manifesto *m, struct mf_pubkey *const *keys, size_t n, struct mf_arena *a,
		   const struct manifesto_signer *const **out, size_t *nout, struct mf_err *err)
{
	struct manifesto_signer *v = mf_arena_alloc(a, n, sizeof *v, err);
	if (!v)
		return -1;
	*nout = 0;
	for (size_t i = 0; i < n; i++)
		if (keys[i])
			report_signer(m, keys[i], a, &v[(*nout)++]);
	*out = mf_arena_list(a, v, *nout, sizeof *v);
	return mf_arena_check(a, err);
}

int mf_report_role_keys(struct manifesto *m, const struct mf_tuf_role *role, struct mf_arena *a,
			const struct manifesto_signer *const **out, size_t *nout, struct mf_err *err)
{
	struct mf_pubkey **keys MF_FREE = mf_calloc(role->nkeys, sizeof(struct mf_pubkey *));
	if (!keys)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < role->nkeys; i++)
		keys[i] = role->keys[i]->pub;
	return mf_report_keys(m, keys, role->nkeys, a, out, nout, err);
}

static int report_role(struct manifesto *m, const struct mf_tuf_role *role, const struct mf_tuf_file *file,
		       struct mf_arena *a, struct manifesto_trust_role *out, struct mf_err *err)
{
	const char **paths = mf_arena_alloc(a, role->npaths, sizeof(char *), err);
	if (!paths)
		return -1;
	for (size_t i = 0; i < role->npaths; i++)
		paths[i] = mf_arena_text_of(a, role->paths[i]);
	*out =
	    (struct manifesto_trust_role){.name = mf_arena_text(a, role->name),
					  .version = file ? file->version : 0,
					  .expires = file ? file->expires : 0,
					  .threshold = (int)(role->threshold > 1000 ? 1000 : role->threshold),
					  .paths = paths,
					  .npaths = role->npaths};
	return mf_report_role_keys(m, role, a, &out->keys, &out->nkeys, err);
}

int mf_report_roles(struct manifesto *m, const struct mf_tuf_set *set, struct mf_arena *a,
		    const struct manifesto_trust_role *const **out, size_t *nout, struct mf_err *err)
{
	size_t n = MF_TUF_TYPES, at = 0;
	for (size_t i = 0; i < set->nroles; i++)
		n += set->roles[i]->file->nroles;
	struct manifesto_trust_role *v = mf_arena_alloc(a, n, sizeof *v, err);
	if (!v)
		return -1;
	const struct mf_tuf_file *top[MF_TUF_TYPES] = {set->root, set->timestamp, set->snapshot,
						       set->roles[0]->file};
	for (size_t i = 0; i < MF_TUF_TYPES; i++)
		if (report_role(m, &set->root->roles[i], top[i], a, &v[at++], err) < 0)
			return -1;
	for (size_t i = 0; i < set->nroles; i++)
		for (size_t j = 0; j < set->roles[i]->file->nroles; j++) {
			const struct mf_tuf_role *role = &set->roles[i]->file->roles[j];
			if (mf_tuf_is_shard(set->d, set->roles[i], role))
				continue;
			const struct mf_tuf_loaded *l = mf_tuf_set_find(set, role->name);
			if (report_role(m, role, l ? l->file : NULL, a, &v[at++], err) < 0)
				return -1;
			if (l)
				v[at - 1].expires = mf_tuf_role_expires(set, l);
		}
	v[MF_TUF_TARGETS].expires = mf_tuf_role_expires(set, set->roles[0]);
	*out = mf_arena_list(a, v, at, sizeof *v);
	*nout = at;
	return mf_arena_check(a, err);
}

/* ---- records */

static int report_signers(struct manifesto *m, const struct mf_entry *e, struct mf_arena *a,
			  struct manifesto_record *out, struct mf_err *err)
{
	struct mf_pubkey **v MF_FREE = mf_calloc(e->nkeys, sizeof(struct mf_pubkey *));
	size_t n = 0;
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < e->nkeys; i++)
		if (e->signed_by[i])
			v[n++] = e->keys[i];
	return mf_report_keys(m, v, n, a, &out->signers, &out->nsigners, err);
}

static const char *decode(const char *text, struct mf_arena *a)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES);
	struct mf_err ignored = MF_ERR_INIT;
	/* A text with a NUL is shown as it is encoded: what follows the NUL would not be shown. */
	if (mf_pct_decode(&b, mf_str_c(text), &ignored) < 0 || memchr(mf_buf_str(&b).p, 0, b.n))
		return mf_arena_text(a, text);
	return mf_arena_text_of(a, mf_buf_str(&b));
}

static int report_annotations(const struct mf_record *r, struct mf_arena *a, struct manifesto_record *out,
			      struct mf_err *err)
{
	json_t *list = json_object_get(r->tree, "annotations"), *value;
	const char *key;
	const char **v = mf_arena_alloc(a, json_object_size(list), sizeof(char *), err);
	if (!v)
		return -1;
	json_object_foreach(list, key, value)
	{
		const char *text = json_is_string(value) ? json_string_value(value) : "";
		v[out->nannotations++] = mf_arena_format(a, "%s=%s", decode(key, a), decode(text, a));
	}
	out->annotations = v;
	return 0;
}

static int report_withdrew(const struct mf_record *r, struct mf_arena *a, struct manifesto_record *out,
			   struct mf_err *err)
{
	const char **v = mf_arena_alloc(a, json_array_size(r->withdrew), sizeof(char *), err);
	if (!v)
		return -1;
	for (size_t i = 0; i < json_array_size(r->withdrew); i++) {
		const char *text = json_string_value(json_array_get(r->withdrew, i));
		struct mf_err ignored = MF_ERR_INIT;
		struct mf_digest d;
		/* An element that is no digest is left out; the tombstone counts all the same. */
		if (text && mf_digest_parse(&d, mf_str_c(text), &ignored) == 0)
			v[out->nwithdrew++] = mf_arena_text(a, text);
	}
	out->withdrew = v;
	return 0;
}

static int report_originals(struct manifesto *m, const struct mf_entry *e, struct mf_arena *a,
			    struct manifesto_record *out, struct mf_err *err)
{
	size_t n = e->originals.n;
	struct manifesto_original *v = n ? mf_arena_alloc(a, n, sizeof *v, err) : NULL;
	if (!n)
		return 0;
	if (!v)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct mf_original *o = &e->originals.v[i];
		v[i] = (struct manifesto_original){.repository = mf_arena_text(a, o->repository),
						   .role = mf_arena_text(a, o->role),
						   .dialect = mf_arena_text(a, o->dialect),
						   .version = o->version,
						   .created = o->record.created,
						   .author = mf_arena_text(a, o->record.author),
						   .depth = (int)o->depth};
		if (mf_report_keys(m, o->keys, o->nkeys, a, &v[i].signers, &v[i].nsigners, err) < 0)
			return -1;
	}
	out->promoted_from = mf_arena_list(a, v, n, sizeof *v);
	out->npromoted_from = n;
	return 0;
}

int mf_report_record(struct mf_image *im, const struct mf_entry *e, const char *platform, struct mf_arena *a,
		     struct manifesto_record *out, struct mf_err *err)
{
	struct manifesto_record r = {.image = mf_report_image(a, im, &e->subject),
				     .subject = mf_report_digest(a, &e->subject),
				     .platform = platform && *platform ? mf_arena_text(a, platform) : NULL,
				     .type = mf_arena_text_of(a, e->type),
				     .role = mf_arena_text(a, e->role->role),
				     .digest = mf_report_digest(a, &e->info.sha256),
				     .length = e->info.length,
				     .media_type = mf_arena_text(a, e->record.media_type),
				     .author = mf_arena_text(a, e->record.author),
				     .reason = mf_arena_text(a, e->record.reason),
				     .created = e->record.created,
				     .has_created = e->record.has_created,
				     .has_expires = e->record.has_expires,
				     .expires = e->record.expires,
				     .state = mf_state_name(e->state),
				     .role_version = e->role->file->version,
				     .role_expires = e->role->file->expires};
	if (report_signers(im->m, e, a, &r, err) < 0 || report_annotations(&e->record, a, &r, err) < 0 ||
	    report_withdrew(&e->record, a, &r, err) < 0 || report_originals(im->m, e, a, &r, err) < 0)
		return -1;
	*out = r;
	return mf_arena_check(a, err);
}

/* Refuses annotations that "key=value" would show ambiguously: a key that contains '=', and different keys
 * that are shown alike. */
static int check_annotations(const struct mf_record *r, struct mf_arena *a,
			     const struct manifesto_record *shown, struct mf_err *err)
{
	const char *key;
	json_t *value;
	struct mf_esc e;
	json_object_foreach(json_object_get(r->tree, "annotations"), key, value)
	{
		const char *text = decode(key, a);
		if (text && strchr(text, '='))
			return mf_fail(err, MF_E_POLICY, 0, "the name of annotation '%s' holds '='",
				       mf_esc(&e, mf_str_c(text)));
	}
	for (size_t i = 0; i < shown->nannotations; i++)
		for (size_t k = 0; k < i; k++) {
			const char *x = shown->annotations[i], *y = shown->annotations[k];
			size_t n = strcspn(x, "=");
			if (n == strcspn(y, "=") && strncmp(x, y, n) == 0)
				return mf_fail(err, MF_E_POLICY, 0, "two annotations are shown as '%s'",
					       mf_esc(&e, (struct mf_str){x, n}));
		}
	return 0;
}

int mf_report_others(const struct mf_record *r, struct mf_arena *a, struct manifesto_record *out,
		     struct mf_err *err)
{
	static const char *const shown[] = {"created", "mediaType",   "author", "reason",
					    "expires", "annotations", "sigs",   "v"};
	const char **v = mf_arena_alloc(a, json_object_size(r->tree), sizeof(char *), err);
	const char *name;
	json_t *value;
	if (!v || check_annotations(r, a, out, err) < 0)
		return -1;
	out->nothers = 0;
	json_object_foreach(r->tree, name, value)
	{
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES);
		bool known = false;
		for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
			known |= strcmp(name, shown[i]) == 0;
		if (known)
			continue;
		if (mf_json_dump_canonical(value, &text, err) < 0)
			return -1;
		v[out->nothers++] = mf_arena_format(a, "%s=%s", name, mf_buf_str(&text).p);
	}
	out->others = v;
	return mf_arena_check(a, err);
}

/* ---- writing results to files, for callers */

int manifesto_file_write(const char *path, const void *data, size_t length, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	*error = (struct manifesto_error){0};
	return mf_file_write(path, (struct mf_bytes){data, length}, 0644, &err) < 0 ? mf_op_fail(error, &err)
										    : 0;
}
