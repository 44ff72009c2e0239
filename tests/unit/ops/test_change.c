/* sign, remove and withdraw over an OCI image layout: two roles for the type "qa", three keys. */
#include "world.h"

#include "crypto/secret.h"
#include "record/record.h"
#include "trust/load.h"
#include "../publish/change.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- the repository from inside */

struct inside {
	struct mf_env env;
	struct mf_trust *t;
	struct mf_trust_config cfg;
};

static int64_t inside_now(void *arg)
{
	return ((struct world *)arg)->now;
}

static int no_passphrase(void *arg, const char *name, enum mf_passphrase_for purpose, struct mf_secret *out,
			 struct mf_err *err)
{
	(void)arg;
	(void)purpose;
	(void)out;
	return mf_fail(err, MF_E_KEY, 0, "no passphrase for '%s'", name);
}

static void inside_open(struct inside *in, struct world *w)
{
	static const struct mf_passphrase pass = {no_passphrase, NULL, true};
	struct mf_err err = MF_ERR_INIT;
	char pin_name[600], *real = realpath(w->layout, NULL);
	char *keys MF_FREE = mf_path_join(w->home, "keys", NULL),
		   *dir MF_FREE = mf_path_join(w->layout, "trust", NULL);
	*in = (struct inside){.t = NULL};
	mf_env_init(&in->env);
	in->env.now = inside_now;
	in->env.now_arg = w;
	in->env.deadline_ms = mf_monotonic_ms() + 20000;
	(void)snprintf(pin_name, sizeof pin_name, "oci:%s", real);
	free(real);
	in->cfg = (struct mf_trust_config){.home = w->home,
					   .env = &in->env,
					   .key_name = "alice",
					   .keys = mf_keystore_new(keys, &pass, &in->env, &err)};
	assert_non_null(in->cfg.keys);
	assert_int_equal(mf_trust_open(dir, "oci", pin_name, &in->cfg, &in->t, &err), 0);
}

static void inside_close(struct inside *in)
{
	mf_trust_close(in->t);
	mf_keystore_free(in->cfg.keys);
}

static void publish(struct inside *in, const struct mf_publish_change *c)
{
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	if (publish_change(in->t, *c, &version, &err) != MF_FOUND)
		fail_msg("%s", err.msg);
}

static char *entry_name(void)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf name = MF_BUF_INIT(512);
	struct mf_digest subject;
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR(MANIFEST)), &subject, &err), 0);
	assert_int_equal(mf_record_name(&name, MF_STR("qa"), &subject, &err), 0);
	return mf_buf_take(&name);
}

static void publish_entry(struct world *w, const char *role, const char *entry)
{
	struct inside in;
	char *name MF_FREE = entry_name();
	struct mf_tuf_edit edit = {mf_str_c(name), mf_str_c(entry)};
	inside_open(&in, w);
	publish(&in, &(struct mf_publish_change){.role = role, .edits = &edit, .nedits = 1});
	inside_close(&in);
}

/* The entry as it is published, canonical; NULL: none. */
static char *entry_in(struct world *w, const char *role)
{
	struct inside in;
	struct mf_err err = MF_ERR_INIT;
	char *name MF_FREE = entry_name();
	struct mf_buf b = MF_BUF_INIT(1 << 20);
	inside_open(&in, w);
	assert_int_equal(mf_trust_load(in.t, &(struct mf_load){0}, &err), 0);
	const struct mf_tuf_loaded *l = mf_tuf_set_find(mf_trust_set(in.t), role);
	ptrdiff_t at = l ? mf_tuf_target_find(l->file, mf_str_c(name)) : -1;
	if (at >= 0)
		assert_int_equal(mf_json_canonicalize(mf_tuf_target_value(l->file, (size_t)at), &b, &err), 0);
	inside_close(&in);
	return at >= 0 ? mf_buf_take(&b) : NULL;
}

/* ---- two teams */

static void make_key(struct world *w, const char *name)
{
	struct manifesto_error err;
	const struct manifesto_key_result *r = NULL;
	assert_int_equal(manifesto_key_generate(w->m, name, NULL, &r, &err), 0);
	manifesto_result_free(r);
}

#define TEAM_MAX 3

static void make_team(struct inside *in, struct mf_tuf_delegation *out, struct mf_tuf_root_key *keys,
		      struct mf_buf *objects, char ids[][65], const char *const *names)
{
	struct mf_err err = MF_ERR_INIT;
	for (size_t i = 0; names[i]; i++) {
		struct mf_signer s;
		const struct mf_key_info *all;
		size_t n;
		assert_int_equal(mf_keystore_list(in->cfg.keys, &all, &n, &err), 0);
		for (size_t k = 0; k < n; k++)
			if (strcmp(all[k].name, names[i]) == 0)
				assert_int_equal(mf_keystore_signer(in->cfg.keys, &all[k], &s, &err), 0);
		mf_buf_init(&objects[i], 4096);
		assert_int_equal(mf_dialect_tuf1.key_write(s.pub, NULL, &objects[i], ids[i], &err), 0);
		keys[i] = (struct mf_tuf_root_key){.object = mf_buf_str(&objects[i]), .id = ids[i]};
		out->nkeys = i + 1;
	}
	out->keys = keys;
	out->threshold = 1;
}

/* qa: alice and bob; security: carol. All keys are in one home. */
static void teams_make(struct world *w, void **state)
{
	static const char *const qa[] = {"alice", "bob", NULL}, *const security[] = {"carol", NULL},
				 *const paths[] = {"qa/*"};
	struct manifesto_error e;
	const struct manifesto_trust_result *trust = NULL;
	struct mf_err err = MF_ERR_INIT;
	struct inside in;
	world_make(w, state);
	assert_int_equal(manifesto_trust_init(w->m, w->image, &trust, &e), 0);
	manifesto_result_free(trust);
	make_key(w, "bob");
	make_key(w, "carol");
	struct mf_tuf_delegation d[2] = {{.name = "qa", .paths = paths, .npaths = 1},
					 {.name = "security", .paths = paths, .npaths = 1}};
	struct mf_tuf_root_key keys[2][TEAM_MAX];
	struct mf_buf objects[2][TEAM_MAX], text = MF_BUF_INIT(1 << 16);
	char ids[2][TEAM_MAX][65];
	inside_open(&in, w);
	make_team(&in, &d[0], keys[0], objects[0], ids[0], qa);
	make_team(&in, &d[1], keys[1], objects[1], ids[1], security);
	assert_int_equal(mf_tuf_build_delegations(&mf_dialect_tuf1, MF_STR(""), d, 2, &text, &err), 0);
	struct mf_str delegations = mf_buf_str(&text);
	publish(&in, &(struct mf_publish_change){.role = "targets", .delegations = &delegations});
	inside_close(&in);
	mf_buf_clear(&text);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < d[i].nkeys; k++)
			mf_buf_clear(&objects[i][k]);
	open_as(w, "home", "alice");
}

