/* Whatever parses must come back the same from its own printed form, and fit its limits. */
#include <assert.h>

#include "base/limits.h"
#include "oci/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static int format(const struct mf_ref *r, struct mf_buf *out, struct mf_err *err)
{
	/* A registry that is called "oci" would be read as a layout. */
	const char *docker = r->registry && strncmp(r->registry, "oci:", 4) == 0 ? "docker://" : "";
	int rc = r->transport == MF_TRANSPORT_LAYOUT
		     ? mf_buf_printf(out, err, "oci:%s", r->dir)
		     : mf_buf_printf(out, err, "%s%s/%s", docker, r->registry, r->repository);
	if (rc < 0 || (r->tag && mf_buf_printf(out, err, ":%s", r->tag) < 0))
		return -1;
	if (!r->has_digest)
		return 0;
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &r->digest);
	return mf_buf_printf(out, err, "@%s", digest);
}

static void check_round_trip(const struct mf_ref *r)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_ref again MF_REF_CLEANUP = {0};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(2 * MF_MAX_REFERENCE);
	assert(format(r, &text, &err) == 0);
	/* "latest" and "library/" make the printed form longer than what was typed. */
	if (text.n > MF_MAX_REFERENCE)
		return;
	assert(mf_ref_parse(&again, mf_buf_str(&text), &err) == 0);
	assert(again.transport == r->transport && again.has_digest == r->has_digest);
	assert(same(again.registry, r->registry) && same(again.repository, r->repository));
	assert(same(again.dir, r->dir) && same(again.tag, r->tag));
	assert(!r->has_digest || mf_digest_eq(&again.digest, &r->digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_str text = {(const char *)data, size};
	struct mf_ref r MF_REF_CLEANUP = {0}, repository MF_REF_CLEANUP = {0};
	if (mf_ref_parse(&r, text, &err) == 0)
		check_round_trip(&r);
	else
		assert(err.code == MF_E_USAGE);
	mf_err_clear(&err);
	if (mf_ref_parse_repository(&repository, text, &err))
		assert(err.code == MF_E_USAGE);
	else
		assert(!repository.tag && !repository.has_digest && repository.repository);
	return 0;
}
