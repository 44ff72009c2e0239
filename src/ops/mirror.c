/* mirror: a verified copy of a trust repository, for readers.
 *
 * A TUF 1.0 repository is copied byte for byte: readers verify it by the origin's own pin, and need not trust
 * the mirror. A Notary repository is converted (mirror_convert.c). Content is written first, then metadata in
 * the order of a publish, by the functions of the destination's kind of trust repository: a reader finds the
 * old state or the new one, wherever the mirror is stopped. The exception is new keys that replace others, in
 * a directory or bucket: neither root nor timestamp verifies without the other, and a reader between the two
 * writes gets an error. */
#include <stdio.h>
#include <unistd.h>

#include "ops/mirror.h"
#include "trust/bundle.h"
#include "tuf/history.h"

static void mirror_clear(struct mf_mirror *x)
{
	mf_trust_close(x->to);
	mf_image_store_free(x->store);
	mf_listing_clear(&x->targets);
	mf_image_close(&x->im);
}

/* ---- the destination */

/* Refuses a name such as "registry.example.com/acme", which is a registry everywhere else; a directory of
 * that name needs "./" in front. */
static int refuse_registry_name(const char *given, struct mf_err *err)
{
	size_t n = strcspn(given, "/");
	bool host = given[0] != '.' && n && given[n] && (memchr(given, '.', n) || memchr(given, ':', n));
	if (!host)
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "'%s' could be a directory or a registry", given);
	mf_err_set_hint(err, "use tuf+oci://%s for a repository in a registry, ./%s for a directory", given,
			given);
	return -1;
}

/* The URL of the destination, without a '/' at the end. */
static const char *destination_url(struct mf_mirror *x, struct mf_err *err)
{
	const char *given = x->o->destination;
	size_t n = strlen(given);
	char *cwd MF_FREE = NULL;
	while (n > 1 && given[n - 1] == '/')
		n--;
	if (strstr(given, "://"))
		return mf_arena_dup(x->a, (struct mf_str){given, n}, err);
	if (refuse_registry_name(given, err) < 0)
		return NULL;
	if (!n || (given[0] != '/' && !(cwd = getcwd(NULL, 0)))) {
		(void)mf_fail(err, MF_E_USAGE, 0, "'%s' is no destination of a mirror", given);
		return NULL;
	}
	return mf_arena_printf(x->a, err, "%s%s%s%.*s", mf_repo_tuf_file.scheme, cwd ? cwd : "",
			       cwd ? "/" : "", (int)n, given);
}

static int check_destination(struct mf_mirror *x, struct mf_err *err)
{
	bool wrong = mf_trust_dialect(x->to) != &mf_dialect_tuf1;
	if (strcmp(mf_trust_where(x->to), mf_trust_where(x->im.trust)) == 0)
		return mf_fail(err, MF_E_USAGE, 0, "'%s' is the repository itself", mf_trust_where(x->to));
	if (!wrong && (mf_mirror_is_registry(x) || mf_trust_check_writable(x->to, err) == 0))
		return 0;
	mf_err_clear(err);
	(void)mf_fail(err, MF_E_USAGE, 0, "a mirror cannot be written to '%s'", x->o->destination);
	mf_err_set_hint(err, "give a directory, tuf+s3://BUCKET/PREFIX or tuf+oci://REGISTRY/REPOSITORY");
	return -1;
}

static int open_destination(struct mf_mirror *x, struct mf_err *err)
{
	const char *url = destination_url(x, err), *gun = mf_trust_gun(x->im.trust);
	if (!url || mf_mirror_connect(x->m, url, &x->cfg, err) < 0)
		return -1;
	/* Keys, pins and floors of a copy that the mirror signs are not those of the origin. */
	const char *pin_name = mf_arena_printf(x->a, err, "mirror:%s/%s", url, gun);
	x->cfg.key_name = mf_arena_printf(x->a, err, "%s-mirror", x->m->opt.default_key_name);
	x->cfg.tofu = false;
	if (!pin_name || !x->cfg.key_name)
		return -1;
	if (strncmp(url, mf_repo_oci.scheme, strlen(mf_repo_oci.scheme)) == 0
		? mf_mirror_open_registry(x, url, pin_name, err) < 0
		: mf_trust_open(url, gun, pin_name, &x->cfg, &x->to, err) < 0)
		return -1;
	x->out->where = mf_arena_text(x->a, mf_trust_where(x->to));
	return check_destination(x, err);
}

