/* The document of a proposal: one constructor, which takes all of it or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "publish/proposal.h"
#include "../../support/oom.h"

static const char whole[] =
    "{\"v\":1,\"mediaType\":\"application/vnd.manifesto.proposal.v1+json\",\"dialect\":\"tuf1\",\"reposito"
    "ry\":\"oci\",\"image\":\"oci:layout:1.0\",\"created\":\"2026-01-01T00:00:00Z\",\"expires\":\"2026-02-01T"
    "00:00:00Z\",\"intent\":{\"role\":\"qa\",\"edits\":[{\"name\":\"a/sha256-cccccccccccccccccccccccccccccc"
    "cccccccccccccccccccccccccccccccccc\",\"entry\":{\"hashes\":{\"sha256\":\"ddddddddddddddddddddddddd"
    "ddddddddddddddddddddddddddddddddddddddd\"},\"length\":1}},{\"name\":\"b\",\"before\":\"sha256:eeeeee"
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\"}],\"delegations\":[{\"name\":\"x\",\""
    "entry\":{\"name\":\"x\",\"keyids\":[\"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffff\"],\"threshold\":1,\"paths\":[\"t/"
    "*\"],\"terminating\":false}},{\"name\":\"y\",\"before\":\"sha256:00"
    "00000000000000000000000000000000000000000000000000000000000000\"}],\"keys\":{\"fffffffffffffff"
    "fffffffffffffffffffffffffffffffffffffffffffffffff\":{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\""
    ",\"keyval\":{\"public\":\"0000000000000000000000000000000000000000000000000000000000000000\"}}},"
    "\"resign\":[{\"role\":\"z\",\"empty\":true,\"version\":3}],\"meta\":[\"snapshot\",\"timestamp\"],"
    "\"rootLast"
    "\":true},\"files\":[{\"role\":\"qa\",\"base\":{\"version\":1,\"sha256\":\"sha256:aaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"},\"version\":2,\"expires\":\"2027-01-01T00:00:00Z\",\""
    "signed\":\"eyJfdHlwZSI6InRhcmdldHMifQ==\",\"signatures\":[{\"keyid\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbb"
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\",\"sig\":\"c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nz"
    "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzcw==\"}]}]}";

/* The document with the first `from` replaced. */
static char *changed(const char *from, const char *to)
{
	const char *at = strstr(whole, from);
	char *out = NULL;
	assert_non_null(at);
	assert_true(asprintf(&out, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from)) > 0);
	return out;
}

static enum mf_code read_text(const char *text, struct mf_proposal *p)
{
	struct mf_err err = MF_ERR_INIT;
	(void)!mf_proposal_parse(p, mf_bytes_of(mf_str_c(text)), &err);
	return err.code;
}

static void whole_document_is_read(void **state)
{
	(void)state;
	struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	assert_int_equal(read_text(whole, &p), MF_OK);
	assert_int_equal(p.nedits, 2);
	assert_true(!p.edits[0].had && p.edits[0].entry.n && p.edits[1].had && !p.edits[1].entry.n);
	assert_int_equal(p.ndelegations, 2);
	assert_true(p.delegations[0].entry && !p.delegations[1].entry && p.delegations[1].had);
	/* No proposal empties a file, or chooses its version. */
	assert_true(p.nresign == 1 && !p.resign[0].empty && !p.resign[0].version && p.root_last);
	assert_int_equal(p.meta, 1u << MF_TUF_SNAPSHOT | 1u << MF_TUF_TIMESTAMP);
	assert_int_equal(p.nfiles, 1);
	assert_true(p.files[0].base == 1 && p.files[0].version == 2 && p.files[0].nsignatures == 1);
	assert_true(mf_str_eqz(p.files[0].signed_part, "{\"_type\":\"targets\"}"));
}

