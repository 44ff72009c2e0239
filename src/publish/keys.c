/* Which keys of a role are on this machine, and signatures by them. */
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "policy/policy.h"
#include "publish/publish.h"
#include "trust/load.h"

const struct mf_tuf_role *mf_publish_find_role(const struct mf_tuf_set *set, const char *name)
{
	const struct mf_tuf_file *f = set->roles[0]->file;
	for (size_t i = 0; i < f->nroles; i++)
		if (strcmp(f->roles[i].name, name) == 0)
			return &f->roles[i];
	for (size_t i = 0; i < f->nroles; i++)
		if (mf_role_is(f->roles[i].name, name))
			return &f->roles[i];
	return NULL;
}

void mf_publish_name_keys(const struct mf_trust *t, const struct mf_tuf_role *role, char out[512])
{
	size_t at = 0;
	out[0] = 0;
	for (size_t i = 0; i < role->nkeys && at + MF_NAME_LABEL + 16 < 512; i++) {
		char label[MF_NAME_LABEL];
		if (!role->keys[i]->pub)
			continue;
		int n = snprintf(out + at, 512 - at, "%s%s (%s)", at ? ", " : "",
				 mf_names_label(t->cfg->names, role->keys[i]->pub, label),
				 mf_key_type_name(mf_pubkey_type(role->keys[i]->pub)));
		at += n > 0 ? (size_t)n : 0;
	}
}

static int no_key(const struct mf_trust *t, const struct mf_tuf_role *role, struct mf_err *err)
{
	char keys[512];
	mf_publish_name_keys(t, role, keys);
	(void)mf_fail(err, MF_E_KEY, 0, "no key of role '%s' is on this machine; the role lists %s",
		      role->name, keys);
	mf_err_set_hint(err, "'manifesto key list' shows the keys on this machine; a colleague who holds a "
			     "listed key can publish");
	return -1;
}

static int too_few_keys(const struct mf_trust *t, const struct mf_tuf_role *role, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_KEY, 0,
		      "role '%s' needs %lld signatures, and %zu of its keys %s on this machine", role->name,
		      (long long)role->threshold, mf_publish_held(t, role),
		      mf_publish_held(t, role) == 1 ? "is" : "are");
	mf_err_set_hint(err, "%lld of its keys must be on one machine to publish for it",
			(long long)role->threshold);
	return -1;
}

