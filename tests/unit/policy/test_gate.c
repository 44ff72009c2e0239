/* The gate's engine: one table for each rule, each row in both dialects. */
#include "fixture.h"

#include "policy/gate.h"

#define DAY 86400
#define SUBJECT 1

enum { TARGETS, QA, SECURITY, RELEASE, RELEASES, SILENT, NROLES };

/* qa and security have two keys each; release shares one with qa; releases may sign everything; silent has
 * published nothing. */
static struct fixture world(const struct mf_dialect *d)
{
	static const struct role roles[NROLES - 1] = {
	    {.name = "targets/qa", .paths = {"qa/", "scan/"}, .keys = BIT(K_QA) | BIT(K_QA2)},
	    {.name = "targets/security",
	     .paths = {"review/", "scan/", "waiver/"},
	     .keys = BIT(K_SEC) | BIT(K_SEC2)},
	    {.name = "targets/release", .paths = {"scan/", "waiver/"}, .keys = BIT(K_QA) | BIT(K_TARGETS)},
	    {.name = "targets/releases", .paths = {""}, .keys = BIT(K_STRANGER)},
	    {.name = "targets/silent", .paths = {"scan/"}, .keys = BIT(K_SEC), .not_loaded = true},
	};
	struct fixture f = fixture(d);
	for (size_t i = 0; i < COUNT(roles); i++)
		(void)add_role(&f, roles[i]);
	return f;
}

struct row {
	const char *says;
	const char *require;
	struct entry e[4]; /* of subject 1 unless they say another; ends with one without a type */
	enum mf_gate_code want;
	size_t signers;    /* that count, where it is met */
	size_t records;    /* so do these; 0: at least one */
	const char *found; /* part of the words, where it is not */
	int64_t max_age_s;
	const char *media_type, *veto;
	unsigned original_keys;   /* bits of keys of which one must have signed the original; */
	const char *original_of;  /* for this repository, if it is given */
	int64_t original_signers; /* 0: one */
};

/* Initialisers. */
#define REC(r, t, b, k) .role = (r), .type = (t), .blob = (b), .kind = (k)
#define ROW(s, r, w) .says = (s), .require = (r), .want = (w)

static void add_entries(struct fixture *f, const struct entry *e, size_t max)
{
	for (size_t i = 0; i < max && e[i].type; i++) {
		struct entry one = e[i];
		one.subject = one.subject ? one.subject : SUBJECT;
		add_entry(f, one);
	}
	build(f);
}

static void rules_of(struct mf_rules *rules, const struct row *row)
{
	struct mf_err err = MF_ERR_INIT;
	ok(mf_rules_require(rules, mf_str_c(row->require), &err), &err);
	rules->v[0].max_age_s = row->max_age_s;
	rules->v[0].media_type = row->media_type;
	rules->veto = (const char **)(uintptr_t)&row->veto;
	rules->nveto = row->veto ? 1 : 0;
}

static void ask_for_originals(const struct fixture *f, const struct row *row, struct mf_digest keys[K_COUNT],
			      struct mf_requirement *q)
{
	q->original_keys = keys;
	q->original_signers = row->original_signers ? row->original_signers : 1;
	for (size_t i = 0; i < K_COUNT; i++)
		if (row->original_keys >> i & 1)
			keys[q->noriginal_keys++] = mf_pubkey_fingerprint(mf_privkey_public(f->keys[i]));
	q->original_repositories = (const char **)(uintptr_t)&row->original_of;
	q->noriginal_repositories = row->original_of ? 1 : 0;
}

static void judge_row(const struct mf_dialect *d, const struct row *row)
{
	struct mf_digest keys[K_COUNT];
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules rules MF_RULES_CLEANUP = {0};
	struct mf_verdict v MF_VERDICT_CLEANUP = {0};
	struct fixture f FIXTURE = world(d);
	struct mf_digest subject = digest_of(SUBJECT);
	add_entries(&f, row->e, COUNT(row->e));
	rules_of(&rules, row);
	ask_for_originals(&f, row, keys, &rules.v[0]);
	struct mf_gate g = {&f.set, &rules, &subject};
	ok(mf_gate_evaluate(&g, &rules.v[0], &v, &err), &err);
	const char *found = mf_buf_str(&v.found).p;
	if (v.code != row->want)
		fail_msg("%s: %s: expected %s, got %s: %s", d->name, row->says, mf_gate_code_name(row->want),
			 mf_gate_code_name(v.code), found);
	if (v.nsigners != row->signers || (v.code == MF_GATE_MET) != (v.records.n > 0))
		fail_msg("%s: %s: %zu signers, %zu records", d->name, row->says, v.nsigners, v.records.n);
	if (row->records && v.records.n != row->records)
		fail_msg("%s: %s: %zu records", d->name, row->says, v.records.n);
	if ((v.code == MF_GATE_MET) != (v.found.n == 0) || (row->found && !strstr(found, row->found)))
		fail_msg("%s: %s: said '%s'", d->name, row->says, found);
}

static void judge_rows(const struct row *rows, size_t n)
{
	EACH_DIALECT(i)
	for (size_t k = 0; k < n; k++)
		judge_row(dialects[i], &rows[k]);
}

