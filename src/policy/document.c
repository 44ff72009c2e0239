#include "policy/document.h"

#include "base/encode.h"
#include "policy/policy.h"

/* ---- members */

/* Reads a text of 1 to MF_MAX_WAIVER_TEXT octets. If it is absent, *out is unchanged. */
static int get_text(json_t *o, const char *name, enum mf_json_need need, struct mf_arena *a, const char **out,
		    struct mf_err *err)
{
	const char *text = NULL;
	if (mf_json_get_str(o, name, need, &text, err) < 0)
		return -1;
	if (!text)
		return 0;
	if (!*text || strlen(text) > MF_MAX_WAIVER_TEXT)
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' is empty or longer than %zu bytes", name,
			       MF_MAX_WAIVER_TEXT);
	*out = mf_arena_dup(a, mf_str_c(text), err);
	return *out ? 0 : -1;
}

static int get_duration(json_t *o, const char *name, int64_t *out, struct mf_err *err)
{
	const char *text = NULL;
	struct mf_esc e;
	if (mf_json_get_str(o, name, MF_JSON_OPTIONAL, &text, err) < 0)
		return -1;
	if (text && mf_duration_parse(mf_str_c(text), out) < 0)
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' is '%s', expected a duration such as 12h or 30d",
			       name, mf_esc(&e, mf_str_c(text)));
	return 0;
}

/* Reads a list of strings, and checks each. A list that is present has at least one. */
static int get_list(json_t *o, const char *name, enum mf_json_need need, size_t max,
		    int (*check)(struct mf_str, struct mf_err *), struct mf_arena *a, const char ***out,
		    size_t *n, struct mf_err *err)
{
	const char **texts MF_FREE = NULL;
	size_t ntexts = 0;
	if (mf_json_get_strs(o, name, need, max, &texts, &ntexts, err) < 0)
		return -1;
	if (!texts)
		return 0;
	const char **v = mf_arena_alloc(a, ntexts, sizeof *v, err);
	if (!v)
		return -1;
	for (size_t i = 0; i < ntexts; i++)
		if (check(mf_str_c(texts[i]), err) < 0 || !(v[i] = mf_arena_dup(a, mf_str_c(texts[i]), err)))
			return -1;
	*out = v;
	*n = ntexts;
	return 0;
}

static int get_roles(json_t *o, const char *name, enum mf_json_need need, struct mf_arena *a,
		     const char ***out, size_t *n, struct mf_err *err)
{
	if (get_list(o, name, need, MF_MAX_POLICY_ROLES, mf_role_name_check, a, out, n, err) < 0)
		return -1;
	return mf_role_list_check(*out, *n, err);
}

/* ---- policy */

static int check_pattern(struct mf_str s, struct mf_err *err)
{
	struct mf_esc e;
	const char *star = s.n ? memchr(s.p, '*', s.n) : NULL;
	bool good =
	    s.n && s.n <= MF_MAX_GUN && (!star || (star == s.p + s.n - 1 && s.n > 1 && star[-1] == '/'));
	return good ? 0
		    : mf_fail(err, MF_E_FORMAT, 0,
			      "expected a repository, or NAME/* for all below it, got '%s'", mf_esc(&e, s));
}

static int get_fingerprints(json_t *o, const char *name, struct mf_arena *a, struct mf_requirement *q,
			    struct mf_err *err)
{
	const char **texts MF_FREE = NULL;
	struct mf_esc e;
	size_t n = 0;
	if (mf_json_get_strs(o, name, MF_JSON_REQUIRED, MF_MAX_SIGNATURES, &texts, &n, err) < 0)
		return -1;
	q->original_keys = mf_arena_alloc(a, n, sizeof *q->original_keys, err);
	if (!q->original_keys)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (mf_hex_decode(q->original_keys[i].b, 32, mf_str_c(texts[i])) < 0)
			return mf_fail(err, MF_E_FORMAT, 0,
				       "expected a fingerprint of 64 hexadecimal digits, got '%s'",
				       mf_esc(&e, mf_str_c(texts[i])));
		for (size_t j = 0; j < i; j++)
			if (mf_digest_eq(&q->original_keys[i], &q->original_keys[j]))
				return mf_fail(err, MF_E_FORMAT, 0, "a fingerprint occurs twice");
	}
	q->noriginal_keys = n;
	return 0;
}