int mf_publish_signer(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_signer *out,
		      const struct mf_key_info **info, struct mf_err *err)
{
	const struct mf_key_info *best = NULL, *all;
	size_t n;
	/* Keys that cannot be read are no keys that we do not hold. */
	if (mf_keystore_list(t->cfg->keys, &all, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < role->nkeys; i++) {
		const struct mf_key_info *k = mf_trust_key_here(t, role->keys[i]);
		/* One key may be here under several names. */
		for (size_t j = 0; k && j < n; j++)
			if (mf_pubkey_eq(all[j].pub, k->pub) &&
			    (!best || (t->cfg->key_name && strcmp(all[j].name, t->cfg->key_name) == 0)))
				best = &all[j];
	}
	if (!best)
		return no_key(t, role, err);
	if (!mf_publish_can_sign(t, role))
		return too_few_keys(t, role, err);
	if (info)
		*info = best;
	return mf_keystore_signer(t->cfg->keys, best, out, err);
}

size_t mf_publish_held(const struct mf_trust *t, const struct mf_tuf_role *role)
{
	size_t n = 0;
	for (size_t i = 0; i < role->nkeys; i++) {
		const struct mf_tuf_key *k = role->keys[i];
		bool twice = false;
		if (!k->pub || !k->id_fits)
			continue;
		for (size_t j = 0; j < i && !twice; j++)
			twice = mf_pubkey_eq(role->keys[j]->pub, k->pub);
		struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
		n += !twice && mf_keystore_find_fp(t->cfg->keys, &fp) != NULL;
	}
	return n;
}

bool mf_publish_can_sign(const struct mf_trust *t, const struct mf_tuf_role *role)
{
	return (int64_t)mf_publish_held(t, role) >= role->threshold;
}

bool mf_publish_can_follow(const struct mf_trust *t)
{
	const struct mf_tuf_role *roles = t->set.root->roles;
	return t->repo->ops->server_key || (mf_publish_can_sign(t, &roles[MF_TUF_SNAPSHOT]) &&
					    mf_publish_can_sign(t, &roles[MF_TUF_TIMESTAMP]));
}

/* As many as lists show. Whoever may list keys, in a delegation of their own, could make one of the same
 * first eight digits as the key of a new colleague in hours; sixteen are out of reach. */
#define MIN_DIGITS 16

static bool hex_starts(const struct mf_pubkey *pub, const char *prefix)
{
	char hex[65];
	mf_pubkey_hex(hex, pub);
	return strncmp(hex, prefix, strlen(prefix)) == 0;
}

struct mf_pubkey *mf_publish_listed_key(const struct mf_tuf_set *set, const char *fingerprint,
					struct mf_err *err)
{
	struct mf_pubkey *found = NULL;
	struct mf_esc e;
	for (size_t i = 0; i <= set->nroles && strlen(fingerprint) >= MIN_DIGITS; i++) {
		const struct mf_tuf_file *f = i < set->nroles ? set->roles[i]->file : set->root;
		for (size_t k = 0; k < f->nkeys; k++) {
			struct mf_pubkey *pub = f->keys[k].id_fits ? f->keys[k].pub : NULL;
			if (!pub || !hex_starts(pub, fingerprint))
				continue;
			if (found && !mf_pubkey_eq(found, pub)) {
				(void)mf_fail(err, MF_E_AMBIGUOUS, 0, "several keys begin with '%s'",
					      mf_esc(&e, mf_str_c(fingerprint)));
				return NULL;
			}
			found = pub;
		}
	}
	if (found)
		return mf_pubkey_ref(found);
	(void)mf_fail(err, MF_E_KEY, 0, "no key '%s' on this machine or in the repository",
		      mf_esc(&e, mf_str_c(fingerprint)));
	mf_err_set_hint(err, "use --key with a file that has a public key, or with the fingerprint of a key "
			     "on this machine or (at least 16 digits) in the repository");
	return NULL;
}

/* ---- signatures */

static int sign_one(const struct mf_dialect *d, struct mf_signer *s, struct mf_str canonical,
		    struct mf_buf *sig, const char **method, struct mf_err *err)
{
	enum mf_sig_scheme scheme = d->sign_scheme(s->pub, method);
	return mf_signer_sign(s, scheme, mf_bytes_of(canonical), sig, err);
}

/* Signatures made over one file, for one role or several. */
struct signing {
	struct mf_tuf_made_signature made[MF_MAX_SIGNATURES];
	struct mf_buf sigs[MF_MAX_SIGNATURES];
	char ids[MF_MAX_SIGNATURES][65];
	size_t n;
};

static void signing_clear(struct signing *s)
{
	for (size_t i = 0; i < s->n; i++)
		mf_buf_clear(&s->sigs[i]);
	s->n = 0;
}

static bool has_made(const struct signing *s, const struct mf_tuf_key *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (mf_str_eqz(key->id, s->ids[i]))
			return true;
	return false;
}

static int sign_with(struct mf_trust *t, struct signing *s, const struct mf_tuf_key *key,
		     const struct mf_key_info *info, struct mf_str canonical, struct mf_err *err)
{
	struct mf_signer signer;
	size_t i = s->n++;
	mf_buf_init(&s->sigs[i], 8192);
	memcpy(s->ids[i], key->id.p, 64);
	s->ids[i][64] = 0;
	if (mf_keystore_signer(t->cfg->keys, info, &signer, err) < 0 ||
	    sign_one(t->repo->ops->dialect, &signer, canonical, &s->sigs[i], &s->made[i].method, err) < 0)
		return -1;
	s->made[i].keyid = s->ids[i];
	s->made[i].sig = mf_buf_bytes(&s->sigs[i]);
	return 0;
}

/* The preferred key first, then as many others as the threshold asks for, besides those that have signed for
 * another role already. */
static int sign_for(struct mf_trust *t, struct signing *s, const struct mf_tuf_role *role,
		    struct mf_str canonical, struct mf_err *err)
{
	struct mf_signer preferred;
	const struct mf_key_info *first = NULL;
	int64_t have = 0;
	if (mf_publish_signer(t, role, &preferred, &first, err) < 0)
		return -1;
	for (size_t i = 0; i < role->nkeys; i++)
		have += has_made(s, role->keys[i]) ? 1 : 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < role->nkeys && have < role->threshold && s->n < MF_MAX_SIGNATURES;
		     i++) {
			const struct mf_key_info *k = mf_trust_key_here(t, role->keys[i]);
			bool preferred_key = k && mf_pubkey_eq(k->pub, first->pub);
			if (!k || preferred_key != (pass == 0) || role->keys[i]->id.n != 64 ||
			    has_made(s, role->keys[i]))
				continue;
			/* The key may be here under several names, and in several places. */
			if (preferred_key)
				k = first;
			if (sign_with(t, s, role->keys[i], k, canonical, err) < 0)
				return -1;
			have++;
		}
	if (have >= role->threshold)
		return 0;
	return mf_fail(err, MF_E_KEY, 0,
		       "role '%s' needs %lld signatures, but this machine has only %lld of its keys",
		       role->name, (long long)role->threshold, (long long)have);
}

int mf_publish_sign_file(struct mf_trust *t, const struct mf_tuf_role *role, const struct mf_tuf_role *also,
			 struct mf_str canonical, struct mf_buf *out, struct mf_err *err)
{
	struct signing s MF_CLEANUP(signing_clear) = {.n = 0};
	if (sign_for(t, &s, role, canonical, err) < 0 || (also && sign_for(t, &s, also, canonical, err) < 0))
		return -1;
	return mf_tuf_build_file(t->repo->ops->dialect, canonical, s.made, s.n, out, err);
}
