/* role list: shows what each role may sign, and whether this machine can sign for it. role add, remove, sign:
 * change roles, and report the effect on existing records. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "ops/role.h"

/* ---- keys */

void mf_role_keys_clear(struct mf_role_keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		mf_pubkey_unref(k->v[i]);
		free(k->certificates[i]);
	}
	free(k->v);
	free(k->certificates);
	*k = (struct mf_role_keys){0};
}

/* *certificate: a copy of the text for the caller to free, if the text is a certificate. */
static struct mf_pubkey *key_from_text(struct mf_str text, const char *what, char **certificate,
				       struct mf_err *err)
{
	const struct mf_str head = MF_STR("-----BEGIN CERTIFICATE-----");
	struct mf_esc e;
	struct mf_pubkey *pub = mf_pubkey_from_text(text, err);
	bool certified = text.p && memmem(text.p, text.n, head.p, head.n);
	if (pub && certified && !(*certificate = mf_str_dup(text))) {
		(void)mf_fail_nomem(err);
		mf_pubkey_unref(pub);
		return NULL;
	}
	if (pub || err->code != MF_E_FORMAT)
		return pub;
	(void)mf_recode(err, MF_E_USAGE);
	(void)mf_wrap(err, "'%s' is not a public key", mf_esc(&e, mf_str_c(what)));
	mf_err_set_hint(err,
			"use PEM, as 'manifesto key show' prints it, a certificate, one line of OpenSSH, "
			"or the public key of minisign or signify");
	return NULL;
}

static struct mf_pubkey *key_from_file(const char *text, const char *dir, bool *found, char **certificate,
				       struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	char *path MF_FREE =
	    dir && text[0] != '/' ? mf_path_join(dir, text, NULL) : mf_str_dup(mf_str_c(text));
	struct stat st;
	if (!path) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	/* A directory does not count: it may have the same name as a key. */
	*found = stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
	if (!*found || mf_file_read(path, MF_MAX_KEYFILE_BYTES, &bytes, err) < 0)
		return NULL;
	return key_from_text(mf_str_skip_bom(mf_buf_str(&bytes)), path, certificate, err);
}

/* Finds a key of this machine or of the repository by its name or fingerprint. */
static struct mf_pubkey *key_by_name(struct mf_image *im, const char *text, struct mf_err *err)
{
	struct mf_esc e;
	const struct mf_key_info *k = mf_keystore_find(im->m->keys, text, err);
	if (k)
		return mf_pubkey_ref(k->pub);
	if (err->code != MF_E_KEY)
		return NULL;
	mf_err_clear(err);
	char digits[65];
	const struct mf_digest *colleague = mf_names_find(&im->m->names, text);
	if (colleague)
		mf_digest_hex(digits, colleague);
	if (colleague || mf_fingerprint_digits(digits, text))
		return mf_publish_listed_key(mf_trust_set(im->trust), digits, err);
	(void)mf_fail(err, MF_E_KEY, 0, "there is no file and no key '%s'", mf_esc(&e, mf_str_c(text)));
	mf_err_set_hint(err, "use --key with a file that has a public key, or with the fingerprint of a key "
			     "on this machine or in the repository");
	return NULL;
}

struct mf_pubkey *mf_op_public_key(struct manifesto *m, const char *text, struct mf_err *err)
{
	bool found = false;
	char *certificate MF_FREE = NULL;
	if (mf_pubkey_is_text(mf_str_c(text)))
		return key_from_text(mf_str_c(text), "the key given", &certificate, err);
	struct mf_pubkey *pub = key_from_file(text, NULL, &found, &certificate, err);
	if (pub || found)
		return pub;
	if (mf_err_is_ours(err))
		return NULL;
	mf_err_clear(err);
	const struct mf_key_info *k = mf_keystore_find(m->keys, text, err);
	return k ? mf_pubkey_ref(k->pub) : NULL;
}

