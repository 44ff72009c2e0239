/* A role that is spread over shards: which files a change writes, and where its records lie. */
#include "team.h"

#include "publish/proposal.h"

/* In place of the library's: divided behind four records. */
const size_t mf_publish_shard_records = 4;

#define HASHES                                                                                               \
	"\"hashes\":{\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"},"      \
	"\"length\":1}"
#define RECORD "{" HASHES
#define WITHDRAWAL "{\"custom\":{\"manifesto\":{\"v\":1,\"withdrawn\":[]}}," HASHES

/* The name of a record whose subject begins with these digits. */
static struct mf_str name_of(const char *type, const char *digits)
{
	static char names[32][96];
	static size_t next;
	char *out = names[next++ % 32];
	(void)snprintf(out, sizeof names[0], "%s/sha256-%s%0*d", type, digits, (int)(64 - strlen(digits)), 0);
	return mf_str_c(out);
}

static void put(struct team *t, const char *role, struct mf_str name, const char *entry)
{
	const struct mf_tuf_edit edit = {name, mf_str_c(entry)};
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	ok(publish_change(t->w.trust, (struct mf_publish_change){.role = role, .edits = &edit, .nedits = 1},
			  &version, &err),
	   &err);
}

/* The file that a reader finds the name in; "": none. */
static const char *place(struct team *t, const char *role, struct mf_str name)
{
	size_t at;
	assert_int_equal(load_how(&t->w, false, ""), MF_OK);
	const struct mf_tuf_loaded *l = mf_tuf_set_find_target(mf_trust_set(t->w.trust), role, name, &at);
	return l ? mf_tuf_loaded_name(l) : "";
}

static int64_t version_of(struct team *t, const char *file)
{
	assert_int_equal(load_how(&t->w, false, ""), MF_OK);
	const struct mf_tuf_loaded *l = mf_tuf_set_find_file(mf_trust_set(t->w.trust), file);
	return l ? l->file->version : 0;
}

static const char *const digits[] = {"1", "3", "5", "7", "9"};

static void divide(struct team *t, const char *role, const char *type)
{
	for (size_t i = 0; i < 5; i++)
		put(t, role, name_of(type, digits[i]), RECORD);
}

static void a_file_is_divided_behind_its_limit(void **state)
{
	struct team t;
	team_make(&t, state);
	for (size_t i = 0; i < 4; i++)
		put(&t, "targets", name_of("note", digits[i]), RECORD);
	assert_string_equal(place(&t, "targets", name_of("note", "1")), "targets");
	put(&t, "targets", name_of("note", "9"), RECORD);
	for (size_t i = 0; i < 5; i++) {
		char want[32];
		(void)snprintf(want, sizeof want, "targets._h%s", digits[i]);
		assert_string_equal(place(&t, "targets", name_of("note", digits[i])), want);
	}
	assert_int_equal(mf_trust_set(t.w.trust)->nroles, 17);
	assert_int_equal(mf_trust_set(t.w.trust)->roles[0]->file->ntargets, 0);
	team_drop(&t);
}

static void a_change_writes_the_shard_of_its_subject(void **state)
{
	struct team t;
	team_make(&t, state);
	divide(&t, "targets", "note");
	watch(&t);
	put(&t, "targets", name_of("note", "31"), RECORD);
	assert_string_equal(order, "targets._h3 snapshot timestamp");
	put(&t, "targets", name_of("other", "31"), RECORD); /* a type that is new to the shards' paths */
	assert_string_equal(order, "targets._h3 targets snapshot timestamp");
	put(&t, "targets", name_of("note", "31"), "");
	assert_string_equal(order, "targets._h3 snapshot timestamp");
	assert_string_equal(place(&t, "targets", name_of("note", "31")), "");
	assert_string_equal(place(&t, "targets", name_of("other", "31")), "targets._h3");
	team_drop(&t);
}

static void only_the_shard_of_the_subject_is_loaded(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	team_make(&t, state);
	divide(&t, "targets", "note");
	int64_t before = version_of(&t, "targets._h3"), version;
	reopen(&t.w);
	ok(mf_trust_load(t.w.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN, .subjects = mf_no_subjects},
			 &err),
	   &err);
	const struct mf_tuf_edit edit = {name_of("note", "32"), MF_STR(RECORD)};
	struct mf_publish_change c = {.role = "targets", .edits = &edit, .nedits = 1};
	const struct mf_publish_intent in = {
	    .prefix = MF_STR(""), .subjects = mf_no_subjects, .fill = fill_as_given, .arg = &c};
	ok(mf_publish_run(t.w.trust, &in, &version, &err), &err);
	assert_int_equal(version, before + 1);
	assert_int_equal(mf_trust_set(t.w.trust)->nroles, 2);
	assert_string_equal(place(&t, "targets", name_of("note", "3")), "targets._h3");
	assert_string_equal(place(&t, "targets", name_of("note", "32")), "targets._h3");
	team_drop(&t);
}

