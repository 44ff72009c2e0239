/* trust init, show, pin, export, import. */
#include <stdio.h>

#include "base/encode.h"
#include "ops/ops.h"
#include "publish/publish.h"
#include "tuf/tuf.h"

static int report_role(struct manifesto *m, const struct mf_tuf_role *role, const struct mf_tuf_file *file,
		       struct mf_arena *a, struct manifesto_trust_role *out, struct mf_err *err)
{
	const char **paths = mf_arena_alloc(a, role->npaths, sizeof(char *), err);
	if (!paths)
		return -1;
	for (size_t i = 0; i < role->npaths; i++) {
		paths[i] = mf_arena_dup(a, role->paths[i], err);
		if (!paths[i])
			return -1;
	}
	*out =
	    (struct manifesto_trust_role){.version = file ? file->version : 0,
					  .expires = file ? file->expires : 0,
					  .threshold = (int)(role->threshold > 1000 ? 1000 : role->threshold),
					  .paths = paths,
					  .npaths = role->npaths};
	out->name = mf_arena_dup(a, mf_str_c(role->name), err);
	return out->name ? mf_report_role_keys(m, role, a, &out->keys, &out->nkeys, err) : -1;
}

int mf_report_roles(struct manifesto *m, const struct mf_tuf_set *set, struct mf_arena *a,
		    const struct manifesto_trust_role **out, size_t *nout, struct mf_err *err)
{
	size_t n = MF_TUF_TYPES, at = 0;
	for (size_t i = 0; i < set->nroles; i++)
		n += set->roles[i]->file->nroles;
	struct manifesto_trust_role *v = mf_arena_alloc(a, n, sizeof *v, err);
	if (!v)
		return -1;
	const struct mf_tuf_file *top[MF_TUF_TYPES] = {set->root, set->timestamp, set->snapshot,
						       set->roles[0]->file};
	for (size_t i = 0; i < MF_TUF_TYPES; i++)
		if (report_role(m, &set->root->roles[i], top[i], a, &v[at++], err) < 0)
			return -1;
	for (size_t i = 0; i < set->nroles; i++)
		for (size_t j = 0; j < set->roles[i]->file->nroles; j++) {
			const struct mf_tuf_role *role = &set->roles[i]->file->roles[j];
			const struct mf_tuf_loaded *l = mf_tuf_set_find(set, role->name);
			if (report_role(m, role, l ? l->file : NULL, a, &v[at++], err) < 0)
				return -1;
		}
	*out = v;
	*nout = n;
	return 0;
}

static int report_pin(struct manifesto *m, const char *pin_name, struct manifesto_trust_result *out,
		      struct mf_err *err)
{
	struct mf_pin pin MF_PIN_CLEANUP = {0};
	struct mf_arena *a = &out->arena->a;
	if (mf_pin_find(m->opt.home, pin_name, &pin, err) < 0)
		return -1;
	if (!pin.found)
		return 0;
	const char **v = mf_arena_alloc(a, pin.n, sizeof(char *), err);
	for (size_t i = 0; v && i < pin.n; i++) {
		v[i] = mf_report_hex(&pin.fingerprints[i], a, err);
		if (!v[i])
			return -1;
	}
	out->pinned = v;
	out->npinned = pin.n;
	out->pin_threshold = (int)pin.threshold;
	out->pin_source = mf_arena_printf(a, err, "%s/trust.json: %s", m->opt.home, pin.pattern);
	return v && out->pin_source ? 0 : -1;
}

static int report_head(struct mf_image *im, struct manifesto_trust_result *out, struct mf_err *err)
{
	struct mf_arena *a = &out->arena->a;
	out->gun = mf_arena_dup(a, mf_str_c(mf_trust_pin_name(im->trust)), err);
	out->where = out->gun ? mf_arena_dup(a, mf_str_c(mf_trust_where(im->trust)), err) : NULL;
	out->dialect = mf_trust_dialect(im->trust)->name;
	return out->where ? report_pin(im->m, mf_trust_pin_name(im->trust), out, err) : -1;
}

