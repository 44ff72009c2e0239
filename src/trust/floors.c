/* Rollback floors: $MANIFESTO_HOME/floors/<sha256 of the pin name>.json */
#include "trust/home.h"

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"

void mf_floors_clear(struct mf_floors *f)
{
	for (size_t i = 0; i < f->roles.n; i++)
		free(f->roles.v[i].role);
	free(f->roles.v);
	*f = (struct mf_floors){0};
}

int mf_floor_set(struct mf_tuf_floors *f, const char *role, int64_t version, struct mf_err *err)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].role, role) == 0) {
			f->v[i].version = version;
			return 0;
		}
	if (mf_grow((void **)&f->v, &f->cap, f->n, sizeof *f->v, err) < 0)
		return -1;
	char *copy = mf_str_dup(mf_str_c(role));
	if (!copy)
		return mf_fail_nomem(err);
	f->v[f->n++] = (struct mf_tuf_floor){copy, version};
	return 0;
}

static void forget_online(struct mf_tuf_floors *f)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].role, "root") == 0)
			f->v[kept++] = f->v[i];
		else
			free(f->v[i].role);
	f->n = kept;
}

/* Would the signers still reach the role's threshold? */
static bool still_signed(const struct mf_floor_signers *s, const struct mf_tuf_role *role)
{
	int64_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < role->nkeys; k++) {
			struct mf_digest fp = role->keys[k]->pub && role->keys[k]->id_fits
						  ? mf_pubkey_fingerprint(role->keys[k]->pub)
						  : (struct mf_digest){{0}};
			if (mf_digest_eq(&fp, &s->v[i])) {
				n++;
				break;
			}
		}
	return n >= role->threshold;
}

void mf_floors_follow(struct mf_floors *f, const struct mf_tuf_file *root)
{
	if (!f->any || root->version <= mf_tuf_floor_get(&f->roles, "root"))
		return;
	if (!still_signed(&f->timestamp, &root->roles[MF_TUF_TIMESTAMP]) ||
	    !still_signed(&f->snapshot, &root->roles[MF_TUF_SNAPSHOT]))
		forget_online(&f->roles);
}

int mf_home_name_hash(const char *pin_name, char hex[65], struct mf_err *err)
{
	struct mf_digest d;
	if (mf_sha256(mf_bytes_of(mf_str_c(pin_name)), &d, err) < 0)
		return -1;
	mf_digest_hex(hex, &d);
	return 0;
}

static char *floors_path(const char *home, const char *pin_name, const char *suffix, struct mf_err *err)
{
	char hex[65], name[80];
	if (mf_home_name_hash(pin_name, hex, err) < 0)
		return NULL;
	memcpy(name, hex, 64);
	memcpy(name + 64, suffix, strlen(suffix) + 1);
	char *path = mf_path_join(home, "floors", name, NULL);
	if (!path)
		(void)mf_fail_nomem(err);
	return path;
}

static int read_digest(const json_t *tree, const char *name, struct mf_digest *out, struct mf_err *err)
{
	const char *text;
	if (mf_json_get_str(tree, name, MF_JSON_REQUIRED, &text, err) < 0)
		return -1;
	return mf_digest_parse(out, mf_str_c(text), err);
}

/* Files of earlier program versions lack the signers; then every newer root resets the floors. */
static int read_signers(const json_t *tree, const char *name, struct mf_floor_signers *out,
			struct mf_err *err)
{
	json_t *v = NULL, *k;
	size_t i;
	if (mf_json_get_arr(tree, name, MF_JSON_OPTIONAL, &v, err) < 0)
		return -1;
	if (json_array_size(v) > MF_MAX_SIGNATURES)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d signers", MF_MAX_SIGNATURES);
	json_array_foreach(v, i, k)
	{
		if (!json_is_string(k))
			return mf_fail(err, MF_E_FORMAT, 0, "a signer is not a string");
		if (mf_digest_parse(&out->v[i], mf_str_c(json_string_value(k)), err) < 0)
			return -1;
		out->n++;
	}
	return 0;
}

static int read_floors(const json_t *tree, struct mf_floors *out, struct mf_err *err)
{
	json_t *roles, *value;
	const char *role;
	int64_t v;
	if (mf_json_get_int(tree, "clock", MF_JSON_REQUIRED, 0, MF_MAX_VERSION, &out->clock, err) < 0 ||
	    read_digest(tree, "root", &out->root, err) < 0 ||
	    read_signers(tree, "timestampSigners", &out->timestamp, err) < 0 ||
	    read_signers(tree, "snapshotSigners", &out->snapshot, err) < 0 ||
	    mf_json_get_obj(tree, "versions", MF_JSON_REQUIRED, &roles, err) < 0)
		return -1;
	json_object_foreach(roles, role, value)
	{
		if (mf_json_get_int(roles, role, MF_JSON_REQUIRED, 1, MF_MAX_VERSION, &v, err) < 0 ||
		    mf_floor_set(&out->roles, role, v, err) < 0)
			return -1;
	}
	out->any = true;
	return 0;
}

