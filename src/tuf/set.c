/* The trusted set: the client workflow of section 5 without its I/O. */
#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "tuf/index.h"
#include "tuf/internal.h"

int64_t mf_tuf_floor_get(const struct mf_tuf_floors *f, const char *role)
{
	for (size_t i = 0; f && i < f->n; i++)
		if (strcmp(f->v[i].role, role) == 0)
			return f->v[i].version;
	return 0;
}

void mf_tuf_set_init(struct mf_tuf_set *s, const struct mf_dialect *d, struct mf_str gun, int64_t now,
		     const struct mf_tuf_floors *floors)
{
	*s = (struct mf_tuf_set){
	    .d = d, .gun = gun, .now = now, .floors = floors, .max_total = MF_MAX_TARGETS_TOTAL};
}

void mf_tuf_set_rewind(struct mf_tuf_set *s)
{
	mf_tuf_file_free(s->timestamp);
	mf_tuf_file_free(s->snapshot);
	s->timestamp = s->snapshot = NULL;
	for (size_t i = 0; i < s->nroles; i++) {
		mf_tuf_file_free(s->roles[i]->file);
		free(s->roles[i]);
	}
	s->nroles = 0;
	s->expired = false;
}

void mf_tuf_set_clear(struct mf_tuf_set *s)
{
	mf_tuf_set_rewind(s);
	mf_tuf_file_free(s->root);
	free(s->roles);
	s->root = NULL;
	s->roles = NULL;
	s->cap = 0;
}

/* ---- expiry and rollback */

static int check_expiry(const struct mf_tuf_set *s, const struct mf_tuf_file *f, const char *role,
			struct mf_err *err)
{
	struct mf_esc e;
	char when[MF_TIME_LEN];
	if (f->expires > s->now)
		return 0;
	mf_time_format(when, f->expires);
	return mf_fail(err, MF_E_EXPIRED, 0, "%s expired at %s", mf_esc(&e, mf_str_c(role)), when);
}

/* Checks the expiry. Expired files of the types in expired_ok are accepted: they are loaded to be re-signed.
 */
static int check_fresh(struct mf_tuf_set *s, const struct mf_tuf_file *f, const char *role,
		       struct mf_err *err)
{
	if (f->expires > s->now || !(s->expired_ok >> f->type & 1))
		return check_expiry(s, f, role, err);
	s->expired = true;
	return 0;
}

static int check_floor(const struct mf_tuf_set *s, const struct mf_tuf_file *f, const char *role,
		       struct mf_err *err)
{
	struct mf_esc e;
	int64_t floor = mf_tuf_floor_get(s->floors, role);
	if (f->version >= floor)
		return 0;
	return mf_fail(err, MF_E_ROLLBACK, 0, "%s version %lld is lower than version %lld seen before",
		       mf_esc(&e, mf_str_c(role)), (long long)f->version, (long long)floor);
}

/* ---- root */

int mf_tuf_root_check(const struct mf_dialect *d, struct mf_str gun, int64_t now,
		      const struct mf_tuf_file *root, const struct mf_tuf_anchor *anchor, struct mf_err *err)
{
	const struct mf_tuf_role *role = &root->roles[MF_TUF_ROOT];
	/* The dates of certificates are not checked here: the root may be an old one, whose certificate has
	 * expired since. Only the newest root's must be valid now (mf_tuf_set_root_done). */
	struct mf_tuf_counting c = {.d = d, .gun = gun, .now = now, .root = true};
	if (mf_tuf_count_signatures(&c, root, role, role->threshold, err) < 0)
		return mf_wrap(err, "root version %lld", (long long)root->version);
	if (!anchor)
		return 0;
	assert(anchor->threshold >= 1);
	c.only = anchor;
	if (mf_tuf_count_signatures(&c, root, role, anchor->threshold, err) < 0) {
		(void)mf_recode(err, MF_E_PIN);
		return mf_wrap(err, "root version %lld does not match the pin", (long long)root->version);
	}
	return 0;
}

