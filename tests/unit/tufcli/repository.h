/* A TUF 1.0 repository in memory, all its keys, and a client of it in a directory of the test's. The
 * repository stands behind struct mf_fetcher: it writes down what is asked for, and does not keep to the
 * length that it is given.
 *
 * A script says what the repository's owners (or whoever has their keys) do, commands end with ';'. F is a
 * role, KEYS are letters, one key each; a letter that is new makes a key.
 *	set F PATH... = JSON   a member of the signed part; \u0001 becomes NUL      del F PATH...
 *	bump F                 one version more                   version F N
 *	expire F               it has just run out                by F KEYS     who signs
 *	keys F KEYS N          root lists these keys for F, with threshold N
 *	root [N]               a root is published; N: the version in it, when it is not the next one
 *	list F N               is announced as version N, 0: not at all
 *	hashes sha256|sha512|both|none    of what is announced, with lengths
 *	gone F, back F         is not served                      flip F      one bit of the first signature
 *	wire F FROM TO         text of the file after signing     pad F N     N blanks behind the file
 *	delegate F ROLE KEYS N [!] PATH...    '!': terminating; '#xy': hash prefixes
 *	target F NAME CONTENT [ALGORITHMS]    serve NAME CONTENT  (NAME as in the URL)
 *	clock N                N seconds go by
 * Everything but roots is then signed, announced and published. */
#ifndef TESTS_UNIT_TRUST_REPOSITORY_H
#define TESTS_UNIT_TRUST_REPOSITORY_H

#include "../store/tmpdir.h"

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "json/json.h"
#include "tufcli/updater.h"

#define RP_NOW INT64_C(1800000000)
#define RP_DAY 86400
#define RP_METADATA "http://repository/metadata/"
#define RP_TARGETS "http://repository/targets/"
/* The compiler does not know that fail_msg does not return. */
#define rp_die(...)                                                                                          \
	do {                                                                                                 \
		fail_msg(__VA_ARGS__);                                                                       \
		abort();                                                                                     \
	} while (0)
#define RP_COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct rp_key {
	struct mf_privkey *priv;
	char *object; /* canonical */
	char id[65];
	/* NULL: ed25519 by priv */
	void (*sign)(void *arg, struct mf_bytes msg, struct mf_buf *out);
	void *arg;
};

struct rp_role {
	char *name, *wire_from, *wire_to;
	json_t *body;
	char signers[128];
	int64_t listed; /* -1: as it is */
	bool gone, flip;
	size_t pad;
	struct mf_buf bytes;
};

struct rp_file {
	char *name;
	struct mf_buf bytes;
};

struct rp {
	struct rp_key keys[128];
	struct rp_role roles[400];
	size_t nroles;
	struct rp_file *served, *published; /* by URL; by role, all that there ever was */
	size_t nserved, cap_served, npublished, cap_published;
	int64_t root_serial, now;
	const char *hashes;
	char *dir, *metadata, *targets;
	struct mf_env env;
	struct mf_fetcher fetcher;
	struct mf_buf requests, warnings;
	uint64_t max;        /* of the last request */
	uint64_t max_length; /* of a target */
};

/* ---- small things */

static inline void rp_ok(int rc, const struct mf_err *err)
{
	if (rc < 0)
		fail_msg("unexpected: %s: %s", mf_code_name(err->code), err->msg);
}

static inline void rp_addf(struct mf_buf *b, const char *fmt, ...) MF_PRINTF(2, 3);
static inline void rp_addf(struct mf_buf *b, const char *fmt, ...)
{
	struct mf_err err = MF_ERR_INIT;
	va_list ap;
	va_start(ap, fmt);
	rp_ok(mf_buf_vprintf(b, &err, fmt, ap), &err);
	va_end(ap);
}

static inline void rp_add(struct mf_buf *b, const void *p, size_t n)
{
	struct mf_err err = MF_ERR_INIT;
	rp_ok(mf_buf_add(b, p, n, &err), &err);
}

static inline json_t *rp_json(const char *text)
{
	json_error_t why;
	json_t *j = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	if (!j)
		rp_die("not JSON: %s: %s", text, why.text);
	return j;
}

