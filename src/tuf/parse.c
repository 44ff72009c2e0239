/* Structure of metadata files: one pass of the strict reader, typed members out. */
#include "tuf/tuf.h"

#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"
#include "tuf/internal.h"

struct parser {
	const struct mf_dialect *d;
	struct mf_tuf_file *f;
	struct mf_json_reader *r;
	unsigned seen; /* bits of enum member, of all that was called "signed" */
	struct mf_str roles_raw;
};

enum member {
	M_TYPE = 1,
	M_VERSION = 2,
	M_EXPIRES = 4,
	M_KEYS = 8,
	M_ROLES = 16,
	M_META = 32,
	M_TARGETS = 64,
	M_DELEGATIONS = 128,
	M_SPEC = 256,
	M_CONSISTENT = 512,
	M_OF_ROLE = 1024,
};

static const unsigned required[MF_TUF_TYPES] = {
    [MF_TUF_ROOT] = M_TYPE | M_VERSION | M_EXPIRES | M_KEYS | M_ROLES,
    [MF_TUF_TIMESTAMP] = M_TYPE | M_VERSION | M_EXPIRES | M_META,
    [MF_TUF_SNAPSHOT] = M_TYPE | M_VERSION | M_EXPIRES | M_META,
    [MF_TUF_TARGETS] = M_TYPE | M_VERSION | M_EXPIRES | M_TARGETS,
};

static const size_t max_bytes[MF_TUF_TYPES] = {
    [MF_TUF_ROOT] = MF_MAX_ROOT_BYTES,
    [MF_TUF_TIMESTAMP] = MF_MAX_TIMESTAMP_BYTES,
    [MF_TUF_SNAPSHOT] = MF_MAX_SNAPSHOT_BYTES,
    [MF_TUF_TARGETS] = MF_MAX_TARGETS_BYTES, /* offsets in struct mf_tuf_target have 32 bits */
};

void mf_tuf_file_free(struct mf_tuf_file *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nkeys; i++)
		mf_pubkey_unref(f->keys[i].pub);
	free(f->keys);
	free(f->targets);
	free(f->meta);
	free(f->signatures);
	mf_buf_clear(&f->bytes);
	mf_buf_clear(&f->canonical_buf);
	mf_arena_clear(&f->arena);
	free(f);
}

/* The decoded text of a string: a slice of the document, or a copy in the arena. */
static int decoded(struct parser *p, struct mf_json_string s, struct mf_str *out, struct mf_err *err)
{
	if (!s.escaped) {
		*out = s.raw;
		return 0;
	}
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(s.raw.n + 4);
	if (mf_json_string_decode(s, &b, err) < 0)
		return -1;
	char *z = mf_arena_dup(&p->f->arena, mf_buf_str(&b), err);
	*out = (struct mf_str){z, b.n};
	return z ? 0 : -1;
}

static int read_text(struct parser *p, struct mf_str *out, struct mf_err *err)
{
	struct mf_json_string s;
	return mf_json_string(p->r, &s, err) < 0 ? -1 : decoded(p, s, out, err);
}

/* ---- keys and roles */

static int read_keys(struct parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_string name;
	size_t cap = f->nkeys;
	size_t from = mf_json_offset(p->r);
	int more;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		if (f->nkeys >= MF_MAX_KEYS)
			return mf_fail(err, MF_E_FORMAT, 0, "more than %d keys", MF_MAX_KEYS);
		if (mf_grow((void **)&f->keys, &cap, f->nkeys, sizeof *f->keys, err) < 0)
			return -1;
		struct mf_tuf_key *k = &f->keys[f->nkeys];
		*k = (struct mf_tuf_key){0};
		if (decoded(p, name, &k->id, err) < 0 || mf_json_skip(p->r, &k->raw, err) < 0)
			return -1;
		f->nkeys++;
		if (p->d->key(k, &f->arena, err) < 0) {
			struct mf_esc e;
			return mf_wrap(err, "key '%s'", mf_esc(&e, k->id));
		}
	}
	if (more < 0)
		return -1;
	f->keys_raw = (struct mf_str){f->bytes.p + from, (size_t)(p->r->at - p->r->start) - from};
	return 0;
}

static const struct mf_tuf_key *key_by_id(const struct mf_tuf_file *f, struct mf_str id)
{
	for (size_t i = 0; i < f->nkeys; i++)
		if (mf_str_eq(f->keys[i].id, id))
			return &f->keys[i];
	return NULL;
}

