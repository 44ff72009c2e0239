/* What the builder writes: read again, verified again, byte for byte what others write. */
#include "swizzle.h"

#include "base/limits.h"

static const struct mf_dialect *const dialects[] = {&mf_dialect_notary, &mf_dialect_tuf1};

/* The envelope without signatures, parsed. */
static struct mf_tuf_file *reparse(const struct mf_dialect *d, enum mf_tuf_type type,
				   const struct mf_buf *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	sw_ok(mf_tuf_build_file(d, mf_buf_str(text), NULL, 0, &bytes, &err), &err);
	struct mf_tuf_file *f = mf_tuf_parse_unverified(d, type, &bytes, &err);
	if (!f)
		fail_msg("%s", err.msg);
	return f;
}

/* The text is its own canonical form: what is signed is what others verify. */
static void assert_canonical(const struct mf_buf *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	sw_ok(mf_json_canonicalize(mf_buf_str(text), &again, &err), &err);
	assert_string_equal(again.p, text->p);
}

static struct mf_buf build_targets(const struct mf_dialect *d, const struct mf_tuf_targets_spec *spec)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	sw_ok(mf_tuf_build_targets(d, spec, &text, &err), &err);
	assert_canonical(&text);
	return text;
}

/* ---- edits */

#define MAX_EDITS 8
struct change {
	const char *what;
	struct mf_tuf_edit edits[MAX_EDITS];
	const char *result; /* name=value, in order, blanks between */
};
#define PUT(n, v)                                                                                            \
	{                                                                                                    \
		{n, sizeof n - 1},                                                                           \
		{                                                                                            \
			v, sizeof v - 1                                                                      \
		}                                                                                            \
	}
#define DROP(n)                                                                                              \
	{                                                                                                    \
		{n, sizeof n - 1},                                                                           \
		{                                                                                            \
			"", 0                                                                                \
		}                                                                                            \
	}

static const struct change changes[] = {
    {"nothing", {PUT("", "")}, "b=1 d=2 q\"x=3 z<&>=4 \xc3\xa9=5"},
    {"before the first", {PUT("a", "9")}, "a=9 b=1 d=2 q\"x=3 z<&>=4 \xc3\xa9=5"},
    {"behind the last", {PUT("\xef\xbd\x9e", "9")}, "b=1 d=2 q\"x=3 z<&>=4 \xc3\xa9=5 \xef\xbd\x9e=9"},
    {"in the middle", {PUT("c", "9")}, "b=1 c=9 d=2 q\"x=3 z<&>=4 \xc3\xa9=5"},
    {"several in one gap",
     {PUT("c", "7"), PUT("cc", "8"), PUT("ccc", "9")},
     "b=1 c=7 cc=8 ccc=9 d=2 q\"x=3 z<&>=4 \xc3\xa9=5"},
    {"replace the first", {PUT("b", "9")}, "b=9 d=2 q\"x=3 z<&>=4 \xc3\xa9=5"},
    {"replace the last", {PUT("\xc3\xa9", "9")}, "b=1 d=2 q\"x=3 z<&>=4 \xc3\xa9=9"},
    {"replace in the middle", {PUT("q\"x", "9")}, "b=1 d=2 q\"x=9 z<&>=4 \xc3\xa9=5"},
    {"remove the first", {DROP("b")}, "d=2 q\"x=3 z<&>=4 \xc3\xa9=5"},
    {"remove the last", {DROP("\xc3\xa9")}, "b=1 d=2 q\"x=3 z<&>=4"},
    {"remove in the middle", {DROP("d"), DROP("q\"x")}, "b=1 z<&>=4 \xc3\xa9=5"},
    {"remove what is not there", {DROP("A"), DROP("c"), DROP("zz")}, "b=1 d=2 q\"x=3 z<&>=4 \xc3\xa9=5"},
    {"remove all", {DROP("b"), DROP("d"), DROP("q\"x"), DROP("z<&>"), DROP("\xc3\xa9")}, ""},
    {"all at once",
     {PUT("a", "7"), DROP("b"), PUT("d", "8"), PUT("e", "9"), DROP("\xc3\xa9")},
     "a=7 d=8 e=9 q\"x=3 z<&>=4"},
    {"replace all",
     {PUT("b", "6"), PUT("d", "6"), PUT("q\"x", "6"), PUT("z<&>", "6"), PUT("\xc3\xa9", "6")},
     "b=6 d=6 q\"x=6 z<&>=6 \xc3\xa9=6"},
};

