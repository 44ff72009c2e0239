/* A TUF 1.0 repository in a bucket of an object store: the files of a directory (directory.c) under the same
 * names, for any number of writers and without a lock.
 *
 * timestamp.json is the only metadata that is ever replaced, on the condition that it still is the file that
 * the change was built on: that swap is the commit. All other metadata is created once, on the condition that
 * the name is free. The snapshot is created first: all writers want its name, so that most losers of a race
 * lose before they have written anything. Nothing refers to the files that a loser has written.
 *
 * An answer can be lost, and some stores answer the loser of a race with an error of their own: after an
 * answer that is neither a success nor a final refusal, the object is read back. */
#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "trust/bucket.h"
#include "trust/names.h"
#include "trust/repo.h"

#define MAX_TRIES 12 /* of one write whose outcome is unknown */
#define FOR_EVER "public, max-age=31536000, immutable"
#define NEVER_STALE "no-cache"

struct s3 {
	struct mf_repo repo;
	struct mf_bucket bucket;
	const struct mf_trust_config *cfg;
	/* timestamp.json as it was last read, and its ETag. */
	struct mf_buf stamp;
	char etag[128];
	bool checked;    /* the store is known to honour conditions */
	bool bare_etags; /* it accepts ETags in conditions only without quotation marks */
	bool probe;      /* stopped publishers have used versions: find a free one by requests */
};

struct mf_fetch {
	struct s3 *s;
	struct mf_buf name;
	struct mf_object_call *call;
	int64_t *seen;
	bool is_stamp;
};

static void s3_close(struct mf_repo *r)
{
	struct s3 *s = (struct s3 *)r;
	mf_bucket_clear(&s->bucket);
	mf_buf_clear(&s->stamp);
	free(s->repo.where);
	free(s);
}

static struct mf_repo *s3_open(const struct mf_repo_ops *ops, const char *rest, const char *gun,
			       const struct mf_trust_config *cfg, struct mf_err *err)
{
	struct s3 *s = calloc(1, sizeof *s);
	if (!s) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	s->repo.ops = ops;
	s->cfg = cfg;
	mf_buf_init(&s->stamp, MF_MAX_TIMESTAMP_BYTES);
	if (mf_bucket_init(&s->bucket, rest, gun, cfg, &s->repo.where, err) == 0)
		return &s->repo;
	s3_close(&s->repo);
	return NULL;
}

/* ---- reading metadata */

static void s3_cancel(struct mf_fetch *f)
{
	if (!f)
		return;
	mf_object_free(f->call);
	mf_buf_clear(&f->name);
	free(f);
}

static struct mf_fetch *s3_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct mf_fetch *f = calloc(1, sizeof *f);
	if (!f) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	f->s = (struct s3 *)r;
	f->seen = key->seen;
	f->is_stamp = key->by == MF_BY_NAME && strcmp(key->role, "timestamp") == 0;
	mf_buf_init(&f->name, 2048);
	struct mf_object_request get = {.method = "GET", .max = key->max};
	if (mf_trust_name_role(&f->name, key->role, key->by == MF_BY_NAME ? 0 : key->version, err) == 0) {
		get.name = mf_buf_str(&f->name);
		if (mf_object_begin(&f->s->bucket, &get, &f->call, err) == 0)
			return f;
	}
	s3_cancel(f);
	return NULL;
}

/* Keeps the timestamp and its ETag, which is the condition of the next swap. */
static int remember(struct s3 *s, struct mf_bytes stamp, const char *etag, struct mf_err *err)
{
	mf_buf_reset(&s->stamp);
	(void)snprintf(s->etag, sizeof s->etag, "%s", etag);
	return mf_buf_add(&s->stamp, stamp.p, stamp.n, err);
}

static enum mf_found end_fetch(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	struct mf_http_response *res;
	enum mf_found found = mf_object_get(f->call, &res, err);
	if (f->seen)
		*f->seen = found == MF_FOUND ? res->last_modified : 0;
	if (found != MF_FOUND)
		return found;
	if (f->is_stamp && remember(f->s, mf_buf_bytes(&res->body), res->etag, err) < 0)
		return MF_FAILED;
	mf_buf_clear(out);
	*out = res->body;
	res->body = (struct mf_buf){.max = out->max};
	return MF_FOUND;
}

