/* What agents, programs and URIs give us, octet by octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/limits.h"
#include "keys/agent.h"
#include "keys/command.h"
#include "keys/pkcs11.h"

static struct mf_err err;

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static void refused(int rc, struct mf_err *e, enum mf_code code)
{
	assert_int_equal(rc, -1);
	assert_int_equal(e->code, code);
	mf_err_clear(e);
}

/* ---- an agent's answers */

static void put_u32(struct mf_buf *b, size_t n)
{
	const uint8_t o[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	assert_int_equal(mf_buf_add(b, o, 4, &err), 0);
}

static void put_string(struct mf_buf *b, struct mf_bytes s)
{
	put_u32(b, s.n);
	assert_int_equal(mf_buf_add(b, s.p, s.n, &err), 0);
}

static void put_text(struct mf_buf *b, const char *text)
{
	put_string(b, mf_bytes_of(mf_str_c(text)));
}

static void put_type(struct mf_buf *b, int type)
{
	assert_int_equal(mf_buf_addc(b, (char)type, &err), 0);
}

static void put_key(struct mf_buf *b, const struct mf_pubkey *k)
{
	struct mf_buf blob MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	assert_int_equal(mf_agent_put_key(&blob, k, &err), 0);
	put_string(b, mf_buf_bytes(&blob));
	put_text(b, "comment");
}

struct seen {
	size_t n;
	struct mf_digest fp[8];
};

static bool see(void *arg, const struct mf_agent_listed *key)
{
	struct seen *s = arg;
	assert_true(s->n < LENGTH(s->fp));
	s->fp[s->n++] = mf_pubkey_fingerprint(key->pub);
	return true;
}

static void keys_of_an_agent_are_those_that_we_know_types_of(void **state)
{
	(void)state;
	struct mf_privkey *ed MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_privkey *ec MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(8192), rsa MF_BUF_CLEANUP = MF_BUF_INIT(64);
	struct seen seen = {0};
	size_t n = 0;
	put_type(&b, 12);
	put_u32(&b, 4);
	put_text(&rsa, "ssh-rsa");
	put_string(&b, mf_buf_bytes(&rsa));
	put_text(&b, "");
	put_key(&b, mf_privkey_public(ed));
	put_key(&b, mf_privkey_public(ec));
	put_text(&b, "not a key at all");
	put_text(&b, "");
	assert_int_equal(mf_agent_read_keys(mf_buf_bytes(&b), see, &seen, &n, &err), 0);
	assert_int_equal(n, 4);
	assert_int_equal(seen.n, 2);
	struct mf_digest first = mf_pubkey_fingerprint(mf_privkey_public(ed)),
			 second = mf_pubkey_fingerprint(mf_privkey_public(ec));
	assert_true(mf_digest_eq(&seen.fp[0], &first) && mf_digest_eq(&seen.fp[1], &second));
	/* Every shorter answer, and a longer one, is malformed. */
	for (size_t cut = 0; cut < b.n; cut++) {
		struct seen any = {0};
		refused(mf_agent_read_keys((struct mf_bytes){(const uint8_t *)b.p, cut}, see, &any, &n, &err),
			&err, MF_E_FORMAT);
	}
	put_type(&b, 0);
	seen.n = 0;
	refused(mf_agent_read_keys(mf_buf_bytes(&b), see, &seen, &n, &err), &err, MF_E_FORMAT);
}

static void counts_and_lengths_of_an_agent_are_not_believed(void **state)
{
	(void)state;
	static const uint8_t rows[][12] = {{12, 0xff, 0xff, 0xff, 0xff},
					   {12, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff},
					   {12, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0},
					   {5},
					   {14, 0, 0, 0, 0}};
	struct seen seen = {0};
	size_t n;
	for (size_t i = 0; i < LENGTH(rows); i++)
		refused(mf_agent_read_keys((struct mf_bytes){rows[i], 12}, see, &seen, &n, &err), &err,
			MF_E_FORMAT);
	assert_int_equal(seen.n, 0);
}

static void put_signature(struct mf_buf *b, const char *type, struct mf_bytes blob)
{
	struct mf_buf whole MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	put_text(&whole, type);
	put_string(&whole, blob);
	put_type(b, 14);
	put_string(b, mf_buf_bytes(&whole));
}

static void a_signature_of_an_agent_comes_out_in_the_encoding_of_its_scheme(void **state)
{
	(void)state;
	struct mf_privkey *ec MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	struct mf_pubkey *pub = mf_privkey_public(ec);
	struct mf_buf raw MF_BUF_CLEANUP = MF_BUF_INIT(256), numbers MF_BUF_CLEANUP = MF_BUF_INIT(256),
			  b MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	const struct mf_bytes m = mf_bytes_of(MF_STR("m"));
	assert_int_equal(mf_privkey_sign(ec, MF_SIG_ECDSA_RAW_SHA256, m, &raw, &err), 0);
	/* Numbers as an agent writes them, one of them with a zero in front. */
	uint8_t padded[33] = {0};
	memcpy(padded + 1, raw.p, 32);
	put_string(&numbers, (struct mf_bytes){padded, 33});
	const uint8_t *s = (const uint8_t *)raw.p + 32;
	size_t zeros = 0;
	while (zeros < 31 && !s[zeros])
		zeros++;
	put_string(&numbers, (struct mf_bytes){s + zeros, 32 - zeros});
	put_signature(&b, "ecdsa-sha2-nistp256", mf_buf_bytes(&numbers));
	static const enum mf_sig_scheme schemes[] = {MF_SIG_ECDSA_RAW_SHA256, MF_SIG_ECDSA_DER_SHA256};
	for (size_t i = 0; i < LENGTH(schemes); i++) {
		struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(256);
		assert_int_equal(mf_agent_read_signature(mf_buf_bytes(&b), pub, schemes[i], &sig, &err),
				 MF_FOUND);
		assert_int_equal(mf_sig_verify(pub, schemes[i], m, mf_buf_bytes(&sig), &err), 0);
	}
	for (size_t cut = 0; cut < b.n; cut++) {
		struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(256);
		refused(mf_agent_read_signature((struct mf_bytes){(const uint8_t *)b.p, cut}, pub,
						MF_SIG_ECDSA_RAW_SHA256, &sig, &err),
			&err, MF_E_FORMAT);
		assert_int_equal(sig.n, 0);
	}
}

static void a_signature_of_another_kind_is_malformed_and_a_refusal_is_none(void **state)
{
	(void)state;
	struct mf_privkey *ed MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1024), sig MF_BUF_CLEANUP = MF_BUF_INIT(256);
	static const uint8_t octets[64] = {1}, refusal[] = {5};
	put_signature(&b, "ecdsa-sha2-nistp256", (struct mf_bytes){octets, 64});
	refused(mf_agent_read_signature(mf_buf_bytes(&b), mf_privkey_public(ed), MF_SIG_ED25519, &sig, &err),
		&err, MF_E_FORMAT);
	assert_int_equal(mf_agent_read_signature((struct mf_bytes){refusal, 1}, mf_privkey_public(ed),
						 MF_SIG_ED25519, &sig, &err),
			 MF_ABSENT);
	assert_int_equal(sig.n, 0);
}

