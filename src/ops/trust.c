/* trust init, show, pin, export, import. */
#include <stdio.h>

#include "base/encode.h"
#include "ops/ops.h"
#include "ops/recovery.h"
#include "publish/publish.h"
#include "tuf/tuf.h"

static int report_pin(struct manifesto *m, const char *pin_name, struct manifesto_trust_result *out,
		      struct mf_err *err)
{
	struct mf_pin pin MF_CLEANUP(mf_pin_clear) = {0};
	struct mf_arena *a = mf_result_arena(out);
	if (mf_pin_find(m->opt.home, pin_name, &pin, err) < 0)
		return -1;
	if (!pin.found)
		return mf_arena_check(a, err);
	const char **v = mf_arena_alloc(a, pin.n, sizeof(char *), err);
	if (!v)
		return -1;
	for (size_t i = 0; i < pin.n; i++)
		v[i] = mf_report_hex(a, &pin.fingerprints[i]);
	out->pinned = v;
	out->npinned = pin.n;
	out->pin_threshold = (int)pin.threshold;
	out->pin_source = mf_arena_format(a, "%s/trust.json: %s", m->opt.home, pin.pattern);
	return mf_arena_check(a, err);
}

static int report_head(struct mf_image *im, struct manifesto_trust_result *out, struct mf_err *err)
{
	out->gun = mf_arena_text(mf_result_arena(out), mf_trust_pin_name(im->trust));
	out->where = mf_arena_text(mf_result_arena(out), mf_trust_where(im->trust));
	out->dialect = mf_trust_dialect(im->trust)->name;
	out->map = im->map ? mf_arena_text(mf_result_arena(out), im->map) : NULL;
	return report_pin(im->m, mf_trust_pin_name(im->trust), out, err);
}

static int report_made(const struct mf_publish_made *made, struct manifesto_trust_result *out,
		       struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	const char **v = mf_arena_alloc(a, made->nkeys, sizeof(char *), err);
	if (!v)
		return -1;
	for (size_t i = 0; i < made->nkeys; i++)
		v[i] = mf_arena_text(a, made->keys[i]);
	out->keys_made = v;
	out->nkeys_made = made->nkeys;
	return 0;
}

static int report(struct mf_image *im, struct manifesto_trust_result *out, struct mf_err *err)
{
	out->tofu = mf_trust_was_tofu(im->trust);
	if (report_head(im, out, err) < 0)
		return -1;
	return mf_report_roles(im->m, mf_trust_set(im->trust), mf_result_arena(out), &out->roles,
			       &out->nroles, err);
}

static int report_copied(const struct mf_tuf_file *stamp, struct manifesto_trust_result *out,
			 struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	json_t *versions = NULL;
	const char *dialect = NULL, *root = NULL;
	if (!stamp->copy_of.n)
		return 0;
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_bytes_of(stamp->copy_of), MF_MAX_TIMESTAMP_BYTES, err);
	if (!j || mf_json_get_str(j, "dialect", MF_JSON_REQUIRED, &dialect, err) < 0 ||
	    mf_json_get_str(j, "root", MF_JSON_REQUIRED, &root, err) < 0 ||
	    mf_json_get_obj(j, "versions", MF_JSON_REQUIRED, &versions, err) < 0 ||
	    mf_json_get_int(versions, "root", MF_JSON_REQUIRED, 1, MF_MAX_VERSION, &out->copied_root_version,
			    err) < 0 ||
	    mf_json_get_int(versions, "timestamp", MF_JSON_REQUIRED, 1, MF_MAX_VERSION, &out->copied_version,
			    err) < 0)
		return mf_wrap(err, "'" MF_TUF_COPY_OF "' of the timestamp");
	out->copy_of = mf_arena_text_of(a, stamp->copied_gun);
	out->copied_dialect = mf_arena_text(a, dialect);
	out->copied_root = mf_arena_text(a, root);
	return mf_arena_check(a, err);
}

static int show(struct mf_image *im, struct manifesto_trust_result *out, struct mf_err *err)
{
	if (mf_trust_load(im->trust, &(struct mf_load){0}, err) < 0 ||
	    report_copied(mf_trust_set(im->trust)->timestamp, out, err) < 0)
		return -1;
	return report(im, out, err);
}

static int report_kit(const struct mf_recovery *k, struct manifesto_trust_result *out)
{
	struct mf_digest fp = mf_pubkey_fingerprint(k->key->pub);
	out->recovery = mf_arena_text(mf_result_arena(out), k->dir);
	out->recovery_key = mf_report_hex(mf_result_arena(out), &fp);
	return 0;
}

