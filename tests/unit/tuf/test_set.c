/* The trusted set against repositories that are wrong in one way: every check has a row that fails without
 * it. */
#include "swizzle.h"

#include "base/limits.h"

static const char *const file_names[] = {"root", "timestamp", "snapshot", "targets", "delegation", "nested"};

/* The row once for each file, noticed there. */
static void each_file(struct sw_row row)
{
	for (size_t i = 0; i < F_COUNT; i++) {
		char what[128];
		(void)snprintf(what, sizeof what, "%s: %s", file_names[i], row.what);
		struct sw_row mine = row;
		mine.what = what;
		mine.file = mine.at = (enum sw_file)i;
		sw_table(&mine, 1);
	}
}

/* ---- the valid repository, and what is odd but right */

static const struct sw_row valid[] = {
    ROW("nothing changed", SW_BOTH, MF_OK, F_ROOT, .file = F_ROOT),
    SET("length larger", SW_BOTH, MF_OK, F_ROOT, F_SNAPSHOT, "meta targets@ length", "99999"),
    SET("unknown hash", SW_BOTH, MF_OK, F_ROOT, F_SNAPSHOT, "meta targets@ hashes md5", "\"x\""),
    SET("unknown member", SW_BOTH, MF_OK, F_ROOT, F_TARGETS, "x-new", "{\"a\":[1,null]}"),
    SET("no length, no hashes", SW_TUF1, MF_OK, F_ROOT, F_SNAPSHOT, "meta targets@", "{\"version\":5}"),
    SET("unknown meta", SW_TUF1, MF_OK, F_ROOT, F_SNAPSHOT, "meta other@", "{\"version\":5}"),
    SET("spec_version 1.9", SW_TUF1, MF_OK, F_ROOT, F_TARGETS, "spec_version", "\"1.9.0\""),
    SET("null for no delegations", SW_BOTH, MF_OK, F_ROOT, F_DEEP, "delegations", "null"),
    SET("null for no targets", SW_BOTH, MF_OK, F_ROOT, F_DEEP, "targets", "null"),
    SET("no delegations member", SW_BOTH, MF_OK, F_ROOT, F_DEEP, "delegations", NULL),
    SET("unused key of an unknown kind", SW_BOTH, MF_OK, F_ROOT, F_ROOT, "keys aa",
	"{\"keytype\":\"new\",\"keyval\":{\"public\":\"AAAA\"},\"scheme\":\"new\"}"),
    SET("unknown role in root", SW_BOTH, MF_OK, F_ROOT, F_ROOT, "roles mirrors",
	"{\"keyids\":[],\"threshold\":0}"),
    SET("highest version", SW_BOTH, MF_OK, F_ROOT, F_TIMESTAMP, "version", "9007199254740991"),
    ROW("floor of targets reached", SW_BOTH, MF_OK, F_ROOT, .floor = "targets", .floor_version = 5),
    ROW("floor of timestamp reached", SW_BOTH, MF_OK, F_ROOT, .floor = "timestamp", .floor_version = 5),
    ROW("floor of snapshot reached", SW_BOTH, MF_OK, F_ROOT, .floor = "snapshot", .floor_version = 5),
    ROW("floor of root reached", SW_BOTH, MF_OK, F_ROOT, .floor = "root", .floor_version = 1),
    ROW("floor of a delegation reached", SW_BOTH, MF_OK, F_ROOT, .floor = "%qa", .floor_version = 5),
    WIRE("method in upper case", SW_NOTARY, MF_OK, F_ROOT, F_TIMESTAMP, "\"eddsa\"", "\"EdDSA\""),
    WIRE("unknown signature first", SW_BOTH, MF_OK, F_ROOT, F_TIMESTAMP, "\"signatures\":[",
	 "\"signatures\":[{\"keyid\":\"x\",\"method\":\"?\",\"sig\":\"\"},"),
    ROW("signed by a stranger too", SW_BOTH, MF_OK, F_ROOT, .file = F_TARGETS,
	.signers = BIT(K_TARGETS) | BIT(K_STRANGER)),
    WIRE("white space around", SW_BOTH, MF_OK, F_ROOT, F_TARGETS, "{\"signed\":{", "\n{\t\"signed\" : { "),
    WIRE("escapes on the wire", SW_BOTH, MF_OK, F_ROOT, F_TARGETS, "\"outside\"", "\"\\u006futside\""),
};

static void valid_repository_is_accepted(void **state)
{
	(void)state;
	sw_table(valid, SW_COUNT(valid));
}

/* ---- signatures and thresholds */

