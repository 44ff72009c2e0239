/* Every repository of the golden vectors through the client workflow, with files as the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/encode.h"
#include "tuf/tuf.h"

#define DATA "testdata/notary/"

static const struct mf_dialect *const d = &mf_dialect_notary;
static json_t *vectors, *deviations;
static int64_t now;

/* ---- the server */

static bool read_path(const char *path, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	char chunk[4096];
	FILE *f = fopen(path, "rb");
	if (!f)
		return false;
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
		assert_int_equal(mf_buf_add(out, chunk, n, &err), 0);
	assert_int_equal(ferror(f), 0);
	(void)fclose(f);
	return true;
}

/* The bytes served for "root", "2.root", "targets/a"; false: not there. */
static bool fetch(const char *base, const char *name, struct mf_buf *out)
{
	static const char *const places[] = {"", "metadata/", "versions/"};
	char path[1024];
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		(void)snprintf(path, sizeof path, DATA "%s/%s%s.json", base, places[i], name);
		if (read_path(path, out))
			return true;
	}
	return false;
}

static struct mf_tuf_file *fetch_file(const char *base, const char *name, enum mf_tuf_type type,
				      struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (!fetch(base, name, &bytes)) {
		(void)mf_fail(err, MF_E_GONE, 0, "%s is not on the server", name);
		return NULL;
	}
	return mf_tuf_parse_unverified(d, type, &bytes, err);
}

static struct mf_tuf_file *fetch_root(const char *base, int64_t version, struct mf_err *err)
{
	char name[64];
	(void)snprintf(name, sizeof name, "%lld.root", (long long)version);
	return fetch_file(base, name, MF_TUF_ROOT, err);
}

/* ---- the client's state: floors of a cache, pins */

static void add_floor(struct mf_tuf_floors *floors, const char *role, const char *base, enum mf_tuf_type type)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = fetch_file(base, role, type, &err);
	if (!f && type == MF_TUF_TARGETS && err.code == MF_E_GONE)
		return; /* a role that this client never needed */
	assert_non_null(f);
	assert_int_equal(mf_grow((void **)&floors->v, &floors->cap, floors->n, sizeof *floors->v, &err), 0);
	floors->v[floors->n++] = (struct mf_tuf_floor){strdup(role), f->version};
}

static void floors_of_cache(struct mf_tuf_floors *floors, const char *base)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_file *snapshot MF_TUF_FILE_CLEANUP =
	    fetch_file(base, "snapshot", MF_TUF_SNAPSHOT, &err);
	assert_non_null(snapshot);
	add_floor(floors, "root", base, MF_TUF_ROOT);
	add_floor(floors, "timestamp", base, MF_TUF_TIMESTAMP);
	add_floor(floors, "snapshot", base, MF_TUF_SNAPSHOT);
	for (size_t i = 0; i < snapshot->nmeta; i++) {
		char *role = mf_str_dup(snapshot->meta[i].name);
		if (strcmp(role, "root") != 0)
			add_floor(floors, role, base, MF_TUF_TARGETS);
		free(role);
	}
}

static void floors_clear(struct mf_tuf_floors *floors)
{
	for (size_t i = 0; i < floors->n; i++)
		free(floors->v[i].role);
	free(floors->v);
}

static bool key_fingerprint(const struct mf_tuf_file *root, const char *id, struct mf_digest *out)
{
	for (size_t i = 0; root && i < root->nkeys; i++)
		if (mf_str_eqz(root->keys[i].id, id) && root->keys[i].pub) {
			*out = mf_pubkey_fingerprint(root->keys[i].pub);
			return true;
		}
	return false;
}

