/* Finds names of repositories, keys, roles and record types on this machine, for completion, and the roles
 * that list a key. It verifies nothing and makes no request. */
#include <dirent.h>

#include "base/encode.h"
#include "ops/ops.h"
#include "trust/home.h"

#define MAX_NAME 256
#define MAX_NAMES 1000                     /* further names are left out */
#define MAX_READ ((size_t)4 * 1024 * 1024) /* octets of one file: completion must be quick */

struct names {
	struct mf_arena a;
	const char **v;
	size_t n, cap;
};

static void names_clear(struct names *s)
{
	mf_arena_clear(&s->a);
	free(s->v);
}
#define NAMES_CLEANUP MF_CLEANUP(names_clear)

static int add_name(struct names *s, struct mf_str name, struct mf_err *err)
{
	for (size_t i = 0; i < s->n; i++)
		if (mf_str_eqz(name, s->v[i]))
			return 0;
	if (s->n == MAX_NAMES)
		return 0;
	if (mf_grow((void **)&s->v, &s->cap, s->n, sizeof *s->v, err) < 0)
		return -1;
	s->v[s->n] = mf_arena_dup(&s->a, name, err);
	return s->v[s->n++] ? 0 : -1;
}

/* ---- roles and types, from the files of a metadata directory */

/* Reads the role from a file name such as "12.qa.json" or "targets%2Fqa.json". False: not the file of a role
 * with names. */
static bool parse_name(struct mf_str name, struct mf_buf *role)
{
	struct mf_err ignored = MF_ERR_INIT;
	size_t digits = 0;
	while (digits < name.n && name.p[digits] >= '0' && name.p[digits] <= '9')
		digits++;
	if (digits && digits < name.n && name.p[digits] == '.')
		name = (struct mf_str){name.p + digits + 1, name.n - digits - 1};
	if (!mf_str_ends(name, MF_STR(".json")))
		return false;
	name.n -= strlen(".json");
	mf_buf_reset(role);
	return mf_pct_decode(role, name, &ignored) == 0 && role->n && !memchr(role->p, 0, role->n) &&
	       !mf_str_eqz(mf_buf_str(role), "snapshot") && !mf_str_eqz(mf_buf_str(role), "timestamp");
}

/* Is `name`, which `rest` follows, a record type? Types occur in names of targets ("TYPE/sha256-...") and in
 * paths of roles ("TYPE/" or "TYPE/" and an asterisk, with a closing quote). */
static bool is_type(struct mf_str name, struct mf_str rest)
{
	struct mf_err ignored = MF_ERR_INIT;
	return (mf_str_starts(rest, MF_STR("/sha256-")) || mf_str_starts(rest, MF_STR("/\"")) ||
		mf_str_starts(rest, MF_STR("/*\""))) &&
	       mf_record_type_check(name, &ignored) == 0;
}

/* Finds the names in a file by a text search, which is faster than to parse JSON. */
static int add_names(struct mf_str text, enum manifesto_name what, struct names *out, struct mf_err *err)
{
	bool roles = what == MANIFESTO_NAME_ROLE;
	struct mf_str before = roles ? MF_STR("\"name\":\"") : MF_STR("\"");
	const char *end = text.p + text.n, *p = text.p;
	while ((p = memmem(p, (size_t)(end - p), before.p, before.n))) {
		p += before.n;
		struct mf_str name = {p, 0};
		while (p + name.n < end && name.n < MAX_NAME && !strchr(roles ? "\"\\" : "\"\\/", p[name.n]))
			name.n++;
		struct mf_str rest = {p + name.n, (size_t)(end - p) - name.n};
		if ((roles ? mf_str_starts(rest, MF_STR("\"")) : is_type(name, rest)) &&
		    add_name(out, name, err) < 0)
			return -1;
	}
	return 0;
}

/* Called for the newest file of each role in a metadata directory. */
typedef int (*file_fn)(void *arg, const char *role, const char *path, struct mf_err *err);

static int visit_file(const char *dir, const char *name, struct names *roles, file_fn fn, void *arg,
		      struct mf_err *err)
{
	struct mf_buf role MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	size_t known = roles->n;
	if (!parse_name(mf_str_c(name), &role))
		return 0;
	if (add_name(roles, mf_buf_str(&role), err) < 0)
		return -1;
	if (roles->n == known)
		return 0;
	char *path MF_FREE = mf_path_join(dir, name, NULL);
	return path ? fn(arg, mf_buf_str(&role).p, path, err) : mf_fail_nomem(err);
}

/* Goes through the files from the newest version down, so that visit_file sees the newest one of each role
 * first and passes over the others. */
static int each_file(const char *dir, file_fn fn, void *arg, struct mf_err *err)
{
	struct names roles NAMES_CLEANUP = {.a = MF_ARENA_INIT};
	struct dirent **files MF_FREE = NULL;
	int rc = 0;
	for (int n = scandir(dir, &files, NULL, versionsort); n > 0; n--) {
		if (rc == 0)
			rc = visit_file(dir, files[n - 1]->d_name, &roles, fn, arg, err);
		free(files[n - 1]);
	}
	return rc;
}

struct reading {
	enum manifesto_name what;
	struct names *out;
};

static int add_from_file(void *arg, const char *role, const char *path, struct mf_err *err)
{
	const struct reading *r = arg;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MAX_READ);
	struct mf_err ignored = MF_ERR_INIT;
	if (strcmp(role, "root") == 0)
		return 0;
	if (r->what == MANIFESTO_NAME_ROLE && add_name(r->out, mf_str_c(role), err) < 0)
		return -1;
	if (mf_file_read_stored(path, MAX_READ, &text, &ignored) < 0)
		return 0;
	return add_names(mf_buf_str(&text), r->what, r->out, err);
}