static enum mf_found s3_end(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	enum mf_found found = end_fetch(f, out, err);
	s3_cancel(f);
	return found;
}

static enum mf_found fetch(struct s3 *s, const struct mf_fetch_key *key, struct mf_buf *out,
			   struct mf_err *err)
{
	struct mf_fetch *f = s3_begin(&s->repo, key, err);
	return f ? s3_end(f, out, err) : MF_FAILED;
}

/* Reads timestamp.json and remembers it. */
static enum mf_found fetch_stamp(struct s3 *s, struct mf_err *err)
{
	const struct mf_fetch_key key = {
	    .role = "timestamp", .by = MF_BY_NAME, .max = MF_MAX_TIMESTAMP_BYTES};
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	return fetch(s, &key, &bytes, err);
}

static bool is_stamp(const struct s3 *s, struct mf_bytes bytes)
{
	return mf_str_eq(mf_buf_str(&s->stamp), mf_str_of(bytes));
}

/* ---- content */

static enum mf_found s3_target(struct mf_repo *r, struct mf_str name, const struct mf_digest *sha256,
			       uint64_t length, struct mf_spool *out, struct mf_err *err)
{
	struct s3 *s = (struct s3 *)r;
	struct mf_buf path MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	struct mf_object_call *call MF_OBJECT_CLEANUP = NULL;
	struct mf_http_response *res;
	if (length > MF_MAX_BLOB_BYTES)
		return mf_fail(err, MF_E_FORMAT, 0, "a target of %llu bytes is too large",
			       (unsigned long long)length);
	if (mf_trust_name_target(&path, name, sha256, err) < 0)
		return MF_FAILED;
	struct mf_object_request get = {
	    .method = "GET", .name = mf_buf_str(&path), .max = length ? (size_t)length : 1, .into = out};
	if (mf_object_begin(&s->bucket, &get, &call, err) < 0)
		return MF_FAILED;
	return mf_object_get(call, &res, err);
}

static int pause_before_retry(struct s3 *s, int tries, struct mf_err *err)
{
	const struct mf_env *env = s->cfg->env;
	int64_t ms = 5 + (int64_t)mf_random_below(20u << (tries < 5 ? tries : 5));
	if (mf_env_cancelled(env))
		return mf_fail(err, MF_E_CANCELLED, 0, "cancelled");
	if (tries + 1 >= MAX_TRIES || mf_env_left_ms(env) <= ms)
		return mf_fail(
		    err, MF_E_UNAVAILABLE, 0,
		    "the object store gives no clear answer, and it is not known whether the write took "
		    "effect");
	mf_env_sleep(env, ms);
	return 0;
}

static enum mf_put_end put_once(struct s3 *s, const struct mf_object_request *put, struct mf_err *err)
{
	struct mf_object_call *call MF_OBJECT_CLEANUP = NULL;
	return mf_object_begin(&s->bucket, put, &call, err) < 0 ? MF_PUT_FAILED : mf_object_put(call, err);
}

/* Writes without a condition: an object that has the name already may be damaged, and is replaced. */
static int s3_put_target(struct mf_repo *r, struct mf_str name, const struct mf_digest *sha256,
			 struct mf_spool *content, struct mf_err *err)
{
	struct s3 *s = (struct s3 *)r;
	struct mf_buf path MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	struct mf_digest digest;
	uint64_t length;
	if (mf_bucket_ready(&s->bucket, err) < 0 || mf_bucket_check_keys(&s->bucket, err) < 0 ||
	    mf_trust_name_target(&path, name, sha256, err) < 0 ||
	    mf_spool_end(content, &digest, &length, err) < 0)
		return -1;
	const struct mf_object_request put = {.method = "PUT",
					      .name = mf_buf_str(&path),
					      .cache = FOR_EVER,
					      .stream = content,
					      .sha256 = &digest,
					      .length = length};
	for (int tries = 0;; tries++) {
		struct mf_err why = MF_ERR_INIT;
		enum mf_put_end end = put_once(s, &put, &why);
		if (end == MF_PUT_DONE)
			return 0;
		if (end != MF_PUT_UNCLEAR || tries == 2 || mf_env_left_ms(s->cfg->env) == 0) {
			*err = why;
			return err->code ? -1 : mf_fail(err, MF_E_UNAVAILABLE, 0, "the content was refused");
		}
		if (pause_before_retry(s, tries, err) < 0)
			return -1;
	}
}

