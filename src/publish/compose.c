/* Makes signed files from a change, in the order in which they are published. */
#include <assert.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "publish/proposal.h"
#include "trust/load.h"

/* How soon a role expires when nobody says. */
#define DEFAULT_WITHIN (30 * INT64_C(86400))

/* Seconds. */
static int64_t lifetime(const struct mf_trust *t, enum mf_tuf_type type)
{
	const int64_t day = 86400, year = 365 * day;
	if (t->repo->ops->dialect == &mf_dialect_notary)
		return type == MF_TUF_ROOT ? 10 * year : 3 * year;
	if (type == MF_TUF_ROOT || type == MF_TUF_TARGETS)
		return year;
	return (t->repo->ops == &mf_repo_tuf_dir ? 90 : 7) * day;
}

int64_t mf_publish_expiry(const struct mf_trust *t, enum mf_tuf_type type)
{
	return t->set.now + lifetime(t, type);
}

int64_t mf_publish_window(const struct mf_trust *t, enum mf_tuf_type type, int64_t within)
{
	int64_t half = lifetime(t, type) / 2;
	bool quick = type == MF_TUF_TIMESTAMP || type == MF_TUF_SNAPSHOT;
	if (within <= 0)
		within = DEFAULT_WITHIN;
	return quick && within > half ? half : within;
}

int mf_publish_next_version(struct mf_trust *t, const char *role, int64_t base, int64_t *out,
			    struct mf_err *err)
{
	/* Roots are read one by one, and the timestamp's file name has no version. */
	bool fixed = strcmp(role, "root") == 0 || strcmp(role, "timestamp") == 0;
	int64_t next = base + 1;
	if (t->repo->ops->free_version && !fixed &&
	    t->repo->ops->free_version(t->repo, role, base + 1, &next, err) < 0)
		return -1;
	if (next > MF_MAX_VERSION)
		return mf_fail(err, MF_E_FORMAT, 0, "version %lld of '%s' can have no successor",
			       (long long)base, role);
	*out = next;
	return 0;
}

/* ---- what goes out */

void mf_outgoing_clear(struct mf_outgoing *o)
{
	for (size_t i = 0; i < o->n; i++)
		mf_buf_clear(&o->bytes[i]);
	free(o->bytes);
	free(o->v);
	free(o->shards);
	mf_tuf_file_free(o->root);
	mf_tuf_file_free(o->parent);
	mf_arena_clear(&o->arena);
	*o = (struct mf_outgoing){.arena = MF_ARENA_INIT};
}

/* The file may be read under the old root, where its role may have had other keys. */
static const struct mf_tuf_role *also_under(const struct mf_tuf_file *root, const char *name)
{
	for (size_t i = 0; root && i < MF_TUF_TYPES; i++)
		if (strcmp(root->roles[i].name, name) == 0)
			return &root->roles[i];
	return NULL;
}

/* Signs a signed part and adds the file. */
static int add_signed(struct mf_trust *t, struct mf_outgoing *o, struct mf_publish_signing *job,
		      int64_t version, struct mf_err *err)
{
	if (mf_grow((void **)&o->v, &o->cap, o->n, sizeof *o->v, err) < 0 ||
	    mf_grow((void **)&o->bytes, &o->bytes_cap, o->n, sizeof *o->bytes, err) < 0)
		return -1;
	const char *name = mf_arena_dup(&o->arena, mf_str_c(job->role->name), err);
	struct mf_buf *out = &o->bytes[o->n];
	if (!name)
		return -1;
	mf_buf_init(out, MF_MAX_TARGETS_BYTES);
	o->n++;
	if (mf_publish_sign_file(t, job, out, err) < 0)
		return -1;
	o->added += job->added;
	o->dropped += job->dropped;
	o->missing = job->missing > o->missing ? job->missing : o->missing;
	o->v[o->n - 1] = (struct mf_publish_file){name, version, mf_buf_bytes(out)};
	return 0;
}

/* What was written, as readers will see it. */
static struct mf_tuf_file *parse_copy(struct mf_trust *t, enum mf_tuf_type type, struct mf_bytes bytes,
				      struct mf_err *err)
{
	struct mf_buf copy MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (mf_buf_add(&copy, bytes.p, bytes.n, err) < 0)
		return NULL;
	return mf_tuf_parse_unverified(t->repo->ops->dialect, type, &copy, err);
}

