/* Opening a trust repository, and the accessors of an open one. */
#include "trust/load.h"
#include "trust/names.h"

static const struct mf_repo_ops *const schemes[] = {
    &mf_repo_notary_https, &mf_repo_notary_http, &mf_repo_tuf_file, &mf_repo_tuf_https,
    &mf_repo_tuf_http,     &mf_repo_s3,          &mf_repo_oci,      &mf_repo_tuf_dir};
#define NSCHEMES (sizeof schemes / sizeof schemes[0])

/* The last row, a plain directory, matches everything. */
static const struct mf_repo_ops *find_row(const char *url)
{
	size_t i = 0;
	while (strncmp(url, schemes[i]->scheme, strlen(schemes[i]->scheme)) != 0)
		i++;
	return schemes[i];
}

static int unknown_scheme(const char *url, struct mf_err *err)
{
	struct mf_esc e;
	char hint[sizeof err->hint] = "";
	(void)mf_fail(err, MF_E_USAGE, 0, "trust server '%s' has %s scheme", mf_esc(&e, mf_str_c(url)),
		      strstr(url, "://") ? "an unknown" : "no");
	for (size_t i = 0, n = 0; i < NSCHEMES && n < sizeof hint; i++)
		if (schemes[i]->usage)
			n += (size_t)snprintf(hint + n, sizeof hint - n, "%s%s", n ? ", " : "use ",
					      schemes[i]->usage);
	mf_err_set_hint(err, "%s", hint);
	return -1;
}

int mf_trust_url_check(const char *url, bool *local, struct mf_err *err)
{
	const struct mf_repo_ops *ops = find_row(url);
	if (ops == &mf_repo_tuf_dir)
		return unknown_scheme(url, err);
	*local = ops->local;
	return 0;
}

int mf_trust_new(struct mf_repo *repo, const struct mf_store_ops *store, const char *gun,
		 const char *pin_name, const struct mf_trust_config *cfg, struct mf_trust **out,
		 struct mf_err *err)
{
	struct mf_trust *t MF_TRUST_CLEANUP = calloc(1, sizeof *t);
	if (!t) {
		repo->ops->close(repo);
		return mf_fail_nomem(err);
	}
	t->repo = repo;
	t->store = store;
	t->cfg = cfg;
	t->gun = mf_str_dup(mf_str_c(gun));
	t->pin_name = mf_str_dup(mf_str_c(pin_name));
	if (!t->gun || !t->pin_name)
		return mf_fail_nomem(err);
	*out = t;
	t = NULL;
	return 0;
}

int mf_trust_open(const char *url, const char *gun, const char *pin_name, const struct mf_trust_config *cfg,
		  struct mf_trust **out, struct mf_err *err)
{
	const struct mf_repo_ops *ops = find_row(url);
	if (ops == &mf_repo_tuf_dir && strstr(url, "://"))
		return unknown_scheme(url, err);
	struct mf_repo *repo = ops->open(ops, url + strlen(ops->scheme), gun, cfg, err);
	return repo ? mf_trust_new(repo, &mf_store_home, gun, pin_name, cfg, out, err) : -1;
}

void mf_trust_close(struct mf_trust *t)
{
	if (!t)
		return;
	mf_trust_reset(t);
	t->repo->ops->close(t->repo);
	mf_tuf_set_clear(&t->set);
	mf_pin_clear(&t->pin);
	mf_floors_clear(&t->floors);
	free(t->broken);
	free(t->gun);
	free(t->pin_name);
	free(t);
}

const char *mf_trust_where(const struct mf_trust *t)
{
	return t->repo->where;
}
const char *mf_trust_gun(const struct mf_trust *t)
{
	return t->gun;
}
const char *mf_trust_pin_name(const struct mf_trust *t)
{
	return t->pin_name;
}
const struct mf_dialect *mf_trust_dialect(const struct mf_trust *t)
{
	return t->repo->ops->dialect;
}
const char *mf_trust_dir(const struct mf_trust *t)
{
	/* A local repository that is read-only is a bundle: one file. */
	return t->repo->ops->local && !t->repo->ops->read_only ? t->repo->where : NULL;
}
char *mf_trust_metadata_dir(const struct mf_trust *t, struct mf_err *err)
{
	if (!t->repo->ops->local)
		mf_cache_flush(t->cfg->cache);
	char *dir = t->repo->ops->local ? mf_str_dup(mf_str_c(t->repo->where))
					: mf_cache_dir(t->cfg->cache, t->pin_name, err);
	if (!dir && !err->code)
		(void)mf_fail_nomem(err);
	return dir;
}

