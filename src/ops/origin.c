/* Maps, which name the trust repository that speaks for an image; and a hint for images without records
 * beside which records of another trust repository lie. */
#include <stdio.h>
#include <string.h>

#include "json/json.h"
#include "ops/ops.h"

/* ---- names */

/* Writes the name as metadata spells it. MF_ABSENT: it is neither a repository nor a prefix that contains the
 * whole registry. */
static enum mf_found parse_name(const char *text, struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE + 8);
	struct mf_ref ref MF_REF_CLEANUP = {0};
	struct mf_err why = MF_ERR_INIT;
	size_t n = strlen(text);
	bool prefix = n && text[n - 1] == '*';
	if (n > MF_MAX_REFERENCE)
		return MF_ABSENT;
	/* A prefix is valid if a name that begins with it can be a repository. */
	if (mf_buf_printf(&name, err, "%.*s%s", (int)(n - prefix), text, prefix ? "x/x" : "") < 0)
		return MF_FAILED;
	if (mf_ref_parse_repository(&ref, mf_buf_str(&name), &why) < 0 || mf_ref_gun(&ref, out, &why) < 0)
		return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
	if (!prefix)
		return MF_FOUND;
	bool whole = strchr(text, '/') && mf_str_eq(mf_buf_str(out), mf_buf_str(&name));
	mf_buf_reset(out);
	if (!whole)
		return MF_ABSENT;
	return mf_buf_addz(out, text, err) < 0 ? MF_FAILED : MF_FOUND;
}

static int normalise(const char *text, struct mf_buf *out, struct mf_err *err)
{
	struct mf_esc e;
	enum mf_found found = parse_name(text, out, err);
	if (found != MF_ABSENT)
		return found == MF_FOUND ? 0 : -1;
	(void)mf_fail(err, MF_E_USAGE, 0, "expected a repository, or a prefix of repositories, got '%s'",
		      mf_esc(&e, mf_str_c(text)));
	mf_err_set_hint(err,
			"give REGISTRY/REPOSITORY, or a beginning of such names that has the registry and "
			"ends in '*', such as 'registry.example.com/acme/*'");
	return -1;
}

int mf_map_names_check(const char *pattern, const char *repository, struct mf_err *err)
{
	const char *const names[] = {pattern, repository};
	struct mf_esc e;
	for (size_t i = 0; i < 2; i++) {
		struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE + 8);
		if (normalise(names[i], &name, err) < 0)
			return -1;
		if (!mf_str_eqz(mf_buf_str(&name), names[i]))
			return mf_fail(err, MF_E_USAGE, 0, "map '%s': expected '%s', got '%s'",
				       mf_esc(&e, mf_str_c(pattern)), mf_buf_str(&name).p, names[i]);
	}
	return 0;
}

/* ---- an image that is mapped */

static int find_map(struct mf_image *im, struct mf_map *out, struct mf_err *err)
{
	struct manifesto *m = im->m;
	struct mf_buf gun MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE);
	if (im->store_ref.transport == MF_TRANSPORT_LAYOUT)
		return MF_ABSENT;
	if (mf_ref_gun(&im->store_ref, &gun, err) < 0 ||
	    (!m->maps.tree && mf_maps_load(m->opt.home, &m->maps, err) < 0))
		return MF_FAILED;
	return mf_maps_find(&m->maps, mf_buf_str(&gun).p, out, err);
}

static int refuse_mapped(const struct mf_map *map, struct mf_err *err)
{
	struct mf_esc a, b;
	(void)mf_fail(
	    err, MF_E_USAGE, 0,
	    "the map '%s' says that the trust repository of '%s' speaks for this image; it is only read",
	    mf_esc(&a, mf_str_c(map->pattern)), mf_esc(&b, mf_str_c(map->repository)));
	mf_err_set_hint(err, "run the command for '%s'; 'manifesto trust map --remove %s' removes the map",
			mf_esc(&b, mf_str_c(map->repository)), mf_esc(&a, mf_str_c(map->pattern)));
	return -1;
}

int mf_image_follow_map(struct mf_image *im, enum mf_image_maps maps, struct mf_err *err)
{
	struct mf_map map MF_MAP_CLEANUP = {0};
	struct mf_esc e;
	enum mf_found found = maps == MF_MAPS_IGNORE ? MF_ABSENT : find_map(im, &map, err);
	if (found != MF_FOUND)
		return found == MF_FAILED ? -1 : 0;
	if (mf_map_names_check(map.pattern, map.repository, err) < 0) {
		(void)mf_recode(err, MF_E_PIN);
		return mf_wrap(err, "maps in '%s/trust.json'", im->m->opt.home);
	}
	if (maps == MF_MAPS_REFUSE)
		return refuse_mapped(&map, err);
	mf_env_log(&im->m->env, MF_LOG_INFO, "the trust repository of '%s' speaks for this image: map '%s'",
		   map.repository, mf_esc(&e, mf_str_c(map.pattern)));
	mf_ref_clear(&im->store_ref);
	if (mf_ref_parse_repository(&im->store_ref, mf_str_c(map.repository), err) < 0)
		return -1;
	im->map = map.pattern;
	map.pattern = NULL;
	return 0;
}

int mf_image_origin(struct mf_image *im, struct mf_image_store **out, struct mf_err *err)
{
	*out = NULL;
	if (!im->map || im->m->bundle)
		return 0;
	if (!im->origin)
		im->origin = mf_image_store_of(im->m, &im->store_ref, err);
	*out = im->origin;
	return *out ? 0 : -1;
}

/* ---- hints for a record that was not found */

/* A hint is not worth a longer wait. */
#define HINT_MS 5000

