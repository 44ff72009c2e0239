/* Who signs: thresholds, key IDs, kinds of keys. Keys that the library does not make are made with OpenSSL.
 */
#include "repository.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define ALL_1 "root.1 snapshot.1 targets.1 timestamp.1"
#define NO_SNAPSHOT "root.1 timestamp.1"

static void signatures_count_once_for_each_key_of_the_role(void **state)
{
	static const struct rp_row rows[] = {
	    {"2 of 3, two sign", .setup = "keys snapshot sab 2; by snapshot sb; root", .stored = ALL_1},
	    {"3 of 3, two sign", .setup = "keys snapshot sab 3; by snapshot sb; root", .code = MF_E_SIGNATURE,
	     .stored = NO_SNAPSHOT},
	    {"threshold above the number of keys", .setup = "keys snapshot sabcd 6; by snapshot sabcd; root",
	     .code = MF_E_SIGNATURE, .stored = NO_SNAPSHOT},
	    {"a key listed again and again", .setup = "keys snapshot sssssssss 6; by snapshot s; root",
	     .code = MF_E_SIGNATURE, .stored = NO_SNAPSHOT},
	    {"a key listed again, threshold 1", .setup = "keys snapshot sss 1; root", .stored = ALL_1},
	    {"two signatures of one key ID", .setup = "by snapshot ss", .code = MF_E_FORMAT,
	     .stored = NO_SNAPSHOT},
	    {"two of one key ID, threshold met", .setup = "keys snapshot sa 2; by snapshot sas; root",
	     .code = MF_E_FORMAT, .stored = NO_SNAPSHOT},
	    {"two of one unknown key ID", .setup = "by snapshot sxx", .code = MF_E_FORMAT},
	    {"two in a root", .setup = "root; by root rr; root", .code = MF_E_FORMAT, .stored = "root.1"},
	    {"strangers beside", .setup = "by snapshot xsy", .stored = ALL_1},
	    {"strangers alone", .setup = "by snapshot xy", .code = MF_E_SIGNATURE},
	    {"a bad one before a good one",
	     .setup = "keys snapshot as 1; by snapshot as; flip snapshot; root", .stored = ALL_1},
	    {"a bad and a good one, threshold 2",
	     .setup = "keys snapshot as 2; by snapshot as; flip snapshot; root", .code = MF_E_SIGNATURE},
	    {"an empty one beside a good one",
	     .setup = "keys snapshot as 1; by snapshot s; root; wire snapshot {\"signatures\":[ "
		      "{\"signatures\":[{\"keyid\":\"0\",\"sig\":\"\"},",
	     .stored = ALL_1},
	    {"one that is no hex", .setup = "wire snapshot \"sig\":\" \"sig\":\"xy", .code = MF_E_SIGNATURE},
	    {"one that is no hex beside a good one",
	     .setup = "wire snapshot {\"signatures\":[ {\"signatures\":[{\"keyid\":\"0\",\"sig\":\"zz\"},",
	     .stored = ALL_1},
	    {"one of an odd length beside a good one",
	     .setup = "wire snapshot {\"signatures\":[ {\"signatures\":[{\"keyid\":\"0\",\"sig\":\"abc\"},",
	     .stored = ALL_1},
	    {"one without sig beside a good one",
	     .setup = "wire snapshot {\"signatures\":[ {\"signatures\":[{\"keyid\":\"0\"},", .stored = ALL_1},
	    {"one without keyid beside a good one",
	     .setup = "wire snapshot {\"signatures\":[ {\"signatures\":[{\"sig\":\"00\"},", .stored = ALL_1},
	    {"null beside a good one", .setup = "wire snapshot {\"signatures\":[ {\"signatures\":[null,",
	     .stored = ALL_1},
	    {"threshold 0", .setup = "root; keys timestamp t 0; root", .code = MF_E_FORMAT},
	    {"threshold -1", .setup = "root; keys timestamp t -1; root", .code = MF_E_FORMAT},
	    {"no keys", .setup = "keys snapshot - 1; root", .code = MF_E_SIGNATURE},
	    {"delegated: 2 of 2, one signs", .setup = "delegate targets A ab 2 *; by A a", .get = "f",
	     .code = MF_E_SIGNATURE},
	    {"delegated: keys of root do not count", .setup = "delegate targets A a 1 *; by A g", .get = "f",
	     .code = MF_E_SIGNATURE},
	    {"delegated: a key that is not listed",
	     .setup = "delegate targets A a 1 *; set targets delegations keys = {}", .get = "f",
	     .code = MF_E_SIGNATURE, .stored = ALL_1},
	    {"a key ID without a key", .setup = "set root roles timestamp keyids 1 = \"00\"; root",
	     .stored = ALL_1},
	    {"a key that is nothing",
	     .setup = "set root keys 00 = 7; set root roles timestamp keyids 1 = \"00\"; root",
	     .stored = ALL_1},
	    {"a key of another kind",
	     .setup = "set root keys 00 = {\"keytype\":\"sigstore-oidc\",\"scheme\":\"Fulcio\",\"keyval\":{"
		      "\"identity\":\"a@example.com\"}}; set root roles targets keyids 1 = \"00\"; root",
	     .stored = ALL_1},
	    {"a key of another kind alone",
	     .setup =
		 "set root keys 00 = {\"keytype\":\"other\"}; set root roles targets keyids = [\"00\"]; root",
	     .code = MF_E_SIGNATURE},
	};
	rp_table(state, rows, RP_COUNT(rows));
}

