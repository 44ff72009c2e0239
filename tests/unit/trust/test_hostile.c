/* What somebody can do who holds the online keys, the network, the cache, or a root key that was rotated
 * away. */
#include "hostile.h"

#include "policy/policy.h"

#define HEX "00000000000000000000000000000000000000000000000000000000000000"
#define SUBJECT_NAME "qa/sha256-07" HEX
#define RECORD "{\"custom\":{\"manifesto\":{\"v\":1}},\"hashes\":{\"sha256\":\"11" HEX "\"},\"length\":7}"
#define TOMBSTONE                                                                                            \
	"{\"custom\":{\"manifesto\":{\"v\":1,\"withdrawn\":{}}},\"hashes\":{\"sha256\":\"12" HEX             \
	"\"},\"length\":7}"

static enum mf_code select_qa(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	struct mf_digest subject = {{7}};
	return mf_policy_select(mf_trust_set(w->trust), MF_STR("qa"), &subject, NULL, &e, &err) < 0 ? err.code
												    : MF_OK;
}

static enum mf_code list_all(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_entries e MF_ENTRIES_CLEANUP = {0};
	return mf_policy_list(mf_trust_set(w->trust), NULL, NULL, &e, &err) < 0 ? err.code : MF_OK;
}

/* ---- names spelled with escapes: signatures are over the canonical form, so whoever signs the snapshot
 * chooses the spelling */

static void tombstone_whose_name_is_respelled_still_withdraws_or_fails(void **state)
{
	struct world w;
	world_make(&w, state);
	struct hkey root = key_new(), online = key_new(), *rs[] = {&root}, a = key_new(), b = key_new();
	char delegations[2048];
	(void)snprintf(
	    delegations, sizeof delegations,
	    "{\"keys\":{\"%s\":%s,\"%s\":%s},\"roles\":["
	    "{\"keyids\":[\"%s\"],\"name\":\"a\",\"paths\":[\"qa/*\"],\"terminating\":false,\"threshold\":1},"
	    "{\"keyids\":[\"%s\"],\"name\":\"b\",\"paths\":[\"qa/"
	    "*\"],\"terminating\":false,\"threshold\":1}]}",
	    strcmp(a.id, b.id) < 0 ? a.id : b.id, strcmp(a.id, b.id) < 0 ? a.object.p : b.object.p,
	    strcmp(a.id, b.id) < 0 ? b.id : a.id, strcmp(a.id, b.id) < 0 ? b.object.p : a.object.p, a.id,
	    b.id);
	struct hrole roles[] = {
	    {.role = "targets", .version = 1, .key = &online, .delegations = delegations},
	    {.role = "a", .version = 1, .key = &a, .targets = "\"" SUBJECT_NAME "\":" RECORD},
	    {.role = "b", .version = 1, .key = &b, .targets = "\"" SUBJECT_NAME "\":" TOMBSTONE},
	};
	write_root(&w, 1, &root, &online, rs, 1);
	write_all(&w, roles, 3, 1, &online);
	pin(&w, &root.fp);
	assert_int_equal(load_how(&w, false, "qa/"), MF_OK);
	assert_int_equal(select_qa(&w), MF_E_WITHDRAWN);
	roles[2].from = "qa/sha256";
	roles[2].to = "q\\u0061/sha256";
	write_all(&w, roles, 3, 2, &online);
	assert_int_equal(load_how(&w, false, "qa/"), MF_OK);
	enum mf_code c = select_qa(&w);
	assert_true(c == MF_E_WITHDRAWN || c == MF_E_FORMAT);
	c = list_all(&w);
	assert_int_equal(c, MF_E_FORMAT);
	key_drop(&root);
	key_drop(&online);
	key_drop(&a);
	key_drop(&b);
	world_drop(&w);
}

/* ---- the continuity rule */

