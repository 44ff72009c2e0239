/* Maps: which name is read by whose trust repository, and the connections of an image that has one more. */
#include "world.h"

#include "ops/ops.h"

#define FP "\"fingerprints\":[\"0700000000000000000000000000000000000000000000000000000000000000\"]"

static void write_trust(const struct world *w, const char *text)
{
	write_in(w->home, "trust.json", mf_str_c(text));
}

static void longest_pattern_of_maps_and_pins_decides_and_a_pin_where_they_are_equal(void **state)
{
	static const struct {
		const char *name, *pattern, *repository;
	} rows[] = {
	    {"prod/acme/app", "prod/acme/*", "staging/acme/app"},
	    {"prod/acme/deep/app", "prod/acme/*", "staging/acme/deep/app"},
	    {"prod/acme/", "prod/acme/*", "staging/acme/"},
	    {"prod/acme/one", "prod/acme/one", "dev/one"},
	    {"prod/acme/team-x", "prod/acme/team-*", "teams/all"},
	    {"prod/other", "prod/*", "archive/prod/other"},
	    {"prod", NULL, NULL},
	    {"staging/acme/app", NULL, NULL},
	    /* pinned by themselves */
	    {"prod/acme/own", NULL, NULL},
	    {"prod/kept/app", NULL, NULL},
	    {"prod/same/app", NULL, NULL},
	    /* the pin of a shorter prefix decides for nothing that is mapped */
	    {"prod/kept/deep/app", "prod/kept/deep/*", "far/app"},
	};
	struct world w;
	world_make(&w, state);
	write_trust(&w, "{\"manifestoTrust\":1,\"pins\":{\"prod/acme/own\":{" FP "},\"prod/kept/*\":{" FP
			"},\"prod/same/*\":{" FP "}},\"maps\":{\"prod/*\":\"archive/prod/*\","
			"\"prod/acme/*\":\"staging/acme/*\",\"prod/acme/one\":\"dev/one\","
			"\"prod/acme/team-*\":\"teams/all\",\"prod/same/*\":\"other/*\","
			"\"prod/kept/deep/*\":\"far/*\"}}");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_maps maps MF_MAPS_CLEANUP = {0};
		struct mf_map map MF_MAP_CLEANUP = {0};
		assert_int_equal(mf_maps_load(w.home, &maps, &err), 0);
		enum mf_found found = mf_maps_find(&maps, rows[i].name, &map, &err);
		if (found != (rows[i].pattern ? MF_FOUND : MF_ABSENT))
			fail_msg("'%s': %d %s", rows[i].name, (int)found, err.msg);
		if (found == MF_FOUND) {
			assert_string_equal(map.pattern, rows[i].pattern);
			assert_string_equal(map.repository, rows[i].repository);
		}
	}
	world_drop(&w);
}

static void map_is_never_followed_twice_and_a_broken_one_is_a_pin_error(void **state)
{
	static const struct {
		const char *maps;
		enum mf_code code;
	} rows[] = {
	    {"{\"a/x\":\"b/x\",\"b/x\":\"c/x\"}", MF_E_USAGE},
	    {"{\"a/x\":\"b/x\",\"b/*\":\"c/*\"}", MF_E_USAGE},
	    {"{\"a/x\":\"b/x\",\"b/x\":\"a/x\"}", MF_E_USAGE},
	    {"{\"a/x\":\"a/x\"}", MF_E_USAGE},
	    {"{\"a/*\":\"a/b/*\"}", MF_E_USAGE},
	    {"{\"a/x\":7}", MF_E_PIN},
	    {"{\"a/x\":\"\"}", MF_E_PIN},
	    {"{\"a/x\":\"b/*\"}", MF_E_PIN},
	    {"{\"a/*\":\"b/*/c\"}", MF_E_PIN},
	};
	struct world w;
	world_make(&w, state);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[300];
		struct mf_err err = MF_ERR_INIT;
		struct mf_maps maps MF_MAPS_CLEANUP = {0};
		struct mf_map map MF_MAP_CLEANUP = {0};
		(void)snprintf(text, sizeof text, "{\"manifestoTrust\":1,\"pins\":{},\"maps\":%s}",
			       rows[i].maps);
		write_trust(&w, text);
		assert_int_equal(mf_maps_load(w.home, &maps, &err), 0);
		if (mf_maps_find(&maps, "a/x", &map, &err) != MF_FAILED || err.code != rows[i].code)
			fail_msg("%s: code %d, %s", rows[i].maps, (int)err.code, err.msg);
	}
	world_drop(&w);
}

