#include "ops/gate.h"

#include <stdio.h>

#include "base/encode.h"
#include "policy/distinct.h"

void mf_gate_report_clear(struct mf_gate_report *r)
{
	mf_arena_clear(&r->arena);
	free(r->requirements);
	free(r->findings);
	r->requirements = NULL;
	r->findings = NULL;
}

/* ---- findings */

static const char *dup(struct mf_gate_report *r, const char *text)
{
	return mf_arena_text(&r->arena, text);
}

/* Copies strings into the report's arena. */
static const char *const *texts(struct mf_gate_report *r, const char *const *v, size_t n)
{
	struct mf_err ignored = MF_ERR_INIT;
	const char **out = mf_arena_alloc(&r->arena, n, sizeof *out, &ignored);
	r->arena.failed |= !out;
	for (size_t i = 0; out && i < n; i++)
		out[i] = dup(r, v[i]);
	return out;
}

static const char *words_of(struct mf_gate_report *r, const struct mf_requirement *q, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	return mf_requirement_words(q, &b, err) < 0 ? NULL : mf_arena_dup(&r->arena, mf_buf_str(&b), err);
}

/* What the finding is about: image, platform, requirement. */
static int describe(struct mf_gate_report *r, const struct mf_requirement *q, const struct mf_subject *s,
		    struct manifesto_finding *f, struct mf_err *err)
{
	f->image = s          ? mf_report_image(&r->arena, r->im, &s->digest)
		   : r->image ? r->image
			      : dup(r, r->reference);
	f->platform = s && s->platform[0] ? dup(r, s->platform) : NULL;
	f->type = q ? dup(r, q->type) : NULL;
	if (q && !(f->wanted = words_of(r, q, err)))
		return -1;
	return 0;
}

static int add(struct mf_gate_report *r, const struct manifesto_finding *f, enum mf_code code,
	       struct mf_err *err)
{
	if (mf_grow((void **)&r->findings, &r->findings_cap, r->nfindings, sizeof *r->findings, err) < 0)
		return -1;
	r->findings[r->nfindings++] = *f;
	if (!r->status || mf_exit_graver(f->status, r->status)) {
		r->status = f->status;
		r->code = code;
	}
	return 0;
}

int mf_gate_refuse(struct mf_gate_report *r, const struct mf_requirement *q, const struct mf_subject *s,
		   const struct mf_err *why, struct mf_err *err)
{
	struct manifesto_finding f = {.code = mf_code_name(why->code), .status = mf_code_exit(why->code)};
	if (describe(r, q, s, &f, err) < 0)
		return -1;
	/* A gate refuses trust on first use: cuts the suggestion of --tofu, which other commands put at the
	 * end of the hint. */
	const char *tofu = why->code == MF_E_PIN ? strstr(why->hint, "; --tofu") : NULL;
	const struct mf_str hint = {why->hint, tofu ? (size_t)(tofu - why->hint) : strlen(why->hint)};
	f.found = dup(r, why->msg);
	f.hint = hint.n ? mf_arena_text_of(&r->arena, hint) : NULL;
	f.endpoint = why->endpoint[0] ? dup(r, why->endpoint) : NULL;
	return mf_arena_check(&r->arena, err) < 0 ? -1 : add(r, &f, why->code, err);
}

int mf_gate_refuse_tag(struct mf_gate_report *r, struct mf_err *err)
{
	struct manifesto_finding f = {.code = "tag",
				      .status = mf_code_exit(MF_E_POLICY),
				      .wanted = "a reference that names a digest: tags move",
				      .found = "no digest"};
	f.image = dup(r, r->reference);
	f.hint = mf_arena_format(&r->arena, "the tag is now '%s'", r->image);
	return mf_arena_check(&r->arena, err) < 0 ? -1 : add(r, &f, MF_E_POLICY, err);
}

