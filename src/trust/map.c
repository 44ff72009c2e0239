/* Maps: they name the repository whose trust repository speaks for an image name. Stored in trust.json beside
 * the pins (pin.c). */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "trust/pinfile.h"

/* How specific a pattern is for a name: its length, or the maximum if it is the name itself. */
static size_t weight(const char *pattern, const char *name)
{
	return strcmp(pattern, name) == 0 ? SIZE_MAX : strlen(pattern);
}

const json_t *mf_map_deciding(const json_t *maps, const json_t *pins, const char *name, const char **pattern)
{
	const char *pinned;
	const json_t *map = mf_pin_deciding(maps, name, pattern);
	const json_t *pin = map ? mf_pin_deciding(pins, name, &pinned) : NULL;
	return pin && weight(pinned, name) >= weight(*pattern, name) ? NULL : map;
}

void mf_map_clear(struct mf_map *m)
{
	free(m->pattern);
	free(m->repository);
	*m = (struct mf_map){0};
}

void mf_maps_clear(struct mf_maps *m)
{
	json_decref(m->tree);
	*m = (struct mf_maps){0};
}

int mf_maps_load(const char *home, struct mf_maps *out, struct mf_err *err)
{
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	if (mf_pin_file_open(&f, home, NULL, err) < 0)
		return -1;
	if (!mf_pin_file_object(f.tree, "maps", err))
		return mf_wrap(err, "maps in '%s'", f.path);
	out->tree = json_incref(f.tree);
	return 0;
}

int mf_map_check(const char *pattern, const char *target, struct mf_err *err)
{
	struct mf_esc e;
	if (!target || !*target || !*pattern)
		return mf_fail(err, MF_E_FORMAT, 0, "map '%s': expected the name of a repository, got none",
			       mf_esc(&e, mf_str_c(pattern)));
	size_t p = strcspn(pattern, "*"), t = strcspn(target, "*");
	if ((pattern[p] && pattern[p + 1]) || (target[t] && (target[t + 1] || !pattern[p])))
		return mf_fail(err, MF_E_FORMAT, 0,
			       "map '%s': '*' stands at the end of the pattern, or of both names",
			       mf_esc(&e, mf_str_c(pattern)));
	return 0;
}

char *mf_map_origin(const char *pattern, const char *target, const char *name)
{
	char *origin = NULL;
	size_t kept = strcspn(target, "*");
	const char *rest = target[kept] ? name + strlen(pattern) - 1 : "";
	return asprintf(&origin, "%.*s%s", (int)kept, target, rest) < 0 ? NULL : origin;
}

static int refuse_chain(const char *pattern, const char *target, const char *further, struct mf_err *err)
{
	struct mf_esc a, b, c;
	(void)mf_fail(err, MF_E_USAGE, 0,
		      "map '%s' leads to '%s', which map '%s' maps again; a map is not followed twice",
		      mf_esc(&a, mf_str_c(pattern)), mf_esc(&b, mf_str_c(target)),
		      mf_esc(&c, mf_str_c(further)));
	mf_err_set_hint(err, "map each name to the repository whose trust repository has its records");
	return -1;
}

enum mf_found mf_maps_find(const struct mf_maps *m, const char *name, struct mf_map *out, struct mf_err *err)
{
	const json_t *maps = json_object_get(m->tree, "maps"), *pins = json_object_get(m->tree, "pins");
	const char *pattern, *further;
	const json_t *map = mf_map_deciding(maps, pins, name, &pattern);
	if (!map)
		return MF_ABSENT;
	const char *target = json_string_value(map);
	if (mf_map_check(pattern, target, err) < 0) {
		(void)mf_recode(err, MF_E_PIN);
		return MF_FAILED;
	}
	struct mf_map found MF_MAP_CLEANUP = {mf_str_dup(mf_str_c(pattern)),
					      mf_map_origin(pattern, target, name)};
	if (!found.pattern || !found.repository) {
		(void)mf_fail_nomem(err);
		return MF_FAILED;
	}
	if (mf_pin_deciding(maps, found.repository, &further)) {
		(void)refuse_chain(pattern, found.repository, further, err);
		return MF_FAILED;
	}
	*out = found;
	found = (struct mf_map){0};
	return MF_FOUND;
}

