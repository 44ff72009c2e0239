/* The whole client workflow against somebody who holds all keys of a TUF 1.0 repository. The input is its
 * files, each behind a line
 * "@NAME" ("1.root", "timestamp", "2.qa"); what follows is the signed part, which is signed here, with one
 * TEST-ONLY key, which is pinned, so that mutations are not stopped by the signature. "!" instead of "@": the
 * file as it stands. */
#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "policy/policy.h"
#include "trust/load.h"
#include "tuf/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1800000000)
#define MAX_INPUT ((size_t)1 << 20)

static struct {
	char home[40];
	struct mf_privkey *key;
	struct mf_env env;
	struct mf_passphrase pass;
	struct mf_keystore *keys;
	struct mf_repo_ops ops;
} fixed;

static struct mf_str input;

/* ---- a repository in memory */

struct mf_fetch {
	char name[MF_MAX_ROLE_NAME + 24];
	size_t max;
};

static struct mf_fetch *memory_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct mf_fetch *f = calloc(1, sizeof *f);
	(void)r;
	(void)err;
	assert(f && key->by != MF_BY_SHA256 && strlen(key->role) <= MF_MAX_ROLE_NAME);
	f->max = key->max;
	if (key->by == MF_BY_VERSION)
		(void)snprintf(f->name, sizeof f->name, "%lld.%s", (long long)key->version, key->role);
	else
		(void)snprintf(f->name, sizeof f->name, "%s", key->role);
	return f;
}

static void memory_cancel(struct mf_fetch *f)
{
	free(f);
}

static bool starts_file(struct mf_str s, size_t i)
{
	return (s.p[i] == '@' || s.p[i] == '!') && (i == 0 || s.p[i - 1] == '\n');
}

/* The part of the input that has this name. */
static bool find(const char *name, struct mf_str *out, bool *as_is)
{
	for (size_t i = 0; i < input.n; i++) {
		if (!starts_file(input, i))
			continue;
		size_t end = i + 1, stop;
		while (end < input.n && input.p[end] != '\n')
			end++;
		if (!mf_str_eqz((struct mf_str){input.p + i + 1, end - i - 1}, name) || end == input.n)
			continue;
		for (stop = end + 1; stop < input.n && !starts_file(input, stop);)
			stop++;
		*out = (struct mf_str){input.p + end + 1, stop - end - 1};
		*as_is = input.p[i] == '!';
		return true;
	}
	return false;
}

static bool sign(struct mf_str text, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MAX_INPUT * 8),
				sig MF_BUF_CLEANUP = MF_BUF_INIT(64);
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	char id[65];
	if (mf_json_canonicalize(text, &canonical, &err) < 0)
		return false;
	if (mf_privkey_sign(fixed.key, MF_SIG_ED25519, mf_buf_bytes(&canonical), &sig, &err) < 0 ||
	    mf_dialect_tuf1.key_write(mf_privkey_public(fixed.key), NULL, &object, id, &err) < 0)
		abort();
	struct mf_tuf_made_signature made = {id, NULL, mf_buf_bytes(&sig)};
	return mf_tuf_build_file(&mf_dialect_tuf1, mf_buf_str(&canonical), &made, 1, out, &err) == 0;
}

static int memory_end(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	struct mf_str text;
	bool as_is;
	int rc = 0;
	mf_buf_clear(out);
	mf_buf_init(out, f->max);
	if (find(f->name, &text, &as_is)) {
		rc = 1;
		if ((as_is || !sign(text, out)) && mf_buf_add_str(out, text, err) < 0)
			rc = -1;
	}
	free(f);
	return rc;
}

/* ---- this machine */

static int64_t fixed_now(void *arg)
{
	(void)arg;
	return NOW;
}