static const char *next_step(enum mf_gate_code c)
{
	static const char *const steps[MF_GATE_CODES] = {
	    [MF_GATE_SIGNERS] = "another key of these roles must sign the same content: 'manifesto sign'",
	    [MF_GATE_MEDIA_TYPE] = "put it again with --media-type",
	    [MF_GATE_TOO_OLD] = "a new record is needed: 'manifesto put --force'",
	    [MF_GATE_FROM_FUTURE] = "compare the clocks of this machine and of the signer",
	    [MF_GATE_EXPIRED] = "a new record is needed: 'manifesto put'",
	    [MF_GATE_FOREIGN] =
		"it was not made by manifesto, or the role does not list the signer's key any more",
	    [MF_GATE_ABSENT] =
		"'manifesto list' shows what there is; the tag may have moved to another digest",
	    [MF_GATE_CONDITION] = "'manifesto get' shows the content; where it has changed, put it again",
	    [MF_GATE_DISTINCT] = "somebody else must sign one of them: 'manifesto sign'",
	    [MF_GATE_WAIVER] = "meet the requirement, or have a new waiver signed",
	    [MF_GATE_UNKNOWN_ROLE] = "'manifesto trust show' lists the roles",
	    [MF_GATE_ROLE_TYPE] = "'manifesto trust show' lists roles and what they may sign",
	    [MF_GATE_WITHDRAWN] = "only that role can lift it: 'manifesto put --reinstate'",
	    [MF_GATE_VETOED] = "only that role can lift it",
	};
	return steps[c];
}

/* What is known of one requirement and one subject. */
#define NO_WAIVER SIZE_MAX
struct evaluation {
	struct mf_verdict v;
	bool unreadable; /* a record could not be read; the finding for that is already made */
	/* the condition that the content does not meet, or NULL */
	const char *condition;
	struct mf_outcome outcome;
	size_t waiver; /* index of the waiver that stands in for it, or NO_WAIVER */
};

static void add_condition(struct mf_gate_report *r, const struct evaluation *e, struct manifesto_finding *f)
{
	const char *values[MF_CONDITION_VALUES];
	if (e->v.code != MF_GATE_CONDITION)
		return;
	for (size_t i = 0; i < e->outcome.nvalues; i++)
		values[i] = e->outcome.values[i];
	f->condition = dup(r, e->condition);
	f->nvalues = e->outcome.nvalues;
	f->values = texts(r, values, f->nvalues);
}

static int refuse_verdict(struct mf_gate_report *r, const struct mf_requirement *q,
			  const struct mf_subject *s, const struct evaluation *e, const char *hint,
			  struct mf_err *err)
{
	const struct mf_verdict *v = &e->v;
	struct manifesto_finding f = {.code = mf_gate_code_name(v->code),
				      .status = mf_code_exit(mf_gate_error(v->code)),
				      .hint = hint ? hint : next_step(v->code)};
	if (describe(r, q, s, &f, err) < 0)
		return -1;
	f.found = mf_arena_text_of(&r->arena, mf_buf_str(&v->found));
	add_condition(r, e, &f);
	return mf_arena_check(&r->arena, err) < 0 ? -1 : add(r, &f, mf_gate_error(v->code), err);
}

/* ---- content */

static int content_of(struct mf_gate_report *r, const struct mf_entry *e, struct mf_buf *out,
		      struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	if (out && e->info.length > out->max)
		return mf_fail(err, MF_E_POLICY, 0, "its content has %llu bytes, which is too large",
			       (unsigned long long)e->info.length);
	struct mf_spool *spool MF_SPOOL_CLEANUP = NULL;
	size_t got;
	if (mf_record_name(&name, e->type, &e->subject, err) < 0 ||
	    mf_content_get(r->im, &(struct mf_content_wanted){mf_buf_str(&name), &e->info, NULL}, &spool,
			   err) < 0)
		return -1;
	if (!out || !e->info.length)
		return 0;
	if (mf_buf_reserve(out, (size_t)e->info.length, err) < 0 ||
	    mf_spool_read(spool, 0, out->p, (size_t)e->info.length, &got, err) < 0)
		return -1;
	out->n = got;
	return 0;
}

