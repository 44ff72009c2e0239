/* Describes a proposal to the person who is to sign it: everything that the signatures will cover. Most of it
 * is described from the change that the proposal states, since the files to be signed were composed from
 * that. A root comes as a whole file, and is compared with the current root. JSON members for which there is
 * no other description are shown as they are written. */
#include "base/encode.h"
#include "ops/proposal.h"
#include "ops/write.h"
#include "tuf/build.h"

struct view {
	struct mf_image *im;
	const struct mf_proposal *p;
	const struct mf_outgoing *o;
	struct mf_arena *a;
	struct manifesto_proposal *out;
	struct manifesto_proposal_file *files;
	size_t nfiles;
	struct manifesto_proposal_record *records;
	size_t nrecords;
	struct manifesto_role_change *changes;
	size_t nchanges, changes_cap;
};

static void view_clear(struct view *v)
{
	free(v->changes);
}

/* Adds a change. `detail` is a text of the arena, or NULL if there was no memory for it, which mf_arena_check
 * reports. */
static int add_change(struct view *v, const char *what, const char *role, const char *detail,
		      struct mf_err *err)
{
	if (mf_grow((void **)&v->changes, &v->changes_cap, v->nchanges, sizeof *v->changes, err) < 0)
		return -1;
	v->changes[v->nchanges++] = (struct manifesto_role_change){what, mf_arena_text(v->a, role), detail};
	return 0;
}

static int add_json(struct view *v, const char *what, const char *role, struct mf_str name,
		    const json_t *value, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (value && mf_json_dump(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY, &text, err) < 0)
		return -1;
	return add_change(
	    v, what, role,
	    mf_arena_format(v->a, "%.*s=%s", MF_STR_ARG(name), value ? mf_buf_str(&text).p : ""), err);
}

static int add_key(struct view *v, const char *what, const char *role, const struct mf_tuf_key *k,
		   struct mf_err *err)
{
	char hex[65];
	if (!k->pub || !k->id_fits)
		return add_change(v, what, role,
				  mf_arena_format(v->a, "of an unknown type, ID %.*s", MF_STR_ARG(k->id)),
				  err);
	mf_pubkey_hex(hex, k->pub);
	return add_change(v, what, role, mf_arena_text(v->a, hex), err);
}

/* ---- the files */

static struct mf_tuf_file *parse(const struct view *v, const struct mf_publish_file *f, struct mf_err *err)
{
	struct mf_buf copy MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	enum mf_tuf_type type = strcmp(f->role, "root") == 0 ? MF_TUF_ROOT : MF_TUF_TARGETS;
	if (mf_buf_add(&copy, f->bytes.p, f->bytes.n, err) < 0)
		return NULL;
	return mf_tuf_parse_unverified(mf_trust_dialect(v->im->trust), type, &copy, err);
}

static bool has_signed(const struct mf_tuf_file *f, const struct mf_tuf_key *k)
{
	for (size_t i = 0; i < f->nsignatures; i++)
		if (mf_str_eq(f->signatures[i].keyid, k->id))
			return true;
	return false;
}

/* The keys that may sign the files of a role, each once. A key is a signer when it has signed every file: its
 * signed_files is then nfiles. */
struct signers {
	struct mf_pubkey **keys;
	size_t *signed_files;
	size_t nkeys, nfiles;
};

static void signers_clear(struct signers *s)
{
	free(s->keys);
	free(s->signed_files);
}

static size_t add_key_once(struct signers *s, struct mf_pubkey *k)
{
	size_t at = 0;
	while (at < s->nkeys && !mf_pubkey_eq(s->keys[at], k))
		at++;
	s->keys[at] = k;
	s->nkeys += at == s->nkeys;
	return at;
}

/* Adds the keys of one role. If a file is signed for two roles, or the role has several files, threshold and
 * missing signatures are those where more are missing. */