/* ---- key IDs */

/* An ID is a name (TAP 12): it need not be the hash of its key. */
static void key_id_is_any_name(void **state)
{
	static const char *const ids[] = {"0000000000000000000000000000000000000000000000000000000000000000",
					  "a", "", "%", "\xc3\xa9 \\\"{}"};
	for (size_t i = 0; i < RP_COUNT(ids); i++) {
		struct mf_err err = MF_ERR_INIT;
		char name[32];
		(void)snprintf(name, sizeof name, "%zu", i);
		struct rp *r RP_CLEANUP = rp_new(state, name);
		struct rp_key *k = rp_key(r, 'k');
		(void)snprintf(k->id, sizeof k->id, "%s", ids[i]);
		rp_do(r, i == 4 ? "by timestamp t; root" : "keys timestamp k 1; by timestamp k; root");
		rp_ok(rp_init_client(r, &err), &err);
		assert_int_equal(rp_run(r, NULL, &err), MF_OK);
		if (i == 4)
			continue;
		/* It is one of two. */
		rp_do(r, "keys timestamp kt 2; root");
		assert_int_equal(rp_run(r, NULL, &err), MF_E_SIGNATURE);
		rp_do(r, "by timestamp kt; set root x = 1; root");
		assert_int_equal(rp_run(r, NULL, &err), MF_OK);
		/* Upper case is another name. */
		rp_do(r, "flip timestamp");
		assert_int_equal(rp_run(r, NULL, &err), MF_E_SIGNATURE);
	}
}

/* Whoever finds the name in the role gets the key of that name, and no other. */
static void key_ids_of_two_keys_cannot_be_exchanged(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	struct rp_key *k = rp_key(r, 'k'), *l = rp_key(r, 'l');
	(void)snprintf(k->id, sizeof k->id, "one");
	rp_do(r, "keys timestamp k 1; by timestamp k; root");
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	(void)snprintf(l->id, sizeof l->id, "one");
	(void)snprintf(k->id, sizeof k->id, "two");
	rp_do(r, "by timestamp l");
	assert_int_equal(rp_run(r, NULL, &err), MF_E_SIGNATURE);
}

/* The name stays, the key goes: what it has signed here is forgotten. */
static void another_key_of_the_same_id_is_another_key(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	(void)snprintf(rp_key(r, 'k')->id, 65, "online");
	(void)snprintf(rp_key(r, 'l')->id, 65, "online");
	rp_do(r, "keys timestamp kt 1; by timestamp t; version timestamp 100; root");
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	/* t stays, and is the one that has signed. */
	rp_do(r, "keys timestamp lt 1; root; version timestamp 1");
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	rp_stored(r, &text);
	assert_string_equal(text.p, "root.2 snapshot.1 targets.1 timestamp.1");
}

/* The same public key under two valid IDs is one key. */
static void one_key_under_two_ids_counts_once(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	struct rp_key *k = rp_key(r, 'k'), *alias = &r->keys['l'];
	struct mf_secret seed MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	rp_ok(mf_privkey_to_secret(k->priv, &seed, &err), &err);
	alias->priv = mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){seed.p, seed.n}, &err);
	rp_addf(&object, "%s", k->object);
	rp_replace(&object, "{\"keytype\"", "{\"alias\":[\"member\",{\"is\":\"hashed\"}],\"keytype\"");
	rp_key_object(alias, object.p);
	rp_do(r, "keys timestamp kl 2; by timestamp kl; root");
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rp_run(r, NULL, &err), MF_E_SIGNATURE);
	rp_do(r, "keys timestamp kl 1; by timestamp l; root");
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	/* Nor under names. */
	(void)snprintf(k->id, sizeof k->id, "one");
	(void)snprintf(alias->id, sizeof alias->id, "two");
	rp_do(r, "keys timestamp kl 2; by timestamp kl; root");
	assert_int_equal(rp_run(r, NULL, &err), MF_E_SIGNATURE);
}

