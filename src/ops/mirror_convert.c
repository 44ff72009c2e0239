/* A Notary repository as a TUF 1.0 repository that the mirror signs.
 *
 * Records, withdrawals and vetoes keep their entries, with the record signatures, which bind the repository's
 * name. Each role of the origin is a delegation of `targets`, for the names that it had authority over there,
 * and lists the keys that it had there, so that the same record signatures count; the mirror's key is listed
 * as well, signs the files, and signs no record. Readers rely on the mirror's verification: the thresholds of
 * files are 1. Roles below roles are delegations of `targets` too: Notary's role names are whole paths, and
 * its paths are prefixes, so nothing is lost.
 *
 * The mirror's timestamp names the state of the origin that was copied, and expires when the first of the
 * origin's files does. */
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "json/writer.h"
#include "ops/mirror.h"
#include "tuf/build.h"

/* A role of the origin, as the mirror lists it. */
struct role {
	const char *name;
	const struct mf_tuf_loaded *loaded; /* NULL: nothing was published under it yet */
	struct mf_tuf_root_key *keys;
	const char **paths;
	size_t nkeys, npaths;
};

/* The state of one try to publish. */
struct convert {
	struct mf_mirror *x;
	struct mf_arena a;
	const struct mf_tuf_set *from, *to;
	const bool *given; /* the publish converts subjects with these first bytes; NULL: all */
	const struct mf_shard_steps *step; /* which loaded their shards; NULL: no subject is converted */
	bool ends;                         /* the last publish, which names the state that was copied */
	int64_t seen; /* version of the mirror's timestamp after the publish before this one; 0: none */
	struct mf_signer signer; /* the mirror's own key */
	const char *signer_name;
	struct role *roles;
	size_t nroles;
	struct mf_str copy_of, delegations, root;
	struct mf_publish_edited targets, *more;
	struct mf_publish_resign *resign;
	size_t nmore, nresign;
};

static void convert_clear(struct convert *c)
{
	mf_arena_clear(&c->a);
}

/* ---- what it is a copy of */

static int format_copy_of(struct convert *c, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_digest root, snapshot;
	char root_hex[65], snapshot_hex[65];
	const struct mf_tuf_set *s = c->from;
	if (mf_sha256(mf_buf_bytes(&s->root->bytes), &root, err) < 0 ||
	    mf_sha256(mf_buf_bytes(&s->snapshot->bytes), &snapshot, err) < 0)
		return -1;
	mf_digest_hex(root_hex, &root);
	mf_digest_hex(snapshot_hex, &snapshot);
	struct mf_json_out j;
	mf_json_to_buf(&j, MF_JSON_CANONICAL, &text, err);
	mf_json_add_object(&j, NULL);
	mf_json_add_text(&j, "dialect", s->d->name);
	mf_json_add_str(&j, "repository", s->gun);
	mf_json_add_text(&j, "root", root_hex);
	mf_json_add_text(&j, "snapshot", snapshot_hex);
	mf_json_add_object(&j, "versions");
	mf_json_add_int(&j, "root", s->root->version);
	mf_json_add_int(&j, "snapshot", s->snapshot->version);
	mf_json_add_int(&j, "targets", s->roles[0]->file->version);
	mf_json_add_int(&j, "timestamp", s->timestamp->version);
	mf_json_close(&j);
	mf_json_close(&j);
	if (mf_json_finish(&j) < 0)
		return -1;
	char *copy = mf_arena_dup(&c->a, mf_buf_str(&text), err);
	c->copy_of = (struct mf_str){copy, text.n};
	return copy ? 0 : -1;
}

/* When the first of the origin's files expires. */
static int64_t good_until(const struct mf_tuf_set *s)
{
	int64_t until = s->timestamp->expires;
	until = s->snapshot->expires < until ? s->snapshot->expires : until;
	until = s->root->expires < until ? s->root->expires : until;
	for (size_t i = 0; i < s->nroles; i++) {
		const int64_t expires = mf_tuf_role_expires(s, s->roles[i]);
		until = expires < until ? expires : until;
	}
	return until;
}