static void signers_add_up_over_the_same_content_only(void **state)
{
	static const struct row rows[] = {
	    {ROW("one role, one key", "qa=qa", MF_GATE_MET), .e = {{REC(QA, "qa", 7, SIGNED)}}, .signers = 1},
	    {ROW("the role by its whole name", "qa=targets/qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)}}, .signers = 1},
	    {ROW("nothing", "qa=qa", MF_GATE_ABSENT), .found = "no record"},
	    {ROW("another subject", "qa=qa", MF_GATE_ABSENT), .e = {{REC(QA, "qa", 7, SIGNED), .subject = 2}},
	     .found = "no record"},
	    {ROW("one key where two are wanted", "qa=2 of qa", MF_GATE_SIGNERS),
	     .e = {{REC(QA, "qa", 7, SIGNED)}}, .found = "signed by "},
	    {ROW("two keys of one role", "qa=2 of qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED), .signers = BIT(K_QA) | BIT(K_QA2)}}, .signers = 2},
	    {ROW("two roles, same content", "scan=2 of qa,security", MF_GATE_MET),
	     .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 7, SIGNED)}}, .signers = 2,
	     .records = 2},
	    {ROW("two roles, different content", "scan=2 of qa,security", MF_GATE_SIGNERS),
	     .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 8, SIGNED)}},
	     .found = "role 'targets/security': sha256:08"},
	    {ROW("different content beside the one that suffices", "scan=1 of qa,security", MF_GATE_MET),
	     .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 8, SIGNED)}}, .signers = 1,
	     .records = 1},
	    {ROW("either of two roles", "scan=1 of qa,security", MF_GATE_MET),
	     .e = {{REC(SECURITY, "scan", 7, SIGNED)}}, .signers = 1},
	    {ROW("the content with more signers counts, wherever it stands", "scan=2 of qa,security,release",
		 MF_GATE_MET),
	     .e = {{REC(QA, "scan", 8, SIGNED), .signers = BIT(K_QA2)},
		   {REC(SECURITY, "scan", 7, SIGNED)},
		   {REC(RELEASE, "scan", 7, SIGNED), .signers = BIT(K_TARGETS)}},
	     .signers = 2},
	    {ROW("three where two are wanted", "scan=2 of qa,security", MF_GATE_MET),
	     .e = {{REC(QA, "scan", 7, SIGNED), .signers = BIT(K_QA) | BIT(K_QA2)},
		   {REC(SECURITY, "scan", 7, SIGNED)}},
	     .signers = 3},
	    {ROW("a role that is not named does not count", "scan=2 of qa,security", MF_GATE_SIGNERS),
	     .e = {{REC(QA, "scan", 7, SIGNED)},
		   {REC(RELEASE, "scan", 7, SIGNED), .signers = BIT(K_TARGETS)}}},
	    {ROW("another type does not count", "qa=qa", MF_GATE_ABSENT),
	     .e = {{REC(QA, "scan", 7, SIGNED)}}},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* Whoever may sign the type could add a content with more signers, so that another one is not read. */
static void under_a_condition_each_content_that_suffices_is_handed_out(void **state)
{
	static const struct {
		struct row row;
		size_t rivals;
		bool no_condition;
	} rows[] = {
	    {{ROW("one content", "scan=1 of qa,security", MF_GATE_MET),
	      .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 7, SIGNED)}}},
	     .rivals = 0},
	    {{ROW("two that suffice", "scan=1 of qa,security", MF_GATE_MET),
	      .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 8, SIGNED)}}},
	     .rivals = 1},
	    {{ROW("without a condition nobody reads them", "scan=1 of qa,security", MF_GATE_MET),
	      .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 8, SIGNED)}}},
	     .rivals = 0,
	     .no_condition = true},
	    {{ROW("the one with more signers hides nothing", "scan=1 of qa,security", MF_GATE_MET),
	      .e = {{REC(QA, "scan", 7, SIGNED)},
		    {REC(SECURITY, "scan", 8, SIGNED), .signers = BIT(K_SEC) | BIT(K_SEC2)}}},
	     .rivals = 1},
	    {{ROW("each content once", "scan=1 of qa,security,release", MF_GATE_MET),
	      .e = {{REC(QA, "scan", 7, SIGNED), .signers = BIT(K_QA) | BIT(K_QA2)},
		    {REC(SECURITY, "scan", 8, SIGNED)},
		    {REC(RELEASE, "scan", 8, SIGNED), .signers = BIT(K_QA)}}},
	     .rivals = 1},
	    {{ROW("one with too few signers does not suffice", "scan=2 of qa,security", MF_GATE_MET),
	      .e = {{REC(QA, "scan", 7, SIGNED), .signers = BIT(K_QA) | BIT(K_QA2)},
		    {REC(SECURITY, "scan", 8, SIGNED)}}},
	     .rivals = 0},
	    {{ROW("one without the originals that the policy asks for does not suffice",
		  "scan=1 of qa,security", MF_GATE_MET),
	      .e = {{REC(QA, "scan", 7, SIGNED), .originals = BIT(K_STRANGER)},
		    {REC(SECURITY, "scan", 8, SIGNED)}},
	      .original_keys = BIT(K_STRANGER)},
	     .rivals = 0},
	    {{ROW("one without a signature does not count", "scan=1 of qa,security", MF_GATE_MET),
	      .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 8, UNSIGNED)}}},
	     .rivals = 0},
	};
	(void)state;
	EACH_DIALECT(i)
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct mf_digest keys[K_COUNT];
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules rules MF_RULES_CLEANUP = {0};
		struct mf_verdict v MF_VERDICT_CLEANUP = {0};
		struct fixture f FIXTURE = world(dialects[i]);
		struct mf_digest subject = digest_of(SUBJECT);
		add_entries(&f, rows[k].row.e, COUNT(rows[k].row.e));
		rules_of(&rules, &rows[k].row);
		ask_for_originals(&f, &rows[k].row, keys, &rules.v[0]);
		if (!rows[k].no_condition)
			ok(mf_rules_where(&rules, MF_STR("scan=true"), &err), &err);
		struct mf_gate g = {&f.set, &rules, &subject};
		ok(mf_gate_evaluate(&g, &rules.v[0], &v, &err), &err);
		if (v.code != rows[k].row.want || v.rivals.n != rows[k].rivals)
			fail_msg("%s: %s: %s, %zu", dialects[i]->name, rows[k].row.says,
				 mf_gate_code_name(v.code), v.rivals.n);
		for (size_t j = 0; j < v.rivals.n; j++)
			assert_false(mf_digest_eq(&v.rivals.v[j].info.sha256, &v.records.v[0].info.sha256));
	}
}

