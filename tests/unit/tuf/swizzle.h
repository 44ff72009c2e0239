/* The swizzler: one valid repository with fresh keys in either dialect, and every way to break it.
 *
 * A row says what is changed before or after signing; everything that depends on it (signatures, hashes and
 * versions in snapshot and timestamp) is made again, so that exactly one thing is wrong. */
#ifndef MF_TESTS_TUF_SWIZZLE_H
#define MF_TESTS_TUF_SWIZZLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "tuf/build.h"

#define SW_NOW INT64_C(1800000000)
#define SW_GUN "example.com/team/app"
#define SW_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SW_UNUSED __attribute__((unused))

enum sw_dialect { SW_NOTARY = 1, SW_TUF1 = 2, SW_BOTH = 3 };
enum sw_file { F_ROOT, F_TIMESTAMP, F_SNAPSHOT, F_TARGETS, F_QA, F_DEEP, F_COUNT };
#define F_NONE F_COUNT
/* ALIAS: the public key of K_TARGETS under a second, valid key ID. STRANGER: listed nowhere. */
enum sw_key_name {
	K_ROOT,
	K_ROOT2,
	K_TIMESTAMP,
	K_SNAPSHOT,
	K_TARGETS,
	K_ALIAS,
	K_TARGETS2,
	K_QA,
	K_DEEP,
	K_STRANGER,
	K_COUNT
};
#define BIT(n) (1U << (n))
#define NOBODY BIT(31)

struct sw_key {
	struct mf_privkey *priv;
	char *object, *cert;
	char id[65];
};

struct sw;
/* One way to break (or bend) the repository. '@' in a path or text stands for ".json" (TUF 1.0) or nothing,
 * '%' for "targets/" (Notary) or nothing. */
struct sw_row {
	const char *what;
	enum sw_dialect in;
	enum mf_code code;       /* MF_OK: accepted */
	enum sw_file at;         /* where it is noticed */
	enum sw_file file;       /* what the edits apply to */
	const char *set, *value; /* member of the signed part, names separated by blanks; value: JSON, "#256",
				    "#512": a wrong hash, NULL: removed */
	const char *from, *to;   /* text of the signed part, before signing */
	const char *wire_from, *wire_to; /* text of the file, after signing */
	unsigned signers;                /* instead of the right ones */
	unsigned flip;                   /* 1 + bit of the signature that is flipped */
	void (*prepare)(struct sw *r);
	void (*edit)(struct sw *r, json_t *signed_part);
	void (*wire)(struct sw *r, struct mf_buf *bytes);
	void (*late)(struct sw *r);
	const char *floor; /* role with a floor */
	int64_t floor_version;
};
#define ROW(w, i, c, a, ...)                                                                                 \
	{                                                                                                    \
		.what = w, .in = i, .code = c, .at = a, __VA_ARGS__                                          \
	}
#define SET(w, i, c, a, f, path, v) ROW(w, i, c, a, .file = f, .set = path, .value = v)
#define TEXT(w, i, c, a, f, old, new) ROW(w, i, c, a, .file = f, .from = old, .to = new)
#define WIRE(w, i, c, a, f, old, new) ROW(w, i, c, a, .file = f, .wire_from = old, .wire_to = new)

struct sw {
	const struct mf_dialect *d;
	enum sw_dialect which;
	struct sw_key keys[K_COUNT];
	unsigned root_roles[K_COUNT]; /* bits of enum mf_tuf_type */
	const char *threshold;        /* of targets, NULL: 1 */
	bool shard;                   /* F_DEEP is the shard 0 of F_QA, of the type "qa" */
	enum sw_key_name shard_key;   /* that F_QA lists for it */
	unsigned signers[F_COUNT];
	int64_t version[F_COUNT];
	struct mf_buf bytes[F_COUNT];
	const struct sw_row *row;
};

/* ---- small helpers */

static inline void sw_ok(int rc, const struct mf_err *err)
{
	if (rc < 0)
		fail_msg("unexpected: %s", err->msg);
}

static inline const char *sw_time(char out[MF_TIME_LEN], int64_t t)
{
	mf_time_format(out, t);
	return out;
}

