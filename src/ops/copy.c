/* copy: promotes the records of images to other repositories that have the same images. */
#include <stdio.h>

#include "base/encode.h"
#include "ops/copy.h"

static void plan_free(struct mf_copy_plan *p)
{
	free(p->type);
	mf_entries_clear(&p->from);
	free(p);
}

static void write_free(struct mf_copy_write *c)
{
	mf_write_clear(&c->w);
	free(c->plans);
	free(c);
}

static void target_clear(struct mf_copy_target *t)
{
	for (size_t i = 0; i < t->nwrites; i++)
		write_free(t->writes[i]);
	for (size_t i = 0; i < t->nplans; i++)
		plan_free(t->plans[i]);
	free(t->writes);
	free(t->plans);
	t->plans = NULL;
	t->writes = NULL;
	t->nplans = t->nwrites = 0;
}

static void pair_clear(struct mf_copy_pair *p)
{
	mf_image_close(&p->from);
	mf_image_close(&p->to);
	mf_subjects_clear(&p->subjects);
	mf_gate_report_clear(&p->gate);
}

/* Images are closed while the pools are still set: an image without a pool would free the stores and trust
 * repositories, which belong to the pools. */
static void run_clear(struct mf_copy_run *r)
{
	for (size_t i = 0; r->targets && i < r->ntargets; i++)
		target_clear(&r->targets[i]);
	for (size_t i = 0; r->pairs && i < r->o.npairs; i++)
		pair_clear(&r->pairs[i]);
	r->m->pool = NULL;
	r->source->pool = NULL;
	mf_pool_clear(&r->from);
	mf_pool_clear(&r->to);
	mf_conditions_stop(r->conditions);
	free(r->programs);
	mf_rules_clear(&r->rules);
	mf_arena_clear(&r->arena);
	free(r->order);
	free(r->pairs);
	free(r->targets);
}

/* ---- options and images */

static int check_options(struct mf_copy_run *r, struct mf_err *err)
{
	const struct manifesto_copy_options *o = &r->o;
	if (!o->npairs || o->npairs > MF_MAX_CHANGE_IMAGES)
		return mf_fail(err, MF_E_USAGE, 0, "%zu images to copy: expected from 1 to %zu", o->npairs,
			       (size_t)MF_MAX_CHANGE_IMAGES);
	if (o->max_age < 0 || (o->platform && o->all_platforms))
		return mf_fail(err, MF_E_USAGE, 0,
			       "the age is negative, or one platform is given together with all of them");
	if (r->source->opt.tofu)
		return mf_fail(err, MF_E_USAGE, 0, "copy never trusts on first use");
	if (r->m->opt.bundle)
		return mf_fail(err, MF_E_USAGE, 0, "nothing can be published to a bundle");
	for (size_t i = 0; o->types && o->types[i]; i++)
		if (mf_record_type_check(mf_str_c(o->types[i]), err) < 0)
			return -1;
	const struct manifesto_verify_options v = {.require = o->require,
						   .where = o->where,
						   .distinct = o->distinct,
						   .policy_path = o->policy_path,
						   .policy = o->policy,
						   .policy_length = o->policy_length,
						   .max_age = o->max_age};
	if (mf_gate_read_rules(&r->rules, &v, err) < 0)
		return -1;
	return mf_gate_start(r->source, &r->rules, &r->programs, &r->conditions, err);
}

/* A mistake in the arguments ends the run; another failure to open an image is the failure of this pair
 * alone, if there are several. */
static int fail_pair(const struct mf_copy_run *r, struct mf_copy_pair *p, const struct mf_err *why,
		     struct mf_err *err)
{
	if (r->o.npairs > 1 && !mf_write_is_slip(why) && !mf_err_ends_run(why)) {
		p->failed = *why;
		return 0;
	}
	*err = *why;
	return -1;
}

static int open_to(struct mf_copy_run *r, struct mf_copy_pair *p, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	r->m->pool = &r->to;
	if (mf_image_open(&p->to, r->m, p->given->to, &why) == 0)
		return 0;
	(void)mf_wrap(&why, "'%s'", p->given->to);
	return fail_pair(r, p, &why, err);
}

