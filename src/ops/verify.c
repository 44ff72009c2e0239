/* verify: checks images against a policy. The trust metadata of each repository is loaded once in a run;
 * while one image is evaluated, the next ones are being resolved. */
#include <stdio.h>

#include "base/encode.h"
#include "base/window.h"
#include "crypto/hash.h"
#include "ops/gate.h"
#include "ops/summary.h"

struct slot {
	struct mf_image im;
	struct mf_subjects subjects; /* empty: the image is not resolved yet */
	struct mf_err failed;        /* why the image could not be opened or resolved */
};

struct run {
	struct manifesto *m;
	const struct manifesto_verify_options *o;
	struct mf_rules rules;
	const char **programs; /* conditions of the rules, in their order */
	struct mf_conditions *conditions;
	struct mf_summary summary;
	struct mf_arena arena; /* holds the strings of `wants` */
	struct mf_load wants;
	struct mf_pool pool;
	struct slot slots[MF_VERIFY_AHEAD];
	struct mf_window ahead; /* over the images */
	size_t refused;
	int status;        /* the gravest exit status of all images */
	enum mf_code code; /* the code with that status */
};

static void slot_clear(struct slot *s)
{
	mf_image_close(&s->im);
	mf_subjects_clear(&s->subjects);
}

static void run_clear(struct run *r)
{
	for (size_t i = 0; i < MF_VERIFY_AHEAD; i++)
		slot_clear(&r->slots[i]);
	r->m->pool = NULL;
	mf_pool_clear(&r->pool);
	mf_conditions_stop(r->conditions);
	free(r->programs);
	mf_rules_clear(&r->rules);
	mf_summary_clear(&r->summary);
	mf_arena_clear(&r->arena);
	free(r);
}

static void run_cleanup(struct run **r)
{
	if (*r)
		run_clear(*r);
}

/* ---- options and rules */

int mf_gate_read_rules(struct mf_rules *rules, const struct manifesto_verify_options *o, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_POLICY_BYTES);
	struct mf_bytes doc = {o->policy, o->policy_length};
	if (o->policy_path) {
		if (mf_file_read(o->policy_path, MF_MAX_POLICY_BYTES, &text, err) < 0) {
			if (err->code == MF_E_NOT_FOUND) /* status 3 is about an image */
				(void)mf_recode(err, MF_E_USAGE);
			return mf_wrap(err, "policy");
		}
		doc = mf_buf_bytes(&text);
	}
	if (o->policy_path || o->policy) {
		if (mf_rules_parse(rules, doc, err) < 0)
			return mf_wrap(err, "policy '%s'", o->policy_path ? o->policy_path : "");
		if (mf_sha256(doc, &rules->file, err) < 0)
			return -1;
		rules->has_file = true;
	}
	for (size_t i = 0; o->require && o->require[i]; i++)
		if (mf_rules_require(rules, mf_str_c(o->require[i]), err) < 0)
			return -1;
	for (size_t i = 0; o->where && o->where[i]; i++)
		if (mf_rules_where(rules, mf_str_c(o->where[i]), err) < 0)
			return -1;
	if (o->distinct && mf_rules_distinct(rules, mf_str_c(o->distinct), err) < 0)
		return -1;
	if (o->max_age)
		mf_rules_limit_age(rules, o->max_age);
	if (mf_rules_check(rules, err) < 0)
		return o->policy_path && !o->distinct ? mf_wrap(err, "policy '%s'", o->policy_path) : -1;
	return 0;
}

static int start_conditions(const struct mf_rules *rules, const struct mf_conditions_config *cfg,
			    const char ***programs, struct mf_conditions **out, struct mf_err *err)
{
	struct mf_conditions_config with = *cfg;
	for (size_t i = 0; i < rules->n; i++)
		with.n += rules->v[i].nwhere;
	if (!with.n)
		return 0;
	*programs = mf_calloc(with.n, sizeof **programs);
	if (!*programs)
		return mf_fail_nomem(err);
	for (size_t i = 0, at = 0; i < rules->n; i++)
		for (size_t j = 0; j < rules->v[i].nwhere; j++)
			(*programs)[at++] = rules->v[i].where[j];
	with.programs = *programs;
	*out = mf_conditions_start(&with, err);
	return *out ? 0 : -1;
}

int mf_gate_start(struct manifesto *m, const struct mf_rules *rules, const char ***programs,
		  struct mf_conditions **out, struct mf_err *err)
{
	const struct mf_conditions_config cfg = {.now = mf_env_now(&m->env), .env = &m->env};
	return start_conditions(rules, &cfg, programs, out, err);
}