static size_t count_edits(const struct change *c)
{
	size_t n = 0;
	while (n < MAX_EDITS && c->edits[n].name.n)
		n++;
	return n;
}

static void assert_targets(const struct mf_tuf_file *f, const char *what, const char *want)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf got MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	sw_ok(mf_buf_addz(&got, "", &err), &err);
	for (size_t i = 0; i < f->ntargets; i++) {
		struct mf_str v = mf_tuf_target_value(f, i);
		if (i)
			sw_ok(mf_buf_addc(&got, ' ', &err), &err);
		sw_ok(mf_json_string_decode(mf_tuf_target_name(f, i), &got, &err), &err);
		sw_ok(mf_buf_printf(&got, &err, "=%.*s", MF_STR_ARG(v)), &err);
	}
	if (!mf_str_eqz(mf_buf_str(&got), want))
		fail_msg("%s: %.*s", what, MF_STR_ARG(mf_buf_str(&got)));
}

/* One file in two spellings: as we write it, and as others may. */
static struct mf_tuf_file *old_file(const struct mf_dialect *d, bool canonical)
{
	static const char *const text[2] = {
	    "\"targets\":{\"\\u00e9\" : 5,\n\t\"z<&>\":4, \"d\":2e0,\"b\":1.0, \"q\\u0022x\":3}, \"version\" "
	    ": 3 }",
	    "\"targets\":{\"b\":1,\"d\":2,\"q\\\"x\":3,\"z<&>\":4,\"\xc3\xa9\":5},\"version\":3}",
	};
	static const char *const delegations[2] = {"{ \"roles\":[ ], \"keys\" :{}}",
						   "{\"keys\":{},\"roles\":[]}"};
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	sw_ok(mf_buf_printf(
		  &b, &err,
		  "{\"signed\":{\"_type\":\"%s\",\"delegations\":%s,\"expires\":\"2030-01-01T00:00:00Z\","
		  "\"spec_version\":\"1.0.33\",%s,\"signatures\":[]}",
		  d->type_names[MF_TUF_TARGETS], delegations[canonical], text[canonical]),
	      &err);
	struct mf_tuf_file *f = mf_tuf_parse_unverified(d, MF_TUF_TARGETS, &b, &err);
	if (!f)
		fail_msg("%s", err.msg);
	assert_int_equal(f->was_canonical, canonical);
	return f;
}

static void try_change(const struct mf_dialect *d, const struct change *c)
{
	struct mf_buf text[2];
	for (size_t canonical = 0; canonical < 2; canonical++) {
		struct mf_tuf_file *old MF_TUF_FILE_CLEANUP = old_file(d, canonical);
		struct mf_tuf_targets_spec spec = {
		    .old = old, .edits = c->edits, .nedits = count_edits(c), .version = 4, .expires = SW_NOW};
		text[canonical] = build_targets(d, &spec);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = reparse(d, MF_TUF_TARGETS, &text[canonical]);
		assert_targets(f, c->what, c->result);
		assert_int_equal(f->version, 4);
		assert_int_equal(f->expires, SW_NOW);
		assert_true(mf_str_eq(f->canonical, mf_buf_str(&text[canonical])));
	}
	assert_string_equal(text[0].p, text[1].p); /* the old spelling leaves no trace */
	mf_buf_clear(&text[0]);
	mf_buf_clear(&text[1]);
}

static void edits_insert_replace_and_remove(void **state)
{
	(void)state;
	for (size_t i = 0; i < SW_COUNT(changes); i++) {
		try_change(&mf_dialect_notary, &changes[i]);
		try_change(&mf_dialect_tuf1, &changes[i]);
	}
}

