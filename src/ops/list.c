/* list: the records of an image, or of all images of a repository, that authorised roles hold. */
#include "ops/ops.h"

/* ---- filters */

static bool is_among(const char *const *list, const char *text)
{
	for (size_t i = 0; list && list[i]; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return !list;
}

static bool passes(const struct mf_entry *e, const struct manifesto_list_options *o)
{
	bool type = !o->types || (e->state == MF_STATE_VETO && mf_str_eqz(e->type, MF_VETO_ALL));
	for (size_t i = 0; !type && o->types[i]; i++)
		type = mf_str_eqz(e->type, o->types[i]);
	return type && is_among(o->states, mf_state_name(e->state));
}

static int check_states(const struct manifesto_list_options *o, struct mf_err *err)
{
	static const enum mf_state all[] = {MF_STATE_CURRENT, MF_STATE_FOREIGN, MF_STATE_EXPIRED,
					    MF_STATE_WITHDRAWN, MF_STATE_VETO};
	struct mf_esc e;
	for (size_t i = 0; o->states && o->states[i]; i++) {
		bool known = false;
		for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
			known |= strcmp(o->states[i], mf_state_name(all[k])) == 0;
		if (!known)
			return mf_fail(
			    err, MF_E_USAGE, 0,
			    "expected a state (current, withdrawn, expired, foreign, veto), got '%s'",
			    mf_esc(&e, mf_str_c(o->states[i])));
	}
	for (size_t i = 0; o->types && o->types[i]; i++)
		if (mf_record_type_check(mf_str_c(o->types[i]), err) < 0)
			return -1;
	return 0;
}

/* A role that nobody delegated to is a mistake, not an empty list. */
static int check_role(const struct mf_tuf_set *set, const char *asked, struct mf_err *err)
{
	struct mf_esc e;
	if (mf_role_is("targets", asked))
		return 0;
	for (size_t i = 0; i < set->nroles; i++)
		for (size_t j = 0; j < set->roles[i]->file->nroles; j++)
			if (!mf_tuf_is_shard(set->d, set->roles[i], &set->roles[i]->file->roles[j]) &&
			    mf_role_is(set->roles[i]->file->roles[j].name, asked))
				return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "there is no role '%s' in this repository",
		      mf_esc(&e, mf_str_c(asked)));
	mf_err_set_hint(err, "'manifesto trust show' lists the roles");
	return -1;
}

static int check_roles(const struct mf_tuf_set *set, const struct manifesto_list_options *o,
		       struct mf_err *err)
{
	for (size_t i = 0; o->roles && o->roles[i]; i++)
		if (check_role(set, o->roles[i], err) < 0)
			return -1;
	return 0;
}

/* ---- entries */

static int by_name(const void *a, const void *b)
{
	const struct mf_entry *x = a, *y = b;
	int c = memcmp(x->subject.b, y->subject.b, sizeof x->subject.b);
	if (!c)
		c = mf_str_cmp(x->type, y->type);
	if (!c)
		c = strcmp(x->role->role, y->role->role);
	return c ? c : (x->state == MF_STATE_VETO) - (y->state == MF_STATE_VETO);
}

static int append(struct mf_entries *all, struct mf_entries *more, struct mf_err *err)
{
	for (size_t i = 0; i < more->n; i++) {
		if (mf_grow((void **)&all->v, &all->cap, all->n, sizeof *all->v, err) < 0)
			return -1;
		all->v[all->n++] = more->v[i];
		more->v[i] = (struct mf_entry){0};
	}
	return 0;
}

/* What passes the filters; a role that is named twice counts once. */
static void keep(struct mf_entries *all, const struct manifesto_list_options *o)
{
	size_t kept = 0;
	if (all->n)
		qsort(all->v, all->n, sizeof *all->v, by_name);
	for (size_t i = 0; i < all->n; i++)
		if ((kept && by_name(&all->v[kept - 1], &all->v[i]) == 0) || !passes(&all->v[i], o))
			mf_entry_clear(&all->v[i]);
		else
			all->v[kept++] = all->v[i];
	all->n = kept;
}

/* The records of a subject, NULL: of all. */
static int find(struct mf_image *im, const struct mf_digest *subject, const struct manifesto_list_options *o,
		struct mf_entries *out, struct mf_err *err)
{
	const struct mf_tuf_set *set = mf_trust_set(im->trust);
	if (!o->roles && mf_policy_list(set, subject, NULL, out, err) < 0)
		return -1;
	for (size_t i = 0; o->roles && o->roles[i]; i++) {
		struct mf_entries one MF_ENTRIES_CLEANUP = {0};
		if (mf_policy_list(set, subject, o->roles[i], &one, err) < 0 || append(out, &one, err) < 0)
			return -1;
	}
	keep(out, o);
	return 0;
}