static int init(struct mf_image *im, struct mf_recovery *kit, struct manifesto_trust_result *out,
		struct mf_err *err)
{
	struct mf_publish_made made = {.arena = MF_ARENA_INIT};
	const struct mf_publish_spare spare = {mf_recovery_make, kit, kit->threshold};
	int rc = mf_publish_first(im->trust, kit->dir ? &spare : NULL, &made, err);
	if (rc == 0) {
		out->initialised = 1;
		rc = report_made(&made, out, err) < 0 || (kit->dir && report_kit(kit, out) < 0)
			 ? -1
			 : report(im, out, err);
	}
	mf_arena_clear(&made.arena);
	return rc;
}

/* If the repository cannot be made after the kit was written, the kit belongs to no repository; the hint says
 * so. */
static int init_with(struct manifesto *m, const struct manifesto_init_options *o,
		     struct manifesto_trust_result *out, struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	int keys = o->root_keys ? o->root_keys : o->recovery ? 2 : 1;
	struct mf_recovery kit = {
	    .im = &im, .dir = o->recovery, .threshold = o->root_threshold ? o->root_threshold : 1};
	if (keys < 1 || keys > 2 || (keys == 2) != (o->recovery != NULL))
		return mf_fail(err, MF_E_USAGE, 0,
			       "expected one root key, or two and a directory for the recovery kit");
	if (kit.threshold < 1 || kit.threshold > keys)
		return mf_fail(err, MF_E_USAGE, 0, "a root of %d keys cannot need %d signatures", keys,
			       kit.threshold);
	if (mf_image_open(&im, m, o->image, err) < 0 ||
	    (o->recovery && mf_recovery_prepare(o->recovery, err) < 0))
		return -1;
	if (init(&im, &kit, out, err) == 0)
		return 0;
	if (kit.key)
		mf_err_set_hint(err,
				"the kit in '%s' belongs to no repository: unless 'manifesto trust show' "
				"shows one, remove it",
				o->recovery);
	return -1;
}