static void a_shard_is_divided_further(void **state)
{
	static const char *const more[] = {"30", "31", "32", "33", "34"};
	struct team t;
	team_make(&t, state);
	divide(&t, "targets", "note");
	for (size_t i = 0; i < 5; i++)
		put(&t, "targets", name_of("other", more[i]), RECORD);
	assert_string_equal(place(&t, "targets", name_of("note", "3")), "targets._h30");
	assert_string_equal(place(&t, "targets", name_of("other", "34")), "targets._h34");
	assert_string_equal(place(&t, "targets", name_of("note", "5")), "targets._h5");
	assert_null(mf_tuf_set_find_file(mf_trust_set(t.w.trust), "targets._h3"));
	assert_non_null(mf_tuf_meta_find(mf_trust_set(t.w.trust)->snapshot, "targets._h3"));
	team_drop(&t);
}

/* How the role's own file lists a shard: the number of its paths; -1: not at all. */
static int paths_of(struct team *t, const char *name)
{
	assert_int_equal(load_how(&t->w, false, ""), MF_OK);
	const struct mf_tuf_file *f = mf_trust_set(t->w.trust)->roles[0]->file;
	for (size_t i = 0; i < f->nroles; i++)
		if (strcmp(f->roles[i].name, name) == 0)
			return (int)f->roles[i].npaths;
	return -1;
}

/* Where only the versions of files conflict, whoever writes into a shard that is being divided must lose. */
static void a_shard_that_is_divided_has_one_more_version(void **state)
{
	static const char *const more[] = {"31", "32", "33", "34"};
	struct team t;
	team_make(&t, state);
	divide(&t, "targets", "note");
	for (size_t i = 0; i < 3; i++)
		put(&t, "targets", name_of("note", more[i]), RECORD);
	int64_t before = version_of(&t, "targets._h3");
	watch(&t);
	put(&t, "targets", name_of("note", more[3]), RECORD);
	assert_true(strncmp(order, "targets._h3 targets._h30 ", 25) == 0);
	assert_int_equal(paths_of(&t, "targets._h3"), 0);
	assert_int_equal(paths_of(&t, "targets._h33"), 1);
	const struct mf_tuf_set *set = mf_trust_set(t.w.trust);
	assert_int_equal(mf_tuf_meta_find(set->snapshot, "targets._h3")->version, before + 1);
	put(&t, "targets", name_of("other", "5"), RECORD); /* the list changes */
	assert_int_equal(paths_of(&t, "targets._h3"), -1);
	assert_string_equal(place(&t, "targets", name_of("note", "3")), "targets._h30");
	team_drop(&t);
}

static void withdrawals_and_other_names_lie_in_the_own_file(void **state)
{
	struct team t;
	team_make(&t, state);
	divide(&t, "targets", "note");
	put(&t, "targets", name_of("note", "5"), WITHDRAWAL);
	put(&t, "targets", MF_STR("note/latest"), RECORD);
	assert_string_equal(place(&t, "targets", name_of("note", "5")), "targets");
	assert_int_equal(mf_tuf_set_find_file(mf_trust_set(t.w.trust), "targets._h5")->file->ntargets, 0);
	assert_string_equal(place(&t, "targets", MF_STR("note/latest")), "targets");
	put(&t, "targets", name_of("note", "5"), RECORD);
	assert_string_equal(place(&t, "targets", name_of("note", "5")), "targets._h5");
	assert_int_equal(mf_trust_set(t.w.trust)->roles[0]->file->ntargets, 1);
	team_drop(&t);
}

