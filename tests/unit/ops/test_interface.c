/* What the public header promises: programs that were compiled against an older or a newer header. This
 * program is compiled against the first one that promised it, which never changes. */
#include "frozen/manifesto-1.h"

#include "world.h"

#include <stddef.h>

/* It came later, with the same structs. */
int manifesto_veto(struct manifesto *m, const struct manifesto_change_options *opt,
		   const struct manifesto_change_result **out, struct manifesto_error *err);

/* Each function with options, called with a struct of which `size` was changed. */
#define CALL(name, options, result)                                                                          \
	static int call_##name(struct manifesto *m, const void *o, struct manifesto_error *err)              \
	{                                                                                                    \
		const struct result *r = NULL;                                                               \
		int rc = manifesto_##name(m, o, &r, err);                                                    \
		assert_true((rc == 0) == (r != NULL));                                                       \
		manifesto_result_free(r);                                                                    \
		return rc;                                                                                   \
	}                                                                                                    \
	_Static_assert(offsetof(struct options, size) == 0, "an option struct begins with its size");
CALL(put, manifesto_change_options, manifesto_change_result)
CALL(sign, manifesto_change_options, manifesto_change_result)
CALL(remove, manifesto_change_options, manifesto_change_result)
CALL(withdraw, manifesto_change_options, manifesto_change_result)
CALL(veto, manifesto_change_options, manifesto_change_result)
CALL(get, manifesto_get_options, manifesto_get_result)
CALL(list, manifesto_list_options, manifesto_list_result)
CALL(history, manifesto_history_options, manifesto_history_result)
CALL(trust_pin, manifesto_pin_options, manifesto_trust_result)
CALL(role_add, manifesto_role_options, manifesto_role_result)
CALL(role_remove, manifesto_role_options, manifesto_role_result)
CALL(role_sign, manifesto_role_options, manifesto_role_result)
CALL(trust_refresh, manifesto_refresh_options, manifesto_refresh_result)
CALL(status, manifesto_status_options, manifesto_status_result)
CALL(repair, manifesto_repair_options, manifesto_repair_result)
CALL(key_export, manifesto_key_export_options, manifesto_key_export_result)

static int call_verify(struct manifesto *m, const void *o, struct manifesto_error *err)
{
	return manifesto_verify(m, o, err);
}

static int call_role_apply(struct manifesto *m, const void *o, struct manifesto_error *err)
{
	const struct manifesto_role_result *r = NULL;
	return manifesto_role_apply(m, "/dev/null", o, &r, err);
}

static int call_new(struct manifesto *m, const void *o, struct manifesto_error *err)
{
	struct manifesto *other = NULL;
	(void)m;
	return manifesto_new(o, &other, err);
}

#define ROW(name, options)                                                                                   \
	{                                                                                                    \
#name, call_##name, sizeof(struct options)                                                   \
	}
static const struct {
	const char *name;
	int (*call)(struct manifesto *m, const void *o, struct manifesto_error *err);
	size_t size;
} functions[] = {
    ROW(put, manifesto_change_options),
    ROW(sign, manifesto_change_options),
    ROW(remove, manifesto_change_options),
    ROW(withdraw, manifesto_change_options),
    ROW(get, manifesto_get_options),
    ROW(list, manifesto_list_options),
    ROW(history, manifesto_history_options),
    ROW(trust_pin, manifesto_pin_options),
    ROW(role_add, manifesto_role_options),
    ROW(role_remove, manifesto_role_options),
    ROW(role_sign, manifesto_role_options),
    ROW(trust_refresh, manifesto_refresh_options),
    ROW(status, manifesto_status_options),
    ROW(repair, manifesto_repair_options),
    ROW(verify, manifesto_verify_options),
    ROW(role_apply, manifesto_role_options),
    ROW(new, manifesto_options),
    ROW(veto, manifesto_change_options),
    ROW(key_export, manifesto_key_export_options),
};
#define NFUNCTIONS (sizeof functions / sizeof functions[0])