/* ---- writing metadata */

static int lost_race(const struct s3 *s, struct mf_err *err)
{
	return mf_fail(err, MF_E_CONFLICT, 0, "somebody else published in '%s' at the same time",
		       s->repo.where);
}

/* One file that is to be created. */
struct creation {
	const struct mf_publish_file *file;
	struct mf_buf name;
	struct mf_object_call *call;
};

static void creation_clear(struct creation *c)
{
	mf_object_free(c->call);
	mf_buf_clear(&c->name);
}

static struct mf_object_request put_of(const struct creation *c)
{
	return (struct mf_object_request){.method = "PUT",
					  .name = mf_buf_str(&c->name),
					  .condition = "If-None-Match: *",
					  .cache = FOR_EVER,
					  .body = c->file->bytes};
}

static int creation_begin(struct s3 *s, struct creation *c, const struct mf_publish_file *f,
			  struct mf_err *err)
{
	*c = (struct creation){.file = f, .name = MF_BUF_INIT(2048)};
	if (mf_trust_name_role(&c->name, f->role, f->version, err) < 0)
		return -1;
	struct mf_object_request put = put_of(c);
	return mf_object_begin(&s->bucket, &put, &c->call, err);
}

/* Reads the object back. MF_FOUND: it has our bytes; MF_ABSENT: there is none; MF_E_CONFLICT: it has other
 * bytes. */
static enum mf_found whose(struct s3 *s, const struct creation *c, struct mf_err *err)
{
	struct mf_object_call *call MF_OBJECT_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_object_request get = {
	    .method = "GET", .name = mf_buf_str(&c->name), .max = MF_MAX_TARGETS_BYTES};
	if (mf_object_begin(&s->bucket, &get, &call, err) < 0)
		return MF_FAILED;
	enum mf_found found = mf_object_get(call, &res, err);
	if (found != MF_FOUND || mf_str_eq(mf_buf_str(&res->body), mf_str_of(c->file->bytes)))
		return found;
	return lost_race(s, err);
}

/* Ends a creation, and repeats it while its outcome is unknown. Even after a refusal the object is read back:
 * the store may have refused the repetition of a write that had taken effect. */
static int creation_end(struct s3 *s, struct creation *c, struct mf_err *err)
{
	const struct mf_object_request put = put_of(c);
	for (int tries = 0;; tries++) {
		struct mf_err why = MF_ERR_INIT;
		enum mf_put_end end = c->call ? mf_object_put(c->call, &why) : put_once(s, &put, &why);
		mf_object_free(c->call);
		c->call = NULL;
		if (end == MF_PUT_DONE)
			return 0;
		if (end == MF_PUT_FAILED) {
			*err = why;
			return -1;
		}
		mf_err_clear(&why);
		enum mf_found found = whose(s, c, &why);
		if (found == MF_FOUND)
			return 0;
		if (found == MF_FAILED && why.code != MF_E_UNAVAILABLE) {
			*err = why;
			return -1;
		}
		if (pause_before_retry(s, tries, err) < 0)
			return -1;
	}
}

static int create(struct s3 *s, const struct mf_publish_file *f, struct mf_err *err)
{
	struct creation c MF_CLEANUP(creation_clear);
	return creation_begin(s, &c, f, err) < 0 ? -1 : creation_end(s, &c, err);
}

/* If-Match with an ETag of the store, with or without quotation marks as the store accepts it. */
static void format_condition(char out[160], const struct s3 *s, const char *etag)
{
	size_t n = strlen(etag);
	bool quoted = n >= 2 && etag[0] == '"' && etag[n - 1] == '"';
	(void)snprintf(out, 160, "If-Match: %.*s", (int)(n - (quoted && s->bare_etags ? 2 : 0)),
		       etag + (quoted && s->bare_etags ? 1 : 0));
}

