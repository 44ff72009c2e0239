/* Out of memory, at every allocation in turn: whatever fails says so, nothing leaks, no file is damaged, and
 * the next try works.
 *
 * The allocator is this program's: it stands before the C library's (or the sanitizer's) for the libraries
 * too, so that OpenSSL, libsodium and jansson run out as well. Each case runs once to warm up what lives as
 * long as the process, once to count, then again and again with one allocation failing, and with it and all
 * behind it failing. Long cases are sampled; MF_NOMEM=20 tries twenty times as many. */
#include "../../support/oom.h"
#include "../store/tmpdir.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "keys/formats.h"
#include "keys/notary_pem.h"
#include "manifesto/manifesto.h"
#include "net/internal.h"
#include "oci/backend.h"
#include "policy/policy.h"
#include "record/record.h"
#include "store/file.h"
#include "trust/home.h"
#include "trust/trust.h"
#include "tuf/build.h"

/* ---- the allocator, beside what oom.h has */

/* libsodium takes memory for secrets from here. */
EXPORTED void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	if (fd < 0 && out_of_memory())
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, n, prot, flags, fd,
			       offset); /* NOLINT(performance-no-int-to-ptr) */
}

/* ---- the loop */

struct attempt {
	const char *name;
	int (*run)(void *arg, struct mf_err *err);
	void (*before)(void *arg); /* memory is there; may be NULL */
	void (*after)(void *arg, int rc, const struct mf_err *err);
	void *arg;
	size_t samples;   /* of each kind */
	bool private_key; /* it reads one by way of OpenSSL */
};

/* What may be said when there was no memory: not that somebody attacks us, or that what is right is
 * malformed. A private key that OpenSSL's decoders did not read may be refused. */
static bool honest(const struct attempt *a, enum mf_code code)
{
	if (a->private_key && (code == MF_E_FORMAT || code == MF_E_KEY))
		return true;
	return code == MF_E_NOMEM || code == MF_E_INTERNAL || code == MF_E_IO;
}

static unsigned open_files(void)
{
	return tmpdir_entries("/proc/self/fd");
}

struct nth {
	const char *name;
	size_t n;
	bool all_behind;
};

static unsigned complaints;

static void complain(const struct nth *at, const char *what, const struct mf_err *err)
{
	complaints++;
	print_error("%s: allocation %zu%s: %s: %s: %s\n", at->name, at->n,
		    at->all_behind ? " and all behind it" : "", what, mf_code_name(err->code), err->msg);
}

static void attempt_one(const struct attempt *a, const struct nth *at)
{
	struct mf_err err = MF_ERR_INIT;
	if (a->before)
		a->before(a->arg);
	unsigned files = open_files();
	oom.left = at->n;
	oom.all_behind = at->all_behind;
	oom.failed = false;
	oom.seen = 0;
	oom.armed = true;
	int rc = a->run(a->arg, &err);
	oom.armed = false;
	if (rc < 0 && !honest(a, err.code))
		complain(at, "not the true reason", &err);
	if (rc < 0 ? !oom.failed : err.code != MF_OK)
		complain(at, "success and failure at once", &err);
	if (open_files() != files)
		complain(at, "files were left open", &err);
	if (a->after)
		a->after(a->arg, rc, &err);
}

static void attempt_all(const struct attempt *a)
{
	const char *how = getenv("MF_NOMEM");
	complaints = 0;
	for (int i = 0; i < 2; i++)
		attempt_one(a, &(struct nth){a->name, SIZE_MAX, false});
	size_t n = oom.seen, step = 1;
	assert_true(n > 0);
	size_t samples = a->samples * (how ? strtoul(how, NULL, 10) : 1);
	if (n > samples)
		step = n / samples;
	if (how)
		print_message("%s: %zu allocations, one in %zu\n", a->name, n, step);
	for (int kind = 0; kind < 2; kind++)
		for (size_t i = 1 + (kind ? step / 2 : 0); i <= n; i += step)
			attempt_one(a, &(struct nth){a->name, i, kind == 1});
	assert_int_equal(complaints, 0);
}

static void attempt_simple(const char *name, int (*run)(void *, struct mf_err *), void *arg)
{
	attempt_all(&(struct attempt){.name = name, .run = run, .arg = arg, .samples = 400});
}

static void attempt_private_key(const char *name, int (*run)(void *, struct mf_err *), void *arg,
				size_t samples)
{
	attempt_all(
	    &(struct attempt){.name = name, .run = run, .arg = arg, .samples = samples, .private_key = true});
}

/* ---- documents */

static void load_file(struct mf_buf *out, const char *path)
{
	struct mf_err err = MF_ERR_INIT;
	mf_buf_init(out, (size_t)1 << 20);
	if (mf_file_read(path, out->max, out, &err) < 0)
		fail_msg("%s", err.msg);
}

struct document {
	const struct mf_dialect *d;
	enum mf_tuf_type type;
	struct mf_str text;
	struct mf_str gun;
};

static int parse_metadata(void *arg, struct mf_err *err)
{
	const struct document *doc = arg;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(doc->text.n + 1),
			    text MF_BUF_CLEANUP = MF_BUF_INIT((size_t)1 << 20);
	if (mf_buf_add_str(&bytes, doc->text, err) < 0)
		return -1;
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = mf_tuf_parse_unverified(doc->d, doc->type, &bytes, err);
	if (!f)
		return -1;
	if (doc->type == MF_TUF_ROOT && doc->d == &mf_dialect_tuf1) /* nobody signed the seed */
		return 0;
	if (doc->type == MF_TUF_ROOT)
		return mf_tuf_root_check(doc->d, doc->gun, 1800000000, f, NULL, err);
	struct mf_tuf_targets_spec targets = {.old = f, .version = f->version + 1, .expires = 1800000000};
	struct mf_tuf_meta_spec meta = {
	    .type = doc->type, .old = f, .version = f->version + 1, .expires = 1800000000};
	return doc->type == MF_TUF_TARGETS ? mf_tuf_build_targets(doc->d, &targets, &text, err)
					   : mf_tuf_build_meta(doc->d, &meta, &text, err);
}

static const char *const type_names[] = {"root", "timestamp", "snapshot", "targets"};

