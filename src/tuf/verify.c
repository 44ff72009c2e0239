/* Threshold checks: who signed, counted by public key. */
#include "crypto/x509.h"
#include "tuf/internal.h"

const struct mf_tuf_key *mf_tuf_role_key(const struct mf_tuf_role *role, const struct mf_digest *fingerprint)
{
	for (size_t i = 0; role && i < role->nkeys; i++) {
		const struct mf_tuf_key *k = role->keys[i];
		struct mf_digest fp = k->pub ? mf_pubkey_fingerprint(k->pub) : (struct mf_digest){{0}};
		if (k->pub && k->id_fits && mf_digest_eq(&fp, fingerprint))
			return k;
	}
	return NULL;
}

bool mf_tuf_role_has_key(const struct mf_tuf_role *role, const struct mf_pubkey *pub)
{
	struct mf_digest fp = mf_pubkey_fingerprint(pub);
	return mf_tuf_role_key(role, &fp) != NULL;
}

static const struct mf_tuf_key *key_with_id(const struct mf_tuf_role *role, struct mf_str id)
{
	for (size_t i = 0; i < role->nkeys; i++)
		if (mf_str_eq(role->keys[i]->id, id))
			return role->keys[i];
	return NULL;
}

const char *mf_tuf_role_short(const char *name)
{
	return strncmp(name, "targets/", 8) == 0 ? name + 8 : name;
}

static enum mf_found anchored(const struct mf_tuf_counting *c, const struct mf_tuf_key *key,
			      const struct mf_digest *fp, struct mf_err *err)
{
	const struct mf_tuf_anchor *a = c->only;
	for (size_t i = 0; i < a->n; i++)
		if (mf_digest_eq(&a->fingerprints[i], fp))
			return MF_FOUND;
	struct mf_err why = MF_ERR_INIT;
	if (!a->ca.n || !key->x509)
		return MF_ABSENT;
	if (mf_root_cert_chains_to(key->certificate, a->ca, c->now, &why) == 0)
		return MF_FOUND;
	return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
}

/* Sets *out to a new reference to the public key that verifies a signature of `key`; NULL: no such signature
 * counts. */
static int usable_key(const struct mf_tuf_counting *c, const struct mf_tuf_key *key, struct mf_pubkey **out,
		      struct mf_err *err)
{
	*out = NULL;
	if (!key || !key->id_fits)
		return 0;
	if (c->root)
		return c->d->root_key(key, c->gun, c->now, c->check_expiry, out, err);
	*out = key->pub ? mf_pubkey_ref(key->pub) : NULL;
	return 0;
}

static enum mf_found verifies(const struct mf_tuf_counting *c, const struct mf_tuf_file *f,
			      struct mf_tuf_signature *s, const struct mf_tuf_key *key, struct mf_pubkey *pub,
			      struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_digest fp = mf_pubkey_fingerprint(pub);
	enum mf_sig_scheme scheme;
	if (s->good && mf_digest_eq(&s->good_for, &fp))
		return MF_FOUND;
	if (!c->d->scheme(key, s->method, &scheme))
		return MF_ABSENT;
	if (mf_sig_verify(pub, scheme, mf_bytes_of(f->canonical), s->sig, &why) < 0)
		return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
	s->good = true;
	s->good_for = fp;
	return MF_FOUND;
}

static bool counted(const struct mf_digest *fps, size_t n, const struct mf_digest *fp)
{
	for (size_t i = 0; i < n; i++)
		if (mf_digest_eq(&fps[i], fp))
			return true;
	return false;
}

/* Adds the key of one signature to the n counted keys, if the signature is valid and the key was not counted
 * yet. */
static int count_one(const struct mf_tuf_counting *c, const struct mf_tuf_file *f,
		     const struct mf_tuf_role *role, size_t i, struct mf_digest *good, size_t *n,
		     struct mf_err *err)
{
	struct mf_tuf_signature *s = &f->signatures[i];
	const struct mf_tuf_key *key = key_with_id(role, s->keyid);
	struct mf_pubkey *pub MF_PUBKEY_CLEANUP = NULL;
	if (usable_key(c, key, &pub, err) < 0)
		return -1;
	if (!pub)
		return 0;
	struct mf_digest fp = mf_pubkey_fingerprint(pub);
	if (counted(good, *n, &fp))
		return 0;
	enum mf_found found = c->only ? anchored(c, key, &fp, err) : MF_FOUND;
	if (found == MF_FOUND)
		found = verifies(c, f, s, key, pub, err);
	if (found == MF_FOUND)
		good[(*n)++] = fp;
	return found == MF_FAILED ? -1 : 0;
}

int mf_tuf_count_signatures(const struct mf_tuf_counting *c, const struct mf_tuf_file *f,
			    const struct mf_tuf_role *role, int64_t threshold, struct mf_err *err)
{
	struct mf_digest good[MF_MAX_SIGNATURES];
	struct mf_esc e, e2;
	size_t n = 0;
	if (f->of_role.n && !mf_str_eqz(f->of_role, role->name))
		return mf_fail(err, MF_E_SIGNATURE, 0,
			       "expected the file of role '%s', got one signed for '%s'",
			       mf_esc(&e, mf_str_c(role->name)), mf_esc(&e2, f->of_role));
	for (size_t i = 0; i < f->nsignatures && (int64_t)n < threshold; i++)
		if (count_one(c, f, role, i, good, &n, err) < 0)
			return -1;
	if ((int64_t)n >= threshold)
		return 0;
	return mf_fail(err, MF_E_SIGNATURE, 0, "%zu of the %lld required signatures of role '%s' are valid",
		       n, (long long)threshold, mf_esc(&e, mf_str_c(role->name)));
}
