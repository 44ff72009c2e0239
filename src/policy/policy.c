#include "policy/policy.h"

#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "tuf/build.h"
#include "tuf/history.h"

const char *mf_state_name(enum mf_state s)
{
	static const char *const names[] = {"current", "foreign", "expired", "withdrawn", "veto"};
	return names[s];
}

void mf_entry_clear(struct mf_entry *e)
{
	mf_record_clear(&e->record);
	mf_originals_clear(&e->originals);
	free(e->keys);
	free(e->signed_by);
	*e = (struct mf_entry){0};
}

void mf_entries_clear(struct mf_entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		mf_entry_clear(&e->v[i]);
	free(e->v);
	*e = (struct mf_entries){0};
}

/* ---- authority */

bool mf_role_is(const char *role, const char *asked)
{
	/* The top-level role has only one name: a delegation "targets/targets" is another role. */
	if (strcmp(role, "targets") == 0 || strcmp(asked, "targets") == 0)
		return strcmp(role, asked) == 0;
	return strcmp(mf_tuf_role_short(role), mf_tuf_role_short(asked)) == 0;
}

/* Does one of the role's own paths start with "T/"? The path "" of docker trust's targets/releases does
 * not. */
static bool names_type(const struct mf_tuf_role *role, struct mf_str type)
{
	for (size_t i = 0; i < role->npaths; i++) {
		struct mf_str p = role->paths[i];
		if (p.n > type.n && mf_str_starts(p, type) && p.p[type.n] == '/')
			return true;
	}
	return false;
}

/* A delegation counts only if its delegators may hold the type themselves. Otherwise a team that is limited
 * to other types could end the authority of `targets` by listing a role whose records no client accepts. */
static bool may_delegate(const struct mf_tuf_set *set, const struct mf_tuf_loaded *by,
			 const struct mf_tuf_role *role, struct mf_str type)
{
	char prefix[MF_MAX_TYPE + 1];
	if (type.n > MF_MAX_TYPE)
		return false;
	memcpy(prefix, type.p, type.n);
	prefix[type.n] = '/';
	return names_type(role, type) &&
	       mf_tuf_loaded_touches(set->d, by, (struct mf_str){prefix, type.n + 1});
}

static size_t delegations(const struct mf_tuf_set *set, struct mf_str type, const struct mf_tuf_role **out,
			  size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < set->nroles; i++)
		for (size_t j = 0; j < set->roles[i]->file->nroles && n < max; j++) {
			const struct mf_tuf_role *role = &set->roles[i]->file->roles[j];
			bool twice = mf_tuf_is_shard(set->d, set->roles[i], role);
			for (size_t k = 0; k < n; k++)
				twice |= strcmp(out[k]->name, role->name) == 0;
			if (!twice && may_delegate(set, set->roles[i], role, type))
				out[n++] = role;
		}
	return n;
}

bool mf_policy_delegated(const struct mf_tuf_set *set, struct mf_str type)
{
	const struct mf_tuf_role *one;
	return delegations(set, type, &one, 1) > 0;
}

size_t mf_policy_roles(const struct mf_tuf_set *set, struct mf_str type, const struct mf_tuf_role **out,
		       size_t max)
{
	size_t n = delegations(set, type, out, max);
	if (n == 0 && max)
		out[n++] = &set->root->roles[MF_TUF_TARGETS];
	return n;
}

/* ---- a role by its name */

/* The role that a name means among those of one delegator: the exact name takes precedence over the other
 * spelling, and the first entry counts. */
static const struct mf_tuf_role *listed_by(const struct mf_dialect *d, const struct mf_tuf_loaded *l,
					   const char *asked)
{
	const struct mf_tuf_role *other = NULL;
	for (size_t i = 0; i < l->file->nroles; i++) {
		const struct mf_tuf_role *role = &l->file->roles[i];
		if (mf_tuf_is_shard(d, l, role))
			continue;
		if (strcmp(role->name, asked) == 0)
			return role;
		if (!other && mf_role_is(role->name, asked))
			other = role;
	}
	return other;
}

/* Do two delegators list the same role, with the same name, keys, threshold and paths? */
static bool same_role(const struct mf_tuf_role *a, const struct mf_tuf_role *b)
{
	return strcmp(a->name, b->name) == 0 && mf_tuf_role_same(a, b);
}

