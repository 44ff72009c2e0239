/* Which signatures count for a file: those of a proposal, and those of the keys on this machine. */
#include "team.h"

#include "publish/proposal.h"

#define MANY (MF_MAX_SIGNATURES + 1)

struct signatures {
	struct team t;
	struct mf_tuf_key alice, bob, bob_again, carol, unusable;
	char ids[5][65];
	struct mf_str canonical; /* what is signed */
	struct mf_buf file;
	struct mf_tuf_file *made;
	struct mf_publish_signing job;
};

static struct mf_tuf_key listed(struct signatures *s, size_t i, struct mf_pubkey *pub, bool id_fits)
{
	memset(s->ids[i], "abcde"[i], 64);
	return (struct mf_tuf_key){
	    .id = mf_str_c(s->ids[i]), .id_fits = id_fits, .pub = pub, .scheme = MF_SIG_ED25519};
}

static void begin(struct signatures *s, void **state)
{
	const bool fits = true;
	*s = (struct signatures){.file = MF_BUF_INIT(1 << 20)};
	team_make(&s->t, state);
	s->alice = listed(s, 0, s->t.alice, fits);
	s->bob = listed(s, 1, s->t.bob, fits);
	s->bob_again = listed(s, 2, s->t.bob, fits);
	s->carol = listed(s, 3, s->t.carol, fits);
	s->unusable = listed(s, 4, s->t.carol, !fits);
	s->canonical = mf_tuf_set_find(mf_trust_set(s->t.w.trust), "targets")->file->canonical;
}

static void end(struct signatures *s)
{
	mf_tuf_file_free(s->made);
	mf_buf_clear(&s->file);
	team_drop(&s->t);
}

/* What comes of signing, MF_OK or an error's code. The signatures are in `made`. */
static enum mf_code sign(struct signatures *s, enum mf_publish_sign how, const struct mf_tuf_role *role,
			 const struct mf_tuf_role *also, const struct mf_proposal_file *given)
{
	struct mf_err err = MF_ERR_INIT;
	mf_tuf_file_free(s->made);
	s->made = NULL;
	mf_buf_clear(&s->file);
	mf_buf_init(&s->file, 1 << 20);
	s->job = (struct mf_publish_signing){
	    .how = how, .role = role, .also = also, .canonical = s->canonical, .given = given};
	if (mf_publish_sign_file(s->t.w.trust, &s->job, &s->file, &err) < 0)
		return err.code;
	s->made = mf_tuf_parse_unverified(&mf_dialect_tuf1, MF_TUF_TARGETS, &s->file, &err);
	assert_non_null(s->made);
	return MF_OK;
}

#define ROLE(need, ...)                                                                                      \
	&(const struct mf_tuf_role)                                                                          \
	{                                                                                                    \
		.name = "qa", .threshold = (need), .keys = (const struct mf_tuf_key *[]){__VA_ARGS__},       \
		.nkeys = sizeof((const struct mf_tuf_key *[]){__VA_ARGS__}) / sizeof(struct mf_tuf_key *)    \
	}
#define GIVEN(...)                                                                                           \
	&(const struct mf_proposal_file)                                                                     \
	{                                                                                                    \
		.role = "qa", .signatures = (struct mf_proposal_signature[]){__VA_ARGS__},                   \
		.nsignatures = sizeof((struct mf_proposal_signature[]){__VA_ARGS__}) /                       \
			       sizeof(struct mf_proposal_signature)                                          \
	}

/* A key's signature, as a proposal has it; the bytes are the caller's. */
static struct mf_proposal_signature by(struct signatures *s, const struct mf_tuf_key *key, uint8_t sig[64])
{
	assert_int_equal(sign(s, MF_SIGN_ALL, ROLE(1, key), NULL, NULL), MF_OK);
	assert_int_equal(s->made->signatures[0].sig.n, 64);
	memcpy(sig, s->made->signatures[0].sig.p, 64);
	return (struct mf_proposal_signature){.keyid = key->id.p, .sig = {sig, 64}};
}

