/* Between a change and its proposal: the intent that is written to a proposal, and the change that the intent
 * makes of the current state. */
#include "base/encode.h"
#include "crypto/hash.h"
#include "publish/proposal.h"
#include "trust/load.h"

/* ---- from a change to a proposal */

static int set(json_t *o, const char *name, json_t *value, struct mf_err *err)
{
	return json_object_set_new(o, name, value) < 0 ? mf_fail_nomem(err) : 0;
}

static int append(json_t *list, json_t *value, struct mf_err *err)
{
	return json_array_append(list, value) < 0 ? mf_fail_nomem(err) : 0;
}

static int set_time(json_t *o, const char *name, int64_t seconds, struct mf_err *err)
{
	char text[MF_TIME_LEN];
	mf_time_format(text, seconds);
	return set(o, name, json_string(text), err);
}

static int set_digest(json_t *o, const char *name, struct mf_bytes of, struct mf_err *err)
{
	char text[MF_DIGEST_TEXT];
	struct mf_digest d;
	if (mf_sha256(of, &d, err) < 0)
		return -1;
	mf_digest_format(text, &d);
	return set(o, name, json_string(text), err);
}

static int set_base64(json_t *o, const char *name, struct mf_bytes bytes, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PROPOSAL_BYTES);
	if (mf_b64_encode(&b, bytes, err) < 0)
		return -1;
	return set(o, name, json_string(mf_buf_str(&b).p), err);
}

static json_t *load(struct mf_str text, struct mf_err *err)
{
	return mf_json_load(mf_bytes_of(text), MF_MAX_PROPOSAL_BYTES, err);
}

enum mf_found mf_proposal_entry_now(const struct mf_trust *t, const char *role, struct mf_str name,
				    struct mf_buf *out, struct mf_err *err)
{
	size_t at;
	const struct mf_tuf_loaded *l = role ? mf_tuf_set_find_target(&t->set, role, name, &at) : NULL;
	if (!l)
		return MF_ABSENT;
	return mf_json_canonicalize_any(mf_tuf_target_value(l->file, at), out, err) < 0 ? MF_FAILED
											: MF_FOUND;
}

static int add_edit(json_t *edits, const struct mf_trust *t, const char *role, const struct mf_tuf_edit *e,
		    struct mf_err *err)
{
	struct mf_buf before MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	json_t *o MF_JSON_CLEANUP = json_object();
	json_t *entry = e->entry.n ? load(e->entry, err) : NULL;
	if (e->entry.n && !entry)
		return -1;
	if (entry && set(o, "entry", entry, err) < 0)
		return -1;
	enum mf_found had = mf_proposal_entry_now(t, role, e->name, &before, err);
	if (had == MF_FAILED ||
	    (had == MF_FOUND && set_digest(o, "before", mf_buf_bytes(&before), err) < 0) ||
	    set(o, "name", json_stringn(e->name.p, e->name.n), err) < 0)
		return -1;
	return append(edits, o, err);
}

static json_t *named(const json_t *roles, const char *name)
{
	json_t *role;
	size_t i;
	json_array_foreach(roles, i, role)
	{
		const char *text = json_string_value(json_object_get(role, "name"));
		if (text && strcmp(text, name) == 0)
			return role;
	}
	return NULL;
}

static int add_delegation(json_t *list, const char *name, const json_t *before, json_t *after,
			  struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	json_t *o MF_JSON_CLEANUP = json_object();
	if (set(o, "name", json_string(name), err) < 0 ||
	    (before && (mf_json_dump_canonical(before, &b, err) < 0 ||
			set_digest(o, "before", mf_buf_bytes(&b), err) < 0)) ||
	    (after && set(o, "entry", json_incref(after), err) < 0))
		return -1;
	return append(list, o, err);
}