static inline json_t *rp_time(int64_t t)
{
	char text[MF_TIME_LEN];
	mf_time_format(text, t);
	return json_string(text);
}

static inline void rp_replace(struct mf_buf *b, const char *from, const char *to)
{
	struct mf_buf out = MF_BUF_INIT(b->max);
	char *at = b->p ? memmem(b->p, b->n, from, strlen(from)) : NULL;
	if (!at)
		rp_die("'%s' is not in %.2000s", from, b->p ? b->p : "");
	rp_add(&out, b->p, (size_t)(at - b->p));
	rp_addf(&out, "%s", to);
	rp_add(&out, at + strlen(from), b->n - (size_t)(at - b->p) - strlen(from));
	mf_buf_clear(b);
	*b = out;
}

/* ---- keys */

static inline void rp_key_object(struct rp_key *k, const char *object)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest digest;
	json_t *j MF_JSON_CLEANUP = rp_json(object);
	struct mf_buf text = MF_BUF_INIT(1 << 20);
	rp_ok(mf_json_dump_canonical(j, &text, &err), &err);
	rp_ok(mf_sha256(mf_buf_bytes(&text), &digest, &err), &err);
	mf_digest_hex(k->id, &digest);
	mf_buf_clear(&text);
	free(k->object);
	k->object = strdup(object);
}

static inline struct rp_key *rp_key(struct rp *r, char letter)
{
	struct rp_key *k = &r->keys[(unsigned char)letter];
	struct mf_err err = MF_ERR_INIT;
	char object[256], hex[65];
	if (k->object)
		return k;
	k->priv = mf_privkey_generate(MF_KEY_ED25519, &err);
	assert_non_null(k->priv);
	mf_hex_encode(hex, mf_pubkey_ed25519(mf_privkey_public(k->priv)).p, 32);
	(void)snprintf(object, sizeof object,
		       "{\"keytype\":\"ed25519\",\"keyval\":{\"public\":\"%s\"},\"scheme\":\"ed25519\"}",
		       hex);
	rp_key_object(k, object);
	return k;
}

/* Lists keys by letters: into an object of keys, and an array of key IDs (new). */
static inline json_t *rp_list_keys(struct rp *r, json_t *keys, const char *letters)
{
	json_t *ids = json_array();
	for (const char *c = letters; *c && *c != '-'; c++) {
		struct rp_key *k = rp_key(r, *c);
		assert_int_equal(json_object_set_new(keys, k->id, rp_json(k->object)), 0);
		assert_int_equal(json_array_append_new(ids, json_string(k->id)), 0);
	}
	return ids;
}

/* ---- files and signatures */

static inline struct rp_file *rp_file_add(struct rp_file **v, size_t *n, size_t *cap, const char *name,
					  struct mf_bytes bytes)
{
	struct mf_err err = MF_ERR_INIT;
	rp_ok(mf_grow((void **)v, cap, *n, sizeof **v, &err), &err);
	struct rp_file *f = &(*v)[(*n)++];
	*f = (struct rp_file){strdup(name), MF_BUF_INIT((size_t)1 << 30)};
	rp_add(&f->bytes, bytes.p, bytes.n);
	return f;
}

static inline struct rp_file *rp_served(struct rp *r, const char *name)
{
	for (size_t i = 0; i < r->nserved; i++)
		if (strcmp(r->served[i].name, name) == 0)
			return &r->served[i];
	return NULL;
}

static inline void rp_serve(struct rp *r, const char *name, struct mf_bytes bytes)
{
	struct rp_file *f = rp_served(r, name);
	if (!f) {
		(void)rp_file_add(&r->served, &r->nserved, &r->cap_served, name, bytes);
		return;
	}
	mf_buf_reset(&f->bytes);
	rp_add(&f->bytes, bytes.p, bytes.n);
}

static inline void rp_withdraw(struct rp *r, const char *name)
{
	struct rp_file *f = rp_served(r, name);
	if (f)
		f->name[0] = '\0';
}

static inline struct rp_role *rp_find(struct rp *r, const char *name)
{
	for (size_t i = 0; i < r->nroles; i++)
		if (strcmp(r->roles[i].name, name) == 0)
			return &r->roles[i];
	return NULL;
}