const struct mf_tuf_set *mf_trust_set(const struct mf_trust *t)
{
	return t->loaded ? &t->set : NULL;
}
const struct mf_trust_broken *mf_trust_broken(const struct mf_trust *t, size_t *n)
{
	*n = t->nbroken;
	return t->broken;
}
bool mf_trust_was_tofu(const struct mf_trust *t)
{
	return t->tofu;
}
bool mf_trust_first_seen(const struct mf_trust *t)
{
	return !t->floors.any;
}

int mf_trust_check_writable(const struct mf_trust *t, struct mf_err *err)
{
	const char *hint = t->repo->ops->read_only;
	if (!hint)
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "the trust repository '%s' is read-only", t->repo->where);
	mf_err_set_hint(err, "%s", hint);
	return -1;
}

/* ---- a loaded repository */

/* The hash in a target's file name; NULL: names have none, without consistent snapshots. While nothing is
 * loaded, a mirror is being created, whose names have hashes. */
static const struct mf_digest *named_hash(const struct mf_trust *t, const struct mf_digest *sha256)
{
	return !t->set.root || t->set.root->consistent_snapshot ? sha256 : NULL;
}

int mf_trust_target_file(const struct mf_trust *t, struct mf_str name, const struct mf_digest *sha256,
			 struct mf_buf *out, struct mf_err *err)
{
	return mf_trust_name_target(out, name, named_hash(t, sha256), err);
}

enum mf_found mf_trust_target_get(struct mf_trust *t, struct mf_str name,
				  const struct mf_tuf_target_info *info, struct mf_spool *out,
				  struct mf_err *err)
{
	if (!t->repo->ops->target)
		return MF_ABSENT;
	return t->repo->ops->target(t->repo, name, named_hash(t, &info->sha256), info->length, out, err);
}

bool mf_trust_keeps_targets(const struct mf_trust *t)
{
	return t->repo->ops->local || t->repo->ops->put_target;
}

int mf_trust_target_put(struct mf_trust *t, struct mf_str name, const struct mf_digest *sha256,
			struct mf_spool *content, struct mf_err *err)
{
	return t->repo->ops->put_target(t->repo, name, named_hash(t, sha256), content, err);
}

int mf_trust_targets_list(struct mf_trust *t, struct mf_listing *out, struct mf_err *err)
{
	if (t->repo->ops->list(t->repo, MF_STR("targets/"), out, err) < 0)
		return -1;
	mf_listing_sort(out);
	return 0;
}

int mf_trust_target_listed(const struct mf_trust *t, const struct mf_listing *l, struct mf_str name,
			   const struct mf_tuf_target_info *info, bool *listed, struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	if (mf_trust_name_target(&file, name, named_hash(t, &info->sha256), err) < 0)
		return -1;
	const struct mf_stored *f = mf_listing_find(l, mf_buf_str(&file).p);
	*listed = f && f->size == info->length;
	return 0;
}

const struct mf_tuf_role *mf_trust_role(const struct mf_trust *t, const char *name)
{
	const struct mf_tuf_set *s = &t->set;
	if (strcmp(name, "targets") == 0)
		return &s->root->roles[MF_TUF_TARGETS];
	for (size_t i = 0; i < s->nroles; i++)
		for (size_t j = 0; j < s->roles[i]->file->nroles; j++)
			if (strcmp(s->roles[i]->file->roles[j].name, name) == 0)
				return &s->roles[i]->file->roles[j];
	return NULL;
}

const struct mf_key_info *mf_trust_key_here(struct mf_trust *t, const struct mf_tuf_key *k)
{
	if (!k->pub || !k->id_fits)
		return NULL;
	struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
	return mf_keystore_find_fp(t->cfg->keys, &fp);
}

bool mf_trust_hold_key_of(struct mf_trust *t, enum mf_tuf_type type)
{
	const struct mf_tuf_role *role = &t->set.root->roles[type];
	for (size_t i = 0; i < role->nkeys; i++)
		if (mf_trust_key_here(t, role->keys[i]))
			return true;
	return false;
}