int mf_tuf_set_root(struct mf_tuf_set *s, struct mf_tuf_file *root, const struct mf_tuf_anchor *anchor,
		    struct mf_err *err)
{
	assert(root && root->type == MF_TUF_ROOT);
	if (mf_tuf_root_check(s->d, s->gun, s->now, root, anchor, err) < 0) {
		mf_tuf_file_free(root);
		return -1;
	}
	mf_tuf_file_free(s->root);
	s->root = root;
	return 0;
}

int mf_tuf_set_next_root(struct mf_tuf_set *s, struct mf_tuf_file *root, struct mf_err *err)
{
	struct mf_tuf_file *next MF_TUF_FILE_CLEANUP = root;
	const struct mf_tuf_role *old = &s->root->roles[MF_TUF_ROOT], *new = &next->roles[MF_TUF_ROOT];
	struct mf_tuf_counting c = {.d = s->d, .gun = s->gun, .now = s->now, .root = true};
	if (next->version != s->root->version + 1)
		return mf_fail(err, MF_E_ROLLBACK, 0, "got root version %lld, expected version %lld",
			       (long long)next->version, (long long)s->root->version + 1);
	if (mf_tuf_count_signatures(&c, next, old, old->threshold, err) < 0)
		return mf_wrap(err, "root version %lld is not signed by version %lld",
			       (long long)next->version, (long long)s->root->version);
	if (mf_tuf_count_signatures(&c, next, new, new->threshold, err) < 0)
		return mf_wrap(err, "root version %lld is not signed by itself", (long long)next->version);
	mf_tuf_file_free(s->root);
	s->root = next;
	next = NULL;
	return 0;
}

/* Reports when the root's certificates are valid. If all first certificates are valid now, a CA certificate
 * behind one of them has expired. */
static int refuse_certificates(const struct mf_tuf_set *s, struct mf_err *err)
{
	const struct mf_tuf_role *role = &s->root->roles[MF_TUF_ROOT];
	char now[MF_TIME_LEN], from[MF_TIME_LEN], to[MF_TIME_LEN];
	int64_t not_before, not_after;
	mf_time_format(now, s->now);
	for (size_t i = 0; i < role->nkeys && !err->code; i++) {
		if (!role->keys[i]->certs)
			continue;
		mf_root_certs_validity(role->keys[i]->certs, &not_before, &not_after);
		if (not_before <= s->now && s->now <= not_after)
			continue;
		mf_time_format(from, not_before);
		mf_time_format(to, not_after);
		(void)mf_fail(err, MF_E_EXPIRED, 0,
			      "the root certificate is valid from %s to %s, but the system clock says %s",
			      from, to, now);
	}
	if (!err->code)
		(void)mf_fail(
		    err, MF_E_EXPIRED, 0,
		    "a CA certificate of the root key is not valid at %s, the time of the system clock", now);
	mf_err_set_hint(err,
			"if the clock is right, a holder of the root key must run 'manifesto trust rotate "
			"REPOSITORY root'");
	return -1;
}

int mf_tuf_set_root_done(struct mf_tuf_set *s, struct mf_err *err)
{
	const struct mf_tuf_role *role = &s->root->roles[MF_TUF_ROOT];
	struct mf_tuf_counting c = {
	    .d = s->d, .gun = s->gun, .now = s->now, .root = true, .check_expiry = true};
	if (check_floor(s, s->root, "root", err) < 0)
		return -1;
	if (check_fresh(s, s->root, "root", err) < 0)
		return -1;
	/* Notary: the newest root's certificates must be valid now. Its signatures have been verified
	 * already: if this check fails, it is because of the dates. */
	if (mf_tuf_count_signatures(&c, s->root, role, role->threshold, err) == 0)
		return 0;
	if (mf_err_is_ours(err))
		return -1;
	mf_err_clear(err);
	if (!(s->expired_ok >> MF_TUF_ROOT & 1))
		return refuse_certificates(s, err);
	s->expired = s->expired_certificate = true;
	return 0;
}