static void chain_too_long_to_reach_the_last_trusted_root_is_refused(void **state)
{
	struct world w;
	world_make(&w, state);
	struct hkey old = key_new(), new = key_new(), online = key_new(), evil = key_new();
	struct hkey *one[] = {&old}, *both[] = {&old, &new};
	write_root(&w, 1, &old, &online, one, 1);
	write_root(&w, 2, &new, &online, both, 2);
	write_rest(&w, 1, &online);
	pin(&w, &old.fp);
	assert_int_equal(load_how(&w, true, ""), MF_OK);
	/* Years later somebody finds the old key, and continues a chain of its own from a version far ahead.
	 */
	for (int64_t v = 3; v <= 300; v++)
		write_root(&w, v, &old, &evil, one, 1);
	write_rest(&w, 1, &evil);
	remove_in(w.repo, "2.root.json");
	assert_int_not_equal(load_how(&w, true, ""), MF_OK);
	key_drop(&old);
	key_drop(&new);
	key_drop(&online);
	key_drop(&evil);
	world_drop(&w);
}

/* ---- the cache */

static void roots_that_failed_to_verify_do_not_spoil_later_runs(void **state)
{
	struct world w;
	world_make(&w, state);
	struct hkey a = key_new(), b = key_new(), online = key_new(), evil = key_new();
	struct hkey *first[] = {&a}, *second[] = {&a, &b}, *third[] = {&b}, *bad[] = {&evil};
	write_root(&w, 1, &a, &online, first, 1);
	write_root(&w, 2, &evil, &online, bad, 1); /* the attack */
	write_root(&w, 3, &b, &online, third, 1);
	write_rest(&w, 1, &online);
	pin(&w, &a.fp);
	assert_int_equal(load_how(&w, true, ""), MF_E_SIGNATURE);
	write_root(&w, 2, &b, &online, second, 2); /* it has ended */
	write_root(&w, 3, &b, &online, third, 1);
	assert_int_equal(load_how(&w, true, ""), MF_OK);
	key_drop(&a);
	key_drop(&b);
	key_drop(&online);
	key_drop(&evil);
	world_drop(&w);
}

static void poisoned_step_of_the_root_chain_in_the_cache_is_fetched_anew(void **state)
{
	struct world w;
	world_make(&w, state);
	struct hkey a = key_new(), b = key_new(), online = key_new();
	struct hkey *first[] = {&a}, *second[] = {&a, &b}, *third[] = {&b};
	write_root(&w, 1, &a, &online, first, 1);
	write_root(&w, 2, &b, &online, second, 2);
	write_root(&w, 3, &b, &online, third, 1);
	write_rest(&w, 1, &online);
	pin(&w, &a.fp);
	mf_cache_put(&w.files, NAME, "root", 2, mf_bytes_of(MF_STR("{}")));
	assert_int_equal(load_how(&w, true, ""), MF_OK);
	key_drop(&a);
	key_drop(&b);
	key_drop(&online);
	world_drop(&w);
}

static void attack_and_then_silence_is_not_absence(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	world_make(&w, state);
	struct hkey a = key_new(), online = key_new(), *as[] = {&a};
	write_root(&w, 1, &a, &online, as, 1);
	write_rest(&w, 1, &online);
	ok(mf_pin_store(w.home, "oci:*", &a.fp, 1, 1, &w.env, &err), &err);
	assert_int_equal(load_how(&w, true, ""), MF_OK);
	forget_floors(&w); /* a home that cannot be written has none */
	write_in(w.repo, "timestamp.json", MF_STR("{}"));
	remove_in(w.repo, "root.json");
	enum mf_code c = load_how(&w, true, "");
	assert_true(c == MF_E_GONE || c == MF_E_FORMAT);
	key_drop(&a);
	key_drop(&online);
	world_drop(&w);
}

/* ---- floors */

/* A set as the loader leaves it, with n delegated roles of long names. */
static void floors_of_many_long_names_can_be_read_again(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	world_make(&w, state);
	struct hkey a = key_new(), online = key_new(), *as[] = {&a};
	write_root(&w, 1, &a, &online, as, 1);
	write_rest(&w, 1, &online);
	pin(&w, &a.fp);
	assert_int_equal(load_how(&w, false, ""), MF_OK);
	struct mf_tuf_set set = w.trust->set;
	enum { N = MF_MAX_DELEGATIONS_LIST };
	struct mf_tuf_loaded *v = calloc(N, sizeof *v), **p = calloc(N, sizeof(struct mf_tuf_loaded *));
	char(*names)[256] = calloc(N, 256);
	assert_true(v && p && names);
	for (size_t i = 0; i < N; i++) {
		memset(names[i], 1, 255); /* one octet here, six as JSON */
		(void)snprintf(names[i], 8, "%07zu", i);
		names[i][7] = 'x';
		v[i] = (struct mf_tuf_loaded){.role = names[i], .file = set.roles[0]->file};
		p[i] = &v[i];
	}
	set.roles = p;
	set.nroles = N;
	(void)!mf_floors_raise(w.home, NAME, &set, &w.env, &err);
	assert_int_equal(load_how(&w, false, "qa/"),
			 MF_E_ROLLBACK); /* the snapshot no longer lists them; but not: unreadable */
	struct mf_floors f;
	mf_err_clear(&err);
	ok(mf_floors_load(w.home, NAME, &f, &err), &err);
	mf_floors_clear(&f);
	free(v);
	free(p);
	free(names);
	key_drop(&a);
	key_drop(&online);
	world_drop(&w);
}

