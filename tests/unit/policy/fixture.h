/* Sets of roles and records, built in memory in both dialects. That they were verified is the business of the
 * TUF core, so the files here are not signed. */
#ifndef TESTS_UNIT_POLICY_FIXTURE_H
#define TESTS_UNIT_POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "policy/policy.h"
#include "tuf/build.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define NOW INT64_C(1800000000)
#define GUN "example.com/team/app"
#define MAX_ROLES 8

enum key { K_TARGETS, K_QA, K_QA2, K_SEC, K_SEC2, K_STRANGER, K_COUNT };
#define BIT(n) (1U << (n))

/* Role 0 is targets. Paths as Notary has them; '*' is added for TUF 1.0 when the path ends in '/'. */
struct role {
	const char *name;
	size_t parent;
	const char *paths[3];
	unsigned keys;
	bool not_loaded;
};
enum kind {
	SIGNED,
	UNSIGNED,
	NO_CUSTOM,
	BY_STRANGER, /* a key that the role does not list */
	OTHER_GUN,   /* made for another repository */
	TOMBSTONE,
	TOMBSTONE_TYPE, /* recognised by its media type alone */
	FOREIGN_TOMBSTONE,
	EXPIRES_NOW,
	EXPIRES_LATER,
	EXPIRED_1970, /* at 0, which is a time like any other */
	EXPIRED_UNSIGNED,
	NEWER, /* "v":2 */
	CRITICAL,
	SHA512_ONLY, /* nothing names the content */
};
struct entry {
	size_t role;
	const char *type;
	uint8_t subject, blob;
	enum kind kind;
	const char *name; /* instead of the right one */
	unsigned signers; /* bits of enum key; 0: the role's first key */
	int64_t created;  /* 0: not said */
	const char *media_type;
	const char *veto; /* the type that it says to stop, for veto_of (0: `subject`) */
	uint8_t veto_of;
	/* Promoted: bits of the keys that signed the original, in the repository FROM, which is of this kind
	 * and from this time (0: that of the record). */
	unsigned originals;
	enum kind original_kind;
	int64_t original_created;
};
#define FROM "staging.example.com/team/app"

struct fixture {
	const struct mf_dialect *d;
	struct mf_privkey *keys[K_COUNT];
	char *objects[K_COUNT];
	char ids[K_COUNT][65];
	struct role roles[MAX_ROLES];
	size_t nroles;
	struct entry entries[16];
	size_t nentries;
	struct mf_tuf_set set;
};

static inline void ok(int rc, const struct mf_err *err)
{
	if (rc < 0)
		fail_msg("unexpected: %s", err->msg);
}

static inline void fixture_clear(struct fixture *f)
{
	mf_tuf_set_clear(&f->set);
	for (size_t i = 0; i < K_COUNT; i++) {
		mf_privkey_free(f->keys[i]);
		free(f->objects[i]);
	}
}
#define FIXTURE MF_CLEANUP(fixture_clear)

static inline struct fixture fixture(const struct mf_dialect *d)
{
	struct fixture f = {.d = d, .nroles = 1, .roles = {{.name = "targets", .keys = BIT(K_TARGETS)}}};
	struct mf_err err = MF_ERR_INIT;
	for (size_t i = 0; i < K_COUNT; i++) {
		struct mf_buf object = MF_BUF_INIT(65536);
		f.keys[i] = mf_privkey_generate(MF_KEY_ED25519, &err);
		assert_non_null(f.keys[i]);
		ok(d->key_write(mf_privkey_public(f.keys[i]), NULL, &object, f.ids[i], &err), &err);
		f.objects[i] = mf_buf_take(&object);
	}
	mf_tuf_set_init(&f.set, d, MF_STR(GUN), NOW, NULL);
	return f;
}

static const struct mf_dialect *const dialects[] = {&mf_dialect_notary, &mf_dialect_tuf1};

static inline size_t add_role(struct fixture *f, struct role r)
{
	assert_true(f->nroles < MAX_ROLES);
	f->roles[f->nroles] = r;
	return f->nroles++;
}