static inline struct rp_role *rp_role(struct rp *r, const char *name)
{
	struct rp_role *role = rp_find(r, name);
	if (!role)
		rp_die("no role '%s'", name);
	return role;
}

static inline int64_t rp_version(const struct rp_role *role)
{
	return json_integer_value(json_object_get(role->body, "version"));
}

static inline void rp_put_signatures(struct rp *r, const struct rp_role *role, struct mf_bytes text,
				     struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	bool first = true;
	for (const char *c = role->signers; *c && *c != '-'; c++) {
		struct rp_key *k = rp_key(r, *c);
		struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		char hex[4096];
		if (k->sign)
			k->sign(k->arg, text, &sig);
		else
			rp_ok(mf_privkey_sign(k->priv, MF_SIG_ED25519, text, &sig, &err), &err);
		if (first && role->flip)
			sig.p[sig.n / 2] ^= 1;
		mf_hex_encode(hex, (const uint8_t *)sig.p, sig.n);
		rp_addf(out, "%s{\"keyid\":\"%s\",\"sig\":\"%s\"}", first ? "" : ",", k->id, hex);
		first = false;
	}
}

/* The file of a role, signed; also written down as published. */
static inline void rp_sign(struct rp *r, struct rp_role *role)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 28);
	rp_ok(mf_json_dump_canonical(role->body, &text, &err), &err);
	for (size_t i = 0; i < text.n; i++) /* jansson's keys cannot hold NUL */
		if (text.p[i] == 1)
			text.p[i] = 0;
	mf_buf_reset(&role->bytes);
	rp_addf(&role->bytes, "{\"signatures\":[");
	rp_put_signatures(r, role, mf_buf_bytes(&text), &role->bytes);
	rp_addf(&role->bytes, "],\"signed\":");
	/* The canonical form of a line feed (PEM in a key) or NUL is no JSON. */
	for (size_t i = 0, from = 0; i <= text.n; i++)
		if (i == text.n || text.p[i] == '\n' || text.p[i] == 0) {
			rp_add(&role->bytes, text.p + from, i - from);
			rp_addf(&role->bytes, "%s", i == text.n ? "}" : text.p[i] ? "\\n" : "\\u0000");
			from = i + 1;
		}
	if (role->wire_from)
		rp_replace(&role->bytes, role->wire_from, role->wire_to);
	for (size_t i = 0; i < role->pad; i++)
		rp_add(&role->bytes, " ", 1);
	(void)rp_file_add(&r->published, &r->npublished, &r->cap_published, role->name,
			  mf_buf_bytes(&role->bytes));
}

/* ---- publishing */

static inline void rp_url_name(const char *role, int64_t version, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	mf_buf_reset(out);
	if (version)
		rp_addf(out, "%lld.", (long long)version);
	rp_ok(mf_pct_encode(out, mf_str_c(role), "", &err), &err);
	rp_addf(out, ".json");
}

static inline json_t *rp_hashes(const char *which, struct mf_bytes bytes)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	uint8_t d512[64];
	char hex[129];
	json_t *out = json_object();
	rp_ok(mf_sha256(bytes, &d, &err), &err);
	rp_ok(mf_sha512(bytes, d512, &err), &err);
	mf_digest_hex(hex, &d);
	if (strstr(which, "sha256") || strstr(which, "both"))
		assert_int_equal(json_object_set_new(out, "sha256", json_string(hex)), 0);
	mf_hex_encode(hex, d512, 64);
	if (strstr(which, "sha512") || strstr(which, "both"))
		assert_int_equal(json_object_set_new(out, "sha512", json_string(hex)), 0);
	if (strstr(which, "unknown"))
		assert_int_equal(json_object_set_new(out, "blake2b-256", json_string("00")), 0);
	return out;
}