static void set_under_an_older_root_raises_nothing(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	world_make(&w, state);
	struct hkey a = key_new(), online = key_new(), other = key_new(), *as[] = {&a};
	write_root(&w, 1, &a, &online, as, 1);
	write_rest(&w, 1000, &online);
	pin(&w, &a.fp);
	assert_int_equal(load_how(&w, false, ""), MF_OK);
	struct mf_trust *slow = w.trust; /* another process: it has loaded, and is about to remember */
	w.trust = NULL;
	write_root(&w, 2, &a, &other, as, 1);
	write_rest(&w, 1, &other);
	assert_int_equal(load_how(&w, false, ""), MF_OK);
	ok(mf_floors_raise(w.home, NAME, mf_trust_set(slow), &w.env, &err), &err);
	assert_int_equal(load_how(&w, false, ""), MF_OK);
	mf_trust_close(slow);
	key_drop(&a);
	key_drop(&online);
	key_drop(&other);
	world_drop(&w);
}

static struct hrole targets_of(struct simple *s, int64_t version, const char *targets)
{
	return (struct hrole){.role = "targets", .version = version, .key = &s->online, .targets = targets};
}

static void read_repo(struct world *w, const char *name, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	char *path = mf_path_join(w->repo, name, NULL);
	ok(mf_file_read(path, out->max, out, &err), &err);
	free(path);
}

static size_t targets_now(struct world *w)
{
	return mf_tuf_set_find(mf_trust_set(w->trust), "targets")->file->ntargets;
}

/* Well signed, of the right version, and not what timestamp and snapshot announce. */
static void cached_files_are_used_only_under_the_announced_hash(void **state)
{
	struct simple s;
	struct mf_buf t MF_BUF_CLEANUP = MF_BUF_INIT(65536), m MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	simple_make(&s, state);
	struct hrole other = targets_of(&s, 1, "\"" SUBJECT_NAME "\":" RECORD);
	write_all(&s.w, &other, 1, 1, &s.online);
	read_repo(&s.w, "1.targets.json", &t);
	read_repo(&s.w, "1.snapshot.json", &m);
	struct hrole right = targets_of(&s, 1, NULL);
	s.w.now++;
	write_all(&s.w, &right, 1, 1, &s.online);
	mf_cache_put(&s.w.files, NAME, "targets", 0, mf_buf_bytes(&t));
	mf_cache_put(&s.w.files, NAME, "snapshot", 0, mf_buf_bytes(&m));
	assert_int_equal(load_how(&s.w, true, ""), MF_OK);
	assert_int_equal(targets_now(&s.w), 0);
	simple_drop(&s);
}

static void files_fetched_early_by_name_are_used_only_under_the_announced_hash(void **state)
{
	struct simple s;
	struct mf_buf t MF_BUF_CLEANUP = MF_BUF_INIT(65536), m MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	simple_make(&s, state);
	struct hrole other = targets_of(&s, 1, "\"" SUBJECT_NAME "\":" RECORD);
	write_all(&s.w, &other, 1, 1, &s.online);
	read_repo(&s.w, "1.targets.json", &t);
	read_repo(&s.w, "1.snapshot.json", &m);
	write_in(s.w.repo, "targets.json", mf_buf_str(&t));
	write_in(s.w.repo, "snapshot.json", mf_buf_str(&m));
	struct hrole right = targets_of(&s, 1, NULL);
	s.w.now++;
	write_all(&s.w, &right, 1, 1, &s.online);
	assert_int_equal(load_how(&s.w, true, ""), MF_OK);
	assert_int_equal(targets_now(&s.w), 0);
	simple_drop(&s);
}