static void old_member_keyid_hash_algorithms_is_ignored(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	struct rp_key *k = rp_key(r, 'k');
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	rp_addf(&object, "%s", k->object);
	rp_replace(&object, "{\"keytype\"", "{\"keyid_hash_algorithms\":\"md5\",\"keytype\"");
	rp_key_object(k, object.p);
	rp_do(r, "keys timestamp k 1; by timestamp k; root");
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
}

/* ---- kinds of keys */

enum kind { P256, P384, P521, RSA_1024, RSA_2048, KINDS };

struct maker {
	EVP_PKEY *key;
	const EVP_MD *md;
	int padding, salt; /* of RSA */
	bool spoil;
};

static EVP_PKEY *made[KINDS];

static int make_keys(void **state)
{
	static const char *const curves[] = {"P-256", "P-384", "P-521"};
	(void)state;
	for (size_t i = P256; i <= P521; i++)
		made[i] = EVP_EC_gen(curves[i]);
	made[RSA_1024] = EVP_RSA_gen(1024);
	made[RSA_2048] = EVP_RSA_gen(2048);
	return made[P256] && made[P384] && made[P521] && made[RSA_1024] && made[RSA_2048] ? 0 : -1;
}

static int drop_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++)
		EVP_PKEY_free(made[i]);
	return 0;
}

static void sign_with_openssl(void *arg, struct mf_bytes msg, struct mf_buf *out)
{
	struct maker *m = arg;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	uint8_t sig[1024];
	size_t n = sizeof sig;
	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, m->md, NULL, m->key), 1);
	if (m->padding) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, m->padding), 1);
		if (m->padding == RSA_PKCS1_PSS_PADDING)
			assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, m->salt), 1);
	}
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, msg.p, msg.n), 1);
	EVP_MD_CTX_free(ctx);
	if (m->spoil)
		sig[n - 1] ^= 1;
	rp_add(out, sig, n);
}

static void use_key(struct rp_key *k, struct maker *m, const char *keytype, const char *scheme)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	assert_int_equal(PEM_write_bio_PUBKEY(bio, m->key), 1);
	long n = BIO_get_mem_data(bio, &pem);
	json_t *j = json_pack("{s:s, s:{s:s#}, s:s}", "keytype", keytype, "keyval", "public", pem, (int)n,
			      "scheme", scheme);
	char *object = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
	rp_key_object(k, object);
	k->sign = sign_with_openssl;
	k->arg = m;
	free(object);
	json_decref(j);
	BIO_free(bio);
}

static const struct kind_row {
	const char *keytype, *scheme;
	enum kind kind;
	unsigned hash;
	int padding, salt;
	enum mf_code code;
} kinds[] = {
    {"ecdsa", "ecdsa-sha2-nistp256", P256, 256, 0, 0, MF_OK},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", P256, 256, 0, 0, MF_OK},
    {"ecdsa", "ecdsa-sha2-nistp384", P384, 384, 0, 0, MF_OK},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", P384, 384, 0, 0, MF_OK},
    /* The scheme's hash, and no other. */
    {"ecdsa", "ecdsa-sha2-nistp256", P256, 384, 0, 0, MF_E_SIGNATURE},
    {"ecdsa", "ecdsa-sha2-nistp384", P384, 256, 0, 0, MF_E_SIGNATURE},
    /* The scheme's curve, and no other. */
    {"ecdsa", "ecdsa-sha2-nistp384", P256, 384, 0, 0, MF_E_SIGNATURE},
    {"ecdsa", "ecdsa-sha2-nistp384", P256, 256, 0, 0, MF_E_SIGNATURE},
    {"ecdsa", "ecdsa-sha2-nistp256", P384, 256, 0, 0, MF_E_SIGNATURE},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", P384, 256, 0, 0, MF_E_SIGNATURE},
    {"ecdsa", "ecdsa-sha2-nistp256", P521, 256, 0, 0, MF_E_SIGNATURE},
    {"ecdsa", "ecdsa-sha2-nistp384", P521, 384, 0, 0, MF_E_SIGNATURE},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", P384, 384, 0, 0, MF_E_SIGNATURE},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp256", P256, 256, 0, 0, MF_E_SIGNATURE},
    {"ecdsa", "ecdsa-sha2-nistp521", P521, 256, 0, 0, MF_E_SIGNATURE},
    {"ecdsa", "ed25519", P256, 256, 0, 0, MF_E_SIGNATURE},
    {"ed25519", "ed25519", P256, 256, 0, 0, MF_E_SIGNATURE},
    {"rsa", "ecdsa-sha2-nistp256", P256, 256, 0, 0, MF_E_SIGNATURE},
    {"ECDSA", "ecdsa-sha2-nistp256", P256, 256, 0, 0, MF_E_SIGNATURE},
    {"ecdsa", "", P256, 256, 0, 0, MF_E_SIGNATURE},
    /* RSA-PSS, salt as long as the hash, none, other, as long as can be. */
    {"rsa", "rsassa-pss-sha256", RSA_2048, 256, RSA_PKCS1_PSS_PADDING, 32, MF_OK},
    {"rsa", "rsassa-pss-sha256", RSA_2048, 256, RSA_PKCS1_PSS_PADDING, 0, MF_OK},
    {"rsa", "rsassa-pss-sha256", RSA_2048, 256, RSA_PKCS1_PSS_PADDING, 20, MF_OK},
    {"rsa", "rsassa-pss-sha256", RSA_2048, 256, RSA_PKCS1_PSS_PADDING, 222, MF_OK},
    {"rsa", "rsassa-pss-sha256", RSA_2048, 384, RSA_PKCS1_PSS_PADDING, 32, MF_E_SIGNATURE},
    {"rsa", "rsassa-pss-sha256", RSA_2048, 256, RSA_PKCS1_PADDING, 0, MF_E_SIGNATURE},
    {"rsa", "rsa-pkcs1v15-sha256", RSA_2048, 256, RSA_PKCS1_PADDING, 0, MF_E_SIGNATURE},
    {"rsa", "rsassa-pkcs1v15-sha256", RSA_2048, 256, RSA_PKCS1_PADDING, 0, MF_E_SIGNATURE},
    {"rsa", "rsassa-pss-sha512", RSA_2048, 256, RSA_PKCS1_PSS_PADDING, 32, MF_E_SIGNATURE},
    {"rsa", "rsassa-pss-sha256", RSA_1024, 256, RSA_PKCS1_PSS_PADDING, 32, MF_E_SIGNATURE},
    {"ecdsa", "rsassa-pss-sha256", RSA_2048, 256, RSA_PKCS1_PSS_PADDING, 32, MF_E_SIGNATURE},
};