int mf_floors_load(const char *home, const char *pin_name, struct mf_floors *out, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_FLOORS_BYTES);
	char *path MF_FREE = floors_path(home, pin_name, ".json", err);
	*out = (struct mf_floors){0};
	if (!path)
		return -1;
	if (mf_file_read_stored(path, MF_MAX_FLOORS_BYTES, &text, err) < 0) {
		if (err->code == MF_E_FORMAT) /* without errno: too large, or no regular file */
			return mf_recode(err, err->sys ? MF_E_IO : MF_E_ROLLBACK);
		if (err->code != MF_E_NOT_FOUND)
			return -1;
		mf_err_clear(err);
		return 0;
	}
	json_t *tree MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&text), MF_MAX_FLOORS_BYTES, err);
	if (tree && read_floors(tree, out, err) == 0)
		return 0;
	mf_floors_clear(out);
	if (err->code == MF_E_FORMAT)
		(void)mf_recode(err, MF_E_ROLLBACK);
	mf_err_set_hint(err, "restore the file from a backup; removing it gives up the protection against "
			     "rollback for this repository");
	return mf_wrap(err, "rollback floors in '%s'", path);
}

/* ---- raising */

static int raise_one(struct mf_tuf_floors *f, const char *role, int64_t version, bool *changed,
		     struct mf_err *err)
{
	if (mf_tuf_floor_get(f, role) >= version)
		return 0;
	*changed = true;
	return mf_floor_set(f, role, version, err);
}

static struct mf_floor_signers signers_of(const struct mf_tuf_file *f)
{
	struct mf_floor_signers s = {.n = 0};
	for (size_t i = 0; i < f->nsignatures; i++)
		if (f->signatures[i].good)
			s.v[s.n++] = f->signatures[i].good_for;
	return s;
}

/* Records the signers of a file that is newer than its floor (or as new, when no signers are recorded). Must
 * be called before the floor is raised. */
static void replace_signers(const struct mf_floors *f, const struct mf_tuf_file *file, const char *role,
			    struct mf_floor_signers *out, bool *changed)
{
	int64_t floor = mf_tuf_floor_get(&f->roles, role);
	if (file->version < floor || (file->version == floor && out->n))
		return;
	*out = signers_of(file);
	*changed = true;
}

/* Raises f to the versions of the set. *changed: f differs, and its file must be written. */
static int merge(struct mf_floors *f, const struct mf_tuf_set *set, bool *changed, struct mf_err *err)
{
	int64_t known_root = mf_tuf_floor_get(&f->roles, "root");
	/* Another process has seen a newer root since this set was loaded. Keys that it revoked may have
	 * signed the set's timestamp: ignore the set. */
	if (f->any && set->root->version < known_root)
		return 0;
	mf_floors_follow(f, set->root);
	if ((!f->any || set->root->version > known_root) &&
	    mf_sha256(mf_buf_bytes(&set->root->bytes), &f->root, err) < 0)
		return -1;
	replace_signers(f, set->timestamp, "timestamp", &f->timestamp, changed);
	replace_signers(f, set->snapshot, "snapshot", &f->snapshot, changed);
	if (raise_one(&f->roles, "root", set->root->version, changed, err) < 0 ||
	    raise_one(&f->roles, "timestamp", set->timestamp->version, changed, err) < 0 ||
	    raise_one(&f->roles, "snapshot", set->snapshot->version, changed, err) < 0)
		return -1;
	for (size_t i = 0; i < set->nroles; i++)
		if (raise_one(&f->roles, mf_tuf_loaded_name(set->roles[i]), set->roles[i]->file->version,
			      changed, err) < 0)
			return -1;
	/* The time is written with other changes, else once an hour, so that most runs write nothing. */
	if (*changed || set->now > f->clock + 3600) {
		*changed |= set->now > f->clock;
		f->clock = set->now > f->clock ? set->now : f->clock;
	}
	return 0;
}

static json_t *signers_json(const struct mf_floor_signers *s)
{
	json_t *v = json_array();
	char text[MF_DIGEST_TEXT];
	for (size_t i = 0; v && i < s->n; i++) {
		mf_digest_format(text, &s->v[i]);
		if (json_array_append_new(v, json_string(text)) < 0) {
			json_decref(v);
			return NULL;
		}
	}
	return v;
}

