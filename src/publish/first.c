/* The first publish of a trust repository as an intent: keys, root, empty targets. */
#include "base/encode.h"
#include "base/limits.h"
#include "crypto/x509.h"
#include "publish/publish.h"
#include "trust/load.h"

/* Keys of the new root. Each key's `roles` has the bits of the roles that list it. */
struct plan {
	struct mf_tuf_root_key v[5];
	struct mf_buf objects[5];
	char ids[5][65];
	size_t n;
	struct mf_digest root_fp; /* fingerprint of the first key */
};

static void plan_clear(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		mf_buf_clear(&p->objects[i]);
	p->n = 0;
}

static int plan_add(struct mf_trust *t, struct plan *p, const struct mf_pubkey *pub,
		    const struct mf_str *certificate, unsigned roles, struct mf_err *err)
{
	size_t i = p->n;
	mf_buf_init(&p->objects[i], MF_MAX_ROOT_BYTES);
	p->n++;
	if (i == 0)
		p->root_fp = mf_pubkey_fingerprint(pub);
	if (t->repo->ops->dialect->key_write(pub, certificate, &p->objects[i], p->ids[i], err) < 0)
		return -1;
	p->v[i] = (struct mf_tuf_root_key){mf_buf_str(&p->objects[i]), p->ids[i], roles};
	/* A key that has several roles is listed once. */
	for (size_t k = 0; k < i; k++)
		if (strcmp(p->ids[k], p->ids[i]) == 0) {
			p->v[k].roles |= roles;
			mf_buf_clear(&p->objects[i]);
			p->n--;
			break;
		}
	return 0;
}

/* Gets a key of this machine by name, and makes it if it is missing. An existing key may be of any type; if
 * it does not fit, signing fails. */
static int own_key(struct mf_trust *t, const char *name, enum mf_key_type type, struct mf_publish_made *made,
		   struct mf_pubkey **out, struct mf_err *err)
{
	const struct mf_key_info *k = mf_keystore_find(t->cfg->keys, name, err);
	if (!k) {
		char hex[65];
		if (err->code != MF_E_KEY)
			return -1;
		mf_err_clear(err);
		if (mf_keystore_generate(t->cfg->keys, name, type, &k, err) < 0)
			return -1;
		mf_pubkey_hex(hex, k->pub);
		made->keys[made->nkeys] =
		    mf_arena_printf(&made->arena, err, "%s (%s %s)", name, mf_key_type_name(type), hex);
		if (!made->keys[made->nkeys])
			return -1;
		made->nkeys++;
	}
	*out = mf_pubkey_ref(k->pub);
	return 0;
}

/* TUF 1.0: root has a key of its own; targets, snapshot and timestamp have the writer's key. */
static int plan_tuf1(struct mf_trust *t, struct plan *p, struct mf_publish_made *made, struct mf_err *err)
{
	struct mf_pubkey *writer MF_PUBKEY_CLEANUP = NULL, *root MF_PUBKEY_CLEANUP = NULL;
	char *root_name MF_FREE = NULL;
	if (asprintf(&root_name, "%s-root", t->cfg->key_name) < 0)
		return mf_fail_nomem(err);
	if (own_key(t, t->cfg->key_name, MF_KEY_ED25519, made, &writer, err) < 0 ||
	    own_key(t, root_name, MF_KEY_ED25519, made, &root, err) < 0 ||
	    plan_add(t, p, root, NULL, 1 << MF_TUF_ROOT, err) < 0)
		return -1;
	return plan_add(t, p, writer, NULL,
			1 << MF_TUF_TARGETS | 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP, err);
}

int mf_publish_server_pubkey(struct mf_trust *t, const char *role, enum mf_server_key which,
			     struct mf_pubkey **out, struct mf_err *err)
{
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ERROR_BODY);
	struct mf_arena arena MF_ARENA_CLEANUP = MF_ARENA_INIT;
	struct mf_tuf_key key = {0};
	if (t->repo->ops->server_key(t->repo, role, which, &object, err) < 0)
		return -1;
	while (object.n && strchr(" \r\n\t", object.p[object.n - 1]))
		object.n--;
	key.raw = mf_buf_str(&object);
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	mf_json_reader_init(&r, mf_buf_bytes(&object));
	if (mf_json_skip(&r, NULL, err) < 0 || mf_json_end(&r, err) < 0 ||
	    t->repo->ops->dialect->key(&key, &arena, err) < 0)
		return mf_wrap(err, "the server's %s key", role);
	if (!key.pub)
		return mf_fail(err, MF_E_FORMAT, 0, "the type of the server's %s key is not supported", role);
	*out = key.pub;
	return 0;
}

/* The key object from the server is parsed and written again in this program's form, so that the key ID is
 * computed here. */
static int plan_server_key(struct mf_trust *t, struct plan *p, const char *role, enum mf_tuf_type type,
			   struct mf_err *err)
{
	struct mf_pubkey *pub MF_PUBKEY_CLEANUP = NULL;
	if (mf_publish_server_pubkey(t, role, MF_SERVER_KEY_NOW, &pub, err) < 0)
		return -1;
	return plan_add(t, p, pub, NULL, 1u << type, err);
}

int mf_publish_root_certificate(struct mf_trust *t, const struct mf_key_info *k, struct mf_buf *pem,
				struct mf_err *err)
{
	struct mf_signer signer;
	return mf_keystore_signer(t->cfg->keys, k, &signer, err) < 0
		   ? -1
		   : mf_root_cert_make(&signer, mf_str_c(t->gun), mf_env_now(t->cfg->env), pem, err);
}

/* Notary: the root key has an X.509 certificate made here, the targets key is ed25519, and the server has the
 * keys of timestamp and snapshot. */