/* Text with '@' and '%' filled in; the caller frees. */
static inline char *sw_text(const struct sw *r, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b = MF_BUF_INIT(1 << 20);
	for (; *text; text++) {
		bool tuf1 = r->which == SW_TUF1;
		if (*text == '@')
			sw_ok(mf_buf_addz(&b, tuf1 ? ".json" : "", &err), &err);
		else if (*text == '%')
			sw_ok(mf_buf_addz(&b, tuf1 ? "" : "targets/", &err), &err);
		else
			sw_ok(mf_buf_addc(&b, *text, &err), &err);
	}
	return mf_buf_take(&b);
}

static inline const char *sw_role(const struct sw *r, enum sw_file f)
{
	static const char *const names[2][F_COUNT] = {
	    {"root", "timestamp", "snapshot", "targets", "targets/qa", "targets/qa/deep"},
	    {"root", "timestamp", "snapshot", "targets", "qa", "deep"},
	};
	if (f == F_DEEP && r->shard)
		return r->which == SW_TUF1 ? "qa._h0" : "targets/qa/_h0";
	return names[r->which == SW_TUF1][f];
}

/* First occurrence, which must be there. */
static inline void sw_replace(struct mf_buf *b, const char *from, const char *to)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out = MF_BUF_INIT(b->max);
	char *at = b->p ? memmem(b->p, b->n, from, strlen(from)) : NULL;
	if (!at)
		fail_msg("'%s' is not in %.*s", from, MF_STR_ARG(mf_buf_str(b)));
	sw_ok(mf_buf_add(&out, b->p, (size_t)(at - b->p), &err), &err);
	sw_ok(mf_buf_addz(&out, to, &err), &err);
	sw_ok(mf_buf_addz(&out, at + strlen(from), &err), &err);
	mf_buf_clear(b);
	*b = out;
}

static inline void sw_replace_text(const struct sw *r, struct mf_buf *b, const char *from, const char *to)
{
	char *f MF_FREE = sw_text(r, from), *t MF_FREE = sw_text(r, to);
	sw_replace(b, f, t);
}

static inline json_t *sw_load(struct mf_str text)
{
	json_t *j = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
	if (!j)
		fail_msg("not JSON: %.*s", MF_STR_ARG(text));
	return j;
}

/* ---- edits of signed parts */

static inline json_t *sw_value(const struct sw *r, const char *value)
{
	static const uint8_t zero[64];
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	char *text MF_FREE = sw_text(r, value);
	if (*value == '#')
		sw_ok(mf_tuf_put_hash(r->d, (struct mf_bytes){zero, value[1] == '2' ? 32 : 64}, &b, &err),
		      &err);
	else
		sw_ok(mf_buf_addz(&b, text, &err), &err);
	return sw_load(mf_buf_str(&b));
}

/* Sets or removes the member at a path; a number selects from an array, a missing name is added. */
static inline void sw_set_member(const struct sw *r, json_t *at, const char *path, const char *value)
{
	char *copy MF_FREE = sw_text(r, path), *rest = copy;
	for (char *name = strsep(&rest, " "), *next; name; name = next) {
		next = strsep(&rest, " ");
		bool array = json_is_array(at);
		size_t i = array ? (size_t)strtoul(name, NULL, 10) : 0;
		if (next) {
			at = array ? json_array_get(at, i) : json_object_get(at, name);
			if (!at)
				fail_msg("no '%s' in '%s'", name, path);
		} else if (!value) {
			assert_int_equal(array ? json_array_remove(at, i) : json_object_del(at, name), 0);
		} else {
			assert_int_equal(array ? json_array_set_new(at, i, sw_value(r, value))
					       : json_object_set_new(at, name, sw_value(r, value)),
					 0);
		}
	}
}

/* The same on canonical text. */
static inline void sw_set(const struct sw *r, struct mf_buf *text, const char *path, const char *value)
{
	struct mf_err err = MF_ERR_INIT;
	json_t *j MF_JSON_CLEANUP = sw_load(mf_buf_str(text));
	sw_set_member(r, j, path, value);
	mf_buf_reset(text);
	sw_ok(mf_json_dump_canonical(j, text, &err), &err);
}

/* ---- keys */

