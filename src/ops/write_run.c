/* A change of the records of one image or several: the run of put, sign, withdraw, rm and veto. */
#include <stdio.h>

#include "ops/write.h"

int mf_write_keep_failure(struct mf_err **to, const struct mf_err *why, struct mf_err *err)
{
	if (mf_err_ends_run(why)) {
		*err = *why;
		return -1;
	}
	*to = mf_calloc(1, sizeof **to);
	if (!*to)
		return mf_fail_nomem(err);
	**to = *why;
	return 0;
}

/* ---- repositories */

static void close_images(struct mf_write *w)
{
	for (size_t i = 0; i < w->nimages; i++)
		mf_image_close(&w->images[i]->im);
}

static void run_clear(struct mf_write_run *r)
{
	for (size_t i = 0; i < r->nwrites; i++) {
		mf_write_clear(r->writes[i]);
		free(r->writes[i]);
	}
	for (size_t i = 0; r->images && i < r->n; i++) {
		mf_image_close(&r->images[i].im);
		mf_subjects_clear(&r->images[i].subjects);
		free(r->images[i].items);
		free(r->images[i].failed);
	}
	r->m->pool = NULL;
	mf_pool_clear(&r->pool);
	free(r->writes);
	free(r->images);
	free(r->order);
}

static bool is_many(const struct mf_write_run *r)
{
	return r->o.images != NULL;
}

bool mf_write_is_slip(const struct mf_err *err)
{
	return err->code == MF_E_USAGE || err->code == MF_E_AMBIGUOUS;
}

static int open_images(struct mf_write_run *r, struct mf_err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct mf_write_image *img = &r->images[i];
		struct mf_err why = MF_ERR_INIT;
		img->reference = is_many(r) ? r->o.images[i] : r->o.image;
		int rc = mf_image_open(&img->im, r->m, img->reference, &why);
		img->im.for_writing = true;
		if (rc == 0)
			continue;
		if (!is_many(r) || mf_write_is_slip(&why)) {
			*err = why;
			return is_many(r) ? mf_wrap(err, "image '%s'", img->reference) : -1;
		}
		if (mf_write_keep_failure(&img->failed, &why, err) < 0)
			return -1;
	}
	return 0;
}

static struct mf_write *find_write(const struct mf_write_run *r, const struct mf_trust *t)
{
	for (size_t i = 0; i < r->nwrites; i++)
		if (r->writes[i]->im->trust == t)
			return r->writes[i];
	return NULL;
}

static struct mf_write *add_write(struct mf_write_run *r, struct mf_image *im, struct mf_err *err)
{
	struct mf_write *w = mf_calloc(1, r->op->size);
	if (!w) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	w->op = r->op;
	w->out = mf_result_new(sizeof *w->out, err);
	if (!w->out) {
		free(w);
		return NULL;
	}
	w->m = r->m;
	w->o = &r->o;
	w->a = mf_result_arena(w->out);
	w->im = im;
	w->ahead = &r->window;
	w->first = true;
	r->writes[r->nwrites++] = w;
	return w;
}

static int begin_image(void *arg, size_t i, struct mf_err *err)
{
	struct mf_write_image *img = ((struct mf_write_run *)arg)->order[i];
	struct mf_err why = MF_ERR_INIT;
	return mf_image_begin(&img->im, &why) == 0 ? 0 : mf_write_keep_failure(&img->failed, &why, err);
}

/* Sorts the images by repository, in the order given; repositories come in the order of their first images.
 */
static int sort_images(struct mf_write_run *r, struct mf_err *err)
{
	r->order = mf_calloc(r->n, sizeof *r->order);
	r->writes = mf_calloc(r->n, sizeof *r->writes);
	if (!r->order || !r->writes)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < r->n; i++) {
		struct mf_write_image *img = &r->images[i];
		if (img->failed)
			continue;
		img->write = find_write(r, img->im.trust);
		if (!img->write)
			img->write = add_write(r, &img->im, err);
		if (!img->write)
			return -1;
		img->write->nimages++;
	}
	size_t at = 0;
	for (size_t i = 0; i < r->nwrites; i++) {
		struct mf_write *w = r->writes[i];
		w->at = at;
		w->images = &r->order[at];
		at += w->nimages;
		w->nimages = 0;
	}
	for (size_t i = 0; i < r->n; i++) {
		struct mf_write *w = r->images[i].write;
		if (w)
			w->images[w->nimages++] = &r->images[i];
	}
	r->window = (struct mf_window){.n = at, .most = MF_VERIFY_WINDOW, .begin = begin_image, .arg = r};
	return 0;
}

