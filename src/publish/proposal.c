/* The document of a proposal: reading, writing, merging signatures. */
#include "publish/proposal.h"

#include "base/encode.h"
#include "crypto/hash.h"

void mf_proposal_clear(struct mf_proposal *p)
{
	json_decref(p->tree);
	mf_arena_clear(&p->arena);
	mf_buf_clear(&p->delegations_now);
	*p = (struct mf_proposal){.arena = MF_ARENA_INIT};
}

const struct mf_proposal_file *mf_proposal_find(const struct mf_proposal *p, const char *role)
{
	for (size_t i = 0; p && i < p->nfiles; i++)
		if (strcmp(p->files[i].role, role) == 0)
			return &p->files[i];
	return NULL;
}

/* ---- reading */

static int get_digest(const json_t *o, const char *name, bool *had, struct mf_digest *out, struct mf_err *err)
{
	const char *text = NULL;
	*had = false;
	if (mf_json_get_str(o, name, MF_JSON_OPTIONAL, &text, err) < 0)
		return -1;
	if (!text)
		return 0;
	*had = true;
	return mf_digest_parse(out, mf_str_c(text), err);
}

static int get_time(const json_t *o, const char *name, int64_t *out, struct mf_err *err)
{
	const char *text;
	if (mf_json_get_str(o, name, MF_JSON_REQUIRED, &text, err) < 0)
		return -1;
	return mf_time_parse(mf_str_c(text), out, err);
}

static int get_base64(struct mf_proposal *p, const json_t *o, const char *name, struct mf_bytes *out,
		      struct mf_err *err)
{
	const char *text;
	if (mf_json_get_str(o, name, MF_JSON_REQUIRED, &text, err) < 0)
		return -1;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(strlen(text) + 1);
	if (mf_b64_decode(&b, mf_str_c(text), err) < 0)
		return mf_wrap(err, "'%s'", name);
	char *copy = mf_arena_dup(&p->arena, mf_buf_str(&b), err);
	*out = (struct mf_bytes){(const uint8_t *)copy, b.n};
	return copy ? 0 : -1;
}

static int canonical_of(struct mf_proposal *p, const json_t *value, struct mf_str *out, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PROPOSAL_BYTES);
	if (mf_json_dump_canonical(value, &b, err) < 0)
		return -1;
	char *copy = mf_arena_dup(&p->arena, mf_buf_str(&b), err);
	*out = (struct mf_str){copy, b.n};
	return copy ? 0 : -1;
}

static int read_edit(struct mf_proposal *p, const json_t *o, struct mf_proposal_edit *e, struct mf_err *err)
{
	const char *name;
	json_t *entry = NULL;
	if (mf_json_get_str(o, "name", MF_JSON_REQUIRED, &name, err) < 0 ||
	    mf_json_get_obj(o, "entry", MF_JSON_OPTIONAL, &entry, err) < 0 ||
	    get_digest(o, "before", &e->had, &e->before, err) < 0)
		return -1;
	e->name = mf_str_c(name);
	return entry ? canonical_of(p, entry, &e->entry, err) : 0;
}

static int read_delegation(struct mf_proposal *p, const json_t *o, struct mf_proposal_delegation *d,
			   struct mf_err *err)
{
	const char *inside = NULL;
	(void)p;
	if (mf_json_get_str(o, "name", MF_JSON_REQUIRED, &d->name, err) < 0 ||
	    mf_json_get_obj(o, "entry", MF_JSON_OPTIONAL, &d->entry, err) < 0 ||
	    get_digest(o, "before", &d->had, &d->before, err) < 0)
		return -1;
	if (d->entry && mf_json_get_str(d->entry, "name", MF_JSON_REQUIRED, &inside, err) < 0)
		return -1;
	return !inside || strcmp(inside, d->name) == 0
		   ? 0
		   : mf_fail(err, MF_E_FORMAT, 0, "a delegation under the name of another one");
}

static int read_resign(struct mf_proposal *p, const json_t *o, struct mf_publish_resign *r,
		       struct mf_err *err)
{
	(void)p;
	return mf_json_get_str(o, "role", MF_JSON_REQUIRED, &r->role, err);
}

static int read_signature(struct mf_proposal *p, const json_t *o, struct mf_proposal_signature *s,
			  struct mf_err *err)
{
	if (mf_json_get_str(o, "keyid", MF_JSON_REQUIRED, &s->keyid, err) < 0 ||
	    mf_json_get_str(o, "method", MF_JSON_OPTIONAL, &s->method, err) < 0)
		return -1;
	return get_base64(p, o, "sig", &s->sig, err);
}

static int check_count(const json_t *list, const char *name, size_t max, struct mf_err *err)
{
	return json_array_size(list) <= max
		   ? 0
		   : mf_fail(err, MF_E_FORMAT, 0, "'%s' has more than %zu elements", name, max);
}

/* One key signs a file once. */
static int check_signatures(const struct mf_proposal_file *f, struct mf_err *err)
{
	struct mf_esc e;
	for (size_t i = 0; i < f->nsignatures; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(f->signatures[i].keyid, f->signatures[k].keyid) == 0)
				return mf_fail(err, MF_E_FORMAT, 0, "two signatures of key '%s'",
					       mf_esc(&e, mf_str_c(f->signatures[i].keyid)));
	return 0;
}

