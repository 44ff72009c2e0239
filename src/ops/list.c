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

/* A role that is not in the repository is a mistake of the user: MF_E_USAGE, not an empty list. */
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

/* Sorts the entries, and keeps those that pass the filters, each once: --role may name a role twice. */
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

/* Finds the records of a subject that pass the filters. */
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

static int report(struct mf_image *im, const struct mf_entries *e, const char *platform, struct mf_arena *a,
		  size_t *n, struct manifesto_record *records, struct mf_err *err)
{
	for (size_t i = 0; i < e->n; i++)
		if (mf_report_record(im, &e->v[i], platform, a, &records[(*n)++], err) < 0)
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
			rc = report(im, &found[i], subjects->v[i].platform, mf_result_arena(out),
				    &out->nrecords, records, err);
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

/* ---- all images of a repository, in parts */

static int by_digest(const void *a, const void *b)
{
	const struct mf_tag *x = a, *y = b;
	int c = memcmp(x->digest.b, y->digest.b, sizeof x->digest.b);
	return c ? c : strcmp(x->name, y->name);
}

/* The walk goes by the first byte of the subjects' digests. `found` holds the records of one byte; those of
 * smaller bytes are reported. */
struct walk {
	struct mf_image *im;
	const struct manifesto_list_options *o;
	struct manifesto_list_result *out;
	struct mf_entries found;
	struct mf_tags tags; /* sorted by digest */
	size_t next_tag;
	const struct manifesto_record **records; /* of the whole result */
	const struct manifesto_subject **subjects;
	size_t records_cap, subjects_cap;
};

static void walk_clear(struct walk *w)
{
	mf_entries_clear(&w->found);
	mf_tags_clear(&w->tags);
	free(w->records);
	free(w->subjects);
}

/* Lists the subjects of the records and, with `tagged`, those of tags, which may have no records; each once,
 * in the order of digests. */
static void collect_subjects(const struct mf_entries *all, const struct mf_tags *tags, bool tagged,
			     struct mf_digest *out, size_t *nout)
{
	size_t e = 0, t = 0, n = 0;
	while (e < all->n || (tagged && t < tags->n)) {
		bool last = !tagged || t == tags->n;
		bool first = e < all->n &&
			     (last || memcmp(all->v[e].subject.b, tags->v[t].digest.b, sizeof out->b) <= 0);
		const struct mf_digest *d = first ? &all->v[e].subject : &tags->v[t].digest;
		if (!n || !mf_digest_eq(&out[n - 1], d))
			out[n++] = *d;
		e += first;
		t += !first;
	}
	*nout = n;
}

/* Reports the tags of one subject. *at is an index into the tags, from which the search goes on; it is moved
 * behind those of the subject. */
static int report_tags(const struct mf_tags *tags, size_t *at, const struct mf_digest *subject,
		       struct mf_arena *a, struct manifesto_subject *out, struct mf_err *err)
{
	while (*at < tags->n && memcmp(tags->v[*at].digest.b, subject->b, sizeof subject->b) < 0)
		++*at;
	size_t from = *at;
	while (*at < tags->n && mf_digest_eq(&tags->v[*at].digest, subject))
		++*at;
	const char **v = mf_arena_alloc(a, *at - from, sizeof(char *), err);
	if (!v)
		return -1;
	for (size_t i = from; i < *at; i++)
		v[i - from] = mf_arena_text(a, tags->v[i].name);
	out->tags = v;
	out->ntags = *at - from;
	return 0;
}

/* Finds which images are not in the registry any more. Images with a tag are there and need no request. In a
 * copy and in a bundle, a missing image was perhaps never copied. */
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

/* Reports the images of the records that were found and, with the option `tagged`, those of the tags. */
static int report_subjects(struct walk *w, const struct mf_tags *tags, struct mf_arena *a,
			   struct manifesto_list_result *part, struct mf_err *err)
{
	const struct mf_entries *all = &w->found;
	const bool tagged = w->o->tagged != 0;
	size_t max = all->n + (tagged ? tags->n : 0), n = 0, at = 0, tag = 0;
	struct manifesto_subject *v = mf_arena_alloc(a, max, sizeof *v, err);
	struct mf_digest *digests MF_FREE = mf_calloc(max, sizeof *digests);
	if (!v || !digests)
		return v ? mf_fail_nomem(err) : -1;
	collect_subjects(all, tags, tagged, digests, &n);
	for (size_t i = 0; i < n; i++) {
		v[i].first = w->out->nrecords + at;
		v[i].image = mf_report_image(a, w->im, &digests[i]);
		v[i].subject = mf_report_digest(a, &digests[i]);
		if (report_tags(tags, &tag, &digests[i], a, &v[i], err) < 0)
			return -1;
		for (; at < all->n && mf_digest_eq(&all->v[at].subject, &digests[i]); at++)
			v[i].nrecords++;
	}
	part->subjects = mf_arena_list(a, v, n, sizeof *v);
	part->nsubjects = n;
	return find_gone(w->im, digests, v, n, err);
}

static int report_part(struct walk *w, const struct mf_tags *tags, struct mf_arena *a,
		       struct manifesto_list_result *part, struct mf_err *err)
{
	struct manifesto_record *records = mf_arena_alloc(a, w->found.n, sizeof *records, err);
	if (!records || report(w->im, &w->found, NULL, a, &part->nrecords, records, err) < 0 ||
	    report_subjects(w, tags, a, part, err) < 0)
		return -1;
	part->image = w->out->image;
	part->repository = w->out->repository;
	part->records = mf_arena_list(a, records, part->nrecords, sizeof *records);
	return mf_arena_check(a, err);
}

/* Adds the part to the whole result, whose arena holds its strings and structs. */
static int keep_part(struct walk *w, const struct manifesto_list_result *part, struct mf_err *err)
{
	struct manifesto_list_result *out = w->out;
	for (size_t i = 0; i < part->nsubjects; i++) {
		if (mf_grow((void **)&w->subjects, &w->subjects_cap, out->nsubjects,
			    sizeof(struct manifesto_subject *), err) < 0)
			return -1;
		w->subjects[out->nsubjects++] = part->subjects[i];
	}
	for (size_t i = 0; i < part->nrecords; i++) {
		if (mf_grow((void **)&w->records, &w->records_cap, out->nrecords,
			    sizeof(struct manifesto_record *), err) < 0)
			return -1;
		w->records[out->nrecords++] = part->records[i];
	}
	return 0;
}

static int hand_out_part(struct walk *w, const struct mf_tags *tags, struct mf_err *err)
{
	struct mf_arena arena MF_ARENA_CLEANUP = MF_ARENA_INIT;
	struct manifesto_list_result part = {0};
	if (report_part(w, tags, &arena, &part, err) < 0)
		return -1;
	return w->o->part(w->o->part_arg, &part) == 0 ? 0
						      : mf_fail(err, MF_E_IO, 0, "the part callback failed");
}

/* Reports the records that were found, and the tags whose digests have a first byte up to `byte` and were not
 * reported yet. */
static int end_part(struct walk *w, unsigned byte, struct mf_err *err)
{
	struct mf_tags tags = {0};
	struct manifesto_list_result part = {0};
	size_t first = w->next_tag;
	int rc = 0;
	for (; w->next_tag < w->tags.n && w->tags.v[w->next_tag].digest.b[0] <= byte; tags.n++)
		w->next_tag++;
	if (tags.n)
		tags.v = w->tags.v + first;
	if ((w->found.n || (w->o->tagged && tags.n)) && w->o->part)
		rc = hand_out_part(w, &tags, err);
	else if (w->found.n || (w->o->tagged && tags.n))
		rc = report_part(w, &tags, mf_result_arena(w->out), &part, err) < 0 ||
			     keep_part(w, &part, err) < 0
			 ? -1
			 : 0;
	mf_entries_clear(&w->found);
	return rc;
}

static int take_entry(void *arg, struct mf_entry *e, struct mf_err *err)
{
	struct walk *w = arg;
	struct mf_entries *found = &w->found;
	if (!passes(e, w->o))
		return 0;
	if (found->n && found->v[0].subject.b[0] != e->subject.b[0] &&
	    end_part(w, found->v[0].subject.b[0], err) < 0)
		return -1;
	if (mf_grow((void **)&found->v, &found->cap, found->n, sizeof *found->v, err) < 0)
		return -1;
	found->v[found->n++] = *e;
	*e = (struct mf_entry){0};
	return 0;
}

/* Ends a part after each step of the shards, since the next step may drop the shards that `found` points
 * into. */
static int walk_shards(struct walk *w, struct mf_err *err)
{
	struct mf_shard_steps steps = {.t = w->im->trust, .env = &w->im->m->env};
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	enum mf_found more = mf_shards_next(&steps, err);
	if (more == MF_FAILED || mf_tags_list(w->im->images, &w->tags, err) < 0)
		return -1;
	if (w->tags.n)
		qsort(w->tags.v, w->tags.n, sizeof *w->tags.v, by_digest);
	for (; more == MF_FOUND; more = mf_shards_next(&steps, err)) {
		const struct mf_entry_filter which = {.roles = w->o->roles, .first_bytes = steps.given};
		if (mf_policy_each(set, which, take_entry, w, err) < 0 ||
		    end_part(w, steps.next - 1, err) < 0)
			return -1;
	}
	return more == MF_FAILED ? -1 : 0;
}

static int list_repository(struct mf_image *im, const struct manifesto_list_options *o,
			   struct manifesto_list_result *out, struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	struct walk w MF_CLEANUP(walk_clear) = {.im = im, .o = o, .out = out};
	if (mf_trust_load(im->trust, &(struct mf_load){.only = o->roles, .subjects = mf_no_subjects}, err) <
		0 ||
	    check_roles(mf_trust_set(im->trust), o, err) < 0)
		return -1;
	out->image = mf_arena_text(a, o->image);
	report_repository(im, out);
	if (walk_shards(&w, err) < 0)
		return -1;
	const struct manifesto_subject **subjects =
	    mf_arena_alloc(a, out->nsubjects, sizeof(struct manifesto_subject *), err);
	const struct manifesto_record **records =
	    subjects ? mf_arena_alloc(a, out->nrecords, sizeof(struct manifesto_record *), err) : NULL;
	if (!records)
		return -1;
	for (size_t i = 0; i < out->nsubjects; i++)
		subjects[i] = w.subjects[i];
	for (size_t i = 0; i < out->nrecords; i++)
		records[i] = w.records[i];
	out->subjects = subjects;
	out->records = records;
	return mf_arena_check(a, err);
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
	if (o->part && !o->all)
		return mf_fail(err, MF_E_USAGE, 0, "parts are of the images of a repository");
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