/* ---- what a proposal gives */

/* A proposer may choose when a file expires, within what we would choose; clocks differ a little. */
#define EXPIRY_TOLERANCE 86400

static int check_given_expiry(const struct mf_trust *t, const struct mf_proposal_file *f,
			      enum mf_tuf_type type, struct mf_err *err)
{
	char has[MF_TIME_LEN], most[MF_TIME_LEN];
	if (f->expires <= mf_publish_expiry(t, type) + EXPIRY_TOLERANCE)
		return 0;
	mf_time_format(has, f->expires);
	mf_time_format(most, mf_publish_expiry(t, type));
	return mf_fail(err, MF_E_FORMAT, 0,
		       "the proposed file of role '%s' would expire at %s, expected %s or earlier", f->role,
		       has, most);
}

/* A root is taken as it is proposed: it follows the one that is there, and says what the proposal says. */
static int check_given_root(const struct mf_trust *t, const struct mf_outgoing *o, struct mf_err *err)
{
	const struct mf_proposal_file *f = mf_proposal_find(o->given, "root");
	if (!f || (o->root->version == t->set.root->version + 1 && o->root->version == f->version &&
		   o->root->expires == f->expires && o->root->was_canonical))
		return f ? check_given_expiry(t, f, MF_TUF_ROOT, err) : 0;
	return mf_fail(err, MF_E_FORMAT, 0, "the proposed root is not the one behind version %lld",
		       (long long)t->set.root->version);
}

/* The next root is parsed unsigned to have its roles; then it is signed for the old and the new ones (TUF
 * 5.3.4, 5.3.5). */
static int add_root(struct mf_trust *t, struct mf_outgoing *o, const struct mf_str *canonical,
		    struct mf_err *err)
{
	struct mf_buf draft MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (!canonical)
		return 0;
	if (mf_tuf_build_file(t->repo->ops->dialect, *canonical, NULL, 0, &draft, err) < 0)
		return -1;
	o->root = parse_copy(t, MF_TUF_ROOT, mf_buf_bytes(&draft), err);
	if (!o->root)
		return mf_wrap(err, "the next root");
	if (o->given && check_given_root(t, o, err) < 0)
		return -1;
	const struct mf_tuf_role *now = &o->root->roles[MF_TUF_ROOT];
	struct mf_publish_signing job = {.how = o->how,
					 .role = t->set.root ? &t->set.root->roles[MF_TUF_ROOT] : now,
					 .also = now,
					 .canonical = *canonical,
					 .given = mf_proposal_find(o->given, "root")};
	return add_signed(t, o, &job, o->root->version, err);
}

static const struct mf_tuf_role *top_role(const struct mf_trust *t, const struct mf_outgoing *o,
					  enum mf_tuf_type type)
{
	return o->root ? &o->root->roles[type] : &t->set.root->roles[type];
}

/* A role as it is listed after the change. */
static const struct mf_tuf_role *listed_after(const struct mf_trust *t, const struct mf_outgoing *o,
					      const char *name)
{
	if (strcmp(name, "targets") == 0)
		return top_role(t, o, MF_TUF_TARGETS);
	for (size_t i = 0; o->parent && i < o->parent->nroles; i++)
		if (strcmp(o->parent->roles[i].name, name) == 0)
			return &o->parent->roles[i];
	return mf_trust_role(t, name);
}

static int build(struct mf_trust *t, const struct mf_tuf_targets_spec *spec, struct mf_buf *out,
		 struct mf_err *err)
{
	const struct mf_dialect *d = t->repo->ops->dialect;
	bool same = spec->old && !spec->nedits && !spec->delegations;
	mf_buf_reset(out);
	return same ? mf_tuf_build_renewed(spec->old, d->says_role ? spec->role : NULL, spec->version,
					   spec->expires, out, err)
		    : mf_tuf_build_targets(d, spec, out, err);
}

/* The file as it was proposed, where the intent makes that of what is there now: *given. Otherwise, when
 * somebody has published since, a new one. On the same base other octets are not what the intent says. */