static int report_made(const struct mf_publish_made *made, struct manifesto_trust_result *out,
		       struct mf_err *err)
{
	const char **v = mf_arena_alloc(&out->arena->a, made->nkeys, sizeof(char *), err);
	for (size_t i = 0; v && i < made->nkeys; i++) {
		v[i] = mf_arena_dup(&out->arena->a, mf_str_c(made->keys[i]), err);
		if (!v[i])
			return -1;
	}
	out->keys_made = v;
	out->nkeys_made = made->nkeys;
	return v ? 0 : -1;
}

static int report(struct mf_image *im, struct manifesto_trust_result *out, struct mf_err *err)
{
	out->tofu = mf_trust_was_tofu(im->trust);
	if (report_head(im, out, err) < 0)
		return -1;
	return mf_report_roles(im->m, mf_trust_set(im->trust), &out->arena->a, &out->roles, &out->nroles,
			       err);
}

static int show(struct mf_image *im, struct manifesto_trust_result *out, struct mf_err *err)
{
	return mf_trust_load(im->trust, &(struct mf_load){0}, err) < 0 ? -1 : report(im, out, err);
}

static int init(struct mf_image *im, struct manifesto_trust_result *out, struct mf_err *err)
{
	struct mf_publish_made made = {.arena = MF_ARENA_INIT};
	int rc = mf_publish_first(im->trust, &made, err);
	if (rc == 0) {
		out->initialised = 1;
		rc = report_made(&made, out, err) < 0 ? -1 : report(im, out, err);
	}
	mf_arena_clear(&made.arena);
	return rc;
}