static void listed_files_that_are_not_there_are_gone(void **state)
{
	static const char *const names[] = {"timestamp.json", "1.snapshot.json", "1.targets.json",
					    "1.a.json"};
	for (size_t i = 0; i < 4; i++) {
		struct simple s;
		struct hkey a = key_new();
		char delegations[1024];
		simple_make(&s, state);
		(void)snprintf(delegations, sizeof delegations,
			       "{\"keys\":{\"%s\":%s},\"roles\":[{\"keyids\":[\"%s\"],\"name\":\"a\","
			       "\"paths\":[\"qa/*\"],"
			       "\"terminating\":false,\"threshold\":1}]}",
			       a.id, a.object.p, a.id);
		struct hrole roles[] = {targets_of(&s, 1, NULL), {.role = "a", .version = 1, .key = &a}};
		roles[0].delegations = delegations;
		write_all(&s.w, roles, 2, 1, &s.online);
		remove_in(s.w.repo, names[i]);
		assert_int_equal(load_how(&s.w, false, "qa/"), MF_E_GONE);
		/* Whoever asks for another type needs no more of it. */
		assert_int_equal(load_how(&s.w, false, "scan/"), i == 3 ? MF_OK : MF_E_GONE);
		assert_int_equal(load_how(&s.w, true, "qa/"), MF_E_GONE);
		key_drop(&a);
		simple_drop(&s);
		remove_in(*state, "home/trust.json");
	}
}

static void expired_targets_are_loaded_for_signing_only(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	simple_make(&s, state);
	struct hrole r = targets_of(&s, 1, NULL);
	r.days = 1;
	write_all(&s.w, &r, 1, 1, &s.online);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	s.w.now += 2 * DAY;
	assert_int_equal(load_how(&s.w, false, ""), MF_E_EXPIRED);
	ok(mf_trust_load(s.w.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN}, &err), &err);
	assert_true(mf_trust_set(s.w.trust)->expired);
	/* Who has never seen it cannot know what has changed since. */
	forget_floors(&s.w);
	assert_int_equal(mf_trust_load(s.w.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN}, &err), -1);
	assert_int_equal(err.code, MF_E_EXPIRED);
	/* Nor after what has expired was displayed. */
	mf_err_clear(&err);
	ok(mf_trust_load(s.w.trust, &(struct mf_load){.purpose = MF_LOAD_SHOW}, &err), &err);
	assert_true(mf_trust_set(s.w.trust)->expired);
	assert_int_equal(mf_trust_load(s.w.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN}, &err), -1);
	assert_int_equal(err.code, MF_E_EXPIRED);
	simple_drop(&s);
}

static void outdated_root_in_the_cache_is_fetched_anew(void **state)
{
	struct simple s;
	struct mf_buf old MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	simple_make(&s, state);
	struct hkey fresh = key_new(), *rs[] = {&s.root};
	write_rest(&s.w, 1, &s.online);
	assert_int_equal(load_how(&s.w, true, ""), MF_OK);
	read_repo(&s.w, "root.json", &old);
	/* Other online keys: the cached root's do not fit. */
	write_root(&s.w, 2, &s.root, &fresh, rs, 1);
	write_rest(&s.w, 1, &fresh);
	assert_int_equal(load_how(&s.w, true, ""), MF_OK);
	assert_int_equal(mf_trust_set(s.w.trust)->root->version, 2);
	/* A cache older than the floors. */
	mf_cache_put(&s.w.files, NAME, "root", 0, mf_buf_bytes(&old));
	assert_int_equal(load_how(&s.w, true, ""), MF_OK);
	/* A cached root that has expired since. */
	s.w.now += 301 * DAY;
	write_root(&s.w, 3, &s.root, &fresh, rs, 1);
	write_rest(&s.w, 2, &fresh);
	assert_int_equal(load_how(&s.w, true, ""), MF_OK);
	assert_int_equal(mf_trust_set(s.w.trust)->root->version, 3);
	/* And one of somebody else. */
	struct hkey evil = key_new(), *es[] = {&evil};
	char *honest = s.w.repo;
	s.w.repo = mf_path_join(s.w.dir, "evil", NULL);
	write_root(&s.w, 3, &evil, &evil, es, 1);
	mf_buf_clear(&old);
	read_repo(&s.w, "root.json", &old);
	free(s.w.repo);
	s.w.repo = honest;
	mf_cache_put(&s.w.files, NAME, "root", 0, mf_buf_bytes(&old));
	assert_int_equal(load_how(&s.w, true, ""), MF_OK);
	key_drop(&evil);
	key_drop(&fresh);
	simple_drop(&s);
}