static void shards_follow_the_keys_of_their_role(void **state)
{
	struct team t;
	team_make(&t, state);
	struct mf_pubkey *const both[] = {t.alice, t.bob};
	does(&t, add("qa", both, 2), 1);
	divide(&t, "qa", "qa");
	assert_string_equal(place(&t, "qa", name_of("qa", "7")), "qa._h7");
	int64_t before = version_of(&t, "qa._h7");
	does(&t, drop("qa", &t.alice, 1), 1);
	assert_true(told(&t, "signed anew"));
	assert_string_equal(place(&t, "qa", name_of("qa", "7")), "qa._h7");
	assert_int_equal(version_of(&t, "qa._h7"), before + 1);
	/* A key that comes changes nothing before it signs. */
	does(&t, add("qa", &t.carol, 1), 1);
	assert_int_equal(version_of(&t, "qa._h7"), before + 1);
	t.w.cfg.key_name = "carol";
	put(&t, "qa", name_of("qa", "71"), RECORD);
	assert_int_equal(version_of(&t, "qa._h7"), before + 2);
	assert_string_equal(place(&t, "qa", name_of("qa", "71")), "qa._h7");
	team_drop(&t);
}

/* The lowest number of signatures of a shard of qa, as long as its file lists them all with this threshold;
 * else 0. */
static size_t signatures(struct team *t, int64_t threshold)
{
	size_t least = SIZE_MAX;
	assert_int_equal(load_how(&t->w, false, ""), MF_OK);
	const struct mf_tuf_set *s = mf_trust_set(t->w.trust);
	const struct mf_tuf_file *own = mf_tuf_set_find(s, "qa")->file;
	for (size_t i = 0; i < own->nroles; i++)
		least = own->roles[i].threshold == threshold ? least : 0;
	for (size_t i = 0; i < s->nroles; i++)
		if (s->roles[i]->shard && s->roles[i]->file->nsignatures < least)
			least = s->roles[i]->file->nsignatures;
	return least;
}

static void shards_have_the_threshold_of_their_role(void **state)
{
	struct team t;
	team_make(&t, state);
	struct mf_pubkey *const both[] = {t.alice, t.bob}, *const all[] = {t.alice, t.bob, t.carol};
	struct mf_role_request r = add("qa", both, 2);
	r.threshold = 2;
	does(&t, r, 1);
	divide(&t, "qa", "qa");
	assert_string_equal(place(&t, "qa", name_of("qa", "7")), "qa._h7");
	assert_int_equal(signatures(&t, 2), 2);
	r.keys = all;
	r.nkeys = 3;
	r.threshold = 3;
	int64_t before = version_of(&t, "qa._h7");
	does(&t, r, 1);
	assert_int_equal(version_of(&t, "qa._h7"), before + 1);
	assert_int_equal(signatures(&t, 3), 3);
	/* Lowered, what is there holds; the next change of the role lists it. */
	r.threshold = 1;
	does(&t, r, 1);
	assert_int_equal(version_of(&t, "qa._h7"), before + 1);
	put(&t, "qa", name_of("qa", "71"), RECORD);
	assert_int_equal(signatures(&t, 1), 1);
	team_drop(&t);
}

static enum mf_found propose(struct team *t, const struct mf_publish_change *c, struct mf_proposal *p,
			     struct mf_err *err)
{
	int64_t version;
	p->created = mf_env_now(t->w.cfg.env);
	p->expires = p->created + 86400;
	p->image = "IMAGE";
	const struct mf_publish_intent in = {.prefix = MF_STR(""),
					     .end = MF_PUBLISH_PROPOSE,
					     .proposal = p,
					     .fill = fill_as_given,
					     .arg = (void *)(uintptr_t)c};
	return mf_publish_run(t->w.trust, &in, &version, err);
}

/* Proposes to sign the role, and publishes that. */
static void sign_by_proposal(struct team *t, const char *role, struct mf_proposal *p)
{
	const struct mf_role_request r = {.verb = MF_ROLE_SIGN, .role = role};
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	p->created = t->w.now;
	p->expires = p->created + 86400;
	p->image = "IMAGE";
	ok(run_all(t, (struct mf_role_change){.requests = &r, .n = 1, .proposal = p}, &err), &err);
	const struct mf_publish_intent in = {
	    .prefix = MF_STR(""), .proposal = p, .fill = mf_proposal_fill, .arg = p};
	assert_int_equal(mf_publish_run(t->w.trust, &in, &version, &err), MF_FOUND);
}

