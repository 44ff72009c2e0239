/* Pins: $MANIFESTO_HOME/trust.json, one file that can be kept under version control:
 * {"manifestoTrust":1,"pins":{"PATTERN":{"fingerprints":["<hex>"],"threshold":1} or {"ca":"FILE"}},
 *  "names":{"dana":"<hex>"}, "maps":{"PATTERN":"REPOSITORY or a prefix of repositories"}} */
#include <string.h>

#include "base/encode.h"
#include "base/limits.h"
#include "trust/pinfile.h"

void mf_pin_clear(struct mf_pin *p)
{
	free(p->pattern);
	free(p->fingerprints);
	free(p->ca);
	*p = (struct mf_pin){0};
}

/* NULL: MF_E_PIN or MF_E_NOMEM. */
static json_t *parse(struct mf_bytes text, const char *path, struct mf_err *err)
{
	int64_t version;
	json_t *pins;
	json_t *tree MF_JSON_CLEANUP = mf_json_load_written(text, MF_MAX_CONFIG_BYTES, err);
	if (tree && mf_json_get_int(tree, "manifestoTrust", MF_JSON_REQUIRED, 1, 1, &version, err) == 0 &&
	    mf_json_get_obj(tree, "pins", MF_JSON_REQUIRED, &pins, err) == 0)
		return json_incref(tree);
	if (err->code != MF_E_NOMEM)
		(void)mf_recode(err, MF_E_PIN);
	(void)mf_wrap(err, "pins in '%s'", path);
	return NULL;
}

void mf_pin_file_clear(struct mf_pin_file *f)
{
	free(f->path);
	json_decref(f->tree);
	mf_lock_release(&f->lock);
}
static int lock_pins(const char *home, struct mf_lock *lock, const struct mf_env *env, struct mf_err *err)
{
	char *path MF_FREE = mf_path_join(home, "trust.lock", NULL);
	if (!path)
		return mf_fail_nomem(err);
	return mf_dir_make(home, 0700, err) < 0 ? -1 : mf_lock_acquire(lock, path, env, err);
}

int mf_pin_file_open(struct mf_pin_file *f, const char *home, const struct mf_env *env, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	f->path = mf_path_join(home, "trust.json", NULL);
	if (!f->path)
		return mf_fail_nomem(err);
	if (env && lock_pins(home, &f->lock, env, err) < 0)
		return -1;
	if (mf_file_read_stored(f->path, MF_MAX_CONFIG_BYTES, &text, err) == 0) {
		f->tree = parse(mf_buf_bytes(&text), f->path, err);
		return f->tree ? 0 : -1;
	}
	if (err->code == MF_E_FORMAT)
		(void)mf_recode(err, err->sys ? MF_E_IO : MF_E_PIN);
	if (err->code != MF_E_NOT_FOUND)
		return -1;
	mf_err_clear(err);
	f->tree = json_pack("{s:i,s:{}}", "manifestoTrust", 1, "pins");
	return f->tree ? 0 : mf_fail_nomem(err);
}

/* Written from the tree and not with json/writer, so that members of other programs stay; indented for
 * people. */
int mf_pin_file_save(const struct mf_pin_file *f, struct mf_err *err)
{
	static const char *const optional[] = {"names", "maps"};
	for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++)
		if (!json_object_size(json_object_get(f->tree, optional[i])))
			(void)json_object_del(f->tree, optional[i]);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	if (mf_json_dump(f->tree, JSON_INDENT(2) | JSON_SORT_KEYS, &text, err) < 0 ||
	    mf_buf_addc(&text, '\n', err) < 0)
		return -1;
	return mf_file_write(f->path, mf_buf_bytes(&text), 0644, err);
}

