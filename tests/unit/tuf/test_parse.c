/* The structure of metadata files: what the parser refuses, and limits. */
#include "swizzle.h"

#include "base/limits.h"

static void each_file(struct sw_row row)
{
	for (size_t i = 0; i < F_COUNT; i++) {
		row.file = row.at = (enum sw_file)i;
		sw_table(&row, 1);
	}
}

/* ---- members of every file */

#define BAD(w, path, v) ROW(w, SW_BOTH, MF_E_FORMAT, F_ROOT, .set = path, .value = v)
/* TUF 1.0 passes over a signature that cannot be read: what others signed still counts. */
#define BAD_SIGNATURE(w, old, new)                                                                           \
	ROW(w, SW_NOTARY, MF_E_FORMAT, F_ROOT, .wire_from = old, .wire_to = new),                            \
	    ROW(w, SW_TUF1, MF_E_SIGNATURE, F_ROOT, .wire_from = old, .wire_to = new)
#define MORE_SIGNATURES(w, more)                                                                             \
	ROW(w, SW_NOTARY, MF_E_FORMAT, F_ROOT, .wire_from = "\"signatures\":[",                              \
	    .wire_to = "\"signatures\":[" more),                                                             \
	    ROW(w, SW_TUF1, MF_OK, F_ROOT, .wire_from = "\"signatures\":[",                                  \
		.wire_to = "\"signatures\":[" more)
#define BAD_WIRE(w, old, new) ROW(w, SW_BOTH, MF_E_FORMAT, F_ROOT, .wire_from = old, .wire_to = new)

static const struct sw_row common[] = {
    BAD("no type", "_type", NULL),
    BAD("type is a number", "_type", "1"),
    BAD("unknown type", "_type", "\"Mirrors\""),
    BAD("type in upper case", "_type", "\"ROOT\""),
    BAD("no version", "version", NULL),
    BAD("version 0", "version", "0"),
    BAD("version -1", "version", "-1"),
    BAD("version as text", "version", "\"5\""),
    BAD("version null", "version", "null"),
    BAD("no expires", "expires", NULL),
    BAD("expires is a number", "expires", "1800000001"),
    BAD("expires without zone", "expires", "\"2030-01-01T00:00:00\""),
    BAD("expires with lower-case z", "expires", "\"2030-01-01T00:00:00z\""),
    BAD("expires in no month", "expires", "\"2030-13-01T00:00:00Z\""),
    BAD("expires and more", "expires", "\"2030-01-01T00:00:00Z \""),
    BAD_WIRE("signed twice", "\"signed\":", "\"signed\":{},\"signed\":"),
    BAD_WIRE("signatures twice", "\"signatures\":", "\"signatures\":[],\"signatures\":"),
    BAD_WIRE("no signatures", "\"signatures\":", "\"signature\":"),
    BAD_WIRE("signatures is an object", "\"signatures\":[", "\"signatures\":{},\"x\":["),
    BAD_WIRE("no signed", "\"signed\":", "\"Signed\":"),
    BAD_SIGNATURE("signature without keyid", "\"keyid\":", "\"keyId\":"),
    BAD_SIGNATURE("signature without sig", "\"sig\":", "\"Sig\":"),
    BAD_SIGNATURE("signature is no text", "\"sig\":", "\"sig\":1,\"x\":"),
    MORE_SIGNATURES("one more without keyid", "{\"sig\":\"00\"},"),
    MORE_SIGNATURES("one more without sig", "{\"keyid\":\"x\"},"),
    MORE_SIGNATURES("one more with a number for a keyid", "{\"keyid\":1,\"sig\":\"00\"},"),
    MORE_SIGNATURES("one more that is no object", "null,"),
    BAD_WIRE("one more with a member twice", "\"signatures\":[",
	     "\"signatures\":[{\"sig\":\"\",\"sig\":\"\"},"),
    ROW("signature in another encoding", SW_NOTARY, MF_E_FORMAT, F_ROOT, .wire_from = "\"sig\":\"",
	.wire_to = "\"sig\":\"!"),
    /* It counts for nothing. */
    ROW("signature in another encoding", SW_TUF1, MF_E_SIGNATURE, F_ROOT, .wire_from = "\"sig\":\"",
	.wire_to = "\"sig\":\"!"),
    BAD_WIRE("version twice", "{\"signed\":{", "{\"signed\":{\"version\":1,"),
    BAD_WIRE("type twice", "{\"signed\":{", "{\"signed\":{\"_type\":\"x\","),
    BAD_WIRE("expires twice", "{\"signed\":{", "{\"signed\":{\"expires\":\"2030-01-01T00:00:00Z\","),
    BAD_WIRE("unknown member twice", "{\"signed\":{", "{\"signed\":{\"x\":1,\"x\":1,"),
    BAD_WIRE("invalid UTF-8", "{\"signed\":{", "{\"signed\":{\"\xff\":1,"),
    BAD_WIRE("unpaired surrogate", "{\"signed\":{", "{\"signed\":{\"\\ud800\":1,"),
    BAD_WIRE("a number with a fraction", "{\"signed\":{", "{\"signed\":{\"x\":0.5,"),
    ROW("a number beyond 2^53", SW_NOTARY, MF_E_FORMAT, F_ROOT, .wire_from = "{\"signed\":{",
	.wire_to = "{\"signed\":{\"x\":9007199254740993,"),
    ROW("a number beyond 2^64", SW_NOTARY, MF_E_FORMAT, F_ROOT, .wire_from = "{\"signed\":{",
	.wire_to = "{\"signed\":{\"x\":18446744073709551617,"),
    /* Read, but nobody has signed it. */
    ROW("a number beyond 2^64", SW_TUF1, MF_E_SIGNATURE, F_ROOT, .wire_from = "{\"signed\":{",
	.wire_to = "{\"signed\":{\"x\":18446744073709551617,"),
    BAD_WIRE("huge number", "{\"signed\":{", "{\"signed\":{\"x\":1e999,"),
    BAD_WIRE("comma too many", "{\"signed\":{", "{\"signed\":{,"),
    BAD_WIRE("a list", "{\"signed\":", "[{\"signed\":"),
};