/* One key may sign for several roles: what it has signed for one is nothing that another says. */
static void file_that_was_signed_as_another_roles_is_refused(void **state)
{
	static const struct sw_row rows[] = {
	    SET("its own", SW_BOTH, MF_OK, F_ROOT, F_TARGETS, "x-manifesto-role", "\"targets\""),
	    SET("its own", SW_NOTARY, MF_OK, F_ROOT, F_QA, "x-manifesto-role", "\"targets/qa\""),
	    SET("its own", SW_TUF1, MF_OK, F_ROOT, F_QA, "x-manifesto-role", "\"qa\""),
	    SET("a delegate's", SW_NOTARY, MF_E_SIGNATURE, F_TARGETS, F_TARGETS, "x-manifesto-role",
		"\"targets/qa\""),
	    SET("a delegate's", SW_TUF1, MF_E_SIGNATURE, F_TARGETS, F_TARGETS, "x-manifesto-role", "\"qa\""),
	    SET("the delegator's", SW_BOTH, MF_E_SIGNATURE, F_QA, F_QA, "x-manifesto-role", "\"targets\""),
	    SET("by another spelling", SW_TUF1, MF_E_SIGNATURE, F_QA, F_QA, "x-manifesto-role",
		"\"targets/qa\""),
	    SET("nobody's", SW_BOTH, MF_E_FORMAT, F_QA, F_QA, "x-manifesto-role", "\"\""),
	    SET("no name", SW_BOTH, MF_E_FORMAT, F_QA, F_QA, "x-manifesto-role", "1"),
	    SET("not of other files", SW_BOTH, MF_OK, F_ROOT, F_SNAPSHOT, "x-manifesto-role", "\"qa\""),
	};
	(void)state;
	sw_table(rows, SW_COUNT(rows));
}

/* One mirror signs the copies of many repositories. */
static void copy_of_another_repository_is_refused(void **state)
{
	static const struct sw_row rows[] = {
	    SET("of this one", SW_BOTH, MF_OK, F_ROOT, F_TIMESTAMP, "x-manifesto-copy-of",
		"{\"dialect\":\"notary\",\"repository\":\"" SW_GUN "\"}"),
	    SET("of another one", SW_BOTH, MF_E_SIGNATURE, F_TIMESTAMP, F_TIMESTAMP, "x-manifesto-copy-of",
		"{\"dialect\":\"notary\",\"repository\":\"" SW_GUN "2\"}"),
	    SET("of none", SW_BOTH, MF_E_FORMAT, F_TIMESTAMP, F_TIMESTAMP, "x-manifesto-copy-of",
		"{\"dialect\":\"notary\"}"),
	    SET("of no name", SW_BOTH, MF_E_FORMAT, F_TIMESTAMP, F_TIMESTAMP, "x-manifesto-copy-of",
		"{\"repository\":1}"),
	    SET("no object", SW_BOTH, MF_E_FORMAT, F_TIMESTAMP, F_TIMESTAMP, "x-manifesto-copy-of",
		"\"" SW_GUN "\""),
	    SET("not of other files", SW_BOTH, MF_OK, F_ROOT, F_SNAPSHOT, "x-manifesto-copy-of", "1"),
	};
	(void)state;
	sw_table(rows, SW_COUNT(rows));
}

static void one_flipped_bit_in_a_signature_is_refused(void **state)
{
	static const unsigned bits[] = {1, 250, 260, 500};
	(void)state;
	for (size_t i = 0; i < SW_COUNT(bits); i++)
		each_file(
		    (struct sw_row)ROW("bit flipped", SW_BOTH, MF_E_SIGNATURE, F_ROOT, .flip = 1 + bits[i]));
}

static void unsigned_and_wrongly_signed_files_are_refused(void **state)
{
	(void)state;
	each_file((struct sw_row)ROW("unsigned", SW_BOTH, MF_E_SIGNATURE, F_ROOT, .signers = NOBODY));
	each_file((struct sw_row)ROW("signed by a stranger", SW_BOTH, MF_E_SIGNATURE, F_ROOT,
				     .signers = BIT(K_STRANGER)));
	each_file((struct sw_row)ROW("signed by a key of no role here", SW_BOTH, MF_E_SIGNATURE, F_ROOT,
				     .signers = BIT(K_ROOT2)));
	for (size_t i = 0; i < F_COUNT; i++) {
		static const unsigned own[] = {K_ROOT, K_TIMESTAMP, K_SNAPSHOT, K_TARGETS, K_QA, K_DEEP};
		enum sw_file f = (enum sw_file)i;
		struct sw_row row = ROW("keys of all other roles", SW_BOTH, MF_E_SIGNATURE, f, .file = f);
		for (size_t j = 0; j < F_COUNT; j++)
			row.signers |= j == i ? 0 : BIT(own[j]);
		sw_table(&row, 1);
	}
}

static void two_of_two(struct sw *r)
{
	r->root_roles[K_TARGETS2] = BIT(MF_TUF_TARGETS);
	r->threshold = "2";
}

static void two_of_alias(struct sw *r)
{
	r->root_roles[K_ALIAS] = BIT(MF_TUF_TARGETS);
	r->threshold = "2";
}

static void one_of_two_names(struct sw *r)
{
	r->root_roles[K_ALIAS] = BIT(MF_TUF_TARGETS);
}

static void two_of_one(struct sw *r)
{
	r->threshold = "2";
}

static void repeat_keyid(struct sw *r, json_t *root)
{
	json_t *role = json_object_get(json_object_get(root, "roles"), "targets");
	json_t *ids = json_object_get(role, "keyids");
	(void)r;
	assert_int_equal(json_array_append(ids, json_array_get(ids, 0)), 0);
}