json_t *mf_pin_file_object(json_t *tree, const char *member, struct mf_err *err)
{
	json_t *object = NULL;
	if (mf_json_get_obj(tree, member, MF_JSON_OPTIONAL, &object, err) < 0) {
		(void)mf_recode(err, MF_E_PIN);
		return NULL;
	}
	if (object)
		return object;
	object = json_object();
	if (object && json_object_set_new(tree, member, object) == 0)
		return object;
	(void)mf_fail_nomem(err);
	return NULL;
}

bool mf_pattern_fits(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);
	return n && pattern[n - 1] == '*' && strncmp(pattern, name, n - 1) == 0;
}

static bool lists(const struct mf_pin *p, const struct mf_digest *fp)
{
	for (size_t i = 0; i < p->n; i++)
		if (mf_digest_eq(&p->fingerprints[i], fp))
			return true;
	return false;
}

static int read_fingerprints(const json_t *list, struct mf_pin *out, struct mf_err *err)
{
	json_t *item;
	size_t i, n = json_array_size(list);
	if (n == 0 || n > MF_MAX_SIGNATURES)
		return mf_fail(err, MF_E_PIN, 0, "a pin must have 1 to %d fingerprints", MF_MAX_SIGNATURES);
	out->fingerprints = mf_calloc(n, sizeof *out->fingerprints);
	if (!out->fingerprints)
		return mf_fail_nomem(err);
	json_array_foreach(list, i, item)
	{
		struct mf_digest *fp = &out->fingerprints[out->n];
		if (!json_is_string(item) || !mf_fingerprint_parse(fp, json_string_value(item)))
			return mf_fail(err, MF_E_PIN, 0, "fingerprint %zu is not 64 hexadecimal digits",
				       i + 1);
		out->n += !lists(out, fp); /* a key counts once, however often it is listed */
	}
	return 0;
}

static int read_ca(const char *home, const char *file, struct mf_pin *out, struct mf_err *err)
{
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	char *path MF_FREE = file[0] == '/' ? mf_str_dup(mf_str_c(file)) : mf_path_join(home, file, NULL);
	if (!path)
		return mf_fail_nomem(err);
	if (mf_file_read(path, MF_MAX_CONFIG_BYTES, &pem, err) < 0)
		return err->code == MF_E_NOMEM ? -1 : mf_recode(err, MF_E_PIN);
	out->ca = mf_buf_take(&pem);
	return out->ca ? 0 : mf_fail_nomem(err);
}

static int read_pin(const char *home, const char *pattern, const json_t *value, struct mf_pin *out,
		    struct mf_err *err)
{
	const char *ca = NULL;
	json_t *list = NULL;
	out->threshold = 1;
	out->pattern = mf_str_dup(mf_str_c(pattern));
	if (!out->pattern)
		return mf_fail_nomem(err);
	if (mf_json_get_str(value, "ca", MF_JSON_OPTIONAL, &ca, err) < 0 ||
	    mf_json_get_arr(value, "fingerprints", ca == NULL, &list, err) < 0 ||
	    mf_json_get_int(value, "threshold", MF_JSON_OPTIONAL, 1, MF_MAX_SIGNATURES, &out->threshold,
			    err) < 0)
		return mf_recode(err, MF_E_PIN);
	if ((list && read_fingerprints(list, out, err) < 0) || (ca && read_ca(home, ca, out, err) < 0))
		return -1;
	if (!ca && out->threshold > (int64_t)out->n)
		return mf_fail(err, MF_E_PIN, 0, "threshold %lld is not between 1 and the %zu fingerprints",
			       (long long)out->threshold, out->n);
	out->found = true;
	return 0;
}

json_t *mf_pin_deciding(const json_t *pins, const char *name, const char **best_pattern)
{
	json_t *best = json_object_get(pins, name);
	size_t longest = 0;
	*best_pattern = name;
	if (best)
		return best;
	/* jansson iterates over non-const trees only; it does not change them. */
	json_t *all = (json_t *)(uintptr_t)pins, *value;
	const char *pattern;
	json_object_foreach(all, pattern, value)
	{
		if (!mf_pattern_fits(pattern, name) || (best && strlen(pattern) <= longest))
			continue;
		best = value;
		*best_pattern = pattern;
		longest = strlen(pattern);
	}
	return best;
}