/* ---- content */

static int warn(struct mf_mirror *x, const char *text, struct mf_err *err)
{
	const char **v = mf_arena_more(x->a, x->warnings, x->nwarnings, sizeof *v, err);
	if (!v || mf_arena_check(x->a, err) < 0)
		return -1;
	x->warnings = v;
	x->warnings[x->nwarnings++] = text;
	return 0;
}

static enum mf_found find_content(struct mf_mirror *x, const struct mf_content_wanted *c,
				  struct mf_spool **out, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_esc e;
	if (mf_content_get_any(&x->im, c, out, &why) == 0)
		return MF_FOUND;
	/* readers of the origin do not get it either: a warning is enough */
	if (why.code == MF_E_CONTENT_GONE)
		return warn(x, mf_arena_format(x->a, "'%s': %s", mf_esc(&e, c->name), why.msg), err) < 0
			   ? MF_FAILED
			   : MF_ABSENT;
	*err = why;
	return MF_FAILED;
}

static int copy_content(struct mf_mirror *x, const struct mf_listing *l, const struct mf_content_wanted *c,
			struct mf_err *err)
{
	struct mf_spool *content MF_SPOOL_CLEANUP = NULL;
	bool there;
	if (mf_content_mirrored(x->to, l, c, &there, err) < 0)
		return -1;
	if (there)
		return 0;
	enum mf_found found = find_content(x, c, &content, err);
	if (found != MF_FOUND)
		return found == MF_ABSENT ? 0 : -1;
	if (mf_content_mirror(x->to, c, content, &x->m->env, err) < 0)
		return -1;
	x->out->ncontents++;
	return 0;
}

static int copy_target(struct mf_mirror *x, const struct mf_listing *l, const struct mf_tuf_file *f, size_t i,
		       struct mf_err *err)
{
	struct mf_json_string raw = mf_tuf_target_name(f, i);
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(raw.raw.n + 4);
	struct mf_tuf_target_info info;
	struct mf_esc e;
	if (mf_json_string_decode(raw, &name, err) < 0 ||
	    mf_tuf_target_info(mf_trust_dialect(x->im.trust), f, i, &info, err) < 0)
		return -1;
	if (!info.has_sha256)
		return warn(x, mf_arena_format(x->a, "'%s' has no sha256", mf_esc(&e, mf_buf_str(&name))),
			    err);
	const struct mf_content_wanted c = {mf_buf_str(&name), &info, NULL};
	return copy_content(x, l, &c, err) < 0 ? mf_wrap(err, "content of '%s'", mf_esc(&e, c.name)) : 0;
}

static bool is_wanted(const struct mf_mirror_content *which, const struct mf_tuf_set *set, size_t role,
		      size_t i)
{
	const struct mf_shard_steps *step = which->step;
	struct mf_digest subject;
	if (!step || !step->given)
		return true;
	return mf_tuf_name_subject(mf_tuf_target_name(set->roles[role]->file, i).raw, &subject)
		   ? step->given[subject.b[0]]
		   : role >= step->first || step->given[0];
}

static int list_contents(struct mf_mirror *x, struct mf_err *err)
{
	if (x->listed || mf_trust_dir(x->to))
		return 0;
	x->listed = true;
	return mf_trust_targets_list(x->to, &x->targets, err);
}