enum mf_named mf_policy_role_by_name(const struct mf_tuf_set *set, const char *asked,
				     const struct mf_tuf_role **out, const struct mf_tuf_loaded **by)
{
	*out = NULL;
	*by = NULL;
	if (strcmp(asked, "targets") == 0) {
		*out = &set->root->roles[MF_TUF_TARGETS];
		return MF_NAMES_ONE;
	}
	for (size_t i = 0; i < set->nroles; i++) {
		const struct mf_tuf_role *r = listed_by(set->d, set->roles[i], asked);
		if (r && *out && !same_role(*out, r))
			return MF_NAMES_SEVERAL;
		if (!r || *out)
			continue;
		*out = r;
		*by = set->roles[i];
		if (i == 0) /* listed by `targets`: roles of this name elsewhere do not count */
			return MF_NAMES_ONE;
	}
	return *out ? MF_NAMES_ONE : MF_NAMES_NONE;
}

bool mf_policy_role_matches(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, const char *asked)
{
	const struct mf_tuf_role *role;
	const struct mf_tuf_loaded *by;
	if (!mf_role_is(l->role, asked))
		return false;
	l = mf_tuf_loaded_owner(l);
	if (!l->delegation || set->roles[0]->delegation)
		return true;
	return mf_policy_role_by_name(set, asked, &role, &by) == MF_NAMES_ONE &&
	       strcmp(l->role, role->name) == 0 && (l->parent == by || same_role(l->delegation, role));
}

bool mf_policy_may_hold(const struct mf_tuf_set *set, const char *asked, struct mf_str type)
{
	const struct mf_tuf_role *role;
	const struct mf_tuf_loaded *by;
	bool may = false;
	if (mf_policy_role_by_name(set, asked, &role, &by) != MF_NAMES_ONE)
		return false;
	if (!by)
		return true;
	/* The delegator may list the role again, with other paths. */
	for (size_t i = 0; i < by->file->nroles; i++)
		may |= strcmp(by->file->roles[i].name, role->name) == 0 &&
		       may_delegate(set, by, &by->file->roles[i], type);
	return may;
}

bool mf_policy_authorised(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
			  const char *asked)
{
	l = mf_tuf_loaded_owner(l);
	if (asked)
		return mf_policy_role_matches(set, l, asked) &&
		       (!l->delegation || names_type(l->delegation, type));
	return l->delegation ? names_type(l->delegation, type) : !mf_policy_delegated(set, type);
}

/* ---- one entry */

static int read_signers(const struct mf_tuf_set *set, struct mf_str name, struct mf_entry *e,
			struct mf_err *err)
{
	const struct mf_tuf_loaded *owner = mf_tuf_loaded_owner(e->role);
	const struct mf_tuf_role *role =
	    owner->delegation ? owner->delegation : &set->root->roles[MF_TUF_TARGETS];
	char *gun MF_FREE = mf_str_dup(set->gun);
	e->nkeys = role->nkeys;
	e->keys = mf_calloc(role->nkeys, sizeof(struct mf_pubkey *));
	e->signed_by = mf_calloc(role->nkeys, sizeof *e->signed_by);
	if (!e->keys || !e->signed_by || !gun)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < role->nkeys; i++)
		e->keys[i] = role->keys[i]->id_fits ? role->keys[i]->pub : NULL;
	struct mf_record_binding b = {
	    .repository = gun, .name = name, .length = e->info.length, .sha256 = e->info.sha256};
	if (e->state != MF_STATE_VETO && mf_originals_read(&e->record, &b, &e->originals, err) < 0)
		return -1;
	return mf_record_signers(&e->record, &b, e->keys, e->nkeys, e->signed_by, err);
}

static enum mf_state state_of(const struct mf_tuf_set *set, const struct mf_entry *e)
{
	bool is_signed = false;
	for (size_t i = 0; i < e->nkeys; i++)
		is_signed |= e->signed_by[i];
	if (e->record.withdrawn)
		return MF_STATE_WITHDRAWN;
	if (e->record.has_expires && e->record.expires <= set->now)
		return MF_STATE_EXPIRED;
	return is_signed ? MF_STATE_CURRENT : MF_STATE_FOREIGN;
}