static inline void sw_key_object(struct sw_key *k, const char *object)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest digest;
	char *copy = strdup(object);
	free(k->object);
	k->object = copy;
	sw_ok(mf_sha256(mf_bytes_of(mf_str_c(object)), &digest, &err), &err);
	mf_digest_hex(k->id, &digest);
}

static inline void sw_key_write(const struct sw *r, struct sw_key *k, bool cert)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_str pem = mf_str_c(k->cert);
	char id[65];
	sw_ok(r->d->key_write(mf_privkey_public(k->priv), cert ? &pem : NULL, &object, id, &err), &err);
	sw_key_object(k, object.p);
	assert_string_equal(k->id, id); /* the builder's ID is the hash of its object */
}

static inline void sw_certify(struct sw_key *k, const char *gun, int64_t made)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf pem = MF_BUF_INIT(65536);
	const struct mf_signer signer = mf_privkey_signer(k->priv, "root");
	sw_ok(mf_root_cert_make(&signer, mf_str_c(gun), made, &pem, &err), &err);
	free(k->cert);
	k->cert = mf_buf_take(&pem);
}

static inline void sw_generate(const struct sw *r, struct sw_key *k, enum mf_key_type type, bool cert)
{
	struct mf_err err = MF_ERR_INIT;
	k->priv = mf_privkey_generate(type, &err);
	assert_non_null(k->priv);
	if (type == MF_KEY_ECDSA)
		sw_certify(k, SW_GUN, SW_NOW);
	sw_key_write(r, k, cert);
}

/* Notary: the same key as a certificate; TUF 1.0: the same with one more member, which is hashed too. */
static inline void sw_alias(const struct sw *r, const struct sw_key *of, struct sw_key *alias)
{
	alias->priv = of->priv;
	if (r->which == SW_NOTARY) {
		alias->cert = strdup(of->cert);
		sw_key_write(r, alias, true);
		return;
	}
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	sw_ok(mf_buf_addz(&b, of->object, &err), &err);
	sw_replace(&b, "{\"keytype\"", "{\"alias\":1,\"keytype\"");
	sw_key_object(alias, b.p);
}

static inline void sw_clear(struct sw *r)
{
	for (size_t i = 0; i < K_COUNT; i++) {
		if (i != K_ALIAS)
			mf_privkey_free(r->keys[i].priv);
		free(r->keys[i].object);
		free(r->keys[i].cert);
	}
	for (size_t i = 0; i < F_COUNT; i++)
		mf_buf_clear(&r->bytes[i]);
}
#define SW_CLEANUP MF_CLEANUP(sw_clear)

/* A repository not built yet. The caller clears it. */
static inline struct sw sw_new(enum sw_dialect which)
{
	struct sw r = {.d = which == SW_NOTARY ? &mf_dialect_notary : &mf_dialect_tuf1, .which = which};
	bool x509 = which == SW_NOTARY;
	for (size_t i = 0; i < K_COUNT; i++) {
		bool ecdsa = x509 && (i == K_ROOT || i == K_ROOT2 || i == K_TARGETS);
		if (i != K_ALIAS)
			sw_generate(&r, &r.keys[i], ecdsa ? MF_KEY_ECDSA : MF_KEY_ED25519,
				    ecdsa && i != K_TARGETS);
	}
	sw_alias(&r, &r.keys[K_TARGETS], &r.keys[K_ALIAS]);
	r.root_roles[K_ROOT] = BIT(MF_TUF_ROOT);
	r.root_roles[K_TIMESTAMP] = BIT(MF_TUF_TIMESTAMP);
	r.root_roles[K_SNAPSHOT] = BIT(MF_TUF_SNAPSHOT);
	r.root_roles[K_TARGETS] = BIT(MF_TUF_TARGETS);
	const unsigned signers[F_COUNT] = {BIT(K_ROOT),    BIT(K_TIMESTAMP), BIT(K_SNAPSHOT),
					   BIT(K_TARGETS), BIT(K_QA),        BIT(K_DEEP)};
	for (size_t i = 0; i < F_COUNT; i++) {
		r.signers[i] = signers[i];
		r.version[i] = i == F_ROOT ? 1 : 5;
		mf_buf_init(&r.bytes[i], MF_MAX_TARGETS_BYTES);
	}
	return r;
}