/* Announces `role` in the meta of its parent. */
static inline void rp_announce(struct rp *r, struct rp_role *parent, const struct rp_role *role)
{
	char name[1024];
	json_t *meta = json_object_get(parent->body, "meta");
	int64_t version = role->listed < 0 ? rp_version(role) : role->listed;
	(void)snprintf(name, sizeof name, "%s.json", role->name);
	(void)json_object_del(meta, name);
	if (!version)
		return;
	json_t *entry = json_pack("{s:I}", "version", (json_int_t)version);
	if (r->hashes) {
		assert_int_equal(
		    json_object_set_new(entry, "hashes", rp_hashes(r->hashes, mf_buf_bytes(&role->bytes))),
		    0);
		assert_int_equal(
		    json_object_set_new(entry, "length", json_integer((json_int_t)role->bytes.n)), 0);
	}
	assert_int_equal(json_object_set_new(meta, name, entry), 0);
}

static inline bool rp_consistent(struct rp *r)
{
	return json_is_true(json_object_get(rp_role(r, "root")->body, "consistent_snapshot"));
}

static inline void rp_put(struct rp *r, struct rp_role *role)
{
	struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	bool timestamp = strcmp(role->name, "timestamp") == 0;
	int64_t version = role->listed > 0 ? role->listed : rp_version(role);
	rp_url_name(role->name, timestamp || !rp_consistent(r) ? 0 : version, &url);
	if (role->gone)
		rp_withdraw(r, url.p);
	else
		rp_serve(r, url.p, mf_buf_bytes(&role->bytes));
}

static inline void rp_publish(struct rp *r)
{
	struct rp_role *snapshot = rp_role(r, "snapshot"), *timestamp = rp_role(r, "timestamp");
	for (size_t i = 3; i < r->nroles; i++) {
		rp_sign(r, &r->roles[i]);
		rp_announce(r, snapshot, &r->roles[i]);
		rp_put(r, &r->roles[i]);
	}
	rp_sign(r, snapshot);
	rp_announce(r, timestamp, snapshot);
	rp_put(r, snapshot);
	rp_sign(r, timestamp);
	rp_put(r, timestamp);
}

static inline void rp_publish_root(struct rp *r, int64_t version)
{
	struct rp_role *root = rp_role(r, "root");
	struct mf_buf url MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	r->root_serial++;
	assert_int_equal(json_object_set_new(root->body, "version",
					     json_integer((json_int_t)(version ? version : r->root_serial))),
			 0);
	rp_sign(r, root);
	rp_url_name("root", r->root_serial, &url);
	if (root->gone)
		rp_withdraw(r, url.p);
	else
		rp_serve(r, url.p, mf_buf_bytes(&root->bytes));
}

/* ---- roles */

static inline struct rp_role *rp_role_add(struct rp *r, const char *name, const char *type,
					  const char *signers)
{
	assert_true(r->nroles < RP_COUNT(r->roles));
	struct rp_role *role = &r->roles[r->nroles++];
	*role = (struct rp_role){.name = strdup(name), .listed = -1, .bytes = MF_BUF_INIT((size_t)1 << 28)};
	role->body = json_pack("{s:s, s:s, s:i, s:o}", "_type", type, "spec_version", "1.0.31", "version", 1,
			       "expires", rp_time(RP_NOW + 10 * RP_DAY));
	const char *member = strcmp(type, "targets") == 0 ? "targets"
			     : strcmp(type, "root") == 0  ? "keys"
							  : "meta";
	assert_int_equal(json_object_set_new(role->body, member, json_object()), 0);
	(void)snprintf(role->signers, sizeof role->signers, "%s", signers);
	return role;
}

static inline void rp_set_keys(struct rp *r, const char *name, const char *letters, int threshold)
{
	json_t *root = rp_role(r, "root")->body;
	json_t *ids = rp_list_keys(r, json_object_get(root, "keys"), letters);
	assert_int_equal(json_object_set_new(json_object_get(root, "roles"), name,
					     json_pack("{s:o, s:i}", "keyids", ids, "threshold", threshold)),
			 0);
}