int mf_pin_find(const char *home, const char *name, struct mf_pin *out, struct mf_err *err)
{
	struct mf_pin pin = {0};
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	if (mf_pin_file_open(&f, home, NULL, err) < 0)
		return -1;
	const char *best_pattern;
	const json_t *best = mf_pin_deciding(json_object_get(f.tree, "pins"), name, &best_pattern);
	if (best && read_pin(home, best_pattern, best, &pin, err) < 0) {
		mf_pin_clear(&pin);
		struct mf_esc e;
		return mf_wrap(err, "pin '%s' in '%s'", mf_esc(&e, mf_str_c(best_pattern)), f.path);
	}
	pin.exact = pin.found && strcmp(pin.pattern, name) == 0;
	*out = pin;
	return 0;
}

/* NULL: out of memory. */
static json_t *pin_json(const struct mf_digest *fps, size_t n, int64_t threshold)
{
	json_t *list MF_JSON_CLEANUP = json_array();
	for (size_t i = 0; list && i < n; i++) {
		char hex[65];
		mf_digest_hex(hex, &fps[i]);
		if (json_array_append_new(list, json_string(hex)) < 0)
			return NULL;
	}
	return list ? json_pack("{s:O,s:I}", "fingerprints", list, "threshold", (json_int_t)threshold) : NULL;
}

/* Fails if the pattern has a map: it can have a pin or a map. Warns if a map of a shorter pattern no longer
 * decides for its names. */
static int check_not_mapped(json_t *tree, const char *pattern, const struct mf_env *env, struct mf_err *err)
{
	const json_t *maps = mf_pin_file_object(tree, "maps", err), *pins = json_object_get(tree, "pins");
	const char *held;
	struct mf_esc name, by;
	if (!maps)
		return -1;
	const char *target = json_string_value(json_object_get(maps, pattern));
	if (target) {
		(void)mf_fail(err, MF_E_USAGE, 0, "'%s' is mapped to '%s' on this machine",
			      mf_esc(&name, mf_str_c(pattern)), mf_esc(&by, mf_str_c(target)));
		mf_err_set_hint(err, "pin '%s'; or remove the map with 'manifesto trust map --remove %s'",
				mf_esc(&by, mf_str_c(target)), mf_esc(&name, mf_str_c(pattern)));
		return -1;
	}
	if (mf_map_deciding(maps, pins, pattern, &held))
		mf_env_log(env, MF_LOG_WARNING,
			   "'%s' is pinned by itself: the map '%s' no longer decides for it",
			   mf_esc(&name, mf_str_c(pattern)), mf_esc(&by, mf_str_c(held)));
	return 0;
}

int mf_pin_store(const char *home, const char *pattern, const struct mf_digest *fps, size_t n,
		 int64_t threshold, const struct mf_env *env, struct mf_err *err)
{
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	if (mf_pin_file_open(&f, home, env, err) < 0 || check_not_mapped(f.tree, pattern, env, err) < 0)
		return -1;
	json_t *pin = pin_json(fps, n, threshold);
	if (!pin || json_object_set_new(json_object_get(f.tree, "pins"), pattern, pin) < 0)
		return mf_fail_nomem(err);
	return mf_pin_file_save(&f, err);
}

enum mf_found mf_pin_remove(const char *home, const char *pattern, const struct mf_env *env,
			    struct mf_err *err)
{
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	if (mf_pin_file_open(&f, home, env, err) < 0)
		return MF_FAILED;
	if (json_object_del(json_object_get(f.tree, "pins"), pattern) < 0)
		return MF_ABSENT;
	return mf_pin_file_save(&f, err) < 0 ? MF_FAILED : MF_FOUND;
}

/* ---- names of colleagues' keys */