static void parsing_metadata(void **state)
{
	(void)state;
	for (size_t i = 0; i < 8; i++) {
		char path[200], gun[100];
		const char *kind = i % 4 == 3 ? "delegations" : "basic";
		struct mf_buf text;
		struct document doc = {.d = i < 4 ? &mf_dialect_notary : &mf_dialect_tuf1,
				       .type = (enum mf_tuf_type)(i % 4)};
		if (i < 4)
			(void)snprintf(path, sizeof path, "testdata/notary/%s/metadata/%s.json", kind,
				       type_names[i]);
		else
			(void)snprintf(path, sizeof path, "tests/fuzz/corpus/metadata/tuf1-%s",
				       type_names[i - 4]);
		(void)snprintf(gun, sizeof gun, "example.com/vectors/%s", kind);
		load_file(&text, path);
		doc.text = mf_buf_str(&text);
		doc.gun = mf_str_c(gun);
		if (i >= 4) { /* its first octet chooses dialect and type */
			doc.text.p++;
			doc.text.n--;
		}
		attempt_simple(path, parse_metadata, &doc);
		mf_buf_clear(&text);
	}
}

static struct mf_privkey *make_key(enum mf_key_type type)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_privkey *k = mf_privkey_generate(type, &err);
	if (!k)
		fail_msg("%s", err.msg);
	return k;
}

/* Makes, signs, reads and checks a record. The signature must be over all of it. */
static int sign_record(void *arg, struct mf_err *err)
{
	struct mf_privkey *key = arg;
	static const char *const annotations[] = {"a=b", "ticket=<QA-17>", NULL};
	struct mf_record_fields f = {.created = 1800000000,
				     .expires = 1800000100,
				     .media_type = "text/plain",
				     .author = "Ana <ana@example.com>",
				     .reason = "looked good",
				     .annotations = annotations};
	struct mf_record_binding b = {
	    .repository = "example.com/app", .name = MF_STR("qa/sha256-x"), .length = 3};
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(65536), sig MF_BUF_CLEANUP = MF_BUF_INIT(1024),
			      custom MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_record r MF_RECORD_CLEANUP = {0};
	struct mf_pubkey *pub = mf_privkey_public(key);
	struct mf_digest fp = mf_pubkey_fingerprint(pub);
	bool valid = false;
	json_t *tree MF_JSON_CLEANUP = mf_record_make(&f, err);
	if (!tree || mf_record_payload(&payload, &b, tree, err) < 0 ||
	    mf_privkey_sign(key, mf_record_scheme(pub), mf_buf_bytes(&payload), &sig, err) < 0 ||
	    mf_record_add_sig(tree, &fp, mf_buf_bytes(&sig), err) < 0 ||
	    mf_record_custom(&custom, tree, err) < 0 || mf_record_parse(&r, mf_buf_str(&custom), err) < 0 ||
	    mf_record_signers(&r, &b, &pub, 1, &valid, err) < 0)
		return -1;
	assert_true(valid);
	assert_string_equal(r.author, "Ana <ana@example.com>");
	return 0;
}

static void signing_and_reading_records(void **state)
{
	(void)state;
	for (enum mf_key_type t = MF_KEY_ED25519; t <= MF_KEY_ECDSA; t++) {
		struct mf_privkey *key = make_key(t);
		attempt_simple(t == MF_KEY_ED25519 ? "record, ed25519" : "record, ecdsa", sign_record, key);
		mf_privkey_free(key);
	}
}

static int parse_references(void *arg, struct mf_err *err)
{
	static const char *const texts[] = {
	    ("localhost:5000/acme/"
	     "app:1.0@sha256:0123456789012345678901234567890123456789012345678901234567890123"),
	    "alpine", "oci:/some/dir:1.0"};
	(void)arg;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct mf_ref r MF_REF_CLEANUP = {0};
		struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		if (mf_ref_parse(&r, mf_str_c(texts[i]), err) < 0 || mf_ref_gun(&r, &text, err) < 0)
			return -1;
	}
	return 0;
}

static int read_docker_config(void *arg, struct mf_err *err)
{
	struct mf_docker_entry e;
	mf_docker_entry_init(&e);
	int rc = mf_docker_config_scan(
	    &e,
	    mf_bytes_of(MF_STR("{\"auths\":{\"localhost:5000\":{\"auth\":\"YWxpY2U6c2VjcmV0\"}},"
			       "\"credHelpers\":{\"x\":\"y\"}}")),
	    arg, MF_STR("acme/app"), err);
	mf_docker_entry_clear(&e);
	return rc;
}

static int read_index(void *arg, struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP;
	struct mf_descriptors children MF_DESCRIPTORS_CLEANUP = {0};
	mf_manifest_init(&m);
	if (mf_buf_addz(&m.bytes, arg, err) < 0 ||
	    mf_manifest_seal(&m, NULL, "application/vnd.oci.image.index.v1+json", err) < 0)
		return -1;
	size_t foreign = 0;
	return mf_index_children(&m, &children, &foreign, err);
}

static void reading_references_and_documents_of_others(void **state)
{
	static char host[] = "localhost:5000";
	static char index[] = "{\"schemaVersion\":2,\"mediaType\":\"application/"
			      "vnd.oci.image.index.v1+json\",\"manifests\":[{\"mediaType\":"
			      "\"application/"
			      "vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:"
			      "0123456789012345678901234567890123456789012345678901234567890123\","
			      "\"size\":7,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\","
			      "\"variant\":\"v8\"},\"annotations\":{\"a\":\"b\"}}]}";
	(void)state;
	attempt_simple("references", parse_references, NULL);
	attempt_simple("docker configuration", read_docker_config, host);
	attempt_simple("index", read_index, index);
}

/* ---- key files */

struct key_case {
	struct mf_privkey *key;
	struct mf_secret pass;
};

static int code_key(void *arg, struct mf_err *err)
{
	struct key_case *c = arg;
	const struct mf_secret *pass = c->pass.n ? &c->pass : NULL;
	struct mf_key_info info = {0};
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	if (mf_keyfile_encode(&file, "alice", c->key, pass, err) < 0 ||
	    mf_keyfile_info(&info, mf_buf_bytes(&file), err) < 0)
		return -1;
	mf_key_info_clear(&info);
	struct mf_privkey *again MF_PRIVKEY_CLEANUP = mf_keyfile_decode(mf_buf_bytes(&file), pass, err);
	return again ? 0 : -1;
}

