/* Metadata files of every type in both dialects: the first byte selects (bit 0: dialect, bits 1 and 2: type).
 * What parses can be looked up, checked and written again. */
#include <assert.h>

#include "tuf/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_LOOKUPS 64
#define NOW INT64_C(1800000000)

/* Every name is found at its own place, by its decoded text. */
static void check_lookups(const struct mf_dialect *d, const struct mf_tuf_file *f)
{
	for (size_t i = 0; i < f->ntargets && i < MAX_LOOKUPS; i++) {
		struct mf_err err = MF_ERR_INIT, entry = MF_ERR_INIT;
		struct mf_json_string name = mf_tuf_target_name(f, i);
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(name.raw.n + 4);
		struct mf_tuf_target_info info;
		assert(mf_json_string_decode(name, &text, &err) == 0);
		assert(mf_tuf_target_find(f, mf_buf_str(&text)) == (ptrdiff_t)i);
		if (mf_tuf_target_info(d, f, i, &info, &entry) < 0)
			assert(entry.code == MF_E_FORMAT);
		for (size_t r = 0; r < f->nroles && r < MAX_LOOKUPS; r++)
			for (size_t p = 0; p < f->roles[r].npaths && p < MAX_LOOKUPS; p++) {
				struct mf_str path = f->roles[r].paths[p];
				if (d->path_covers(path, mf_buf_str(&text)))
					assert(d->path_touches(path, mf_buf_str(&text)));
			}
	}
}

static void check_signatures(const struct mf_dialect *d, const struct mf_tuf_file *f)
{
	struct mf_err err = MF_ERR_INIT;
	if (f->type == MF_TUF_ROOT && mf_tuf_root_check(d, MF_STR("gun"), NOW, f, NULL, &err) < 0)
		assert(err.code == MF_E_SIGNATURE);
}

/* The next version holds the same targets; control characters have no wire form. */
static void check_rebuild(const struct mf_dialect *d, const struct mf_tuf_file *f)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	struct mf_tuf_targets_spec targets = {.old = f, .version = 7, .expires = NOW};
	struct mf_tuf_meta_spec meta = {.type = f->type, .old = f, .version = 7, .expires = NOW};
	int rc;
	if (f->type == MF_TUF_ROOT)
		return;
	rc = f->type == MF_TUF_TARGETS ? mf_tuf_build_targets(d, &targets, &text, &err)
				       : mf_tuf_build_meta(d, &meta, &text, &err);
	if (rc < 0 || mf_tuf_build_file(d, mf_buf_str(&text), NULL, 0, &bytes, &err) < 0) {
		assert(err.code == MF_E_FORMAT);
		return;
	}
	struct mf_tuf_file *again MF_TUF_FILE_CLEANUP = mf_tuf_parse_unverified(d, f->type, &bytes, &err);
	if (!again)
		return; /* escapes may take it over the size limit */
	assert(again->ntargets == f->ntargets && again->nmeta == f->nmeta && again->nroles == f->nroles);
	assert(mf_str_eq(again->canonical, mf_buf_str(&text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(size + 1);
	if (size == 0)
		return 0;
	const struct mf_dialect *d = data[0] & 1 ? &mf_dialect_tuf1 : &mf_dialect_notary;
	enum mf_tuf_type type = (enum mf_tuf_type)(data[0] >> 1 & 3);
	assert(mf_buf_add(&bytes, data + 1, size - 1, &err) == 0);
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = mf_tuf_parse_unverified(d, type, &bytes, &err);
	if (!f) {
		assert(err.code == MF_E_FORMAT);
		return 0;
	}
	check_lookups(d, f);
	check_signatures(d, f);
	check_rebuild(d, f);
	return 0;
}
