/* The next root in a change of roles: which keys sign for the top-level roles and, in TUF 1.0, which keys may
 * publish. */
#include "base/encode.h"
#include "base/limits.h"
#include "crypto/x509.h"
#include "publish/plan.h"
#include "trust/load.h"

static const enum mf_tuf_type online[] = {MF_TUF_SNAPSHOT, MF_TUF_TIMESTAMP};

bool mf_publish_has_server(const struct mf_trust *t)
{
	return t->repo->ops->server_key != NULL;
}

const struct mf_tuf_role *mf_publish_top_role(const struct mf_tuf_file *root, const char *name)
{
	for (size_t i = 0; i < MF_TUF_TYPES; i++)
		if (strcmp(root->roles[i].name, name) == 0)
			return &root->roles[i];
	return NULL;
}

static bool is_among(struct mf_pubkey *const *keys, size_t n, const struct mf_pubkey *pub)
{
	for (size_t i = 0; i < n; i++)
		if (mf_pubkey_eq(keys[i], pub))
			return true;
	return false;
}

/* Returns the edit of a key ID; creates it if there is none. */
static struct mf_tuf_root_edit *edit_of(struct mf_plan *p, struct mf_str id, struct mf_err *err)
{
	for (size_t i = 0; i < p->nedits; i++)
		if (mf_str_eqz(id, p->edits[i].id))
			return &p->edits[i];
	if (mf_grow((void **)&p->edits, &p->edits_cap, p->nedits, sizeof *p->edits, err) < 0)
		return NULL;
	struct mf_tuf_root_edit *e = &p->edits[p->nedits];
	*e = (struct mf_tuf_root_edit){.id = mf_arena_dup(&p->arena, id, err)};
	if (!e->id)
		return NULL;
	p->nedits++;
	return e;
}

static int set_object(struct mf_plan *p, struct mf_tuf_root_edit *e, struct mf_str object, struct mf_err *err)
{
	char *copy = mf_arena_dup(&p->arena, object, err);
	if (!copy)
		return -1;
	e->object = (struct mf_str){copy, object.n};
	return 0;
}

/* Removes the key from a top-level role, under each ID that it has there. *any: it was there. */
static int drop_key(struct mf_plan *p, const struct mf_tuf_role *role, enum mf_tuf_type type,
		    const struct mf_pubkey *pub, bool *any, struct mf_err *err)
{
	*any = false;
	for (size_t k = 0; k < role->nkeys; k++) {
		if (!mf_plan_same_key(role->keys[k], pub))
			continue;
		struct mf_tuf_root_edit *e = edit_of(p, role->keys[k]->id, err);
		if (!e)
			return -1;
		*any |= !(e->drop >> type & 1);
		e->drop |= 1u << type;
	}
	return 0;
}

/* ---- who may publish (TUF 1.0): the keys of snapshot and timestamp are those of all writers */

static bool is_writer(const struct mf_trust *t, const struct mf_pubkey *pub)
{
	const struct mf_tuf_role *top = t->set.root->roles;
	return mf_tuf_role_has_key(&top[MF_TUF_SNAPSHOT], pub) ||
	       mf_tuf_role_has_key(&top[MF_TUF_TIMESTAMP], pub);
}

/* Whether a top-level role lists the key after the change. */
static bool lists_after(const struct mf_plan *p, const struct mf_tuf_role *role, const struct mf_pubkey *pub)
{
	for (size_t i = 0; i < p->request->n; i++) {
		const struct mf_role_request *r = &p->request->requests[i];
		if (r->verb != MF_ROLE_ROTATE || strcmp(r->role, role->name) != 0)
			continue;
		if (is_among(r->keys, r->nkeys, pub))
			return true;
		if (is_among(r->old, r->nold, pub))
			return false;
	}
	return mf_tuf_role_has_key(role, pub);
}

/* Whether the key signs for any role after the change. Shards are not checked, since they have the keys of
 * their role. */
static bool signs_on(const struct mf_plan *p, const struct mf_trust *t, const struct mf_pubkey *pub)
{
	const struct mf_tuf_role *top = t->set.root->roles;
	if (lists_after(p, &top[MF_TUF_ROOT], pub) || lists_after(p, &top[MF_TUF_TARGETS], pub))
		return true;
	for (size_t i = 0; i < t->set.nroles; i++) {
		const struct mf_tuf_file *f = i ? t->set.roles[i]->file : mf_plan_delegator(p, t);
		for (size_t k = 0; k < f->nroles; k++)
			if (!mf_tuf_is_shard(t->set.d, t->set.roles[i], &f->roles[k]) &&
			    mf_tuf_role_has_key(&f->roles[k], pub))
				return true;
	}
	return false;
}