/* Pins are given as key IDs; an ID in none of the repository's roots becomes a digest that fits nothing. */
static struct mf_digest pin_of(const char *base, const char *id)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest fp = {{0}};
	struct mf_tuf_file *served MF_TUF_FILE_CLEANUP = fetch_file(base, "root", MF_TUF_ROOT, &err);
	bool found = key_fingerprint(served, id, &fp);
	for (int64_t v = 1; !found && v <= 8; v++) {
		struct mf_err ignored = MF_ERR_INIT;
		struct mf_tuf_file *old MF_TUF_FILE_CLEANUP = fetch_root(base, v, &ignored);
		found = key_fingerprint(old, id, &fp);
	}
	return fp;
}

/* ---- the workflow (PROTOCOL, "Client update as Go does it"; TUF 1.0.33 section 5) */

/* The newest root that satisfies the pin, from the served one back. */
static int start_at_pin(struct mf_tuf_set *s, const char *base, const struct mf_tuf_anchor *pin,
			struct mf_err *err)
{
	struct mf_tuf_file *root = fetch_file(base, "root", MF_TUF_ROOT, err);
	while (root) {
		struct mf_err misfit = MF_ERR_INIT;
		int64_t before = root->version - 1;
		if (mf_tuf_root_check(d, s->gun, s->now, root, pin, &misfit) == 0)
			return mf_tuf_set_root(s, root, pin, err);
		mf_tuf_file_free(root);
		if (before < 1)
			return mf_fail(err, MF_E_PIN, 0, "no root fits the pin");
		root = fetch_root(base, before, err);
	}
	return err->code == MF_E_GONE ? mf_recode(err, MF_E_PIN) : -1;
}

/* Steps to the served root, each verified by the one before. */
static int update_root(struct mf_tuf_set *s, const char *base, struct mf_err *err)
{
	struct mf_tuf_file *served MF_TUF_FILE_CLEANUP = fetch_file(base, "root", MF_TUF_ROOT, err);
	if (!served)
		return -1;
	while (s->root->version + 1 < served->version) {
		struct mf_tuf_file *next = fetch_root(base, s->root->version + 1, err);
		if (!next || mf_tuf_set_next_root(s, next, err) < 0)
			return -1;
	}
	if (served->version == s->root->version)
		return 0;
	struct mf_tuf_file *last = served;
	served = NULL;
	return mf_tuf_set_next_root(s, last, err);
}

static int bootstrap(struct mf_tuf_set *s, const char *base, const char *cache,
		     const struct mf_tuf_anchor *pin, struct mf_err *err)
{
	if (pin->n)
		return start_at_pin(s, base, pin, err) < 0 ? -1 : update_root(s, base, err);
	struct mf_tuf_file *root = fetch_file(cache ? cache : base, "root", MF_TUF_ROOT, err);
	return root ? mf_tuf_set_root(s, root, NULL, err) : -1;
}

static int update_top(struct mf_tuf_set *s, const char *base, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (mf_tuf_set_root_done(s, err) < 0)
		return -1;
	assert_true(fetch(base, "timestamp", &bytes));
	if (mf_tuf_set_timestamp(s, &bytes, err) < 0)
		return -1;
	assert_true(fetch(base, "snapshot", &bytes));
	return mf_tuf_set_snapshot(s, &bytes, false, err);
}

static int update_delegations(struct mf_tuf_set *s, const char *base, struct mf_str prefix,
			      struct mf_err *err)
{
	struct mf_tuf_edge wanted[32];
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	for (size_t n;;) {
		if (mf_tuf_set_unloaded(s, prefix, 32, wanted, &n, err) < 0)
			return -1;
		if (n == 0)
			return 0;
		for (size_t i = 0; i < n; i++) {
			if (!fetch(base, wanted[i].role->name, &bytes))
				return mf_fail(err, MF_E_GONE, 0, "%s is not on the server",
					       wanted[i].role->name);
			if (mf_tuf_set_delegated(s, &wanted[i], &bytes, false, err) < 0)
				return -1;
		}
	}
}