static int open_from(struct mf_copy_run *r, struct mf_copy_pair *p, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	r->source->pool = &r->from;
	if (mf_image_open_by(&p->from, r->source, p->given->from, MF_MAPS_FOLLOW, &why) == 0)
		return 0;
	(void)mf_wrap(&why, "'%s'", p->given->from);
	return fail_pair(r, p, &why, err);
}

static void add_to_target(struct mf_copy_run *r, struct mf_copy_pair *p)
{
	size_t i = 0;
	while (i < r->ntargets && r->targets[i].to != p->to.trust)
		i++;
	struct mf_copy_target *t = &r->targets[i];
	if (i == r->ntargets) {
		*t = (struct mf_copy_target){.run = r, .to = p->to.trust};
		t->o = (struct manifesto_change_options){
		    .role = r->o.role, .key = r->o.key, .force = r->o.force};
		r->ntargets++;
	}
	t->npairs++;
	p->target = t;
}

/* Sorts the pairs by target; those of one target stay in the order given. */
static void sort_pairs(struct mf_copy_run *r)
{
	size_t at = 0;
	for (size_t i = 0; i < r->ntargets; i++) {
		struct mf_copy_target *t = &r->targets[i];
		t->at = at;
		t->pairs = &r->order[at];
		at += t->npairs;
		t->npairs = 0;
	}
	for (size_t i = 0; i < r->o.npairs; i++) {
		struct mf_copy_target *t = r->pairs[i].target;
		t->pairs[t->npairs++] = &r->pairs[i];
	}
}

/* Opens all images before the first request, so that a mistake in the list is found first. Destinations come
 * first: credentials of the command line go to the first registry that is opened, and must be for the
 * destination. */
static int open_pairs(struct mf_copy_run *r, struct mf_err *err)
{
	r->pairs = mf_calloc(r->o.npairs, sizeof *r->pairs);
	r->targets = mf_calloc(r->o.npairs, sizeof *r->targets);
	r->order = mf_calloc(r->o.npairs, sizeof(struct mf_copy_pair *));
	if (!r->pairs || !r->targets || !r->order)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < r->o.npairs; i++) {
		struct mf_copy_pair *p = &r->pairs[i];
		struct mf_ref repository MF_REF_CLEANUP = {0};
		struct mf_err ignored = MF_ERR_INIT;
		p->given = &r->o.pairs[i];
		p->gate = (struct mf_gate_report){.m = r->source,
						  .im = &p->from,
						  .rules = &r->rules,
						  .conditions = r->conditions,
						  .reference = p->given->from};
		if (open_to(r, p, err) < 0)
			return -1;
		add_to_target(r, p);
		p->bare = p->to.ref.transport == MF_TRANSPORT_LAYOUT
			      ? !p->to.ref.tag && !p->to.ref.has_digest
			      : mf_ref_parse_repository(&repository, mf_str_c(p->given->to), &ignored) == 0;
	}
	for (size_t i = 0; i < r->o.npairs; i++) {
		struct mf_copy_pair *p = &r->pairs[i];
		if (!p->failed.code && open_from(r, p, err) < 0)
			return -1;
		if (!p->failed.code && r->source == r->m &&
		    strcmp(mf_trust_pin_name(p->from.trust), mf_trust_pin_name(p->to.trust)) == 0)
			return mf_fail(err, MF_E_USAGE, 0,
				       "'%s' and '%s' have one trust repository: there is "
				       "nothing to promote",
				       p->given->from, p->given->to);
	}
	sort_pairs(r);
	return 0;
}

/* ---- the images at the destination */