static int code_notary_key(void *arg, struct mf_err *err)
{
	struct key_case *c = arg;
	struct mf_notary_key again;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	if (mf_notary_key_write(&text, c->key, "targets", "example.com/app", c->pass.n ? &c->pass : NULL,
				err) < 0 ||
	    mf_notary_key_read(&again, mf_buf_str(&text), &c->pass, err) < 0)
		return -1;
	mf_privkey_free(again.key);
	return 0;
}

/* Keys of other programs, and public keys in their formats. */
struct foreign_case {
	const char *file, *public;
	struct mf_secret pass;
};

static int code_foreign_key(void *arg, struct mf_err *err)
{
	struct foreign_case *c = arg;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES),
			   public MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES),
			   again MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	if (mf_file_read(c->file, MF_MAX_KEYFILE_BYTES, &text, err) < 0 ||
	    mf_file_read(c->public, MF_MAX_KEYFILE_BYTES, &public, err) < 0)
		return -1;
	struct mf_privkey *k MF_PRIVKEY_CLEANUP =
	    mf_key_from_text(mf_buf_str(&text), c->pass.n ? &c->pass : NULL, err);
	struct mf_pubkey *pub MF_PUBKEY_CLEANUP = k ? mf_pubkey_from_text(mf_buf_str(&public), err) : NULL;
	if (!pub || mf_pubkey_to_openssh(pub, "x", &again, err) < 0 ||
	    mf_pkcs8_key_write(&again, k, NULL, err) < 0)
		return -1;
	assert_true(mf_pubkey_eq(pub, mf_privkey_public(k)));
	return 0;
}

#define OTHERS "testdata/keyfile/others/"

static void reading_keys_of_other_programs(void **state)
{
	static const struct {
		const char *file, *public, *pass;
		size_t samples;
	} rows[] = {
	    {OTHERS "minisign.key", OTHERS "minisign.pub", NULL, 100},
	    {OTHERS "signify.sec", OTHERS "signify.pub", NULL, 100},
	    {OTHERS "openssh-aes256-gcm", OTHERS "openssh-aes256-gcm.pub", "pw", 30},
	    {OTHERS "openssh-chacha20-poly1305", OTHERS "openssh-chacha20-poly1305.pub", "pw", 30},
	    {OTHERS "openssh-rsa-encrypted", OTHERS "openssh-rsa-encrypted.pub", "pw", 30},
	    {OTHERS "openssh-ecdsa-384", OTHERS "openssh-ecdsa-384.pub", "pw", 30},
	    {OTHERS "openssl-scrypt.pem", OTHERS "openssl-scrypt.pub", "pw", 20},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct foreign_case c = {rows[i].file, rows[i].public, MF_SECRET_INIT};
		struct mf_err err = MF_ERR_INIT;
		if (rows[i].pass)
			assert_int_equal(mf_secret_copy(&c.pass, mf_bytes_of(mf_str_c(rows[i].pass)), &err),
					 0);
		attempt_private_key(rows[i].file, code_foreign_key, &c, rows[i].samples);
		mf_secret_clear(&c.pass);
	}
}

static void writing_and_reading_key_files(void **state)
{
	(void)state;
	for (enum mf_key_type t = MF_KEY_ED25519; t <= MF_KEY_ECDSA; t++) {
		struct mf_err err = MF_ERR_INIT;
		struct key_case c = {make_key(t), MF_SECRET_INIT};
		attempt_private_key("plain key file", code_key, &c, 400);
		attempt_private_key("plain key file of Notary", code_notary_key, &c, 400);
		assert_int_equal(mf_secret_copy(&c.pass, mf_bytes_of(MF_STR("correct horse")), &err), 0);
		/* The derivation of keys takes its time. */
		attempt_private_key("key file", code_key, &c, 5);
		attempt_private_key("key file of Notary", code_notary_key, &c, 30);
		mf_secret_clear(&c.pass);
		mf_privkey_free(c.key);
	}
}

/* ---- pins and floors: never half of them */

struct stored {
	char *home;
	struct mf_env env;
	struct mf_tuf_set set;
	struct mf_tuf_file *root;
	struct mf_tuf_file meta;
	struct mf_digest fps[3];
};

