/* list: the records of an image that authorised roles hold. */
#include "ops/ops.h"

static int add_records(struct mf_image *im, const struct mf_subject *s, const struct mf_entries *e,
		       struct manifesto_list_result *out, struct manifesto_record *records,
		       struct mf_err *err)
{
	for (size_t i = 0; i < e->n; i++)
		if (mf_report_record(im, &e->v[i], s->platform, &out->arena->a, &records[out->nrecords++],
				     err) < 0)
			return -1;
	return 0;
}

static int list_subjects(struct mf_image *im, const struct manifesto_list_options *o,
			 const struct mf_subjects *subjects, struct manifesto_list_result *out,
			 struct mf_err *err)
{
	struct mf_entries *found MF_FREE = mf_calloc(subjects->n, sizeof *found);
	size_t total = 0;
	int rc = found ? 0 : mf_fail_nomem(err);
	for (size_t i = 0; rc == 0 && i < subjects->n; i++) {
		rc = mf_policy_list(mf_trust_set(im->trust), &subjects->v[i].digest, o->role, &found[i], err);
		total += found[i].n;
	}
	struct manifesto_record *records =
	    rc == 0 ? mf_arena_alloc(&out->arena->a, total, sizeof *records, err) : NULL;
	out->records = records;
	for (size_t i = 0; found && i < subjects->n; i++) {
		if (records && rc == 0)
			rc = add_records(im, &subjects->v[i], &found[i], out, records, err);
		mf_entries_clear(&found[i]);
	}
	return records ? rc : -1;
}

/* A role that nobody delegated to is a mistake, not an empty list. */
static int check_role(const struct mf_tuf_set *set, const char *asked, struct mf_err *err)
{
	struct mf_esc e;
	if (!asked || mf_role_is("targets", asked))
		return 0;
	for (size_t i = 0; i < set->nroles; i++)
		for (size_t j = 0; j < set->roles[i]->file->nroles; j++)
			if (mf_role_is(set->roles[i]->file->roles[j].name, asked))
				return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "there is no role '%s' in this repository",
		      mf_esc(&e, mf_str_c(asked)));
	mf_err_set_hint(err, "'manifesto trust show' lists the roles");
	return -1;
}

static int list(struct mf_image *im, const struct manifesto_list_options *o,
		struct manifesto_list_result *out, struct mf_err *err)
{
	struct mf_subjects subjects __attribute__((cleanup(mf_subjects_clear))) = {0};
	if (mf_image_begin(im, err) < 0)
		return -1;
	out->arena = mf_op_arena(err);
	if (!out->arena || mf_trust_load(im->trust, MF_STR(""), false, err) < 0 ||
	    check_role(mf_trust_set(im->trust), o->role, err) < 0 ||
	    mf_image_subjects(im, o->platform, o->all_platforms != 0, false, &subjects, err) < 0)
		return -1;
	out->image = mf_image_name(im, &subjects.v[0].digest, &out->arena->a, err);
	return out->image ? list_subjects(im, o, &subjects, out, err) : -1;
}

int manifesto_list(struct manifesto *m, const struct manifesto_list_options *opt,
		   struct manifesto_list_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_list_result r = {.size = sizeof r};
	mf_op_begin(m, error);
	if (mf_image_open(&im, m, opt->image, &err) < 0 || list(&im, opt, &r, &err) < 0) {
		manifesto_list_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

void manifesto_list_result_clear(struct manifesto_list_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_list_result){.size = sizeof *r};
}