static inline void rp_delegate(struct rp *r, char **words)
{
	struct rp_role *parent = rp_role(r, words[0]);
	json_t *d = json_object_get(parent->body, "delegations"), *paths = json_array(), *role;
	if (!d) {
		d = json_pack("{s:{}, s:[]}", "keys", "roles");
		assert_int_equal(json_object_set_new(parent->body, "delegations", d), 0);
	}
	json_t *ids = rp_list_keys(r, json_object_get(d, "keys"), words[2]);
	bool terminating = words[4] && strcmp(words[4], "!") == 0;
	bool prefixes = false;
	for (char **w = words + 4 + terminating; *w; w++) {
		prefixes |= **w == '#';
		assert_int_equal(json_array_append_new(paths, json_string(*w + (**w == '#'))), 0);
	}
	role = json_pack("{s:s, s:o, s:i, s:b, s:o}", "name", words[1], "keyids", ids, "threshold",
			 (int)strtol(words[3], NULL, 10), "terminating", terminating,
			 prefixes ? "path_hash_prefixes" : "paths", paths);
	assert_int_equal(json_array_append_new(json_object_get(d, "roles"), role), 0);
	if (!rp_find(r, words[1]))
		(void)rp_role_add(r, words[1], "targets", words[2]);
}

/* HASH.NAME for each hash, and NAME. */
static inline void rp_target(struct rp *r, struct rp_role *role, const char *name, const char *content,
			     const char *algorithms)
{
	struct mf_bytes bytes = mf_bytes_of(mf_str_c(content));
	json_t *hashes = rp_hashes(algorithms, bytes), *value;
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name, *key;
	char url[4096];
	json_object_foreach(hashes, key, value)
	{
		(void)snprintf(url, sizeof url, "targets/%.*s%s.%s", (int)(base - name), name,
			       json_string_value(value), base);
		rp_serve(r, url, bytes);
	}
	(void)snprintf(url, sizeof url, "targets/%s", name);
	rp_serve(r, url, bytes);
	value = json_pack("{s:I, s:o}", "length", (json_int_t)bytes.n, "hashes", hashes);
	assert_int_equal(json_object_set_new(json_object_get(role->body, "targets"), name, value), 0);
}

/* ---- the script */

/* Sets or removes (NULL) the member at a path; a number selects from an array. */
static inline void rp_set(json_t *at, char **path, const char *value)
{
	for (; *path; path++) {
		bool array = json_is_array(at);
		size_t i = array ? (size_t)strtoul(*path, NULL, 10) : 0;
		if (path[1]) {
			at = array ? json_array_get(at, i) : json_object_get(at, *path);
			if (!at)
				rp_die("no member '%s'", *path);
		} else if (!value) {
			assert_int_equal(array ? json_array_remove(at, i) : json_object_del(at, *path), 0);
		} else {
			if (array && i == json_array_size(at))
				assert_int_equal(json_array_append_new(at, json_null()), 0);
			assert_int_equal(array ? json_array_set_new(at, i, rp_json(value))
					       : json_object_set_new(at, *path, rp_json(value)),
					 0);
		}
	}
}

/* Commands about the world: true when it was one. */
static inline bool rp_world_command(struct rp *r, char **w)
{
	if (strcmp(w[0], "clock") == 0)
		r->now += strtoll(w[1], NULL, 10);
	else if (strcmp(w[0], "serve") == 0)
		rp_serve(r, w[1], mf_bytes_of(mf_str_c(w[2] ? w[2] : "")));
	else if (strcmp(w[0], "hashes") == 0)
		r->hashes = strcmp(w[1], "sha256") == 0   ? "sha256"
			    : strcmp(w[1], "sha512") == 0 ? "sha512"
			    : strcmp(w[1], "both") == 0   ? "both"
							  : NULL;
	else if (strcmp(w[0], "root") == 0)
		rp_publish_root(r, w[1] ? strtoll(w[1], NULL, 10) : 0);
	else
		return false;
	return true;
}