/* Refuses an origin that is older than what was copied before, as a mirror that copies files does. */
static int check_newer(const struct convert *c, struct mf_err *err)
{
	const struct mf_tuf_file *old = c->to->timestamp;
	json_t *versions = NULL;
	int64_t version = 0;
	if (!old || !old->copy_of.n)
		return 0;
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_bytes_of(old->copy_of), MF_MAX_TIMESTAMP_BYTES, err);
	if (!j || mf_json_get_obj(j, "versions", MF_JSON_REQUIRED, &versions, err) < 0 ||
	    mf_json_get_int(versions, "timestamp", MF_JSON_REQUIRED, 1, MF_MAX_VERSION, &version, err) < 0)
		return -1;
	if (version <= c->from->timestamp->version)
		return 0;
	return mf_fail(err, MF_E_ROLLBACK, 0,
		       "the timestamp of '%s' has version %lld, and the mirror has copied version %lld",
		       mf_trust_where(c->x->im.trust), (long long)c->from->timestamp->version,
		       (long long)version);
}

/* ---- entries */

/* Appends an entry of the origin as the mirror writes it. */
static int put_entry(const struct convert *c, const struct mf_tuf_file *f, size_t i, struct mf_buf *out,
		     struct mf_err *err)
{
	struct mf_tuf_target_info info;
	struct mf_buf custom MF_BUF_CLEANUP = MF_BUF_INIT(out->max);
	if (mf_tuf_target_info(c->from->d, f, i, &info, err) < 0 ||
	    (info.custom.n && mf_json_canonicalize_any(info.custom, &custom, err) < 0))
		return -1;
	info.custom = mf_buf_str(&custom);
	return mf_tuf_put_target(c->to->d, &info, out, err);
}

static int add_edit(struct convert *c, struct mf_publish_edited *e, struct mf_json_string raw,
		    struct mf_str entry, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(raw.raw.n + 4);
	struct mf_tuf_edit *v = mf_arena_more(&c->a, (void *)(uintptr_t)e->edits, e->nedits, sizeof *v, err);
	if (!v || mf_json_string_decode(raw, &name, err) < 0)
		return -1;
	e->edits = v;
	char *own_name = mf_arena_dup(&c->a, mf_buf_str(&name), err);
	char *own_entry = own_name ? mf_arena_dup(&c->a, entry, err) : NULL;
	if (!own_entry)
		return -1;
	v[e->nedits++] = (struct mf_tuf_edit){{own_name, name.n}, {own_entry, entry.n}};
	return 0;
}

/* Is entry k of the mirror's file the same as this one? */
static enum mf_found has_entry(const struct mf_tuf_file *now, size_t k, struct mf_str entry,
			       struct mf_err *err)
{
	struct mf_str value = mf_tuf_target_value(now, k);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(2 * value.n + 64);
	if (mf_json_canonicalize_any(value, &text, err) < 0)
		return MF_FAILED;
	return mf_str_eq(mf_buf_str(&text), entry) ? MF_FOUND : MF_ABSENT;
}

/* One entry of a role, in the role's own file or in a shard. */
struct held {
	const struct mf_tuf_file *file;
	size_t i;
};

static int held_cmp(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	return mf_json_string_cmp(mf_tuf_target_name(x->file, x->i), mf_tuf_target_name(y->file, y->i));
}

/* Does entry i of this file count for readers? In a shard it does not if its name has no subject, if the
 * shard's paths do not cover the name, or if the role's own file has the same name. */
static bool counts(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i)
{
	struct mf_json_string name = mf_tuf_target_name(l->file, i);
	struct mf_digest subject;
	return !l->shard || (mf_tuf_name_subject(name.raw, &subject) &&
			     mf_tuf_loaded_covers(set->d, l, name.raw) && !mf_policy_is_hidden(l, name.raw));
}

/* Is it converted in this publish? MF_ABSENT: no. A name without a subject is, together with the first byte.
 * Readers refuse a name of a record that is written with escapes, and so does the mirror. */