/* Does the role list this public key, under any ID? Keys that we cannot use are compared by their IDs. */
static bool lists_key(const struct mf_tuf_role *role, const struct mf_tuf_key *key)
{
	for (size_t i = 0; i < role->nkeys; i++) {
		const struct mf_tuf_key *k = role->keys[i];
		if (k->pub && key->pub ? mf_pubkey_eq(k->pub, key->pub)
				       : !k->pub && !key->pub && mf_str_eq(k->id, key->id))
			return true;
	}
	return false;
}

bool mf_tuf_root_drops_key(const struct mf_tuf_file *old, const struct mf_tuf_file *now,
			   enum mf_tuf_type type)
{
	const struct mf_tuf_role *a = &old->roles[type], *b = &now->roles[type];
	for (size_t i = 0; i < a->nkeys; i++)
		if (!lists_key(b, a->keys[i]))
			return true;
	return false;
}

/* ---- timestamp, snapshot */

int mf_tuf_meta_check(const struct mf_tuf_meta *m, struct mf_bytes bytes, struct mf_err *err)
{
	struct mf_esc e;
	struct mf_digest d;
	uint8_t d512[64];
	const char *name = mf_esc(&e, m->name);
	if (m->broken)
		return mf_fail(err, MF_E_FORMAT, 0, "%s is listed in a malformed entry", name);
	if (m->length != UINT64_MAX && bytes.n > m->length)
		return mf_fail(err, MF_E_DIGEST, 0, "%s has %zu bytes, more than the signed length of %llu",
			       name, bytes.n, (unsigned long long)m->length);
	if (m->has_sha256) {
		if (mf_sha256(bytes, &d, err) < 0)
			return -1;
		if (!mf_digest_eq(&d, &m->sha256))
			return mf_fail(err, MF_E_DIGEST, 0, "sha256 of %s does not match the signed value",
				       name);
	}
	if (m->has_sha512) {
		if (mf_sha512(bytes, d512, err) < 0)
			return -1;
		if (memcmp(d512, m->sha512, sizeof d512) != 0)
			return mf_fail(err, MF_E_DIGEST, 0, "sha512 of %s does not match the signed value",
				       name);
	}
	return 0;
}

static int check_version(const struct mf_tuf_meta *m, const struct mf_tuf_file *f, const char *role,
			 struct mf_err *err)
{
	struct mf_esc e;
	if (!m->version || m->version == f->version)
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "%s has version %lld, but its parent lists version %lld",
		       mf_esc(&e, mf_str_c(role)), (long long)f->version, (long long)m->version);
}

static int verify_top(const struct mf_tuf_set *s, const struct mf_tuf_file *f, struct mf_err *err)
{
	const struct mf_tuf_role *role = &s->root->roles[f->type];
	struct mf_tuf_counting c = {.d = s->d, .gun = s->gun, .now = s->now};
	return mf_tuf_count_signatures(&c, f, role, role->threshold, err);
}

struct mf_tuf_file *mf_tuf_set_verify(const struct mf_tuf_set *s, enum mf_tuf_type type, struct mf_buf *bytes,
				      struct mf_err *err)
{
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = mf_tuf_parse_unverified(s->d, type, bytes, err), *out;
	if (!f || verify_top(s, f, err) < 0)
		return NULL;
	out = f;
	f = NULL;
	return out;
}

/* One key may sign the mirrors of many repositories. A timestamp names the repository that it copies, so that
 * none can be served in place of another. */
static int check_copied(const struct mf_tuf_set *s, const struct mf_tuf_file *f, struct mf_err *err)
{
	struct mf_esc has, wanted;
	if (!f->copied_gun.n || !s->gun.n || mf_str_eq(f->copied_gun, s->gun))
		return 0;
	return mf_fail(err, MF_E_SIGNATURE, 0, "the timestamp is of a copy of '%s', expected one of '%s'",
		       mf_esc(&has, f->copied_gun), mf_esc(&wanted, s->gun));
}