/* ---- roots that are not what their name says */

static void roots_under_other_versions_names_are_refused(void **state)
{
	struct simple s;
	struct mf_buf two MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	simple_make(&s, state);
	struct hkey *rs[] = {&s.root};
	write_rest(&s.w, 1, &s.online);
	write_root(&s.w, 2, &s.root, &s.online, rs, 1);
	read_repo(&s.w, "2.root.json", &two);
	write_in(s.w.repo, "1.root.json", mf_buf_str(&two));
	assert_int_equal(load_how(&s.w, false, ""), MF_E_FORMAT);
	simple_drop(&s);
}

static void walk_to_the_newest_root_has_an_end(void **state)
{
	struct simple s;
	simple_make(&s, state);
	struct hkey *rs[] = {&s.root};
	for (int64_t v = 2; v <= MF_MAX_ROOT_STEPS + 1; v++)
		write_root(&s.w, v, &s.root, &s.online, rs, 1);
	write_rest(&s.w, 1, &s.online);
	assert_int_equal(load_how(&s.w, false, ""), MF_E_FORMAT);
	remove_in(s.w.repo, "257.root.json");
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	simple_drop(&s);
}

static void lookup_reads_no_more_roles_than_its_limit_and_a_list_more(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	enum { N = MF_MAX_DELEGATIONS_LOOKUP + 1 };
	struct mf_buf d MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	simple_make(&s, state);
	ok(mf_buf_printf(&d, &err, "{\"keys\":{\"%s\":%s},\"roles\":[", s.online.id, s.online.object.p),
	   &err);
	for (int i = 0; i < N; i++)
		ok(mf_buf_printf(&d, &err,
				 "%s{\"keyids\":[\"%s\"],\"name\":\"r%02d\",\"paths\":[\"qa/"
				 "*\"],\"terminating\":false,\"threshold\":1}",
				 i ? "," : "", s.online.id, i),
		   &err);
	ok(mf_buf_addz(&d, "]}", &err), &err);
	struct hrole roles[N + 1] = {targets_of(&s, 1, NULL)};
	char names[N][8];
	roles[0].delegations = d.p;
	for (int i = 0; i < N; i++) {
		(void)snprintf(names[i], sizeof names[i], "r%02d", i);
		roles[i + 1] = (struct hrole){.role = names[i], .version = 1, .key = &s.online};
	}
	write_all(&s.w, roles, N, 1, &s.online);
	assert_int_equal(load_how(&s.w, false, "qa/"), MF_OK);
	write_all(&s.w, roles, N + 1, 2, &s.online);
	assert_int_equal(load_how(&s.w, false, "qa/"), MF_E_FORMAT);
	assert_int_equal(load_how(&s.w, false, ""), MF_OK);
	simple_drop(&s);
}

/* Each lookup has its limit; a gate makes many of them. */
static void lookups_in_turn_have_a_limit_each(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	enum { N = MF_MAX_DELEGATIONS_LOOKUP + 3 };
	struct mf_buf d MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	simple_make(&s, state);
	ok(mf_buf_printf(&d, &err, "{\"keys\":{\"%s\":%s},\"roles\":[", s.online.id, s.online.object.p),
	   &err);
	struct hrole roles[N + 1] = {targets_of(&s, 1, NULL)};
	char names[N][8];
	for (int i = 0; i < N; i++) {
		(void)snprintf(names[i], sizeof names[i], "r%02d", i);
		ok(mf_buf_printf(&d, &err,
				 "%s{\"keyids\":[\"%s\"],\"name\":\"%s\",\"paths\":[\"t%02d/"
				 "*\"],\"terminating\":false,\"threshold\":1}",
				 i ? "," : "", s.online.id, names[i], i),
		   &err);
		roles[i + 1] = (struct hrole){.role = names[i], .version = 1, .key = &s.online};
	}
	ok(mf_buf_addz(&d, "]}", &err), &err);
	roles[0].delegations = d.p;
	write_all(&s.w, roles, N + 1, 1, &s.online);
	assert_int_equal(load_how(&s.w, false, "t00/"), MF_OK);
	for (int i = 1; i < N; i++) {
		char prefix[8];
		(void)snprintf(prefix, sizeof prefix, "t%02d/", i);
		ok(mf_trust_widen(s.w.trust, mf_str_c(prefix), &err), &err);
	}
	assert_int_equal(mf_trust_set(s.w.trust)->nroles, N + 1);
	simple_drop(&s);
}

