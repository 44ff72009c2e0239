/* verify over an OCI image layout, through the public interface, with a clock that the test sets; and the
 * places that the images of one run share. */
#include "world.h"

#include "base/encode.h"
#include "ops/ops.h"

#define POLICY                                                                                               \
	"{\"version\":1,\"require\":[{\"type\":\"review\",\"roles\":[\"targets\"]}],"                        \
	"\"waivers\":{\"roles\":[\"targets\"]}}"
#define MANY 40 /* more than are resolved at once */

/* What a run reported. */
struct seen {
	size_t n, accepted, stop_after; /* 0: never */
	char references[MANY][80];
	char code[64], found[512], hint[512];
	int exits[MANY];
	size_t nfindings, waived;
	char waiver[64];
};

static int take(void *arg, const struct manifesto_verify_item *item)
{
	struct seen *s = arg;
	assert_true(s->n < MANY);
	assert_int_equal(item->accepted, item->nfindings == 0);
	assert_int_equal(item->accepted, item->status == 0);
	(void)snprintf(s->references[s->n], sizeof s->references[0], "%s", strrchr(item->reference, ':'));
	s->exits[s->n++] = item->status;
	s->accepted += (size_t)item->accepted;
	s->nfindings += item->nfindings;
	if (item->nfindings) {
		(void)snprintf(s->code, sizeof s->code, "%s", item->findings[0]->code);
		(void)snprintf(s->found, sizeof s->found, "%s", item->findings[0]->found);
		(void)snprintf(s->hint, sizeof s->hint, "%s",
			       item->findings[0]->hint ? item->findings[0]->hint : "");
	}
	for (size_t i = 0; i < item->nrequirements; i++)
		if (item->requirements[i]->waiver) {
			assert_false(item->requirements[i]->met);
			s->waived++;
			(void)snprintf(s->waiver, sizeof s->waiver, "%s",
				       item->requirements[i]->waiver->name);
		}
	return s->stop_after && s->n >= s->stop_after;
}

static struct manifesto_verify_options options(const struct world *w, const char *const *require)
{
	struct manifesto_verify_options o = MANIFESTO_INIT(manifesto_verify_options);
	o.images = (const char *const *)&w->image;
	o.nimages = 1;
	o.require = require;
	return o;
}

static int verify(struct world *w, const struct manifesto_verify_options *o, struct seen *s)
{
	struct manifesto_error err;
	struct manifesto_verify_options with = *o;
	with.result = take;
	with.result_arg = s;
	memset(s, 0, offsetof(struct seen, stop_after));
	s->nfindings = s->waived = 0;
	int rc = manifesto_verify(w->m, &with, &err);
	assert_int_equal(rc, err.status ? -1 : 0);
	return err.status;
}

static int with_policy(struct world *w, const char *policy, struct seen *s)
{
	struct manifesto_verify_options o = options(w, NULL);
	o.policy = policy;
	o.policy_length = strlen(policy);
	return verify(w, &o, s);
}

static void put_as(struct world *w, const char *type, const char *text)
{
	struct manifesto_change_options o = put_of(w, text);
	o.type = type;
	assert_int_equal(put(w, &o).status, 0);
}

static const char *const qa[] = {"qa", NULL};

/* ---- */

static void damage(const struct world *w, const char *content)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	char hex[65], name[200];
	assert_int_equal(mf_sha256(mf_bytes_of(mf_str_c(content)), &d, &err), 0);
	mf_digest_hex(hex, &d);
	(void)snprintf(name, sizeof name, "blobs/sha256/%s", hex);
	char *blob = mf_path_join(w->layout, name, NULL);
	FILE *f = fopen(blob, "r+");
	assert_non_null(f);
	assert_int_equal(fputc('[', f), '[');
	assert_int_equal(fclose(f), 0);
	free(blob);
}

static void nothing_to_ask_or_to_look_at_is_a_usage_error(void **state)
{
	static const char *const broken[] = {"qa=a,b", NULL}, *const none[] = {NULL};
	const char *const images[] = {"oci:/x", "example.com/UPPER"};
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	struct manifesto_verify_options o = options(&w, NULL);
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	o.require = none;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	o.max_age = 5;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	o.max_age = -1;
	o.require = qa;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	o.max_age = 0;
	o.require = broken;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	o.require = qa;
	o.nimages = 0;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	o.nimages = 2;
	o.images = images;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	o = options(&w, qa);
	o.platform = "linux/amd64";
	o.all_platforms = 1;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	assert_int_equal(with_policy(&w, "{\"version\":1}", &s), MANIFESTO_USAGE);
	assert_int_equal(with_policy(&w, "", &s), MANIFESTO_USAGE);
	assert_int_equal(s.n, 0);
	world_drop(&w);
}

