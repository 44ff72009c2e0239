/* Changes of keys and delegations. Delegations and roots are edited as JSON trees, so that members that other
 * programs wrote stay. */
#include "base/encode.h"
#include "base/limits.h"
#include "tuf/build.h"
#include "tuf/internal.h"

/* ---- names and paths */

/* Only files of TUF 1.0 state a version of the specification. */
static bool is_tuf1(const struct mf_dialect *d)
{
	return d->spec_version;
}

int mf_tuf_put_role_name(const struct mf_dialect *d, struct mf_str name, struct mf_buf *out,
			 struct mf_err *err)
{
	if (!is_tuf1(d) && mf_buf_addz(out, "targets/", err) < 0)
		return -1;
	return mf_buf_add_str(out, name, err);
}

int mf_tuf_put_type_path(const struct mf_dialect *d, struct mf_str type, struct mf_buf *out,
			 struct mf_err *err)
{
	return mf_buf_add_str(out, type, err) < 0 || mf_buf_addc(out, '/', err) < 0
		   ? -1
		   : mf_buf_addz(out, d->prefix_tail, err);
}

bool mf_tuf_is_type(struct mf_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
			return false;
	}
	return text.n > 0;
}

struct mf_str mf_tuf_path_type(const struct mf_dialect *d, struct mf_str path)
{
	struct mf_str tail = mf_str_c(d->prefix_tail), none = {path.p, 0};
	if (path.n <= tail.n + 1 || !mf_str_ends(path, tail))
		return none;
	struct mf_str type = {path.p, path.n - tail.n - 1};
	return type.p[type.n] == '/' && mf_tuf_is_type(type) ? type : none;
}

int mf_tuf_check_signed(const struct mf_dialect *d, const struct mf_tuf_file *f,
			const struct mf_tuf_role *role, struct mf_err *err)
{
	struct mf_tuf_counting c = {.d = d};
	return mf_tuf_count_signatures(&c, f, role, role->threshold, err);
}

/* ---- trees */

static int kept(int rc, struct mf_err *err)
{
	return rc < 0 ? mf_fail_nomem(err) : 0;
}

static bool lists(const json_t *role, const char *id)
{
	json_t *k;
	size_t i;
	json_array_foreach(json_object_get(role, "keyids"), i, k)
	{
		if (json_is_string(k) && strcmp(json_string_value(k), id) == 0)
			return true;
	}
	return false;
}

enum id_kind {
	HASH_ID, /* an ID is the hash of its key; an object that others wrote under it stays */
	ANY_ID,  /* an ID is any name; somebody else who signs the file may have given it to another key */
};

static int add_object(json_t *keys, const char *id, struct mf_str object, enum id_kind kind,
		      struct mf_err *err)
{
	if (!object.n)
		return json_object_get(keys, id)
			   ? 0
			   : mf_fail(err, MF_E_INTERNAL, 0, "key '%s' is not listed", id);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(6 * object.n + 1);
	if (mf_tuf_put_json(object, &text, err) < 0)
		return -1;
	json_t *tree MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&text), text.n, err);
	const json_t *there = json_object_get(keys, id);
	if (!tree)
		return -1;
	if (there && kind == ANY_ID && !json_equal(there, tree))
		return mf_fail(err, MF_E_FORMAT, 0, "another key is listed under the key ID '%s'", id);
	if (there)
		return 0;
	if (json_object_size(keys) >= MF_MAX_KEYS)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d keys", MF_MAX_KEYS);
	return kept(json_object_set_nocheck(keys, id, tree), err);
}

/* ---- delegations */

static bool named(const json_t *role, const char *name)
{
	const char *text = json_string_value(json_object_get(role, "name"));
	return text && strcmp(text, name) == 0;
}

static json_t *find_role(json_t *roles, const char *name)
{
	json_t *role;
	size_t i;
	json_array_foreach(roles, i, role)
	{
		if (named(role, name))
			return role;
	}
	return NULL;
}

static int set_texts(json_t *role, const char *member, const char *const *texts, size_t n, struct mf_err *err)
{
	json_t *v MF_JSON_CLEANUP = json_array();
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (kept(json_array_append_new(v, json_string_nocheck(texts[i])), err) < 0)
			return -1;
	return kept(json_object_set_nocheck(role, member, v), err);
}

