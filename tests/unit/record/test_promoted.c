/* promotedFrom: what was signed in another repository, checked without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/encode.h"
#include "base/limits.h"
#include "record/promoted.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define NAME "qa-approval/sha256-" HEX64
#define NKEYS 3

static struct mf_privkey *keys[NKEYS];

/* TEST-ONLY: seeds of one octet each. An ECDSA key signs, too. */
static int make_keys(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	(void)state;
	for (size_t i = 0; i < NKEYS; i++) {
		uint8_t seed[32] = {(uint8_t)(i + 1)};
		keys[i] = i == 2 ? mf_privkey_generate(MF_KEY_ECDSA, &err)
				 : mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){seed, 32}, &err);
		assert_non_null(keys[i]);
	}
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < NKEYS; i++)
		mf_privkey_free(keys[i]);
	return 0;
}

static struct mf_record_binding binding(const char *repository)
{
	return (struct mf_record_binding){
	    .repository = repository, .name = MF_STR(NAME), .length = 9, .sha256 = {{7}}};
}

static void sign(json_t *tree, const struct mf_record_binding *b, size_t key)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20), sig MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_pubkey *pub = mf_privkey_public(keys[key]);
	struct mf_digest fp = mf_pubkey_fingerprint(pub);
	assert_int_equal(mf_record_payload(&payload, b, tree, &err), 0);
	assert_int_equal(
	    mf_privkey_sign(keys[key], mf_record_scheme(pub), mf_buf_bytes(&payload), &sig, &err), 0);
	assert_int_equal(mf_record_add_sig(tree, &fp, mf_buf_bytes(&sig), &err), 0);
}

/* The first record, signed by keys 0 and 2. */
static json_t *approved(const char *repository, const char *reason)
{
	struct mf_err err = MF_ERR_INIT;
	const struct mf_record_fields f = {.created = 1767323045,
					   .author = "Dana <d@example.com>",
					   .reason = reason,
					   .media_type = "text/plain"};
	struct mf_record_binding b = binding(repository);
	json_t *tree = mf_record_make(&f, &err);
	assert_non_null(tree);
	sign(tree, &b, 0);
	sign(tree, &b, 2);
	return tree;
}

/* That record, promoted by key 1 to another repository. */
static json_t *promote(json_t *tree, const char *from, const char *to, struct mf_err *err)
{
	struct mf_record r MF_RECORD_CLEANUP = {0};
	struct mf_pubkey *all[NKEYS];
	bool signed_by[NKEYS];
	struct mf_record_binding there = binding(to);
	struct mf_err ignored = MF_ERR_INIT;
	for (size_t i = 0; i < NKEYS; i++)
		all[i] = mf_privkey_public(keys[i]);
	struct mf_origin o = {.dialect = "notary",
			      .role = "targets/<qa>",
			      .version = 4,
			      .binding = binding(from),
			      .record = &r,
			      .keys = all,
			      .signed_by = signed_by,
			      .nkeys = NKEYS};
	assert_int_equal(mf_record_from_tree(&r, tree, tree, &ignored), 0);
	assert_int_equal(mf_record_signers(&r, &o.binding, all, NKEYS, signed_by, &ignored), 0);
	json_t *made = mf_record_promote(&o, 1, NULL, err);
	if (made)
		sign(made, &there, 1);
	return made;
}

static int read_tree(json_t *tree, struct mf_originals *out, struct mf_err *err)
{
	struct mf_record_binding b = binding("prod.example.com/app");
	struct mf_record r MF_RECORD_CLEANUP = {0};
	assert_int_equal(mf_record_from_tree(&r, tree, tree, err), 0);
	return mf_originals_read(&r, &b, out, err);
}

static json_t *example(void)
{
	struct mf_err err = MF_ERR_INIT;
	json_t *tree MF_JSON_CLEANUP = approved("staging.example.com/app", "because");
	json_t *made = promote(tree, "staging.example.com/app", "prod.example.com/app", &err);
	if (!made)
		fail_msg("unexpected: %s", err.msg);
	return made;
}

static void promoted_record_says_what_its_original_says_and_names_its_signers(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	json_t *tree MF_JSON_CLEANUP = example();
	struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
	(void)state;
	assert_string_equal(json_string_value(json_object_get(tree, "reason")), "because");
	assert_string_equal(json_string_value(json_object_get(tree, "created")), "2026-01-02T03:04:05Z");
	assert_int_equal(read_tree(tree, &all, &err), 0);
	assert_int_equal(all.n, 1);
	assert_string_equal(all.v[0].repository, "staging.example.com/app");
	assert_string_equal(all.v[0].role, "targets/<qa>");
	assert_string_equal(all.v[0].dialect, "notary");
	assert_string_equal(all.v[0].record.author, "Dana <d@example.com>");
	assert_int_equal(all.v[0].version, 4);
	assert_int_equal(all.v[0].depth, 1);
	assert_int_equal(all.v[0].nkeys, 2);
	assert_true(mf_pubkey_eq(all.v[0].keys[0], mf_privkey_public(keys[0])));
	assert_true(mf_pubkey_eq(all.v[0].keys[1], mf_privkey_public(keys[2])));
}