static void a_number_that_the_roles_cannot_reach_is_said(void **state)
{
	static const struct row rows[] = {
	    {ROW("five of two", "qa=5 of qa", MF_GATE_SIGNERS), .e = {{REC(QA, "qa", 7, SIGNED)}},
	     .found = "; the role lists 2 keys, which can never be 5 signers"},
	    {ROW("and nothing is there", "qa=3 of qa", MF_GATE_ABSENT),
	     .found = "no record; the role lists 2 keys"},
	    {ROW("a key in two roles is one", "scan=5 of qa,security,release", MF_GATE_ABSENT),
	     .found = "no record"},
	    {ROW("and not one more", "scan=6 of qa,security,release", MF_GATE_ABSENT),
	     .found = "; the roles list 5 keys"},
	    {ROW("without roles: those that may sign it", "qa", MF_GATE_ABSENT), .found = "no record"},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

static void a_key_in_two_roles_counts_once(void **state)
{
	static const struct row rows[] = {
	    {ROW("the same key in two roles", "scan=2 of qa,release", MF_GATE_SIGNERS),
	     .e = {{REC(QA, "scan", 7, SIGNED), .signers = BIT(K_QA)},
		   {REC(RELEASE, "scan", 7, SIGNED), .signers = BIT(K_QA)}}},
	    {ROW("and with another it is two", "scan=2 of qa,release", MF_GATE_MET),
	     .e = {{REC(QA, "scan", 7, SIGNED), .signers = BIT(K_QA)},
		   {REC(RELEASE, "scan", 7, SIGNED), .signers = BIT(K_QA) | BIT(K_TARGETS)}},
	     .signers = 2},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

static void records_without_a_signature_that_counts_satisfy_nothing(void **state)
{
	static const struct row rows[] = {
	    {ROW("no description", "qa=qa", MF_GATE_FOREIGN), .e = {{REC(QA, "qa", 7, NO_CUSTOM)}},
	     .found = "without a signature"},
	    {ROW("no signature", "qa=qa", MF_GATE_FOREIGN), .e = {{REC(QA, "qa", 7, UNSIGNED)}}},
	    {ROW("a key that the role does not list", "qa=qa", MF_GATE_FOREIGN),
	     .e = {{REC(QA, "qa", 7, BY_STRANGER)}}},
	    {ROW("a key of another role", "qa=qa", MF_GATE_FOREIGN),
	     .e = {{REC(QA, "qa", 7, SIGNED), .signers = BIT(K_SEC)}}},
	    {ROW("made for another repository", "qa=qa", MF_GATE_FOREIGN),
	     .e = {{REC(QA, "qa", 7, OTHER_GUN)}}},
	    {ROW("without roles, too", "qa", MF_GATE_FOREIGN), .e = {{REC(QA, "qa", 7, UNSIGNED)}}},
	    {ROW("beside one that counts, over the same content", "scan=2 of qa,security", MF_GATE_SIGNERS),
	     .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 7, UNSIGNED)}},
	     .found = "role 'targets/security': a record without"},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

static void without_roles_whoever_is_authorised_counts(void **state)
{
	static const struct row rows[] = {
	    {ROW("the delegation", "qa", MF_GATE_MET), .e = {{REC(QA, "qa", 7, SIGNED)}}, .signers = 1},
	    {ROW("not targets past a delegation", "qa", MF_GATE_ABSENT),
	     .e = {{REC(TARGETS, "qa", 7, SIGNED)}}},
	    {ROW("unless it is named", "qa=targets", MF_GATE_MET), .e = {{REC(TARGETS, "qa", 7, SIGNED)}},
	     .signers = 1},
	    {ROW("targets where there is no delegation", "contact", MF_GATE_MET),
	     .e = {{REC(TARGETS, "contact", 7, SIGNED)}}, .signers = 1},
	    {ROW("not a role that may sign everything", "contact", MF_GATE_ABSENT),
	     .e = {{REC(RELEASES, "contact", 7, SIGNED)}}},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

static void a_role_that_cannot_be_meant_never_passes(void **state)
{
	static const struct row rows[] = {
	    {ROW("mistyped", "qa=qua", MF_GATE_UNKNOWN_ROLE), .e = {{REC(QA, "qa", 7, SIGNED)}},
	     .found = "no role 'qua'"},
	    {ROW("mistyped among others that suffice", "scan=1 of qa,securty", MF_GATE_UNKNOWN_ROLE),
	     .e = {{REC(QA, "scan", 7, SIGNED)}}, .found = "'securty'"},
	    {ROW("may not sign the type", "qa=security", MF_GATE_ROLE_TYPE),
	     .e = {{REC(SECURITY, "qa", 7, SIGNED)}}, .found = "may not"},
	    {ROW("may sign everything, which gives no authority", "qa=releases", MF_GATE_ROLE_TYPE),
	     .e = {{REC(RELEASES, "qa", 7, SIGNED)}}},
	    {ROW("not one of the top-level roles", "qa=snapshot", MF_GATE_UNKNOWN_ROLE),
	     .e = {{REC(QA, "qa", 7, SIGNED)}}},
	    {ROW("one that has published nothing is known", "scan=silent", MF_GATE_ABSENT),
	     .e = {{REC(QA, "scan", 7, SIGNED)}}},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

static void age_is_told_from_the_time_that_the_signer_claims(void **state)
{
	static const struct row rows[] = {
	    {ROW("young enough", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED), .created = NOW - DAY}}, .signers = 1, .max_age_s = DAY},
	    {ROW("a second too old", "qa=qa", MF_GATE_TOO_OLD),
	     .e = {{REC(QA, "qa", 7, SIGNED), .created = NOW - DAY - 1}}, .found = "made at ",
	     .max_age_s = DAY},
	    {ROW("any age where none is asked for", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED), .created = 1}}, .signers = 1},
	    {ROW("no time", "qa=qa", MF_GATE_TOO_OLD), .e = {{REC(QA, "qa", 7, SIGNED)}},
	     .found = "does not say", .max_age_s = DAY},
	    {ROW("the future where no age is asked for", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED), .created = NOW + DAY}}, .signers = 1},
	    {ROW("no time where none is asked for", "qa=qa", MF_GATE_MET), .e = {{REC(QA, "qa", 7, SIGNED)}},
	     .signers = 1},
	    {ROW("a clock a little ahead", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED), .created = NOW + MF_CLOCK_TOLERANCE_S}}, .signers = 1,
	     .max_age_s = DAY},
	    {ROW("the future", "qa=qa", MF_GATE_FROM_FUTURE),
	     .e = {{REC(QA, "qa", 7, SIGNED), .created = NOW + MF_CLOCK_TOLERANCE_S + 1}},
	     .found = "in the future", .max_age_s = DAY},
	    {ROW("the old one of two does not count", "scan=2 of qa,security", MF_GATE_SIGNERS),
	     .e = {{REC(QA, "scan", 7, SIGNED), .created = NOW},
		   {REC(SECURITY, "scan", 7, SIGNED), .created = NOW - 2 * DAY}},
	     .max_age_s = DAY},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

static void media_type_and_end_of_a_record_are_enforced(void **state)
{
	static const struct row rows[] = {
	    {ROW("the right type", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED), .media_type = "application/JSON"}}, .signers = 1,
	     .media_type = "application/json"},
	    {ROW("another type", "qa=qa", MF_GATE_MEDIA_TYPE),
	     .e = {{REC(QA, "qa", 7, SIGNED), .media_type = "text/plain"}}, .found = "'text/plain'",
	     .media_type = "application/json"},
	    {ROW("no type", "qa=qa", MF_GATE_MEDIA_TYPE), .e = {{REC(QA, "qa", 7, SIGNED)}},
	     .media_type = "application/json"},
	    {ROW("ended", "qa=qa", MF_GATE_EXPIRED), .e = {{REC(QA, "qa", 7, EXPIRES_NOW)}},
	     .found = "expired at"},
	    {ROW("ends later", "qa=qa", MF_GATE_MET), .e = {{REC(QA, "qa", 7, EXPIRES_LATER)}}, .signers = 1},
	    {ROW("one of two has ended", "scan=2 of qa,security", MF_GATE_SIGNERS),
	     .e = {{REC(QA, "scan", 7, EXPIRES_NOW)}, {REC(SECURITY, "scan", 7, SIGNED)}}},
	    {ROW("one of two has ended, and one is enough", "scan=1 of qa,security", MF_GATE_MET),
	     .e = {{REC(QA, "scan", 7, EXPIRES_NOW)}, {REC(SECURITY, "scan", 7, SIGNED)}}, .signers = 1,
	     .records = 1},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

static void withdrawal_blocks_in_every_role_that_speaks_for_the_type(void **state)
{
	static const struct row rows[] = {
	    {ROW("by the role itself", "qa=qa", MF_GATE_WITHDRAWN), .e = {{REC(QA, "qa", 7, TOMBSTONE)}},
	     .found = "because"},
	    {ROW("by one of two, the other suffices", "scan=1 of qa,security", MF_GATE_WITHDRAWN),
	     .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 8, TOMBSTONE)}},
	     .found = "targets/security"},
	    {ROW("by one that is authorised and not named", "scan=qa", MF_GATE_WITHDRAWN),
	     .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 8, TOMBSTONE)}}},
	    {ROW("without roles", "scan", MF_GATE_WITHDRAWN),
	     .e = {{REC(QA, "scan", 7, SIGNED)}, {REC(SECURITY, "scan", 8, TOMBSTONE_TYPE)}}},
	    {ROW("a mistyped role does not hide it", "scan=1 of qa,x", MF_GATE_WITHDRAWN),
	     .e = {{REC(QA, "scan", 7, TOMBSTONE)}}},
	    {ROW("by nobody who speaks for it", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)},
		   {REC(RELEASES, "qa", 8, TOMBSTONE)},
		   {REC(TARGETS, "qa", 8, TOMBSTONE)}},
	     .signers = 1},
	    {ROW("of another subject", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {REC(QA, "qa", 8, TOMBSTONE), .subject = 2}}, .signers = 1},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

