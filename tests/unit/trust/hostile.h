/* Repositories made by hand, as somebody would who holds all their keys and wishes the reader ill. */
#ifndef TESTS_UNIT_TRUST_HOSTILE_H
#define TESTS_UNIT_TRUST_HOSTILE_H

#include "../store/tmpdir.h"

#include "base/encode.h"
#include "crypto/hash.h"
#include "trust/load.h"
#include "trust/home.h"
#include "trust/trust.h"
#include "tuf/build.h"

#define DAY 86400
#define NAME "oci:/somewhere"

struct world {
	char *dir, *home, *cache, *repo;
	struct mf_cache files; /* in `cache` */
	int64_t now;
	struct mf_env env;
	struct mf_passphrase pass;
	struct mf_keystore *keys;
	struct mf_trust_config cfg;
	struct mf_trust *trust;
	struct mf_repo_ops remote; /* the directory's, as if it were a server: with a cache */
};

static inline int64_t world_now(void *arg)
{
	return ((struct world *)arg)->now;
}

static inline int no_passphrase(void *arg, const char *name, enum mf_passphrase_for purpose,
				struct mf_secret *out, struct mf_err *err)
{
	(void)arg;
	(void)purpose;
	(void)out;
	return mf_fail(err, MF_E_KEY, 0, "no passphrase for '%s'", name);
}

static inline void ok(int rc, const struct mf_err *err)
{
	if (rc < 0)
		fail_msg("%s: %s", mf_code_name(err->code), err->msg);
}

static inline void world_make(struct world *w, void **state)
{
	struct mf_err err = MF_ERR_INIT;
	*w = (struct world){.dir = *state, .now = 1800000000, .pass = {no_passphrase, NULL, true}};
	w->home = mf_path_join(w->dir, "home", NULL);
	w->cache = mf_path_join(w->dir, "cache", NULL);
	w->repo = mf_path_join(w->dir, "repo", NULL);
	w->files = (struct mf_cache){.dir = w->cache, .limit = MF_CACHE_LIMIT, .env = &w->env};
	mf_env_init(&w->env);
	w->env.now = world_now;
	w->env.now_arg = w;
	w->env.deadline_ms = mf_monotonic_ms() + 60000;
	char *dir = mf_path_join(w->dir, "keys", NULL);
	w->keys = mf_keystore_new(dir, &w->pass, &w->env, &err);
	assert_non_null(w->keys);
	free(dir);
	w->cfg = (struct mf_trust_config){
	    .home = w->home, .cache = &w->files, .env = &w->env, .key_name = "alice", .keys = w->keys};
	w->remote = mf_repo_tuf_dir;
	w->remote.local = w->remote.numbered_roots = false;
}

static inline void world_drop(struct world *w)
{
	mf_trust_close(w->trust);
	mf_keystore_free(w->keys);
	mf_cache_account(&w->files);
	free(w->home);
	free(w->cache);
	free(w->repo);
}

static inline enum mf_code load_how(struct world *w, bool remote, const char *prefix)
{
	struct mf_err err = MF_ERR_INIT;
	mf_trust_close(w->trust);
	w->trust = NULL;
	ok(mf_trust_open(w->repo, "oci", NAME, &w->cfg, &w->trust, &err), &err);
	if (remote)
		w->trust->repo->ops = &w->remote;
	return mf_trust_load(w->trust, &(struct mf_load){.prefix = mf_str_c(prefix)}, &err) < 0 ? err.code
												: MF_OK;
}

static inline void write_in(const char *dir, const char *name, struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	char *path = mf_path_join(dir, name, NULL);
	ok(mf_dir_make(dir, 0700, &err), &err);
	ok(mf_file_write(path, mf_bytes_of(text), 0600, &err), &err);
	free(path);
}

static inline void remove_in(const char *dir, const char *name)
{
	char *path = mf_path_join(dir, name, NULL);
	(void)remove(path);
	free(path);
}

