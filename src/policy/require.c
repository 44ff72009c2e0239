#include "policy/require.h"

#include "base/encode.h"
#include "policy/policy.h"

void mf_rules_clear(struct mf_rules *r)
{
	mf_arena_clear(&r->arena);
	free(r->v);
	*r = (struct mf_rules){0};
}

int mf_rules_add(struct mf_rules *r, const struct mf_requirement *q, struct mf_err *err)
{
	if (r->n >= MF_MAX_REQUIREMENTS)
		return mf_fail(err, MF_E_USAGE, 0, "more than %d requirements", MF_MAX_REQUIREMENTS);
	if (mf_grow((void **)&r->v, &r->cap, r->n, sizeof *r->v, err) < 0)
		return -1;
	r->v[r->n++] = *q;
	return 0;
}

void mf_rules_limit_age(struct mf_rules *r, int64_t max_age_s)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->v[i].max_age_s || max_age_s < r->v[i].max_age_s)
			r->v[i].max_age_s = max_age_s;
}

/* ---- names */

int mf_role_name_check(struct mf_str name, struct mf_err *err)
{
	struct mf_esc e;
	bool good = name.n && name.n <= MF_MAX_ROLE_NAME;
	for (size_t i = 0; good && i < name.n; i++)
		good = name.p[i] > ' ' && name.p[i] < 0x7f && name.p[i] != ',';
	return good ? 0 : mf_fail(err, MF_E_USAGE, 0, "invalid role name '%s'", mf_esc(&e, name));
}

int mf_role_list_check(const char *const *roles, size_t n, struct mf_err *err)
{
	if (n > MF_MAX_POLICY_ROLES)
		return mf_fail(err, MF_E_USAGE, 0, "more than %d roles", MF_MAX_POLICY_ROLES);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (mf_role_is(roles[i], roles[j]))
				return mf_fail(err, MF_E_USAGE, 0, "role '%s' is named twice", roles[i]);
	return 0;
}

/* ---- TYPE=M of ROLE,ROLE */

static struct mf_str trim(struct mf_str s)
{
	while (s.n && s.p[0] == ' ')
		s = (struct mf_str){s.p + 1, s.n - 1};
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

/* Splits s at the first c. Without c, *before is all of s, and the result is false. */
static bool cut(struct mf_str s, char c, struct mf_str *before, struct mf_str *behind)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	*before = trim(at ? (struct mf_str){s.p, (size_t)(at - s.p)} : s);
	*behind = at ? (struct mf_str){at + 1, s.n - (size_t)(at - s.p) - 1} : (struct mf_str){"", 0};
	return at != NULL;
}

static int parse_roles(struct mf_arena *a, struct mf_str list, struct mf_requirement *q, struct mf_err *err)
{
	const char *roles[MF_MAX_POLICY_ROLES];
	struct mf_str one;
	bool more = true;
	while (more) {
		more = cut(list, ',', &one, &list);
		if (mf_role_name_check(one, err) < 0)
			return -1;
		if (q->nroles >= MF_MAX_POLICY_ROLES)
			return mf_fail(err, MF_E_USAGE, 0, "more than %d roles", MF_MAX_POLICY_ROLES);
		roles[q->nroles] = mf_arena_dup(a, one, err);
		if (!roles[q->nroles++])
			return -1;
	}
	if (mf_role_list_check(roles, q->nroles, err) < 0)
		return -1;
	q->roles = mf_arena_alloc(a, q->nroles, sizeof *q->roles, err);
	if (!q->roles)
		return -1;
	memcpy(q->roles, roles, q->nroles * sizeof *roles);
	return 0;
}

/* Splits "M of LIST" into M and LIST. False: the text does not have this form. */
static bool parse_count(struct mf_str text, int64_t *m, struct mf_str *list)
{
	size_t digits = 0;
	*m = 0;
	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9' && digits < 4)
		*m = *m * 10 + (text.p[digits++] - '0');
	struct mf_str rest = trim((struct mf_str){text.p + digits, text.n - digits});
	if (!digits || rest.p == text.p + digits || !mf_str_starts(rest, MF_STR("of ")))
		return false;
	*list = (struct mf_str){rest.p + 3, rest.n - 3};
	return true;
}

