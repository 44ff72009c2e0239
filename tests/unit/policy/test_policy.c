/* Who may say what, and what is then said. */
#include "fixture.h"

/* ---- questions */

static bool authorised(const struct fixture *f, const char *role, const char *type, const char *asked)
{
	const struct mf_tuf_loaded *l = mf_tuf_set_find(&f->set, role);
	assert_non_null(l);
	return mf_policy_authorised(&f->set, l, mf_str_c(type), asked);
}

static enum mf_code selected(const struct fixture *f, const char *asked, struct mf_entry *out,
			     struct mf_err *err)
{
	struct mf_digest subject = digest_of(1);
	*err = (struct mf_err)MF_ERR_INIT;
	*out = (struct mf_entry){0};
	return mf_policy_select(&f->set, MF_STR("qa"), &subject, asked, out, err) == 0 ? MF_OK : err->code;
}

/* The role whose record is given out, or NULL and *code. */
static const char *chosen(const struct fixture *f, const char *asked, enum mf_code *code)
{
	struct mf_err err;
	struct mf_entry e MF_ENTRY_CLEANUP;
	*code = selected(f, asked, &e, &err);
	return *code == MF_OK ? e.role->role : NULL;
}

static void gives(const struct fixture *f, const char *asked, const char *role)
{
	enum mf_code code;
	const char *got = chosen(f, asked, &code);
	if (!got || strcmp(got, role) != 0)
		fail_msg("%s: expected '%s', got '%s' (%s)", f->d->name, role, got ? got : "-",
			 mf_code_name(code));
}

static void refuses(const struct fixture *f, const char *asked, enum mf_code expected)
{
	enum mf_code code;
	const char *got = chosen(f, asked, &code);
	if (code != expected)
		fail_msg("%s: expected %s, got %s ('%s')", f->d->name, mf_code_name(expected),
			 mf_code_name(code), got ? got : "-");
}

#define QA_ROLE(...) ((struct role){.name = "targets/qa-team", .keys = BIT(K_QA), .paths = {__VA_ARGS__}})
#define SEC_ROLE(...) ((struct role){.name = "targets/security", .keys = BIT(K_SEC), .paths = {__VA_ARGS__}})

/* ---- authority */

struct authority {
	const char *paths[3];
	bool delegated; /* the delegation is an authority for "qa", and targets is not */
	const struct mf_dialect *only;
};

static void own_path_type_slash_gives_authority_and_nothing_else_does(void **state)
{
	static const struct authority rows[] = {
	    {{"qa/"}, true, NULL},
	    {{"qa/sha256-00"}, true, NULL},
	    {{"scan/", "qa/"}, true, NULL},
	    {{"", "qa/"}, true, NULL},
	    {{""}, false, NULL}, /* docker trust's targets/releases */
	    {{"qa"}, false, NULL},
	    {{"q"}, false, NULL},
	    {{"qa-other/"}, false, NULL},
	    {{"qa-other/", "qa"}, false, NULL},
	    {{"qa.x/"}, false, NULL},
	    {{"scan/"}, false, NULL},
	    {{"QA/"}, false, NULL},
	    {{"/qa/"}, false, NULL},
	    {{"*"}, false, &mf_dialect_tuf1},
	    {{"*/*"}, false, &mf_dialect_tuf1},
	    {{"qa*/*"}, false, &mf_dialect_tuf1},
	    {{"q?/*"}, false, &mf_dialect_tuf1},
	    {{"qa/sha256-*"}, true, &mf_dialect_tuf1},
	};
	(void)state;
	EACH_DIALECT(i)
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct fixture f FIXTURE = fixture(dialects[i]);
		const struct authority *row = &rows[k];
		if (row->only && row->only != dialects[i])
			continue;
		(void)add_role(&f, QA_ROLE(row->paths[0], row->paths[1], row->paths[2]));
		build(&f);
		if (authorised(&f, "targets/qa-team", "qa", NULL) != row->delegated ||
		    authorised(&f, "targets", "qa", NULL) == row->delegated ||
		    mf_policy_delegated(&f.set, MF_STR("qa")) != row->delegated)
			fail_msg("%s: path '%s'", f.d->name, row->paths[0]);
	}
}

static void type_must_match_whole(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		(void)add_role(&f, QA_ROLE("qa/"));
		build(&f);
		assert_false(authorised(&f, "targets/qa-team", "qa-other", NULL));
		assert_false(authorised(&f, "targets/qa-team", "q", NULL));
		assert_true(authorised(&f, "targets", "qa-other", NULL));
	}
}