/* Removes the keys that `v` does not have, and appends its new ones. Keys that stay keep their places. */
static int set_keyids(json_t *role, const struct mf_tuf_delegation *v, struct mf_err *err)
{
	json_t *ids MF_JSON_CLEANUP = json_array(), *k;
	size_t at;
	if (!ids)
		return mf_fail_nomem(err);
	json_array_foreach(json_object_get(role, "keyids"), at, k)
	{
		bool wanted = false;
		for (size_t i = 0; i < v->nkeys; i++)
			wanted |= json_is_string(k) && strcmp(json_string_value(k), v->keys[i].id) == 0;
		if (wanted && kept(json_array_append(ids, k), err) < 0)
			return -1;
	}
	for (size_t i = 0; i < v->nkeys; i++)
		if (!lists(role, v->keys[i].id) &&
		    kept(json_array_append_new(ids, json_string_nocheck(v->keys[i].id)), err) < 0)
			return -1;
	return kept(json_object_set_nocheck(role, "keyids", ids), err);
}

static json_t *append_role(const struct mf_dialect *d, json_t *roles, const char *name, struct mf_err *err)
{
	json_t *role MF_JSON_CLEANUP = json_object();
	if (json_array_size(roles) >= MF_MAX_DELEGATIONS_LIST) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "more than %d delegations", MF_MAX_DELEGATIONS_LIST);
		return NULL;
	}
	/* TUF 1.0 requires "terminating" (4.5); Notary knows no such member. */
	if (!role || json_object_set_new_nocheck(role, "name", json_string_nocheck(name)) < 0 ||
	    (is_tuf1(d) && json_object_set_new_nocheck(role, "terminating", json_false()) < 0) ||
	    json_array_append(roles, role) < 0) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	return role; /* the array holds it */
}

static int set_role(const struct mf_dialect *d, json_t *keys, json_t *roles,
		    const struct mf_tuf_delegation *v, struct mf_err *err)
{
	json_t *role = find_role(roles, v->name);
	if (!role)
		role = append_role(d, roles, v->name, err);
	if (!role)
		return -1;
	for (size_t i = 0; i < v->nkeys; i++)
		if (add_object(keys, v->keys[i].id, v->keys[i].object, is_tuf1(d) ? ANY_ID : HASH_ID, err) <
		    0)
			return -1;
	if (set_keyids(role, v, err) < 0)
		return -1;
	/* A Notary server hashes the file as it would write it itself: without an empty array. */
	if (v->paths && !v->npaths && !is_tuf1(d))
		(void)json_object_del(role, "paths");
	else if (v->paths && set_texts(role, "paths", v->paths, v->npaths, err) < 0)
		return -1;
	/* Paths and prefixes of hashes exclude each other (4.5). */
	if (v->paths && is_tuf1(d))
		(void)json_object_del(role, "path_hash_prefixes");
	return kept(json_object_set_new_nocheck(role, "threshold", json_integer((json_int_t)v->threshold)),
		    err);
}

/* Removes all entries with the name: if only the first were removed, the next one would take effect. */
static void drop_roles(json_t *roles, const char *name)
{
	for (size_t i = json_array_size(roles); i-- > 0;)
		if (named(json_array_get(roles, i), name))
			(void)json_array_remove(roles, i);
}

static bool in_use(json_t *roles, const char *id)
{
	json_t *role;
	size_t i;
	json_array_foreach(roles, i, role)
	{
		if (lists(role, id))
			return true;
	}
	return false;
}

/* Removes keys that a role listed before and none lists now. Keys that no role listed before stay: another
 * program may need them. */
static void drop_unused(json_t *keys, json_t *roles_before, json_t *roles)
{
	const char *id;
	json_t *k;
	void *next;
	json_object_foreach_safe(keys, next, id, k)
	{
		if (in_use(roles_before, id) && !in_use(roles, id))
			(void)json_object_del(keys, id);
	}
}