/* ---- the valid signed parts */

static inline void sw_put_root(const struct sw *r, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_root_key keys[K_COUNT];
	size_t n = 0;
	for (size_t i = 0; i < K_COUNT; i++)
		if (r->root_roles[i])
			keys[n++] = (struct mf_tuf_root_key){mf_str_c(r->keys[i].object), r->keys[i].id,
							     r->root_roles[i]};
	sw_ok(mf_tuf_build_root(r->d, &(struct mf_tuf_root_spec){keys, n, r->version[F_ROOT], SW_NOW + 1, 0},
				out, &err),
	      &err);
	if (r->threshold)
		sw_set(r, out, "roles targets threshold", r->threshold);
}

/* The delegations object of a role with one child, NULL: none. */
static inline void sw_put_delegation(const struct sw *r, enum sw_file child, struct mf_buf *out)
{
	static const char *const paths[2][2] = {
	    {"\"qa/\"", "\"qa/deep/\""},
	    {"\"qa/*\",\"qa/*/*\"", "\"qa/deep/*\""},
	};
	struct mf_err err = MF_ERR_INIT;
	const struct sw_key *k = &r->keys[child == F_QA ? K_QA : r->shard ? r->shard_key : K_DEEP];
	const char *shard = r->which == SW_TUF1 ? "\"qa/sha256-0*\"" : "\"qa/sha256-0\"";
	sw_ok(mf_buf_printf(out, &err,
			    "{\"keys\":{\"%s\":%s},\"roles\":[{\"keyids\":[\"%s\"],\"name\":\"%s\",\"paths\":"
			    "[%s],%s\"threshold\":1}]}",
			    k->id, k->object, k->id, sw_role(r, child),
			    child == F_DEEP && r->shard ? shard : paths[r->which == SW_TUF1][child == F_DEEP],
			    r->which == SW_TUF1 ? "\"terminating\":false," : ""),
	      &err);
}

/* Each role holds one target of its own, and "outside", which only targets may hold. */
static inline void sw_put_targets(const struct sw *r, enum sw_file f, struct mf_buf *out)
{
	static const char *const names[F_COUNT] = {
	    [F_TARGETS] = "top", [F_QA] = "qa/1", [F_DEEP] = "qa/deep/1"};
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf entry MF_BUF_CLEANUP = MF_BUF_INIT(4096),
			    delegation MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_digest digest = {{(uint8_t)f}};
	sw_ok(mf_buf_addz(&entry, "{\"hashes\":{\"sha256\":", &err), &err);
	sw_ok(mf_tuf_put_hash(r->d, (struct mf_bytes){digest.b, 32}, &entry, &err), &err);
	sw_ok(mf_buf_addz(&entry, "},\"length\":7}", &err), &err);
	struct mf_tuf_edit edits[2] = {{MF_STR("outside"), mf_buf_str(&entry)},
				       {mf_str_c(names[f]), mf_buf_str(&entry)}};
	if (f != F_DEEP)
		sw_put_delegation(r, f == F_TARGETS ? F_QA : F_DEEP, &delegation);
	struct mf_str d = mf_buf_str(&delegation);
	struct mf_tuf_targets_spec spec = {.edits = edits,
					   .nedits = 2,
					   .delegations = d.n ? &d : NULL,
					   .version = r->version[f],
					   .expires = SW_NOW + 1};
	sw_ok(mf_tuf_build_targets(r->d, &spec, out, &err), &err);
}

static inline void sw_put_meta(const struct sw *r, enum sw_file f, struct mf_buf *out)
{
	static const enum sw_file listed[] = {F_TARGETS, F_QA, F_DEEP, F_ROOT};
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_listed files[4];
	size_t n = 0;
	if (f == F_TIMESTAMP)
		files[n++] = (struct mf_tuf_listed){"snapshot", r->version[F_SNAPSHOT],
						    mf_buf_bytes(&r->bytes[F_SNAPSHOT])};
	for (size_t i = 0; f == F_SNAPSHOT && i < (r->which == SW_NOTARY ? 4 : 3); i++)
		files[n++] = (struct mf_tuf_listed){sw_role(r, listed[i]), r->version[listed[i]],
						    mf_buf_bytes(&r->bytes[listed[i]])};
	struct mf_tuf_meta_spec spec = {.type = f == F_SNAPSHOT ? MF_TUF_SNAPSHOT : MF_TUF_TIMESTAMP,
					.files = files,
					.nfiles = n,
					.version = r->version[f],
					.expires = SW_NOW + 1};
	sw_ok(mf_tuf_build_meta(r->d, &spec, out, &err), &err);
}