/* Adds the name of the copy for the hint, with a tag or digest: without one, tools would use "latest". */
static int add_copy_name(const struct mf_copy_pair *p, struct mf_buf *out, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	if (mf_buf_addz(out, p->given->to, err) < 0 || !p->bare)
		return p->bare ? -1 : 0;
	if (p->from.ref.tag && !p->from.ref.has_digest)
		return mf_buf_printf(out, err, ":%s", p->from.ref.tag);
	mf_digest_format(digest, &p->from.digest);
	return mf_buf_printf(out, err, "@%s", digest);
}

/* With a layout, only skopeo is suggested: it writes layouts as `oci:DIRECTORY`, as we do, where oras needs
 * options. */
static void hint_image(const struct mf_copy_pair *p, struct mf_err *err)
{
	struct mf_buf to MF_BUF_CLEANUP = MF_BUF_INIT(2 * MF_MAX_REFERENCE);
	struct mf_err ignored = MF_ERR_INIT;
	const bool from_layout = p->from.ref.transport == MF_TRANSPORT_LAYOUT,
		   to_layout = p->to.ref.transport == MF_TRANSPORT_LAYOUT;
	const char *from = p->given->from;
	if (add_copy_name(p, &to, &ignored) < 0)
		return;
	err->hint[0] = 0;
	if (from_layout || to_layout)
		mf_err_set_hint(err, "copy the image first: 'skopeo copy --all %s%s %s%s'",
				from_layout ? "" : "docker://", from, to_layout ? "" : "docker://", to.p);
	else
		mf_err_set_hint(err,
				"copy the image first: 'oras cp %s %s', or 'skopeo copy --all docker://%s "
				"docker://%s'",
				from, to.p, from, to.p);
}

/* A tag or digest that was given at the destination must name the same image as the source. */
static int check_reference(struct mf_copy_pair *p, struct mf_err *err)
{
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {0};
	char digest[MF_DIGEST_TEXT];
	if (p->bare)
		return 0;
	if (mf_image_subjects(&p->to, (struct mf_subject_choice){.platform = NULL}, &s, err) < 0) {
		if (err->code == MF_E_NOT_FOUND)
			hint_image(p, err);
		return -1;
	}
	if (mf_digest_eq(&s.v[0].digest, &p->from.digest))
		return 0;
	mf_digest_format(digest, &s.v[0].digest);
	(void)mf_fail(err, MF_E_CONFLICT, 0, "'%s' is another image than '%s': %s", p->given->to,
		      p->given->from, digest);
	hint_image(p, err);
	return -1;
}

/* Each subject that gets a record must be at the destination. */
static int check_subjects(struct mf_copy_target *t, struct mf_err *err)
{
	struct mf_digest *digests MF_FREE = mf_calloc(t->nplans, sizeof *digests);
	bool *present MF_FREE = mf_calloc(t->nplans, sizeof *present);
	char digest[MF_DIGEST_TEXT];
	size_t n = 0;
	if (!digests || !present)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < t->nplans; i++)
		if (i == 0 || !mf_digest_eq(&t->plans[i]->subject.digest, &digests[n - 1]))
			digests[n++] = t->plans[i]->subject.digest;
	if (mf_manifests_have(t->pairs[0]->to.images, digests, n, present, err) < 0)
		return -1;
	n = 0;
	for (size_t i = 0; i < t->nplans; i++) {
		struct mf_copy_plan *plan = t->plans[i];
		n += i != 0 && !mf_digest_eq(&plan->subject.digest, &t->plans[i - 1]->subject.digest);
		if (present[n] || plan->pair->failed.code)
			continue;
		mf_digest_format(digest, &plan->subject.digest);
		(void)mf_fail(&plan->pair->failed, MF_E_NOT_FOUND, 0, "'%s' has no image %s",
			      plan->pair->given->to, digest);
		hint_image(plan->pair, &plan->pair->failed);
	}
	return 0;
}

/* ---- roles of the destination */

static const struct mf_write_op operation = {
    .size = sizeof(struct mf_copy_write), .must_exist = true, .evaluate = mf_copy_evaluate};