static void role_that_was_asked_for_must_cover_the_type(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		(void)add_role(&f, QA_ROLE("qa/"));
		(void)add_role(&f, SEC_ROLE("scan/"));
		build(&f);
		assert_true(authorised(&f, "targets/qa-team", "qa", "qa-team"));
		assert_true(authorised(&f, "targets/qa-team", "qa", "targets/qa-team"));
		assert_false(authorised(&f, "targets/qa-team", "qa", "targets"));
		assert_false(authorised(&f, "targets/qa-team", "qa", "security"));
		assert_false(authorised(&f, "targets/security", "qa", "security"));
		/* Past a delegation, when it is said. */
		assert_true(authorised(&f, "targets", "qa", "targets"));
		assert_false(authorised(&f, "targets", "qa", "qa-team"));
	}
}

static void short_role_names_mean_those_below_targets(void **state)
{
	static const struct {
		const char *role, *asked;
		bool is;
	} rows[] = {{"targets", "targets", true},
		    {"targets/qa", "qa", true},
		    {"targets/qa", "targets/qa", true},
		    {"qa", "targets/qa", true},
		    {"qa", "qa", true},
		    {"targets/a/b", "a/b", true},
		    {"targets/a/b", "b", false},
		    {"targets/qa", "q", false},
		    {"targets/qa", "targets", false},
		    {"targets", "", false},
		    {"targets/qa", "", false},
		    {"targets", "targets/targets", false},
		    {"targets/targets", "targets", false}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (mf_role_is(rows[i].role, rows[i].asked) != rows[i].is)
			fail_msg("'%s' asked as '%s'", rows[i].role, rows[i].asked);
}

static void delegation_that_published_nothing_takes_authority_from_targets(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		struct role r = QA_ROLE("qa/");
		r.not_loaded = true;
		(void)add_role(&f, r);
		add_entry(&f, (struct entry){.role = 0, .type = "qa", .subject = 1, .blob = 1});
		build(&f);
		refuses(&f, NULL, MF_E_NOT_FOUND);
		gives(&f, "targets", "targets");
	}
}

static void nested_delegation_is_an_authority_within_its_delegator(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		size_t qa = add_role(&f, QA_ROLE("qa/"));
		size_t deep = add_role(&f, (struct role){.name = "targets/qa-team/deep",
							 .parent = qa,
							 .paths = {"qa/"},
							 .keys = BIT(K_SEC)});
		add_entry(&f, (struct entry){.role = deep, .type = "qa", .subject = 1, .blob = 1});
		build(&f);
		assert_true(authorised(&f, "targets/qa-team", "qa", NULL));
		assert_true(authorised(&f, "targets/qa-team/deep", "qa", NULL));
		assert_false(authorised(&f, "targets", "qa", NULL));
		gives(&f, NULL, "targets/qa-team/deep");
		gives(&f, "qa-team/deep", "targets/qa-team/deep");
	}
}

/* A team that may sign scans lists a role for approvals: nobody accepts it, and `targets` keeps its word. */
static void nested_delegation_outside_of_its_delegator_takes_nothing(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		size_t scan = add_role(&f, SEC_ROLE("scan/"));
		size_t evil = add_role(&f, (struct role){.name = "targets/security/evil",
							 .parent = scan,
							 .paths = {"qa/"},
							 .keys = BIT(K_QA)});
		const struct mf_tuf_role *roles[4];
		add_entry(&f, (struct entry){.role = evil, .type = "qa", .subject = 1, .blob = 2});
		add_entry(&f, (struct entry){.role = 0, .type = "qa", .subject = 1, .blob = 1});
		build(&f);
		assert_false(mf_policy_delegated(&f.set, MF_STR("qa")));
		assert_true(authorised(&f, "targets", "qa", NULL));
		assert_int_equal(mf_policy_roles(&f.set, MF_STR("qa"), roles, COUNT(roles)), 1);
		assert_string_equal(roles[0]->name, "targets");
		gives(&f, NULL, "targets");
		refuses(&f, "security/evil", MF_E_NOT_FOUND);
	}
}

static void tombstone_outside_of_its_delegator_withdraws_nothing(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		size_t scan = add_role(&f, SEC_ROLE("scan/"));
		size_t evil = add_role(&f, (struct role){.name = "targets/security/evil",
							 .parent = scan,
							 .paths = {"qa/"},
							 .keys = BIT(K_QA)});
		add_entry(&f, (struct entry){.role = evil, .type = "qa", .subject = 1, .kind = TOMBSTONE});
		add_entry(&f, (struct entry){.role = scan, .type = "qa", .subject = 1, .kind = TOMBSTONE});
		add_entry(&f, (struct entry){.role = 0, .type = "qa", .subject = 1, .blob = 1});
		build(&f);
		gives(&f, NULL, "targets");
	}
}