static void fingerprints_of_agents_are_those_of_ssh_add_or_ours(void **state)
{
	(void)state;
	static const char *const good[] = {
	    "SHA256:IPitqflYH36vkX+GxM0xMcZuhThFLYFTolFk4qeE4g8", "78f64bd48ff85dcd", "78F6:4BD4:8FF8:5DCD",
	    "sha256:78f64bd48ff85dcdb7418e852fa547db578421feec9a6b1fe6cf8278f1848d0e"};
	static const char *const bad[] = {
	    "",         "SHA256:",   "SHA256:IPitqflYH36vkX+GxM0xMcZuhThFLYFTolFk4qeE4g",
	    "78f64bd4", "MD5:78:f6", "alice"};
	for (size_t i = 0; i < LENGTH(good); i++)
		assert_int_equal(mf_agent_check(good[i], &err), 0);
	for (size_t i = 0; i < LENGTH(bad); i++)
		refused(mf_agent_check(bad[i], &err), &err, MF_E_USAGE);
}

/* What an agent would refuse without a word is not even sent. */
static void a_message_that_is_too_long_for_an_agent_is_named(void **state)
{
	(void)state;
	char dir[] = "/tmp/manifesto-agent.XXXXXX", place[] = "ssh-agent:78f64bd48ff85dcd", name[] = "k";
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct mf_privkey *ed MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(256);
	struct mf_env env;
	struct mf_held held = {.pub = NULL};
	assert_non_null(mkdtemp(dir));
	snprintf(at.sun_path, sizeof at.sun_path, "%s/socket", dir);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0);
	mf_env_init(&env);
	struct mf_places p = {.env = &env, .access = {.ssh_agent = at.sun_path}};
	const struct mf_key_info k = {.name = name, .source = place, .pub = mf_privkey_public(ed)};
	assert_int_equal(mf_agent_open_key(&p, &k, &held, &err), 0);
	uint8_t *long_message = mf_calloc(MF_MAX_AGENT_BYTES, 1);
	refused(held.sign(held.arg, MF_SIG_ED25519, (struct mf_bytes){long_message, MF_MAX_AGENT_BYTES}, &sig,
			  &err),
		&err, MF_E_KEY);
	free(long_message);
	mf_held_clear(&held);
	mf_places_close(&p);
	(void)close(fd);
	(void)unlink(at.sun_path);
	(void)rmdir(dir);
}

