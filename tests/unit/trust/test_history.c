/* Old versions of roles' files: what verifies them, and what does not. */
#include "hostile.h"

#include "trust/history.h"

#define QA_NAME "qa/sha256-0700000000000000000000000000000000000000000000000000000000000000"

static const char *const state_names[] = {"ok", "not-kept", "not-read", "invalid", "dropped", "unproven"};

/* What a walk tells, a line a version: "targets 3 ok by root 1". */
struct told {
	char text[8192];
	size_t at;
	int64_t seen;
	size_t nsigners;
	bool covers; /* the last verified one may hold QA_NAME */
	int stop;    /* after so many calls; 0: never */
};

static int tell(void *arg, const struct mf_version *v, struct mf_err *err)
{
	struct told *t = arg;
	char range[48] = "";
	if (v->first != v->last)
		(void)snprintf(range, sizeof range, "-%lld", (long long)v->last);
	int n = snprintf(t->text + t->at, sizeof t->text - t->at, "%s %lld%s %s%s", v->role,
			 (long long)v->first, range, state_names[v->state], v->baseline ? " before" : "");
	t->at += (size_t)n;
	if (v->state == MF_VERSION_VERIFIED) {
		n = snprintf(t->text + t->at, sizeof t->text - t->at, " by %s %lld", v->delegator,
			     (long long)v->delegator_version);
		t->at += (size_t)n;
		assert_int_equal(v->loaded->file->version, v->last);
		assert_int_equal(v->set->nroles, 1);
		t->covers = mf_tuf_loaded_covers(v->set->d, v->loaded, MF_STR(QA_NAME));
		t->nsigners = v->nsigners;
	} else {
		assert_true(!v->loaded && !v->set);
		assert_int_equal(v->why != NULL,
				 v->state == MF_VERSION_INVALID || v->state == MF_VERSION_UNPROVEN);
		if (v->state == MF_VERSION_DROPPED)
			t->at += (size_t)snprintf(t->text + t->at, sizeof t->text - t->at, " by %s %lld",
						  v->delegator, (long long)v->delegator_version);
	}
	t->seen = v->seen;
	assert_true(t->at + 1 < sizeof t->text);
	t->text[t->at++] = '\n';
	t->text[t->at] = 0;
	return t->stop && --t->stop == 0 ? mf_fail(err, MF_E_CANCELLED, 0, "enough") : 0;
}

static struct told walk_query(struct world *w, struct mf_history_query q, enum mf_code want)
{
	struct told t = {.at = 0};
	struct mf_err err = MF_ERR_INIT;
	q.fn = tell;
	q.arg = &t;
	if (!q.limit)
		q.limit = 100;
	int rc = mf_trust_history(w->trust, &q, &err);
	if (want == MF_OK)
		ok(rc, &err);
	else
		assert_int_equal(rc, -1);
	assert_int_equal(err.code, want);
	return t;
}

static void tells(struct world *w, struct mf_history_query q, const char *want)
{
	struct told t = walk_query(w, q, MF_OK);
	assert_string_equal(t.text, want);
}

/* ---- a repository with a life */

struct life {
	struct world w;
	struct hkey root, online, other, qa, qa2;
};

static void life_make(struct life *l, void **state)
{
	world_make(&l->w, state);
	l->root = key_new();
	l->online = key_new();
	l->other = key_new();
	l->qa = key_new();
	l->qa2 = key_new();
	struct hkey *rs[] = {&l->root};
	write_root(&l->w, 1, &l->root, &l->online, rs, 1);
	pin(&l->w, &l->root.fp);
}

static void life_drop(struct life *l)
{
	key_drop(&l->root);
	key_drop(&l->online);
	key_drop(&l->other);
	key_drop(&l->qa);
	key_drop(&l->qa2);
	world_drop(&l->w);
}

static void load(struct life *l)
{
	assert_int_equal(load_how(&l->w, false, ""), MF_OK);
}

/* targets versions 1 to n by the online key. */
static void life_targets(struct life *l, int64_t n)
{
	for (int64_t v = 1; v <= n; v++)
		write_rest(&l->w, v, &l->online);
	load(l);
}

static void read_file(struct life *l, const char *name, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	char *path = mf_path_join(l->w.repo, name, NULL);
	mf_buf_clear(out);
	ok(mf_file_read(path, out->max, out, &err), &err);
	free(path);
}