/* ---- waivers */

struct waivers {
	struct {
		struct mf_waiver doc;
		struct mf_verdict by;
	} v[MF_MAX_POLICY_ROLES];
	struct mf_digest seen[MF_MAX_POLICY_ROLES];
	size_t n, nseen;
	struct mf_buf note; /* for a finding: why no further waiver counts */
};

static void waivers_clear(struct waivers *w)
{
	for (size_t i = 0; i < w->n; i++) {
		mf_waiver_clear(&w->v[i].doc);
		mf_verdict_clear(&w->v[i].by);
	}
	mf_buf_clear(&w->note);
}

/* A waiver that is signed well and cannot be parsed is a mistake of its signers: MF_E_POLICY. If its content
 * cannot be fetched, the failure keeps its own code. */
static int read_waiver(struct mf_gate_report *r, const struct mf_subject *s, struct waivers *w,
		       struct mf_verdict *by, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_WAIVER_BYTES);
	struct mf_err failed = MF_ERR_INIT;
	bool fetched = content_of(r, &by->records.v[0], &text, &failed) == 0;
	if (fetched && mf_waiver_parse(&w->v[w->n].doc, mf_buf_bytes(&text), &failed) == 0) {
		w->v[w->n++].by = *by;
		*by = (struct mf_verdict){0};
		return 0;
	}
	if (mf_err_ends_run(&failed)) {
		*err = failed;
		return -1;
	}
	if (fetched)
		(void)mf_recode(&failed, MF_E_POLICY);
	(void)mf_wrap(&failed, "the waiver cannot be used");
	return mf_gate_refuse(r, &r->rules->waiver, s, &failed, err);
}

static int find_waivers(struct mf_gate_report *r, const struct mf_gate *g, const struct mf_subject *s,
			struct waivers *w, struct mf_err *err)
{
	while (w->nseen < MF_MAX_POLICY_ROLES) {
		struct mf_verdict by MF_VERDICT_CLEANUP = {0};
		if (mf_gate_find_waiver(g, w->seen, w->nseen, &by, err) < 0)
			return -1;
		if (by.code != MF_GATE_MET)
			return by.code == MF_GATE_ABSENT ? 0
							 : mf_buf_printf(&w->note, err, "; waiver: %.*s",
									 MF_STR_ARG(mf_buf_str(&by.found)));
		w->seen[w->nseen++] = by.records.v[0].info.sha256;
		if (read_waiver(r, s, w, &by, err) < 0)
			return -1;
	}
	return 0;
}

static int report_waiver(struct mf_gate_report *r, const struct mf_waiver *doc, const struct mf_verdict *by,
			 const struct manifesto_waiver **out, struct mf_err *err)
{
	struct manifesto_waiver *w = mf_arena_alloc(&r->arena, 1, sizeof *w, err);
	if (!w)
		return -1;
	w->until = doc->until;
	w->name = dup(r, doc->name);
	w->granted_to = dup(r, doc->granted_to);
	w->reason = dup(r, doc->reason);
	if (mf_report_keys(r->m, by->signers, by->nsigners, &r->arena, &w->signers, &w->nsigners, err) < 0)
		return -1;
	*out = w;
	return 0;
}

/* The first waiver, from index `from` on, that names the requirement and has not expired. */
static size_t next_waiver(const struct mf_gate_report *r, const struct waivers *w,
			  const struct mf_requirement *q, size_t from)
{
	for (size_t i = from; i < w->n; i++)
		if (mf_waiver_names(&w->v[i].doc, q->type) &&
		    w->v[i].doc.until > mf_trust_set(r->im->trust)->now)
			return i;
	return NO_WAIVER;
}

