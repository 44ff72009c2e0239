/* Old versions of roles' files: what verifies them, and what does not. */
#include "history.h"

static void every_version_is_told_oldest_first(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 3);
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 ok by root 1\n");
	struct told t = walk_query(&l.w, (struct mf_history_query){0}, MF_OK);
	assert_int_equal(t.nsigners, 1);
	struct stat st;
	char *path = mf_path_join(l.w.repo, "3.targets.json", NULL);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(t.seen, st.st_mtime);
	free(path);
	life_drop(&l);
}

static void many_versions_keep_their_order(void **state)
{
	struct life l;
	char want[8192];
	size_t at = 0;
	life_make(&l, state);
	life_targets(&l, 30);
	for (int v = 1; v <= 30; v++)
		at += (size_t)snprintf(want + at, sizeof want - at, "targets %d ok by root 1\n", v);
	tells(&l.w, (struct mf_history_query){0}, want);
	life_drop(&l);
}

static void versions_that_are_not_kept_are_told_as_ranges(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 6);
	remove_in(l.w.repo, "1.targets.json");
	remove_in(l.w.repo, "2.targets.json");
	remove_in(l.w.repo, "4.targets.json");
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1-2 not-kept\ntargets 3 ok by root 1\ntargets 4 not-kept\ntargets 5 ok by root 1\n"
	      "targets 6 ok by root 1\n");
	life_drop(&l);
}

static void version_that_was_changed_is_invalid_and_the_others_hold(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 4);
	spoil(&l, "2.targets.json");
	write_in(l.w.repo, "3.targets.json", MF_STR("{}"));
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 invalid\ntargets 3 invalid\ntargets 4 ok by root 1\n");
	life_drop(&l);
}

static void version_under_the_number_of_another_is_invalid(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 4);
	copy_file(&l, "2.targets.json", "3.targets.json");
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 invalid\ntargets 4 ok by root 1\n");
	life_drop(&l);
}

static void version_that_has_expired_since_holds(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hrole r = {.role = "targets", .version = 1, .key = &l.online, .days = 1};
	write_all(&l.w, &r, 1, 1, &l.online);
	write_rest(&l.w, 2, &l.online);
	l.w.now += 2 * DAY;
	load(&l);
	tells(&l.w, (struct mf_history_query){0}, "targets 1 ok by root 1\ntargets 2 ok by root 1\n");
	life_drop(&l);
}

static void file_that_delegates_where_it_may_not_is_invalid(void **state)
{
	struct life l;
	life_make(&l, state);
	char delegations[1024];
	(void)snprintf(delegations, sizeof delegations,
		       "{\"keys\":{\"%s\":%s},\"roles\":[{\"keyids\":[\"%s\"],\"name\":\"root\",\"paths\":["
		       "\"qa/*\"],\"terminating\":false,\"threshold\":1}]}",
		       l.qa.id, l.qa.object.p, l.qa.id);
	struct hrole r = {.role = "targets", .version = 1, .key = &l.online, .delegations = delegations};
	write_all(&l.w, &r, 1, 1, &l.online);
	write_rest(&l.w, 2, &l.online);
	load(&l);
	tells(&l.w, (struct mf_history_query){0}, "targets 1 invalid\ntargets 2 ok by root 1\n");
	life_drop(&l);
}

/* ---- roots */

static void versions_are_verified_by_the_root_of_then(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hkey *rs[] = {&l.root};
	write_rest(&l.w, 1, &l.online);
	write_rest(&l.w, 2, &l.online);
	write_root(&l.w, 2, &l.root, &l.other, rs, 1);
	write_rest(&l.w, 3, &l.other);
	load(&l);
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 ok by root 2\n");
	life_drop(&l);
}