/* Names that are being added to trust.json. */
struct naming {
	json_t *names; /* the member of trust.json */
	struct mf_keystore *own;
	bool replace; /* a name of a colleague may move to another key */
	bool changed;
	int (*each)(void *arg, const char *name, struct mf_err *err);
	void *arg;
};

/* The name of a key in the object; NULL: it has none. */
static const char *name_in(json_t *names, const struct mf_digest *fp)
{
	const char *name;
	json_t *value;
	json_object_foreach(names, name, value)
	{
		struct mf_digest other;
		const char *text = json_string_value(value);
		if (text && mf_fingerprint_parse(&other, text) && mf_digest_eq(&other, fp))
			return name;
	}
	return NULL;
}

static int set_name(struct naming *g, const char *name, const struct mf_digest *fp, struct mf_err *err)
{
	struct mf_names now MF_NAMES_CLEANUP = {0};
	const struct mf_name *rival = NULL;
	char hex[65];
	if (json_object_size(g->names) >= MF_MAX_NAMES)
		return mf_fail(err, MF_E_USAGE, 0, "more than %d names", MF_MAX_NAMES);
	if (mf_names_load(&now, g->names, g->own, err) < 0)
		return -1;
	if (mf_names_check(&now, name, fp, &rival, err) < 0) {
		bool moves =
		    g->replace && err->code == MF_E_CONFLICT && !rival->own && strcmp(rival->name, name) == 0;
		if (!moves)
			return -1;
		mf_err_clear(err);
	}
	const char *before = name_in(g->names, fp);
	if (before && strcmp(before, name) != 0)
		(void)json_object_del(g->names, before);
	mf_digest_hex(hex, fp);
	g->changed = true;
	return json_object_set_new(g->names, name, json_string(hex)) < 0 ? mf_fail_nomem(err) : 0;
}

static int take_name(struct naming *g, const char *name, const json_t *value, struct mf_err *err)
{
	struct mf_digest fp;
	struct mf_esc e;
	const char *text = json_string_value(value), *here;
	if (!mf_key_name_valid(name) || !text || !mf_fingerprint_parse(&fp, text))
		return mf_fail(err, MF_E_FORMAT, 0, "names: '%s' is not a valid name",
			       mf_esc(&e, mf_str_c(name)));
	here = name_in(g->names, &fp);
	if (mf_keystore_find_fp(g->own, &fp) || (here && (!g->replace || strcmp(here, name) == 0)))
		return 0;
	if (set_name(g, name, &fp, err) < 0)
		return err->code == MF_E_USAGE ? mf_recode(err, MF_E_FORMAT) : -1;
	return g->each ? g->each(g->arg, name, err) : 0;
}

static int take_names(struct naming *g, const json_t *theirs, struct mf_err *err)
{
	json_t *object = (json_t *)(uintptr_t)theirs, *value; /* as in mf_pin_deciding */
	const char *name;
	json_object_foreach(object, name, value) if (take_name(g, name, value, err) < 0) return -1;
	return 0;
}

int mf_pin_names(const char *home, struct mf_keystore *own, struct mf_names *out, struct mf_err *err)
{
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	if (mf_pin_file_open(&f, home, NULL, err) < 0)
		return -1;
	return mf_names_load(out, json_object_get(f.tree, "names"), own, err);
}

int mf_pin_name(const char *home, const char *name, const struct mf_digest *fingerprint,
		struct mf_keystore *own, const struct mf_env *env, struct mf_err *err)
{
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	struct mf_esc e;
	json_t *names =
	    mf_pin_file_open(&f, home, env, err) == 0 ? mf_pin_file_object(f.tree, "names", err) : NULL;
	struct naming g = {.names = names, .own = own};
	if (!names || (fingerprint && set_name(&g, name, fingerprint, err) < 0))
		return -1;
	if (!fingerprint && json_object_del(names, name) < 0)
		return mf_fail(err, MF_E_KEY, 0, "no key has the name '%s'", mf_esc(&e, mf_str_c(name)));
	return mf_pin_file_save(&f, err);
}