static int build_given(struct mf_trust *t, struct mf_outgoing *o, struct mf_tuf_targets_spec *spec,
		       const struct mf_proposal_file **given, struct mf_buf *out, struct mf_err *err)
{
	const struct mf_proposal_file *f = mf_proposal_find(o->given, spec->role);
	const struct mf_tuf_loaded *l = mf_tuf_set_find_file(&t->set, spec->role);
	spec->expires = f ? f->expires : mf_publish_expiry(t, MF_TUF_TARGETS);
	if (f && check_given_expiry(t, f, MF_TUF_TARGETS, err) < 0)
		return -1;
	if (build(t, spec, out, err) < 0)
		return -1;
	if (!f || (f->expires > t->set.now && mf_str_eq(mf_buf_str(out), f->signed_part))) {
		*given = f;
		return 0;
	}
	enum mf_found same_base = mf_proposal_same_base(f, l ? l->file : NULL, err);
	if (same_base == MF_FAILED)
		return -1;
	if (same_base == MF_FOUND && f->version >= spec->version && f->expires > t->set.now)
		return mf_fail(err, MF_E_FORMAT, 0,
			       "what the proposal asks to sign is not what it says it changes");
	o->moved = true;
	o->dropped += f->nsignatures;
	spec->expires = mf_publish_expiry(t, MF_TUF_TARGETS);
	return build(t, spec, out, err);
}

const struct mf_outgoing_shard *mf_outgoing_shard(const struct mf_outgoing *o, const char *name)
{
	for (size_t i = 0; i < o->nshards; i++)
		if (strcmp(o->shards[i].name, name) == 0)
			return &o->shards[i];
	return NULL;
}

const struct mf_tuf_role *mf_outgoing_role(const struct mf_trust *t, const struct mf_outgoing *o,
					   const char *name, const struct mf_tuf_role **also)
{
	bool root = strcmp(name, "root") == 0;
	*also = root ? &o->root->roles[MF_TUF_ROOT] : o->root_last ? also_under(t->set.root, name) : NULL;
	return root ? &t->set.root->roles[MF_TUF_ROOT] : listed_after(t, o, name);
}

int mf_publish_listed_file(struct mf_trust *t, const char *role, struct mf_tuf_file **out, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (mf_trust_fetch_role(t, role, &bytes, err) < 0)
		return -1;
	*out = mf_tuf_parse_unverified(mf_trust_dialect(t), MF_TUF_TARGETS, &bytes, err);
	return *out ? 0 : -1;
}

/* The version that the next file of a role follows; 0: it is the first. One that no delegator lists any more
 * stays in the snapshot. lowest: what is known already, 0: nothing. */
static int base_version(struct mf_trust *t, const char *name, int64_t lowest, int64_t *out,
			struct mf_err *err)
{
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP = NULL;
	const struct mf_tuf_loaded *l = mf_tuf_set_find_file(&t->set, name);
	const struct mf_tuf_meta *m = t->set.snapshot ? mf_tuf_meta_find(t->set.snapshot, name) : NULL;
	int64_t base = l ? l->file->version : mf_tuf_floor_get(&t->floors.roles, name);
	if (!l && m && !m->version && !lowest && mf_publish_listed_file(t, name, &file, err) < 0)
		return -1;
	int64_t listed = l || !m ? 0 : file ? file->version : m->version;
	base = listed > base ? listed : base;
	*out = lowest > base ? lowest : base;
	return 0;
}

/* A file of a targets role: `spec` over what is there, or what is there once more. */
static int add_targets(struct mf_trust *t, struct mf_outgoing *o, struct mf_publish_signing *job,
		       struct mf_tuf_targets_spec *spec, struct mf_err *err)
{
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	int64_t base, lowest = spec->version ? spec->version - 1 : 0;
	if (base_version(t, spec->role, lowest, &base, err) < 0 ||
	    mf_publish_next_version(t, spec->role, base, &spec->version, err) < 0)
		return -1;
	if (build_given(t, o, spec, &job->given, &canonical, err) < 0)
		return mf_wrap(err, "targets file of '%s'", spec->role);
	job->how = o->how;
	job->canonical = mf_buf_str(&canonical);
	return add_signed(t, o, job, spec->version, err);
}

