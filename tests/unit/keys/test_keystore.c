#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "keys/keystore.h"
#include "store/file.h"

struct fixture {
	char base[64], dir[96];
	struct mf_env env;
	struct mf_passphrase pass;
	const char *answer; /* NULL: no source */
	int asked, asked_new, warnings;
	char last_warning[512];
	struct mf_keystore *ks;
};

static struct mf_err err;

static int answer(void *arg, const char *name, enum mf_passphrase_for purpose, struct mf_secret *out,
		  struct mf_err *e)
{
	struct fixture *f = arg;

	f->asked++;
	f->asked_new += purpose == MF_PASSPHRASE_NEW_KEY;
	if (!f->answer)
		return mf_fail(e, MF_E_KEY, 0, "no passphrase for '%s': nowhere to ask", name);
	if (!*f->answer)
		return 0;
	return mf_secret_copy(out, mf_bytes_of(mf_str_c(f->answer)), e);
}

static void note(void *arg, enum mf_log_level level, const char *line)
{
	struct fixture *f = arg;

	if (level != MF_LOG_WARNING)
		return;
	f->warnings++;
	snprintf(f->last_warning, sizeof(f->last_warning), "%s", line);
}

static void reopen(struct fixture *f)
{
	mf_keystore_free(f->ks);
	f->ks = mf_keystore_new(f->dir, &f->pass, &f->env, &err);
	assert_non_null(f->ks);
	f->asked = f->asked_new = f->warnings = 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->base, sizeof(f->base), "/tmp/test_keystore.XXXXXX");
	if (!mkdtemp(f->base))
		return -1;
	snprintf(f->dir, sizeof(f->dir), "%s/home/keys", f->base);
	mf_env_init(&f->env);
	f->env.log = note;
	f->env.log_arg = f;
	f->env.level = MF_LOG_WARNING;
	f->pass = (struct mf_passphrase){answer, f, false};
	f->answer = "hunter2";
	reopen(f);
	*state = f;
	mf_err_clear(&err);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = nftw(f->base, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	mf_keystore_free(f->ks);
	free(f);
	return r;
}

static const struct mf_key_info *make(struct fixture *f, const char *name)
{
	const struct mf_key_info *k;

	if (mf_keystore_generate(f->ks, name, MF_KEY_ED25519, &k, &err))
		fail_msg("%s", err.msg);
	return k;
}

static void copy_path(const struct fixture *f, const char *file, char out[256])
{
	snprintf(out, 256, "%s/%s", f->dir, file);
}

static bool signs(struct fixture *f, const struct mf_key_info *k, struct mf_err *e)
{
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(128);
	struct mf_signer s;
	const struct mf_bytes m = mf_bytes_of(MF_STR("m"));

	assert_int_equal(mf_keystore_signer(f->ks, k, &s, &err), 0);
	assert_string_equal(s.name, k->name);
	const enum mf_sig_scheme scheme =
	    k->type == MF_KEY_ED25519 ? MF_SIG_ED25519 : MF_SIG_ECDSA_DER_SHA256;
	if (mf_signer_sign(&s, scheme, m, &sig, e) < 0)
		return false;
	return mf_sig_verify(s.pub, scheme, m, mf_buf_bytes(&sig), &err) == 0;
}