/* The delegations that differ, by name; readers take the first of a name. */
static int add_delegations(json_t *intent, const json_t *old, const json_t *now, struct mf_err *err)
{
	json_t *list MF_JSON_CLEANUP = json_array(), *keys MF_JSON_CLEANUP = json_object(), *role, *key;
	const json_t *before = json_object_get(old, "roles"), *after = json_object_get(now, "roles");
	const char *id;
	size_t i;
	json_array_foreach(before, i, role)
	{
		const char *name = json_string_value(json_object_get(role, "name"));
		if (name && !named(after, name) && add_delegation(list, name, role, NULL, err) < 0)
			return -1;
	}
	json_array_foreach(after, i, role)
	{
		const char *name = json_string_value(json_object_get(role, "name"));
		json_t *was = name ? named(before, name) : NULL;
		if (name && named(after, name) == role && !(was && json_equal(was, role)) &&
		    add_delegation(list, name, was, role, err) < 0)
			return -1;
	}
	json_object_foreach(json_object_get(now, "keys"), id, key)
	{
		if (!json_object_get(json_object_get(old, "keys"), id) &&
		    set(keys, id, json_incref(key), err) < 0)
			return -1;
	}
	return set(intent, "delegations", json_incref(list), err) < 0
		   ? -1
		   : set(intent, "keys", json_incref(keys), err);
}

static int put_delegations(json_t *intent, const struct mf_tuf_file *base, const struct mf_tuf_file *parent,
			   struct mf_err *err)
{
	struct mf_str none = MF_STR("{\"keys\":{},\"roles\":[]}");
	json_t *old MF_JSON_CLEANUP =
			load(base && base->delegations_raw.n ? base->delegations_raw : none, err),
		    *now MF_JSON_CLEANUP = old ? load(parent->delegations_raw, err) : NULL;
	return now ? add_delegations(intent, old, now, err) : -1;
}

static int put_resign(json_t *intent, const struct mf_publish_change *c, struct mf_err *err)
{
	json_t *list MF_JSON_CLEANUP = json_array();
	for (size_t i = 0; i < c->nresign; i++) {
		const struct mf_publish_resign *r = &c->resign[i];
		json_t *o MF_JSON_CLEANUP = json_object();
		/* Only whoever has seen the broken file can tell that nothing is lost. */
		if (r->empty)
			return mf_fail(err, MF_E_USAGE, 0, "an empty file of role '%s' cannot be proposed",
				       r->role);
		if (set(o, "role", json_string(r->role), err) < 0 || append(list, o, err) < 0)
			return -1;
	}
	return set(intent, "resign", json_incref(list), err);
}

static int put_meta(json_t *intent, unsigned meta, struct mf_err *err)
{
	static const enum mf_tuf_type types[] = {MF_TUF_SNAPSHOT, MF_TUF_TIMESTAMP};
	static const char *const names[] = {"snapshot", "timestamp"};
	json_t *list MF_JSON_CLEANUP = json_array();
	for (size_t i = 0; i < 2; i++) {
		json_t *name MF_JSON_CLEANUP = json_string(names[i]);
		if (meta >> types[i] & 1 && append(list, name, err) < 0)
			return -1;
	}
	return set(intent, "meta", json_incref(list), err);
}

/* The file of a role or a shard that is there now. */
static const struct mf_tuf_file *base_of(const struct mf_trust *t, const char *name)
{
	const struct mf_tuf_loaded *l = mf_tuf_set_find_file(&t->set, name);
	return strcmp(name, "root") == 0 ? t->set.root : l ? l->file : NULL;
}

bool mf_proposal_is_there(const struct mf_proposal_file *f, const struct mf_trust *t)
{
	const struct mf_tuf_file *now = base_of(t, f->role);
	return now && mf_str_eq(f->signed_part, now->canonical);
}

static int put_intent(json_t *tree, struct mf_trust *t, const struct mf_publish_change *c,
		      const struct mf_outgoing *o, struct mf_err *err)
{
	json_t *intent MF_JSON_CLEANUP = json_object(), *edits MF_JSON_CLEANUP = json_array();
	const struct mf_tuf_file *base = c->role ? base_of(t, c->role) : NULL;
	if (c->role && set(intent, "role", json_string(c->role), err) < 0)
		return -1;
	for (size_t i = 0; i < c->nedits; i++)
		if (add_edit(edits, t, c->role, &c->edits[i], err) < 0)
			return -1;
	if (set(intent, "edits", json_incref(edits), err) < 0 ||
	    (c->delegations && put_delegations(intent, base, o->parent, err) < 0) ||
	    put_resign(intent, c, err) < 0 || put_meta(intent, c->meta, err) < 0 ||
	    (c->root_last && set(intent, "rootLast", json_true(), err) < 0))
		return -1;
	return set(tree, "intent", json_incref(intent), err);
}

