/* Bundles of a layout, through the public interface: whose clock and whose floors count. */
#include "world.h"

#include "trust/home.h"

#define HOUR 3600

/* What a reader is opened with. */
struct reading {
	const char *home; /* below the world's directory */
	int64_t at, max_age;
};

static struct manifesto *open_bundle(struct world *w, const struct reading *r, struct manifesto_error *err)
{
	struct manifesto_options o = MANIFESTO_INIT(manifesto_options);
	struct manifesto *m = NULL;
	char *home MF_FREE = mf_path_join(w->dir, r->home, NULL),
		   *file MF_FREE = mf_path_join(w->dir, "b.tar", NULL);
	o.home = home;
	o.cache_dir = w->cache;
	o.now = world_now;
	o.now_arg = w;
	o.bundle = file;
	o.at = r->at;
	o.bundle_max_age = r->max_age;
	return manifesto_new(&o, &m, err) < 0 ? NULL : m;
}

/* Status of a get from the bundle. */
static int get_as(struct world *w, const struct reading *r, const char *expected)
{
	struct manifesto_error err = {0};
	struct manifesto *own = w->m;
	w->m = open_bundle(w, r, &err);
	int status = w->m ? get(w, expected) : err.status;
	if (w->m) {
		struct manifesto_stats s = {.size = sizeof s};
		manifesto_stats(w->m, &s);
		assert_int_equal(s.requests, 0);
		manifesto_free(w->m);
	}
	w->m = own;
	return status;
}

static int create(struct world *w, const char *const *images, size_t n)
{
	struct manifesto_error err = {0};
	struct manifesto_bundle_options o = MANIFESTO_INIT(manifesto_bundle_options);
	const struct manifesto_bundle_result *r = NULL;
	char *file MF_FREE = mf_path_join(w->dir, "b.tar", NULL);
	o.images = images;
	o.nimages = n;
	o.output_path = file;
	if (manifesto_bundle_create(w->m, &o, &r, &err) < 0)
		return err.status;
	manifesto_result_free(r);
	return 0;
}

static void create_of_image(struct world *w)
{
	const char *const images[] = {w->image};
	assert_int_equal(create(w, images, 1), 0);
}

static void begin(struct world *w, void **state)
{
	world_make(w, state);
	struct manifesto_change_options o = put_of(w, "yes");
	assert_int_equal(put(w, &o).status, 0);
	create_of_image(w);
}

static int64_t recorded_clock(struct world *w, const char *home)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_floors f MF_FLOORS_CLEANUP = {0};
	char *dir MF_FREE = mf_path_join(w->dir, home, NULL), *real MF_FREE = realpath(w->layout, NULL),
		  *name MF_FREE = NULL;
	assert_true(asprintf(&name, "oci:%s", real) > 0);
	assert_int_equal(mf_floors_load(dir, name, &f, &err), 0);
	return f.any ? f.clock : 0;
}

