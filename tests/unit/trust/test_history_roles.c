/* Old versions of delegated roles: by the delegation of then. */
#include "history.h"

static void delegated_role_is_verified_by_the_delegation_of_then(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	write_both(&l, 1, a, &l.qa, NULL);
	write_both(&l, 2, a, &l.qa, NULL);
	write_both(&l, 3, b, &l.qa2, NULL);
	write_both(&l, 4, b, &l.qa, NULL); /* the key was taken away */
	write_both(&l, 5, b, &l.qa2, NULL);
	load(&l);
	tells(&l.w, (struct mf_history_query){.role = "qa"},
	      "qa 1 ok by targets 1\nqa 2 ok by targets 1\nqa 3 ok by targets 3\nqa 4 invalid\nqa 5 ok by "
	      "targets 3\n");
	/* A delegator's file that does not verify supports nothing, and is reported. */
	spoil(&l, "1.targets.json");
	spoil(&l, "2.targets.json");
	tells(&l.w, (struct mf_history_query){.role = "qa"},
	      "targets 1 invalid\ntargets 2 invalid\nqa 1 invalid\nqa 2 invalid\nqa 3 ok by targets 3\nqa 4 "
	      "invalid\nqa 5 ok by targets 3\n");
	life_drop(&l);
}

static void threshold_of_then_must_be_met(void **state)
{
	struct life l;
	char two[4096], one[4096];
	life_make(&l, state);
	delegate(two, &l.qa, &l.qa2, 2, "qa/*");
	delegate(one, &l.qa, &l.other, 1, "qa/*");
	write_both(&l, 1, two, &l.qa, &l.qa2);
	write_both(&l, 2, two, &l.qa2, NULL);
	write_both(&l, 3, two, &l.qa, &l.qa2);
	load(&l);
	struct told t = walk_query(&l.w, (struct mf_history_query){.role = "qa"}, MF_OK);
	assert_string_equal(t.text, "qa 1 ok by targets 1\nqa 2 invalid\nqa 3 ok by targets 1\n");
	assert_int_equal(t.nsigners, 2);
	/* One of two suffices now; all who signed are reported. */
	write_both(&l, 4, one, &l.qa, &l.other);
	load(&l);
	t = walk_query(&l.w, (struct mf_history_query){.role = "qa"}, MF_OK);
	assert_string_equal(t.text, "qa 1 ok by targets 1\nqa 2 invalid\nqa 3 ok by targets 1\nqa 4 ok by "
				    "targets 4\n");
	assert_int_equal(t.nsigners, 2);
	life_drop(&l);
}

static void role_is_seen_with_the_paths_of_then(void **state)
{
	struct life l;
	char narrow[4096], wide[4096];
	life_make(&l, state);
	delegate(narrow, &l.qa, NULL, 1, "scan/*");
	delegate(wide, &l.qa, NULL, 1, "qa/*");
	write_both(&l, 1, narrow, &l.qa, NULL);
	write_both(&l, 2, wide, &l.qa, NULL);
	load(&l);
	struct mf_history_query q = {.role = "qa"};
	struct told t = walk_query(&l.w, q, MF_OK);
	/* The file came in the same publish as the delegation: it is shown under both. */
	assert_string_equal(t.text, "qa 1 ok by targets 1\nqa 2 ok by targets 1\n");
	assert_true(t.nagain && t.covers);
	t = (struct told){.stop = 1};
	struct mf_err err = MF_ERR_INIT;
	q.fn = tell;
	q.arg = &t;
	q.limit = 100;
	assert_int_equal(mf_trust_history(l.w.trust, &q, &err), -1);
	assert_int_equal(err.code, MF_E_CANCELLED);
	assert_false(t.covers);
	life_drop(&l);
}

static void role_that_is_listed_no_more_is_told_with_its_end(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	write_both(&l, 1, a, &l.qa, NULL);
	write_both(&l, 2, b, &l.qa2, NULL);
	write_both(&l, 3, NULL, &l.qa2, NULL);
	write_both(&l, 4, NULL, &l.qa, NULL); /* by a key that was taken away */
	load(&l);
	const char *targets = "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 ok by root 1\n"
			      "targets 4 ok by root 1\n";
	char want[1024];
	(void)snprintf(want, sizeof want,
		       "%sqa 1 ok by targets 1\nqa 2 ok by targets 2\nqa 3 ok by targets 2\nqa 4 "
		       "invalid\nqa 4 dropped by targets 3\n",
		       targets);
	tells(&l.w, (struct mf_history_query){.prefix = MF_STR("qa/")}, want);
	tells(&l.w, (struct mf_history_query){0}, want);
	tells(&l.w, (struct mf_history_query){.prefix = MF_STR("scan/")}, targets);
	tells(&l.w, (struct mf_history_query){.role = "targets"}, targets);
	/* Listed again: it is what it was. */
	write_both(&l, 5, b, &l.qa2, NULL);
	load(&l);
	struct told t = walk_query(&l.w, (struct mf_history_query){0}, MF_OK);
	assert_null(strstr(t.text, "dropped"));
	assert_non_null(strstr(t.text, "qa 5 ok by targets 2"));
	life_drop(&l);
}

