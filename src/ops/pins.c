/* trust export, trust import. */
#include "ops/ops.h"

int manifesto_trust_export(struct manifesto *m, const char *const *patterns, size_t n,
			   struct manifesto_trust_export_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_trust_export_result r = {.size = sizeof r};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES * 2);
	mf_op_begin(m, error);
	r.arena = mf_op_arena(&err);
	if (r.arena && mf_pin_export(m->opt.home, patterns, n, &text, &err) == 0)
		r.json = mf_arena_dup(&r.arena->a, mf_buf_str(&text), &err);
	r.length = text.n;
	if (!r.json) {
		manifesto_trust_export_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

void manifesto_trust_export_result_clear(struct manifesto_trust_export_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_trust_export_result){.size = sizeof *r};
}

/* Patterns by what happens to them. */
struct changes {
	struct mf_arena *a;
	const char **v[2]; /* added, replaced */
	size_t n[2], cap[2], nsame;
};

static void changes_clear(struct changes *c)
{
	free(c->v[0]);
	free(c->v[1]);
}

static int note(void *arg, const char *pattern, enum mf_pin_change what, struct mf_err *err)
{
	struct changes *c = arg;
	size_t k = what == MF_PIN_REPLACED;
	if (what == MF_PIN_SAME) {
		c->nsame++;
		return 0;
	}
	if (mf_grow((void **)&c->v[k], &c->cap[k], c->n[k], sizeof(char *), err) < 0)
		return -1;
	c->v[k][c->n[k]] = mf_arena_dup(c->a, mf_str_c(pattern), err);
	return c->v[k][c->n[k]++] ? 0 : -1;
}

static const char *const *keep(struct changes *c, size_t k, struct mf_err *err)
{
	const char **v = mf_arena_alloc(c->a, c->n[k], sizeof(char *), err);
	if (v && c->n[k])
		memcpy(v, c->v[k], c->n[k] * sizeof(char *));
	return v;
}

static int import(struct manifesto *m, const char *path, bool force,
		  struct manifesto_trust_import_result *out, struct mf_err *err)
{
	struct changes c MF_CLEANUP(changes_clear) = {.a = &out->arena->a};
	struct mf_pin_import in = {.path = path, .replace = force, .each = note, .arg = &c};
	if (mf_pin_import(m->opt.home, &in, &m->env, err) < 0)
		return -1;
	out->added = keep(&c, 0, err);
	out->replaced = out->added ? keep(&c, 1, err) : NULL;
	out->nadded = c.n[0];
	out->nreplaced = c.n[1];
	out->nsame = c.nsame;
	return out->replaced ? 0 : -1;
}

int manifesto_trust_import(struct manifesto *m, const char *path, int force,
			   struct manifesto_trust_import_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_trust_import_result r = {.size = sizeof r};
	mf_op_begin(m, error);
	r.arena = mf_op_arena(&err);
	if (!r.arena || import(m, path, force != 0, &r, &err) < 0) {
		manifesto_trust_import_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

void manifesto_trust_import_result_clear(struct manifesto_trust_import_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_trust_import_result){.size = sizeof *r};
}