int mf_tuf_build_delegations(const struct mf_dialect *d, struct mf_str old, const struct mf_tuf_delegation *v,
			     size_t n, struct mf_buf *out, struct mf_err *err)
{
	struct mf_str none = MF_STR("{\"keys\":{},\"roles\":[]}");
	struct mf_bytes text = mf_bytes_of(old.n ? old : none);
	/* Two trees: one to change, one to compare with. */
	json_t *tree MF_JSON_CLEANUP = mf_json_load(text, MF_MAX_TARGETS_BYTES, err);
	json_t *before MF_JSON_CLEANUP = tree ? mf_json_load(text, MF_MAX_TARGETS_BYTES, err) : NULL;
	json_t *keys, *roles, *roles_before;
	if (!before || mf_json_get_obj(tree, "keys", MF_JSON_REQUIRED, &keys, err) < 0 ||
	    mf_json_get_arr(tree, "roles", MF_JSON_REQUIRED, &roles, err) < 0 ||
	    mf_json_get_arr(before, "roles", MF_JSON_REQUIRED, &roles_before, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (v[i].absent)
			drop_roles(roles, v[i].name);
		else if (set_role(d, keys, roles, &v[i], err) < 0)
			return mf_wrap(err, "role '%s'", v[i].name);
	}
	drop_unused(keys, roles_before, roles);
	return mf_json_dump_canonical(tree, out, err);
}

/* ---- the next root */

static int edit_role(json_t *role, const struct mf_tuf_root_edit *e, bool add, bool drop, struct mf_err *err)
{
	json_t *ids = json_object_get(role, "keyids");
	if (add && !lists(role, e->id))
		return kept(json_array_append_new(ids, json_string_nocheck(e->id)), err);
	for (size_t i = json_array_size(ids); drop && i-- > 0;) {
		const char *id = json_string_value(json_array_get(ids, i));
		if (id && strcmp(id, e->id) == 0)
			(void)json_array_remove(ids, i);
	}
	return 0;
}

static int check_thresholds(const json_t *roles, struct mf_err *err)
{
	for (size_t t = 0; t < MF_TUF_TYPES; t++) {
		const json_t *role = json_object_get(roles, mf_tuf_role_names[t]);
		int64_t threshold = json_integer_value(json_object_get(role, "threshold"));
		size_t n = json_array_size(json_object_get(role, "keyids"));
		if ((int64_t)n < threshold)
			return mf_fail(err, MF_E_USAGE, 0,
				       "role '%s' would have %zu keys and need %lld signatures",
				       mf_tuf_role_names[t], n, (long long)threshold);
	}
	return 0;
}

static int edit_roles(json_t *keys, json_t *roles, const struct mf_tuf_root_edit *e, struct mf_err *err)
{
	bool used = false;
	if (e->add && add_object(keys, e->id, e->object, ANY_ID, err) < 0)
		return -1;
	for (size_t t = 0; t < MF_TUF_TYPES; t++) {
		json_t *role = json_object_get(roles, mf_tuf_role_names[t]);
		if (edit_role(role, e, e->add >> t & 1, e->drop >> t & 1, err) < 0)
			return -1;
		used |= lists(role, e->id);
	}
	if (!used)
		(void)json_object_del(keys, e->id);
	return 0;
}

int mf_tuf_build_next_root(const struct mf_tuf_file *old, const struct mf_tuf_root_edit *v, size_t n,
			   int64_t expires, struct mf_buf *out, struct mf_err *err)
{
	char when[MF_TIME_LEN];
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT((size_t)6 * MF_MAX_ROOT_BYTES);
	json_t *keys, *roles;
	if (mf_tuf_put_json(old->canonical, &text, err) < 0)
		return -1;
	json_t *tree MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&text), text.n, err);
	if (!tree || mf_json_get_obj(tree, "keys", MF_JSON_REQUIRED, &keys, err) < 0 ||
	    mf_json_get_obj(tree, "roles", MF_JSON_REQUIRED, &roles, err) < 0)
		return -1;
	if (old->version >= MF_MAX_VERSION)
		return mf_fail(err, MF_E_FORMAT, 0, "root version %lld can have no successor",
			       (long long)old->version);
	for (size_t i = 0; i < n; i++)
		if (edit_roles(keys, roles, &v[i], err) < 0)
			return -1;
	if (check_thresholds(roles, err) < 0)
		return -1;
	mf_time_format(when, expires);
	if (json_object_set_new_nocheck(tree, "expires", json_string_nocheck(when)) < 0 ||
	    json_object_set_new_nocheck(tree, "version", json_integer((json_int_t)old->version + 1)) < 0)
		return mf_fail_nomem(err);
	return mf_json_dump_canonical(tree, out, err);
}