static int keep_key(struct mf_role_keys *out, struct mf_pubkey *pub, char **certificate, struct mf_err *err)
{
	if (mf_grow((void **)&out->v, &out->cap, out->n, sizeof(struct mf_pubkey *), err) < 0 ||
	    mf_grow((void **)&out->certificates, &out->certificates_cap, out->n, sizeof(char *), err) < 0)
		return -1;
	out->v[out->n] = mf_pubkey_ref(pub);
	out->certificates[out->n++] = *certificate;
	*certificate = NULL;
	return 0;
}

int mf_role_keys_keep(struct mf_role_keys *keys, struct mf_pubkey *pub, struct mf_err *err)
{
	char *none = NULL;
	return keep_key(keys, pub, &none, err);
}

int mf_role_key_add(struct mf_image *im, const char *text, const char *dir, struct mf_role_keys *out,
		    struct mf_err *err)
{
	bool found = false;
	struct mf_digest whole;
	struct mf_pubkey *pub MF_PUBKEY_CLEANUP = NULL;
	char *certificate MF_FREE = NULL;
	bool itself = mf_pubkey_is_text(mf_str_c(text));
	if (itself)
		pub = key_from_text(mf_str_c(text), "the key given", &certificate, err);
	/* A full fingerprint never names a file. */
	else if (!mf_fingerprint_parse(&whole, text))
		pub = key_from_file(text, dir, &found, &certificate, err);
	if (!pub && !found && !itself && !err->code)
		pub = key_by_name(im, text, err);
	return pub ? keep_key(out, pub, &certificate, err) : -1;
}

/* ---- the effect of a change on existing records */

/* What happens to a record that counted before. OUTVOTED: it is in `targets`, and a role has authority over
 * its type now. UNSIGNED: no key that signed it counts any more. */
enum fate { STAYS, OUTVOTED, GONE, UNSIGNED, FATES };

struct seen {
	const char *record, *role;
	enum mf_state state;
	enum fate fate;
};
/* The records before the change, with their fate after it. */
struct survey {
	struct mf_arena arena;
	struct seen *v;
	size_t n, cap;
	size_t added; /* records that count after the change and did not before */
};

static void survey_clear(struct survey *s)
{
	mf_arena_clear(&s->arena);
	free(s->v);
}

static int seen_cmp(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int c = strcmp(x->record, y->record);
	return c ? c : strcmp(x->role, y->role);
}

#define RECORD_TEXT (MF_MAX_TYPE + MF_DIGEST_TEXT + 16)

static void record_text(char out[RECORD_TEXT], const struct mf_entry *e)
{
	char subject[MF_DIGEST_TEXT];
	mf_digest_format(subject, &e->subject);
	(void)snprintf(out, RECORD_TEXT, "%s%.*s of %s", e->state == MF_STATE_VETO ? "veto on " : "",
		       MF_STR_ARG(e->type), subject);
}

static int note_before(void *arg, struct mf_entry *e, struct mf_err *err)
{
	struct survey *s = arg;
	const char *role = s->n ? s->v[s->n - 1].role : "";
	char text[RECORD_TEXT];
	record_text(text, e);
	if (mf_grow((void **)&s->v, &s->cap, s->n, sizeof *s->v, err) < 0)
		return -1;
	if (strcmp(role, e->role->role) != 0)
		role = mf_arena_dup(&s->arena, mf_str_c(e->role->role), err);
	const char *record = role ? mf_arena_dup(&s->arena, mf_str_c(text), err) : NULL;
	if (!record)
		return -1;
	s->v[s->n++] = (struct seen){record, role, e->state, GONE};
	return 0;
}

static int survey_before(struct survey *s, const struct mf_tuf_set *set, struct mf_err *err)
{
	if (mf_policy_each(set, (struct mf_entry_filter){0}, note_before, s, err) < 0)
		return -1;
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, seen_cmp);
	return 0;
}