/* Determines the outcome of a swap by reading timestamp.json. MF_FOUND: it is ours; MF_ABSENT: it is still
 * the previous one; MF_E_CONFLICT: it is another one. first: there was no previous one. */
static enum mf_found read_back(struct s3 *s, const struct mf_publish_file *f, const char *etag, bool first,
			       struct mf_err *err)
{
	enum mf_found found = fetch_stamp(s, err);
	if (found == MF_FAILED)
		return MF_FAILED;
	if (found == MF_FOUND && is_stamp(s, f->bytes))
		return MF_FOUND;
	bool same = found == MF_FOUND && !first && strcmp(s->etag, etag) == 0;
	return same || (found == MF_ABSENT && first) ? MF_ABSENT : lost_race(s, err);
}

static int swap(struct s3 *s, const struct mf_publish_file *f, bool first, struct mf_err *err)
{
	char etag[sizeof s->etag], condition[160] = "If-None-Match: *";
	memcpy(etag, s->etag, sizeof etag);
	for (int tries = 0;; tries++) {
		struct mf_err why = MF_ERR_INIT;
		if (!first)
			format_condition(condition, s, etag);
		const struct mf_object_request put = {.method = "PUT",
						      .name = MF_STR("timestamp.json"),
						      .condition = condition,
						      .cache = NEVER_STALE,
						      .body = f->bytes};
		enum mf_put_end end = put_once(s, &put, &why);
		if (end == MF_PUT_DONE)
			return 0;
		if (end == MF_PUT_FAILED) {
			*err = why;
			return -1;
		}
		mf_err_clear(&why);
		enum mf_found found = read_back(s, f, etag, first, &why);
		if (found == MF_FOUND)
			return 0;
		if (found == MF_FAILED && why.code != MF_E_UNAVAILABLE) {
			*err = why;
			return -1;
		}
		/* The condition was refused though the ETag is unchanged: try the other spelling. */
		s->bare_etags ^= end == MF_PUT_REFUSED && found == MF_ABSENT && !first;
		if (pause_before_retry(s, tries, err) < 0)
			return -1;
	}
}

/* ---- does the store honour conditions? */

/* Path of a file in the home. It exists for repositories whose store honours conditions, and says how the
 * store wants ETags. */
static char *memory_path(const struct s3 *s, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	struct mf_digest d;
	char hex[65];
	if (mf_buf_printf(&text, err, "%s%s", s->bucket.base, s->bucket.prefix) < 0 ||
	    mf_sha256(mf_buf_bytes(&text), &d, err) < 0)
		return NULL;
	mf_digest_hex(hex, &d);
	char *path = mf_path_join(s->cfg->home, "stores", hex, NULL);
	if (!path)
		(void)mf_fail_nomem(err);
	return path;
}

static bool is_remembered(struct s3 *s, const char *path)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(64);
	struct mf_err ignored = MF_ERR_INIT;
	if (mf_file_read_stored(path, 63, &text, &ignored) < 0)
		return false;
	s->bare_etags = mf_str_eqz(mf_buf_str(&text), "bare\n");
	return s->bare_etags || mf_str_eqz(mf_buf_str(&text), "quoted\n");
}

static void keep_in_memory(const struct s3 *s, const char *path)
{
	struct mf_err ignored = MF_ERR_INIT;
	char *dir MF_FREE = mf_path_join(s->cfg->home, "stores", NULL);
	if (dir && mf_dir_make_inside(s->cfg->home, dir, 0700, &ignored) == 0)
		(void)!mf_file_write_fast(
		    path, mf_bytes_of(s->bare_etags ? MF_STR("bare\n") : MF_STR("quoted\n")), 0600, &ignored);
}

/* Writes 1.root.json with the content that it has already, so that nothing changes whether the write is
 * refused or not. */
static enum mf_put_end try_condition(struct s3 *s, struct mf_bytes root, const char *condition,
				     struct mf_err *err)
{
	const struct mf_object_request put = {.method = "PUT",
					      .name = MF_STR("1.root.json"),
					      .condition = condition,
					      .cache = FOR_EVER,
					      .body = root};
	for (int tries = 0;; tries++) {
		struct mf_err why = MF_ERR_INIT;
		enum mf_put_end end = put_once(s, &put, &why);
		if (end == MF_PUT_FAILED)
			*err = why;
		if (end != MF_PUT_UNCLEAR)
			return end;
		if (pause_before_retry(s, tries, err) < 0)
			return MF_PUT_FAILED;
	}
}