/* ---- a program's answers */

static void a_program_answers_with_one_text_and_nothing_else(void **state)
{
	(void)state;
	static const char *const rows[] = {"",
					   "null",
					   "[]",
					   "\"QQ==\"",
					   "{}",
					   "{\"signature\":1}",
					   "{\"signature\":null}",
					   "{\"signature\":[\"QQ==\"]}",
					   "{\"signature\":\"QQ==\"",
					   "{\"signature\":\"QQ==\"}x",
					   "{\"signature\":\"QQ==\"}{}",
					   "{\"signature\":\"QQ==\",\"signature\":\"QQ==\"}",
					   "{\"signature\":\"QQ==\",\"note\":\"\"}",
					   "{\"signature\":\"QQ\"}",
					   "{\"signature\":\"Q Q=\"}",
					   "{\"signature\":\"\\u0000\"}",
					   "{\"Signature\":\"QQ==\"}",
					   "{\"error\":\"no\",\"signature\":\"QQ==\"}"};
	struct mf_privkey *ed MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(256);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		refused(mf_command_read_signature(mf_bytes_of(mf_str_c(rows[i])), mf_privkey_public(ed),
						  MF_SIG_ED25519, &sig, &err),
			&err, MF_E_KEY);
		assert_int_equal(sig.n, 0);
	}
	assert_int_equal(mf_command_read_signature(mf_bytes_of(MF_STR(" {\"signature\":\"QQ==\"}\n")),
						   mf_privkey_public(ed), MF_SIG_ED25519, &sig, &err),
			 0);
	assert_int_equal(sig.n, 1);
}

static void a_signature_of_a_program_is_der_for_ecdsa(void **state)
{
	(void)state;
	struct mf_privkey *ec MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ECDSA, &err);
	struct mf_buf der MF_BUF_CLEANUP = MF_BUF_INIT(256), text MF_BUF_CLEANUP = MF_BUF_INIT(1024),
			  sig MF_BUF_CLEANUP = MF_BUF_INIT(256);
	const struct mf_bytes m = mf_bytes_of(MF_STR("m"));
	assert_int_equal(mf_privkey_sign(ec, MF_SIG_ECDSA_DER_SHA256, m, &der, &err), 0);
	assert_int_equal(mf_buf_addz(&text, "{\"signature\":\"", &err), 0);
	assert_int_equal(mf_b64_encode(&text, mf_buf_bytes(&der), &err), 0);
	assert_int_equal(mf_buf_addz(&text, "\"}", &err), 0);
	assert_int_equal(mf_command_read_signature(mf_buf_bytes(&text), mf_privkey_public(ec),
						   MF_SIG_ECDSA_RAW_SHA256, &sig, &err),
			 0);
	assert_int_equal(
	    mf_sig_verify(mf_privkey_public(ec), MF_SIG_ECDSA_RAW_SHA256, m, mf_buf_bytes(&sig), &err), 0);
}

static void a_public_key_of_a_program_is_a_key(void **state)
{
	(void)state;
	static const char *const rows[] = {"{\"publicKey\":\"\"}", "{\"publicKey\":\"none\"}",
					   "{\"signature\":\"QQ==\"}", "{\"error\":\"no\"}"};
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct mf_pubkey *k = mf_command_read_key(mf_bytes_of(mf_str_c(rows[i])), &err);
		refused(k ? 0 : -1, &err, MF_E_KEY);
	}
}

/* ---- a signer that lies */

static struct mf_privkey *liars;