static void roles_of_a_type_are_its_delegations_else_targets(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		const struct mf_tuf_role *roles[4];
		struct role not_loaded = SEC_ROLE("qa/", "scan/");
		not_loaded.not_loaded = true;
		(void)add_role(&f, QA_ROLE("qa/"));
		(void)add_role(&f, not_loaded);
		build(&f);
		assert_int_equal(mf_policy_roles(&f.set, MF_STR("qa"), roles, 4), 2);
		assert_string_equal(roles[0]->name, "targets/qa-team");
		assert_string_equal(roles[1]->name, "targets/security");
		assert_int_equal(mf_policy_roles(&f.set, MF_STR("qa"), roles, 1), 1);
		assert_int_equal(mf_policy_roles(&f.set, MF_STR("scan"), roles, 4), 1);
		assert_string_equal(roles[0]->name, "targets/security");
		assert_int_equal(mf_policy_roles(&f.set, MF_STR("contact"), roles, 4), 1);
		assert_string_equal(roles[0]->name, "targets");
	}
}

static void type_longer_than_the_limit_has_no_delegation(void **state)
{
	char type[MF_MAX_TYPE + 2];
	struct fixture f FIXTURE = fixture(&mf_dialect_notary);
	(void)state;
	(void)add_role(&f, QA_ROLE("qa/"));
	build(&f);
	memset(type, 'a', sizeof type);
	assert_false(mf_policy_delegated(&f.set, (struct mf_str){type, sizeof type}));
}

/* ---- state of one record */

static void state_follows_from_description_signature_and_clock(void **state)
{
	static const struct {
		enum kind kind;
		enum mf_state state;
	} rows[] = {{SIGNED, MF_STATE_CURRENT},
		    {EXPIRES_LATER, MF_STATE_CURRENT},
		    {UNSIGNED, MF_STATE_FOREIGN},
		    {NO_CUSTOM, MF_STATE_FOREIGN},
		    {BY_STRANGER, MF_STATE_FOREIGN},
		    {OTHER_GUN, MF_STATE_FOREIGN},
		    {EXPIRES_NOW, MF_STATE_EXPIRED},
		    {EXPIRED_UNSIGNED, MF_STATE_EXPIRED},
		    {TOMBSTONE, MF_STATE_WITHDRAWN},
		    {TOMBSTONE_TYPE, MF_STATE_WITHDRAWN},
		    {FOREIGN_TOMBSTONE, MF_STATE_WITHDRAWN}};
	(void)state;
	EACH_DIALECT(i)
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct fixture f FIXTURE = fixture(dialects[i]);
		struct mf_err err = MF_ERR_INIT;
		struct mf_entries all MF_ENTRIES_CLEANUP = {0};
		add_entry(&f, (struct entry){
				  .role = 0, .type = "qa", .subject = 1, .blob = 1, .kind = rows[k].kind});
		build(&f);
		ok(mf_policy_list(&f.set, NULL, NULL, &all, &err), &err);
		assert_int_equal(all.n, 1);
		if (all.v[0].state != rows[k].state)
			fail_msg("%s: kind %d is %s", f.d->name, rows[k].kind, mf_state_name(all.v[0].state));
	}
}

static void signers_are_keys_of_the_role_that_holds_the_record(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		struct mf_err err;
		struct mf_entry e MF_ENTRY_CLEANUP;
		struct role r = QA_ROLE("qa/");
		r.keys |= BIT(K_SEC);
		size_t qa = add_role(&f, r);
		add_entry(&f, (struct entry){.role = qa, .type = "qa", .subject = 1, .blob = 1});
		build(&f);
		assert_int_equal(selected(&f, NULL, &e, &err), MF_OK);
		assert_int_equal(e.nkeys, 2);
		struct mf_digest fp = mf_pubkey_fingerprint(mf_privkey_public(f.keys[K_QA]));
		for (size_t k = 0; k < e.nkeys; k++) {
			struct mf_digest have = mf_pubkey_fingerprint(e.keys[k]);
			assert_int_equal(e.signed_by[k], mf_digest_eq(&have, &fp));
		}
	}
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(mf_state_name(MF_STATE_CURRENT), "current");
	assert_string_equal(mf_state_name(MF_STATE_FOREIGN), "foreign");
	assert_string_equal(mf_state_name(MF_STATE_EXPIRED), "expired");
	assert_string_equal(mf_state_name(MF_STATE_WITHDRAWN), "withdrawn");
}

