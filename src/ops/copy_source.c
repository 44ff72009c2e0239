/* Chooses the records to promote: the verified records of a source that a policy requires, or all that are
 * current. */
#include <stdio.h>

#include "base/encode.h"
#include "ops/copy.h"

#define MAX_WARNINGS 16

void mf_copy_warn(struct mf_copy_pair *p, const char *fmt, ...)
{
	char text[1200];
	va_list ap;
	struct mf_err ignored = MF_ERR_INIT; /* mf_arena_check reports it */
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!p->warnings)
		p->warnings = mf_arena_alloc(&p->gate.arena, MAX_WARNINGS, sizeof(char *), &ignored);
	p->gate.arena.failed |= !p->warnings;
	if (p->warnings && p->nwarnings < MAX_WARNINGS)
		p->warnings[p->nwarnings++] = mf_arena_text(&p->gate.arena, text);
}

/* ---- plans */

static struct mf_copy_plan *find_plan(const struct mf_copy_target *t, const struct mf_subject *s,
				      struct mf_str type)
{
	for (size_t i = 0; i < t->nplans; i++)
		if (mf_digest_eq(&t->plans[i]->subject.digest, &s->digest) &&
		    mf_str_eqz(type, t->plans[i]->type))
			return t->plans[i];
	return NULL;
}

/* A record may be planned twice, since another pair may have the same image, or another requirement the same
 * type. Then one plan is enough; but a promoted record has one content, and its originals are from one
 * repository. */
static int check_twice(const struct mf_copy_plan *plan, const struct mf_copy_pair *p,
		       const struct mf_entries *from, struct mf_err *err)
{
	if (plan->pair->from.trust != p->from.trust) {
		(void)mf_fail(err, MF_E_AMBIGUOUS, 0, "'%s' of the image is promoted from '%s' already",
			      plan->type, plan->pair->given->from);
		mf_err_set_hint(err, "choose with --types what is promoted from where");
		return -1;
	}
	if (mf_digest_eq(&plan->content.digest, &from->v[0].info.sha256))
		return 0;
	return mf_fail(err, MF_E_AMBIGUOUS, 0, "'%s' of the image has another content at '%s'", plan->type,
		       plan->pair->given->from);
}

/* Adds a plan, which takes the entries; all have the same content. */
static int add_plan(struct mf_copy_pair *p, const struct mf_subject *s, struct mf_entries *from,
		    struct mf_err *err)
{
	struct mf_copy_target *t = p->target;
	const struct mf_entry *first = &from->v[0];
	struct mf_copy_plan *known = find_plan(t, s, first->type);
	if (known)
		return check_twice(known, p, from, err);
	if (mf_grow((void **)&t->plans, &t->plans_cap, t->nplans, sizeof(struct mf_copy_plan *), err) < 0)
		return -1;
	struct mf_copy_plan *plan = mf_calloc(1, sizeof *plan);
	char *type = mf_str_dup(first->type);
	if (!plan || !type) {
		free(plan);
		free(type);
		return mf_fail_nomem(err);
	}
	*plan = (struct mf_copy_plan){.pair = p,
				      .subject = *s,
				      .type = type,
				      .from = *from,
				      .content = {.digest = first->info.sha256,
						  .length = first->info.length,
						  .media_type = first->record.media_type}};
	*from = (struct mf_entries){0};
	t->plans[t->nplans++] = plan;
	return 0;
}

static bool is_asked(const struct mf_copy_run *r, struct mf_str type)
{
	for (size_t i = 0; r->o.types && r->o.types[i]; i++)
		if (mf_str_eqz(type, r->o.types[i]))
			return true;
	return false;
}

/* ---- by requirements */

static int report_findings(struct mf_copy_pair *p, struct mf_err *err)
{
	const struct manifesto_finding *f = &p->gate.findings[0];
	for (size_t i = 1; i < p->gate.nfindings; i++)
		if (mf_exit_graver(p->gate.findings[i].status, f->status))
			f = &p->gate.findings[i];
	(void)mf_fail(err, p->gate.code, 0, "'%s' does not meet the requirements%s%s: %s", p->given->from,
		      f->wanted ? ": wanted " : "", f->wanted ? f->wanted : "", f->found);
	if (f->hint)
		mf_err_set_hint(err, "%s", f->hint);
	return -1;
}