static void add_signers(struct signers *s, const struct mf_tuf_file *f, const struct mf_tuf_role *role,
			struct manifesto_proposal_file *out)
{
	size_t threshold = (size_t)role->threshold, n = 0;
	for (size_t i = 0; i < role->nkeys; i++) {
		struct mf_pubkey *k = role->keys[i]->pub;
		if (!k || !role->keys[i]->id_fits)
			continue;
		size_t at = add_key_once(s, k), *files = &s->signed_files[at];
		n += has_signed(f, role->keys[i]);
		if (has_signed(f, role->keys[i]) && *files + 1 == s->nfiles)
			*files = s->nfiles;
	}
	size_t missing = n < threshold ? threshold - n : 0;
	if (!out->threshold || missing > out->missing) {
		out->threshold = threshold;
		out->missing = missing;
	}
}

/* Returns the role that a composed file belongs to. */
static const char *role_of(const struct view *v, const struct mf_publish_file *f)
{
	const struct mf_outgoing_shard *s = mf_outgoing_shard(v->o, f->role);
	return s ? s->role : f->role;
}

static const struct mf_tuf_file *base_of(const struct view *v, const char *name)
{
	const struct mf_tuf_set *set = mf_trust_set(v->im->trust);
	const struct mf_tuf_loaded *l = mf_tuf_set_find_file(set, name);
	return strcmp(name, "root") == 0 ? set->root : l ? l->file : NULL;
}

/* Adds one file of the role. Its own file is the last one, if it changes; the expiry is the earliest of all.
 */
static int describe_file(struct view *v, const struct mf_publish_file *f, struct signers *s,
			 struct manifesto_proposal_file *out, struct mf_err *err)
{
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP = parse(v, f, err);
	const struct mf_tuf_file *base = base_of(v, f->role);
	const struct mf_tuf_role *also, *role = mf_outgoing_role(v->im->trust, v->o, role_of(v, f), &also);
	if (!file)
		return -1;
	out->version = file->version;
	out->expires = out->expires && out->expires < file->expires ? out->expires : file->expires;
	out->base_version = base ? base->version : 0;
	s->nfiles++;
	add_signers(s, file, role, out);
	if (also)
		add_signers(s, file, also, out);
	return 0;
}

/* A root that changes its own keys must be signed by the old and by the new ones: both are shown. All files
 * of a role are shown as one. A key has signed it if it has signed all of them. */
static int describe_role(struct view *v, const char *name, struct manifesto_proposal_file *out,
			 struct mf_err *err)
{
	const struct mf_tuf_role *also, *role = mf_outgoing_role(v->im->trust, v->o, name, &also);
	size_t most = role->nkeys + (also ? also->nkeys : 0), nsigned = 0;
	struct signers s MF_CLEANUP(signers_clear) = {.keys = mf_calloc(most, sizeof(struct mf_pubkey *)),
						      .signed_files = mf_calloc(most, sizeof(size_t))};
	struct mf_pubkey **signed_by MF_FREE = mf_calloc(most, sizeof(struct mf_pubkey *));
	if (!s.keys || !s.signed_files || !signed_by)
		return mf_fail_nomem(err);
	*out = (struct manifesto_proposal_file){.role = mf_arena_text(v->a, name)};
	for (size_t i = 0; i < v->o->n; i++)
		if (strcmp(role_of(v, &v->o->v[i]), name) == 0 &&
		    describe_file(v, &v->o->v[i], &s, out, err) < 0)
			return -1;
	for (size_t i = 0; i < s.nkeys; i++)
		if (s.signed_files[i] == s.nfiles)
			signed_by[nsigned++] = s.keys[i];
	return mf_report_keys(v->im->m, signed_by, nsigned, v->a, &out->signers, &out->nsigners, err) < 0
		   ? -1
		   : mf_report_keys(v->im->m, s.keys, s.nkeys, v->a, &out->keys, &out->nkeys, err);
}

