/* Names for completing what somebody types, from what lies on this machine. Nothing of it is verified, and no
 * request is made. */
#include <dirent.h>

#include "base/encode.h"
#include "ops/ops.h"

#define MAX_NAME 256
#define MAX_NAMES 1000                     /* given */
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

/* ---- roles and types: from the files of a directory of metadata */

/* "12.qa.json", "targets%2Fqa.json": the role into out. False: another file. */
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
	       !mf_str_eqz(mf_buf_str(role), "root") && !mf_str_eqz(mf_buf_str(role), "snapshot") &&
	       !mf_str_eqz(mf_buf_str(role), "timestamp");
}

/* Types are found in the names of targets, "TYPE/sha256-...", and in the paths of roles: "TYPE/", or that and
 * an asterisk. */
static bool is_type(struct mf_str name, struct mf_str rest)
{
	struct mf_err ignored = MF_ERR_INIT;
	return (mf_str_starts(rest, MF_STR("/sha256-")) || mf_str_starts(rest, MF_STR("/\"")) ||
		mf_str_starts(rest, MF_STR("/*\""))) &&
	       mf_record_type_check(name, &ignored) == 0;
}

/* The names in a file, found without reading it as JSON. */
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

/* A directory of metadata that is read for names. */
struct reading {
	const char *dir;
	enum manifesto_name what;
	struct names roles, *out;
};

/* Of each role the newest file is enough, which comes first. */
static int add_from_file(struct reading *r, const char *name, struct mf_err *err)
{
	struct mf_buf role MF_BUF_CLEANUP = MF_BUF_INIT(1024), text MF_BUF_CLEANUP = MF_BUF_INIT(MAX_READ);
	struct mf_err ignored = MF_ERR_INIT;
	size_t known = r->roles.n;
	if (!parse_name(mf_str_c(name), &role))
		return 0;
	if (add_name(&r->roles, mf_buf_str(&role), err) < 0)
		return -1;
	if (r->roles.n == known)
		return 0;
	if (r->what == MANIFESTO_NAME_ROLE && add_name(r->out, mf_buf_str(&role), err) < 0)
		return -1;
	char *path MF_FREE = mf_path_join(r->dir, name, NULL);
	if (!path || mf_file_read_stored(path, MAX_READ, &text, &ignored) < 0)
		return 0;
	return add_names(mf_buf_str(&text), r->what, r->out, err);
}

static int add_from_image(struct manifesto *m, const char *image, enum manifesto_name what, struct names *out,
			  struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct dirent **files MF_FREE = NULL;
	if (mf_image_open(&im, m, image, err) < 0)
		return -1;
	char *dir MF_FREE = mf_trust_metadata_dir(im.trust, err);
	struct reading r = {.dir = dir, .what = what, .roles = {.a = MF_ARENA_INIT}, .out = out};
	int rc = dir ? 0 : -1;
	for (int n = dir ? scandir(dir, &files, NULL, versionsort) : 0; n > 0; n--) {
		if (rc == 0)
			rc = add_from_file(&r, files[n - 1]->d_name, err);
		free(files[n - 1]);
	}
	names_clear(&r.roles);
	return rc;
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