static void given_signatures_count_once_for_keys_that_are_listed(void **state)
{
	struct signatures s;
	uint8_t a64[64], b64[64], c64[64], broken[64];
	begin(&s, state);
	struct mf_proposal_signature a = by(&s, &s.alice, a64), b = by(&s, &s.bob, b64),
				     b2 = {s.bob_again.id.p, NULL, b.sig}, c = by(&s, &s.carol, c64),
				     foreign = {s.carol.id.p, NULL, {broken, 64}},
				     u = {s.unusable.id.p, NULL, c.sig};
	memcpy(broken, b64, 64);
	broken[3] ^= 1;
	struct mf_proposal_signature bad = {s.bob.id.p, NULL, {broken, 64}};
	const struct mf_tuf_role *two = ROLE(2, &s.alice, &s.bob, &s.bob_again, &s.unusable);

	assert_int_equal(sign(&s, MF_SIGN_GIVEN, two, NULL, GIVEN(a, b)), MF_OK);
	assert_true(s.made->nsignatures == 2 && !s.job.missing && !s.job.added && !s.job.dropped);
	assert_int_equal(sign(&s, MF_SIGN_GIVEN, two, NULL, GIVEN(b)), MF_E_THRESHOLD);
	/* One key under two IDs, one ID twice. */
	assert_int_equal(sign(&s, MF_SIGN_GIVEN, two, NULL, GIVEN(b, b2)), MF_E_THRESHOLD);
	assert_int_equal(sign(&s, MF_SIGN_NONE, two, NULL, GIVEN(b, b)), MF_OK);
	assert_true(s.made->nsignatures == 1 && s.job.missing == 1 && s.job.dropped == 1);
	/* A key that is not listed, or that cannot verify; it need not verify either. */
	assert_int_equal(sign(&s, MF_SIGN_GIVEN, two, NULL, GIVEN(b, c)), MF_E_THRESHOLD);
	assert_int_equal(sign(&s, MF_SIGN_GIVEN, two, NULL, GIVEN(b, u)), MF_E_THRESHOLD);
	assert_int_equal(sign(&s, MF_SIGN_GIVEN, two, NULL, GIVEN(a, b, foreign)), MF_OK);
	assert_true(s.made->nsignatures == 2 && s.job.dropped == 1);
	assert_int_equal(sign(&s, MF_SIGN_NONE, two, NULL, GIVEN(u)), MF_OK);
	assert_true(!s.made->nsignatures && s.job.dropped == 1);
	/* Nor does an ID of another length count, which TUF allows. */
	struct mf_tuf_key other = s.bob;
	struct mf_proposal_signature o = {"bob", NULL, b.sig};
	other.id = MF_STR("bob");
	assert_int_equal(sign(&s, MF_SIGN_NONE, ROLE(1, &other), NULL, GIVEN(o)), MF_OK);
	assert_true(!s.made->nsignatures && s.job.dropped == 1);
	/* A listed one must. */
	assert_int_equal(sign(&s, MF_SIGN_GIVEN, two, NULL, GIVEN(a, bad)), MF_E_SIGNATURE);
	assert_int_equal(sign(&s, MF_SIGN_NONE, two, NULL, GIVEN(bad)), MF_E_SIGNATURE);
	end(&s);
}

/* A root is one of the old root's keys and of its own: each must be satisfied by its own keys. */
static void two_roles_are_each_satisfied_by_their_own_keys(void **state)
{
	struct signatures s;
	uint8_t a64[64], b64[64];
	begin(&s, state);
	struct mf_proposal_signature a = by(&s, &s.alice, a64), b = by(&s, &s.bob, b64);
	const struct mf_tuf_role *first = ROLE(1, &s.alice), *second = ROLE(1, &s.bob);
	assert_int_equal(sign(&s, MF_SIGN_GIVEN, first, second, GIVEN(a, b)), MF_OK);
	assert_int_equal(s.made->nsignatures, 2);
	assert_int_equal(sign(&s, MF_SIGN_GIVEN, first, second, GIVEN(a)), MF_E_THRESHOLD);
	assert_int_equal(sign(&s, MF_SIGN_GIVEN, first, second, GIVEN(b)), MF_E_THRESHOLD);
	assert_int_equal(sign(&s, MF_SIGN_NONE, first, second, GIVEN(a)), MF_OK);
	assert_int_equal(s.job.missing, 1);
	assert_int_equal(sign(&s, MF_SIGN_NONE, first, second, GIVEN(b)), MF_OK);
	assert_int_equal(s.job.missing, 1);
	assert_int_equal(sign(&s, MF_SIGN_SOME, first, second, NULL), MF_OK);
	assert_true(s.made->nsignatures == 2 && s.job.added == 2 && !s.job.missing);
	end(&s);
}

/* It is signed by every root key that is here, when this machine signs at all. */
static void a_root_is_signed_only_when_it_is_to_be(void **state)
{
	struct signatures s;
	uint8_t a64[64];
	begin(&s, state);
	struct mf_proposal_signature a = by(&s, &s.alice, a64);
	struct mf_tuf_role root = *ROLE(1, &s.alice, &s.bob);
	root.name = "root";
	assert_int_equal(sign(&s, MF_SIGN_SOME, &root, &root, GIVEN(a)), MF_OK);
	assert_true(s.made->nsignatures == 2 && s.job.added == 1);
	assert_int_equal(sign(&s, MF_SIGN_GIVEN, &root, &root, GIVEN(a)), MF_OK);
	assert_true(s.made->nsignatures == 1 && !s.job.added);
	end(&s);
}

