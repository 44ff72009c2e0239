/* The chain of roots, and anchors. */
#include "swizzle.h"

#include "base/count.h"

#define ROOT1 BIT(K_ROOT)
#define ROOT2 BIT(K_ROOT2)
#define ROOT3 BIT(K_TARGETS2)

/* Three root keys in both dialects; in Notary each needs a certificate. */
static struct sw root_keys(enum sw_dialect which)
{
	struct sw r = sw_new(which);
	if (which == SW_NOTARY) {
		mf_privkey_free(r.keys[K_TARGETS2].priv);
		sw_generate(&r, &r.keys[K_TARGETS2], MF_KEY_ECDSA, true);
	}
	return r;
}

/* A root: whose keys have the role, how many are needed, who signed. */
struct made {
	int64_t version;
	unsigned keys;
	const char *threshold;
	unsigned signers;
};

static struct mf_tuf_file *make_root(struct sw *r, const struct made *m)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20), bytes MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	for (size_t i = 0; i < K_COUNT; i++) {
		r->root_roles[i] &= ~BIT(MF_TUF_ROOT);
		r->root_roles[i] |= m->keys >> i & 1 ? BIT(MF_TUF_ROOT) : 0;
	}
	r->version[F_ROOT] = m->version;
	sw_put_root(r, &text);
	sw_set(r, &text, "roles root threshold", m->threshold);
	sw_sign(r, mf_buf_str(&text), m->signers, 0, &bytes);
	struct mf_tuf_file *f = mf_tuf_parse_unverified(r->d, MF_TUF_ROOT, &bytes, &err);
	if (!f)
		fail_msg("%s", err.msg);
	return f;
}

static struct mf_tuf_set start(const struct sw *r, struct mf_tuf_file *root)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_set s;
	mf_tuf_set_init(&s, r->d, MF_STR(SW_GUN), SW_NOW, NULL);
	sw_ok(mf_tuf_set_root(&s, root, NULL, &err), &err);
	return s;
}

/* ---- one step */

struct step {
	const char *what;
	struct made old, new;
	enum mf_code code;
};

static const struct step steps[] = {
    {"same keys", {1, ROOT1, "1", ROOT1}, {2, ROOT1, "1", ROOT1}, MF_OK},
    {"new key", {1, ROOT1, "1", ROOT1}, {2, ROOT2, "1", ROOT1 | ROOT2}, MF_OK},
    {"a key more", {1, ROOT1, "1", ROOT1}, {2, ROOT1 | ROOT2, "1", ROOT1}, MF_OK},
    {"old signature missing", {1, ROOT1, "1", ROOT1}, {2, ROOT2, "1", ROOT2}, MF_E_SIGNATURE},
    {"new signature missing", {1, ROOT1, "1", ROOT1}, {2, ROOT2, "1", ROOT1}, MF_E_SIGNATURE},
    {"no signature", {1, ROOT1, "1", ROOT1}, {2, ROOT2, "1", 0}, MF_E_SIGNATURE},
    {"takeover by a stranger", {1, ROOT1, "1", ROOT1}, {2, ROOT3, "1", ROOT3}, MF_E_SIGNATURE},
    {"version skipped", {1, ROOT1, "1", ROOT1}, {3, ROOT1, "1", ROOT1}, MF_E_ROLLBACK},
    {"same version", {2, ROOT1, "1", ROOT1}, {2, ROOT1, "1", ROOT1}, MF_E_ROLLBACK},
    {"lower version", {2, ROOT1, "1", ROOT1}, {1, ROOT1, "1", ROOT1}, MF_E_ROLLBACK},
    {"threshold raised", {1, ROOT1, "1", ROOT1}, {2, ROOT1 | ROOT2, "2", ROOT1 | ROOT2}, MF_OK},
    {"raised, not met", {1, ROOT1, "1", ROOT1}, {2, ROOT1 | ROOT2, "2", ROOT1}, MF_E_SIGNATURE},
    {"threshold lowered", {1, ROOT1 | ROOT2, "2", ROOT1 | ROOT2}, {2, ROOT1, "1", ROOT1 | ROOT2}, MF_OK},
    {"lowered by too few", {1, ROOT1 | ROOT2, "2", ROOT1 | ROOT2}, {2, ROOT1, "1", ROOT1}, MF_E_SIGNATURE},
    {"two of two, one replaced",
     {1, ROOT1 | ROOT2, "2", ROOT1 | ROOT2},
     {2, ROOT1 | ROOT3, "2", ROOT1 | ROOT2 | ROOT3},
     MF_OK},
    {"two of two, a new one for an old",
     {1, ROOT1 | ROOT2, "2", ROOT1 | ROOT2},
     {2, ROOT1 | ROOT3, "2", ROOT1 | ROOT3},
     MF_E_SIGNATURE},
};