int mf_tuf_set_timestamp(struct mf_tuf_set *s, struct mf_buf *bytes, struct mf_err *err)
{
	assert(s->root && !s->timestamp);
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(s->d, MF_TUF_TIMESTAMP, bytes, err);
	if (!f || verify_top(s, f, err) < 0 || check_copied(s, f, err) < 0 ||
	    check_floor(s, f, "timestamp", err) < 0)
		return -1;
	/* The snapshot's floor is checked here too, so that a lower version is refused before the snapshot is
	 * requested (5.4.3.2). */
	const struct mf_tuf_meta *m = mf_tuf_meta_find(f, "snapshot");
	int64_t floor = mf_tuf_floor_get(s->floors, "snapshot");
	if (m->version && m->version < floor)
		return mf_fail(err, MF_E_ROLLBACK, 0,
			       "timestamp lists snapshot version %lld, lower than version %lld seen before",
			       (long long)m->version, (long long)floor);
	if (check_fresh(s, f, "timestamp", err) < 0)
		return -1;
	s->timestamp = f;
	f = NULL;
	return 0;
}

/* The snapshot must still list every role seen before, with no lower version (5.5.5). Notary's own client
 * drops a removed delegation from a snapshot that it signs. There a missing role is an error only if a
 * delegator still lists it (not_in_snapshot). */
static int check_snapshot_floors(const struct mf_tuf_set *s, const struct mf_tuf_file *snapshot,
				 struct mf_err *err)
{
	for (size_t i = 0; s->floors && i < s->floors->n; i++) {
		struct mf_esc e;
		const struct mf_tuf_floor *f = &s->floors->v[i];
		const struct mf_tuf_meta *m = mf_tuf_meta_find(snapshot, f->role);
		bool top = strcmp(f->role, "root") == 0 || strcmp(f->role, "timestamp") == 0 ||
			   strcmp(f->role, "snapshot") == 0;
		if (top)
			continue;
		if (!m && !s->d->meta_needs_version)
			continue;
		if (m && m->broken)
			return mf_tuf_meta_check(m, (struct mf_bytes){NULL, 0}, err);
		if (!m)
			return mf_fail(err, MF_E_ROLLBACK, 0,
				       "snapshot no longer lists '%s', seen before in version %lld",
				       mf_esc(&e, mf_str_c(f->role)), (long long)f->version);
		if (m->version && m->version < f->version)
			return mf_fail(
			    err, MF_E_ROLLBACK, 0,
			    "snapshot lists '%s' version %lld, lower than version %lld seen before",
			    mf_esc(&e, mf_str_c(f->role)), (long long)m->version, (long long)f->version);
	}
	return 0;
}

int mf_tuf_set_snapshot(struct mf_tuf_set *s, struct mf_buf *bytes, bool checked, struct mf_err *err)
{
	assert(s->timestamp && !s->snapshot);
	const struct mf_tuf_meta *m = mf_tuf_meta_find(s->timestamp, "snapshot"), *root;
	if (!checked && mf_tuf_meta_check(m, mf_buf_bytes(bytes), err) < 0) {
		mf_buf_clear(bytes);
		return -1;
	}
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(s->d, MF_TUF_SNAPSHOT, bytes, err);
	if (!f || verify_top(s, f, err) < 0 || check_version(m, f, "snapshot", err) < 0 ||
	    check_floor(s, f, "snapshot", err) < 0 || check_snapshot_floors(s, f, err) < 0 ||
	    check_fresh(s, f, "snapshot", err) < 0)
		return -1;
	if (s->d->snapshot_lists_root && (root = mf_tuf_meta_find(f, "root")) &&
	    mf_tuf_meta_check(root, mf_buf_bytes(&s->root->bytes), err) < 0)
		return mf_wrap(err, "the trusted root is not the one in the snapshot");
	s->snapshot = f;
	f = NULL;
	return 0;
}

/* ---- targets */