static void refused(struct world *w, size_t i, size_t size, const unsigned char *bytes)
{
	struct manifesto_error err = {0};
	unsigned char *o = calloc(1, 2048);
	assert_non_null(o);
	memcpy(o, bytes, 2048);
	memcpy(o, &size, sizeof size);
	if (functions[i].call(w->m, o, &err) != -1 || err.status != MANIFESTO_USAGE)
		fail_msg("%s took options of size %zu: %d %s", functions[i].name, size, err.status,
			 err.message);
	free(o);
}

static void no_function_takes_a_size_that_was_not_set(void **state)
{
	static const size_t sizes[] = {0, 1, sizeof(size_t) - 1, (size_t)1 << 20, SIZE_MAX};
	unsigned char zero[2048] = {0};
	struct world w;
	world_make(&w, state);
	for (size_t i = 0; i < NFUNCTIONS; i++)
		for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++)
			refused(&w, i, sizes[k], zero);
	world_drop(&w);
}

static void no_function_ignores_an_option_that_it_does_not_know(void **state)
{
	struct world w;
	world_make(&w, state);
	for (size_t i = 0; i < NFUNCTIONS; i++) {
		unsigned char bytes[2048] = {0};
		bytes[functions[i].size + 1023] = 1; /* behind all that may have been appended since */
		refused(&w, i, functions[i].size + 1024, bytes);
	}
	world_drop(&w);
}

static void options_of_a_newer_program_pass_when_what_is_new_is_zero(void **state)
{
	struct world w;
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	world_make(&w, state);
	struct {
		struct manifesto_change_options o;
		unsigned char more[1024];
	} newer = {.o = put_of(&w, "yes")};
	newer.o.size = sizeof newer;
	assert_int_equal(manifesto_put(w.m, &newer.o, &r, &err), 0);
	manifesto_result_free(r);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

/* The struct ends behind its first two members, and so does the memory that it is in. */
static void members_that_an_older_program_lacks_count_as_zero(void **state)
{
	struct world w;
	struct manifesto_error err;
	const struct manifesto_list_result *r = NULL;
	const size_t size = offsetof(struct manifesto_list_options, all);
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes");
	assert_int_equal(put(&w, &o).status, 0);
	void *memory = malloc(size);
	struct manifesto_list_options now = MANIFESTO_INIT(manifesto_list_options), *older = memory;
	assert_non_null(older);
	now.size = size;
	now.image = w.image;
	memcpy(older, &now, size);
	assert_int_equal(manifesto_list(w.m, older, &r, &err), 0);
	assert_int_equal(r->nrecords, 1);
	assert_string_equal(r->records[0]->type, "qa");
	manifesto_result_free(r);
	free(older);
	world_drop(&w);
}

static void statistics_fill_no_more_than_the_caller_has(void **state)
{
	struct world w;
	struct manifesto_stats s;
	world_make(&w, state);
	memset(&s, 0xa5, sizeof s);
	s.size = offsetof(struct manifesto_stats, bytes_in);
	manifesto_stats(w.m, &s);
	assert_int_equal(s.requests, 0);
	assert_int_equal(s.bytes_in, UINT64_C(0xa5a5a5a5a5a5a5a5));
	world_drop(&w);
}

static void result_outlives_its_context(void **state)
{
	struct world w;
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	world_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes");
	assert_int_equal(manifesto_put(w.m, &o, &r, &err), 0);
	manifesto_free(w.m);
	w.m = NULL;
	assert_int_equal(r->nitems, 1);
	assert_string_equal(r->items[0]->record->type, "qa");
	assert_int_equal(r->items[0]->record->nsigners, 1);
	assert_string_equal(r->items[0]->record->signers[0]->fingerprint, r->signer->fingerprint);
	manifesto_result_free(r);
	manifesto_result_free(NULL);
	world_drop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(no_function_takes_a_size_that_was_not_set, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(no_function_ignores_an_option_that_it_does_not_know, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(options_of_a_newer_program_pass_when_what_is_new_is_zero,
					    tmpdir_make, tmpdir_drop),
	    cmocka_unit_test_setup_teardown(members_that_an_older_program_lacks_count_as_zero, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(statistics_fill_no_more_than_the_caller_has, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(result_outlives_its_context, tmpdir_make, tmpdir_drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