static inline void rp_role_command(struct rp *r, struct rp_role *role, char **w, const char *value)
{
	json_int_t n = w[2] ? strtoll(w[2], NULL, 10) : 0;
	if (strcmp(w[0], "set") == 0 || strcmp(w[0], "del") == 0)
		rp_set(role->body, w + 2, value);
	else if (strcmp(w[0], "bump") == 0)
		assert_int_equal(
		    json_object_set_new(role->body, "version", json_integer(rp_version(role) + 1)), 0);
	else if (strcmp(w[0], "version") == 0)
		assert_int_equal(json_object_set_new(role->body, "version", json_integer(n)), 0);
	else if (strcmp(w[0], "expire") == 0)
		assert_int_equal(json_object_set_new(role->body, "expires", rp_time(r->now)), 0);
	else if (strcmp(w[0], "by") == 0)
		(void)snprintf(role->signers, sizeof role->signers, "%s", w[2]);
	else if (strcmp(w[0], "keys") == 0)
		rp_set_keys(r, role->name, w[2], (int)strtol(w[3], NULL, 10));
	else if (strcmp(w[0], "list") == 0)
		role->listed = n;
	else if (strcmp(w[0], "gone") == 0 || strcmp(w[0], "back") == 0)
		role->gone = w[0][0] == 'g';
	else if (strcmp(w[0], "flip") == 0)
		role->flip = true;
	else if (strcmp(w[0], "pad") == 0)
		role->pad = (size_t)n;
	else if (strcmp(w[0], "wire") == 0) {
		role->wire_from = strdup(w[2]);
		role->wire_to = strdup(w[3] ? w[3] : "");
	} else if (strcmp(w[0], "delegate") == 0)
		rp_delegate(r, w + 1);
	else if (strcmp(w[0], "target") == 0)
		rp_target(r, role, w[2], w[3] ? w[3] : "", w[3] && w[4] ? w[4] : "sha256");
	else
		fail_msg("no command '%s'", w[0]);
}

static inline void rp_do(struct rp *r, const char *script)
{
	char *copy MF_FREE = strdup(script), *rest = copy, *command;
	while ((command = strsep(&rest, ";"))) {
		char *words[64] = {0}, *value = strstr(command, " = "), *save = NULL;
		size_t n = 0;
		if (value) {
			*value = '\0';
			value += 3;
		}
		for (char *w = strtok_r(command, " \n\t", &save); w; w = strtok_r(NULL, " \n\t", &save)) {
			assert_true(n + 1 < RP_COUNT(words));
			words[n++] = w;
		}
		if (n && !rp_world_command(r, words)) {
			assert_true(n > 1);
			rp_role_command(r, rp_role(r, words[1]), words, value);
		}
	}
	rp_publish(r);
}

/* ---- the client's side */

static inline int64_t rp_now(void *arg)
{
	return ((struct rp *)arg)->now;
}

static inline void rp_log(void *arg, enum mf_log_level level, const char *line)
{
	struct rp *r = arg;
	if (level == MF_LOG_WARNING)
		rp_addf(&r->warnings, "%s\n", line);
}

static inline int rp_get(void *arg, const char *url, uint64_t max,
			 int (*write)(void *write_arg, const void *p, size_t n, struct mf_err *err),
			 void *write_arg, struct mf_err *err)
{
	struct rp *r = arg;
	const char *name = url + strlen("http://repository/");
	bool metadata = strncmp(url, RP_METADATA, strlen(RP_METADATA)) == 0;
	if (!metadata)
		assert_int_equal(strncmp(url, RP_TARGETS, strlen(RP_TARGETS)), 0);
	name += metadata ? strlen("metadata/") : 0;
	rp_addf(&r->requests, "%s%s", r->requests.n ? " " : "", name);
	r->max = max;
	struct rp_file *f = rp_served(r, name);
	if (!f)
		return 0;
	for (size_t at = 0, n; at < f->bytes.n; at += n) {
		n = f->bytes.n - at < 100000 ? f->bytes.n - at : 100000;
		if (write(write_arg, f->bytes.p + at, n, err) < 0)
			return -1;
	}
	return 1;
}

