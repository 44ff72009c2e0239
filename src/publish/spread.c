/* The records of a large role, spread over shards: decides which file each of a change's edits belongs to,
 * and which files must be divided. A record's place follows from its name alone, and other code sees the role
 * unchanged: a shard has the role's keys and threshold, and its paths for subjects with these digits.
 *
 *   record                     the shard of its subject
 *   withdrawal, veto, others   the role's own file */
#include "base/limits.h"
#include "publish/publish.h"
#include "record/record.h"
#include "trust/load.h"

void mf_spread_clear(struct mf_spread *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->parts[i].edits.v);
	free(s->parts);
	free(s->own.v);
	free(s->types);
	mf_buf_clear(&s->delegations);
	mf_arena_clear(&s->arena);
	*s = (struct mf_spread){.arena = MF_ARENA_INIT};
}

static int push(struct mf_spread_edits *e, struct mf_tuf_edit edit, struct mf_err *err)
{
	if (mf_grow((void **)&e->v, &e->cap, e->n, sizeof *e->v, err) < 0)
		return -1;
	e->v[e->n++] = edit;
	return 0;
}

static const struct mf_dialect *dialect(const struct mf_spread *s)
{
	return mf_trust_dialect(s->t);
}

/* ---- names */

/* The type and the subject's digits of a record's name; false: another name. */
static bool is_record(struct mf_str name, struct mf_str *type, struct mf_str *hex)
{
	struct mf_digest subject;
	if (!mf_record_name_parse(name, type, &subject))
		return false;
	*hex = (struct mf_str){name.p + name.n - 64, 64};
	return true;
}

static enum mf_found is_withdrawal(const struct mf_dialect *d, struct mf_str entry, struct mf_err *err)
{
	struct mf_record r MF_RECORD_CLEANUP = {0};
	struct mf_tuf_target_info info;
	struct mf_err why = MF_ERR_INIT;
	/* Most are none, and need not be parsed. */
	if (!memmem(entry.p, entry.n, MF_MT_WITHDRAWN, sizeof MF_MT_WITHDRAWN - 1) &&
	    !memmem(entry.p, entry.n, "\"withdrawn\"", sizeof "\"withdrawn\"" - 1))
		return MF_ABSENT;
	if (mf_tuf_entry_info(d, entry, &info, &why) < 0 || mf_record_parse(&r, info.custom, &why) < 0)
		return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
	return r.withdrawn ? MF_FOUND : MF_ABSENT;
}

static struct mf_spread_part *part_of(const struct mf_spread *s, struct mf_str hex)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->parts[i].gone && mf_str_starts(hex, s->parts[i].digits))
			return &s->parts[i];
	return NULL;
}

static bool holds(const struct mf_tuf_file *f, struct mf_str name)
{
	return f && mf_tuf_target_find(f, name) >= 0;
}

/* ---- types */

static bool has_type(const struct mf_spread *s, struct mf_str type)
{
	for (size_t i = 0; i < s->ntypes; i++)
		if (mf_str_eq(s->types[i], type))
			return true;
	return false;
}

/* May the role hold all of the type? A path that says more than a type could not be divided further. */
static bool may_hold(const struct mf_spread *s, struct mf_str type)
{
	struct mf_buf stem MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TYPE + 16);
	struct mf_err ignored = MF_ERR_INIT;
	bool covered = !s->own_now->delegation;
	if (mf_buf_add_str(&stem, type, &ignored) < 0 || mf_buf_addz(&stem, "/sha256-", &ignored) < 0)
		return false;
	for (size_t i = 0; s->own_now->delegation && i < s->role->npaths; i++)
		covered |= dialect(s)->path_covers(s->role->paths[i], mf_buf_str(&stem));
	return covered && mf_tuf_loaded_covers(dialect(s), s->own_now, mf_buf_str(&stem));
}

static int add_type(struct mf_spread *s, struct mf_str type, struct mf_err *err)
{
	if (has_type(s, type))
		return 0;
	if (mf_grow((void **)&s->types, &s->types_cap, s->ntypes, sizeof *s->types, err) < 0)
		return -1;
	char *copy = mf_arena_dup(&s->arena, type, err);
	if (!copy)
		return -1;
	s->types[s->ntypes++] = (struct mf_str){copy, type.n};
	return 0;
}