/* Adds to the finding that a waiver of the requirement has expired, or else why no waiver counts. */
static int say_no_waiver(const struct waivers *w, int64_t now, const struct mf_requirement *q,
			 struct mf_verdict *v, struct mf_err *err)
{
	char until[MF_TIME_LEN];
	struct mf_esc e;
	for (size_t i = 0; i < w->n; i++) {
		if (!mf_waiver_names(&w->v[i].doc, q->type) || w->v[i].doc.until > now)
			continue;
		mf_time_format(until, w->v[i].doc.until);
		v->code = MF_GATE_WAIVER;
		return mf_buf_printf(&v->found, err, "; the waiver '%s' ended at %s",
				     mf_esc(&e, mf_str_c(w->v[i].doc.name)), until);
	}
	return mf_buf_add_str(&v->found, mf_buf_str(&w->note), err);
}

/* ---- one requirement */

static int report_met(struct mf_gate_report *r, const struct mf_subject *s, const struct mf_verdict *v,
		      struct manifesto_requirement *out, struct mf_err *err)
{
	struct manifesto_record *records = mf_arena_alloc(&r->arena, v->records.n, sizeof *records, err);
	if (!records)
		return -1;
	for (size_t i = 0; i < v->records.n; i++)
		if (mf_report_record(r->im, &v->records.v[i], s->platform, &r->arena, &records[i], err) < 0)
			return -1;
	out->met = 1;
	out->records = mf_arena_list(&r->arena, records, v->records.n, sizeof *records);
	out->nrecords = v->records.n;
	return mf_report_keys(r->m, v->signers, v->nsigners, &r->arena, &out->signers, &out->nsigners, err);
}

/* A platform inherits no records from its index: a hint for users who expect that. */
static const char *index_hint(struct mf_gate_report *r, const struct mf_gate *g,
			      const struct mf_requirement *q, const struct mf_verdict *v)
{
	struct mf_gate of_index = *g;
	struct mf_verdict index MF_VERDICT_CLEANUP = {0};
	struct mf_err ignored = MF_ERR_INIT;
	of_index.subject = &r->im->digest;
	if (v->code != MF_GATE_ABSENT || mf_digest_eq(g->subject, &r->im->digest) ||
	    mf_gate_evaluate(&of_index, q, &index, &ignored) < 0 || index.code != MF_GATE_MET)
		return NULL;
	return "the multi-platform image has it; its platforms do not inherit it: 'manifesto put "
	       "--all-platforms'";
}

static int check_content(struct mf_gate_report *r, const struct mf_requirement *q, const struct mf_subject *s,
			 const struct mf_verdict *v, struct mf_err *err)
{
	struct mf_err failed = MF_ERR_INIT;
	if (content_of(r, &v->records.v[0], NULL, &failed) == 0)
		return 0;
	if (!mf_err_ends_run(&failed))
		return mf_gate_refuse(r, q, s, &failed, err);
	*err = failed;
	return -1;
}

static int report_requirement(struct mf_gate_report *r, const struct mf_gate *g,
			      const struct mf_requirement *q, const struct mf_subject *s,
			      const struct waivers *w, struct evaluation *e, struct mf_err *err)
{
	struct mf_verdict *v = &e->v;
	struct manifesto_requirement out = {.type = q->type, .nconditions = q->nwhere};
	out.conditions = texts(r, q->where, q->nwhere);
	out.wanted = words_of(r, q, err);
	out.subject = mf_report_image(&r->arena, r->im, &s->digest);
	out.platform = s->platform[0] ? dup(r, s->platform) : NULL;
	if (!out.wanted)
		return -1;
	if (v->code == MF_GATE_MET &&
	    (report_met(r, s, v, &out, err) < 0 || (r->content && check_content(r, q, s, v, err) < 0)))
		return -1;
	if (e->waiver != NO_WAIVER &&
	    report_waiver(r, &w->v[e->waiver].doc, &w->v[e->waiver].by, &out.waiver, err) < 0)
		return -1;
	if (mf_gate_waivable(v->code) && !out.waiver && say_no_waiver(w, g->set->now, q, v, err) < 0)
		return -1;
	if (v->code != MF_GATE_MET && !out.waiver &&
	    refuse_verdict(r, q, s, e, index_hint(r, g, q, v), err) < 0)
		return -1;
	if (mf_grow((void **)&r->requirements, &r->requirements_cap, r->nrequirements,
		    sizeof *r->requirements, err) < 0)
		return -1;
	r->requirements[r->nrequirements++] = out;
	return mf_arena_check(&r->arena, err);
}