static int open_writes(struct mf_write_run *r, struct mf_err *err)
{
	if (r->o.propose && strcmp(r->o.propose, "@") != 0 && r->nwrites > 1) {
		(void)mf_fail(err, MF_E_USAGE, 0,
			      "a proposal is for one repository, and the images are of %zu", r->nwrites);
		mf_err_set_hint(err, "'--propose @' puts one beside the first image of each repository");
		return -1;
	}
	for (size_t i = 0; i < r->nwrites; i++) {
		struct mf_err why = MF_ERR_INIT;
		if (mf_write_open(r->writes[i], &why) == 0)
			continue;
		if (!is_many(r) || mf_write_is_slip(&why) || mf_err_ends_run(&why)) {
			*err = why;
			return -1;
		}
		r->writes[i]->failed = why;
	}
	return 0;
}

/* ---- the outcome of each image */

/* Why an image was not changed, if the cause is the image itself; else NULL. */
static const struct mf_err *own_failure(const struct mf_write_image *img)
{
	if (img->failed)
		return img->failed;
	for (size_t i = 0; img->items && i < img->subjects.n; i++)
		if (img->items[i]->failed)
			return img->items[i]->failed;
	return NULL;
}

static bool is_graver(enum mf_code a, enum mf_code b)
{
	return b == MF_OK || mf_exit_graver(mf_code_exit(a), mf_code_exit(b));
}

/* The image of a repository whose own failure is the gravest; NULL: no image has one, the failure is the
 * repository's. */
static const struct mf_write_image *find_worst(const struct mf_write *w)
{
	const struct mf_write_image *worst = NULL;
	enum mf_code code = MF_OK;
	for (size_t i = 0; i < w->nimages; i++) {
		const struct mf_err *own = own_failure(w->images[i]);
		if (!own || !is_graver(own->code, code))
			continue;
		worst = w->images[i];
		code = own->code;
	}
	return worst;
}

static void explain(const struct mf_write_image *img, struct mf_err *out)
{
	const struct mf_err *own = own_failure(img);
	const struct mf_write_image *worst = own ? NULL : find_worst(img->write);
	const struct mf_err *others = worst ? own_failure(worst) : NULL;
	if (others)
		(void)mf_fail(out, others->code, 0,
			      "nothing was published to its repository, because of '%s'", worst->reference);
	else
		*out = own ? *own : img->write->failed;
}

/* Lists the image's items that the result has. */
static int list_items(const struct mf_write_image *img, struct manifesto_change_outcome *out,
		      struct mf_err *err)
{
	const struct manifesto_change_item **v =
	    mf_arena_alloc(img->write->a, img->subjects.n, sizeof(void *), err);
	out->items = v;
	for (size_t i = 0; v && i < img->subjects.n; i++)
		if (img->items[i]->reported)
			v[out->nitems++] = img->items[i]->out;
	return v ? 0 : -1;
}

static int report_image(struct mf_write_run *r, const struct mf_write_image *img, struct mf_err *err)
{
	struct manifesto_change_outcome out = {.image = img->reference};
	struct manifesto_error shown;
	struct mf_err why = MF_ERR_INIT;
	if (!img->write || img->write->failed.code) {
		explain(img, &why);
		r->failed++;
		r->code = is_graver(why.code, r->code) ? why.code : r->code;
		(void)mf_op_fail(&shown, &why);
		out.error = &shown;
	} else {
		out.change = img->write->out;
		out.first = !img->write->reported;
		img->write->reported = true;
		if (list_items(img, &out, err) < 0)
			return -1;
	}
	if (!r->o.result || r->o.result(r->o.result_arg, &out) == 0)
		return 0;
	r->o.result = NULL;
	return mf_fail(err, MF_E_IO, 0, "the result callback failed");
}

/* Reports the images in the order given, each once the outcome of all images before it is known. */
static int report_known(struct mf_write_run *r, struct mf_err *err)
{
	while (is_many(r) && r->reported < r->n) {
		const struct mf_write_image *img = &r->images[r->reported];
		if (img->write && !img->write->done)
			return 0;
		r->reported++;
		if (report_image(r, img, err) < 0)
			return -1;
		mf_env_progress(&r->m->env, MF_PROGRESS_IMAGES, r->reported, r->n);
	}
	return 0;
}