/* With '<' a wire file is escaped, so not canonical as received; without, its bytes are copied. */
static void canonical_slices_are_copied(void **state)
{
	static const struct mf_tuf_edit first[] = {PUT("b", "1"), PUT("d", "2"), PUT("f", "3")};
	static const struct mf_tuf_edit second[] = {PUT("a", "9"), DROP("d"), PUT("e", "8")};
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct mf_tuf_targets_spec spec = {
		    .edits = first, .nedits = 3, .version = 1, .expires = SW_NOW};
		struct mf_buf text MF_BUF_CLEANUP = build_targets(dialects[d], &spec);
		struct mf_tuf_file *old MF_TUF_FILE_CLEANUP = reparse(dialects[d], MF_TUF_TARGETS, &text);
		assert_true(old->was_canonical);
		spec.old = old;
		spec.edits = second;
		struct mf_buf next MF_BUF_CLEANUP = build_targets(dialects[d], &spec);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = reparse(dialects[d], MF_TUF_TARGETS, &next);
		assert_targets(f, "second", "a=9 b=1 e=8 f=3");
	}
}

static void delegations_are_kept_or_replaced(void **state)
{
	const struct mf_str other = MF_STR("{\"keys\":{},\"roles\":[{\"keyids\":[],\"name\":\"targets/"
					   "x\",\"paths\":[\"x\"],\"threshold\":1}]}");
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct sw r SW_CLEANUP = sw_new(d ? SW_TUF1 : SW_NOTARY);
		struct mf_err err = MF_ERR_INIT;
		sw_build(&r, NULL);
		struct mf_buf bytes MF_BUF_CLEANUP;
		sw_copy(&bytes, &r.bytes[F_TARGETS]);
		struct mf_tuf_file *old MF_TUF_FILE_CLEANUP =
		    mf_tuf_parse_unverified(r.d, MF_TUF_TARGETS, &bytes, &err);
		struct mf_tuf_targets_spec spec = {.old = old, .version = 6, .expires = SW_NOW};
		struct mf_buf kept MF_BUF_CLEANUP = build_targets(r.d, &spec);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = reparse(r.d, MF_TUF_TARGETS, &kept);
		assert_int_equal(f->nroles, 1);
		assert_true(mf_str_eq(f->delegations_raw, old->delegations_raw));
		spec.delegations = &other;
		struct mf_buf replaced MF_BUF_CLEANUP = build_targets(r.d, &spec);
		struct mf_tuf_file *g MF_TUF_FILE_CLEANUP = reparse(r.d, MF_TUF_TARGETS, &replaced);
		assert_string_equal(g->roles[0].name, "targets/x");
		assert_int_equal(g->ntargets, f->ntargets);
	}
}

static void edits_of_nothing_make_a_first_file(void **state)
{
	static const struct mf_tuf_edit edits[] = {PUT("a", "{}"), DROP("b"), PUT("c\\d", "{}")};
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct mf_tuf_targets_spec spec = {
		    .edits = edits, .nedits = 3, .version = 1, .expires = SW_NOW};
		struct mf_buf text MF_BUF_CLEANUP = build_targets(dialects[d], &spec);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = reparse(dialects[d], MF_TUF_TARGETS, &text);
		assert_targets(f, "first", "a={} c\\d={}");
		assert_int_equal(f->nroles, 0);
	}
}

/* ---- snapshot, timestamp, root */

static struct mf_buf build_meta(const struct mf_dialect *d, const struct mf_tuf_meta_spec *spec)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	sw_ok(mf_tuf_build_meta(d, spec, &text, &err), &err);
	assert_canonical(&text);
	return text;
}

