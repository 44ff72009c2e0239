/* get: everything is verified before a byte is handed out. */
#include "oci/spool_hash.h"
#include "ops/history.h"

/* Trust first: an attack must not look like an absence. */
static int load_and_resolve(struct mf_image *im, const struct manifesto_get_options *o,
			    struct mf_subjects *subjects, struct mf_err *err)
{
	char prefix[MF_MAX_TYPE + 1];
	size_t n = strlen(o->type);
	if (mf_record_type_check(mf_str_c(o->type), err) < 0)
		return -1;
	memcpy(prefix, o->type, n);
	prefix[n] = '/';
	if (mf_image_begin(im, err) < 0 ||
	    mf_trust_load(im->trust, (struct mf_str){prefix, n + 1}, false, err) < 0)
		return -1;
	return mf_image_subjects(im, o->platform, false, false, subjects, err);
}

/* A miss on a platform says so when the index has the record: nothing is inherited. */
static int select_record(struct mf_image *im, const struct manifesto_get_options *o,
			 const struct mf_subject *s, struct mf_entry *out, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(im->trust);
	struct mf_str type = mf_str_c(o->type);
	if (mf_policy_select(set, type, &s->digest, o->role, out, err) == 0)
		return 0;
	if (err->code == MF_E_NOT_FOUND && o->platform) {
		struct mf_err ignored = MF_ERR_INIT;
		struct mf_entry index MF_ENTRY_CLEANUP = {0};
		if (mf_policy_select(set, type, &im->digest, o->role, &index, &ignored) == 0)
			mf_err_set_hint(err, "the index has a '%s' record; platforms do not inherit it",
					o->type);
	}
	if (err->code == MF_E_NOT_FOUND) /* after a hint about platforms this one is dropped */
		mf_err_set_hint(
		    err, "'manifesto list %s' shows what there is; the tag may have moved to another digest",
		    o->image);
	return -1;
}

static int hand_out(struct mf_spool *content, const struct manifesto_get_options *o, struct mf_err *err)
{
	char chunk[65536];
	uint64_t at = 0;
	size_t got;
	if (o->output_path)
		return mf_spool_copy_file(content, o->output_path, 0644, true, err);
	while (o->write) {
		if (mf_spool_read(content, at, chunk, sizeof chunk, &got, err) < 0)
			return -1;
		if (!got)
			break;
		if (o->write(o->write_arg, chunk, got) != 0)
			return mf_fail(err, MF_E_IO, 0, "the output was not taken");
		at += got;
	}
	return 0;
}

/* What the record is, and what its content must be. */
static int find(struct mf_image *im, const struct manifesto_get_options *o, const struct mf_subject *s,
		struct manifesto_get_result *out, struct mf_tuf_target_info *info, struct mf_err *err)
{
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	out->arena = mf_op_arena(err);
	if (!out->arena)
		return -1;
	if (o->version)
		return mf_history_get(im, o, s, out, info, err);
	if (select_record(im, o, s, &e, err) < 0)
		return -1;
	*info = e.info;
	return mf_report_record(im, &e, s->platform, &out->arena->a, &out->record, err);
}

static int get(struct mf_image *im, const struct manifesto_get_options *o, struct manifesto_get_result *out,
	       struct mf_err *err)
{
	struct mf_subjects subjects MF_SUBJECTS_CLEANUP = {0};
	struct mf_tuf_target_info info;
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	if (o->version < 0)
		return mf_fail(err, MF_E_USAGE, 0, "versions begin at 1");
	if (load_and_resolve(im, o, &subjects, err) < 0 || find(im, o, &subjects.v[0], out, &info, err) < 0 ||
	    mf_record_name(&name, mf_str_c(o->type), &subjects.v[0].digest, err) < 0)
		return -1;
	struct mf_spool *content MF_SPOOL_CLEANUP = mf_spool_new_sha256(info.length ? info.length : 1, err);
	if (!content || mf_content_get(im, mf_buf_str(&name), &info, content, err) < 0)
		return -1;
	return hand_out(content, o, err);
}

int manifesto_get(struct manifesto *m, const struct manifesto_get_options *opt,
		  struct manifesto_get_result *out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_get_result r = {.size = sizeof r};
	mf_op_begin(m, error);
	if (mf_image_open(&im, m, opt->image, &err) < 0 || get(&im, opt, &r, &err) < 0) {
		manifesto_get_result_clear(&r);
		return mf_op_fail(error, &err);
	}
	*out = r;
	return 0;
}

void manifesto_get_result_clear(struct manifesto_get_result *r)
{
	mf_op_arena_free(r->arena);
	*r = (struct manifesto_get_result){.size = sizeof *r};
}