/* Refuses record names that are written with JSON escapes. They need none, and signatures do not cover the
 * spelling: the signer of the snapshot could respell the name of a record, such as a tombstone, and so hide
 * it from readers that compare octets. */
static int check_spelling(const struct mf_tuf_loaded *l, struct mf_json_string name, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(name.raw.n + 4);
	struct mf_esc e, e2;
	struct mf_str type;
	struct mf_digest subject;
	if (mf_json_string_decode(name, &b, err) < 0)
		return -1;
	if (!mf_record_name_parse(mf_buf_str(&b), &type, &subject))
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "record name '%s' of role '%s' is written with escapes",
		       mf_esc(&e, mf_buf_str(&b)), mf_esc(&e2, mf_str_c(l->role)));
}

/* Registries and the cache find content by its sha256 only. */
static int check_hash(const struct mf_entry *e, struct mf_err *err)
{
	return e->info.has_sha256 ? 0 : mf_fail(err, MF_E_FORMAT, 0, "target without sha256");
}

/* ---- vetoes */

/* First the types of the role's own paths, then "veto", which suits `targets` and roles whose path covers all
 * names. Vetoes are never in shards. */
struct mf_str mf_policy_own_type(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i)
{
	size_t at = 0;
	if (l->shard)
		return (struct mf_str){NULL, 0};
	for (size_t k = 0; l->delegation && k < l->delegation->npaths; k++) {
		struct mf_str own = mf_tuf_path_type(set->d, l->delegation->paths[k]);
		if (own.n && at++ == i)
			return own;
	}
	return at == i ? MF_STR("veto") : (struct mf_str){NULL, 0};
}

static bool owns(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type)
{
	struct mf_str own;
	for (size_t i = 0; (own = mf_policy_own_type(set, l, i)).n; i++)
		if (mf_str_eq(own, type))
			return true;
	return false;
}

/* Subject and type in the description must be those in the name. */
static int check_veto(const struct mf_entry *e, struct mf_err *err)
{
	const struct mf_record *r = &e->record;
	if (!r->tree)
		return 0;
	if (r->veto_type && mf_str_eqz(e->type, r->veto_type) && mf_digest_eq(&r->veto_subject, &e->subject))
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "the veto names another image or type than its place does");
}

enum mf_found mf_veto_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i,
			   struct mf_entry *out, struct mf_err *err)
{
	struct mf_json_string name = mf_tuf_target_name(l->file, i);
	struct mf_entry e MF_ENTRY_CLEANUP = {.role = l, .state = MF_STATE_VETO};
	struct mf_esc esc;
	struct mf_str own;
	*out = (struct mf_entry){0};
	if (!mf_veto_name_parse(name.raw, &own, &e.type, &e.subject) || !owns(set, l, own))
		return MF_ABSENT;
	if (mf_tuf_target_info(set->d, l->file, i, &e.info, err) < 0 ||
	    mf_record_parse(&e.record, e.info.custom, err) < 0 || check_veto(&e, err) < 0 ||
	    read_signers(set, name.raw, &e, err) < 0)
		return mf_wrap(err, "veto '%s' of role '%s'", mf_esc(&esc, name.raw), l->role);
	*out = e;
	e = (struct mf_entry){0};
	return MF_FOUND;
}

enum mf_found mf_policy_find_veto(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l,
				  struct mf_str type, const struct mf_digest *subject, struct mf_entry *out,
				  struct mf_err *err)
{
	struct mf_str own, types[] = {MF_STR(MF_VETO_ALL), type};
	*out = (struct mf_entry){0};
	for (size_t i = 0; (own = mf_policy_own_type(set, l, i)).n; i++)
		for (size_t k = 0; k < 2; k++) {
			struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(2 * MF_MAX_TYPE + 128);
			if (mf_veto_name(&name, own, types[k], subject, err) < 0)
				return MF_FAILED;
			ptrdiff_t at = mf_tuf_target_find(l->file, mf_buf_str(&name));
			if (at < 0)
				continue;
			/* A name with escapes is found, too, but mf_veto_read would not read it as that of a
			 * veto. */
			if (mf_tuf_target_name(l->file, (size_t)at).escaped)
				return mf_fail(err, MF_E_FORMAT, 0,
					       "veto '%s' of role '%s' is spelled with escapes",
					       mf_buf_str(&name).p, l->role);
			return mf_veto_read(set, l, (size_t)at, out, err);
		}
	return MF_ABSENT;
}