/* ---- the operations, as a key of a role */

struct changed {
	int status, unchanged, veto;
	size_t signers, withdrew, items;
	int64_t version;
	char code[32], digest[80], state[16], message[1600], warning[400];
};

static struct changed finish(int rc, const struct manifesto_change_result *r,
			     const struct manifesto_error *err)
{
	struct changed c = {.status = rc < 0 ? err->status : 0};
	if (rc < 0) {
		(void)snprintf(c.code, sizeof c.code, "%s", err->code);
		(void)snprintf(c.message, sizeof c.message, "%s; %s", err->message, err->hint);
		return c;
	}
	c.items = r->nitems;
	c.unchanged = r->items[0]->unchanged;
	c.veto = r->items[0]->veto;
	c.signers = r->items[0]->record->nsigners;
	c.withdrew = r->items[0]->record->nwithdrew;
	c.version = r->version;
	(void)snprintf(c.digest, sizeof c.digest, "%s", r->items[0]->record->digest);
	(void)snprintf(c.state, sizeof c.state, "%s", r->items[0]->record->state);
	if (r->nwarnings)
		(void)snprintf(c.warning, sizeof c.warning, "%s", r->warnings[0]);
	manifesto_result_free(r);
	return c;
}

static struct manifesto_change_options sign_of(const struct world *w, const char *role, const char *key)
{
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	o.image = w->image;
	o.type = "qa";
	o.role = role;
	o.key = key;
	return o;
}

static struct changed sign_with(struct world *w, const struct manifesto_change_options *o)
{
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	if (o->key)
		open_as(w, "home", o->key);
	int rc = manifesto_sign(w->m, o, &r, &err);
	return finish(rc, r, &err);
}

static struct changed sign(struct world *w, const char *role, const char *key)
{
	struct manifesto_change_options o = sign_of(w, role, key);
	return sign_with(w, &o);
}

static struct changed withdraw(struct world *w, const char *role, const char *key, const char *reason)
{
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	o.image = w->image;
	o.type = "qa";
	o.role = role;
	o.key = key;
	o.reason = reason;
	open_as(w, "home", key);
	int rc = manifesto_withdraw(w->m, &o, &r, &err);
	return finish(rc, r, &err);
}

static struct changed remove_with(struct world *w, const char *role, const char *key, bool reinstate)
{
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	o.image = w->image;
	o.type = "qa";
	o.role = role;
	o.key = key;
	o.reinstate = reinstate;
	open_as(w, "home", key);
	int rc = manifesto_remove(w->m, &o, &r, &err);
	return finish(rc, r, &err);
}

static struct changed put_with(struct world *w, const char *role, const char *key, const char *text,
			       bool reinstate)
{
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	struct manifesto_change_options o = put_of(w, text);
	struct changed c = {0};
	o.role = role;
	o.key = key;
	o.reinstate = reinstate;
	open_as(w, "home", key);
	if (manifesto_put(w->m, &o, &r, &err) < 0)
		return finish(-1, NULL, &err);
	c.unchanged = r->items[0]->unchanged;
	c.signers = (size_t)r->items[0]->signature_added; /* whether ours was added to others' */
	c.version = r->version;
	if (r->nwarnings)
		(void)snprintf(c.warning, sizeof c.warning, "%s", r->warnings[0]);
	manifesto_result_free(r);
	return c;
}

static bool ends_with_one_more_signature(const char *before, const char *after)
{
	/* All up to the end of the array, then an element more, then all behind it. */
	const char *sigs = strstr(before, "\"sigs\":["), *end = sigs ? strchr(sigs, ']') : NULL;
	if (!end)
		return false;
	size_t head = (size_t)(end - before), tail = strlen(end), n = strlen(after);
	return n > head + tail && memcmp(before, after, head) == 0 &&
	       memcmp(after + head, ",{\"fp\":", 7) == 0 && strcmp(after + n - tail, end) == 0;
}

/* ---- sign */

static void signature_is_added_and_nothing_else_changes(void **state)
{
	struct world w;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	char *before MF_FREE = entry_in(&w, "qa");
	w.now += 100;
	struct changed c = sign(&w, "qa", "bob");
	assert_int_equal(c.status, 0);
	assert_false(c.unchanged);
	assert_int_equal(c.signers, 2);
	assert_string_equal(c.state, "current");
	char *after MF_FREE = entry_in(&w, "qa");
	assert_true(ends_with_one_more_signature(before, after));
	assert_int_equal(get(&w, "yes"), 0);
	/* The second time nothing is published. */
	struct changed again = sign(&w, "qa", "bob");
	assert_int_equal(again.status, 0);
	assert_true(again.unchanged);
	assert_int_equal(again.signers, 2);
	assert_int_equal(again.version, c.version);
	world_drop(&w);
}

static void members_of_others_stay_under_a_signature(void **state)
{
	struct world w;
	struct mf_digest d;
	struct mf_err err = MF_ERR_INIT;
	char entry[600], hex[65];
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR("yes")), &d, &err), 0);
	mf_digest_hex(hex, &d);
	(void)snprintf(
	    entry, sizeof entry,
	    "{\"custom\":{\"manifesto\":{\"created\":\"2026-01-02T03:04:05Z\",\"later\":{\"a\":[1,null,"
	    "\"\xc3\xbc\"]},\"sigs\":[],\"v\":1},\"other\":[true]},\"hashes\":{\"sha256\":\"%s\"},"
	    "\"length\":3,\"unknown\":{}}",
	    hex);
	publish_entry(&w, "qa", entry);
	struct changed c = sign(&w, "qa", "bob");
	assert_int_equal(c.status, 0);
	assert_int_equal(c.signers, 1);
	assert_string_equal(c.state, "current");
	char *after MF_FREE = entry_in(&w, "qa");
	const char *sigs = strstr(after, "\"sigs\":[{"), *end = strchr(sigs, ']');
	char *without = NULL;
	assert_true(asprintf(&without, "%.*s%s", (int)(sigs - after) + 8, after, end) > 0);
	assert_string_equal(without, entry);
	free(without);
	/* It is over what we do not know, too. */
	assert_int_equal(sign(&w, "qa", "alice").signers, 2);
	world_drop(&w);
}