static void a_large_role_is_signed_in_several_proposals(void **state)
{
	static char names[80][96];
	struct mf_tuf_edit edits[80];
	struct team t;
	struct mf_proposal first MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT},
				 second MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	team_make(&t, state);
	does(&t, add("qa", &t.alice, 1), 1);
	put(&t, "qa", name_of("qa", "05"), RECORD);
	for (size_t i = 0; i < 80; i++) {
		(void)snprintf(names[i], sizeof names[i], "qa/sha256-%zx%zx%062d", i / 5, i % 5, 0);
		edits[i] = (struct mf_tuf_edit){mf_str_c(names[i]), MF_STR(RECORD)};
	}
	ok(publish_change(t.w.trust, (struct mf_publish_change){.role = "qa", .edits = edits, .nedits = 80},
			  &version, &err),
	   &err);
	int64_t before = version_of(&t, "qa._hff");
	t.w.now += 40 * 86400;
	sign_by_proposal(&t, "qa", &first);
	assert_int_equal(first.nfiles, MF_MAX_PROPOSAL_FILES);
	assert_null(mf_proposal_find(&first, "qa._hff"));
	assert_int_equal(version_of(&t, "qa._hff"), before);
	t.w.now += 40 * 86400;
	sign_by_proposal(&t, "qa", &second);
	assert_non_null(mf_proposal_find(&second, "qa._hff"));
	assert_int_equal(version_of(&t, "qa._hff"), before + 1);
	team_drop(&t);
}

/* Five records of one byte divide its files down to the last digit; those of each byte make 4,096 files. */
static void a_proposal_of_too_many_files_is_refused(void **state)
{
	static char names[5 * 256][96];
	static struct mf_tuf_edit edits[5 * 256];
	struct team t;
	struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	struct mf_err err = MF_ERR_INIT;
	team_make(&t, state);
	for (size_t i = 0; i < 5 * 256; i++) {
		(void)snprintf(names[i], sizeof names[i], "note/sha256-%03zx%061d", 3 * i, 0);
		edits[i] = (struct mf_tuf_edit){mf_str_c(names[i]), MF_STR(RECORD)};
	}
	struct mf_publish_change c = {.role = "targets", .edits = edits, .nedits = 5};
	ok(propose(&t, &c, &p, &err), &err);
	assert_true(p.nfiles > 16);
	mf_proposal_clear(&p);
	c.nedits = 5 * 256;
	assert_int_equal(propose(&t, &c, &p, &err), MF_FAILED);
	assert_int_equal(err.code, MF_E_USAGE);
	assert_null(p.tree);
	team_drop(&t);
}

static void versions_go_on_in_a_role_that_comes_again(void **state)
{
	struct team t;
	team_make(&t, state);
	does(&t, add("qa", &t.alice, 1), 1);
	divide(&t, "qa", "qa");
	put(&t, "qa", name_of("qa", "71"), RECORD);
	int64_t before = version_of(&t, "qa._h7");
	struct mf_role_request r = drop("qa", NULL, 0);
	r.force = true;
	does(&t, r, 1);
	does(&t, add("qa", &t.alice, 1), 1);
	assert_string_equal(place(&t, "qa", name_of("qa", "7")), "");
	divide(&t, "qa", "qa");
	assert_true(version_of(&t, "qa._h7") > before);
	team_drop(&t);
}

static const char *entry_of(struct team *t, struct mf_str name)
{
	size_t at;
	assert_int_equal(load_how(&t->w, false, ""), MF_OK);
	const struct mf_tuf_loaded *l =
	    mf_tuf_set_find_target(mf_trust_set(t->w.trust), "targets", name, &at);
	if (!l)
		return "none";
	struct mf_str value = mf_tuf_target_value(l->file, at);
	return memmem(value.p, value.n, "other", 5) ? "other" : "first";
}

/* Replaces the record of 1, removes that of 2, and adds four more beside those of 3 and 4. */
static void change_at_once(struct team *t, const char *type, const char *const *subjects)
{
	struct mf_tuf_edit edits[6];
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	edits[0] =
	    (struct mf_tuf_edit){name_of(type, subjects[0]), MF_STR("{\"custom\":{\"other\":1}," HASHES)};
	edits[1] = (struct mf_tuf_edit){.name = name_of(type, subjects[1])};
	for (size_t i = 2; i < 6; i++)
		edits[i] = (struct mf_tuf_edit){name_of(type, subjects[i + 2]), MF_STR(RECORD)};
	ok(publish_change(t->w.trust,
			  (struct mf_publish_change){.role = "targets", .edits = edits, .nedits = 6},
			  &version, &err),
	   &err);
	assert_string_equal(entry_of(t, name_of(type, subjects[0])), "other");
	assert_string_equal(entry_of(t, name_of(type, subjects[1])), "none");
	for (size_t i = 2; i < 8; i++)
		assert_string_equal(entry_of(t, name_of(type, subjects[i])), "first");
}