/* Plans the records that meet the i-th requirement. A waived one has none. */
static int plan_requirement(struct mf_copy_run *r, struct mf_copy_pair *p, const struct mf_subject *s,
			    size_t i, struct mf_err *err)
{
	const struct mf_requirement *q = &r->rules.v[i];
	const struct manifesto_requirement *done =
	    &p->gate.requirements[p->gate.nrequirements - r->rules.n + i];
	struct mf_gate g = {.set = mf_trust_set(p->from.trust), .rules = &r->rules, .subject = &s->digest};
	struct mf_verdict v MF_VERDICT_CLEANUP = {0};
	if (r->o.types && !is_asked(r, mf_str_c(q->type)))
		return 0;
	if (!done->met) {
		mf_copy_warn(p, "'%s' of '%s' is waived there: it is not copied", q->type, p->given->from);
		return 0;
	}
	if (mf_gate_evaluate(&g, q, &v, err) < 0)
		return -1;
	return add_plan(p, s, &v.records, err);
}

static int plan_required(struct mf_copy_run *r, struct mf_copy_pair *p, const struct mf_subject *s,
			 struct mf_err *err)
{
	if (mf_gate_subject(&p->gate, s, err) < 0)
		return -1;
	if (p->gate.nfindings)
		return report_findings(p, err);
	for (size_t i = 0; i < r->rules.n; i++)
		if (plan_requirement(r, p, s, i, err) < 0)
			return -1;
	return 0;
}

/* ---- all current records */

/* Chooses the records of one type to promote; all must have the same content. A tombstone of any role
 * excludes the type. */
static int choose(struct mf_copy_run *r, struct mf_copy_pair *p, struct mf_entry *v, size_t n,
		  struct mf_entries *out, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	for (size_t i = 0; i < n; i++) {
		if (v[i].state != MF_STATE_WITHDRAWN)
			continue;
		(void)mf_entry_refuse_withdrawn(&v[i], &p->from.m->names, &why);
		if (!is_asked(r, v[i].type)) {
			mf_copy_warn(p, "not copied: %s", why.msg);
			return 0;
		}
		*err = why;
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		if (v[i].state != MF_STATE_CURRENT)
			continue;
		if (out->n && !mf_digest_eq(&out->v[0].info.sha256, &v[i].info.sha256)) {
			(void)mf_fail(err, MF_E_AMBIGUOUS, 0,
				      "roles '%s' and '%s' of '%s' have different '%.*s' records",
				      out->v[0].role->role, v[i].role->role, p->given->from,
				      MF_STR_ARG(v[i].type));
			mf_err_set_hint(err, "choose one with --require %.*s=ROLE", MF_STR_ARG(v[i].type));
			return -1;
		}
		if (mf_grow((void **)&out->v, &out->cap, out->n, sizeof *out->v, err) < 0)
			return -1;
		out->v[out->n++] = v[i];
		v[i] = (struct mf_entry){.type = v[i].type};
	}
	if (!out->n && !is_asked(r, v[0].type))
		mf_copy_warn(p, "not copied: '%.*s' of '%s' is %s", MF_STR_ARG(v[0].type), p->given->from,
			     mf_state_name(v[0].state));
	return 0;
}

/* A veto excludes nothing here, since only a policy says whose veto counts. The user is warned, since the
 * veto is not visible at the destination. */
static void drop_vetoes(struct mf_copy_pair *p, struct mf_entries *all)
{
	size_t kept = 0;
	struct mf_esc e;
	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i].state != MF_STATE_VETO) {
			all->v[kept++] = all->v[i];
			continue;
		}
		mf_copy_warn(p, "role '%s' of '%s' vetoes '%.*s': a veto is not copied",
			     mf_esc(&e, mf_str_c(all->v[i].role->role)), p->given->from,
			     MF_STR_ARG(all->v[i].type));
		mf_entry_clear(&all->v[i]);
	}
	all->n = kept;
}

/* Is this record still to be chosen? Types with a requirement were planned by that, and records that another
 * pair planned from the same repository are planned already. */
static bool is_wanted(const struct mf_copy_run *r, const struct mf_copy_pair *p, const struct mf_subject *s,
		      const struct mf_entry *e)
{
	const struct mf_copy_plan *known = find_plan(p->target, s, e->type);
	if (known && known->pair->from.trust == p->from.trust)
		return false;
	for (size_t i = 0; i < r->rules.n; i++)
		if (mf_str_eqz(e->type, r->rules.v[i].type))
			return false;
	return r->o.types ? is_asked(r, e->type) : !mf_str_eqz(e->type, MF_TYPE_WAIVER);
}