static void copy_file(struct life *l, const char *from, const char *to)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	read_file(l, from, &b);
	write_in(l->w.repo, to, mf_buf_str(&b));
}

static void spoil(struct life *l, const char *name)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	read_file(l, name, &b);
	char *at = strstr(b.p, "\"expires\":\"20");
	assert_non_null(at);
	at[strlen("\"expires\":\"20")]++;
	write_in(l->w.repo, name, mf_buf_str(&b));
}

static void every_version_is_told_oldest_first(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 3);
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 ok by root 1\n");
	struct told t = walk_query(&l.w, (struct mf_history_query){0}, MF_OK);
	assert_int_equal(t.nsigners, 1);
	struct stat st;
	char *path = mf_path_join(l.w.repo, "3.targets.json", NULL);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(t.seen, st.st_mtime);
	free(path);
	life_drop(&l);
}

static void many_versions_keep_their_order(void **state)
{
	struct life l;
	char want[8192];
	size_t at = 0;
	life_make(&l, state);
	life_targets(&l, 30);
	for (int v = 1; v <= 30; v++)
		at += (size_t)snprintf(want + at, sizeof want - at, "targets %d ok by root 1\n", v);
	tells(&l.w, (struct mf_history_query){0}, want);
	life_drop(&l);
}

static void versions_that_are_not_kept_are_told_as_ranges(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 6);
	remove_in(l.w.repo, "1.targets.json");
	remove_in(l.w.repo, "2.targets.json");
	remove_in(l.w.repo, "4.targets.json");
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1-2 not-kept\ntargets 3 ok by root 1\ntargets 4 not-kept\ntargets 5 ok by root 1\n"
	      "targets 6 ok by root 1\n");
	life_drop(&l);
}

static void version_that_was_changed_is_invalid_and_the_others_hold(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 4);
	spoil(&l, "2.targets.json");
	write_in(l.w.repo, "3.targets.json", MF_STR("{}"));
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 invalid\ntargets 3 invalid\ntargets 4 ok by root 1\n");
	life_drop(&l);
}

static void version_under_the_number_of_another_is_invalid(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 4);
	copy_file(&l, "2.targets.json", "3.targets.json");
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 invalid\ntargets 4 ok by root 1\n");
	life_drop(&l);
}

static void version_that_has_expired_since_holds(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hrole r = {.role = "targets", .version = 1, .key = &l.online, .days = 1};
	write_all(&l.w, &r, 1, 1, &l.online);
	write_rest(&l.w, 2, &l.online);
	l.w.now += 2 * DAY;
	load(&l);
	tells(&l.w, (struct mf_history_query){0}, "targets 1 ok by root 1\ntargets 2 ok by root 1\n");
	life_drop(&l);
}

static void file_that_delegates_where_it_may_not_is_invalid(void **state)
{
	struct life l;
	life_make(&l, state);
	char delegations[1024];
	(void)snprintf(delegations, sizeof delegations,
		       "{\"keys\":{\"%s\":%s},\"roles\":[{\"keyids\":[\"%s\"],\"name\":\"root\",\"paths\":["
		       "\"qa/*\"],\"terminating\":false,\"threshold\":1}]}",
		       l.qa.id, l.qa.object.p, l.qa.id);
	struct hrole r = {.role = "targets", .version = 1, .key = &l.online, .delegations = delegations};
	write_all(&l.w, &r, 1, 1, &l.online);
	write_rest(&l.w, 2, &l.online);
	load(&l);
	tells(&l.w, (struct mf_history_query){0}, "targets 1 invalid\ntargets 2 ok by root 1\n");
	life_drop(&l);
}

/* ---- roots */

static void versions_are_verified_by_the_root_of_then(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hkey *rs[] = {&l.root};
	write_rest(&l.w, 1, &l.online);
	write_rest(&l.w, 2, &l.online);
	write_root(&l.w, 2, &l.root, &l.other, rs, 1);
	write_rest(&l.w, 3, &l.other);
	load(&l);
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 ok by root 2\n");
	life_drop(&l);
}