/* The signatures that are there, once more. */
static void repeat_signatures(struct sw *r, struct mf_buf *bytes)
{
	static const char start[] = "\"signatures\":[";
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf copy MF_BUF_CLEANUP;
	(void)r;
	sw_copy(&copy, bytes);
	bytes->n -= 2;
	sw_ok(mf_buf_addc(bytes, ',', &err), &err);
	sw_ok(mf_buf_addz(bytes, strstr(copy.p, start) + strlen(start), &err), &err);
}

#define OF_TWO (BIT(K_TARGETS) | BIT(K_TARGETS2))
#define OF_ALIAS (BIT(K_TARGETS) | BIT(K_ALIAS))
static const struct sw_row thresholds[] = {
    SET("root 2 of 1", SW_BOTH, MF_E_SIGNATURE, F_ROOT, F_ROOT, "roles root threshold", "2"),
    SET("timestamp 2 of 1", SW_BOTH, MF_E_SIGNATURE, F_TIMESTAMP, F_ROOT, "roles timestamp threshold", "2"),
    SET("snapshot 2 of 1", SW_BOTH, MF_E_SIGNATURE, F_SNAPSHOT, F_ROOT, "roles snapshot threshold", "2"),
    SET("targets 2 of 1", SW_BOTH, MF_E_SIGNATURE, F_TARGETS, F_ROOT, "roles targets threshold", "2"),
    SET("delegation 2 of 1", SW_BOTH, MF_E_SIGNATURE, F_QA, F_TARGETS, "delegations roles 0 threshold", "2"),
    SET("nested 2 of 1", SW_BOTH, MF_E_SIGNATURE, F_DEEP, F_QA, "delegations roles 0 threshold", "2"),
    SET("huge", SW_BOTH, MF_E_SIGNATURE, F_TARGETS, F_ROOT, "roles targets threshold", "9007199254740991"),
    ROW("two of two", SW_BOTH, MF_OK, F_ROOT, .file = F_TARGETS, .prepare = two_of_two, .signers = OF_TWO),
    ROW("one of two", SW_BOTH, MF_E_SIGNATURE, F_TARGETS, .file = F_TARGETS, .prepare = two_of_two,
	.signers = BIT(K_TARGETS)),
    ROW("the other of two", SW_BOTH, MF_E_SIGNATURE, F_TARGETS, .file = F_TARGETS, .prepare = two_of_two,
	.signers = BIT(K_TARGETS2)),
    ROW("both, one flipped", SW_BOTH, MF_E_SIGNATURE, F_TARGETS, .file = F_TARGETS, .prepare = two_of_two,
	.signers = OF_TWO, .flip = 9),
    ROW("one key ID listed twice", SW_BOTH, MF_E_SIGNATURE, F_TARGETS, .file = F_ROOT, .prepare = two_of_one,
	.edit = repeat_keyid),
    ROW("one signature twice", SW_NOTARY, MF_E_SIGNATURE, F_TARGETS, .file = F_TARGETS, .prepare = two_of_two,
	.wire = repeat_signatures),
    ROW("one signature twice", SW_TUF1, MF_E_FORMAT, F_TARGETS, .file = F_TARGETS, .prepare = two_of_two,
	.wire = repeat_signatures),
    ROW("one public key, two IDs", SW_BOTH, MF_E_SIGNATURE, F_TARGETS, .file = F_TARGETS,
	.prepare = two_of_alias, .signers = OF_ALIAS),
    ROW("either name of a key", SW_BOTH, MF_OK, F_ROOT, .file = F_TARGETS, .prepare = one_of_two_names,
	.signers = BIT(K_ALIAS)),
};

static void thresholds_count_distinct_public_keys(void **state)
{
	(void)state;
	sw_table(thresholds, SW_COUNT(thresholds));
}

static void damage_first_signature(struct sw *r, struct mf_buf *bytes)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf bad MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES), copy MF_BUF_CLEANUP;
	static const char start[] = "\"signatures\":[";
	sw_copy(&copy, bytes);
	char *list = strstr(bytes->p, start) + strlen(start);
	sw_ok(mf_buf_add(&bad, bytes->p, (size_t)(list - bytes->p), &err), &err);
	sw_ok(mf_buf_printf(&bad, &err, "{\"keyid\":\"%s\",\"method\":\"eddsa\",\"sig\":\"%s\"},",
			    r->keys[K_TIMESTAMP].id, r->which == SW_NOTARY ? "AAAA" : "00ff"),
	      &err);
	sw_ok(mf_buf_addz(&bad, list, &err), &err);
	mf_buf_clear(bytes);
	*bytes = bad;
	mf_buf_init(&bad, 1);
}

static void broken_signature_before_a_good_one_does_no_harm(void **state)
{
	/* Of one key ID: TUF 1.0 has each once (4.2.1). */
	static const struct sw_row rows[] = {
	    ROW("bad, then good", SW_NOTARY, MF_OK, F_ROOT, .file = F_TIMESTAMP,
		.wire = damage_first_signature),
	    ROW("bad, then good", SW_TUF1, MF_E_FORMAT, F_TIMESTAMP, .file = F_TIMESTAMP,
		.wire = damage_first_signature),
	};
	(void)state;
	sw_table(rows, SW_COUNT(rows));
}

