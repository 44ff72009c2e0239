/* Each bound of base/limits.h that a repository can run into: at it, and one over. */
#include "repository.h"

#define ALL_1 "root.1 snapshot.1 targets.1 timestamp.1"
#define START "2.root.json timestamp.json 1.snapshot.json 1.targets.json"

static struct rp *client_of(void **state, const char *name, const char *script)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r = rp_new(state, name);
	rp_do(r, script);
	if (!r->root_serial)
		rp_publish_root(r, 0);
	rp_ok(rp_init_client(r, &err), &err);
	return r;
}

/* Blanks behind the file make it so long. */
static void pad_to(struct rp *r, const char *role, size_t length)
{
	struct rp_role *f = rp_role(r, role);
	f->pad = 0;
	rp_do(r, "");
	f->pad = length - f->bytes.n;
	if (strcmp(role, "root") == 0)
		rp_publish_root(r, 0);
	else
		rp_do(r, "");
	assert_int_equal(f->bytes.n, length);
}

static void metadata_of_unannounced_length_has_a_limit(void **state)
{
	static const struct {
		const char *role, *stored;
		size_t max;
	} rows[] = {
	    {"root", "root.1", MF_MAX_ROOT_BYTES},
	    {"timestamp", "root.1", MF_MAX_TIMESTAMP_BYTES},
	    {"snapshot", "root.1 timestamp.1", MF_MAX_SNAPSHOT_BYTES},
	};
	for (size_t i = 0; i < RP_COUNT(rows); i++)
		for (size_t over = 0; over < 2; over++) {
			struct mf_err err = MF_ERR_INIT;
			struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
			char name[32];
			(void)snprintf(name, sizeof name, "%zu.%zu", i, over);
			struct rp *r RP_CLEANUP = client_of(state, name, "");
			pad_to(r, rows[i].role, rows[i].max + over);
			assert_int_equal(rp_run(r, NULL, &err), over ? MF_E_FORMAT : MF_OK);
			rp_stored(r, &text);
			if (over)
				assert_string_equal(text.p, rows[i].stored);
		}
}

/* The limit of a targets file is a hundred megabytes: what is asked for shows it. */
static void targets_of_unannounced_length_have_a_limit(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = client_of(state, "r", "");
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	assert_string_equal(rp_requests(r), START);
	assert_int_equal(r->max, MF_MAX_TARGETS_BYTES);
}

/* What the parent announces is the limit, and never more than the fixed one. */
static void announced_length_is_the_limit(void **state)
{
	static const struct {
		const char *what, *role, *parent;
		int more;
		enum mf_code code;
	} rows[] = {
	    {"snapshot", "snapshot", "timestamp", 0, MF_OK},
	    {"snapshot, one over", "snapshot", "timestamp", -1, MF_E_FORMAT},
	    {"snapshot, one less", "snapshot", "timestamp", 1, MF_OK}, /* an upper bound (5.5.1) */
	    {"targets", "targets", "snapshot", 0, MF_OK},
	    {"targets, one over", "targets", "snapshot", -1, MF_E_FORMAT},
	    {"targets, one less", "targets", "snapshot", 1, MF_OK},
	    {"delegated", "A", "snapshot", 0, MF_OK},
	    {"delegated, one over", "A", "snapshot", -1, MF_E_FORMAT},
	};
	for (size_t i = 0; i < RP_COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		char name[64], script[256];
		(void)snprintf(name, sizeof name, "%zu", i);
		struct rp *r RP_CLEANUP = client_of(state, name, "delegate targets A a 1 *; target A f x");
		(void)snprintf(name, sizeof name, "%s.json", rows[i].role);
		/* The entry stands there when the parent is signed, without being made again. */
		struct rp_role *role = rp_role(r, rows[i].role), *parent = rp_role(r, rows[i].parent);
		(void)snprintf(script, sizeof script, "{\"length\":%zu,\"version\":1}",
			       (size_t)((long)role->bytes.n + rows[i].more));
		assert_int_equal(
		    json_object_set_new(json_object_get(parent->body, "meta"), name, rp_json(script)), 0);
		rp_sign(r, parent);
		rp_put(r, parent);
		enum mf_code code = rp_run(r, "f", &err);
		if (code != rows[i].code)
			fail_msg("%s: %s: %s", rows[i].what, mf_code_name(code), err.msg);
	}
}

static void announced_length_0_is_no_metadata(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = client_of(state, "r", "");
	struct rp_role *timestamp = rp_role(r, "timestamp");
	assert_int_equal(json_object_set_new(json_object_get(timestamp->body, "meta"), "snapshot.json",
					     rp_json("{\"length\":0,\"version\":1}")),
			 0);
	rp_sign(r, timestamp);
	rp_put(r, timestamp);
	assert_int_equal(rp_run(r, NULL, &err), MF_E_FORMAT);
	assert_string_equal(rp_requests(r), "2.root.json timestamp.json");
}