/* ---- the whole */

static int step(struct mf_write *w, int (*f)(struct mf_write *w, struct mf_err *err), struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	if (w->failed.code || f(w, &why) == 0)
		return 0;
	if (mf_err_ends_run(&why)) {
		*err = why;
		return -1;
	}
	w->failed = why;
	return 0;
}

/* Reports what can be reported, and frees the images and trust metadata of this repository. */
static int finish(struct mf_write_run *r, struct mf_write *w, struct mf_err *err)
{
	w->done = true;
	if (!is_many(r))
		return 0;
	if (report_known(r, err) < 0)
		return -1;
	w->im->shared->held = 1;
	close_images(w);
	mf_pool_trim(&r->pool, 0);
	return 0;
}

static int prepare_and_ask(struct mf_write_run *r, struct mf_err *err)
{
	for (size_t i = 0; i < r->nwrites; i++)
		if (step(r->writes[i], r->op->prepare, err) < 0)
			return -1;
	return r->op->ask(r, err);
}

static int change_all(struct mf_write_run *r, struct mf_err *err)
{
	bool asks = r->op->ask && r->o.confirm;
	if (asks && prepare_and_ask(r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->nwrites; i++) {
		struct mf_write *w = r->writes[i];
		if (is_many(r) && !asks)
			mf_op_restart_clock(r->m);
		if ((!asks && step(w, r->op->prepare, err) < 0) || step(w, r->op->commit, err) < 0 ||
		    finish(r, w, err) < 0)
			return -1;
	}
	return report_known(r, err);
}

/* A run that ends early still reports what it has published, and why the rest was not changed. */
static void report_ended(struct mf_write_run *r, const struct mf_err *why)
{
	struct mf_err ignored = MF_ERR_INIT;
	for (size_t i = 0; i < r->nwrites; i++) {
		struct mf_write *w = r->writes[i];
		if (!w->done && !w->failed.code)
			w->failed = *why;
		w->done = true;
	}
	(void)!report_known(r, &ignored);
}

static int check_options(struct mf_write_run *r, struct mf_err *err)
{
	const struct manifesto_change_options *o = &r->o;
	if (is_many(r) ? o->image || !o->nimages || o->nimages > MF_MAX_CHANGE_IMAGES : !o->image)
		return mf_fail(err, MF_E_USAGE, 0, "expected one image, or from 1 to %zu of them",
			       MF_MAX_CHANGE_IMAGES);
	r->n = is_many(r) ? o->nimages : 1;
	if (r->op->own_names && !o->type)
		return 0;
	return mf_record_type_check(mf_str_c(o->type), err);
}

static int run(struct mf_write_run *r, struct mf_err *err)
{
	if (check_options(r, err) < 0)
		return -1;
	r->images = mf_calloc(r->n, sizeof *r->images);
	if (!r->images)
		return mf_fail_nomem(err);
	r->m->pool = is_many(r) ? &r->pool : NULL;
	if (open_images(r, err) < 0 || sort_images(r, err) < 0 || open_writes(r, err) < 0 ||
	    (r->op->begin && r->op->begin(r, err) < 0))
		return -1;
	if (change_all(r, err) < 0) {
		report_ended(r, err);
		return -1;
	}
	if (r->failed)
		return mf_fail(err, r->code, 0, "%zu of %zu images not changed", r->failed, r->n);
	if (is_many(r) || !r->writes[0]->failed.code)
		return 0;
	*err = r->writes[0]->failed;
	return -1;
}

int mf_write_run(struct manifesto *m, const struct manifesto_change_options *opt,
		 const struct manifesto_change_result **out, struct manifesto_error *error,
		 const struct mf_write_op *op)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_write_run r MF_CLEANUP(run_clear) = {.m = m, .op = op};
	mf_op_begin(m, error);
	if (mf_op_options(&r.o, sizeof r.o, opt, &err) < 0 || run(&r, &err) < 0)
		return mf_op_fail(error, &err);
	if (is_many(&r))
		return 0;
	*out = r.writes[0]->out;
	r.writes[0]->out = NULL;
	return 0;
}