static void key_that_was_taken_away_does_not_sign_again(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hkey *rs[] = {&l.root};
	write_rest(&l.w, 1, &l.online);
	write_root(&l.w, 2, &l.root, &l.other, rs, 1);
	write_rest(&l.w, 2, &l.other);
	write_rest(&l.w, 3, &l.online);
	write_rest(&l.w, 4, &l.other);
	load(&l);
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 2\ntargets 3 invalid\ntargets 4 ok by root 2\n");
	/* Unless a later root has listed it again. */
	write_root(&l.w, 3, &l.root, &l.online, rs, 1);
	write_rest(&l.w, 5, &l.online);
	load(&l);
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 2\ntargets 3 ok by root 3\ntargets 4 "
	      "invalid\ntargets 5 ok by root 3\n");
	life_drop(&l);
}

static void old_root_that_did_not_sign_the_next_proves_nothing(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hkey evil = key_new(), *es[] = {&evil}, *rs[] = {&l.root};
	write_rest(&l.w, 1, &l.other);
	write_root(&l.w, 1, &evil, &l.other, es, 1);
	write_root(&l.w, 2, &l.root, &l.online, rs, 1);
	write_rest(&l.w, 2, &l.online);
	load(&l);
	tells(&l.w, (struct mf_history_query){0},
	      "root 1 invalid\ntargets 1 invalid\ntargets 2 ok by root 2\n");
	/* Nor does one that lists the true root key and is not signed by it. */
	write_root(&l.w, 1, &l.root, &l.other, es, 1);
	write_root(&l.w, 2, &l.root, &l.online, rs, 1);
	load(&l);
	tells(&l.w, (struct mf_history_query){0},
	      "root 1 invalid\ntargets 1 invalid\ntargets 2 ok by root 2\n");
	/* Nor another version under its name. */
	copy_file(&l, "2.root.json", "1.root.json");
	tells(&l.w, (struct mf_history_query){0},
	      "root 1 invalid\ntargets 1 invalid\ntargets 2 ok by root 2\n");
	key_drop(&evil);
	life_drop(&l);
}

static void roots_that_are_not_kept_prove_nothing_and_accuse_nobody(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hkey *rs[] = {&l.root};
	write_rest(&l.w, 1, &l.online);
	write_root(&l.w, 2, &l.root, &l.online, rs, 1);
	write_root(&l.w, 3, &l.root, &l.other, rs, 1);
	write_rest(&l.w, 2, &l.other);
	load(&l);
	remove_in(l.w.repo, "2.root.json");
	tells(&l.w, (struct mf_history_query){0},
	      "root 1-2 not-kept\ntargets 1 unproven\ntargets 2 ok by root 3\n");
	/* What is no metadata at all needs no root to be known as such. */
	write_in(l.w.repo, "1.targets.json", MF_STR("{}"));
	tells(&l.w, (struct mf_history_query){0},
	      "root 1-2 not-kept\ntargets 1 invalid\ntargets 2 ok by root 3\n");
	life_drop(&l);
}

static void walk_back_over_roots_has_an_end(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hkey *rs[] = {&l.root};
	for (int64_t v = 2; v <= MF_MAX_ROOT_STEPS; v++)
		write_root(&l.w, v, &l.root, &l.online, rs, 1);
	life_targets(&l, 1);
	for (int64_t v = MF_MAX_ROOT_STEPS + 1; v <= MF_MAX_ROOT_STEPS + 3; v++)
		write_root(&l.w, v, &l.root, &l.online, rs, 1);
	load(&l);
	tells(&l.w, (struct mf_history_query){.limit = 1}, "root 1-2 not-read\ntargets 1 ok by root 259\n");
	life_drop(&l);
}

/* ---- limits */

static void limit_ends_what_is_told_with_one_more_to_compare(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 6);
	tells(&l.w, (struct mf_history_query){.limit = 2},
	      "targets 1-4 not-read\ntargets 4 ok before by root 1\ntargets 5 ok by root 1\ntargets 6 ok by "
	      "root 1\n");
	tells(&l.w, (struct mf_history_query){.limit = 6},
	      "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 ok by root 1\ntargets 4 ok by root "
	      "1\ntargets 5 ok by root 1\ntargets 6 ok by root 1\n");
	/* What is missing below the limit is nobody's question. */
	remove_in(l.w.repo, "4.targets.json");
	tells(&l.w, (struct mf_history_query){.limit = 2},
	      "targets 1-4 not-read\ntargets 5 ok by root 1\ntargets 6 ok by root 1\n");
	life_drop(&l);
}