static void veto_blocks_where_the_role_may_not_sign(void **state)
{
	static const struct row rows[] = {
	    {ROW("a role that may sign everything", "qa=qa", MF_GATE_VETOED),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {REC(RELEASES, "qa", 8, TOMBSTONE)}},
	     .found = "'targets/releases', which has a veto: because", .veto = "releases"},
	    {ROW("targets past a delegation", "qa=qa", MF_GATE_VETOED),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {REC(TARGETS, "qa", 8, TOMBSTONE)}}, .veto = "targets"},
	    {ROW("outside of its paths", "qa=qa", MF_GATE_VETOED),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {REC(SECURITY, "qa", 8, TOMBSTONE)}}, .veto = "security"},
	    {ROW("which counts for nobody without a veto", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {REC(SECURITY, "qa", 8, TOMBSTONE)}}, .signers = 1,
	     .veto = "releases"},
	    {ROW("a record that is none does not", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {REC(SECURITY, "qa", 8, SIGNED)}}, .signers = 1,
	     .veto = "security"},
	    {ROW("of another subject", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {REC(SECURITY, "qa", 8, TOMBSTONE), .subject = 2}},
	     .signers = 1, .veto = "security"},
	    {ROW("of another type", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {REC(SECURITY, "review", 8, TOMBSTONE)}}, .signers = 1,
	     .veto = "security"},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* Of subject 1. */