/* ---- a role, with its shards */

/* What a change makes of one role. */
struct role_change {
	const struct mf_publish_change *c;
	const char *name;
	const struct mf_tuf_edit *edits;
	size_t nedits;
	const struct mf_str *delegations;
	const struct mf_publish_resign *resign; /* NULL: it need not be re-signed */
};

static const struct mf_publish_resign *find_resign(const struct mf_publish_change *c, const char *name)
{
	for (size_t i = 0; i < c->nresign; i++)
		if (strcmp(c->resign[i].role, name) == 0)
			return &c->resign[i];
	return NULL;
}

/* A new shard goes on from the files that its records come from, so that each state of a record has a number
 * of its own (`get --version`). 0: it is none. */
static int64_t first_version(const struct mf_trust *t, const char *role, const char *name)
{
	const struct mf_tuf_loaded *own = mf_tuf_set_find(&t->set, role);
	int64_t version = 0;
	if (mf_tuf_set_find_file(&t->set, name) || !own ||
	    (t->set.snapshot && mf_tuf_meta_find(t->set.snapshot, name)))
		return 0;
	for (size_t i = 0; i < t->set.nroles; i++) {
		const struct mf_tuf_loaded *l = t->set.roles[i];
		if (mf_tuf_loaded_owner(l) == own &&
		    mf_str_starts(mf_str_c(name), mf_str_c(mf_tuf_loaded_name(l))) &&
		    l->file->version > version)
			version = l->file->version;
	}
	return version + 1;
}

/* The role's keys sign each of its files. */
static int add_file(struct mf_trust *t, struct mf_outgoing *o, const struct role_change *r,
		    struct mf_tuf_targets_spec *spec, struct mf_err *err)
{
	const struct mf_tuf_role *listed = listed_after(t, o, r->name);
	const struct mf_tuf_role *before = r->c->root_last ? also_under(t->set.root, r->name) : NULL;
	if (!listed)
		return mf_fail(err, MF_E_USAGE, 0, "there is no role '%s' in this repository", r->name);
	if (!spec->version)
		spec->version = first_version(t, r->name, spec->role);
	struct mf_tuf_role role = *listed;
	role.name = spec->role;
	struct mf_publish_signing job = {.role = &role, .also = before};
	return add_targets(t, o, &job, spec, err);
}

/* A shard that is not changed is re-signed where that is asked for, and where the keys that the role will
 * have have not signed it. */
static enum mf_found is_stale(struct mf_trust *t, const struct mf_outgoing *o,
			      const struct mf_publish_change *c, const struct mf_tuf_loaded *l,
			      struct mf_err *err)
{
	const struct mf_tuf_role *listed = listed_after(t, o, l->role);
	struct mf_err why = MF_ERR_INIT;
	if (!listed)
		return MF_ABSENT;
	if (find_resign(c, l->shard))
		return MF_FOUND;
	struct mf_tuf_role role = *listed;
	role.name = l->shard;
	if (mf_tuf_check_signed(t->repo->ops->dialect, l->file, &role, &why) == 0)
		return MF_ABSENT;
	if (why.code != MF_E_SIGNATURE)
		return (enum mf_found)mf_fail(err, why.code, 0, "%s", why.msg);
	return MF_FOUND;
}

static int note_shard(const struct mf_trust *t, struct mf_outgoing *o, const struct role_change *r,
		      const struct mf_spread_part *p, struct mf_err *err)
{
	if (mf_grow((void **)&o->shards, &o->shards_cap, o->nshards, sizeof *o->shards, err) < 0)
		return -1;
	struct mf_outgoing_shard *s = &o->shards[o->nshards];
	*s = (struct mf_outgoing_shard){.name = mf_arena_dup(&o->arena, mf_str_c(p->name), err),
					.role = mf_arena_dup(&o->arena, mf_str_c(r->name), err),
					.divided = p->gone,
					.built_on = mf_tuf_set_find(&t->set, r->name)->file->version};
	if (!s->name || !s->role)
		return -1;
	s->digits = s->name + strlen(s->name) - p->digits.n;
	o->nshards++;
	return 0;
}