static void what_cannot_be_signed_is_refused(void **state)
{
	struct world w;
	struct mf_digest d;
	struct mf_err err = MF_ERR_INIT;
	char entry[300], hex[65], blob[300], target[300], *name MF_FREE = entry_name();
	teams_make(&w, state);
	assert_int_equal(sign(&w, "qa", "bob").status, MANIFESTO_NOT_FOUND);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(sign(&w, "security", "carol").status, MANIFESTO_NOT_FOUND);
	assert_int_equal(sign(&w, "qa", "carol").status, MANIFESTO_KEY);
	assert_int_equal(sign(&w, "nobody", "carol").status, MANIFESTO_USAGE);
	/* An entry of another program. */
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR("yes")), &d, &err), 0);
	mf_digest_hex(hex, &d);
	(void)snprintf(entry, sizeof entry, "{\"hashes\":{\"sha256\":\"%s\"},\"length\":3}", hex);
	publish_entry(&w, "qa", entry);
	struct changed c = sign(&w, "qa", "bob");
	assert_int_equal(c.status, MANIFESTO_POLICY);
	assert_non_null(strstr(c.message, "manifesto put"));
	char *after MF_FREE = entry_in(&w, "qa");
	assert_string_equal(after, entry);
	/* Content that is gone. */
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	(void)snprintf(blob, sizeof blob, "%s/blobs/sha256/%s", w.layout, hex);
	(void)snprintf(target, sizeof target, "%s/trust/targets/qa/%s.%s", w.layout, hex, name + 3);
	assert_int_equal(unlink(blob), 0);
	assert_int_equal(unlink(target), 0);
	assert_int_equal(sign(&w, "qa", "bob").status, MANIFESTO_CONTENT_GONE);
	world_drop(&w);
}

static void expired_and_withdrawn_records_are_not_signed(void **state)
{
	struct world w;
	teams_make(&w, state);
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	struct manifesto_change_options o = put_of(&w, "yes");
	o.role = "qa";
	o.expires = w.now + 10;
	assert_int_equal(manifesto_put(w.m, &o, &r, &err), 0);
	manifesto_result_free(r);
	w.now += 10;
	struct changed c = sign(&w, "qa", "bob");
	assert_int_equal(c.status, MANIFESTO_POLICY);
	assert_string_equal(c.code, "record_expired");
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(withdraw(&w, "qa", "alice", "own").status, 0);
	assert_string_equal(sign(&w, "qa", "bob").code, "withdrawn");
	assert_int_equal(put_with(&w, "qa", "alice", "yes", true).status, 0);
	assert_int_equal(withdraw(&w, "security", "carol", "no").status, 0);
	c = sign(&w, "qa", "bob");
	assert_string_equal(c.code, "withdrawn");
	assert_non_null(strstr(c.message, "security"));
	assert_int_equal(withdraw(&w, "qa", "alice", "neither").status, 0);
	assert_string_equal(sign(&w, "qa", "bob").code, "withdrawn");
	world_drop(&w);
}

/* What happens while a person reads. */
struct reader {
	struct world *w, other;
	int (*meanwhile)(struct reader *r);
	size_t records, signers;
	char key[40], others[200]; /* a line each */
	int answer, rc;
};

static int confirm(void *arg, const struct manifesto_record *const *records, size_t n,
		   const struct manifesto_signer *key)
{
	struct reader *r = arg;
	r->records += n;
	r->signers = records[0]->nsigners;
	(void)snprintf(r->key, sizeof r->key, "%s", key->name ? key->name : "");
	for (size_t i = 0, at = 0; i < records[0]->nothers; i++, at = strlen(r->others))
		(void)snprintf(r->others + at, sizeof r->others - at, "%s\n", records[0]->others[i]);
	if (r->meanwhile) {
		r->other = *r->w;
		r->other.m = NULL;
		r->other.home = NULL;
		r->rc = r->meanwhile(r);
		manifesto_free(r->other.m);
		free(r->other.home);
	}
	return r->answer;
}

static int another_record(struct reader *r)
{
	return put_with(&r->other, "qa", "alice", "another", false).status;
}

static int another_signature(struct reader *r)
{
	return sign(&r->other, "qa", "alice").status;
}

static int veto(struct reader *r)
{
	return withdraw(&r->other, "security", "carol", "no").status;
}

static int removal(struct reader *r)
{
	return remove_with(&r->other, "qa", "alice", false).status;
}

static struct changed sign_asked(struct world *w, struct reader *r, const char *key)
{
	struct manifesto_change_options o = sign_of(w, "qa", key);
	r->w = w;
	o.confirm = confirm;
	o.confirm_arg = r;
	return sign_with(w, &o);
}

static void record_is_shown_with_its_signers_and_no_means_no(void **state)
{
	struct world w;
	struct reader r = {.answer = 0};
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	char *before MF_FREE = entry_in(&w, "qa");
	struct changed c = sign_asked(&w, &r, "bob");
	assert_int_equal(c.status, MANIFESTO_UNEXPECTED);
	assert_string_equal(c.code, "cancelled");
	assert_int_equal(r.records, 1);
	assert_int_equal(r.signers, 1);
	assert_string_equal(r.key, "bob");
	char *after MF_FREE = entry_in(&w, "qa");
	assert_string_equal(after, before);
	/* Who has signed is not asked. */
	r = (struct reader){.answer = 0};
	c = sign_asked(&w, &r, "alice");
	assert_int_equal(c.status, 0);
	assert_true(c.unchanged);
	assert_int_equal(r.records, 0);
	world_drop(&w);
}

static void what_was_shown_is_signed_or_nothing(void **state)
{
	static const struct {
		int (*meanwhile)(struct reader *r);
		int status;
		size_t signers;
	} rows[] = {{another_record, MANIFESTO_CONFLICT, 0},
		    {removal, MANIFESTO_CONFLICT, 0},
		    {veto, MANIFESTO_POLICY, 0},
		    {another_signature, 0, 2}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w;
		void *dir;
		assert_int_equal(tmpdir_make(&dir), 0);
		teams_make(&w, &dir);
		assert_int_equal(put_with(&w, "qa", "bob", "yes", false).status, 0);
		/* bob's own signature is not there any more: he re-signs below, beside alice's. */
		char *entry MF_FREE = entry_in(&w, "qa");
		char *sigs = strstr(entry, "\"sigs\":["), *end = strchr(sigs, ']');
		memmove(sigs + 8, end, strlen(end) + 1);
		publish_entry(&w, "qa", entry);
		struct reader r = {.answer = 1, .meanwhile = rows[i].meanwhile};
		struct changed c = sign_asked(&w, &r, "bob");
		assert_int_equal(r.rc, 0);
		assert_int_equal(c.status, rows[i].status);
		assert_int_equal(c.signers, rows[i].signers);
		char *after MF_FREE = entry_in(&w, "qa");
		if (rows[i].meanwhile == another_record)
			assert_null(strstr(after, "},{\"fp\""));
		if (rows[i].meanwhile == removal)
			assert_null(after);
		world_drop(&w);
		assert_int_equal(tmpdir_drop(&dir), 0);
	}
	(void)state;
}

/* The record of "yes" in qa with these members, as any program with alice's key can publish it. */
static void publish_description(struct world *w, const char *members)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 16);
	char hex[65];
	assert_int_equal(put_with(w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR("yes")), &d, &err), 0);
	mf_digest_hex(hex, &d);
	assert_int_equal(
	    mf_buf_printf(&b, &err,
			  "{\"custom\":{\"manifesto\":{%s,\"v\":1}},\"hashes\":{\"sha256\":\"%s\"},"
			  "\"length\":3}",
			  members, hex),
	    0);
	publish_entry(w, "qa", b.p);
}