static int check_options(const struct manifesto *m, const struct manifesto_verify_options *o,
			 struct mf_err *err)
{
	if (m->opt.tofu) {
		(void)mf_fail(err, MF_E_USAGE, 0, "verify never trusts on first use");
		mf_err_set_hint(err,
				"pin the root once with 'manifesto trust pin' and keep the pin with the job");
		return -1;
	}
	if (!o->nimages || o->nimages > MF_MAX_VERIFY_IMAGES)
		return mf_fail(err, MF_E_USAGE, 0, "%zu images to verify: expected from 1 to %zu", o->nimages,
			       MF_MAX_VERIFY_IMAGES);
	if (o->max_age < 0 || (o->platform && o->all_platforms))
		return mf_fail(err, MF_E_USAGE, 0,
			       "the age is negative, or one platform is given together with all of them");
	for (size_t i = 0; i < o->nimages; i++) {
		struct mf_ref ref MF_REF_CLEANUP = {0};
		if (mf_ref_parse(&ref, mf_str_c(o->images[i]), err) < 0)
			return -1;
	}
	return 0;
}

static int prepare(struct run *r, struct mf_err *err)
{
	if (check_options(r->m, r->o, err) < 0 || mf_gate_read_rules(&r->rules, r->o, err) < 0)
		return -1;
	if (r->rules.n) {
		if (mf_gate_wants(&r->rules, &r->arena, &r->wants, err) < 0)
			return -1;
		r->wants.by_subject = true;
		return mf_gate_start(r->m, &r->rules, &r->programs, &r->conditions, err);
	}
	(void)mf_fail(err, MF_E_USAGE, 0, "nothing is required: such a gate would accept everything");
	mf_err_set_hint(err, "use --require TYPE or --policy FILE");
	return -1;
}

/* ---- trust metadata, once for each repository */

/* Finds the role that a veto name stands for; every role that could list it is loaded. */
static int find_veto(const struct mf_trust *t, const char *role, const struct mf_tuf_role **out,
		     struct mf_err *err)
{
	const struct mf_tuf_loaded *by;
	struct mf_esc e;
	enum mf_named n = mf_policy_role_by_name(mf_trust_set(t), role, out, &by);
	if (n == MF_NAMES_ONE)
		return 0;
	(void)mf_fail(
	    err, MF_E_POLICY, 0,
	    n == MF_NAMES_SEVERAL
		? "veto role '%s' is ambiguous: several delegators define different roles of that name"
		: "the repository has no role '%s', which the policy names as veto",
	    mf_esc(&e, mf_str_c(role)));
	mf_err_set_hint(err, "'manifesto trust show' lists the roles");
	return -1;
}

static int check_veto_loaded(const struct mf_tuf_set *set, const char *role, const struct mf_tuf_role *listed,
			     struct mf_err *err)
{
	struct mf_esc e;
	for (size_t i = 0; i < set->nroles; i++)
		if (mf_policy_role_matches(set, set->roles[i], role))
			return 0;
	if (!mf_tuf_meta_find(set->snapshot, listed->name))
		return 0;
	return mf_fail(err, MF_E_POLICY, 0,
		       "veto role '%s' has published, but no path that its delegators may give it",
		       mf_esc(&e, mf_str_c(role)));
}

static int check_vetoes(const struct mf_rules *rules, const struct mf_trust *t, struct mf_err *err)
{
	const struct mf_tuf_role *listed;
	for (size_t i = 0; i < rules->nveto; i++)
		if (find_veto(t, rules->veto[i], &listed, err) < 0 ||
		    check_veto_loaded(mf_trust_set(t), rules->veto[i], listed, err) < 0)
			return -1;
	return 0;
}

static struct mf_str before_wildcard(struct mf_str path)
{
	size_t n = 0;
	while (n < path.n && !strchr("*?[\\", path.p[n]))
		n++;
	return (struct mf_str){path.p, n};
}

/* The prefixes with which the veto roles are loaded. A veto role counts whatever its paths are, so these are
 * the beginnings of its paths up to the first wildcard. If `targets` does not list the role, all roles are
 * loaded: otherwise a team could pass off a role of its own as the veto role. out NULL: only counts the
 * prefixes. */