static void key_that_was_taken_away_does_not_sign_again(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hkey *rs[] = {&l.root};
	write_rest(&l.w, 1, &l.online);
	write_root(&l.w, 2, &l.root, &l.other, rs, 1);
	write_rest(&l.w, 2, &l.other);
	write_rest(&l.w, 3, &l.online);
	write_rest(&l.w, 4, &l.other);
	load(&l);
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 2\ntargets 3 invalid\ntargets 4 ok by root 2\n");
	/* Unless a later root has listed it again. */
	write_root(&l.w, 3, &l.root, &l.online, rs, 1);
	write_rest(&l.w, 5, &l.online);
	load(&l);
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 2\ntargets 3 ok by root 3\ntargets 4 "
	      "invalid\ntargets 5 ok by root 3\n");
	life_drop(&l);
}

static void old_root_that_did_not_sign_the_next_proves_nothing(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hkey evil = key_new(), *es[] = {&evil}, *rs[] = {&l.root};
	write_rest(&l.w, 1, &l.other);
	write_root(&l.w, 1, &evil, &l.other, es, 1);
	write_root(&l.w, 2, &l.root, &l.online, rs, 1);
	write_rest(&l.w, 2, &l.online);
	load(&l);
	tells(&l.w, (struct mf_history_query){0},
	      "root 1 invalid\ntargets 1 invalid\ntargets 2 ok by root 2\n");
	/* Nor does one that lists the true root key and is not signed by it. */
	write_root(&l.w, 1, &l.root, &l.other, es, 1);
	write_root(&l.w, 2, &l.root, &l.online, rs, 1);
	load(&l);
	tells(&l.w, (struct mf_history_query){0},
	      "root 1 invalid\ntargets 1 invalid\ntargets 2 ok by root 2\n");
	/* Nor another version under its name. */
	copy_file(&l, "2.root.json", "1.root.json");
	tells(&l.w, (struct mf_history_query){0},
	      "root 1 invalid\ntargets 1 invalid\ntargets 2 ok by root 2\n");
	key_drop(&evil);
	life_drop(&l);
}

static void roots_that_are_not_kept_prove_nothing_and_accuse_nobody(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hkey *rs[] = {&l.root};
	write_rest(&l.w, 1, &l.online);
	write_root(&l.w, 2, &l.root, &l.online, rs, 1);
	write_root(&l.w, 3, &l.root, &l.other, rs, 1);
	write_rest(&l.w, 2, &l.other);
	load(&l);
	remove_in(l.w.repo, "2.root.json");
	tells(&l.w, (struct mf_history_query){0},
	      "root 1-2 not-kept\ntargets 1 unproven\ntargets 2 ok by root 3\n");
	/* What is no metadata at all needs no root to be known as such. */
	write_in(l.w.repo, "1.targets.json", MF_STR("{}"));
	tells(&l.w, (struct mf_history_query){0},
	      "root 1-2 not-kept\ntargets 1 invalid\ntargets 2 ok by root 3\n");
	life_drop(&l);
}

static void walk_back_over_roots_has_an_end(void **state)
{
	struct life l;
	life_make(&l, state);
	struct hkey *rs[] = {&l.root};
	for (int64_t v = 2; v <= MF_MAX_ROOT_STEPS; v++)
		write_root(&l.w, v, &l.root, &l.online, rs, 1);
	life_targets(&l, 1);
	for (int64_t v = MF_MAX_ROOT_STEPS + 1; v <= MF_MAX_ROOT_STEPS + 3; v++)
		write_root(&l.w, v, &l.root, &l.online, rs, 1);
	load(&l);
	tells(&l.w, (struct mf_history_query){.limit = 1}, "root 1-2 not-read\ntargets 1 ok by root 259\n");
	life_drop(&l);
}

/* ---- delegated roles */

/* targets lists "qa" with keys a and (unless NULL) b. */
static const char *delegate(char out[4096], const struct hkey *a, const struct hkey *b, int threshold,
			    const char *path)
{
	const struct hkey *first = !b || strcmp(a->id, b->id) < 0 ? a : b, *second = first == a ? b : a;
	char keys[2048];
	if (b)
		(void)snprintf(keys, sizeof keys, "\"%s\":%s,\"%s\":%s", first->id, first->object.p,
			       second->id, second->object.p);
	else
		(void)snprintf(keys, sizeof keys, "\"%s\":%s", a->id, a->object.p);
	(void)snprintf(out, 4096,
		       "{\"keys\":{%s},\"roles\":[{\"keyids\":[\"%s\"%s%s%s],\"name\":\"qa\",\"paths\":["
		       "\"%s\"],\"terminating\":false,\"threshold\":%d}]}",
		       keys, a->id, b ? ",\"" : "", b ? b->id : "", b ? "\"" : "", path, threshold);
	return out;
}