static int put_signatures(json_t *o, const struct mf_tuf_file *f, struct mf_err *err)
{
	json_t *list MF_JSON_CLEANUP = json_array();
	for (size_t i = 0; i < f->nsignatures; i++) {
		const struct mf_tuf_signature *s = &f->signatures[i];
		json_t *one MF_JSON_CLEANUP = json_object();
		if (set(one, "keyid", json_stringn(s->keyid.p, s->keyid.n), err) < 0 ||
		    (s->method.n && set(one, "method", json_stringn(s->method.p, s->method.n), err) < 0) ||
		    set_base64(one, "sig", s->sig, err) < 0 || append(list, one, err) < 0)
			return -1;
	}
	return set(o, "signatures", json_incref(list), err);
}

static int put_base(json_t *o, const struct mf_tuf_file *base, struct mf_err *err)
{
	json_t *b MF_JSON_CLEANUP = json_object();
	if (!base)
		return 0;
	if (set(b, "version", json_integer(base->version), err) < 0 ||
	    set_digest(b, "sha256", mf_buf_bytes(&base->bytes), err) < 0)
		return -1;
	return set(o, "base", json_incref(b), err);
}

static int add_file(json_t *files, struct mf_trust *t, const struct mf_publish_file *v, struct mf_err *err)
{
	struct mf_buf copy MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	json_t *o MF_JSON_CLEANUP = json_object();
	enum mf_tuf_type type = strcmp(v->role, "root") == 0 ? MF_TUF_ROOT : MF_TUF_TARGETS;
	if (mf_buf_add(&copy, v->bytes.p, v->bytes.n, err) < 0)
		return -1;
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(mf_trust_dialect(t), type, &copy, err);
	if (!f || set(o, "role", json_string(v->role), err) < 0 ||
	    put_base(o, base_of(t, v->role), err) < 0 ||
	    set(o, "version", json_integer(f->version), err) < 0 ||
	    set_time(o, "expires", f->expires, err) < 0 ||
	    set_base64(o, "signed", mf_bytes_of(f->canonical), err) < 0 || put_signatures(o, f, err) < 0)
		return -1;
	return append(files, o, err);
}

static int put_head(json_t *tree, const struct mf_proposal *p, const struct mf_trust *t, struct mf_err *err)
{
	if (set(tree, "v", json_integer(1), err) < 0 ||
	    set(tree, "mediaType", json_string(MF_MT_PROPOSAL), err) < 0 ||
	    set(tree, "dialect", json_string(mf_trust_dialect(t)->name), err) < 0 ||
	    set(tree, "repository", json_string(mf_trust_gun(t)), err) < 0 ||
	    set(tree, "image", json_string(p->image), err) < 0 ||
	    set_time(tree, "created", p->created, err) < 0)
		return -1;
	return set_time(tree, "expires", p->expires, err);
}

static int fail_large(struct mf_err *err)
{
	(void)mf_fail(err, MF_E_USAGE, 0, "the proposal would have more than %zu files, or more than %zu MiB",
		      (size_t)MF_MAX_PROPOSAL_FILES, MF_MAX_PROPOSAL_BYTES >> 20);
	mf_err_set_hint(
	    err, "propose the change of fewer records at once; before keys go, let those that stay sign "
		 "the role with 'manifesto role sign --propose', a part of its files at a time");
	return -1;
}

/* In base64, with a mebibyte for all that is not a file. */
static bool is_large(const struct mf_outgoing *o)
{
	size_t octets = (size_t)1 << 20;
	for (size_t i = 0; i < o->n; i++)
		octets += (o->v[i].bytes.n + 2) / 3 * 4;
	return o->n > MF_MAX_PROPOSAL_FILES || octets > MF_MAX_PROPOSAL_BYTES;
}

