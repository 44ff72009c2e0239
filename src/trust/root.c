/* From a pin to the newest root: the chain is walked back from the newest root until a version satisfies the
 * pin and is no newer than the last root trusted here, then verified forward step by step (TUF 5.3). */
#include <assert.h>
#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "trust/client.h"

/* Parsed roots of successive versions, newest first. */
struct chain {
	struct {
		struct mf_tuf_file *file;
		bool cached; /* it came from the cache */
	} v[MF_MAX_ROOT_STEPS + 1];
	size_t n;
};

static void chain_cut(struct chain *c, size_t n)
{
	while (c->n > n)
		mf_tuf_file_free(c->v[--c->n].file);
}

static void chain_clear(struct chain *c)
{
	chain_cut(c, 0);
}
#define CHAIN_CLEANUP MF_CLEANUP(chain_clear)

static int chain_add(struct mf_trust *t, struct chain *c, struct mf_buf *bytes, bool cached,
		     struct mf_err *err)
{
	struct mf_tuf_file *f = mf_tuf_parse_unverified(t->repo->ops->dialect, MF_TUF_ROOT, bytes, err);
	if (!f)
		return -1;
	c->v[c->n].file = f;
	c->v[c->n++].cached = cached;
	return 0;
}

static int check_number(const struct mf_tuf_file *root, int64_t version, struct mf_err *err)
{
	if (root->version == version)
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "%lld.root.json says version %lld", (long long)version,
		       (long long)root->version);
}

/* N.root.json from the cache, else from the server. 1, 0, -1. */
static int versioned_root(struct mf_trust *t, int64_t version, struct mf_buf *out, bool *cached,
			  struct mf_err *err)
{
	*cached = false;
	struct mf_fetch_key key = {
	    .role = "root", .by = MF_BY_VERSION, .version = version, .max = MF_MAX_ROOT_BYTES};
	if (t->use_cache && !t->repo->ops->local) {
		int rc = mf_cache_get(t->cfg->cache_dir, t->pin_name, "root", version, MF_MAX_ROOT_BYTES, out,
				      err);
		*cached = rc > 0;
		t->cached_step |= *cached;
		if (rc)
			return rc;
	}
	mf_buf_init(out, MF_MAX_ROOT_BYTES);
	return mf_trust_fetch(t, &key, out, err);
}

static int gone(struct mf_trust *t, struct mf_err *err)
{
	bool known = t->pin.exact || t->floors.any;
	(void)mf_fail(err, known ? MF_E_GONE : MF_E_NOT_FOUND, 0,
		      known ? "the trust repository of '%s' is gone from '%s'"
			    : "there is no trust repository of '%s' at '%s'",
		      t->pin_name, t->repo->where);
	mf_err_set_endpoint(err, t->repo->where);
	if (known)
		mf_err_set_hint(err, "it was there before: ask its owner; do not initialise it anew");
	return -1;
}

/* The newest root of a server: by name. */
static int newest_by_name(struct mf_trust *t, struct chain *c, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	struct mf_fetch_key key = {.role = "root", .by = MF_BY_NAME, .max = MF_MAX_ROOT_BYTES};
	int rc = 0;
	if (t->use_cache)
		rc = mf_cache_get(t->cfg->cache_dir, t->pin_name, "root", 0, MF_MAX_ROOT_BYTES, &bytes, err);
	t->cached[EARLY_ROOT] = rc > 0;
	if (rc == 0) {
		struct mf_fetch *f = t->early[EARLY_ROOT];
		t->early[EARLY_ROOT] = NULL;
		mf_buf_init(&bytes, MF_MAX_ROOT_BYTES);
		rc = f ? t->repo->ops->end(f, &bytes, err) : mf_trust_fetch(t, &key, &bytes, err);
	}
	if (rc < 0)
		return -1;
	return rc ? chain_add(t, c, &bytes, t->cached[EARLY_ROOT], err) : gone(t, err);
}