static void malformed_files_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < SW_COUNT(common); i++)
		each_file(common[i]);
}

static void spec_version_must_be_there_and_known(void **state)
{
	static const char *const values[] = {NULL, "\"2.0.0\"", "\"1\"", "\"10.0\"", "1", "\"\""};
	(void)state;
	for (size_t i = 0; i < SW_COUNT(values); i++)
		each_file((struct sw_row)ROW("spec_version", SW_TUF1, MF_E_FORMAT, F_ROOT,
					     .set = "spec_version", .value = values[i]));
}

static void type_names_are_those_of_the_dialect(void **state)
{
	(void)state;
	each_file((struct sw_row)ROW("lower case", SW_NOTARY, MF_E_FORMAT, F_ROOT,
				     .wire_from = "\"_type\":\"", .wire_to = "\"_type\":\"r"));
	for (size_t i = 0; i < F_COUNT; i++) {
		static const char *const upper[] = {"\"Root\"",    "\"Timestamp\"", "\"Snapshot\"",
						    "\"Targets\"", "\"Targets\"",   "\"Targets\""};
		static const char *const lower[] = {"\"root\"",    "\"timestamp\"", "\"snapshot\"",
						    "\"targets\"", "\"targets\"",   "\"targets\""};
		enum sw_file f = (enum sw_file)i;
		const struct sw_row rows[] = {
		    SET("capitalised", SW_TUF1, MF_E_FORMAT, f, f, "_type", upper[i]),
		    SET("not capitalised", SW_NOTARY, MF_E_FORMAT, f, f, "_type", lower[i]),
		    SET("another type", SW_NOTARY, MF_E_FORMAT, f, f, "_type", upper[(i + 1) % 4]),
		    SET("another type", SW_TUF1, MF_E_FORMAT, f, f, "_type", lower[(i + 1) % 4]),
		};
		sw_table(rows, i < 4 ? 4 : 2);
	}
}

/* ---- members of one type */