static int plan_current(struct mf_copy_run *r, struct mf_copy_pair *p, const struct mf_subject *s,
			struct mf_err *err)
{
	struct mf_entries all MF_ENTRIES_CLEANUP = {0};
	if (mf_policy_list(mf_trust_set(p->from.trust), &s->digest, NULL, &all, err) < 0)
		return -1;
	drop_vetoes(p, &all);
	for (size_t i = 0, n; i < all.n; i += n) {
		struct mf_entries from MF_ENTRIES_CLEANUP = {0};
		for (n = 1; i + n < all.n && mf_str_eq(all.v[i + n].type, all.v[i].type);)
			n++;
		if (is_wanted(r, p, s, &all.v[i]) && (choose(r, p, &all.v[i], n, &from, err) < 0 ||
						      (from.n && add_plan(p, s, &from, err) < 0)))
			return -1;
	}
	return 0;
}

/* ---- one image */

int mf_copy_wants(struct mf_copy_run *r, struct mf_err *err)
{
	r->from.then = mf_gate_load_vetoes;
	r->from.then_arg = &r->rules;
	if (r->rules.n && !r->o.types)
		return mf_gate_wants(&r->rules, &r->arena, &r->wants, err);
	r->wants = (struct mf_load){.subjects = mf_no_subjects};
	return 0;
}

/* Checks that each requested type has a plan for at least one subject, and that there is any plan at all. */
static int check_asked(const struct mf_copy_run *r, const struct mf_copy_pair *p, struct mf_err *err)
{
	const struct mf_copy_target *t = p->target;
	size_t n = 0;
	for (size_t i = 0; r->o.types && r->o.types[i]; i++) {
		bool has = false;
		for (size_t k = 0; !has && k < p->subjects.n; k++)
			has = find_plan(t, &p->subjects.v[k], mf_str_c(r->o.types[i])) != NULL;
		if (!has)
			return mf_fail(err, MF_E_NOT_FOUND, 0, "'%s' has no current '%s' record",
				       p->given->from, r->o.types[i]);
	}
	for (size_t i = 0; i < t->nplans; i++)
		for (size_t k = 0; k < p->subjects.n; k++)
			n += mf_digest_eq(&t->plans[i]->subject.digest, &p->subjects.v[k].digest);
	return n ? 0 : mf_fail(err, MF_E_NOT_FOUND, 0, "'%s' has no current record", p->given->from);
}

/* Is the source also a destination of this run? It is then loaded only when its turn comes, so that records
 * that this run publishes to it before are copied on. */
static bool is_target(const struct mf_copy_run *r, const struct mf_trust *from)
{
	for (size_t i = 0; i < r->to.ntrusts; i++)
		if (strcmp(r->to.trusts[i]->name, mf_trust_pin_name(from)) == 0)
			return true;
	return false;
}

int mf_copy_begin(void *run, size_t i, struct mf_err *err)
{
	struct mf_copy_run *r = run;
	struct mf_copy_pair *p = r->order[i];
	struct mf_err why = MF_ERR_INIT;
	if (p->failed.code)
		return 0;
	if (!is_target(r, p->from.trust))
		mf_pool_begin(p->from.shared, &r->wants);
	if (mf_image_begin(&p->from, &why) == 0 && (p->bare || mf_image_begin(&p->to, &why) == 0))
		return 0;
	if (mf_err_is_ours(&why) || why.code == MF_E_CANCELLED) {
		*err = why;
		return -1;
	}
	p->failed = why;
	return 0;
}

int mf_copy_resolve(struct mf_copy_run *r, struct mf_copy_pair *p, struct mf_err *err)
{
	struct mf_subject_choice choice = {
	    .platform = r->o.platform, .all = r->o.all_platforms != 0, .described = true};
	mf_pool_begin(p->from.shared, &r->wants);
	if (mf_pool_need(&r->from, p->from.shared, err) < 0 ||
	    mf_image_subjects(&p->from, choice, &p->subjects, err) < 0)
		return -1;
	mf_manifest_clear(&p->from.manifest);
	return 0;
}

int mf_copy_plan(struct mf_copy_run *r, struct mf_copy_pair *p, struct mf_err *err)
{
	p->gate.image = mf_report_image(&p->gate.arena, &p->from, &p->subjects.v[0].digest);
	if (mf_arena_check(&p->gate.arena, err) < 0)
		return -1;
	if (r->rules.forbid_tags && !p->from.ref.has_digest) {
		if (mf_gate_refuse_tag(&p->gate, err) < 0)
			return -1;
		return report_findings(p, err);
	}
	for (size_t i = 0; i < p->subjects.n; i++) {
		const struct mf_subject *s = &p->subjects.v[i];
		if ((r->rules.n && plan_required(r, p, s, err) < 0) ||
		    ((!r->rules.n || r->o.types) && plan_current(r, p, s, err) < 0))
			return -1;
	}
	return check_asked(r, p, err);
}