static int read_file(struct mf_proposal *p, const json_t *o, struct mf_proposal_file *f, struct mf_err *err)
{
	json_t *base = NULL, *signatures;
	struct mf_bytes text;
	bool had = true;
	if (mf_json_get_str(o, "role", MF_JSON_REQUIRED, &f->role, err) < 0 ||
	    mf_json_get_obj(o, "base", MF_JSON_OPTIONAL, &base, err) < 0 ||
	    mf_json_get_int(o, "version", MF_JSON_REQUIRED, 1, MF_MAX_VERSION, &f->version, err) < 0 ||
	    get_time(o, "expires", &f->expires, err) < 0 || get_base64(p, o, "signed", &text, err) < 0 ||
	    mf_json_get_arr(o, "signatures", MF_JSON_REQUIRED, &signatures, err) < 0 ||
	    check_count(signatures, "signatures", MF_MAX_SIGNATURES, err) < 0)
		return -1;
	if (base &&
	    (mf_json_get_int(base, "version", MF_JSON_REQUIRED, 1, MF_MAX_VERSION, &f->base, err) < 0 ||
	     get_digest(base, "sha256", &had, &f->base_hash, err) < 0))
		return -1;
	if (!had)
		return mf_fail(err, MF_E_FORMAT, 0, "a base without its hash");
	f->signed_part = mf_str_of(text);
	f->nsignatures = json_array_size(signatures);
	f->signatures = mf_arena_alloc(&p->arena, f->nsignatures, sizeof *f->signatures, err);
	for (size_t i = 0; f->signatures && i < f->nsignatures; i++)
		if (read_signature(p, json_array_get(signatures, i), &f->signatures[i], err) < 0)
			return -1;
	return f->signatures ? check_signatures(f, err) : -1;
}

static int edit_cmp(const struct mf_proposal_edit *a, const struct mf_proposal_edit *b)
{
	return mf_str_cmp(a->name, b->name);
}

/* The composer needs them so. */
static int check_order(const struct mf_proposal *p, struct mf_err *err)
{
	for (size_t i = 1; i < p->nedits; i++)
		if (edit_cmp(&p->edits[i - 1], &p->edits[i]) >= 0)
			return mf_fail(err, MF_E_FORMAT, 0, "'edits' are not sorted by name");
	for (size_t i = 0; i < p->nfiles; i++)
		if (mf_proposal_find(p, p->files[i].role) != &p->files[i])
			return mf_fail(err, MF_E_FORMAT, 0, "two files of one role");
	return 0;
}

static unsigned read_meta(const json_t *intent)
{
	unsigned meta = 0;
	const json_t *names = json_object_get(intent, "meta"), *name;
	size_t i;
	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);
		meta |= text && strcmp(text, "snapshot") == 0 ? 1u << MF_TUF_SNAPSHOT : 0;
		meta |= text && strcmp(text, "timestamp") == 0 ? 1u << MF_TUF_TIMESTAMP : 0;
	}
	return meta;
}

/* Reads each element of a list into one of an array. */
#define READ_LIST(p, list, v, n, read)                                                                       \
	do {                                                                                                 \
		(n) = json_array_size(list);                                                                 \
		(v) = mf_arena_alloc(&(p)->arena, (n), sizeof *(v), err);                                    \
		if (!(v))                                                                                    \
			return -1;                                                                           \
		for (size_t at_ = 0; at_ < (n); at_++)                                                       \
			if (read((p), json_array_get((list), at_), &(v)[at_], err) < 0)                      \
				return -1;                                                                   \
	} while (0)

static int read_intent(struct mf_proposal *p, const json_t *intent, struct mf_err *err)
{
	json_t *edits = NULL, *delegations = NULL, *resign = NULL;
	if (mf_json_get_str(intent, "role", MF_JSON_OPTIONAL, &p->role, err) < 0 ||
	    mf_json_get_arr(intent, "edits", MF_JSON_OPTIONAL, &edits, err) < 0 ||
	    mf_json_get_arr(intent, "delegations", MF_JSON_OPTIONAL, &delegations, err) < 0 ||
	    mf_json_get_obj(intent, "keys", MF_JSON_OPTIONAL, &p->keys, err) < 0 ||
	    mf_json_get_arr(intent, "resign", MF_JSON_OPTIONAL, &resign, err) < 0 ||
	    check_count(delegations, "delegations", MF_MAX_DELEGATIONS_LIST, err) < 0 ||
	    check_count(resign, "resign", MF_MAX_PROPOSAL_FILES, err) < 0)
		return -1;
	READ_LIST(p, edits, p->edits, p->nedits, read_edit);
	READ_LIST(p, delegations, p->delegations, p->ndelegations, read_delegation);
	READ_LIST(p, resign, p->resign, p->nresign, read_resign);
	p->root_last = json_is_true(json_object_get(intent, "rootLast"));
	p->meta = read_meta(intent);
	return 0;
}