int mf_mirror_contents(struct mf_mirror *x, struct mf_mirror_content which, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(x->im.trust);
	if (!mf_trust_keeps_targets(x->to))
		return 0;
	if (list_contents(x, err) < 0)
		return -1;
	for (size_t i = which.from; i < set->nroles; i++)
		for (size_t k = 0; k < mf_tuf_ntargets(set->roles[i]->file); k++) {
			if (mf_env_cancelled(&x->m->env))
				return mf_fail(err, MF_E_CANCELLED, 0, "the mirror was interrupted");
			if (is_wanted(&which, set, i, k) &&
			    copy_target(x, &x->targets, set->roles[i]->file, k, err) < 0)
				return -1;
		}
	return 0;
}

/* ---- a copy byte for byte */

/* The files of the origin, and which of them the destination has. */
struct files {
	struct mf_mirror *x;
	struct mf_publish_file *v;
	bool *there;
	size_t n, cap;
};

static void files_clear(struct files *f)
{
	free(f->v);
	free(f->there);
}

static int collect(void *arg, const struct mf_fetch_key *key, struct mf_bytes bytes, struct mf_err *err)
{
	struct files *f = arg;
	bool root = strcmp(key->role, "root") == 0;
	char *copy = root ? mf_arena_dup(f->x->a, mf_str_of(bytes), err) : NULL;
	if ((root && !copy) || mf_grow((void **)&f->v, &f->cap, f->n, sizeof *f->v, err) < 0)
		return -1;
	/* Octets of older roots are freed after this call; those of other files stay with the loaded set. */
	f->v[f->n++] = (struct mf_publish_file){
	    key->role, key->version, root ? (struct mf_bytes){(const uint8_t *)copy, bytes.n} : bytes};
	return 0;
}

static bool is(const struct mf_publish_file *f, const char *role)
{
	return strcmp(f->role, role) == 0;
}

static struct mf_fetch_key key_of(const struct mf_publish_file *f)
{
	return (struct mf_fetch_key){.role = f->role,
				     .by = f->version ? MF_BY_VERSION : MF_BY_NAME,
				     .version = f->version,
				     .max = MF_MAX_TARGETS_BYTES,
				     .fresh = true};
}

static int refuse_other(const struct mf_mirror *x, const struct mf_publish_file *f, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_CONFLICT, 0, "version %lld of '%s' in '%s' is not that of '%s'",
		      (long long)f->version, f->role, mf_trust_where(x->to), mf_trust_where(x->im.trust));
	mf_err_set_hint(
	    err, "another repository is there, or its files were changed: mirror to another place, or remove "
		 "what is there");
	return -1;
}

static int end_comparison(struct files *f, size_t i, struct mf_fetch *fetch, struct mf_err *err)
{
	struct mf_buf now MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	int rc = f->x->to->repo->ops->end(fetch, &now, err);
	if (rc <= 0)
		return rc;
	f->there[i] = mf_str_eq(mf_buf_str(&now), mf_str_of(f->v[i].bytes));
	return f->there[i] || is(&f->v[i], "timestamp") ? 0 : refuse_other(f->x, &f->v[i], err);
}

/* Finds which files the destination has, with all requests in flight together. A file with the same name but
 * other octets belongs to another repository, and is refused. */
static int compare(struct files *f, size_t from, size_t to, struct mf_err *err)
{
	const struct mf_repo_ops *ops = f->x->to->repo->ops;
	struct mf_fetch **v MF_FREE = mf_calloc(to - from, sizeof *v);
	int rc = v ? 0 : mf_fail_nomem(err);
	for (size_t i = from; rc == 0 && i < to; i++) {
		struct mf_fetch_key key = key_of(&f->v[i]);
		v[i - from] = ops->begin(f->x->to->repo, &key, err);
		rc = v[i - from] ? 0 : -1;
	}
	for (size_t i = from; v && i < to; i++) {
		if (v[i - from] && rc == 0)
			rc = end_comparison(f, i, v[i - from], err);
		else if (v[i - from])
			ops->cancel(v[i - from]);
	}
	return rc;
}