/* ---- records */

bool mf_policy_is_hidden(const struct mf_tuf_loaded *l, struct mf_str name)
{
	/* A set of an old version (trust/history.h) does not contain the file of the shard's role. */
	return l->shard && l->parent->file && mf_tuf_target_find(l->parent->file, name) >= 0;
}

enum reading { WITHOUT_SIGNERS, WITH_SIGNERS };

static enum mf_found entry_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i,
				enum reading how, struct mf_entry *out, struct mf_err *err)
{
	struct mf_json_string name = mf_tuf_target_name(l->file, i);
	struct mf_entry e MF_ENTRY_CLEANUP = {.role = l};
	struct mf_esc esc;
	*out = (struct mf_entry){0};
	if (name.escaped)
		return check_spelling(l, name, err);
	if (!mf_record_name_parse(name.raw, &e.type, &e.subject) ||
	    !mf_tuf_loaded_covers(set->d, l, name.raw) || mf_policy_is_hidden(l, name.raw))
		return MF_ABSENT;
	if (mf_tuf_target_info(set->d, l->file, i, &e.info, err) < 0 || check_hash(&e, err) < 0 ||
	    mf_record_parse(&e.record, e.info.custom, err) < 0 ||
	    (how == WITH_SIGNERS && read_signers(set, name.raw, &e, err) < 0))
		return mf_wrap(err, "record '%s' of role '%s'", mf_esc(&esc, name.raw), l->role);
	e.state = how == WITH_SIGNERS ? state_of(set, &e) : MF_STATE_FOREIGN;
	*out = e;
	e = (struct mf_entry){0};
	return MF_FOUND;
}

enum mf_found mf_entry_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i,
			    struct mf_entry *out, struct mf_err *err)
{
	return entry_read(set, l, i, WITH_SIGNERS, out, err);
}

/* ---- choice */

enum mf_found mf_policy_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str name,
			     struct mf_entry *out, struct mf_err *err)
{
	ptrdiff_t at = mf_tuf_target_find(l->file, name);
	*out = (struct mf_entry){0};
	return at < 0 ? MF_ABSENT : mf_entry_read(set, l, (size_t)at, out, err);
}

int mf_entry_refuse_withdrawn(const struct mf_entry *e, const struct mf_names *names, struct mf_err *err)
{
	struct mf_esc role, reason;
	char when[MF_TIME_LEN] = "", signers[3 * (MF_NAME_LABEL + 2) + 16] = "";
	size_t at = 0, n = 0;
	if (e->record.created)
		mf_time_format(when, e->record.created);
	for (size_t i = 0; i < e->nkeys; i++) {
		char label[MF_NAME_LABEL];
		if (!e->signed_by[i] || ++n > 3)
			continue;
		at += (size_t)snprintf(signers + at, sizeof signers - at, "%s%s", at ? ", " : " (key ",
				       mf_names_label(names, e->keys[i], label));
	}
	return mf_fail(err, MF_E_WITHDRAWN, 0, "'%.*s' was withdrawn by '%s'%s%s%s%s%s%s",
		       MF_STR_ARG(e->type), mf_esc(&role, mf_str_c(e->role->role)), signers, at ? ")" : "",
		       *when ? " at " : "", when, e->record.reason ? ": " : "",
		       e->record.reason ? mf_esc(&reason, mf_str_c(e->record.reason)) : "");
}

static int refuse_expired(const struct mf_entry *e, struct mf_err *err)
{
	char when[MF_TIME_LEN];
	mf_time_format(when, e->record.expires);
	return mf_fail(err, MF_E_RECORD_EXPIRED, 0, "'%.*s' in '%s' expired at %s", MF_STR_ARG(e->type),
		       e->role->role, when);
}