int mf_proposal_take(struct mf_proposal *p, struct mf_trust *t, const struct mf_publish_change *c,
		     const struct mf_outgoing *o, struct mf_err *err)
{
	struct mf_proposal now MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PROPOSAL_BYTES);
	json_t *tree MF_JSON_CLEANUP = p->tree ? mf_json_copy(p->tree, err) : json_object();
	json_t *files MF_JSON_CLEANUP = json_array();
	if (!tree)
		return err->code ? -1 : mf_fail_nomem(err);
	if (is_large(o))
		return fail_large(err);
	if (!p->tree && (put_head(tree, p, t, err) < 0 || put_intent(tree, t, c, o, err) < 0))
		return -1;
	for (size_t i = 0; i < o->n; i++)
		if (add_file(files, t, &o->v[i], err) < 0)
			return -1;
	if (set(tree, "files", json_incref(files), err) < 0 ||
	    mf_json_dump(tree, JSON_COMPACT | JSON_SORT_KEYS, &doc, err) < 0 ||
	    mf_proposal_parse(&now, mf_buf_bytes(&doc), err) < 0)
		return mf_wrap(err, "the proposal");
	now.moved = o->moved;
	now.dropped = o->dropped;
	now.added = o->added;
	now.missing = o->missing;
	mf_proposal_clear(p);
	*p = now;
	now = (struct mf_proposal){.arena = MF_ARENA_INIT};
	return 0;
}

/* ---- from a proposal to a change */

static int check_head(const struct mf_proposal *p, const struct mf_trust *t, struct mf_err *err)
{
	struct mf_esc e;
	char when[MF_TIME_LEN];
	if (strcmp(p->repository, mf_trust_gun(t)) != 0)
		return mf_fail(err, MF_E_USAGE, 0, "the proposal is for repository '%s', expected '%s'",
			       mf_esc(&e, mf_str_c(p->repository)), mf_trust_gun(t));
	if (strcmp(p->dialect, mf_trust_dialect(t)->name) != 0)
		return mf_fail(err, MF_E_FORMAT, 0, "the proposal is in dialect '%s', expected '%s'",
			       mf_esc(&e, mf_str_c(p->dialect)), mf_trust_dialect(t)->name);
	if (p->expires > t->set.now)
		return 0;
	mf_time_format(when, p->expires);
	(void)mf_fail(err, MF_E_RECORD_EXPIRED, 0, "the proposal has expired: it was open until %s", when);
	mf_err_set_hint(err, "propose the change again");
	return -1;
}

static int fail_changed(const char *what, struct mf_str name, const char *role, struct mf_err *err)
{
	struct mf_esc e, e2;
	(void)mf_fail(err, MF_E_CONFLICT, 0, "somebody has changed %s '%s' of '%s' since it was proposed",
		      what, mf_esc(&e, name), mf_esc(&e2, mf_str_c(role)));
	mf_err_set_hint(err,
			"read what is there now; 'manifesto proposal drop' removes the proposal, and the "
			"change can be proposed again");
	return -1;
}

static enum mf_found same_hash(struct mf_str text, const struct mf_digest *d, struct mf_err *err)
{
	struct mf_digest now;
	if (mf_sha256(mf_bytes_of(text), &now, err) < 0)
		return MF_FAILED;
	return mf_digest_eq(&now, d) ? MF_FOUND : MF_ABSENT;
}

/* What a change finds. */
enum due {
	DUE_FAILED = -1,
	DUE_NOT,    /* it is so already */
	DUE,        /* what is there is what it was proposed for */
	DUE_CHANGED /* by somebody else */
};

static enum due is_due(struct mf_str now, struct mf_str wanted, const struct mf_digest *before,
		       struct mf_err *err)
{
	if (mf_str_eq(now, wanted))
		return DUE_NOT;
	if (!before || !now.n)
		return !before && !now.n ? DUE : DUE_CHANGED;
	enum mf_found same = same_hash(now, before, err);
	return same == MF_FAILED ? DUE_FAILED : same == MF_FOUND ? DUE : DUE_CHANGED;
}

/* The shards that the composer goes through: those of the records; of a change of keys all. */
static int load_shards(const struct mf_proposal *p, struct mf_trust *t, struct mf_err *err)
{
	static const char *const all[] = {"", NULL};
	char(*hex)[65] MF_FREE = mf_calloc(p->nedits + 1, sizeof *hex);
	const char **subjects MF_FREE = mf_calloc(p->nedits + 1, sizeof(char *));
	size_t n = 0;
	if (!hex || !subjects)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < p->nedits; i++) {
		struct mf_digest subject;
		if (!mf_tuf_name_subject(p->edits[i].name, &subject))
			continue;
		mf_digest_hex(hex[n], &subject);
		subjects[n] = hex[n];
		n++;
	}
	bool keys = p->ndelegations || p->nresign || mf_proposal_find(p, "root");
	return mf_trust_load_shards(t, keys ? all : subjects, err);
}