static enum mf_found is_given(const struct convert *c, const struct mf_tuf_file *f, size_t i,
			      struct mf_err *err)
{
	const struct mf_json_string raw = mf_tuf_target_name(f, i);
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(raw.raw.n + 4);
	struct mf_digest subject;
	struct mf_esc e;
	if (raw.escaped && mf_json_string_decode(raw, &name, err) < 0)
		return MF_FAILED;
	const bool named = mf_tuf_name_subject(raw.escaped ? mf_buf_str(&name) : raw.raw, &subject);
	if (raw.escaped && named)
		return mf_fail(err, MF_E_FORMAT, 0, "the name '%s' of a record is written with escapes",
			       mf_esc(&e, raw.raw));
	return !c->given || c->given[named ? subject.b[0] : 0] ? MF_FOUND : MF_ABSENT;
}

/* Collects the entries of a role, its shards included, sorted by name. role NULL: there are none. */
static struct held *gather(struct convert *c, const struct mf_tuf_set *set, const struct mf_tuf_loaded *role,
			   size_t *n, struct mf_err *err)
{
	struct held *v = mf_arena_alloc(&c->a, role ? mf_tuf_role_entries(set, role) : 0, sizeof *v, err);
	*n = 0;
	for (size_t k = 0; v && role && k < set->nroles; k++) {
		const struct mf_tuf_loaded *l = set->roles[k];
		for (size_t i = 0; mf_tuf_loaded_owner(l) == role && i < mf_tuf_ntargets(l->file); i++) {
			enum mf_found given = is_given(c, l->file, i, err);
			if (given == MF_FAILED)
				return NULL;
			if (given == MF_FOUND && counts(set, l, i))
				v[(*n)++] = (struct held){l->file, i};
		}
	}
	if (*n)
		qsort(v, *n, sizeof *v, held_cmp);
	return v;
}

/* Adds the edits after which the mirror's role `now` holds what the origin's role `then` holds. Either may be
 * NULL: a role that holds nothing. */
static int compare(struct convert *c, const struct mf_tuf_loaded *then, const struct mf_tuf_loaded *now,
		   struct mf_publish_edited *e, struct mf_err *err)
{
	struct mf_buf entry MF_BUF_CLEANUP = MF_BUF_INIT(4 * MF_MAX_CUSTOM_BYTES);
	size_t i = 0, k = 0, n, old;
	const struct held *a = gather(c, c->from, then, &n, err),
			  *b = a ? gather(c, c->to, now, &old, err) : NULL;
	if (!b)
		return -1;
	while (i < n || k < old) {
		int order = i == n ? 1 : k == old ? -1 : held_cmp(&a[i], &b[k]);
		if (order > 0) {
			if (add_edit(c, e, mf_tuf_target_name(b[k].file, b[k].i), MF_STR(""), err) < 0)
				return -1;
			k++;
			continue;
		}
		mf_buf_reset(&entry);
		if (put_entry(c, a[i].file, a[i].i, &entry, err) < 0)
			return -1;
		enum mf_found same =
		    order < 0 ? MF_ABSENT : has_entry(b[k].file, b[k].i, mf_buf_str(&entry), err);
		if (same == MF_FAILED ||
		    (same == MF_ABSENT &&
		     add_edit(c, e, mf_tuf_target_name(a[i].file, a[i].i), mf_buf_str(&entry), err) < 0))
			return -1;
		k += order == 0;
		i++;
	}
	return 0;
}

/* ---- paths */

static int refuse_path(const struct mf_tuf_role *r, struct mf_str path, struct mf_err *err)
{
	struct mf_esc e, e2;
	return mf_fail(err, MF_E_REFUSED, 0, "path '%s' of role '%s' has no counterpart in TUF 1.0",
		       mf_esc(&e, path), mf_esc(&e2, mf_str_c(r->name)));
}

/* Have `by` and its delegators authority over the whole path? MF_ABSENT: over no part of it. MF_FAILED: over
 * a part, which TUF 1.0 cannot express. */