int mf_maps_each(const struct mf_maps *m,
		 int (*each)(void *arg, const char *pattern, const char *repository, struct mf_err *err),
		 void *arg, struct mf_err *err)
{
	const char *pattern;
	json_t *value;
	json_object_foreach(json_object_get(m->tree, "maps"), pattern, value)
	{
		const char *target = json_string_value(value);
		if (each(arg, pattern, target ? target : "", err) < 0)
			return -1;
	}
	return 0;
}

/* Could one name match both patterns? */
static bool overlap(const char *a, const char *b)
{
	return strcmp(a, b) == 0 || mf_pattern_fits(a, b) || mf_pattern_fits(b, a);
}

int mf_map_check_all(json_t *maps, struct mf_err *err)
{
	const char *pattern, *further;
	json_t *value, *ignored;
	if (json_object_size(maps) > MF_MAX_MAPS)
		return mf_fail(err, MF_E_USAGE, 0, "more than %d maps", MF_MAX_MAPS);
	json_object_foreach(maps, pattern, value)
	{
		const char *target = json_string_value(value);
		json_object_foreach(
		    maps, further,
		    ignored) if (target && overlap(target, further)) return refuse_chain(pattern, target,
											 further, err);
	}
	return 0;
}

/* Warns about names that have pins of their own, which still decide for them. */
static void warn_exceptions(json_t *pins, const char *pattern, const struct mf_env *env)
{
	const char *pinned;
	json_t *ignored;
	struct mf_esc a, b;
	json_object_foreach(pins, pinned, ignored) if (mf_pattern_fits(pattern, pinned)) mf_env_log(
	    env, MF_LOG_WARNING, "'%s' has a pin of its own, which decides for it: the map '%s' does not",
	    mf_esc(&a, mf_str_c(pinned)), mf_esc(&b, mf_str_c(pattern)));
}

static int refuse_pinned(const struct mf_pin_file *f, const char *pattern, struct mf_err *err)
{
	struct mf_esc e;
	(void)mf_fail(err, MF_E_PIN, 0, "'%s' is pinned by itself on this machine",
		      mf_esc(&e, mf_str_c(pattern)));
	if (strchr(pattern, '*'))
		mf_err_set_hint(err,
				"its pin decides for it; no command removes the pin of a prefix: take it "
				"out of \"pins\" in '%s'",
				f->path);
	else
		mf_err_set_hint(err, "its pin decides for it; 'manifesto trust forget %s' removes the pin",
				e.text);
	return -1;
}

int mf_map_store(const char *home, const char *pattern, const char *repository, const struct mf_env *env,
		 struct mf_err *err)
{
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	if (mf_map_check(pattern, repository, err) < 0)
		return mf_recode(err, MF_E_USAGE);
	json_t *maps =
	    mf_pin_file_open(&f, home, env, err) == 0 ? mf_pin_file_object(f.tree, "maps", err) : NULL;
	if (!maps)
		return -1;
	json_t *pins = json_object_get(f.tree, "pins");
	if (json_object_get(pins, pattern))
		return refuse_pinned(&f, pattern, err);
	if (json_object_set_new(maps, pattern, json_string(repository)) < 0)
		return mf_fail_nomem(err);
	if (mf_map_check_all(maps, err) < 0)
		return -1;
	warn_exceptions(pins, pattern, env);
	return mf_pin_file_save(&f, err);
}

enum mf_found mf_map_remove(const char *home, const char *pattern, const struct mf_env *env,
			    struct mf_err *err)
{
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	if (mf_pin_file_open(&f, home, env, err) < 0)
		return MF_FAILED;
	if (json_object_del(json_object_get(f.tree, "maps"), pattern) < 0)
		return MF_ABSENT;
	return mf_pin_file_save(&f, err) < 0 ? MF_FAILED : MF_FOUND;
}
