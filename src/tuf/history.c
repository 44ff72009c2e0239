/* Checks of files that are no longer current. */
#include "tuf/history.h"

#include "crypto/x509.h"
#include "tuf/internal.h"

static struct mf_tuf_counting counting(const struct mf_tuf_set *s)
{
	return (struct mf_tuf_counting){.d = s->d, .gun = s->gun, .now = s->now};
}

int mf_tuf_old_root(const struct mf_tuf_set *s, const struct mf_tuf_file *old, const struct mf_tuf_file *next,
		    struct mf_err *err)
{
	const struct mf_tuf_role *role = &old->roles[MF_TUF_ROOT];
	struct mf_tuf_counting c = counting(s);
	c.root = true;
	if (old->version != next->version - 1)
		return mf_fail(err, MF_E_FORMAT, 0, "the file has version %lld", (long long)old->version);
	if (mf_tuf_root_check(s->d, s->gun, s->now, old, NULL, err) < 0)
		return -1;
	if (mf_tuf_count_signatures(&c, next, role, role->threshold, err) < 0)
		return mf_wrap(err, "it did not sign version %lld", (long long)next->version);
	return 0;
}

int mf_tuf_old_shape(const struct mf_tuf_set *s, const char *name, const struct mf_tuf_file *f,
		     int64_t version, struct mf_err *err)
{
	struct mf_esc e;
	if (f->version != version)
		return mf_fail(err, MF_E_FORMAT, 0, "the file has version %lld", (long long)f->version);
	for (size_t i = 0; i < f->nroles; i++)
		if (!s->d->delegation_name(mf_str_c(name), mf_str_c(f->roles[i].name)))
			return mf_fail(err, MF_E_FORMAT, 0, "the file delegates to '%s', which it may not",
				       mf_esc(&e, mf_str_c(f->roles[i].name)));
	return 0;
}

int mf_tuf_old_signed(const struct mf_tuf_set *s, const struct mf_tuf_file *f, const struct mf_tuf_role *role,
		      struct mf_err *err)
{
	struct mf_tuf_counting c = counting(s);
	return mf_tuf_count_signatures(&c, f, role, role->threshold, err);
}

int mf_tuf_old_signers(const struct mf_tuf_set *s, const struct mf_tuf_file *f,
		       const struct mf_tuf_role *role, struct mf_pubkey **keys, size_t *n, struct mf_err *err)
{
	struct mf_tuf_counting c = counting(s);
	struct mf_err why = MF_ERR_INIT;
	c.root = f->type == MF_TUF_ROOT;
	*n = 0;
	/* The threshold is more than any file can meet, so that every signature is verified and marked if it
	 * is good. */
	if (mf_tuf_count_signatures(&c, f, role, MF_MAX_SIGNATURES + 1, &why) < 0 &&
	    mf_err_pass_ours(err, &why) < 0)
		return -1;
	for (size_t i = 0; i < role->nkeys && *n < MF_MAX_SIGNATURES; i++) {
		struct mf_pubkey *pub = role->keys[i]->id_fits ? role->keys[i]->pub : NULL;
		bool good = false;
		if (!pub)
			continue;
		struct mf_digest fp = mf_pubkey_fingerprint(pub);
		for (size_t k = 0; k < f->nsignatures; k++)
			good |= f->signatures[k].good && mf_digest_eq(&f->signatures[k].good_for, &fp);
		for (size_t k = 0; k < *n; k++)
			good &= !mf_pubkey_eq(keys[k], pub);
		if (good)
			keys[(*n)++] = pub;
	}
	return 0;
}

/* ---- copies of roles */

static int copy_text(struct mf_arena *a, struct mf_str *s, struct mf_err *err)
{
	char *p = mf_arena_dup(a, *s, err);
	if (!p)
		return -1;
	s->p = p;
	return 0;
}

static struct mf_str *copy_texts(struct mf_arena *a, const struct mf_str *v, size_t n, struct mf_err *err)
{
	struct mf_str *copy = mf_arena_alloc(a, n, sizeof *copy, err);
	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = v[i];
		if (copy_text(a, &copy[i], err) < 0)
			return NULL;
	}
	return copy;
}

static int copy_keys(struct mf_tuf_role_copy *c, const struct mf_tuf_role *r, struct mf_err *err)
{
	const struct mf_tuf_key **list = mf_arena_alloc(&c->arena, r->nkeys, sizeof *list, err);
	c->keys = mf_arena_alloc(&c->arena, r->nkeys, sizeof *c->keys, err);
	if (!list || !c->keys)
		return -1;
	c->role.keys = list;
	c->role.nkeys = 0;
	for (size_t i = 0; i < r->nkeys; i++) {
		struct mf_tuf_key *k = &c->keys[i];
		*k = *r->keys[i];
		k->raw = (struct mf_str){0};
		k->pub = NULL;
		k->certs = NULL;
		if (copy_text(&c->arena, &k->id, err) < 0 ||
		    (k->certificate.p && copy_text(&c->arena, &k->certificate, err) < 0))
			return -1;
		k->pub = r->keys[i]->pub ? mf_pubkey_ref(r->keys[i]->pub) : NULL;
		k->certs = r->keys[i]->certs ? mf_root_certs_ref(r->keys[i]->certs) : NULL;
		list[c->role.nkeys++] = k;
	}
	return 0;
}

struct mf_tuf_role_copy *mf_tuf_role_copy(const struct mf_tuf_role *r, struct mf_err *err)
{
	struct mf_tuf_role_copy *c = calloc(1, sizeof *c);
	if (!c) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	c->role = *r;
	c->role.nkeys = 0;
	c->role.name = mf_arena_dup(&c->arena, mf_str_c(r->name), err);
	c->role.paths = c->role.name ? copy_texts(&c->arena, r->paths, r->npaths, err) : NULL;
	c->role.hash_prefixes =
	    c->role.paths ? copy_texts(&c->arena, r->hash_prefixes, r->nhash_prefixes, err) : NULL;
	if (c->role.hash_prefixes && copy_keys(c, r, err) == 0)
		return c;
	mf_tuf_role_copy_free(c);
	return NULL;
}

void mf_tuf_role_copy_free(struct mf_tuf_role_copy *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->role.nkeys; i++) {
		mf_pubkey_unref(c->keys[i].pub);
		mf_root_certs_unref(c->keys[i].certs);
	}
	mf_arena_clear(&c->arena);
	free(c);
}

static bool same_texts(const struct mf_str *a, size_t na, const struct mf_str *b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (!mf_str_eq(a[i], b[i]))
			return false;
	return true;
}

/* The public keys are compared as well: an ID may name another key in another version. */
static bool same_key(const struct mf_tuf_key *a, const struct mf_tuf_key *b)
{
	if (!mf_str_eq(a->id, b->id) || a->id_fits != b->id_fits || a->scheme != b->scheme ||
	    !a->pub != !b->pub)
		return false;
	return !a->pub || mf_pubkey_eq(a->pub, b->pub);
}

bool mf_tuf_role_same(const struct mf_tuf_role *a, const struct mf_tuf_role *b)
{
	if (a->nkeys != b->nkeys || a->threshold != b->threshold ||
	    !same_texts(a->paths, a->npaths, b->paths, b->npaths) ||
	    !same_texts(a->hash_prefixes, a->nhash_prefixes, b->hash_prefixes, b->nhash_prefixes))
		return false;
	for (size_t i = 0; i < a->nkeys; i++)
		if (!same_key(a->keys[i], b->keys[i]))
			return false;
	return true;
}