static void what_is_not_a_proposal_is_refused(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
	    {"\"v\":1", "\"v\":2"},
	    {"\"v\": 1", "\"w\": 1"},
	    {"proposal.v1+json", "proposal.v2+json"},
	    {"\"dialect\"", "\"x\""},
	    {"\"repository\"", "\"x\""},
	    {"\"image\"", "\"x\""},
	    {"2026-02-01T00:00:00Z", "never"},
	    {"\"intent\"", "\"x\""},
	    {"\"files\":[", "\"files\":[],\"x\":["},
	    {"\"name\":\"b\"", "\"name\":\"a\""},
	    {"\"name\":\"b\",\"before\":\"sha256:e", "\"name\":\"b\",\"before\":\"sha256:E"},
	    {"\"entry\":{\"name\":\"x\"", "\"entry\":{\"name\":\"other\""},
	    {"\"length\":1", "\"length\":1.5"},
	    {"\"version\":2", "\"version\":0"},
	    {"\"version\":2", "\"version\":9007199254740992"},
	    {"\"base\":{\"version\":1,\"sha256\"", "\"base\":{\"version\":1,\"x\""},
	    {"\"signed\":\"", "\"signed\":\"!"},
	    {"\"sig\":\"", "\"sig\":\"!"},
	    {"\"keyid\"", "\"x\""},
	    {"\"signatures\":[", "\"signatures\":{}, \"x\":["},
	    {"{\"name\":\"b\"",
	     "{\"name\":\"a/sha256-cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\""},
	    {"\"files\":[", "\"files\":[{\"role\":\"qa\",\"version\":2,\"expires\":\"2027-01-01T00:00:00Z\","
			    "\"signed\":\"e30=\",\"signatures\":[]},"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
		if (!strstr(whole, rows[i][0]))
			continue;
		char *text MF_FREE = changed(rows[i][0], rows[i][1]);
		if (read_text(text, &p) != MF_E_FORMAT)
			fail_msg("row %zu was read", i);
		assert_null(p.tree);
	}
}

static void document_that_is_cut_off_anywhere_is_refused(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof whole - 1; n += 7) {
		struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
		char *text MF_FREE = mf_str_dup((struct mf_str){whole, n});
		assert_int_equal(read_text(text, &p), MF_E_FORMAT);
	}
}

/* A list of one element more than there may be. */
static void lists_have_a_maximum(void **state)
{
	(void)state;
	static const struct {
		const char *list, *before, *after;
		size_t max;
	} rows[] = {
	    {"\"delegations\":[", "{\"name\":\"", "\"},", MF_MAX_DELEGATIONS_LIST - 2},
	    {"\"resign\":[", "{\"role\":\"", "\"},", MF_MAX_PROPOSAL_FILES - 1},
	    {"\"signatures\":[", "{\"keyid\":\"", "\",\"sig\":\"eA==\"},", MF_MAX_SIGNATURES - 1},
	    {"\"files\":[", "{\"role\":\"",
	     "\",\"version\":2,\"expires\":\"2027-01-01T00:00:00Z\",\"signed\":\"e30=\","
	     "\"signatures\":[]},",
	     MF_MAX_PROPOSAL_FILES - 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t more = 0; more < 2; more++) {
			struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
			struct mf_buf list MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
			struct mf_err err = MF_ERR_INIT;
			assert_int_equal(mf_buf_addz(&list, rows[i].list, &err), 0);
			for (size_t n = 0; n < rows[i].max + more; n++) {
				char one[160];
				int len =
				    snprintf(one, sizeof one, "%s%zu%s", rows[i].before, n, rows[i].after);
				assert_int_equal(mf_buf_add(&list, one, (size_t)len, &err), 0);
			}
			char *text MF_FREE = changed(rows[i].list, mf_buf_str(&list).p);
			assert_int_equal(read_text(text, &p), more ? MF_E_FORMAT : MF_OK);
		}
}

static void one_key_signs_a_file_once(void **state)
{
	(void)state;
	struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	const char *from = strstr(whole, "\"signatures\":[") + strlen("\"signatures\":[");
	size_t n = (size_t)(strchr(from, '}') - from) + 1;
	char *twice MF_FREE = NULL;
	assert_true(asprintf(&twice, "%.*s%.*s,%s", (int)(from - whole), whole, (int)n, from, from) > 0);
	assert_int_equal(read_text(twice, &p), MF_E_FORMAT);
}

static void signatures_of_another_copy_are_taken_over_once(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT},
			     copy MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT},
			     other MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	char *text MF_FREE = changed("\"keyid\":\"b", "\"keyid\":\"c");
	char *bytes MF_FREE = NULL;
	assert_true(asprintf(&bytes, "%s", text) > 0);
	*(strstr(bytes, "\"signed\":\"e") + strlen("\"signed\":\"")) = 'f';
	assert_int_equal(read_text(whole, &p), MF_OK);
	assert_int_equal(read_text(text, &copy), MF_OK);
	assert_int_equal(read_text(bytes, &other), MF_OK);
	assert_int_equal(mf_proposal_merge(&p, &other, NULL, &err), 0);
	assert_int_equal(p.files[0].nsignatures, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mf_proposal_merge(&p, &copy, NULL, &err), 0);
		assert_int_equal(p.files[0].nsignatures, 2);
	}
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_proposal again MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	assert_int_equal(mf_proposal_write(&p, &out, &err), 0);
	assert_int_equal(read_text(mf_buf_str(&out).p, &again), MF_OK);
	assert_int_equal(again.files[0].nsignatures, 2);
}