static void write_both(struct life *l, int64_t version, const char *delegations, struct hkey *qa,
		       struct hkey *cosigner)
{
	struct hrole roles[] = {
	    {.role = "targets", .version = version, .key = &l->online, .delegations = delegations},
	    {.role = "qa", .version = version, .key = qa, .cosigner = cosigner},
	};
	write_all(&l->w, roles, 2, version, &l->online);
}

static void delegated_role_is_verified_by_the_delegation_of_then(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	write_both(&l, 1, a, &l.qa, NULL);
	write_both(&l, 2, a, &l.qa, NULL);
	write_both(&l, 3, b, &l.qa2, NULL);
	write_both(&l, 4, b, &l.qa, NULL); /* the key was taken away */
	write_both(&l, 5, b, &l.qa2, NULL);
	load(&l);
	tells(&l.w, (struct mf_history_query){.role = "qa"},
	      "qa 1 ok by targets 1\nqa 2 ok by targets 1\nqa 3 ok by targets 3\nqa 4 invalid\nqa 5 ok by "
	      "targets 3\n");
	/* A delegator's file that does not verify proves nothing, and is told. */
	spoil(&l, "1.targets.json");
	spoil(&l, "2.targets.json");
	tells(&l.w, (struct mf_history_query){.role = "qa"},
	      "targets 1 invalid\ntargets 2 invalid\nqa 1 invalid\nqa 2 invalid\nqa 3 ok by targets 3\nqa 4 "
	      "invalid\nqa 5 ok by targets 3\n");
	life_drop(&l);
}

static void threshold_of_then_must_be_met(void **state)
{
	struct life l;
	char two[4096], one[4096];
	life_make(&l, state);
	delegate(two, &l.qa, &l.qa2, 2, "qa/*");
	delegate(one, &l.qa, &l.other, 1, "qa/*");
	write_both(&l, 1, two, &l.qa, &l.qa2);
	write_both(&l, 2, two, &l.qa2, NULL);
	write_both(&l, 3, two, &l.qa, &l.qa2);
	load(&l);
	struct told t = walk_query(&l.w, (struct mf_history_query){.role = "qa"}, MF_OK);
	assert_string_equal(t.text, "qa 1 ok by targets 1\nqa 2 invalid\nqa 3 ok by targets 1\n");
	assert_int_equal(t.nsigners, 2);
	/* One of two suffices now; all who signed are told. */
	write_both(&l, 4, one, &l.qa, &l.other);
	load(&l);
	t = walk_query(&l.w, (struct mf_history_query){.role = "qa"}, MF_OK);
	assert_string_equal(t.text, "qa 1 ok by targets 1\nqa 2 invalid\nqa 3 ok by targets 1\nqa 4 ok by "
				    "targets 4\n");
	assert_int_equal(t.nsigners, 2);
	life_drop(&l);
}

static void role_is_seen_with_the_paths_of_then(void **state)
{
	struct life l;
	char narrow[4096], wide[4096];
	life_make(&l, state);
	delegate(narrow, &l.qa, NULL, 1, "scan/*");
	delegate(wide, &l.qa, NULL, 1, "qa/*");
	write_both(&l, 1, narrow, &l.qa, NULL);
	write_both(&l, 2, wide, &l.qa, NULL);
	load(&l);
	struct mf_history_query q = {.role = "qa"};
	struct told t = walk_query(&l.w, q, MF_OK);
	assert_string_equal(t.text, "qa 1 ok by targets 1\nqa 2 ok by targets 2\n");
	assert_true(t.covers);
	t = (struct told){.stop = 1};
	struct mf_err err = MF_ERR_INIT;
	q.fn = tell;
	q.arg = &t;
	q.limit = 100;
	assert_int_equal(mf_trust_history(l.w.trust, &q, &err), -1);
	assert_int_equal(err.code, MF_E_CANCELLED);
	assert_false(t.covers);
	life_drop(&l);
}