/* With ".json" behind them "a" sorts behind "a-b"; the signature would not verify in any other order. */
static void listed_roles_are_in_canonical_order(void **state)
{
	static const char *const roles[] = {"targets", "a", "root", "a-b", "a/b", "ab", "a.json", "A"};
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct mf_tuf_listed files[SW_COUNT(roles)];
		for (size_t i = 0; i < SW_COUNT(roles); i++)
			files[i] =
			    (struct mf_tuf_listed){roles[i], (int64_t)i + 1, mf_bytes_of(mf_str_c(roles[i]))};
		struct mf_tuf_meta_spec spec = {.type = MF_TUF_SNAPSHOT,
						.files = files,
						.nfiles = SW_COUNT(roles),
						.version = 1,
						.expires = SW_NOW};
		struct mf_buf text MF_BUF_CLEANUP = build_meta(dialects[d], &spec);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = reparse(dialects[d], MF_TUF_SNAPSHOT, &text);
		assert_true(f->was_canonical);
		assert_int_equal(f->nmeta, SW_COUNT(roles));
		for (size_t i = 0; i < SW_COUNT(roles); i++) {
			const struct mf_tuf_meta *m = mf_tuf_meta_find(f, roles[i]);
			struct mf_err err = MF_ERR_INIT;
			assert_non_null(m);
			assert_int_equal(m->version, d ? i + 1 : 0);
			assert_int_equal(m->length, strlen(roles[i]));
			assert_true(m->has_sha256);
			assert_int_equal(m->has_sha512, !d);
			sw_ok(mf_tuf_meta_check(m, files[i].bytes, &err), &err);
		}
	}
}

static void old_entries_are_kept_and_listed_ones_replaced(void **state)
{
	static const struct mf_tuf_listed old_files[] = {{"root", 1, {(const uint8_t *)"r", 1}},
							 {"targets", 1, {(const uint8_t *)"old", 3}},
							 {"x", 7, {(const uint8_t *)"x", 1}}};
	static const struct mf_tuf_listed new_files[] = {{"targets", 2, {(const uint8_t *)"newer", 5}},
							 {"w", 1, {(const uint8_t *)"w", 1}}};
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct mf_tuf_meta_spec spec = {.type = MF_TUF_SNAPSHOT,
						.files = old_files,
						.nfiles = 3,
						.version = 1,
						.expires = SW_NOW};
		struct mf_buf first MF_BUF_CLEANUP = build_meta(dialects[d], &spec);
		struct mf_tuf_file *old MF_TUF_FILE_CLEANUP = reparse(dialects[d], MF_TUF_SNAPSHOT, &first);
		spec = (struct mf_tuf_meta_spec){.type = MF_TUF_SNAPSHOT,
						 .old = old,
						 .files = new_files,
						 .nfiles = 2,
						 .version = 2,
						 .expires = SW_NOW};
		struct mf_buf second MF_BUF_CLEANUP = build_meta(dialects[d], &spec);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = reparse(dialects[d], MF_TUF_SNAPSHOT, &second);
		assert_int_equal(f->nmeta, 4);
		assert_int_equal(mf_tuf_meta_find(f, "targets")->length, 5);
		assert_int_equal(mf_tuf_meta_find(f, "w")->length, 1);
		const struct mf_tuf_meta *a = mf_tuf_meta_find(old, "x"), *b = mf_tuf_meta_find(f, "x");
		assert_true(mf_digest_eq(&a->sha256, &b->sha256));
		assert_memory_equal(a->sha512, b->sha512, 64);
		assert_int_equal(a->version, b->version);
	}
}

/* What other TUF writers leave out or put in stays as it was. */
static void sparse_entries_stay_as_they_were(void **state)
{
	char text[600], hash[129];
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	(void)state;
	memset(hash, 'a', 128);
	hash[128] = 0;
	(void)snprintf(text, sizeof text,
		       "\"meta\":{\"only512.json\":{\"hashes\":{\"sha512\":\"%s\"},\"version\":2},"
		       "\"sparse.json\":{\"version\":1},\"targets.json\":{\"length\":4,\"version\":3}}",
		       hash);
	sw_ok(mf_buf_printf(&b, &err,
			    "{\"signed\":{\"_type\":\"snapshot\",\"expires\":\"2030-01-01T00:00:00Z\",%s,"
			    "\"spec_version\":\"1.0\",\"version\":1},\"signatures\":[]}",
			    text),
	      &err);
	struct mf_tuf_file *old MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(&mf_dialect_tuf1, MF_TUF_SNAPSHOT, &b, &err);
	assert_non_null(old);
	struct mf_tuf_meta_spec spec = {.type = MF_TUF_SNAPSHOT, .old = old, .version = 2, .expires = SW_NOW};
	struct mf_buf next MF_BUF_CLEANUP = build_meta(&mf_dialect_tuf1, &spec);
	assert_non_null(strstr(next.p, text));
}