/* Reads `original`: who must have signed the originals of a promoted record. */
static int read_original(struct mf_rules *r, json_t *requirement, struct mf_requirement *q,
			 struct mf_err *err)
{
	static const char *const members[] = {"keys", "signers", "repositories", NULL};
	json_t *o = NULL;
	q->original_signers = 1;
	if (mf_json_get_obj(requirement, "original", MF_JSON_OPTIONAL, &o, err) < 0)
		return -1;
	if (!o)
		return 0;
	if (mf_json_check_members(o, members, err) < 0 ||
	    get_fingerprints(o, "keys", &r->arena, q, err) < 0 ||
	    get_list(o, "repositories", MF_JSON_OPTIONAL, MF_MAX_POLICY_ROLES, check_pattern, &r->arena,
		     &q->original_repositories, &q->noriginal_repositories, err) < 0 ||
	    mf_json_get_int(o, "signers", MF_JSON_OPTIONAL, 1, MF_MAX_SIGNATURES, &q->original_signers, err) <
		0)
		return mf_wrap(err, "'original'");
	if ((size_t)q->original_signers > q->noriginal_keys)
		return mf_fail(err, MF_E_FORMAT, 0, "'original' asks for %lld signers and names %zu keys",
			       (long long)q->original_signers, q->noriginal_keys);
	return 0;
}

static int get_where(json_t *o, struct mf_arena *a, struct mf_requirement *q, struct mf_err *err)
{
	const char *program = NULL;
	if (mf_json_get_str(o, "where", MF_JSON_OPTIONAL, &program, err) < 0)
		return -1;
	return program ? mf_requirement_where(a, q, mf_str_c(program), err) : 0;
}

static int read_requirement(struct mf_rules *r, json_t *o, struct mf_err *err)
{
	static const char *const members[] = {"type",      "roles",    "signers", "maxAge",
					      "mediaType", "original", "where",   NULL};
	struct mf_requirement q = {.signers = 1};
	if (mf_json_check_members(o, members, err) < 0 ||
	    get_text(o, "type", MF_JSON_REQUIRED, &r->arena, &q.type, err) < 0 ||
	    mf_record_type_check(mf_str_c(q.type), err) < 0 ||
	    get_roles(o, "roles", MF_JSON_OPTIONAL, &r->arena, &q.roles, &q.nroles, err) < 0 ||
	    mf_json_get_int(o, "signers", MF_JSON_OPTIONAL, 1, MF_MAX_SIGNATURES, &q.signers, err) < 0 ||
	    get_duration(o, "maxAge", &q.max_age_s, err) < 0 ||
	    get_text(o, "mediaType", MF_JSON_OPTIONAL, &r->arena, &q.media_type, err) < 0 ||
	    read_original(r, o, &q, err) < 0 || get_where(o, &r->arena, &q, err) < 0)
		return -1;
	return mf_rules_add(r, &q, err);
}

static int read_requirements(struct mf_rules *r, json_t *doc, struct mf_err *err)
{
	json_t *list = NULL, *item;
	size_t i;
	if (mf_json_get_arr(doc, "require", MF_JSON_REQUIRED, &list, err) < 0)
		return -1;
	if (!json_array_size(list))
		return mf_fail(err, MF_E_FORMAT, 0, "'require' is empty: the policy would accept everything");
	json_array_foreach(list, i, item) if (read_requirement(r, item, err) <
					      0) return mf_wrap(err, "requirement %zu", i + 1);
	return 0;
}

static int read_distinct(struct mf_rules *r, json_t *doc, struct mf_err *err)
{
	if (get_list(doc, "distinct", MF_JSON_OPTIONAL, MF_MAX_REQUIREMENTS, mf_record_type_check, &r->arena,
		     &r->distinct, &r->ndistinct, err) < 0)
		return -1;
	return mf_distinct_check(r->distinct, r->ndistinct, err);
}

static int read_tags(struct mf_rules *r, json_t *doc, struct mf_err *err)
{
	const char *tags = "allow";
	if (mf_json_get_str(doc, "tags", MF_JSON_OPTIONAL, &tags, err) < 0)
		return -1;
	r->forbid_tags = strcmp(tags, "forbid") == 0;
	if (r->forbid_tags || strcmp(tags, "allow") == 0)
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "'tags' must be 'allow' or 'forbid'");
}