const struct mf_tuf_loaded *mf_tuf_set_find(const struct mf_tuf_set *s, const char *role)
{
	for (size_t i = 0; i < s->nroles; i++)
		if (strcmp(s->roles[i]->role, role) == 0)
			return s->roles[i];
	return NULL;
}

const struct mf_tuf_loaded *mf_tuf_set_find_file(const struct mf_tuf_set *s, const char *name)
{
	for (size_t i = 0; i < s->nroles; i++)
		if (strcmp(mf_tuf_loaded_name(s->roles[i]), name) == 0)
			return s->roles[i];
	return NULL;
}

const struct mf_tuf_loaded *mf_tuf_set_find_target(const struct mf_tuf_set *s, const char *role,
						   struct mf_str name, size_t *at)
{
	const struct mf_tuf_loaded *own = mf_tuf_set_find(s, role);
	for (size_t i = 0; own && i < s->nroles; i++) {
		if (mf_tuf_loaded_owner(s->roles[i]) != own)
			continue;
		ptrdiff_t index = mf_tuf_target_find(s->roles[i]->file, name);
		if (index < 0)
			continue;
		*at = (size_t)index;
		return s->roles[i];
	}
	return NULL;
}

static int check_names(const struct mf_tuf_set *s, const char *role, const struct mf_tuf_file *f,
		       struct mf_err *err)
{
	struct mf_esc e, e2;
	for (size_t i = 0; i < f->nroles; i++)
		if (!s->d->delegation_name(mf_str_c(role), mf_str_c(f->roles[i].name)))
			return mf_fail(err, MF_E_FORMAT, 0, "'%s' delegates to '%s', which it may not",
				       mf_esc(&e, mf_str_c(role)), mf_esc(&e2, mf_str_c(f->roles[i].name)));
	return 0;
}

static int add_loaded(struct mf_tuf_set *s, const char *name, struct mf_tuf_file *f,
		      const struct mf_tuf_edge *w, struct mf_err *err)
{
	if (mf_grow((void **)&s->roles, &s->cap, s->nroles, sizeof(struct mf_tuf_loaded *), err) < 0)
		return -1;
	struct mf_tuf_loaded *l = calloc(1, sizeof *l);
	if (!l)
		return mf_fail_nomem(err);
	*l = (struct mf_tuf_loaded){name, f, w ? w->role : NULL, w ? w->parent : NULL, NULL, INT64_MAX};
	if (w && mf_tuf_is_shard(s->d, w->parent, w->role)) {
		l->role = w->parent->role;
		l->shard = name;
	}
	s->roles[s->nroles++] = l;
	return 0;
}

/* Limits the memory that delegated roles can take together. */
static int check_total(const struct mf_tuf_set *s, size_t more, struct mf_err *err)
{
	size_t total = more;
	for (size_t i = 0; i < s->nroles; i++)
		total += s->roles[i]->file->bytes.n;
	if (total <= s->max_total)
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "the roles to read have more than %zu bytes together",
		       s->max_total);
}

/* A shard holds records of its role, so the role's keys must have signed it, as the role's delegator lists
 * them now. The keys that the role's own file lists for the shard are not enough: one of them may have been
 * taken away from the role since. */
static int check_owner(const struct mf_tuf_set *s, const struct mf_tuf_edge *w, const struct mf_tuf_file *f,
		       struct mf_err *err)
{
	struct mf_tuf_counting c = {.d = s->d, .gun = s->gun, .now = s->now};
	struct mf_esc e;
	if (!w || !mf_tuf_is_shard(s->d, w->parent, w->role))
		return 0;
	struct mf_tuf_role owner =
	    w->parent->delegation ? *w->parent->delegation : s->root->roles[MF_TUF_TARGETS];
	owner.name = w->role->name;
	if (mf_tuf_count_signatures(&c, f, &owner, owner.threshold, err) == 0)
		return 0;
	return mf_wrap(err, "a part of role '%s'", mf_esc(&e, mf_str_c(w->parent->role)));
}