static void first_use_is_never_trusted(void **state)
{
	struct manifesto_error err;
	struct manifesto_options mo = MANIFESTO_INIT(manifesto_options);
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	put_as(&w, "qa", "yes");
	struct manifesto_verify_options o = options(&w, qa);
	assert_int_equal(verify(&w, &o, &s), 0);
	open_as(&w, "elsewhere", "bob");
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_PIN);
	assert_string_equal(s.code, "pin");
	assert_non_null(strstr(s.hint, "trust pin"));
	assert_null(strstr(s.hint, "tofu"));
	mo.home = w.home;
	mo.cache_dir = w.cache;
	mo.tofu = 1;
	manifesto_free(w.m);
	assert_int_equal(manifesto_new(&mo, &w.m, &err), 0);
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	assert_int_equal(s.n, 0);
	world_drop(&w);
}

static void images_are_told_in_order_and_all_of_them(void **state)
{
	struct world w;
	struct seen s = {0};
	char *names[MANY];
	world_make(&w, state);
	put_as(&w, "qa", "yes");
	for (size_t i = 0; i < MANY; i++) {
		names[i] = malloc(strlen(w.layout) + 20);
		if (i % 7 == 3) /* a tag that is not there */
			(void)sprintf(names[i], "oci:%s:t%zu", w.layout, i);
		else
			(void)sprintf(names[i], "oci:%s:1.0", w.layout);
	}
	struct manifesto_verify_options o = options(&w, qa);
	o.images = (const char *const *)names;
	o.nimages = MANY;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_NOT_FOUND);
	assert_int_equal(s.n, MANY);
	for (size_t i = 0; i < MANY; i++) {
		assert_string_equal(s.references[i], strrchr(names[i], ':'));
		assert_int_equal(s.exits[i], i % 7 == 3 ? MANIFESTO_NOT_FOUND : 0);
	}
	s.stop_after = 5;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_UNEXPECTED);
	assert_int_equal(s.n, 5);
	for (size_t i = 0; i < MANY; i++)
		free(names[i]);
	world_drop(&w);
}

static int stop(struct world *w)
{
	(void)w;
	return 1;
}

static void interruption_accepts_nothing_more(void **state)
{
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	put_as(&w, "qa", "yes");
	struct manifesto_verify_options o = options(&w, qa);
	w.meanwhile = stop;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_UNEXPECTED);
	assert_int_equal(s.n, 0);
	w.meanwhile = NULL;
	assert_int_equal(verify(&w, &o, &s), 0);
	world_drop(&w);
}

static void waiver_holds_until_its_end_and_for_what_it_names(void **state)
{
	struct world w;
	struct seen s = {0};
	char text[300], until[MF_TIME_LEN];
	world_make(&w, state);
	put_as(&w, "qa", "yes");
	assert_int_equal(with_policy(&w, POLICY, &s), MANIFESTO_POLICY);
	assert_string_equal(s.code, "absent");
	mf_time_format(until, w.now + 10);
	(void)snprintf(
	    text, sizeof text,
	    "{\"version\":1,\"name\":\"W\",\"waives\":[\"review\"],\"for\":\"x\",\"until\":\"%s\"}", until);
	put_as(&w, "waiver", text);
	w.now += 9;
	assert_int_equal(with_policy(&w, POLICY, &s), 0);
	assert_int_equal(s.waived, 1);
	assert_string_equal(s.waiver, "W");
	w.now += 1;
	assert_int_equal(with_policy(&w, POLICY, &s), MANIFESTO_POLICY);
	assert_string_equal(s.code, "waiver");
	assert_int_equal(s.waived, 0);
	memcpy(strstr(text, "review"), "revieW", 6);
	put_as(&w, "waiver", text);
	assert_int_equal(with_policy(&w, POLICY, &s), MANIFESTO_POLICY);
	assert_int_equal(s.nfindings, 2); /* it cannot be used, and the requirement is not met */
	put_as(&w, "review", "yes");
	assert_int_equal(with_policy(&w, POLICY, &s), 0);
	assert_int_equal(s.waived, 0);
	world_drop(&w);
}

static void nobody_waives_where_the_policy_names_nobody(void **state)
{
	static const char *const require[] = {"review", NULL};
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	put_as(&w, "waiver",
	       "{\"version\":1,\"name\":\"W\",\"waives\":[\"review\"],\"for\":\"x\",\"until\":\"2099-01-"
	       "01T00:00:00Z\"}");
	assert_int_equal(with_policy(&w, POLICY, &s), 0);
	assert_int_equal(with_policy(&w, "{\"version\":1,\"require\":[{\"type\":\"review\"}]}", &s),
			 MANIFESTO_POLICY);
	struct manifesto_verify_options o = options(&w, require);
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_POLICY);
	assert_string_equal(s.code, "absent");
	world_drop(&w);
}