static int parse_who(struct mf_rules *r, struct mf_str who, struct mf_requirement *q, struct mf_err *err)
{
	struct mf_str list = who;
	if (!parse_count(who, &q->signers, &list)) {
		q->signers = 1;
		if (memchr(who.p, ',', who.n)) {
			(void)mf_fail(err, MF_E_USAGE, 0,
				      "the list of roles does not say how many keys must sign");
			mf_err_set_hint(err, "use '1 of a,b' for one of them, '2 of a,b' for two keys, or "
					     "--require twice for one of each");
			return -1;
		}
	} else if (q->signers < 1 || q->signers > MF_MAX_SIGNATURES) {
		return mf_fail(err, MF_E_USAGE, 0, "the number of signers must be from 1 to %d",
			       MF_MAX_SIGNATURES);
	}
	return parse_roles(&r->arena, list, q, err);
}

int mf_rules_require(struct mf_rules *r, struct mf_str text, struct mf_err *err)
{
	struct mf_requirement q = {.signers = 1};
	struct mf_str type, who;
	struct mf_esc e;
	bool has_roles = cut(text, '=', &type, &who);
	if (mf_record_type_check(type, err) == 0 && (!has_roles || parse_who(r, trim(who), &q, err) == 0)) {
		q.type = mf_arena_dup(&r->arena, type, err);
		return q.type ? mf_rules_add(r, &q, err) : -1;
	}
	if (err->code != MF_E_NOMEM)
		mf_err_set_hint(
		    err,
		    "use TYPE, TYPE=ROLE or 'TYPE=M of ROLE,ROLE', such as 'scan-report=2 of qa,appsec'");
	return mf_wrap(err, "requirement '%s'", mf_esc(&e, text));
}

/* ---- conditions */

int mf_requirement_where(struct mf_arena *a, struct mf_requirement *q, struct mf_str program,
			 struct mf_err *err)
{
	if (!trim(program).n || program.n > MF_MAX_CONDITION)
		return mf_fail(err, MF_E_USAGE, 0, "a condition is empty or longer than %zu bytes",
			       MF_MAX_CONDITION);
	if (q->nwhere >= MF_MAX_CONDITIONS)
		return mf_fail(err, MF_E_USAGE, 0, "more than %d conditions for '%s'", MF_MAX_CONDITIONS,
			       q->type);
	const char **all = mf_arena_more(a, q->where, q->nwhere, sizeof *all, err);
	if (!all)
		return -1;
	q->where = all;
	all[q->nwhere] = mf_arena_dup(a, program, err);
	return all[q->nwhere++] ? 0 : -1;
}

int mf_rules_where(struct mf_rules *r, struct mf_str text, struct mf_err *err)
{
	struct mf_str type, program;
	struct mf_esc e;
	bool required = false, complete = cut(text, '=', &type, &program);
	if (!complete) {
		(void)mf_fail(err, MF_E_USAGE, 0, "the condition '%s' does not name a type",
			      mf_esc(&e, text));
		mf_err_set_hint(err, "use TYPE=PROGRAM, such as 'qa-approval=.decision == \"approved\"'");
		return -1;
	}
	for (size_t i = 0; i < r->n; i++) {
		if (!mf_str_eqz(type, r->v[i].type))
			continue;
		required = true;
		if (mf_requirement_where(&r->arena, &r->v[i], program, err) < 0)
			return -1;
	}
	if (required)
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "the condition is for '%s', which nothing requires",
		      mf_esc(&e, type));
	mf_err_set_hint(err, "require the type, too: --require TYPE");
	return -1;
}

/* ---- four eyes */

int mf_distinct_check(const char *const *types, size_t n, struct mf_err *err)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(types[i], types[j]) == 0)
				return mf_fail(err, MF_E_USAGE, 0, "type '%s' is named twice", types[i]);
	return 0;
}