static int plan_notary(struct mf_trust *t, struct plan *p, struct mf_publish_made *made, struct mf_err *err)
{
	struct mf_pubkey *writer MF_PUBKEY_CLEANUP = NULL, *root MF_PUBKEY_CLEANUP = NULL;
	const struct mf_key_info *info;
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	char *root_name MF_FREE = NULL;
	if (asprintf(&root_name, "%s-notary-root", t->cfg->key_name) < 0)
		return mf_fail_nomem(err);
	if (own_key(t, t->cfg->key_name, MF_KEY_ED25519, made, &writer, err) < 0 ||
	    own_key(t, root_name, MF_KEY_ECDSA, made, &root, err) < 0)
		return -1;
	info = mf_keystore_find(t->cfg->keys, root_name, err);
	if (!info || mf_publish_root_certificate(t, info, &pem, err) < 0)
		return -1;
	struct mf_str certificate = mf_buf_str(&pem);
	if (plan_add(t, p, root, &certificate, 1 << MF_TUF_ROOT, err) < 0 ||
	    plan_add(t, p, writer, NULL, 1 << MF_TUF_TARGETS, err) < 0 ||
	    plan_server_key(t, p, "timestamp", MF_TUF_TIMESTAMP, err) < 0)
		return -1;
	return plan_server_key(t, p, "snapshot", MF_TUF_SNAPSHOT, err);
}

/* Adds the second root key. In Notary, root keys are certificates. */
static int plan_spare(struct mf_trust *t, struct plan *p, const struct mf_publish_spare *spare,
		      struct mf_err *err)
{
	const struct mf_key_info *k;
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	bool notary = mf_publish_has_server(t);
	if (!spare)
		return 0;
	if (spare->make(spare->arg, &k, err) < 0 ||
	    (notary && mf_publish_root_certificate(t, k, &pem, err) < 0))
		return -1;
	struct mf_str certificate = mf_buf_str(&pem);
	return plan_add(t, p, k->pub, notary ? &certificate : NULL, 1u << MF_TUF_ROOT, err);
}

/* A pin for a prefix also covers repositories that do not exist yet. Refuses to publish a root that this
 * machine's own pin would reject. */
static int check_prefix_pin(struct mf_trust *t, const struct mf_digest *root_fp, struct mf_err *err)
{
	struct mf_pin pin MF_PIN_CLEANUP = {0};
	if (mf_pin_find(t->cfg->home, t->pin_name, &pin, err) < 0)
		return -1;
	bool fits = !pin.found || pin.ca;
	for (size_t i = 0; i < pin.n; i++)
		fits |= pin.threshold == 1 && mf_digest_eq(&pin.fingerprints[i], root_fp);
	if (fits)
		return 0;
	(void)mf_fail(err, MF_E_PIN, 0,
		      "the pin '%s' on this machine would refuse a repository of '%s' with the root key on "
		      "this machine",
		      pin.pattern, t->pin_name);
	mf_err_set_hint(err, "a holder of the pinned root key must initialise it");
	return -1;
}

/* ---- the intent */

struct first {
	const struct mf_publish_spare *spare;
	struct mf_publish_made *made;
	struct plan plan;
	struct mf_buf root;
	struct mf_str root_text;
};

static int plan_keys(struct mf_trust *t, struct first *f, struct mf_err *err)
{
	struct plan *p = &f->plan;
	int rc = mf_publish_has_server(t) ? plan_notary(t, p, f->made, err) : plan_tuf1(t, p, f->made, err);
	return rc < 0 || check_prefix_pin(t, &p->root_fp, err) < 0 ? -1 : plan_spare(t, p, f->spare, err);
}

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct first *f = arg;
	struct plan *p = &f->plan;
	plan_clear(p);
	mf_buf_clear(&f->root);
	*out = (struct mf_publish_change){.role = "targets"};
	if (t->set.root && f->spare) {
		(void)mf_fail(err, MF_E_CONFLICT, 0,
			      "an earlier first publish of '%s' was stopped: its root has no spare key",
			      t->pin_name);
		mf_err_set_hint(err,
				"finish it with 'manifesto trust init', then add one with 'manifesto trust "
				"rotate REPOSITORY root --keep-old'");
		return MF_FAILED;
	}
	if (t->set.root) /* the root of a first publish that was interrupted */
		return MF_FOUND;
	if (plan_keys(t, f, err) < 0)
		return MF_FAILED;
	const struct mf_tuf_root_spec spec = {.keys = p->v,
					      .nkeys = p->n,
					      .version = 1,
					      .expires = mf_publish_expiry(t, MF_TUF_ROOT),
					      .threshold = f->spare ? f->spare->threshold : 1};
	if (mf_tuf_build_root(t->repo->ops->dialect, &spec, &f->root, err) < 0)
		return MF_FAILED;
	f->root_text = mf_buf_str(&f->root);
	out->root = &f->root_text;
	return MF_FOUND;
}

int mf_publish_first(struct mf_trust *t, const struct mf_publish_spare *spare, struct mf_publish_made *made,
		     struct mf_err *err)
{
	struct first f = {.spare = spare, .made = made, .root = MF_BUF_INIT(MF_MAX_ROOT_BYTES)};
	const struct mf_publish_intent in = {
	    .kind = MF_PUBLISH_FIRST, .prefix = MF_STR(""), .fill = fill, .arg = &f};
	int64_t version;
	if (mf_trust_check_writable(t, err) < 0)
		return -1;
	enum mf_found found = mf_publish_run(t, &in, &version, err);
	plan_clear(&f.plan);
	mf_buf_clear(&f.root);
	return found == MF_FAILED ? -1 : 0;
}