static enum mf_found is_within(const struct mf_tuf_loaded *by, const struct mf_tuf_role *r,
			       struct mf_str path, struct mf_err *err)
{
	for (; by && by->delegation; by = by->parent) {
		bool all = false, some = false;
		for (size_t i = 0; i < by->delegation->npaths; i++) {
			all |= mf_str_starts(path, by->delegation->paths[i]);
			some |= mf_str_starts(by->delegation->paths[i], path);
		}
		if (!all)
			return some ? (enum mf_found)refuse_path(r, path, err) : MF_ABSENT;
	}
	return MF_FOUND;
}

static int add_path(struct convert *c, struct role *to, struct mf_str path, const char *tail,
		    struct mf_err *err)
{
	const char **v = mf_arena_more(&c->a, to->paths, to->npaths, sizeof *v, err);
	if (!v)
		return -1;
	to->paths = v;
	v[to->npaths] = mf_arena_printf(&c->a, err, "%.*s%s", MF_STR_ARG(path), tail);
	return v[to->npaths++] ? 0 : -1;
}

/* Adds the globs of TUF 1.0 that match what a path of Notary, a prefix, matches. '*' does not match a '/',
 * and names have one '/' at most: a prefix that ends before it takes two globs. */
static int convert_path(struct convert *c, const struct mf_tuf_role *r, struct role *to, struct mf_str path,
			struct mf_err *err)
{
	for (size_t i = 0; i < path.n; i++)
		if (strchr("*?[]\\", path.p[i]))
			return refuse_path(r, path, err);
	if (add_path(c, to, path, "*", err) < 0)
		return -1;
	return memchr(path.p, '/', path.n) ? 0 : add_path(c, to, path, "*/*", err);
}

static int convert_paths(struct convert *c, const struct mf_tuf_loaded *by, const struct mf_tuf_role *r,
			 struct role *to, struct mf_err *err)
{
	for (size_t i = 0; i < r->npaths; i++) {
		enum mf_found within = is_within(by, r, r->paths[i], err);
		if (within == MF_FAILED ||
		    (within == MF_FOUND && convert_path(c, r, to, r->paths[i], err) < 0))
			return -1;
	}
	return 0;
}

/* ---- keys */

static int add_key(struct convert *c, struct role *to, const struct mf_pubkey *pub, struct mf_err *err)
{
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(131072);
	char id[65];
	if (c->to->d->key_write(pub, NULL, &object, id, err) < 0)
		return -1;
	for (size_t i = 0; i < to->nkeys; i++)
		if (strcmp(to->keys[i].id, id) == 0)
			return 0;
	struct mf_tuf_root_key *v = mf_arena_more(&c->a, to->keys, to->nkeys, sizeof *v, err);
	char *own_id = v ? mf_arena_dup(&c->a, mf_str_c(id), err) : NULL;
	char *own = own_id ? mf_arena_dup(&c->a, mf_buf_str(&object), err) : NULL;
	if (!own)
		return -1;
	to->keys = v;
	v[to->nkeys++] = (struct mf_tuf_root_key){.object = {own, object.n}, .id = own_id};
	return 0;
}

/* If the mirror's key were also listed by a role of the origin, the mirror's signatures would count as that
 * signer's, in every role. */
static int check_not_ours(const struct convert *c, const struct mf_tuf_role *r, struct mf_err *err)
{
	if (!mf_tuf_role_has_key(r, c->signer.pub))
		return 0;
	(void)mf_fail(err, MF_E_KEY, 0, "key '%s' of the mirror signs for role '%s' of '%s'", c->signer_name,
		      r->name, mf_trust_where(c->x->im.trust));
	mf_err_set_hint(
	    err, "a mirror signs with a key of its own: put that back where it is gone, or rename this one "
		 "with 'manifesto key rename'");
	return -1;
}

/* Leaves out keys that cannot verify: they do not count at the origin either. */
static int convert_keys(struct convert *c, const struct mf_tuf_role *r, struct role *to, struct mf_err *err)
{
	if (check_not_ours(c, r, err) < 0 || add_key(c, to, c->signer.pub, err) < 0)
		return -1;
	for (size_t i = 0; i < r->nkeys; i++)
		if (r->keys[i]->pub && r->keys[i]->id_fits && add_key(c, to, r->keys[i]->pub, err) < 0)
			return mf_wrap(err, "a key of role '%s'", r->name);
	return 0;
}