/* A new repository, its roots and roles at version 1, one key each: r, t, s, g. */
static inline struct rp *rp_new(void **state, const char *name)
{
	static const char roles[] = "{\"root\":1,\"timestamp\":1,\"snapshot\":1,\"targets\":1}";
	struct rp *r = calloc(1, sizeof *r);
	if (!r)
		rp_die("no memory");
	r->now = RP_NOW;
	r->max_length = MF_MAX_BLOB_BYTES;
	r->dir = mf_path_join(*state, name, NULL);
	r->metadata = mf_path_join(r->dir, "metadata", NULL);
	r->targets = mf_path_join(r->dir, "targets", NULL);
	mf_env_init(&r->env);
	r->env.now = rp_now;
	r->env.now_arg = r->env.log_arg = r;
	r->env.log = rp_log;
	r->env.level = MF_LOG_WARNING;
	r->env.deadline_ms = mf_monotonic_ms() + 60000;
	r->fetcher = (struct mf_fetcher){.arg = r, .get = rp_get};
	mf_buf_init(&r->requests, 1 << 20);
	mf_buf_init(&r->warnings, 1 << 20);
	struct rp_role *root = rp_role_add(r, "root", "root", "r");
	(void)rp_role_add(r, "timestamp", "timestamp", "t");
	(void)rp_role_add(r, "snapshot", "snapshot", "s");
	(void)rp_role_add(r, "targets", "targets", "g");
	assert_int_equal(json_object_set_new(root->body, "roles", rp_json(roles)), 0);
	assert_int_equal(json_object_set_new(root->body, "consistent_snapshot", json_true()), 0);
	rp_set_keys(r, "root", "r", 1);
	rp_set_keys(r, "timestamp", "t", 1);
	rp_set_keys(r, "snapshot", "s", 1);
	rp_set_keys(r, "targets", "g", 1);
	return r;
}

static inline void rp_files_free(struct rp_file *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].name);
		mf_buf_clear(&v[i].bytes);
	}
	free(v);
}

static inline void rp_free(struct rp **rp)
{
	struct rp *r = *rp;
	for (size_t i = 0; i < RP_COUNT(r->keys); i++) {
		mf_privkey_free(r->keys[i].priv);
		free(r->keys[i].object);
	}
	for (size_t i = 0; i < r->nroles; i++) {
		free(r->roles[i].name);
		free(r->roles[i].wire_from);
		free(r->roles[i].wire_to);
		json_decref(r->roles[i].body);
		mf_buf_clear(&r->roles[i].bytes);
	}
	rp_files_free(r->served, r->nserved);
	rp_files_free(r->published, r->npublished);
	mf_buf_clear(&r->requests);
	mf_buf_clear(&r->warnings);
	free(r->dir);
	free(r->metadata);
	free(r->targets);
	free(r);
}
#define RP_CLEANUP MF_CLEANUP(rp_free)

/* Its first root is the one that the client has by another way. */
static inline int rp_init_client(struct rp *r, struct mf_err *err)
{
	if (mf_dir_make(r->metadata, 0755, err) < 0 || mf_dir_make(r->targets, 0755, err) < 0)
		return -1;
	for (size_t i = 0;; i++)
		if (strcmp(r->published[i].name, "root") == 0)
			return mf_updater_init_dir(r->metadata, mf_buf_bytes(&r->published[i].bytes), &r->env,
						   err);
}

/* One run: refresh, then each target of `names` (separated by blanks, NULL: none). */
static inline enum mf_code rp_run(struct rp *r, const char *names, struct mf_err *err)
{
	struct mf_updater *u MF_UPDATER_CLEANUP = NULL;
	char *copy MF_FREE = strdup(names ? names : ""), *save = NULL;
	struct mf_target_dir place = {RP_TARGETS, r->targets, r->max_length};
	mf_err_clear(err);
	mf_buf_reset(&r->requests);
	mf_buf_reset(&r->warnings);
	if (mf_updater_open(r->metadata, RP_METADATA, &r->fetcher, &r->env, &u, err) < 0 ||
	    mf_updater_refresh(u, err) < 0)
		return err->code;
	for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save))
		if (mf_updater_download(u, name, &place, err) < 0)
			return err->code;
	return MF_OK;
}

static inline const char *rp_requests(const struct rp *r)
{
	return mf_buf_str(&r->requests).p;
}

/* ---- what the client holds */

static inline int rp_is_file(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && strcmp(e->d_name, ".lock") != 0;
}

/* Bytes of a stored file are those of a file that this role has published. */
static inline void rp_check_published(const struct rp *r, const char *name, const struct mf_buf *bytes)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	for (size_t i = 0; i < r->npublished; i++) {
		rp_url_name(r->published[i].name, 0, &file);
		if (strcmp(file.p, name) == 0 &&
		    mf_str_eq(mf_buf_str(bytes), mf_buf_str(&r->published[i].bytes)))
			return;
	}
	fail_msg("%s was never published like this", name);
}