bool mf_plan_is_leftover(const struct mf_plan *p, const struct mf_trust *t, const struct mf_pubkey *pub)
{
	return !mf_publish_has_server(t) && is_writer(t, pub) && !signs_on(p, t, pub);
}

/* Returns which of snapshot and timestamp do not list the key yet, as bits. */
static unsigned missing_types(const struct mf_trust *t, const struct mf_pubkey *pub)
{
	unsigned add = 0;
	for (size_t i = 0; i < 2; i++)
		if (!mf_tuf_role_has_key(&t->set.root->roles[online[i]], pub))
			add |= 1u << online[i];
	return add;
}

static int writer_comes(struct mf_plan *p, const struct mf_trust *t, const char *role,
			const struct mf_tuf_key *k, struct mf_err *err)
{
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20);
	unsigned add = missing_types(t, k->pub);
	if (!add)
		return 0;
	struct mf_tuf_root_edit *e = edit_of(p, k->id, err);
	if (!e || mf_json_canonicalize(k->raw, &object, err) < 0 ||
	    set_object(p, e, mf_buf_str(&object), err) < 0)
		return -1;
	if ((e->add & add) == add)
		return 0;
	e->add |= add;
	return mf_plan_report_key(p, "writer added", role, k->pub, err);
}

static int writer_goes(struct mf_plan *p, const struct mf_trust *t, const char *role,
		       const struct mf_pubkey *pub, struct mf_err *err)
{
	bool news = false, any;
	if (!pub || !mf_plan_is_leftover(p, t, pub))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		if (drop_key(p, &t->set.root->roles[online[i]], online[i], pub, &any, err) < 0)
			return -1;
		news |= any;
	}
	return news ? mf_plan_report_key(p, "writer removed", role, pub, err) : 0;
}