/* Keeps the format that jansson writes: earlier versions of this program and users' scripts read the file. */
static int write_floors(const char *path, const struct mf_floors *f, struct mf_err *err)
{
	char root[MF_DIGEST_TEXT];
	json_t *versions MF_JSON_CLEANUP = json_object(),
			 *timestamp MF_JSON_CLEANUP = signers_json(&f->timestamp),
			 *snapshot MF_JSON_CLEANUP = signers_json(&f->snapshot);
	mf_digest_format(root, &f->root);
	if (!versions || !timestamp || !snapshot)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < f->roles.n; i++)
		if (json_object_set_new(versions, f->roles.v[i].role,
					json_integer((json_int_t)f->roles.v[i].version)) < 0)
			return mf_fail_nomem(err); /* incomplete floors would allow a rollback */
	json_t *tree MF_JSON_CLEANUP =
	    json_pack("{s:I,s:s,s:O,s:O,s:O}", "clock", (json_int_t)f->clock, "root", root,
		      "timestampSigners", timestamp, "snapshotSigners", snapshot, "versions", versions);
	struct mf_buf text MF_BUF_CLEANUP =
	    MF_BUF_INIT(MF_MAX_FLOORS_BYTES); /* mf_floors_load would refuse a larger file */
	if (!tree)
		return mf_fail_nomem(err);
	if (mf_json_dump(tree, JSON_INDENT(1) | JSON_SORT_KEYS, &text, err) < 0)
		return err->code == MF_E_FORMAT ? mf_wrap(err, "too many roles to remember") : -1;
	return mf_file_write(path, mf_buf_bytes(&text), 0600, err);
}

static int raise_locked(const char *home, const char *pin_name, const struct mf_tuf_set *set,
			const struct mf_env *env, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	struct mf_floors f MF_FLOORS_CLEANUP = {0};
	char *dir MF_FREE = mf_path_join(home, "floors", NULL),
		  *path MF_FREE = floors_path(home, pin_name, ".json", err);
	char *lock_path MF_FREE = path ? floors_path(home, pin_name, ".lock", err) : NULL;
	bool changed = false;
	if (!dir && !err->code)
		return mf_fail_nomem(err);
	if (!path || !lock_path)
		return -1;
	if (mf_dir_make(dir, 0700, err) < 0 || mf_lock_acquire(&lock, lock_path, env, err) < 0 ||
	    mf_floors_load(home, pin_name, &f, err) < 0 || merge(&f, set, &changed, err) < 0)
		return -1;
	return changed ? write_floors(path, &f, err) : 0;
}

/* Fails if a symbolic link takes the floors out of the home: unlike a home that cannot be written, that is an
 * error. */
static int check_dir(const char *home, struct mf_err *err)
{
	char *dir MF_FREE = mf_path_join(home, "floors", NULL);
	if (!dir)
		return mf_fail_nomem(err);
	return mf_path_check_inside(home, dir, err) < 0 ? mf_recode(err, MF_E_IO) : 0;
}

int mf_floors_raise(const char *home, const char *pin_name, const struct mf_tuf_set *set,
		    const struct mf_env *env, struct mf_err *err)
{
	struct mf_floors f MF_FLOORS_CLEANUP = {0};
	bool changed = false;
	/* Most runs change nothing: check first without the lock. */
	if (check_dir(home, err) < 0 || mf_floors_load(home, pin_name, &f, err) < 0 ||
	    merge(&f, set, &changed, err) < 0)
		return -1;
	if (!changed)
		return 0;
	if (raise_locked(home, pin_name, set, env, err) == 0)
		return 0;
	if (err->code != MF_E_IO)
		return -1;
	mf_env_log(env, MF_LOG_INFO, "rollback floors not stored: %s", err->msg);
	mf_err_clear(err);
	return 0;
}

/* ---- what a person decides */

char *mf_floors_path(const char *home, const char *pin_name, struct mf_err *err)
{
	return floors_path(home, pin_name, ".json", err);
}

enum mf_found mf_floors_set_clock(const char *home, const char *pin_name, const struct mf_env *env,
				  bool dry_run, int64_t *was, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	struct mf_floors f MF_FLOORS_CLEANUP = {0};
	char *path MF_FREE = floors_path(home, pin_name, ".json", err);
	char *lock_path MF_FREE = path ? floors_path(home, pin_name, ".lock", err) : NULL;
	int64_t now = mf_env_now(env);
	*was = 0;
	if (!lock_path ||
	    (mf_file_exists(path) && !dry_run && mf_lock_acquire(&lock, lock_path, env, err) < 0) ||
	    mf_floors_load(home, pin_name, &f, err) < 0)
		return MF_FAILED;
	*was = f.clock;
	if (!f.any || f.clock <= now)
		return MF_ABSENT;
	f.clock = now;
	return dry_run || write_floors(path, &f, err) == 0 ? MF_FOUND : MF_FAILED;
}