static inline void forget_floors(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	char hex[65], name[90];
	ok(mf_sha256(mf_bytes_of(MF_STR(NAME)), &d, &err), &err);
	mf_digest_hex(hex, &d);
	(void)snprintf(name, sizeof name, "floors/%s.json", hex);
	remove_in(w->home, name);
}

/* ---- keys and files */

struct hkey {
	struct mf_privkey *priv;
	struct mf_buf object;
	char id[65];
	struct mf_digest fp;
};

static inline struct hkey key_new(void)
{
	struct mf_err err = MF_ERR_INIT;
	struct hkey k = {.object = MF_BUF_INIT(4096)};
	k.priv = mf_privkey_generate(MF_KEY_ED25519, &err);
	assert_non_null(k.priv);
	ok(mf_dialect_tuf1.key_write(mf_privkey_public(k.priv), NULL, &k.object, k.id, &err), &err);
	k.fp = mf_pubkey_fingerprint(mf_privkey_public(k.priv));
	return k;
}

static inline void key_drop(struct hkey *k)
{
	mf_privkey_free(k->priv);
	mf_buf_clear(&k->object);
}

static inline void sign_file(struct mf_str canonical, struct hkey *const *signers, size_t n,
			     struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_made_signature made[4] = {0};
	struct mf_buf sigs[4];
	assert_true(n <= 4);
	for (size_t i = 0; i < n; i++) {
		mf_buf_init(&sigs[i], 256);
		ok(mf_privkey_sign(signers[i]->priv, MF_SIG_ED25519, mf_bytes_of(canonical), &sigs[i], &err),
		   &err);
		made[i] = (struct mf_tuf_made_signature){signers[i]->id, NULL, mf_buf_bytes(&sigs[i])};
	}
	ok(mf_tuf_build_file(&mf_dialect_tuf1, canonical, made, n, out, &err), &err);
	for (size_t i = 0; i < n; i++)
		mf_buf_clear(&sigs[i]);
}

/* VERSION.root.json, and root.json as a server has it. */
static inline void write_root(struct world *w, int64_t version, struct hkey *root, struct hkey *online,
			      struct hkey *const *signers, size_t n)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(65536), file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const unsigned rest = 1 << MF_TUF_TARGETS | 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP;
	struct mf_tuf_root_key keys[2] = {{mf_buf_str(&root->object), root->id, 1 << MF_TUF_ROOT},
					  {mf_buf_str(&online->object), online->id, rest}};
	char name[40];
	ok(mf_tuf_build_root(&mf_dialect_tuf1,
			     &(struct mf_tuf_root_spec){keys, 2, version, w->now + 300 * DAY, 0}, &canonical,
			     &err),
	   &err);
	sign_file(mf_buf_str(&canonical), signers, n, &file);
	(void)snprintf(name, sizeof name, "%lld.root.json", (long long)version);
	write_in(w->repo, name, mf_buf_str(&file));
	write_in(w->repo, "root.json", mf_buf_str(&file));
}

/* A targets role's file, as text. */
struct hrole {
	const char *role;
	int64_t version;
	struct hkey *key, *cosigner; /* the second may be NULL */
	const char *targets;         /* members of "targets", canonical; NULL: none */
	const char *delegations;     /* canonical, NULL: none */
	int days;                    /* until it expires; 0: 90 */
	const char *from, *to;       /* spelled otherwise after signing */
	struct mf_buf file;
};