/* ---- edits, signatures */

static inline void sw_edit(struct sw *r, struct mf_buf *text)
{
	const struct sw_row *row = r->row;
	struct mf_err err = MF_ERR_INIT;
	if (row->set)
		sw_set(r, text, row->set, row->value);
	if (row->edit) {
		json_t *j MF_JSON_CLEANUP = sw_load(mf_buf_str(text));
		row->edit(r, j);
		mf_buf_reset(text);
		sw_ok(mf_json_dump_canonical(j, text, &err), &err);
	}
	if (row->from)
		sw_replace_text(r, text, row->from, row->to);
}

/* Appends the file: the text signed by the keys of a mask. */
static inline void sw_sign(const struct sw *r, struct mf_str text, unsigned signers, unsigned flip,
			   struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_made_signature made[K_COUNT];
	struct mf_buf sigs[K_COUNT];
	size_t n = 0;
	for (size_t i = 0; i < K_COUNT; i++) {
		if (!(signers >> i & 1))
			continue;
		const char *method;
		enum mf_sig_scheme scheme = r->d->sign_scheme(mf_privkey_public(r->keys[i].priv), &method);
		mf_buf_init(&sigs[n], 4096);
		sw_ok(mf_privkey_sign(r->keys[i].priv, scheme, mf_bytes_of(text), &sigs[n], &err), &err);
		if (flip)
			sigs[n].p[(flip - 1) / 8 % sigs[n].n] ^= (char)(1 << (flip - 1) % 8);
		made[n] = (struct mf_tuf_made_signature){r->keys[i].id, method, mf_buf_bytes(&sigs[n])};
		n++;
	}
	/* PEM in a TUF 1.0 key: raw line feeds in the canonical form, which is no JSON then. */
	struct mf_buf json MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	for (size_t i = 0; i < text.n; i++)
		sw_ok(text.p[i] == '\n' ? mf_buf_addz(&json, "\\n", &err)
					: mf_buf_addc(&json, text.p[i], &err),
		      &err);
	sw_ok(mf_tuf_build_file(r->d, mf_buf_str(&json), made, n, out, &err), &err);
	for (size_t i = 0; i < n; i++)
		mf_buf_clear(&sigs[i]);
}

static inline void sw_build_file(struct sw *r, enum sw_file f)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	const struct sw_row *row = r->row;
	bool mine = row && row->file == f;
	if (f == F_ROOT)
		sw_put_root(r, &text);
	else if (f == F_SNAPSHOT || f == F_TIMESTAMP)
		sw_put_meta(r, f, &text);
	else
		sw_put_targets(r, f, &text);
	if (mine)
		sw_edit(r, &text);
	unsigned signers = mine && row->signers ? row->signers : r->signers[f];
	mf_buf_reset(&r->bytes[f]);
	sw_sign(r, mf_buf_str(&text), signers, mine ? row->flip : 0, &r->bytes[f]);
	if (mine && row->wire_from)
		sw_replace_text(r, &r->bytes[f], row->wire_from, row->wire_to);
	if (mine && row->wire)
		row->wire(r, &r->bytes[f]);
}

/* Builds all files with what the row (NULL: nothing) changes. */
static inline void sw_build(struct sw *r, const struct sw_row *row)
{
	static const enum sw_file order[] = {F_ROOT, F_DEEP, F_QA, F_TARGETS, F_SNAPSHOT, F_TIMESTAMP};
	r->row = row;
	if (row && row->prepare)
		row->prepare(r);
	for (size_t i = 0; i < SW_COUNT(order); i++)
		sw_build_file(r, order[i]);
	if (row && row->late)
		row->late(r);
}

/* ---- the client */

