#include "ops/gate.h"

#include <stdio.h>

#include "base/encode.h"

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
	/* What other commands suggest there, trust on first use, is refused here. */
	const char *hint =
	    why->code == MF_E_PIN && strstr(why->hint, "--tofu")
		? "compare the keys with the owner's, then run 'manifesto trust pin IMAGE FINGERPRINT'"
		: why->hint;
	f.found = dup(r, why->msg);
	f.hint = *hint ? dup(r, hint) : NULL;
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
	    [MF_GATE_WAIVER] = "meet the requirement, or have a new waiver signed",
	    [MF_GATE_UNKNOWN_ROLE] = "'manifesto trust show' lists the roles",
	    [MF_GATE_ROLE_TYPE] = "'manifesto trust show' lists roles and what they may sign",
	    [MF_GATE_WITHDRAWN] = "only that role can lift it: 'manifesto put --reinstate'",
	    [MF_GATE_VETOED] = "only that role can lift it",
	};
	return steps[c];
}

static int refuse_verdict(struct mf_gate_report *r, const struct mf_requirement *q,
			  const struct mf_subject *s, const struct mf_verdict *v, const char *hint,
			  struct mf_err *err)
{
	struct manifesto_finding f = {.code = mf_gate_code_name(v->code),
				      .status = mf_code_exit(mf_gate_error(v->code)),
				      .hint = hint ? hint : next_step(v->code)};
	if (describe(r, q, s, &f, err) < 0)
		return -1;
	f.found = mf_arena_text_of(&r->arena, mf_buf_str(&v->found));
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
	struct mf_buf note; /* why there are no more */
};

static void waivers_clear(struct waivers *w)
{
	for (size_t i = 0; i < w->n; i++) {
		mf_waiver_clear(&w->v[i].doc);
		mf_verdict_clear(&w->v[i].by);
	}
	mf_buf_clear(&w->note);
}

/* One that is signed well and cannot be used is the mistake of somebody who may waive; that its content
 * cannot be fetched is a failure like any other. */
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

/* Does one of them waive the requirement? One that has ended is part of what was found. */
static int apply_waivers(struct mf_gate_report *r, const struct waivers *w, const struct mf_requirement *q,
			 struct mf_verdict *v, struct manifesto_requirement *out, struct mf_err *err)
{
	char until[MF_TIME_LEN];
	struct mf_esc e;
	for (size_t i = 0; i < w->n; i++)
		if (mf_waiver_names(&w->v[i].doc, q->type) &&
		    w->v[i].doc.until > mf_trust_set(r->im->trust)->now)
			return report_waiver(r, &w->v[i].doc, &w->v[i].by, &out->waiver, err);
	for (size_t i = 0; i < w->n; i++) {
		if (!mf_waiver_names(&w->v[i].doc, q->type))
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

/* Nothing is inherited from an index: a hint for users who expect it. */
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

struct evaluation {
	struct mf_verdict v;
	bool unreadable; /* its finding is made already */
};

static int report_requirement(struct mf_gate_report *r, const struct mf_gate *g,
			      const struct mf_requirement *q, const struct mf_subject *s,
			      const struct waivers *w, struct mf_verdict *v, struct mf_err *err)
{
	struct manifesto_requirement out = {.type = q->type};
	out.wanted = words_of(r, q, err);
	out.subject = mf_report_image(&r->arena, r->im, &s->digest);
	out.platform = s->platform[0] ? dup(r, s->platform) : NULL;
	if (!out.wanted)
		return -1;
	if (v->code == MF_GATE_MET &&
	    (report_met(r, s, v, &out, err) < 0 || (r->content && check_content(r, q, s, v, err) < 0)))
		return -1;
	if (mf_gate_waivable(v->code) && apply_waivers(r, w, q, v, &out, err) < 0)
		return -1;
	if (v->code != MF_GATE_MET && !out.waiver &&
	    refuse_verdict(r, q, s, v, index_hint(r, g, q, v), err) < 0)
		return -1;
	if (mf_grow((void **)&r->requirements, &r->requirements_cap, r->nrequirements,
		    sizeof *r->requirements, err) < 0)
		return -1;
	r->requirements[r->nrequirements++] = out;
	return mf_arena_check(&r->arena, err);
}

/* ---- one subject */

static int evaluate_all(struct mf_gate_report *r, const struct mf_gate *g, const struct mf_subject *s,
			struct evaluation *all, bool *waivable, struct mf_err *err)
{
	for (size_t i = 0; i < r->rules->n; i++) {
		struct mf_err failed = MF_ERR_INIT;
		const struct mf_requirement *q = &r->rules->v[i];
		all[i].unreadable = mf_gate_evaluate(g, q, &all[i].v, &failed) < 0;
		if (all[i].unreadable && failed.code == MF_E_NOMEM) {
			*err = failed;
			return -1;
		}
		if (all[i].unreadable && mf_gate_refuse(r, q, s, &failed, err) < 0)
			return -1;
		*waivable |= !all[i].unreadable && mf_gate_waivable(all[i].v.code);
	}
	return 0;
}

static int evaluate_subject(struct mf_gate_report *r, const struct mf_subject *s, struct evaluation *all,
			    struct waivers *w, struct mf_err *err)
{
	struct mf_gate g = {.set = mf_trust_set(r->im->trust), .rules = r->rules, .subject = &s->digest};
	bool waivable = false;
	if (evaluate_all(r, &g, s, all, &waivable, err) < 0)
		return -1;
	struct mf_err failed = MF_ERR_INIT;
	if (waivable && r->rules->has_waiver && find_waivers(r, &g, s, w, &failed) < 0) {
		if (failed.code != MF_E_FORMAT) {
			*err = failed;
			return -1;
		}
		if (mf_gate_refuse(r, &r->rules->waiver, s, &failed, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < r->rules->n; i++)
		if (!all[i].unreadable &&
		    report_requirement(r, &g, &r->rules->v[i], s, w, &all[i].v, err) < 0)
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