static void this_machine_adds_what_is_missing_and_no_more(void **state)
{
	struct signatures s;
	uint8_t a64[64], b64[64];
	begin(&s, state);
	struct mf_proposal_signature a = by(&s, &s.alice, a64), b = by(&s, &s.bob, b64);
	const struct mf_tuf_role *two = ROLE(2, &s.bob_again, &s.bob, &s.carol, &s.alice);
	assert_int_equal(sign(&s, MF_SIGN_ALL, two, NULL, NULL), MF_OK);
	assert_int_equal(s.made->nsignatures, 2);
	assert_true(mf_str_eq(s.made->signatures[0].keyid, s.alice.id)); /* the preferred key */
	assert_int_equal(sign(&s, MF_SIGN_SOME, two, NULL, GIVEN(b)), MF_OK);
	assert_true(s.made->nsignatures == 2 && s.job.added == 1 && !s.job.missing);
	assert_int_equal(sign(&s, MF_SIGN_SOME, two, NULL, GIVEN(a, b)), MF_OK);
	assert_true(s.made->nsignatures == 2 && !s.job.added);
	/* The one key, already counted under another ID, does not sign again. */
	assert_int_equal(sign(&s, MF_SIGN_SOME, ROLE(2, &s.bob_again, &s.bob), NULL, GIVEN(b)), MF_OK);
	assert_true(s.made->nsignatures == 1 && !s.job.added && s.job.missing == 1);
	end(&s);
}

static void keys_that_are_not_enough_sign_nothing(void **state)
{
	struct signatures s;
	struct mf_err err = MF_ERR_INIT;
	begin(&s, state);
	const struct mf_tuf_role *one_twice = ROLE(2, &s.bob, &s.bob_again),
				 *one_unusable = ROLE(2, &s.alice, &s.unusable), *none = ROLE(1, &s.unusable);
	assert_int_equal(mf_publish_held(s.t.w.trust, one_twice), 1);
	assert_int_equal(mf_publish_held(s.t.w.trust, one_unusable), 1);
	assert_int_equal(sign(&s, MF_SIGN_ALL, one_twice, NULL, NULL), MF_E_THRESHOLD);
	assert_int_equal(sign(&s, MF_SIGN_ALL, one_unusable, NULL, NULL), MF_E_THRESHOLD);
	assert_int_equal(sign(&s, MF_SIGN_ALL, none, NULL, NULL), MF_E_KEY);
	assert_int_equal(mf_publish_check_threshold(s.t.w.trust, none, &err), -1);
	assert_int_equal(err.code, MF_E_KEY);
	/* In a proposal, others may be enough. */
	assert_int_equal(sign(&s, MF_SIGN_SOME, none, NULL, NULL), MF_OK);
	assert_true(!s.made->nsignatures && s.job.missing == 1);
	end(&s);
}

static void signatures_have_a_maximum(void **state)
{
	struct signatures s;
	uint8_t b64[64];
	char ids[MANY][65] = {{0}};
	struct mf_tuf_key keys[MANY];
	const struct mf_tuf_key *list[MANY];
	struct mf_proposal_signature given[MANY];
	begin(&s, state);
	struct mf_proposal_signature b = by(&s, &s.bob, b64);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "%064zx", i);
		keys[i] = s.bob;
		keys[i].id = mf_str_c(ids[i]);
		list[i] = &keys[i];
		given[i] = (struct mf_proposal_signature){ids[i], NULL, b.sig};
	}
	const struct mf_tuf_role role = {.name = "qa", .threshold = 1, .keys = list, .nkeys = MANY};
	const struct mf_proposal_file file = {.role = "qa", .signatures = given, .nsignatures = MANY};
	assert_int_equal(sign(&s, MF_SIGN_NONE, &role, NULL, &file), MF_OK);
	assert_int_equal(s.made->nsignatures, MF_MAX_SIGNATURES);
	end(&s);
}

/* What is found beside an image: one key's signatures over the very octets, and nothing else. */
static void another_key_or_other_octets_are_no_signature(void **state)
{
	struct signatures s;
	struct mf_err err = MF_ERR_INIT;
	uint8_t b64[64];
	begin(&s, state);
	struct mf_proposal_signature b = by(&s, &s.bob, b64), named = {s.bob_again.id.p, NULL, b.sig},
				     method = {s.bob.id.p, "rsapss", b.sig};
	const struct mf_proposal_filter bob = {&mf_dialect_tuf1, &s.bob},
					notary = {&mf_dialect_notary, &s.bob};
	assert_int_equal(mf_proposal_signed_by(&bob, &b, s.canonical, &err), MF_FOUND);
	assert_int_equal(mf_proposal_signed_by(&bob, &named, s.canonical, &err), MF_ABSENT);
	assert_int_equal(mf_proposal_signed_by(&bob, &b, MF_STR("{}"), &err), MF_ABSENT);
	assert_int_equal(mf_proposal_signed_by(&notary, &method, s.canonical, &err), MF_ABSENT);
	assert_int_equal(err.code, MF_OK);
	end(&s);
}

