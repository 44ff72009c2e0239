/* From the pin to the newest root (5.3): every root is verified with the one before it, and the first one by
 * the pin. The first one is no newer than the last root trusted here.
 *
 * Numbered roots (TUF 1.0) begin with the last root trusted here when it meets the pin, and each next one is
 * verified as it arrives. Everywhere else (Notary, whose newest root has a name; a new pin; a first run) the
 * chain is collected first, from the newest root back to one that meets the pin, and then verified
 * forward. */
#include <assert.h>
#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "trust/load.h"

/* For users who created the repository again themselves. */
#define FORGET_HINT "; if you created it again yourself, 'manifesto trust forget IMAGE' forgets the old one"

/* Parsed roots of successive versions, newest first (newest_by_number collects them in reverse). */
struct chain {
	struct {
		struct mf_tuf_file *file;
		enum origin { FROM_SERVER, FROM_STORE } origin;
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

static int chain_add(struct mf_trust *t, struct chain *c, struct mf_buf *bytes, enum origin origin,
		     struct mf_err *err)
{
	t->attempt.cached_root |= origin == FROM_STORE;
	struct mf_tuf_file *f = mf_tuf_parse_unverified(t->repo->ops->dialect, MF_TUF_ROOT, bytes, err);
	if (!f)
		return -1;
	c->v[c->n].file = f;
	c->v[c->n++].origin = origin;
	return 0;
}

static int check_number(const struct mf_tuf_file *root, int64_t version, struct mf_err *err)
{
	if (root->version == version)
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "%lld.root.json has version %lld", (long long)version,
		       (long long)root->version);
}

/* N.root.json from the store, else from the server. */
static enum mf_found versioned_root(struct mf_trust *t, int64_t version, struct mf_buf *out,
				    enum origin *origin, struct mf_err *err)
{
	struct mf_fetch_key key = {
	    .role = "root", .by = MF_BY_VERSION, .version = version, .max = MF_MAX_ROOT_BYTES};
	enum mf_found found = t->store->root(t, version, out, err);
	*origin = found == MF_FOUND ? FROM_STORE : FROM_SERVER;
	if (found != MF_ABSENT)
		return found;
	mf_buf_init(out, MF_MAX_ROOT_BYTES);
	return mf_trust_fetch(t, &key, out, err);
}

const char *mf_trust_identity(struct mf_trust *t)
{
	struct mf_buf first MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	struct mf_err why = MF_ERR_INIT;
	enum origin origin = FROM_STORE;
	char hex[65];
	if (!t->loaded)
		return NULL;
	bool fetched = !t->identified && t->set.root->version > 1 &&
		       versioned_root(t, 1, &first, &origin, &why) == MF_FOUND;
	if (fetched && origin == FROM_SERVER && !t->repo->ops->local)
		mf_trust_cache_put(t, "root", 1, mf_buf_bytes(&first));
	const struct mf_buf *bytes = fetched                     ? &first
				     : t->set.root->version == 1 ? &t->set.root->bytes
								 : NULL;
	struct mf_digest digest;
	if (!t->identified && bytes && mf_sha256(mf_buf_bytes(bytes), &digest, &why) == 0) {
		mf_digest_hex(hex, &digest);
		memcpy(t->identity, hex, MF_TRUST_IDENTITY - 1);
	}
	t->identified = true;
	return t->identity[0] ? t->identity : NULL;
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
		mf_err_set_hint(err, "it was there before: ask its owner%s", FORGET_HINT);
	return -1;
}

/* Adds the newest root by its name (Notary). */
static int newest_by_name(struct mf_trust *t, struct chain *c, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	struct mf_fetch_key key = {.role = "root", .by = MF_BY_NAME, .max = MF_MAX_ROOT_BYTES};
	enum mf_found found = t->store->root(t, 0, &bytes, err);
	enum origin origin = found == MF_FOUND ? FROM_STORE : FROM_SERVER;
	if (found == MF_ABSENT) {
		mf_buf_init(&bytes, MF_MAX_ROOT_BYTES);
		found = t->early.v[EARLY_ROOT] ? mf_trust_prefetched(t, EARLY_ROOT, &bytes, err)
					       : mf_trust_fetch(t, &key, &bytes, err);
	}
	if (found == MF_FAILED)
		return -1;
	return found == MF_FOUND ? chain_add(t, c, &bytes, origin, err) : gone(t, err);
}

/* ---- numbered roots (TUF 1.0, section 5.3): from a known version upward until there is no next one */

/* *out: the newest root that an earlier run stored, or NULL if there is none or it is older than `first`. */
static int newest_in_store(struct mf_trust *t, int64_t first, struct mf_tuf_file **out, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = NULL;
	*out = NULL;
	if (t->store->root(t, 0, &bytes, &why) == MF_FOUND)
		f = mf_tuf_parse_unverified(t->repo->ops->dialect, MF_TUF_ROOT, &bytes, &why);
	if (!f || f->version < first)
		return mf_err_pass_ours(err, &why);
	*out = f;
	f = NULL;
	return 0;
}

static int64_t first_version(const struct mf_floors *floors)
{
	int64_t floor = mf_tuf_floor_get(&floors->roles, "root");
	return floor ? floor : 1;
}

/* fresh: the root may just have been published, so that no cache may answer for the server. */
static struct mf_fetch_key numbered_key(int64_t version, bool fresh)
{
	return (struct mf_fetch_key){.role = "root",
				     .by = MF_BY_VERSION,
				     .version = version,
				     .max = MF_MAX_ROOT_BYTES,
				     .fresh = fresh};
}

static int prefetch_root(struct mf_trust *t, int which, const struct mf_fetch_key *key, struct mf_err *err)
{
	t->early.v[which] = t->repo->ops->begin(t->repo, key, err);
	return t->early.v[which] ? 0 : -1;
}

int mf_trust_prefetch_roots(struct mf_trust *t, struct mf_err *err)
{
	struct mf_floors floors MF_FLOORS_CLEANUP = {0};
	if (t->early.v[EARLY_ROOT])
		return 0;
	if (mf_floors_load(t->cfg->home, t->pin_name, &floors, err) < 0)
		return -1;
	int64_t first = first_version(&floors);
	struct mf_tuf_file *known MF_TUF_FILE_CLEANUP = NULL;
	if (newest_in_store(t, first, &known, err) < 0)
		return -1;
	t->early.root = known ? known->version + 1 : first;
	struct mf_fetch_key key = numbered_key(t->early.root, known != NULL);
	if (prefetch_root(t, EARLY_ROOT, &key, err) < 0)
		return -1;
	key.version++;
	key.fresh = true;
	return known ? 0 : prefetch_root(t, EARLY_NEXT_ROOT, &key, err);
}

static enum mf_found numbered_root(struct mf_trust *t, int64_t version, bool fresh, struct mf_buf *out,
				   struct mf_err *err)
{
	struct mf_fetch_key key = numbered_key(version, fresh);
	int which = version == t->early.root + 1 ? EARLY_NEXT_ROOT : EARLY_ROOT;
	if ((version == t->early.root || which == EARLY_NEXT_ROOT) && t->early.v[which])
		return mf_trust_prefetched(t, which, out, err);
	return mf_trust_fetch(t, &key, out, err);
}

static int add_numbered(struct mf_trust *t, struct chain *c, int64_t version, struct mf_buf *bytes,
			struct mf_err *err)
{
	bool next = c->n > 0 || t->set.root;
	if (chain_add(t, c, bytes, FROM_SERVER, err) == 0)
		return check_number(c->v[c->n - 1].file, version, err);
	if (next && err->code == MF_E_FORMAT)
		mf_err_set_hint(err,
				"a web server must answer 404 for a missing file, without a page of its own");
	return mf_wrap(err, "%lld.root.json", (long long)version);
}

/* ---- pins */

static struct mf_tuf_anchor anchor_of(const struct mf_trust *t)
{
	return (struct mf_tuf_anchor){.fingerprints = t->pin.fingerprints,
				      .n = t->pin.n,
				      .ca = mf_str_c(t->pin.ca),
				      .threshold = t->pin.threshold};
}

static enum mf_found meets_pin(const struct mf_trust *t, const struct mf_tuf_file *root, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_tuf_anchor a = anchor_of(t);
	if (mf_tuf_root_check(t->repo->ops->dialect, mf_str_c(t->gun), t->set.now, root, &a, &why) == 0)
		return MF_FOUND;
	return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
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

/* Fails because no root meets the pin. If one lists pinned keys and its signatures do not verify, it is
 * damaged: that is reported instead. */
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
		      t->pin_name, pinned, c->v[0].origin == FROM_STORE ? "cached" : "served",
		      (long long)newest->version, served);
	mf_err_set_endpoint(err, t->repo->where);
	mf_err_set_hint(err, "either the repository was created again without your knowledge, or this is an "
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
	mf_err_set_hint(err,
			"compare the fingerprint with the owner's, then run 'manifesto trust pin %s "
			"FINGERPRINT'; --tofu trusts "
			"what is served",
			t->pin_name);
	return -1;
}

/* ---- the chain */

/* Adds the root before the oldest one of the chain. */
static int add_older(struct mf_trust *t, struct chain *c, bool found, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	int64_t version = c->v[c->n - 1].file->version - 1;
	enum origin origin;
	if (c->n > MF_MAX_ROOT_STEPS) /* the limit holds even if a root meets the pin: the chain must reach
					 the last trusted root, too */
		return found ? mf_fail(err, MF_E_FORMAT, 0,
				       "more than %d root versions since the last trusted one",
				       MF_MAX_ROOT_STEPS)
			     : refuse_pin(t, c, err);
	enum mf_found rc = versioned_root(t, version, &bytes, &origin, err);
	if (rc == MF_ABSENT)
		return found ? mf_fail(err, MF_E_GONE, 0,
				       "root version %lld is missing between the last trusted and "
				       "the newest one",
				       (long long)version)
			     : refuse_pin(t, c, err);
	if (rc == MF_FAILED || chain_add(t, c, &bytes, origin, err) < 0)
		return -1;
	return check_number(c->v[c->n - 1].file, version, err);
}

/* Goes back to older roots, adding them as needed, until one has met the pin and the chain reaches a root
 * that is no newer than the last one trusted here. Older ones are dropped. *pinned: index of the newest root
 * that meets the pin. */
static int walk_back(struct mf_trust *t, struct chain *c, size_t *pinned, struct mf_err *err)
{
	int64_t floor = mf_tuf_floor_get(&t->floors.roles, "root");
	bool found = !t->pin.found;
	*pinned = SIZE_MAX;
	for (size_t i = 0;; i++) {
		const struct mf_tuf_file *last = c->v[i].file;
		assert(i < c->n && last);
		enum mf_found met = found ? MF_ABSENT : meets_pin(t, last, err);
		if (met == MF_FAILED)
			return -1;
		if (met == MF_FOUND) {
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

/* A root of the version that was trusted last must be the same file. */
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
	mf_err_set_hint(err, "the repository was replaced: ask its owner%s", FORGET_HINT);
	return -1;
}

/* Verifies the collected roots, oldest first, and makes each the trusted one; the chain is empty afterwards.
 * Only verified roots are stored: one that failed must not come back from the cache. */
static int verify_forward(struct mf_trust *t, struct chain *c, size_t pinned, struct mf_err *err)
{
	struct mf_tuf_anchor a = anchor_of(t);
	while (c->n) {
		struct mf_tuf_file *root = c->v[--c->n].file;
		bool cached = c->v[c->n].origin == FROM_STORE;
		if (check_continuity(t, root, err) < 0) {
			mf_tuf_file_free(root);
			return -1;
		}
		if ((t->set.root ? mf_tuf_set_next_root(&t->set, root, err)
				 : mf_tuf_set_root(&t->set, root, c->n == pinned ? &a : NULL, err)) < 0)
			return -1;
		t->attempt.cached_newest = cached;
		if (!cached && t->store->keep_root(t, err) < 0)
			return -1;
	}
	return 0;
}

static void reverse(struct chain *c)
{
	for (size_t i = 0, j = c->n - 1; i < j; i++, j--) {
		__typeof__(c->v[0]) x = c->v[i];
		c->v[i] = c->v[j];
		c->v[j] = x;
	}
}

/* Can the next root be verified with the newest one so far? Yes if that was verified just now, or if it was
 * trusted in an earlier run and meets the pin. */
static enum mf_found is_trusted(const struct mf_trust *t, const struct chain *c, struct mf_err *err)
{
	int64_t floor = mf_tuf_floor_get(&t->floors.roles, "root");
	if (t->set.root)
		return MF_FOUND;
	if (!t->pin.found || !floor || c->n != 1 || c->v[0].file->version > floor)
		return MF_ABSENT;
	return meets_pin(t, c->v[0].file, err);
}

/* Fetches one version after another until there is none, and verifies each as it arrives if it can
 * (is_trusted). The others are left in the chain, newest first. */
static int newest_by_number(struct mf_trust *t, struct chain *c, struct mf_err *err)
{
	int64_t first = first_version(&t->floors), last_root = t->how.last_root;
	struct mf_tuf_file *known;
	if (newest_in_store(t, first, &known, err) < 0)
		return -1;
	if (known && last_root && known->version > last_root) {
		mf_tuf_file_free(known);
		known = NULL;
	}
	if (known) {
		c->v[0].file = known;
		c->v[c->n++].origin = FROM_STORE;
		t->attempt.cached_root = true;
		first = known->version + 1;
	}
	for (int64_t v = first;; v++) {
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
		enum mf_found trusted = c->n ? is_trusted(t, c, err) : MF_ABSENT;
		if (trusted == MF_FAILED || (trusted == MF_FOUND && verify_forward(t, c, 0, err) < 0))
			return -1;
		bool any = c->n || t->set.root;
		enum mf_found found =
		    last_root && v > last_root ? MF_ABSENT : numbered_root(t, v, any, &bytes, err);
		if (found == MF_FAILED)
			return -1;
		if (found == MF_ABSENT && !any)
			return gone(t, err);
		if (found == MF_ABSENT)
			break;
		if (v - first >= MF_MAX_ROOT_STEPS)
			return mf_fail(err, MF_E_FORMAT, 0, "more than %d new root versions",
				       MF_MAX_ROOT_STEPS);
		if (add_numbered(t, c, v, &bytes, err) < 0)
			return -1;
	}
	if (c->n)
		reverse(c);
	return 0;
}

/* MF_FOUND: a first put was interrupted in this directory or bucket, as it has no timestamp.json and this
 * machine has neither pin nor floors. It counts as absent, and the next put starts over or continues. */
static enum mf_found unfinished(struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	struct mf_fetch_key key = {.role = "timestamp", .by = MF_BY_NAME, .max = MF_MAX_TIMESTAMP_BYTES};
	if (!(t->repo->ops->local || t->repo->ops->root_first) || t->pin.found || t->floors.any)
		return MF_ABSENT;
	enum mf_found found = mf_trust_fetch(t, &key, &bytes, err);
	return found == MF_FAILED ? MF_FAILED : found == MF_FOUND ? MF_ABSENT : MF_FOUND;
}

/* Sets t->pin to the newest root's keys if this machine holds enough of them to have made that root: then it
 * may publish without a pin. That happens after a first put that was stopped between publishing and pinning.
 * The pin is stored when the load has succeeded. */
static int adopt_own_root(struct mf_trust *t, const struct mf_tuf_file *newest, struct mf_err *err)
{
	const struct mf_tuf_role *role = &newest->roles[MF_TUF_ROOT];
	struct mf_digest *fps MF_FREE = mf_calloc(role->nkeys, sizeof *fps);
	size_t n = 0;
	if (!fps)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < role->nkeys; i++) {
		const struct mf_key_info *ours = mf_trust_key_here(t, role->keys[i]);
		struct mf_digest fp = ours ? mf_pubkey_fingerprint(ours->pub) : (struct mf_digest){{0}};
		bool counted = false; /* listed before under another ID */
		for (size_t k = 0; k < n; k++)
			counted |= mf_digest_eq(&fps[k], &fp);
		if (ours && !counted)
			fps[n++] = fp;
	}
	if ((int64_t)n < role->threshold)
		return 0;
	t->pin = (struct mf_pin){.found = true, .fingerprints = fps, .n = n, .threshold = role->threshold};
	fps = NULL;
	t->adopted = true;
	return 0;
}

enum mf_found mf_load_own_root(struct mf_trust *t, struct mf_buf *bytes, struct mf_err *err)
{
	struct mf_tuf_file *root MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(t->repo->ops->dialect, MF_TUF_ROOT, bytes, err);
	if (!root || check_number(root, 1, err) < 0)
		return MF_FAILED;
	mf_pin_clear(&t->pin);
	if (adopt_own_root(t, root, err) < 0)
		return MF_FAILED;
	if (!t->pin.found)
		return MF_ABSENT;
	struct mf_tuf_anchor a = anchor_of(t);
	struct mf_tuf_file *taken = root;
	root = NULL;
	return mf_tuf_set_root(&t->set, taken, &a, err) < 0 || mf_tuf_set_root_done(&t->set, err) < 0
		   ? MF_FAILED
		   : MF_FOUND;
}

/* Verifies the collected chain, from a root that meets the pin, is our own, or is trusted on first use. */
static int load_from_pin(struct mf_trust *t, struct chain *c, struct mf_err *err)
{
	size_t pinned;
	bool sign = t->how.purpose == MF_LOAD_SIGN || t->how.purpose == MF_LOAD_RENEW;
	int64_t newest = c->v[0].file->version;
	if (!t->pin.found && sign && adopt_own_root(t, c->v[0].file, err) < 0)
		return -1;
	if (!t->pin.found && !t->cfg->tofu)
		return refuse_unpinned(t, c->v[0].file, err);
	t->tofu = !t->pin.found;
	if (walk_back(t, c, &pinned, err) < 0)
		return -1;
	int64_t oldest = c->v[c->n - 1].file->version;
	if (verify_forward(t, c, pinned, err) < 0)
		return mf_wrap(err, "root chain of '%s' (versions %lld to %lld)", t->pin_name,
			       (long long)oldest, (long long)newest);
	return 0;
}

int mf_load_root(struct mf_trust *t, struct mf_err *err)
{
	struct chain c CHAIN_CLEANUP = {.n = 0};
	enum mf_found left = unfinished(t, err);
	if (left != MF_ABSENT)
		return left == MF_FAILED ? -1 : gone(t, err);
	t->tofu = false;
	if ((t->repo->ops->numbered_roots ? newest_by_number : newest_by_name)(t, &c, err) < 0 ||
	    (c.n && load_from_pin(t, &c, err) < 0))
		return -1;
	if (mf_tuf_set_root_done(&t->set, err) < 0)
		return mf_wrap(err, "root of '%s'", t->pin_name);
	if (t->pin.found)
		mf_env_log(t->cfg->env, MF_LOG_DEBUG,
			   "root: version %lld verified, from the pin '%s' (%lld of %zu keys)",
			   (long long)t->set.root->version, t->pin.pattern, (long long)t->pin.threshold,
			   t->pin.n);
	else
		mf_env_log(t->cfg->env, MF_LOG_DEBUG, "root: version %lld is trusted on first use",
			   (long long)t->set.root->version);
	return 0;
}