/* A shard must not delegate, and each subject has at most one shard: a second one could hide records of the
 * first, or hold records that the role has replaced. */
static int check_shards(const struct mf_tuf_set *s, const char *name, const struct mf_tuf_edge *w,
			const struct mf_tuf_file *f, struct mf_err *err)
{
	struct mf_esc e, e2;
	bool taken[1 << (4 * MF_MAX_SHARD_DIGITS)] = {false};
	if (w && mf_tuf_is_shard(s->d, w->parent, w->role)) {
		if (!f->nroles)
			return mf_tuf_check_shard_names(s->d, w, f, err);
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' is a part of a role, and delegates to '%s'",
			       mf_esc(&e, mf_str_c(name)), mf_esc(&e2, mf_str_c(f->roles[0].name)));
	}
	for (size_t i = 0; i < f->nroles; i++) {
		size_t first, n = mf_tuf_shard_range(mf_tuf_shard_digits(s->d, name, &f->roles[i]), &first);
		for (size_t k = first; k < first + n; k++) {
			if (taken[k])
				return mf_fail(err, MF_E_FORMAT, 0,
					       "'%s' has two parts for the same images, the second is '%s'",
					       mf_esc(&e, mf_str_c(name)),
					       mf_esc(&e2, mf_str_c(f->roles[i].name)));
			taken[k] = true;
		}
	}
	return 0;
}

static const char *name_of(const struct mf_tuf_edge *w)
{
	return w ? w->role->name : "targets";
}

/* Checks that depend on the snapshot, the floors and the clock of this run, and checks that cost nothing.
 * Files that are read through an index get these too. */
static int check_current(struct mf_tuf_set *s, const struct mf_tuf_edge *w, const struct mf_tuf_file *f,
			 struct mf_err *err)
{
	const char *name = name_of(w);
	if (check_version(mf_tuf_meta_find(s->snapshot, name), f, name, err) < 0 ||
	    check_names(s, name, f, err) < 0 || check_shards(s, name, w, f, err) < 0 ||
	    check_floor(s, f, name, err) < 0)
		return -1;
	return check_fresh(s, f, name, err);
}

static struct mf_tuf_file *verify_targets(struct mf_tuf_set *s, const struct mf_tuf_edge *w,
					  struct mf_buf *bytes, bool checked, struct mf_err *err)
{
	const char *name = name_of(w);
	const struct mf_tuf_meta *m = mf_tuf_meta_find(s->snapshot, name);
	assert(m);
	if (check_total(s, bytes->n, err) < 0 ||
	    (!checked && mf_tuf_meta_check(m, mf_buf_bytes(bytes), err) < 0)) {
		mf_buf_clear(bytes);
		return NULL;
	}
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = mf_tuf_parse_unverified(s->d, MF_TUF_TARGETS, bytes, err),
			      *out;
	struct mf_tuf_counting c = {.d = s->d, .gun = s->gun, .now = s->now};
	if (!f ||
	    (w ? mf_tuf_count_signatures(&c, f, w->role, w->role->threshold, err) : verify_top(s, f, err)) <
		0 ||
	    check_owner(s, w, f, err) < 0 || check_current(s, w, f, err) < 0)
		return NULL;
	out = f;
	f = NULL;
	return out;
}

static int load_targets(struct mf_tuf_set *s, const struct mf_tuf_edge *w, struct mf_buf *bytes, bool checked,
			struct mf_err *err)
{
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = verify_targets(s, w, bytes, checked, err);
	if (!f || add_loaded(s, name_of(w), f, w, err) < 0)
		return -1;
	f = NULL;
	return 0;
}

int mf_tuf_set_indexed(struct mf_tuf_set *s, const struct mf_tuf_edge *w, struct mf_buf *head,
		       struct mf_index *index, struct mf_err *err)
{
	struct mf_index *x MF_INDEX_CLEANUP = index;
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = mf_tuf_parse_unverified(s->d, MF_TUF_TARGETS, head, err);
	if (!f || check_total(s, f->bytes.n, err) < 0 || check_current(s, w, f, err) < 0 ||
	    add_loaded(s, name_of(w), f, w, err) < 0)
		return -1;
	f->index = x;
	x = NULL;
	f = NULL;
	return 0;
}

