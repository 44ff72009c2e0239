/* What happened to a record from one version of a role's file to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/encode.h"
#include "policy/history.h"
#include "tuf/build.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define NOW INT64_C(1800000000)
#define HEX "00000000000000000000000000000000000000000000000000000000000000"

static void ok(int rc, const struct mf_err *err)
{
	if (rc < 0)
		fail_msg("%s: %s", mf_code_name(err->code), err->msg);
}

/* ---- comparing */

/* "" is not in the file. Else: what is said, then 'w' withdrawn, 'u' the role may not say it, digits signers.
 */
static struct mf_past *past(struct mf_past *p, struct mf_digest *signers, const char *text)
{
	*p = (struct mf_past){.authorised = true, .signers = signers};
	if (!*text)
		return NULL;
	p->described.b[0] = (uint8_t)*text;
	for (const char *c = text + 1; *c; c++) {
		if (*c == 'w')
			p->withdrawn = true;
		else if (*c == 'u')
			p->authorised = false;
		else
			signers[p->nsigners++] = (struct mf_digest){{(uint8_t)*c}};
	}
	return p;
}

static void events_are_told_from_what_was_and_what_is(void **state)
{
	(void)state;
	static const struct {
		const char *before, *after;
		enum mf_event known, unknown;
	} rows[] = {
	    {"", "", MF_EVENT_NONE, MF_EVENT_NONE},
	    {"", "a1", MF_EVENT_PUT, MF_EVENT_PRESENT},
	    {"", "a", MF_EVENT_FOREIGN, MF_EVENT_PRESENT},
	    {"", "aw1", MF_EVENT_WITHDRAWN, MF_EVENT_PRESENT},
	    {"", "au1", MF_EVENT_NONE, MF_EVENT_NONE},
	    {"a1", "", MF_EVENT_REMOVED, MF_EVENT_REMOVED},
	    {"aw1", "", MF_EVENT_REMOVED, MF_EVENT_REMOVED},
	    {"au1", "", MF_EVENT_NONE, MF_EVENT_NONE},
	    {"a1", "a1", MF_EVENT_NONE, MF_EVENT_NONE},
	    {"au1", "bu2", MF_EVENT_NONE, MF_EVENT_NONE},
	    {"a1", "b1", MF_EVENT_REPLACED, MF_EVENT_REPLACED},
	    {"a1", "b", MF_EVENT_FOREIGN, MF_EVENT_FOREIGN},
	    {"a1", "bw1", MF_EVENT_WITHDRAWN, MF_EVENT_WITHDRAWN},
	    {"a1", "aw1", MF_EVENT_WITHDRAWN, MF_EVENT_WITHDRAWN},
	    {"aw1", "bw1", MF_EVENT_WITHDRAWN, MF_EVENT_WITHDRAWN},
	    {"aw1", "b1", MF_EVENT_REINSTATED, MF_EVENT_REINSTATED},
	    {"a1", "a12", MF_EVENT_SIGNED, MF_EVENT_SIGNED},
	    {"a1", "a2", MF_EVENT_SIGNED, MF_EVENT_SIGNED},
	    {"a12", "a1", MF_EVENT_UNSIGNED, MF_EVENT_UNSIGNED},
	    {"a1", "a", MF_EVENT_UNSIGNED, MF_EVENT_UNSIGNED},
	    {"a1", "au1", MF_EVENT_UNAUTHORISED, MF_EVENT_UNAUTHORISED},
	    {"a1", "bu1", MF_EVENT_UNAUTHORISED, MF_EVENT_UNAUTHORISED},
	    {"au1", "a1", MF_EVENT_AUTHORISED, MF_EVENT_AUTHORISED},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mf_past a, b;
		struct mf_digest as[4], bs[4];
		const struct mf_past *before = past(&a, as, rows[i].before),
				     *after = past(&b, bs, rows[i].after);
		enum mf_event known = mf_event_between(before, after, true),
			      unknown = mf_event_between(before, after, false);
		if (known != rows[i].known || unknown != rows[i].unknown)
			fail_msg("'%s' to '%s': %s, %s", rows[i].before, rows[i].after, mf_event_name(known),
				 mf_event_name(unknown));
	}
}