static void announced_length_above_the_limit_allows_no_more(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = client_of(state, "r", "");
	struct rp_role *timestamp = rp_role(r, "timestamp");
	pad_to(r, "snapshot", MF_MAX_SNAPSHOT_BYTES + 1);
	assert_int_equal(json_object_set_new(json_object_get(timestamp->body, "meta"), "snapshot.json",
					     rp_json("{\"length\":9007199254740991,\"version\":1}")),
			 0);
	rp_sign(r, timestamp);
	rp_put(r, timestamp);
	assert_int_equal(rp_run(r, NULL, &err), MF_E_FORMAT);
	assert_int_equal(r->max, MF_MAX_SNAPSHOT_BYTES);
}

/* ---- roots */

static int64_t stored_root(const struct rp *r)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	rp_stored(r, &text);
	assert_int_equal(strncmp(text.p, "root.", 5), 0);
	return strtoll(text.p + 5, NULL, 10);
}

static void roots_beyond_the_limit_are_for_the_next_run(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = client_of(state, "r", "");
	for (int i = 0; i < MF_MAX_ROOT_STEPS; i++)
		rp_publish_root(r, 0);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	assert_int_equal(stored_root(r), 1 + MF_MAX_ROOT_STEPS);
	for (int i = 0; i < MF_MAX_ROOT_STEPS + 1; i++)
		rp_publish_root(r, 0);
	assert_int_equal(rp_run(r, NULL, &err), MF_E_FORMAT);
	assert_int_equal(stored_root(r), 1 + 2 * MF_MAX_ROOT_STEPS);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	assert_int_equal(stored_root(r), 2 + 2 * MF_MAX_ROOT_STEPS);
}

/* ---- delegations */

/* A chain of n roles; the last one has the target. */
static void delegations_visited_for_a_name_have_a_limit(void **state)
{
	for (int over = 0; over < 2; over++) {
		struct mf_err err = MF_ERR_INIT;
		char script[128], name[32], parent[32] = "targets";
		(void)snprintf(name, sizeof name, "%d", over);
		struct rp *r RP_CLEANUP = rp_new(state, name);
		for (int i = 0; i < MF_MAX_DELEGATIONS_LOOKUP + over; i++) {
			(void)snprintf(name, sizeof name, "r%d", i);
			(void)snprintf(script, sizeof script, "delegate %s %s a 1 *", parent, name);
			rp_do(r, script);
			memcpy(parent, name, sizeof name);
		}
		(void)snprintf(script, sizeof script, "target %s f x; root", name);
		rp_do(r, script);
		rp_ok(rp_init_client(r, &err), &err);
		assert_int_equal(rp_run(r, "f", &err), over ? MF_E_FORMAT : MF_OK);
		/* The 33rd is not asked for. */
		assert_null(strstr(rp_requests(r), "1.r32.json"));
	}
}

/* Beside one another; those of other paths do not count. */
static void only_delegations_that_allow_the_name_count(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	char script[128];
	for (int i = 0; i < 3 * MF_MAX_DELEGATIONS_LOOKUP; i++) {
		(void)snprintf(script, sizeof script, "delegate targets r%d a 1 %s", i, i % 3 ? "g" : "f");
		rp_do(r, script);
	}
	rp_do(r, "target r93 f x; root");
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rp_run(r, "f", &err), MF_OK);
	assert_int_equal(rp_run(r, "g", &err), MF_E_FORMAT);
}

/* ---- role names */

/* A name that is too long for a file is used, and fetched in every run. */
static void role_names_have_a_limit_and_files_another(void **state)
{
	static const struct {
		size_t n, quoted; /* letters, and signs that take three octets each */
		enum mf_code code;
		bool stored;
	} rows[] = {
	    {250, 0, MF_OK, true},
	    {251, 0, MF_OK, false},
	    {MF_MAX_ROLE_NAME, 0, MF_OK, false},
	    {MF_MAX_ROLE_NAME + 1, 0, MF_E_FORMAT, false},
	    {1, 83, MF_OK, true},
	    {2, 83, MF_OK, false},
	    {0, MF_MAX_ROLE_NAME, MF_OK, false},
	};
	for (size_t i = 0; i < RP_COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		char name[32], role[MF_MAX_ROLE_NAME + 2] = "", script[1024];
		struct rp *r RP_CLEANUP = (snprintf(name, sizeof name, "%zu", i), rp_new(state, name));
		memset(role, 'a', rows[i].n);
		memset(role + rows[i].n, '+', rows[i].quoted);
		(void)snprintf(script, sizeof script, "delegate targets %s a 1 *; target %s f x; root", role,
			       role);
		rp_do(r, script);
		rp_ok(rp_init_client(r, &err), &err);
		assert_int_equal(rp_run(r, "f", &err), rows[i].code);
		if (rows[i].code != MF_OK)
			continue;
		assert_int_equal(tmpdir_entries(r->metadata), rows[i].stored ? 6 : 5);
		assert_int_equal(rp_run(r, "f", &err), MF_OK);
		assert_int_equal(strstr(rp_requests(r), " 1.") == NULL, rows[i].stored);
		assert_int_equal(r->warnings.n, 0);
	}
}