/* ---- keys */

static void wrong_id(struct sw *r)
{
	char *id = r->keys[K_TARGETS].id;
	id[5] = id[5] == '0' ? '1' : '0';
}

static void unknown_keytype(struct sw *r)
{
	sw_key_object(&r->keys[K_TIMESTAMP],
		      r->which == SW_NOTARY
			  ? "{\"keytype\":\"new\",\"keyval\":{\"private\":null,\"public\":\"AAAA\"}}"
			  : "{\"keytype\":\"new\",\"keyval\":{\"public\":\"00\"},\"scheme\":\"ed25519\"}");
}

static void replace_in_key(struct sw *r, enum sw_key_name k, const char *from, const char *to)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	sw_ok(mf_buf_addz(&b, r->keys[k].object, &err), &err);
	sw_replace(&b, from, to);
	sw_key_object(&r->keys[k], b.p);
}

static void misfit_scheme(struct sw *r)
{
	replace_in_key(r, K_TIMESTAMP, "\"scheme\":\"ed25519\"", "\"scheme\":\"rsassa-pss-sha256\"");
}

static void misfit_keytype(struct sw *r)
{
	replace_in_key(r, K_TARGETS, "\"keytype\":\"ecdsa\"", "\"keytype\":\"rsa\"");
}

static void short_public(struct sw *r)
{
	sw_key_object(
	    &r->keys[K_TIMESTAMP],
	    r->which == SW_NOTARY
		? "{\"keytype\":\"ed25519\",\"keyval\":{\"private\":null,\"public\":\"AAAA\"}}"
		: "{\"keytype\":\"ed25519\",\"keyval\":{\"public\":\"00\"},\"scheme\":\"ed25519\"}");
}

/* ECDSA as other TUF tools list it: PEM, DER signatures. */
static void ecdsa_pem(struct sw *r, const char *keytype, const char *scheme)
{
	struct mf_err err = MF_ERR_INIT;
	struct sw_key *k = &r->keys[K_TIMESTAMP];
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(4096), object MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	mf_privkey_free(k->priv);
	k->priv = mf_privkey_generate(MF_KEY_ECDSA, &err);
	assert_non_null(k->priv);
	sw_ok(mf_pubkey_to_pem(mf_privkey_public(k->priv), &pem, &err), &err);
	sw_ok(mf_buf_printf(&object, &err,
			    "{\"keytype\":\"%s\",\"keyval\":{\"public\":\"%s\"},\"scheme\":\"%s\"}", keytype,
			    pem.p, scheme),
	      &err);
	sw_key_object(k, object.p);
}

static void ecdsa_key(struct sw *r)
{
	ecdsa_pem(r, "ecdsa", "ecdsa-sha2-nistp256");
}

static void ecdsa_key_old_name(struct sw *r)
{
	ecdsa_pem(r, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256");
}

static void ecdsa_key_as_rsa(struct sw *r)
{
	ecdsa_pem(r, "rsa", "rsassa-pss-sha256");
}

static void ecdsa_key_other_hash(struct sw *r)
{
	ecdsa_pem(r, "ecdsa", "ecdsa-sha2-nistp384");
}

static void bare_root(struct sw *r)
{
	sw_key_write(r, &r->keys[K_ROOT], false);
}

static void root_of_other_gun(struct sw *r)
{
	sw_certify(&r->keys[K_ROOT], "example.com/team", SW_NOW);
	sw_key_write(r, &r->keys[K_ROOT], true);
}

static void expired_certificate(struct sw *r)
{
	sw_certify(&r->keys[K_ROOT], SW_GUN, SW_NOW - INT64_C(11) * 366 * 86400);
	sw_key_write(r, &r->keys[K_ROOT], true);
}

static void certificate_of_tomorrow(struct sw *r)
{
	sw_certify(&r->keys[K_ROOT], SW_GUN, SW_NOW + 3 * 86400);
	sw_key_write(r, &r->keys[K_ROOT], true);
}

/* Same certificate, the label of the other family: hashes to another ID than the rebuilt key. */
static void mislabelled_certificate(struct sw *r)
{
	replace_in_key(r, K_ROOT, "ecdsa-x509", "rsa-x509");
}

/* Text before the certificate: the ID covers it, a verifier that rebuilds the key does not see it. */
static void text_beside_certificate(struct sw *r)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf pem = MF_BUF_INIT(65536);
	sw_ok(mf_buf_printf(&pem, &err, "# two IDs for one certificate\n%s", r->keys[K_ROOT].cert), &err);
	free(r->keys[K_ROOT].cert);
	r->keys[K_ROOT].cert = mf_buf_take(&pem);
	sw_key_write(r, &r->keys[K_ROOT], true);
}

