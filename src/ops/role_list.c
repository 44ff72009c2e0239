/* role list: what each role may sign, and what this machine can do in it. */
#include "base/encode.h"
#include "ops/role_internal.h"

struct listing {
	struct mf_image *im;
	const char *image; /* as it was typed */
	const struct mf_tuf_set *set;
	struct mf_arena *a;
};

static int report_keys(struct listing *l, const struct mf_tuf_role *role, struct manifesto_role *out,
		       struct mf_err *err)
{
	struct manifesto_role_key *v = mf_arena_alloc(l->a, role->nkeys, sizeof *v, err);
	if (!v)
		return -1;
	for (size_t i = 0; i < role->nkeys; i++) {
		const struct mf_tuf_key *k = role->keys[i];
		const struct mf_key_info *ours = mf_trust_key_here(l->im->trust, k);
		v[i].certificate = k->x509;
		v[i].key_id = mf_arena_text_of(l->a, k->id);
		if (k->pub && k->id_fits) {
			struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
			v[i].fingerprint = mf_report_hex(l->a, &fp);
			v[i].colleague =
			    ours ? NULL : mf_arena_text(l->a, mf_names_of(&l->im->m->names, &fp));
			v[i].key_type = mf_key_type_name(mf_pubkey_type(k->pub));
		}
		v[i].name = mf_arena_text(l->a, ours ? ours->name : NULL);
		out->mine = out->mine ? out->mine : v[i].name;
	}
	out->keys = mf_arena_list(l->a, v, role->nkeys, sizeof *v);
	out->nkeys = role->nkeys;
	return 0;
}

static int report_paths(struct listing *l, const struct mf_tuf_role *role, struct manifesto_role *out,
			struct mf_err *err)
{
	const char **paths = mf_arena_alloc(l->a, role->npaths, sizeof(char *), err),
		   **types = paths ? mf_arena_alloc(l->a, role->npaths, sizeof(char *), err) : NULL;
	if (!types)
		return -1;
	for (size_t i = 0; i < role->npaths; i++) {
		struct mf_str type = mf_tuf_path_type(l->set->d, role->paths[i]);
		paths[i] = mf_arena_text_of(l->a, role->paths[i]);
		if (type.n)
			types[out->ntypes++] = mf_arena_text_of(l->a, type);
	}
	out->paths = paths;
	out->npaths = role->npaths;
	out->types = types;
	return 0;
}

static void report_state(struct listing *l, const char *name, struct manifesto_role *out)
{
	const struct mf_tuf_loaded *loaded = mf_tuf_set_find(l->set, name);
	const struct mf_trust_broken *b = loaded ? NULL : mf_trust_find_broken(l->im->trust, name);
	out->state = loaded ? "current" : b ? (b->code == MF_E_EXPIRED ? "expired" : "invalid") : "empty";
	out->problem = mf_arena_text(l->a, b ? b->why : NULL);
	if (!loaded)
		return;
	out->version = loaded->file->version;
	out->expires = loaded->file->expires;
	out->entries = loaded->file->ntargets;
	if (loaded->file->expires <= l->set->now)
		out->state = "expired";
}

/* Whether this machine can publish under the role, or why not. */
static void report_mine(struct listing *l, const struct mf_tuf_role *role, struct manifesto_role *out)
{
	size_t held = mf_publish_held(l->im->trust, role);
	struct mf_err read_only = MF_ERR_INIT;
	if (!held)
		out->why_not = "none of its keys is on this machine";
	else if ((int64_t)held < role->threshold)
		out->why_not =
		    mf_arena_format(l->a, "it needs %lld signatures, and %zu of its keys %s on this machine",
				    (long long)role->threshold, held, held == 1 ? "is" : "are");
	else if (mf_trust_check_writable(l->im->trust, &read_only) < 0)
		out->why_not = "the repository is read-only there";
	else if (strcmp(out->state, "invalid") == 0)
		out->why_not =
		    mf_arena_format(l->a,
				    "its file does not verify: 'manifesto role sign --force %s %s' "
				    "replaces it with an empty one",
				    l->image, role->name);
	else if (!mf_publish_can_follow(l->im->trust))
		out->why_not =
		    mf_arena_format(l->a,
				    "snapshot and timestamp list no key on this machine: the holder of the "
				    "root key must run 'manifesto role add %s %s --key' with your key",
				    l->image, role->name);
	else
		out->can_sign = 1;
}

static int report_role(struct listing *l, const struct mf_tuf_role *role, const char *parent,
		       struct manifesto_role *out, struct mf_err *err)
{
	out->threshold = (int)(role->threshold > 1000 ? 1000 : role->threshold);
	out->name = mf_arena_text(l->a, role->name);
	out->parent = mf_arena_text(l->a, parent);
	report_state(l, role->name, out);
	report_mine(l, role, out);
	return report_keys(l, role, out, err) < 0 ? -1 : report_paths(l, role, out, err);
}

static bool wanted(const char *name, const char *asked)
{
	return !asked || mf_role_is(name, asked);
}

static int report_roles(struct listing *l, const char *asked, struct manifesto_role_list *out,
			struct mf_err *err)
{
	size_t n = 1;
	for (size_t i = 0; i < l->set->nroles; i++)
		n += l->set->roles[i]->file->nroles;
	struct manifesto_role *v = mf_arena_alloc(l->a, n, sizeof *v, err);
	if (!v)
		return -1;
	if (wanted("targets", asked) &&
	    report_role(l, &l->set->root->roles[MF_TUF_TARGETS], NULL, &v[out->nroles++], err) < 0)
		return -1;
	for (size_t i = 0; i < l->set->nroles; i++)
		for (size_t j = 0; j < l->set->roles[i]->file->nroles; j++) {
			const struct mf_tuf_role *role = &l->set->roles[i]->file->roles[j];
			if (wanted(role->name, asked) &&
			    report_role(l, role, l->set->roles[i]->role, &v[out->nroles++], err) < 0)
				return -1;
		}
	out->roles = mf_arena_list(l->a, v, out->nroles, sizeof *v);
	if (out->nroles)
		return mf_arena_check(l->a, err);
	struct mf_esc e;
	return mf_fail(err, MF_E_NOT_FOUND, 0, "there is no role '%s' in this repository",
		       mf_esc(&e, mf_str_c(asked)));
}

static int list(struct manifesto *m, const char *image, const char *role, struct manifesto_role_list *out,
		struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	if (mf_image_open(&im, m, image, err) < 0)
		return -1;
	if (mf_trust_load(im.trust, &(struct mf_load){.tolerate_broken = true}, err) < 0)
		return -1;
	struct listing l = {&im, image, mf_trust_set(im.trust), mf_result_arena(out)};
	out->gun = mf_arena_text(l.a, mf_trust_pin_name(im.trust));
	out->where = mf_arena_text(l.a, mf_trust_where(im.trust));
	out->dialect = mf_trust_dialect(im.trust)->name;
	return report_roles(&l, role, out, err);
}

int manifesto_role_list(struct manifesto *m, const char *image, const char *role,
			const struct manifesto_role_list **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	struct manifesto_role_list *r = mf_result_new(sizeof *r, &err);
	int rc = r ? list(m, image, role, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}