static void every_event_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum mf_event a = MF_EVENT_NONE; a <= MF_EVENT_AUTHORISED; a++)
		for (enum mf_event b = MF_EVENT_NONE; b < a; b++)
			assert_string_not_equal(mf_event_name(a), mf_event_name(b));
}

/* ---- reading */

struct fixture {
	struct mf_privkey *key;
	struct mf_tuf_set set;
	struct mf_tuf_loaded loaded, *roles[1];
	struct mf_digest subject;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(4096),
			     canonical MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_buf root = MF_BUF_INIT(65536);
	char id[65];
	if (!f)
		return -1;
	f->key = mf_privkey_generate(MF_KEY_ED25519, &err);
	assert_non_null(f->key);
	ok(mf_dialect_tuf1.key_write(mf_privkey_public(f->key), NULL, &object, id, &err), &err);
	struct mf_tuf_root_key k = {mf_buf_str(&object), id, 15};
	ok(mf_tuf_build_root(&mf_dialect_tuf1, &(struct mf_tuf_root_spec){&k, 1, 1, NOW + 1000, 0},
			     &canonical, &err),
	   &err);
	ok(mf_tuf_build_file(&mf_dialect_tuf1, mf_buf_str(&canonical), NULL, 0, &root, &err), &err);
	mf_tuf_set_init(&f->set, &mf_dialect_tuf1, MF_STR("oci"), NOW, NULL);
	f->set.root = mf_tuf_parse_unverified(&mf_dialect_tuf1, MF_TUF_ROOT, &root, &err);
	if (!f->set.root)
		fail_msg("%s", err.msg);
	f->subject = (struct mf_digest){{7}};
	f->roles[0] = &f->loaded;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	mf_tuf_file_free(f->loaded.file);
	mf_tuf_file_free(f->set.root);
	mf_privkey_free(f->key);
	free(f);
	return 0;
}

/* A target entry of "TYPE/sha256-07...", signed. */
static void add_target(struct fixture *f, struct mf_buf *out, const char *type, const char *author)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(65536), custom MF_BUF_CLEANUP = MF_BUF_INIT(65536),
			      sig MF_BUF_CLEANUP = MF_BUF_INIT(64);
	char name[200];
	(void)snprintf(name, sizeof name, "%s/sha256-07" HEX, type);
	struct mf_record_fields fields = {.created = NOW, .author = author};
	json_t *tree MF_JSON_CLEANUP = mf_record_make(&fields, &err);
	assert_non_null(tree);
	struct mf_record_binding b = {
	    .repository = "oci", .name = mf_str_c(name), .length = 3, .sha256 = {{0x11}}};
	ok(mf_record_payload(&payload, &b, tree, &err), &err);
	ok(mf_privkey_sign(f->key, MF_SIG_ED25519, mf_buf_bytes(&payload), &sig, &err), &err);
	struct mf_digest fp = mf_pubkey_fingerprint(mf_privkey_public(f->key));
	ok(mf_record_add_sig(tree, &fp, mf_buf_bytes(&sig), &err), &err);
	ok(mf_record_custom(&custom, tree, &err), &err);
	ok(mf_buf_printf(out, &err,
			 "%s\"%s\":{\"custom\":%s,\"hashes\":{\"sha256\":\"11" HEX "\"},\"length\":3}",
			 out->n ? "," : "", name, custom.p),
	   &err);
}

static void load(struct fixture *f, const char *targets, const char *delegations)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b = MF_BUF_INIT(1 << 20);
	ok(mf_buf_printf(
	       &b, &err,
	       "{\"signatures\":[],\"signed\":{\"_type\":\"targets\",%s\"expires\":\"2030-01-01T00:00:"
	       "00Z\",\"spec_version\":\"1.0.33\",\"targets\":{%s},\"version\":1}}",
	       delegations, targets),
	   &err);
	mf_tuf_file_free(f->loaded.file);
	f->loaded = (struct mf_tuf_loaded){
	    .role = "targets", .file = mf_tuf_parse_unverified(&mf_dialect_tuf1, MF_TUF_TARGETS, &b, &err)};
	if (!f->loaded.file)
		fail_msg("%s", err.msg);
	f->set.roles = (struct mf_tuf_loaded **)&f->roles;
	f->set.nroles = 1;
}