/* ---- JSON, keys, signatures */

static void json_depth_has_a_limit(void **state)
{
	/* The document, "signed" and the member are levels as well. */
	for (size_t over = 0; over < 2; over++) {
		struct mf_err err = MF_ERR_INIT;
		char name[32], deep[256] = "", script[512];
		size_t n = MF_MAX_JSON_DEPTH - 2 + over;
		(void)snprintf(name, sizeof name, "%zu", over);
		memset(deep, '[', n);
		memset(deep + n, ']', n);
		(void)snprintf(script, sizeof script, "set timestamp x = %s", deep);
		struct rp *r RP_CLEANUP = client_of(state, name, script);
		assert_int_equal(rp_run(r, NULL, &err), over ? MF_E_FORMAT : MF_OK);
	}
}

static void signatures_of_a_file_have_a_limit(void **state)
{
	for (int over = 0; over < 2; over++) {
		struct mf_err err = MF_ERR_INIT;
		char name[32], letters[128] = "t", script[256];
		int n = 1;
		(void)snprintf(name, sizeof name, "%d", over);
		for (char c = '0'; n < MF_MAX_SIGNATURES + over; c++)
			if (c != ';' && c != 't' && c != '=' && c != '\\')
				letters[n++] = c;
		(void)snprintf(script, sizeof script, "by timestamp %s", letters);
		struct rp *r RP_CLEANUP = client_of(state, name, script);
		assert_int_equal(rp_run(r, NULL, &err), over ? MF_E_FORMAT : MF_OK);
	}
}

static void keys_of_a_file_have_a_limit(void **state)
{
	for (size_t over = 0; over < 2; over++) {
		struct mf_err err = MF_ERR_INIT;
		char name[32], id[32];
		(void)snprintf(name, sizeof name, "%zu", over);
		struct rp *r RP_CLEANUP = client_of(state, name, "");
		json_t *keys = json_object_get(rp_role(r, "root")->body, "keys");
		for (size_t i = json_object_size(keys); i < MF_MAX_KEYS + over; i++) {
			(void)snprintf(id, sizeof id, "%zu", i);
			assert_int_equal(
			    json_object_set_new(keys, id,
						rp_json("{\"keytype\":\"x\",\"keyval\":{\"public\":\"x\"}}")),
			    0);
		}
		rp_do(r, "root");
		assert_int_equal(rp_run(r, NULL, &err), over ? MF_E_FORMAT : MF_OK);
		assert_int_equal(stored_root(r), over ? 1 : 2);
	}
}

/* As many roles as a snapshot can hold are floors of the next run, in no time. */
static void snapshot_full_of_roles_is_no_burden(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = client_of(state, "r", "");
	json_t *meta = json_object_get(rp_role(r, "snapshot")->body, "meta");
	char name[32];
	for (int i = 0; i < 60000; i++) {
		(void)snprintf(name, sizeof name, "%06d.json", i);
		assert_int_equal(json_object_set_new(meta, name, rp_json("{\"version\":2}")), 0);
	}
	rp_do(r, "");
	assert_true(rp_role(r, "snapshot")->bytes.n > MF_MAX_SNAPSHOT_BYTES * 3 / 4);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	assert_int_equal(json_object_set_new(meta, "059999.json", rp_json("{\"version\":1}")), 0);
	rp_do(r, "bump snapshot; bump timestamp");
	int64_t start = mf_monotonic_ms();
	assert_int_equal(rp_run(r, NULL, &err), MF_E_ROLLBACK);
	assert_true(mf_monotonic_ms() - start < 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(metadata_of_unannounced_length_has_a_limit),
	    tmpdir_test(targets_of_unannounced_length_have_a_limit),
	    tmpdir_test(announced_length_is_the_limit),
	    tmpdir_test(announced_length_0_is_no_metadata),
	    tmpdir_test(announced_length_above_the_limit_allows_no_more),
	    tmpdir_test(roots_beyond_the_limit_are_for_the_next_run),
	    tmpdir_test(delegations_visited_for_a_name_have_a_limit),
	    tmpdir_test(only_delegations_that_allow_the_name_count),
	    tmpdir_test(role_names_have_a_limit_and_files_another),
	    tmpdir_test(json_depth_has_a_limit),
	    tmpdir_test(signatures_of_a_file_have_a_limit),
	    tmpdir_test(keys_of_a_file_have_a_limit),
	    tmpdir_test(snapshot_full_of_roles_is_no_burden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
