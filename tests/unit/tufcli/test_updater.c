/* The client workflow of manifesto-tuf: what is asked for, what is trusted, what is stored. */
#include "repository.h"

#define ALL_1 "root.1 snapshot.1 targets.1 timestamp.1"
#define FIRST "2.root.json timestamp.json 1.snapshot.json 1.targets.json"
#define WARM "2.root.json timestamp.json"
/* Everything one version on. */
#define NEXT "bump timestamp; bump snapshot; bump targets"
#define ALL_2 "root.1 snapshot.2 targets.2 timestamp.2"
#define BUMPED "2.root.json timestamp.json 2.snapshot.json 2.targets.json"

static void asks_for_what_it_needs_and_stores_it_byte_for_byte(void **state)
{
	static const struct rp_row rows[] = {
	    {"first run", .stored = ALL_1, .requests = FIRST},
	    {"nothing new", .then = "", .stored = ALL_1, .requests = WARM},
	    {"hashes", .setup = "hashes sha256", .stored = ALL_1, .requests = FIRST},
	    {"sha512", .setup = "hashes sha512", .stored = ALL_1, .requests = FIRST},
	    {"both, nothing new", .setup = "hashes both", .then = "", .stored = ALL_1, .requests = WARM},
	    {"all new", .then = NEXT, .stored = ALL_2, .requests = BUMPED},
	    {"new timestamp", .then = "bump timestamp", .stored = "root.1 snapshot.1 targets.1 timestamp.2",
	     .requests = WARM},
	    {"new snapshot", .then = "bump timestamp; bump snapshot",
	     .stored = "root.1 snapshot.2 targets.1 timestamp.2",
	     .requests = "2.root.json timestamp.json 2.snapshot.json"},
	    {"new root", .then = "root", .stored = "root.2 snapshot.1 targets.1 timestamp.1",
	     .requests = "2.root.json 3.root.json timestamp.json"},
	    {"blanks behind a file", .setup = "pad timestamp 1; pad snapshot 3; pad targets 7",
	     .stored = ALL_1},
	    {"unknown members",
	     .setup =
		 "set root x = {\"a\":[1,{\"b\":null}]}; set root roles targets y = 1; set targets z = 2",
	     .stored = ALL_1},
	    {"names without a version", .setup = "set root consistent_snapshot = false", .stored = ALL_1,
	     .requests = "2.root.json timestamp.json snapshot.json targets.json"},
	    {"names without a version, all new", .setup = "set root consistent_snapshot = false",
	     .then = NEXT, .stored = ALL_2,
	     .requests = "2.root.json timestamp.json snapshot.json targets.json"},
	    {"consistent_snapshot absent", .setup = "del root consistent_snapshot", .stored = ALL_1,
	     .requests = "2.root.json timestamp.json snapshot.json targets.json"},
	    {"consistent snapshots from a later root on",
	     .setup = "set root consistent_snapshot = false; root; set root consistent_snapshot = true; root",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1",
	     .requests = "2.root.json 3.root.json timestamp.json 1.snapshot.json 1.targets.json"},
	    {"another timestamp of the same version", .then = "set timestamp x = 1; bump snapshot",
	     .stored = ALL_1, .requests = WARM},
	    {"another snapshot of the same version, announced by its hash", .setup = "hashes sha256",
	     .then = "set snapshot x = 1; bump timestamp",
	     .stored = "root.1 snapshot.1 targets.1 timestamp.2", .requests = WARM " 1.snapshot.json"},
	    {"another targets of the same version, announced by its hash", .setup = "hashes sha512",
	     .then = "set targets x = 1; bump snapshot; bump timestamp",
	     .stored = "root.1 snapshot.2 targets.1 timestamp.2",
	     .requests = WARM " 2.snapshot.json 1.targets.json"},
	    {"an expired local snapshot", .setup = "expire snapshot; clock -1",
	     .then =
		 "clock 1; bump timestamp; bump snapshot; set snapshot expires = \"2030-01-01T00:00:00Z\"",
	     .stored = "root.1 snapshot.2 targets.1 timestamp.2"},
	    {"an expired local targets", .setup = "expire targets; clock -1",
	     .then = "clock 1; " NEXT "; set targets expires = \"2030-01-01T00:00:00Z\"", .stored = ALL_2},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

static void stops_at_what_is_missing_or_wrong(void **state)
{
	static const struct rp_row rows[] = {
	    {"no timestamp", .setup = "gone timestamp", .code = MF_E_GONE, .stored = "root.1",
	     .requests = "2.root.json timestamp.json"},
	    {"no snapshot", .setup = "gone snapshot", .code = MF_E_GONE, .stored = "root.1 timestamp.1",
	     .requests = "2.root.json timestamp.json 1.snapshot.json"},
	    {"no targets", .setup = "gone targets", .code = MF_E_GONE,
	     .stored = "root.1 snapshot.1 timestamp.1", .requests = FIRST},
	    {"no timestamp any more", .then = "gone timestamp", .code = MF_E_GONE, .stored = ALL_1},
	    {"unsigned root", .then = "by root -; root", .code = MF_E_SIGNATURE, .stored = ALL_1,
	     .requests = "2.root.json"},
	    {"unsigned timestamp", .setup = "by timestamp -", .code = MF_E_SIGNATURE, .stored = "root.1"},
	    {"unsigned snapshot", .setup = "by snapshot -", .code = MF_E_SIGNATURE,
	     .stored = "root.1 timestamp.1"},
	    {"unsigned targets", .setup = "by targets -", .code = MF_E_SIGNATURE,
	     .stored = "root.1 snapshot.1 timestamp.1"},
	    {"a bit of a signature: timestamp", .setup = "flip timestamp", .code = MF_E_SIGNATURE,
	     .stored = "root.1"},
	    {"a bit of a signature: snapshot", .setup = "flip snapshot", .code = MF_E_SIGNATURE,
	     .stored = "root.1 timestamp.1"},
	    {"a bit of a signature: targets", .setup = "flip targets", .code = MF_E_SIGNATURE,
	     .stored = "root.1 snapshot.1 timestamp.1"},
	    {"another role's key", .setup = "by timestamp s", .code = MF_E_SIGNATURE, .stored = "root.1"},
	    {"changed after signing", .setup = "wire targets 1.0.31 1.0.32", .code = MF_E_SIGNATURE},
	    {"root says a later version", .then = "root 3", .code = MF_E_FORMAT, .stored = ALL_1},
	    {"root says its own version again", .then = "root 1", .code = MF_E_FORMAT, .stored = ALL_1},
	    {"snapshot is not of the version announced", .setup = "list snapshot 2", .code = MF_E_FORMAT,
	     .stored = "root.1 timestamp.1", .requests = "2.root.json timestamp.json 2.snapshot.json"},
	    {"targets is not of the version announced", .setup = "list targets 2", .code = MF_E_FORMAT,
	     .stored = "root.1 snapshot.1 timestamp.1"},
	    {"a snapshot is served as timestamp", .setup = "set timestamp _type = \"snapshot\"",
	     .code = MF_E_FORMAT, .stored = "root.1"},
	    {"a timestamp is served as snapshot", .setup = "set snapshot _type = \"timestamp\"",
	     .code = MF_E_FORMAT, .stored = "root.1 timestamp.1"},
	    {"not spec_version 1", .setup = "set timestamp spec_version = \"2.0.0\"", .code = MF_E_FORMAT,
	     .stored = "root.1"},
	    {"no spec_version", .setup = "del targets spec_version", .code = MF_E_FORMAT},
	    {"version 0", .setup = "version timestamp 0", .code = MF_E_FORMAT, .stored = "root.1"},
	    {"not JSON", .setup = "wire timestamp \"signed\" signed", .code = MF_E_FORMAT},
	    {"snapshot without targets", .setup = "list targets 0", .code = MF_E_FORMAT,
	     .stored = "root.1 timestamp.1"},
	    {"timestamp without snapshot", .setup = "list snapshot 0", .code = MF_E_FORMAT,
	     .stored = "root.1"},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* What is announced by its parent with a length and hashes must be that. */
static void announced_hashes_and_lengths_hold(void **state)
{
	static const char *const roles[] = {"snapshot", "targets"};
	static const char *const stored[] = {"root.1 timestamp.1", "root.1 snapshot.1 timestamp.1"};
	for (size_t i = 0; i < 6; i++) {
		struct mf_err err = MF_ERR_INIT;
		char name[32], url[64];
		(void)snprintf(name, sizeof name, "%zu", i);
		struct rp *r RP_CLEANUP = rp_new(state, name);
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		rp_do(r, i < 2 ? "hashes sha256; root" : i < 4 ? "hashes sha512; root" : "hashes both; root");
		/* Signed just the same, one octet of blank less and one of content more. */
		struct rp_role *role = rp_role(r, roles[i % 2]);
		rp_replace(&role->bytes, "\"signed\":", "\"signed\": ");
		role->bytes.n--;
		(void)snprintf(url, sizeof url, "1.%s.json", roles[i % 2]);
		rp_serve(r, url, mf_buf_bytes(&role->bytes));
		rp_ok(rp_init_client(r, &err), &err);
		assert_int_equal(rp_run(r, NULL, &err), MF_E_DIGEST);
		rp_stored(r, &text);
		assert_string_equal(text.p, stored[i % 2]);
	}
}

static void what_has_expired_is_not_trusted(void **state)
{
	static const struct rp_row rows[] = {
	    {"root", .setup = "root; expire root; root", .code = MF_E_EXPIRED, .stored = "root.2",
	     .requests = "2.root.json 3.root.json"},
	    {"first root, the next has not",
	     .setup = "expire root; root; "
		      "set root expires = \"2030-01-01T00:00:00Z\"; root",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1"},
	    {"the only root", .setup = "expire root; root", .code = MF_E_EXPIRED, .stored = "root.1",
	     .requests = "2.root.json"},
	    {"timestamp", .setup = "expire timestamp", .code = MF_E_EXPIRED, .stored = "root.1"},
	    {"snapshot", .setup = "expire snapshot", .code = MF_E_EXPIRED, .stored = "root.1 timestamp.1"},
	    {"targets", .setup = "expire targets", .code = MF_E_EXPIRED,
	     .stored = "root.1 snapshot.1 timestamp.1"},
	    {"a second before", .setup = "expire timestamp; expire snapshot; expire targets; clock -1",
	     .stored = ALL_1},
	    {"timestamp, later", .then = "bump timestamp; expire timestamp", .code = MF_E_EXPIRED,
	     .stored = ALL_1, .requests = WARM},
	    {"snapshot, later", .then = NEXT "; expire snapshot", .code = MF_E_EXPIRED,
	     .stored = "root.1 snapshot.1 targets.1 timestamp.2"},
	    {"targets, later", .then = NEXT "; expire targets", .code = MF_E_EXPIRED,
	     .stored = "root.1 snapshot.2 targets.1 timestamp.2"},
	    {"root, with time", .setup = "expire root; root; clock -1", .then = "clock 1",
	     .code = MF_E_EXPIRED, .stored = ALL_1, .requests = "2.root.json"},
	    {"local timestamp, and a new one", .setup = "expire timestamp; clock -1",
	     .then = "clock 1; set timestamp expires = \"2030-01-01T00:00:00Z\"; bump timestamp",
	     .stored = "root.1 snapshot.1 targets.1 timestamp.2"},
	    /* Kept as it is, so it is the expired one that counts. */
	    {"local timestamp, and another of its version", .setup = "expire timestamp; clock -1",
	     .then = "clock 1; set timestamp expires = \"2030-01-01T00:00:00Z\"", .code = MF_E_EXPIRED,
	     .stored = ALL_1},
	    {"an expired local timestamp is a floor",
	     .setup = "version timestamp 5; expire timestamp; clock -1",
	     .then = "clock 1; set timestamp expires = \"2030-01-01T00:00:00Z\"; version timestamp 4",
	     .code = MF_E_ROLLBACK},
	    {"an expired local snapshot is a floor", .setup = "version targets 5; expire snapshot; clock -1",
	     .then = "clock 1; set snapshot expires = \"2030-01-01T00:00:00Z\"; bump timestamp;"
		     "bump snapshot; version targets 4",
	     .code = MF_E_ROLLBACK},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* The set's keys, in order of the first root; the client knows the first one only. */
static void roots_follow_one_another(void **state)
{
	static const struct rp_row rows[] = {
	    {"same keys", .setup = "root; root; root", .stored = "root.3 snapshot.1 targets.1 timestamp.1",
	     .requests = "2.root.json 3.root.json 4.root.json timestamp.json 1.snapshot.json 1.targets.json"},
	    {"another key, signed by both", .setup = "root; keys root a 1; by root ra; root",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1"},
	    {"another key, by the new one only", .setup = "root; keys root a 1; by root a; root",
	     .code = MF_E_SIGNATURE, .stored = "root.1", .requests = "2.root.json"},
	    {"another key, by the old one only", .setup = "root; keys root a 1; by root r; root",
	     .code = MF_E_SIGNATURE, .stored = "root.1"},
	    {"and on", .setup = "root; keys root a 1; by root ra; root; keys root b 1; by root ab; root",
	     .stored = "root.3 snapshot.1 targets.1 timestamp.1"},
	    {"one step cannot be left out",
	     .setup = "root; keys root a 1; by root ra; root; keys root b 1; by root rb; root",
	     .code = MF_E_SIGNATURE, .stored = "root.2", .requests = "2.root.json 3.root.json"},
	    {"threshold 2 of 3, two sign", .setup = "keys root rab 2; by root rb; root; by root ab; root",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1"},
	    {"threshold 2 of 3, one signs", .setup = "keys root rab 2; by root rb; root; by root a; root",
	     .code = MF_E_SIGNATURE, .stored = "root.1"},
	    {"threshold raised, new one met", .setup = "root; keys root ra 2; by root ra; root",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1"},
	    {"threshold raised, only the old one met", .setup = "root; keys root ra 2; by root r; root",
	     .code = MF_E_SIGNATURE, .stored = "root.1"},
	    {"threshold lowered, the old one counts",
	     .setup = "keys root ra 2; by root ra; root; keys root ra 1; by root r; root",
	     .code = MF_E_SIGNATURE, .stored = "root.1"},
	    {"threshold lowered, met",
	     .setup = "keys root ra 2; by root ra; root; keys root ra 1; root; by root a; root",
	     .stored = "root.3 snapshot.1 targets.1 timestamp.1"},
	    {"strangers sign as well", .setup = "root; by root xry; root",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1"},
	    {"keys of several versions back return",
	     .setup = "root; keys root a 1; by root ra; root; keys root r 1; by root ar; root",
	     .stored = "root.3 snapshot.1 targets.1 timestamp.1"},
	    {"malformed", .setup = "root; set root roles targets threshold = 0; root", .code = MF_E_FORMAT,
	     .stored = "root.1"},
	    {"without timestamp's role", .setup = "root; del root roles timestamp; root", .code = MF_E_FORMAT,
	     .stored = "root.1"},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

static void keys_of_other_roles_come_from_the_last_root(void **state)
{
	static const struct rp_row rows[] = {
	    {"timestamp", .then = "keys timestamp a 1; by timestamp a; root; bump timestamp",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.2",
	     .requests = "2.root.json 3.root.json timestamp.json 1.snapshot.json"},
	    {"timestamp by the old key", .then = "keys timestamp a 1; root; bump timestamp",
	     .code = MF_E_SIGNATURE, .stored = "root.2 targets.1"},
	    {"snapshot", .then = "keys snapshot a 1; by snapshot a; root; " NEXT,
	     .stored = "root.2 snapshot.2 targets.2 timestamp.2"},
	    {"snapshot by the old key", .then = "keys snapshot a 1; root; " NEXT, .code = MF_E_SIGNATURE,
	     .stored = "root.2 targets.1 timestamp.2"},
	    {"targets", .then = "keys targets a 1; by targets a; root; " NEXT,
	     .stored = "root.2 snapshot.2 targets.2 timestamp.2",
	     .requests = "2.root.json 3.root.json timestamp.json 2.snapshot.json 2.targets.json"},
	    /* The local file no longer verifies: asked for again, though its version is the same. */
	    {"targets of the same version by the new key", .then = "keys targets a 1; by targets a; root",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1",
	     .requests = "2.root.json 3.root.json timestamp.json 1.targets.json"},
	    {"targets by the old key", .then = "keys targets a 1; root", .code = MF_E_SIGNATURE,
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1"},
	    {"threshold raised and met", .then = "keys targets ga 2; by targets ga; root; " NEXT,
	     .stored = "root.2 snapshot.2 targets.2 timestamp.2"},
	    {"threshold raised", .then = "keys targets ga 2; by targets g; root; " NEXT,
	     .code = MF_E_SIGNATURE, .stored = "root.2 snapshot.2 targets.1 timestamp.2"},
	    {"timestamp's threshold raised", .then = "keys timestamp ta 2; root", .code = MF_E_SIGNATURE,
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1"},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

#define AT_5 "version timestamp 5; version snapshot 5; version targets 5"
#define ALL_5 "root.1 snapshot.5 targets.5 timestamp.5"

static void lower_versions_are_refused(void **state)
{
	static const struct rp_row rows[] = {
	    {"timestamp", .setup = AT_5, .then = "version timestamp 4", .code = MF_E_ROLLBACK,
	     .stored = ALL_5, .requests = WARM},
	    {"snapshot in the timestamp", .setup = AT_5, .then = "version timestamp 6; version snapshot 4",
	     .code = MF_E_ROLLBACK, .stored = ALL_5, .requests = WARM},
	    {"snapshot, with hashes", .setup = "hashes both; " AT_5,
	     .then = "version timestamp 6; version snapshot 4", .code = MF_E_ROLLBACK, .stored = ALL_5,
	     .requests = WARM},
	    {"targets in the snapshot", .setup = AT_5,
	     .then = "version timestamp 6; version snapshot 6; version targets 4", .code = MF_E_ROLLBACK,
	     .stored = "root.1 snapshot.5 targets.5 timestamp.6",
	     .requests = "2.root.json timestamp.json 6.snapshot.json"},
	    {"targets, with hashes", .setup = "hashes sha256; " AT_5,
	     .then = "version timestamp 6; version snapshot 6; version targets 4", .code = MF_E_ROLLBACK,
	     .stored = "root.1 snapshot.5 targets.5 timestamp.6"},
	    {"a role that the snapshot does not list any more", .setup = "delegate targets qa q 1 *; " AT_5,
	     .then = "version timestamp 6; version snapshot 6; list qa 0", .code = MF_E_ROLLBACK,
	     .stored = "root.1 snapshot.5 targets.5 timestamp.6"},
	    {"a delegated role in the snapshot", .setup = "delegate targets qa q 1 *; version qa 3",
	     .then = "bump timestamp; bump snapshot; version qa 2", .code = MF_E_ROLLBACK},
	    {"timestamp, after its threshold was met by a new root with the same key", .setup = AT_5,
	     .then = "root; version timestamp 4", .code = MF_E_ROLLBACK,
	     .stored = "root.2 snapshot.5 targets.5 timestamp.5"},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* Whoever had the keys gave them huge versions; new keys in a root make lower ones good again (5.3.11). */
static void rotated_keys_recover_from_fast_forward(void **state)
{
	static const struct rp_row rows[] = {
	    {"timestamp", .setup = "version timestamp 100",
	     .then = "keys timestamp a 1; by timestamp a; root; version timestamp 1",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1",
	     .requests = "2.root.json 3.root.json timestamp.json 1.snapshot.json"},
	    {"snapshot", .setup = "version snapshot 100",
	     .then = "keys timestamp a 1; by timestamp a; keys snapshot b 1; by snapshot b; root;"
		     "version snapshot 1; bump timestamp",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.2"},
	    {"snapshot, its key alone", .setup = "version snapshot 100",
	     .then = "keys snapshot b 1; by snapshot b; root; version snapshot 1; bump timestamp",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.2"},
	    {"targets", .setup = "version targets 100",
	     .then = "keys snapshot b 1; by snapshot b; root; version targets 1; bump snapshot;"
		     "bump timestamp",
	     .stored = "root.2 snapshot.2 targets.1 timestamp.2"},
	    {"a removed role", .setup = "delegate targets qa q 1 *; version qa 100",
	     .then = "keys snapshot b 1; by snapshot b; root; list qa 0; bump snapshot; bump timestamp",
	     .stored = "root.2 snapshot.2 targets.1 timestamp.2"},
	    {"one of two keys is taken away", .setup = "keys timestamp ta 1; version timestamp 100",
	     .then = "keys timestamp t 1; root; version timestamp 1",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1"},
	    {"a key comes, none goes", .setup = "version timestamp 100",
	     .then = "keys timestamp ta 1; root; version timestamp 1", .code = MF_E_ROLLBACK,
	     .stored = "root.2 snapshot.1 targets.1 timestamp.100"},
	    {"the key goes and comes back", .setup = "version timestamp 100",
	     .then = "keys timestamp a 1; root; keys timestamp t 1; root; version timestamp 1",
	     .stored = "root.3 snapshot.1 targets.1 timestamp.1"},
	    {"a higher threshold, that the local one does not meet", .setup = "version timestamp 100",
	     .then = "keys timestamp ta 2; by timestamp ta; root; version timestamp 1",
	     .stored = "root.2 snapshot.1 targets.1 timestamp.1"},
	    {"the same of the snapshot", .setup = "version targets 100",
	     .then = "keys snapshot sa 2; by snapshot sa; root; version targets 1; bump snapshot;"
		     "bump timestamp",
	     .stored = "root.2 snapshot.2 targets.1 timestamp.2"},
	    {"keys of targets alone recover nothing", .setup = "version targets 100",
	     .then = "keys targets a 1; by targets a; root; version targets 1; bump snapshot;"
		     "bump timestamp",
	     .code = MF_E_ROLLBACK},
	    {"a refused root recovers nothing", .setup = "version timestamp 100",
	     .then = "keys timestamp a 1; by timestamp a; by root x; root; version timestamp 1",
	     .code = MF_E_SIGNATURE, .stored = "root.1 snapshot.1 targets.1 timestamp.100"},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* ---- local files */

static void spoil(const struct rp *r, const char *name, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	char *path MF_FREE = mf_path_join(r->metadata, name, NULL);
	if (text)
		rp_ok(mf_file_write(path, mf_bytes_of(mf_str_c(text)), 0644, &err), &err);
	else
		assert_int_equal(unlink(path), 0);
}

/* One file of an earlier run is lost or spoiled. */
static void local_files_that_are_no_good_are_fetched_anew(void **state)
{
	static const struct {
		const char *file, *text, *requests;
		enum mf_code code;
	} rows[] = {
	    {"timestamp.json", NULL, WARM, MF_OK},
	    {"timestamp.json", "{}", WARM, MF_OK},
	    {"snapshot.json", NULL, WARM " 1.snapshot.json", MF_OK},
	    {"snapshot.json", "", WARM " 1.snapshot.json", MF_OK},
	    {"targets.json", NULL, WARM " 1.targets.json", MF_OK},
	    {"targets.json", "x", WARM " 1.targets.json", MF_OK},
	    {"root.json", NULL, "", MF_E_NOT_FOUND},
	    {"root.json", "{}", "", MF_E_FORMAT},
	};
	for (size_t i = 0; i < RP_COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		char name[32];
		(void)snprintf(name, sizeof name, "%zu", i);
		struct rp *r RP_CLEANUP = rp_new(state, name);
		rp_do(r, "root");
		rp_ok(rp_init_client(r, &err), &err);
		assert_int_equal(rp_run(r, NULL, &err), MF_OK);
		spoil(r, rows[i].file, rows[i].text);
		assert_int_equal(rp_run(r, NULL, &err), rows[i].code);
		assert_string_equal(rp_requests(r), rows[i].requests);
		if (rows[i].code == MF_OK) {
			rp_stored(r, &text);
			assert_string_equal(text.p, ALL_1);
		}
	}
}

static void local_file_larger_than_any_is_fetched_anew(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	char *path MF_FREE = mf_path_join(r->metadata, "timestamp.json", NULL);
	rp_do(r, "root");
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	assert_int_equal(truncate(path, 1 << 20), 0);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	assert_string_equal(rp_requests(r), WARM);
	assert_non_null(strstr(r->warnings.p, "timestamp.json"));
}

/* Parses, but is not what was signed. */
static void local_files_whose_signature_is_no_good_count_for_nothing(void **state)
{
	static const struct {
		const char *role, *requests;
		enum mf_code code;
	} rows[] = {
	    {"root", "", MF_E_SIGNATURE},
	    {"timestamp", WARM, MF_OK},
	    {"snapshot", WARM " 1.snapshot.json", MF_OK},
	    {"targets", WARM " 1.targets.json", MF_OK},
	};
	for (size_t i = 0; i < RP_COUNT(rows); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
		char name[32];
		(void)snprintf(name, sizeof name, "%s.json", rows[i].role);
		struct rp *r RP_CLEANUP = rp_new(state, rows[i].role);
		rp_do(r, "root");
		rp_ok(rp_init_client(r, &err), &err);
		assert_int_equal(rp_run(r, NULL, &err), MF_OK);
		rp_addf(&bytes, "%s", rp_role(r, rows[i].role)->bytes.p);
		/* A floor, were it believed. */
		rp_replace(&bytes, i == 3 || i == 0 ? "1.0.31" : "\"version\":1",
			   i == 3 || i == 0 ? "1.0.32" : "\"version\":9");
		spoil(r, name, bytes.p);
		assert_int_equal(rp_run(r, NULL, &err), rows[i].code);
		assert_string_equal(rp_requests(r), rows[i].requests);
	}
}

/* An attacker who can write to the directory, or a disk that went back in time, has a valid older snapshot
 * there: it is not what the timestamp announces. */
static void local_snapshot_of_another_version_is_fetched_anew(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	struct mf_buf old MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20), text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	rp_do(r, "root");
	rp_addf(&old, "%s", rp_role(r, "snapshot")->bytes.p);
	rp_do(r, NEXT);
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	spoil(r, "snapshot.json", old.p);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	assert_string_equal(rp_requests(r), WARM " 2.snapshot.json");
	rp_stored(r, &text);
	assert_string_equal(text.p, ALL_2);
}

/* ---- init */

static void init_takes_a_root_that_signs_itself_and_forgets_what_was(void **state)
{
	static const struct rp_row rows[] = {
	    {"unsigned", .setup = "by root -; root", .code = MF_E_SIGNATURE, .stored = "", .requests = ""},
	    {"a bit of its signature", .setup = "flip root; root", .code = MF_E_SIGNATURE, .stored = ""},
	    {"another key's signature", .setup = "by root x; root", .code = MF_E_SIGNATURE, .stored = ""},
	    {"below its threshold", .setup = "keys root ra 2; root", .code = MF_E_SIGNATURE, .stored = ""},
	    {"without expiry", .setup = "del root expires; root", .code = MF_E_FORMAT, .stored = ""},
	    {"another type", .setup = "set root _type = \"targets\"; root", .code = MF_E_FORMAT,
	     .stored = ""},
	};
	rp_table(state, rows, RP_COUNT(rows));
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096), first MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	rp_do(r, "version timestamp 7; root");
	rp_add(&first, rp_role(r, "root")->bytes.p, rp_role(r, "root")->bytes.n);
	rp_ok(rp_init_client(r, &err), &err);
	rp_do(r, "root");
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	/* A bad one changes nothing. */
	assert_int_equal(mf_updater_init_dir(r->metadata, mf_bytes_of(MF_STR("{}")), &r->env, &err), -1);
	rp_stored(r, &text);
	assert_string_equal(text.p, "root.2 snapshot.1 targets.1 timestamp.7");
	/* A good one, older than the last: the user says so. */
	mf_err_clear(&err);
	rp_ok(mf_updater_init_dir(r->metadata, mf_buf_bytes(&first), &r->env, &err), &err);
	rp_stored(r, &text);
	assert_string_equal(text.p, "root.1 targets.1");
	rp_do(r, "version timestamp 6");
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	assert_string_equal(rp_requests(r), "2.root.json 3.root.json timestamp.json 1.snapshot.json");
}

static void init_refuses_a_root_over_the_limit(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	char *path MF_FREE = mf_path_join(r->metadata, "root.json", NULL);
	struct stat st;
	rp_do(r, "root");
	struct mf_buf *bytes = &r->published[0].bytes;
	while (bytes->n < MF_MAX_ROOT_BYTES)
		rp_add(bytes, " ", 1);
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	rp_add(bytes, " ", 1);
	assert_int_equal(rp_init_client(r, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, MF_MAX_ROOT_BYTES);
}

static void directory_without_a_trusted_root_is_not_found(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	assert_int_equal(rp_run(r, NULL, &err), MF_E_NOT_FOUND);
	mf_err_clear(&err);
	rp_ok(mf_dir_make(r->metadata, 0755, &err), &err);
	assert_int_equal(rp_run(r, NULL, &err), MF_E_NOT_FOUND);
	assert_string_equal(mf_buf_str(&r->requests).p, "");
}

/* Another's process has the directory. */
static void directory_is_locked_while_it_is_used(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	struct mf_updater *u MF_UPDATER_CLEANUP = NULL;
	rp_do(r, "root");
	rp_ok(rp_init_client(r, &err), &err);
	rp_ok(mf_updater_open(r->metadata, RP_METADATA, &r->fetcher, &r->env, &u, &err), &err);
	r->env.deadline_ms = mf_monotonic_ms() + 30;
	assert_int_equal(rp_run(r, NULL, &err), MF_E_CONFLICT);
	mf_err_clear(&err);
	assert_int_equal(rp_init_client(r, &err), -1);
	assert_int_equal(err.code, MF_E_CONFLICT);
}

static void urls_may_end_in_a_slash_or_not(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	struct mf_updater *u MF_UPDATER_CLEANUP = NULL;
	rp_do(r, "target targets a/b hello; root");
	rp_ok(rp_init_client(r, &err), &err);
	rp_ok(mf_updater_open(r->metadata, "http://repository/metadata", &r->fetcher, &r->env, &u, &err),
	      &err);
	rp_ok(mf_updater_refresh(u, &err), &err);
	assert_string_equal(rp_requests(r), FIRST);
	struct mf_target_dir place = {"http://repository/targets", r->targets, 100};
	rp_ok(mf_updater_download(u, "a/b", &place, &err), &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(asks_for_what_it_needs_and_stores_it_byte_for_byte),
	    tmpdir_test(stops_at_what_is_missing_or_wrong),
	    tmpdir_test(announced_hashes_and_lengths_hold),
	    tmpdir_test(what_has_expired_is_not_trusted),
	    tmpdir_test(roots_follow_one_another),
	    tmpdir_test(keys_of_other_roles_come_from_the_last_root),
	    tmpdir_test(lower_versions_are_refused),
	    tmpdir_test(rotated_keys_recover_from_fast_forward),
	    tmpdir_test(local_files_that_are_no_good_are_fetched_anew),
	    tmpdir_test(local_file_larger_than_any_is_fetched_anew),
	    tmpdir_test(local_files_whose_signature_is_no_good_count_for_nothing),
	    tmpdir_test(local_snapshot_of_another_version_is_fetched_anew),
	    tmpdir_test(init_takes_a_root_that_signs_itself_and_forgets_what_was),
	    tmpdir_test(init_refuses_a_root_over_the_limit),
	    tmpdir_test(directory_without_a_trusted_root_is_not_found),
	    tmpdir_test(directory_is_locked_while_it_is_used),
	    tmpdir_test(urls_may_end_in_a_slash_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