static void root_lists_keys_and_roles_whatever_their_order(void **state)
{
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct sw r SW_CLEANUP = sw_new(d ? SW_TUF1 : SW_NOTARY);
		struct mf_err err = MF_ERR_INIT;
		struct mf_tuf_root_key keys[4], reversed[4];
		static const enum sw_key_name used[] = {K_ROOT, K_TARGETS, K_TIMESTAMP, K_STRANGER};
		for (size_t i = 0; i < 4; i++) {
			const struct sw_key *k = &r.keys[used[i]];
			keys[i] =
			    (struct mf_tuf_root_key){mf_str_c(k->object), k->id, i == 3 ? 2 | 4 | 8 : BIT(i)};
			reversed[3 - i] = keys[i];
		}
		struct mf_buf a MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20),
				b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
		sw_ok(mf_tuf_build_root(r.d, &(struct mf_tuf_root_spec){keys, 4, 3, SW_NOW, 0}, &a, &err),
		      &err);
		sw_ok(mf_tuf_build_root(r.d, &(struct mf_tuf_root_spec){reversed, 4, 3, SW_NOW, 0}, &b, &err),
		      &err);
		assert_string_equal(a.p, b.p);
		assert_canonical(&a);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = reparse(r.d, MF_TUF_ROOT, &a);
		assert_int_equal(f->nkeys, 4);
		assert_int_equal(f->consistent_snapshot, d == 1);
		for (size_t i = 0; i < 4; i++) {
			assert_true(f->keys[i].id_fits);
			assert_non_null(f->keys[i].pub);
		}
		assert_int_equal(f->roles[MF_TUF_ROOT].nkeys, 1);
		assert_int_equal(f->roles[MF_TUF_TIMESTAMP].nkeys, 2);
		assert_int_equal(f->roles[MF_TUF_SNAPSHOT].nkeys, 2);
		assert_int_equal(f->roles[MF_TUF_TARGETS].nkeys, 1);
	}
}

/* ---- the wire */

static void control_characters_have_no_form_in_notary_and_are_escaped_in_tuf1(void **state)
{
	static const struct mf_tuf_edit edits[] = {PUT("a\nb", "{}")};
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct mf_tuf_targets_spec spec = {
		    .edits = edits, .nedits = 1, .version = 1, .expires = SW_NOW};
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(65536),
				   out MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		struct mf_err err = MF_ERR_INIT;
		sw_ok(mf_tuf_build_targets(dialects[d], &spec, &text, &err), &err);
		int rc = mf_tuf_build_file(dialects[d], mf_buf_str(&text), NULL, 0, &out, &err);
		if (dialects[d] == &mf_dialect_notary) {
			assert_int_equal(rc, -1);
			assert_int_equal(err.code, MF_E_FORMAT);
			continue;
		}
		sw_ok(rc, &err);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
		    mf_tuf_parse_unverified(dialects[d], MF_TUF_TARGETS, &out, &err);
		assert_non_null(f);
		assert_true(mf_str_eq(f->canonical, mf_buf_str(&text)));
		assert_int_equal(mf_tuf_target_find(f, MF_STR("a\nb")), 0);
	}
}