static enum mf_code read_them(struct fixture *f, const char *type, const char *asked, struct mf_pasts *out)
{
	struct mf_err err = MF_ERR_INIT;
	mf_pasts_clear(out);
	return mf_pasts_read(&f->set, &f->loaded, mf_str_c(type), &f->subject, asked, out, &err) < 0
		   ? err.code
		   : MF_OK;
}

static void records_of_the_subject_are_read_sorted_by_type(void **state)
{
	struct fixture *f = *state;
	struct mf_pasts p MF_PASTS_CLEANUP = {0};
	struct mf_buf t MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest fp = mf_pubkey_fingerprint(mf_privkey_public(f->key));
	add_target(f, &t, "qa-1", NULL); /* "qa-1/" sorts before "qa/", "qa" before "qa-1" */
	add_target(f, &t, "qa", NULL);
	ok(mf_buf_addz(&t, ",\"qa/sha256-08" HEX "\":{\"hashes\":{\"sha256\":\"11" HEX "\"},\"length\":3}",
		       &err),
	   &err);
	load(f, t.p, "");
	assert_int_equal(read_them(f, "", NULL, &p), MF_OK);
	assert_int_equal(p.n, 2);
	assert_string_equal(p.v[0].type, "qa");
	assert_string_equal(p.v[1].type, "qa-1");
	assert_int_equal(p.v[0].nsigners, 1);
	assert_true(mf_past_signed_by(&p.v[0], &fp));
	assert_true(p.v[0].authorised && !p.v[0].withdrawn);
	assert_int_equal(p.v[0].length, 3);
	assert_int_equal(p.v[0].blob.b[0], 0x11);
	assert_int_equal(read_them(f, "qa-1", NULL, &p), MF_OK);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.v[0].type, "qa-1");
	mf_pasts_forget_entries(&p);
	assert_null(p.v[0].entry.record.tree);
	assert_true(mf_past_signed_by(&p.v[0], &fp));
	assert_int_equal(read_them(f, "other", NULL, &p), MF_OK);
	assert_int_equal(p.n, 0);
}

static void what_is_said_covers_the_description_and_not_the_signatures(void **state)
{
	struct fixture *f = *state;
	struct mf_pasts a MF_PASTS_CLEANUP = {0}, b MF_PASTS_CLEANUP = {0};
	struct mf_buf t MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	add_target(f, &t, "qa", "alice");
	load(f, t.p, "");
	assert_int_equal(read_them(f, "qa", NULL, &a), MF_OK);
	mf_pasts_forget_entries(&a);
	/* Without its signature. */
	char *sigs = strstr(t.p, ",\"sigs\":["), *end = sigs ? strchr(sigs, ']') : NULL;
	assert_non_null(end);
	memmove(sigs, end + 1, strlen(end + 1) + 1);
	load(f, t.p, "");
	assert_int_equal(read_them(f, "qa", NULL, &b), MF_OK);
	mf_pasts_forget_entries(&b);
	assert_int_equal(mf_event_between(&a.v[0], &b.v[0], true), MF_EVENT_UNSIGNED);
	assert_int_equal(mf_event_between(&b.v[0], &a.v[0], true), MF_EVENT_SIGNED);
	mf_buf_reset(&t);
	add_target(f, &t, "qa", "bob");
	load(f, t.p, "");
	assert_int_equal(read_them(f, "qa", NULL, &b), MF_OK);
	assert_int_equal(mf_event_between(&a.v[0], &b.v[0], true), MF_EVENT_REPLACED);
}

