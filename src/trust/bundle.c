#include "trust/bundle.h"

#include "base/encode.h"
#include "record/record.h"
#include "trust/load.h"
#include "trust/names.h"
#include "tuf/history.h"

#define MAX_NAME MF_MAX_ARCHIVE_NAME

/* ---- names */

/* Appends the directory of a repository's files, with '/' at the end. A web server could serve the unpacked
 * bundle: Notary clients send ':' unencoded, and TUF 1.0 clients request the names of directory.c. */
static int add_base(struct mf_buf *out, const struct mf_dialect *d, const char *gun, struct mf_err *err)
{
	if (d != &mf_dialect_notary)
		return mf_buf_addz(out, "trust/", err) < 0 || mf_trust_name_gun(out, gun, err) < 0
			   ? -1
			   : mf_buf_addc(out, '/', err);
	if (mf_buf_addz(out, "v2/", err) < 0 || mf_pct_encode(out, mf_str_c(gun), "/:", err) < 0)
		return -1;
	return mf_buf_addz(out, "/_trust/tuf/", err);
}

/* Appends the name of the requested file. */
static int add_file(struct mf_buf *out, const struct mf_dialect *d, const struct mf_fetch_key *key,
		    struct mf_err *err)
{
	char hex[65];
	if (d != &mf_dialect_notary)
		return mf_trust_name_role(out, key->role, key->by == MF_BY_NAME ? 0 : key->version, err);
	if ((key->by == MF_BY_VERSION && mf_buf_printf(out, err, "%lld.", (long long)key->version) < 0) ||
	    mf_pct_encode(out, mf_str_c(key->role), "/", err) < 0)
		return -1;
	if (key->by != MF_BY_SHA256)
		return mf_buf_addz(out, ".json", err);
	mf_digest_hex(hex, &key->sha256);
	return mf_buf_printf(out, err, ".%s.json", hex);
}

/* ---- reading */

struct packed {
	struct mf_repo repo;
	const struct mf_archive *a;
	char *base;
};

struct mf_fetch {
	const struct packed *p;
	const struct mf_member *member; /* NULL: not there */
	size_t max;
	int64_t *seen;
};

static void packed_close(struct mf_repo *r)
{
	struct packed *p = (struct packed *)r;
	free(p->repo.where);
	free(p->base);
	free(p);
}

static struct mf_fetch *packed_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	const struct packed *p = (const struct packed *)r;
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(MAX_NAME);
	if (mf_buf_addz(&name, p->base, err) < 0 || add_file(&name, r->ops->dialect, key, err) < 0)
		return NULL;
	struct mf_fetch *f = mf_calloc(1, sizeof *f);
	if (!f) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	*f = (struct mf_fetch){p, mf_archive_find(p->a, mf_buf_str(&name).p), key->max, key->seen};
	return f;
}

static enum mf_found packed_end(struct mf_fetch *fetch, struct mf_buf *out, struct mf_err *err)
{
	struct mf_fetch *f MF_FREE = fetch;
	mf_buf_clear(out);
	if (f->seen)
		*f->seen = 0;
	if (!f->member)
		return MF_ABSENT;
	return mf_archive_read(f->p->a, f->member, f->max, out, err) < 0 ? MF_FAILED : MF_FOUND;
}

static void packed_cancel(struct mf_fetch *f)
{
	free(f);
}

/* Bundles need no cache. They are opened by mf_trust_open_bundle: the rows have no `open`. */
#define PACKED_OPS(of, numbered)                                                                             \
	{                                                                                                    \
		.scheme = "", .dialect = (of), .local = true, .numbered_roots = (numbered),                  \
		.read_only = "create a new bundle with 'manifesto bundle create'", .close = packed_close,    \
		.begin = packed_begin, .end = packed_end, .cancel = packed_cancel,                           \
	}
static const struct mf_repo_ops packed_tuf1 = PACKED_OPS(&mf_dialect_tuf1, true);
static const struct mf_repo_ops packed_notary = PACKED_OPS(&mf_dialect_notary, false);

/* A repository is there if its timestamp or a root is: if only one of them is, the load reports what is
 * missing. */
static enum mf_found find_repository(const struct mf_archive *a, const struct mf_repo_ops *ops,
				     const char *gun, struct mf_buf *base, struct mf_err *err)
{
	static const char *const signs[] = {"timestamp.json", "root.json", "1.root.json"};
	if (add_base(base, ops->dialect, gun, err) < 0)
		return MF_FAILED;
	size_t n = base->n;
	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
		if (mf_buf_addz(base, signs[i], err) < 0)
			return MF_FAILED;
		bool there = mf_archive_find(a, mf_buf_str(base).p) != NULL;
		mf_buf_cut(base, n);
		if (there)
			return MF_FOUND;
	}
	return MF_ABSENT;
}

