#include "oci/spool_hash.h"

#include "crypto/hash.h"

static void *begin(struct mf_err *err)
{
	return mf_hash_new(err);
}

static int add(void *state, const void *p, size_t n, struct mf_err *err)
{
	return mf_hash_add(state, p, n, err);
}

static int end(void *state, struct mf_digest *out, struct mf_err *err)
{
	return mf_hash_end(state, out, err);
}

static void drop(void *state)
{
	mf_hash_free(state);
}

struct mf_spool *mf_spool_new_sha256(uint64_t max, struct mf_err *err)
{
	static const struct mf_spool_hash sha256 = {begin, add, end, drop};
	return mf_spool_new(max, &sha256, err);
}