static void members_without_a_line_of_their_own_are_shown(void **state)
{
	struct world w;
	struct reader r = {.answer = 1};
	teams_make(&w, state);
	publish_description(&w, "\"artifact\":\"sha256:"
				"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
				"\"author\":\"x\",\"crit\":[\"author\"],\"future\":{\"a\":[1]}");
	assert_int_equal(sign_asked(&w, &r, "bob").status, 0);
	assert_string_equal(r.others, "artifact=\"sha256:"
				      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n"
				      "crit=[\"author\"]\nfuture={\"a\":[1]}\n");
	world_drop(&w);
}

static void what_cannot_be_shown_as_it_is_is_not_signed(void **state)
{
	static const struct {
		const char *members;
		int status;
	} rows[] = {
	    {"\"annotations\":{\"%41\":\"1\",\"A\":\"2\"}", MANIFESTO_POLICY},
	    {"\"annotations\":{\"a=b\":\"c\"}", MANIFESTO_POLICY},
	    {"\"annotations\":{\"a%3Db\":\"c\"}", MANIFESTO_POLICY},
	    {"\"annotations\":[\"a=b\"]", MANIFESTO_INVALID},
	    {"\"annotations\":{\"a\":\"b=c\",\"b\":\"c\"}", 0},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w;
		struct reader r = {.answer = 1};
		void *dir;
		assert_int_equal(tmpdir_make(&dir), 0);
		teams_make(&w, &dir);
		publish_description(&w, rows[i].members);
		assert_int_equal(sign_asked(&w, &r, "bob").status, rows[i].status);
		assert_int_equal(r.records, rows[i].status ? 0 : 1);
		world_drop(&w);
		assert_int_equal(tmpdir_drop(&dir), 0);
	}
	(void)state;
}

static void record_that_expires_at_the_epoch_has_expired(void **state)
{
	struct world w;
	struct manifesto_error err;
	const struct manifesto_list_result *l = NULL;
	struct manifesto_list_options o = MANIFESTO_INIT(manifesto_list_options);
	teams_make(&w, state);
	publish_description(&w, "\"expires\":\"1970-01-01T00:00:00Z\"");
	assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
	assert_int_equal(sign(&w, "qa", "bob").status, MANIFESTO_POLICY);
	o.image = w.image;
	assert_int_equal(manifesto_list(w.m, &o, &l, &err), 0);
	assert_true(l->records[0]->has_expires);
	assert_string_equal(l->records[0]->state, "expired");
	manifesto_result_free(l);
	world_drop(&w);
}

struct taken {
	size_t parts, records, last; /* how many are taken */
};

static int take_part(void *arg, const struct manifesto_list_result *part)
{
	struct taken *t = arg;
	t->records += part->nrecords;
	for (size_t i = 0; i < part->nsubjects; i++)
		assert_true(part->subjects[i]->first + part->subjects[i]->nrecords <= part->nrecords);
	return ++t->parts < t->last ? 0 : -1;
}

static void list_hands_out_parts_until_it_is_stopped(void **state)
{
	struct world w;
	struct manifesto_error err;
	const struct manifesto_list_result *l = NULL;
	struct manifesto_list_options o = MANIFESTO_INIT(manifesto_list_options);
	struct taken all = {.last = SIZE_MAX}, none = {.last = 1};
	char repository[512];
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "bob", "yes", false).status, 0);
	(void)snprintf(repository, sizeof repository, "%.*s", (int)(strrchr(w.image, ':') - w.image),
		       w.image);
	o.image = repository;
	o.part = take_part;
	o.part_arg = &all;
	assert_int_equal(manifesto_list(w.m, &o, &l, &err), -1); /* of one image there are no parts */
	assert_int_equal(err.status, MANIFESTO_USAGE);
	o.all = 1;
	assert_int_equal(manifesto_list(w.m, &o, &l, &err), 0);
	assert_true(all.parts == 1 && all.records > 0);
	assert_true(l->nrecords == 0 && l->nsubjects == 0);
	assert_string_equal(l->image, repository);
	manifesto_result_free(l);
	o.part_arg = &none;
	assert_int_equal(manifesto_list(w.m, &o, &l, &err), -1);
	assert_string_equal(err.code, "io");
	assert_int_equal(none.parts, 1);
	world_drop(&w);
}

static void key_under_two_names_signs_under_either(void **state)
{
	struct world w;
	struct manifesto_error err;
	struct manifesto_key_export_options o = MANIFESTO_INIT(manifesto_key_export_options);
	const struct manifesto_key_export_result *exported = NULL;
	const struct manifesto_key_result *imported = NULL;
	teams_make(&w, state);
	o.name = "bob";
	o.role = "delegation";
	o.directory = w.cache;
	assert_int_equal(manifesto_key_export(w.m, &o, &exported, &err), 0);
	assert_int_equal(manifesto_key_import(w.m, "copy", exported->path, &imported, &err), 0);
	manifesto_result_free(exported);
	manifesto_result_free(imported);
	assert_int_equal(put_with(&w, "qa", "bob", "yes", false).status, 0);
	assert_int_equal(put_with(&w, "qa", "copy", "no", false).status, 0);
	assert_int_equal(get(&w, "no"), 0);
	world_drop(&w);
}

static void sixty_fifth_signature_is_refused(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 16);
	char hex[65];
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR("yes")), &d, &err), 0);
	mf_digest_hex(hex, &d);
	assert_int_equal(mf_buf_addz(&b, "{\"custom\":{\"manifesto\":{\"sigs\":[", &err), 0);
	for (unsigned i = 0; i < MF_MAX_SIGNATURES; i++)
		assert_int_equal(
		    mf_buf_printf(&b, &err, "%s{\"fp\":\"%064u\",\"sig\":\"AAAA\"}", i ? "," : "", i), 0);
	assert_int_equal(
	    mf_buf_printf(&b, &err, "],\"v\":1}},\"hashes\":{\"sha256\":\"%s\"},\"length\":3}", hex), 0);
	publish_entry(&w, "qa", b.p);
	struct changed c = sign(&w, "qa", "bob");
	assert_int_equal(c.status, MANIFESTO_USAGE);
	assert_non_null(strstr(c.message, "64 signatures"));
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

/* ---- put over what others signed */