int mf_tuf_set_complete(struct mf_tuf_set *s, const struct mf_tuf_loaded *l, struct mf_buf *bytes,
			struct mf_err *err)
{
	const struct mf_tuf_edge edge = {l->parent, l->delegation};
	const bool checked = true;
	struct mf_tuf_file *now = l->file,
			   *whole MF_TUF_FILE_CLEANUP =
			       verify_targets(s, l->delegation ? &edge : NULL, bytes, checked, err);
	if (!whole)
		return -1;
	assert(now->index);
	now->rest = now->bytes;
	now->bytes = whole->bytes;
	whole->bytes = (struct mf_buf){.max = whole->bytes.max};
	free(now->targets);
	now->targets = whole->targets;
	now->ntargets = whole->ntargets;
	now->targets_cap = whole->targets_cap;
	now->targets_raw = whole->targets_raw;
	whole->targets = NULL;
	now->nparts = 0;
	mf_index_free(now->index);
	now->index = NULL;
	return 0;
}

int mf_tuf_set_targets(struct mf_tuf_set *s, struct mf_buf *bytes, bool checked, struct mf_err *err)
{
	assert(s->snapshot && !s->nroles);
	return load_targets(s, NULL, bytes, checked, err);
}

int mf_tuf_set_delegated(struct mf_tuf_set *s, const struct mf_tuf_edge *w, struct mf_buf *bytes,
			 bool checked, struct mf_err *err)
{
	return load_targets(s, w, bytes, checked, err);
}

/* ---- delegations */

bool mf_tuf_role_covers(const struct mf_dialect *d, const struct mf_tuf_role *role, struct mf_str name)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_digest digest;
	char hex[65];
	for (size_t i = 0; i < role->npaths; i++)
		if (d->path_covers(role->paths[i], name))
			return true;
	if (!role->nhash_prefixes || mf_sha256(mf_bytes_of(name), &digest, &ignored) < 0)
		return false;
	mf_digest_hex(hex, &digest);
	for (size_t i = 0; i < role->nhash_prefixes; i++)
		if (mf_str_starts((struct mf_str){hex, 64}, role->hash_prefixes[i]))
			return true;
	return false;
}

static bool role_touches(const struct mf_dialect *d, const struct mf_tuf_role *role, struct mf_str prefix)
{
	for (size_t i = 0; i < role->npaths; i++)
		if (d->path_touches(role->paths[i], prefix))
			return true;
	return role->nhash_prefixes > 0;
}

bool mf_tuf_loaded_covers(const struct mf_dialect *d, const struct mf_tuf_loaded *l, struct mf_str name)
{
	for (; l->delegation; l = l->parent)
		if (!mf_tuf_role_covers(d, l->delegation, name))
			return false;
	return true;
}

bool mf_tuf_loaded_touches(const struct mf_dialect *d, const struct mf_tuf_loaded *l, struct mf_str prefix)
{
	for (; l->delegation; l = l->parent)
		if (!role_touches(d, l->delegation, prefix))
			return false;
	return true;
}

/* Is the role done for this delegator: loaded, already among the edges (listed twice: the first entry
 * counts), or one of its own delegators (a cycle)? A role that two delegators list is verified for each of
 * them, under the keys and paths that each one lists: otherwise one of them could hide the role's records by
 * listing narrower paths. */
static bool is_done(const struct mf_tuf_set *s, const struct mf_tuf_loaded *by, const char *name,
		    const struct mf_tuf_edge *v, size_t n)
{
	for (size_t i = 0; i < s->nroles; i++)
		if (s->roles[i]->parent == by && strcmp(mf_tuf_loaded_name(s->roles[i]), name) == 0)
			return true;
	for (size_t i = 0; i < n; i++)
		if (v[i].parent == by && strcmp(v[i].role->name, name) == 0)
			return true;
	for (const struct mf_tuf_loaded *l = by; l; l = l->parent)
		if (strcmp(mf_tuf_loaded_name(l), name) == 0)
			return true;
	return false;
}