#define STRANGE_ID "\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\""
static const struct sw_row keys[] = {
    ROW("ID not of its content", SW_NOTARY, MF_E_SIGNATURE, F_TARGETS, .prepare = wrong_id),
    ROW("ID not of its content", SW_TUF1, MF_OK, F_ROOT, .prepare = wrong_id),
    ROW("unknown keytype", SW_BOTH, MF_E_SIGNATURE, F_TIMESTAMP, .prepare = unknown_keytype),
    ROW("scheme of another keytype", SW_TUF1, MF_E_SIGNATURE, F_TIMESTAMP, .prepare = misfit_scheme),
    ROW("ECDSA key called rsa", SW_NOTARY, MF_E_SIGNATURE, F_TARGETS, .prepare = misfit_keytype),
    ROW("ECDSA", SW_TUF1, MF_OK, F_ROOT, .prepare = ecdsa_key),
    ROW("ECDSA by its old name", SW_TUF1, MF_OK, F_ROOT, .prepare = ecdsa_key_old_name),
    ROW("ECDSA key called rsa", SW_TUF1, MF_E_SIGNATURE, F_TIMESTAMP, .prepare = ecdsa_key_as_rsa),
    ROW("ECDSA with another hash", SW_TUF1, MF_E_SIGNATURE, F_TIMESTAMP, .prepare = ecdsa_key_other_hash),
    ROW("short public value", SW_BOTH, MF_E_SIGNATURE, F_TIMESTAMP, .prepare = short_public),
    ROW("root key without certificate", SW_NOTARY, MF_E_SIGNATURE, F_ROOT, .prepare = bare_root),
    ROW("certificate of another GUN", SW_NOTARY, MF_E_SIGNATURE, F_ROOT, .prepare = root_of_other_gun),
    ROW("expired certificate", SW_NOTARY, MF_E_EXPIRED, F_ROOT, .prepare = expired_certificate),
    ROW("certificate of the future", SW_NOTARY, MF_E_EXPIRED, F_ROOT, .prepare = certificate_of_tomorrow),
    ROW("certificate with the wrong label", SW_NOTARY, MF_E_SIGNATURE, F_ROOT,
	.prepare = mislabelled_certificate),
    ROW("text beside the certificate", SW_NOTARY, MF_E_SIGNATURE, F_ROOT, .prepare = text_beside_certificate),
    SET("key ID without key", SW_NOTARY, MF_E_FORMAT, F_ROOT, F_ROOT, "roles targets keyids 0", STRANGE_ID),
    SET("key ID without key", SW_TUF1, MF_E_SIGNATURE, F_TARGETS, F_ROOT, "roles targets keyids 0",
	STRANGE_ID),
    SET("delegation's key ID without key", SW_NOTARY, MF_E_FORMAT, F_TARGETS, F_TARGETS,
	"delegations roles 0 keyids 0", STRANGE_ID),
    SET("delegation's key ID without key", SW_TUF1, MF_E_SIGNATURE, F_QA, F_TARGETS,
	"delegations roles 0 keyids 0", STRANGE_ID),
    SET("key without keytype", SW_NOTARY, MF_E_FORMAT, F_ROOT, F_ROOT, "keys aa",
	"{\"keyval\":{\"public\":\"AAAA\"}}"),
    SET("key without keyval", SW_NOTARY, MF_E_FORMAT, F_ROOT, F_ROOT, "keys aa", "{\"keytype\":\"ed25519\"}"),
    SET("key without public", SW_NOTARY, MF_E_FORMAT, F_ROOT, F_ROOT, "keys aa",
	"{\"keytype\":\"ed25519\",\"keyval\":{}}"),
    SET("key is a string", SW_NOTARY, MF_E_FORMAT, F_ROOT, F_ROOT, "keys aa", "\"x\""),
    /* Nobody needs it. */
    SET("key without keytype", SW_TUF1, MF_OK, F_ROOT, F_ROOT, "keys aa",
	"{\"keyval\":{\"public\":\"AAAA\"}}"),
    SET("key without keyval", SW_TUF1, MF_OK, F_ROOT, F_ROOT, "keys aa", "{\"keytype\":\"ed25519\"}"),
    SET("key without public", SW_TUF1, MF_OK, F_ROOT, F_ROOT, "keys aa",
	"{\"keytype\":\"ed25519\",\"keyval\":{}}"),
    SET("key is a string", SW_TUF1, MF_OK, F_ROOT, F_ROOT, "keys aa", "\"x\""),
    SET("public value is no base64", SW_NOTARY, MF_E_FORMAT, F_ROOT, F_ROOT, "keys aa",
	"{\"keytype\":\"ed25519\",\"keyval\":{\"private\":null,\"public\":\"A\"}}"),
};

static void keys_verify_only_by_their_own_scheme_and_id(void **state)
{
	(void)state;
	sw_table(keys, SW_COUNT(keys));
}