static int lie(void *arg, enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_buf *sig,
	       struct mf_err *e)
{
	return mf_privkey_sign(arg, scheme, msg, sig, e);
}

static void a_signature_by_another_key_leaves_no_signer(void **state)
{
	(void)state;
	struct mf_privkey *ed MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(256);
	liars = mf_privkey_generate(MF_KEY_ED25519, &err);
	const struct mf_signer s = {mf_privkey_public(ed), "liar", lie, liars};
	refused(mf_signer_sign(&s, MF_SIG_ED25519, mf_bytes_of(MF_STR("m")), &sig, &err), &err, MF_E_KEY);
	assert_int_equal(sig.n, 0);
	refused(mf_signer_sign(&s, MF_SIG_ECDSA_RAW_SHA256, mf_bytes_of(MF_STR("m")), &sig, &err), &err,
		MF_E_KEY);
	mf_privkey_free(liars);
}

/* ---- places */

static void places_are_spelled_in_one_way_each(void **state)
{
	(void)state;
	static const char *const good[] = {"ssh-agent:78f64bd48ff85dcd",
					   "pkcs11:token=team;object=release",
					   "pkcs11:token=a%20b;id=%01?module-path=/x.so",
					   "pkcs11:token=pin-value",
					   "pkcs11:my-pin-value=1",
					   "command:signer",
					   "command:/opt/my signer",
					   "env:CI_KEY",
					   "env:_1",
					   "fd:0",
					   "fd:65535"};
	static const char *const bad[] = {"",
					  "signer",
					  "SSH-AGENT:78f64bd48ff85dcd",
					  "file:alice.key",
					  "command:",
					  "env:",
					  "env:1",
					  "env:A-B",
					  "env:A=B",
					  "fd:",
					  "fd:-1",
					  "fd:1x",
					  "fd:123456",
					  "pkcs11:",
					  "pkcs11:token=a b",
					  "pkcs11:token=a?pin-value=1",
					  "pkcs11:token=a?module-path=/x&pin-value=1",
					  "pkcs11:token=a?pin-source=file:/x",
					  "pkcs11:pin-source=/x;token=a",
					  "pkcs11:token=a\n"};
	for (size_t i = 0; i < LENGTH(good); i++)
		if (!mf_source_find(good[i], &err))
			fail_msg("%s: %s", good[i], err.msg);
	for (size_t i = 0; i < LENGTH(bad); i++) {
		if (mf_source_find(bad[i], &err))
			fail_msg("'%s' is a place", bad[i]);
		refused(-1, &err, MF_E_USAGE);
	}
}

static void points_of_tokens_are_found_in_their_wrapping(void **state)
{
	(void)state;
	uint8_t octets[140] = {0};
	static const struct {
		uint8_t head[3];
		size_t n, head_n; /* head_n: octets that are taken off */
	} rows[] = {{{4, 32}, 34, 2},   {{4, 65, 4}, 67, 2}, {{4, 0x81, 133}, 136, 3},
		    {{4, 1, 2}, 65, 0}, {{1, 2, 3}, 32, 0},  {{4, 33}, 34, 0}};
	for (size_t i = 0; i < LENGTH(rows); i++) {
		memcpy(octets, rows[i].head, 3);
		struct mf_bytes point = {octets, rows[i].n};
		assert_int_equal(mf_pkcs11_unwrap_point(&point, &err), 0);
		assert_ptr_equal(point.p, octets + rows[i].head_n);
		assert_int_equal(point.n, rows[i].n - rows[i].head_n);
	}
	for (size_t n = 0; n < 32; n++) {
		struct mf_bytes point = {octets, n};
		refused(mf_pkcs11_unwrap_point(&point, &err), &err, MF_E_KEY);
	}
}

/* ---- references */

static void a_reference_is_read_as_it_was_written(void **state)
{
	(void)state;
	char name[] = "alice", source[] = "command:/opt/a \"b\"", arg[] = "--key=\xc3\xa9";
	char *args[] = {arg, NULL};
	struct mf_privkey *ed MF_PRIVKEY_CLEANUP = mf_privkey_generate(MF_KEY_ED25519, &err);
	struct mf_key_info k = {.name = name, .source = source, .args = args, .pub = mf_privkey_public(ed)};
	struct mf_key_info again MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	assert_int_equal(mf_reference_encode(&file, &k, &err), 0);
	assert_true(mf_reference_is(mf_buf_bytes(&file)));
	assert_int_equal(mf_reference_info(&again, mf_buf_bytes(&file), &err), 0);
	assert_string_equal(again.name, name);
	assert_string_equal(again.source, source);
	assert_string_equal(again.args[0], arg);
	assert_null(again.args[1]);
	assert_true(mf_pubkey_eq(again.pub, k.pub) && !again.encrypted);
}