static void record_that_was_not_promoted_has_no_originals(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	json_t *tree MF_JSON_CLEANUP = approved("prod.example.com/app", "because");
	struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
	(void)state;
	assert_int_equal(read_tree(tree, &all, &err), 0);
	assert_int_equal(all.n, 0);
}

static void only_signatures_that_count_are_kept(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record_binding other = binding("elsewhere.example.com/app");
	json_t *tree MF_JSON_CLEANUP = approved("staging.example.com/app", "because");
	struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
	(void)state;
	sign(tree, &other, 2); /* in place of the good one */
	json_t *made MF_JSON_CLEANUP = promote(tree, "staging.example.com/app", "prod.example.com/app", &err);
	assert_non_null(made);
	assert_int_equal(read_tree(made, &all, &err), 0);
	assert_int_equal(all.v[0].nkeys, 1);
}

/* ---- what was tampered with */

struct tampered {
	const char *says, *path, *json; /* the member at path gets the value; NULL: it goes */
	enum mf_code code;
};

/* "sigs/0/sig": names and indexes; the last one's holder. */
static json_t *walk(json_t *at, const char *path, char last[32])
{
	for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
		char name[32];
		(void)snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
		assert_non_null(at);
	}
	(void)snprintf(last, 32, "%s", path);
	return at;
}

static void tamper(json_t *original, const struct tampered *t)
{
	char last[32];
	json_t *holder = walk(original, t->path, last);
	json_t *value = t->json ? json_loads(t->json, JSON_DECODE_ANY, NULL) : NULL;
	assert_true(value || !t->json);
	if (json_is_array(holder) && !value)
		assert_int_equal(json_array_remove(holder, (size_t)atoi(last)), 0);
	else if (json_is_array(holder))
		assert_int_equal(strcmp(last, "+") == 0
				     ? json_array_append_new(holder, value)
				     : json_array_set_new(holder, (size_t)atoi(last), value),
				 0);
	else
		assert_int_equal(
		    value ? json_object_set_new(holder, last, value) : json_object_del(holder, last), 0);
}

#define SIG64 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\""
#define ZEROS "\"0000000000000000000000000000000000000000000000000000000000000000\""

static void what_does_not_verify_is_refused(void **state)
{
	static const struct tampered rows[] = {
	    {"another repository", "repository", "\"prod.example.com/app\"", MF_E_SIGNATURE},
	    {"another description", "custom/reason", "\"really\"", MF_E_SIGNATURE},
	    {"one more member", "custom/waived", "true", MF_E_SIGNATURE},
	    {"another signature", "sigs/0/sig", SIG64, MF_E_SIGNATURE},
	    {"a signature of another key", "sigs/0/fp", ZEROS, MF_E_SIGNATURE},
	    {"another name", "name",
	     "\"qa-approval/sha256-0000000000000000000000000000000000000000000000"
	     "000000000000000000\"",
	     MF_E_FORMAT},
	    {"another type", "name", "\"release/sha256-" HEX64 "\"", MF_E_FORMAT},
	    {"another content", "hashes/sha256", ZEROS, MF_E_FORMAT},
	    {"content that is no hash", "hashes/sha256", "\"07\"", MF_E_FORMAT},
	    {"another length", "length", "8", MF_E_FORMAT},
	    {"no length", "length", NULL, MF_E_FORMAT},
	    {"no key", "keys", "[]", MF_E_FORMAT},
	    {"a key too few", "keys/0", NULL, MF_E_FORMAT},
	    {"a key that is none", "keys/0", "\"AAAA\"", MF_E_FORMAT},
	    {"a key that is no text", "keys/0", "7", MF_E_FORMAT},
	    {"a signature too few", "sigs/0", NULL, MF_E_FORMAT},
	    {"no signatures", "sigs", NULL, MF_E_FORMAT},
	    {"signatures in the description", "custom/sigs", "[]", MF_E_FORMAT},
	    {"a withdrawal", "custom/withdrawn", "[]", MF_E_FORMAT},
	    {"a description that is newer", "custom/v", "2", MF_E_FORMAT},
	    {"no description", "custom", NULL, MF_E_FORMAT},
	    {"no repository", "repository", "\"\"", MF_E_FORMAT},
	    {"no role", "role", NULL, MF_E_FORMAT},
	    {"no dialect", "dialect", "1", MF_E_FORMAT},
	    {"version 0", "version", "0", MF_E_FORMAT},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
		json_t *tree MF_JSON_CLEANUP = example();
		tamper(json_array_get(json_object_get(tree, "promotedFrom"), 0), &rows[i]);
		if (read_tree(tree, &all, &err) == 0)
			fail_msg("%s: accepted", rows[i].says);
		if (err.code != rows[i].code)
			fail_msg("%s: %s", rows[i].says, err.msg);
	}
}