/* A machine with the same pin and nothing else. */
static void make_reader(struct world *w, const char *home)
{
	char command[600];
	(void)snprintf(command, sizeof command, "mkdir %s/%s && cp %s/home/trust.json %s/%s/", w->dir, home,
		       w->dir, w->dir, home);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void expiry_is_judged_now_or_as_of_the_time_that_is_given(void **state)
{
	struct world w;
	begin(&w, state);
	make_reader(&w, "reader");
	const int64_t made = w.now;
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader", .at = made + 1000 * DAY}, NULL), 7);
	assert_int_equal(recorded_clock(&w, "reader"), 0);
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader"}, "yes"), 0);
	assert_int_equal(recorded_clock(&w, "reader"), made);
	w.now += 1000 * DAY;
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader"}, NULL), 7);
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader", .at = made + DAY}, "yes"), 0);
	assert_int_equal(recorded_clock(&w, "reader"), made);
	world_drop(&w);
}

static void floors_hold_and_rise_by_a_bundle_but_not_as_of_another_time(void **state)
{
	struct world w;
	begin(&w, state);
	make_reader(&w, "reader");
	char command[600];
	(void)snprintf(command, sizeof command, "cp %s/b.tar %s/old.tar", w.dir, w.dir);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
	struct manifesto_change_options o = put_of(&w, "no");
	assert_int_equal(put(&w, &o).status, 0);
	create_of_image(&w);
	const struct reading now = {.home = "reader"}, then = {.home = "reader", .at = w.now + DAY};
	assert_int_equal(get_as(&w, &then, "no"), 0);
	(void)snprintf(command, sizeof command, "cp %s/b.tar %s/new.tar && cp %s/old.tar %s/b.tar", w.dir,
		       w.dir, w.dir, w.dir);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
	assert_int_equal(get_as(&w, &now, "yes"), 0);
	(void)snprintf(command, sizeof command, "cp %s/new.tar %s/b.tar", w.dir, w.dir);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
	assert_int_equal(get_as(&w, &now, "no"), 0);
	(void)snprintf(command, sizeof command, "cp %s/old.tar %s/b.tar", w.dir, w.dir);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
	assert_int_equal(get_as(&w, &now, NULL), 8);
	assert_int_equal(get_as(&w, &then, NULL), 8);
	world_drop(&w);
}

static void the_clock_counts_and_not_the_given_time_against_the_recorded_one(void **state)
{
	struct world w;
	begin(&w, state);
	make_reader(&w, "reader");
	const int64_t made = w.now;
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader"}, "yes"), 0);
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader", .at = made - 100 * DAY}, "yes"), 0);
	w.now -= HOUR;
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader", .at = made + DAY}, NULL), 8);
	world_drop(&w);
}

static void age_is_that_of_the_newest_signed_record(void **state)
{
	struct world w;
	begin(&w, state);
	make_reader(&w, "reader");
	const int64_t made = w.now;
	w.now = made + HOUR;
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader", .max_age = HOUR}, "yes"), 0);
	w.now = made + HOUR + 1;
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader", .max_age = HOUR}, NULL), 7);
	assert_int_equal(
	    get_as(&w, &(struct reading){.home = "reader", .max_age = HOUR, .at = made + 1}, "yes"), 0);
	/* A new bundle of the same state is no younger: nothing signed says so. */
	create_of_image(&w);
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader", .max_age = HOUR}, NULL), 7);
	/* A signer whose clock is ahead makes nothing young. */
	w.now = made + 100 * DAY - DAY;
	struct manifesto_change_options o = put_of(&w, "later");
	assert_int_equal(put(&w, &o).status, 0);
	create_of_image(&w);
	w.now = made + HOUR + 2;
	assert_int_equal(get_as(&w, &(struct reading){.home = "reader", .max_age = HOUR}, NULL), 7);
	world_drop(&w);
}

static void a_bundle_is_never_written_to(void **state)
{
	struct world w;
	struct manifesto_error err;
	begin(&w, state);
	struct manifesto *own = w.m;
	w.m = open_bundle(&w, &(struct reading){.home = "home"}, &err);
	struct manifesto_change_options o = put_of(&w, "more");
	assert_int_equal(put(&w, &o).status, 2);
	const struct manifesto_change_result *r = NULL;
	assert_int_equal(manifesto_remove(w.m, &o, &r, &err), -1);
	assert_int_equal(err.status, 2);
	manifesto_free(w.m);
	w.m = own;
	world_drop(&w);
}

static void options_that_need_a_bundle_are_refused_without(void **state)
{
	struct manifesto_error err;
	struct manifesto *m = NULL;
	struct manifesto_options o = MANIFESTO_INIT(manifesto_options);
	(void)state;
	o.home = o.cache_dir = "/nowhere";
	o.at = 1;
	assert_int_equal(manifesto_new(&o, &m, &err), -1);
	assert_int_equal(err.status, 2);
	o.at = 0;
	o.bundle_max_age = 1;
	assert_int_equal(manifesto_new(&o, &m, &err), -1);
	o.bundle = "file";
	o.bundle_max_age = -1;
	assert_int_equal(manifesto_new(&o, &m, &err), -1);
	o.bundle_max_age = 0;
	o.at = -1;
	assert_int_equal(manifesto_new(&o, &m, &err), -1);
}

static void a_bundle_needs_images_and_holds_one_layout(void **state)
{
	struct world w;
	char command[600], other[300];
	begin(&w, state);
	(void)snprintf(command, sizeof command, "cp -r %s %s/other && cp -r %s/home %s/x", w.layout, w.dir,
		       w.dir, w.dir);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
	(void)snprintf(other, sizeof other, "oci:%s/other:1.0", w.dir);
	const char *const two[] = {w.image, other};
	assert_int_equal(create(&w, two, 0), 2);
	assert_int_equal(create(&w, two, 10001), 2);
	/* The copy is a repository of its own, which this machine does not know. */
	assert_int_equal(create(&w, two, 2), 10);
	open_as(&w, "home", "alice");
	struct manifesto_pin_options pin = MANIFESTO_INIT(manifesto_pin_options);
	const struct manifesto_trust_result *t = NULL;
	struct manifesto_error err;
	assert_int_equal(manifesto_trust_show(w.m, w.image, &t, &err), 0);
	const char *const anchors[] = {t->pinned[0], NULL};
	pin.image = other;
	pin.anchors = anchors;
	const struct manifesto_trust_result *pinned = NULL;
	assert_int_equal(manifesto_trust_pin(w.m, &pin, &pinned, &err), 0);
	manifesto_result_free(pinned);
	manifesto_result_free(t);
	assert_int_equal(create(&w, two, 2), 2);
	world_drop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(expiry_is_judged_now_or_as_of_the_time_that_is_given),
	    tmpdir_test(floors_hold_and_rise_by_a_bundle_but_not_as_of_another_time),
	    tmpdir_test(the_clock_counts_and_not_the_given_time_against_the_recorded_one),
	    tmpdir_test(age_is_that_of_the_newest_signed_record),
	    tmpdir_test(a_bundle_is_never_written_to),
	    cmocka_unit_test(options_that_need_a_bundle_are_refused_without),
	    tmpdir_test(a_bundle_needs_images_and_holds_one_layout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