static struct mf_repo *open_packed(const struct mf_archive *a, const char *gun, struct mf_err *err)
{
	struct mf_buf tuf1 MF_BUF_CLEANUP = MF_BUF_INIT(MAX_NAME),
			   notary MF_BUF_CLEANUP = MF_BUF_INIT(MAX_NAME);
	enum mf_found is_tuf1 = find_repository(a, &packed_tuf1, gun, &tuf1, err);
	enum mf_found is_notary =
	    is_tuf1 == MF_FAILED ? MF_FAILED : find_repository(a, &packed_notary, gun, &notary, err);
	if (is_notary == MF_FAILED)
		return NULL;
	if (is_tuf1 == is_notary) {
		(void)mf_fail(err, is_tuf1 ? MF_E_FORMAT : MF_E_NOT_FOUND, 0,
			      is_tuf1 ? "the bundle '%s' has two trust repositories of '%s'"
				      : "the bundle '%s' has no trust repository of '%s'",
			      mf_archive_path(a), gun);
		return NULL;
	}
	struct packed *p = mf_calloc(1, sizeof *p);
	if (!p) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	p->repo.ops = is_tuf1 ? &packed_tuf1 : &packed_notary;
	p->a = a;
	p->base = mf_buf_take(is_tuf1 ? &tuf1 : &notary);
	p->repo.where = mf_str_dup(mf_str_c(mf_archive_path(a)));
	if (p->base && p->repo.where)
		return &p->repo;
	(void)mf_fail_nomem(err);
	packed_close(&p->repo);
	return NULL;
}

int mf_trust_open_bundle(const struct mf_archive *a, const char *gun, const char *pin_name,
			 const struct mf_trust_config *cfg, struct mf_trust **out, struct mf_err *err)
{
	struct mf_repo *repo = open_packed(a, gun, err);
	return repo ? mf_trust_new(repo, &mf_store_home, gun, pin_name, cfg, out, err) : -1;
}

/* ---- writing */

int mf_trust_pack_name(const struct mf_trust *t, const struct mf_fetch_key *key, struct mf_buf *out,
		       struct mf_err *err)
{
	const struct mf_dialect *d = t->repo->ops->dialect;
	return add_base(out, d, t->gun, err) < 0 ? -1 : add_file(out, d, key, err);
}

struct pack {
	struct mf_trust *t;
	mf_trust_pack_fn fn;
	void *arg;
};

static struct mf_fetch_key root_key(int64_t version)
{
	return (struct mf_fetch_key){
	    .role = "root", .by = MF_BY_VERSION, .version = version, .max = MF_MAX_ROOT_BYTES};
}

/* Passes the roots from the trusted one backwards, each verified with the one after it: a reader's pin may
 * match an older root only. */
static int give_roots(const struct pack *p, struct mf_err *err)
{
	const struct mf_tuf_set *set = &p->t->set;
	struct mf_tuf_file *older MF_TUF_FILE_CLEANUP = NULL;
	struct mf_fetch_key key = root_key(set->root->version);
	if (p->fn(p->arg, &key, mf_buf_bytes(&set->root->bytes), err) < 0)
		return -1;
	for (size_t i = 0; i < MF_MAX_ROOT_STEPS && key.version > 1; i++) {
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
		struct mf_err why = MF_ERR_INIT;
		key.version--;
		enum mf_found found = mf_trust_fetch(p->t, &key, &bytes, err);
		if (found != MF_FOUND)
			return found;
		struct mf_tuf_file *f = mf_tuf_parse_unverified(set->d, MF_TUF_ROOT, &bytes, &why);
		if (!f || mf_tuf_old_root(set, f, older ? older : set->root, &why) < 0) {
			mf_tuf_file_free(f);
			mf_env_log(p->t->cfg->env, MF_LOG_INFO, "roots before version %lld are left out: %s",
				   (long long)key.version + 1, why.msg);
			return mf_err_pass_ours(err, &why);
		}
		mf_tuf_file_free(older);
		older = f;
		if (p->fn(p->arg, &key, mf_buf_bytes(&older->bytes), err) < 0)
			return -1;
	}
	return 0;
}

static int give_named(const struct pack *p, const char *role, const struct mf_tuf_file *f, struct mf_err *err)
{
	struct mf_fetch_key key = {.role = role, .by = MF_BY_NAME};
	return p->fn(p->arg, &key, mf_buf_bytes(&f->bytes), err);
}