static void a_key_is_there_once(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
	json_t *tree MF_JSON_CLEANUP = example();
	json_t *o = json_array_get(json_object_get(tree, "promotedFrom"), 0);
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		json_t *list = json_object_get(o, i ? "keys" : "sigs");
		assert_int_equal(json_array_set(list, 1, json_array_get(list, 0)), 0);
	}
	assert_int_equal(read_tree(tree, &all, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

static void promoted_from_is_a_list_of_entries(void **state)
{
	static const char *const bad[] = {"{}", "[]", "[1]", "null", "\"\"", "[{}]"};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
		json_t *tree MF_JSON_CLEANUP = example();
		assert_int_equal(
		    json_object_set_new(tree, "promotedFrom", json_loads(bad[i], JSON_DECODE_ANY, NULL)), 0);
		if (read_tree(tree, &all, &err) == 0)
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(err.code, MF_E_FORMAT);
	}
}

/* ---- chains */

static json_t *chain(size_t promotions, const char *reason, struct mf_err *err)
{
	char from[40] = "stage0.example.com/app", to[40];
	json_t *tree = approved(from, reason);
	for (size_t i = 1; tree && i <= promotions; i++) {
		(void)snprintf(to, sizeof to, "stage%zu.example.com/app", i);
		json_t *next = promote(tree, from, to, err);
		json_decref(tree);
		tree = next;
		memcpy(from, to, sizeof from);
	}
	return tree;
}

static void chain_of_eight_is_read_down_to_who_approved(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
	json_t *tree MF_JSON_CLEANUP = chain(8, "because", &err);
	(void)state;
	assert_non_null(tree);
	assert_int_equal(read_tree(tree, &all, &err), 0);
	assert_int_equal(all.n, 8);
	assert_int_equal(all.v[7].depth, 8);
	assert_string_equal(all.v[7].repository, "stage0.example.com/app");
	assert_int_equal(all.v[7].nkeys, 2);
	assert_int_equal(all.v[0].nkeys, 1);
	assert_true(mf_pubkey_eq(all.v[0].keys[0], mf_privkey_public(keys[1])));
}

static void ninth_promotion_is_neither_made_nor_read(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
	json_t *tree MF_JSON_CLEANUP = chain(9, "because", &err);
	(void)state;
	assert_null(tree);
	assert_int_equal(err.code, MF_E_USAGE);
	/* Whoever makes one all the same: the ninth around eight. */
	mf_err_clear(&err);
	json_t *eight MF_JSON_CLEANUP = chain(8, "because", &err), *nine MF_JSON_CLEANUP = example();
	json_t *o = json_array_get(json_object_get(nine, "promotedFrom"), 0);
	(void)json_object_del(eight, "sigs");
	assert_int_equal(json_object_set(o, "custom", eight), 0);
	json_t *copy MF_JSON_CLEANUP = json_deep_copy(eight);
	struct mf_record_binding b = binding("staging.example.com/app");
	sign(copy, &b, 0);
	sign(copy, &b, 2);
	assert_int_equal(json_object_set(o, "sigs", json_object_get(copy, "sigs")), 0);
	assert_int_equal(read_tree(nine, &all, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

static void at_most_64_originals_are_read(void **state)
{
	(void)state;
	for (size_t n = MF_MAX_ORIGINALS; n <= MF_MAX_ORIGINALS + 1; n++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
		json_t *tree MF_JSON_CLEANUP = example();
		json_t *list = json_object_get(tree, "promotedFrom");
		while (json_array_size(list) < n)
			assert_int_equal(json_array_append(list, json_array_get(list, 0)), 0);
		assert_int_equal(read_tree(tree, &all, &err), n == MF_MAX_ORIGINALS ? 0 : -1);
		assert_int_equal(err.code, n == MF_MAX_ORIGINALS ? MF_OK : MF_E_FORMAT);
	}
}

static void what_has_no_room_is_not_promoted(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	char *reason = malloc(20001);
	(void)state;
	assert_non_null(reason);
	memset(reason, 'a', 20000);
	reason[20000] = 0;
	json_t *tree MF_JSON_CLEANUP = chain(1, reason, &err);
	free(reason);
	assert_null(tree);
	assert_int_equal(err.code, MF_E_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(promoted_record_says_what_its_original_says_and_names_its_signers),
	    cmocka_unit_test(record_that_was_not_promoted_has_no_originals),
	    cmocka_unit_test(only_signatures_that_count_are_kept),
	    cmocka_unit_test(what_does_not_verify_is_refused),
	    cmocka_unit_test(a_key_is_there_once),
	    cmocka_unit_test(promoted_from_is_a_list_of_entries),
	    cmocka_unit_test(chain_of_eight_is_read_down_to_who_approved),
	    cmocka_unit_test(ninth_promotion_is_neither_made_nor_read),
	    cmocka_unit_test(at_most_64_originals_are_read),
	    cmocka_unit_test(what_has_no_room_is_not_promoted),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