/* ---- the choice */

/* What two authorised roles say about one image; -1: nothing. */
struct pair {
	int qa, sec;
	uint8_t qa_blob, sec_blob;
	enum mf_code code;
	const char *role;
};

static void all_authorised_roles_are_heard(void **state)
{
	static const struct pair rows[] = {
	    {-1, -1, 0, 0, MF_E_NOT_FOUND, NULL},
	    {SIGNED, -1, 1, 0, MF_OK, "targets/qa-team"},
	    {-1, SIGNED, 0, 1, MF_OK, "targets/security"},
	    {SIGNED, SIGNED, 1, 1, MF_OK, "targets/qa-team"},
	    {SIGNED, SIGNED, 1, 2, MF_E_AMBIGUOUS, NULL},
	    /* foreign: given, but the signed one of the same content is preferred */
	    {NO_CUSTOM, -1, 1, 0, MF_OK, "targets/qa-team"},
	    {NO_CUSTOM, SIGNED, 1, 1, MF_OK, "targets/security"},
	    {SIGNED, UNSIGNED, 1, 1, MF_OK, "targets/qa-team"},
	    {NO_CUSTOM, SIGNED, 1, 2, MF_E_AMBIGUOUS, NULL},
	    {UNSIGNED, NO_CUSTOM, 1, 2, MF_E_AMBIGUOUS, NULL},
	    /* withdrawn in one: blocks, whatever the other says */
	    {TOMBSTONE, -1, 3, 0, MF_E_WITHDRAWN, NULL},
	    {TOMBSTONE, SIGNED, 3, 1, MF_E_WITHDRAWN, NULL},
	    {SIGNED, TOMBSTONE, 1, 3, MF_E_WITHDRAWN, NULL},
	    {SIGNED, TOMBSTONE_TYPE, 1, 3, MF_E_WITHDRAWN, NULL},
	    {SIGNED, FOREIGN_TOMBSTONE, 1, 3, MF_E_WITHDRAWN, NULL},
	    {EXPIRES_NOW, TOMBSTONE, 1, 3, MF_E_WITHDRAWN, NULL},
	    /* expired: says nothing any more */
	    {EXPIRES_NOW, -1, 1, 0, MF_E_RECORD_EXPIRED, NULL},
	    {EXPIRED_UNSIGNED, EXPIRES_NOW, 1, 2, MF_E_RECORD_EXPIRED, NULL},
	    {EXPIRES_NOW, SIGNED, 1, 2, MF_OK, "targets/security"},
	    {SIGNED, EXPIRES_NOW, 2, 1, MF_OK, "targets/qa-team"},
	    {EXPIRES_LATER, SIGNED, 1, 1, MF_OK, "targets/qa-team"},
	    /* not understood: fails, is not passed over */
	    {NEWER, SIGNED, 1, 1, MF_E_FORMAT, NULL},
	    {SIGNED, NEWER, 1, 1, MF_E_FORMAT, NULL},
	    {SIGNED, CRITICAL, 1, 1, MF_E_FORMAT, NULL},
	};
	(void)state;
	EACH_DIALECT(i)
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct fixture f FIXTURE = fixture(dialects[i]);
		const struct pair *p = &rows[k];
		enum mf_code code;
		size_t qa = add_role(&f, QA_ROLE("qa/")), sec = add_role(&f, SEC_ROLE("qa/"));
		/* No effect: targets, and another image. */
		add_entry(&f, (struct entry){.role = 0, .type = "qa", .subject = 1, .blob = 9});
		add_entry(&f, (struct entry){.role = qa, .type = "qa", .subject = 2, .blob = 9});
		add_entry(&f, (struct entry){.role = sec, .type = "qa", .subject = 2, .kind = TOMBSTONE});
		if (p->qa >= 0)
			add_entry(&f, (struct entry){.role = qa,
						     .type = "qa",
						     .subject = 1,
						     .blob = p->qa_blob,
						     .kind = (enum kind)p->qa});
		if (p->sec >= 0)
			add_entry(&f, (struct entry){.role = sec,
						     .type = "qa",
						     .subject = 1,
						     .blob = p->sec_blob,
						     .kind = (enum kind)p->sec});
		build(&f);
		const char *role = chosen(&f, NULL, &code);
		if (code != p->code || (role != NULL) != (p->role != NULL) ||
		    (role && strcmp(role, p->role) != 0))
			fail_msg("%s: row %zu: %s, '%s'", f.d->name, k, mf_code_name(code),
				 role ? role : "-");
	}
}