static int report(struct mf_image *im, const struct mf_entries *e, const char *platform,
		  struct manifesto_list_result *out, struct manifesto_record *records, struct mf_err *err)
{
	for (size_t i = 0; i < e->n; i++)
		if (mf_report_record(im, &e->v[i], platform, mf_result_arena(out), &records[out->nrecords++],
				     err) < 0)
			return -1;
	return 0;
}

static int finish(struct manifesto_list_result *out, const struct manifesto_record *records,
		  struct mf_err *err)
{
	out->records = mf_arena_list(mf_result_arena(out), records, out->nrecords, sizeof *records);
	return mf_arena_check(mf_result_arena(out), err);
}

static void report_repository(struct mf_image *im, struct manifesto_list_result *out)
{
	struct mf_arena *a = mf_result_arena(out);
	out->repository = im->ref.transport == MF_TRANSPORT_REGISTRY
			      ? mf_arena_format(a, "%s/%s", im->ref.registry, im->ref.repository)
			      : mf_arena_format(a, "oci:%s", im->ref.dir);
}

/* ---- one image */

static int list_subjects(struct mf_image *im, const struct manifesto_list_options *o,
			 const struct mf_subjects *subjects, struct manifesto_list_result *out,
			 struct mf_err *err)
{
	struct mf_entries *found MF_FREE = mf_calloc(subjects->n, sizeof *found);
	size_t total = 0;
	int rc = found ? 0 : mf_fail_nomem(err);
	for (size_t i = 0; rc == 0 && i < subjects->n; i++) {
		rc = find(im, &subjects->v[i].digest, o, &found[i], err);
		total += found[i].n;
	}
	struct manifesto_record *records =
	    rc == 0 ? mf_arena_alloc(mf_result_arena(out), total, sizeof *records, err) : NULL;
	for (size_t i = 0; found && i < subjects->n; i++) {
		if (records && rc == 0)
			rc = report(im, &found[i], subjects->v[i].platform, out, records, err);
		mf_entries_clear(&found[i]);
	}
	return records && rc == 0 ? finish(out, records, err) : -1;
}

static int list_image(struct mf_image *im, const struct manifesto_list_options *o,
		      struct manifesto_list_result *out, struct mf_err *err)
{
	struct mf_subjects subjects MF_SUBJECTS_CLEANUP = {0};
	struct mf_image_hint hint;
	const struct mf_load how = {
	    .only = o->roles, .subjects = mf_image_load_hint(im, &hint), .by_subject = true};
	if (mf_image_begin(im, err) < 0)
		return -1;
	if (mf_trust_load(im->trust, &how, err) < 0) {
		mf_image_hint_copy(im, NULL, err);
		return -1;
	}
	if (check_roles(mf_trust_set(im->trust), o, err) < 0 ||
	    mf_image_subjects(
		im, (struct mf_subject_choice){.platform = o->platform, .all = o->all_platforms != 0},
		&subjects, err) < 0 ||
	    mf_image_load_shards(im, &subjects, err) < 0)
		return -1;
	out->image = mf_report_image(mf_result_arena(out), im, &subjects.v[0].digest);
	report_repository(im, out);
	return list_subjects(im, o, &subjects, out, err);
}

/* ---- all images of a repository */

static int by_digest(const void *a, const void *b)
{
	const struct mf_tag *x = a, *y = b;
	int c = memcmp(x->digest.b, y->digest.b, sizeof x->digest.b);
	return c ? c : strcmp(x->name, y->name);
}

