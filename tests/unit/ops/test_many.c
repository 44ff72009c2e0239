/* Changes of several images over the library: what the caller is given, in which order, and how a run ends.
 * Layouts, of which each is a repository of its own. */
#include "world.h"

#define MOST 8

struct seen {
	size_t n, stop_at;
	char image[MOST][600], error[MOST][32], digest[MOST][80];
	int status[MOST], first[MOST];
	int64_t version[MOST];
};

static int note(void *arg, const struct manifesto_change_outcome *out)
{
	struct seen *s = arg;
	assert_true(s->n < MOST);
	(void)snprintf(s->image[s->n], sizeof s->image[0], "%s", out->image);
	/* Either it was changed or there is a reason. */
	assert_int_equal(out->error == NULL, out->change != NULL);
	if (out->error) {
		s->status[s->n] = out->error->status;
		(void)snprintf(s->error[s->n], sizeof s->error[0], "%s", out->error->code);
	} else {
		assert_true(out->nitems > 0);
		(void)snprintf(s->digest[s->n], sizeof s->digest[0], "%s", out->items[0]->record->digest);
		s->version[s->n] = out->change->version;
		s->first[s->n] = out->first;
	}
	return ++s->n == s->stop_at ? -1 : 0;
}

/* A second layout, with the same image. */
static char *other_layout(const struct world *w)
{
	char command[1400], *image = malloc(strlen(w->dir) + 20);
	(void)snprintf(command, sizeof command, "cp -r '%s' '%s/other' && rm -rf '%s/other/trust'", w->layout,
		       w->dir, w->dir);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
	(void)sprintf(image, "oci:%s/other:1.0", w->dir);
	return image;
}

static int put_many(struct world *w, const char *const *images, size_t n, struct seen *s,
		    struct manifesto_error *err)
{
	struct manifesto_change_options o = put_of(w, "yes");
	o.image = NULL;
	o.images = images;
	o.nimages = n;
	o.result = note;
	o.result_arg = s;
	return manifesto_put(w->m, &o, NULL, err);
}

static void each_image_is_reported_in_the_order_given(void **state)
{
	struct world w;
	struct manifesto_error err;
	struct seen s = {.n = 0};
	world_make(&w, state);
	char *other = other_layout(&w);
	const char *images[] = {w.image, other, w.image, "oci:/no/such/layout:1.0"};
	assert_int_equal(put_many(&w, images, 4, &s, &err), -1);
	assert_int_equal(err.status, MANIFESTO_NOT_FOUND);
	assert_int_equal(s.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(s.image[i], images[i]);
	/* One record, both lines answered. */
	assert_string_equal(s.digest[0], s.digest[2]);
	assert_int_equal(s.version[0], s.version[2]);
	assert_int_equal(s.first[0], 1);
	assert_int_equal(s.first[1], 1);
	assert_int_equal(s.first[2], 0);
	assert_string_equal(s.error[3], "not_found");
	free(other);
	world_drop(&w);
}

static void images_of_a_repository_are_changed_all_or_none(void **state)
{
	struct world w;
	struct manifesto_error err;
	struct seen s = {.n = 0};
	char none[700];
	world_make(&w, state);
	char *other = other_layout(&w);
	(void)snprintf(none, sizeof none, "oci:%s:none", w.layout);
	const char *images[] = {w.image, none, other};
	assert_int_equal(put_many(&w, images, 3, &s, &err), -1);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.status[0], MANIFESTO_NOT_FOUND); /* of the image that stopped it */
	assert_int_equal(s.status[1], MANIFESTO_NOT_FOUND);
	assert_int_equal(s.status[2], 0);
	assert_int_equal(get(&w, NULL), MANIFESTO_NOT_FOUND); /* nothing was made there */
	free(other);
	world_drop(&w);
}