static void merged_signatures_have_a_maximum(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	assert_int_equal(read_text(whole, &p), MF_OK);
	for (size_t i = 0; i <= MF_MAX_SIGNATURES; i++) {
		struct mf_proposal copy MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
		char id[80];
		(void)snprintf(id, sizeof id, "\"keyid\":\"%zu-", i);
		char *text MF_FREE = changed("\"keyid\":\"b", id);
		assert_int_equal(read_text(text, &copy), MF_OK);
		assert_int_equal(mf_proposal_merge(&p, &copy, NULL, &err), 0);
		/* The texts of a signature are those of its document. */
		struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(65536);
		assert_int_equal(mf_proposal_write(&p, &out, &err), 0);
		mf_proposal_clear(&p);
		assert_int_equal(read_text(mf_buf_str(&out).p, &p), MF_OK);
	}
	assert_int_equal(p.files[0].nsignatures, MF_MAX_SIGNATURES);
}

/* Beside the image anybody can leave signatures in the name of a colleague. */
static void signature_of_a_stranger_takes_no_colleagues_place(void **state)
{
	(void)state;
	static const uint8_t raw[] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
				      0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
				      0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
	struct mf_err err = MF_ERR_INIT;
	struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT},
			     copy MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	char *text MF_FREE = changed("\"keyid\":\"b", "\"keyid\":\"c");
	assert_int_equal(read_text(whole, &p), MF_OK);
	assert_int_equal(read_text(text, &copy), MF_OK);
	struct mf_tuf_key colleague = {.id_fits = true,
				       .pub =
					   mf_pubkey_from_ed25519((struct mf_bytes){raw, sizeof raw}, &err),
				       .scheme = MF_SIG_ED25519};
	const struct mf_proposal_filter only = {&mf_dialect_tuf1, &colleague};
	assert_non_null(colleague.pub);
	/* Of another key; then under the colleague's ID, where it does not verify. */
	const char *ids[] = {p.files[0].signatures[0].keyid, copy.files[0].signatures[0].keyid};
	for (size_t i = 0; i < 2; i++) {
		colleague.id = mf_str_c(ids[i]);
		assert_int_equal(mf_proposal_merge(&p, &copy, &only, &err), 0);
		assert_int_equal(p.files[0].nsignatures, 1);
	}
	mf_pubkey_unref(colleague.pub);
}

/* Without memory it is that, and never a document of another meaning, or damage. */
static void lack_of_memory_is_no_damage(void **state)
{
	(void)state;
	bool read = false;
	for (size_t left = 1; !read && left < 100000; left++) {
		struct mf_proposal p MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
		oom.left = left;
		oom.failed = oom.all_behind = false;
		oom.armed = true;
		enum mf_code code = read_text(whole, &p);
		oom.armed = false;
		read = !oom.failed;
		/* The second: jansson does not say why it has no text. */
		assert_true(read ? code == MF_OK : code == MF_E_NOMEM || code == MF_E_INTERNAL);
		if (read)
			assert_int_equal(p.files[0].nsignatures, 1);
	}
	assert_true(read);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_document_is_read),
	    cmocka_unit_test(what_is_not_a_proposal_is_refused),
	    cmocka_unit_test(document_that_is_cut_off_anywhere_is_refused),
	    cmocka_unit_test(one_key_signs_a_file_once),
	    cmocka_unit_test(signatures_of_another_copy_are_taken_over_once),
	    cmocka_unit_test(signature_of_a_stranger_takes_no_colleagues_place),
	    cmocka_unit_test(lists_have_a_maximum),
	    cmocka_unit_test(merged_signatures_have_a_maximum),
	    cmocka_unit_test(lack_of_memory_is_no_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