static void try_step(const struct step *t, enum sw_dialect which)
{
	struct sw r SW_CLEANUP = root_keys(which);
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_set s = start(&r, make_root(&r, &t->old));
	int rc = mf_tuf_set_next_root(&s, make_root(&r, &t->new), &err);
	if ((rc < 0) != (t->code != MF_OK) || err.code != t->code)
		fail_msg("%s, '%s': %s (%s)", r.d->name, t->what, mf_code_name(err.code), err.msg);
	assert_int_equal(s.root->version, rc < 0 ? t->old.version : t->new.version);
	mf_err_clear(&err);
	sw_ok(mf_tuf_set_root_done(&s, &err), &err);
	mf_tuf_set_clear(&s);
}

static void next_root_is_signed_by_the_old_and_the_new_threshold(void **state)
{
	(void)state;
	for (size_t i = 0; i < SW_COUNT(steps); i++) {
		try_step(&steps[i], SW_NOTARY);
		try_step(&steps[i], SW_TUF1);
	}
}

/* A client that comes back after years: every root on the way has expired, only the last must not have. */
static void only_the_last_root_must_be_valid_now(void **state)
{
	static const struct made first = {1, ROOT1, "1", ROOT1}, second = {2, ROOT2, "1", ROOT1 | ROOT2};
	(void)state;
	for (unsigned which = SW_NOTARY; which <= SW_TUF1; which++) {
		struct sw r SW_CLEANUP = root_keys((enum sw_dialect)which);
		struct mf_err err = MF_ERR_INIT;
		if (which == SW_NOTARY) {
			sw_certify(&r.keys[K_ROOT], SW_GUN, SW_NOW - INT64_C(20) * 366 * 86400);
			sw_key_write(&r, &r.keys[K_ROOT], true);
		}
		struct mf_tuf_file *root = make_root(&r, &first);
		root->expires = which == SW_TUF1 ? SW_NOW : root->expires;
		struct mf_tuf_set s = start(&r, root);
		assert_int_equal(mf_tuf_set_root_done(&s, &err), -1);
		assert_int_equal(err.code, MF_E_EXPIRED);
		mf_err_clear(&err);
		sw_ok(mf_tuf_set_next_root(&s, make_root(&r, &second), &err), &err);
		sw_ok(mf_tuf_set_root_done(&s, &err), &err);
		mf_tuf_set_clear(&s);
	}
}

static void root_not_signed_by_itself_is_refused(void **state)
{
	static const struct made bad = {1, ROOT1, "1", ROOT2};
	(void)state;
	for (unsigned which = SW_NOTARY; which <= SW_TUF1; which++) {
		struct sw r SW_CLEANUP = root_keys((enum sw_dialect)which);
		struct mf_err err = MF_ERR_INIT;
		struct mf_tuf_set s;
		mf_tuf_set_init(&s, r.d, MF_STR(SW_GUN), SW_NOW, NULL);
		assert_int_equal(mf_tuf_set_root(&s, make_root(&r, &bad), NULL, &err), -1);
		assert_int_equal(err.code, MF_E_SIGNATURE);
		assert_null(s.root);
		mf_tuf_set_clear(&s);
	}
}

/* ---- anchors */

struct pin {
	const char *what;
	unsigned fingerprints; /* of these keys */
	int64_t threshold;
	struct made root;
	enum mf_code code;
};

static const struct pin pins[] = {
    {"the root key", ROOT1, 1, {1, ROOT1, "1", ROOT1}, MF_OK},
    {"one of several pins", ROOT1 | ROOT2, 1, {1, ROOT1, "1", ROOT1}, MF_OK},
    {"another key", ROOT2, 1, {1, ROOT1, "1", ROOT1}, MF_E_PIN},
    {"no pin at all", 0, 1, {1, ROOT1, "1", ROOT1}, MF_E_PIN},
    {"listed, but did not sign", ROOT2, 1, {1, ROOT1 | ROOT2, "1", ROOT1}, MF_E_PIN},
    {"signed, but not listed", ROOT2, 1, {1, ROOT1, "1", ROOT1 | ROOT2}, MF_E_PIN},
    {"signed and listed, not first", ROOT2, 1, {1, ROOT1 | ROOT2, "1", ROOT1 | ROOT2}, MF_OK},
    {"two of two pins", ROOT1 | ROOT2, 2, {1, ROOT1 | ROOT2, "1", ROOT1 | ROOT2}, MF_OK},
    {"one of two pins", ROOT1 | ROOT2, 2, {1, ROOT1 | ROOT2, "1", ROOT1}, MF_E_PIN},
    {"threshold above the pins", ROOT1, 2, {1, ROOT1 | ROOT2, "1", ROOT1 | ROOT2}, MF_E_PIN},
    {"key of another role", BIT(K_TARGETS), 1, {1, ROOT1, "1", ROOT1 | BIT(K_TARGETS)}, MF_E_PIN},
    {"pinned, but not signed by itself", ROOT1, 1, {1, ROOT1 | ROOT2, "2", ROOT1}, MF_E_SIGNATURE},
};