static void put_of_the_same_record_adds_a_signature(void **state)
{
	struct world w;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	char *before MF_FREE = entry_in(&w, "qa");
	w.now += 100;
	struct changed c = put_with(&w, "qa", "bob", "yes", false);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.signers, 1);
	assert_false(c.unchanged);
	assert_string_equal(c.warning, "");
	char *after MF_FREE = entry_in(&w, "qa");
	assert_true(ends_with_one_more_signature(before, after));
	assert_true(put_with(&w, "qa", "alice", "yes", false).unchanged);
	/* Other content is another record: theirs stays out of it. */
	c = put_with(&w, "qa", "bob", "no", false);
	assert_int_equal(c.signers, 0);
	assert_string_equal(c.warning, "");
	world_drop(&w);
}

static void put_of_another_description_says_whose_signatures_are_gone(void **state)
{
	struct world w;
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	struct manifesto_change_options o = put_of(&w, "yes");
	o.role = "qa";
	o.author = "Bob";
	open_as(&w, "home", "bob");
	assert_int_equal(manifesto_put(w.m, &o, &r, &err), 0);
	assert_int_equal(r->nwarnings, 1);
	assert_non_null(strstr(r->warnings[0], "1 signature of others"));
	manifesto_result_free(r);
	/* One's own is no loss. */
	o.author = "Robert";
	assert_int_equal(manifesto_put(w.m, &o, &r, &err), 0);
	assert_int_equal(r->nwarnings, 0);
	manifesto_result_free(r);
	world_drop(&w);
}

/* ---- remove */

static void removed_record_was_never_there(void **state)
{
	struct world w;
	teams_make(&w, state);
	assert_int_equal(remove_with(&w, "qa", "alice", false).status, MANIFESTO_NOT_FOUND);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(remove_with(&w, "security", "carol", false).status, MANIFESTO_NOT_FOUND);
	assert_int_equal(remove_with(&w, "qa", "carol", false).status, MANIFESTO_KEY);
	assert_int_equal(get(&w, "yes"), 0);
	struct changed c = remove_with(&w, "qa", "bob", false);
	assert_int_equal(c.status, 0);
	assert_int_equal(c.signers, 1);
	assert_string_equal(c.state, "current");
	assert_int_equal(get(&w, NULL), MANIFESTO_NOT_FOUND);
	assert_null(entry_in(&w, "qa"));
	world_drop(&w);
}

static void role_that_has_the_record_is_meant(void **state)
{
	struct world w;
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	teams_make(&w, state);
	o.image = w.image;
	o.type = "qa";
	/* All keys are here: without a record none is the right one. */
	assert_int_equal(manifesto_remove(w.m, &o, &r, &err), -1);
	assert_int_equal(err.status, MANIFESTO_NOT_FOUND);
	assert_int_equal(put_with(&w, "security", "carol", "yes", false).status, 0);
	assert_int_equal(manifesto_remove(w.m, &o, &r, &err), 0);
	assert_string_equal(r->role, "security");
	manifesto_result_free(r);
	assert_int_equal(put_with(&w, "security", "carol", "yes", false).status, 0);
	assert_int_equal(put_with(&w, "qa", "bob", "yes", false).status, 0);
	assert_int_equal(manifesto_remove(w.m, &o, &r, &err), -1);
	assert_string_equal(err.code, "ambiguous");
	world_drop(&w);
}

/* Another home has other locks: like another machine. */
static struct world rival;
static int rival_status, rival_calls;

static int rival_puts(struct world *w)
{
	if (rival_calls++)
		return 0;
	rival = *w;
	rival.m = NULL;
	rival.home = NULL;
	rival.meanwhile = NULL;
	struct manifesto_error err;
	struct manifesto_options o = MANIFESTO_INIT(manifesto_options);
	char *home MF_FREE = mf_path_join(w->dir, "rival", NULL), *link MF_FREE = NULL;
	char *keys MF_FREE = mf_path_join(w->home, "keys", NULL);
	assert_true(asprintf(&link, "%s/keys", home) > 0);
	(void)mkdir(home, 0700);
	(void)!symlink(keys, link);
	o.home = home;
	o.cache_dir = w->cache;
	o.default_key_name = "alice";
	o.now = world_now;
	o.now_arg = w;
	o.tofu = 1;
	assert_int_equal(manifesto_new(&o, &rival.m, &err), 0);
	struct manifesto_change_options p = put_of(&rival, "another");
	p.role = "qa";
	const struct manifesto_change_result *r = NULL;
	rival_status = manifesto_put(rival.m, &p, &r, &err) < 0 ? err.status : 0;
	if (rival_status)
		print_message("rival: %s\n", err.message);
	manifesto_result_free(r);
	manifesto_free(rival.m);
	return 0;
}

static void record_that_changed_meanwhile_is_not_removed_or_withdrawn(void **state)
{
	struct world w;
	teams_make(&w, state);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
		w.meanwhile = rival_puts;
		rival_calls = 0;
		rival_status = -1;
		struct changed c = i ? withdraw(&w, "qa", "bob", "no") : remove_with(&w, "qa", "bob", false);
		w.meanwhile = NULL;
		assert_int_equal(rival_status, 0);
		assert_int_equal(c.status, MANIFESTO_CONFLICT);
		assert_int_equal(get(&w, "another"), 0);
	}
	world_drop(&w);
}

/* ---- withdraw */

static struct manifesto_record listed(struct world *w, const struct manifesto_list_result **r)
{
	struct manifesto_error err;
	struct manifesto_list_options o = MANIFESTO_INIT(manifesto_list_options);
	o.image = w->image;
	assert_int_equal(manifesto_list(w->m, &o, r, &err), 0);
	assert_int_equal((*r)->nrecords, 1);
	return *(*r)->records[0];
}

static void withdrawal_says_what_by_whom_why_and_when(void **state)
{
	struct world w;
	struct mf_digest d;
	struct mf_err err = MF_ERR_INIT;
	char yes[80], expected[1200];
	const struct manifesto_list_result *l = NULL;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR("yes")), &d, &err), 0);
	mf_digest_format(yes, &d);
	struct changed c = withdraw(&w, "qa", "bob", "CVE <1>");
	assert_int_equal(c.status, 0);
	assert_false(c.veto);
	assert_int_equal(c.withdrew, 1);
	assert_string_equal(c.state, "withdrawn");
	assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
	struct manifesto_record r = listed(&w, &l);
	assert_string_equal(r.state, "withdrawn");
	assert_string_equal(r.reason, "CVE <1>");
	assert_string_equal(r.role, "qa");
	assert_string_equal(r.media_type, "application/vnd.manifesto.withdrawn.v1+json");
	assert_string_equal(r.digest, c.digest);
	assert_string_not_equal(r.digest, yes);
	assert_int_equal(r.created, w.now);
	assert_int_equal(r.nsigners, 1);
	assert_string_equal(r.signers[0]->name, "bob");
	assert_int_equal(r.nwithdrew, 1);
	assert_string_equal(r.withdrew[0], yes);
	/* The document, as docs/record-format.md has it. */
	char *path = NULL;
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	assert_true(asprintf(&path, "%s/blobs/sha256/%s", w.layout, r.digest + 7) > 0);
	assert_int_equal(mf_file_read(path, 4096, &doc, &err), 0);
	(void)snprintf(expected, sizeof expected,
		       "{\"reason\":\"CVE %%3C1%%3E\",\"role\":\"qa\",\"signer\":\"%s\",\"subject\":\"%s\","
		       "\"type\":\"qa\",\"v\":1,\"when\":\"2027-01-15T08:00:00Z\",\"withdrawn\":[\"%s\"]}",
		       r.signers[0]->fingerprint, r.subject, yes);
	assert_string_equal(mf_buf_str(&doc).p, expected);
	free(path);
	manifesto_result_free(l);
	world_drop(&w);
}