static void asking_for_one_role_settles_a_disagreement(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		struct mf_err err;
		struct mf_entry e MF_ENTRY_CLEANUP;
		size_t qa = add_role(&f, QA_ROLE("qa/")), sec = add_role(&f, SEC_ROLE("qa/"));
		add_entry(&f, (struct entry){.role = qa, .type = "qa", .subject = 1, .blob = 1});
		add_entry(&f, (struct entry){.role = sec, .type = "qa", .subject = 1, .blob = 2});
		build(&f);
		assert_int_equal(selected(&f, NULL, &e, &err), MF_E_AMBIGUOUS);
		assert_non_null(strstr(err.msg, "targets/qa-team"));
		assert_non_null(strstr(err.msg, "targets/security"));
		assert_non_null(strstr(err.hint, "--role"));
		gives(&f, "qa-team", "targets/qa-team");
		gives(&f, "targets/security", "targets/security");
		refuses(&f, "nobody", MF_E_NOT_FOUND);
		refuses(&f, "targets", MF_E_NOT_FOUND);
	}
}

static void withdrawal_names_role_key_time_and_reason(void **state)
{
	struct fixture f FIXTURE = fixture(&mf_dialect_notary);
	struct mf_err err;
	struct mf_entry e MF_ENTRY_CLEANUP;
	(void)state;
	add_entry(&f, (struct entry){
			  .role = 0, .type = "qa", .subject = 1, .kind = TOMBSTONE, .created = 1767323045});
	build(&f);
	assert_int_equal(selected(&f, NULL, &e, &err), MF_E_WITHDRAWN);
	assert_non_null(strstr(err.msg, "'targets' (key "));
	assert_non_null(strstr(err.msg, ") at 2026-01-02T03:04:05Z: because"));
}

static void releases_with_the_empty_path_says_nothing(void **state)
{
	(void)state;
	struct fixture f FIXTURE = fixture(&mf_dialect_notary);
	size_t releases =
	    add_role(&f, (struct role){.name = "targets/releases", .paths = {""}, .keys = BIT(K_QA)});
	add_entry(&f, (struct entry){.role = releases, .type = "qa", .subject = 1, .blob = 2});
	add_entry(&f, (struct entry){.role = 0, .type = "qa", .subject = 1, .blob = 1});
	build(&f);
	gives(&f, NULL, "targets");
	refuses(&f, "releases", MF_E_NOT_FOUND);
}

/* ---- lists */

static void list_is_sorted_by_subject_type_and_role(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		struct mf_err err = MF_ERR_INIT;
		struct mf_entries all MF_ENTRIES_CLEANUP = {0}, one MF_ENTRIES_CLEANUP = {0},
				      role MF_ENTRIES_CLEANUP = {0};
		struct mf_digest subject = digest_of(2);
		size_t sec = add_role(&f, SEC_ROLE("qa/")), qa = add_role(&f, QA_ROLE("qa/"));
		add_entry(&f, (struct entry){.role = sec, .type = "qa", .subject = 2, .kind = TOMBSTONE});
		add_entry(&f, (struct entry){
				  .role = qa, .type = "qa", .subject = 2, .blob = 1, .kind = EXPIRES_NOW});
		add_entry(&f, (struct entry){.role = 0, .type = "contact", .subject = 2, .blob = 1});
		add_entry(&f, (struct entry){.role = qa, .type = "qa", .subject = 1, .blob = 1});
		add_entry(
		    &f, (struct entry){.role = 0, .type = "qa", .subject = 1, .blob = 1}); /* no authority */
		build(&f);
		ok(mf_policy_list(&f.set, NULL, NULL, &all, &err), &err);
		assert_int_equal(all.n, 4);
		assert_int_equal(all.v[0].subject.b[0], 1);
		assert_true(mf_str_eqz(all.v[1].type, "contact"));
		assert_string_equal(all.v[2].role->role, "targets/qa-team");
		assert_int_equal(all.v[2].state, MF_STATE_EXPIRED);
		assert_string_equal(all.v[3].role->role, "targets/security");
		assert_int_equal(all.v[3].state, MF_STATE_WITHDRAWN);
		ok(mf_policy_list(&f.set, &subject, NULL, &one, &err), &err);
		assert_int_equal(one.n, 3);
		ok(mf_policy_list(&f.set, &subject, "security", &role, &err), &err);
		assert_int_equal(role.n, 1);
		/* A survey is of the same records; of some first bytes, if that is asked. */
		struct mf_entries some MF_ENTRIES_CLEANUP = {0}, every MF_ENTRIES_CLEANUP = {0};
		bool bytes[256], only[256] = {[2] = true};
		assert_int_equal(mf_policy_tally(&f.set, bytes), 4);
		assert_true(bytes[1] && bytes[2] && !bytes[0] && !bytes[3]);
		ok(mf_policy_survey(&f.set, NULL, &every, &err), &err);
		assert_int_equal(every.n, 4);
		ok(mf_policy_survey(&f.set, only, &some, &err), &err);
		assert_int_equal(some.n, 3);
	}
}

