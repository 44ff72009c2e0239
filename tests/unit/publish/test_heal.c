/* Which state a bucket is brought back to whose timestamp the newest root does not accept: the last one that
 * is whole and that the remaining keys have signed. Anyone may be the author of the files there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../trust/hostile.h"

#include "publish/publish.h"

#define T(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_drop)
#define ENTRY "\"%s\":{\"hashes\":{\"sha256\":\"%064d\"},\"length\":1}"

/* Root 2 takes the key `lost` away, which has published version 4 before that. */
struct gap {
	struct world w;
	struct hkey root, keeps, lost;
	struct mf_repo_ops bucket;
};

static void write_gap_root(struct gap *g, int64_t version, bool both)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(65536), file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const unsigned rest = 1 << MF_TUF_TARGETS | 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP;
	struct mf_tuf_root_key keys[3] = {{mf_buf_str(&g->root.object), g->root.id, 1 << MF_TUF_ROOT},
					  {mf_buf_str(&g->keeps.object), g->keeps.id, rest},
					  {mf_buf_str(&g->lost.object), g->lost.id, rest}};
	char name[40];
	ok(mf_tuf_build_root(&mf_dialect_tuf1,
			     &(struct mf_tuf_root_spec){keys, both ? 3 : 2, version, g->w.now + 300 * DAY, 0},
			     &canonical, &err),
	   &err);
	sign_file(mf_buf_str(&canonical), (struct hkey *[]){&g->root}, 1, &file);
	(void)snprintf(name, sizeof name, "%lld.root.json", (long long)version);
	write_in(g->w.repo, name, mf_buf_str(&file));
}

/* A version whose only record has this name. */
static void write_version(struct gap *g, int64_t version, const char *record, struct hkey *targets,
			  struct hkey *online)
{
	char entry[200];
	(void)snprintf(entry, sizeof entry, ENTRY, record, 0);
	struct hrole r = {.role = "targets", .version = version, .key = targets, .targets = entry};
	write_all(&g->w, &r, 1, version, online);
}

static void copy_file(struct gap *g, const char *from, const char *to)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	char *path = mf_path_join(g->w.repo, from, NULL);
	ok(mf_file_read(path, b.max, &b, &err), &err);
	free(path);
	write_in(g->w.repo, to, mf_buf_str(&b));
}

static void gap_make(struct gap *g, void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const struct mf_key_info *k;
	world_make(&g->w, state);
	g->root = key_new();
	g->keeps = key_new();
	g->lost = key_new();
	ok(mf_keystore_add(g->w.keys, "keeps", g->keeps.priv, &k, &err), &err);
	g->w.cfg.key_name = "keeps";
	write_gap_root(g, 1, true);
	write_gap_root(g, 2, false);
	pin(&g->w, &g->root.fp);
	write_version(g, 1, "one", &g->keeps, &g->keeps);
	write_version(g, 2, "two", &g->keeps, &g->keeps);
	write_version(g, 3, "three", &g->keeps, &g->keeps);
	g->bucket = mf_repo_tuf_dir;
	g->bucket.root_first = true;
}

/* What is in force afterwards is the version with this record. */
static void heals_to(struct gap *g, const char *record)
{
	struct mf_err err = MF_ERR_INIT;
	write_version(g, 4, "late", &g->lost, &g->lost);
	ok(mf_trust_open(g->w.repo, "oci", NAME, &g->w.cfg, &g->w.trust, &err), &err);
	g->w.trust->repo->ops = &g->bucket;
	assert_int_equal(mf_trust_load(g->w.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN}, &err), -1);
	assert_int_equal(err.code, MF_E_SIGNATURE);
	mf_err_clear(&err);
	int found = mf_publish_heal(g->w.trust, &err);
	ok(found, &err);
	assert_int_equal(found, MF_FOUND);
	const struct mf_tuf_file *targets = mf_trust_set(g->w.trust)->roles[0]->file;
	assert_int_equal(targets->ntargets, 1);
	struct mf_json_string name = mf_tuf_target_name(targets, 0);
	assert_true(mf_str_eqz(name.raw, record));
	key_drop(&g->root);
	key_drop(&g->keeps);
	key_drop(&g->lost);
	world_drop(&g->w);
}

static void the_newest_one_below_it(void **state)
{
	struct gap g;
	gap_make(&g, state);
	heals_to(&g, "three");
}

static void not_one_under_the_name_of_another_version(void **state)
{
	struct gap g;
	gap_make(&g, state);
	copy_file(&g, "1.snapshot.json", "3.snapshot.json");
	heals_to(&g, "two");
}

static void not_one_that_has_expired(void **state)
{
	struct gap g;
	gap_make(&g, state);
	g.w.now -= 200 * DAY;
	write_version(&g, 3, "three", &g.keeps, &g.keeps);
	g.w.now += 200 * DAY;
	heals_to(&g, "two");
}

static void not_one_whose_targets_are_others(void **state)
{
	struct gap g;
	gap_make(&g, state);
	copy_file(&g, "3.snapshot.json", "snapshot");
	write_version(&g, 3, "other", &g.keeps, &g.keeps);
	copy_file(&g, "snapshot", "3.snapshot.json");
	heals_to(&g, "two");
}

static void not_one_whose_snapshot_the_lost_key_has_signed(void **state)
{
	struct gap g;
	gap_make(&g, state);
	write_version(&g, 3, "three", &g.keeps, &g.lost);
	heals_to(&g, "two");
}

static void not_one_whose_targets_the_lost_key_has_signed(void **state)
{
	struct gap g;
	gap_make(&g, state);
	write_version(&g, 3, "three", &g.lost, &g.keeps);
	heals_to(&g, "two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_newest_one_below_it),
	    T(not_one_under_the_name_of_another_version),
	    T(not_one_that_has_expired),
	    T(not_one_whose_targets_are_others),
	    T(not_one_whose_snapshot_the_lost_key_has_signed),
	    T(not_one_whose_targets_the_lost_key_has_signed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