static void withdrawing_twice_changes_nothing_but_for_another_reason(void **state)
{
	struct world w;
	teams_make(&w, state);
	assert_int_equal(withdraw(&w, "qa", "bob", "x").status, MANIFESTO_NOT_FOUND);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(withdraw(&w, "qa", "bob", NULL).status, MANIFESTO_USAGE);
	assert_int_equal(withdraw(&w, "qa", "bob", " \n").status, MANIFESTO_USAGE);
	assert_int_equal(get(&w, "yes"), 0);
	struct changed c = withdraw(&w, "qa", "bob", "one"), again = withdraw(&w, "qa", "bob", "one");
	assert_int_equal(again.status, 0);
	assert_true(again.unchanged);
	assert_int_equal(again.version, c.version);
	assert_int_equal(again.withdrew, 1);
	/* Also of a colleague. */
	assert_true(withdraw(&w, "qa", "alice", "one").unchanged);
	again = withdraw(&w, "qa", "bob", "two");
	assert_int_equal(again.status, 0);
	assert_false(again.unchanged);
	assert_int_equal(again.version, c.version + 1);
	assert_int_equal(again.withdrew, 1); /* still the content, not the first tombstone */
	assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
	world_drop(&w);
}

static void role_without_the_record_can_veto_and_only_it_lifts_that(void **state)
{
	struct world w;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	struct changed c = withdraw(&w, "security", "carol", "CVE");
	assert_int_equal(c.status, 0);
	assert_true(c.veto);
	assert_int_equal(c.withdrew, 1);
	assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
	for (int reinstate = 0; reinstate < 2; reinstate++) {
		c = put_with(&w, "qa", "alice", "yes", reinstate);
		assert_string_equal(c.code, "withdrawn");
		assert_non_null(strstr(c.message, "only a key of role 'security'"));
	}
	c = remove_with(&w, "security", "carol", false);
	assert_string_equal(c.code, "withdrawn");
	assert_non_null(strstr(c.message, "rm --reinstate"));
	assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
	assert_int_equal(remove_with(&w, "security", "carol", true).status, 0);
	assert_int_equal(get(&w, "yes"), 0);
	/* A second time removes no record. */
	assert_int_equal(remove_with(&w, "qa", "alice", true).status, MANIFESTO_NOT_FOUND);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

static void two_roles_that_withdrew_each_lift_their_own(void **state)
{
	struct world w;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(withdraw(&w, "security", "carol", "CVE").status, 0);
	struct changed c = withdraw(&w, "qa", "bob", "bad");
	assert_int_equal(c.status, 0);
	assert_int_equal(c.withdrew, 1);
	assert_false(c.veto);
	c = put_with(&w, "qa", "alice", "yes", true);
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.warning, "withdrawn by 'security'"));
	assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
	c = put_with(&w, "security", "carol", "yes", true);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.warning, "");
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

static void index_of_a_layout_lists_the_withdrawal_and_keeps_a_removed_artifact(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_error e;
	const struct manifesto_change_result *r = NULL;
	teams_make(&w, state);
	char *path MF_FREE = mf_path_join(w.layout, "index.json", NULL);
	struct manifesto_change_options o = put_of(&w, "yes");
	o.role = "qa";
	o.link = 1;
	for (int i = 0; i < 2; i++) {
		struct mf_buf before MF_BUF_CLEANUP = MF_BUF_INIT(1 << 16),
				     after MF_BUF_CLEANUP = MF_BUF_INIT(1 << 16);
		open_as(&w, "home", "alice");
		assert_int_equal(manifesto_put(w.m, &o, &r, &e), 0);
		manifesto_result_free(r);
		assert_int_equal(mf_file_read(path, 1 << 16, &before, &err), 0);
		assert_non_null(strstr(before.p, "application/vnd.manifesto.qa"));
		struct changed c = i ? withdraw(&w, "qa", "bob", "no") : remove_with(&w, "qa", "bob", false);
		assert_int_equal(c.status, 0);
		assert_int_equal(mf_file_read(path, 1 << 16, &after, &err), 0);
		/* A withdrawal is no approval, for other tools either. */
		assert_int_equal(strstr(after.p, "application/vnd.manifesto.qa") != NULL, i == 0);
		assert_int_equal(strstr(after.p, MF_MT_WITHDRAWN) != NULL, i == 1);
		assert_int_equal(strcmp(before.p, after.p) == 0, i == 0);
		assert_int_equal(strstr(c.warning, "index.json") != NULL, i == 0);
	}
	world_drop(&w);
}

static void put_never_replaces_a_withdrawal_unasked(void **state)
{
	struct world w;
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(withdraw(&w, "qa", "bob", "bad").status, 0);
	struct manifesto_change_options o = put_of(&w, "yes");
	o.role = "qa";
	o.force = 1;
	assert_int_equal(manifesto_put(w.m, &o, &r, &err), -1);
	assert_int_equal(err.status, MANIFESTO_POLICY);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", true).status, 0);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

static void record_that_would_grow_too_large_is_not_signed(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 17);
	char hex[65];
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR("yes")), &d, &err), 0);
	mf_digest_hex(hex, &d);
	assert_int_equal(mf_buf_printf(&b, &err,
				       "{\"custom\":{\"manifesto\":{\"pad\":\"%0*d\",\"v\":1}},\"hashes\":{"
				       "\"sha256\":\"%s\"},\"length\":3}",
				       (int)MF_MAX_CUSTOM_BYTES - 100, 0, hex),
			 0);
	publish_entry(&w, "qa", b.p);
	assert_int_equal(get(&w, "yes"), 0);
	assert_int_equal(sign(&w, "qa", "bob").status, MANIFESTO_INVALID);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

static int thinks(struct reader *r)
{
	(void)r;
	return usleep(1200000);
}

static void time_to_read_is_not_the_operations(void **state)
{
	struct world w;
	struct reader r = {.answer = 1, .meanwhile = thinks};
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	w.timeout_ms = 1000;
	struct changed c = sign_asked(&w, &r, "bob");
	assert_int_equal(c.status, 0);
	assert_int_equal(c.signers, 2);
	world_drop(&w);
}