/* ---- records */

static void tombstone_is_told_by_its_media_type_in_any_case(void **state)
{
	struct simple s;
	simple_make(&s, state);
	struct hrole r =
	    targets_of(&s, 1,
		       "\"" SUBJECT_NAME "\":{\"custom\":{\"manifesto\":{\"mediaType\":\"Application/"
		       "vnd.manifesto.WITHDRAWN.v1+json\",\"v\":1}},"
		       "\"hashes\":{\"sha256\":\"11" HEX "\"},\"length\":7}");
	write_all(&s.w, &r, 1, 1, &s.online);
	assert_int_equal(load_how(&s.w, false, "qa/"), MF_OK);
	assert_int_equal(select_qa(&s.w), MF_E_WITHDRAWN);
	simple_drop(&s);
}

/* A root of one of our keys and a stranger's, signed by both. */
static void write_shared_root(struct world *w, struct hkey *ours, struct hkey *other, int threshold)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(65536), file MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	const unsigned rest = 1 << MF_TUF_TARGETS | 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP;
	struct mf_tuf_root_key keys[2] = {{mf_buf_str(&ours->object), ours->id, 1 << MF_TUF_ROOT},
					  {mf_buf_str(&other->object), other->id, rest | 1 << MF_TUF_ROOT}};
	struct hkey *signers[] = {ours, other};
	ok(mf_tuf_build_root(&mf_dialect_tuf1, &(struct mf_tuf_root_spec){keys, 2, 1, w->now + 300 * DAY, 0},
			     &canonical, &err),
	   &err);
	char *role = strstr(canonical.p, "\"root\":{");
	assert_non_null(role);
	char *digit = strstr(role, "\"threshold\":");
	assert_non_null(digit);
	digit[strlen("\"threshold\":")] = (char)('0' + threshold);
	sign_file(mf_buf_str(&canonical), signers, 2, &file);
	write_in(w->repo, "1.root.json", mf_buf_str(&file));
}

/* Whoever holds enough root keys to have made a root needs no pin for it. One key of two is not enough:
 * somebody else has made it with our public key. */
static void own_key_below_the_threshold_adopts_no_root(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	const struct mf_key_info *info;
	world_make(&w, state);
	struct hkey other = key_new(), ours = {.object = MF_BUF_INIT(4096)};
	ours.priv = mf_privkey_generate(MF_KEY_ED25519, &err);
	ok(mf_keystore_add(w.keys, "own", ours.priv, &info, &err), &err);
	ok(mf_dialect_tuf1.key_write(info->pub, NULL, &ours.object, ours.id, &err), &err);
	for (int threshold = 2; threshold >= 1; threshold--) {
		write_shared_root(&w, &ours, &other, threshold);
		write_rest(&w, 1, &other);
		/* Trust on first use goes on where nothing was adopted. */
		w.cfg.tofu = threshold == 2;
		w.cfg.ci = true;
		mf_trust_close(w.trust);
		w.trust = NULL;
		ok(mf_trust_open(w.repo, "oci", NAME, &w.cfg, &w.trust, &err), &err);
		ok(mf_trust_load(w.trust, &(struct mf_load){.purpose = MF_LOAD_SIGN}, &err), &err);
		assert_int_equal(mf_trust_was_tofu(w.trust), threshold == 2);
		forget_floors(&w);
	}
	key_drop(&other);
	key_drop(&ours);
	world_drop(&w);
}

/* A key ID is a name: a key that the role lists signs its records under any; one whose ID is given to another
 * key does not. */
