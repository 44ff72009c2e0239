#include "base/limits.h"
#include "json/json.h"
#include "oci/registry.h"

#define MAX_TAGS_BODY ((size_t)16 << 20) /* a registry may give all of MF_MAX_TAGS in one page */
#define MAX_PAGES 10000

static int read_page(const struct mf_exchange *x, struct mf_tags *out, struct mf_err *err)
{
	json_t *list = NULL;
	json_t *body MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&x->res->body), MAX_TAGS_BODY, err);
	if (!body)
		return -1;
	/* "tags": null is what docker-registry says of a repository whose tags are all gone. */
	if (json_is_null(json_object_get(body, "tags")))
		return 0;
	if (mf_json_get_arr(body, "tags", true, &list, err))
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		if (!name || !mf_tag_valid(mf_str_c(name)))
			return mf_fail(err, MF_E_FORMAT, 0, "entry %zu is no tag", i);
		if (mf_tags_add(out, name, NULL, err))
			return -1;
	}
	return 0;
}

int mf_registry_tags(void *b, struct mf_tags *out, struct mf_err *err)
{
	struct mf_exchange x MF_EXCHANGE_CLEANUP = {0};
	if (mf_exchange_init(&x, b, "GET", MF_ACCESS_PULL, err, "tags/list?n=1000"))
		return -1;
	for (unsigned page = 0; page < MAX_PAGES; page++) {
		x.req.max_bytes = MAX_TAGS_BODY;
		if (mf_exchange_run(&x, err))
			return -1;
		/* Nothing was ever pushed there. */
		if (page == 0 && x.res->status == 404)
			return 0;
		if (!mf_exchange_ok(&x))
			return mf_exchange_fail(&x, "list tags", err);
		int rc = read_page(&x, out, err) ? -1 : mf_registry_next_page(&x, err);
		if (rc <= 0)
			return rc < 0 ? mf_wrap(err, "list tags") : 0;
	}
	return mf_fail(err, MF_E_FORMAT, 0, "list tags: more than %d pages", MAX_PAGES);
}