static void role_that_is_listed_no_more_is_told_with_its_end(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	write_both(&l, 1, a, &l.qa, NULL);
	write_both(&l, 2, b, &l.qa2, NULL);
	write_both(&l, 3, NULL, &l.qa2, NULL);
	write_both(&l, 4, NULL, &l.qa, NULL); /* by a key that was taken away */
	load(&l);
	const char *targets = "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 ok by root 1\n"
			      "targets 4 ok by root 1\n";
	char want[1024];
	(void)snprintf(want, sizeof want,
		       "%sqa 1 ok by targets 1\nqa 2 ok by targets 2\nqa 3 ok by targets 2\nqa 4 "
		       "invalid\nqa 4 dropped by targets 3\n",
		       targets);
	tells(&l.w, (struct mf_history_query){.prefix = MF_STR("qa/")}, want);
	tells(&l.w, (struct mf_history_query){0}, want);
	tells(&l.w, (struct mf_history_query){.prefix = MF_STR("scan/")}, targets);
	tells(&l.w, (struct mf_history_query){.role = "targets"}, targets);
	/* Listed again: it is what it was. */
	write_both(&l, 5, b, &l.qa2, NULL);
	load(&l);
	struct told t = walk_query(&l.w, (struct mf_history_query){0}, MF_OK);
	assert_null(strstr(t.text, "dropped"));
	assert_non_null(strstr(t.text, "qa 5 ok by targets 2"));
	life_drop(&l);
}

static void keys_and_roles_that_change_too_often_are_refused(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	for (int64_t v = 1; v <= MF_MAX_HISTORY_AUTHORITIES; v++)
		write_both(&l, v, v % 2 ? a : b, v % 2 ? &l.qa : &l.qa2, NULL);
	load(&l);
	(void)walk_query(&l.w, (struct mf_history_query){.role = "qa", .limit = 1}, MF_OK);
	write_both(&l, MF_MAX_HISTORY_AUTHORITIES + 1, a, &l.qa, NULL);
	load(&l);
	(void)walk_query(&l.w, (struct mf_history_query){.role = "qa", .limit = 1}, MF_E_FORMAT);
	life_drop(&l);
}

/* ---- limits */

static void limit_ends_what_is_told_with_one_more_to_compare(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 6);
	tells(&l.w, (struct mf_history_query){.limit = 2},
	      "targets 1-4 not-read\ntargets 4 ok before by root 1\ntargets 5 ok by root 1\ntargets 6 ok by "
	      "root 1\n");
	tells(&l.w, (struct mf_history_query){.limit = 6},
	      "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 ok by root 1\ntargets 4 ok by root "
	      "1\ntargets 5 ok by root 1\ntargets 6 ok by root 1\n");
	/* What is missing below the limit is nobody's question. */
	remove_in(l.w.repo, "4.targets.json");
	tells(&l.w, (struct mf_history_query){.limit = 2},
	      "targets 1-4 not-read\ntargets 5 ok by root 1\ntargets 6 ok by root 1\n");
	life_drop(&l);
}

static void limit_does_not_hide_the_keys_of_a_delegated_role(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	write_both(&l, 1, a, &l.qa, NULL);
	for (int64_t v = 2; v <= 5; v++) { /* targets goes on, qa does not */
		struct hrole roles[] = {
		    {.role = "targets", .version = v, .key = &l.online, .delegations = v < 5 ? a : b},
		    {.role = "qa", .version = v == 5 ? 2 : 1, .key = v == 5 ? &l.qa2 : &l.qa},
		};
		write_all(&l.w, roles, 2, v, &l.online);
	}
	load(&l);
	tells(&l.w, (struct mf_history_query){.role = "qa", .limit = 2},
	      "qa 1 ok by targets 1\nqa 2 ok by targets 5\n");
	life_drop(&l);
}

static void what_lies_beyond_the_limits_accuses_nobody(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "qa/*");
	for (int64_t v = 1; v <= 2; v++) {
		struct hrole roles[] = {
		    {.role = "targets",
		     .version = v == 1 ? 1 : MF_MAX_HISTORY_VERSIONS + 1,
		     .key = &l.online,
		     .delegations = v == 1 ? a : b},
		    {.role = "qa", .version = v, .key = v == 1 ? &l.qa : &l.qa2},
		};
		write_all(&l.w, roles, 2, v, &l.online);
	}
	load(&l);
	tells(&l.w, (struct mf_history_query){.role = "qa"}, "qa 1 unproven\nqa 2 ok by targets 1001\n");
	life_drop(&l);
}