int manifesto_trust_init_with(struct manifesto *m, const struct manifesto_init_options *opt,
			      const struct manifesto_trust_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_init_options o;
	struct manifesto_trust_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = r ? init_with(m, &o, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

int manifesto_trust_init(struct manifesto *m, const char *image, const struct manifesto_trust_result **out,
			 struct manifesto_error *error)
{
	struct manifesto_init_options o = MANIFESTO_INIT(manifesto_init_options);
	o.image = image;
	return manifesto_trust_init_with(m, &o, out, error);
}

int manifesto_trust_show(struct manifesto *m, const char *image, const struct manifesto_trust_result **out,
			 struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	mf_op_begin(m, error);
	struct manifesto_trust_result *r = mf_result_new(sizeof *r, &err);
	int rc = !r || mf_image_open_by(&im, m, image, MF_MAPS_FOLLOW, &err) < 0 ? -1 : show(&im, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}

/* ---- pin */

struct anchors {
	struct mf_digest fps[MF_MAX_SIGNATURES];
	size_t n;
	int64_t threshold;
	bool file;
};

static int read_anchor(struct manifesto *m, const struct mf_dialect *d, const char *gun, const char *text,
		       struct anchors *out, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (out->file || (out->n == MF_MAX_SIGNATURES))
		return mf_fail(err, MF_E_USAGE, 0,
			       out->file ? "expected one root file, or fingerprints"
					 : "too many fingerprints");
	if (mf_fingerprint_parse(&out->fps[out->n], text)) {
		out->n++;
		return 0;
	}
	if (out->n)
		return mf_fail(err, MF_E_USAGE, 0, "expected one root file, or fingerprints");
	out->file = true;
	if (mf_file_read(text, MF_MAX_ROOT_BYTES, &bytes, err) < 0) {
		(void)mf_recode(err, MF_E_USAGE);
		return mf_wrap(err, "neither a fingerprint (64 hexadecimal digits) nor a root file");
	}
	if (mf_pin_from_root(d, gun, mf_env_now(&m->env), mf_bytes_of(mf_str_skip_bom(mf_buf_str(&bytes))),
			     out->fps, &out->n, &out->threshold, err) < 0) {
		struct mf_esc e;
		return mf_wrap(err, "root file '%s'", mf_esc(&e, mf_str_c(text)));
	}
	return 0;
}

/* Logs the pin that is replaced, so that a user who replaced it by mistake can restore it. */
static int warn_replaced(struct manifesto *m, const char *pattern, const struct anchors *a,
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
		mf_env_log(&m->env, MF_LOG_WARNING, "replaced the pin of '%s'; it was%s, %lld of them",
			   pattern, old.ca ? " a CA" : mf_buf_str(&text).p, (long long)old.threshold);
	return 0;
}

/* What is pinned: a pattern, and the GUN and dialect for reading a root file. */
struct place {
	const char *pattern, *gun;
	const struct mf_dialect *dialect;
};

static int store_pin(struct manifesto *m, const struct place *p, const struct manifesto_pin_options *o,
		     struct mf_err *err)
{
	struct anchors a = {.threshold = 1};
	for (size_t i = 0; o->anchors && o->anchors[i]; i++)
		if (read_anchor(m, p->dialect, p->gun, o->anchors[i], &a, err) < 0)
			return -1;
	if (!a.n)
		return mf_fail(err, MF_E_USAGE, 0, "nothing to pin");
	if (o->threshold > 0)
		a.threshold = o->threshold;
	if (a.threshold > (int64_t)a.n)
		return mf_fail(err, MF_E_USAGE, 0, "threshold %lld is not between 1 and the %zu fingerprints",
			       (long long)a.threshold, a.n);
	if (warn_replaced(m, p->pattern, &a, err) < 0)
		return -1;
	return mf_pin_store(m->opt.home, p->pattern, a.fps, a.n, a.threshold, &m->env, err);
}

/* Pins a prefix such as "registry/team/" followed by "*", for which there is no image to open. */
static int pin_prefix(struct manifesto *m, const struct manifesto_pin_options *o,
		      struct manifesto_trust_result *out, struct mf_err *err)
{
	char gun[MF_MAX_GUN + 1];
	(void)snprintf(gun, sizeof gun, "%.*s", (int)strlen(o->image) - 1, o->image);
	bool layout = strncmp(o->image, "oci:", 4) == 0;
	const struct place p = {o->image, gun, layout ? &mf_dialect_tuf1 : &mf_dialect_notary};
	out->gun = mf_arena_text(mf_result_arena(out), o->image);
	return store_pin(m, &p, o, err) < 0 ? -1 : report_pin(m, p.pattern, out, err);
}

static int pin_image(struct manifesto *m, const struct manifesto_pin_options *o,
		     struct manifesto_trust_result *out, struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	if (mf_image_open_by(&im, m, o->image, MF_MAPS_IGNORE, err) < 0)
		return -1;
	const struct place p = {mf_trust_pin_name(im.trust), mf_trust_gun(im.trust),
				mf_trust_dialect(im.trust)};
	return store_pin(m, &p, o, err) < 0 ? -1 : report_head(&im, out, err);
}

static int pin(struct manifesto *m, const struct manifesto_pin_options *o, struct manifesto_trust_result *out,
	       struct mf_err *err)
{
	size_t n = strlen(o->image);
	return n && o->image[n - 1] == '*' ? pin_prefix(m, o, out, err) : pin_image(m, o, out, err);
}

int manifesto_trust_pin(struct manifesto *m, const struct manifesto_pin_options *opt,
			const struct manifesto_trust_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_pin_options o;
	struct manifesto_trust_result *r = NULL;
	mf_op_begin(m, error);
	if (mf_op_options(&o, sizeof o, opt, &err) == 0)
		r = mf_result_new(sizeof *r, &err);
	int rc = r ? pin(m, &o, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

/* ---- what this machine remembers */

static int set_clock(struct mf_image *im, int dry_run, struct manifesto_clock_result *out, struct mf_err *err)
{
	char *file MF_FREE = NULL;
	enum mf_found found = mf_trust_set_clock(im->trust, dry_run != 0, &out->recorded, &file, err);
	if (found == MF_FAILED)
		return -1;
	out->gun = mf_arena_text(mf_result_arena(out), mf_trust_pin_name(im->trust));
	out->file = mf_arena_text(mf_result_arena(out), file);
	out->now = mf_env_now(&im->m->env);
	out->changed = found == MF_FOUND;
	return mf_arena_check(mf_result_arena(out), err);
}

int manifesto_trust_clock(struct manifesto *m, const char *image, int dry_run,
			  const struct manifesto_clock_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	mf_op_begin(m, error);
	struct manifesto_clock_result *r = mf_result_new(sizeof *r, &err);
	int rc = !r || mf_image_open(&im, m, image, &err) < 0 ? -1 : set_clock(&im, dry_run, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}

static int report_memory(const struct mf_trust_memory *memory, struct manifesto_forget_result *out,
			 struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	const char **v = mf_arena_alloc(a, memory->pin.n, sizeof(char *), err);
	if (!v)
		return -1;
	for (size_t i = 0; i < memory->pin.n; i++)
		v[i] = mf_report_hex(a, &memory->pin.fingerprints[i]);
	out->pinned = v;
	out->npinned = memory->pin.exact ? memory->pin.n : 0;
	out->prefix_pin =
	    memory->pin.found && !memory->pin.exact ? mf_arena_text(a, memory->pin.pattern) : NULL;
	out->floors = memory->floors ? mf_arena_text(a, memory->floors) : NULL;
	out->cache = memory->cache ? mf_arena_text(a, memory->cache) : NULL;
	out->root_version = memory->root;
	out->recorded = memory->clock;
	return mf_arena_check(a, err);
}

static int forget(struct mf_image *im, int dry_run, struct manifesto_forget_result *out, struct mf_err *err)
{
	struct mf_trust_memory memory MF_TRUST_MEMORY_CLEANUP = {0};
	out->gun = mf_arena_text(mf_result_arena(out), mf_trust_pin_name(im->trust));
	enum mf_found found = mf_trust_remembers(im->trust, &memory, err);
	if (found == MF_ABSENT)
		return mf_fail(err, MF_E_NOT_FOUND, 0, "this machine remembers nothing of '%s'",
			       mf_trust_pin_name(im->trust));
	if (found == MF_FAILED || report_memory(&memory, out, err) < 0)
		return -1;
	return dry_run ? 0 : mf_trust_forget(im->trust, &memory, err);
}

int manifesto_trust_forget(struct manifesto *m, const char *image, int dry_run,
			   const struct manifesto_forget_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	mf_op_begin(m, error);
	struct manifesto_forget_result *r = mf_result_new(sizeof *r, &err);
	int rc = !r || mf_image_open_by(&im, m, image, MF_MAPS_IGNORE, &err) < 0
		     ? -1
		     : forget(&im, dry_run, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}

/* ---- pins for other machines */

int manifesto_trust_export(struct manifesto *m, const char *const *patterns, size_t n,
			   const struct manifesto_trust_export_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES * 2);
	mf_op_begin(m, error);
	struct manifesto_trust_export_result *r = mf_result_new(sizeof *r, &err);
	int rc = r ? mf_pin_export(m->opt.home, patterns, n, &text, &err) : -1;
	if (rc == 0) {
		r->json = mf_arena_text_of(mf_result_arena(r), mf_buf_str(&text));
		r->length = text.n;
		rc = mf_arena_check(mf_result_arena(r), &err);
	}
	return MF_OP_END(rc, r, out, error, &err);
}

/* The result of an import: patterns and names, sorted by what happened to them. */
struct changes {
	struct mf_arena *a;
	const char **v[4]; /* added, replaced, names, maps */
	size_t n[4], cap[4], nsame;
};

static void changes_clear(struct changes *c)
{
	free(c->v[0]);
	free(c->v[1]);
	free(c->v[2]);
	free(c->v[3]);
}

static int note_text(struct changes *c, size_t k, const char *text, struct mf_err *err)
{
	if (mf_grow((void **)&c->v[k], &c->cap[k], c->n[k], sizeof(char *), err) < 0)
		return -1;
	c->v[k][c->n[k]++] = mf_arena_text(c->a, text);
	return mf_arena_check(c->a, err);
}

static int note_name(void *arg, const char *name, struct mf_err *err)
{
	return note_text(arg, 2, name, err);
}

static int note(void *arg, const char *pattern, enum mf_pin_change what, struct mf_err *err)
{
	struct changes *c = arg;
	size_t k = what == MF_PIN_REPLACED;
	if (what == MF_PIN_SAME) {
		c->nsame++;
		return 0;
	}
	return note_text(c, k, pattern, err);
}

static int note_map(void *arg, const char *pattern, const char *repository, enum mf_pin_change what,
		    struct mf_err *err)
{
	if (mf_map_names_check(pattern, repository, err) < 0)
		return mf_recode(err, MF_E_FORMAT);
	return what == MF_PIN_SAME ? 0 : note_text(arg, 3, pattern, err);
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
	struct changes c MF_CLEANUP(changes_clear) = {.a = mf_result_arena(out)};
	struct mf_pin_import in = {.path = path,
				   .replace = force,
				   .each = note,
				   .mapped = note_map,
				   .named = note_name,
				   .arg = &c,
				   .own = m->keys};
	if (mf_pin_import(m->opt.home, &in, &m->env, err) < 0)
		return -1;
	out->added = keep(&c, 0, err);
	out->replaced = out->added ? keep(&c, 1, err) : NULL;
	out->nadded = c.n[0];
	out->nreplaced = c.n[1];
	out->nsame = c.nsame;
	out->named = out->replaced ? keep(&c, 2, err) : NULL;
	out->nnamed = c.n[2];
	out->mapped = out->named ? keep(&c, 3, err) : NULL;
	out->nmapped = c.n[3];
	return out->mapped ? 0 : -1;
}

int manifesto_trust_import(struct manifesto *m, const char *path, int force,
			   const struct manifesto_trust_import_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	struct manifesto_trust_import_result *r = mf_result_new(sizeof *r, &err);
	int rc = r ? import(m, path, force != 0, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}