static int update(struct mf_tuf_set *s, const char *base, struct mf_str prefix, struct mf_err *err)
{
	struct mf_err first = MF_ERR_INIT;
	if (update_top(s, base, &first) < 0) {
		mf_tuf_set_rewind(s);
		if (update_root(s, base, err) < 0 || update_top(s, base, err) < 0)
			return -1;
	}
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	assert_true(fetch(base, "targets", &bytes));
	return mf_tuf_set_targets(s, &bytes, false, err) < 0 ? -1 : update_delegations(s, base, prefix, err);
}

/* ---- what is found */

static void add_found(json_t *found, const struct mf_tuf_loaded *l)
{
	struct mf_err err = MF_ERR_INIT;
	for (size_t i = 0; i < l->file->ntargets; i++) {
		struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		assert_int_equal(mf_json_string_decode(mf_tuf_target_name(l->file, i), &name, &err), 0);
		assert_int_equal(mf_tuf_target_find(l->file, mf_buf_str(&name)), i);
		if (mf_tuf_loaded_covers(d, l, mf_buf_str(&name)) && !json_object_get(found, name.p))
			assert_int_equal(json_object_set_new(found, name.p, json_string(l->role)), 0);
	}
}

/* Name to role, breadth first; the first role that holds a name wins. */
static json_t *all_targets(const struct mf_tuf_set *s)
{
	const struct mf_tuf_loaded *queue[32] = {mf_tuf_set_find(s, "targets")};
	json_t *found = json_object();
	for (size_t at = 0, n = 1; at < n; at++) {
		add_found(found, queue[at]);
		for (size_t i = 0; i < queue[at]->file->nroles; i++) {
			const struct mf_tuf_loaded *l = mf_tuf_set_find(s, queue[at]->file->roles[i].name);
			if (l && n < 32)
				queue[n++] = l;
		}
	}
	return found;
}

/* ---- one entry */

struct verdict {
	enum mf_code code; /* MF_OK: accepted */
	char msg[1024];
	json_t *targets;
};

static const char *text_of(const json_t *entry, const char *name)
{
	return json_string_value(json_object_get(entry, name));
}

static struct verdict evaluate(const json_t *entry, struct mf_str prefix)
{
	const char *file = text_of(entry, "file"), *server = text_of(entry, "server"),
		   *cache = text_of(entry, "cache");
	const json_t *pins = json_object_get(entry, "pins"), *id;
	const char *base = server ? server : file;
	struct mf_digest fps[4];
	struct mf_tuf_anchor pin = {.fingerprints = fps, .threshold = 1};
	struct mf_tuf_floors floors = {0};
	struct mf_tuf_set s;
	struct mf_err err = MF_ERR_INIT;
	size_t i;
	if (server && !pins)
		cache = file;
	if (cache)
		floors_of_cache(&floors, cache);
	json_array_foreach(pins, i, id) fps[pin.n++] = pin_of(base, json_string_value(id));
	mf_tuf_set_init(&s, d, mf_str_c(text_of(entry, "gun")), now, &floors);
	struct verdict v = {.code = MF_OK};
	if (bootstrap(&s, base, cache, &pin, &err) == 0 && update(&s, base, prefix, &err) == 0)
		v.targets = all_targets(&s);
	v.code = err.code;
	memcpy(v.msg, err.msg, sizeof v.msg);
	assert_true(!v.targets == (v.code != MF_OK));
	mf_tuf_set_clear(&s);
	floors_clear(&floors);
	return v;
}

static const json_t *deviation_of(const char *file)
{
	const json_t *row;
	size_t i;
	json_array_foreach(deviations, i, row) if (strcmp(text_of(row, "file"), file) == 0) return row;
	return NULL;
}