/* The timestamp's key is of each kind; then one bit of its signature. */
static void kinds_of_keys_and_schemes_fit_or_do_not_count(void **state)
{
	for (size_t i = 0; i < RP_COUNT(kinds); i++) {
		const struct kind_row *row = &kinds[i];
		struct mf_err err = MF_ERR_INIT;
		char name[32];
		(void)snprintf(name, sizeof name, "%zu", i);
		struct rp *r RP_CLEANUP = rp_new(state, name);
		struct maker m = {made[row->kind], row->hash == 256 ? EVP_sha256() : EVP_sha384(),
				  row->padding, row->salt, false};
		use_key(&r->keys['k'], &m, row->keytype, row->scheme);
		rp_do(r, "keys timestamp k 1; by timestamp k; root");
		rp_ok(rp_init_client(r, &err), &err);
		enum mf_code code = rp_run(r, NULL, &err);
		if (code != row->code)
			fail_msg("%zu: %s %s: %s: %s", i, row->keytype, row->scheme, mf_code_name(code),
				 err.msg);
		m.spoil = true;
		rp_do(r, "bump timestamp");
		assert_int_equal(rp_run(r, NULL, &err), MF_E_SIGNATURE);
	}
}

/* Root keys of these kinds as well. */
static void root_may_have_keys_of_every_kind(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r RP_CLEANUP = rp_new(state, "r");
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct maker m[] = {{made[P256], EVP_sha256(), 0, 0, false},
			    {made[P384], EVP_sha384(), 0, 0, false},
			    {made[RSA_2048], EVP_sha256(), RSA_PKCS1_PSS_PADDING, 32, false}};
	use_key(&r->keys['1'], &m[0], "ecdsa", "ecdsa-sha2-nistp256");
	use_key(&r->keys['2'], &m[1], "ecdsa", "ecdsa-sha2-nistp384");
	use_key(&r->keys['3'], &m[2], "rsa", "rsassa-pss-sha256");
	rp_do(r, "keys root 123r 4; by root r123; root; root");
	rp_ok(rp_init_client(r, &err), &err);
	assert_int_equal(rp_run(r, NULL, &err), MF_OK);
	m[1].spoil = true;
	rp_do(r, "root");
	assert_int_equal(rp_run(r, NULL, &err), MF_E_SIGNATURE);
	rp_stored(r, &text);
	assert_string_equal(text.p, "root.2 snapshot.1 targets.1 timestamp.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(signatures_count_once_for_each_key_of_the_role),
	    tmpdir_test(key_id_is_any_name),
	    tmpdir_test(key_ids_of_two_keys_cannot_be_exchanged),
	    tmpdir_test(another_key_of_the_same_id_is_another_key),
	    tmpdir_test(one_key_under_two_ids_counts_once),
	    tmpdir_test(old_member_keyid_hash_algorithms_is_ignored),
	    tmpdir_test(kinds_of_keys_and_schemes_fit_or_do_not_count),
	    tmpdir_test(root_may_have_keys_of_every_kind),
	};
	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