static inline void add_entry(struct fixture *f, struct entry e)
{
	assert_true(f->nentries < COUNT(f->entries));
	f->entries[f->nentries++] = e;
}

static inline struct mf_digest digest_of(uint8_t n)
{
	return (struct mf_digest){{n}};
}

/* ---- entries */

static inline void sign_for(const struct fixture *f, json_t *tree, const char *repository,
			    const struct entry *e, struct mf_str name, size_t key)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(65536), sig MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct mf_digest fp = mf_pubkey_fingerprint(mf_privkey_public(f->keys[key]));
	struct mf_record_binding b = {
	    .repository = repository, .name = name, .length = 7, .sha256 = digest_of(e->blob)};
	ok(mf_record_payload(&payload, &b, tree, &err), &err);
	ok(mf_privkey_sign(f->keys[key], MF_SIG_ED25519, mf_buf_bytes(&payload), &sig, &err), &err);
	ok(mf_record_add_sig(tree, &fp, mf_buf_bytes(&sig), &err), &err);
}

static inline void sign_with(const struct fixture *f, json_t *tree, const struct entry *e, struct mf_str name,
			     size_t key)
{
	sign_for(f, tree, e->kind == OTHER_GUN ? "example.com/team/other" : GUN, e, name, key);
}

static inline void sign(const struct fixture *f, json_t *tree, const struct entry *e, struct mf_str name)
{
	unsigned signers = e->signers, own = f->roles[e->role].keys;
	if (e->kind == BY_STRANGER || e->kind == FOREIGN_TOMBSTONE)
		signers = BIT(K_STRANGER);
	if (!signers)
		signers = own & (~own + 1); /* the first */
	for (size_t key = 0; key < K_COUNT; key++)
		if (signers >> key & 1)
			sign_with(f, tree, e, name, key);
}

static inline json_t *description(const struct entry *e)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record_fields fields = {
	    .reason = "because", .created = e->created, .media_type = e->media_type};
	if (e->kind == TOMBSTONE_TYPE)
		fields.media_type = MF_MT_WITHDRAWN;
	if (e->kind == EXPIRES_NOW || e->kind == EXPIRED_UNSIGNED)
		fields.expires = NOW;
	if (e->kind == EXPIRES_LATER)
		fields.expires = NOW + 1;
	struct mf_digest veto_of = digest_of(e->veto_of ? e->veto_of : e->subject);
	fields.veto_type = e->veto;
	fields.veto_subject = &veto_of;
	json_t *tree = mf_record_make(&fields, &err);
	assert_non_null(tree);
	if (e->kind == TOMBSTONE || e->kind == FOREIGN_TOMBSTONE)
		assert_int_equal(json_object_set_new(tree, "withdrawn", json_true()), 0);
	if (e->kind == EXPIRED_1970)
		assert_int_equal(json_object_set_new(tree, "expires", json_string("1970-01-01T00:00:00Z")),
				 0);
	if (e->kind == NEWER)
		assert_int_equal(json_object_set_new(tree, "v", json_integer(2)), 0);
	if (e->kind == CRITICAL)
		assert_int_equal(json_object_set_new(tree, "crit", json_pack("[s]", "future")), 0);
	return tree;
}

/* The description of the record as it is promoted, of an original that was signed in FROM. */
static inline json_t *promoted(const struct fixture *f, const struct entry *e, struct mf_str name)
{
	struct mf_err err = MF_ERR_INIT;
	struct entry there = *e;
	struct mf_pubkey *keys[K_COUNT];
	bool signed_by[K_COUNT];
	struct mf_record r MF_RECORD_CLEANUP = {0};
	there.kind = e->original_kind;
	there.created = e->original_created ? e->original_created : e->created;
	json_t *tree MF_JSON_CLEANUP = description(&there), *own MF_JSON_CLEANUP = description(e);
	for (size_t key = 0; key < K_COUNT; key++) {
		keys[key] = mf_privkey_public(f->keys[key]);
		signed_by[key] = e->originals >> key & 1;
		if (signed_by[key])
			sign_for(f, tree, FROM, &there, name, key);
	}
	ok(mf_record_from_tree(&r, tree, tree, &err), &err);
	const struct mf_origin from = {.dialect = "notary",
				       .role = "targets/there",
				       .version = 3,
				       .binding = {FROM, name, 7, digest_of(e->blob)},
				       .record = &r,
				       .keys = keys,
				       .signed_by = signed_by,
				       .nkeys = K_COUNT};
	json_t *made MF_JSON_CLEANUP = mf_record_promote(&from, 1, NULL, &err);
	if (!made)
		fail_msg("unexpected: %s", err.msg);
	/* What the promoter says of it may differ from what the original says. */
	assert_int_equal(json_object_set(own, "promotedFrom", json_object_get(made, "promotedFrom")), 0);
	return json_incref(own);
}