static void slips_end_a_run_before_it_begins(void **state)
{
	struct world w;
	struct manifesto_error err;
	struct seen s = {.n = 0};
	const struct manifesto_change_result *r = NULL;
	world_make(&w, state);
	const char *images[] = {w.image, "Not an image"};
	assert_int_equal(put_many(&w, images, 2, &s, &err), -1);
	assert_int_equal(err.status, MANIFESTO_USAGE);
	assert_int_equal(put_many(&w, images, 0, &s, &err), -1);
	assert_int_equal(err.status, MANIFESTO_USAGE);
	assert_int_equal(put_many(&w, images, 10001, &s, &err), -1);
	assert_int_equal(err.status, MANIFESTO_USAGE);
	struct manifesto_change_options o = put_of(&w, "yes");
	o.images = images;
	o.nimages = 1;
	assert_int_equal(manifesto_put(w.m, &o, &r, &err), -1); /* image and images */
	assert_int_equal(err.status, MANIFESTO_USAGE);
	o.image = NULL;
	o.images = NULL;
	assert_int_equal(manifesto_put(w.m, &o, &r, &err), -1); /* neither */
	assert_int_equal(err.status, MANIFESTO_USAGE);
	assert_int_equal(s.n, 0);
	world_drop(&w);
}

static void caller_that_stops_gets_no_more(void **state)
{
	struct world w;
	struct manifesto_error err;
	struct seen s = {.stop_at = 2};
	world_make(&w, state);
	const char *images[] = {w.image, w.image, w.image};
	assert_int_equal(put_many(&w, images, 3, &s, &err), -1);
	assert_int_equal(err.status, MANIFESTO_UNEXPECTED);
	assert_int_equal(s.n, 2);
	assert_int_equal(get(&w, "yes"), 0); /* it was published before */
	world_drop(&w);
}

static int cancelled_after;

static int cancel(struct world *w)
{
	(void)w;
	return cancelled_after-- <= 0;
}

static void run_that_is_interrupted_reports_what_it_published(void **state)
{
	struct world w;
	struct manifesto_error err;
	int changed = 0, not_changed = 0;
	world_make(&w, state);
	char *other = other_layout(&w);
	const char *images[] = {w.image, other};
	struct seen s = {.n = 0};
	assert_int_equal(put_many(&w, images, 2, &s, &err), 0);
	w.meanwhile = cancel;
	for (int after = 0; after < 200; after++) {
		char text[32];
		struct manifesto_change_options o = put_of(&w, text);
		(void)snprintf(text, sizeof text, "%d", after);
		o.data_length = strlen(text);
		o.image = NULL;
		o.images = images;
		o.nimages = 2;
		o.result = note;
		o.result_arg = &s;
		s = (struct seen){.n = 0};
		cancelled_after = after;
		int rc = manifesto_put(w.m, &o, NULL, &err);
		if (rc == 0)
			break;
		assert_string_equal(err.code, "cancelled");
		for (size_t i = 0; i < s.n; i++) {
			changed += !s.error[i][0];
			not_changed += strcmp(s.error[i], "cancelled") == 0;
		}
		if (s.n && !s.error[0][0]) {
			cancelled_after = 1 << 20;
			assert_int_equal(get(&w, text), 0);
		}
	}
	assert_true(changed + not_changed > 0);
	free(other);
	world_drop(&w);
}

static int agree(void *arg, const struct manifesto_record *const *records, size_t n,
		 const struct manifesto_signer *key)
{
	size_t *asked = arg;
	(void)records;
	(void)key;
	asked[0]++;
	asked[1] = n;
	return asked[2] != 0;
}

static void nobody_is_asked_to_sign_what_is_signed(void **state)
{
	struct world w;
	struct manifesto_error err;
	struct seen s = {.n = 0};
	size_t asked[3] = {0};
	world_make(&w, state);
	char *other = other_layout(&w);
	const char *images[] = {w.image, other};
	assert_int_equal(put_many(&w, images, 2, &s, &err), 0);
	struct manifesto_change_options o = put_of(&w, "");
	o.image = NULL;
	o.images = images;
	o.nimages = 2;
	o.result = note;
	o.result_arg = &s;
	o.confirm = agree;
	o.confirm_arg = asked;
	assert_int_equal(manifesto_sign(w.m, &o, NULL, &err), 0);
	assert_int_equal(asked[0], 0);
	free(other);
	world_drop(&w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(each_image_is_reported_in_the_order_given),
	    T(images_of_a_repository_are_changed_all_or_none),
	    T(slips_end_a_run_before_it_begins),
	    T(caller_that_stops_gets_no_more),
	    T(run_that_is_interrupted_reports_what_it_published),
	    T(nobody_is_asked_to_sign_what_is_signed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