/* Passes a file that another one lists, with the key by which a reader will request it. */
static int give_listed(const struct pack *p, const char *role, const struct mf_tuf_meta *m,
		       struct mf_bytes bytes, struct mf_err *err)
{
	struct mf_fetch_key key = mf_trust_listed_key(p->t, role, m, bytes.n);
	return p->fn(p->arg, &key, bytes, err);
}

static int give_roles(const struct pack *p, size_t from, struct mf_err *err)
{
	const struct mf_tuf_set *set = &p->t->set;
	for (size_t i = from; i < set->nroles; i++) {
		const struct mf_tuf_loaded *l = set->roles[i];
		const char *name = mf_tuf_loaded_name(l);
		if (give_listed(p, name, mf_tuf_meta_find(set->snapshot, name), mf_buf_bytes(&l->file->bytes),
				err) < 0)
			return -1;
	}
	return 0;
}

/* Passes skipped roles, too: a reader who needs one of them must get the same error as here. */
static int give_broken(const struct pack *p, struct mf_err *err)
{
	for (size_t i = 0; i < p->t->nbroken; i++) {
		const char *role = p->t->broken[i].role;
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
		struct mf_err why = MF_ERR_INIT;
		if (mf_trust_fetch_role(p->t, role, &bytes, &why) < 0) {
			if (mf_err_pass_ours(err, &why) < 0)
				return -1;
			mf_env_log(p->t->cfg->env, MF_LOG_INFO, "role '%s' is left out: %s", role, why.msg);
			continue;
		}
		if (give_listed(p, role, mf_tuf_meta_find(p->t->set.snapshot, role), mf_buf_bytes(&bytes),
				err) < 0)
			return -1;
	}
	return 0;
}

int mf_trust_pack(struct mf_trust *t, mf_trust_pack_fn fn, void *arg, struct mf_err *err)
{
	const struct pack p = {t, fn, arg};
	const struct mf_tuf_set *set = &t->set;
	if (give_roots(&p, err) < 0)
		return -1;
	if (!t->repo->ops->numbered_roots && give_named(&p, "root", set->root, err) < 0)
		return -1;
	if (give_named(&p, "timestamp", set->timestamp, err) < 0 ||
	    give_listed(&p, "snapshot", mf_tuf_meta_find(set->timestamp, "snapshot"),
			mf_buf_bytes(&set->snapshot->bytes), err) < 0 ||
	    give_roles(&p, 0, err) < 0)
		return -1;
	return give_broken(&p, err);
}

int mf_trust_pack_roles(struct mf_trust *t, size_t from, mf_trust_pack_fn fn, void *arg, struct mf_err *err)
{
	const struct pack p = {t, fn, arg};
	return give_roles(&p, from, err);
}

/* ---- age */

/* The time of the newest record; 0: none has a time. Metadata of both dialects does not contain the time of
 * signing, but records do. Times in the future are ignored. */
static int newest_record(const struct mf_trust *t, int64_t *newest, struct mf_err *err)
{
	const struct mf_tuf_set *set = &t->set;
	for (size_t i = 0; i < set->nroles; i++)
		for (size_t k = 0; k < mf_tuf_ntargets(set->roles[i]->file); k++) {
			struct mf_record r MF_RECORD_CLEANUP = {0};
			struct mf_tuf_target_info info;
			struct mf_err odd = MF_ERR_INIT;
			if (mf_tuf_target_info(set->d, set->roles[i]->file, k, &info, &odd) < 0 ||
			    mf_record_parse(&r, info.custom, &odd) < 0) {
				if (mf_err_pass_ours(err, &odd) < 0)
					return -1;
				continue;
			}
			if (r.created > *newest && r.created <= set->now + MF_CLOCK_TOLERANCE_S)
				*newest = r.created;
		}
	return 0;
}

int mf_trust_check_age(const struct mf_trust *t, struct mf_err *err)
{
	int64_t newest = 0;
	char limit[MF_DURATION_LEN], when[MF_TIME_LEN];
	if (newest_record(t, &newest, err) < 0)
		return -1;
	if (newest && t->set.now - newest <= t->cfg->max_age_s)
		return 0;
	mf_duration_format(limit, t->cfg->max_age_s);
	mf_time_format(when, newest);
	(void)mf_fail(err, MF_E_EXPIRED, 0, "'%s' may be older than %s: %s%s", t->pin_name, limit,
		      newest ? "the newest record in it is of " : "no record in it has a time",
		      newest ? when : "");
	mf_err_set_endpoint(err, t->repo->where);
	mf_err_set_hint(err,
			"make a new bundle; only what is signed counts, so something must have been signed "
			"since then");
	return -1;
}