static void record_is_of_the_keys_that_the_role_lists_whatever_their_ids(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	simple_make(&s, state);
	struct hkey evil = key_new();
	for (int misfiled = 0; misfiled < 3; misfiled++) {
		char wrong[65], delegations[1200];
		memcpy(wrong, evil.id, 65);
		const char *object = misfiled == 2 ? s.online.object.p : evil.object.p;
		if (misfiled == 1)
			memset(wrong, 'f', 64);
		bool first = strcmp(s.online.id, wrong) < 0;
		(void)snprintf(delegations, sizeof delegations,
			       "{\"keys\":{\"%s\":%s,\"%s\":%s},\"roles\":[{\"keyids\":[\"%s\",\"%s\"],"
			       "\"name\":\"a\",\"paths\":[\"qa/*\"],"
			       "\"terminating\":false,\"threshold\":1}]}",
			       first ? s.online.id : wrong, first ? s.online.object.p : object,
			       first ? wrong : s.online.id, first ? object : s.online.object.p, s.online.id,
			       wrong);
		json_t *tree MF_JSON_CLEANUP = json_pack("{s:i}", "v", 1);
		struct mf_digest blob = {{0x11}}, subject = {{7}};
		struct mf_record_binding b = {
		    .repository = "oci", .name = MF_STR(SUBJECT_NAME), .length = 7, .sha256 = blob};
		struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(65536),
				      sig MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		struct mf_buf entry MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		ok(mf_record_payload(&payload, &b, tree, &err), &err);
		ok(mf_privkey_sign(evil.priv, MF_SIG_ED25519, mf_buf_bytes(&payload), &sig, &err), &err);
		ok(mf_record_add_sig(tree, &evil.fp, mf_buf_bytes(&sig), &err), &err);
		ok(mf_buf_addz(&entry, "\"" SUBJECT_NAME "\":{\"custom\":", &err), &err);
		ok(mf_record_custom(&entry, tree, &err), &err);
		ok(mf_buf_addz(&entry, ",\"hashes\":{\"sha256\":\"11" HEX "\"},\"length\":7}", &err), &err);
		struct hrole roles[] = {
		    targets_of(&s, misfiled + 1, NULL),
		    {.role = "a", .version = misfiled + 1, .key = &s.online, .targets = entry.p}};
		roles[0].delegations = delegations;
		write_all(&s.w, roles, 2, misfiled + 1, &s.online);
		assert_int_equal(load_how(&s.w, false, "qa/"), MF_OK);
		struct mf_entry e MF_ENTRY_CLEANUP = {0};
		ok(mf_policy_select(mf_trust_set(s.w.trust), MF_STR("qa"), &subject, NULL, &e, &err), &err);
		assert_int_equal(e.state, misfiled == 2 ? MF_STATE_FOREIGN : MF_STATE_CURRENT);
	}
	key_drop(&evil);
	simple_drop(&s);
}