static int note_after(void *arg, struct mf_entry *e, struct mf_err *err)
{
	struct survey *s = arg;
	char text[RECORD_TEXT];
	struct seen now = {.record = text, .role = e->role->role};
	(void)err;
	record_text(text, e);
	struct seen *was = s->n ? bsearch(&now, s->v, s->n, sizeof now, seen_cmp) : NULL;
	if (was)
		was->fate = e->state == MF_STATE_FOREIGN && was->state == MF_STATE_CURRENT ? UNSIGNED : STAYS;
	else
		s->added++;
	return 0;
}

static int survey_after(void *arg, const struct mf_tuf_set *set, struct mf_err *err)
{
	struct survey *s = arg;
	for (size_t i = 0; i < s->n; i++)
		s->v[i].fate = strcmp(s->v[i].role, "targets") == 0 ? OUTVOTED : GONE;
	s->added = 0;
	return mf_policy_each(set, (struct mf_entry_filter){0}, note_after, s, err);
}

/* Reports each record that counts before and not afterwards as a change of its own, so that no approval is
 * lost without notice. */
static int report_lost(const struct survey *records, struct mf_role_change *c,
		       struct manifesto_role_result *out, struct mf_err *err)
{
	static const char *const names[FATES] = {
	    [OUTVOTED] = "record not read", [GONE] = "record gone", [UNSIGNED] = "record unsigned"};
	size_t lost = 0;
	for (size_t i = 0; i < records->n; i++)
		lost += records->v[i].fate != STAYS;
	struct manifesto_role_change *v =
	    mf_arena_alloc(mf_result_arena(out), c->nchanges + lost, sizeof *v, err);
	if (!v)
		return -1;
	if (c->nchanges)
		memcpy(v, c->changes, c->nchanges * sizeof *v);
	c->changes = v;
	for (size_t i = 0; i < records->n; i++) {
		const struct seen *s = &records->v[i];
		if (s->fate == STAYS)
			continue;
		struct manifesto_role_change *row = &v[c->nchanges++];
		row->what = names[s->fate];
		row->role = mf_arena_dup(mf_result_arena(out), mf_str_c(s->role), err);
		row->detail = row->role ? mf_arena_dup(mf_result_arena(out), mf_str_c(s->record), err) : NULL;
		if (!row->detail)
			return -1;
	}
	return 0;
}

/* Warns of a threshold above 1, so that the user learns what it takes before the first put. */
static const char *threshold_warning(const struct mf_role_request *r, struct mf_arena *a)
{
	return r->verb == MF_ROLE_DROP || r->threshold < 2
		   ? NULL
		   : mf_arena_format(
			 a,
			 "role '%s' needs %lld signatures: on a machine with fewer of its keys, changes are "
			 "proposed with --propose",
			 r->role, (long long)r->threshold);
}

static int report_warnings(const struct survey *records, const struct mf_role_change *c,
			   struct manifesto_role_result *out, struct mf_err *err)
{
	static const char *const texts[FATES] = {
	    [STAYS] = "read that were not before: check that they still hold",
	    [OUTVOTED] = "in 'targets' not read any more, since a role speaks for their types now: put them "
			 "again",
	    [GONE] = "gone",
	    [UNSIGNED] = "without a signature of a key that counts: a policy does not accept them until they "
			 "are put or signed again"};
	size_t n[FATES] = {0};
	const char **v = mf_arena_alloc(mf_result_arena(out), FATES + c->n, sizeof(char *), err);
	if (!v)
		return -1;
	for (size_t i = 0; i < records->n; i++)
		n[records->v[i].fate]++;
	n[STAYS] = records->added; /* records that stay need no warning; its row counts the added ones */
	for (size_t i = 1; i <= FATES; i++) {
		size_t fate = i % FATES;
		if (!n[fate])
			continue;
		v[out->nwarnings] = mf_arena_printf(mf_result_arena(out), err, "%zu record%s %s", n[fate],
						    n[fate] == 1 ? "" : "s", texts[fate]);
		if (!v[out->nwarnings++])
			return -1;
	}
	for (size_t i = 0; i < c->n; i++) {
		v[out->nwarnings] = threshold_warning(&c->requests[i], mf_result_arena(out));
		out->nwarnings += v[out->nwarnings] != NULL;
	}
	out->warnings = v;
	return mf_arena_check(mf_result_arena(out), err);
}