static void image_that_is_gone_keeps_no_record(void **state)
{
	struct world w;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest subject;
	char hex[65], path[300], *image = NULL;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR(MANIFEST)), &subject, &err), 0);
	mf_digest_hex(hex, &subject);
	(void)snprintf(path, sizeof path, "%s/blobs/sha256/%s", w.layout, hex);
	assert_int_equal(unlink(path), 0);
	assert_true(asprintf(&image, "oci:%s@sha256:%s", w.layout, hex) > 0);
	free(w.image);
	w.image = image;
	assert_int_equal(sign(&w, "qa", "bob").status, 0);
	assert_int_equal(withdraw(&w, "qa", "bob", "gone").status, 0);
	assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
	assert_int_equal(remove_with(&w, "qa", "bob", true).status, 0);
	assert_int_equal(get(&w, NULL), MANIFESTO_NOT_FOUND);
	world_drop(&w);
}

static void roles_without_authority_are_not_heard(void **state)
{
	struct world w;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "targets", "alice", "yes", false).status, 0);
	assert_int_equal(withdraw(&w, "security", "carol", "no").status, MANIFESTO_NOT_FOUND);
	assert_int_equal(withdraw(&w, "targets", "alice", "no").status, 0);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(get(&w, "yes"), 0);
	world_drop(&w);
}

static void withdrawal_without_a_role_is_that_of_the_role_with_the_record(void **state)
{
	struct world w;
	struct manifesto_error err;
	const struct manifesto_change_result *p = NULL;
	teams_make(&w, state);
	struct manifesto_change_options o = put_of(&w, "yes");
	o.role = "security";
	o.reason = "one";
	assert_int_equal(manifesto_put(w.m, &o, &p, &err), 0);
	manifesto_result_free(p);
	const struct manifesto_change_result *r = NULL;
	struct manifesto_change_options wo = MANIFESTO_INIT(manifesto_change_options);
	wo.image = w.image;
	wo.type = "qa";
	wo.reason = "one"; /* as the record has: it is no withdrawal */
	assert_int_equal(manifesto_withdraw(w.m, &wo, &r, &err), 0);
	assert_string_equal(r->role, "security");
	assert_false(r->items[0]->unchanged);
	manifesto_result_free(r);
	wo.author = "Ana";
	assert_int_equal(manifesto_withdraw(w.m, &wo, &r, &err), 0);
	assert_false(r->items[0]->unchanged);
	manifesto_result_free(r);
	wo.author = NULL; /* not said: whoever it was */
	assert_int_equal(manifesto_withdraw(w.m, &wo, &r, &err), 0);
	assert_true(r->items[0]->unchanged);
	assert_string_equal(r->items[0]->record->author, "Ana");
	manifesto_result_free(r);
	world_drop(&w);
}

/* A role lists another, with alice's key; its one record says nothing or withdraws. */
static void list_below(struct world *w, const char *delegator, const char *name, const char *path,
		       const char *entry)
{
	static const char *const alice[] = {"alice", NULL};
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_delegation d = {.name = name, .paths = &path, .npaths = 1};
	struct mf_tuf_root_key keys[TEAM_MAX];
	struct mf_buf objects[TEAM_MAX], text MF_BUF_CLEANUP = MF_BUF_INIT(1 << 16);
	char ids[TEAM_MAX][65];
	struct inside in;
	inside_open(&in, w);
	make_team(&in, &d, keys, objects, ids, alice);
	assert_int_equal(mf_tuf_build_delegations(&mf_dialect_tuf1, MF_STR(""), &d, 1, &text, &err), 0);
	struct mf_str delegations = mf_buf_str(&text);
	publish(&in, &(struct mf_publish_change){.role = delegator, .delegations = &delegations});
	inside_close(&in);
	mf_buf_clear(&objects[0]);
	publish_entry(w, name, entry);
}

static void withdrawal_goes_to_the_role_that_is_meant_and_to_no_namesake(void **state)
{
	static const char *const spellings[] = {"qa", "targets/qa"};
	struct world w;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	char *entry MF_FREE = entry_in(&w, "qa");
	list_below(&w, "security", "targets/qa", "qa/*", entry);
	for (size_t i = 0; i < COUNT(spellings); i++) {
		assert_int_equal(withdraw(&w, spellings[i], "alice", "no").status, 0);
		char *now MF_FREE = entry_in(&w, "qa"), *other MF_FREE = entry_in(&w, "targets/qa");
		assert_non_null(strstr(now, "\"withdrawn\""));
		assert_string_equal(other, entry);
		assert_int_equal(get(&w, NULL), MANIFESTO_POLICY);
		assert_int_equal(put_with(&w, spellings[i], "alice", "yes", true).status, 0);
	}
	world_drop(&w);
}

static void ok_load(struct inside *in)
{
	struct mf_err err = MF_ERR_INIT;
	if (mf_trust_load(in->t, &(struct mf_load){0}, &err) < 0)
		fail_msg("%s", err.msg);
}

/* Delegations with something else in the place of `from` behind a role's name. */
static void sub_text(struct mf_str text, const char *role, const char *from, const char *to,
		     struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	char *copy MF_FREE = mf_str_dup(text);
	char named[64];
	(void)snprintf(named, sizeof named, "\"name\":\"%s\"", role);
	char *at = strstr(copy, named);
	assert_non_null(at);
	at = strstr(at, from); /* canonical: paths follow the name */
	assert_non_null(at);
	*at = 0;
	assert_int_equal(mf_buf_printf(out, &err, "%s%s%s", copy, to, at + strlen(from)), 0);
}

static int verify_with_veto(struct world *w, const char *role)
{
	struct manifesto_error err;
	struct manifesto_verify_options o = MANIFESTO_INIT(manifesto_verify_options);
	char policy[200];
	(void)snprintf(policy, sizeof policy,
		       "{\"version\":1,\"require\":[{\"type\":\"qa\"}],\"veto\":[\"%s\"]}", role);
	o.images = (const char *const *)&w->image;
	o.nimages = 1;
	o.policy = policy;
	o.policy_length = strlen(policy);
	(void)!manifesto_verify(w->m, &o, &err);
	return err.status;
}

#define TOMBSTONE                                                                                            \
	"{\"custom\":{\"manifesto\":{\"v\":1,\"withdrawn\":[]}},\"hashes\":{\"sha256\":"                     \
	"\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"},\"length\":0}"

static void veto_role_that_cannot_be_heard_or_told_from_others_accepts_nothing(void **state)
{
	struct world w;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	char *entry MF_FREE = entry_in(&w, "qa");
	assert_int_equal(verify_with_veto(&w, "security"), 0);
	list_below(&w, "security", "lead", "qa/*", entry);
	assert_int_equal(verify_with_veto(&w, "lead"), 0);
	list_below(&w, "qa", "targets/lead", "other/*", TOMBSTONE);
	assert_int_equal(verify_with_veto(&w, "lead"), MANIFESTO_POLICY);
	assert_int_equal(verify_with_veto(&w, "security"), 0);
	/* Its namesake is nowhere where this type would be looked for. */
	list_below(&w, "security", "mid", "other/*", entry);
	list_below(&w, "mid", "board", "other/*", entry);
	assert_int_equal(verify_with_veto(&w, "board"), 0);
	list_below(&w, "qa", "targets/board", "qa/*", entry);
	assert_int_equal(verify_with_veto(&w, "board"), MANIFESTO_POLICY);
	world_drop(&w);
}