struct walk {
	const struct mf_entries *all;
	size_t n, last;
};

static int compare_with_list(void *arg, struct mf_entry *e, struct mf_err *err)
{
	struct walk *w = arg;
	const struct mf_entry *same = &w->all->v[w->n];
	assert_true(w->n < w->all->n);
	assert_true(mf_digest_eq(&e->subject, &same->subject) && mf_str_eq(e->type, same->type));
	assert_ptr_equal(e->role, same->role);
	assert_int_equal(e->state, same->state);
	return w->n++ == w->last ? mf_fail(err, MF_E_USAGE, 0, "enough") : 0;
}

static void each_gives_what_a_list_has_until_it_is_stopped(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		struct mf_err err = MF_ERR_INIT;
		struct mf_entries all MF_ENTRIES_CLEANUP = {0};
		size_t sec = add_role(&f, SEC_ROLE("qa/")), qa = add_role(&f, QA_ROLE("qa/"));
		add_entry(&f, (struct entry){.role = sec, .type = "qa", .subject = 2, .kind = TOMBSTONE});
		add_entry(&f, (struct entry){.role = qa, .type = "qa", .subject = 2, .blob = 1});
		add_entry(&f, (struct entry){.role = 0, .type = "contact", .subject = 2, .blob = 1});
		add_entry(&f, (struct entry){.role = qa, .type = "qa", .subject = 1, .blob = 1});
		build(&f);
		ok(mf_policy_list(&f.set, NULL, NULL, &all, &err), &err);
		struct walk whole = {.all = &all, .last = SIZE_MAX}, part = {.all = &all, .last = 1};
		ok(mf_policy_each(&f.set, (struct mf_entry_filter){0}, compare_with_list, &whole, &err),
		   &err);
		assert_int_equal(whole.n, 4);
		assert_int_equal(
		    mf_policy_each(&f.set, (struct mf_entry_filter){0}, compare_with_list, &part, &err), -1);
		assert_int_equal(err.code, MF_E_USAGE);
		assert_int_equal(part.n, 2);
	}
}

static void list_passes_over_names_of_others(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		struct fixture f FIXTURE = fixture(dialects[i]);
		struct mf_err err = MF_ERR_INIT;
		struct mf_entries all MF_ENTRIES_CLEANUP = {0};
		static const char *const names[] = {"latest", "1.0", "qa", "qa/sha256-00", "x\"y", "\\"};
		for (size_t k = 0; k < COUNT(names); k++)
			add_entry(&f, (struct entry){.role = 0, .name = names[k], .kind = NO_CUSTOM});
		add_entry(&f, (struct entry){.role = 0, .type = "qa", .subject = 1, .blob = 1});
		build(&f);
		ok(mf_policy_list(&f.set, NULL, NULL, &all, &err), &err);
		assert_int_equal(all.n, 1);
	}
}

