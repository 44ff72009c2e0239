/* The store of get, put and all other commands: pins and floors in the home, which are trusted, and a cache
 * of metadata, which is not. */
#include "base/encode.h"
#include "base/limits.h"
#include "trust/load.h"

/* ---- cache */

char *mf_cache_dir(const char *cache_dir, const char *pin_name, struct mf_err *err)
{
	char hex[65];
	char *dir =
	    mf_home_name_hash(pin_name, hex, err) < 0 ? NULL : mf_path_join(cache_dir, "tuf", hex, NULL);
	if (!dir && !err->code)
		(void)mf_fail_nomem(err);
	return dir;
}

static char *cache_path(const char *cache_dir, const char *pin_name, const char *role, int64_t version,
			char **dir, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(2048);
	if ((version && mf_buf_printf(&name, err, "%lld.", (long long)version) < 0) ||
	    mf_pct_encode(&name, mf_str_c(role), "", err) < 0 || mf_buf_addz(&name, ".json", err) < 0)
		return NULL;
	*dir = mf_cache_dir(cache_dir, pin_name, err);
	return *dir ? mf_path_join(*dir, mf_buf_str(&name).p, NULL) : NULL;
}

enum mf_found mf_cache_get(const char *cache_dir, const char *pin_name, const char *role, int64_t version,
			   size_t max, struct mf_buf *out, struct mf_err *err)
{
	char *dir MF_FREE = NULL;
	char *path MF_FREE = cache_path(cache_dir, pin_name, role, version, &dir, err);
	if (!path)
		return err->code ? MF_FAILED : (enum mf_found)mf_fail_nomem(err);
	mf_buf_clear(out);
	mf_buf_init(out, max);
	if (mf_file_read_stored(path, max, out, err) == 0)
		return MF_FOUND;
	mf_err_clear(err);
	mf_buf_clear(out);
	return MF_ABSENT;
}

void mf_cache_put(const char *cache_dir, const char *pin_name, const char *role, int64_t version,
		  struct mf_bytes bytes)
{
	struct mf_err err = MF_ERR_INIT;
	char *dir MF_FREE = NULL;
	char *path MF_FREE = cache_path(cache_dir, pin_name, role, version, &dir, &err);
	if (path && mf_dir_make(dir, 0700, &err) == 0)
		(void)!mf_file_write_fast(path, bytes, 0600, &err);
}

/* ---- the store */

static int check_clock(const struct mf_trust *t, struct mf_err *err)
{
	if (t->set.now + MF_CLOCK_TOLERANCE_S >= t->floors.clock)
		return 0;
	(void)mf_fail(err, MF_E_ROLLBACK, 0,
		      "the system clock is earlier than the latest time recorded for this repository");
	mf_err_set_hint(err, "correct the system clock; without it expiry cannot be checked");
	return -1;
}

static int home_begin(struct mf_trust *t, struct mf_err *err)
{
	mf_pin_clear(&t->pin);
	mf_floors_clear(&t->floors);
	if (mf_pin_find(t->cfg->home, t->pin_name, &t->pin, err) < 0 ||
	    mf_floors_load(t->cfg->home, t->pin_name, &t->floors, err) < 0)
		return -1;
	return check_clock(t, err);
}

/* A directory is its own cache. */
static bool uses_cache(const struct mf_trust *t)
{
	return !t->repo->ops->local && !t->attempt.no_cache;
}

static void cache_put(const struct mf_trust *t, const char *role, int64_t version,
		      const struct mf_tuf_file *f)
{
	if (!t->repo->ops->local)
		mf_cache_put(t->cfg->cache_dir, t->pin_name, role, version, mf_buf_bytes(&f->bytes));
}

static enum mf_found home_root(struct mf_trust *t, int64_t version, struct mf_buf *out, struct mf_err *err)
{
	if (!uses_cache(t))
		return MF_ABSENT;
	return mf_cache_get(t->cfg->cache_dir, t->pin_name, "root", version, MF_MAX_ROOT_BYTES, out, err);
}

static int home_keep_root(struct mf_trust *t, struct mf_err *err)
{
	(void)err;
	cache_put(t, "root", t->set.root->version, t->set.root);
	return 0;
}