/* "ROLE.VERSION ..." of all that is in the metadata directory, in order. */
static inline void rp_stored(const struct rp *r, struct mf_buf *out)
{
	struct dirent **v;
	struct mf_err err = MF_ERR_INIT;
	int n = scandir(r->metadata, &v, rp_is_file, alphasort);
	mf_buf_reset(out);
	for (int i = 0; i < n; i++) {
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 30);
		char *path MF_FREE = mf_path_join(r->metadata, v[i]->d_name, NULL);
		rp_ok(mf_file_read(path, bytes.max, &bytes, &err), &err);
		rp_check_published(r, v[i]->d_name, &bytes);
		json_t *j MF_JSON_CLEANUP = json_loadb(bytes.p, bytes.n, JSON_ALLOW_NUL, NULL);
		json_int_t version = 0;
		assert_int_equal(json_unpack(j, "{s:{s:I}}", "signed", "version", &version), 0);
		rp_addf(out, "%s%.*s.%lld", i ? " " : "", (int)strlen(v[i]->d_name) - 5, v[i]->d_name,
			(long long)version);
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

/* "NAME=CONTENT ..." of the target directory, in order. */
static inline void rp_got(const struct rp *r, struct mf_buf *out)
{
	struct dirent **v;
	struct mf_err err = MF_ERR_INIT;
	int n = scandir(r->targets, &v, rp_is_file, alphasort);
	mf_buf_reset(out);
	for (int i = 0; i < n; i++) {
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 30);
		char *path MF_FREE = mf_path_join(r->targets, v[i]->d_name, NULL);
		rp_ok(mf_file_read(path, bytes.max, &bytes, &err), &err);
		rp_addf(out, "%s%s=%s", i ? " " : "", v[i]->d_name, mf_buf_str(&bytes).p);
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

/* ---- tables */

struct rp_row {
	const char *what;
	const char *setup; /* before the client is made */
	const char *then;  /* between a first run that succeeds and the one under test; NULL: one run */
	enum mf_code code;
	const char *stored;   /* NULL: not checked */
	const char *requests; /* of the run under test; NULL: not checked */
	const char *get;      /* targets of every run, NULL: none */
	const char *got;      /* NULL: not checked */
};

static inline void rp_check_row(const struct rp *r, const struct rp_row *row, enum mf_code code,
				const struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	if (code != row->code)
		fail_msg("%s: %s instead of %s: %s", row->what, mf_code_name(code), mf_code_name(row->code),
			 err->msg);
	rp_stored(r, &text);
	if (row->stored && strcmp(mf_buf_str(&text).p, row->stored) != 0)
		fail_msg("%s: stored '%s' instead of '%s' (%s)", row->what, mf_buf_str(&text).p, row->stored,
			 err->msg);
	if (row->requests && strcmp(rp_requests(r), row->requests) != 0)
		fail_msg("%s: asked for '%s' instead of '%s' (%s)", row->what, rp_requests(r), row->requests,
			 err->msg);
	rp_got(r, &text);
	if (row->got && strcmp(mf_buf_str(&text).p, row->got) != 0)
		fail_msg("%s: got '%s' instead of '%s' (%s)", row->what, mf_buf_str(&text).p, row->got,
			 err->msg);
}

static inline void rp_try(void **state, const struct rp_row *row, size_t number)
{
	struct mf_err err = MF_ERR_INIT;
	char name[32];
	(void)snprintf(name, sizeof name, "%zu", number);
	struct rp *r RP_CLEANUP = rp_new(state, name);
	rp_do(r, row->setup ? row->setup : "");
	if (!r->root_serial)
		rp_publish_root(r, 0);
	int rc = rp_init_client(r, &err);
	if (rc < 0) {
		rp_check_row(r, row, err.code, &err);
		return;
	}
	if (row->then) {
		enum mf_code code = rp_run(r, row->get, &err);
		if (code != MF_OK)
			fail_msg("%s: the first run: %s: %s", row->what, mf_code_name(code), err.msg);
		rp_do(r, row->then);
	}
	enum mf_code code = rp_run(r, row->get, &err);
	rp_check_row(r, row, code, &err);
}

/* Each row in a directory of its own. */
static inline void rp_table(void **state, const struct rp_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rp_try(state, &rows[i], i);
}

#endif