static int unfit(const struct s3 *s, const char *what, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_USAGE, 0,
		      "the object store %s the conditions of writes (If-None-Match, If-Match): writers could "
		      "overwrite each other in '%s'",
		      what, s->repo.where);
	mf_err_set_hint(err,
			"publish to a store with conditional writes, or to a directory (tuf+file://) that is "
			"copied to the bucket");
	mf_err_set_endpoint(err, s->bucket.base);
	return -1;
}

/* Fails if the store carries out a write that it should refuse, or refuses one that it should carry out. This
 * cannot show whether the store checks and writes in one atomic step. */
static int try_conditions(struct s3 *s, struct mf_bytes root, const char *etag, struct mf_err *err)
{
	static const char *const to_be_refused[] = {"If-None-Match: *",
						    "If-Match: \"00000000000000000000000000000000\""};
	char condition[160];
	for (size_t i = 0; i < 2; i++) {
		enum mf_put_end end = try_condition(s, root, to_be_refused[i], err);
		if (end != MF_PUT_REFUSED)
			return end == MF_PUT_FAILED ? -1 : unfit(s, "ignores", err);
	}
	for (int bare = 0; bare < 2 && *etag; bare++) {
		s->bare_etags = bare;
		format_condition(condition, s, etag);
		enum mf_put_end end = try_condition(s, root, condition, err);
		if (end != MF_PUT_REFUSED)
			return end == MF_PUT_FAILED ? -1 : 0;
	}
	return unfit(s, "does not understand", err);
}

static int check_conditions(struct s3 *s, struct mf_err *err)
{
	struct mf_object_call *call MF_OBJECT_CLEANUP = NULL;
	struct mf_http_response *res;
	const struct mf_object_request get = {
	    .method = "GET", .name = MF_STR("1.root.json"), .max = MF_MAX_ROOT_BYTES};
	char *path MF_FREE = s->checked ? NULL : memory_path(s, err);
	if (s->checked || (path && is_remembered(s, path))) {
		s->checked = true;
		return 0;
	}
	if (!path || mf_object_begin(&s->bucket, &get, &call, err) < 0)
		return -1;
	enum mf_found found = mf_object_get(call, &res, err);
	if (found == MF_ABSENT)
		return lost_race(s, err);
	if (found == MF_FAILED || try_conditions(s, mf_buf_bytes(&res->body), res->etag, err) < 0)
		return -1;
	keep_in_memory(s, path);
	s->checked = true;
	return 0;
}

/* ---- publishing */

/* A name is taken, by a publisher that is still at work or was stopped. Waits until timestamp.json changes;
 * if it does not, versions that are taken are skipped from now on. */
static void await_owner(struct s3 *s, const struct mf_bytes *base)
{
	const struct mf_env *env = s->cfg->env;
	int64_t until = mf_monotonic_ms() + 400 + (int64_t)mf_random_below(800);
	for (int tries = 0; mf_monotonic_ms() < until && !mf_env_cancelled(env) && mf_env_left_ms(env);
	     tries++) {
		struct mf_err ignored = MF_ERR_INIT;
		enum mf_found found = fetch_stamp(s, &ignored);
		if (found == MF_FOUND && !(base && is_stamp(s, *base)))
			return;
		mf_env_sleep(env, 20 + (int64_t)mf_random_below(60));
	}
	s->probe = true;
}

/* The files of a publish, by their place in the order of writing (s3_publish). */
struct outgoing {
	const struct mf_publish_file *first_root, *snapshot, *stamp;
	const struct mf_publish_file **roles, **roots;
	size_t nroles, nroots, nbefore; /* roots[0..nbefore) precede the timestamp */
};

static void sort_out(struct outgoing *o, const struct mf_publish_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mf_publish_file *f = &files[i];
		if (strcmp(f->role, "timestamp") == 0)
			o->stamp = f;
		else if (strcmp(f->role, "snapshot") == 0)
			o->snapshot = f;
		else if (strcmp(f->role, "root") != 0)
			o->roles[o->nroles++] = f;
		else if (f->version == 1)
			o->first_root = f;
		else
			o->roots[o->nroots++] = f;
		if (!o->stamp)
			o->nbefore = o->nroots;
	}
}