/* Those that the role's own paths name. Where a path is another, or there is none because it is `targets`,
 * those that its shards have already, too; `place` adds what comes. */
static int first_types(struct mf_spread *s, struct mf_err *err)
{
	const struct mf_tuf_file *f = s->own_now->file;
	bool named = s->own_now->delegation != NULL;
	for (size_t i = 0; s->own_now->delegation && i < s->role->npaths; i++) {
		struct mf_str type = mf_tuf_path_type(dialect(s), s->role->paths[i]);
		named &= type.n > 0;
		if (type.n && may_hold(s, type) && add_type(s, type, err) < 0)
			return -1;
	}
	for (size_t i = 0; !named && i < f->nroles; i++)
		for (size_t k = 0;
		     mf_tuf_is_shard(dialect(s), s->own_now, &f->roles[i]) && k < f->roles[i].npaths; k++) {
			struct mf_str digits =
			    mf_tuf_shard_digits(dialect(s), s->own_now->role, &f->roles[i]);
			struct mf_str type = mf_tuf_shard_type(dialect(s), digits, f->roles[i].paths[k]);
			if (may_hold(s, type) && add_type(s, type, err) < 0)
				return -1;
		}
	return 0;
}

/* ---- parts */

static struct mf_spread_part *add_part(struct mf_spread *s, struct mf_str digits, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROLE_NAME);
	if (mf_grow((void **)&s->parts, &s->cap, s->n, sizeof *s->parts, err) < 0 ||
	    mf_tuf_put_shard_name(dialect(s), s->own_now->role, digits, &name, err) < 0)
		return NULL;
	struct mf_spread_part *p = &s->parts[s->n];
	*p = (struct mf_spread_part){.name = mf_arena_dup(&s->arena, mf_buf_str(&name), err)};
	if (!p->name)
		return NULL;
	p->digits = (struct mf_str){p->name + name.n - digits.n, digits.n};
	s->n++;
	return p;
}

/* Is this shard loaded for this very delegator? */
static const struct mf_tuf_file *loaded(const struct mf_spread *s, const char *name)
{
	const struct mf_tuf_set *set = &s->t->set;
	for (size_t i = 0; i < set->nroles; i++)
		if (set->roles[i]->parent == s->own_now &&
		    strcmp(mf_tuf_loaded_name(set->roles[i]), name) == 0)
			return set->roles[i]->file;
	return NULL;
}

static int list_parts(struct mf_spread *s, struct mf_err *err)
{
	const struct mf_tuf_file *f = s->own_now->file;
	for (size_t i = 0; i < f->nroles; i++) {
		struct mf_str digits = mf_tuf_shard_digits(dialect(s), s->own_now->role, &f->roles[i]);
		if (s->own_now->shard || !digits.n)
			continue;
		struct mf_spread_part *p = add_part(s, digits, err);
		if (!p)
			return -1;
		p->listed = &f->roles[i];
		p->old = loaded(s, p->name);
	}
	return 0;
}

/* What is there of the shard that a change touches must be known. */
static int need(struct mf_spread *s, struct mf_spread_part *p, struct mf_str name, struct mf_err *err)
{
	char hex[65] = "";
	const char *const subject[] = {hex, NULL};
	if (!p || p->old || !p->listed)
		return 0;
	memcpy(hex, name.p + name.n - 64, 64);
	if (mf_trust_load_shards(s->t, subject, err) < 0)
		return -1;
	p->old = loaded(s, p->name);
	const struct mf_trust_broken *b = p->old ? NULL : mf_trust_find_broken(s->t, p->name);
	if (b)
		return mf_fail(err, b->code, 0, "%s", b->why);
	return p->old ? 0 : mf_fail(err, MF_E_INTERNAL, 0, "'%s' is not loaded", p->name);
}

/* ---- placing */

/* Into the part that its name belongs to, or the role's own file. */
static int place(struct mf_spread *s, struct mf_tuf_edit e, struct mf_err *err)
{
	struct mf_str type, hex;
	struct mf_spread_part *p = is_record(e.name, &type, &hex) ? part_of(s, hex) : NULL;
	enum mf_found withdrawal = p ? is_withdrawal(dialect(s), e.entry, err) : MF_ABSENT;
	if (withdrawal == MF_FAILED)
		return -1;
	if (!p || withdrawal == MF_FOUND || !may_hold(s, type))
		return push(&s->own, e, err);
	return add_type(s, type, err) < 0 ? -1 : push(&p->edits, e, err);
}