/* ---- one version */

static void one_version_is_told_alone(void **state)
{
	struct life l;
	struct hkey *rs[1];
	life_make(&l, state);
	rs[0] = &l.root;
	write_rest(&l.w, 1, &l.online);
	write_rest(&l.w, 2, &l.online);
	write_root(&l.w, 2, &l.root, &l.other, rs, 1);
	write_rest(&l.w, 3, &l.other);
	write_rest(&l.w, 4, &l.other);
	load(&l);
	struct mf_history_query q = {.role = "targets", .version = 3};
	tells(&l.w, q, "targets 3 ok by root 2\n");
	q.version = 4;
	tells(&l.w, q, "targets 4 ok by root 2\n");
	remove_in(l.w.repo, "4.targets.json"); /* it has been loaded */
	tells(&l.w, q, "targets 4 ok by root 2\n");
	q.version = 1; /* by a key that the newest root does not list */
	tells(&l.w, q, "targets 1 ok by root 1\n");
	remove_in(l.w.repo, "2.targets.json");
	q.version = 2;
	tells(&l.w, q, "targets 2 not-kept\n");
	spoil(&l, "3.targets.json");
	q.version = 3;
	tells(&l.w, q, "targets 3 invalid\n");
	copy_file(&l, "1.targets.json", "3.targets.json");
	tells(&l.w, q, "targets 3 invalid\n");
	life_drop(&l);
}

static void one_version_of_a_delegated_role_is_told_alone(void **state)
{
	struct life l;
	char a[4096], b[4096];
	life_make(&l, state);
	delegate(a, &l.qa, NULL, 1, "qa/*");
	delegate(b, &l.qa2, NULL, 1, "scan/*");
	write_both(&l, 1, a, &l.qa, NULL);
	write_both(&l, 2, b, &l.qa2, NULL);
	write_both(&l, 3, b, &l.qa2, NULL);
	load(&l);
	struct mf_history_query q = {.role = "qa", .version = 2};
	struct told t = walk_query(&l.w, q, MF_OK);
	assert_string_equal(t.text, "qa 2 ok by targets 3\n");
	assert_false(t.covers);
	q.version = 1;
	t = walk_query(&l.w, q, MF_OK);
	assert_string_equal(t.text, "qa 1 ok by targets 1\n");
	assert_true(t.covers);
	life_drop(&l);
}

/* ---- stores that behave otherwise */

struct mf_fetch {
	struct mf_fetch *real;
	bool fails;
};

static const struct mf_repo_ops *real;
static int in_flight, most_in_flight, fail_at;
static enum mf_code fail_code;
static int64_t too_large; /* a version that is too large for all but the most */

static struct mf_fetch *odd_begin(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct mf_fetch *f = calloc(1, sizeof *f);
	assert_non_null(f);
	if (++in_flight > most_in_flight)
		most_in_flight = in_flight;
	f->fails = (key->version == fail_at && strcmp(key->role, "targets") == 0) ||
		   (key->version == too_large && key->max < MF_MAX_TARGETS_BYTES);
	f->real = real->begin(r, key, err);
	return f;
}

static int odd_end(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	int rc = real->end(f->real, out, err);
	bool fails = f->fails;
	in_flight--;
	free(f);
	if (!fails || rc < 0)
		return rc;
	mf_buf_clear(out);
	return mf_fail(err, fail_code, 0, "as the test has it");
}

static void odd_cancel(struct mf_fetch *f)
{
	in_flight--;
	real->cancel(f->real);
	free(f);
}

static void odd_store(struct life *l)
{
	real = l->w.trust->repo->ops;
	l->w.remote = *real;
	l->w.remote.begin = odd_begin;
	l->w.remote.end = odd_end;
	l->w.remote.cancel = odd_cancel;
	l->w.trust->repo->ops = &l->w.remote;
	in_flight = most_in_flight = fail_at = 0;
	too_large = 0;
	fail_code = MF_E_FORMAT;
}

