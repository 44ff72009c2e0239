/* What outlives a file: copies of roles; and the shape of old files in the Notary dialect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tuf/history.h"

static struct mf_tuf_file *notary_file(const char *role)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b = MF_BUF_INIT(65536);
	assert_int_equal(
	    mf_buf_printf(
		&b, &err,
		"{\"signed\":{\"_type\":\"Targets\",\"delegations\":{\"keys\":{},\"roles\":[{\"keyids\":"
		"[],\"name\":\"%s\",\"paths\":[\"qa/\"],\"threshold\":1}]},\"expires\":\"2030-01-01T00:"
		"00:00Z\",\"targets\":{},\"version\":3},\"signatures\":[]}",
		role),
	    0);
	struct mf_tuf_file *f = mf_tuf_parse_unverified(&mf_dialect_notary, MF_TUF_TARGETS, &b, &err);
	if (!f)
		fail_msg("%s", err.msg);
	return f;
}

static void old_file_must_have_its_version_and_delegate_to_children_only(void **state)
{
	(void)state;
	static const struct {
		const char *role, *listed;
		int64_t version;
		int want;
	} rows[] = {
	    {"targets", "targets/qa", 3, 0},       {"targets", "targets/qa", 2, -1},
	    {"targets", "targets/qa/a", 3, -1},    {"targets/qa", "targets/qa/a", 3, 0},
	    {"targets/qa", "targets/scan", 3, -1},
	};
	struct mf_tuf_set s = {.d = &mf_dialect_notary};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_tuf_file *f = notary_file(rows[i].listed);
		assert_int_equal(mf_tuf_old_shape(&s, rows[i].role, f, rows[i].version, &err), rows[i].want);
		assert_int_equal(err.code, rows[i].want ? MF_E_FORMAT : MF_OK);
		mf_tuf_file_free(f);
	}
}

/* As the notary program leaves it. */
static void delegations_without_the_last_role_are_read(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b = MF_BUF_INIT(65536);
	assert_int_equal(
	    mf_buf_addz(
		&b,
		"{\"signed\":{\"_type\":\"Targets\",\"delegations\":{\"keys\":{},\"roles\":null},"
		"\"expires\":\"2030-01-01T00:00:00Z\",\"targets\":{},\"version\":3},\"signatures\":[]}",
		&err),
	    0);
	struct mf_tuf_file *f = mf_tuf_parse_unverified(&mf_dialect_notary, MF_TUF_TARGETS, &b, &err);
	if (!f)
		fail_msg("%s", err.msg);
	assert_int_equal(f->nroles, 0);
	assert_int_equal(f->delegations_raw.n, 0);
	mf_tuf_file_free(f);
}

static void copy_of_a_role_is_the_same_and_stands_alone(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_privkey *key = mf_privkey_generate(MF_KEY_ED25519, &err);
	assert_non_null(key);
	char id[] = "0123", path[] = "qa/*", prefix[] = "ab", name[] = "qa", pem[] = "PEM";
	struct mf_tuf_key k = {.id = mf_str_c(id),
			       .id_fits = true,
			       .pub = mf_privkey_public(key),
			       .certificate = mf_str_c(pem),
			       .scheme = MF_SIG_ED25519};
	const struct mf_tuf_key *keys[] = {&k};
	struct mf_str paths[] = {mf_str_c(path)}, prefixes[] = {mf_str_c(prefix)};
	struct mf_tuf_role r = {.name = name,
				.keys = keys,
				.nkeys = 1,
				.threshold = 1,
				.paths = paths,
				.npaths = 1,
				.hash_prefixes = prefixes,
				.nhash_prefixes = 1};
	struct mf_tuf_role_copy *c = mf_tuf_role_copy(&r, &err);
	assert_non_null(c);
	assert_true(mf_tuf_role_same(&r, &c->role));
	struct mf_digest fp = mf_pubkey_fingerprint(mf_privkey_public(key)), have;
	mf_privkey_free(key);
	id[0] = path[0] = prefix[0] = name[0] = pem[0] = 'X';
	have = mf_pubkey_fingerprint(c->role.keys[0]->pub);
	assert_true(mf_digest_eq(&have, &fp));
	assert_string_equal(c->role.name, "qa");
	assert_true(mf_str_eqz(c->role.keys[0]->id, "0123"));
	assert_true(mf_str_eqz(c->role.keys[0]->certificate, "PEM"));
	assert_true(mf_str_eqz(c->role.paths[0], "qa/*"));
	assert_true(mf_str_eqz(c->role.hash_prefixes[0], "ab"));
	mf_tuf_role_copy_free(c);
	mf_tuf_role_copy_free(NULL);
}

static void roles_differ_in_keys_threshold_and_paths(void **state)
{
	(void)state;
	struct mf_tuf_key k1 = {.id = MF_STR("1"), .id_fits = true},
			  k2 = {.id = MF_STR("2"), .id_fits = true}, k1_bad = {.id = MF_STR("1")};
	const struct mf_tuf_key *one[] = {&k1}, *two[] = {&k2}, *bad[] = {&k1_bad}, *both[] = {&k1, &k2};
	struct mf_str qa[] = {MF_STR("qa/*")}, scan[] = {MF_STR("scan/*")};
	const struct mf_tuf_role base = {.keys = one, .nkeys = 1, .threshold = 1, .paths = qa, .npaths = 1};
	struct mf_tuf_role others[8];
	size_t n = 0;
	for (; n < 7; n++)
		others[n] = base;
	assert_true(mf_tuf_role_same(&base, &others[0]));
	others[0].keys = two;
	others[1].keys = both;
	others[1].nkeys = 2;
	others[2].threshold = 2;
	others[3].paths = scan;
	others[4].npaths = 0;
	others[5].keys = bad;
	others[6].hash_prefixes = qa;
	others[6].nhash_prefixes = 1;
	for (size_t i = 0; i < n; i++)
		assert_false(mf_tuf_role_same(&base, &others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(old_file_must_have_its_version_and_delegate_to_children_only),
	    cmocka_unit_test(delegations_without_the_last_role_are_read),
	    cmocka_unit_test(copy_of_a_role_is_the_same_and_stands_alone),
	    cmocka_unit_test(roles_differ_in_keys_threshold_and_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