static inline void put_entry(const struct fixture *f, const struct entry *e, struct mf_str name,
			     struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest blob = digest_of(e->blob);
	ok(mf_buf_addz(out, "{", &err), &err);
	if (e->kind != NO_CUSTOM) {
		json_t *tree MF_JSON_CLEANUP = e->originals ? promoted(f, e, name) : description(e);
		if (e->kind != UNSIGNED && e->kind != EXPIRED_UNSIGNED)
			sign(f, tree, e, name);
		ok(mf_buf_addz(out, "\"custom\":", &err), &err);
		ok(mf_record_custom(out, tree, &err), &err);
		ok(mf_buf_addz(out, ",", &err), &err);
	}
	const uint8_t long_hash[64] = {1};
	bool only512 = e->kind == SHA512_ONLY;
	ok(mf_buf_printf(out, &err, "\"hashes\":{\"%s\":", only512 ? "sha512" : "sha256"), &err);
	ok(mf_tuf_put_hash(f->d, only512 ? (struct mf_bytes){long_hash, 64} : (struct mf_bytes){blob.b, 32},
			   out, &err),
	   &err);
	ok(mf_buf_addz(out, "},\"length\":7}", &err), &err);
}

/* ---- files */

static inline json_t *paths_json(const struct fixture *f, const struct role *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < COUNT(r->paths) && r->paths[i]; i++) {
		char text[80];
		size_t n = strlen(r->paths[i]);
		bool glob = f->d == &mf_dialect_tuf1 && n && r->paths[i][n - 1] == '/';
		(void)snprintf(text, sizeof text, "%s%s", r->paths[i], glob ? "*" : "");
		assert_int_equal(json_array_append_new(list, json_string(text)), 0);
	}
	return list;
}

static inline void put_delegations(const struct fixture *f, size_t parent, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	json_t *keys = json_object(), *roles = json_array();
	for (size_t i = 1; i < f->nroles; i++) {
		if (f->roles[i].parent != parent)
			continue;
		json_t *ids = json_array();
		for (size_t k = 0; k < K_COUNT; k++) {
			if (!(f->roles[i].keys >> k & 1))
				continue;
			assert_int_equal(json_array_append_new(ids, json_string(f->ids[k])), 0);
			assert_int_equal(
			    json_object_set_new(keys, f->ids[k], json_loads(f->objects[k], 0, NULL)), 0);
		}
		json_t *role = json_pack("{s:o,s:s,s:o,s:i}", "keyids", ids, "name", f->roles[i].name,
					 "paths", paths_json(f, &f->roles[i]), "threshold", 1);
		if (f->d == &mf_dialect_tuf1)
			assert_int_equal(json_object_set_new(role, "terminating", json_false()), 0);
		assert_int_equal(json_array_append_new(roles, role), 0);
	}
	json_t *both MF_JSON_CLEANUP = json_pack("{s:o,s:o}", "keys", keys, "roles", roles);
	ok(mf_json_dump_canonical(both, out, &err), &err);
}

static inline struct mf_tuf_file *parsed(const struct fixture *f, enum mf_tuf_type type, struct mf_buf *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	ok(mf_tuf_build_file(f->d, mf_buf_str(text), NULL, 0, &file, &err), &err);
	struct mf_tuf_file *out = mf_tuf_parse_unverified(f->d, type, &file, &err);
	if (!out)
		fail_msg("unexpected: %s", err.msg);
	return out;
}