/* The next file of a shard. */
static int add_shard(struct mf_trust *t, struct mf_outgoing *o, const struct role_change *r,
		     const struct mf_spread_part *p, struct mf_err *err)
{
	/* One that was divided goes out as it was: only its version counts. */
	struct mf_tuf_targets_spec spec = {
	    .role = p->name, .old = p->old, .edits = p->edits.v, .nedits = p->gone ? 0 : p->edits.n};
	return add_file(t, o, r, &spec, err) < 0 ? -1 : note_shard(t, o, r, p, err);
}

static int add_shards(struct mf_trust *t, struct mf_outgoing *o, const struct role_change *r,
		      const struct mf_spread *s, struct mf_err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct mf_spread_part *p = &s->parts[i];
		const struct mf_tuf_loaded *l = p->old ? mf_tuf_set_find_file(&t->set, p->name) : NULL;
		enum mf_found goes = p->gone && !p->listed      ? MF_ABSENT
				     : p->edits.n || !p->listed ? MF_FOUND
				     : l                        ? is_stale(t, o, r->c, l, err)
								: MF_ABSENT;
		if (goes == MF_FAILED || (goes == MF_FOUND && add_shard(t, o, r, p, err) < 0))
			return -1;
	}
	return 0;
}

/* Does the role's own file change, beside its shards? */
static bool own_goes(const struct mf_trust *t, const struct role_change *r, const struct mf_spread *s,
		     bool alone)
{
	return !s->spread || s->own.n || s->delegations.n || r->delegations || r->resign || alone ||
	       s->own_now->file->expires <= t->set.now;
}

/* The loaded role that lists a shard; NULL: the name is that of another role. */
static const struct mf_tuf_loaded *owner_of(const struct mf_trust *t, const char *name)
{
	for (size_t i = 0; i < t->set.nroles; i++)
		for (size_t k = 0; k < t->set.roles[i]->file->nroles; k++) {
			const struct mf_tuf_role *role = &t->set.roles[i]->file->roles[k];
			if (strcmp(role->name, name) == 0 && mf_tuf_is_shard(t->set.d, t->set.roles[i], role))
				return t->set.roles[i];
		}
	return NULL;
}

/* Records of a shard change with their role, which keeps the others: as a role of its own, a shard would be
 * made anew. */
static int check_no_shard(const struct mf_trust *t, const char *name, struct mf_err *err)
{
	struct mf_esc shard, role;
	const struct mf_tuf_loaded *owner = owner_of(t, name);
	return !owner ? 0
		      : mf_fail(err, MF_E_FORMAT, 0, "'%s' is a shard, which changes with its role '%s'",
				mf_esc(&shard, mf_str_c(name)), mf_esc(&role, mf_str_c(owner->role)));
}

static int add_role(struct mf_trust *t, struct mf_outgoing *o, const struct role_change *r, int64_t *version,
		    struct mf_err *err)
{
	struct mf_spread s MF_SPREAD_CLEANUP = {.arena = MF_ARENA_INIT};
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&t->set, r->name);
	const struct mf_spread_change change = {.role = r->name,
						.listed = listed_after(t, o, r->name),
						.edits = r->edits,
						.nedits = r->nedits,
						.delegations = r->delegations};
	bool empty = r->resign && r->resign->empty;
	if (change.listed && !empty && mf_publish_spread(t, &change, &s, err) < 0)
		return -1;
	size_t first = o->n;
	if (!r->resign && check_no_shard(t, r->name, err) < 0)
		return -1;
	if (add_shards(t, o, r, &s, err) < 0)
		return -1;
	if (o->n > first)
		*version = o->v[o->n - 1].version;
	if (!own_goes(t, r, &s, o->n == first))
		return 0;
	const struct mf_str delegations = mf_buf_str(&s.delegations);
	struct mf_tuf_targets_spec spec = {.role = r->name,
					   .old = l && !empty ? l->file : NULL,
					   .edits = s.spread ? s.own.v : r->edits,
					   .nedits = s.spread ? s.own.n : r->nedits,
					   .delegations = delegations.n ? &delegations : r->delegations,
					   .version = r->resign ? r->resign->version : 0};
	if (add_file(t, o, r, &spec, err) < 0)
		return -1;
	*version = spec.version;
	return 0;
}