static size_t paths_of_vetoes(const struct mf_rules *rules, const struct mf_trust *t, struct mf_str *out)
{
	size_t n = 0;
	for (size_t i = 0; i < rules->nveto; i++) {
		const struct mf_tuf_role *listed;
		const struct mf_tuf_loaded *by;
		bool all =
		    mf_policy_role_by_name(mf_trust_set(t), rules->veto[i], &listed, &by) != MF_NAMES_ONE ||
		    (by && by->delegation);
		for (size_t k = 0; k < (all ? 1 : listed->npaths); k++, n++)
			if (out)
				out[n] = all ? MF_STR("") : before_wildcard(listed->paths[k]);
	}
	return n;
}

enum mf_found mf_gate_load_vetoes(void *arg, struct mf_pool_trust *t, struct mf_err *err)
{
	const struct mf_rules *rules = arg;
	if (!rules->nveto)
		return MF_FOUND;
	if (!t->paths) {
		size_t n = paths_of_vetoes(rules, t->trust, NULL);
		t->paths = mf_calloc(n, sizeof *t->paths);
		if (!t->paths)
			return (enum mf_found)mf_fail_nomem(err);
		(void)paths_of_vetoes(rules, t->trust, t->paths);
		return mf_trust_widen_begin(t->trust, t->paths, n, err) < 0 ? MF_FAILED : MF_ABSENT;
	}
	enum mf_found found = mf_trust_widen_step(t->trust, err);
	return found == MF_FOUND && check_vetoes(rules, t->trust, err) < 0 ? MF_FAILED : found;
}

int mf_gate_wants(const struct mf_rules *rules, struct mf_arena *a, struct mf_load *how, struct mf_err *err)
{
	struct mf_str *v = mf_arena_alloc(a, rules->n + 1, sizeof *v, err);
	size_t n = 0;
	if (!v)
		return -1;
	for (size_t i = 0; i < rules->n + rules->has_waiver; i++) {
		const char *text =
		    mf_arena_format(a, "%s/", i < rules->n ? rules->v[i].type : MF_TYPE_WAIVER);
		v[n++] = text ? mf_str_c(text) : MF_STR("");
	}
	*how = (struct mf_load){.prefixes = v, .nprefixes = n, .subjects = mf_no_subjects};
	return mf_arena_check(a, err);
}

/* ---- one image */

static int start(void *arg, size_t i, struct mf_err *err)
{
	struct run *r = arg;
	struct slot *s = &r->slots[i % MF_VERIFY_AHEAD];
	(void)err;
	s->failed = (struct mf_err)MF_ERR_INIT;
	if (mf_image_open_by(&s->im, r->m, r->o->images[i], MF_MAPS_FOLLOW, &s->failed) < 0)
		return 0;
	mf_pool_begin(s->im.shared, &r->wants);
	(void)!mf_image_begin(&s->im, &s->failed);
	return 0;
}

static int resolve(const struct run *r, struct slot *s)
{
	const struct mf_subject_choice choice = {.platform = r->o->platform, .all = r->o->all_platforms != 0};
	return s->failed.code ||
		       (!s->subjects.n && mf_image_subjects(&s->im, choice, &s->subjects, &s->failed) < 0)
		   ? -1
		   : 0;
}

/* Loads the shards that the image needs and, in the same requests, those of the other open images of the
 * repository: one after the other, they would cost a round trip each. */
static int load_shards(struct run *r, size_t i, struct mf_err *err)
{
	const struct mf_subjects *of[MF_VERIFY_AHEAD];
	struct slot *s = &r->slots[i % MF_VERIFY_AHEAD];
	size_t n = 0;
	if (!mf_shards_lack(s->im.trust, &s->subjects))
		return 0;
	if (mf_tuf_shard_octets(mf_trust_set(s->im.trust)) > MF_MAX_VERIFY_HELD)
		mf_trust_drop_shards(s->im.trust);
	for (size_t k = i; k < r->ahead.begun; k++) {
		struct slot *other = &r->slots[k % MF_VERIFY_AHEAD];
		if (other->im.shared == s->im.shared && resolve(r, other) == 0)
			of[n++] = &other->subjects;
	}
	return mf_shards_load_ahead(s->im.trust, of, n, err);
}

