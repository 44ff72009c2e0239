/* Stores and fetches the content of records. Content is verified, whatever place it comes from. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/ops.h"

/* The path of a target file in a local trust repository. */
static char *target_path(const struct mf_trust *t, struct mf_str name, const struct mf_digest *d,
			 struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	if (mf_trust_target_file(t, name, d, &file, err) < 0)
		return NULL;
	char *path = mf_path_join(mf_trust_dir(t), mf_buf_str(&file).p, NULL);
	if (!path)
		(void)mf_fail_nomem(err);
	return path;
}

/* A target file below a directory to which other users may write. */
struct target_file {
	const char *base, *path;
	const char *source; /* a file with the same content, or NULL */
};

static int store_file(const struct target_file *f, struct mf_spool *blob, const struct mf_env *env,
		      struct mf_err *err)
{
	struct mf_err no_link = MF_ERR_INIT;
	char *dir MF_FREE = mf_str_dup((struct mf_str){f->path, (size_t)(strrchr(f->path, '/') - f->path)});
	struct mf_dir below MF_DIR_CLEANUP = MF_DIR_INIT;
	if (!dir)
		return mf_fail_nomem(err);
	const char *rest = dir + strlen(f->base);
	if (mf_dir_open_below(&below, f->base, rest + strspn(rest, "/"), err) < 0)
		return -1;
	char *at MF_FREE = mf_path_join(below.path, strrchr(f->path, '/') + 1, NULL);
	char *parent MF_FREE = mf_path_join(below.path, "..", NULL);
	if (!at || !parent)
		return mf_fail_nomem(err);
	/* Remove temporary files that killed writers left, in both levels of directories. */
	mf_dir_sweep(parent, mf_env_now(env));
	mf_dir_sweep(below.path, mf_env_now(env));
	/* A hard link to the blob saves a copy; it fails across file systems and, usually, for files of other
	 * users. A file that is there already may be damaged: it is replaced by the verified content. */
	if (f->source && mf_file_link(f->source, at, &no_link) == 0)
		return 0;
	return mf_spool_store(blob, at, 0644, MF_SYNC, err) < 0 ? mf_wrap(err, "'%s'", f->path) : 0;
}

int mf_content_put_target(struct mf_image *im, struct mf_str name, struct mf_spool *blob,
			  const struct mf_digest *digest, struct mf_err *err)
{
	if (!mf_trust_dir(im->trust))
		return mf_trust_target_put(im->trust, name, digest, blob, err);
	char *path MF_FREE = target_path(im->trust, name, digest, err), *source MF_FREE = NULL;
	if (!path)
		return -1;
	const char *dir = im->store_ref.dir; /* of a layout */
	bool layout = dir && mf_str_starts(mf_str_c(path), mf_str_c(dir));
	source = mf_blob_path(im->blobs, digest);
	const struct target_file f = {layout ? dir : mf_trust_dir(im->trust), path, source};
	return store_file(&f, blob, &im->m->env, err);
}

int mf_content_mirrored(const struct mf_trust *to, const struct mf_listing *l,
			const struct mf_content_wanted *c, bool *has, struct mf_err *err)
{
	struct stat st;
	if (!mf_trust_dir(to))
		return mf_trust_target_listed(to, l, c->name, c->info, has, err);
	char *path MF_FREE = target_path(to, c->name, &c->info->sha256, err);
	if (!path)
		return -1;
	*has = stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == c->info->length;
	return 0;
}

int mf_content_mirror(struct mf_trust *to, const struct mf_content_wanted *c, struct mf_spool *content,
		      const struct mf_env *env, struct mf_err *err)
{
	const char *dir = mf_trust_dir(to);
	if (!dir)
		return mf_trust_target_put(to, c->name, &c->info->sha256, content, err);
	char *path MF_FREE = target_path(to, c->name, &c->info->sha256, err);
	if (!path || mf_dir_make_shared(dir, err) < 0)
		return -1;
	return store_file(&(struct target_file){.base = dir, .path = path}, content, env, err);
}

/* ---- reading */