/* First of the tags, which are sorted by digest, whose digest is not below. */
static size_t first_tag(const struct mf_tags *tags, const struct mf_digest *d)
{
	size_t lo = 0, hi = tags->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (memcmp(tags->v[mid].digest.b, d->b, sizeof d->b) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The subjects of records, and with `tagged` those of tags without one, each once, by digest. */
static void collect_subjects(const struct mf_entries *all, const struct mf_tags *tags, bool tagged,
			     struct mf_digest *out, size_t *nout)
{
	size_t e = 0, t = 0, n = 0;
	while (e < all->n || (tagged && t < tags->n)) {
		const struct mf_digest *x = e < all->n ? &all->v[e].subject : NULL;
		const struct mf_digest *y = tagged && t < tags->n ? &tags->v[t].digest : NULL;
		bool first = x && (!y || memcmp(x->b, y->b, sizeof x->b) <= 0);
		const struct mf_digest *d = first ? x : y;
		if (!n || !mf_digest_eq(&out[n - 1], d))
			out[n++] = *d;
		e += first;
		t += !first;
	}
	*nout = n;
}

static int report_tags(const struct mf_tags *tags, const struct mf_digest *subject, struct mf_arena *a,
		       struct manifesto_subject *out, struct mf_err *err)
{
	size_t from = first_tag(tags, subject), to = from;
	while (to < tags->n && mf_digest_eq(&tags->v[to].digest, subject))
		to++;
	const char **v = mf_arena_alloc(a, to - from, sizeof(char *), err);
	if (!v)
		return -1;
	for (size_t i = from; i < to; i++)
		v[i - from] = mf_arena_text(a, tags->v[i].name);
	out->tags = v;
	out->ntags = to - from;
	return 0;
}

/* Of the images without a tag some may be gone; a tag's is there. A copy, and a bundle, never had all of
 * them. */
static int find_gone(struct mf_image *im, const struct mf_digest *digests, struct manifesto_subject *v,
		     size_t n, struct mf_err *err)
{
	struct mf_digest *asked MF_FREE = mf_calloc(n, sizeof *asked);
	bool *present MF_FREE = mf_calloc(n, sizeof *present);
	const bool partial = im->map || im->m->bundle;
	size_t m = 0;
	if (!asked || !present)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (!v[i].ntags)
			asked[m++] = digests[i];
	if (mf_manifests_have(im->images, asked, m, present, err) < 0)
		return -1;
	m = 0;
	for (size_t i = 0; i < n; i++)
		if (!v[i].ntags)
			*(partial ? &v[i].not_copied : &v[i].gone) = !present[m++];
	return 0;
}

static int report_subjects(struct mf_image *im, const struct mf_entries *all, const struct mf_tags *tags,
			   bool tagged, struct manifesto_list_result *out, struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	size_t max = all->n + (tagged ? tags->n : 0), n = 0, at = 0;
	struct manifesto_subject *v = mf_arena_alloc(a, max, sizeof *v, err);
	struct mf_digest *digests MF_FREE = mf_calloc(max, sizeof *digests);
	if (!v || !digests)
		return v ? mf_fail_nomem(err) : -1;
	collect_subjects(all, tags, tagged, digests, &n);
	for (size_t i = 0; i < n; i++) {
		v[i].first = at;
		v[i].image = mf_report_image(a, im, &digests[i]);
		v[i].subject = mf_report_digest(a, &digests[i]);
		if (report_tags(tags, &digests[i], a, &v[i], err) < 0)
			return -1;
		for (; at < all->n && mf_digest_eq(&all->v[at].subject, &digests[i]); at++)
			v[i].nrecords++;
	}
	out->subjects = mf_arena_list(a, v, n, sizeof *v);
	out->nsubjects = n;
	return find_gone(im, digests, v, n, err);
}

static int list_repository(struct mf_image *im, const struct manifesto_list_options *o,
			   struct manifesto_list_result *out, struct mf_err *err)
{
	struct mf_entries all MF_ENTRIES_CLEANUP = {0};
	struct mf_tags tags MF_TAGS_CLEANUP = {0};
	if (mf_trust_load(im->trust, &(struct mf_load){.only = o->roles}, err) < 0 ||
	    check_roles(mf_trust_set(im->trust), o, err) < 0 || find(im, NULL, o, &all, err) < 0 ||
	    mf_tags_list(im->images, &tags, err) < 0)
		return -1;
	if (tags.n)
		qsort(tags.v, tags.n, sizeof *tags.v, by_digest);
	struct manifesto_record *records = mf_arena_alloc(mf_result_arena(out), all.n, sizeof *records, err);
	out->image = mf_arena_text(mf_result_arena(out), o->image);
	if (!records || report(im, &all, NULL, out, records, err) < 0 ||
	    report_subjects(im, &all, &tags, o->tagged != 0, out, err) < 0)
		return -1;
	report_repository(im, out);
	return finish(out, records, err);
}

/* Has the reference neither tag nor digest? */
static int names_repository(const char *text, bool *out, struct mf_err *err)
{
	struct mf_ref ref MF_REF_CLEANUP = {0}, plain MF_REF_CLEANUP = {0};
	struct mf_err ignored = MF_ERR_INIT;
	if (mf_ref_parse(&ref, mf_str_c(text), err) < 0)
		return -1;
	*out = ref.transport == MF_TRANSPORT_REGISTRY
		   ? mf_ref_parse_repository(&plain, mf_str_c(text), &ignored) == 0
		   : !ref.tag && !ref.has_digest;
	return 0;
}

static int open_and_list(struct mf_image *im, struct manifesto *m, const struct manifesto_list_options *o,
			 struct manifesto_list_result *out, struct mf_err *err)
{
	bool all = o->all != 0;
	if (check_states(o, err) < 0)
		return -1;
	if (o->all && (o->platform || o->all_platforms))
		return mf_fail(
		    err, MF_E_USAGE, 0,
		    "--platform and --all-platforms cannot be used with all images of a repository");
	if (o->all == 2 && names_repository(o->image, &all, err) < 0)
		return -1;
	if ((all ? mf_repository_open_by(im, m, o->image, MF_MAPS_FOLLOW, err)
		 : mf_image_open_by(im, m, o->image, MF_MAPS_FOLLOW, err)) < 0)
		return -1;
	return all ? list_repository(im, o, out, err) : list_image(im, o, out, err);
}

int manifesto_list(struct manifesto *m, const struct manifesto_list_options *opt,
		   const struct manifesto_list_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_list_options o;
	struct manifesto_list_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = r ? open_and_list(&im, m, &o, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}
