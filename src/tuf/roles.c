/* Reads keys, roles and delegations of a root or targets file. */
#include "base/encode.h"
#include "base/limits.h"
#include "tuf/internal.h"

/* ---- keys and roles */

int mf_tuf_read_keys(struct mf_tuf_parser *p, struct mf_err *err)
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
		if (mf_tuf_decoded(p, name, &k->id, err) < 0 || mf_json_skip(p->r, &k->raw, err) < 0)
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

static int role_add_key(struct mf_tuf_parser *p, struct mf_tuf_role *role, struct mf_str id,
			struct mf_err *err)
{
	struct mf_esc e, e2;
	const struct mf_tuf_key *k = key_by_id(p->f, id);
	if (!k && p->d->tolerant)
		return 0; /* the file does not have the key: nobody can sign with it */
	if (!k)
		return mf_fail(err, MF_E_FORMAT, 0, "role '%s' names key '%s' that is not listed",
			       role_text(&e2, role), mf_esc(&e, id));
	for (size_t i = 0; i < role->nkeys; i++)
		if (role->keys[i] == k)
			return 0; /* listed twice: counts once */
	const struct mf_tuf_key **v =
	    mf_arena_more(&p->f->arena, role->keys, role->nkeys, sizeof(struct mf_tuf_key *), err);
	if (!v)
		return -1;
	role->keys = v;
	role->keys[role->nkeys++] = k;
	return 0;
}

static int read_strings(struct mf_tuf_parser *p, struct mf_json_reader *r, struct mf_str **out, size_t *n,
			struct mf_err *err)
{
	struct mf_json_string s;
	int more;
	if (mf_json_array(r, err) < 0)
		return -1;
	*out = NULL;
	*n = 0;
	while ((more = mf_json_array_next(r, err)) > 0) {
		struct mf_str *v = mf_arena_more(&p->f->arena, *out, *n, sizeof *v, err);
		if (!v || mf_json_string(r, &s, err) < 0 || mf_tuf_decoded(p, s, &v[*n], err) < 0)
			return -1;
		*out = v;
		(*n)++;
	}
	return more;
}

static int read_keyids(struct mf_tuf_parser *p, struct mf_json_reader *r, struct mf_tuf_role *role,
		       struct mf_err *err)
{
	struct mf_str *ids;
	size_t n;
	if (read_strings(p, r, &ids, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (role_add_key(p, role, ids[i], err) < 0)
			return -1;
	return 0;
}

/* Reads the object of a top-level role or of a delegation. In a delegation, "keyids" may come before "name":
 * messages then do not have the name. */
static int read_role(struct mf_tuf_parser *p, struct mf_json_reader *r, struct mf_tuf_role *role,
		     struct mf_err *err)
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
			rc = mf_json_string(r, &s, err) < 0 ? -1 : mf_tuf_decoded(p, s, &text, err);
			if (rc == 0) {
				role->name = mf_arena_dup(&p->f->arena, text, err);
				rc = role->name ? 0 : -1;
			}
			if (rc == 0 &&
			    (text.n == 0 || text.n > MF_MAX_ROLE_NAME || memchr(text.p, 0, text.n)))
				rc = mf_fail(err, MF_E_FORMAT, 0, "unusable role name");
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
	return mf_fail(err, MF_E_FORMAT, 0, "role '%s' without %s", role_text(&e, role),
		       keyids ? "threshold" : "keyids");
}

const char *const mf_tuf_role_names[MF_TUF_TYPES] = {"root", "timestamp", "snapshot", "targets"};

/* Reads the "roles" of a root. They may come before "keys", so they are read from their slice when both were
 * found. */
int mf_tuf_read_root_roles(struct mf_tuf_parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	int more;
	mf_tuf_reader_init(&r, p->d, p->roles_raw);
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
		return mf_fail(err, MF_E_FORMAT, 0, "delegation without a name");
	for (size_t i = 0; i < MF_TUF_TYPES; i++)
		if (strcmp(role->name, mf_tuf_role_names[i]) == 0)
			return mf_fail(err, MF_E_FORMAT, 0, "delegation to the top-level role '%s'",
				       role->name);
	if (role->npaths && role->nhash_prefixes)
		return mf_fail(err, MF_E_FORMAT, 0, "delegation '%s' with paths and path_hash_prefixes",
			       mf_esc(&e, mf_str_c(role->name)));
	return 0;
}

static int name_cmp(const void *a, const void *b)
{
	const struct mf_tuf_role *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

/* If two entries had one name, it would not be clear which of them counts. */
static int check_unique_names(const struct mf_tuf_file *f, struct mf_err *err)
{
	struct mf_esc e;
	const struct mf_tuf_role **v MF_FREE = mf_calloc(f->nroles, sizeof(struct mf_tuf_role *));
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < f->nroles; i++)
		v[i] = &f->roles[i];
	if (f->nroles)
		qsort(v, f->nroles, sizeof *v, name_cmp);
	for (size_t i = 1; i < f->nroles; i++)
		if (strcmp(v[i - 1]->name, v[i]->name) == 0)
			return mf_fail(err, MF_E_FORMAT, 0, "two delegations to '%s'",
				       mf_esc(&e, mf_str_c(v[i]->name)));
	return 0;
}

static int read_delegated_roles(struct mf_tuf_parser *p, struct mf_str raw, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	int more;
	mf_tuf_reader_init(&r, p->d, raw);
	if (mf_json_array(&r, err) < 0)
		return -1;
	while ((more = mf_json_array_next(&r, err)) > 0) {
		if (f->nroles == MF_MAX_DELEGATIONS_LIST)
			return mf_fail(err, MF_E_FORMAT, 0, "more than %d delegations",
				       MF_MAX_DELEGATIONS_LIST);
		struct mf_tuf_role *v = mf_arena_more(&f->arena, f->roles, f->nroles, sizeof *v, err);
		if (!v)
			return -1;
		f->roles = v;
		struct mf_tuf_role *role = &f->roles[f->nroles];
		*role = (struct mf_tuf_role){0};
		if (read_role(p, &r, role, err) < 0 || check_delegation(role, err) < 0)
			return -1;
		f->nroles++;
	}
	return more < 0 || !p->d->unique ? more : check_unique_names(f, err);
}

int mf_tuf_read_delegations(struct mf_tuf_parser *p, struct mf_err *err)
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
			rc = mf_tuf_read_keys(p, err);
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
		return mf_fail(err, MF_E_FORMAT, 0, "delegations without keys and roles");
	if (mf_str_eqz(roles, "null")) { /* Go writes null once the last role was removed */
		p->f->delegations_raw = (struct mf_str){0};
		return 0;
	}
	return read_delegated_roles(p, roles, err);
}