static void file_too_large_to_be_one_of_several_is_fetched_alone(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 3);
	odd_store(&l);
	too_large = 2;
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 ok by root 1\n");
	assert_int_equal(in_flight, 0);
	life_drop(&l);
}

static void requests_are_in_flight_together_and_none_is_left(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 20);
	odd_store(&l);
	(void)walk_query(&l.w, (struct mf_history_query){0}, MF_OK);
	assert_int_equal(most_in_flight, 8);
	assert_int_equal(in_flight, 0);
	fail_at = 3;
	fail_code = MF_E_UNAVAILABLE;
	struct told t = walk_query(&l.w, (struct mf_history_query){0}, MF_E_UNAVAILABLE);
	assert_string_equal(t.text, "targets 1 ok by root 1\ntargets 2 ok by root 1\n");
	assert_int_equal(in_flight, 0);
	life_drop(&l);
}

static void answer_that_is_no_file_is_an_invalid_version(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 3);
	odd_store(&l);
	fail_at = 3; /* too large by its number, and it has been loaded: both are told */
	struct told t = walk_query(&l.w, (struct mf_history_query){0}, MF_OK);
	assert_string_equal(t.text, "targets 1 ok by root 1\ntargets 2 ok by root 1\ntargets 3 "
				    "invalid\ntargets 3 ok by root 1\n");
	life_drop(&l);
}

static void newest_file_that_is_another_by_its_number_is_told(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 2);
	spoil(&l, "2.targets.json"); /* after it was loaded */
	tells(&l.w, (struct mf_history_query){0},
	      "targets 1 ok by root 1\ntargets 2 invalid\ntargets 2 ok by root 1\n");
	remove_in(l.w.repo, "2.targets.json");
	tells(&l.w, (struct mf_history_query){0}, "targets 1 ok by root 1\ntargets 2 ok by root 1\n");
	life_drop(&l);
}

static bool stopped(void *arg)
{
	(void)arg;
	return true;
}

static void run_that_is_stopped_or_late_ends(void **state)
{
	struct life l;
	life_make(&l, state);
	life_targets(&l, 2);
	bool (*never)(void *arg) = l.w.env.cancelled;
	l.w.env.cancelled = stopped;
	struct told t = walk_query(&l.w, (struct mf_history_query){0}, MF_E_CANCELLED);
	assert_string_equal(t.text, "");
	l.w.env.cancelled = never;
	l.w.env.deadline_ms = mf_monotonic_ms() - 1;
	(void)walk_query(&l.w, (struct mf_history_query){0}, MF_E_UNAVAILABLE);
	life_drop(&l);
}

#define T(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(every_version_is_told_oldest_first),
	    T(many_versions_keep_their_order),
	    T(versions_that_are_not_kept_are_told_as_ranges),
	    T(version_that_was_changed_is_invalid_and_the_others_hold),
	    T(version_under_the_number_of_another_is_invalid),
	    T(version_that_has_expired_since_holds),
	    T(file_that_delegates_where_it_may_not_is_invalid),
	    T(versions_are_verified_by_the_root_of_then),
	    T(key_that_was_taken_away_does_not_sign_again),
	    T(old_root_that_did_not_sign_the_next_proves_nothing),
	    T(roots_that_are_not_kept_prove_nothing_and_accuse_nobody),
	    T(walk_back_over_roots_has_an_end),
	    T(delegated_role_is_verified_by_the_delegation_of_then),
	    T(threshold_of_then_must_be_met),
	    T(role_is_seen_with_the_paths_of_then),
	    T(role_that_is_listed_no_more_is_told_with_its_end),
	    T(keys_and_roles_that_change_too_often_are_refused),
	    T(limit_ends_what_is_told_with_one_more_to_compare),
	    T(limit_does_not_hide_the_keys_of_a_delegated_role),
	    T(what_lies_beyond_the_limits_accuses_nobody),
	    T(one_version_is_told_alone),
	    T(one_version_of_a_delegated_role_is_told_alone),
	    T(file_too_large_to_be_one_of_several_is_fetched_alone),
	    T(requests_are_in_flight_together_and_none_is_left),
	    T(answer_that_is_no_file_is_an_invalid_version),
	    T(newest_file_that_is_another_by_its_number_is_told),
	    T(run_that_is_stopped_or_late_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