static void list_fails_on_a_record_that_is_not_understood(void **state)
{
	static const enum kind kinds[] = {NEWER, CRITICAL, SHA512_ONLY};
	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++) {
		struct fixture f FIXTURE = fixture(&mf_dialect_notary);
		struct mf_err err = MF_ERR_INIT;
		struct mf_entries all MF_ENTRIES_CLEANUP = {0};
		struct mf_digest other = digest_of(2);
		add_entry(&f,
			  (struct entry){.role = 0, .type = "qa", .subject = 1, .blob = 1, .kind = kinds[k]});
		add_entry(&f, (struct entry){.role = 0, .type = "qa", .subject = 2, .blob = 1});
		build(&f);
		assert_int_equal(mf_policy_list(&f.set, NULL, NULL, &all, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		assert_int_equal(all.n, 0);
		/* Other images do not suffer from it. */
		mf_err_clear(&err);
		ok(mf_policy_list(&f.set, &other, NULL, &all, &err), &err);
		assert_int_equal(all.n, 1);
	}
}

/* ---- roles that are spread over shards */

/* A fixture whose QA role has shard 0, by the keys of the role. */
static struct fixture sharded(const struct mf_dialect *d, size_t *shard)
{
	struct fixture f = fixture(d);
	bool tuf1 = d == &mf_dialect_tuf1;
	size_t qa = add_role(&f, QA_ROLE("qa/"));
	*shard = add_role(&f, (struct role){.name = tuf1 ? "targets/qa-team._h0" : "targets/qa-team/_h0",
					    .parent = qa,
					    .keys = BIT(K_QA),
					    .paths = {tuf1 ? "qa/sha256-0*" : "qa/sha256-0"}});
	return f;
}

static void record_of_a_shard_is_its_roles(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		const struct mf_tuf_role *roles[4], *role;
		const struct mf_tuf_loaded *by;
		size_t shard;
		struct fixture f FIXTURE = sharded(dialects[i], &shard);
		add_entry(&f, (struct entry){.role = shard, .type = "qa", .subject = 1, .blob = 1});
		build(&f);
		gives(&f, NULL, "targets/qa-team");
		gives(&f, "qa-team", "targets/qa-team");
		assert_int_equal(mf_policy_roles(&f.set, MF_STR("qa"), roles, 4), 1);
		assert_string_equal(roles[0]->name, "targets/qa-team");
		assert_int_equal(mf_policy_role_by_name(&f.set, f.roles[shard].name, &role, &by), 0);
	}
}

static void shard_holds_only_what_its_digits_cover(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		size_t shard;
		struct fixture f FIXTURE = sharded(dialects[i], &shard);
		bool tuf1 = dialects[i] == &mf_dialect_tuf1;
		f.roles[shard].name = tuf1 ? "targets/qa-team._h1" : "targets/qa-team/_h1";
		f.roles[shard].paths[0] = tuf1 ? "qa/sha256-1*" : "qa/sha256-1";
		add_entry(&f, (struct entry){.role = shard, .type = "qa", .subject = 1, .blob = 1});
		build(&f);
		refuses(&f, NULL, MF_E_NOT_FOUND);
	}
}

static size_t listed(const struct fixture *f)
{
	struct mf_entries all MF_ENTRIES_CLEANUP = {0};
	struct mf_err err = MF_ERR_INIT;
	ok(mf_policy_list(&f->set, NULL, NULL, &all, &err), &err);
	return all.n;
}

/* Both ways: what a role publishes in its own file is what it says now. */
static void own_file_of_a_role_goes_before_its_shards(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	for (int lifted = 0; lifted < 2; lifted++) {
		size_t shard;
		struct fixture f FIXTURE = sharded(dialects[i], &shard);
		add_entry(&f, (struct entry){.role = shard,
					     .type = "qa",
					     .subject = 1,
					     .blob = 1,
					     .kind = lifted ? TOMBSTONE : SIGNED});
		add_entry(&f, (struct entry){.role = shard - 1,
					     .type = "qa",
					     .subject = 1,
					     .blob = 2,
					     .kind = lifted ? SIGNED : TOMBSTONE});
		build(&f);
		if (lifted)
			gives(&f, NULL, "targets/qa-team");
		else
			refuses(&f, NULL, MF_E_WITHDRAWN);
		assert_int_equal(listed(&f), 1);
	}
}

static void tally_marks_what_a_shard_that_is_not_loaded_may_hold(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		size_t shard;
		bool bytes[256];
		struct fixture f FIXTURE = sharded(dialects[i], &shard);
		add_entry(&f, (struct entry){.role = shard, .type = "qa", .subject = 1, .blob = 1});
		build(&f);
		assert_int_equal(mf_policy_tally(&f.set, bytes), 1);
		assert_true(bytes[1] && !bytes[0] && !bytes[2]);
		f.set.nroles--; /* the shard, whose digit is 0 */
		assert_true(mf_policy_tally(&f.set, bytes) == SIZE_MAX);
		for (size_t b = 0; b < 256; b++)
			assert_int_equal(bytes[b], b < 16);
		f.set.nroles++;
	}
}

/* Also where its path names a type that `targets` has delegated. */
static void shard_of_targets_is_targets(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	for (int delegated = 0; delegated < 2; delegated++) {
		struct fixture f FIXTURE = fixture(dialects[i]);
		bool tuf1 = dialects[i] == &mf_dialect_tuf1;
		size_t shard = add_role(&f, (struct role){.name = tuf1 ? "targets._h0" : "targets/_h0",
							  .keys = BIT(K_TARGETS),
							  .paths = {tuf1 ? "qa/sha256-0*" : "qa/sha256-0"}});
		add_entry(&f, (struct entry){.role = shard, .type = "qa", .subject = 1, .blob = 1});
		if (delegated)
			add_role(&f, QA_ROLE("qa/"));
		build(&f);
		if (delegated)
			refuses(&f, NULL, MF_E_NOT_FOUND);
		else
			gives(&f, NULL, "targets");
		gives(&f, "targets", "targets");
	}
}