/* One search for content: what is wanted, and what was found on the way. */
struct search {
	struct mf_image *im;
	const struct mf_content_wanted *c;
	const char *path; /* the file that the content will become, or NULL: the spool is made beside it */
	struct mf_spool *found; /* the verified content */
	struct mf_err why;      /* the gravest failure of the places that were tried */
};

static struct mf_spool *new_spool(const struct mf_tuf_target_info *info, const char *path, struct mf_err *err)
{
	struct mf_spool *s MF_SPOOL_CLEANUP = NULL;
	s = path ? mf_spool_new_for(path, info->length, err) : mf_spool_new(info->length, err);
	if (!s || (info->has_sha512 && mf_spool_want_sha512(s, err) < 0))
		return NULL;
	struct mf_spool *made = s;
	s = NULL;
	return made;
}

static bool is_content(struct mf_spool *s, const struct mf_tuf_target_info *info)
{
	struct mf_err failed = MF_ERR_INIT;
	struct mf_digest d;
	uint64_t n;
	return mf_spool_end(s, &d, &n, &failed) == 0 && n == info->length &&
	       mf_digest_eq(&d, &info->sha256) &&
	       (!info->has_sha512 || memcmp(mf_spool_sha512(s), info->sha512, sizeof info->sha512) == 0);
}

static enum mf_found found(struct search *w, struct mf_spool **s)
{
	w->found = *s;
	*s = NULL;
	return MF_FOUND;
}

/* Takes the content from a file, if that has the signed length and digest. keep: the file that the content
 * will become, or NULL. */
static enum mf_found from_file(struct search *w, const char *file, const char *keep, struct mf_err *err)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_digest d;
	struct stat st;
	uint64_t n;
	if (stat(file, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != w->c->info->length)
		return MF_ABSENT;
	struct mf_spool *s MF_SPOOL_CLEANUP = new_spool(w->c->info, keep, err);
	if (!s)
		return MF_FAILED;
	if (mf_spool_from_stored(s, file, &d, &n, &ignored) < 0 || !is_content(s, w->c->info))
		return MF_ABSENT;
	return found(w, &s);
}

/* Takes the content from a local trust repository. A damaged target file does not end the search. */
static enum mf_found from_directory(struct search *w, struct mf_err *err)
{
	char *file MF_FREE = target_path(w->im->trust, w->c->name, &w->c->info->sha256, err);
	if (!file)
		return MF_FAILED;
	enum mf_found rc = from_file(w, file, w->c->path, err);
	if (rc == MF_ABSENT && mf_file_exists(file))
		(void)mf_fail(&w->why, MF_E_DIGEST, 0, "the target file '%s' is damaged", file);
	return rc;
}

/* Is the cause on this machine, so that no other place would help? */
static bool is_ours(const struct mf_err *err)
{
	return err->code == MF_E_NOMEM || err->code == MF_E_IO || err->code == MF_E_CANCELLED;
}

static enum mf_found fetch_target(struct search *w, struct mf_spool *s, struct mf_err *err)
{
	int rc = mf_trust_target_get(w->im->trust, w->c->name, w->c->info, s, err);
	if (rc == 1 && !is_content(s, w->c->info))
		rc = mf_fail(err, MF_E_DIGEST, 0,
			     "the target file on the trust server does not match the signed hash");
	if (rc < 0 && err->code == MF_E_FORMAT) /* it is longer than the signed length */
		(void)mf_recode(err, MF_E_DIGEST);
	return (enum mf_found)rc;
}

/* Fetches the target file from a trust repository on a web server: readers who may read the metadata then
 * need no login at the registry. */
static enum mf_found from_web(struct search *w, struct mf_err *err)
{
	struct mf_spool *s MF_SPOOL_CLEANUP = new_spool(w->c->info, w->path, err);
	if (!s)
		return MF_FAILED;
	enum mf_found rc = fetch_target(w, s, &w->why);
	if (rc == MF_FOUND)
		return found(w, &s);
	if (rc == MF_ABSENT)
		return MF_ABSENT;
	if (!w->why.endpoint[0])
		mf_err_set_endpoint(&w->why, mf_trust_where(w->im->trust));
	if (is_ours(&w->why)) {
		*err = w->why;
		return MF_FAILED;
	}
	mf_env_log(&w->im->m->env, MF_LOG_INFO, "%s; trying the image's store", w->why.msg);
	return MF_ABSENT;
}