/* ---- roles */

static const struct role *find_role(const struct convert *c, const char *name)
{
	for (size_t i = 0; i < c->nroles; i++)
		if (strcmp(c->roles[i].name, name) == 0)
			return &c->roles[i];
	return NULL;
}

static int convert_role(struct convert *c, const struct mf_tuf_loaded *by, const struct mf_tuf_role *r,
			struct mf_err *err)
{
	const char *name = mf_tuf_role_short(r->name);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(c->from, r->name);
	struct role to = {.name = name, .loaded = l};
	/* Of several delegations of one name, readers use the first. Shards are left out: what they hold goes
	 * into their role, which the mirror divides into shards of its own. */
	if (find_role(c, name) || mf_tuf_is_shard(c->from->d, by, r))
		return 0;
	/* In TUF 1.0 the file of that name belongs to a top-level role. */
	if (mf_publish_top_role(c->to->root, name))
		return mf_fail(err, MF_E_REFUSED, 0, "role '%s' cannot have the name '%s' in TUF 1.0",
			       r->name, name);
	if (convert_keys(c, r, &to, err) < 0 || convert_paths(c, by, r, &to, err) < 0)
		return -1;
	struct role *v = mf_arena_more(&c->a, c->roles, c->nroles, sizeof *v, err);
	if (!v)
		return -1;
	c->roles = v;
	v[c->nroles++] = to;
	return 0;
}

/* Converts every role that is listed, also one that has not published yet: a delegation takes authority from
 * `targets` all the same. */
static int convert_roles(struct convert *c, struct mf_err *err)
{
	for (size_t i = 0; i < c->from->nroles; i++)
		for (size_t k = 0; k < c->from->roles[i]->file->nroles; k++)
			if (convert_role(c, c->from->roles[i], &c->from->roles[i]->file->roles[k], err) < 0)
				return -1;
	return 0;
}

/* Sets the delegations as they will be; leaves them empty if the mirror has the same ones. */
static int convert_delegations(struct convert *c, struct mf_err *err)
{
	const struct mf_tuf_file *now = c->to->roles[0]->file;
	static const char *const nothing[] = {NULL};
	struct mf_tuf_delegation *v = mf_arena_alloc(&c->a, c->nroles + now->nroles, sizeof *v, err);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES),
			   old MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	size_t n = 0;
	if (!v)
		return -1;
	for (size_t i = 0; i < c->nroles; i++) {
		const struct role *r = &c->roles[i];
		v[n++] = (struct mf_tuf_delegation){.name = r->name,
						    .keys = r->keys,
						    .nkeys = r->nkeys,
						    .paths = r->paths ? r->paths : nothing,
						    .npaths = r->npaths,
						    .threshold = 1};
	}
	for (size_t i = 0; i < now->nroles; i++)
		if (!find_role(c, now->roles[i].name) &&
		    !mf_tuf_is_shard(c->to->d, c->to->roles[0], &now->roles[i]))
			v[n++] = (struct mf_tuf_delegation){.name = now->roles[i].name, .absent = true};
	if (mf_tuf_build_delegations(c->to->d, now->delegations_raw, v, n, &text, err) < 0 ||
	    (now->delegations_raw.n && mf_json_canonicalize_any(now->delegations_raw, &old, err) < 0))
		return -1;
	if (mf_str_eq(mf_buf_str(&text), mf_buf_str(&old)))
		return 0;
	char *copy = mf_arena_dup(&c->a, mf_buf_str(&text), err);
	c->delegations = (struct mf_str){copy, text.n};
	return copy ? 0 : -1;
}

/* ---- files that change */