/* What we re-sign may have expired: targets roles, and of timestamp and snapshot those that we sign
 * ourselves. Not on a machine without floors: expiry is all that keeps it from making an old state, with what
 * was withdrawn and whose keys were taken away since, fresh again. */
static unsigned own_types(struct mf_trust *t)
{
	unsigned own = 1u << MF_TUF_TARGETS;
	if (!t->floors.any)
		return 0;
	for (enum mf_tuf_type type = MF_TUF_TIMESTAMP; type <= MF_TUF_SNAPSHOT; type++)
		if (mf_trust_hold_key_of(t, type))
			own |= 1u << type;
	return own;
}

static int home_root_done(struct mf_trust *t, struct mf_err *err)
{
	(void)err;
	mf_floors_follow(&t->floors, t->set.root);
	if (t->how.purpose == MF_LOAD_SIGN || t->how.purpose == MF_LOAD_RENEW)
		t->set.expired_ok |= own_types(t);
	return 0;
}

static enum mf_found home_role(struct mf_trust *t, const char *role, const struct mf_tuf_meta *m, size_t max,
			       struct mf_buf *out, bool *checked, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	(void)err;
	if (!uses_cache(t) || !m->has_sha256 ||
	    mf_cache_get(t->cfg->cache_dir, t->pin_name, role, 0, max, out, &why) != MF_FOUND)
		return MF_ABSENT;
	*checked = mf_tuf_meta_check(m, mf_buf_bytes(out), &why) == 0;
	return *checked ? MF_FOUND : MF_ABSENT;
}

/* The next run begins with a new root once a timestamp of its keys was there. */
static int home_keep(struct mf_trust *t, const char *role, const struct mf_tuf_file *f, struct mf_err *err)
{
	(void)err;
	if (f->type != MF_TUF_TIMESTAMP)
		cache_put(t, role, 0, f);
	else if (!t->attempt.cached_newest)
		cache_put(t, "root", 0, t->set.root);
	return 0;
}

const struct mf_store_ops mf_store_home = {
    .begin = home_begin,
    .root = home_root,
    .keep_root = home_keep_root,
    .root_done = home_root_done,
    .role = home_role,
    .keep = home_keep,
};

/* ---- pins */

/* Whoever answered was trusted: the message has what the owner can be asked for. */
static void warn_first_use(struct mf_trust *t, const struct mf_digest *root_key)
{
	char text[MF_DIGEST_TEXT];
	mf_digest_format(text, root_key);
	mf_env_log(t->cfg->env, MF_LOG_WARNING, "'%s' is trusted on first use, %s: root key %s", t->pin_name,
		   t->cfg->ci ? "in this run" : "from now on", text + strlen("sha256:"));
	t->warned = true;
}

/* A home that cannot be written is no error. */
int mf_home_pin_first_use(struct mf_trust *t, struct mf_err *err)
{
	const struct mf_tuf_role *role = &t->set.root->roles[MF_TUF_ROOT];
	struct mf_digest fps[MF_MAX_SIGNATURES];
	size_t n = 0;
	if (!t->tofu && !t->adopted)
		return 0;
	for (size_t i = 0; i < role->nkeys && n < MF_MAX_SIGNATURES; i++)
		if (role->keys[i]->pub)
			fps[n++] = mf_pubkey_fingerprint(role->keys[i]->pub);
	if (t->tofu && !t->warned && n)
		warn_first_use(t, &fps[0]);
	if (t->tofu && t->cfg->ci)
		return 0;
	if (mf_pin_store(t->cfg->home, t->pin_name, fps, n, role->threshold, t->cfg->env, err) == 0)
		return 0;
	if (err->code != MF_E_IO)
		return -1;
	mf_env_log(t->cfg->env, MF_LOG_WARNING, "'%s' is trusted, but the pin cannot be stored: %s",
		   t->pin_name, err->msg);
	mf_err_clear(err);
	return 0;
}

bool mf_trust_known(struct mf_trust *t, struct mf_err *err)
{
	struct mf_pin pin MF_PIN_CLEANUP = {0};
	struct mf_floors floors MF_FLOORS_CLEANUP = {0};
	return mf_pin_find(t->cfg->home, t->pin_name, &pin, err) < 0 ||
	       mf_floors_load(t->cfg->home, t->pin_name, &floors, err) < 0 || pin.exact || floors.any;
}