/* Trust metadata are verified before the image is resolved: an attack must not be reported as an absence. */
static int evaluate_image(struct run *r, size_t i, struct mf_gate_report *rep, struct mf_err *err)
{
	struct slot *s = &r->slots[i % MF_VERIFY_AHEAD];
	if (s->failed.code) {
		*err = s->failed;
		return -1;
	}
	if (mf_pool_need(&r->pool, s->im.shared, err) < 0) {
		mf_image_hint_copy(&s->im, NULL, err);
		return -1;
	}
	if (resolve(r, s) < 0) {
		*err = s->failed;
		return -1;
	}
	if (load_shards(r, i, err) < 0 || mf_image_load_shards(&s->im, &s->subjects, err) < 0)
		return -1;
	rep->image = mf_report_image(&rep->arena, &s->im, &s->subjects.v[0].digest);
	rep->platform = r->o->platform ? mf_arena_text(&rep->arena, s->subjects.v[0].platform) : NULL;
	if (mf_arena_check(&rep->arena, err) < 0)
		return -1;
	mf_pool_weigh(s->im.shared);
	if (r->rules.forbid_tags && !s->im.ref.has_digest && mf_gate_refuse_tag(rep, err) < 0)
		return -1;
	for (size_t k = 0; k < s->subjects.n; k++)
		if (mf_gate_subject(rep, &s->subjects.v[k], err) < 0)
			return -1;
	return 0;
}

static void tally(struct run *r, const struct mf_gate_report *rep)
{
	if (!rep->nfindings)
		return;
	r->refused++;
	if (!r->status || mf_exit_graver(rep->status, r->status)) {
		r->status = rep->status;
		r->code = rep->code;
	}
}

static int finish(struct run *r, size_t i, struct mf_err *err)
{
	struct slot *s = &r->slots[i % MF_VERIFY_AHEAD];
	const char *reference = r->o->images[i];
	struct mf_gate_report rep MF_GATE_REPORT_CLEANUP = {.m = r->m,
							    .im = &s->im,
							    .rules = &r->rules,
							    .conditions = r->conditions,
							    .reference = reference,
							    .content = r->o->content != 0};
	struct mf_err failed = MF_ERR_INIT;
	if (mf_env_cancelled(&r->m->env))
		return mf_fail(err, MF_E_CANCELLED, 0, "verify was interrupted");
	if (evaluate_image(r, i, &rep, &failed) < 0) {
		if (mf_err_ends_run(&failed)) {
			*err = failed;
			return -1;
		}
		if (mf_gate_refuse(&rep, NULL, NULL, &failed, err) < 0)
			return -1;
	}
	struct manifesto_verify_item item = {
	    .reference = reference,
	    .image = rep.image,
	    .platform = rep.platform,
	    .accepted = rep.nfindings == 0,
	    .status = rep.status,
	    .requirements =
		mf_arena_list(&rep.arena, rep.requirements, rep.nrequirements, sizeof *rep.requirements),
	    .nrequirements = rep.nrequirements,
	    .findings = mf_arena_list(&rep.arena, rep.findings, rep.nfindings, sizeof *rep.findings),
	    .nfindings = rep.nfindings};
	if (mf_arena_check(&rep.arena, err) < 0)
		return -1;
	tally(r, &rep);
	if (mf_summary_add(&r->summary, &item, err) < 0)
		return -1;
	if (r->o->result && r->o->result(r->o->result_arg, &item) != 0)
		return mf_fail(err, MF_E_IO, 0, "the result callback failed");
	slot_clear(s);
	mf_pool_trim(&r->pool, MF_MAX_VERIFY_HELD);
	return 0;
}

static int verify(struct run *r, struct mf_err *err)
{
	const struct manifesto_verify_options *o = r->o;
	r->ahead = (struct mf_window){.n = o->nimages, .most = MF_VERIFY_AHEAD, .begin = start, .arg = r};
	if (prepare(r, err) < 0 || mf_summary_begin(&r->summary, r->m, &r->rules, o, err) < 0)
		return -1;
	r->m->pool = &r->pool;
	r->pool.then = mf_gate_load_vetoes;
	r->pool.then_arg = &r->rules;
	for (size_t i = 0; i < o->nimages; i++) {
		if (mf_window_reach(&r->ahead, i, err) < 0 || finish(r, i, err) < 0)
			return -1;
		mf_env_progress(&r->m->env, MF_PROGRESS_IMAGES, i + 1, o->nimages);
	}
	if (mf_summary_end(&r->summary, err) < 0) /* a graver refusal is reported instead */
		return r->refused && mf_exit_graver(mf_code_exit(r->code), mf_code_exit(err->code))
			   ? mf_recode(err, r->code)
			   : -1;
	if (!r->refused)
		return 0;
	return mf_fail(err, r->code, 0, "%zu of %zu image%s refused", r->refused, o->nimages,
		       o->nimages == 1 ? "" : "s");
}