static int no_passphrase(void *arg, const char *name, enum mf_passphrase_for purpose, struct mf_secret *out,
			 struct mf_err *err)
{
	(void)arg;
	(void)purpose;
	(void)out;
	return mf_fail(err, MF_E_KEY, 0, "no passphrase for '%s'", name);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void clean_up(void)
{
	(void)nftw(fixed.home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	mf_keystore_free(fixed.keys);
	mf_privkey_free(fixed.key);
}

static void set_up(void)
{
	static const uint8_t seed[32] = "manifesto TEST-ONLY fuzzing key";
	struct mf_err err = MF_ERR_INIT;
	char floors[60];
	(void)snprintf(fixed.home, sizeof fixed.home, "/tmp/mf-fuzz-XXXXXX");
	fixed.key = mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){seed, 32}, &err);
	assert(fixed.key && mkdtemp(fixed.home));
	struct mf_digest fp = mf_pubkey_fingerprint(mf_privkey_public(fixed.key));
	mf_env_init(&fixed.env);
	fixed.env.now = fixed_now;
	int rc = mf_pin_store(fixed.home, "fuzz", &fp, 1, 1, &fixed.env, &err);
	/* No floors: each run starts afresh. Nothing can be written below a file. */
	(void)snprintf(floors, sizeof floors, "%s/floors", fixed.home);
	assert(rc == 0 && mf_file_write(floors, mf_bytes_of(MF_STR("")), 0600, &err) == 0);
	fixed.pass = (struct mf_passphrase){no_passphrase, NULL, true};
	fixed.keys = mf_keystore_new("/nonexistent/keys", &fixed.pass, &fixed.env, &err);
	assert(fixed.keys);
	fixed.ops = mf_repo_tuf_dir;
	fixed.ops.begin = memory_begin;
	fixed.ops.end = memory_end;
	fixed.ops.cancel = memory_cancel;
	(void)atexit(clean_up);
}

/* ---- what must hold */

static void check_verification_code(const struct mf_err *err)
{
	assert(err->code == MF_E_NOT_FOUND || err->code == MF_E_FORMAT || err->code == MF_E_SIGNATURE ||
	       err->code == MF_E_DIGEST || err->code == MF_E_EXPIRED || err->code == MF_E_ROLLBACK ||
	       err->code == MF_E_GONE || err->code == MF_E_PIN);
}

static void check_entry(const struct mf_tuf_set *set, const struct mf_entry *e)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_entry chosen MF_ENTRY_CLEANUP = {0};
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	int rc = mf_record_name(&name, e->type, &e->subject, &err);
	assert(rc == 0 && mf_tuf_loaded_covers(set->d, e->role, mf_buf_str(&name)));
	assert(mf_policy_authorised(set, e->role, e->type, NULL));
	if (mf_policy_select(set, e->type, &e->subject, NULL, &chosen, &err) == 0) {
		assert(e->state != MF_STATE_WITHDRAWN && chosen.state <= MF_STATE_FOREIGN);
		assert(e->state == MF_STATE_EXPIRED || mf_digest_eq(&chosen.info.sha256, &e->info.sha256));
	} else {
		assert(err.code == MF_E_WITHDRAWN || err.code == MF_E_AMBIGUOUS ||
		       err.code == MF_E_RECORD_EXPIRED || err.code == MF_E_FORMAT);
		assert(err.code != MF_E_RECORD_EXPIRED || e->state == MF_STATE_EXPIRED);
	}
}

static void check_records(const struct mf_tuf_set *set)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_entries all MF_ENTRIES_CLEANUP = {0};
	assert(set->root->expires > NOW && set->timestamp->expires > NOW && set->snapshot->expires > NOW);
	if (mf_policy_list(set, NULL, NULL, &all, &err) < 0) {
		assert(err.code == MF_E_FORMAT);
		return;
	}
	for (size_t i = 0; i < all.n && i < 32; i++)
		check_entry(set, &all.v[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_trust *t MF_TRUST_CLEANUP = NULL;
	if (!fixed.key)
		set_up();
	if (size > MAX_INPUT)
		return 0;
	input = mf_str_of((struct mf_bytes){data, size});
	struct mf_trust_config cfg = {.home = fixed.home, .env = &fixed.env, .keys = fixed.keys};
	if (mf_trust_open("/nonexistent/repository", "oci", "fuzz", &cfg, &t, &err) < 0)
		abort();
	t->repo->ops = &fixed.ops;
	if (mf_trust_load(t, &(struct mf_load){0}, &err) < 0)
		check_verification_code(&err);
	else
		check_records(mf_trust_set(t));
	return 0;
}
