#include "publish/admin.h"

#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"
#include "publish/plan.h"
#include "record/record.h"
#include "trust/client.h"

/* ---- looking */

void mf_admin_result_clear(struct mf_admin_result *r)
{
	mf_arena_clear(&r->arena);
	free(r->v);
	*r = (struct mf_admin_result){.arena = MF_ARENA_INIT};
}

static const char *bare(const char *name)
{
	return strncmp(name, "targets/", 8) == 0 ? name + 8 : name;
}

const struct mf_tuf_role *mf_admin_find(const struct mf_tuf_set *set, const char *name)
{
	const struct mf_tuf_file *f = set->roles[0]->file;
	for (size_t i = 0; i < f->nroles; i++)
		if (strcmp(f->roles[i].name, name) == 0)
			return &f->roles[i];
	/* The top-level role goes by its one name: a delegation "targets/targets" is another. */
	for (size_t i = 0; i < f->nroles && strcmp(name, "targets") != 0; i++)
		if (strcmp(bare(f->roles[i].name), bare(name)) == 0)
			return &f->roles[i];
	return NULL;
}

/* As many as lists show. Whoever may list keys, in a delegation of their own, could make one of the same
 * first eight digits as the key of a new colleague in hours; sixteen are out of reach. */
#define MIN_DIGITS 16

static bool hex_starts(const struct mf_pubkey *pub, const char *prefix)
{
	char hex[65];
	struct mf_digest fp = mf_pubkey_fingerprint(pub);
	mf_digest_hex(hex, &fp);
	return strncmp(hex, prefix, strlen(prefix)) == 0;
}

struct mf_pubkey *mf_admin_listed_key(const struct mf_tuf_set *set, const char *fingerprint,
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
			struct mf_digest a = mf_pubkey_fingerprint(pub);
			struct mf_digest b = found ? mf_pubkey_fingerprint(found) : a;
			if (!mf_digest_eq(&a, &b)) {
				(void)mf_fail(err, MF_E_AMBIGUOUS, 0, "several keys begin with '%s'",
					      mf_esc(&e, mf_str_c(fingerprint)));
				return NULL;
			}
			found = pub;
		}
	}
	if (found)
		return mf_pubkey_ref(found);
	(void)mf_fail(err, MF_E_KEY, 0, "no key '%s' here or in the repository",
		      mf_esc(&e, mf_str_c(fingerprint)));
	mf_err_set_hint(err,
			"--key takes a file with a public key, or the fingerprint of a key of this machine "
			"or (16 digits at least) of the repository");
	return NULL;
}

bool mf_admin_may_publish(struct mf_trust *t)
{
	return t->repo->ops->server_key ||
	       (mf_trust_hold_key_of(t, MF_TUF_SNAPSHOT) && mf_trust_hold_key_of(t, MF_TUF_TIMESTAMP));
}

bool mf_admin_read_only(const struct mf_trust *t)
{
	return t->repo->ops->read_only;
}

/* ---- the intent */

struct work {
	const char *image;
	const struct mf_admin_request *v;
	size_t n;
	struct mf_plan plan;
	struct mf_admin_result *result;
};

static int intent(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct work *w = arg;
	mf_plan_clear(&w->plan);
	mf_admin_result_clear(w->result);
	w->plan.result = w->result;
	w->plan.image = w->image;
	if (mf_plan_make(&w->plan, t, w->v, w->n, err) < 0)
		return -1;
	*out = w->plan.change;
	return w->plan.any ? 1 : 0;
}

/* ---- the proof */

static bool role_has(const struct mf_tuf_role *role, const struct mf_pubkey *pub)
{
	struct mf_digest want = mf_pubkey_fingerprint(pub);
	for (size_t i = 0; role && i < role->nkeys; i++) {
		if (!role->keys[i]->pub || !role->keys[i]->id_fits)
			continue;
		struct mf_digest fp = mf_pubkey_fingerprint(role->keys[i]->pub);
		if (mf_digest_eq(&fp, &want))
			return true;
	}
	return false;
}

/* Whoever was added can sign for the role, and publish; whoever was taken out cannot sign. */
static int prove_keys(const struct mf_trust *t, const struct mf_admin_request *r,
		      const struct mf_tuf_role *role, struct mf_err *err)
{
	bool wanted = r->verb != MF_ADMIN_DROP;
	for (size_t i = 0; i < r->nkeys; i++) {
		bool listed = role_has(role, r->keys[i]), writes = true;
		char hex[65];
		struct mf_digest fp = mf_pubkey_fingerprint(r->keys[i]);
		if (wanted && !t->repo->ops->server_key)
			writes = role_has(&t->set.root->roles[MF_TUF_SNAPSHOT], r->keys[i]) &&
				 role_has(&t->set.root->roles[MF_TUF_TIMESTAMP], r->keys[i]);
		if (listed == wanted && writes)
			continue;
		mf_digest_hex(hex, &fp);
		return mf_fail(err, MF_E_CONFLICT, 0,
			       "published, but on reading again key %.16s... %s role '%s'", hex,
			       wanted ? "cannot sign for" : "still signs for", r->role);
	}
	return 0;
}

static int prove(struct mf_trust *t, const struct mf_admin_request *r, struct mf_err *err)
{
	const struct mf_tuf_role *role = mf_admin_find(&t->set, r->role);
	size_t n;
	const struct mf_trust_broken *broken = mf_trust_broken(t, &n);
	if (r->verb == MF_ADMIN_DROP && !r->nkeys)
		return role ? mf_fail(err, MF_E_CONFLICT, 0,
				      "published, but on reading again role '%s' is there", r->role)
			    : 0;
	if (!role && r->verb != MF_ADMIN_DROP)
		return mf_fail(err, MF_E_CONFLICT, 0, "published, but on reading again there is no role '%s'",
			       r->role);
	for (size_t i = 0; role && i < n; i++)
		if (strcmp(broken[i].role, role->name) == 0)
			mf_env_log(t->cfg->env, MF_LOG_WARNING, "role '%s' does not verify: %s", role->name,
				   broken[i].why);
	return prove_keys(t, r, role, err);
}

/* ---- the whole */

int mf_admin_run(struct mf_trust *t, const char *image, const struct mf_admin_plan *plan,
		 struct mf_admin_result *out, struct mf_err *err)
{
	struct mf_admin_result result = {.arena = MF_ARENA_INIT};
	struct work w = {.image = image, .v = plan->v, .n = plan->n, .result = &result};
	struct mf_publish_change ignored;
	int64_t version = 0;
	int rc;
	mf_trust_tolerate(t);
	if (plan->dry_run)
		rc = mf_trust_load(t, MF_STR(""), true, err) < 0 ? -1 : intent(&w, t, &ignored, err);
	else
		rc = mf_publish_update(t, MF_STR(""), intent, &w, &version, err);
	for (size_t i = 0; rc == 1 && !plan->dry_run && i < plan->n; i++)
		if (prove(t, &plan->v[i], err) < 0)
			rc = -1;
	if (rc == 1 && w.plan.change.role)
		result.version = plan->dry_run ? 0 : version;
	mf_plan_clear(&w.plan);
	if (rc < 0) {
		mf_admin_result_clear(&result);
		return -1;
	}
	*out = result;
	return rc;
}