static int describe_files(struct view *v, struct mf_err *err)
{
	v->files = mf_arena_alloc(v->a, v->o->n, sizeof *v->files, err);
	for (size_t i = 0; v->files && i < v->o->n; i++) {
		const char *name = role_of(v, &v->o->v[i]);
		bool again = false;
		for (size_t k = 0; k < v->nfiles; k++)
			again |= strcmp(v->files[k].role, name) == 0;
		if (!again && describe_role(v, name, &v->files[v->nfiles], err) < 0)
			return -1;
		if (!again && !v->files[v->nfiles++].role)
			return mf_arena_check(v->a, err);
	}
	return v->files ? 0 : -1;
}

/* ---- records */

/* Is the entry exactly what this program would write for the record in it? Then the description of the record
 * shows all of it. */
static enum mf_found is_plain(struct view *v, const struct mf_entry *e, struct mf_str name,
			      struct mf_str entry, struct mf_err *err)
{
	struct mf_record_binding b = {.name = name, .length = e->info.length, .sha256 = e->info.sha256};
	struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 4);
	if (!e->record.tree)
		return MF_ABSENT;
	if (mf_write_entry(mf_trust_dialect(v->im->trust), &b, e->record.tree, &again, err) < 0)
		return MF_FAILED;
	return mf_str_eq(mf_buf_str(&again), entry) ? MF_FOUND : MF_ABSENT;
}

/* Reads the record or veto that a role has under a name. MF_ABSENT: there is no entry, or it is neither. */
static enum mf_found read_entry(const struct mf_tuf_set *set, const char *role, struct mf_str name,
				struct mf_entry *out, struct mf_err *err)
{
	size_t at;
	const struct mf_tuf_loaded *l = mf_tuf_set_find_target(set, role, name, &at);
	if (!l)
		return MF_ABSENT;
	int rc = mf_entry_read(set, l, at, out, err);
	if (rc)
		return rc < 0 ? MF_FAILED : MF_FOUND;
	return mf_veto_read(set, l, at, out, err);
}

static const struct manifesto_record *describe_record(struct view *v, const struct mf_entry *e,
						      struct mf_err *err)
{
	struct manifesto_record *r = mf_arena_alloc(v->a, 1, sizeof *r, err);
	if (!r || mf_report_record(v->im, e, NULL, v->a, r, err) < 0 ||
	    (e->record.tree && mf_report_others(&e->record, v->a, r, err) < 0))
		return NULL;
	/* Without the tag of the reference: the record may be of another image than the tag. */
	const struct mf_ref *ref = &v->im->ref;
	if (ref->transport == MF_TRANSPORT_LAYOUT)
		r->image = mf_arena_format(v->a, "oci:%s@%s", ref->dir, r->subject);
	return r;
}

/* The set as it will be: copies of the loaded roles, with the composed files. */
struct next {
	struct mf_tuf_set set;
	struct mf_tuf_loaded *copies, **roles;
	struct mf_tuf_file **files;
	size_t ncopies, nfiles;
};

static void next_clear(struct next *n)
{
	for (size_t i = 0; i < n->nfiles; i++)
		mf_tuf_file_free(n->files[i]);
	free(n->files);
	free(n->copies);
	free(n->roles);
}

static struct mf_tuf_loaded *add_copy(struct next *n, struct mf_tuf_loaded l)
{
	struct mf_tuf_loaded *copy = &n->copies[n->ncopies++];
	*copy = l;
	n->roles[n->set.nroles++] = copy;
	return copy;
}

/* The parent of a copy is a copy. */
static int copy_roles(struct next *n, const struct mf_tuf_set *set, size_t more, struct mf_err *err)
{
	n->copies = mf_calloc(set->nroles + more, sizeof *n->copies);
	n->roles = mf_calloc(set->nroles + more, sizeof(struct mf_tuf_loaded *));
	n->files = mf_calloc(more, sizeof(struct mf_tuf_file *));
	if (!n->copies || !n->roles || !n->files)
		return mf_fail_nomem(err);
	n->set = *set;
	n->set.roles = n->roles;
	n->set.nroles = 0;
	for (size_t i = 0; i < set->nroles; i++) {
		struct mf_tuf_loaded *copy = add_copy(n, *set->roles[i]);
		for (size_t k = 0; k < i; k++)
			if (set->roles[i]->parent == set->roles[k])
				copy->parent = &n->copies[k];
	}
	return 0;
}