/* ---- numbered roots (TUF 1.0, section 5.3): from a known version upward until there is no next one */

/* The newest root of an earlier run, if it is not older than `first`. */
static struct mf_tuf_file *newest_in_cache(struct mf_trust *t, int64_t first)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (t->repo->ops->local ||
	    mf_cache_get(t->cfg->cache_dir, t->pin_name, "root", 0, MF_MAX_ROOT_BYTES, &bytes, &ignored) <= 0)
		return NULL;
	struct mf_tuf_file *f = mf_tuf_parse_unverified(t->repo->ops->dialect, MF_TUF_ROOT, &bytes, &ignored);
	if (!f || f->version >= first)
		return f;
	mf_tuf_file_free(f);
	return NULL;
}

static int64_t first_version(const struct mf_floors *floors)
{
	int64_t floor = mf_tuf_floor_get(&floors->roles, "root");
	return floor ? floor : 1;
}

/* fresh: it may be one that has just appeared. */
static struct mf_fetch_key numbered_key(int64_t version, bool fresh)
{
	return (struct mf_fetch_key){.role = "root",
				     .by = MF_BY_VERSION,
				     .version = version,
				     .max = MF_MAX_ROOT_BYTES,
				     .fresh = fresh};
}

static int begin_root(struct mf_trust *t, int which, bool fresh, struct mf_err *err)
{
	struct mf_fetch_key key = numbered_key(t->early_root + (which == EARLY_NEXT_ROOT), fresh);
	t->early[which] = t->repo->ops->begin(t->repo, &key, err);
	return t->early[which] ? 0 : -1;
}

int mf_trust_begin_roots(struct mf_trust *t, struct mf_err *err)
{
	struct mf_floors floors MF_FLOORS_CLEANUP = {0};
	if (t->early[EARLY_ROOT])
		return 0;
	if (mf_floors_load(t->cfg->home, t->pin_name, &floors, err) < 0)
		return -1;
	int64_t first = first_version(&floors);
	struct mf_tuf_file *known MF_TUF_FILE_CLEANUP = newest_in_cache(t, first);
	t->early_root = known ? known->version + 1 : first;
	if (begin_root(t, EARLY_ROOT, known != NULL, err) < 0)
		return -1;
	return known ? 0 : begin_root(t, EARLY_NEXT_ROOT, true, err);
}

/* 1, 0, -1. */
static int numbered_root(struct mf_trust *t, int64_t version, bool fresh, struct mf_buf *out,
			 struct mf_err *err)
{
	struct mf_fetch_key key = numbered_key(version, fresh);
	int which = version == t->early_root + 1 ? EARLY_NEXT_ROOT : EARLY_ROOT;
	struct mf_fetch *f = NULL;
	if (version == t->early_root || which == EARLY_NEXT_ROOT) {
		f = t->early[which];
		t->early[which] = NULL;
	}
	return f ? t->repo->ops->end(f, out, err) : mf_trust_fetch(t, &key, out, err);
}

static int add_numbered(struct mf_trust *t, struct chain *c, int64_t version, struct mf_buf *bytes,
			struct mf_err *err)
{
	bool next = c->n > 0;
	if (chain_add(t, c, bytes, false, err) == 0)
		return check_number(c->v[c->n - 1].file, version, err);
	if (next && err->code == MF_E_FORMAT)
		mf_err_set_hint(err, "a web server must answer 404 for a file that is not there, not a page "
				     "of its own");
	return mf_wrap(err, "%lld.root.json", (long long)version);
}

static void reverse(struct chain *c)
{
	for (size_t i = 0, j = c->n - 1; i < j; i++, j--) {
		__typeof__(c->v[0]) x = c->v[i];
		c->v[i] = c->v[j];
		c->v[j] = x;
	}
}