#define WINDOW 16

static int compare_all(struct files *f, struct mf_err *err)
{
	f->there = mf_calloc(f->n, sizeof *f->there);
	if (!f->there)
		return mf_fail_nomem(err);
	for (size_t at = 0; at < f->n; at += WINDOW)
		if (compare(f, at, at + WINDOW < f->n ? at + WINDOW : f->n, err) < 0)
			return -1;
	return 0;
}

/* Sorts by version, roots after all others. */
static int file_cmp(const void *a, const void *b)
{
	const struct mf_publish_file *x = a, *y = b;
	int c = is(x, "root") - is(y, "root");
	return c ? c : (x->version > y->version) - (x->version < y->version);
}

/* The newest root of the origin that the destination has; NULL: it has none. */
static const struct mf_publish_file *newest_there(const struct files *f)
{
	const struct mf_publish_file *root = NULL;
	for (size_t i = 0; i < f->n; i++)
		if (is(&f->v[i], "root") && f->there[i])
			root = &f->v[i];
	return root;
}

/* Do the new roots remove keys that the newest root at the destination lists (MF_FOUND)? Then the timestamp
 * is replaced before the roots are written, since the old files may be signed by those keys. Otherwise it
 * follows the roots, so that a reader of the new files finds their keys. */
static enum mf_found drops_keys(const struct files *f, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(f->x->im.trust);
	const struct mf_publish_file *old = newest_there(f);
	struct mf_buf copy MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (!old || old->version == set->root->version)
		return MF_ABSENT;
	if (mf_buf_add(&copy, old->bytes.p, old->bytes.n, err) < 0)
		return MF_FAILED;
	struct mf_tuf_file *root MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(set->d, MF_TUF_ROOT, &copy, err);
	if (!root)
		return MF_FAILED;
	return mf_tuf_root_drops_key(root, set->root, MF_TUF_TIMESTAMP) ||
		       mf_tuf_root_drops_key(root, set->root, MF_TUF_SNAPSHOT) ||
		       mf_tuf_root_drops_key(root, set->root, MF_TUF_TARGETS)
		   ? MF_FOUND
		   : MF_ABSENT;
}

/* Puts the files in the order in which they are written, without those that the destination has. A registry
 * gets all, since its manifest lists all. */
static int put_in_order(struct files *f, struct mf_publish_file *out, size_t *n, struct mf_err *err)
{
	bool all = mf_mirror_is_registry(f->x);
	const struct mf_publish_file *stamp = NULL;
	enum mf_found early = drops_keys(f, err);
	if (early == MF_FAILED)
		return -1;
	for (size_t i = 0; i < f->n; i++)
		if (is(&f->v[i], "timestamp"))
			stamp = &f->v[i];
	for (size_t i = 0; i < f->n; i++) {
		if (early == MF_FOUND && is(&f->v[i], "root") && stamp) {
			out[(*n)++] = *stamp;
			stamp = NULL;
		}
		if (!is(&f->v[i], "timestamp") && (all || !f->there[i]))
			out[(*n)++] = f->v[i];
		f->x->out->nfiles += !f->there[i];
	}
	if (stamp)
		out[(*n)++] = *stamp;
	return 0;
}

static enum mf_found fetch_there(struct mf_mirror *x, const char *role, int64_t version, struct mf_buf *out,
				 struct mf_err *err)
{
	const struct mf_publish_file f = {.role = role, .version = version};
	const struct mf_fetch_key key = key_of(&f);
	return mf_trust_fetch(x->to, &key, out, err);
}

/* Refuses a copy to which somebody has published with keys of the origin. Its snapshot is then not one of the
 * origin's, and replacing it would lose what was published. If the origin no longer keeps that version, they
 * cannot be compared. A mirror in a registry cannot be published to. */