static void a_directory_that_is_not_there_holds_no_keys(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	size_t n = 7;

	assert_int_equal(mf_keystore_list(f->ks, &k, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_null(mf_keystore_find(f->ks, "alice", &err));
	assert_int_equal(err.code, MF_E_KEY);
	assert_false(mf_file_exists(f->dir));
}

static void files_are_0600_in_a_directory_of_0700(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k = make(f, "alice");
	struct stat st;

	assert_int_equal(stat(k->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(f->dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_made_key_is_unlocked_and_stays_so(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k = make(f, "alice");

	assert_int_equal(f->asked, 1);
	assert_int_equal(f->asked_new, 1);
	assert_true(k->encrypted);
	assert_true(signs(f, k, &err));
	assert_int_equal(f->asked, 1);
}

static void a_key_is_unlocked_once_a_process_and_at_the_first_signature(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;

	make(f, "alice");
	reopen(f);
	k = mf_keystore_find(f->ks, "alice", &err);
	assert_non_null(k);
	assert_int_equal(f->asked, 0);
	assert_true(signs(f, k, &err));
	assert_true(signs(f, k, &err));
	assert_int_equal(f->asked, 1);
	assert_int_equal(f->asked_new, 0);
}

static void a_wrong_passphrase_is_not_asked_for_again(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	struct mf_err e = MF_ERR_INIT;

	make(f, "alice");
	reopen(f);
	f->answer = "wrong";
	k = mf_keystore_find(f->ks, "alice", &err);
	assert_false(signs(f, k, &e));
	assert_int_equal(e.code, MF_E_KEY);
	assert_non_null(strstr(e.msg, "wrong passphrase"));
	mf_err_clear(&e);
	f->answer = "hunter2";
	assert_false(signs(f, k, &e));
	assert_int_equal(e.code, MF_E_KEY);
	assert_int_equal(f->asked, 1);
}

static void without_a_source_the_callbacks_own_message_is_given(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	struct mf_err e = MF_ERR_INIT;

	make(f, "alice");
	reopen(f);
	f->answer = NULL;
	k = mf_keystore_find(f->ks, "alice", &err);
	assert_false(signs(f, k, &e));
	assert_int_equal(e.code, MF_E_KEY);
	assert_non_null(strstr(e.msg, "nowhere to ask"));
}

static void an_unencrypted_key_needs_nobody_to_ask(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;

	f->pass.none = true;
	make(f, "alice");
	assert_int_equal(f->asked, 0);
	reopen(f);
	f->answer = NULL;
	k = mf_keystore_find(f->ks, "alice", &err);
	assert_non_null(k);
	assert_false(k->encrypted);
	assert_true(signs(f, k, &err));
	assert_int_equal(f->asked, 0);
}

static void an_empty_answer_makes_no_key(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	size_t n;

	f->answer = "";
	assert_int_equal(mf_keystore_generate(f->ks, "alice", MF_KEY_ED25519, &k, &err), -1);
	assert_int_equal(err.code, MF_E_KEY);
	mf_err_clear(&err);
	reopen(f);
	assert_int_equal(mf_keystore_list(f->ks, &k, &n, &err), 0);
	assert_int_equal(n, 0);
}

static void an_existing_name_is_a_conflict_before_anybody_is_asked(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	char path[256];
	FILE *file;

	make(f, "alice");
	reopen(f);
	assert_int_equal(mf_keystore_generate(f->ks, "alice", MF_KEY_ED25519, &k, &err), -1);
	assert_int_equal(err.code, MF_E_CONFLICT);
	mf_err_clear(&err);
	/* Also when the file is none that we can read. */
	copy_path(f, "bob.key", path);
	file = fopen(path, "w");
	fputs("mine", file);
	fclose(file);
	assert_int_equal(mf_keystore_generate(f->ks, "bob", MF_KEY_ED25519, &k, &err), -1);
	assert_int_equal(err.code, MF_E_CONFLICT);
	assert_int_equal(f->asked, 0);
}

static void bad_names_and_rsa_are_usage_errors(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;

	assert_int_equal(mf_keystore_generate(f->ks, "../alice", MF_KEY_ED25519, &k, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	mf_err_clear(&err);
	assert_int_equal(mf_keystore_generate(f->ks, "alice", MF_KEY_RSA, &k, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	assert_int_equal(f->asked, 0);
}

static void keys_are_listed_by_name(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	size_t n;

	f->pass.none = true;
	make(f, "carol");
	make(f, "alice");
	make(f, "bob");
	for (int round = 0; round < 2; round++) {
		assert_int_equal(mf_keystore_list(f->ks, &k, &n, &err), 0);
		assert_int_equal(n, 3);
		assert_string_equal(k[0].name, "alice");
		assert_string_equal(k[1].name, "bob");
		assert_string_equal(k[2].name, "carol");
		reopen(f);
	}
}

static void signers_outlive_later_additions(void **state)
{
	struct fixture *f = *state;
	struct mf_signer s;
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(64);
	char name[16];

	f->pass.none = true;
	assert_int_equal(mf_keystore_signer(f->ks, make(f, "m"), &s, &err), 0);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%c%d", i % 2 ? 'a' : 'z', i);
		make(f, name);
	}
	assert_string_equal(s.name, "m");
	assert_int_equal(s.sign(s.arg, MF_SIG_ED25519, mf_bytes_of(MF_STR("x")), &sig, &err), 0);
	assert_int_equal(
	    mf_sig_verify(s.pub, MF_SIG_ED25519, mf_bytes_of(MF_STR("x")), mf_buf_bytes(&sig), &err), 0);
}

static void keys_are_found_by_fingerprint_and_unique_prefix(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	struct mf_digest fp, none = {{1}};
	char hex[65];

	f->pass.none = true;
	k = make(f, "alice");
	fp = mf_pubkey_fingerprint(k->pub);
	mf_digest_hex(hex, &fp);
	make(f, "bob");
	assert_string_equal(mf_keystore_find(f->ks, hex, &err)->name, "alice");
	assert_string_equal(mf_keystore_find_fp(f->ks, &fp)->name, "alice");
	assert_null(mf_keystore_find_fp(f->ks, &none));
	hex[8] = 0;
	assert_string_equal(mf_keystore_find(f->ks, hex, &err)->name, "alice");
	hex[7] = 0;
	assert_null(mf_keystore_find(f->ks, hex, &err));
	assert_int_equal(err.code, MF_E_KEY);
}

static void one_key_under_two_names_is_no_ambiguity(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_digest fp;
	char hex[65];

	f->pass.none = true;
	assert_int_equal(mf_keystore_add(f->ks, "alice", key, &k, &err), 0);
	fp = mf_pubkey_fingerprint(k->pub);
	assert_int_equal(mf_keystore_add(f->ks, "again", key, &k, &err), 0);
	assert_string_equal(k->name, "again");
	mf_digest_hex(hex, &fp);
	hex[10] = 0;
	assert_string_equal(mf_keystore_find(f->ks, hex, &err)->name, "again");
}

static void a_name_in_front_of_a_fingerprint_does_not_hide_the_key(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	struct mf_digest fp;
	char hex[65];

	f->pass.none = true;
	k = make(f, "alice");
	fp = mf_pubkey_fingerprint(k->pub);
	mf_digest_hex(hex, &fp);
	make(f, hex); /* 64 digits are a valid name */
	assert_string_equal(mf_keystore_find(f->ks, hex, &err)->name, "alice");
}

static void an_added_key_needs_no_unlocking_and_is_encrypted(void **state)
{
	struct fixture *f = *state;
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	const struct mf_key_info *k;

	assert_int_equal(mf_keystore_add(f->ks, "root", key, &k, &err), 0);
	assert_true(k->encrypted);
	assert_int_equal(k->type, MF_KEY_ECDSA);
	assert_int_equal(f->asked_new, 1);
	assert_true(signs(f, k, &err));
	assert_int_equal(f->asked, 1);
	reopen(f);
	k = mf_keystore_find(f->ks, "root", &err);
	assert_true(signs(f, k, &err));
}

static void expect_passed_over(struct fixture *f, const char *why)
{
	const struct mf_key_info *k;
	size_t n;

	assert_int_equal(mf_keystore_list(f->ks, &k, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_string_equal(k[0].name, "good");
	assert_int_equal(f->warnings, 1);
	if (!strstr(f->last_warning, why))
		fail_msg("'%s' does not say '%s'", f->last_warning, why);
}

static void a_key_file_that_others_may_read_is_passed_over(void **state)
{
	struct fixture *f = *state;
	char path[256];

	f->pass.none = true;
	make(f, "good");
	make(f, "loose");
	copy_path(f, "loose.key", path);
	assert_int_equal(chmod(path, 0640), 0);
	reopen(f);
	expect_passed_over(f, "chmod 600");
}

/* A Secret that Kubernetes mounts for a group belongs to root. */
static void a_key_file_of_somebody_else_may_be_open_to_our_group(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	char path[256];
	size_t n;

	if (geteuid() != 0) /* who else can give a file away? */
		skip();
	f->pass.none = true;
	make(f, "shared");
	copy_path(f, "shared.key", path);
	assert_int_equal(chmod(path, 0440), 0);
	assert_int_equal(chown(path, 1, 0), 0);
	reopen(f);
	assert_int_equal(mf_keystore_list(f->ks, &k, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(f->warnings, 0);
}

static void while_a_key_is_unlocked_the_process_cannot_be_dumped(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;

	f->pass.none = true;
	make(f, "good");
	reopen(f);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
	k = mf_keystore_find(f->ks, "good", &err);
	assert_non_null(k);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
	assert_true(signs(f, k, &err));
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	reopen(f);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
}

static void a_key_file_that_was_renamed_is_passed_over(void **state)
{
	struct fixture *f = *state;
	char from[256], to[256];

	f->pass.none = true;
	make(f, "good");
	make(f, "was");
	copy_path(f, "was.key", from);
	copy_path(f, "now.key", to);
	assert_int_equal(rename(from, to), 0);
	reopen(f);
	expect_passed_over(f, "'was'");
}

static void fifos_garbage_and_huge_files_are_passed_over(void **state)
{
	struct fixture *f = *state;
	char path[256];
	FILE *file;

	f->pass.none = true;
	make(f, "good");
	copy_path(f, "odd.key", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	reopen(f);
	expect_passed_over(f, "not a key file");
	assert_int_equal(unlink(path), 0);

	file = fopen(path, "w");
	fputs("{}", file);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
	reopen(f);
	expect_passed_over(f, "odd.key");

	assert_int_equal(truncate(path, (off_t)MF_MAX_KEYFILE_BYTES + 1), 0);
	reopen(f);
	expect_passed_over(f, "not a key file");
}

static void other_files_are_ignored_in_silence(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"README", ".key", "a b.key", ".hidden.key", "x.key.bak"};
	const struct mf_key_info *k;
	size_t n;

	f->pass.none = true;
	make(f, "good");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[256];

		copy_path(f, names[i], path);
		fclose(fopen(path, "w"));
	}
	reopen(f);
	assert_int_equal(mf_keystore_list(f->ks, &k, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(f->warnings, 0);
}

static void a_key_directory_that_others_may_change_is_warned_of(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	size_t n;

	f->pass.none = true;
	make(f, "good");
	assert_int_equal(chmod(f->dir, 0770), 0);
	reopen(f);
	assert_int_equal(mf_keystore_list(f->ks, &k, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(f->warnings, 1);
}

static void a_key_file_replaced_after_listing_is_not_used(void **state)
{
	struct fixture *f = *state;
	const struct mf_key_info *k;
	char path[256];

	f->pass.none = true;
	make(f, "alice");
	reopen(f);
	k = mf_keystore_find(f->ks, "alice", &err);
	assert_non_null(k);
	copy_path(f, "alice.key", path);
	assert_int_equal(unlink(path), 0);
	{
		struct fixture second = *f;

		second.ks = mf_keystore_new(f->dir, &f->pass, &f->env, &err);
		make(&second, "alice");
		mf_keystore_free(second.ks);
	}
	assert_false(signs(f, k, &err));
	assert_int_equal(err.code, MF_E_KEY);
	assert_non_null(strstr(err.msg, "replaced"));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_directory_that_is_not_there_holds_no_keys),
	    T(files_are_0600_in_a_directory_of_0700),
	    T(a_made_key_is_unlocked_and_stays_so),
	    T(a_key_is_unlocked_once_a_process_and_at_the_first_signature),
	    T(a_wrong_passphrase_is_not_asked_for_again),
	    T(without_a_source_the_callbacks_own_message_is_given),
	    T(an_unencrypted_key_needs_nobody_to_ask),
	    T(an_empty_answer_makes_no_key),
	    T(an_existing_name_is_a_conflict_before_anybody_is_asked),
	    T(bad_names_and_rsa_are_usage_errors),
	    T(keys_are_listed_by_name),
	    T(signers_outlive_later_additions),
	    T(keys_are_found_by_fingerprint_and_unique_prefix),
	    T(one_key_under_two_names_is_no_ambiguity),
	    T(a_name_in_front_of_a_fingerprint_does_not_hide_the_key),
	    T(an_added_key_needs_no_unlocking_and_is_encrypted),
	    T(a_key_file_that_others_may_read_is_passed_over),
	    T(a_key_file_of_somebody_else_may_be_open_to_our_group),
	    T(while_a_key_is_unlocked_the_process_cannot_be_dumped),
	    T(a_key_file_that_was_renamed_is_passed_over),
	    T(fifos_garbage_and_huge_files_are_passed_over),
	    T(other_files_are_ignored_in_silence),
	    T(a_key_directory_that_others_may_change_is_warned_of),
	    T(a_key_file_replaced_after_listing_is_not_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