int mf_pin_add_names(const char *home, const json_t *theirs, enum mf_pin_names_mode mode,
		     struct mf_keystore *own, const struct mf_env *env, struct mf_err *err)
{
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	bool store = mode == MF_PIN_NAMES_STORE;
	json_t *names = mf_pin_file_open(&f, home, store ? env : NULL, err) == 0
			    ? mf_pin_file_object(f.tree, "names", err)
			    : NULL;
	struct naming g = {.names = names, .own = own};
	if (!names || take_names(&g, theirs, err) < 0)
		return -1;
	return g.changed && store ? mf_pin_file_save(&f, err) : 0;
}

/* ---- export and import of pins and maps */

#define EXPORT "manifesto/trust-export/v1"

/* Copies the pins and maps of these patterns into a document. */
static int choose(const json_t *tree, const char *const *patterns, size_t n, const json_t *document,
		  struct mf_err *err)
{
	struct mf_esc e;
	for (size_t i = 0; i < n; i++) {
		const char *kind =
		    json_object_get(json_object_get(tree, "pins"), patterns[i]) ? "pins" : "maps";
		json_t *value = json_object_get(json_object_get(tree, kind), patterns[i]);
		if (!value)
			return mf_fail(err, MF_E_NOT_FOUND, 0,
				       "there is no pin and no map '%s' on this machine",
				       mf_esc(&e, mf_str_c(patterns[i])));
		if (json_object_set(json_object_get(document, kind), patterns[i], value) < 0)
			return mf_fail_nomem(err);
	}
	return 0;
}

int mf_pin_export(const char *home, const char *const *patterns, size_t n, struct mf_buf *out,
		  struct mf_err *err)
{
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	if (mf_pin_file_open(&f, home, NULL, err) < 0)
		return -1;
	json_t *maps = mf_pin_file_object(f.tree, "maps", err);
	if (!maps)
		return -1;
	json_t *document MF_JSON_CLEANUP =
	    n ? json_pack("{s:i,s:{},s:{},s:s}", "manifestoTrust", 1, "pins", "maps", "schema", EXPORT)
	      : json_pack("{s:i,s:O,s:O,s:s}", "manifestoTrust", 1, "pins", json_object_get(f.tree, "pins"),
			  "maps", maps, "schema", EXPORT);
	json_t *names = json_object_get(f.tree, "names");
	if (!document || (json_object_size(names) && json_object_set(document, "names", names) < 0))
		return mf_fail_nomem(err);
	if (n && choose(f.tree, patterns, n, document, err) < 0)
		return -1;
	if (!json_object_size(json_object_get(document, "maps")))
		(void)json_object_del(document, "maps");
	return mf_json_dump(document, JSON_INDENT(2) | JSON_SORT_KEYS, out, err) < 0
		   ? -1
		   : mf_buf_addc(out, '\n', err);
}

static bool same_pin(const struct mf_pin *a, const struct mf_pin *b)
{
	if (a->n != b->n || a->threshold != b->threshold || !a->ca != !b->ca ||
	    (a->ca && strcmp(a->ca, b->ca) != 0))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!lists(b, &a->fingerprints[i]))
			return false;
	return true;
}

/* An import of pins and maps. Each one is compared with the state before the import. */
struct taking {
	const struct mf_pin_import *in;
	const char *home;
	json_t *pins, *maps, *pins_before, *maps_before;
	const json_t *theirs; /* the document */
	bool changed;
};

static void taking_clear(struct taking *t)
{
	json_decref(t->pins_before);
	json_decref(t->maps_before);
}