/* Its paths are taken away behind its withdrawal. */
static void veto_role_without_paths_is_not_passed_over(void **state)
{
	struct world w;
	struct inside in;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(1 << 16);
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(withdraw(&w, "security", "carol", "no").status, 0);
	inside_open(&in, &w);
	ok_load(&in);
	sub_text(mf_tuf_set_find(mf_trust_set(in.t), "targets")->file->delegations_raw, "security",
		 "\"paths\":[\"qa/*\"]", "\"paths\":[]", &text);
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(1 << 16);
	assert_int_equal(mf_json_canonicalize(mf_buf_str(&text), &canonical, &err), 0);
	struct mf_str delegations = mf_buf_str(&canonical);
	publish(&in, &(struct mf_publish_change){.role = "targets", .delegations = &delegations});
	inside_close(&in);
	assert_int_equal(verify_with_veto(&w, "qa"), 0);
	assert_int_equal(verify_with_veto(&w, "security"), MANIFESTO_POLICY);
	world_drop(&w);
}

static void old_version_of_a_namesake_is_nobodys(void **state)
{
	struct world w;
	struct inside in;
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_error e;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(1 << 16), b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 16);
	struct manifesto_get_options o = MANIFESTO_INIT(manifesto_get_options);
	const struct manifesto_get_result *r = NULL;
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "security", "carol", "yes", false).status, 0);
	char *entry MF_FREE = entry_in(&w, "security");
	list_below(&w, "security", "targets/qa", "qa/*", entry);
	/* From now on qa signs another type. */
	inside_open(&in, &w);
	ok_load(&in);
	sub_text(mf_tuf_set_find(mf_trust_set(in.t), "targets")->file->delegations_raw, "qa",
		 "\"paths\":[\"qa/*\"]", "\"paths\":[\"other/*\"]", &text);
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(1 << 16);
	assert_int_equal(mf_json_canonicalize(mf_buf_str(&text), &canonical, &err), 0);
	struct mf_str delegations = mf_buf_str(&canonical);
	publish(&in, &(struct mf_publish_change){.role = "targets", .delegations = &delegations});
	inside_close(&in);
	o.image = w.image;
	o.type = "qa";
	o.role = "qa";
	o.version = 1;
	o.write = collect;
	o.write_arg = &b;
	assert_int_equal(manifesto_get(w.m, &o, &r, &e), -1);
	assert_int_equal(e.status, MANIFESTO_NOT_FOUND);
	assert_int_equal(b.n, 0);
	world_drop(&w);
}

static void check_owners(struct world *w, size_t nroles)
{
	struct inside in;
	struct mf_err err = MF_ERR_INIT;
	inside_open(&in, w);
	assert_int_equal(mf_trust_load(in.t, &(struct mf_load){0}, &err), 0);
	const struct mf_tuf_set *set = mf_trust_set(in.t);
	assert_int_equal(set->nroles, nroles);
	for (size_t i = 0; i < set->nroles; i++)
		assert_true(mf_str_eqz(set->roles[i]->file->of_role, set->roles[i]->role));
	inside_close(&in);
}

static void every_file_says_which_roles_it_is(void **state)
{
	struct world w;
	struct manifesto_error e;
	const struct manifesto_trust_result *trust = NULL;
	struct manifesto_refresh_options o = MANIFESTO_INIT(manifesto_refresh_options);
	const struct manifesto_refresh_result *r = NULL;
	world_make(&w, state);
	assert_int_equal(manifesto_trust_init(w.m, w.image, &trust, &e), 0);
	manifesto_result_free(trust);
	check_owners(&w, 1);
	world_drop(&w);
	assert_int_equal(chdir(*state), 0);
	assert_int_equal(rename("image", "first"), 0);
	assert_int_equal(rename("home", "first-home"), 0);
	teams_make(&w, state);
	assert_int_equal(put_with(&w, "qa", "alice", "yes", false).status, 0);
	assert_int_equal(put_with(&w, "security", "carol", "yes", false).status, 0);
	check_owners(&w, 3);
	o.image = w.image;
	o.force = 1;
	assert_int_equal(manifesto_trust_refresh(w.m, &o, &r, &e), 0);
	manifesto_result_free(r);
	check_owners(&w, 3);
	world_drop(&w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, tmpdir_make, tmpdir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(signature_is_added_and_nothing_else_changes),
	    T(members_of_others_stay_under_a_signature),
	    T(what_cannot_be_signed_is_refused),
	    T(expired_and_withdrawn_records_are_not_signed),
	    T(record_is_shown_with_its_signers_and_no_means_no),
	    T(what_was_shown_is_signed_or_nothing),
	    T(members_without_a_line_of_their_own_are_shown),
	    T(what_cannot_be_shown_as_it_is_is_not_signed),
	    T(record_that_expires_at_the_epoch_has_expired),
	    T(list_hands_out_parts_until_it_is_stopped),
	    T(key_under_two_names_signs_under_either),
	    T(sixty_fifth_signature_is_refused),
	    T(put_of_the_same_record_adds_a_signature),
	    T(put_of_another_description_says_whose_signatures_are_gone),
	    T(removed_record_was_never_there),
	    T(role_that_has_the_record_is_meant),
	    T(record_that_changed_meanwhile_is_not_removed_or_withdrawn),
	    T(withdrawal_says_what_by_whom_why_and_when),
	    T(withdrawing_twice_changes_nothing_but_for_another_reason),
	    T(role_without_the_record_can_veto_and_only_it_lifts_that),
	    T(two_roles_that_withdrew_each_lift_their_own),
	    T(put_never_replaces_a_withdrawal_unasked),
	    T(record_that_would_grow_too_large_is_not_signed),
	    T(time_to_read_is_not_the_operations),
	    T(image_that_is_gone_keeps_no_record),
	    T(roles_without_authority_are_not_heard),
	    T(withdrawal_without_a_role_is_that_of_the_role_with_the_record),
	    T(veto_role_without_paths_is_not_passed_over),
	    T(old_version_of_a_namesake_is_nobodys),
	    T(every_file_says_which_roles_it_is),
	    T(veto_role_that_cannot_be_heard_or_told_from_others_accepts_nothing),
	    T(withdrawal_goes_to_the_role_that_is_meant_and_to_no_namesake),
	    T(index_of_a_layout_lists_the_withdrawal_and_keeps_a_removed_artifact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