static const char *role_text(struct mf_esc *e, const struct mf_tuf_role *role)
{
	return role->name ? mf_esc(e, mf_str_c(role->name)) : "?";
}

static int role_add_key(struct parser *p, struct mf_tuf_role *role, size_t *cap, struct mf_str id,
			struct mf_err *err)
{
	struct mf_esc e, e2;
	const struct mf_tuf_key *k = key_by_id(p->f, id);
	if (!k)
		return mf_fail(err, MF_E_FORMAT, 0, "role '%s' names key '%s', which the file does not list",
			       role_text(&e2, role), mf_esc(&e, id));
	for (size_t i = 0; i < role->nkeys; i++)
		if (role->keys[i] == k)
			return 0; /* listed twice: counts once */
	if (role->nkeys == *cap) {
		size_t want = *cap ? *cap * 2 : 4;
		const struct mf_tuf_key **v =
		    mf_arena_alloc(&p->f->arena, want, sizeof(struct mf_tuf_key *), err);
		if (!v)
			return -1;
		if (role->nkeys)
			memcpy(v, role->keys, role->nkeys * sizeof *v);
		role->keys = v;
		*cap = want;
	}
	role->keys[role->nkeys++] = k;
	return 0;
}

static int read_keyids(struct parser *p, struct mf_json_reader *r, struct mf_tuf_role *role,
		       struct mf_err *err)
{
	size_t cap = 0;
	int more;
	struct mf_json_string s;
	if (mf_json_array(r, err) < 0)
		return -1;
	while ((more = mf_json_array_next(r, err)) > 0) {
		struct mf_str id;
		if (mf_json_string(r, &s, err) < 0 || decoded(p, s, &id, err) < 0 ||
		    role_add_key(p, role, &cap, id, err) < 0)
			return -1;
	}
	return more;
}

static int read_strings(struct parser *p, struct mf_json_reader *r, struct mf_str **out, size_t *n,
			struct mf_err *err)
{
	size_t cap = 0;
	int more;
	struct mf_json_string s;
	if (mf_json_array(r, err) < 0)
		return -1;
	*n = 0;
	while ((more = mf_json_array_next(r, err)) > 0) {
		if (*n == cap) {
			size_t want = cap ? cap * 2 : 4;
			struct mf_str *v = mf_arena_alloc(&p->f->arena, want, sizeof *v, err);
			if (!v)
				return -1;
			if (*n)
				memcpy(v, *out, *n * sizeof *v);
			*out = v;
			cap = want;
		}
		if (mf_json_string(r, &s, err) < 0 || decoded(p, s, &(*out)[*n], err) < 0)
			return -1;
		(*n)++;
	}
	return more;
}

/* One role object: members of a root role and of a delegation. The name comes first in neither form, so
 * keyids are resolved with what is known; messages then lack it. */