static void entries_of_other_programs_are_compared_by_content(void **state)
{
	static const char *const entries[] = {
	    "\"qa/sha256-07" HEX "\":{\"hashes\":{\"sha256\":\"11" HEX "\"},\"length\":3}",
	    "\"qa/sha256-07" HEX "\":{\"custom\":{\"x\":1},\"hashes\":{\"sha256\":\"11" HEX
	    "\"},\"length\":3}",
	    "\"qa/sha256-07" HEX "\":{\"hashes\":{\"sha256\":\"12" HEX "\"},\"length\":3}",
	    "\"qa/sha256-07" HEX "\":{\"hashes\":{\"sha256\":\"12" HEX "\"},\"length\":4}",
	};
	static const enum mf_event want[] = {MF_EVENT_NONE, MF_EVENT_FOREIGN, MF_EVENT_FOREIGN};
	struct fixture *f = *state;
	for (size_t i = 0; i < 3; i++) {
		struct mf_pasts a MF_PASTS_CLEANUP = {0}, b MF_PASTS_CLEANUP = {0};
		load(f, entries[i], "");
		assert_int_equal(read_them(f, "qa", NULL, &a), MF_OK);
		mf_pasts_forget_entries(&a);
		load(f, entries[i + 1], "");
		assert_int_equal(read_them(f, "", NULL, &b), MF_OK);
		assert_int_equal(mf_event_between(&a.v[0], &b.v[0], true), want[i]);
	}
}

static void type_that_another_role_has_is_not_the_roles_own(void **state)
{
	struct fixture *f = *state;
	struct mf_pasts p MF_PASTS_CLEANUP = {0};
	struct mf_buf t MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	add_target(f, &t, "qa", NULL);
	add_target(f, &t, "scan", NULL);
	load(f, t.p,
	     "\"delegations\":{\"keys\":{},\"roles\":[{\"keyids\":[],\"name\":\"x\",\"paths\":[\"qa/*\"],"
	     "\"terminating\":false,\"threshold\":1}]},");
	assert_int_equal(read_them(f, "", NULL, &p), MF_OK);
	assert_int_equal(p.n, 2);
	assert_false(p.v[0].authorised);
	assert_true(p.v[1].authorised);
	/* Who asks for the role hears it. */
	assert_int_equal(read_them(f, "qa", "targets", &p), MF_OK);
	assert_true(p.v[0].authorised);
}

static void record_that_the_roles_paths_do_not_cover_is_there_without_authority(void **state)
{
	struct fixture *f = *state;
	struct mf_pasts p MF_PASTS_CLEANUP = {0};
	struct mf_buf t MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_str path = MF_STR("scan/*");
	struct mf_tuf_role by = {.name = "x", .paths = &path, .npaths = 1};
	struct mf_tuf_loaded parent = {.role = "targets"};
	add_target(f, &t, "qa", NULL);
	load(f, t.p, "");
	f->loaded.role = "x";
	f->loaded.delegation = &by;
	f->loaded.parent = &parent;
	assert_int_equal(read_them(f, "qa", NULL, &p), MF_OK);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.v[0].type, "qa");
	assert_false(p.v[0].authorised);
}

static void record_that_cannot_be_read_is_an_error(void **state)
{
	static const char *const entries[] = {
	    "\"qa/sha256-07" HEX "\":{\"custom\":{\"manifesto\":{\"v\":2}},\"hashes\":{\"sha256\":\"11" HEX
	    "\"},\"length\":3}",
	    "\"qa/sha256-0\\u0037" HEX "\":{\"hashes\":{\"sha256\":\"11" HEX "\"},\"length\":3}",
	    "\"q\\u0061/sha256-07" HEX "\":{\"hashes\":{\"sha256\":\"11" HEX "\"},\"length\":3}",
	};
	struct fixture *f = *state;
	struct mf_pasts p MF_PASTS_CLEANUP = {0};
	for (size_t i = 0; i < COUNT(entries); i++) {
		load(f, entries[i], "");
		assert_int_equal(read_them(f, "", NULL, &p), MF_E_FORMAT);
		assert_int_equal(read_them(f, "qa", NULL, &p), MF_E_FORMAT);
		assert_int_equal(p.n, 0);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_are_told_from_what_was_and_what_is),
	    cmocka_unit_test(every_event_has_a_name_of_its_own),
	    T(records_of_the_subject_are_read_sorted_by_type),
	    T(what_is_said_covers_the_description_and_not_the_signatures),
	    T(entries_of_other_programs_are_compared_by_content),
	    T(type_that_another_role_has_is_not_the_roles_own),
	    T(record_that_the_roles_paths_do_not_cover_is_there_without_authority),
	    T(record_that_cannot_be_read_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