static int fill_edits(struct mf_proposal *p, const struct mf_trust *t, struct mf_publish_change *out,
		      struct mf_err *err)
{
	p->now = mf_arena_alloc(&p->arena, p->nedits, sizeof *p->now, err);
	for (size_t i = 0; p->now && i < p->nedits; i++) {
		const struct mf_proposal_edit *e = &p->edits[i];
		struct mf_buf now MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
		if (mf_proposal_entry_now(t, p->role, e->name, &now, err) == MF_FAILED)
			return -1;
		enum due due = is_due(mf_buf_str(&now), e->entry, e->had ? &e->before : NULL, err);
		if (due == DUE_CHANGED)
			return fail_changed("target", e->name, p->role, err);
		if (due == DUE_FAILED)
			return -1;
		if (due == DUE)
			p->now[out->nedits++] = (struct mf_tuf_edit){e->name, e->entry};
	}
	out->edits = p->now;
	return p->now ? 0 : -1;
}

/* ---- delegations */

static int goal_paths(struct mf_proposal *p, const json_t *entry, struct mf_tuf_delegation *g,
		      struct mf_err *err)
{
	const json_t *paths = json_object_get(entry, "paths");
	const char **v = mf_arena_alloc(&p->arena, json_array_size(paths), sizeof(char *), err);
	g->npaths = json_array_size(paths);
	for (size_t i = 0; v && i < g->npaths; i++)
		if (!(v[i] = json_string_value(json_array_get(paths, i))))
			return mf_fail(err, MF_E_FORMAT, 0, "a path of role '%s' is not a string", g->name);
	g->paths = paths ? v : NULL;
	return v ? 0 : -1;
}

static int goal_key(struct mf_proposal *p, const json_t *listed, const char *id, struct mf_tuf_root_key *out,
		    struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20);
	json_t *object = json_object_get(p->keys, id);
	struct mf_esc e;
	out->id = id;
	if (!object && !json_object_get(listed, id))
		return mf_fail(err, MF_E_FORMAT, 0, "the proposal has no key '%s'", mf_esc(&e, mf_str_c(id)));
	if (!object)
		return 0;
	if (mf_json_dump(object, JSON_COMPACT | JSON_SORT_KEYS, &b, err) < 0)
		return -1;
	char *copy = mf_arena_dup(&p->arena, mf_buf_str(&b), err);
	out->object = (struct mf_str){copy, b.n};
	return copy ? 0 : -1;
}

/* What the composer is asked for: names, keys, threshold and paths. Whatever else an entry has makes other
 * bytes than those that are proposed. */
static int goal_of(struct mf_proposal *p, const struct mf_proposal_delegation *d, const json_t *listed,
		   struct mf_tuf_delegation *g, struct mf_err *err)
{
	json_t *ids;
	*g = (struct mf_tuf_delegation){.name = d->name, .absent = !d->entry};
	if (g->absent)
		return 0;
	if (mf_json_get_int(d->entry, "threshold", MF_JSON_REQUIRED, 1, MF_MAX_SIGNATURES, &g->threshold,
			    err) < 0 ||
	    mf_json_get_arr(d->entry, "keyids", MF_JSON_REQUIRED, &ids, err) < 0 ||
	    goal_paths(p, d->entry, g, err) < 0)
		return -1;
	struct mf_tuf_root_key *keys = mf_arena_alloc(&p->arena, json_array_size(ids), sizeof *keys, err);
	g->nkeys = json_array_size(ids);
	for (size_t i = 0; keys && i < g->nkeys; i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		if (!id)
			return mf_fail(err, MF_E_FORMAT, 0, "a key ID of role '%s' is not a string", g->name);
		if (goal_key(p, listed, id, &keys[i], err) < 0)
			return -1;
	}
	g->keys = keys;
	return keys ? 0 : -1;
}

static enum due delegation_due(const struct mf_proposal_delegation *d, const json_t *roles,
			       struct mf_err *err)
{
	struct mf_buf now MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES),
			  wanted MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	const json_t *there = named(roles, d->name);
	if ((there && mf_json_dump_canonical(there, &now, err) < 0) ||
	    (d->entry && mf_json_dump_canonical(d->entry, &wanted, err) < 0))
		return DUE_FAILED;
	return is_due(mf_buf_str(&now), mf_buf_str(&wanted), d->had ? &d->before : NULL, err);
}