/* ---- conditions on content */

/* Evaluates a condition for the content of a record. Fetches nothing if the outcome is known, or if the
 * content is too large: then the engine gets the length alone. */
static const struct mf_outcome *outcome_of(struct mf_gate_report *r, const struct mf_entry *e, size_t program,
					   struct mf_err *err)
{
	const struct mf_digest *content = &e->info.sha256;
	const struct mf_outcome *known = mf_conditions_known(r->conditions, program, content);
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONDITION_CONTENT);
	if (known)
		return known;
	if (e->info.length > MF_MAX_CONDITION_CONTENT)
		return mf_conditions_evaluate(r->conditions, program, content,
					      (struct mf_bytes){NULL, (size_t)e->info.length}, err);
	if (content_of(r, e, &text, err) < 0)
		return NULL;
	return mf_conditions_evaluate(r->conditions, program, content, mf_buf_bytes(&text), err);
}

static int say_condition(struct evaluation *to, const struct mf_requirement *q, const struct mf_entry *e,
			 struct mf_err *err)
{
	struct mf_esc role, program;
	to->v.code = MF_GATE_CONDITION;
	if (mf_buf_printf(&to->v.found, err, "role '%s': the condition ",
			  mf_esc(&role, mf_str_c(e->role->role))) < 0)
		return -1;
	if (q->nwhere > 1 &&
	    mf_buf_printf(&to->v.found, err, "'%s' ", mf_esc(&program, mf_str_c(to->condition))) < 0)
		return -1;
	return mf_buf_addz(&to->v.found, to->outcome.why, err);
}

/* Checks all conditions of a requirement against the content of one record; `first` is the index of the
 * requirement's first program. */
static int check_entry(struct mf_gate_report *r, const struct mf_requirement *q, size_t first,
		       const struct mf_entry *e, struct evaluation *to, struct mf_err *err)
{
	for (size_t i = 0; to->v.code == MF_GATE_MET && i < q->nwhere; i++) {
		const struct mf_outcome *o = outcome_of(r, e, first + i, err);
		if (!o)
			return -1;
		if (o->holds)
			continue;
		to->condition = q->where[i];
		to->outcome = *o;
		if (say_condition(to, q, e, err) < 0)
			return -1;
	}
	return 0;
}

static int check_conditions(struct mf_gate_report *r, const struct mf_requirement *q, size_t first,
			    struct evaluation *to, struct mf_err *err)
{
	if (to->v.code != MF_GATE_MET || !q->nwhere)
		return 0;
	if (check_entry(r, q, first, &to->v.records.v[0], to, err) < 0)
		return -1;
	for (size_t i = 0; i < to->v.rivals.n; i++)
		if (check_entry(r, q, first, &to->v.rivals.v[i], to, err) < 0)
			return -1;
	return 0;
}

/* ---- four eyes */

/* The requirements whose signers must differ and that are met or waived, with the keys that count for each.
 * The met ones come first: where there are too few keys for both, the waiver is refused, and not the
 * requirement that is met. */
struct shares {
	struct mf_share v[MF_MAX_REQUIREMENTS];
	size_t of[MF_MAX_REQUIREMENTS]; /* index of the requirement */
	size_t n;
};

static void shares_clear(struct shares *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].keys);
}

/* Where the policy names the signers of originals, a promoted record was approved by those, and their keys
 * count. The key that promoted it does not: one key may promote all records. */
