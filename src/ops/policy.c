/* policy check: what a policy file asks for, in words. */
#include "ops/gate.h"

static int add_line(struct manifesto_policy_result *out, const char **lines, struct mf_buf *b,
		    struct mf_err *err)
{
	lines[out->nlines] = mf_arena_dup(&out->arena->a, mf_buf_str(b), err);
	mf_buf_reset(b);
	return lines[out->nlines++] ? 0 : -1;
}

static int add_veto(const struct mf_rules *r, struct manifesto_policy_result *out, const char **lines,
		    struct mf_buf *b, struct mf_err *err)
{
	for (size_t i = 0; i < r->nveto; i++)
		if (mf_buf_printf(b, err, "no withdrawal by role %s, of whatever type it may sign",
				  r->veto[i]) < 0 ||
		    add_line(out, lines, b, err) < 0)
			return -1;
	return 0;
}

static int describe(const struct mf_rules *r, struct manifesto_policy_result *out, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_arena *a = &out->arena->a;
	const char **lines = mf_arena_alloc(a, r->n + r->nveto + 2, sizeof *lines, err);
	out->lines = lines;
	if (!lines)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if (mf_requirement_words(&r->v[i], &b, err) < 0 || add_line(out, lines, &b, err) < 0)
			return -1;
	if (r->forbid_tags && (mf_buf_addz(&b, "a reference that names a digest, not a tag", err) < 0 ||
			       add_line(out, lines, &b, err) < 0))
		return -1;
	if (add_veto(r, out, lines, &b, err) < 0)
		return -1;
	if (r->has_waiver &&
	    (mf_buf_addz(&b, "in place of a requirement: an unexpired ", err) < 0 ||
	     mf_requirement_words(&r->waiver, &b, err) < 0 || add_line(out, lines, &b, err) < 0))
		return -1;
	out->name = r->name ? mf_arena_dup(a, mf_str_c(r->name), err) : NULL;
	return r->name && !out->name ? -1 : 0;
}

int manifesto_policy_check(const char *path, struct manifesto_policy_result *out,
			   struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules rules MF_RULES_CLEANUP = {0};
	struct manifesto_policy_result r = {.size = sizeof r};
	struct manifesto_verify_options o = {.policy_path = path};
	*error = (struct manifesto_error){0};
	r.arena = mf_op_arena(&err);
	if (!r.arena || mf_verify_rules(&rules, &o, &err) < 0 || describe(&rules, &r, &err) < 0) {
		manifesto_policy_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

void manifesto_policy_result_clear(struct manifesto_policy_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_policy_result){.size = sizeof *r};
}