static int read_waivers(struct mf_rules *r, json_t *doc, struct mf_err *err)
{
	static const char *const members[] = {"roles", "signers", NULL};
	json_t *o = NULL;
	r->waiver = (struct mf_requirement){.type = MF_TYPE_WAIVER, .signers = 1};
	if (mf_json_get_obj(doc, "waivers", MF_JSON_OPTIONAL, &o, err) < 0)
		return -1;
	if (!o)
		return 0;
	if (mf_json_check_members(o, members, err) < 0 ||
	    get_roles(o, "roles", MF_JSON_REQUIRED, &r->arena, &r->waiver.roles, &r->waiver.nroles, err) <
		0 ||
	    mf_json_get_int(o, "signers", MF_JSON_OPTIONAL, 1, MF_MAX_SIGNATURES, &r->waiver.signers, err) <
		0)
		return mf_wrap(err, "'waivers'");
	r->has_waiver = true;
	return 0;
}

static int read_policy(struct mf_rules *r, json_t *doc, struct mf_err *err)
{
	static const char *const members[] = {"$schema", "version", "name",    "require",  "maxAge",
					      "veto",    "tags",    "waivers", "distinct", NULL};
	const char *schema = NULL;
	int64_t version, max_age_s = 0;
	if (mf_json_check_members(doc, members, err) < 0 ||
	    mf_json_get_int(doc, "version", MF_JSON_REQUIRED, 1, 1, &version, err) < 0 ||
	    mf_json_get_str(doc, "$schema", MF_JSON_OPTIONAL, &schema, err) < 0 ||
	    get_text(doc, "name", MF_JSON_OPTIONAL, &r->arena, &r->name, err) < 0 ||
	    read_requirements(r, doc, err) < 0 || get_duration(doc, "maxAge", &max_age_s, err) < 0 ||
	    get_roles(doc, "veto", MF_JSON_OPTIONAL, &r->arena, &r->veto, &r->nveto, err) < 0 ||
	    read_distinct(r, doc, err) < 0 || read_tags(r, doc, err) < 0 || read_waivers(r, doc, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if (!r->v[i].max_age_s) /* a limit of its own takes precedence */
			r->v[i].max_age_s = max_age_s;
	return 0;
}

int mf_rules_parse(struct mf_rules *r, struct mf_bytes doc, struct mf_err *err)
{
	json_t *tree MF_JSON_CLEANUP = mf_json_load_written(doc, MF_MAX_POLICY_BYTES, err);
	if (tree && read_policy(r, tree, err) == 0)
		return 0;
	/* The policy is the user's own file: an error in it is a mistake, not an attack. */
	return err->code == MF_E_FORMAT ? mf_recode(err, MF_E_USAGE) : -1;
}

/* ---- waiver */

void mf_waiver_clear(struct mf_waiver *w)
{
	mf_arena_clear(&w->arena);
	*w = (struct mf_waiver){0};
}

static int read_waiver(struct mf_waiver *w, json_t *doc, struct mf_err *err)
{
	static const char *const members[] = {"version", "name", "waives", "for", "until", "reason", NULL};
	const char *until = NULL;
	int64_t version;
	if (mf_json_check_members(doc, members, err) < 0 ||
	    mf_json_get_int(doc, "version", MF_JSON_REQUIRED, 1, 1, &version, err) < 0 ||
	    get_text(doc, "name", MF_JSON_REQUIRED, &w->arena, &w->name, err) < 0 ||
	    get_list(doc, "waives", MF_JSON_REQUIRED, MF_MAX_REQUIREMENTS, mf_record_type_check, &w->arena,
		     &w->waives, &w->nwaives, err) < 0 ||
	    get_text(doc, "for", MF_JSON_REQUIRED, &w->arena, &w->granted_to, err) < 0 ||
	    get_text(doc, "reason", MF_JSON_OPTIONAL, &w->arena, &w->reason, err) < 0 ||
	    mf_json_get_str(doc, "until", MF_JSON_REQUIRED, &until, err) < 0)
		return -1;
	return mf_time_parse_written(mf_str_c(until), &w->until, err);
}

int mf_waiver_parse(struct mf_waiver *out, struct mf_bytes doc, struct mf_err *err)
{
	struct mf_waiver w MF_WAIVER_CLEANUP = {0};
	json_t *tree MF_JSON_CLEANUP = mf_json_load_written(doc, MF_MAX_WAIVER_BYTES, err);
	if (!tree || read_waiver(&w, tree, err) < 0)
		return err->code == MF_E_USAGE ? mf_recode(err, MF_E_FORMAT) : -1;
	*out = w;
	w = (struct mf_waiver){0};
	return 0;
}

bool mf_waiver_names(const struct mf_waiver *w, const char *type)
{
	for (size_t i = 0; i < w->nwaives; i++)
		if (strcmp(w->waives[i], type) == 0)
			return true;
	return false;
}