static void what_a_change_divides_it_changes_as_well(void **state)
{
	static const char *const own[] = {"1", "2", "3", "4", "5", "6", "7", "8"};
	static const char *const shard[] = {"31", "32", "33", "34", "35", "36", "37", "38"};
	struct team t;
	team_make(&t, state);
	for (size_t i = 0; i < 4; i++)
		put(&t, "targets", name_of("note", own[i]), RECORD);
	change_at_once(&t, "note", own);
	assert_string_equal(place(&t, "targets", name_of("note", "1")), "targets._h1");
	put(&t, "targets", name_of("note", "3"), "");
	for (size_t i = 0; i < 4; i++)
		put(&t, "targets", name_of("note", shard[i]), RECORD);
	change_at_once(&t, "note", shard);
	assert_string_equal(place(&t, "targets", name_of("note", "31")), "targets._h31");
	/* The last version of what was divided is as the one before it. */
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_file *last MF_TUF_FILE_CLEANUP = NULL;
	ok(mf_publish_listed_file(t.w.trust, "targets._h3", &last, &err), &err);
	assert_int_equal(last->ntargets, 4);
	team_drop(&t);
}

/* A role that comes before it lists a delegation of the shard's name, with the shard's key: the file verifies
 * for both. */
static void somebody_elses_delegation_does_not_hide_a_shard(void **state)
{
	struct team t;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf id MF_BUF_CLEANUP = MF_BUF_INIT(4096), text MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	static const char *const paths[] = {"note/*"};
	team_make(&t, state);
	does(&t, add("early", &t.bob, 1), 1);
	does(&t, add("qa", &t.alice, 1), 1);
	divide(&t, "qa", "qa");
	assert_int_equal(load_how(&t.w, false, ""), MF_OK);
	const struct mf_tuf_loaded *qa = mf_tuf_set_find(mf_trust_set(t.w.trust), "qa");
	const struct mf_tuf_key *k = qa->delegation->keys[0];
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	ok(mf_json_canonicalize(k->raw, &object, &err), &err);
	ok(mf_buf_add_str(&id, k->id, &err), &err);
	const struct mf_tuf_root_key key = {mf_buf_str(&object), id.p, 0};
	const struct mf_tuf_delegation d = {
	    .name = "qa._h7", .keys = &key, .nkeys = 1, .paths = paths, .npaths = 1, .threshold = 1};
	ok(mf_tuf_build_delegations(&mf_dialect_tuf1, MF_STR(""), &d, 1, &text, &err), &err);
	const struct mf_str delegations = mf_buf_str(&text);
	int64_t version;
	ok(publish_change(t.w.trust, (struct mf_publish_change){.role = "early", .delegations = &delegations},
			  &version, &err),
	   &err);
	assert_int_equal(load_how(&t.w, false, ""), MF_OK);
	const struct mf_tuf_loaded *first = mf_tuf_set_find_file(mf_trust_set(t.w.trust), "qa._h7");
	assert_string_equal(first->parent->role, "early");
	put(&t, "qa", name_of("qa", "71"), RECORD);
	assert_string_equal(place(&t, "qa", name_of("qa", "71")), "qa._h7");
	assert_string_equal(place(&t, "qa", name_of("qa", "7")), "qa._h7");
	team_drop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_file_is_divided_behind_its_limit, tmpdir_make, tmpdir_drop),
	    cmocka_unit_test_setup_teardown(a_change_writes_the_shard_of_its_subject, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(what_a_change_divides_it_changes_as_well, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(somebody_elses_delegation_does_not_hide_a_shard, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(a_shard_that_is_divided_has_one_more_version, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(only_the_shard_of_the_subject_is_loaded, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(a_shard_is_divided_further, tmpdir_make, tmpdir_drop),
	    cmocka_unit_test_setup_teardown(withdrawals_and_other_names_lie_in_the_own_file, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(shards_follow_the_keys_of_their_role, tmpdir_make, tmpdir_drop),
	    cmocka_unit_test_setup_teardown(shards_have_the_threshold_of_their_role, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(a_large_role_is_signed_in_several_proposals, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(a_proposal_of_too_many_files_is_refused, tmpdir_make,
					    tmpdir_drop),
	    cmocka_unit_test_setup_teardown(versions_go_on_in_a_role_that_comes_again, tmpdir_make,
					    tmpdir_drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