static int create_roles(struct s3 *s, const struct outgoing *o, struct mf_err *err)
{
	struct creation *v MF_FREE = mf_calloc(o->nroles, sizeof *v);
	size_t begun = 0;
	int rc = v ? 0 : mf_fail_nomem(err);
	for (; rc == 0 && begun < o->nroles; begun++)
		rc = creation_begin(s, &v[begun], o->roles[begun], err);
	for (size_t i = 0; i < begun; i++) {
		if (rc == 0)
			rc = creation_end(s, &v[i], err);
		creation_clear(&v[i]);
	}
	return rc;
}

/* One after another, because a reader needs each root to verify the next. */
static int create_roots(struct s3 *s, const struct mf_publish_file *const *roots, size_t n,
			struct mf_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (create(s, roots[i], err) < 0)
			return -1;
	return 0;
}

/* Makes s->etag that of the timestamp on which the change was built. It is known already if that was the last
 * one read. */
static int find_base(struct s3 *s, const struct mf_bytes *base, struct mf_err *err)
{
	if (!base)
		return 0;
	if (!is_stamp(s, *base)) {
		enum mf_found found = fetch_stamp(s, err);
		if (found == MF_FAILED)
			return -1;
		if (found != MF_FOUND || !is_stamp(s, *base))
			return lost_race(s, err);
	}
	/* With an empty ETag libcurl would send no condition at all. */
	return s->etag[strspn(s->etag, "\"")] ? 0 : unfit(s, "gives no ETag for", err);
}

static int create_all(struct s3 *s, const struct outgoing *o, const struct mf_bytes *base, struct mf_err *err)
{
	if ((!o->snapshot || create(s, o->snapshot, err) == 0) && create_roles(s, o, err) == 0)
		return 0;
	if (err->code == MF_E_CONFLICT)
		await_owner(s, base);
	return -1;
}

static int s3_publish(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
		      const struct mf_bytes *base, struct mf_err *err)
{
	struct s3 *s = (struct s3 *)r;
	const struct mf_publish_file **room MF_FREE = mf_calloc(2 * n, sizeof *room);
	if (!room)
		return mf_fail_nomem(err);
	struct outgoing o = {.roles = room, .roots = room + n};
	sort_out(&o, files, n);
	if (mf_bucket_ready(&s->bucket, err) < 0 || mf_bucket_check_keys(&s->bucket, err) < 0 ||
	    find_base(s, base, err) < 0)
		return -1;
	/* The root of a new repository is the claim on its name. */
	if (o.first_root && create(s, o.first_root, err) < 0) {
		if (err->code == MF_E_CONFLICT)
			await_owner(s, NULL);
		return -1;
	}
	if (check_conditions(s, err) < 0 || create_all(s, &o, base, err) < 0)
		return -1;
	if (create_roots(s, o.roots, o.nbefore, err) < 0 ||
	    (o.stamp && swap(s, o.stamp, base == NULL, err) < 0))
		return -1;
	return create_roots(s, o.roots + o.nbefore, o.nroots - o.nbefore, err);
}

/* ---- listing and removing */

static int s3_list(struct mf_repo *r, struct mf_str prefix, struct mf_listing *out, struct mf_err *err)
{
	struct s3 *s = (struct s3 *)r;
	return mf_bucket_ready(&s->bucket, err) < 0 ? -1 : mf_bucket_list(&s->bucket, prefix, out, err);
}

/* A group of objects that are removed together: all requests of a step are in flight at the same time. */
#define REMOVE_WINDOW 32
struct removal {
	struct mf_object_call *call[REMOVE_WINDOW];
	bool due[REMOVE_WINDOW];
	size_t n;
};

static void removal_clear(struct removal *m)
{
	for (size_t i = 0; i < m->n; i++)
		mf_object_free(m->call[i]);
}