int manifesto_verify(struct manifesto *m, const struct manifesto_verify_options *opt,
		     struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_verify_options o;
	mf_op_begin(m, error);
	if (mf_op_options(&o, sizeof o, opt, &err) < 0)
		return mf_op_fail(error, &err);
	struct run *r MF_CLEANUP(run_cleanup) = calloc(1, sizeof *r);
	if (!r) {
		(void)mf_fail_nomem(&err);
		return mf_op_fail(error, &err);
	}
	r->m = m;
	r->o = &o;
	return verify(r, &err) < 0 ? mf_op_fail(error, &err) : 0;
}

/* ---- policy check */

static int add_line(struct manifesto_policy_result *out, const char **lines, struct mf_buf *b,
		    struct mf_err *err)
{
	lines[out->nlines++] = mf_arena_text_of(mf_result_arena(out), mf_buf_str(b));
	mf_buf_reset(b);
	return mf_arena_check(mf_result_arena(out), err);
}

static int add_veto(const struct mf_rules *r, struct manifesto_policy_result *out, const char **lines,
		    struct mf_buf *b, struct mf_err *err)
{
	for (size_t i = 0; i < r->nveto; i++)
		if (mf_buf_printf(b, err, "no withdrawal by role %s, of whatever type it may sign",
				  r->veto[i]) < 0 ||
		    add_line(out, lines, b, err) < 0)
			return -1;
	return 0;
}

static int add_distinct(const struct mf_rules *r, struct manifesto_policy_result *out, const char **lines,
			struct mf_buf *b, struct mf_err *err)
{
	if (!r->ndistinct)
		return 0;
	for (size_t i = 0; i < r->ndistinct; i++)
		if (mf_buf_printf(b, err, "%s'%s'", i ? ", " : "different signers for ", r->distinct[i]) < 0)
			return -1;
	return mf_buf_addz(b, ": no key counts for two of these requirements", err) < 0
		   ? -1
		   : add_line(out, lines, b, err);
}

static int describe(const struct mf_rules *r, struct manifesto_policy_result *out, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const char **lines = mf_arena_alloc(mf_result_arena(out), r->n + r->nveto + 3, sizeof *lines, err);
	out->lines = lines;
	if (!lines)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if (mf_requirement_words(&r->v[i], &b, err) < 0 || add_line(out, lines, &b, err) < 0)
			return -1;
	if (add_distinct(r, out, lines, &b, err) < 0)
		return -1;
	if (r->forbid_tags && (mf_buf_addz(&b, "a reference that names a digest, not a tag", err) < 0 ||
			       add_line(out, lines, &b, err) < 0))
		return -1;
	if (add_veto(r, out, lines, &b, err) < 0)
		return -1;
	if (r->has_waiver &&
	    (mf_buf_addz(&b, "in place of a requirement: an unexpired ", err) < 0 ||
	     mf_requirement_words(&r->waiver, &b, err) < 0 || add_line(out, lines, &b, err) < 0))
		return -1;
	out->name = mf_arena_text(mf_result_arena(out), r->name);
	return mf_arena_check(mf_result_arena(out), err);
}

/* Do the conditions of the rules compile? */
static int check_conditions(const struct mf_rules *rules, struct mf_err *err)
{
	struct mf_env env;
	struct mf_conditions *conditions = NULL;
	const char **programs MF_FREE = NULL;
	mf_env_init(&env);
	if (start_conditions(rules, &(struct mf_conditions_config){.env = &env}, &programs, &conditions,
			     err) < 0)
		return -1;
	mf_conditions_stop(conditions);
	return 0;
}

int manifesto_policy_check(const char *path, const struct manifesto_policy_result **out,
			   struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules rules MF_RULES_CLEANUP = {0};
	struct manifesto_verify_options o = {.policy_path = path};
	*error = (struct manifesto_error){0};
	struct manifesto_policy_result *r = mf_result_new(sizeof *r, &err);
	int rc = !r || mf_gate_read_rules(&rules, &o, &err) < 0 ? -1 : describe(&rules, r, &err);
	if (rc == 0 && check_conditions(&rules, &err) < 0)
		rc = mf_wrap(&err, "policy '%s'", path);
	return MF_OP_END(rc, r, out, error, &err);
}