static void remove_stored(void *arg)
{
	struct stored *s = arg;
	(void)nftw(s->home, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int store_pin(void *arg, struct mf_err *err)
{
	struct stored *s = arg;
	struct mf_pin pin = {0};
	if (mf_pin_store(s->home, "reg/app", s->fps, 3, 2, &s->env, err) < 0 ||
	    mf_pin_find(s->home, "reg/app", &pin, err) < 0)
		return -1;
	mf_pin_clear(&pin);
	return 0;
}

static void check_pin(void *arg, int rc, const struct mf_err *why)
{
	struct stored *s = arg;
	struct mf_err err = MF_ERR_INIT;
	struct mf_pin pin = {0};
	(void)why;
	if (mf_pin_find(s->home, "reg/app", &pin, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(pin.found || rc < 0);
	assert_int_equal(pin.n, pin.found ? 3 : 0);
	assert_int_equal(pin.threshold, pin.found ? 2 : 0);
	mf_pin_clear(&pin);
}

static int store_map(void *arg, struct mf_err *err)
{
	struct stored *s = arg;
	struct mf_maps maps MF_MAPS_CLEANUP = {0};
	struct mf_map map MF_MAP_CLEANUP = {0};
	if (mf_map_store(s->home, "prod/*", "staging/*", &s->env, err) < 0 ||
	    mf_maps_load(s->home, &maps, err) < 0)
		return -1;
	return mf_maps_find(&maps, "prod/app", &map, err) == MF_FOUND ? 0 : -1;
}

static void check_map(void *arg, int rc, const struct mf_err *why)
{
	struct stored *s = arg;
	struct mf_err err = MF_ERR_INIT;
	struct mf_maps maps MF_MAPS_CLEANUP = {0};
	struct mf_map map MF_MAP_CLEANUP = {0};
	(void)why;
	if (mf_maps_load(s->home, &maps, &err) < 0)
		fail_msg("%s", err.msg);
	enum mf_found found = mf_maps_find(&maps, "prod/app", &map, &err);
	assert_true(found == MF_FOUND || (found == MF_ABSENT && rc < 0));
	if (found == MF_FOUND)
		assert_string_equal(map.repository, "staging/app");
}

static int store_floors(void *arg, struct mf_err *err)
{
	struct stored *s = arg;
	struct mf_floors f;
	if (mf_floors_raise(s->home, "reg/app", &s->set, &s->env, err) < 0 ||
	    mf_floors_load(s->home, "reg/app", &f, err) < 0)
		return -1;
	mf_floors_clear(&f);
	return 0;
}

static void check_floors(void *arg, int rc, const struct mf_err *why)
{
	struct stored *s = arg;
	struct mf_err err = MF_ERR_INIT;
	struct mf_floors f;
	(void)why;
	(void)rc;
	if (mf_floors_load(s->home, "reg/app", &f, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "root"), f.any ? s->root->version : 0);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "timestamp"), f.any ? 7 : 0);
	assert_int_equal(mf_tuf_floor_get(&f.roles, "snapshot"), f.any ? 7 : 0);
	mf_floors_clear(&f);
}

static void storing_pins_and_floors(void **state)
{
	struct stored s = {
	    .home = mf_path_join(*state, "home", NULL), .meta = {.version = 7}, .fps = {{{1}}, {{2}}, {{3}}}};
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text;
	mf_env_init(&s.env);
	load_file(&text, "tests/fuzz/corpus/metadata/tuf1-root");
	memmove(text.p, text.p + 1, text.n--);
	s.root = mf_tuf_parse_unverified(&mf_dialect_tuf1, MF_TUF_ROOT, &text, &err);
	assert_non_null(s.root);
	s.set = (struct mf_tuf_set){.d = &mf_dialect_tuf1,
				    .root = s.root,
				    .timestamp = &s.meta,
				    .snapshot = &s.meta,
				    .now = 1800000000};
	attempt_all(&(struct attempt){.name = "pin",
				      .run = store_pin,
				      .before = remove_stored,
				      .after = check_pin,
				      .arg = &s,
				      .samples = 400});
	attempt_all(&(struct attempt){.name = "map",
				      .run = store_map,
				      .before = remove_stored,
				      .after = check_map,
				      .arg = &s,
				      .samples = 400});
	attempt_all(&(struct attempt){.name = "floors",
				      .run = store_floors,
				      .before = remove_stored,
				      .after = check_floors,
				      .arg = &s,
				      .samples = 400});
	mf_tuf_file_free(s.root);
	free(s.home);
}

/* ---- the whole, through the public interface */

#define MANIFEST "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\"}"

struct world {
	char *dir, *home, *cache, *image, *layout;
	const char *content; /* what put puts */
	bool link, twice;    /* twice: by two names, in one run */
	char *bundle;        /* a file to read from, or NULL */
};

static int64_t world_now(void *arg)
{
	(void)arg;
	return 1800000000;
}

static enum mf_code code_of(const char *name)
{
	for (int c = MF_OK; c <= MF_E_EXPIRING; c++)
		if (strcmp(mf_code_name((enum mf_code)c), name) == 0)
			return (enum mf_code)c;
	fail_msg("no error has the name '%s'", name);
	return MF_OK;
}

static int failed(const struct manifesto_error *e, struct mf_err *err)
{
	assert_true(e->status != 0 && e->message[0]);
	return mf_fail(err, code_of(e->code), 0, "%s (%s)", e->message, e->hint);
}

static int open_context(struct world *w, struct manifesto **out, struct mf_err *err)
{
	struct manifesto_error e;
	struct manifesto_options o = MANIFESTO_INIT(manifesto_options);
	o.home = w->home;
	o.cache_dir = w->cache;
	o.no_passphrase = 1;
	o.default_key_name = "alice";
	o.now = world_now;
	o.bundle = w->bundle;
	o.bundle_max_age = w->bundle ? 100 : 0;
	return manifesto_new(&o, out, &e) < 0 ? failed(&e, err) : 0;
}

static int put(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	const struct manifesto_change_result *r = NULL;
	static const char *const annotations[] = {"ticket=QA-17", NULL};
	if (open_context(w, &m, err) < 0)
		return -1;
	o.image = w->image;
	o.type = "qa";
	o.data = w->content;
	o.data_length = strlen(w->content);
	o.author = "Ana <ana@example.com>";
	o.annotations = annotations;
	o.init = 1;
	o.link = w->link;
	o.reinstate = 1;
	const char *images[] = {w->image, w->image};
	if (w->twice) {
		o.image = NULL;
		o.images = images;
		o.nimages = 2;
	}
	int rc = manifesto_put(m, &o, &r, &e) < 0 ? failed(&e, err) : 0;
	manifesto_result_free(r);
	manifesto_free(m);
	return rc;
}

struct text {
	char p[100];
	size_t n;
};

static int collect(void *arg, const void *p, size_t n)
{
	struct text *t = arg;
	assert_true(n < sizeof t->p - t->n);
	memcpy(t->p + t->n, p, n);
	t->n += n;
	return 0;
}

/* What is there goes to out, "" when the record is not there. */
static int get_text(struct world *w, struct text *out, struct mf_err *err)
{
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_get_result *r = NULL;
	struct manifesto_get_options o = MANIFESTO_INIT(manifesto_get_options);
	*out = (struct text){.n = 0};
	if (open_context(w, &m, err) < 0)
		return -1;
	o.image = w->image;
	o.type = "qa";
	o.write = collect;
	o.write_arg = out;
	int rc = manifesto_get(m, &o, &r, &e) < 0 ? failed(&e, err) : 0;
	if (rc == 0) {
		assert_string_equal(r->record->state, "current");
		assert_string_equal(r->record->author, "Ana <ana@example.com>");
		assert_string_equal(r->record->media_type,
				    out->p[0] == '{' ? "application/json" : "text/plain");
		manifesto_result_free(r);
	}
	manifesto_free(m);
	return rc;
}

static int get(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct text t;
	int rc = get_text(w, &t, err);
	assert_string_equal(t.p, rc < 0 ? "" : w->content);
	return rc;
}

static int make_bundle(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_bundle_result *r = NULL;
	struct manifesto_bundle_options o = MANIFESTO_INIT(manifesto_bundle_options);
	const char *const images[] = {w->image};
	char *file MF_FREE = mf_path_join(w->dir, "b.tar", NULL);
	if (!file)
		return mf_fail_nomem(err);
	if (open_context(w, &m, err) < 0)
		return -1;
	o.images = images;
	o.nimages = 1;
	o.output_path = file;
	int rc = manifesto_bundle_create(m, &o, &r, &e) < 0 ? failed(&e, err) : 0;
	if (rc == 0)
		assert_int_equal(r->nrecords, 1);
	manifesto_result_free(r);
	manifesto_free(m);
	return rc;
}

/* A proposal that is made is whole: it can be shown, signed and published. */
static int propose(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_change_result *r = NULL;
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	char *file MF_FREE = mf_path_join(w->dir, "proposal.json", NULL);
	if (!file)
		return mf_fail_nomem(err);
	(void)unlink(file);
	if (open_context(w, &m, err) < 0)
		return -1;
	o.image = w->image;
	o.type = "qa";
	o.propose = file;
	int rc = manifesto_remove(m, &o, &r, &e) < 0 ? failed(&e, err) : 0;
	if (rc == 0)
		assert_string_equal(r->proposal, file);
	manifesto_result_free(r);
	manifesto_free(m);
	return rc;
}

static int show_proposal(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_proposal_result *r = NULL, *signed_now = NULL;
	struct manifesto_proposal_options o = MANIFESTO_INIT(manifesto_proposal_options);
	char *file MF_FREE = mf_path_join(w->dir, "proposal.json", NULL);
	if (!file)
		return mf_fail_nomem(err);
	o.image = w->image;
	o.proposal = file;
	if (open_context(w, &m, err) < 0)
		return -1;
	int rc =
	    manifesto_proposal_show(m, &o, &r, &e) < 0 || manifesto_proposal_sign(m, &o, &signed_now, &e) < 0
		? failed(&e, err)
		: 0;
	if (r) {
		assert_string_equal(r->proposal->state, "ready");
		assert_int_equal(r->proposal->nrecords, 1);
		assert_string_equal(r->proposal->records[0]->what, "removed");
		assert_int_equal(r->proposal->files[0]->nsigners, 1);
	}
	manifesto_result_free(signed_now);
	manifesto_result_free(r);
	manifesto_free(m);
	return rc;
}

static int list_and_show(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_list_result *r = NULL;
	struct manifesto_list_options o = MANIFESTO_INIT(manifesto_list_options);
	const struct manifesto_trust_result *t = NULL;
	const struct manifesto_key_result *k = NULL;
	o.image = w->image;
	if (open_context(w, &m, err) < 0)
		return -1;
	int rc = manifesto_list(m, &o, &r, &e) < 0 || manifesto_trust_show(m, w->image, &t, &e) < 0 ||
			 manifesto_key_list(m, &k, &e) < 0
		     ? failed(&e, err)
		     : 0;
	if (rc == 0) {
		assert_int_equal(r->nrecords, 1);
		assert_string_equal(r->records[0]->state, "current");
		assert_int_equal(t->nroles, 4);
		assert_int_equal(k->nkeys, 2);
	}
	manifesto_result_free(k);
	manifesto_result_free(t);
	manifesto_result_free(r);
	manifesto_free(m);
	return rc;
}

/* History is reported as it was, or not at all; and a lack of memory makes nothing look invalid. */
static int look_back(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	struct text t = {.n = 0};
	const struct manifesto_history_result *h = NULL;
	struct manifesto_history_options ho = MANIFESTO_INIT(manifesto_history_options);
	const struct manifesto_get_result *g = NULL;
	struct manifesto_get_options o = MANIFESTO_INIT(manifesto_get_options);
	char repository[256];
	ho.image = o.image = w->image;
	o.type = "qa";
	o.write = collect;
	o.write_arg = &t;
	o.version = 2;
	if (open_context(w, &m, err) < 0)
		return -1;
	int rc =
	    manifesto_history(m, &ho, &h, &e) < 0 || manifesto_get(m, &o, &g, &e) < 0 ? failed(&e, err) : 0;
	if (h) {
		assert_int_equal(h->nevents, 2);
		assert_int_equal(h->ninvalid, 0);
		assert_string_equal(h->events[0]->event, "put");
		assert_string_equal(h->events[1]->event, "replaced");
		assert_string_equal(h->events[1]->record->signers[0]->name, "alice");
	}
	manifesto_result_free(h);
	h = NULL;
	(void)snprintf(repository, sizeof repository, "%.*s", (int)(strrchr(w->image, ':') - w->image),
		       w->image);
	ho.image = repository;
	ho.all = 1;
	if (rc == 0)
		rc = manifesto_history(m, &ho, &h, &e) < 0 ? failed(&e, err) : 0;
	if (h) {
		assert_string_equal(h->events[0]->event, "root-created");
		assert_string_equal(h->events[0]->changed_role, "root");
		assert_string_equal(h->events[1]->event, "key-added");
		assert_non_null(h->events[1]->key);
		assert_string_equal(h->events[h->nevents - 1]->event, "replaced");
	}
	if (rc == 0) {
		assert_string_equal(t.p, "before");
		assert_non_null(strstr(g->note, "replaced since"));
		assert_string_equal(g->record->state, "old");
	}
	manifesto_result_free(g);
	manifesto_result_free(h);
	manifesto_free(m);
	return rc;
}

#define SSH_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKNYrxyn4YHAoubRAgKe/hxnMqX5/U7ZA2FEC71TnN95 bob"

static int role_add(struct manifesto *m, struct world *w, struct manifesto_error *e)
{
	static const char *const keys[] = {SSH_KEY, NULL}, *const types[] = {"other", "more", NULL};
	const struct manifesto_role_result *r = NULL;
	struct manifesto_role_options o = MANIFESTO_INIT(manifesto_role_options);
	o.image = w->image;
	o.role = "team";
	o.keys = keys;
	o.types = types;
	if (manifesto_role_add(m, &o, &r, e) < 0)
		return -1;
	manifesto_result_free(r);
	return 0;
}

static int role_remove(struct manifesto *m, struct world *w, struct manifesto_error *e)
{
	const struct manifesto_role_result *r = NULL;
	struct manifesto_role_options o = MANIFESTO_INIT(manifesto_role_options);
	o.image = w->image;
	o.role = "team";
	if (manifesto_role_remove(m, &o, &r, e) < 0)
		return -1;
	manifesto_result_free(r);
	return 0;
}

static int team_comes_and_goes(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_role_list *l = NULL;
	if (open_context(w, &m, err) < 0)
		return -1;
	int rc = role_add(m, w, &e) < 0 || manifesto_role_list(m, w->image, NULL, &l, &e) < 0 ||
			 role_remove(m, w, &e) < 0
		     ? failed(&e, err)
		     : 0;
	if (rc == 0)
		assert_int_equal(l->nroles, 2);
	manifesto_result_free(l);
	manifesto_free(m);
	return rc;
}

static int declare(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_role_result *r = NULL;
	struct manifesto_role_options o = MANIFESTO_INIT(manifesto_role_options);
	char *path = mf_path_join(w->dir, "teams.json", NULL);
	o.image = w->image;
	o.dry_run = 1;
	int rc = !path ? mf_fail_nomem(err) : open_context(w, &m, err);
	if (rc == 0)
		rc = manifesto_role_apply(m, path, &o, &r, &e) < 0 ? failed(&e, err) : 0;
	if (rc == 0)
		assert_int_equal(r->nchanges, 4);
	manifesto_result_free(r);
	manifesto_free(m);
	free(path);
	return rc;
}

/* Everything is reported, or nothing: least of all that something is gone, or expired. */
static int look_after(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_status_result *s = NULL;
	struct manifesto_status_options so = MANIFESTO_INIT(manifesto_status_options);
	const struct manifesto_list_result *l = NULL;
	struct manifesto_list_options lo = MANIFESTO_INIT(manifesto_list_options);
	const struct manifesto_repair_result *r = NULL;
	struct manifesto_repair_options ro = MANIFESTO_INIT(manifesto_repair_options);
	const struct manifesto_prune_result *p = NULL;
	struct manifesto_prune_options po = MANIFESTO_INIT(manifesto_prune_options);
	const struct manifesto_trust_export_result *x = NULL;
	const struct manifesto_cache_result *c = NULL;
	const struct manifesto_cache_clear_result *cleared = NULL;
	static const char *const roles[] = {"targets", "targets", NULL};
	char repository[4096];
	(void)snprintf(repository, sizeof repository, "oci:%s", w->layout);
	so.repository = lo.image = ro.repository = po.repository = repository;
	so.warn_within = 360 * (int64_t)86400;
	lo.all = 1;
	lo.roles = roles;
	if (open_context(w, &m, err) < 0)
		return -1;
	int rc = manifesto_status(m, &so, &s, &e) < 0 || manifesto_list(m, &lo, &l, &e) < 0 ||
			 manifesto_repair(m, &ro, &r, &e) < 0 || manifesto_prune(m, &po, &p, &e) < 0 ||
			 manifesto_trust_export(m, NULL, 0, &x, &e) < 0 ||
			 manifesto_cache_show(m, &c, &e) < 0 ||
			 manifesto_cache_clear(m, NULL, &cleared, &e) < 0
		     ? failed(&e, err)
		     : 0;
	if (s)
		assert_int_equal(s->status, 0);
	if (rc == 0) {
		assert_true(l->nrecords == 1 && l->nsubjects == 1 && l->subjects[0]->ntags == 1);
		assert_false(r->repaired);
		assert_int_equal(p->nfiles, 0);
		assert_non_null(strstr(x->json, "fingerprints"));
	}
	manifesto_result_free(cleared);
	manifesto_result_free(c);
	manifesto_result_free(x);
	manifesto_result_free(p);
	manifesto_result_free(r);
	manifesto_result_free(l);
	manifesto_result_free(s);
	manifesto_free(m);
	return rc;
}

static int refresh(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_refresh_result *r = NULL;
	struct manifesto_refresh_options o = MANIFESTO_INIT(manifesto_refresh_options);
	o.image = w->image;
	o.force = 1;
	if (open_context(w, &m, err) < 0)
		return -1;
	int rc = manifesto_trust_refresh(m, &o, &r, &e) < 0 ? failed(&e, err) : 0;
	if (rc == 0) {
		assert_int_equal(r->nroles, 4);
		for (size_t i = 0; i < r->nroles; i++)
			assert_true(r->roles[i]->done && r->roles[i]->nkeys == 1);
	}
	manifesto_result_free(r);
	manifesto_free(m);
	return rc;
}

static void write_in(const char *dir, const char *name, struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	char *path = mf_path_join(dir, name, NULL), *slash = strrchr(path, '/');
	*slash = 0;
	assert_int_equal(mf_dir_make(path, 0755, &err), 0);
	*slash = '/';
	assert_int_equal(mf_file_write_fast(path, mf_bytes_of(text), 0644, &err), 0);
	free(path);
}

static void make_layout(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	char hex[65], name[100], index[400];
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR(MANIFEST)), &d, &err), 0);
	mf_digest_hex(hex, &d);
	(void)snprintf(name, sizeof name, "blobs/sha256/%s", hex);
	(void)snprintf(index, sizeof index,
		       "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/"
		       "vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:%s\","
		       "\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref.name\":\"1.0\"}}]}",
		       hex, strlen(MANIFEST));
	write_in(w->layout, "oci-layout", MF_STR("{\"imageLayoutVersion\":\"1.0.0\"}"));
	write_in(w->layout, name, MF_STR(MANIFEST));
	write_in(w->layout, "index.json", mf_str_c(index));
}