static int add_share(struct shares *s, size_t of, const struct mf_requirement *q, int64_t need,
		     const struct mf_verdict *v, struct mf_err *err)
{
	struct mf_share *share = &s->v[s->n];
	const bool original = v->noriginals != 0;
	const size_t n = original ? v->noriginals : v->nsigners;
	struct mf_pubkey **keys = mf_calloc(n, sizeof(struct mf_pubkey *));
	if (!keys)
		return mf_fail_nomem(err);
	memcpy(keys, original ? v->originals : v->signers, n * sizeof(struct mf_pubkey *));
	*share = (struct mf_share){.type = q->type,
				   .keys = keys,
				   .nkeys = n,
				   .need = original ? q->original_signers : need,
				   .original = original};
	s->of[s->n++] = of;
	return 0;
}

static int collect_shares(const struct mf_rules *rules, const struct evaluation *all, const struct waivers *w,
			  struct shares *out, struct mf_err *err)
{
	for (size_t i = 0; i < rules->n; i++)
		if (!all[i].unreadable && all[i].v.code == MF_GATE_MET &&
		    mf_rules_is_distinct(rules, rules->v[i].type) &&
		    add_share(out, i, &rules->v[i], rules->v[i].signers, &all[i].v, err) < 0)
			return -1;
	for (size_t i = 0; i < rules->n; i++)
		if (all[i].waiver != NO_WAIVER && mf_rules_is_distinct(rules, rules->v[i].type) &&
		    add_share(out, i, &rules->v[i], rules->waiver.signers, &w->v[all[i].waiver].by, err) < 0)
			return -1;
	return 0;
}

/* Refuses a share that cannot have keys of its own. A requirement is then not met. A waiver is replaced by
 * the next waiver of its requirement; if there is none, the requirement is neither met nor waived. */
static int refuse_share(struct mf_gate_report *r, const struct shares *s, size_t at, struct evaluation *all,
			const struct waivers *w, struct mf_err *err)
{
	struct evaluation *e = &all[s->of[at]];
	bool waived = e->waiver != NO_WAIVER;
	if (waived)
		e->waiver = next_waiver(r, w, &r->rules->v[s->of[at]], e->waiver + 1);
	else
		e->v.code = MF_GATE_DISTINCT;
	if (waived && e->waiver != NO_WAIVER)
		return 0;
	if (waived)
		e->v.code = MF_GATE_WAIVER;
	if (waived && mf_buf_addz(&e->v.found, "; the waiver has ", err) < 0)
		return -1;
	return mf_distinct_words(s->v, s->n, at, mf_trust_set(r->im->trust)->names, &e->v.found, err);
}

/* Refuses one share after the other, until all that is met or waived has keys of its own. */
static int check_distinct(struct mf_gate_report *r, struct evaluation *all, const struct waivers *w,
			  struct mf_err *err)
{
	size_t unmet = 0, n = r->rules->ndistinct ? 1 : 0;
	while (unmet < n) {
		struct shares s MF_CLEANUP(shares_clear) = {.n = 0};
		if (collect_shares(r->rules, all, w, &s, err) < 0 ||
		    mf_distinct_assign(s.v, s.n, &unmet, err) < 0)
			return -1;
		n = s.n;
		if (unmet < n && refuse_share(r, &s, unmet, all, w, err) < 0)
			return -1;
	}
	return 0;
}

/* Reduces the signers of each requirement that is met to the keys that were assigned to it. This waits for
 * the waivers, which need keys as well and change the assignment. */
static int keep_own_signers(struct mf_gate_report *r, struct evaluation *all, const struct waivers *w,
			    struct mf_err *err)
{
	struct shares s MF_CLEANUP(shares_clear) = {.n = 0};
	size_t unmet = 0;
	if (!r->rules->ndistinct)
		return 0;
	if (collect_shares(r->rules, all, w, &s, err) < 0 || mf_distinct_assign(s.v, s.n, &unmet, err) < 0)
		return -1;
	for (size_t i = 0; i < unmet; i++) {
		struct mf_verdict *v = &all[s.of[i]].v;
		if (v->code != MF_GATE_MET || s.v[i].original)
			continue;
		memcpy(v->signers, s.v[i].keys, s.v[i].nkeys * sizeof(struct mf_pubkey *));
		v->nsigners = s.v[i].nkeys;
	}
	return 0;
}