static void waiver_for_another_type_waives_nothing(void **state)
{
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	put_as(&w, "waiver",
	       "{\"version\":1,\"name\":\"W\",\"waives\":[\"qa\",\"waiver\"],\"for\":\"x\",\"until\":\"2099-"
	       "01-01T00:00:00Z\"}");
	assert_int_equal(with_policy(&w, POLICY, &s), MANIFESTO_POLICY);
	assert_string_equal(s.code, "absent");
	world_drop(&w);
}

/* Though it names the type, and is read because of another one. */
static void waiver_does_not_lift_a_withdrawal(void **state)
{
	static const char policy[] = "{\"version\":1,\"require\":[{\"type\":\"review\"},{\"type\":\"qa\"}],"
				     "\"waivers\":{\"roles\":[\"targets\"]}}";
	struct manifesto_error err;
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	const struct manifesto_change_result *r = NULL;
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	put_as(&w, "waiver",
	       "{\"version\":1,\"name\":\"W\",\"waives\":[\"qa\",\"review\"],\"for\":\"x\",\"until\":\"2099-"
	       "01-01T00:00:00Z\"}");
	assert_int_equal(with_policy(&w, policy, &s), 0);
	assert_int_equal(s.waived, 2);
	put_as(&w, "qa", "yes");
	o.image = w.image;
	o.type = "qa";
	o.reason = "no";
	assert_int_equal(manifesto_withdraw(w.m, &o, &r, &err), 0);
	manifesto_result_free(r);
	assert_int_equal(with_policy(&w, policy, &s), MANIFESTO_POLICY);
	assert_string_equal(s.code, "withdrawn");
	assert_int_equal(s.nfindings, 1);
	assert_int_equal(s.waived, 1);
	world_drop(&w);
}

/* Damages the content once the first image has its result. */
struct damaging {
	struct seen seen;
	const struct world *w;
	const char *content;
};

static int take_and_damage(void *arg, const struct manifesto_verify_item *item)
{
	struct damaging *d = arg;
	int rc = take(&d->seen, item);
	if (d->seen.n == 1)
		damage(d->w, d->content);
	return rc;
}

static void condition_is_evaluated_once_for_a_content(void **state)
{
	static const char *const holds[] = {"review=.a == 1 and now == 1800000000", NULL},
				 *const fails[] = {"review=.a", NULL}, *const two[] = {"review", NULL};
	struct manifesto_error err;
	struct world w;
	world_make(&w, state);
	put_as(&w, "review", "{\"a\":1}");
	const char *const images[] = {w.image, w.image};
	struct damaging d = {.w = &w, .content = "{\"a\":1}"};
	struct manifesto_verify_options o = options(&w, two);
	o.images = images;
	o.nimages = 2;
	o.where = holds;
	o.result = take_and_damage;
	o.result_arg = &d;
	assert_int_equal(manifesto_verify(w.m, &o, &err), 0);
	assert_int_equal(d.seen.accepted, 2);
	/* What was evaluated in another run is not known any more. */
	o.where = fails;
	assert_int_equal(manifesto_verify(w.m, &o, &err), -1);
	assert_int_equal(err.status, 6);
	world_drop(&w);
}

static void conditions_and_their_values_are_reported(void **state)
{
	static const char *const where[] = {"review=.a", NULL}, *const unknown[] = {"other=true", NULL},
				 *const none[] = {"review=.a ==", NULL}, *const require[] = {"review", NULL};
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	put_as(&w, "review", "{\"a\":[1]}");
	struct manifesto_verify_options o = options(&w, require);
	o.where = where;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_POLICY);
	assert_string_equal(s.code, "condition");
	assert_string_equal(s.found, "role 'targets': the condition gives [1]");
	o.where = unknown;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	o.where = none;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	assert_int_equal(s.n, 0);
	o.where = NULL;
	o.distinct = "review";
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_USAGE);
	world_drop(&w);
}

static void waiver_whose_content_is_damaged_is_an_attack(void **state)
{
	static const char text[] = "{\"version\":1,\"name\":\"W\",\"waives\":[\"review\"],\"for\":\"x\","
				   "\"until\":\"2099-01-01T00:00:00Z\"}";
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	put_as(&w, "waiver", text);
	assert_int_equal(with_policy(&w, POLICY, &s), 0);
	damage(&w, text);
	assert_int_equal(with_policy(&w, POLICY, &s), MANIFESTO_INVALID);
	assert_string_equal(s.code, "digest");
	assert_int_equal(s.nfindings, 2); /* and the requirement is not met */
	world_drop(&w);
}

