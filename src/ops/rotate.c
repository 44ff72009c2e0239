/* trust rotate: replaces the keys of a role, which may be a top-level role, or the certificate of Notary's
 * root. */
#include "base/encode.h"
#include "ops/role.h"

struct rotation {
	struct mf_image *im;
	const struct manifesto_role_options *o;
	const struct mf_tuf_role *role;
	bool top, server_key; /* the new key is one that the server makes */
	struct mf_role_keys new, old;
};

static void rotation_clear(struct rotation *r)
{
	mf_role_keys_clear(&r->new);
	mf_role_keys_clear(&r->old);
}

static int find_role(struct rotation *r, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(r->im->trust);
	struct mf_esc e;
	r->role = mf_publish_top_role(set->root, r->o->role);
	r->top = r->role != NULL;
	if (!r->top)
		r->role = mf_publish_find_role(set, r->o->role);
	if (r->role)
		return 0;
	(void)mf_fail(err, MF_E_NOT_FOUND, 0, "there is no role '%s' in this repository",
		      mf_esc(&e, mf_str_c(r->o->role)));
	mf_err_set_hint(err, "root, targets, snapshot, timestamp, or one that 'manifesto role list' shows");
	return -1;
}

static bool is_named(const struct rotation *r, const char *name)
{
	return r->top && strcmp(r->role->name, name) == 0;
}

static bool is_among(const struct mf_role_keys *keys, const struct mf_pubkey *pub)
{
	for (size_t i = 0; i < keys->n; i++)
		if (mf_pubkey_eq(keys->v[i], pub))
			return true;
	return false;
}

/* ---- the new keys */

static int refuse_no_key(const struct rotation *r, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_USAGE, 0, "expected the new key of role '%s'", r->role->name);
	mf_err_set_hint(err,
			"name it with --key; 'manifesto trust refresh --force' re-signs with the same keys");
	return -1;
}

/* With Notary and without --key, the root keys of this machine stay, and get new certificates. */
static int renew_here(struct rotation *r, struct mf_err *err)
{
	for (size_t i = 0; i < r->role->nkeys; i++) {
		const struct mf_key_info *k = mf_trust_key_here(r->im->trust, r->role->keys[i]);
		if (k && !is_among(&r->new, k->pub) && mf_role_keys_keep(&r->new, k->pub, err) < 0)
			return -1;
	}
	char keys[512];
	mf_publish_name_keys(r->im->trust, r->role, keys);
	return r->new.n
		   ? 0
		   : mf_fail(err, MF_E_KEY, 0, "no root key is on this machine; the root lists %s", keys);
}

static int new_server_key(struct rotation *r, struct mf_err *err)
{
	struct mf_pubkey *pub MF_PUBKEY_CLEANUP = NULL;
	r->server_key = true;
	if (r->o->dry_run)
		return 0;
	return mf_publish_server_pubkey(r->im->trust, r->role->name, MF_SERVER_KEY_NEW, &pub, err) < 0
		   ? -1
		   : mf_role_keys_keep(&r->new, pub, err);
}

static int find_new(struct rotation *r, struct mf_err *err)
{
	bool server = mf_publish_has_server(r->im->trust);
	const char *const *keys = r->o->keys;
	if (keys && *keys && server && is_named(r, "timestamp")) {
		(void)mf_fail(err, MF_E_USAGE, 0, "a Notary server always signs the timestamp itself");
		mf_err_set_hint(err, "without --key, the server makes a new key");
		return -1;
	}
	for (size_t i = 0; keys && keys[i]; i++)
		if (mf_role_key_add(r->im, keys[i], NULL, &r->new, err) < 0)
			return -1;
	if (r->new.n)
		return 0;
	if (server && (is_named(r, "timestamp") || is_named(r, "snapshot")))
		return new_server_key(r, err);
	return server && is_named(r, "root") ? renew_here(r, err) : refuse_no_key(r, err);
}

/* ---- the keys to remove */

enum whose { EVERYBODYS, OURS };

/* Collects the keys of the role, or only those of this machine, that are not among the new ones. */
static int collect_old(struct rotation *r, enum whose whose, struct mf_err *err)
{
	for (size_t i = 0; i < r->role->nkeys; i++) {
		const struct mf_tuf_key *k = r->role->keys[i];
		bool counts =
		    k->pub && k->id_fits && (whose == EVERYBODYS || mf_trust_key_here(r->im->trust, k));
		if (counts && !is_among(&r->new, k->pub) && !is_among(&r->old, k->pub) &&
		    mf_role_keys_keep(&r->old, k->pub, err) < 0)
			return -1;
	}
	return 0;
}

/* Does the role list all new keys already? */
static bool is_renewal(const struct rotation *r)
{
	bool all = r->new.n > 0;
	for (size_t i = 0; i < r->new.n; i++)
		all &= mf_tuf_role_has_key(r->role, r->new.v[i]);
	return all;
}