int mf_rules_distinct(struct mf_rules *r, struct mf_str types, struct mf_err *err)
{
	const char *all[MF_MAX_REQUIREMENTS];
	size_t n = 0;
	bool more = true;
	if (r->ndistinct)
		return mf_fail(err, MF_E_USAGE, 0, "the types whose signers must differ are named twice");
	while (more) {
		struct mf_str type;
		more = cut(types, ',', &type, &types);
		if (mf_record_type_check(type, err) < 0)
			return -1;
		if (n >= MF_MAX_REQUIREMENTS)
			return mf_fail(err, MF_E_USAGE, 0, "more than %d types", MF_MAX_REQUIREMENTS);
		all[n] = mf_arena_dup(&r->arena, type, err);
		if (!all[n++])
			return -1;
	}
	if (mf_distinct_check(all, n, err) < 0)
		return -1;
	r->distinct = mf_arena_alloc(&r->arena, n, sizeof *r->distinct, err);
	if (!r->distinct)
		return -1;
	memcpy(r->distinct, all, n * sizeof *all);
	r->ndistinct = n;
	return 0;
}

bool mf_rules_is_distinct(const struct mf_rules *r, const char *type)
{
	for (size_t i = 0; i < r->ndistinct; i++)
		if (strcmp(r->distinct[i], type) == 0)
			return true;
	return false;
}

int mf_rules_check(const struct mf_rules *r, struct mf_err *err)
{
	size_t together = 0;
	for (size_t i = 0; i < r->ndistinct; i++) {
		size_t before = together;
		for (size_t j = 0; j < r->n; j++)
			together += strcmp(r->v[j].type, r->distinct[i]) == 0;
		if (together == before)
			return mf_fail(
			    err, MF_E_USAGE, 0,
			    "the signers of '%s' must differ from others', and nothing requires it",
			    r->distinct[i]);
	}
	if (r->ndistinct && together < 2)
		return mf_fail(err, MF_E_USAGE, 0,
			       "the signers of '%s' must differ from others', and there are no others",
			       r->distinct[0]);
	return 0;
}

/* ---- words */

static int role_words(const struct mf_requirement *q, struct mf_buf *out, struct mf_err *err)
{
	if (q->signers > 1 && mf_buf_printf(out, err, "%lld keys of ", (long long)q->signers) < 0)
		return -1;
	if (!q->nroles)
		return mf_buf_addz(
		    out, q->signers > 1 ? "the roles that may sign it" : "a role that may sign it", err);
	if (mf_buf_addz(out,
			q->nroles == 1   ? "role "
			: q->signers > 1 ? "the roles "
					 : "one of the roles ",
			err) < 0)
		return -1;
	for (size_t i = 0; i < q->nroles; i++)
		if (mf_buf_printf(out, err, "%s%s", i ? ", " : "", q->roles[i]) < 0)
			return -1;
	return 0;
}

/* Keys are cut to as many digits as people need to distinguish them. */
static int original_words(const struct mf_requirement *q, struct mf_buf *out, struct mf_err *err)
{
	char hex[65];
	struct mf_esc e;
	if (!q->noriginal_keys)
		return 0;
	if (mf_buf_printf(out, err, ", promoted, its original signed by %lld of the keys",
			  (long long)q->original_signers) < 0)
		return -1;
	for (size_t i = 0; i < q->noriginal_keys; i++) {
		mf_digest_hex(hex, &q->original_keys[i]);
		if (mf_buf_printf(out, err, "%s%.16s", i ? ", " : " ", hex) < 0)
			return -1;
	}
	for (size_t i = 0; i < q->noriginal_repositories; i++)
		if (mf_buf_printf(out, err, "%s%s", i ? ", " : " in ",
				  mf_esc(&e, mf_str_c(q->original_repositories[i]))) < 0)
			return -1;
	return 0;
}

int mf_requirement_words(const struct mf_requirement *q, struct mf_buf *out, struct mf_err *err)
{
	char age[MF_DURATION_LEN];
	struct mf_esc e;
	if (mf_buf_printf(out, err, "'%s' signed by ", q->type) < 0 || role_words(q, out, err) < 0)
		return -1;
	if (q->media_type && mf_buf_printf(out, err, ", as '%s'", mf_esc(&e, mf_str_c(q->media_type))) < 0)
		return -1;
	if (original_words(q, out, err) < 0)
		return -1;
	if (q->max_age_s) {
		mf_duration_format(age, q->max_age_s);
		if (mf_buf_printf(out, err, ", at most %s old", age) < 0)
			return -1;
	}
	for (size_t i = 0; i < q->nwhere; i++)
		if (mf_buf_printf(out, err, "%s'%s'", i ? " and " : ", where its content meets ",
				  mf_esc(&e, mf_str_c(q->where[i]))) < 0)
			return -1;
	return 0;
}