static int change_roles(struct convert *c, struct mf_err *err)
{
	c->targets = (struct mf_publish_edited){.role = "targets"};
	if (compare(c, c->from->roles[0], c->to->roles[0], &c->targets, err) < 0)
		return -1;
	c->more = mf_arena_alloc(&c->a, c->nroles, sizeof *c->more, err);
	if (!c->more)
		return -1;
	for (size_t i = 0; i < c->nroles; i++) {
		const struct mf_tuf_loaded *now = mf_tuf_set_find(c->to, c->roles[i].name);
		struct mf_publish_edited e = {.role = c->roles[i].name};
		if (compare(c, c->roles[i].loaded, now, &e, err) < 0)
			return mf_wrap(err, "role '%s'", e.role);
		if (e.nedits || !now)
			c->more[c->nmore++] = e;
	}
	return 0;
}

/* Lists the mirror's files that expire soon and in which nothing changes: they are re-signed. */
static int renew(struct convert *c, int64_t window, struct mf_err *err)
{
	c->resign = mf_arena_alloc(&c->a, c->to->nroles, sizeof *c->resign, err);
	if (!c->resign)
		return -1;
	for (size_t i = 0; i < c->to->nroles; i++) {
		const struct mf_tuf_loaded *l = c->to->roles[i];
		const bool top = !l->delegation || (l->shard && !l->parent->delegation);
		bool changes = i == 0 && (c->targets.nedits || c->delegations.n), listed = top;
		for (size_t k = 0; k < c->nmore; k++)
			changes |= strcmp(c->more[k].role, l->role) == 0;
		listed |= find_role(c, l->role) != NULL;
		if (!changes && listed && l->file->expires - c->to->now < window)
			c->resign[c->nresign++] = (struct mf_publish_resign){.role = mf_tuf_loaded_name(l)};
	}
	return 0;
}

/* ---- the root: its role `targets` lists the keys that it has at the origin, and the mirror's */

static int add_root_edit(struct convert *c, struct mf_tuf_root_edit **v, size_t *n,
			 const struct mf_tuf_root_edit *e, struct mf_err *err)
{
	struct mf_tuf_root_edit *more = mf_arena_more(&c->a, *v, *n, sizeof *more, err);
	if (!more)
		return -1;
	*v = more;
	more[(*n)++] = *e;
	return 0;
}

static int edit_root(struct convert *c, const struct role *wanted, struct mf_tuf_root_edit **v, size_t *n,
		     struct mf_err *err)
{
	const struct mf_tuf_role *now = &c->to->root->roles[MF_TUF_TARGETS];
	for (size_t i = 0; i < wanted->nkeys; i++) {
		const struct mf_tuf_root_key *k = &wanted->keys[i];
		const struct mf_tuf_root_edit add = {
		    .id = k->id, .object = k->object, .add = 1u << MF_TUF_TARGETS};
		bool there = false;
		for (size_t j = 0; j < now->nkeys; j++)
			there |= mf_str_eqz(now->keys[j]->id, k->id);
		if (!there && add_root_edit(c, v, n, &add, err) < 0)
			return -1;
	}
	for (size_t j = 0; j < now->nkeys; j++) {
		bool stays = false;
		for (size_t i = 0; i < wanted->nkeys; i++)
			stays |= mf_str_eqz(now->keys[j]->id, wanted->keys[i].id);
		char *id = stays ? NULL : mf_arena_dup(&c->a, now->keys[j]->id, err);
		const struct mf_tuf_root_edit drop = {.id = id, .drop = 1u << MF_TUF_TARGETS};
		if (!stays && (!id || add_root_edit(c, v, n, &drop, err) < 0))
			return -1;
	}
	return 0;
}

static int next_root(struct convert *c, const struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	struct role wanted = {.name = "targets"};
	struct mf_tuf_root_edit *v = NULL;
	size_t n = 0;
	bool due = c->to->root->expires - c->to->now < mf_publish_window(t, MF_TUF_ROOT, 0);
	if (convert_keys(c, &c->from->root->roles[MF_TUF_TARGETS], &wanted, err) < 0 ||
	    edit_root(c, &wanted, &v, &n, err) < 0)
		return -1;
	if (!n && !due)
		return 0;
	if (mf_tuf_build_next_root(c->to->root, v, n, mf_publish_expiry(t, MF_TUF_ROOT), &text, err) < 0)
		return -1;
	char *copy = mf_arena_dup(&c->a, mf_buf_str(&text), err);
	c->root = (struct mf_str){copy, text.n};
	return copy ? 0 : -1;
}