static int check_published(struct mf_mirror *x, const struct mf_tuf_file *stamp, struct mf_err *err)
{
	const struct mf_tuf_meta *m = mf_tuf_meta_find(stamp, "snapshot");
	struct mf_buf ours MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_SNAPSHOT_BYTES),
			   theirs MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_SNAPSHOT_BYTES);
	if (!m || !m->version || mf_mirror_is_registry(x))
		return 0;
	const struct mf_publish_file f = {.role = "snapshot", .version = m->version};
	const struct mf_fetch_key key = key_of(&f);
	enum mf_found found = fetch_there(x, f.role, f.version, &ours, err);
	if (found == MF_FOUND)
		found = mf_trust_fetch(x->im.trust, &key, &theirs, err);
	if (found != MF_FOUND || mf_str_eq(mf_buf_str(&ours), mf_buf_str(&theirs)))
		return found == MF_FAILED ? -1 : 0;
	struct mf_err why = MF_ERR_INIT;
	struct mf_tuf_file *signed_here MF_TUF_FILE_CLEANUP =
	    mf_tuf_set_verify(mf_trust_set(x->im.trust), MF_TUF_SNAPSHOT, &ours, &why);
	if (!signed_here)
		return mf_err_pass_ours(err, &why) < 0 ? -1 : refuse_other(x, &f, err);
	(void)mf_fail(err, MF_E_CONFLICT, 0,
		      "somebody has published to the mirror '%s': its snapshot %lld is not that of '%s'",
		      mf_trust_where(x->to), (long long)m->version, mf_trust_where(x->im.trust));
	mf_err_set_hint(err, "publish to the origin what 'manifesto list' shows there, and then remove '%s'",
			mf_trust_where(x->to));
	return -1;
}

/* Refuses an origin that is older than its copy: that is an attack, or an old backup, and readers would
 * refuse it. If the timestamp has another key since, the old one does not verify, and its version does not
 * count. A file that cannot be a timestamp is replaced. */
static int check_newer(struct mf_mirror *x, struct mf_bytes now, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(x->im.trust);
	struct mf_buf copy MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	struct mf_err why = MF_ERR_INIT;
	if (mf_buf_add(&copy, now.p, now.n, err) < 0)
		return -1;
	struct mf_tuf_file *old MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(set->d, MF_TUF_TIMESTAMP, &copy, &why);
	if (!old)
		return mf_err_pass_ours(err, &why);
	if (old->version <= set->timestamp->version ||
	    mf_tuf_old_signed(set, old, &set->root->roles[MF_TUF_TIMESTAMP], &why) < 0)
		return mf_err_pass_ours(err, &why) < 0 ? -1 : check_published(x, old, err);
	return mf_fail(
	    err, MF_E_ROLLBACK, 0, "the timestamp of '%s' has version %lld, and the mirror version %lld",
	    mf_trust_where(x->im.trust), (long long)set->timestamp->version, (long long)old->version);
}

/* Refuses if the destination has a root newer than the origin's newest, which readers would follow. Either
 * somebody has published it there, or the origin is an old state. */
static int check_next_root(struct mf_mirror *x, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(x->im.trust);
	const struct mf_publish_file next = {.role = "root", .version = set->root->version + 1};
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	struct mf_err why = MF_ERR_INIT;
	enum mf_found found = fetch_there(x, next.role, next.version, &bytes, err);
	if (found != MF_FOUND)
		return found;
	struct mf_tuf_file *root MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(set->d, MF_TUF_ROOT, &bytes, &why);
	if (root && mf_tuf_old_root(set, set->root, root, &why) == 0)
		return mf_fail(
		    err, MF_E_ROLLBACK, 0, "the root of '%s' has version %lld, and the mirror version %lld",
		    mf_trust_where(x->im.trust), (long long)set->root->version, (long long)next.version);
	return mf_err_pass_ours(err, &why) < 0 ? -1 : refuse_other(x, &next, err);
}

/* Does the destination have the origin's timestamp, newest root and first root? These are written last, so
 * the copy is then complete. */