/* Why a rejected repository is rejected: the first row whose prefix fits. */
static enum mf_code expected_code(const char *file)
{
	static const struct {
		const char *prefix;
		enum mf_code code;
	} rows[] = {
	    {"derived/bad-signature-", MF_E_SIGNATURE},
	    {"derived/no-signatures-", MF_E_SIGNATURE},
	    {"derived/wrong-key-", MF_E_SIGNATURE},
	    {"derived/threshold-not-met-", MF_E_SIGNATURE},
	    {"derived/threshold-zero", MF_E_FORMAT},
	    {"derived/duplicate-", MF_E_SIGNATURE},
	    {"derived/keyid-not-of-content", MF_E_SIGNATURE},
	    {"derived/keyid-without-key", MF_E_FORMAT},
	    {"derived/method-", MF_E_SIGNATURE},
	    {"derived/ecdsa-der-signature", MF_E_SIGNATURE},
	    {"derived/signature-over-wire-form", MF_E_SIGNATURE},
	    {"derived/hash-mismatch-", MF_E_DIGEST},
	    {"derived/hash-wrong-", MF_E_DIGEST},
	    {"derived/hash-", MF_E_FORMAT},
	    {"derived/timestamp-no-sha256", MF_E_FORMAT},
	    {"derived/length-too-small", MF_E_DIGEST},
	    {"derived/snapshot-without-", MF_E_FORMAT},
	    {"derived/trailing-garbage-", MF_E_FORMAT},
	    {"derived/expired-", MF_E_EXPIRED},
	    {"derived/cert-expired", MF_E_EXPIRED},
	    {"derived/cert-not-yet-valid", MF_E_EXPIRED},
	    {"derived/expires-lower-case-z", MF_E_FORMAT},
	    {"derived/type-", MF_E_FORMAT},
	    {"derived/version-zero-", MF_E_FORMAT},
	    /* The cached root has the same version and other bytes: the snapshot's hash refuses it first. */
	    {"derived/rollback-targets", MF_E_DIGEST},
	    {"derived/rollback-delegation", MF_E_DIGEST},
	    {"derived/rollback-", MF_E_ROLLBACK},
	    {"derived/mixed-versions", MF_E_DIGEST},
	    {"derived/old-timestamp-new-rest", MF_E_DIGEST},
	    {"derived/root-without-role-", MF_E_FORMAT},
	    {"derived/cert-", MF_E_SIGNATURE},
	    {"derived/root-bare-", MF_E_SIGNATURE},
	    {"derived/root-ed25519-certificate", MF_E_SIGNATURE},
	    {"derived/root-pinned-elsewhere", MF_E_PIN},
	    {"derived/rotate-gap", MF_E_GONE},
	    {"derived/rotate-takeover",
	     MF_E_DIGEST}, /* same version: the snapshot's hash distinguishes the roots */
	    {"derived/rotate-", MF_E_SIGNATURE},
	    {"derived/delegation-file-missing", MF_E_GONE},
	    {"derived/delegation-", MF_E_FORMAT},
	    {"derived/good-same-pair-", MF_E_SIGNATURE},
	    {"derived/good-delegation-bad-signature", MF_E_SIGNATURE},
	    {"derived/good-delegation-expired", MF_E_EXPIRED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (mf_str_starts(mf_str_c(file), mf_str_c(rows[i].prefix)))
			return rows[i].code;
	fail_msg("no row says why %s is rejected", file);
	return MF_OK;
}

/* As stated: the verdict, and what is found. */
static bool agrees(const json_t *entry, const struct verdict *v)
{
	const json_t *targets = json_object_get(entry, "targets");
	if (strcmp(text_of(entry, "expect"), "reject") == 0)
		return v->code != MF_OK;
	return v->code == MF_OK && (!targets || json_equal(targets, v->targets));
}

static void vector_gives_the_stated_result(void **state)
{
	const json_t *entry = *state;
	const char *file = text_of(entry, "file");
	const json_t *deviation = deviation_of(file);
	struct verdict v = evaluate(entry, MF_STR(""));
	bool same = agrees(entry, &v);
	if (!same && !deviation)
		fail_msg("%s: %s is stated, ours: %s (%s)", file, text_of(entry, "expect"),
			 v.code ? "reject" : "accept", v.msg);
	if (same && deviation)
		fail_msg("%s: listed in deviations.json, but it does not deviate", file);
	if (deviation) {
		assert_string_equal(text_of(deviation, "ours"), v.code ? "reject" : "accept");
		assert_true(strlen(text_of(deviation, "reason")) > 20);
	}
	if (v.code != MF_OK && v.code != expected_code(file))
		fail_msg("%s: rejected for the wrong reason: %s", file, v.msg);
	json_decref(v.targets);
}

static const json_t *entry_of(const char *file)
{
	const json_t *entry;
	size_t i;
	json_array_foreach(json_object_get(vectors, "entries"), i,
			   entry) if (strcmp(text_of(entry, "file"), file) == 0) return entry;
	fail_msg("no vector %s", file);
	return NULL;
}

/* targets/releases has the path "": what it broke looks the same as what it withholds. */
static void lookup_fails_when_a_broken_delegation_could_cover_the_name(void **state)
{
	static const char *const files[] = {"derived/good-delegation-bad-signature",
					    "derived/good-delegation-expired"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct verdict v = evaluate(entry_of(files[i]), MF_STR("hello.txt"));
		assert_int_equal(v.code, expected_code(files[i]));
	}
}

/* targets/releases/nested has the path n/: it is not even asked for. */
static void lookup_reads_only_delegations_that_could_cover_the_name(void **state)
{
	(void)state;
	struct verdict v = evaluate(entry_of("derived/good"), MF_STR("hello.txt"));
	assert_int_equal(v.code, MF_OK);
	assert_null(json_object_get(v.targets, "n/x"));
	assert_string_equal(text_of(v.targets, "hello.txt"), "targets");
	json_decref(v.targets);
	v = evaluate(entry_of("delegations"), MF_STR("1.0"));
	assert_int_equal(v.code, MF_OK);
	assert_null(json_object_get(v.targets, "docs/readme"));
	assert_string_equal(text_of(v.targets, "1.0"), "targets/releases");
	json_decref(v.targets);
}

static void every_deviation_names_a_vector(void **state)
{
	const json_t *row;
	size_t i;
	(void)state;
	json_array_foreach(deviations, i, row)
	    assert_non_null(json_object_get(entry_of(text_of(row, "file")), "gun"));
}

/* ---- all entries as tests */

static json_t *load(const char *path)
{
	json_error_t e;
	json_t *j = json_load_file(path, 0, &e);
	if (!j) {
		(void)fprintf(stderr, "%s: %s\n", path, e.text);
		exit(1);
	}
	return j;
}

int main(void)
{
	static const struct CMUnitTest fixed[] = {
	    cmocka_unit_test(every_deviation_names_a_vector),
	    cmocka_unit_test(lookup_fails_when_a_broken_delegation_could_cover_the_name),
	    cmocka_unit_test(lookup_reads_only_delegations_that_could_cover_the_name),
	};
	struct mf_err err = MF_ERR_INIT;
	json_t *entry;
	size_t i, n = sizeof fixed / sizeof fixed[0];
	vectors = load(DATA "INDEX.json");
	deviations = load(DATA "deviations.json");
	if (mf_time_parse(mf_str_c(text_of(vectors, "clock")), &now, &err) < 0)
		return 1;
	json_t *entries = json_object_get(vectors, "entries");
	struct CMUnitTest *tests = calloc(n + json_array_size(entries), sizeof *tests);
	if (!tests)
		return 1;
	memcpy(tests, fixed, sizeof fixed);
	json_array_foreach(entries, i, entry) if (json_object_get(entry, "gun")) tests[n++] =
	    (struct CMUnitTest){.name = text_of(entry, "file"),
				.test_func = vector_gives_the_stated_result,
				.initial_state = entry};
	int rc = _cmocka_run_group_tests("vectors", tests, n, NULL, NULL);
	free(tests);
	json_decref(vectors);
	json_decref(deviations);
	return rc;
}