static struct mf_copy_write *new_write(struct mf_copy_target *t, struct mf_err *err)
{
	struct mf_copy_write *c = mf_calloc(1, sizeof *c);
	struct manifesto_change_result *out = c ? mf_result_new(sizeof *out, err) : NULL;
	if (!out) {
		if (!c)
			(void)mf_fail_nomem(err);
		free(c);
		return NULL;
	}
	c->w = (struct mf_write){.m = t->run->m,
				 .o = &t->o,
				 .op = &operation,
				 .out = out,
				 .a = mf_result_arena(out),
				 .im = &t->pairs[0]->to,
				 .created = mf_env_now(&t->run->m->env),
				 .first = true};
	c->w.im->for_writing = true;
	for (size_t i = 0; i < t->nplans; i++)
		if (mf_wanted_add(&c->w.subjects, &t->plans[i]->subject.digest, err) < 0) {
			write_free(c);
			return NULL;
		}
	return c;
}

static int add_item(struct mf_copy_write *c, struct mf_copy_plan *p, struct mf_err *err)
{
	struct mf_write *w = &c->w;
	struct mf_write_item *it = &w->items[w->n];
	struct manifesto_change_item *out = mf_arena_alloc(w->a, 1, sizeof *out, err);
	struct manifesto_record *record = out ? mf_arena_alloc(w->a, 1, sizeof *record, err) : NULL;
	if (!record)
		return -1;
	*it = (struct mf_write_item){.subject = p->subject,
				     .im = &p->pair->to,
				     .type = p->type,
				     .content = &p->content,
				     .reported = true,
				     .out = out,
				     .record = record};
	c->plans[w->n++] = p;
	return mf_write_init_item(w, it, err);
}

static int make_room(struct mf_copy_write *c, size_t n, struct mf_err *err)
{
	struct mf_write *w = &c->w;
	w->items = mf_calloc(n, sizeof *w->items);
	w->edits = mf_calloc(n, sizeof *w->edits);
	w->prefix = mf_str_dup(MF_STR(""));
	c->plans = mf_calloc(n, sizeof(struct mf_copy_plan *));
	return w->items && w->edits && w->prefix && c->plans ? 0 : mf_fail_nomem(err);
}

static int make_items(struct mf_copy_write *c, const struct mf_copy_target *t, const char *const *roles,
		      struct mf_err *err)
{
	struct mf_write *w = &c->w;
	if (make_room(c, t->nplans, err) < 0)
		return -1;
	for (size_t i = 0; i < t->nplans; i++)
		if (strcmp(roles[i], w->role) == 0 && add_item(c, t->plans[i], err) < 0)
			return -1;
	for (size_t i = 0; i < w->n; i++) {
		c->plans[i]->item = &w->items[i];
		if (mf_copy_prepare(w, &w->items[i], c->plans[i], err) < 0)
			return -1;
	}
	return 0;
}

/* Chooses the role for a type. Among several that could hold it, that is the role that already holds the
 * records to be replaced. */
static int choose_role(struct mf_copy_write *c, struct mf_copy_target *t, const char *type,
		       struct mf_err *err)
{
	t->o.type = type;
	if (make_room(c, t->nplans, err) < 0)
		return -1;
	for (size_t i = 0; i < t->nplans; i++)
		if (strcmp(t->plans[i]->type, type) == 0 && add_item(c, t->plans[i], err) < 0)
			return -1;
	if (mf_write_choose_role(&c->w, err) == 0)
		return 0;
	err->hint[0] = err->code == MF_E_AMBIGUOUS ? 0 : err->hint[0];
	if (err->code == MF_E_AMBIGUOUS)
		mf_err_set_hint(err, "choose one with --role or --key; --types promotes some types alone");
	else if (err->code == MF_E_USAGE)
		mf_err_set_hint(err, "--types promotes some types alone: run it once for each role");
	return -1;
}