static int newest_by_number(struct mf_trust *t, struct chain *c, struct mf_err *err)
{
	int64_t first = first_version(&t->floors);
	struct mf_tuf_file *known = t->use_cache ? newest_in_cache(t, first) : NULL;
	if (known) {
		c->v[0].file = known;
		c->v[c->n++].cached = true;
		first = known->version + 1;
		t->cached_step = true;
	}
	for (int64_t v = first;; v++) {
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
		int rc = numbered_root(t, v, c->n > 0, &bytes, err);
		if (rc < 0)
			return -1;
		if (!rc && !c->n)
			return gone(t, err);
		if (!rc)
			break;
		if (v - first >= MF_MAX_ROOT_STEPS)
			return mf_fail(err, MF_E_FORMAT, 0, "more than %d new root versions",
				       MF_MAX_ROOT_STEPS);
		if (add_numbered(t, c, v, &bytes, err) < 0)
			return -1;
	}
	reverse(c);
	t->cached[EARLY_ROOT] = c->v[0].cached;
	return 0;
}

/* ---- pins */

static struct mf_tuf_anchor anchor_of(const struct mf_trust *t)
{
	return (struct mf_tuf_anchor){.fingerprints = t->pin.fingerprints,
				      .n = t->pin.n,
				      .ca = mf_str_c(t->pin.ca),
				      .threshold = t->pin.threshold};
}

/* 1, 0, -1: it could not be judged. */
static int satisfies(const struct mf_trust *t, const struct mf_tuf_file *root, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_tuf_anchor a = anchor_of(t);
	if (mf_tuf_root_check(t->repo->ops->dialect, mf_str_c(t->gun), t->set.now, root, &a, &why) == 0)
		return 1;
	return why.code == MF_E_NOMEM || why.code == MF_E_INTERNAL ? mf_fail(err, why.code, 0, "%s", why.msg)
								   : 0;
}

static void add_fingerprints(char *out, size_t max, const struct mf_tuf_file *root)
{
	const struct mf_tuf_role *role = &root->roles[MF_TUF_ROOT];
	size_t at = 0;
	out[0] = 0;
	for (size_t i = 0; i < role->nkeys && at + 70 < max; i++) {
		if (!role->keys[i]->pub)
			continue;
		struct mf_digest fp = mf_pubkey_fingerprint(role->keys[i]->pub);
		if (at)
			out[at++] = ' ';
		mf_digest_hex(out + at, &fp);
		at += 64;
	}
}

static bool lists_pinned(const struct mf_trust *t, const struct mf_tuf_file *root)
{
	const struct mf_tuf_role *role = &root->roles[MF_TUF_ROOT];
	for (size_t i = 0; i < role->nkeys; i++) {
		if (!role->keys[i]->pub)
			continue;
		struct mf_digest fp = mf_pubkey_fingerprint(role->keys[i]->pub);
		for (size_t k = 0; k < t->pin.n; k++)
			if (mf_digest_eq(&fp, &t->pin.fingerprints[k]))
				return true;
	}
	return false;
}

/* A root of the pinned keys whose signatures do not hold is damaged: that says more than that the pin is not
 * met. */
static int refuse_pin(const struct mf_trust *t, const struct chain *c, struct mf_err *err)
{
	const struct mf_tuf_file *newest = c->v[0].file;
	char served[300], pinned[300] = "a CA", *at = pinned;
	for (size_t i = 0; i < c->n; i++)
		if (lists_pinned(t, c->v[i].file) &&
		    mf_tuf_root_check(t->repo->ops->dialect, mf_str_c(t->gun), t->set.now, c->v[i].file, NULL,
				      err) < 0)
			return -1;
	add_fingerprints(served, sizeof served, newest);
	for (size_t i = 0; i < t->pin.n && i < 4; i++) {
		if (i)
			*at++ = ' ';
		mf_digest_hex(at, &t->pin.fingerprints[i]);
		at += 64;
	}
	(void)mf_fail(err, MF_E_PIN, 0,
		      "no root of '%s' matches the pin: pinned %s; %s root version %lld has keys %s",
		      t->pin_name, pinned, t->cached[EARLY_ROOT] ? "cached" : "served",
		      (long long)newest->version, served);
	mf_err_set_endpoint(err, t->repo->where);
	mf_err_set_hint(err, "either the repository was made anew without your knowledge, or this is an "
			     "attack: ask its owner for the "
			     "fingerprint over another channel before you run 'manifesto trust pin'");
	return -1;
}

