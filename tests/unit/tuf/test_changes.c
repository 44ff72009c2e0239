/* What differs between the roles of two versions of a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tuf/changes.h"

struct told {
	char text[1024];
	size_t at;
	int stop;
};

static int tell(void *arg, const struct mf_tuf_change *c, struct mf_err *err)
{
	struct told *t = arg;
	int n = snprintf(t->text + t->at, sizeof t->text - t->at, "%s %s%s%.*s\n", c->what, c->role,
			 c->key        ? " key"
			 : c->detail.p ? " "
				       : "",
			 MF_STR_ARG(c->detail));
	t->at += (size_t)n;
	assert_true(t->at < sizeof t->text);
	return t->stop && --t->stop == 0 ? mf_fail(err, MF_E_CANCELLED, 0, "enough") : 0;
}

static struct told compare(const struct mf_tuf_role *before, const struct mf_tuf_role *after)
{
	struct told t = {.at = 0};
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_role_lists l = {&mf_dialect_tuf1, &before, &after, before != NULL, after != NULL};
	assert_int_equal(mf_tuf_roles_compare(&l, tell, &t, &err), 0);
	return t;
}

static void each_difference_is_reported_once(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_privkey *one = mf_privkey_generate(MF_KEY_ED25519, &err),
			  *two = mf_privkey_generate(MF_KEY_ED25519, &err);
	assert_true(one && two);
	const struct mf_tuf_key k1 = {.id = MF_STR("1"), .pub = mf_privkey_public(one)},
				again = {.id = MF_STR("9"), .pub = mf_privkey_public(one)},
				cert = {.id = MF_STR("9"), .pub = mf_privkey_public(one), .x509 = true},
				k2 = {.id = MF_STR("2"), .pub = mf_privkey_public(two)},
				odd = {.id = MF_STR("odd")}, odder = {.id = MF_STR("odder")};
	const struct mf_tuf_key *first[] = {&k1}, *both[] = {&k1, &k2}, *second[] = {&k2},
				*renamed[] = {&again}, *certified[] = {&cert}, *unusable[] = {&odd},
				*other[] = {&odder};
	struct mf_str qa[] = {MF_STR("qa/*")}, more[] = {MF_STR("qa/*"), MF_STR("scan/*"), MF_STR("x")};
	struct mf_str prefixes[] = {MF_STR("a")};
	const struct mf_tuf_role base = {
	    .name = "qa", .keys = first, .nkeys = 1, .threshold = 1, .paths = qa, .npaths = 1};
	struct mf_tuf_role r[8];
	for (size_t i = 0; i < sizeof r / sizeof r[0]; i++)
		r[i] = base;
	r[0].keys = both;
	r[0].nkeys = 2;
	r[1].keys = second;
	r[2].keys = renamed;
	r[3].keys = certified;
	r[4].threshold = 2;
	r[5].paths = more;
	r[5].npaths = 3;
	r[6].hash_prefixes = prefixes;
	r[6].nhash_prefixes = 1;
	r[7].keys = unusable;
	struct mf_tuf_role odd_one = r[7];
	odd_one.keys = other;
	const struct {
		const struct mf_tuf_role *before, *after;
		const char *want;
	} rows[] = {
	    {NULL, NULL, ""},
	    {&base, &base, ""},
	    {NULL, &base, "role-created qa\nkey-added qa key\ntype-added qa qa\n"},
	    {NULL, &r[4], "role-created qa\nkey-added qa key\nthreshold-changed qa 2\ntype-added qa qa\n"},
	    {&base, NULL, "role-removed qa\n"},
	    {&base, &r[0], "key-added qa key\n"},
	    {&r[0], &base, "key-removed qa key\n"},
	    {&base, &r[1], "key-added qa key\nkey-removed qa key\n"},
	    {&base, &r[2], ""}, /* another ID of the same key */
	    {&base, &r[3], "certificate-changed qa key\n"},
	    {&base, &r[4], "threshold-changed qa 2\n"},
	    {&r[4], &base, "threshold-changed qa 1\n"},
	    {&base, &r[5], "type-added qa scan\npath-added qa x\n"},
	    {&r[5], &base, "type-removed qa scan\npath-removed qa x\n"},
	    {&base, &r[6], "prefixes-changed qa\n"},
	    {&r[7], &odd_one, "key-added qa odder\nkey-removed qa odd\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(compare(rows[i].before, rows[i].after).text, rows[i].want);
	mf_privkey_free(one);
	mf_privkey_free(two);
}

static void first_role_of_a_name_counts(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct told t = {.at = 0};
	const struct mf_tuf_role a = {.name = "a", .threshold = 1}, b = {.name = "b", .threshold = 1},
				 b2 = {.name = "b", .threshold = 2}, c = {.name = "c", .threshold = 1};
	const struct mf_tuf_role *before[] = {&a, &b, &b2}, *after[] = {&b, &b2, &c, &b};
	struct mf_tuf_role_lists l = {&mf_dialect_tuf1, before, after, 3, 4};
	assert_int_equal(mf_tuf_roles_compare(&l, tell, &t, &err), 0);
	assert_string_equal(t.text, "role-created c\nrole-removed a\n");
}

static void caller_can_stop(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	const struct mf_tuf_role a = {.name = "a", .threshold = 2}, *after[] = {&a}, *before[] = {NULL};
	struct mf_tuf_role_lists in = {&mf_dialect_tuf1, before, after, 0, 1};
	struct mf_tuf_role_lists out = {&mf_dialect_tuf1, after, before, 1, 0};
	for (int stop = 1; stop <= 2; stop++) {
		struct told t = {.stop = stop};
		mf_err_clear(&err);
		assert_int_equal(mf_tuf_roles_compare(&in, tell, &t, &err), -1);
		assert_int_equal(err.code, MF_E_CANCELLED);
	}
	struct told t = {.stop = 1};
	mf_err_clear(&err);
	assert_int_equal(mf_tuf_roles_compare(&out, tell, &t, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_difference_is_reported_once),
	    cmocka_unit_test(first_role_of_a_name_counts),
	    cmocka_unit_test(caller_can_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