/* Returns the write of the role that the type goes to, which is made with the first type of that role. */
static struct mf_copy_write *write_for(struct mf_copy_target *t, const char *type, struct mf_err *err)
{
	struct mf_copy_write *asked = new_write(t, err);
	struct mf_copy_write *c = NULL;
	if (asked && choose_role(asked, t, type, err) == 0) {
		for (size_t i = 0; !c && i < t->nwrites; i++)
			if (strcmp(t->writes[i]->w.role, asked->w.role) == 0)
				c = t->writes[i];
		if (!c && (c = new_write(t, err))) {
			c->w.signer = asked->w.signer;
			c->w.key = asked->w.key;
			c->w.role = asked->w.role;
			asked->w.role = NULL;
			t->writes[t->nwrites++] = c;
		}
	}
	if (asked)
		write_free(asked);
	return c;
}

/* Chooses a role for each type, and makes one write for each role, since each role has a file of its own.
 * Usually that is one role, and so one publish. */
static int choose_roles(struct mf_copy_target *t, struct mf_err *err)
{
	const char **roles MF_FREE = mf_calloc(t->nplans, sizeof *roles);
	t->writes = mf_calloc(t->nplans, sizeof(struct mf_copy_write *));
	if (!roles || !t->writes)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < t->nplans; i++) {
		for (size_t k = 0; !roles[i] && k < i; k++)
			if (strcmp(t->plans[k]->type, t->plans[i]->type) == 0)
				roles[i] = roles[k];
		if (roles[i])
			continue;
		struct mf_copy_write *c = write_for(t, t->plans[i]->type, err);
		if (!c)
			return -1;
		roles[i] = c->w.role;
	}
	for (size_t i = 0; i < t->nwrites; i++)
		if (make_items(t->writes[i], t, roles, err) < 0)
			return -1;
	return 0;
}

static int load_target(struct mf_copy_target *t, struct mf_err *err)
{
	struct mf_copy_write *c = new_write(t, err);
	if (!c)
		return -1;
	c->w.prefix = mf_str_dup(MF_STR(""));
	int rc = c->w.prefix ? mf_trust_check_writable(c->w.im->trust, err) : mf_fail_nomem(err);
	if (rc == 0)
		rc = mf_write_load(&c->w, err);
	write_free(c);
	if (rc < 0 && err->code == MF_E_NOT_FOUND)
		mf_err_set_hint(err, "make one with 'manifesto trust init %s'", t->pairs[0]->given->to);
	return rc;
}

/* ---- one destination repository */

/* Calls f for each pair that has not failed. A failure is kept with its pair, and the others go on, unless it
 * ends the run. */
static int for_pairs(struct mf_copy_target *t,
		     int (*f)(struct mf_copy_target *t, struct mf_copy_pair *p, struct mf_err *err),
		     struct mf_err *err)
{
	for (size_t i = 0; i < t->npairs; i++) {
		struct mf_copy_pair *p = t->pairs[i];
		struct mf_err why = MF_ERR_INIT;
		if (p->failed.code || f(t, p, &why) == 0)
			continue;
		if (mf_err_is_ours(&why) || why.code == MF_E_CANCELLED) {
			*err = why;
			return -1;
		}
		p->failed = why;
	}
	return 0;
}

static int resolve_pair(struct mf_copy_target *t, struct mf_copy_pair *p, struct mf_err *err)
{
	return mf_copy_resolve(t->run, p, err);
}

/* Loads the shards of one pair and, in the same requests, those of the other pairs with the same source. */
static int load_shards(const struct mf_copy_target *t, struct mf_copy_pair *p, struct mf_err *err)
{
	const struct mf_subjects *of[MF_VERIFY_WINDOW] = {&p->subjects};
	size_t n = 1;
	for (size_t i = 0; i < t->npairs; i++)
		if (t->pairs[i] != p && t->pairs[i]->from.trust == p->from.trust && !t->pairs[i]->failed.code)
			of[n++] = &t->pairs[i]->subjects;
	if (mf_shards_lack(p->from.trust, &p->subjects) &&
	    mf_shards_load_ahead(p->from.trust, of, n, err) < 0)
		return -1;
	return mf_image_load_shards(&p->from, &p->subjects, err);
}