/* Keeps the gravest failure of the places that were tried. The content is reported as gone only if all places
 * say so: one that failed otherwise may still have it. */
static void note_failure(struct search *w, const struct mf_err *failed)
{
	const enum mf_code was = w->why.code, now = failed->code;
	bool graver = was && was != MF_E_CONTENT_GONE &&
		      (now == MF_E_CONTENT_GONE || mf_exit_graver(mf_code_exit(was), mf_code_exit(now)));
	if (!graver)
		w->why = *failed;
}

static enum mf_found from_store(struct search *w, struct mf_image_store *store, struct mf_err *err)
{
	const struct mf_tuf_target_info *info = w->c->info;
	struct mf_err failed = MF_ERR_INIT;
	struct mf_spool *s MF_SPOOL_CLEANUP = new_spool(info, w->path, err);
	if (!s)
		return MF_FAILED;
	int rc = mf_blob_get(store, &info->sha256, info->length, s, &failed);
	if (rc == 0 && !is_content(s, info))
		rc = mf_fail(&failed, MF_E_DIGEST, 0,
			     "SHA-512 of the content does not match the signed value");
	if (rc == 0)
		return found(w, &s);
	if (is_ours(&failed)) {
		*err = failed;
		return MF_FAILED;
	}
	note_failure(w, &failed);
	return MF_ABSENT;
}

/* Tries the image's own store first, which for a copied image is the nearest, then the store of the origin.
 */
static enum mf_found from_stores(struct search *w, struct mf_err *err)
{
	struct mf_image_store *origin;
	enum mf_found rc = from_store(w, w->im->blobs, err);
	if (rc != MF_ABSENT)
		return rc;
	if (mf_image_origin(w->im, &origin, err) < 0)
		return MF_FAILED;
	if (origin) {
		mf_env_log(&w->im->m->env, MF_LOG_INFO, "%s; trying the origin's registry", w->why.msg);
		rc = from_store(w, origin, err);
	}
	if (rc == MF_ABSENT) {
		*err = w->why;
		return MF_FAILED;
	}
	return rc;
}

static enum mf_found from_repository(struct search *w, struct mf_err *err)
{
	return mf_trust_dir(w->im->trust) ? from_directory(w, err) : from_web(w, err);
}

/* Sets *path to the file in the cache. NULL: the content is not cached, because it is large, or because it is
 * in a local trust repository or a bundle anyway. */
static int cache_path(const struct search *w, char **path, struct mf_err *err)
{
	char hex[65];
	if (w->im->m->bundle || mf_trust_dir(w->im->trust) || w->c->info->length > MF_MAX_CACHED_BLOB)
		return 0;
	mf_digest_hex(hex, &w->c->info->sha256);
	*path = mf_path_join(w->im->m->opt.cache_dir, MF_CACHE_BLOBS, hex, NULL);
	return *path ? 0 : mf_fail_nomem(err);
}

static bool make_cache_dir_of(const char *cache_dir, const char *path)
{
	struct mf_err ignored = MF_ERR_INIT;
	char *dir MF_FREE = mf_str_dup((struct mf_str){path, (size_t)(strrchr(path, '/') - path)});
	return dir && mf_dir_make_inside(cache_dir, dir, 0700, &ignored) == 0;
}

static int search(struct search *w, struct mf_err *err)
{
	char *cached MF_FREE = NULL;
	if (cache_path(w, &cached, err) < 0)
		return -1;
	const struct mf_env *env = &w->im->m->env;
	enum mf_found rc = cached ? from_file(w, cached, w->path, err) : MF_ABSENT;
	if (rc == MF_FOUND) {
		mf_cache_used(&w->im->m->cache, cached);
		mf_env_log(env, MF_LOG_DEBUG, "content: the cache has it, with the signed digest");
	}
	if (rc != MF_ABSENT)
		return rc == MF_FOUND ? 0 : -1;
	bool keep = cached && make_cache_dir_of(w->im->m->opt.cache_dir, cached);
	if (keep)
		w->path = cached;
	rc = from_repository(w, err);
	bool in_store = rc == MF_ABSENT;
	if (in_store)
		rc = from_stores(w, err);
	if (rc == MF_FAILED)
		return -1;
	mf_env_log(env, MF_LOG_DEBUG, "content: %s has it, with the signed digest",
		   in_store ? "the image's store" : "the trust repository");
	struct mf_err ignored = MF_ERR_INIT;
	if (keep && mf_spool_store(w->found, cached, 0600, MF_NO_SYNC, &ignored) == 0)
		mf_cache_wrote(&w->im->m->cache, w->c->info->length);
	return 0;
}