/* ---- running */

int mf_role_load(struct mf_image *im, bool *expired_root, struct mf_err *err)
{
	struct mf_load how = {.purpose = MF_LOAD_SIGN, .tolerate_broken = true};
	if (mf_trust_load(im->trust, &how, err) == 0)
		return 0;
	if (err->code == MF_E_EXPIRED && expired_root) {
		mf_err_clear(err);
		how.purpose = MF_LOAD_RENEW;
		*expired_root = true;
		return mf_trust_load(im->trust, &how, err);
	}
	if (err->code == MF_E_NOT_FOUND)
		mf_err_set_hint(err,
				"make it with 'manifesto trust init' or the first 'manifesto put --init'");
	return -1;
}

static int report(struct mf_image *im, const struct mf_role_change *c, struct manifesto_role_result *out,
		  struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	out->gun = mf_arena_text(a, mf_trust_pin_name(im->trust));
	out->where = mf_arena_text(a, mf_trust_where(im->trust));
	out->changes = mf_arena_list(a, c->changes, c->nchanges, sizeof *c->changes);
	out->nchanges = c->nchanges;
	out->version = c->version;
	out->root_version = c->root_version;
	out->dry_run = c->dry_run;
	return mf_arena_check(a, err);
}

int mf_role_run(struct mf_image *im, struct mf_role_change *c, struct manifesto_role_result *out,
		struct mf_err *err)
{
	struct survey records MF_CLEANUP(survey_clear) = {.arena = MF_ARENA_INIT};
	struct mf_proposal proposal MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	if (survey_before(&records, mf_trust_set(im->trust), err) < 0 ||
	    mf_propose_begin(im, c->propose, &proposal, err) < 0)
		return -1;
	bool sent = !c->dry_run && !c->propose;
	c->proposal = c->propose && !c->dry_run ? &proposal : NULL;
	c->arena = mf_result_arena(out);
	c->preview = survey_after;
	c->preview_arg = &records;
	enum mf_found found = mf_publish_roles(im->trust, c, err);
	c->preview_arg = NULL;
	if (found == MF_FAILED)
		return -1;
	out->missing = proposal.missing;
	if (found == MF_FOUND && c->proposal &&
	    mf_propose_store(im, c->propose, &proposal, mf_result_arena(out), &out->proposal, err) < 0)
		return -1;
	c->proposal = NULL;
	if (found == MF_FOUND &&
	    ((sent && survey_after(&records, mf_trust_set(im->trust), err) < 0) ||
	     report_lost(&records, c, out, err) < 0 || report_warnings(&records, c, out, err) < 0))
		return -1;
	return report(im, c, out, err);
}

static size_t count(const char *const *texts)
{
	size_t n = 0;
	while (texts && texts[n])
		n++;
	return n;
}

static int check_options(const struct manifesto_role_options *o, enum mf_role_verb verb, struct mf_err *err)
{
	if (o->threshold < 0 || o->threshold > MF_MAX_SIGNATURES)
		return mf_fail(err, MF_E_USAGE, 0, "threshold %d is not between 1 and %d", o->threshold,
			       MF_MAX_SIGNATURES);
	if (verb == MF_ROLE_ADD && !count(o->keys) && !count(o->types) && !o->threshold)
		return mf_fail(err, MF_E_USAGE, 0, "nothing to add: give keys, types or a threshold");
	return 0;
}

/* In role sign, `keys` names the key to sign with. A role that does not exist is reported later. */
static int check_signer(const struct mf_image *im, const struct manifesto_role_options *o, struct mf_err *err)
{
	const struct mf_tuf_role *role = mf_publish_find_role(mf_trust_set(im->trust), o->role);
	const struct mf_key_info *k;
	struct mf_signer s;
	return role ? mf_role_signer(im, role, o->keys[0], &s, &k, err) : 0;
}