static int plan_pair(struct mf_copy_target *t, struct mf_copy_pair *p, struct mf_err *err)
{
	return load_shards(t, p, err) < 0 || mf_copy_plan(t->run, p, err) < 0 ? -1 : check_reference(p, err);
}

static const struct mf_copy_pair *find_failed(const struct mf_copy_target *t)
{
	const struct mf_copy_pair *worst = NULL;
	for (size_t i = 0; i < t->npairs; i++)
		if (t->pairs[i]->failed.code &&
		    (!worst || mf_exit_graver(mf_code_exit(t->pairs[i]->failed.code),
					      mf_code_exit(worst->failed.code))))
			worst = t->pairs[i];
	return worst;
}

static int refuse_failed(const struct mf_copy_target *t, struct mf_err *err)
{
	const struct mf_copy_pair *p = find_failed(t);
	if (p)
		*err = p->failed;
	return p ? -1 : 0;
}

static int plan_all(struct mf_copy_target *t, struct mf_err *err)
{
	for (size_t at = 0; at < t->npairs; at += MF_VERIFY_WINDOW) {
		struct mf_copy_target part = *t;
		part.pairs = &t->pairs[at];
		part.npairs = t->npairs - at < MF_VERIFY_WINDOW ? t->npairs - at : MF_VERIFY_WINDOW;
		if (mf_window_reach(&t->run->ahead, t->at + at, err) < 0 ||
		    for_pairs(&part, resolve_pair, err) < 0 || for_pairs(&part, plan_pair, err) < 0)
			return -1;
	}
	if (refuse_failed(t, err) < 0 || check_subjects(t, err) < 0)
		return -1;
	return refuse_failed(t, err);
}

static int check_all(struct mf_copy_target *t, struct mf_err *err)
{
	for (size_t i = 0; i < t->nwrites; i++)
		if (mf_write_check(&t->writes[i]->w, err) < 0)
			return -1;
	return 0;
}

static int publish(struct mf_copy_write *c, struct mf_err *err)
{
	struct mf_write *w = &c->w;
	if (mf_write_store_artifacts(w, err) < 0 || mf_write_rebuild_soon(w, err) < 0 ||
	    mf_write_publish(w, err) < 0)
		return -1;
	return mf_write_rebuild(w, err);
}

/* Publishes one role after the other. If one fails, the earlier ones stay published, and the next run leaves
 * them as they are. */
static int publish_all(struct mf_copy_target *t, struct mf_err *err)
{
	for (; t->published < t->nwrites; t->published++) {
		const char *role = t->writes[t->published]->w.role;
		if (publish(t->writes[t->published], err) == 0)
			continue;
		if (!t->published)
			return -1;
		mf_err_set_hint(err, "run the command again: it leaves what is published as it is");
		return mf_wrap(err,
			       "the records of %zu of %zu roles are published, those of role '%s' are not",
			       t->published, t->nwrites, role);
	}
	return 0;
}

/* Reports each record as it was read back after the publish. */
static int report_items(struct mf_copy_write *c, struct mf_err *err)
{
	struct mf_write *w = &c->w;
	const struct mf_tuf_set *set = mf_trust_set(w->im->trust);
	for (size_t i = 0; i < w->n; i++) {
		struct mf_entry e MF_ENTRY_CLEANUP = {0};
		struct mf_write_item *it = &w->items[i];
		size_t at;
		const struct mf_tuf_loaded *l = mf_tuf_set_find_target(set, w->role, mf_str_c(it->name), &at);
		int rc = l ? mf_entry_read(set, l, at, &e, err) : 0;
		if (rc < 0)
			return -1;
		if (!rc)
			return mf_fail(err, MF_E_CONFLICT, 0,
				       "'%s' of '%s' was removed right after it was "
				       "published",
				       it->type, it->im->text);
		it->out->unchanged = it->unchanged;
		if (mf_write_report_entry(w, it, &e, err) < 0)
			return -1;
	}
	return mf_write_report(w, err);
}