static void maps_that_lead_to_mapped_names_are_not_stored(void **state)
{
	static const struct {
		const char *pattern, *repository;
		enum mf_code code;
	} rows[] = {
	    {"a/*", "b/*", MF_OK},           {"a/x", "c/x", MF_OK},      {"c/x", "d/x", MF_E_USAGE},
	    {"c/*", "d/*", MF_E_USAGE},      {"e/x", "a/y", MF_E_USAGE}, {"e/*", "a/*", MF_E_USAGE},
	    {"b/deep/*", "f/*", MF_E_USAGE}, {"g/*", "g*", MF_E_USAGE},  {"own/x", "b/x", MF_E_PIN},
	    {"own/*", "b/*", MF_OK},
	};
	struct world w;
	world_make(&w, state);
	write_trust(&w, "{\"manifestoTrust\":1,\"pins\":{\"own/x\":{" FP "}}}");
	struct mf_env env;
	mf_env_init(&env);
	env.level = 0;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		int rc = mf_map_store(w.home, rows[i].pattern, rows[i].repository, &env, &err);
		if (rc != (rows[i].code ? -1 : 0) || err.code != rows[i].code)
			fail_msg("'%s': code %d, %s", rows[i].pattern, (int)err.code, err.msg);
	}
	world_drop(&w);
}

static bool connects(const struct manifesto *m, const char *host)
{
	for (size_t i = 0; i < m->nendpoint; i++)
		if (strcmp(m->endpoint[i].host, host) == 0)
			return true;
	return false;
}

/* A program that runs for long reads images of many registries: a connection that goes is never one in use.
 */
static void connections_of_an_open_image_stay_whatever_was_open_before(void **state)
{
	static const char *const images[] = {"one.example:1/x", "two.example:1/x", "three.example:1/x",
					     "two.example:1/x", "one.example:1/x", "three.example:1/x"};
	struct world w;
	world_make(&w, state);
	write_trust(
	    &w, "{\"manifestoTrust\":1,\"pins\":{},\"maps\":{\"one.example:1/x\":\"first.example:1/x\","
		"\"two.example:1/x\":\"second.example:1/x\",\"three.example:1/x\":\"third.example:1/x\"}}");
	w.m->opt.trust_server = "https://notary.example:1";
	for (size_t i = 0; i < sizeof images / sizeof images[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_image im MF_IMAGE_CLEANUP = {0};
		struct mf_image_store *origin = NULL;
		if (mf_image_open_by(&im, w.m, images[i], MF_MAPS_FOLLOW, &err) < 0 ||
		    mf_image_origin(&im, &origin, &err) < 0)
			fail_msg("%s", err.msg);
		assert_non_null(origin);
		assert_true(connects(w.m, im.ref.registry) && connects(w.m, im.store_ref.registry) &&
			    connects(w.m, "notary.example:1"));
	}
	world_drop(&w);
}

static void names_that_are_mapped_are_opened_for_reading_alone(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	world_make(&w, state);
	write_trust(&w,
		    "{\"manifestoTrust\":1,\"pins\":{},\"maps\":{\"prod.example/*\":\"origin.example/*\"}}");
	w.m->opt.trust_server = "https://notary.example:1";
	assert_int_equal(mf_image_open(&im, w.m, "prod.example/app", &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	mf_err_clear(&err);
	mf_image_close(&im);
	assert_int_equal(mf_image_open_by(&im, w.m, "prod.example/app", MF_MAPS_IGNORE, &err), 0);
	assert_string_equal(mf_trust_pin_name(im.trust), "prod.example/app");
	mf_image_close(&im);
	assert_int_equal(mf_image_open_by(&im, w.m, "prod.example/app", MF_MAPS_FOLLOW, &err), 0);
	assert_string_equal(mf_trust_pin_name(im.trust), "origin.example/app");
	assert_string_equal(mf_trust_gun(im.trust), "origin.example/app");
	assert_string_equal(im.ref.registry, "prod.example");
	mf_image_close(&im);
	world_drop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		longest_pattern_of_maps_and_pins_decides_and_a_pin_where_they_are_equal, tmpdir_make,
		tmpdir_drop),
	    cmocka_unit_test_setup_teardown(map_is_never_followed_twice_and_a_broken_one_is_a_pin_error,
					    tmpdir_make, tmpdir_drop),
	    cmocka_unit_test_setup_teardown(maps_that_lead_to_mapped_names_are_not_stored, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(connections_of_an_open_image_stay_whatever_was_open_before,
					    tmpdir_make, tmpdir_drop),
	    cmocka_unit_test_setup_teardown(names_that_are_mapped_are_opened_for_reading_alone, tmpdir_make,
					    tmpdir_drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