/* Collects the entries of this name in all authorities for the type. */
static int collect(const struct mf_tuf_set *set, struct mf_str type, struct mf_str name, const char *asked,
		   struct mf_entries *out, struct mf_err *err)
{
	for (size_t i = 0; i < set->nroles; i++) {
		if (!mf_policy_authorised(set, set->roles[i], type, asked))
			continue;
		if (mf_grow((void **)&out->v, &out->cap, out->n, sizeof *out->v, err) < 0)
			return -1;
		int rc = mf_policy_read(set, set->roles[i], name, &out->v[out->n], err);
		if (rc < 0)
			return -1;
		out->n += (size_t)rc;
	}
	return 0;
}

static int refuse_ambiguous(const struct mf_entries *all, struct mf_str type, struct mf_err *err)
{
	char list[512];
	size_t at = 0;
	list[0] = 0;
	for (size_t i = 0; i < all->n && at < sizeof list; i++)
		if (all->v[i].state <= MF_STATE_FOREIGN) {
			struct mf_esc e;
			int n = snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "",
					 mf_esc(&e, mf_str_c(all->v[i].role->role)));
			at += n > 0 ? (size_t)n : 0;
		}
	(void)mf_fail(err, MF_E_AMBIGUOUS, 0, "roles have different '%.*s' records: %s", MF_STR_ARG(type),
		      list);
	mf_err_set_hint(err, "choose one with --role");
	return -1;
}

/* Fails if a name means several roles: that must not be reported as a missing record. */
static int refuse_shared_name(const struct mf_tuf_set *set, const char *asked, struct mf_err *err)
{
	const struct mf_tuf_role *role;
	const struct mf_tuf_loaded *by;
	struct mf_esc e;
	if (mf_policy_role_by_name(set, asked, &role, &by) != MF_NAMES_SEVERAL)
		return 0;
	return mf_fail(err, MF_E_AMBIGUOUS, 0,
		       "role '%s' is ambiguous: several delegators define different roles of that name",
		       mf_esc(&e, mf_str_c(asked)));
}

int mf_policy_select(const struct mf_tuf_set *set, struct mf_str type, const struct mf_digest *subject,
		     const char *asked, struct mf_entry *out, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	struct mf_entries all MF_ENTRIES_CLEANUP = {0};
	struct mf_entry *best = NULL;
	char digest[MF_DIGEST_TEXT];
	if (mf_record_name(&name, type, subject, err) < 0 ||
	    collect(set, type, mf_buf_str(&name), asked, &all, err) < 0)
		return -1;
	mf_digest_format(digest, subject);
	if (!all.n && asked && refuse_shared_name(set, asked, err) < 0)
		return -1;
	if (!all.n && asked)
		return mf_fail(err, MF_E_NOT_FOUND, 0, "role '%s' has no '%.*s' record for %s", asked,
			       MF_STR_ARG(type), digest);
	if (!all.n)
		return mf_fail(err, MF_E_NOT_FOUND, 0, "no '%.*s' record for %s", MF_STR_ARG(type), digest);
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].state == MF_STATE_WITHDRAWN)
			return mf_entry_refuse_withdrawn(&all.v[i], set->names, err);
	for (size_t i = 0; i < all.n; i++) {
		struct mf_entry *e = &all.v[i];
		if (e->state == MF_STATE_EXPIRED)
			continue;
		if (best && !mf_digest_eq(&best->info.sha256, &e->info.sha256))
			return refuse_ambiguous(&all, type, err);
		if (!best || (best->state == MF_STATE_FOREIGN && e->state == MF_STATE_CURRENT))
			best = e;
	}
	if (!best)
		return refuse_expired(&all.v[0], err);
	*out = *best;
	*best = (struct mf_entry){0};
	return 0;
}

/* ---- lists */

/* The place of an entry, by which lists are sorted. The entry itself would need a hundred times the
 * memory. */
struct place {
	struct mf_digest subject;
	struct mf_str type;
	uint32_t role, at; /* index in the set, and in the role's file */
	bool veto;
};

struct places {
	const struct mf_tuf_set *set;
	struct place *v;
	size_t n, cap;
};

static void places_clear(struct places *p)
{
	free(p->v);
}