static int add_from_image(struct manifesto *m, const char *image, enum manifesto_name what, struct names *out,
			  struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct reading r = {what, out};
	if (mf_image_open_by(&im, m, image, MF_MAPS_FOLLOW, err) < 0)
		return -1;
	char *dir MF_FREE = mf_trust_metadata_dir(im.trust, err);
	return dir ? each_file(dir, add_from_file, &r, err) : -1;
}

/* ---- keys, repositories */

static int add_keys(struct manifesto *m, struct names *out, struct mf_err *err)
{
	const struct mf_key_info *keys;
	size_t n;
	if (mf_keystore_list(m->keys, &keys, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (add_name(out, mf_str_c(keys[i].name), err) < 0)
			return -1;
	return 0;
}

static int add_repositories(struct manifesto *m, struct names *out, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	if (mf_pin_export(m->opt.home, NULL, 0, &text, err) < 0)
		return -1;
	json_t *tree MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&text), MF_MAX_CONFIG_BYTES, err), *value;
	const char *name;
	json_object_foreach(json_object_get(tree, "pins"), name,
			    value) if (!strchr(name, '*') &&
				       add_name(out, mf_str_c(name), err) < 0) return -1;
	return tree ? 0 : -1;
}

/* ---- the roles that list a key */

struct uses {
	const struct mf_pubkey *pub;
	struct mf_arena *a; /* of the result */
	const char *repository;
	struct manifesto_key_use *v;
	size_t n, cap;
};

static int add_use(struct uses *u, const struct mf_tuf_role *role, struct mf_err *err)
{
	if (mf_grow((void **)&u->v, &u->cap, u->n, sizeof *u->v, err) < 0)
		return -1;
	u->v[u->n++] = (struct manifesto_key_use){
	    .repository = mf_arena_text(u->a, u->repository),
	    .role = mf_arena_text(u->a, role->name),
	    .others = (int)role->nkeys - 1,
	    .threshold = role->threshold > MF_MAX_KEYS ? MF_MAX_KEYS : (int)role->threshold};
	return 0;
}

/* The dialect of the file is not known: tries both. */
static struct mf_tuf_file *parse_file(const char *path, const char *role)
{
	const struct mf_dialect *const dialects[] = {&mf_dialect_tuf1, &mf_dialect_notary};
	enum mf_tuf_type type = strcmp(role, "root") == 0 ? MF_TUF_ROOT : MF_TUF_TARGETS;
	struct mf_tuf_file *f = NULL;
	for (size_t i = 0; !f && i < sizeof dialects / sizeof dialects[0]; i++) {
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MAX_READ);
		struct mf_err ignored = MF_ERR_INIT;
		if (mf_file_read_stored(path, MAX_READ, &text, &ignored) < 0)
			return NULL;
		f = mf_tuf_parse_unverified(dialects[i], type, &text, &ignored);
	}
	return f;
}

static int add_uses(void *arg, const char *role, const char *path, struct mf_err *err)
{
	struct uses *u = arg;
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = parse_file(path, role);
	for (size_t i = 0; f && i < f->nroles; i++)
		if (mf_tuf_role_has_key(&f->roles[i], u->pub) && add_use(u, &f->roles[i], err) < 0)
			return -1;
	return 0;
}

int mf_op_key_uses(struct manifesto *m, const struct mf_pubkey *pub, struct mf_arena *a,
		   const struct manifesto_key_use *const **out, size_t *n, struct mf_err *err)
{
	struct names pinned NAMES_CLEANUP = {.a = MF_ARENA_INIT};
	struct uses u = {.pub = pub, .a = a};
	const struct mf_str layout = MF_STR("oci:");
	int rc = add_repositories(m, &pinned, err);
	mf_cache_flush(&m->cache);
	for (size_t i = 0; rc == 0 && i < pinned.n; i++) {
		char *dir MF_FREE = mf_str_starts(mf_str_c(pinned.v[i]), layout)
					? mf_path_join(pinned.v[i] + layout.n, "trust", NULL)
					: mf_cache_dir(&m->cache, pinned.v[i], err);
		u.repository = pinned.v[i];
		rc = dir ? each_file(dir, add_uses, &u, err) : err->code ? -1 : mf_fail_nomem(err);
	}
	struct manifesto_key_use *kept = rc == 0 ? mf_arena_alloc(a, u.n, sizeof *kept, err) : NULL;
	if (kept && u.n)
		memcpy(kept, u.v, u.n * sizeof *kept);
	free(u.v);
	if (!kept)
		return -1;
	*out = mf_arena_list(a, kept, u.n, sizeof *kept);
	*n = u.n;
	return 0;
}

int manifesto_names(struct manifesto *m, enum manifesto_name what, const char *image,
		    void (*each)(void *arg, const char *name), void *arg, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct names names NAMES_CLEANUP = {.a = MF_ARENA_INIT};
	mf_op_begin(m, error);
	int rc = what == MANIFESTO_NAME_KEY          ? add_keys(m, &names, &err)
		 : what == MANIFESTO_NAME_REPOSITORY ? add_repositories(m, &names, &err)
						     : add_from_image(m, image, what, &names, &err);
	if (rc < 0)
		return mf_op_fail(error, &err);
	for (size_t i = 0; i < names.n; i++)
		each(arg, names.v[i]);
	return 0;
}