/* ---- the intent */

static int plan(struct convert *c, struct mf_trust *t, struct mf_err *err)
{
	const struct mf_key_info *own;
	mf_arena_clear(&c->a);
	*c = (struct convert){.x = c->x,
			      .a = MF_ARENA_INIT,
			      .from = mf_trust_set(c->x->im.trust),
			      .to = &t->set,
			      .step = c->step,
			      .given = c->given,
			      .ends = c->ends,
			      .seen = c->seen};
	if (mf_publish_signer(t, &t->set.root->roles[MF_TUF_TARGETS], &c->signer, &own, err) < 0)
		return -1;
	c->signer_name = own->name;
	if (check_newer(c, err) < 0 || format_copy_of(c, err) < 0 || convert_roles(c, err) < 0 ||
	    convert_delegations(c, err) < 0 || change_roles(c, err) < 0 ||
	    renew(c, mf_publish_window(t, MF_TUF_TARGETS, 0), err) < 0)
		return -1;
	return next_root(c, t, err);
}

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct convert *c = arg;
	const struct mf_tuf_file *stamp = t->set.timestamp;
	if (c->seen && stamp && stamp->version != c->seen)
		return mf_fail(err, MF_E_CONFLICT, 0, "another mirror writes to '%s' at the same time",
			       mf_trust_where(t));
	if (plan(c, t, err) < 0)
		return MF_FAILED;
	bool targets = c->targets.nedits || c->delegations.n;
	size_t changed = targets + c->nmore + c->nresign + (c->root.n > 0);
	const struct mf_mirror_content contents = {.step = c->step};
	const struct mf_str before = stamp ? stamp->copy_of : MF_STR("");
	const bool same = stamp && mf_str_eq(before, c->copy_of);
	*out = (struct mf_publish_change){.role = targets ? "targets" : NULL,
					  .edits = c->targets.edits,
					  .nedits = c->targets.nedits,
					  .delegations = c->delegations.n ? &c->delegations : NULL,
					  .more = c->more,
					  .nmore = c->nmore,
					  .resign = c->resign,
					  .nresign = c->nresign,
					  .root = c->root.n ? &c->root : NULL,
					  .meta = 1u << MF_TUF_SNAPSHOT | 1u << MF_TUF_TIMESTAMP,
					  .copy_of = c->ends || !before.n ? c->copy_of : before,
					  .until = good_until(c->from)};
	if (!changed && same)
		return MF_ABSENT;
	if (c->step && mf_mirror_contents(c->x, contents, err) < 0)
		return MF_FAILED;
	if (!changed && stamp && !c->ends)
		return MF_ABSENT;
	c->x->out->nfiles += changed + 2;
	return MF_FOUND;
}

/* ---- all of it */

static int report_keys(struct mf_mirror *x, const struct mf_publish_made *made, struct mf_err *err)
{
	const char **v = mf_arena_alloc(x->a, made->nkeys, sizeof *v, err);
	if (!v)
		return -1;
	for (size_t i = 0; i < made->nkeys; i++)
		v[i] = mf_arena_text(x->a, made->keys[i]);
	x->out->keys_made = v;
	x->out->nkeys_made = made->nkeys;
	return mf_arena_check(x->a, err);
}

static int begin(struct mf_mirror *x, struct mf_err *err)
{
	struct mf_publish_made made = {.arena = MF_ARENA_INIT};
	int rc = mf_publish_first(x->to, NULL, &made, err);
	if (rc == 0)
		rc = report_keys(x, &made, err);
	mf_arena_clear(&made.arena);
	x->out->nfiles = 4;
	return rc;
}

