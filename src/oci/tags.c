/* All tags of a repository and what they mean. */
#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"
#include "oci/backend.h"

#define WINDOW 32 /* requests in flight; more would only wait inside the HTTP client */

void mf_tags_clear(struct mf_tags *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].name);
	free(t->v);
	*t = (struct mf_tags){0};
}

/* The catalogue, and what goes by a digest: referrers indexes, other tools' signatures. */
static bool is_image(struct mf_str tag)
{
	uint8_t bytes[32];
	if (mf_str_eqz(tag, "_manifesto") || mf_str_starts(tag, MF_STR("_manifesto-")))
		return false;
	return !mf_str_starts(tag, MF_STR("sha256-")) || tag.n < 71 ||
	       mf_hex_decode(bytes, sizeof(bytes), (struct mf_str){tag.p + 7, 64}) != 0;
}

int mf_tags_add(struct mf_tags *list, const char *name, const struct mf_digest *digest, struct mf_err *err)
{
	void *v = list->v;
	if (!is_image(mf_str_c(name)))
		return 0;
	if (list->n == MF_MAX_TAGS)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d tags", MF_MAX_TAGS);
	if (mf_grow(&v, &list->cap, list->n, sizeof(*list->v), err))
		return -1;
	list->v = v;
	struct mf_tag *t = &list->v[list->n];
	*t = (struct mf_tag){.name = mf_str_dup(mf_str_c(name)), .known = digest != NULL};
	if (!t->name)
		return mf_fail_nomem(err);
	if (digest)
		t->digest = *digest;
	list->n++;
	return 0;
}

struct window {
	struct mf_resolve *v[WINDOW];
};

static void window_clear(struct window *w)
{
	for (size_t i = 0; i < WINDOW; i++)
		mf_resolve_cancel(w->v[i]);
}

static int resolve_end(struct mf_resolve **r, struct mf_tag *t, struct mf_err *err)
{
	struct mf_resolve *one = *r;
	*r = NULL;
	t->known = mf_resolve_end(one, &t->digest, NULL, NULL, err) == 0;
	if (t->known)
		return 0;
	if (err->code != MF_E_NOT_FOUND)
		return mf_wrap(err, "tag '%s'", t->name);
	mf_err_clear(err); /* it went meanwhile */
	return 0;
}

static int resolve_all(struct mf_image_store *s, struct mf_tags *tags, struct mf_err *err)
{
	struct window w MF_CLEANUP(window_clear) = {{NULL}};
	size_t begun = 0;
	for (size_t i = 0; i < tags->n; i++) {
		for (; begun < tags->n && begun < i + WINDOW; begun++) {
			if (tags->v[begun].known)
				continue;
			w.v[begun % WINDOW] = mf_resolve_begin(s, tags->v[begun].name, err);
			if (!w.v[begun % WINDOW])
				return -1;
		}
		if (!tags->v[i].known && resolve_end(&w.v[i % WINDOW], &tags->v[i], err))
			return -1;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct mf_tag *)a)->name, ((const struct mf_tag *)b)->name);
}

static void drop_unknown(struct mf_tags *t)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].known)
			t->v[kept++] = t->v[i];
		else
			free(t->v[i].name);
	t->n = kept;
}

int mf_tags_list(struct mf_image_store *s, struct mf_tags *out, struct mf_err *err)
{
	struct mf_tags tags MF_TAGS_CLEANUP = {0};
	if (s->ops->tags(s->b, &tags, err) || resolve_all(s, &tags, err))
		return -1;
	drop_unknown(&tags);
	if (tags.n)
		qsort(tags.v, tags.n, sizeof(*tags.v), by_name);
	*out = tags;
	tags = (struct mf_tags){0};
	return 0;
}
