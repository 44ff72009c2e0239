/* Four eyes: keys are given to requirements exactly where there is a way to do so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "policy/distinct.h"

#define KEYS 6
#define SHARES 4
#define BIT_OF(n) (1U << (n))
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct mf_privkey *keys[KEYS];

static struct mf_pubkey *key(size_t i)
{
	return (struct mf_pubkey *)(uintptr_t)mf_privkey_public(keys[i]);
}

static int make_keys(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		if (!(keys[i] = mf_privkey_generate(MF_KEY_ED25519, &err)))
			return -1;
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		mf_privkey_free(keys[i]);
	return 0;
}

/* Which of the keys signed, as bits, and how many are needed. */
struct wanted {
	unsigned signers;
	int64_t need;
};
struct world {
	struct mf_pubkey *room[SHARES][KEYS];
	struct mf_share v[SHARES];
	size_t n;
};

static void fill(struct world *w, const struct wanted *of, size_t n)
{
	*w = (struct world){.n = n};
	for (size_t i = 0; i < n; i++) {
		w->v[i] = (struct mf_share){.type = "a", .keys = w->room[i], .need = of[i].need};
		for (size_t k = 0; k < KEYS; k++)
			if (of[i].signers >> k & 1)
				w->room[i][w->v[i].nkeys++] = key(k);
	}
}

static size_t assign(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	size_t unmet = 99;
	assert_int_equal(mf_distinct_assign(w->v, w->n, &unmet, &err), 0);
	return unmet;
}

static void keys_are_given_where_there_is_a_way(void **state)
{
	static const struct {
		const char *says;
		struct wanted of[SHARES];
		size_t n, unmet;
	} rows[] = {
	    {"nothing", {{0}}, 0, 0},
	    {"two people", {{1, 1}, {2, 1}}, 2, 2},
	    {"one person for both", {{1, 1}, {1, 1}}, 2, 1},
	    {"whoever signed both has a colleague in the first", {{3, 1}, {1, 1}}, 2, 2},
	    {"or in the second", {{1, 1}, {3, 1}}, 2, 2},
	    {"two for both", {{3, 1}, {3, 1}}, 2, 2},
	    {"three are needed and two are there", {{3, 2}, {3, 1}}, 2, 1},
	    {"three are there", {{7, 2}, {7, 1}}, 2, 2},
	    {"two are common to both, and two are needed of each", {{7, 2}, {14, 2}}, 2, 2},
	    {"none is left for the third", {{3, 1}, {3, 1}, {3, 1}}, 3, 2},
	    {"a chain: each must give way to the next", {{3, 1}, {6, 1}, {12, 1}, {1, 1}}, 4, 4},
	    {"a chain without an end", {{3, 1}, {6, 1}, {4, 1}, {1, 1}}, 4, 3},
	    {"nobody signed", {{1, 1}, {0, 1}}, 2, 1},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w;
		fill(&w, rows[i].of, rows[i].n);
		size_t unmet = assign(&w);
		if (unmet != rows[i].unmet)
			fail_msg("%s: %zu", rows[i].says, unmet);
	}
}

static bool possible(const struct wanted *of, size_t n, size_t share, int64_t more, unsigned taken)
{
	if (share == n)
		return true;
	if (!more)
		return share + 1 == n || possible(of, n, share + 1, of[share + 1].need, taken);
	for (unsigned k = 0; k < KEYS; k++)
		if (of[share].signers & ~taken & BIT_OF(k))
			if (possible(of, n, share, more - 1, taken | BIT_OF(k)))
				return true;
	return false;
}

static void the_answer_is_that_of_trying_everything(void **state)
{
	uint64_t seed = 42;
	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct wanted of[SHARES];
		struct world w;
		for (size_t i = 0; i < SHARES; i++) {
			seed = seed * 6364136223846793005U + 1442695040888963407U;
			of[i] = (struct wanted){(unsigned)(seed >> 40) & ((1U << KEYS) - 1),
						1 + (int64_t)(seed >> 60 & 1)};
		}
		fill(&w, of, SHARES);
		size_t unmet = assign(&w);
		for (size_t n = 1; n <= SHARES; n++)
			assert_int_equal(possible(of, n, 0, of[0].need, 0), unmet >= n);
	}
}

static void each_key_counts_for_one_share(void **state)
{
	static const struct wanted of[] = {{0x0f, 1}, {0x3f, 2}, {0x31, 1}};
	struct world w;
	bool seen[KEYS] = {false};
	(void)state;
	fill(&w, of, COUNT(of));
	assert_int_equal(assign(&w), COUNT(of));
	for (size_t i = 0; i < w.n; i++) {
		assert_true((int64_t)w.v[i].nkeys >= w.v[i].need);
		for (size_t j = 0; j < w.v[i].nkeys; j++)
			for (size_t k = 0; k < KEYS; k++)
				if (mf_pubkey_eq(w.v[i].keys[j], key(k))) {
					assert_false(seen[k]);
					seen[k] = true;
				}
	}
	for (size_t k = 0; k < KEYS; k++)
		assert_true(seen[k]); /* what nobody needs counts nevertheless */
}

static void failure_changes_nothing_and_says_who_signed_twice(void **state)
{
	static const struct wanted of[] = {{3, 2}, {6, 2}};
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct world w;
	(void)state;
	fill(&w, of, COUNT(of));
	w.v[0].type = "qa";
	assert_int_equal(assign(&w), 1);
	assert_int_equal(w.v[0].nkeys + w.v[1].nkeys, 4);
	assert_int_equal(mf_distinct_words(w.v, w.n, 1, NULL, &b, &err), 0);
	assert_non_null(strstr(b.p, "too few keys of its own: signed by "));
	assert_non_null(strstr(b.p, " (who signed for 'qa', too), "));
	assert_null(strstr(strstr(b.p, "too)") + 1, "too)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_given_where_there_is_a_way),
	    cmocka_unit_test(the_answer_is_that_of_trying_everything),
	    cmocka_unit_test(each_key_counts_for_one_share),
	    cmocka_unit_test(failure_changes_nothing_and_says_who_signed_twice),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