static int report(struct mf_mirror *x, struct mf_err *err)
{
	const struct mf_tuf_role *root = &x->to->set.root->roles[MF_TUF_ROOT];
	const char **v = mf_arena_alloc(x->a, root->nkeys, sizeof *v, err);
	if (!v)
		return -1;
	for (size_t i = 0; i < root->nkeys; i++) {
		struct mf_digest fp = mf_pubkey_fingerprint(root->keys[i]->pub);
		v[i] = mf_report_hex(x->a, &fp);
	}
	x->out->pinned = v;
	x->out->npinned = root->nkeys;
	x->out->version = x->to->set.timestamp->version;
	x->out->expires = x->to->set.timestamp->expires;
	return mf_arena_check(x->a, err);
}

static enum mf_found convert_step(struct convert *c, const char *const *subjects, struct mf_err *err)
{
	const struct mf_publish_intent in = {
	    .kind = MF_PUBLISH_RESIGN, .subjects = subjects, .fill = fill, .arg = c};
	int64_t version;
	enum mf_found done = mf_publish_run(c->x->to, &in, &version, err);
	if (done != MF_FAILED)
		c->seen = c->x->to->set.timestamp->version;
	return done;
}

/* Loads all shards of a large origin once before anything is published: if one is withheld or does not
 * verify, nothing is. The loaded set remembers when the first of them expires. */
static int check_all(struct convert *c, struct mf_err *err)
{
	struct mf_shard_steps steps = {.t = c->x->im.trust, .env = &c->x->m->env};
	enum mf_found more;
	while ((more = mf_shards_next(&steps, err)) == MF_FOUND)
		if (!steps.given)
			return 0;
	mf_trust_drop_shards(c->x->im.trust);
	return more == MF_FAILED ? -1 : 0;
}

/* Of an origin with many shards each step is one publish, and then the state is named that was copied. All
 * records of a subject change in the same publish. */
static enum mf_found convert_all(struct convert *c, struct mf_err *err)
{
	static const bool none[256] = {false};
	struct mf_shard_steps steps = {.t = c->x->im.trust, .env = &c->x->m->env};
	enum mf_found more, done = MF_ABSENT;
	if (check_all(c, err) < 0)
		return MF_FAILED;
	while ((more = mf_shards_next(&steps, err)) == MF_FOUND) {
		char hex[256][3];
		const char *subjects[257] = {NULL};
		for (unsigned b = 0, n = 0; steps.given && b < 256; b++)
			if (steps.given[b]) {
				(void)snprintf(hex[n], sizeof hex[n], "%02x", b & 0xffu);
				subjects[n] = hex[n];
				n++;
			}
		c->step = &steps;
		c->given = steps.given;
		c->ends = !steps.given;
		enum mf_found found = convert_step(c, steps.given ? subjects : NULL, err);
		if (found == MF_FAILED)
			return MF_FAILED;
		done = found == MF_FOUND ? MF_FOUND : done;
	}
	if (more == MF_FAILED || !steps.given)
		return more == MF_FAILED ? MF_FAILED : done;
	c->step = NULL;
	c->given = none;
	c->ends = true;
	enum mf_found found = convert_step(c, mf_no_subjects, err);
	return found == MF_ABSENT ? done : found;
}

int mf_mirror_convert(struct mf_mirror *x, struct mf_err *err)
{
	struct mf_buf stamp MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	struct convert c MF_CLEANUP(convert_clear) = {.x = x, .a = MF_ARENA_INIT};
	const struct mf_fetch_key key = {
	    .role = "timestamp", .by = MF_BY_NAME, .max = MF_MAX_TIMESTAMP_BYTES};
	x->to->keeps_copy = true;
	enum mf_found there = mf_trust_fetch(x->to, &key, &stamp, err);
	if (there == MF_FAILED || (there == MF_ABSENT && begin(x, err) < 0))
		return -1;
	enum mf_found done = convert_all(&c, err);
	enum mf_found restored =
	    done != MF_FAILED && mf_mirror_is_registry(x) ? mf_mirror_registry_restore(x, err) : MF_ABSENT;
	if (done == MF_FAILED || restored == MF_FAILED)
		return -1;
	x->out->changed = done == MF_FOUND || there == MF_ABSENT || restored == MF_FOUND;
	x->out->converted = 1;
	return report(x, err);
}
