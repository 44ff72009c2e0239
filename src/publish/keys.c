/* The keys of a role that are on this machine, and signatures by them. */
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "policy/policy.h"
#include "publish/proposal.h"
#include "trust/load.h"

const struct mf_tuf_role *mf_publish_find_role(const struct mf_tuf_set *set, const char *name)
{
	const struct mf_tuf_file *f = set->roles[0]->file;
	const struct mf_tuf_role *other = NULL;
	for (size_t i = 0; i < f->nroles; i++) {
		if (mf_tuf_is_shard(set->d, set->roles[0], &f->roles[i]))
			continue;
		if (strcmp(f->roles[i].name, name) == 0)
			return &f->roles[i];
		if (!other && mf_role_is(f->roles[i].name, name))
			other = &f->roles[i];
	}
	return other;
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
	if (t->keeps_copy)
		mf_err_set_hint(err,
				"put the keys of the mirror back, which its first run made, or remove '%s' "
				"and mirror again: its readers then need a new pin",
				mf_trust_where(t));
	else
		mf_err_set_hint(err, "'manifesto key list' shows the keys on this machine; a colleague who "
				     "holds a listed key can publish");
	return -1;
}

int mf_publish_check_threshold(struct mf_trust *t, const struct mf_tuf_role *role, struct mf_err *err)
{
	const struct mf_key_info *all;
	size_t n;
	/* Keys that cannot be read are no keys that we do not hold. */
	if (mf_keystore_list(t->cfg->keys, &all, &n, err) < 0)
		return -1;
	size_t held = mf_publish_held(t, role);
	if (held == 0)
		return no_key(t, role, err);
	if ((int64_t)held >= role->threshold)
		return 0;
	(void)mf_fail(err, MF_E_THRESHOLD, 0,
		      "role '%s' needs %lld signatures, and %zu of its keys %s on this machine", role->name,
		      (long long)role->threshold, held, held == 1 ? "is" : "are");
	mf_err_set_hint(err, "propose it, so that colleagues can sign it: %s",
			t->cfg->propose_hint ? t->cfg->propose_hint : "the same command with '--propose @'");
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
	return t->proposing || (int64_t)mf_publish_held(t, role) >= role->threshold;
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

/* Signatures over one file, for one role or several: those that were there, and ours. */
struct signing {
	struct mf_tuf_made_signature made[MF_MAX_SIGNATURES];
	struct mf_buf sigs[MF_MAX_SIGNATURES]; /* of ours */
	char ids[MF_MAX_SIGNATURES][65];
	const struct mf_pubkey *by[MF_MAX_SIGNATURES];
	size_t n;
};

static void signing_clear(struct signing *s)
{
	for (size_t i = 0; i < s->n; i++)
		mf_buf_clear(&s->sigs[i]);
	s->n = 0;
}

/* A key counts once, under however many IDs. */
static bool has_made(const struct signing *s, const struct mf_tuf_key *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (mf_pubkey_eq(key->pub, s->by[i]))
			return true;
	return false;
}

static bool made_under(const struct signing *s, struct mf_str id)
{
	for (size_t i = 0; i < s->n; i++)
		if (mf_str_eqz(id, s->ids[i]))
			return true;
	return false;
}

static struct mf_tuf_made_signature *add_signature(struct signing *s, const struct mf_tuf_key *key)
{
	size_t i = s->n++;
	mf_buf_init(&s->sigs[i], 8192);
	memcpy(s->ids[i], key->id.p, 64);
	s->ids[i][64] = 0;
	s->by[i] = key->pub;
	s->made[i].keyid = s->ids[i];
	return &s->made[i];
}

static int sign_with(struct mf_trust *t, struct signing *s, const struct mf_tuf_key *key,
		     const struct mf_key_info *info, struct mf_str canonical, struct mf_err *err)
{
	struct mf_signer signer;
	struct mf_tuf_made_signature *made = add_signature(s, key);
	struct mf_buf *sig = &s->sigs[s->n - 1];
	if (mf_keystore_signer(t->cfg->keys, info, &signer, err) < 0 ||
	    sign_one(t->repo->ops->dialect, &signer, canonical, sig, &made->method, err) < 0)
		return -1;
	made->sig = mf_buf_bytes(sig);
	return 0;
}

static int64_t count_made(const struct signing *s, const struct mf_tuf_role *role)
{
	int64_t n = 0;
	for (size_t i = 0; i < s->n; i++) {
		bool again = false;
		for (size_t j = 0; j < i && !again; j++)
			again = mf_pubkey_eq(s->by[j], s->by[i]);
		n += !again && mf_tuf_role_has_key(role, s->by[i]);
	}
	return n;
}

/* The preferred key first, then as many others as the threshold asks for, besides those that have signed
 * already. */
static int sign_for(struct mf_trust *t, struct signing *s, const struct mf_tuf_role *role,
		    struct mf_str canonical, struct mf_err *err)
{
	struct mf_signer preferred;
	const struct mf_key_info *first = NULL;
	int64_t have = count_made(s, role);
	if (have >= role->threshold)
		return 0;
	if (mf_publish_signer(t, role, &preferred, &first, err) < 0)
		return -1;
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
	return 0;
}

/* ---- signatures that others have made */

static const struct mf_tuf_key *key_with_id(const struct mf_tuf_role *role, const char *id)
{
	for (size_t i = 0; role && i < role->nkeys; i++)
		if (mf_str_eqz(role->keys[i]->id, id) && role->keys[i]->pub && role->keys[i]->id_fits)
			return role->keys[i];
	return NULL;
}

enum mf_found mf_proposal_signed_by(const struct mf_proposal_filter *by,
				    const struct mf_proposal_signature *s, struct mf_str signed_part,
				    struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	enum mf_sig_scheme scheme;
	if (!mf_str_eqz(by->key->id, s->keyid) ||
	    !by->d->scheme(by->key, mf_str_c(s->method ? s->method : ""), &scheme))
		return MF_ABSENT;
	if (mf_sig_verify(by->key->pub, scheme, mf_bytes_of(signed_part), s->sig, &why) == 0)
		return MF_FOUND;
	return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
}

/* One of a key that the role does not list (any more) counts for nothing; one that does not verify is
 * somebody's attempt. */
static int take_one(struct mf_trust *t, struct signing *s, struct mf_publish_signing *job,
		    const struct mf_proposal_signature *given, struct mf_err *err)
{
	const struct mf_tuf_key *key = key_with_id(job->role, given->keyid);
	struct mf_esc e;
	if (!key)
		key = key_with_id(job->also, given->keyid);
	if (!key || key->id.n != 64 || made_under(s, key->id)) {
		mf_env_log(t->cfg->env, MF_LOG_WARNING,
			   "a signature by key ID '%s' does not count for role '%s'",
			   mf_esc(&e, mf_str_c(given->keyid)), job->role->name);
		job->dropped++;
		return 0;
	}
	const struct mf_proposal_filter by = {t->repo->ops->dialect, key};
	enum mf_found good = mf_proposal_signed_by(&by, given, job->canonical, err);
	if (good == MF_FAILED)
		return -1;
	if (good == MF_ABSENT)
		return mf_fail(err, MF_E_SIGNATURE, 0,
			       "the signature of key ID '%s' over the file of role '%s' does not verify",
			       mf_esc(&e, mf_str_c(given->keyid)), job->role->name);
	struct mf_tuf_made_signature *made = add_signature(s, key);
	made->method = given->method;
	made->sig = given->sig;
	return 0;
}

static int take_given(struct mf_trust *t, struct signing *s, struct mf_publish_signing *job,
		      struct mf_err *err)
{
	for (size_t i = 0; job->given && i < job->given->nsignatures && s->n < MF_MAX_SIGNATURES; i++)
		if (take_one(t, s, job, &job->given->signatures[i], err) < 0)
			return -1;
	return 0;
}

static int check_enough(struct mf_trust *t, const struct signing *s, const struct mf_tuf_role *role,
			enum mf_publish_sign how, struct mf_err *err)
{
	char keys[512];
	int64_t have = count_made(s, role);
	if (have >= role->threshold)
		return 0;
	if (how == MF_SIGN_ALL)
		return mf_publish_check_threshold(t, role, err) < 0
			   ? -1
			   : mf_fail(err, MF_E_KEY, 0, "role '%s' needs %lld signatures, got %lld",
				     role->name, (long long)role->threshold, (long long)have);
	mf_publish_name_keys(t, role, keys);
	(void)mf_fail(err, MF_E_THRESHOLD, 0, "role '%s' needs %lld signatures, and the proposal has %lld",
		      role->name, (long long)role->threshold, (long long)have);
	mf_err_set_hint(err, "a holder of another of these keys must run 'manifesto proposal sign': %s",
			keys);
	return -1;
}

static int sign_ours(struct mf_trust *t, struct signing *s, const struct mf_publish_signing *job,
		     const struct mf_tuf_role *role, struct mf_err *err)
{
	const struct mf_key_info *all;
	size_t n;
	if (job->how == MF_SIGN_SOME && mf_keystore_list(t->cfg->keys, &all, &n, err) < 0)
		return -1;
	bool ours = job->how == MF_SIGN_ALL || (job->how == MF_SIGN_SOME && mf_publish_held(t, role));
	if (ours && job->how == MF_SIGN_ALL && mf_publish_check_threshold(t, role, err) < 0)
		return -1;
	if (ours && sign_for(t, s, role, job->canonical, err) < 0)
		return -1;
	bool whole = job->how == MF_SIGN_ALL || job->how == MF_SIGN_GIVEN;
	return whole ? check_enough(t, s, role, job->how, err) : 0;
}

static size_t lacking(const struct signing *s, const struct mf_tuf_role *role)
{
	int64_t have = count_made(s, role);
	return have < role->threshold ? (size_t)(role->threshold - have) : 0;
}

/* A pin may name any root key: each that is here signs the root that lists it, one with a new certificate
 * under both IDs. One that is locked is not needed. */
static int sign_root_with_all(struct mf_trust *t, struct signing *s, const struct mf_tuf_role *root,
			      struct mf_str canonical, struct mf_err *err)
{
	for (size_t i = 0; i < root->nkeys && s->n < MF_MAX_SIGNATURES; i++) {
		struct mf_err why = MF_ERR_INIT;
		const struct mf_key_info *k = mf_trust_key_here(t, root->keys[i]);
		if (!k || root->keys[i]->id.n != 64 || made_under(s, root->keys[i]->id) ||
		    sign_with(t, s, root->keys[i], k, canonical, &why) == 0)
			continue;
		mf_buf_clear(&s->sigs[--s->n]);
		if (why.code != MF_E_KEY)
			return mf_fail(err, why.code, why.sys, "%s", why.msg);
		mf_env_log(t->cfg->env, MF_LOG_INFO, "root key '%s' does not sign: %s", k->name, why.msg);
	}
	return 0;
}

int mf_publish_sign_file(struct mf_trust *t, struct mf_publish_signing *job, struct mf_buf *out,
			 struct mf_err *err)
{
	struct signing s MF_CLEANUP(signing_clear) = {.n = 0};
	if (take_given(t, &s, job, err) < 0)
		return -1;
	size_t given = s.n;
	if (sign_ours(t, &s, job, job->role, err) < 0 ||
	    (job->also && sign_ours(t, &s, job, job->also, err) < 0))
		return -1;
	bool ours = job->how == MF_SIGN_ALL || job->how == MF_SIGN_SOME;
	if (job->also && ours && strcmp(job->also->name, "root") == 0 &&
	    sign_root_with_all(t, &s, job->also, job->canonical, err) < 0)
		return -1;
	job->added = s.n - given;
	job->missing = lacking(&s, job->role);
	if (job->also && lacking(&s, job->also) > job->missing)
		job->missing = lacking(&s, job->also);
	return mf_tuf_build_file(t->repo->ops->dialect, job->canonical, s.made, s.n, out, err);
}
