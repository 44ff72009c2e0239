/* cache show and cache clear: the files in the cache, and their removal. */
#include "base/encode.h"
#include "ops/ops.h"
#include "trust/home.h"

/* ---- show */

struct repository {
	char hash[65];
	const char *name;
	uint64_t files, bytes;
};

struct survey {
	struct manifesto_cache_result *out;
	struct repository *v; /* sorted by hash */
	size_t n, cap;
};

static void survey_clear(struct survey *s)
{
	free(s->v);
}

/* The index of the repository, or the one at which it would be inserted. */
static size_t place(const struct survey *s, const char *hash)
{
	size_t low = 0, high = s->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strncmp(s->v[middle].hash, hash, 64) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct survey *s, size_t at, const char *hash)
{
	return at < s->n && strncmp(s->v[at].hash, hash, 64) == 0;
}

static struct repository *need(struct survey *s, const char *hash, struct mf_err *err)
{
	size_t at = place(s, hash);
	if (is_at(s, at, hash))
		return &s->v[at];
	if (mf_grow((void **)&s->v, &s->cap, s->n, sizeof *s->v, err) < 0)
		return NULL;
	memmove(&s->v[at + 1], &s->v[at], (s->n++ - at) * sizeof *s->v);
	s->v[at] = (struct repository){0};
	memcpy(s->v[at].hash, hash, 64);
	return &s->v[at];
}

static int count(void *arg, const char *name, const struct stat *st, struct mf_err *err)
{
	struct survey *s = arg;
	uint64_t bytes = mf_cache_cost(st);
	const char *hash = strchr(name, '/') + 1;
	s->out->files++;
	s->out->bytes += bytes;
	if (mf_str_starts(mf_str_c(name), MF_STR(MF_CACHE_BLOBS "/"))) {
		s->out->content_files++;
		s->out->content_bytes += bytes;
		return 0;
	}
	if (mf_is_temp_name(hash))
		return 0;
	struct repository *r = need(s, hash, err);
	if (!r)
		return -1;
	r->files++;
	r->bytes += bytes;
	return 0;
}

/* The cache has only hashes of names: names of pinned repositories are hashed to find theirs. */
static void name_it(void *arg, const char *name)
{
	struct survey *s = arg;
	struct mf_err ignored = MF_ERR_INIT;
	char hash[65];
	if (mf_home_name_hash(name, hash, &ignored) < 0)
		return;
	size_t at = place(s, hash);
	if (is_at(s, at, hash))
		s->v[at].name = mf_arena_text(mf_result_arena(s->out), name);
}

static int by_size(const void *a, const void *b)
{
	const struct repository *x = a, *y = b;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return strcmp(x->hash, y->hash);
}

static int report(struct survey *s, struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(s->out);
	struct manifesto_cache_repository *v = mf_arena_alloc(a, s->n, sizeof *v, err);
	if (!v)
		return -1;
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, by_size);
	for (size_t i = 0; i < s->n; i++)
		v[i] = (struct manifesto_cache_repository){.name = s->v[i].name,
							   .hash = mf_arena_text(a, s->v[i].hash),
							   .files = s->v[i].files,
							   .bytes = s->v[i].bytes};
	s->out->repositories = mf_arena_list(a, v, s->n, sizeof *v);
	s->out->nrepositories = s->n;
	return mf_arena_check(a, err);
}

static int show(struct manifesto *m, struct manifesto_cache_result *out, struct mf_err *err)
{
	struct survey s MF_CLEANUP(survey_clear) = {.out = out};
	struct manifesto_error no_pins;
	out->path = mf_arena_text(mf_result_arena(out), m->opt.cache_dir);
	out->limit = m->cache.limit;
	mf_cache_flush(&m->cache);
	if (mf_cache_walk(m->opt.cache_dir, count, &s, err) < 0)
		return -1;
	(void)!manifesto_names(m, MANIFESTO_NAME_REPOSITORY, NULL, name_it, &s, &no_pins);
	return report(&s, err);
}

int manifesto_cache_show(struct manifesto *m, const struct manifesto_cache_result **out,
			 struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	struct manifesto_cache_result *r = mf_result_new(sizeof *r, &err);
	int rc = r ? show(m, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

/* ---- clear */

/* Computes the hash under which the metadata of an image's repository is cached. "" for a layout, of which
 * nothing is cached. */
static int hash_of(const struct manifesto *m, const char *image, char hash[65], struct mf_err *err)
{
	struct mf_ref ref MF_REF_CLEANUP = {0};
	struct mf_buf gun MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE);
	const char *store = m->opt.store;
	hash[0] = '\0';
	if ((store ? mf_ref_parse_repository(&ref, mf_str_c(store), err)
		   : mf_ref_parse(&ref, mf_str_c(image), err)) < 0)
		return -1;
	if (ref.transport == MF_TRANSPORT_LAYOUT)
		return 0;
	return mf_ref_gun(&ref, &gun, err) < 0 ? -1 : mf_home_name_hash(mf_buf_str(&gun).p, hash, err);
}

static int clear(struct manifesto *m, const char *image, struct manifesto_cache_clear_result *out,
		 struct mf_err *err)
{
	char hash[65];
	if (image && hash_of(m, image, hash, err) < 0)
		return -1;
	if (image && !hash[0])
		return 0;
	return mf_cache_clear(&m->cache, image ? hash : NULL, &out->files, &out->bytes, err);
}

int manifesto_cache_clear(struct manifesto *m, const char *image,
			  const struct manifesto_cache_clear_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	struct manifesto_cache_clear_result *r = mf_result_new(sizeof *r, &err);
	int rc = r ? clear(m, image, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}