static enum mf_found is_current(struct mf_mirror *x, const struct mf_buf *stamp, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(x->im.trust);
	struct mf_buf root MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES),
			   first MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (!mf_str_eq(mf_buf_str(stamp), mf_buf_str(&set->timestamp->bytes)))
		return MF_ABSENT;
	enum mf_found found = fetch_there(x, "root", set->root->version, &root, err);
	if (found != MF_FOUND || !mf_str_eq(mf_buf_str(&root), mf_buf_str(&set->root->bytes)))
		return found == MF_FAILED ? MF_FAILED : MF_ABSENT;
	found = set->root->version == 1 ? MF_FOUND : fetch_there(x, "root", 1, &first, err);
	if (found == MF_ABSENT && !mf_trust_identity(x->im.trust))
		found = MF_FOUND;
	return found == MF_FOUND && mf_mirror_is_registry(x) ? mf_mirror_registry_is_whole(x, err) : found;
}

static int send(struct files *f, const struct mf_buf *base, struct mf_err *err)
{
	struct mf_mirror *x = f->x;
	const struct mf_bytes before = mf_buf_bytes(base);
	struct mf_publish_file *out MF_FREE = mf_calloc(f->n, sizeof *out);
	size_t n = 0;
	if (!out)
		return mf_fail_nomem(err);
	if (put_in_order(f, out, &n, err) < 0)
		return -1;
	if (mf_env_cancelled(&x->m->env))
		return mf_fail(err, MF_E_CANCELLED, 0, "the mirror was interrupted");
	return x->to->repo->ops->publish(x->to->repo, out, n, base->n ? &before : NULL, err);
}

/* Checks that readers get what was written. */
static int read_back(struct mf_mirror *x, struct mf_err *err)
{
	struct mf_buf now MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	enum mf_found found = fetch_there(x, "timestamp", 0, &now, err);
	if (found == MF_FAILED)
		return mf_wrap(err, "written, but reading it back failed");
	if (found == MF_FOUND &&
	    mf_str_eq(mf_buf_str(&now), mf_buf_str(&mf_trust_set(x->im.trust)->timestamp->bytes)))
		return 0;
	return mf_fail(err, MF_E_CONFLICT, 0,
		       "'%s' does not show what was written: does somebody else write there?",
		       mf_trust_where(x->to));
}

/* Writes what is missing of the shards of a step. Nothing refers to them yet. */
static int send_shards(struct files *f, const struct mf_buf *base, struct mf_err *err)
{
	struct mf_mirror *x = f->x;
	const struct mf_bytes before = mf_buf_bytes(base);
	struct mf_publish_file *out MF_FREE = mf_calloc(f->n, sizeof *out);
	size_t n = 0;
	if (!out)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < f->n; i++) {
		if (mf_mirror_is_registry(x) || !f->there[i])
			out[n++] = f->v[i];
		x->out->nfiles += !f->there[i];
	}
	if (mf_mirror_is_registry(x))
		return mf_mirror_registry_upload(x, out, n, err);
	return n ? x->to->repo->ops->publish(x->to->repo, out, n, base->n ? &before : NULL, err) : 0;
}

static int copy_shards(struct mf_mirror *x, const struct mf_buf *base, struct mf_err *err)
{
	struct mf_shard_steps steps = {.t = x->im.trust, .env = &x->m->env};
	const size_t roles = mf_trust_set(x->im.trust)->nroles;
	enum mf_found more;
	while ((more = mf_shards_next(&steps, err)) == MF_FOUND) {
		struct files f MF_CLEANUP(files_clear) = {.x = x};
		const struct mf_mirror_content which = {.from = roles, .step = &steps};
		if (mf_trust_pack_roles(x->im.trust, steps.first, collect, &f, err) < 0 ||
		    compare_all(&f, err) < 0 || mf_mirror_contents(x, which, err) < 0 ||
		    send_shards(&f, base, err) < 0)
			return -1;
	}
	return more == MF_FAILED ? -1 : 0;
}