static int read_role(struct parser *p, struct mf_json_reader *r, struct mf_tuf_role *role, struct mf_err *err)
{
	struct mf_json_string name;
	bool keyids = false, threshold = false;
	int more;
	if (mf_json_object(r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(r, &name, err)) > 0) {
		int rc;
		if (mf_json_string_eq(name, "keyids")) {
			keyids = true;
			rc = read_keyids(p, r, role, err);
		} else if (mf_json_string_eq(name, "threshold")) {
			threshold = true;
			rc = mf_json_int(r, 1, MF_MAX_VERSION, &role->threshold, err);
		} else if (mf_json_string_eq(name, "name") && !role->name) {
			struct mf_json_string s;
			struct mf_str text = {0};
			rc = mf_json_string(r, &s, err) < 0 ? -1 : decoded(p, s, &text, err);
			if (rc == 0) {
				role->name = mf_arena_dup(&p->f->arena, text, err);
				rc = role->name ? 0 : -1;
			}
			if (rc == 0 &&
			    (text.n == 0 || text.n > MF_MAX_ROLE_NAME || memchr(text.p, 0, text.n)))
				rc = mf_fail(err, MF_E_FORMAT, 0, "invalid role name");
		} else if (mf_json_string_eq(name, "paths")) {
			rc = read_strings(p, r, &role->paths, &role->npaths, err);
		} else if (p->d->hash_prefixes && mf_json_string_eq(name, "path_hash_prefixes")) {
			rc = read_strings(p, r, &role->hash_prefixes, &role->nhash_prefixes, err);
		} else if (mf_json_string_eq(name, "terminating")) {
			rc = mf_json_bool(r, &role->terminating, err);
		} else {
			rc = mf_json_skip(r, NULL, err);
		}
		if (rc < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	if (keyids && threshold)
		return 0;
	struct mf_esc e;
	return mf_fail(err, MF_E_FORMAT, 0, "role '%s' has no %s", role_text(&e, role),
		       keyids ? "threshold" : "keyids");
}

const char *const mf_tuf_role_names[MF_TUF_TYPES] = {"root", "timestamp", "snapshot", "targets"};

/* "roles" of root: may stand before "keys", so it is read from its slice when both are known. */
static int read_root_roles(struct parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	int more;
	mf_json_reader_init(&r, mf_bytes_of(p->roles_raw));
	f->roles = mf_arena_alloc(&f->arena, MF_TUF_TYPES, sizeof *f->roles, err);
	if (!f->roles || mf_json_object(&r, err) < 0)
		return -1;
	f->nroles = MF_TUF_TYPES;
	while ((more = mf_json_object_next(&r, &name, err)) > 0) {
		struct mf_tuf_role other = {0}, *role = &other;
		for (size_t i = 0; i < MF_TUF_TYPES; i++)
			if (mf_json_string_eq(name, mf_tuf_role_names[i])) {
				role = &f->roles[i];
				role->name = mf_tuf_role_names[i];
			}
		if (role == &other ? mf_json_skip(&r, NULL, err) < 0 : read_role(p, &r, role, err) < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	for (size_t i = 0; i < MF_TUF_TYPES; i++)
		if (!f->roles[i].threshold)
			return mf_fail(err, MF_E_FORMAT, 0, "root does not define the role '%s'",
				       mf_tuf_role_names[i]);
	return 0;
}

static int check_delegation(const struct mf_tuf_role *role, struct mf_err *err)
{
	struct mf_esc e;
	if (!role->name)
		return mf_fail(err, MF_E_FORMAT, 0, "a delegation has no name");
	for (size_t i = 0; i < MF_TUF_TYPES; i++)
		if (strcmp(role->name, mf_tuf_role_names[i]) == 0)
			return mf_fail(err, MF_E_FORMAT, 0, "a delegation names the top-level role '%s'",
				       role->name);
	if (role->npaths && role->nhash_prefixes)
		return mf_fail(err, MF_E_FORMAT, 0, "delegation '%s' has both paths and path_hash_prefixes",
			       mf_esc(&e, mf_str_c(role->name)));
	return 0;
}

static int read_delegated_roles(struct parser *p, struct mf_str raw, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	size_t cap = 0;
	int more;
	mf_json_reader_init(&r, mf_bytes_of(raw));
	if (mf_json_array(&r, err) < 0)
		return -1;
	while ((more = mf_json_array_next(&r, err)) > 0) {
		if (f->nroles == MF_MAX_DELEGATIONS_LIST)
			return mf_fail(err, MF_E_FORMAT, 0, "more than %d delegations",
				       MF_MAX_DELEGATIONS_LIST);
		if (f->nroles == cap) {
			size_t want = cap ? cap * 2 : 4;
			struct mf_tuf_role *v = mf_arena_alloc(&f->arena, want, sizeof *v, err);
			if (!v)
				return -1;
			if (f->nroles)
				memcpy(v, f->roles, f->nroles * sizeof *v);
			f->roles = v;
			cap = want;
		}
		struct mf_tuf_role *role = &f->roles[f->nroles];
		*role = (struct mf_tuf_role){0};
		if (read_role(p, &r, role, err) < 0 || check_delegation(role, err) < 0)
			return -1;
		f->nroles++;
	}
	return more;
}

static int read_delegations(struct parser *p, struct mf_err *err)
{
	struct mf_json_string name;
	struct mf_str roles = {0};
	enum mf_json_type t;
	bool keys = false;
	int more;
	if (mf_json_peek(p->r, &t, err) < 0)
		return -1;
	if (t == MF_JSON_NULL)
		return mf_json_null(p->r, err);
	size_t from = mf_json_offset(p->r);
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		int rc;
		if (mf_json_string_eq(name, "keys")) {
			keys = true;
			rc = read_keys(p, err);
		} else if (mf_json_string_eq(name, "roles")) {
			rc = mf_json_skip(p->r, &roles, err);
		} else if (mf_json_string_eq(name, "succinct_roles")) {
			rc = mf_fail(err, MF_E_FORMAT, 0, "succinct_roles are not supported");
		} else {
			rc = mf_json_skip(p->r, NULL, err);
		}
		if (rc < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	p->f->delegations_raw =
	    (struct mf_str){p->f->bytes.p + from, (size_t)(p->r->at - p->r->start) - from};
	if (!keys || !roles.p)
		return mf_fail(err, MF_E_FORMAT, 0, "delegations have no keys or no roles");
	if (mf_str_eqz(roles, "null")) { /* what Go writes once the last one was removed: there are none */
		p->f->delegations_raw = (struct mf_str){0};
		return 0;
	}
	return read_delegated_roles(p, roles, err);
}

/* ---- meta */

static int read_hashes(struct parser *p, struct mf_tuf_meta *m, struct mf_err *err)
{
	struct mf_json_string name;
	int more;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		struct mf_str text;
		bool is256 = mf_json_string_eq(name, "sha256"), is512 = mf_json_string_eq(name, "sha512");
		if (!is256 && !is512) {
			if (mf_json_skip(p->r, NULL, err) < 0)
				return -1;
			continue;
		}
		if (read_text(p, &text, err) < 0 ||
		    mf_tuf_hash_decode(p->d, text, is256 ? m->sha256.b : m->sha512, is256 ? 32 : 64, err) < 0)
			return -1;
		m->has_sha256 |= is256;
		m->has_sha512 |= is512;
	}
	return more;
}

static int read_meta_entry(struct parser *p, struct mf_tuf_meta *m, struct mf_err *err)
{
	struct mf_json_string name;
	int64_t length;
	int more;
	m->length = UINT64_MAX;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		int rc;
		if (mf_json_string_eq(name, "length")) {
			rc = mf_json_int(p->r, 1, MF_MAX_VERSION, &length, err); /* no metadata is empty */
			m->length = (uint64_t)length;
		} else if (mf_json_string_eq(name, "version")) {
			rc = mf_json_int(p->r, 1, MF_MAX_VERSION, &m->version, err);
		} else if (mf_json_string_eq(name, "hashes")) {
			rc = read_hashes(p, m, err);
		} else {
			rc = mf_json_skip(p->r, NULL, err);
		}
		if (rc < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	if (p->d->meta_needs_version && !m->version)
		return mf_fail(err, MF_E_FORMAT, 0, "it has no version");
	if (p->d->meta_needs_sha256 && (!m->has_sha256 || m->length == UINT64_MAX))
		return mf_fail(err, MF_E_FORMAT, 0, "it has no sha256 or no length");
	return 0;
}

static int meta_cmp(const void *a, const void *b)
{
	const struct mf_tuf_meta *x = a, *y = b;
	return mf_str_cmp(x->name, y->name);
}

static int read_meta(struct parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_string name;
	struct mf_str suffix = MF_STR(".json");
	size_t cap = 0;
	int more;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		if (mf_grow((void **)&f->meta, &cap, f->nmeta, sizeof *f->meta, err) < 0)
			return -1;
		struct mf_tuf_meta *m = &f->meta[f->nmeta];
		struct mf_esc e;
		*m = (struct mf_tuf_meta){0};
		if (decoded(p, name, &m->name, err) < 0)
			return -1;
		if (p->d->meta_has_suffix) {
			if (!mf_str_ends(m->name, suffix))
				return mf_fail(err, MF_E_FORMAT, 0, "meta '%s' does not end in .json",
					       mf_esc(&e, m->name));
			m->name.n -= suffix.n;
		}
		if (read_meta_entry(p, m, err) < 0)
			return mf_wrap(err, "meta '%s'", mf_esc(&e, m->name));
		f->nmeta++;
	}
	/* Thousands of delegations are looked up among tens of thousands of entries. */
	if (more == 0 && f->nmeta)
		qsort(f->meta, f->nmeta, sizeof *f->meta, meta_cmp);
	return more;
}

const struct mf_tuf_meta *mf_tuf_meta_find(const struct mf_tuf_file *f, const char *name)
{
	struct mf_tuf_meta wanted = {.name = mf_str_c(name)};
	return f->nmeta ? bsearch(&wanted, f->meta, f->nmeta, sizeof *f->meta, meta_cmp) : NULL;
}

static int check_meta(const struct mf_dialect *d, const struct mf_tuf_file *f, struct mf_err *err)
{
	if (f->type == MF_TUF_TIMESTAMP && !mf_tuf_meta_find(f, "snapshot"))
		return mf_fail(err, MF_E_FORMAT, 0, "timestamp does not list the snapshot");
	if (f->type == MF_TUF_SNAPSHOT && !mf_tuf_meta_find(f, "targets"))
		return mf_fail(err, MF_E_FORMAT, 0, "snapshot does not list targets");
	if (f->type == MF_TUF_SNAPSHOT && d->snapshot_lists_root && !mf_tuf_meta_find(f, "root"))
		return mf_fail(err, MF_E_FORMAT, 0, "snapshot does not list root");
	return 0;
}

/* ---- targets */

static struct mf_json_string target_name(const struct mf_tuf_file *f, const struct mf_tuf_target *t)
{
	return (struct mf_json_string){{f->bytes.p + t->name, t->name_n}, t->escaped};
}

static int target_cmp(const void *a, const void *b, void *file)
{
	return mf_json_string_cmp(target_name(file, a), target_name(file, b));
}

static int read_targets(struct parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_string name, last = {0};
	enum mf_json_type type;
	size_t cap = 0;
	bool sorted = true;
	int more;
	if (mf_json_peek(p->r, &type, err) < 0)
		return -1;
	if (type == MF_JSON_NULL) /* Go writes null for an empty map */
		return mf_json_null(p->r, err);
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		struct mf_str value;
		if (mf_grow((void **)&f->targets, &cap, f->ntargets, sizeof *f->targets, err) < 0 ||
		    mf_json_skip(p->r, &value, err) < 0)
			return -1;
		if (f->ntargets && sorted && mf_json_string_cmp(last, name) >= 0)
			sorted = false;
		last = name;
		f->targets[f->ntargets++] = (struct mf_tuf_target){
		    .name = (uint32_t)(name.raw.p - f->bytes.p),
		    .name_n = (uint32_t)name.raw.n,
		    .value = (uint32_t)(value.p - f->bytes.p),
		    .value_n = (uint32_t)value.n,
		    .escaped = name.escaped,
		};
	}
	if (more < 0)
		return -1;
	if (!sorted)
		qsort_r(f->targets, f->ntargets, sizeof *f->targets, target_cmp, f);
	return 0;
}

int mf_tuf_target_info(const struct mf_dialect *d, const struct mf_tuf_file *f, size_t i,
		       struct mf_tuf_target_info *out, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	struct mf_tuf_file scratch = {.bytes = {.p = f->bytes.p}};
	struct parser p = {.d = d, .f = &scratch, .r = &r};
	struct mf_tuf_meta m = {.length = UINT64_MAX};
	struct mf_str custom = {0};
	int64_t length = -1;
	int more = 0, rc = 0;
	mf_json_reader_init(&r, mf_bytes_of(mf_tuf_target_value(f, i)));
	if (mf_json_object(&r, err) < 0)
		return -1;
	while (rc == 0 && (more = mf_json_object_next(&r, &name, err)) > 0) {
		if (mf_json_string_eq(name, "length"))
			rc = mf_json_int(&r, 0, MF_MAX_VERSION, &length, err);
		else if (mf_json_string_eq(name, "hashes"))
			rc = read_hashes(&p, &m, err);
		else if (mf_json_string_eq(name, "custom"))
			rc = mf_json_skip(&r, &custom, err);
		else
			rc = mf_json_skip(&r, NULL, err);
	}
	mf_arena_clear(&scratch.arena);
	if (rc < 0 || more < 0)
		return -1;
	if (length < 0 || !(m.has_sha256 || m.has_sha512))
		return mf_fail(err, MF_E_FORMAT, 0, "a target has no %s",
			       length < 0 ? "length" : "a known hash");
	*out = (struct mf_tuf_target_info){.length = (uint64_t)length,
					   .has_sha256 = m.has_sha256,
					   .has_sha512 = m.has_sha512,
					   .sha256 = m.sha256,
					   .custom = custom};
	memcpy(out->sha512, m.sha512, sizeof out->sha512);
	return 0;
}

/* ---- the signed part and the envelope */

static int read_type(struct parser *p, struct mf_err *err)
{
	struct mf_esc e;
	struct mf_str text;
	const char *want = p->d->type_names[p->f->type];
	if (read_text(p, &text, err) < 0)
		return -1;
	if (!mf_str_eqz(text, want))
		return mf_fail(err, MF_E_FORMAT, 0, "expected _type '%s', got '%s'", want, mf_esc(&e, text));
	return 0;
}

static int read_spec_version(struct parser *p, struct mf_err *err)
{
	struct mf_esc e;
	struct mf_str text;
	if (read_text(p, &text, err) < 0)
		return -1;
	if (!mf_str_starts(text, MF_STR("1.")))
		return mf_fail(err, MF_E_FORMAT, 0, "unsupported spec_version '%s'", mf_esc(&e, text));
	return 0;
}

static int read_expires(struct parser *p, struct mf_err *err)
{
	struct mf_str text;
	return read_text(p, &text, err) < 0 ? -1 : mf_time_parse(text, &p->f->expires, err);
}

static int read_version(struct parser *p, struct mf_err *err)
{
	return mf_json_int(p->r, 1, MF_MAX_VERSION, &p->f->version, err);
}

static int read_consistent(struct parser *p, struct mf_err *err)
{
	return mf_json_bool(p->r, &p->f->consistent_snapshot, err);
}

static int read_of_role(struct parser *p, struct mf_err *err)
{
	if (read_text(p, &p->f->of_role, err) < 0)
		return -1;
	return p->f->of_role.n ? 0 : mf_fail(err, MF_E_FORMAT, 0, "an empty role name");
}

static int read_roles_raw(struct parser *p, struct mf_err *err)
{
	return mf_json_skip(p->r, &p->roles_raw, err);
}

static int read_member(struct parser *p, struct mf_json_string name, struct mf_err *err)
{
	static const struct {
		const char *name;
		enum member bit;
		unsigned types; /* bits of enum mf_tuf_type; elsewhere the member is unknown and ignored */
		int (*read)(struct parser *p, struct mf_err *err);
	} rows[] = {
	    {"_type", M_TYPE, 15, read_type},
	    {"spec_version", M_SPEC, 15, read_spec_version},
	    {"version", M_VERSION, 15, read_version},
	    {"expires", M_EXPIRES, 15, read_expires},
	    {"consistent_snapshot", M_CONSISTENT, 1 << MF_TUF_ROOT, read_consistent},
	    {"keys", M_KEYS, 1 << MF_TUF_ROOT, read_keys},
	    {"roles", M_ROLES, 1 << MF_TUF_ROOT, read_roles_raw},
	    {"meta", M_META, 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP, read_meta},
	    {"targets", M_TARGETS, 1 << MF_TUF_TARGETS, read_targets},
	    {"delegations", M_DELEGATIONS, 1 << MF_TUF_TARGETS, read_delegations},
	    {MF_TUF_OF_ROLE, M_OF_ROLE, 1 << MF_TUF_TARGETS, read_of_role},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((rows[i].types >> p->f->type & 1) && mf_json_string_eq(name, rows[i].name)) {
			/* The reader finds an unsorted duplicate only when the object closes; by then it
			 * would have been read over the first. */
			if (p->seen & rows[i].bit)
				return mf_fail(err, MF_E_FORMAT, 0, "a member occurs twice");
			p->seen |= rows[i].bit;
			return rows[i].read(p, err);
		}
	return mf_json_skip(p->r, NULL, err);
}

static int read_signed(struct parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_string name;
	int more;
	size_t from = mf_json_offset(p->r);
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0)
		if (read_member(p, name, err) < 0) {
			struct mf_esc e;
			return mf_wrap(err, "'%s'", mf_esc(&e, name.raw));
		}
	if (more < 0)
		return -1;
	if ((p->seen & required[f->type]) != required[f->type] || (p->d->spec_version && !(p->seen & M_SPEC)))
		return mf_fail(err, MF_E_FORMAT, 0, "a required member of the signed part is missing");
	if (f->type == MF_TUF_ROOT && read_root_roles(p, err) < 0)
		return -1;
	if (check_meta(p->d, f, err) < 0)
		return -1;
	f->canonical = (struct mf_str){f->bytes.p + from, (size_t)(p->r->at - p->r->start) - from};
	f->was_canonical = mf_json_canonical_since(p->r, from);
	if (f->was_canonical)
		return 0;
	/* The canonical form is never longer than any JSON spelling of the same value, but for U+FFFD;
	 * numbers like 1e15 grow. */
	mf_buf_init(&f->canonical_buf, f->canonical.n * 2 + 64);
	if (mf_json_canonicalize(f->canonical, &f->canonical_buf, err) < 0)
		return -1;
	f->canonical = mf_buf_str(&f->canonical_buf);
	return 0;
}

static int read_signature(struct parser *p, struct mf_tuf_signature *out, struct mf_err *err)
{
	struct mf_json_string name;
	struct mf_str sig = {0};
	int more;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		int rc;
		if (mf_json_string_eq(name, "keyid"))
			rc = read_text(p, &out->keyid, err);
		else if (mf_json_string_eq(name, "sig"))
			rc = read_text(p, &sig, err);
		else if (mf_json_string_eq(name, "method"))
			rc = read_text(p, &out->method, err);
		else
			rc = mf_json_skip(p->r, NULL, err);
		if (rc < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	if (!out->keyid.p || !sig.p)
		return mf_fail(err, MF_E_FORMAT, 0, "a signature has no keyid or no sig");
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(sig.n + 4);
	if (p->d->signature(sig, &b, err) < 0)
		return -1;
	char *copy = mf_arena_dup(&p->f->arena, mf_buf_str(&b), err);
	out->sig = (struct mf_bytes){(const uint8_t *)copy, b.n};
	return copy ? 0 : -1;
}

static int read_signatures(struct parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	size_t cap = 0;
	int more;
	if (mf_json_array(p->r, err) < 0)
		return -1;
	while ((more = mf_json_array_next(p->r, err)) > 0) {
		if (f->nsignatures == MF_MAX_SIGNATURES)
			return mf_fail(err, MF_E_FORMAT, 0, "more than %d signatures", MF_MAX_SIGNATURES);
		if (mf_grow((void **)&f->signatures, &cap, f->nsignatures, sizeof *f->signatures, err) < 0)
			return -1;
		f->signatures[f->nsignatures] = (struct mf_tuf_signature){0};
		if (read_signature(p, &f->signatures[f->nsignatures], err) < 0)
			return mf_wrap(err, "signature %zu", f->nsignatures + 1);
		for (size_t i = 0; p->d->unique_keyids && i < f->nsignatures; i++)
			if (mf_str_eq(f->signatures[i].keyid, f->signatures[f->nsignatures].keyid))
				return mf_fail(err, MF_E_FORMAT, 0, "signatures %zu and %zu share a key ID",
					       i + 1, f->nsignatures + 1);
		f->nsignatures++;
	}
	return more;
}

static int read_envelope(struct parser *p, struct mf_err *err)
{
	struct mf_json_string name;
	bool is_signed = false, signatures = false;
	int more;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		int rc;
		if (mf_json_string_eq(name, "signed")) {
			is_signed = true;
			rc = read_signed(p, err);
		} else if (mf_json_string_eq(name, "signatures")) {
			signatures = true;
			rc = read_signatures(p, err);
		} else {
			rc = mf_json_skip(p->r, NULL, err);
		}
		if (rc < 0)
			return -1;
	}
	if (more < 0 || mf_json_end(p->r, err) < 0)
		return -1;
	if (!is_signed || !signatures)
		return mf_fail(err, MF_E_FORMAT, 0, "no '%s'", is_signed ? "signatures" : "signed");
	return 0;
}

struct mf_tuf_file *mf_tuf_parse_unverified(const struct mf_dialect *d, enum mf_tuf_type type,
					    struct mf_buf *bytes, struct mf_err *err)
{
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = calloc(1, sizeof *f);
	if (!f) {
		mf_buf_clear(bytes);
		(void)mf_fail_nomem(err);
		return NULL;
	}
	f->type = type;
	f->bytes = *bytes;
	*bytes = (struct mf_buf){.max = bytes->max};
	if (f->bytes.n > max_bytes[type]) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "%s has more than %zu bytes", d->type_names[type],
			      max_bytes[type]);
		return NULL;
	}
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	mf_json_reader_init(&r, mf_buf_bytes(&f->bytes));
	struct parser p = {.d = d, .f = f, .r = &r};
	if (read_envelope(&p, err) < 0) {
		(void)mf_wrap(err, "%s", d->type_names[type]);
		return NULL;
	}
	struct mf_tuf_file *out = f;
	f = NULL;
	return out;
}