static int refuse_unpinned(const struct mf_trust *t, const struct mf_tuf_file *newest, struct mf_err *err)
{
	char served[300];
	add_fingerprints(served, sizeof served, newest);
	(void)mf_fail(err, MF_E_PIN, 0,
		      "no pin for '%s' on this machine; the root that is served (version %lld) has keys %s",
		      t->pin_name, (long long)newest->version, served);
	mf_err_set_endpoint(err, t->repo->where);
	mf_err_set_hint(err, "compare the fingerprint with the owner's, then run 'manifesto trust pin IMAGE "
			     "FINGERPRINT'; --tofu trusts "
			     "what is served");
	return -1;
}

/* ---- the chain */

/* One version older than the oldest. */
static int add_older(struct mf_trust *t, struct chain *c, bool found, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	int64_t version = c->v[c->n - 1].file->version - 1;
	bool cached;
	if (c->n > MF_MAX_ROOT_STEPS) /* a pinned key alone does not carry over the last trusted root */
		return found ? mf_fail(err, MF_E_FORMAT, 0,
				       "more than %d root versions since the last trusted one",
				       MF_MAX_ROOT_STEPS)
			     : refuse_pin(t, c, err);
	int rc = versioned_root(t, version, &bytes, &cached, err);
	if (rc == 0)
		return found ? mf_fail(err, MF_E_GONE, 0,
				       "root version %lld is missing between the last trusted and "
				       "the newest one",
				       (long long)version)
			     : refuse_pin(t, c, err);
	if (rc < 0 || chain_add(t, c, &bytes, cached, err) < 0)
		return -1;
	return check_number(c->v[c->n - 1].file, version, err);
}

/* Goes to older roots, adding them as needed, until one satisfies the pin and is no newer than the last one
 * trusted here; those that are older still are dropped. The index of the first (newest) that satisfies it
 * goes to *pinned. */
static int walk_back(struct mf_trust *t, struct chain *c, size_t *pinned, struct mf_err *err)
{
	int64_t floor = mf_tuf_floor_get(&t->floors.roles, "root");
	bool found = !t->pin.found;
	*pinned = SIZE_MAX;
	for (size_t i = 0;; i++) {
		const struct mf_tuf_file *last = c->v[i].file;
		assert(i < c->n && last);
		int rc = found ? 0 : satisfies(t, last, err);
		if (rc < 0)
			return -1;
		if (rc == 1) {
			found = true;
			*pinned = i;
		}
		if (found && (!floor || last->version <= floor)) {
			chain_cut(c, i + 1);
			return 0;
		}
		if (last->version <= 1)
			return found ? 0 : refuse_pin(t, c, err);
		if (i + 1 == c->n && add_older(t, c, found, err) < 0)
			return -1;
	}
}

/* The root of the version last trusted here must be that very file. */
static int check_continuity(const struct mf_trust *t, const struct mf_tuf_file *root, struct mf_err *err)
{
	struct mf_digest d;
	char served[300];
	if (!t->floors.any || root->version != mf_tuf_floor_get(&t->floors.roles, "root"))
		return 0;
	if (mf_sha256(mf_buf_bytes(&root->bytes), &d, err) < 0)
		return -1;
	if (mf_digest_eq(&d, &t->floors.root))
		return 0;
	add_fingerprints(served, sizeof served, root);
	(void)mf_fail(err, MF_E_PIN, 0,
		      "root version %lld of '%s' is not the one trusted before: it now has keys %s",
		      (long long)root->version, t->gun, served);
	mf_err_set_endpoint(err, t->repo->where);
	mf_err_set_hint(err, "the collection was replaced: ask its owner before anything else");
	return -1;
}

