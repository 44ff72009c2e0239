/* One publish of a given change, as any program with the keys can make it. */
#ifndef MF_TEST_CHANGE_H
#define MF_TEST_CHANGE_H

#include "publish/publish.h"

static inline enum mf_found fill_as_given(void *arg, struct mf_trust *t, struct mf_publish_change *out,
					  struct mf_err *err)
{
	(void)t;
	(void)err;
	*out = *(const struct mf_publish_change *)arg;
	return MF_FOUND;
}

static inline enum mf_found publish_change(struct mf_trust *t, struct mf_publish_change c, int64_t *version,
					   struct mf_err *err)
{
	const struct mf_publish_intent in = {.prefix = MF_STR(""), .fill = fill_as_given, .arg = &c};
	return mf_publish_run(t, &in, version, err);
}

#endif