static void put_long_waiver(struct world *w, size_t n)
{
	static const char head[] = "{\"version\":1,\"name\":\"W\",\"waives\":[\"review\"],\"for\":\"x\","
				   "\"until\":\"2099-01-01T00:00:00Z\"}";
	char *text = malloc(n + 1);
	assert_non_null(text);
	memset(text, ' ', n);
	memcpy(text, head, strlen(head));
	text[n] = 0;
	put_as(w, "waiver", text);
	free(text);
}

static void waiver_that_is_too_long_cannot_be_used(void **state)
{
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	put_long_waiver(&w, MF_MAX_WAIVER_BYTES);
	assert_int_equal(with_policy(&w, POLICY, &s), 0);
	put_long_waiver(&w, MF_MAX_WAIVER_BYTES + 1);
	assert_int_equal(with_policy(&w, POLICY, &s), MANIFESTO_POLICY);
	assert_string_equal(s.code, "policy");
	world_drop(&w);
}

static void gravest_finding_is_the_status_of_the_image(void **state)
{
	static const char *const require[] = {"review", "qa", "other", NULL};
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	put_as(&w, "qa", "yes");
	damage(&w, "yes");
	struct manifesto_verify_options o = options(&w, require);
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_POLICY);
	o.content = 1;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_INVALID);
	assert_int_equal(s.exits[0], MANIFESTO_INVALID);
	assert_string_equal(s.code, "absent");
	assert_int_equal(s.nfindings, 3);
	world_drop(&w);
}

static void age_of_the_command_line_lowers_that_of_the_policy(void **state)
{
	static const char policy[] = "{\"version\":1,\"maxAge\":\"10d\",\"require\":[{\"type\":\"qa\"}]}";
	struct world w;
	struct seen s = {0};
	world_make(&w, state);
	put_as(&w, "qa", "yes");
	w.now += 5 * DAY;
	struct manifesto_verify_options o = options(&w, NULL);
	o.policy = policy;
	o.policy_length = strlen(policy);
	assert_int_equal(verify(&w, &o, &s), 0);
	o.max_age = 5 * DAY;
	assert_int_equal(verify(&w, &o, &s), 0);
	o.max_age = 5 * DAY - 1;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_POLICY);
	assert_string_equal(s.code, "too_old");
	o.max_age = 0;
	w.now += 5 * DAY + 1;
	assert_int_equal(verify(&w, &o, &s), MANIFESTO_POLICY);
	world_drop(&w);
}

/* ---- shared places */

static void pool_forgets_what_is_not_used_least_recent_first(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct mf_err err = MF_ERR_INIT;
	struct mf_pool p = {0};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct mf_pool_trust *t = mf_pool_trust(&p, names[i], &err);
		assert_non_null(t);
		assert_ptr_equal(mf_pool_trust(&p, names[i], &err), t);
		t->held = 10;
		t->last_use = 10 - i;
	}
	p.trusts[3]->users = 1; /* "d", the oldest, is in use */
	mf_pool_trim(&p, 40);
	assert_int_equal(p.ntrusts, 4);
	mf_pool_trim(&p, 39);
	assert_int_equal(p.ntrusts, 3);
	for (size_t i = 0; i < p.ntrusts; i++)
		assert_string_not_equal(p.trusts[i]->name, "c");
	mf_pool_trim(&p, 0);
	assert_int_equal(p.ntrusts, 1);
	assert_string_equal(p.trusts[0]->name, "d");
	mf_pool_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(nothing_to_ask_or_to_look_at_is_a_usage_error),
	    tmpdir_test(first_use_is_never_trusted),
	    tmpdir_test(images_are_told_in_order_and_all_of_them),
	    tmpdir_test(interruption_accepts_nothing_more),
	    tmpdir_test(waiver_holds_until_its_end_and_for_what_it_names),
	    tmpdir_test(nobody_waives_where_the_policy_names_nobody),
	    tmpdir_test(waiver_for_another_type_waives_nothing),
	    tmpdir_test(waiver_that_is_too_long_cannot_be_used),
	    tmpdir_test(gravest_finding_is_the_status_of_the_image),
	    tmpdir_test(waiver_does_not_lift_a_withdrawal),
	    tmpdir_test(condition_is_evaluated_once_for_a_content),
	    tmpdir_test(conditions_and_their_values_are_reported),
	    tmpdir_test(waiver_whose_content_is_damaged_is_an_attack),
	    tmpdir_test(age_of_the_command_line_lowers_that_of_the_policy),
	    cmocka_unit_test(pool_forgets_what_is_not_used_least_recent_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