static void role_that_two_delegators_list_is_told_once(void **state)
{
	struct life l;
	char top[4096], a[4096], b[4096], *qa;
	life_make(&l, state);
	delegate(top, &l.qa, &l.qa2, 1, "qa/*");
	qa = strstr(top, "\"name\":\"qa\"");
	assert_non_null(qa);
	memcpy(qa, "\"name\":\"aa\"", 11);
	char *end = strstr(top, "]}"), second[1024];
	(void)snprintf(second, sizeof second, ",%s", strstr(top, "{\"keyids\""));
	memcpy(strstr(second, "\"aa\""), "\"bb\"", 4);
	end = top + strlen(top) - strlen("]}");
	(void)snprintf(end, sizeof top - (size_t)(end - top), "%s", second);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	struct hrole roles[] = {
	    {.role = "targets", .version = 1, .key = &l.online, .delegations = top},
	    {.role = "aa", .version = 1, .key = &l.qa, .delegations = a},
	    {.role = "bb", .version = 1, .key = &l.qa2, .delegations = b},
	    {.role = "qa", .version = 1, .key = &l.qa, .cosigner = &l.qa2},
	};
	write_all(&l.w, roles, 4, 1, &l.online);
	load(&l);
	assert_int_equal(mf_trust_set(l.w.trust)->nroles, 5);
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\naa 1 ok by targets 1\nbb 1 ok by targets 1\nqa 1 ok by aa 1\n");
	life_drop(&l);
}

static void role_that_has_moved_to_another_delegator_is_told_once(void **state)
{
	struct life l;
	char before[4096], after[4096], *name;
	life_make(&l, state);
	delegate(before, &l.qa, NULL, 1, "qa/*");
	delegate(after, &l.qa2, NULL, 1, "qa/*");
	name = strstr(after, "\"name\":\"qa\"");
	assert_non_null(name);
	memcpy(name, "\"name\":\"aa\"", 11);
	write_both(&l, 1, before, &l.qa, NULL);
	struct hrole roles[] = {
	    {.role = "targets", .version = 2, .key = &l.online, .delegations = after},
	    {.role = "aa", .version = 1, .key = &l.qa2, .delegations = before},
	    {.role = "qa", .version = 2, .key = &l.qa},
	};
	write_all(&l.w, roles, 3, 2, &l.online);
	load(&l);
	tells(
	    &l.w, (struct mf_history_query){0},
	    "targets 1 ok by root 1\ntargets 2 ok by root 1\naa 1 ok by targets 2\nqa 1 ok by aa 1\nqa 2 ok "
	    "by aa 1\n");
	life_drop(&l);
}

static void keys_and_roles_that_change_too_often_are_refused(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	for (int64_t v = 1; v <= MF_MAX_HISTORY_AUTHORITIES; v++)
		write_both(&l, v, v % 2 ? a : b, v % 2 ? &l.qa : &l.qa2, NULL);
	load(&l);
	(void)walk_query(&l.w, (struct mf_history_query){.role = "qa", .limit = 1}, MF_OK);
	write_both(&l, MF_MAX_HISTORY_AUTHORITIES + 1, a, &l.qa, NULL);
	load(&l);
	(void)walk_query(&l.w, (struct mf_history_query){.role = "qa", .limit = 1}, MF_E_FORMAT);
	life_drop(&l);
}

static void limit_does_not_hide_the_keys_of_a_delegated_role(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	write_both(&l, 1, a, &l.qa, NULL);
	for (int64_t v = 2; v <= 5; v++) { /* targets goes on, qa does not */
		struct hrole roles[] = {
		    {.role = "targets", .version = v, .key = &l.online, .delegations = v < 5 ? a : b},
		    {.role = "qa", .version = v == 5 ? 2 : 1, .key = v == 5 ? &l.qa2 : &l.qa},
		};
		write_all(&l.w, roles, 2, v, &l.online);
	}
	load(&l);
	tells(&l.w, (struct mf_history_query){.role = "qa", .limit = 2},
	      "qa 1 ok by targets 1\nqa 2 ok by targets 5\n");
	life_drop(&l);
}

static void what_lies_beyond_the_limits_accuses_nobody(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	for (int64_t v = 1; v <= 2; v++) {
		struct hrole roles[] = {
		    {.role = "targets",
		     .version = v == 1 ? 1 : MF_MAX_HISTORY_VERSIONS + 1,
		     .key = &l.online,
		     .delegations = v == 1 ? a : b},
		    {.role = "qa", .version = v, .key = v == 1 ? &l.qa : &l.qa2},
		};
		write_all(&l.w, roles, 2, v, &l.online);
	}
	load(&l);
	tells(&l.w, (struct mf_history_query){.role = "qa"}, "qa 1 unproven\nqa 2 ok by targets 1001\n");
	life_drop(&l);
}

static void one_version_of_a_delegated_role_is_told_alone(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "scan/*");
	write_both(&l, 1, a, &l.qa, NULL);
	write_both(&l, 2, b, &l.qa2, NULL);
	write_both(&l, 3, b, &l.qa2, NULL);
	load(&l);
	struct mf_history_query q = {.role = "qa", .version = 2};
	struct told t = walk_query(&l.w, q, MF_OK);
	assert_string_equal(t.text, "qa 2 ok by targets 3\n");
	assert_false(t.covers);
	q.version = 1;
	t = walk_query(&l.w, q, MF_OK);
	assert_string_equal(t.text, "qa 1 ok by targets 1\n");
	assert_true(t.covers);
	life_drop(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(delegated_role_is_verified_by_the_delegation_of_then),
	    T(threshold_of_then_must_be_met),
	    T(role_is_seen_with_the_paths_of_then),
	    T(role_that_is_listed_no_more_is_told_with_its_end),
	    T(role_that_two_delegators_list_is_told_once),
	    T(role_that_has_moved_to_another_delegator_is_told_once),
	    T(keys_and_roles_that_change_too_often_are_refused),
	    T(limit_does_not_hide_the_keys_of_a_delegated_role),
	    T(what_lies_beyond_the_limits_accuses_nobody),
	    T(one_version_of_a_delegated_role_is_told_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