static int removal_begin(struct s3 *s, struct removal *m, const char *method,
			 const struct mf_stored *const *v, struct mf_err *err)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mf_object_request r = {
		    .method = method, .name = mf_str_c(v[i]->name), .max = (size_t)v[i]->size + 1};
		mf_object_free(m->call[i]);
		m->call[i] = NULL;
		if (m->due[i] && mf_object_begin(&s->bucket, &r, &m->call[i], err) < 0)
			return -1;
	}
	return 0;
}

/* Spares the objects that have changed: a writer may have stored the same content again since the listing. */
static int removal_check(struct removal *m, int64_t before, struct mf_err *err)
{
	for (size_t i = 0; i < m->n; i++) {
		struct mf_http_response *res;
		enum mf_found found = mf_object_get(m->call[i], &res, err);
		if (found == MF_FAILED)
			return -1;
		m->due[i] = found == MF_FOUND && res->last_modified && res->last_modified <= before;
	}
	return 0;
}

static int removal_end(struct removal *m, size_t *removed, struct mf_err *err)
{
	for (size_t i = 0; i < m->n; i++) {
		if (!m->due[i])
			continue;
		enum mf_put_end end = mf_object_put(m->call[i], err);
		if (end == MF_PUT_DONE)
			++*removed;
		else if (end != MF_PUT_REFUSED)
			return -1;
	}
	return 0;
}

static int s3_remove(struct mf_repo *r, const struct mf_stored *const *v, size_t n, int64_t before,
		     size_t *removed, struct mf_err *err)
{
	struct s3 *s = (struct s3 *)r;
	*removed = 0;
	if (mf_bucket_ready(&s->bucket, err) < 0 || mf_bucket_check_keys(&s->bucket, err) < 0)
		return -1;
	for (size_t from = 0; from < n; from += REMOVE_WINDOW) {
		struct removal m MF_CLEANUP(removal_clear) = {.n = n - from < REMOVE_WINDOW ? n - from
											    : REMOVE_WINDOW};
		for (size_t i = 0; i < m.n; i++)
			m.due[i] = true;
		if (mf_env_cancelled(s->cfg->env))
			return mf_fail(err, MF_E_CANCELLED, 0, "interrupted");
		if (removal_begin(s, &m, "HEAD", v + from, err) < 0 || removal_check(&m, before, err) < 0 ||
		    removal_begin(s, &m, "DELETE", v + from, err) < 0 || removal_end(&m, removed, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- versions */

static enum mf_found is_taken(struct s3 *s, const char *role, int64_t version, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(2048);
	struct mf_object_call *call MF_OBJECT_CLEANUP = NULL;
	struct mf_http_response *res;
	if (mf_trust_name_role(&name, role, version, err) < 0)
		return MF_FAILED;
	struct mf_object_request head = {
	    .method = "HEAD", .name = mf_buf_str(&name), .max = MF_MAX_TARGETS_BYTES};
	if (mf_object_begin(&s->bucket, &head, &call, err) < 0)
		return MF_FAILED;
	return mf_object_get(call, &res, err);
}

/* Usually the next version is free, which its creation shows without a request here. If stopped publishers
 * have used versions, doubling steps find a free one after any number of them; TUF allows gaps. */
static int s3_free_version(struct mf_repo *r, const char *role, int64_t from, int64_t *out,
			   struct mf_err *err)
{
	struct s3 *s = (struct s3 *)r;
	int64_t v = from;
	for (int64_t step = 1; s->probe && step < INT64_C(1) << 30; step *= 2) {
		enum mf_found taken = is_taken(s, role, v, err);
		if (taken == MF_FAILED)
			return -1;
		if (taken == MF_ABSENT)
			break;
		v += step;
	}
	*out = v;
	return 0;
}

const struct mf_repo_ops mf_repo_s3 = {
    .scheme = "tuf+s3://",
    .usage = "tuf+s3://BUCKET[/PREFIX] for an object store",
    .dialect = &mf_dialect_tuf1,
    .numbered_roots = true,
    .root_first = true,
    .open = s3_open,
    .close = s3_close,
    .begin = s3_begin,
    .end = s3_end,
    .cancel = s3_cancel,
    .free_version = s3_free_version,
    .publish = s3_publish,
    .target = s3_target,
    .put_target = s3_put_target,
    .list = s3_list,
    .remove = s3_remove,
};