static inline void role_make(struct world *w, struct hrole *r)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(8 << 20);
	char when[MF_TIME_LEN];
	mf_time_format(when, w->now + (r->days ? r->days : 90) * DAY);
	ok(mf_buf_printf(&canonical, &err,
			 "{\"_type\":\"targets\",\"delegations\":%s,\"expires\":\"%s\",\"spec_version\":\"1."
			 "0.33\",\"targets\":{%s},\"version\":%lld}",
			 r->delegations ? r->delegations : "{\"keys\":{},\"roles\":[]}", when,
			 r->targets ? r->targets : "", (long long)r->version),
	   &err);
	mf_buf_init(&r->file, 8 << 20);
	sign_file(mf_buf_str(&canonical), (struct hkey *[]){r->key, r->cosigner}, r->cosigner ? 2 : 1,
		  &r->file);
	char *at = r->from ? strstr(r->file.p, r->from) : NULL;
	if (!r->from)
		return;
	assert_non_null(at);
	struct mf_buf other = MF_BUF_INIT(8 << 20);
	ok(mf_buf_add(&other, r->file.p, (size_t)(at - r->file.p), &err), &err);
	ok(mf_buf_addz(&other, r->to, &err), &err);
	ok(mf_buf_addz(&other, at + strlen(r->from), &err), &err);
	mf_buf_clear(&r->file);
	r->file = other;
}

/* Writes the roles, and snapshot and timestamp of a version over them. Frees the roles' files. */
static inline void write_all(struct world *w, struct hrole *roles, size_t n, int64_t version,
			     struct hkey *online)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_listed listed[40], one;
	char name[80];
	assert_true(n <= 40);
	for (size_t i = 0; i < n; i++) {
		role_make(w, &roles[i]);
		listed[i] =
		    (struct mf_tuf_listed){roles[i].role, roles[i].version, mf_buf_bytes(&roles[i].file)};
		(void)snprintf(name, sizeof name, "%lld.%s.json", (long long)roles[i].version, roles[i].role);
		write_in(w->repo, name, mf_buf_str(&roles[i].file));
	}
	struct mf_buf s MF_BUF_CLEANUP = MF_BUF_INIT(65536), t MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_buf sf MF_BUF_CLEANUP = MF_BUF_INIT(65536), tf MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_tuf_meta_spec spec = {.type = MF_TUF_SNAPSHOT,
					.files = listed,
					.nfiles = n,
					.version = version,
					.expires = w->now + 90 * DAY};
	ok(mf_tuf_build_meta(&mf_dialect_tuf1, &spec, &s, &err), &err);
	sign_file(mf_buf_str(&s), &online, 1, &sf);
	(void)snprintf(name, sizeof name, "%lld.snapshot.json", (long long)version);
	write_in(w->repo, name, mf_buf_str(&sf));
	one = (struct mf_tuf_listed){"snapshot", version, mf_buf_bytes(&sf)};
	spec = (struct mf_tuf_meta_spec){.type = MF_TUF_TIMESTAMP,
					 .files = &one,
					 .nfiles = 1,
					 .version = version,
					 .expires = w->now + 90 * DAY};
	ok(mf_tuf_build_meta(&mf_dialect_tuf1, &spec, &t, &err), &err);
	sign_file(mf_buf_str(&t), &online, 1, &tf);
	write_in(w->repo, "timestamp.json", mf_buf_str(&tf));
	for (size_t i = 0; i < n; i++)
		mf_buf_clear(&roles[i].file);
}

static inline void write_rest(struct world *w, int64_t version, struct hkey *online)
{
	struct hrole r = {.role = "targets", .version = version, .key = online};
	write_all(w, &r, 1, version, online);
}

static inline void pin(struct world *w, const struct mf_digest *fp)
{
	struct mf_err err = MF_ERR_INIT;
	ok(mf_pin_store(w->home, NAME, fp, 1, 1, &w->env, &err), &err);
}

/* One root, online keys, a pin. */
struct simple {
	struct world w;
	struct hkey root, online;
};

static inline void simple_make(struct simple *s, void **state)
{
	world_make(&s->w, state);
	s->root = key_new();
	s->online = key_new();
	struct hkey *rs[] = {&s->root};
	write_root(&s->w, 1, &s->root, &s->online, rs, 1);
	pin(&s->w, &s->root.fp);
}

static inline void simple_drop(struct simple *s)
{
	key_drop(&s->root);
	key_drop(&s->online);
	world_drop(&s->w);
}

#endif