static int copy(struct mf_mirror *x, struct mf_err *err)
{
	struct mf_buf stamp MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	struct files f MF_CLEANUP(files_clear) = {.x = x};
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	const struct mf_tuf_set *set = mf_trust_set(x->im.trust);
	if (!set->root->consistent_snapshot)
		return mf_fail(err, MF_E_REFUSED, 0,
			       "'%s' has no consistent snapshots (TUF 1.0, section 6.2): its files cannot be "
			       "copied safely",
			       mf_trust_where(x->im.trust));
	if (mf_publish_lock(x->to, &lock, err) < 0)
		return -1;
	enum mf_found there = fetch_there(x, "timestamp", 0, &stamp, err);
	if (there == MF_FAILED || check_next_root(x, err) < 0)
		return -1;
	enum mf_found current = there == MF_FOUND ? is_current(x, &stamp, err) : there;
	if (current != MF_ABSENT)
		return current == MF_FOUND ? 0 : -1;
	if ((there == MF_FOUND && check_newer(x, mf_buf_bytes(&stamp), err) < 0) ||
	    mf_trust_pack(x->im.trust, collect, &f, err) < 0)
		return -1;
	qsort(f.v, f.n, sizeof *f.v, file_cmp);
	if (compare_all(&f, err) < 0 || mf_mirror_contents(x, (struct mf_mirror_content){0}, err) < 0 ||
	    copy_shards(x, &stamp, err) < 0 || send(&f, &stamp, err) < 0)
		return -1;
	x->out->changed = 1;
	return read_back(x, err);
}

/* ---- all of it */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int report(struct mf_mirror *x, struct mf_err *err)
{
	struct manifesto_mirror_result *r = x->out;
	if (x->nwarnings) /* the steps find them in another order than one load */
		qsort(x->warnings, x->nwarnings, sizeof *x->warnings, by_text);
	r->gun = mf_arena_text(x->a, mf_trust_gun(x->im.trust));
	r->from = mf_arena_text(x->a, mf_trust_where(x->im.trust));
	r->dialect = mf_trust_dialect(x->im.trust)->name;
	r->warnings = x->warnings;
	r->nwarnings = x->nwarnings;
	return mf_arena_check(x->a, err);
}

static int mirror(struct mf_mirror *x, struct mf_err *err)
{
	if (!x->o->repository || !x->o->destination)
		return mf_fail(err, MF_E_USAGE, 0, "a mirror needs a repository and a destination");
	if (mf_repository_open(&x->im, x->m, x->o->repository, err) < 0)
		return -1;
	if (x->im.ref.transport == MF_TRANSPORT_LAYOUT)
		return mf_fail(err, MF_E_USAGE, 0, "a layout is copied as a directory; mirror a repository");
	if (open_destination(x, err) < 0)
		return -1;
	if (mf_trust_load(x->im.trust, &(struct mf_load){.subjects = mf_no_subjects}, err) < 0)
		return -1;
	const struct mf_tuf_set *set = mf_trust_set(x->im.trust);
	x->out->version = set->timestamp->version;
	x->out->expires = set->timestamp->expires;
	bool same = mf_trust_dialect(x->im.trust) == mf_trust_dialect(x->to);
	if ((same ? copy(x, err) : mf_mirror_convert(x, err)) < 0)
		return -1;
	return report(x, err);
}

int manifesto_mirror(struct manifesto *m, const struct manifesto_mirror_options *opt,
		     const struct manifesto_mirror_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_mirror_options o;
	struct manifesto_mirror_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = -1;
	if (r) {
		struct mf_mirror x MF_CLEANUP(mirror_clear) = {
		    .m = m, .o = &o, .out = r, .a = mf_result_arena(r), .targets = MF_LISTING_INIT};
		rc = mirror(&x, &err);
	}
	return MF_OP_END(rc, r, out, error, &err);
}