static const struct sw_row methods[] = {
    WIRE("unknown", SW_NOTARY, MF_E_SIGNATURE, F_TIMESTAMP, F_TIMESTAMP, "\"eddsa\"", "\"ed25519\""),
    WIRE("of another key type", SW_NOTARY, MF_E_SIGNATURE, F_TIMESTAMP, F_TIMESTAMP, "\"eddsa\"",
	 "\"ecdsa\""),
    WIRE("a prefix", SW_NOTARY, MF_E_SIGNATURE, F_TIMESTAMP, F_TIMESTAMP, "\"eddsa\"", "\"edds\""),
    WIRE("missing", SW_NOTARY, MF_E_SIGNATURE, F_TIMESTAMP, F_TIMESTAMP, "\"method\":\"eddsa\",", ""),
    WIRE("of another key type, ECDSA", SW_NOTARY, MF_E_SIGNATURE, F_TARGETS, F_TARGETS, "\"ecdsa\",\"sig",
	 "\"eddsa\",\"sig"),
};

static void method_must_be_known_and_fit_the_key(void **state)
{
	(void)state;
	sw_table(methods, SW_COUNT(methods));
}

/* ---- expiry and rollback */

static void files_expire_at_the_second_they_name(void **state)
{
	char at[MF_TIME_LEN], value[32];
	(void)state;
	for (int64_t t = SW_NOW - 1; t <= SW_NOW + 1; t++) {
		(void)snprintf(value, sizeof value, "\"%s\"", sw_time(at, t));
		each_file((struct sw_row)ROW("expires", SW_BOTH, t > SW_NOW ? MF_OK : MF_E_EXPIRED, F_ROOT,
					     .set = "expires", .value = value));
	}
}

static const struct sw_row floors[] = {
    ROW("root", SW_BOTH, MF_E_ROLLBACK, F_ROOT, .floor = "root", .floor_version = 2),
    ROW("timestamp", SW_BOTH, MF_E_ROLLBACK, F_TIMESTAMP, .floor = "timestamp", .floor_version = 6),
    /* TUF 1.0 announces versions: noticed before the file is asked for. */
    ROW("snapshot", SW_TUF1, MF_E_ROLLBACK, F_TIMESTAMP, .floor = "snapshot", .floor_version = 6),
    ROW("snapshot", SW_NOTARY, MF_E_ROLLBACK, F_SNAPSHOT, .floor = "snapshot", .floor_version = 6),
    ROW("targets", SW_TUF1, MF_E_ROLLBACK, F_SNAPSHOT, .floor = "targets", .floor_version = 6),
    ROW("targets", SW_NOTARY, MF_E_ROLLBACK, F_TARGETS, .floor = "targets", .floor_version = 6),
    ROW("delegation", SW_TUF1, MF_E_ROLLBACK, F_SNAPSHOT, .floor = "qa", .floor_version = 6),
    ROW("delegation", SW_NOTARY, MF_E_ROLLBACK, F_QA, .floor = "targets/qa", .floor_version = 6),
    ROW("nested", SW_NOTARY, MF_E_ROLLBACK, F_DEEP, .floor = "targets/qa/deep", .floor_version = 6),
    ROW("vanished role", SW_TUF1, MF_E_ROLLBACK, F_SNAPSHOT, .floor = "gone", .floor_version = 1),
    /* Notary's client drops removed delegations from a snapshot that it signs. */
    ROW("removed role", SW_NOTARY, MF_OK, F_ROOT, .floor = "targets/gone", .floor_version = 1),
    ROW("delegated role no longer listed", SW_TUF1, MF_E_ROLLBACK, F_SNAPSHOT, .file = F_SNAPSHOT,
	.set = "meta qa.json", .value = NULL, .floor = "qa", .floor_version = 1),
    ROW("seen role with a malformed entry", SW_TUF1, MF_E_FORMAT, F_SNAPSHOT, .file = F_SNAPSHOT,
	.set = "meta qa.json", .value = "{}", .floor = "qa", .floor_version = 1),
    ROW("delegated role no longer listed", SW_NOTARY, MF_E_ROLLBACK, F_QA, .file = F_SNAPSHOT,
	.set = "meta targets/qa", .value = NULL, .floor = "targets/qa", .floor_version = 1),
    SET("delegated role never listed", SW_BOTH, MF_OK, F_ROOT, F_SNAPSHOT, "meta %qa@", NULL),
};

static void versions_below_the_floor_are_refused(void **state)
{
	(void)state;
	sw_table(floors, SW_COUNT(floors));
}

/* ---- snapshot and timestamp against what is served */

static void serve_from_next_build(struct sw *r, enum sw_file f)
{
	struct mf_buf old[F_COUNT];
	for (size_t i = 0; i < F_COUNT; i++) {
		old[i] = r->bytes[i];
		mf_buf_init(&r->bytes[i], MF_MAX_TARGETS_BYTES);
		r->version[i] += i == F_ROOT ? 0 : 1;
	}
	if (f == F_ROOT) /* other bytes of the same version */
		r->root_roles[K_TARGETS2] = BIT(MF_TUF_TARGETS);
	sw_build(r, NULL);
	for (size_t i = 0; i < F_COUNT; i++) {
		mf_buf_clear(i == f ? &old[i] : &r->bytes[i]);
		if (i != f)
			r->bytes[i] = old[i];
	}
}