static void of_large_files_fewer_are_read(void **state)
{
	struct life l;
	life_make(&l, state);
	const size_t size = 7 << 20;
	char *targets = malloc(size + 200);
	assert_non_null(targets);
	int n = sprintf(targets, "\"big\":{\"custom\":\"");
	memset(targets + n, 'x', size);
	(void)sprintf(targets + n + size, "\",\"hashes\":{\"sha256\":\"%064d\"},\"length\":1}", 0);
	struct hrole r = {.role = "targets", .version = 1000, .key = &l.online, .targets = targets};
	write_all(&l.w, &r, 1, 1, &l.online);
	load(&l);
	struct told t = walk_query(&l.w, (struct mf_history_query){.limit = 1000}, MF_OK);
	assert_non_null(strstr(t.text, "targets 1-853 not-read\ntargets 854-999 not-kept\n"));
	free(targets);
	life_drop(&l);
}

/* ---- one version */

static void one_version_is_told_alone(void **state)
{
	struct life l;
	struct hkey *rs[1];
	life_make(&l, state);
	rs[0] = &l.root;
	write_rest(&l.w, 1, &l.online);
	write_rest(&l.w, 2, &l.online);
	write_root(&l.w, 2, &l.root, &l.other, rs, 1);
	write_rest(&l.w, 3, &l.other);
	write_rest(&l.w, 4, &l.other);
	load(&l);
	struct mf_history_query q = {.role = "targets", .version = 3};
	tells(&l.w, q, "targets 3 ok by root 2\n");
	q.version = 4;
	tells(&l.w, q, "targets 4 ok by root 2\n");
	remove_in(l.w.repo, "4.targets.json"); /* it has been loaded */
	tells(&l.w, q, "targets 4 ok by root 2\n");
	q.version = 1; /* by a key that the newest root does not list */
	tells(&l.w, q, "targets 1 ok by root 1\n");
	remove_in(l.w.repo, "2.targets.json");
	q.version = 2;
	tells(&l.w, q, "targets 2 not-kept\n");
	spoil(&l, "3.targets.json");
	q.version = 3;
	tells(&l.w, q, "targets 3 invalid\n");
	copy_file(&l, "1.targets.json", "3.targets.json");
	tells(&l.w, q, "targets 3 invalid\n");
	life_drop(&l);
}

/* ---- stores that behave otherwise */

struct mf_fetch {
	struct mf_fetch *real;
	bool fails;
};

static const struct mf_repo_ops *real;
static int in_flight, most_in_flight, fail_at;
static size_t most_asked; /* octets, by a request that is one of several */
static enum mf_code fail_code;
static int64_t too_large; /* a version that is too large for all but the most */

static struct mf_fetch *odd_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct mf_fetch *f = calloc(1, sizeof *f);
	assert_non_null(f);
	if (++in_flight > most_in_flight)
		most_in_flight = in_flight;
	if (in_flight > 1 && key->max > most_asked)
		most_asked = key->max;
	f->fails = (key->version == fail_at && strcmp(key->role, "targets") == 0) ||
		   (key->version == too_large && key->max < MF_MAX_TARGETS_BYTES);
	f->real = real->begin(r, key, err);
	return f;
}

static int odd_end(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	int rc = real->end(f->real, out, err);
	bool fails = f->fails;
	in_flight--;
	free(f);
	if (!fails || rc < 0)
		return rc;
	mf_buf_clear(out);
	return mf_fail(err, fail_code, 0, "as the test has it");
}

static void odd_cancel(struct mf_fetch *f)
{
	in_flight--;
	real->cancel(f->real);
	free(f);
}