static int add_changed(struct mf_trust *t, struct mf_outgoing *o, const struct mf_publish_change *c,
		       int64_t *version, struct mf_err *err)
{
	const struct role_change r = {
	    .c = c, .name = c->role, .edits = c->edits, .nedits = c->nedits, .delegations = c->delegations};
	if (!c->role)
		return 0;
	if (add_role(t, o, &r, version, err) < 0)
		return -1;
	if (!c->delegations)
		return 0;
	o->parent = parse_copy(t, MF_TUF_TARGETS, o->v[o->n - 1].bytes, err);
	return o->parent ? 0 : mf_wrap(err, "the changed delegations");
}

static int add_more(struct mf_trust *t, struct mf_outgoing *o, const struct mf_publish_change *c,
		    struct mf_err *err)
{
	int64_t version;
	for (size_t i = 0; i < c->nmore; i++) {
		const struct mf_publish_edited *e = &c->more[i];
		const struct role_change r = {
		    .c = c, .name = e->role, .edits = e->edits, .nedits = e->nedits};
		if (add_role(t, o, &r, &version, err) < 0)
			return -1;
	}
	return 0;
}

/* Those that are there, of shards too, follow with their role (add_left); one that is replaced by an empty
 * one is not. */
static int add_resigned(struct mf_trust *t, struct mf_outgoing *o, const struct mf_publish_change *c,
			struct mf_err *err)
{
	int64_t version;
	for (size_t i = 0; i < c->nresign; i++) {
		const struct mf_tuf_loaded *owner = owner_of(t, c->resign[i].role);
		struct role_change r = {.c = c, .name = c->resign[i].role, .resign = &c->resign[i]};
		struct mf_tuf_targets_spec empty = {.role = r.name, .version = c->resign[i].version};
		if ((c->role && strcmp(c->role, r.name) == 0) ||
		    (owner && mf_tuf_set_find_file(&t->set, r.name)))
			continue;
		if (owner)
			r.name = owner->role;
		if (owner ? add_file(t, o, &r, &empty, err) < 0 : add_role(t, o, &r, &version, err) < 0)
			return -1;
	}
	return 0;
}

static bool goes_out(const struct mf_outgoing *o, const char *name)
{
	for (size_t i = o->first; i < o->n; i++)
		if (strcmp(o->v[i].role, name) == 0)
			return true;
	return false;
}

/* The files of roles whose shards do not hold after the change as they are. */
static int add_left(struct mf_trust *t, struct mf_outgoing *o, const struct mf_publish_change *c,
		    struct mf_err *err)
{
	int64_t version;
	for (size_t i = 0; i < t->set.nroles; i++) {
		const struct mf_tuf_loaded *l = t->set.roles[i];
		const struct mf_publish_resign again = {.role = l->role};
		const struct role_change r = {.c = c, .name = l->role, .resign = &again};
		if (!l->shard || goes_out(o, l->shard) || goes_out(o, l->role))
			continue;
		enum mf_found stale = is_stale(t, o, c, l, err);
		if (stale == MF_FAILED || (stale == MF_FOUND && add_role(t, o, &r, &version, err) < 0))
			return -1;
	}
	return 0;
}