static void drop_copy(struct next *n, const char *name)
{
	size_t kept = 0;
	for (size_t i = 0; i < n->set.nroles; i++)
		if (strcmp(mf_tuf_loaded_name(n->roles[i]), name) != 0)
			n->roles[kept++] = n->roles[i];
	n->set.nroles = kept;
}

static struct mf_tuf_loaded *find_copy(const struct next *n, const char *name)
{
	for (size_t i = 0; i < n->set.nroles; i++)
		if (strcmp(mf_tuf_loaded_name(n->roles[i]), name) == 0)
			return n->roles[i];
	return NULL;
}

/* A composed file replaces the present one, or is added. A shard that is divided is not read any more. */
static int take_file(struct view *v, struct next *n, const struct mf_publish_file *f, struct mf_err *err)
{
	const struct mf_tuf_role *also;
	const struct mf_outgoing_shard *s = mf_outgoing_shard(v->o, f->role);
	struct mf_tuf_loaded *l = find_copy(n, f->role);
	if (s && s->divided) {
		drop_copy(n, f->role);
		return 0;
	}
	struct mf_tuf_file *file = n->files[n->nfiles] = parse(v, f, err);
	if (!file)
		return -1;
	n->nfiles++;
	if (!l)
		l = add_copy(n, (struct mf_tuf_loaded){.role = role_of(v, f),
						       .parent = s ? find_copy(n, s->role) : n->roles[0],
						       .shard = s ? s->name : NULL});
	l->file = file;
	if (!s && l->parent)
		l->delegation = mf_outgoing_role(v->im->trust, v->o, f->role, &also);
	return 0;
}

static const struct mf_tuf_role *named_role(const struct mf_tuf_file *f, const char *name)
{
	for (size_t i = 0; f && i < f->nroles; i++)
		if (strcmp(f->roles[i].name, name) == 0)
			return &f->roles[i];
	return NULL;
}

