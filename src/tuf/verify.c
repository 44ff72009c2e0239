/* Threshold checks: who signed, counted by public key. */
#include "crypto/x509.h"
#include "tuf/internal.h"

static const struct mf_tuf_key *role_key(const struct mf_tuf_role *role, struct mf_str id)
{
	for (size_t i = 0; i < role->nkeys; i++)
		if (mf_str_eq(role->keys[i]->id, id))
			return role->keys[i];
	return NULL;
}

static bool anchored(const struct mf_tuf_counting *c, const struct mf_tuf_key *key, const struct mf_digest *fp)
{
	const struct mf_tuf_anchor *a = c->only;
	for (size_t i = 0; i < a->n; i++)
		if (mf_digest_eq(&a->fingerprints[i], fp))
			return true;
	struct mf_err ignored = MF_ERR_INIT;
	return a->ca.n && key->x509 && mf_root_cert_chains_to(key->certificate, a->ca, c->now, &ignored) == 0;
}

/* The key that may verify this signature, a new reference, or NULL. */
static struct mf_pubkey *usable_key(const struct mf_tuf_counting *c, const struct mf_tuf_key *key)
{
	if (!key->id_fits)
		return NULL;
	if (c->root)
		return c->d->root_key(key, c->gun, c->now, c->check_expiry);
	return key->pub ? mf_pubkey_ref(key->pub) : NULL;
}

static bool verifies(const struct mf_tuf_counting *c, const struct mf_tuf_file *f, struct mf_tuf_signature *s,
		     const struct mf_tuf_key *key, struct mf_pubkey *pub)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_digest fp = mf_pubkey_fingerprint(pub);
	enum mf_sig_scheme scheme;
	if (s->good && mf_digest_eq(&s->good_for, &fp))
		return true;
	if (!c->d->scheme(key, s->method, &scheme) ||
	    mf_sig_verify(pub, scheme, mf_bytes_of(f->canonical), s->sig, &ignored) < 0)
		return false;
	s->good = true;
	s->good_for = fp;
	return true;
}

static bool counted(const struct mf_digest *fps, size_t n, const struct mf_digest *fp)
{
	for (size_t i = 0; i < n; i++)
		if (mf_digest_eq(&fps[i], fp))
			return true;
	return false;
}

int mf_tuf_count_signatures(const struct mf_tuf_counting *c, const struct mf_tuf_file *f, const struct mf_tuf_role *role,
			    int64_t threshold, struct mf_err *err)
{
	struct mf_digest good[MF_MAX_SIGNATURES];
	size_t n = 0;
	for (size_t i = 0; i < f->nsignatures && (int64_t)n < threshold; i++) {
		const struct mf_tuf_key *key = role_key(role, f->signatures[i].keyid);
		struct mf_pubkey *pub MF_PUBKEY_CLEANUP = key ? usable_key(c, key) : NULL;
		if (!pub)
			continue;
		struct mf_digest fp = mf_pubkey_fingerprint(pub);
		if (counted(good, n, &fp) || (c->only && !anchored(c, key, &fp)))
			continue;
		if (verifies(c, f, &f->signatures[i], key, pub))
			good[n++] = fp;
	}
	if ((int64_t)n >= threshold)
		return 0;
	struct mf_esc e;
	return mf_fail(err, MF_E_SIGNATURE, 0, "%zu of the %lld needed signatures of role '%s' are valid", n,
		       (long long)threshold, mf_esc(&e, mf_str_c(role->name)));
}