struct copies {
	struct mf_image *im;
	size_t n; /* records of other trust repositories */
};

static int count_copies(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
			struct mf_err *err)
{
	struct copies *c = arg;
	bool loaded = mf_trust_set(c->im->trust) != NULL;
	(void)i;
	(void)by;
	for (size_t k = 0; k < list->n; k++) {
		const char *text = list->v[k].annotations ? list->v[k].annotations : "{}";
		if (!mf_is_our_artifact(list->v[k].artifact_type))
			continue;
		json_t *annotations MF_JSON_CLEANUP =
		    mf_json_load(mf_bytes_of(mf_str_c(text)), MF_MAX_MANIFEST_BYTES, err);
		if (!annotations)
			return -1;
		const char *own = loaded ? mf_trust_identity(c->im->trust) : NULL;
		c->n += !loaded || (own && mf_artifact_is_foreign(annotations, own));
	}
	return 0;
}

void mf_image_hint_copy(struct mf_image *im, const struct mf_digest *subject, struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_subjects own MF_SUBJECTS_CLEANUP = {0};
	struct copies c = {.im = im};
	struct mf_env *env = &im->m->env;
	const int64_t deadline = env->deadline_ms, soon = mf_monotonic_ms() + HINT_MS;
	if (err->code != MF_E_NOT_FOUND || im->m->bundle || im->ref.transport == MF_TRANSPORT_LAYOUT)
		return;
	env->deadline_ms = soon < deadline ? soon : deadline;
	bool resolved = subject || mf_image_subjects(im, (struct mf_subject_choice){0}, &own, &ignored) == 0;
	bool asked = resolved && mf_referrers_each(im->images, subject ? subject : &own.v[0].digest, 1,
						   count_copies, &c, &ignored) == 0;
	env->deadline_ms = deadline;
	if (!asked || !c.n)
		return;
	err->hint[0] = 0;
	mf_err_set_hint(
	    err,
	    "%zu records of another trust repository lie beside the image, as beside a copy: 'manifesto "
	    "trust map %s/%s ORIGIN' reads the image by the repository it was copied from, 'manifesto "
	    "copy' publishes its records here",
	    c.n, im->ref.registry, im->ref.repository);
}

/* ---- maps of this machine */

struct listing {
	struct mf_arena *a;
	struct manifesto_map *v;
	size_t n, cap;
};

static void listing_clear(struct listing *l)
{
	free(l->v);
}

static int add_map(void *arg, const char *pattern, const char *repository, struct mf_err *err)
{
	struct listing *l = arg;
	if (mf_grow((void **)&l->v, &l->cap, l->n, sizeof *l->v, err) < 0)
		return -1;
	l->v[l->n++] = (struct manifesto_map){mf_arena_text(l->a, pattern), mf_arena_text(l->a, repository)};
	return mf_arena_check(l->a, err);
}

static int by_pattern(const void *a, const void *b)
{
	return strcmp(((const struct manifesto_map *)a)->pattern, ((const struct manifesto_map *)b)->pattern);
}

static int list_maps(struct manifesto *m, struct manifesto_maps *out, struct mf_err *err)
{
	struct listing l MF_CLEANUP(listing_clear) = {.a = mf_result_arena(out)};
	if (mf_maps_load(m->opt.home, &m->maps, err) < 0 || mf_maps_each(&m->maps, add_map, &l, err) < 0)
		return -1;
	struct manifesto_map *v = mf_arena_alloc(l.a, l.n, sizeof *v, err);
	if (!v)
		return -1;
	if (l.n) {
		memcpy(v, l.v, l.n * sizeof *v);
		qsort(v, l.n, sizeof *v, by_pattern);
	}
	out->maps = mf_arena_list(l.a, v, l.n, sizeof *v);
	out->nmaps = l.n;
	return mf_arena_check(l.a, err);
}

int manifesto_trust_maps(struct manifesto *m, const struct manifesto_maps **out,
			 struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	struct manifesto_maps *r = mf_result_new(sizeof *r, &err);
	int rc = r ? list_maps(m, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

/* Removes the map of exactly this text first: one that was written by hand into trust.json may not be a valid
 * pattern. */
static int remove_map(struct manifesto *m, const char *text, struct mf_err *err)
{
	struct mf_buf pattern MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE + 8);
	struct mf_esc e;
	enum mf_found found = mf_map_remove(m->opt.home, text, &m->env, err);
	if (found == MF_FOUND)
		return 0;
	if (found == MF_ABSENT)
		found = parse_name(text, &pattern, err);
	if (found == MF_FOUND)
		found = mf_map_remove(m->opt.home, mf_buf_str(&pattern).p, &m->env, err);
	if (found == MF_ABSENT)
		return mf_fail(err, MF_E_NOT_FOUND, 0, "there is no map '%s' on this machine",
			       mf_esc(&e, mf_str_c(text)));
	return found == MF_FOUND ? 0 : -1;
}

static int set_map(struct manifesto *m, const char *from, const char *to, struct mf_err *err)
{
	struct mf_buf pattern MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE + 8),
			      repository MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE + 8);
	if (normalise(from, &pattern, err) < 0 || normalise(to, &repository, err) < 0)
		return -1;
	return mf_map_store(m->opt.home, mf_buf_str(&pattern).p, mf_buf_str(&repository).p, &m->env, err);
}

int manifesto_trust_map(struct manifesto *m, const char *pattern, const char *repository,
			struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	int rc = repository ? set_map(m, pattern, repository, &err) : remove_map(m, pattern, &err);
	return rc < 0 ? mf_op_fail(error, &err) : 0;
}