static int fill_delegations(struct mf_proposal *p, const struct mf_trust *t, struct mf_publish_change *out,
			    struct mf_err *err)
{
	const struct mf_tuf_file *base = p->role ? base_of(t, p->role) : NULL;
	struct mf_str none = MF_STR("{\"keys\":{},\"roles\":[]}"),
		      raw = base && base->delegations_raw.n ? base->delegations_raw : none;
	size_t n = 0;
	if (!p->ndelegations)
		return 0;
	json_t *old MF_JSON_CLEANUP = load(raw, err);
	struct mf_tuf_delegation *goals = mf_arena_alloc(&p->arena, p->ndelegations, sizeof *goals, err);
	if (!old || !goals)
		return -1;
	for (size_t i = 0; i < p->ndelegations; i++) {
		const struct mf_proposal_delegation *d = &p->delegations[i];
		enum due due = delegation_due(d, json_object_get(old, "roles"), err);
		if (due == DUE_CHANGED)
			return fail_changed("role", mf_str_c(d->name), p->role, err);
		if (due == DUE_FAILED ||
		    (due == DUE && goal_of(p, d, json_object_get(old, "keys"), &goals[n], err) < 0))
			return -1;
		n += due == DUE;
	}
	if (!n)
		return 0;
	mf_buf_clear(&p->delegations_now);
	mf_buf_init(&p->delegations_now, MF_MAX_TARGETS_BYTES);
	if (mf_tuf_build_delegations(mf_trust_dialect(t), raw, goals, n, &p->delegations_now, err) < 0)
		return -1;
	p->delegations_text = mf_buf_str(&p->delegations_now);
	out->delegations = &p->delegations_text;
	return 0;
}

/* ---- whole files */

enum mf_found mf_proposal_same_base(const struct mf_proposal_file *f, const struct mf_tuf_file *base,
				    struct mf_err *err)
{
	if (!base || f->base != base->version)
		return !base && f->base == 0 ? MF_FOUND : MF_ABSENT;
	return same_hash(mf_buf_str(&base->bytes), &f->base_hash, err);
}

/* A root is one thing: whoever published another one since has changed the same. */
static enum mf_found fill_root(struct mf_proposal *p, const struct mf_trust *t, struct mf_publish_change *out,
			       struct mf_err *err)
{
	const struct mf_proposal_file *f = mf_proposal_find(p, "root");
	if (!f || mf_str_eq(f->signed_part, t->set.root->canonical))
		return MF_ABSENT;
	enum mf_found same = mf_proposal_same_base(f, t->set.root, err);
	if (same == MF_FOUND)
		out->root = &f->signed_part;
	return same == MF_ABSENT ? (enum mf_found)fail_changed("the file", MF_STR("root"), "root", err)
				 : same;
}

/* Re-signing follows from a change, and is done with it; alone, it is done when the very file is there. */
static bool is_done(const struct mf_proposal *p, const struct mf_trust *t, const struct mf_publish_change *c)
{
	bool follows = p->nedits || p->ndelegations || mf_proposal_find(p, "root");
	if (follows)
		return !c->role && !c->root;
	for (size_t i = 0; i < p->nresign; i++) {
		const struct mf_proposal_file *f = mf_proposal_find(p, p->resign[i].role);
		if (!f || !mf_proposal_is_there(f, t))
			return false;
	}
	return true;
}

enum mf_found mf_proposal_fill(void *arg, struct mf_trust *t, struct mf_publish_change *out,
			       struct mf_err *err)
{
	struct mf_proposal *p = arg;
	*out = (struct mf_publish_change){.role = p->role,
					  .resign = p->resign,
					  .nresign = p->nresign,
					  .root_last = p->root_last,
					  .meta = p->meta};
	if (check_head(p, t, err) < 0 || load_shards(p, t, err) < 0 || fill_edits(p, t, out, err) < 0 ||
	    fill_delegations(p, t, out, err) < 0 || fill_root(p, t, out, err) == MF_FAILED)
		return MF_FAILED;
	if (!out->nedits && !out->delegations)
		out->role = NULL;
	return is_done(p, t, out) ? MF_ABSENT : MF_FOUND;
}