static int make_next(struct view *v, struct next *n, struct mf_err *err)
{
	if (copy_roles(n, mf_trust_set(v->im->trust), v->o->n, err) < 0)
		return -1;
	for (size_t i = 0; i < v->o->n; i++)
		if (strcmp(v->o->v[i].role, "root") != 0 && take_file(v, n, &v->o->v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < n->set.nroles; i++)
		if (n->roles[i]->shard)
			n->roles[i]->delegation = named_role(n->roles[i]->parent->file, n->roles[i]->shard);
	return 0;
}

static json_t *load_entry(struct mf_str entry, struct mf_err *err)
{
	return mf_json_load(mf_bytes_of(entry), MF_MAX_TARGETS_BYTES, err);
}

/* Shows an entry that is not a record as it is written. */
static int describe_target(struct view *v, const char *what, struct mf_str name, struct mf_str entry,
			   struct mf_err *err)
{
	json_t *tree MF_JSON_CLEANUP = entry.n ? load_entry(entry, err) : NULL;
	if (entry.n && !tree)
		return -1;
	return add_json(v, what, v->p->role, name, tree, err);
}

static int describe_edit(struct view *v, const struct next *n, const struct mf_proposal_edit *e,
			 struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(v->im->trust);
	struct mf_entry before MF_ENTRY_CLEANUP = {0}, after MF_ENTRY_CLEANUP = {0};
	struct manifesto_proposal_record *r = &v->records[v->nrecords];
	struct mf_err why = MF_ERR_INIT;
	enum mf_found had = read_entry(set, v->p->role, e->name, &before, &why);
	if (had == MF_FAILED && mf_err_is_ours(&why))
		return mf_fail(err, why.code, 0, "%s", why.msg);
	enum mf_found has = e->entry.n ? read_entry(&n->set, v->p->role, e->name, &after, err) : MF_ABSENT;
	if (has == MF_FAILED)
		return -1;
	*r = (struct manifesto_proposal_record){.what = !e->entry.n ? "removed"
							: e->had    ? "replaced"
								    : "added"};
	if ((e->entry.n ? has : had) != MF_FOUND)
		return describe_target(v, e->entry.n ? "target" : "target removed", e->name, e->entry, err);
	enum mf_found plain = has == MF_FOUND ? is_plain(v, &after, e->name, e->entry, err) : MF_FOUND;
	if (plain == MF_FAILED ||
	    (plain == MF_ABSENT && describe_target(v, "target", e->name, e->entry, err) < 0))
		return -1;
	r->record = describe_record(v, e->entry.n ? &after : &before, err);
	if (e->entry.n && had == MF_FOUND)
		r->before = describe_record(v, &before, err);
	v->nrecords += r->record != NULL;
	return err->code ? -1 : 0;
}

/* Does the role already have what the edit asks for? Then it is not shown as a change. */
static enum mf_found is_there(const struct view *v, const struct mf_proposal_edit *e, struct mf_err *err)
{
	struct mf_buf now MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	enum mf_found found = mf_proposal_entry_now(v->im->trust, v->p->role, e->name, &now, err);
	if (found == MF_FAILED)
		return MF_FAILED;
	return mf_str_eq(mf_buf_str(&now), e->entry) ? MF_FOUND : MF_ABSENT;
}

static int describe_edits(struct view *v, struct mf_err *err)
{
	struct next n MF_CLEANUP(next_clear) = {.nfiles = 0};
	bool changes = false;
	for (size_t i = 0; i < v->o->n; i++)
		changes |= v->p->role && strcmp(role_of(v, &v->o->v[i]), v->p->role) == 0;
	v->records = mf_arena_alloc(v->a, v->p->nedits, sizeof *v->records, err);
	if (!v->records)
		return -1;
	if (!changes)
		return 0;
	if (make_next(v, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < v->p->nedits; i++) {
		const struct mf_proposal_edit *e = &v->p->edits[i];
		enum mf_found there = is_there(v, e, err);
		if (there == MF_FAILED || (there == MF_ABSENT && describe_edit(v, &n, e, err) < 0))
			return -1;
	}
	return 0;
}

/* ---- roles */

static bool lists_key(const struct mf_tuf_role *role, const struct mf_tuf_key *k)
{
	for (size_t i = 0; role && i < role->nkeys; i++)
		if (mf_str_eq(role->keys[i]->id, k->id) && mf_str_eq(role->keys[i]->raw, k->raw))
			return true;
	return false;
}

static int describe_keys(struct view *v, const struct mf_tuf_role *old, const struct mf_tuf_role *now,
			 struct mf_err *err)
{
	const char *name = (now ? now : old)->name;
	for (size_t i = 0; old && i < old->nkeys; i++)
		if (!lists_key(now, old->keys[i]) && add_key(v, "key removed", name, old->keys[i], err) < 0)
			return -1;
	for (size_t i = 0; now && i < now->nkeys; i++)
		if (!lists_key(old, now->keys[i]) && add_key(v, "key added", name, now->keys[i], err) < 0)
			return -1;
	if (now && (!old || old->threshold != now->threshold) && (old || now->threshold != 1))
		return add_change(v, "threshold", name,
				  mf_arena_format(v->a, "%lld", (long long)now->threshold), err);
	return 0;
}

static bool has_path(const struct mf_tuf_role *role, struct mf_str path)
{
	for (size_t i = 0; role && i < role->npaths; i++)
		if (mf_str_eq(role->paths[i], path))
			return true;
	return false;
}

static int describe_path(struct view *v, const char *what, const char *otherwise, const char *role,
			 struct mf_str path, struct mf_err *err)
{
	struct mf_str type = mf_tuf_path_type(mf_trust_dialect(v->im->trust), path);
	return add_change(v, type.n ? what : otherwise, role, mf_arena_text_of(v->a, type.n ? type : path),
			  err);
}

static int describe_paths(struct view *v, const struct mf_tuf_role *old, const struct mf_tuf_role *now,
			  struct mf_err *err)
{
	for (size_t i = 0; old && now && i < old->npaths; i++)
		if (!has_path(now, old->paths[i]) &&
		    describe_path(v, "type removed", "path removed", now->name, old->paths[i], err) < 0)
			return -1;
	for (size_t i = 0; now && i < now->npaths; i++)
		if (!has_path(old, now->paths[i]) &&
		    describe_path(v, "type added", "path added", now->name, now->paths[i], err) < 0)
			return -1;
	return 0;
}

/* A KEY object that is exactly what this program writes is described by the key's fingerprint. Any other one
 * is shown as it is written. */
static int describe_key_objects(struct view *v, struct mf_err *err)
{
	json_t *object;
	const char *id;
	json_object_foreach(v->p->keys, id, object)
	{
		const struct mf_dialect *d = mf_trust_dialect(v->im->trust);
		struct mf_buf has MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20),
				  plain MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20);
		char wanted[65] = "";
		const struct mf_tuf_key *k = NULL;
		for (size_t i = 0; v->o->parent && i < v->o->parent->nkeys && !k; i++)
			if (mf_str_eqz(v->o->parent->keys[i].id, id))
				k = &v->o->parent->keys[i];
		if (mf_json_dump_canonical(object, &has, err) < 0 ||
		    (k && k->pub && d->key_write(k->pub, NULL, &plain, wanted, err) < 0))
			return -1;
		if (strcmp(wanted, id) == 0 && mf_str_eq(mf_buf_str(&has), mf_buf_str(&plain)))
			continue;
		if (add_json(v, "member", v->p->role, mf_str_c(id), object, err) < 0)
			return -1;
	}
	return 0;
}