struct built {
	struct mf_buf name, value;
};

static inline int built_cmp(const void *a, const void *b)
{
	const struct built *x = a, *y = b;
	return mf_str_cmp(mf_buf_str(&x->name), mf_buf_str(&y->name));
}

static inline struct mf_tuf_file *targets_file(const struct fixture *f, size_t role)
{
	struct mf_err err = MF_ERR_INIT;
	struct built v[COUNT(f->entries)];
	struct mf_tuf_edit edits[COUNT(f->entries)];
	struct mf_buf delegations MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20),
				  text MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	size_t n = 0;
	for (size_t i = 0; i < f->nentries; i++) {
		const struct entry *e = &f->entries[i];
		struct mf_digest subject = digest_of(e->subject);
		if (e->role != role)
			continue;
		v[n] = (struct built){MF_BUF_INIT(1024), MF_BUF_INIT(65536)};
		if (e->name)
			ok(mf_buf_addz(&v[n].name, e->name, &err), &err);
		else
			ok(mf_record_name(&v[n].name, mf_str_c(e->type), &subject, &err), &err);
		put_entry(f, e, mf_buf_str(&v[n].name), &v[n].value);
		n++;
	}
	if (n)
		qsort(v, n, sizeof v[0], built_cmp);
	for (size_t i = 0; i < n; i++)
		edits[i] = (struct mf_tuf_edit){mf_buf_str(&v[i].name), mf_buf_str(&v[i].value)};
	put_delegations(f, role, &delegations);
	struct mf_str d = mf_buf_str(&delegations);
	struct mf_tuf_targets_spec spec = {
	    .edits = edits, .nedits = n, .delegations = &d, .version = 1, .expires = NOW + 1};
	ok(mf_tuf_build_targets(f->d, &spec, &text, &err), &err);
	for (size_t i = 0; i < n; i++) {
		mf_buf_clear(&v[i].name);
		mf_buf_clear(&v[i].value);
	}
	return parsed(f, MF_TUF_TARGETS, &text);
}

static inline void build_root(struct fixture *f)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	struct mf_tuf_root_key keys[] = {
	    {mf_str_c(f->objects[K_TARGETS]), f->ids[K_TARGETS], BIT(MF_TUF_TARGETS)},
	    {mf_str_c(f->objects[K_STRANGER]), f->ids[K_STRANGER],
	     BIT(MF_TUF_ROOT) | BIT(MF_TUF_SNAPSHOT) | BIT(MF_TUF_TIMESTAMP)}};
	ok(mf_tuf_build_root(f->d, &(struct mf_tuf_root_spec){keys, COUNT(keys), 1, NOW + 1, 0}, &text, &err),
	   &err);
	f->set.root = parsed(f, MF_TUF_ROOT, &text);
}

/* Roles are listed before their children. */
static inline void build(struct fixture *f)
{
	struct mf_tuf_loaded *made[MAX_ROLES] = {NULL};
	struct mf_err err = MF_ERR_INIT;
	build_root(f);
	for (size_t i = 0; i < f->nroles; i++) {
		if (f->roles[i].not_loaded)
			continue;
		struct mf_tuf_loaded *l = calloc(1, sizeof *l), *parent = i ? made[f->roles[i].parent] : NULL;
		assert_non_null(l);
		l->role = f->roles[i].name;
		l->file = targets_file(f, i);
		l->parent = parent;
		for (size_t j = 0; parent && j < parent->file->nroles; j++)
			if (strcmp(parent->file->roles[j].name, l->role) == 0)
				l->delegation = &parent->file->roles[j];
		assert_true(i == 0 || l->delegation);
		if (parent && mf_tuf_is_shard(f->d, parent, l->delegation)) {
			l->shard = l->role;
			l->role = parent->role;
		}
		made[i] = l;
		ok(mf_grow((void **)&f->set.roles, &f->set.cap, f->set.nroles, sizeof(struct mf_tuf_loaded *),
			   &err),
		   &err);
		f->set.roles[f->set.nroles++] = l;
	}
}

#define EACH_DIALECT(i) for (size_t i = 0; i < COUNT(dialects); i++)

#endif