static int copy_target(struct mf_copy_target *t, struct mf_err *err)
{
	if (plan_all(t, err) < 0 || load_target(t, err) < 0 || choose_roles(t, err) < 0 ||
	    check_all(t, err) < 0 || mf_copy_content(t, err) < 0)
		return -1;
	if (publish_all(t, err) < 0)
		return -1;
	for (size_t i = 0; i < t->nwrites; i++)
		if (report_items(t->writes[i], err) < 0)
			return -1;
	return 0;
}

/* ---- results */

static bool has_subject(const struct mf_copy_pair *p, const struct mf_digest *subject)
{
	for (size_t i = 0; i < p->subjects.n; i++)
		if (mf_digest_eq(&p->subjects.v[i].digest, subject))
			return true;
	return false;
}

static int report_published(struct mf_copy_pair *p, struct manifesto_copy_item *out, struct mf_err *err)
{
	const struct mf_copy_target *t = p->target;
	struct mf_arena *a = &p->gate.arena;
	struct manifesto_copied *v = mf_arena_alloc(a, t->nplans, sizeof *v, err);
	if (!v)
		return -1;
	for (size_t i = 0; i < t->nwrites; i++) {
		const struct mf_write *w = &t->writes[i]->w;
		bool any = false;
		for (size_t k = 0; k < w->n; k++)
			if (has_subject(p, &w->items[k].subject.digest)) {
				v[out->nrecords++] =
				    (struct manifesto_copied){w->items[k].record, w->items[k].unchanged};
				any = true;
			}
		if (any && !out->role) {
			out->role = w->out->role;
			out->version = w->version;
			out->published_to = w->out->published_to;
			out->signer = w->out->signer;
		}
		for (size_t k = 0; p == t->pairs[0] && k < w->nwarnings; k++)
			mf_copy_warn(p, "%s", w->warnings[k]);
	}
	out->records = mf_arena_list(a, v, out->nrecords, sizeof *v);
	out->image = mf_report_image(a, &p->to, &p->subjects.v[0].digest);
	return mf_arena_check(a, err);
}

/* The failure to report for a pair: its own, else that of one of its records, else that another pair was the
 * reason. If some roles were published, each pair of the target may have records among them, and all report
 * the failure of the target. */
static void explain(const struct mf_copy_pair *p, struct mf_err *out)
{
	const struct mf_copy_target *t = p->target;
	if (t->published) {
		*out = t->failed;
		return;
	}
	const struct mf_copy_pair *worst = find_failed(t);
	const struct mf_err *own = p->failed.code ? &p->failed : NULL;
	bool others = worst != NULL;
	for (size_t i = 0; i < t->nplans; i++) {
		const struct mf_write_item *it = t->plans[i]->item;
		if (!it || !it->failed)
			continue;
		others = true;
		if (!own && has_subject(p, &it->subject.digest))
			own = it->failed;
	}
	*out = own ? *own : t->failed;
	if (!own && others) {
		struct mf_err why = MF_ERR_INIT;
		(void)mf_fail(&why, t->failed.code, 0,
			      "nothing was published to its repository, because of another image: %s",
			      t->failed.msg);
		*out = why;
	}
}

static int report_pair(struct mf_copy_run *r, struct mf_copy_pair *p, struct mf_err *err)
{
	struct manifesto_copy_item out = {.from = p->given->from, .to = p->given->to};
	struct manifesto_error shown;
	struct mf_arena *a = &p->gate.arena;
	if (p->target->failed.code) {
		struct mf_err why = MF_ERR_INIT;
		explain(p, &why);
		r->failed++;
		if (!r->code || mf_exit_graver(mf_code_exit(why.code), mf_code_exit(r->code)))
			r->code = why.code;
		(void)mf_op_fail(&shown, &why);
		out.error = &shown;
	} else if (report_published(p, &out, err) < 0) {
		return -1;
	}
	out.source = p->gate.image;
	out.findings = mf_arena_list(a, p->gate.findings, p->gate.nfindings, sizeof *p->gate.findings);
	out.nfindings = p->gate.nfindings;
	out.warnings = p->warnings;
	out.nwarnings = p->nwarnings;
	if (mf_arena_check(a, err) < 0)
		return -1;
	if (!r->o.result || r->o.result(r->o.result_arg, &out) == 0)
		return 0;
	r->o.result = NULL;
	return mf_fail(err, MF_E_IO, 0, "the result callback failed");
}