static const struct sw_row root[] = {
    SET("no keys", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "keys", NULL),
    SET("keys is a list", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "keys", "[]"),
    SET("no roles", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles", NULL),
    SET("roles is a list", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles", "[]"),
    SET("no role root", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles root", NULL),
    SET("no role timestamp", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles timestamp", NULL),
    SET("no role snapshot", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles snapshot", NULL),
    SET("no role targets", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles targets", NULL),
    SET("role is null", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles targets", "null"),
    SET("threshold 0", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles targets threshold", "0"),
    SET("threshold -1", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles targets threshold", "-1"),
    SET("threshold as text", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles targets threshold", "\"1\""),
    SET("no threshold", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles targets threshold", NULL),
    SET("no keyids", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles targets keyids", NULL),
    SET("keyids is text", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles targets keyids", "\"x\""),
    SET("keyid is a number", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "roles targets keyids 0", "1"),
    SET("empty keyids", SW_BOTH, MF_E_SIGNATURE, F_TARGETS, F_ROOT, "roles targets keyids", "[]"),
    SET("consistent_snapshot is a number", SW_BOTH, MF_E_FORMAT, F_ROOT, F_ROOT, "consistent_snapshot", "1"),
};

static const struct sw_row meta[] = {
    SET("no meta", SW_BOTH, MF_E_FORMAT, F_TIMESTAMP, F_TIMESTAMP, "meta", NULL),
    SET("no meta", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta", NULL),
    SET("meta is a list", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta", "[]"),
    SET("no snapshot", SW_BOTH, MF_E_FORMAT, F_TIMESTAMP, F_TIMESTAMP, "meta snapshot@", NULL),
    SET("no targets", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@", NULL),
    SET("no root", SW_NOTARY, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta root", NULL),
    SET("entry is null", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@", "null"),
    /* What nobody needs does no harm. */
    SET("name without .json", SW_TUF1, MF_OK, F_ROOT, F_SNAPSHOT, "meta qa", "{\"version\":1}"),
    SET("long name without .json", SW_TUF1, MF_OK, F_ROOT, F_SNAPSHOT, "meta long.jso", "{\"version\":1}"),
    SET("other entry is a number", SW_TUF1, MF_OK, F_ROOT, F_SNAPSHOT, "meta other@", "7"),
    SET("other entry is a number", SW_NOTARY, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta other@", "7"),
    SET("other entry without version", SW_TUF1, MF_OK, F_ROOT, F_SNAPSHOT, "meta other@", "{}"),
    SET("other entry with a bad hash", SW_TUF1, MF_OK, F_ROOT, F_SNAPSHOT, "meta other@",
	"{\"version\":1,\"hashes\":{\"sha256\":\"abc\"}}"),
    SET("other entry in the timestamp", SW_TUF1, MF_OK, F_ROOT, F_TIMESTAMP, "meta other@", "null"),
    /* Of a delegated role: it matters when the role is read. */
    SET("entry of a role is malformed", SW_TUF1, MF_E_FORMAT, F_QA, F_SNAPSHOT, "meta %qa@", "{}"),
    SET("entry of targets is malformed", SW_TUF1, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@",
	"{\"version\":1,\"length\":0}"),
    SET("no version", SW_TUF1, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@ version", NULL),
    SET("no version", SW_TUF1, MF_E_FORMAT, F_TIMESTAMP, F_TIMESTAMP, "meta snapshot@ version", NULL),
    SET("version 0", SW_TUF1, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@ version", "0"),
    SET("no sha256", SW_NOTARY, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets hashes sha256", NULL),
    SET("no sha256", SW_NOTARY, MF_E_FORMAT, F_TIMESTAMP, F_TIMESTAMP, "meta snapshot hashes sha256", NULL),
    SET("no hashes", SW_NOTARY, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets hashes", NULL),
    SET("no length", SW_NOTARY, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets length", NULL),
    SET("hashes is a list", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@ hashes", "[]"),
    SET("hash is a number", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@ hashes sha256", "1"),
    SET("hash too short", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@ hashes sha256",
	"\"aaaa\""),
    SET("hash too long", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@ hashes sha256", "#512"),
    SET("sha512 too short", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@ hashes sha512",
	"#256"),
    SET("length -1", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@ length", "-1"),
    SET("length as text", SW_BOTH, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta targets@ length", "\"9\""),
};

static const struct sw_row targets[] = {
    SET("no targets", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "targets", NULL),
    SET("targets is a list", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "targets", "[]"),
    SET("delegations is a list", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations", "[]"),
    SET("delegations without keys", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations keys", NULL),
    SET("delegations with neither key nor role", SW_BOTH, MF_E_FORMAT, F_DEEP, F_DEEP, "delegations",
	"{\"roles\":[]}"),
    SET("delegations without roles", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles", NULL),
    SET("roles is an object", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles", "{}"),
    SET("role without name", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 name", NULL),
    SET("role with an empty name", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 name",
	"\"\""),
    SET("threshold 0", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 threshold", "0"),
    SET("no threshold", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 threshold", NULL),
    SET("no keyids", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 keyids", NULL),
    SET("paths is text", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 paths", "\"qa/\""),
    SET("path is null", SW_BOTH, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 paths 0", "null"),
    SET("terminating is text", SW_TUF1, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations roles 0 terminating",
	"\"no\""),
    SET("paths and prefixes", SW_TUF1, MF_E_FORMAT, F_TARGETS, F_TARGETS,
	"delegations roles 0 path_hash_prefixes", "[\"00\"]"),
    SET("succinct roles", SW_TUF1, MF_E_FORMAT, F_TARGETS, F_TARGETS, "delegations succinct_roles",
	"{\"bit_length\":4,\"name_prefix\":\"bin\",\"keyids\":[],\"threshold\":1}"),
};

static void root_is_complete(void **state)
{
	(void)state;
	sw_table(root, SW_COUNT(root));
}

static void meta_is_complete(void **state)
{
	(void)state;
	sw_table(meta, SW_COUNT(meta));
}

static void targets_are_complete(void **state)
{
	(void)state;
	sw_table(targets, SW_COUNT(targets));
}

static void upper_case_hash(struct sw *r, json_t *snapshot)
{
	json_t *hashes =
	    json_object_get(json_object_get(json_object_get(snapshot, "meta"), "targets.json"), "hashes");
	char text[65];
	(void)r;
	(void)snprintf(text, sizeof text, "%s", json_string_value(json_object_get(hashes, "sha256")));
	for (char *c = text; *c; c++)
		*c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
	assert_int_equal(json_object_set_new(hashes, "sha256", json_string(text)), 0);
}

static void hex_hashes_are_in_lower_case(void **state)
{
	static const struct sw_row row =
	    ROW("upper case", SW_TUF1, MF_E_FORMAT, F_SNAPSHOT, .file = F_SNAPSHOT, .edit = upper_case_hash);
	(void)state;
	sw_table(&row, 1);
}

/* ---- bytes behind, nesting, size, counts */

static void append(struct mf_buf *b, const char *text, size_t times)
{
	struct mf_err err = MF_ERR_INIT;
	for (size_t i = 0; i < times; i++)
		sw_ok(mf_buf_addz(b, text, &err), &err);
}

static void add_value(struct sw *r, struct mf_buf *b)
{
	(void)r;
	append(b, "{}", 1);
}

static void add_nul(struct sw *r, struct mf_buf *b)
{
	struct mf_err err = MF_ERR_INIT;
	(void)r;
	sw_ok(mf_buf_addc(b, 0, &err), &err);
}

static void cut_last(struct sw *r, struct mf_buf *b)
{
	(void)r;
	b->p[--b->n] = 0;
}

static void add_newline(struct sw *r, struct mf_buf *b)
{
	(void)r;
	append(b, " \r\n\t", 1);
}

static void nothing_but_white_space_may_follow(void **state)
{
	(void)state;
	each_file((struct sw_row)ROW("a second value", SW_BOTH, MF_E_FORMAT, F_ROOT, .wire = add_value));
	each_file((struct sw_row)ROW("a NUL", SW_BOTH, MF_E_FORMAT, F_ROOT, .wire = add_nul));
	each_file((struct sw_row)ROW("last byte cut off", SW_BOTH, MF_E_FORMAT, F_ROOT, .wire = cut_last));
	each_file((struct sw_row)ROW("white space", SW_BOTH, MF_OK, F_ROOT, .wire = add_newline));
}

/* An unknown member nested so that, with the envelope and the signed part, the depth is as given. */
static void nest(struct mf_buf *b, size_t depth)
{
	struct mf_buf deep MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	append(&deep, "{\"deep\":", 1);
	append(&deep, "[", depth - 1);
	append(&deep, "]", depth - 1);
	append(&deep, ",\"signed\":", 1);
	sw_replace(b, "{\"signed\":", deep.p);
}

static void nest_64(struct sw *r, struct mf_buf *b)
{
	(void)r;
	nest(b, 64);
}

static void nest_65(struct sw *r, struct mf_buf *b)
{
	(void)r;
	nest(b, 65);
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	each_file((struct sw_row)ROW("64 levels", SW_BOTH, MF_OK, F_ROOT, .wire = nest_64));
	each_file((struct sw_row)ROW("65 levels", SW_BOTH, MF_E_FORMAT, F_ROOT, .wire = nest_65));
}

static const size_t max_bytes[] = {MF_MAX_ROOT_BYTES, MF_MAX_TIMESTAMP_BYTES, MF_MAX_SNAPSHOT_BYTES};

static void pad(struct mf_buf *b, size_t to)
{
	struct mf_err err = MF_ERR_INIT;
	size_t n = to - b->n;
	sw_ok(mf_buf_reserve(b, n, &err), &err);
	memset(b->p + b->n, ' ', n);
	b->n += n;
	b->p[b->n] = 0;
}

static void pad_to_limit(struct sw *r, struct mf_buf *b)
{
	pad(b, max_bytes[r->row->file]);
}

static void pad_over_limit(struct sw *r, struct mf_buf *b)
{
	pad(b, max_bytes[r->row->file] + 1);
}

static void size_is_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < SW_COUNT(max_bytes); i++) {
		enum sw_file f = (enum sw_file)i;
		const struct sw_row rows[] = {
		    ROW("at the limit", SW_BOTH, MF_OK, f, .file = f, .wire = pad_to_limit),
		    ROW("over the limit", SW_BOTH, MF_E_FORMAT, f, .file = f, .wire = pad_over_limit),
		};
		sw_table(rows, 2);
	}
}

static void targets_over_the_limit_are_refused(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES + 1);
	struct sw r SW_CLEANUP = sw_new(SW_TUF1);
	(void)state;
	sw_build(&r, NULL);
	sw_ok(mf_buf_add(&b, r.bytes[F_TARGETS].p, r.bytes[F_TARGETS].n, &err), &err);
	pad(&b, MF_MAX_TARGETS_BYTES + 1);
	assert_null(mf_tuf_parse_unverified(r.d, MF_TUF_TARGETS, &b, &err));
	assert_int_equal(err.code, MF_E_FORMAT);
}

static void add_signatures(struct mf_buf *b, size_t n)
{
	struct mf_buf list MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	append(&list, "\"signatures\":[", 1);
	for (size_t i = 0; i < n; i++) {
		char one[64];
		(void)snprintf(one, sizeof one, "{\"keyid\":\"%zu\",\"sig\":\"\"},", i);
		append(&list, one, 1);
	}
	sw_replace(b, "\"signatures\":[", list.p);
}

static void signatures_64(struct sw *r, struct mf_buf *b)
{
	(void)r;
	add_signatures(b, 63);
}

static void signatures_65(struct sw *r, struct mf_buf *b)
{
	(void)r;
	add_signatures(b, 64);
}

static void add_keys(json_t *keys, size_t total)
{
	for (size_t i = 0; json_object_size(keys) < total; i++) {
		char id[32];
		(void)snprintf(id, sizeof id, "%zu", i);
		json_t *k = json_pack("{s:s,s:{s:s}}", "keytype", "x", "keyval", "public", "AAAA");
		assert_int_equal(json_object_set_new(keys, id, k), 0);
	}
}

static void keys_1024(struct sw *r, json_t *j)
{
	(void)r;
	add_keys(json_object_get(j, "keys"), 1024);
}

static void keys_1025(struct sw *r, json_t *j)
{
	(void)r;
	add_keys(json_object_get(j, "keys"), 1025);
}

static void delegation_keys_1025(struct sw *r, json_t *j)
{
	(void)r;
	add_keys(json_object_get(json_object_get(j, "delegations"), "keys"), 1025);
}

static void add_roles(json_t *j, size_t total)
{
	json_t *roles = json_object_get(json_object_get(j, "delegations"), "roles");
	while (json_array_size(roles) < total) {
		char name[32];
		(void)snprintf(name, sizeof name, "targets/other%zu", json_array_size(roles));
		json_t *role =
		    json_pack("{s:[],s:s,s:[],s:i}", "keyids", "name", name, "paths", "threshold", 1);
		assert_int_equal(json_array_append_new(roles, role), 0);
	}
}

static void roles_8192(struct sw *r, json_t *j)
{
	(void)r;
	add_roles(j, 8192);
}

static void roles_8193(struct sw *r, json_t *j)
{
	(void)r;
	add_roles(j, 8193);
}

static const struct sw_row counts[] = {
    ROW("1024 keys", SW_BOTH, MF_OK, F_ROOT, .file = F_ROOT, .edit = keys_1024),
    ROW("1025 keys", SW_BOTH, MF_E_FORMAT, F_ROOT, .file = F_ROOT, .edit = keys_1025),
    ROW("1025 delegation keys", SW_BOTH, MF_E_FORMAT, F_TARGETS, .file = F_TARGETS,
	.edit = delegation_keys_1025),
    ROW("8192 roles", SW_BOTH, MF_OK, F_TARGETS, .file = F_TARGETS, .edit = roles_8192),
    ROW("8193 roles", SW_BOTH, MF_E_FORMAT, F_TARGETS, .file = F_TARGETS, .edit = roles_8193),
};

static void counts_are_bounded(void **state)
{
	(void)state;
	each_file((struct sw_row)ROW("64 signatures", SW_BOTH, MF_OK, F_ROOT, .wire = signatures_64));
	each_file((struct sw_row)ROW("65 signatures", SW_BOTH, MF_E_FORMAT, F_ROOT, .wire = signatures_65));
	sw_table(counts, SW_COUNT(counts));
}

/* ---- repeated members that the reader finds only when the object closes */

static void parse_fails(const struct mf_dialect *d, enum mf_tuf_type type, struct mf_buf *b)
{
	struct mf_err err = MF_ERR_INIT;
	assert_null(mf_tuf_parse_unverified(d, type, b, &err));
	assert_int_equal(err.code, MF_E_FORMAT);
}

/* So many roles that a second reading over the first would leave its allocation. */
static void put_delegations(struct mf_buf *b)
{
	append(b, "\"delegations\":{\"keys\":{},\"roles\":[{\"keyids\":[],\"name\":\"a\",\"threshold\":1}",
	       1);
	append(b, ",{\"keyids\":[],\"name\":\"a\",\"threshold\":1}", 255);
	append(b, "]}", 1);
}

static void repeated_members_are_not_read_twice(void **state)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	(void)state;
	append(&b, "{\"signed\":{", 1);
	put_delegations(&b);
	append(&b, ",\"_type\":\"targets\",", 1);
	put_delegations(&b);
	append(&b, "},\"signatures\":[]}", 1);
	parse_fails(&mf_dialect_tuf1, MF_TUF_TARGETS, &b);
	for (size_t i = 0; i < 2; i++) {
		append(&b, i ? ",\"signatures\":[],\"signed\":{" : "{\"signed\":{", 1);
		append(&b,
		       "\"_type\":\"targets\",\"expires\":\"2030-01-01T00:00:00Z\",\"spec_version\":\"1.0\",",
		       1);
		append(&b, "\"targets\":{},\"version\":1,", 1);
		put_delegations(&b);
		append(&b, "}", 1);
	}
	append(&b, "}", 1);
	parse_fails(&mf_dialect_tuf1, MF_TUF_TARGETS, &b);
}

static void role_without_a_name_is_refused_by_the_parser(void **state)
{
	static const char *const members[] = {"\"name\":\"\",", "", "\"name\":\"a\\u0000b\","};
	(void)state;
	for (size_t i = 0; i < SW_COUNT(members); i++) {
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		append(&b, "{\"signed\":{\"_type\":\"targets\",\"delegations\":{\"keys\":{},\"roles\":[{", 1);
		append(&b, members[i], 1);
		append(&b, "\"keyids\":[],\"threshold\":1}]},\"expires\":\"2030-01-01T00:00:00Z\",", 1);
		append(&b, "\"spec_version\":\"1.0\",\"targets\":{},\"version\":1},\"signatures\":[]}", 1);
		parse_fails(&mf_dialect_tuf1, MF_TUF_TARGETS, &b);
	}
}

static void empty_input_is_refused_and_the_buffer_taken(void **state)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
	(void)state;
	for (int t = MF_TUF_ROOT; t <= MF_TUF_TARGETS; t++) {
		parse_fails(&mf_dialect_tuf1, (enum mf_tuf_type)t, &b);
		append(&b, "{}", 1);
		parse_fails(&mf_dialect_notary, (enum mf_tuf_type)t, &b);
		assert_int_equal(b.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(malformed_files_are_refused),
	    cmocka_unit_test(spec_version_must_be_there_and_known),
	    cmocka_unit_test(type_names_are_those_of_the_dialect),
	    cmocka_unit_test(root_is_complete),
	    cmocka_unit_test(meta_is_complete),
	    cmocka_unit_test(targets_are_complete),
	    cmocka_unit_test(hex_hashes_are_in_lower_case),
	    cmocka_unit_test(nothing_but_white_space_may_follow),
	    cmocka_unit_test(nesting_is_bounded),
	    cmocka_unit_test(size_is_bounded),
	    cmocka_unit_test(targets_over_the_limit_are_refused),
	    cmocka_unit_test(counts_are_bounded),
	    cmocka_unit_test(repeated_members_are_not_read_twice),
	    cmocka_unit_test(role_without_a_name_is_refused_by_the_parser),
	    cmocka_unit_test(empty_input_is_refused_and_the_buffer_taken),
	};
	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