/* An edit: its place gets it, and every other file of the role that has the name loses it. */
static int place_edit(struct mf_spread *s, struct mf_tuf_edit e, struct mf_err *err)
{
	const struct mf_tuf_edit removal = {.name = e.name};
	struct mf_str type, hex;
	struct mf_spread_part *p = is_record(e.name, &type, &hex) ? part_of(s, hex) : NULL;
	if (need(s, p, e.name, err) < 0)
		return -1;
	size_t before = s->own.n;
	if (e.entry.n && place(s, e, err) < 0)
		return -1;
	if (s->own.n == before && holds(s->own_now->file, e.name) && push(&s->own, removal, err) < 0)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		struct mf_spread_edits *v = &s->parts[i].edits;
		bool placed = v->n && mf_str_eq(v->v[v->n - 1].name, e.name);
		if (!placed && holds(s->parts[i].old, e.name) && push(v, removal, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- dividing */

/* An entry of an old file, canonical. */
static int old_entry(struct mf_spread *s, const struct mf_tuf_file *f, size_t i, struct mf_tuf_edit *out,
		     struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	struct mf_str value = mf_tuf_target_value(f, i);
	out->name = mf_tuf_target_name(f, i).raw;
	out->entry = value;
	if (f->was_canonical)
		return 0;
	if (mf_json_canonicalize_any(value, &b, err) < 0)
		return -1;
	char *copy = mf_arena_dup(&s->arena, mf_buf_str(&b), err);
	out->entry = (struct mf_str){copy, b.n};
	return copy ? 0 : -1;
}

static bool is_edited(const struct mf_tuf_edit *v, size_t n, struct mf_str name)
{
	const struct mf_tuf_edit key = {.name = name};
	return n && bsearch(&key, v, n, sizeof *v, mf_tuf_edit_cmp) != NULL;
}

/* All sixteen: a put finds its shard there, and the role's own file stays as it is. */
static int add_children(struct mf_spread *s, struct mf_str digits, struct mf_err *err)
{
	for (size_t i = 0; i < 16; i++) {
		char text[MF_MAX_SHARD_DIGITS + 1];
		memcpy(text, digits.p, digits.n);
		text[digits.n] = "0123456789abcdef"[i];
		if (!add_part(s, (struct mf_str){text, digits.n + 1}, err))
			return -1;
	}
	return 0;
}

/* The records of the role's own file go into shards. */
static int move_own(struct mf_spread *s, const struct mf_spread_change *c, struct mf_err *err)
{
	const struct mf_tuf_file *f = s->own_now->file;
	for (size_t i = 0; i < f->ntargets; i++) {
		struct mf_json_string name = mf_tuf_target_name(f, i);
		struct mf_str type, hex;
		struct mf_tuf_edit e;
		if (name.escaped || !is_record(name.raw, &type, &hex) ||
		    is_edited(c->edits, c->nedits, name.raw))
			continue;
		if (need(s, part_of(s, hex), name.raw, err) < 0 || old_entry(s, f, i, &e, err) < 0)
			return -1;
		size_t before = s->own.n;
		if (place(s, e, err) < 0)
			return -1;
		if (s->own.n > before) /* it stays */
			s->own.n = before;
		else if (push(&s->own, (struct mf_tuf_edit){.name = name.raw}, err) < 0)
			return -1;
	}
	return 0;
}

static size_t count(const struct mf_spread_part *p)
{
	size_t n = p->old ? p->old->ntargets : 0;
	for (size_t i = 0; i < p->edits.n; i++) {
		bool there = holds(p->old, p->edits.v[i].name), stays = p->edits.v[i].entry.n > 0;
		n = n + (!there && stays) - (there && !stays);
	}
	return n;
}

/* Of a name that comes twice, since two files had it, an entry goes before none. */
static void sort(struct mf_spread_edits *e)
{
	size_t n = 0;
	if (e->n)
		qsort(e->v, e->n, sizeof *e->v, mf_tuf_edit_cmp);
	for (size_t i = 0; i < e->n; i++) {
		bool again = n && mf_str_eq(e->v[n - 1].name, e->v[i].name);
		if (!again)
			e->v[n++] = e->v[i];
		else if (!e->v[n - 1].entry.n)
			e->v[n - 1] = e->v[i];
	}
	e->n = n;
}

/* What a part that has grown too large holds goes into parts of one digit more. */
static int divide(struct mf_spread *s, size_t at, struct mf_err *err)
{
	const struct mf_tuf_file *old = s->parts[at].old;
	struct mf_spread_edits edits = s->parts[at].edits;
	s->parts[at].gone = true;
	if (add_children(s, s->parts[at].digits, err) < 0)
		return -1;
	sort(&edits);
	for (size_t i = 0; i < edits.n; i++)
		if (edits.v[i].entry.n && place(s, edits.v[i], err) < 0)
			return -1;
	for (size_t i = 0; old && i < old->ntargets; i++) {
		struct mf_json_string name = mf_tuf_target_name(old, i);
		struct mf_tuf_edit e;
		/* A name that no shard's path covers counts for nobody. */
		if (name.escaped || is_edited(edits.v, edits.n, name.raw))
			continue;
		if (old_entry(s, old, i, &e, err) < 0 || place(s, e, err) < 0)
			return -1;
	}
	return 0;
}

static int divide_large(struct mf_spread *s, struct mf_err *err)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->parts[i].edits.n && s->parts[i].digits.n < MF_MAX_SHARD_DIGITS &&
		    count(&s->parts[i]) > mf_publish_shard_records && divide(s, i, err) < 0)
			return -1;
	return 0;
}

/* Can its delegations be shards? */
static bool may_spread(const struct mf_spread *s)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROLE_NAME);
	struct mf_err ignored = MF_ERR_INIT;
	return !s->own_now->shard && !s->role->nhash_prefixes &&
	       mf_tuf_put_shard_name(dialect(s), s->own_now->role, MF_STR("000"), &name, &ignored) == 0 &&
	       dialect(s)->delegation_name(mf_str_c(s->own_now->role), mf_buf_str(&name));
}