/* Frees what belongs to a target after its last pair is reported; not earlier, since the failure of one pair
 * may be reported for another. */
static void target_end(struct mf_copy_run *r, struct mf_copy_target *t)
{
	if (++t->reported < t->npairs || r->o.npairs == 1)
		return;
	target_clear(t);
	for (size_t i = 0; i < t->npairs; i++) {
		struct mf_pool_trust *to = t->pairs[i]->to.shared;
		if (to)
			to->held = 1;
		pair_clear(t->pairs[i]);
	}
	mf_pool_trim(&r->to, 0);
	mf_pool_trim(&r->from, MF_MAX_VERIFY_HELD);
}

/* Reports pairs in the order given, each as soon as the results of all before it are known. */
static int report_known(struct mf_copy_run *r, struct mf_err *err)
{
	while (r->reported < r->o.npairs && r->pairs[r->reported].target->done) {
		struct mf_copy_pair *p = &r->pairs[r->reported++];
		if (report_pair(r, p, err) < 0)
			return -1;
		target_end(r, p->target);
		mf_env_progress(&r->m->env, MF_PROGRESS_IMAGES, r->reported, r->o.npairs);
	}
	return 0;
}

/* ---- the whole */

/* A run that ends early reports the pairs that are done, and the reason for all others. */
static int end_early(struct mf_copy_run *r, const struct mf_err *why)
{
	struct mf_err ignored = MF_ERR_INIT;
	for (size_t i = 0; i < r->ntargets; i++) {
		struct mf_copy_target *t = &r->targets[i];
		if (!t->done)
			t->failed = *why;
		t->done = true;
	}
	(void)!report_known(r, &ignored);
	return -1;
}

static int copy_all(struct mf_copy_run *r, struct mf_err *err)
{
	for (size_t i = 0; i < r->ntargets; i++) {
		struct mf_copy_target *t = &r->targets[i];
		struct mf_err why = MF_ERR_INIT;
		mf_op_restart_clock(r->m);
		mf_op_restart_clock(r->source);
		if (copy_target(t, &why) < 0) {
			if (mf_err_is_ours(&why) || why.code == MF_E_CANCELLED) {
				*err = why;
				return r->o.npairs > 1 ? end_early(r, err) : -1;
			}
			t->failed = why;
		}
		t->done = true;
		if (report_known(r, err) < 0)
			return -1;
	}
	return 0;
}

static int copy(struct mf_copy_run *r, struct mf_err *err)
{
	r->ahead =
	    (struct mf_window){.n = r->o.npairs, .most = MF_VERIFY_AHEAD, .begin = mf_copy_begin, .arg = r};
	if (check_options(r, err) < 0 || open_pairs(r, err) < 0 || mf_copy_wants(r, err) < 0 ||
	    copy_all(r, err) < 0)
		return -1;
	if (!r->failed)
		return 0;
	if (r->o.npairs > 1)
		return mf_fail(err, r->code, 0, "%zu of %zu images not copied", r->failed, r->o.npairs);
	explain(&r->pairs[0], err);
	return -1;
}

int manifesto_copy(struct manifesto *m, const struct manifesto_copy_options *opt,
		   struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_copy_run r MF_CLEANUP(run_clear) = {.m = m, .source = m, .arena = MF_ARENA_INIT};
	mf_op_begin(m, error);
	if (mf_op_options(&r.o, sizeof r.o, opt, &err) < 0)
		return mf_op_fail(error, &err);
	if (r.o.source) {
		r.source = r.o.source;
		mf_op_begin(r.source, error);
	}
	return copy(&r, &err) < 0 ? mf_op_fail(error, &err) : 0;
}