/* A role may be listed before it has published anything. A shard is never listed before it is published. */
static int not_in_snapshot(const struct mf_tuf_set *s, const struct mf_tuf_role *role, bool shard,
			   struct mf_err *err)
{
	struct mf_esc e;
	if (mf_tuf_floor_get(s->floors, role->name))
		return mf_fail(err, MF_E_ROLLBACK, 0, "snapshot no longer lists '%s', seen before",
			       mf_esc(&e, mf_str_c(role->name)));
	if (shard)
		return mf_fail(err, MF_E_FORMAT, 0,
			       "the snapshot does not list '%s', which holds records of its role",
			       mf_esc(&e, mf_str_c(role->name)));
	return 0;
}

static size_t count_ordinary(const struct mf_tuf_set *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->nroles; i++)
		n += s->roles[i]->shard == NULL;
	return n;
}

/* Adds the delegation, unless it is done or the snapshot does not list it. */
static int add_unloaded(const struct mf_tuf_set *s, struct mf_tuf_edge edge, struct mf_tuf_edge *out,
			size_t *n, struct mf_err *err)
{
	if (is_done(s, edge.parent, edge.role->name, out, *n))
		return 0;
	if (!mf_tuf_meta_find(s->snapshot, edge.role->name))
		return not_in_snapshot(s, edge.role, mf_tuf_is_shard(s->d, edge.parent, edge.role), err);
	if (s->nroles + *n > MF_MAX_DELEGATIONS_LIST)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d delegations to read",
			       MF_MAX_DELEGATIONS_LIST);
	out[(*n)++] = edge;
	return 0;
}

int mf_tuf_set_unloaded_shards(const struct mf_tuf_set *s, const char *const *subjects,
			       struct mf_tuf_edge *out, size_t *n, struct mf_err *err)
{
	*n = 0;
	for (size_t i = 0; i < s->nroles; i++) {
		const struct mf_tuf_loaded *l = s->roles[i];
		for (size_t j = 0; !l->shard && j < l->file->nroles; j++) {
			const struct mf_tuf_role *role = &l->file->roles[j];
			struct mf_str digits = mf_tuf_shard_digits(s->d, l->role, role);
			if (digits.n && mf_tuf_shard_wanted(digits, subjects) &&
			    add_unloaded(s, (struct mf_tuf_edge){l, role}, out, n, err) < 0)
				return -1;
		}
	}
	return 0;
}

int mf_tuf_set_unloaded(struct mf_tuf_set *s, struct mf_str prefix, size_t max, struct mf_tuf_edge *out,
			size_t *n, struct mf_err *err)
{
	size_t ordinary = count_ordinary(s);
	*n = 0;
	for (size_t i = 0; i < s->nroles; i++) {
		const struct mf_tuf_loaded *l = s->roles[i];
		if (!mf_tuf_loaded_touches(s->d, l, prefix))
			continue;
		for (size_t j = 0; j < l->file->nroles; j++) {
			const struct mf_tuf_role *role = &l->file->roles[j];
			size_t before = *n;
			bool shard = mf_tuf_is_shard(s->d, l, role);
			if (!role_touches(s->d, role, prefix) ||
			    (shard && s->subjects &&
			     !mf_tuf_shard_wanted(mf_tuf_shard_digits(s->d, l->role, role), s->subjects)))
				continue;
			if (add_unloaded(s, (struct mf_tuf_edge){l, role}, out, n, err) < 0)
				return -1;
			if (*n > before && !shard && ordinary++ > max)
				return mf_fail(err, MF_E_FORMAT, 0, "more than %zu delegations to read", max);
		}
	}
	return 0;
}