static inline void sw_copy(struct mf_buf *to, const struct mf_buf *from)
{
	struct mf_err err = MF_ERR_INIT;
	mf_buf_init(to, from->max);
	sw_ok(mf_buf_add(to, from->p, from->n, &err), &err);
}

static inline int sw_step_root(const struct sw *r, struct mf_tuf_set *s, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP;
	sw_copy(&bytes, &r->bytes[F_ROOT]);
	struct mf_tuf_file *root = mf_tuf_parse_unverified(r->d, MF_TUF_ROOT, &bytes, err);
	if (!root || mf_tuf_set_root(s, root, NULL, err) < 0)
		return -1;
	return mf_tuf_set_root_done(s, err);
}

static inline int sw_step(const struct sw *r, struct mf_tuf_set *s, enum sw_file f, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP;
	sw_copy(&bytes, &r->bytes[f]);
	int rc = f == F_TIMESTAMP  ? mf_tuf_set_timestamp(s, &bytes, err)
		 : f == F_SNAPSHOT ? mf_tuf_set_snapshot(s, &bytes, false, err)
				   : mf_tuf_set_targets(s, &bytes, false, err);
	assert_int_equal(bytes.n, 0); /* taken, also on failure */
	return rc;
}

/* Loads what `prefix` needs, all delegations on the way. */
static inline int sw_step_delegations(const struct sw *r, struct mf_tuf_set *s, const char *prefix,
				      enum sw_file *at, struct mf_err *err)
{
	struct mf_tuf_edge w[8];
	for (size_t n;;) {
		*at = F_QA;
		if (mf_tuf_set_unloaded(s, mf_str_c(prefix), 8, w, &n, err) < 0)
			return -1;
		for (size_t i = 0; i < n; i++) {
			struct mf_buf bytes MF_BUF_CLEANUP;
			*at = strcmp(w[i].role->name, sw_role(r, F_QA)) == 0 ? F_QA : F_DEEP;
			sw_copy(&bytes, &r->bytes[*at]);
			if (mf_tuf_set_delegated(s, &w[i], &bytes, false, err) < 0)
				return -1;
		}
		if (n == 0)
			return 0;
	}
}

/* The whole workflow; *at: the file where it failed. */
static inline int sw_client(const struct sw *r, struct mf_tuf_set *s, const struct mf_tuf_floors *floors,
			    const char *prefix, enum sw_file *at, struct mf_err *err)
{
	mf_tuf_set_init(s, r->d, MF_STR(SW_GUN), SW_NOW, floors);
	*at = F_ROOT;
	if (sw_step_root(r, s, err) < 0)
		return -1;
	for (*at = F_TIMESTAMP; *at <= F_TARGETS; *at = (enum sw_file)(*at + 1))
		if (sw_step(r, s, *at, err) < 0)
			return -1;
	if (sw_step_delegations(r, s, prefix, at, err) < 0)
		return -1;
	*at = F_NONE;
	return 0;
}

static inline void sw_try(const struct sw_row *row, enum sw_dialect which, const char *prefix)
{
	struct sw r SW_CLEANUP = sw_new(which);
	struct mf_tuf_set s;
	struct mf_err err = MF_ERR_INIT;
	char *role MF_FREE = row->floor ? sw_text(&r, row->floor) : NULL;
	struct mf_tuf_floor floor = {role, row->floor_version};
	struct mf_tuf_floors floors = {.v = &floor, .n = role ? 1 : 0};
	enum sw_file at;
	sw_build(&r, row);
	int rc = sw_client(&r, &s, &floors, prefix, &at, &err);
	if ((rc < 0) != (row->code != MF_OK) || err.code != row->code || (rc < 0 && at != row->at))
		fail_msg("%s, '%s': code %s at %s (%s)", r.d->name, row->what, mf_code_name(err.code),
			 rc < 0 ? sw_role(&r, at) : "-", err.msg);
	mf_tuf_set_clear(&s);
}

/* Each row in each of its dialects: the very code at the very file. */
SW_UNUSED static void sw_table(const struct sw_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].in & SW_NOTARY)
			sw_try(&rows[i], SW_NOTARY, "");
		if (rows[i].in & SW_TUF1)
			sw_try(&rows[i], SW_TUF1, "");
	}
}

#endif