static void names_that_need_escapes_survive_signing(void **state)
{
	static const struct mf_tuf_edit edits[] = {PUT("<a>&\xe2\x80\xa8", "{\"custom\":{\"x\":\"<&>\"}}"),
						   PUT("q\"\\", "{}")};
	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct sw r SW_CLEANUP = sw_new(d ? SW_TUF1 : SW_NOTARY);
		struct mf_err err = MF_ERR_INIT;
		struct mf_tuf_targets_spec spec = {
		    .edits = edits, .nedits = 2, .version = 1, .expires = SW_NOW};
		struct mf_buf text MF_BUF_CLEANUP = build_targets(r.d, &spec);
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		sw_sign(&r, mf_buf_str(&text), BIT(K_TARGETS), 0, &bytes);
		if (r.d == &mf_dialect_notary)
			assert_null(strpbrk(bytes.p, "<>&"));
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
		    mf_tuf_parse_unverified(r.d, MF_TUF_TARGETS, &bytes, &err);
		assert_non_null(f);
		assert_int_equal(f->was_canonical, r.d == &mf_dialect_tuf1);
		assert_true(mf_str_eq(f->canonical, mf_buf_str(&text)));
		assert_true(mf_tuf_target_find(f, edits[0].name) >= 0);
		assert_true(mf_tuf_target_find(f, edits[1].name) >= 0);
	}
}

static void same_input_gives_the_same_bytes(void **state)
{
	(void)state;
	for (unsigned which = SW_NOTARY; which <= SW_TUF1; which++) {
		struct sw r SW_CLEANUP = sw_new((enum sw_dialect)which);
		struct mf_buf first MF_BUF_CLEANUP;
		sw_build(&r, NULL);
		sw_copy(&first,
			&r.bytes[F_QA]); /* ed25519 in both dialects: deterministic down to the signature */
		sw_build(&r, NULL);
		assert_string_equal(first.p, r.bytes[F_QA].p);
	}
}

/* ---- Notary's byte form */

static void read_file(const char *path, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	char chunk[4096];
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("no %s", path);
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
		sw_ok(mf_buf_add(out, chunk, n, &err), &err);
	(void)fclose(f);
}

static struct mf_tuf_file *vector(const char *path, enum mf_tuf_type type, struct mf_buf *bytes)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf copy MF_BUF_CLEANUP;
	read_file(path, bytes);
	sw_copy(&copy, bytes);
	struct mf_tuf_file *f = mf_tuf_parse_unverified(&mf_dialect_notary, type, &copy, &err);
	if (!f)
		fail_msg("%s: %s", path, err.msg);
	return f;
}

static const struct {
	const char *path;
	enum mf_tuf_type type;
} go_files[] = {
    {"testdata/notary/basic/metadata/root.json", MF_TUF_ROOT},
    {"testdata/notary/basic/metadata/timestamp.json", MF_TUF_TIMESTAMP},
    {"testdata/notary/basic/metadata/snapshot.json", MF_TUF_SNAPSHOT},
    {"testdata/notary/basic/metadata/targets.json", MF_TUF_TARGETS},
    {"testdata/notary/names/metadata/targets.json", MF_TUF_TARGETS},
    {"testdata/notary/rsa/metadata/root.json", MF_TUF_ROOT},
    {"testdata/notary/delegations/metadata/targets.json", MF_TUF_TARGETS},
    {"testdata/notary/delegations/metadata/targets/restricted.json", MF_TUF_TARGETS},
};

/* The server hashes what it re-serialises: any other bytes than Go's make an unreadable repository. */
static void envelopes_are_byte_for_byte_those_of_notary(void **state)
{
	(void)state;
	for (size_t i = 0; i < SW_COUNT(go_files); i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20),
				    again MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
		    vector(go_files[i].path, go_files[i].type, &bytes);
		struct mf_tuf_made_signature sigs[8];
		char *ids[8], *methods[8];
		assert_true(f->nsignatures <= 8);
		for (size_t k = 0; k < f->nsignatures; k++) {
			ids[k] = mf_str_dup(f->signatures[k].keyid);
			methods[k] = mf_str_dup(f->signatures[k].method);
			sigs[k] = (struct mf_tuf_made_signature){ids[k], methods[k], f->signatures[k].sig};
		}
		sw_ok(mf_tuf_build_file(&mf_dialect_notary, f->canonical, sigs, f->nsignatures, &again, &err),
		      &err);
		assert_string_equal(again.p, bytes.p);
		for (size_t k = 0; k < f->nsignatures; k++) {
			free(ids[k]);
			free(methods[k]);
		}
	}
}