/* Work that grows with the product of both would take minutes. */
static void many_delegations_and_a_big_snapshot_are_looked_through_in_time(void **state)
{
	struct simple s;
	struct mf_err err = MF_ERR_INIT;
	enum { DELEGATIONS = 8000, METAS = 60000 };
	struct mf_buf d MF_BUF_CLEANUP = MF_BUF_INIT(4 << 20), snap MF_BUF_CLEANUP = MF_BUF_INIT(4 << 20);
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(4 << 20), t MF_BUF_CLEANUP = MF_BUF_INIT(65536),
			   tf MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct hkey *online;
	char when[MF_TIME_LEN];
	simple_make(&s, state);
	online = &s.online;
	ok(mf_buf_printf(&d, &err, "{\"keys\":{\"%s\":%s},\"roles\":[", s.online.id, s.online.object.p),
	   &err);
	for (int i = 0; i < DELEGATIONS; i++)
		ok(mf_buf_printf(&d, &err,
				 "%s{\"keyids\":[\"%s\"],\"name\":\"r%05d\",\"paths\":[\"qa/"
				 "*\"],\"terminating\":false,\"threshold\":1}",
				 i ? "," : "", s.online.id, i),
		   &err);
	ok(mf_buf_addz(&d, "]}", &err), &err);
	struct hrole r = targets_of(&s, 1, NULL);
	r.delegations = d.p;
	write_all(&s.w, &r, 1, 1, &s.online);
	mf_time_format(when, s.w.now + DAY);
	ok(mf_buf_printf(&snap, &err, "{\"_type\":\"snapshot\",\"expires\":\"%s\",\"meta\":{", when), &err);
	for (int i = 0; i < METAS; i++)
		ok(mf_buf_printf(&snap, &err, "\"n%05d.json\":{\"version\":1},", i), &err);
	ok(mf_buf_addz(&snap, "\"targets.json\":{\"version\":1}},\"spec_version\":\"1.0.33\",\"version\":1}",
		       &err),
	   &err);
	sign_file(mf_buf_str(&snap), &online, 1, &file);
	write_in(s.w.repo, "1.snapshot.json", mf_buf_str(&file));
	struct mf_tuf_listed one = {"snapshot", 1, mf_buf_bytes(&file)};
	struct mf_tuf_meta_spec spec = {
	    .type = MF_TUF_TIMESTAMP, .files = &one, .nfiles = 1, .version = 1, .expires = s.w.now + DAY};
	ok(mf_tuf_build_meta(&mf_dialect_tuf1, &spec, &t, &err), &err);
	sign_file(mf_buf_str(&t), &online, 1, &tf);
	write_in(s.w.repo, "timestamp.json", mf_buf_str(&tf));
	int64_t from = mf_monotonic_ms();
	assert_int_equal(load_how(&s.w, false, "qa/"), MF_OK);
	int64_t took = mf_monotonic_ms() - from;
	if (took > 4000)
		fail_msg("took %lld ms", (long long)took);
	simple_drop(&s);
}

/* The first answer for the timestamp is from before the first publish. */
static struct mf_fetch *too_early;
static bool answered;

static struct mf_fetch *begin_too_early(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err)
{
	struct mf_fetch *f = mf_repo_tuf_dir.begin(r, key, err);
	if (!too_early && strcmp(key->role, "timestamp") == 0)
		too_early = f;
	return f;
}

static int end_too_early(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err)
{
	int rc = mf_repo_tuf_dir.end(f, out, err);
	if (f != too_early || answered)
		return rc;
	answered = true;
	mf_buf_clear(out);
	return 0;
}

static void timestamp_that_appeared_since_it_was_asked_for_is_read(void **state)
{
	struct simple s;
	simple_make(&s, state);
	write_rest(&s.w, 1, &s.online);
	too_early = NULL;
	answered = false;
	s.w.remote.begin = begin_too_early;
	s.w.remote.end = end_too_early;
	assert_int_equal(load_how(&s.w, true, "qa/"), MF_OK);
	assert_true(answered);
	simple_drop(&s);
}

#define T(name) cmocka_unit_test_setup_teardown(name, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(tombstone_whose_name_is_respelled_still_withdraws_or_fails),
	    T(chain_too_long_to_reach_the_last_trusted_root_is_refused),
	    T(roots_that_failed_to_verify_do_not_spoil_later_runs),
	    T(poisoned_step_of_the_root_chain_in_the_cache_is_fetched_anew),
	    T(attack_and_then_silence_is_not_absence),
	    T(floors_of_many_long_names_can_be_read_again),
	    T(set_under_an_older_root_raises_nothing),
	    T(cached_files_are_used_only_under_the_announced_hash),
	    T(files_fetched_early_by_name_are_used_only_under_the_announced_hash),
	    T(listed_files_that_are_not_there_are_gone),
	    T(expired_targets_are_loaded_for_signing_only),
	    T(outdated_root_in_the_cache_is_fetched_anew),
	    T(roots_under_other_versions_names_are_refused),
	    T(walk_to_the_newest_root_has_an_end),
	    T(tombstone_is_told_by_its_media_type_in_any_case),
	    T(own_key_below_the_threshold_adopts_no_root),
	    T(record_is_of_the_keys_that_the_role_lists_whatever_their_ids),
	    T(many_delegations_and_a_big_snapshot_are_looked_through_in_time),
	    T(lookups_in_turn_have_a_limit_each),
	    T(timestamp_that_appeared_since_it_was_asked_for_is_read),
	    T(lookup_reads_no_more_roles_than_its_limit_and_a_list_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