static int plan_writers(struct mf_plan *p, const struct mf_trust *t, const struct mf_role_request *r,
			struct mf_err *err)
{
	const struct mf_tuf_role *cur = mf_publish_find_role(&t->set, r->role);
	const char *name = mf_plan_full_name(p, t, cur, r->role, err);
	if (!name)
		return -1;
	const struct mf_tuf_role *after = mf_plan_delegation(p, t, name);
	bool adds = r->verb == MF_ROLE_ADD || r->verb == MF_ROLE_SET || r->verb == MF_ROLE_ROTATE;
	for (size_t i = 0; i < r->nkeys; i++) {
		struct mf_digest fp = mf_pubkey_fingerprint(r->keys[i]);
		const struct mf_tuf_key *k = mf_tuf_role_key(after, &fp);
		if (adds && k && writer_comes(p, t, name, k, err) < 0)
			return -1;
		if (r->verb == MF_ROLE_DROP && writer_goes(p, t, name, r->keys[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; cur && r->verb != MF_ROLE_SIGN && i < cur->nkeys; i++)
		if (writer_goes(p, t, name, cur->keys[i]->pub, err) < 0)
			return -1;
	return 0;
}

/* ---- top-level roles */

/* Checks the certificate of somebody else's root key: if readers rejected it, they could not follow the new
 * root. */
static int check_certificate(const struct mf_trust *t, struct mf_str pem, struct mf_err *err)
{
	const bool check_expiry = true;
	struct mf_root_cert c MF_CLEANUP(mf_root_cert_clear) = {0};
	if (mf_root_cert_read(&c, pem, mf_str_c(t->gun), t->set.now, check_expiry, err) == 0)
		return 0;
	if (err->code == MF_E_FORMAT)
		(void)mf_recode(err, MF_E_USAGE);
	return mf_wrap(err, "root certificate for '%s'", t->gun);
}

/* Gets the certificate that Notary requires of a root key: the given one, or one made here. */
static int root_certificate(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r, size_t i,
			    struct mf_buf *pem, struct mf_err *err)
{
	const char *given = r->certificates ? r->certificates[i] : NULL;
	struct mf_digest fp = mf_pubkey_fingerprint(r->keys[i]);
	if (given)
		return check_certificate(t, mf_str_c(given), err) < 0 ? -1 : mf_buf_addz(pem, given, err);
	if (mf_pubkey_type(r->keys[i]) == MF_KEY_ED25519) {
		(void)mf_fail(
		    err, MF_E_USAGE, 0,
		    "expected an ECDSA or RSA key for the root of a Notary repository, got ed25519");
		mf_err_set_hint(err, "make one with 'manifesto key generate NAME --type ecdsa'");
		return -1;
	}
	const struct mf_key_info *k = mf_keystore_find_fp(t->cfg->keys, &fp);
	if (k)
		return p->request->dry_run ? 0 : mf_publish_root_certificate(t, k, pem, err);
	(void)mf_fail(err, MF_E_KEY, 0,
		      "the root key is not on this machine, and its certificate is not given");
	mf_err_set_hint(err, "use --key with a certificate of the key for '%s'", t->gun);
	return -1;
}

/* Returns the ID under which the root lists the key already; empty when it does not. In Notary the object of
 * a root key is a certificate, so the key gets a new object and ID. */
static struct mf_str listed_id(const struct mf_trust *t, enum mf_tuf_type type, const struct mf_pubkey *pub)
{
	const struct mf_tuf_file *root = t->set.root;
	for (size_t i = 0; i < root->nkeys && !(mf_publish_has_server(t) && type == MF_TUF_ROOT); i++)
		if (!root->keys[i].x509 && mf_plan_same_key(&root->keys[i], pub))
			return root->keys[i].id;
	return MF_STR("");
}

static int add_key(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		   enum mf_tuf_type type, size_t i, struct mf_err *err)
{
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES),
			  object MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	struct mf_str id = listed_id(t, type, r->keys[i]);
	char hash[65];
	if (mf_publish_has_server(t) && type == MF_TUF_ROOT && root_certificate(p, t, r, i, &pem, err) < 0)
		return -1;
	struct mf_str certificate = mf_buf_str(&pem);
	if (!id.n) {
		if (mf_trust_dialect(t)->key_write(r->keys[i], pem.n ? &certificate : NULL, &object, hash,
						   err) < 0)
			return -1;
		id = mf_str_c(hash);
	}
	struct mf_tuf_root_edit *e = edit_of(p, id, err);
	if (!e || (object.n && set_object(p, e, mf_buf_str(&object), err) < 0))
		return -1;
	e->add |= 1u << type;
	e->drop &= ~(1u << type);
	return mf_plan_report_key(p, "key added", r->role, r->keys[i], err);
}

/* In TUF 1.0 the keys of targets usually publish too. If they do so now, new keys of targets are added to
 * snapshot and timestamp, and removed ones leave them. */
static int follow_targets(struct mf_plan *p, const struct mf_trust *t, const struct mf_role_request *r,
			  struct mf_err *err)
{
	const struct mf_tuf_role *role = &t->set.root->roles[MF_TUF_TARGETS];
	bool publish = false;
	for (size_t i = 0; i < role->nkeys; i++)
		publish |= role->keys[i]->pub && is_writer(t, role->keys[i]->pub);
	if (mf_publish_has_server(t) || !publish)
		return 0;
	for (size_t i = 0; i < r->nkeys; i++)
		for (size_t k = 0; k < p->nedits; k++) {
			unsigned add = missing_types(t, r->keys[i]);
			struct mf_tuf_root_edit *e = &p->edits[k];
			if (!(e->add >> MF_TUF_TARGETS & 1) || (e->add & add) == add)
				continue;
			e->add |= add;
			if (mf_plan_report_key(p, "writer added", r->role, r->keys[i], err) < 0)
				return -1;
		}
	for (size_t i = 0; i < r->nold; i++)
		if (writer_goes(p, t, r->role, r->old[i], err) < 0)
			return -1;
	return 0;
}

int mf_plan_top_role(struct mf_plan *p, struct mf_trust *t, const struct mf_role_request *r,
		     struct mf_err *err)
{
	const struct mf_tuf_role *role = mf_publish_top_role(t->set.root, r->role);
	enum mf_tuf_type type = (enum mf_tuf_type)(role - t->set.root->roles);
	char hex[65];
	bool any;
	for (size_t i = 0; i < r->nold; i++) {
		if (drop_key(p, role, type, r->old[i], &any, err) < 0)
			return -1;
		mf_pubkey_hex(hex, r->old[i]);
		if (!any)
			return mf_fail(err, MF_E_NOT_FOUND, 0, "role '%s' does not list key %s", r->role,
				       hex);
		if (mf_plan_report_key(p, "key removed", r->role, r->old[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < r->nkeys; i++)
		if ((is_among(r->old, r->nold, r->keys[i]) || !mf_tuf_role_has_key(role, r->keys[i])) &&
		    add_key(p, t, r, type, i, err) < 0)
			return -1;
	return type == MF_TUF_TARGETS ? follow_targets(p, t, r, err) : 0;
}

/* ---- the root */

static unsigned touched(const struct mf_plan *p)
{
	unsigned types = 0;
	for (size_t i = 0; i < p->nedits; i++)
		types |= p->edits[i].add | p->edits[i].drop;
	return types;
}

/* Whether the root is published after the other files. Then readers of the old root must accept those files,
 * so the keys that are removed must sign once more. If those are not on this machine, the root is published
 * first. */
static bool goes_last(const struct mf_plan *p, const struct mf_trust *t)
{
	const struct mf_tuf_role *top = t->set.root->roles;
	unsigned drops = 0;
	for (size_t i = 0; i < p->nedits; i++)
		drops |= p->edits[i].drop & ~(1u << MF_TUF_ROOT);
	return drops && !mf_publish_has_server(t) && mf_publish_can_sign(t, &top[MF_TUF_SNAPSHOT]) &&
	       mf_publish_can_sign(t, &top[MF_TUF_TIMESTAMP]) &&
	       (!(drops >> MF_TUF_TARGETS & 1) || mf_publish_can_sign(t, &top[MF_TUF_TARGETS]));
}

static int parse_root(struct mf_plan *p, const struct mf_trust *t, struct mf_err *err)
{
	struct mf_buf draft MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	if (mf_tuf_build_file(mf_trust_dialect(t), p->root_text, NULL, 0, &draft, err) < 0)
		return -1;
	p->root_after = mf_tuf_parse_unverified(mf_trust_dialect(t), MF_TUF_ROOT, &draft, err);
	return p->root_after ? 0 : mf_wrap(err, "the next root");
}

/* Re-signs the files of `targets`, if the keys that remain have not signed them. */
static int resign_targets(struct mf_plan *p, const struct mf_trust *t, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	const struct mf_tuf_role *after = &p->root_after->roles[MF_TUF_TARGETS];
	if (mf_plan_check_files(t, t->set.roles[0], after, &why) == 0 &&
	    !mf_plan_relists(p, t, t->set.roles[0], after))
		return 0;
	if (why.code && why.code != MF_E_SIGNATURE)
		return mf_fail(err, why.code, 0, "%s", why.msg);
	p->resign[p->change.nresign++] = (struct mf_publish_resign){.role = "targets"};
	return mf_plan_report(p, "signed anew", "targets", "", err);
}

int mf_plan_root(struct mf_plan *p, struct mf_trust *t, struct mf_err *err)
{
	const unsigned both = 1u << MF_TUF_SNAPSHOT | 1u << MF_TUF_TIMESTAMP;
	const struct mf_role_change *r = p->request;
	for (size_t i = 0; i < r->n && !mf_publish_has_server(t); i++)
		if (!mf_plan_is_toplevel(r->requests[i].role) && plan_writers(p, t, &r->requests[i], err) < 0)
			return -1;
	if (!p->nedits)
		return 0;
	mf_buf_init(&p->root, MF_MAX_ROOT_BYTES);
	if (mf_tuf_build_next_root(t->set.root, p->edits, p->nedits, mf_publish_expiry(t, MF_TUF_ROOT),
				   &p->root, err) < 0)
		return -1;
	p->root_text = mf_buf_str(&p->root);
	if (parse_root(p, t, err) < 0 || resign_targets(p, t, err) < 0)
		return -1;
	p->change.root = &p->root_text;
	p->change.root_last = goes_last(p, t);
	/* The keys of snapshot and timestamp have changed, so both are signed by the new ones. */
	p->change.meta = touched(p) & both ? both : 0;
	p->request->root_version = t->set.root->version + 1;
	return 0;
}

/* ---- whether this machine can sign everything */

int mf_plan_check_keys(const struct mf_plan *p, struct mf_trust *t, struct mf_err *err)
{
	const struct mf_publish_change *c = &p->change;
	const struct mf_tuf_file *root = p->root_after ? p->root_after : t->set.root;
	bool listed = c->role || c->nresign || c->meta;
	if (c->root && (mf_publish_check_threshold(t, &t->set.root->roles[MF_TUF_ROOT], err) < 0 ||
			mf_publish_check_threshold(t, &root->roles[MF_TUF_ROOT], err) < 0))
		return -1;
	if (c->role && mf_publish_check_threshold(t, &root->roles[MF_TUF_TARGETS], err) < 0)
		return -1;
	for (size_t i = 0; i < c->nresign; i++) {
		const struct mf_tuf_role *role = strcmp(c->resign[i].role, "targets") == 0
						     ? &root->roles[MF_TUF_TARGETS]
						     : mf_plan_delegation(p, t, c->resign[i].role);
		if (role && mf_publish_check_threshold(t, role, err) < 0)
			return -1;
	}
	return listed && !mf_publish_has_server(t) &&
		       (mf_publish_check_threshold(t, &root->roles[MF_TUF_SNAPSHOT], err) < 0 ||
			mf_publish_check_threshold(t, &root->roles[MF_TUF_TIMESTAMP], err) < 0)
		   ? -1
		   : 0;
}