static int describe_delegations(struct view *v, struct mf_err *err)
{
	const struct mf_tuf_file *base = v->p->role ? base_of(v, v->p->role) : NULL;
	if (!v->o->parent)
		return 0;
	for (size_t i = 0; i < v->p->ndelegations; i++) {
		const char *name = v->p->delegations[i].name;
		const struct mf_tuf_role *old = named_role(base, name), *now = named_role(v->o->parent, name);
		if (!old && !now)
			continue;
		if (!old != !now && add_change(v, now ? "role added" : "role removed", name, "", err) < 0)
			return -1;
		if (now && (describe_keys(v, old, now, err) < 0 || describe_paths(v, old, now, err) < 0))
			return -1;
	}
	return describe_key_objects(v, err);
}

static int describe_resigned(struct view *v, struct mf_err *err)
{
	/* A shard is signed with its role. */
	for (size_t i = 0; i < v->p->nresign; i++)
		if (!mf_outgoing_shard(v->o, v->p->resign[i].role) &&
		    add_change(v, "signed anew", v->p->resign[i].role, "", err) < 0)
			return -1;
	return 0;
}

/* ---- the root: member by member */

static json_t *signed_part(const struct mf_tuf_file *f, struct mf_err *err)
{
	json_t *whole MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&f->bytes), MF_MAX_ROOT_BYTES * 2, err);
	json_t *part = NULL;
	if (!whole || mf_json_get_obj(whole, "signed", MF_JSON_REQUIRED, &part, err) < 0)
		return NULL;
	return json_incref(part);
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

/* Shows members of `now` that differ from those of `old`, and members that are gone, except `shown`, which
 * are described elsewhere. */