static void next_root(struct sw *r)
{
	serve_from_next_build(r, F_ROOT);
}
static void next_timestamp(struct sw *r)
{
	serve_from_next_build(r, F_TIMESTAMP);
}
static void next_snapshot(struct sw *r)
{
	serve_from_next_build(r, F_SNAPSHOT);
}
static void next_targets(struct sw *r)
{
	serve_from_next_build(r, F_TARGETS);
}
static void next_qa(struct sw *r)
{
	serve_from_next_build(r, F_QA);
}

static const struct sw_row mixed[] = {
    ROW("root of another build", SW_NOTARY, MF_E_DIGEST, F_SNAPSHOT, .late = next_root),
    ROW("timestamp of another build", SW_BOTH, MF_E_DIGEST, F_SNAPSHOT, .late = next_timestamp),
    ROW("snapshot of another build", SW_BOTH, MF_E_DIGEST, F_SNAPSHOT, .late = next_snapshot),
    ROW("targets of another build", SW_BOTH, MF_E_DIGEST, F_TARGETS, .late = next_targets),
    ROW("delegation of another build", SW_BOTH, MF_E_DIGEST, F_QA, .late = next_qa),
    SET("sha256 of targets", SW_BOTH, MF_E_DIGEST, F_TARGETS, F_SNAPSHOT, "meta targets@ hashes sha256",
	"#256"),
    SET("sha512 of targets", SW_BOTH, MF_E_DIGEST, F_TARGETS, F_SNAPSHOT, "meta targets@ hashes sha512",
	"#512"),
    SET("sha256 of a delegation", SW_BOTH, MF_E_DIGEST, F_QA, F_SNAPSHOT, "meta %qa@ hashes sha256", "#256"),
    SET("sha256 of root", SW_NOTARY, MF_E_DIGEST, F_SNAPSHOT, F_SNAPSHOT, "meta root hashes sha256", "#256"),
    SET("sha512 of root", SW_NOTARY, MF_E_DIGEST, F_SNAPSHOT, F_SNAPSHOT, "meta root hashes sha512", "#512"),
    SET("sha256 of snapshot", SW_BOTH, MF_E_DIGEST, F_SNAPSHOT, F_TIMESTAMP, "meta snapshot@ hashes sha256",
	"#256"),
    SET("sha512 of snapshot", SW_BOTH, MF_E_DIGEST, F_SNAPSHOT, F_TIMESTAMP, "meta snapshot@ hashes sha512",
	"#512"),
    SET("length of targets", SW_BOTH, MF_E_DIGEST, F_TARGETS, F_SNAPSHOT, "meta targets@ length", "10"),
    SET("length of a delegation", SW_BOTH, MF_E_DIGEST, F_QA, F_SNAPSHOT, "meta %qa@ length", "1"),
    SET("length 0", SW_NOTARY, MF_E_FORMAT, F_SNAPSHOT, F_SNAPSHOT, "meta %qa@ length", "0"),
    SET("length 0", SW_TUF1, MF_E_FORMAT, F_QA, F_SNAPSHOT, "meta %qa@ length", "0"),
    SET("length 0", SW_BOTH, MF_E_FORMAT, F_TIMESTAMP, F_TIMESTAMP, "meta snapshot@ length", "0"),
    SET("length of root", SW_NOTARY, MF_E_DIGEST, F_SNAPSHOT, F_SNAPSHOT, "meta root length", "10"),
    SET("length of snapshot", SW_BOTH, MF_E_DIGEST, F_SNAPSHOT, F_TIMESTAMP, "meta snapshot@ length", "10"),
    SET("version of snapshot", SW_TUF1, MF_E_FORMAT, F_SNAPSHOT, F_TIMESTAMP, "meta snapshot@ version", "6"),
    SET("version of targets", SW_TUF1, MF_E_FORMAT, F_TARGETS, F_SNAPSHOT, "meta targets@ version", "4"),
    SET("version of a delegation", SW_TUF1, MF_E_FORMAT, F_QA, F_SNAPSHOT, "meta %qa@ version", "6"),
};

static void files_must_be_the_announced_ones(void **state)
{
	(void)state;
	sw_table(mixed, SW_COUNT(mixed));
}