#define VETO_NAME "veto-sha256-0100000000000000000000000000000000000000000000000000000000000000"
#define VETO(r, n, t) REC(r, "review", 8, SIGNED), .name = (n), .veto = (t)

static void veto_in_a_path_of_the_roles_own_stops_what_it_may_not_sign(void **state)
{
	static const struct row rows[] = {
	    {ROW("one type", "qa=qa", MF_GATE_VETOED),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {VETO(SECURITY, "review/" VETO_NAME ".qa", "qa")}},
	     .found = "vetoed by role 'targets/security': because", .veto = "security"},
	    {ROW("all types", "qa=qa", MF_GATE_VETOED),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {VETO(SECURITY, "review/" VETO_NAME, "*")}},
	     .found = "'targets/security', for all types: because", .veto = "targets/security"},
	    {ROW("the top-level role", "qa=qa", MF_GATE_VETOED),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {VETO(TARGETS, "veto/" VETO_NAME ".qa", "qa")}},
	     .veto = "targets"},
	    {ROW("the file's signature is enough", "qa=qa", MF_GATE_VETOED),
	     .e = {{REC(QA, "qa", 7, SIGNED)},
		   {REC(SECURITY, "review", 8, UNSIGNED), .name = "review/" VETO_NAME ".qa", .veto = "qa"}},
	     .veto = "security"},
	    {ROW("without a description", "qa=qa", MF_GATE_VETOED),
	     .e = {{REC(QA, "qa", 7, SIGNED)},
		   {REC(SECURITY, "review", 8, NO_CUSTOM), .name = "review/" VETO_NAME ".qa"}},
	     .found = "vetoed by role 'targets/security'", .veto = "security"},
	    {ROW("a role that the policy does not call veto", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {VETO(SECURITY, "review/" VETO_NAME ".qa", "qa")}},
	     .signers = 1, .veto = "releases"},
	    {ROW("no policy with a veto", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {VETO(SECURITY, "review/" VETO_NAME ".qa", "qa")}},
	     .signers = 1},
	    {ROW("another type", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {VETO(SECURITY, "review/" VETO_NAME ".scan", "scan")}},
	     .signers = 1, .veto = "security"},
	    {ROW("another image", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)},
		   {VETO(SECURITY,
			 "review/veto-sha256-"
			 "02000000000000000000000000000000000000000000000000000000000000"
			 "00.qa",
			 "qa"),
		    .subject = 2}},
	     .signers = 1, .veto = "security"},
	    {ROW("below a type that is not the role's own", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED)}, {VETO(SECURITY, "qa/" VETO_NAME ".qa", "qa")}}, .signers = 1,
	     .veto = "security"},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* An entry that was moved to the place of another image or type. */