static int find_renewed(struct rotation *r, struct mf_err *err)
{
	if (!mf_publish_has_server(r->im->trust) || !is_named(r, "root")) {
		(void)mf_fail(err, MF_E_USAGE, 0, "role '%s' lists that key already", r->role->name);
		mf_err_set_hint(err, "'manifesto key revoke FINGERPRINT REPOSITORY' takes another key out");
		return -1;
	}
	for (size_t i = 0; i < r->new.n; i++)
		if (mf_role_keys_keep(&r->old, r->new.v[i], err) < 0)
			return -1;
	return 0;
}

/* Finds the keys to remove: the only other key of the role; if there are several, those of this machine,
 * since the others belong to other people. */
static int find_old(struct rotation *r, struct mf_err *err)
{
	if (is_renewal(r)) {
		/* the new key was added before, with --keep-old: now the old keys of this machine go */
		if (!r->o->keep_old && (!r->top || is_named(r, "targets")) && collect_old(r, OURS, err) < 0)
			return -1;
		return r->old.n ? 0 : find_renewed(r, err);
	}
	if (r->o->keep_old)
		return 0;
	bool all = r->server_key || (mf_publish_has_server(r->im->trust) && is_named(r, "snapshot"));
	if (collect_old(r, EVERYBODYS, err) < 0)
		return -1;
	if (all || r->old.n == 1)
		return 0;
	mf_role_keys_clear(&r->old);
	if (collect_old(r, OURS, err) < 0 || r->old.n)
		return r->old.n ? 0 : -1;
	char keys[512];
	mf_publish_name_keys(r->im->trust, r->role, keys);
	(void)mf_fail(err, MF_E_USAGE, 0,
		      "none of the keys of role '%s' is on this machine: which one goes? It lists %s",
		      r->role->name, keys);
	mf_err_set_hint(err, "use 'manifesto key revoke FINGERPRINT REPOSITORY --key NEW', or --keep-old");
	return -1;
}

/* ---- the report */

static int add_change(struct manifesto_role_result *out, struct manifesto_role_change *v, const char *what,
		      const char *role, const char *detail)
{
	struct mf_arena *a = mf_result_arena(out);
	v[out->nchanges++] = (struct manifesto_role_change){
	    .what = what, .role = mf_arena_text(a, role), .detail = mf_arena_text(a, detail)};
	return 0;
}

/* The server makes a new key as soon as it is asked for one, so a dry run does not ask, and cannot show the
 * key. */
static int preview_server_key(struct rotation *r, struct manifesto_role_result *out, struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	struct manifesto_role_change *v = mf_arena_alloc(a, r->old.n + 1, sizeof *v, err);
	if (!v)
		return -1;
	for (size_t i = 0; i < r->old.n; i++) {
		char hex[65];
		mf_pubkey_hex(hex, r->old.v[i]);
		add_change(out, v, "key removed", r->role->name, hex);
	}
	add_change(out, v, "key added", r->role->name, "a new key of the server");
	out->gun = mf_arena_text(a, mf_trust_pin_name(r->im->trust));
	out->where = mf_arena_text(a, mf_trust_where(r->im->trust));
	out->changes = mf_arena_list(a, v, out->nchanges, sizeof *v);
	out->dry_run = 1;
	out->root_version = mf_trust_set(r->im->trust)->root->version + 1;
	return mf_arena_check(a, err);
}

int mf_role_report_root(struct mf_image *im, struct manifesto_role_result *out, struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	const struct mf_tuf_role *root = &mf_trust_set(im->trust)->root->roles[MF_TUF_ROOT];
	if (out->dry_run || out->proposal || !out->root_version)
		return 0;
	return mf_report_role_keys(im->m, root, a, &out->root_keys, &out->nroot_keys, err);
}

static int run(struct rotation *r, bool expired_root, struct manifesto_role_result *out, struct mf_err *err)
{
	struct mf_role_request q = {.verb = MF_ROLE_ROTATE,
				    .role = r->o->role,
				    .keys = r->new.v,
				    .nkeys = r->new.n,
				    .old = r->old.v,
				    .nold = r->old.n,
				    .certificates = r->new.certificates};
	struct mf_role_change c = {.requests = &q,
				   .n = 1,
				   .image = r->o->image,
				   .dry_run = r->o->dry_run != 0,
				   .propose = r->o->propose,
				   .check_keys = true,
				   .expired_root = expired_root};
	return mf_role_run(r->im, &c, out, err) < 0 ? -1 : mf_role_report_root(r->im, out, err);
}

static int rotate(struct manifesto *m, const struct manifesto_role_options *o,
		  struct manifesto_role_result *out, struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct rotation r MF_CLEANUP(rotation_clear) = {.im = &im, .o = o};
	bool expired_root = false;
	if (mf_image_open(&im, m, o->image, err) < 0 || mf_role_load(&im, &expired_root, err) < 0 ||
	    find_role(&r, err) < 0 || find_new(&r, err) < 0 || find_old(&r, err) < 0)
		return -1;
	return r.server_key && o->dry_run ? preview_server_key(&r, out, err)
					  : run(&r, expired_root, out, err);
}

int manifesto_trust_rotate(struct manifesto *m, const struct manifesto_role_options *opt,
			   const struct manifesto_role_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_role_options o;
	struct manifesto_role_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = r ? rotate(m, &o, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}
