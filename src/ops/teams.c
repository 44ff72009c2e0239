/* role apply: changes the roles to what a file declares. */
#include "base/encode.h"
#include "ops/role.h"

#define MAX_TEAMS 256
#define MAX_TYPES 1024
#define SCHEMA "manifesto/teams/v1"

struct team {
	struct mf_role_keys keys;
	const char **types; /* point into the tree */
	size_t ntypes;
};
struct teams {
	json_t *tree, *key_names; /* the file, and its `names` of keys or NULL */
	char *dir;                /* the directory of the file; names of key files are relative to it */
	struct team *v;
	size_t n;
	struct mf_role_request *requests;
	size_t nrequests;
	struct mf_arena
	    names; /* copies of role names that are not in the file, since the repository is loaded again */
};

static void teams_clear(struct teams *t)
{
	for (size_t i = 0; i < t->n; i++) {
		mf_role_keys_clear(&t->v[i].keys);
		free(t->v[i].types);
	}
	free(t->v);
	free(t->requests);
	free(t->dir);
	json_decref(t->tree);
	mf_arena_clear(&t->names);
}

/* ---- one team */

static int read_keys(struct mf_image *im, const json_t *o, const char *dir, const json_t *names,
		     struct team *team, struct mf_err *err)
{
	const char **keys MF_FREE = NULL;
	size_t n = 0;
	if (mf_json_get_strs(o, "keys", MF_JSON_REQUIRED, MF_MAX_SIGNATURES, &keys, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *named = json_string_value(json_object_get(names, keys[i]));
		if (mf_role_key_add(im, named ? named : keys[i], dir, &team->keys, err) < 0)
			return -1;
	}
	return 0;
}

static int read_team(struct mf_image *im, struct teams *t, const char *name, const json_t *o, bool force,
		     struct mf_err *err)
{
	static const char *const members[] = {"types", "keys", "threshold", NULL};
	struct team *team = &t->v[t->n++];
	struct mf_role_request *r = &t->requests[t->nrequests++];
	int64_t threshold = 1;
	if (mf_json_check_members(o, members, err) < 0 ||
	    mf_json_get_int(o, "threshold", MF_JSON_OPTIONAL, 1, MF_MAX_SIGNATURES, &threshold, err) < 0 ||
	    mf_json_get_strs(o, "types", MF_JSON_REQUIRED, MAX_TYPES, &team->types, &team->ntypes, err) < 0 ||
	    read_keys(im, o, t->dir, t->key_names, team, err) < 0)
		return -1;
	*r = (struct mf_role_request){.verb = MF_ROLE_SET,
				      .role = name,
				      .keys = team->keys.v,
				      .nkeys = team->keys.n,
				      .types = team->types,
				      .ntypes = team->ntypes,
				      .threshold = threshold,
				      .force = force};
	return 0;
}

/* ---- the file */

static int read_file(struct teams *t, const char *path, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	const char *slash = strrchr(path, '/');
	if (mf_file_read(path, MF_MAX_CONFIG_BYTES, &text, err) < 0)
		return err->code == MF_E_NOT_FOUND ? mf_recode(err, MF_E_USAGE) : -1;
	t->dir = mf_str_dup(slash ? (struct mf_str){path, (size_t)(slash - path) + 1} : MF_STR("."));
	if (!t->dir)
		return mf_fail_nomem(err);
	t->tree = mf_json_load_written(mf_buf_bytes(&text), MF_MAX_CONFIG_BYTES, err);
	return t->tree ? 0 : -1;
}

/* For `others: remove`: adds a request to remove each role that the file does not name. `releases` and names
 * that begin with '_' have a special meaning and stay. */
static int drop_others(struct mf_image *im, struct teams *t, bool force, struct mf_err *err)
{
	const struct mf_tuf_file *f = mf_trust_set(im->trust)->roles[0]->file;
	struct mf_role_request *more = mf_calloc(t->nrequests + f->nroles, sizeof *more);
	if (!more)
		return mf_fail_nomem(err);
	if (t->nrequests)
		memcpy(more, t->requests, t->nrequests * sizeof *more);
	free(t->requests);
	t->requests = more;
	for (size_t i = 0; i < f->nroles; i++) {
		const char *name = f->roles[i].name;
		bool named = mf_role_is(name, "releases") || strchr(name, '_') == name ||
			     strncmp(name, "targets/_", 9) == 0;
		for (size_t k = 0; k < t->nrequests && !named; k++)
			named = mf_role_is(name, t->requests[k].role);
		if (named)
			continue;
		const char *copy = mf_arena_dup(&t->names, mf_str_c(name), err);
		if (!copy)
			return -1;
		t->requests[t->nrequests++] =
		    (struct mf_role_request){.verb = MF_ROLE_DROP, .role = copy, .force = force};
	}
	return 0;
}

static int read_others(const json_t *tree, bool *remove, struct mf_err *err)
{
	const char *others = "keep";
	if (mf_json_get_str(tree, "others", MF_JSON_OPTIONAL, &others, err) < 0)
		return -1;
	*remove = strcmp(others, "remove") == 0;
	return *remove || strcmp(others, "keep") == 0
		   ? 0
		   : mf_fail(err, MF_E_FORMAT, 0, "'others' must be 'keep' or 'remove'");
}

static int read_teams(struct mf_image *im, struct teams *t, bool force, struct mf_err *err)
{
	static const char *const members[] = {"$schema", "schema", "description", "others",
					      "roles",   "names",  NULL};
	const char *schema, *name;
	json_t *roles, *role;
	bool remove;
	if (mf_json_get_str(t->tree, "schema", MF_JSON_REQUIRED, &schema, err) < 0 ||
	    mf_json_check_members(t->tree, members, err) < 0 || read_others(t->tree, &remove, err) < 0 ||
	    mf_json_get_obj(t->tree, "roles", MF_JSON_REQUIRED, &roles, err) < 0 ||
	    mf_json_get_obj(t->tree, "names", MF_JSON_OPTIONAL, &t->key_names, err) < 0 ||
	    mf_pin_add_names(im->m->opt.home, t->key_names, MF_PIN_NAMES_CHECK, im->m->keys, &im->m->env,
			     err) < 0)
		return -1;
	if (strcmp(schema, SCHEMA) != 0)
		return mf_fail(err, MF_E_FORMAT, 0, "'schema' is not " SCHEMA);
	if (json_object_size(roles) > MAX_TEAMS)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d roles", MAX_TEAMS);
	t->v = mf_calloc(json_object_size(roles), sizeof *t->v);
	t->requests = mf_calloc(json_object_size(roles), sizeof *t->requests);
	if (!t->v || !t->requests)
		return mf_fail_nomem(err);
	json_object_foreach(roles, name, role)
	{
		struct mf_esc e;
		if (read_team(im, t, name, role, force, err) < 0)
			return mf_wrap(err, "role '%s'", mf_esc(&e, mf_str_c(name)));
	}
	return remove ? drop_others(im, t, force, err) : 0;
}

static int apply(struct manifesto *m, const char *path, const struct manifesto_role_options *o,
		 struct manifesto_role_result *out, struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct teams t MF_CLEANUP(teams_clear) = {.names = MF_ARENA_INIT};
	struct mf_esc e;
	if (mf_image_open(&im, m, o->image, err) < 0 || mf_role_load(&im, NULL, err) < 0)
		return -1;
	if (read_file(&t, path, err) < 0 || read_teams(&im, &t, o->force != 0, err) < 0) {
		if (err->code == MF_E_FORMAT)
			(void)mf_recode(err, MF_E_USAGE);
		return mf_wrap(err, "'%s'", mf_esc(&e, mf_str_c(path)));
	}
	struct mf_role_change c = {
	    .requests = t.requests, .n = t.nrequests, .image = o->image, .dry_run = o->dry_run != 0};
	if (mf_role_run(&im, &c, out, err) < 0)
		return -1;
	return c.dry_run
		   ? 0
		   : mf_pin_add_names(m->opt.home, t.key_names, MF_PIN_NAMES_STORE, m->keys, &m->env, err);
}

int manifesto_role_apply(struct manifesto *m, const char *path, const struct manifesto_role_options *opt,
			 const struct manifesto_role_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_role_options o;
	struct manifesto_role_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = r ? apply(m, path, &o, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}