static void veto_that_speaks_of_another_image_or_type_is_no_verdict(void **state)
{
	static const struct entry moved[] = {
	    {VETO(SECURITY, "review/" VETO_NAME ".qa", "qa"), .veto_of = 2},
	    {VETO(SECURITY, "review/" VETO_NAME ".qa", "scan")},
	    {VETO(SECURITY, "review/" VETO_NAME ".qa", "*")},
	    {VETO(SECURITY, "review/" VETO_NAME, "qa")},
	    {REC(SECURITY, "review", 8, SIGNED), .name = "review/" VETO_NAME}, /* of nothing */
	};
	(void)state;
	EACH_DIALECT(i)
	for (size_t k = 0; k < COUNT(moved); k++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules rules MF_RULES_CLEANUP = {0};
		struct mf_verdict v MF_VERDICT_CLEANUP = {0};
		struct fixture f FIXTURE = world(dialects[i]);
		struct mf_digest subject = digest_of(SUBJECT);
		struct row row = {.require = "qa=qa", .veto = "security"};
		struct entry e[2] = {{REC(QA, "qa", 7, SIGNED)}, moved[k]};
		add_entries(&f, e, 2);
		rules_of(&rules, &row);
		struct mf_gate g = {&f.set, &rules, &subject};
		assert_int_equal(mf_gate_evaluate(&g, &rules.v[0], &v, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
	}
}

/* Whoever signs the snapshot could respell a name that signatures do not cover. */
static void veto_that_is_spelled_with_escapes_is_no_verdict(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules rules MF_RULES_CLEANUP = {0};
		struct mf_verdict v MF_VERDICT_CLEANUP = {0};
		struct fixture f FIXTURE = world(dialects[i]);
		struct mf_digest subject = digest_of(SUBJECT);
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
		struct entry e[2] = {{REC(QA, "qa", 7, SIGNED)},
				     {VETO(SECURITY, "review/" VETO_NAME ".qa", "qa")}};
		add_entries(&f, e, 2);
		rules_of(&rules, &(struct row){.require = "qa=qa", .veto = "security"});
		size_t role = 0;
		while (strcmp(mf_tuf_role_short(f.set.roles[role]->role), "security") != 0)
			role++;
		struct mf_tuf_loaded *l = f.set.roles[role];
		const char *old = mf_buf_str(&l->file->bytes).p, *at = strstr(old, "\"review/veto-");
		assert_non_null(at);
		ok(mf_buf_printf(&text, &err, "%.*s\"\\u0072%s", (int)(at - old), old, at + 2), &err);
		mf_tuf_file_free(l->file);
		l->file = mf_tuf_parse_unverified(f.d, MF_TUF_TARGETS, &text, &err);
		assert_non_null(l->file);
		struct mf_gate g = {&f.set, &rules, &subject};
		assert_int_equal(mf_gate_evaluate(&g, &rules.v[0], &v, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
	}
}

static void the_nearest_reason_is_the_one_reported(void **state)
{
	static const struct row rows[] = {
	    {ROW("too old before ended", "scan=1 of qa,security", MF_GATE_TOO_OLD),
	     .e = {{REC(QA, "scan", 7, EXPIRES_NOW)}, {REC(SECURITY, "scan", 7, SIGNED), .created = 1}},
	     .found = "; role ", .max_age_s = DAY},
	    {ROW("ended before foreign", "scan=1 of qa,security", MF_GATE_EXPIRED),
	     .e = {{REC(QA, "scan", 7, UNSIGNED)}, {REC(SECURITY, "scan", 7, EXPIRES_NOW)}}},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

static void a_record_that_is_not_understood_is_no_verdict(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	for (size_t veto = 0; veto < 2; veto++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules rules MF_RULES_CLEANUP = {0};
		struct mf_verdict v = {0};
		struct fixture f FIXTURE = world(dialects[i]);
		struct mf_digest subject = digest_of(SUBJECT);
		struct entry e = {REC(veto ? SECURITY : QA, "qa", 7, veto ? NEWER : CRITICAL)};
		struct row row = {.require = "qa=qa", .veto = veto ? "security" : NULL};
		add_entries(&f, &e, 1);
		rules_of(&rules, &row);
		struct mf_gate g = {&f.set, &rules, &subject};
		assert_int_equal(mf_gate_evaluate(&g, &rules.v[0], &v, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
	}
}

/* ---- waivers */

static void waivers_need_the_signers_that_the_policy_names(void **state)
{
	static const struct {
		const char *require;
		struct entry e[3];
		size_t found; /* waivers of different content */
		enum mf_gate_code end;
	} rows[] = {
	    {"waiver=security", {{REC(SECURITY, "waiver", 7, SIGNED)}}, 1, MF_GATE_ABSENT},
	    {"waiver=security", {{REC(RELEASE, "waiver", 7, SIGNED)}}, 0, MF_GATE_ABSENT},
	    {"waiver=security", {{REC(SECURITY, "waiver", 7, UNSIGNED)}}, 0, MF_GATE_FOREIGN},
	    {"waiver=security", {{REC(SECURITY, "waiver", 7, EXPIRES_NOW)}}, 0, MF_GATE_EXPIRED},
	    {"waiver=security", {{REC(SECURITY, "waiver", 7, EXPIRED_1970)}}, 0, MF_GATE_EXPIRED},
	    {"waiver=security", {{REC(SECURITY, "waiver", 7, TOMBSTONE)}}, 0, MF_GATE_WITHDRAWN},
	    {"waiver=qa", {{REC(QA, "waiver", 7, SIGNED)}}, 0, MF_GATE_ROLE_TYPE},
	    {"waiver=2 of security,release",
	     {{REC(SECURITY, "waiver", 7, SIGNED)}, {REC(RELEASE, "waiver", 7, SIGNED)}},
	     1,
	     MF_GATE_ABSENT},
	    {"waiver=2 of security,release",
	     {{REC(SECURITY, "waiver", 7, SIGNED)}, {REC(RELEASE, "waiver", 8, SIGNED)}},
	     0,
	     MF_GATE_SIGNERS},
	    {"waiver=1 of security,release",
	     {{REC(SECURITY, "waiver", 7, SIGNED)}, {REC(RELEASE, "waiver", 8, SIGNED)}},
	     2,
	     MF_GATE_ABSENT},
	};
	(void)state;
	EACH_DIALECT(i)
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules rules MF_RULES_CLEANUP = {0};
		struct fixture f FIXTURE = world(dialects[i]);
		struct mf_digest subject = digest_of(SUBJECT), seen[4];
		struct mf_gate g = {&f.set, &rules, &subject};
		enum mf_gate_code code = MF_GATE_MET;
		size_t n = 0;
		add_entries(&f, rows[k].e, COUNT(rows[k].e));
		ok(mf_rules_require(&rules, mf_str_c(rows[k].require), &err), &err);
		rules.waiver = rules.v[0];
		for (;;) {
			struct mf_verdict v MF_VERDICT_CLEANUP = {0};
			ok(mf_gate_find_waiver(&g, seen, n, &v, &err), &err);
			code = v.code;
			if (code != MF_GATE_MET)
				break;
			assert_true(n < COUNT(seen));
			seen[n++] = v.records.v[0].info.sha256;
		}
		if (n != rows[k].found || code != rows[k].end)
			fail_msg("row %zu: %zu waivers, then %s", k, n, mf_gate_code_name(code));
	}
}

static void withdrawal_and_mistakes_cannot_be_waived(void **state)
{
	static const enum mf_gate_code never[] = {MF_GATE_MET, MF_GATE_UNKNOWN_ROLE, MF_GATE_ROLE_TYPE,
						  MF_GATE_WITHDRAWN, MF_GATE_VETOED};
	(void)state;
	for (size_t c = 0; c < MF_GATE_CODES; c++) {
		bool waivable = true;
		for (size_t i = 0; i < COUNT(never); i++)
			waivable = waivable && never[i] != (enum mf_gate_code)c;
		assert_int_equal(mf_gate_waivable((enum mf_gate_code)c), waivable);
	}
}

static void every_reason_is_status_9_and_has_a_name(void **state)
{
	(void)state;
	assert_int_equal(mf_gate_error(MF_GATE_MET), MF_OK);
	for (size_t c = MF_GATE_MET + 1; c < MF_GATE_CODES; c++) {
		assert_int_equal(mf_code_exit(mf_gate_error((enum mf_gate_code)c)), 9);
		assert_non_null(mf_gate_code_name((enum mf_gate_code)c));
	}
}

/* ---- names that other teams take */

struct taken {
	const char *says, *require, *veto;
	struct role more[2];
	struct entry e;
	enum mf_gate_code want;
};

static void judge_taken(const struct taken *row)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_rules rules MF_RULES_CLEANUP = {0};
	struct mf_verdict v MF_VERDICT_CLEANUP = {0};
	struct fixture f FIXTURE = world(&mf_dialect_tuf1);
	struct mf_digest subject = digest_of(SUBJECT);
	for (size_t i = 0; i < COUNT(row->more) && row->more[i].name; i++)
		(void)add_role(&f, row->more[i]);
	add_entries(&f, &row->e, 1);
	rules_of(&rules, &(struct row){.require = row->require, .veto = row->veto});
	struct mf_gate g = {&f.set, &rules, &subject};
	ok(mf_gate_evaluate(&g, &rules.v[0], &v, &err), &err);
	if (v.code != row->want)
		fail_msg("%s: got %s: %s", row->says, mf_gate_code_name(v.code), mf_buf_str(&v.found).p);
	if (row->want != MF_GATE_UNKNOWN_ROLE)
		return;
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	assert_int_equal(mf_policy_select(&f.set, MF_STR("scan"), &subject, "lead", &e, &err), -1);
	assert_int_equal(err.code, MF_E_AMBIGUOUS);
}

#define TEAM(n, p)                                                                                           \
	{                                                                                                    \
		.name = (n), .parent = (p), .paths = {"scan/"}, .keys = BIT(K_STRANGER)                      \
	}

/* In TUF 1.0 a role may list others by any name. */
static void a_team_cannot_take_the_name_of_another(void **state)
{
	static const struct taken rows[] = {
	    {"the other spelling of it",
	     "scan=qa",
	     NULL,
	     {TEAM("qa", SECURITY)},
	     {REC(NROLES, "scan", 7, SIGNED)},
	     MF_GATE_ABSENT},
	    {"the name itself",
	     "scan=qa",
	     NULL,
	     {TEAM("targets/qa", SECURITY)},
	     {REC(NROLES, "scan", 7, SIGNED)},
	     MF_GATE_ABSENT},
	    {"of a role that may not sign the type",
	     "waiver=qa",
	     NULL,
	     {{.name = "targets/qa", .parent = SECURITY, .paths = {"waiver/"}, .keys = BIT(K_STRANGER)}},
	     {REC(NROLES, "waiver", 7, SIGNED)},
	     MF_GATE_ROLE_TYPE},
	    {"of one with a veto",
	     "scan=security",
	     "qa",
	     {TEAM("qa", SECURITY)},
	     {REC(NROLES, "scan", 7, TOMBSTONE)},
	     MF_GATE_WITHDRAWN},
	    {"of one with a veto, for what it may not sign",
	     "qa=qa",
	     "security",
	     {TEAM("security", RELEASE)},
	     {REC(NROLES, "qa", 7, TOMBSTONE)},
	     MF_GATE_ABSENT},
	    {"a name of its own counts",
	     "scan=lead",
	     NULL,
	     {TEAM("lead", SECURITY)},
	     {REC(NROLES, "scan", 7, SIGNED)},
	     MF_GATE_MET},
	    {"in either spelling",
	     "scan=targets/lead",
	     NULL,
	     {TEAM("lead", SECURITY)},
	     {REC(NROLES, "scan", 7, SIGNED)},
	     MF_GATE_MET},
	    {"a name that two teams give is nobody's",
	     "scan=lead",
	     NULL,
	     {TEAM("lead", SECURITY), TEAM("targets/lead", RELEASE)},
	     {REC(NROLES, "scan", 7, SIGNED)},
	     MF_GATE_UNKNOWN_ROLE},
	    {"one role that two list alike is one",
	     "scan=lead",
	     NULL,
	     {TEAM("lead", SECURITY), TEAM("lead", RELEASE)},
	     {REC(NROLES, "scan", 7, SIGNED)},
	     MF_GATE_MET},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		judge_taken(&rows[i]);
}

/* K_QA2 promotes as role qa, which lists K_QA as well. */
#define PROMOTED(k) REC(QA, "qa", 7, SIGNED), .signers = BIT(K_QA2), .created = NOW, .originals = (k)

static void original_signers_count_where_the_role_or_the_policy_names_them(void **state)
{
	static const struct row rows[] = {
	    {ROW("the role lists the original signer", "qa=2 of qa", MF_GATE_MET),
	     .e = {{PROMOTED(BIT(K_QA))}}, .signers = 2},
	    {ROW("it does not list a stranger", "qa=2 of qa", MF_GATE_SIGNERS),
	     .e = {{PROMOTED(BIT(K_STRANGER))}}, .found = "its original by"},
	    {ROW("who approved and promoted is one signer", "qa=2 of qa", MF_GATE_SIGNERS),
	     .e = {{PROMOTED(BIT(K_QA2))}}, .found = "signed by"},
	    {ROW("a promoter whom the role does not list promotes nothing", "qa=qa", MF_GATE_FOREIGN),
	     .e = {{REC(QA, "qa", 7, BY_STRANGER), .originals = BIT(K_QA)}}, .found = "without a signature"},
	    {ROW("an original that has expired does not count", "qa=2 of qa", MF_GATE_SIGNERS),
	     .e = {{PROMOTED(BIT(K_QA)), .original_kind = EXPIRES_NOW}}, .found = "signed by"},
	    {ROW("nor one that is too old", "qa=2 of qa", MF_GATE_SIGNERS),
	     .e = {{PROMOTED(BIT(K_QA)), .original_created = NOW - DAY}}, .max_age_s = DAY - 1,
	     .found = "signed by"},
	    {ROW("the policy names the original signer", "qa=qa", MF_GATE_MET),
	     .e = {{PROMOTED(BIT(K_STRANGER))}}, .signers = 1, .original_keys = BIT(K_STRANGER)},
	    {ROW("and another has signed", "qa=qa", MF_GATE_SIGNERS), .e = {{PROMOTED(BIT(K_STRANGER))}},
	     .original_keys = BIT(K_SEC), .found = "its original by"},
	    {ROW("the named key signed here, and no original", "qa=qa", MF_GATE_SIGNERS),
	     .e = {{REC(QA, "qa", 7, SIGNED)}}, .original_keys = BIT(K_QA), .found = "signed by"},
	    {ROW("one of two", "qa=qa", MF_GATE_MET), .e = {{PROMOTED(BIT(K_STRANGER))}}, .signers = 1,
	     .original_keys = BIT(K_SEC) | BIT(K_STRANGER)},
	    {ROW("both of two", "qa=qa", MF_GATE_SIGNERS), .e = {{PROMOTED(BIT(K_STRANGER))}},
	     .original_keys = BIT(K_SEC) | BIT(K_STRANGER), .original_signers = 2, .found = "signed by"},
	    {ROW("both have signed", "qa=qa", MF_GATE_MET), .e = {{PROMOTED(BIT(K_STRANGER) | BIT(K_SEC))}},
	     .signers = 1, .original_keys = BIT(K_SEC) | BIT(K_STRANGER), .original_signers = 2},
	    {ROW("a named original that has expired", "qa=qa", MF_GATE_SIGNERS),
	     .e = {{PROMOTED(BIT(K_STRANGER)), .original_kind = EXPIRES_NOW}},
	     .original_keys = BIT(K_STRANGER), .found = "signed by"},
	    {ROW("of the repository", "qa=qa", MF_GATE_MET), .e = {{PROMOTED(BIT(K_STRANGER))}}, .signers = 1,
	     .original_keys = BIT(K_STRANGER), .original_of = FROM},
	    {ROW("below a repository", "qa=qa", MF_GATE_MET), .e = {{PROMOTED(BIT(K_STRANGER))}},
	     .signers = 1, .original_keys = BIT(K_STRANGER), .original_of = "staging.example.com/team/*"},
	    {ROW("of another repository", "qa=qa", MF_GATE_SIGNERS), .e = {{PROMOTED(BIT(K_STRANGER))}},
	     .original_keys = BIT(K_STRANGER), .original_of = "staging.example.com/team/ap",
	     .found = "signed"},
	    {ROW("below another one", "qa=qa", MF_GATE_SIGNERS), .e = {{PROMOTED(BIT(K_STRANGER))}},
	     .original_keys = BIT(K_STRANGER), .original_of = "staging.example.com/tea/*", .found = "signed"},
	    {ROW("content of which another record is enough", "qa=qa", MF_GATE_MET),
	     .e = {{REC(QA, "qa", 7, SIGNED), .signers = BIT(K_QA2), .originals = BIT(K_STRANGER)},
		   {REC(SECURITY, "qa", 8, SIGNED)}},
	     .signers = 1, .original_keys = BIT(K_STRANGER)},
	};
	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* It was granted for another place. */
static void an_original_signature_grants_no_waiver(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct mf_err err = MF_ERR_INIT;
		struct mf_rules rules MF_RULES_CLEANUP = {0};
		struct mf_verdict v MF_VERDICT_CLEANUP = {0};
		struct fixture f FIXTURE = world(dialects[i]);
		struct mf_digest subject = digest_of(SUBJECT);
		const struct entry e = {REC(SECURITY, "waiver", 7, SIGNED), .signers = BIT(K_SEC2),
					.originals = BIT(K_SEC)};
		add_entries(&f, &e, 1);
		ok(mf_rules_require(&rules, MF_STR("waiver=2 of security"), &err), &err);
		struct mf_gate g = {&f.set, &rules, &subject};
		ok(mf_gate_evaluate(&g, &rules.v[0], &v, &err), &err);
		assert_int_equal(v.code, MF_GATE_SIGNERS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signers_add_up_over_the_same_content_only),
	    cmocka_unit_test(under_a_condition_each_content_that_suffices_is_handed_out),
	    cmocka_unit_test(a_number_that_the_roles_cannot_reach_is_said),
	    cmocka_unit_test(a_key_in_two_roles_counts_once),
	    cmocka_unit_test(records_without_a_signature_that_counts_satisfy_nothing),
	    cmocka_unit_test(without_roles_whoever_is_authorised_counts),
	    cmocka_unit_test(a_role_that_cannot_be_meant_never_passes),
	    cmocka_unit_test(age_is_told_from_the_time_that_the_signer_claims),
	    cmocka_unit_test(media_type_and_end_of_a_record_are_enforced),
	    cmocka_unit_test(withdrawal_blocks_in_every_role_that_speaks_for_the_type),
	    cmocka_unit_test(veto_blocks_where_the_role_may_not_sign),
	    cmocka_unit_test(veto_in_a_path_of_the_roles_own_stops_what_it_may_not_sign),
	    cmocka_unit_test(veto_that_speaks_of_another_image_or_type_is_no_verdict),
	    cmocka_unit_test(veto_that_is_spelled_with_escapes_is_no_verdict),
	    cmocka_unit_test(the_nearest_reason_is_the_one_reported),
	    cmocka_unit_test(a_record_that_is_not_understood_is_no_verdict),
	    cmocka_unit_test(waivers_need_the_signers_that_the_policy_names),
	    cmocka_unit_test(withdrawal_and_mistakes_cannot_be_waived),
	    cmocka_unit_test(a_team_cannot_take_the_name_of_another),
	    cmocka_unit_test(original_signers_count_where_the_role_or_the_policy_names_them),
	    cmocka_unit_test(an_original_signature_grants_no_waiver),
	    cmocka_unit_test(every_reason_is_status_9_and_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