/* Compares a pin to import with the pin or map that decides for its pattern here. */
static int compare(const struct taking *t, const char *pattern, const json_t *value, enum mf_pin_change *what,
		   struct mf_err *err)
{
	struct mf_pin theirs MF_PIN_CLEANUP = {0};
	struct mf_pin ours MF_PIN_CLEANUP = {0};
	struct mf_esc e;
	const char *held, *mapped;
	/* A pin of a longer pattern overrules the prefix pin that decides here so far: if they differ, that
	 * counts as a replacement. */
	const json_t *have = mf_pin_deciding(t->pins_before, pattern, &held);
	if (!*pattern || read_pin(t->home, pattern, value, &theirs, err) < 0) {
		if (!*pattern)
			return mf_fail(err, MF_E_FORMAT, 0, "a pin has no name");
		if (err->code == MF_E_PIN)
			(void)mf_recode(err, MF_E_FORMAT);
		return mf_wrap(err, "pin '%s'", mf_esc(&e, mf_str_c(pattern)));
	}
	*what = mf_map_deciding(t->maps_before, t->pins_before, pattern, &mapped) ? MF_PIN_REPLACED
										  : MF_PIN_ADDED;
	if (!have || *what == MF_PIN_REPLACED)
		return 0;
	/* If our own pin is broken, any other counts as different. */
	struct mf_err broken = MF_ERR_INIT;
	bool same = read_pin(t->home, held, have, &ours, &broken) == 0 && same_pin(&theirs, &ours);
	*what = !same ? MF_PIN_REPLACED : strcmp(held, pattern) == 0 ? MF_PIN_SAME : MF_PIN_ADDED;
	return 0;
}

static int refuse_replacing(const char *what, const char *pattern, struct mf_err *err)
{
	struct mf_esc e;
	(void)mf_fail(err, MF_E_PIN, 0, "this machine has a different %s for '%s'", what,
		      mf_esc(&e, mf_str_c(pattern)));
	mf_err_set_hint(err,
			"ask the owner of the repository %s is right; --force replaces what this machine has",
			strcmp(what, "pin") == 0 ? "which root key" : "whose trust repository");
	return -1;
}

static int take_pin(struct taking *t, const char *pattern, json_t *value, struct mf_err *err)
{
	enum mf_pin_change what = MF_PIN_ADDED;
	if (compare(t, pattern, value, &what, err) < 0)
		return -1;
	if (what == MF_PIN_REPLACED && !t->in->replace)
		return refuse_replacing("pin", pattern, err);
	if (t->in->each(t->in->arg, pattern, what, err) < 0)
		return -1;
	if (what == MF_PIN_SAME)
		return 0;
	t->changed = true;
	(void)json_object_del(t->maps, pattern);
	return json_object_set(t->pins, pattern, value) < 0 ? mf_fail_nomem(err) : 0;
}

/* Compares a map to import with what decides for its pattern here: a map, a pin, or nothing. */
static int compare_map(const struct taking *t, const char *pattern, const char *target,
		       enum mf_pin_change *what, struct mf_err *err)
{
	const char *held;
	/* A map in place of a pin is always a replacement, even if the pin covers the target, too: another
	 * trust repository would speak for the name. */
	bool other = mf_pin_deciding(t->pins_before, pattern, &held) != NULL;
	const json_t *map = mf_map_deciding(t->maps_before, t->pins_before, pattern, &held);
	if (map) {
		const char *ours = json_string_value(map);
		char *now MF_FREE = mf_map_origin(held, ours ? ours : "", pattern);
		if (!now)
			return mf_fail_nomem(err);
		other = strcmp(now, target) != 0;
	}
	*what = other                                      ? MF_PIN_REPLACED
		: json_object_get(t->maps_before, pattern) ? MF_PIN_SAME
							   : MF_PIN_ADDED;
	return 0;
}

