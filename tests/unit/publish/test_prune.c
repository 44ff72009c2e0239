/* Which files of a directory prune takes, where their authors may be anyone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../trust/hostile.h"

#include "publish/prune.h"

#define T(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_drop)

/* The names that would go, in their order, with a space before each. */
static enum mf_code dry_run(struct simple *s, int64_t min_age_s, char out[400])
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_prune p MF_PRUNE_CLEANUP = {
	    .min_age_s = min_age_s, .dry_run = true, .listing = MF_LISTING_INIT};
	size_t at = 0;
	mf_trust_close(s->w.trust);
	s->w.trust = NULL;
	ok(mf_trust_open(s->w.repo, "oci", NAME, &s->w.cfg, &s->w.trust, &err), &err);
	out[0] = 0;
	if (mf_publish_prune(s->w.trust, &p, &err) < 0)
		return err.code;
	for (size_t i = 0; i < p.n; i++)
		at += (size_t)snprintf(out + at, 400 - at, " %s", p.v[i].stored->name);
	return MF_OK;
}

static void takes(struct simple *s, int64_t min_age_s, const char *want)
{
	char names[400];
	assert_int_equal(dry_run(s, min_age_s, names), MF_OK);
	assert_string_equal(names, want);
}

/* Another writer has used the version since. */
static void a_snapshot_that_lists_a_file_of_another_length_was_never_in_force(void **state)
{
	struct simple s;
	struct hrole other = {.role = "targets", .version = 2, .days = 90};
	simple_make(&s, state);
	for (int64_t v = 1; v <= 3; v++)
		write_rest(&s.w, v, &s.online);
	takes(&s, 0, "");
	other.key = &s.online;
	other.targets = "\"a\":{\"hashes\":{\"sha256\":"
			"\"0000000000000000000000000000000000000000000000000000000000000000\"},\"length\":1}";
	role_make(&s.w, &other);
	write_in(s.w.repo, "2.targets.json", mf_buf_str(&other.file));
	mf_buf_clear(&other.file);
	takes(&s, 0, " 2.snapshot.json 2.targets.json");
	simple_drop(&s);
}

static void what_a_stopped_writer_has_listed_keeps_nothing(void **state)
{
	struct simple s;
	simple_make(&s, state);
	struct hrole roles[] = {{.role = "targets", .version = 2, .key = &s.online},
				{.role = "qa", .version = 2, .key = &s.online}};
	write_rest(&s.w, 1, &s.online);
	write_all(&s.w, roles, 2, 2, &s.online);
	write_rest(&s.w, 3, &s.online);
	remove_in(s.w.repo, "2.qa.json");
	takes(&s, 0, " 2.snapshot.json 2.targets.json");
	simple_drop(&s);
}

/* It would say of versions that they were never in force. */
static void a_snapshot_of_another_key_is_no_evidence(void **state)
{
	struct simple s;
	simple_make(&s, state);
	struct hkey other = key_new();
	write_rest(&s.w, 1, &other);
	write_rest(&s.w, 2, &s.online);
	write_rest(&s.w, 3, &s.online);
	remove_in(s.w.repo, "2.snapshot.json");
	takes(&s, 0, "");
	write_rest(&s.w, 1, &s.online);
	write_rest(&s.w, 3, &s.online);
	takes(&s, 0, " 2.targets.json");
	key_drop(&other);
	simple_drop(&s);
}

static void age_is_by_the_clock_of_the_store(void **state)
{
	struct simple s;
	simple_make(&s, state);
	for (int64_t v = 1; v <= 3; v++)
		write_rest(&s.w, v, &s.online);
	remove_in(s.w.repo, "2.targets.json");
	takes(&s, 0, " 2.snapshot.json");
	takes(&s, DAY, "");
	simple_drop(&s);
}

static void without_consistent_snapshots_nothing_is_taken(void **state)
{
	struct simple s;
	char names[400];
	simple_make(&s, state);
	write_rest(&s.w, 1, &s.online);
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf signed_part MF_BUF_CLEANUP = MF_BUF_INIT(65536),
				  file MF_BUF_CLEANUP = MF_BUF_INIT(65536),
				  plain MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const unsigned rest = 1 << MF_TUF_TARGETS | 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP;
	struct mf_tuf_root_key keys[2] = {{mf_buf_str(&s.root.object), s.root.id, 1 << MF_TUF_ROOT},
					  {mf_buf_str(&s.online.object), s.online.id, rest}};
	ok(mf_tuf_build_root(&mf_dialect_tuf1, &(struct mf_tuf_root_spec){keys, 2, 1, s.w.now + DAY, 0},
			     &signed_part, &err),
	   &err);
	static const char yes[] = "\"consistent_snapshot\":true";
	char *at = strstr(signed_part.p, yes);
	assert_non_null(at);
	ok(mf_buf_add(&plain, signed_part.p, (size_t)(at - signed_part.p), &err), &err);
	ok(mf_buf_printf(&plain, &err, "\"consistent_snapshot\":false%s", at + strlen(yes)), &err);
	sign_file(mf_buf_str(&plain), (struct hkey *[]){&s.root}, 1, &file);
	write_in(s.w.repo, "1.root.json", mf_buf_str(&file));
	static const char *const roles[] = {"snapshot", "targets"};
	for (size_t i = 0; i < 2; i++) {
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
		char name[40];
		(void)snprintf(name, sizeof name, "1.%s.json", roles[i]);
		char *path = mf_path_join(s.w.repo, name, NULL);
		ok(mf_file_read(path, b.max, &b, &err), &err);
		free(path);
		(void)snprintf(name, sizeof name, "%s.json", roles[i]);
		write_in(s.w.repo, name, mf_buf_str(&b));
	}
	assert_int_equal(dry_run(&s, 0, names), MF_E_USAGE);
	simple_drop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_snapshot_that_lists_a_file_of_another_length_was_never_in_force),
	    T(what_a_stopped_writer_has_listed_keeps_nothing),
	    T(a_snapshot_of_another_key_is_no_evidence),
	    T(age_is_by_the_clock_of_the_store),
	    T(without_consistent_snapshots_nothing_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
