/* trust refresh. */
#include "ops/ops.h"
#include "publish/publish.h"

#define DEFAULT_WITHIN (30 * INT64_C(86400))

static const struct mf_tuf_role *role_of(const struct mf_trust *t, const char *name)
{
	static const char *const top[] = {"root", "timestamp", "snapshot"};
	for (size_t i = 0; i < 3; i++)
		if (strcmp(name, top[i]) == 0)
			return &mf_trust_set(t)->root->roles[i];
	return mf_trust_role(t, name);
}

static int report_role(struct mf_image *im, const struct mf_refreshed_role *r, struct mf_arena *a,
		       struct manifesto_refreshed_role *out, struct mf_err *err)
{
	const struct mf_tuf_role *role = role_of(im->trust, r->role);
	*out =
	    (struct manifesto_refreshed_role){.done = r->done, .version = r->version, .expires = r->expires};
	out->name = mf_arena_dup(a, mf_str_c(r->role), err);
	if (!out->name)
		return -1;
	return role ? mf_report_role_keys(im->m, role, a, &out->keys, &out->nkeys, err) : 0;
}

static int report(struct mf_image *im, const struct mf_refreshed *done, struct manifesto_refresh_result *out,
		  struct mf_err *err)
{
	struct mf_arena *a = &out->arena->a;
	struct manifesto_refreshed_role *v = mf_arena_alloc(a, done->n, sizeof *v, err);
	int64_t now = mf_trust_set(im->trust)->now;
	out->gun = v ? mf_arena_dup(a, mf_str_c(mf_trust_pin_name(im->trust)), err) : NULL;
	out->where = out->gun ? mf_arena_dup(a, mf_str_c(mf_trust_where(im->trust)), err) : NULL;
	if (!out->where)
		return -1;
	for (size_t i = 0; i < done->n; i++) {
		const struct mf_refreshed_role *r = &done->v[i];
		int status = r->done             ? MANIFESTO_OK
			     : r->expires <= now ? MANIFESTO_EXPIRED
						 : MANIFESTO_EXPIRING;
		out->status = manifesto_graver(out->status, status);
		if (report_role(im, r, a, &v[i], err) < 0)
			return -1;
	}
	out->roles = v;
	out->nroles = done->n;
	return 0;
}

int manifesto_trust_refresh(struct manifesto *m, const struct manifesto_refresh_options *opt,
			    struct manifesto_refresh_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct mf_refreshed done MF_CLEANUP(mf_refreshed_clear) = {0};
	struct manifesto_refresh_result r = {.size = sizeof r};
	struct mf_refresh_options o = {.within = opt->within > 0 ? opt->within : DEFAULT_WITHIN,
				       .all = opt->force != 0,
				       .dry_run = opt->dry_run != 0};
	mf_op_begin(m, error);
	r.arena = mf_op_arena(&err);
	if (!r.arena || mf_image_open(&im, m, opt->image, &err) < 0 ||
	    mf_publish_refresh(im.trust, &o, &done, &err) < 0 || report(&im, &done, &r, &err) < 0) {
		manifesto_refresh_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

void manifesto_refresh_result_clear(struct manifesto_refresh_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_refresh_result){.size = sizeof *r};
}