/* ---- one subject */

static int evaluate_all(struct mf_gate_report *r, const struct mf_gate *g, const struct mf_subject *s,
			struct evaluation *all, struct mf_err *err)
{
	size_t program = 0;
	for (size_t i = 0; i < r->rules->n; i++) {
		struct mf_err failed = MF_ERR_INIT;
		const struct mf_requirement *q = &r->rules->v[i];
		all[i].waiver = NO_WAIVER;
		all[i].unreadable = mf_gate_evaluate(g, q, &all[i].v, &failed) < 0 ||
				    check_conditions(r, q, program, &all[i], &failed) < 0;
		program += q->nwhere;
		if (all[i].unreadable && (failed.code == MF_E_NOMEM || failed.code == MF_E_CANCELLED)) {
			*err = failed;
			return -1;
		}
		if (all[i].unreadable && mf_gate_refuse(r, q, s, &failed, err) < 0)
			return -1;
	}
	return 0;
}

static bool any_waivable(const struct mf_rules *rules, const struct evaluation *all)
{
	for (size_t i = 0; rules->has_waiver && i < rules->n; i++)
		if (!all[i].unreadable && mf_gate_waivable(all[i].v.code))
			return true;
	return false;
}

/* Gives each requirement that can be waived its first waiver, then refuses the waivers that cannot have keys
 * of their own. */
static int apply_waivers(struct mf_gate_report *r, struct evaluation *all, const struct waivers *w,
			 struct mf_err *err)
{
	for (size_t i = 0; i < r->rules->n; i++)
		if (!all[i].unreadable && mf_gate_waivable(all[i].v.code))
			all[i].waiver = next_waiver(r, w, &r->rules->v[i], 0);
	return check_distinct(r, all, w, err);
}

static int evaluate_subject(struct mf_gate_report *r, const struct mf_subject *s, struct evaluation *all,
			    struct waivers *w, struct mf_err *err)
{
	struct mf_gate g = {.set = mf_trust_set(r->im->trust), .rules = r->rules, .subject = &s->digest};
	if (evaluate_all(r, &g, s, all, err) < 0 || check_distinct(r, all, w, err) < 0)
		return -1;
	struct mf_err failed = MF_ERR_INIT;
	if (any_waivable(r->rules, all) && find_waivers(r, &g, s, w, &failed) < 0) {
		if (failed.code != MF_E_FORMAT) {
			*err = failed;
			return -1;
		}
		if (mf_gate_refuse(r, &r->rules->waiver, s, &failed, err) < 0)
			return -1;
	}
	if ((w->n && apply_waivers(r, all, w, err) < 0) || keep_own_signers(r, all, w, err) < 0)
		return -1;
	for (size_t i = 0; i < r->rules->n; i++)
		if (!all[i].unreadable && report_requirement(r, &g, &r->rules->v[i], s, w, &all[i], err) < 0)
			return -1;
	return 0;
}

int mf_gate_subject(struct mf_gate_report *r, const struct mf_subject *s, struct mf_err *err)
{
	struct evaluation *all MF_FREE = mf_calloc(r->rules->n, sizeof *all);
	struct waivers *w MF_FREE = calloc(1, sizeof *w);
	if (!all || !w)
		return mf_fail_nomem(err);
	mf_buf_init(&w->note, 16384);
	int rc = evaluate_subject(r, s, all, w, err);
	for (size_t i = 0; i < r->rules->n; i++)
		mf_verdict_clear(&all[i].v);
	waivers_clear(w);
	return rc;
}