/* `checked` leaves out the hashes, which the caller has checked, and nothing else. */
static void checked_bytes_are_verified_in_all_but_their_hash(void **state)
{
	static const struct {
		struct sw_row row;
		enum mf_code code;
	} rows[] = {
	    {SET("hash", SW_BOTH, MF_OK, F_ROOT, F_SNAPSHOT, "meta targets@ hashes sha256", "#256"), MF_OK},
	    {ROW("signature", SW_BOTH, MF_OK, F_ROOT, .file = F_TARGETS, .flip = 9), MF_E_SIGNATURE},
	    {SET("type", SW_BOTH, MF_OK, F_ROOT, F_TARGETS, "_type", "\"x\""), MF_E_FORMAT},
	    {SET("expiry", SW_BOTH, MF_OK, F_ROOT, F_TARGETS, "expires", "\"2026-01-01T00:00:00Z\""),
	     MF_E_EXPIRED},
	    {SET("version", SW_TUF1, MF_OK, F_ROOT, F_SNAPSHOT, "meta targets@ version", "6"), MF_E_FORMAT},
	};
	(void)state;
	for (size_t i = 0; i < SW_COUNT(rows); i++) {
		struct sw r SW_CLEANUP = sw_new(rows[i].row.in == SW_TUF1 ? SW_TUF1 : SW_NOTARY);
		struct mf_tuf_set s;
		struct mf_err err = MF_ERR_INIT;
		enum sw_file at;
		struct mf_buf bytes MF_BUF_CLEANUP;
		sw_build(&r, &rows[i].row);
		assert_int_equal(sw_client(&r, &s, NULL, "", &at, &err), -1);
		assert_int_equal(at, F_TARGETS);
		mf_err_clear(&err);
		sw_copy(&bytes, &r.bytes[F_TARGETS]);
		assert_int_equal(mf_tuf_set_targets(&s, &bytes, true, &err), rows[i].code ? -1 : 0);
		assert_int_equal(err.code, rows[i].code);
		mf_tuf_set_clear(&s);
	}
}

/* ---- what was verified before, and is found by its index */

static void foreign_delegation(struct sw *r, json_t *j)
{
	json_t *roles = json_object_get(json_object_get(j, "delegations"), "roles");
	(void)r;
	assert_int_equal(
	    json_object_set_new(json_array_get(roles, 0), "name", json_string("targets/other/qa")), 0);
}

static void try_indexed(const struct sw_row *row, enum sw_dialect which)
{
	struct sw r SW_CLEANUP = sw_new(which);
	struct mf_tuf_floor floor = {(char[]){"targets"}, row->floor_version};
	const struct mf_tuf_floors seen = {.v = &floor, .n = row->floor ? 1 : 0};
	sw_build(&r, row);
	for (int small = 0; small < 2; small++) {
		struct mf_tuf_set s;
		struct mf_err err = MF_ERR_INIT;
		struct mf_buf head MF_BUF_CLEANUP;
		mf_tuf_set_init(&s, r.d, MF_STR(SW_GUN), SW_NOW, &seen);
		sw_ok(sw_step_root(&r, &s, &err), &err);
		sw_ok(sw_step(&r, &s, F_TIMESTAMP, &err), &err);
		sw_ok(sw_step(&r, &s, F_SNAPSHOT, &err), &err);
		sw_copy(&head, &r.bytes[F_TARGETS]);
		if (small) /* it counts for the sum of what is read */
			s.max_total = 10;
		const enum mf_code want = row->code ? row->code : small ? MF_E_FORMAT : MF_OK;
		int rc = mf_tuf_set_indexed(&s, NULL, &head, NULL, &err);
		if ((!small || !row->code) && (err.code != want || (rc < 0) != (want != MF_OK)))
			fail_msg("%s: %s (%s)", row->what, mf_code_name(err.code), err.msg);
		mf_tuf_set_clear(&s);
	}
}

static void what_was_verified_before_is_checked_for_this_run(void **state)
{
	static const struct sw_row rows[] = {
	    ROW("as it is", SW_BOTH, MF_OK, F_TARGETS, .file = F_NONE),
	    ROW("expired", SW_BOTH, MF_E_EXPIRED, F_TARGETS, .file = F_TARGETS, .set = "expires",
		.value = "\"2000-01-01T00:00:00Z\""),
	    ROW("rolled back", SW_NOTARY, MF_E_ROLLBACK, F_TARGETS, .floor = "targets",
		.floor_version = 1000000),
	    ROW("a name that it may not list", SW_NOTARY, MF_E_FORMAT, F_TARGETS, .file = F_TARGETS,
		.edit = foreign_delegation),
	};
	(void)state;
	for (size_t i = 0; i < SW_COUNT(rows); i++) {
		if (rows[i].in & SW_NOTARY)
			try_indexed(&rows[i], SW_NOTARY);
		if (rows[i].in & SW_TUF1)
			try_indexed(&rows[i], SW_TUF1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(valid_repository_is_accepted),
	    cmocka_unit_test(file_that_was_signed_as_another_roles_is_refused),
	    cmocka_unit_test(copy_of_another_repository_is_refused),
	    cmocka_unit_test(one_flipped_bit_in_a_signature_is_refused),
	    cmocka_unit_test(unsigned_and_wrongly_signed_files_are_refused),
	    cmocka_unit_test(thresholds_count_distinct_public_keys),
	    cmocka_unit_test(broken_signature_before_a_good_one_does_no_harm),
	    cmocka_unit_test(keys_verify_only_by_their_own_scheme_and_id),
	    cmocka_unit_test(method_must_be_known_and_fit_the_key),
	    cmocka_unit_test(files_expire_at_the_second_they_name),
	    cmocka_unit_test(versions_below_the_floor_are_refused),
	    cmocka_unit_test(files_must_be_the_announced_ones),
	    cmocka_unit_test(checked_bytes_are_verified_in_all_but_their_hash),
	    cmocka_unit_test(what_was_verified_before_is_checked_for_this_run),
	};
	return cmocka_run_group_tests_name("set", tests, NULL, NULL);
}
