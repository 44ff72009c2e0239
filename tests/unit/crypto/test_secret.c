#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/secret.h"

static struct mf_err err;

static void a_new_secret_is_zero(void **state)
{
	static const uint8_t zero[100];
	struct mf_secret s MF_SECRET_CLEANUP = MF_SECRET_INIT;

	(void)state;
	assert_int_equal(mf_secret_alloc(&s, 100, &err), 0);
	assert_int_equal(s.n, 100);
	assert_memory_equal(s.p, zero, 100);
}

static void a_copy_holds_the_octets_and_clearing_empties_it(void **state)
{
	struct mf_secret s = MF_SECRET_INIT;

	(void)state;
	assert_int_equal(mf_secret_copy(&s, mf_bytes_of(MF_STR("hunter2")), &err), 0);
	assert_memory_equal(mf_secret_bytes(&s).p, "hunter2", 7);
	mf_secret_clear(&s);
	assert_null(s.p);
	assert_int_equal(s.n, 0);
	mf_secret_clear(&s);
}

static void a_size_beyond_all_memory_is_out_of_memory(void **state)
{
	struct mf_secret s MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_err e = MF_ERR_INIT;

	(void)state;
	assert_int_equal(mf_secret_alloc(&s, SIZE_MAX - 1, &e), -1);
	assert_int_equal(e.code, MF_E_NOMEM);
	assert_null(s.p);
}

/* In a child: the limit cannot be raised again. */
static void secrets_work_without_lockable_memory(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		const struct rlimit none = {0, 0};
		struct mf_secret s = MF_SECRET_INIT;

		if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || mf_secret_alloc(&s, 32, &err) != 0)
			_exit(1);
		mf_secret_clear(&s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void wiping_leaves_zeros_and_takes_an_empty_range(void **state)
{
	char text[] = "secret";
	static const char zero[6];

	(void)state;
	mf_wipe(text, 6);
	assert_memory_equal(text, zero, 6);
	mf_wipe(NULL, 0);
}

static void random_octets_differ_and_stay_below_the_bound(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	mf_random(a, sizeof(a));
	mf_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	for (int i = 0; i < 1000; i++)
		assert_true(mf_random_below(7) < 7);
	assert_int_equal(mf_random_below(1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_secret_is_zero),
	    cmocka_unit_test(a_copy_holds_the_octets_and_clearing_empties_it),
	    cmocka_unit_test(a_size_beyond_all_memory_is_out_of_memory),
	    cmocka_unit_test(secrets_work_without_lockable_memory),
	    cmocka_unit_test(wiping_leaves_zeros_and_takes_an_empty_range),
	    cmocka_unit_test(random_octets_differ_and_stay_below_the_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