/* Has its own file more records than it shall have, with those that come? */
static enum mf_found is_large(const struct mf_spread *s, const struct mf_spread_change *c, struct mf_err *err)
{
	const struct mf_tuf_file *f = s->own_now->file;
	size_t n = s->n ? 0 : c->nedits, records = 0;
	struct mf_str type, hex;
	if (f->ntargets + n <= mf_publish_shard_records)
		return MF_ABSENT;
	for (size_t i = 0; i < f->ntargets; i++) {
		struct mf_json_string name = mf_tuf_target_name(f, i);
		if (name.escaped || !is_record(name.raw, &type, &hex) || !may_hold(s, type) ||
		    is_edited(c->edits, c->nedits, name.raw))
			continue;
		enum mf_found withdrawal = is_withdrawal(dialect(s), mf_tuf_target_value(f, i), err);
		if (withdrawal == MF_FAILED)
			return MF_FAILED;
		records += withdrawal == MF_ABSENT;
	}
	for (size_t i = 0; i < n; i++)
		records +=
		    c->edits[i].entry.n && is_record(c->edits[i].name, &type, &hex) && may_hold(s, type);
	return records > mf_publish_shard_records ? MF_FOUND : MF_ABSENT;
}

/* ---- what the role's own file says of its shards */

static bool same_keys(const struct mf_tuf_role *a, const struct mf_tuf_role *b)
{
	bool same = a->nkeys == b->nkeys && a->threshold == b->threshold;
	for (size_t i = 0; same && i < a->nkeys; i++) {
		bool found = false;
		for (size_t k = 0; k < b->nkeys; k++)
			found |= mf_str_eq(a->keys[i]->id, b->keys[k]->id) &&
				 mf_str_eq(a->keys[i]->raw, b->keys[k]->raw);
		same = found;
	}
	return same;
}

/* Is the shard listed as the role is listed now? */
static bool fits(const struct mf_spread *s, const struct mf_spread_part *p)
{
	bool same = same_keys(s->role, p->listed) && p->listed->npaths == s->ntypes;
	for (size_t i = 0; same && i < p->listed->npaths; i++)
		same = has_type(s, mf_tuf_shard_type(dialect(s), p->digits, p->listed->paths[i]));
	return same;
}