static int describe_members(struct view *v, const char *where, json_t *old, json_t *now,
			    const char *const *shown, struct mf_err *err)
{
	const char *name;
	json_t *value;
	json_object_foreach(now, name, value)
	{
		json_t *was = json_object_get(old, name);
		if (is_one_of(name, shown) || (was && json_equal(was, value)))
			continue;
		const char *path = mf_arena_format(v->a, "%s%s", where, name);
		if (add_json(v, "member", "root", mf_str_c(path), value, err) < 0)
			return -1;
	}
	json_object_foreach(old, name, value)
	{
		if (is_one_of(name, shown) || json_object_get(now, name))
			continue;
		if (add_change(v, "member removed", "root", mf_arena_format(v->a, "%s%s", where, name), err) <
		    0)
			return -1;
	}
	return 0;
}

static int describe_root_roles(struct view *v, const json_t *old, const json_t *now, struct mf_err *err)
{
	static const char *const shown[] = {"keyids", "threshold", NULL};
	static const char *const none[] = {NULL};
	static const char *const top[] = {"root", "timestamp", "snapshot", "targets", NULL};
	json_t *before = json_object_get(old, "roles"), *after = json_object_get(now, "roles");
	for (size_t i = 0; top[i]; i++) {
		const char *where = mf_arena_format(v->a, "roles.%s.", top[i]);
		if (!where || describe_members(v, where, json_object_get(before, top[i]),
					       json_object_get(after, top[i]), shown, err) < 0)
			return where ? -1 : mf_arena_check(v->a, err);
	}
	if (describe_members(v, "roles.", before, after, top, err) < 0)
		return -1;
	return describe_members(v, "keys.", json_object_get(old, "keys"), json_object_get(now, "keys"), none,
				err);
}

static int describe_root(struct view *v, struct mf_err *err)
{
	static const char *const shown[] = {"version", "expires", "keys", "roles", NULL};
	const struct mf_tuf_file *base = mf_trust_set(v->im->trust)->root;
	struct mf_tuf_file *next MF_TUF_FILE_CLEANUP = NULL;
	for (size_t i = 0; i < v->o->n && !next; i++)
		if (strcmp(v->o->v[i].role, "root") == 0 && !(next = parse(v, &v->o->v[i], err)))
			return -1;
	if (!next)
		return 0;
	for (size_t i = 0; i < MF_TUF_TYPES; i++)
		if (describe_keys(v, &base->roles[i], &next->roles[i], err) < 0)
			return -1;
	json_t *old MF_JSON_CLEANUP = signed_part(base, err),
		    *now MF_JSON_CLEANUP = old ? signed_part(next, err) : NULL;
	if (!now)
		return -1;
	return describe_members(v, "", old, now, shown, err) < 0 ? -1 : describe_root_roles(v, old, now, err);
}

/* ---- the whole */

int mf_proposal_describe(struct mf_image *im, const struct mf_proposal *p, const struct mf_outgoing *o,
			 struct mf_arena *a, struct manifesto_proposal *out, struct mf_err *err)
{
	struct view v MF_CLEANUP(view_clear) = {.im = im, .p = p, .o = o, .a = a, .out = out};
	if (describe_files(&v, err) < 0 || describe_edits(&v, err) < 0 || describe_delegations(&v, err) < 0 ||
	    describe_resigned(&v, err) < 0 || describe_root(&v, err) < 0)
		return -1;
	struct manifesto_role_change *changes = mf_arena_alloc(a, v.nchanges, sizeof *changes, err);
	if (!changes)
		return -1;
	if (v.nchanges)
		memcpy(changes, v.changes, v.nchanges * sizeof *changes);
	out->files = mf_arena_list(a, v.files, v.nfiles, sizeof *v.files);
	out->nfiles = v.nfiles;
	out->records = mf_arena_list(a, v.records, v.nrecords, sizeof *v.records);
	out->nrecords = v.nrecords;
	out->changes = mf_arena_list(a, changes, v.nchanges, sizeof *changes);
	out->nchanges = v.nchanges;
	out->moved = p->moved;
	out->dropped = p->dropped;
	out->missing = o->missing;
	out->state = o->missing ? "open" : "ready";
	return mf_arena_check(a, err);
}