static int change(struct manifesto *m, const struct manifesto_role_options *o, enum mf_role_verb verb,
		  struct manifesto_role_result *out, struct mf_err *err)
{
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct mf_role_keys keys MF_ROLE_KEYS_CLEANUP = {0};
	if (check_options(o, verb, err) < 0 || mf_image_open(&im, m, o->image, err) < 0)
		return -1;
	im.proposes = o->propose != NULL;
	if (mf_role_load(&im, NULL, err) < 0)
		return -1;
	if (verb == MF_ROLE_SIGN && count(o->keys) && check_signer(&im, o, err) < 0)
		return -1;
	for (size_t i = 0; verb != MF_ROLE_SIGN && i < count(o->keys); i++)
		if (mf_role_key_add(&im, o->keys[i], NULL, &keys, err) < 0)
			return -1;
	struct mf_role_request r = {.verb = verb,
				    .role = o->role,
				    .keys = keys.v,
				    .nkeys = keys.n,
				    .types = o->types,
				    .ntypes = count(o->types),
				    .threshold = o->threshold,
				    .force = o->force != 0};
	struct mf_role_change c = {
	    .requests = &r, .n = 1, .image = o->image, .dry_run = o->dry_run != 0, .propose = o->propose};
	return mf_role_run(&im, &c, out, err);
}

static int run(struct manifesto *m, const struct manifesto_role_options *opt, enum mf_role_verb verb,
	       const struct manifesto_role_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_role_options o;
	struct manifesto_role_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = r ? change(m, &o, verb, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

int manifesto_role_add(struct manifesto *m, const struct manifesto_role_options *opt,
		       const struct manifesto_role_result **out, struct manifesto_error *error)
{
	return run(m, opt, MF_ROLE_ADD, out, error);
}

int manifesto_role_remove(struct manifesto *m, const struct manifesto_role_options *opt,
			  const struct manifesto_role_result **out, struct manifesto_error *error)
{
	return run(m, opt, MF_ROLE_DROP, out, error);
}

int manifesto_role_sign(struct manifesto *m, const struct manifesto_role_options *opt,
			const struct manifesto_role_result **out, struct manifesto_error *error)
{
	return run(m, opt, MF_ROLE_SIGN, out, error);
}

/* ---- list */

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

/* Finds why the role, or one of its shards, could not be loaded. NULL: nothing failed. */
static const struct mf_trust_broken *find_broken(const struct listing *l, const char *name,
						 const struct mf_tuf_loaded *loaded)
{
	const struct mf_trust_broken *b = loaded ? NULL : mf_trust_find_broken(l->im->trust, name);
	for (size_t i = 0; loaded && !b && i < loaded->file->nroles; i++) {
		const struct mf_tuf_role *role = &loaded->file->roles[i];
		if (mf_tuf_is_shard(l->set->d, loaded, role) && !mf_tuf_shard_is_loaded(l->set, loaded, role))
			b = mf_trust_find_broken(l->im->trust, role->name);
	}
	return b;
}

static void report_state(struct listing *l, const char *name, struct manifesto_role *out)
{
	const struct mf_tuf_loaded *loaded = mf_tuf_set_find(l->set, name);
	const struct mf_trust_broken *b = find_broken(l, name, loaded);
	out->state = b ? (b->code == MF_E_EXPIRED ? "expired" : "invalid") : loaded ? "current" : "empty";
	out->problem = mf_arena_text(l->a, b ? b->why : NULL);
	if (!loaded || b)
		return;
	out->version = loaded->file->version;
	out->expires = mf_tuf_role_expires(l->set, loaded);
	out->entries = mf_tuf_role_entries(l->set, loaded);
	if (out->expires <= l->set->now)
		out->state = "expired";
}

/* Reports whether this machine can publish under the role, or why not. */
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
			if (!mf_tuf_is_shard(l->set->d, l->set->roles[i], role) &&
			    wanted(role->name, asked) &&
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
	if (mf_image_open_by(&im, m, image, MF_MAPS_FOLLOW, err) < 0)
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
