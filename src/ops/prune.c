/* prune: removes files to which nothing in a trust repository refers. */
#include "ops/ops.h"
#include "publish/prune.h"

#define DEFAULT_AGE_S INT64_C(86400)

static int report(const struct mf_prune *p, struct manifesto_prune_result *out, struct mf_err *err)
{
	static const char *const kinds[MF_PRUNE_KINDS] = {"metadata", "target", "temporary"};
	struct mf_arena *a = mf_result_arena(out);
	struct manifesto_pruned_file *v = mf_arena_alloc(a, p->n, sizeof *v, err);
	if (!v)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		v[i] = (struct manifesto_pruned_file){.name = mf_arena_text(a, p->v[i].stored->name),
						      .kind = kinds[p->v[i].kind],
						      .bytes = p->v[i].stored->size};
		out->bytes += v[i].bytes;
		out->kinds[p->v[i].kind]++;
	}
	out->removed = p->removed;
	out->files = mf_arena_list(a, v, p->n, sizeof *v);
	out->nfiles = p->n;
	return mf_arena_check(a, err);
}

static int prune(struct mf_image *im, const struct manifesto_prune_options *o,
		 struct manifesto_prune_result *out, struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	struct mf_prune p MF_PRUNE_CLEANUP = {.keep_versions = o->keep_versions,
					      .min_age_s = o->older_than > 0 ? o->older_than : DEFAULT_AGE_S,
					      .dry_run = o->dry_run != 0,
					      .listing = MF_LISTING_INIT};
	if (o->keep_versions < 0)
		return mf_fail(err, MF_E_USAGE, 0, "%lld versions cannot be kept",
			       (long long)o->keep_versions);
	out->gun = mf_arena_text(a, mf_trust_pin_name(im->trust));
	out->where = mf_arena_text(a, mf_trust_where(im->trust));
	return mf_publish_prune(im->trust, &p, err) < 0 ? -1 : report(&p, out, err);
}

int manifesto_prune(struct manifesto *m, const struct manifesto_prune_options *opt,
		    const struct manifesto_prune_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_prune_options o;
	struct manifesto_prune_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = !r || mf_repository_open(&im, m, o.repository, &err) < 0 ? -1 : prune(&im, &o, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}