/* Snapshot or timestamp over what goes out already; over nothing, it stays as it is. */
static int add_meta(struct mf_trust *t, struct mf_outgoing *o, const struct mf_publish_change *c,
		    enum mf_tuf_type type, struct mf_err *err)
{
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_SNAPSHOT_BYTES);
	const struct mf_dialect *d = t->repo->ops->dialect;
	const struct mf_tuf_role *role = top_role(t, o, type);
	const struct mf_tuf_file *old = type == MF_TUF_SNAPSHOT ? t->set.snapshot : t->set.timestamp;
	size_t from = type == MF_TUF_TIMESTAMP ? o->last : d->snapshot_lists_root ? 0 : o->first;
	size_t to = type == MF_TUF_TIMESTAMP ? o->n : o->last, n = to - from;
	struct mf_tuf_listed *listed MF_FREE = mf_calloc(n, sizeof *listed);
	int64_t version;
	if (!listed)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		listed[i] =
		    (struct mf_tuf_listed){o->v[from + i].role, o->v[from + i].version, o->v[from + i].bytes};
	if (mf_publish_next_version(t, role->name, old ? old->version : 0, &version, err) < 0)
		return -1;
	struct mf_tuf_meta_spec spec = {.type = type,
					.old = old,
					.files = listed,
					.nfiles = n,
					.version = version,
					.expires = c->until ? c->until : mf_publish_expiry(t, type),
					.copy_of = type == MF_TUF_TIMESTAMP ? c->copy_of : MF_STR("")};
	int rc = old && !n ? mf_tuf_build_renewed(old, NULL, version, spec.expires, &canonical, err)
			   : mf_tuf_build_meta(d, &spec, &canonical, err);
	if (rc < 0)
		return mf_wrap(err, "the next %s", role->name);
	/* While the root is the last to be written, readers check this file by the old one. */
	struct mf_publish_signing job = {.role = role,
					 .also = c->root_last ? also_under(t->set.root, role->name) : NULL,
					 .canonical = mf_buf_str(&canonical)};
	return add_signed(t, o, &job, version, err);
}

/* The root goes behind the timestamp when it takes keys away: until then readers hold the old root, under
 * which the new timestamp is good as well. */
static void put_root_last(struct mf_outgoing *o)
{
	struct mf_publish_file root = o->v[0];
	memmove(&o->v[0], &o->v[1], (o->n - 1) * sizeof o->v[0]);
	o->v[o->n - 1] = root;
	o->first--;
	o->last--;
}

/* A proposal has the files that its intent makes of what is there. Where it has others, something else is
 * there now: what comes must be signed, and signatures over a file that does not come are of no use. */
static void compare_given(const struct mf_trust *t, struct mf_outgoing *o)
{
	for (size_t i = 0; i < o->last && o->given && o->given->nfiles; i++)
		o->moved |= !mf_proposal_find(o->given, o->v[i].role);
	for (size_t i = 0; o->given && i < o->given->nfiles; i++) {
		const struct mf_proposal_file *f = &o->given->files[i];
		bool comes = false;
		for (size_t k = 0; k < o->last; k++)
			comes |= strcmp(o->v[k].role, f->role) == 0;
		if (comes || mf_proposal_is_there(f, t))
			continue;
		o->moved = true;
		o->dropped += f->nsignatures;
	}
}

/* A Notary server signs the timestamp, and the snapshot unless its key is ours. */
int mf_publish_compose(struct mf_trust *t, const struct mf_publish_change *c, struct mf_outgoing *o,
		       int64_t *version, struct mf_err *err)
{
	const struct mf_repo_ops *ops = t->repo->ops;
	o->root_last = c->root_last;
	if (add_root(t, o, c->root, err) < 0)
		return -1;
	if (c->under.n && !(o->root = parse_copy(t, MF_TUF_ROOT, c->under, err)))
		return -1;
	o->first = o->n;
	if (add_changed(t, o, c, version, err) < 0 || add_more(t, o, c, err) < 0 ||
	    add_resigned(t, o, c, err) < 0 || add_left(t, o, c, err) < 0)
		return -1;
	o->last = o->n;
	compare_given(t, o);
	if (o->how == MF_SIGN_SOME || o->how == MF_SIGN_NONE)
		return 0;
	bool listed = o->last > (ops->dialect->snapshot_lists_root ? 0 : o->first);
	bool snapshot = (listed || (c->meta & 1u << MF_TUF_SNAPSHOT)) &&
			(!ops->server_key || mf_publish_held(t, top_role(t, o, MF_TUF_SNAPSHOT)));
	if (snapshot && add_meta(t, o, c, MF_TUF_SNAPSHOT, err) < 0)
		return -1;
	bool timestamp = (snapshot || (c->meta & 1u << MF_TUF_TIMESTAMP)) && !ops->server_key;
	if (timestamp && add_meta(t, o, c, MF_TUF_TIMESTAMP, err) < 0)
		return -1;
	if (o->root && c->root_last)
		put_root_last(o);
	return 0;
}