static int read_document(struct mf_proposal *p, struct mf_err *err)
{
	const char *media_type;
	json_t *intent, *files;
	int64_t v;
	if (mf_json_get_str(p->tree, "mediaType", MF_JSON_REQUIRED, &media_type, err) < 0 ||
	    mf_json_get_int(p->tree, "v", MF_JSON_REQUIRED, 1, MF_MAX_VERSION, &v, err) < 0)
		return -1;
	if (v != 1 || strcmp(media_type, MF_MT_PROPOSAL) != 0)
		return mf_fail(err, MF_E_FORMAT, 0, "expected version 1 of '%s'", MF_MT_PROPOSAL);
	if (mf_json_get_str(p->tree, "dialect", MF_JSON_REQUIRED, &p->dialect, err) < 0 ||
	    mf_json_get_str(p->tree, "repository", MF_JSON_REQUIRED, &p->repository, err) < 0 ||
	    mf_json_get_str(p->tree, "image", MF_JSON_REQUIRED, &p->image, err) < 0 ||
	    get_time(p->tree, "created", &p->created, err) < 0 ||
	    get_time(p->tree, "expires", &p->expires, err) < 0 ||
	    mf_json_get_obj(p->tree, "intent", MF_JSON_REQUIRED, &intent, err) < 0 ||
	    mf_json_get_arr(p->tree, "files", MF_JSON_REQUIRED, &files, err) < 0 ||
	    check_count(files, "files", MF_MAX_PROPOSAL_FILES, err) < 0)
		return -1;
	if (!json_array_size(files))
		return mf_fail(err, MF_E_FORMAT, 0, "it has no file to sign");
	if (read_intent(p, intent, err) < 0)
		return -1;
	READ_LIST(p, files, p->files, p->nfiles, read_file);
	return check_order(p, err);
}

int mf_proposal_parse(struct mf_proposal *out, struct mf_bytes doc, struct mf_err *err)
{
	struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	p.tree = mf_json_load(doc, MF_MAX_PROPOSAL_BYTES, err);
	if (!p.tree || read_document(&p, err) < 0)
		return err->code == MF_E_FORMAT ? mf_wrap(err, "not a proposal") : -1;
	*out = p;
	p = (struct mf_proposal){.arena = MF_ARENA_INIT};
	return 0;
}

/* ---- writing */

int mf_proposal_write(const struct mf_proposal *p, struct mf_buf *out, struct mf_err *err)
{
	return mf_json_dump(p->tree, JSON_COMPACT | JSON_SORT_KEYS, out, err);
}

/* ---- signatures of others */

static bool has_signature(const struct mf_proposal_file *f, const char *keyid)
{
	for (size_t i = 0; i < f->nsignatures; i++)
		if (strcmp(f->signatures[i].keyid, keyid) == 0)
			return true;
	return false;
}

/* Does the signature pass? One that does not verify is somebody else's attempt, and no failure. */
static enum mf_found passes(const struct mf_proposal_filter *only, const struct mf_proposal_file *f,
			    const struct mf_proposal_signature *s, struct mf_err *err)
{
	return only ? mf_proposal_signed_by(only, s, f->signed_part, err) : MF_FOUND;
}

static int merge_file(struct mf_proposal *p, struct mf_proposal_file *f, const json_t *from,
		      const struct mf_proposal_filter *only, struct mf_err *err)
{
	json_t *into = json_object_get(
	    json_array_get(json_object_get(p->tree, "files"), (size_t)(f - p->files)), "signatures");
	const json_t *signatures = json_object_get(from, "signatures");
	json_t *s;
	size_t i, room = json_array_size(signatures) + f->nsignatures;
	struct mf_proposal_signature *v = mf_arena_alloc(&p->arena, room, sizeof *v, err);
	if (!v)
		return -1;
	if (f->nsignatures)
		memcpy(v, f->signatures, f->nsignatures * sizeof *v);
	f->signatures = v;
	json_array_foreach(signatures, i, s)
	{
		if (read_signature(p, s, &v[f->nsignatures], err) < 0)
			return -1;
		if (has_signature(f, v[f->nsignatures].keyid) || f->nsignatures == MF_MAX_SIGNATURES)
			continue;
		enum mf_found pass = passes(only, f, &v[f->nsignatures], err);
		if (pass == MF_FAILED)
			return -1;
		if (pass == MF_ABSENT)
			continue;
		/* Its texts belong to the other tree. */
		if (json_array_append(into, s) < 0)
			return mf_fail_nomem(err);
		f->nsignatures++;
	}
	return 0;
}

int mf_proposal_merge(struct mf_proposal *p, const struct mf_proposal *from,
		      const struct mf_proposal_filter *only, struct mf_err *err)
{
	for (size_t i = 0; i < from->nfiles; i++) {
		const struct mf_proposal_file *other = &from->files[i],
					      *mine = mf_proposal_find(p, other->role);
		if (!mine || !mf_str_eq(mine->signed_part, other->signed_part))
			continue;
		if (merge_file(p, &p->files[mine - p->files],
			       json_array_get(json_object_get(from->tree, "files"), i), only, err) < 0)
			return -1;
	}
	return 0;
}