static void odd_store(struct life *l)
{
	real = l->w.trust->repo->ops;
	l->w.remote = *real;
	l->w.remote.begin = odd_begin;
	l->w.remote.end = odd_end;
	l->w.remote.cancel = odd_cancel;
	l->w.trust->repo->ops = &l->w.remote;
	in_flight = most_in_flight = fail_at = 0;
	too_large = 0;
	most_asked = 0;
	fail_code = MF_E_FORMAT;
}

static void file_too_large_to_be_one_of_several_is_fetched_alone(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 3);
	odd_store(&l);
	too_large = 2;
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 ok by root 1\n");
	assert_int_equal(in_flight, 0);
	life_drop(&l);
}

static void requests_are_in_flight_together_and_none_is_left(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 20);
	odd_store(&l);
	(void)walk_query(&l.w, (struct mf_history_query){0}, MF_OK);
	assert_int_equal(most_in_flight, 8);
	assert_true(most_asked <= MF_MAX_TARGETS_TOTAL / 8); /* all that they may bring fits */
	assert_int_equal(in_flight, 0);
	fail_at = 3;
	fail_code = MF_E_UNAVAILABLE;
	struct told t = walk_query(&l.w, (struct mf_history_query){0}, MF_E_UNAVAILABLE);
	assert_string_equal(t.text, "targets 1 ok by root 1\ntargets 2 ok by root 1\n");
	assert_int_equal(in_flight, 0);
	life_drop(&l);
}

static void answer_that_is_no_file_is_an_invalid_version(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 3);
	odd_store(&l);
	fail_at = 3; /* too large by its number, and it has been loaded: both are reported */
	struct told t = walk_query(&l.w, (struct mf_history_query){0}, MF_OK);
	assert_string_equal(t.text, "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 "
				    "invalid\ntargets 3 ok by root 1\n");
	life_drop(&l);
}

static void newest_file_that_is_another_by_its_number_is_told(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 2);
	spoil(&l, "2.targets.json"); /* after it was loaded */
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 invalid\ntargets 2 ok by root 1\n");
	remove_in(l.w.repo, "2.targets.json");
	tells(&l.w, (struct mf_history_query){0}, "targets 1 ok by root 1\ntargets 2 ok by root 1\n");
	life_drop(&l);
}

static bool stopped(void *arg)
{
	(void)arg;
	return true;
}

static void run_that_is_stopped_or_late_ends(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 2);
	bool (*never)(void *arg) = l.w.env.cancelled;
	l.w.env.cancelled = stopped;
	struct told t = walk_query(&l.w, (struct mf_history_query){0}, MF_E_CANCELLED);
	assert_string_equal(t.text, "");
	l.w.env.cancelled = never;
	l.w.env.deadline_ms = mf_monotonic_ms() - 1;
	(void)walk_query(&l.w, (struct mf_history_query){0}, MF_E_UNAVAILABLE);
	life_drop(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(every_version_is_told_oldest_first),
	    T(many_versions_keep_their_order),
	    T(versions_that_are_not_kept_are_told_as_ranges),
	    T(version_that_was_changed_is_invalid_and_the_others_hold),
	    T(version_under_the_number_of_another_is_invalid),
	    T(version_that_has_expired_since_holds),
	    T(file_that_delegates_where_it_may_not_is_invalid),
	    T(versions_are_verified_by_the_root_of_then),
	    T(key_that_was_taken_away_does_not_sign_again),
	    T(old_root_that_did_not_sign_the_next_proves_nothing),
	    T(roots_that_are_not_kept_prove_nothing_and_accuse_nobody),
	    T(walk_back_over_roots_has_an_end),
	    T(limit_ends_what_is_told_with_one_more_to_compare),
	    T(of_large_files_fewer_are_read),
	    T(one_version_is_told_alone),
	    T(file_too_large_to_be_one_of_several_is_fetched_alone),
	    T(requests_are_in_flight_together_and_none_is_left),
	    T(answer_that_is_no_file_is_an_invalid_version),
	    T(newest_file_that_is_another_by_its_number_is_told),
	    T(run_that_is_stopped_or_late_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