static const char *const *shard_paths(struct mf_spread *s, const struct mf_spread_part *p, struct mf_err *err)
{
	const char **v = mf_arena_alloc(&s->arena, s->ntypes, sizeof(char *), err);
	for (size_t i = 0; v && i < s->ntypes; i++) {
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TYPE + 32);
		if (mf_tuf_put_shard_path(dialect(s), s->types[i], p->digits, &b, err) < 0 ||
		    !(v[i] = mf_arena_dup(&s->arena, mf_buf_str(&b), err)))
			return NULL;
	}
	return v;
}

static struct mf_tuf_root_key *role_keys(struct mf_spread *s, struct mf_err *err)
{
	struct mf_tuf_root_key *v = mf_arena_alloc(&s->arena, s->role->nkeys, sizeof *v, err);
	for (size_t i = 0; v && i < s->role->nkeys; i++) {
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20);
		const struct mf_tuf_key *k = s->role->keys[i];
		if (mf_json_canonicalize(k->raw, &b, err) < 0)
			return NULL;
		char *object = mf_arena_dup(&s->arena, mf_buf_str(&b), err);
		v[i] = (struct mf_tuf_root_key){{object, b.n}, mf_arena_dup(&s->arena, k->id, err), 0};
		if (!object || !v[i].id)
			return NULL;
	}
	return v;
}

/* A shard that is divided stays listed, without paths, so that one more version of it can go out: on a Notary
 * server that is what makes whoever writes into it at the same time go again. With the next change of the
 * list it goes. */
static int list_shards(struct mf_spread *s, const struct mf_spread_change *c, struct mf_err *err)
{
	const struct mf_tuf_file *old = s->own_now->file;
	struct mf_tuf_delegation *v = mf_arena_alloc(&s->arena, s->n + old->nroles, sizeof *v, err);
	const struct mf_tuf_root_key *keys = v ? role_keys(s, err) : NULL;
	size_t n = 0;
	if (!keys)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		struct mf_spread_part *p = &s->parts[i];
		if (p->gone ? !p->listed : p->listed && fits(s, p))
			continue;
		v[n] = (struct mf_tuf_delegation){.name = p->name,
						  .keys = keys,
						  .nkeys = s->role->nkeys,
						  .threshold = s->role->threshold,
						  .paths = shard_paths(s, p, err),
						  .npaths = p->gone ? 0 : s->ntypes};
		if (!v[n++].paths)
			return -1;
	}
	if (!n)
		return 0;
	for (size_t i = 0; i < old->nroles; i++)
		if (mf_tuf_shard_divided(dialect(s), s->own_now->role, &old->roles[i]))
			v[n++] = (struct mf_tuf_delegation){.name = old->roles[i].name, .absent = true};
	mf_buf_init(&s->delegations, MF_MAX_TARGETS_BYTES);
	return mf_tuf_build_delegations(dialect(s),
					c->delegations ? *c->delegations : s->own_now->file->delegations_raw,
					v, n, &s->delegations, err);
}

/* ---- the whole */

int mf_publish_spread(struct mf_trust *t, const struct mf_spread_change *c, struct mf_spread *s,
		      struct mf_err *err)
{
	s->t = t;
	s->own_now = mf_tuf_set_find(&t->set, c->role);
	s->role = c->listed;
	if (!s->own_now || list_parts(s, err) < 0)
		return s->own_now ? -1 : 0;
	enum mf_found large = !may_spread(s) ? MF_ABSENT : is_large(s, c, err);
	if (large == MF_FAILED)
		return -1;
	if (!s->n && large == MF_ABSENT)
		return 0;
	s->spread = true;
	if (first_types(s, err) < 0 || (!s->n && add_children(s, MF_STR(""), err) < 0))
		return -1;
	for (size_t i = 0; i < c->nedits; i++)
		if (place_edit(s, c->edits[i], err) < 0)
			return -1;
	if ((large == MF_FOUND && move_own(s, c, err) < 0) || divide_large(s, err) < 0)
		return -1;
	sort(&s->own);
	for (size_t i = 0; i < s->n; i++)
		sort(&s->parts[i].edits);
	return list_shards(s, c, err);
}