/* The signed part too, once the time is one that we would write. */
static void signed_parts_are_those_of_notary(void **state)
{
	static const char *const paths[] = {"testdata/notary/derived/good-newer/targets.json",
					    "testdata/notary/derived/good-html-characters/targets.json"};
	struct mf_err err = MF_ERR_INIT;
	(void)state;
	for (size_t i = 0; i < SW_COUNT(paths); i++) {
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = vector(paths[i], MF_TUF_TARGETS, &bytes);
		struct mf_tuf_targets_spec spec = {.old = f, .version = f->version, .expires = f->expires};
		struct mf_buf text MF_BUF_CLEANUP = build_targets(&mf_dialect_notary, &spec);
		assert_true(mf_str_eq(mf_buf_str(&text), f->canonical));
	}
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20),
			    targets MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
	    vector("testdata/notary/derived/good/snapshot.json", MF_TUF_SNAPSHOT, &bytes);
	read_file("testdata/notary/derived/good/targets.json", &targets);
	struct mf_tuf_listed listed = {"targets", 2, mf_buf_bytes(&targets)};
	struct mf_tuf_meta_spec spec = {.type = MF_TUF_SNAPSHOT,
					.old = f,
					.files = &listed,
					.nfiles = 1,
					.version = f->version,
					.expires = f->expires};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	sw_ok(mf_tuf_build_meta(&mf_dialect_notary, &spec, &text, &err), &err);
	assert_true(mf_str_eq(mf_buf_str(&text), f->canonical));
}

/* Go's key IDs, from Go's keys. */
static void key_objects_are_those_of_notary(void **state)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = vector(go_files[0].path, MF_TUF_ROOT, &bytes);
	(void)state;
	for (size_t i = 0; i < f->nkeys; i++) {
		const struct mf_tuf_key *k = &f->keys[i];
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		char id[65];
		assert_non_null(k->pub);
		sw_ok(
		    mf_dialect_notary.key_write(k->pub, k->x509 ? &k->certificate : NULL, &object, id, &err),
		    &err);
		assert_true(mf_str_eqz(k->id, id));
		assert_true(mf_str_eq(k->raw, mf_buf_str(&object)));
	}
}

/* The key ID of a TUF 1.0 repository is any text that somebody else has chosen. */
static void key_ids_of_signatures_are_quoted(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	const uint8_t octet = 7;
	const struct mf_tuf_made_signature sig = {.keyid = "a\",\"sig\":\"00\"},{\\", .sig = {&octet, 1}};
	(void)state;
	sw_ok(mf_tuf_build_file(&mf_dialect_tuf1, MF_STR("{}"), &sig, 1, &out, &err), &err);
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&out), out.n, &err);
	json_t *signatures = json_object_get(j, "signatures");
	assert_int_equal(json_array_size(signatures), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(signatures, 0), "keyid")),
			    sig.keyid);
	assert_string_equal(json_string_value(json_object_get(json_array_get(signatures, 0), "sig")), "07");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_ids_of_signatures_are_quoted),
	    cmocka_unit_test(edits_insert_replace_and_remove),
	    cmocka_unit_test(canonical_slices_are_copied),
	    cmocka_unit_test(delegations_are_kept_or_replaced),
	    cmocka_unit_test(edits_of_nothing_make_a_first_file),
	    cmocka_unit_test(listed_roles_are_in_canonical_order),
	    cmocka_unit_test(old_entries_are_kept_and_listed_ones_replaced),
	    cmocka_unit_test(sparse_entries_stay_as_they_were),
	    cmocka_unit_test(root_lists_keys_and_roles_whatever_their_order),
	    cmocka_unit_test(control_characters_have_no_form_in_notary_and_are_escaped_in_tuf1),
	    cmocka_unit_test(names_that_need_escapes_survive_signing),
	    cmocka_unit_test(same_input_gives_the_same_bytes),
	    cmocka_unit_test(envelopes_are_byte_for_byte_those_of_notary),
	    cmocka_unit_test(signed_parts_are_those_of_notary),
	    cmocka_unit_test(key_objects_are_those_of_notary),
	};
	return cmocka_run_group_tests_name("build", tests, NULL, NULL);
}