static int one_passphrase(void *arg, const char *name, enum mf_passphrase_for purpose, struct mf_secret *out,
			  struct mf_err *err)
{
	(void)arg;
	(void)name;
	(void)purpose;
	return mf_secret_copy(out, mf_bytes_of(MF_STR("one")), err);
}

/* A key of this machine whose passphrase nobody gives any more. */
static struct mf_tuf_key locked_key(struct signatures *s, struct mf_pubkey **pub)
{
	struct mf_err err = MF_ERR_INIT;
	const bool fits = true;
	struct world *w = &s->t.w;
	const struct mf_key_info *k;
	char *dir = mf_path_join(w->dir, "keys", NULL);
	w->pass = (struct mf_passphrase){one_passphrase, NULL, false};
	ok(mf_keystore_generate(w->keys, "locked", MF_KEY_ED25519, &k, &err), &err);
	*pub = mf_pubkey_ref(k->pub);
	w->pass = (struct mf_passphrase){no_passphrase, NULL, true};
	mf_keystore_free(w->keys);
	w->cfg.keys = w->keys = mf_keystore_new(dir, &w->pass, &w->env, &err);
	assert_non_null(w->keys);
	free(dir);
	return listed(s, 4, *pub, fits);
}

static void a_key_that_is_not_needed_is_not_unlocked(void **state)
{
	struct signatures s;
	struct mf_pubkey *pub;
	uint8_t a64[64];
	begin(&s, state);
	struct mf_proposal_signature a = by(&s, &s.alice, a64);
	struct mf_tuf_key locked = locked_key(&s, &pub);
	assert_int_equal(sign(&s, MF_SIGN_ALL, ROLE(1, &locked), NULL, NULL), MF_E_KEY);
	/* It alone is not enough. */
	assert_int_equal(sign(&s, MF_SIGN_ALL, ROLE(2, &locked), NULL, NULL), MF_E_THRESHOLD);
	/* Another key has signed. */
	s.t.w.cfg.key_name = "locked";
	assert_int_equal(sign(&s, MF_SIGN_SOME, ROLE(1, &s.alice, &locked), NULL, GIVEN(a)), MF_OK);
	assert_int_equal(s.made->nsignatures, 1);
	s.t.w.cfg.key_name = "alice";
	struct mf_tuf_role root = *ROLE(1, &s.alice, &locked);
	root.name = "root";
	assert_int_equal(sign(&s, MF_SIGN_ALL, &root, &root, NULL), MF_OK);
	assert_int_equal(s.made->nsignatures, 1);
	mf_pubkey_unref(pub);
	end(&s);
}

static enum mf_found can_be_signed_by_others(void *arg, struct mf_trust *t, struct mf_publish_change *out,
					     struct mf_err *err)
{
	(void)out;
	(void)err;
	assert_true(mf_publish_can_sign(t, arg));
	return MF_ABSENT;
}

static void others_sign_a_proposal_and_nothing_else(void **state)
{
	struct signatures s;
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	begin(&s, state);
	const struct mf_tuf_role *none = ROLE(1, &s.unusable);
	const struct mf_publish_intent in = {.prefix = MF_STR(""),
					     .end = MF_PUBLISH_CHECK,
					     .fill = can_be_signed_by_others,
					     .arg = (void *)(uintptr_t)none};
	assert_false(mf_publish_can_sign(s.t.w.trust, none));
	assert_int_equal(mf_publish_run(s.t.w.trust, &in, &version, &err), MF_ABSENT);
	assert_false(mf_publish_can_sign(s.t.w.trust, none));
	end(&s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(given_signatures_count_once_for_keys_that_are_listed),
	    T(two_roles_are_each_satisfied_by_their_own_keys),
	    T(a_root_is_signed_only_when_it_is_to_be),
	    T(this_machine_adds_what_is_missing_and_no_more),
	    T(keys_that_are_not_enough_sign_nothing),
	    T(signatures_have_a_maximum),
	    T(others_sign_a_proposal_and_nothing_else),
	    T(a_key_that_is_not_needed_is_not_unlocked),
	    T(another_key_or_other_octets_are_no_signature),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