static void try_pin(const struct pin *p, enum sw_dialect which)
{
	struct sw r SW_CLEANUP = root_keys(which);
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest fps[K_COUNT];
	struct mf_tuf_anchor a = {.fingerprints = fps, .threshold = p->threshold};
	for (size_t i = 0; i < K_COUNT; i++)
		if (p->fingerprints >> i & 1)
			fps[a.n++] = mf_pubkey_fingerprint(mf_privkey_public(r.keys[i].priv));
	struct mf_tuf_file *root MF_TUF_FILE_CLEANUP = make_root(&r, &p->root);
	int rc = mf_tuf_root_check(r.d, MF_STR(SW_GUN), SW_NOW, root, &a, &err);
	if ((rc < 0) != (p->code != MF_OK) || err.code != p->code)
		fail_msg("%s, '%s': %s (%s)", r.d->name, p->what, mf_code_name(err.code), err.msg);
}

static void anchor_counts_listed_pinned_keys_that_signed(void **state)
{
	(void)state;
	for (size_t i = 0; i < SW_COUNT(pins); i++) {
		try_pin(&pins[i], SW_NOTARY);
		try_pin(&pins[i], SW_TUF1);
	}
}

static void anchor_may_be_a_certificate_authority(void **state)
{
	static const struct made m = {1, ROOT1, "1", ROOT1};
	struct sw r SW_CLEANUP = root_keys(SW_NOTARY);
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_file *root MF_TUF_FILE_CLEANUP = make_root(&r, &m);
	struct mf_tuf_anchor a = {.ca = mf_str_c(r.keys[K_ROOT].cert), .threshold = 1};
	(void)state;
	sw_ok(mf_tuf_root_check(r.d, MF_STR(SW_GUN), SW_NOW, root, &a, &err), &err);
	a.ca = mf_str_c(r.keys[K_ROOT2].cert);
	assert_int_equal(mf_tuf_root_check(r.d, MF_STR(SW_GUN), SW_NOW, root, &a, &err), -1);
	assert_int_equal(err.code, MF_E_PIN);
}

/* A CA file says nothing about keys that are no certificates. */
static void certificate_authority_fits_no_bare_key(void **state)
{
	static const struct made m = {1, ROOT1, "1", ROOT1};
	struct sw r SW_CLEANUP = root_keys(SW_TUF1), n SW_CLEANUP = root_keys(SW_NOTARY);
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_file *root MF_TUF_FILE_CLEANUP = make_root(&r, &m);
	struct mf_tuf_anchor a = {.ca = mf_str_c(n.keys[K_ROOT].cert), .threshold = 1};
	(void)state;
	assert_int_equal(mf_tuf_root_check(r.d, MF_STR(SW_GUN), SW_NOW, root, &a, &err), -1);
	assert_int_equal(err.code, MF_E_PIN);
}

/* The same certificate under two IDs is not two root keys. */
static void one_key_in_two_certificates_counts_once(void **state)
{
	static const struct made m = {1, ROOT1 | ROOT2, "2", ROOT1 | ROOT2};
	struct sw r SW_CLEANUP = root_keys(SW_NOTARY);
	struct mf_err err = MF_ERR_INIT;
	(void)state;
	mf_privkey_free(r.keys[K_ROOT2].priv);
	r.keys[K_ROOT2].priv = r.keys[K_ROOT].priv;
	sw_certify(&r.keys[K_ROOT2], SW_GUN, SW_NOW);
	sw_key_write(&r, &r.keys[K_ROOT2], true);
	struct mf_tuf_file *root MF_TUF_FILE_CLEANUP = make_root(&r, &m);
	assert_string_not_equal(r.keys[K_ROOT].id, r.keys[K_ROOT2].id);
	assert_int_equal(mf_tuf_root_check(r.d, MF_STR(SW_GUN), SW_NOW, root, NULL, &err), -1);
	assert_int_equal(err.code, MF_E_SIGNATURE);
	r.keys[K_ROOT2].priv = NULL;
}

static void certificate_is_read_once_for_all_checks(void **state)
{
	static const struct made m = {1, ROOT1, "1", ROOT1};
	struct sw r SW_CLEANUP = root_keys(SW_NOTARY);
	struct mf_err err = MF_ERR_INIT;
	(void)state;
	uint64_t before = mf_counts()->certificates;
	struct mf_tuf_file *root = make_root(&r, &m);
	sw_ok(mf_tuf_root_check(r.d, MF_STR(SW_GUN), SW_NOW, root, NULL, &err), &err);
	struct mf_tuf_set s = start(&r, root);
	sw_ok(mf_tuf_set_root_done(&s, &err), &err);
	assert_int_equal(mf_counts()->certificates - before, 1);
	mf_tuf_set_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(next_root_is_signed_by_the_old_and_the_new_threshold),
	    cmocka_unit_test(only_the_last_root_must_be_valid_now),
	    cmocka_unit_test(root_not_signed_by_itself_is_refused),
	    cmocka_unit_test(anchor_counts_listed_pinned_keys_that_signed),
	    cmocka_unit_test(anchor_may_be_a_certificate_authority),
	    cmocka_unit_test(certificate_authority_fits_no_bare_key),
	    cmocka_unit_test(one_key_in_two_certificates_counts_once),
	    cmocka_unit_test(certificate_is_read_once_for_all_checks),
	};
	return cmocka_run_group_tests_name("root", tests, NULL, NULL);
}
