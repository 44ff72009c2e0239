/* Finding a target through delegations, and getting its bytes. */
#include "repository.h"

#define START "2.root.json timestamp.json 1.snapshot.json 1.targets.json"
#define WARM "2.root.json timestamp.json"
#define ZERO_256 "0000000000000000000000000000000000000000000000000000000000000000"
#define ZERO_512 ZERO_256 ZERO_256
#define NOT_FOUND .code = MF_E_NOT_FOUND

/* The order in which the roles of a graph are asked for. */
#define GRAPH(w, s, names, c)                                                                                \
	{                                                                                                    \
		.what = w, .setup = s, .requests = START names, .get = "f", .code = c                        \
	}

static void delegations_are_walked_depth_first_in_order(void **state)
{
	static const struct rp_row rows[] = {
	    GRAPH("none", "", "", MF_E_NOT_FOUND),
	    GRAPH("one", "delegate targets A a 1 *", " 1.A.json", MF_E_NOT_FOUND),
	    GRAPH("two", "delegate targets A a 1 *; delegate targets B b 1 *", " 1.A.json 1.B.json",
		  MF_E_NOT_FOUND),
	    GRAPH("depth first", "delegate targets A a 1 *; delegate targets B b 1 *; delegate A C c 1 *",
		  " 1.A.json 1.C.json 1.B.json", MF_E_NOT_FOUND),
	    GRAPH(
		"three levels",
		"delegate targets A a 1 *; delegate targets B b 1 *; delegate A C c 1 *; delegate A D d 1 *;"
		"delegate C E e 1 *; delegate B F f 1 *",
		" 1.A.json 1.C.json 1.E.json 1.D.json 1.B.json 1.F.json", MF_E_NOT_FOUND),
	    GRAPH(
		"a role of two delegators once",
		"delegate targets A a 1 *; delegate targets B b 1 *; delegate A C c 1 *; delegate B C c 1 *",
		" 1.A.json 1.C.json 1.B.json", MF_E_NOT_FOUND),
	    GRAPH("to itself", "delegate targets A a 1 *; delegate A A a 1 *", " 1.A.json", MF_E_NOT_FOUND),
	    GRAPH("a cycle of two", "delegate targets A a 1 *; delegate A B b 1 *; delegate B A a 1 *",
		  " 1.A.json 1.B.json", MF_E_NOT_FOUND),
	    GRAPH("a cycle of three",
		  "delegate targets A a 1 *; delegate A B b 1 *; delegate B C c 1 *; delegate C A a 1 *;"
		  "delegate targets D d 1 *",
		  " 1.A.json 1.B.json 1.C.json 1.D.json", MF_E_NOT_FOUND),
	    GRAPH("terminating hides what comes after",
		  "delegate targets A a 1 ! *; delegate targets B b 1 *", " 1.A.json", MF_E_NOT_FOUND),
	    GRAPH("terminating, and its own delegations",
		  "delegate targets A a 1 ! *; delegate targets B b 1 *; delegate A C c 1 *; delegate A D d "
		  "1 *",
		  " 1.A.json 1.C.json 1.D.json", MF_E_NOT_FOUND),
	    GRAPH("terminating in the depth drops what waited",
		  "delegate targets A a 1 *; delegate targets B b 1 *; delegate A C c 1 ! *; delegate A D d "
		  "1 *",
		  " 1.A.json 1.C.json", MF_E_NOT_FOUND),
	    GRAPH("terminating in the middle: those before it come first",
		  "delegate targets A a 1 *; delegate targets B b 1 ! *; delegate targets C c 1 *",
		  " 1.A.json 1.B.json", MF_E_NOT_FOUND),
	    GRAPH("terminating for other names", "delegate targets A a 1 ! g; delegate targets B b 1 *",
		  " 1.B.json", MF_E_NOT_FOUND),
	    GRAPH("paths that do not match", "delegate targets A a 1 g*; delegate targets B b 1 ?",
		  " 1.B.json", MF_E_NOT_FOUND),
	    GRAPH("every delegator must allow the name", "delegate targets A a 1 g; delegate A B b 1 *", "",
		  MF_E_NOT_FOUND),
	    GRAPH("one of several paths", "delegate targets A a 1 x y f", " 1.A.json", MF_E_NOT_FOUND),
	    GRAPH("without a path", "delegate targets A a 1", "", MF_E_NOT_FOUND),
	    GRAPH("not in the snapshot: not asked for", "delegate targets A a 1 *; list A 0", "",
		  MF_E_FORMAT),
	    GRAPH("not served", "delegate targets A a 1 *; gone A", " 1.A.json", MF_E_GONE),
	    GRAPH("wrong version", "delegate targets A a 1 *; list A 2", " 2.A.json", MF_E_FORMAT),
	    GRAPH("unsigned", "delegate targets A a 1 *; by A b", " 1.A.json", MF_E_SIGNATURE),
	    GRAPH("expired", "delegate targets A a 1 *; expire A", " 1.A.json", MF_E_EXPIRED),
	    GRAPH("below its threshold", "delegate targets A ab 2 *; by A b", " 1.A.json", MF_E_SIGNATURE),
	    GRAPH("a failure ends the search",
		  "delegate targets A a 1 *; by A b; delegate targets B b 1 *;"
		  "target B f x",
		  " 1.A.json", MF_E_SIGNATURE),
	    GRAPH("two metas of a delegated role", "hashes both; delegate targets A a 1 *", " 1.A.json",
		  MF_E_NOT_FOUND),
	    GRAPH("a delegation to a top-level role", "delegate targets snapshot s 1 *", "", MF_E_FORMAT),
	    {"names without a version",
	     .setup = "set root consistent_snapshot = false; "
		      "delegate targets A a 1 *",
	     .requests = "2.root.json timestamp.json snapshot.json targets.json A.json", .get = "f",
	     NOT_FOUND},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

static void only_verified_roles_are_stored(void **state)
{
	static const struct rp_row rows[] = {
	    {"visited", .setup = "delegate targets A a 1 *; delegate targets B b 1 x", .get = "f", NOT_FOUND,
	     .stored = "A.1 root.1 snapshot.1 targets.1 timestamp.1"},
	    {"no good", .setup = "delegate targets A a 1 *; flip A", .get = "f", .code = MF_E_SIGNATURE,
	     .stored = "root.1 snapshot.1 targets.1 timestamp.1"},
	    {"expired", .setup = "delegate targets A a 1 *; expire A", .get = "f", .code = MF_E_EXPIRED,
	     .stored = "root.1 snapshot.1 targets.1 timestamp.1"},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

#define IN_A "delegate targets A a 1 "
/* Searches f (or another name) in role A under some paths. */
#define PATH(w, paths, name, c)                                                                              \
	{                                                                                                    \
		.what = w, .setup = IN_A paths "; target A " name " x", .get = name, .code = c               \
	}

static void target_paths_are_those_of_the_delegation(void **state)
{
	static const struct rp_row rows[] = {
	    PATH("the name", "f", "f", MF_OK),
	    PATH("a star", "a*c", "abbc", MF_OK),
	    PATH("a star for nothing", "a*c", "ac", MF_OK),
	    PATH("a star is no slash", "*", "a/b", MF_E_NOT_FOUND),
	    PATH("stars and slashes", "*/*", "a/b", MF_OK),
	    PATH("a question mark", "a?c", "abc", MF_OK),
	    PATH("a question mark is no slash", "a?c", "a/c", MF_E_NOT_FOUND),
	    PATH("nor nothing", "a?c", "ac", MF_E_NOT_FOUND),
	    PATH("case counts", "F", "f", MF_E_NOT_FOUND),
	    PATH("not a prefix", "ab", "abc", MF_E_NOT_FOUND),
	    PATH("nor a suffix", "bc", "abc", MF_E_NOT_FOUND),
	    PATH("brackets", "[ab]", "a", MF_OK),
	    PATH("other brackets", "[!ab]", "a", MF_E_NOT_FOUND),
	    PATH("a directory is not its files", "a/", "a/b", MF_E_NOT_FOUND),
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* SHA-256 of "f": 252f10c8..., of "g": cd0aa985... */
static void path_hash_prefixes_are_of_the_names_sha256(void **state)
{
	static const struct rp_row rows[] = {
	    PATH("one digit", "#2", "f", MF_OK),
	    PATH("more digits", "#252f10c8", "f", MF_OK),
	    PATH("all digits", "#252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111", "f",
		 MF_OK),
	    PATH("one more than all", "#252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f1110",
		 "f", MF_E_NOT_FOUND),
	    PATH("others", "#3 #251 #5 #c", "f", MF_E_NOT_FOUND),
	    PATH("one of several", "#0 #cd0 #25", "f", MF_OK),
	    PATH("upper case is not the hash", "#252F", "f", MF_E_NOT_FOUND),
	    PATH("the empty prefix is of every hash", "#", "f", MF_OK),
	    PATH("no number", "#x", "f", MF_E_NOT_FOUND),
	    {"paths and prefixes",
	     .setup = IN_A "#2; set targets delegations roles 0 paths = [\"f\"]; "
			   "target A f x",
	     .code = MF_E_FORMAT, .get = "f"},
	    {"prefixes that are no strings",
	     .setup = IN_A "#2; set targets delegations roles 0 path_hash_prefixes = [2]",
	     .code = MF_E_FORMAT, .get = "f"},
	    {"a terminating one", .setup = IN_A "! #2; delegate targets B b 1 *; target B f x", .get = "f",
	     NOT_FOUND},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

static void succinct_roles_are_refused(void **state)
{
	static const struct rp_row rows[] = {
	    {"instead of roles",
	     .setup = IN_A "*; del targets delegations roles; set targets delegations succinct_roles = "
			   "{\"bit_length\":1,\"keyids\":[],\"name_prefix\":\"bin\",\"threshold\":1}",
	     .code = MF_E_FORMAT, .stored = "root.1 snapshot.1 timestamp.1"},
	    {"beside roles", .setup = IN_A "*; set targets delegations succinct_roles = {}",
	     .code = MF_E_FORMAT},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* Whoever lists a role answers for it with keys of their own. */
static void role_is_verified_for_each_delegator(void **state)
{
#define TWO "delegate targets A a 1 *; delegate targets B b 1 *; "
	static const struct rp_row rows[] = {
	    {"the same keys: verified again, not fetched again",
	     .setup = TWO "delegate A C c 1 one; delegate B C c 1 two; target C one 1; target C two 2",
	     .get = "one two",
	     .requests = START " 1.A.json 1.C.json targets/"
			       "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
			       ".one 1.B.json targets/"
			       "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35.two",
	     .got = "one=1 two=2"},
	    {"other keys, that have not signed",
	     .setup = TWO "delegate A C c 1 one; delegate B C d 1 two; target C one 1; target C two 2",
	     .get = "one two", .code = MF_E_SIGNATURE, .got = "one=1"},
	    {"other keys, that have signed",
	     .setup =
		 TWO "delegate A C c 1 one; delegate B C d 1 two; by C cd; target C one 1; target C two 2",
	     .get = "one two", .got = "one=1 two=2"},
	    {"a higher threshold",
	     .setup = TWO "delegate A C c 1 one; delegate B C cd 2 two; target C one 1; target C two 2",
	     .get = "one two", .code = MF_E_SIGNATURE, .got = "one=1"},
	    /* Which of two entries counts would be a guess. */
	    {"listed twice by one delegator, with other keys",
	     .setup =
		 "delegate targets C c 1 one; delegate targets C d 1 two; target C one 1; target C two 2",
	     .get = "one", .code = MF_E_FORMAT, .got = "", .stored = "root.1 snapshot.1 timestamp.1"},
	    {"listed twice by one delegator, with the same keys",
	     .setup = "delegate targets C c 1 one; delegate targets C c 1 two; target C one 1", .get = "one",
	     .code = MF_E_FORMAT, .got = ""},
	    {"listed twice by a delegated role",
	     .setup =
		 "delegate targets A a 1 *; delegate A C c 1 one; delegate A B b 1 *; delegate A C c 1 *;"
		 "target C one 1",
	     .get = "one", .code = MF_E_FORMAT, .got = ""},
	    {"a second run, local file and new keys", .setup = IN_A "*; target A f 1",
	     .then = "set targets delegations = {\"keys\":{},\"roles\":[]}; delegate targets A b 1 *; bump "
		     "targets; "
		     "bump snapshot; bump timestamp",
	     .get = "f", .code = MF_E_SIGNATURE},
	    {"a second run, nothing new", .setup = IN_A "*; target A f 1", .then = "", .get = "f",
	     .requests = WARM, .got = "f=1"},
	    {"a second run, the role is another of the same version",
	     .setup = "hashes both; " IN_A "*; target A f 1",
	     .then = "target A f 2; bump snapshot; bump timestamp", .get = "f", .got = "f=2"},
	    {"a second run, the role is new", .setup = IN_A "*; target A f 1",
	     .then = "target A f 2; bump A; bump snapshot; bump timestamp", .get = "f", .got = "f=2",
	     .requests = WARM " 2.snapshot.json 2.A.json targets/"
			      "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35.f"},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* Names that mean something in URLs and file systems. */
static void role_names_are_quoted_in_urls_and_files(void **state)
{
	static const struct rp_row rows[] = {
	    {"?", .setup = "delegate targets ? a 1 *", .requests = START " 1.%3F.json", .get = "f", NOT_FOUND,
	     .stored = "%3F.1 root.1 snapshot.1 targets.1 timestamp.1"},
	    {"#", .setup = "delegate targets # a 1 *", .requests = START " 1.%23.json", .get = "f",
	     NOT_FOUND},
	    {"absolute", .setup = "delegate targets /delegated a 1 *",
	     .requests = START " 1.%2Fdelegated.json", .get = "f", NOT_FOUND,
	     .stored = "%2Fdelegated.1 root.1 snapshot.1 targets.1 timestamp.1"},
	    {"upwards", .setup = "delegate targets ../delegated a 1 *",
	     .requests = START " 1...%2Fdelegated.json", .get = "f", NOT_FOUND,
	     .stored = "..%2Fdelegated.1 root.1 snapshot.1 targets.1 timestamp.1"},
	    {"dots", .setup = "delegate targets .. a 1 *", .requests = START " 1....json", .get = "f",
	     NOT_FOUND, .stored = "...1 root.1 snapshot.1 targets.1 timestamp.1"},
	    {"already quoted", .setup = "delegate targets %2F a 1 *", .requests = START " 1.%252F.json",
	     .get = "f", NOT_FOUND, .stored = "%252F.1 root.1 snapshot.1 targets.1 timestamp.1"},
	    {"what is never quoted", .setup = "delegate targets aZ09_.-~ a 1 *",
	     .requests = START " 1.aZ09_.-~.json", .get = "f", NOT_FOUND},
	    {"not ASCII", .setup = "delegate targets \xc3\xa4 a 1 *", .requests = START " 1.%C3%A4.json",
	     .get = "f", NOT_FOUND},
	    {"like a versioned root", .setup = "delegate targets 1.root a 1 *",
	     .requests = START " 1.1.root.json", .get = "f", NOT_FOUND,
	     .stored = "1.root.1 root.1 snapshot.1 targets.1 timestamp.1"},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* ---- bytes */

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static void target_is_fetched_once_and_verified(void **state)
{
	static const struct rp_row rows[] = {
	    {"by its hash", .setup = "target targets f hello", .get = "f",
	     .requests = START " targets/" HELLO ".f", .got = "f=hello"},
	    {"in a directory", .setup = "target targets a/b/f hello", .get = "a/b/f",
	     .requests = START " targets/a/b/" HELLO ".f", .got = "a%2Fb%2Ff=hello"},
	    {"a second time nothing is asked for", .setup = "target targets f hello", .then = "", .get = "f",
	     .requests = WARM, .got = "f=hello"},
	    {"without consistent snapshots its name is asked for",
	     .setup = "set root consistent_snapshot = false; target targets a/f hello", .get = "a/f",
	     .requests = "2.root.json timestamp.json snapshot.json targets.json targets/a/f",
	     .got = "a%2Ff=hello"},
	    {"sha512", .setup = "target targets f hello sha512", .get = "f", .got = "f=hello"},
	    {"both: the first is asked for", .setup = "target targets f hello both", .get = "f",
	     .requests = START " targets/" HELLO ".f", .got = "f=hello"},
	    {"one that we know is enough", .setup = "target targets f hello sha512,unknown", .get = "f",
	     .got = "f=hello"},
	    {"none that we know", .setup = "target targets f hello unknown", .get = "f", .code = MF_E_FORMAT,
	     .requests = START, .got = ""},
	    {"no length", .setup = "target targets f hello; del targets targets f length", .get = "f",
	     .code = MF_E_FORMAT, .requests = START},
	    {"no hashes", .setup = "target targets f hello; del targets targets f hashes", .get = "f",
	     .code = MF_E_FORMAT, .requests = START},
	    {"replaced, same length", .setup = "target targets f hello; serve targets/" HELLO ".f jello",
	     .get = "f", .code = MF_E_DIGEST, .got = ""},
	    {"one octet more", .setup = "target targets f hello; serve targets/" HELLO ".f hello!",
	     .get = "f", .code = MF_E_FORMAT, .got = ""},
	    {"one octet less", .setup = "target targets f hello; serve targets/" HELLO ".f hell", .get = "f",
	     .code = MF_E_DIGEST, .got = ""},
	    {"nothing", .setup = "target targets f hello; serve targets/" HELLO ".f", .get = "f",
	     .code = MF_E_DIGEST, .got = ""},
	    {"right hash, length one less",
	     .setup = "target targets f hello; set targets targets f length = 4", .get = "f",
	     .code = MF_E_FORMAT, .got = ""},
	    {"right hash, length one more",
	     .setup = "target targets f hello; set targets targets f length = 6", .get = "f",
	     .code = MF_E_DIGEST, .got = ""},
	    {"sha256 right, sha512 of another",
	     .setup = "target targets g jello both; target targets f hello both; "
		      "set targets targets f hashes sha512 = \"" ZERO_512 "\"",
	     .get = "f", .code = MF_E_DIGEST, .got = ""},
	    {"sha512 right, sha256 of another",
	     .setup = "target targets f hello both; set targets targets f hashes sha256 = \"" ZERO_256 "\";"
		      "serve targets/" ZERO_256 ".f hello",
	     .get = "f", .code = MF_E_DIGEST, .got = ""},
	    {"nowhere",
	     .setup = "set targets targets f = {\"length\":5,\"hashes\":{\"sha256\":\"" HELLO "\"}}",
	     .get = "f", .code = MF_E_CONTENT_GONE, .got = "", .requests = START " targets/" HELLO ".f"},
	    {"of length 0", .setup = "target targets f", .get = "f", .got = "f="},
	    {"of length 0, an octet served",
	     .setup = "target targets f; serve targets/"
		      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.f x",
	     .get = "f", .code = MF_E_DIGEST, .got = ""},
	    {"the file changes", .setup = "target targets f hello",
	     .then = "target targets f jello; bump targets; bump snapshot; bump timestamp", .get = "f",
	     .got = "f=jello"},
	    {"a replaced one leaves the old file", .setup = "target targets f hello",
	     .then = "target targets f jello; serve targets/"
		     "0000000000000000000000000000000000000000000000000000000000000000.f x; bump targets;"
		     "set targets targets f hashes sha256 = \""
		     "0000000000000000000000000000000000000000000000000000000000000000\";"
		     "bump snapshot; bump timestamp",
	     .get = "f", .code = MF_E_DIGEST, .got = "f=hello"},
	    {"several, the first failure ends it",
	     .setup = "target targets a 1; target targets b 2; target targets c 3; "
		      "set targets targets b length = 9",
	     .get = "a b c", .code = MF_E_DIGEST, .got = "a=1"},
	    {"an unknown name", .setup = "target targets a 1", .get = "a x a", NOT_FOUND, .got = "a=1",
	     .stored = "root.1 snapshot.1 targets.1 timestamp.1"},
	    {"quoted",
	     .setup = "target targets \xc3\xa4?#%2F hello; serve targets/" HELLO ".%C3%A4%3F%23%252F hello",
	     .get = "\xc3\xa4?#%2F", .got = "%C3%A4%3F%23%252F=hello"},
	    {"a backslash", .setup = "target targets a\\b hello; serve targets/" HELLO ".a%5Cb hello",
	     .get = "a\\b", .got = "a%5Cb=hello"},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* Every one of these stands in the metadata, signed. */
static void target_names_stay_in_the_directory(void **state)
{
	char long_name[256], long_quoted[90];
	memset(long_name, 'a', 255);
	long_name[255] = 0;
	memset(long_quoted, '+', 85);
	long_quoted[85] = 0;
	const struct {
		const char *name;
		enum mf_code code;
	} rows[] = {
	    {"..", MF_E_USAGE},   {".", MF_E_USAGE},    {"/abs", MF_E_USAGE},  {"a/../b", MF_E_USAGE},
	    {"../b", MF_E_USAGE}, {"a/..", MF_E_USAGE}, {"a//b", MF_E_USAGE},  {"a/", MF_E_USAGE},
	    {"/", MF_E_USAGE},    {"./a", MF_E_USAGE},  {"a/./b", MF_E_USAGE}, {"..a", MF_OK},
	    {"a..", MF_OK},       {"...", MF_OK},       {".lock", MF_OK},      {".tmp-0", MF_OK},
	    {"..\\b", MF_OK},     {"%2e%2e", MF_OK},    {"a\nb", MF_OK},       {"~", MF_OK},
	    {"-", MF_OK},         {long_name, MF_OK},   {long_quoted, MF_OK},
	};
	for (size_t i = 0; i < RP_COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		char name[32];
		(void)snprintf(name, sizeof name, "%zu", i);
		struct rp *r RP_CLEANUP = rp_new(state, name);
		struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		struct mf_target_dir place = {RP_TARGETS, r->targets, 100};
		struct mf_updater *u MF_UPDATER_CLEANUP = NULL;
		rp_target(r, rp_role(r, "targets"), rows[i].name, "hello", "sha256");
		rp_do(r, "root");
		rp_addf(&url, "targets/" HELLO ".");
		rp_ok(mf_pct_encode(&url, mf_str_c(rows[i].name), "", &err), &err);
		rp_serve(r, url.p, mf_bytes_of(MF_STR("hello")));
		rp_ok(rp_init_client(r, &err), &err);
		rp_ok(mf_updater_open(r->metadata, RP_METADATA, &r->fetcher, &r->env, &u, &err), &err);
		rp_ok(mf_updater_refresh(u, &err), &err);
		mf_buf_reset(&r->requests);
		int rc = mf_updater_download(u, rows[i].name, &place, &err);
		if (err.code != rows[i].code || (rc < 0) != (err.code != MF_OK))
			fail_msg("'%s': %s: %s", rows[i].name, mf_code_name(err.code), err.msg);
		assert_int_equal(r->requests.n > 0, rows[i].code == MF_OK);
		assert_int_equal(tmpdir_entries(r->targets), rows[i].code == MF_OK);
		assert_int_equal(tmpdir_entries(r->dir), 2);
	}
}

static void target_names_longer_than_a_file_name_are_refused(void **state)
{
	static const struct {
		size_t n, quoted;
	} rows[] = {{256, 0}, {253, 1}, {0, 86}, {65537, 0}};
	for (size_t i = 0; i < RP_COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct rp *r RP_CLEANUP = rp_new(state, "r");
		struct mf_target_dir place = {RP_TARGETS, r->targets, 100};
		struct mf_updater *u MF_UPDATER_CLEANUP = NULL;
		char *name MF_FREE = calloc(1, rows[i].n + rows[i].quoted + 1);
		memset(name, 'a', rows[i].n);
		memset(name + rows[i].n, '+', rows[i].quoted);
		rp_target(r, rp_role(r, "targets"), name, "hello", "sha256");
		rp_do(r, "root");
		rp_ok(rp_init_client(r, &err), &err);
		rp_ok(mf_updater_open(r->metadata, RP_METADATA, &r->fetcher, &r->env, &u, &err), &err);
		rp_ok(mf_updater_refresh(u, &err), &err);
		assert_int_equal(mf_updater_download(u, name, &place, &err), -1);
		assert_int_equal(err.code, MF_E_USAGE);
	}
}

/* "a" asked for, "a\0b" or "a" with an escape in the metadata. */
static void escapes_in_target_names_are_decoded(void **state)
{
	static const struct rp_row rows[] = {
	    {"an escaped letter is that letter",
	     .setup = "target targets abc hello; wire targets \"abc\" \"\\u0061bc\"", .get = "abc",
	     .got = "abc=hello"},
	    {"NUL in a target's name",
	     .setup = "set targets targets = {\"f\\u0001g\":{\"length\":5,"
		      "\"hashes\":{\"sha256\":\"" HELLO "\"}}}",
	     .get = "f", .code = MF_E_FORMAT, .got = ""},
	    {"NUL in a role's name", .setup = IN_A "*; set targets delegations roles 0 name = \"A\\u0001B\"",
	     .get = "f", .code = MF_E_FORMAT, .got = ""},
	    {"NUL in a path",
	     .setup = IN_A "*; set targets delegations roles 0 paths = [\"f\\u0001\"]; "
			   "target A f hello",
	     .get = "f", NOT_FOUND, .got = ""},
	    {"NUL in a name of the snapshot", .setup = "set snapshot meta A\001.json = {\"version\":1}",
	     .code = MF_E_FORMAT, .stored = "root.1 timestamp.1"},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* ---- what lies in the target directory */

static struct rp *with_target(void **state, const char *name)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r = rp_new(state, name);
	rp_do(r, "target targets f hello; root");
	rp_ok(rp_init_client(r, &err), &err);
	return r;
}

static void put(const struct rp *r, const char *name, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	char *path MF_FREE = mf_path_join(r->targets, name, NULL);
	rp_ok(mf_file_write(path, mf_bytes_of(mf_str_c(text)), 0600, &err), &err);
}

/* Build tools compare times: a file that is right must not change. */
static void file_that_is_right_is_not_touched(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = with_target(state, "r");
	struct stat before, after;
	char *path MF_FREE = mf_path_join(r->targets, "f", NULL);
	put(r, "f", "hello");
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(rp_run(r, "f f", &err), MF_OK);
	assert_string_equal(rp_requests(r), START);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
	assert_int_equal(before.st_mode, after.st_mode);
}

static void file_that_is_wrong_is_replaced(void **state)
{
	static const char *const wrong[] = {"", "hell", "jello", "hello!", "a much longer text than it was"};
	for (size_t i = 0; i < RP_COUNT(wrong); i++) {
		struct mf_err err = MF_ERR_INIT;
		char name[32];
		(void)snprintf(name, sizeof name, "%zu", i);
		struct rp *r RP_CLEANUP = with_target(state, name);
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		put(r, "f", wrong[i]);
		assert_int_equal(rp_run(r, "f", &err), MF_OK);
		rp_got(r, &text);
		assert_string_equal(text.p, "f=hello");
	}
}

/* Whoever can write to the target directory plants a link to a file of the user's. */
static void planted_link_is_replaced_not_followed(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = with_target(state, "r");
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	char *victim MF_FREE = mf_path_join(r->dir, "victim", NULL);
	char *link MF_FREE = mf_path_join(r->targets, "f", NULL);
	struct stat st;
	rp_ok(mf_file_write(victim, mf_bytes_of(MF_STR("precious")), 0600, &err), &err);
	assert_int_equal(symlink(victim, link), 0);
	assert_int_equal(rp_run(r, "f", &err), MF_OK);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	rp_ok(mf_file_read(victim, 100, &text, &err), &err);
	assert_string_equal(text.p, "precious");
	/* One that leads nowhere, and one in a circle. */
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("f", link), 0);
	assert_int_equal(rp_run(r, "f", &err), MF_OK);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void what_is_no_file_is_in_the_way(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = with_target(state, "r");
	char *path MF_FREE = mf_path_join(r->targets, "f", NULL);
	assert_int_equal(mkfifo(path, 0600), 0); /* would block whoever opens it */
	assert_int_equal(rp_run(r, "f", &err), MF_E_IO);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(rp_run(r, "f", &err), MF_E_IO);
	assert_int_equal(tmpdir_entries(r->targets), 1);
}

static void target_directory_is_made_when_there_is_something_for_it(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = with_target(state, "r");
	assert_int_equal(rmdir(r->targets), 0);
	assert_int_equal(rp_run(r, "g", &err), MF_E_NOT_FOUND);
	assert_int_equal(access(r->targets, F_OK), -1);
	assert_int_equal(rp_run(r, "f", &err), MF_OK);
	assert_int_equal(tmpdir_entries(r->targets), 1);
}

/* The targets role could become root otherwise. */
static void metadata_directory_takes_no_targets(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	rp_do(r, "target targets root.json {}; root");
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rmdir(r->targets), 0);
	assert_int_equal(symlink("metadata", r->targets), 0);
	assert_int_equal(rp_run(r, "root.json", &err), MF_E_USAGE);
	assert_string_equal(rp_requests(r), START);
	rp_stored(r, &text);
	assert_string_equal(text.p, "root.1 snapshot.1 targets.1 timestamp.1");
}

static void longest_target_is_the_callers_to_choose(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = with_target(state, "r");
	r->max_length = 4;
	assert_int_equal(rp_run(r, "f", &err), MF_E_FORMAT);
	assert_string_equal(rp_requests(r), START);
	r->max_length = 5;
	assert_int_equal(rp_run(r, "f", &err), MF_OK);
	assert_int_equal(r->max, 5);
}

static void target_of_a_huge_announced_length_is_not_asked_for(void **state)
{
	static const struct rp_row rows[] = {
	    {"2^53 - 1", .setup = "target targets f hello; set targets targets f length = 9007199254740991",
	     .get = "f", .code = MF_E_FORMAT, .requests = START},
	    {"negative", .setup = "target targets f hello; set targets targets f length = -1", .get = "f",
	     .code = MF_E_FORMAT, .requests = START},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* More than a spool keeps in memory. */
static void large_target_arrives_whole(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	struct mf_buf got MF_BUF_CLEANUP = MF_BUF_INIT(1 << 24);
	size_t n = (1 << 20) + 1;
	char *big MF_FREE = calloc(1, n + 1), *path MF_FREE = mf_path_join(r->targets, "f", NULL);
	for (size_t i = 0; i < n; i++)
		big[i] = (char)('a' + i * 7 % 26);
	rp_target(r, rp_role(r, "targets"), "f", big, "both");
	rp_do(r, "root");
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rp_run(r, "f", &err), MF_OK);
	rp_ok(mf_file_read(path, 1 << 24, &got, &err), &err);
	assert_string_equal(got.p, big);
	assert_int_equal(rp_run(r, "f", &err), MF_OK);
	assert_string_equal(rp_requests(r), WARM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(delegations_are_walked_depth_first_in_order),
	    tmpdir_test(only_verified_roles_are_stored),
	    tmpdir_test(target_paths_are_those_of_the_delegation),
	    tmpdir_test(path_hash_prefixes_are_of_the_names_sha256),
	    tmpdir_test(succinct_roles_are_refused),
	    tmpdir_test(role_is_verified_for_each_delegator),
	    tmpdir_test(role_names_are_quoted_in_urls_and_files),
	    tmpdir_test(target_is_fetched_once_and_verified),
	    tmpdir_test(target_names_stay_in_the_directory),
	    tmpdir_test(target_names_longer_than_a_file_name_are_refused),
	    tmpdir_test(escapes_in_target_names_are_decoded),
	    tmpdir_test(file_that_is_right_is_not_touched),
	    tmpdir_test(file_that_is_wrong_is_replaced),
	    tmpdir_test(planted_link_is_replaced_not_followed),
	    tmpdir_test(what_is_no_file_is_in_the_way),
	    tmpdir_test(target_directory_is_made_when_there_is_something_for_it),
	    tmpdir_test(metadata_directory_takes_no_targets),
	    tmpdir_test(longest_target_is_the_callers_to_choose),
	    tmpdir_test(target_of_a_huge_announced_length_is_not_asked_for),
	    tmpdir_test(large_target_arrives_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