static int run(struct manifesto *m, const char *image,
	       int (*what)(struct mf_image *im, struct manifesto_trust_result *out, struct mf_err *err),
	       struct manifesto_trust_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_trust_result r = {.size = sizeof r, .arena = NULL};
	mf_op_begin(m, error);
	r.arena = mf_op_arena(&err);
	if (!r.arena || mf_image_open(&im, m, image, &err) < 0 || what(&im, &r, &err) < 0) {
		manifesto_trust_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

int manifesto_trust_init(struct manifesto *m, const char *image, struct manifesto_trust_result *out,
			 struct manifesto_error *error)
{
	return run(m, image, init, out, error);
}

int manifesto_trust_show(struct manifesto *m, const char *image, struct manifesto_trust_result *out,
			 struct manifesto_error *error)
{
	return run(m, image, show, out, error);
}

/* ---- pin */

struct anchors {
	struct mf_digest fps[MF_MAX_SIGNATURES];
	size_t n;
	int64_t threshold;
	bool file;
};

static bool is_fingerprint(const char *text, struct mf_digest *out)
{
	return mf_hex_decode(out->b, sizeof out->b, mf_str_c(text)) == 0;
}

static int read_anchor(struct manifesto *m, const struct mf_dialect *d, const char *gun, const char *text,
		       struct anchors *out, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (out->file || (out->n == MF_MAX_SIGNATURES))
		return mf_fail(err, MF_E_USAGE, 0,
			       out->file ? "one root file, or fingerprints" : "too many fingerprints");
	if (is_fingerprint(text, &out->fps[out->n])) {
		out->n++;
		return 0;
	}
	if (out->n)
		return mf_fail(err, MF_E_USAGE, 0, "one root file, or fingerprints");
	out->file = true;
	if (mf_file_read(text, MF_MAX_ROOT_BYTES, &bytes, err) < 0) {
		(void)mf_recode(err, MF_E_USAGE);
		return mf_wrap(err, "neither a fingerprint (64 lower-case hex digits) nor a root file");
	}
	if (mf_pin_from_root(d, gun, mf_env_now(&m->env), mf_buf_bytes(&bytes), out->fps, &out->n,
			     &out->threshold, err) < 0) {
		struct mf_esc e;
		return mf_wrap(err, "root file '%s'", mf_esc(&e, mf_str_c(text)));
	}
	return 0;
}

/* A pin that is replaced is told: whoever did it by mistake can put it back. */
static int tell_replaced(struct manifesto *m, const char *pattern, const struct anchors *a,
			 struct mf_err *err)
{
	struct mf_pin old MF_PIN_CLEANUP = {0};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_SIGNATURES * 80);
	if (mf_pin_find(m->opt.home, pattern, &old, err) < 0)
		return -1;
	bool same = old.n == a->n && old.threshold == a->threshold;
	for (size_t i = 0; i < old.n; i++) {
		char hex[65];
		mf_digest_hex(hex, &old.fingerprints[i]);
		same = same && mf_digest_eq(&old.fingerprints[i], &a->fps[i]);
		if (mf_buf_printf(&text, err, " %s", hex) < 0)
			return -1;
	}
	if (old.exact && !same)
		mf_env_log(&m->env, MF_LOG_WARNING, "the pin of '%s' is replaced; it was%s, %lld of them",
			   pattern, old.ca ? " a CA" : mf_buf_str(&text).p, (long long)old.threshold);
	return 0;
}

static int store_pin(struct manifesto *m, const char *pattern, const struct mf_dialect *d, const char *gun,
		     const char *const *anchors, size_t n, int threshold, struct mf_err *err)
{
	struct anchors a = {.threshold = 1};
	if (!n)
		return mf_fail(err, MF_E_USAGE, 0, "nothing to pin");
	for (size_t i = 0; i < n; i++)
		if (read_anchor(m, d, gun, anchors[i], &a, err) < 0)
			return -1;
	if (threshold > 0)
		a.threshold = threshold;
	if (a.threshold > (int64_t)a.n)
		return mf_fail(err, MF_E_USAGE, 0, "threshold %lld of %zu fingerprints",
			       (long long)a.threshold, a.n);
	if (tell_replaced(m, pattern, &a, err) < 0)
		return -1;
	return mf_pin_store(m->opt.home, pattern, a.fps, a.n, a.threshold, &m->env, err);
}

/* A prefix "registry/team/" + "*": no image to open. */
static int pin_prefix(struct manifesto *m, const char *pattern, const char *const *anchors, size_t n,
		      int threshold, struct manifesto_trust_result *out, struct mf_err *err)
{
	char gun[MF_MAX_GUN + 1];
	(void)snprintf(gun, sizeof gun, "%.*s", (int)strlen(pattern) - 1, pattern);
	const struct mf_dialect *d = strncmp(pattern, "oci:", 4) == 0 ? &mf_dialect_tuf1 : &mf_dialect_notary;
	out->gun = mf_arena_dup(&out->arena->a, mf_str_c(pattern), err);
	if (!out->gun || store_pin(m, pattern, d, gun, anchors, n, threshold, err) < 0)
		return -1;
	return report_pin(m, pattern, out, err);
}

static int pin_image(struct manifesto *m, const char *image, const char *const *anchors, size_t n,
		     int threshold, struct manifesto_trust_result *out, struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	if (mf_image_open(&im, m, image, err) < 0 ||
	    store_pin(m, mf_trust_pin_name(im.trust), mf_trust_dialect(im.trust), mf_trust_gun(im.trust),
		      anchors, n, threshold, err) < 0)
		return -1;
	return report_head(&im, out, err);
}

int manifesto_trust_pin(struct manifesto *m, const char *image, const char *const *anchors, size_t n,
			int threshold, struct manifesto_trust_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_trust_result r = {.size = sizeof r, .arena = NULL};
	size_t len = strlen(image);
	mf_op_begin(m, error);
	r.arena = mf_op_arena(&err);
	int rc = r.arena ? 0 : -1;
	if (rc == 0)
		rc = len && image[len - 1] == '*' ? pin_prefix(m, image, anchors, n, threshold, &r, &err)
						  : pin_image(m, image, anchors, n, threshold, &r, &err);
	if (rc < 0) {
		manifesto_trust_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

void manifesto_trust_result_clear(struct manifesto_trust_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_trust_result){.size = sizeof *r};
}

/* ---- pins for other machines */

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