int mf_content_get(struct mf_image *im, const struct mf_content_wanted *c, struct mf_spool **out,
		   struct mf_err *err)
{
	struct search w = {.im = im, .c = c, .path = c->path};
	if (c->info->length > MF_MAX_BLOB_BYTES)
		return mf_fail(err, MF_E_FORMAT, 0, "the record's content has %llu bytes, which is too large",
			       (unsigned long long)c->info->length);
	if (search(&w, err) < 0)
		return -1;
	*out = w.found;
	return 0;
}

/* Makes the content of a veto, which is its description and is not stored in a registry. MF_ABSENT: the name
 * is not that of a veto, or the entry has other content. */
static enum mf_found veto_content(const struct mf_content_wanted *c, struct mf_spool **out,
				  struct mf_err *err)
{
	struct mf_record r MF_RECORD_CLEANUP = {0};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(2 * MF_MAX_CUSTOM_BYTES);
	struct mf_str own, type;
	struct mf_digest subject;
	if (!mf_veto_name_parse(c->name, &own, &type, &subject))
		return MF_ABSENT;
	int rc = mf_record_parse(&r, c->info->custom, err);
	if (rc <= 0)
		return rc < 0 ? MF_FAILED : MF_ABSENT;
	json_t *tree MF_JSON_CLEANUP = mf_json_copy(r.tree, err);
	if (!tree)
		return MF_FAILED;
	(void)json_object_del(tree, "sigs");
	if (mf_json_dump_canonical(tree, &text, err) < 0)
		return MF_FAILED;
	if (text.n != c->info->length)
		return MF_ABSENT;
	struct mf_spool *s MF_SPOOL_CLEANUP = new_spool(c->info, NULL, err);
	if (!s || mf_spool_add(s, text.p, text.n, err) < 0)
		return MF_FAILED;
	if (!is_content(s, c->info))
		return MF_ABSENT;
	*out = s;
	s = NULL;
	return MF_FOUND;
}

int mf_content_get_any(struct mf_image *im, const struct mf_content_wanted *c, struct mf_spool **out,
		       struct mf_err *err)
{
	enum mf_found made = veto_content(c, out, err);
	if (made == MF_ABSENT)
		return mf_content_get(im, c, out, err);
	return made == MF_FOUND ? 0 : -1;
}

int mf_content_has_target(struct mf_image *im, const struct mf_listing *l, struct mf_str name,
			  const struct mf_tuf_target_info *info, bool *has, struct mf_err *err)
{
	const struct mf_content_wanted c = {name, info, NULL};
	*has = false;
	if (mf_trust_keeps_targets(im->trust))
		return mf_content_mirrored(im->trust, l, &c, has, err);
	struct mf_spool *s MF_SPOOL_CLEANUP = new_spool(info, NULL, err);
	int rc = s ? mf_trust_target_get(im->trust, name, info, s, err) : -1;
	*has = rc > 0 && is_content(s, info);
	return rc < 0 ? -1 : 0;
}

int mf_content_hand_out(struct mf_spool *content, const char *path,
			int (*write)(void *arg, const void *p, size_t n), void *arg, struct mf_err *err)
{
	char chunk[65536];
	uint64_t at = 0;
	size_t got;
	if (path)
		return mf_spool_copy_file(content, path, 0644, MF_SYNC, err);
	while (write) {
		if (mf_spool_read(content, at, chunk, sizeof chunk, &got, err) < 0)
			return -1;
		if (!got)
			break;
		if (write(arg, chunk, got) != 0)
			return mf_fail(err, MF_E_IO, 0, "the write callback failed");
		at += got;
	}
	return 0;
}