static int take_map(struct taking *t, const char *pattern, json_t *value, struct mf_err *err)
{
	enum mf_pin_change what = MF_PIN_ADDED;
	const char *target = json_string_value(value);
	struct mf_esc e;
	if (mf_map_check(pattern, target, err) < 0)
		return -1;
	if (json_object_get(json_object_get(t->theirs, "pins"), pattern))
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' has both a pin and a map",
			       mf_esc(&e, mf_str_c(pattern)));
	if (compare_map(t, pattern, target, &what, err) < 0)
		return -1;
	if (what == MF_PIN_REPLACED && !t->in->replace)
		return refuse_replacing("map or pin", pattern, err);
	if (t->in->mapped(t->in->arg, pattern, target, what, err) < 0)
		return -1;
	if (what == MF_PIN_SAME)
		return 0;
	t->changed = true;
	(void)json_object_del(t->pins, pattern);
	return json_object_set(t->maps, pattern, value) < 0 ? mf_fail_nomem(err) : 0;
}

static int take_pins_and_maps(struct taking *t, struct mf_err *err)
{
	const char *pattern;
	json_t *value, *maps = NULL;
	t->pins_before = json_copy(t->pins);
	t->maps_before = json_copy(t->maps);
	if (!t->pins_before || !t->maps_before)
		return mf_fail_nomem(err);
	if (mf_json_get_obj(t->theirs, "maps", MF_JSON_OPTIONAL, &maps, err) < 0)
		return -1;
	json_object_foreach(json_object_get(t->theirs, "pins"), pattern,
			    value) if (take_pin(t, pattern, value, err) < 0) return -1;
	json_object_foreach(maps, pattern, value) if (take_map(t, pattern, value, err) < 0) return -1;
	return json_object_size(maps) ? mf_map_check_all(t->maps, err) : 0;
}

int mf_pin_import(const char *home, const struct mf_pin_import *in, const struct mf_env *env,
		  struct mf_err *err)
{
	struct mf_pin_file f MF_PIN_FILE_CLEANUP = MF_PIN_FILE_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	if (mf_file_read(in->path, MF_MAX_CONFIG_BYTES, &text, err) < 0)
		return err->code == MF_E_NOT_FOUND ? mf_recode(err, MF_E_USAGE) : -1;
	json_t *theirs MF_JSON_CLEANUP = parse(mf_buf_bytes(&text), in->path, err);
	if (!theirs)
		return err->code == MF_E_PIN ? mf_recode(err, MF_E_FORMAT) : -1;
	if (mf_pin_file_open(&f, home, env, err) < 0)
		return -1;
	json_t *names = mf_pin_file_object(f.tree, "names", err), *their_names = NULL;
	json_t *maps = names ? mf_pin_file_object(f.tree, "maps", err) : NULL;
	struct taking t MF_CLEANUP(taking_clear) = {
	    .in = in, .home = home, .pins = json_object_get(f.tree, "pins"), .maps = maps, .theirs = theirs};
	struct naming g = {
	    .names = names, .own = in->own, .replace = in->replace, .each = in->named, .arg = in->arg};
	if (!maps || mf_json_get_obj(theirs, "names", MF_JSON_OPTIONAL, &their_names, err) < 0 ||
	    take_pins_and_maps(&t, err) < 0 || take_names(&g, their_names, err) < 0)
		return -1;
	return t.changed || g.changed ? mf_pin_file_save(&f, err) : 0;
}

int mf_pin_from_root(const struct mf_dialect *d, const char *gun, int64_t now, struct mf_bytes root,
		     struct mf_digest *fps, size_t *n, int64_t *threshold, struct mf_err *err)
{
	struct mf_buf copy MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (mf_buf_add(&copy, root.p, root.n, err) < 0)
		return -1;
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = mf_tuf_parse_unverified(d, MF_TUF_ROOT, &copy, err);
	if (!f || mf_tuf_root_check(d, mf_str_c(gun), now, f, NULL, err) < 0)
		return -1;
	const struct mf_tuf_role *role = &f->roles[MF_TUF_ROOT];
	*n = 0;
	for (size_t i = 0; i < role->nkeys && *n < MF_MAX_SIGNATURES; i++)
		if (role->keys[i]->pub)
			fps[(*n)++] = mf_pubkey_fingerprint(role->keys[i]->pub);
	*threshold = role->threshold;
	return 0;
}