static void a_reference_with_anything_wrong_is_malformed(void **state)
{
	(void)state;
#define PUBLIC "MCowBQYDK2VwAyEA10ABpSMzL/FsnKvn2VK0SXHgyFvSCnx9Cic5JsPuluU="
#define PRINT "78f64bd48ff85dcdb7418e852fa547db578421feec9a6b1fe6cf8278f1848d0e"
#define REFERENCE(v, name, type, public, print, source, more)                                                \
	"{\"manifesto\":\"key reference\",\"v\":" v ",\"name\":\"" name "\",\"type\":\"" type                \
	"\",\"public\":\"" public "\",\"fingerprint\":\"" print "\",\"source\":\"" source "\"" more "}"
	static const char *const bad[] = {
	    "{\"manifesto\":\"key reference\"}",
	    REFERENCE("2", "a", "ed25519", PUBLIC, PRINT, "env:A", ""),
	    REFERENCE("1", "../a", "ed25519", PUBLIC, PRINT, "env:A", ""),
	    REFERENCE("1", "a", "ecdsa", PUBLIC, PRINT, "env:A", ""),
	    REFERENCE("1", "a", "ed25519", "AAAA", PRINT, "env:A", ""),
	    REFERENCE("1", "a", "ed25519", PUBLIC, "00", "env:A", ""),
	    REFERENCE("1", "a", "ed25519", PUBLIC, PRINT, "nowhere", ""),
	    REFERENCE("1", "a", "ed25519", PUBLIC, PRINT, "pkcs11:token=a?pin-value=1", ""),
	    REFERENCE("1", "a", "ed25519", PUBLIC, PRINT, "command:x", ",\"arguments\":\"y\""),
	    REFERENCE("1", "a", "ed25519", PUBLIC, PRINT, "command:x", ",\"arguments\":[1]"),
	    REFERENCE("1", "a", "ed25519", PUBLIC, PRINT, "command:x", ",\"arguments\":[\"a\\u0000b\"]"),
	};
	struct mf_key_info k = MF_KEY_INFO_INIT;
	const char *good = REFERENCE("1", "a", "ed25519", PUBLIC, PRINT, "env:A", "");
	assert_int_equal(mf_reference_info(&k, mf_bytes_of(mf_str_c(good)), &err), 0);
	mf_key_info_clear(&k);
	for (size_t i = 0; i < LENGTH(bad); i++)
		refused(mf_reference_info(&k, mf_bytes_of(mf_str_c(bad[i])), &err), &err, MF_E_FORMAT);
	assert_false(mf_reference_is(mf_bytes_of(MF_STR("{\"manifesto\":\"private key\"}"))));
	assert_false(mf_reference_is(mf_bytes_of(MF_STR("[]"))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_of_an_agent_are_those_that_we_know_types_of),
	    cmocka_unit_test(counts_and_lengths_of_an_agent_are_not_believed),
	    cmocka_unit_test(a_signature_of_an_agent_comes_out_in_the_encoding_of_its_scheme),
	    cmocka_unit_test(a_signature_of_another_kind_is_malformed_and_a_refusal_is_none),
	    cmocka_unit_test(fingerprints_of_agents_are_those_of_ssh_add_or_ours),
	    cmocka_unit_test(a_message_that_is_too_long_for_an_agent_is_named),
	    cmocka_unit_test(a_program_answers_with_one_text_and_nothing_else),
	    cmocka_unit_test(a_signature_of_a_program_is_der_for_ecdsa),
	    cmocka_unit_test(a_public_key_of_a_program_is_a_key),
	    cmocka_unit_test(a_signature_by_another_key_leaves_no_signer),
	    cmocka_unit_test(places_are_spelled_in_one_way_each),
	    cmocka_unit_test(points_of_tokens_are_found_in_their_wrapping),
	    cmocka_unit_test(a_reference_is_read_as_it_was_written),
	    cmocka_unit_test(a_reference_with_anything_wrong_is_malformed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