/* Whoever writes the role's file may list further keys for its shard. */
static void shard_adds_no_signers_to_its_role(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	{
		size_t shard;
		struct fixture f FIXTURE = sharded(dialects[i], &shard);
		struct mf_err err = MF_ERR_INIT;
		struct mf_entries all MF_ENTRIES_CLEANUP = {0};
		f.roles[shard].keys |= BIT(K_STRANGER);
		add_entry(&f, (struct entry){
				  .role = shard, .type = "qa", .subject = 1, .blob = 1, .kind = BY_STRANGER});
		build(&f);
		ok(mf_policy_list(&f.set, NULL, NULL, &all, &err), &err);
		assert_int_equal(all.n, 1);
		assert_int_equal(all.v[0].state, MF_STATE_FOREIGN);
		assert_int_equal(all.v[0].nkeys, 1);
	}
}

static void veto_in_a_shard_counts_for_nothing(void **state)
{
	(void)state;
	EACH_DIALECT(i)
	for (int in_shard = 0; in_shard < 2; in_shard++) {
		size_t shard;
		struct mf_entry e MF_ENTRY_CLEANUP = {0};
		struct mf_err err = MF_ERR_INIT;
		struct mf_digest subject = digest_of(1);
		struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
		struct fixture f FIXTURE = sharded(dialects[i], &shard);
		ok(mf_veto_name(&name, in_shard ? MF_STR("veto") : MF_STR("qa"), MF_STR("scan"), &subject,
				&err),
		   &err);
		add_entry(&f, (struct entry){.role = in_shard ? shard : shard - 1,
					     .type = "qa",
					     .subject = 1,
					     .name = mf_buf_str(&name).p,
					     .veto = "scan"});
		build(&f);
		assert_int_equal(mf_policy_find_veto(&f.set, f.set.roles[in_shard ? 2 : 1], MF_STR("scan"),
						     &subject, &e, &err),
				 in_shard ? MF_ABSENT : MF_FOUND);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(own_path_type_slash_gives_authority_and_nothing_else_does),
	    cmocka_unit_test(type_must_match_whole),
	    cmocka_unit_test(role_that_was_asked_for_must_cover_the_type),
	    cmocka_unit_test(short_role_names_mean_those_below_targets),
	    cmocka_unit_test(delegation_that_published_nothing_takes_authority_from_targets),
	    cmocka_unit_test(nested_delegation_is_an_authority_within_its_delegator),
	    cmocka_unit_test(nested_delegation_outside_of_its_delegator_takes_nothing),
	    cmocka_unit_test(tombstone_outside_of_its_delegator_withdraws_nothing),
	    cmocka_unit_test(roles_of_a_type_are_its_delegations_else_targets),
	    cmocka_unit_test(type_longer_than_the_limit_has_no_delegation),
	    cmocka_unit_test(state_follows_from_description_signature_and_clock),
	    cmocka_unit_test(signers_are_keys_of_the_role_that_holds_the_record),
	    cmocka_unit_test(states_have_names),
	    cmocka_unit_test(all_authorised_roles_are_heard),
	    cmocka_unit_test(asking_for_one_role_settles_a_disagreement),
	    cmocka_unit_test(withdrawal_names_role_key_time_and_reason),
	    cmocka_unit_test(releases_with_the_empty_path_says_nothing),
	    cmocka_unit_test(list_is_sorted_by_subject_type_and_role),
	    cmocka_unit_test(each_gives_what_a_list_has_until_it_is_stopped),
	    cmocka_unit_test(list_passes_over_names_of_others),
	    cmocka_unit_test(list_fails_on_a_record_that_is_not_understood),
	    cmocka_unit_test(record_of_a_shard_is_its_roles),
	    cmocka_unit_test(shard_holds_only_what_its_digits_cover),
	    cmocka_unit_test(own_file_of_a_role_goes_before_its_shards),
	    cmocka_unit_test(tally_marks_what_a_shard_that_is_not_loaded_may_hold),
	    cmocka_unit_test(shard_of_targets_is_targets),
	    cmocka_unit_test(shard_adds_no_signers_to_its_role),
	    cmocka_unit_test(veto_in_a_shard_counts_for_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
