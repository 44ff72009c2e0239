/* trust refresh: re-signs the roles that expire soon, as far as their keys are on this machine. */
#include "ops/ops.h"
#include "publish/publish.h"

static const struct mf_tuf_role *role_of(const struct mf_trust *t, const char *name)
{
	static const char *const top[] = {"root", "timestamp", "snapshot"};
	for (size_t i = 0; i < 3; i++)
		if (strcmp(name, top[i]) == 0)
			return &mf_trust_set(t)->root->roles[i];
	return mf_trust_role(t, name);
}

static int report(struct mf_image *im, const struct mf_publish_refresh *done,
		  struct manifesto_refresh_result *out, struct mf_err *err)
{
	struct mf_arena *a = done->arena;
	int64_t now = mf_trust_set(im->trust)->now;
	out->gun = mf_arena_text(a, mf_trust_pin_name(im->trust));
	out->where = mf_arena_text(a, mf_trust_where(im->trust));
	for (size_t i = 0; i < done->n; i++) {
		struct manifesto_refreshed_role *r = &done->v[i];
		const struct mf_tuf_role *role = role_of(im->trust, r->name);
		int status = r->done             ? MANIFESTO_OK
			     : r->expires <= now ? MANIFESTO_EXPIRED
						 : MANIFESTO_EXPIRING;
		out->status = manifesto_graver(out->status, status);
		if (role && mf_report_role_keys(im->m, role, a, &r->keys, &r->nkeys, err) < 0)
			return -1;
	}
	out->roles = mf_arena_list(a, done->v, done->n, sizeof *done->v);
	out->nroles = done->n;
	return mf_arena_check(a, err);
}

int manifesto_trust_refresh(struct manifesto *m, const struct manifesto_refresh_options *opt,
			    const struct manifesto_refresh_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_refresh_options o;
	struct mf_publish_refresh done = {.opt = &o};
	struct manifesto_refresh_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	if (r)
		done.arena = mf_result_arena(r);
	int rc =
	    !r || mf_image_open(&im, m, o.image, &err) < 0 || mf_publish_refresh(im.trust, &done, &err) < 0
		? -1
		: report(&im, &done, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}