static int verify_forward(struct mf_trust *t, struct chain *c, size_t pinned, struct mf_err *err)
{
	struct mf_tuf_anchor a = anchor_of(t);
	bool first = true;
	while (c->n) {
		struct mf_tuf_file *root = c->v[--c->n].file;
		bool cached = c->v[c->n].cached;
		const struct mf_tuf_anchor *anchor = c->n == pinned ? &a : NULL;
		if (check_continuity(t, root, err) < 0) {
			mf_tuf_file_free(root);
			return -1;
		}
		if (first ? mf_tuf_set_root(&t->set, root, anchor, err) < 0
			  : mf_tuf_set_next_root(&t->set, root, err) < 0)
			return -1;
		first = false;
		/* Only what has been verified: a step that fails must not come back from the cache. */
		if (!t->repo->ops->local && !cached)
			mf_cache_put(t->cfg->cache_dir, t->pin_name, "root", t->set.root->version,
				     mf_buf_bytes(&t->set.root->bytes));
	}
	return mf_tuf_set_root_done(&t->set, err);
}

/* timestamp.json is written last: without it, and on a machine that knows nothing of it, a directory holds
 * what an interrupted first put has left, and the next one begins anew. 1, 0, -1. */
static int unfinished(struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	struct mf_fetch_key key = {.role = "timestamp", .by = MF_BY_NAME, .max = MF_MAX_TIMESTAMP_BYTES};
	if (!t->repo->ops->local || t->pin.found || t->floors.any)
		return 0;
	int rc = mf_trust_fetch(t, &key, &bytes, err);
	return rc < 0 ? -1 : !rc;
}

/* Whoever holds enough root keys of the newest root to have made it needs no pin to publish: nobody else can
 * have. That is the case after a first put that was stopped between publishing and pinning. The pin is stored
 * when the load has succeeded. */
static int adopt_own_root(struct mf_trust *t, const struct mf_tuf_file *newest, struct mf_err *err)
{
	const struct mf_tuf_role *role = &newest->roles[MF_TUF_ROOT];
	struct mf_digest *fps MF_FREE = mf_calloc(role->nkeys, sizeof *fps);
	size_t n = 0;
	if (!fps)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < role->nkeys; i++) {
		struct mf_digest fp =
		    role->keys[i]->pub ? mf_pubkey_fingerprint(role->keys[i]->pub) : (struct mf_digest){{0}};
		if (role->keys[i]->pub && mf_keystore_find_fp(t->cfg->keys, &fp))
			fps[n++] = fp;
	}
	if ((int64_t)n < role->threshold)
		return 0;
	t->pin = (struct mf_pin){.found = true, .fingerprints = fps, .n = n, .threshold = role->threshold};
	fps = NULL;
	t->adopted = true;
	return 0;
}

int mf_trust_load_root(struct mf_trust *t, struct mf_err *err)
{
	struct chain c CHAIN_CLEANUP = {.n = 0};
	size_t pinned;
	int64_t newest, oldest;
	int rc = unfinished(t, err);
	if (rc)
		return rc < 0 ? -1 : gone(t, err);
	if ((t->repo->ops->numbered_roots ? newest_by_number : newest_by_name)(t, &c, err) < 0)
		return -1;
	if (!t->pin.found && t->for_signing && adopt_own_root(t, c.v[0].file, err) < 0)
		return -1;
	if (!t->pin.found && !t->cfg->tofu)
		return refuse_unpinned(t, c.v[0].file, err);
	t->tofu = !t->pin.found;
	if (walk_back(t, &c, &pinned, err) < 0)
		return -1;
	newest = c.v[0].file->version;
	oldest = c.v[c.n - 1].file->version;
	if (verify_forward(t, &c, pinned, err) < 0)
		return mf_wrap(err, "root chain of '%s' (versions %lld to %lld)", t->pin_name,
			       (long long)oldest, (long long)newest);
	return 0;
}