static void drop_layout(void *arg)
{
	struct world *w = arg;
	(void)nftw(w->layout, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	(void)nftw(w->home, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_anew(void *arg)
{
	drop_layout(arg);
	make_layout(arg);
}

static void must_put(struct world *w, const char *content)
{
	struct mf_err err = MF_ERR_INIT;
	const char *old = w->content;
	w->content = content;
	if (put(w, &err) < 0)
		fail_msg("%s: %s", mf_code_name(err.code), err.msg);
	w->content = old;
}

static int no_leftover(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	if (strstr(path, "/.tmp-"))
		fail_msg("'%s' was left behind", path);
	return 0;
}

/* Killed or out of memory between publishing and pinning: our own key is the pin then, and the error says how
 * to go on. */
static void pin_our_own(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_key_result *k = NULL;
	const struct manifesto_trust_result *t = NULL;
	struct manifesto_pin_options o = MANIFESTO_INIT(manifesto_pin_options);
	if (open_context(w, &m, &err) < 0 || manifesto_key_show(m, "alice-root", &k, &e) < 0)
		fail_msg("cannot find our key");
	const char *const anchors[] = {k->keys[0]->fingerprint, NULL};
	o.image = w->image;
	o.anchors = anchors;
	if (manifesto_trust_pin(m, &o, &t, &e) < 0)
		fail_msg("cannot pin");
	manifesto_result_free(t);
	manifesto_result_free(k);
	manifesto_free(m);
}

/* The first put: the record is there or it is not; the next put works. */
static void check_first(void *arg, int rc, const struct mf_err *why)
{
	struct world *w = arg;
	struct mf_err err = MF_ERR_INIT;
	struct text t;
	(void)why;
	(void)nftw(w->dir, no_leftover, 16, FTW_PHYS);
	if (get_text(w, &t, &err) < 0 && (rc == 0 || (err.code != MF_E_NOT_FOUND && err.code != MF_E_PIN)))
		fail_msg("%s: %s", mf_code_name(err.code), err.msg);
	assert_true(t.n == 0 || strcmp(t.p, w->content) == 0);
	if (err.code == MF_E_PIN)
		pin_our_own(w);
	must_put(w, "after");
	mf_err_clear(&err);
	if (get_text(w, &t, &err) < 0)
		fail_msg("%s: %s", mf_code_name(err.code), err.msg);
	assert_string_equal(t.p, "after");
}

static void put_before(void *arg)
{
	must_put(arg, "before");
}

/* A later put: the old content or the new one. */
static void check_later(void *arg, int rc, const struct mf_err *why)
{
	struct world *w = arg;
	struct mf_err err = MF_ERR_INIT;
	struct text t;
	(void)why;
	(void)nftw(w->dir, no_leftover, 16, FTW_PHYS);
	if (get_text(w, &t, &err) < 0)
		fail_msg("%s: %s", mf_code_name(err.code), err.msg);
	assert_true(strcmp(t.p, w->content) == 0 || (rc < 0 && strcmp(t.p, "before") == 0));
}

static void world_init(struct world *w, void **state)
{
	*w = (struct world){.dir = *state, .content = "{\"qa\":{\"passed\":17}}"};
	w->home = mf_path_join(w->dir, "home", NULL);
	w->cache = mf_path_join(w->dir, "cache", NULL);
	w->layout = mf_path_join(w->dir, "image", NULL);
	w->image = malloc(strlen(w->layout) + 10);
	(void)sprintf(w->image, "oci:%s:1.0", w->layout);
	make_layout(w);
}

static void world_drop(struct world *w)
{
	free(w->home);
	free(w->cache);
	free(w->image);
	free(w->layout);
}

static void first_put(void **state)
{
	struct world w;
	world_init(&w, state);
	attempt_all(&(struct attempt){.name = "first put",
				      .run = put,
				      .before = make_anew,
				      .after = check_first,
				      .arg = &w,
				      .samples = 40});
	world_drop(&w);
}

static void later_put(void **state)
{
	struct world w;
	world_init(&w, state);
	attempt_all(&(struct attempt){.name = "later put",
				      .run = put,
				      .before = put_before,
				      .after = check_later,
				      .arg = &w,
				      .samples = 40});
	w.link = true;
	attempt_all(&(struct attempt){.name = "linked put",
				      .run = put,
				      .before = put_before,
				      .after = check_later,
				      .arg = &w,
				      .samples = 20});
	w.link = false;
	w.twice = true;
	attempt_all(&(struct attempt){.name = "put of several images",
				      .run = put,
				      .before = put_before,
				      .after = check_later,
				      .arg = &w,
				      .samples = 20});
	world_drop(&w);
}

static void bundles(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	world_init(&w, state);
	must_put(&w, w.content);
	attempt_all(&(struct attempt){.name = "bundle", .run = make_bundle, .arg = &w, .samples = 150});
	assert_int_equal(make_bundle(&w, &err), 0);
	w.bundle = mf_path_join(w.dir, "b.tar", NULL);
	attempt_all(&(struct attempt){.name = "get of a bundle", .run = get, .arg = &w, .samples = 150});
	attempt_all(
	    &(struct attempt){.name = "bundle of a bundle", .run = make_bundle, .arg = &w, .samples = 150});
	free(w.bundle);
	world_drop(&w);
}

static void proposals(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	world_init(&w, state);
	must_put(&w, w.content);
	attempt_all(&(struct attempt){.name = "propose", .run = propose, .arg = &w, .samples = 150});
	assert_int_equal(propose(&w, &err), 0);
	attempt_all(&(struct attempt){.name = "proposal", .run = show_proposal, .arg = &w, .samples = 150});
	world_drop(&w);
}

static void get_and_list(void **state)
{
	struct world w;
	world_init(&w, state);
	must_put(&w, w.content);
	attempt_all(&(struct attempt){.name = "get", .run = get, .arg = &w, .samples = 150});
	attempt_all(&(struct attempt){.name = "list", .run = list_and_show, .arg = &w, .samples = 150});
	world_drop(&w);
}

/* Withdrawn, or removed, or as it was. */
static int withdraw(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_change_result *r = NULL;
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	if (open_context(w, &m, err) < 0)
		return -1;
	o.image = w->image;
	o.type = "qa";
	o.reason = "a <reason>";
	o.author = "Ana";
	int rc = manifesto_withdraw(m, &o, &r, &e) < 0 ? failed(&e, err) : 0;
	if (rc == 0) {
		assert_string_equal(r->items[0]->record->reason, "a <reason>");
		assert_int_equal(r->items[0]->record->nwithdrew, 1);
		assert_int_equal(r->items[0]->record->nsigners, 1);
	}
	manifesto_result_free(r);
	manifesto_free(m);
	return rc;
}

static int take_away(void *arg, struct mf_err *err)
{
	struct world *w = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	const struct manifesto_change_result *r = NULL;
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	if (open_context(w, &m, err) < 0)
		return -1;
	o.image = w->image;
	o.type = "qa";
	int rc = manifesto_remove(m, &o, &r, &e) < 0 ? failed(&e, err) : 0;
	if (rc == 0)
		assert_string_equal(r->items[0]->record->author, "Ana <ana@example.com>");
	manifesto_result_free(r);
	manifesto_free(m);
	return rc;
}

/* From one layout to another. */
struct promotion {
	struct world source, copy;
};

static int promote(void *arg, struct mf_err *err)
{
	struct promotion *p = arg;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	struct manifesto_copy_options o = MANIFESTO_INIT(manifesto_copy_options);
	const struct manifesto_copy_pair pair = {p->source.image, p->copy.image};
	if (open_context(&p->copy, &m, err) < 0)
		return -1;
	o.pairs = &pair;
	o.npairs = 1;
	o.force = 1;
	int rc = manifesto_copy(m, &o, &e) < 0 ? failed(&e, err) : 0;
	manifesto_free(m);
	return rc;
}

static void check_change(void *arg, enum mf_code done, int rc)
{
	struct world *w = arg;
	struct mf_err err = MF_ERR_INIT;
	struct text t;
	(void)nftw(w->dir, no_leftover, 16, FTW_PHYS);
	if (get_text(w, &t, &err) < 0)
		assert_int_equal(err.code, done);
	else
		assert_true(rc < 0 && strcmp(t.p, "before") == 0);
}

static void check_withdrawn(void *arg, int rc, const struct mf_err *why)
{
	(void)why;
	check_change(arg, MF_E_WITHDRAWN, rc);
}

static void check_removed(void *arg, int rc, const struct mf_err *why)
{
	(void)why;
	check_change(arg, MF_E_NOT_FOUND, rc);
}

static void withdrawing_and_removing(void **state)
{
	struct world w;
	world_init(&w, state);
	attempt_all(&(struct attempt){.name = "withdraw",
				      .run = withdraw,
				      .before = put_before,
				      .after = check_withdrawn,
				      .arg = &w,
				      .samples = 40});
	attempt_all(&(struct attempt){.name = "rm",
				      .run = take_away,
				      .before = put_before,
				      .after = check_removed,
				      .arg = &w,
				      .samples = 40});
	world_drop(&w);
}

static void copy_before(void *arg)
{
	struct promotion *p = arg;
	put_before(&p->copy);
}

static void check_copy(void *arg, int rc, const struct mf_err *why)
{
	struct promotion *p = arg;
	check_later(&p->copy, rc, why);
}

static void promotions(void **state)
{
	struct promotion p;
	world_init(&p.source, state);
	must_put(&p.source, p.source.content);
	p.copy = p.source;
	p.copy.layout = mf_path_join(p.source.dir, "copy", NULL);
	p.copy.image = malloc(strlen(p.copy.layout) + 10);
	(void)sprintf(p.copy.image, "oci:%s:1.0", p.copy.layout);
	make_layout(&p.copy);
	attempt_all(&(struct attempt){.name = "copy",
				      .run = promote,
				      .before = copy_before,
				      .after = check_copy,
				      .arg = &p,
				      .samples = 40});
	free(p.copy.image);
	free(p.copy.layout);
	world_drop(&p.source);
}

/* Whatever was half done, the repository can be read, and its roles can be changed. */
static void check_team(void *arg, int rc, const struct mf_err *why)
{
	struct world *w = arg;
	struct mf_err err = MF_ERR_INIT;
	struct manifesto *m = NULL;
	struct manifesto_error e;
	struct text t;
	(void)why;
	(void)nftw(w->dir, no_leftover, 16, FTW_PHYS);
	if (get_text(w, &t, &err) < 0)
		fail_msg("%s: %s", mf_code_name(err.code), err.msg);
	assert_string_equal(t.p, w->content);
	if (rc == 0)
		return;
	if (open_context(w, &m, &err) < 0 || role_add(m, w, &e) < 0 || role_remove(m, w, &e) < 0)
		fail_msg("%s: %s", e.code, e.message);
	manifesto_free(m);
}

static void teams(void **state)
{
	struct world w;
	world_init(&w, state);
	must_put(&w, w.content);
	write_in(
	    w.dir, "teams.json",
	    MF_STR("{\"schema\":\"manifesto/teams/v1\",\"others\":\"remove\",\"roles\":{\"team\":{\"types\":["
		   "\"other\"],\"keys\":[\"" SSH_KEY "\"]}}}"));
	attempt_all(&(struct attempt){.name = "declare", .run = declare, .arg = &w, .samples = 150});
	attempt_all(&(struct attempt){
	    .name = "team", .run = team_comes_and_goes, .after = check_team, .arg = &w, .samples = 60});
	world_drop(&w);
}

static void history(void **state)
{
	struct world w;
	world_init(&w, state);
	must_put(&w, "before");
	must_put(&w, w.content);
	attempt_all(&(struct attempt){.name = "look back", .run = look_back, .arg = &w, .samples = 200});
	world_drop(&w);
}

static void status_and_refresh(void **state)
{
	struct world w;
	world_init(&w, state);
	must_put(&w, w.content);
	attempt_all(&(struct attempt){.name = "look after", .run = look_after, .arg = &w, .samples = 100});
	attempt_all(&(struct attempt){
	    .name = "refresh", .run = refresh, .after = check_later, .arg = &w, .samples = 40});
	world_drop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parsing_metadata),
	    cmocka_unit_test(signing_and_reading_records),
	    cmocka_unit_test(reading_references_and_documents_of_others),
	    cmocka_unit_test(writing_and_reading_key_files),
	    cmocka_unit_test(reading_keys_of_other_programs),
	    tmpdir_test(storing_pins_and_floors),
	    tmpdir_test(first_put),
	    tmpdir_test(later_put),
	    tmpdir_test(get_and_list),
	    tmpdir_test(bundles),
	    tmpdir_test(proposals),
	    tmpdir_test(history),
	    tmpdir_test(status_and_refresh),
	    tmpdir_test(withdrawing_and_removing),
	    tmpdir_test(promotions),
	    tmpdir_test(teams),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