/* 0: the same record. A role that two delegators list is loaded for each, but its records are listed once. */
static int same_cmp(const struct mf_tuf_set *set, const struct place *x, const struct place *y)
{
	int c = memcmp(x->subject.b, y->subject.b, 32);
	if (!c)
		c = mf_str_cmp(x->type, y->type);
	if (!c)
		c = strcmp(set->roles[x->role]->role, set->roles[y->role]->role);
	return c ? c : x->veto - y->veto;
}

static int place_cmp(const void *a, const void *b, void *places)
{
	const struct place *x = a, *y = b;
	int c = same_cmp(((const struct places *)places)->set, x, y);
	if (!c)
		c = (x->role > y->role) - (x->role < y->role);
	return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* The records that are listed. */
struct filter {
	const char *tail;                /* "/sha256-<hex of the subject>", or NULL */
	const struct mf_digest *subject; /* the same, or NULL */
	const bool *first_bytes;         /* or NULL */
	const char *const *roles;        /* of one of these, or NULL; ends with NULL */
	enum reading how;
};

/* The last decision of is_authority, which mostly holds for the next record: files are sorted by name, and so
 * by type. */
struct authority {
	const struct mf_tuf_loaded *l;
	struct mf_str type;
	bool is;
};

static bool is_authorised(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
			  const struct filter *f)
{
	bool any = !f->roles && mf_policy_authorised(set, l, type, NULL);
	for (size_t i = 0; !any && f->roles && f->roles[i]; i++)
		any = mf_policy_authorised(set, l, type, f->roles[i]);
	return any;
}

static bool is_authority(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
			 const struct filter *f, struct authority *last)
{
	if (last->l != l || !mf_str_eq(last->type, type))
		*last = (struct authority){l, type, is_authorised(set, l, type, f)};
	return last->is;
}

static bool is_asked_for(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, const struct filter *f)
{
	bool any = !f->roles;
	for (size_t i = 0; !any && f->roles[i]; i++)
		any = mf_policy_role_matches(set, l, f->roles[i]);
	return any;
}

static bool passes(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str name,
		   const struct filter *f, struct authority *last, struct place *out)
{
	return (!f->tail || mf_str_ends(name, mf_str_c(f->tail))) &&
	       mf_record_name_parse(name, &out->type, &out->subject) && !mf_policy_is_hidden(l, name) &&
	       (!f->first_bytes || f->first_bytes[out->subject.b[0]]) &&
	       is_authority(set, l, out->type, f, last);
}

/* Vetoes are listed only where record states are read. */
static bool passes_as_veto(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str name,
			   const struct filter *f, struct place *out)
{
	struct mf_str own;
	return f->how == WITH_SIGNERS && mf_veto_name_parse(name, &own, &out->type, &out->subject) &&
	       (!f->subject || mf_digest_eq(f->subject, &out->subject)) &&
	       (!f->first_bytes || f->first_bytes[out->subject.b[0]]) && is_asked_for(set, l, f);
}

static int find_in_role(struct places *all, size_t role, const struct filter *f, struct mf_err *err)
{
	const struct mf_tuf_loaded *l = all->set->roles[role];
	struct authority last = {0};
	size_t from, to;
	mf_tuf_targets_of(l->file, f->subject, &from, &to);
	for (size_t i = from; i < to; i++) {
		struct mf_json_string name = mf_tuf_target_name(l->file, i);
		struct place p = {.role = (uint32_t)role, .at = (uint32_t)i};
		if (name.escaped && check_spelling(l, name, err) < 0)
			return -1;
		p.veto = passes_as_veto(all->set, l, name.raw, f, &p);
		if (!p.veto && !passes(all->set, l, name.raw, f, &last, &p))
			continue;
		if (mf_grow((void **)&all->v, &all->cap, all->n, sizeof *all->v, err) < 0)
			return -1;
		all->v[all->n++] = p;
	}
	return 0;
}

static int each_entry(const struct mf_tuf_set *set, const struct filter *f, mf_entry_each *each, void *arg,
		      struct mf_err *err)
{
	struct places all MF_CLEANUP(places_clear) = {.set = set};
	const struct place *last = NULL;
	for (size_t i = 0; i < set->nroles; i++)
		if (find_in_role(&all, i, f, err) < 0)
			return -1;
	if (all.n)
		qsort_r(all.v, all.n, sizeof *all.v, place_cmp, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct place *p = &all.v[i];
		const struct mf_tuf_loaded *l = set->roles[p->role];
		struct mf_entry e MF_ENTRY_CLEANUP = {0};
		if (last && same_cmp(set, last, p) == 0)
			continue;
		enum mf_found found = p->veto ? mf_veto_read(set, l, p->at, &e, err)
					      : entry_read(set, l, p->at, f->how, &e, err);
		if (found == MF_FAILED || (found == MF_FOUND && each(arg, &e, err) < 0))
			return -1;
		last = found == MF_FOUND ? p : last;
	}
	return 0;
}

static int keep_entry(void *arg, struct mf_entry *e, struct mf_err *err)
{
	struct mf_entries *all = arg;
	if (mf_grow((void **)&all->v, &all->cap, all->n, sizeof *all->v, err) < 0)
		return -1;
	all->v[all->n++] = *e;
	*e = (struct mf_entry){0};
	return 0;
}

static int list_all(const struct mf_tuf_set *set, const struct filter *f, struct mf_entries *out,
		    struct mf_err *err)
{
	struct mf_entries all MF_ENTRIES_CLEANUP = {0};
	if (each_entry(set, f, keep_entry, &all, err) < 0)
		return -1;
	*out = all;
	all = (struct mf_entries){0};
	return 0;
}

int mf_policy_each(const struct mf_tuf_set *set, struct mf_entry_filter which, mf_entry_each *each, void *arg,
		   struct mf_err *err)
{
	const struct filter f = {.roles = which.roles,
				 .first_bytes = which.first_bytes,
				 .how = which.stored ? WITHOUT_SIGNERS : WITH_SIGNERS};
	return each_entry(set, &f, each, arg, err);
}

int mf_policy_list(const struct mf_tuf_set *set, const struct mf_digest *subject, const char *asked,
		   struct mf_entries *out, struct mf_err *err)
{
	char tail[80] = "/sha256-";
	const char *const roles[] = {asked, NULL};
	struct filter f = {.tail = subject ? tail : NULL,
			   .subject = subject,
			   .roles = asked ? roles : NULL,
			   .how = WITH_SIGNERS};
	if (subject)
		mf_digest_hex(tail + 8, subject);
	return list_all(set, &f, out, err);
}

int mf_policy_survey(const struct mf_tuf_set *set, const bool *first_bytes, struct mf_entries *out,
		     struct mf_err *err)
{
	struct filter f = {.first_bytes = first_bytes};
	return list_all(set, &f, out, err);
}

/* Marks the first bytes of subjects whose records may be in a shard that is listed but not loaded. */
static bool mark_unloaded(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, bool first_bytes[256])
{
	bool any = false;
	for (size_t j = 0; !l->shard && j < l->file->nroles; j++) {
		const struct mf_tuf_role *role = &l->file->roles[j];
		struct mf_str digits = mf_tuf_shard_digits(set->d, l->role, role);
		if (!digits.n || mf_tuf_shard_is_loaded(set, l, role))
			continue;
		for (unsigned b = 0; b < 256; b++) {
			const char hex[] = {"0123456789abcdef"[b / 16], "0123456789abcdef"[b % 16], 0};
			const char *const byte[] = {hex, NULL};
			first_bytes[b] |= mf_tuf_shard_wanted(digits, byte);
		}
		any = true;
	}
	return any;
}

size_t mf_policy_tally(const struct mf_tuf_set *set, bool first_bytes[256])
{
	const struct filter f = {0};
	size_t n = 0;
	bool unloaded = false;
	memset(first_bytes, 0, 256 * sizeof *first_bytes);
	for (size_t i = 0; i < set->nroles; i++) {
		struct authority last = {0};
		unloaded |= mark_unloaded(set, set->roles[i], first_bytes);
		for (size_t j = 0; j < mf_tuf_ntargets(set->roles[i]->file); j++) {
			struct mf_str name = mf_tuf_target_name(set->roles[i]->file, j).raw;
			struct place p;
			if (!passes(set, set->roles[i], name, &f, &last, &p))
				continue;
			first_bytes[p.subject.b[0]] = true;
			n++;
		}
	}
	return unloaded ? SIZE_MAX : n;
}
